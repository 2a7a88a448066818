"""Scenarios: a name and a list of changes, each an object.

A change acts on a named flow from a date, until a date, over a ramp; a lockdown
also keeps account of the need that it hides. Scenarios hold dates, never clocks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL, Flow
from demand_model.system.equations import SYSTEM_LEVERS

_NOT_SIMULATED = (Flow.REFERRAL_NFA, Flow.RE_REFERRALS)


def _check_span(what: str, start: date, end: date | None) -> None:
    if end is not None and end <= start:
        raise InvalidSettingError(
            f"Invalid end of {what}: {end:%d/%m/%Y}. The end must be after the start, "
            f"{start:%d/%m/%Y}."
        )


def _check_flow(flow: Flow) -> None:
    if flow in _NOT_SIMULATED:
        can = ", ".join(f.value for f in Flow if f not in _NOT_SIMULATED)
        raise InvalidSettingError(
            f"Invalid flow: {flow.value}. It is fitted and shown but does not drive the "
            f"simulation, so a scenario cannot change it. It must be one of: {can}."
        )


def _check_at_least(what: str, value: float, least: float = 0.0) -> None:
    if not value >= least:
        raise InvalidSettingError(f"Invalid {what}: {value}. It must be {least:g} or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiply:
    """Multiply a flow by `factor` from `start` (until `end`, exclusive).

    The factor moves linearly from 1 to its value over `ramp_months`, and is 1
    again after `end`. `segment` is a source group for referrals, else "all".
    """

    flow: Flow
    factor: float
    start: date
    end: date | None = None
    segment: str = ALL
    ramp_months: float = 0.0

    def __post_init__(self) -> None:
        _check_flow(self.flow)
        _check_span("the change", self.start, self.end)
        _check_at_least("factor", self.factor)
        _check_at_least("ramp in months", self.ramp_months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Add `per_month` children a month to an area flow (referrals, other or UASC starts)."""

    flow: Flow
    per_month: float
    start: date
    end: date | None = None
    segment: str = ALL
    ramp_months: float = 0.0

    def __post_init__(self) -> None:
        _check_flow(self.flow)
        _check_span("the change", self.start, self.end)
        _check_at_least("ramp in months", self.ramp_months)
        if not math.isfinite(self.per_month):
            raise InvalidSettingError(f"Invalid per_month: {self.per_month}. It must be a number.")
        if not self.flow.is_area_flow:
            raise InvalidSettingError(
                f"Invalid flow for Add: {self.flow.value}. Add needs a flow counted in children "
                "a month (referrals, other plan starts, other care starts or UASC starts); "
                "use Multiply for a rate."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """Set a flow to `value`: children a month for an area flow, else a rate.

    For an exit flow the value is the overall rate a child-month: every band is
    scaled by value / (fitted rate at the opening stock). For a conversion it is
    the share of referrals.
    """

    flow: Flow
    value: float
    start: date
    end: date | None = None
    segment: str = ALL
    ramp_months: float = 0.0

    def __post_init__(self) -> None:
        _check_flow(self.flow)
        _check_span("the change", self.start, self.end)
        _check_at_least("value", self.value)
        _check_at_least("ramp in months", self.ramp_months)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockdown:
    """Referrals fall, exits slow, and some of the need that was hidden returns.

    Attributes
    ----------
    start, end
        First day, and the first day after (referrals fall within these).
    referrals
        Multiplier of referrals by source group; "all" stands for those not named.
    plan_ends, care_ends
        Multipliers of these rates while it lasts.
    share_returning
        Share (0 to 1) of the suppressed referrals that come back.
    return_delay_months, return_spread_months
        Return starts this long after the end and is spread evenly over this long.
    severity
        Conversion to plans and care of a referral that returns, relative to an
        ordinary one.
    new_normal
        Multiplier of referrals after the end.
    """

    start: date
    end: date
    referrals: Mapping[str, float] = field(default_factory=lambda: {ALL: 1.0})
    plan_ends: float = 1.0
    care_ends: float = 1.0
    share_returning: float = 0.0
    return_delay_months: float = 1.0
    return_spread_months: float = 6.0
    severity: float = 1.0
    new_normal: float = 1.0

    def __post_init__(self) -> None:
        _check_span("the lockdown", self.start, self.end)
        for source, multiplier in self.referrals.items():
            _check_at_least(f"referrals multiplier of {source}", multiplier)
        _check_at_least("multiplier of plan ends", self.plan_ends)
        _check_at_least("multiplier of care ends", self.care_ends)
        _check_at_least("return delay in months", self.return_delay_months)
        _check_at_least("return spread in months", self.return_spread_months)
        _check_at_least("severity", self.severity)
        _check_at_least("new normal", self.new_normal)
        if not 0.0 <= self.share_returning <= 1.0:
            raise InvalidSettingError(
                f"Invalid share returning: {self.share_returning}. It must be from 0 to 1."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiplySystem:
    """Multiply what the system works out itself by `factor` from `start` (until `end`, exclusive).

    `target` is one of `demand_model.system.equations.SYSTEM_LEVERS`, such as ``nfa_share``
    (a higher threshold at the front door), ``ideal_caseload``, or ``free_places``: what free
    places do to entries to care, of which 0 leaves nothing. The factor moves linearly from
    1 over `ramp_months`.
    """

    target: str
    factor: float
    start: date
    end: date | None = None
    ramp_months: float = 0.0

    def __post_init__(self) -> None:
        if self.target not in SYSTEM_LEVERS:
            raise InvalidSettingError(
                f"Invalid target: {self.target}. It must be one of: {', '.join(SYSTEM_LEVERS)}."
            )
        _check_span("the change", self.start, self.end)
        _check_at_least("factor", self.factor)
        _check_at_least("ramp in months", self.ramp_months)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPosts:
    """Add posts of social workers (FTE; below 0: take away) from `start`, over `ramp_months`.

    They are recruited for at once and begin after the recruitment delay. Posts that were
    to be there by the census date are among the workforce of that day: they add nothing.
    """

    workers: float
    start: date
    ramp_months: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.workers):
            raise InvalidSettingError(f"Invalid workers: {self.workers}. It must be a number.")
        if not self.ramp_months > 0.0:
            raise InvalidSettingError(
                f"Invalid ramp in months: {self.ramp_months}. It must be above 0."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPlaces:
    """Add places of the authority's own from `start`, and fill them with children in care.

    What links from places see; where children live is worked out by
    `demand_model.results.placements`. Without a number of own places it does nothing.

    Attributes
    ----------
    places
        How many open on that day.
    moved_in
        Children who move into own places from others, less those whose own place is left.
    fill_months
        Months over which they move, evenly; until then the places stand free. 0: at once.
    """

    places: float
    start: date
    moved_in: float = 0.0
    fill_months: float = 0.0

    def __post_init__(self) -> None:
        _check_at_least("places", self.places)
        _check_at_least("months until places are filled", self.fill_months)
        if not self.moved_in <= self.places:
            raise InvalidSettingError(
                f"Invalid number of children who move in: {self.moved_in}. It must be "
                f"{self.places:g} or less, the places there are."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveIntoOwnPlaces:
    """Let more of the children in care live in the authority's own places than today.

    Attributes
    ----------
    shares
        Share of children in care beyond today's (below 0: fewer), in each month of the
        forecast; the last one stays.
    """

    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        wrong = [share for share in self.shares if not -1.0 <= share <= 1.0]
        if wrong or not self.shares:
            raise InvalidSettingError(
                f"Invalid shares in own places: {wrong[0] if wrong else 'none'}. There must be "
                "one a month, from -1 to 1."
            )


FlowChange = Multiply | Add | Overwrite
PlacesChange = AddPlaces | MoveIntoOwnPlaces
SystemChange = MultiplySystem | AddPosts | PlacesChange
Change = FlowChange | Lockdown | SystemChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named list of changes; no change at all is the baseline."""

    name: str
    changes: tuple[Change, ...] = ()
    description: str = ""


BASELINE = Scenario(name="Baseline", description="What is happening now goes on.")
