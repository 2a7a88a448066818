"""The live adapter, its session and its commands, on an Excel in memory.

The Excel is `ports.openpyxl_engine`: a custom xlwings engine that answers as Excel
over COM does.
"""

from __future__ import annotations

import ast
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
import xlwings
from click.testing import CliRunner

import demand_addin.live as live_package
from demand_addin.cli import cli
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.closed_file import FileJob
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.commands.run import run_book
from demand_addin.layout import SHEETS
from demand_addin.live import session
from demand_addin.live.__main__ import book_argument, guard_path
from demand_addin.live.adapter import LiveWorkbook, PartlyWrittenError
from demand_addin.live.com import ExcelBusyError, Patience, WorkbookClosedError
from demand_addin.live.commands import LiveJob, carry_out, message_of
from demand_addin.live.session import NoExcelError, attach, open_books
from demand_addin.live.undo import UndoFolder, profile_folder
from demand_addin.live.values import could_be_taken_for_more
from demand_addin.ports import BookPlan, CellValue, RangeValues, SheetRows, TableValues
from demand_addin.saving import NotSavedError
from demand_model.annex_a.raw import CellError
from demand_model.errors import InvalidInputError
from ports.excel_in_memory import (
    GONE,
    IGNORED,
    REJECTED,
    ComError,
    Excel,
    FakeBook,
    FakeSheet,
    copy_of,
    fake_book,
    refused,
)
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.unit

NOW = datetime(2026, 4, 3, 9, 30, tzinfo=UTC)
TALLIES = ("list", "found", "used", "set_aside", "reasons")


# -- The Excel of these tests


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    lists, book = folder / "annex-a.xlsx", folder / "book.xlsx"
    lists.write_bytes(sample_workbook("small"))
    result = CliRunner().invoke(cli, ["import", str(book), str(lists)], catch_exceptions=False)
    assert result.exit_code == 0
    open_book = ClosedWorkbook.open(book)
    for name, value in (("setting_horizon_months", 6), ("setting_draws", 100)):
        open_book.write(BookPlan(ranges=(RangeValues(name=name, rows=((value,),)),)))
    book.write_bytes(open_book.to_bytes())
    return book


@pytest.fixture(scope="module")
def opened(imported: Path) -> FakeBook:
    return fake_book(imported)


@pytest.fixture
def excel(opened: FakeBook) -> Excel:
    return Excel(books=[copy_of(opened)])


@pytest.fixture
def running(excel: Excel, monkeypatch: pytest.MonkeyPatch) -> Excel:
    """xlwings finds that Excel."""
    monkeypatch.setattr(xlwings.engines, "active", engine_for(excel))
    return excel


@pytest.fixture
def folder(tmp_path: Path) -> UndoFolder:
    return UndoFolder(tmp_path / "undo")


@pytest.fixture
def book(excel: Excel, folder: UndoFolder) -> LiveWorkbook:
    return adapter(excel, folder)


def adapter(excel: Excel, folder: UndoFolder) -> LiveWorkbook:
    (app,) = engine_for(excel).apps
    return LiveWorkbook(app.books[0], patience=impatient(), undo=folder)


def impatient(waited: list[float] | None = None) -> Patience:
    seconds: list[float] = [] if waited is None else waited
    return Patience("book.xlsx", waits=(1.0, 1.0, 1.0), pause=seconds.append)


def tallies(*rows: tuple[object, ...], append: bool = False) -> BookPlan:
    values = TableValues(name="row_tallies", columns=TALLIES, rows=rows, append=append)  # type: ignore[arg-type]
    return BookPlan(tables=(values,))


def many(count: int) -> BookPlan:
    return tallies(*((f"List {n}", n, n, 0, f"={n}") for n in range(count)))


def checks(excel: Excel) -> FakeSheet:
    return excel.books[0].sheet("Checks")


def contents(excel: Excel) -> list[FakeSheet]:
    """Everything in the workbook, the count of calculations and the used range aside."""
    sheets = deepcopy(excel.books[0].sheets)
    for sheet in sheets:
        sheet.calculated, sheet.used = 0, (1, 1, 1, 1)
        sheet.formats = {at: f for at, f in sheet.formats.items() if f != "General"}
    return sheets


def settings_of(excel: Excel) -> tuple[object, ...]:
    return (
        excel.screen_updating,
        excel.enable_events,
        excel.calculation,
        excel.status_bar,
        excel.selection,
        excel.books[0].active,
    )


def job(folder: UndoFolder, name: str = "book.xlsx") -> LiveJob:
    find = lambda wanted: attach(wanted, patience=impatient(), undo=folder)  # noqa: E731
    return LiveJob(book=name, now=NOW, find=find)


def fails_at(
    number: int, error: Callable[[], Exception], *, times: int = 1
) -> Callable[[str], None]:
    """The calls from `number` on fail so many times, calls that change something only."""
    seen = 0

    def before(what: str) -> None:
        nonlocal seen
        if what.split()[0] in ("write", "clear", "resize", "show"):
            seen += 1
            if number <= seen < number + times:
                raise error()

    return before


# -- Commands


MOST_CALLS = {"check": 2_000, "run": 3_600, "undo": 1_400}
"""Calls to Excel that a command may make: each takes its time over COM (decision 16)."""


def counted(excel: Excel) -> Counter[str]:
    calls: Counter[str] = Counter()
    excel.before_call = lambda what: calls.update([what])
    return calls


@pytest.fixture(scope="module")
def both_ways(imported: Path, opened: FakeBook, tmp_path_factory: pytest.TempPathFactory):
    """The same run on the closed file and in Excel."""
    folder = tmp_path_factory.mktemp("both")
    closed = folder / "closed.xlsx"
    outcome = run_book(FileJob(book=imported, out=closed, now=NOW))
    assert outcome.exit_code is ExitCode.OK
    excel, undo = Excel(books=[copy_of(opened)]), UndoFolder(folder / "undo")
    before = contents(excel)
    engine = xlwings.engines.active
    xlwings.engines.active = engine_for(excel)
    calls = counted(excel)
    try:
        live = carry_out("run", job(undo))
    finally:
        xlwings.engines.active, excel.before_call = engine, lambda _: None
    return SimpleNamespace(
        closed=ClosedWorkbook.open(closed),
        excel=excel,
        undo=undo,
        live=live,
        before=before,
        folder=folder,
        calls=calls,
        kept=UndoFolder(Path(shutil.copytree(folder / "undo", folder / "kept"))),
    )


