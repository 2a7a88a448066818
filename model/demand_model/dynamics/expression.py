"""Expressions: declared once, then evaluated, printed, checked for units and exported.

An expression is a tree of frozen nodes, built with Python's own operators::

    leavers = Name("workers") * Name("leaving rate")

Delays and smooths are no functions: they are stocks of their own, so that every
tool that opens the export sees the same structure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """Arithmetic of two values."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    POWER = "^"


class Comparison(StrEnum):
    """What an `IfElse` asks."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


class Function(StrEnum):
    """Functions that every tool of the field knows by the same name."""

    MIN = "MIN"
    MAX = "MAX"
    EXP = "EXP"
    LN = "LN"


@dataclass(frozen=True, slots=True)
class Expression:
    """Base of all nodes; the operators build larger ones."""

    def __add__(self, other: Expression | float) -> Expression:
        return Binary(Operator.ADD, self, expression(other))

    def __radd__(self, other: float) -> Expression:
        return Binary(Operator.ADD, expression(other), self)

    def __sub__(self, other: Expression | float) -> Expression:
        return Binary(Operator.SUBTRACT, self, expression(other))

    def __rsub__(self, other: float) -> Expression:
        return Binary(Operator.SUBTRACT, expression(other), self)

    def __mul__(self, other: Expression | float) -> Expression:
        return Binary(Operator.MULTIPLY, self, expression(other))

    def __rmul__(self, other: float) -> Expression:
        return Binary(Operator.MULTIPLY, expression(other), self)

    def __truediv__(self, other: Expression | float) -> Expression:
        return Binary(Operator.DIVIDE, self, expression(other))

    def __rtruediv__(self, other: float) -> Expression:
        return Binary(Operator.DIVIDE, expression(other), self)

    def __pow__(self, other: Expression | float) -> Expression:
        return Binary(Operator.POWER, self, expression(other))

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Expressions within this one."""
        return ()


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A plain number."""

    value: float


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """The value of a variable, or of `TIME` or `DT`."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """``left operator right``."""

    operator: Operator
    left: Expression
    right: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function of one or two values."""

    function: Function
    arguments: tuple[Expression, ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The arguments."""
        return self.arguments


@dataclass(frozen=True, slots=True)
class IfElse(Expression):
    """``if left comparison right then yes else no``; both branches are evaluated."""

    left: Expression
    comparison: Comparison
    right: Expression
    yes: Expression
    no: Expression

    @property
    def parts(self) -> tuple[Expression, ...]:
        """Condition and branches."""
        return (self.left, self.right, self.yes, self.no)


@dataclass(frozen=True, slots=True)
class Lookup(Expression):
    """A graphical function: straight lines between points, level beyond them.

    Attributes
    ----------
    points
        (x, y), x ascending.
    """

    of: Expression
    points: tuple[tuple[float, float], ...]

    @property
    def parts(self) -> tuple[Expression, ...]:
        """What is looked up."""
        return (self.of,)


TIME = Name("TIME")
"""Months (or whatever the model's time unit is) since the start."""

DT = Name("DT")
"""Length of a step."""

BUILT_IN = (TIME.name, DT.name)

STEP_NAME = "length of a step"
"""`DT` in an export: not every tool knows XMILE's own, so it is written as a variable."""


def expression(value: Expression | float) -> Expression:
    """A number as an expression; an expression as it is."""
    return value if isinstance(value, Expression) else Number(float(value))


def least(left: Expression | float, right: Expression | float) -> Expression:
    """The smaller of two values."""
    return Call(Function.MIN, (expression(left), expression(right)))


def greatest(left: Expression | float, right: Expression | float) -> Expression:
    """The larger of two values."""
    return Call(Function.MAX, (expression(left), expression(right)))


def within(value: Expression, low: float, high: float) -> Expression:
    """A value held from `low` to `high`."""
    return least(greatest(value, low), high)


def names_in(node: Expression) -> Iterator[str]:
    """Names an expression reads, each as often as it stands there."""
    if isinstance(node, Name):
        yield node.name
    for part in node.parts:
        yield from names_in(part)


_STRENGTH = {
    Operator.ADD: 1,
    Operator.SUBTRACT: 1,
    Operator.MULTIPLY: 2,
    Operator.DIVIDE: 2,
    Operator.POWER: 3,
}


def as_text(node: Expression) -> str:
    """An expression in plain words, for documentation.

    Examples
    --------
    >>> as_text(least(Name("workers") * 0.5, Name("posts") - Name("workers")))
    'min(workers × 0.5, posts − workers)'
    """
    signs = {"*": "×", "-": "−", "/": "÷"}
    if isinstance(node, Number):
        return number_text(node.value)
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Binary):
        sign = signs.get(node.operator, node.operator)
        return f"{_side(node, node.left, as_text)} {sign} {_side(node, node.right, as_text)}"
    if isinstance(node, Call):
        return f"{node.function.lower()}({', '.join(as_text(a) for a in node.arguments)})"
    if isinstance(node, IfElse):
        asked = f"{as_text(node.left)} {node.comparison} {as_text(node.right)}"
        return f"(if {asked} then {as_text(node.yes)} else {as_text(node.no)})"
    if isinstance(node, Lookup):
        points = ", ".join(f"({number_text(x)}, {number_text(y)})" for x, y in node.points)
        return f"graph of {as_text(node.of)} through {points}"
    raise TypeError(f"no text for {type(node).__name__}")


def as_xmile(node: Expression) -> str:
    """An expression as an XMILE equation of the portable subset.

    Names are written with underscores, conditionals stand in parentheses, `DT` is
    the variable `STEP_NAME`. A `Lookup` gives its argument only: XMILE keeps the
    points with the variable.
    """
    if isinstance(node, Number):
        text = number_text(node.value)
        return f"({text})" if node.value < 0 else text
    if isinstance(node, Name):
        return identifier(STEP_NAME if node == DT else node.name)
    if isinstance(node, Binary):
        left, right = (_side(node, one, as_xmile) for one in (node.left, node.right))
        return f"{left} {node.operator} {right}"
    if isinstance(node, Call):
        return f"{node.function}({', '.join(as_xmile(a) for a in node.arguments)})"
    if isinstance(node, IfElse):
        asked = f"{as_xmile(node.left)} {node.comparison} {as_xmile(node.right)}"
        return f"(IF ({asked}) THEN ({as_xmile(node.yes)}) ELSE ({as_xmile(node.no)}))"
    if isinstance(node, Lookup):
        return as_xmile(node.of)
    raise TypeError(f"no equation for {type(node).__name__}")


def identifier(name: str) -> str:
    """A variable's name within an XMILE equation."""
    return name.replace(" ", "_")


def number_text(value: float) -> str:
    """Shortest text that reads back as the same number."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else repr(float(value))


def _side(node: Binary, side: Expression, text: Callable[[Expression], str]) -> str:
    """One side of a binary node, in parentheses where it binds less."""
    plain = text(side)
    if not isinstance(side, Binary):
        return plain
    own, inner = _STRENGTH[node.operator], _STRENGTH[side.operator]
    is_loose = inner < own or (inner == own and side is node.right) or inner == own == 3
    return f"({plain})" if is_loose else plain
