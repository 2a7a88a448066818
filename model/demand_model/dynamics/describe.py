"""A model's equations as rows of text, for documentation and sheets."""

from __future__ import annotations

from dataclasses import dataclass

from demand_model.dynamics.expression import as_text, number_text
from demand_model.dynamics.model import Constant, External, Model, Stock, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class EquationRow:
    """One variable in words.

    Attributes
    ----------
    kind
        "stock", "flow", "auxiliary", "constant" or "external".
    equation
        Of a stock: its initial value, then what adds to it and takes from it.
    """

    name: str
    kind: str
    unit: str
    equation: str
    doc: str


def equation_rows(model: Model) -> tuple[EquationRow, ...]:
    """Every variable, in the order of declaration."""
    return tuple(
        EquationRow(
            name=one.name,
            kind=type(one).__name__.lower(),
            unit=one.unit,
            equation=_equation(one),
            doc=one.doc,
        )
        for one in model.variables
    )


def _equation(one: Variable) -> str:
    if isinstance(one, Constant | External):
        return number_text(one.value)
    if not isinstance(one, Stock):
        return as_text(one.equation)
    change = "".join(
        [f" + {name}" for name in one.inflows] + [f" − {name}" for name in one.outflows]
    ).strip()
    return f"starts at {as_text(one.initial)}; changes by {change.removeprefix('+ ') or 'nothing'}"
