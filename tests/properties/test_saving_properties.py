"""Whatever sequence of failures saving meets, one whole workbook stands and nothing leaks."""

from __future__ import annotations

import errno
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_addin.saving import (
    BACKUPS_KEPT,
    Disk,
    NotSavedError,
    backups,
    fingerprint,
    locked,
    save,
)
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.properties

NOW = datetime(2026, 4, 3, 9, 30, 15, tzinfo=UTC)
MARK = b"WORKBOOK"
KINDS = ("open", "write", "sync", "replace", "remove", "set_mode")


class Unreliable(Disk):
    """Fails whenever the plan says so; `refuses` stands for a workbook open in Excel."""

    def __init__(self, failures: list[tuple[str, int]], *, refuses: bool) -> None:
        self.left = set(failures)
        self.counts = dict.fromkeys(KINDS, 0)
        self.refuses = refuses

    def _may_fail(self, kind: str) -> None:
        self.counts[kind] += 1
        if (kind, self.counts[kind]) in self.left:
            raise OSError(errno.EIO, "injected")

    def open_new(self, path: Path) -> int:
        self._may_fail("open")
        return super().open_new(path)

    def write(self, descriptor: int, data: memoryview) -> int:
        self._may_fail("write")
        return super().write(descriptor, data[: max(1, len(data) // 3)])

    def sync(self, descriptor: int) -> None:
        self._may_fail("sync")
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._may_fail("replace")
        if self.refuses and target.name == "book.xlsx":
            raise PermissionError(errno.EACCES, "in use")
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._may_fail("remove")
        super().remove(path)

    def set_mode(self, path: Path, mode: int) -> None:
        self._may_fail("set_mode")
        super().set_mode(path, mode)


def verify(path: Path) -> None:
    if not path.read_bytes().startswith(MARK):
        raise InvalidInputError("unsound")


contents = st.binary(max_size=60).map(lambda tail: MARK + tail)
failures = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 6)), max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(contents, failures, st.booleans(), st.booleans()), max_size=6))
def test_old_or_new_never_neither(
    attempts: list[tuple[bytes, list[tuple[str, int]], bool, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.xlsx"
        book.write_bytes(current := MARK)
        for data, failing, refuses, unsound in attempts:
            new = data[1:] if unsound else data
            with locked(book, now=NOW):
                try:
                    saved = save(
                        new,
                        book,
                        now=NOW,
                        verify=verify,
                        read_as=fingerprint(book),
                        disk=Unreliable(failing, refuses=refuses),
                        pause=lambda _: None,
                    )
                except (NotSavedError, InvalidInputError):
                    pass
                else:
                    assert not unsound
                    assert saved.path.read_bytes() == data
                    current = data if saved.path == book else current
            assert book.read_bytes() == current
        # One sound save afterwards clears everything that the failures left.
        with locked(book, now=NOW):
            save(MARK, book, now=NOW, verify=verify, read_as=fingerprint(book))
        names = {p.name for p in book.parent.iterdir()}
        allowed = {p.name for p in backups(book)} | {"book.xlsx"}
        assert all(name in allowed or name.startswith("book.result-") for name in names)
        assert len(backups(book)) <= BACKUPS_KEPT
        assert all(p.read_bytes().startswith(MARK) for p in book.parent.iterdir())
