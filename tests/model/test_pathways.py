from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from demand_model import Add, Lockdown, Multiply, Overwrite, Scenario
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.flows import Flow
from demand_model.simulation.effects import resolve
from demand_model.simulation.lags import (
    expected_starts,
    lagged_starts,
    pipeline_weeks,
    step_kernel,
)
from demand_model.simulation.pathways import ReferralBase, ReferralPaths, referral_paths
from demand_model.simulation.timeline import timeline

pytestmark = pytest.mark.unit

SOURCES = ("Police", "Schools")
LINE = timeline(date(2026, 3, 31), 6)
APRIL, MAY, JUNE = (date(2026, month, 1) for month in (4, 5, 6))


def paths(
    *changes: object,
    per_month: float = 100.0,
    draws: int = 3,
    following: npt.NDArray[np.float64] | None = None,
) -> ReferralPaths:
    """100 referrals a month, 70 of them by the police, which convert twice as readily."""
    level = np.repeat(per_month * LINE.working_share[:, None], draws, axis=1)
    base = ReferralBase(
        level=level,
        source_share=np.repeat([[0.7], [0.3]], draws, axis=1),
        plan_ratio=np.array([2.0, 0.5]),
        care_ratio=np.array([1.0, 1.0]),
        following=np.ones_like(level) if following is None else following,
    )
    scenario = Scenario(name="S", changes=changes)  # type: ignore[arg-type]
    return referral_paths(base, resolve(scenario, LINE, SOURCES), LINE)


def test_the_baseline_divides_the_level_among_sources() -> None:
    found = paths()
    assert found.monthly[:, 0] == pytest.approx(np.full((6, 3), 70.0))
    assert found.monthly[:, 1] == pytest.approx(np.full((6, 3), 30.0))
    assert found.to_care.sum() == pytest.approx(3 * 600)
    assert found.to_plan.sum() == pytest.approx(3 * 6 * (70 * 2 + 30 * 0.5))
    assert not found.suppressed.any()


def test_a_referrals_overwrite_divides_by_the_sources_shares() -> None:
    found = paths(Overwrite(flow=Flow.REFERRALS, value=50.0, start=MAY))
    assert found.monthly[:, 0, 0] == pytest.approx([70, 35, 35, 35, 35, 35])


def test_an_overwrite_of_one_source_leaves_the_others() -> None:
    found = paths(Overwrite(flow=Flow.REFERRALS, value=50.0, start=MAY, segment="Schools"))
    assert found.monthly[:, 0, 0] == pytest.approx(np.full(6, 70.0))
    assert found.monthly[:, 1, 0] == pytest.approx([30, 50, 50, 50, 50, 50])


def test_added_referrals_divide_as_referrals_do() -> None:
    found = paths(Add(flow=Flow.REFERRALS, per_month=10.0, start=APRIL))
    assert found.monthly[0, :, 0] == pytest.approx([77.0, 33.0])


def test_more_taken_away_than_there_is_leaves_none() -> None:
    found = paths(Add(flow=Flow.REFERRALS, per_month=-1000.0, start=APRIL))
    assert not found.monthly.any()


HALF = Lockdown(
    start=APRIL,
    end=MAY,
    referrals={"all": 0.5},
    share_returning=0.4,
    return_delay_months=1.0,
    return_spread_months=1.0,
    severity=3.0,
)


def test_hidden_need_balances_at_every_step() -> None:
    found = paths(HALF, Multiply(flow=Flow.REFERRALS, factor=1.3, start=APRIL))
    hidden = np.cumsum(found.suppressed - found.returned - found.not_returning, axis=0)
    assert hidden.min() > -1e-9
    assert hidden[-1] == pytest.approx(np.zeros(3), abs=1e-9)
    assert found.suppressed.sum(axis=0) == pytest.approx(np.full(3, 65.0))
    assert found.returned.sum(axis=0) == pytest.approx(np.full(3, 65.0 * 0.4))


def test_referrals_lost_to_a_lockdown_are_those_that_never_return() -> None:
    plain, changed = paths().monthly.sum(), paths(HALF).monthly.sum()
    assert plain - changed == pytest.approx(3 * 50 * 0.6)


