"""A custom engine for xlwings: its classes over `excel_in_memory`, without Excel or xlwings PRO.

It hands over what Excel over COM hands over: a single cell bare, a block as rows; and
Excel's own objects (``.api``) as far as the live adapter asks them.
"""

# ruff: noqa: N802  (Excel's own names)

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import xlwings
from openpyxl.utils import get_column_letter, range_boundaries
from xlwings import base_classes

from ports.excel_in_memory import (
    ALLOWANCES,
    ERRORS,
    EXCEPTION,
    REFUSED,
    ComError,
    Excel,
    FakeBook,
    FakeSheet,
    FakeTable,
    Position,
    StoredError,
    array_at,
    com_value,
    refused,
    shown_in,
    type_into,
)


def engine_for(*excels: Excel) -> xlwings.Engine:
    """Return an engine to be activated, in which those Excels run."""
    return xlwings.Engine(impl=_Engine(list(excels)))


# -- xlwings' own classes


class _Engine:
    name, type = "openpyxl", "desktop"

    def __init__(self, excels: list[Excel]) -> None:
        self._excels = excels

    @property
    def apps(self) -> _Apps:
        return _Apps(self._excels)


class _Apps(base_classes.Apps):
    def __init__(self, excels: list[Excel]) -> None:
        self._excels = excels

    def __iter__(self) -> Iterator[_App]:
        for excel in self._excels:
            yield _App(excel)

    def __len__(self) -> int:
        return len(self._excels)

    def keys(self) -> list[int]:
        return [excel.process for excel in self._excels]


def _property(name: str) -> property:
    def get(self: _App) -> Any:
        self.excel.call(f"get {name}")
        return getattr(self.excel, name)

    def put(self: _App, value: Any) -> None:
        self.excel.call(f"set {name}")
        if name == "status_bar" and isinstance(value, str):
            self.excel.said.append(value)
        setattr(self.excel, name, value)

    return property(get, put)


class _App(base_classes.App):
    def __init__(self, excel: Excel) -> None:
        self.excel = excel

    screen_updating = _property("screen_updating")
    enable_events = _property("enable_events")
    calculation = _property("calculation")
    status_bar = _property("status_bar")

    @property
    def api(self) -> _AppApi:
        return _AppApi(self.excel)

    @property
    def pid(self) -> int:
        return self.excel.process

    @property
    def books(self) -> _Books:
        return _Books(self.excel)

    @property
    def selection(self) -> _Range | None:
        self.excel.call("get selection")
        if self.excel.selection is None:
            return None
        book, sheet, bounds = self.excel.selection
        found = next(b for b in self.excel.books if b.name == book)
        return _Range(self.excel, found, found.sheet(sheet), *bounds)


class _Books(base_classes.Books):
    def __init__(self, excel: Excel) -> None:
        self.excel = excel

    def __iter__(self) -> Iterator[_Book]:
        self.excel.call("books")
        for book in self.excel.books:
            yield _Book(self.excel, book)

    def __call__(self, key: int | str) -> _Book:
        self.excel.call("book")
        if isinstance(key, int):
            return _Book(self.excel, self.excel.books[key - 1])
        return next(book for book in self if book.name.casefold() == key.casefold())

    def __len__(self) -> int:
        return len(self.excel.books)


