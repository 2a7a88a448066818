"""Columns of dates: what is read, what is rejected, and the order of day and month."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import pytest

from demand_model.annex_a.dates import (
    CellState,
    DateColumn,
    DateProblem,
    DateRole,
    read_dates,
)
from demand_model.annex_a.raw import CellError, RawValue
from list_builders import at

pytestmark = pytest.mark.unit


def start(*values: RawValue) -> DateColumn:
    return read_dates(values, DateRole.START)


def days(column: DateColumn) -> list[date | None]:
    return column.days.tolist()


@pytest.mark.parametrize(
    "text",
    [
        "31/12/2023",
        "31-12-2023",
        "31.12.2023",
        "31 12 2023",
        "2023-12-31",
        "2023/12/31",
        "2023-12-31T00:00:00",
        "2023-12-31T10:20:30.123Z",
        "2023-12-31 10:20:30+01:00",
        "31-Dec-23",
        "31 December 2023",
        "31st December 2023",
        "Sunday 31 December 2023",
        "Sun, 31 Dec 2023",
        "December 31, 2023",
        "20231231",
        "31/12/2023 00:00",
        "31/12/2023 12:30:00",
        " 31/12/2023\xa0",
        "31/12/23",
    ],
)
def test_one_date_written_in_many_ways(text: str) -> None:
    assert days(start(text)) == [date(2023, 12, 31)]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("31/02/2023", "date-unreadable"),
        ("00/00/0000", "date-unreadable"),
        ("00:00.0", "date-unreadable"),
        ("########", "date-unreadable"),
        ("31/12/2023 approx", "date-unreadable"),
        ("soon", "date-unreadable"),
        (True, "date-unreadable"),
        (float("inf"), "date-unreadable"),
        (float("nan"), "date-unreadable"),
        (-5, "date-unreadable"),
        (time(12, 30), "date-unreadable"),
        ("2023", "date-incomplete"),
        ("Dec 2023", "date-incomplete"),
        ("12/2023", "date-incomplete"),
        ("01/01/1900", "date-placeholder"),
        (time(0, 0), "date-placeholder"),
        (at(9999, 12, 31), "date-placeholder"),
        ("31/12/0023", "date-out-of-range"),
        ("31/12/2203", "date-out-of-range"),
        (CellError("#N/A"), "error-value"),
    ],
)
def test_what_is_no_date_is_rejected_by_a_rule(value: RawValue, rule: str) -> None:
    column = start(value, at(2023, 5, 17))
    assert column.rules == {0: rule}
    assert days(column) == [None, date(2023, 5, 17)]


def test_every_filled_cell_is_parsed_open_or_rejected() -> None:
    column = read_dates(["31/12/2023", "N/A", None, "x", "31/12/9999", ""], DateRole.END)
    assert column.state.tolist() == [
        CellState.PARSED, CellState.BLANK, CellState.BLANK, CellState.REJECTED, CellState.OPEN,
        CellState.BLANK,
    ]  # fmt: skip
    assert (column.filled, column.rejected) == (3, 1)
    assert column.cleaned["blank-word"] == (1,)


def test_one_clear_date_settles_the_column() -> None:
    column = start("03/04/2023", "13/04/2023")
    assert days(column) == [date(2023, 4, 3), date(2023, 4, 13)]
    assert column.problems == {}


def test_an_unclear_column_is_read_as_uk_and_said() -> None:
    column = start("03/04/2023", "05/06/2023")
    assert days(column) == [date(2023, 4, 3), date(2023, 6, 5)]
    assert set(column.problems) == {DateProblem.AMBIGUOUS}


def test_a_month_first_column_is_read_so_throughout_and_said() -> None:
    column = start("03/04/2023", "04/13/2023")
    assert days(column) == [date(2023, 3, 4), date(2023, 4, 13)]
    assert set(column.problems) == {DateProblem.MONTH_FIRST}


def test_both_orders_in_one_column_contradict() -> None:
    assert set(start("13/04/2023", "04/13/2023").problems) == {DateProblem.CONTRADICTORY}


@pytest.mark.parametrize("text", ["%d/%m/%Y", "%m/%d/%Y"])
def test_dates_that_excel_swapped_are_told(text: str) -> None:
    real = [at(2023, month, 5) for month in (1, 2, 3, 4)]
    texts = [at(2023, month, 25).strftime(text) for month in (1, 2, 3)]
    assert set(start(*real, *texts).problems) == {DateProblem.SWAPPED}


def test_real_dates_above_the_twelfth_are_no_swap() -> None:
    column = start(at(2023, 1, 25), at(2023, 2, 5), "25/03/2023", "26/03/2023")
    assert set(column.problems) == {DateProblem.MIXED}


def test_a_single_odd_text_date_is_no_proof_of_a_swap() -> None:
    assert DateProblem.SWAPPED not in start(at(2023, 1, 5), "25/03/2023").problems


def test_serial_numbers_are_dates_only_where_all_are() -> None:
    assert days(start(45291, 45292.5, "45293")) == [
        date(2023, 12, 31),
        date(2024, 1, 1),
        date(2024, 1, 2),
    ]
    assert start(45291, at(2023, 1, 1)).rules == {0: "date-as-number"}


def test_serial_numbers_of_a_1904_workbook() -> None:
    column = read_dates([43829], DateRole.START, date_1904=True)
    assert days(column) == [date(2023, 12, 31)]


@pytest.mark.parametrize(
    ("short", "year"), [("12/08/68", 1968), ("13/08/15", 2015), ("13/08/24", 2024)]
)
def test_two_digit_years_of_birth_are_never_far_ahead(short: str, year: int) -> None:
    column = read_dates([short, "13/01/2023"], DateRole.BIRTH)
    assert days(column)[0].year == year


def test_times_are_dropped_never_rounded_up() -> None:
    assert days(start(at(2023, 12, 31, 23, 59, 59))) == [date(2023, 12, 31)]
    assert days(start(45291.9999999)) == [date(2023, 12, 31)]


def test_open_ended_placeholders_are_open_only_for_ends() -> None:
    ends = read_dates([at(9999, 12, 31), "01/01/2099", 2958466], DateRole.END)
    assert set(ends.state) == {CellState.OPEN}
    assert np.isnat(ends.days).all()


def test_an_empty_column() -> None:
    column = start()
    assert (column.filled, column.rejected, column.problems) == (0, 0, {})
