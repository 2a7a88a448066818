"""What some sheets hold beyond tables and settings: guide, checks, Dashboard, chart data."""

from __future__ import annotations

from itertools import pairwise

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import chart_data as blocks
from demand_addin.layout import what_changed
from demand_addin.layout.charts import CHARTS, draw
from demand_addin.layout.declare import SheetSpec, Style
from demand_addin.layout.sheets import CHECKS, area
from demand_addin.layout.styles import BLUE, GREY, RULE, Formats
from demand_addin.layout.tables import FINDINGS, ROW_TALLIES, WINDOWS
from demand_model.annex_a.lists import LISTS, Need
from demand_model.annex_a.lists import Kind as FieldKind

SETTINGS_ROW = 6
"""1-based row of the first setting."""

NOT_RUN = "Not run yet"

LAID_OUT = frozenset({"Dashboard", "Accuracy", "What-if", "What-if workings"})
"""Sheets whose pages are laid out to the pixel, and so printed as they say themselves."""

_DASH_SCALE = 79
_DASH_ROWS: dict[int, int] = {
    1: 34,
    **dict.fromkeys((2, 3, 16), 18),
    **dict.fromkeys((4, 17, 34, 41, 54, 67), 8),
    11: 24,
    **dict.fromkeys(range(19, 34), 25),
    **dict.fromkeys(range(36, 41), 17),
    **dict.fromkeys(range(43, 54), 28),
}
"""Heights in pixels of the Dashboard's rows that are not 21."""

_PAGE_BREAK = 40

_STEPS = (
    ("1", "Paste", "Paste Lists 3, 7 and 8 of your Annex A extract into their sheets, "
     "or use: csc-demand import"),
    ("2", "Set", "Look at the blue cells on sheets Settings and Scenarios; all have defaults"),
    ("3", "Run", "Save and close the workbook, then use: csc-demand run"),
    ("4", "Check", "Read sheet Checks; settle unknown spellings on sheet Mapping; run again"),
    ("5", "Use", "Take the charts and figures from sheet Dashboard; the table behind them is on "
     "sheet Forecast"),
)  # fmt: skip
_LINKS = {
    "List 3": "Paste: referrals",
    "List 7": "Paste: child protection plans",
    "List 8": "Paste: children in care",
    "History": "Paste, if you have them: your own monthly counts",
    "Mapping": "Input: spellings to settle once",
    "Settings": "Input: census date, horizon, what is shown",
    "Scenarios": "Input: lockdowns and other changes",
    "Checks": "Output: what was found in the lists",
    "Rates": "Output: fitted rates, with room for your own",
    "Forecast": "Output: every figure, as a tidy table",
    "Dashboard": "Output: headlines and charts, two A4 pages",
    "What-if": "Input: change a blue cell and see the average forecast move at once",
    "Accuracy": "Output: how far to trust the forecast",
    "What changed": "Output: why this forecast is not the last one",
    "Memory": "Kept by the model: what earlier runs saw and said",
    "Run log": "Output: one row a run",
    "Chart data": "Helper: what the Dashboard's charts draw",
    "Accuracy data": "Helper: what the charts of sheet Accuracy draw",
    "What-if workings": "Helper: the formulas behind sheet What-if",
    "What-if data": "Helper: what those formulas add up",
}


def column_index(cell: str) -> int:
    """Return the 0-based column of an address.

    >>> column_index("AB7")
    27
    """
    number = 0
    for letter in cell.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number - 1