def test_what_returns_converts_as_severely_as_said() -> None:
    found = paths(HALF)
    assert found.to_care.sum(axis=0) == pytest.approx(np.full(3, 550 + 20 * 3.0))
    assert found.to_plan.sum(axis=0) == pytest.approx(np.full(3, (550 + 20 * 3.0) * 1.55))


def test_two_lockdowns_at_once_do_not_hide_one_referral_twice() -> None:
    found = paths(HALF, HALF)
    assert found.suppressed[:4].sum() == pytest.approx(3 * 75.0)
    assert found.monthly[0].sum() == pytest.approx(3 * 25.0)


# --- lags --------------------------------------------------------------------------------------


def test_every_lag_week_lands_somewhere() -> None:
    kernel = step_kernel(LINE)
    assert kernel.sum(axis=0) == pytest.approx(np.ones(26))
    mean_lag = (np.arange(len(kernel))[:, None] * kernel).sum(axis=0) * np.diff(LINE.edges).mean()
    # Week w's starts come 7 w + 3.5 days after the referral on average.
    assert mean_lag == pytest.approx(7 * np.arange(26) + 3.5, abs=0.2)


def test_a_steady_stream_converts_its_share() -> None:
    weekly = np.zeros((26, 1))
    weekly[:10] = 0.01
    line = timeline(date(2026, 3, 31), 12)
    referrals = np.full((line.steps, 1), 5.0)
    found = expected_starts(
        referrals, lagged_starts(step_kernel(line), np.zeros((line.steps, 26)), weekly)
    )
    assert found[-1] == pytest.approx(5.0 * 0.1)
    assert found[0] < 0.05
    assert np.all(np.diff(found[:, 0]) >= -1e-12)


def pipeline(*rows: tuple[int, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["days_ago", "source_group", "count"])


def test_a_past_referral_passes_the_weeks_that_are_left_to_it() -> None:
    ratio = np.ones(len(SOURCE_GROUPS))
    found = pipeline_weeks(pipeline((10, "Police", 4)), ratio, LINE)
    # At the end of the census day it is 10.5 days old: half of its second week is left.
    assert found.sum(axis=0)[:3] == pytest.approx([0.0, 4 * 3.5 / 7, 4.0])
    assert found[0, 1:3] == pytest.approx([2.0, 4 * 4.0 / 7])  # the first step: 7.5 days
    assert found.sum(axis=0)[25] == pytest.approx(4.0)


def test_past_referrals_count_by_how_readily_their_source_converts() -> None:
    ratio = np.where(np.asarray(SOURCE_GROUPS) == "Schools", 2.0, 1.0)
    one, other = (pipeline_weeks(pipeline((0, s, 1)), ratio, LINE) for s in ("Schools", "Police"))
    assert one == pytest.approx(2 * other)


def test_past_and_coming_referrals_join_without_gap_or_overlap() -> None:
    """Referrals at a steady rate before and after the census: starts are steady from day one."""
    weekly = np.full((26, 1), 0.004)
    rows = [(ago, "Police", 2) for ago in range(182)]
    ratio = np.ones(len(SOURCE_GROUPS))
    found = expected_starts(
        2.0 * np.diff(LINE.edges)[:, None],
        lagged_starts(step_kernel(LINE), pipeline_weeks(pipeline(*rows), ratio, LINE), weekly),
    )
    per_day = found[:, 0] / np.diff(LINE.edges)
    assert per_day == pytest.approx(np.full(LINE.steps, 2 * 26 * 0.004), rel=0.02)


def test_what_converts_follows_a_draws_swings_as_far_as_it_is_told() -> None:
    half = np.repeat([[1.0, 0.5, 2.0]], LINE.steps, axis=0)
    plain, found = paths(), paths(following=half)
    np.testing.assert_array_equal(found.monthly, plain.monthly)
    np.testing.assert_array_equal(found.total, plain.total)
    np.testing.assert_allclose(found.to_plan, plain.to_plan * half)
    np.testing.assert_allclose(found.to_care, plain.to_care * half)
    # A scenario's own change is followed in full, whatever the draw.
    more = paths(Multiply(flow=Flow.REFERRALS, factor=1.2, start=APRIL), following=half)
    np.testing.assert_allclose(more.to_plan, 1.2 * found.to_plan)
