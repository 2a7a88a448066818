"""What one month uses up of the children's allotments, whoever they are.

Cumulative hazard adds up, and results are wanted at month ends, so a month's steps
are summed before any child is touched: the result is that of going step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import PLAN_BANDS
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.draws import RateDraws
from demand_model.simulation.batch_input import BatchChance, StepHazards
from demand_model.simulation.care_class import care_class
from demand_model.simulation.entrants import Places
from demand_model.simulation.feedback import NOTHING_ACTS, MonthFactors
from demand_model.simulation.members import LeftArray
from demand_model.simulation.streams import Stream
from demand_model.simulation.timeline import Timeline

FloatArray = npt.NDArray[np.float64]

_HALF, _ALL = np.float32(0.5), np.float32(1.0)
_MONTHS_BETWEEN_TIDYING = 3
"""Looking for empty rows costs as much as exposing all rows for a month."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Month:
    """One month of a batch.

    Attributes
    ----------
    number
        From 0.
    steps
        Numbers of its steps.
    middle
        Middle of each of its steps, in months since the census date.
    end
        End of the month, in months since the census date.
    plan_spent
        Hazard times length of each step by band; shape (steps, bands, draws).
    care_spent
        The same for care, by class (`care_class`); shape (steps, classes, draws). No
        classes where care was not asked for.
    plan_total, care_total
        Sums over the steps.
    """

    number: int
    steps: range
    middle: FloatArray
    end: float
    plan_spent: LeftArray
    care_spent: LeftArray
    plan_total: LeftArray
    care_total: LeftArray

    @property
    def is_for_tidying(self) -> bool:
        """Whether empty rows are looked for at its end."""
        return self.number % _MONTHS_BETWEEN_TIDYING == 0

    def plan_paths(self, entered_months: FloatArray) -> ClassPaths:
        """Bands of children on plans."""

        def bands(when: FloatArray, who: npt.NDArray[np.intp] | slice) -> npt.NDArray[np.intp]:
            return PLAN_BANDS.index(when - entered_months[who])

        return self._paths(bands)

    def care_paths(
        self, entered_months: FloatArray, born_years: FloatArray, uasc: npt.NDArray[np.bool_]
    ) -> ClassPaths:
        """Classes of children in care."""

        def classes(when: FloatArray, who: npt.NDArray[np.intp] | slice) -> npt.NDArray[np.intp]:
            return care_class(when - entered_months[who], when / 12.0 - born_years[who], uasc[who])

        return self._paths(classes)

    def _paths(self, class_at: ClassAt) -> ClassPaths:
        # Bands only rise: who has the same at both ends has it all the time.
        first, last = class_at(self.middle[[0, -1], None], slice(None))
        moved = np.flatnonzero(first != last)
        return ClassPaths(first=first, moved=moved, of_moved=class_at(self.middle[:, None], moved))


