"""Journeys from six-month lists find what truly becomes of made-up children.

"Truth" is what whole histories show with nothing hidden. Two histories of a middling
authority with steady rates are cut into extracts that do not overlap; the mean over
extracts lies within 3 of its standard errors of the truth, or within the given slack
where a rule of the lists (one row a child) is known to bias a figure a little.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import demand_model as dm
from demand_model.annex_a.checked import CheckSettings
from demand_model.results.journey_curves import curve_of, share_by
from demand_model.results.journey_stages import stages_of
from demand_samples.extract import annex_a
from demand_samples.history import History
from demand_samples.presets import authority
from demand_samples.simulate import simulate_authority

pytestmark = pytest.mark.recovery

SEEDS = (5, 6)
CENSUSES = tuple(date(year, *end) for year in range(2025, 2028) for end in ((3, 31), (9, 30)))
DAYS_PER_MONTH = 365.25 / 12
HALF_YEAR = pd.Timedelta(days=182)
TRUTH = authority("middling")


@lru_cache(maxsize=1)
def histories() -> tuple[History, ...]:
    """Simulate each history once."""
    return tuple(simulate_authority(TRUTH, seed=seed) for seed in SEEDS)


@lru_cache(maxsize=1)
def extracts() -> tuple[dm.Spells, ...]:
    out = []
    for history in histories():
        for census in CENSUSES:
            settings = CheckSettings(census_date=census, window_months={3: 6, 7: 6, 8: 6})
            lists = dm.check(annex_a(history, census), settings).lists
            assert lists is not None
            out.append(dm.spells(lists))
    return tuple(out)


@lru_cache(maxsize=1)
def found() -> tuple[dm.Journeys, ...]:
    return tuple(dm.journeys(spells) for spells in extracts())


def curve_shares(origin: str, to: str, months: float) -> np.ndarray:
    """Shares before small numbers are withheld: what is shown is seldom small by chance."""
    values = []
    for spells in extracts():
        stage = next(s for s in stages_of(spells) if s.name == origin)
        curve = curve_of(stage.observed, len(stage.outcomes), bands=stage.bands)
        outcome = stage.outcomes.index(to)
        values.append(share_by(curve, outcome, months * DAYS_PER_MONTH).value)
    return np.array(values)


def flow(origin: str, to: str, name: str) -> np.ndarray:
    values = []
    for one in found():
        mine = one.flows[
            (one.flows["from"] == origin) & (one.flows["to"] == to) & (one.flows["group"] == "All")
        ]
        values.append(float(mine[name].iloc[0]))
    return np.array(values)


def times(stage: str, name: str) -> np.ndarray:
    rows = [
        one.stages[(one.stages["stage"] == stage) & (one.stages["group"] == "All")].iloc[0]
        for one in found()
    ]
    return np.array([float(row[name]) for row in rows])


def assert_near(values: np.ndarray, truth: float, *, slack: float = 0.0) -> None:
    known = values[~np.isnan(values)]
    assert len(known) >= 8
    error = known.std(ddof=1) / np.sqrt(len(known))
    assert abs(known.mean() - truth) < 3 * error + slack * truth, (
        f"{known.mean():.4g} found, {truth:.4g} true, standard error {error:.2g}"
    )


def completed(kind: str) -> pd.DataFrame:
    """Spells that began early enough to be seen through, with their length in months."""
    parts = []
    for history in histories():
        spells = getattr(history, kind)
        first = pd.Timestamp(history.first_date) + pd.DateOffset(years=1)
        last = pd.Timestamp(history.last_date) - pd.DateOffset(months=30)
        parts.append(spells[spells["start"].between(first, last)])
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(months=(whole["end"] - whole["start"]).dt.days / DAYS_PER_MONTH)


def referrals_followed() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Referrals with half a year to come, and the starts of plans put down to a referral."""
    referrals, starts = [], []
    for number, history in enumerate(histories()):
        last = pd.Timestamp(history.last_date) - HALF_YEAR
        first = pd.Timestamp(history.first_date)
        own = history.referrals[history.referrals["date"].between(first, last)]
        linked = pd.merge_asof(
            history.plans[["child_id", "start"]].sort_values("start"),
            history.referrals[["child_id", "date"]].sort_values("date"),
            left_on="start",
            right_on="date",
            by="child_id",
            tolerance=HALF_YEAR - pd.Timedelta(days=1),
        ).dropna()
        starts.append(linked[linked["date"].between(first, last)].assign(of=number))
        referrals.append(own.assign(of=number))
    return pd.concat(referrals), pd.concat(starts)


