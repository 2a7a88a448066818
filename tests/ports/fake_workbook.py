"""A workbook in memory: the plainest thing that the port suite accepts."""

from __future__ import annotations

import re
from datetime import date, datetime

import numpy as np

from demand_addin.layout import SETTINGS, SHEETS
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.formulas import formula_text
from demand_addin.layout.template import preset_rows
from demand_addin.ports import (
    BookPlan,
    Calculated,
    CellValue,
    NamedBlock,
    NamedRead,
    RangeValues,
    TableRead,
    TableValues,
)
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.annex_a.raw import RawSheet, RawValue
from demand_model.errors import InvalidInputError

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
Grid = dict[tuple[int, int], RawValue]


class FakeWorkbook:
    """Sheets as dictionaries of cells. Implements `demand_addin.ports.WorkbookPort`."""

    def __init__(self) -> None:
        self._grids: dict[str, Grid] = {spec.name: {} for spec in SHEETS}
        self._tables: dict[str, tuple[str, int, int, tuple[str, ...]]] = {}
        self._left: dict[str, int] = {}
        self._formulas: dict[tuple[str, int, int], str] = {}
        self._names: dict[str, tuple[str, int, int, int, int]] = {}
        for spec in SHEETS:
            for table in spec.tables:
                bottom = table.first_row + 1
                self._tables[table.name] = (spec.name, table.first_row, bottom, table.headings)
                self._left[table.name] = table.first_column
            for area in spec.areas:
                row, column = _place(area.cell)
                self._names[area.name] = (spec.name, row, column, area.rows, area.columns)
            if spec.shows_status:
                self._names[spec.status_name] = (spec.name, 2, 1, 1, 1)
            for row, setting in enumerate(spec.settings, start=6):
                self._names[setting.name] = (spec.name, row, 2, 1, 1)
            if spec.list_number is not None:
                for column, heading in enumerate(ALL_LISTS[spec.list_number].fields, start=1):
                    self._grids[spec.name][(1, column)] = heading.heading
        for row, setting in enumerate(SETTINGS, start=6):
            self._grids["Settings"][(row, 2)] = _stored(setting.default)
        columns = self._tables["scenarios"][3]
        self.write(
            BookPlan(tables=(TableValues(name="scenarios", columns=columns, rows=preset_rows()),))
        )

    @property
    def name(self) -> str:
        return "fake.xlsx"

    def sheet_names(self) -> tuple[str, ...]:
        return tuple(self._grids)

    def read_sheet(self, sheet: str) -> RawSheet:
        if sheet not in self._grids:
            raise InvalidInputError(f"sheet {sheet} was not found")
        grid = {at: value for at, value in self._grids[sheet].items() if value is not None}
        height = max((row for row, _ in grid), default=0)
        width = max((column for _, column in grid), default=0)
        cells = np.empty((height, width), dtype=object)
        for (row, column), value in grid.items():
            cells[row - 1, column - 1] = value
        formulas = sum(at[0] == sheet for at in self._formulas)
        return RawSheet(file=self.name, sheet=sheet, cells=cells, formula_cells=formulas)

    def read_table(self, table: str) -> TableRead:
        sheet, top, bottom, columns = self._table(table)
        grid, numbers = self._grids[sheet], range(top + 1, bottom + 1)
        left = self._left[table]
        width = range(left, left + len(columns))
        return TableRead(
            name=table,
            sheet=sheet,
            columns=columns,
            rows=tuple(tuple(grid.get((row, c)) for c in width) for row in numbers),
            addresses=tuple(tuple(f"{column_letters(c)}{row}" for c in width) for row in numbers),
        )

    def read_name(self, name: str) -> NamedRead:
        sheet, row, column, height, width = self._area(name)
        value = self._grids[sheet].get((row, column))
        address = f"{column_letters(column)}{row}"
        return NamedRead(
            name=name, sheet=sheet, address=address, value=value, rows=height, columns=width
        )

    def find_name(self, name: str) -> NamedBlock | None:
        try:
            sheet, row, column, height, width = self._area(name)
        except InvalidInputError:
            return None
        address = f"{column_letters(column)}{row}"
        return NamedBlock(sheet=sheet, address=address, rows=height, columns=width)

    def write(self, plan: BookPlan) -> None:
        for values in plan.tables:
            columns = self._table(values.name)[3]
            if not set(values.columns) <= set(columns):
                raise InvalidInputError(f"table {values.name} lacks a column")
            for cell in (c for row in values.rows for c in row if isinstance(c, Calculated)):
                formula_text(values.name, cell)
        for block in plan.ranges:
            self._area(block.name)
        for rows in plan.sheets:
            if rows.sheet not in self._grids:
                raise InvalidInputError(f"sheet {rows.sheet} was not found")
        for values in plan.tables:
            self._write_table(values)
        for block in plan.ranges:
            self._write_range(block)
        for rows in plan.sheets:
            self._grids[rows.sheet] = {
                (i, j): _stored(value)
                for i, row in enumerate(rows.rows, start=1)
                for j, value in enumerate(row, start=1)
            }

    def _write_table(self, values: TableValues) -> None:
        sheet, top, bottom, columns = self._table(values.name)
        grid = self._grids[sheet]
        at = [columns.index(name) + self._left[values.name] for name in values.columns]
        first = top + 1
        if values.append:
            filled = [r for r in range(first, bottom + 1) if any(grid.get((r, c)) for c in at)]
            first = max(filled, default=top) + 1
        else:
            for row in range(first, bottom + 1):
                for column in at:
                    grid.pop((row, column), None)
                    self._formulas.pop((sheet, row, column), None)
        for row, cells in enumerate(values.rows, start=first):
            for column, value in zip(at, cells, strict=True):
                if isinstance(value, Calculated):
                    self._formulas[sheet, row, column] = formula_text(values.name, value)
                    value = value.result
                grid[(row, column)] = _stored(value)
        last = max(first + len(values.rows) - 1, top + 1)
        self._tables[values.name] = (sheet, top, last, columns)

    def _write_range(self, values: RangeValues) -> None:
        sheet, top, left, rows, columns = self._area(values.name)
        for i in range(rows):
            for j in range(columns):
                row = values.rows[i] if i < len(values.rows) else ()
                self._grids[sheet][(top + i, left + j)] = _stored(row[j]) if j < len(row) else None

    def _table(self, name: str) -> tuple[str, int, int, tuple[str, ...]]:
        if name not in self._tables:
            raise InvalidInputError(f"table {name} was not found")
        return self._tables[name]

    def _area(self, name: str) -> tuple[str, int, int, int, int]:
        if name not in self._names:
            raise InvalidInputError(f"named cell {name} was not found")
        return self._names[name]


def _place(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(cell[len(letters) :]), column


def _stored(value: CellValue) -> RawValue:
    """What a workbook gives back for what was written into it."""
    if isinstance(value, str):
        return _CONTROL.sub("", value) or None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return value
