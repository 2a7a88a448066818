"""Census date and windows, made out from dates alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from demand_model.annex_a.windows import (
    Days,
    detect_census,
    detect_window,
    months_before,
    window_start,
)

pytestmark = pytest.mark.unit

CENSUS = date(2024, 3, 31)


def events(rng: np.random.Generator, n: int, months: float, census: date = CENSUS) -> Days:
    """Draw n events, evenly spread over the months before the census date."""
    start = months_before(census, int(months))
    back = rng.integers(0, (census - start).days, n)
    return np.array([census - timedelta(days=int(b)) for b in back], dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("census", "months", "start"),
    [
        (date(2024, 3, 31), 6, date(2023, 10, 1)),
        (date(2024, 2, 29), 6, date(2023, 9, 1)),
        (date(2024, 8, 31), 6, date(2024, 3, 1)),
        (date(2024, 3, 15), 12, date(2023, 3, 16)),
    ],
)
def test_a_window_starts_the_day_after(census: date, months: int, start: date) -> None:
    assert window_start(census, months) == start


@pytest.mark.parametrize("months", [6, 12, 18, 24, 36, 60])
@pytest.mark.parametrize("per_month", [3, 10, 200])
def test_windows_are_recovered(months: int, per_month: int) -> None:
    rng = np.random.default_rng(months * 1000 + per_month)
    found = [
        detect_window(events(rng, per_month * months, months), CENSUS).window.months
        for _ in range(40)
    ]
    assert found.count(months) >= 39


def test_a_small_authority_follows_the_referrals() -> None:
    """Two endings a year cannot tell 6 from 24 months; List 3 can."""
    rng = np.random.default_rng(3)
    for months in (6, 12, 24):
        found = [
            detect_window(events(rng, max(1, months // 6), months), CENSUS, like=months)
            for _ in range(40)
        ]
        assert sum(f.window.months == months for f in found) >= 38


@pytest.mark.parametrize("endings", [3, 20, 300])
@pytest.mark.parametrize("stray", [date(2019, 3, 1), date(2014, 1, 1)])
def test_one_stray_old_closure_does_not_widen_the_window(endings: int, stray: date) -> None:
    rng = np.random.default_rng(endings)
    for _ in range(20):
        days = np.append(events(rng, endings, 6), np.datetime64(stray))
        found = detect_window(days, CENSUS)
        assert (found.window.months, found.stray) == (6, 1)


def test_a_window_is_never_shorter_than_its_rows_need() -> None:
    rng = np.random.default_rng(8)
    days = np.append(events(rng, 6, 6), np.datetime64("2023-07-20"))
    found = detect_window(days, CENSUS)
    assert found.window.months == 12
    assert found.window.start <= date(2023, 7, 20)


@pytest.mark.parametrize("endings", [1, 4, 9])
def test_a_short_extract_of_few_endings_follows_the_referrals(endings: int) -> None:
    """Half of six guessed months without an ending would halve the rate of leaving."""
    rng = np.random.default_rng(endings)
    few = [events(rng, endings, 3) for _ in range(40)]
    alone = [detect_window(days, CENSUS).window.months for days in few]
    assert alone.count(6) >= 20, "by themselves they cannot tell"
    told = [detect_window(days, CENSUS, like=3).window.months for days in few]
    assert told.count(3) >= 39, "but for a silence of one in a hundred"


def test_endings_before_the_referrals_begin_are_not_given_up() -> None:
    rng = np.random.default_rng(8)
    ends = np.append(events(rng, 12, 6), np.datetime64(date(2023, 10, 9)))
    assert detect_window(ends, CENSUS, like=1).window.months == 6


def test_months_that_are_not_covered_are_not_claimed() -> None:
    """Since 1 September is seven months: twelve would nearly halve every rate."""
    rng = np.random.default_rng(5)
    found = detect_window(events(rng, 700, 7), CENSUS)
    assert found.window.months == 7
    assert not found.snapped


def test_some_days_more_than_six_months_are_used() -> None:
    days = np.arange("2023-09-26", "2024-03-31", dtype="datetime64[D]")
    found = detect_window(days, CENSUS)
    assert (found.window.months, found.window.start) == (6, date(2023, 9, 26))


def test_no_event_gives_six_months_or_the_referrals() -> None:
    none = np.array([], dtype="datetime64[D]")
    assert detect_window(none, CENSUS).window.months == 6
    assert detect_window(none, CENSUS, like=24).window.months == 24


def test_the_census_date_is_the_last_event_or_the_months_end_at_hand() -> None:
    days = np.arange("2023-10-01", "2024-03-29", dtype="datetime64[D]")
    assert detect_census({3: days}).census_date == date(2024, 3, 31)
    assert detect_census({3: days[:-5]}).census_date == date(2024, 3, 23)


@pytest.mark.parametrize("typo", ["2032-01-05", "2024-09-30", "2098-12-31"])
def test_a_date_far_ahead_is_no_census_date(typo: str) -> None:
    days = np.append(
        np.arange("2023-10-01", "2024-03-31", dtype="datetime64[D]"), np.datetime64(typo)
    )
    found = detect_census({3: days})
    assert found.census_date == CENSUS
    assert found.later == 1


def test_lists_of_different_days_are_told_by_their_own_rate() -> None:
    daily = np.arange("2023-10-01", "2024-04-01", dtype="datetime64[D]")
    found = detect_census({3: daily, 7: daily[:-40], 8: daily[:-10]})
    assert found.behind == (7,)
    assert found.last_events[7] == date(2024, 2, 20)
    monthly = daily[::30][:-1]
    assert detect_census({3: daily, 7: monthly}).behind == ()


def test_false_alarms_of_lists_that_lag_are_rare() -> None:
    """200 small authorities, 30 events a half-year in Lists 7 and 8: none is stopped."""
    rng = np.random.default_rng(11)
    behind = 0
    for _ in range(200):
        found = detect_census(
            {3: events(rng, 400, 6), 7: events(rng, 30, 6), 8: events(rng, 30, 6)}
        )
        behind += bool(found.behind)
    assert behind <= 1


def test_no_dates_at_all() -> None:
    none = np.array([], dtype="datetime64[D]")
    assert detect_census({3: none}).census_date is None
