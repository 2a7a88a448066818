"""What history says is true of made-up series and authorities, and does not lie about its doubt.

Tolerances: `SERIES` independent series give a mean of z-scores with standard error
1/sqrt(n) and a coverage with sqrt(p (1 - p) / n); bounds are 3 to 4 of these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import demand_model as dm
from demand_model.rates.history import PAST_PRIOR, PastRate, fit_rate, move
from demand_model.rates.intake_prior import NATIONAL_INTAKE, IntakePrior
from demand_samples.extract import annex_a
from demand_samples.observe import monthly_truth
from demand_samples.presets import authority
from demand_samples.simulate import simulate_authority

pytestmark = pytest.mark.recovery

SERIES = 150
MONTHS, LISTED, AHEAD = 48, 6, 12
NOW = pd.Period("2026-03", "M")
PER_MONTH = 30.0
PRIOR = replace(
    NATIONAL_INTAKE,
    profile=(1.0,) * 12,
    profile_variance=(0.0,) * 12,
    long_variance=0.0,
    slow_variance=0.03,
    slow_months=12.0,
    fast_variance=0.0,
    noise_variance=0.03,
    drift_spread=PAST_PRIOR.drift_spread,
    noise_spread=PAST_PRIOR.noise_spread,
    spread_months=1000.0,
    drift_size_power=0.0,
    noise_size_power=0.0,
)


@dataclass(frozen=True)
class Made:
    """One made-up series: its fit, and what was true."""

    fit: PastRate
    now: float
    ahead: np.ndarray
    centre: float
    log_listed: float


def slow_path(
    prior: IntakePrior, scale: float, months: int, rng: np.random.Generator
) -> np.ndarray:
    """An AR(1) as the process has it, stationary from the start."""
    keep = np.exp(-1.0 / prior.slow_months)
    sd = np.sqrt(scale * prior.slow_variance)
    path = [rng.normal(0.0, sd)]
    for _ in range(months - 1):
        path.append(keep * path[-1] + rng.normal(0.0, sd * np.sqrt(1.0 - keep**2)))
    return np.array(path)


def make(
    seed: int,
    scale: float | None = None,
    *,
    prior: IntakePrior = PRIOR,
    per_month: float = PER_MONTH,
) -> Made:
    rng = np.random.default_rng(seed)
    if scale is None:
        scale = float(np.exp(prior.drift_spread * rng.standard_normal()))
    path = slow_path(prior, scale, MONTHS + AHEAD, rng)
    index = pd.period_range(NOW - MONTHS + 1, NOW, freq="M")
    noise = rng.normal(0.0, np.sqrt(prior.noise_variance), MONTHS)
    counts = pd.Series(rng.poisson(per_month * np.exp(path[:MONTHS] + noise)).astype(float), index)
    expected = pd.Series(1.0, index)
    return Made(
        fit=fit_rate(counts, expected, NOW - LISTED + 1, prior, NOW, counted_alike=True),
        now=float(path[MONTHS - 1]),
        ahead=path[MONTHS:],
        centre=float(np.log((counts.sum() + 0.5) / MONTHS) - np.log(per_month)),
        log_listed=float(np.log((counts.iloc[-LISTED:].sum() + 0.5) / LISTED)),
    )


@lru_cache(maxsize=1)
def made() -> tuple[Made, ...]:
    return tuple(make(seed) for seed in range(SERIES))


def test_the_rate_now_is_found_within_its_own_doubt() -> None:
    z = []
    for one in made():
        weights = one.fit.posterior.weights
        mean = float(weights @ one.fit.mean)
        variance = float(weights @ (one.fit.variance + (one.fit.mean - mean) ** 2))
        z.append((one.now - one.centre - mean) / np.sqrt(variance))
    assert abs(np.mean(z)) < 3.5 / np.sqrt(SERIES)
    assert np.std(z) == pytest.approx(1.0, abs=0.2)


def test_the_path_ahead_is_within_its_ranges_as_often_as_they_say() -> None:
    inside, error, still = [], [], []
    months = pd.period_range(NOW + 1, periods=AHEAD, freq="M")
    for number, one in enumerate(made()):
        rng = np.random.default_rng(number)
        node = one.fit.posterior.nodes_of_draws(400, rng)
        deviation = np.full(400, one.now - one.centre) - one.fit.mean[node]
        chance = rng.standard_normal((AHEAD, 400))
        paths = np.log(one.fit.paths(months, node, deviation, chance))
        low, middle, high = np.quantile(paths[-1], [0.1, 0.5, 0.9])
        moved = one.ahead[-1] - one.now
        inside.append(low <= moved <= high)
        error.append(abs(moved - middle))
        still.append(abs(moved))
    assert np.mean(inside) == pytest.approx(0.8, abs=0.11)
    assert np.mean(error) < 0.92 * np.mean(still)


def test_history_adds_what_the_lists_alone_do_not_say() -> None:
    """The rate now is nearer to what history and lists say than to the lists' own mean."""
    per_month, missed, unmoved = 6.0, [], []
    for one in (make(500 + seed, per_month=per_month) for seed in range(80)):
        departure = float(one.fit.posterior.weights @ one.fit.departure)
        true = PRIOR.noise_variance / 2.0 + np.log(per_month) + one.now - one.log_listed
        missed.append(true - departure)
        unmoved.append(true)
    assert abs(np.mean(missed)) < 3.5 * np.std(missed) / np.sqrt(len(missed))
    assert np.std(missed) < 0.85 * np.std(unmoved)


