"""Lists 4 and 6: who is in assessment and in need, and how long both last."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model.annex_a.checked import Lists, Window
from demand_model.annex_a.findings import Severity
from demand_model.exposure.front_door import FrontDoorCounts, front_door_counts, front_door_words
from demand_model.exposure.mean_stay import DAYS_PER_MONTH, mean_stay
from engine_cases import care_frame, lists_of, plan_frame

pytestmark = pytest.mark.unit

CENSUS = date(2026, 3, 31)
OPENS = date(2025, 10, 1)
WINDOW = Window(start=OPENS, months=6, detected=True)
BIRTH = "2015-06-01"


def frame_of(rows: list[tuple[str | None, ...]], *more: str) -> pd.DataFrame:
    """Child, start, end, and further columns; every child born on one day."""
    frame = pd.DataFrame(rows, columns=["child_id", "start", "end", *more])
    frame["date_of_birth"] = pd.Timestamp(BIRTH)
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


def need_frame(rows: list[tuple[str | None, ...]]) -> pd.DataFrame:
    return frame_of(rows, "case_status", "reason_closed")


def case(
    assessments: pd.DataFrame | None = None,
    in_need: pd.DataFrame | None = None,
    plans: pd.DataFrame | None = None,
    care: pd.DataFrame | None = None,
) -> Lists:
    plain = lists_of(plans=plans, care=care, census=CENSUS)
    return Lists(
        census_date=CENSUS,
        windows=dict.fromkeys((3, 7, 8), WINDOW),
        referrals=plain.referrals,
        plans=plain.plans,
        care=plain.care,
        tallies=plain.tallies,
        assessments=assessments,
        children_in_need=in_need,
        optional_windows=dict.fromkeys((4, 6), WINDOW),
    )


def test_without_the_lists_nothing_is_counted_and_nothing_said() -> None:
    counts = front_door_counts(lists_of(census=CENSUS))
    assert counts == FrontDoorCounts()
    assert (counts.assessment_months, counts.cin_months) == (None, None)
    assert front_door_words(counts) == ""


def test_each_child_is_counted_once_where_annex_a_puts_it_first() -> None:
    plans = plan_frame([("plan", BIRTH, "2026-01-10", None), ("was", BIRTH, "2025-08-01",
                                                             "2025-12-01")])  # fmt: skip
    care = care_frame([("care", BIRTH, "2024-01-10", None, None)])
    in_need = need_frame(
        [
            ("plan", "2025-06-01", None, "Child protection plan", None),
            ("care", "2023-06-01", None, "Looked after child", None),
            ("was", "2025-06-01", None, "Child in need plan", None),
            ("need", "2025-09-01", None, "Child in need plan", None),
            ("new", "2026-03-20", None, "Open assessment", None),
            ("left", "2025-03-01", "2026-01-05", "Closed episode", "RC7"),
        ]
    )
    assessments = frame_of(
        [
            ("new", "2026-03-20", None),
            ("need", "2026-02-20", None),  # assessed again while in need
            ("plan", "2026-03-01", None),
            ("only", "2026-03-25", None),
            ("left", "2025-03-01", "2025-04-10"),
        ]
    )
    counts = front_door_counts(case(assessments, in_need, plans, care))
    assert counts.cin_open == 2  # "was" and "need"
    assert counts.assessments_open == 2  # "new" and "only"
    said = {f.rule: f.message for f in counts.findings.items}
    assert "assessment is open: 4. Counted in assessment: 2;" in said["assessments-counted"]
    assert (
        "cases of List 6: 5. Counted as children in need: 2; on a plan" in said["in-need-counted"]
    )
    assert all(f.severity is Severity.NOTE for f in counts.findings.items)


def test_without_a_status_list_4_tells_who_is_in_a_first_assessment() -> None:
    in_need = need_frame(
        [
            ("first", "2026-03-01", None, None, None),
            ("again", "2025-03-01", None, None, None),
            ("done", "2026-01-01", None, None, None),
        ]
    )
    assessments = frame_of(
        [
            ("first", "2026-03-03", None),
            ("again", "2026-03-03", None),
            ("done", "2026-01-01", "2026-02-10"),
        ]
    )
    counts = front_door_counts(case(assessments, in_need))
    assert (counts.cin_open, counts.assessments_open) == (2, 1)
    alone = front_door_counts(case(None, in_need))
    assert (alone.cin_open, alone.assessments_open) == (3, None)


def test_a_status_that_lists_7_and_8_do_not_bear_out_is_said() -> None:
    in_need = need_frame(
        [
            ("a", "2025-06-01", None, "Looked after child", None),
            ("b", "2025-06-01", None, "Closed episode", None),
        ]
    )
    counts = front_door_counts(case(None, in_need))
    assert counts.cin_open == 2
    rules = {f.rule: f.count for f in counts.findings.items if f.severity is Severity.WARN}
    assert rules == {"status-not-in-lists": 1, "status-closed-without-date": 1}


def test_an_open_case_of_nobody_is_a_count_of_0() -> None:
    counts = front_door_counts(
        case(frame_of([("a", "2025-09-01", "2025-11-01")]),
             need_frame([("a", "2025-09-01", "2025-12-01", "Closed episode", "RC7")]))
    )  # fmt: skip
    assert (counts.assessments_open, counts.cin_open) == (0, 0)
    assert (counts.assessments, counts.in_need) == (None, None)
    assert "too few have ended" in front_door_words(counts)


def test_mean_stay_by_hand() -> None:
    """Ten stays from the window's first day; five end after 30 days, five are still open."""
    opens, census = pd.Timestamp(OPENS), pd.Timestamp(CENSUS)
    after = opens + pd.Timedelta(days=30)
    stays = [(opens, after, True)] * 5 + [(opens, None, True)] * 5
    found = mean_stay(stays, opens, census, (0.0, 1.0))
    assert found is not None
    open_days = (census - opens).days + 0.5
    at_risk = (5 * 30 + 5 * open_days) / DAYS_PER_MONTH
    assert found.ends == 5
    assert found.months_at_risk == pytest.approx(at_risk)
    assert found.months == pytest.approx(at_risk / 5)  # one band: exposure over occurrences


