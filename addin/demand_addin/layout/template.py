"""The template: every sheet drawn once from its declaration; runs write values only."""

from __future__ import annotations

import copy
import io
import math
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import (
    accuracy_page,
    costs_page,
    dashboard_page,
    journeys,
    lever_choices_page,
    levers_page,
    maps,
    odds,
    pages,
    system_page,
    what_changed,
    what_if_page,
    what_if_workings,
    workforce_page,
)
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, Kind, Setting, SheetSpec, Style, TableSpec
from demand_addin.layout.prompts import LONGEST_TEXT, rule_of
from demand_addin.layout.sheets import SHEETS
from demand_addin.layout.styles import GREY, TABS, Formats
from demand_addin.ports import CellValue
from demand_addin.scenario_sheet import scenario_rows
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.simulation.presets import presets

_MADE = datetime(2026, 1, 1)  # noqa: DTZ001  (a fixed stamp: the same template, byte for byte)
_ANY_CENSUS = date(2026, 3, 31)
_ZIP_STAMP = (2026, 1, 1, 0, 0, 0)
_INPUT_ROWS = 500
"""Rows below an input table's headings that carry input style and prompts."""

_TOP_ROWS, _TOP_COLUMNS = 4, 14
"""What is printed of a sheet that is too long to print."""
_LINE_HEIGHT = 13.5
_PAGE_WIDTH = 230
"""Characters across a landscape page of A4, in the smallest print that can be read."""

_PROTECTION = {
    "objects": True,
    "scenarios": True,
    "format_cells": True,
    "format_columns": True,
    "format_rows": True,
    "sort": True,
    "autofilter": True,
    "pivot_tables": True,
    "insert_hyperlinks": True,
}
_BOOK_OPTIONS: dict[str, object] = {
    "in_memory": True,
    "strings_to_formulas": False,
    # Arial has the same widths in LibreOffice's stand-in: pages break in the same places.
    # Without a scheme: Excel would else show the theme's font.
    "default_format_properties": {"font_name": "Arial", "font_size": 10, "font_scheme": "none"},
}

_PROPERTIES = {
    "author": "csc-demand",
    "subject": "Forecasts of referrals, child protection plans and children in care",
}
_LANGUAGE = b"en-GB"

PAGES: Mapping[str, Callable[[Worksheet, SheetSpec, Formats, xlsxwriter.Workbook], None]] = {
    "Start": pages.start,
    "Checks": pages.checks,
    "Rates": pages.basis,
    "Forecast": pages.basis,
    "Dashboard": dashboard_page.dashboard,
    "Chart data": pages.chart_data,
    "Scenarios": odds.page,
    "System": system_page.page,
    "Costs": costs_page.page,
    "Costs data": costs_page.data,
    "Lever choices": lever_choices_page.page,
    "Levers": levers_page.page,
    "Levers data": levers_page.data,
    "Workforce": workforce_page.page,
    "Workforce data": workforce_page.data,
    "Journeys": journeys.page,
    "Journeys data": journeys.data,
    "Maps": maps.page,
    "Maps data": maps.data,
    "What changed": what_changed.page,
    "Accuracy": accuracy_page.report,
    "Accuracy data": accuracy_page.data,
    "What-if": what_if_page.page,
    "What-if workings": what_if_workings.page,
    "What-if data": what_if_page.data_page,
}
"""What a sheet holds beyond its tables and settings."""

DRAWN_BY_PAGE = frozenset({"System", "Lever choices"})
"""Sheets whose page draws their tables too."""


def build_template(path: Path, *, scenarios: Sequence[Sequence[CellValue]] | None = None) -> None:
    """Write an empty workbook, ready for three lists.

    Parameters
    ----------
    path
        Where; an existing file is replaced.
    scenarios
        Rows of table `scenarios`; by default the engine's presets.
    """
    rows = {
        "scenarios": preset_rows() if scenarios is None else scenarios,
        odds.SCENARIO_ODDS.name: odds.odds_rows(),
    }
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, copy.deepcopy(_BOOK_OPTIONS))
    book.set_properties(_PROPERTIES | {"title": SHEETS[0].title, "created": _MADE})
    book.set_calc_mode("auto")
    formats = Formats(book)
    made = {spec.name: book.add_worksheet(spec.name) for spec in SHEETS}
    _define_names(book)
    for spec in SHEETS:
        _draw_sheet(book, made[spec.name], spec, formats, rows)
    made["Start"].activate()
    book.close()
    path.write_bytes(_finished(buffer.getvalue()))


