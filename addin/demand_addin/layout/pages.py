"""What some sheets hold beyond tables and settings: guide, checks, Dashboard, chart data."""

from __future__ import annotations

from itertools import pairwise

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import chart_data as blocks
from demand_addin.layout import what_changed
from demand_addin.layout.declare import Kind, SheetSpec, Style
from demand_addin.layout.sheets import CHECKS, FEW_MONTHS, FEW_REFERRALS, SHEETS, area
from demand_addin.layout.styles import BLUE, GREY, MAROON, Formats
from demand_addin.layout.tables import FINDINGS, ROW_TALLIES, WINDOWS
from demand_model.annex_a.lists import Kind as FieldKind
from demand_model.annex_a.lists import Need
from demand_model.annex_a.lists_of_need import ALL_LISTS

SETTINGS_ROW = 6
"""1-based row of the first setting."""

NOT_RUN = "Not run yet"

LAID_OUT = frozenset(
    {
        "Dashboard",
        "Accuracy",
        "What-if",
        "System",
        "Costs",
        "Workforce",
        "Journeys",
        "Maps",
        "Lever choices",
        "Levers",
    }
)
"""Sheets whose pages are laid out to the pixel, and so printed as they say themselves."""

_STEPS = (
    (
        "Paste",
        "List 3",
        "Paste Lists 3, 7 and 8 of your Annex A extract into their sheets, each with its headings;",
        "or press Import lists on the tab Demand model, or type: csc-demand import",
    ),
    (
        "Set",
        "Settings",
        "Type your authority's name. All other blue cells have defaults that work; scenarios",
        "such as another lockdown stand on sheet Scenarios.",
    ),
    (
        "Check",
        "Checks",
        "Press Check, or type: csc-demand check. Settle unknown spellings on sheet Mapping, and",
        "mend what is marked stop in the list itself; then check again.",
    ),
    (
        "Run",
        "Dashboard",
        "Press Run on the tab Demand model;",
        "or save and close this workbook, then use the launcher or type: csc-demand run",
    ),
    (
        "Use",
        "Dashboard",
        "Print the Dashboard (two pages of A4), try changes on sheet What-if, and look at",
        "sheet Accuracy before you rely on it. Every figure is on sheet Forecast.",
        "What could be done: fill in sheet Lever choices, then press Levers, or type:",
        "csc-demand levers. Sheet Levers has what each would do, and what a goal takes.",
    ),
)
"""Verb, the sheet it leads to, and two lines of what to do; of the last step four."""

_ABOUT = {
    "List 3": "referrals",
    "List 4": "assessments (optional)",
    "List 6": "children in need (optional)",
    "List 7": "child protection plans",
    "List 8": "children in care",
    "History": "if you have them: your own monthly counts",
    "Mapping": "spellings to settle once",
    "Settings": "census date, horizon, what is shown",
    "Scenarios": "lockdowns and other changes",
    "System": "costs, workforce and feedback: what the lists cannot tell",
    "Lever choices": "what could be done, how much of it, and goals",
    "Checks": "what was found in the lists",
    "Rates": "fitted rates, with room for your own",
    "Forecast": "every figure, as a tidy table",
    "Dashboard": "headlines and charts, two A4 pages",
    "What-if": "change a blue cell and see the average forecast move at once",
    "Costs": "where children in care live, and what it costs",
    "Workforce": "cases per social worker, and the workers needed",
    "Levers": "what each lever would do, and what else it would do",
    "Journeys": "where children go from a referral, and how long it takes",
    "Maps": "stocks and flows with their numbers, and the loops between them",
    "Accuracy": "how far to trust the forecast",
    "What changed": "why this forecast is not the last one",
    "Memory": "what earlier runs saw and said, kept by the model",
    "Run log": "one row a run",
    "Chart data": "what the Dashboard's charts draw",
    "Accuracy data": "what the charts of sheet Accuracy draw",
    "Costs data": "what the charts of sheet Costs draw",
    "Workforce data": "what the charts of sheet Workforce draw",
    "Levers data": "what the charts of sheet Levers draw",
    "Journeys data": "what the charts of sheet Journeys draw",
    "Maps data": "what the charts of sheet Maps draw",
    "What-if workings": "the formulas behind sheet What-if",
    "What-if data": "what those formulas add up",
}
"""A sheet in few words; one that is not named here is told by its own first sentence."""

_KINDS = {
    Kind.PASTE: "Paste",
    Kind.INPUT: "Input",
    Kind.OUTPUT: "Output",
    Kind.HELPER: "Helper",
}
_WAYS_BACK = {
    "Checks": "A3",
    "Dashboard": "L2",
    "Accuracy": "I4",
    "What-if": "F2",
    "Chart data": "F2",
    "Accuracy data": "F2",
}
"""Where the way back to Start stands, on sheets whose fourth row is taken."""


PRINTS_TOP_ONLY = (
    "Only these lines are printed. To print a part of the sheet, select it and choose Print "
    "Selection."
)


def print_note_cell(spec: SheetSpec) -> str:
    """Return where a sheet says that it prints its top only: beside the way back to Start."""
    return "H2" if spec.name in _WAYS_BACK else "C4"


