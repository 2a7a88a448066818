"""How many children enter by each route under one scenario, coupled to the baseline's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.simulation.batch_input import BatchChance, BatchInput
from demand_model.simulation.chance import FamilyCounts, family_counts
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AGAIN = 1
"""Marks the streams of what a scenario, or feedback, adds or takes away."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchCounts:
    """Entrants of the baseline by month, which other scenarios are coupled to."""

    plans: FamilyCounts
    uasc: FamilyCounts
    care: tuple[FamilyCounts, ...]


class EntrantCounts:
    """Children who enter by route, month and draw.

    Parameters
    ----------
    base
        Counts of the baseline; ``None`` for the baseline itself.
    first_month
        First month of this scenario's own; those before are the baseline's.
    """

    def __init__(
        self,
        line: Timeline,
        given: BatchInput,
        chance: BatchChance,
        base: BatchCounts | None,
        first_month: int,
    ) -> None:
        self._line, self._given, self._chance, self._base = line, given, chance, base
        self._blocks = line.blocks()
        self._care_means = line.month_sums(given.entries.care)
        self._plans = self._drawn(
            Stream.PLANS,
            line.month_sums(given.entries.plans),
            chance.plan_mix.siblings,
            base.plans if base else None,
        )
        self._uasc = self._drawn(
            Stream.UASC, line.month_sums(given.entries.uasc), 0.0, base.uasc if base else None
        )
        self._care: list[FamilyCounts] = list(base.care[:first_month]) if base else []
        self.plans, self.uasc = self._plans.children, self._uasc.children

    def _drawn(
        self, kind: Stream, mean: FloatArray, siblings: float, base: FamilyCounts | None
    ) -> FamilyCounts:
        """Draw all months of a flow: others than the baseline month by month, as feedback must.

        So that with the same means they are the same counts.
        """
        if base is None:
            return family_counts(mean, siblings, None, self._stream(kind))
        months = [
            family_counts(mean[m], siblings, base.month(m), self._stream(kind, m))
            for m in range(len(mean))
        ]
        return FamilyCounts.stacked(months)

    def _stream(self, kind: Stream, *more: int) -> np.random.Generator:
        """The baseline's own stream, or the one for what a scenario adds or takes away."""
        again = 0 if self._base is None else AGAIN
        return stream(self._chance.seed, self._chance.batch, kind, again, *more)

    def care(
        self,
        month: int,
        plans_by_band: IntArray,
        plan_to_care: FloatArray,
        base: FamilyCounts | None = None,
    ) -> IntArray:
        """Draw those who enter care in a month, UASC apart; shape (draws,).

        From plans they follow the children on plans at the month's start.

        Parameters
        ----------
        plans_by_band
            Children on plans at the month's start; shape (bands, draws).
        plan_to_care
            Starts of care a child-month by band; shape (bands, draws).
        base
            Counts of the baseline in this month, where `BatchCounts` has them not yet.
        """
        steps = self._blocks[month]
        hazards = self._given.hazards
        a_month = (plans_by_band * plan_to_care).sum(axis=0) * hazards.conversion_drift[month]
        lengths = self._line.step_months[steps.start : steps.stop]
        factor = hazards.plan_to_care[steps.start : steps.stop] * lengths
        families = family_counts(
            self._care_means[month] + (factor[:, None] * a_month).sum(axis=0),
            self._chance.care_mix.siblings,
            self._base.care[month] if self._base and base is None else base,
            self._stream(Stream.CARE, month),
        )
        self._care.append(families)
        return families.children

    def care_of(self, month: int) -> FamilyCounts:
        """Those drawn by `care` for a month."""
        return self._care[month]

    def counts(self) -> BatchCounts:
        """All months, for scenarios that are coupled to this one."""
        return BatchCounts(plans=self._plans, uasc=self._uasc, care=tuple(self._care))
