"""Small made-up lists for tests: clean, deterministic, to be dirtied by each test."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import xlsxwriter

from demand_model.annex_a import LISTS, CellError, RawSheet, UncalculatedFormula

CENSUS = date(2024, 3, 31)
START = date(2023, 10, 1)
Rows = list[list[object]]
"""A heading row, then a row a record, in official order."""

_SOURCES = ("q) 6: Police", "e) 2A: Schools", "a) 1A: Individual", "g) 3A: Health services")
_PLACEMENTS = (
    "f) U6: Foster placement - not FFA",
    "p) K2: Children’s Homes",
    "n) H5: Residential accommodation",
)
_PROVIDERS = ("b) PR1: Own provision", "e) PR4: Private provision")
_REASONS = (
    "e) E4A: Returned home to live with parents or relatives - part of planning",
    "a) E11: Adopted - application unopposed",
)


def at(year: int, month: int, day: int, *clock: int) -> datetime:
    """A moment as Excel has it: without a time zone."""
    return datetime(year, month, day, *clock)  # noqa: DTZ001


def moment(day: date) -> datetime:
    return at(day.year, day.month, day.day)


def column(list_number: int, name: str) -> int:
    """Index of a field's column in the rows of a list."""
    return [f.name for f in LISTS[list_number].fields].index(name)


def _row(list_number: int, **values: object) -> list[object]:
    return [values.get(f.name) for f in LISTS[list_number].fields]


def _headings(list_number: int) -> list[object]:
    return list(LISTS[list_number].headings)


class Maker:
    """Draws the values of one child's row."""

    def __init__(self, seed: int, census: date, months: int) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.census = census
        self.days = int(months * 30.4) - 2
        self.next_id = 10_000

    def child(self, youngest: float = 1.0, oldest: float = 15.0) -> dict[str, object]:
        self.next_id += self.random.randint(1, 9)
        birth = self.census - timedelta(days=int(self.random.uniform(youngest, oldest) * 365.25))
        return {
            "child_id": self.next_id,
            "gender": "a) Male",
            "ethnicity": "a) WBRI",
            "date_of_birth": moment(birth),
            "age": int((self.census - birth).days / 365.25),
            "team": "Team 1",
            "worker": "A Worker",
        }

    def recent(self, i: int, n: int) -> datetime:
        """Events spread evenly over the window, the last on the census date."""
        return moment(self.census - timedelta(days=int(self.days * i / max(1, n - 1))))

    def earlier(self, before: datetime, most: int) -> datetime:
        return before - timedelta(days=self.random.randint(20, most))


def clean_lists(
    *,
    seed: int = 1,
    referrals: int = 60,
    plans: int = 60,
    care: int = 60,
    census: date = CENSUS,
    months: int = 6,
) -> dict[int, Rows]:
    """Lists 3, 7 and 8 with nothing wrong in them; a third of plans and care rows have ended."""
    make = Maker(seed, census, months)
    pick = make.random.choice
    list_3: Rows = [_headings(3)]
    for i in range(referrals):
        list_3.append(
            _row(3, **make.child(), date=make.recent(i, referrals), source=pick(_SOURCES),
                 nfa=pick(("a) Yes", "b) No")), previous_referrals=make.random.randint(0, 2))
        )  # fmt: skip
    list_7: Rows = [_headings(7)]
    for i in range(plans):
        ended = i % 3 == 0
        end = make.recent(i, plans) if ended else None
        start = make.earlier(end, 250) if end else make.recent(i, plans)
        list_7.append(
            _row(7, **make.child(2), disability="b) No", start=start, end=end,
                 initial_category="a) Neglect", category="a) Neglect", previous_plans=0)
        )  # fmt: skip
    list_8: Rows = [_headings(8)]
    for i in range(care):
        ended = i % 3 == 0
        end = make.recent(i, care) if ended else None
        start = make.earlier(end, 300) if end else make.recent(i, care)
        list_8.append(
            _row(8, **make.child(2), disability="b) No", uasc="b) No", start=start, end=end,
                 category_of_need="N1 - Abuse or neglect", second_period="b) No",
                 legal_status="C2: FCO", reason_ceased=pick(_REASONS) if ended else None,
                 placement_start=start, placement_type=pick(_PLACEMENTS),
                 placement_provider=pick(_PROVIDERS), placements_12_months=1)
        )  # fmt: skip
    return {3: list_3, 7: list_7, 8: list_8}


def raw_sheet(rows: Rows, name: str, **facts: object) -> RawSheet:
    width = max((len(row) for row in rows), default=0)
    cells = np.empty((len(rows), width), dtype=object)
    for i, row in enumerate(rows):
        cells[i, : len(row)] = row
    return RawSheet(file="lists.xlsx", sheet=name, cells=cells, **facts)  # type: ignore[arg-type]


def raw_sheets(lists: dict[int, Rows]) -> list[RawSheet]:
    return [raw_sheet(rows, f"List {number}") for number, rows in lists.items()]


Extra = Callable[[xlsxwriter.Workbook, dict[str, xlsxwriter.worksheet.Worksheet]], None]


def save_workbook(
    path: Path,
    sheets: dict[str, Rows],
    *,
    extra: Extra | None = None,
    options: dict[str, object] | None = None,
) -> Path:
    """Write sheets of rows as a workbook; errors and formulas without a value as themselves."""
    book = xlsxwriter.Workbook(str(path), options or {})
    dates = book.add_format({"num_format": "dd/mm/yyyy"})
    made = {}
    for name, rows in sheets.items():
        sheet = made[name] = book.add_worksheet(name)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                _write(sheet, i, j, value, dates)
    if extra:
        extra(book, made)
    book.close()
    return path


def _write(sheet, i: int, j: int, value: object, dates) -> None:  # type: ignore[no-untyped-def]
    if isinstance(value, datetime):
        sheet.write_datetime(i, j, value, dates)
    elif isinstance(value, CellError):
        sheet.write_formula(i, j, "=NA()", None, value.code)
    elif isinstance(value, UncalculatedFormula):
        sheet.write_formula(i, j, "=A1", None, "")
    elif isinstance(value, str):
        sheet.write_string(i, j, value)
    elif value is not None:
        sheet.write(i, j, value)


def save_lists(path: Path, lists: dict[int, Rows], **more: object) -> Path:
    return save_workbook(path, {f"List {n}": rows for n, rows in lists.items()}, **more)  # type: ignore[arg-type]