ClassAt = Callable[[FloatArray, "npt.NDArray[np.intp] | slice"], npt.NDArray[np.intp]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassPaths:
    """Classes of hazard that children go through in a month: most keep theirs.

    Attributes
    ----------
    first
        At the first step; shape (children,).
    moved
        Numbers of those whose class changes.
    of_moved
        Their classes; shape (steps, moved).
    """

    first: npt.NDArray[np.intp]
    moved: npt.NDArray[np.intp]
    of_moved: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entrants:
    """Places of one route in one month, and what they use up before its end.

    Attributes
    ----------
    places
        In the order in which they are taken.
    entered
        Time of entry in months since the census date; shape (places,).
    used
        Shape (places, draws).
    """

    places: Places
    entered: FloatArray
    used: LeftArray
    uasc: bool


class Spending:
    """Hazards of one batch under one scenario, month by month."""

    def __init__(self, line: Timeline, rates: RateDraws, hazards: StepHazards) -> None:
        self._line, self._rates, self._hazards = line, rates, hazards
        self._blocks, self._length, self._middle = (
            line.blocks(),
            line.step_months,
            line.middle_months,
        )
        self._edges = line.edges_months
        self._care_totals = rates.care_ends.sum(axis=0)

    def month(
        self, number: int, factors: MonthFactors = NOTHING_ACTS, *, with_care: bool = True
    ) -> Month:
        """Work out what a month uses up.

        Parameters
        ----------
        factors
            What acts back on the flows in this month.
        with_care
            Whether anyone in care is exposed.
        """
        steps = self._blocks[number]
        plans = self._plans(number, factors)
        care = self._care(number, factors) if with_care else self._no_care(number)
        return Month(
            number=number,
            steps=steps,
            middle=self._middle[steps.start : steps.stop],
            end=float(self._edges[steps.stop]),
            plan_spent=plans,
            care_spent=care,
            plan_total=total(plans),
            care_total=total(care),
        )

    def _plans(self, month: int, factors: MonthFactors) -> LeftArray:
        steps = self._rows(month)
        by_step = self._hazards.plan_ends[steps] * self._length[steps]
        factor = self._hazards.plan_drift[month] * by_step[:, None]
        if factors.acts_on((Flow.PLAN_ENDS,)):
            factor *= factors.of(Flow.PLAN_ENDS)
        return np.asarray(self._rates.plan_ends * factor[:, None, :], dtype=np.float32)

    def _care(self, month: int, factors: MonthFactors) -> LeftArray:
        steps, shape = self._blocks[month], self._care_totals.shape
        out = np.empty((len(steps), *shape), np.float32)
        for number, spent in enumerate(out):
            self._care_step(month, number, factors, spent)
        return out.reshape(len(steps), -1, shape[-1])

    def _no_care(self, month: int) -> LeftArray:
        return np.empty((len(self._blocks[month]), 0, self._care_totals.shape[-1]), np.float32)

    def _care_step(self, month: int, number: int, factors: MonthFactors, out: LeftArray) -> None:
        """What one step of a month, by its number in it, uses up in care."""
        step = self._blocks[month].start + number
        by_reason = self._hazards.care_ends[step]
        scale: FloatArray | float = 1.0
        if factors.acts_on(CARE_ENDS):
            weights = np.empty((len(CARE_ENDS), out.shape[-1]))
            for row, (flow, share) in enumerate(zip(CARE_ENDS, by_reason, strict=True)):
                weights[row] = share * _at(factors.of(flow), number)
            by_class = np.einsum("rd,rbsd->bsd", weights, self._rates.care_ends)
        elif np.ptp(by_reason) == 0.0:
            by_class, scale = self._care_totals, by_reason[0]
        else:
            by_class = np.tensordot(by_reason, self._rates.care_ends, axes=1)
        factor = self._hazards.care_drift[month] * (self._length[step] * scale)
        # Multiplied in double precision, then rounded, without an array in between.
        np.multiply(by_class, factor, out=out, casting="same_kind")

    def _rows(self, month: int) -> slice:
        return slice(self._blocks[month].start, self._blocks[month].stop)


def _at(acting: FloatArray | float, number: int) -> FloatArray | float:
    return acting if isinstance(acting, float) else np.asarray(acting[number])


def plan_entrants(places: Places, month: Month) -> Entrants:
    """Entrants to plans: all are in the first band until the month's end."""
    first_band = month.plan_spent[:, 0]
    used = first_band * _HALF
    for step in range(1, len(used)):
        used[:step] += first_band[step]
    return Entrants(
        places=places,
        entered=month.middle[places.step],
        used=used.take(places.step, axis=0),
        uasc=False,
    )


def care_entrants(places: Places, month: Month, *, uasc: bool) -> Entrants:
    """Entrants to care: half of their step of entry, and all later ones by their class then."""
    entered = month.middle[places.step]
    since = month.middle[:, None] - entered
    cells = care_class(since, places.ages_years + since / 12.0, np.array(uasc))
    used = np.zeros((len(entered), month.care_spent.shape[2]), np.float32)
    for step, (use, cell) in enumerate(zip(month.care_spent, cells, strict=True)):
        there = np.flatnonzero(places.step <= step)
        amount = use.take(cell[there], axis=0)
        amount *= np.where(places.step[there] == step, _HALF, _ALL)[:, None]
        used[there] += amount
    return Entrants(places=places, entered=entered, used=used, uasc=uasc)


def month_entrants(
    chance: BatchChance, month: Month, *, plans: int, care: int, uasc: int
) -> tuple[Entrants, Entrants, Entrants]:
    """Places of all routes in one month: to plans, to care, and to care as UASC.

    Parameters
    ----------
    plans, care, uasc
        The most that any draw needs.
    """
    pool, number = chance.pool, month.number
    on_plans = pool.places(Stream.PLAN_ROWS, number, plans, chance.plan_mix)
    own = pool.places(Stream.CARE_ROWS, number, care, chance.care_mix)
    alone = pool.places(Stream.UASC_ROWS, number, uasc, chance.uasc_mix)
    return (
        plan_entrants(on_plans, month),
        care_entrants(own, month, uasc=False),
        care_entrants(alone, month, uasc=True),
    )


def total(parts: LeftArray | list[LeftArray]) -> LeftArray:
    """Sum of arrays of one shape, or over the first axis, one after the other."""
    out: LeftArray = parts[0].copy()
    for part in parts[1:]:
        out += part
    return out
