"""Paths of slow multipliers, on a grid of mean months around the census date."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand_samples.truth import AuthorityTruth, ConversionTruth, Drift, ReferralTruth
from demand_samples.working_days import DAYS_PER_MONTH

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Mean months of 30.4375 days; `census_index` is the month that starts at the census date.

    Attributes
    ----------
    census_day
        Day number of the census date.
    months_before, months_after
        Extent of the grid.
    """

    census_day: int
    months_before: int
    months_after: int

    @property
    def size(self) -> int:
        """Number of grid months."""
        return self.months_before + self.months_after

    def index(self, day: NDArray[np.int64]) -> NDArray[np.int64]:
        """Grid month of each day, clipped to the grid."""
        month = np.floor((day - self.census_day) / DAYS_PER_MONTH).astype(np.int64)
        return np.clip(month + self.months_before, 0, self.size - 1)

    @property
    def months_from_census(self) -> Floats:
        """Middle of each grid month, in months from the census date."""
        return np.arange(self.size, dtype=np.float64) - self.months_before + 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paths:
    """Log multipliers of each rate by grid month, shape (grid.size,)."""

    grid: Grid
    intake: Floats
    plan_conversion: Floats
    plan_other: Floats
    plan_end: Floats
    plan_care: Floats
    care_conversion: Floats
    care_other: Floats
    care_uasc: Floats
    care_end: Floats


def drift_path(drift: Drift, grid: Grid, rng: np.random.Generator) -> Floats:
    """One path of `Drift` over the grid."""
    if drift.sd_log_per_month == 0:
        return np.zeros(grid.size)
    shocks = rng.normal(scale=drift.sd_log_per_month, size=grid.size)
    if math.isinf(drift.half_life_months):
        walk: Floats = np.cumsum(shocks)
        pinned: Floats = walk - walk[max(grid.months_before - 1, 0)]
        return pinned
    phi = 0.5 ** (1 / drift.half_life_months)
    path = np.empty(grid.size)
    stationary = math.sqrt(stationary_variance(drift))
    level = rng.normal(scale=stationary)
    for month in range(grid.size):
        level = phi * level + shocks[month]
        path[month] = level
    # The multiplier, not its logarithm, has mean 1: drift alone makes no authority larger.
    return path - stationary**2 / 2


def stationary_variance(drift: Drift) -> float:
    """Variance of `drift_path`; 0 for a random walk, which has none and is not corrected."""
    if math.isinf(drift.half_life_months):
        return 0.0
    return float(drift.sd_log_per_month**2 / (1 - 0.5 ** (2 / drift.half_life_months)))


def _bends(referrals: ReferralTruth, grid: Grid) -> Floats:
    """Trend and steps of intake."""
    path = np.zeros(grid.size)
    month = grid.months_from_census
    if referrals.trend is not None:
        trend = referrals.trend
        elapsed = np.clip(month, trend.from_month, trend.to_month)
        path = path + trend.log_per_year / 12 * (
            elapsed - np.clip(0, trend.from_month, trend.to_month)
        )
    for step in referrals.steps:
        after = (month >= step.months_from_census).astype(np.float64)
        # The level that the parameters state is the level at the census date.
        path = path + math.log(step.factor) * (after - float(step.months_from_census <= 0))
    return path


def _offset(conversion: ConversionTruth, swings: Floats, drift: Drift) -> Floats:
    """What a conversion gives back of the drift of intake, so that starts keep their mean."""
    follows, variance = conversion.follows_intake, stationary_variance(drift)
    offset: Floats = (follows - 1) * (swings - follows * variance / 2)
    return offset


def draw_paths(truth: AuthorityTruth, grid: Grid, rng: np.random.Generator) -> Paths:
    """All the authority's multipliers, each drawn once."""
    plans, care = truth.plans, truth.care
    swings = drift_path(truth.referrals.drift, grid, rng)
    return Paths(
        grid=grid,
        intake=swings + _bends(truth.referrals, grid),
        plan_conversion=drift_path(plans.conversion.drift, grid, rng)
        + _offset(plans.conversion, swings, truth.referrals.drift),
        plan_other=drift_path(plans.other_drift, grid, rng),
        plan_end=drift_path(plans.end_drift, grid, rng),
        plan_care=drift_path(plans.care_drift, grid, rng),
        care_conversion=drift_path(care.conversion.drift, grid, rng)
        + _offset(care.conversion, swings, truth.referrals.drift),
        care_other=drift_path(care.other_drift, grid, rng),
        care_uasc=drift_path(care.uasc_drift, grid, rng),
        care_end=drift_path(care.end_drift, grid, rng),
    )
