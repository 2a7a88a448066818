"""The History sheet: read as people write it, nothing dropped without a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model import History, check_history, history_disagreements
from demand_model.annex_a.findings import Findings, Severity
from demand_model.annex_a.raw import CellError, RawSheet, RawValue, UncalculatedFormula
from demand_model.errors import InvalidInputError
from demand_model.exposure.history import listed_months
from demand_model.exposure.history_cells import read_counts, read_marks, read_months
from demand_model.flows import MEASURES
from engine_cases import CENSUS, made_up_exposure

pytestmark = pytest.mark.unit

HEADINGS = ("month", *MEASURES)


def sheet(*rows: tuple[RawValue, ...], first_row: int = 1) -> RawSheet:
    cells = np.empty((len(rows), max(map(len, rows), default=0)), dtype=object)
    for number, row in enumerate(rows):
        cells[number, : len(row)] = row
    return RawSheet(file="book", sheet="History", cells=cells, first_row=first_row)


def of_months(*cells: RawValue, date_1904: bool = False) -> list[str | None]:
    read = read_months(list(cells), date_1904=date_1904)
    return [
        str(pd.Period(ordinal=int(o), freq="M")) if known else None
        for o, known in zip(read.ordinal, read.known, strict=True)
    ]


def rules(findings: Findings) -> list[str]:
    return [f.rule for f in findings.items]


@pytest.mark.parametrize(
    "cell",
    [
        pd.Timestamp("2024-01-01").to_pydatetime(),
        pd.Timestamp("2024-01-31 12:30").to_pydatetime(),
        date(2024, 1, 17),
        45292,  # Excel's serial number of 1 January 2024
        45322.0,
        "45292",
        202401,
        "2024-01",
        "2024/1",
        "2024-01-31",
        "Jan 2024",
        "January 2024",
        "Jan-24",
        "jan-2024",
        "Jan '24",
        "2024 Jan",
        "01/2024",
        "01/01/2024",
        "31/01/2024",
        "31 Jan 2024",
        " Jan\u00a02024 ",
    ],
)
def test_a_month_is_read_however_it_is_written(cell: RawValue) -> None:
    assert of_months(cell) == ["2024-01"]


def test_months_of_a_1904_workbook_count_from_1904() -> None:
    assert of_months(43830, date_1904=True) == ["2024-01"]


def test_mixed_ways_of_writing_stand_in_one_column() -> None:
    cells = (
        pd.Timestamp("2024-01-01").to_pydatetime(),
        45323,
        "Mar 2024",
        "01/04/2024",
        None,
        "2024-06",
    )
    assert of_months(*cells) == ["2024-01", "2024-02", "2024-03", "2024-04", None, "2024-06"]


@pytest.mark.parametrize(
    "cell", ["Total", "2024", "13/2024", "Foo 2024", True, 7, CellError("#N/A")]
)
def test_what_is_no_month_is_said_to_be_unreadable(cell: RawValue) -> None:
    read = read_months([cell])
    assert (read.known.tolist(), read.unreadable) == ([False], (0,))


def test_counts_are_read_and_marks_of_suppression_are_blanks() -> None:
    marks = ["c", "x", ":", "-", "<5", "[c]", "5 or fewer", "*", "n/a", "1-4"]
    read = read_counts([12, 3.0, "1,234", " 56 ", None, "", *marks])
    assert read.values[:4].tolist() == [12.0, 3.0, 1234.0, 56.0]
    assert np.isnan(read.values[4:]).all()
    assert read.suppressed == tuple(range(6, 6 + len(marks)))
    assert read.rules == {}


def test_counts_that_cannot_be_used_say_why() -> None:
    cells: list[RawValue] = [
        -1,
        "-3",
        "many",
        True,
        CellError("#REF!"),
        UncalculatedFormula(),
        "#N/A",
        pd.Timestamp("2024-01-01").to_pydatetime(),
    ]
    read = read_counts([*cells, float("inf"), float("nan")])
    assert np.isnan(read.values).all()
    assert list(read.rules.values()) == [
        *("count-negative", "count-negative", "count-unreadable", "count-unreadable"),
        *("error-value", "error-value", "error-value", "count-unreadable"),
        *("count-unreadable", "count-unreadable"),
    ]


def test_a_mark_may_be_a_yes_or_a_reason() -> None:
    cells: list[RawValue] = ["Yes", "y", True, 1, "strike", "No", "", None, 0, False, "n/a"]
    assert read_marks(cells).tolist() == [True] * 5 + [False] * 6


@pytest.mark.parametrize("rows", [(), ((None, None),), ((" ", ""),), (HEADINGS,)])
def test_an_empty_sheet_is_an_empty_history_without_findings(
    rows: tuple[tuple[RawValue, ...], ...],
) -> None:
    history, findings = check_history(sheet(*rows), CENSUS)
    assert len(history.table) == 0
    assert findings.items == ()


def test_headings_are_found_below_a_title_in_any_case_and_order() -> None:
    history, findings = check_history(
        sheet(
            ("Our monthly figures",),
            (None,),
            ("CLA open", "Unusual", "MONTH", "Cp_Starts", "notes"),
            (210, None, "Jan 2025", 12, "x"),
            (212, "yes", "Feb 2025", None, "x"),
        ),
        CENSUS,
    )
    assert findings.items == ()
    assert history.table["cla_open"].tolist() == [210.0, 212.0]
    assert history.months_given("cp_starts") == 1
    assert history.months_given("referrals") == 0
    assert [str(m) for m in history.unusual] == ["2025-02"]


def test_a_sheet_without_headings_is_not_used_and_said() -> None:
    history, findings = check_history(sheet(("Jan 2025", 3), ("Feb 2025", 4)), CENSUS)
    assert len(history.table) == 0
    assert rules(findings) == ["history-no-headings"]


def test_rows_are_put_in_order_and_the_rest_is_said_where_it_stands() -> None:
    history, findings = check_history(
        sheet(
            ("month", "referrals"),
            ("Mar 2025", 30),
            ("Jan 2025", 10),
            ("Jan 2025", 11),
            ("Total", 99),
            (None, 5),
            ("Apr 2026", 40),
            (None, None),
            ("May 2026", None),
            ("Feb 2025", "few"),
            first_row=4,
        ),
        CENSUS,
    )
    assert history.table["referrals"].to_dict() == {
        pd.Period("2025-01", "M"): 10.0,
        pd.Period("2025-03", "M"): 30.0,
    }
    assert [(f.rule, f.cell, f.count) for f in findings.items] == [
        ("history-count-unreadable", "B13", 1),
        ("history-month-twice", "A7", 1),
        ("history-month-unreadable", "A8", 2),
        ("history-after-census", "A10", 1),
    ]
    assert {f.list_number for f in findings.items} == {0}
    assert {f.sheet for f in findings.items} == {"History"}


def test_an_unfinished_census_month_is_set_aside_and_a_finished_one_kept() -> None:
    rows = (("month", "referrals"), ("Feb 2026", 10), ("Mar 2026", 11))
    whole, none = check_history(sheet(*rows), date(2026, 3, 31))
    part, said = check_history(sheet(*rows), date(2026, 3, 30))
    free, nothing = check_history(sheet(*rows), None)
    assert (len(whole.table), len(part.table), len(free.table)) == (2, 1, 2)
    assert (rules(none), rules(said), rules(nothing)) == ([], ["history-after-census"], [])


def test_suppressed_cells_are_said_once_a_column() -> None:
    rows = [(f"{month:02d}/2025", "c", 5) for month in range(1, 13)]
    _, findings = check_history(sheet(("month", "cp_starts", "cp_ends"), *rows), CENSUS)
    (finding,) = findings.items
    assert (finding.rule, finding.count, finding.severity) == (
        "history-suppressed",
        12,
        Severity.CLEANED,
    )


def test_no_cell_of_the_sheet_is_repeated_in_a_message() -> None:
    _, findings = check_history(
        sheet(("month", "referrals"), ("Jane Bloggs", 3), ("Jan 2025", "Jane Bloggs")),
        CENSUS,
    )
    assert len(findings.items) == 2
    assert not any("Bloggs" in f.message for f in findings.items)


def test_open_cases_that_do_not_follow_from_starts_and_ends_are_said() -> None:
    rows = [("Jan 2025", 100, 10, 10), ("Feb 2025", 102, 12, 10), ("Mar 2025", 150, 12, 10)]
    _, findings = check_history(sheet(("month", "cp_open", "cp_starts", "cp_ends"), *rows), CENSUS)
    (finding,) = findings.items
    assert (finding.rule, finding.count) == ("history-out-of-balance", 1)
    assert "March 2025" in finding.message


def test_a_marked_month_without_counts_is_kept_as_a_mark() -> None:
    history, findings = check_history(
        sheet(("month", "referrals", "unusual"), ("Jan 2025", None, "Yes"), ("Feb 2025", 4, None)),
        CENSUS,
    )
    assert findings.items == ()
    assert ([str(m) for m in history.unusual], len(history.table)) == (["2025-01"], 1)


def test_a_history_that_would_be_misread_is_refused() -> None:
    good = History.of(
        pd.DataFrame({"referrals": [1.0, 2.0]}, pd.period_range("2025", periods=2, freq="M"))
    )
    with pytest.raises(InvalidInputError, match="in order"):
        replace(good, table=good.table[::-1])
    with pytest.raises(InvalidInputError, match="negative"):
        replace(good, table=-good.table)
    with pytest.raises(InvalidInputError, match="columns"):
        replace(good, table=good.table[["referrals"]])
    with pytest.raises(InvalidInputError, match="PeriodIndex"):
        replace(good, table=good.table.reset_index(drop=True))


# ---------------------------------------------------------------- beside the lists


def beside_lists(factor: float, *, shift: int = 0) -> History:
    """The lists' own months times a factor, moved back by some months."""
    table = listed_months(made_up_exposure(1)).mul(factor)
    table.index = table.index - shift
    return History.of(table)


