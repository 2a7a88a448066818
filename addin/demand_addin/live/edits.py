"""A plan, worked out against the open workbook before anything is changed.

Each edit says which cells get which values and how far a table then reaches. What
cannot be carried out is said here, in the words of the closed-file adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property

from demand_addin.closed.cells import Block
from demand_addin.layout.formulas import formula_text
from demand_addin.layout.tables import TYPED_TABLES
from demand_addin.live.cellwork import Spot, first_filled
from demand_addin.live.excel import ExcelBook, LiveTable
from demand_addin.live.values import Formula, OldValue, settled
from demand_addin.ports import (
    BookPlan,
    Calculated,
    CellValue,
    RangeValues,
    SheetRows,
    TableValues,
)
from demand_addin.refusals import cell_not_found, in_the_way, require_fit, table_not_found
from demand_model.errors import InvalidInputError

Rows = tuple[tuple[OldValue, ...], ...]

DENSE_CELLS = 20_000_000
"""A used range up to this size is handled as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsEdit:
    """New values for one block.

    Attributes
    ----------
    kind, name, row, column
        What the block hangs on, and where from there (see `undo.Replaced`).
    """

    kind: str
    name: str
    row: int
    column: int
    spot: Spot
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """All that one part of a plan changes: cells, and for a table its extent."""

    sheet: str
    cells: tuple[CellsEdit, ...]
    table: LiveTable | None = None
    extent: Block | None = None


class Finder:
    """Finds sheets, tables and named cells as they stand now; says plainly what is not there.

    Names are asked of Excel once, and only if they are wanted. A finder is for one task; one
    that reads for longer looks again at what it finds (`table_now`), or does not find
    (`place`), since the user may change the workbook meanwhile.
    """

    def __init__(self, excel: ExcelBook) -> None:
        self._excel = excel

    @cached_property
    def sheets(self) -> tuple[str, ...]:
        """Names of all worksheets."""
        return self._excel.sheet_names()

    @cached_property
    def tables(self) -> Mapping[str, LiveTable]:
        """Every table by its lower-case name."""
        return self._excel.tables()

    def sheet(self, name: str) -> str:
        """Return a sheet's name, if it is there."""
        if name not in self.sheets:
            raise InvalidInputError(
                f"{self._excel.name}: sheet {name} was not found, so nothing was written; it was "
                f"renamed or deleted. Sheets found: {', '.join(self.sheets)}."
            )
        return name

    def table(self, name: str) -> LiveTable:
        """Return a table."""
        found = self.tables.get(name.lower())
        if found is None:
            raise table_not_found(self._excel.name, name)
        return found

    def table_now(self, name: str) -> LiveTable:
        """Return a table as it stands at this moment; the other tables are not asked."""
        known = self.tables.get(name.lower())
        now = None if known is None else self._excel.look_again(known)
        if now is None:
            self.look_again()
            return self.table(name)
        return now

    def look_again(self) -> None:
        """Forget what was found."""
        self._excel.forget_sheets()
        for found in ("sheets", "tables"):
            self.__dict__.pop(found, None)

    def place(self, name: str) -> Spot:
        """Return the cells that a defined name stands for."""
        sheet, _, reference = self._excel.refers_to(name).removeprefix("=").rpartition("!")
        sheet = sheet.strip("'").replace("''", "'")
        if sheet and sheet not in self.sheets:
            self.look_again()
        try:
            if sheet in self.sheets:
                return Spot(sheet=sheet, block=Block.of(reference))
        except ValueError:
            pass
        raise cell_not_found(self._excel.name, name)


def edits_of(excel: ExcelBook, plan: BookPlan) -> tuple[Edit, ...]:
    """Work out everything that a plan changes.

    Raises
    ------
    InvalidInputError
        A sheet, table, column or named cell is missing, or something of the
        user's is in the way.
    """
    worker = _Worker(excel)
    return (
        *(worker.table(values) for values in plan.tables),
        *(worker.cells(values) for values in plan.ranges),
        *(worker.sheet(rows) for rows in plan.sheets),
    )


