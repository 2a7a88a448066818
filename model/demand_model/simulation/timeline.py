"""The steps of a simulation: near-equal parts of calendar months after the census date."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.units import (
    DAYS_PER_MONTH,
    add_months,
    month_end,
    next_month_start,
    working_days,
    working_days_between,
)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Steps and months from the census date to the horizon.

    Attributes
    ----------
    census_date
        Time 0 is the end of this day.
    edges
        Bounds of the steps in days since time 0; shape (steps + 1,).
    month
        Number of the month that each step is in; shape (steps,).
    months
        The calendar months; the first may be unfinished at the census date.
    working_share
        Share of its whole calendar month's working days that each step holds;
        an unfinished month's steps add up to what is left of it.
    """

    census_date: date
    edges: FloatArray
    month: npt.NDArray[np.intp]
    months: pd.PeriodIndex
    working_share: FloatArray

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.month)

    @property
    def step_months(self) -> FloatArray:
        """Length of each step in months; shape (steps,)."""
        return np.diff(self.edges) / DAYS_PER_MONTH

    @property
    def middle_months(self) -> FloatArray:
        """Middle of each step in months since time 0; shape (steps,)."""
        return (self.edges[:-1] + self.edges[1:]) / 2.0 / DAYS_PER_MONTH

    @property
    def month_ends(self) -> npt.NDArray[np.datetime64]:
        """Last day of each month; shape (months,)."""
        starts = np.asarray(self.months.asi8, dtype="datetime64[M]")
        return np.asarray((starts + 1).astype("datetime64[D]") - 1)

    @property
    def edges_months(self) -> FloatArray:
        """Bounds of the steps in months since time 0; shape (steps + 1,)."""
        return self.edges / DAYS_PER_MONTH

    def blocks(self) -> list[range]:
        """The steps of each month, in order."""
        first = np.flatnonzero(np.diff(self.month, prepend=-1))
        bounds = [*(int(f) for f in first), self.steps]
        return [range(a, b) for a, b in itertools.pairwise(bounds)]

    def days_since(self, day: date) -> float:
        """Days from time 0 to the start of `day`."""
        return float((day - self.census_date).days - 1)


def timeline(census_date: date, horizon_months: int, steps_per_month: int = 4) -> Timeline:
    """Lay out the steps: `horizon_months` whole months, after the rest of an unfinished one.

    Raises
    ------
    InvalidSettingError
        The horizon is not 1 to 240 months, or the steps not 1 to 28 a month.
    """
    if not 1 <= horizon_months <= 240:
        raise InvalidSettingError(
            f"Invalid horizon: {horizon_months} months. It must be from 1 to 240."
        )
    if not 1 <= steps_per_month <= 28:
        raise InvalidSettingError(
            f"Invalid steps a month: {steps_per_month}. They must be from 1 to 28."
        )
    unfinished = month_end(census_date) != census_date
    first = census_date.replace(day=1) if unfinished else next_month_start(census_date)
    count = horizon_months + int(unfinished)
    bounds, month = [0.0], []
    for number in range(count):
        opens = add_months(first, number)
        begin = max(opens, census_date + timedelta(days=1))
        close = next_month_start(opens)
        length = (close - begin).days
        parts = max(1, round(steps_per_month * length / (close - opens).days))
        bounds += [bounds[-1] + length * (i + 1) / parts for i in range(parts)]
        month += [number] * parts
    edges = np.asarray(bounds)
    months = pd.period_range(pd.Period(first, freq="M"), periods=count, freq="M")
    return Timeline(
        census_date=census_date,
        edges=edges,
        month=np.asarray(month, dtype=np.intp),
        months=months,
        working_share=_working_share(census_date, edges, np.asarray(month), first),
    )


def _working_share(
    census_date: date, edges: FloatArray, month: npt.NDArray[np.intp], first: date
) -> FloatArray:
    """Working days of each step over those of its calendar month.

    Steps need not fall on whole days, so working days are interpolated.
    """
    origin = np.datetime64(census_date, "D") + 1
    whole = np.arange(int(np.ceil(edges[-1])) + 1)
    so_far = working_days_between(np.full(len(whole), origin), origin + whole).astype(float)
    in_step = np.diff(np.interp(edges, whole, so_far))
    starts = [add_months(first, int(m)) for m in range(int(month.max()) + 1)]
    in_month = np.array([working_days(s, next_month_start(s)) for s in starts], dtype=float)
    return np.asarray(in_step / in_month[month])
