"""The flows that are fitted and simulated, declared once."""

from __future__ import annotations

from enum import StrEnum

ALL = "all"
"""Segment or band that stands for all of them."""

MEASURES = (
    "referrals",
    "cp_starts",
    "cp_ends",
    "cp_open",
    "cla_starts",
    "cla_ends",
    "cla_open",
)
"""What is counted by month: children in the month; ``*_open``: at the month's end."""


class Flow(StrEnum):
    """A movement of children, by the name that rates, scenarios and sheets use."""

    REFERRALS = "referrals"
    REFERRAL_NFA = "referral_nfa"
    RE_REFERRALS = "re_referrals"
    REFERRAL_TO_PLAN = "referral_to_plan"
    REFERRAL_TO_CARE = "referral_to_care"
    OTHER_PLAN_STARTS = "other_plan_starts"
    OTHER_CARE_STARTS = "other_care_starts"
    UASC_STARTS = "uasc_starts"
    PLAN_TO_CARE = "plan_to_care"
    PLAN_ENDS = "plan_ends"
    CARE_ENDS_HOME = "care_ends_home"
    CARE_ENDS_ADOPTION = "care_ends_adoption"
    CARE_ENDS_SGO_CAO = "care_ends_sgo_cao"
    CARE_ENDS_OTHER = "care_ends_other"

    @property
    def is_area_flow(self) -> bool:
        """At risk is the area: counted in children a month, not as a rate a child."""
        return self in (
            Flow.REFERRALS,
            Flow.OTHER_PLAN_STARTS,
            Flow.OTHER_CARE_STARTS,
            Flow.UASC_STARTS,
        )

    @property
    def is_care_end(self) -> bool:
        """One of the reasons for leaving care."""
        return self in CARE_ENDS


CARE_ENDS = (
    Flow.CARE_ENDS_HOME,
    Flow.CARE_ENDS_ADOPTION,
    Flow.CARE_ENDS_SGO_CAO,
    Flow.CARE_ENDS_OTHER,
)
"""Leaving care, by reason group; 18th birthdays are exact and not a rate."""
