"""What a batch of draws is given: expected entrants, hazards, and the chance that all share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.exposure.opening import StockMembers
from demand_model.simulation.entrants import EntrantMix, EntrantPool
from demand_model.simulation.members import (
    Members,
    allot,
    joining_chance,
    leave_together,
)
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepHazards:
    """Multipliers of exit rates: by step (scenario) and by month and draw (drift).

    Attributes
    ----------
    plan_ends, plan_to_care
        Shape (steps,).
    care_ends
        Shape (steps, reasons).
    plan_drift, care_drift, conversion_drift
        Shape (months, draws).
    """

    plan_ends: FloatArray
    care_ends: FloatArray
    plan_to_care: FloatArray
    plan_drift: FloatArray
    care_drift: FloatArray
    conversion_drift: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Expected entrants by step and draw, before care from plans is added."""

    plans: FloatArray
    care: FloatArray
    uasc: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchInput:
    """What one scenario asks of a batch: expected entrants and multipliers of hazards."""

    entries: Entries
    hazards: StepHazards

    def first_change(self, other: BatchInput, line: Timeline) -> int:
        """Number of the first month in which this differs from `other`; months if none does."""
        mine = (*_by_step(self.entries), *_by_step(self.hazards))
        theirs = (*_by_step(other.entries), *_by_step(other.hazards))
        differs = np.zeros(line.steps, dtype=bool)
        for one, two in zip(mine, theirs, strict=True):
            differs |= (one != two).reshape(line.steps, -1).any(axis=1)
        return int(line.month[np.argmax(differs)]) if differs.any() else len(line.months)

    def has_exits_of(self, other: BatchInput) -> bool:
        """Whether children leave plans and care by the same hazards as under `other`."""
        mine, theirs = self.hazards, other.hazards
        return np.array_equal(mine.plan_ends, theirs.plan_ends) and np.array_equal(
            mine.care_ends, theirs.care_ends
        )


def _by_step(part: Entries | StepHazards) -> tuple[FloatArray, ...]:
    """The arrays of a scenario's own; drift is common to all scenarios."""
    if isinstance(part, Entries):
        return part.plans, part.care, part.uasc
    return part.plan_ends, part.care_ends, part.plan_to_care


class BatchChance:
    """Chance of one batch that all scenarios share: opening allotments and entrants."""

    def __init__(
        self,
        seed: int,
        batch: int,
        draws: int,
        line: Timeline,
        *,
        plans: StockMembers,
        care: StockMembers,
        plan_mix: EntrantMix,
        care_mix: EntrantMix,
        uasc_mix: EntrantMix,
    ) -> None:
        self.seed, self.batch, self.draws = seed, batch, draws
        self.plan_mix, self.care_mix, self.uasc_mix = plan_mix, care_mix, uasc_mix
        self.pool = EntrantPool(seed, batch, draws, line)
        self._plans = self._opening(plans, plan_mix.end_dispersion, Stream.PLAN_OPENING)
        self._care = self._opening(care, care_mix.end_dispersion, Stream.CARE_OPENING)

    def _opening(self, stock: StockMembers, dispersion: float, kind: Stream) -> Members:
        """Children at the census date, longest open first."""
        rng = stream(self.seed, self.batch, kind)
        order = np.argsort(-stock.days, kind="stable")
        groups = stock.together[order]
        size = np.bincount(groups, minlength=1)
        pairs = float((size * (size - 1)).sum() / max(size.sum(), 1))
        together = leave_together(groups, joining_chance(pairs, dispersion), rng)
        members = Members(self.draws)
        members.admit(
            allot(len(order), self.draws, together, rng),
            entered_months=-stock.days[order] / DAYS_PER_MONTH,
            born_years=-stock.age_days[order] / DAYS_PER_YEAR,
            uasc=stock.uasc[order],
        )
        return members

    def opening(self) -> tuple[Members, Members]:
        """Fresh copies of the opening plans and care."""
        return self._plans.copy(), self._care.copy()
