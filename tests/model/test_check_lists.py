"""The check as a notebook user calls it: frames in, typed frames out."""

from __future__ import annotations

import random

import pandas as pd
import pytest

from demand_model.annex_a import CheckSettings, Lists, Severity, check, recognise
from demand_model.annex_a.wording import said_of
from list_builders import CENSUS, Rows, at, clean_lists, column, raw_sheet, raw_sheets

pytestmark = pytest.mark.unit


def frames(lists: dict[int, Rows]) -> dict[int, pd.DataFrame]:
    return {n: pd.DataFrame(rows[1:], columns=rows[0]) for n, rows in lists.items()}


def usable(lists: dict[int, Rows], settings: CheckSettings | None = None) -> Lists:
    result = check(raw_sheets(lists), settings)
    assert result.lists is not None, [f.message for f in result.findings.stops]
    return result.lists


def same(one: Lists, other: Lists) -> None:
    assert one.census_date == other.census_date
    assert dict(one.windows) == dict(other.windows)
    for name in ("referrals", "plans", "care"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_data_frames_and_sheets_give_the_same_lists() -> None:
    lists = clean_lists()
    result = check(frames(lists))
    assert result.lists is not None
    same(result.lists, usable(lists))


def test_the_order_of_rows_and_sheets_does_not_matter() -> None:
    lists = clean_lists()
    for number in (7, 8):  # children with several rows of every kind
        for row in (2, 3, 5):
            again = list(lists[number][row])
            again[column(number, "end")] = None if row != 3 else at(2024, 3, 20)
            lists[number].append(again)
    before = usable(lists)
    shuffle = random.Random(2)  # noqa: S311
    for _ in range(5):
        mixed = {
            n: [rows[0], *shuffle.sample(rows[1:], len(rows) - 1)] for n, rows in lists.items()
        }
        same(usable(dict(sorted(mixed.items(), reverse=True))), before)


def test_the_frames_have_the_columns_and_types_of_the_contract() -> None:
    lists = usable(clean_lists())
    assert list(lists.referrals) == [
        "child_id", "date_of_birth", "date", "source_code", "source_group", "nfa",
        "previous_referrals",
    ]  # fmt: skip
    assert list(lists.plans) == [
        "child_id", "date_of_birth", "start", "end", "category", "previous_plans",
    ]  # fmt: skip
    assert list(lists.care) == [
        "child_id", "date_of_birth", "start", "end", "uasc", "category_of_need", "second_period",
        "legal_status", "short_break", "reason_ceased", "placement_type", "placement_provider",
        "placement_start",
    ]  # fmt: skip
    for frame in (lists.referrals, lists.plans, lists.care):
        assert list(frame.index) == list(range(len(frame)))
        assert all(isinstance(child, str) for child in frame["child_id"])
    assert str(lists.referrals["nfa"].dtype) == "boolean"
    assert str(lists.plans["previous_plans"].dtype) == "Int64"
    assert lists.care["uasc"].dtype == bool
    assert set(lists.referrals["source_group"]) <= {
        "Police", "Schools", "Individual", "Health services",
    }  # fmt: skip
    assert set(lists.care["reason_ceased"].dropna()) == {"E4A", "E11"}
    assert set(lists.care["placement_type"]) == {"U6", "K2", "H5"}


def test_an_unknown_source_is_unknown_never_other() -> None:
    lists = clean_lists()
    lists[3][1][column(3, "source")] = "GATE"
    lists[3][2][column(3, "source")] = None
    assert (usable(lists).referrals["source_group"] == "Unknown").sum() == 2


def test_settings_win_over_what_is_detected() -> None:
    settings = CheckSettings(census_date=at(2024, 3, 1).date(), window_months={3: 3, 8: 24})
    result = check(raw_sheets(clean_lists()), settings)
    assert result.findings.with_rule("census-date-set")
    assert {f.list_number for f in result.findings.with_rule("window-set")} == {3, 8}
    late = result.findings.with_rule("date-in-future")
    assert {f.list_number for f in late} == {3, 7, 8}


def test_rows_before_a_narrower_window_are_set_aside_but_do_not_stop() -> None:
    result = check(
        raw_sheets(clean_lists(months=12)),
        CheckSettings(window_months={3: 6, 7: 6, 8: 6}, census_date=CENSUS),
    )
    assert result.lists is not None
    aside = {t.list_number: t.set_aside for t in result.tallies}
    assert all(set(reasons) == {"outside-window"} for reasons in aside.values())
    assert (result.lists.referrals["date"] >= at(2023, 10, 1)).all()


def test_longer_windows_are_found() -> None:
    for months in (6, 12, 24):
        windows = usable(clean_lists(referrals=300, plans=200, care=200, months=months)).windows
        assert {w.months for w in windows.values()} == {months}


def test_children_who_were_there_before_are_counted() -> None:
    lists = clean_lists()
    for row in (1, 2, 3):
        lists[7][row][column(7, "previous_plans")] = 1
        lists[8][row][column(8, "second_period")] = "a) Yes"
    notes = check(raw_sheets(lists)).findings.with_rule("earlier-spells-hidden")
    assert [(f.list_number, f.count, f.severity) for f in notes] == [
        (7, 3, Severity.NOTE),
        (8, 3, Severity.NOTE),
    ]


def test_a_list_without_any_age_is_used_and_said() -> None:
    lists = clean_lists()
    for row in lists[8][1:]:
        row[column(8, "date_of_birth")] = row[column(8, "age")] = None
    result = check(raw_sheets(lists))
    assert result.lists is not None
    assert result.lists.care["date_of_birth"].isna().all()
    assert [f.list_number for f in result.findings.with_rule("ages-unknown")] == [8]


def test_a_birth_known_from_another_list_is_taken() -> None:
    lists = clean_lists()
    lists[7][1][column(7, "child_id")] = lists[8][1][column(8, "child_id")]
    lists[7][1][column(7, "date_of_birth")] = None
    plans = usable(lists).plans.set_index("child_id")
    child = str(lists[8][1][column(8, "child_id")])
    assert plans.loc[child, "date_of_birth"] == lists[8][1][column(8, "date_of_birth")]


def test_uasc_and_second_period_are_read() -> None:
    lists = clean_lists()
    lists[8][1][column(8, "uasc")] = "a) Yes"
    lists[8][2][column(8, "uasc")] = None
    lists[8][3][column(8, "second_period")] = None
    care = usable(lists).care
    assert care["uasc"].sum() == 1
    assert care["second_period"].isna().sum() == 1


def test_only_the_columns_that_are_needed_will_do() -> None:
    lists = clean_lists()
    needed = {
        3: ("child_id", "date"),
        7: ("child_id", "start", "end"),
        8: ("child_id", "start", "end"),
    }
    slim = {
        n: [[row[column(n, name)] for name in names] for row in lists[n]]
        for n, names in needed.items()
    }
    found = usable(slim)
    assert len(found.care) == 60
    assert (found.referrals["source_group"] == "Unknown").all()
    assert found.care["placement_type"].isna().all()


def test_a_sheet_of_other_lists_is_not_taken_for_one_of_ours() -> None:
    contacts = [["Child Unique ID", "Gender", "Date of Birth", "Date of Contact", "Contact Source"]]
    adoption = [["Child Unique ID", "Date of Birth", "Date the Child Entered Care",
                 "Date of Placement Order"]]  # fmt: skip
    codes = [["Placement Type", "Placement Provider", "Child's Legal Status"], ["U1", "PR1", "C1"]]
    sheets = [raw_sheet(rows, f"S{i}") for i, rows in enumerate((contacts, adoption, codes, []))]
    assert recognise(sheets).lists == {}


def test_no_sheet_at_all() -> None:
    result = check([])
    assert result.lists is None
    assert {f.list_number for f in result.findings.with_rule("list-missing")} == {3, 7, 8}


@pytest.mark.parametrize("number", [7, 8])
def test_a_list_of_open_rows_only_is_warned_about(number: int) -> None:
    lists = clean_lists()
    assert len(check(raw_sheets(lists)).findings.with_rule("none-ended")) == 0
    position = column(number, "end")
    headings, *rows = lists[number]
    lists[number] = [headings, *(row for row in rows if row[position] is None)]
    warned = check(raw_sheets(lists)).findings.with_rule("none-ended")
    assert [finding.list_number for finding in warned] == [number]


def test_lists_that_seem_to_cover_different_months_are_said_loudly() -> None:
    """One guessed window of another length than the rest doubles or halves that list's rates."""
    lists = raw_sheets(clean_lists())
    settings = CheckSettings(window_months={3: 3, 7: 3})
    said = [f for f in check(lists, settings).findings.items if f.rule == "windows-differ"]
    assert [f.severity for f in said] == [Severity.WARN]
    assert "List 3 3, List 7 3, List 8 6" in said[0].message
    alike = CheckSettings(window_months={3: 6, 7: 6})
    assert not [f for f in check(lists, alike).findings.items if f.rule == "windows-differ"]
    own = CheckSettings(window_months={3: 3, 7: 6, 8: 6})
    found = check(lists, own).findings.items
    assert not [f for f in found if f.rule == "windows-differ"], "the analyst set them all"


def test_a_message_of_one_is_in_the_singular() -> None:
    both = "{n} [row has|rows have] a reason ceased: [it counts|they count] as open."
    assert said_of(1, both) == "{n} row has a reason ceased: it counts as open."
    assert said_of(12, both) == "{n} rows have a reason ceased: they count as open."
    assert said_of(1, "No row of [List 3] | else has ended.") == (
        "No row of [List 3] | else has ended."
    )
