"""Euler's method over many draws at once, a step at a time or a whole run.

::

    stock(t + dt) = stock(t) + dt * (sum of inflows - sum of outflows)

Values are floats where all draws agree and arrays of shape (draws,) where not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from demand_model.dynamics.check import require_sound
from demand_model.dynamics.evaluate import FloatArray, Program, Value, program
from demand_model.dynamics.expression import BUILT_IN, DT, TIME, Expression, Name, names_in
from demand_model.dynamics.model import (
    Constant,
    External,
    Model,
    Stock,
    equation_of,
    initial_order,
    order_of,
)
from demand_model.errors import InvalidSettingError

Inputs = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """Where a run stands.

    Attributes
    ----------
    time
        In the model's time unit.
    values
        Of every name; those that are neither stock nor parameter are as last worked out.
    """

    time: float
    values: list[Value]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A whole run.

    Attributes
    ----------
    times
        Shape (times,).
    series
        By name; shape (times, draws), or (times, 1) where all draws agree.
    """

    times: FloatArray
    series: dict[str, FloatArray]


class Integrator:
    """A checked model, made ready to run.

    What rests on constants alone is worked out once; what rests on stocks alone once
    a step; only the rest again whenever it is read.

    Parameters
    ----------
    model
        Refused where `check_model` faults it.

    Raises
    ------
    InvalidSettingError
        The model is faulty.
    """

    def __init__(self, model: Model) -> None:
        require_sound(model)
        names = [*(one.name for one in model.variables), *BUILT_IN]
        self.model = model
        self._slot = {name: number for number, name in enumerate(names)}
        self._order = order_of(model)
        self._reads = {
            name: set(names_in(equation_of(model.by_name[name]))) for name in self._order
        }
        constants = {one.name for one in model.variables if isinstance(one, Constant)}
        fixed = self._resting_on(constants)
        flows = [name for stock in model.stocks for name in (*stock.inflows, *stock.outflows)]
        of_stocks = self._resting_on({*constants, *(stock.name for stock in model.stocks)})
        held = (of_stocks - fixed) & self._needed(flows, fixed)
        self._known = fixed | held
        self._begin = self._program_of(
            [*self._equations(fixed), *self._initial(), *self._equations(held)]
        )
        self._step = self._program_of(
            [
                *self._equations(self._needed(flows, self._known)),
                *((stock.name, _moved(stock)) for stock in model.stocks),
                *self._equations(held),
            ]
        )
        self._programs: dict[tuple[str, ...], Program] = {}
        self._externals, self._constants = (
            {one.name: self._slot[one.name] for one in model.variables if isinstance(one, kind)}
            for kind in (External, Constant)
        )

    def begin(
        self, parameters: Inputs | None = None, inputs: Inputs | None = None, *, time: float = 0.0
    ) -> State:
        """State at the start.

        Parameters
        ----------
        parameters
            Values of constants other than the declared; a float or (draws,).
        inputs
            Values of externals at the start, which initial values may read.
        """
        values: list[Value] = [0.0] * len(self._slot)
        for one in self.model.variables:
            if isinstance(one, Constant | External):
                values[self._slot[one.name]] = float(one.value)
        _give(values, parameters or {}, self._constants, "constants")
        self._at(values, time, 0.0, inputs or {})
        self._begin(values)
        return State(time=time, values=values)

    def step(self, state: State, inputs: Inputs, dt: float) -> State:
        """State a step later; externals keep their values through the step."""
        values = list(state.values)
        self._at(values, state.time, dt, inputs)
        self._step(values)
        return State(time=state.time + dt, values=values)

    def read(
        self,
        state: State,
        dt: float,
        inputs: Inputs | None = None,
        names: tuple[str, ...] | None = None,
    ) -> dict[str, Value]:
        """Values at a state.

        Parameters
        ----------
        inputs
            Externals other than those of the last step.
        names
            Those wanted; ``None``: all.

        Raises
        ------
        InvalidSettingError
            The model has no such variable.
        """
        wanted = tuple(self.model.by_name) if names is None else names
        values = list(state.values)
        self._at(values, state.time, dt, inputs or {})
        self._reading(wanted)(values)
        return {name: values[self._slot[name]] for name in wanted}

    def run(
        self,
        *,
        start: float,
        stop: float,
        dt: float,
        save_every: int = 1,
        parameters: Inputs | None = None,
        inputs: Callable[[float], Inputs] | None = None,
    ) -> Run:
        """All values from `start` to `stop`, every `save_every` steps.

        Parameters
        ----------
        inputs
            Externals at a time.
        """
        given = inputs or (lambda _time: {})
        state = self.begin(parameters, given(start), time=start)
        saved = [self.read(state, dt, given(start))]
        times = [start]
        for number in range(1, round((stop - start) / dt) + 1):
            state = self.step(state, given(state.time), dt)
            if number % save_every == 0:
                saved.append(self.read(state, dt, given(state.time)))
                times.append(start + number * dt)
        return Run(
            times=np.array(times),
            series={
                one.name: np.stack(
                    np.broadcast_arrays(*(np.atleast_1d(values[one.name]) for values in saved))
                ).astype(float)
                for one in self.model.variables
            },
        )

    def _resting_on(self, known: set[str]) -> set[str]:
        """What is worked out from these names alone."""
        found: set[str] = set()
        for name in self._order:
            if self._reads[name] <= known | found:
                found.add(name)
        return found

    def _needed(self, wanted: Iterable[str], known: set[str]) -> set[str]:
        """What must be worked out for these names where others are known."""
        needed: set[str] = set()
        waiting = list(wanted)
        while waiting:
            name = waiting.pop()
            if name in self._reads and name not in known and name not in needed:
                needed.add(name)
                waiting += self._reads[name]
        return needed

    def _equations(self, names: set[str]) -> list[tuple[str, Expression]]:
        """Equations of auxiliaries and flows, each after what it reads."""
        by_name = self.model.by_name
        return [(name, equation_of(by_name[name])) for name in self._order if name in names]

    def _initial(self) -> list[tuple[str, Expression]]:
        by_name = self.model.by_name
        return [(name, equation_of(by_name[name])) for name in initial_order(self.model)]

    def _program_of(self, equations: list[tuple[str, Expression]]) -> Program:
        return program(equations, self._slot)

    def _reading(self, wanted: tuple[str, ...]) -> Program:
        if wanted not in self._programs:
            for name in wanted:
                if name not in self._slot:
                    raise InvalidSettingError(
                        f"Invalid name: {name}. The model has no such variable."
                    )
            needed = self._equations(self._needed(wanted, self._known))
            self._programs[wanted] = self._program_of(needed)
        return self._programs[wanted]

    def _at(self, values: list[Value], time: float, dt: float, inputs: Inputs) -> None:
        values[self._slot[TIME.name]], values[self._slot[DT.name]] = time, dt
        _give(values, inputs, self._externals, "externals")


def _give(values: list[Value], given: Inputs, slots: Mapping[str, int], kind: str) -> None:
    for name, value in given.items():
        slot = slots.get(name)
        if slot is None:
            raise InvalidSettingError(
                f"Invalid name: {name}. It must be one of the model's {kind}."
            )
        values[slot] = value


def _moved(stock: Stock) -> Expression:
    """A stock a step later: ``stock + DT * (inflows - outflows)``."""
    now, step = Name(stock.name), Name(DT.name)
    inflows, outflows = _total(stock.inflows), _total(stock.outflows)
    if inflows is None or outflows is None:
        if inflows is not None:
            return now + step * inflows
        return now if outflows is None else now - step * outflows
    return now + step * (inflows - outflows)


def _total(names: tuple[str, ...]) -> Expression | None:
    if not names:
        return None
    total: Expression = Name(names[0])
    for name in names[1:]:
        total = total + Name(name)
    return total
