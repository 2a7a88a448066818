"""The benchmarks' other simulators: still worlds stay still, moving ones move as they say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark_files import benchmark

pytestmark = pytest.mark.recovery

worlds = benchmark("other_worlds")
MONTHS, BEFORE = worlds.MONTHS, worlds.WARM_UP_MONTHS
CHILDREN = np.arange(40_000)
EARLY = np.full(len(CHILDREN), 2 * 365)
AGES = np.full(len(CHILDREN), 100.0)


def wander(name: str, apart: int) -> float:
    """Mean squared log difference of referrals so many months apart, Poisson chance out."""
    found = []
    for number in range(10):
        rng = np.random.default_rng([number, 5])
        history = worlds.simulate_world(worlds.WORLDS[name](rng), 500.0, rng)
        count = worlds.monthly(history, BEFORE - 96, 120)["referrals"].to_numpy(float)
        now, then = count[apart:], count[:-apart]
        found.append(np.mean(np.log(now / then) ** 2 - 1 / now - 1 / then))
    return float(np.mean(found))


@pytest.mark.parametrize("name", list(worlds.STILL_WORLDS))
def test_still_worlds_have_no_movement_and_their_twins_have(name: str) -> None:
    still = worlds.WORLDS[name](np.random.default_rng(1)).moves
    moving = worlds.WORLDS[f"{name}-drifting"](np.random.default_rng(1)).moves
    for path in ("swing", "to_plan", "to_care", "plan_pace", "care_pace"):
        assert np.ptp(getattr(still, path)) == 0.0
        assert 0.05 < np.log(getattr(moving, path)).std() < 0.6


def test_referrals_wander_in_moving_worlds_as_those_of_real_authorities() -> None:
    # Real: 0.092 twelve months apart (76 authorities, `generator_realism`).
    assert wander("reviews", 12) < 0.04
    assert 0.05 < wander("reviews-drifting", 12) < 0.17


@pytest.mark.parametrize("stays", ["plan_stay", "care_stay"])
def test_hazards_at_twice_the_pace_halve_the_stays(stays: str) -> None:
    fast = worlds.Moves(plan_pace=np.full(MONTHS, 2.0), care_pace=np.full(MONTHS, 2.0))
    mean = []
    for moves in (worlds.STILL, fast):
        stay = getattr(worlds.plain(np.random.default_rng(2), moves), stays)
        drawn = stay(np.random.default_rng(3), CHILDREN, EARLY, AGES)
        mean.append(float(drawn.mean()))
    assert mean[1] == pytest.approx(mean[0] / 2, rel=0.05)


def test_reviews_stay_where_they_are_and_end_more_plans_at_a_higher_pace() -> None:
    at_first = []
    for pace in (1.0, 1.5):
        moves = worlds.Moves(plan_pace=np.full(MONTHS, pace))
        stay = worlds.reviews(np.random.default_rng(2), moves).plan_stay
        drawn = stay(np.random.default_rng(3), CHILDREN, EARLY, AGES)
        at_first.append(float(((drawn >= 3) & (drawn < 4.5)).mean()))
        between = (drawn > 5.0) & (drawn < 9.0)
        assert between.mean() < 0.04
    assert at_first[1] == pytest.approx(1.5 * at_first[0], rel=0.1)


def test_starts_follow_a_swing_of_referrals_in_part_and_a_bend_in_full() -> None:
    jump = np.where(np.arange(MONTHS) < BEFORE - 60, 1.0, 2.0)
    rises = {}
    for name in ("swing", "bend"):
        rng = np.random.default_rng(8)
        world = worlds.plain(rng, worlds.Moves(**{name: jump}))
        counts = worlds.monthly(worlds.simulate_world(world, 1500.0, rng), BEFORE - 120, 120)
        before, after = counts.iloc[:54].sum(), counts.iloc[66:].sum()
        rises[name] = after / before
    assert rises["swing"]["referrals"] == pytest.approx(2.0, rel=0.05)
    assert rises["swing"]["cp_starts"] == pytest.approx(2.0**worlds.PLANS_FOLLOW, rel=0.08)
    assert rises["bend"]["cp_starts"] == pytest.approx(2.0, rel=0.1)
    assert rises["swing"]["cla_starts"] < rises["bend"]["cla_starts"]
