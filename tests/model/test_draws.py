from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from demand_model.exposure.bands import CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS
from demand_model.exposure.opening import StockMembers
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.draws import (
    RateDraws,
    draw_rates,
    effective_draws,
    entry_ages,
    equilibrium,
)
from demand_model.rates.drift import drift_paths
from demand_model.rates.fit import fit, rate_id
from demand_model.rates.priors import BalancePrior, Drift, Priors
from demand_model.rates.stay import (
    care_stayers,
    mean_care_months,
    mean_plan_months,
    mean_uasc_months,
)
from engine_cases import made_up_exposure, made_up_rates

pytestmark = pytest.mark.unit


def test_draws_have_the_promised_shapes_and_are_positive() -> None:
    found = draw_rates(made_up_rates(1), 40, np.random.default_rng(1))
    shapes = {f.name: getattr(found, f.name).shape for f in fields(RateDraws)}
    assert shapes == {
        "plan_ends": (7, 40),
        "plan_to_care": (7, 40),
        "care_ends": (4, 8, 6, 40),
        "plan_lags": (26, 40),
        "care_lags": (26, 40),
        "other_plan": (40,),
        "other_care": (40,),
        "uasc": (40,),
    }
    for f in fields(RateDraws):
        values = getattr(found, f.name)
        assert np.all(np.isfinite(values) & (values >= 0)), f.name


def test_unbalanced_draws_have_the_posterior_mean() -> None:
    rates = made_up_rates(1)
    found = draw_rates(rates, 8000, np.random.default_rng(2), balanced=False)
    for draws, mean in (
        (found.plan_ends, rates.plan_ends.mean()),
        (found.care_ends[0], rates.care_ends[0].mean()),
        (found.plan_lags, rates.to_plan.lags.mean()),
        (found.other_care, np.asarray(rates.to_care.other_mean())),
    ):
        error = draws.std(axis=-1) / np.sqrt(8000)
        assert np.all(np.abs(draws.mean(axis=-1) - mean) < 5 * error)


def settled_exposure() -> Exposure:
    """Of which no earlier stock is known, so that plans are balanced with today's count."""
    exposure = made_up_exposure(1)
    return replace(exposure, series=exposure.series.iloc[:0])


def test_the_balance_prior_draws_entries_and_exits_together() -> None:
    tight = BalancePrior(location=0.0, scale=0.03)
    priors = replace(Priors(), plan_balance=tight, care_balance=tight)
    rates = fit(settled_exposure(), priors=priors)

    def spread(*, balanced: bool) -> tuple[float, float]:
        drawn = draw_rates(rates, 600, np.random.default_rng(3), balanced=balanced)
        log = np.log(equilibrium(drawn, rates).plans / len(rates.exposure.opening.plans))
        return float(abs(np.median(log))), float(log.std())

    free, held = spread(balanced=False), spread(balanced=True)
    assert held[1] < 0.5 * free[1]
    assert held[0] < 0.1


def test_the_location_of_the_balance_prior_is_that_of_intake_over_stock() -> None:
    growing = BalancePrior(location=0.3, scale=0.02)
    rates = fit(settled_exposure(), priors=replace(Priors(), plan_balance=growing))
    drawn = draw_rates(rates, 600, np.random.default_rng(3))
    log = np.log(equilibrium(drawn, rates).plans / len(rates.exposure.opening.plans))
    assert np.median(log) == pytest.approx(0.3, abs=0.06)


def test_ages_at_entry_mix_the_observed_with_ten_national_children() -> None:
    ages = entry_ages(np.full(90, 4 * 365.25), (15.0,), 200)
    assert np.mean(ages < 5) == pytest.approx(0.9, abs=0.05)
    assert np.all(np.diff(ages) >= 0)
    assert entry_ages(np.array([]), (1.0, 2.0, 3.0), 5) == pytest.approx(
        [1, 1.4, 2, 2.6, 3], abs=0.2
    )


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_the_mean_stay_at_a_constant_rate(rate: float) -> None:
    plans = mean_plan_months(np.full((7, 1), rate))
    assert plans == pytest.approx(1 / rate)
    hazards = np.full((8, 6, 1), rate)
    months = (18 - 10.0) * 12
    until_adult = (1 - np.exp(-rate * months)) / rate
    assert mean_care_months(hazards, np.array([10.0])) == pytest.approx(until_adult)
    assert mean_uasc_months(hazards, np.array([10.0])) == pytest.approx(until_adult)