def test_a_run_in_excel_writes_what_a_run_on_the_file_writes(both_ways):
    assert both_ways.live.exit_code is ExitCode.OK, both_ways.live.problem
    live = adapter(both_ways.excel, both_ways.undo)
    compared = 0
    for spec in SHEETS:
        for table in spec.tables:
            meant, found = both_ways.closed.read_table(table.name), live.read_table(table.name)
            assert found.addresses == meant.addresses, table.name
            if table.name != "rates":  # Excel calculates it; see the next test
                assert found.rows == meant.rows, table.name
            compared += len(meant.rows)
        for area in spec.areas:
            if live.excel.formula_cells(spec.name, live_block(live, area.name)):
                continue  # Excel calculates it; see the next test
            meant_value = both_ways.closed.read_name(area.name).value
            assert live.read_name(area.name).value == meant_value, area.name
    assert compared > 500


def live_block(live: LiveWorkbook, name: str):
    from demand_addin.live.edits import Finder

    return Finder(live.excel).place(name).block


def test_a_run_asks_excel_no_more_than_it_must(both_ways):
    assert 100 < both_ways.calls.total() <= MOST_CALLS["run"], both_ways.calls


def test_a_table_that_was_moved_renamed_or_deleted_since_it_was_read_is_looked_for_again(
    book, excel
):
    book.write(many(2))
    first = book.read_table("row_tallies")
    sheet = checks(excel)
    table = sheet.tables["row_tallies"]
    sheet.cells |= {(r + 40, c): v for (r, c), v in list(sheet.cells.items()) if r >= table.top}
    table.top, table.bottom = table.top + 40, table.bottom + 40
    moved = book.read_table("row_tallies")
    assert moved.rows == first.rows
    assert moved.addresses != first.addresses
    sheet.name = "My checks"
    assert book.read_table("row_tallies").sheet == "My checks"
    for name, text in excel.books[0].names.items():
        excel.books[0].names[name] = text.replace("=Checks!", "='My checks'!")
    assert book.read_name("master_check").sheet == "My checks"
    table.name = "mine"
    sheet.tables["mine"] = sheet.tables.pop("row_tallies")
    with pytest.raises(InvalidInputError, match=r"table row_tallies was not .* its sheet Checks,"):
        book.read_table("row_tallies")


def test_formulas_of_the_workbook_stay(both_ways):
    before = {sheet.name: sheet.formulas for sheet in both_ways.before}
    after = {sheet.name: sheet.formulas for sheet in both_ways.excel.books[0].sheets}
    rates = after.pop("Rates")
    assert before.pop("Rates").items() <= rates.items(), "the status line"
    assert before == after
    assert sum(map(len, after.values())) > 10


def test_rates_are_formulas_in_excel_as_in_the_file(both_ways):
    rates = {s.name: s for s in both_ways.excel.books[0].sheets}["Rates"]
    on_file = openpyxl.load_workbook(io.BytesIO(both_ways.closed.to_bytes()))["Rates"]
    meant = {
        (cell.row, cell.column): cell.value
        for row in on_file.iter_rows(min_row=6)
        for cell in row
        if cell.data_type == "f"
    }
    found = {at: text for at, text in rates.formulas.items() if at[0] >= 6}
    assert found == meant
    assert len(found) > 1000


def test_undo_brings_back_everything_from_another_process(both_ways, monkeypatch):
    excel = deepcopy(both_ways.excel)
    monkeypatch.setattr(xlwings.engines, "active", engine_for(excel))
    assert contents(excel) != both_ways.before
    calls = counted(excel)
    outcome = carry_out("undo", job(both_ways.undo))
    assert 100 < calls.total() <= MOST_CALLS["undo"], calls
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    cells = [(s.name, s.cells, s.formulas, s.tables) for s in contents(excel)]
    assert cells == [(s.name, s.cells, s.formulas, s.tables) for s in both_ways.before]
    again = carry_out("undo", job(both_ways.undo))
    assert again.exit_code is ExitCode.MEND
    assert "nothing to undo" in again.problem


def test_the_status_bar_says_what_is_done_and_is_given_back(both_ways):
    said = both_ways.excel.said
    assert any("Checking the lists" in line for line in said)
    assert any("Simulating" in line for line in said)
    assert all(line.startswith("csc-demand: ") for line in said)
    assert both_ways.excel.status_bar is False


def test_the_message_is_short_and_plain(both_ways):
    message = message_of(both_ways.live)
    assert len(message) <= 1_000
    assert both_ways.live.sentences[0] in message
    long = Outcome(command="run", sentences=tuple("a line that says something" for _ in range(99)))
    assert len(message_of(long)) <= 1_000
    assert message_of(long).endswith("…")
    problem = Outcome(
        command="run", problem="Mend it.", details=("List 3!A2: so",), sentences=("x",)
    )
    assert message_of(problem) == "Mend it.\nList 3!A2: so"


def test_check_and_backtest_run_on_the_open_workbook(running, folder, monkeypatch):
    from demand_addin.live import commands

    monkeypatch.setattr(commands, "DRAWS", 100)
    for command in ("check", "backtest", "levers"):
        calls = counted(running)
        outcome = carry_out(command, job(folder))
        assert outcome.exit_code is ExitCode.OK, outcome.problem
        assert calls.total() <= MOST_CALLS.get(command, MOST_CALLS["run"]), calls
    assert checks(running).tables["row_tallies"].bottom > checks(running).tables["row_tallies"].top


def test_a_workbook_without_the_sheet_of_a_back_test_is_told_before_any_work(running, folder):
    running.books[0].sheets = [s for s in running.books[0].sheets if s.name != "Accuracy"]
    outcome = carry_out("backtest", job(folder))
    assert outcome.exit_code is ExitCode.MEND
    assert "has no sheet Accuracy" in outcome.problem


