"""How sheets Levers and Levers data look before the levers are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import chart_parts as parts
from demand_addin.layout import levers as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, SheetSpec, Style, TableSpec
from demand_addin.layout.lever_choices import CAUTION
from demand_addin.layout.styles import BLUE, FONT, GREY, MAROON, RULE, TEAL, Formats

_SIGNED = "+#,##0.0;−#,##0.0;0"
_SIGNED_FINE = "+#,##0.00;−#,##0.00;0"
_SIGNED_WHOLE = "+#,##0;−#,##0;0"
_FORMATS = {
    declared.SIDE_COLUMNS["referrals"]: _SIGNED_WHOLE,
    declared.SIDE_COLUMNS["caseload"]: _SIGNED_FINE,
    declared.SIDE_COLUMNS["placement_cost"]: _SIGNED_WHOLE,
    declared.SIDE_COLUMNS["net_cost"]: _SIGNED_WHOLE,
    **dict.fromkeys(declared.RANGE_COLUMNS["caseload"], _SIGNED_FINE),
    **dict.fromkeys(declared.RANGE_COLUMNS["net_cost"], _SIGNED_WHOLE),
    "cases low": _SIGNED_FINE,
    "cases high": _SIGNED_FINE,
}
"""How columns of changes are shown; others with a decimal."""
_CHART_PIXELS = 20
_HEAD_HEIGHT = 27.0
"""Two lines."""
_LEFT = {"width": 820, "height": 416}
_RIGHT = {"width": 576, "height": 416}
_RIGHT_OFFSET = 826
_LONG = frozenset({"What it takes", "Way round"})
_COUNTS = frozenset({"Matched to", "Came in", "to external", "In care", "in external"})
_NO_GRID: dict[str, Any] = {"major_gridlines": {"visible": False}}
_TEXTS = {
    declared.TORNADO: (
        "What each lever does to the outcome it is ranked by, with 80% range",
        "A bar for each lever, the strongest on top: its effect on the outcome that levers are "
        "ranked by, with a line over the 80% range. The figures are in the table above.",
    ),
    declared.AGAINST_EXITS: (
        "One lever alone against all exits together, % change",
        "Two bars for each outcome: the change in per cent by the best single lever, and by all "
        "exits together, with lines over the 80% ranges. The figures are in the table above.",
    ),
}
_HEADS = {
    declared.TABLE_ROW: "What each lever does, and what else it does",
    declared.RANGES_ROW: "How sure that is: the 80% ranges",
    declared.GOALS_ROW: "Goals: what it takes",
    declared.LOOPS_ROW: "Feedback loops: what each does",
    declared.CLOSED_ROW: "Closed loops",
    declared.MATRIX_ROW: "Which lever beats which",
    declared.NEEDS_ROW: "Entrants by need",
}
_MATRIX_NOTE = (
    "Share of the simulated futures in which the lever of the row does more to the outcome than "
    "the lever of the column. 50%: as good as each other."
)


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings, room for sentences, charts, and formats for the tables."""
    del spec
    ws.set_column(0, 0, declared.LEVERS_TABLE.columns[0].width)
    ws.set_column(1, len(declared.INTERVALS.columns) - 1, declared.LEVERS_TABLE.columns[1].width)
    left = declared.BEATS.first_column - 1
    ws.set_column(left - 1, left - 1, 3)
    ws.set_column(left, left + 1, declared.LEVERS_TABLE.columns[0].width)
    ws.set_row_pixels(0, 34)
    ws.write_string("A3", declared.NOT_YET, formats.get(font_color=GREY))
    sentence = formats.get(font_size=11, valign="vcenter")
    for row in range(declared.SENTENCES_ROW, declared.SENTENCES_ROW + declared.SENTENCE_ROWS):
        ws.set_row_pixels(row - 1, 20)
        ws.write_blank(row - 1, 0, None, sentence)
    take_care = formats.get(bold=True, font_color=MAROON)
    ws.write_string(declared.CAUTION_ROW - 1, 0, CAUTION, take_care)
    for row, words in _HEADS.items():
        ws.write_string(row - 3, 0, words, formats.heading)
    ws.write_string(declared.MATRIX_ROW - 2, 0, _MATRIX_NOTE, formats.note)
    ws.write_string(declared.TABLES_ROW - 2, 0, "Every outcome with its ranges", formats.heading)
    ws.write_string(declared.TABLES_ROW - 2, left, "Every pair of levers", formats.heading)
    small = formats.get(font_color=GREY, valign="vcenter")
    for area in (declared.NOTES, declared.TABLE_NOTE, declared.RANGES_NOTE, declared.GOALS_NOTE,
                 declared.TAKES, declared.NEEDS_NOTE, declared.LOOPS_NOTE, declared.BREAKS,
                 declared.CLOSED_NOTE):  # fmt: skip
        for row in range(area.corner[0], area.corner[0] + area.rows):
            ws.write_blank(row, 0, None, small)
    for table in declared.TABLES:
        _table_formats(ws, formats, table)
    _matrix(ws, formats)
    for row in range(declared.CHARTS_ROW - 1, declared.CHARTS_ROW - 1 + declared.CHART_ROWS):
        ws.set_row_pixels(row, _CHART_PIXELS)
    _insert(ws, book, declared.TORNADO, _tornado, 2, _LEFT)
    _insert(ws, book, declared.AGAINST_EXITS, _against, _RIGHT_OFFSET, _RIGHT)
    ws.set_portrait()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 0)
    ws.set_h_pagebreaks([declared.GOALS_ROW - 4, declared.NEEDS_ROW - 4])
    last = declared.CLOSED_ROW + declared.CLOSED_ROWS
    ws.print_area(0, 0, last - 1, len(declared.LEVERS_TABLE.columns) - 1)


