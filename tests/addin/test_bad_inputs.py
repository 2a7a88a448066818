"""What goes wrong in a pasted workbook: each case a small workbook and its outcome.

The numbers are those of the project's catalogue of bad inputs. A case dirties
clean lists of 60 rows, saves them, reads them and checks them.
"""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from demand_addin.read import read_sheets
from demand_model.annex_a import (
    CellError,
    CheckResult,
    CheckSettings,
    Finding,
    Severity,
    UncalculatedFormula,
    check,
    check_repeat,
    list_hash,
    recognise,
)
from demand_model.errors import InvalidInputError
from list_builders import (
    CENSUS,
    Rows,
    at,
    clean_lists,
    column,
    moment,
    raw_sheet,
    raw_sheets,
    save_lists,
    save_workbook,
)

pytestmark = pytest.mark.unit

STOP, ASIDE, WARN = Severity.STOP, Severity.SET_ASIDE, Severity.WARN
CLEANED, NOTE = Severity.CLEANED, Severity.NOTE
Lists = dict[int, Rows]


def put(lists: Lists, number: int, name: str, row: int, value: object) -> None:
    """Set a cell; row 2 is the first record, as in Excel."""
    lists[number][row - 1][column(number, name)] = value


def put_column(lists: Lists, number: int, name: str, make: Callable[[object], object]) -> None:
    for row in lists[number][1:]:
        row[column(number, name)] = make(row[column(number, name)])


@dataclass(frozen=True)
class Case:
    """A way of dirtying clean lists, and what must be found."""

    number: str
    dirty: Callable[[Lists], object]
    rule: str
    severity: Severity
    sheet: str = "List 3"
    cell: str | None = None
    aside: int = 0
    """Rows set aside in the finding's list."""
    stops: bool = False
    settings: CheckSettings | None = None
    found: int = 60

    @property
    def list_number(self) -> int:
        return int(self.sheet[-1]) if self.sheet else 3


def in_text(order: str) -> Callable[[object], object]:
    def write(value: object) -> object:
        return value.strftime(order) if isinstance(value, datetime) else value

    return write


def by_us_excel(value: object) -> object:
    """What Excel with US settings makes of day/month text."""
    if not isinstance(value, datetime):
        return value
    if value.day <= 12:
        return at(value.year, value.day, value.month)
    return value.strftime("%d/%m/%Y")


def edit(number: int, name: str, row: int, value: object) -> Callable[[Lists], None]:
    return lambda lists: put(lists, number, name, row, value)


def heading(number: int, name: str, text: object) -> Callable[[Lists], None]:
    return edit(number, name, 1, text)


def append(number: int, *values: object) -> Callable[[Lists], None]:
    return lambda lists: lists[number].append(list(values))


def copy_row(number: int, row: int, **changes: object) -> Callable[[Lists], None]:
    def dirty(lists: Lists) -> None:
        again = list(lists[number][row - 1])
        for name, value in changes.items():
            again[column(number, name)] = value
        lists[number].append(again)

    return dirty


def all_of(*edits: Callable[[Lists], object]) -> Callable[[Lists], None]:
    def dirty(lists: Lists) -> None:
        for one in edits:
            one(lists)

    return dirty


def child_of(lists: Lists, number: int, row: int) -> object:
    return lists[number][row - 1][column(number, "child_id")]


def repeated_headings(lists: Lists) -> None:
    lists[3].insert(30, list(lists[3][0]))


def drop_column(number: int, name: str) -> Callable[[Lists], None]:
    def dirty(lists: Lists) -> None:
        j = column(number, name)
        lists[number][:] = [row[:j] + row[j + 1 :] for row in lists[number]]

    return dirty


def add_column(number: int, title: str, value: object, at: int = 0) -> Callable[[Lists], None]:
    def dirty(lists: Lists) -> None:
        for i, row in enumerate(lists[number]):
            row.insert(at, title if i == 0 else value)

    return dirty


def shuffle_columns(lists: Lists) -> None:
    order = list(range(len(lists[8][0])))
    random.Random(4).shuffle(order)  # noqa: S311
    lists[8][:] = [[row[j] for j in order] for row in lists[8]]


def blank_columns(lists: Lists) -> None:
    lists[7][:] = [[v for value in row for v in (value, None)] for row in lists[7]]


def titles(lists: Lists) -> None:
    lists[3][:0] = [["List 3: Referral"], ["An Authority"], []]


def two_row_headings(lists: Lists) -> None:
    top = list(lists[3][0])
    below: list[object] = [None] * len(top)
    j = column(3, "date")
    top[j], below[j] = "Date of", "referral"
    for k in range(len(top)):
        if k != j:
            top[k], below[k] = None, top[k]
    lists[3][:1] = [top, below]


def dressed_headings(lists: Lists) -> None:
    lists[8][0] = [
        f"  {str(h).upper().replace(' ', chr(160) + chr(10), 1).replace(chr(39), '’')} *"
        for h in lists[8][0]
    ]


def no_rows(number: int) -> Callable[[Lists], None]:
    def dirty(lists: Lists) -> None:
        lists[number][:] = lists[number][:1]

    return dirty


def wrong_list(lists: Lists) -> None:
    lists[8] = [list(row) for row in lists[7]]
    lists[7] = [["nothing"]]


def behind(lists: Lists) -> None:
    def earlier(value: object) -> object:
        return value - timedelta(days=70) if isinstance(value, datetime) else value

    for name in ("start", "end"):
        put_column(lists, 7, name, earlier)