def test_listed_months_are_the_whole_months_of_the_lists() -> None:
    listed = listed_months(made_up_exposure(1))
    flows = listed["referrals"].dropna()
    assert [str(m) for m in flows.index] == [f"2025-{m}" for m in (10, 11, 12)] + [
        f"2026-0{m}" for m in (1, 2, 3)
    ]
    assert flows.sum() == 180
    opened = made_up_exposure(1).opening
    assert listed["cla_open"].iloc[-1] == len(opened.care)
    assert listed.columns.tolist() == list(MEASURES)


def test_a_history_that_agrees_with_the_lists_says_nothing() -> None:
    assert history_disagreements(beside_lists(1.0), made_up_exposure(1)).items == ()
    assert history_disagreements(History.empty(), made_up_exposure(1)).items == ()


def test_months_that_both_show_and_that_differ_are_said_once_a_measure() -> None:
    found = history_disagreements(beside_lists(1.5), made_up_exposure(1))
    assert {f.rule for f in found.items} == {"history-differs-from-lists"}
    assert [f.column for f in found.items] == [
        m for m in MEASURES if m in {f.column for f in found.items}
    ]
    assert "referrals" in {f.column for f in found.items}


def test_small_differences_pass_whether_in_number_or_in_share() -> None:
    exposure = made_up_exposure(1)
    few = listed_months(exposure) + 5.0
    assert history_disagreements(History.of(few), exposure).items == ()
    assert history_disagreements(beside_lists(1.09), exposure).items == ()


def test_a_step_between_history_and_lists_is_said() -> None:
    found = history_disagreements(beside_lists(2.0, shift=7), made_up_exposure(1))
    assert {f.rule for f in found.items} == {"history-step-at-lists"}
    assert "referrals" in {f.column for f in found.items}
    far = history_disagreements(beside_lists(2.0, shift=20), made_up_exposure(1))
    assert far.items == ()


def test_a_slip_of_the_hand_is_left_out_and_said() -> None:
    read = read_counts([9, 12, 11, "1,234", 8, 10, 13, 12])
    assert read.rules == {3: "count-unlikely"}
    assert np.isnan(read.values[3])
    assert read_counts([9, 12, 11, 1234]).rules == {}  # too few to tell
    assert read_counts([0, 0, 0, 0, 0, 0, 15]).rules == {}
    assert read_counts([10, 11, 12, 60, 62, 58, 61, 60]).rules == {}  # a lasting change
