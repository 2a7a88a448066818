"""What an import writes: each recognised list, verbatim, into its paste sheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from demand_addin.layout.sheets import SHEETS
from demand_addin.ports import BookPlan, CellValue, SheetRows
from demand_model.annex_a.raw import CellError, RawSheet, RawValue, UncalculatedFormula

_NO_VALUE = CellError("#N/A")


def plan_import(lists: Mapping[int, RawSheet]) -> BookPlan:
    """Plan the paste sheets of the lists given; other paste sheets stay as they are.

    Parameters
    ----------
    lists
        List number to the sheet that holds it. Cells are copied as they are:
        titles, headings, spellings, blanks. A formula that was saved without a
        value becomes ``#N/A`` (the check then names the cell), a time of day
        its text.
    """
    sheets = {spec.list_number: spec.name for spec in SHEETS if spec.list_number is not None}
    return BookPlan(
        sheets=tuple(
            SheetRows(sheet=sheets[number], rows=_rows(raw))
            for number, raw in sorted(lists.items())
        )
    )


def _rows(raw: RawSheet) -> tuple[tuple[CellValue, ...], ...]:
    return tuple(tuple(map(_verbatim, row)) for row in raw.cells)


def _verbatim(value: RawValue) -> CellValue:
    if isinstance(value, UncalculatedFormula):
        return _NO_VALUE
    if isinstance(value, time):
        return value.isoformat()
    return value
