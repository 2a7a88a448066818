"""Whatever fails while saving, the old or the new workbook stands, whole."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
import textwrap
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demand_addin.saving import (
    BusyWorkbookError,
    Disk,
    NotSavedError,
    Saved,
    backups,
    fingerprint,
    is_undone,
    locked,
    owner_file,
    save,
)
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.unit

NOW = datetime(2026, 4, 3, 9, 30, 15, tzinfo=UTC)


def workbook(text: str) -> bytes:
    """A zip of some size, so that it takes several writes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content", text)
        archive.writestr("padding", bytes(600_000))
    return buffer.getvalue()


OLD, NEW = workbook("old"), workbook("new")


def verify(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise InvalidInputError("damaged")


def content(path: Path) -> str:
    verify(path)
    with zipfile.ZipFile(path) as archive:
        return archive.read("content").decode()


def put(target: Path, data: bytes = NEW, *, disk: Disk | None = None) -> Saved:
    return save(
        data,
        target,
        now=NOW,
        verify=verify,
        read_as=fingerprint(target),
        disk=disk,
        pause=lambda _: None,
    )


def only_allowed_files(book: Path) -> bool:
    allowed = (f"{book.stem}.backup-", f"{book.stem}.result-")
    return all(p == book or p.name.startswith(allowed) for p in book.parent.iterdir())


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "Demand & cost (été).xlsx"
    path.write_bytes(OLD)
    return path


class FailingDisk(Disk):
    """Fails at the k-th call of one kind; `calls` counts them."""

    def __init__(self, kind: str, at: int, error: OSError) -> None:
        self.kind, self.at, self.error, self.calls = kind, at, error, 0

    def _count(self, kind: str) -> None:
        if kind == self.kind:
            self.calls += 1
            if self.calls == self.at:
                raise self.error

    def open_new(self, path: Path) -> int:
        self._count("open")
        return super().open_new(path)

    def write(self, descriptor: int, data: memoryview) -> int:
        self._count("write")
        return super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._count("sync")
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._count("replace")
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._count("remove")
        super().remove(path)

    def set_mode(self, path: Path, mode: int) -> None:
        self._count("set_mode")
        super().set_mode(path, mode)


def calls_of(kind: str, tmp_path: Path) -> int:
    target = tmp_path / "count" / "book.xlsx"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(OLD)
    counting = FailingDisk(kind, 0, OSError())
    put(target, disk=counting)
    return counting.calls


def test_the_new_workbook_stands_and_the_old_one_is_kept(book: Path) -> None:
    saved = put(book)
    assert content(book) == "new"
    assert saved.backup is not None
    assert saved.backup.name == "Demand & cost (été).backup-2026-04-03-093015.xlsx"
    assert content(saved.backup) == "old"
    assert only_allowed_files(book)


def test_a_new_file_needs_no_backup(tmp_path: Path) -> None:
    target = tmp_path / "new.xlsx"
    assert put(target) == Saved(path=target)
    assert [p.name for p in tmp_path.iterdir()] == ["new.xlsx"]


def test_only_the_newest_three_backups_are_kept(book: Path) -> None:
    for number in range(6):
        put(book, workbook(f"version {number}"))
    assert [content(p) for p in backups(book)] == ["version 2", "version 3", "version 4"]


def test_what_a_user_named_after_a_backup_is_theirs(book: Path) -> None:
    put(book, workbook("first"))
    (ours,) = backups(book)
    theirs = [
        book.with_name(f"{name}.xlsx")
        for name in (f"{ours.stem} - Copy", f"{book.stem}.backup-before board paper")
    ]
    for path in theirs:
        path.write_bytes(OLD)
    for number in range(4):
        put(book, workbook(f"version {number}"))
    assert [content(p) for p in backups(book)] == ["version 0", "version 1", "version 2"]
    assert all(path.exists() for path in theirs)


def undo(target: Path) -> None:
    last = [p for p in backups(target) if not is_undone(p)][-1]
    save(
        last.read_bytes(),
        target,
        now=NOW,
        verify=verify,
        read_as=fingerprint(target),
        restored=last,
    )


def test_what_was_undone_takes_no_room_from_earlier_versions(book: Path) -> None:
    for number in range(3):
        put(book, workbook(f"version {number}"))
    undo(book)
    undo(book)
    assert [content(p) for p in backups(book)] == ["old", "version 2", "version 1"]
    for number in (3, 4):
        put(book, workbook(f"version {number}"))
    kept = backups(book)
    earlier = [content(p) for p in kept if not is_undone(p)]
    assert earlier == ["old", "version 0", "version 3"]
    assert [content(p) for p in kept if is_undone(p)] == ["version 1"]


@pytest.mark.parametrize("kind", ["open", "write", "sync", "replace", "set_mode"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_failing_at_every_call_leaves_the_old_workbook(
    kind: str, code: int, tmp_path: Path
) -> None:
    total = calls_of(kind, tmp_path)
    assert total >= 2
    for k in range(1, total + 1):
        target = tmp_path / f"{kind}-{k}" / "book.xlsx"
        target.parent.mkdir()
        target.write_bytes(OLD)
        with pytest.raises(NotSavedError, match=r"book\.xlsx was not changed"):
            put(target, disk=FailingDisk(kind, k, OSError(code, "injected")))
        assert target.read_bytes() == OLD
        assert [p.name for p in target.parent.iterdir()] == ["book.xlsx"]


def test_failing_to_remove_never_loses_a_result(tmp_path: Path) -> None:
    for k in range(1, calls_of("remove", tmp_path) + 1):
        target = tmp_path / f"remove-{k}" / "book.xlsx"
        target.parent.mkdir()
        target.write_bytes(OLD)
        put(target, disk=FailingDisk("remove", k, OSError(errno.EIO, "injected")))
        assert content(target) == "new"


def test_a_full_disk_is_said_in_words(book: Path) -> None:
    with pytest.raises(NotSavedError, match="the disk is full"):
        put(book, disk=FailingDisk("write", 2, OSError(errno.ENOSPC, "injected")))


def test_a_folder_that_cannot_be_written_to_is_said_with_a_way_out(book: Path) -> None:
    with pytest.raises(NotSavedError, match="--out FILE"):
        put(book, disk=FailingDisk("open", 1, PermissionError(errno.EACCES, "injected")))


def windows_error(code: int, winerror: int) -> OSError:
    error = OSError(code, "injected")
    vars(error)["winerror"] = winerror
    return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENAMETOOLONG, "injected"),
        OSError(errno.ENOENT, "injected"),  # how Windows puts a path over 260 characters
        windows_error(errno.EINVAL, 206),
        windows_error(errno.EINVAL, 123),
    ],
)
def test_a_name_that_is_too_long_is_said_with_a_way_out(book: Path, error: OSError) -> None:
    with pytest.raises(NotSavedError, match="its name is too long"):
        put(book, disk=FailingDisk("open", 1, error))
    assert book.read_bytes() == OLD


