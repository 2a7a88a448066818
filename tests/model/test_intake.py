"""Intake model: what it promises, on small made series."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand_model.errors import InvalidInputError, InvalidSettingError, NotEnoughDataError
from demand_model.rates.intake import fit_intake, forecast_counts
from demand_model.rates.intake_prior import COVID_SHOCK, NATIONAL_INTAKE, PAST_SHOCKS, Shock
from demand_model.rates.intake_process import (
    NO_SHOCK,
    fit_process,
    month_points,
    pseudo_observations,
    scale_grid,
)
from demand_model.units import working_days_in_months

pytestmark = pytest.mark.unit


def months(first, number):
    return pd.period_range(first, periods=number, freq="M")


def expected(index, per_working_day, prior=NATIONAL_INTAKE):
    season = np.exp(prior.log_profile[index.month - 1])
    return per_working_day * working_days_in_months(index) * season


def steady(first, number, per_working_day):
    index = months(first, number)
    return pd.Series(np.round(expected(index, per_working_day)), index)


def relative_width(paths):
    low, middle, high = np.quantile(paths, [0.1, 0.5, 0.9], axis=1)
    return (high - low) / middle


def test_steady_counts_are_continued_with_season_and_working_days():
    fit = fit_intake(steady("2023-05", 6, 20.0))
    ahead = months("2023-11", 12)
    paths = fit.draw_paths(ahead, 4000, np.random.default_rng(1))
    np.testing.assert_allclose(np.median(paths, axis=1), expected(ahead, 20.0), rtol=0.04)


def test_level_is_found_and_its_uncertainty_falls_with_history():
    short, longer = fit_intake(steady("2023-10", 1, 20.0)), fit_intake(steady("2021-11", 24, 20.0))
    for fit in (short, longer):
        assert fit.level()[0] == pytest.approx(np.log(20.0), abs=0.02)
    assert longer.level()[1] < 0.8 * short.level()[1]


def test_level_of_future_months_is_less_sure_than_of_the_last():
    fit = fit_intake(steady("2023-05", 6, 20.0))
    _, sd = fit.level(months("2023-10", 25))
    assert np.all(np.diff(sd) > 0)


def test_interval_widens_with_the_horizon():
    fit = fit_intake(steady("2023-05", 6, 20.0))
    width = relative_width(fit.draw_paths(months("2023-11", 24), 4000, np.random.default_rng(1)))
    assert width[0] < width[11] < width[23]


def test_a_jumpy_history_gives_a_wider_interval_than_a_calm_one():
    calm = steady("2021-07", 30, 20.0)
    signs = np.where(np.arange(30) % 2, 1.25, 0.8)
    ahead = months("2024-01", 12)
    widths = [
        relative_width(fit_intake(c).draw_paths(ahead, 2000, np.random.default_rng(1))).mean()
        for c in (calm, calm * signs)
    ]
    assert widths[1] > 1.3 * widths[0]


def test_own_season_is_learnt_by_degrees():
    index = months("2014-04", 70)
    own = np.where(index.month == 8, 1.3, 1.0)
    counts = pd.Series(np.round(expected(index, 30.0) * own), index)
    national = np.exp(NATIONAL_INTAKE.log_profile)
    august = [fit_intake(counts.iloc[:n]).profile() for n in (12, 36, 70)]
    effects = [effect[7] / national[7] for effect, _ in august]
    shares = [share[7] for _, share in august]
    assert 1.0 < effects[0] < effects[1] < effects[2] < 1.35
    assert 0.0 < shares[0] < shares[1] < shares[2] < 1.0


def test_profile_of_a_short_history_is_national_where_it_has_seen_nothing():
    fit = fit_intake(steady("2023-05", 6, 20.0))
    effect, own_share = fit.profile()
    np.testing.assert_allclose(effect[0], np.exp(NATIONAL_INTAKE.log_profile[0]), rtol=1e-9)
    assert own_share[0] == pytest.approx(0.0, abs=1e-9)
    assert fit.monthly_effect(8) == pytest.approx(effect[7])
    with pytest.raises(InvalidSettingError, match="1 to 12"):
        fit.monthly_effect(0)


def test_missing_and_absent_months_are_not_zeros():
    whole = steady("2022-11", 12, 20.0)
    holed = whole.copy()
    holed.iloc[[3, 7]] = np.nan
    absent = whole.drop(whole.index[[3, 7]])
    levels = [fit_intake(c).level()[0][0] for c in (holed, absent)]
    assert levels[0] == levels[1] == pytest.approx(np.log(20.0), abs=0.03)


def test_part_of_a_month_counts_for_the_days_observed():
    index = months("2023-05", 7)
    days = working_days_in_months(index).astype(float)
    days[[0, -1]] = [11.0, 9.0]
    season = np.exp(NATIONAL_INTAKE.log_profile[index.month - 1])
    fit = fit_intake(pd.Series(np.round(20.0 * days * season), index), working_days=days)
    assert fit.level()[0] == pytest.approx(np.log(20.0), abs=0.02)


def test_rest_of_the_current_month_can_be_drawn():
    fit = fit_intake(steady("2023-05", 6, 20.0))
    ahead = months("2023-10", 3)
    paths = fit.draw_paths(ahead, 3000, np.random.default_rng(1), working_days=[0.0, 5.0, 19.0])
    assert np.all(paths[0] == 0.0)
    assert np.median(paths[1]) == pytest.approx(expected(ahead, 20.0)[1] * 5 / 22, rel=0.06)
    width = relative_width(paths[1:])
    assert width[0] > width[1]  # a few days are noisier than a month


@pytest.mark.parametrize("counts", [[0, 0, 0, 0, 0, 0], [0, 1, 0, 2, 0, 1], [3], [0]])
def test_tiny_counts_need_no_logarithm_of_zero(counts):
    series = pd.Series(counts, months("2023-05", len(counts)), dtype=float)
    forecast = forecast_counts(series, 24, 2000, seed=3)
    assert np.all(np.isfinite(forecast.mean()))
    assert np.all(forecast.mean() < max(counts) + 2.5)
    assert forecast.quantiles([0.975]).max() >= 1


def test_large_counts_weigh_as_their_poisson_variance_says():
    # For Normal(0, K) intensities and large counts the pseudo-observation is the log ratio.
    value, variance = pseudo_observations(
        np.array([10_500.0, 9_000.0]), np.log([10_000.0, 10_000.0]), np.eye(2)
    )
    np.testing.assert_allclose(value, np.log([1.05, 0.9]), atol=1e-4)
    np.testing.assert_allclose(variance, [1 / 10_500, 1 / 9_000], rtol=1e-3)


def test_most_probable_intensity_solves_the_poisson_equation():
    # gradient of the log posterior is nil: count − m = K⁻¹ u, the count of zero included
    counts, offset = np.array([0.0, 1.0, 7.0]), np.log([2.0, 3.0, 4.0])
    cov = 0.3 * np.eye(3) + 0.2
    value, variance = pseudo_observations(counts, offset, cov)
    mode = cov @ np.linalg.solve(cov + np.diag(variance), value)
    np.testing.assert_allclose(
        counts - np.exp(offset + mode), np.linalg.solve(cov, mode), atol=1e-5
    )


def test_same_seed_same_forecast_and_paths_differ_by_seed():
    counts = steady("2023-05", 6, 20.0)
    first, again = forecast_counts(counts, 6, 200, seed=5), forecast_counts(counts, 6, 200, seed=5)
    np.testing.assert_array_equal(first.draws, again.draws)
    assert np.any(first.draws != forecast_counts(counts, 6, 200, seed=6).draws)


def test_forecast_has_the_promised_shape():
    forecast = forecast_counts(steady("2023-05", 6, 20.0), 9, 300)
    assert forecast.months.equals(months("2023-11", 9))
    assert forecast.draws.shape == (9, 300)
    assert forecast.quantiles([0.1, 0.5, 0.9]).shape == (9, 3)
    assert np.all(np.diff(forecast.quantiles([0.1, 0.5, 0.9]), axis=1) >= 0)
    assert forecast.mean().shape == (9,)
    with pytest.raises(InvalidSettingError, match="0 to 1"):
        forecast.quantiles([1.2])


def test_counts_vary_more_than_their_expectation():
    fit = fit_intake(steady("2023-05", 6, 1.0))
    ahead = months("2023-11", 3)
    paths = fit.draw_paths(ahead, 4000, np.random.default_rng(2))
    counts = fit.draw_counts(ahead, 4000, np.random.default_rng(2))
    extra = counts.var(axis=1) - paths.var(axis=1)
    np.testing.assert_allclose(extra, paths.mean(axis=1), rtol=0.25)


def test_the_future_level_does_not_jump_between_months_of_one_draw():
    fit = fit_intake(steady("2023-05", 6, 20.0))
    logs = np.log(fit.draw_paths(months("2023-11", 24), 3000, np.random.default_rng(1)))
    near = np.corrcoef(logs[10], logs[11])[0, 1]
    far = np.corrcoef(logs[0], logs[23])[0, 1]
    assert near > far > 0.0
    assert near > 0.5


def lockdown_history():
    counts = steady("2016-04", 84, 20.0)
    shock = (counts.index >= COVID_SHOCK.first) & (counts.index <= COVID_SHOCK.last)
    return counts.where(~shock, np.round(counts * 0.7)), shock


def test_a_past_shock_spoils_neither_profile_nor_level():
    counts, _ = lockdown_history()
    known, ignored = fit_intake(counts), fit_intake(counts, shocks=())
    truth = np.exp(NATIONAL_INTAKE.log_profile)
    errors = [np.abs(np.log(f.profile()[0] / truth)).max() for f in (known, ignored)]
    assert errors[0] < 0.02
    assert errors[0] <= errors[1]
    assert known.level()[0] == pytest.approx(np.log(20.0), abs=0.02)
    width = [f.level(months("2024-03", 1))[1][0] for f in (known, ignored)]
    assert width[0] < width[1]


def test_a_forecast_from_within_a_shock_starts_low_and_comes_part_of_the_way_back():
    counts, _ = lockdown_history()
    within = counts.loc[:"2020-06"]
    forecast = forecast_counts(within, 24, 4000)
    usual = expected(forecast.months, 20.0)
    ratio = np.median(forecast.draws, axis=1) / usual
    assert ratio[0] < 0.9
    assert ratio[0] < ratio[11] < 1.02
    calm = forecast_counts(counts.loc[:"2020-02"], 24, 4000)
    assert relative_width(forecast.draws)[0] > relative_width(calm.draws)[0]


def test_an_analyst_can_mark_another_shock():
    counts = steady("2021-07", 30, 20.0)
    cyber = Shock(first=pd.Period("2022-09", "M"), last=pd.Period("2022-11", "M"))
    counts.loc[cyber.first : cyber.last] *= 0.3
    ahead = months("2024-01", 12)
    widths = [
        relative_width(
            fit_intake(counts, shocks=s).draw_paths(ahead, 2000, np.random.default_rng(1))
        ).mean()
        for s in ((*PAST_SHOCKS, cyber), PAST_SHOCKS)
    ]
    assert widths[0] < widths[1]
    with pytest.raises(InvalidSettingError, match="end after"):
        Shock(first=cyber.last, last=cyber.first)


def shocked(first, last, part_left):
    counts = steady("2021-07", 30, 20.0)
    shock = Shock(first=pd.Period(first, "M"), last=pd.Period(last, "M"))
    counts.loc[shock.first : shock.last] *= part_left
    return counts.round(), shock


def test_a_marked_shock_far_greater_than_lockdown_is_not_carried_on():
    counts, lost_system = shocked("2023-09", "2023-11", 0.3)
    ahead = months("2024-01", 12)
    medians = [
        np.median(
            fit_intake(counts, shocks=s).draw_paths(ahead, 4000, np.random.default_rng(1)), axis=1
        )
        for s in ((*PAST_SHOCKS, lost_system), PAST_SHOCKS)
    ]
    np.testing.assert_allclose(medians[0], expected(ahead, 20.0), rtol=0.04)
    assert np.all(medians[1] < 0.85 * expected(ahead, 20.0))  # what marking it saves


@pytest.mark.parametrize(("part_left", "least", "most"), [(0.97, 1.0, 2.0), (0.3, 30.0, 64.0)])
def test_a_marked_shock_is_as_large_as_its_months_say(part_left, least, most):
    counts, shock = shocked("2022-09", "2022-11", part_left)
    scale = fit_intake(counts, shocks=(shock,)).process.grid.shock_scale
    assert least <= scale[0] <= most


def test_a_marked_shock_that_is_still_on_does_not_last_for_good():
    index = months("2021-06", 60)
    counts = pd.Series(300.0, index)
    shock = Shock(first=index[-3], last=index[-1])
    hit = counts.where(index < shock.first, 90.0)
    calm, marked = (
        forecast_counts(c, 60, 4000, 0, shocks=(*PAST_SHOCKS, *more)).mean()
        for c, more in ((counts, ()), (hit, (shock,)))
    )
    assert marked[0] < 0.6 * calm[0]
    assert marked[23:] == pytest.approx(calm[23:], rel=0.08)


def test_the_lockdowns_have_the_size_that_was_measured():
    counts, _ = lockdown_history()
    deeper = counts * np.where((counts.index >= COVID_SHOCK.first), 0.3, 1.0)
    assert fit_intake(deeper).process.grid.shock_scale.size == 0
    unmeasured = replace(COVID_SHOCK, measured=False)
    assert fit_intake(deeper, shocks=(unmeasured,)).process.grid.shock_scale[0] > 2.0


def test_a_lasting_trend_is_followed_in_part():
    index = months("2019-01", 72)
    years = (np.arange(72) - 59) / 12
    truth = expected(index, 20.0) * np.exp(0.10 * years)
    past = pd.Series(np.round(truth[:60]), index[:60])
    without = replace(NATIONAL_INTAKE, trend_variance=0.0)
    errors = [
        np.log(truth[60:] / np.median(forecast_counts(past, prior=p).draws, axis=1))
        for p in (NATIONAL_INTAKE, without)
    ]
    assert 0.0 < errors[0][-1] < 0.8 * errors[1][-1]


def test_the_time_of_slow_changes_is_on_the_grid_where_it_is_unknown():
    both, known = (
        scale_grid(p, 300.0) for p in (NATIONAL_INTAKE, replace(NATIONAL_INTAKE, slow_ratio=1.0))
    )
    assert set(known.slow_months) == {18.0}
    assert set(both.slow_months) == {9.0, 36.0}
    for grid in (both, known):
        assert np.exp(grid.log_prior).sum() == pytest.approx(1.0)
        assert grid.drift.shape == grid.noise.shape == grid.slow_months.shape
    with pytest.raises(InvalidSettingError, match="slow_ratio"):
        replace(NATIONAL_INTAKE, slow_ratio=0.0)


def test_the_factor_of_each_node_gives_back_the_values_it_whitened():
    counts = np.array([310.0, 0.0, 290.0, 305.0, 350.0])
    index = months("2023-05", 5)
    days = working_days_in_months(index).astype(float)
    offset = np.full(5, np.log(300.0))
    fit = fit_process(NATIONAL_INTAKE, month_points(index, days, ()), counts, offset, 300.0)
    values = (fit.factor @ fit.whitened)[:, :, 0]
    np.testing.assert_allclose(values, np.broadcast_to(values[0], values.shape), atol=1e-9)
    assert np.all(np.triu(fit.factor, 1) == 0.0)
    np.testing.assert_allclose(
        np.exp(values[0, [0, 2, 3, 4]]), counts[[0, 2, 3, 4]] / 300, rtol=0.05
    )


def test_a_shock_goes_on_after_the_last_month_only_if_it_is_on():
    ahead = months("2020-05", 14)
    days = working_days_in_months(ahead).astype(float)
    on = month_points(ahead, days, PAST_SHOCKS, last_observed=pd.Period("2020-04", "M").ordinal)
    assert np.all(on.shock == 0)
    off = month_points(ahead, days, PAST_SHOCKS, last_observed=pd.Period("2020-02", "M").ordinal)
    assert np.all(off.shock == NO_SHOCK)


@pytest.mark.parametrize(
    ("counts", "error"),
    [
        (pd.Series([1.0, 2.0]), InvalidSettingError),
        (
            pd.Series([1.0, 2.0], pd.period_range("2023Q1", periods=2, freq="Q")),
            InvalidSettingError,
        ),
        (steady("2023-05", 6, 20.0).iloc[::-1], InvalidSettingError),
        (-steady("2023-05", 6, 20.0), InvalidInputError),
        (steady("2023-05", 6, 20.0) * np.nan, NotEnoughDataError),
        (steady("2023-05", 6, 20.0).iloc[:0], NotEnoughDataError),
    ],
)
def test_unusable_counts_are_refused(counts, error):
    with pytest.raises(error):
        fit_intake(counts)


def test_unusable_arguments_are_refused():
    counts = steady("2023-05", 6, 20.0)
    with pytest.raises(InvalidSettingError, match="horizon"):
        forecast_counts(counts, 0)
    with pytest.raises(InvalidSettingError, match="draws"):
        forecast_counts(counts, 3, 0)
    with pytest.raises(InvalidSettingError, match="working_days"):
        fit_intake(counts, working_days=[20.0])
    with pytest.raises(InvalidSettingError, match="0 or more"):
        replace(NATIONAL_INTAKE, noise_variance=-0.1)
    with pytest.raises(InvalidSettingError, match="12 numbers"):
        replace(NATIONAL_INTAKE, profile=(1.0,))


def test_whole_numbers_with_gaps_of_pandas_are_read():
    counts = steady("2023-05", 6, 20.0).astype("Int64")
    counts.iloc[2] = pd.NA
    assert len(fit_intake(counts).months) == 5


def test_a_fit_is_quick():
    counts = steady("2019-01", 60, 20.0)
    fit_intake(counts)
    started = time.perf_counter()
    fit_intake(counts)
    assert time.perf_counter() - started < 0.5  # 2 ms on an idle machine
