"""Who is followed through a stage: everyone, and groups with enough children, with their curves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.journey_curves import (
    FEWEST,
    STILL,
    Curve,
    Estimate,
    Observed,
    curve_of,
)
from demand_model.results.journey_stages import CARE, PLAN, Stage

EVERYONE = "All"

NEARLY_DAYS = 7.0
"""A horizon is read up to a week early where the lists end there: six months in 182 days."""

FEWEST_OUTCOMES = 20
"""Children who left, below whom a group's outcomes, and times to one, are not told apart."""

_NEARLY_ALL = 0.10
"""Share still there beyond the longest stay seen, up to which shares in the end are given."""

_ORDER = {name: i for i, name in enumerate((*SOURCE_GROUPS, *CARE_SEGMENTS))}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Some of the children of a stage."""

    by: str
    name: str
    observed: Observed
    curve: Curve

    def counts(self, outcomes: int, days: float = math.inf) -> npt.NDArray[np.intp]:
        """Children who left by a time, by outcome, and the rest; shape (outcomes + 1,)."""
        left = (self.observed.outcome != STILL) & (self.observed.leave <= days)
        by_outcome = np.bincount(self.observed.outcome[left], minlength=outcomes)
        return np.append(by_outcome, len(self.observed) - int(left.sum()))

    def has_gone(self, outcome: int) -> int:
        """Children who left for an outcome in the window."""
        return int((self.observed.outcome == outcome).sum())

    @property
    def has_left(self) -> int:
        """Children who left in the window."""
        return int((self.observed.outcome != STILL).sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """A stage, everyone in it, and each family of groups with at least `FEWEST` who left."""

    stage: Stage
    everyone: Group
    families: tuple[tuple[Group, ...], ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """Everyone, and all groups."""
        return (self.everyone, *(group for family in self.families for group in family))


def follow(stage: Stage) -> Followed:
    """Group those under observation in a stage, and draw the curve of each group."""
    there = stage.observed.leave > stage.observed.enter
    families = []
    for by, labels in stage.groups.items():
        names = sorted(set(labels[there]) - {""}, key=lambda name: (_ORDER.get(name, 999), name))
        groups = (_group(stage, by, name, there & (labels == name)) for name in names)
        families.append(tuple(group for group in groups if group.has_left >= FEWEST))
    everyone = _group(stage, "", EVERYONE, there)
    return Followed(stage=stage, everyone=everyone, families=tuple(families))


def _group(stage: Stage, by: str, name: str, who: npt.NDArray[np.bool_]) -> Group:
    mine = stage.observed.where(who)
    curve = curve_of(mine, len(stage.outcomes), bands=stage.bands)
    return Group(by=by, name=name, observed=mine, curve=curve)


def has_end(stage: Stage, curve: Curve) -> bool:
    """Whether what becomes of nearly everyone is known; a referral has no end of its own."""
    return stage.name in (PLAN, CARE) and len(curve.time) > 0 and curve.still <= _NEARLY_ALL


def figures(name: str, found: Estimate, unit_days: float = 1.0) -> dict[str, str | float]:
    """Lay an estimate out as columns: the figure, and the ends of its interval."""
    return {
        name: found.value / unit_days,
        f"{name}_low": found.low / unit_days,
        f"{name}_high": found.high / unit_days,
    }
