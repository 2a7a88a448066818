"""A worksheet part: where its rows stand in the bytes, and what their cells are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demand_addin.closed import spans
from demand_addin.closed.cells import Block, column_number
from demand_addin.closed.spans import UnreadableXmlError
from demand_addin.layout.chart_data import column_letters

Cell = tuple[bytes, str, bool, bool]
"""A cell's bytes, its style as an attribute (``' s="5"'`` or nothing), has content, has a formula.

A plain tuple: a sheet has a hundred thousand of them.
"""

_OPENED, _CLOSED, _ROW_CLOSED = b"<sheetData>", b"</sheetData>", b"</row>"
_ROW = re.compile(rb'<row r="([1-9][0-9]{0,6})"((?: [\w:]+="[^"<>&]*")*)(/?)>')
_ATTRIBUTE = re.compile(r' ([\w:]+)="([^"]*)"')
_CELL = re.compile(
    rb'(<c r="([A-Z]{1,3})[0-9]{1,7}"(?: s="([0-9]++)")?(?: t="[A-Za-z]++")?'
    rb"(?:/|>(<[vif](?:[^<]*+<(?!/c>))*+[^<]*+)</c)>)"
)
"""A cell as Excel writes it: its bytes, column, style and content (a value, text or formula)."""
_DIMENSION = re.compile(rb"<dimension[ />]")


@dataclass(slots=True, eq=False)
class Row:
    """A row's place in the bytes, its attributes, and its cells by column number.

    Cells are told apart when they are first asked for: most rows are not.
    """

    start: int
    end: int
    attributes: dict[str, str]
    content: bytes = b""
    known_cells: dict[int, Cell] | None = None

    @property
    def cells(self) -> dict[int, Cell]:
        """The row's cells by column number, in the order of the bytes.

        Raises
        ------
        UnreadableXmlError
            A cell has no address.
        """
        if self.known_cells is None:
            self.known_cells = _cells(self.content)
        return self.known_cells


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
                if block.left <= column <= block.right and cell[2]:
                    return f"{column_letters(column)}{number}"
        return ""

    def filled_cells(self, row: int, left: int, right: int) -> int:
        """Return how many cells of a row hold anything, from column `left` to `right`."""
        found = self.rows.get(row)
        if found is None:
            return 0
        return sum(cell[2] for column, cell in found.cells.items() if left <= column <= right)

    def last_filled_row(self, top: int, bottom: int, columns: Sequence[int]) -> int:
        """Return the last row in the span with content in those columns; ``top - 1`` if none."""
        wanted = set(columns)
        for number in sorted((n for n in self.rows if top <= n <= bottom), reverse=True):
            cells = self.rows[number].cells
            if any(cells[c][2] for c in wanted & cells.keys()):
                return number
        return top - 1


def scan(data: bytes) -> SheetXml:
    """Find every row of a worksheet part.

    Raises
    ------
    UnreadableXmlError
        Not well-formed, or rows without a number. Cells without an address are found
        when their row's `Row.cells` are first asked for, and raise the same then.
    """
    spans.require_well_formed(data)
    return _scanned_as_written(data) or _scanned_by_parser(data)


def _scanned_as_written(data: bytes) -> SheetXml | None:
    """Scan a part that is written as Excel writes it; ``None`` for any other.

    Many times as fast as a parser that reports every cell.
    """
    start, end = data.find(_OPENED), data.rfind(_CLOSED)
    is_one = data.count(b"sheetData") == 2  # another may stand in an extension
    if start < 0 or not is_one or b"<!" in data or data.count(b"<?") > 1:
        return None
    rows: dict[int, Row] = {}
    at = start + len(_OPENED)
    while at < end:
        opening = _ROW.match(data, at)
        if opening is None:
            return None
        number, more, is_empty = opening.groups()
        inside = opening.end()
        last = inside if is_empty else data.find(_ROW_CLOSED, inside)
        after = inside if is_empty else last + len(_ROW_CLOSED)
        attributes = {"r": number.decode()}
        if more:
            attributes |= _ATTRIBUTE.findall(more.decode())
        rows[int(number)] = Row(at, after, attributes, data[inside:last])
        at = after
    if at != end:
        return None
    dimension = _DIMENSION.search(data, 0, start)
    return SheetXml(
        data=data,
        qname="sheetData",
        start=start,
        end=end + len(_CLOSED),
        rows=rows,
        dimension=(dimension.start(), "dimension") if dimension else None,
    )


def _cells(content: bytes) -> dict[int, Cell]:
    """Tell the cells of a row apart."""
    found = _CELL.findall(content)
    if sum(len(xml) for xml, *_ in found) != len(content):
        row = b'<x><sheetData><row r="1">%s</row></sheetData></x>' % content
        return _scanned_by_parser(row).rows[1].cells
    return {
        _COLUMNS[letters]: (xml, _STYLES[style], bool(inside), inside[1:2] == b"f")
        for xml, letters, style, inside in found
    }


def _scanned_by_parser(data: bytes) -> SheetXml:
    """Scan any worksheet part: prefixes, comments and white space included."""
    # One closure, not a class: these handlers run for every element of a sheet.
    parser = spans.new_parser()
    rows: dict[int, Row] = {}
    depth = at = column = 0
    row: Row | None = None
    style = cell_name = sheet_data = ""
    has_content = has_formula = False
    start_of_data = end_of_data = 0
    dimension: tuple[int, str] | None = None

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, row, at, column, style, has_content, has_formula
        nonlocal cell_name, sheet_data, start_of_data, dimension
        depth += 1
        if depth == 5:
            if name.endswith("f"):
                has_formula = has_content = True
            elif name.endswith(("v", "is")):
                has_content = True
        elif depth == 4:
            if row is not None and name == cell_name:
                column = _COLUMNS[attributes.get("r", "").rstrip(DIGITS).encode()]
                at, style = parser.CurrentByteIndex, _STYLES[attributes.get("s", "").encode()]
                has_content = has_formula = False
        elif depth == 3:
            if sheet_data and not end_of_data:
                if "r" not in attributes:
                    raise UnreadableXmlError("row without a number")
                row = Row(parser.CurrentByteIndex, 0, attributes, known_cells={})
                rows[int(attributes["r"])] = row
        elif depth == 2:
            local = name.rpartition(":")[2]
            if local == "sheetData":
                sheet_data, start_of_data = name, parser.CurrentByteIndex
                cell_name = f"{name[: -len(local)]}c"
            elif local == "dimension":
                dimension = (parser.CurrentByteIndex, name)

    def on_end(name: str) -> None:
        nonlocal depth, row, end_of_data
        depth -= 1
        if depth == 3:
            if row is not None and name == cell_name:
                end = spans.closing_end(data, parser.CurrentByteIndex, name)
                row.cells[column] = (data[at:end], style, has_content, has_formula)
        elif depth == 2:
            if row is not None:
                row.end = spans.closing_end(data, parser.CurrentByteIndex, name)
                row = None
        elif depth == 1 and name == sheet_data:
            end_of_data = spans.closing_end(data, parser.CurrentByteIndex, name)

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    spans.parse_with(parser, data)
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


class _Columns(dict[bytes, int]):
    """Column numbers by their letters: looked up for every cell of every sheet."""

    def __missing__(self, key: bytes) -> int:
        if not (key.isalpha() and len(key) <= 3):
            raise UnreadableXmlError("cell without an address")
        number = self[key] = column_number(key.decode())
        return number


class _Styles(dict[bytes, str]):
    """Style attributes by their index."""

    def __missing__(self, key: bytes) -> str:
        style = self[key] = f' s="{key.decode()}"' if key else ""
        return style


_COLUMNS, _STYLES = _Columns(), _Styles()
