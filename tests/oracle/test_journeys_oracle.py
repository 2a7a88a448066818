"""Curves of journeys agree with lifelines (Davidson-Pilon 2019), delayed entry included.

lifelines is given durations, events and entry times; nothing of the engine makes its
numbers. Its Aalen-Johansen fitter breaks ties at random, so times are drawn without.
"""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from demand_model.results.journey_curves import (
    STILL,
    Curve,
    Observed,
    curve_of,
    percentile_time,
    share_by,
    still_by,
)

pytestmark = [
    pytest.mark.oracle,
    # lifelines 0.30 still uses what pandas and numpy have since renamed.
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

DAYS = (30.0, 90.0, 182.0, 365.0, 500.0)
CAUSES = 3
Z_80 = 1.2815515655446004


def truncated(seed: int, *, ties: bool) -> Observed:
    """Stays of three ends, half of them seen from some way in, some not over."""
    rng = np.random.default_rng(seed)
    enter = np.where(rng.random(600) < 0.5, 0.0, rng.uniform(0.0, 300.0, 600))
    leave = enter + rng.exponential(220.0, 600) + 0.1
    if ties:
        enter, leave = np.floor(enter) + 0.5 * (enter > 0), np.floor(leave) + 1.0
    outcome = rng.choice([STILL, 0, 1, 2], 600, p=[0.35, 0.3, 0.25, 0.1])
    return Observed(enter=enter, leave=leave, outcome=outcome.astype(np.intp))


def plain_curve(seen: Observed) -> Curve:
    """The product-limit curve, however few are at risk."""
    return curve_of(seen, CAUSES, bands=np.array([0.0, 100.0, 400.0]), fewest=1)


@pytest.mark.parametrize("seed", [1, 2])
def test_who_is_still_there_is_kaplan_meiers_with_delayed_entry(seed: int) -> None:
    seen = truncated(seed, ties=True)
    curve = plain_curve(seen)
    meier = KaplanMeierFitter().fit(seen.leave, seen.outcome != STILL, entry=seen.enter)
    for days in DAYS:
        assert still_by(curve, days).value == pytest.approx(float(meier.predict(days)), abs=1e-9)
    for share in (0.25, 0.5, 0.75):
        found = percentile_time(curve, share).value
        assert found == pytest.approx(meier.percentile(1.0 - share))


def test_its_interval_rests_on_greenwoods_variance() -> None:
    """On the scale of log odds, from lifelines' standard error of log S."""
    seen = truncated(3, ties=True)
    curve = plain_curve(seen)
    meier = KaplanMeierFitter(alpha=0.2)
    meier.fit(seen.leave, seen.outcome != STILL, entry=seen.enter)
    lows = meier.confidence_interval_.iloc[:, 0]
    for days in DAYS:
        survival, low = float(meier.predict(days)), float(lows.asof(days))
        # lifelines' interval is that of log(-log S), of standard error se(log S) / |log S|.
        error = survival * abs(np.log(survival)) * np.log(np.log(low) / np.log(survival)) / Z_80
        odds = np.log(survival / (1 - survival)) - Z_80 * error / (survival * (1 - survival))
        assert still_by(curve, days).low == pytest.approx(1 / (1 + np.exp(-odds)), rel=1e-6)


@pytest.mark.parametrize("cause", range(CAUSES))
def test_shares_by_outcome_are_aalen_johansens_with_delayed_entry(cause: int) -> None:
    seen = truncated(4, ties=False)
    curve = plain_curve(seen)
    johansen = AalenJohansenFitter(calculate_variance=False)
    johansen.fit(seen.leave, seen.outcome + 1, event_of_interest=cause + 1, entry=seen.enter)
    theirs = johansen.cumulative_density_.iloc[:, 0]
    for days in DAYS:
        expected = float(theirs.asof(days))
        assert share_by(curve, cause, days).value == pytest.approx(expected, abs=1e-9)


def test_variance_of_shares_is_aalen_johansens() -> None:
    """lifelines has the delta-method variance; ours is multinomial at each event time.

    They differ in terms of the order of one over the number at risk squared.
    """
    seen = truncated(5, ties=False)
    curve = plain_curve(seen)
    johansen = AalenJohansenFitter(calculate_variance=True)
    johansen.fit(seen.leave, seen.outcome + 1, event_of_interest=1, entry=seen.enter)
    only = np.arange(CAUSES) == 0
    for days in DAYS[1:]:
        ours = curve.variance(curve.gradient(curve.index(days), only))
        theirs = float(johansen.variance_.asof(days))
        assert ours == pytest.approx(theirs, rel=0.02)