def ids_as(number: int, make: Callable[[object], object]) -> Callable[[Lists], None]:
    return lambda lists: put_column(lists, number, "child_id", make)


def merging_ids(lists: Lists) -> None:
    put(lists, 3, "child_id", 5, "0555")
    put(lists, 3, "child_id", 6, "555")


def same_child(lists: Lists) -> None:
    """The child of row 2 of List 8 also opens List 7, there with a leading zero."""
    put(lists, 7, "child_id", 2, f"0{child_of(lists, 8, 2)}")
    put(lists, 7, "date_of_birth", 2, lists[8][1][column(8, "date_of_birth")])


def overlapping(lists: Lists) -> None:
    start = lists[8][2][column(8, "start")]
    assert isinstance(start, datetime)
    copy_row(8, 3, start=start + timedelta(days=2), placement_start=start + timedelta(days=2))(
        lists
    )


FAR = at(9999, 12, 31)
IN_2031 = moment(CENSUS + timedelta(days=2600))
BORN_2005 = at(2005, 5, 5)
SHORT_TEXT = in_text("%d/%m/%y")
CODE_TWICE = "Trampoline"

CASES = [
    # Sheets and headings
    Case("28", lambda lists: lists.pop(7), "list-missing", STOP, "", stops=True),
    Case("31", wrong_list, "wrong-list", STOP, "List 8", "A1", stops=True),
    Case("33", no_rows(7), "list-empty", STOP, "List 7", "A1", stops=True, found=0),
    Case("34", titles, "headings-below-top", NOTE, "List 3", "A4"),
    Case("35", repeated_headings, "heading-repeated", ASIDE, "List 3", "A31", 1, found=61),
    Case("36", two_row_headings, "headings-below-top", NOTE, "List 3", "A2"),
    Case("37", dressed_headings, "window-detected", NOTE, "List 8"),
    Case("38", heading(3, "date", "ReferralDate"), "heading-synonym", CLEANED, "List 3", "F1"),
    Case("39", add_column(3, "Agency", "x", 4), "columns-extra", NOTE, "List 3", "A1"),
    Case(
        "40",
        add_column(3, "Date of referral", moment(CENSUS), 11),
        "heading-twice",
        STOP,
        "List 3",
        "F1",
        stops=True,
    ),
    Case(
        "41",
        heading(3, "date", "Day it came in"),
        "column-missing",
        STOP,
        "List 3",
        "A1",
        stops=True,
    ),
    Case("42", add_column(7, "Our own column", "private", 17), "columns-extra", NOTE, "List 7"),
    Case("43", shuffle_columns, "window-detected", NOTE, "List 8"),
    Case("44", blank_columns, "window-detected", NOTE, "List 7"),
    Case(
        "51",
        append(3, "Grand total", None, None, None, None, None, None, None, 60),
        "total-row",
        ASIDE,
        "List 3",
        "A62",
        1,
        found=61,
    ),
    Case(
        "51-count",
        append(3, None, None, None, "Count: 60"),
        "total-row",
        ASIDE,
        "List 3",
        "A62",
        1,
        found=61,
    ),
    Case(
        "52",
        append(3, "Source: case system, run on Monday"),
        "footnote",
        ASIDE,
        "List 3",
        "A62",
        1,
        found=61,
    ),
    Case("53", lambda lists: lists[3].insert(20, []), "blank-rows", NOTE, "List 3"),
    Case(
        "54",
        lambda lists: lists[3].__setitem__(slice(None), [[None, None, *r] for r in lists[3]]),
        "window-detected",
        NOTE,
        "List 3",
    ),
    Case(
        "55",
        lambda lists: lists[3].extend([[], *lists[7]]),
        "two-tables",
        STOP,
        "List 3",
        "A63",
        stops=True,
    ),
    # Cells
    *[
        Case(
            f"57-{code}",
            edit(3, "date", 5, CellError(code)),
            "error-value",
            ASIDE,
            "List 3",
            "F5",
            1,
        )
        for code in ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
    ],
    Case(
        "57-category", edit(3, "source", 5, CellError("#N/A")), "error-value", WARN, "List 3", "G5"
    ),
    Case(
        "59",
        edit(3, "date", 5, UncalculatedFormula()),
        "formula-uncalculated",
        STOP,
        "List 3",
        "F5",
        1,
        stops=True,
    ),
    *[
        Case(f"61-{word}", edit(7, "end", 3, word), "blank-word", CLEANED, "List 7", "M3")
        for word in (
            "NULL",
            "N/A",
            "None",
            "nan",
            "-",
            ".",
            "?",
            "TBC",
            "Unknown",
            "#MULTIVALUE",
            "(blank)",
        )
    ],
    Case("61-needed", edit(3, "date", 5, "N/A"), "date-missing", ASIDE, "List 3", "F5", 1),
    *[
        Case(f"62-{name}", edit(7, "end", 3, space), "window-detected", NOTE, "List 7")
        for name, space in (
            ("spaces", "  "),
            ("no-break", "\xa0"),
            ("zero-width", "\u200b"),
            ("tab", "\t"),
        )
    ],
    Case("63", edit(3, "date", 5, "'31/12/2023"), "date-as-text", CLEANED, "List 3", "F5"),
    Case("65", edit(3, "source", 5, "q) 6: Police_x000D_"), "window-detected", NOTE),
    Case("72", edit(8, "uasc", 5, True), "window-detected", NOTE, "List 8"),
    # Dates
    *[
        Case(
            f"{number}-{order}",
            lambda lists, o=order: put_column(lists, 3, "date", in_text(o)),
            "date-as-text",
            CLEANED,
            "List 3",
            "F2",
        )
        for number, orders in {
            "74": ("%d/%m/%Y", "%d-%m-%Y"),
            "75": ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"),
            "76": ("%d %B %Y", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y"),
        }.items()
        for order in orders
    ],
    Case(
        "76-short",
        lambda lists: put_column(lists, 3, "date", in_text("%d-%b-%y")),
        "date-two-digit-year",
        CLEANED,
        "List 3",
        "F2",
    ),
    Case(
        "77",
        lambda lists: [put(lists, 3, "date", r, f"{r % 12 + 1:02}/03/2024") for r in range(2, 62)],
        "date-order-ambiguous",
        WARN,
        "List 3",
        "F2",
    ),
    Case(
        "78",
        lambda lists: [
            put(lists, 3, "date", 5, "31/12/2023"),
            put(lists, 3, "date", 6, "12/31/2023"),
        ],
        "date-order-contradictory",
        STOP,
        "List 3",
        stops=True,
        aside=1,
    ),
    Case(
        "79",
        lambda lists: put_column(lists, 3, "date", by_us_excel),
        "date-swapped-by-excel",
        STOP,
        "List 3",
        stops=True,
    ),
    Case(
        "80",
        lambda lists: put_column(lists, 3, "date", lambda v: (v - at(1899, 12, 30)).days),
        "date-serial-number",
        CLEANED,
        "List 3",
        "F2",
    ),
    Case("80-one", edit(3, "date", 5, 45291), "date-as-number", ASIDE, "List 3", "F5", 1),
    Case(
        "81",
        lambda lists: put_column(lists, 3, "date", lambda v: str((v - at(1899, 12, 30)).days)),
        "date-serial-number",
        CLEANED,
        "List 3",
        "F2",
    ),
    Case(
        "84",
        lambda lists: put_column(lists, 3, "date_of_birth", SHORT_TEXT),
        "date-two-digit-year",
        CLEANED,
        "List 3",
        "D2",
    ),
    *[
        Case(f"85-{value}", edit(3, "date", 5, value), "date-placeholder", ASIDE, "List 3", "F5", 1)
        for value in ("00/01/1900", "01/01/1900", "31/12/1899", 0, 1)
    ],
    Case("86-end", edit(7, "end", 3, FAR), "end-open-placeholder", CLEANED, "List 7", "M3"),
    Case(
        "86-text", edit(7, "end", 3, "01/01/2099"), "end-open-placeholder", CLEANED, "List 7", "M3"
    ),
    Case("86-start", edit(7, "start", 3, FAR), "date-placeholder", ASIDE, "List 7", "G3", 1),
    *[
        Case(f"{number}-{value}", edit(3, "date", 5, value), rule, ASIDE, "List 3", "F5", 1)
        for number, value, rule in (
            ("87", "31/02/2023", "date-unreadable"),
            ("87", "00/00/0000", "date-unreadable"),
            ("88", "31/12/0023", "date-out-of-range"),
            ("88", "31/12/2203", "date-out-of-range"),
            ("89", "2023", "date-incomplete"),
            ("89", "Dec 2023", "date-incomplete"),
            ("90", "00:00.0", "date-unreadable"),
            ("93", "########", "date-unreadable"),
            ("92", "31/12/2023 (expected)", "date-unreadable"),
        )
    ],
    Case("91", edit(3, "date", 5, at(2023, 12, 31, 23, 59, 59)), "window-detected", NOTE),
    Case("92-space", edit(3, "date", 5, "31/12/2023\xa0"), "date-as-text", CLEANED, "List 3", "F5"),
    Case("94", edit(3, "date", 5, IN_2031), "date-in-future", ASIDE, "List 3", "F5", 1),
    Case(
        "95",
        edit(3, "date", 5, "2023-12-31T10:00:00+01:00"),
        "date-as-text",
        CLEANED,
        "List 3",
        "F5",
    ),
    # Identifiers
    Case("96", edit(3, "child_id", 5, None), "id-missing", ASIDE, "List 3", "A5", 1),
    Case("97", merging_ids, "id-ambiguous", STOP, "List 3", "A5", stops=True),
    Case("98", same_child, "id-leading-zeros", CLEANED, "List 7", "A2"),
    Case(
        "99",
        ids_as(3, lambda v: int(v) * 10**13 if v else v),
        "id-damaged",
        STOP,
        "List 3",
        "A2",
        stops=True,
    ),
    Case(
        "99-text",
        edit(3, "child_id", 5, "1.23E+17"),
        "id-damaged",
        STOP,
        "List 3",
        "A5",
        stops=True,
    ),
    Case(
        "100",
        edit(3, "child_id", 5, at(2024, 2, 1)),
        "id-as-date",
        STOP,
        "List 3",
        "A5",
        1,
        stops=True,
    ),
    Case(
        "101",
        all_of(ids_as(7, lambda v: f" ab{v} "), ids_as(8, lambda v: f"AB{v}")),
        "children-in-care-only",
        NOTE,
        "List 8",
    ),
    Case(
        "102",
        lambda lists: [put(lists, 3, "child_id", 5, child_of(lists, 3, 6))],
        "birth-conflict",
        WARN,
        "List 3",
    ),
    Case("104", ids_as(3, lambda _: "Ann Example"), "id-is-name", STOP, "List 3", "A2", stops=True),
    # Logic
    Case("105", copy_row(3, 5), "duplicate-row", CLEANED, "List 3", "F62", 1, found=61),
    Case(
        "106",
        copy_row(8, 2, end=None, reason_ceased=None),
        "same-start",
        CLEANED,
        "List 8",
        "H62",
        1,
        found=61,
    ),
    Case("107", overlapping, "overlap-merged", CLEANED, "List 8", "H3", 1, found=61),
    Case("109", edit(7, "end", 3, at(2001, 1, 1)), "end-before-start", ASIDE, "List 7", "M3", 1),
    Case(
        "110",
        lambda lists: put(lists, 7, "end", 3, lists[7][2][column(7, "start")]),
        "zero-days",
        WARN,
        "List 7",
        "M3",
    ),
    Case("111", overlapping, "overlap-merged", CLEANED, "List 8", "H3", 1, found=61),
    Case("112", edit(8, "date_of_birth", 61, at(2006, 3, 1)), "past-18", WARN, "List 8", "T61"),
    Case(
        "112-long-ago",
        edit(8, "date_of_birth", 61, at(2005, 1, 1)),
        "adult-at-start",
        ASIDE,
        "List 8",
        "H61",
        1,
    ),
    Case(
        "113-old",
        edit(3, "date_of_birth", 5, at(1990, 1, 1)),
        "age-out-of-range",
        ASIDE,
        "List 3",
        "D5",
        1,
    ),
    Case(
        "113-ahead",
        edit(3, "date_of_birth", 5, moment(CENSUS + timedelta(days=330))),
        "age-out-of-range",
        ASIDE,
        "List 3",
        "D5",
        1,
    ),
    Case(
        "114",
        edit(3, "date_of_birth", 5, moment(CENSUS + timedelta(days=60))),
        "unborn",
        NOTE,
        "List 3",
        "D5",
    ),
    Case(
        "114-care",
        edit(8, "date_of_birth", 6, moment(CENSUS + timedelta(days=60))),
        "unborn-in-care",
        ASIDE,
        "List 8",
        "D6",
        1,
    ),
    Case(
        "114-age",
        all_of(edit(3, "date_of_birth", 5, None), edit(3, "age", 5, -1)),
        "unborn",
        NOTE,
        "List 3",
        "D5",
    ),
    Case(
        "115",
        lambda lists: put(lists, 8, "date_of_birth", 5, moment(CENSUS)),
        "birth-after-event",
        ASIDE,
        "List 8",
        "H5",
        1,
    ),
    Case("116", edit(3, "age", 5, 24), "age-disagrees", WARN, "List 3", "E5"),
    Case("117", edit(3, "date_of_birth", 5, None), "birth-from-age", WARN, "List 3", "D5"),
    Case("118", edit(8, "reason_ceased", 3, "E4A"), "reason-without-end", WARN, "List 8", "U3"),
    Case(
        "119",
        edit(8, "placement_start", 3, at(2001, 1, 1)),
        "placement-before-care",
        WARN,
        "List 8",
        "V3",
    ),
    Case(
        "120",
        edit(8, "placement_type", 3, "x) T1: Temporary placement - hospital"),
        "placement-temporary",
        WARN,
        "List 8",
        "W3",
    ),
    Case(
        "124",
        lambda lists: [put(lists, 8, "placement_type", r, CODE_TWICE) for r in (3, 4)],
        "too-many-unmapped",
        STOP,
        "List 8",
        "W3",
        stops=True,
    ),
    Case(
        "124-source",
        lambda lists: [put(lists, 3, "source", r, "GATE") for r in range(3, 20)],
        "unmapped",
        WARN,
        "List 3",
        "G3",
    ),
    Case(
        "125",
        lambda lists: [
            put(lists, 8, "placement_type", r, v) for r, v in ((3, "u1"), (4, " U 1"), (5, "Ｕ1"))
        ],
        "window-detected",
        NOTE,
        "List 8",
    ),
    Case("127", lambda _: None, "children-in-care-only", NOTE, "List 8"),
    Case("128", lambda _: None, "window-detected", NOTE, "List 3"),
    Case("129", behind, "census-date-inconsistent", STOP, "", stops=True),
    Case(
        "129-set", behind, "census-date-set", NOTE, "", settings=CheckSettings(census_date=CENSUS)
    ),
    Case("short-break", edit(8, "legal_status", 3, "V4"), "short-break", ASIDE, "List 8", "L3", 1),
    Case(
        "limit",
        lambda lists: [put(lists, 3, "date", r, None) for r in (3, 4, 5, 6)],
        "too-many-set-aside",
        STOP,
        "List 3",
        "F3",
        4,
        stops=True,
    ),
]


def run(path: Path, lists: Lists, settings: CheckSettings | None = None) -> CheckResult:
    save_lists(path, lists)
    return check(read_sheets(path), settings)


def assert_rows_add_up(result: CheckResult) -> None:
    for tally in result.tallies:
        assert tally.found == tally.used + sum(tally.set_aside.values())
    if result.lists is not None:
        used = {t.list_number: t.used for t in result.lists.tallies}
        frames = {3: result.lists.referrals, 7: result.lists.plans, 8: result.lists.care}
        assert used == {number: len(frame) for number, frame in frames.items()}


def only(findings: tuple[Finding, ...]) -> Finding:
    assert len(findings) == 1, [f.message for f in findings]
    return findings[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_a_dirty_workbook_has_its_outcome(case: Case, tmp_path: Path) -> None:
    lists = clean_lists()
    case.dirty(lists)
    result = run(tmp_path / "book.xlsx", lists, case.settings)
    of_rule = [f for f in result.findings.with_rule(case.rule) if f.sheet == case.sheet]
    assert of_rule, [(f.rule, f.sheet, f.cell) for f in result.findings.items]
    assert {f.severity for f in of_rule} == {case.severity}
    if case.cell is not None:
        assert of_rule[0].cell == case.cell
    assert (result.lists is None) == case.stops, [f.message for f in result.findings.stops]
    if case.sheet and case.rule != "wrong-list":
        tally = next(t for t in result.tallies if t.list_number == case.list_number)
        assert tally.found == case.found
        assert sum(tally.set_aside.values()) == case.aside
    assert_rows_add_up(result)


def test_clean_lists_have_nothing_but_notes(tmp_path: Path) -> None:
    result = run(tmp_path / "book.xlsx", clean_lists())
    assert {f.severity for f in result.findings.items} == {Severity.NOTE}
    assert result.lists is not None
    assert result.lists.census_date == CENSUS
    assert {n: w.months for n, w in result.lists.windows.items()} == {3: 6, 7: 6, 8: 6}


@pytest.mark.parametrize("case", ["37", "43", "44", "54", "72", "91", "125"])
def test_cases_read_as_meant_lose_nothing(case: str, tmp_path: Path) -> None:
    lists = clean_lists()
    next(c for c in CASES if c.number == case).dirty(lists)
    result = run(tmp_path / "book.xlsx", lists)
    assert result.lists is not None
    assert [t.used for t in result.tallies] == [60, 60, 60]
    assert not [f for f in result.findings.items if f.severity in (STOP, ASIDE, WARN)]


def test_28_names_the_sheets_that_were_found(tmp_path: Path) -> None:
    lists = clean_lists()
    del lists[7]
    finding = only(run(tmp_path / "book.xlsx", lists).findings.with_rule("list-missing"))
    assert finding.list_number == 7
    assert "“List 3”, “List 8”" in finding.message


@pytest.mark.parametrize("name", ["LAC", "Sheet1", "cic  ", "list_8 "])
def test_29_a_renamed_sheet_is_known_by_its_headings(name: str, tmp_path: Path) -> None:
    lists = clean_lists()
    path = save_workbook(
        tmp_path / "b.xlsx", {"Referrals": lists[3], "CP": lists[7], name: lists[8]}
    )
    result = check(read_sheets(path))
    assert result.lists is not None
    noted = {f.list_number for f in result.findings.with_rule("list-recognised")}
    assert noted == ({3, 7} if "8" in name else {3, 7, 8})


def test_30_two_sheets_with_one_list_ask(tmp_path: Path) -> None:
    lists = clean_lists()
    sheets = {"List 3": lists[3], "List 7": lists[7], "Old": lists[8], "New": lists[8]}
    result = check(read_sheets(save_workbook(tmp_path / "b.xlsx", sheets)))
    finding = only(result.findings.with_rule("list-twice"))
    assert finding.severity is STOP
    assert "“Old” and “New”" in finding.message
    assert result.lists is None


def test_30_a_second_sheet_with_headings_only_is_passed_over(tmp_path: Path) -> None:
    lists = clean_lists()
    sheets = {"List 3": lists[3], "List 7": lists[7], "LAC": lists[8], "List 8": lists[8][:1]}
    result = check(read_sheets(save_workbook(tmp_path / "b.xlsx", sheets)))
    assert result.lists is not None
    assert only(result.findings.with_rule("list-headings-only-elsewhere")).sheet == "List 8"


def test_31_list_7_pasted_into_both_sheets_is_named(tmp_path: Path) -> None:
    lists = clean_lists()
    lists[8] = lists[7]
    result = run(tmp_path / "b.xlsx", lists)
    assert {f.rule for f in result.findings.stops} == {"wrong-list", "list-missing"}
    finding = only(result.findings.with_rule("wrong-list"))
    assert (finding.list_number, finding.sheet) == (8, "List 8")


def test_32_last_months_data_again_are_noticed(tmp_path: Path) -> None:
    first = recognise(read_sheets(save_lists(tmp_path / "a.xlsx", clean_lists())))
    again = clean_lists()
    again[3][1:] = reversed(again[3][1:])
    second = recognise(read_sheets(save_lists(tmp_path / "b.xlsx", again)))
    before = {n: list_hash(found) for n, found in first.lists.items()}
    now = {n: list_hash(found) for n, found in second.lists.items()}
    assert now == before
    findings = check_repeat(now, before).with_rule("list-unchanged")
    assert [f.list_number for f in findings] == [3, 7, 8]
    assert {f.severity for f in findings} == {WARN}
    put(again, 7, "end", 3, moment(CENSUS))
    third = recognise(read_sheets(save_lists(tmp_path / "c.xlsx", again)))
    changed = {n: list_hash(found) for n, found in third.lists.items()}
    assert [f.list_number for f in check_repeat(changed, before).items] == [3, 8]


def test_32_an_older_extract_is_noticed() -> None:
    older = CENSUS - timedelta(days=31)
    findings = check_repeat({3: "a"}, {3: "b"}, census=older, previous_census=CENSUS)
    assert only(findings.items).rule == "census-earlier"


def test_41_names_what_is_missing_and_the_nearest(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 8, "end", 1, "Date Ceased to be Cared For")
    finding = only(run(tmp_path / "b.xlsx", lists).findings.with_rule("column-missing"))
    assert "“Date Ceased to be Looked After”" in finding.message
    assert "“date ceased to be cared for”" in finding.message


@pytest.mark.parametrize("name", ["child_id", "start", "end"])
def test_41_each_needed_column_stops(name: str, tmp_path: Path) -> None:
    lists = clean_lists()
    drop_column(7, name)(lists)
    result = run(tmp_path / "b.xlsx", lists)
    assert only(result.findings.with_rule("column-missing")).severity is STOP
    assert result.lists is None


def test_57_errors_as_text_are_errors_not_blanks(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "date", 5, "#N/A")
    put(lists, 3, "child_id", 6, "#REF!")
    put(lists, 7, "end", 7, "#SPILL!")
    put(lists, 3, "source", 8, "#VALUE!")
    result = run(tmp_path / "b.xlsx", lists)
    found = result.findings.with_rule("error-value")
    assert {(f.sheet, f.cell) for f in found} == {
        ("List 3", "F5"), ("List 3", "A6"), ("List 7", "M7"), ("List 3", "G8"),
    }  # fmt: skip


def test_45_46_47_hidden_rows_columns_and_sheets_are_read_and_said(tmp_path: Path) -> None:
    def hide(_, made) -> None:
        for row in (4, 5, 6):
            made["List 3"].set_row(row, None, None, {"hidden": True})
        made["List 7"].set_column(6, 6, None, None, {"hidden": True})
        made["List 8"].hide()

    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", clean_lists(), extra=hide)))
    assert result.lists is not None
    assert [t.used for t in result.tallies] == [60, 60, 60]
    rows = only(result.findings.with_rule("rows-hidden"))
    assert (rows.cell, rows.count, rows.severity) == ("A5", 3, WARN)
    assert only(result.findings.with_rule("columns-hidden")).sheet == "List 7"
    assert only(result.findings.with_rule("sheet-hidden")).sheet == "List 8"


def test_48_merged_cells_among_the_rows_stop(tmp_path: Path) -> None:
    def merge(_, made) -> None:
        made["List 3"].merge_range("G5:G7", "q) 6: Police")

    lists = clean_lists()
    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", lists, extra=merge)))
    finding = only(result.findings.with_rule("merged-cells"))
    assert (finding.severity, finding.cell) == (STOP, "A5")
    assert "G5:G7" in finding.message


def test_49_the_total_row_of_a_table_is_left_out(tmp_path: Path) -> None:
    lists = clean_lists()
    names = [{"header": str(h)} for h in lists[3][0]]
    names[8]["total_function"] = "sum"

    def table(_, made) -> None:
        made["List 3"].add_table(0, 0, 61, 10, {"columns": names, "total_row": True})
        for i, row in enumerate(lists[3][1:], start=1):
            made["List 3"].write(i, 0, row[0])

    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", lists, extra=table)))
    tally = next(t for t in result.tallies if t.list_number == 3)
    assert (tally.used, tally.set_aside) == (60, {"total-row": 1})


def test_58_formulas_with_values_are_used_and_said(tmp_path: Path) -> None:
    def formula(book, made) -> None:
        dates = book.add_format({"num_format": "dd/mm/yyyy"})
        made["List 3"].write_formula("F5", "=DATE(2024,1,5)", dates, 45296)
        made["List 3"].write_formula("I5", "='[1]Other'!A1", None, 1)

    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", clean_lists(), extra=formula)))
    assert result.lists is not None
    assert (result.lists.referrals["date"] == at(2024, 1, 5)).any()
    finding = only(result.findings.with_rule("formulas"))
    assert (finding.severity, finding.count) == (WARN, 2)
    assert only(result.findings.with_rule("formulas-external")).count == 1  # case 60


def test_59_a_list_of_formulas_without_values_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    lists = clean_lists()
    for row in lists[3][1:]:
        row[:] = [UncalculatedFormula()] * len(row)
    result = run(tmp_path / "b.xlsx", lists)
    assert {f.cell for f in result.findings.with_rule("formula-uncalculated")} >= {"A2", "F2"}
    assert result.lists is None


def test_61_a_worker_called_null_stays_text(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "worker", 5, "Null")
    put(lists, 3, "child_id", 6, "NULL")
    result = run(tmp_path / "b.xlsx", lists)
    assert only(result.findings.with_rule("id-missing")).cell == "A6"
    assert result.findings.with_rule("blank-word") == ()


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_82_dates_are_the_same_in_a_1904_workbook(epoch_1904: bool, tmp_path: Path) -> None:
    path = save_lists(tmp_path / "b.xlsx", clean_lists(), options={"date_1904": epoch_1904})
    result = check(read_sheets(path))
    assert result.lists is not None
    assert result.lists.census_date == CENSUS


def test_85_time_zero_is_a_placeholder() -> None:
    lists = clean_lists()
    put(lists, 3, "date", 5, time(0, 0))

    result = check(raw_sheets(lists))
    assert only(result.findings.with_rule("date-placeholder")).cell == "F5"


def test_86_a_serial_beyond_excels_last_day_is_an_open_end(tmp_path: Path) -> None:
    def write(book, made) -> None:
        made["List 7"].write_number("M3", 2958466, book.add_format({"num_format": "dd/mm/yyyy"}))

    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", clean_lists(), extra=write)))
    assert only(result.findings.with_rule("end-open-placeholder")).cell == "M3"


def test_97_forms_of_an_identifier_meet_across_lists(tmp_path: Path) -> None:
    lists = clean_lists()
    birth = at(2015, 1, 1)
    for number, form in ((3, 12345), (7, "12345.0"), (8, " 012345")):
        put(lists, number, "child_id", 3, form)
        put(lists, number, "date_of_birth", 3, birth)
        put(lists, number, "age", 3, 9)
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    for frame in (result.lists.referrals, result.lists.plans, result.lists.care):
        assert (frame["child_id"] == "12345").sum() == 1
    assert only(result.findings.with_rule("children-in-care-only")).count == 59


def test_101_case_and_spaces_do_not_part_a_child(tmp_path: Path) -> None:
    lists = clean_lists()
    for number, form in ((7, " p{} "), (8, "P{}\u200b")):
        for i, row in enumerate(lists[number][1:]):
            row[column(number, "child_id")] = form.format(i)
            row[column(number, "date_of_birth")] = at(2012, 2, 3)
            row[column(number, "age")] = 12
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    assert set(result.lists.plans["child_id"]) == set(result.lists.care["child_id"])
    assert only(result.findings.with_rule("children-in-care-only")).count == 0


def test_106_the_closed_row_is_kept(tmp_path: Path) -> None:
    lists = clean_lists()
    copy_row(8, 2, end=None, reason_ceased=None)(lists)
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    child = result.lists.care[result.lists.care["child_id"] == str(child_of(lists, 8, 2))]
    assert len(child) == 1
    assert child["end"].notna().all()


def test_107_108_111_joined_periods_are_never_shortened(tmp_path: Path) -> None:
    lists = clean_lists()
    start, end = lists[8][4][column(8, "start")], lists[8][4][column(8, "end")]
    assert isinstance(end, datetime)
    copy_row(8, 5, start=end + timedelta(days=1), end=None, reason_ceased=None,
             placement_start=end + timedelta(days=1), placement_type="H5")(lists)  # fmt: skip
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    child = result.lists.care[result.lists.care["child_id"] == str(child_of(lists, 8, 5))].iloc[0]
    assert child["start"] == start
    assert child["end"] is None or child["end"] != child["end"]
    assert child["placement_type"] == "H5"


def test_112_an_open_row_is_closed_on_the_18th_birthday(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 8, "date_of_birth", 60, at(2006, 3, 1))
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    child = result.lists.care[result.lists.care["child_id"] == str(child_of(lists, 8, 60))]
    assert child["end"].iloc[0] == at(2024, 3, 1)


def test_117_an_age_stands_in_for_a_date_of_birth(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "date_of_birth", 5, None)
    put(lists, 3, "age", 5, 9)
    put(lists, 3, "date_of_birth", 6, None)
    put(lists, 3, "age", 6, 4.25)
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    frame = result.lists.referrals.set_index("child_id")
    births = frame["date_of_birth"].dt.date
    whole = (CENSUS - births[str(child_of(lists, 3, 5))]).days / 365.25
    exact = (CENSUS - births[str(child_of(lists, 3, 6))]).days / 365.25
    assert whole == pytest.approx(9.5, abs=0.01)
    assert exact == pytest.approx(4.25, abs=0.01)


def test_124_unmapped_spellings_are_listed_and_can_be_settled(tmp_path: Path) -> None:
    lists = clean_lists()
    for row in (3, 4):
        put(lists, 8, "placement_type", row, CODE_TWICE)
    first = run(tmp_path / "a.xlsx", lists)
    assert first.unmapped.to_dict("records") == [
        {"list": "List 8", "heading": "Placement Type", "raw_value": CODE_TWICE, "count": 2}
    ]
    settings = CheckSettings(mapping={(8, "Placement Type", CODE_TWICE.upper()): "U4"})
    second = run(tmp_path / "b.xlsx", lists, settings)
    assert second.lists is not None
    assert (second.lists.care["placement_type"] == "U4").sum() == 2
    assert len(second.unmapped) == 0


def test_130_lists_without_an_ending_are_usable(tmp_path: Path) -> None:
    lists = clean_lists()
    for number in (7, 8):
        put_column(lists, number, "end", lambda _: None)
    put_column(lists, 8, "reason_ceased", lambda _: None)
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None
    assert {w.months for w in result.lists.windows.values()} == {6}


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_131_a_handful_of_children_works(rows: int, tmp_path: Path) -> None:
    lists = clean_lists(referrals=rows, plans=rows, care=rows)
    result = run(tmp_path / "b.xlsx", lists)
    assert result.lists is not None, [f.message for f in result.findings.stops]
    assert [t.used for t in result.tallies] == [rows] * 3


def test_131_a_hundred_thousand_rows_work() -> None:
    lists = clean_lists(referrals=100_000)
    result = check([raw_sheet(rows, f"List {n}") for n, rows in lists.items()])
    assert result.lists is not None
    assert len(result.lists.referrals) == 100_000


def test_131_no_children_is_said_clearly(tmp_path: Path) -> None:
    result = run(tmp_path / "b.xlsx", {n: rows[:1] for n, rows in clean_lists().items()})
    assert {f.list_number for f in result.findings.with_rule("list-empty")} == {3, 7, 8}
    assert only(result.findings.with_rule("census-date-unknown")).severity is STOP


def test_short_breaks_are_included_when_asked_for(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 8, "legal_status", 3, "V4")
    result = run(tmp_path / "b.xlsx", lists, CheckSettings(include_short_breaks=True))
    assert result.lists is not None
    assert result.lists.care["short_break"].sum() == 1


def test_a_limit_can_be_raised(tmp_path: Path) -> None:
    lists = clean_lists()
    for row in (3, 4, 5, 6):
        put(lists, 3, "date", row, None)
    result = run(tmp_path / "b.xlsx", lists, replace(CheckSettings(), set_aside_limit=0.1))
    assert result.lists is not None
    assert result.lists.tallies[0].used == 56


# ---------------------------------------------------------------- the file itself


@dataclass(frozen=True)
class FileCase:
    number: str
    make: Callable[[Path], object]
    says: str
    name: str = "lists.xlsx"


def rezip(
    path: Path, change: Callable[[str, bytes], bytes], extra: dict[str, bytes] | None = None
) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {n: archive.read(n) for n in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(name, data))
        for name, data in (extra or {}).items():
            archive.writestr(name, data)


def zipped(
    change: Callable[[str, bytes], bytes] | None = None, **extra: bytes
) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        save_lists(path, clean_lists())
        names = {key.replace("__", "/").replace("_dot_", "."): data for key, data in extra.items()}
        rezip(path, change or (lambda _, data: data), names)

    return make


def truncated(path: Path) -> None:
    save_lists(path, clean_lists())
    path.write_bytes(path.read_bytes()[:-400])


def stream(name: str) -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + name.encode("utf-16-le") + b"\0" * 600


def strict(_: str, data: bytes) -> bytes:
    return data.replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                        b"http://purl.oclc.org/ooxml/spreadsheetml/main")  # fmt: skip


def with_entity(name: str, data: bytes) -> bytes:
    if name != "xl/worksheets/sheet1.xml":
        return data
    return data.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1)


