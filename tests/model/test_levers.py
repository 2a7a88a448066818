"""Levers: each moves what it should, their order, side effects, and goals that they reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pytest

from demand_model import spells
from demand_model.errors import InvalidSettingError
from demand_model.results.cost_years import CostChoices
from demand_model.results.goal_seek import Goal, goal_seek
from demand_model.results.lever_list import ALL_EXITS, LEVERS, LeverSetting
from demand_model.results.lever_runs import OUTCOMES, LeverContext
from demand_model.results.levers import TOGETHER, LeverEffects, levers
from demand_model.results.placement_mix import placements_today
from demand_model.simulation.setup import prepare
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit


@lru_cache(maxsize=1)
def context() -> LeverContext:
    prepared = prepare(made_up_rates(1), horizon_months=18, draws=300, seed=1)
    last = prepared.common.line.month_ends[-1].astype("datetime64[D]").item()
    return LeverContext(
        prepared=prepared,
        at=last,
        system=System(),
        placements=Placements(),
        today=placements_today(spells(made_up_lists(1)), Placements()),
        choices=CostChoices(inflation_a_year=0.03),
    )


def pulled(key: str, size: float = 0.2, cost: float = 0.0) -> LeverSetting:
    return LeverSetting(lever=key, size=size, start=CENSUS, cost_a_year=cost)


@lru_cache(maxsize=1)
def every_lever() -> LeverEffects:
    settings = [pulled(lever.key) for lever in LEVERS if lever.key != "early_help"]
    return levers(context(), settings, combinations=[pulled(ALL_EXITS)])


def effect(key: str, outcome: str) -> float:
    return float(every_lever().draws[key, outcome].mean())


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("referrals", "referrals"),
        ("referrals", "cp_open"),
        ("referrals", "cla_open"),
        ("referrals", "caseload"),
        ("nfa_share", "cp_open"),
        ("referral_to_plan", "cp_open"),
        ("direct_entries", "cla_open"),
        ("plan_to_care", "cla_open"),
        ("plan_ends", "cp_open"),
        ("reunification", "cla_open"),
        ("reunification", "placement_cost"),
        ("permanence", "cla_open"),
        ("step_down", "external_share"),
        ("step_down", "placement_cost"),
        ("matching", "external_share"),
        ("workers", "caseload"),
        (ALL_EXITS, "cla_open"),
        (TOGETHER, "cla_open"),
    ],
)
def test_each_lever_lowers_what_it_is_for(key: str, outcome: str) -> None:
    assert effect(key, outcome) < 0.0


def test_a_lever_leaves_alone_what_lies_before_it() -> None:
    for key in ("reunification", "permanence", "direct_entries", "plan_ends"):
        assert effect(key, "referrals") == 0.0
    for key in ("step_down", "matching", "workers"):
        assert effect(key, "cla_open") == effect(key, "cp_open") == 0.0
    assert effect("workers", "net_cost") > 0.0


def test_every_outcome_stands_in_a_levers_own_rows_and_the_best_comes_first() -> None:
    found = every_lever()
    for _, rows in found.effects.groupby("lever"):
        assert tuple(rows["outcome"]) == OUTCOMES
    headline = found.effects[found.effects["outcome"] == "cla_open"]
    assert headline["effect"].is_monotonic_increasing
    assert headline["lever"].iloc[0] == TOGETHER
    assert (headline["p2_5"] <= headline["p10"]).all()
    assert (headline["p10"] <= headline["p90"]).all()
    np.testing.assert_allclose(
        headline["with"] - headline["without"], headline["effect"], atol=1e-9
    )


def test_one_of_two_levers_beats_the_other() -> None:
    beats = every_lever().beats.set_index(["lever", "beaten"])["share"]
    for (one, two), share in beats.items():
        assert share + beats[two, one] == pytest.approx(1.0)
    assert beats[TOGETHER, "plan_ends"] > 0.9
    assert beats["step_down", "matching"] == 0.5  # neither changes the number in care


def test_a_lever_the_other_way_works_the_other_way() -> None:
    found = levers(context(), [pulled("referrals", -0.2)])
    assert found.draws["referrals", "cla_open"].mean() > 0.0


def test_a_later_start_and_a_ramp_do_less() -> None:
    late = LeverSetting(lever="reunification", size=0.2, start=date(CENSUS.year + 1, 1, 1))
    slow = replace(pulled("reunification"), ramp_months=12.0)
    for setting in (late, slow):
        less = levers(context(), [setting]).draws["reunification", "cla_open"].mean()
        assert effect("reunification", "cla_open") < less < 0.0


def test_a_levers_own_cost_counts_from_its_start() -> None:
    free = levers(context(), [pulled("reunification")])
    paid = levers(context(), [pulled("reunification", cost=100_000.0)])
    own = paid.draws["reunification", "net_cost"] - free.draws["reunification", "net_cost"]
    assert np.ptp(own) == pytest.approx(0.0, abs=1e-6)
    assert own[0] == pytest.approx(100_000.0 * 1.5, rel=0.05)  # 18 months, prices rising


def test_what_is_missing_is_said() -> None:
    bare = LeverContext(prepared=context().prepared, at=context().at)
    for key, words in (
        ("workers", "needs the system"),
        ("nfa_share", "needs the system"),
        ("step_down", "needs placements"),
    ):
        with pytest.raises(InvalidSettingError, match=words):
            levers(bare, [pulled(key)])
    with pytest.raises(InvalidSettingError, match="Invalid headline"):
        levers(bare, [pulled("referrals")], headline="caseload")
    with pytest.raises(InvalidSettingError, match="Invalid date"):
        levers(replace(bare, at=date(2090, 1, 1)), [pulled("referrals")])
    with pytest.raises(InvalidSettingError, match="Invalid size"):
        pulled("referrals", 1.5)
    with pytest.raises(InvalidSettingError, match="Invalid lever"):
        pulled("magic")
    with pytest.raises(InvalidSettingError, match="twice"):
        levers(bare, [pulled("referrals"), pulled("referrals")])


def test_a_goal_is_met_by_the_size_that_is_found() -> None:
    now = float(every_lever().effects.query("outcome == 'cla_open'")["without"].iloc[0])
    goal = Goal(outcome="cla_open", target=now + effect("reunification", "cla_open"))
    found = goal_seek(context(), goal, [pulled("reunification", 0.8)])
    assert found.is_met
    assert found.reached <= goal.target
    assert found.settings[0].size == pytest.approx(0.2, abs=0.02)
    again = levers(context(), found.settings).effects.query("outcome == 'cla_open'")["with"].iloc[0]
    assert again == pytest.approx(found.reached)
    surer = goal_seek(context(), replace(goal, chance=0.6), [pulled("reunification", 0.9)])
    assert surer.chance >= 0.59 or not surer.is_met
    assert surer.settings[0].size > found.settings[0].size


def test_a_mix_takes_the_cheaper_lever_first_and_stays_within_bounds() -> None:
    now = float(every_lever().effects.query("outcome == 'cla_open'")["without"].iloc[0])
    goal = Goal(outcome="cla_open", target=now - 0.8 * abs(effect("direct_entries", "cla_open")))
    cheap, dear = pulled("direct_entries", 0.2, 10_000.0), pulled("reunification", 0.2, 500_000.0)
    found = goal_seek(context(), goal, [dear, cheap])
    assert found.is_met
    assert found.reached <= goal.target + 0.01 * abs(now - goal.target)
    assert [s.lever for s in found.settings] == ["direct_entries"]
    assert 0.1 < found.settings[0].size <= 0.2
    assert found.cost_a_year == pytest.approx(10_000.0 * found.settings[0].size / 0.2)


def test_goals_out_of_reach_and_goals_that_need_nothing_say_so() -> None:
    far = goal_seek(context(), Goal(outcome="cla_open", target=1.0), [pulled("reunification")])
    assert not far.is_met
    assert "out of reach" in far.sentence
    assert far.settings[0].size == pytest.approx(0.2)
    assert far.chance == 0.0
    now = far.without
    near = goal_seek(context(), Goal(outcome="cla_open", target=now), [pulled("reunification")])
    assert near.is_met
    assert near.settings == ()
    assert "without any lever" in near.sentence
    up = goal_seek(context(), Goal(outcome="cla_open", target=now * 1.5), [pulled("reunification")])
    assert not up.is_met  # more children home cannot raise the number in care
    with pytest.raises(InvalidSettingError, match="Invalid chance"):
        Goal(outcome="cla_open", target=1.0, chance=1.0)
