"""Dates, read a column at a time.

Real dates are taken as they are, by day. The order of day and month in text is
decided once for the column, never cell by cell: a cell-wise reader silently
mixes 3 April with 4 March. Nothing here knows today's date.

Rejected cells carry a rule:

- ``date-unreadable``: no date can be made out (also 31/02/2023 and ``00:00.0``)
- ``date-incomplete``: only a year, or a month and year
- ``date-placeholder``: 1900 and the like stand for "no date"
- ``date-out-of-range``: before 1902 or after 2100
- ``date-as-number``: an Excel serial number in a column of dates
- ``error-value``: an Excel error such as ``#N/A``
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum, IntEnum

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.cells import ERROR_TEXTS, clean_text, is_blank_text
from demand_model.annex_a.raw import CellError, RawValue, UncalculatedFormula


class DateRole(Enum):
    """What a column of dates tells, which decides how placeholders are read."""

    BIRTH = "birth"
    START = "start"
    END = "end"


class CellState(IntEnum):
    """What became of a cell."""

    BLANK = 0
    PARSED = 1
    REJECTED = 2
    OPEN = 3
    """An end date far in the future: the period is still open."""


class DateProblem(Enum):
    """What is wrong with a column as a whole."""

    CONTRADICTORY = "date-order-contradictory"
    """Text dates of both orders: nobody can tell which is which."""
    SWAPPED = "date-swapped-by-excel"
    """Excel in a US locale read the text dates that it could, as month/day."""
    AMBIGUOUS = "date-order-ambiguous"
    """No text date has a day above 12; read as day/month."""
    MONTH_FIRST = "date-month-first"
    """Text dates are month/day, and were read so."""
    MIXED = "date-mixed-types"
    """Real dates and text dates in one column."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DateColumn:
    """A column of dates once read. filled = parsed + rejected, blanks aside.

    Attributes
    ----------
    days
        datetime64[D], shape (rows,); NaT unless parsed.
    state
        `CellState` of each cell, int8, shape (rows,).
    rules
        Row index of each rejected cell to its rule.
    problems
        Problems of the column, each with the rows that show it.
    cleaned
        How a value was read as meant (rule to row indices): text dates, two-digit
        years, serial numbers, open ends, words for a blank.
    """

    days: npt.NDArray[np.datetime64]
    state: npt.NDArray[np.int8]
    rules: dict[int, str] = field(default_factory=dict)
    problems: dict[DateProblem, tuple[int, ...]] = field(default_factory=dict)
    cleaned: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def filled(self) -> int:
        """Cells that hold something."""
        return int((self.state != CellState.BLANK).sum())

    @property
    def rejected(self) -> int:
        """Cells that hold something that is no date."""
        return int((self.state == CellState.REJECTED).sum())


@dataclass(frozen=True, slots=True)
class _Numeric:
    """A text date of three numbers whose order the column decides."""

    first: int
    second: int
    year: int
    short_year: bool


_Parsed = date | _Numeric | int | str
"""A date; three numbers; a serial number; or the rule that rejects the cell."""

_MONTHS = {
    name: i + 1
    for i, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june",
         "jul july", "aug august", "sep sept september", "oct october", "nov november",
         "dec december")
    )
    for name in names.split()
}  # fmt: skip
_TIME = (
    r"(?:[ T,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?"
    r" ?(?:AM|PM|Z|GMT|BST|UTC|[+-]\d{2}:?\d{2})?)?"
)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME, re.IGNORECASE)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})" + _TIME, re.IGNORECASE)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_DAY_MONTH = re.compile(
    _WEEKDAY + r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]{3,9})\.?,?[-/. ]*(\d{4}|\d{2})" + _TIME,
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    _WEEKDAY + r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})" + _TIME, re.IGNORECASE
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_INCOMPLETE = re.compile(r"(?:\d{4}|[a-z]{3,9}[-/. ]*(?:\d{4}|\d{2})|\d{1,2}[-/.]\d{4})", re.I)

_EPOCH_1900 = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)
_OPEN_YEARS = frozenset({2099, 2100, 2199, 2299, 2999, 3000, 9998, 9999})
_EARLIEST_YEAR, _LATEST_YEAR = 1902, 2098
_LAST_SERIAL = 2_958_465
_SWAP_CHANCE = 0.06
"""A pattern of a swap less likely than this by chance stops the check."""


