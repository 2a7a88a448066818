"""FORECAST.LINEAR against values worked by hand and Microsoft's own example.

Microsoft's example of the function: known y's 6, 7, 9, 15, 21 and known x's 20, 28, 31,
38, 40 give 10.607253 at x = 30.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from demand_model.results.comparators import forecast_linear

pytestmark = pytest.mark.oracle


def month(number: int) -> pd.Period:
    return pd.Period(ordinal=number, freq="M")


def months(*numbers: int) -> pd.PeriodIndex:
    return pd.PeriodIndex([month(n) for n in numbers], freq="M")


def test_microsofts_example() -> None:
    known = pd.Series([6.0, 7.0, 9.0, 15.0, 21.0], months(20, 28, 31, 38, 40))
    assert forecast_linear(known, months(30))[0] == pytest.approx(10.607253, abs=5e-7)


def test_a_line_by_hand() -> None:
    # x 1..4, y 10, 12, 11, 15: means 2.5 and 12; b = (3 + 0 - 0.5 + 4.5) / 5 = 1.4;
    # at x = 5: 12 + 1.4 * 2.5 = 15.5; at x = 7: 12 + 1.4 * 4.5 = 18.3.
    known = pd.Series([10.0, 12.0, 11.0, 15.0], months(673, 674, 675, 676))
    np.testing.assert_allclose(forecast_linear(known, months(677, 679)), [15.5, 18.3])


def test_two_months_are_a_line_through_both_that_may_pass_below_nought() -> None:
    known = pd.Series([9.0, 4.0], months(673, 674))
    np.testing.assert_allclose(forecast_linear(known, months(675, 676)), [-1.0, -6.0])


def test_empty_cells_are_left_out_and_their_months_still_count() -> None:
    # x 1, 2, 4 and y 2, 4, 5: means 7/3 and 11/3; b = 13/14; at x = 5 the value is 43/7.
    known = pd.Series([2.0, 4.0, math.nan, 5.0], months(673, 674, 675, 676))
    assert forecast_linear(known, months(677))[0] == pytest.approx(43 / 7)


def test_the_order_of_the_months_does_not_matter() -> None:
    known = pd.Series([10.0, 12.0, 11.0, 15.0], months(673, 674, 675, 676))
    np.testing.assert_allclose(
        forecast_linear(known.iloc[::-1], months(677)), forecast_linear(known, months(677))
    )


@pytest.mark.parametrize("values", [[], [7.0], [7.0, math.nan]])
def test_fewer_than_two_months_give_no_line(values: list[float]) -> None:
    known = pd.Series(values, months(*range(673, 673 + len(values))), dtype=float)
    assert np.isnan(forecast_linear(known, months(680, 681))).all()
