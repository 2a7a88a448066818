"""The effective values behind sheet What-if: what a run writes to sheet What-if data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.results.what_if_hazards import Exits
from demand_model.system.inputs import PlacementGroup

FloatArray = npt.NDArray[np.float64]

WHAT_IF_MONTHS = 60
"""The most months that the sheet shows."""

WHAT_IF_MEASURES = ("referrals", "cp_starts", "cp_open", "cla_starts", "cla_open")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StartRates:
    """Starts of plans, or of care, by month: neutral means over draws.

    Attributes
    ----------
    pipeline
        From referrals made before the forecast; shape (months,).
    kernel
        Starts in month ``t`` a referral of month ``t - g``; shape (months, lags).
    other
        That no referral explains; shape (months,). Care: UASC and plans apart.
    weight
        Share of each source in what referrals lead to; shape (sources,), adding up to 1.
    """

    pipeline: FloatArray
    kernel: FloatArray
    other: FloatArray
    weight: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Children in care by placement group in the baseline, taken apart by age.

    Attributes
    ----------
    groups
        With their weekly costs.
    today
        Children at the census date; shape (groups,).
    baseline
        The engine's means at each month's end; shape (months, groups).
    mix
        Share of each segment's children in each group; shape (segments, groups).
    correction
        What moves, entrants' own mixes, places and overflow make of today's mix: the
        baseline over the formulas' children, at neutral; shape (months, groups).
    days
        Of each month that are forecast; shape (months,).
    years
        From the date of the prices to each month's middle; shape (months,).
    inflation_a_year
        Growth of unit costs.
    """

    groups: tuple[PlacementGroup, ...]
    today: FloatArray
    baseline: FloatArray
    mix: FloatArray
    correction: FloatArray
    days: FloatArray
    years: FloatArray
    inflation_a_year: float

    @property
    def weekly_costs(self) -> FloatArray:
        """£ a child a week; shape (groups,)."""
        return np.array([group.weekly_cost for group in self.groups])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhatIf:
    """The mean forecast, taken apart so that formulas can put it together again.

    Attributes
    ----------
    census_date, months
        As in `Trajectories`; at most `WHAT_IF_MONTHS`.
    end_days
        End of each month in days since the census date; shape (months,).
    baseline
        The engine's means by measure (`WHAT_IF_MEASURES`); each of shape (months,).
    observed
        What an unfinished first month already holds, by measure; not there: 0.
    referral_share
        Of each source group; shape (sources,).
    plan_starts, care_starts
        Starts from referrals and others.
    uasc_starts
        Shape (months,).
    opening_plans, opening_care
        Children at the census date.
    exits
        Survival, and starts of care from plans.
    care_from_new_plans_month
        Factor by month on `Exits.care_from_new_plans`.
    plan_correction, care_correction
        Engine's mean stock over the formulas', at neutral; shape (months,).
    placed
        Where children in care live, and what it costs.
    """

    census_date: date
    months: pd.PeriodIndex
    end_days: FloatArray
    baseline: Mapping[str, FloatArray]
    observed: Mapping[str, float]
    referral_share: FloatArray
    plan_starts: StartRates
    care_starts: StartRates
    uasc_starts: FloatArray
    opening_plans: int
    opening_care: int
    exits: Exits
    care_from_new_plans_month: FloatArray
    plan_correction: FloatArray
    care_correction: FloatArray
    placed: Placed

    def to_come(self, measure: str) -> FloatArray:
        """The engine's mean of a flow, less what was already observed; shape (months,)."""
        out = self.baseline[measure].copy()
        out[0] -= self.observed.get(measure, 0.0)
        return out
