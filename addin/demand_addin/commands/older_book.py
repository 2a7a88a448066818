"""Workbooks of an earlier version, or with a sheet deleted: they still run, and are told.

What a plan holds for sheets that came later is left out where the workbook has no
such sheet, and so are results that a sheet has no cells for. Where its cells are too few,
sentences are written as far as they go, and a block of figures is left blank: a part of
it, or an earlier run's, below headings that mean something else would mislead. The
sheets and tables that every workbook was made with must be there, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from demand_addin.layout.declare import Kind, SheetSpec
from demand_addin.layout.rates import RATES
from demand_addin.layout.sheets import SHEETS
from demand_addin.ports import (
    BookPlan,
    Calculated,
    NamedRead,
    RangeValues,
    TableValues,
    WorkbookPort,
)
from demand_model.errors import InvalidInputError

_FIRST_SHEETS = frozenset(
    {
        *("Start", "List 3", "List 7", "List 8", "Mapping", "Settings", "Scenarios", "Checks"),
        *("Rates", "Forecast", "Dashboard", "Run log", "Chart data"),
    }
)
"""Sheets that every workbook of the product was made with."""

LATER_SHEETS = tuple(
    spec.name for spec in SHEETS if spec.name not in _FIRST_SHEETS and spec.list_number is None
)
"""Sheets that workbooks of an earlier version may lack; those of optional lists are not missed."""

_LATER_COLUMNS = {
    RATES.name: frozenset(
        {
            *("raw_rate", "fitted_rate", "dispersion", "effective_occurrences"),
            *("effective_exposure", "prior_events", "prior_exposure", "correction"),
            *("interval_events", "expected_events", "how"),
        }
    )
}
"""Columns that came later, by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lacking:
    """What a workbook has no place for.

    Attributes
    ----------
    sheets
        Shown to the reader; helper sheets aside.
    parts
        Sheets that are there, but lack cells.
    short
        Addresses where there are too few cells.
    """

    sheets: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


def fitted(book: WorkbookPort, plan: BookPlan) -> tuple[BookPlan, tuple[str, ...]]:
    """Leave out of a plan what a workbook of an earlier version has no place for.

    Returns
    -------
    The plan, and a sentence that names what is missing and how to get it (none if
    nothing was left out).

    Raises
    ------
    InvalidInputError
        A sheet that every workbook was made with is gone.
    """
    if not (plan.tables or plan.ranges):
        return plan, ()
    _require_first_sheets(book, plan)
    plan = replace(plan, tables=tuple(_on_old_columns(book, t) for t in plan.tables))
    missing = [s for s in SHEETS if s.name in LATER_SHEETS and _is_missing(book, s)]
    tables = {table.name for spec in missing for table in spec.tables}
    cells = {area.name for spec in missing for area in spec.areas}
    cells |= {spec.status_name for spec in missing}
    ranges, parts, short = _on_old_cells(book, tuple(r for r in plan.ranges if r.name not in cells))
    kept = BookPlan(
        tables=tuple(t for t in plan.tables if t.name not in tables),
        ranges=ranges,
        sheets=plan.sheets,
    )
    names = {t.name for t in plan.tables} | {r.name for r in plan.ranges}
    is_told = bool(names & (tables | cells))
    shown = tuple(spec.name for spec in missing if is_told and spec.kind is not Kind.HELPER)
    lacking = _Lacking(sheets=shown, parts=parts, short=short)
    return kept, ((_sentence(book.name, lacking),) if shown or parts or short else ())


