"""Reading workbooks and text files into raw cells."""

from __future__ import annotations

import time as clock
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt

from demand_addin.read import read_sheets
from demand_model.annex_a import CellError, RawSheet, UncalculatedFormula, check
from demand_model.errors import InvalidInputError
from list_builders import at, clean_lists, column, save_lists, save_workbook

pytestmark = pytest.mark.unit


def one(path: Path) -> RawSheet:
    (sheet,) = read_sheets(path)
    return sheet


def change_sheet(path: Path, old: bytes, new: bytes) -> Path:
    """Replace bytes in the first sheet's XML."""
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    return path


def test_values_keep_their_types(tmp_path: Path) -> None:
    row = [1, 1.5, "text", True, at(2024, 3, 31), at(2024, 3, 31, 12, 30), CellError("#N/A"),
           UncalculatedFormula(), " spaces ", 10**15, "007", "😀"]  # fmt: skip
    sheet = one(save_workbook(tmp_path / "b.xlsx", {"One": [row]}))
    assert sheet.cells[0].tolist() == row
    assert [type(v) for v in sheet.cells[0]] == [*map(type, row[:9]), float, str, str]
    assert (sheet.file, sheet.sheet, sheet.formula_cells) == ("b.xlsx", "One", 2)


def test_a_table_that_starts_elsewhere_keeps_its_addresses(tmp_path: Path) -> None:
    rows = [[], [], [None, None, "a", "b"], [None, None, 1, CellError("#REF!")]]
    sheet = one(save_workbook(tmp_path / "b.xlsx", {"One": rows}))
    assert (sheet.first_row, sheet.first_column) == (3, 3)
    assert sheet.cells.tolist() == [["a", "b"], [1, CellError("#REF!")]]


def test_errors_and_formulas_beyond_the_last_value_are_kept(tmp_path: Path) -> None:
    rows = [[UncalculatedFormula()], [None, "a"], [None, None, UncalculatedFormula()]]
    sheet = one(save_workbook(tmp_path / "b.xlsx", {"One": rows}))
    assert sheet.cells.tolist() == [
        [UncalculatedFormula(), None, None],
        [None, "a", None],
        [None, None, UncalculatedFormula()],
    ]


@pytest.mark.parametrize(
    "code", ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"]
)
def test_every_error_value_is_itself(code: str, tmp_path: Path) -> None:
    sheet = one(save_workbook(tmp_path / "b.xlsx", {"One": [["x", CellError(code)]]}))
    assert sheet.cells[0, 1] == CellError(code)


def test_a_workbook_saved_by_openpyxl_has_formulas_without_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append([at(2024, 1, 1), "=A1+7", '=""'])
    book.save(tmp_path / "b.xlsx")
    assert one(tmp_path / "b.xlsx").cells[0, 1:].tolist() == [UncalculatedFormula()] * 2


def test_openpyxl_and_the_reader_agree_on_every_cell(tmp_path: Path) -> None:
    path = save_lists(tmp_path / "b.xlsx", clean_lists())
    book = openpyxl.load_workbook(path, data_only=True)
    for sheet in read_sheets(path):
        expected = [list(row) for row in book[sheet.sheet].iter_rows(values_only=True)]
        assert sheet.cells.tolist() == expected


def test_hidden_things_merged_cells_and_states(tmp_path: Path) -> None:
    def dress(book, made) -> None:
        made["One"].set_row(2, None, None, {"hidden": True})
        made["One"].set_column("B:C", None, None, {"hidden": True})
        made["One"].merge_range("A4:B4", "x")
        made["Two"].hide()
        made["Three"].very_hidden()
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=One!$A$1:$A$3"})
        book.add_chartsheet("Chart").set_chart(chart)

    rows = [["a", "b", "c", "d"]] * 3
    sheets = {"One": rows, "Two": rows, "Three": rows}
    path = save_workbook(tmp_path / "b.xlsx", sheets, extra=dress)
    first, second, third = read_sheets(path)
    assert (first.hidden, second.hidden, third.hidden) == (False, True, True)
    assert first.hidden_rows == {3}
    assert first.hidden_columns == {2, 3}
    assert first.merged == ("A4:B4",)


def test_only_the_sheets_wanted_are_read(tmp_path: Path) -> None:
    path = save_lists(tmp_path / "b.xlsx", clean_lists())
    assert [s.sheet for s in read_sheets(path, only={"List 7"})] == ["List 7"]


@pytest.mark.parametrize("name", ["a b & 'c' é.xlsx", "x=1.xlsx", "List 3 (2).xlsx"])
def test_awkward_file_names(name: str, tmp_path: Path) -> None:
    assert one(save_workbook(tmp_path / name, {"A & 'b' <c>": [["x"]]})).file == name


