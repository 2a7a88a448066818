"""Counts from uniform numbers: the quantiles of scipy, in step, never falling as means rise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from demand_model.simulation.count_quantiles import binomial_quantile, poisson_quantile

pytestmark = pytest.mark.unit

UNIFORM = np.random.default_rng(3).random(20_000)
"""More than are worked on together."""


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.3, 4.0, 29.9])
def test_small_poisson_counts_are_the_quantile(mean: float):
    found = poisson_quantile(UNIFORM, np.full(len(UNIFORM), mean))
    assert np.array_equal(found, stats.poisson.ppf(UNIFORM, mean).astype(int))


@pytest.mark.parametrize("mean", [30.5, 200.0, 5_000.0])
def test_large_poisson_counts_are_at_most_one_off(mean: float):
    found = poisson_quantile(UNIFORM, np.full(len(UNIFORM), mean))
    off = found - stats.poisson.ppf(UNIFORM, mean)
    assert np.abs(off).max() <= 1
    assert (off != 0).mean() < 0.02


@pytest.mark.parametrize(
    ("number", "chance"), [(0, 0.4), (7, 0.0), (7, 1.0), (7, 0.3), (40, 0.97), (1300, 0.99)]
)
def test_small_binomial_counts_are_the_quantile(number: int, chance: float):
    found = binomial_quantile(UNIFORM, np.full(20_000, number), np.full(20_000, chance))
    wanted = np.clip(stats.binom.ppf(UNIFORM, number, chance), 0, number)
    assert (found != wanted).mean() < 1e-3, "ties of rounding apart"
    assert np.abs(found - wanted).max() <= 1


@pytest.mark.parametrize(("number", "chance"), [(100, 0.4), (1300, 0.6), (270, 0.75)])
def test_large_binomial_counts_are_at_most_one_off(number: int, chance: float):
    found = binomial_quantile(UNIFORM, np.full(20_000, number), np.full(20_000, chance))
    off = found - stats.binom.ppf(UNIFORM, number, chance)
    assert np.abs(off).max() <= 1
    assert (off != 0).mean() < 0.02


def test_counts_do_not_fall_as_the_mean_rises():
    few = np.random.default_rng(4).random(200)
    means = np.linspace(0.0, 29.0, 400)
    counts = np.stack([poisson_quantile(few, np.full(200, m)) for m in means])
    assert (np.diff(counts, axis=0) >= 0).all()
    chances = np.linspace(0.0, 1.0, 400)
    kept = np.stack([binomial_quantile(few, np.full(200, 25), np.full(200, p)) for p in chances])
    assert (np.diff(kept, axis=0) >= 0).all()
    assert (kept[0] == 0).all()
    assert (kept[-1] == 25).all()


def test_a_mix_of_small_and_large_means_keeps_its_order():
    mean = np.array([0.0, 500.0, 3.0, 31.0])
    found = poisson_quantile(np.full(4, 0.5), mean)
    assert found.tolist() == stats.poisson.ppf(0.5, mean).astype(int).tolist()
