"""Children and system take turns by months in the engine: what that leaves out, bounded.

Within a month the system goes by quarter-steps with the children of the month's start, as in
`SystemFeedback.month`. Here the reduced model is cut in the same two parts, so that the turns
can be taken by single steps too; that is then the reduced model itself, to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from demand_model.dynamics.evaluate import Value
from demand_model.dynamics.expression import names_in
from demand_model.dynamics.integrate import Integrator
from demand_model.dynamics.model import External, Model, equation_of
from demand_model.system.closed import USUAL_REFERRALS, Children, closed_model
from demand_model.system.inputs import SystemInputs
from demand_model.system.links import LINKS
from demand_model.system.module import StepInputs, SystemModule
from demand_model.system.naming import multiplier_name
from demand_model.system.variables import SIMULATED
from system_cases import LOOPS, in_balance, opening_of, switched_on

pytestmark = pytest.mark.unit

DT, MONTHS = 0.25, 48
BY_STEP, BY_MONTH = 1, 4
STOCKS = ("cp open", "cla open")
SHOWN = (*STOCKS, "caseload", "workers")
balanced = cache(in_balance)

Referrals = Callable[[float], float]
FloatArray = npt.NDArray[np.float64]


def a_third_more(_time: float) -> float:
    return 1.3 * 300.0


def lockdown(time: float) -> float:
    """Half the referrals for a quarter, then a flood for another."""
    return 150.0 if 6.0 <= time < 9.0 else 450.0 if 9.0 <= time < 12.0 else 300.0


def alone(inputs: SystemInputs, of: Children) -> Model:
    """The children of the reduced model; what the system gives them comes from outside."""
    whole = closed_model(inputs, of, opening_of(of), with_switches=False)
    around = SystemModule(inputs, opening_of(of)).model
    mine = [
        one
        for one in whole.variables
        if one.name not in around.by_name or one.name in ("referrals", *STOCKS)
    ]
    own = {one.name for one in mine}
    read = {name for one in mine for name in names_in(equation_of(one))} - own
    given = [
        External(name=name, unit=whole.by_name[name].unit, value=0.0)
        for name in sorted(read)
        if name in whole.by_name
    ]
    return replace(whole, variables=(*mine, *given))


def in_turns(inputs: SystemInputs, referrals: Referrals, every: int) -> dict[str, FloatArray]:
    """Children and system side by side; the system is told of the children every few steps."""
    of = balanced()
    children, module = Integrator(alone(inputs, of)), SystemModule(inputs, opening_of(of))
    state, now = children.begin(), module.begin()
    told: dict[str, Value] = {}
    series: dict[str, list[float]] = {name: [] for name in SHOWN}
    for step in range(round(MONTHS / DT)):
        given = {
            "returning": now.returning_a_month,
            USUAL_REFERRALS: referrals(state.time),
            **{multiplier_name(flow): now.multipliers[flow] for flow in SIMULATED},
        }
        seen = {name: given[name] for name in given if name in children.model.by_name}
        if step % every == 0:
            told = children.read(state, DT, seen, STOCKS)
        arriving = children.read(state, DT, seen, ("referrals",))["referrals"]
        state = children.step(state, seen, DT)
        now = module.advance(
            now,
            StepInputs(
                referrals_a_month=arriving, cp_open=told["cp open"], cla_open=told["cla open"]
            ),
            DT,
        )
        after = children.read(state, DT, None, STOCKS)
        measures = module.measures(now, cp_open=after["cp open"], cla_open=after["cla open"])
        found = {**after, **{name: measures[name] for name in ("caseload", "workers")}}
        for name, kept in series.items():
            kept.append(float(np.asarray(found[name])))
    return {name: np.array(kept) for name, kept in series.items()}


def left_out(inputs: SystemInputs, referrals: Referrals) -> dict[str, float]:
    """Greatest difference at any step over four years between turns by month and by step."""
    coarse, fine = (in_turns(inputs, referrals, every) for every in (BY_MONTH, BY_STEP))
    return {name: float(np.abs(coarse[name] / fine[name] - 1.0).max()) for name in SHOWN}


def test_turns_by_step_are_the_reduced_model() -> None:
    inputs = switched_on(LOOPS)
    parts = in_turns(inputs, a_third_more, BY_STEP)
    whole = Integrator(
        closed_model(inputs, balanced(), opening_of(balanced()), with_switches=False)
    ).run(
        start=0.0,
        stop=float(MONTHS),
        dt=DT,
        inputs=lambda time: {USUAL_REFERRALS: a_third_more(time)},
    )
    for name in SHOWN:
        np.testing.assert_allclose(parts[name], whole.series[name][1:, 0], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("referrals", [a_third_more, lockdown])
def test_with_all_loops_on_turns_by_month_leave_out_next_to_nothing(referrals: Referrals) -> None:
    moved = in_turns(switched_on(LOOPS), referrals, BY_MONTH)
    assert np.ptp(moved["caseload"]) > 1.0, "something is going on"
    found = left_out(switched_on(LOOPS), referrals)
    assert max(found.values()) < 0.0005, found


@pytest.mark.parametrize("referrals", [a_third_more, lockdown])
def test_links_of_triple_strength_without_delay_are_the_worst_case(referrals: Referrals) -> None:
    """What a workshop could type: what is left out is bounded there too."""
    links = tuple(
        replace(link, is_on=True, elasticity=3.0 * link.elasticity, delay_months=0.0)
        for link in LINKS
    )
    found = left_out(SystemInputs(links=links), referrals)
    assert max(found.values()) < 0.01, found
