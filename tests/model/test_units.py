"""Calendar and conversions. Bank holidays are checked against the `holidays` package."""

from datetime import date, timedelta

import holidays
import numpy as np
import pandas as pd
import pytest

from demand_model import units
from demand_model.errors import InvalidSettingError

pytestmark = pytest.mark.unit


def test_bank_holidays_are_those_of_the_holidays_package():
    theirs = holidays.country_holidays("GB", subdiv="ENG", years=range(1999, 2045))
    for year in range(1999, 2045):
        expected = {d for d in theirs if d.year == year and d.weekday() < 5}
        assert {d for d in units.bank_holidays(year) if d.weekday() < 5} == expected, year
        assert list(units.bank_holidays(year)) == sorted(set(units.bank_holidays(year)))


@pytest.mark.parametrize(
    ("year", "expected"),
    [(2008, date(2008, 3, 23)), (2011, date(2011, 4, 24)), (2038, date(2038, 4, 25))],
)
def test_easter_falls_where_the_almanac_says(year, expected):
    assert units.easter_sunday(year) == expected


def test_working_days_are_half_open_and_add_up():
    start, middle, end = date(2026, 12, 1), date(2026, 12, 25), date(2027, 2, 1)
    assert units.working_days(start, middle) + units.working_days(middle, end) == 21 + 20
    assert units.working_days(middle, middle) == 0
    assert units.working_days(end, start) == 0
    assert units.working_days(date(2027, 1, 1), date(2027, 1, 2)) == 0  # a bank holiday
    assert units.working_days(date(2026, 11, 27), date(2026, 11, 30)) == 1  # Friday to Sunday


def test_working_days_between_agrees_with_counting_one_by_one():
    starts = np.array(["2019-12-20", "2020-03-01", "2022-05-30"], "datetime64[D]")
    ends = np.array(["2020-01-06", "2020-05-11", "2022-06-07"], "datetime64[D]")
    slow = []
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        days = [first + timedelta(days=i) for i in range((last - first).days)]
        slow.append(sum(d.weekday() < 5 and d not in units.bank_holidays(d.year) for d in days))
    assert units.working_days_between(starts, ends).tolist() == slow


def test_working_days_between_of_nothing_is_empty():
    nothing = np.array([], "datetime64[D]")
    assert units.working_days_between(nothing, nothing).shape == (0,)


def test_working_days_in_months():
    months = pd.period_range("2022-04", "2022-06", freq="M")
    assert units.working_days_in_months(months).tolist() == [19, 21, 20]


def test_rate_and_probability_are_inverse():
    rates = np.array([0.0, 1e-9, 0.033, 2.0])
    back = units.rate_from_probability(units.probability_from_rate(rates, 3.0), 3.0)
    np.testing.assert_allclose(back, rates, rtol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: units.probability_from_rate(-0.1, 1),
        lambda: units.probability_from_rate(0.1, -1),
        lambda: units.rate_from_probability(1.0, 1),
        lambda: units.rate_from_probability(-0.1, 1),
        lambda: units.rate_from_probability(0.5, 0),
        lambda: units.month_step_edges(date(2026, 1, 1), 0),
        lambda: units.working_day_shares(["2026-01-02", "2026-01-02"]),
        lambda: units.bank_holidays(1977),
    ],
)
def test_impossible_values_are_refused_in_words(call):
    with pytest.raises(InvalidSettingError, match="must be"):
        call()


def test_month_arithmetic():
    assert units.add_months(date(2025, 3, 31), -1) == date(2025, 2, 28)
    assert units.add_months(date(2025, 12, 15), 13) == date(2027, 1, 15)
    assert units.month_end(date(2023, 2, 1)) == date(2023, 2, 28)
    assert units.next_month_start(date(2025, 12, 31)) == date(2026, 1, 1)
    assert units.whole_months_between(date(2025, 3, 31), date(2024, 12, 1)) == -3
    assert units.months_between(date(2025, 1, 1), date(2026, 1, 1)) == pytest.approx(
        11.992, abs=1e-3
    )
    assert units.months_from(date(2025, 12, 9), 2).astype(str).tolist() == ["2025-12", "2026-01"]


def test_birthday_of_a_leap_day_child():
    assert units.birthday(date(2008, 2, 29), 16) == date(2024, 2, 29)
    assert units.birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)


def test_steps_of_a_month_share_its_working_days():
    for month in (date(2026, 2, 14), date(2026, 12, 1)):
        edges = units.month_step_edges(month, 4)
        assert edges[0] == np.datetime64(units.month_start(month), "D")
        assert edges[-1] == np.datetime64(units.next_month_start(month), "D")
        assert np.ptp(np.diff(edges).astype(int)) <= 1
        assert units.working_day_shares(edges).sum() == pytest.approx(1.0)


def test_shares_of_a_span_without_a_working_day_go_by_calendar_days():
    shares = units.working_day_shares(["2026-12-25", "2026-12-26", "2026-12-28"])
    np.testing.assert_allclose(shares, [1 / 3, 2 / 3])
