"""``check``, ``run`` and ``demo`` on the command line, on the sample authorities."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from rich_workbook import edited, packed, parts_of

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands import fitting, forecasting
from demand_addin.commands.demo import sample_workbook
from demand_addin.ports import BookPlan, SheetRows, TableValues
from demand_addin.run_log import broken_links
from demand_addin.saving import locked
from demand_model.annex_a.recognise import recognise
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("imported"), horizon_months=6)


@pytest.fixture(scope="module")
def ran(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    book = tmp_path_factory.mktemp("ran") / "book.xlsx"
    shutil.copy(imported, book)
    return book, call("run", book, *DRAWS)


@pytest.fixture
def book(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(imported, tmp_path / "book.xlsx"))


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A workbook that lacks two of the three lists."""
    lists, book = tmp_path / "list8.csv", tmp_path / "half.xlsx"
    lists.write_text(
        "Child Unique ID,Date of Birth,Date Started to be Looked After,"
        "Date Ceased to be Looked After\nC1,01/02/2015,03/03/2024,\n",
        encoding="utf-8",
    )
    assert call("import", book, lists).exit_code == 0
    return book


def rewrite(book: Path, plan: BookPlan) -> None:
    workbook = ClosedWorkbook.open(book)
    workbook.write(plan)
    book.write_bytes(workbook.to_bytes())


def table_rows(book: Path, table: str) -> tuple[tuple[object, ...], ...]:
    rows = ClosedWorkbook.open(book).read_table(table).rows
    return tuple(row for row in rows if any(value is not None for value in row))


# --- check -------------------------------------------------------------------------------------


def test_check_prints_conservation_and_windows_and_fills_the_sheet(book: Path) -> None:
    result = call("check", book)
    assert result.exit_code == 0
    for number in (3, 7, 8):
        assert f"List {number}: " in result.stdout
        assert f"List {number} covers " in result.stdout
    assert "rows found = " in result.stdout
    assert "Census date: " in result.stdout
    for _, found, used, aside, _ in table_rows(book, "row_tallies"):
        assert found == used + aside  # type: ignore[operator]
    assert len(table_rows(book, "windows")) == 3


def test_check_writes_its_findings_even_where_it_stops(half: Path) -> None:
    result = call("check", half)
    assert result.exit_code == 1
    assert "must be mended" in result.stderr
    assert "List 3 has headings but no rows" in result.stderr
    rules = {row[4] for row in table_rows(half, "findings")}
    assert "list-empty" in rules


def test_check_for_machines(book: Path) -> None:
    found = json.loads(call("check", book, "--json").stdout)
    assert found["ok"] is True
    for rows in found["rows"].values():
        assert rows["found"] == rows["used"] + sum(rows["set_aside"].values())
    assert set(found["windows"]) == {"3", "7", "8"}


def test_a_spelling_settled_on_sheet_mapping_is_used_and_remembered(book: Path) -> None:
    source = ClosedWorkbook.open(book).read_sheet("List 8")
    found = recognise([source]).lists[8]
    cells = source.cells.copy()
    cells[found.body_row + 5, found.columns["placement_type"]] = "Auntie Vera's"
    rewrite(
        book, BookPlan(sheets=(SheetRows(sheet="List 8", rows=tuple(map(tuple, cells.tolist()))),))
    )
    assert call("check", book).exit_code == 0
    columns = ClosedWorkbook.open(book).read_table("mapping").columns
    (asked,) = table_rows(book, "mapping")
    assert asked[0] == "List 8"
    assert asked[2] == "Auntie Vera's"
    settled = (*asked[:4], "U1")
    rewrite(
        book,
        BookPlan(tables=(TableValues(name="mapping", columns=columns, rows=(settled,)),)),  # type: ignore[arg-type]
    )
    result = call("check", book)
    assert result.exit_code == 0
    assert "not known" not in result.stdout
    assert [row[4] for row in table_rows(book, "mapping")] == ["U1"]


# --- run ---------------------------------------------------------------------------------------


def test_run_says_what_will_happen_in_plain_words(ran: tuple[Path, Result]) -> None:
    book, result = ran
    assert result.exit_code == 0, result.output
    assert "Children in care: " in result.stdout
    assert f"Wrote: {book}" in result.stdout
    assert "Traceback" not in result.output


def test_run_fills_the_sheets_and_leaves_only_allowed_files(ran: tuple[Path, Result]) -> None:
    book, _ = ran
    assert len(table_rows(book, "forecast")) > 1000
    assert len(table_rows(book, "rates")) > 30
    names = {p.name for p in book.parent.iterdir()}
    assert {n for n in names if ".backup-" not in n} == {"book.xlsx"}
    assert len(names) == 2


