"""Blocks of cells: written as they are meant, remembered as they were, put back.

Excel takes what it is given as if it were typed. So text that it might take for
more gets the text format first; every block is read back; and cells that Excel
made something else of get the format that their value needs, and are written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from demand_addin.closed.cells import Block
from demand_addin.layout.chart_data import column_letters
from demand_addin.live.excel import ExcelBook
from demand_addin.live.values import (
    ComValue,
    Formula,
    Look,
    OldValue,
    could_be_taken_for_more,
    look_of,
    same,
    to_excel,
)
from demand_model.errors import InvalidInputError

Grid = Sequence[Sequence[OldValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where cells stand: on a sheet, in a block."""

    sheet: str
    block: Block

    @property
    def address(self) -> str:
        """``Sheet!Reference``."""
        return f"{self.sheet}!{self.block.reference}"


@dataclass(slots=True)
class FormatChanges:
    """Number formats that were changed, so that they can be put back, the last first."""

    items: list[tuple[Spot, str]] = field(default_factory=list)


def remembered(excel: ExcelBook, spot: Spot) -> tuple[tuple[OldValue, ...], ...]:
    """Return a block as it stands, formulas included."""
    values = excel.values(spot.sheet, spot.block)
    formulas = excel.formula_cells(spot.sheet, spot.block)
    return tuple(
        tuple(
            Formula(formulas[i, j]) if (i, j) in formulas else value for j, value in enumerate(row)
        )
        for i, row in enumerate(values)
    )


def write_cells(excel: ExcelBook, spot: Spot, rows: Grid, changed: FormatChanges) -> None:
    """Write a block in one go, and see that its values stand there as they were meant.

    Formulas go with it: put one by one into a table's blank column, Excel would fill the
    column with the first. What they give is Excel's to calculate, so it is not read back.

    Raises
    ------
    InvalidInputError
        A cell does not hold what was written into it.
    """
    date_1904 = excel.date_1904
    for run in _runs(spot.block, [[isinstance(v, Formula) for v in row] for row in rows]):
        _unset_text(excel, Spot(sheet=spot.sheet, block=run), changed)
    risky = [[isinstance(v, str) and could_be_taken_for_more(v) for v in row] for row in rows]
    for run in _runs(spot.block, risky):
        _set_format(excel, Spot(sheet=spot.sheet, block=run), Look.TEXT.value, changed)
    excel.put(
        spot.sheet, spot.block, [[_typed(v, date_1904=date_1904) for v in row] for row in rows]
    )
    if not _wrong(excel, spot, rows):
        return
    _mend(excel, spot, rows, changed)
    left = _wrong(excel, spot, rows)
    if left:
        i, j = left[0]
        cell = f"{column_letters(spot.block.left + j)}{spot.block.top + i}"
        raise InvalidInputError(
            f"{excel.name}: Excel did not keep what was written to {spot.sheet}!{cell}, so "
            "everything was put back. Please report it with this sentence."
        )


def put_back(excel: ExcelBook, spot: Spot, rows: Sequence[Sequence[OldValue]]) -> None:
    """Write a remembered block again, formulas included."""
    write_cells(excel, spot, rows, FormatChanges())
    top, left = spot.block.top, spot.block.left
    shown = excel.formula_cells(spot.sheet, spot.block)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if isinstance(value, Formula) and shown.get((i, j)) != value.text:
                cell = Block(top=top + i, left=left + j, bottom=top + i, right=left + j)
                excel.put_formula(spot.sheet, cell, value.text)


def put_formats_back(excel: ExcelBook, changed: FormatChanges) -> None:
    """Undo changes of number formats."""
    for spot, old in reversed(changed.items):
        excel.set_number_format(spot.sheet, spot.block, old)


def extend_formats(
    excel: ExcelBook, sheet: str, row: Block, bottom: int, changed: FormatChanges
) -> None:
    """Dress new rows of a table as its last row is dressed."""
    for column in range(row.left, row.right + 1):
        new = Block(top=row.bottom + 1, left=column, bottom=bottom, right=column)
        _note_formats(excel, Spot(sheet=sheet, block=new), changed)
    excel.extend_formats(sheet, row, bottom)


