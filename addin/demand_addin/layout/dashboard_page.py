"""How the Dashboard looks: two landscape pages of A4, laid out to the pixel."""

from __future__ import annotations

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import what_changed
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.charts import CHARTS, draw
from demand_addin.layout.declare import Area, SheetSpec
from demand_addin.layout.styles import BLUE, GREY, MAROON, RULE, Formats

COLUMNS = 12
_LAST_ROW = 80
_PAGE_BREAK = 40
_SCALE = 79
_COLUMN_PIXELS = (190, 52, 98, *(96, 96, 108) * 3)
_ROW_PIXELS: dict[int, int] = {
    1: 34,
    **dict.fromkeys((2, 3, 16, 17), 18),
    **dict.fromkeys((4, 34, 41, 54, 67), 8),
    11: 24,
    12: 36,
    **dict.fromkeys((13, 14, 15), 28),
    **dict.fromkeys(range(19, 34), 24),
    **dict.fromkeys(range(36, 41), 17),
    **dict.fromkeys(range(43, 54), 28),
}
"""Heights in pixels of rows that are not 21."""

_NUMBERS_ROW = 12
_MAIN_COLUMNS = (1, 3, 6, 9)
"""0-based columns of today's figure and the forecasts, which are read first."""


def dashboard(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the Dashboard."""
    for column, pixels in enumerate(_COLUMN_PIXELS):
        ws.set_column_pixels(column, column, pixels)
    for row in range(_LAST_ROW):
        ws.set_row_pixels(row, _ROW_PIXELS.get(row + 1, 21))
    _texts(ws, formats)
    headlines = next(area for area in spec.areas if area.name == "dash_headlines")
    _headlines(ws, formats, headlines)
    _numbers(ws, formats)
    for chart in CHARTS:
        position = {"x_offset": chart.x_offset, "y_offset": 2, "description": chart.alt_text}
        ws.insert_chart(chart.cell, draw(book, chart), position | {"object_position": 3})
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.set_print_scale(_SCALE)
    ws.set_h_pagebreaks([_PAGE_BREAK])
    ws.print_area(0, 0, _LAST_ROW - 1, COLUMNS - 1)
    ws.center_horizontally()


def _texts(ws: Worksheet, formats: Formats) -> None:
    caption = formats.get(bold=True, font_size=11, font_color=BLUE, valign="vcenter")
    small = formats.get(font_color=GREY, valign="vcenter")
    ws.write_string("A3", "No forecast yet: see sheet Start.", formats.get(font_color=GREY))
    changed = formats.get(font_size=11, font_color=BLUE, valign="vcenter")
    ws.write_blank(what_changed.DASHBOARD_LINE.cell, None, changed)
    for row in (16, 17, *range(36, 41)):
        ws.write_blank(f"A{row}", None, small)
    for cell, text in (
        ("A18", "Past and forecast"),
        ("A35", "What these numbers rest on"),
        ("A42", "Scenarios compared"),
        ("A55", "Hidden need"),
        ("G55", "Children in care by placement"),
        ("A68", "Protection plans starting and ending each month"),
        ("G68", "Children starting and leaving care each month"),
    ):
        ws.write_string(cell, text, caption)


def _headlines(ws: Worksheet, formats: Formats, area: Area) -> None:
    """Format the sentences; a caution, which begins with words that say so, stands out."""
    top, column = area.corner
    for row in range(top, top + area.rows):
        ws.write_blank(row, column, None, formats.get(font_size=11, valign="vcenter"))
    rule = {
        "type": "text",
        "criteria": "begins with",
        "value": "Take care",
        "format": formats.get(bold=True, font_color=MAROON),
    }
    ws.conditional_format(top, column, top + area.rows - 1, column, rule)


def _numbers(ws: Worksheet, formats: Formats) -> None:
    """Format the headline table: its headings are written by runs too."""
    top = _NUMBERS_ROW - 1
    style: dict[str, object] = {
        "bold": True, "font_color": "#FFFFFF", "bg_color": BLUE, "valign": "vcenter",
        "text_wrap": True,
    }  # fmt: skip
    heads = ["Measure", "Today", "Against a\nyear ago"]
    for lead in (6, 12, 24):
        heads += [f"In {lead} months", f"Range in\n{lead} months", f"Against today,\n{lead} months"]
    for column, text in enumerate(heads):
        aligned = {"align": "right"} if column else {}
        ws.write_string(top, column, text, formats.get(**style, **aligned))
    line: dict[str, object] = {"bottom": 1, "bottom_color": RULE, "valign": "vcenter"}
    for row in range(top + 1, top + 4):
        ws.write_blank(row, 0, None, formats.get(bold=True, **line))
        for column in range(1, COLUMNS):
            is_main = column in _MAIN_COLUMNS
            size = {"font_size": 14, "bold": True} if is_main else {}
            cell = formats.get(num_format="#,##0", align="right", **size, **line)
            ws.write_blank(row, column, None, cell)
    # A short horizon fills fewer columns: their headings are no headings then.
    last = column_letters(COLUMNS)
    rule = {
        "type": "blanks",
        "format": formats.get(bg_color="#FFFFFF", font_color=BLUE),
    }
    ws.conditional_format(f"A{_NUMBERS_ROW}:{last}{_NUMBERS_ROW}", rule)