def test_noise_of_small_counts_does_not_lower_the_rate() -> None:
    """Counts of 4 with much noise: their mean is expected, not the lower median."""
    prior = replace(PRIOR, noise_variance=0.25, slow_variance=1e-4, noise_spread=0.01)
    mean = 4.0 * np.exp(prior.noise_variance / 2.0)
    found = []
    for seed in range(120):
        one = make(seed, 1.0, prior=prior, per_month=4.0)
        found.append(one.log_listed + float(one.fit.posterior.weights @ one.fit.departure))
    error = np.std(found) / np.sqrt(len(found))
    assert error < 0.012
    assert abs(np.mean(found) - np.log(mean)) < 3.0 * error


@pytest.mark.parametrize(("scale", "low", "high"), [(0.1, 0.3, 0.9), (5.0, 1.25, 2.5)])
def test_a_quiet_and_a_restless_authority_are_told_apart(
    scale: float, low: float, high: float
) -> None:
    found = [make(1000 + seed, scale).fit.drift_scale for seed in range(30)]
    assert low < np.mean(found) < high


def _crps(draws: np.ndarray, actual: float) -> float:
    x = np.sort(draws)
    n = len(x)
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * x).sum()) / n**2
    return float(np.abs(x - actual).mean() - spread)


def test_four_years_of_history_make_forecasts_of_steady_authorities_better() -> None:
    census = date(2026, 9, 30)
    now = pd.Period(census, freq="M")
    ratios = []
    for seed in range(8):
        lived = simulate_authority(
            authority("middling"), seed=seed, census_date=census, months_after=13
        )
        lists = dm.check(annex_a(lived, census)).lists
        assert lists is not None
        truth = monthly_truth(lived, lived.first_date, date(2027, 9, 30))
        truth.index = pd.PeriodIndex(pd.DatetimeIndex(truth.pop("month_end")), freq="M")
        before, after = truth[truth.index <= now], truth[truth.index > now]
        exposure = dm.tabulate(dm.spells(lists))
        scores = {}
        for name, history in (("with", dm.History.of(before)), ("without", None)):
            rates = dm.fit(exposure, history=history)
            run = dm.simulate(rates, horizon_months=12, draws=300, seed=seed)[0]
            for measure in ("cp_starts", "cp_ends", "cla_starts", "cla_ends"):
                paths = run.measures[measure, "all"].sum(axis=0)
                scores[name, measure] = _crps(paths, float(after[measure].sum()))
        ratios += [scores["with", m] / scores["without", m] for n, m in scores if n == "with"]
    assert len(ratios) == 32
    assert np.exp(np.mean(np.log(ratios))) < 0.92


def test_history_worth_no_more_than_the_lists_moves_nothing() -> None:
    """Its rate is the lists' own count, as sure: the draws hold that already."""
    one = make(3)
    flat = np.ones(len(one.fit.mean))
    chance = 0.04
    same = replace(one.fit, departure=0.0 * flat, variance=chance * flat, chance_variance=chance)
    present = np.random.default_rng(0).normal(0.0, np.sqrt(chance / 2.0), 40_000)
    rng = np.random.default_rng(1)
    shift, _, deviation = move(same, present, 0.0, -0.3, rng, is_fitted_beside=True)
    assert shift.mean() == pytest.approx(0.0, abs=1e-9)
    # From the lists' count, which lies .3 below the draws, a draw departs by that much.
    assert deviation.mean() == pytest.approx(0.3, abs=0.01)
