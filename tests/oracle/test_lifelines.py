"""Rates and survival from six-month lists agree with lifelines (Davidson-Pilon 2019).

Samples are spells of a steady population seen through an Annex A window: left
truncated at the window's start and right censored at the census date. lifelines
is given entry times; nothing of the engine is used to make its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pytest
from lifelines import ExponentialFitter, KaplanMeierFitter, NelsonAalenFitter

from demand_model import Exposure, spells
from demand_model.annex_a.checked import Lists
from demand_model.exposure.bands import CARE_BANDS, PLAN_BANDS
from demand_model.flows import Flow
from engine_cases import care_frame, exposure_of, lists_of, plan_frame, windows

pytestmark = [
    pytest.mark.oracle,
    # lifelines 0.30 still uses what pandas and numpy have since renamed.
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

CENSUS = date(2026, 3, 31)
OPENS = date(2025, 10, 1)
DAYS_PER_MONTH = 365.25 / 12
TRUE_HAZARD = np.array([0.04, 0.06, 0.14, 0.10, 0.08, 0.08, 0.08])
EDGES = np.array([0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0])


def true_survival(months: float) -> float:
    upper = np.append(EDGES[1:], np.inf)
    return float(np.exp(-(TRUE_HAZARD * np.clip(months - EDGES, 0, upper - EDGES)).sum()))


def drawn_durations(count: int, rng: np.random.Generator) -> np.ndarray:
    """Months of stay by inverting the piecewise-constant cumulative hazard."""
    cumulative = np.concatenate([[0.0], np.cumsum(TRUE_HAZARD[:-1] * np.diff(EDGES))])
    spent = rng.exponential(size=count)
    band = np.searchsorted(cumulative, spent, side="right") - 1
    return np.asarray(EDGES[band] + (spent - cumulative[band]) / TRUE_HAZARD[band])


@dataclass(frozen=True)
class Sample:
    """Lists with only plans in them, and the spells as lifelines wants them."""

    lists: Lists
    enter: np.ndarray
    leave: np.ndarray
    event: np.ndarray


def window_sample(seed: int, per_day: int = 6, years: int = 8) -> Sample:
    """Starts on every day of eight years; the lists show who is open or ended in the window."""
    rng = np.random.default_rng(seed)
    count = per_day * 365 * years
    start = np.datetime64(CENSUS) - rng.integers(0, 365 * years, count)
    end = start + np.maximum(np.round(drawn_durations(count, rng) * DAYS_PER_MONTH), 1).astype(int)
    listed = end >= np.datetime64(OPENS)
    start, end = start[listed], end[listed]
    is_open = end > np.datetime64(CENSUS)
    rows = [
        (f"c{i}", "2020-01-01", str(s), None if o else str(e))
        for i, (s, e, o) in enumerate(zip(start, end, is_open, strict=True))
    ]
    lists = lists_of(plans=plan_frame(rows), covering=windows(OPENS))
    # An event is at the middle of its day; the window opens and the census closes at midnight.
    enter = np.maximum((np.datetime64(OPENS) - start).astype(float) - 0.5, 0.0)
    until = (np.datetime64(CENSUS) - start).astype(float) + 0.5
    leave = np.where(is_open, until, (end - start).astype(float))
    return Sample(lists, enter, leave, ~is_open)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return window_sample(1)


@pytest.fixture(scope="module")
def exposure(sample: Sample) -> Exposure:
    return exposure_of(sample.lists)


def by_band(exposure: Exposure) -> pd.DataFrame:
    mine = exposure.table[exposure.table["flow"] == Flow.PLAN_ENDS.value]
    sums = mine.groupby("duration_band", sort=False)[["occurrences", "exposure"]].sum()
    return sums.loc[list(PLAN_BANDS.labels)]


def test_times_of_spells_are_those_given_to_lifelines(sample: Sample) -> None:
    ours = spells(sample.lists).plans
    columns = ["time_enter", "time_exit", "event"]
    found = np.sort(ours[columns].to_numpy(float), axis=0)
    expected = np.sort(np.column_stack([sample.enter, sample.leave, sample.event]), axis=0)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("band", range(len(EDGES)))
def test_a_bands_rate_is_lifelines_exponential_rate_with_delayed_entry(
    band: int, sample: Sample, exposure: Exposure
) -> None:
    """Within a band the rate is the exponential maximum likelihood of the time spent in it."""
    low = EDGES[band] * DAYS_PER_MONTH
    high = EDGES[band + 1] * DAYS_PER_MONTH if band + 1 < len(EDGES) else np.inf
    inside = (sample.leave > low) & (sample.enter < high) & (sample.leave > sample.enter)
    enter = np.maximum(sample.enter[inside], low)
    leave = np.minimum(sample.leave[inside], high)
    event = sample.event[inside] & (sample.leave[inside] < high)
    # An exponential has no memory: with delayed entry, the time at risk is what matters.
    fitter = ExponentialFitter().fit(leave - enter + 1e-12, event)
    row = by_band(exposure).iloc[band]
    assert row["occurrences"] == event.sum()
    assert row["occurrences"] / row["exposure"] == pytest.approx(1 / fitter.lambda_, rel=1e-4)


def test_survival_from_rates_is_kaplan_meiers_with_delayed_entry(
    sample: Sample, exposure: Exposure
) -> None:
    """Occurrence/exposure by band gives Kaplan-Meier's survival at the bands' edges."""
    meier = KaplanMeierFitter().fit(sample.leave, sample.event, entry=sample.enter)
    rates = by_band(exposure)
    hazard = (rates["occurrences"] / rates["exposure"]).to_numpy() * DAYS_PER_MONTH
    ours = np.exp(-np.cumsum(hazard[:-1] * np.diff(EDGES)))
    theirs = meier.survival_function_at_times(EDGES[1:] * DAYS_PER_MONTH).to_numpy()
    assert ours == pytest.approx(theirs, abs=0.012)


def test_cumulative_hazard_is_nelson_aalens(sample: Sample, exposure: Exposure) -> None:
    aalen = NelsonAalenFitter(nelson_aalen_smoothing=False)
    aalen.fit(sample.leave, sample.event, entry=sample.enter)
    rates = by_band(exposure)
    hazard = (rates["occurrences"] / rates["exposure"]).to_numpy() * DAYS_PER_MONTH
    ours = np.cumsum(hazard[:-1] * np.diff(EDGES))
    times = EDGES[1:] * DAYS_PER_MONTH
    theirs = aalen.cumulative_hazard_.iloc[:, 0].asof(times).to_numpy()
    assert ours == pytest.approx(theirs, abs=0.03)


def test_rates_find_the_truth_and_the_naive_curve_does_not(
    sample: Sample, exposure: Exposure
) -> None:
    """Kaplan-Meier that ignores when spells came under observation is far too high."""
    rates = by_band(exposure)
    hazard = (rates["occurrences"] / rates["exposure"]).to_numpy() * DAYS_PER_MONTH
    error = np.sqrt(rates["occurrences"].to_numpy()) / rates["exposure"].to_numpy()
    assert np.all(np.abs(hazard - TRUE_HAZARD) < 4 * error * DAYS_PER_MONTH)
    one_year = 12 * DAYS_PER_MONTH
    ours = np.exp(-(hazard[:4] * 3).sum())
    naive = KaplanMeierFitter().fit(sample.leave, sample.event)
    assert ours == pytest.approx(true_survival(12), abs=0.02)
    assert float(naive.predict(one_year)) > true_survival(12) + 0.2


def test_competing_reasons_have_cause_specific_rates() -> None:
    """Leaving for another reason is censoring; rates of reasons add up to that of leaving."""
    drawn = window_sample(2, per_day=2, years=3)
    rng = np.random.default_rng(3)
    plans = drawn.lists.plans
    reason = np.where(rng.random(len(plans)) < 0.7, "E4A", "E45").astype(object)
    rows = [
        (
            c,
            "2013-01-01",
            str(s.date()),
            None if pd.isna(e) else str(e.date()),
            None if pd.isna(e) else r,
        )
        for c, s, e, r in zip(plans["child_id"], plans["start"], plans["end"], reason, strict=True)
    ]
    table = exposure_of(lists_of(care=care_frame(rows), covering=windows(OPENS))).table
    ended = plans["end"].notna().to_numpy()
    for flow, code in ((Flow.CARE_ENDS_HOME, "E4A"), (Flow.CARE_ENDS_SGO_CAO, "E45")):
        mine = table[table["flow"] == flow.value]
        sums = mine.groupby("duration_band")[["occurrences", "exposure"]].sum()
        sums = sums.loc[list(CARE_BANDS.labels)]
        assert sums["occurrences"].sum() == ((reason == code) & ended).sum()
        assert sums["exposure"].sum() == pytest.approx((drawn.leave - drawn.enter).sum())
        aalen = NelsonAalenFitter(nelson_aalen_smoothing=False)
        aalen.fit(drawn.leave, drawn.event & (reason == code), entry=drawn.enter)
        hazard = (sums["occurrences"] / sums["exposure"]).to_numpy() * DAYS_PER_MONTH
        ours = np.cumsum(hazard[:5] * np.diff(CARE_BANDS.lower[:6]))
        times = np.array(CARE_BANDS.lower[1:6]) * DAYS_PER_MONTH
        theirs = aalen.cumulative_hazard_.iloc[:, 0].asof(times).to_numpy()
        assert ours == pytest.approx(theirs, abs=0.06)
