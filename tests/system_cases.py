"""Models and openings that tests of `dynamics` and `system` share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from demand_model.dynamics.expression import Name
from demand_model.dynamics.integrate import Integrator
from demand_model.dynamics.model import Constant, Model, Stock
from demand_model.dynamics.model import Flow as Rate
from demand_model.flows import Flow
from demand_model.system.closed import Children, DurationBand, Pathway, closed_model
from demand_model.system.inputs import SystemInputs
from demand_model.system.links import LINKS
from demand_model.system.module import StepInputs, SystemModule, SystemStep
from demand_model.system.opening import SystemOpening

LOOPS = tuple(dict.fromkeys(link.loop for link in LINKS))


def teacup() -> Model:
    """A cup of tea that cools."""
    gap = Name("Teacup Temperature") - Name("Room Temperature")
    return Model(
        name="Teacup",
        time_unit="minute",
        variables=(
            Constant(name="Characteristic Time", unit="minute", value=10.0),
            Constant(name="Room Temperature", unit="degrees", value=70.0),
            Constant(name="Hot", unit="degrees", value=180.0),
            Stock(
                name="Teacup Temperature",
                unit="degrees",
                initial=Name("Hot"),
                outflows=("Heat Loss to Room",),
            ),
            Rate(
                name="Heat Loss to Room",
                unit="degrees/minute",
                equation=gap / Name("Characteristic Time"),
            ),
        ),
    )


def sir() -> Model:
    """An epidemic; the susceptible start at the whole population, as in the public model."""
    catching = Name("susceptible") * Name("infectious") / Name("total population")
    return Model(
        name="SIR",
        time_unit="day",
        variables=(
            Constant(name="total population", unit="people", value=1000.0),
            Constant(name="first cases", unit="people", value=5.0),
            Constant(name="duration", unit="day", value=5.0),
            Constant(name="contact infectivity", unit="1/day", value=0.3),
            Stock(
                name="susceptible",
                unit="people",
                initial=Name("total population"),
                outflows=("succumbing",),
            ),
            Rate(
                name="succumbing",
                unit="people/day",
                equation=catching * Name("contact infectivity"),
            ),
            Stock(
                name="infectious",
                unit="people",
                initial=Name("first cases"),
                inflows=("succumbing",),
                outflows=("recovering",),
            ),
            Rate(
                name="recovering",
                unit="people/day",
                equation=Name("infectious") / Name("duration"),
            ),
            Stock(
                name="recovered",
                unit="people",
                initial=Name("first cases") * 0.0,
                inflows=("recovering",),
            ),
        ),
    )


OPENING = SystemOpening(
    referrals_a_month=300.0,
    cp_open=250.0,
    cla_open=400.0,
    nfa_share=0.15,
    places=220.0,
    placed_share=0.5,
)
"""An authority of middling size."""

STEADY = StepInputs(referrals_a_month=300.0, cp_open=250.0, cla_open=400.0)


def switched_on(loops: Iterable[str]) -> SystemInputs:
    """Defaults with these loops on."""
    on = set(loops)
    return SystemInputs(links=tuple(replace(link, is_on=link.loop in on) for link in LINKS))


def advanced(
    module: SystemModule, given: StepInputs, *, months: float, dt: float = 0.25
) -> SystemStep:
    """The system after some months of the same inputs."""
    now = module.begin()
    for _ in range(round(months / dt)):
        now = module.advance(now, given, dt)
    return now


_PLAN_WIDTHS = {"0 to 3 months": 3.0, "3 to 12 months": 9.0, "12 months and over": None}
_PLAN_ENDS = {"0 to 3 months": 0.06, "3 to 12 months": 0.10, "12 months and over": 0.12}
_CARE_WIDTHS = {"0 to 6 months": 6.0, "6 to 24 months": 18.0, "24 months and over": None}
_CARE_HOME = {"0 to 6 months": 0.05, "6 to 24 months": 0.02, "24 months and over": 0.008}


def children(
    plans: Iterable[float] = (80.0, 110.0, 60.0), care: Iterable[float] = (90.0, 140.0, 170.0)
) -> Children:
    """Rates of an authority of middling size, with these children open now, by band."""
    return Children(
        referrals_a_month=300.0,
        to_plan=Pathway(share=0.06, months=1.5, other_a_month=5.0),
        to_care=Pathway(share=0.02, months=2.0, other_a_month=4.0),
        uasc_a_month=1.0,
        plans=tuple(
            DurationBand(
                label=label,
                months=width,
                open_now=now,
                ends_a_month={Flow.PLAN_ENDS: _PLAN_ENDS[label]},
                to_care_a_month=0.006,
            )
            for (label, width), now in zip(_PLAN_WIDTHS.items(), plans, strict=True)
        ),
        care=tuple(
            DurationBand(
                label=label,
                months=width,
                open_now=now,
                ends_a_month={
                    Flow.CARE_ENDS_HOME: _CARE_HOME[label],
                    Flow.CARE_ENDS_ADOPTION: 0.004,
                    Flow.CARE_ENDS_OTHER: 0.005,
                },
                birthdays_a_month=0.008,
            )
            for (label, width), now in zip(_CARE_WIDTHS.items(), care, strict=True)
        ),
    )


def opening_of(of: Children) -> SystemOpening:
    """The census date of these children."""
    return replace(
        OPENING,
        referrals_a_month=of.referrals_a_month,
        cp_open=sum(band.open_now for band in of.plans),
        cla_open=sum(band.open_now for band in of.care),
    )


def in_balance() -> Children:
    """Children whose number in each band stands still."""
    start = children()
    model = closed_model(switched_on(()), start, opening_of(start))
    run = Integrator(model).run(start=0.0, stop=2400.0, dt=0.25, save_every=9600)
    plans = [float(run.series[f"plans {band.label}"][-1, 0]) for band in start.plans]
    care = [float(run.series[f"care {band.label}"][-1, 0]) for band in start.care]
    return children(plans, care)