def test_the_same_seed_gives_the_same_forecast_and_another_does_not(
    ran: tuple[Path, Result], imported: Path, tmp_path: Path
) -> None:
    first, _ = ran
    same, other = tmp_path / "same.xlsx", tmp_path / "other.xlsx"
    assert call("run", imported, *DRAWS, "--out", same).exit_code == 0
    assert call("run", imported, *DRAWS, "--seed", 7, "--out", other).exit_code == 0
    assert forecast_part(same) == forecast_part(first)
    assert forecast_part(other) != forecast_part(first)


def forecast_part(book: Path) -> bytes:
    import zipfile

    number = ClosedWorkbook.open(book).sheet_names().index("Forecast") + 1
    with zipfile.ZipFile(book) as archive:
        return archive.read(f"xl/worksheets/sheet{number}.xml")


def test_out_leaves_the_workbook_untouched(book: Path, tmp_path: Path) -> None:
    before, out = book.read_bytes(), tmp_path / "board paper.xlsx"
    result = call("run", book, *DRAWS, "--out", out)
    assert result.exit_code == 0
    assert f"Wrote: {out}" in result.stdout
    assert book.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"book.xlsx", "board paper.xlsx"}


def test_run_for_machines(book: Path) -> None:
    result = call("run", book, *DRAWS, "--seed", 5, "--json")
    found = json.loads(result.stdout)
    assert result.stderr == ""
    assert (found["ok"], found["seed"], found["draws"]) == (True, 5, 100)
    assert found["scenarios"][0] == "Baseline"
    assert found["headlines"]


def test_the_run_log_grows_as_a_chain_and_notices_the_same_lists(book: Path) -> None:
    assert call("run", book, *DRAWS).exit_code == 0
    assert call("run", book, *DRAWS).exit_code == 0
    log = ClosedWorkbook.open(book).read_table("run_log")
    assert len(table_rows(book, "run_log")) == 2
    assert broken_links(log) == ()
    rules = {row[4] for row in table_rows(book, "findings")}
    assert "same-list-again" in rules


def test_a_run_that_stops_leaves_the_workbook_byte_for_byte(half: Path) -> None:
    before = half.read_bytes()
    result = call("run", half, *DRAWS)
    assert result.exit_code == 1
    assert "must be mended" in result.stderr
    assert "was left as it was" in result.stderr
    assert "List 3 has headings but no rows" in result.stderr
    assert half.read_bytes() == before


def test_wrong_settings_are_listed_by_cell_and_nothing_is_written(book: Path) -> None:
    set_setting(book, "draws", 5)
    set_setting(book, "interval_shown", 50)
    before = book.read_bytes()
    result = call("run", book)
    assert result.exit_code == 1
    assert "2 settings must be changed" in result.stderr
    assert result.stderr.count("Settings!") == 2
    assert book.read_bytes() == before


def test_rows_typed_below_a_table_that_did_not_grow_are_not_overlooked(book: Path) -> None:
    columns = ClosedWorkbook.open(book).read_table("scenarios").columns
    before = len(ClosedWorkbook.open(book).read_table("scenarios").rows)
    number = ClosedWorkbook.open(book).sheet_names().index("Scenarios") + 1
    part, row = f"xl/worksheets/sheet{number}.xml", 6 + before
    filled = {"scenario": "Mine", "change": "Multiply", "flow": "referrals", "amount": "much"}
    cells = "".join(
        f'<c r="{chr(65 + columns.index(name))}{row}" t="inlineStr"><is><t>{value}</t></is></c>'
        for name, value in filled.items()
    )
    note = f'<row r="{row + 1}"><c r="A{row + 1}" t="inlineStr"><is><t>A note</t></is></c></row>'
    added = f'<row r="{row}">{cells}</row>{note}</sheetData>'.encode()
    parts = parts_of(book.read_bytes())
    book.write_bytes(packed(edited(parts, part, b"</sheetData>", added)))

    assert len(ClosedWorkbook.open(book).read_table("scenarios").rows) == before + 1
    result = call("run", book, *DRAWS)
    assert result.exit_code == 1
    assert f"Scenarios!H{row}: invalid amount" in result.stderr


def test_a_fan_scenario_that_is_not_run_is_said_by_cell(book: Path) -> None:
    set_setting(book, "fan_scenario", "Martians")
    before = book.read_bytes()
    result = call("run", book, *DRAWS)
    assert result.exit_code == 1
    assert "Settings!B17: invalid scenario of the fan charts" in result.stderr
    assert book.read_bytes() == before


