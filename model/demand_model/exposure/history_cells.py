"""Cells of the History sheet: months, monthly counts, and the mark of an unusual month.

Each reader takes one column and says, cell by cell, what it holds or which rule
it breaks. Months are read as people write them; a date stands for its month.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.cells import ERROR_TEXTS, clean_text, is_blank_text
from demand_model.annex_a.dates import CellState, DateRole, read_dates
from demand_model.annex_a.raw import CellError, RawValue, UncalculatedFormula

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july",
         "aug august", "sep sept september", "oct october", "nov november", "dec december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NAME_YEAR = re.compile(r"([a-z]{3,9})\.?[-/ ,']*(\d{4}|\d{2})", re.IGNORECASE)
_YEAR_NAME = re.compile(r"(\d{4})[-/ ]*([a-z]{3,9})", re.IGNORECASE)
_YEAR_MONTH = re.compile(r"(\d{4})[-/. ]?(?:M)?(\d{1,2})", re.IGNORECASE)
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/. ](\d{4})")
_EPOCH_1900, _EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
_SERIALS = (20_000, 80_000)
"""Serial numbers of 1954 to 2119: what else stands in a column of months is no date."""
_YEARS = (1950, 2119)

_THOUSANDS = re.compile(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)
_MARKS = ("c", "x", "z", "k", "u", "w", "s", "low", "supp", "suppressed")
_SUPPRESSED = frozenset(
    {":", "*", "**", "~", "#", *_MARKS, *(f"[{m}]" for m in _MARKS), *(f"({m})" for m in _MARKS)}
)
_FEWER = re.compile(
    r"(?:<|≤|<=|less than|fewer than|under)\s*\d{1,2}"
    r"|\d{1,2} or (?:fewer|less)|1 ?(?:-|–|to) ?[45]",
    re.IGNORECASE,
)
_NO = frozenset({"no", "n", "false", "0"})


_ENOUGH_TO_DOUBT = 6
"""Counts from which a column shows what is usual."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthColumn:
    """Months by row.

    Attributes
    ----------
    ordinal
        Months since January 1970, shape (rows,); meaningless where not `known`.
    known
        The cell holds a month.
    unreadable
        Rows whose cell is filled and holds no month.
    """

    ordinal: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    unreadable: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountColumn:
    """Counts by row.

    Attributes
    ----------
    values
        Shape (rows,); NaN for a blank and for what could not be used.
    rules
        Row of each cell that could not be used, to its rule.
    suppressed
        Rows that hold a suppression mark: blanks on purpose.
    """

    values: npt.NDArray[np.float64]
    rules: dict[int, str]
    suppressed: tuple[int, ...]


def read_months(values: Sequence[RawValue], *, date_1904: bool = False) -> MonthColumn:
    """Read a column of months: dates, serial numbers, ``2024-01``, ``Jan 2024``, ``Jan-24``.

    Whole dates in text are read as a column, day first unless the column shows
    otherwise (see `read_dates`).
    """
    found: dict[int, int] = {}
    rest: list[RawValue] = [None] * len(values)
    for row, value in enumerate(values):
        month = _month_alone(value, date_1904=date_1904)
        if month is not None:
            found[row] = month
        else:
            rest[row] = value
    dates = read_dates(rest, DateRole.START)
    months = dates.days.astype("datetime64[M]").astype(np.int64)
    for row in np.flatnonzero(dates.state == CellState.PARSED).tolist():
        found[row] = int(months[row])
    ordinal = np.zeros(len(values), dtype=np.int64)
    known = np.zeros(len(values), dtype=bool)
    for row, month in found.items():
        ordinal[row], known[row] = month, True
    unreadable = tuple(
        row
        for row in np.flatnonzero(dates.state != CellState.BLANK).tolist()
        if dates.state[row] != CellState.PARSED
    )
    return MonthColumn(ordinal=ordinal, known=known, unreadable=unreadable)


