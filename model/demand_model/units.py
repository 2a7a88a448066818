"""The calendar, and the conversions between rates, probabilities and durations.

Two pairs that are easily confused, and how this engine keeps them apart::

    rate          events per child-month at risk, 0 … ∞     0.10 a month
    probability   share who have had the event, 0 … 1       1 − exp(−0.10 × 3) = 0.26 in 3 months

    [start, end)  every span of days includes `start` and leaves `end` out, so
                  that neighbouring spans add up without counting a day twice

Months are calendar months. Where a rate is counted per month, a month is
``DAYS_PER_MONTH`` days, whatever the calendar says.

Last, how a count and a difference are written in sentences.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from demand_model.errors import InvalidSettingError

DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12
DAYS_PER_MONTH = DAYS_PER_YEAR / MONTHS_PER_YEAR
DAYS_PER_WEEK = 7

_MONDAY, _SATURDAY, _SUNDAY = 0, 5, 6

# Days proclaimed once, and the regular holiday that each moved, if it did.
# Source: gov.uk/bank-holidays and the proclamations in the London Gazette.
_PROCLAIMED: dict[int, tuple[tuple[int, int], ...]] = {
    1999: ((12, 31),),
    2002: ((6, 3), (6, 4)),
    2011: ((4, 29),),
    2012: ((6, 4), (6, 5)),
    2020: ((5, 8),),
    2022: ((6, 2), (6, 3), (9, 19)),
    2023: ((5, 8),),
}
_MAY_DAY_MOVED = frozenset({2020})
_SPRING_MOVED = frozenset({2002, 2012, 2022})
_FIRST_YEAR = 1978  # the May Day holiday began


# --- rates and probabilities -------------------------------------------------------------------


def probability_from_rate(rate_per_month: ArrayLike, months: ArrayLike) -> NDArray[np.float64]:
    """Probability that the event happens within `months` at a constant rate.

    ``probability = 1 − exp(−rate × months)``

    Parameters
    ----------
    rate_per_month
        Events per child-month at risk, 0 or more.
    months
        Length of time at risk, 0 or more; broadcast with `rate_per_month`.

    Raises
    ------
    InvalidSettingError
        A rate or a length of time is negative.

    Examples
    --------
    >>> round(float(probability_from_rate(0.10, 3)), 3)
    0.259
    """
    rate, time = np.asarray(rate_per_month, float), np.asarray(months, float)
    _require(bool(np.all(~(rate < 0))), "rate_per_month", "0 or more")
    _require(bool(np.all(~(time < 0))), "months", "0 or more")
    return np.asarray(-np.expm1(-rate * time), float)


def rate_from_probability(probability: ArrayLike, months: ArrayLike) -> NDArray[np.float64]:
    """Constant rate per month under which the event has `probability` within `months`.

    ``rate = −log(1 − probability) / months``

    Raises
    ------
    InvalidSettingError
        A probability is outside 0 ≤ p < 1, or a length of time is not positive.

    Examples
    --------
    >>> round(float(rate_from_probability(0.259, 3)), 3)
    0.1
    """
    chance, time = np.asarray(probability, float), np.asarray(months, float)
    _require(bool(np.all(~((chance < 0) | (chance >= 1)))), "probability", "from 0 to below 1")
    _require(bool(np.all(~(time <= 0))), "months", "above 0")
    return np.asarray(-np.log1p(-chance) / time, float)


# --- counts in words ---------------------------------------------------------------------------


def counted(count: int, one: str, several: str | None = None) -> str:
    """Word a count with what is counted; `several` defaults to `one` with an s.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row"), counted(2, "child", "children")
    ('1 row', '1,200 rows', '2 children')
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def signed(value: float, decimals: int = 0) -> str:
    """Word a difference with its sign, a true minus; nought has none.

    Examples
    --------
    >>> signed(-1234.4), signed(0.2), signed(7.64, 1), signed(-0.04, 1)
    ('−1,234', '0', '+7.6', '0')
    """
    shown = round(value, decimals)
    return f"{shown:+,.{decimals}f}".replace("-", "−") if shown else "0"


