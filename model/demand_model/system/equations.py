"""The system as a stock-and-flow model: front door, workforce, places and causal links.

What the simulation works out child by child (plans, care) comes in from outside;
what it does not (assessments, children in need, workers) is a stock here. Causal
links multiply flows of both kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demand_model.dynamics.expression import (
    Comparison,
    Expression,
    IfElse,
    Name,
    Number,
    greatest,
    within,
)
from demand_model.dynamics.model import (
    Auxiliary,
    Constant,
    External,
    Model,
    Variable,
    smooth,
)
from demand_model.flows import CARE_ENDS
from demand_model.flows import Flow as ChildFlow
from demand_model.system.front_door import front_door, outside
from demand_model.system.links import GREATEST_RATIO, LEAST_RATIO, CausalLink
from demand_model.system.naming import constant, lever_name, multiplier_name, start_name, words
from demand_model.system.variables import CARE_ENDS_ALL, SIMULATED
from demand_model.system.workforce import own_places, workforce

INTERNAL_TARGETS = (
    "nfa_share",
    "re_referrals",
    "assessment_months",
    "cin_months",
    "leavers",
    "starters",
    "absence_share",
    "ideal_caseload",
)
"""What a lever or link may change that is worked out here, not in the simulation."""

FREE_PLACES = "free_places"
"""What free places do to entries to care: no quantity, but the strength of the links from
places to entries. A scenario that multiplies it by 0 guards the threshold from free places."""

SYSTEM_LEVERS = (*INTERNAL_TARGETS, FREE_PLACES)
"""What a scenario may multiply."""

WORKFORCE_TARGETS = ("leavers", "starters", "absence_share", "ideal_caseload")

DRIVER_UNITS: Mapping[str, str] = {
    "referrals": "children/month",
    "nfa_share": "dimensionless",
    "nfa_closed": "children/month",
    "assessments_open": "children",
    "cin_open": "children",
    "cp_open": "children",
    "cla_open": "children",
    "cases": "cases",
    "workers": "workers",
    "vacancy_share": "dimensionless",
    "leavers": "workers/month",
    "absence_share": "dimensionless",
    "caseload": "cases/workers",
    "ideal_caseload": "cases/workers",
    "caseload_ratio": "dimensionless",
    "spare_places": "places",
    "occupancy": "dimensionless",
}
"""Unit of each driver in the algebra of `demand_model.dynamics.unit`."""

_LEAST_DRIVER: Mapping[str, float] = {"dimensionless": 0.001, "cases/workers": 0.01}
"""Least value of a driver in a ratio, by unit; 0.01 children, cases or workers else."""


def system_model(
    links: Sequence[CausalLink],
    *,
    has_workforce: bool,
    has_places: bool,
    values: Mapping[str, float],
    with_switches: bool = False,
) -> Model:
    """Front door, workforce, places and links as one model.

    Parameters
    ----------
    links
        Those that take part, sound and with a value to their driver.
    with_switches
        Each link has a constant that turns it on (1) or off (0), as it is; without,
        every link acts.
    values
        Of the constants and externals, by name; of those that are left out, 0.
    """
    parts: list[Variable] = [*front_door(values), *outside(values)]
    if has_workforce:
        parts += workforce(values)
    if has_places:
        parts += own_places(values)
    parts += _link_parts(links, values, with_switches=with_switches)
    parts += _effects(links, has_workforce=has_workforce)
    return Model(
        name="Children's social care system",
        time_unit="month",
        variables=tuple(parts),
        doc="Front door, workforce, places and feedback around children on plans and in care.",
    )


def link_name(number: int) -> str:
    """Name of what a link, by its number from 1, multiplies its target by."""
    return f"link {number} effect"


def switch_name(number: int) -> str:
    """Name of the constant that turns a link, by its number from 1, on or off."""
    return f"link {number} is on"


def _link_parts(
    links: Sequence[CausalLink], values: Mapping[str, float], *, with_switches: bool
) -> list[Variable]:
    parts: list[Variable] = []
    for driver in dict.fromkeys(link.driver for link in links):
        unit = DRIVER_UNITS[driver]
        parts += [
            constant(values, start_name(driver), unit, f"{words(driver)} at the census date."),
            Constant(
                name=_least_name(driver),
                unit=unit,
                value=1.0 if unit == "places" else _LEAST_DRIVER.get(unit, 0.01),
                doc="Keeps ratios finite.",
            ),
        ]
    felt: dict[tuple[str, float, float | None], str] = {}
    for number, link in enumerate(links, start=1):
        key = (link.driver, link.delay_months, link.reference)
        if key not in felt:
            felt[key] = f"{words(link.driver)} felt {len(felt) + 1}"
            parts += _felt(felt[key], link)
        parts += _link(number, link, felt[key], with_switch=with_switches)
    if any(link.is_of_free_places for link in links):
        name = lever_name(FREE_PLACES)
        doc = "Of a scenario: 0 guards entries to care from free places."
        parts.append(External(name=name, unit="dimensionless", value=1.0, doc=doc))
    return parts


def _least_name(driver: str) -> str:
    return f"least {words(driver)} of a ratio"


def _felt(name: str, link: CausalLink) -> list[Variable]:
    """A driver through its delay, relative to its reference; links may share it."""
    unit, driver = DRIVER_UNITS[link.driver], words(link.driver)
    floor, start = Name(_least_name(link.driver)), Name(start_name(link.driver))
    delay, reference = f"{name} delay", f"{name} reference"
    stated: Expression = start
    parts: list[Variable] = []
    if link.reference is not None:
        stated = Name(f"{name} stated")
        parts.append(Constant(name=stated.name, unit=unit, value=link.reference, doc=link.evidence))
    ratio = greatest(Name(name), floor) / Name(reference)
    return [
        *parts,
        Constant(name=delay, unit="month", value=link.delay_months, doc=link.evidence),
        *smooth(
            name,
            driver,
            initial=start,
            unit=unit,
            delay=Name(delay),
            doc=f"{driver} as it is felt after {link.delay_months:g} months.",
        ),
        Auxiliary(
            name=reference,
            unit=unit,
            equation=greatest(stated, floor),
            doc="At which links do nothing.",
        ),
        Auxiliary(
            name=f"{name} ratio",
            unit="dimensionless",
            equation=within(ratio, LEAST_RATIO, GREATEST_RATIO),
            doc=f"{driver} relative to its reference.",
        ),
    ]


def _link(number: int, link: CausalLink, felt: str, *, with_switch: bool) -> list[Variable]:
    elasticity, switch = f"link {number} elasticity", switch_name(number)
    strength: Expression = Name(elasticity)
    if link.is_of_free_places:
        strength = strength * Name(lever_name(FREE_PLACES))
    effect = Name(f"{felt} ratio") ** strength
    doc = f"{link.loop}: {words(link.driver)} to {words(link.target)}."
    parts: list[Variable] = [
        Constant(name=elasticity, unit="dimensionless", value=link.elasticity, doc=link.evidence)
    ]
    if with_switch:
        effect = IfElse(Name(switch), Comparison.MORE, Number(0.5), effect, Number(1.0))
        parts.append(
            Constant(
                name=switch, unit="dimensionless", value=float(link.is_on), doc=f"1: on. {doc}"
            )
        )
    effect_part = Auxiliary(name=link_name(number), unit="dimensionless", equation=effect, doc=doc)
    return [*parts, effect_part]


def _effects(links: Sequence[CausalLink], *, has_workforce: bool) -> list[Variable]:
    """What each target is multiplied by: its lever, its links and the threshold."""
    parts: list[Variable] = []
    for target in INTERNAL_TARGETS:
        if target in WORKFORCE_TARGETS and not has_workforce:
            continue
        lever = External(
            name=lever_name(target), unit="dimensionless", value=1.0, doc="Of a scenario."
        )
        parts += [lever, _effect(target, [Name(lever.name), *_acting(links, target)])]
    if any(link.target == CARE_ENDS_ALL for link in links):
        parts.append(_effect(CARE_ENDS_ALL, _acting(links, CARE_ENDS_ALL)))
    for flow in SIMULATED:
        factors: list[Expression] = [*_acting(links, flow)]
        if flow in CARE_ENDS and any(link.target == CARE_ENDS_ALL for link in links):
            factors.append(Name(multiplier_name(CARE_ENDS_ALL)))
        if flow in (ChildFlow.REFERRAL_TO_PLAN, ChildFlow.REFERRAL_TO_CARE):
            factors.append(Name("taken up"))
        if flow is ChildFlow.REFERRALS:
            more = Name(multiplier_name("re_referrals")) - 1.0
            factors.append(1.0 + Name("re referral share") * more)
        parts.append(_effect(flow, factors))
    return parts


def _acting(links: Sequence[CausalLink], target: str) -> list[Expression]:
    return [
        Name(link_name(number))
        for number, link in enumerate(links, start=1)
        if link.target == target
    ]


def _effect(target: str, factors: Sequence[Expression]) -> Auxiliary:
    product: Expression = factors[0] if factors else Number(1.0)
    for factor in factors[1:]:
        product = product * factor
    return Auxiliary(
        name=multiplier_name(target),
        unit="dimensionless",
        equation=product,
        doc=f"Multiplies {words(target)}.",
    )