def _month_alone(value: RawValue, *, date_1904: bool) -> int | None:
    """Month of a cell that needs no other cell to be understood."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _month_of_number(float(value), date_1904=date_1904)
    if isinstance(value, str):
        text = clean_text(value)
        if text.isdigit():
            return _month_of_number(float(text), date_1904=date_1904)
        return _month_of_text(text)
    return None


def _month_of_number(value: float, *, date_1904: bool) -> int | None:
    if not math.isfinite(value):
        return None
    if _SERIALS[0] <= value <= _SERIALS[1]:
        day = (_EPOCH_1904 if date_1904 else _EPOCH_1900) + timedelta(days=int(value))
        return _ordinal(day.year, day.month)
    if value == int(value) and _YEARS[0] * 100 < value < _YEARS[1] * 100:
        return _ordinal(int(value) // 100, int(value) % 100)
    return None


def _month_of_text(text: str) -> int | None:
    if match := _NAME_YEAR.fullmatch(text):
        return _ordinal(_full_year(match[2]), _MONTHS.get(match[1].casefold(), 0))
    if match := _YEAR_NAME.fullmatch(text):
        return _ordinal(int(match[1]), _MONTHS.get(match[2].casefold(), 0))
    if match := _YEAR_MONTH.fullmatch(text):
        return _ordinal(int(match[1]), int(match[2]))
    if match := _MONTH_YEAR.fullmatch(text):
        return _ordinal(int(match[2]), int(match[1]))
    return None


def _full_year(year: str) -> int:
    number = int(year)
    if len(year) == 4:
        return number
    return 2000 + number if number < 70 else 1900 + number


def _ordinal(year: int, month: int) -> int | None:
    if not (_YEARS[0] <= year <= _YEARS[1] and 1 <= month <= 12):
        return None
    return (year - 1970) * 12 + month - 1


def read_counts(values: Sequence[RawValue]) -> CountColumn:
    """Read a column of monthly counts.

    A cell that cannot be used carries ``count-unreadable``, ``count-negative``,
    ``error-value`` or ``count-unlikely`` (see `_unlikely`).
    """
    out = np.full(len(values), np.nan)
    rules: dict[int, str] = {}
    suppressed: list[int] = []
    for row, value in enumerate(values):
        read = _count(value)
        if isinstance(read, float):
            out[row] = read
        elif read == "suppressed":
            suppressed.append(row)
        elif read is not None:
            rules[row] = read
    for row in np.flatnonzero(_unlikely(out)).tolist():
        out[row], rules[row] = np.nan, "count-unlikely"
    return CountColumn(values=out, rules=rules, suppressed=tuple(suppressed))


def _unlikely(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Counts so far above their column that a finger slipped: 1,234 where 12 is usual.

    More than four times the upper quartile and 20 children more; a quarter of the
    column may be of another size without being doubted.
    """
    known = ~np.isnan(values)
    if known.sum() < _ENOUGH_TO_DOUBT:
        return np.zeros(len(values), dtype=bool)
    most = 4.0 * float(np.quantile(values[known], 0.75)) + 20.0
    return np.asarray(known & (np.nan_to_num(values) > most))


def _count(value: RawValue) -> float | str | None:
    """A count; the rule that rejects the cell; ``"suppressed"``; or ``None`` for a blank."""
    if value is None:
        return None
    if isinstance(value, CellError | UncalculatedFormula):
        return "error-value"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _judged(float(value))
    return _count_text(clean_text(value)) if isinstance(value, str) else "count-unreadable"


def _count_text(text: str) -> float | str | None:
    if not text:
        return None
    if text in ERROR_TEXTS:
        return "error-value"
    if text.casefold() in _SUPPRESSED or is_blank_text(text) or _FEWER.fullmatch(text):
        return "suppressed"
    if _THOUSANDS.fullmatch(text):
        return _judged(float(re.sub("[, ]", "", text)))
    return _judged(float(text)) if _NUMBER.fullmatch(text) else "count-unreadable"


def _judged(value: float) -> float | str:
    if not math.isfinite(value):
        return "count-unreadable"
    return value if value >= 0.0 else "count-negative"


def read_marks(values: Sequence[RawValue]) -> npt.NDArray[np.bool_]:
    """Which months are marked as unusual: any word but a blank or a no, so a reason counts."""
    return np.array([_marked(value) for value in values], dtype=bool)


def _marked(value: RawValue) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value != 0
    if not isinstance(value, str):
        return False
    text = clean_text(value).casefold()
    return not is_blank_text(text) and text not in _NO
