"""Hazards that feed sheet What-if: of children open now, and of those to come.

Months stand for their middle, and entrants for an entry in the middle of a month: the
answer to levers needs no more, and what is neutral is set right afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS, PLAN_BANDS
from demand_model.exposure.opening import StockMembers
from demand_model.results.what_if_survival import (
    AgeMix,
    Survival,
    Survivors,
    ages,
    survival,
    survivors,
)
from demand_model.simulation.care_class import care_class, care_segment
from demand_model.simulation.members import ADULT_YEARS
from demand_model.simulation.setup import Common, DrawBatch
from demand_model.simulation.timeline import Timeline
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

DRAWS = 125
"""Draws that stand for all in what levers on exits do; their means are those of all."""
_CHILDREN = 160
"""Children who stand for all open now."""
_COHORT = 3
"""Entrants are taken to enter after 1/3 of the horizon: their drift is that of the middle."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hazards:
    """Rates and drift of some draws; the last axis is the draw.

    Attributes
    ----------
    plan_ends, plan_to_care
        A child-month by band; shape (bands, draws).
    home, other
        A child-month in care by class (`care_class`); shape (classes, draws).
    plan_drift, care_drift, conversion_drift
        Shape (months, draws).
    plan_starts, care_starts
        Expected starts, relative to all draws; shape (draws,).
    """

    plan_ends: FloatArray
    plan_to_care: FloatArray
    home: FloatArray
    other: FloatArray
    plan_drift: FloatArray
    care_drift: FloatArray
    conversion_drift: FloatArray
    plan_starts: FloatArray
    care_starts: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exits:
    """Survival by stock, and starts of care from plans.

    Attributes
    ----------
    open_plans, open_care
        Of the children open now, by month of the forecast.
    new_plans, new_care, new_uasc
        Of entrants, by month since entry; month 0 is that of entry.
    open_ages, new_ages
        Ages of those left of `open_care` and of `new_care`; UASC are a segment.
    care_from_open_plans
        Starts of care a child on a plan since before the forecast, by month.
    care_from_new_plans
        The same a month for one who has been on a plan for so many months' ends.
    """

    open_plans: Survival
    open_care: Survival
    new_plans: Survival
    new_care: Survival
    new_uasc: Survival
    open_ages: AgeMix
    new_ages: AgeMix
    care_from_open_plans: FloatArray
    care_from_new_plans: FloatArray


def hazards(batches: Sequence[DrawBatch], months: int) -> Hazards:
    """`DRAWS` of the draws, evenly taken, scaled to the means of all."""
    found = Hazards(
        plan_ends=_joined([b.rates.plan_ends for b in batches]),
        plan_to_care=_joined([b.rates.plan_to_care for b in batches]),
        home=_joined([_by_class(b.rates.care_ends[:1]) for b in batches]),
        other=_joined([_by_class(b.rates.care_ends[1:]) for b in batches]),
        plan_drift=_joined([b.plan_exit[:months] for b in batches]),
        care_drift=_joined([b.care_exit[:months] for b in batches]),
        conversion_drift=_joined([b.care_conversion[:months] for b in batches]),
        plan_starts=_joined([_starts(b, b.rates.plan_lags, b.rates.other_plan) for b in batches]),
        care_starts=_joined([_starts(b, b.rates.care_lags, b.rates.other_care) for b in batches]),
    )
    draws = found.plan_starts.size
    taken = np.linspace(0, draws - 1, min(DRAWS, draws)).astype(int)
    return Hazards(**{f.name: _some(getattr(found, f.name), taken) for f in fields(Hazards)})


def _joined(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts, axis=-1)


def _by_class(care_ends: FloatArray) -> FloatArray:
    total = care_ends.sum(axis=0)
    return np.asarray(total.reshape(-1, total.shape[-1]))


def _starts(batch: DrawBatch, lags: FloatArray, other: FloatArray) -> FloatArray:
    """Starts a step: those of a draw with many starts weigh more among entrants."""
    steps_a_month = len(batch.referrals.level) / len(batch.plan_exit)
    ready = (batch.referrals.level * batch.referrals.following).mean(axis=0)
    return np.asarray(ready * lags.sum(axis=0) + other / steps_a_month)