def preset_rows() -> tuple[tuple[CellValue, ...], ...]:
    """Return the engine's presets as rows, in months after whatever the census date will be."""
    return scenario_rows(presets(_ANY_CENSUS), _ANY_CENSUS)


def _define_names(book: xlsxwriter.Workbook) -> None:
    for spec in SHEETS:
        quoted = spec.name if spec.name.isalnum() else f"'{spec.name}'"
        for area in spec.areas:
            book.define_name(area.name, f"={quoted}!{area_reference(area)}")
        for row, setting in enumerate(spec.settings, start=pages.SETTINGS_ROW):
            book.define_name(setting.name, f"={quoted}!$B${row}")
        if spec.shows_status:
            book.define_name(spec.status_name, f"={quoted}!$A$2")


def area_reference(area: Area) -> str:
    """Return the absolute reference of an area.

    >>> area_reference(Area(name="x", cell="B4", rows=2, columns=3))
    '$B$4:$D$5'
    """
    letters = area.cell.rstrip("0123456789")
    row = int(area.cell[len(letters) :])
    start = f"${letters}${row}"
    if area.rows == area.columns == 1:
        return start
    last = column_letters(pages.column_index(area.cell) + area.columns)
    return f"{start}:${last}${row + area.rows - 1}"


def _draw_sheet(
    book: xlsxwriter.Workbook,
    ws: Worksheet,
    spec: SheetSpec,
    formats: Formats,
    rows: Mapping[str, Sequence[Sequence[CellValue]]],
) -> None:
    ws.set_tab_color(TABS[spec.kind])
    ws.hide_gridlines(2)
    if spec.list_number is not None:
        pages.paste(ws, spec, formats)
    else:
        ws.set_row(0, 26)
        ws.write_string("A1", spec.title, formats.title)
        if spec.shows_status:
            ws.write_formula("A2", "=master_check", formats.status, pages.NOT_RUN)
            ws.conditional_format("A2", formats.needs_a_look)
        if spec.purpose:
            ws.write_string("A3", spec.purpose, formats.note)
        if spec.prints_top_only:
            ws.write_string(pages.print_note_cell(spec), pages.PRINTS_TOP_ONLY, formats.note)
        if spec.kind is not Kind.GUIDE:
            pages.way_back(ws, spec, formats)
    for table in () if spec.name in DRAWN_BY_PAGE else spec.tables:
        _draw_table(ws, table, formats, rows.get(table.name, ()))
    if spec.settings:
        _draw_settings(ws, spec.settings, formats)
    if spec.name in PAGES:
        PAGES[spec.name](ws, spec, formats, book)
    _set_print(ws, spec)
    if spec.is_protected:
        ws.protect("", _PROTECTION)


def _set_print(ws: Worksheet, spec: SheetSpec) -> None:
    ws.set_paper(9)
    ws.set_footer("&L&8&F, &A&R&8Page &P of &N")
    if spec.name in pages.LAID_OUT:
        return
    if spec.kind is not Kind.GUIDE:
        ws.set_landscape()
    ws.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    if spec.prints_top_only:
        _print_top_only(ws, spec)
        return
    wide = _pages_wide(spec)
    ws.fit_to_pages(wide, 1 if spec.kind is Kind.GUIDE else 0)
    if wide > 1:
        ws.repeat_columns(0, 0)
    if spec.tables:
        first = spec.tables[-1].first_row
        ws.repeat_rows(first - 1)
        if len(spec.tables) == 1:
            ws.freeze_panes(first, 1)
    elif spec.settings:
        ws.freeze_panes(pages.SETTINGS_ROW - 1, 1)


def _print_top_only(ws: Worksheet, spec: SheetSpec) -> None:
    """Print a page with the headings: no list of children and no endless table by accident."""
    rows = _TOP_ROWS if spec.list_number is None else 1
    wide = ALL_LISTS[spec.list_number].fields if spec.list_number else range(_TOP_COLUMNS)
    ws.print_area(0, 0, rows - 1, len(wide) - 1)
    ws.fit_to_pages(1, 1)
    if len(spec.tables) == 1:
        ws.freeze_panes(spec.tables[0].first_row, 1)


