"""What a button's own process does: import and new, one at a time, and the message at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlwings

from cli_cases import call
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.new import template_bytes
from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.layout import SHEETS
from demand_addin.live import __main__ as entry
from demand_addin.live import answering
from demand_addin.live.answering import TITLES, answer, tell
from demand_addin.live.box import show_message, style_of
from demand_addin.live.com import Patience
from demand_addin.live.commands import LiveJob, carry_out, message_of
from demand_addin.live.quiet import status_line
from demand_addin.live.session import attach
from demand_addin.live.turns import turn
from demand_addin.live.undo import UndoFolder
from demand_addin.saving import BusyWorkbookError, NotSavedError
from ports.excel_in_memory import REJECTED, ComError, Excel, FakeBook, copy_of, fake_book
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.unit

NOW = datetime(2026, 4, 3, 9, 30, tzinfo=UTC)
MARKED = "ZZPRIVATE77"
LIST_8 = (
    "Child Unique ID,Gender,Ethnicity,Date of Birth,Age of Child (Years),"
    "Date Started to be Looked After,Date Ceased to be Looked After,Placement Type\n"
    f"{MARKED},Female,WBRI,01/02/2015,11,03/03/2024,,U1\n"
    "=1+1,Male,WBRI,05/06/2012,13,12/08/2023,14/02/2026,K2\n"
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> FakeBook:
    path = tmp_path_factory.mktemp("buttons") / "book.xlsx"
    path.write_bytes(template_bytes())
    return fake_book(path)


@pytest.fixture
def excel(empty: FakeBook, monkeypatch: pytest.MonkeyPatch) -> Excel:
    excel = Excel(books=[copy_of(empty)])
    monkeypatch.setattr(xlwings.engines, "active", engine_for(excel))
    return excel


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UndoFolder:
    """Everything that is kept in the user's profile goes here."""
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "profile"))
    return UndoFolder(tmp_path / "profile" / "csc-demand" / "undo")


def job(folder: UndoFolder, *files: Path, book: str = "book.xlsx") -> LiveJob:
    patience = Patience("book.xlsx", waits=(), pause=lambda _: None)
    find = lambda wanted: attach(wanted, patience=patience, undo=folder)  # noqa: E731
    return LiveJob(book=book, now=NOW, find=find, files=files)


def written(folder: Path, name: str, text: str = LIST_8) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8-sig")
    return path


# -- Import


def test_import_in_excel_writes_what_import_into_the_file_writes(excel, folder, tmp_path) -> None:
    lists, book = tmp_path / "Annex = A's, (1).xlsx", tmp_path / "closed.xlsx"
    lists.write_bytes(sample_workbook("small"))
    assert call("import", book, lists).exit_code == 0
    closed = ClosedWorkbook.open(book)
    outcome = carry_out("import", job(folder, lists))
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    live = job(folder).find("book.xlsx")
    cells = 0
    for spec in SHEETS:
        if spec.list_number is not None:
            meant, found = closed.read_sheet(spec.name), live.read_sheet(spec.name)
            assert found.cells.tolist() == meant.cells.tolist(), spec.name
            cells += meant.cells.size
    assert cells > 5_000
    assert set(outcome.record["lists"]) == {"3", "7", "8"}
    assert any(line.startswith("List 3: ") for line in outcome.sentences)
    assert any("Writing the lists" in line for line in excel.said)


def test_one_list_leaves_the_other_sheets_and_an_older_longer_one_leaves_no_tail(
    excel, folder, tmp_path
) -> None:
    sheet = excel.books[0].sheet("List 8")
    for row in range(2, 9):
        sheet.cells[row, 1] = f"old {row}"
    sheet.used = (1, 1, 8, 8)
    before = dict(excel.books[0].sheet("List 7").cells)
    outcome = carry_out("import", job(folder, written(tmp_path, "children.csv")))
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert excel.books[0].sheet("List 7").cells == before
    column = [value for (_, left), value in sorted(sheet.cells.items()) if left == 1]
    assert column == ["Child Unique ID", MARKED, "=1+1"]
    assert (3, 1) not in sheet.formulas
    assert "List 3 was not copied" in "\n".join(outcome.sentences)


@pytest.mark.usefixtures("excel")
def test_rows_about_children_go_to_no_file_and_no_message(folder, tmp_path) -> None:
    lists = written(tmp_path, "children.csv")
    for _ in range(2):  # into empty sheets, then over rows
        outcome = answer("import", job(folder, lists))
        assert outcome.exit_code is ExitCode.OK, outcome.problem
        assert MARKED not in str(outcome)
        assert not [p for p in files_in(tmp_path / "profile") if MARKED.encode() in p.read_bytes()]
    assert files_in(tmp_path / "profile")
    assert "No copy of the earlier rows" in outcome.sentences[-1]
    undone = carry_out("undo", job(folder))
    assert undone.exit_code is ExitCode.MEND
    assert "close the workbook without saving" in undone.problem


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_import_into_empty_sheets_is_undone_by_a_later_command(excel, folder, tmp_path) -> None:
    lists = tmp_path / "annex-a.xlsx"
    lists.write_bytes(sample_workbook("small"))
    before = copy_of(excel.books[0])
    outcome = carry_out("import", job(folder, lists))
    assert outcome.sentences[-1].endswith("Undo takes the lists out again.")
    assert [s.cells for s in excel.books[0].sheets] != [s.cells for s in before.sheets]
    (record,) = files_in(tmp_path / "profile")
    assert record.stat().st_size < 10_000
    undone = carry_out("undo", job(folder))
    assert undone.exit_code is ExitCode.OK, undone.problem
    assert [s.cells for s in excel.books[0].sheets] == [s.cells for s in before.sheets]
    assert files_in(tmp_path / "profile") == []


