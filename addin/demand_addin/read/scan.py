"""What a sheet's XML says that its values do not.

Error cells, formulas without a value, hidden rows and columns, merged cells,
and the true used range, found by a few passes over the bytes: 3 million cells
take about a second. A sheet whose cells do not open with their address (some
exporters leave it out, or use a namespace prefix) is walked element by element.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

_CELL = re.compile(rb"<c[ >]")
_ADDRESSED = re.compile(rb'<c r="[A-Z]{1,3}\d+"')
_COLUMNS = re.compile(rb'<c r="([A-Z]{1,3})')
_VALUED = re.compile(rb'<c r="([A-Z]{1,3})(\d+)"(?:[^>]*[^/>])?>')
_ROW_NUMBERS = re.compile(rb'<row [^>]*?\br="(\d+)"')
_FORMULA = re.compile(
    rb'<c r="([A-Z]{1,3})(\d+)"([^>]*)>\s*<f[^>]*?(?:/>|>([^<]*)</f>)'
    rb"(?:\s*<v[^>]*?(?:/>|>([^<]*)</v>))?"
)
_ERROR = re.compile(
    rb'<c r="([A-Z]{1,3})(\d+)"[^>]*\bt="e"[^>]*>'
    rb"(?:\s*<f[^>]*?(?:/>|>[^<]*</f>))?\s*<v[^>]*>([^<]*)</v>"
)
_HIDDEN_ROW = re.compile(rb'<row (?=[^>]*\bhidden="(?:1|true)")[^>]*?\br="(\d+)"')
_HIDDEN_COLUMNS = re.compile(rb'<col (?=[^>]*\bhidden="(?:1|true)")[^>]*>')
_MERGED = re.compile(rb'<mergeCell [^>]*?ref="([A-Z]+\d+(?::[A-Z]+\d+)?)"')
_EXTERNAL = re.compile(r"\[\d+\]")

_DENSE_CELLS = 20_000_000
"""A used range up to this size is read as it stands."""
_ROW_GAP, _COLUMN_GAP = 1_000, 100
"""In a larger one, what lies beyond so many blank rows or columns is a stray cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetScan:
    """Findings of one pass over a sheet's XML. Positions are 1-based (row, column).

    Attributes
    ----------
    external_formulas
        How many formulas refer to another workbook.
    stray
        Addresses of cells far outside the used range, which are not read.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    uncalculated: tuple[tuple[int, int], ...] = ()
    formula_cells: int = 0
    external_formulas: int = 0
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _CellFacts:
    row: int
    column: int
    kind: str
    formula: str | None
    value: str


class ScatteredCellsError(Exception):
    """The cells of a sheet are spread so widely that no table can be made out."""


def column_number(letters: str) -> int:
    """Return the 1-based number of a column, ``"A"`` being 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def scan_sheet(xml: bytes) -> SheetScan:
    """Scan a worksheet part.

    Raises
    ------
    ScatteredCellsError
        Its cells cover an area too large to read, with no gap to cut at.
    """
    by_address = len(_CELL.findall(xml)) == len(_ADDRESSED.findall(xml))
    special = list(_special_by_pattern(xml) if by_address else _special_by_tree(xml))
    errors = {(c.row, c.column): c.value.strip() for c in special if c.kind == "e"}
    formulas = [c for c in special if c.formula is not None]
    return SheetScan(
        errors=errors,
        uncalculated=tuple(
            (c.row, c.column) for c in formulas if c.kind in ("", "n") and not c.value.strip()
        ),
        formula_cells=len(formulas),
        external_formulas=sum(bool(_EXTERNAL.search(c.formula or "")) for c in formulas),
        hidden_rows=frozenset(int(n) for n in _HIDDEN_ROW.findall(xml)),
        hidden_columns=_hidden_columns(xml),
        merged=tuple(ref.decode() for ref in _MERGED.findall(xml)),
        stray=_stray(xml) if by_address else (),
    )


def without_cells(xml: bytes, addresses: tuple[str, ...]) -> bytes:
    """Return the part without the cells at `addresses`."""
    for address in addresses:
        start = xml.find(f'<c r="{address}"'.encode())
        opening = xml.find(b">", start)
        closing = opening if xml[opening - 1 : opening] == b"/" else xml.find(b"</c>", opening) + 3
        xml = xml[:start] + xml[closing + 1 :]
    return xml


