"""A whole run in Excel and its undo: on the Excel in memory, and on the real one."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from demand_addin.cli import cli
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.closed_file import FileJob
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.outcome import ExitCode
from demand_addin.commands.run import run_book
from demand_addin.layout import SHEETS
from demand_addin.layout.rates import FORMULAS_OF
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.cellwork import Spot, remembered
from demand_addin.live.commands import LiveJob, carry_out
from demand_addin.live.edits import Finder
from demand_addin.live.undo import UndoFolder
from demand_addin.ports import BookPlan, RangeValues
from ports.excel_in_memory import Excel, fake_book
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.ports

NOW = datetime(2026, 4, 3, 9, 30, tzinfo=UTC)
SLOW = 60


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    lists, book = folder / "annex-a.xlsx", folder / "Demand = O'Neil.xlsx"
    lists.write_bytes(sample_workbook("small"))
    assert CliRunner().invoke(cli, ["import", str(book), str(lists)]).exit_code == 0
    closed = ClosedWorkbook.open(book)
    few = (("setting_horizon_months", 3), ("setting_draws", 100))
    closed.write(BookPlan(ranges=tuple(RangeValues(name=n, rows=((value,),)) for n, value in few)))
    book.write_bytes(closed.to_bytes())
    return book


def in_memory(path: Path, folder: Path) -> LiveWorkbook:
    (app,) = engine_for(Excel(books=[fake_book(path)])).apps
    return LiveWorkbook(app.books[0], undo=UndoFolder(folder))


@pytest.fixture(params=["live", pytest.param("excel", marks=pytest.mark.excel)])
def book(request: pytest.FixtureRequest, imported: Path, tmp_path: Path) -> LiveWorkbook:
    makers: dict[str, Callable[[], LiveWorkbook]] = {
        "live": lambda: in_memory(imported, tmp_path),
        "excel": lambda: request.getfixturevalue("open_in_excel")(imported),
    }
    return makers[request.param]()


def tables_of(book: LiveWorkbook | ClosedWorkbook) -> dict[str, object]:
    """Every table's rows; of formulas only where they stand, since only Excel calculates."""
    return {t.name: plain_rows(book, t.name) for spec in SHEETS for t in spec.tables}


def plain_rows(book: LiveWorkbook | ClosedWorkbook, name: str) -> object:
    table = book.read_table(name)
    formulas = {c for of in FORMULAS_OF.values() for c in of} if name == "rates" else set()
    kept = [i for i, column in enumerate(table.columns) if column not in formulas]
    return tuple(tuple(row[i] for i in kept) for row in table.rows)


def view_of(book: LiveWorkbook) -> tuple[object, ...]:
    app = book.excel.app
    active = book.excel.book.sheets.active.name
    return (active, app.calculation, app.screen_updating, app.enable_events, app.status_bar)


def state_of(book: LiveWorkbook) -> dict[str, object]:
    """Every cell of every sheet, formulas as such, and how far each table reaches."""
    excel = book.excel
    out: dict[str, object] = {t.name: t.block.reference for t in excel.tables().values()}
    for name in book.sheet_names():
        used = excel.used(name)
        out[f"sheet {name}"] = {
            (used.top + i, used.left + j): value
            for i, row in enumerate(remembered(excel, Spot(sheet=name, block=used)))
            for j, value in enumerate(row)
            if value is not None
        }
    return out


def test_each_undo_goes_one_button_further_back(book):
    """A run over an earlier run of another horizon, and a check: taken back one by one."""

    def press(command: str):
        outcome = carry_out(command, LiveJob(book=book.name, now=NOW, find=lambda _: book))
        assert outcome.exit_code is ExitCode.OK, outcome.problem
        return outcome

    press("run")
    at = book.read_name("setting_horizon_months")
    block = Finder(book.excel).place("setting_horizon_months").block
    book.excel.put(at.sheet, block, [[5.0]])
    after_first = state_of(book)
    press("run")
    after_second = state_of(book)
    changed = {name for name, its in after_second.items() if its != after_first[name]}
    assert {"forecast", "run_log", "sheet Forecast", "sheet Dashboard", "sheet Run log"} <= changed
    press("check")
    first = press("undo")
    assert state_of(book) == after_second
    assert first.sentences[:2] == (
        "Undone: Check (03/04/2026 09:30): what stood there before is back.",
        "2 more can be undone, next: Run (03/04/2026 09:30).",
    )
    press("undo")
    assert state_of(book) == after_first
    assert press("undo").sentences[1] == "Nothing more can be undone."
    assert carry_out(
        "undo", LiveJob(book=book.name, now=NOW, find=lambda _: book)
    ).problem.startswith("There is nothing to undo")


def test_a_run_and_its_undo(book, imported, tmp_path):
    before, view = tables_of(book), view_of(book)
    started = time.monotonic()
    outcome = carry_out("run", LiveJob(book=book.name, now=NOW, find=lambda _: book))
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert time.monotonic() - started < SLOW
    assert view_of(book) == view
    closed = tmp_path / "closed.xlsx"
    run_book(FileJob(book=imported, out=closed, now=NOW))
    assert tables_of(book) == tables_of(ClosedWorkbook.open(closed))
    assert "Look" not in [book.read_name(name).value for name in ("check_rows", "check_stops")]
    undone = carry_out("undo", LiveJob(book=book.name, now=NOW, find=lambda _: book))
    assert undone.exit_code is ExitCode.OK, undone.problem
    assert tables_of(book) == before
    assert view_of(book) == view