def _table_formats(ws: Worksheet, formats: Formats, table: TableSpec) -> None:
    """Format the rows that there is room for: a tidy table's first, which a run repeats."""
    ws.set_row(table.first_row - 1, _HEAD_HEIGHT)
    is_tidy = table in (declared.INTERVALS, declared.BEATS)
    for offset in range(1 if is_tidy else table.room):
        row = table.first_row + offset
        for index, column in enumerate(table.columns, start=table.first_column - 1):
            ws.write_blank(row, index, None, _style(formats, table, column.name, column.style))


def _style(formats: Formats, table: TableSpec, name: str, style: Style) -> Format:
    if name in _LONG:
        return formats.get(indent=1, align="left")
    is_change = table in (declared.LEVERS_TABLE, declared.RANGES_TABLE, declared.LOOP_EFFECTS)
    if is_change and style is Style.GENERAL:
        return formats.get(num_format=_FORMATS.get(name, _SIGNED), align="right")
    if name == "Cost a year, £":
        return formats.get(num_format="£#,##0", align="right")
    if name in ("Kind", "On", "Within reach") or name in _COUNTS:
        return formats.get(align="right")
    return formats.output(style)


def _matrix(ws: Worksheet, formats: Formats) -> None:
    top, left = declared.MATRIX_AREA.corner
    head = formats.get(bold=True, align="right", bottom=1, bottom_color=BLUE)
    cell = formats.get(num_format="0%", align="right")
    for column in range(declared.MATRIX_AREA.columns):
        ws.write_blank(top, left + column, None, head)
    for row in range(1, declared.MATRIX_AREA.rows):
        ws.write_blank(top + row, left, None, formats.get(indent=1, align="left"))
        for column in range(1, declared.MATRIX_AREA.columns):
            ws.write_blank(top + row, left + column, None, cell)
    first = f"{column_letters(left + 1)}{top + 2}"
    line = formats.get(bottom=1, bottom_color=RULE)
    rule = {"type": "formula", "criteria": f'=${first}<>""', "format": line}
    bottom, right = top + declared.MATRIX_AREA.rows - 1, left + declared.MATRIX_AREA.columns - 1
    ws.conditional_format(top + 1, left, bottom, right, rule)


def _insert(
    ws: Worksheet,
    book: xlsxwriter.Workbook,
    name: str,
    draw: Callable[[xlsxwriter.Workbook, Area], Chart],
    offset: int,
    size: dict[str, int],
) -> None:
    title, alt_text = _TEXTS[name]
    chart = draw(book, declared.block(name))
    parts.dress(chart, title=title, **size)
    place = {"x_offset": offset, "y_offset": 2, "description": alt_text, "object_position": 3}
    ws.insert_chart(f"A{declared.CHARTS_ROW}", chart, place)


def _tornado(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "bar"})
    chart.add_series(_bars(block, 1, TEAL, (2, 3), gap=40))
    for column in (4, 5):
        chart.add_series(_unseen(block, column))
    chart.set_y_axis(_names())
    chart.set_x_axis(parts.y_axis(is_from_zero=False, number_format="+#,##0.0;−#,##0.0;0"))
    chart.set_legend({"none": True})
    return chart


def _against(book: xlsxwriter.Workbook, block: Area) -> Chart:
    """Draw one lever's bar and all exits' below it; a free row parts the outcomes."""
    chart = parts.new_chart(book, {"type": "bar"})
    # The two unseen ones stand first and last: where a reader turns the legend's order round,
    # the same two are left out.
    chart.add_series(_unseen(block, 5))
    chart.add_series(_bars(block, 1, TEAL, (3, 4), gap=8))
    chart.add_series(_bars(block, 2, BLUE, (3, 4), gap=8))
    chart.add_series(_unseen(block, 6))
    chart.set_y_axis(_names())
    chart.set_x_axis(parts.y_axis(is_from_zero=False, number_format="+0%;−0%;0%"))
    chart.set_legend(parts.legend([0, 3]))
    return chart


def _bars(
    block: Area, column: int, colour: str, arms: tuple[int, int], *, gap: int
) -> dict[str, Any]:
    return parts.series(declared.DATA_SHEET, block, column) | {
        "fill": {"color": colour},
        "border": {"none": True},
        "gap": gap,
        "overlap": 100,
        "invert_if_negative": False,
        "y_error_bars": parts.arms(declared.DATA_SHEET, block, *arms),
    }


def _unseen(block: Area, column: int) -> dict[str, Any]:
    """Bind a series that nobody sees: the axis reaches its values."""
    nothing = {"fill": {"none": True}, "border": {"none": True}, "gap": 8, "overlap": 100}
    return parts.series(declared.DATA_SHEET, block, column) | nothing


def _names() -> dict[str, Any]:
    """Describe the axis of the categories: first on top, names at the left of all bars."""
    return {
        "num_font": {"name": FONT, "size": 10, "color": GREY},
        "line": {"color": GREY},
        "major_tick_mark": "none",
        "reverse": True,
        "crossing": "max",
        "label_position": "low",
    } | _NO_GRID


def data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings and formats of the blocks."""
    del spec, book
    for block in declared.BLOCKS:
        row, left = block.corner
        ws.write_string(row - 1, left, block.name, formats.heading)
        ws.set_column(left, left, 50)
        ws.set_column(left + 1, left + block.columns - 1, 14)
        for offset, text in enumerate(declared.HEADS[block.name]):
            ws.write_string(row, left + offset, text, formats.column_heading)
            style = formats.output(Style.NUMBER if offset else Style.TEXT)
            for below in range(row + 1, row + block.rows):
                ws.write_blank(below, left + offset, None, style)
