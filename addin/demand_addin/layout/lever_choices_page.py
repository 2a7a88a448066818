"""How sheet Lever choices looks: three tables of blue cells, each with a line that explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import lever_choices as declared
from demand_addin.layout import system
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, SheetSpec, Style, TableSpec
from demand_addin.layout.styles import GREY, MAROON, Formats
from demand_addin.ports import CellValue
from demand_model.results.lever_list import BY_KEY, GREATEST_SIZE, MOST_PLACES

_WIDTHS = (46, 32, 12, 20, 20, 20, 20, 20, 20, 62, 18, 3, 36)
_PRINTED = 10
_LINE = 13.5
_LETTERS = 1.1
"""Letters to a unit of a column's width."""
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
_YEAR_2000 = 36526
_FURTHEST_MONTH = 120
_DEAREST = 1e9

_HEADS: Mapping[str, tuple[str, str]] = {
    declared.LEVER_BASIS.name: (
        "1. What is asked",
        "One outcome ranks the levers; every other stock stands beside it on sheet Levers.",
    ),
    declared.LEVER_SETTINGS.name: (
        "2. The levers",
        "Each is tried alone, and all that say Yes together. To try two or three: choose Only "
        "beside them, and all the others are left out. A size below 0% works the other way. Type "
        "what each costs a year: goals then look for the cheapest mix. † is a judgement.",
    ),
    declared.GOALS.name: (
        "3. Goals, if you have any",
        "For example Children in care, 550, by 31/03/2028, chance 80%, More children go home: the "
        "answer is how much of it, up to its greatest size.",
    ),
    declared.NEED_MATCHING.name: (
        "4. Matching needs and services: which needs, and what meets them",
        "Entrants of a need marked Yes who would go to external placements go to this group "
        "instead, by the size of the lever above. Sheet Levers has the children counted.",
    ),
}
_WRAPPED = frozenset({"practice"})
_QUIET = frozenset({"unit", "note", "practice", "name"})
_SIZES = frozenset({"size", "greatest_size"})
_PLACES_LABEL = declared.label_of("new_places")
_GREATEST = {lever.label: lever.greatest for lever in BY_KEY.values()}


def _reference(area: Area, sheet: str = "") -> str:
    row, column = area.corner
    letters = column_letters(column + 1)
    where = f"'{sheet}'!" if sheet else ""
    return f"{where}${letters}${row + 1}:${letters}${row + area.rows}"


