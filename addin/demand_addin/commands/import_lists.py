"""``csc-demand import``: Annex A files into the paste sheets, verbatim.

Children's rows go into the paste sheets and nowhere else. Nothing is judged
here: `check` and `run` do that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.new import template_bytes
from demand_addin.commands.outcome import Json, Outcome
from demand_addin.plan import plan_import
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.progress import Progress, silent
from demand_addin.read import read_sheets
from demand_addin.saving import owner_file
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.lists_of_need import OPTIONAL_LISTS
from demand_model.annex_a.raw import RawSheet
from demand_model.annex_a.recognise import Recognition, recognise
from demand_model.errors import InvalidInputError
from demand_model.units import counted

_LEFT_OUT = ("list-twice", "wrong-list")
"""Rules that keep a list from being copied, be it an optional one."""


def import_lists(job: FileJob, files: Sequence[Path], *, progress: Progress = silent) -> Outcome:
    """Copy each recognised list into its paste sheet; makes the workbook if there is none.

    Succeeds if any list is recognised; the others' sheets stay as they are.

    Raises
    ------
    InvalidInputError
        A file cannot be read, or none of them holds one of the lists.
    NotSavedError, BusyWorkbookError
        The workbook cannot be written.
    """
    found = recognised(files, progress)
    progress("Writing the lists into the workbook", 0.7)

    def work(book: WorkbookPort) -> tuple[BookPlan, tuple[bool, Recognition, tuple[str, ...]]]:
        fitting, left = with_place(found, book.sheet_names())
        return import_plan(fitting), (not job.source.exists(), fitting, left)

    (is_new, found, left), saved = change_file(job, work, if_missing=template_bytes)
    made = (f"{job.source.name} did not exist: a new workbook was made.",) if is_new else ()
    return Outcome(
        command="import",
        wrote=saved.wrote,
        sentences=(*made, *import_lines(found), *left, *_open_notes(files), *saved.notes),
        record={
            "book": str(saved.path),
            "created": is_new,
            "lists": import_record(found),
        },
    )


def recognised(files: Sequence[Path], progress: Progress) -> Recognition:
    """Read files and find the lists in them.

    Raises
    ------
    InvalidInputError
        A file cannot be read, or none of them holds one of the lists.
    """
    sheets = _read_all(files, progress)
    found = recognise(sheets)
    if not found.lists:
        raise InvalidInputError(_none_found(files, sheets, found))
    return found


def _open_notes(files: Sequence[Path]) -> tuple[str, ...]:
    """Say which files seem to be open in Excel: what is not saved there cannot be seen."""
    return tuple(
        f"{path.name} seems to be open in Excel: what was not saved there was not copied."
        for path in files
        if owner_file(path).exists()
    )


def import_plan(found: Recognition) -> BookPlan:
    """Plan the paste sheets of the lists that were found."""
    return plan_import({number: list_.sheet for number, list_ in found.lists.items()})


def with_place(found: Recognition, sheets: Collection[str]) -> tuple[Recognition, tuple[str, ...]]:
    """Leave out optional lists for which a workbook has no sheet, and say so.

    Parameters
    ----------
    sheets
        Names of the workbook's sheets; one of an earlier version has none for them.
    """
    names = {n: f"List {n}" for n in found.lists if n in OPTIONAL_LISTS}
    lacking = {n: name for n, name in names.items() if name not in sheets}
    kept = {n: list_ for n, list_ in found.lists.items() if n not in lacking}
    said = tuple(
        f"{name} was not copied: the workbook has no sheet {name}. It is optional; a new workbook "
        "has one."
        for n, name in sorted(lacking.items())
        if found.lists[n].has_rows()
    )
    return replace(found, lists=kept), said


def import_lines(found: Recognition) -> tuple[str, ...]:
    """Say what was copied, and which list was not."""
    return (*_copied(found), *_not_found(found))


def import_record(found: Recognition) -> dict[str, Json]:
    """Return file, sheet and rows of each list that was copied, for machines."""
    return {
        str(number): {
            "file": list_.sheet.file,
            "sheet": list_.sheet.sheet,
            "rows": _rows(list_.sheet, list_.body_row),
        }
        for number, list_ in sorted(found.lists.items())
    }


def _read_all(files: Sequence[Path], progress: Progress) -> tuple[RawSheet, ...]:
    sheets: list[RawSheet] = []
    for done, path in enumerate(files):
        progress(f"Reading {path.name}", 0.7 * done / len(files))
        sheets.extend(read_sheets(path))
    return tuple(sheets)


def _none_found(files: Sequence[Path], sheets: Sequence[RawSheet], found: Recognition) -> str:
    ask = [f.message for f in found.findings.stops if f.rule == "list-twice"]
    if ask:
        return " ".join(ask)
    names = ", ".join(path.name for path in files)
    seen = ", ".join(dict.fromkeys(sheet.sheet for sheet in sheets)) or "none"
    return (
        f"No Annex A list 3, 7 or 8 was recognised in {names} (sheets found: {seen}); each needs "
        "its headings in the first 30 rows."
    )


def _copied(found: Recognition) -> tuple[str, ...]:
    return tuple(
        f"List {number}: {counted(_rows(list_.sheet, list_.body_row), 'row')} copied from "
        f"{list_.sheet.file}"
        + (f", sheet {list_.sheet.sheet}" if not list_.sheet.is_text_file else "")
        + "."
        for number, list_ in sorted(found.lists.items())
    )


def _not_found(found: Recognition) -> tuple[str, ...]:
    return tuple(
        f"List {finding.list_number} was not copied: {finding.message}"
        for finding in found.findings.items
        if finding.list_number not in found.lists
        and (finding.severity is Severity.STOP or finding.rule in _LEFT_OUT)
    )


def _rows(sheet: RawSheet, body_row: int) -> int:
    """Rows below the headings that hold anything."""
    return sum(any(v is not None and v != "" for v in row) for row in sheet.cells[body_row:])
