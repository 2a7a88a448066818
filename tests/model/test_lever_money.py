"""Levers' money has the range of weekly costs; few levers are told one by one, with ranges."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest

from demand_model import spells
from demand_model.flows import ALL
from demand_model.results.cost_years import CostChoices
from demand_model.results.costs import placement_costs
from demand_model.results.lever_list import ALL_EXITS, BY_KEY, LeverSetting
from demand_model.results.lever_notes import EMPTY_PLACES, lever_notes
from demand_model.results.lever_runs import LeverContext, run_levers
from demand_model.results.lever_sentences import FEW_LEVERS, lever_sentences
from demand_model.results.levers import LeverEffects, levers
from demand_model.results.placement_mix import placements_today
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import FrontDoor, Placements, SystemInputs
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit

OFF_BY = 0.2
PLACES = LeverSetting(lever="new_places", size=1.0, start=CENSUS)


@lru_cache(maxsize=1)
def known() -> LeverContext:
    """Weekly costs are taken as known."""
    prepared = prepare(made_up_rates(1), horizon_months=15, draws=200, seed=1)
    last = prepared.common.line.month_ends[-1].astype("datetime64[D]").item()
    return LeverContext(
        prepared=prepared,
        at=last,
        system=System(),
        placements=Placements(),
        today=placements_today(spells(made_up_lists(1)), Placements()),
        choices=CostChoices(inflation_a_year=0.03),
    )


def uncertain() -> LeverContext:
    """They may be off."""
    return replace(known(), choices=replace(known().choices, unit_cost_sd=OFF_BY))


def pulled(key: str, size: float = 0.2) -> LeverSetting:
    return LeverSetting(lever=key, size=size, start=CENSUS)


# --- money --------------------------------------------------------------------------------------


def test_a_saving_is_as_uncertain_as_weekly_costs_are() -> None:
    saved = {}
    for case in (known(), uncertain()):
        found = levers(case, [PLACES]).effects
        saved[case.choices.unit_cost_sd] = found[found["outcome"] == "net_cost"].iloc[0]
    sure, unsure = saved[0.0], saved[OFF_BY]
    assert sure["p97_5"] - sure["p2_5"] == pytest.approx(0.0, abs=1e-6)
    assert unsure["p97_5"] - unsure["p2_5"] > 0.5 * OFF_BY * abs(unsure["effect"])
    # The factors are 1 on average: a certain saving keeps its mean.
    assert unsure["effect"] == pytest.approx(sure["effect"], rel=1e-9)


@pytest.mark.parametrize("off_by", [0.0, OFF_BY])
def test_the_base_costs_what_sheet_costs_says_draw_by_draw(off_by: float) -> None:
    case = replace(known(), choices=replace(known().choices, unit_cost_sd=off_by))
    runs = simulate_prepared(case.prepared, system=case.system)
    sheet = placement_costs(spells(made_up_lists(1)), runs, Placements(), case.choices)
    whole = sum(sheet.draws[runs[0].scenario.name, year.name, ALL] for year in sheet.years)
    base = run_levers(case, {})[""]["placement_cost"]
    np.testing.assert_allclose(base, whole, rtol=1e-9)


# --- early help, and children in need -----------------------------------------------------------


def referrals_by_month(setting: LeverSetting) -> dict[int, float]:
    """Referrals in the twelve months to each month's end, with the lever less without."""
    ends = known().prepared.common.line.month_ends
    found = {}
    for month in (5, 8, 11, 14):
        at = ends[month].astype("datetime64[D]").item()
        runs = run_levers(replace(known(), at=at), {"it": (setting,)})
        found[month + 1] = float((runs["it"]["referrals"] - runs[""]["referrals"]).mean())
    return found


def test_early_help_is_felt_after_its_delay_and_the_delay_can_be_typed() -> None:
    early = replace(pulled("early_help"), start=CENSUS + timedelta(days=1))
    own = referrals_by_month(early)
    assert own[6] == own[9] == own[12] == 0.0
    assert own[15] < 0.0
    sooner = referrals_by_month(replace(early, delay_months=6.0))
    assert sooner[6] == 0.0
    assert 0.0 > sooner[9] > sooner[12] > sooner[15]
    assert sooner[15] < own[15]
    part = replace(pulled("early_help"), start=date(2026, 4, 1), delay_months=1.5)
    assert part.begins == date(2026, 5, 16)
    # Its own cost runs from its start, whatever the delay.
    costs = [
        run_levers(known(), {"it": (replace(s, cost_a_year=10_000.0),)})["it"]["net_cost"]
        - run_levers(known(), {"it": (s,)})["it"]["net_cost"]
        for s in (pulled("early_help"), replace(pulled("early_help"), delay_months=3.0))
    ]
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-6)


