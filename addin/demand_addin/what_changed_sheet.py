"""What the last run wrote on sheet What changed."""

from __future__ import annotations

from demand_addin.closed.cells import Block
from demand_addin.layout import what_changed as declared
from demand_addin.plan.last_run import SaidBefore
from demand_addin.ports import WorkbookPort


def read_said_before(book: WorkbookPort) -> SaidBefore:
    """Read what was compared and the lines below it; nothing from a workbook without the sheet."""
    note = _lines(book, declared.NOTES["since"].name)
    return SaidBefore(note=" ".join(note), sentences=_lines(book, declared.SENTENCES["since"].name))


def _lines(book: WorkbookPort, name: str) -> tuple[str, ...]:
    """Return what stands in the first column of a named block, blank cells aside."""
    place = book.find_name(name)
    if place is None:
        return ()
    raw, at = book.read_sheet(place.sheet), Block.of(place.address)
    first, column = at.top - raw.first_row, at.left - raw.first_column
    if not 0 <= column < raw.cells.shape[1]:
        return ()
    found = raw.cells[max(first, 0) : max(first + place.rows, 0), column]
    return tuple(value for value in found if isinstance(value, str) and value)
