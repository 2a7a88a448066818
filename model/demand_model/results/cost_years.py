"""The months of a forecast as money sees them: days, prices and financial years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.units import DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

_APRIL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CostChoices:
    """How costs are reckoned.

    Attributes
    ----------
    inflation_a_year
        Growth of unit costs; 0.03 is 3% a year.
    prices_of
        Day whose prices the unit costs are; ``None``: the census date.
    unit_cost_sd
        How far the true unit cost of a group may be from the one typed: standard
        deviation of its logarithm, one error a group, the same in all months and
        scenarios. 0.1 is about 10%; 0 takes unit costs as known.
    seed
        Of those errors.

    Raises
    ------
    InvalidSettingError
        A value outside its range.
    """

    inflation_a_year: float = 0.0
    prices_of: date | None = None
    unit_cost_sd: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("inflation a year", self.inflation_a_year, -0.5, 1.0),
            ("unit cost uncertainty", self.unit_cost_sd, 0.0, 1.0),
        ):
            if not least <= value <= most:
                raise InvalidSettingError(
                    f"Invalid {what}: {value}. It must be from {least:g} to {most:g}."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinancialYear:
    """The months of a financial year that a forecast holds.

    Attributes
    ----------
    name
        For example "2026-27".
    first_day, last_day
        Of the part that is forecast.
    is_whole
        Nothing of the year is missing.
    """

    name: str
    first_day: date
    last_day: date
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """Lengths and prices of the months of a forecast.

    Attributes
    ----------
    days
        Days of each month that are forecast; shape (months,).
    price
        Price level against the date of the prices; shape (months,).
    years_of_prices
        From the date of the prices to the middle of each month; shape (months,).
    year
        Number of the financial year in `years`; shape (months,).
    """

    days: FloatArray
    price: FloatArray
    years_of_prices: FloatArray
    year: npt.NDArray[np.intp]
    years: tuple[FinancialYear, ...]


def calendar_of(months: pd.PeriodIndex, census_date: date, choices: CostChoices) -> Calendar:
    """Work out days, prices and financial years of the forecast's months."""
    starts = [month.to_timestamp().date() for month in months]
    begins = [max(start, census_date) for start in starts]
    ends = [(month + 1).to_timestamp().date() for month in months]
    days = days_to_come(months, census_date)
    base = (choices.prices_of or census_date).toordinal()
    middle = np.array(
        [(b.toordinal() + e.toordinal()) / 2.0 for b, e in zip(begins, ends, strict=True)]
    )
    years_of_prices = (middle - base) / DAYS_PER_YEAR
    price = (1.0 + choices.inflation_a_year) ** years_of_prices
    first_years = np.array([s.year - (s.month < _APRIL) for s in starts])
    numbers = first_years - first_years[0]
    years = tuple(
        _financial_year(
            int(y), [m for m, own in zip(months, first_years, strict=True) if own == y], census_date
        )
        for y in dict.fromkeys(first_years.tolist())
    )
    return Calendar(
        days=days,
        price=price,
        years_of_prices=years_of_prices,
        year=numbers.astype(np.intp),
        years=years,
    )


def days_to_come(months: pd.PeriodIndex, census_date: date) -> FloatArray:
    """Days of each month after the census date; shape (months,).

    The census date's own children are counted at its end: the next day is the first.
    """
    starts = np.asarray(months.asi8, dtype="datetime64[M]")
    opens = np.maximum(starts.astype("datetime64[D]"), np.datetime64(census_date, "D") + 1)
    ends = (starts + 1).astype("datetime64[D]")
    return np.asarray((ends - opens) / np.timedelta64(1, "D"), dtype=float)


def _financial_year(first: int, months: Sequence[pd.Period], census_date: date) -> FinancialYear:
    opens = months[0].to_timestamp().date()
    after_census = date.fromordinal(census_date.toordinal() + 1)
    begins = max(opens, after_census)
    last = date.fromordinal((months[-1] + 1).to_timestamp().date().toordinal() - 1)
    whole = begins == date(first, _APRIL, 1) and last == date(first + 1, _APRIL - 1, 31)
    name = f"{first}-{(first + 1) % 100:02d}"
    return FinancialYear(name=name, first_day=begins, last_day=last, is_whole=whole)
