"""One command at a time on one workbook.

A button may be pressed again while its first command is still at work. The second would
read results that are half written, so it is told to wait. The mark is an empty file in
the user's own profile, which the system lets go of when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from demand_addin.live.undo import profile_folder
from demand_addin.saving import BusyWorkbookError, NotSavedError


@contextlib.contextmanager
def turn(book: str, folder: Path | None = None) -> Iterator[None]:
    """Hold a workbook for one command.

    Parameters
    ----------
    book
        Full name, as Excel has it. No file of that name is touched.
    folder
        Where the marks stand; the user's own profile by default.

    Raises
    ------
    BusyWorkbookError
        Another command holds it.
    NotSavedError
        The mark cannot be made.
    """
    folder = folder or profile_folder() / "turns"
    mark = folder / f"{hashlib.sha256(book.casefold().encode()).hexdigest()[:24]}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(mark, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise BusyWorkbookError(
            "An earlier command is still at work on this workbook: wait for its message, then try "
            "again."
        ) from error
    except OSError as error:
        raise NotSavedError(
            "Nothing was changed: the folder of csc-demand in your profile cannot be written to, "
            "or the disk is full."
        ) from error
    try:
        yield
    finally:
        lock.release()
