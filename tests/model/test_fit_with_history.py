"""Months of history beside the lists: what they move, and that any shape of them is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import demand_model as dm
from demand_model.exposure.history import History, listed_months
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import MEASURES, Flow
from demand_model.rates.draws import HistoryDraws, draw_rates, rate_drifts
from demand_model.rates.fit import FlowRates, fit, rate_id
from demand_model.rates.history import PastRate, Process
from demand_model.rates.history_series import (
    footing,
    monthly_lags,
    monthly_records,
    shocks_of,
    stock_filled,
)
from demand_model.rates.intake_prior import PAST_SHOCKS
from demand_samples.extract import annex_a
from demand_samples.presets import authority
from demand_samples.simulate import simulate_authority
from engine_cases import CENSUS, exposure_of, made_up_exposure, made_up_lists

pytestmark = pytest.mark.unit

FIRST_LISTED = pd.Period("2025-10", "M")


@lru_cache(maxsize=1)
def larger() -> Exposure:
    """A steady authority, large enough for its history to speak."""
    lived = simulate_authority(authority("middling"), seed=8, census_date=CENSUS, months_after=1)
    lists = dm.check(annex_a(lived, CENSUS)).lists
    assert lists is not None
    return exposure_of(lists)


def steady(
    exposure: Exposure, months: int, *, ends: pd.Period = FIRST_LISTED - 1, seed: int = 1
) -> History:
    """Poisson counts about the lists' own averages, before the lists begin."""
    rng = np.random.default_rng(seed)
    usual = listed_months(exposure).mean()
    index = pd.period_range(ends - months + 1, ends, freq="M")
    counts = {m: rng.poisson(usual[m], months).astype(float) for m in MEASURES}
    for stock in ("cp_open", "cla_open"):
        counts[stock] = np.full(months, round(float(usual[stock])))
    return History.of(pd.DataFrame(counts, index))


def only(history: History, *measures: str) -> History:
    return History.of(history.table[list(measures)])


def scaled(history: History, measure: str, factor: float) -> History:
    return History.of(history.table.assign(**{measure: history.table[measure] * factor}))


def spread_now(rates: FlowRates, draws: int = 1500) -> dict[str, float]:
    """Standard deviation of the log of each level, without the balance prior."""
    drawn = draw_rates(rates, draws, np.random.default_rng(1), balanced=False)
    levels = {
        "plan starts": drawn.plan_lags.sum(axis=0) + drawn.other_plan / rates.referrals_per_month,
        "plan ends": drawn.plan_ends.mean(axis=0),
        "care ends": drawn.care_ends.sum(axis=(0, 1, 2)),
    }
    return {name: float(np.log(level).std()) for name, level in levels.items()}


def total_now(rates: FlowRates, draws: int = 1500) -> dict[Process, float]:
    """Mean log level of each process's rates, without the balance prior."""
    drawn = draw_rates(rates, draws, np.random.default_rng(1), balanced=False)
    return {
        Process.PLAN_CONVERSION: float(np.log(drawn.plan_lags.sum(axis=0)).mean()),
        Process.CARE_CONVERSION: float(np.log(drawn.care_lags.sum(axis=0)).mean()),
        Process.PLAN_EXIT: float(np.log(drawn.plan_ends).mean()),
        Process.CARE_EXIT: float(np.log(drawn.care_ends + 1e-12).mean()),
    }


def same(a: FlowRates, b: FlowRates) -> bool:
    first, second = (dm.simulate(r, horizon_months=3, draws=20, seed=4)[0] for r in (a, b))
    return all(np.array_equal(first.measures[k], second.measures[k]) for k in first.measures)


# ---------------------------------------------------------------- what history moves


def test_an_empty_history_changes_nothing() -> None:
    exposure = made_up_exposure(1)
    assert fit(exposure, history=History.empty()).past is None
    assert same(fit(exposure), fit(exposure, history=History.empty()))


def test_months_that_the_lists_show_are_not_counted_twice() -> None:
    exposure = made_up_exposure(1)
    listed = listed_months(exposure)
    known = History.of(listed[listed.index >= FIRST_LISTED])
    assert same(fit(exposure), fit(exposure, history=known))


def test_referrals_of_earlier_months_come_before_those_of_the_lists() -> None:
    exposure = made_up_exposure(1)
    history = steady(exposure, 24)
    intake = fit(exposure, history=history).intake
    assert len(intake.months) == 30
    assert intake.counts[:24].tolist() == history.table["referrals"].tolist()
    assert np.array_equal(intake.counts[24:], fit(exposure).intake.counts)
    assert (intake.level()[1] < fit(exposure).intake.level()[1]).all()