def test_an_imported_list_that_was_changed_since_is_not_taken_out(excel, folder, tmp_path) -> None:
    assert carry_out("import", job(folder, written(tmp_path, "children.csv"))).problem == ""
    sheet = excel.books[0].sheet("List 8")
    sheet.cells[4, 1] = "typed below: outside what was written"
    sheet.cells[2, 2] = "Changed"
    undone = carry_out("undo", job(folder))
    assert undone.exit_code is ExitCode.MEND
    assert "sheet List 8 was changed" in undone.problem
    assert sheet.cells[2, 1] == MARKED
    sheet.cells[2, 2] = "Female"
    assert carry_out("undo", job(folder)).exit_code is ExitCode.OK
    assert sheet.cells[4, 1] == "typed below: outside what was written"


def test_a_run_after_an_import_takes_its_place_for_undo(excel, folder, tmp_path) -> None:
    assert carry_out("import", job(folder, written(tmp_path, "children.csv"))).problem == ""
    before = dict(excel.books[0].sheet("List 8").cells)
    carry_out("check", job(folder))
    undone = carry_out("undo", job(folder))
    assert undone.exit_code is ExitCode.OK
    assert excel.books[0].sheet("List 8").cells == before
    assert undone.sentences[1] == "1 more can be undone, next: Import lists (03/04/2026 09:30)."
    assert carry_out("undo", job(folder)).exit_code is ExitCode.OK
    assert (2, 1) not in excel.books[0].sheet("List 8").cells


def test_files_without_a_list_change_nothing(excel, folder, tmp_path) -> None:
    before = copy_of(excel.books[0])
    other = written(tmp_path, "rates.csv", "year,base rate\n2026,3.5\n")
    cases = ((other,), (tmp_path / "gone.xlsx",), ())
    words = ("No Annex A list 3, 7 or 8", "gone.xlsx", "No file was chosen")
    for files, said in zip(cases, words, strict=True):
        outcome = carry_out("import", job(folder, *files))
        assert outcome.exit_code is ExitCode.MEND
        assert said in outcome.problem
    assert [s.cells for s in excel.books[0].sheets] == [s.cells for s in before.sheets]


def test_an_import_that_fails_half_way_is_put_back(excel, folder, tmp_path) -> None:
    lists = tmp_path / "annex-a.xlsx"
    lists.write_bytes(sample_workbook("small"))
    before, writes = copy_of(excel.books[0]), 0

    def fails(what: str) -> None:
        nonlocal writes
        writes += what == "write"
        if what == "write" and writes == 2:
            raise ComError(-2147352567, "refused", -2146827284)

    excel.before_call = fails
    outcome = carry_out("import", job(folder, lists))
    assert outcome.exit_code is ExitCode.NOT_WRITTEN
    assert "put back" in outcome.problem
    excel.before_call = lambda _: None
    assert [s.cells for s in excel.books[0].sheets] == [s.cells for s in before.sheets]


# -- New


def test_new_makes_the_workbook_and_opens_it(tmp_path, folder) -> None:
    opened: list[Path] = []
    path = tmp_path / "100% new & = (1).xlsx"
    outcome = answer("new", job(folder, book=str(path)), show_file=opened.append)
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert opened == [path]
    assert "List 8" in ClosedWorkbook.open(path).sheet_names()
    assert message_of(outcome) == ""
    again = answer("new", job(folder, book=str(path)), show_file=opened.append)
    assert again.exit_code is ExitCode.NOT_WRITTEN
    assert "exists already" in again.problem
    assert opened == [path]


def test_a_new_workbook_that_cannot_be_opened_is_said(tmp_path, folder) -> None:
    def refused(path: Path) -> None:
        raise OSError(1155, f"no program for {path}")

    outcome = answer("new", job(folder, book=str(tmp_path / "b.xlsx")), show_file=refused)
    assert outcome.exit_code is ExitCode.OK
    assert message_of(outcome) == "b.xlsx is ready: open it in Excel."


# -- One at a time