def bomb(path: Path) -> None:
    save_lists(path, clean_lists())
    rezip(path, lambda _, data: data, {"xl/media/picture.xml": b"0" * 40_000_000})


FILE_CASES = [
    FileCase("1", lambda _: None, "was not found"),
    FileCase("2", lambda path: path.mkdir(), "is a folder"),
    FileCase(
        "3", lambda path: path.write_bytes(b""), "is empty (0 bytes), so it is not a workbook"
    ),
    FileCase("4", truncated, "is damaged or cut short"),
    FileCase("6", lambda path: path.write_text("Child Unique ID,Gender\n1,M\n"), "is a text file"),
    FileCase(
        "7",
        lambda path: path.write_text("<html><table><tr><td>1</td></tr></table></html>"),
        "is a web page",
        "export.xls",
    ),
    FileCase("9", zipped(xl__workbook_dot_bin=b"x"), "binary workbook (.xlsb)"),
    FileCase(
        "10", zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "OpenDocument"
    ),
    FileCase(
        "11", lambda path: path.write_bytes(stream("EncryptedPackage")), "is password protected"
    ),
    FileCase(
        "12", lambda path: path.write_bytes(stream("DRMEncryptedDataSpace")), "sensitivity label"
    ),
    FileCase("13", zipped(strict), "Strict Open XML"),
    FileCase("15", zipped(**{"..__..__evil_dot_xml": b"x"}), "points outside the file"),
    FileCase("16", bomb, "would unpack to"),
    FileCase("17", zipped(with_entity), "declares XML entities"),
    FileCase("zip", lambda path: zipfile.ZipFile(path, "w").close(), "zip file but not a workbook"),
    FileCase(
        "noise",
        lambda path: path.write_bytes(bytes(range(256)) * 9),
        "not a workbook that can be read",
    ),
]