def test_lists_that_must_be_mended_leave_the_results_alone(running, folder):
    sheet = running.books[0].sheet("List 8")
    sheet.cells = {at: v for at, v in sheet.cells.items() if at[0] == 1 and at[1] < 3}
    before = contents(running)
    outcome = carry_out("run", job(folder))
    assert outcome.exit_code is ExitCode.MEND
    assert "left as it was" in outcome.problem
    assert contents(running) == before


def test_settings_that_must_be_mended_are_told_with_their_cell(running, folder):
    name = running.books[0].names["setting_draws"]
    row = int(name.rpartition("$")[2])
    running.books[0].sheet("Settings").cells[row, 2] = "many"
    outcome = carry_out("run", job(folder))
    assert outcome.exit_code is ExitCode.MEND
    assert f"Settings!B{row}" in outcome.problem + "".join(outcome.details)


# -- Excel is left as the user had it


@pytest.mark.parametrize("calculation", ["automatic", "manual", "semiautomatic"])
@pytest.mark.parametrize("works", [True, False], ids=["done", "failed"])
def test_view_and_modes_are_kept(excel, folder, calculation, works):
    excel.calculation, excel.books[0].active = calculation, "List 7"
    excel.selection = ("book.xlsx", "List 7", (3, 2, 9, 4))
    excel.status_bar = "the user's own"
    before = settings_of(excel)
    book = adapter(excel, folder)
    if works:
        book.write(many(3))
    else:
        excel.before_call = fails_at(2, lambda: refused("no"))
        with pytest.raises(NotSavedError, match="put back"):
            book.write(many(3))
    assert settings_of(excel) == before
    assert (checks(excel).calculated > 0) == (works and calculation == "manual")


def test_a_sheet_that_was_switched_meanwhile_is_switched_back(excel, folder):
    excel.selection = ("book.xlsx", "Start", (3, 2, 3, 2))

    def wander(what: str) -> None:
        if what == "write":
            excel.books[0].active = "Checks"

    excel.before_call = wander
    adapter(excel, folder).write(many(2))
    assert excel.books[0].active == "Start"
    assert excel.selection == ("book.xlsx", "Start", (3, 2, 3, 2))


def test_a_picture_or_another_workbook_in_front_is_no_hindrance(excel, folder):
    excel.books.append(FakeBook(name="Other.xlsx", full_name="Other.xlsx", sheets=[], names={}))
    excel.books[1].sheets.append(FakeSheet(name="Sheet1"))
    for selected in (None, ("Other.xlsx", "Sheet1", (1, 1, 1, 1))):
        excel.selection = selected
        adapter(excel, folder).write(many(2))
        assert excel.selection == selected


# -- All of it, or nothing


def test_whatever_call_fails_everything_is_as_it_was(excel, folder):
    book = adapter(excel, folder)
    book.write(many(2))
    plan = BookPlan(
        tables=(*many(5).tables, TableValues(name="windows", columns=("list",), rows=(("x",),))),
        ranges=(RangeValues(name="dash_basis", rows=(("=a",), ("b",))),),
        sheets=(SheetRows(sheet="List 3", rows=(("A", "=1+1"), (1, None))),),
    )
    before, failures = contents(excel), 0
    for number in range(1, 60):
        excel.before_call = fails_at(number, lambda: refused("refused"))
        try:
            book.write(plan)
        except NotSavedError:
            failures += 1
        else:
            break
        finally:
            excel.before_call = lambda _: None
        assert contents(excel) == before, number
        assert settings_of(excel)[:3] == (True, True, "automatic")
    assert failures > 8
    assert contents(excel) != before


def test_a_write_that_failed_leaves_the_earlier_undo(excel, folder):
    book = adapter(excel, folder)
    first = contents(excel)
    book.write(many(2))
    excel.before_call = fails_at(2, lambda: refused("refused"))
    with pytest.raises(NotSavedError):
        book.write(many(6))
    excel.before_call = lambda _: None
    assert adapter(excel, folder).undo_last_write()
    assert [s.cells for s in contents(excel)] == [s.cells for s in first]


def test_excel_that_stops_answering_in_mid_write_can_be_undone_later(excel, folder):
    before = contents(excel)
    excel.before_call = fails_at(5, lambda: ComError(REJECTED, "rejected"), times=10_000)
    other = TableValues(name="windows", columns=("list",), rows=(("x",), ("y",)))
    with pytest.raises(PartlyWrittenError, match="Choose Undo last run"):
        adapter(excel, folder).write(BookPlan(tables=(*many(5).tables, other)))
    excel.before_call = lambda _: None
    assert [s.cells for s in contents(excel)] != [s.cells for s in before]
    assert adapter(excel, folder).undo_last_write()
    assert [s.cells for s in contents(excel)] == [s.cells for s in before]


def test_a_list_that_was_written_in_part_is_not_said_to_be_undoable(excel, folder):
    excel.before_call = fails_at(5, lambda: ComError(REJECTED, "rejected"), times=10_000)
    rows = SheetRows(sheet="List 3", rows=(("ID",), ("x",)))
    with pytest.raises(PartlyWrittenError, match="To mend it, close it without saving") as found:
        adapter(excel, folder).write(BookPlan(tables=many(5).tables, sheets=(rows,)))
    assert "Undo" not in str(found.value)


def test_a_profile_that_cannot_be_written_stops_before_anything_is(excel, tmp_path):
    (tmp_path / "file").write_text("in the way")
    before = contents(excel)
    with pytest.raises(NotSavedError, match="could not be kept for Undo"):
        adapter(excel, UndoFolder(tmp_path / "file")).write(many(2))
    assert contents(excel) == before


# -- Undo


def test_undo_does_not_overwrite_what_was_changed_since(book, excel):
    book.write(many(3))
    table = checks(excel).tables["row_tallies"]
    checks(excel).cells[table.top + 2, 2] = 99.0
    with pytest.raises(InvalidInputError, match=rf"Checks!B{table.top + 2} was changed"):
        book.undo_last_write()
    assert checks(excel).cells[table.top + 2, 2] == 99.0


def test_undo_follows_a_table_that_was_moved(book, excel):
    book.write(many(2))
    sheet = checks(excel)
    table = sheet.tables["row_tallies"]
    block = {at: v for at, v in sheet.cells.items() if table.top <= at[0] <= table.bottom}
    for at in block:
        del sheet.cells[at]
    sheet.cells |= {(row + 40, column + 20): v for (row, column), v in block.items()}
    table.top, table.bottom = table.top + 40, table.bottom + 40
    table.left, table.right = table.left + 20, table.right + 20
    assert book.undo_last_write()
    assert book.read_table("row_tallies").rows == ((None,) * 5,)


