"""What must be read before the forecast is: evidence too thin to carry it."""

from __future__ import annotations

from collections.abc import Sequence

from demand_addin.layout.sheets import FEW_MONTHS, FEW_REFERRALS
from demand_model.annex_a.checked import CheckResult
from demand_model.simulation.scenario import AddPosts, MultiplySystem, Scenario
from demand_model.system.equations import FREE_PLACES
from demand_model.system.inputs import SystemInputs
from demand_model.units import counted

MARK = "Take care: "
"""Every caution begins with it; the Dashboard sets such lines apart."""


def cautions(check: CheckResult) -> tuple[str, ...]:
    """Return a sentence for each reason not to lean on the forecast; none for lists that carry it.

    Parameters
    ----------
    check
        The outcome of `demand_model.check`.
    """
    return (*short_lists(check), *few_referrals(check))


def few_referrals(check: CheckResult) -> tuple[str, ...]:
    """Say that List 3 holds hardly a referral, if so: often a part of the list is missing."""
    used = next((tally.used for tally in check.tallies if tally.list_number == 3), None)
    if check.lists is None or used is None or used >= FEW_REFERRALS:
        return ()
    return (
        f"{MARK}List 3 holds {counted(used, 'referral')} only. Is all of it there? What follows a "
        "referral rests on next to nothing of yours; what comes may lie far outside the ranges.",
    )


def short_lists(check: CheckResult) -> tuple[str, ...]:
    """Say which lists cover too few months, if any do."""
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


def idle_posts(scenarios: Sequence[Scenario], system: SystemInputs) -> tuple[str, ...]:
    """Say why more workers move no number of children where no causal link is switched on."""
    adding = [s.name for s in scenarios if any(isinstance(c, AddPosts) for c in s.changes)]
    if not adding or any(link.is_on for link in system.links):
        return ()
    names = _joined([f"“{name}”" for name in adding])
    return (
        f"{names} {'adds' if len(adding) == 1 else 'add'} workers. That changes cases per worker "
        "only: no causal link on sheet System is switched on, so it moves no number of children.",
    )


def idle_guards(scenarios: Sequence[Scenario], system: SystemInputs) -> tuple[str, ...]:
    """Say why a guarded threshold does nothing where free places draw nobody into care."""
    guarded = [
        s.name
        for s in scenarios
        if any(isinstance(c, MultiplySystem) and c.target == FREE_PLACES for c in s.changes)
    ]
    if not guarded or any(link.is_on and link.is_of_free_places for link in system.links):
        return ()
    names = _joined([f"“{name}”" for name in guarded])
    has_places = system.placements.places is not None
    places = "" if has_places else " and enter how many own places there are"
    return (
        f"{names} {'changes' if len(guarded) == 1 else 'change'} {FREE_PLACES}, without effect: no "
        "causal link from places to entries to care is on. To see it, say Yes beside the loop Free "
        f"places get filled on sheet System{places}.",
    )


def _joined(words: list[str], last: str = " and ") -> str:
    return last.join(filter(None, (", ".join(words[:-1]), words[-1])))
