"""How sheets Accuracy and Accuracy data look before the first back-test and the first run."""

from __future__ import annotations

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import accuracy as declared
from demand_addin.layout.accuracy_charts import CHARTS, draw
from demand_addin.layout.declare import SheetSpec, Style, TableSpec
from demand_addin.layout.styles import BLUE, GREY, RULE, Formats
from demand_model.results.forecast import MEASURE_NAMES

_SCALE = 71
_COLUMN_PIXELS = (170, 132, 80, 98, *(90,) * 8)
_LINK_ROW = 4
_CAPTIONS = {
    declared.BACKTEST_ROW: "Tested on your own lists (back-test)",
    declared.TRACKING_ROW: "Earlier forecasts against what happened since",
    declared.CONTROL_ROW: "Months outside ordinary variation",
    declared.TOLD_ROW: "Back-test: what the model would have said, and what happened",
    declared.SCORES_ROW: "Back-test: the error of this model beside simpler methods",
    declared.PAST_ROW: "Earlier forecasts: what a run said, and what happened since",
    declared.LIMITS_ROW: "Control charts: which months are worth asking about",
}
_NOTED = (declared.TOLD_ROW, declared.SCORES_ROW, declared.PAST_ROW, declared.LIMITS_ROW)


def _chart_rows(caption: int, rows: int, pixels: int) -> dict[int, int]:
    first = caption + 2
    return dict.fromkeys(range(first, first + rows * declared.CHART_ROWS), pixels)


_SCORES_HEAD = declared.SCORES.first_row
_ROW_PIXELS: dict[int, int] = {
    1: 34,
    **dict.fromkeys((2, 3), 18),
    _LINK_ROW: 20,
    **dict.fromkeys(_CAPTIONS, 20),
    **dict.fromkeys((row + 1 for row in _NOTED), 18),
    **{
        area.corner[0] + 1 + offset: 16
        for area in declared.SENTENCES.values()
        for offset in range(area.rows)
    },
    **_chart_rows(declared.TOLD_ROW, 1, 19),
    **_chart_rows(declared.PAST_ROW, 1, 24),
    **_chart_rows(declared.LIMITS_ROW, 3, 25),
    **dict.fromkeys((declared.TOLD_ROW - 1, *declared.PAGE_ENDS), 8),
    **dict.fromkeys(range(_SCORES_HEAD + 1, _SCORES_HEAD + 1 + declared.SCORES.room), 20),
}
"""Heights in pixels of the report's rows that are not 21."""

_TABLE_CAPTIONS = {
    declared.CONTROL.name: "Control charts: every month",
    declared.BACKTEST.name: "Back-test: every forecast month",
    declared.PAST_FORECASTS.name: "Earlier forecasts: every month that has come since",
}
_SCORES_NOTE = (
    "Each forecast month of each earlier date counts once. The smaller the error, the better; of "
    "100 months about 80 should lie inside an 80% range."
)
_TOLD_NOTE = "Filled by csc-demand backtest."
_RUN_NOTE = "Filled by csc-demand run."