def basis(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the cells in which a run says what the sheet's figures rest on."""
    del book
    for place in spec.areas:
        row, column = place.corner
        for offset in range(place.rows):
            ws.write_blank(row + offset, column, None, formats.note)


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
    ws.set_column(0, 0, 4)
    ws.set_column(1, 1, 20)
    ws.set_column(2, 2, 84)
    ws.write_string("A5", "Where things stand", formats.heading)
    for name, label, first in (
        ("start_authority", "Authority", "not known yet"),
        ("start_census_date", "Census date", "not known yet"),
        ("start_last_run", "Last run or check", NOT_RUN),
        ("start_says", "What it says", "Nothing yet: follow the five steps."),
    ):
        cell = area(name).cell
        ws.write_string(f"B{cell[1:]}", label, formats.get(bold=True))
        ws.write_string(cell, first, formats.get())
    ws.write_string("A11", "Five steps", formats.heading)
    number = formats.get(bold=True, font_color=BLUE, align="center")
    for index, (verb, sheet, *lines) in enumerate(_STEPS):
        row = 11 + 2 * index
        ws.write_number(row, 0, index + 1, number)
        _lead_to(ws, row, 1, sheet, verb, formats)
        for offset, text in enumerate(lines):
            ws.write_string(row + offset, 2, text, formats.get())
    first_row = _key(ws, formats, 11 + 2 * len(_STEPS) + 3)
    ws.write_string(first_row, 0, "Sheets", formats.heading)
    others = [spec for spec in SHEETS if spec.kind is not Kind.GUIDE]
    for row, other in enumerate(others, start=first_row + 1):
        about = _ABOUT.get(other.name, other.purpose.partition(".")[0])
        _lead_to(ws, row, 1, other.name, other.name, formats)
        ws.write_string(row, 2, f"{_KINDS[other.kind]}: {about}", formats.get())
    for row, text in enumerate(_GOOD_TO_KNOW, start=first_row + 2 + len(others)):
        ws.write_string(row, 1, text, formats.note)


_GOOD_TO_KNOW = (
    "The lists hold children's data: keep this workbook where such data belong.",
    "No other sheet holds a row about a child.",
    "Protected sheets have no password (Review, Unprotect Sheet). Your own sheets, charts and",
    "notes are left alone by every run.",
    "To print the paper for a board: sheet Dashboard, two pages of A4. The entire workbook takes",
    "some 60 pages; of lists, long tables and helper sheets only the headings are printed.",
)


def _key(ws: Worksheet, formats: Formats, row: int) -> int:
    """Draw the key to colours, each with its words; return the row below it."""
    ws.write_string(row, 0, "Key to colours", formats.heading)
    helper = formats.get(bold=True, font_color="#FFFFFF", bg_color=GREY)
    for offset, (name, style, text) in enumerate(
        (
            ("Input", formats.input(Style.TEXT), "Blue on light blue, with a border: yours to "
             "change. Select it: a note says what it takes."),
            ("Output", formats.get(), "Black on white: written by the model. Do not type here."),
            ("Heading", formats.column_heading, "White on dark blue. Select it: a note says what "
             "the column holds."),
            ("Take care", formats.get(bold=True, font_color=MAROON), "Bold and dark red: read it "
             "before you use a figure."),
            ("Grey tab", helper, "Helper sheets, which charts and formulas read: leave as they "
             "are."),
        ),
        start=1,
    ):  # fmt: skip
        ws.write_string(row + offset, 1, name, style)
        ws.write_string(row + offset, 2, text, formats.get(indent=1, align="left"))
    return row + 7


def _lead_to(ws: Worksheet, row: int, column: int, sheet: str, text: str, formats: Formats) -> None:
    ws.write_url(row, column, f"internal:'{sheet}'!A1", formats.link, text, f"Go to sheet {sheet}")


def way_back(ws: Worksheet, spec: SheetSpec, formats: Formats) -> None:
    """Lead back to sheet Start; a paste sheet holds nothing but its list."""
    if spec.list_number is not None:
        return
    cell = _WAYS_BACK.get(spec.name, "A4")
    row, column = int(cell.lstrip("ABCDEFGHIJKL")) - 1, column_index(cell)
    _lead_to(ws, row, column, "Start", "Back to Start", formats)


def paste(ws: Worksheet, spec: SheetSpec, formats: Formats) -> None:
    """Draw a paste sheet: the official headings in row 1, dates formatted as dates."""
    fields = ALL_LISTS[spec.list_number or 0].fields
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
        f'({parts})&" of {len(CHECKS)} checks "&IF({parts}=1,"needs","need")'
        '&" a look: see sheet Checks"))'
    )
    ws.write_formula("A2", master, formats.status, NOT_RUN)
    ws.write_string("A4", "Live checks", formats.heading)
    ws.write_string("A5", "Result", formats.column_heading)
    ws.write_string("B5", "Check", formats.column_heading)
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
        "check_months": '=IF(COUNT(windows[months])=0,"Not run",'
        f"IF((MIN(windows[months])<{FEW_MONTHS})+"
        'SUMPRODUCT((row_tallies[list]="List 3")*(row_tallies[used]<'
        f'{FEW_REFERRALS}))>0,"Look","OK"))',
    }


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
