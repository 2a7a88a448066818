"""Annex A Lists 4 (assessments) and 6 (children in need): optional.

The forecast does without them; where they are given they say how many assessments
and children in need are open. Headings are verbatim and in official order.
"""

from __future__ import annotations

from collections.abc import Mapping

from demand_model.annex_a.code_sets import CASE_STATUS, REASON_CLOSED, YES_NO, YES_NO_UNKNOWN
from demand_model.annex_a.lists import LISTS, AnnexAList, Field, Kind, Need

_COMMON = LISTS[7]
"""Columns about the child are the same in every list."""
_CHILD = tuple(
    _COMMON.field(name)
    for name in ("child_id", "gender", "ethnicity", "date_of_birth", "age", "disability")
)
_CASE = (_COMMON.field("team"), _COMMON.field("worker"))

_LIST_4 = AnnexAList(
    number=4,
    title="List 4: Assessments",
    fields=(
        *_CHILD,
        Field(
            name="start",
            heading="Continuous Assessment Start Date",
            kind=Kind.DATE,
            need=Need.NEEDED,
            # List 2 (early help) shares the bare heading: `recognise` asks for more than that.
            synonyms=(
                "Assessment Start Date", "Start Date of Assessment", "Date Assessment Started",
                "Assessment Started", "Assessment Start", "CA Start Date",
                "Continuous Assessment Start", "Start Date of Continuous Assessment",
                "Continuous Assessment Started", "Single Assessment Start Date",
                "C&F Assessment Start Date", "Child and Family Assessment Start Date",
                "Assessment Actual Start Date",
            ),
        ),
        Field(
            name="seen",
            heading="Child Seen During Continuous Assessment",
            kind=Kind.YES_NO,
            code_set=YES_NO_UNKNOWN,
            synonyms=("Child Seen", "Child Seen During Assessment", "Seen During Assessment"),
        ),
        Field(
            name="end",
            heading="Continuous Assessment Date of Authorisation",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "Continuous Assessment Authorisation Date", "Assessment Authorisation Date",
                "Assessment Authorised Date", "Date of Authorisation", "Authorisation Date",
                "Date Authorised", "Date Assessment Authorised", "CA Authorisation Date",
                "Assessment Date of Authorisation", "Assessment Date Authorised",
                "Continuous Assessment Date Authorised", "Continuous Assessment End Date",
                "Single Assessment Authorisation Date", "C&F Assessment Authorisation Date",
                "Single Assessment End Date", "C&F Assessment End Date",
                "Child and Family Assessment End Date",
            ),
        ),
        Field(
            name="support",
            heading="Was the child assessed as requiring LA children’s social care support",
            kind=Kind.YES_NO,
            code_set=YES_NO,
            synonyms=(
                "Requires Social Care Support", "Assessed as Requiring Support",
                "Was the child assessed as being in need at assessment",
                "Required Social Care Support",
            ),
        ),
        *_CASE,
    ),
)  # fmt: skip

_LIST_6 = AnnexAList(
    number=6,
    title="List 6: Children in need",
    fields=(
        *_CHILD,
        Field(
            name="start",
            heading="CIN Start Date",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "Child in Need Start Date", "CIN Start", "Start Date of CIN",
                "CIN Episode Start Date", "CIN Period Start Date", "Date CIN Started",
                "CIN Started", "CIN Plan Start Date", "Episode of Need Start Date",
                "Children in Need Start Date",
            ),
        ),
        Field(
            name="primary_need",
            heading="Primary Need Code",
            synonyms=("Primary Need", "CIN Primary Need", "CIN Primary Need Code"),
        ),
        Field(
            name="last_seen",
            heading="Date Child Was Last Seen",
            kind=Kind.DATE,
            synonyms=("Date Child Last Seen", "Child Last Seen", "Last Seen Date"),
        ),
        Field(
            name="end",
            heading="CIN Closure Date",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "Child in Need Closure Date", "CIN End Date", "CIN Closed Date", "CIN Close Date",
                "CIN End", "CIN Closure", "Date CIN Closed", "CIN Episode End Date",
                "CIN Period End Date", "CIN Plan End Date", "Date of CIN Closure",
                "Episode of Need End Date", "Child in Need End Date",
            ),
        ),
        Field(
            name="reason_closed",
            heading="Reason for Closure",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=REASON_CLOSED,
            synonyms=(
                "CIN Reason for Closure", "CIN Closure Reason", "Closure Reason",
                "Reason Closed", "Reason for CIN Closure", "Reason for Closure Code",
            ),
        ),
        Field(
            name="case_status",
            heading="Case status",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=CASE_STATUS,
            synonyms=("Current Case Status", "Status", "CIN Case Status", "Case Status Code"),
        ),
        *_CASE,
    ),
)  # fmt: skip

OPTIONAL_LISTS: Mapping[int, AnnexAList] = {4: _LIST_4, 6: _LIST_6}
"""Lists that the product reads where they are given, by number."""

ALL_LISTS: Mapping[int, AnnexAList] = {**LISTS, **OPTIONAL_LISTS}
"""Every list that the product reads; those that it needs come first."""