def test_a_month_that_the_lists_show_in_part_gives_way_to_a_whole_one() -> None:
    exposure = exposure_of(made_up_lists(1, census=date(2026, 3, 31)))
    late = replace(exposure, windows={n: replace(w, start=date(2025, 10, 10)) for n, w in
                                      exposure.windows.items()})  # fmt: skip
    first = late.series["month_end"] > pd.Timestamp("2025-11-01")
    late = replace(late, series=late.series[first])
    october = pd.DataFrame({"referrals": [33.0]}, pd.PeriodIndex(["2025-10"], freq="M"))
    intake = fit(late, history=History.of(october)).intake
    assert intake.counts[0] == 33.0
    assert len(intake.months) == 6


def test_the_more_history_the_surer_the_rates_now() -> None:
    exposure = larger()
    without = spread_now(fit(exposure))
    short, long = (spread_now(fit(exposure, history=steady(exposure, n))) for n in (6, 60))
    for name, value in without.items():
        assert long[name] < short[name] < value * 1.03, name
        assert long[name] < 0.85 * value, name


@pytest.mark.parametrize(
    ("measure", "process"),
    [
        ("cp_starts", Process.PLAN_CONVERSION),
        ("cla_starts", Process.CARE_CONVERSION),
        ("cp_ends", Process.PLAN_EXIT),
        ("cla_ends", Process.CARE_EXIT),
    ],
)
def test_a_column_moves_its_own_process_and_no_other(measure: str, process: Process) -> None:
    exposure = larger()
    usual = steady(exposure, 24)
    one = only(usual, measure)
    low, high = (total_now(fit(exposure, history=scaled(one, measure, f))) for f in (0.7, 1.4))
    assert high[process] > low[process] + 0.05
    for other in set(Process) - {process}:
        assert high[other] == pytest.approx(low[other], abs=1e-9)


def test_a_rate_above_the_usual_is_expected_to_come_back() -> None:
    exposure = larger()
    months = pd.period_range("2026-04", periods=24, freq="M")

    def ahead(factor: float) -> np.ndarray:
        history = scaled(steady(exposure, 60), "cp_starts", factor)
        rates = fit(exposure, history=history)
        drawn = draw_rates(rates, 2000, np.random.default_rng(1), balanced=False)
        rngs = [np.random.default_rng(n) for n in Process]
        return rate_drifts(rates, drawn, months, rngs)[Process.PLAN_CONVERSION].mean(axis=1)

    fewer_before, as_before, more_before = ahead(0.6), ahead(1.0), ahead(1.7)
    assert fewer_before[-1] < 0.9 * as_before[-1] < as_before[-1] < 0.9 * more_before[-1]
    assert abs(np.log(as_before[-1])) < 0.1
    assert fewer_before[0] > fewer_before[-1]


def test_a_restless_history_gives_a_wider_drift_than_a_quiet_one() -> None:
    exposure = larger()
    quiet = steady(exposure, 60)
    swing = np.exp(0.5 * np.sin(np.arange(60) / 6.0))
    table = quiet.table.assign(cp_starts=(quiet.table["cp_starts"] * swing).round())
    fits = [fit(exposure, history=h).past for h in (quiet, History.of(table))]
    scales = [f.rates[Process.PLAN_CONVERSION].drift_scale for f in fits if f is not None]
    assert scales[0] < 1.0 < scales[1]


def test_draws_keep_their_place_and_none_is_lost() -> None:
    exposure = larger()
    rates = fit(exposure, history=steady(exposure, 36))
    before = draw_rates(fit(exposure), 400, np.random.default_rng(7), balanced=False)
    after = draw_rates(rates, 400, np.random.default_rng(7), balanced=False)
    assert isinstance(after, HistoryDraws)
    assert after.past_node.shape == after.past_deviation.shape == (4, 400)
    ratio = after.plan_ends / before.plan_ends
    assert ratio == pytest.approx(np.broadcast_to(ratio[0], ratio.shape))
    assert len(np.unique(after.plan_ends[0])) == 400
    assert np.array_equal(after.uasc, before.uasc)


