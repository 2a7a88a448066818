"""Euler's method over draws: order, conservation, draws apart, steps as runs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from demand_model.dynamics.expression import DT, TIME, Name, Number, least
from demand_model.dynamics.integrate import Integrator
from demand_model.dynamics.model import Auxiliary, Constant, External, Flow, Model, Stock, smooth
from demand_model.errors import InvalidSettingError
from system_cases import sir, teacup

pytestmark = pytest.mark.unit


def tank() -> Model:
    """Inflow from outside, and an outflow of a fixed number that never overdraws."""
    return Model(
        name="Tank",
        time_unit="month",
        variables=(
            External(name="arrivals", unit="children/month", value=0.0),
            Constant(name="at most", unit="children/month", value=7.0),
            Constant(name="none", unit="children", value=0.0),
            Stock(
                name="held",
                unit="children",
                initial=Name("none"),
                inflows=("entering",),
                outflows=("leaving",),
            ),
            Flow(name="entering", unit="children/month", equation=Name("arrivals")),
            Flow(
                name="leaving",
                unit="children/month",
                equation=least(Name("at most"), Name("held") / DT),
            ),
        ),
    )


def test_halving_the_step_halves_the_error() -> None:
    exact = 70.0 + 110.0 * math.exp(-3.0)
    errors = [
        abs(
            Integrator(teacup()).run(start=0, stop=30, dt=dt).series["Teacup Temperature"][-1, 0]
            - exact
        )
        for dt in (1.0, 0.5, 0.25, 0.125)
    ]
    ratios = [a / b for a, b in itertools.pairwise(errors)]
    assert ratios == pytest.approx([2.0, 2.0, 2.0], rel=0.06)


def test_people_of_an_epidemic_are_neither_made_nor_lost() -> None:
    run = Integrator(sir()).run(start=0, stop=100, dt=0.25)
    total = sum(run.series[name] for name in ("susceptible", "infectious", "recovered"))
    np.testing.assert_allclose(total, 1005.0, rtol=1e-12)


def test_draws_run_apart_as_each_would_alone() -> None:
    cases, rates = np.array([5.0, 0.0, 50.0]), np.array([0.3, 0.3, 0.1])
    given = {"first cases": cases, "contact infectivity": rates}
    together = Integrator(sir()).run(start=0, stop=40, dt=0.25, parameters=given)
    for draw in range(3):
        own = {name: float(value[draw]) for name, value in given.items()}
        alone = Integrator(sir()).run(start=0, stop=40, dt=0.25, parameters=own)
        for name in ("susceptible", "infectious", "recovered"):
            np.testing.assert_array_equal(together.series[name][:, draw], alone.series[name][:, 0])


def test_no_case_no_epidemic() -> None:
    run = Integrator(sir()).run(start=0, stop=100, dt=0.25, parameters={"first cases": 0.0})
    np.testing.assert_array_equal(run.series["recovered"], 0.0)


def test_steps_with_inputs_are_the_run_with_them() -> None:
    rng = np.random.default_rng(3)
    arrivals = rng.uniform(0, 20, size=(24, 5))
    integrator = Integrator(tank())
    state = integrator.begin()
    for step in range(24):
        state = integrator.step(state, {"arrivals": arrivals[step]}, 0.25)
    run = integrator.run(
        start=0,
        stop=6,
        dt=0.25,
        inputs=lambda time: {"arrivals": arrivals[min(int(time / 0.25 + 0.5), 23)]},
    )
    held = integrator.read(state, 0.25)["held"]
    np.testing.assert_array_equal(run.series["held"][-1], held)


def test_what_enters_stays_or_leaves_and_none_is_overdrawn() -> None:
    arrivals = np.random.default_rng(4).uniform(0, 20, size=(100, 4))
    integrator = Integrator(tank())
    state, left = integrator.begin(), np.zeros(4)
    for row in arrivals:
        left = left + 0.25 * integrator.read(state, 0.25)["leaving"]
        state = integrator.step(state, {"arrivals": row}, 0.25)
        assert np.min(integrator.read(state, 0.25)["held"]) >= 0.0
    held = integrator.read(state, 0.25)["held"]
    np.testing.assert_allclose(held + left, 0.25 * arrivals.sum(axis=0), rtol=1e-12)


def test_a_state_is_not_changed_by_a_step_from_it() -> None:
    integrator = Integrator(tank())
    first = integrator.step(integrator.begin(), {"arrivals": np.array([8.0, 4.0])}, 0.25)
    before = list(first.values)
    again = [integrator.step(first, {"arrivals": 10.0}, 0.25) for _ in range(2)]
    assert all(a is b for a, b in zip(first.values, before, strict=True))
    np.testing.assert_array_equal(
        integrator.read(again[0], 0.25)["held"], integrator.read(again[1], 0.25)["held"]
    )


def test_saving_less_often_saves_the_same_values() -> None:
    often = Integrator(teacup()).run(start=0, stop=30, dt=0.125)
    seldom = Integrator(teacup()).run(start=0, stop=30, dt=0.125, save_every=8)
    np.testing.assert_allclose(seldom.times, np.arange(31.0))
    np.testing.assert_array_equal(
        seldom.series["Teacup Temperature"], often.series["Teacup Temperature"][::8]
    )


def test_time_is_known_to_equations() -> None:
    clock = Model(
        name="Clock",
        time_unit="month",
        variables=(Auxiliary(name="twice", unit="month", equation=TIME * 2.0),),
    )
    run = Integrator(clock).run(start=1, stop=3, dt=0.5)
    np.testing.assert_allclose(run.series["twice"][:, 0], [2, 3, 4, 5, 6])


@pytest.mark.parametrize(("delay", "after"), [(0.0, 5.0), (1.0, 5 * (1 - 0.75**4))])
def test_a_smooth_follows_and_without_delay_lags_one_step(delay: float, after: float) -> None:
    model = Model(
        name="Smooth",
        time_unit="month",
        variables=(
            External(name="source", unit="cases", value=0.0),
            Constant(name="lag", unit="month", value=delay),
            *smooth("felt", "source", unit="cases", delay=Name("lag"), initial=Number(0.0)),
        ),
    )
    integrator = Integrator(model)
    state = integrator.begin()
    for _ in range(4):
        state = integrator.step(state, {"source": 5.0}, 0.25)
    assert integrator.read(state, 0.25)["felt"] == pytest.approx(after, rel=1e-12)


def test_unknown_names_are_refused() -> None:
    integrator = Integrator(tank())
    with pytest.raises(InvalidSettingError, match="must be one of the model's constants"):
        integrator.begin({"arrivals": 1.0})
    with pytest.raises(InvalidSettingError, match="must be one of the model's externals"):
        integrator.step(integrator.begin(), {"held": 1.0}, 0.25)
    with pytest.raises(InvalidSettingError, match="no such variable"):
        integrator.read(integrator.begin(), 0.25, names=("nothing",))
