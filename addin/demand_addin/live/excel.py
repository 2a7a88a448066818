"""A workbook that is open in Excel, in the few words that the adapter needs.

Every call goes to Excel through `Patience`. What xlwings has no word for is asked
of Excel's own objects (``.api``); nothing here knows of plans, and nothing
activates, selects or saves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from demand_addin.closed.cells import Block
from demand_addin.live.com import (
    ComObject,
    Patience,
    WorkbookClosedError,
    is_busy,
    is_com_error,
    is_gone,
)
from demand_addin.live.values import ComValue, from_excel, needs_plain_numbers
from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidInputError

if TYPE_CHECKING:
    import xlwings

Answer = TypeVar("Answer")
Rows = list[list[RawValue]]

CELLS_A_CALL = 200_000
"""Larger blocks are read and written in pieces, so that Excel keeps its memory."""
LONGEST_IN_BLOCK = 8_000
"""Excel refuses a longer text in a block, and takes it in a cell of its own."""

_VISIBLE = -1
_CONSTANTS, _FORMULAS = 2, -4123
_WRONG_PASSWORD = "-"  # noqa: S105  (opens a sheet without a password; asks nobody for one)
_ALLOWANCES = (
    "AllowFormattingCells",
    "AllowFormattingColumns",
    "AllowFormattingRows",
    "AllowInsertingColumns",
    "AllowInsertingRows",
    "AllowInsertingHyperlinks",
    "AllowDeletingColumns",
    "AllowDeletingRows",
    "AllowSorting",
    "AllowFiltering",
    "AllowUsingPivotTables",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiveTable:
    """An Excel table as it stands: where it is, and its headings.

    Attributes
    ----------
    handle, home
        The table and its sheet in Excel, by which it is looked at again.
    """

    name: str
    sheet: str
    block: Block
    columns: tuple[str, ...]
    has_totals: bool
    handle: ComObject
    home: ComObject

    @property
    def first_row(self) -> int:
        """The first row below the headings."""
        return self.block.top + 1


class ExcelBook:
    """Reads and changes one open workbook.

    Parameters
    ----------
    book
        The workbook, as xlwings found it.
    patience
        How long to ask a busy Excel again.
    """

    def __init__(self, book: xlwings.Book, patience: Patience | None = None) -> None:
        self._book = book
        self._sheets: dict[str, xlwings.Sheet] = {}
        self._date_1904: bool | None = None
        self.ask = patience or Patience("The workbook")
        self.name: str = self.ask(lambda: book.name)
        if patience is None:
            self.ask = Patience(self.name)

    @property
    def app(self) -> xlwings.App:
        """The Excel that holds the workbook."""
        return self.ask(lambda: self._book.app)

    @property
    def book(self) -> xlwings.Book:
        """The workbook itself."""
        return self._book

    @property
    def full_name(self) -> str:
        """Path or web address, as Excel has it.

        Asked of Excel itself: xlwings would look a web address up in the settings
        that a workbook may carry on a sheet ``xlwings.conf``.
        """
        return str(self._ask_api("FullName"))

    @property
    def is_read_only(self) -> bool:
        """Whether the workbook was opened for reading only."""
        return bool(self._ask_api("ReadOnly"))

    @property
    def date_1904(self) -> bool:
        """Whether the workbook counts days from 1904."""
        if self._date_1904 is None:
            self._date_1904 = bool(self._ask_api("Date1904"))
        return self._date_1904

    def _ask_api(self, name: str) -> object:
        return self.ask(lambda: getattr(self._book.api, name))

    def sheet_names(self) -> tuple[str, ...]:
        """Return the names of all worksheets, in their order."""
        return self.ask(lambda: tuple(sheet.name for sheet in self._book.sheets))

    def tables(self, only: str | None = None) -> dict[str, LiveTable]:
        """Return every table of the workbook, or of one sheet, by its lower-case name."""
        return self.ask(
            lambda: {
                table.name.lower(): _table(table, sheet)
                for sheet in ([self._book.sheets[only]] if only else self._book.sheets)
                for table in sheet.tables
            }
        )

    def look_again(self, table: LiveTable) -> LiveTable | None:
        """Return a table as it stands now; ``None`` if it is gone, or has another name."""
        try:
            found = self.ask(lambda: _table(table.handle, table.home))
        except Exception as error:
            # Excel disconnects a deleted table, as it does a closed workbook.
            if not (is_com_error(error) or isinstance(error, WorkbookClosedError)):
                raise
            return None
        return found if found.name.lower() == table.name.lower() else None

    def refers_to(self, name: str) -> str:
        """Return what a workbook-wide name stands for; empty if there is no such name."""

        def look_up() -> str:
            try:
                found = self._book.api.Names.Item(name)
                # A sheet's own name of the same spelling is not ours.
                return "" if "!" in str(found.Name) else str(found.RefersTo)
            except Exception as error:
                if not is_com_error(error) or is_busy(error) or is_gone(error):
                    raise
                return ""

        return self.ask(look_up)

    # -- Cells

    def _range(self, sheet: str, block: Block) -> xlwings.Range:
        its = self._sheet(sheet)
        return its.range((block.top, block.left), (block.bottom, block.right))

    def _sheet(self, name: str) -> xlwings.Sheet:
        """Return a sheet, looked up by its name once a task."""
        if name not in self._sheets:
            self._sheets[name] = self._book.sheets[name]
        return self._sheets[name]

    def forget_sheets(self) -> None:
        """Look every sheet up by its name again: a new task begins."""
        self._sheets.clear()

    def on(self, sheet: str, block: Block, act: Callable[[ComObject], Answer]) -> Answer:
        """Return what `act` gets from the range of a block."""
        return self.ask(lambda: act(self._range(sheet, block)))

    def used(self, sheet: str) -> Block:
        """Return the smallest block that Excel regards as used."""

        def look() -> Block:
            used = self._sheet(sheet).used_range
            rows, columns = used.shape
            return Block(
                top=used.row,
                left=used.column,
                bottom=used.row + rows - 1,
                right=used.column + columns - 1,
            )

        return self.ask(look)

    def values(self, sheet: str, block: Block) -> Rows:
        """Return the raw values of a block, row by row."""
        rows: Rows = []
        for piece in pieces(block):
            found = _grid(self.on(sheet, piece, lambda r: r.raw_value), piece)
            if needs_plain_numbers(found):
                plain = _grid(self.on(sheet, piece, lambda r: r.api.Value2), piece)
                found = [
                    [p if needs_plain_numbers([[v]]) else v for v, p in zip(row, its, strict=True)]
                    for row, its in zip(found, plain, strict=True)
                ]
            rows += [[from_excel(value) for value in row] for row in found]
        return rows

    def formulas(self, sheet: str, block: Block) -> list[list[str]]:
        """Return what the formula bar shows for each cell; empty for a blank one."""
        rows: list[list[str]] = []
        for piece in pieces(block):
            shown = self.on(sheet, piece, _formula_of)
            rows += [[_shown(text) for text in row] for row in _grid(shown, piece)]
        return rows

    def formula_cells(self, sheet: str, block: Block) -> dict[tuple[int, int], str]:
        """Return the formulas of a block by 0-based row and column within it."""
        if self.on(sheet, block, lambda r: r.api.HasFormula) is False:
            return {}
        values = self.values(sheet, block)
        return {
            (i, j): text
            for i, row in enumerate(self.formulas(sheet, block))
            for j, text in enumerate(row)
            # Text that begins with = is shown the same, and is its own value.
            if text.startswith("=") and values[i][j] != text
        }

    def array_over(self, sheet: str, block: Block) -> str:
        """Return the address of an array formula that meets the block; empty if there is none."""
        if self.on(sheet, block, lambda r: r.api.HasArray) is False:
            return ""
        for row in range(block.top, block.bottom + 1):
            for column in range(block.left, block.right + 1):
                cell = Block(top=row, left=column, bottom=row, right=column)
                if self.on(sheet, cell, lambda r: r.api.HasArray):
                    address = self.on(sheet, cell, lambda r: r.api.CurrentArray.Address)
                    return str(address).replace("$", "")
        return ""

    def put(self, sheet: str, block: Block, rows: Sequence[Sequence[ComValue]]) -> None:
        """Write a block; a blank is an empty text."""
        for piece in pieces(block):
            its = rows[piece.top - block.top : piece.bottom - block.top + 1]
            long = [
                (piece.top + i, block.left + j, value)
                for i, row in enumerate(its)
                for j, value in enumerate(row)
                if isinstance(value, str) and len(value) > LONGEST_IN_BLOCK
            ]
            shortened = [["" if _is_long(value) else value for value in row] for row in its]
            self.on(sheet, piece, partial(_put_raw, shortened))
            for row, column, value in long:
                cell = Block(top=row, left=column, bottom=row, right=column)
                self.on(sheet, cell, partial(_put_raw, value))

    def put_formula(self, sheet: str, block: Block, text: str) -> None:
        """Write one formula."""
        self.on(sheet, block, lambda r: _set_formula(r, text))

    def number_format(self, sheet: str, block: Block) -> str | None:
        """Return the number format of a block; ``None`` if its cells differ."""
        found = self.on(sheet, block, lambda r: r.number_format)
        return found if isinstance(found, str) else None

    def set_number_format(self, sheet: str, block: Block, text: str) -> None:
        """Give all cells of a block a number format."""
        self.on(sheet, block, lambda r: setattr(r, "number_format", text))

    def clear(self, sheet: str, block: Block) -> None:
        """Clear the values of a block and keep its formats."""
        self.on(sheet, block, lambda r: r.clear_contents())

    # -- Tables

    def resize(self, table: LiveTable, block: Block) -> None:
        """Give a table another extent; no cell moves."""
        self.ask(lambda: table.handle.resize(self._range(table.sheet, block)))

    def extend_formats(self, sheet: str, row: Block, bottom: int) -> None:
        """Give the rows below a row its formats, down to `bottom`; no value is touched."""
        down = Block(top=row.top, left=row.left, bottom=bottom, right=row.right)
        self.on(sheet, row, lambda r: r.autofill(self._range(sheet, down), "fill_formats"))

    def show_all_rows(self, table: LiveTable) -> None:
        """Clear a filter on old values."""

        def show() -> None:
            found = table.handle.api.AutoFilter
            if found is not None and found.FilterMode:
                found.ShowAllData()

        self.ask(show)

    # -- Sheets

    def is_hidden(self, sheet: str) -> bool:
        """Whether a sheet is hidden or very hidden."""
        return self._on_sheet(sheet, lambda api: int(api.Visible)) != _VISIBLE

    def calculate(self, sheet: str) -> None:
        """Calculate one sheet, where the user calculates by hand."""
        self._on_sheet(sheet, lambda api: api.Calculate())

    def _on_sheet(self, sheet: str, act: Callable[[ComObject], Answer]) -> Answer:
        return self.ask(lambda: act(self._sheet(sheet).api))

    def lift_protection(self, sheet: str) -> dict[str, bool] | None:
        """Take a sheet's protection off; return what it allowed, ``None`` if it had none.

        Raises
        ------
        InvalidInputError
            The sheet has a password.
        """
        if not self._is_protected(sheet):
            return None
        options = self._on_sheet(sheet, _protection)
        try:
            self._on_sheet(sheet, lambda api: api.Unprotect(_WRONG_PASSWORD))
        except Exception as error:
            if not is_com_error(error):
                raise
        if self._is_protected(sheet):
            raise InvalidInputError(
                f"{self.name}: sheet {sheet} is protected with a password. Nothing was written. "
                "Take the protection off (Review, Unprotect Sheet) and try again."
            )
        return options

    def protect(self, sheet: str, options: dict[str, bool]) -> None:
        """Protect a sheet again, without a password, as it was."""
        patient = self.ask.longer()
        patient(lambda: self._sheet(sheet).api.Protect(**options))

    def _is_protected(self, sheet: str) -> bool:
        return self._on_sheet(sheet, lambda api: bool(api.ProtectContents))

    def hidden_rows(self, sheet: str, block: Block) -> frozenset[int]:
        """Return the numbers of the hidden rows of a block."""

        def is_hidden(first: int, last: int) -> object:
            rows = Block(top=first, left=block.left, bottom=last, right=block.left)
            return self.on(sheet, rows, lambda r: r.api.EntireRow.Hidden)

        return frozenset(_where(is_hidden, block.top, block.bottom))

    def hidden_columns(self, sheet: str, block: Block) -> frozenset[int]:
        """Return the numbers of the hidden columns up to a block's last."""

        def is_hidden(first: int, last: int) -> object:
            columns = Block(top=block.top, left=first, bottom=block.top, right=last)
            return self.on(sheet, columns, lambda r: r.api.EntireColumn.Hidden)

        return frozenset(_where(is_hidden, 1, block.right))

    def merged(self, sheet: str, block: Block) -> tuple[str, ...]:
        """Return the merged ranges of a block, as ``"A5:A9"``."""
        found: dict[str, None] = {}
        stack = [block]
        while stack:
            part = stack.pop()
            state = self.on(sheet, part, lambda r: r.api.MergeCells)
            if state is False:
                continue
            one = (part.top, part.left) == (part.bottom, part.right)
            if not one:
                stack += _halves(part)
                continue
            area = self.on(sheet, part, lambda r: r.api.MergeArea.Address)
            found[str(area).replace("$", "")] = None
        return tuple(sorted(found))

    def filled_areas(self, sheet: str, at_most: int) -> list[Block] | None:
        """Return the blocks of cells that hold anything; ``None`` if there are too many."""
        found: list[Block] = []
        for kind in (_CONSTANTS, _FORMULAS):
            areas = self._on_sheet(sheet, partial(_special, kind=kind, at_most=at_most))
            if areas is None:
                return None
            found += [Block.of(address.replace("$", "")) for address in areas]
        return found if len(found) <= at_most else None