def test_undo_brings_back_a_users_formula(book, excel):
    table = checks(excel).tables["row_tallies"]
    at = (table.top + 1, 2)
    checks(excel).formulas[at], checks(excel).cells[at] = "=SUM(A1:A3)", 6.0
    book.write(many(2))
    assert at not in checks(excel).formulas
    assert book.undo_last_write()
    assert checks(excel).formulas[at] == "=SUM(A1:A3)"


def test_rows_about_children_go_to_no_file(excel, tmp_path):
    folder = UndoFolder(tmp_path / "undo")
    book = adapter(excel, folder)
    book.write(many(2))
    before = contents(excel)
    canary = "CHILD-CANARY"

    def written() -> str:
        return "".join(p.read_text() for p in (tmp_path / "undo").iterdir())

    def kept() -> int:
        return len(list((tmp_path / "undo").iterdir()))

    book.write(BookPlan(sheets=(SheetRows(sheet="List 3", rows=(("ID",), (canary,))),)))
    assert kept() == 2
    assert canary not in written()
    assert not book.is_undoable
    assert book.undo_last_write()  # in this process only
    assert [s.cells for s in contents(excel)] == [s.cells for s in before]
    assert kept() == 1
    book.write(many(3))
    assert canary not in written()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps rights otherwise")
def test_a_record_is_readable_by_its_user_only(book, tmp_path):
    book.write(many(2))
    (file,) = (tmp_path / "undo").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_each_undo_goes_one_write_further_back(excel, folder):
    states = []
    for count in (2, 4, 3):
        states.append(contents(excel))
        adapter(excel, folder).write(many(count), label=f"Write {count}")
    said = []
    while (undone := adapter(excel, folder).undo_last_write()) is not None:
        said.append((undone.label, undone.left))
        assert [(s.cells, s.tables) for s in contents(excel)] == [
            (s.cells, s.tables) for s in states.pop()
        ]
    assert said == [
        ("Write 3", ("Write 4", "Write 2")),
        ("Write 4", ("Write 2",)),
        ("Write 2", ()),
    ]


def test_of_one_workbook_the_last_five_writes_are_kept(excel, tmp_path):
    folder = UndoFolder(tmp_path / "undo")
    for count in range(1, 9):
        adapter(excel, folder).write(many(1 + count % 3), label=str(count))
    assert len(list((tmp_path / "undo").iterdir())) == 5
    assert folder.labels(excel.books[0].full_name) == ("8", "7", "6", "5", "4")


def test_a_write_that_failed_costs_no_earlier_undo(excel, folder):
    for count in range(1, 6):
        adapter(excel, folder).write(many(1 + count % 3), label=str(count))
    excel.before_call = fails_at(2, lambda: refused("refused"))
    with pytest.raises(NotSavedError):
        adapter(excel, folder).write(many(6), label="6")
    excel.before_call = lambda _: None
    assert folder.labels(excel.books[0].full_name) == ("5", "4", "3", "2", "1")


def test_a_record_that_a_virus_scanner_holds_stops_no_write(excel, folder, monkeypatch):
    def held(path: Path, *, missing_ok: bool = False) -> None:
        if path.suffix == ".json":
            raise PermissionError(13, "in use")
        unlink(path, missing_ok=missing_ok)

    unlink = Path.unlink
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", held)
        for count in range(1, 8):
            adapter(excel, folder).write(many(1 + count % 3), label=str(count))
    assert len(folder.labels(excel.books[0].full_name)) == 7
    adapter(excel, folder).write(many(5), label="8")
    assert folder.labels(excel.books[0].full_name) == ("8", "7", "6", "5", "4")


def test_a_record_of_the_first_version_goes(excel, folder, tmp_path):
    adapter(excel, folder).write(many(1), label="1")
    (record,) = (tmp_path / "undo").iterdir()
    former = record.with_name(f"{record.stem.partition('-')[0]}.json")
    former.write_text('{"version": 1}')
    adapter(excel, folder).write(many(2), label="2")
    assert not former.exists()
    assert folder.labels(excel.books[0].full_name) == ("2", "1")


def test_what_was_closed_without_saving_is_not_said_to_be_undone(excel, folder):
    before = contents(excel)
    adapter(excel, folder).write(many(2), label="Saved")
    saved = copy_of(excel.books[0])
    adapter(excel, folder).write(many(5), label="Not saved")
    excel.books[0] = saved  # opened again
    undone = adapter(excel, folder).undo_last_write()
    assert (undone.label, undone.left) == ("Saved", ())
    assert [s.cells for s in contents(excel)] == [s.cells for s in before]


def test_an_import_that_was_closed_without_saving_is_nothing_to_undo(excel, folder):
    sheet = excel.books[0].sheet("List 3")
    sheet.cells = {}  # as in a new workbook
    saved = copy_of(excel.books[0])
    rows = SheetRows(sheet="List 3", rows=(("ID",), ("x",)))
    adapter(excel, folder).write(BookPlan(sheets=(rows,)), label="Import lists")
    excel.books[0] = saved
    assert folder.labels(saved.full_name) == ("Import lists",)
    assert adapter(excel, folder).undo_last_write() is None
    assert folder.labels(saved.full_name) == ()


def test_what_lies_below_a_replaced_list_is_out_of_reach_and_said(excel, folder):
    adapter(excel, folder).write(many(2), label="Check")
    rows = SheetRows(sheet="List 3", rows=(("ID",), ("x",)))
    adapter(excel, folder).write(BookPlan(sheets=(rows,)), label="Import lists")
    before = contents(excel)
    with pytest.raises(InvalidInputError, match="Import lists replaced rows of a list, and no"):
        adapter(excel, folder).undo_last_write()
    assert contents(excel) == before
    adapter(excel, folder).write(many(3), label="Run")
    undone = adapter(excel, folder).undo_last_write()
    assert (undone.label, undone.left) == ("Run", ())