def first_filled(excel: ExcelBook, spot: Spot) -> str:
    """Return the address of a block's first cell that holds anything, or ``""``."""
    for i, row in enumerate(excel.formulas(spot.sheet, spot.block)):
        for j, shown in enumerate(row):
            if shown:
                return f"{column_letters(spot.block.left + j)}{spot.block.top + i}"
    return ""


def _wrong(excel: ExcelBook, spot: Spot, rows: Grid) -> list[tuple[int, int]]:
    found = excel.values(spot.sheet, spot.block)
    return [
        (i, j)
        for i, (row, its) in enumerate(zip(found, rows, strict=True))
        for j, (value, meant) in enumerate(zip(row, its, strict=True))
        if not (isinstance(meant, Formula) or same(value, meant))
    ]


def _mend(excel: ExcelBook, spot: Spot, rows: Grid, changed: FormatChanges) -> None:
    wrong = set(_wrong(excel, spot, rows))
    for look in Look:
        marks = [
            [
                (i, j) in wrong and not isinstance(v, Formula) and look_of(v) is look
                for j, v in enumerate(row)
            ]
            for i, row in enumerate(rows)
        ]
        for run in _runs(spot.block, marks):
            _set_format(excel, Spot(sheet=spot.sheet, block=run), look.value, changed)
            first = run.top - spot.block.top
            column = run.left - spot.block.left
            its = [row[column] for row in rows[first : first + run.bottom - run.top + 1]]
            excel.put(spot.sheet, run, [[_once_more(excel, v)] for v in its])


def _typed(value: OldValue, *, date_1904: bool) -> ComValue:
    return value.text if isinstance(value, Formula) else to_excel(value, date_1904=date_1904)


def _once_more(excel: ExcelBook, value: OldValue) -> ComValue:
    # A first apostrophe may have been taken as the sign for text.
    if isinstance(value, str) and value.startswith("'"):
        return f"'{value}"
    return _typed(value, date_1904=excel.date_1904)


def _set_format(excel: ExcelBook, spot: Spot, text: str, changed: FormatChanges) -> None:
    if _note_formats(excel, spot, changed) != text:
        excel.set_number_format(spot.sheet, spot.block, text)


def _unset_text(excel: ExcelBook, spot: Spot, changed: FormatChanges) -> None:
    """Take the text format off a part of a column: a formula would stay text in it."""
    whole = excel.number_format(spot.sheet, spot.block)
    if whole == Look.TEXT.value:
        _set_format(excel, spot, Look.PLAIN.value, changed)
    elif whole is None:
        for row in range(spot.block.top, spot.block.bottom + 1):
            cell = Block(top=row, left=spot.block.left, bottom=row, right=spot.block.right)
            _unset_text(excel, Spot(sheet=spot.sheet, block=cell), changed)


def _note_formats(excel: ExcelBook, spot: Spot, changed: FormatChanges) -> str | None:
    """Remember the number formats of a part of a column; return the one that all cells share."""
    whole = excel.number_format(spot.sheet, spot.block)
    if whole is not None:
        changed.items.append((spot, whole))
        return whole
    for row in range(spot.block.top, spot.block.bottom + 1):
        cell = Block(top=row, left=spot.block.left, bottom=row, right=spot.block.right)
        its = excel.number_format(spot.sheet, cell)
        if its is not None:
            changed.items.append((Spot(sheet=spot.sheet, block=cell), its))
    return None


def _runs(block: Block, marks: Sequence[Sequence[bool]]) -> Iterator[Block]:
    """Marked cells, gathered down each column: one call to Excel a run."""
    for j in range(block.right - block.left + 1):
        start: int | None = None
        for i in range(len(marks) + 1):
            is_marked = i < len(marks) and marks[i][j]
            if is_marked and start is None:
                start = i
            elif not is_marked and start is not None:
                column = block.left + j
                yield Block(
                    top=block.top + start, left=column, bottom=block.top + i - 1, right=column
                )
                start = None
