"""The balance prior's density, and the stock that chance has not moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from demand_model.exposure.tabulate import Exposure
from demand_model.rates.balance import (
    balance_log_density,
    drift_over,
    stock_without_chance,
)
from demand_model.rates.drift import drift_paths
from demand_model.rates.priors import BalancePrior, Drift
from engine_cases import made_up_exposure

pytestmark = pytest.mark.unit

DRIFT = Drift(sd=0.2, time_constant_months=8.0)


def with_plans(before: float, starts: float, ends: float, *, months: int = 6) -> Exposure:
    """An exposure whose open plans went from `before` to `before + starts - ends`."""
    base = made_up_exposure(1)
    ends_of = pd.date_range("2025-09-30", periods=months + 1, freq="ME")
    rows = []
    for number, month_end in enumerate(ends_of):
        done = number / months
        rows.append((month_end, "cp_open", "all", before + (starts - ends) * done))
        if number:
            rows.append((month_end, "cp_starts", "all", starts / months))
            rows.append((month_end, "cp_ends", "all", ends / months))
    now = int(before + starts - ends)
    plans = base.opening.plans
    few = replace(
        plans,
        **{
            name: np.resize(getattr(plans, name), now)
            for name in ("days", "age_days", "uasc", "placement_group", "together")
        },
    )
    return replace(
        base,
        series=pd.DataFrame(rows, columns=["month_end", "measure", "segment", "value"]),
        opening=replace(base.opening, plans=few),
    )


def balanced(exposure: Exposure, *, dispersion: float = 1.9, drift: Drift = DRIFT) -> float:
    return stock_without_chance(
        exposure,
        starts_dispersion=dispersion,
        ends_dispersion=dispersion,
        conversion_drift=drift,
        exit_drift=drift,
    )


def test_density_is_student_t_up_to_a_constant() -> None:
    prior = BalancePrior(location=-0.02, scale=0.11, degrees_of_freedom=4.0)
    implied = np.array([80.0, 100.0, 140.0])
    found = balance_log_density(implied, 100.0, prior)
    z = np.log((implied + 0.5) / 100.5)
    expected = stats.t.logpdf(z, 4.0, loc=-0.02, scale=0.11)
    assert np.diff(found) == pytest.approx(np.diff(expected))


def test_a_stock_that_has_not_changed_is_its_own_balance() -> None:
    assert balanced(with_plans(200, 120, 120)) == pytest.approx(200.0)


def test_a_change_is_mostly_chance_in_small_and_mostly_real_in_large_authorities() -> None:
    def share(times: int) -> float:
        exposure = with_plans(100 * times, 70 * times, 50 * times)
        now, before = 120 * times + 0.5, 100 * times + 0.5
        gone = np.log(now / (balanced(exposure) + 0.5))
        return float(gone / np.log(now / before))

    small, large = share(1), share(10)
    assert 0.4 < small < 0.7
    assert large < 0.25


def test_chance_alone_takes_the_change_back_and_drift_alone_keeps_it() -> None:
    exposure = with_plans(100, 70, 50)
    still = Drift(sd=1e-6, time_constant_months=8.0)
    assert balanced(exposure, dispersion=3.0, drift=still) == pytest.approx(100.0, rel=0.001)
    assert balanced(exposure, dispersion=0.0) == pytest.approx(120.0)


def test_share_is_the_regression_of_chance_on_the_whole_change() -> None:
    rng = np.random.default_rng(5)
    exposure = with_plans(200, 130, 110)
    n, turnover = 210.5, 120 / 210.5
    chance = rng.normal(scale=np.sqrt(1.9 * 240) / n, size=200_000)
    wander = rng.normal(scale=turnover * np.sqrt(2 * drift_over(DRIFT, 6)), size=200_000)
    slope = np.polyfit(chance + wander, chance, 1)[0]
    gone = np.log(220.5 / (balanced(exposure) + 0.5)) / np.log(220.5 / 200.5)
    assert gone == pytest.approx(slope, rel=0.02)


def test_variance_of_a_drift_over_months_is_that_of_the_mean_of_its_path() -> None:
    rng = np.random.default_rng(6)
    fine = Drift(sd=0.2, time_constant_months=80.0)  # tenths of a month
    logs = np.log(drift_paths(replace(fine, is_mean_one=False), 400 + 60, 4_000, rng))
    assert drift_over(DRIFT, 6) == pytest.approx(logs[400:].mean(axis=0).var(), rel=0.08)


def test_longer_lists_count_their_last_six_months() -> None:
    steep = with_plans(100, 140, 100, months=12)
    recent = with_plans(120, 70, 50, months=6)
    assert balanced(steep) == pytest.approx(balanced(recent))


def test_without_a_whole_month_or_any_flow_the_count_stands() -> None:
    exposure = with_plans(50, 0, 0)
    assert balanced(exposure) == 50.0
    one = exposure.series[exposure.series["month_end"] == exposure.series["month_end"].max()]
    assert balanced(replace(exposure, series=one)) == 50.0


def test_drifts_that_move_against_each_other_leave_less_of_a_change_to_chance() -> None:
    """More starts and fewer ends move the stock alike: as drifts of a greater variance."""

    def found(correlation: float, drift: Drift = DRIFT) -> float:
        return stock_without_chance(
            with_plans(80.0, 60.0, 40.0),
            starts_dispersion=1.9,
            ends_dispersion=1.9,
            conversion_drift=drift,
            exit_drift=drift,
            drift_correlation=correlation,
        )

    assert 80.0 < found(0.0) < found(-0.35) < 100.0
    wider = replace(DRIFT, sd=DRIFT.sd * np.sqrt(1.35))
    assert found(-0.35) == pytest.approx(found(0.0, wider))
