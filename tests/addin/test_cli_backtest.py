"""``backtest`` on the command line, on a sample authority."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from rich_workbook import packed, parts_of

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import SHEETS, accuracy
from demand_model.results.backtest_scores import SCORE_COLUMNS
from demand_model.results.forecast import MEASURES

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("imported"), horizon_months=3)


@pytest.fixture(scope="module")
def tested(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    book = tmp_path_factory.mktemp("tested") / "book.xlsx"
    shutil.copy(imported, book)
    return book, call("backtest", book, *DRAWS)


@pytest.fixture
def book(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(imported, tmp_path / "book.xlsx"))


def rows(book: Path, table: str) -> list[tuple[object, ...]]:
    found = ClosedWorkbook.open(book).read_table(table).rows
    return [row for row in found if any(value is not None for value in row)]


def test_it_says_how_far_to_trust_each_measure(tested: tuple[Path, Result]) -> None:
    book, result = tested
    assert result.exit_code == 0
    assert "Forecasts as if on 31 May 2026, " in result.stdout
    for words in ("Referrals: ", "Children in care: ", "Child protection plans: "):
        assert result.stdout.count(words) == 1
    assert result.stdout.index("Children in care: ") < result.stdout.index("Plans started: ")
    assert "‘No change’ was " in result.stdout
    assert f"Wrote: {book}" in result.stdout
    assert "Forecast from May 2026" in result.stderr


def test_it_fills_its_part_of_the_sheet(tested: tuple[Path, Result]) -> None:
    book, _ = tested
    scores = rows(book, "backtest_scores")
    assert len(scores) == 3 * len(MEASURES)
    assert [row[0] for row in scores[::3]] == list(accuracy.MEASURE_NAMES.values())
    every = rows(book, "backtest")
    assert len(every) == len(MEASURES) * (4 + 3 + 2 + 1)
    assert scores[0][2] == 10
    at = {name: i for i, name in enumerate(accuracy.BACKTEST.headings)}
    for row in every:
        edges = [row[at[q]] for q in ("p2_5", "p10", "p90", "p97_5")]
        assert edges == sorted(edges)  # type: ignore[type-var]
    error = [abs(r[at["mean"]] - r[at["actual"]]) for r in every[:10]]  # type: ignore[operator]
    assert scores[0][3] == pytest.approx(sum(error) / 10, abs=0.01)


def test_nothing_but_its_own_sheets_changes(tested: tuple[Path, Result], imported: Path) -> None:
    before, after = parts_of(imported.read_bytes()), parts_of(tested[0].read_bytes())
    order = [spec.name for spec in SHEETS]
    changed = {name for name in before if before[name] != after[name]}
    sheets = {name for name in changed if name.startswith("xl/worksheets/")}
    assert sheets == {
        f"xl/worksheets/sheet{order.index(name) + 1}.xml" for name in ("Accuracy", "Accuracy data")
    }
    assert changed - sheets <= {n for n in before if n.startswith("xl/tables/")} | {
        "xl/workbook.xml"
    }
    assert before.keys() == after.keys()


def test_the_same_seed_gives_the_same_back_test_and_another_does_not(
    tested: tuple[Path, Result], book: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copy(book, tmp_path / "other.xlsx"))
    assert call("backtest", book, *DRAWS, "--quiet").stdout == ""
    assert call("backtest", other, *DRAWS, "--seed", "7").exit_code == 0
    assert rows(book, "backtest") == rows(tested[0], "backtest")
    assert rows(other, "backtest") != rows(book, "backtest")


def test_a_run_and_a_back_test_keep_each_others_part(
    tested: tuple[Path, Result], tmp_path: Path
) -> None:
    book = Path(shutil.copy(tested[0], tmp_path / "book.xlsx"))
    assert call("run", book, *DRAWS).exit_code == 0
    assert rows(book, "backtest") == rows(tested[0], "backtest")
    assert rows(book, "backtest_scores") == rows(tested[0], "backtest_scores")
    ran = {name: rows(book, name) for name in ("forecast", "control", "rates", "run_log")}
    assert all(ran.values())
    assert call("backtest", book, *DRAWS, "--seed", "3").exit_code == 0
    assert {name: rows(book, name) for name in ran} == ran
    assert rows(book, "backtest") != rows(tested[0], "backtest")


def test_out_leaves_the_workbook_untouched(book: Path, tmp_path: Path) -> None:
    before = book.read_bytes()
    out = tmp_path / "out.xlsx"
    result = call("backtest", book, *DRAWS, "--out", out)
    assert result.exit_code == 0
    assert book.read_bytes() == before
    assert rows(out, "backtest_scores")


def test_for_machines(book: Path) -> None:
    found = json.loads(call("backtest", book, *DRAWS, "--json").stdout)
    assert found["ok"] is True
    assert found["origins"] == ["2026-05-31", "2026-06-30", "2026-07-31", "2026-08-31"]
    assert found["census_date"] == "2026-09-30"
    assert len(found["scores"]) == 3 * len(MEASURES)
    assert set(found["scores"][0]) == set(SCORE_COLUMNS)
    assert isinstance(found["scores"][0]["forecasts"], int)
    assert found["scores"][1]["inside_80"] is None
    assert len(found["sentences"]) == len(MEASURES)


def test_lists_that_must_be_mended_are_said_and_nothing_is_written(tmp_path: Path) -> None:
    lists, book = tmp_path / "list8.csv", tmp_path / "half.xlsx"
    lists.write_text(
        "Child Unique ID,Date of Birth,Date Started to be Looked After,"
        "Date Ceased to be Looked After\nC1,01/02/2015,03/03/2024,\n",
        encoding="utf-8",
    )
    assert call("import", book, lists).exit_code == 0
    before = book.read_bytes()
    result = call("backtest", book)
    assert result.exit_code == 1
    assert "must be mended before a forecast can be made; half.xlsx was left as it was" in (
        result.stderr
    )
    assert book.read_bytes() == before


def test_lists_too_short_to_test_on_are_said(book: Path) -> None:
    set_setting(book, "window_months_list_7", 2)
    before = book.read_bytes()
    result = call("backtest", book)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("List 7 shows 2 whole months up to 30/09/2026")
    assert book.read_bytes() == before


def test_a_workbook_of_an_earlier_version_is_told_what_to_do(book: Path, tmp_path: Path) -> None:
    parts = parts_of(book.read_bytes())
    xml = parts["xl/workbook.xml"].decode()
    xml = re.sub(r'<sheet name="Accuracy[^>]*>', "", xml)
    parts["xl/workbook.xml"] = re.sub(
        r"<definedName [^>]*>[^<]*Accuracy[^<]*</definedName>", "", xml
    ).encode()
    book.write_bytes(packed(parts))
    before = book.read_bytes()
    result = call("backtest", book)
    assert result.exit_code == 1
    assert result.stderr.strip().endswith("test that one.")
    assert "book.xlsx has no sheet Accuracy: an earlier version made the workbook" in result.stderr
    assert "Checking the lists" not in result.stderr, "said before any work"
    assert book.read_bytes() == before
    newer = tmp_path / "newer.xlsx"
    assert call("import", newer, book).exit_code == 0, "what it is told works"
    assert call("backtest", newer, *DRAWS).exit_code == 0


def test_a_renamed_sheet_is_found_all_the_same(book: Path) -> None:
    parts = parts_of(book.read_bytes())
    xml = parts["xl/workbook.xml"].decode()
    xml = xml.replace('name="Accuracy"', 'name="How good"').replace("Accuracy!", "'How good'!")
    parts["xl/workbook.xml"] = xml.encode()
    book.write_bytes(packed(parts))
    assert call("backtest", book, *DRAWS).exit_code == 0
    assert ClosedWorkbook.open(book).read_table("backtest_scores").sheet == "How good"


def test_no_child_id_reaches_the_output(tested: tuple[Path, Result]) -> None:
    book, result = tested
    sheet = ClosedWorkbook.open(book).read_sheet("List 8")
    ids = {str(v) for v in sheet.cells[1:, 0] if v is not None}
    assert ids
    said = result.output + "".join(
        str(v) for name in ("Accuracy", "Accuracy data")
        for row in ClosedWorkbook.open(book).read_sheet(name).cells for v in row
    )  # fmt: skip
    # A whole number of its own: not some digits of a figure.
    assert not ids & set(re.findall(r"(?<![\d.])\d+(?![\d.])", said))
