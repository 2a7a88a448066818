from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand_model.errors import InvalidSettingError
from demand_model.simulation.timeline import sum_steps, timeline
from demand_model.units import working_days_in_months

pytestmark = pytest.mark.unit


def test_whole_months_have_equal_steps() -> None:
    line = timeline(date(2026, 3, 31), 12)
    assert line.steps == 48
    assert np.bincount(line.month).tolist() == [4] * 12
    assert line.edges[0] == 0
    assert line.edges[-1] == 365
    assert np.diff(line.edges)[:8].tolist() == [7.5] * 4 + [7.75] * 4
    assert str(line.months[0]) == "2026-04"
    assert line.month_ends[0] == np.datetime64("2026-04-30")


def test_an_unfinished_month_comes_first_and_is_shorter() -> None:
    line = timeline(date(2026, 3, 13), 2)
    assert [str(month) for month in line.months] == ["2026-03", "2026-04", "2026-05"]
    assert np.bincount(line.month).tolist() == [2, 4, 4]
    assert line.edges[2] == 18
    assert line.edges[-1] == 18 + 30 + 31


def test_the_last_day_but_one_leaves_one_step() -> None:
    line = timeline(date(2026, 3, 30), 1)
    assert np.bincount(line.month).tolist() == [1, 4]
    assert line.edges[1] == 1


@pytest.mark.parametrize("steps", [1, 3, 4, 28])
def test_steps_share_out_the_working_days_of_a_month(steps: int) -> None:
    line = timeline(date(2026, 3, 31), 6, steps)
    shares = np.bincount(line.month, weights=line.working_share)
    assert shares == pytest.approx(np.ones(6))


def test_an_unfinished_month_holds_the_share_that_is_left() -> None:
    line = timeline(date(2026, 3, 13), 1)
    left = line.working_share[line.month == 0].sum()
    assert left == pytest.approx(12 / working_days_in_months(line.months[:1])[0])


def test_days_are_counted_from_the_end_of_the_census_day() -> None:
    line = timeline(date(2026, 3, 31), 1)
    assert line.days_since(date(2026, 4, 1)) == 0
    assert line.days_since(date(2026, 3, 31)) == -1
    assert line.middle_months[0] == pytest.approx(7.5 / 2 / 30.4375)
    assert line.step_months.sum() == pytest.approx(30 / 30.4375)


@pytest.mark.parametrize(("horizon", "steps"), [(0, 4), (241, 4), (12, 0), (12, 29)])
def test_what_cannot_be_laid_out_is_refused(horizon: int, steps: int) -> None:
    with pytest.raises(InvalidSettingError, match="must be from 1 to"):
        timeline(date(2026, 3, 31), horizon, steps)


@pytest.mark.parametrize("steps_per_month", [1, 2, 4, 7, 12])
def test_month_sums_add_up_the_steps_of_each_month(steps_per_month: int) -> None:
    line = timeline(date(2023, 3, 13), 5, steps_per_month)
    by_step = np.random.default_rng(3).random((line.steps, 4))
    found = line.month_sums(by_step)
    expected = [by_step[line.month == month].sum(axis=0) for month in range(len(line.months))]
    assert found == pytest.approx(np.array(expected))
    alone = [sum_steps(by_step[None, line.month == month])[0] for month in range(len(line.months))]
    assert np.array_equal(found, np.array(alone))  # to the last bit


def test_what_all_users_share_cannot_be_changed() -> None:
    line = timeline(date(2023, 3, 31), 2)
    with pytest.raises(ValueError, match="read-only"):
        line.step_months[0] = 1.0
