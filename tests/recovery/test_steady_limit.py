"""The limit of forecasts of steady authorities, on stocks whose best forecast is known."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark_files import benchmark

pytestmark = pytest.mark.recovery

KEPT = 0.6
"""Autocorrelation of the made-up stocks from an origin to any month ahead."""
TRUTHS, HISTORIES = 5, 60


@lru_cache(maxsize=1)
def limit() -> ModuleType:
    for name in ("scoring", "simulated_truth"):
        benchmark(name)
    return benchmark("steady_limit")


@lru_cache(maxsize=1)
def stocks() -> pd.DataFrame:
    """Normal stocks about means of 100 to 1,000; months ahead autocorrelated by `KEPT`."""
    rng = np.random.default_rng(6)
    rows = []
    for truth in range(TRUTHS * len(limit().SIZES)):
        size = limit().SIZES[truth % 3]
        mean = {"small": 100.0, "middling": 300.0, "large": 1000.0}[size] * rng.uniform(0.8, 1.2)
        sd = 1.5 * np.sqrt(mean)
        for history in range(HISTORIES):
            for _ in range(limit().ORIGINS):
                off, news = rng.normal(0.0, sd, 2)
                later = mean + KEPT * off + np.sqrt(1 - KEPT**2) * news
                row = {"size": size, "truth": truth, "history": history, "now": mean + off}
                rows.append(row | {f"after {ahead}": later for ahead in limit().AHEAD})
    return pd.DataFrame(rows)


def with_rest(rows: pd.DataFrame) -> pd.DataFrame:
    """With the columns that the forecaster of the mean does not look at."""
    names = ("starts", *limit().BANDS, *limit().AGES)
    found: pd.DataFrame = limit().with_usual(rows.assign(**dict.fromkeys(names, 1.0)))
    return found


def test_usual_is_the_mean_of_the_other_histories() -> None:
    rows = stocks()
    found = with_rest(rows)["usual now"].iloc[0]
    others = rows[(rows["truth"] == 0) & (rows["history"] != 0)]["now"]
    assert found == pytest.approx(others.mean())


def test_who_knows_the_mean_leaves_the_errors_of_the_closed_form() -> None:
    rows = with_rest(stocks())
    centre = limit().forecasts(rows, limit().FORECASTERS["mean"], 12)
    left = np.mean((rows["after 12"] - centre) ** 2 / rows["usual now"])
    no_change = np.mean((rows["after 12"] - rows["now"]) ** 2 / rows["usual now"])
    assert left / no_change == pytest.approx((1 + KEPT) / 2, rel=0.05)


def test_who_knows_little_about_the_mean_is_near_no_change() -> None:
    rows = with_rest(stocks())
    errors = [
        float(np.mean((rows["after 12"] - limit().forecasts(rows, knows, 12)) ** 2))
        for knows in (limit().FORECASTERS[name] for name in ("mean", "within 5%", "within 20%"))
    ]
    no_change = float(np.mean((rows["after 12"] - rows["now"]) ** 2))
    assert errors[0] < errors[1] < errors[2] < 1.02 * no_change


def test_autocorrelation_is_that_of_the_stocks() -> None:
    found = limit().autocorrelation(with_rest(stocks()))
    assert found.to_numpy() == pytest.approx(np.full((3, 4), KEPT), abs=0.08)


def test_too_wide_a_range_costs_what_many_draws_say() -> None:
    assert limit().too_wide(1.0) == pytest.approx(1.0)
    crps = sys.modules["scoring"].crps
    actual = np.random.default_rng(9).normal(size=1000)
    even = np.asarray(stats.norm.ppf(np.arange(1, 400) / 400))
    score = [np.mean([crps(factor * even, x) for x in actual]) for factor in (1.0, 2.0)]
    assert limit().too_wide(2.0) == pytest.approx(score[1] / score[0], rel=0.03)
