"""The engine's rates on average: what the reduced model is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand_model import simulate
from demand_model.exchange.effective_rates import effective_rates
from demand_model.exchange.export import export
from demand_model.rates.fit import fit
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from engine_cases import (
    certain_rates,
    exposure_of,
    made_up_exposure,
    made_up_lists,
    made_up_rates,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("rates", [{}, {"referrals": 0.0}, {"plan_ends": 0.1}])
def test_rates_that_were_set_to_nought_give_a_model_of_numbers(rates: dict[str, float]) -> None:
    prepared = prepare(certain_rates(made_up_exposure(), **rates), horizon_months=7, draws=20)
    system = System()
    (baseline,) = simulate_prepared(prepared, system=system)
    found = export(prepared, baseline, system)
    for values in found.reduced.run().series.values():
        assert np.isfinite(values).all()
    plans = found.gap.set_index("measure").loc["cp_open"]
    assert plans["reduced"] == pytest.approx(plans["engine"], abs=1.5)


def test_the_reduced_system_closes_as_many_referrals_as_the_lists_do() -> None:
    """A third of referrals are closed without action: so many fewer assessments and workers."""
    lists = made_up_lists()
    closed = np.arange(len(lists.referrals)) % 3 == 0
    referrals = lists.referrals.assign(nfa=pd.array(closed, dtype="boolean"))
    prepared = prepare(
        fit(exposure_of(replace(lists, referrals=referrals))), horizon_months=6, draws=100
    )
    system = System()
    (baseline,) = simulate_prepared(prepared, system=system)
    gap = export(prepared, baseline, system).gap.set_index("measure")["share"]
    assert abs(gap["workers"]) < 0.02
    assert abs(gap["assessments_open"]) < 0.06


def test_starts_add_up_to_those_of_the_engine() -> None:
    """Of the referrals and all on the way, so many start as the simulation has starts."""
    horizon = 36
    prepared = prepare(made_up_rates(), horizon_months=horizon, draws=300, seed=1)
    found = effective_rates(prepared)
    (baseline,) = simulate(made_up_rates(), horizon_months=horizon, draws=300, seed=1)
    days = prepared.common.line.edges[-1]
    months = days / (365.25 / 12.0)
    usual = sum(rate for _, rate in found.referrals) / len(found.referrals)
    to_come = found.plans.share * usual * (months - found.plans.lag_months)
    expected = to_come + found.plans.on_the_way + found.plans.other_a_month * months
    starts = baseline.measures["cp_starts", "all"].sum(axis=0).mean()
    assert expected == pytest.approx(starts, rel=0.03)
