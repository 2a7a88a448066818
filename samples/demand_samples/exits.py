"""When spells end, and why: competing hazards by inversion of the cumulative hazard.

For spell i and its k-th month, hazard[i, k] is the sum over reasons of
base[reason, band of k] × age multiplier × exp(drift). With E ~ Exponential(1)
the spell ends where the cumulative hazard reaches E, exactly, within the month;
the reason is drawn in proportion to the hazards there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand_samples.drift import Paths
from demand_samples.families import eighteenth_birthdays
from demand_samples.intake import age_band
from demand_samples.truth import (
    AGE_BANDS,
    CARE_BAND_START_MONTHS,
    CARE_REASONS,
    PLAN_BAND_START_MONTHS,
    CareTruth,
    FamilyTruth,
    PlanTruth,
)
from demand_samples.working_days import DAYS_PER_MONTH, DAYS_PER_YEAR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OPEN = np.int64(2**40)
"""End day of a spell still open when the simulation ends."""

PLAN_ENDED, PLAN_CARE, PLAN_ADULT, PLAN_OPEN = 0, 1, 2, -1
CARE_ADULT, CARE_OPEN = len(CARE_REASONS), -1
_HOME = CARE_REASONS.index("home")
_MAX_PLAN_MONTHS = 72
_CHUNK_ROWS = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """End day (`OPEN` if none) and reason (−1 if open) of each spell."""

    day: Ints
    reason: Ints


def first_event_months(hazard: Floats, rng: np.random.Generator) -> Floats:
    """Months until the first event, infinite if none; hazard has shape (spells, months)."""
    rows, months = int(hazard.shape[0]), int(hazard.shape[1])
    if rows == 0 or months == 0:
        return np.full(rows, np.inf)
    cumulative: Floats = np.cumsum(hazard, axis=1)
    target = rng.exponential(size=rows)
    # The cumulative hazard ascends, so the months below the target are counted, not searched.
    month: Ints = (cumulative < target[:, None]).sum(axis=1)
    happened = month < months
    at = np.minimum(month, months - 1)
    every: Ints = np.arange(rows)
    before = cumulative[every, at] - hazard[every, at]
    within = (target - before) / np.maximum(hazard[every, at], 1e-300)
    return np.where(happened, at + np.clip(within, 0.0, 1.0), np.inf)


def _band_of_month(starts: tuple[int, ...], months: int) -> Ints:
    return (np.searchsorted(np.array(starts), np.arange(months), side="right") - 1).astype(np.int64)


def _drift_by_spell_month(path: Floats, paths: Paths, start: Ints, months: int) -> Floats:
    at = paths.grid.index(start)[:, None] + np.arange(months)[None, :]
    multiplier: Floats = np.exp(path)[np.minimum(at, paths.grid.size - 1)]
    return multiplier


def share_with_first(batch: Ints, shares: Bools) -> Ints:
    """For each spell, the index whose end it takes: its batch's first, or its own."""
    _, first, group = np.unique(batch, return_index=True, return_inverse=True)
    return np.where(shares, first[group], np.arange(len(batch))).astype(np.int64)


def plan_ends(
    plans: PlanTruth,
    families: FamilyTruth,
    *,
    start: Ints,
    birth_day: Ints,
    batch: Ints,
    paths: Paths,
    horizon: int,
    rng: np.random.Generator,
) -> Ends:
    """Draw the ends of child protection plans, siblings' mostly together."""
    months = _MAX_PLAN_MONTHS
    band = _band_of_month(PLAN_BAND_START_MONTHS, months)
    drift = _drift_by_spell_month(paths.plan_end, paths, start, months)
    if plans.reviews is None:
        ended = first_event_months(np.array(plans.end_hazard_per_month)[band] * drift, rng)
    else:
        background = first_event_months(plans.reviews.background_hazard_per_month * drift, rng)
        ended = np.minimum(background, _review_ends(plans, start, paths, rng))
    care_drift = _drift_by_spell_month(paths.plan_care, paths, start, months)
    into_care = first_event_months(plans.care_hazard_per_month * care_drift, rng)
    shares = rng.random(len(start)) < families.shared_plan_end_share
    source = share_with_first(batch, shares)
    ended, into_care = ended[source], into_care[source]
    # A plan older than the matrix covers ends at its edge; fewer than one in ten thousand does.
    duration = np.minimum(np.minimum(ended, into_care), _MAX_PLAN_MONTHS)
    reason = np.where(into_care < ended, PLAN_CARE, PLAN_ENDED)
    day = start + np.maximum(np.round(duration * DAYS_PER_MONTH), 1).astype(np.int64)
    adult = eighteenth_birthdays(birth_day)
    reason = np.where(adult <= day, PLAN_ADULT, reason)
    day = np.minimum(day, adult)
    still = day > horizon
    return Ends(day=np.where(still, OPEN, day), reason=np.where(still, PLAN_OPEN, reason))


