"""The closed-file adapter: a workbook's bytes, read raw and written surgically."""

from __future__ import annotations

from pathlib import Path

from demand_addin.closed.archive import Archive
from demand_addin.closed.index import Index, read_index
from demand_addin.closed.spans import UnreadableXmlError
from demand_addin.closed.surgery import Surgery
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Kind
from demand_addin.layout.sheets import SHEETS
from demand_addin.layout.tables import TYPED_TABLES
from demand_addin.ports import BookPlan, NamedBlock, NamedRead, TableRead
from demand_addin.read.package import open_package
from demand_addin.read.workbook import sheets_from_xlsx
from demand_model.annex_a.raw import RawSheet, RawValue
from demand_model.errors import InvalidInputError

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_READ_TOGETHER = frozenset(
    spec.name
    for spec in SHEETS
    if spec.kind in (Kind.INPUT, Kind.GUIDE) or spec.name in ("Rates", "History", "Memory")
)
"""Small sheets that every command reads: one pass over the file for all of them."""


class ClosedWorkbook:
    """A workbook on disk, without Excel. Implements `demand_addin.ports.WorkbookPort`.

    The bytes are read once; `write` changes them in memory, and saving is the
    caller's (`to_bytes`).
    """

    def __init__(self, data: bytes, name: str) -> None:
        """Open a workbook given as bytes.

        Raises
        ------
        InvalidInputError
            Not a workbook, encrypted, binary, Strict Open XML, damaged or hostile.
        """
        _refuse_other_files(data, name)
        open_package(data, name)
        self._name = name
        self._set(data)

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> ClosedWorkbook:
        """Open a workbook given as bytes; `name` is its bare file name, for messages."""
        return cls(data, name)

    @classmethod
    def open(cls, path: Path) -> ClosedWorkbook:
        """Read a workbook from disk, once."""
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise InvalidInputError(
                f"{path.name} was not found: check the spelling and the folder."
            ) from error
        except OSError as error:
            raise InvalidInputError(
                f"{path.name} cannot be read: close it in Excel, and check that it is a file "
                "that you may read."
            ) from error
        return cls(data, path.name)

    def _set(self, data: bytes) -> None:
        self._data = data
        self._archive = Archive(data)
        try:
            self._index: Index = read_index(self._archive, self._name)
        except (UnreadableXmlError, KeyError, ValueError) as error:
            raise _damaged(self._name) from error
        self._sheets: dict[str, RawSheet] = {}

    @property
    def name(self) -> str:
        """Bare file name, for messages."""
        return self._name

    def to_bytes(self) -> bytes:
        """Return the workbook as it now stands."""
        return self._data

    def sheet_names(self) -> tuple[str, ...]:
        """Return the names of all worksheets, in their order, hidden ones included."""
        return tuple(self._index.sheets)

    def read_sheet(self, sheet: str) -> RawSheet:
        """Return a sheet's used range, raw."""
        if sheet not in self._sheets:
            self._index.sheet_part(sheet)
            wanted = {sheet}
            if sheet in _READ_TOGETHER:
                wanted |= _READ_TOGETHER & self._index.sheets.keys()
            read = sheets_from_xlsx(self._data, self._name, wanted)
            self._sheets |= {raw.sheet: raw for raw in read}
        return self._sheets[sheet]

    def read_table(self, table: str) -> TableRead:
        """Return a table found by name, its total row aside.

        Rows directly below a table that only the analyst writes belong to it as well, unless
        they hold one cell only.
        """
        found = self._index.table(table)
        raw = self.read_sheet(found.sheet)
        bottom = found.block.bottom - found.has_totals
        columns = range(found.block.left, found.block.right + 1)
        if found.name.lower() in TYPED_TABLES and not found.has_totals:
            # Excel grows a table by what is typed below it; other programs and pastes do not.
            # A single filled cell is somebody's note.
            while sum(not _is_blank(_value(raw, bottom + 1, column)) for column in columns) > 1:
                bottom += 1
        letters = [column_letters(column) for column in columns]
        numbers = range(found.first_row, bottom + 1)
        return TableRead(
            name=found.name,
            sheet=found.sheet,
            columns=found.columns,
            rows=tuple(tuple(_value(raw, n, column) for column in columns) for n in numbers),
            addresses=tuple(tuple(f"{letter}{n}" for letter in letters) for n in numbers),
        )

    def read_name(self, name: str) -> NamedRead:
        """Return the value of a named cell (of a block: its top left cell)."""
        place = self._index.place(name)
        at = place.block
        return NamedRead(
            name=name,
            sheet=place.sheet,
            address=f"{column_letters(at.left)}{at.top}",
            value=_value(self.read_sheet(place.sheet), at.top, at.left),
            rows=at.bottom - at.top + 1,
            columns=at.right - at.left + 1,
        )

    def find_name(self, name: str) -> NamedBlock | None:
        """Return where a name stands, without reading the sheet; ``None`` if it is not there."""
        try:
            place = self._index.place(name)
        except InvalidInputError:
            return None
        at = place.block
        return NamedBlock(
            sheet=place.sheet,
            address=f"{column_letters(at.left)}{at.top}",
            rows=at.bottom - at.top + 1,
            columns=at.right - at.left + 1,
        )

    def write(self, plan: BookPlan) -> None:
        """Carry out a plan in memory: all of it, or nothing.

        Only cell values of the sheets named, the extents of their tables, and
        the workbook's request to recalculate change; every other part keeps its
        bytes.

        Raises
        ------
        InvalidInputError
            A sheet, table, column or named cell is missing, or something of the
            user's is in the way of a table that must grow.
        """
        try:
            changes, removed = Surgery(self._archive, self._index).carried_out(plan)
        except UnreadableXmlError as error:
            raise _damaged(self._name) from error
        self._set(self._archive.replaced(changes, removed))


def _refuse_other_files(data: bytes, name: str) -> None:
    if data[:8] == _OLE:
        raise InvalidInputError(
            f"{name} is password protected, or an older Excel 97-2003 workbook: open it in "
            "Excel, remove the password, and save it as an Excel Workbook (.xlsx)."
        )
    if data[:2] != b"PK":
        raise InvalidInputError(
            f"{name} is not an Excel workbook: make one with the command new, or save it from "
            "Excel as an Excel Workbook (.xlsx)."
        )


def _damaged(name: str) -> InvalidInputError:
    return InvalidInputError(
        f"{name} could not be read as Excel writes it, so nothing was written: open it in Excel, "
        "save it, and try again."
    )


def _is_blank(value: RawValue) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _value(raw: RawSheet, row: int, column: int) -> RawValue:
    i, j = row - raw.first_row, column - raw.first_column
    if 0 <= i < raw.cells.shape[0] and 0 <= j < raw.cells.shape[1]:
        value: RawValue = raw.cells[i, j]
        return value
    return None