def test_the_mean_stay_passes_through_bands_and_birthdays() -> None:
    """Numerical integral of survival in steps of a hundredth of a month."""
    rng = np.random.default_rng(5)
    hazards = rng.uniform(0.01, 0.2, (8, 6, 1))
    age, step = 9.3, 0.01
    time = np.arange(0, (18 - age) * 12, step) + step / 2
    band = np.searchsorted([1, 3, 6, 12, 24, 36, 60], time, side="right")
    group = np.searchsorted([1, 5, 10, 16], age + time / 12, side="right")
    hazard = hazards[band, group, 0]
    survival = np.exp(-np.cumsum(hazard) * step + hazard * step / 2)
    assert mean_care_months(hazards, np.array([age])) == pytest.approx(
        survival.sum() * step, rel=1e-3
    )


def test_drift_starts_from_now_and_spreads_to_its_own_deviation() -> None:
    drift = Drift(sd=0.2, time_constant_months=6.0)
    paths = drift_paths(drift, 48, 20000, np.random.default_rng(1))
    log = np.log(paths)
    innovation = 0.2 * np.sqrt(1 - np.exp(-2 / 6))
    assert log[0].std() == pytest.approx(innovation, rel=0.03)
    assert log[-1].std() == pytest.approx(0.2, rel=0.03)
    assert paths.mean(axis=1) == pytest.approx(np.ones(48), abs=0.01)
    assert np.corrcoef(log[40], log[41])[0, 1] == pytest.approx(np.exp(-1 / 6), abs=0.02)


def test_a_rate_set_to_nothing_leaves_the_draws_apart() -> None:
    rates = fit(made_up_exposure(), overrides={"plan_ends|all|all": 0.0})
    drawn = draw_rates(rates, 50, np.random.default_rng(1))
    assert np.isfinite(equilibrium(drawn, rates).plans).all()
    assert len(np.unique(drawn.care_ends.sum(axis=(0, 1, 2)))) > 20


def test_restless_draws_keep_the_drifts_variance() -> None:
    drift = Drift(sd=0.2, time_constant_months=6.0, restlessness=0.6, is_mean_one=False)
    rng = np.random.default_rng(4)
    restless = rng.standard_normal(200_000)
    log = np.log(drift_paths(drift, 60, restless.size, rng, restless)[-1])
    assert log.var() == pytest.approx(0.2**2, rel=0.05)
    assert np.median(log) == pytest.approx(0.0, abs=0.002)
    calm, wild = log[restless < -1.0], log[restless > 1.0]
    assert wild.std() > 3.0 * calm.std()


def test_a_drift_of_mean_one_keeps_it_for_restless_draws_too() -> None:
    drift = Drift(sd=0.2, time_constant_months=6.0, restlessness=0.6)
    rng = np.random.default_rng(4)
    paths = drift_paths(drift, 24, 200_000, rng, rng.standard_normal(200_000))
    assert paths.mean(axis=1) == pytest.approx(np.ones(24), abs=0.005)


def test_the_year_balance_holds_the_change_of_care_within_a_year() -> None:
    tight = BalancePrior(location=0.05, scale=0.01)
    loose = BalancePrior(location=0.0, scale=50.0)
    exposure = settled_exposure()
    in_care = len(exposure.opening.care)

    def change(year: BalancePrior) -> NDArray[np.float64]:
        priors = replace(Priors(), plan_balance=loose, care_balance=loose, care_year=year)
        rates = fit(exposure, priors=priors)
        drawn = draw_rates(rates, 600, np.random.default_rng(3))
        return np.asarray(np.log(equilibrium(drawn, rates).care_in_a_year / in_care))

    assert change(loose).std() > 0.05
    held = change(tight)
    assert held.std() < 0.03
    assert np.median(held) == pytest.approx(0.05, abs=0.02)


