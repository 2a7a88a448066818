"""Import into the open workbook and its undo: on the Excel in memory, and on the real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli_cases import call
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.new import template_bytes
from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.layout import SHEETS
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.commands import LiveJob, carry_out
from demand_addin.live.undo import UndoFolder
from ports.excel_in_memory import Excel, fake_book
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.ports

NOW = datetime(2026, 4, 3, 9, 30, tzinfo=UTC)
PASTE = tuple(spec.name for spec in SHEETS if spec.list_number is not None)


def in_memory(path: Path, folder: Path) -> LiveWorkbook:
    (app,) = engine_for(Excel(books=[fake_book(path)])).apps
    return LiveWorkbook(app.books[0], undo=UndoFolder(folder))


@pytest.fixture(params=["live", pytest.param("excel", marks=pytest.mark.excel)])
def book(request: pytest.FixtureRequest, tmp_path: Path) -> LiveWorkbook:
    path = tmp_path / "Demand = O'Neil (1).xlsx"
    path.write_bytes(template_bytes())
    makers: dict[str, Callable[[], LiveWorkbook]] = {
        "live": lambda: in_memory(path, tmp_path / "undo"),
        "excel": lambda: request.getfixturevalue("open_in_excel")(path),
    }
    return makers[request.param]()


def lists_of(book: LiveWorkbook | ClosedWorkbook) -> dict[str, object]:
    return {name: book.read_sheet(name).cells.tolist() for name in PASTE}


def carried_out(command: str, book: LiveWorkbook, *files: Path) -> Outcome:
    return carry_out(command, LiveJob(book=book.name, now=NOW, find=lambda _: book, files=files))


def test_an_import_and_its_undo(book: LiveWorkbook, tmp_path: Path) -> None:
    before = lists_of(book)
    files, closed = tmp_path / "annex-a.xlsx", tmp_path / "closed.xlsx"
    files.write_bytes(sample_workbook("small"))
    assert call("import", closed, files).exit_code == 0
    meant = lists_of(ClosedWorkbook.open(closed))
    outcome = carried_out("import", book, files)
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert lists_of(book) == meant
    undone = carried_out("undo", book)
    assert undone.exit_code is ExitCode.OK, undone.problem
    assert lists_of(book) == before


def test_a_shorter_list_over_a_longer_one_leaves_no_tail(
    book: LiveWorkbook, tmp_path: Path
) -> None:
    longer, shorter = tmp_path / "long.csv", tmp_path / "short.csv"
    headings = "Child Unique ID,Gender,Date of Birth,Date Started to be Looked After\n"
    row = "00{},Female,01/02/2015,03/03/2024\n"
    longer.write_text(headings + "".join(row.format(n) for n in range(40)), encoding="utf-8")
    shorter.write_text(headings + row.format("=1+1"), encoding="utf-8")
    for path, rows in ((longer, 41), (shorter, 2)):
        outcome = carried_out("import", book, path)
        assert outcome.exit_code is ExitCode.OK, outcome.problem
        assert len(book.read_sheet("List 8").cells) == rows
    assert book.read_sheet("List 8").cells[1, 0] == "00=1+1"
    assert not book.is_undoable
