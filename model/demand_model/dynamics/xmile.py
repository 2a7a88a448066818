"""XMILE 1.0: a model as a file that Stella, Simlin, PySD and others open and run.

The portable subset only: stocks, flows, auxiliaries and graphs; conditionals in
parentheses; delays as stocks; no arrays, macros, modules or built-in delays.
Source: OASIS, XML Interchange Language for System Dynamics (XMILE) Version 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from demand_model.dynamics.check import require_sound
from demand_model.dynamics.expression import (
    DT,
    STEP_NAME,
    TIME,
    Expression,
    Lookup,
    as_xmile,
    identifier,
    names_in,
    number_text,
)
from demand_model.dynamics.model import (
    Auxiliary,
    Constant,
    Flow,
    Model,
    Stock,
    Variable,
    equation_of,
)
from demand_model.dynamics.unit import DIMENSIONLESS, parse_unit
from demand_model.dynamics.xmile_view import view_element
from demand_model.errors import InvalidSettingError

NAMESPACE = "http://docs.oasis-open.org/xmile/ns/XMILE/v1.0"

Series = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSpan:
    """From when to when, in steps of `dt`, in the model's time unit."""

    start: float
    stop: float
    dt: float


def xmile(
    model: Model,
    span: SimulationSpan,
    *,
    given: Mapping[str, float | Series] | None = None,
    vendor: str = "csc-demand",
    product: str = "csc-demand",
    version: str = "1.0",
) -> str:
    """Text of the file.

    Parameters
    ----------
    given
        Values of constants and externals other than the declared; for an external
        also points (time, value), joined by straight lines.

    Raises
    ------
    InvalidSettingError
        The model is faulty, or a given name is neither constant nor external.
    """
    require_sound(model)
    values = dict(given or {})
    _check_given(model, values)
    root = ET.Element("xmile", {"version": "1.0", "xmlns": NAMESPACE})
    _header(root, model, vendor, product, version)
    specs = _child(root, "sim_specs", method="Euler", time_units=model.time_unit)
    for tag in ("start", "stop", "dt"):
        _child(specs, tag, number_text(getattr(span, tag)))
    _model_units(root, model)
    body = _child(root, "model")
    variables = _child(body, "variables")
    for one in model.variables:
        _variable(variables, one, values.get(one.name))
    if any(DT.name in names_in(equation_of(one)) for one in model.variables):
        _variable(variables, _step_length(model, span), None)
    _child(body, "views").append(view_element(model))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _step_length(model: Model, span: SimulationSpan) -> Constant:
    return Constant(
        name=STEP_NAME,
        unit=model.time_unit,
        value=span.dt,
        doc="Change it together with DT of the simulation.",
    )


def _check_given(model: Model, values: Mapping[str, float | Series]) -> None:
    for name in values:
        if isinstance(model.by_name.get(name), Stock | Flow | Auxiliary | None):
            raise InvalidSettingError(
                f"Invalid name: {name}. It must be a constant or external of the model."
            )


def _child(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text
    return element


def _header(root: ET.Element, model: Model, vendor: str, product: str, version: str) -> None:
    header = _child(root, "header")
    _child(header, "vendor", vendor)
    _child(header, "product", product, version=version, lang="en")
    _child(header, "name", model.name)
    if model.doc:
        _child(header, "caption", model.doc)


def _model_units(root: ET.Element, model: Model) -> None:
    bases = {model.time_unit}
    for one in model.variables:
        bases |= {base for base, _ in parse_unit(one.unit).powers}
    units = _child(root, "model_units")
    _child(_child(units, "unit", name=DIMENSIONLESS), "eqn", "1")
    for base in sorted(bases):
        _child(units, "unit", name=identifier(base))


def _variable(parent: ET.Element, one: Variable, value: float | Series | None) -> None:
    tag = {Stock: "stock", Flow: "flow"}.get(type(one), "aux")
    element = _child(parent, tag, name=one.name)
    if one.doc:
        _child(element, "doc", one.doc)
    if isinstance(value, Sequence):
        equation: Expression = Lookup(TIME, tuple(value))
        _child(element, "eqn", as_xmile(equation))
    else:
        equation = equation_of(one)
        _child(element, "eqn", as_xmile(equation) if value is None else number_text(value))
    if isinstance(one, Stock):
        for kind in ("inflow", "outflow"):
            for name in getattr(one, f"{kind}s"):
                _child(element, kind, identifier(name))
    _child(element, "units", identifier(str(parse_unit(one.unit))))
    if isinstance(equation, Lookup):
        graph = _child(element, "gf", type="continuous")
        for axis, number in (("xpts", 0), ("ypts", 1)):
            _child(graph, axis, ",".join(number_text(p[number]) for p in equation.points))