def test_a_sheet_without_cell_addresses_or_with_prefixes_is_walked(tmp_path: Path) -> None:
    rows = [["a", CellError("#N/A")], [UncalculatedFormula(), 2]]
    path = save_workbook(tmp_path / "b.xlsx", {"One": rows})
    expected = one(path).cells.tolist()
    assert expected == rows
    for cell in (b'r="A1" ', b'r="B1" ', b'r="A2"', b'r="B2"'):
        change_sheet(path, cell, b"")
    assert one(path).cells.tolist() == expected


def test_a_stray_cell_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    def stray(_, made) -> None:
        made["One"].write("XFD1048576", "x")

    path = save_workbook(tmp_path / "b.xlsx", {"One": [["a", "b"], [1, 2]]}, extra=stray)
    start = clock.perf_counter()
    sheet = one(path)
    assert clock.perf_counter() - start < 5
    assert sheet.cells.tolist() == [["a", "b"], [1, 2]]
    assert sheet.stray_cells == ("XFD1048576",)


def test_a_far_right_cell_beside_many_rows(tmp_path: Path) -> None:
    rows: list[list[object]] = [[i, "b"] for i in range(30_000)]
    path = save_workbook(tmp_path / "b.xlsx", {"One": rows})
    # Written into the XML: laying out such a sheet takes a writer minutes.
    change_sheet(path, b'</row><row r="8"', b'<c r="XFD7"><v>1</v></c></row><row r="8"')
    start = clock.perf_counter()
    sheet = one(path)
    assert clock.perf_counter() - start < 5
    assert sheet.cells.shape == (30_000, 2)
    assert sheet.stray_cells == ("XFD7",)


def test_cells_scattered_everywhere_are_refused(tmp_path: Path) -> None:
    def scatter(_, made) -> None:
        for i in range(160):
            made["One"].write(i * 900, i * 95, "x")

    path = save_workbook(tmp_path / "b.xlsx", {"One": [["a"]]}, extra=scatter)
    with pytest.raises(InvalidInputError, match="scattered too widely"):
        read_sheets(path)


def test_an_empty_sheet(tmp_path: Path) -> None:
    assert one(save_workbook(tmp_path / "b.xlsx", {"One": []})).cells.size == 0


def test_a_true_xls_is_read(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    dates = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for number, rows in clean_lists().items():
        sheet = book.add_sheet(f"List {number}")
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                if value is not None:
                    sheet.write(i, j, value, dates if hasattr(value, "year") else xlwt.easyxf())
    book.save(str(tmp_path / "b.xls"))
    result = check(read_sheets(tmp_path / "b.xls"))
    assert result.lists is not None
    assert len(result.findings.with_rule("old-format")) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_files(encoding: str, delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "list 3.csv"
    text = delimiter.join(["Child Unique ID", "Date of referral", "Note"])
    body = delimiter.join(["007", "31/12/2023", '"José said, ""no"""'])
    path.write_bytes(f"{text}\r\n{body}\r\n\r\n".encode(encoding))
    sheet = one(path)
    assert sheet.cells[1].tolist() == ["007", "31/12/2023", 'José said, "no"']
    assert (sheet.sheet, sheet.is_text_file) == ("list 3", True)


def test_lists_as_text_files_check(tmp_path: Path) -> None:
    sheets: list[RawSheet] = []
    for number, rows in clean_lists().items():
        path = tmp_path / f"extract {number}.csv"
        lines = [
            ",".join(
                v.strftime("%d/%m/%Y") if hasattr(v, "year") else "" if v is None else f'"{v}"'
                for v in row
            )
            for row in rows
        ]
        path.write_text("\n".join(lines), encoding="utf-8")
        sheets += read_sheets(path)
    result = check(sheets)
    assert result.lists is not None
    assert [t.used for t in result.tallies] == [60, 60, 60]


def test_the_file_is_not_changed_by_reading(tmp_path: Path) -> None:
    path = save_lists(tmp_path / "b.xlsx", clean_lists())
    before = path.read_bytes()
    read_sheets(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["b.xlsx"]


def test_numbers_stored_as_text_stay_text_until_checked(tmp_path: Path) -> None:
    lists = clean_lists()
    lists[7][1][column(7, "previous_plans")] = "1,000"
    lists[7][2][column(7, "previous_plans")] = "two"
    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", lists)))
    assert result.lists is not None
    assert result.lists.plans["previous_plans"].max() == 1000
    assert [f.cell for f in result.findings.with_rule("number-unreadable")] == ["O3"]
