"""Referrals: when they arrive, of which family, from whom, and what they lead to.

    month's rate ──Poisson──► family events ──lag──► repeats of earlier families
                                   │
                                   └──► children referred ──share, lag──► plan | care

A share of events is of families seen before: each such event looks back by a
drawn lag and takes the family referred about then. Season and trend therefore
hold for all referrals, first and repeated, and no event is added afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand_samples.drift import Paths
from demand_samples.families import Families, draw_families, eighteenth_birthdays, members
from demand_samples.truth import (
    AGE_BAND_UPPER_YEARS,
    REPEAT_LAG_BAND_END_MONTHS,
    SOURCE_GROUPS,
    AuthorityTruth,
    ConversionTruth,
    ReferralTruth,
)
from demand_samples.working_days import DAYS_PER_MONTH, DAYS_PER_YEAR, Days, WorkingDays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NOTHING, TO_PLAN, TO_CARE = 0, 1, 2
_SCHOOL_SOURCES = (SOURCE_GROUPS.index("Schools"), SOURCE_GROUPS.index("Education services"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Referrals:
    """One entry a child referred, by date.

    Attributes
    ----------
    event
        Index of the family's referral that day.
    child, day, source, nfa
        Who, when (day number), from whom (index into `SOURCE_GROUPS`), closed at once.
    outcome
        0 nothing, 1 a plan, 2 care.
    outcome_day
        Day that the plan or care starts; the referral's own where there is none.
    batch
        Same number: same outcome on one day for the siblings.
    expected_by_month
        Expected referrals of each calendar month, noise included, shape (months,).
    """

    families: Families
    event: Ints
    child: Ints
    day: Ints
    source: Ints
    nfa: Bools
    outcome: Ints
    outcome_day: Ints
    batch: Ints
    expected_by_month: Floats


def expected_referrals(
    referrals: ReferralTruth, month_start: Days, calendar: WorkingDays, paths: Paths
) -> Floats:
    """Compute expected referrals of each calendar month before its noise, shape (months,)."""
    moment = (month_start[:-1] + month_start[1:]) // 2
    month_of_year = (
        month_start[:-1].astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    )
    expected: Floats = (
        referrals.level_per_working_day
        * calendar.count(month_start)
        * np.array(referrals.profile)[month_of_year]
        * np.exp(paths.intake[paths.grid.index(moment)])
    )
    return expected


def _event_times(
    truth: AuthorityTruth,
    expected: Floats,
    month_start: Days,
    calendar: WorkingDays,
    rng: np.random.Generator,
) -> Floats:
    """Days of family events, ascending, with a fraction for their order within the day."""
    number = rng.poisson(expected / truth.families.mean_size)
    month = np.repeat(np.arange(len(number)), number)
    day = calendar.within(month_start, month, rng.random(len(month)))
    return np.sort(day + rng.random(len(month)))


def _roots(referrals: ReferralTruth, time: Floats, rng: np.random.Generator) -> Ints:
    """For each event, the first event of its family (itself where the family is new)."""
    count = len(time)
    ends = np.array((0, *REPEAT_LAG_BAND_END_MONTHS), dtype=float) * DAYS_PER_MONTH
    band = rng.choice(len(ends) - 1, size=count, p=np.array(referrals.repeat_lag_shares))
    lag = np.maximum(ends[band] + rng.random(count) * np.diff(ends)[band], 1.0)
    earlier = np.searchsorted(time, time - lag, side="right") - 1
    repeat = (rng.random(count) < referrals.repeat_share) & (earlier >= 0)
    root = np.where(repeat, earlier, np.arange(count)).astype(np.int64)
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further
    # Nobody is referred twice on one day: the second such event is of a new family.
    pair = root * 2**20 + np.floor(time).astype(np.int64)
    again = np.ones(count, dtype=bool)
    again[np.unique(pair, return_index=True)[1]] = False
    return np.where(again, np.arange(count), root).astype(np.int64)


def _sources(truth: ReferralTruth, school_age: Bools, rng: np.random.Generator) -> Ints:
    """Choose a source for each event; schools only where a child is of school age."""
    shares = np.array(truth.source_shares)
    schools = np.zeros(len(shares), dtype=bool)
    schools[list(_SCHOOL_SOURCES)] = True
    chance = shares[schools].sum() / max(float(school_age.mean()), 1e-9) if len(school_age) else 0.0
    from_school = school_age & (rng.random(len(school_age)) < chance)
    inside = shares * schools / shares[schools].sum()
    outside = shares * ~schools / shares[~schools].sum()
    return np.where(
        from_school,
        rng.choice(len(shares), size=len(school_age), p=inside),
        rng.choice(len(shares), size=len(school_age), p=outside),
    ).astype(np.int64)


def age_band(age_years: Floats) -> Ints:
    """Index into `AGE_BANDS`; the unborn are under 1."""
    return np.searchsorted(np.array(AGE_BAND_UPPER_YEARS), age_years, side="right").astype(np.int64)


def _chances(
    conversion: ConversionTruth, band: Ints, open_to_it: Bools, log_multiplier: Floats
) -> Floats:
    """Probability a child referred; its mean over all children is the stated share."""
    relative = np.array(conversion.multiplier_by_age)[band] * open_to_it
    mean = float(relative.mean()) if len(relative) else 1.0
    chance: Floats = conversion.share * relative / max(mean, 1e-9) * np.exp(log_multiplier)
    return np.minimum(chance, 0.45)


def _lag_days(conversion: ConversionTruth, count: int, rng: np.random.Generator) -> Ints:
    weeks = rng.choice(
        len(conversion.lag_week_shares), size=count, p=np.array(conversion.lag_week_shares)
    )
    return (weeks * 7 + rng.integers(0, 7, size=count)).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    event: Ints
    child: Ints
    day: Ints
    nfa: Bools
    band: Ints


def _outcomes(
    truth: AuthorityTruth,
    rows: _Rows,
    calendar: WorkingDays,
    paths: Paths,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints]:
    """(outcome, day, batch) of each row; siblings mostly share all three."""
    month = paths.grid.index(rows.day)
    to_plan = _chances(truth.plans.conversion, rows.band, ~rows.nfa, paths.plan_conversion[month])
    to_care = _chances(truth.care.conversion, rows.band, ~rows.nfa, paths.care_conversion[month])
    events = int(rows.event[-1]) + 1 if len(rows.event) else 0
    size = np.maximum(np.bincount(rows.event, minlength=events), 1)
    shared = (rng.random(events) < truth.families.shared_outcome_share)[rows.event]
    mean_plan = (np.bincount(rows.event, to_plan, events) / size)[rows.event]
    mean_care = (np.bincount(rows.event, to_care, events) / size)[rows.event]
    chance_plan = np.where(shared, mean_plan, to_plan)
    chance_care = np.where(shared, mean_care, to_care)
    u = np.where(shared, rng.random(events)[rows.event], rng.random(len(rows.event)))
    outcome = np.where(
        u < chance_plan, TO_PLAN, np.where(u < chance_plan + chance_care, TO_CARE, 0)
    )
    plan_lag = np.where(
        shared,
        _lag_days(truth.plans.conversion, events, rng)[rows.event],
        _lag_days(truth.plans.conversion, len(rows.event), rng),
    )
    care_lag = np.where(
        shared,
        _lag_days(truth.care.conversion, events, rng)[rows.event],
        _lag_days(truth.care.conversion, len(rows.event), rng),
    )
    day = np.where(
        outcome == TO_PLAN,
        calendar.on_or_after(rows.day + plan_lag),
        np.where(outcome == TO_CARE, rows.day + care_lag, rows.day),
    )
    batch = np.where(shared, rows.event, events + np.arange(len(rows.event)))
    return outcome.astype(np.int64), day.astype(np.int64), batch.astype(np.int64)


def draw_referrals(
    truth: AuthorityTruth,
    month_start: Days,
    calendar: WorkingDays,
    paths: Paths,
    rng: np.random.Generator,
) -> Referrals:
    """Referrals of all calendar months of `month_start`, and what each leads to."""
    process = truth.referrals
    expected = expected_referrals(process, month_start, calendar, paths)
    variance = process.extra_poisson_variance
    expected = expected * np.exp(rng.normal(-variance / 2, math.sqrt(variance), size=len(expected)))
    time = _event_times(truth, expected, month_start, calendar, rng)
    event_day = np.floor(time).astype(np.int64)
    root = _roots(process, time, rng)
    founding = np.flatnonzero(root == np.arange(len(root)))
    families = draw_families(truth.families, event_day[founding], rng)
    family = np.searchsorted(founding, root)
    event, child = members(families.first[family], families.size[family])
    day = event_day[event]
    age = (day - families.birth_day[child]) / DAYS_PER_YEAR
    minor = day < eighteenth_birthdays(families.birth_day)[child]
    event, child, day, age = event[minor], child[minor], day[minor], age[minor]
    school = np.bincount(event, (age >= 4) & (age < 17), len(root)) > 0
    source = _sources(process, school, rng)
    nfa = rng.random(len(root)) < np.array(process.nfa_share_by_source)[source]
    source, nfa = source[event], nfa[event]
    rows = _Rows(event=event, child=child, day=day, nfa=nfa, band=age_band(age))
    outcome, outcome_day, batch = _outcomes(truth, rows, calendar, paths, rng)
    return Referrals(
        families=families,
        event=event,
        child=child,
        day=day,
        source=source,
        nfa=nfa,
        outcome=outcome,
        outcome_day=outcome_day,
        batch=batch,
        expected_by_month=expected,
    )
