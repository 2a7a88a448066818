"""How sheets Costs and Costs data look before the first run."""

from __future__ import annotations

from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import chart_parts as parts
from demand_addin.layout import costs as declared
from demand_addin.layout.declare import Area, SheetSpec, Style
from demand_addin.layout.styles import BLUE, FONT, GREY, RULE, TEAL, Formats

_MONEY = "£#,##0;−£#,##0;£0"
_MILLIONS = '£0.00,,"m"'
_CHART_PIXELS = 20
_HALF = {"width": 597, "height": 296}
_WHOLE = {"width": 1199, "height": 296}
_LIGHT = "#9DB1CB"
_NO_GRID: dict[str, Any] = {"major_gridlines": {"visible": False}}
_TEXTS = {
    "chart_costs_years": (
        "Cost of placements by financial year, £m, with 80% range",
        "A column for each financial year: the average cost of placements in millions of pounds, "
        "with a line over the 80% range. A part of a year says its months. The figures are in the "
        "table above.",
    ),
    "chart_costs_groups": (
        "Children in care by kind of placement, today and at the end",
        "Two bars for each kind of placement: children today and, with a line over the 80% range, "
        "at the end of the forecast. The figures are in the table above.",
    ),
    "chart_costs_scenarios": (
        "Cost of each scenario against the baseline, £m, with 80% range",
        "A bar for each scenario: what its placements cost more or less than the baseline's, in "
        "millions of pounds, with a line over the 80% range. The figures are in the table below.",
    ),
}


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw one landscape page, and formats for the tables below it."""
    del spec
    _columns(ws, formats)
    ws.set_row_pixels(0, 34)
    ws.write_string("A3", declared.NO_RUN, formats.get(font_color=GREY))
    sentence = formats.get(font_size=11, valign="vcenter")
    for row in range(declared.SENTENCES_ROW, declared.SENTENCES_ROW + declared.SENTENCE_ROWS):
        ws.set_row_pixels(row - 1, 21)
        ws.write_blank(row - 1, 0, None, sentence)
    _numbers(ws, formats)
    small = formats.get(font_color=GREY, valign="vcenter")
    for row in range(declared.NOTES_ROW, declared.NOTES_ROW + declared.NOTE_ROWS):
        ws.write_blank(row - 1, 0, None, small)
    for row in range(declared.CHARTS_ROW - 1, declared.TABLES_ROW - 3):
        ws.set_row_pixels(row, _CHART_PIXELS)
    top, below = declared.CHARTS_ROW, declared.CHARTS_ROW + declared.CHART_ROWS
    _insert(ws, book, "chart_costs_years", top, 2)
    _insert(ws, book, "chart_costs_groups", top, 604)
    _insert(ws, book, "chart_costs_scenarios", below, 2)
    ws.write_string(declared.TABLES_ROW - 2, 0, "Every year, group and scenario", formats.heading)
    ws.write_string(
        declared.TABLES_ROW - 2,
        declared.PLACEMENTS.first_column - 1,
        "Children by kind of placement",
        formats.heading,
    )
    ws.set_portrait()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 1)
    ws.center_horizontally()
    ws.print_area(0, 0, declared.TABLES_ROW - 4, len(declared.NUMBER_HEADS) - 1)


def _columns(ws: Worksheet, formats: Formats) -> None:
    """Set widths, and the first rows' formats, which a run repeats in the rows below."""
    money = formats.get(num_format=_MONEY, align="right")
    for table in (declared.COSTS, declared.PLACEMENTS):
        left = table.first_column - 1
        for index, column in enumerate(table.columns, start=left):
            is_money = table is declared.COSTS and column.name in declared.MONEY
            style = money if is_money else formats.output(column.style)
            ws.set_column(index, index, column.width)
            ws.write_blank(table.first_row, index, None, style)
    ws.set_column(len(declared.COSTS.columns), len(declared.COSTS.columns), 3)


def _numbers(ws: Worksheet, formats: Formats) -> None:
    """Format the small table; a run writes its headings too."""
    row = declared.NUMBERS_ROW - 1
    ws.set_row_pixels(row, 36)
    look = {"bold": True, "font_color": "#FFFFFF", "bg_color": BLUE, "text_wrap": True}
    right, left = (
        formats.get(valign="vcenter", align=align, **look) for align in ("right", "left")
    )
    for column, text in enumerate(declared.NUMBER_HEADS):
        ws.write_string(row, column, text, right if column else left)
    for offset in range(1, declared.NUMBERS.rows):
        ws.write_blank(row + offset, 0, None, formats.get(bold=True))
        for column in range(1, len(declared.NUMBER_HEADS)):
            style = formats.get(align="right", num_format=_number_format(column))
            ws.write_blank(row + offset, column, None, style)
    first, bottom, last = row + 1, row + declared.NUMBERS.rows - 1, len(declared.NUMBER_HEADS) - 1
    line = formats.get(bottom=1, bottom_color=RULE)
    filled = {"type": "formula", "criteria": f'=$A{first + 1}<>""', "format": line}
    ws.conditional_format(first, 0, bottom, last, filled)
    total = formats.get(bold=True, top=1, top_color=BLUE)
    is_last = {"type": "formula", "criteria": f'=$A{first + 1}="{declared.ALL_PLACEMENTS}"'}
    ws.conditional_format(first, 0, bottom, last, is_last | {"format": total})