def test_children_stay_in_care_as_their_hazards_and_birthdays_say() -> None:
    stock = StockMembers(
        days=np.array([10.0, 400.0, 2000.0]),
        age_days=np.array([5.0, 12.0, 17.5]) * 365.25,
        uasc=np.zeros(3, dtype=bool),
        placement_group=np.array(["", "", ""], dtype=object),
        together=np.arange(3),
    )
    hazards = np.full((len(CARE_BANDS), len(CARE_SEGMENTS), 2), 0.03)
    hazards[..., 1] = 0.0
    left = care_stayers(stock, hazards, months=12)
    # The third turns 18 within the year.
    assert left == pytest.approx([2.0 * np.exp(-0.03 * 12.0), 2.0])


def test_proposals_are_drawn_again_where_prior_and_lists_disagree() -> None:
    far = BalancePrior(location=0.5, scale=0.02)
    rates = fit(settled_exposure(), priors=replace(Priors(), care_year=far))
    drawn = draw_rates(rates, 400, np.random.default_rng(3))
    once = len(np.unique(drawn.other_care))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("demand_model.rates.draws.MOST_ROUNDS", 1)
        single = len(np.unique(draw_rates(rates, 400, np.random.default_rng(3)).other_care))
    assert once > 2 * single
    assert drawn.uasc.size == 400


def test_draws_of_equal_weight_are_worth_their_number() -> None:
    assert effective_draws(np.zeros(40)) == pytest.approx(40.0)
    assert effective_draws(np.array([0.0, -800.0, -900.0])) == pytest.approx(1.0)


def test_balance_does_not_take_back_the_analysts_own_rates() -> None:
    exposure = settled_exposure()
    plain = fit(exposure)
    doubled = {
        rate_id(flow): 2.0 * fitted.overall_mean()
        for flow, fitted in zip(CARE_ENDS, plain.care_ends, strict=True)
    }
    own = fit(exposure, overrides=doubled)
    before, after = (draw_rates(r, 300, np.random.default_rng(3)) for r in (plain, own))
    assert after.other_care == pytest.approx(before.other_care)
    assert after.care_lags == pytest.approx(before.care_lags)
    for fitted, drawn in zip(own.care_ends, after.care_ends, strict=True):
        weights = fitted.exposure / fitted.exposure.sum()
        overall = (drawn * weights[..., None]).sum(axis=(0, 1))
        assert overall == pytest.approx(np.full(300, fitted.overall))


def test_every_own_rate_is_exactly_what_is_drawn() -> None:
    own = {
        rate_id(Flow.REFERRAL_TO_PLAN): 0.2,
        rate_id(Flow.OTHER_PLAN_STARTS): 3.0,
        rate_id(Flow.REFERRAL_TO_CARE): 0.05,
        rate_id(Flow.OTHER_CARE_STARTS): 2.0,
        rate_id(Flow.UASC_STARTS): 0.7,
        rate_id(Flow.PLAN_ENDS, PLAN_BANDS.labels[2]): 0.3,
    }
    rates = fit(settled_exposure(), overrides=own)
    drawn = draw_rates(rates, 50, np.random.default_rng(3))
    assert drawn.plan_lags.sum(axis=0) == pytest.approx(np.full(50, 0.2))
    assert drawn.other_plan == pytest.approx(np.full(50, 3.0))
    assert drawn.care_lags.sum(axis=0) == pytest.approx(np.full(50, 0.05))
    assert drawn.other_care == pytest.approx(np.full(50, 2.0 + rates.returns_per_month))
    assert drawn.uasc == pytest.approx(np.full(50, 0.7))
    assert drawn.plan_ends[2] == pytest.approx(np.full(50, 0.3))


def test_who_never_leaves_stays_until_the_18th_birthday() -> None:
    nobody = np.zeros((len(CARE_BANDS), len(CARE_SEGMENTS), 1))
    assert mean_care_months(nobody, np.array([10.0])) == pytest.approx(96.0)
    assert mean_care_months(nobody, np.array([10.0]), within_months=12.0) == pytest.approx(12.0)
