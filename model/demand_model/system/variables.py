"""What a causal link may run from and to: one declaration for sheet, engine and maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from demand_model.flows import CARE_ENDS, Flow


class Kind(StrEnum):
    """What a variable is in a stock-and-flow map."""

    STOCK = "stock"
    FLOW = "flow"
    RATIO = "ratio"
    GOAL = "goal"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One quantity of the system.

    Attributes
    ----------
    unit
        In plain words; a link's reference is in the unit of its driver.
    may_drive, may_be_driven
        A link may run from it; a link may run to it.
    needs_workforce, needs_places
        It has a value only where these are given.
    """

    name: str
    label: str
    unit: str
    kind: Kind
    may_drive: bool = False
    may_be_driven: bool = False
    needs_workforce: bool = False
    needs_places: bool = False


CHILDREN = "children"
CHILDREN_A_MONTH = "children a month"
CASES_PER_WORKER = "cases per worker"
SHARE = "share"

CARE_ENDS_ALL = "care_ends"
"""All reasons for leaving care together; a link to it acts on each of them."""

SIMULATED: tuple[Flow, ...] = (
    Flow.REFERRALS,
    Flow.REFERRAL_TO_PLAN,
    Flow.REFERRAL_TO_CARE,
    Flow.OTHER_PLAN_STARTS,
    Flow.OTHER_CARE_STARTS,
    Flow.UASC_STARTS,
    Flow.PLAN_TO_CARE,
    Flow.PLAN_ENDS,
    *CARE_ENDS,
)
"""Flows that the simulation multiplies by what the system gives."""


def _stock(name: str, label: str, unit: str = CHILDREN, *, workforce: bool = False) -> Variable:
    return Variable(
        name=name,
        label=label,
        unit=unit,
        kind=Kind.STOCK,
        may_drive=True,
        needs_workforce=workforce,
    )


def _rate(name: str, label: str, unit: str = "share a month") -> Variable:
    return Variable(name=name, label=label, unit=unit, kind=Kind.FLOW, may_be_driven=True)


_ALL = (
    Variable(
        name="referrals",
        label="Referrals",
        unit=CHILDREN_A_MONTH,
        kind=Kind.FLOW,
        may_drive=True,
        may_be_driven=True,
    ),
    Variable(
        name="nfa_share",
        label="Share of referrals closed without action",
        unit=SHARE,
        kind=Kind.RATIO,
        may_drive=True,
        may_be_driven=True,
    ),
    Variable(
        name="nfa_closed",
        label="Referrals closed without action",
        unit=CHILDREN_A_MONTH,
        kind=Kind.FLOW,
        may_drive=True,
    ),
    Variable(
        name="re_referrals",
        label="Re-referrals",
        unit=CHILDREN_A_MONTH,
        kind=Kind.FLOW,
        may_be_driven=True,
    ),
    _stock("assessments_open", "Open assessments"),
    Variable(
        name="assessment_months",
        label="Length of an assessment",
        unit="months",
        kind=Kind.DURATION,
        may_be_driven=True,
    ),
    _stock("cin_open", "Children in need (no plan, not in care)"),
    Variable(
        name="cin_months",
        label="Time as a child in need",
        unit="months",
        kind=Kind.DURATION,
        may_be_driven=True,
    ),
    _stock("cp_open", "Children on protection plans"),
    _stock("cla_open", "Children in care"),
    _rate("referral_to_plan", "Referrals that lead to a plan", SHARE),
    _rate("referral_to_care", "Referrals that lead to care", SHARE),
    _rate("other_plan_starts", "Other starts of plans", CHILDREN_A_MONTH),
    _rate("other_care_starts", "Other starts of care", CHILDREN_A_MONTH),
    _rate("uasc_starts", "Unaccompanied asylum-seeking children who start", CHILDREN_A_MONTH),
    _rate("plan_to_care", "Moves from a plan into care"),
    _rate("plan_ends", "Plans that end"),
    _rate(CARE_ENDS_ALL, "Children who leave care"),
    _rate("care_ends_home", "Children who leave care for home"),
    _rate("care_ends_adoption", "Children who leave care by adoption"),
    _rate("care_ends_sgo_cao", "Children who leave care by guardianship or arrangements order"),
    _rate("care_ends_other", "Children who leave care for other reasons"),
    Variable(
        name="cases",
        label="Cases held",
        unit="cases",
        kind=Kind.STOCK,
        may_drive=True,
        needs_workforce=True,
    ),
    _stock("workers", "Workers on cases", "workers (FTE)", workforce=True),
    Variable(
        name="vacancy_share",
        label="Share of posts vacant",
        unit=SHARE,
        kind=Kind.RATIO,
        may_drive=True,
        needs_workforce=True,
    ),
    Variable(
        name="leavers",
        label="Workers who leave",
        unit="workers (FTE) a month",
        kind=Kind.FLOW,
        may_drive=True,
        may_be_driven=True,
        needs_workforce=True,
    ),
    Variable(
        name="starters",
        label="Workers recruited",
        unit="workers (FTE) a month",
        kind=Kind.FLOW,
        may_be_driven=True,
        needs_workforce=True,
    ),
    Variable(
        name="absence_share",
        label="Share of workers absent",
        unit=SHARE,
        kind=Kind.RATIO,
        may_drive=True,
        may_be_driven=True,
        needs_workforce=True,
    ),
    Variable(
        name="caseload",
        label="Caseload",
        unit=CASES_PER_WORKER,
        kind=Kind.RATIO,
        may_drive=True,
        needs_workforce=True,
    ),
    Variable(
        name="ideal_caseload",
        label="Ideal caseload",
        unit=CASES_PER_WORKER,
        kind=Kind.GOAL,
        may_drive=True,
        may_be_driven=True,
        needs_workforce=True,
    ),
    Variable(
        name="caseload_ratio",
        label="Caseload relative to the ideal",
        unit="ratio",
        kind=Kind.RATIO,
        may_drive=True,
        needs_workforce=True,
    ),
    Variable(
        name="spare_places",
        label="Spare places",
        unit="places",
        kind=Kind.STOCK,
        may_drive=True,
        needs_places=True,
    ),
    Variable(
        name="occupancy",
        label="Share of places filled",
        unit=SHARE,
        kind=Kind.RATIO,
        may_drive=True,
        needs_places=True,
    ),
)

VARIABLES: Mapping[str, Variable] = {one.name: one for one in _ALL}
"""By name, in the order that sheets list them."""

DRIVERS: tuple[str, ...] = tuple(one.name for one in _ALL if one.may_drive)
TARGETS: tuple[str, ...] = tuple(one.name for one in _ALL if one.may_be_driven)
