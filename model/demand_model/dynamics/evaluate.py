"""Expressions made into one function of a list of values, for speed.

A value is a float (the same in every draw) or an array of shape (draws,).

A run evaluates some hundred equations hundreds of times: as a tree of functions the
calls alone took as long as the arithmetic. So the equations of a program are written
as one Python function, through Python's own syntax tree: nodes go in, no text.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FunctionType

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
Program = Callable[[list[Value]], None]

_Asked = npt.NDArray[np.bool_] | bool

_VALUES = "values"
_NO_ARGUMENTS = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def _minimum(left: Value, right: Value) -> Value:
    if isinstance(left, float) and isinstance(right, float):
        return min(left, right)
    return np.minimum(left, right)


def _maximum(left: Value, right: Value) -> Value:
    if isinstance(left, float) and isinstance(right, float):
        return max(left, right)
    return np.maximum(left, right)


def _choose(asked: _Asked, yes: Callable[[], Value], no: Callable[[], Value]) -> Value:
    if isinstance(asked, bool):
        return yes() if asked else no()
    return np.where(asked, yes(), no())


_BINARY: Mapping[Operator, type[ast.operator]] = {
    Operator.ADD: ast.Add,
    Operator.SUBTRACT: ast.Sub,
    Operator.MULTIPLY: ast.Mult,
    Operator.DIVIDE: ast.Div,
    Operator.POWER: ast.Pow,
}

_COMPARE: Mapping[Comparison, type[ast.cmpop]] = {
    Comparison.LESS: ast.Lt,
    Comparison.AT_MOST: ast.LtE,
    Comparison.MORE: ast.Gt,
    Comparison.AT_LEAST: ast.GtE,
}

_FUNCTIONS: Mapping[str, object] = {
    Function.MIN.value: _minimum,
    Function.MAX.value: _maximum,
    Function.EXP.value: np.exp,
    Function.LN.value: np.log,
    _choose.__name__: _choose,
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
    writer = _Writer(slots)
    return writer.function([ast.Return(writer.tree(node))])


def program(equations: Sequence[tuple[str, Expression]], slots: Mapping[str, int]) -> Program:
    """Function that works out names one after the other, each into its place.

    Parameters
    ----------
    equations
        Names and what they are worked out by, each after what it reads.
    slots
        As in `evaluator`.

    Raises
    ------
    KeyError
        A name has no place.
    """
    writer = _Writer(slots)
    return writer.function(
        [
            ast.Assign([writer.place(name, ast.Store())], writer.tree(node))
            for name, node in equations
        ]
        or [ast.Pass()]
    )


class _Writer:
    """Writes expressions as Python's syntax tree, and makes a function of them."""

    def __init__(self, slots: Mapping[str, int]) -> None:
        self._slots = slots
        self._known = dict(_FUNCTIONS)

    def place(self, name: str, context: ast.expr_context) -> ast.expr:
        """``values[slot]``."""
        return ast.Subscript(_name(_VALUES), ast.Constant(self._slots[name]), context)

    def tree(self, node: Expression) -> ast.expr:
        """An expression as Python."""
        if isinstance(node, Number):
            return ast.Constant(float(node.value))
        if isinstance(node, Name):
            return self.place(node.name, ast.Load())
        if isinstance(node, Binary):
            left, right = self.tree(node.left), self.tree(node.right)
            return ast.BinOp(left, _BINARY[node.operator](), right)
        if isinstance(node, Call):
            return _call(node.function.value, *(self.tree(one) for one in node.arguments))
        if isinstance(node, IfElse):
            compare = _COMPARE[node.comparison]()
            asked = ast.Compare(self.tree(node.left), [compare], [self.tree(node.right)])
            yes, no = (ast.Lambda(_NO_ARGUMENTS, self.tree(one)) for one in (node.yes, node.no))
            return _call(_choose.__name__, asked, yes, no)
        if isinstance(node, Lookup):
            name = f"graph{len(self._known)}"
            self._known[name] = _graph(node)
            return _call(name, self.tree(node.of))
        raise TypeError(f"cannot evaluate {type(node).__name__}")

    def function(self, body: list[ast.stmt]) -> FunctionType:
        """Function of the list of values with this body."""
        module = ast.parse(f"def work_out({_VALUES}): ...")
        made = module.body[0]
        if isinstance(made, ast.FunctionDef):
            made.body = body
        code = compile(ast.fix_missing_locations(module), "<equations>", "exec")
        inner = next(one for one in code.co_consts if isinstance(one, CodeType))
        return FunctionType(inner, self._known)


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(name), [*arguments], [])


def _graph(node: Lookup) -> Callable[[Value], Value]:
    x = np.array([point[0] for point in node.points])
    y = np.array([point[1] for point in node.points])

    def look(at: Value) -> Value:
        found = np.interp(at, x, y)
        return float(found) if isinstance(at, float) else np.asarray(found)

    return look
