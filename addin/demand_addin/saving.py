"""Saving a workbook so that the old one or the new one always stands, never neither.

Two conventions that are easily confused:

* the **lock** is held from before the workbook is read until after it is saved,
  so that two runs never build on the same old version;
* the **fingerprint** is taken when the workbook is read and compared just before
  it is replaced, because Excel does not know of the lock: what an analyst saved
  meanwhile is not overwritten.

Beside ``NAME.xlsx`` stand only ``NAME.backup-TIMESTAMP.xlsx`` (the newest three, and
what an undo took back where there is room, one at least) and, while a run
lasts, ``NAME.xlsx.lock`` and a temporary file; where the workbook could not be replaced,
``NAME.result-TIMESTAMP.xlsx``.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import hashlib
import os
import platform
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from demand_model.errors import DemandError

BACKUPS_KEPT = 3
UNDONE = "-undone"
"""How the name of a backup ends that an undo put aside."""
_STAMPED = r"-\d{4}-\d\d-\d\d-\d{6}(?:-(\d{2,}))?(?:" + UNDONE + ")?"
_RETRY_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
_PIECE = 1 << 18
_NOTE_OFFSET = 1  # Windows locks byte 0 of the lock file: the note behind it stays readable.
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_COMPUTER = re.compile(r"(?!.*20\d\d)(?=.*[A-Z])(?=.*\d|DESKTOP|LAPTOP)[A-Z0-9-]{5,15}")
_WINDOWS_TOO_LONG = (206, 123)  # ERROR_FILENAME_EXCED_RANGE, ERROR_INVALID_NAME
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class NotSavedError(DemandError):
    """The result could not be written; the workbook is as it was."""


class BusyWorkbookError(DemandError):
    """Another run is working on the same workbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a save left on the disk.

    Attributes
    ----------
    path
        Where the result stands: the workbook, or a dated file beside it.
    backup
        The previous version, where there was one and it was replaced.
    notes
        Sentences that the user must read (the result stands elsewhere).
    is_changed
        False where there was nothing to be written.
    """

    path: Path
    backup: Path | None = None
    notes: tuple[str, ...] = ()
    is_changed: bool = True

    @property
    def wrote(self) -> tuple[Path, ...]:
        """Files that were written, the result first."""
        if not self.is_changed:
            return ()
        return (self.path,) if self.backup is None else (self.path, self.backup)


class Disk:
    """The calls that change a disk, in one place so that a test can make each of them fail."""

    def open_new(self, path: Path) -> int:
        """Create a file that only its owner may read; it must not exist."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        return os.open(path, flags, 0o600)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write some of `data`; returns how many bytes."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Wait until the data are on the disk."""
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over `target` in one step."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Delete a file; it may be gone already."""
        path.unlink(missing_ok=True)

    def set_mode(self, path: Path, mode: int) -> None:
        """Permission bits (on Windows only the read-only mark has a meaning)."""
        path.chmod(mode)

    def sync_folder(self, folder: Path) -> None:
        """Make a rename durable; Windows does so by itself."""
        if os.name == "nt":
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def fingerprint(path: Path) -> str | None:
    """SHA-256 of a file's bytes; ``None`` if there is no such file.

    Raises
    ------
    NotSavedError
        It cannot be read, so that it could not be told whether it has changed.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        kind = (
            "is a folder: give the name of a file; nothing was changed."
            if path.is_dir()
            else "cannot be read, so nothing was changed: if OneDrive or SharePoint keeps it, open "
            "it in Excel once, so that it is downloaded, and try again."
        )
        raise NotSavedError(f"{path.name} {kind}") from error


def owner_file(book: Path) -> Path:
    """Name of the file that Excel keeps beside a workbook while it is open."""
    return book.with_name(f"~${book.name}")


def conflict_copies(book: Path) -> tuple[Path, ...]:
    """Copies beside a workbook that may be OneDrive's of two people's changes.

    OneDrive names them ``NAME-COMPUTER.xlsx``; computers are named in capitals and
    digits (``LAPTOP-4F2K9``), as a copy that somebody made may be (``FINAL1``). Where
    the workbook itself is not there, none is a copy of it.
    """
    if not book.is_file():
        return ()
    prefix = f"{book.stem}-"
    return tuple(
        sorted(
            path
            for path in book.parent.iterdir()
            if path.suffix == book.suffix
            and path.stem.startswith(prefix)
            and _COMPUTER.fullmatch(path.stem.removeprefix(prefix))
        )
    )


@contextlib.contextmanager
def locked(book: Path, *, now: datetime, wait_seconds: float = 30.0) -> Iterator[None]:
    """Hold ``NAME.xlsx.lock`` for this workbook, and sweep what a killed run left.

    Raises
    ------
    BusyWorkbookError
        Another run still holds it after `wait_seconds`; says who and since when.
    NotSavedError
        The folder is missing or cannot be written to, or the workbook is marked
        read-only.
    """
    if not book.parent.is_dir():
        raise NotSavedError(f"{book.name} was not written: its folder does not exist.")
    _refuse_read_only(book)
    path = book.with_name(f"{book.name}.lock")
    lock = FileLock(path, timeout=wait_seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise BusyWorkbookError(
            f"{book.name} is in use by another run{_read_note(path)}: "
            "wait until it has finished and try again."
        ) from error
    except OSError as error:
        raise NotSavedError(_why(error, book)) from error
    try:
        _write_note(path, now)
        _sweep(book, Disk())
        yield
    finally:
        if os.name != "nt":  # Windows: filelock deletes it after the release.
            path.unlink(missing_ok=True)
        lock.release()


def save(
    data: bytes,
    target: Path,
    *,
    now: datetime,
    verify: Callable[[Path], None],
    read_as: str | None,
    restored: Path | None = None,
    disk: Disk | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Saved:
    """Put a whole new workbook in place of the old one.

    Temporary file in the same folder → flush → read back and `verify` → keep
    the previous version → replace. The caller holds the lock.

    Parameters
    ----------
    verify
        Opens the temporary file as a workbook and raises `DemandError` if it
        is not sound.
    read_as
        `fingerprint` of `target` when it was read; if it differs now, somebody
        saved it meanwhile and the result is kept beside it instead.
    restored
        The backup whose bytes `data` are, where an earlier version is put back: it goes,
        since the workbook holds it now, and the version put aside is named as undone.
    pause
        Waits between attempts while the workbook is open in Excel, in seconds.

    Raises
    ------
    NotSavedError
        Nothing was changed; one sentence says why and what to do.
    """
    disk = disk or Disk()
    temporary = _temporary(target)
    backup: Path | None = None
    try:
        _write_new(disk, temporary, data)
        if temporary.read_bytes() != data:
            raise NotSavedError(f"{target.name} could not be written soundly; it is as it was.")
        verify(temporary)
        disk.set_mode(temporary, _mode_for(target))
        if fingerprint(target) != read_as:
            return _keep_beside(
                disk, temporary, target, now, "was saved by somebody else meanwhile"
            )
        if read_as is not None:
            backup = _back_up(disk, target, now, pause, ending=UNDONE if restored else "")
        if not _replaced(disk, temporary, target, pause):
            if backup is not None:
                disk.remove(backup)
            return _keep_beside(disk, temporary, target, now, "is open in Excel or write-protected")
    except OSError as error:
        if backup is not None:
            with contextlib.suppress(OSError):
                disk.remove(backup)
        raise NotSavedError(_why(error, target)) from error
    finally:
        with contextlib.suppress(OSError):
            disk.remove(temporary)
    if restored is not None:
        with contextlib.suppress(OSError):
            disk.remove(restored)
    _tidy(disk, target)
    return Saved(path=target, backup=backup)


def is_undone(backup: Path) -> bool:
    """Whether a version was put aside by an undo: it is later than what stands now."""
    return backup.stem.endswith(UNDONE)


def backups(book: Path) -> tuple[Path, ...]:
    """Other versions kept beside a workbook, oldest first, those that were undone included."""
    # The whole name: a copy of a backup that somebody named is theirs, not to be deleted.
    ours = re.compile(re.escape(f"{book.stem}.backup") + _STAMPED)
    found = [p for p in book.parent.iterdir() if ours.fullmatch(p.stem) and p.suffix == book.suffix]
    # By time of writing: the hour that the clocks go back is in two names.
    return tuple(sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.stem)))


def _temporary(target: Path) -> Path:
    # Ends in .tmp: OneDrive does not upload such files, which hold children's rows.
    return target.with_name(f".{target.name}.saving-{secrets.token_hex(4)}.tmp")


def _sweep(book: Path, disk: Disk) -> None:
    prefix = f".{book.name}.saving-"
    for left in book.parent.iterdir():
        if left.name.startswith(prefix) and left.suffix == ".tmp":
            with contextlib.suppress(OSError):
                disk.remove(left)


def _write_new(disk: Disk, path: Path, data: bytes) -> None:
    descriptor = disk.open_new(path)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[disk.write(descriptor, rest[:_PIECE]) :]
        disk.sync(descriptor)
    finally:
        os.close(descriptor)


def _mode_for(target: Path) -> int:
    try:
        return target.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _back_up(
    disk: Disk, target: Path, now: datetime, pause: Callable[[float], None], *, ending: str
) -> Path:
    backup = _free_name(target, "backup", now)
    backup = backup.with_name(f"{backup.stem}{ending}{backup.suffix}")
    temporary = _temporary(target)
    try:
        _write_new(disk, temporary, target.read_bytes())
        disk.set_mode(temporary, _mode_for(target))
        if not _replaced(disk, temporary, backup, pause):
            raise PermissionError(errno.EACCES, "backup")
    finally:
        with contextlib.suppress(OSError):
            disk.remove(temporary)
    return backup


def _replaced(disk: Disk, source: Path, target: Path, pause: Callable[[float], None]) -> bool:
    # Windows refuses while Excel has the target open, or a virus scanner the new file.
    for seconds in (*_RETRY_SECONDS, None):
        try:
            disk.replace(source, target)
        except PermissionError:
            if seconds is not None:
                pause(seconds)
        else:
            return True
    return False


def _keep_beside(disk: Disk, source: Path, target: Path, now: datetime, why: str) -> Saved:
    beside = _free_name(target, "result", now)
    disk.replace(source, beside)
    return Saved(
        path=beside,
        notes=(
            f"{target.name} {why}, so it was left as it is and the result is in {beside.name} "
            "beside it.",
        ),
    )


def _free_name(target: Path, kind: str, now: datetime) -> Path:
    stem = f"{target.stem}.{kind}-{now:%Y-%m-%d-%H%M%S}"
    ours = re.compile(re.escape(f"{target.stem}.{kind}") + _STAMPED)
    taken = (ours.fullmatch(p.stem) for p in target.parent.iterdir() if p.stem.startswith(stem))
    # A name that was freed is not used again within its second, or it would sort as the oldest.
    last = max((int(found[1] or 1) for found in taken if found), default=0)
    return target.with_name(f"{stem}{f'-{last + 1:02d}' if last else ''}{target.suffix}")


def _tidy(disk: Disk, target: Path) -> None:
    # The result is safe by now: neither of these may turn success into failure.
    with contextlib.suppress(OSError):
        disk.sync_folder(target.parent)
    kept = backups(target)
    earlier = [p for p in kept if not is_undone(p)][-BACKUPS_KEPT:]
    # What was undone has only the room that earlier versions leave, but the newest stays.
    room = max(1, BACKUPS_KEPT - len(earlier))
    stay = {*earlier, *[p for p in kept if is_undone(p)][-room:]}
    for old in kept:
        if old not in stay:
            with contextlib.suppress(OSError):
                disk.remove(old)


def _refuse_read_only(book: Path) -> None:
    # Asked of the mark itself: POSIX would replace a read-only file without a word.
    if book.is_file() and not book.stat().st_mode & stat.S_IWUSR:
        raise NotSavedError(
            f"{book.name} is marked read-only, so nothing was changed; take the mark off, or "
            "use --out FILE to write the result elsewhere."
        )


def _why(error: OSError, target: Path) -> str:
    if error.errno in _FULL:
        return f"{target.name} was not changed: the disk is full; free some space and try again."
    if error.errno in _DENIED:
        return (
            f"{target.name} was not changed: its folder cannot be written to; "
            "use --out FILE to write the result elsewhere."
        )
    if _is_too_long(error, target):
        return (
            f"{target.name[:40]}… was not changed: its name is too long for the backup beside it "
            "(with that of its folder), or no file can have it; "
            "use --out FILE with a shorter name."
        )
    if isinstance(error, FileNotFoundError):
        return f"{target.name} was not written: its folder does not exist; make it first."
    return f"{target.name} was not changed: the disk refused to write it ({_name_of(error)})."


def _is_too_long(error: OSError, target: Path) -> bool:
    # Windows has no ENAMETOOLONG: it gives its own code, or says that the path is not there.
    if error.errno == errno.ENAMETOOLONG or getattr(error, "winerror", None) in _WINDOWS_TOO_LONG:
        return True
    return isinstance(error, FileNotFoundError) and target.parent.is_dir()


def _name_of(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


def _write_note(lock: Path, now: datetime) -> None:
    note = f" (started by {_user()} on {platform.node() or 'this computer'}, {now:%d/%m/%Y %H:%M})"
    with lock.open("r+b", buffering=0) as file:
        file.seek(_NOTE_OFFSET)
        file.write(note.encode())
        file.truncate()


def _read_note(lock: Path) -> str:
    try:
        with lock.open("rb", buffering=0) as file:
            file.seek(_NOTE_OFFSET)
            return file.read(500).decode(errors="replace")
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
