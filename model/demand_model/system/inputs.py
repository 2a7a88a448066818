"""What the System sheet gives: links, workforce, front door and placements.

Shares are from 0 to 1, durations are average lengths in months, workers are
full-time equivalents. Every default stands in `assumptions` with its source.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from demand_model.errors import InvalidSettingError
from demand_model.system.assumptions import UNIT_COSTS, Assumption, default
from demand_model.system.links import LINKS, CausalLink

__all__ = [
    "PLACEMENT_GROUPS",
    "TAKEN_NAMES",
    "Assumption",
    "FrontDoor",
    "PlacementGroup",
    "Placements",
    "SystemInputs",
    "Workforce",
]


def _check(what: str, value: float | None, least: float, most: float = math.inf) -> None:
    """Refuse a value outside ``[least, most]``; ``None`` is no value."""
    if value is None or (least <= value <= most and math.isfinite(value)):
        return
    span = f"{least:g} or more" if math.isinf(most) else f"from {least:g} to {most:g}"
    raise InvalidSettingError(f"Invalid {what}: {value}. It must be {span}.")


def _check_fields(of: Workforce | FrontDoor, shares: tuple[str, ...], least: float = 0.0) -> None:
    for one in fields(of):
        what = one.name.replace("_", " ")
        _check(what, getattr(of, one.name), least, 1.0 if one.name in shares else math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workforce:
    """Social workers who hold cases.

    Attributes
    ----------
    workers_fte
        In post, agency included; ``None``: today's cases / `cases_per_worker`.
    starters_a_month
        ``None``: as many as leave now.
    agency_share
        Of `workers_fte`; `agency_cover` is the share of any further vacancy that
        agency workers fill.
    assessment_weight, cin_weight, plan_weight, care_weight
        Cases a child counts for.

    Raises
    ------
    InvalidSettingError
        A value outside its range.
    """

    workers_fte: float | None = None
    cases_per_worker: float = default("cases_per_worker")
    ideal_caseload: float = default("ideal_caseload")
    vacancy_share: float = default("vacancy_share")
    leavers_a_year: float = default("leavers_a_year")
    starters_a_month: float | None = None
    agency_share: float = default("agency_share")
    agency_cover: float = default("agency_cover")
    absence_share: float = default("absence_share")
    recruitment_delay_months: float = default("recruitment_delay_months")
    assessment_weight: float = default("assessment_weight")
    cin_weight: float = default("cin_weight")
    plan_weight: float = default("plan_weight")
    care_weight: float = default("care_weight")
    cost_per_worker_a_year: float = default("cost_per_worker_a_year")
    cost_per_agency_worker_a_year: float = default("cost_per_agency_worker_a_year")

    def __post_init__(self) -> None:
        _check_fields(self, ("agency_cover",))
        for name in ("vacancy_share", "agency_share", "absence_share"):
            _check(name.replace("_", " "), getattr(self, name), 0.0, 0.95)
        for name in ("cases_per_worker", "ideal_caseload"):
            _check(name.replace("_", " "), getattr(self, name), 0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """From referral to assessment and child in need.

    Attributes
    ----------
    nfa_share
        Referrals closed without further action; ``None``: as in List 3.
    cin_share
        Assessments after which a child becomes a child in need.
    re_referral_share
        Referrals that are re-referrals; also the chance that a referral closed
        under pressure comes back, on average after `re_referral_months`.
    marginal_need
        Chance of a plan or of care of the referrals at the threshold, relative to
        the average referral that is taken up.

    Raises
    ------
    InvalidSettingError
        A value outside its range.
    """

    nfa_share: float | None = None
    assessment_months: float = default("assessment_months")
    cin_share: float = default("cin_share")
    cin_months: float = default("cin_months")
    re_referral_share: float = default("re_referral_share")
    re_referral_months: float = default("re_referral_months")
    marginal_need: float = default("marginal_need")

    def __post_init__(self) -> None:
        _check_fields(self, ("cin_share", "re_referral_share", "marginal_need"))
        _check("nfa share", self.nfa_share, 0.0, 0.95)
        for name in ("assessment_months", "cin_months", "re_referral_months"):
            _check(name.replace("_", " "), getattr(self, name), 0.25)


OWN_PREFIX = "own "
"""A group of this prefix takes what the authority itself provides: "own residential"."""

TAKEN_NAMES = frozenset({"all", "workers"})
"""What the tables of children and costs by group also hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementGroup:
    """A kind of placement, at the grain that costs differ.

    Attributes
    ----------
    weekly_cost
        £ a child a week.
    is_internal
        The authority's own; else bought from others.
    capacity
        Places there are; ``None``: no limit.
    """

    name: str
    label: str
    weekly_cost: float
    is_internal: bool
    capacity: float | None = None

    def __post_init__(self) -> None:
        if self.name.removeprefix(OWN_PREFIX) in TAKEN_NAMES:
            raise InvalidSettingError(
                f"Invalid placement group: {self.name}. The results use this name for something "
                "else; give the group another one."
            )
        _check(f"weekly cost of {self.label}", self.weekly_cost, 0.0)
        _check(f"places of {self.label}", self.capacity, 0.0)


