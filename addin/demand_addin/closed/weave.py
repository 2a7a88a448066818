"""New values woven into a worksheet part.

Only the bytes of ``sheetData`` (and of ``dimension``) change, and within it only
the rows that a patch touches; cells beside the patch keep their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeGuard

from demand_addin.closed import spans
from demand_addin.closed.cells import Block, CellWriter
from demand_addin.closed.sheetxml import Cell, Row, SheetXml
from demand_addin.closed.spans import Splice, UnreadableXmlError
from demand_addin.layout.chart_data import column_letters
from demand_addin.ports import CellValue

_NO_CELLS: Mapping[int, Cell] = {}
_PLAIN_FORMULA = re.compile(rb"<f>[^<]*</f>")


class FormulaInTheWayError(ValueError):
    """A formula that spans several cells would be cut; `args[0]` is its reference."""


@dataclass(frozen=True, slots=True)
class FormulaCell:
    """A formula to be written, without ``=``, and its saved result."""

    text: str
    result: CellValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """New values for some columns of consecutive rows.

    Attributes
    ----------
    top
        First row.
    columns
        Column numbers of the values, ascending or not.
    rows
        Values; rows beyond them down to `bottom` are cleared.
    style_row
        Row that gives the style of cells that are new; 0 for none.
    keeps_formulas
        A formula stays, and the value becomes its saved result.
    shows_rows
        Rows that a filter has hidden are shown again.
    """

    top: int
    columns: tuple[int, ...]
    rows: Sequence[Sequence[CellValue | FormulaCell]]
    bottom: int
    style_row: int = 0
    keeps_formulas: bool = False
    shows_rows: bool = False

    @property
    def block(self) -> Block:
        """The smallest rectangle that holds the patch."""
        return Block(
            top=self.top, left=min(self.columns), bottom=self.bottom, right=max(self.columns)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patched:
    """A worksheet part with new values, and whether any formula was taken out or put in."""

    data: bytes
    changed_formulas: bool


def patched(sheet: SheetXml, patches: Sequence[Patch], *, date_1904: bool) -> Patched:
    """Return the part with the patches carried out.

    Raises
    ------
    FormulaInTheWayError
        A shared or array formula reaches out of the patch.
    """
    weaver = _Weaver(sheet, CellWriter(prefix=sheet.prefix, date_1904=date_1904))
    for patch in patches:
        weaver.add(patch)
    return weaver.result()


class _Weaver:
    """Gathers the new cells of touched rows, then weaves them into the old bytes."""

    def __init__(self, sheet: SheetXml, writer: CellWriter) -> None:
        self._sheet = sheet
        self._writer = writer
        self._new: dict[int, dict[int, str]] = {}
        self._shown: set[int] = set()
        self._changed_formulas = False

    def add(self, patch: Patch) -> None:
        rows, after = self._sheet.rows, patch.top + len(patch.rows)
        cleared = [n for n in range(after, patch.bottom + 1) if n in rows]
        numbers = [*range(patch.top, after), *cleared]
        values = [*patch.rows, *[(None,) * len(patch.columns)] * len(cleared)]
        old = [rows[n].cells if n in rows else _NO_CELLS for n in numbers]
        new = [self._new.setdefault(n, {}) for n in numbers]
        # Column by column: a column's values are of one kind, which are quick to write together.
        for column, style, of_column in zip(
            patch.columns, self._styles(patch), zip(*values, strict=True), strict=bool(values)
        ):
            cells = [there.get(column) for there in old]
            written = self._column(patch, column, numbers, cells, style, of_column)
            for row, xml in zip(new, written, strict=True):
                row[column] = xml
        if patch.shows_rows:
            self._shown.update(numbers)

    def _column(
        self,
        patch: Patch,
        column: int,
        numbers: Sequence[int],
        cells: Sequence[Cell | None],
        style: str,
        values: Sequence[CellValue | FormulaCell],
    ) -> list[str]:
        """Return a patch's cells of one column; `style` dresses those that are new."""
        letters = column_letters(column)
        styles = [style if cell is None else cell[1] for cell in cells]
        if _are_values(values) and not any(cell is not None and cell[3] for cell in cells):
            return self._writer.column(letters, numbers, styles, values)
        return [
            self._one(patch, f"{letters}{number}", cell, own, value)
            for number, cell, own, value in zip(numbers, cells, styles, values, strict=True)
        ]

    def _one(
        self, patch: Patch, at: str, cell: Cell | None, style: str, value: CellValue | FormulaCell
    ) -> str:
        if cell is not None and cell[3]:
            return self._over_formula(patch, at, cell, value)
        if isinstance(value, FormulaCell):
            self._changed_formulas = True
            return self._formula(at, style, value)
        return self._writer.cell(at, style, value)

    def _formula(self, at: str, style: str, value: FormulaCell) -> str:
        name = f"{self._sheet.prefix}f"
        formula = f"<{name}>{escape(value.text, quote=False)}</{name}>"
        return self._writer.formula_cell(at, style, formula, value.result)

    def _styles(self, patch: Patch) -> list[str]:
        row = self._sheet.rows.get(patch.style_row)
        cells = row.cells if row is not None else {}
        return [cells[c][1] if c in cells else "" for c in patch.columns]

    def _over_formula(
        self, patch: Patch, at: str, cell: Cell, value: CellValue | FormulaCell
    ) -> str:
        style = cell[1]
        formula, reference = _formula_of(cell[0])
        if patch.keeps_formulas and not isinstance(value, FormulaCell):
            return self._writer.formula_cell(at, style, formula, value)
        if reference is not None and not patch.block.holds(Block.of(reference)):
            raise FormulaInTheWayError(reference)
        if isinstance(value, FormulaCell):
            return self._formula(at, style, value)  # its cell is in the chain already
        self._changed_formulas = True
        return self._writer.cell(at, style, value)

    def result(self) -> Patched:
        sheet = self._sheet
        numbers = sorted(sheet.rows.keys() | self._new.keys())
        pieces = [f"<{sheet.qname}>".encode()]
        for number in numbers:
            row, new = sheet.rows.get(number), self._new.get(number)
            if new is None:
                assert row is not None  # noqa: S101  (the number came from one of the two)
                pieces.append(sheet.data[row.start : row.end])
            else:
                pieces.append(self._row(number, row, new))
        pieces.append(f"</{sheet.qname}>".encode())
        splices = [Splice(sheet.start, sheet.end, b"".join(pieces))]
        if sheet.dimension is not None:
            at, name = sheet.dimension
            end = spans.opening_end(sheet.data, at)
            is_empty = sheet.data[end - 2 : end] == b"/>"
            text = spans.tag(name, {"ref": self._dimension(numbers)}, is_empty=is_empty)
            splices.append(Splice(at, end, text.encode()))
        return Patched(
            data=spans.spliced(sheet.data, splices), changed_formulas=self._changed_formulas
        )

    def _row(self, number: int, row: Row | None, new: dict[int, str]) -> bytes:
        qname = f"{self._sheet.prefix}row"
        if row is None:
            body = "".join(new[c] for c in sorted(new))
            return f'<{qname} r="{number}">{body}</{qname}>'.encode()
        dropped = {"spans", "hidden"} if number in self._shown else {"spans"}
        attributes = {k: v for k, v in row.attributes.items() if k not in dropped}
        body = "".join(
            new[c] if c in new else row.cells[c][0].decode()
            for c in sorted(row.cells.keys() | new.keys())
        )
        return f"{spans.tag(qname, attributes)}{body}</{qname}>".encode()

    def _dimension(self, numbers: Sequence[int]) -> str:
        columns: set[int] = set()
        filled: list[int] = []
        for number in numbers:
            row = self._sheet.rows.get(number)
            new = self._new.get(number, {})
            present = [c for c, xml in new.items() if xml]
            if row is not None:
                present += [c for c in row.cells if c not in new]
            if present:
                columns.update(present)
                filled.append(number)
        if not columns:
            return "A1"
        return Block(
            top=filled[0], left=min(columns), bottom=filled[-1], right=max(columns)
        ).reference


def _are_values(cells: Sequence[CellValue | FormulaCell]) -> TypeGuard[Sequence[CellValue]]:
    return FormulaCell not in map(type, cells)


def _formula_of(cell: bytes) -> tuple[str, str | None]:
    """Return a cell's formula as XML, and which cells it is for where they are several."""
    if plain := _PLAIN_FORMULA.search(cell):
        return plain.group().decode(), None
    formula = spans.parse(cell).find("f")
    if formula is None:
        raise UnreadableXmlError("formula not found")
    return cell[formula.start : formula.end].decode(), formula.get("ref")
