"""What must be read before the forecast is: evidence too thin to carry it."""

from __future__ import annotations

from demand_addin.layout.sheets import FEW_MONTHS
from demand_model.annex_a.checked import CheckResult

MARK = "Take care: "
"""Every caution begins with it; the Dashboard sets such lines apart."""


def cautions(check: CheckResult) -> tuple[str, ...]:
    """Return a sentence for each reason not to lean on the forecast; none for lists that carry it.

    Parameters
    ----------
    check
        The outcome of `demand_model.check`.
    """
    windows = check.lists.windows if check.lists else {}
    short = {n: w.months for n, w in sorted(windows.items()) if w.months < FEW_MONTHS}
    if not short:
        return ()
    names = _joined([str(number) for number in short])
    months = _joined([str(count) for count in sorted(set(short.values()))], " or ")
    is_one_list, is_one_month = len(short) == 1, months == "1"
    return (
        f"{MARK}{'List' if is_one_list else 'Lists'} {names} "
        f"{'covers' if is_one_list else 'cover'} {months} month{'' if is_one_month else 's'} only. "
        "Most rates are national figures, not yours; what comes may lie far outside the ranges. "
        "Extract 6 months or more.",
    )


def _joined(words: list[str], last: str = " and ") -> str:
    return last.join(filter(None, (", ".join(words[:-1]), words[-1])))
