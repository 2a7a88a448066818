"""A workbook on disk: lock, read, work in memory, verify, save."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.older_book import fitted
from demand_addin.layout.declare import Kind
from demand_addin.layout.sheets import SHEETS
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.read.package import READ_AT_ONCE
from demand_addin.read.values import filled_rows
from demand_addin.saving import Saved, conflict_copies, fingerprint, locked, owner_file, save
from demand_model.errors import InvalidInputError

Result = TypeVar("Result")

_OWN_SHEETS = {spec.name for spec in SHEETS if spec.kind is not Kind.PASTE}
_PLACE_OF = {
    table.name: (spec.name, table.first_column) for spec in SHEETS for table in spec.tables
}
"""Sheet and first column of each table."""

OPEN_NOTE = (
    "{name} seems to be open in Excel: what was not saved there was not seen; close it without "
    "saving and open it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """Which file is read, where the result goes, and when it is.

    Attributes
    ----------
    book
        The workbook that is read.
    out
        Where the result is written; ``None`` writes it into `book`.
    now
        The time of the run, for backups, the lock and the run log.
    """

    book: Path
    now: datetime
    out: Path | None = None

    @property
    def source(self) -> Path:
        """The workbook behind a link, so that the link is not replaced by a file."""
        return self.book.resolve() if self.book.is_symlink() else self.book

    @property
    def target(self) -> Path:
        """The file that is written."""
        if self.out is None:
            return self.source
        return self.out.resolve() if self.out.is_symlink() else self.out


def change_file(
    job: FileJob,
    work: Callable[[WorkbookPort], tuple[BookPlan | None, Result]],
    *,
    if_missing: Callable[[], bytes] | None = None,
) -> tuple[Result, Saved]:
    """Read a workbook, let `work` plan, and save what it planned, all under the lock.

    Parameters
    ----------
    work
        Reads and computes; returns the plan to be written, or ``None`` to leave
        every file as it is, and a result of its own.
    if_missing
        Makes the workbook that stands in where there is none.

    Raises
    ------
    DemandError
        Whatever `work`, the reading or the saving says; no file is changed then.
    """
    with locked(job.target, now=job.now):
        seen = fingerprint(job.target)
        opened = _is_open(job.target)
        if if_missing is not None and not job.source.exists():
            book = ClosedWorkbook(if_missing(), job.source.name)
        else:
            book = open_book(job.source)
        plan, result = work(book)
        if plan is None:
            return result, Saved(path=job.target, is_changed=False)
        written, lacking = fitted(book, plan)
        book.write(written)
        saved = save(
            book.to_bytes(),
            job.target,
            now=job.now,
            verify=lambda path: verify_workbook(path, written),
            read_as=seen,
        )
    if opened and not saved.notes:
        name = OPEN_NOTE.format(name=job.target.name)
        saved = replace(saved, notes=(name,))
    return result, replace(saved, notes=(*lacking, *saved.notes, *_conflict_notes(job.target)))


def _conflict_notes(target: Path) -> tuple[str, ...]:
    return tuple(
        f"{copy.name} stands beside {target.name} and may be the copy that OneDrive makes when two "
        "people change a workbook at once: unless you made it, check which of them is right."
        for copy in conflict_copies(target)
    )


def open_book(path: Path) -> ClosedWorkbook:
    """Open a workbook of this product.

    Raises
    ------
    InvalidInputError
        It cannot be read, or it is some other workbook.
    """
    book = ClosedWorkbook.open(path)
    if not _OWN_SHEETS & set(book.sheet_names()):
        raise InvalidInputError(
            f"{path.name} is not a csc-demand workbook: make one with csc-demand new, and bring "
            "the lists into it with csc-demand import."
        )
    return book


def verify_workbook(path: Path, plan: BookPlan) -> None:
    """Open a saved workbook again, and find the planned rows on its sheets.

    Raises
    ------
    InvalidInputError
        A part of the file is damaged, or a sheet does not hold the planned rows.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.namelist():
                if not part.endswith(READ_AT_ONCE):  # those that are, are checked below
                    archive.read(part)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise InvalidInputError(
            "The new workbook did not verify, so nothing was changed."
        ) from error
    book = ClosedWorkbook.open(path)
    names = set(book.sheet_names())
    below: Counter[tuple[str, int]] = Counter()
    for table in plan.tables:
        below[_PLACE_OF[table.name]] += _filled(table.rows)
    for lists in plan.sheets:
        below[lists.sheet, 1] += _filled(lists.rows)
    # Tables that stand side by side share their rows.
    planned: dict[str, int] = {}
    for (sheet, _), rows in below.items():
        planned[sheet] = max(planned.get(sheet, 0), rows)
    # A sheet that the user has renamed holds its tables all the same.
    found = filled_rows(book.to_bytes(), path.name, planned.keys() & names)
    for sheet, rows in found.items():
        if rows < planned[sheet]:
            raise InvalidInputError(
                f"The new workbook did not verify (sheet {sheet}), so nothing was changed."
            )


def _filled(rows: Iterable[Iterable[object]]) -> int:
    return sum(any(_is_filled(value) for value in row) for row in rows)


def _is_filled(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _is_open(book: Path) -> bool:
    # A stale owner file is left by a crashed Excel: it is a reason to speak, not to stop.
    return owner_file(book).exists()
