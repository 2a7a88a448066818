"""Names of the system's parts within the stock-and-flow model, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from demand_model.dynamics.model import Constant, External


def words(name: str) -> str:
    """Name of a variable in the model: words with spaces."""
    return name.replace("_", " ")


def multiplier_name(target: str) -> str:
    """Name of what all links (and a lever) together multiply a target by."""
    return f"effect on {words(target)}"


def lever_name(target: str) -> str:
    """Name of the external by which a scenario changes an internal target."""
    return f"lever on {words(target)}"


def start_name(driver: str) -> str:
    """Name of the constant that holds a driver's value at the census date."""
    return f"{words(driver)} at the start"


def constant(values: Mapping[str, float], name: str, unit: str, doc: str) -> Constant:
    """A constant with its value among `values`, else 0."""
    return Constant(name=name, unit=unit, value=float(values.get(name, 0.0)), doc=doc)


def external(values: Mapping[str, float], name: str, unit: str, doc: str) -> External:
    """An external with its value among `values`, else 0."""
    return External(name=name, unit=unit, value=float(values.get(name, 0.0)), doc=doc)
