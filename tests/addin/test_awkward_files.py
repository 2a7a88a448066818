"""Bad inputs 21 to 27: files that are open, protected, in the cloud, oddly named, or do not fit.

What Windows and OneDrive do is imitated: they lay an owner file beside an open workbook, refuse
to read a file that was not downloaded, and name the copy of a conflict after a computer.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from cli_cases import call
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.new import template_bytes
from demand_addin.read import read_sheets
from demand_addin.saving import Disk, conflict_copies
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def template() -> bytes:
    return template_bytes()


@pytest.fixture
def book(template: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "demand.xlsx"
    path.write_bytes(template)
    return path


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    path = tmp_path / "annex-a.xlsx"
    path.write_bytes(sample_workbook("small"))
    return path


def owner_of(path: Path) -> Path:
    owner = path.with_name(f"~${path.name}")
    owner.write_bytes(b"\x05Jo Bloggs")
    return owner


# --- 21, 22: open in Excel, and left behind by a crash ------------------------------------------


def test_21_lists_that_are_open_are_copied_as_saved_and_it_is_said(book: Path, lists: Path) -> None:
    owner_of(lists)
    result = call("import", book, lists)
    assert result.exit_code == 0
    assert "annex-a.xlsx seems to be open in Excel" in result.stdout
    assert "what was not saved there was not copied" in result.stdout
    assert "Bloggs" not in result.output


def test_21_a_file_that_excel_holds_alone_says_to_close_it(
    lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "sharing violation")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InvalidInputError, match=r"annex-a\.xlsx cannot be opened: close it in Ex"):
        read_sheets(lists)


def test_21_a_workbook_that_excel_holds_keeps_its_bytes_and_the_result(
    book: Path, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = book.read_bytes()
    replace = Disk.replace

    def held(self: Disk, source: Path, target: Path) -> None:
        if target == book:
            raise PermissionError(errno.EACCES, "sharing violation")
        replace(self, source, target)

    monkeypatch.setattr(Disk, "replace", held)
    monkeypatch.setattr("demand_addin.saving._RETRY_SECONDS", (0.0,))
    result = call("import", book, lists)
    assert "is open in Excel or write-protected" in result.stdout
    assert book.read_bytes() == before
    (kept,) = book.parent.glob("demand.result-*.xlsx")
    assert kept.stat().st_size > len(before)


def test_22_a_stale_owner_file_stops_nothing(book: Path, lists: Path) -> None:
    owner = owner_of(book)
    before = book.read_bytes()
    result = call("import", book, lists)
    assert result.exit_code == 0
    assert f"Wrote: {book}" in result.stdout
    assert book.read_bytes() != before
    assert owner.exists(), "it is Excel's, not ours to remove"


# --- 23: read-only -------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions of folders")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root writes anywhere")
def test_23_a_read_only_folder_says_to_save_elsewhere(book: Path, lists: Path) -> None:
    before = book.read_bytes()
    book.parent.chmod(0o500)
    try:
        result = call("import", book, lists)
    finally:
        book.parent.chmod(0o700)
    assert result.exit_code == 3
    assert "--out FILE" in result.stderr
    assert book.read_bytes() == before


def test_23_a_read_only_workbook_is_left_alone_and_out_goes_round_it(
    book: Path, lists: Path, tmp_path: Path
) -> None:
    before = book.read_bytes()
    book.chmod(0o400)
    result = call("import", book, lists)
    assert result.exit_code == 3
    assert "demand.xlsx is marked read-only" in result.stderr
    assert "--out FILE" in result.stderr
    other = call("import", book, lists, "--out", tmp_path / "mine.xlsx")
    assert other.exit_code == 0
    assert book.read_bytes() == before


# --- 24, 25: OneDrive ----------------------------------------------------------------------------


def not_downloaded(path: Path) -> bytes:
    raise OSError(errno.EINVAL, "The cloud file provider is not running", str(path))


def test_24_a_list_that_was_not_downloaded_says_what_to_do(
    lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", not_downloaded)
    with pytest.raises(InvalidInputError) as caught:
        read_sheets(lists)
    said = str(caught.value)
    assert said.startswith("annex-a.xlsx cannot be read from its disk: if OneDrive or SharePoint")
    assert "open it in Excel once, so that it is downloaded" in said
    assert str(lists.parent) not in said


def test_24_a_workbook_that_was_not_downloaded_stops_before_any_work(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = book.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", not_downloaded)
        result = call("check", book)
    assert result.exit_code == 3
    assert "demand.xlsx cannot be read, so nothing was changed: if OneDrive" in result.stderr
    assert book.read_bytes() == before
    assert [p.name for p in book.parent.iterdir()] == [book.name]


def test_25_a_conflict_copy_beside_the_workbook_is_said(book: Path, lists: Path) -> None:
    shutil.copy(book, book.with_name("demand-LAPTOP-4F2K9.xlsx"))
    result = call("import", book, lists)
    assert result.exit_code == 0
    assert "demand-LAPTOP-4F2K9.xlsx stands beside demand.xlsx and may be the copy" in result.stdout


@pytest.mark.parametrize(
    ("name", "is_copy"),
    [
        ("demand-LBX12345.xlsx", True),
        ("demand-DESKTOP-A.xlsx", True),
        ("demand-2026.xlsx", False),
        ("demand-Q1-2026.xlsx", False),
        ("demand-model.xlsx", False),
        ("demand-V2.xlsx", False),
        ("demand.backup-2026-11-22-130632.xlsx", False),
        ("demand-LBX12345.docx", False),
        ("other-LBX12345.xlsx", False),
    ],
)
def test_25_only_names_of_computers_are_taken_for_conflicts(
    name: str, is_copy: bool, book: Path
) -> None:
    book.with_name(name).write_bytes(b"")
    assert [p.name for p in conflict_copies(book)] == ([name] if is_copy else [])


def test_25_without_the_workbook_nothing_is_a_copy_of_it(tmp_path: Path) -> None:
    (tmp_path / "demand-LBX12345.xlsx").write_bytes(b"")
    assert conflict_copies(tmp_path / "demand.xlsx") == ()


# --- 26: names and paths -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folder",
    [
        "Jo O'Brien & Zoë's files (new) – 100% #1",
        "/".join(["a folder with a rather long name, as file shares have them"] * 5),
    ],
    ids=["awkward", "beyond 260 letters"],
)
def test_26_any_path_works_from_new_to_check(folder: str, lists: Path, tmp_path: Path) -> None:
    place = tmp_path / folder
    place.mkdir(parents=True)
    book = place / "Bedarf & Kosten – Åse's [2026].xlsx"
    assert call("new", book).exit_code == 0
    moved = Path(shutil.copy(lists, place / "annex a (final) 'v2'.xlsx"))
    assert call("import", book, moved).exit_code == 0
    result = call("check", book)
    assert result.exit_code == 0, result.output
    assert f"Wrote: {book}" in result.stdout
    assert "List 8: " in result.stdout


def test_26_a_name_too_long_for_a_backup_is_said(book: Path, lists: Path) -> None:
    # 255 letters is the most that file systems take: the backup's name is 24 longer.
    long = Path(shutil.copy(book, book.with_name("d" * 236 + ".xlsx")))
    before = long.read_bytes()
    result = call("import", long, lists)
    assert result.exit_code == 3
    assert "its name is too long" in result.stderr
    assert "--out FILE with a shorter name" in result.stderr
    assert long.read_bytes() == before


# --- 27: a full disk -----------------------------------------------------------------------------


def test_27_a_full_disk_leaves_the_workbook_byte_for_byte(
    book: Path, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = book.read_bytes()
    written = 0

    def fills(_: Disk, descriptor: int, data: memoryview) -> int:
        nonlocal written
        written += len(data)
        if written > 300_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(descriptor, data)

    monkeypatch.setattr(Disk, "write", fills)
    result = call("import", book, lists)
    assert result.exit_code == 3
    assert "demand.xlsx was not changed: the disk is full; free some space" in result.stderr
    assert book.read_bytes() == before
    assert {p.name for p in book.parent.iterdir()} == {book.name, lists.name}
