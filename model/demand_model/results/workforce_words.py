"""Workers and caseload in sentences that a head of service can read out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.results.workforce import MORE_NEEDED, WorkforceForecast
from demand_model.simulation.scenario import BASELINE
from demand_model.units import counted, signed

FloatArray = npt.NDArray[np.float64]

_MOST_SCENARIOS = 3
_SAME_CASELOAD = 0.05
"""Cases per worker; a difference below this is none in one decimal."""


def workforce_sentences(found: WorkforceForecast, scenario: str = BASELINE.name) -> tuple[str, ...]:
    """Sentences, most important first: caseload, workers needed, vacancies, other scenarios.

    Parameters
    ----------
    scenario
        That the first sentences tell of. The others stand in the order of their effect
        on caseload at the end, or at its greatest.
    """
    return (
        _caseload(found, scenario),
        _to_hold(found, scenario),
        *_to_reach_the_ideal(found, scenario),
        _cases_and_vacancies(found, scenario),
        *_against(found, scenario),
    )


def _when(found: WorkforceForecast) -> str:
    return found.months[-1].strftime("%B %Y")


def _if_so(scenario: str) -> str:
    return "if nothing changes" if scenario == BASELINE.name else f"under {scenario}"


def _ends(draws: FloatArray) -> tuple[float, float, float]:
    """Mean, and the ends of the 80% range."""
    low, high = np.quantile(draws, (0.1, 0.9))
    return float(draws.mean()), float(low), float(high)


def _caseload(found: WorkforceForecast, scenario: str) -> str:
    now = float(found.today["caseload"].mean())
    mean, low, high = _ends(found.draws[scenario, "caseload"][-1])
    taken = (
        ""
        if found.is_workers_given
        else " (taken, until your number of workers is typed on sheet System)"
    )
    return (
        f"{now:.1f} cases per worker today{taken}; {mean:.1f} in {_when(found)} (80% between "
        f"{low:.1f} and {high:.1f}) {_if_so(scenario)}."
    )


def _workers(number: float) -> str:
    """Return how many more or fewer workers, in words.

    >>> _workers(7.7), _workers(-1.2), _workers(0.2)
    ('8 more workers', '1 fewer worker', 'no more workers')
    """
    whole = abs(round(number))
    if not whole:
        return "no more workers"
    more = "more" if number > 0 else "fewer"
    return counted(whole, f"{more} worker")


def _span(low: float, high: float) -> str:
    """Return a range of numbers of workers.

    >>> _span(-3.2, 18.6), _span(1.2, 4.8), _span(-5.5, -2.1)
    ('3 fewer to 19 more', '1 to 5 more', '6 to 2 fewer')
    """
    first, last = round(low), round(high)
    if first < 0 < last:
        return f"{-first:,} fewer to {last:,} more"
    if last <= 0 and first < 0:
        return f"{-first:,} to {-last:,} fewer"
    return f"{first:,} to {last:,} more"


def _to_hold(found: WorkforceForecast, scenario: str) -> str:
    mean, low, high = _ends(found.to_hold_today(scenario)[-1])
    now = float(found.today["caseload"].mean())
    return (
        f"{_workers(mean).capitalize()} would be needed in {_when(found)} to hold {now:.1f} cases "
        f"per worker (80%: {_span(low, high)})."
    )


def _to_reach_the_ideal(found: WorkforceForecast, scenario: str) -> tuple[str, ...]:
    ideal, now = found.ideal_caseload, float(found.today["caseload"].mean())
    if abs(ideal - now) < _SAME_CASELOAD:
        return ()
    today = float(found.today[MORE_NEEDED].mean())
    mean, low, high = _ends(found.draws[scenario, MORE_NEEDED][-1])
    return (
        f"Your ideal of {ideal:.1f} cases per worker would take {_workers(today)} today and "
        f"{_workers(mean)} in {_when(found)} (80%: {_span(low, high)}).",
    )


def _cases_and_vacancies(found: WorkforceForecast, scenario: str) -> str:
    cases, workers, vacancies = (found.today[n].mean() for n in ("cases", "workers", "vacancies"))
    mean, low, high = _ends(found.draws[scenario, "cases"][-1])
    then = {n: float(found.draws[scenario, n][-1].mean()) for n in ("workers", "vacancies")}
    return (
        f"Cases: {cases:,.0f} today, {mean:,.0f} in {_when(found)} (80% between {low:,.0f} and "
        f"{high:,.0f}). Workers in post: {workers:,.0f} today, {then['workers']:,.0f} then; posts "
        f"vacant: {vacancies:,.0f} today, {then['vacancies']:,.0f} then."
    )


def _against(found: WorkforceForecast, scenario: str) -> tuple[str, ...]:
    """Say how caseload differs from the baseline's where it does most."""
    if BASELINE.name not in found.scenarios:
        return ()
    told = []
    for name in found.scenarios:
        if name in (BASELINE.name, scenario):
            continue
        less = found.less_baseline(name, "caseload")
        at = int(np.abs(less.mean(axis=1)).argmax())
        if abs(float(less[at].mean())) >= _SAME_CASELOAD:
            told.append((name, less, at))
    told.sort(key=lambda one: -abs(float(one[1][one[2]].mean())))
    return tuple(
        f"{name}: {_difference(found, less, at)}." for name, less, at in told[:_MOST_SCENARIOS]
    )


def _difference(found: WorkforceForecast, less: FloatArray, at: int) -> str:
    mean, low, high = _ends(less[at])
    most = (
        f"{signed(mean, 1)} cases per worker in {found.months[at]:%B %Y} (80% {signed(low, 1)} to "
        f"{signed(high, 1)})"
    )
    last = len(less) - 1
    if at == last:
        return f"{most} against no change"
    return f"{most}, the most, and {_or_none(float(less[last].mean()))} in {_when(found)}, " + (
        "against no change"
    )


def _or_none(number: float) -> str:
    return signed(number, 1) if abs(number) >= _SAME_CASELOAD else "none"
