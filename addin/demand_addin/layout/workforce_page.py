"""How sheets Workforce and Workforce data look before the first run."""

from __future__ import annotations

from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import chart_parts as parts
from demand_addin.layout import workforce as declared
from demand_addin.layout.declare import Area, SheetSpec, Style
from demand_addin.layout.styles import (
    BLUE,
    FONT,
    GREY,
    MAROON,
    ORANGE,
    RULE,
    TEAL,
    Formats,
)

_CHART_PIXELS = 20
_SIZE = {"width": 594, "height": 376}
_RIGHT = 600
_BANDS = ("#CBD5E3", "#9DB1CB", "#7290B6", "#9DB1CB", "#CBD5E3")
_LINES = ((BLUE, "solid"), (TEAL, "long_dash"), (MAROON, "dash_dot"), (ORANGE, "square_dot"))
_CASELOAD = "0.0"
_TEXTS = {
    "chart_workforce_fan": (
        "Cases per social worker",
        "Cases per worker from today on: the average forecast as a dashed line with shaded ranges "
        "that widen with time, your ideal caseload and England's average as level lines. The "
        "figures are in the table above and on sheet Forecast.",
    ),
    "chart_workforce_need": (
        "Workers in post, and workers needed at your ideal caseload",
        "Two lines by month: workers in post, and workers needed at the ideal caseload with its "
        "80% range shaded. The gap between them is in the table above.",
    ),
    "chart_workforce_lines": (
        "Cases per worker under the scenarios chosen on sheet Settings",
        "A line for each of up to four scenarios: average cases per worker by month. The axis "
        "need not begin at zero. The figures are in the table below.",
    ),
    "chart_workforce_scenarios": (
        "Cases per worker against the baseline at the end, with 80% range",
        "A bar for each scenario: how many more or fewer cases per worker than the baseline at "
        "the end of the forecast, with a line over the 80% range. The figures are in the table "
        "below.",
    ),
}
_FORMATS = {1: "#,##0", 2: "#,##0", 3: _CASELOAD, 6: "#,##0", 7: "#,##0", 8: "+#,##0;−#,##0;0"}
"""Number formats of the small table, by column."""


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw one portrait page, and formats for the table below it."""
    del spec
    for index, column in enumerate(declared.WORKFORCE_FORECAST.columns):
        ws.set_column(index, index, column.width)
        ws.write_blank(declared.TABLE_ROW, index, None, formats.output(column.style))
    ws.set_row_pixels(0, 34)
    small = formats.get(font_color=GREY, valign="vcenter")
    ws.write_string("A3", declared.NO_RUN, small)
    sentence = formats.get(font_size=11, valign="vcenter")
    for row in range(declared.SENTENCES_ROW, declared.SENTENCES_ROW + declared.SENTENCE_ROWS):
        ws.set_row_pixels(row - 1, 21)
        ws.write_blank(row - 1, 0, None, sentence)
    _table(ws, formats, declared.NUMBERS, declared.NUMBER_HEADS, _FORMATS, heading_pixels=36)
    for row in range(declared.NUMBERS_NOTE.rows):
        ws.write_blank(declared.NOTE_UNDER_NUMBERS_ROW - 1 + row, 0, None, small)
    _table(ws, formats, declared.ENGLAND, declared.ENGLAND_HEADS, {}, heading_pixels=36)
    for row in range(declared.NOTES_ROW, declared.NOTES_ROW + declared.NOTE_ROWS):
        ws.write_blank(row - 1, 0, None, small)
    for row in range(declared.CHARTS_ROW - 1, declared.TABLE_ROW - 3):
        ws.set_row_pixels(row, _CHART_PIXELS)
    _charts(ws, book)
    ws.write_string(declared.TABLE_ROW - 2, 0, "Every scenario, by quarter", formats.heading)
    ws.set_portrait()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 1)
    ws.center_horizontally()
    ws.print_area(0, 0, declared.TABLE_ROW - 4, len(declared.NUMBER_HEADS) - 1)


def _table(
    ws: Worksheet,
    formats: Formats,
    area: Area,
    heads: tuple[str, ...],
    number_formats: dict[int, str],
    *,
    heading_pixels: int,
) -> None:
    """Format a small table; a run writes its headings too."""
    row, _ = area.corner
    texts = {len(heads) - 1} if area is declared.ENGLAND else set()
    ws.set_row_pixels(row, heading_pixels)
    look = {"bold": True, "font_color": "#FFFFFF", "bg_color": BLUE, "text_wrap": True}
    for column, text in enumerate(heads):
        align = "left" if column == 0 or column in texts else "right"
        indent = {"indent": 1} if column in texts else {}
        ws.write_string(
            row, column, text, formats.get(valign="vcenter", align=align, **look, **indent)
        )
    for offset in range(1, area.rows):
        ws.write_blank(row + offset, 0, None, formats.get(bold=True))
        for column in range(1, len(heads)):
            shown = (
                {"align": "left", "indent": 1}
                if column in texts
                else {"align": "right", "num_format": number_formats.get(column, "General")}
            )
            ws.write_blank(row + offset, column, None, formats.get(**shown))
    first, bottom = row + 1, row + area.rows - 1
    line = formats.get(bottom=1, bottom_color=RULE)
    filled = {"type": "formula", "criteria": f'=$A{first + 1}<>""', "format": line}
    ws.conditional_format(first, 0, bottom, len(heads) - 1, filled)


def _charts(ws: Worksheet, book: xlsxwriter.Workbook) -> None:
    for number, (name, draw) in enumerate(
        (
            ("chart_workforce_fan", _fan),
            ("chart_workforce_need", _need),
            ("chart_workforce_lines", _lines),
            ("chart_workforce_scenarios", _scenarios),
        )
    ):
        title, alt_text = _TEXTS[name]
        chart = draw(book, declared.block(name))
        parts.dress(chart, title=title, **_SIZE)
        row = declared.CHARTS_ROW + declared.CHART_ROWS * (number // 2)
        place = {
            "x_offset": _RIGHT if number % 2 else 2,
            "y_offset": 2,
            "description": alt_text,
            "object_position": 3,
        }
        ws.insert_chart(f"A{row}", chart, place)


def _fan(book: xlsxwriter.Workbook, block: Area) -> Chart:
    """Draw a stack of bands on an invisible base, with three lines over it."""
    chart = _stack(book, block, (None, *_BANDS))
    lines = parts.new_chart(book, {"type": "line"})
    for column, line in (
        (7, {"color": BLUE, "width": 2.25, "dash_type": "dash"}),
        (8, {"color": MAROON, "width": 1.5}),
        (9, {"color": GREY, "width": 1.25, "dash_type": "round_dot"}),
    ):
        lines.add_series(_series(block, column) | {"line": line, "marker": {"type": "none"}})
    chart.combine(lines)
    chart.set_x_axis(parts.date_axis())
    chart.set_y_axis(parts.y_axis(is_from_zero=True, number_format="0"))
    # The base, and the lower halves of the bands, need no second place in the legend.
    chart.set_legend(parts.legend([0, 1, 2]))
    return chart


def _need(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = _stack(book, block, (None, _BANDS[1]))
    lines = parts.new_chart(book, {"type": "line"})
    for column, line in (
        (3, {"color": BLUE, "width": 2.25, "dash_type": "dash"}),
        (4, {"color": MAROON, "width": 2.25}),
    ):
        lines.add_series(_series(block, column) | {"line": line, "marker": {"type": "none"}})
    chart.combine(lines)
    chart.set_x_axis(parts.date_axis())
    chart.set_y_axis(parts.y_axis(is_from_zero=True))
    chart.set_legend(parts.legend([0]))
    return chart


def _stack(book: xlsxwriter.Workbook, block: Area, colours: tuple[str | None, ...]) -> Chart:
    chart = parts.new_chart(book, {"type": "area", "subtype": "stacked"})
    for column, colour in enumerate(colours, start=1):
        fill: dict[str, Any] = {"none": True} if colour is None else {"color": colour}
        chart.add_series(_series(block, column) | {"fill": fill, "border": {"none": True}})
    return chart


def _lines(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "line"})
    for number, (colour, dash) in enumerate(_LINES, start=1):
        line = {"color": colour, "width": 2, "dash_type": dash}
        chart.add_series(_series(block, number) | {"line": line, "marker": {"type": "none"}})
    chart.set_x_axis(parts.date_axis())
    # Scenarios differ by less than the whole: here the axis need not begin at zero.
    chart.set_y_axis(parts.y_axis(is_from_zero=False, number_format=_CASELOAD))
    chart.set_legend(parts.legend([]))
    return chart


def _scenarios(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "bar"})
    chart.add_series(
        _series(block, 1)
        | {
            "fill": {"color": TEAL},
            "border": {"none": True},
            "gap": 50,
            "overlap": 100,
            "invert_if_negative": False,
            "y_error_bars": parts.arms(declared.DATA_SHEET, block, 2, 3),
        }
    )
    for column in (4, 5):
        unseen = {"fill": {"none": True}, "border": {"none": True}}
        chart.add_series(_series(block, column) | unseen)
    names: dict[str, Any] = {
        "num_font": {"name": FONT, "size": 10, "color": GREY},
        "line": {"color": GREY},
        "major_tick_mark": "none",
        "major_gridlines": {"visible": False},
        "reverse": True,
        "crossing": "max",
        "label_position": "low",
    }
    # The y axis of a bar chart is the one of the categories: first on top, values below.
    chart.set_y_axis(names)
    chart.set_x_axis(parts.y_axis(is_from_zero=False, number_format="+0.0;−0.0;0"))
    chart.set_legend({"none": True})
    return chart


def _series(block: Area, column: int) -> dict[str, Any]:
    return parts.series(declared.DATA_SHEET, block, column)


def data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings and formats of the blocks."""
    del spec, book
    day = formats.get(num_format="mmm yyyy")
    for block in declared.BLOCKS:
        row, left = block.corner
        is_by_month = declared.HEADS[block.name][0] == "month"
        ws.write_string(row - 1, left, block.name, formats.heading)
        ws.set_column(left, left, 12 if is_by_month else 36)
        ws.set_column(left + 1, left + block.columns - 1, 14)
        for offset, text in enumerate(declared.HEADS[block.name]):
            ws.write_string(row, left + offset, text, formats.column_heading)
            first = day if is_by_month else formats.output(Style.TEXT)
            style = formats.output(Style.NUMBER) if offset else first
            for below in range(row + 1, row + block.rows):
                ws.write_blank(below, left + offset, None, style)
