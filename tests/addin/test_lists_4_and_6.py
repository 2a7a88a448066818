"""Lists 4 and 6 in the workbook: paste sheets, import, check, and what a run starts from."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cli_cases import call, imported_sample
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.fitting import fit_lists
from demand_addin.commands.import_lists import with_place
from demand_addin.commands.inputs import list_sheets, read_inputs
from demand_addin.commands.new import template_bytes
from demand_addin.commands.older_book import LATER_SHEETS
from demand_addin.layout.sheets import SHEETS
from demand_addin.ports import BookPlan, TableValues
from demand_addin.progress import silent
from demand_addin.read import read_sheets
from demand_addin.settings import read_mapping
from demand_model.annex_a import recognise
from demand_model.annex_a.lists_of_need import OPTIONAL_LISTS
from list_builders import Rows, moment, save_workbook
from ports.fake_workbook import FakeWorkbook

pytestmark = pytest.mark.unit

OPEN_NOW = {4: 40, 6: 70}


def rows_of(number: int, census: date, sample_ids: list[object]) -> Rows:
    """A list of children of its own; half have ended, and the first open one is in care too."""
    rows: Rows = [list(OPTIONAL_LISTS[number].headings)]
    names = [f.name for f in OPTIONAL_LISTS[number].fields]
    for i in range(1, 2 * OPEN_NOW[number] + 1):
        ended, back = i % 2 == 0, 85 * i // OPEN_NOW[number]
        values = {
            "child_id": sample_ids[0] if i == 1 else f"N{number}{i:04}",
            "age": 9,
            "start": moment(census) - pd.Timedelta(days=back + 40),
            "end": moment(census) - pd.Timedelta(days=back) if ended else None,
            "case_status": "e) Closed episode" if ended else "c) Child in need plan",
        }
        rows.append([values.get(name) for name in names])
    return rows


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook that holds the small sample authority."""
    return imported_sample(tmp_path_factory.mktemp("sample"), horizon_months=3)


