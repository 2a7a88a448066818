"""A worksheet part: where its rows and cells stand in the bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from demand_addin.closed import spans
from demand_addin.closed.cells import Block, column_number
from demand_addin.closed.spans import UnreadableXmlError
from demand_addin.layout.chart_data import column_letters

Cell = tuple[int, int, str, bool, bool]
"""A cell's start and end in the bytes, style index, has content, has a formula.

A plain tuple: a sheet has a hundred thousand of them.
"""


@dataclass(slots=True, eq=False)
class Row:
    """A row's place in the bytes, and its cells by column number."""

    start: int
    attributes: dict[str, str]
    end: int = 0
    cells: dict[int, Cell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetXml:
    """A worksheet part, scanned once.

    Attributes
    ----------
    data
        The part's bytes.
    qname, start, end
        Of ``sheetData``: its name and its whole span.
    rows
        By row number.
    dimension
        Opening tag's span and name, if there is one.
    """

    data: bytes
    qname: str
    start: int
    end: int
    rows: Mapping[int, Row]
    dimension: tuple[int, str] | None

    @property
    def prefix(self) -> str:
        """The sheet's namespace prefix with its colon, or nothing."""
        return self.qname[: -len("sheetData")]

    def first_filled(self, block: Block) -> str:
        """Return the address of the first cell within `block` that holds anything, or ``""``."""
        for number in sorted(n for n in self.rows if block.top <= n <= block.bottom):
            for column, cell in self.rows[number].cells.items():
                if block.left <= column <= block.right and cell[3]:
                    return f"{column_letters(column)}{number}"
        return ""

    def filled_cells(self, row: int, left: int, right: int) -> int:
        """Return how many cells of a row hold anything, from column `left` to `right`."""
        found = self.rows.get(row)
        if found is None:
            return 0
        return sum(cell[3] for column, cell in found.cells.items() if left <= column <= right)

    def last_filled_row(self, top: int, bottom: int, columns: Sequence[int]) -> int:
        """Return the last row in the span with content in those columns; ``top - 1`` if none."""
        wanted = set(columns)
        for number in sorted((n for n in self.rows if top <= n <= bottom), reverse=True):
            cells = self.rows[number].cells
            if any(cells[c][3] for c in wanted & cells.keys()):
                return number
        return top - 1


def scan(data: bytes) -> SheetXml:
    """Find every row and cell of a worksheet part.

    Raises
    ------
    UnreadableXmlError
        Not well-formed, or rows or cells without an address.
    """
    # One closure, not a class: these handlers run half a million times a sheet.
    parser = spans.new_parser()
    rows: dict[int, Row] = {}
    depth = at = column = 0
    row: Row | None = None
    style = cell_name = sheet_data = ""
    cell_closing = b""
    has_content = has_formula = False
    start_of_data = end_of_data = 0
    dimension: tuple[int, str] | None = None

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, row, at, column, style, has_content, has_formula
        nonlocal cell_name, cell_closing, sheet_data, start_of_data, dimension
        depth += 1
        if depth == 5:
            if name.endswith("f"):
                has_formula = has_content = True
            elif name.endswith(("v", "is")):
                has_content = True
        elif depth == 4:
            if row is not None and name == cell_name:
                letters = attributes.get("r", "").rstrip(DIGITS)
                column = _COLUMNS.get(letters) or _new_column(letters)
                at, style = parser.CurrentByteIndex, attributes.get("s", "")
                has_content = has_formula = False
        elif depth == 3:
            if sheet_data and not end_of_data:
                if "r" not in attributes:
                    raise UnreadableXmlError("row without a number")
                row = rows[int(attributes["r"])] = Row(parser.CurrentByteIndex, attributes)
        elif depth == 2:
            local = name.rpartition(":")[2]
            if local == "sheetData":
                sheet_data, start_of_data = name, parser.CurrentByteIndex
                cell_name = f"{name[: -len(local)]}c"
                cell_closing = f"</{cell_name}>".encode()
            elif local == "dimension":
                dimension = (parser.CurrentByteIndex, name)

    def on_end(name: str) -> None:
        nonlocal depth, row, end_of_data
        depth -= 1
        if depth == 3:
            if row is not None and name == cell_name:
                end = parser.CurrentByteIndex
                if data.startswith(cell_closing, end):
                    end += len(cell_closing)
                else:
                    end = spans.closing_end(data, end, name)
                row.cells[column] = (at, end, style, has_content, has_formula)
        elif depth == 2:
            if row is not None:
                row.end = spans.closing_end(data, parser.CurrentByteIndex, name)
                row = None
        elif depth == 1 and name == sheet_data:
            end_of_data = spans.closing_end(data, parser.CurrentByteIndex, name)

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    try:
        parser.Parse(data, True)  # noqa: FBT003  (expat's own signature)
    except expat.ExpatError as error:
        raise UnreadableXmlError(str(error)) from error
    if not end_of_data:
        raise UnreadableXmlError("no sheetData")
    return SheetXml(
        data=data,
        qname=sheet_data,
        start=start_of_data,
        end=end_of_data,
        rows=rows,
        dimension=dimension,
    )


DIGITS = "0123456789"
_COLUMNS: dict[str, int] = {}
"""Column letters met so far: looked up for every cell of every sheet."""


def _new_column(letters: str) -> int:
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        raise UnreadableXmlError("cell without an address")
    number = _COLUMNS[letters] = column_number(letters)
    return number
