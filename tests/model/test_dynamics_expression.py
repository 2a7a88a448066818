"""Expressions: one tree, evaluated, printed and exported."""

from __future__ import annotations

import numpy as np
import pytest

from demand_model.dynamics.describe import equation_rows
from demand_model.dynamics.evaluate import evaluator
from demand_model.dynamics.expression import (
    DT,
    Call,
    Comparison,
    Expression,
    Function,
    IfElse,
    Lookup,
    Name,
    Number,
    as_text,
    as_xmile,
    greatest,
    least,
    names_in,
    within,
)
from demand_model.dynamics.unit import parse_unit
from demand_model.errors import InvalidSettingError
from system_cases import sir

pytestmark = pytest.mark.unit

A, B, C = Name("a"), Name("b b"), Name("c")
DRAWS = np.array([1.0, 4.0, 9.0])


def value(node: Expression, **values: object) -> object:
    names = {"a": 2.0, "b b": DRAWS, "c": -3.0} | values
    return evaluator(node, {name: i for i, name in enumerate(names)})(list(names.values()))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (A + B, 2.0 + DRAWS),
        (A - 1.0, 1.0),
        (1.0 - A, -1.0),
        (A * B / C, 2.0 * DRAWS / -3.0),
        (2.0 / A, 1.0),
        (B**0.5, np.sqrt(DRAWS)),
        (least(A, C), -3.0),
        (greatest(A, B), np.array([2.0, 4.0, 9.0])),
        (within(B, 2.0, 5.0), np.array([2.0, 4.0, 5.0])),
        (Call(Function.EXP, (A,)), np.exp(2.0)),
        (Call(Function.LN, (B,)), np.log(DRAWS)),
    ],
)
def test_arithmetic_of_numbers_and_draws(node: Expression, expected: object) -> None:
    np.testing.assert_allclose(value(node), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison.LESS, [1, 0, 0]),
        (Comparison.AT_MOST, [1, 1, 0]),
        (Comparison.MORE, [0, 0, 1]),
        (Comparison.AT_LEAST, [0, 1, 1]),
    ],
)
def test_a_condition_is_asked_in_every_draw(comparison: Comparison, expected: list[int]) -> None:
    node = IfElse(B, comparison, Number(4.0), Number(1.0), Number(0.0))
    np.testing.assert_array_equal(value(node), expected)


def test_a_condition_on_plain_numbers_takes_one_branch() -> None:
    assert value(IfElse(A, Comparison.MORE, C, A, C)) == 2.0


def test_a_graph_is_straight_between_points_and_level_beyond() -> None:
    graph = Lookup(B, ((2.0, 0.0), (4.0, 10.0)))
    np.testing.assert_allclose(value(graph), [0.0, 10.0, 10.0])
    assert value(Lookup(A * 1.5, ((2.0, 0.0), (4.0, 10.0)))) == 5.0


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ((A + B) * C, "(a + b b) × c"),
        (A + B * C, "a + b b × c"),
        (A - (B - C), "a − (b b − c)"),
        (A / (B * C), "a ÷ (b b × c)"),
        (A**B, "a ^ b b"),
        ((A**B) ** C, "(a ^ b b) ^ c"),
        (least(A, 0.5), "min(a, 0.5)"),
        (
            IfElse(A, Comparison.AT_MOST, B, Number(1.0), C),
            "(if a <= b b then 1 else c)",
        ),
        (Lookup(A, ((0.0, 1.0), (2.5, 0.0))), "graph of a through (0, 1), (2.5, 0)"),
    ],
)
def test_text_for_documentation(node: Expression, text: str) -> None:
    assert as_text(node) == text


@pytest.mark.parametrize(
    ("node", "equation"),
    [
        ((A + B) / C, "(a + b_b) / c"),
        (greatest(A, 0.0), "MAX(a, 0)"),
        (A * -1.0, "a * (-1)"),
        (
            IfElse(A, Comparison.LESS, B, IfElse(A, Comparison.MORE, C, A, B), C),
            "(IF (a < b_b) THEN ((IF (a > c) THEN (a) ELSE (b_b))) ELSE (c))",
        ),
        (A / DT, "a / length_of_a_step"),
    ],
)
def test_equation_for_xmile(node: Expression, equation: str) -> None:
    assert as_xmile(node) == equation


def test_names_are_found_wherever_they_stand() -> None:
    node = IfElse(A, Comparison.LESS, B, least(C, 1.0), Lookup(A, ((0.0, 0.0), (1.0, 1.0))))
    assert sorted(names_in(node)) == ["a", "a", "b b", "c"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("children/month", "children/month"),
        ("cases/workers*workers", "cases/workers^2"),
        ("children*month/month", "children"),
        ("dimensionless", "dimensionless"),
        ("1/month", "1/month"),
        ("£/workers/month", "£/month/workers"),
    ],
)
def test_units_read_and_write(text: str, plain: str) -> None:
    assert str(parse_unit(text)) == plain
    assert parse_unit(plain) == parse_unit(text)


def test_units_multiply_divide_and_cancel() -> None:
    rate, time = parse_unit("children/month"), parse_unit("month")
    assert str(rate * time) == "children"
    assert (rate * time / parse_unit("children")).is_dimensionless
    assert str(time**2) == "month^2"


@pytest.mark.parametrize("text", ["children per 3", "a//b", "", "month^x"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettingError, match="Invalid unit"):
        parse_unit(text)


def test_a_model_is_told_as_rows_of_text() -> None:
    rows = {row.name: row for row in equation_rows(sir())}
    assert (
        rows["infectious"].equation == "starts at first cases; changes by succumbing − recovering"
    )
    assert rows["recovering"].equation == "infectious ÷ duration"
    assert (rows["duration"].kind, rows["duration"].equation) == ("constant", "5")
    assert rows["susceptible"].equation.endswith("changes by − succumbing")
    assert [row.name for row in equation_rows(sir())] == [one.name for one in sir().variables]