# --- months ------------------------------------------------------------------------------------


def month_start(day: date) -> date:
    """First day of the month that `day` is in."""
    return day.replace(day=1)


def next_month_start(day: date) -> date:
    """First day of the month after the one that `day` is in."""
    return add_months(day.replace(day=1), 1)


def month_end(day: date) -> date:
    """Last day of the month that `day` is in.

    Examples
    --------
    >>> month_end(date(2024, 2, 10))
    datetime.date(2024, 2, 29)
    """
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """Move `day` by whole months; a day that the month lacks becomes its last.

    Examples
    --------
    >>> add_months(date(2024, 1, 31), 1)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * MONTHS_PER_YEAR + day.month - 1 + months, MONTHS_PER_YEAR)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> float:
    """Time from `start` to `end` in months of ``DAYS_PER_MONTH`` days; may be negative."""
    return (end - start).days / DAYS_PER_MONTH


def whole_months_between(start: date, end: date) -> int:
    """Calendar months from the month of `start` to the month of `end`.

    Examples
    --------
    >>> whole_months_between(date(2024, 11, 30), date(2025, 1, 1))
    2
    """
    return (end.year - start.year) * MONTHS_PER_YEAR + end.month - start.month


def months_from(day: date, months: int) -> pd.PeriodIndex:
    """`months` calendar months, the first being the one that `day` is in; shape (months,)."""
    return pd.period_range(pd.Period(day, freq="M"), periods=months, freq="M")


def birthday(born: date, age_years: int) -> date:
    """Day on which a child born on `born` reaches `age_years`.

    A child born on 29 February comes of age on 1 March in other years.

    Examples
    --------
    >>> birthday(date(2008, 2, 29), 18)
    datetime.date(2026, 3, 1)
    """
    try:
        return born.replace(year=born.year + age_years)
    except ValueError:
        return date(born.year + age_years, 3, 1)


def month_step_edges(month: date, steps: int = 4) -> NDArray[np.datetime64]:
    """Bounds of `steps` near-equal parts of a calendar month.

    Parameters
    ----------
    month
        Any day of the month.
    steps
        Number of parts, 1 to 28.

    Returns
    -------
    Days, shape (steps + 1,): part ``i`` is ``[edges[i], edges[i + 1])``; the
    first is the first of the month, the last is the first of the next month.

    Raises
    ------
    InvalidSettingError
        `steps` is not 1 to 28.
    """
    _require(1 <= steps <= 28, f"steps: {steps}", "1 to 28")
    first = month_start(month)
    length = (next_month_start(month) - first).days
    offsets = np.round(np.linspace(0, length, steps + 1)).astype("timedelta64[D]")
    return np.asarray(np.datetime64(first, "D") + offsets)


# --- working days ------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def bank_holidays(year: int) -> tuple[date, ...]:
    """Bank holidays of England that fall on, or are moved to, a weekday of `year`, in order.

    Banking and Financial Dealings Act 1971, with the days proclaimed since.
    Computed by rule: the `holidays` package gives the same days (a test holds
    the two together) but takes 0.6 s to load, a fifth of a run.

    Raises
    ------
    InvalidSettingError
        `year` is before 1978, when the present pattern began.
    """
    _require(year >= _FIRST_YEAR, f"year: {year}", f"{_FIRST_YEAR} or later")
    easter = easter_sunday(year)
    days = {easter - timedelta(days=2), easter + timedelta(days=1)}
    days |= {_first_monday(date(year, 8, 25)), *_new_year(year), *_christmas(year)}
    if year not in _MAY_DAY_MOVED:
        days.add(_first_monday(date(year, 5, 1)))
    if year not in _SPRING_MOVED:
        days.add(_first_monday(date(year, 5, 25)))
    days |= {date(year, month, day) for month, day in _PROCLAIMED.get(year, ())}
    return tuple(sorted(days))


def working_days(start: date, end: date) -> int:
    """Monday-to-Friday days in ``[start, end)``, bank holidays of England left out.

    Zero where `end` is not after `start`.

    Examples
    --------
    >>> working_days(date(2026, 12, 21), date(2027, 1, 1))
    7
    """
    return int(working_days_between(np.datetime64(start, "D"), np.datetime64(end, "D")))


def working_days_between(starts: ArrayLike, ends: ArrayLike) -> NDArray[np.int64]:
    """As `working_days`, for arrays of days; broadcast, zero where an end is not after its start.

    Parameters
    ----------
    starts, ends
        Anything that numpy reads as ``datetime64[D]``.
    """
    first, last = np.asarray(starts, "datetime64[D]"), np.asarray(ends, "datetime64[D]")
    if first.size == 0 or last.size == 0:
        return np.zeros(np.broadcast_shapes(first.shape, last.shape), np.int64)
    first_year, last_year = _year(first.min()), _year(last.max())
    closed = _closed_days(first_year, max(first_year, last_year))
    return np.maximum(np.busday_count(first, last, holidays=closed), 0)


def working_days_in_months(months: pd.PeriodIndex) -> NDArray[np.int64]:
    """Working days of England in each calendar month; shape (months,).

    Examples
    --------
    >>> working_days_in_months(months_from(date(2026, 11, 1), 3)).tolist()
    [21, 21, 20]
    """
    starts = np.asarray(months.asi8, "datetime64[M]")
    return working_days_between(starts, starts + np.timedelta64(1, "M"))


def working_day_shares(edges: ArrayLike) -> NDArray[np.float64]:
    """How a count over a whole span divides over its parts: in proportion to working days.

    Parameters
    ----------
    edges
        Days, shape (parts + 1,), as `month_step_edges` gives them.

    Returns
    -------
    Shares that add up to 1, shape (parts,); by calendar days where the span
    holds no working day.

    Raises
    ------
    InvalidSettingError
        The edges are not in increasing order.
    """
    days = np.asarray(edges, "datetime64[D]")
    lengths = np.diff(days).astype(float)
    _require(bool(days.size > 1 and np.all(lengths > 0)), "edges", "days in increasing order")
    worked = working_days_between(days[:-1], days[1:]).astype(float)
    weights = worked if worked.sum() > 0 else lengths
    return np.asarray(weights / weights.sum(), float)


@lru_cache(maxsize=64)
def _closed_days(first_year: int, last_year: int) -> NDArray[np.datetime64]:
    years: Iterable[int] = range(max(first_year, _FIRST_YEAR), last_year + 1)
    return np.array([day for year in years for day in bank_holidays(year)], "datetime64[D]")


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970


def _first_monday(day: date) -> date:
    return day + timedelta(days=(_MONDAY - day.weekday()) % DAYS_PER_WEEK)


def _new_year(year: int) -> tuple[date, ...]:
    day = date(year, 1, 1)
    return (_first_monday(day) if day.weekday() in (_SATURDAY, _SUNDAY) else day,)


def _christmas(year: int) -> tuple[date, date]:
    """Christmas and Boxing Day, each moved past the weekend and past the other."""
    first = date(year, 12, 25)
    match first.weekday():
        case 4:  # Friday: Boxing Day is a Saturday
            return first, date(year, 12, 28)
        case 5 | 6:  # both, or Christmas alone, at the weekend: given on 27 and 28, or 26 and 27
            shift = 2 if first.weekday() == _SATURDAY else 1
            return first + timedelta(days=shift), first + timedelta(days=shift + 1)
        case _:
            return first, first + timedelta(days=1)


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Western churches, by the Gregorian rule in Meeus (1991)."""
    golden, century, within = year % 19, year // 100, year % 100
    skipped_leaps, century_rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - skipped_leaps - correction + 15) % 30
    weekday = (32 + 2 * century_rest + 2 * (within // 4) - epact - within % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _require(holds: bool, what: str, must_be: str) -> None:  # noqa: FBT001
    if not holds:
        raise InvalidSettingError(f"Invalid {what}. It must be {must_be}.")