def _pages_wide(spec: SheetSpec) -> int:
    """Return how many pages side by side a table takes in letters that can be read."""
    if len({table.first_row for table in spec.tables}) != 1:
        return 1
    wide = sum(column.width for table in spec.tables for column in table.columns)
    return math.ceil(wide / _PAGE_WIDTH)


def _draw_table(
    ws: Worksheet, table: TableSpec, formats: Formats, rows: Sequence[Sequence[CellValue]]
) -> None:
    head = table.first_row - 1
    is_sole = table.first_row == TableSpec.__dataclass_fields__["first_row"].default
    count = max(len(rows), 1)
    options = {
        "name": table.name,
        "style": "Table Style Light 1",
        "columns": [
            {"header": c.name, "header_format": formats.heading_of(c.style)} for c in table.columns
        ],
    }
    left = table.first_column - 1
    ws.add_table(head, left, head + count, left + len(table.columns) - 1, options)
    for index, column in enumerate(table.columns, start=left):
        if column.is_input:
            style = formats.input(column.style, is_wrapped=column.is_wrapped)
        else:
            style = formats.output(column.style)
        if is_sole:
            ws.set_column(index, index, column.width, None if column.is_input else style)
        depth = min(_INPUT_ROWS, table.room) if column.is_input else count
        for row in range(head + 1, head + 1 + depth):
            ws.write_blank(row, index, None, style)
        _add_prompts(ws, table, index, column)
        for row, values in enumerate(rows, start=head + 1):
            _write(ws, row, index, values[index - left], style)
    # A table beside another takes the heights of the first.
    for row, values in enumerate(rows if left == 0 else (), start=head + 1):
        ws.set_row(row, _LINE_HEIGHT * _lines(table, values))
    if is_sole:
        first_free = left + len(table.columns)
        ws.set_column(first_free, first_free + 20, 12, formats.free)


def _lines(table: TableSpec, values: Sequence[CellValue]) -> int:
    """Return how many lines the row's wrapped texts take."""
    return max(
        math.ceil(len(str(value or "x")) / column.width) if column.is_wrapped else 1
        for column, value in zip(table.columns, values, strict=True)
    )


def _add_prompts(ws: Worksheet, table: TableSpec, index: int, column: Column) -> None:
    head = table.first_row - 1
    prompt: dict[str, object] = {
        "input_title": column.name[:32],
        "input_message": column.meaning[:255],
    }
    ws.data_validation(head, index, head, index, {"validate": "any", **prompt})
    if not column.is_input:
        return
    rule = rule_of(table.name, column, f"{column_letters(index + 1)}{head + 2}")
    last = head + min(_INPUT_ROWS, table.room)
    ws.data_validation(head + 1, index, last, index, rule | prompt)


def _draw_settings(ws: Worksheet, settings: Sequence[Setting], formats: Formats) -> None:
    heads = ("Setting", "Value", "Unit", "Default", "Note", "Source", "Date", "At the last run")
    widths = (34, 32, 27, 30, 58, 44, 18, 30)
    for index, (head, width) in enumerate(zip(heads, widths, strict=True)):
        ws.set_column(index, index, width)
        ws.write_string(pages.SETTINGS_ROW - 2, index, head, formats.column_heading)
    for row, setting in enumerate(settings, start=pages.SETTINGS_ROW - 1):
        ws.set_row(row, 2 * _LINE_HEIGHT)
        ws.write_string(row, 0, setting.label, formats.get(bold=True))
        plain = "0" if setting.style is Style.WHOLE else None
        _write(ws, row, 1, setting.default, formats.input(setting.style, number_format=plain))
        ws.write_string(row, 2, setting.unit, formats.get(font_color=GREY, indent=1, align="left"))
        default = setting.default if setting.default is not None else "blank"
        _write(ws, row, 3, default, formats.get(font_color=GREY, align="left"))
        ws.write_string(row, 4, setting.note, formats.wrapped)
        ws.write_string(row, 5, setting.source, formats.wrapped)
        ws.write_string(row, 6, setting.dated, formats.wrapped)
        shown = formats.get(align="left", num_format=plain or formats.number(setting.style))
        ws.write_blank(row, 7, None, shown)
        ws.data_validation(row, 1, row, 1, _rule(setting))


