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


SHORT = prepare(RATES, horizon_months=24, draws=60, seed=3)


def with_links(choose: Callable[[CausalLink], bool], *, places: float = 40.0) -> System:
    links = tuple(replace(link, is_on=choose(link)) for link in LINKS)
    own = tuple(
        replace(g, capacity=places) if g.name == "own fostering" else g for g in Placements().groups
    )
    return System(
        inputs=SystemInputs(links=links, placements=Placements(groups=own)), placed_share=0.3
    )


def assert_conserved(found: Trajectories) -> None:
    for stock, opening in found.opening.items():
        starts, ends = (
            found.measures[f"{stock.removesuffix('_open')}_{flow}", "all"]
            for flow in ("starts", "ends")
        )
        balance = opening + np.cumsum(starts - ends, axis=0) - found.measures[stock, "all"]
        np.testing.assert_array_equal(balance, 0)


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
    assert_conserved(everything)


def spread_between(one: Trajectories, other: Trajectories, measure: str) -> float:
    """Standard deviation over draws of a difference, in the month where it is largest."""
    return float((one.measures[measure, "all"] - other.measures[measure, "all"]).std(axis=1).max())


def test_levers_keep_in_step_with_all_loops_on() -> None:
    """A lever that does next to nothing changes next to nothing, in every draw."""
    changes = {
        "home": Multiply(flow=Flow.CARE_ENDS_HOME, factor=1.0001, start=SOON),
        "referrals": Multiply(flow=Flow.REFERRALS, factor=1.0001, start=SOON),
        "posts": AddPosts(workers=0.001, start=SOON, ramp_months=1.0),
    }
    tiny = [Scenario(name=name, changes=(change,)) for name, change in changes.items()]
    found = run(BASELINE, *tiny, MORE, system=with_links(lambda _: True))
    for scenario in tiny:
        for measure in ("cla_open", "cp_open", "cla_starts"):
            off = spread_between(found[scenario.name], found["Baseline"], measure)
            assert off < 0.3, (scenario.name, measure)
    # A large lever does, ten times and more.
    assert spread_between(found["More"], found["Baseline"], "cp_open") > 3.0


def test_a_loop_that_reaches_no_child_changes_none_in_any_scenario() -> None:
    """Workload and burnout alone move workers only: children are those of no links at all."""
    burnout = with_links(lambda link: link.loop == "Workload–burnout")
    looped = run(BASELINE, MORE, system=burnout)["More"]
    plain = run(BASELINE, MORE, system=System())["More"]
    for measure in ("cla_open", "cp_open", "cp_starts", "cla_starts"):
        assert np.array_equal(looped.measures[measure, "all"], plain.measures[measure, "all"])
    assert not np.allclose(looped.measures["workers", "all"], plain.measures["workers", "all"])


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


NOBODY = Scenario(
    name="Nobody",
    changes=(
        Multiply(flow=Flow.REFERRALS, factor=0.0, start=SOON),
        Multiply(flow=Flow.OTHER_PLAN_STARTS, factor=0.0, start=SOON),
        Multiply(flow=Flow.OTHER_CARE_STARTS, factor=0.0, start=SOON),
        Multiply(flow=Flow.UASC_STARTS, factor=0.0, start=SOON),
    ),
)
FLOOD = Scenario(name="Flood", changes=(Multiply(flow=Flow.REFERRALS, factor=20.0, start=SOON),))


@pytest.mark.parametrize("scenario", [NOBODY, MORE, FLOOD], ids=lambda one: one.name)
@pytest.mark.parametrize("places", [0.0, 0.5, 40.0, 5_000.0])
@pytest.mark.parametrize("workers", [0.2, None], ids=["hardly a worker", "usual workers"])
def test_at_the_extremes_all_loops_stay_finite_and_children_are_conserved(
    scenario: Scenario, places: float, workers: float | None
) -> None:
    """Every loop on, free places too: nobody referred, a flood, no places, far too many."""
    force = Workforce(workers_fte=workers, ideal_caseload=15.0)
    around = with_links(lambda _: True, places=places)
    system = replace(around, inputs=replace(around.inputs, workforce=force))
    (found,) = simulate_prepared(SHORT, (scenario,), system=system)
    for key, values in found.measures.items():
        assert np.all(np.isfinite(values)), key
        assert values.min() >= 0.0, key
    assert_conserved(found)
    assert found.measures["occupancy", "all"].max() <= 1.0
    assert found.measures["spare_places", "all"].max() <= places


def test_with_nobody_referred_the_front_door_runs_empty_with_all_loops_on() -> None:
    (found,) = simulate_prepared(SHORT, (NOBODY,), system=with_links(lambda _: True))
    plain = run(NOBODY)["Nobody"]
    assert mean(found, "referrals").max() < 0.2  # those closed before it come back, no others
    assert mean(found, "assessments_open")[-1] < 0.05 * mean(found, "assessments_open")[0]
    assert mean(found, "cla_open")[-1] < mean(found, "cla_open")[0]
    assert mean(plain, "referrals").max() == 0.0
    # Workers stay while cases leave: caseload falls.
    assert mean(found, "caseload")[-1] < 0.7 * mean(found, "caseload")[0]


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