def _some(values: FloatArray, taken: npt.NDArray[np.intp]) -> FloatArray:
    few = values[..., taken]
    scale = values.mean(axis=-1) / np.maximum(few.mean(axis=-1), 1e-300)
    return np.asarray(few * np.asarray(scale)[..., None])


def exits(common: Common, found: Hazards, months: int) -> Exits:
    """Average children and draws into what the sheet holds."""
    line = common.line
    ones = np.ones(found.plan_starts.size)
    plans, care = _representatives(common.plans), _representatives(common.care)
    plan_used = _plans_now(plans, found, line, months)
    open_care = survivors(*_care_now(care, found, line, months), _alive(care, line, months), ones)
    cohort = np.minimum(months // _COHORT + np.arange(months), months - 1)
    new_care = _new_care(common.care_mix.ages_years, found, cohort, found.care_starts, uasc=False)
    new_uasc = _new_care(common.uasc_mix.ages_years, found, cohort, ones, uasc=True)
    return Exits(
        open_plans=_of_plans(plan_used, _alive(plans, line, months), ones),
        open_care=survival(open_care),
        new_plans=_new_plans(common.plan_mix.ages_years, found, cohort),
        new_care=survival(new_care),
        new_uasc=survival(new_uasc),
        open_ages=ages(open_care, _segments_now(care, line, months), len(CARE_SEGMENTS)),
        new_ages=ages(
            new_care, _segments_since(common.care_mix.ages_years, months), len(CARE_SEGMENTS)
        ),
        care_from_open_plans=_from_open_plans(plans, plan_used, found, line, months),
        care_from_new_plans=_from_new_plans(found, cohort),
    )


def _representatives(stock: StockMembers) -> StockMembers:
    """At most `_CHILDREN`, evenly taken in order of time since entry and age."""
    if len(stock) <= _CHILDREN:
        return stock
    band = np.floor(np.sqrt(stock.days / DAYS_PER_MONTH))
    order = np.lexsort((stock.age_days, band, stock.uasc))
    taken = order[((np.arange(_CHILDREN) + 0.5) / _CHILDREN * len(order)).astype(int)]
    return StockMembers(**{f.name: getattr(stock, f.name)[taken] for f in fields(StockMembers)})


def _middles(line: Timeline, months: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Middle, length and end of each month, in months since the census date."""
    edges = line.edges_months[[b.start for b in line.blocks()[:months]] + [_last(line, months)]]
    return (edges[1:] + edges[:-1]) / 2.0, np.diff(edges), edges[1:]


def _last(line: Timeline, months: int) -> int:
    return line.blocks()[months - 1].stop


def _alive(stock: StockMembers, line: Timeline, months: int) -> FloatArray:
    end = _middles(line, months)[2]
    adult = (ADULT_YEARS - stock.age_days / DAYS_PER_YEAR) * 12.0
    return (adult >= end[:, None]).astype(float)


def _of_plans(used: FloatArray, alive: FloatArray, weight: FloatArray) -> Survival:
    return survival(survivors(np.zeros_like(used[:, :, :1]), used, alive, weight))


def _plans_now(stock: StockMembers, found: Hazards, line: Timeline, months: int) -> FloatArray:
    """Hazard used up by each child in each month; shape (months, children, draws)."""
    middle, length, _ = _middles(line, months)
    since = stock.days / DAYS_PER_MONTH
    band = PLAN_BANDS.index(middle[:, None] + since)
    return found.plan_ends[band] * (found.plan_drift * length[:, None])[:, None]


def _care_now(
    stock: StockMembers, found: Hazards, line: Timeline, months: int
) -> tuple[FloatArray, FloatArray]:
    middle, length, _ = _middles(line, months)
    since, age = stock.days / DAYS_PER_MONTH, stock.age_days / DAYS_PER_YEAR
    cells = np.stack([care_class(since + m, age + m / 12.0, stock.uasc) for m in middle])
    factor = (found.care_drift * length[:, None])[:, None]
    return found.home[cells] * factor, found.other[cells] * factor


def _halves(months: int) -> tuple[FloatArray, FloatArray]:
    """Time since entry at the middle of the halves of each month, and their lengths.

    Entry stands in the middle of month 0, whose first half is not spent; (months, 2).
    """
    since = np.arange(months)[:, None] + np.array([-0.25, 0.25])
    length = np.full((months, 2), 0.5)
    length[0, 0] = 0.0
    return np.maximum(since, 0.0), length


def _new_plans(ages_years: FloatArray, found: Hazards, cohort: npt.NDArray[np.intp]) -> Survival:
    since, length = _halves(len(cohort))
    rate = (found.plan_ends[PLAN_BANDS.index(since)] * length[:, :, None]).sum(axis=1)
    used = (rate * found.plan_drift[cohort])[:, None]
    alive = _entrants_alive(ages_years, len(cohort)).mean(axis=1, keepdims=True)
    return _of_plans(used, alive, found.plan_starts)


def _new_care(
    ages_years: FloatArray,
    found: Hazards,
    cohort: npt.NDArray[np.intp],
    weight: FloatArray,
    *,
    uasc: bool,
) -> Survivors:
    since, length = _halves(len(cohort))
    age = ages_years + since[:, :, None] / 12.0
    cells = care_class(np.broadcast_to(since[:, :, None], age.shape), age, np.full(age.shape, uasc))
    drift = found.care_drift[cohort][:, None]

    def used(rate: FloatArray) -> FloatArray:
        halves = length[:, :, None, None]
        return np.asarray((rate[cells] * halves).sum(axis=1) * drift)

    alive = _entrants_alive(ages_years, len(cohort))
    return survivors(used(found.home), used(found.other), alive, weight)


def _segments_now(stock: StockMembers, line: Timeline, months: int) -> npt.NDArray[np.intp]:
    """Age group of each child at each month's end; shape (months, children)."""
    age = stock.age_days / DAYS_PER_YEAR
    return np.stack([care_segment(age + e / 12.0, stock.uasc) for e in _middles(line, months)[2]])


def _segments_since(ages_years: FloatArray, months: int) -> npt.NDArray[np.intp]:
    """Age group of entrants at the ends of the months since entry in the middle of month 0."""
    none = np.zeros(len(ages_years), dtype=bool)
    ends = np.arange(months) + 0.5
    return np.stack([care_segment(ages_years + e / 12.0, none) for e in ends])


def _entrants_alive(ages_years: FloatArray, months: int) -> FloatArray:
    """Share of entrants of each age who are not 18 at the end of each month; (months, ages)."""
    adult = (ADULT_YEARS - ages_years) * 12.0
    # Entry falls evenly within month 0, so time since entry at its end is from 0 to 1.
    return np.clip(adult - np.arange(months)[:, None], 0.0, 1.0)


def _from_open_plans(
    stock: StockMembers, used: FloatArray, found: Hazards, line: Timeline, months: int
) -> FloatArray:
    """Rate of those still there at each month's start, times the month's length."""
    _, length, end = _middles(line, months)
    begin = end - length
    still = np.exp(-(np.cumsum(used, axis=0) - used))
    still *= np.concatenate([np.ones((1, len(stock))), _alive(stock, line, months)[:-1]])[..., None]
    band = PLAN_BANDS.index(begin[:, None] + stock.days / DAYS_PER_MONTH)
    rate = found.plan_to_care[band] * found.conversion_drift[:, None]
    there = still.sum(axis=(1, 2))
    starts = (still * rate).sum(axis=(1, 2)) * length
    return np.asarray(np.where(there > 0.0, starts / np.maximum(there, 1e-300), 0.0))


def _from_new_plans(found: Hazards, cohort: npt.NDArray[np.intp]) -> FloatArray:
    """A child-month for those who entered in the middle of month 0, by month's end since."""
    band = PLAN_BANDS.index(np.arange(len(cohort)) + 0.6)
    rate = found.plan_to_care[band] * found.conversion_drift[cohort]
    return np.asarray(rate.mean(axis=1))
