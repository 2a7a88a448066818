from __future__ import annotations

from datetime import date

import pytest

from demand_model import Add, Lockdown, Multiply, Overwrite
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow

pytestmark = pytest.mark.unit

APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)


@pytest.mark.parametrize("kind", [Multiply, Overwrite])
@pytest.mark.parametrize("amount", [-0.1, float("nan")])
def test_a_change_to_less_than_nothing_is_refused(kind: type, amount: float) -> None:
    name = "factor" if kind is Multiply else "value"
    with pytest.raises(InvalidSettingError, match=f"Invalid {name}: .* must be 0 or more"):
        kind(flow=Flow.PLAN_ENDS, start=APRIL, **{name: amount})


@pytest.mark.parametrize("end", [APRIL, date(2026, 3, 1)])
def test_an_end_must_follow_its_start(end: date) -> None:
    with pytest.raises(InvalidSettingError, match="must be after the start"):
        Multiply(flow=Flow.PLAN_ENDS, factor=1.0, start=APRIL, end=end)
    with pytest.raises(InvalidSettingError, match="end of the lockdown"):
        Lockdown(start=APRIL, end=end)


def test_children_are_added_to_flows_that_count_children() -> None:
    for flow in Flow:
        if flow.is_area_flow:
            assert Add(flow=flow, per_month=-3.0, start=APRIL).per_month == -3.0
    with pytest.raises(InvalidSettingError, match="use Multiply for a rate"):
        Add(flow=Flow.PLAN_ENDS, per_month=1.0, start=APRIL)
    with pytest.raises(InvalidSettingError, match="must be a number"):
        Add(flow=Flow.REFERRALS, per_month=float("inf"), start=APRIL)


@pytest.mark.parametrize("flow", [Flow.RE_REFERRALS, Flow.REFERRAL_NFA])
def test_a_flow_that_drives_nothing_is_refused_rather_than_ignored(flow: Flow) -> None:
    with pytest.raises(InvalidSettingError, match="does not drive the simulation"):
        Multiply(flow=flow, factor=0.5, start=APRIL)
    with pytest.raises(InvalidSettingError, match="does not drive the simulation"):
        Overwrite(flow=flow, value=0.5, start=APRIL)


@pytest.mark.parametrize(
    "parameters",
    [
        {"referrals": {"Police": -0.1}},
        {"plan_ends": -1.0},
        {"care_ends": float("nan")},
        {"return_delay_months": -1.0},
        {"return_spread_months": -1.0},
        {"severity": -1.0},
        {"new_normal": -0.2},
        {"share_returning": 1.1},
        {"share_returning": -0.1},
    ],
)
def test_each_parameter_of_a_lockdown_has_limits(parameters: dict) -> None:
    with pytest.raises(InvalidSettingError, match="must be"):
        Lockdown(start=APRIL, end=MAY, **parameters)
