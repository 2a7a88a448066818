"""Where each variable stands in the causal loop diagram: fixed, so that a group knows its way.

The front door is on the left, stocks of children in a column beside it, workers on
the right, the caseload between them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from demand_model.system.drawing import Box, Point, text_box
from demand_model.system.variables import VARIABLES, Kind

_LETTERS_A_LINE = 20

PLACES: Mapping[str, Point] = {
    "referrals": (80.0, 300.0),
    "nfa_share": (290.0, 60.0),
    "nfa_closed": (215.0, 190.0),
    "re_referrals": (80.0, 130.0),
    "assessments_open": (465.0, 160.0),
    "assessment_months": (715.0, 128.0),
    "cin_open": (465.0, 285.0),
    "cin_months": (575.0, 112.0),
    "cp_open": (465.0, 415.0),
    "cla_open": (465.0, 570.0),
    "referral_to_plan": (285.0, 385.0),
    "referral_to_care": (235.0, 560.0),
    "other_plan_starts": (285.0, 445.0),
    "other_care_starts": (690.0, 695.0),
    "uasc_starts": (85.0, 660.0),
    "plan_to_care": (340.0, 505.0),
    "plan_ends": (690.0, 425.0),
    "care_ends": (705.0, 545.0),
    "care_ends_home": (840.0, 490.0),
    "care_ends_adoption": (850.0, 560.0),
    "care_ends_sgo_cao": (840.0, 630.0),
    "care_ends_other": (820.0, 705.0),
    "cases": (710.0, 290.0),
    "workers": (990.0, 605.0),
    "vacancy_share": (1150.0, 640.0),
    "leavers": (1072.0, 450.0),
    "starters": (1140.0, 325.0),
    "absence_share": (952.0, 430.0),
    "caseload": (865.0, 290.0),
    "ideal_caseload": (1050.0, 205.0),
    "caseload_ratio": (930.0, 80.0),
    "spare_places": (290.0, 700.0),
    "occupancy": (465.0, 695.0),
}
"""Centre of each variable of `VARIABLES`, in pixels of `demand_model.system.drawing`."""


def map_label(name: str) -> str:
    """The variable's label, broken into short lines."""
    return "\n".join(textwrap.wrap(VARIABLES[name].label, _LETTERS_A_LINE))


def map_box(name: str) -> Box:
    """Room that the variable takes in the diagram."""
    is_bold = VARIABLES[name].kind is Kind.STOCK
    return text_box(PLACES[name], map_label(name), is_bold=is_bold)
