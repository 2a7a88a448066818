"""How sheet System looks: tables of blue cells, each with a heading and a line that explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import system as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, SheetSpec, Style, TableSpec
from demand_addin.layout.prompts import LONGEST_TEXT
from demand_addin.layout.styles import BLUE, GREY, MAROON, Formats
from demand_addin.ports import CellValue
from demand_model.system.assumptions import FRONT_DOOR, WORKFORCE, Assumption
from demand_model.system.variables import DRIVERS, TARGETS

_WIDTHS = (46, 18, 22, 18, 14, 20, 18, 62, 30, 58, 3, 20, 36, 20, 3, 20, 36, 20)
_PRINTED = 10
"""Columns that are printed: the lists of names at the right are not."""

_LINE = 13.5
_LETTERS = 1.1
"""Letters to a unit of a column's width."""
_CAUTION = (
    "Fewer children in care is not in itself a better outcome: the effects on children are not "
    "modelled."
)
_KEY = (
    f"Blue cells are yours. {declared.JUDGED} marks judgement, not a published figure: replace it "
    "where you know better. A blank blue cell means its default, or what the words at its left say."
)
_HEADS: Mapping[str, tuple[str, str]] = {
    declared.PLACEMENT_COSTS.name: (
        "Placements: what a week costs, and how many places there are",
        "A group called own residential, in a blank row, takes your own children's homes "
        "(provider PR1) apart from those that are bought.",
    ),
    declared.COST_SETTINGS.name: (
        "How costs are reckoned",
        "Costs grow with inflation from the day of the prices on, day by day.",
    ),
    declared.NEW_PLACES.name: (
        "New places",
        "For example six places in a new home of your own, filled by children from another group, "
        "at once or over months. Name a scenario of sheet Scenarios to compare it. Costs count the "
        "children placed, not empty places or building.",
    ),
    declared.ENTRANT_MIX.name: (
        "Where children who come into care go, by age",
        "A blank column keeps today's mix of that age, as the lists have it. A filled column must "
        "add up to 100%.",
    ),
    declared.PLACEMENT_MOVES.name: (
        "Moves between kinds of placement",
        "On top of today's pattern, for example residential to own fostering 1.0% a month. None "
        "by default.",
    ),
    declared.WORKFORCE_TABLE.name: (
        "Workforce",
        "Social workers who hold cases, in full-time equivalents (FTE).",
    ),
    declared.FRONT_DOOR_TABLE.name: (
        "Front door: from referral to assessment and child in need",
        "Used where Lists 4 and 6 are not given.",
    ),
    declared.SYSTEM_LINKS.name: (
        "Causal links: how the system answers to itself",
        "One row a link, off until you say Yes. Elasticity 0.5: where the first is 10% above its "
        "reference (blank: today's), the second becomes about 5% higher, after the delay. Links "
        "that close a circle make a loop. Blank rows take your own; names are listed at the right.",
    ),
}
_FIRST_DAY = date(2000, 1, 1)
_WRAPPED = frozenset({"assumption", "what_breaks_it", "loop", "source"})


def _reference(area: Area) -> str:
    row, column = area.corner
    letters = column_letters(column + 1)
    return f"${letters}${row + 1}:${letters}${row + area.rows}"


