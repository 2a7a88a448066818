from __future__ import annotations

from datetime import date
from functools import lru_cache

import pandas as pd
import pytest

import demand_model as dm
from demand_model import CheckSettings, Lists, lists_at
from demand_model.annex_a.cut import months_covered
from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_samples.extract import annex_a
from demand_samples.history import CENSUS_DATE, History
from demand_samples.presets import authority
from demand_samples.simulate import simulate_authority
from engine_cases import (
    CENSUS,
    care_frame,
    day,
    lists_of,
    made_up_lists,
    plan_frame,
    referral_frame,
    windows,
)

pytestmark = pytest.mark.unit

EARLIER = date(2026, 1, 31)
BORN = "2015-01-01"


def plans() -> Lists:
    return lists_of(
        plans=plan_frame(
            [
                ("ended before", BORN, "2025-01-01", "2025-11-10"),
                ("ended that day", BORN, "2025-01-01", "2026-01-31"),
                ("ended after", BORN, "2025-01-01", "2026-02-01"),
                ("open", BORN, "2025-01-01", None),
                ("began that day", BORN, "2026-01-31", None),
                ("began after", BORN, "2026-02-01", None),
                ("ended before the window", BORN, "2025-01-01", "2025-09-30"),
            ]
        )
    )


def test_a_spell_is_as_it_was_on_the_earlier_day() -> None:
    cut = lists_at(plans(), EARLIER).plans.set_index("child_id")["end"]
    assert cut.isna().to_dict() == {
        "ended before": False,
        "ended that day": False,
        "ended after": True,
        "open": True,
        "began that day": True,
    }
    assert cut["ended that day"] == day("2026-01-31")


def test_the_reason_of_a_later_end_is_not_known_yet() -> None:
    care = care_frame(
        [
            ("before", BORN, "2025-01-01", "2025-12-01", "E11"),
            ("after", BORN, "2025-01-01", "2026-03-01", "E11"),
        ]
    )
    cut = lists_at(lists_of(care=care), EARLIER).care.set_index("child_id")
    assert cut.loc["before", "reason_ceased"] == "E11"
    assert pd.isna(cut.loc["after", "reason_ceased"])


def test_a_placement_that_began_later_is_blank() -> None:
    care = care_frame(
        [("a", BORN, "2025-01-01", None, None), ("b", BORN, "2025-01-01", None, None)]
    )
    care.loc[0, "placement_start"] = day("2026-02-10")
    cut = lists_at(lists_of(care=care), EARLIER).care.set_index("child_id")
    assert cut.loc["a", ["placement_type", "placement_provider", "placement_start"]].isna().all()
    assert cut.loc["b", "placement_type"] == "U6"


def test_later_referrals_are_gone_and_what_was_known_before_stands() -> None:
    refs = referral_frame([("a", "2026-01-31", "Police"), ("b", "2026-02-01", "Police")])
    before = plans()
    before.plans["previous_plans"] = pd.array(range(7), dtype="Int64")
    cut = lists_at(
        lists_of(refs, before.plans),
        EARLIER,
    )
    assert cut.referrals["child_id"].tolist() == ["a"]
    assert cut.plans["previous_plans"].tolist() == [0, 1, 2, 3, 4]
    assert [t.used for t in cut.tallies] == [1, 5, 0]


def test_windows_keep_their_first_day_and_lose_the_months_cut_off() -> None:
    cut = lists_at(made_up_lists(), EARLIER)
    assert cut.census_date == EARLIER
    assert {n: (w.start, w.months) for n, w in cut.windows.items()} == dict.fromkeys(
        (3, 7, 8), (date(2025, 10, 1), 4)
    )


@pytest.mark.parametrize(
    ("start", "until", "months"),
    [
        (date(2025, 10, 1), date(2025, 10, 29), 0),
        (date(2025, 10, 1), date(2025, 10, 31), 1),
        (date(2025, 9, 24), date(2025, 10, 31), 1),
        (date(2025, 10, 2), date(2025, 11, 30), 1),
        (date(2025, 9, 16), date(2026, 3, 15), 6),
    ],
)
def test_months_covered_are_whole(start: date, until: date, months: int) -> None:
    assert months_covered(windows(start)[7], until) == months


def test_the_census_date_itself_changes_nothing() -> None:
    lists = made_up_lists()
    assert lists_at(lists, CENSUS) is lists


def test_the_lists_in_hand_are_not_touched() -> None:
    lists = made_up_lists()
    copies = [f.copy() for f in (lists.referrals, lists.plans, lists.care)]
    lists_at(lists, EARLIER)
    for frame, copy in zip((lists.referrals, lists.plans, lists.care), copies, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_cutting_twice_is_cutting_once() -> None:
    lists = made_up_lists(3)
    twice = lists_at(lists_at(lists, date(2026, 2, 15)), EARLIER)
    once = lists_at(lists, EARLIER)
    for name in ("referrals", "plans", "care"):
        pd.testing.assert_frame_equal(getattr(twice, name), getattr(once, name))
    assert twice.windows == once.windows


def test_a_day_after_the_lists_is_refused() -> None:
    with pytest.raises(InvalidSettingError, match="must not be after that of the lists"):
        lists_at(made_up_lists(), date(2026, 4, 1))


def test_a_day_before_a_whole_month_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="List 3 begins on 01/10/2025"):
        lists_at(made_up_lists(), date(2025, 10, 20))


@lru_cache(maxsize=1)
def history() -> History:
    return simulate_authority(authority("large"), seed=1)


@lru_cache(maxsize=4)
def extract(day: date, months: int) -> Lists:
    settings = CheckSettings(census_date=day, window_months=dict.fromkeys((3, 7, 8), months))
    lists = dm.check(annex_a(history(), day, months), settings).lists
    assert lists is not None
    return lists


def rows(frame: pd.DataFrame) -> set[tuple[str, str, str]]:
    return set(
        zip(frame["child_id"], frame["start"].astype(str), frame["end"].astype(str), strict=True)
    )


@pytest.mark.parametrize(("earlier", "months"), [(date(2026, 5, 31), 14), (date(2026, 1, 31), 10)])
@pytest.mark.parametrize("name", ["plans", "care"])
def test_the_cut_is_the_true_extract_but_for_children_who_came_back(
    earlier: date, months: int, name: str
) -> None:
    full = getattr(extract(CENSUS_DATE, 18), name)
    cut = lists_at(extract(CENSUS_DATE, 18), earlier)
    true = extract(earlier, months)
    assert cut.windows[7].start == true.windows[7].start
    returned = set(full.loc[full["start"] > pd.Timestamp(earlier), "child_id"])
    expected = {row for row in rows(getattr(true, name)) if row[0] not in returned}
    assert rows(getattr(cut, name)) == expected
    lost = rows(getattr(true, name)) - expected
    assert 0 < len(lost) < 0.1 * len(expected)


def test_referrals_of_the_cut_are_those_of_the_true_extract() -> None:
    cut, true = (
        lists_at(extract(CENSUS_DATE, 18), date(2026, 5, 31)),
        extract(date(2026, 5, 31), 14),
    )
    columns = ["child_id", "date", "source_group"]
    keys = [frame.referrals[columns[:2]].astype(str) for frame in (cut, true)]
    first, second = (k.sort_values(columns[:2]).reset_index(drop=True) for k in keys)
    pd.testing.assert_frame_equal(first, second)