def _special_by_pattern(xml: bytes) -> Iterator[_CellFacts]:
    if b'"e"' in xml:
        for letters, row, value in _ERROR.findall(xml):
            yield _facts(letters, row, "e", None, value)
    if b"<f" in xml:
        for letters, row, attributes, formula, value in _FORMULA.findall(xml):
            kind = re.search(rb'\bt="(\w+)"', attributes)
            name = kind.group(1).decode() if kind else ""
            yield _facts(letters, row, "" if name == "e" else name or "", formula, value or b"")


def _facts(
    letters: bytes, row: bytes, kind: str, formula: bytes | None, value: bytes
) -> _CellFacts:
    return _CellFacts(
        row=int(row),
        column=column_number(letters.decode()),
        kind=kind,
        formula=None if formula is None else formula.decode("utf-8", "replace"),
        value=value.decode("utf-8", "replace"),
    )


def _special_by_tree(xml: bytes) -> Iterator[_CellFacts]:
    row = column = 0
    source = io.BytesIO(xml)
    events = ET.iterparse(source, events=("start", "end"))  # noqa: S314 (see package)
    for event, element in events:
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            row, column = int(element.get("r", row + 1)), 0
        elif event == "start" and tag == "c":
            letters = re.match(r"[A-Z]+", element.get("r", ""))
            column = column_number(letters.group()) if letters else column + 1
        elif event == "end" and tag == "c":
            yield from _facts_of_element(element, row, column)
        elif event == "end" and tag == "row":
            element.clear()


def _facts_of_element(element: ET.Element, row: int, column: int) -> Iterator[_CellFacts]:
    inside = {child.tag.rpartition("}")[2]: child.text or "" for child in element}
    kind = element.get("t", "")
    if kind == "e" or "f" in inside:
        value = inside.get("v", "")
        yield _CellFacts(row=row, column=column, kind=kind, formula=inside.get("f"), value=value)


def _hidden_columns(xml: bytes) -> frozenset[int]:
    hidden: set[int] = set()
    for tag in _HIDDEN_COLUMNS.findall(xml):
        bounds = [re.search(rb'\b%s="(\d+)"' % key, tag) for key in (b"min", b"max")]
        if bounds[0] and bounds[1]:
            last = min(int(bounds[1].group(1)), 16_384)
            hidden.update(range(int(bounds[0].group(1)), last + 1))
    return frozenset(hidden)


def _stray(xml: bytes) -> tuple[str, ...]:
    """Return addresses of cells far outside the used range, where it is too large to read."""
    columns = set(_COLUMNS.findall(xml))
    if not columns:
        return ()
    widest = max(column_number(letters.decode()) for letters in columns)
    tallest = max((int(n) for n in _ROW_NUMBERS.findall(xml)), default=1)
    if widest * tallest <= _DENSE_CELLS:
        return ()
    rows: Counter[int] = Counter()
    letters: Counter[bytes] = Counter()
    for cell in _VALUED.finditer(xml):
        letters[cell[1]] += 1
        rows[int(cell[2])] += 1
    last_row = _last_before_gap(rows, _ROW_GAP)
    numbers = {name: column_number(name.decode()) for name in letters}
    last_column = _last_before_gap(numbers.values(), _COLUMN_GAP)
    far_rows = [b"%d" % row for row in rows if row > last_row]
    far_columns = [name for name in letters if numbers[name] > last_column]
    too_many = sum(rows[int(row)] for row in far_rows) + sum(letters[c] for c in far_columns)
    if last_row * last_column > _DENSE_CELLS or too_many > _ROW_GAP:
        raise ScatteredCellsError
    nothing = b"(?!)"
    stray = re.compile(
        rb'<c r="((?:%s)\d+|[A-Z]{1,3}(?:%s))"(?:[^>]*[^/>])?>'
        % (b"|".join(far_columns) or nothing, b"|".join(far_rows) or nothing)
    )
    return tuple(address.decode() for address in stray.findall(xml))


def _last_before_gap(taken: Iterable[int], gap: int) -> int:
    positions = sorted(taken)
    last = positions[0] if positions else 0
    for position in positions[1:]:
        if position - last > gap:
            break
        last = position
    return last