@pytest.mark.parametrize("case", FILE_CASES, ids=lambda case: case.number)
def test_a_file_that_cannot_be_read_is_named_in_one_sentence(
    case: FileCase, tmp_path: Path
) -> None:
    path = tmp_path / case.name
    case.make(path)
    with pytest.raises(InvalidInputError) as caught:
        read_sheets(path)
    message = str(caught.value)
    assert message.startswith(case.name)
    assert case.says in message
    assert str(tmp_path) not in message
    assert message.count("\n") == 0


def test_5_random_damage_is_told_from_a_sound_file(tmp_path: Path) -> None:
    """300 damaged copies: each is refused in one sentence, or reads as the sound one does."""
    sound = save_lists(tmp_path / "sound.xlsx", clean_lists(referrals=8, plans=8, care=8))
    data, path = sound.read_bytes(), tmp_path / "damaged.xlsx"
    expected = [sheet.cells.tolist() for sheet in read_sheets(sound)]
    chance = random.Random(5)  # noqa: S311
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(bytes(damaged))
        try:
            cells = [sheet.cells.tolist() for sheet in read_sheets(path)]
        except InvalidInputError:
            continue
        assert cells == expected


def test_14_a_macro_workbook_is_read(tmp_path: Path) -> None:
    path = save_lists(tmp_path / "b.xlsm", clean_lists())
    assert check(read_sheets(path)).lists is not None


def test_18_a_stray_cell_in_the_last_corner_is_left_out_and_said(tmp_path: Path) -> None:
    def stray(_, made) -> None:
        made["List 3"].write("XFD1048576", "x")

    result = check(read_sheets(save_lists(tmp_path / "b.xlsx", clean_lists(), extra=stray)))
    assert result.lists is not None
    finding = only(result.findings.with_rule("stray-cells"))
    assert finding.severity is WARN
    assert "XFD1048576" in finding.message


def test_8_20_a_list_that_ends_at_the_last_row_may_be_cut_off() -> None:
    from list_builders import raw_sheet

    lists = clean_lists()
    sheet = raw_sheet(lists[3], "List 3", first_row=65_536 - 60)
    assert recognise([sheet]).lists == {}  # the headings are not in the first 30 rows
    rows = lists[3] + [[None] * 11 for _ in range(65_536 - 61)]
    others = [raw_sheet(lists[n], f"List {n}") for n in (7, 8)]
    result = check([raw_sheet(rows, "List 3"), *others])
    assert only(result.findings.with_rule("list-cut-off")).severity is WARN