def test_a_rate_that_the_analyst_set_is_left_alone() -> None:
    exposure = larger()
    own = {rate_id(Flow.PLAN_ENDS): 0.08, rate_id(Flow.REFERRAL_TO_CARE): 0.02}
    rates = fit(exposure, history=steady(exposure, 36), overrides=own)
    assert rates.past is not None
    assert set(rates.past.rates) == {Process.PLAN_CONVERSION, Process.CARE_EXIT}


def test_months_marked_as_unusual_do_not_spoil_level_and_drift() -> None:
    exposure = larger()
    usual = steady(exposure, 48)
    strike = usual.table.copy()
    hit = ["referrals", "cp_ends"]
    strike.loc[strike.index[20:24], hit] = (strike[hit].iloc[20:24] * 0.3).round()
    marked = History.of(strike, list(strike.index[20:24]))
    unmarked = History.of(strike)
    clean, kept, spoilt = (fit(exposure, history=h) for h in (usual, marked, unmarked))
    assert clean.past is not None
    assert kept.past is not None
    assert spoilt.past is not None
    exits = [f.past.rates[Process.PLAN_EXIT] for f in (clean, kept, spoilt) if f.past]
    scale = [one.drift_scale for one in exits]
    assert abs(scale[1] - scale[0]) < 0.1 < scale[2] - scale[0]
    assert [one.months for one in exits] == [48, 44, 48]
    months = pd.period_range("2026-04", periods=12, freq="M")
    widths = [
        np.log(f.intake.draw_paths(months, 800, np.random.default_rng(1))).std(axis=1).mean()
        for f in (clean, kept, spoilt)
    ]
    assert abs(widths[1] - widths[0]) < 0.6 * abs(widths[2] - widths[0])


def test_marked_months_become_shocks_beside_the_national_ones() -> None:
    marked = pd.PeriodIndex(["2020-04", "2023-01", "2023-02", "2024-05"], freq="M")
    added = shocks_of(marked)[len(PAST_SHOCKS) :]
    assert [(str(s.first), str(s.last)) for s in added] == [
        ("2023-01", "2023-02"),
        ("2024-05", "2024-05"),
    ]


@pytest.mark.parametrize(("factor", "low", "high"), [(0.5, 0.5, 0.95), (2.0, 0.5, 0.95)])
def test_referrals_counted_another_way_are_brought_towards_the_lists(
    factor: float, low: float, high: float
) -> None:
    exposure = larger()
    counted = scaled(steady(exposure, 36), "referrals", factor)
    intake = fit(exposure, history=counted).intake
    before, listed = intake.counts[:36].mean(), intake.counts[36:].mean()
    left = np.log(before / listed) / np.log(factor)
    assert 1.0 - high < left < 1.0 - low
    shared = counted.table.copy()
    listed_too = listed_months(exposure).loc[FIRST_LISTED:] * factor
    shared = pd.concat([shared, listed_too])
    known = fit(exposure, history=History.of(shared)).intake
    assert abs(np.log(known.counts[:36].mean() / listed)) < 0.2


# ---------------------------------------------------------------- any shape is taken


@pytest.mark.parametrize("measure", MEASURES)
def test_one_column_alone_is_enough(measure: str) -> None:
    exposure = made_up_exposure(1)
    _runs(exposure, only(steady(exposure, 18), measure))


@pytest.mark.parametrize("months", [1, 2, 144, 400])
def test_one_month_and_very_many_are_taken(months: int) -> None:
    exposure = made_up_exposure(1)
    _runs(exposure, steady(exposure, months))


def test_a_history_that_ends_long_before_the_lists_is_taken() -> None:
    exposure = larger()
    rates = fit(exposure, history=steady(exposure, 24, ends=pd.Period("2021-12", "M")))
    recent = fit(exposure, history=steady(exposure, 24))
    assert rates.past is not None
    assert recent.past is not None
    for process in Process:
        far, near = (f.past.rates[process] for f in (rates, recent) if f.past is not None)
        assert _sureness(far) < _sureness(near)


def test_blanks_anywhere_are_taken() -> None:
    exposure = made_up_exposure(1)
    table = steady(exposure, 40).table
    holes = np.random.default_rng(3).random(table.shape) < 0.5
    _runs(exposure, History.of(table.mask(holes)))


def test_columns_of_zeros_are_taken() -> None:
    exposure = made_up_exposure(1)
    _runs(exposure, History.of(steady(exposure, 12).table * 0.0))


def test_an_unfinished_census_month_is_taken() -> None:
    exposure = exposure_of(made_up_lists(1, census=date(2026, 3, 12)))
    _runs(exposure, steady(exposure, 12, ends=pd.Period("2025-08", "M")))