def pieces(block: Block) -> Iterator[Block]:
    """Cut a block into pieces of whole rows that Excel takes in one call.

    >>> [p.bottom for p in pieces(Block(top=1, left=1, bottom=3, right=100_000))]
    [2, 3]
    """
    height = max(1, CELLS_A_CALL // (block.right - block.left + 1))
    for top in range(block.top, block.bottom + 1, height):
        bottom = min(top + height - 1, block.bottom)
        yield Block(top=top, left=block.left, bottom=bottom, right=block.right)


def _table(table: xlwings.main.Table, sheet: xlwings.Sheet) -> LiveTable:
    whole = table.range
    rows, columns = whole.shape
    names: tuple[object, ...] = ()  # a table of the user's whose headings are off is none of ours
    if table.show_headers:
        last = (whole.row, whole.column + columns - 1)
        headings = sheet.range((whole.row, whole.column), last).raw_value
        names = (headings,) if columns == 1 else tuple(headings[0])
    block = Block(
        top=whole.row,
        left=whole.column,
        # A table without rows still owns the blank row below its headings.
        bottom=whole.row + max(rows, 2) - 1,
        right=whole.column + columns - 1,
    )
    return LiveTable(
        name=table.name,
        sheet=sheet.name,
        block=block,
        columns=tuple(str(name) for name in names),
        has_totals=bool(table.show_totals),
        handle=table,
        home=sheet,
    )


def _grid(found: ComObject, block: Block) -> list[list[ComObject]]:
    """Excel gives a single cell bare, and anything larger as rows."""
    if block.top == block.bottom and block.left == block.right:
        return [[found]]
    return [list(row) for row in found]


def _is_long(value: ComValue) -> bool:
    return isinstance(value, str) and len(value) > LONGEST_IN_BLOCK


def _put_raw(value: object, cells: ComObject) -> None:
    cells.raw_value = value


def _formula_of(cells: ComObject) -> ComObject:
    """Ask for formulas in the grammar of dynamic arrays, which Excel 2019 does not have yet."""
    try:
        return cells.api.Formula2
    except Exception as error:
        if is_busy(error) or is_gone(error):
            raise
        return cells.api.Formula


def _set_formula(cells: ComObject, text: str) -> None:
    try:
        cells.api.Formula2 = text
    except Exception as error:
        if is_busy(error) or is_gone(error):
            raise
        cells.api.Formula = text


def _shown(text: object) -> str:
    return "" if text is None else str(text)


def _protection(api: ComObject) -> dict[str, bool]:
    its = api.Protection
    return {
        "DrawingObjects": bool(api.ProtectDrawingObjects),
        "Contents": True,
        "Scenarios": bool(api.ProtectScenarios),
        "UserInterfaceOnly": bool(api.ProtectionMode),
        **{name: bool(getattr(its, name)) for name in _ALLOWANCES},
    }


def _special(api: ComObject, kind: int, at_most: int) -> list[str] | None:
    try:
        areas = api.Cells.SpecialCells(kind).Areas
    except Exception as error:
        if not is_com_error(error) or not re.search("(?i)no cells", str(error)):
            raise
        return []
    if areas.Count > at_most:
        return None
    return [str(areas.Item(n).Address) for n in range(1, areas.Count + 1)]


def _where(is_so: Callable[[int, int], object], first: int, last: int) -> Iterator[int]:
    """Numbers of which something is so, by halving: Excel says yes, no, or mixed."""
    stack = [(first, last)]
    while stack:
        low, high = stack.pop()
        state = is_so(low, high)
        if state is False:
            continue
        if state is True:
            yield from range(low, high + 1)
            continue
        middle = (low + high) // 2
        stack += [(low, middle), (middle + 1, high)]


def _halves(block: Block) -> list[Block]:
    height, width = block.bottom - block.top + 1, block.right - block.left + 1
    if height >= width:
        middle = block.top + height // 2
        return [
            Block(top=block.top, left=block.left, bottom=middle - 1, right=block.right),
            Block(top=middle, left=block.left, bottom=block.bottom, right=block.right),
        ]
    middle = block.left + width // 2
    return [
        Block(top=block.top, left=block.left, bottom=block.bottom, right=middle - 1),
        Block(top=block.top, left=middle, bottom=block.bottom, right=block.right),
    ]
