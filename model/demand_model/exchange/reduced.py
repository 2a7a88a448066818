"""The whole model as stocks and flows that any system dynamics tool runs.

What the engine follows child by child stands here as a chain of stocks, one a band of
time since the start, with the engine's rates on average::

    band[k] entered / dt   = band[k-1] / width[k-1]            (growing older)
    band[k] left / dt      = band[k] * (rate[k] * effect + birthdays[k])
    on the way to a start  = referrals * share - on the way / lag

beside the system's own stocks (front door, workers, links), which are the same
equations as in the engine. There is no chance in it, no family, no age: what that
leaves out is measured (`gap`) and written into the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from demand_model.dynamics.evaluate import Value
from demand_model.dynamics.expression import Expression, Name
from demand_model.dynamics.integrate import Integrator, Run
from demand_model.dynamics.model import Auxiliary, Constant, External, Flow, Model, Stock, Variable
from demand_model.dynamics.xmile import SimulationSpan
from demand_model.exchange.effective_rates import EffectiveRates, RouteRates, effective_rates
from demand_model.exposure.bands import CARE_BANDS, PLAN_BANDS, Bands
from demand_model.flows import CARE_ENDS
from demand_model.flows import Flow as ChildFlow
from demand_model.simulation.setup import Prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.module import SystemModule
from demand_model.system.naming import multiplier_name
from demand_model.system.opening import SystemOpening

FloatArray = npt.NDArray[np.float64]

COMING = "referrals coming"
"""External of the reduced model: referrals before anything acts back."""

STEPS_PER_MONTH = 4

_A_MONTH = "children/month"
_RATE = "1/month"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReducedModel:
    """A reduced model and what it needs to run.

    Attributes
    ----------
    model
        Plans, care and the system as stocks and flows.
    referrals
        (months since the census date, children a month): `COMING`, linear between.
    span
        From the census date to the horizon, in quarter-months.
    """

    model: Model
    referrals: tuple[tuple[float, float], ...]
    span: SimulationSpan

    def run(self) -> Run:
        """Run it with our own integrator."""
        times, values = (np.array(part) for part in zip(*self.referrals, strict=True))

        def coming(time: float) -> dict[str, Value]:
            return {COMING: float(np.interp(time, times, values))}

        span = self.span
        return Integrator(self.model).run(
            start=span.start, stop=span.stop, dt=span.dt, inputs=coming
        )


def reduced_model(prepared: Prepared, system: System) -> ReducedModel:
    """Reduce a run's baseline to a chain of stocks, with the system around it.

    Parameters
    ----------
    prepared
        From `demand_model.simulation.setup.prepare`.
    system
        Links that are off are left out.
    """
    rates = effective_rates(prepared)
    opening = SystemOpening(
        referrals_a_month=rates.average_referrals,
        cp_open=float(rates.plan_open.sum()),
        cla_open=float(rates.care_open.sum()),
        nfa_share=system.nfa_share or 0.0,
        assessments_open=system.assessments_open,
        cin_open=system.cin_open,
        placed_share=system.placed_share,
    )
    around = SystemModule(system.inputs, opening).model
    inside = {"referrals", "cp open", "cla open"}
    variables = (
        *_referrals(rates),
        *_plans(rates),
        *_care(rates),
        *(one for one in around.variables if one.name not in inside),
    )
    stop = float(np.ceil(prepared.common.line.edges_months[-1] * STEPS_PER_MONTH))
    return ReducedModel(
        model=replace(around, name="Children's social care demand", variables=variables),
        referrals=rates.referrals,
        span=SimulationSpan(start=0.0, stop=stop / STEPS_PER_MONTH, dt=1.0 / STEPS_PER_MONTH),
    )


def _referrals(rates: EffectiveRates) -> list[Variable]:
    acting = Name(multiplier_name(ChildFlow.REFERRALS))
    return [
        External(
            name=COMING,
            unit=_A_MONTH,
            value=rates.average_referrals,
            doc="Mean of the engine's baseline, before anything acts back.",
        ),
        Auxiliary(
            name="referrals",
            unit=_A_MONTH,
            equation=Name(COMING) * acting + Name("returning"),
            doc="Referrals, those who were closed under pressure and came back included.",
        ),
    ]


def _route(
    to: str, route: RouteRates, linked: ChildFlow, other: ChildFlow
) -> tuple[list[Variable], tuple[str, ...]]:
    """From referral to a start, and starts without one; the flows into the stock."""
    waiting, share = f"on the way to {to}", f"share that leads to {to}"
    lag, others = f"lag to {to}", f"other starts of {to} now"
    starts, without = f"starts of {to} from referrals", f"other starts of {to}"
    parts: list[Variable] = [
        _constant(share, "dimensionless", route.share, "Of referrals."),
        _constant(f"{waiting} at the start", "children", route.on_the_way, "Referred before."),
        _constant(lag, "month", max(route.lag_months, 1.0 / STEPS_PER_MONTH), "On average."),
        _constant(others, _A_MONTH, route.other_a_month, "Without a referral."),
        Flow(
            name=f"referrals that lead to {to}",
            unit=_A_MONTH,
            equation=Name("referrals") * Name(share) * Name(multiplier_name(linked)),
            doc=f"Referrals that will lead to {to}.",
        ),
        Stock(
            name=waiting,
            unit="children",
            initial=Name(f"{waiting} at the start"),
            inflows=(f"referrals that lead to {to}",),
            outflows=(starts,),
            doc=f"Referred, and not yet at the start of {to}.",
        ),
        Flow(name=starts, unit=_A_MONTH, equation=Name(waiting) / Name(lag), doc="After the lag."),
        Flow(
            name=without,
            unit=_A_MONTH,
            equation=Name(others) * Name(multiplier_name(other)),
            doc=f"Starts of {to} without a referral.",
        ),
    ]
    return parts, (starts, without)


def _plans(rates: EffectiveRates) -> list[Variable]:
    parts, into = _route(
        "plans", rates.plans, ChildFlow.REFERRAL_TO_PLAN, ChildFlow.OTHER_PLAN_STARTS
    )
    ends = [("ended", rates.plan_ends, multiplier_name(ChildFlow.PLAN_ENDS))]
    parts += _chain("plans", PLAN_BANDS, rates.plan_open, into, ends, rates.plan_birthdays)
    return [*parts, _sum("cp open", "plans", PLAN_BANDS, "Children on protection plans.")]


def _care(rates: EffectiveRates) -> list[Variable]:
    parts, into = _route(
        "care", rates.care, ChildFlow.REFERRAL_TO_CARE, ChildFlow.OTHER_CARE_STARTS
    )
    moving: list[Expression] = []
    for number, label in enumerate(PLAN_BANDS.labels):
        name = f"plans to care {label}"
        parts.append(
            _constant(name, _RATE, float(rates.plan_to_care[number]), "Of those on a plan.")
        )
        moving.append(Name(_band("plans", label)) * Name(name))
    parts += [
        Flow(
            name="care from plans",
            unit=_A_MONTH,
            equation=_total(moving) * Name(multiplier_name(ChildFlow.PLAN_TO_CARE)),
            doc="Starts of care from a plan; the plan ends by its own rate.",
        ),
        _constant("UASC starts now", _A_MONTH, rates.uasc_a_month, "At the census date."),
        Flow(
            name="UASC starts",
            unit=_A_MONTH,
            equation=Name("UASC starts now") * Name(multiplier_name(ChildFlow.UASC_STARTS)),
            doc="Unaccompanied asylum-seeking children who come into care.",
        ),
    ]
    ends = [
        (flow.value.removeprefix("care_ends_").replace("_", " or "), by_band, multiplier_name(flow))
        for flow, by_band in zip(CARE_ENDS, rates.care_ends, strict=True)
    ]
    into = (*into, "care from plans", "UASC starts")
    parts += _chain("care", CARE_BANDS, rates.care_open, into, ends, rates.care_birthdays)
    return [*parts, _sum("cla open", "care", CARE_BANDS, "Children in care.")]


def _chain(
    of: str,
    bands: Bands,
    opening: FloatArray,
    into: Sequence[str],
    ends: Sequence[tuple[str, FloatArray, str]],
    birthdays: FloatArray,
) -> list[Variable]:
    """Stocks by time since the start, each emptying into the next, and by every way out."""
    parts: list[Variable] = []
    entering: tuple[str, ...] = tuple(into)
    for number, label in enumerate(bands.labels):
        here = _band(of, label)
        leaving = []
        for reason, by_band, effect in ends:
            rate, flow = f"{of} {reason} rate {label}", f"{of} {reason} {label}"
            parts += [
                _constant(rate, _RATE, float(by_band[number]), "A child-month, on average."),
                Flow(
                    name=flow,
                    unit=_A_MONTH,
                    equation=Name(here) * Name(rate) * Name(effect),
                    doc=f"Children who leave: {reason}.",
                ),
            ]
            leaving.append(flow)
        rate, flow = f"{of} birthdays rate {label}", f"{of} turned 18 {label}"
        parts += [
            _constant(rate, _RATE, float(birthdays[number]), "18th birthdays a child-month."),
            Flow(
                name=flow,
                unit=_A_MONTH,
                equation=Name(here) * Name(rate),
                doc="Children who turn 18.",
            ),
        ]
        leaving.append(flow)
        width = bands.upper[number] - bands.lower[number]
        older = f"{of} older than {label}"
        if np.isfinite(width):
            parts += [
                _constant(f"{of} width {label}", "month", width, "Length of the band."),
                Flow(
                    name=older,
                    unit=_A_MONTH,
                    equation=Name(here) / Name(f"{of} width {label}"),
                    doc="Children whose time passes into the next band.",
                ),
            ]
            leaving.append(older)
        start = f"{here} at the start"
        parts += [
            _constant(start, "children", float(opening[number]), "As the lists have it."),
            Stock(
                name=here,
                unit="children",
                initial=Name(start),
                inflows=entering,
                outflows=tuple(leaving),
                doc=f"Children, {label} since the start.",
            ),
        ]
        entering = (older,)
    return parts


def _sum(name: str, of: str, bands: Bands, doc: str) -> Auxiliary:
    total = _total([Name(_band(of, label)) for label in bands.labels])
    return Auxiliary(name=name, unit="children", equation=total, doc=doc)


def _total(parts: Sequence[Expression]) -> Expression:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _band(of: str, label: str) -> str:
    return f"{of} {label}"


def _constant(name: str, unit: str, value: float, doc: str) -> Constant:
    return Constant(name=name, unit=unit, value=value, doc=doc)
