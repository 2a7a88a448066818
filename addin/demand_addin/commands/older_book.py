"""Workbooks of an earlier version, or with a sheet deleted: they still run, and are told.

What a plan holds for sheets that came later is left out where the workbook has no
such sheet, and so are results that a sheet has no cells for. Where its cells are too few,
sentences are written as far as they go, and a block of figures is left blank: a part of
it, or an earlier run's, below headings that mean something else would mislead. The
sheets and tables that every workbook was made with must be there, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from demand_addin.layout.declare import Kind, SheetSpec
from demand_addin.layout.rates import RATES, RATES_BASIS
from demand_addin.layout.sheets import SHEETS
from demand_addin.layout.tables import FORECAST_BASIS
from demand_addin.ports import (
    BookPlan,
    Calculated,
    NamedBlock,
    RangeValues,
    TableValues,
    WorkbookPort,
)
from demand_model.annex_a.raw import CellError
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

FEEDS = {
    "Accuracy data": "Accuracy",
    "Costs data": "Costs",
    "Workforce data": "Workforce",
    "Levers data": "Levers",
    "Journeys data": "Journeys",
    "Maps data": "Maps",
    "What-if workings": "What-if",
    "What-if data": "What-if",
}
"""What a helper sheet is for: the sheet whose charts or formulas draw on it."""

_LOST_REFERENCE = CellError("#REF!")

_NOT_MISSED = frozenset({RATES_BASIS.name, FORECAST_BASIS.name})
"""Lines that came later and only repeat what the Dashboard says: no reason for a new workbook."""

_NOT_COMING_ALONG = (
    "Nothing else comes along: what sheets History and Memory hold, the run log and your own "
    "rates stay behind unless you copy them too."
)
"""What moving to a new workbook costs; the forecast and sheet Accuracy rest on some of it."""

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
    helpers
        Helper sheets, each with the sheet that draws on it, where that is there.
    parts
        Sheets that are there, but lack cells.
    short
        Addresses where there are too few cells.
    """

    sheets: tuple[str, ...] = ()
    helpers: tuple[tuple[str, str], ...] = ()
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
    there = frozenset(book.sheet_names())
    _require_first_sheets(book, plan, there)
    plan = replace(plan, tables=tuple(_on_old_columns(book, t) for t in plan.tables))
    missing = [s for s in SHEETS if s.name in LATER_SHEETS and _is_missing(book, s, there)]
    tables = {table.name for spec in missing for table in spec.tables}
    cells = {area.name for spec in missing for area in spec.areas}
    cells |= {spec.status_name for spec in missing if spec.shows_status}
    ranges, parts, short = _on_old_cells(book, tuple(r for r in plan.ranges if r.name not in cells))
    kept = BookPlan(
        tables=tuple(t for t in plan.tables if t.name not in tables),
        ranges=ranges,
        sheets=plan.sheets,
    )
    names = {t.name for t in plan.tables} | {r.name for r in plan.ranges}
    fed = {FEEDS[spec.name] for spec in missing if spec.name in FEEDS}
    told = {
        area.name
        for spec in SHEETS
        if spec.name in fed or FEEDS.get(spec.name) in fed
        for area in spec.areas
    }
    is_told = bool(names & (tables | cells | told))
    gone = tuple(spec.name for spec in missing) if is_told else ()
    lacking = _Lacking(
        sheets=tuple(name for name in gone if name not in FEEDS),
        helpers=tuple((name, FEEDS[name]) for name in gone if _is_missed(name, gone)),
        parts=parts,
        short=short,
    )
    return kept, ((_sentence(book.name, lacking),) if lacking != _Lacking() else ())


def _is_missed(name: str, gone: Sequence[str]) -> bool:
    """Whether a helper sheet is missed: what it feeds is there, and shows nothing without it."""
    return name in FEEDS and FEEDS[name] not in gone


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
        place = book.find_name(values.name)
        home = at_home.get(values.name)
        if place is None and home is not None and home.name in there:
            if home.kind is not Kind.HELPER and values.name not in _NOT_MISSED:
                parts[home.name] = None
        elif place is not None and _is_too_small(place, values) and values.name in _NOT_MISSED:
            kept.append(replace(values, rows=()))
        elif place is not None and _is_too_small(place, values):
            kept.append(replace(values, rows=values.rows[: place.rows] if _is_text(values) else ()))
            short.append(f"{place.sheet}!{place.address}")
        else:
            kept.append(values)
    return tuple(kept), tuple(parts), tuple(short)


def _is_too_small(place: NamedBlock, values: RangeValues) -> bool:
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


def _is_missing(book: WorkbookPort, spec: SheetSpec, there: AbstractSet[str]) -> bool:
    """Whether a sheet is gone, and not merely renamed."""
    if spec.name in there:
        return False
    if spec.shows_status:
        return book.find_name(spec.status_name) is None
    if spec.name in FEEDS and not spec.areas:
        return FEEDS[spec.name] in there and _shows_lost_references(book, FEEDS[spec.name])
    cells = any(book.find_name(area.name) is not None for area in spec.areas)
    return not (cells or any(has_table(book, table.name) for table in spec.tables))


def _shows_lost_references(book: WorkbookPort, fed: str) -> bool:
    """Whether a sheet draws on one that was deleted: a sheet of formulas has no name of its own."""
    return any(value == _LOST_REFERENCE for row in book.read_sheet(fed).cells for value in row)


def _require_first_sheets(book: WorkbookPort, plan: BookPlan, there: AbstractSet[str]) -> None:
    """Refuse a workbook that lacks a sheet which every one was made with, by the sheet's name."""
    planned = {r.name for r in plan.ranges} | {t.name for t in plan.tables}
    for spec in SHEETS:
        own = {area.name for area in spec.areas} | {table.name for table in spec.tables}
        if spec.name in _FIRST_SHEETS and own & planned and _is_missing(book, spec, there):
            raise InvalidInputError(
                f"{book.name} has no sheet {spec.name}: it was deleted, and nothing was written. "
                "Bring the lists into a new workbook with csc-demand import NEW.xlsx "
                f'"{book.name}", and copy your settings and scenarios into it. '
                f"{_NOT_COMING_ALONG}"
            )


def _is_text(values: RangeValues) -> bool:
    return all(len(row) == 1 and isinstance(row[0], str) for row in values.rows)


def has_table(book: WorkbookPort, name: str) -> bool:
    """Whether the workbook has a table of this name."""
    try:
        book.read_table(name)
    except InvalidInputError:
        return False
    return True


def _sentence(file: str, lacking: _Lacking) -> str:
    """Say what is missing, and how to get it."""
    found: list[str] = []
    many = len(lacking.sheets) + len(lacking.helpers) > 1
    if lacking.helpers:
        drawn = [f"{name} (sheet {fed} draws on it)" for name, fed in lacking.helpers]
        found.append(f"has no sheet{'s' * (len(drawn) > 1)} {_listed(drawn, between='; ')}")
    if lacking.sheets:
        found.append(f"has no sheet{'s' * (len(lacking.sheets) > 1)} {_listed(lacking.sheets)}")
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
        f"settings and scenarios into it. {_NOT_COMING_ALONG}"
    )


def _listed(words: Sequence[str], *, between: str = ", ") -> str:
    return " and ".join(filter(None, (between.join(words[:-1]), words[-1])))
