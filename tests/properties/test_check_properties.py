"""Generated dirt: no traceback, sums that meet, places named, nothing of a child told."""

from __future__ import annotations

import re
from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demand_model.annex_a import LISTS, CellError, CheckResult, Severity, UncalculatedFormula, check
from list_builders import CENSUS, Rows, at, clean_lists, column, moment, raw_sheets

pytestmark = pytest.mark.properties

_CANARY_ID = 987_650_000
_CANARY_BIRTH = at(2011, 11, 11)
_CANARIES = ("9876500", "ZZ99", "Canary", "2011-11-11", "11/11/2011", "40858")

_DIRT = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "", " ", "\xa0", "N/A", "NULL", "31/12/9999", "01/01/1900", "31/02/2024", "12/31/2023",
            "25/12/2023", "2023-12-25T00:00:00Z", "25-Dec-23", "########", "00:00.0", "Total",
            "Unknown", "q) 6: Police", "=1+1", "@cmd", "x" * 300, "\u202eabc", "😀", "U1", "V4",
            "E4A", "a) Yes", "1.23E+17", "007", "C2", "Child Unique ID", "Date of referral",
        ]
    ),
    st.integers(-(10**6), 10**17),
    st.floats(allow_nan=True, allow_infinity=True),
    st.booleans(),
    st.datetimes(min_value=at(1900, 1, 1), max_value=at(9999, 12, 31)),
    st.times(),
    st.sampled_from([CellError("#N/A"), CellError("#REF!"), UncalculatedFormula()]),
    st.text(max_size=12),
)  # fmt: skip


@st.composite
def dirty_lists(draw: st.DrawFn) -> dict[int, Rows]:
    lists = clean_lists(seed=draw(st.integers(0, 3)), referrals=24, plans=24, care=24)
    for _ in range(draw(st.integers(1, 6))):
        number = draw(st.sampled_from(sorted(lists)))
        row = draw(st.integers(0 if draw(st.integers(0, 9)) == 0 else 1, len(lists[number]) - 1))
        name = draw(st.sampled_from([f.name for f in LISTS[number].fields]))
        lists[number][row][column(number, name)] = draw(_DIRT)
    for _ in range(draw(st.integers(0, 3))):
        number = draw(st.sampled_from(sorted(lists)))
        rows = lists[number]
        match draw(st.sampled_from(["repeat", "blank", "note", "total", "headings", "shift"])):
            case "repeat":
                rows.append(list(rows[draw(st.integers(1, 20))]))
            case "blank":
                rows.insert(draw(st.integers(1, 20)), [])
            case "note":
                rows.append(["Source: the case system"])
            case "total":
                rows.append(["Total", 24])
            case "headings":
                rows.insert(draw(st.integers(2, 20)), list(rows[0]))
            case "shift":
                again = list(rows[draw(st.integers(1, 20))])
                name = "date" if number == 3 else "start"
                old = again[column(number, name)] if len(again) > column(number, name) else None
                if hasattr(old, "year"):
                    again[column(number, name)] = old - timedelta(days=draw(st.integers(0, 400)))
                rows.append(again)
    return lists


def assert_sound(result: CheckResult) -> None:
    for tally in result.tallies:
        assert tally.found == tally.used + sum(tally.set_aside.values())
        told = sum(
            f.count
            for f in result.findings.items
            if f.list_number == tally.list_number and f.rule in tally.set_aside
            and f.severity in (Severity.SET_ASIDE, Severity.CLEANED)
        )  # fmt: skip
        assert told >= sum(tally.set_aside.values())
    for finding in result.findings.items:
        assert finding.message
        assert finding.severity is not Severity.SET_ASIDE or re.fullmatch(
            r"[A-Z]+\d+", finding.cell
        )
    assert (result.lists is None) == bool(result.findings.stops)
    if result.lists is not None:
        check_invariants(result)


