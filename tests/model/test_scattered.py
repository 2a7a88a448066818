from __future__ import annotations

import numpy as np
import pytest

from demand_model.simulation.entrants import Places
from demand_model.simulation.members import Members
from demand_model.simulation.monthly import ClassPaths, Entrants
from demand_model.simulation.scattered import Scattered

pytestmark = pytest.mark.unit

ROWS, DRAWS, CLASSES, STEPS = 12, 9, 3, 4
RNG = np.random.default_rng(7)
LEFT = RNG.exponential(size=(ROWS, DRAWS)).astype(np.float32)
ENTERED = np.arange(ROWS) / 10.0
BORN = np.linspace(0.0, -19.0, ROWS)
SPENT = RNG.random((STEPS, CLASSES, DRAWS)).astype(np.float32) / 4.0
WHOLE = SPENT[0] + SPENT[1] + SPENT[2] + SPENT[3]
CELLS = np.sort(RNG.integers(0, CLASSES, (STEPS, ROWS)), axis=0)
CELLS[:, ::2] = CELLS[0, ::2]
MOVED = np.flatnonzero(CELLS[0] != CELLS[-1])
PATHS = ClassPaths(first=CELLS[0], moved=MOVED, of_moved=CELLS[:, MOVED])


def as_rows() -> Members:
    found = Members(DRAWS)
    found.admit(LEFT, entered_months=ENTERED, born_years=BORN, uasc=np.zeros(ROWS, bool))
    return found


def entrants() -> Entrants:
    places = Places(left=LEFT, ages_years=ENTERED / 12.0 - BORN, step=np.zeros(ROWS, np.intp))
    return Entrants(places=places, entered=ENTERED, used=np.zeros_like(LEFT), uasc=False)


def test_children_one_by_one_leave_as_rows_of_them_do() -> None:
    rows = as_rows()
    assert 0 < len(MOVED) < ROWS
    one_by_one = Scattered(DRAWS)
    one_by_one.take_over(as_rows().thin(DRAWS + 1))
    own = sum(SPENT[step][CELLS[step, MOVED]] for step in range(STEPS))
    rows.expose_by_row(WHOLE, CELLS[0], MOVED, np.asarray(own, np.float32))
    rows.come_of_age(12.0)
    one_by_one.expose(PATHS, SPENT, WHOLE)
    one_by_one.close(12.0)
    assert 0 < rows.count().sum() < ROWS * DRAWS
    group = np.arange(ROWS) % 2
    expected = rows.count_groups(group, 2)
    assert np.array_equal(one_by_one.count(group, 2), expected)
    one_by_one.shrink()
    assert len(one_by_one.born_years) == len(set(one_by_one.place.tolist())) < ROWS
    everyone = np.zeros(len(one_by_one.born_years), np.intp)
    assert np.array_equal(one_by_one.count(everyone, 1)[0], expected.sum(axis=0))


def test_only_the_places_between_two_counts_are_taken() -> None:
    found = Scattered(DRAWS)
    count, other = np.full(DRAWS, 5), np.full(DRAWS, 5)
    count[2], count[4] = 7, 4
    found.enter(entrants(), count, other)
    assert found.draw.tolist() == [2, 2, 4]
    assert found.more.tolist() == [1.0, 1.0, -1.0]
    assert sorted(found.left.tolist()) == sorted([*LEFT[5:7, 2].tolist(), LEFT[4, 4].item()])
    assert found.born_years[found.place].tolist() == pytest.approx(BORN[[5, 6, 4]].tolist())
    at = np.zeros(len(found.born_years), np.intp)
    difference = found.count(at, 1)[0]
    assert difference.tolist() == (count - other).tolist()


def test_a_copy_is_independent_and_nobody_is_no_trouble() -> None:
    nobody = Scattered(DRAWS)
    nobody.expose(PATHS, SPENT, WHOLE)
    nobody.close(1.0)
    nobody.shrink()
    assert nobody.count(np.zeros(0, np.intp), 2).tolist() == [[0] * DRAWS] * 2
    found = Scattered(DRAWS)
    found.take_over(as_rows().thin(DRAWS + 1))
    other = found.copy()
    found.expose(PATHS, SPENT * 1000, WHOLE * 1000)
    found.close(1.0)
    assert len(found.left) == 0
    assert len(other.left) == ROWS * DRAWS