def _review_ends(plans: PlanTruth, start: Ints, paths: Paths, rng: np.random.Generator) -> Floats:
    """Months to the review at which each plan ends: g = −log(1 − p) scaled by the drift."""
    reviews = plans.reviews
    if reviews is None:
        msg = "The plans have no reviews."
        raise ValueError(msg)
    number = int((_MAX_PLAN_MONTHS - reviews.first_month) // reviews.interval_months)
    probability = np.array(reviews.end_probability)
    probability = probability[np.minimum(np.arange(number), len(probability) - 1)]
    due = reviews.first_month + reviews.interval_months * np.arange(number)
    jitter = rng.normal(scale=reviews.jitter_days / DAYS_PER_MONTH, size=(len(start), number))
    at = due[None, :] + jitter
    day = start[:, None] + np.round(at * DAYS_PER_MONTH).astype(np.int64)
    strength = -np.log1p(-probability) * np.exp(paths.plan_end[paths.grid.index(day)])
    ends = rng.random((len(start), number)) < -np.expm1(-strength)
    first = np.argmax(ends, axis=1)
    return np.where(ends.any(axis=1), at[np.arange(len(start)), first], np.inf)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CareTables:
    """Hazards a month by reason, month in care and age band; shape (reasons, months, ages)."""

    by_reason: Floats
    uasc: float


def care_tables(care: CareTruth, months: int) -> CareTables:
    """Spell the hazards out by month in care."""
    base = np.array(care.end_hazard_per_month)[:, _band_of_month(CARE_BAND_START_MONTHS, months)]
    table = base[:, :, None] * np.array(care.multiplier_by_age)[:, None, :]
    return CareTables(by_reason=table, uasc=care.uasc_end_hazard_per_month)


def career_multipliers(care: CareTruth, batch: Ints, rng: np.random.Generator) -> Floats:
    """Each spell's factor on the hazard of returning home, one a batch of siblings."""
    if care.careers is None:
        return np.ones(len(batch))
    _, group = np.unique(batch, return_inverse=True)
    short = rng.random(int(group.max(initial=-1)) + 1) < care.careers.short_share
    factor = np.where(short, care.careers.short_multiplier, care.careers.long_multiplier)
    return np.asarray(factor[group], dtype=np.float64)


def care_ends(
    care: CareTruth,
    families: FamilyTruth,
    *,
    start: Ints,
    birth_day: Ints,
    uasc: Bools,
    batch: Ints,
    paths: Paths,
    horizon: int,
    rng: np.random.Generator,
) -> Ends:
    """Draw the ends of periods of being looked after; the 18th birthday ends what is left."""
    adult = eighteenth_birthdays(birth_day)
    limit = np.minimum(adult, horizon + 1)
    months = np.ceil((limit - start) / DAYS_PER_MONTH).astype(np.int64) + 1
    home = career_multipliers(care, batch, rng)
    tables = care_tables(care, int(months.max(initial=1)))
    duration = np.full(len(start), np.inf)
    reason = np.full(len(start), CARE_ADULT, dtype=np.int64)
    # Spells of like length together: the matrices then hold few unused months.
    order = np.argsort(months, kind="stable")
    for first in range(0, len(order), _CHUNK_ROWS):
        rows = order[first : first + _CHUNK_ROWS]
        duration[rows], reason[rows] = _care_chunk(
            tables,
            start=start[rows],
            age=(start[rows] - birth_day[rows]) / DAYS_PER_YEAR,
            uasc=uasc[rows],
            home=home[rows],
            months=int(months[rows].max(initial=1)),
            paths=paths,
            rng=rng,
        )
    left = np.minimum(np.where(np.isfinite(duration), duration, 1e6), 1e6)
    day = start + np.maximum(np.round(left * DAYS_PER_MONTH), 1).astype(np.int64)
    shares = rng.random(len(start)) < families.shared_care_end_share
    source = share_with_first(batch, shares)
    led = (source != np.arange(len(start))) & (day[source] < adult[source])
    source = np.where(led, source, np.arange(len(start)))
    day, reason = day[source], reason[source]
    reason = np.where(adult <= day, CARE_ADULT, reason)
    day = np.minimum(day, adult)
    still = day > horizon
    return Ends(day=np.where(still, OPEN, day), reason=np.where(still, CARE_OPEN, reason))


def _care_chunk(
    tables: CareTables,
    *,
    start: Ints,
    age: Floats,
    uasc: Bools,
    home: Floats,
    months: int,
    paths: Paths,
    rng: np.random.Generator,
) -> tuple[Floats, Ints]:
    """Months in care until leaving before 18 (infinite if never), and the reason."""
    month = np.arange(months)
    band = age_band(age[:, None] + (month[None, :] + 0.5) / 12)
    flat = month[None, :] * len(AGE_BANDS) + band
    stay = tables.by_reason[:, :months].sum(axis=0) - tables.by_reason[_HOME, :months]
    hazard = stay.ravel()[flat]
    hazard += tables.by_reason[_HOME, :months].ravel()[flat] * home[:, None]
    hazard[uasc] = tables.uasc
    hazard *= _drift_by_spell_month(paths.care_end, paths, start, months)
    duration = first_event_months(hazard, rng)
    at = np.minimum(np.where(np.isfinite(duration), duration, 0), months - 1).astype(np.int64)
    parts = tables.by_reason[:, at, band[np.arange(len(at)), at]]
    parts[_HOME] *= home
    cumulative = np.cumsum(parts, axis=0)
    u = rng.random(len(at)) * cumulative[-1]
    reason = np.minimum((cumulative <= u).sum(axis=0), len(CARE_REASONS) - 1)
    reason = np.where(uasc, CARE_REASONS.index("other"), reason)
    return duration, np.where(np.isfinite(duration), reason, CARE_ADULT).astype(np.int64)