@pytest.mark.usefixtures("excel")
def test_a_second_command_is_told_to_wait_and_the_first_goes_on(folder, tmp_path) -> None:
    with turn("book.xlsx"):
        second = answer("check", job(folder))
        assert second.exit_code is ExitCode.NOT_WRITTEN
        assert "still at work" in second.problem
        with pytest.raises(BusyWorkbookError), turn("BOOK.XLSX"):
            pass
        with turn("other.xlsx"):
            pass
    third = answer("undo", job(folder))
    assert "nothing to undo" in third.problem
    assert not list(tmp_path.rglob("*book.xlsx*"))


def test_a_command_that_was_killed_holds_nothing(tmp_path) -> None:
    code = (
        "import os, pathlib\nfrom demand_addin.live.turns import turn\n"
        f"with turn('book.xlsx', pathlib.Path({str(tmp_path)!r})):\n    os._exit(1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
    with turn("book.xlsx", tmp_path):
        pass


def test_a_profile_that_cannot_be_written_is_said(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotSavedError, match="in your profile"), turn("b", tmp_path / "file" / "x"):
        pass


# -- The message


def boxes() -> tuple[list[tuple[str, dict[str, Any]]], Callable[..., bool]]:
    shown: list[tuple[str, dict[str, Any]]] = []

    def show(text: str, **how: Any) -> bool:
        shown.append((text, how))
        return True

    return shown, show


def test_the_box_has_the_buttons_name_and_says_what_message_of_says() -> None:
    shown, show = boxes()
    well = Outcome(command="backtest", sentences=("Fine.",))
    ill = Outcome(command="run", exit_code=ExitCode.MEND, problem="Mend it.", details=("A1",))
    assert tell(well, show=show)
    assert tell(ill, show=show)
    assert not tell(Outcome(command="new"), show=show)
    assert shown == [
        ("Fine.", {"title": "csc-demand: Accuracy", "is_problem": False}),
        ("Mend it.\nA1", {"title": "csc-demand: Run", "is_problem": True}),
    ]


def test_a_box_comes_to_the_front_and_a_problem_looks_like_one() -> None:
    front = 0x10000 | 0x40000
    assert style_of(is_problem=True) == front | 0x30
    assert style_of(is_problem=False) == front | 0x40


@pytest.mark.skipif(sys.platform == "win32", reason="would wait for somebody to read it")
def test_elsewhere_there_is_no_box() -> None:
    assert show_message("x", title="y", is_problem=False) is False


def test_starting_in_the_status_bar_is_taken_off_and_the_users_own_is_given_back(
    excel, folder
) -> None:
    for before, after in (
        ("csc-demand: starting ...", False),
        ("the user's own", "the user's own"),
    ):
        excel.status_bar = before
        with status_line(job(folder).find("book.xlsx").excel) as say:
            say("Working", 0.5)
        assert excel.status_bar == after


# -- The process


def python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "demand_addin.live", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"LOCALAPPDATA": str(folder)} | variables,
    )  # fmt: skip


def test_names_come_in_the_environment_whatever_they_hold(tmp_path) -> None:
    book = tmp_path / "Büro = %TEMP% & 'x' ^ (1).xlsx"
    result = python(tmp_path, "new", "--box", CSC_DEMAND_BOOK=str(book))
    assert (result.returncode, result.stderr) == (0, "")
    assert book.is_file()
    assert entry.files_of(r"C:\a, b.csv|\\s\c = d.xlsx") == (r"C:\a, b.csv", r"\\s\c = d.xlsx")
    assert entry.files_of("") == ()


def test_a_process_without_a_console_ends_well(tmp_path) -> None:
    """Started by Excel it has no standard output: Python then has None in its place."""
    code = (
        "import runpy, sys\nsys.stdout = sys.stderr = None\n"
        "sys.argv = ['live', 'check', '--box']\n"
        "runpy.run_module('demand_addin.live', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"CSC_DEMAND_BOOK": "book.xlsx", "LOCALAPPDATA": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", "")


def test_an_installation_with_a_missing_part_says_so_instead_of_nothing(monkeypatch) -> None:
    shown, show = boxes()
    monkeypatch.setattr("demand_addin.live.box.show_message", show)
    monkeypatch.setitem(sys.modules, "demand_addin.live.answering", None)
    monkeypatch.setattr(sys, "argv", ["live", "check", "--book", "b.xlsx", "--box"])
    assert entry.main() == 70
    ((text, how),) = shown
    assert "is not whole on this computer" in text
    assert how == {"title": "csc-demand", "is_problem": True}


def test_every_button_has_a_title_and_a_busy_excel_is_said(excel, folder, monkeypatch) -> None:
    assert set(TITLES) == set(entry.COMMANDS)

    def busy(_: str) -> None:
        raise ComError(REJECTED, "rejected")

    excel.before_call = busy
    outcome = answer("check", job(folder))
    assert outcome.exit_code is ExitCode.NOT_WRITTEN
    assert "press Enter or Esc" in outcome.problem
    monkeypatch.setattr(answering, "carry_out", lambda *_: 1 / 0)
    assert answer("check", job(folder)).exit_code is ExitCode.UNEXPECTED
