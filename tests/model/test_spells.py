from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from demand_model import spells
from engine_cases import (
    CENSUS,
    WINDOW_START,
    care_frame,
    day,
    lists_of,
    plan_frame,
    referral_frame,
    windows,
)

pytestmark = pytest.mark.unit

BORN = "2015-06-15"


def plans_of(*rows: tuple[str, str, str, str | None]) -> pd.DataFrame:
    return spells(lists_of(plans=plan_frame(list(rows)))).plans


def test_times_of_a_spell_that_began_before_the_window_start_at_the_window() -> None:
    (row,) = plans_of(("a", BORN, "2025-09-01", None)).itertuples()
    # 30 days from the middle of 1 September to the middle of 1 October; the window opens half a
    # day earlier, the census closes half a day after the middle of 31 March (211 days on).
    assert (row.time_enter, row.time_exit) == (29.5, 211.5)
    assert (row.event, row.reason, row.in_window) == (False, "open", False)
    assert pd.isna(row.origin)


def test_times_of_a_spell_within_the_window_start_at_its_own_start() -> None:
    (row,) = plans_of(("a", BORN, "2025-11-01", "2025-12-01")).itertuples()
    assert (row.time_enter, row.time_exit, row.event, row.reason) == (0.0, 30.0, True, "ended")
    assert row.in_window


def test_a_spell_of_one_day_lasts_half_a_day() -> None:
    (row,) = plans_of(("a", BORN, "2025-11-01", "2025-11-01")).itertuples()
    assert (row.time_enter, row.time_exit, row.event) == (0.0, 0.5, True)


def test_an_end_on_the_first_day_of_the_window_is_seen_for_half_a_day() -> None:
    (row,) = plans_of(("a", BORN, "2025-09-01", "2025-10-01")).itertuples()
    assert (row.time_enter, row.time_exit, row.event) == (29.5, 30.0, True)


def test_spells_outside_the_window_are_dropped_and_later_ends_are_not_yet_known() -> None:
    found = plans_of(
        ("ended before", BORN, "2025-01-01", "2025-09-30"),
        ("starts after", BORN, "2026-04-01", None),
        ("ends after", BORN, "2026-01-01", "2026-04-02"),
    )
    (row,) = found.itertuples()
    assert (row.child_id, row.reason, row.event) == ("ends after", "open", False)


@pytest.mark.parametrize(
    ("end", "reason", "event"),
    [
        ("2026-02-01", "18th birthday", False),
        ("2026-01-25", "18th birthday", False),
        ("2026-01-24", "ended", True),
    ],
)
def test_an_end_within_a_week_before_the_18th_birthday_is_not_an_event(
    end: str, reason: str, event: bool
) -> None:
    (row,) = plans_of(("a", "2008-02-01", "2025-11-01", end)).itertuples()
    assert (row.reason, row.event) == (reason, event)


def test_a_child_of_unknown_age_has_events() -> None:
    care = care_frame([("a", None, "2025-11-01", "2026-01-10", "E4A")])
    (row,) = spells(lists_of(care=care)).care.itertuples()
    assert (row.event, row.reason) == (True, "home")


def test_care_reasons_and_placements_are_grouped() -> None:
    rows = [
        ("a", BORN, "2025-11-01", "2026-01-01", "E11"),
        ("b", BORN, "2025-11-01", "2026-01-01", "E45"),
        ("c", BORN, "2025-11-01", "2026-01-01", None),
        ("d", BORN, "2025-11-01", None, None),
    ]
    care = spells(lists_of(care=care_frame(rows, placements={"a": "A3", "b": "K2"}))).care
    found = care.set_index("child_id")
    assert found["reason"].to_dict() == {"a": "adoption", "b": "sgo_cao", "c": "other", "d": "open"}
    assert found["placement_group"].to_dict() == {
        "a": "adoption",
        "b": "residential",
        "c": "fostering",
        "d": "fostering",
    }


def linked(plan_start: str, *referrals: tuple[str, str, str]) -> pd.Series:
    lists = lists_of(referral_frame(list(referrals)), plan_frame([("a", BORN, plan_start, None)]))
    return spells(lists).plans.iloc[0]


def test_a_start_follows_the_childs_latest_referral() -> None:
    found = linked(
        "2026-02-01",
        ("a", "2025-12-01", "Schools"),
        ("a", "2026-01-20", "Police"),
        ("a", "2026-02-02", "Individual"),
        ("b", "2026-01-31", "Housing"),
    )
    assert (found["origin"], found["lag_days"], found["source_group"]) == ("referral", 12, "Police")


@pytest.mark.parametrize(
    ("referred", "origin"), [("2025-10-01", "referral"), ("2025-09-30", "unlinked")]
)
def test_a_referral_26_weeks_back_is_too_far_to_be_linked(referred: str, origin: str) -> None:
    covering = windows(date(2025, 4, 1), 12)
    lists = lists_of(
        referral_frame([("a", referred, "Schools")]),
        plan_frame([("a", BORN, "2026-03-31", None)]),
        covering=covering,
    )
    found = spells(lists).plans.iloc[0]
    assert found["origin"] == origin
    assert found["lookback_days"] == (CENSUS - date(2025, 4, 1)).days


def test_referrals_before_the_window_are_left_out() -> None:
    found = linked("2025-12-01", ("a", "2025-09-30", "Police"))
    assert found["origin"] == "unlinked"
    assert found["lookback_days"] == (day("2025-12-01") - pd.Timestamp(WINDOW_START)).days


def care_origin(start: str, plan: tuple[str, str | None], *, uasc: bool = False) -> str:
    lists = lists_of(
        referral_frame([("a", "2025-11-01", "Schools")]),
        plan_frame([("a", BORN, *plan)]),
        care_frame([("a", BORN, start, None, None)], uasc=("a",) if uasc else ()),
    )
    return str(spells(lists).care.iloc[0]["origin"])


@pytest.mark.parametrize(
    ("start", "plan", "origin"),
    [
        ("2026-02-01", ("2025-12-01", None), "plan"),
        ("2026-02-01", ("2026-02-01", None), "plan"),
        ("2026-02-01", ("2025-12-01", "2026-01-18"), "plan"),
        ("2026-02-01", ("2025-12-01", "2026-01-17"), "referral"),
        ("2026-02-01", ("2026-02-02", None), "referral"),
    ],
)
def test_care_follows_a_plan_until_two_weeks_after_its_end(
    start: str, plan: tuple[str, str | None], origin: str
) -> None:
    assert care_origin(start, plan) == origin


def test_unaccompanied_children_are_apart_whatever_came_before() -> None:
    assert care_origin("2026-02-01", ("2025-12-01", None), uasc=True) == "uasc"


def test_referrals_know_the_childs_previous_one() -> None:
    rows = [
        ("a", "2026-01-05", "Police"),
        ("a", "2025-12-01", "Schools"),
        ("b", "2026-01-01", "Police"),
    ]
    found = spells(lists_of(referral_frame(rows))).referrals
    assert found["previous_date"].isna().tolist() == [True, False, True]
    assert found["previous_date"].iloc[1] == day("2025-12-01")
