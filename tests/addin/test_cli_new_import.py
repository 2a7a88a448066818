"""``new`` and ``import`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_cases import call
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.new import template_bytes

pytestmark = pytest.mark.unit

LIST_8 = (
    "Child Unique ID,Gender,Ethnicity,Date of Birth,Age of Child (Years),"
    "Date Started to be Looked After,Date Ceased to be Looked After,Placement Type\n"
    "=1+1,Female,WBRI,01/02/2015,11,03/03/2024,,U1\n"
    "C2,Male,WBRI,05/06/2012,13,12/08/2023,14/02/2026,K2\n"
)


@pytest.fixture(scope="module")
def template() -> bytes:
    return template_bytes()


def test_new_makes_a_workbook_and_names_it(tmp_path: Path) -> None:
    book = tmp_path / "demand & cost.xlsx"
    result = call("new", book)
    assert result.exit_code == 0
    assert f"Wrote: {book}" in result.stdout
    assert "List 8" in ClosedWorkbook.open(book).sheet_names()
    assert [p.name for p in tmp_path.iterdir()] == [book.name]


def test_new_never_replaces_a_file(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(b"mine")
    result = call("new", book)
    assert result.exit_code == 3
    assert "exists already" in result.stderr
    assert book.read_bytes() == b"mine"


def test_new_wants_an_xlsx_name(tmp_path: Path) -> None:
    result = call("new", tmp_path / "book.xls")
    assert result.exit_code == 3
    assert "ends in .xlsx" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_import_copies_rows_as_they_are(tmp_path: Path, template: bytes) -> None:
    book, lists = tmp_path / "book.xlsx", tmp_path / "children.csv"
    book.write_bytes(template)
    lists.write_text(LIST_8, encoding="utf-8-sig")
    result = call("import", book, lists)
    assert result.exit_code == 0
    assert "List 8: 2 rows copied from children.csv." in result.stdout
    assert "List 3 was not copied" in result.stdout
    cells = ClosedWorkbook.open(book).read_sheet("List 8").cells
    assert cells[1, 0] == "=1+1"
    assert cells[1, 3] == "01/02/2015"
    backups = [p.name for p in tmp_path.iterdir() if ".backup-" in p.name]
    assert len(backups) == 1


def test_blank_and_space_only_rows_are_copied_too(tmp_path: Path, template: bytes) -> None:
    book, lists = tmp_path / "book.xlsx", tmp_path / "children.csv"
    book.write_bytes(template)
    lists.write_text(f"{LIST_8},,,,,,,\n   ,\t, ,,,,,\n\n{LIST_8.splitlines()[1]}\n")
    result = call("import", book, lists)
    assert result.exit_code == 0, result.output
    assert ClosedWorkbook.open(book).read_sheet("List 8").cells.shape[0] >= 6


def test_import_makes_the_workbook_if_there_is_none_and_says_so(tmp_path: Path) -> None:
    book, lists = tmp_path / "book.xlsx", tmp_path / "children.csv"
    lists.write_bytes(LIST_8.replace("Female", "Féminin").replace(",", ";").encode("cp1252"))
    result = call("import", book, lists)
    assert result.exit_code == 0
    assert "a new workbook was made" in result.stdout
    assert ClosedWorkbook.open(book).read_sheet("List 8").cells[1, 1] == "Féminin"


def test_import_with_out_leaves_the_workbook_untouched(tmp_path: Path, template: bytes) -> None:
    book, lists, out = (tmp_path / name for name in ("book.xlsx", "children.csv", "out.xlsx"))
    book.write_bytes(template)
    lists.write_text(LIST_8, encoding="utf-8")
    result = call("import", book, lists, "--out", out)
    assert result.exit_code == 0
    assert book.read_bytes() == template
    assert ClosedWorkbook.open(out).read_sheet("List 8").cells.shape[0] == 3


def test_import_of_something_else_says_what_was_found(tmp_path: Path, template: bytes) -> None:
    book, other = tmp_path / "book.xlsx", tmp_path / "rates.csv"
    book.write_bytes(template)
    other.write_text("year,base rate\n2026,3.5\n", encoding="utf-8")
    result = call("import", book, other)
    assert result.exit_code == 1
    assert "No Annex A list 3, 7 or 8 was recognised in rates.csv" in result.stderr
    assert book.read_bytes() == template
    assert {p.name for p in tmp_path.iterdir()} == {"book.xlsx", "rates.csv"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_import_of_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(content)
    result = call("import", tmp_path / "book.xlsx", damaged)
    assert result.exit_code == 1
    assert "damaged.xlsx" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "book.xlsx").exists()


def test_import_of_the_same_list_twice_asks(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    for path in (one, two):
        path.write_text(LIST_8, encoding="utf-8")
    result = call("import", tmp_path / "book.xlsx", one, two)
    assert result.exit_code == 1
    assert "both hold List 8" in result.stderr


def test_json_is_all_there_is_on_standard_output(tmp_path: Path) -> None:
    lists = tmp_path / "annex a.xlsx"
    lists.write_bytes(sample_workbook("small"))
    result = call("import", tmp_path / "book.xlsx", lists, "--json")
    found = json.loads(result.stdout)
    assert result.stderr == ""
    assert found["ok"] is True
    assert found["created"] is True
    assert set(found["lists"]) == {"3", "7", "8"}
    assert found["wrote"] == [str(tmp_path / "book.xlsx")]


def test_quiet_says_nothing_when_all_is_well(tmp_path: Path) -> None:
    result = call("new", tmp_path / "book.xlsx", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_a_wrong_command_line_is_told_apart(tmp_path: Path) -> None:
    assert call("import", tmp_path / "book.xlsx").exit_code == 2
    assert call("run", tmp_path / "book.xlsx", "--draws", "5").exit_code == 2
    assert call("nonsense").exit_code == 2


def test_version_and_help() -> None:
    assert call("--version").stdout.startswith("csc-demand ")
    listed = call("--help").stdout
    assert [listed.index(f"  {name} ") for name in ("new", "import", "check", "run", "demo")] == (
        sorted(listed.index(f"  {name} ") for name in ("new", "import", "check", "run", "demo"))
    )
