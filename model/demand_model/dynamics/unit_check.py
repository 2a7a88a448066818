"""Whether the two sides of every equation are in the same unit.

A literal 0 has any unit; every other number is dimensionless, so that a parameter
with a unit must be declared and cannot hide in an equation.
"""

from __future__ import annotations

from collections.abc import Iterator

from demand_model.dynamics.expression import (
    Binary,
    Call,
    Expression,
    Function,
    IfElse,
    Lookup,
    Name,
    Number,
    Operator,
    as_text,
)
from demand_model.dynamics.model import (
    Constant,
    External,
    Model,
    ModelProblem,
    equation_of,
    unit_of,
)
from demand_model.dynamics.unit import NONE, Unit, parse_unit


class _MismatchError(Exception):
    """Two units that should agree; caught within this file."""


def unit_problems(model: Model) -> Iterator[ModelProblem]:
    """Equations whose unit is not the declared one, and flows that do not fit their stock."""
    for one in model.variables:
        if isinstance(one, Constant | External):
            continue
        declared = unit_of(model, one.name)
        try:
            found = _unit(model, equation_of(one))
        except _MismatchError as error:
            yield ModelProblem(variable=one.name, message=str(error))
            continue
        if found is not None and found != declared:
            yield ModelProblem(
                variable=one.name, message=f"declared in {declared}, but worked out in {found}"
            )
    yield from _flow_problems(model)


def _flow_problems(model: Model) -> Iterator[ModelProblem]:
    time = parse_unit(model.time_unit)
    for stock in model.stocks:
        for name in (*stock.inflows, *stock.outflows):
            if unit_of(model, name) * time != unit_of(model, stock.name):
                yield ModelProblem(
                    variable=stock.name,
                    message=f"in {stock.unit}, but its flow {name} is in {unit_of(model, name)}",
                )


def _unit(model: Model, node: Expression) -> Unit | None:
    """Unit of an expression; ``None`` fits any."""
    if isinstance(node, Number):
        return None if node.value == 0.0 else NONE
    if isinstance(node, Name):
        return unit_of(model, node.name)
    if isinstance(node, Binary):
        return _binary(model, node)
    if isinstance(node, IfElse):
        _same(model, node.left, node.right)
        return _same(model, node.yes, node.no)
    if isinstance(node, Lookup):
        _unit(model, node.of)
        return None
    if isinstance(node, Call) and node.function in (Function.MIN, Function.MAX):
        return _same(model, *node.arguments)
    if isinstance(node, Call):
        _plain(model, node.arguments[0])
    return NONE


def _binary(model: Model, node: Binary) -> Unit | None:
    if node.operator in (Operator.ADD, Operator.SUBTRACT):
        return _same(model, node.left, node.right)
    left = _unit(model, node.left)
    if node.operator is Operator.POWER:
        _plain(model, node.right)
        if left is None or left.is_dimensionless:
            return NONE
        if isinstance(node.right, Number) and node.right.value == int(node.right.value):
            return left ** int(node.right.value)
        raise _MismatchError(
            f"{as_text(node.left)} has a unit ({left}) and cannot be raised to a power"
        )
    right = _unit(model, node.right)
    if left is None or right is None:
        return None
    return left * right if node.operator is Operator.MULTIPLY else left / right


def _same(model: Model, *nodes: Expression) -> Unit | None:
    known = [(node, unit) for node in nodes if (unit := _unit(model, node)) is not None]
    for node, unit in known[1:]:
        if unit != known[0][1]:
            raise _MismatchError(
                f"{as_text(known[0][0])} is in {known[0][1]}, but {as_text(node)} is in {unit}"
            )
    return known[0][1] if known else None


def _plain(model: Model, node: Expression) -> None:
    unit = _unit(model, node)
    if unit is not None and not unit.is_dimensionless:
        raise _MismatchError(f"{as_text(node)} must be dimensionless, but is in {unit}")
