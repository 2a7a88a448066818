"""What is wrong with the declaration of a model, every fault at once."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from graphlib import CycleError

from demand_model.dynamics.expression import (
    BUILT_IN,
    STEP_NAME,
    Expression,
    Lookup,
    names_in,
)
from demand_model.dynamics.model import (
    Auxiliary,
    Flow,
    Model,
    ModelProblem,
    equation_of,
    initial_order,
    order_of,
)
from demand_model.dynamics.unit_check import unit_problems
from demand_model.errors import InvalidSettingError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*( [A-Za-z0-9_]+)*")

_RESERVED = re.compile(
    "abs|and|arccos|arcsin|arctan|cos|delay|dt|else|exp|forcst|history|if|inf|init|int|ln|log10|"
    "max|min|mod|normal|not|or|pi|previous|pulse|ramp|random|safediv|self|sin|smth1|smth3|sqrt|"
    "starttime|step|stoptime|sum|tan|then|time|trend|uniform"
)
"""Words that some tool of the field takes for a function or a part of speech."""


def check_model(model: Model) -> tuple[ModelProblem, ...]:
    """Names, flows, loops without a stock, and units; empty where all is well."""
    problems = [*_name_problems(model), *_flow_problems(model), *_shape_problems(model)]
    if problems:
        return tuple(problems)
    problems += _loop_problems(model)
    return tuple(problems) if problems else tuple(unit_problems(model))


def require_sound(model: Model) -> None:
    """Refuse a model that `check_model` faults.

    Raises
    ------
    InvalidSettingError
        With every problem found.
    """
    problems = check_model(model)
    if problems:
        text = "; ".join(f"{one.variable}: {one.message}" for one in problems)
        raise InvalidSettingError(f"Invalid model {model.name}: {text}")


def _name_problems(model: Model) -> Iterator[ModelProblem]:
    seen = {STEP_NAME}
    for one in model.variables:
        key = one.name.lower().replace("_", " ")
        if key in seen:
            yield ModelProblem(variable=one.name, message="the name is declared twice")
        seen.add(key)
        if not _NAME.fullmatch(one.name) or _RESERVED.fullmatch(key):
            yield ModelProblem(
                variable=one.name,
                message="the name must be letters, digits and single spaces, and no function",
            )
        for name in sorted(set(names_in(equation_of(one)))):
            if name not in model.by_name and name not in BUILT_IN:
                yield ModelProblem(variable=one.name, message=f"{name} is not declared")


def _flow_problems(model: Model) -> Iterator[ModelProblem]:
    sources: dict[str, str] = {}
    sinks: dict[str, str] = {}
    for stock in model.stocks:
        for names, ends in ((stock.inflows, sinks), (stock.outflows, sources)):
            for name in names:
                if not isinstance(model.by_name.get(name), Flow):
                    yield ModelProblem(variable=stock.name, message=f"{name} is not a flow")
                if name in ends:
                    yield ModelProblem(
                        variable=name, message=f"flows of both {ends[name]} and {stock.name}"
                    )
                ends[name] = stock.name


def _shape_problems(model: Model) -> Iterator[ModelProblem]:
    for one in model.variables:
        equation = equation_of(one)
        inner = equation.parts if isinstance(one, Auxiliary) else (equation,)
        if any(_has_lookup(part) for part in inner):
            yield ModelProblem(variable=one.name, message="a graph must be an auxiliary of its own")
        if isinstance(equation, Lookup):
            x = [point[0] for point in equation.points]
            if len(x) < 2 or any(b <= a for a, b in itertools.pairwise(x)):
                yield ModelProblem(
                    variable=one.name, message="a graph needs two points or more, x ascending"
                )


def _has_lookup(node: Expression) -> bool:
    return isinstance(node, Lookup) or any(_has_lookup(part) for part in node.parts)


def _loop_problems(model: Model) -> Iterator[ModelProblem]:
    try:
        order_of(model)
        initial_order(model)
    except CycleError as error:
        cycle = [str(name) for name in error.args[1]]
        yield ModelProblem(
            variable=cycle[0],
            message=f"a loop without a stock: {' → '.join(reversed(cycle))}",
        )
