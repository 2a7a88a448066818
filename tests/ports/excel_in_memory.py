"""An Excel in memory, for the tests: what it holds, what it makes of what is typed, what it shows.

`openpyxl_engine` gives it to xlwings. Workbooks are read by openpyxl. Every number is a
float, a date has a time zone, an error value is an integer, money is a `Decimal` of four
places, text is taken as if it were typed. What Excel would refuse raises `ComError` with
Excel's own numbers. It does not calculate: a formula keeps its saved value, unless the
test says what it gives (`Excel.results`).

`Excel.before_call` is asked before every call, so that a test can make any of them fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.datetime import CALENDAR_MAC_1904, from_excel, to_excel
from openpyxl.worksheet.formula import ArrayFormula

ERRORS = {
    "#NULL!": -2146826288,
    "#DIV/0!": -2146826281,
    "#VALUE!": -2146826273,
    "#REF!": -2146826265,
    "#NAME?": -2146826259,
    "#NUM!": -2146826252,
    "#N/A": -2146826246,
}
REJECTED, IGNORED, GONE, REFUSED = -2147418111, -2146777998, -2147417848, -2146827284
EXCEPTION = -2147352567
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_VISIBLE = -1
ALLOWANCES = (
    "AllowFormattingCells",
    "AllowFormattingColumns",
    "AllowFormattingRows",
    "AllowInsertingColumns",
    "AllowInsertingRows",
    "AllowInsertingHyperlinks",
    "AllowDeletingColumns",
    "AllowDeletingRows",
    "AllowSorting",
    "AllowFiltering",
    "AllowUsingPivotTables",
)
_TYPED_DATE = re.compile(
    r"(?:\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}:\d{2}"
    r"|(?:\d{1,2}[ -])?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ -]\d{1,4})",
    re.IGNORECASE,
)
Position = tuple[int, int]


class ComError(Exception):
    """What pywin32 raises: four arguments, and the same as attributes."""

    def __init__(self, hresult: int, text: str, scode: int | None = None) -> None:
        details = None if scode is None else (0, "Microsoft Excel", text, "", 0, scode)
        super().__init__(hresult, text, details, None)
        self.hresult, self.strerror, self.excepinfo, self.argerror = self.args


def refused(text: str) -> ComError:
    """Excel's run-time error 1004."""
    return ComError(EXCEPTION, text or "Exception occurred.", REFUSED)


@dataclass
class FakeTable:
    name: str
    top: int
    left: int
    bottom: int
    right: int
    has_totals: bool = False
    has_headings: bool = True
    is_filtered: bool = False


@dataclass
class FakeSheet:
    name: str
    cells: dict[Position, Any] = field(default_factory=dict)
    formulas: dict[Position, str] = field(default_factory=dict)
    arrays: dict[Position, tuple[int, int, int, int]] = field(default_factory=dict)
    formats: dict[Position, str] = field(default_factory=dict)
    tables: dict[str, FakeTable] = field(default_factory=dict)
    used: tuple[int, int, int, int] = (1, 1, 1, 1)
    visible: int = _VISIBLE
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    is_protected: bool = False
    password: str = ""
    allowances: dict[str, bool] = field(default_factory=dict)
    calculated: int = 0


@dataclass
class FakeBook:
    name: str
    full_name: str
    sheets: list[FakeSheet]
    names: dict[str, str]
    is_read_only: bool = False
    date_1904: bool = False
    active: str = ""

    def sheet(self, name: str) -> FakeSheet:
        for sheet in self.sheets:
            if sheet.name.casefold() == name.casefold():
                return sheet
        raise ComError(EXCEPTION, "Subscript out of range", -2147352565)


@dataclass
class Excel:
    """One Excel process and all that a test may arrange in it."""

    books: list[FakeBook] = field(default_factory=list)
    process: int = 4711
    before_call: Callable[[str], None] = field(default=lambda _what: None)
    results: dict[tuple[str, str], Callable[[FakeBook], Any]] = field(default_factory=dict)
    protected_views: list[tuple[str, str]] = field(default_factory=list)
    screen_updating: bool = True
    enable_events: bool = True
    calculation: str = "automatic"
    status_bar: Any = False
    selection: tuple[str, str, tuple[int, int, int, int]] | None = None
    said: list[str] = field(default_factory=list)

    def call(self, what: str) -> None:
        self.before_call(what)


def fake_book(path: Path, full_name: str = "") -> FakeBook:
    """Read a workbook from disk as Excel would open it."""
    book = openpyxl.load_workbook(path)
    saved = openpyxl.load_workbook(path, data_only=True)
    sheets = [_sheet(ws, saved[ws.title], book.epoch) for ws in book.worksheets]
    return FakeBook(
        name=path.name,
        full_name=full_name or str(path),
        sheets=sheets,
        names={name.casefold(): f"={item.attr_text}" for name, item in book.defined_names.items()},
        date_1904=book.epoch == CALENDAR_MAC_1904,
        active=book.active.title,
    )


def copy_of(book: FakeBook) -> FakeBook:
    """Return a copy to be changed."""
    return deepcopy(book)