def test_a_virus_scanner_that_holds_the_backup_is_waited_for(book: Path) -> None:
    saved = put(book, disk=FailingDisk("replace", 1, PermissionError(errno.EACCES, "injected")))
    assert saved.path == book
    assert saved.backup is not None
    assert content(saved.backup) == "old"


def test_short_writes_are_completed(book: Path) -> None:
    class Dribble(Disk):
        def write(self, descriptor: int, data: memoryview) -> int:
            return super().write(descriptor, data[:100_000])

    put(book, disk=Dribble())
    assert content(book) == "new"


def test_silent_damage_is_noticed(book: Path) -> None:
    class Lossy(Disk):
        def write(self, descriptor: int, data: memoryview) -> int:
            super().write(descriptor, memoryview(bytes(len(data))))
            return len(data)

    with pytest.raises(NotSavedError, match="soundly"):
        put(book, disk=Lossy())
    assert book.read_bytes() == OLD


def test_an_unsound_workbook_is_never_put_in_place(book: Path) -> None:
    with pytest.raises(zipfile.BadZipFile):
        put(book, b"not a workbook")
    assert book.read_bytes() == OLD
    assert only_allowed_files(book)
    assert not backups(book)


class OpenInExcel(Disk):
    """Windows refuses to replace a workbook that Excel holds, `times` times."""

    def __init__(self, book: Path, times: int) -> None:
        self.book, self.times, self.refused = book, times, 0

    def replace(self, source: Path, target: Path) -> None:
        if target == self.book and self.refused < self.times:
            self.refused += 1
            raise PermissionError(errno.EACCES, "in use")
        super().replace(source, target)


def test_a_workbook_closed_in_time_is_written(book: Path) -> None:
    assert put(book, disk=OpenInExcel(book, 3)).path == book
    assert content(book) == "new"


def test_a_workbook_that_stays_open_keeps_the_result_beside_it(book: Path) -> None:
    saved = put(book, disk=OpenInExcel(book, 99))
    assert saved.path.name == "Demand & cost (été).result-2026-04-03-093015.xlsx"
    assert content(saved.path) == "new"
    assert "left as it is" in saved.notes[0]
    assert saved.path.name in saved.notes[0]
    assert book.read_bytes() == OLD
    assert not backups(book)
    assert only_allowed_files(book)


