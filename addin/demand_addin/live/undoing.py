"""Putting back what a write replaced, where nothing stands there that was typed since.

A cell that was written as it had been before is none of the undo's business: an override
typed on sheet Rates, or a code on sheet Mapping, stays, as long as its row stays the
same row. Every other cell must still be as written, or be as it was before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demand_addin.closed.cells import Block
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.tables import TYPED_TABLES
from demand_addin.live.cellwork import Spot, put_back, remembered
from demand_addin.live.edits import Finder
from demand_addin.live.excel import ExcelBook
from demand_addin.live.undo import Record, Replaced
from demand_addin.live.values import Formula, OldValue, same
from demand_model.errors import InvalidInputError

_CELLS_OF_A_ROW = 2  # one filled cell below a table is a note, which is not read with it

Rows = tuple[tuple[OldValue, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One block, and what it is to hold."""

    spot: Spot
    rows: Rows


class Undoing:
    """An undo, worked out whole before anything is changed.

    Parameters
    ----------
    excel
        The open workbook.
    record
        What the write replaced.

    Raises
    ------
    InvalidInputError
        The results were changed by hand since, or their tables are gone, or a row that was
        typed directly below a table would stand apart from it.
    """

    def __init__(self, excel: ExcelBook, record: Record) -> None:
        excel.forget_sheets()
        self._excel = excel
        self._find = Finder(excel)
        self._rows = record.rows
        for name, rows in record.rows.items():
            block = self._find.table(name).block
            if block.bottom - block.top not in rows:
                raise self._changed_since(f"table {name}")
            if name.lower() in TYPED_TABLES and block.bottom - block.top > rows[0]:
                self._refuse_to_detach(name)
        steps = [self._step(replaced) for replaced in record.blocks]
        self._steps = tuple(step for step in steps if step is not None)

    @property
    def sheets(self) -> tuple[str, ...]:
        """Sheets that are changed."""
        tables = (self._find.table(name).sheet for name in self._rows)
        return tuple(dict.fromkeys([*(step.spot.sheet for step in self._steps), *tables]))

    @property
    def changes_any(self) -> bool:
        """Whether anything is to be put back, or all is as before (closed without saving)."""
        return bool(self._steps) or any(
            (block := self._find.table(name).block).bottom - block.top != rows
            for name, (rows, _) in self._rows.items()
        )

    def carry_out(self) -> None:
        """Put everything back."""
        for step in self._steps:
            put_back(self._excel, step.spot, step.rows)
        for name, (rows, _) in self._rows.items():
            table = self._find.table(name)
            block = table.block
            if block.bottom - block.top != rows:
                extent = Block(
                    top=block.top, left=block.left, bottom=block.top + rows, right=block.right
                )
                self._excel.resize(table, extent)

    def _step(self, replaced: Replaced) -> _Step | None:
        spot = _spot_of(self._find, replaced)
        if replaced.checksum:
            found: Rows = tuple(map(tuple, self._excel.values(spot.sheet, spot.block)))
            if _is_as_before(replaced, found):
                return None
            if not replaced.is_as_written(found):
                raise self._changed_since(f"sheet {spot.sheet}")
            return _Step(spot=spot, rows=replaced.old)
        found = remembered(self._excel, spot)
        rows = tuple(self._row(replaced, i, its, spot) for i, its in enumerate(found))
        return None if rows == found else _Step(spot=spot, rows=rows)

    def _row(
        self, replaced: Replaced, i: int, found: tuple[OldValue, ...], spot: Spot
    ) -> tuple[OldValue, ...]:
        """Return what a row is to hold: what was there, or what was typed beside it since."""
        old, new = replaced.old[i], replaced.new[i]
        out: list[OldValue] = []
        for j, value in enumerate(found):
            is_left_alone = same(old[j], new[j])
            if is_left_alone and not _alike(value, old[j]):
                is_well = self._stays(replaced, i) and _is_same_row(old[:j], new[:j])
            else:
                is_well = _alike(value, new[j]) or _alike(value, old[j])
            if not is_well:
                at = f"{column_letters(spot.block.left + j)}{spot.block.top + i}"
                raise self._changed_since(f"{spot.sheet}!{at}")
            out.append(value if is_left_alone else old[j])
        return tuple(out)

    def _refuse_to_detach(self, name: str) -> None:
        """Refuse where a row below a table is read with it: between them would be blank rows."""
        table = self._find.table(name)
        block, row = table.block, table.block.bottom + 1
        below = Block(top=row, left=block.left, bottom=row, right=block.right)
        (shown,) = self._excel.formulas(table.sheet, below)
        if sum(map(bool, shown)) >= _CELLS_OF_A_ROW:
            raise InvalidInputError(
                f"{self._excel.name}: row {row} of sheet {table.sheet} was typed directly below "
                f"table {name}. Undo would take away the rows above it, and it would be read no "
                "more. Nothing was changed: cut that row, choose Undo again, and put it directly "
                "below the table then."
            )

    def _stays(self, replaced: Replaced, i: int) -> bool:
        """Whether a row of a table is still its own after the undo."""
        if replaced.kind != "table" or replaced.name not in self._rows:
            return True
        return replaced.row + i < self._rows[replaced.name][0]

    def _changed_since(self, where: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self._excel.name}: {where} was changed after the results were written, so they were "
            "left as they are. Undo would overwrite that change, or take away the row that it "
            "stands in; put it back first, or run again."
        )


def _is_as_before(replaced: Replaced, found: Rows) -> bool:
    return len(found) == len(replaced.old) and all(
        same(its, was)
        for row, old in zip(found, replaced.old, strict=True)
        for its, was in zip(row, old, strict=True)
    )


def _alike(found: OldValue, meant: OldValue) -> bool:
    """Whether a cell is as it was meant; what a formula gives follows what stands around it."""
    if isinstance(found, Formula) and isinstance(meant, Formula):
        return True  # Excel may spell it in its own way
    return same(found, meant)


def _is_same_row(old: Sequence[OldValue], new: Sequence[OldValue]) -> bool:
    """Whether the words that name a row, left of a cell, were written as they had been."""
    return all(
        same(its, their)
        for its, their in zip(old, new, strict=True)
        if isinstance(its, str) or isinstance(their, str)
    )


def _spot_of(find: Finder, replaced: Replaced) -> Spot:
    if replaced.kind == "table":
        table = find.table(replaced.name)
        sheet, top, left = table.sheet, table.first_row, table.block.left
    elif replaced.kind == "cells":
        place = find.place(replaced.name)
        sheet, top, left = place.sheet, place.block.top, place.block.left
    else:
        sheet, top, left = find.sheet(replaced.name), 1, 1
    height, width = len(replaced.old), len(replaced.old[0])
    top, left = top + replaced.row, left + replaced.column
    block = Block(top=top, left=left, bottom=top + height - 1, right=left + width - 1)
    return Spot(sheet=sheet, block=block)