def test_an_import_over_a_list_that_failed_leaves_the_earlier_undo(excel, folder):
    adapter(excel, folder).write(many(2), label="Check")
    excel.before_call = fails_at(1, lambda: refused("refused"))
    rows = SheetRows(sheet="List 3", rows=(("ID",), ("x",)))
    with pytest.raises(NotSavedError, match="everything was put back"):
        adapter(excel, folder).write(BookPlan(sheets=(rows,)))
    excel.before_call = lambda _: None
    assert adapter(excel, folder).undo_last_write().label == "Check"


def test_an_undo_that_excel_refused_is_said_and_can_be_finished(excel, folder):
    before = contents(excel)
    other = TableValues(name="windows", columns=("list",), rows=(("x",), ("y",)))
    adapter(excel, folder).write(BookPlan(tables=(*many(5).tables, other)))
    excel.before_call = fails_at(2, lambda: refused("refused"))
    with pytest.raises(NotSavedError, match="choose Undo last run again"):
        adapter(excel, folder).undo_last_write()
    excel.before_call = lambda _: None
    assert adapter(excel, folder).undo_last_write()
    assert [s.cells for s in contents(excel)] == [s.cells for s in before]


def test_after_save_as_the_message_names_that_as_a_reason(running, folder):
    assert carry_out("check", job(folder)).exit_code is ExitCode.OK
    excel_book = running.books[0]
    former, excel_book.full_name = excel_book.full_name, r"C:\elsewhere\book.xlsx"
    outcome = carry_out("undo", job(folder))
    assert outcome.exit_code is ExitCode.MEND
    assert "renamed, moved or saved under another name since" in outcome.problem
    assert "nothing was written in it" in outcome.problem
    excel_book.full_name = former
    undone = carry_out("undo", job(folder))
    assert undone.sentences[:2] == (
        "Undone: Check (03/04/2026 09:30): what stood there before is back.",
        "Nothing more can be undone.",
    )


# -- What was typed between a write and its undo


def mapping_of(*rows: tuple[CellValue, ...]) -> BookPlan:
    columns = ("list", "heading", "raw_value", "count", "official_code")
    return BookPlan(tables=(TableValues(name="mapping", columns=columns, rows=rows),))


SPELLINGS = (("List 8", "Gender", "Boy", 5, None), ("List 8", "Gender", "Girl", 7, None))


def test_a_mapping_typed_since_stays_when_its_row_does(book, excel):
    book.write(mapping_of(*SPELLINGS))
    book.write(mapping_of(*((*row[:3], 9, None) for row in SPELLINGS)))
    sheet = excel.books[0].sheet("Mapping")
    row = sheet.tables["mapping"].top + 2
    sheet.cells[row, 5] = "02"
    assert book.undo_last_write()
    assert book.read_table("mapping").rows == (SPELLINGS[0], (*SPELLINGS[1][:4], "02"))
    with pytest.raises(InvalidInputError, match=rf"Mapping!E{row} .*take away the row"):
        book.undo_last_write()
    assert sheet.cells[row, 5] == "02"


def test_a_mapping_typed_since_is_not_given_to_another_spelling(book, excel):
    book.write(mapping_of(*SPELLINGS))
    book.write(mapping_of(*reversed(SPELLINGS)))
    sheet = excel.books[0].sheet("Mapping")
    row = sheet.tables["mapping"].top + 1
    sheet.cells[row, 5] = "02"
    with pytest.raises(InvalidInputError, match=rf"Mapping!E{row} was changed"):
        book.undo_last_write()


def test_an_override_typed_since_stays_and_the_rest_is_undone(both_ways, monkeypatch):
    excel = deepcopy(both_ways.excel)
    monkeypatch.setattr(xlwings.engines, "active", engine_for(excel))
    undo = UndoFolder(both_ways.folder / "override")
    live = adapter(excel, undo)
    first = live.read_table("rates")
    place = {name: i for i, name in enumerate(first.columns)}
    changed = tuple(
        tuple(2.5 if i == place["occurrences"] else None if i == place["override"] else v
              for i, v in enumerate(row)) for row in first.rows
    )  # fmt: skip
    live.write(BookPlan(tables=(TableValues(name="rates", columns=first.columns, rows=changed),)))
    cell = first.addresses[7][place["override"]]
    at = (int(cell.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), 1 + place["override"])
    excel.books[0].sheet("Rates").cells[at] = 0.125
    assert adapter(excel, undo).undo_last_write()
    after = live.read_table("rates")
    assert after.rows[7][place["override"]] == 0.125
    occurrences = [row[place["occurrences"]] for row in after.rows]
    assert occurrences == [row[place["occurrences"]] for row in first.rows]
    assert set(excel.books[0].sheet("Rates").formulas.items()) == set(
        both_ways.excel.books[0].sheet("Rates").formulas.items()
    )


def test_a_formula_overwritten_since_is_not_brought_back_over_it(both_ways):
    excel = deepcopy(both_ways.excel)
    sheet = excel.books[0].sheet("Rates")
    at = min(at for at in sheet.formulas if at[0] > sheet.tables["rates"].top)
    del sheet.formulas[at]
    sheet.cells[at] = 0.5
    with pytest.raises(InvalidInputError, match=r"Rates!\S+ was changed"):
        adapter(excel, both_ways.kept).undo_last_write()
    assert sheet.cells[at] == 0.5


def test_records_are_few_and_a_damaged_one_is_none(excel, tmp_path, monkeypatch):
    monkeypatch.setattr("demand_addin.live.undo.KEPT", 2)
    folder = UndoFolder(tmp_path / "undo")
    for number in range(4):
        excel.books[0].full_name = f"C:\\Work\\book {number}.xlsx"
        adapter(excel, folder).write(many(2))
    files = list((tmp_path / "undo").iterdir())
    assert len(files) == 2
    monkeypatch.setattr("demand_addin.live.undo.KEPT_BYTES", 100)
    adapter(excel, folder).write(many(2))
    (kept,) = (tmp_path / "undo").iterdir()
    for file in (kept,):
        file.write_text("{not json")
    assert not adapter(excel, folder).undo_last_write()


def test_the_profile_folder_is_the_users_own(monkeypatch):
    monkeypatch.setenv("LOCALAPPDATA", "/somewhere")
    assert profile_folder() == Path("/somewhere/csc-demand")


