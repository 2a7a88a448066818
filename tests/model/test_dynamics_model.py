"""What is wrong with the declaration of a model is found, named and said."""

from __future__ import annotations

import pytest

from demand_model.dynamics.check import check_model, require_sound
from demand_model.dynamics.expression import Call, Expression, Function, Lookup, Name, Number, least
from demand_model.dynamics.model import (
    Auxiliary,
    Constant,
    External,
    Flow,
    Model,
    Stock,
    Variable,
    smooth,
)
from demand_model.errors import InvalidSettingError
from system_cases import sir, teacup

pytestmark = pytest.mark.unit


def model(*variables: Variable) -> Model:
    return Model(name="Test", time_unit="month", variables=variables)


def aux(name: str, equation: Expression, unit: str = "dimensionless") -> Auxiliary:
    return Auxiliary(name=name, unit=unit, equation=equation)


def problems(*variables: Variable) -> list[tuple[str, str]]:
    return [(one.variable, one.message) for one in check_model(model(*variables))]


WORKERS = Constant(name="workers", unit="workers", value=10.0)
CASES = Constant(name="cases", unit="cases", value=150.0)


@pytest.mark.parametrize("sound", [teacup(), sir()])
def test_a_sound_model_has_no_problem(sound: Model) -> None:
    assert check_model(sound) == ()


def test_a_name_that_is_not_declared() -> None:
    assert problems(aux("a", Name("missing") + 1.0)) == [("a", "missing is not declared")]


@pytest.mark.parametrize("twin", ["Same name", "same_name"])
def test_a_name_declared_twice(twin: str) -> None:
    found = problems(aux("same name", Number(1.0)), aux(twin, Number(2.0)))
    assert found == [(twin, "the name is declared twice")]


@pytest.mark.parametrize("name", ["max", "Time", "a-b", "two  spaces", "", "1st"])
def test_a_name_that_other_tools_would_misread(name: str) -> None:
    assert [n for n, _ in problems(aux(name, Number(1.0)))] == [name]


def test_a_loop_without_a_stock_is_named() -> None:
    found = problems(aux("a", Name("b")), aux("b", Name("c")), aux("c", Name("a")))
    assert len(found) == 1
    path = found[0][1].removeprefix("a loop without a stock: ").split(" → ")
    assert set(path) == {"a", "b", "c"}
    assert path[0] == path[-1]


def test_initial_values_that_need_each_other_are_named() -> None:
    found = problems(
        Stock(name="a", unit="cases", initial=Name("b")),
        Stock(name="b", unit="cases", initial=Name("a")),
    )
    assert "a loop without a stock" in found[0][1]


def test_a_flow_that_is_none_or_of_two_stocks() -> None:
    flow = Flow(name="in", unit="cases/month", equation=Number(0.0))
    found = problems(
        CASES,
        flow,
        Stock(name="x", unit="cases", initial=Name("cases"), inflows=("in", "cases")),
        Stock(name="y", unit="cases", initial=Name("cases"), inflows=("in",)),
    )
    assert ("x", "cases is not a flow") in found
    assert ("in", "flows of both x and y") in found


def test_a_graph_stands_alone_and_ascends() -> None:
    points = ((0.0, 0.0), (1.0, 1.0))
    assert problems(aux("a", Lookup(Number(0.5), points))) == []
    assert "of its own" in problems(aux("a", Lookup(Number(0.5), points) * 2.0))[0][1]
    assert "ascending" in problems(aux("a", Lookup(Number(0.5), points[::-1])))[0][1]


@pytest.mark.parametrize(
    ("equation", "unit", "message"),
    [
        (Name("cases") / Name("workers"), "cases", "worked out in cases/workers"),
        (Name("cases") + Name("workers"), "cases", "cases is in cases, but workers is in workers"),
        (least(Name("cases"), Name("workers")), "cases", "but workers is in workers"),
        (Name("cases") + 1.0, "cases", "but 1 is in dimensionless"),
        (Name("cases") ** 0.5, "cases", "cannot be raised"),
        (Number(2.0) ** Name("cases"), "dimensionless", "must be dimensionless"),
        (Call(Function.LN, (Name("cases"),)), "dimensionless", "must be dimensionless"),
    ],
)
def test_units_that_do_not_agree(equation: Expression, unit: str, message: str) -> None:
    found = problems(WORKERS, CASES, aux("a", equation, unit))
    assert len(found) == 1
    assert message in found[0][1]


@pytest.mark.parametrize(
    ("equation", "unit"),
    [
        (Name("cases") / Name("workers"), "cases/workers"),
        (Name("cases") ** 2.0, "cases^2"),
        (least(Name("cases"), 0.0), "cases"),
        ((Name("cases") / Name("cases")) ** Number(0.3), "dimensionless"),
    ],
)
def test_units_that_agree(equation: Expression, unit: str) -> None:
    assert problems(WORKERS, CASES, aux("a", equation, unit)) == []


def test_a_flow_must_be_its_stock_per_unit_of_time() -> None:
    found = problems(
        CASES,
        Flow(name="in", unit="cases", equation=Name("cases")),
        Stock(name="held", unit="cases", initial=Name("cases"), inflows=("in",)),
    )
    assert found == [("held", "in cases, but its flow in is in cases")]


def test_a_smooth_is_a_stock_that_other_tools_see() -> None:
    delay = Constant(name="lag", unit="month", value=3.0)
    source = External(name="source", unit="cases", value=5.0)
    parts = smooth("felt", "source", unit="cases", delay=Name("lag"))
    assert check_model(model(source, delay, *parts)) == ()


def test_every_problem_is_in_the_refusal() -> None:
    with pytest.raises(InvalidSettingError, match=r"a: x is not declared; b: y is not declared"):
        require_sound(model(aux("a", Name("x")), aux("b", Name("y"))))
