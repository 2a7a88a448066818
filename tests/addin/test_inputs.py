"""All blue cells that must be changed are named in one go, whatever sheet they stand on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.ports import BookPlan, TableValues

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("inputs"), horizon_months=3)


@pytest.fixture
def book(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(imported, tmp_path / "book.xlsx"))


def put_row(book: Path, table: str, **cells: object) -> None:
    """Write one row into a table of inputs, below what stands there."""
    workbook = ClosedWorkbook.open(book)
    found = workbook.read_table(table)
    kept = tuple(row for row in found.rows if any(v is not None for v in row))
    new = tuple(cells.get(name) for name in found.columns)
    rows = TableValues(name=table, columns=found.columns, rows=(*kept, new))
    workbook.write(BookPlan(tables=(rows,)))
    book.write_bytes(workbook.to_bytes())


def spoil(book: Path) -> None:
    set_setting(book, "horizon_months", "two years")
    set_setting(book, "draws", 5)
    put_row(book, "mapping", list="List 8", heading="Legal Status", official_code="Q9")
    put_row(book, "rates", rate_id="plan_ends|all|all", override="fast")
    scenario = {"scenario": "Mine", "include": "Yes", "change": "Multiply", "flow": "referrals"}
    put_row(book, "scenarios", **scenario, **{"from": 0, "amount": "less"})


@pytest.mark.parametrize("command", ["check", "run"])
def test_every_wrong_cell_of_every_sheet_is_named_at_once(book: Path, command: str) -> None:
    spoil(book)
    before = book.read_bytes()
    result = call(command, book, *(DRAWS if command == "run" else ()))
    assert result.exit_code == 1
    assert "5 settings must be changed first; nothing was written." in result.stderr
    for place in ("Settings!B", "Mapping!E", "Rates!", "Scenarios!H"):
        assert place in result.stderr
    assert result.stderr.count("Settings!B") == 2
    assert book.read_bytes() == before


def test_scenarios_and_their_choice_are_judged_together(book: Path) -> None:
    set_setting(book, "fan_scenario", "Nobody's")
    put_row(book, "scenarios", scenario="Mine", include="Yes", change="Twice", flow="referrals")
    result = call("run", book, *DRAWS)
    assert "2 settings must be changed first" in result.stderr
    assert "scenario of the fan charts" in result.stderr
    assert "Scenarios!C" in result.stderr
