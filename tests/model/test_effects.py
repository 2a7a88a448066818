from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand_model import Add, Lockdown, Multiply, Overwrite, Scenario
from demand_model.errors import InvalidSettingError
from demand_model.flows import CARE_ENDS, Flow
from demand_model.simulation.effects import ScenarioEffects, resolve
from demand_model.simulation.timeline import timeline

pytestmark = pytest.mark.unit

SOURCES = ("Police", "Schools", "Unknown")
LINE = timeline(date(2026, 3, 31), 4)  # April to July, four steps each
APRIL, MAY, JUNE, JULY = (date(2026, month, 1) for month in (4, 5, 6, 7))


def effects(*changes: object) -> ScenarioEffects:
    return resolve(Scenario(name="S", changes=changes), LINE, SOURCES)  # type: ignore[arg-type]


def by_month(steps: np.ndarray) -> list[float]:
    return [round(float(v), 9) for v in steps.reshape(4, 4).mean(axis=1)]


def test_no_change_is_neutral() -> None:
    found = effects()
    assert found.flows == {}
    assert found.lockdowns == ()
    assert np.all(found.referrals.multiplier == 1)
    assert np.all(found.referrals.kept == 1)
    assert not found.referrals.shared.any()
    assert not found.referrals.own.any()
    plain = found.of(Flow.PLAN_ENDS, LINE.steps)
    assert np.all(plain.multiplier == 1)
    assert not plain.overwrite_weight.any()


def test_a_change_holds_from_its_start_until_its_end() -> None:
    found = effects(Multiply(flow=Flow.PLAN_ENDS, factor=0.5, start=MAY, end=JULY))
    assert by_month(found.flows[Flow.PLAN_ENDS].multiplier) == [1.0, 0.5, 0.5, 1.0]


def test_a_change_within_a_step_counts_for_its_part() -> None:
    # Steps of April last 7.5 days: the second begins at noon on 8 April.
    found = effects(Multiply(flow=Flow.PLAN_ENDS, factor=3.0, start=APRIL, end=date(2026, 4, 4)))
    assert found.flows[Flow.PLAN_ENDS].multiplier[:2].tolist() == pytest.approx([1.8, 1.0])


def test_a_ramp_is_linear_and_then_holds() -> None:
    change = Multiply(flow=Flow.PLAN_ENDS, factor=2.0, start=APRIL, ramp_months=2.0)
    multiplier = effects(change).flows[Flow.PLAN_ENDS].multiplier
    assert multiplier[0] == pytest.approx(1 + 3.75 / 30.4375 / 2)
    assert np.all(np.diff(multiplier) >= 0)
    assert multiplier[7] < 2.0
    assert np.all(multiplier[8:] == 2.0)


def test_a_change_from_before_the_census_is_in_force_at_once() -> None:
    change = Multiply(flow=Flow.PLAN_ENDS, factor=2.0, start=date(2025, 1, 1), ramp_months=3.0)
    assert np.all(effects(change).flows[Flow.PLAN_ENDS].multiplier == 2.0)


def test_order_is_multiply_overwrite_add_whatever_the_order_of_rows() -> None:
    rows = (
        Add(flow=Flow.OTHER_CARE_STARTS, per_month=1.0, start=APRIL),
        Overwrite(flow=Flow.OTHER_CARE_STARTS, value=10.0, start=JUNE),
        Multiply(flow=Flow.OTHER_CARE_STARTS, factor=3.0, start=APRIL),
    )
    for order in (rows, rows[::-1]):
        found = effects(*order).flows[Flow.OTHER_CARE_STARTS]
        value = 2.0 * found.multiplier * (1 - found.overwrite_weight)
        value = value + found.overwrite_target + found.added_per_month
        assert by_month(value) == [7.0, 7.0, 11.0, 11.0]


def test_multipliers_of_one_flow_multiply() -> None:
    twice = [Multiply(flow=Flow.PLAN_ENDS, factor=0.5, start=APRIL)] * 2
    assert by_month(effects(*twice).flows[Flow.PLAN_ENDS].multiplier) == [0.25] * 4


def test_a_source_is_changed_alone() -> None:
    found = effects(
        Multiply(flow=Flow.REFERRALS, factor=0.5, start=MAY, segment="Schools"),
        Multiply(flow=Flow.REFERRALS, factor=2.0, start=APRIL),
    ).referrals
    assert by_month(found.multiplier[:, 0]) == [2.0, 2.0, 2.0, 2.0]
    assert by_month(found.multiplier[:, 1]) == [2.0, 1.0, 1.0, 1.0]


