"""What a scenario asks of a batch: expected entrants, and multipliers of hazards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import PLAN_BANDS
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.fit import FlowRates
from demand_model.simulation.batch_input import Entries, StepHazards
from demand_model.simulation.care_class import care_class
from demand_model.simulation.effects import FlowEffect, ScenarioEffects
from demand_model.simulation.lags import LaggedStarts, expected_starts
from demand_model.simulation.pathways import ReferralPaths
from demand_model.simulation.setup import Common, DrawBatch
from demand_model.simulation.timeline import Timeline
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntryRoute:
    """Expected entrants to one stock by step and draw, and what they come from.

    ``linked[t] = conversion[t] * sum over lags of (arriving[t - lag] * lags[lag]) + pipeline``

    Attributes
    ----------
    arriving
        Referrals weighted by how readily they convert; shape (steps, draws).
    lags
        Starts a referral by lag in steps; shape (lags, draws).
    conversion
        Multiplier of conversions: the scenario's and drift; shape (steps, draws).
    linked, other
        Starts that follow a referral, and others; shape (steps, draws).
    """

    arriving: FloatArray
    lags: FloatArray
    conversion: FloatArray
    linked: FloatArray
    other: FloatArray

    @property
    def total(self) -> FloatArray:
        """All starts by step and draw."""
        return self.linked + self.other


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntryRoutes:
    """Expected entrants under one scenario, by route; UASC of shape (steps, draws)."""

    plans: EntryRoute
    care: EntryRoute
    uasc: FloatArray

    @property
    def entries(self) -> Entries:
        """All entrants by step and draw."""
        return Entries(plans=self.plans.total, care=self.care.total, uasc=self.uasc)


def expected_entries(
    common: Common, batch: DrawBatch, effects: ScenarioEffects, paths: ReferralPaths
) -> Entries:
    """Expected entrants by step and draw: from referrals, and others."""
    return entry_routes(common, batch, effects, paths).entries


def entry_routes(
    common: Common, batch: DrawBatch, effects: ScenarioEffects, paths: ReferralPaths
) -> EntryRoutes:
    """Expected entrants by route, step and draw."""
    line, rates = common.line, batch.rates

    def route(
        flows: tuple[Flow, Flow],
        referrals: FloatArray,
        following: LaggedStarts,
        others: FloatArray,
        drift: FloatArray,
        share: float,
    ) -> EntryRoute:
        flow, other = flows
        change = _as_multiplier(effects.of(flow, line.steps), share)[:, None]
        by_step = drift[line.month]
        linked = expected_starts(referrals, following)
        return EntryRoute(
            arriving=referrals,
            lags=following.lags,
            conversion=change * by_step,
            linked=linked * change * by_step,
            other=_area_flow(effects.of(other, line.steps), others[None, :] * by_step, line),
        )

    return EntryRoutes(
        plans=route(
            (Flow.REFERRAL_TO_PLAN, Flow.OTHER_PLAN_STARTS),
            paths.to_plan,
            batch.plan_lags,
            rates.other_plan,
            batch.plan_conversion,
            common.rates.to_plan.share,
        ),
        care=route(
            (Flow.REFERRAL_TO_CARE, Flow.OTHER_CARE_STARTS),
            paths.to_care,
            batch.care_lags,
            rates.other_care,
            batch.care_conversion,
            common.rates.to_care.share,
        ),
        uasc=_area_flow(
            effects.of(Flow.UASC_STARTS, line.steps),
            np.broadcast_to(rates.uasc, paths.to_care.shape),
            line,
        ),
    )


def _area_flow(effect: FlowEffect, per_month: FloatArray, line: Timeline) -> FloatArray:
    """Children by step from children a month, with a scenario's changes."""
    value = per_month * effect.multiplier[:, None] * (1.0 - effect.overwrite_weight)[:, None]
    value = value + (effect.overwrite_target + effect.added_per_month)[:, None]
    return np.asarray(np.maximum(value, 0.0) * line.step_months[:, None])


def _as_multiplier(effect: FlowEffect, fitted: float) -> FloatArray:
    """A rate's changes as one multiplier by step; an overwrite is relative to the fitted rate."""
    value = effect.multiplier * (1.0 - effect.overwrite_weight)
    return np.asarray(value + effect.overwrite_target / max(fitted, 1e-12))


def step_hazards(common: Common, batch: DrawBatch, effects: ScenarioEffects) -> StepHazards:
    """Multipliers of exit rates by step; an overwrite is relative to the opening stock."""
    steps = common.line.steps
    exits = (Flow.PLAN_ENDS, Flow.PLAN_TO_CARE, *CARE_ENDS)
    overwritten = any(np.any(effects.of(flow, steps).overwrite_target) for flow in exits)
    # Without an overwrite nothing is relative to what is now, which takes a while to say.
    now = opening_rates(common.rates) if overwritten else dict.fromkeys(exits, 1.0)
    return StepHazards(
        plan_ends=_as_multiplier(effects.of(Flow.PLAN_ENDS, steps), now[Flow.PLAN_ENDS]),
        plan_to_care=_as_multiplier(effects.of(Flow.PLAN_TO_CARE, steps), now[Flow.PLAN_TO_CARE]),
        care_ends=np.stack(
            [_as_multiplier(effects.of(flow, steps), now[flow]) for flow in CARE_ENDS], axis=1
        ),
        plan_drift=batch.plan_exit,
        care_drift=batch.care_exit,
        conversion_drift=batch.care_conversion,
    )


def opening_rates(rates: FlowRates) -> dict[Flow, float]:
    """Each exit flow's rate a child-month, averaged over the children open now."""
    opening = rates.exposure.opening
    band = PLAN_BANDS.index(opening.plans.days / DAYS_PER_MONTH)
    out = {
        Flow.PLAN_ENDS: _average(rates.plan_ends.mean()[band], rates.plan_ends.mean()),
        Flow.PLAN_TO_CARE: _average(rates.plan_to_care.mean()[band], rates.plan_to_care.mean()),
    }
    care = opening.care
    cells = care_class(
        care.days / DAYS_PER_MONTH, np.nan_to_num(care.age_days) / DAYS_PER_YEAR, care.uasc
    )
    for flow, reason in zip(CARE_ENDS, rates.care_ends, strict=True):
        mean = reason.mean().ravel()
        out[flow] = _average(mean[cells], mean)
    return out


def _average(of_children: FloatArray, of_cells: FloatArray) -> float:
    return float(of_children.mean()) if len(of_children) else float(of_cells.mean())