def test_children_in_need_closed_sooner_are_fewer_and_so_are_cases() -> None:
    found = run_levers(known(), {"it": (pulled("cin_months"),)})
    before, after = found[""], found["it"]
    assert (after["cin_open"] < before["cin_open"]).all()
    # In balance a fifth less time is a fifth fewer children; after 15 months most of the way.
    assert 0.8 < after["cin_open"].mean() / before["cin_open"].mean() < 0.9
    assert (after["caseload"] < before["caseload"]).all()
    for other in ("cla_open", "cp_open", "referrals", "placement_cost"):
        np.testing.assert_array_equal(after[other], before[other])


# --- words --------------------------------------------------------------------------------------

_RANGE = r"\((?:[+−]?£?[\d,.]+ to [+−]?£?[\d,.]+|the same in every future)\)"


@lru_cache(maxsize=1)
def board() -> tuple[LeverEffects, tuple[LeverSetting, ...], tuple[LeverSetting, ...]]:
    settings = (pulled("referrals"), pulled("reunification"), PLACES)
    exits = (pulled(ALL_EXITS),)
    return levers(uncertain(), settings, combinations=exits), settings, exits


def test_each_of_few_levers_has_a_sentence_and_each_number_its_range() -> None:
    found, settings, exits = board()
    said = lever_sentences(found, settings, exits)
    for setting in settings:
        name = f"{setting.words[0].upper()}{setting.words[1:]}"
        assert sum(text.startswith(name) for text in said) == 1
    for text in said[1:]:
        if text.startswith(("One lever alone", "All 3 levers")):
            continue
        told = re.sub(r"from £?[\d,.]+ to £?[\d,.]+", "", text.partition(": ")[2])
        changes = re.findall(r"[+−]£?[\d,.]+ (?!to )[a-z]+", told)
        assert changes, text
        assert len(re.findall(_RANGE, told)) == len(changes), text
    triage = next(text for text in said if text.startswith("Fewer referrals by 20%"))
    assert "none comes back" in triage
    for what in ("children on plans", "cases a worker", "of whole cost"):
        assert re.search(rf"{what} {_RANGE}", triage)
    against = next(text for text in said if text.startswith("One lever alone"))
    assert len(re.findall(_RANGE, against)) == 2
    assert re.search(rf"Next is .*{_RANGE};", said[0])


def test_new_places_say_what_their_saving_takes_for_granted() -> None:
    found, settings, exits = board()
    said = lever_sentences(found, settings, exits)
    places = next(text for text in said if text.startswith("1 new place in"))
    assert "if as many children now in residential can live there" in places
    assert "building and empty places are not costed" in places
    assert "no change in children in care" in places
    paid = (*settings[:2], replace(PLACES, cost_a_year=100_000.0))
    again = lever_sentences(levers(uncertain(), paid), paid)
    assert not any("are not costed" in text for text in again)


def test_many_levers_do_not_get_a_sentence_each() -> None:
    keys = ("referrals", "reunification", "permanence", "plan_ends", "plan_to_care")
    many = [pulled(key) for key in (*keys, "direct_entries")]
    assert len(many) > FEW_LEVERS
    said = lever_sentences(levers(known(), many), many)
    assert any(text.startswith("What else ") for text in said)
    assert len(said) <= 4
    few = lever_sentences(levers(known(), many[:FEW_LEVERS]), many[:FEW_LEVERS])
    assert len(few) >= FEW_LEVERS + 1


def test_a_change_that_no_future_moves_says_so() -> None:
    two = (PLACES, pulled("plan_ends"))
    said = lever_sentences(levers(known(), two), two)
    places = next(text for text in said if text.startswith("1 new place in"))
    assert re.search(r"−£[\d,]+ thousand of whole cost \(the same in every future\)", places)


def test_notes_say_what_levers_take_for_granted() -> None:
    door = SystemInputs(front_door=FrontDoor(nfa_share=0.3))
    case = replace(known(), system=System(inputs=door))
    keys = ("referrals", "nfa_share", "early_help", "workers")
    settings = [*(pulled(key, 0.1) for key in keys), PLACES]
    notes = lever_notes(case, settings)

    def about(label: str) -> str:
        (note,) = [text for text in notes if label in text]
        return note

    assert "none of these referrals comes back" in about(BY_KEY["referrals"].label)
    assert "from 30.0% to 33.0%" in about(BY_KEY["nfa_share"].label)
    assert "until 12 months after its start" in about(BY_KEY["early_help"].label)
    assert "counts their pay" in about(BY_KEY["workers"].label)
    places = about("new place in")
    assert EMPTY_PLACES in places
    week = {group.name: group.weekly_cost for group in Placements().groups}
    assert f"£{week['residential']:,.0f} a week" in places
    listed = lever_notes(known(), [pulled("nfa_share", 0.1)])
    assert "from 0.0%" not in listed[0]  # as in the lists where sheet System is blank


def test_a_lever_from_the_past_acts_from_the_day_after_and_one_that_waits_goes_on() -> None:
    past = replace(pulled("early_help"), start=date(2020, 1, 1)).from_census(CENSUS)
    assert past.start == past.begins == CENSUS + timedelta(days=1)
    waiting = replace(pulled("early_help"), start=CENSUS - timedelta(days=180))
    assert waiting.from_census(CENSUS) == waiting
    assert waiting.begins > CENSUS
