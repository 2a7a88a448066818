"""New values woven into a worksheet part.

Only the bytes of ``sheetData`` (and of ``dimension``) change, and within it only
the rows that a patch touches; cells beside the patch keep their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from demand_addin.closed import spans
from demand_addin.closed.cells import Block, CellWriter
from demand_addin.closed.sheetxml import Cell, Row, SheetXml
from demand_addin.closed.spans import Splice, UnreadableXmlError
from demand_addin.layout.chart_data import column_letters
from demand_addin.ports import CellValue


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
        styles = self._styles(patch)
        letters = [column_letters(c) for c in patch.columns]
        blank = (None,) * len(patch.columns)
        count, write = len(patch.rows), self._writer.cell
        for offset in range(patch.bottom - patch.top + 1):
            number = patch.top + offset
            values = patch.rows[offset] if offset < count else blank
            row = self._sheet.rows.get(number)
            old = row.cells if row is not None else {}
            if row is None and offset >= count:
                continue
            new = self._new.setdefault(number, {})
            for column, letter, style, value in zip(
                patch.columns, letters, styles, values, strict=False
            ):
                cell = old.get(column)
                if cell is None:
                    at = f"{letter}{number}"
                    if isinstance(value, FormulaCell):
                        new[column] = self._put_in(at, style, value)
                    else:
                        new[column] = write(at, style, value)
                    continue
                own = f' s="{cell[2]}"' if cell[2] else ""
                if cell[4]:
                    new[column] = self._over_formula(patch, f"{letter}{number}", own, cell, value)
                elif isinstance(value, FormulaCell):
                    new[column] = self._put_in(f"{letter}{number}", own, value)
                else:
                    new[column] = write(f"{letter}{number}", own, value)
            if patch.shows_rows:
                self._shown.add(number)

    def _put_in(self, at: str, style: str, value: FormulaCell) -> str:
        self._changed_formulas = True
        return self._formula(at, style, value)

    def _formula(self, at: str, style: str, value: FormulaCell) -> str:
        name = f"{self._sheet.prefix}f"
        formula = f"<{name}>{escape(value.text)}</{name}>"
        return self._writer.formula_cell(at, style, formula, value.result)

    def _styles(self, patch: Patch) -> list[str]:
        row = self._sheet.rows.get(patch.style_row)
        cells = row.cells if row is not None else {}
        return [f' s="{cells[c][2]}"' if c in cells and cells[c][2] else "" for c in patch.columns]

    def _over_formula(
        self, patch: Patch, at: str, style: str, cell: Cell, value: CellValue | FormulaCell
    ) -> str:
        fragment = self._sheet.data[cell[0] : cell[1]]
        formula = spans.parse(fragment).find("f")
        if formula is None:
            raise UnreadableXmlError("formula not found")
        if patch.keeps_formulas and not isinstance(value, FormulaCell):
            kept = fragment[formula.start : formula.end].decode()
            return self._writer.formula_cell(at, style, kept, value)
        reference = formula.get("ref")
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
        data = self._sheet.data
        body = "".join(
            new[c] if c in new else data[row.cells[c][0] : row.cells[c][1]].decode()
            for c in sorted(row.cells.keys() | new.keys())
        )
        return f"{spans.tag(qname, attributes)}{body}</{qname}>".encode()

    def _dimension(self, numbers: Sequence[int]) -> str:
        columns: set[int] = set()
        filled: list[int] = []
        for number in numbers:
            row = self._sheet.rows.get(number)
            new = self._new.get(number, {})
            present = {c for c, xml in new.items() if xml}
            if row is not None:
                present |= row.cells.keys() - new.keys()
            if present:
                columns |= present
                filled.append(number)
        if not columns:
            return "A1"
        return Block(
            top=filled[0], left=min(columns), bottom=filled[-1], right=max(columns)
        ).reference