def start(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the guide: where things stand, five steps, key, links."""
    del spec, book
    ws.set_column(0, 0, 6)
    ws.set_column(1, 1, 22)
    ws.set_column(2, 2, 96)
    ws.write_string("A5", "Where things stand", formats.heading)
    for name, label in (
        ("start_authority", "Authority"),
        ("start_census_date", "Census date"),
        ("start_last_run", "Last command"),
    ):
        cell = area(name).cell
        ws.write_string(f"B{cell[1:]}", label, formats.get(bold=True))
        ws.write_string(cell, "not known yet", formats.get())
    ws.write_string("A10", "Five steps", formats.heading)
    for row, (number, verb, text) in enumerate(_STEPS, start=10):
        ws.write_string(row, 0, number, formats.get(bold=True, font_color=BLUE))
        ws.write_string(row, 1, verb, formats.get(bold=True, font_color=BLUE))
        ws.write_string(row, 2, text, formats.get())
    ws.write_string("A17", "Key", formats.heading)
    ws.write_string("B18", "Input", formats.input(Style.TEXT))
    ws.write_string("C18", "Blue on light blue with a border: yours to change", formats.get())
    ws.write_string("B19", "Output", formats.get())
    ws.write_string("C19", "Black on white: written by the model", formats.get())
    ws.write_string("B20", "Heading", formats.column_heading)
    ws.write_string(
        "C20", "Select a heading or a blue cell: a note says what it means", formats.get()
    )
    ws.write_string("A22", "Sheets", formats.heading)
    link = formats.get(font_color=BLUE, underline=1)
    for row, (name, text) in enumerate(_LINKS.items(), start=22):
        ws.write_url(row, 1, f"internal:'{name}'!A1", link, name, f"Go to sheet {name}")
        ws.write_string(row, 2, text, formats.get())
    for row, text in enumerate(
        (
            "The lists hold children's data: keep this workbook where such data belong. "
            "No other sheet holds a row about a child.",
            "Protected sheets have no password (Review, Unprotect Sheet). Your own sheets, "
            "charts and notes are left alone by every run.",
        ),
        start=23 + len(_LINKS),
    ):
        ws.write_string(row, 1, text, formats.note)


def paste(ws: Worksheet, spec: SheetSpec, formats: Formats) -> None:
    """Draw a paste sheet: the official headings in row 1, dates formatted as dates."""
    fields = LISTS[spec.list_number or 0].fields
    needed = formats.column_heading
    others = formats.get(bold=True, font_color=GREY, bg_color="#E7EBF0", text_wrap=True)
    ws.set_row(0, 48)
    ws.freeze_panes(1, 0)
    for index, field in enumerate(fields):
        is_date = field.kind is FieldKind.DATE
        style = formats.get(num_format="dd/mm/yyyy", locked=False) if is_date else formats.free
        ws.set_column(index, index, 16, style)
        is_used = field.need is not Need.CARRIED
        ws.write_string(0, index, field.heading, needed if is_used else others)
        message = {
            Need.NEEDED: "The model needs this column.",
            Need.WANTED: "The model uses this column where it is filled.",
            Need.CARRIED: "The model does not use this column.",
        }[field.need]
        prompt = {"validate": "any", "input_title": "Annex A", "input_message": message}
        ws.data_validation(0, index, 0, index, prompt)


def checks(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the master check, the live checks behind it, and the tables' headings."""
    del book
    widths = (14, 14, 12, 34, 28, 12, 10, 110)
    for index, width in enumerate(widths):
        ws.set_column(index, index, width)
    ws.set_column(len(widths), len(widths) + 20, 12, formats.free)
    parts = "+".join(f'({name}="Look")' for name in CHECKS)
    unknown = "+".join(f'({name}="Not run")' for name in CHECKS)
    master = (
        f'=IF({unknown}>0,"{NOT_RUN}",IF({parts}=0,"All checks pass",'
        f'({parts})&" of {len(CHECKS)} checks need a look: see sheet Checks"))'
    )
    ws.write_formula("A2", master, formats.status, NOT_RUN)
    ws.write_string("A4", "Live checks", formats.heading)
    ws.write_string("A5", "Result", formats.column_heading)
    ws.write_string("B5", "Check", formats.column_heading)
    for column in range(2, 5):
        ws.write_blank(4, column, None, formats.column_heading)
    for name, formula in _check_formulas().items():
        cell = area(name).cell
        ws.write_formula(cell, formula, formats.get(bold=True), "Not run")
        ws.write_string(f"B{cell[1:]}", CHECKS[name], formats.get())
    for table, text in (
        (WINDOWS, "What each list covers"),
        (ROW_TALLIES, "Rows found, used and set aside"),
        (FINDINGS, "Findings: most need no action; each says what was done"),
    ):
        ws.write_string(table.first_row - 2, 0, text, formats.heading)
    look = formats.get(bold=True, font_color="#FFFFFF", bg_color="#801650")
    fine = formats.get(bold=True, font_color="#0B5D55")
    results = f"A6:A{5 + len(CHECKS)}"
    for word, style in (("Look", look), ("OK", fine)):
        rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": style}
        ws.conditional_format(results, rule)
    del spec


def _check_formulas() -> dict[str, str]:
    """Return the live checks as formulas; `plan` computes the same results."""
    need = area("chart_hidden_need")
    first, top = column_index(need.cell), blocks.HEADING_ROW + 1
    bottom = blocks.HEADING_ROW + blocks.CHART_ROWS
    made, back, never, hidden = (
        f"'Chart data'!${blocks.column_letters(first + 1 + i)}${top}"
        f":${blocks.column_letters(first + 1 + i)}${bottom}"
        for i in range(1, 5)
    )
    no_lists = "COUNT(row_tallies[found])=0"
    no_forecast = "COUNT(forecast[month_end])=0"
    steps = ("p2_5", "p10", "p25", "p50", "p75", "p90", "p97_5")
    disorder = "+".join(
        f"SUMPRODUCT(--(forecast[{low}]>forecast[{high}]))" for low, high in pairwise(steps)
    )
    return {
        "check_rows": f'=IF({no_lists},"Not run",IF(SUMPRODUCT(--(row_tallies[found]<>'
        'row_tallies[used]+row_tallies[set_aside]))=0,"OK","Look"))',
        "check_stops": f'=IF({no_lists},"Not run",IF(COUNTIF(findings[severity],"stop")=0,'
        '"OK","Look"))',
        "check_order": f'=IF({no_forecast},"Not run",IF({disorder}=0,"OK","Look"))',
        "check_hidden": f'=IF({no_forecast},"Not run",IF(SUMPRODUCT(--(ABS({made}-{back}-{never}'
        f'-{hidden})>0.5))=0,"OK","Look"))',
        "check_settings": '=IF(COUNTA(settings_at_last_run)=0,"Not run",IF(SUMPRODUCT(--'
        '(settings_value<>settings_at_last_run))=0,"OK","Look"))',
    }


def dashboard(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the Dashboard: two landscape pages of A4, laid out to the pixel."""
    del spec
    ws.set_column_pixels(0, 0, 204)
    ws.set_column_pixels(1, 1, 69)
    ws.set_column_pixels(2, 10, 103)
    for row in range(80):
        ws.set_row_pixels(row, _DASH_ROWS.get(row + 1, 21))
    _dash_texts(ws, formats)
    _dash_numbers(ws, formats)
    for chart in CHARTS:
        ws.insert_chart(
            chart.cell,
            draw(book, chart),
            {
                "x_offset": chart.x_offset,
                "y_offset": 2,
                "description": chart.alt_text,
                "object_position": 3,
            },
        )
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.set_print_scale(_DASH_SCALE)
    ws.set_h_pagebreaks([_PAGE_BREAK])
    ws.print_area(0, 0, 79, 10)
    ws.center_horizontally()


def _dash_texts(ws: Worksheet, formats: Formats) -> None:
    caption = formats.get(bold=True, font_size=11, font_color=BLUE, valign="vcenter")
    beside = formats.get(bold=True, font_size=11, font_color=BLUE, valign="vcenter", indent=2)
    sentence = formats.get(font_size=11, valign="vcenter")
    small = formats.get(font_size=9, font_color=GREY, valign="vcenter")
    ws.write_string("A3", "No forecast yet: see sheet Start.", formats.get(font_color=GREY))
    for row in range(5, 11):
        ws.write_blank(f"A{row}", None, sentence)
    ws.write_blank(what_changed.DASHBOARD_LINE.cell, None, formats.get(font_color=BLUE))
    ws.write_blank("A16", None, small)
    ws.write_string("A18", "Past and forecast", caption)
    ws.write_string("A35", "What these numbers rest on", caption)
    for row in range(36, 40):
        ws.write_blank(f"A{row}", None, small)
    ws.write_string("A42", "Scenarios compared", caption)
    ws.write_string("A55", "Hidden need", caption)
    ws.write_string("F55", "Children in care by placement", beside)
    ws.write_string("A68", "Protection plans starting and ending each month", caption)
    ws.write_string("F68", "Children starting and leaving care each month", beside)


def _dash_numbers(ws: Worksheet, formats: Formats) -> None:
    """Format the headline table: its headings are written by runs too."""
    ws.set_row_pixels(11, 36)
    head = formats.get(
        bold=True, font_size=9, font_color="#FFFFFF", bg_color=BLUE, text_wrap=True,
        align="right", valign="vcenter",
    )  # fmt: skip
    first = formats.get(
        bold=True, font_size=9, font_color="#FFFFFF", bg_color=BLUE, valign="vcenter"
    )
    heads = ["Measure", "Today"]
    for lead in (6, 12, 24):
        heads += [f"In {lead} months", f"Range in {lead} months", f"Against today, {lead} months"]
    for column, text in enumerate(heads):
        ws.write_string(11, column, text, head if column else first)
    line = {"bottom": 1, "bottom_color": RULE, "valign": "vcenter"}
    for row in range(12, 15):
        ws.set_row_pixels(row, 24)
        ws.write_blank(row, 0, None, formats.get(bold=True, **line))
        for column in range(1, 11):
            is_main = column == 1 or column % 3 == 2
            style = formats.get(
                num_format="#,##0",
                align="right",
                font_size=11 if is_main else 9,
                bold=is_main,
                **line,
            )
            ws.write_blank(row, column, None, style)


def chart_data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the blocks' headings and formats."""
    del spec, book
    day = formats.get(num_format="mmm yyyy")
    count = formats.output(Style.NUMBER)
    bottom = blocks.HEADING_ROW + blocks.CHART_ROWS
    for block in blocks.BLOCKS:
        left = column_index(block.cell)
        ws.write_string(blocks.HEADING_ROW - 2, left, block.name, formats.heading)
        ws.set_column(left, left, 12)
        ws.set_column(left + 1, left + block.columns - 1, 14)
        ws.set_column(left + block.columns, left + block.columns, 3)
        for offset, text in enumerate(blocks.HEADINGS[block.name]):
            ws.write_string(blocks.HEADING_ROW - 1, left + offset, text, formats.column_heading)
            for row in range(blocks.HEADING_ROW, bottom):
                ws.write_blank(row, left + offset, None, count if offset else day)
    names = blocks.SCENARIO_NAMES
    left = column_index(names.cell)
    ws.set_column(left, left, 36)
    ws.write_string(blocks.HEADING_ROW - 1, left, "Scenario names", formats.column_heading)
    for row in range(names.rows):
        ws.write_blank(blocks.HEADING_ROW + row, left, None, formats.get())
    what_changed.draw_blocks(ws, formats)
    ws.freeze_panes(blocks.HEADING_ROW, 0)
