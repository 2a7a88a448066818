"""``import`` on the open workbook: Annex A files into its paste sheets, verbatim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demand_addin.commands.import_lists import (
    import_lines,
    import_plan,
    import_record,
    recognised,
    with_place,
)
from demand_addin.commands.outcome import Outcome
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.progress import Progress
from demand_model.errors import InvalidInputError

UNDOABLE = "The workbook is not saved yet. Undo takes the lists out again."
NOT_UNDOABLE = (
    "The workbook is not saved yet. No copy of the earlier rows was kept: to have them back, close "
    "it without saving."
)


def import_into(
    book: LiveWorkbook, progress: Progress, files: Sequence[Path], *, label: str = ""
) -> Outcome:
    """Copy each recognised list into its paste sheet of the open workbook.

    The other paste sheets stay as they are. Rows about children go to no file: where a
    list is replaced, Undo cannot bring the earlier one back (see `undo.Record.is_private`).

    Raises
    ------
    InvalidInputError
        There is no file, one cannot be read, or none holds one of the lists.
    NotSavedError, ExcelBusyError
        The workbook cannot be written.
    """
    if not files:
        raise InvalidInputError("No file was chosen: choose the files that hold the lists.")
    found, left = with_place(recognised(files, progress), book.sheet_names())
    progress("Writing the lists into the workbook", 0.7)
    book.write(import_plan(found), label=label)
    last = UNDOABLE if book.is_undoable else NOT_UNDOABLE
    return Outcome(
        command="import",
        sentences=(*import_lines(found), *left, "Now press Check.", *book.notes, last),
        record={"book": book.name, "lists": import_record(found)},
    )