_DRIVERS, _TARGETS, _GROUPS = (
    _reference(area) for area in (declared.DRIVER_NAMES, declared.TARGET_NAMES, declared.GROUP_LIST)
)
_OFFERED: Mapping[tuple[str, str], str] = {
    ("system_links", "from"): _DRIVERS,
    ("system_links", "to"): _TARGETS,
    ("new_places", "scenario"): "scenario_names",
    ("new_places", "group"): _GROUPS,
    ("new_places", "filled_from"): _GROUPS,
    ("entrant_mix", "group"): _GROUPS,
    ("placement_moves", "from"): _GROUPS,
    ("placement_moves", "to"): _GROUPS,
}
"""Where the words of a drop-down stand: cells of this sheet, or a name."""


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the whole sheet; its tables are not drawn as others are."""
    del book
    for index, width in enumerate(_WIDTHS):
        ws.set_column(index, index, width)
    ws.write_string("A5", _CAUTION, formats.get(bold=True, font_color=MAROON))
    ws.write_string("A6", _KEY, formats.note)
    rows = declared.default_rows()
    for table in spec.tables:
        _heading(ws, formats, table)
        _table(ws, formats, table, rows[table.name])
    _totals(ws, formats)
    _names(ws, formats, declared.DRIVER_NAMES, DRIVERS, "Names for 'from'")
    _names(ws, formats, declared.TARGET_NAMES, TARGETS, "Names for 'to'")
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 0)
    ws.freeze_panes(4, 1)
    last = declared.SYSTEM_LINKS.first_row + declared.SYSTEM_LINKS.room
    ws.print_area(0, 0, last, _PRINTED - 1)
    ws.set_h_pagebreaks(
        [t.first_row - 3 for t in (declared.WORKFORCE_TABLE, declared.SYSTEM_LINKS)]
    )


def _heading(ws: Worksheet, formats: Formats, table: TableSpec) -> None:
    words, note = _HEADS[table.name]
    ws.write_string(table.first_row - 3, 0, words, formats.heading)
    ws.write_string(table.first_row - 2, 0, note, formats.note)


def _table(
    ws: Worksheet, formats: Formats, table: TableSpec, rows: Sequence[Sequence[CellValue]]
) -> None:
    head, last = table.first_row - 1, len(table.columns) - 1
    columns = [
        {"header": c.name, "header_format": formats.heading_of(c.style)} for c in table.columns
    ]
    options = {
        "name": table.name,
        "style": "Table Style Light 1",
        "columns": columns,
        "autofilter": False,
    }
    ws.add_table(head, 0, head + len(rows), last, options)
    for index, column in enumerate(table.columns):
        prompt = {"validate": "any"} | _prompt(column.name, column.meaning)
        ws.data_validation(head, index, head, index, prompt)
    assumptions = {one.label: one for one in declared.COST_ASSUMPTIONS} | {
        one.label: one for one in (*WORKFORCE, *FRONT_DOOR)
    }
    for row, values in enumerate(rows, start=head + 1):
        one = assumptions.get(str(values[0]))
        ws.set_row(row, _LINE * _lines(table, values))
        for index, (column, value) in enumerate(zip(table.columns, values, strict=True)):
            style = _style(formats, table, column, one, values)
            _write(ws, row, index, value, style)
            if _takes_input(table, column, values):
                ws.data_validation(row, index, row, index, _rule(table, column, one))


def _takes_input(table: TableSpec, column: Column, values: Sequence[CellValue]) -> bool:
    """Whether a cell is the analyst's: the names of shipped groups stay, others may be typed."""
    has_groups = table in (declared.PLACEMENT_COSTS, declared.ENTRANT_MIX)
    is_shipped = has_groups and column.name == "group" and bool(values[0])
    return column.is_input and not is_shipped


def _style(
    formats: Formats,
    table: TableSpec,
    column: Column,
    one: Assumption | None,
    values: Sequence[CellValue],
) -> Format:
    wrapped = column.name in _WRAPPED
    if _takes_input(table, column, values):
        number_format = _number_format(column, one)
        return formats.input(column.style, is_wrapped=wrapped, number_format=number_format)
    if column.name in ("name", "unit", "as_of"):
        return formats.get(font_color=GREY, indent=1, align="left")
    if column.name == "source":
        return formats.get(font_color=GREY, indent=1, align="left", text_wrap=True)
    if column.name in ("least", "most"):
        form = _number_format(column, one) or "General"
        return formats.get(font_color=GREY, align="right", num_format=form)
    if column.name == "judged":
        return formats.get(font_color=MAROON, bold=True, align="left", indent=2)
    if wrapped:
        return formats.get(text_wrap=True, indent=1, align="left")
    return formats.output(column.style)


def _number_format(column: Column, one: Assumption | None) -> str | None:
    if column.name == "weekly_cost":
        return "£#,##0"
    if one is None:
        return "0.0%" if column.name == "share_a_month" else None
    if one.key == declared.PRICES_OF:
        return "dd/mm/yyyy"
    if one.unit.startswith("share"):
        return "0.0%"
    if one.unit.startswith("£"):
        return "£#,##0"
    return "0.0#"