def test_an_override_is_used_and_kept(book: Path, ran: tuple[Path, Result]) -> None:
    fitted = ClosedWorkbook.open(ran[0]).read_table("rates")
    at = {name: i for i, name in enumerate(fitted.columns)}
    rows = [list(row) for row in fitted.rows]
    chosen = next(r for r in rows if str(r[at["rate_id"]]).startswith("plan_ends|"))
    chosen[at["override"]] = 0.25
    shutil.copy(ran[0], book)
    rewrite(
        book,
        BookPlan(
            tables=(
                TableValues(
                    name="rates",
                    columns=fitted.columns,
                    rows=tuple(tuple(row) for row in rows),  # type: ignore[misc]
                ),
            )
        ),
    )
    assert call("run", book, *DRAWS).exit_code == 0
    kept = {row[at["rate_id"]]: row for row in table_rows(book, "rates")}
    assert kept[chosen[at["rate_id"]]][at["override"]] == 0.25
    assert forecast_part(book) != forecast_part(ran[0])


# --- when things go wrong ----------------------------------------------------------------------


def test_a_fault_of_the_product_shows_no_traceback_and_no_value(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("Secret Name 01/02/2015")

    monkeypatch.setattr(fitting, "tabulate", broken)
    before = book.read_bytes()
    result = call("run", book, *DRAWS)
    assert result.exit_code == 70
    assert "KeyError in " in result.stderr
    assert "Secret" not in result.output
    assert "Traceback" not in result.output
    assert book.read_bytes() == before
    debugged = call("run", book, *DRAWS, "--debug")
    assert "run.py" in debugged.stderr
    assert "Secret" not in debugged.output


def test_stopping_a_run_leaves_the_workbook(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(forecasting, "simulate_prepared", stopped)
    before = book.read_bytes()
    result = call("run", book, *DRAWS)
    assert result.exit_code == 130
    assert book.read_bytes() == before
    assert [p.name for p in book.parent.iterdir()] == ["book.xlsx"]


def test_a_workbook_in_use_is_said(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    from demand_addin.commands import closed_file

    def impatient(path: Path, *, now: datetime) -> object:
        return locked(path, now=now, wait_seconds=0.05)

    monkeypatch.setattr(closed_file, "locked", impatient)
    with locked(book, now=datetime(2026, 4, 3, 9, 30, tzinfo=UTC)):
        result = call("check", book)
    assert result.exit_code == 3
    assert "in use by another run (started by " in result.stderr


@pytest.fixture
def not_ours(tmp_path: Path) -> Path:
    path = tmp_path / "annex-a.xlsx"
    path.write_bytes(sample_workbook("small"))
    return path


def test_a_workbook_that_is_not_ours_is_explained(not_ours: Path) -> None:
    before = not_ours.read_bytes()
    result = call("run", not_ours)
    assert result.exit_code == 1
    assert "annex-a.xlsx is not a csc-demand workbook" in result.stderr
    assert not_ours.read_bytes() == before


def test_a_folder_in_place_of_a_workbook_is_said(book: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder.xlsx"
    folder.mkdir()
    for arguments in (("check", folder), ("check", book, "--out", folder)):
        result = call(*arguments)
        assert result.exit_code == 3
        assert "folder.xlsx is a folder" in result.stderr


def test_a_workbook_that_is_open_in_excel_is_noted(book: Path) -> None:
    book.with_name(f"~${book.name}").write_bytes(b"owner")
    result = call("check", book)
    assert result.exit_code == 0
    assert "seems to be open in Excel" in result.stdout


def test_a_missing_workbook_is_said(tmp_path: Path) -> None:
    result = call("run", tmp_path / "none.xlsx")
    assert result.exit_code == 1
    assert "none.xlsx was not found" in result.stderr
    assert list(tmp_path.iterdir()) == []


# --- demo --------------------------------------------------------------------------------------


def test_demo_does_the_whole_job_also_twice_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "try it"
    assert call("demo", folder, *DRAWS, "--quiet").exit_code == 0
    result = call("demo", folder, *DRAWS)
    assert result.exit_code == 0, result.output
    assert "Children in care: " in result.stdout
    assert str(folder / "demand-model.xlsx") in result.stdout
    assert f'csc-demand levers "{folder / "demand-model.xlsx"}"' in result.stdout
    assert len(table_rows(folder / "demand-model.xlsx", "run_log")) == 2
    assert len(table_rows(folder / "demand-model.xlsx", "backtest_scores")) == 21


def test_an_unknown_sample_is_said() -> None:
    with pytest.raises(InvalidInputError, match=r"nowhere\.xlsx is missing"):
        sample_workbook("nowhere")
