"""Expressions made into functions of a list of values, for speed.

A value is a float (the same in every draw) or an array of shape (draws,).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from demand_model.dynamics.expression import (
    Binary,
    Call,
    Comparison,
    Expression,
    Function,
    IfElse,
    Lookup,
    Name,
    Number,
    Operator,
)

FloatArray = npt.NDArray[np.float64]
Value = float | FloatArray
Evaluator = Callable[[list[Value]], Value]


def _minimum(left: Value, right: Value) -> Value:
    if isinstance(left, float) and isinstance(right, float):
        return min(left, right)
    return np.minimum(left, right)


def _maximum(left: Value, right: Value) -> Value:
    if isinstance(left, float) and isinstance(right, float):
        return max(left, right)
    return np.maximum(left, right)


_BINARY: Mapping[str, Callable[[Value, Value], Value]] = {
    Operator.ADD: operator.add,
    Operator.SUBTRACT: operator.sub,
    Operator.MULTIPLY: operator.mul,
    Operator.DIVIDE: operator.truediv,
    Operator.POWER: operator.pow,
    Function.MIN: _minimum,
    Function.MAX: _maximum,
}

_UNARY: Mapping[Function, Callable[[Value], Value]] = {Function.EXP: np.exp, Function.LN: np.log}

_COMPARE: Mapping[Comparison, Callable[[Value, Value], npt.NDArray[np.bool_] | bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.MORE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
}


def evaluator(node: Expression, slots: Mapping[str, int]) -> Evaluator:
    """Function that evaluates an expression.

    Parameters
    ----------
    slots
        Place of each name in the list of values.

    Raises
    ------
    KeyError
        A name has no place.
    """
    if isinstance(node, Number):
        value = float(node.value)
        return lambda _values: value
    if isinstance(node, Name):
        return operator.itemgetter(slots[node.name])
    if isinstance(node, Binary):
        return _pair(_BINARY[node.operator], node.left, node.right, slots)
    if isinstance(node, Call):
        if node.function in _UNARY:
            return _single(_UNARY[node.function], node.arguments[0], slots)
        left, right = node.arguments
        return _pair(_BINARY[node.function], left, right, slots)
    if isinstance(node, IfElse):
        return _branch(node, slots)
    if isinstance(node, Lookup):
        return _graph(node, slots)
    raise TypeError(f"cannot evaluate {type(node).__name__}")


def _pair(
    apply: Callable[[Value, Value], Value],
    left: Expression,
    right: Expression,
    slots: Mapping[str, int],
) -> Evaluator:
    if isinstance(right, Number):
        first, constant = evaluator(left, slots), float(right.value)
        return lambda values: apply(first(values), constant)
    if isinstance(left, Name) and isinstance(right, Name):
        i, j = slots[left.name], slots[right.name]
        return lambda values: apply(values[i], values[j])
    one, other = evaluator(left, slots), evaluator(right, slots)
    return lambda values: apply(one(values), other(values))


def _single(
    apply: Callable[[Value], Value], argument: Expression, slots: Mapping[str, int]
) -> Evaluator:
    inner = evaluator(argument, slots)
    return lambda values: apply(inner(values))


def _branch(node: IfElse, slots: Mapping[str, int]) -> Evaluator:
    compare = _COMPARE[node.comparison]
    left, right = evaluator(node.left, slots), evaluator(node.right, slots)
    yes, no = evaluator(node.yes, slots), evaluator(node.no, slots)

    def choose(values: list[Value]) -> Value:
        asked = compare(left(values), right(values))
        if isinstance(asked, bool):
            return yes(values) if asked else no(values)
        return np.where(asked, yes(values), no(values))

    return choose


def _graph(node: Lookup, slots: Mapping[str, int]) -> Evaluator:
    inner = evaluator(node.of, slots)
    x = np.array([point[0] for point in node.points])
    y = np.array([point[1] for point in node.points])

    def look(values: list[Value]) -> Value:
        at = inner(values)
        found = np.interp(at, x, y)
        return float(found) if isinstance(at, float) else np.asarray(found)

    return look
