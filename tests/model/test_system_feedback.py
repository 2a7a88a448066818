"""The system beside the children: off it changes nothing, on it closes the loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from demand_model import BASELINE, Multiply, Scenario, Trajectories, presets, simulate
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow
from demand_model.rates.fit import fit, rate_id
from demand_model.simulation.scenario import AddPosts, MultiplySystem
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.system_today import with_lists
from demand_model.system.inputs import Placements, SystemInputs, Workforce
from demand_model.system.links import LINKS, CausalLink
from engine_cases import exposure_of, made_up_exposure, made_up_lists

pytestmark = pytest.mark.unit

RATES = fit(made_up_exposure())
SOON = date(2000, 1, 1)
MORE = Scenario(name="More", changes=(Multiply(flow=Flow.REFERRALS, factor=1.5, start=SOON),))


def run(*scenarios: Scenario, system: System | None = None) -> dict[str, Trajectories]:
    found = simulate(
        RATES, scenarios or (BASELINE,), horizon_months=24, draws=300, seed=3, system=system
    )
    return {t.scenario.name: t for t in found}


def with_links(choose: Callable[[CausalLink], bool]) -> System:
    links = tuple(replace(link, is_on=choose(link)) for link in LINKS)
    own = tuple(
        replace(g, capacity=40.0) if g.name == "own fostering" else g for g in Placements().groups
    )
    return System(
        inputs=SystemInputs(links=links, placements=Placements(groups=own)), placed_share=0.3
    )


def mean(of: Trajectories, measure: str) -> npt.NDArray[np.float64]:
    return of.measures[measure, "all"].mean(axis=1)


def test_with_all_links_off_the_result_is_the_plain_forecast() -> None:
    scenarios = presets(RATES.exposure.census_date)
    plain, beside = run(*scenarios), run(*scenarios, system=System())
    for name, one in plain.items():
        for key, values in one.measures.items():
            assert np.array_equal(values, beside[name].measures[key])
    extra = set(beside["Baseline"].measures) - set(plain["Baseline"].measures)
    assert {m for m, _ in extra} >= {"assessments_open", "cin_open", "workers", "caseload"}


def test_caseload_is_cases_over_workers_and_cases_are_the_weighted_children() -> None:
    found = run(system=System())["Baseline"]
    parts = {m: found.measures[m, "all"] for m, s in found.measures if s == "all"}
    np.testing.assert_allclose(parts["caseload"], parts["cases"] / parts["workers"])
    kinds = ("assessments_open", "cin_open", "cp_open", "cla_open")
    np.testing.assert_allclose(parts["cases"], sum(parts[kind] for kind in kinds))


def test_with_links_on_cases_are_those_of_the_month_end_too() -> None:
    found = run(system=with_links(lambda _: True))["Baseline"]
    kinds = ("assessments_open", "cin_open", "cp_open", "cla_open")
    cases = sum(found.measures[kind, "all"] for kind in kinds)
    np.testing.assert_allclose(found.measures["cases", "all"], cases)


@pytest.mark.parametrize("census", [date(2026, 7, 31), date(2025, 11, 12)])
def test_a_short_horizon_does_not_take_a_season_for_the_year(census: date) -> None:
    """August holds far fewer referrals than a month on average: no fewer workers for that."""
    rates = fit(exposure_of(made_up_lists(census=census)))
    workers = []
    for horizon in (1, 24):
        line = prepare(rates, horizon_months=horizon, draws=200, seed=3)
        (found,) = simulate_prepared(line, system=System())
        workers.append(mean(found, "workers")[0])
    assert workers[0] == pytest.approx(workers[1], rel=0.06)


def test_links_that_are_on_act_in_every_scenario() -> None:
    system = with_links(lambda link: link.loop != "Free places get filled")
    plain, looped = run(BASELINE, MORE), run(BASELINE, MORE, system=system)
    # A third more referrals: cases pile up, plans and care last longer than they would.
    for measure in ("cp_open", "cla_open"):
        without = mean(plain["More"], measure)[-1] - mean(plain["Baseline"], measure)[-1]
        with_loops = mean(looped["More"], measure)[-1] - mean(looped["Baseline"], measure)[-1]
        assert with_loops > without
    assert mean(looped["More"], "caseload")[-1] > mean(looped["Baseline"], "caseload")[-1]
    assert mean(looped["More"], "workers")[-1] < mean(looped["Baseline"], "workers")[-1]


@pytest.mark.parametrize("loop", sorted({link.loop for link in LINKS}))
def test_knocking_a_loop_out_changes_what_it_acts_on(loop: str) -> None:
    everything = run(MORE, system=with_links(lambda _: True))["More"]
    without = run(MORE, system=with_links(lambda link: link.loop != loop))["More"]
    moved = [
        key
        for key, values in everything.measures.items()
        if not np.array_equal(values, without.measures[key])
    ]
    assert moved
    for stock, opening in everything.opening.items():
        kind = stock.removesuffix("_open")
        flow = (
            everything.measures[f"{kind}_starts", "all"]
            - everything.measures[f"{kind}_ends", "all"]
        )
        balance = opening + np.cumsum(flow, axis=0) - everything.measures[stock, "all"]
        assert np.all(balance == balance[0, 0])


def test_closing_more_at_the_front_door_brings_some_back_later() -> None:
    guard = Scenario(
        name="Guard", changes=(MultiplySystem(target="nfa_share", factor=3.0, start=SOON),)
    )
    found = run(BASELINE, guard, system=System())
    for measure in ("assessments_open", "cp_open", "caseload"):
        assert mean(found["Guard"], measure)[11] < mean(found["Baseline"], measure)[11]
    later = mean(found["Guard"], "referrals") - mean(found["Baseline"], "referrals")
    assert later[-1] > later[0]
    assert later[-1] > 0.0


def test_posts_that_are_added_fill_after_the_delay_and_relieve_caseload() -> None:
    hire = Scenario(name="Hire", changes=(AddPosts(workers=5.0, start=RATES.exposure.census_date),))
    found = run(BASELINE, hire, system=System())
    more = mean(found["Hire"], "workers") - mean(found["Baseline"], "workers")
    assert more[0] < 1.0
    assert 3.0 < more[-1] < 5.5
    assert mean(found["Hire"], "caseload")[-1] < mean(found["Baseline"], "caseload")[-1]


def test_posts_from_before_the_census_date_are_in_the_workforce_already() -> None:
    past = Scenario(name="Past", changes=(AddPosts(workers=5.0, start=SOON),))
    found = run(BASELINE, past, system=System())
    for measure in ("workers", "caseload"):
        assert np.array_equal(mean(found["Past"], measure), mean(found["Baseline"], measure))


def test_a_change_of_the_system_needs_a_system() -> None:
    guard = Scenario(
        name="Guard", changes=(MultiplySystem(target="nfa_share", factor=3.0, start=SOON),)
    )
    with pytest.raises(InvalidSettingError, match="Guard changes the system"):
        run(guard)
    hire = Scenario(name="Hire", changes=(AddPosts(workers=5.0, start=RATES.exposure.census_date),))
    with pytest.raises(InvalidSettingError, match="no workforce"):
        run(hire, system=System(inputs=SystemInputs(workforce=None)))


def test_without_a_workforce_there_is_no_caseload() -> None:
    measures = {
        m for m, _ in run(system=System(inputs=SystemInputs(workforce=None)))["Baseline"].measures
    }
    assert "cin_open" in measures
    assert "caseload" not in measures


def test_no_workers_and_huge_caseload_stay_finite() -> None:
    few = SystemInputs(
        links=tuple(replace(link, is_on=link.driver != "occupancy") for link in LINKS),
        workforce=Workforce(workers_fte=0.2, ideal_caseload=15.0),
    )
    found = run(MORE, system=System(inputs=few))["More"]
    for values in found.measures.values():
        assert np.all(np.isfinite(values))
        assert values.min() >= 0.0


def test_the_share_closed_is_that_of_the_lists_and_each_source_counts_by_its_referrals() -> None:
    """Three of four referrals are from schools, which are closed; the others are not."""
    lists = made_up_lists(referrals=1200)
    is_school = np.arange(1200) % 4 > 0
    referrals = lists.referrals.assign(
        source_group=np.where(is_school, "Schools", "Anonymous"),
        nfa=pd.array(is_school, dtype="boolean"),
    )
    table = exposure_of(replace(lists, referrals=referrals))
    whole = {"Schools": 1.0, "Anonymous": 0.0}
    own = {rate_id(Flow.REFERRAL_NFA, segment=name): share for name, share in whole.items()}
    fitted, overridden = fit(table), fit(table, overrides=own)
    assert with_lists(System(), fitted).nfa_share == pytest.approx(0.75, abs=0.04)
    assert with_lists(System(), overridden).nfa_share == pytest.approx(0.75, abs=0.01)
    assert with_lists(System(nfa_share=0.5), fitted).nfa_share == 0.5
