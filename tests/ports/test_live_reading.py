"""What the live adapter reads equals what the closed-file adapter reads of the same workbook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import date, datetime, time
from pathlib import Path

import pytest
import xlsxwriter

from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.values import from_excel
from demand_addin.ports import WorkbookPort
from demand_model.annex_a.raw import CellError, RawSheet
from demand_model.errors import InvalidInputError
from ports.excel_in_memory import Excel, fake_book
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.ports

FORMATS = {
    "day": "dd/mm/yyyy",
    "moment": "dd/mm/yyyy hh:mm",
    "clock": "hh:mm",
    "money": "£#,##0.00",
    "share": "0.0%",
    "text": "@",
}


def dirty(path: Path, *, date_1904: bool = False) -> Path:
    """A workbook with every kind of cell, and everything that a reader reports beside them."""
    book = xlsxwriter.Workbook(path, {"date_1904": date_1904})
    made = {name: book.add_format({"num_format": text}) for name, text in FORMATS.items()}
    ws = book.add_worksheet("Cells")
    for row, (value, name) in enumerate(
        [
            ("0012", "text"),
            ("=1+1", "text"),
            ("'quoted", "text"),
            ("two\nlines", ""),
            ("É ñ 漢字 😀", ""),
            ("x" * 9_000, ""),
            (7, ""),
            (-2.5, ""),
            (0.1 + 0.2, ""),
            (1e15, ""),
            (123_456_789_012, ""),
            (1_234.56789, "money"),
            (0.125, "share"),
            (date(2026, 3, 31), "day"),
            (datetime(2026, 3, 31, 13, 45), "moment"),  # noqa: DTZ001
            (datetime(2026, 3, 31, 23, 59, 59), "moment"),  # noqa: DTZ001
            (True, ""),
            (False, ""),
        ]
    ):
        if isinstance(value, str):
            ws.write_string(row + 3, 2, value, made.get(name))
        elif isinstance(value, date):
            ws.write_datetime(row + 3, 2, value, made[name])
        else:
            ws.write(row + 3, 2, value, made.get(name))
    if not date_1904:
        ws.write_number("E4", 0.5, made["clock"])
        ws.write_number("E5", 1, made["day"])
        ws.write_number("E6", 59, made["day"])
        ws.write_number("E7", 61, made["day"])
    for row, code in enumerate(("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!")):
        ws.write_formula(row + 7, 4, f"={code}" if code != "#DIV/0!" else "=1/0", None, code)
    ws.write_formula("G4", "=C10+1", None, 8)
    ws.write_formula("G5", "=[1]Sheet1!A1", None, 3)
    ws.write_formula("G6", '="a"&"b"', None, "ab")
    ws.write_blank("Z60", None, made["day"])
    ws.set_row(8, None, None, {"hidden": True})
    ws.set_row(9, None, None, {"hidden": True})
    ws.set_column("F:F", None, None, {"hidden": True})
    ws.merge_range("I4:J6", "merged")
    total = book.add_worksheet("Total")
    total.add_table(
        "B3:C6",
        {
            "name": "with_total",
            "total_row": True,
            "columns": [{"header": "what"}, {"header": "how many", "total_function": "sum"}],
            "data": [["a", 1], ["b", 2]],
        },
    )
    book.add_worksheet("Hidden").hide()
    book.add_worksheet("Very hidden").very_hidden()
    book.add_worksheet("Empty")
    book.close()
    return path


def live(path: Path) -> LiveWorkbook:
    (app,) = engine_for(Excel(books=[fake_book(path)])).apps
    return LiveWorkbook(app.books[0])


def shown(raw: RawSheet) -> dict[str, object]:
    found: dict[str, object] = {f.name: getattr(raw, f.name) for f in fields(raw)}
    found["cells"] = [[(type(v), v) for v in row] for row in raw.cells.tolist()]
    found["merged"] = sorted(raw.merged)
    return found


@pytest.mark.parametrize("date_1904", [False, True], ids=["1900", "1904"])
def test_every_sheet_of_a_dirty_workbook_reads_the_same(tmp_path, date_1904):
    path = dirty(tmp_path / "dirty.xlsx", date_1904=date_1904)
    closed, opened = ClosedWorkbook.open(path), live(path)
    assert opened.sheet_names() == closed.sheet_names()
    for name in closed.sheet_names():
        assert shown(opened.read_sheet(name)) == shown(closed.read_sheet(name)), name


def test_every_sheet_of_a_sample_reads_the_same(tmp_path):
    path = tmp_path / "annex-a.xlsx"
    path.write_bytes(sample_workbook("small"))
    closed, opened = ClosedWorkbook.open(path), live(path)
    for name in closed.sheet_names():
        assert shown(opened.read_sheet(name)) == shown(closed.read_sheet(name)), name


def test_a_table_with_a_total_row_reads_the_same(tmp_path):
    path = dirty(tmp_path / "dirty.xlsx")
    closed, opened = ClosedWorkbook.open(path), live(path)
    assert opened.read_table("With_Total") == closed.read_table("With_Total")
    assert opened.read_table("with_total").rows == (("a", 1), ("b", 2))


def test_scenarios_below_their_table_are_read_and_a_note_is_not(tmp_path):
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(path)
    ws = book.add_worksheet("Scenarios")
    ws.add_table("A5:B6", {"name": "scenarios", "columns": [{"header": "a"}, {"header": "b"}]})
    ws.write_row("A6", ["one", 1])
    ws.write_row("A7", ["two", 2])
    ws.write("A8", "a note")
    book.close()
    readers: list[WorkbookPort] = [ClosedWorkbook.open(path), live(path)]
    for reader in readers:
        assert reader.read_table("scenarios").rows == (("one", 1), ("two", 2))


def test_a_stray_far_cell_is_left_out_and_named(tmp_path):
    path = tmp_path / "far.xlsx"
    book = xlsxwriter.Workbook(path)
    ws = book.add_worksheet("List 8")
    ws.write_row("A1", ["ID", "Date"])
    ws.write_row("A2", ["1", 2])
    ws.write("XFD1048576", "stray")
    book.close()
    readers: list[WorkbookPort] = [ClosedWorkbook.open(path), live(path)]
    for reader in readers:
        raw = reader.read_sheet("List 8")
        assert raw.cells.tolist() == [["ID", "Date"], ["1", 2]]
        assert raw.stray_cells == ("XFD1048576",)


def test_money_keeps_all_its_places(tmp_path):
    # Over COM a cell shown as pounds comes as a decimal of four places.
    opened = live(dirty(tmp_path / "dirty.xlsx"))
    assert 1_234.56789 in opened.read_sheet("Cells").cells.ravel().tolist()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (-2146826246, CellError("#N/A")),
        (-2146826243, CellError("#SPILL!")),
        (-2146826238, CellError("#CALC!")),
        (3.0, 3),
        (3.5, 3.5),
        ("", None),
        (datetime(1899, 12, 30, 12), time(12)),  # noqa: DTZ001
        (datetime(2026, 3, 31, 13, 44, 59, 999_800), datetime(2026, 3, 31, 13, 45)),  # noqa: DTZ001
    ],
)
def test_what_excel_gives_is_read_as_it_is_meant(given, meant):
    assert from_excel(given) == meant
    assert type(from_excel(given)) is type(meant)


@pytest.mark.excel
def test_real_excel_reads_a_dirty_workbook_as_the_closed_adapter_does(
    tmp_path: Path, open_unchecked: Callable[[Path], LiveWorkbook]
):
    path = dirty(tmp_path / "dirty.xlsx")
    closed, opened = ClosedWorkbook.open(path), open_unchecked(path)
    for name in closed.sheet_names():
        assert opened.read_sheet(name).cells.tolist() == closed.read_sheet(name).cells.tolist()


def test_what_is_not_there_is_said_in_the_same_words(tmp_path):
    path = dirty(tmp_path / "dirty.xlsx")
    for read in ("read_sheet", "read_table", "read_name"):
        said = []
        for book in (ClosedWorkbook.open(path), live(path)):
            with pytest.raises(InvalidInputError) as error:
                getattr(book, read)("no_such")
            said.append(str(error.value))
        assert said[0] == said[1]
