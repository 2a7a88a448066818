"""What the figures of a sheet rest on, in a line or two beside them."""

from __future__ import annotations

from demand_addin.layout.rates import RATES_BASIS
from demand_addin.layout.tables import FORECAST_BASIS
from demand_addin.ports import RangeValues
from demand_model.annex_a.checked import CheckResult
from demand_model.units import counted


def basis_ranges(check: CheckResult, earlier: str) -> tuple[RangeValues, ...]:
    """Return the lines of sheets Rates and Forecast, short enough to be printed whole.

    Parameters
    ----------
    check
        The outcome of `demand_model.check`.
    earlier
        Which months from before the lists were used (`plan.memory.earlier_words`). Its first
        sentence, how many, is said here; marks of unusual months stand on the Dashboard.
    """
    lines = basis_line(check), _first_sentence(earlier)
    return (
        RangeValues(name=RATES_BASIS.name, rows=((" ".join(filter(None, lines)),),)),
        RangeValues(name=FORECAST_BASIS.name, rows=tuple((line,) for line in lines)),
    )


def basis_line(check: CheckResult) -> str:
    """Say how many rows of each list were used, and the months that they cover."""
    if check.lists is None:
        return ""
    used = {t.list_number: t.used for t in check.tallies}
    windows = sorted(check.lists.windows.items())
    over = [counted(window.months, "month") for _, window in windows]
    is_same = len(set(over)) == 1
    parts = [
        f"{counted(used.get(number, 0), 'row')} of List {number}{'' if is_same else f' ({months})'}"
        for (number, _), months in zip(windows, over, strict=True)
    ]
    lists = " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
    until = f"to {check.lists.census_date:%d/%m/%Y}"
    return f"Rests on {lists}{f', over {over[0]}' if is_same else ''}; {until}."


def _first_sentence(words: str) -> str:
    first, stop, _ = words.partition(".")
    return f"{first}{stop}"
