"""The one narrow door between the product and a workbook, open or closed.

Every adapter (closed file, live Excel, the tests' fake) passes the same port
suite. Reading gives raw cells; writing takes a frozen plan of values and
changes nothing but values in the product's own sheets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from demand_model.annex_a.raw import CellError, RawSheet, RawValue

CellValue = None | str | int | float | bool | date | datetime | CellError
"""What may be written. Text is always written as text, never as a formula.

Where a named cell of the product's own holds a formula, the formula stays and
the value becomes its saved result (``None``: the saved result is dropped).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculated:
    """A cell of a table that holds a formula of the product's own, with its saved result.

    Only a name travels in a plan: the text is what the table's declaration
    (`TableSpec.formulas`) has under it, so no value can ever become a formula.

    Attributes
    ----------
    formula
        Name of a declared formula.
    result
        What it gives; saved beside it, for readers that do not calculate.
    """

    formula: str
    result: CellValue


TableCell = CellValue | Calculated


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRead:
    """An Excel table found by name. `rows[i][j]` stands at `addresses[i][j]` of `sheet`."""

    name: str
    sheet: str
    columns: tuple[str, ...]
    rows: tuple[tuple[RawValue, ...], ...]
    addresses: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRead:
    """A named cell's value and where it stands, for messages.

    Attributes
    ----------
    rows, columns
        Size of the block that the name stands for.
    """

    name: str
    sheet: str
    address: str
    value: RawValue
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBlock:
    """Where a name stands, and its size: the address of its top left cell."""

    sheet: str
    address: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableValues:
    """Rows that replace (or, if `append`, follow) all rows of a named table.

    A shorter result clears the tail of a longer old one; the table's `ref`
    follows the rows (at least one, blank, as Excel demands).
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    append: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeValues:
    """A block for a named range of fixed size; what the block does not fill is cleared."""

    name: str
    rows: tuple[tuple[CellValue, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRows:
    """Rows that replace the whole content of a paste sheet (List 3, 7, 8), from A1."""

    sheet: str
    rows: tuple[tuple[CellValue, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPlan:
    """Everything that one command writes: a frozen description, drawn in one go."""

    tables: tuple[TableValues, ...] = ()
    ranges: tuple[RangeValues, ...] = ()
    sheets: tuple[SheetRows, ...] = ()


class WorkbookPort(Protocol):
    """A workbook that the product may read and, in its own sheets, write."""

    @property
    def name(self) -> str:
        """Bare file name, for messages."""

    def sheet_names(self) -> tuple[str, ...]:
        """Names of all worksheets, in their order, hidden ones included."""

    def read_sheet(self, sheet: str) -> RawSheet:
        """A sheet's used range, raw."""

    def read_table(self, table: str) -> TableRead:
        """A table found by name on any sheet; `InvalidInputError` if it is not there."""

    def read_name(self, name: str) -> NamedRead:
        """A named single cell; `InvalidInputError` if it is not there."""

    def find_name(self, name: str) -> NamedBlock | None:
        """Where a name stands, without reading what is there; ``None`` if it is not there."""

    def write(self, plan: BookPlan) -> None:
        """Carry out a plan: all of it, or nothing."""
