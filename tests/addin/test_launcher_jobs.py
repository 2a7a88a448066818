"""What only the launcher asks: open workbooks, scenarios side by side, the version before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import xlwings

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.commands.outcome import ExitCode
from demand_addin.launcher import jobs
from demand_addin.launcher.compare import comparison_from
from demand_addin.ports import TableRead
from demand_addin.saving import backups, fingerprint, save
from demand_model.errors import DemandError, InvalidInputError
from ports.excel_in_memory import Excel, FakeBook, fake_book
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.unit

NOW = datetime(2026, 4, 3, 9, 30, tzinfo=UTC)
FULL_NAME = r"C:\care\book.xlsx"
COLUMNS = ("month_end", "measure", "segment", "scenario", "mean", "p10", "p90")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = imported_sample(tmp_path_factory.mktemp("ran"), horizon_months=14)
    assert call("run", book, *DRAWS).exit_code == 0
    return book


@pytest.fixture(scope="module")
def opened(ran: Path) -> FakeBook:
    return fake_book(ran, FULL_NAME)


@pytest.fixture
def excel(opened: FakeBook) -> Iterator[Excel]:
    """An Excel in which the workbook is open; these tests only read it."""
    active, excel = xlwings.engines.active, Excel(books=[opened])
    xlwings.engines.active = engine_for(excel)
    yield excel
    xlwings.engines.active = active


def forecast_rows(*rows: tuple[object, ...]) -> TableRead:
    return TableRead(
        name="forecast",
        sheet="Forecast",
        columns=COLUMNS,
        rows=rows,  # type: ignore[arg-type]
        addresses=tuple(("A1",) * len(COLUMNS) for _ in rows),
    )


# -- Open workbooks


def test_open_workbooks_are_listed(excel):
    record = jobs.list_books().to_json()
    assert record["has_excel"] is True
    assert record["books"] == [{"name": "book.xlsx", "full_name": FULL_NAME, "is_ours": True}]
    assert excel.said == []


def test_no_excel_is_an_answer_and_no_error(monkeypatch):
    monkeypatch.setattr(xlwings.engines, "active", None)
    outcome = jobs.list_books()
    assert outcome.exit_code is ExitCode.OK
    assert outcome.record == {"has_excel": False, "books": []}


# -- Scenarios


def test_scenarios_in_a_year_and_at_the_end_against_the_baseline():
    months = [date(2026 + n // 12, n % 12 + 1, 28) for n in range(3, 27)]
    table = forecast_rows(
        *(
            (month, measure, segment, scenario, mean, mean - 1, mean + 1)
            for month in months
            for measure in ("cla_open", "cla_starts")
            for segment in ("all", "Kinship")
            for scenario, mean in (("Baseline", 100.0 + month.month), ("More", 110.5))
        )
    )
    rows = jobs.comparison_rows(table)
    assert [row["month_end"] for row in rows] == ["2027-03-28"] * 2 + ["2028-03-28"] * 2
    assert {row["measure"] for row in rows} == {"cla_open"}
    assert rows[1] == {
        "measure": "cla_open",
        "month_end": "2027-03-28",
        "scenario": "More",
        "mean": 110.5,
        "low": 109.5,
        "high": 111.5,
        "against": 7.5,
    }
    assert rows[0]["against"] == 0.0


def test_without_a_baseline_there_is_nothing_to_hold_a_scenario_against():
    month = date(2026, 4, 30)
    (row,) = jobs.comparison_rows(
        forecast_rows((month, "cp_open", "all", "Mine", 5, 4, 6), (None,) * 7)
    )
    assert row["against"] is None
    assert row["month_end"] == "2026-04-30"


@pytest.mark.usefixtures("excel")
def test_the_file_and_the_open_workbook_compare_alike(ran):
    of_file, of_open = jobs.compare_file(ran), jobs.compare_open(FULL_NAME)
    assert of_file.record == of_open.record
    shown = comparison_from(of_file.record)
    assert len(shown.sections) == 6
    names = [row[0] for row in shown.sections[0].rows]
    assert names[0] == "Baseline"
    assert len(names) == len(set(names)) > 2


def test_before_the_first_run_there_is_nothing_to_compare(tmp_path):
    book = tmp_path / "new.xlsx"
    assert call("new", book).exit_code == 0
    with pytest.raises(InvalidInputError, match="press Run first"):
        jobs.compare_file(book)


# -- The version before


def copied(ran: Path, folder: Path) -> Path:
    book = folder / "book.xlsx"
    book.write_bytes(ran.read_bytes())
    return book


def test_undo_of_a_file_and_what_was_undone_is_kept(ran, tmp_path):
    book = copied(ran, tmp_path)
    before = book.read_bytes()
    assert call("check", book).exit_code == 0
    after = book.read_bytes()
    assert after != before
    found = jobs.find_backup(book)
    assert found.record["saved_since"] is False
    done = jobs.restore(book, str(found.record["backup"]), now=NOW)
    assert book.read_bytes() == before
    assert "book.xlsx is as it was before." in done.sentences[0]
    assert done.sentences[1].startswith("There is no version before this one")
    aside = done.wrote[1]
    assert aside.read_bytes() == after
    assert f"{aside.name}: to have it back, open that file" in done.sentences[0]
    with pytest.raises(jobs.NoBackupError, match=rf"no version before .*{aside.name}"):
        jobs.find_backup(book)


def saved_with(book: Path, *, draws: int) -> None:
    """Save it with a setting changed, as a command saves."""
    other = book.with_name("changed.xlsx")
    other.write_bytes(book.read_bytes())
    set_setting(other, "draws", draws)
    save(other.read_bytes(), book, now=NOW, verify=lambda _: None, read_as=fingerprint(book))
    other.unlink()


def test_each_undo_of_a_file_goes_one_version_further_back(ran, tmp_path):
    book = copied(ran, tmp_path)
    states = []
    for draws in (110, 120, 130):
        states.append(book.read_bytes())
        saved_with(book, draws=draws)
    last = book.read_bytes()
    for left in (2, 1, 0):
        found = jobs.find_backup(book)
        assert found.record["further"] == left
        done = jobs.restore(book, str(found.record["backup"]), now=NOW)
        assert book.read_bytes() == states.pop()
        assert (f"({left} more)" in done.sentences[1]) == (left > 0)
    assert len(backups(book)) == 3
    assert last in [p.read_bytes() for p in backups(book)]
    saved_with(book, draws=140)
    assert jobs.find_backup(book).record["further"] == 0, "what was undone is no earlier version"


def test_an_undo_that_was_cut_short_is_not_asked_for_twice(ran, tmp_path):
    book = copied(ran, tmp_path)
    assert call("check", book).exit_code == 0
    (before,) = backups(book)
    kept = before.read_bytes()
    jobs.restore(book, before.name, now=NOW)
    before.write_bytes(kept)  # as if the process had ended before it was removed
    with pytest.raises(jobs.NoBackupError):
        jobs.find_backup(book)


def test_what_was_saved_since_is_noticed(ran, tmp_path):
    book = copied(ran, tmp_path)
    assert call("check", book).exit_code == 0
    later = book.stat().st_mtime + 60
    os.utime(book, (later, later))
    assert jobs.find_backup(book).record["saved_since"] is True


def test_at_a_second_undo_nothing_was_saved_since(ran, tmp_path):
    book = copied(ran, tmp_path)
    for draws in (110, 120):
        saved_with(book, draws=draws)
    for path in (book, *backups(book)):  # both runs were an hour ago
        os.utime(path, (path.stat().st_mtime - 3600,) * 2)
    jobs.restore(book, str(jobs.find_backup(book).record["backup"]), now=NOW)
    assert jobs.find_backup(book).record["saved_since"] is False
    later = book.stat().st_mtime + 60
    os.utime(book, (later, later))
    assert jobs.find_backup(book).record["saved_since"] is True


def test_without_a_version_before_nothing_is_changed(ran, tmp_path):
    book = copied(ran, tmp_path)
    with pytest.raises(jobs.NoBackupError, match=r"no earlier version beside book\.xlsx"):
        jobs.find_backup(book)
    with pytest.raises(jobs.NoBackupError, match="any more; nothing was changed"):
        jobs.restore(book, "book.backup-2026-01-01-000000.xlsx", now=NOW)
    with pytest.raises(jobs.NoBackupError):
        jobs.find_backup(tmp_path / "missing.xlsx")


def test_a_damaged_version_is_not_put_back(ran, tmp_path):
    book = copied(ran, tmp_path)
    before = book.read_bytes()
    (tmp_path / "book.backup-2026-01-01-000000.xlsx").write_bytes(before[: len(before) // 2])
    with pytest.raises(DemandError):
        jobs.restore(book, "book.backup-2026-01-01-000000.xlsx", now=NOW)
    assert book.read_bytes() == before


def test_only_a_version_of_this_workbook_is_put_back(ran, tmp_path):
    book = copied(ran, tmp_path)
    (tmp_path / "other.xlsx").write_bytes(b"x")
    with pytest.raises(jobs.NoBackupError):
        jobs.restore(book, "other.xlsx", now=NOW)


# -- As processes


def answered(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "demand_addin.launcher", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    record = json.loads(done.stdout)
    assert record["exit_code"] == done.returncode
    return record


def test_each_question_is_answered_in_one_line_of_json(ran, tmp_path):
    book = copied(ran, tmp_path)
    assert answered("compare", str(book))["ok"] is True
    missing = answered("backup", str(book))
    assert missing["exit_code"] == 1
    assert "no earlier version" in str(missing["problem"])
    assert answered("dance")["exit_code"] == 70
