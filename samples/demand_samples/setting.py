"""The stage that one history is drawn on: its days, its calendar, its drift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from demand_samples.drift import Grid, Paths, draw_paths
from demand_samples.truth import AuthorityTruth
from demand_samples.working_days import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    Days,
    WorkingDays,
    day_number,
    england,
    month_starts,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WARM_UP_MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """Days are day numbers; detail begins at `month_start[0]`, all entries at `begin`."""

    truth: AuthorityTruth
    paths: Paths
    calendar: WorkingDays
    month_start: Days
    """First days of the calendar months in detail, and the day after the last."""
    begin: int
    handover: int
    horizon: int


def make_setting(
    truth: AuthorityTruth,
    census_date: date,
    *,
    years_before: int,
    detail_years: int,
    months_after: int,
    rng: np.random.Generator,
) -> Setting:
    """Lay out days, calendar and drift around a census date."""
    census = day_number(census_date)
    last_month = month_starts(census_date, months_after)[-1]
    months = detail_years * 12 + months_after
    first = (np.datetime64(f"{census_date:%Y-%m}", "M") - detail_years * 12 + 1).astype(object)
    month_start = month_starts(first, months)
    begin = census - round(years_before * DAYS_PER_YEAR)
    horizon = int(month_start[-1]) - 1
    grid = Grid(
        census_day=census,
        months_before=int(np.ceil((census - begin) / DAYS_PER_MONTH)) + 1,
        months_after=int(np.ceil((last_month - census) / DAYS_PER_MONTH)) + 2,
    )
    return Setting(
        truth=truth,
        paths=draw_paths(truth, grid, rng),
        calendar=england(first.year - 1, census_date.year + months_after // 12 + 2),
        month_start=month_start,
        begin=begin,
        handover=int(month_start[WARM_UP_MONTHS]),
        horizon=horizon,
    )


def random_days(
    per_month: float,
    log_path: Floats,
    paths: Paths,
    first: int,
    last: int,
    rng: np.random.Generator,
) -> Ints:
    """Days of a Poisson process of rate per_month × exp(log_path), first ≤ day < last."""
    days = np.arange(first, last)
    rate = per_month / DAYS_PER_MONTH * np.exp(log_path[paths.grid.index(days)])
    return np.repeat(days, rng.poisson(rate))