def test_a_birthday_ends_no_stay_and_four_ends_are_too_few() -> None:
    opens, census = pd.Timestamp(OPENS), pd.Timestamp(CENSUS)
    end = opens + pd.Timedelta(days=40)
    assert mean_stay([(opens, end, True)] * 4, opens, census, (0.0, 1.0)) is None
    assert mean_stay([(opens, end, False)] * 9, opens, census, (0.0, 1.0)) is None
    assert mean_stay([], opens, census, (0.0, 1.0)) is None


def stays_seen(rng: np.random.Generator, months: float, growth: float) -> list[tuple[str, ...]]:
    """Stays of gamma length as a list holds them: open, or ended within the window.

    Starts grow (or fall) by so much a year: what makes stays look too short or too long
    where delayed entry is ignored.
    """
    back = rng.uniform(0.0, 4000.0, 60_000)
    back = back[rng.uniform(size=len(back)) < np.exp(-abs(growth) * back / 365.25)]
    length = np.maximum(rng.gamma(2.0, months * DAYS_PER_MONTH / 2.0, len(back)).round(), 1.0)
    start = pd.Timestamp(CENSUS) - pd.to_timedelta(back.round(), "D")
    end = start + pd.to_timedelta(length, "D")
    seen = end >= pd.Timestamp(OPENS)
    return [
        (f"c{i}", str(s.date()), str(e.date()) if e <= pd.Timestamp(CENSUS) else None)  # type: ignore[misc]
        for i, (s, e) in enumerate(zip(start[seen], end[seen], strict=True))
    ]


@pytest.mark.parametrize("growth", [0.0, 0.6])
@pytest.mark.parametrize("months", [1.6, 8.0])
def test_lengths_of_stay_are_recovered_from_six_months_of_lists(
    months: float, growth: float
) -> None:
    rng = np.random.default_rng(7)
    rows = stays_seen(rng, months, growth)
    counts = front_door_counts(
        case(frame_of(rows), need_frame([(*r, "Child in need plan" if r[2] is None else None,
                                          None if r[2] is None else "RC7") for r in rows]))
        if months > 5
        else case(frame_of(rows))
    )  # fmt: skip
    if months > 5:
        # Every need began with an assessment as long as itself: nothing is left of it.
        assert counts.cin_months is None
        rows_of_need = [(*r, None, None) for r in rows]
        counts = front_door_counts(case(None, need_frame(rows_of_need)))
        assert counts.cin_months == pytest.approx(months, rel=0.05)
    else:
        assert counts.assessment_months == pytest.approx(months, rel=0.05)


def test_time_in_need_stops_on_a_plan_and_goes_on_after_it() -> None:
    """Ten children in need, a plan from November to January, then in need until March."""
    rows = [(f"c{i}", "2025-10-01", "2026-03-01", "Closed episode", "RC7") for i in range(10)]
    plans = plan_frame([(f"c{i}", BIRTH, "2025-11-01", "2026-01-01") for i in range(10)])
    counts = front_door_counts(case(None, need_frame(rows), plans))
    assert counts.in_need is not None
    assert counts.in_need.ends == 20  # moved to a plan; closed
    assert counts.in_need.months_at_risk == pytest.approx(10 * (31 + 59) / DAYS_PER_MONTH, rel=0.01)


def test_closed_after_assessment_was_never_in_need() -> None:
    rows = [(f"c{i}", "2025-11-01", "2026-01-01", "Closed episode", "RC8") for i in range(10)]
    assert front_door_counts(case(None, need_frame(rows))).in_need is None


def test_the_words_tell_counts_and_lengths() -> None:
    rows = [(f"c{i}", "2025-10-01", "2025-11-15") for i in range(6)] + [("o", "2026-03-01", None)]
    words = front_door_words(front_door_counts(case(frame_of(rows))))
    assert words.startswith("Children counted at the census date: in assessment 1 (List 4; 1.")
    assert words.endswith("months on average, from 6 ends).")