@pytest.fixture(scope="module")
def need_lists(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Annex A workbook with Lists 2, 4 and 6 alone, titled and named at will."""
    book = ClosedWorkbook.open(sample)
    judged, _ = fit_lists(book, read_inputs(book), silent)
    assert judged.check.lists is not None
    care = judged.check.lists.care
    ids: list[object] = list(care.loc[care["end"].isna(), "child_id"])
    census = judged.check.lists.census_date
    early = [["Child Unique ID", "Date of Birth", "Assessment start date"], [1, None, None]]
    return save_workbook(
        tmp_path_factory.mktemp("need") / "need.xlsx",
        {
            "List 2": early,
            "Assessments": [["Assessments, as extracted"], *rows_of(4, census, ids)],
            "List_6": rows_of(6, census, ids),
        },
    )


@pytest.fixture
def book(sample: Path, need_lists: Path, tmp_path: Path) -> Path:
    """The sample's workbook with Lists 4 and 6 imported after the others."""
    path = Path(shutil.copy(sample, tmp_path / "book.xlsx"))
    result = call("import", path, need_lists)
    assert result.exit_code == 0
    assert "List 4: 80 rows copied from need.xlsx, sheet Assessments." in result.stdout
    assert "List 6: 140 rows copied from need.xlsx, sheet List_6." in result.stdout
    return path


def test_the_template_has_a_paste_sheet_for_each_list_in_order() -> None:
    paste = [spec.name for spec in SHEETS if spec.list_number is not None]
    assert paste == ["List 3", "List 4", "List 6", "List 7", "List 8"]
    template = ClosedWorkbook(template_bytes(), "new.xlsx")
    for number, declared in OPTIONAL_LISTS.items():
        raw = template.read_sheet(f"List {number}")
        assert list(raw.cells[0]) == list(declared.headings)
    assert [n for n in template.sheet_names() if n.startswith("List")] == paste


def test_check_counts_their_rows_on_sheet_checks(book: Path) -> None:
    result = call("check", book, "--json")
    said = json.loads(result.stdout)
    assert said["rows"]["4"] == {"found": 80, "used": 80, "set_aside": {}}
    assert said["rows"]["6"] == {"found": 140, "used": 140, "set_aside": {}}
    tallies = ClosedWorkbook.open(book).read_table("row_tallies").rows
    assert ("List 6", 140, 140, 0) in [row[:4] for row in tallies]


def test_a_run_starts_from_what_they_count(book: Path) -> None:
    opened = ClosedWorkbook.open(book)
    _, fitted = fit_lists(opened, read_inputs(opened), silent)
    assert fitted is not None
    # One child of each list is in care, and so counted there.
    assert fitted.system.assessments_open == OPEN_NOW[4] - 1
    assert fitted.system.cin_open == OPEN_NOW[6] - 1
    assert fitted.front_door.assessment_months is not None
    assert "in assessment 39 (List 4; " in fitted.front_door_basis
    rules = {f.rule for f in fitted.check.findings.items}
    assert {"assessments-counted", "in-need-counted"} <= rules


def test_a_run_says_the_counts_and_writes_them_into_the_log(book: Path) -> None:
    result = call("run", book, "--draws", "100")
    assert result.exit_code == 0, result.output
    assert "in need without plan or care 69 (List 6; " in result.stdout
    (log,) = [r for r in ClosedWorkbook.open(book).read_table("run_log").rows if r[0] is not None]
    assert any("List 4: 80" in str(value) for value in log)


def test_without_them_nothing_is_assumed_to_be_counted(sample: Path) -> None:
    opened = ClosedWorkbook.open(sample)
    _, fitted = fit_lists(opened, read_inputs(opened), silent)
    assert fitted is not None
    assert (fitted.system.assessments_open, fitted.system.cin_open) == (None, None)
    assert fitted.front_door_basis == ""
    assert {t.list_number for t in fitted.check.tallies} == {3, 7, 8}
    assert not {f.list_number for f in fitted.check.findings.items} & set(OPTIONAL_LISTS)
    assert set(fitted.judged.hashes) == {3, 7, 8}


def test_a_code_for_a_spelling_of_list_6_can_be_chosen_on_sheet_mapping() -> None:
    book = FakeWorkbook()
    columns = ("list", "heading", "raw_value", "count", "official_code")
    row = ("List 6", "Case status", "Gate 3", 4, "Child in need plan")
    book.write(BookPlan(tables=(TableValues(name="mapping", columns=columns, rows=(row,)),)))
    assert read_mapping(book) == {(6, "Case status", "gate 3"): "Child in need plan"}


class OlderWorkbook(FakeWorkbook):
    """A workbook of an earlier version, without sheets for the optional lists."""

    def sheet_names(self) -> tuple[str, ...]:
        names = super().sheet_names()
        return (*(n for n in names if n not in ("List 4", "List 6")), "My own list 8")


def test_a_workbook_without_the_sheets_is_read_as_ever() -> None:
    assert [raw.sheet for raw in list_sheets(OlderWorkbook())] == ["List 3", "List 7", "List 8"]
    assert not {"List 4", "List 6"} & set(LATER_SHEETS)  # nor is it told that it lacks them


def test_import_into_such_a_workbook_leaves_them_out_and_says_so(need_lists: Path) -> None:
    found = recognise(read_sheets(need_lists))
    kept, said = with_place(found, OlderWorkbook().sheet_names())
    assert kept.lists == {}
    assert [line.partition(":")[0] for line in said] == [
        "List 4 was not copied", "List 6 was not copied",
    ]  # fmt: skip
    whole, nothing = with_place(found, FakeWorkbook().sheet_names())
    assert (set(whole.lists), nothing) == ({4, 6}, ())


def test_a_file_whose_list_6_cannot_be_told_says_which(sample: Path, tmp_path: Path) -> None:
    six = [list(OPTIONAL_LISTS[6].headings), ["A1", *[None] * 5, moment(date(2025, 1, 1))]]
    files = save_workbook(tmp_path / "twice.xlsx", {"CIN a": six, "CIN b": six, "four": [
        list(OPTIONAL_LISTS[4].headings)]})  # fmt: skip
    result = call("import", shutil.copy(sample, tmp_path / "book.xlsx"), files)
    assert result.exit_code == 0
    assert "List 6 was not copied: Sheets “CIN a” and “CIN b” both hold List 6" in result.stdout
