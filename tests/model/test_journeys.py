"""Journeys: who is at risk of what, what the tables say, and what small numbers hide."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from demand_model import Journeys, journeys, spells
from demand_model.annex_a.checked import Lists, Window
from demand_model.results.journey_counts import rounded_count, withheld
from demand_model.results.journey_curves import (
    STILL,
    Observed,
    curve_of,
    percentile_time,
    share_by,
    share_in_the_end,
    still_by,
)
from demand_model.results.journey_stages import ADULT, Stage, on_plan_stage, stages_of
from demand_model.results.journey_times import PERCENTILES, STAGE_COLUMNS
from demand_model.results.journeys import FLOW_COLUMNS
from engine_cases import (
    care_frame,
    lists_of,
    made_up_lists,
    plan_frame,
    referral_frame,
    windows,
)

pytestmark = pytest.mark.unit

MONTH = 365.25 / 12
ENDS = ("", "_low", "_high")


def stage(lists: Lists, name: str) -> Stage:
    return next(s for s in stages_of(spells(lists)) if s.name == name)


def ends(of: Stage) -> list[tuple[str, float]]:
    """What became of each entry, and when."""
    names = (*of.outcomes, "still")
    leave = of.observed.leave.tolist()
    return [(names[k], t) for k, t in zip(of.observed.outcome.tolist(), leave, strict=True)]


# --- referrals whose decision is not known -------------------------------------------------------


def with_undecided(count: int) -> Journeys:
    lists = made_up_lists(3)
    refs = lists.referrals.copy()
    refs["nfa"] = refs["nfa"].astype("boolean")
    refs.loc[refs.index[:count], "nfa"] = pd.NA
    return journeys(replace(lists, referrals=refs))


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, ""), (3, "Fewer than 5 referrals do not say"), (12, "About 10 of ")],
)
def test_undecided_referrals_are_counted_and_said(count: int, said: str) -> None:
    found = with_undecided(count)
    about = [line for line in found.sentences if "do not say whether they were closed" in line]
    assert [line.startswith(said) for line in about] == ([True] if said else [])
    assert all("They count as not closed" in line for line in about)
    rows = found.flows
    mine = rows[(rows["from"] == "Referral") & (rows["to"] == "No further action")]
    assert set(mine["note"].str.contains("count as not closed")) == {bool(said)}
    others = rows[(rows["from"] != "Referral") | (rows["to"] != "No further action")]
    assert not others["note"].str.contains("not closed").any()


# --- who is at risk of what ----------------------------------------------------------------------


def test_a_referral_goes_where_its_child_goes_first() -> None:
    refs = referral_frame(
        [
            ("again", "2025-11-01", "Police"),
            ("again", "2025-12-01", "Police"),
            ("care", "2025-11-01", "Police"),
            ("closed", "2025-11-01", "Police"),
            ("none", "2025-11-01", "Police"),
            ("plan", "2025-11-01", "Police"),
        ]
    )
    refs["nfa"] = pd.array([c == "closed" for c in refs["child_id"]], dtype="boolean")
    plans = plan_frame([("plan", "2015-01-01", "2025-11-21", None)])
    care = care_frame([("care", "2015-01-01", "2025-11-11", None, None)])
    found = ends(stage(lists_of(refs, plans, care), "Referral"))
    assert found == [
        ("Referred again", 30.0),
        ("still", 120.5),
        ("Care", 10.0),
        ("No further action", 0.25),
        ("still", 150.5),
        ("Child protection plan", 20.0),
    ]


def test_a_start_is_put_down_to_the_last_referral_before_it() -> None:
    refs = referral_frame([("a", "2025-11-01", "Police"), ("a", "2025-12-01", "Schools")])
    plans = plan_frame([("a", "2015-01-01", "2025-12-11", None)])
    found = ends(stage(lists_of(refs, plans), "Referral"))
    assert found == [("Referred again", 30.0), ("Child protection plan", 10.0)]


def test_of_two_referrals_on_one_day_the_last_leads_on() -> None:
    refs = referral_frame([("a", "2025-11-01", "Police"), ("a", "2025-11-01", "Schools")])
    plans = plan_frame([("a", "2015-01-01", "2025-11-01", None)])
    found = ends(stage(lists_of(refs, plans), "Referral"))
    assert found == [("Referred again", 0.5), ("Child protection plan", 0.5)]


def test_a_referral_counts_only_from_when_its_outcomes_are_listed() -> None:
    """List 8 reaches back less far than List 3: care before it begins may have gone unseen."""
    refs = referral_frame([("a", "2025-06-01", "Police"), ("b", "2025-11-01", "Police")])
    longer = {
        3: Window(start=date(2025, 4, 1), months=12, detected=True),
        7: Window(start=date(2025, 4, 1), months=12, detected=True),
        8: Window(start=date(2025, 10, 1), months=6, detected=True),
    }
    seen = stage(lists_of(refs, covering=longer), "Referral").observed
    assert seen.enter.tolist() == [121.5, 0.0]


def test_a_plan_leads_to_care_ends_or_reaches_eighteen() -> None:
    plans = plan_frame(
        [
            ("care", "2015-01-01", "2025-10-11", None),
            ("ended", "2015-01-01", "2025-06-01", "2025-12-01"),
            ("grace", "2015-01-01", "2025-11-01", "2025-12-01"),
            *((f"grown {i}", "2008-01-01", "2025-11-01", "2026-01-01") for i in range(5)),
            ("open", "2015-01-01", "2025-11-01", None),
        ]
    )
    care = care_frame(
        [
            ("care", "2015-01-01", "2025-11-10", None, None),
            ("grace", "2015-01-01", "2025-12-11", None, None),
        ]
    )
    lists = lists_of(plans=plans, care=care)
    order = spells(lists).plans["child_id"]
    found = dict(zip(order, ends(stage(lists, "Child protection plan")), strict=True))
    assert found == {
        "care": ("Care", 30.0),
        "ended": ("Ended, no care", 183.0),
        "grace": ("Care", 30.0),
        **{f"grown {i}": (ADULT, 61.0) for i in range(5)},
        "open": ("still", 150.5),
    }


def test_few_ends_at_eighteen_count_as_ends_without_care() -> None:
    plans = plan_frame([("grown", "2008-01-01", "2025-11-01", "2026-01-01")])
    assert ends(stage(lists_of(plans=plans), "Child protection plan")) == [("Ended, no care", 61.0)]


def test_a_child_in_care_before_the_window_is_no_longer_at_risk_of_care() -> None:
    plans = plan_frame([("a", "2015-01-01", "2025-06-01", None)])
    care = care_frame([("a", "2015-01-01", "2025-07-01", None, None)])
    seen = stage(lists_of(plans=plans, care=care), "Child protection plan").observed
    assert seen.leave[0] < seen.enter[0], "it went before the lists begin to show it"


def test_time_on_a_plan_does_not_end_with_care() -> None:
    plans = plan_frame([("a", "2015-01-01", "2025-11-01", "2026-01-01")])
    care = care_frame([("a", "2015-01-01", "2025-11-11", None, None)])
    of = on_plan_stage(spells(lists_of(plans=plans, care=care)))
    assert ends(of) == [("Ended", 61.0)]


def test_reasons_of_leaving_care_and_age_at_the_start() -> None:
    rows = [
        ("adopted", "2024-09-01", "2025-01-01", "2025-12-01", "E11"),
        ("home", "2012-01-01", "2025-11-01", "2025-12-01", "E4A"),
        ("unknown", None, "2025-11-01", None, None),
        ("alone", "2009-06-01", "2025-11-01", None, None),
    ]
    of = stage(lists_of(care=care_frame(rows, uasc=("alone",))), "Care")
    order = spells(lists_of(care=care_frame(rows, uasc=("alone",)))).care["child_id"].tolist()
    age = dict(zip(order, of.groups["Age at start"], strict=True))
    assert age == {"adopted": "Under 1", "home": "10 to 15", "unknown": "", "alone": "UASC"}
    told = dict(zip(order, [name for name, _ in ends(of)], strict=True))
    assert told == {"adopted": "Adoption", "home": "Home", "unknown": "still", "alone": "still"}


# --- curves --------------------------------------------------------------------------------------


def observed(leave: list[float], outcome: list[int], enter: list[float] | None = None) -> Observed:
    return Observed(
        enter=np.array(enter or [0.0] * len(leave)),
        leave=np.array(leave),
        outcome=np.array(outcome, dtype=np.intp),
    )


def test_a_worked_example_of_competing_outcomes() -> None:
    """Ten children: S and F by hand, with a delayed entry at 15 days."""
    seen = observed(
        [10, 20, 20, 30, 40, 40, 40, 40, 40, 40],
        [0, 1, STILL, 0, *([STILL] * 6)],
        [0, 0, 0, 15, 0, 0, 0, 0, 0, 0],
    )
    curve = curve_of(seen, 2, bands=np.array([0.0]), fewest=1)
    # 9 at risk at 10 days (one has not come yet), 9 at 20 days, 7 at 30 days.
    after_10, after_20 = 8 / 9, 8 / 9 * 8 / 9
    assert curve.at_risk.tolist() == [9, 9, 7]
    assert share_by(curve, 0, 25).value == pytest.approx(1 / 9)
    assert share_by(curve, 1, 25).value == pytest.approx(after_10 / 9)
    assert share_by(curve, 0, 35).value == pytest.approx(1 / 9 + after_20 / 7)
    assert still_by(curve, 35).value == pytest.approx(after_20 * 6 / 7)


def test_where_few_are_at_risk_events_are_spread_at_the_bands_rate() -> None:
    """Survival over the band is then that of its occurrences over its exposure."""
    rng = np.random.default_rng(1)
    enter = rng.uniform(0, 900, 40)
    leave = enter + rng.exponential(150, 40)
    over = leave > 1000
    seen = observed(
        np.minimum(leave, 1000).tolist(), np.where(over, STILL, 0).tolist(), enter.tolist()
    )
    curve = curve_of(seen, 1, bands=np.array([0.0]), fewest=10)
    rate = (~over).sum() / (seen.leave - seen.enter).sum()
    assert np.ptp(curve.at_risk) == 0
    for days in (200.0, 600.0):
        assert still_by(curve, days).value == pytest.approx(np.exp(-rate * days), rel=0.03)


def test_too_few_children_give_no_curve_and_none_leaving_a_bound() -> None:
    few = curve_of(observed([5.0] * 9, [0] * 9), 1, bands=np.array([0.0]))
    assert few.reach == 0
    assert math.isnan(percentile_time(few, 0.5).value)
    assert math.isnan(share_in_the_end(few, 0).value)
    none = curve_of(observed([50.0] * 20, [STILL] * 20), 1, bands=np.array([0.0]))
    found = share_by(none, 0, 40)
    assert found.value == found.low == 0.0


def test_none_of_one_outcome_is_bounded_by_the_binomial() -> None:
    curve = curve_of(observed([5.0] * 20, [0] * 20), 2, bands=np.array([0.0]))
    found = share_by(curve, 1, 40)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(1 - 0.1 ** (1 / 20))


def test_a_percentile_that_the_curve_does_not_reach_is_not_known() -> None:
    seen = observed([10.0] * 30 + [50.0] * 70, [0] * 30 + [STILL] * 70)
    curve = curve_of(seen, 1, bands=np.array([0.0]))
    assert percentile_time(curve, 0.25).value == 10.0
    assert math.isnan(percentile_time(curve, 0.50).value)


def test_siblings_widen_the_interval_and_leave_the_figure() -> None:
    curve = curve_of(observed(list(range(1, 101)), [0, 1] * 50), 2, bands=np.array([0.0]))
    alone, together = (share_by(curve, 0, 50, dispersion=d) for d in (1.0, 2.0))
    assert alone.value == together.value
    assert together.low < alone.low < alone.high < together.high


# --- small numbers -------------------------------------------------------------------------------


def test_counts_round_to_the_nearest_five() -> None:
    assert [rounded_count(n) for n in (0, 2, 3, 7, 8, 100)] == [0, 0, 5, 5, 10, 100]


def test_small_numbers_take_a_second_one_with_them() -> None:
    counts = np.array([[[40, 30, 100], [3, 20, 50], [37, 10, 50]]])
    assert withheld(counts)[0].tolist() == [
        [False, False, False],
        [True, True, False],
        [True, True, False],
    ]


def test_noughts_are_shown_and_large_numbers_stay() -> None:
    assert not withheld(np.array([[[0, 5, 90], [0, 5, 40]]])).any()


def test_a_lone_small_number_beside_noughts_takes_the_next_above_nought() -> None:
    assert withheld(np.array([[[4, 0, 50]]])).tolist() == [[[True, False, True]]]


def test_the_outcome_that_matters_most_is_hidden_last() -> None:
    counts = np.array([[[9, 8, 3, 70]]])
    assert withheld(counts)[0, 0].tolist() == [False, True, True, False]
    assert withheld(counts, last=1)[0, 0].tolist() == [True, False, True, False]
    assert withheld(np.array([[[8, 3]]]), last=0)[0, 0].tolist() == [True, True]


def test_what_is_hidden_at_one_time_is_at_another_a_few_children_apart() -> None:
    """Nobody more was closed by 6 months than by 3: one figure would tell the other."""
    counts = np.array([[[8, 30, 60]], [[8, 2, 88]], [[20, 40, 38]]])
    assert withheld(counts).tolist() == [
        [[True, True, False]],
        [[True, True, False]],
        [[False, False, False]],
    ]


# --- the tables ----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def large() -> Lists:
    return made_up_lists(3, referrals=900, plans=260, care=260)


@lru_cache(maxsize=1)
def found() -> Journeys:
    return journeys(large())


def test_the_tables_have_their_columns_and_every_stage() -> None:
    assert tuple(found().flows.columns) == FLOW_COLUMNS
    assert tuple(found().stages.columns) == STAGE_COLUMNS
    everyone = found().flows[found().flows["group"] == "All"]
    assert list(dict.fromkeys(everyone["from"])) == [
        "Referral",
        "Any referral",
        "Child protection plan",
        "Care",
    ]
    assert not everyone.duplicated(["from", "to"]).any()
    assert found().sentences


def test_lists_and_their_spells_give_the_same() -> None:
    again = journeys(spells(large()))
    pd.testing.assert_frame_equal(again.flows, found().flows)
    pd.testing.assert_frame_equal(again.stages, found().stages)
    assert again.sentences == found().sentences


@pytest.mark.parametrize("name", ["m3", "m6", "m12", "end"])
def test_shares_of_a_group_add_up_to_one_where_none_is_withheld(name: str) -> None:
    checked = 0
    for _, rows in found().flows.groupby(["from", "by", "group"]):
        known = rows[name] if name != "end" else rows[name][:-1]
        if known.notna().all():
            assert known.sum() == pytest.approx(1.0)
            checked += 1
    assert checked > 0


def test_intervals_hold_their_figure_and_percentiles_rise() -> None:
    for table, names in (
        (found().flows, ("m3", "m6", "m12", "end")),
        (found().stages, tuple(PERCENTILES)),
    ):
        for name in names:
            low, value, high = (table[f"{name}{end}"] for end in ("_low", "", "_high"))
            assert not (low > value + 1e-9).any()
            assert not (high < value - 1e-9).any()
    rising = found().stages[list(PERCENTILES)].to_numpy(float)
    assert not (np.diff(rising, axis=1) < 0).any()


def test_no_small_count_and_nothing_that_gives_one_away_is_shown() -> None:
    for table in (found().flows, found().stages):
        seen = table["seen"].dropna()
        assert (seen % 5 == 0).all()
        for column in ("m3", "m6", "m12", "end", "p50"):
            if column in table:
                hidden = table["withheld"].str.split().map(lambda names, c=column: c in names)
                assert table.loc[hidden, column].isna().all()
    flows = found().flows
    for _, rows in flows.groupby(["from", "by", "group"]):
        hidden = rows["withheld"].str.split().map(lambda names: "seen" in names)
        assert hidden.sum() != 1 or len(rows) == 1


def test_what_lies_beyond_the_lists_is_said_and_left_blank() -> None:
    refs = found().flows[found().flows["from"] == "Referral"]
    assert refs["m12"].isna().all()
    assert refs["note"].str.contains("12 months: beyond what the lists show").all()
    plans = found().stages[found().stages["note"].str.contains("not reached")]
    for _, row in plans.iterrows():
        assert math.isnan(row["p90"])


def test_everyone_in_care_with_nobody_leaving_has_no_median() -> None:
    rows = [
        (f"c{i}", "2015-01-01", f"2025-{1 + i % 9:02d}-{1 + i % 28:02d}", None, None)
        for i in range(60)
    ]
    result = journeys(lists_of(care=care_frame(rows)))
    row = result.stages[(result.stages["stage"] == "In care") & (result.stages["by"] == "")].iloc[0]
    assert row["seen"] == 0
    assert math.isnan(row["p50"])
    assert row["at_a_time"] > 0
    assert row["note"]


def test_empty_lists_give_tables_without_figures() -> None:
    result = journeys(lists_of())
    assert result.flows[["m3", "m6", "m12", "end"]].isna().all(axis=None)
    assert result.stages[list(PERCENTILES)].isna().all(axis=None)
    assert result.sentences == ()


def test_plans_held_back_in_closed_cases_show_in_the_figures() -> None:
    """Intake that grew fast: closed plans are the short ones, and say so of all plans."""
    rng = np.random.default_rng(4)
    census, opens = pd.Timestamp("2026-03-31"), pd.Timestamp("2025-10-01")
    # From nothing two years ago: five times as many starts lately.
    ago = np.round(730 * (1 - np.sqrt(rng.random(6000)))).astype(int)
    length = np.maximum(np.round(rng.exponential(300, 6000)), 1).astype(int)
    rows = []
    for i, (a, n) in enumerate(zip(ago, length, strict=True)):
        start = census - pd.Timedelta(days=int(a))
        end = start + pd.Timedelta(days=int(n))
        if end >= opens:
            shown = str(end.date()) if end <= census else None
            rows.append((f"p{i}", "2018-01-01", str(start.date()), shown))
    covering = windows(opens.date())
    result = journeys(lists_of(plans=plan_frame(rows), covering=covering))
    row = result.stages[(result.stages["stage"] == "On a plan") & (result.stages["by"] == "")].iloc[
        0
    ]
    truth = 300 * np.log(2) / MONTH
    assert row["p50"] == pytest.approx(truth, rel=0.08)
    assert row["plain_p50"] < 0.85 * truth


def test_order_of_rows_and_names_of_children_do_not_matter() -> None:
    lists = large()
    children = pd.concat([f["child_id"] for f in (lists.referrals, lists.plans, lists.care)])
    number = {child: f"x{i * 7919 % 100003}" for i, child in enumerate(sorted(set(children)))}

    def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
        mixed = frame.sample(frac=1.0, random_state=7, ignore_index=True)
        return mixed.assign(child_id=mixed["child_id"].map(number))

    again = journeys(
        lists_of(
            shuffled(lists.referrals),
            shuffled(lists.plans),
            shuffled(lists.care),
            census=lists.census_date,
            covering=dict(lists.windows),
        )
    )
    pd.testing.assert_frame_equal(again.flows, found().flows)
    pd.testing.assert_frame_equal(again.stages, found().stages)


def test_every_child_twice_gives_the_same_shares_and_times() -> None:
    lists = large()

    def doubled(frame: pd.DataFrame) -> pd.DataFrame:
        twin = frame.assign(child_id=frame["child_id"] + "-twin")
        return pd.concat([frame, twin], ignore_index=True)

    twice = journeys(
        lists_of(
            doubled(lists.referrals),
            doubled(lists.plans),
            doubled(lists.care),
            census=lists.census_date,
            covering=dict(lists.windows),
        )
    )
    key = ["from", "by", "group", "to"]
    both = found().flows.merge(twice.flows, on=key, suffixes=("", "_twice"))
    both = both[(both["by"] == "") & both["m3"].notna()]
    assert len(both) > 5
    # Bands with fewer than ten at risk may be drawn more finely with twice the children.
    assert both["m3"].to_numpy() == pytest.approx(both["m3_twice"].to_numpy(), abs=0.01)
