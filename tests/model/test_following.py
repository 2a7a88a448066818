"""How far starts follow chance swings of referrals, and how the drifts of plans go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from demand_model import fit
from demand_model.rates.draws import draw_rates, rate_drifts
from demand_model.rates.drift import correlated
from demand_model.rates.following import following
from demand_model.rates.history import Process
from demand_model.rates.priors import STARTS_FOLLOW_REFERRALS, Drift, Priors
from demand_model.simulation.setup import prepare
from engine_cases import made_up_exposure, made_up_rates

pytestmark = pytest.mark.unit


def test_starts_follow_the_typical_draw_in_full_and_its_swings_in_part() -> None:
    typical = np.array([100.0, 80.0, 120.0])[:, None]
    swing = np.array([0.5, 1.0, 2.0])
    converting = typical * swing * following(typical * swing, 0.25)
    np.testing.assert_allclose(converting, typical * swing**0.25)
    np.testing.assert_allclose(following(typical * swing, 1.0), 1.0)


def test_a_run_lets_starts_follow_each_draws_own_referrals_in_part() -> None:
    base = prepare(made_up_rates(), horizon_months=12, draws=200, seed=3).batches[0].referrals
    referred = base.level.min(axis=1) > 0.0
    swing = np.log(base.level[referred])
    swing -= swing.mean(axis=1, keepdims=True)
    assert swing.std() > 0.1
    converting = swing + np.log(base.following[referred])
    np.testing.assert_allclose(converting, STARTS_FOLLOW_REFERRALS * swing, atol=1e-9)


def test_correlated_draws_keep_their_size() -> None:
    one, other = np.random.default_rng(2).standard_normal((2, 100_000))
    found = correlated(one, other, -0.4)
    assert np.corrcoef(one, found)[0, 1] == pytest.approx(-0.4, abs=0.01)
    assert found.std() == pytest.approx(1.0, abs=0.01)


def _logs(
    correlation: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Log drift of plan starts and ends in the twelfth month, by draw."""
    rates = fit(made_up_exposure(), priors=replace(Priors(), plan_drift_correlation=correlation))
    drawn = draw_rates(rates, 4_000, np.random.default_rng(1), balanced=False)
    rngs = [np.random.default_rng(10 + process) for process in Process]
    months = pd.period_range("2026-04", periods=12, freq="M")
    paths = rate_drifts(rates, drawn, months, rngs)
    return np.log(paths[Process.PLAN_CONVERSION][-1]), np.log(paths[Process.PLAN_EXIT][-1])


def test_where_more_plans_start_fewer_end() -> None:
    starts, ends = _logs(-0.5)
    assert np.corrcoef(starts, ends)[0, 1] == pytest.approx(-0.5, abs=0.06)
    starts, ends = _logs(0.0)
    assert np.corrcoef(starts, ends)[0, 1] == pytest.approx(0.0, abs=0.06)


def test_a_small_authority_drifts_more_and_only_once() -> None:
    drift = Drift(sd=0.2, time_constant_months=8.0, twice_at_children=100.0)
    assert drift.at_size(100).sd == pytest.approx(0.2 * np.sqrt(2.0))
    assert drift.at_size(10_000_000).sd == pytest.approx(0.2, rel=1e-4)
    assert drift.at_size(100).at_size(100) == drift.at_size(100)
    assert drift.at_size(0) == drift.at_size(40)
    exposure = made_up_exposure()
    found = fit(exposure).priors
    plans = exposure.opening.plans.days.size
    assert found.plan_conversion_drift == Priors().plan_conversion_drift.at_size(plans)
    assert found.plan_exit_drift.sd > Priors().plan_exit_drift.sd
    assert found.care_exit_drift == Priors().care_exit_drift