def test_an_overwrite_of_one_source_leaves_the_others() -> None:
    found = effects(
        Overwrite(flow=Flow.REFERRALS, value=30.0, start=MAY, segment="Police"),
        Overwrite(flow=Flow.REFERRALS, value=200.0, start=JULY),
    ).referrals
    assert by_month(found.kept[:, 0]) == [1.0, 0.0, 0.0, 0.0]
    assert by_month(found.kept[:, 1]) == [1.0, 1.0, 1.0, 0.0]
    assert by_month(found.own[:, 0]) == [0.0, 30.0, 30.0, 0.0]  # the later row wins
    assert not found.own[:, 1:].any()
    assert by_month(found.shared[:, 2]) == [0.0, 0.0, 0.0, 200.0]


def test_referrals_added_to_all_sources_are_shared() -> None:
    found = effects(
        Add(flow=Flow.REFERRALS, per_month=12.0, start=MAY),
        Add(flow=Flow.REFERRALS, per_month=5.0, start=JUNE, segment="Police"),
    ).referrals
    assert by_month(found.shared[:, 1]) == [0.0, 12.0, 12.0, 12.0]
    assert by_month(found.own[:, 0]) == [0.0, 0.0, 5.0, 5.0]


def lockdown(**parameters: object) -> Lockdown:
    values: dict = {"start": APRIL, "end": MAY, "referrals": {"all": 0.6, "Schools": 0.2}}
    return Lockdown(**{**values, **parameters})


def test_a_lockdown_hides_a_share_of_each_source() -> None:
    (lock,) = effects(lockdown(referrals={"all": 0.6, "Schools": 0.2, "Police": 1.5})).lockdowns
    assert lock.suppressed_share[0].tolist() == pytest.approx([0.0, 0.8, 0.4])
    assert not lock.suppressed_share[4:].any()


def test_sources_that_rise_and_the_new_normal_are_multipliers() -> None:
    found = effects(lockdown(referrals={"all": 0.6, "Police": 1.5}, new_normal=0.9)).referrals
    assert by_month(found.multiplier[:, 0]) == pytest.approx([1.5, 0.9, 0.9, 0.9])
    assert by_month(found.multiplier[:, 1]) == pytest.approx([1.0, 0.9, 0.9, 0.9])


def test_sources_not_named_in_a_lockdown_stay_as_they_are() -> None:
    (lock,) = effects(lockdown(referrals={"Schools": 0.0})).lockdowns
    assert lock.suppressed_share[0].tolist() == [0.0, 1.0, 0.0]


def test_exits_slow_while_a_lockdown_lasts() -> None:
    flows = effects(lockdown(plan_ends=0.5, care_ends=0.25)).flows
    assert by_month(flows[Flow.PLAN_ENDS].multiplier) == [0.5, 1.0, 1.0, 1.0]
    for flow in CARE_ENDS:
        assert by_month(flows[flow].multiplier) == [0.25, 1.0, 1.0, 1.0]


def test_hidden_need_leaves_evenly_after_the_delay() -> None:
    # One month (30.4375 days) after 1 May, over one month.
    found = effects(lockdown(return_delay_months=1.0, return_spread_months=1.0)).lockdowns[0]
    assert found.release.sum() == pytest.approx(1.0)
    assert not found.release[:7].any()
    day = 30 + 30.4375
    inside = (LINE.edges[9:12] >= day) & (LINE.edges[10:13] <= day + 30.4375)
    assert found.release[9:12][inside] == pytest.approx(np.full(inside.sum(), 7.5 / 30.4375))


def test_what_returns_after_the_horizon_is_still_hidden() -> None:
    found = effects(lockdown(return_delay_months=2.0, return_spread_months=12.0)).lockdowns[0]
    assert 0.0 < found.release.sum() < 0.2


def test_lockdowns_are_taken_in_order_of_their_start() -> None:
    later = lockdown(start=JUNE, end=JULY, severity=2.0)
    assert [lock.severity for lock in effects(later, lockdown()).lockdowns] == [1.0, 2.0]


@pytest.mark.parametrize(
    "change",
    [
        Multiply(flow=Flow.REFERRALS, factor=1.0, start=APRIL, segment="Nobody"),
        Multiply(flow=Flow.PLAN_ENDS, factor=1.0, start=APRIL, segment="Police"),
        lockdown(referrals={"Nobody": 0.5}),
    ],
)
def test_a_segment_that_does_not_exist_is_refused(change: object) -> None:
    with pytest.raises(InvalidSettingError, match=r"Invalid segment in scenario 'S'.*one of: all"):
        effects(change)
