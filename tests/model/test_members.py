from __future__ import annotations

import numpy as np
import pytest

from demand_model.simulation.members import Members, allot, joining_chance, leave_together

pytestmark = pytest.mark.unit


def members(left: list[list[float]], born_years: list[float] | None = None) -> Members:
    found = Members(len(left[0]))
    rows = len(left)
    found.admit(
        np.array(left, dtype=np.float32),
        entered_months=np.zeros(rows),
        born_years=np.full(rows, -5.0) if born_years is None else np.array(born_years),
        uasc=np.zeros(rows, dtype=bool),
    )
    return found


NONE = np.array([], dtype=np.intp)


def expose_all(found: Members, spent: list[float]) -> None:
    """Expose every row to the same amount, a number a draw."""
    by_class = np.array([spent], np.float32)
    rows = np.zeros(found.rows, dtype=np.intp)
    found.expose_by_row(by_class, rows, NONE, np.zeros((0, found.draws), np.float32))


def test_a_child_leaves_when_the_allotment_is_used_up() -> None:
    found = members([[0.5, 1.5], [0.5, -1.0]])
    assert found.count().tolist() == [2, 1]
    expose_all(found, [0.4, 0.4])
    assert found.count().tolist() == [2, 1]
    expose_all(found, [0.2, 0.2])
    assert found.count().tolist() == [0, 1]


def test_spans_and_single_rows_are_exposed_as_their_class_is() -> None:
    left = np.random.default_rng(1).random((7, 5)) + 0.1
    spent = np.random.default_rng(2).random((3, 5)).astype(np.float32)
    one, other, third = (members(left.tolist()) for _ in range(3))
    one.expose_span(slice(0, 2), spent[0])
    one.expose_span(slice(2, 7), spent[2])
    classes = np.array([0, 0, 2, 2, 2, 2, 2])
    other.expose_by_row(spent, classes, NONE, np.zeros((0, 5), np.float32))
    third.expose_by_row(
        spent, np.zeros(7, np.intp), np.arange(2, 7), np.repeat(spent[2:], 5, axis=0)
    )
    expected = (left > spent[classes]).astype(int)
    for found in (one, other, third):
        present = [found.count(np.array([row])).tolist() for row in range(7)]
        assert present == expected.tolist()
    assert one.count_spans(np.array([0, 2, 2, 7])).tolist() == [
        expected[:2].sum(axis=0).tolist(),
        [0] * 5,
        expected[2:].sum(axis=0).tolist(),
    ]


def test_children_leave_once_their_18th_birthday_is_past() -> None:
    found = members([[9.0]] * 3, born_years=[-17.9, -17.0, -18.0])
    found.come_of_age(1.0)
    assert found.count().tolist() == [2]
    assert found.count(np.array([2])).tolist() == [0]
    found.come_of_age(2.0)
    assert found.count(np.array([0])).tolist() == [0]
    found.come_of_age(12.0)
    assert found.count().tolist() == [1]  # not before the birthday itself


def test_a_copy_is_independent() -> None:
    found = members([[1.0, 1.0]])
    other = found.copy()
    expose_all(found, [2.0, 2.0])
    assert other.count().tolist() == [1, 1]
    assert found.count().tolist() == [0, 0]


def test_shrinking_and_growing_keep_who_is_there() -> None:
    found = members([[1.0, 2.0], [-1.0, -1.0], [-1.0, -1.0], [-1.0, 0.7]])
    assert len(found.thin(1).left) == 0
    assert found.rows == 2
    assert found.count().tolist() == [1, 2]
    found.admit(
        np.full((100, 2), 1.0, np.float32),
        entered_months=np.arange(100.0),
        born_years=np.zeros(100),
        uasc=np.zeros(100, dtype=bool),
    )
    assert found.count().tolist() == [101, 102]
    assert found.entered_months[-1] == 99.0


def test_rows_that_few_draws_have_are_handed_over_child_by_child() -> None:
    found = members(
        [[1.0, 2.0, 3.0], [-1.0, 0.5, -1.0], [-1.0] * 3, [-1.0, 0.7, 0.8]],
        born_years=[-1.0, -2.0, -3.0, -4.0],
    )
    few = found.thin(2)
    assert found.rows == 2
    assert found.born_years.tolist() == [-1.0, -4.0]
    assert found.count().tolist() == [1, 2, 2]
    assert few.left.tolist() == [0.5]
    assert few.draw.tolist() == [1]
    assert few.born_years[few.row].tolist() == [-2.0]


def test_survival_under_changing_hazards_is_exponential_of_their_sum() -> None:
    alone = np.arange(4000)
    found = Members(10)
    found.admit(
        allot(4000, 10, alone, np.random.default_rng(1)),
        entered_months=np.zeros(4000),
        born_years=np.zeros(4000),
        uasc=np.zeros(4000, dtype=bool),
    )
    for hazard in (0.1, 0.5, 0.05):
        expose_all(found, [hazard] * 10)
    survival = np.exp(-0.65)
    error = np.sqrt(survival * (1 - survival) / 40000)
    assert found.count().sum() / 40000 == pytest.approx(survival, abs=4 * error)


def test_more_rows_leave_the_first_ones_as_they_were() -> None:
    together = np.array([0, 0, 1, 2, 2, 2, 3])
    few = allot(4, 6, together[:4], np.random.default_rng(9))
    many = allot(7, 6, together, np.random.default_rng(9))
    assert np.array_equal(few, many[:4])
    assert np.array_equal(many[3], many[5])
    assert not np.array_equal(many[2], many[3])


def test_leaving_together_makes_ends_as_over_dispersed_as_measured() -> None:
    """Families of three, of whom a share leaves in a month: variance over mean of the leavers."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(30000), 3)
    chance = joining_chance(2.0, 1.8)
    together = leave_together(groups, chance, rng)
    left = allot(len(groups), 1, together, rng)[:, 0].reshape(-1, 3)
    gone = (left < 0.02).sum(axis=1)  # rare, so that a lone child's count is all but Poisson
    assert gone.var() / gone.mean() == pytest.approx(1.8, abs=0.12)


def test_nobody_joins_where_ends_are_not_over_dispersed() -> None:
    assert joining_chance(2.0, 1.0) == 0.0
    assert joining_chance(0.0, 3.0) == 0.0
    assert joining_chance(0.5, 9.0) == 1.0
    groups = np.array([0, 0, 1])
    assert len(set(leave_together(groups, 0.0, np.random.default_rng(1)))) == 3
    assert leave_together(groups, 1.0, np.random.default_rng(1)).tolist() == [0, 0, 1]
