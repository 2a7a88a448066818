"""The steps of a simulation: near-equal parts of calendar months after the census date."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

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


_FEW_STEPS = 8
"""Up to so many steps, a month is summed step by step: in the order of numpy's own `reduceat`."""


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: what is worked out is kept
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

    @cached_property
    def step_months(self) -> FloatArray:
        """Length of each step in months; shape (steps,)."""
        return _fixed(np.diff(self.edges) / DAYS_PER_MONTH)

    @cached_property
    def middle_months(self) -> FloatArray:
        """Middle of each step in months since time 0; shape (steps,)."""
        return _fixed((self.edges[:-1] + self.edges[1:]) / 2.0 / DAYS_PER_MONTH)

    @property
    def month_ends(self) -> npt.NDArray[np.datetime64]:
        """Last day of each month; shape (months,)."""
        starts = np.asarray(self.months.asi8, dtype="datetime64[M]")
        return np.asarray((starts + 1).astype("datetime64[D]") - 1)

    @cached_property
    def edges_months(self) -> FloatArray:
        """Bounds of the steps in months since time 0; shape (steps + 1,)."""
        return _fixed(self.edges / DAYS_PER_MONTH)

    @cached_property
    def _blocks(self) -> tuple[range, ...]:
        first = np.flatnonzero(np.diff(self.month, prepend=-1))
        bounds = [*(int(f) for f in first), self.steps]
        return tuple(range(a, b) for a, b in itertools.pairwise(bounds))

    def blocks(self) -> list[range]:
        """The steps of each month, in order."""
        return list(self._blocks)

    def month_sums(self, by_step: FloatArray) -> FloatArray:
        """Sums over the steps of each month; shape (months, ...).

        The order of summation is always the same, so that equal steps give equal sums
        to the last bit: ``first + ((second + third) + fourth)``.

        Parameters
        ----------
        by_step
            Shape (steps, ...).
        """
        out = np.empty((len(self._blocks), *by_step.shape[1:]))
        first = 0
        for steps, months in itertools.groupby(self._blocks, key=len):
            alike = list(months)
            part = by_step[alike[0].start : alike[-1].stop]
            part = part.reshape(len(alike), steps, *by_step.shape[1:])
            out[first : first + len(alike)] = sum_steps(part)
            first += len(alike)
        return out

    def days_since(self, day: date) -> float:
        """Days from time 0 to the start of `day`."""
        return float((day - self.census_date).days - 1)


def _fixed(values: FloatArray) -> FloatArray:
    """Guard what all users of a timeline share against changes."""
    values.flags.writeable = False
    return values


def sum_steps(by_month: FloatArray) -> FloatArray:
    """Sums over the second axis, in the order of `Timeline.month_sums`; shape (months, ...)."""
    steps = by_month.shape[1]
    if steps == 1:
        return by_month[:, 0]
    if steps > _FEW_STEPS:
        return np.asarray(np.add.reduceat(by_month, [0], axis=1)[:, 0])
    rest = by_month[:, 1]  # so few are added up five times as quickly as `reduceat` does
    for step in range(2, steps):
        rest = rest + by_month[:, step]
    return np.asarray(by_month[:, 0] + rest)


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