def _sheet(ws: Any, saved: Any, epoch: datetime) -> FakeSheet:
    sheet = FakeSheet(name=ws.title, used=_bounds(ws))
    sheet.visible = {"visible": _VISIBLE, "hidden": 0, "veryHidden": 2}[ws.sheet_state]
    sheet.is_protected = bool(ws.protection.sheet)
    sheet.hidden_rows = {n for n, d in ws.row_dimensions.items() if d.hidden}
    for dimension in ws.column_dimensions.values():
        if dimension.hidden:
            sheet.hidden_columns |= set(range(dimension.min, dimension.max + 1))
    sheet.merged = [(r.min_row, r.min_col, r.max_row, r.max_col) for r in ws.merged_cells.ranges]
    for cell in ws._cells.values():  # noqa: SLF001  (a far cell would make iter_rows run for ever)
        _take_cell(sheet, cell, saved, epoch)
    for table in ws.tables.values():
        left, top, right, bottom = range_boundaries(table.ref)
        sheet.tables[table.displayName.casefold()] = FakeTable(
            name=table.displayName,
            top=top,
            left=left,
            bottom=bottom,
            right=right,
            has_totals=bool(table.totalsRowCount),
            has_headings=table.headerRowCount != 0,
            is_filtered=bool(table.autoFilter and table.autoFilter.filterColumn),
        )
    return sheet


def _bounds(ws: Any) -> tuple[int, int, int, int]:
    left, top, right, bottom = range_boundaries(ws.calculate_dimension())
    return top, left, bottom, right


def _take_cell(sheet: FakeSheet, cell: Cell, saved: Any, epoch: datetime) -> None:
    at = (cell.row, cell.column)
    if isinstance(cell, openpyxl.cell.MergedCell):
        return
    if cell.number_format != "General":
        sheet.formats[at] = cell.number_format
    value = cell.value
    if value is None:
        return
    if isinstance(value, ArrayFormula):
        left, top, right, bottom = range_boundaries(value.ref)
        sheet.arrays[at] = (top, left, bottom, right)
        value = value.text
    if cell.data_type == "f":
        sheet.formulas[at] = str(value)
        value, kind = saved.cell(*at).value, saved.cell(*at).data_type
    else:
        kind = cell.data_type
    if kind == "e":
        sheet.cells[at] = StoredError(str(value))
    elif isinstance(value, str | bool):
        sheet.cells[at] = value
    elif isinstance(value, datetime | date | time | timedelta):
        sheet.cells[at] = float(to_excel(value, epoch))
    elif value is not None:
        sheet.cells[at] = float(value)


@dataclass(frozen=True)
class StoredError:
    code: str


# -- What Excel does with what is typed, and how it shows what is stored


def type_into(sheet: FakeSheet, at: Position, value: Any) -> None:
    number_format = sheet.formats.get(at, "General")
    sheet.formulas.pop(at, None)
    sheet.cells.pop(at, None)
    if value is None:
        raise TypeError("a blank is written as an empty text")
    if value == "" and isinstance(value, str):
        return
    if isinstance(value, bool):
        sheet.cells[at] = str(value).upper() if number_format == "@" else value
    elif isinstance(value, int | float):
        sheet.cells[at] = f"{value:.15g}" if number_format == "@" else float(value)
    elif not isinstance(value, str):
        raise TypeError(f"Excel is given {type(value).__name__}")
    elif number_format == "@":
        sheet.cells[at] = value
    else:
        _typed_text(sheet, at, value)
    _widen(sheet, at)


def _typed_text(sheet: FakeSheet, at: Position, text: str) -> None:
    plain = text.strip()
    if text.startswith("'"):
        sheet.cells[at] = text[1:]
    elif plain.startswith("=") and len(plain) > 1:
        sheet.formulas[at] = text
        sheet.cells[at] = 0.0
    elif plain in ERRORS:
        sheet.cells[at] = StoredError(plain)
    elif plain.upper() in ("TRUE", "FALSE"):
        sheet.cells[at] = plain.upper() == "TRUE"
    elif _TYPED_DATE.fullmatch(plain):
        sheet.cells[at] = 46_023.0  # some date: never the text
        sheet.formats[at] = "dd/mm/yyyy"
    else:
        try:
            sheet.cells[at] = float(plain.replace(",", "").lstrip("£$").removesuffix("%"))
        except ValueError:
            if plain[:1] in ("+", "-", "@"):
                raise refused("That is not a formula") from None
            sheet.cells[at] = text


def _widen(sheet: FakeSheet, at: Position) -> None:
    top, left, bottom, right = sheet.used
    sheet.used = (min(top, at[0]), min(left, at[1]), max(bottom, at[0]), max(right, at[1]))


def com_value(sheet: FakeSheet, at: Position, excel: Excel, book: FakeBook) -> Any:
    address = f"{get_column_letter(at[1])}{at[0]}"
    result = excel.results.get((sheet.name, address))
    if result is not None and at in sheet.formulas:
        return result(book)
    value = sheet.cells.get(at)
    if isinstance(value, StoredError):
        return ERRORS[value.code]
    if not isinstance(value, float) or isinstance(value, bool):
        return value
    number_format = sheet.formats.get(at, "General")
    if "£" in number_format or "$#" in number_format:
        return Decimal(str(round(value, 4)))
    if is_date_format(number_format) and value >= 0:
        if book.date_1904:
            moment = from_excel(value, CALENDAR_MAC_1904)
            return moment.replace(tzinfo=UTC)
        return _EPOCH + timedelta(days=value)
    return value


def shown_in(sheet: FakeSheet, at: Position) -> str:
    if at in sheet.formulas:
        # A file numbers the workbooks that it refers to; Excel shows their names.
        return re.sub(r"\[\d+\]", "[Other.xlsx]", sheet.formulas[at])
    value = sheet.cells.get(at)
    if value is None:
        return ""
    if isinstance(value, StoredError):
        return value.code
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def array_at(sheet: FakeSheet, at: Position) -> tuple[int, int, int, int] | None:
    for bounds in sheet.arrays.values():
        if bounds[0] <= at[0] <= bounds[2] and bounds[1] <= at[1] <= bounds[3]:
            return bounds
    return None
