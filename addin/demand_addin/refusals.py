"""Why a plan cannot be written into a workbook, in the same words for a file and for Excel."""

from __future__ import annotations

from collections.abc import Iterable

from demand_addin.layout.sheets import SHEETS
from demand_model.errors import InvalidInputError

_HOMES = {
    name.lower(): spec.name
    for spec in SHEETS
    for name in (
        *(table.name for table in spec.tables),
        *(area.name for area in spec.areas),
        *(setting.name for setting in spec.settings),
        spec.status_name,
    )
}


def table_not_found(file: str, table: str) -> InvalidInputError:
    """Word that a table is gone, and which sheet it stood on."""
    return InvalidInputError(
        f"{file}: table {table} was not found; it, or its {_home(table)}, was renamed or deleted. "
        "Nothing was written. Name it so again (Table Design, Table Name), or make a new workbook."
    )


def cell_not_found(file: str, name: str) -> InvalidInputError:
    """Word that a named cell is gone, and which sheet it stood on."""
    return InvalidInputError(
        f"{file}: the named cell {name} was not found; it, or its {_home(name)}, was deleted. "
        "Nothing was written. Name it again (Formulas, Name Manager), or make a new workbook."
    )


def _home(name: str) -> str:
    home = _HOMES.get(name.lower())
    return f"sheet {home}" if home else "sheet"


def require_fit(
    file: str, table: str, sheet: str, *, missing: Iterable[str], has_totals: bool
) -> None:
    """Refuse a table that lacks a column or has a total row.

    Raises
    ------
    InvalidInputError
        It is so.
    """
    column = next(iter(missing), None)
    if column is not None:
        raise InvalidInputError(
            f"{file}: table {table} (sheet {sheet}) has no column {column}; it was renamed or "
            "deleted. Nothing was written. Name it so again."
        )
    if has_totals:
        raise InvalidInputError(
            f"{file}: table {table} (sheet {sheet}) has a total row, which would be in the way. "
            "Nothing was written. Turn it off (Table Design, Total Row)."
        )


def in_the_way(file: str, table: str, sheet: str, *, at: str, bottom: int) -> InvalidInputError:
    """Word that cells stand where a table must grow to."""
    return InvalidInputError(
        f"{file}: {sheet}!{at} is in the way of table {table}, which needs rows down to {bottom}. "
        "Nothing was written. Move it beside the table and try again."
    )
