"""Why a plan cannot be written into a workbook, in the same words for a file and for Excel."""

from __future__ import annotations

from collections.abc import Iterable

from demand_model.errors import InvalidInputError


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
