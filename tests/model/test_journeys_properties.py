"""Whatever was observed: shares add up, curves rise, intervals hold, small numbers stay hidden."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_model.results.journey_counts import FEWEST_SHOWN, withheld
from demand_model.results.journey_curves import (
    STILL,
    Observed,
    curve_of,
    percentile_time,
    share_by,
    share_in_the_end,
    still_by,
)

pytestmark = pytest.mark.properties

OUTCOMES = 3
BANDS = np.array([0.0, 30.0, 90.0, 365.0])
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


@st.composite
def stays(draw: st.DrawFn) -> Observed:
    """Children who came under observation at some time, and left or not, on whole days."""
    count = draw(st.integers(0, 60))
    enter = np.array(draw(st.lists(st.integers(0, 300), min_size=count, max_size=count)), float)
    length = np.array(draw(st.lists(st.integers(0, 400), min_size=count, max_size=count)), float)
    ends = st.sampled_from([STILL, 0, 1, 2])
    outcome = draw(st.lists(ends, min_size=count, max_size=count))
    late = enter - 0.5 * (enter > 0)
    return Observed(enter=late, leave=late + length, outcome=np.array(outcome, dtype=np.intp))


@settings(max_examples=150, deadline=None)
@given(stays(), st.sampled_from([1, 5, 10]), st.floats(0.0, 800.0))
def test_shares_add_up_to_one_and_never_fall(seen: Observed, fewest: int, days: float) -> None:
    curve = curve_of(seen, OUTCOMES, bands=BANDS, fewest=fewest)
    shares = curve.shares(days)
    assert shares.sum() + still_by(curve, days).value == pytest.approx(1.0)
    assert (shares >= 0).all()
    assert shares.sum() <= 1 + 1e-9
    assert (np.diff(curve.left, axis=0) >= 0).all()
    assert (np.diff(curve.time) > 0).all()
    assert curve.reach <= max(seen.leave.max(initial=0.0), 0.0)


@settings(max_examples=100, deadline=None)
@given(stays(), st.sampled_from([1, 10]), st.floats(1.0, 3.0))
def test_intervals_hold_their_figure(seen: Observed, fewest: int, dispersion: float) -> None:
    curve = curve_of(seen, OUTCOMES, bands=BANDS, fewest=fewest)
    for outcome in range(OUTCOMES):
        for found in (
            share_by(curve, outcome, 200.0, dispersion=dispersion),
            share_in_the_end(curve, outcome, dispersion=dispersion),
        ):
            if not math.isnan(found.value):
                assert 0.0 <= found.low <= found.value + 1e-9
                assert found.value <= found.high + 1e-9
                assert found.high <= 1.0


@settings(max_examples=100, deadline=None)
@given(stays(), st.sampled_from([1, 10]), st.sampled_from([None, 0, 1]))
def test_percentiles_rise_and_lie_within_their_interval(
    seen: Observed, fewest: int, outcome: int | None
) -> None:
    curve = curve_of(seen, OUTCOMES, bands=BANDS, fewest=fewest)
    found = [percentile_time(curve, share, outcome=outcome) for share in SHARES]
    known = [f.value for f in found if not math.isnan(f.value)]
    assert known == sorted(known)
    assert all(not f.low > f.value for f in found)
    assert all(not f.high < f.value for f in found)
    reached = [not math.isnan(f.value) for f in found]
    assert reached == sorted(reached, reverse=True), "what is reached later is reached never sooner"


@settings(max_examples=60, deadline=None)
@given(stays(), st.randoms(use_true_random=False))
def test_the_order_of_children_does_not_matter(seen: Observed, random: object) -> None:
    order = np.random.default_rng(hash(random) % 2**32).permutation(len(seen))
    mixed = Observed(enter=seen.enter[order], leave=seen.leave[order], outcome=seen.outcome[order])
    one, other = (curve_of(s, OUTCOMES, bands=BANDS) for s in (seen, mixed))
    assert one.time.tolist() == other.time.tolist()
    assert one.left == pytest.approx(other.left)


@settings(max_examples=60, deadline=None)
@given(stays(), st.floats(0.1, 0.9))
def test_a_stay_split_at_an_interior_day_changes_nothing(seen: Observed, share: float) -> None:
    """Under observation in two pieces is under observation."""
    whole = seen.where(seen.leave - seen.enter > 2.0)
    cut = np.floor(whole.enter + share * (whole.leave - whole.enter)) + 0.25
    cut = np.clip(cut, whole.enter + 0.25, whole.leave - 0.25)
    split = Observed(
        enter=np.concatenate([whole.enter, cut]),
        leave=np.concatenate([cut, whole.leave]),
        outcome=np.concatenate([np.full(len(whole), STILL), whole.outcome]).astype(np.intp),
    )
    one, other = (curve_of(s, OUTCOMES, bands=BANDS, fewest=1) for s in (whole, split))
    assert one.time.tolist() == other.time.tolist()
    assert one.left == pytest.approx(other.left)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(2, 6), st.data())
def test_small_numbers_are_hidden_and_cannot_be_worked_out(
    times: int, groups: int, outcomes: int, data: st.DataObject
) -> None:
    size = times * groups * outcomes
    drawn = data.draw(st.lists(st.integers(0, 30), min_size=size, max_size=size))
    own = np.cumsum(np.array(drawn).reshape(times, groups, outcomes), axis=0)
    counts = np.concatenate([own.sum(axis=1, keepdims=True), own], axis=1)
    hidden = withheld(counts, last=data.draw(st.sampled_from([None, 0, 1])))
    assert hidden[(counts > 0) & (counts < FEWEST_SHOWN)].all()
    assert not (hidden.sum(axis=2) == 1).any(), "the rest of the whole would give it away"
    if groups > 1:
        assert not (hidden[:, 1:].sum(axis=1) == 1).any(), "everyone less the others would"
    for one, other in itertools.permutations(range(times), 2):
        near = (np.abs(counts[one] - counts[other]) < FEWEST_SHOWN) & (counts[other] > 0)
        assert hidden[other][hidden[one] & near].all(), "an earlier figure would tell the later"
