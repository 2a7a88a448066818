"""What sheet What-if lets a reader move, and the engine's scenario of the same meaning.

Every lever but those of the lockdown's shape is a change as a share: -0.1 is a tenth
less, 0 is neutral. Levers hold from a month on, to the end; the lockdown has a month
of its own. Months are counted from the first month of the forecast, which is 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.simulation.scenario import Change, Lockdown, Multiply, Scenario
from demand_model.units import add_months

LEAST_CHANGE, MOST_CHANGE = -1.0, 2.0
"""Changes of referrals, conversions and entries, as shares: the formulas are linear in these."""

LEAST_ENDS, MOST_ENDS = -0.6, 1.0
"""Changes of the rates of ends: beyond these the formulas leave what they were fitted to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfLevers:
    """The blue cells of sheet What-if; by default neutral.

    Attributes
    ----------
    start_after_months
        First month in which the changes hold, the lockdown's apart.
    referrals, referrals_by_source
        Change of referrals from all sources; on top of it of one source group's.
    conversion_to_plans
        Change of plans started a referral.
    entries_to_care
        Change of starts of care by every route but UASC.
    uasc_entries
        Change of starts of care of unaccompanied asylum-seeking children.
    plan_ends
        Change of the rate at which plans end.
    care_ends_home
        Change of the rate at which children in care go home (reunification).
    care_ends_other
        Change of the rate of all other ends of care; 18th birthdays do not move.
    lockdown_after_months, lockdown_months
        First month of a lockdown, and how many months it lasts; 0 is no lockdown.
    lockdown_fall, lockdown_fall_by_source
        Share of referrals that is not made while it lasts (0 to 1); by source group
        where that differs.
    lockdown_plan_ends, lockdown_care_ends
        Change of the rates of ends while it lasts.
    share_returning, return_delay_months, return_spread_months
        As in `Lockdown`.
    """

    start_after_months: int = 0
    referrals: float = 0.0
    referrals_by_source: Mapping[str, float] = field(default_factory=dict)
    conversion_to_plans: float = 0.0
    entries_to_care: float = 0.0
    uasc_entries: float = 0.0
    plan_ends: float = 0.0
    care_ends_home: float = 0.0
    care_ends_other: float = 0.0
    lockdown_after_months: int = 6
    lockdown_months: int = 0
    lockdown_fall: float = 0.25
    lockdown_fall_by_source: Mapping[str, float] = field(default_factory=dict)
    lockdown_plan_ends: float = -0.08
    lockdown_care_ends: float = -0.10
    share_returning: float = 0.05
    return_delay_months: float = 2.0
    return_spread_months: float = 6.0

    def __post_init__(self) -> None:
        for name in _CHANGES:
            _check(name, getattr(self, name), LEAST_CHANGE, MOST_CHANGE)
        for name in _ENDS:
            _check(name, getattr(self, name), LEAST_ENDS, MOST_ENDS)
        for name in ("lockdown_fall", "share_returning"):
            _check(name, getattr(self, name), 0.0, 1.0)
        for name in _MONTHS:
            _check(name, getattr(self, name), 0.0, math.inf)
        for source, change in self.referrals_by_source.items():
            _check_source(source)
            _check(f"referrals of {source}", change, LEAST_CHANGE, MOST_CHANGE)
        for source, fall in self.lockdown_fall_by_source.items():
            _check_source(source)
            _check(f"fall of {source}", fall, 0.0, 1.0)


_CHANGES = ("referrals", "conversion_to_plans", "entries_to_care", "uasc_entries")
_ENDS = (
    "plan_ends",
    "care_ends_home",
    "care_ends_other",
    "lockdown_plan_ends",
    "lockdown_care_ends",
)
_MONTHS = (
    "start_after_months",
    "lockdown_after_months",
    "lockdown_months",
    "return_delay_months",
    "return_spread_months",
)


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        words = name.replace("_", " ")
        raise InvalidSettingError(
            f"Invalid {words}: {value}. It must be from {least:g} to {most:g}."
        )


def _check_source(source: str) -> None:
    if source not in SOURCE_GROUPS:
        raise InvalidSettingError(
            f"Invalid source group: {source!r}. It must be one of: {', '.join(SOURCE_GROUPS)}."
        )


def what_if_scenario(
    levers: WhatIfLevers, first_month: date, *, name: str = "What-if", description: str = ""
) -> Scenario:
    """The engine's scenario with the same meaning as the levers.

    Parameters
    ----------
    first_month
        First day of the forecast's first month, which the months of `levers` are
        counted from (`Trajectories.months[0]`).
    """
    start = add_months(first_month, levers.start_after_months)
    changes: list[Change] = []

    def multiply(flow: Flow, change: float, segment: str = ALL) -> None:
        if change != 0.0:
            changes.append(Multiply(flow=flow, factor=1.0 + change, start=start, segment=segment))

    multiply(Flow.REFERRALS, levers.referrals)
    for source, change in levers.referrals_by_source.items():
        multiply(Flow.REFERRALS, change, source)
    multiply(Flow.REFERRAL_TO_PLAN, levers.conversion_to_plans)
    for flow in (Flow.REFERRAL_TO_CARE, Flow.OTHER_CARE_STARTS, Flow.PLAN_TO_CARE):
        multiply(flow, levers.entries_to_care)
    multiply(Flow.UASC_STARTS, levers.uasc_entries)
    multiply(Flow.PLAN_ENDS, levers.plan_ends)
    for flow in CARE_ENDS:
        home = flow is Flow.CARE_ENDS_HOME
        multiply(flow, levers.care_ends_home if home else levers.care_ends_other)
    if levers.lockdown_months > 0:
        changes.append(_lockdown(levers, first_month))
    return Scenario(name=name, changes=tuple(changes), description=description)


def _lockdown(levers: WhatIfLevers, first_month: date) -> Lockdown:
    start = add_months(first_month, levers.lockdown_after_months)
    kept = {source: 1.0 - fall for source, fall in levers.lockdown_fall_by_source.items()}
    return Lockdown(
        start=start,
        end=add_months(start, levers.lockdown_months),
        referrals={ALL: 1.0 - levers.lockdown_fall, **kept},
        plan_ends=1.0 + levers.lockdown_plan_ends,
        care_ends=1.0 + levers.lockdown_care_ends,
        share_returning=levers.share_returning,
        return_delay_months=levers.return_delay_months,
        return_spread_months=levers.return_spread_months,
    )
