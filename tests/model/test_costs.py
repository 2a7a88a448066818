"""Costs: the arithmetic by hand, what must hold of any costs, and the sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_model import presets, simulate, spells
from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL
from demand_model.results.cost_tables import COST_COLUMNS, PLACEMENT_COLUMNS, quarter_ends
from demand_model.results.cost_words import cost_sentences, money, year_words
from demand_model.results.cost_years import CostChoices, calendar_of
from demand_model.results.costs import (
    WORKERS,
    Costs,
    costs,
    monthly_cost,
    monthly_workers_cost,
    placement_costs,
)
from demand_model.results.forecast import QUANTILE_COLUMNS
from demand_model.results.placements import PlacementPaths
from demand_model.simulation.scenario import BASELINE
from demand_model.system.inputs import PlacementGroup, Placements, Workforce
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit

CHEAP = PlacementGroup(name="cheap", label="Cheap", weekly_cost=100.0, is_internal=True)
DEAR = PlacementGroup(name="dear", label="Dear", weekly_cost=7_000.0, is_internal=False)
NO_INFLATION = CostChoices()


def paths_of(
    children: np.ndarray,
    *,
    today: Sequence[float] = (10.0, 2.0),
    start: str = "2026-04",
    scenario: str = BASELINE.name,
    groups: tuple[PlacementGroup, ...] = (CHEAP, DEAR),
) -> PlacementPaths:
    return PlacementPaths(
        scenario=scenario,
        months=pd.period_range(start, periods=len(children), freq="M"),
        groups=groups,
        today=np.asarray(today, dtype=float),
        children=children,
        without_place=np.zeros_like(children),
    )


def steady(months: int = 12, draws: int = 3, **more: object) -> PlacementPaths:
    """Ten children in the cheap group, two in the dear one, for ever."""
    children = np.broadcast_to(np.array([10.0, 2.0])[:, None], (months, 2, draws)).copy()
    return paths_of(children, **more)


@lru_cache(maxsize=1)
def real() -> Costs:
    """A small authority's costs under three scenarios."""
    lists = made_up_lists(1)
    found = simulate(made_up_rates(1), presets(CENSUS)[:3], horizon_months=27, draws=60, seed=5)
    return placement_costs(spells(lists), found, Placements(), CostChoices(inflation_a_year=0.03))


# --- arithmetic ----------------------------------------------------------------------------------


def test_a_year_of_steady_children_costs_days_over_seven_times_the_weekly_cost():
    found = costs([steady()], CENSUS, NO_INFLATION)
    assert [y.name for y in found.years] == ["2026-27"]
    assert found.draws[BASELINE.name, "2026-27", "cheap"] == pytest.approx(10 * 100 * 365 / 7)
    assert found.draws[BASELINE.name, "2026-27", "dear"] == pytest.approx(2 * 7_000 * 365 / 7)
    assert found.draws[BASELINE.name, "2026-27", ALL] == pytest.approx(15_000 * 365 / 7)


def test_within_a_month_children_change_evenly():
    children = np.array([[[14.0], [2.0]], [[14.0], [2.0]]])
    monthly = monthly_cost(paths_of(children), calendar_of(steady(2).months, CENSUS, NO_INFLATION))
    assert monthly[0, 0, 0] == pytest.approx(12 * 100 * 30 / 7), "from 10 to 14 in April"
    assert monthly[1, 0, 0] == pytest.approx(14 * 100 * 31 / 7)


def test_the_first_month_counts_from_the_census_date():
    choices = NO_INFLATION
    inside = calendar_of(
        pd.period_range("2026-03", periods=2, freq="M"), date(2026, 3, 10), choices
    )
    assert list(inside.days) == [21.0, 30.0]
    ends = calendar_of(pd.period_range("2026-04", periods=2, freq="M"), CENSUS, choices)
    assert list(ends.days) == [30.0, 31.0]


def test_inflation_grows_from_the_date_of_the_prices():
    months = steady(24).months
    rising = calendar_of(months, CENSUS, CostChoices(inflation_a_year=0.1))
    assert rising.price[0] == pytest.approx(1.1 ** (16 / 365.25), rel=1e-3)
    assert rising.price[12] / rising.price[0] == pytest.approx(1.1, rel=2e-3)
    older = calendar_of(
        months, CENSUS, CostChoices(inflation_a_year=0.1, prices_of=date(2024, 3, 31))
    )
    assert older.price / rising.price == pytest.approx(np.full(24, 1.1**2), rel=2e-3)