_INTERNAL = ("kinship", "own fostering", "adoption", "with parents")

PLACEMENT_GROUPS: tuple[PlacementGroup, ...] = tuple(
    PlacementGroup(
        name=cost.key,
        label=cost.label,
        weekly_cost=default(cost.key),
        is_internal=cost.key in _INTERNAL,
    )
    for cost in UNIT_COSTS
)
"""Placement groups with their default costs; none has a limit until one is entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placements:
    """Where children in care live, and what it costs.

    Attributes
    ----------
    mix
        Share of the entrants of an age group (``CARE_SEGMENTS``) who go to each
        group of placements; an age group that is missing follows today's mix.
    moves
        (from group, to group) to the share of children a month who move so.
    inflation_a_year
        Growth of unit costs.
    overflow
        Group that takes those for whom a group with a limit has no place.
    agency_fostering_share
        Of fostering placements whose provider the lists do not say.

    Raises
    ------
    InvalidSettingError
        A share outside 0 to 1, a mix that does not add up to 1, an unknown group.
    """

    groups: tuple[PlacementGroup, ...] = PLACEMENT_GROUPS
    mix: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    moves: Mapping[tuple[str, str], float] = field(default_factory=dict)
    inflation_a_year: float = default("inflation_a_year")
    overflow: str = "agency fostering"
    agency_fostering_share: float = default("agency_fostering_share")

    def __post_init__(self) -> None:
        _check("inflation a year", self.inflation_a_year, -0.5, 1.0)
        _check("agency fostering share", self.agency_fostering_share, 0.0, 1.0)
        self._check_group("overflow group", self.overflow)
        for age, shares in self.mix.items():
            for name, share in shares.items():
                self._check_group(f"placement group of entrants {age}", name)
                _check(f"share of entrants {age} in {name}", share, 0.0, 1.0)
            if not math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6):
                raise InvalidSettingError(
                    f"Invalid mix of entrants {age}: it adds up to {sum(shares.values()):.3f}. "
                    "The shares must add up to 1."
                )
        for (start, end), share in self.moves.items():
            self._check_group("placement group of a move", start)
            self._check_group("placement group of a move", end)
            _check(f"share moving from {start} to {end}", share, 0.0, 1.0)

    def _check_group(self, what: str, name: str) -> None:
        known = [group.name for group in self.groups]
        if name not in known:
            raise InvalidSettingError(
                f"Invalid {what}: {name}. It must be one of: {', '.join(known)}."
            )

    @property
    def places(self) -> float | None:
        """The authority's own places, over groups with a limit; ``None``: no limit is given."""
        known = [g.capacity for g in self.groups if g.is_internal and g.capacity is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemInputs:
    """All that the System sheet gives. `workforce` is ``None`` where it is left out."""

    links: tuple[CausalLink, ...] = LINKS
    workforce: Workforce | None = field(default_factory=Workforce)
    front_door: FrontDoor = field(default_factory=FrontDoor)
    placements: Placements = field(default_factory=Placements)