# -- Values


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+44 20", "-3", "@cmd", "'quoted", "0012", "1/2", "Mar 2026", "TRUE", "#N/A", "10%",
     "1E5", "£5", "a", "12:30", "\tx"],
)  # fmt: skip
def test_text_stays_text(book, text):
    assert could_be_taken_for_more(text)
    book.write(tallies(("List 3", 1, 1, 0, text)))
    assert book.read_table("row_tallies").rows[0][4] == text


def test_cells_take_the_format_that_their_value_needs(book, excel):
    table = checks(excel).tables["row_tallies"]
    row = table.top + 1
    for column, number_format in enumerate(("General", "@", "dd/mm/yyyy", "General", "@"), start=1):
        checks(excel).formats[row, column] = number_format
    moment = datetime(2026, 3, 31)  # noqa: DTZ001
    values = ("List 3", 10, 8, moment, CellError("#N/A"))
    book.write(tallies(values))
    assert book.read_table("row_tallies").rows == (values,)
    assert book.undo_last_write()


class Stubborn(dict):
    """Cells of which one takes nothing."""

    def __init__(self, cells, at):
        super().__init__(cells)
        self.at = at

    def __setitem__(self, at, value):
        if at != self.at:
            super().__setitem__(at, value)


def test_a_cell_that_does_not_keep_its_value_stops_and_all_is_put_back(book, excel):
    sheet = checks(excel)
    row = sheet.tables["row_tallies"].top + 2
    before = dict(sheet.cells)
    sheet.cells = Stubborn(sheet.cells, (row, 3))
    with pytest.raises(InvalidInputError, match=rf"did not keep what was written to Checks!C{row}"):
        book.write(many(3))
    assert dict(sheet.cells) == before


def test_new_rows_of_a_table_are_dressed_as_its_last(book, excel):
    sheet = checks(excel)
    row = sheet.tables["row_tallies"].bottom
    sheet.formats |= {(row, 2): "#,##0", (row, 5): "0.00", (row + 1, 9): "mine"}
    book.write(tallies(("List 3", 1, 1, 0, "a"), ("List 7", 2, 2, 0, "b")))
    assert (sheet.formats[row + 1, 2], sheet.formats[row + 1, 5]) == ("#,##0", "0.00")
    assert sheet.formats[row + 1, 9] == "mine"


def test_a_text_too_long_for_a_block_is_written_by_itself(book):
    long = "word " * 3_000
    book.write(tallies(("List 3", 1, 1, 0, long), ("List 7", 1, 1, 0, "short")))
    assert [row[4] for row in book.read_table("row_tallies").rows] == [long, "short"]


def test_a_number_that_is_not_finite_is_refused_before_anything_is_written(book, excel):
    before = contents(excel)
    with pytest.raises(ValueError, match="not finite"):
        book.write(tallies(("List 3", float("nan"), 1, 0, "")))
    assert contents(excel) == before


# -- What the user has beside ours


def test_columns_beside_a_table_stay(book, excel):
    table = checks(excel).tables["row_tallies"]
    mine = {(table.top + 1, 12): "my note", (table.top + 2, 12): 5.0}
    checks(excel).cells |= mine
    book.write(many(2))
    book.write(many(1))
    assert {at: checks(excel).cells[at] for at in mine} == mine


@pytest.mark.parametrize("kind", ["value", "formula", "table"])
def test_what_is_below_a_table_is_in_the_way_in_the_words_of_the_file(book, excel, kind):
    sheet = checks(excel)
    table = sheet.tables["findings"]
    row = table.bottom + 2
    if kind == "value":
        sheet.cells[row, 3] = "my note"
    elif kind == "formula":
        sheet.formulas[row, 3] = '=""'
    else:
        sheet.tables["mine"] = deepcopy(table)
        sheet.tables["mine"].name = "mine"
        sheet.tables["mine"].top, sheet.tables["mine"].bottom = row, row + 3
        sheet.tables["mine"].left, sheet.tables["mine"].right = 3, 3
    before = contents(excel)
    columns = book.read_table("findings").columns
    plan = BookPlan(
        tables=(TableValues(name="findings", columns=columns, rows=(("x",) * len(columns),) * 5),)
    )
    with pytest.raises(InvalidInputError, match=rf"Checks!C{row}\S* is in the way of table find"):
        book.write(plan)
    assert contents(excel) == before


def test_an_array_formula_over_our_cells_is_said(book, excel):
    table = checks(excel).tables["row_tallies"]
    checks(excel).arrays[table.top + 1, 3] = (table.top + 1, 3, table.top + 1, 4)
    checks(excel).formulas[table.top + 1, 3] = "=F1:G1"
    with pytest.raises(InvalidInputError, match="a formula over Checks!C"):
        book.write(many(1))


def test_a_filter_on_old_results_is_cleared(book, excel):
    book.write(many(4))
    table = checks(excel).tables["row_tallies"]
    table.is_filtered, checks(excel).hidden_rows = True, {table.top + 2}
    book.write(many(4))
    assert not table.is_filtered
    assert checks(excel).hidden_rows == set()


def test_a_total_row_is_said(book, excel):
    checks(excel).tables["row_tallies"].has_totals = True
    with pytest.raises(InvalidInputError, match="has a total row"):
        book.write(many(1))


def test_a_renamed_output_sheet_is_found_by_its_tables(book, excel):
    checks(excel).name = "My checks"
    for name, text in excel.books[0].names.items():
        excel.books[0].names[name] = text.replace("=Checks!", "='My checks'!")
    book.write(many(2))
    assert book.read_table("row_tallies").sheet == "My checks"


def test_a_deleted_output_sheet_is_said_and_nothing_is_written(running, folder):
    running.books[0].sheets = [s for s in running.books[0].sheets if s.name != "Forecast"]
    before = contents(running)
    outcome = carry_out("run", job(folder))
    assert outcome.exit_code is ExitCode.MEND
    assert "has no sheet Forecast: it was deleted" in outcome.problem
    assert contents(running) == before


def test_named_cells_that_became_too_small_are_said(book, excel):
    name = excel.books[0].names["dash_basis"]
    excel.books[0].names["dash_basis"] = name.partition(":")[0]
    with pytest.raises(InvalidInputError, match="too small"):
        book.write(BookPlan(ranges=(RangeValues(name="dash_basis", rows=(("a",), ("b",))),)))


