"""Assessments and children in need: how many are open, and how long they last.

From the optional Lists 4 and 6. Each child with a case is counted once: in care or on
a plan (Lists 8 and 7) before in need, in need before in assessment, as Annex A orders
a case's status. List 6 holds all of them, so children of Lists 7 and 8 are taken out::

    List 6    |-- assessment --|-- in need --|-- on a plan --|-- in need --|  closed
    List 4    |================|                              (its first assessment)
    List 7                                   |===============|
    counted                     |xxxxxxxxxxxxx               |xxxxxxxxxxxxx

The lists hold who is open or ended within their months, so stays are seen from the
window's start on (delayed entry) and up to the census date (censoring).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pandas as pd

from demand_model.annex_a.checked import Lists
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.exposure.mean_stay import MeanStay, Stay, mean_stay

_ADULT = pd.DateOffset(years=18)
_ASSESSMENT_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
_NEED_EDGES = (0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0)
"""Lower edges of duration bands, in months."""
_FIRST_ASSESSMENT_DAYS = 14
"""An assessment that starts so soon after a need begins is the one that need began with."""
_AFTER_ASSESSMENT = ("RC8", "RC9")
_IN_ASSESSMENT = "Open assessment"
_ELSEWHERE = ("Looked after child", "Child protection plan")
_CLOSED = "Closed episode"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoorCounts:
    """What Lists 4 and 6 say at the census date; ``None`` where a list is not given.

    Attributes
    ----------
    assessments_open
        Children whose assessment is open and who have no other case: not in need, on a
        plan or in care.
    cin_open
        Children in need who are neither on a plan nor in care, nor only in assessment.
    assessments, in_need
        Average stays; ``None`` also where too few have ended.
    findings
        Notes on who was counted where.
    """

    assessments_open: int | None = None
    cin_open: int | None = None
    assessments: MeanStay | None = None
    in_need: MeanStay | None = None
    findings: Findings = field(default_factory=Findings)

    @property
    def assessment_months(self) -> float | None:
        """Average length of an assessment."""
        return self.assessments.months if self.assessments else None

    @property
    def cin_months(self) -> float | None:
        """Average time as a child in need, until closed, on a plan or in care."""
        return self.in_need.months if self.in_need else None


def front_door_counts(lists: Lists) -> FrontDoorCounts:
    """Count open assessments and children in need, and fit how long both last.

    Parameters
    ----------
    lists
        From `check`; without Lists 4 and 6 every count is ``None``.
    """
    assessed = _open_ids(lists.assessments)
    need, findings = _in_need_now(lists, assessed)
    in_need: set[str] = set() if need is None else need
    waiting: int | None = None
    if lists.assessments is not None:
        elsewhere = _open_ids(lists.plans) | _open_ids(lists.care) | in_need
        waiting = len(assessed - elsewhere)
        findings = [*_say_assessments(len(assessed), waiting), *findings]
    return FrontDoorCounts(
        assessments_open=waiting,
        cin_open=None if need is None else len(need),
        assessments=_assessment_stay(lists),
        in_need=_need_stay(lists),
        findings=Findings(tuple(findings)),
    )


def front_door_words(counts: FrontDoorCounts) -> str:
    """Say what Lists 4 and 6 show, in a sentence; empty where neither is given."""
    said = [
        f"{name} {count:,} (List {number}{_average(stay)})"
        for name, number, count, stay in (
            ("in assessment", 4, counts.assessments_open, counts.assessments),
            ("in need without plan or care", 6, counts.cin_open, counts.in_need),
        )
        if count is not None
    ]
    return f"Children counted at the census date: {', '.join(said)}." if said else ""


def _average(stay: MeanStay | None) -> str:
    if stay is None:
        return "; too few have ended to tell how long they last"
    return f"; {stay.months:.1f} months on average, from {stay.ends:,} ends"


# ---------------------------------------------------------------- who is where now


def _open_ids(frame: pd.DataFrame | None) -> set[str]:
    return set() if frame is None else set(frame.loc[frame["end"].isna(), "child_id"])


def _in_need_now(lists: Lists, assessed: set[str]) -> tuple[set[str] | None, list[Finding]]:
    """Children in need now who are in no other stock; ``None`` without List 6."""
    if lists.children_in_need is None:
        return None, []
    frame = lists.children_in_need
    now = frame[frame["end"].isna()]
    elsewhere = now["child_id"].isin(list(_open_ids(lists.plans) | _open_ids(lists.care)))
    waiting = ~elsewhere & _only_assessed(now, lists, assessed)
    counted = now[~elsewhere & ~waiting]
    status = counted["case_status"]
    return set(counted["child_id"]), [
        *_say_need(len(now), len(counted), int(elsewhere.sum()), int(waiting.sum())),
        *_say_status(int(status.isin(_ELSEWHERE).sum()), int((status == _CLOSED).sum())),
    ]


def _only_assessed(now: pd.DataFrame, lists: Lists, assessed: set[str]) -> pd.Series:
    """Whether a need is no more than its first assessment: by its status, else by List 4."""
    unknown = now["case_status"].isna()
    first = _first_assessments(now, lists)
    open_first = {child for child, (_, end) in first.items() if end is None}
    still = now["child_id"].isin(list(open_first & assessed))
    return (now["case_status"] == _IN_ASSESSMENT) | (unknown & still)


def _first_assessments(
    needs: pd.DataFrame, lists: Lists
) -> dict[str, tuple[pd.Timestamp, pd.Timestamp | None]]:
    """The assessment that each child's need began with, where List 4 holds it: start and end."""
    if lists.assessments is None:
        return {}
    began = dict(zip(needs["child_id"], needs["start"], strict=True))
    ordered = lists.assessments.sort_values(["child_id", "start"], kind="stable")
    found: dict[str, tuple[pd.Timestamp, pd.Timestamp | None]] = {}
    for child, start, end in zip(
        ordered["child_id"], ordered["start"], ordered["end"], strict=True
    ):
        if child not in began or child in found:
            continue
        soon = start <= began[child] + timedelta(days=_FIRST_ASSESSMENT_DAYS)
        if soon and (pd.isna(end) or end >= began[child]):
            found[child] = (start, None if pd.isna(end) else end)
    return found