def read_dates(
    values: Sequence[RawValue], role: DateRole, *, date_1904: bool = False
) -> DateColumn:
    """Read a column of dates.

    Parameters
    ----------
    values
        Raw cells of the column, one a row.
    role
        Birth, start or end: an end far in the future means "still open".
    date_1904
        Serial numbers count from 1904.
    """
    parsed: dict[int, _Parsed] = {}
    cleaned: dict[str, list[int]] = {}
    reals: set[int] = set()
    days = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[D]")
    state = np.zeros(len(values), dtype=np.int8)
    for i, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, datetime):
            parsed[i] = value.date()
            reals.add(i)
        else:
            found = _parse(value)
            if found is None:
                if isinstance(value, str) and clean_text(value):
                    cleaned.setdefault("blank-word", []).append(i)
                continue
            parsed[i] = found
            if isinstance(value, date):
                reals.add(i)
    order_problems, month_first = _order(parsed, reals)
    settled, notes = _settle(parsed, reals, month_first=month_first, date_1904=date_1904, role=role)
    for rule, rows in notes.items():
        cleaned.setdefault(rule, []).extend(rows)
    rules: dict[int, str] = {}
    for i, outcome in settled.items():
        outcome = _judged(outcome, role) if isinstance(outcome, date) else outcome
        if isinstance(outcome, date):
            days[i], state[i] = np.datetime64(outcome, "D"), CellState.PARSED
        elif outcome == "open":
            state[i] = CellState.OPEN
            cleaned.setdefault("end-open-placeholder", []).append(i)
        else:
            state[i], rules[i] = CellState.REJECTED, outcome
    return DateColumn(
        days=days,
        state=state,
        rules=rules,
        problems=order_problems,
        cleaned={rule: tuple(sorted(rows)) for rule, rows in cleaned.items()},
    )


def _parse(value: RawValue) -> _Parsed | None:
    """Take what one cell says by itself; ``None`` for a blank."""
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, bool):
        return "date-unreadable"
    if isinstance(value, int | float):
        return _parse_number(value)
    if isinstance(value, date):
        return value
    if isinstance(value, time):
        # Excel shows serial 0 as a time at midnight, "00/01/1900".
        return "date-placeholder" if value == time() else "date-unreadable"
    if isinstance(value, CellError | UncalculatedFormula):
        return "error-value"
    return None