def _number_format(column: int) -> str:
    return {2: _MONEY, 5: _MILLIONS, 7: _MILLIONS}.get(column, "#,##0")


def _insert(ws: Worksheet, book: xlsxwriter.Workbook, name: str, row: int, offset: int) -> None:
    title, alt_text = _TEXTS[name]
    draw = {
        "chart_costs_years": _years,
        "chart_costs_groups": _groups,
        "chart_costs_scenarios": _scenarios,
    }[name]
    chart = draw(book, declared.block(name))
    size = _WHOLE if name == "chart_costs_scenarios" else _HALF
    parts.dress(chart, title=title, **size)
    place = {"x_offset": offset, "y_offset": 2, "description": alt_text, "object_position": 3}
    ws.insert_chart(f"A{row}", chart, place)


def _years(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "column"})
    chart.add_series(
        parts.series(declared.DATA_SHEET, block, 1)
        | {
            "fill": {"color": _LIGHT},
            "border": {"none": True},
            "gap": 80,
            "overlap": 100,
            "y_error_bars": parts.arms(declared.DATA_SHEET, block, 2, 3),
            "data_labels": _labels('£0.0,,"m"', "inside_base"),
        }
    )
    chart.add_series(_unseen(block, 4))
    chart.set_x_axis(_names())
    chart.set_y_axis(parts.y_axis(is_from_zero=True, number_format='£0,,"m"'))
    chart.set_legend({"none": True})
    return chart


def _groups(book: xlsxwriter.Workbook, block: Area) -> Chart:
    """Draw two bars a group.

    The unseen third stands in the middle of the order: counted from either end, as Excel
    and LibreOffice do, it is the one that the legend leaves out.
    """
    chart = parts.new_chart(book, {"type": "bar"})
    look: dict[str, Any] = {"border": {"none": True}, "gap": 40, "overlap": 50}
    chart.add_series(
        parts.series(declared.DATA_SHEET, block, 1) | look | {"fill": {"color": _LIGHT}}
    )
    chart.add_series(_unseen(block, 5))
    arms = {"fill": {"color": BLUE}, "y_error_bars": parts.arms(declared.DATA_SHEET, block, 3, 4)}
    chart.add_series(parts.series(declared.DATA_SHEET, block, 2) | look | arms)
    # The y axis of a bar chart is the one of the categories: first on top, values below.
    chart.set_y_axis(_names() | {"reverse": True, "crossing": "max"} | _NO_GRID)
    chart.set_x_axis(parts.y_axis(is_from_zero=True))
    chart.set_legend(parts.legend([1]))
    return chart


def _scenarios(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "bar"})
    chart.add_series(
        parts.series(declared.DATA_SHEET, block, 1)
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
        chart.add_series(_unseen(block, column))
    low = {"reverse": True, "crossing": "max", "label_position": "low"}
    chart.set_y_axis(_names() | low | _NO_GRID)
    form = '+£0.0,,"m";−£0.0,,"m";£0'
    chart.set_x_axis(parts.y_axis(is_from_zero=False, number_format=form))
    chart.set_legend({"none": True})
    return chart


def _unseen(block: Area, column: int) -> dict[str, Any]:
    """Bind a series that nobody sees: the axis reaches its values."""
    nothing = {"fill": {"none": True}, "border": {"none": True}}
    return parts.series(declared.DATA_SHEET, block, column) | nothing


def _labels(number_format: str, position: str) -> dict[str, Any]:
    font = {"name": FONT, "size": 11, "bold": True, "color": BLUE}
    return {"value": True, "position": position, "num_format": number_format, "font": font}


def _names() -> dict[str, Any]:
    return {
        "num_font": {"name": FONT, "size": 10, "color": GREY},
        "line": {"color": GREY},
        "major_tick_mark": "none",
    }


def data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings and formats of the blocks."""
    del spec, book
    for block in declared.BLOCKS:
        row, left = block.corner
        ws.write_string(row - 1, left, block.name, formats.heading)
        ws.set_column(left, left, 36)
        ws.set_column(left + 1, left + block.columns - 1, 14)
        for offset, text in enumerate(declared.HEADS[block.name]):
            ws.write_string(row, left + offset, text, formats.column_heading)
            style = formats.output(Style.NUMBER if offset else Style.TEXT)
            for below in range(row + 1, row + block.rows):
                ws.write_blank(below, left + offset, None, style)