# ---------------------------------------------------------------- what is said


def _finding(number: int, rule: str, severity: Severity, message: str, count: int) -> Finding:
    return Finding(
        list_number=number, sheet="", cell="", rule=rule, severity=severity, message=message,
        count=max(1, count),
    )  # fmt: skip


def _say_assessments(is_open: int, counted: int) -> list[Finding]:
    message = (
        f"Children of List 4 whose assessment is open: {is_open:,}. Counted in assessment: "
        f"{counted:,}; already in need, on a plan or in care: {is_open - counted:,}."
    )
    return [_finding(4, "assessments-counted", Severity.NOTE, message, is_open)]


def _say_need(is_open: int, counted: int, elsewhere: int, waiting: int) -> list[Finding]:
    message = (
        f"Open cases of List 6: {is_open:,}. Counted as children in need: {counted:,}; on a plan "
        f"or in care (Lists 7 and 8): {elsewhere:,}; in their first assessment: {waiting:,}."
    )
    return [_finding(6, "in-need-counted", Severity.NOTE, message, is_open)]


def _say_status(elsewhere: int, closed: int) -> list[Finding]:
    said = []
    if elsewhere:
        message = (
            "Open cases with a status of looked after or on a plan that Lists 7 and 8 do not "
            f"show open: {elsewhere:,}. They count as children in need."
        )
        said.append(_finding(6, "status-not-in-lists", Severity.WARN, message, elsewhere))
    if closed:
        message = (
            f"Cases with a status of closed but no closure date: {closed:,}. They count as open."
        )
        said.append(_finding(6, "status-closed-without-date", Severity.WARN, message, closed))
    return said


# ---------------------------------------------------------------- lengths of stay


def _assessment_stay(lists: Lists) -> MeanStay | None:
    frame = lists.assessments
    if frame is None:
        return None
    stays = list(_rows(frame))
    opens = pd.Timestamp(lists.optional_windows[4].start)
    return mean_stay(stays, opens, pd.Timestamp(lists.census_date), _ASSESSMENT_EDGES)


def _rows(frame: pd.DataFrame) -> Iterator[Stay]:
    adult = frame["date_of_birth"] + _ADULT
    ends = zip(frame["start"], frame["end"], adult, strict=True)
    for start, end, birthday in ends:
        yield start, None if pd.isna(end) else end, bool(pd.isna(birthday) or end < birthday)


def _need_stay(lists: Lists) -> MeanStay | None:
    frame = lists.children_in_need
    if frame is None:
        return None
    # Plans and care that ended before their lists begin are not seen: nor is time before.
    opens = max(lists.optional_windows[6].start, lists.windows[7].start, lists.windows[8].start)
    other: dict[str, list[tuple[pd.Timestamp, pd.Timestamp | None]]] = {}
    for spells in (lists.plans, lists.care):
        for child, start, end in zip(spells["child_id"], spells["start"], spells["end"],
                                     strict=True):  # fmt: skip
            other.setdefault(child, []).append((start, None if pd.isna(end) else end))
    first = _first_assessments(frame, lists)
    stays: list[Stay] = []
    waiting = (frame["end"].isna() & (frame["case_status"] == _IN_ASSESSMENT)) | frame[
        "reason_closed"
    ].isin(_AFTER_ASSESSMENT)
    for child, skip, stay in zip(frame["child_id"], waiting, _rows(frame), strict=True):
        begun = _after_assessment(stay, first.get(child))
        if begun is not None and not skip:
            stays += _between(begun, sorted(other.get(child, []), key=lambda s: s[0]))
    return mean_stay(stays, pd.Timestamp(opens), pd.Timestamp(lists.census_date), _NEED_EDGES)


def _after_assessment(
    stay: Stay, assessment: tuple[pd.Timestamp, pd.Timestamp | None] | None
) -> Stay | None:
    """The stay from the end of the assessment that it began with; ``None`` if none is left."""
    if assessment is None:
        return stay
    start, end, is_end = stay
    done = assessment[1]
    if done is None or (end is not None and done >= end):
        return None
    return max(start, done), end, is_end


def _between(
    stay: Stay, spells: Sequence[tuple[pd.Timestamp, pd.Timestamp | None]]
) -> Iterator[Stay]:
    """Parts of a stay outside spells on a plan or in care; moving there ends a part."""
    at, end, is_end = stay
    for start, until in spells:
        if end is not None and start >= end:
            break
        if start > at:
            yield at, start, True
        if until is None:
            return
        at = max(at, until)
    if end is None or at < end:
        yield at, end, is_end