def test_a_sheet_that_somebody_made_a_table_of_is_not_pasted_over(book, excel):
    mine = deepcopy(checks(excel).tables["windows"])
    mine.name = "mine"
    excel.books[0].sheet("List 3").tables["mine"] = mine
    with pytest.raises(InvalidInputError, match="Convert it to a range"):
        book.write(BookPlan(sheets=(SheetRows(sheet="List 3", rows=(("A",),)),)))


# -- Protection


def test_sheets_without_a_password_are_protected_again_as_they_were(book, excel):
    assert checks(excel).is_protected
    checks(excel).allowances = {"AllowSorting": True, "AllowFiltering": True}
    book.write(many(3))
    assert checks(excel).is_protected
    kept = {name for name, value in checks(excel).allowances.items() if value}
    assert kept == {"AllowSorting", "AllowFiltering"}


@pytest.mark.parametrize("plan", [many(3), BookPlan(tables=many(3).tables, ranges=())])
def test_a_sheet_with_a_password_is_said_and_nothing_is_written(book, excel, plan):
    checks(excel).password = "their own"  # noqa: S105
    before = contents(excel)
    with pytest.raises(InvalidInputError, match="sheet Checks is protected with a password"):
        book.write(plan)
    assert contents(excel) == before
    assert checks(excel).is_protected


def test_a_read_only_workbook_is_said(book, excel):
    excel.books[0].is_read_only = True
    before = contents(excel)
    with pytest.raises(InvalidInputError, match="opened for reading only"):
        book.write(many(1))
    assert contents(excel) == before


# -- A busy Excel


@pytest.mark.parametrize(
    "error",
    [
        lambda: ComError(REJECTED, "Call was rejected by callee."),
        lambda: ComError(IGNORED, "busy"),
        lambda: ComError(-2147352567, "Exception occurred.", IGNORED),
        lambda: type("ExcelBusyError", (Exception,), {})(),
    ],
    ids=["rejected", "ignored", "inside", "xlwings"],
)
def test_a_cell_being_edited_is_waited_for_and_then_said(excel, folder, error):
    waited: list[float] = []
    (app,) = engine_for(excel).apps
    book = LiveWorkbook(app.books[0], patience=impatient(waited), undo=folder)
    before = contents(excel)
    excel.before_call = fails_at(1, error, times=3)
    book.write(many(2))
    assert waited == [1.0] * 3
    assert book.undo_last_write()

    def always(_: str) -> None:
        raise error()

    excel.before_call = always
    with pytest.raises(ExcelBusyError, match="press Enter or Esc"):
        book.write(many(2))
    excel.before_call = lambda _: None
    assert [s.cells for s in contents(excel)] == [s.cells for s in before]