def report(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw three landscape pages of A4, and headings for the tables below them."""
    del spec
    for column, pixels in enumerate(_COLUMN_PIXELS):
        ws.set_column_pixels(column, column, pixels)
    ws.set_column(declared.COLUMNS, declared.COLUMNS + 20, 12, formats.free)
    for row in range(declared.PAGE_ENDS[-1]):
        ws.set_row_pixels(row, _ROW_PIXELS.get(row + 1, 21))
    _texts(ws, formats)
    _links(ws, formats)
    for table in declared.TABLES:
        if table.name in _TABLE_CAPTIONS:
            ws.write_string(table.first_row - 2, 0, _TABLE_CAPTIONS[table.name], formats.heading)
    _mark_model(ws, formats)
    for chart in CHARTS:
        position = {"x_offset": chart.x_offset, "y_offset": 2, "description": chart.alt_text}
        ws.insert_chart(chart.cell, draw(book, chart), position | {"object_position": 3})
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.set_print_scale(_SCALE)
    ws.set_h_pagebreaks(list(declared.PAGE_ENDS[:-1]))
    ws.print_area(0, 0, declared.PAGE_ENDS[-1] - 1, declared.COLUMNS - 1)
    ws.center_horizontally()


def _texts(ws: Worksheet, formats: Formats) -> None:
    caption = formats.get(bold=True, font_size=11, font_color=BLUE, valign="vcenter")
    sentence = formats.get(valign="vcenter")
    measure = formats.get(bold=True, valign="vcenter")
    small = formats.get(font_color=GREY, valign="vcenter")
    for row, text in _CAPTIONS.items():
        ws.write_string(row - 1, 0, text, caption)
    first = {
        "backtest": declared.NO_BACKTEST,
        "tracking": declared.NO_TRACKING,
        "control": declared.NO_CONTROL,
    }
    for name, area in declared.SENTENCES.items():
        top = area.corner[0]
        for row in range(top, top + area.rows):
            ws.write_blank(row, 0, None, measure)
            ws.write_blank(row, 1, None, sentence)
        ws.write_string(top, 0, declared.NOTHING_YET, measure)
        ws.write_string(top, 1, first[name], sentence)
    for name, area in declared.NOTES.items():
        ws.write_string(area.cell, _TOLD_NOTE if name == "told" else _RUN_NOTE, small)
    ws.write_string(declared.SCORES_ROW, 0, _SCORES_NOTE, small)


def _mark_model(ws: Worksheet, formats: Formats) -> None:
    """Set this model's row apart, so that each measure's three methods stand together."""
    scores = declared.SCORES
    top, last = scores.first_row + 1, scores.first_row + scores.room
    model = formats.get(bold=True, top=1, top_color=RULE)
    rule = {
        "type": "formula",
        "criteria": f'=$B{top}="{declared.METHOD_WORDS["model"]}"',
        "format": model,
    }
    ws.conditional_format(f"A{top}:H{last}", rule)


def _links(ws: Worksheet, formats: Formats) -> None:
    """Lead to the tables, which stand far below."""
    link = formats.get(font_color=BLUE, underline=1, valign="vcenter")
    label = formats.get(font_color=GREY, valign="vcenter")
    ws.write_string(_LINK_ROW - 1, 0, "The tables on this sheet:", label)
    targets: tuple[tuple[int, TableSpec, str], ...] = (
        (1, declared.SCORES, "Scores"),
        (2, declared.CONTROL, "Control charts"),
        (4, declared.BACKTEST, "Back-test"),
        (6, declared.PAST_FORECASTS, "Earlier forecasts"),
    )
    for column, table, text in targets:
        place = f"internal:'{declared.SHEET}'!A{table.first_row}"
        ws.write_url(_LINK_ROW - 1, column, place, link, text, f"Go to table {table.name}")


def data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the headings and formats of the blocks that the charts are bound to."""
    del spec, book
    head = declared.HEADING_ROW - 1
    day, count = formats.get(num_format="mmm yyyy"), formats.output(Style.NUMBER)
    share = formats.output(Style.SHARE_FINE)
    for block in declared.BLOCKS:
        left = block.corner[1]
        is_dated = declared.HEADINGS[block.name][0] == "month"
        ws.write_string(head - 1, left, block.name, formats.heading)
        ws.set_column(left, left, 12 if is_dated else 24)
        ws.set_column(left + 1, left + block.columns - 1, 14)
        ws.set_column(left + block.columns, left + block.columns, 3)
        for offset, text in enumerate(declared.HEADINGS[block.name]):
            ws.write_string(head, left + offset, text, formats.column_heading)
            style = (count if is_dated else share) if offset else day
            for row in range(head + 1, head + block.rows):
                ws.write_blank(row, left + offset, None, style)
        if not is_dated:
            for row, words in enumerate(MEASURE_NAMES.values(), start=head + 1):
                ws.write_string(row, left, words, formats.get())
    ws.freeze_panes(declared.HEADING_ROW, 0)
