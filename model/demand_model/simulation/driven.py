"""A batch of draws under one scenario with feedback: what children are open moves their flows.

The same children, order of events and chance as without feedback (`batch`), to which
the counts of entrants are coupled: where nothing acts back, the counts are the very
same, and the difference that feedback makes is not noise. Within a month the system
goes step by step; it sees the children as they stood at the month's start.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.flows import Flow
from demand_model.rates.draws import RateDraws
from demand_model.simulation.batch_input import BatchChance, BatchInput, StepHazards
from demand_model.simulation.chance import FamilyCounts, family_counts
from demand_model.simulation.entrant_counts import AGAIN, BatchCounts, EntrantCounts
from demand_model.simulation.feedback import Feedback, MonthFactors
from demand_model.simulation.leader import Leader
from demand_model.simulation.ledger import BatchResult, Ledger
from demand_model.simulation.members import Members
from demand_model.simulation.monthly import Spending, month_entrants, plan_entrants
from demand_model.simulation.scenario_inputs import EntryRoute, EntryRoutes
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline, sum_steps

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def run_driven(
    line: Timeline,
    rates: RateDraws,
    routes: EntryRoutes,
    hazards: StepHazards,
    chance: BatchChance,
    *,
    base: BatchCounts,
    feedback: Feedback,
) -> tuple[BatchResult, FloatArray]:
    """Simulate one batch of draws under one scenario, with feedback.

    Parameters
    ----------
    base
        Entrants of the baseline without feedback, whose chance events this shares: from its
        result, or `entrants_without_feedback`.

    Returns
    -------
    The result, and the multiplier of referrals by step, shape (steps, draws).
    """
    spending = Spending(line, rates, hazards)
    counts = _DrivenCounts(line, rates, routes, hazards, chance, base)
    leader = Leader(*chance.opening())
    blocks, middle = line.blocks(), line.middle_months
    by_band = leader.plans_by_band(float(middle[0]))
    in_care = leader.care.count()
    ledger = Ledger(line, chance.draws, None, plans=by_band.sum(axis=0), care=in_care)
    for number in range(len(line.months)):
        factors = feedback.month(number, by_band.sum(axis=0), in_care)
        month = spending.month(number, factors)
        on_plans, own, alone = counts.month(number, factors, by_band)
        leader.expose(month)
        entrants = month_entrants(
            chance, month, plans=_most(on_plans), care=_most(own), uasc=_most(alone)
        )
        leader.enter_plans(entrants[0], on_plans)
        leader.enter_care(entrants[1], own)
        leader.enter_care(entrants[2], alone)
        leader.close(month)
        after = float(middle[blocks[min(number + 1, len(blocks) - 1)].start])
        by_band = leader.plans_by_band(after)
        segments = leader.care_by_segment(month.end)
        in_care = segments.sum(axis=0)
        entered = {"cp": on_plans, "cla": own + alone}
        ledger.record(number, entered, {"cp": by_band.sum(axis=0), "cla": in_care}, segments)
        leader.tidy(month)
    return ledger.result(counts.counts(), {}), counts.referral_factor


def entrants_without_feedback(
    line: Timeline, rates: RateDraws, given: BatchInput, chance: BatchChance
) -> BatchCounts:
    """Entrants of the baseline as the plain simulation draws them, for less work.

    Care that follows plans needs the children on plans; nothing needs those in care.
    """
    counts = EntrantCounts(line, given, chance, None, 0)
    spending = Spending(line, rates, given.hazards)
    blocks, middle = line.blocks(), line.middle_months
    leader = Leader(chance.opening()[0], Members(chance.draws))
    for number, block in enumerate(blocks):
        month = spending.month(number, with_care=False)
        counts.care(number, leader.plans_by_band(float(middle[block.start])), rates.plan_to_care)
        leader.expose(month)
        starting = counts.plans[number]
        places = chance.pool.places(Stream.PLAN_ROWS, number, _most(starting), chance.plan_mix)
        leader.enter_plans(plan_entrants(places, month), starting)
        leader.close(month)
        leader.tidy(month)
    return counts.counts()


class _DrivenCounts:
    """Children who enter by route, month and draw, as feedback moves their means."""

    def __init__(
        self,
        line: Timeline,
        rates: RateDraws,
        routes: EntryRoutes,
        hazards: StepHazards,
        chance: BatchChance,
        base: BatchCounts,
    ) -> None:
        self._line, self._rates, self._routes = line, rates, routes
        self._hazards, self._chance, self._base = hazards, chance, base
        self._blocks = line.blocks()
        self.referral_factor = np.ones((line.steps, chance.draws))
        self._is_moved = False
        self._added = {id(one): np.zeros_like(one.arriving) for one in (routes.plans, routes.care)}
        self._drawn: dict[Stream, list[FamilyCounts]] = {
            kind: [] for kind in (Stream.PLANS, Stream.CARE, Stream.UASC)
        }

    def month(
        self, number: int, factors: MonthFactors, plans_by_band: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Children who start plans, care (UASC apart), and care as UASC; each of shape (draws,)."""
        steps = self._blocks[number]
        rows = slice(steps.start, steps.stop)
        if Flow.REFERRALS in factors.by_flow:
            self.referral_factor[rows] = factors.of(Flow.REFERRALS)
            self._is_moved = True
        plans = self._means(
            self._routes.plans,
            rows,
            factors.of(Flow.REFERRAL_TO_PLAN),
            factors.of(Flow.OTHER_PLAN_STARTS),
        )
        care = self._means(
            self._routes.care,
            rows,
            factors.of(Flow.REFERRAL_TO_CARE),
            factors.of(Flow.OTHER_CARE_STARTS),
        )
        uasc = self._routes.uasc[rows] * factors.of(Flow.UASC_STARTS)
        from_plans = self._care_from_plans(number, rows, factors, plans_by_band)
        mix, base = self._chance, self._base
        return (
            self._draw(Stream.PLANS, number, _sum(plans), mix.plan_mix.siblings, base.plans),
            self._draw(
                Stream.CARE,
                number,
                _sum(care) + from_plans,
                mix.care_mix.siblings,
                base.care[number],
            ),
            self._draw(Stream.UASC, number, _sum(uasc), 0.0, base.uasc),
        )

    def _means(
        self,
        route: EntryRoute,
        rows: slice,
        converted: FloatArray | float,
        others: FloatArray | float,
    ) -> FloatArray:
        """Expected starts by step of a month; shape (steps of the month, draws)."""
        linked = route.linked[rows]
        if self._is_moved:
            linked = linked + self._moved(route, rows)
        return np.asarray(linked * converted + route.other[rows] * others)

    def _moved(self, route: EntryRoute, rows: slice) -> FloatArray:
        """Starts that follow the referrals that feedback has added, or taken away."""
        added = self._added[id(route)]
        added[rows] = route.arriving[rows] * (self.referral_factor[rows] - 1.0)
        out = np.empty((rows.stop - rows.start, self._chance.draws))
        for at, step in enumerate(range(rows.start, rows.stop)):
            lags = route.lags[: step + 1]
            since = slice(step + 1 - len(lags), step + 1)
            np.einsum("ld,ld->d", added[since][::-1], lags, out=out[at])
        out *= route.conversion[rows]
        return out

    def _care_from_plans(
        self, number: int, rows: slice, factors: MonthFactors, plans_by_band: IntArray
    ) -> FloatArray:
        drift = self._hazards.conversion_drift[number]
        a_month = (plans_by_band * self._rates.plan_to_care).sum(axis=0) * drift
        scale = self._hazards.plan_to_care[rows] * self._line.step_months[rows]
        return np.asarray((scale[:, None] * a_month * factors.of(Flow.PLAN_TO_CARE)).sum(axis=0))

    def _draw(
        self, kind: Stream, number: int, mean: FloatArray, siblings: float, base: FamilyCounts
    ) -> IntArray:
        chance = self._chance
        families = family_counts(
            mean,
            siblings,
            base if base.families.ndim == 1 else base.month(number),
            # The streams of scenarios without feedback: with the same means, the same counts.
            stream(chance.seed, chance.batch, kind, AGAIN, number),
        )
        self._drawn[kind].append(families)
        return families.children

    def counts(self) -> BatchCounts:
        """All months."""
        plans, uasc = (
            FamilyCounts.stacked(self._drawn[kind]) for kind in (Stream.PLANS, Stream.UASC)
        )
        return BatchCounts(plans=plans, uasc=uasc, care=tuple(self._drawn[Stream.CARE]))


def _sum(by_step: FloatArray) -> FloatArray:
    # As the months of `EntrantCounts` are summed, to the last bit.
    return np.asarray(sum_steps(by_step[None])[0])


def _most(count: IntArray) -> int:
    return int(count.max(initial=0))
