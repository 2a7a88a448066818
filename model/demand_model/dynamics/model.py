"""A stock-and-flow model as a declaration, and what is wrong with one.

::

    stock(t + dt) = stock(t) + dt * (inflows - outflows)

Every variable carries a unit and a sentence; a flow's unit times the time unit is
its stock's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter

from demand_model.dynamics.expression import (
    BUILT_IN,
    DT,
    TIME,
    Expression,
    Name,
    expression,
    greatest,
    names_in,
)
from demand_model.dynamics.unit import Unit, parse_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A parameter; a run may give it another value, or one a draw."""

    name: str
    unit: str
    value: float
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """What comes from outside at each step; `value` where nothing is given."""

    name: str
    unit: str
    value: float
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auxiliary:
    """A value worked out from others at the same time."""

    name: str
    unit: str
    equation: Expression
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What moves into or out of stocks per unit of time."""

    name: str
    unit: str
    equation: Expression
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What accumulates.

    Attributes
    ----------
    initial
        May read constants, externals and what is worked out from them, and the
        initial values of other stocks.
    inflows, outflows
        Names of flows.
    """

    name: str
    unit: str
    initial: Expression
    inflows: tuple[str, ...] = ()
    outflows: tuple[str, ...] = ()
    doc: str = ""


Variable = Constant | External | Auxiliary | Flow | Stock


def smooth(
    name: str,
    of: str,
    *,
    unit: str,
    delay: Expression,
    initial: Expression | None = None,
    time_unit: str = "month",
    doc: str = "",
) -> tuple[Stock, Flow]:
    """First-order smooth as a stock of its own, starting at `initial` or what it smooths.

    ``d name / dt = (of - name) / max(delay, DT)``: a delay of 0 lags one step.
    """
    change = f"{name} change"
    start = Name(of) if initial is None else initial
    return (
        Stock(name=name, unit=unit, initial=start, inflows=(change,), doc=doc),
        Flow(
            name=change,
            unit=str(parse_unit(unit) / parse_unit(time_unit)),
            equation=(Name(of) - Name(name)) / greatest(delay, DT),
            doc=f"Adjustment of {name} towards {of}.",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Model:
    """Variables that together can be run.

    Attributes
    ----------
    time_unit
        Base unit of time, "month" as a rule.
    """

    name: str
    time_unit: str
    variables: tuple[Variable, ...]
    doc: str = ""

    @cached_property
    def by_name(self) -> Mapping[str, Variable]:
        """Variables by name."""
        return {one.name: one for one in self.variables}

    @property
    def stocks(self) -> tuple[Stock, ...]:
        """Stocks, in the order of declaration."""
        return tuple(one for one in self.variables if isinstance(one, Stock))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProblem:
    """What is wrong with a declaration, and where."""

    variable: str
    message: str


def equation_of(variable: Variable) -> Expression:
    """Equation of a variable; of a stock its initial value, of a parameter its value."""
    if isinstance(variable, Stock):
        return variable.initial
    if isinstance(variable, Constant | External):
        return expression(variable.value)
    return variable.equation


def order_of(model: Model) -> tuple[str, ...]:
    """Auxiliaries and flows, each after what it reads.

    Raises
    ------
    CycleError
        A loop without a stock.
    """
    needs = {
        one.name: {n for n in names_in(equation_of(one)) if n not in BUILT_IN}
        for one in model.variables
        if isinstance(one, Auxiliary | Flow)
    }
    held = {one.name for one in model.variables} - needs.keys()
    return tuple(n for n in TopologicalSorter(needs).static_order() if n not in held)


def initial_order(model: Model) -> tuple[str, ...]:
    """Stocks and what their initial values need, each after what it reads.

    Raises
    ------
    CycleError
        Initial values that need each other.
    """
    needs: dict[str, set[str]] = {}
    waiting = [stock.name for stock in model.stocks]
    while waiting:
        name = waiting.pop()
        if name not in needs:
            read = set(names_in(equation_of(model.by_name[name]))) - set(BUILT_IN)
            needs[name] = read
            waiting += read
    order = TopologicalSorter(needs).static_order()
    return tuple(n for n in order if not isinstance(model.by_name[n], Constant | External))


def unit_of(model: Model, name: str) -> Unit:
    """Unit of a variable or of TIME and DT."""
    text = model.time_unit if name in (TIME.name, DT.name) else model.by_name[name].unit
    return parse_unit(text)