def test_share_of_referrals_that_lead_to_a_plan() -> None:
    referrals, starts = referrals_followed()
    assert_near(flow("Referral", "Child protection plan", "m6"), len(starts) / len(referrals))


def test_plain_counting_says_too_little_of_plans() -> None:
    referrals, starts = referrals_followed()
    plain = flow("Referral", "Child protection plan", "plain")
    assert plain.mean() < 0.92 * len(starts) / len(referrals)


def test_time_from_referral_to_plan() -> None:
    _, starts = referrals_followed()
    weeks = (starts["start"] - starts["date"]).dt.days / 7
    for name, share in (("p50", 0.5), ("p90", 0.9)):
        assert_near(times("Referral to plan", name), float(weeks.quantile(share)), slack=0.03)


def test_share_of_referrals_closed_at_once() -> None:
    referrals, _ = referrals_followed()
    assert_near(flow("Referral", "No further action", "m6"), float(referrals["nfa"].mean()))


def test_time_on_a_plan() -> None:
    months = completed("plans")["months"]
    assert months.notna().mean() > 0.99
    for name, share in (("p25", 0.25), ("p50", 0.5), ("p90", 0.9)):
        assert_near(times("On a plan", name), float(months.quantile(share)), slack=0.02)


def test_share_of_plans_that_lead_to_care() -> None:
    plans = completed("plans")
    share = float((plans["reason"] == "care").mean())
    assert_near(curve_shares("Child protection plan", "Care", 48.0), share)


@pytest.mark.parametrize(
    ("to", "reason"),
    [("Home", "home"), ("SGO or CAO", "sgo_cao"), ("Adoption", "adoption")],
)
def test_shares_that_left_care_within_a_year(to: str, reason: str) -> None:
    """One row a child hides the earlier period of who came back: a few short stays at home."""
    care = completed("care")
    share = float(((care["reason"] == reason) & (care["months"] <= 12)).mean())
    assert_near(curve_shares("Care", to, 12.0), share, slack=0.08 if reason == "home" else 0.0)


def test_time_in_care() -> None:
    care = completed("care")
    months = care["months"].fillna(np.inf)
    assert_near(times("In care", "p25"), float(np.quantile(months, 0.25)), slack=0.10)
    assert_near(times("In care", "p50"), float(np.quantile(months, 0.5)), slack=0.10)


def test_intervals_hold_the_truth_about_eight_times_in_ten() -> None:
    """Over shares and percentiles whose truth is known; extracts of one history are not alone."""
    referrals, starts = referrals_followed()
    plan_share = len(starts) / len(referrals)
    median = float(completed("plans")["months"].quantile(0.5))
    held = []
    for one in found():
        row = one.flows[
            (one.flows["from"] == "Referral")
            & (one.flows["to"] == "Child protection plan")
            & (one.flows["group"] == "All")
        ].iloc[0]
        held.append(row["m6_low"] <= plan_share <= row["m6_high"])
        row = one.stages[(one.stages["stage"] == "On a plan") & (one.stages["group"] == "All")]
        held.append(
            bool((row["p50_low"] <= median).iloc[0] and (median <= row["p50_high"]).iloc[0])
        )
    assert 0.6 <= np.mean(held) <= 0.97