def _rule(setting: Setting) -> dict[str, object]:
    prompt: dict[str, object] = {
        "input_title": setting.label[:32],
        "input_message": f"{setting.note} Unit: {setting.unit}."[:255],
        "error_title": "Please check",
    }
    if setting.choices_from:
        return prompt | {
            "validate": "list",
            "source": f"={setting.choices_from}",
            "error_type": "warning",
            "error_message": "No scenario of that name was run so far. Use it all the same?",
        }
    if setting.choices:
        return prompt | {
            "validate": "list",
            "source": list(setting.choices),
            "error_message": f"Choose one of: {', '.join(setting.choices)}.",
        }
    if setting.style is Style.DATE:
        return prompt | {
            "validate": "date",
            "criteria": "between",
            "minimum": date(2000, 1, 1),
            "maximum": date(2099, 12, 31),
            "error_message": "Type a date such as 31/03/2026, or leave the cell blank.",
        }
    if setting.style is Style.WHOLE:
        return prompt | {
            "validate": "integer",
            "criteria": "between",
            "minimum": setting.least,
            "maximum": setting.most,
            "error_message": f"Type a whole number from {setting.least:,} to {setting.most:,}.",
        }
    return prompt | {
        "validate": "length",
        "criteria": "<=",
        "value": LONGEST_TEXT,
        "error_message": f"Type at most {LONGEST_TEXT} letters.",
    }


def _write(ws: Worksheet, row: int, column: int, value: CellValue, style: Format) -> None:
    if value is None:
        ws.write_blank(row, column, None, style)
    elif isinstance(value, str):
        ws.write_string(row, column, value, style)
    elif isinstance(value, (int, float)):
        ws.write_number(row, column, value, style)


_CATEGORIES = re.compile(
    rb"<c:cat><c:(?:str|num)Ref>(<c:f>[^<]*</c:f>).*?</c:(?:str|num)Ref></c:cat>"
)
_VALUES = re.compile(rb"(<c:val><c:numRef><c:f>[^<]*</c:f>)<c:numCache>.*?</c:numCache>")


def _chart_finished(xml: bytes) -> bytes:
    """Say of a chart's axis what Excel would else guess, and drop values not there yet.

    Excel guesses the base unit of a date axis from the smallest step between
    two dates, which the repeated last month makes nought; and it would take an
    axis whose dates are still blank for one of texts.
    """
    if b"<c:scatterChart>" in xml and b"<c:dispBlanksAs" not in xml:
        # XlsxWriter leaves out what it takes for the default; the standard has another.
        shown = b'<c:plotVisOnly val="1"/>'
        xml = xml.replace(shown, shown + b'<c:dispBlanksAs val="gap"/>')
    kind = b"num" if b"<c:dateAx>" in xml else b"str"
    xml = _CATEGORIES.sub(rb"<c:cat><c:%bRef>\1</c:%bRef></c:cat>" % (kind, kind), xml)
    xml = _VALUES.sub(rb"\1", xml)
    head, mark, tail = xml.partition(b"<c:dateAx>")
    tail = tail.replace(
        b'<c:auto val="1"/><c:lblOffset val="100"/>',
        b'<c:auto val="0"/><c:lblOffset val="100"/><c:baseTimeUnit val="days"/>',
        1,
    )
    return (head + mark + tail).replace(b'lang="en-US"', b'lang="%b"' % _LANGUAGE)


def _language_said(core: bytes) -> bytes:
    """Say which language the workbook is in, so that screen readers pronounce it so."""
    return core.replace(
        b"</cp:coreProperties>",
        b"<dc:language>%b</dc:language></cp:coreProperties>" % _LANGUAGE,
    )


def _finished(data: bytes) -> bytes:
    """Finish the charts, and put fixed dates on the parts: the same bytes every time."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/charts/chart"):
                content = _chart_finished(content)
            if name == "docProps/core.xml":
                content = _language_said(content)
            info = zipfile.ZipInfo(name, _ZIP_STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0  # the same on every system
            target.writestr(info, content)
    return out.getvalue()