def _parse_number(value: float) -> _Parsed:
    if not math.isfinite(value) or value < 0:
        return "date-unreadable"
    whole = int(value)
    if value == whole and 19_000_101 <= whole <= 21_001_231:
        return _calendar(whole // 10_000, whole // 100 % 100, whole % 100)
    return whole if whole <= _LAST_SERIAL + 1 else "date-unreadable"


def _parse_text(value: str) -> _Parsed | None:
    text = clean_text(value)
    if is_blank_text(text):
        return None
    if text in ERROR_TEXTS:
        return "error-value"
    if match := _NUMERIC.fullmatch(text):
        first, second, year = match.groups()
        return _Numeric(int(first), int(second), int(year), len(year) == 2)
    if (match := _ISO.fullmatch(text)) or (match := _COMPACT.fullmatch(text)):
        return _calendar(int(match[1]), int(match[2]), int(match[3]))
    if match := _DAY_MONTH.fullmatch(text):
        return _named_month(match[1], match[2], match[3])
    if match := _MONTH_DAY.fullmatch(text):
        return _named_month(match[2], match[1], match[3])
    if _SERIAL.fullmatch(text):
        return int(float(text))
    return "date-incomplete" if _INCOMPLETE.fullmatch(text) else "date-unreadable"


def _named_month(day: str, month: str, year: str) -> _Parsed:
    number = _MONTHS.get(month.casefold())
    if number is None:
        return "date-unreadable"
    if len(year) == 2:
        # A day above 12 keeps the column's order out of it; the month is known.
        return _Numeric(int(day), -number, int(year), short_year=True)
    return _calendar(int(year), number, int(day))


def _calendar(year: int, month: int, day: int) -> date | str:
    if year in (1899, 1900) and (day == 0 or month == 0):
        return "date-placeholder"
    try:
        return date(year, month, day)
    except ValueError:
        return "date-unreadable"


def _order(
    parsed: dict[int, _Parsed], reals: set[int]
) -> tuple[dict[DateProblem, tuple[int, ...]], bool]:
    """Problems of the column's order, and whether its text is month first."""
    numeric = [
        (i, p)
        for i, p in parsed.items()
        if isinstance(p, _Numeric) and p.second > 0 and (p.short_year or _is_plausible(p.year))
    ]
    day_first = tuple(i for i, p in numeric if 12 < p.first <= 31 and p.second <= 12)
    month_first = tuple(i for i, p in numeric if 12 < p.second <= 31 and p.first <= 12)
    if day_first and month_first:
        fewer = min(day_first, month_first, key=len)
        return {DateProblem.CONTRADICTORY: fewer}, False
    unclear = tuple(i for i, p in numeric if 0 < p.first <= 12 and p.second <= 12)
    clear = day_first or month_first
    if clear and not unclear and _looks_swapped(parsed, reals, len(clear)):
        return {DateProblem.SWAPPED: clear}, bool(month_first)
    if month_first:
        return {DateProblem.MONTH_FIRST: month_first}, True
    problems: dict[DateProblem, tuple[int, ...]] = {}
    if unclear and not day_first:
        problems[DateProblem.AMBIGUOUS] = unclear
    elif reals and numeric:
        problems[DateProblem.MIXED] = tuple(i for i, _ in numeric)
    return problems, False


def _is_plausible(year: int) -> bool:
    return _EARLIEST_YEAR <= year <= _LATEST_YEAR


def _looks_swapped(parsed: dict[int, _Parsed], reals: set[int], texts: int) -> bool:
    """Real dates all have a day up to 12 while no text date has: Excel took those it could.

    Were there no swap, a date has a day up to 12 with a chance of 144/365.
    """
    real_dates = [p for i in reals if isinstance(p := parsed[i], date) and _is_plausible(p.year)]
    if not real_dates or any(d.day > 12 for d in real_dates):
        return False
    low = 144 / 365
    return bool(low ** len(real_dates) * (1 - low) ** texts < _SWAP_CHANCE)


def _settle(
    parsed: dict[int, _Parsed],
    reals: set[int],
    *,
    month_first: bool,
    date_1904: bool,
    role: DateRole,
) -> tuple[dict[int, date | str], dict[str, list[int]]]:
    """Turn three-number dates and serial numbers into dates, now that the column is known."""
    notes: dict[str, list[int]] = {}
    all_serial = all(isinstance(p, int | str) for p in parsed.values())
    epoch = _EPOCH_1904 if date_1904 else _EPOCH_1900
    century = _century(parsed.values(), role)
    settled: dict[int, date | str] = {}
    for i, found in parsed.items():
        if isinstance(found, _Numeric):
            settled[i] = _ordered(found, month_first=month_first, century=century)
            rule = "date-two-digit-year" if found.short_year else "date-as-text"
        elif isinstance(found, int):
            settled[i] = _from_serial(found, epoch, all_serial=all_serial)
            rule = "date-serial-number"
        else:
            settled[i] = found
            rule = "date-as-text"
        if i not in reals and isinstance(settled[i], date):
            notes.setdefault(rule, []).append(i)
    return settled, notes


def _from_serial(serial: int, epoch: date, *, all_serial: bool) -> date | str:
    if serial <= 1:
        return "date-placeholder"
    if serial > _LAST_SERIAL:
        # The day after Excel's last: no reader makes a date of it, even in a date cell.
        return date(9999, 12, 31)
    if not all_serial:
        return "date-as-number"
    return epoch + timedelta(days=serial)


def _ordered(found: _Numeric, *, month_first: bool, century: Callable[[int], int]) -> date | str:
    year = century(found.year) if found.short_year else found.year
    if found.second < 0:
        return _calendar(year, -found.second, found.first)
    day, month = (found.second, found.first) if month_first else (found.first, found.second)
    return _calendar(year, month, day)


def _century(parsed: Iterable[_Parsed], role: DateRole) -> Callable[[int], int]:
    """How two-digit years are read: in this century unless that is after the column's latest.

    Without a four-digit year in the column the pivot is 69, as in POSIX; a
    birth is then at most in 2049, since nobody's is expected later.
    """
    years = Counter(
        p.year
        for p in parsed
        if isinstance(p, date) or (isinstance(p, _Numeric) and not p.short_year)
    )
    known = [year for year in years if _is_plausible(year)]
    default = 2049 if role is DateRole.BIRTH else 2068
    latest = max(known) + 1 if known else default

    def full(short: int) -> int:
        return 2000 + short if 2000 + short <= latest else 1900 + short

    return full


def _judged(day: date, role: DateRole) -> date | str:
    """Return the date, or the rule that rejects it; ``"open"`` for an end that stands for none."""
    if day.year < _EARLIEST_YEAR:
        placeholder = day.year in (1899, 1900, 1901) or day == date(1, 1, 1)
        return "date-placeholder" if placeholder else "date-out-of-range"
    if day.year > _LATEST_YEAR:
        edge = (day.day, day.month) in ((31, 12), (1, 1), (30, 12))
        if not (edge and day.year in _OPEN_YEARS):
            return "date-out-of-range"
        return "open" if role is DateRole.END else "date-placeholder"
    return day
