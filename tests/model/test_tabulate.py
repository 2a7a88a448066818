from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model.exposure.bands import PLAN_BANDS, Bands
from demand_model.exposure.clustering import same_day_clustering
from demand_model.exposure.risk import calendar_months, days_at_risk
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import CARE_ENDS, Flow
from engine_cases import (
    care_frame,
    exposure_of,
    lists_of,
    made_up_exposure,
    plan_frame,
    referral_frame,
    windows,
)

pytestmark = pytest.mark.unit

BORN = "2015-06-15"


def cells(exposure: Exposure, flow: Flow, by: str = "duration_band") -> pd.DataFrame:
    mine = exposure.table[exposure.table["flow"] == flow.value]
    return mine.groupby(by, sort=False)[["occurrences", "exposure"]].sum()


def test_days_at_risk_are_cut_by_month_and_band() -> None:
    bands = Bands(lower=(0.0, 1.0), labels=("first", "later"))
    months = calendar_months(date(2025, 10, 1), date(2025, 12, 31))
    found = days_at_risk(
        np.array(["2025-10-12"], "datetime64[D]"), np.array([0.0]), np.array([50.0]), months, bands
    )
    # From the middle of 12 October: 19.5 days of October, 30 of November, half a day of December;
    # the first band ends after 30.4375 days.
    assert found.sum(axis=1).tolist() == [19.5, 30.0, 0.5]
    assert found[:, 0] == pytest.approx([19.5, 30.4375 - 19.5, 0.0])


def test_a_plan_that_began_before_the_window_is_at_risk_only_within_it() -> None:
    found = exposure_of(lists_of(plans=plan_frame([("a", BORN, "2025-07-03", "2025-11-02")])))
    ends = cells(found, Flow.PLAN_ENDS)
    # 90 days old when the window opens (less half a day), 122 at its end: the band changes at
    # three months of 30.4375 days.
    edge = 3 * 30.4375
    assert ends["exposure"].tolist()[:2] == pytest.approx([edge - 89.5, 122.0 - edge])
    assert ends["occurrences"].tolist() == [0, 1, 0, 0, 0, 0, 0]
    months = cells(found, Flow.PLAN_ENDS, "month")
    assert months["occurrences"].tolist() == [0, 1, 0, 0, 0, 0]
    assert months["exposure"].tolist() == [31.0, 1.5, 0, 0, 0, 0]


def test_time_at_risk_adds_up_to_the_spells() -> None:
    exposure = made_up_exposure(1)
    assert set(exposure.table["flow"]) == {flow.value for flow in Flow}
    ends = cells(exposure, Flow.PLAN_ENDS)
    opening = exposure.opening
    assert len(opening.plans) == 20  # two thirds of 30 are open
    assert ends["occurrences"].sum() == 10
    care = {flow: cells(exposure, flow)["exposure"].sum() for flow in CARE_ENDS}
    assert len({round(days, 6) for days in care.values()}) == 1  # all reasons compete


def test_care_is_cut_at_birthdays_into_age_groups() -> None:
    # Turns 5 on 15 December 2025.
    care = care_frame([("a", "2020-12-15", "2025-11-15", "2026-01-15", "E11")])
    found = exposure_of(lists_of(care=care))
    ages = cells(found, Flow.CARE_ENDS_ADOPTION, "segment")
    assert ages["exposure"].to_dict()["1 to 4"] == pytest.approx(30.0, abs=0.5)
    assert ages["exposure"].to_dict()["5 to 9"] == pytest.approx(31.0, abs=0.5)
    assert ages["exposure"].sum() == pytest.approx(61.0)
    assert ages["occurrences"].to_dict()["5 to 9"] == 1
    assert ages["occurrences"].sum() == 1


def test_unaccompanied_children_are_a_segment_of_their_own() -> None:
    care = care_frame([("a", "2009-01-01", "2025-12-01", "2026-01-15", "E8")], uasc=("a",))
    found = exposure_of(lists_of(care=care))
    other = cells(found, Flow.CARE_ENDS_OTHER, "segment")
    assert other["occurrences"].to_dict()["UASC"] == 1
    assert other["exposure"].drop("UASC").sum() == 0
    assert cells(found, Flow.UASC_STARTS)["occurrences"].sum() == 1
    assert cells(found, Flow.OTHER_CARE_STARTS)["occurrences"].sum() == 0


def test_an_18th_birthday_is_time_at_risk_and_no_event() -> None:
    care = care_frame([("a", "2008-02-01", "2025-12-01", "2026-02-01", "E8")])
    found = exposure_of(lists_of(care=care))
    other = cells(found, Flow.CARE_ENDS_OTHER)
    assert (other["occurrences"].sum(), other["exposure"].sum()) == (0, 62)


def test_a_referral_is_followed_until_the_census_and_its_starts_are_the_latest_ones() -> None:
    rows = [
        ("a", "2026-03-01", "Police"),
        ("a", "2026-03-11", "Schools"),
        ("b", "2026-03-29", "Police"),
    ]
    found = exposure_of(
        lists_of(referral_frame(rows), plan_frame([("a", BORN, "2026-03-20", None)]))
    )
    table = found.table[found.table["flow"] == Flow.REFERRAL_TO_PLAN.value]
    followed = table.groupby(["segment", "duration_band"])["exposure"].sum()
    # 31, 21 and 3 days to the end of 31 March. A start is put down to the latest referral, yet
    # the one before stays in the denominator: the rate is starts a referral that arrives.
    weeks = [f"week {n}" for n in range(6)]
    assert followed["Police"][weeks].tolist() == pytest.approx([1 + 3 / 7, 1, 1, 1, 3 / 7, 0])
    assert followed["Schools"][weeks].tolist() == [1, 1, 1, 0, 0, 0]
    started = table[table["occurrences"] > 0]
    assert started[["segment", "duration_band"]].to_numpy().tolist() == [["Schools", "week 1"]]
    assert found.pipeline["count"].sum() == 3


