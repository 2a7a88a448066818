"""The live adapter: a workbook that is open in Excel, read raw and written in blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from demand_addin.closed.cells import Block
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.tables import TYPED_TABLES
from demand_addin.live.cellwork import (
    FormatChanges,
    extend_formats,
    put_back,
    put_formats_back,
    remembered,
    write_cells,
)
from demand_addin.live.com import Patience, is_com_error
from demand_addin.live.edits import DENSE_CELLS, Edit, Finder, edits_of
from demand_addin.live.excel import ExcelBook, LiveTable
from demand_addin.live.quiet import quiet
from demand_addin.live.undo import KEPT_A_BOOK, Record, Replaced, UndoFolder
from demand_addin.live.undoing import Undoing
from demand_addin.ports import BookPlan, NamedBlock, NamedRead, TableRead
from demand_addin.saving import NotSavedError
from demand_model.annex_a.raw import RawSheet, RawValue
from demand_model.errors import InvalidInputError

if TYPE_CHECKING:
    import xlwings

_EXTERNAL = re.compile(r"\[[^\[\]]+\.xl\w{1,2}\]", re.IGNORECASE)
_REFUSED_WRITE = (
    "Excel refused to change {book}, so everything was put back. Close open dialogs, take off any "
    "protection of cells, and try again."
)
_REFUSED_UNDO = (
    "Excel refused to change {book}, so some of the earlier results may be back and some not. "
    "Close open dialogs, take off any protection of cells, and choose Undo last run again."
)
_ROW_GAP, _COLUMN_GAP, _MOST_AREAS = 1_000, 100, 2_000


class PartlyWrittenError(NotSavedError):
    """Excel stopped answering in mid-write, and would not take the old cells back either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What an undo took back.

    Attributes
    ----------
    label
        The button, and when it was pressed; empty where it is not known.
    left
        What can be undone next, in that order.
    """

    label: str
    left: tuple[str, ...]


class LiveWorkbook:
    """A workbook open in Excel. Implements `demand_addin.ports.WorkbookPort`.

    Nothing is saved: what is written stands in the open workbook, and the user
    saves it or does not. What the last few writes replaced can be brought back, one after
    the other (`undo_last_write`), from another process and after Excel was closed as well.

    Parameters
    ----------
    book
        The workbook, as xlwings found it (see `session.attach`).
    patience
        How long to ask a busy Excel again.
    undo
        Where the replaced results are kept.
    """

    def __init__(
        self,
        book: xlwings.Book,
        *,
        patience: Patience | None = None,
        undo: UndoFolder | None = None,
    ) -> None:
        self._excel = ExcelBook(book, patience)
        self._find = Finder(self._excel)
        self._undo = undo or UndoFolder()
        self._in_memory: Record | None = None
        self._is_undoable = False
        self._notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Bare file name, for messages."""
        return Path(self._excel.name).name

    @property
    def excel(self) -> ExcelBook:
        """The open workbook itself."""
        return self._excel

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that the user must read, after a write that succeeded."""
        return self._notes

    @property
    def is_undoable(self) -> bool:
        """Whether the last write can be undone by a later command."""
        return self._is_undoable

    # -- Reading

    def sheet_names(self) -> tuple[str, ...]:
        """Return the names of all worksheets, in their order, hidden ones included."""
        return self._excel.sheet_names()

    def read_sheet(self, sheet: str) -> RawSheet:
        """Return a sheet's used range, raw, as it stands on the screen, saved or not."""
        excel = self._excel
        excel.forget_sheets()
        Finder(excel).sheet(sheet)
        used, stray = self._within_reason(sheet, excel.used(sheet))
        values = excel.values(sheet, used)
        cells, block = _trimmed(values, used)
        formulas = list(excel.formula_cells(sheet, block).values()) if cells.size else []
        return RawSheet(
            file=self.name,
            sheet=sheet,
            cells=cells,
            first_row=block.top,
            first_column=block.left,
            hidden=excel.is_hidden(sheet),
            hidden_rows=excel.hidden_rows(sheet, block) if cells.size else frozenset(),
            hidden_columns=excel.hidden_columns(sheet, block) if cells.size else frozenset(),
            merged=excel.merged(sheet, used),
            formula_cells=len(formulas),
            external_formulas=sum(bool(_EXTERNAL.search(text)) for text in formulas),
            date_1904=excel.date_1904,
            stray_cells=stray,
            total_rows=frozenset(
                table.block.bottom for table in excel.tables(sheet).values() if table.has_totals
            ),
        )

    def read_table(self, table: str) -> TableRead:
        """Return a table found by name, its total row aside.

        Rows directly below a table that only the analyst writes belong to it as well, unless
        they hold one cell only.
        """
        found = self._find.table_now(table)
        block = found.block
        body = Block(
            top=found.first_row,
            left=block.left,
            bottom=block.bottom - found.has_totals,
            right=block.right,
        )
        rows = self._excel.values(found.sheet, body)
        if found.name.lower() in TYPED_TABLES and not found.has_totals:
            # A paste below a table does not always make it grow; one filled cell is a note.
            while True:
                number = found.first_row + len(rows)
                below = Block(top=number, left=block.left, bottom=number, right=block.right)
                (row,) = self._excel.values(found.sheet, below)
                if sum(not _is_blank(value) for value in row) < 2:
                    break
                rows.append(row)
        letters = [column_letters(c) for c in range(block.left, block.right + 1)]
        numbers = range(found.first_row, found.first_row + len(rows))
        return TableRead(
            name=found.name,
            sheet=found.sheet,
            columns=found.columns,
            rows=tuple(tuple(row) for row in rows),
            addresses=tuple(tuple(f"{letter}{n}" for letter in letters) for n in numbers),
        )

    def read_name(self, name: str) -> NamedRead:
        """Return the value of a named cell (of a block: its top left cell)."""
        spot = self._find.place(name)
        at = spot.block
        cell = Block(top=at.top, left=at.left, bottom=at.top, right=at.left)
        return NamedRead(
            name=name,
            sheet=spot.sheet,
            address=cell.reference,
            value=self._excel.values(spot.sheet, cell)[0][0],
            rows=at.bottom - at.top + 1,
            columns=at.right - at.left + 1,
        )

    def find_name(self, name: str) -> NamedBlock | None:
        """Return where a name stands, without reading its cell; ``None`` if it is not there."""
        try:
            spot = self._find.place(name)
        except InvalidInputError:
            return None
        at = spot.block
        return NamedBlock(
            sheet=spot.sheet,
            address=f"{column_letters(at.left)}{at.top}",
            rows=at.bottom - at.top + 1,
            columns=at.right - at.left + 1,
        )

    # -- Writing

    def write(self, plan: BookPlan, *, label: str = "") -> None:
        """Carry out a plan in the open workbook: all of it, or nothing.

        Everything is worked out first; then the old cells are kept; then the new
        ones are written and read back. If anything fails on the way the old cells
        are put back.

        Parameters
        ----------
        label
            Which button writes, and when: what an undo will say that it took back.

        Raises
        ------
        InvalidInputError
            A sheet, table, column or named cell is missing, something of the
            user's is in the way, a sheet has a password, or the workbook is
            read-only or was closed.
        ExcelBusyError
            A cell is being edited, or a dialog is open.
        NotSavedError
            Excel refused, or the old results could not be kept.
        """
        excel = self._excel
        if excel.is_read_only:
            raise InvalidInputError(
                f"{self.name} was opened for reading only, so results could not be saved in it. "
                "Nothing was written. Enable editing, or save it under another name, and try "
                "again."
            )
        edits = edits_of(excel, plan)
        if not edits:
            return
        record = self._record(edits, label)
        self._keep(record)
        work = partial(self._carry_out, edits, record)
        try:
            self._quietly(dict.fromkeys(e.sheet for e in edits), work, _REFUSED_WRITE)
        except PartlyWrittenError:
            raise  # the record is what brings the rest back
        except Exception:
            self._undo.drop_newest(record.book)  # the write that failed left nothing
            raise
        self._undo.tidy(record.book)  # not before: a write that fails must cost no earlier undo
        self._is_undoable = not record.is_private
        self._in_memory = record if record.is_private else None

    def undo_last_write(self) -> Undone | None:
        """Put back what the last write replaced that was not undone yet.

        Returns
        -------
        What was undone; ``None`` if nothing is known of this workbook.

        Raises
        ------
        InvalidInputError
            The results were changed by hand since, their tables are gone, or the last write
            replaced a list, of which nothing is kept.
        """
        book = self._excel.full_name
        for _ in range(KEPT_A_BOOK + 1):
            record = self._in_memory or self._undo.find(book)
            if record is None:
                return None
            undoing = self._undoing(record)
            is_due = undoing.changes_any
            if is_due:
                self._quietly(undoing.sheets, undoing.carry_out, _REFUSED_UNDO)
            self._in_memory = None
            self._undo.drop_newest(book)
            if is_due:  # otherwise the workbook was closed without saving: the next is meant
                return Undone(label=record.label, left=self._undo.labels(book))
        return None

    def _undoing(self, record: Record) -> Undoing:
        if record.is_lost:
            raise InvalidInputError(
                f"{self.name}: {record.label or 'an import'} replaced rows of a list, and no copy "
                "of rows about children is kept, so it cannot be undone, nor what was done before "
                "it: close the workbook without saving to have the earlier list back."
            )
        return Undoing(self._excel, record)

    def _record(self, edits: tuple[Edit, ...], label: str) -> Record:
        return Record(
            book=self._excel.full_name,
            label=label,
            rows={
                edit.table.name: (
                    edit.table.block.bottom - edit.table.block.top,
                    edit.extent.bottom - edit.extent.top,
                )
                for edit in edits
                if edit.table is not None and edit.extent is not None
            },
            blocks=tuple(
                Replaced(
                    kind=cells.kind,
                    name=cells.name,
                    row=cells.row,
                    column=cells.column,
                    old=remembered(self._excel, cells.spot),
                    new=cells.rows,
                )
                for edit in edits
                for cells in edit.cells
            ),
        )

    def _keep(self, record: Record) -> None:
        """Keep what is about to be replaced, before it is."""
        self._in_memory, self._is_undoable = None, False
        try:
            self._undo.keep(record)
        except OSError as error:
            raise NotSavedError(
                "The results of the last run could not be kept for Undo, so nothing was written: "
                "the folder of csc-demand in your profile cannot be written to, or the disk is "
                "full."
            ) from error

    def _quietly(self, sheets: Iterable[str], work: Callable[[], None], refused: str) -> None:
        """Do the work with Excel held still and its sheets' protection lifted."""
        excel = self._excel
        lifted: dict[str, dict[str, bool]] = {}
        with quiet(excel) as notes:
            try:
                for sheet in sheets:
                    options = excel.lift_protection(sheet)
                    if options is not None:
                        lifted[sheet] = options
                work()
            except Exception as error:
                if not is_com_error(error):
                    raise
                raise NotSavedError(refused.format(book=self.name)) from error
            finally:
                for sheet, options in lifted.items():
                    try:
                        excel.protect(sheet, options)
                    except Exception:  # what was written stands; the rest must have its turn
                        notes.append(f"Sheet {sheet} could not be protected again.")
        self._notes = tuple(notes)

    def _carry_out(self, edits: tuple[Edit, ...], record: Record) -> None:
        changed = FormatChanges()
        try:
            for edit in edits:
                self._write(edit, changed)
        except Exception as error:
            if not self._restored(edits, record, changed):
                # Rows of a list are in no record: only the saved file has them.
                way_out = "" if record.is_private else "Choose Undo last run, or "
                raise PartlyWrittenError(
                    f"Excel stopped answering while {self.name} was being written, so some of "
                    f"what stands in it is new and some is old. {way_out or 'To mend it, '}close "
                    "it without saving."
                ) from error
            raise

    def _write(self, edit: Edit, changed: FormatChanges) -> None:
        table, extent = edit.table, edit.extent
        if table is not None and extent is not None:
            self._excel.show_all_rows(table)
            if extent.bottom > table.block.bottom:
                self._excel.resize(table, extent)
                self._dress(table, extent, changed)
        for cells in edit.cells:
            write_cells(self._excel, cells.spot, cells.rows, changed)
        if table is not None and extent is not None and extent.bottom < table.block.bottom:
            self._excel.resize(table, extent)

    def _dress(self, table: LiveTable, extent: Block, changed: FormatChanges) -> None:
        old = table.block
        last = Block(top=old.bottom, left=old.left, bottom=old.bottom, right=old.right)
        extend_formats(self._excel, table.sheet, last, extent.bottom, changed)

    def _restored(self, edits: tuple[Edit, ...], record: Record, changed: FormatChanges) -> bool:
        """Put everything back, as far as it was touched; whether all of it could be."""
        old, whole = iter(record.blocks), True
        steps: list[Callable[[], None]] = []
        for edit in edits:
            for cells in edit.cells:
                rows = next(old).old
                steps.append(partial(put_back, self._excel, cells.spot, rows))
            if edit.table is not None:
                steps.append(partial(self._excel.resize, edit.table, edit.table.block))
        steps.append(partial(put_formats_back, self._excel, changed))
        for step in steps:
            try:
                step()
            except Exception:  # the next one must have its turn
                whole = False
        return whole

    # -- Far cells

    def _within_reason(self, sheet: str, used: Block) -> tuple[Block, tuple[str, ...]]:
        """Leave out cells far outside the used range, where it is too large to read."""
        if (used.bottom - used.top + 1) * (used.right - used.left + 1) <= DENSE_CELLS:
            return used, ()
        areas = self._excel.filled_areas(sheet, _MOST_AREAS)
        if not areas:
            areas, scattered = [], areas is None
        else:
            scattered = False
        bottom = _last_before_gap([(a.top, a.bottom) for a in areas], _ROW_GAP)
        right = _last_before_gap([(a.left, a.right) for a in areas], _COLUMN_GAP)
        if scattered or bottom * right > DENSE_CELLS:
            raise InvalidInputError(
                f"{self.name}: the cells of sheet {sheet} are scattered too widely to be a list: "
                "copy the list alone into a new workbook."
            )
        stray = tuple(a.reference for a in areas if a.top > bottom or a.left > right)
        return Block(top=1, left=1, bottom=max(bottom, 1), right=max(right, 1)), stray


def _trimmed(rows: list[list[RawValue]], used: Block) -> tuple[npt.NDArray[np.object_], Block]:
    """Cells without the blank rows and columns around them: Excel counts formats as use."""
    cells = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(rows):
        cells[i, :] = row
    filled = np.frompyfunc(lambda value: value is not None, 1, 1)(cells).astype(bool)
    if not filled.any():
        return np.empty((0, 0), dtype=object), Block(top=1, left=1, bottom=1, right=1)
    at_rows, at_columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    top, bottom, left, right = at_rows[0], at_rows[-1], at_columns[0], at_columns[-1]
    block = Block(
        top=used.top + int(top),
        left=used.left + int(left),
        bottom=used.top + int(bottom),
        right=used.left + int(right),
    )
    return cells[top : bottom + 1, left : right + 1], block


def _last_before_gap(spans: list[tuple[int, int]], gap: int) -> int:
    last = 0
    for low, high in sorted(spans):
        if last and low - last > gap:
            break
        last = max(last, high)
    return last


def _is_blank(value: RawValue) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