def test_a_busy_excel_does_not_lose_the_run_to_its_status_bar(running, folder):
    def no_status(what: str) -> None:
        if what == "set status_bar":
            raise ComError(REJECTED, "rejected")

    running.before_call = no_status
    assert carry_out("check", job(folder)).exit_code is ExitCode.OK


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (REJECTED, ExitCode.NOT_WRITTEN, ("press Enter or Esc", "Choose Undo last run")),
        (GONE, ExitCode.MEND, ("was closed in Excel meanwhile", "Choose Undo last run")),
    ],
    ids=["busy", "closed"],
)
def test_whenever_excel_stops_answering_the_outcome_is_plain(running, folder, number, code, words):
    seen, from_call = 0, 10**9

    def before(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen >= from_call:
            raise ComError(number, "no answer")

    running.before_call = before
    assert carry_out("check", job(folder)).exit_code is ExitCode.OK
    total = seen
    # The last calls give Excel back as it was: what they cannot do is a note, no failure.
    for share in (0, 0.003, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        seen, from_call = 0, 1 + round(share * total)
        outcome = carry_out("check", job(folder))
        assert outcome.exit_code in (code, ExitCode.NOT_WRITTEN), (share, outcome.problem)
        assert any(word in outcome.problem for word in words), (share, outcome.problem)


def test_a_workbook_closed_meanwhile_is_said(excel, folder):
    book = adapter(excel, folder)

    def gone(_: str) -> None:
        raise ComError(GONE, "The object invoked has disconnected from its clients.")

    excel.before_call = gone
    for call in (lambda: book.read_sheet("List 3"), lambda: book.write(many(1))):
        with pytest.raises(WorkbookClosedError, match="was closed in Excel meanwhile"):
            call()


def test_modes_that_cannot_be_put_back_are_told_and_the_results_stand(excel, folder):
    def stuck(what: str) -> None:
        if what == "set calculation" and excel.calculation == "manual":
            raise ComError(REJECTED, "rejected")

    excel.before_call = stuck
    book = adapter(excel, folder)
    book.write(many(2))
    assert any("calculation could not be set back" in note for note in book.notes)
    assert excel.screen_updating
    assert len(book.read_table("row_tallies").rows) == 2


# -- Finding the workbook

NAMES = (
    r"C:\Work\O'Neil & Sons\Demand = 2026 (v2).xlsx",
    r"\\server\share\Büro\Ælf%20.xlsx",
    "https://council.sharepoint.com/sites/CSC/Shared%20Documents/Demand%20model.xlsx",
    "https://d.docs.live.net/0123456789abcdef/Demand = 'model'.xlsx",
)


@pytest.mark.parametrize("full_name", NAMES)
def test_a_workbook_of_any_name_is_found_by_it(running, folder, full_name):
    running.books[0].full_name = full_name
    running.books[0].name = session._bare(full_name)  # noqa: SLF001
    for wanted in (full_name, full_name.upper(), running.books[0].name):
        outcome = carry_out("check", job(folder, wanted))
        assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert book_argument(["run", "--book", full_name]) == full_name
    assert book_argument([f"--book={full_name}", "run"]) == full_name


def test_the_right_one_of_several_excels_is_found(opened, folder, monkeypatch):
    one, two = Excel(books=[copy_of(opened)]), Excel(books=[copy_of(opened)], process=12)
    one.books[0].full_name, two.books[0].full_name = r"C:\a\book.xlsx", r"C:\b\book.xlsx"
    monkeypatch.setattr(xlwings.engines, "active", engine_for(one, two))
    attach(r"C:\b\book.xlsx", undo=folder).write(many(3))
    assert checks(two).tables["row_tallies"].bottom > checks(one).tables["row_tallies"].bottom
    assert [(b.process, b.full_name, b.is_ours) for b in open_books()] == [
        (4711, r"C:\a\book.xlsx", True),
        (12, r"C:\b\book.xlsx", True),
    ]
    with pytest.raises(InvalidInputError, match="open 2 times"):
        attach("book.xlsx")


def test_what_is_not_open_is_said_with_what_is(running):
    with pytest.raises(InvalidInputError, match=r"other.xlsx is not open.*Open there: book.xlsx"):
        attach(r"C:\Work\other.xlsx")
    running.books.clear()
    with pytest.raises(InvalidInputError, match="No workbook is open there"):
        attach("other.xlsx")


def test_a_workbook_of_somebody_elses_is_refused(running):
    running.books[0].sheets = [FakeSheet(name="Sheet1")]
    with pytest.raises(InvalidInputError, match="not a csc-demand workbook"):
        attach("book.xlsx")


def test_protected_view_is_said(running):
    running.books.clear()
    running.protected_views = [(r"C:\Users\a\Downloads", "book.xlsx")]
    for wanted in ("book.xlsx", r"C:\Users\a\Downloads\book.xlsx"):
        with pytest.raises(InvalidInputError, match="press Enable Editing"):
            attach(wanted)


def test_without_excel_there_is_one_clear_sentence(monkeypatch, folder):
    monkeypatch.setattr(xlwings.engines, "active", None)
    with pytest.raises(NoExcelError, match="use csc-demand run BOOK"):
        attach("book.xlsx")
    outcome = carry_out("run", job(folder))
    assert outcome.exit_code is ExitCode.MEND
    assert "is not on this computer" in outcome.problem


# -- What a stranger's workbook may not do


def test_settings_in_the_workbook_are_never_read(running, folder, monkeypatch):
    conf = FakeSheet(name="xlwings.conf", used=(1, 1, 2, 2))
    conf.cells = {(1, 1): "INTERPRETER_WIN", (1, 2): r"C:\evil\python.exe",
                  (2, 1): "PYTHONPATH", (2, 2): r"C:\evil"}  # fmt: skip
    running.books[0].sheets.append(conf)
    running.books[0].full_name = "https://council.sharepoint.com/book.xlsx"

    def never(*_: object) -> None:
        raise AssertionError("xlwings read the settings of a workbook")

    monkeypatch.setattr(xlwings.utils, "read_config_sheet", never)
    monkeypatch.setattr(xlwings.utils, "read_user_config", never)
    monkeypatch.setattr(xlwings.Book, "caller", never)
    path = list(sys.path)
    outcome = carry_out("check", job(folder))
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert "Sheet xlwings.conf was not read: a workbook may not choose what runs." in (
        outcome.sentences
    )
    assert sys.path == path


def test_xlwings_is_told_not_to_wait_for_ever_and_not_to_kill(monkeypatch):
    taken_off = []
    windows = SimpleNamespace(N_COM_ATTEMPTS=0, cleanup=lambda: None)
    monkeypatch.setitem(sys.modules, "xlwings._xlwindows", windows)
    monkeypatch.setattr(session.atexit, "unregister", taken_off.append)
    monkeypatch.setattr(xlwings.engines, "active", engine_for(Excel()))
    assert open_books() == ()
    assert windows.N_COM_ATTEMPTS == 1
    assert taken_off == [windows.cleanup]


def entry(folder: Path, *arguments: str, safe: bool) -> subprocess.CompletedProcess[str]:
    flags = ["-P"] if safe else []
    command = [sys.executable, *flags, "-m", "demand_addin.live", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("safe", [True, False], ids=["-P", "plain"])
def test_a_stranger_beside_the_workbook_is_not_imported(tmp_path, safe):
    names = ["demand_model", "numpy", "pandas", "xlwings", "openpyxl", "argparse", "click"]
    if safe:
        names += ["demand_addin"]
    for name in names:
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\nraise SystemExit(99)\n")
    book = tmp_path / "Demand = O'Neil.xlsx"
    result = entry(tmp_path, "run", "--book", str(book), safe=safe)
    assert not (tmp_path / "ran").exists(), result.stderr
    assert result.returncode == 1, result.stderr
    assert result.stdout.splitlines() == [
        "Excel for Windows is not on this computer; with the workbook closed, use csc-demand run "
        "BOOK."
    ]


def test_the_name_may_come_in_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CSC_DEMAND_BOOK", "https://x/%TEMP%/Büro = 'a' & b.xlsx")
    assert book_argument(["run"]) == "https://x/%TEMP%/Büro = 'a' & b.xlsx"
    assert entry(tmp_path, "run", safe=True).returncode == 1
    monkeypatch.delenv("CSC_DEMAND_BOOK")
    assert entry(tmp_path, "run", safe=True).returncode == 2


def test_the_entry_answers_machines_too(tmp_path):
    result = entry(tmp_path, "check", "--book", "https://x/y.xlsx", "--json", safe=True)
    assert json.loads(result.stdout)["ok"] is False


def test_the_workbooks_folder_is_taken_off_the_path(tmp_path):
    beside, product = tmp_path / "beside", tmp_path / "product"
    path = ["", str(beside), str(product), "/usr/lib/python3"]
    kept = guard_path(path, folders=(str(beside), "."), product=str(product))
    assert kept == [str(product), "/usr/lib/python3"]
    assert guard_path([str(product)], folders=(str(product),), product=str(product)) == [
        str(product)
    ]


def test_xlwings_is_imported_in_one_file_and_never_by_the_closed_commands():
    root = Path(live_package.__file__).parents[1]
    importing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _imports_xlwings(node)
    }
    typed_only = {"live/adapter.py", "live/excel.py"}
    assert importing - typed_only == {"live/session.py"}
    code = (
        "import sys, demand_addin.cli, demand_addin.commands.run, demand_addin.commands.check, "
        "demand_addin.commands.backtest, demand_addin.closed, demand_addin.live.adapter; "
        "sys.exit('xlwings' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _imports_xlwings(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] == "xlwings" for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xlwings")
