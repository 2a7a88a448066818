"""``csc-demand new``: an empty workbook, ready for three lists."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from demand_addin.commands.closed_file import verify_workbook
from demand_addin.commands.outcome import Outcome
from demand_addin.layout.template import build_template
from demand_addin.ports import BookPlan
from demand_addin.saving import NotSavedError, locked, save

SUFFIX = ".xlsx"


def new_book(path: Path, *, now: datetime) -> Outcome:
    """Make a new workbook; an existing file is never replaced.

    Raises
    ------
    NotSavedError
        The file exists already, or its folder cannot be written to.
    """
    with locked(path, now=now):
        make_book(path, now=now)
    return Outcome(
        command="new",
        wrote=(path,),
        sentences=(
            f"{path.name} is ready. Paste Lists 3, 7 and 8 into their sheets, or use: "
            f'csc-demand import "{path.name}" ANNEX_A_FILE',
        ),
        record={"book": str(path)},
    )


def make_book(path: Path, *, now: datetime) -> None:
    """Write the template to a path that does not exist yet; the caller holds the lock."""
    if path.exists():
        raise NotSavedError(f"{path.name} exists already and was left as it is; give a new name.")
    if path.suffix.lower() != SUFFIX:
        raise NotSavedError(f"{path.name} was not made: the name of a workbook ends in {SUFFIX}.")
    save(
        template_bytes(),
        path,
        now=now,
        verify=lambda written: verify_workbook(written, BookPlan()),
        read_as=None,
    )


def template_bytes() -> bytes:
    """Build the template in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"template{SUFFIX}"
        build_template(path)
        return path.read_bytes()