class _Worker:
    def __init__(self, excel: ExcelBook) -> None:
        excel.forget_sheets()
        self._excel = excel
        self._find = Finder(excel)
        self._date_1904 = excel.date_1904

    def _settled(self, rows: Sequence[Sequence[CellValue]]) -> Rows:
        return tuple(tuple(settled(v, date_1904=self._date_1904) for v in row) for row in rows)

    def _of_table(self, values: TableValues) -> Rows:
        return tuple(
            tuple(
                Formula(f"={formula_text(values.name, cell)}")
                if isinstance(cell, Calculated)
                else settled(cell, date_1904=self._date_1904)
                for cell in row
            )
            for row in values.rows
        )

    def table(self, values: TableValues) -> Edit:
        table = self._find.table(values.name)
        self._refuse_unfit(table, values)
        columns = [table.block.left + table.columns.index(name) for name in values.columns]
        read = self._with_typed_rows(table) if values.append else table
        bottom, top = read.block.bottom, table.first_row
        if values.append and columns:
            top = self._last_filled(read, columns) + 1
        last = max(top + len(values.rows) - 1, table.first_row)
        extent = Block(
            top=table.block.top, left=table.block.left, bottom=last, right=table.block.right
        )
        self._refuse_in_the_way(read, extent)
        rows = self._of_table(values)
        height = max(last, bottom) - top + 1
        blank = (None,) * len(columns)
        filled = (*rows, *(blank,) * (height - len(rows)))
        cells = tuple(
            CellsEdit(
                kind="table",
                name=table.name,
                row=top - table.first_row,
                column=group[0][1] - table.block.left,
                spot=Spot(
                    sheet=table.sheet,
                    block=Block(
                        top=top, left=group[0][1], bottom=top + height - 1, right=group[-1][1]
                    ),
                ),
                rows=tuple(tuple(row[index] for index, _ in group) for row in filled),
            )
            for group in _neighbours(columns)
            if height > 0
        )
        for edit in cells:
            self._refuse_array(edit.spot)
        return Edit(sheet=table.sheet, cells=cells, table=table, extent=extent)

    def _refuse_unfit(self, table: LiveTable, values: TableValues) -> None:
        missing = [name for name in values.columns if name not in table.columns]
        require_fit(
            self._excel.name, table.name, table.sheet, missing=missing, has_totals=table.has_totals
        )

    def _with_typed_rows(self, table: LiveTable) -> LiveTable:
        """Return a table that only the analyst writes as it is read: with the rows below it."""
        block = table.block
        if table.name.lower() not in TYPED_TABLES:
            return table
        while True:
            below = replace(block, top=block.bottom + 1, bottom=block.bottom + 1)
            (shown,) = self._excel.formulas(table.sheet, below)
            if sum(map(bool, shown)) < 2:
                return replace(table, block=block)
            block = replace(block, bottom=block.bottom + 1)

    def _last_filled(self, table: LiveTable, columns: Sequence[int]) -> int:
        block = Block(
            top=table.first_row,
            left=table.block.left,
            bottom=table.block.bottom,
            right=table.block.right,
        )
        shown = self._excel.formulas(table.sheet, block)
        for i in range(len(shown) - 1, -1, -1):
            if any(shown[i][column - table.block.left] for column in columns):
                return table.first_row + i
        return table.first_row - 1

    def _refuse_in_the_way(self, table: LiveTable, extent: Block) -> None:
        if extent.bottom <= table.block.bottom:
            return
        grown = Block(
            top=table.block.bottom + 1, left=extent.left, bottom=extent.bottom, right=extent.right
        )
        at = first_filled(self._excel, Spot(sheet=table.sheet, block=grown))
        others = (
            t.block.reference
            for t in self._find.tables.values()
            if t.sheet == table.sheet and t.name != table.name and t.block.meets(grown)
        )
        at = at or next(others, "")
        if at:
            raise in_the_way(self._excel.name, table.name, table.sheet, at=at, bottom=extent.bottom)

    def _refuse_array(self, spot: Spot) -> None:
        at = self._excel.array_over(spot.sheet, spot.block)
        if at:
            raise InvalidInputError(
                f"{self._excel.name}: a formula over {spot.sheet}!{at} reaches into cells that "
                "must be written. Nothing was written. Clear it, or move it beside the table."
            )

    def cells(self, values: RangeValues) -> Edit:
        spot = self._find.place(values.name)
        block = spot.block
        height, width = block.bottom - block.top + 1, block.right - block.left + 1
        if len(values.rows) > height or any(len(row) > width for row in values.rows):
            raise InvalidInputError(
                f"{self._excel.name}: the named cells {values.name} ({spot.address}) have become "
                "too small; rows or columns were deleted. Nothing was written. Undo that, or make "
                "a new workbook."
            )
        rows = [(*row, *(None,) * (width - len(row))) for row in self._settled(values.rows)]
        rows += [(None,) * width] * (height - len(rows))
        formulas = self._excel.formula_cells(spot.sheet, block)
        pieces = _around(block, formulas.keys())
        return Edit(
            sheet=spot.sheet,
            cells=tuple(
                CellsEdit(
                    kind="cells",
                    name=values.name,
                    row=piece.top - block.top,
                    column=piece.left - block.left,
                    spot=Spot(sheet=spot.sheet, block=piece),
                    rows=tuple(
                        row[piece.left - block.left : piece.right - block.left + 1]
                        for row in rows[piece.top - block.top : piece.bottom - block.top + 1]
                    ),
                )
                for piece in pieces
            ),
        )

    def sheet(self, values: SheetRows) -> Edit:
        sheet = self._find.sheet(values.sheet)
        for table in self._find.tables.values():
            if table.sheet == sheet:
                raise InvalidInputError(
                    f"{self._excel.name}: sheet {sheet} holds the table {table.name}. Nothing was "
                    "written. Convert it to a range (Table Design) and try again."
                )
        used = self._excel.used(sheet)
        if used.bottom * used.right > DENSE_CELLS:
            raise InvalidInputError(
                f"{self._excel.name}: sheet {sheet} has a cell far outside its list (its last is "
                f"{used.reference.rpartition(':')[2]}). Nothing was written. Delete the stray rows "
                "or columns, save, and try again."
            )
        rows = self._settled(values.rows)
        height = max(len(rows), used.bottom)
        width = max(*(len(row) for row in rows), used.right, 1)
        filled = [(*row, *(None,) * (width - len(row))) for row in rows]
        filled += [(None,) * width] * (height - len(rows))
        cells = CellsEdit(
            kind="sheet",
            name=sheet,
            row=0,
            column=0,
            spot=Spot(sheet=sheet, block=Block(top=1, left=1, bottom=height, right=width)),
            rows=tuple(filled),
        )
        return Edit(sheet=sheet, cells=(cells,))


def _neighbours(columns: Sequence[int]) -> list[list[tuple[int, int]]]:
    """Gather (index of the value, column) into groups of columns that stand side by side."""
    groups: list[list[tuple[int, int]]] = []
    for index, column in sorted(enumerate(columns), key=lambda pair: pair[1]):
        if groups and groups[-1][-1][1] == column - 1:
            groups[-1].append((index, column))
        else:
            groups.append([(index, column)])
    return groups


def _around(block: Block, taken: AbstractSet[tuple[int, int]]) -> Iterator[Block]:
    """Cut a block so that no piece holds a formula; whole where there is none."""
    if not taken:
        yield block
        return
    for row in range(block.top, block.bottom + 1):
        start = None
        for column in range(block.left, block.right + 2):
            is_free = column <= block.right and (row - block.top, column - block.left) not in taken
            if is_free and start is None:
                start = column
            elif not is_free and start is not None:
                yield Block(top=row, left=start, bottom=row, right=column - 1)
                start = None
