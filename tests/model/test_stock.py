"""Forecast of a stock from counts alone: what it accepts, what it refuses, how it behaves."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from demand_model.errors import InvalidInputError, InvalidSettingError, NotEnoughDataError
from demand_model.rates.stock import NATIONAL_STOCK, forecast_stock

pytestmark = pytest.mark.unit

YEARS = pd.period_range("2015", periods=10, freq="Y-MAR")
STOCK = pd.Series([402.0, 410, 396, 420, 431, 425, 440, 452, 447, 455], YEARS)
FLOW = pd.Series(180.0, YEARS)


def spread(forecast):
    low, high = forecast.quantiles([0.1, 0.9]).T
    return np.log(high / low)


def test_shapes_and_periods_follow_the_last_count():
    forecast = forecast_stock(FLOW, FLOW, STOCK, horizon=3, draws=200)
    assert forecast.draws.shape == (3, 200)
    assert forecast.quantiles([0.1, 0.5, 0.9]).shape == (3, 3)
    assert forecast.mean().shape == (3,)
    assert list(forecast.periods) == list(pd.period_range("2025", periods=3, freq="Y-MAR"))
    assert forecast.periods.freqstr == "Y-MAR"
    assert forecast.last == 455
    assert forecast.turnover_per_year == pytest.approx(1800 / STOCK.sum(), rel=0.05)


def test_the_result_is_frozen():
    forecast = forecast_stock(None, None, STOCK, horizon=1, draws=10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        forecast.last = 1.0


def test_same_seed_same_forecast_and_another_seed_another():
    one, same, other = (forecast_stock(FLOW, FLOW, STOCK, 2, seed=s).draws for s in (4, 4, 5))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_integer_years_give_the_same_numbers_as_financial_years():
    def plain(series):
        return pd.Series(series.to_numpy(), series.index.year)

    by_period = forecast_stock(FLOW, FLOW, STOCK, 3, seed=1)
    by_number = forecast_stock(plain(FLOW), plain(FLOW), plain(STOCK), 3, seed=1)
    assert list(by_number.periods) == [2025, 2026, 2027]
    assert np.array_equal(by_period.draws, by_number.draws)


@pytest.mark.parametrize("freq", ["Y", "Y-DEC", "Y-MAR"])
def test_any_year_end_is_accepted(freq):
    stock = pd.Series([90.0, 95.0], pd.period_range("2023", periods=2, freq=freq))
    assert forecast_stock(None, None, stock, 1, draws=20).periods[0].year == 2025


def test_missing_flows_and_missing_stocks_are_allowed():
    gappy = STOCK.copy()
    gappy.iloc[[0, 4]] = np.nan
    flows = FLOW.copy()
    flows.iloc[3:6] = np.nan
    forecast = forecast_stock(flows, None, gappy, 2)
    assert np.isfinite(forecast.quantiles([0.025, 0.975])).all()
    assert forecast.turnover_per_year == pytest.approx(0.4, abs=0.05)


def test_an_absent_period_is_a_missing_one():
    gappy = STOCK.copy()
    gappy.iloc[4] = np.nan
    absent = gappy.dropna()
    assert np.array_equal(
        forecast_stock(None, None, gappy, 2).draws, forecast_stock(None, None, absent, 2).draws
    )


def test_forecast_starts_after_the_last_stock_counted():
    stock = STOCK.copy()
    stock.iloc[-1] = np.nan
    assert forecast_stock(FLOW, FLOW, stock, 1).periods[0] == YEARS[-1]


def test_nullable_integers_are_counts_too():
    nullable = STOCK.astype("Int64")
    nullable.iloc[2] = pd.NA
    assert forecast_stock(None, None, nullable, 1, draws=20).draws.shape == (1, 20)


def test_no_flow_at_all_is_said_by_nan():
    assert math.isnan(forecast_stock(None, None, STOCK, 1, draws=20).turnover_per_year)
    empty = FLOW * np.nan
    assert math.isnan(forecast_stock(empty, empty, STOCK, 1, draws=20).turnover_per_year)


def test_one_count_is_enough_and_the_centre_is_near_no_change():
    forecast = forecast_stock(None, None, STOCK.iloc[-1:], 3, draws=4000)
    assert forecast.quantiles([0.5])[:, 0] == pytest.approx(455, rel=0.05)


def test_spread_grows_with_time_and_falls_with_size():
    large = forecast_stock(FLOW * 5, FLOW * 5, STOCK * 5, 3, draws=4000)
    small = forecast_stock(FLOW / 5, FLOW / 5, STOCK / 5, 3, draws=4000)
    assert np.all(np.diff(spread(large)) > 0)
    assert np.all(spread(small) > 1.3 * spread(large))


def test_a_restless_history_widens_the_forecast():
    steady = pd.Series(400.0 + np.arange(10) % 2, YEARS)
    restless = pd.Series(np.where(np.arange(10) % 4 < 2, 300.0, 400.0), YEARS)
    assert np.all(
        spread(forecast_stock(FLOW, FLOW, restless, 3, draws=4000))
        > 1.3 * spread(forecast_stock(FLOW, FLOW, steady, 3, draws=4000))
    )


def test_quick_turnover_is_less_certain_than_slow():
    slow = forecast_stock(STOCK * 0.4, STOCK * 0.4, STOCK, 1, draws=4000)
    quick = forecast_stock(STOCK * 1.2, STOCK * 1.2, STOCK, 1, draws=4000)
    assert spread(quick)[0] > 1.5 * spread(slow)[0]


def test_steady_growth_goes_on_for_a_while_but_weaker():
    growing = pd.Series(1000 * 1.06 ** np.arange(10), YEARS)
    median = forecast_stock(growing * 0.4, growing * 0.4, growing, 3, draws=8000).quantiles([0.5])
    change = np.log(median[:, 0] / growing.iloc[-1])
    assert 0.02 < change[0] < 0.06
    assert change[2] - change[1] < change[0]


def test_a_jump_of_plans_is_expected_to_return_in_part():
    jumped = STOCK.copy()
    jumped.iloc[-1] = 700.0
    median = forecast_stock(jumped * 1.2, jumped * 1.2, jumped, 3, draws=8000).quantiles([0.5])
    assert np.all(median[:, 0] < 690)
    assert np.all(median[:, 0] > 450)


def test_twelve_months_ahead_is_one_year_ahead():
    """One count, monthly or yearly, meets the same process."""
    flow_a_month = pd.Series([15.0], pd.period_range("2025-03", periods=1, freq="M"))
    months = forecast_stock(flow_a_month, flow_a_month, flow_a_month * 0 + 450, 12, draws=20000)
    flow_a_year = pd.Series([180.0], YEARS[-1:])
    years = forecast_stock(flow_a_year, flow_a_year, flow_a_year * 0 + 450, 1, draws=20000)
    assert str(months.periods[-1]) == "2026-03"
    assert months.turnover_per_year == pytest.approx(years.turnover_per_year)
    probs = [0.05, 0.25, 0.5, 0.75, 0.95]
    assert months.quantiles(probs)[-1] == pytest.approx(years.quantiles(probs)[0], rel=0.01)


def test_a_month_of_chance_is_about_the_chance_of_its_starts_and_ends():
    """360 a year each way, dispersion about 1.4: sd about sqrt(1.4 × 30) = 6.5 children."""
    stock = pd.Series([400.0], pd.period_range("2025-03", periods=1, freq="M"))
    flow = pd.Series([15.0], stock.index)
    drawn = forecast_stock(flow, flow, stock, 1, draws=20000).draws[0]
    assert 5.5 < drawn.std() < 8.5


@pytest.mark.parametrize("last", [0.0, 1.0, 4.0])
def test_tiny_stocks_give_whole_children_and_finite_numbers(last):
    stock = pd.Series([2.0, 0.0, 3.0, last], YEARS[:4])
    forecast = forecast_stock(stock, stock, stock, 5, draws=2000)
    assert forecast.draws.min() >= 0
    assert forecast.draws.dtype == np.int64
    assert forecast.mean().max() < 10 * (last + 1)


@pytest.mark.parametrize(("horizon", "draws"), [(0, 10), (-1, 10), (2, 0)])
def test_horizon_and_draws_must_be_one_or_more(horizon, draws):
    with pytest.raises(InvalidSettingError, match="must be 1 or more"):
        forecast_stock(None, None, STOCK, horizon, draws=draws)


@pytest.mark.parametrize("bad", [-1.0, np.inf])
@pytest.mark.parametrize("which", ["starts", "ends", "stock"])
def test_impossible_counts_are_refused(which, bad):
    given = {"starts": FLOW.copy(), "ends": FLOW.copy(), "stock": STOCK.copy()}
    given[which].iloc[-1] = bad
    with pytest.raises(InvalidInputError, match=which):
        forecast_stock(**given, horizon=1)


def test_no_stock_at_all_is_not_enough():
    with pytest.raises(NotEnoughDataError):
        forecast_stock(FLOW, FLOW, STOCK * np.nan, 1)
    with pytest.raises(NotEnoughDataError):
        forecast_stock(None, None, STOCK.iloc[:0], 1)


@pytest.mark.parametrize(
    "index",
    [
        pd.period_range("2015-01", periods=10, freq="Q"),
        pd.date_range("2015-01-01", periods=10, freq="YS"),
        YEARS[::-1],
        pd.PeriodIndex(["2015"] * 10, freq="Y"),
        pd.Index([f"y{n}" for n in range(10)]),
    ],
)
def test_other_indexes_are_refused(index):
    with pytest.raises(InvalidSettingError, match="index"):
        forecast_stock(None, None, STOCK.set_axis(index), 1)


@pytest.mark.parametrize(
    "index",
    [
        YEARS.year,
        pd.period_range("2015-01", periods=10, freq="M"),
        pd.period_range("2015", periods=10, freq="Y-DEC"),
    ],
)
def test_flows_must_be_of_the_same_sort_as_the_stock(index):
    with pytest.raises(InvalidSettingError, match="starts"):
        forecast_stock(FLOW.set_axis(index), None, STOCK, 1)


def test_probabilities_are_checked():
    with pytest.raises(InvalidSettingError, match="probs"):
        forecast_stock(None, None, STOCK, 1, draws=10).quantiles([0.5, 1.2])


def test_kinds_in_between_have_values_in_between():
    prior = NATIONAL_STOCK
    middle = prior.kind(math.sqrt(prior.slow_until_per_year * prior.quick_from_per_year))
    assert middle.dispersion == pytest.approx((prior.slow.dispersion + prior.quick.dispersion) / 2)
    assert prior.kind(0.3) == dataclasses.replace(prior.slow, turnover_per_year=0.3)
    assert prior.kind(3.0) == dataclasses.replace(prior.quick, turnover_per_year=3.0)


@pytest.mark.parametrize(
    "change",
    [
        {"scale_df": 2.0},
        {"slow_until_per_year": 1.5},
        {"growth_years": 0.0},
        {"turnover_limits": (3.0, 1.0)},
    ],
)
def test_priors_are_checked(change):
    with pytest.raises(InvalidSettingError):
        dataclasses.replace(NATIONAL_STOCK, **change)


@pytest.mark.parametrize("change", [{"dispersion": 0.0}, {"swing_variance": -0.1}])
def test_kinds_are_checked(change):
    with pytest.raises(InvalidSettingError):
        dataclasses.replace(NATIONAL_STOCK.slow, **change)