def test_an_unlinked_start_has_the_look_back_of_its_day() -> None:
    plans = plan_frame([("a", BORN, "2025-10-05", None), ("b", BORN, "2025-10-08", None)])
    found = cells(exposure_of(lists_of(plans=plans)), Flow.OTHER_PLAN_STARTS)
    assert found["occurrences"].to_dict()["week 0"] == 1
    assert found["occurrences"].to_dict()["week 1"] == 1
    assert found["exposure"].sum() == 182  # days from 1 October to 31 March
    assert found["exposure"].to_dict()["week 0"] == 7


def test_starts_before_the_window_are_no_occurrence() -> None:
    found = exposure_of(lists_of(plans=plan_frame([("a", BORN, "2025-09-01", None)])))
    assert cells(found, Flow.OTHER_PLAN_STARTS)["occurrences"].sum() == 0


def test_care_from_a_plan_counts_by_time_on_the_plan() -> None:
    lists = lists_of(
        plans=plan_frame([("a", BORN, "2025-08-01", None)]),
        care=care_frame([("a", BORN, "2026-01-10", None, None)]),
    )
    found = cells(exposure_of(lists), Flow.PLAN_TO_CARE)
    assert found["occurrences"].to_dict() == {
        label: float(label == "3 to 6 months") for label in PLAN_BANDS.labels
    }
    assert found["exposure"].sum() == 182


def test_re_referrals_are_counted_from_each_referral() -> None:
    rows = [("a", "2026-01-01", "Police"), ("a", "2026-01-21", "Schools")]
    found = cells(exposure_of(lists_of(referral_frame(rows))), Flow.RE_REFERRALS)
    assert found["occurrences"].sum() == 1
    assert found["exposure"].sum() == 20 + 69.5  # the census closes half a day after its noon


def test_referrals_have_working_days_for_exposure() -> None:
    found = made_up_exposure(1).table
    mine = found[(found["flow"] == "referrals") & (found["segment"] == "Police")]
    assert mine["exposure"].tolist() == [23, 20, 21, 21, 20, 22]  # October 2025 to March 2026


def test_the_opening_stock_is_the_lists_own_count() -> None:
    care = care_frame(
        [("a", "2020-04-01", "2026-03-31", None, None), ("b", None, "2025-01-01", None, None)],
        placements={"b": "K2"},
    )
    opening = exposure_of(lists_of(care=care)).opening.care
    assert sorted(opening.days.tolist()) == [0.5, 454.5]
    assert np.isnan(opening.age_days).sum() == 1
    assert sorted(opening.placement_group.tolist()) == ["fostering", "residential"]


def test_the_series_balances_month_by_month() -> None:
    series = made_up_exposure(1).series
    mine = series[series["segment"] == "all"].set_index(["measure", "month_end"])["value"]
    for stock in ("cp", "cla"):
        change = mine[f"{stock}_open"].diff().iloc[1:]
        flows = mine[f"{stock}_starts"] - mine[f"{stock}_ends"]
        assert change.tolist() == flows.tolist()
        assert len(flows) == 6


def test_the_census_month_is_counted_so_far() -> None:
    covering = windows(date(2025, 9, 11))
    lists = lists_of(
        referral_frame([("a", "2026-03-09", "Police"), ("b", "2026-02-01", "Police")]),
        plan_frame([("a", BORN, "2025-12-01", "2026-03-02")]),
        census=date(2026, 3, 10),
        covering=covering,
    )
    found = exposure_of(lists).month_to_date.set_index(["measure", "segment"])["value"]
    assert found["referrals", "all"] == found["referrals", "Police"] == 1
    assert (found["cp_ends", "all"], found["cp_starts", "all"]) == (1, 0)


def test_a_whole_census_month_needs_no_month_to_date() -> None:
    assert made_up_exposure(1).month_to_date.empty


def test_same_day_pairs_of_lone_events_are_chance() -> None:
    rng = np.random.default_rng(3)
    days = np.datetime64("2025-10-01") + rng.integers(0, 182, 4000)
    found = same_day_clustering(days, date(2025, 10, 1), date(2026, 3, 31))
    # Standard deviation of the pairs of a Poisson count: sqrt(2 n mean), mean 22 a day.
    assert abs(found.pairs - found.chance_pairs) < 4 * np.sqrt(2 * 4000 * 22)


def test_dispersion_of_families_is_their_size_weighted_mean() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.choice([1, 2, 3], size=3000, p=[0.5, 0.3, 0.2])
    days = np.repeat(np.datetime64("2016-01-01") + rng.integers(0, 3650, 3000), sizes)
    found = same_day_clustering(days, date(2016, 1, 1), date(2025, 12, 28))
    truth = (0.5 + 0.3 * 4 + 0.2 * 9) / (0.5 + 0.3 * 2 + 0.2 * 3)
    assert found.dispersion(prior=5.0, prior_events=1e-9) == pytest.approx(truth, rel=0.1)
    assert (found + found).events == 2 * found.events


def test_dispersion_without_events_is_the_prior() -> None:
    found = same_day_clustering(
        np.array([], "datetime64[D]"), date(2025, 10, 1), date(2025, 10, 31)
    )
    assert found.dispersion(prior=1.8, prior_events=60.0) == pytest.approx(1.8)
