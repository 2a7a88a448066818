"""Simulation-based calibration in small: the truth's rank among posterior draws is uniform.

`benchmarks/rates_calibration.py` does the same with more truths and three sizes of
authority, and prints the table. Bounds here: of right posteriors, one chi-square p in
ten thousand is below 1e-4, and of 40 intervals of 80% fewer than 22 hold the truth less
than once in ten thousand.
"""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark_files import benchmark

pytestmark = pytest.mark.recovery

REPLICATES = 40


@lru_cache(maxsize=1)
def calibration() -> ModuleType:
    return benchmark("rates_calibration")


@lru_cache(maxsize=1)
def table() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    (setting,) = calibration().settings(rng, 4_000, ("middling",))
    ranks = []
    for _ in range(REPLICATES):
        ranks += calibration().replicate(setting, rng)
        ranks += calibration().balanced_replicate(setting, rng)
        ranks += calibration().intake_replicate(12.7, rng)
    found: pd.DataFrame = calibration().uniformity(ranks)
    return found


def test_ranks_of_the_truth_are_uniform() -> None:
    checked = table()
    assert len(checked) > 30
    assert checked["p"].min() > 1e-4, checked.sort_values("p").head(3).to_string()
    assert checked["rank_z"].abs().max() < 4.0, checked.to_string()


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    checked = table()
    assert (checked["n"] == REPLICATES).all()
    held = (checked["in80"] * REPLICATES).round()
    # The smallest of over 40 rows; the weakest, care starts in all, holds 71% of 150 (decision 14).
    assert stats.binom.cdf(held.min(), REPLICATES, 0.8) > 1e-5, checked.to_string()
    assert 0.76 < checked["in80"].mean() < 0.85  # rows of one replicate are correlated
    assert 0.92 < checked["in95"].mean() < 0.98


def test_a_posterior_that_is_too_narrow_is_found_out() -> None:
    """The test has teeth: draws with two thirds of the right spread are not uniform."""
    rng = np.random.default_rng(3)
    made = calibration()
    truth, draws = rng.normal(size=400), rng.normal(size=(400, made.DRAWS)) * 2 / 3
    ranks = [
        made.Rank(block="x", quantity="y", rank=int((d < t).sum()), draws=made.DRAWS)
        for t, d in zip(truth, draws, strict=True)
    ]
    found = made.uniformity(ranks)
    assert found["p"].iloc[0] < 1e-4
    assert made.verdicts(found) == {"x": ["y"]}
