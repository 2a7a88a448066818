"""Bad inputs 50, 56, 70, 83, 103, 122, 123, 126: lists that were put together.

Subtotals and pivot tables in place of rows, dates of two calendars, children of two
authorities, two codes in one cell, codes of older guides, lists that contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from demand_addin.read import read_sheets
from demand_model.annex_a import CheckResult, Finding, Severity, check
from demand_model.annex_a.decode import decode
from demand_model.annex_a.mixed import four_years_out
from list_builders import Extra, Rows, clean_lists, column, save_lists, save_workbook

pytestmark = pytest.mark.unit

FOUR_YEARS = timedelta(days=1462)
Lists = dict[int, Rows]


def run(folder: Path, lists: Lists, extra: Extra | None = None) -> CheckResult:
    return check(read_sheets(save_lists(folder / "lists.xlsx", lists, extra=extra)))


def only(found: CheckResult, rule: str) -> Finding:
    (finding,) = found.findings.with_rule(rule)
    return finding


def put(lists: Lists, number: int, name: str, row: int, value: object) -> None:
    """Set a cell; row 2 is the first record, as in Excel."""
    lists[number][row - 1][column(number, name)] = value


def referral(**values: object) -> list[object]:
    row: list[object] = [None] * len(clean_lists()[3][0])
    for name, value in values.items():
        row[column(3, name)] = value
    return row


# --- 50: subtotals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subtotal",
    [
        {"team": "Team 1 Total", "previous_referrals": 12},
        {"child_id": 19, "gender": "a) Male Count"},
        {"child_id": "10034 Count", "gender": 1},
        {"team": "Team 1 Average", "previous_referrals": 0.5},
    ],
    ids=["sum", "count", "beside its group", "average"],
)
def test_50_subtotals_of_groups_are_set_aside(subtotal: dict[str, object], tmp_path: Path) -> None:
    lists = clean_lists()
    lists[3].insert(20, referral(**subtotal))
    lists[3].insert(40, referral(**subtotal))
    found = run(tmp_path, lists)
    assert [f.cell[1:] for f in found.findings.with_rule("total-row")] == ["21", "41"]
    tally = next(t for t in found.tallies if t.list_number == 3)
    assert (tally.found, tally.used, tally.set_aside) == (62, 60, {"total-row": 2})


def test_50_a_child_whose_team_is_called_count_is_no_subtotal(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "team", 5, "Viscount Count")
    put(lists, 3, "worker", 5, "Jo Total")
    assert not run(tmp_path, lists).findings.with_rule("total-row")


# --- 56: a pivot table ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pivot", "cell"),
    [
        ([["Row Labels", "Count of Child Unique ID"], ["a) Male", 30], ["Grand Total", 60]], "A1"),
        ([["Count of ID", "Column Labels"], ["Row Labels", "C2"], ["Male", 30]], "B1"),
    ],
    ids=["rows", "crossed"],
)
def test_56_a_pivot_table_in_place_of_a_list_is_named(
    pivot: Rows, cell: str, tmp_path: Path
) -> None:
    found = run(tmp_path, clean_lists() | {8: pivot})
    finding = only(found, "list-missing")
    assert (finding.severity, finding.sheet, finding.cell) == (Severity.STOP, "List 8", cell)
    assert "holds a pivot table" in finding.message
    assert "paste the rows of List 8 themselves" in finding.message
    assert found.lists is None


# --- 70: what is not in cells --------------------------------------------------------------------


def test_70_comments_and_pictures_are_counted_and_not_read(tmp_path: Path) -> None:
    def decorate(_: object, made: dict) -> None:
        made["List 3"].write_comment("C4", "PRIVATE NOTE OF A WORKER")
        made["List 3"].write_comment("D9", "another")
        made["List 3"].insert_textbox("P4", "PRIVATE TEXT")
        made["List 7"].write_comment("C4", "one")

    found = run(tmp_path, clean_lists(), decorate)
    assert found.lists is not None
    by_list = {f.list_number: f for f in found.findings.with_rule("not-cells")}
    assert by_list.keys() == {3, 7}
    assert by_list[3].severity is Severity.WARN
    assert by_list[3].count == 3
    assert by_list[3].message == (
        "The sheet holds 2 comments and 1 picture or shape, which were not read: only cells count."
    )
    assert by_list[7].message.startswith("The sheet holds 1 comment, which was not read")
    assert "PRIVATE" not in "".join(f.message for f in found.findings.items)


# --- 83: two calendars ---------------------------------------------------------------------------


def moved(lists: Lists, number: int, name: str, rows: range, by: timedelta) -> None:
    at = column(number, name)
    for row in rows:
        value = lists[number][row - 1][at]
        if isinstance(value, datetime):
            lists[number][row - 1][at] = value + by


@pytest.mark.parametrize(
    ("number", "name", "rows", "count", "by", "where"),
    [
        (3, "date", range(3, 8), 5, -FOUR_YEARS, "before"),
        (3, "date", range(3, 8), 5, FOUR_YEARS, "after"),
        (8, "end", range(2, 32), 10, -FOUR_YEARS, "before"),
        (7, "end", range(2, 14), 4, -FOUR_YEARS, "before"),
    ],
)
def test_83_a_block_of_dates_four_years_out_is_said(
    number: int, name: str, rows: range, count: int, by: timedelta, where: str, tmp_path: Path
) -> None:
    lists = clean_lists()
    moved(lists, number, name, rows, by)
    finding = only(run(tmp_path, lists), "dates-four-years-out")
    assert (finding.severity, finding.sheet) == (Severity.WARN, f"List {number}")
    assert finding.count == count
    assert f"lie four years (1,462 days) {where} all others" in finding.message


@pytest.mark.parametrize("months", [6, 12, 24, 36, 60])
def test_83_lists_of_any_length_are_not_suspected(months: int) -> None:
    rng = np.random.default_rng(months)
    for rows in (5, 40, 400):
        days = np.datetime64("2024-03-31") - rng.integers(0, 30 * months, rows)
        assert not four_years_out(days.astype("datetime64[D]")).any()


def test_83_only_the_smaller_block_is_marked_and_blanks_are_not() -> None:
    recent = np.datetime64("2024-03-31") - np.arange(0, 180, 3)
    days = np.concatenate([recent, recent[:9] - 1462, [np.datetime64("NaT")]])
    out = four_years_out(days.astype("datetime64[D]"))
    assert out.tolist() == [False] * 60 + [True] * 9 + [False]
    # Seven years back is another matter: such dates are merely old.
    old = np.concatenate([recent, recent[:9] - 2557]).astype("datetime64[D]")
    assert not four_years_out(old).any()


# --- 103: two authorities ------------------------------------------------------------------------


def of_two_authorities(*, same_ids: bool) -> Lists:
    lists, others = clean_lists(), clean_lists(seed=9)
    for number, rows in lists.items():
        theirs = [list(row) for row in others[number][1:]]
        for i, row in enumerate(theirs):
            row[0] = rows[i + 1][0] if same_ids else 500_000 + i
        for row in rows[1:]:
            row.append("Northshire")
        lists[number] = [
            [*rows[0], "Local Authority"],
            *rows[1:],
            *([*r, "Eastham"] for r in theirs),
        ]
    return lists


def test_103_identifiers_of_two_authorities_that_collide_stop(tmp_path: Path) -> None:
    found = run(tmp_path, of_two_authorities(same_ids=True))
    stops = found.findings.with_rule("ids-of-several-authorities")
    assert [(f.severity, f.sheet, f.cell, f.count) for f in stops] == [
        (Severity.STOP, f"List {n}", "A2", 60) for n in (3, 7, 8)
    ]
    assert "column “Local Authority”" in stops[0].message
    assert "60 child identifiers stand for different children" in stops[0].message
    assert found.lists is None


def test_103_two_authorities_whose_identifiers_differ_are_used_together(tmp_path: Path) -> None:
    found = run(tmp_path, of_two_authorities(same_ids=False))
    assert not found.findings.with_rule("ids-of-several-authorities")
    assert found.lists is not None


def test_103_a_child_known_to_both_is_one_child(tmp_path: Path) -> None:
    lists = of_two_authorities(same_ids=False)
    birth = lists[3][1][column(3, "date_of_birth")]
    put(lists, 3, "child_id", 62, lists[3][1][0])
    put(lists, 3, "date_of_birth", 62, birth)
    assert not run(tmp_path, lists).findings.with_rule("ids-of-several-authorities")


# --- 122: two codes in one cell ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "name", "value"),
    [
        (8, "legal_status", "C2 / V2"),
        (8, "legal_status", "C2; E1"),
        (8, "legal_status", "C2\nV2"),
        (8, "legal_status", "C2: FCO and V2"),
        (8, "legal_status", "C2: FCO; V4: short breaks"),
        (8, "placement_type", "U6 K2"),
        (8, "placement_type", "U6, K2"),
        (3, "source", "6; 2A"),
        (3, "source", "q) 6: Police; 2A: Schools"),
    ],
)
def test_122_two_codes_in_one_cell_are_asked_about(
    number: int, name: str, value: str, tmp_path: Path
) -> None:
    lists = clean_lists()
    put(lists, number, name, 5, value)
    found = run(tmp_path, lists)
    finding = only(found, "unmapped")
    assert (finding.severity, finding.cell[1:], finding.count) == (Severity.WARN, "5", 1)
    assert len(found.unmapped) == 1
    assert found.unmapped["list"].tolist() == [f"List {number}"]


@pytest.mark.parametrize(
    ("heading", "value", "code"),
    [
        ("Child's Legal Status", "C2 (C2)", "C2"),
        ("Child's Legal Status", "C2: C2 - Full care order", "C2"),
        ("Placement Type", "U6 - U6: Foster placement", "U6"),
    ],
)
def test_122_the_same_code_twice_is_that_code(heading: str, value: str, code: str) -> None:
    assert decode(8, heading, value) == code


# --- 123: codes of older guides ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "row", "value", "read_as"),
    [
        ("placement_type", 5, "Q2", "Foster placement"),
        ("placement_type", 5, "H1", "K1"),
        ("reason_ceased", 2, "E1", "Adopted"),
    ],
)
def test_123_an_obsolete_code_is_read_as_its_group_and_noted(
    name: str, row: int, value: str, read_as: str, tmp_path: Path
) -> None:
    lists = clean_lists()
    put(lists, 8, name, row, value)
    found = run(tmp_path, lists)
    assert found.lists is not None
    assert read_as in set(found.lists.care[name])
    finding = only(found, "code-historical")
    assert (finding.severity, finding.sheet, finding.count) == (Severity.NOTE, "List 8", 1)
    assert finding.cell.endswith(str(row))
    assert not found.findings.with_rule("unmapped")


def test_123_todays_codes_are_not_noted(tmp_path: Path) -> None:
    assert not run(tmp_path, clean_lists()).findings.with_rule("code-historical")


# --- 126: lists that contradict each other -------------------------------------------------------


def left_care_with_a_plan(reason: str) -> Lists:
    """The child of row 2 of List 8, who has left, opens row 3 of List 7, a plan still open."""
    lists = clean_lists()
    put(lists, 8, "reason_ceased", 2, reason)
    for name in ("child_id", "date_of_birth", "age"):
        put(lists, 7, name, 3, lists[8][1][column(8, name)])
    started = lists[8][1][column(8, "start")]
    put(lists, 7, "start", 3, started)
    assert lists[7][2][column(7, "end")] is None
    return lists


@pytest.mark.parametrize("reason", ["E2", "a) E11: Adopted - application unopposed", "E12"])
def test_126_an_open_plan_of_a_child_who_left_for_good_is_said(reason: str, tmp_path: Path) -> None:
    found = run(tmp_path, left_care_with_a_plan(reason))
    finding = only(found, "plan-open-after-leaving")
    assert (finding.severity, finding.sheet, finding.count) == (Severity.WARN, "List 7", 1)
    assert finding.cell.endswith("3")
    assert finding.message.startswith("1 child has an open plan")
    assert found.lists is not None


def test_126_a_child_who_went_home_may_have_a_plan(tmp_path: Path) -> None:
    found = run(tmp_path, left_care_with_a_plan("E4A"))
    assert not found.findings.with_rule("plan-open-after-leaving")


def test_126_a_plan_that_began_later_is_no_conflict(tmp_path: Path) -> None:
    lists = left_care_with_a_plan("E12")
    ended = lists[8][1][column(8, "end")]
    assert isinstance(ended, datetime)
    put(lists, 8, "end", 2, ended - timedelta(days=20))
    put(lists, 7, "start", 3, ended - timedelta(days=5))
    assert not run(tmp_path, lists).findings.with_rule("plan-open-after-leaving")


# --- no false alarms -----------------------------------------------------------------------------

RULES = (
    "total-row", "not-cells", "dates-four-years-out", "ids-of-several-authorities",
    "code-historical", "plan-open-after-leaving",
)  # fmt: skip


@pytest.mark.parametrize("months", [6, 12, 24])
@pytest.mark.parametrize("shape", [lambda lists: lists, lambda lists: lists | {3: lists[3][:9]}])
def test_clean_lists_raise_none_of_these(
    months: int, shape: Callable[[Lists], Lists], tmp_path: Path
) -> None:
    found = run(tmp_path, shape(clean_lists(months=months)))
    assert [f.rule for f in found.findings.items if f.rule in RULES] == []


def test_a_workbook_of_ours_is_read_without_them(tmp_path: Path) -> None:
    sheets = {f"List {n}": rows for n, rows in clean_lists().items()}
    path = save_workbook(tmp_path / "b.xlsx", sheets | {"Notes": [["Row Labels"]]})
    found = check(read_sheets(path))
    assert [f.rule for f in found.findings.items if f.rule in RULES] == []