def _sureness(one: PastRate) -> float:
    return float(one.posterior.weights @ (1.0 / one.variance))


def _runs(exposure: Exposure, history: History) -> None:
    rates = fit(exposure, history=history)
    run = dm.simulate(rates, horizon_months=12, draws=30, seed=1)[0]
    for values in run.measures.values():
        assert np.all(np.isfinite(values))
    usual = dm.simulate(fit(exposure), horizon_months=12, draws=30, seed=1)[0]
    for stock in ("cp_open", "cla_open"):
        now = run.opening[stock]
        assert run.opening[stock] == usual.opening[stock]
        assert 0.2 * now < run.measures[stock, "all"][-1].mean() < 3.0 * now


# ---------------------------------------------------------------- the series


def test_history_is_brought_to_the_lists_footing_where_both_show_months() -> None:
    months = pd.period_range("2025-01", periods=6, freq="M")
    listed = pd.Series([100.0] * 6, months)
    whole = footing(listed * 0.5, listed)
    assert np.log(whole) == pytest.approx(6.0 / 7.0 * (np.log(2.0) - 0.05), abs=0.01)
    assert 1.0 < footing(listed[:1] * 0.5, listed) < whole
    assert footing(listed * 1.04, listed) == 1.0
    assert footing(listed[:0], listed) == 1.0


def test_records_are_whole_series_with_the_lists_last() -> None:
    exposure = made_up_exposure(1)
    history = steady(exposure, 12, ends=pd.Period("2025-07", "M"))
    record = monthly_records(history, exposure)["referrals"]
    assert record.listed_from == FIRST_LISTED
    assert record.values.index[0] == pd.Period("2024-08", "M")
    assert record.values.isna().sum() == 2
    assert len(record.before) == 12
    opened = monthly_records(history, exposure)["cp_open"]
    assert opened.listed_from == FIRST_LISTED - 1


def test_monthly_lags_keep_the_share_and_the_mean_delay() -> None:
    weekly = np.zeros(26)
    weekly[[0, 5, 20]] = (0.02, 0.05, 0.01)
    monthly = monthly_lags(weekly)
    assert monthly.sum() == pytest.approx(0.08)
    delay = (weekly * (np.arange(26) + 0.5) * 7 / 30.4375).sum()
    assert (monthly * np.arange(len(monthly))).sum() == pytest.approx(delay)


def test_a_stock_is_followed_back_by_its_flows() -> None:
    exposure = larger()
    records = monthly_records(steady(exposure, 6), exposure)
    months = pd.period_range("2025-04", "2026-03", freq="M")
    values = records["cp_open"].values.copy()
    values[values.index < FIRST_LISTED - 1] = np.nan
    unknown = replace(records["cp_open"], values=values)
    through = stock_filled(unknown, records["cp_starts"], records["cp_ends"], months)
    net = records["cp_starts"].values - records["cp_ends"].values
    september = values[FIRST_LISTED - 1]
    assert through[pd.Period("2025-09", "M")] == pytest.approx(
        september - net[FIRST_LISTED - 1] / 2.0
    )
    assert through.notna().all()


def test_history_without_a_listed_month_beside_it_leaves_the_process_alone() -> None:
    """Its level could not be told from another way of counting."""
    exposure = made_up_exposure()
    shown = listed_months(exposure).index
    before = pd.period_range(end=shown[0] - 1, periods=24, freq="M")
    table = pd.DataFrame(20.0, index=before, columns=list(MEASURES))
    history = History(table=table, unusual=pd.PeriodIndex(shown, freq="M"))
    assert fit(exposure, history=history).past is None


def test_with_history_too_more_plans_starting_goes_with_fewer_ending() -> None:
    exposure = larger()
    rates = fit(exposure, history=steady(exposure, 48))
    drawn = draw_rates(rates, 2_000, np.random.default_rng(1), balanced=False)
    rngs = [np.random.default_rng(10 + process) for process in Process]
    months = pd.period_range(FIRST_LISTED + 6, periods=12, freq="M")
    paths = rate_drifts(rates, drawn, months, rngs)
    steps = [
        np.log(paths[p][-1] / paths[p][0]) for p in (Process.PLAN_CONVERSION, Process.PLAN_EXIT)
    ]
    assert np.corrcoef(*steps)[0, 1] < -0.15, "independent, were each drawn on its own"
