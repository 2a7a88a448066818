"""Workers, caseload and the workers needed, from what a run keeps of the system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pytest

from demand_model import BASELINE, Multiply, Scenario, presets, summarise
from demand_model.flows import Flow
from demand_model.rates.fit import fit
from demand_model.results.forecast import SYSTEM_SHOWN
from demand_model.results.workforce import (
    COMPARED,
    ENGLAND,
    MORE_NEEDED,
    NEEDED,
    WORKFORCE_COLUMNS,
    WORKFORCE_SERIES,
    WorkforceForecast,
    england,
    workforce_forecast,
)
from demand_model.results.workforce_words import workforce_sentences
from demand_model.simulation.mixture import MIXTURE, mixture
from demand_model.simulation.scenario import AddPosts, MultiplySystem
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import SYSTEM_MEASURES, System
from demand_model.simulation.system_today import system_today
from demand_model.system.inputs import SystemInputs, Workforce
from demand_model.system.links import LINKS, CausalLink
from engine_cases import made_up_exposure

pytestmark = pytest.mark.unit

RATES = fit(made_up_exposure())
CENSUS = RATES.exposure.census_date
SOON = date(2000, 1, 1)
MORE = Scenario(name="More", changes=(Multiply(flow=Flow.REFERRALS, factor=1.3, start=SOON),))
HIRE = Scenario(name="Hire", changes=(AddPosts(workers=6.0, start=CENSUS),))
LEANER = Scenario(
    name="Leaner", changes=(MultiplySystem(target="ideal_caseload", factor=0.5, start=SOON),)
)
PREPARED = prepare(RATES, horizon_months=24, draws=120, seed=4)


def system(choose: Callable[[CausalLink], bool] = lambda _: False, **workforce: float) -> System:
    links = tuple(replace(link, is_on=choose(link)) for link in LINKS)
    return System(inputs=SystemInputs(links=links, workforce=Workforce(**workforce)))


def found(around: System, *scenarios: Scenario) -> WorkforceForecast:
    run = simulate_prepared(PREPARED, (BASELINE, *scenarios), system=around)
    out = workforce_forecast(run, system_today(PREPARED, around), around, CENSUS)
    assert out is not None
    return out


@lru_cache(maxsize=1)
def case() -> WorkforceForecast:
    return found(system(workers_fte=30.0, ideal_caseload=12.0), MORE, HIRE)


def test_workers_needed_are_cases_over_the_ideal_and_the_gap_is_what_lacks() -> None:
    for name in case().scenarios:
        cases, workers = (case().draws[name, series] for series in ("cases", "workers"))
        np.testing.assert_allclose(case().draws[name, NEEDED], cases / 12.0)
        np.testing.assert_allclose(case().draws[name, MORE_NEEDED], cases / 12.0 - workers)
    np.testing.assert_allclose(case().today[NEEDED], case().today["cases"] / 12.0)
    np.testing.assert_allclose(case().today["caseload"], case().today["cases"] / 30.0)


def test_holding_todays_caseload_takes_workers_in_proportion_to_cases() -> None:
    one = case()
    more = one.to_hold_today("Baseline")
    np.testing.assert_allclose(
        more + one.draws["Baseline", "workers"],
        30.0 * one.draws["Baseline", "cases"] / one.today["cases"],
    )


def test_today_is_where_the_simulation_starts() -> None:
    """The first month moves away from it by little, in every draw."""
    first = case().draws["Baseline", "cases"][0]
    np.testing.assert_allclose(first, case().today["cases"], rtol=0.25)
    plain = found(system())
    np.testing.assert_allclose(plain.today["caseload"], england("cases_per_worker").value)
    np.testing.assert_allclose(plain.today["workers"], plain.today["cases"] / 15.2)
    assert not plain.is_workers_given
    assert case().is_workers_given


def test_counted_assessments_and_children_in_need_are_todays() -> None:
    counted = replace(system(), assessments_open=70.0, cin_open=110.0)
    one = found(counted)
    assert (one.assessments, one.children_in_need) == (70.0, 110.0)
    opening = RATES.exposure.opening
    held = 180.0 + len(opening.plans) + len(opening.care)
    np.testing.assert_allclose(one.today["cases"], held)


def test_scenarios_move_caseload_as_they_should() -> None:
    last = {name: case().draws[name, "caseload"][-1].mean() for name in case().scenarios}
    assert last["Hire"] < last["Baseline"] < last["More"]
    assert case().less_baseline("More", "caseload")[-1].min() > -0.5
    assert case().draws["Hire", "workers"][-1].mean() > 33.0


def test_starters_that_are_typed_come_whoever_leaves() -> None:
    """Workers after n steps of length h, s starting a month and a share l leaving:

    ``s / l + (now - s / l) (1 - l h)^n``, agency workers staying as they are.
    """
    leaving, agency = 0.24 / 12.0, 40.0 * 0.1
    steps = PREPARED.common.line.step_months
    ends = [block.stop for block in PREPARED.common.line.blocks()]
    kept = np.cumprod(1.0 - leaving * steps)[[end - 1 for end in ends]]
    for starters in (0.0, 0.4, 3.0):
        one = found(
            system(
                workers_fte=40.0,
                leavers_a_year=0.24,
                starters_a_month=starters,
                agency_share=0.1,
                agency_cover=0.0,
            )
        )
        settled = starters / leaving
        expected = agency + settled + (40.0 - agency - settled) * kept
        np.testing.assert_allclose(
            one.draws["Baseline", "workers"], np.broadcast_to(expected[:, None], (24, 120))
        )
    held = found(system(workers_fte=40.0, leavers_a_year=0.24, agency_share=0.1))
    np.testing.assert_allclose(held.draws["Baseline", "workers"], 40.0)  # blank: as many as leave


@pytest.mark.parametrize("cover", [0.0, 0.5, 1.0])
def test_agency_workers_cover_their_share_of_new_vacancies(cover: float) -> None:
    """Nobody starts, so posts fall vacant: agency fills a share of them, and all at 1."""
    one = found(system(workers_fte=40.0, starters_a_month=0.0, agency_cover=cover))
    workers, vacant = (one.draws["Baseline", name] for name in ("workers", "vacancies"))
    gone = vacant - one.today["vacancies"]
    assert gone[-1].min() > 5.0
    np.testing.assert_allclose(workers, 40.0 - (1.0 - cover) * gone)
    assert (workers[-1].min() == pytest.approx(40.0)) == (cover == 1.0)


@pytest.mark.parametrize("loops", [False, True], ids=["plain", "with loops"])
def test_a_lockdown_relieves_caseload_and_what_returns_strains_it_with_intervals(
    loops: bool,
) -> None:
    wanted = ("Lockdown like spring 2020", "Lockdown with all of it returning")
    lockdowns = [one for one in presets(CENSUS) if one.name in wanted]
    around = system(lambda link: loops and link.driver != "occupancy", workers_fte=12.0)
    one = found(around, *lockdowns)
    rows = one.table[one.table["measure"] == "caseload"].set_index(["scenario", "month_end"])
    begins = min(change.start for change in lockdowns[0].changes)
    before, within, after = begins, one.months[9], one.months[17]
    assert within > begins
    for name in wanted:
        mine = rows.loc[name]
        assert (mine["p10"] < mine["mean"]).all()
        assert (mine["mean"] < mine["p90"]).all()
        early = mine.loc[mine.index < np.datetime64(before)]
        np.testing.assert_allclose(early["less_baseline_mean"], 0.0, atol=0.02)
        # Fewer come in: relief that chance does not explain, ...
        assert mine.loc[np.datetime64(within), "less_baseline_p90"] < -0.2
    # ... and a flood once they return, or hardly anything.
    returned, lost = (rows.loc[name].loc[np.datetime64(after)] for name in reversed(wanted))
    assert returned["less_baseline_p10"] > 0.2
    assert lost["less_baseline_p90"] < 0.0
    told = workforce_sentences(one)
    line = next(text for text in told if text.startswith("Lockdown like spring 2020: −"))
    assert "cases per worker" in line
    assert "(80% −" in line


def test_an_ideal_that_a_scenario_changes_counts_and_one_that_drifts_does_not() -> None:
    lean = found(system(), LEANER)
    base, leaner = (lean.draws[name, NEEDED][-1].mean() for name in ("Baseline", "Leaner"))
    assert leaner == pytest.approx(2.0 * base, rel=1e-6)
    drifting = found(system(lambda link: link.target == "ideal_caseload"), MORE)
    np.testing.assert_allclose(
        drifting.draws["More", NEEDED], drifting.draws["More", "cases"] / 15.2
    )


def test_the_table_is_the_draws_and_opens_with_the_census_date() -> None:
    table = case().table
    assert tuple(table.columns) == WORKFORCE_COLUMNS
    assert len(table) == 3 * len(WORKFORCE_SERIES) * 25
    mine = table[(table["scenario"] == "More") & (table["measure"] == "caseload")]
    assert mine["month_end"].iloc[0].date() == CENSUS
    draws = case().draws["More", "caseload"]
    np.testing.assert_allclose(mine["mean"].to_numpy()[1:], draws.mean(axis=1))
    np.testing.assert_allclose(
        mine["p90"].to_numpy()[1:], np.quantile(draws, 0.9, axis=1), rtol=1e-5
    )
    less = draws - case().draws["Baseline", "caseload"]
    np.testing.assert_allclose(mine["less_baseline_mean"].to_numpy()[1:], less.mean(axis=1))
    assert mine["less_baseline_mean"].iloc[0] == 0.0
    base = table[table["scenario"] == "Baseline"]
    assert base["less_baseline_p10"].isna().all()


def test_a_mixture_has_workers_too() -> None:
    around = system()
    run = simulate_prepared(PREPARED, (BASELINE, MORE), system=around)
    mix = mixture(run, {"Baseline": 0.5, "More": 0.5})
    out = workforce_forecast((*run, mix), system_today(PREPARED, around), around, CENSUS)
    assert out is not None
    low, middle, high = (
        out.draws[name, "cases"][-1].mean() for name in ("Baseline", MIXTURE, "More")
    )
    assert low < middle < high


def test_without_a_workforce_there_is_nothing_to_tell() -> None:
    none = System(inputs=SystemInputs(workforce=None))
    run = simulate_prepared(PREPARED, (BASELINE,), system=none)
    assert workforce_forecast(run, system_today(PREPARED, none), none, CENSUS) is None


def test_the_forecast_holds_four_measures_of_the_system_for_every_scenario() -> None:
    scenarios = presets(CENSUS)[:3]
    around = system()
    plain = summarise(simulate_prepared(PREPARED, scenarios), RATES.exposure)
    beside = summarise(simulate_prepared(PREPARED, scenarios, system=around), RATES.exposure)
    more = beside.table[beside.table["measure"].isin(SYSTEM_SHOWN)]
    rest = beside.table[~beside.table["measure"].isin(SYSTEM_SHOWN)]
    assert rest.reset_index(drop=True).equals(plain.table)
    assert len(more) == len(SYSTEM_SHOWN) * len(scenarios) * 24
    assert not set(beside.table["measure"]) & (set(SYSTEM_MEASURES) - set(SYSTEM_SHOWN))
    assert beside.headlines == plain.headlines


def test_sentences_say_what_is_taken_what_is_needed_and_what_scenarios_bring() -> None:
    told = workforce_sentences(case())
    when = case().months[-1].strftime("%B %Y")
    now = case().today["caseload"].mean()
    assert told[0].startswith(f"{now:.1f} cases per worker today; ")
    assert told[0].endswith("if nothing changes.")
    assert f"to hold {now:.1f} cases per worker" in told[1]
    assert told[2].startswith("Your ideal of 12.0 cases per worker would take ")
    assert any(line.startswith("More: +") and when in line for line in told)
    assert any(line.startswith("Hire: −") for line in told)
    under = workforce_sentences(case(), "More")
    assert under[0].endswith("under More.")
    assert not any(line.startswith("More:") for line in under)


def test_an_assumed_number_of_workers_is_said_and_a_scenario_without_effect_is_not() -> None:
    same = Scenario(name="Same", changes=(Multiply(flow=Flow.REFERRALS, factor=1.0, start=SOON),))
    told = workforce_sentences(found(system(), same))
    assert "taken, until your number of workers is typed" in told[0]
    assert not any("Your ideal" in line or "Same" in line for line in told)


def test_englands_figures_are_those_of_the_assumptions() -> None:
    assert ENGLAND[-1].cases_per_worker == england("cases_per_worker").value
    assert str(ENGLAND[-1].year) in england("cases_per_worker").as_of
    assert all(england(key).value is not None for key in COMPARED)
    assert [one.year for one in ENGLAND] == sorted(one.year for one in ENGLAND)
