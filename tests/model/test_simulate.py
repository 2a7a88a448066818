from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model import Multiply, Overwrite, Scenario, simulate
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.flows import Flow
from demand_model.simulation.scenario_inputs import opening_rates
from engine_cases import certain_rates, made_up_exposure, made_up_rates, stock_of, with_opening

pytestmark = pytest.mark.unit

APRIL = date(2026, 4, 1)


def test_every_measure_and_segment_is_there() -> None:
    (found,) = simulate(made_up_rates(1), horizon_months=3, draws=20)
    totals = {"referrals", "cp_starts", "cp_ends", "cp_open", "cla_starts", "cla_ends", "cla_open"}
    assert {m for m, s in found.measures if s == "all"} == totals
    assert {s for m, s in found.measures if m == "referrals"} == {"all", *SOURCE_GROUPS}
    assert {s for m, s in found.measures if m == "cla_open"} == {"all", *CARE_SEGMENTS}
    assert all(values.shape == (3, 20) for values in found.measures.values())
    assert found.opening == {"cp_open": 20, "cla_open": 20}
    assert found.month_ends[0] == np.datetime64("2026-04-30")


def test_segments_add_up_to_the_total() -> None:
    (found,) = simulate(made_up_rates(1), horizon_months=3, draws=20)
    for measure, segments in (
        ("referrals", SOURCE_GROUPS),
        ("cla_open", CARE_SEGMENTS),
    ):
        total = sum(found.measures[measure, s] for s in segments)
        assert total == pytest.approx(found.measures[measure, "all"])


def test_an_unfinished_month_adds_what_was_observed() -> None:
    exposure = replace(
        made_up_exposure(1),
        census_date=date(2026, 3, 20),
        month_to_date=pd.DataFrame(
            {
                "measure": ["referrals", "cp_starts"],
                "segment": ["all", "all"],
                "value": [500.0, 40.0],
            }
        ),
    )
    rates = made_up_rates(1)
    unseen = replace(exposure, month_to_date=exposure.month_to_date.iloc[:0])
    plain, found = (
        simulate(replace(rates, exposure=e), horizon_months=1, draws=20)[0]
        for e in (unseen, exposure)
    )
    assert str(found.months[0]) == "2026-03"
    assert len(found.months) == 2
    more = {
        m: found.measures[m, "all"] - plain.measures[m, "all"]
        for m in ("referrals", "cp_starts", "cp_open")
    }
    assert np.all(more["referrals"][0] == 500)
    assert np.all(more["cp_starts"][0] == 40)
    assert not more["cp_open"].any()
    assert not more["referrals"][1].any()


def test_the_baseline_is_simulated_but_not_returned_unless_asked_for() -> None:
    half = Scenario(name="half", changes=(Multiply(flow=Flow.REFERRALS, factor=0.5, start=APRIL),))
    (found,) = simulate(made_up_rates(1), (half,), horizon_months=2, draws=20)
    assert found.scenario is half


def test_progress_reaches_the_end() -> None:
    seen: list[float] = []
    simulate(
        made_up_rates(1), horizon_months=1, draws=20, progress=lambda _, share: seen.append(share)
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("draws", [9, 100_001])
def test_too_few_or_many_draws_are_refused(draws: int) -> None:
    with pytest.raises(InvalidSettingError, match="must be from 10 to 100,000"):
        simulate(made_up_rates(1), draws=draws)


def test_names_of_scenarios_must_differ() -> None:
    twice = (Scenario(name="A"), Scenario(name="A"))
    with pytest.raises(InvalidSettingError, match="A is there more than once"):
        simulate(made_up_rates(1), twice, draws=10)


def test_a_baseline_with_changes_is_refused() -> None:
    change = Multiply(flow=Flow.REFERRALS, factor=0.5, start=APRIL)
    with pytest.raises(InvalidSettingError, match="Give them another name"):
        simulate(made_up_rates(1), (Scenario(name="Baseline", changes=(change,)),), draws=10)


def test_an_overwritten_exit_rate_is_the_rate_of_children_open_now() -> None:
    rates = made_up_rates(1)
    now = opening_rates(rates)
    assert 0.01 < now[Flow.PLAN_ENDS] < 0.3
    same = Scenario(
        name="same",
        changes=(Overwrite(flow=Flow.PLAN_ENDS, value=now[Flow.PLAN_ENDS], start=APRIL),),
    )
    base, found = simulate(rates, (Scenario(name="Baseline"), same), horizon_months=3, draws=20)
    assert np.array_equal(base.measures["cp_open", "all"], found.measures["cp_open", "all"])


def test_who_enters_just_before_the_18th_birthday_leaves_on_it() -> None:
    ages = np.full(500, 17.99 * 365.25)
    exposure = with_opening(
        made_up_exposure(1),
        care=stock_of(np.array([30.0]), np.array([5.0])),
    )
    exposure = replace(exposure, opening=replace(exposure.opening, uasc_entry_age_days=ages))
    rates = certain_rates(exposure, uasc_starts=20.0)
    (found,) = simulate(rates, horizon_months=6, draws=20, balanced=False, steps_per_month=1)
    # 20 a month enter, all but national ones days before they turn 18: hardly any can be there.
    assert found.measures["cla_open", "UASC"][-1].mean() < 8
