"""England's calendar in day numbers (days since 1970-01-01)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

DAYS_PER_MONTH = 30.4375
DAYS_PER_YEAR = 365.25

Days = NDArray[np.int64]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - 719163


def month_starts(first: date, months: int) -> Days:
    """First days of `months` calendar months from that of `first`, and of the month after."""
    start = np.datetime64(f"{first:%Y-%m}", "M")
    return (start + np.arange(months + 1)).astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class WorkingDays:
    """Working days of England over a span of years.

    Attributes
    ----------
    days
        Day numbers, ascending.
    """

    days: Days

    def count(self, month_start: Days) -> Days:
        """Working days between consecutive month starts, shape (months,)."""
        return np.diff(np.searchsorted(self.days, month_start)).astype(np.int64)

    def within(self, month_start: Days, month: Days, uniform: NDArray[np.float64]) -> Days:
        """Find the working day at fraction `uniform` of each `month`, an index of month starts."""
        first = np.searchsorted(self.days, month_start)
        length = np.diff(first)
        return self.days[first[month] + np.floor(uniform * length[month]).astype(np.int64)]

    def on_or_after(self, day: Days) -> Days:
        """Find the first working day on or after each day."""
        return self.days[np.searchsorted(self.days, day)]


@lru_cache(maxsize=8)
def england(first_year: int, last_year: int) -> WorkingDays:
    """Working days from 1 January of `first_year` to 31 December of `last_year`."""
    bank = holidays.country_holidays("GB", subdiv="ENG", years=range(first_year, last_year + 1))
    closed = np.array(sorted(bank), dtype="datetime64[D]")
    every = np.arange(f"{first_year}-01-01", f"{last_year + 1}-01-01", dtype="datetime64[D]")
    return WorkingDays(every[np.is_busday(every, holidays=closed)].astype(np.int64))