def _prompt(title: str, message: str) -> dict[str, object]:
    return {"input_title": title[:32], "input_message": message[:255]}


def _rule(table: TableSpec, column: Column, one: Assumption | None) -> dict[str, object]:
    """Return what an input cell takes, in the words of its prompt."""
    rule = _prompt(column.name, column.meaning) | {"error_title": "Please check"}
    if one is not None:
        rule |= _prompt(one.key.replace("_", " "), f"{one.label}. Unit: {one.unit}.")
        if one.key == declared.OVERFLOW:
            return rule | _from_list(_GROUPS)
    listed = _OFFERED.get((table.name, column.name))
    if listed:
        return rule | _from_list(listed)
    if column.choices:
        words = f"Choose one of: {', '.join(column.choices)}."
        return rule | {"validate": "list", "source": list(column.choices), "error_message": words}
    if column.style is Style.DATE or (one is not None and one.key == declared.PRICES_OF):
        return rule | {
            "validate": "date",
            "criteria": ">",
            "value": _FIRST_DAY,
            "error_message": "Type a date such as 01/04/2026, or leave the cell blank.",
        }
    if column.style is Style.TEXT:
        return rule | {
            "validate": "length",
            "criteria": "<=",
            "value": LONGEST_TEXT,
            "error_message": f"Type at most {LONGEST_TEXT} letters.",
        }
    return rule | _number_rule(column, one)


def _number_rule(column: Column, one: Assumption | None) -> dict[str, object]:
    is_share = one is None and column.style in (Style.SHARE, Style.SHARE_FINE)
    key = "share" if is_share else column.name if one is None else one.key
    limit = declared.limit_of(key)
    if is_share or (one is not None and one.unit.startswith("share")):
        words = f"Type a share from {limit.least:.0%} to {limit.most:.0%}, or leave it blank."
    else:
        words = f"Type a number from {limit.least:,g} to {limit.most:,g}, or leave it blank."
    return {
        "validate": "decimal",
        "criteria": "between",
        "minimum": limit.least,
        "maximum": limit.most,
        "error_message": words,
    }


def _from_list(place: str) -> dict[str, object]:
    rule: dict[str, object] = {"validate": "list", "source": f"={place}"}
    if place in (_DRIVERS, _TARGETS):
        return rule | {"error_message": "Choose one of the names of the list at the right."}
    return rule | {
        "error_type": "warning",
        "error_message": "The list has no such name. Use it all the same?",
    }


def _lines(table: TableSpec, values: Sequence[CellValue]) -> int:
    return max(
        math.ceil(len(str(value or "x")) / (_LETTERS * width)) if column.name in _WRAPPED else 1
        for column, value, width in zip(table.columns, values, _WIDTHS, strict=False)
    )


def _totals(ws: Worksheet, formats: Formats) -> None:
    """Add up the entrants' mix of each age, below the table: blank while the column is."""
    table = declared.ENTRANT_MIX
    row = table.first_row + table.room
    style = formats.get(num_format="0%", align="right", bold=True, font_color=BLUE)
    ws.write_string(row, 0, "Total: 100%, or blank", formats.get(bold=True, indent=1))
    for column in range(1, len(table.columns)):
        letters = column_letters(column + 1)
        cells = f"{letters}{table.first_row + 1}:{letters}{row}"
        ws.write_formula(row, column, f'=IF(COUNT({cells})=0,"",SUM({cells}))', style, "")


def _names(ws: Worksheet, formats: Formats, area: Area, names: tuple[str, ...], title: str) -> None:
    row, column = area.corner
    ws.write_string(row - 2, column, title, formats.heading)
    for offset, head in enumerate(("name", "what it is", "unit")):
        ws.write_string(row - 1, column + offset, head, formats.column_heading)
    for offset, texts in enumerate(declared.variable_rows(names)):
        for index, text in enumerate(texts):
            ws.write_string(row + offset, column + index, text, formats.get())


def _write(ws: Worksheet, row: int, column: int, value: CellValue, style: Format) -> None:
    if value is None:
        ws.write_blank(row, column, None, style)
    elif isinstance(value, str):
        ws.write_string(row, column, value, style)
    elif isinstance(value, (int, float)):
        ws.write_number(row, column, value, style)
