"""What all native charts share: fonts, axes, legend, and the binding to a helper block.

A block is an `Area` of a helper sheet: a row of series names, then one row a
month (or a category), the first column the axis.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area
from demand_addin.layout.styles import BLUE, FONT, GREY

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.chart import Chart

TEXT_SIZE = 10
"""Points; smaller is hard to read on a printed page."""

RULES = "#E1E5EA"
"""Colour of gridlines and of the chart's border."""


def new_chart(book: xlsxwriter.Workbook, kind: dict[str, str]) -> Chart:
    """Make a chart of a kind that XlsxWriter knows."""
    chart = book.add_chart(kind)
    if chart is None:
        raise ValueError(f"no chart of kind {kind}")
    return chart


def series(sheet: str, block: Area, column: int) -> dict[str, Any]:
    """Bind a series to a column of a block (0 is the axis)."""
    head, first = block.corner
    top, bottom = head + 1, head + block.rows - 1
    return {
        "name": [sheet, head, first + column],
        "categories": [sheet, top, first, bottom, first],
        "values": [sheet, top, first + column, bottom, first + column],
    }


def arms(sheet: str, block: Area, above: int, below: int) -> dict[str, Any]:
    """Bind the two arms of a series' ranges to columns of lengths (0 is the axis)."""
    head, first = block.corner
    top, bottom = head + 1, head + block.rows - 1

    def column(number: int) -> str:
        letters = column_letters(first + number + 1)
        return f"='{sheet}'!${letters}${top + 1}:${letters}${bottom + 1}"

    return {
        "type": "custom",
        "plus_values": column(above),
        "minus_values": column(below),
        "line": {"color": GREY, "width": 1.5},
    }


def legend(without: Iterable[int] = ()) -> dict[str, Any]:
    """Put the legend below, without the series of these numbers (in drawing order)."""
    options: dict[str, Any] = {"position": "bottom", "font": {"name": FONT, "size": TEXT_SIZE}}
    hidden = list(without)
    return options | {"delete_series": hidden} if hidden else options


def y_axis(*, is_from_zero: bool, number_format: str = "#,##0") -> dict[str, Any]:
    """Describe an axis of counts with light gridlines."""
    axis: dict[str, Any] = {
        "num_format": number_format,
        "num_font": {"name": FONT, "size": TEXT_SIZE, "color": GREY},
        "line": {"none": True},
        "major_gridlines": {"visible": True, "line": {"color": RULES, "width": 0.75}},
        "major_tick_mark": "none",
    }
    return axis | {"min": 0} if is_from_zero else axis


def date_axis(*, months_apart: int = 3) -> dict[str, Any]:
    """Describe an axis of months with a label every `months_apart` months."""
    return {
        "date_axis": True,
        "num_format": "mmm yy",
        "num_font": {"name": FONT, "size": TEXT_SIZE, "color": GREY},
        "line": {"color": GREY},
        "major_unit": months_apart,
        "major_unit_type": "months",
        "minor_unit": 1,
        "minor_unit_type": "months",
        "major_tick_mark": "outside",
        "minor_tick_mark": "none",
        "label_position": "low",
    }


def dress(chart: Chart, *, title: str, width: int, height: int) -> None:
    """Set a chart's title, frame and size."""
    chart.set_title(
        {
            "name": title,
            "name_font": {"name": FONT, "size": 11, "bold": True, "color": BLUE},
            "overlay": False,
        }
    )
    chart.set_chartarea({"border": {"color": RULES}, "fill": {"color": "#FFFFFF"}})
    chart.set_size({"width": width, "height": height})
