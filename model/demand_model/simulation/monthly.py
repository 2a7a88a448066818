"""What one month uses up of the children's allotments, whoever they are.

Cumulative hazard adds up, and results are wanted at month ends, so a month's steps
are summed before any child is touched: the result is that of going step by step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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

_HALF = np.float32(0.5)


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
        Hazard times length of each step by band; shape (bands, draws).
    care_spent
        The same for care, by class (`care_class`); shape (classes, draws).
    plan_total, care_total
        Sums over the steps.
    """

    number: int
    steps: range
    middle: FloatArray
    end: float
    plan_spent: list[LeftArray]
    care_spent: list[LeftArray]
    plan_total: LeftArray
    care_total: LeftArray


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
        Shape (histories, draws).
    history
        Row of `used` of each place; shape (places,).
    """

    places: Places
    entered: FloatArray
    used: LeftArray
    history: npt.NDArray[np.intp]
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

    def month(self, number: int, factors: MonthFactors = NOTHING_ACTS) -> Month:
        """Work out what a month uses up.

        Parameters
        ----------
        factors
            What acts back on the flows in this month.
        """
        steps = self._blocks[number]
        plans = [self._plans(number, step, factors) for step in steps]
        care = [self._care(number, step, factors) for step in steps]
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

    def _plans(self, month: int, step: int, factors: MonthFactors) -> LeftArray:
        drift = self._hazards.plan_drift[month]
        factor = drift * (self._hazards.plan_ends[step] * self._length[step])
        factor = factor * self._acting(factors, Flow.PLAN_ENDS, month, step)
        return np.asarray(self._rates.plan_ends * factor, dtype=np.float32)

    def _care(self, month: int, step: int, factors: MonthFactors) -> LeftArray:
        by_reason = self._hazards.care_ends[step]
        total: FloatArray
        scale: FloatArray | float
        if factors.acts_on(CARE_ENDS):
            acting = [self._acting(factors, flow, month, step) for flow in CARE_ENDS]
            each = [b * a for b, a in zip(by_reason, acting, strict=True)]
            weights = np.stack(np.broadcast_arrays(*each))
            total, scale = np.einsum("rd,rbsd->bsd", weights, self._rates.care_ends), 1.0
        elif np.ptp(by_reason) == 0.0:
            total, scale = self._care_totals, by_reason[0]
        else:
            total, scale = np.tensordot(by_reason, self._rates.care_ends, axes=1), 1.0
        factor = self._hazards.care_drift[month] * (self._length[step] * scale)
        by_class = (total * factor).reshape(-1, total.shape[-1])
        return np.asarray(by_class, dtype=np.float32)

    def _acting(
        self, factors: MonthFactors, flow: Flow, month: int, step: int
    ) -> FloatArray | float:
        """What acts on a flow in one step; shape (draws,), or 1."""
        acting = factors.of(flow)
        return acting if isinstance(acting, float) else acting[step - self._blocks[month].start]


def plan_entrants(places: Places, month: Month) -> Entrants:
    """Entrants to plans: all are in the first band until the month's end."""
    first_band = [use[0] for use in month.plan_spent]
    used = np.stack([_half_then(n, first_band) for n in range(len(first_band))])
    return Entrants(
        places=places,
        entered=month.middle[places.step],
        used=used,
        history=places.step,
        uasc=False,
    )


def care_entrants(places: Places, month: Month, *, uasc: bool) -> Entrants:
    """Entrants to care: few histories differ (step of entry, age group), each is summed once."""
    entered = month.middle[places.step]
    cells = np.stack(
        [
            care_class(
                middle - entered,
                places.ages_years + (middle - entered) / 12.0,
                np.full(len(entered), uasc),
            )
            for middle in month.middle
        ]
    )
    cells[np.arange(len(cells))[:, None] < places.step] = -1  # not there yet
    paths, first, history = np.unique(cells, axis=1, return_index=True, return_inverse=True)
    used = [
        _half_then(
            int(places.step[at]),
            [use[cell] for use, cell in zip(month.care_spent, path, strict=True)],
        )
        for at, path in zip(first, paths.T, strict=True)
    ]
    draws = month.care_spent[0].shape[1]
    return Entrants(
        places=places,
        entered=entered,
        used=np.stack(used) if used else np.zeros((0, draws), np.float32),
        history=np.asarray(history, dtype=np.intp).ravel(),
        uasc=uasc,
    )


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


def total(parts: list[LeftArray]) -> LeftArray:
    """Sum of arrays of one shape."""
    out = parts[0].copy()
    for part in parts[1:]:
        out += part
    return out


def _half_then(step: int, spent: list[LeftArray]) -> LeftArray:
    """Half of what is used up in `step`, and all of what is in later ones; shape (draws,)."""
    return total([spent[step] * _HALF, *spent[step + 1 :]])