class _Book(base_classes.Book):
    def __init__(self, excel: Excel, book: FakeBook) -> None:
        self.excel, self.book = excel, book

    @property
    def api(self) -> _BookApi:
        return _BookApi(self.excel, self.book)

    @property
    def name(self) -> str:
        self.excel.call("book name")
        return self.book.name

    @property
    def fullname(self) -> str:
        # As xlwings does it on Windows: settings of the workbook are read for a web address.
        if "://" in self.book.full_name:
            xlwings.utils.read_config_sheet(xlwings.Book(impl=self))
        return self.book.full_name

    @property
    def app(self) -> _App:
        self.excel.call("app")
        return _App(self.excel)

    @property
    def sheets(self) -> _Sheets:
        return _Sheets(self.excel, self.book)

    def save(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing is saved unasked")


class _Sheets(base_classes.Sheets):
    def __init__(self, excel: Excel, book: FakeBook) -> None:
        self.excel, self.book = excel, book

    @property
    def active(self) -> _Sheet:
        self.excel.call("active sheet")
        return _Sheet(self.excel, self.book, self.book.sheet(self.book.active))

    def __call__(self, key: int | str) -> _Sheet:
        self.excel.call("sheet")
        found = self.book.sheets[key - 1] if isinstance(key, int) else self.book.sheet(key)
        return _Sheet(self.excel, self.book, found)

    def __len__(self) -> int:
        return len(self.book.sheets)

    def __iter__(self) -> Iterator[_Sheet]:
        self.excel.call("sheets")
        for sheet in self.book.sheets:
            yield _Sheet(self.excel, self.book, sheet)


class _Sheet(base_classes.Sheet):
    def __init__(self, excel: Excel, book: FakeBook, sheet: FakeSheet) -> None:
        self.excel, self._book, self.sheet = excel, book, sheet

    @property
    def api(self) -> _SheetApi:
        return _SheetApi(self.excel, self._book, self.sheet)

    @property
    def name(self) -> str:
        self.excel.call("sheet name")
        return self.sheet.name

    @property
    def book(self) -> _Book:
        return _Book(self.excel, self._book)

    @property
    def used_range(self) -> _Range:
        self.excel.call("used range")
        return _Range(self.excel, self._book, self.sheet, *self.sheet.used)

    @property
    def tables(self) -> _Tables:
        return _Tables(self.excel, self._book, self.sheet)

    def range(self, arg1: Any, arg2: Any = None) -> _Range:
        if isinstance(arg1, str):
            left, top, right, bottom = range_boundaries(arg1.replace("$", ""))
            return _Range(self.excel, self._book, self.sheet, top, left, bottom, right)
        last = arg2 or arg1
        return _Range(self.excel, self._book, self.sheet, *arg1, *last)


class _Range(base_classes.Range):
    def __init__(
        self,
        excel: Excel,
        book: FakeBook,
        sheet: FakeSheet,
        top: int,
        left: int,
        bottom: int,
        right: int,
    ) -> None:
        self.excel, self.book, self.fake = excel, book, sheet
        self.r1, self.c1, self.r2, self.c2 = top, left, bottom, right

    @property
    def sheet(self) -> _Sheet:
        return _Sheet(self.excel, self.book, self.fake)

    @property
    def api(self) -> _RangeApi:
        return _RangeApi(self)

    @property
    def row(self) -> int:
        return self.r1

    @property
    def column(self) -> int:
        return self.c1

    @property
    def shape(self) -> tuple[int, int]:
        return self.r2 - self.r1 + 1, self.c2 - self.c1 + 1

    def __len__(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def address(self) -> str:
        first = f"${get_column_letter(self.c1)}${self.r1}"
        last = f"${get_column_letter(self.c2)}${self.r2}"
        return first if first == last else f"{first}:{last}"

    def positions(self) -> Iterator[Position]:
        for row in range(self.r1, self.r2 + 1):
            for column in range(self.c1, self.c2 + 1):
                yield row, column

    def each(self, give: Callable[[Position], Any]) -> Any:
        if len(self) == 1:
            return give((self.r1, self.c1))
        return tuple(
            tuple(give((row, column)) for column in range(self.c1, self.c2 + 1))
            for row in range(self.r1, self.r2 + 1)
        )

    @property
    def raw_value(self) -> Any:
        self.excel.call("read")
        return self.each(lambda at: com_value(self.fake, at, self.excel, self.book))

    @raw_value.setter
    def raw_value(self, data: Any) -> None:
        self.change("write")
        is_block = isinstance(data, list)
        for row, column in self.positions():
            value = data[row - self.r1][column - self.c1] if is_block else data
            if is_block and isinstance(value, str) and len(value) > 8203:
                raise refused("")
            type_into(self.fake, (row, column), value)
        if is_block:
            assert (len(data), len(data[0])) == self.shape

    def change(self, what: str) -> None:
        self.excel.call(what)
        if self.fake.is_protected:
            raise refused("The cell or chart you're trying to change is on a protected sheet")
        if self.fake.arrays and any(array_at(self.fake, at) for at in self.positions()):
            raise refused("You can't change part of an array")

    @property
    def number_format(self) -> str | None:
        self.excel.call("read format")
        found = {self.fake.formats.get(at, "General") for at in self.positions()}
        return found.pop() if len(found) == 1 else None

    @number_format.setter
    def number_format(self, value: str) -> None:
        self.change("write format")
        for at in self.positions():
            self.fake.formats[at] = value

    def autofill(self, destination: xlwings.Range, type_: str) -> None:
        self.change("write formats")
        assert type_ == "fill_formats"
        to = destination.impl
        assert (to.r1, to.c1, to.c2, self.r1) == (self.r1, self.c1, self.c2, self.r2)
        for row, column in to.positions():
            own = self.fake.formats.get((self.r1, column), "General")
            self.fake.formats[row, column] = own

    def clear_contents(self) -> None:
        self.change("clear")
        for at in self.positions():
            self.fake.cells.pop(at, None)
            self.fake.formulas.pop(at, None)


class _Tables(base_classes.Collection):
    def __init__(self, excel: Excel, book: FakeBook, sheet: FakeSheet) -> None:
        self.excel, self.book, self.sheet = excel, book, sheet

    def __iter__(self) -> Iterator[_Table]:
        self.excel.call("tables")
        for table in self.sheet.tables.values():
            yield _Table(self.excel, self.book, self.sheet, table)

    def __len__(self) -> int:
        return len(self.sheet.tables)


class _Table(base_classes.Table):
    def __init__(self, excel: Excel, book: FakeBook, sheet: FakeSheet, table: FakeTable) -> None:
        self.excel, self.book, self.sheet, self.table = excel, book, sheet, table

    @property
    def api(self) -> _TableApi:
        return _TableApi(self)

    @property
    def name(self) -> str:
        self.excel.call("table name")
        return self.table.name

    @property
    def show_headers(self) -> bool:
        self.excel.call("table headings")
        return self.table.has_headings

    @property
    def show_totals(self) -> bool:
        self.excel.call("table totals")
        return self.table.has_totals

    @property
    def range(self) -> _Range:
        self.excel.call("table range")
        t = self.table
        return _Range(self.excel, self.book, self.sheet, t.top, t.left, t.bottom, t.right)

    def resize(self, range: xlwings.Range) -> None:  # noqa: A002  (xlwings' own name)
        self.excel.call("resize")
        if self.sheet.is_protected:
            raise refused("This command can't be used on a protected sheet")
        new = range.impl
        for other in self.sheet.tables.values():
            apart = other.bottom < new.r1 or other.top > new.r2
            apart = apart or other.right < new.c1 or other.left > new.c2
            if other is not self.table and not apart:
                raise refused("A table cannot overlap another table")
        assert (new.r1, new.c1, new.c2) == (self.table.top, self.table.left, self.table.right)
        assert new.r2 > new.r1
        self.table.bottom = new.r2


# -- Excel's own objects, as far as the adapter asks them


class _AppApi:
    def __init__(self, excel: Excel) -> None:
        self._excel = excel

    @property
    def ProtectedViewWindows(self) -> _Items:
        views = [_View(*view) for view in self._excel.protected_views]
        return _Items(views)


@dataclass
class _View:
    SourcePath: str
    SourceName: str


class _Items:
    def __init__(self, items: list[Any]) -> None:
        self._items = items
        self.Count = len(items)

    def Item(self, number: int) -> Any:
        return self._items[number - 1]


class _BookApi:
    def __init__(self, excel: Excel, book: FakeBook) -> None:
        self._excel, self._book = excel, book

    @property
    def FullName(self) -> str:
        self._excel.call("full name")
        return self._book.full_name

    @property
    def ReadOnly(self) -> bool:
        self._excel.call("read only")
        return self._book.is_read_only

    @property
    def Date1904(self) -> bool:
        self._excel.call("date 1904")
        return self._book.date_1904

    @property
    def Names(self) -> _Names:
        return _Names(self._excel, self._book)


class _Names:
    def __init__(self, excel: Excel, book: FakeBook) -> None:
        self._excel, self._book = excel, book

    def Item(self, name: str) -> _Name:
        self._excel.call("name")
        if name.casefold() not in self._book.names:
            raise ComError(EXCEPTION, "Exception occurred.", REFUSED)
        return _Name(name, self._book.names[name.casefold()])


@dataclass
class _Name:
    Name: str
    RefersTo: str


class _SheetApi:
    def __init__(self, excel: Excel, book: FakeBook, sheet: FakeSheet) -> None:
        self._excel, self._book, self._sheet = excel, book, sheet
        self.Protection = _Protection(sheet)
        self.ProtectDrawingObjects = self.ProtectScenarios = sheet.is_protected
        self.ProtectionMode = False

    @property
    def Visible(self) -> int:
        return self._sheet.visible

    @property
    def ProtectContents(self) -> bool:
        self._excel.call("is protected")
        return self._sheet.is_protected

    def Unprotect(self, password: str) -> None:
        self._excel.call("unprotect")
        if self._sheet.password and password != self._sheet.password:
            raise refused("The password you supplied is not correct")
        self._sheet.is_protected = False

    def Protect(self, **options: bool) -> None:
        self._excel.call("protect")
        assert "Password" not in options
        self._sheet.is_protected = options["Contents"]
        self._sheet.allowances = {name: options[name] for name in ALLOWANCES}

    def Activate(self) -> None:
        self._excel.call("activate")
        self._book.active = self._sheet.name

    def Calculate(self) -> None:
        self._excel.call("calculate")
        self._sheet.calculated += 1

    @property
    def Cells(self) -> _Cells:
        return _Cells(self._excel, self._sheet)


class _Protection:
    def __init__(self, sheet: FakeSheet) -> None:
        for name in ALLOWANCES:
            setattr(self, name, sheet.allowances.get(name, False))


class _Cells:
    def __init__(self, excel: Excel, sheet: FakeSheet) -> None:
        self._excel, self._sheet = excel, sheet

    def SpecialCells(self, kind: int) -> Any:
        self._excel.call("special cells")
        wanted = self._sheet.formulas if kind == -4123 else self._sheet.cells.keys()
        found = [at for at in wanted if kind == -4123 or at not in self._sheet.formulas]
        if not found:
            raise refused("No cells were found.")

        @dataclass
        class Area:
            Address: str

        class Special:
            Areas = _Items([Area(f"${get_column_letter(c)}${r}") for r, c in sorted(found)])

        return Special()


class _RangeApi:
    def __init__(self, cells: _Range) -> None:
        self._cells = cells

    @property
    def Value2(self) -> Any:
        its = self._cells
        its.excel.call("read")

        def plain(at: Position) -> Any:
            value = its.fake.cells.get(at)
            return ERRORS[value.code] if isinstance(value, StoredError) else value

        return its.each(plain)

    @property
    def Formula2(self) -> Any:
        its = self._cells
        its.excel.call("read formula")
        return its.each(lambda at: shown_in(its.fake, at))

    @Formula2.setter
    def Formula2(self, text: str) -> None:
        its = self._cells
        its.change("write formula")
        for at in its.positions():
            its.fake.formulas[at] = text
            its.fake.cells.setdefault(at, 0.0)

    def Select(self) -> None:
        its = self._cells
        its.excel.call("select")
        its.excel.selection = (its.book.name, its.fake.name, (its.r1, its.c1, its.r2, its.c2))

    @property
    def HasFormula(self) -> bool | None:
        its = self._cells
        its.excel.call("has formula")
        inside = [at for at in its.fake.formulas if _holds(its, at)]
        return False if not inside else True if len(inside) == len(its) else None

    @property
    def HasArray(self) -> bool | None:
        its = self._cells
        inside = [at for at in its.positions() if array_at(its.fake, at)] if its.fake.arrays else []
        return False if not inside else True if len(inside) == len(its) else None

    @property
    def CurrentArray(self) -> _RangeApi:
        its = self._cells
        bounds = array_at(its.fake, (its.r1, its.c1))
        assert bounds is not None
        return _RangeApi(_Range(its.excel, its.book, its.fake, *bounds))

    @property
    def EntireRow(self) -> _Hidden:
        its = self._cells
        return _Hidden(its.excel, range(its.r1, its.r2 + 1), its.fake.hidden_rows)

    @property
    def EntireColumn(self) -> _Hidden:
        its = self._cells
        return _Hidden(its.excel, range(its.c1, its.c2 + 1), its.fake.hidden_columns)

    @property
    def MergeCells(self) -> bool | None:
        its = self._cells
        its.excel.call("merged")
        meets = [m for m in its.fake.merged if _meets(its, m)]
        inside = any(
            m[0] <= its.r1 and m[1] <= its.c1 and m[2] >= its.r2 and m[3] >= its.c2 for m in meets
        )
        return False if not meets else True if inside else None

    @property
    def MergeArea(self) -> _RangeApi:
        its = self._cells
        bounds = next(m for m in its.fake.merged if _meets(its, m))
        return _RangeApi(_Range(its.excel, its.book, its.fake, *bounds))

    @property
    def Address(self) -> str:
        return self._cells.address


def _holds(cells: _Range, at: Position) -> bool:
    return cells.r1 <= at[0] <= cells.r2 and cells.c1 <= at[1] <= cells.c2


def _meets(cells: _Range, bounds: tuple[int, int, int, int]) -> bool:
    top, left, bottom, right = bounds
    return not (bottom < cells.r1 or top > cells.r2 or right < cells.c1 or left > cells.c2)


class _Hidden:
    def __init__(self, excel: Excel, numbers: range, hidden: set[int]) -> None:
        self._excel, self._numbers, self._hidden = excel, numbers, hidden

    @property
    def Hidden(self) -> bool | None:
        self._excel.call("hidden")
        states = {n in self._hidden for n in self._numbers}
        return states.pop() if len(states) == 1 else None


class _TableApi:
    def __init__(self, table: _Table) -> None:
        self._table = table

    @property
    def AutoFilter(self) -> _Filter:
        return _Filter(self._table)


class _Filter:
    def __init__(self, table: _Table) -> None:
        self._table = table

    @property
    def FilterMode(self) -> bool:
        return self._table.table.is_filtered

    def ShowAllData(self) -> None:
        self._table.excel.call("show all")
        self._table.table.is_filtered = False
        its = self._table.table
        self._table.sheet.hidden_rows -= set(range(its.top, its.bottom + 1))