@pytest.mark.parametrize(
    ("start", "census", "months", "expected"),
    [
        ("2026-04", date(2026, 3, 31), 12, [("2026-27", True)]),
        ("2026-04", date(2026, 3, 31), 13, [("2026-27", True), ("2027-28", False)]),
        ("2026-10", date(2026, 9, 30), 18, [("2026-27", False), ("2027-28", True)]),
        ("2026-04", date(2026, 4, 20), 12, [("2026-27", False)]),
        ("2099-01", date(2098, 12, 31), 15, [("2098-99", False), ("2099-00", True)]),
    ],
)
def test_financial_years_say_whether_they_are_whole(start, census, months, expected):
    period = pd.period_range(start, periods=months, freq="M")
    years = calendar_of(period, census, NO_INFLATION).years
    assert [(y.name, y.is_whole) for y in years] == expected
    assert years[0].first_day > census
    assert years[-1].last_day == (period[-1] + 1).to_timestamp().date() - pd.Timedelta(days=1)


def test_workers_cost_what_own_and_agency_workers_do():
    force = Workforce(
        agency_share=0.25, cost_per_worker_a_year=50_000.0, cost_per_agency_worker_a_year=90_000.0
    )
    calendar = calendar_of(steady().months, CENSUS, NO_INFLATION)
    monthly = monthly_workers_cost(np.full((12, 3), 40.0), force, calendar)
    assert monthly.sum(axis=0) == pytest.approx(40 * 60_000 * 365 / 365.25)
    found = costs([steady()], CENSUS, NO_INFLATION, workers_cost={BASELINE.name: monthly})
    assert found.draws[BASELINE.name, "2026-27", WORKERS] == pytest.approx(monthly.sum(axis=0))
    placements_alone = costs([steady()], CENSUS, NO_INFLATION)
    assert found.draws[BASELINE.name, "2026-27", ALL] == pytest.approx(
        placements_alone.draws[BASELINE.name, "2026-27", ALL]
    )


# --- what must hold ------------------------------------------------------------------------------

random_children = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).uniform(0, 50, (14, 2, 5))
)


@given(children=random_children, factor=st.floats(0, 5), inflation=st.floats(-0.2, 0.3))
@settings(max_examples=40, deadline=None)
def test_costs_are_proportional_to_weekly_costs(children, factor, inflation):
    choices = CostChoices(inflation_a_year=inflation)
    dearer = tuple(replace(g, weekly_cost=g.weekly_cost * factor) for g in (CHEAP, DEAR))
    one = costs([paths_of(children)], CENSUS, choices)
    other = costs([paths_of(children, groups=dearer)], CENSUS, choices)
    for key, draws in one.draws.items():
        assert other.draws[key] == pytest.approx(draws * factor, abs=1e-6)


@given(children=random_children)
@settings(max_examples=25, deadline=None)
def test_groups_add_up_and_years_to_the_months(children):
    path = paths_of(children)
    found = costs([path], CENSUS, NO_INFLATION)
    for year in found.years:
        parts = [found.draws[BASELINE.name, year.name, g.name] for g in path.groups]
        assert found.draws[BASELINE.name, year.name, ALL] == pytest.approx(sum(parts))
    whole = monthly_cost(path, calendar_of(path.months, CENSUS, NO_INFLATION)).sum(axis=(0, 1))
    years = [found.draws[BASELINE.name, year.name, ALL] for year in found.years]
    assert sum(years) == pytest.approx(whole)


def test_without_inflation_the_date_of_the_prices_is_of_no_matter():
    one = costs([steady()], CENSUS, NO_INFLATION)
    other = costs([steady()], CENSUS, CostChoices(prices_of=date(2020, 1, 1)))
    pd.testing.assert_frame_equal(one.by_year, other.by_year)


def test_a_scenario_like_the_baseline_costs_the_same_in_every_draw():
    found = costs([steady(), steady(scenario="Same")], CENSUS, CostChoices(unit_cost_sd=0.2))
    row = found.by_year.query("scenario == 'Same' and placement_group == 'all'").iloc[0]
    assert row["less_baseline_mean"] == row["less_baseline_p10"] == row["less_baseline_p90"] == 0.0
    assert row["share_dearer"] == 0.0


def test_differences_are_taken_draw_by_draw():
    rng = np.random.default_rng(1)
    noisy = rng.uniform(5, 60, (12, 2, 400))
    more = noisy + np.array([1.0, 0.0])[:, None]
    found = costs(
        [paths_of(noisy, today=(9, 9)), paths_of(more, today=(9, 9), scenario="More")],
        CENSUS,
        NO_INFLATION,
    )
    row = found.by_year.query("scenario == 'More' and placement_group == 'all'").iloc[0]
    extra = 100 * (365 - 15) / 7  # one more at every month's end, from nought in April
    assert row["less_baseline_mean"] == pytest.approx(extra)
    assert row["less_baseline_p90"] - row["less_baseline_p10"] < 1e-6, "chance cancels"
    assert row["share_dearer"] == 1.0
    assert row["p90"] - row["p10"] > 1_000


