"""Forecasts from counts alone: what cannot be used is refused by name, in plain words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand_model import forecast_counts, forecast_stock
from demand_model.errors import DemandError, InvalidInputError, InvalidSettingError
from demand_model.rates.given import count_values

pytestmark = pytest.mark.unit

MONTHS = pd.period_range("2024-01", periods=6, freq="M")
COUNTS = pd.Series([310.0, 302.0, 290.0, 300.0, 318.0, 322.0], MONTHS)
YEARS = pd.period_range("2018", periods=6, freq="Y-MAR")
STOCK = pd.Series([402.0, 418.0, 425.0, 431.0, 446.0, 440.0], YEARS)


WORDS = pd.Series(["many"] * 6, MONTHS)
NOT_A_YEAR = pd.Series([1.0, 2.0], pd.PeriodIndex(["2024", None], freq="Y"))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"counts": [310, 302]}, InvalidSettingError, "counts: list"),
        ({"counts": COUNTS.to_frame()}, InvalidSettingError, "counts: DataFrame"),
        ({"counts": COUNTS.to_timestamp()}, InvalidSettingError, "PeriodIndex"),
        ({"horizon_months": 2.5}, InvalidSettingError, "horizon_months: 2.5"),
        ({"draws": 9.5}, InvalidSettingError, "draws: 9.5"),
        ({"seed": -1}, InvalidSettingError, "seed: -1"),
        ({"seed": "a"}, InvalidSettingError, "seed: 'a'"),
        ({"counts": WORDS}, InvalidInputError, "count of counts is not a number"),
    ],
)
def test_what_cannot_be_used_of_counts_is_named(
    given: dict[str, Any], error: type[DemandError], said: str
) -> None:
    with pytest.raises(error, match=said):
        forecast_counts(**{"counts": COUNTS, **given})


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"stock": [402, 418]}, InvalidSettingError, "stock: list"),
        ({"starts": [1, 2]}, InvalidSettingError, "starts: list"),
        ({"ends": STOCK.to_frame()}, InvalidSettingError, "ends: DataFrame"),
        ({"horizon": 2.5}, InvalidSettingError, "horizon: 2.5"),
        ({"seed": -1}, InvalidSettingError, "seed: -1"),
        ({"draws": "few"}, InvalidSettingError, "draws: 'few'"),
        ({"starts": STOCK.to_timestamp()}, InvalidSettingError, "index of starts"),
        ({"stock": NOT_A_YEAR}, InvalidSettingError, "index of stock"),
        ({"starts": WORDS.set_axis(YEARS)}, InvalidInputError, "count of starts is not a number"),
    ],
)
def test_what_cannot_be_used_of_a_stock_is_named(
    given: dict[str, Any], error: type[DemandError], said: str
) -> None:
    usual = {"starts": None, "ends": None, "stock": STOCK, "horizon": 2}
    with pytest.raises(error, match=said):
        forecast_stock(**{**usual, **given})


def test_no_count_is_told() -> None:
    with pytest.raises(InvalidInputError) as refused:
        forecast_counts(pd.Series(["A. Child"] * 6, MONTHS))
    assert "Child" not in str(refused.value)


def test_numpys_whole_numbers_are_whole_numbers() -> None:
    given: dict[str, Any] = {"draws": np.int64(20), "seed": np.int64(1)}
    made = forecast_counts(COUNTS, horizon_months=np.arange(4)[3], **given)
    assert made.quantiles([0.1, 0.9]).shape == (3, 2)
    assert forecast_stock(None, None, STOCK, np.arange(3)[2], **given).mean().shape == (2,)


@pytest.mark.parametrize(
    "values",
    [pd.to_datetime(["2020-01-01", "2021-01-01"]), [True, False], [1 + 2j, 3]],
    ids=["dates", "true or false", "complex"],
)
def test_what_only_looks_like_numbers_is_no_count(values: object) -> None:
    with pytest.raises(InvalidInputError, match="Counts are numbers"):
        count_values(pd.Series(values), "referrals")