def _on_old_cells(
    book: WorkbookPort, ranges: tuple[RangeValues, ...]
) -> tuple[tuple[RangeValues, ...], tuple[str, ...], tuple[str, ...]]:
    """Leave out named cells that came later, and shorten or blank what has since grown.

    Returns
    -------
    What can be written; the sheets with no cells for some of it; where they are too few.
    """
    at_home = {area.name: spec for spec in SHEETS for area in spec.areas}
    there = book.sheet_names()
    kept: list[RangeValues] = []
    parts: dict[str, None] = {}
    short: list[str] = []
    for values in ranges:
        place = _place(book, values.name)
        home = at_home.get(values.name)
        if place is None and home is not None and home.name in there:
            if home.kind is not Kind.HELPER:
                parts[home.name] = None
        elif place is not None and _is_too_small(place, values):
            kept.append(replace(values, rows=values.rows[: place.rows] if _is_text(values) else ()))
            short.append(f"{place.sheet}!{place.address}")
        else:
            kept.append(values)
    return tuple(kept), tuple(parts), tuple(short)


def _is_too_small(place: NamedRead, values: RangeValues) -> bool:
    return len(values.rows) > place.rows or any(len(r) > place.columns for r in values.rows)


def _on_old_columns(book: WorkbookPort, values: TableValues) -> TableValues:
    """Leave out columns that came later; formulas need them all, so values stand instead."""
    if values.name not in _LATER_COLUMNS:
        return values
    there = book.read_table(values.name).columns
    later = _LATER_COLUMNS[values.name] - set(there)
    if not later:
        return values
    kept = [i for i, name in enumerate(values.columns) if name not in later]
    return replace(
        values,
        columns=tuple(values.columns[i] for i in kept),
        rows=tuple(
            tuple(c.result if isinstance(c := row[i], Calculated) else c for i in kept)
            for row in values.rows
        ),
    )


def _is_missing(book: WorkbookPort, spec: SheetSpec) -> bool:
    """Whether a sheet is gone, and not merely renamed."""
    if spec.name in book.sheet_names():
        return False
    if spec.shows_status:
        return not _has_cell(book, spec.status_name)
    cells = any(_has_cell(book, area.name) for area in spec.areas)
    return not (cells or any(_has_table(book, table.name) for table in spec.tables))


def _require_first_sheets(book: WorkbookPort, plan: BookPlan) -> None:
    """Refuse a workbook that lacks a sheet which every one was made with, by the sheet's name."""
    planned = {r.name for r in plan.ranges} | {t.name for t in plan.tables}
    for spec in SHEETS:
        own = {area.name for area in spec.areas} | {table.name for table in spec.tables}
        if spec.name in _FIRST_SHEETS and own & planned and _is_missing(book, spec):
            raise InvalidInputError(
                f"{book.name} has no sheet {spec.name}: it was deleted, and nothing was written. "
                "Bring the lists into a new workbook with csc-demand import NEW.xlsx "
                f'"{book.name}", and copy your settings and scenarios into it.'
            )


def _is_text(values: RangeValues) -> bool:
    return all(len(row) == 1 and isinstance(row[0], str) for row in values.rows)


def _has_cell(book: WorkbookPort, name: str) -> bool:
    return _place(book, name) is not None


def _place(book: WorkbookPort, name: str) -> NamedRead | None:
    try:
        return book.read_name(name)
    except InvalidInputError:
        return None


def _has_table(book: WorkbookPort, name: str) -> bool:
    try:
        book.read_table(name)
    except InvalidInputError:
        return False
    return True


def _sentence(file: str, lacking: _Lacking) -> str:
    """Say what is missing, and how to get it."""
    found: list[str] = []
    many = len(lacking.sheets) > 1
    if lacking.sheets:
        found.append(f"has no sheet{'s' * many} {_listed(lacking.sheets)}")
    if lacking.parts:
        found.append(f"has no cells for some results on {_listed(lacking.parts)}")
    if lacking.short:
        found.append(
            f"has too few cells from {_listed(lacking.short)} on (sentences are cut short there, "
            "tables left blank)"
        )
    they = "they were" if many or lacking.parts or lacking.short else "it was"
    return (
        f"{file} {_listed(found)}: an earlier version made the workbook, or {they} deleted. "
        f"All else was written. To have {'them' if they == 'they were' else 'it'}, bring the "
        f'lists into a new workbook with csc-demand import NEW.xlsx "{file}", and copy your '
        "settings and scenarios into it."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
