"""The whole model as stocks and flows that any system dynamics tool runs.

`demand_model.system.closed` with the rates of one run, on average over draws, months and
ages. There is no chance in it, no family, no age: what that leaves out is measured and
written into the file (`demand_model.exchange.export`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demand_model.dynamics.evaluate import Value
from demand_model.dynamics.integrate import Integrator, Run
from demand_model.dynamics.model import Model
from demand_model.dynamics.xmile import SimulationSpan
from demand_model.exchange.effective_rates import EffectiveRates, RouteRates, effective_rates
from demand_model.exposure.bands import CARE_BANDS, PLAN_BANDS
from demand_model.flows import CARE_ENDS, Flow
from demand_model.simulation.setup import Prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.system_today import with_lists
from demand_model.system.closed import (
    USUAL_REFERRALS,
    Children,
    DurationBand,
    Pathway,
    closed_model,
)

STEPS_PER_MONTH = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReducedModel:
    """A reduced model and what it needs to run.

    Attributes
    ----------
    model
        Plans, care and the system as stocks and flows.
    referrals
        (months since the census date, children a month), linear between: the engine's mean.
    span
        From the census date to the horizon, in quarter-months.
    """

    model: Model
    referrals: tuple[tuple[float, float], ...]
    span: SimulationSpan

    def run(self) -> Run:
        """Run it with our own integrator."""
        times, values = (np.array(part) for part in zip(*self.referrals, strict=True))

        def usual(time: float) -> dict[str, Value]:
            return {USUAL_REFERRALS: float(np.interp(time, times, values))}

        span = self.span
        return Integrator(self.model).run(
            start=span.start, stop=span.stop, dt=span.dt, inputs=usual
        )


def reduced_model(prepared: Prepared, system: System) -> ReducedModel:
    """Reduce a run's baseline to chains of stocks, with the system around it.

    Parameters
    ----------
    prepared
        From `demand_model.simulation.setup.prepare`.
    system
        Links that are off stand in the model behind a switch.
    """
    rates = effective_rates(prepared)
    children = _children(rates)
    opening = with_lists(system, prepared.common.rates).opening(
        referrals_a_month=rates.average_referrals,
        cp_open=float(rates.plan_open.sum()),
        cla_open=float(rates.care_open.sum()),
    )
    model = closed_model(system.inputs, children, opening)
    stop = float(np.ceil(prepared.common.line.edges_months[-1] * STEPS_PER_MONTH))
    return ReducedModel(
        model=replace(model, name="Children's social care demand"),
        referrals=rates.referrals,
        span=SimulationSpan(start=0.0, stop=stop / STEPS_PER_MONTH, dt=1.0 / STEPS_PER_MONTH),
    )


def _children(rates: EffectiveRates) -> Children:
    return Children(
        referrals_a_month=rates.average_referrals,
        to_plan=_pathway(rates.plans),
        to_care=_pathway(rates.care),
        plans=tuple(
            DurationBand(
                label=label,
                months=_width(PLAN_BANDS.lower[k], PLAN_BANDS.upper[k]),
                open_now=float(rates.plan_open[k]),
                ends_a_month={Flow.PLAN_ENDS: float(rates.plan_ends[k] + rates.plan_birthdays[k])},
                to_care_a_month=float(rates.plan_to_care[k]),
            )
            for k, label in enumerate(PLAN_BANDS.labels)
        ),
        care=tuple(
            DurationBand(
                label=label,
                months=_width(CARE_BANDS.lower[k], CARE_BANDS.upper[k]),
                open_now=float(rates.care_open[k]),
                ends_a_month={
                    flow: float(by_band[k])
                    for flow, by_band in zip(CARE_ENDS, rates.care_ends, strict=True)
                },
                birthdays_a_month=float(rates.care_birthdays[k]),
            )
            for k, label in enumerate(CARE_BANDS.labels)
        ),
        uasc_a_month=rates.uasc_a_month,
    )


def _pathway(route: RouteRates) -> Pathway:
    return Pathway(
        share=route.share,
        months=route.lag_months,
        other_a_month=route.other_a_month,
        pending=route.on_the_way,
    )


def _width(lower: float, upper: float) -> float | None:
    return upper - lower if np.isfinite(upper) else None