_OUTCOMES = _reference(declared.OUTCOME_LIST)
_LEVERS = _reference(declared.LEVER_LIST)
_GROUPS = _reference(system.GROUP_LIST, system.SHEET)
_OFFERED: Mapping[str, str] = {
    declared.OUTCOME: _OUTCOMES,
    declared.BASE: "scenario_names",
    declared.PLACES_IN: _GROUPS,
    declared.PLACES_FROM: _GROUPS,
    "group": _GROUPS,
    **dict.fromkeys(declared.LEVER_COLUMNS, _LEVERS),
}
"""Where the words of a drop-down stand, by question or column."""
_OPEN_LISTS = frozenset({"scenario_names", _GROUPS})
"""Lists that the analyst may go beyond."""


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the whole sheet; its tables are not drawn as others are."""
    del book
    for index, width in enumerate(_WIDTHS):
        ws.set_column(index, index, width)
    row = declared.CAUTION_ROW
    ws.write_string(row - 1, 0, declared.CAUTION, formats.get(bold=True, font_color=MAROON))
    rows = declared.default_rows()
    for table in spec.tables:
        words, note = _HEADS[table.name]
        ws.write_string(table.first_row - 3, 0, words, formats.heading)
        ws.write_string(table.first_row - 2, 0, note, formats.note)
        _table(ws, formats, table, rows[table.name])
    _outcomes(ws, formats)
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 1)
    last = declared.NEED_MATCHING
    ws.print_area(0, 0, last.first_row + last.room, _PRINTED - 1)


def _table(
    ws: Worksheet, formats: Formats, table: TableSpec, rows: Sequence[Sequence[CellValue]]
) -> None:
    head = table.first_row - 1
    columns = [
        {"header": c.name, "header_format": formats.heading_of(c.style)} for c in table.columns
    ]
    options = {
        "name": table.name,
        "style": "Table Style Light 1",
        "columns": columns,
        "autofilter": False,
    }
    ws.add_table(head, 0, head + len(rows), len(table.columns) - 1, options)
    for index, column in enumerate(table.columns):
        ws.data_validation(head, index, head, index, {"validate": "any"} | _prompt(column))
    for row, values in enumerate(rows, start=head + 1):
        ws.set_row(row, _LINE * (2 if table is declared.GOALS else _lines(table, values)))
        for index, (column, value) in enumerate(zip(table.columns, values, strict=True)):
            _write(ws, row, index, value, _style(formats, column, values))
            if column.is_input:
                cell = f"{column_letters(index + 1)}{row + 1}"
                ws.data_validation(row, index, row, index, _rule(column, values, cell))


def _question(values: Sequence[CellValue]) -> declared.Question | None:
    return next((q for q in declared.QUESTIONS if q.key in values), None)


def _style(formats: Formats, column: Column, values: Sequence[CellValue]) -> Format:
    if not column.is_input:
        if column.name in _QUIET:
            wrap = column.name in _WRAPPED
            return formats.get(font_color=GREY, indent=1, align="left", text_wrap=wrap)
        return formats.get(indent=1, align="left", bold=True)
    question = _question(values)
    if question is not None:
        form = "dd/mm/yyyy" if question.style is Style.DATE else None
        return formats.input(Style.TEXT, number_format=form)
    if column.name in _SIZES:
        form = "#,##0" if values[0] == _PLACES_LABEL else "0.0%"
        return formats.input(column.style, number_format=form)
    if column.name == "cost_a_year":
        return formats.input(column.style, number_format="£#,##0")
    return formats.input(column.style, is_wrapped=column.name in declared.LEVER_COLUMNS)


def _prompt(column: Column, message: str = "") -> dict[str, object]:
    return {
        "input_title": column.name.replace("_", " ")[:32],
        "input_message": (message or column.meaning)[:255],
    }


def _rule(column: Column, values: Sequence[CellValue], cell: str) -> dict[str, object]:
    """Return what an input cell takes, in the words of its prompt."""
    question = _question(values)
    rule = _prompt(column) | {"error_title": "Please check"}
    if question is not None:
        rule |= _prompt(column, f"{question.label}. {question.note}")
        if question.style is Style.DATE:
            return rule | _date_rule()
    key = question.key if question is not None else column.name
    if question is None and column.name == "outcome":
        return rule | _from_list(_OUTCOMES)
    if key in _OFFERED:
        return rule | _from_list(_OFFERED[key])
    if column.choices:
        words = f"Choose one of: {', '.join(column.choices)}."
        return rule | {"validate": "list", "source": list(column.choices), "error_message": words}
    if column.style is Style.DATE:
        return rule | _date_rule()
    if column.name == "start":
        return rule | _start_rule(cell)
    hint = declared.COST_HINTS.get(str(values[-1]), "") if column.name == "cost_a_year" else ""
    rule |= _prompt(column, hint)
    greatest = _GREATEST.get(str(values[0]), GREATEST_SIZE)
    return rule | _number_rule(column, greatest, is_places=values[0] == _PLACES_LABEL)


def _from_list(place: str) -> dict[str, object]:
    rule: dict[str, object] = {"validate": "list", "source": f"={place}"}
    if place in _OPEN_LISTS:
        return rule | {
            "error_type": "warning",
            "error_message": "The list has no such name. Use it all the same?",
        }
    return rule | {"error_message": "Choose one of the names of the list."}


def _date_rule() -> dict[str, object]:
    return {
        "validate": "date",
        "criteria": "between",
        "minimum": _FIRST_DAY,
        "maximum": _LAST_DAY,
        "error_message": "Type a date such as 31/03/2028, or leave the cell blank.",
    }


def _start_rule(cell: str) -> dict[str, object]:
    months = f"AND({cell}>=0,{cell}<={_FURTHEST_MONTH},INT({cell})={cell})"
    return {
        "validate": "custom",
        "value": f"=AND(ISNUMBER({cell}),OR({months},{cell}>={_YEAR_2000}))",
        "error_message": "Type a whole number of months after the census date, 0 to "
        f"{_FURTHEST_MONTH}, or a date such as 01/04/2027.",
    }


def _number_rule(column: Column, greatest: float, *, is_places: bool) -> dict[str, object]:
    least, most = 0.0, _DEAREST
    words = "Type a number of 0 or more, or leave the cell blank."
    if column.name in _SIZES and is_places:
        most, words = MOST_PLACES, f"Type a number of places, 0 to {MOST_PLACES:g}."
    elif column.name in _SIZES:
        least, most = -greatest, greatest
        words = f"Type a share from {-greatest:.0%} to {greatest:.0%}, such as 10%."
    elif column.name in ("ramp_months", "delay_months"):
        most, words = _FURTHEST_MONTH, f"Type a number of months, 0 to {_FURTHEST_MONTH}."
    elif column.name == "chance_asked":
        least, most, words = 0.01, 0.99, "Type a chance from 1% to 99%, or leave the cell blank."
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": least,
        "maximum": most,
        "error_message": words,
    }


def _outcomes(ws: Worksheet, formats: Formats) -> None:
    row, column = declared.OUTCOME_LIST.corner
    ws.write_string(row - 1, column, "Outcomes to choose from", formats.column_heading)
    for offset, label in enumerate(declared.OUTCOME_LABELS.values()):
        ws.write_string(row + offset, column, label, formats.get())


def _lines(table: TableSpec, values: Sequence[CellValue]) -> int:
    return max(
        math.ceil(len(str(value or "x")) / (_LETTERS * width)) if column.name in _WRAPPED else 1
        for column, value, width in zip(table.columns, values, _WIDTHS, strict=False)
    )


def _write(ws: Worksheet, row: int, column: int, value: CellValue, style: Format) -> None:
    if value is None:
        ws.write_blank(row, column, None, style)
    elif isinstance(value, str):
        ws.write_string(row, column, value, style)
    elif isinstance(value, (int, float)):
        ws.write_number(row, column, value, style)