def test_uncertain_unit_costs_widen_the_range_and_keep_the_mean():
    path = steady(draws=4_000)
    found = costs([path], CENSUS, CostChoices(unit_cost_sd=0.1))
    draws = found.draws[BASELINE.name, "2026-27", "dear"]
    assert draws.mean() == pytest.approx(2 * 7_000 * 365 / 7, rel=0.01)
    assert np.log(draws).std() == pytest.approx(0.1, rel=0.05)
    again = costs([path], CENSUS, CostChoices(unit_cost_sd=0.1))
    assert np.array_equal(again.draws[BASELINE.name, "2026-27", "dear"], draws)


def test_the_tables_hold_every_year_group_and_scenario_once():
    found = real()
    assert tuple(found.by_year.columns) == COST_COLUMNS
    assert tuple(found.children.columns) == PLACEMENT_COLUMNS
    groups = len(found.today) + 1
    assert len(found.by_year) == 3 * 3 * groups
    assert not found.by_year.duplicated(["year", "placement_group", "scenario"]).any()
    baseline = found.by_year["scenario"] == BASELINE.name
    assert found.by_year.loc[baseline, "less_baseline_mean"].isna().all()
    assert found.by_year.loc[~baseline, "less_baseline_mean"].notna().all()
    for table in (found.by_year, found.children):
        for low, high in pairwise(QUANTILE_COLUMNS):
            assert (table[low] <= table[high]).all()


def test_children_are_shown_at_the_census_date_and_ends_of_quarters():
    found = real().children
    mine = found[(found["scenario"] == BASELINE.name) & (found["placement_group"] == "kinship")]
    days = [stamp.date() for stamp in mine["month_end"]]
    assert days[:3] == [CENSUS, date(2026, 6, 30), date(2026, 9, 30)]
    assert days[-1] == date(2028, 6, 30)
    assert mine["mean"].iloc[0] == mine["p97_5"].iloc[0]
    assert list(quarter_ends(pd.period_range("2026-04", periods=5, freq="M"))) == [2, 4]


def test_scenarios_that_cannot_be_compared_are_refused():
    with pytest.raises(InvalidSettingError, match="one or more"):
        costs([], CENSUS, NO_INFLATION)
    with pytest.raises(InvalidSettingError, match="Other"):
        costs([steady(12), steady(13, scenario="Other")], CENSUS, NO_INFLATION)
    with pytest.raises(InvalidSettingError, match="Other"):
        costs([steady(draws=3), steady(draws=4, scenario="Other")], CENSUS, NO_INFLATION)


@pytest.mark.parametrize(
    "choices",
    [{"inflation_a_year": 2.0}, {"unit_cost_sd": -0.1}, {"inflation_a_year": float("nan")}],
)
def test_choices_outside_their_range_are_refused(choices):
    with pytest.raises(InvalidSettingError, match="must be from"):
        CostChoices(**choices)


# --- sentences -----------------------------------------------------------------------------------


def test_the_first_sentence_is_the_cost_of_the_first_whole_year():
    found = costs([steady()], CENSUS, NO_INFLATION)
    said = cost_sentences(found)
    assert said[0] == (
        "Placements cost £780,000 in 2026-27 (80% between £780,000 and £780,000) if nothing "
        "changes."
    )
    assert said[1] == "Dear: 17% of children today, 93% of the cost in 2026-27."
    assert len(said) == 2


def test_a_forecast_without_a_whole_year_says_its_months():
    part = costs([steady(5, start="2026-10")], date(2026, 10, 9), NO_INFLATION)
    assert "from 10 October to February 2027 (part of 2026-27)" in cost_sentences(part)[0]
    assert year_words(part.years[0]).startswith("from 10 October")


def test_scenarios_are_told_by_the_size_of_their_effect():
    scenarios = [
        steady(draws=9),
        steady(draws=9, scenario="Same"),
        paths_of(np.full((12, 2, 9), 3.0), scenario="Fewer and dearer"),
        paths_of(np.tile([[10.0], [1.0]], (12, 1, 9)).reshape(12, 2, 9), scenario="One fewer"),
    ]
    said = cost_sentences(costs(scenarios, CENSUS, NO_INFLATION))[2:]
    assert len(said) == 2, "no sentence where nothing changes"
    assert said[0] == (
        "One fewer: £350,000 less than Baseline in 2026-27 (in every simulated future)."
    )
    assert said[1].startswith("Fewer and dearer: £310,000 more than Baseline in 2026-27")


@pytest.mark.parametrize(
    ("pounds", "words"),
    [
        (24_132_000, "£24.1m"), (999_600, "£1.0m"), (461_200, "£460,000"), (99_400, "£99,000"),
        (310, "£310"), (0, "£0"), (-1_500_000, "−£1.5m"),
    ],
)  # fmt: skip
def test_money_in_words(pounds, words):
    assert money(pounds) == words


def test_an_authority_without_children_in_care_costs_nothing():
    empty = paths_of(np.zeros((12, 2, 3)), today=(0.0, 0.0))
    said = cost_sentences(costs([empty], CENSUS, NO_INFLATION))
    assert said == ("Placements cost £0 in 2026-27 (80% between £0 and £0) if nothing changes.",)
