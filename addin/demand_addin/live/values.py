"""Cell values as Excel gives and takes them over COM.

Excel gives every number as a float, a date cell as a date with a time zone that
means nothing, an error value as an integer, money as a `Decimal` of four places
(never used: see `needs_plain_numbers`), and a blank as ``None``. It takes text as
if it were typed: what looks like a formula, a number or a date becomes one,
unless the cell's format is text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum

from demand_addin.closed.cells import CellWriter
from demand_addin.ports import CellValue
from demand_model.annex_a.raw import CellError, RawValue

ComValue = None | str | float | int | bool | datetime

_ERROR_BASE = -2146828288
_ERROR_CODES = {
    2000: "#NULL!",
    2007: "#DIV/0!",
    2015: "#VALUE!",
    2023: "#REF!",
    2029: "#NAME?",
    2036: "#NUM!",
    2042: "#N/A",
    2043: "#GETTING_DATA",
    2045: "#SPILL!",
    2046: "#CONNECT!",
    2047: "#BLOCKED!",
    2048: "#UNKNOWN!",
    2049: "#FIELD!",
    2050: "#CALC!",
}
_EXACT = 1e15
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_TEXT = 32_767
_FIRST_TRUE_DAY = datetime(1900, 2, 28)  # noqa: DTZ001
_FIRST_DAY = datetime(1899, 12, 31)  # noqa: DTZ001
_DATE_WORD = re.compile(
    "(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*|(mon|tue|wed|thu|fri|sat|sun)[a-z]*"
    "|am|pm|[ape]|true|false",
    re.IGNORECASE,
)


class Look(Enum):
    """The number format that a value needs to stay what it is."""

    TEXT = "@"
    PLAIN = "General"
    DAY = "dd/mm/yyyy"
    MOMENT = "dd/mm/yyyy hh:mm"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, as an old block's cell that must come back."""

    text: str


OldValue = RawValue | Formula


def from_excel(value: object) -> RawValue:
    """Return a cell's value as the closed-file reader would have it."""
    match value:
        case None | "":
            return None
        case bool() | str():
            return value
        case datetime():
            return _moment(value)
        case int():
            code = value - _ERROR_BASE
            return CellError(_ERROR_CODES[code]) if code in _ERROR_CODES else value
        case float():
            return int(value) if value.is_integer() and abs(value) < _EXACT else value
        case _:
            return str(value)


def error_number(code: str) -> int:
    """Return the integer that Excel gives for an error value.

    >>> error_number("#N/A")
    -2146826246
    """
    return next(n for n, text in _ERROR_CODES.items() if text == code) + _ERROR_BASE


def needs_plain_numbers(values: Iterable[Iterable[object]]) -> bool:
    """Whether money was rounded to four places, so that the plain numbers must be asked for."""
    return any(isinstance(value, Decimal) for row in values for value in row)


def settled(value: CellValue, *, date_1904: bool = False) -> RawValue:
    """Return what a workbook gives back for a value that was written into it.

    A day before Excel's calendar begins becomes text.

    Raises
    ------
    ValueError
        A number that is not finite: it must be written as ``None`` or `CellError`.
    """
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, date):
        if CellWriter(date_1904=date_1904).serial(value) is None:
            return value.isoformat()
        if isinstance(value, datetime):
            return _rounded(value)
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not math.isfinite(value):
        raise ValueError("a number that is not finite must be written as None or CellError")
    return from_excel(float(value))


def to_excel(value: RawValue, *, date_1904: bool) -> ComValue:
    """Return what to hand to Excel for a settled value; a blank is an empty text."""
    match value:
        case None:
            return ""
        case CellError():
            return value.code
        case datetime():
            serial = CellWriter(date_1904=date_1904).serial(value)
            return value.isoformat() if serial is None else float(serial)
        case time():
            return (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
        case bool() | str():
            return value
        case int() | float():
            return float(value)
        case _:
            return ""


def clean_text(text: str) -> str:
    """Return text as a cell can hold it."""
    text = _ILLEGAL.sub("", text)
    return text[:_LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")


def could_be_taken_for_more(text: str) -> bool:
    """Whether Excel may read a typed text as a formula, number, date or yes/no.

    >>> could_be_taken_for_more("=1+1"), could_be_taken_for_more("0012")
    (True, True)
    >>> could_be_taken_for_more("List 7"), could_be_taken_for_more("Mar 2026")
    (False, True)
    """
    if not text[:1].isalpha():
        return True
    return all(_DATE_WORD.fullmatch(word) for word in _WORD.findall(text))


def look_of(value: RawValue) -> Look:
    """Return the format in which a value stays what it is."""
    match value:
        case str():
            return Look.TEXT
        case datetime():
            return Look.MOMENT if value.time() != time() else Look.DAY
        case _:
            return Look.PLAIN


def same(found: OldValue, meant: OldValue) -> bool:
    """Whether a cell holds what was meant for it."""
    if isinstance(found, bool) != isinstance(meant, bool):
        return False
    return found == meant


def _moment(value: datetime) -> RawValue:
    """Undo what dates of COM know nothing of: days below 1, and the 29 February 1900."""
    moment = _rounded(value)
    if moment < _FIRST_DAY:
        return moment.time()
    return moment + timedelta(days=1) if moment < _FIRST_TRUE_DAY else moment


def _rounded(value: datetime) -> datetime:
    """Drop the time zone, which means nothing, and round to milliseconds."""
    moment = value.replace(tzinfo=None) + timedelta(microseconds=500)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    # pywin32's own class must not travel further.
    return datetime.combine(moment.date(), moment.time())
