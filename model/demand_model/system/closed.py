"""The whole system in a reduced structure: children by duration band, nobody by age.

For an export that other tools run, and for the loops' own arithmetic. What the
simulation works out child by child becomes chains of stocks::

    referrals -> decision due -> plan: 0 to 3 months -> 3 to 6 months -> ...
                              -> care: 0 to 1 month  -> 1 to 3 months -> ...

A child leaves a band for the next at a rate of 1 / its width, so that the time in a
band is that long on average only; the simulation knows each child's own time. Means
only: no chance, no draws, no ages, no working days.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from demand_model.dynamics.expression import DT, Expression, Name, Number, greatest
from demand_model.dynamics.model import (
    Auxiliary,
    Constant,
    External,
    Flow,
    Model,
    Stock,
    Variable,
)
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow as ChildFlow
from demand_model.system.inputs import SystemInputs
from demand_model.system.module import SystemModule
from demand_model.system.naming import multiplier_name, words
from demand_model.system.opening import SystemOpening

USUAL_REFERRALS = "usual referrals"
"""External: referrals a month before anything acts back; a series in an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationBand:
    """Children who have been on a plan or in care for so long.

    Attributes
    ----------
    label
        Letters, digits and single spaces, such as "3 to 6 months".
    months
        Width; ``None``: the last band, which is not left by growing older.
    open_now
        Children at the census date.
    ends_a_month
        Rate a child-month of each way out.
    to_care_a_month
        Of plans: children who start care, a child-month.
    birthdays_a_month
        Of care: 18th birthdays a child-month.
    """

    label: str
    months: float | None
    open_now: float
    ends_a_month: Mapping[ChildFlow, float]
    to_care_a_month: float = 0.0
    birthdays_a_month: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pathway:
    """From referral to the start of a plan or of care.

    Attributes
    ----------
    share
        Of referrals that end there.
    months
        Average time from referral to start.
    pending
        Children referred before the census date who will start later; ``None``: as
        many as in balance.
    other_a_month
        Starts that no referral explains.
    """

    share: float
    months: float
    other_a_month: float
    pending: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Rates of the reduced structure at their means, and the children open now."""

    referrals_a_month: float
    to_plan: Pathway
    to_care: Pathway
    plans: tuple[DurationBand, ...]
    care: tuple[DurationBand, ...]
    uasc_a_month: float = 0.0


def closed_model(
    inputs: SystemInputs,
    children: Children,
    opening: SystemOpening,
    *,
    with_switches: bool = True,
) -> Model:
    """Children, front door, workforce and links as one model that needs nothing from outside.

    Parameters
    ----------
    opening
        Its children on plans, in care and referred must be those of `children`.
    with_switches
        Links that are off stand in the model behind a switch.

    Raises
    ------
    InvalidSettingError
        A faulty link that is on; `opening` and `children` disagree; no band.
    """
    _check(children, opening)
    around = SystemModule(inputs, opening, with_switches=with_switches).model
    replaced = {"referrals", "cp open", "cla open"}
    return Model(
        name=around.name,
        time_unit=around.time_unit,
        variables=(
            *_intake(children),
            *_plans(children),
            *_care(children),
            *(one for one in around.variables if one.name not in replaced),
        ),
        doc="Children by duration band, front door, workforce, places and feedback; means only.",
    )


def _check(children: Children, opening: SystemOpening) -> None:
    counted = {
        "children on plans": (opening.cp_open, sum(b.open_now for b in children.plans)),
        "children in care": (opening.cla_open, sum(b.open_now for b in children.care)),
        "referrals a month": (opening.referrals_a_month, children.referrals_a_month),
    }
    for what, (stated, found) in counted.items():
        if not isinstance(stated, float | int) or abs(stated - found) > 1e-6 * max(1.0, found):
            raise InvalidSettingError(
                f"Invalid {what} at the census date: {stated}. It must be one number, {found:g}."
            )
    for bands in (children.plans, children.care):
        widths = [band.months for band in bands]
        if not bands or widths[-1] is not None or not all(widths[:-1]):
            raise InvalidSettingError(
                f"Invalid widths of duration bands: {widths}. Each must be above 0 months, and "
                "the last must have none."
            )


def _intake(children: Children) -> list[Variable]:
    coming = Name(USUAL_REFERRALS) * _effect(ChildFlow.REFERRALS) + Name("returning")
    return [
        External(
            name=USUAL_REFERRALS,
            unit="children/month",
            value=children.referrals_a_month,
            doc="Children referred a month before anything acts back.",
        ),
        Auxiliary(
            name="referrals",
            unit="children/month",
            equation=greatest(coming, 0.0),
            doc="Children referred a month.",
        ),
        *_pathway("plan", children.to_plan, children.referrals_a_month),
        *_pathway("care", children.to_care, children.referrals_a_month),
    ]


def _effect(flow: str) -> Name:
    return Name(multiplier_name(flow))


def _pathway(to: str, path: Pathway, referrals: float) -> list[Variable]:
    pending = path.share * referrals * path.months if path.pending is None else path.pending
    share, months, waiting = f"share to {to}", f"months to {to}", f"pending {to}"
    return [
        _number(share, "dimensionless", path.share, f"Referrals that lead to {to}."),
        _number(months, "month", path.months, f"From referral to {to}."),
        _number(f"{waiting} now", "children", pending, "At the start."),
        Stock(
            name=waiting,
            unit="children",
            initial=Name(f"{waiting} now"),
            inflows=(f"{waiting} in",),
            outflows=(f"{waiting} due",),
            doc=f"Referred, and due to start {to} later.",
        ),
        Flow(
            name=f"{waiting} in",
            unit="children/month",
            equation=Name("referrals") * Name(share),
            doc=f"Referred who are to start {to}.",
        ),
        Flow(
            name=f"{waiting} due",
            unit="children/month",
            equation=Name(waiting) / greatest(Name(months), DT),
            doc=f"Due to start {to} by today's practice.",
        ),
        _number(
            f"other starts of {to}", "children/month", path.other_a_month, "Without a referral."
        ),
    ]


def _number(name: str, unit: str, value: float, doc: str) -> Constant:
    return Constant(name=name, unit=unit, value=float(value), doc=doc)


def _starts(to: str, linked: ChildFlow, other: ChildFlow) -> Expression:
    return Name(f"pending {to} due") * _effect(linked) + Name(f"other starts of {to}") * _effect(
        other
    )


def _plans(children: Children) -> list[Variable]:
    starts = _starts("plan", ChildFlow.REFERRAL_TO_PLAN, ChildFlow.OTHER_PLAN_STARTS)
    rates = [
        _number(
            f"plans to care rate {band.label}",
            "1/month",
            band.to_care_a_month,
            "A child-month on a plan.",
        )
        for band in children.plans
    ]
    to_care = _sum(
        Name(f"plans {band.label}") * Name(rate.name)
        for band, rate in zip(children.plans, rates, strict=True)
    )
    return [
        *_chain("plans", starts, children.plans),
        *rates,
        Auxiliary(
            name="care from plans",
            unit="children/month",
            equation=to_care * _effect(ChildFlow.PLAN_TO_CARE),
            doc="Children on plans who start care; the plan ends by its own rate.",
        ),
        _open("cp open", "plans", children.plans, "Children on protection plans."),
    ]


def _care(children: Children) -> list[Variable]:
    starts = _starts("care", ChildFlow.REFERRAL_TO_CARE, ChildFlow.OTHER_CARE_STARTS)
    alone = Name("uasc starts now") * _effect(ChildFlow.UASC_STARTS)
    return [
        _number("uasc starts now", "children/month", children.uasc_a_month, "Unaccompanied."),
        *_chain("care", starts + Name("care from plans") + alone, children.care),
        _open("cla open", "care", children.care, "Children in care."),
    ]


def _open(name: str, kind: str, bands: tuple[DurationBand, ...], doc: str) -> Auxiliary:
    total = _sum(Name(f"{kind} {band.label}") for band in bands)
    return Auxiliary(name=name, unit="children", equation=total, doc=doc)


def _sum(terms: Iterable[Expression]) -> Expression:
    """All terms added up; 0 where there are none."""
    found = tuple(terms)
    return functools.reduce(operator.add, found) if found else Number(0.0)


def _chain(kind: str, starts: Expression, bands: tuple[DurationBand, ...]) -> list[Variable]:
    """Stocks of a chain with what enters the first, moves on and leaves."""
    entering = f"{kind} start"
    parts: list[Variable] = [
        Flow(
            name=entering, unit="children/month", equation=starts, doc=f"Children who start {kind}."
        )
    ]
    for band, after in itertools.zip_longest(bands, bands[1:]):
        stock, leaving = f"{kind} {band.label}", f"{kind} end {band.label}"
        moving = None if after is None else f"{kind} reach {after.label}"
        parts += [
            _number(f"{stock} now", "children", band.open_now, "At the start."),
            Stock(
                name=stock,
                unit="children",
                initial=Name(f"{stock} now"),
                inflows=(entering,),
                outflows=(leaving,) if moving is None else (leaving, moving),
                doc=f"Children in {kind} for {band.label}.",
            ),
            *_leaving(kind, band, leaving),
        ]
        if moving is not None:
            parts += _moving(stock, band, moving)
            entering = moving
    return parts


def _leaving(kind: str, band: DurationBand, name: str) -> list[Variable]:
    stock, birthdays = f"{kind} {band.label}", f"birthdays rate {band.label}"
    named = {f"{words(flow)} rate {band.label}": rate for flow, rate in band.ends_a_month.items()}
    rates: list[Expression] = [
        Name(own) * _effect(flow) for own, flow in zip(named, band.ends_a_month, strict=True)
    ]
    if band.birthdays_a_month:
        named[birthdays] = band.birthdays_a_month
        rates.append(Name(birthdays))
    return [
        *(_number(own, "1/month", rate, "A child-month.") for own, rate in named.items()),
        Flow(
            name=name,
            unit="children/month",
            equation=Name(stock) * _sum(rates),
            doc=f"Children who leave {kind} after {band.label}.",
        ),
    ]


def _moving(stock: str, band: DurationBand, name: str) -> list[Variable]:
    width = f"width of {stock}"
    return [
        _number(width, "month", band.months or 0.0, "Months in the band."),
        Flow(
            name=name,
            unit="children/month",
            equation=Name(stock) / greatest(Name(width), DT),
            doc="Children who have been so long.",
        ),
    ]
