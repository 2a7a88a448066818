"""Workbooks of an earlier version, or with a sheet deleted: they still run, and are told.

What a plan holds for sheets that came later is left out where the workbook has no
such sheet; everything else must be there, as ever.
"""

from __future__ import annotations

from dataclasses import replace

from demand_addin.layout.declare import Kind, SheetSpec
from demand_addin.layout.rates import RATES
from demand_addin.layout.sheets import SHEETS
from demand_addin.layout.what_changed import BLOCKS, DASHBOARD_LINE
from demand_addin.ports import BookPlan, Calculated, RangeValues, TableValues, WorkbookPort
from demand_model.errors import InvalidInputError

_FIRST_SHEETS = frozenset(
    {
        *("Start", "List 3", "List 7", "List 8", "Mapping", "Settings", "Scenarios", "Checks"),
        *("Rates", "Forecast", "Dashboard", "Run log", "Chart data"),
    }
)
"""Sheets that every workbook of the product was made with."""

LATER_SHEETS = tuple(spec.name for spec in SHEETS if spec.name not in _FIRST_SHEETS)
"""Sheets that workbooks of an earlier version may lack."""

_LATER_CELLS = frozenset({DASHBOARD_LINE.name, *(block.name for block in BLOCKS)})
"""Named cells that came later, on sheets that were always there."""


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


def fitted(book: WorkbookPort, plan: BookPlan) -> tuple[BookPlan, tuple[str, ...]]:
    """Leave out of a plan what a workbook of an earlier version has no place for.

    Returns
    -------
    The plan, and a sentence that names the sheets that are missing and how to get
    them (none if nothing was left out).
    """
    if not (plan.tables or plan.ranges):
        return plan, ()
    plan = replace(plan, tables=tuple(_on_old_columns(book, t) for t in plan.tables))
    lacking = [s for s in SHEETS if s.name in LATER_SHEETS and _is_missing(book, s)]
    if not lacking:
        return plan, ()
    tables = {table.name for spec in lacking for table in spec.tables}
    cells = {area.name for spec in lacking for area in spec.areas}
    cells |= {spec.status_name for spec in lacking}
    kept = BookPlan(
        tables=tuple(t for t in plan.tables if t.name not in tables),
        ranges=tuple(r for r in plan.ranges if r.name not in cells and _has_place(book, r)),
        sheets=plan.sheets,
    )
    shown = [spec.name for spec in lacking if spec.kind is not Kind.HELPER]
    return kept, ((_sentence(book.name, shown),) if shown else ())


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
    return not any(_has_table(book, table.name) for table in spec.tables)


def _has_place(book: WorkbookPort, values: RangeValues) -> bool:
    return values.name not in _LATER_CELLS or _has_cell(book, values.name)


def _has_cell(book: WorkbookPort, name: str) -> bool:
    try:
        book.read_name(name)
    except InvalidInputError:
        return False
    return True


def _has_table(book: WorkbookPort, name: str) -> bool:
    try:
        book.read_table(name)
    except InvalidInputError:
        return False
    return True


def _sentence(file: str, names: list[str]) -> str:
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    sheet, they, them = (
        ("sheet", "it was", "it") if len(names) == 1 else ("sheets", "they were", "them")
    )
    return (
        f"{file} has no {sheet} {listed}: an earlier version made the workbook, or {they} deleted. "
        f"All else was written. To have {them}, bring the lists into a new workbook with "
        f'csc-demand import NEW.xlsx "{file}", and copy your settings and scenarios into it.'
    )
