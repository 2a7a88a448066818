"""Small conversions from data frames to cells, and from numbers to words."""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterable, Sequence
from datetime import date

import pandas as pd

from demand_addin.ports import CellValue

_DECIMALS = 3
"""Counts: a thousandth of a child is beyond any use, and keeps the workbook small."""


def cells(values: Iterable[object], *, decimals: int = _DECIMALS) -> list[CellValue]:
    """Return one column's cells: numbers rounded, whole numbers whole, missing blank."""
    return [_cell(value, decimals) for value in values]


def _cell(value: object, decimals: int) -> CellValue:
    # The usual kinds first, by their exact type: a run plans a hundred thousand cells.
    if type(value) is float:
        return _rounded(value, decimals)
    if type(value) is str or type(value) is int:
        return value
    if isinstance(value, pd.Timestamp):
        return None if pd.isna(value) else value.date()
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return _rounded(value, decimals)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (int, date)):
        return value
    return str(value)


def _rounded(value: float, decimals: int) -> CellValue:
    if not math.isfinite(value):
        return None
    rounded = round(value, decimals)
    return int(rounded) if rounded.is_integer() else rounded


def frame_rows(
    frame: pd.DataFrame, columns: Sequence[str], *, decimals: int = _DECIMALS
) -> tuple[tuple[CellValue, ...], ...]:
    """Return the frame's rows in the order of `columns`, ready to be written."""
    by_column = []
    for name in columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            days = {stamp: _cell(stamp, decimals) for stamp in column.unique()}
            by_column.append([days[stamp] for stamp in column])
        else:
            by_column.append(cells(column.tolist(), decimals=decimals))
    return tuple(zip(*by_column, strict=True)) if len(frame) else ()


def month_end(day: date, months: int = 0) -> date:
    """Return the last day of the month that is `months` after the month of `day`.

    >>> month_end(date(2026, 3, 12), 11)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def month_block(
    heads: Sequence[str], rows: Sequence[tuple[object, ...]], months: int
) -> tuple[tuple[CellValue, ...], ...]:
    """Return what a chart of fixed size draws: headings, months, the last month repeated.

    Parameters
    ----------
    rows
        A day of the month and the series' values, in the order of time.
    months
        Rows below the headings; none are filled if there is no month at all.
    """
    shown = [(_axis_day(row[0]), *cells(row[1:])) for row in rows[:months]]
    if shown:
        shown += [shown[-1]] * (months - len(shown))
    return (tuple(heads), *shown)


def _axis_day(month: object) -> date | None:
    """Return where a month stands on the axis: no later than the 28th.

    A date axis that steps by months from the 31st skips the short months, and
    labels drift; from the 28th every step lands in the next month.
    """
    return month.replace(day=min(month.day, 28)) if isinstance(month, date) else None


def number(value: float) -> str:
    """Return a count in words for a sentence: whole from 10 up, one decimal below.

    >>> number(1234.4), number(3.25)
    ('1,234', '3.2')
    """
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.1f}"


def span(low: float, high: float) -> str:
    """Return a range in words.

    >>> span(590.2, 693.7)
    '590 to 694'
    """
    return f"{number(low)} to {number(high)}"


def change(now: float, then: float) -> str:
    """Return a difference in words, with its share where the base is not tiny.

    >>> change(612, 640), change(612, 600), change(612, 612.3)
    ('28 more (5%)', '12 fewer (2%)', 'no change')
    """
    difference = round(then) - round(now) if now >= 10 else round(then - now, 1)
    if difference == 0:
        return "no change"
    share = f" ({abs(difference) / now:.0%})" if now >= 10 else ""
    return f"{number(abs(difference))} {'more' if difference > 0 else 'fewer'}{share}"


def month_name(day: date) -> str:
    """Return a month in words.

    >>> month_name(date(2028, 3, 31))
    'March 2028'
    """
    return f"{calendar.month_name[day.month]} {day.year}"


def day_name(day: date) -> str:
    """Return a day in words.

    >>> day_name(date(2026, 3, 31))
    '31 March 2026'
    """
    return f"{day.day} {month_name(day)}"
