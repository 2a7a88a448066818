"""Levers: each moves what it should, their order, side effects, and goals that they reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest

from demand_model import spells
from demand_model.errors import InvalidSettingError
from demand_model.results.cost_years import CostChoices, calendar_of
from demand_model.results.costs import monthly_workers_cost, workers_in_post
from demand_model.results.goal_seek import Goal, goal_seek
from demand_model.results.lever_list import ALL_EXITS, LEVERS, LeverSetting
from demand_model.results.lever_loops import ALL_LOOPS, LOOP_COLUMNS, loop_effects
from demand_model.results.lever_runs import OUTCOMES, LeverContext, run_levers
from demand_model.results.lever_sentences import LOOPS_OFF, lever_sentences, loop_sentences
from demand_model.results.lever_words import OUTCOME_WORDS
from demand_model.results.levers import TOGETHER, LeverEffects, levers
from demand_model.results.placement_mix import placements_today
from demand_model.results.placement_need import placement_needs
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements, SystemInputs, Workforce
from demand_model.system.links import LINKS
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit


@lru_cache(maxsize=1)
def context() -> LeverContext:
    prepared = prepare(made_up_rates(1), horizon_months=18, draws=300, seed=1)
    last = prepared.common.line.month_ends[-1].astype("datetime64[D]").item()
    found = spells(made_up_lists(1))
    today = placements_today(found, Placements())
    return LeverContext(
        prepared=prepared,
        at=last,
        system=System(),
        placements=Placements(),
        today=today,
        needs=placement_needs(found, Placements(), today),
        choices=CostChoices(inflation_a_year=0.03),
    )


def pulled(key: str, size: float = 0.2, cost: float = 0.0) -> LeverSetting:
    return LeverSetting(lever=key, size=size, start=CENSUS, cost_a_year=cost)


@lru_cache(maxsize=1)
def every_lever() -> LeverEffects:
    sizes = {"new_places": 4.0}
    keys = [lever.key for lever in LEVERS if lever.key != "early_help"]
    settings = [pulled(key, sizes.get(key, 0.2)) for key in keys]
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
        ("new_places", "external_share"),
        ("new_places", "placement_cost"),
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
    for key in ("step_down", "matching", "new_places", "workers"):
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


def test_new_places_move_as_many_children_as_there_are_places() -> None:
    case, outcome = context(), "external_share"
    one, many = pulled("new_places", 1.0), pulled("new_places", 400.0)
    found = run_levers(case, {"one": (one,), "many": (many,)})
    care = found[""]["cla_open"]
    moved = (found[""][outcome] - found["one"][outcome]) * care
    np.testing.assert_allclose(moved, 1.0, atol=1e-6)
    all_of_them = (found[""][outcome] - found["many"][outcome]) * care
    assert 1.0 < all_of_them.max() < 10.0  # no more than there are in children's homes
    week = {g.name: g.weekly_cost for g in Placements().groups}
    weeks = 18 * 365.25 / 12 / 7
    saved = found[""]["placement_cost"] - found["one"]["placement_cost"]
    expected = weeks * (week["residential"] - week["own fostering"])
    # The place opens with the first month, or the one after; prices rise by 3% a year.
    assert expected * 17 / 18 < saved.mean() < expected * 1.03**1.5
    np.testing.assert_allclose(saved, saved.mean(), rtol=1e-6)
    six = replace(one, size=6.0)
    named = replace(six, places=("kinship", "agency fostering"))
    assert named.words == "6 new places in kinship, filled from agency fostering"


@pytest.mark.parametrize("key", ["step_down", "matching", "new_places"])
def test_a_lever_on_placements_does_nothing_before_it_starts(key: str) -> None:
    size = 4.0 if key == "new_places" else 0.2
    at_once = pulled(key, size)
    year_on = replace(at_once, start=date(CENSUS.year + 1, 4, 1))
    never = replace(at_once, start=date(CENSUS.year + 9, 4, 1))
    found = run_levers(context(), {"now": (at_once,), "later": (year_on,), "never": (never,)})
    saved = {n: float((found[""]["placement_cost"] - o["placement_cost"]).mean())
             for n, o in found.items()}  # fmt: skip
    assert saved["now"] > saved["later"] > 0.0
    assert saved["never"] == pytest.approx(0.0, abs=1e-6)
    slow = replace(at_once, ramp_months=12.0)
    if key != "new_places":  # which open at once
        ramped = run_levers(context(), {"slow": (slow,)})
        less = float((found[""]["placement_cost"] - ramped["slow"]["placement_cost"]).mean())
        assert 0.0 < less < saved["now"]


def test_what_is_known_is_not_simulated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    case = replace(context(), known={})
    first = run_levers(case, {"a": (pulled("reunification"),)})
    monkeypatch.setattr("demand_model.results.lever_runs.simulate_prepared", None)
    again = run_levers(replace(case, at=date(2026, 9, 30)), {"b": (pulled("reunification"),)})
    assert again["b"]["cla_open"].mean() != first["a"]["cla_open"].mean()  # another date
    same = run_levers(case, {"b": (pulled("reunification"),)})
    np.testing.assert_array_equal(same["b"]["cla_open"], first["a"]["cla_open"])


def test_many_levers_are_tried_in_parts_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = ("referrals", "reunification", "permanence", "plan_ends", "plan_to_care")
    asked = {key: (pulled(key),) for key in keys}
    told: list[float] = []
    whole = run_levers(replace(context(), known={}), asked)
    monkeypatch.setattr("demand_model.results.lever_runs._CELLS", 1)
    parts = run_levers(
        replace(context(), known={}), asked, progress=lambda _, share: told.append(share)
    )
    for key in ("", *keys):
        np.testing.assert_array_equal(whole[key]["cla_open"], parts[key]["cla_open"])
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_loops_are_knocked_out_one_by_one_and_together() -> None:
    case = context()
    assert loop_effects(case).empty
    assert loop_sentences(loop_effects(case), case.at) == (LOOPS_OFF,)
    on = {"Delay in plans and exits", "Workload–burnout"}
    links = tuple(
        replace(link, is_on=link.loop in on, reference=10.0 if link.driver == "caseload" else None)
        for link in LINKS
    )
    inputs = SystemInputs(links=links)
    looped = replace(case, system=System(inputs=inputs))
    found = loop_effects(looped)
    assert list(found.columns) == list(LOOP_COLUMNS)
    assert set(found["loop"]) == {*on, ALL_LOOPS}
    # A caseload far above its reference holds children longer: without the loop there are fewer.
    late = found[(found["loop"] == "Delay in plans and exits") & (found["outcome"] == "cla_open")]
    assert late["effect"].iloc[0] < 0.0
    assert late["knocked_out"].iloc[0] - late["with"].iloc[0] == pytest.approx(
        late["effect"].iloc[0]
    )
    # All of them out is the run with none on.
    alone = found[(found["loop"] == ALL_LOOPS) & (found["outcome"] == "cla_open")]
    plain = run_levers(case, {})[""]["cla_open"].mean()
    assert alone["knocked_out"].iloc[0] == pytest.approx(plain)
    assert "does most to children in care" in loop_sentences(found, case.at)[0]


def test_sentences_name_the_best_its_side_effects_and_what_rises() -> None:
    found = every_lever()
    keys = [s for s in dict.fromkeys(found.effects["lever"]) if s not in (ALL_EXITS, TOGETHER)]
    settings = [pulled(k, 4.0 if k == "new_places" else 0.2) for k in keys]
    said = lever_sentences(found, settings, [pulled(ALL_EXITS)])
    best = next(s for s in settings if s.lever == keys[0])
    assert said[0].startswith("What lowers children in care most by")
    assert best.words in said[0]
    assert "One lever alone against all exits together" in said[1]
    effect_of_all = found.draws[TOGETHER, "cla_open"].mean()
    assert OUTCOME_WORDS["cla_open"].change(effect_of_all) in said[2]
    assert said[3].startswith(f"What else {best.words} does: ")
    assert "more social workers by 20%: +£" in said[4]


def test_a_levers_own_cost_counts_from_its_start() -> None:
    free = levers(context(), [pulled("reunification")])
    paid = levers(context(), [pulled("reunification", cost=100_000.0)])
    own = paid.draws["reunification", "net_cost"] - free.draws["reunification", "net_cost"]
    assert np.ptp(own) == pytest.approx(0.0, abs=1e-6)
    assert own[0] == pytest.approx(100_000.0 * 1.5, rel=0.05)  # 18 months, prices rising


@pytest.mark.parametrize("key", [lever.key for lever in LEVERS])
def test_a_lever_from_before_the_census_date_acts_from_the_day_after(key: str) -> None:
    """What it did before is in the lists: its ramp and its own cost begin anew."""
    size = {"new_places": 4.0, "threshold_guard": 1.0}.get(key, 0.2)
    past = LeverSetting(
        lever=key, size=size, start=date(2020, 1, 1), ramp_months=6.0, cost_a_year=50_000.0
    )
    now = replace(past, start=CENSUS + timedelta(days=1), delay_months=0.0)
    assert past.from_census(CENSUS) == now
    found = run_levers(context(), {"past": (past,), "now": (now,)})
    for outcome in OUTCOMES:
        np.testing.assert_array_equal(found["past"][outcome], found["now"][outcome])
    assert found["past"]["net_cost"].mean() != found[""]["net_cost"].mean()


def test_workers_are_paid_while_they_are_absent() -> None:
    """More absence: fewer workers on cases, and the same number in post to pay, as on Costs."""
    case = context()
    links = tuple(
        replace(link, is_on=link.target == "absence_share", reference=0.5) for link in LINKS
    )
    ill = replace(case, system=System(inputs=SystemInputs(links=links)))
    plain, absent = (run_levers(one, {})[""] for one in (case, ill))
    assert absent["workers"].mean() < 0.985 * plain["workers"].mean()
    np.testing.assert_array_equal(absent["cla_open"], plain["cla_open"])
    np.testing.assert_allclose(absent["net_cost"], plain["net_cost"])
    (run,) = simulate_prepared(ill.prepared, system=ill.system)
    calendar = calendar_of(run.months, CENSUS, case.choices)
    cost = monthly_workers_cost(workers_in_post(run.measures), Workforce(), calendar)
    np.testing.assert_allclose(
        cost.sum(axis=0), absent["net_cost"] - absent["placement_cost"], rtol=1e-9
    )


def test_what_is_missing_is_said() -> None:
    bare = LeverContext(prepared=context().prepared, at=context().at)
    for key, words in (
        ("workers", "needs the system"),
        ("nfa_share", "needs the system"),
        ("step_down", "needs placements"),
        ("matching", "needs the category of need"),
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
    above = Goal(outcome="cla_open", target=now * 1.5)
    assert goal_seek(context(), above, [pulled("reunification")]).settings == ()
    # Already likely enough: the direction is that of the outcome, whatever the target.
    likely = Goal(outcome="cla_open", target=now - 1.0, chance=0.2)
    assert goal_seek(context(), likely, [pulled("reunification")]).is_met
    with pytest.raises(InvalidSettingError, match="Invalid chance"):
        Goal(outcome="cla_open", target=1.0, chance=1.0)


def test_a_goal_that_no_lever_works_towards_says_so() -> None:
    now = float(every_lever().effects.query("outcome == 'cp_open'")["without"].iloc[0])
    goal = Goal(outcome="cp_open", target=now - 5.0)
    for settings in ([pulled("reunification")], [pulled("reunification"), pulled("permanence")]):
        found = goal_seek(context(), goal, settings)
        assert not found.is_met
        assert "out of reach" in found.sentence


def test_more_workers_are_a_goal_that_is_met_from_below() -> None:
    now = float(every_lever().effects.query("outcome == 'workers'")["without"].iloc[0])
    found = goal_seek(context(), Goal(outcome="workers", target=now * 1.05), [pulled("workers")])
    assert found.is_met
    assert found.reached >= now * 1.05
    assert 0.0 < found.settings[0].size <= 0.2