def check_invariants(result: CheckResult) -> None:
    lists = result.lists
    assert lists is not None
    census = pd.Timestamp(lists.census_date)
    assert (lists.referrals["date"] <= census).all()
    for number, frame in ((7, lists.plans), (8, lists.care)):
        assert (frame["start"] <= census).all()
        ended = frame["end"].notna()
        assert (frame.loc[ended, "end"] >= frame.loc[ended, "start"]).all()
        assert (frame.loc[ended, "end"] >= pd.Timestamp(lists.windows[number].start)).all()
        for _, rows in frame.sort_values("start").groupby("child_id"):
            later = rows["start"].iloc[1:].reset_index(drop=True)
            assert (later > rows["end"].iloc[:-1].reset_index(drop=True)).all()


@given(dirty_lists())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_dirt_is_judged_without_a_traceback(lists: dict[int, Rows]) -> None:
    assert_sound(check(raw_sheets(lists)))


@given(dirty_lists(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_a_paste_does_not_matter(lists: dict[int, Rows], random) -> None:
    first = check(raw_sheets(lists))
    mixed = {n: [rows[0], *random.sample(rows[1:], len(rows) - 1)] for n, rows in lists.items()}
    second = check(raw_sheets(mixed))
    assert (first.lists is None) == (second.lists is None)
    assert [t.used for t in first.tallies] == [t.used for t in second.tallies]
    if first.lists is not None and second.lists is not None:
        for name in ("referrals", "plans", "care"):
            pd.testing.assert_frame_equal(getattr(first.lists, name), getattr(second.lists, name))


def with_canaries(lists: dict[int, Rows]) -> dict[int, Rows]:
    """Plant tokens in every column that identifies a child."""
    for number, rows in lists.items():
        names = [f.name for f in LISTS[number].fields]
        for i, row in enumerate(rows[1:]):
            row[0] = _CANARY_ID + 10 * i
            row[names.index("date_of_birth")] = _CANARY_BIRTH
            row[names.index("age")] = 12
            row[names.index("worker")] = "Canary Worker"
            row[names.index("team")] = "Canary Team"
            row[names.index("ethnicity")] = "Canary"
            if "placement_postcode" in names:
                row[names.index("placement_postcode")] = "ZZ99 9ZZ"
    return lists


def spoil(lists: dict[int, Rows], number: int, name: str, values: list[object]) -> None:
    for row, value in zip(lists[number][1:], values, strict=False):
        row[column(number, name)] = value


@pytest.mark.parametrize(
    ("number", "name", "values"),
    [
        (3, "child_id", ["Canary Name"] * 24),
        (3, "child_id", [_CANARY_ID * 10**9] * 3),
        (3, "child_id", ["09876500", "9876500", at(2011, 11, 11)]),
        (3, "date_of_birth", ["11/11/2011", "11/13/2011", "13/11/2011", "Canary"]),
        (3, "date_of_birth", [40858] * 3),
        (7, "start", ["Canary 11/11/2011", _CANARY_BIRTH, moment(CENSUS + timedelta(days=900))]),
        (8, "end", [_CANARY_BIRTH] * 4),
        (8, "placement_type", ["ZZ99 9ZZ", "9876500", "canary@example.org", "11/11/2011"]),
        (3, "source", [str(_CANARY_ID + i) for i in range(24)]),
        (8, "age", ["Canary", 987_650_000, -5]),
    ],
)
def test_no_value_of_a_child_is_ever_told(number: int, name: str, values: list[object]) -> None:
    lists = with_canaries(clean_lists(referrals=24, plans=24, care=24))
    spoil(lists, number, name, values)
    result = check(raw_sheets(lists))
    told = result.findings.to_frame().to_csv() + result.unmapped.to_csv() + repr(result.tallies)
    assert len(result.findings.items) > 0
    for canary in _CANARIES:
        assert canary.casefold() not in told.casefold()