def test_a_workbook_saved_by_somebody_meanwhile_is_not_overwritten(book: Path) -> None:
    seen = fingerprint(book)
    book.write_bytes(workbook("theirs"))
    saved = save(NEW, book, now=NOW, verify=verify, read_as=seen)
    assert content(book) == "theirs"
    assert content(saved.path) == "new"
    assert "saved by somebody else" in saved.notes[0]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permission bits")
def test_the_temporary_file_is_restricted_and_the_result_is_as_open_as_the_old(
    book: Path,
) -> None:
    book.chmod(0o640)
    modes = []

    class Watching(Disk):
        def sync(self, descriptor: int) -> None:
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
            super().sync(descriptor)

    saved = put(book, disk=Watching())
    assert modes == [0o600, 0o600]
    assert stat.S_IMODE(book.stat().st_mode) == 0o640
    assert saved.backup is not None
    assert stat.S_IMODE(saved.backup.stat().st_mode) == 0o640


def test_a_read_only_workbook_is_refused_with_a_way_out(book: Path) -> None:
    book.chmod(0o444)
    with pytest.raises(NotSavedError, match="--out"), locked(book, now=NOW):
        pass
    book.chmod(0o644)
    assert book.read_bytes() == OLD


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotSavedError, match="folder"), locked(tmp_path / "no" / "b.xlsx", now=NOW):
        pass


def test_the_lock_says_who_holds_it_and_is_gone_afterwards(book: Path) -> None:
    with locked(book, now=NOW):
        assert (book.parent / f"{book.name}.lock").exists()
        with (
            pytest.raises(BusyWorkbookError, match=r"started by .+ on .+, 03/04/2026 09:30"),
            locked(book, now=NOW, wait_seconds=0.05),
        ):
            pass
    with locked(book, now=NOW, wait_seconds=0.05):
        pass
    assert [p.name for p in book.parent.iterdir()] == [book.name]


def test_what_a_killed_run_left_is_swept_at_the_next_start(book: Path) -> None:
    left = book.with_name(f".{book.name}.saving-0123abcd.tmp")
    left.write_bytes(OLD)
    other = book.with_name(".other.xlsx.saving-0123abcd.tmp")
    other.write_bytes(OLD)
    with locked(book, now=NOW):
        assert not left.exists()
    assert other.exists()


def test_the_owner_file_of_excel_is_named(book: Path) -> None:
    assert owner_file(book).name == f"~${book.name}"


KILLED = """
    import sys
    from datetime import UTC, datetime
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_saving import NEW, OLD, NOW, locked, put
    target = Path(sys.argv[1])
    print("ready", flush=True)
    while True:
        with locked(target, now=NOW):
            put(target, NEW if target.read_bytes() == OLD else OLD)
"""


def test_killed_at_any_time_a_whole_workbook_stands(book: Path) -> None:
    script = textwrap.dedent(KILLED.format(tests=str(Path(__file__).parent)))
    for trial in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(book)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.003 + 0.013 * trial)
        process.kill()
        process.wait()
        process.stdout.close()
        assert content(book) in {"old", "new"}
        with locked(book, now=NOW, wait_seconds=5):
            pass
        assert only_allowed_files(book)


FULL = """
    import resource, signal, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_saving import NotSavedError, put
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    try:
        put(Path(sys.argv[1]))
    except NotSavedError as error:
        print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX resource limits")
def test_a_disk_that_really_refuses_more_leaves_the_old_workbook(book: Path) -> None:
    script = textwrap.dedent(FULL.format(tests=str(Path(__file__).parent)))
    found = subprocess.run(
        [sys.executable, "-c", script, str(book)], capture_output=True, text=True, check=True
    )
    assert "the disk is full" in found.stdout
    assert book.read_bytes() == OLD
    assert [p.name for p in book.parent.iterdir()] == [book.name]


ADDING = """
    import sys, io, zipfile
    from datetime import UTC, datetime
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from test_saving import NOW, content, locked, put, workbook
    target = Path(sys.argv[1])
    for _ in range(5):
        with locked(target, now=NOW, wait_seconds=60):
            put(target, workbook(content(target) + "+"))
"""


def test_runs_at_the_same_time_lose_nothing(book: Path) -> None:
    script = textwrap.dedent(ADDING.format(tests=str(Path(__file__).parent)))
    processes = [subprocess.Popen([sys.executable, "-c", script, str(book)]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    assert content(book) == "old" + "+" * 20
    assert only_allowed_files(book)
