"""One suite for every adapter of `WorkbookPort`: the fake, the closed file, and live Excel.

The live adapter runs on an Excel in memory (`openpyxl_engine`), and on the real one
with ``pytest -m excel`` where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from fake_workbook import FakeWorkbook

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import SETTINGS, SHEETS
from demand_addin.layout.template import build_template
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.undo import UndoFolder
from demand_addin.ports import (
    BookPlan,
    Calculated,
    RangeValues,
    SheetRows,
    TableCell,
    TableValues,
    WorkbookPort,
)
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.raw import CellError
from demand_model.errors import InvalidInputError
from ports.excel_in_memory import Excel, FakeBook, copy_of, fake_book
from ports.openpyxl_engine import engine_for

pytestmark = pytest.mark.ports

RAW = 0.25
COLUMNS = ("list", "found", "used", "set_aside", "reasons")
VERBATIM = (
    ("Child Unique ID", "Date", "Free text"),
    ("0012", datetime(2026, 3, 31), "=1+1"),  # noqa: DTZ001
    (7, datetime(2026, 3, 31, 13, 45), "  two spaces  "),  # noqa: DTZ001
    (None, None, None),
    (2.5, True, '_x0041_ <&> "quoted" O\'Neil'),
    (CellError("#N/A"), False, "line\nbreak"),
    ("@cmd", "-3", "+44 20"),
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "book.xlsx"
    build_template(path)
    return path


@pytest.fixture(scope="module")
def opened(template: Path) -> FakeBook:
    return fake_book(template)


def live(opened: FakeBook, folder: Path) -> WorkbookPort:
    excel = Excel(books=[copy_of(opened)])
    # Excel itself calculates this cell; the adapter leaves its formula alone.
    excel.results["Checks", "A2"] = lambda _: "All checks pass"
    excel.results["Rates", "H6"] = lambda _: RAW
    (app,) = engine_for(excel).apps
    return LiveWorkbook(app.books[0], undo=UndoFolder(folder))


@pytest.fixture(params=["fake", "closed", "live", pytest.param("excel", marks=pytest.mark.excel)])
def book(
    request: pytest.FixtureRequest, template: Path, opened: FakeBook, tmp_path: Path
) -> WorkbookPort:
    makers: dict[str, Callable[[], WorkbookPort]] = {
        "fake": FakeWorkbook,
        "closed": lambda: ClosedWorkbook.open(template),
        "live": lambda: live(opened, tmp_path),
        "excel": lambda: request.getfixturevalue("open_in_excel")(template),
    }
    return makers[request.param]()


def tallies(*rows, append: bool = False) -> BookPlan:
    return BookPlan(
        tables=(TableValues(name="row_tallies", columns=COLUMNS, rows=rows, append=append),)
    )


def test_sheets_stand_in_the_declared_order(book):
    assert book.sheet_names() == tuple(spec.name for spec in SHEETS)


def test_settings_hold_their_defaults(book):
    for setting in SETTINGS:
        read = book.read_name(setting.name)
        assert (read.sheet, read.value) == ("Settings", setting.default), setting.key


def test_a_paste_sheet_opens_with_the_official_headings(book):
    for number, declared in LISTS.items():
        raw = book.read_sheet(f"List {number}")
        assert list(raw.cells[0]) == [field.heading for field in declared.fields]


def test_the_presets_are_in_the_scenarios_table(book):
    table = book.read_table("scenarios")
    assert table.sheet == "Scenarios"
    assert len({row[0] for row in table.rows}) == 8
    assert table.addresses[0][0] == "A6"


def test_a_table_reads_back_what_was_written(book):
    book.write(tallies(("List 3", 10, 8, 2, "two"), ("List 7", 4, 4, 0, None)))
    table = book.read_table("row_tallies")
    assert table.columns == COLUMNS
    assert table.rows == (("List 3", 10, 8, 2, "two"), ("List 7", 4, 4, 0, None))


def test_a_shorter_result_clears_the_tail_of_a_longer_one(book):
    book.write(tallies(("List 3", 1, 1, 0, ""), ("List 7", 2, 2, 0, ""), ("List 8", 3, 3, 0, "")))
    book.write(tallies(("List 3", 9, 9, 0, "")))
    assert book.read_table("row_tallies").rows == (("List 3", 9, 9, 0, None),)
    book.write(tallies())
    assert book.read_table("row_tallies").rows == ((None,) * 5,)
    sheet = book.read_sheet("Checks")
    assert "List 7" not in list(sheet.cells.ravel())


def test_rows_are_appended_after_the_last_that_is_filled(book):
    book.write(tallies(("List 3", 1, 1, 0, "a"), append=True))
    book.write(tallies(("List 7", 2, 2, 0, "b"), append=True))
    assert [row[0] for row in book.read_table("row_tallies").rows] == ["List 3", "List 7"]


def test_columns_are_found_by_name_whatever_their_order(book):
    plan = TableValues(name="windows", columns=("months", "list"), rows=((12, "List 7"),))
    book.write(BookPlan(tables=(plan,)))
    row = dict(
        zip(book.read_table("windows").columns, book.read_table("windows").rows[0], strict=True)
    )
    assert (row["list"], row["months"], row["window_start"]) == ("List 7", 12, None)


def test_dates_come_back_as_dates(book):
    plan = TableValues(
        name="windows",
        columns=("list", "window_start", "months", "detected"),
        rows=(("List 3", date(2025, 10, 1), 6, "Yes"), ("List 7", date(2025, 4, 1), 12, "No")),
    )
    book.write(BookPlan(tables=(plan,)))
    starts = [row[1] for row in book.read_table("windows").rows]
    assert starts == [datetime(2025, 10, 1), datetime(2025, 4, 1)]  # noqa: DTZ001


def test_a_range_clears_what_it_does_not_fill(book):
    book.write(BookPlan(ranges=(RangeValues(name="dash_basis", rows=(("a",), ("b",), ("c",))),)))
    book.write(BookPlan(ranges=(RangeValues(name="dash_basis", rows=(("z",),)),)))
    read = book.read_name("dash_basis")
    assert read.value == "z"
    column = list(book.read_sheet("Dashboard").cells[:, 0])
    assert "b" not in column
    assert "c" not in column


def test_the_result_of_a_live_check_can_be_refreshed(book):
    book.write(BookPlan(ranges=(RangeValues(name="master_check", rows=(("All checks pass",),)),)))
    assert book.read_name("master_check").value == "All checks pass"


def test_a_paste_is_verbatim(book):
    book.write(BookPlan(sheets=(SheetRows(sheet="List 8", rows=VERBATIM),)))
    raw = book.read_sheet("List 8")
    assert [tuple(row) for row in raw.cells] == [
        tuple(None if v == "" else v for v in row) for row in VERBATIM
    ]
    assert raw.formula_cells == 0


def test_a_paste_replaces_all_of_an_older_one(book):
    book.write(BookPlan(sheets=(SheetRows(sheet="List 7", rows=VERBATIM),)))
    book.write(BookPlan(sheets=(SheetRows(sheet="List 7", rows=(("A",), ("b",))),)))
    assert book.read_sheet("List 7").cells.tolist() == [["A"], ["b"]]


def test_control_characters_are_dropped(book):
    book.write(BookPlan(sheets=(SheetRows(sheet="List 3", rows=(("a\x00b\x1fc\ud800"[:-1],),)),)))
    assert book.read_sheet("List 3").cells.tolist() == [["abc"]]


def rates(*rows: tuple[TableCell, ...]) -> BookPlan:
    columns = ("rate_id", "occurrences", "exposure", "raw_rate")
    return BookPlan(tables=(TableValues(name="rates", columns=columns, rows=rows),))


def test_a_declared_formula_is_written_with_its_result(book):
    blank = book.read_sheet("Rates").formula_cells
    raw = Calculated(formula="raw", result=RAW)
    book.write(rates(("a|all|all", 3, 12, raw), ("=1+1", 1, 0, "=1+1")))
    table = book.read_table("rates")
    at = table.columns.index("raw_rate")
    assert [row[at] for row in table.rows] == [RAW, "=1+1"], "a value never becomes a formula"
    assert book.read_sheet("Rates").formula_cells == blank + 1


def test_a_formula_makes_room_for_a_value_and_the_other_way(book):
    blank = book.read_sheet("Rates").formula_cells
    raw = Calculated(formula="raw", result=RAW)
    book.write(rates(("a|all|all", 3, 12, raw), ("b|all|all", 4, 12, raw)))
    book.write(rates(("a|all|all", 3, 12, 0.5)))
    table = book.read_table("rates")
    assert table.rows[0][table.columns.index("raw_rate")] == 0.5
    assert book.read_sheet("Rates").formula_cells == blank
    book.write(rates(("a|all|all", 3, 12, raw)))
    table = book.read_table("rates")
    assert table.rows[0][table.columns.index("raw_rate")] == RAW
    assert book.read_sheet("Rates").formula_cells == blank + 1


def test_a_formula_that_no_table_declares_is_refused(book):
    with pytest.raises(LookupError, match="no formula"):
        book.write(rates(("a|all|all", 3, 12, Calculated(formula="1+1", result=2))))
    assert book.read_table("rates").rows[0][0] is None


@pytest.mark.parametrize(
    "bad",
    [
        BookPlan(tables=(TableValues(name="no_such", columns=("a",), rows=()),)),
        BookPlan(tables=(TableValues(name="windows", columns=("nothing",), rows=()),)),
        BookPlan(ranges=(RangeValues(name="no_such", rows=()),)),
        BookPlan(sheets=(SheetRows(sheet="List 99", rows=()),)),
    ],
    ids=["table", "column", "name", "sheet"],
)
def test_a_plan_that_cannot_be_carried_out_changes_nothing(book, bad):
    good = tallies(("List 3", 1, 1, 0, "kept out"))
    plan = BookPlan(tables=(*good.tables, *bad.tables), ranges=bad.ranges, sheets=bad.sheets)
    with pytest.raises(InvalidInputError):
        book.write(plan)
    assert book.read_table("row_tallies").rows == ((None,) * 5,)


def test_what_is_not_there_is_said(book):
    for read in (book.read_table, book.read_name, book.read_sheet):
        with pytest.raises(InvalidInputError, match="not found"):
            read("no_such")
