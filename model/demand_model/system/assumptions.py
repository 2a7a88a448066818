"""Every default of the system with its unit, source and date, as data.

The System sheet, the documentation and the dataclasses of `inputs` are drawn from
these records; none of them repeats a value.
"""

from __future__ import annotations

from dataclasses import dataclass

ILLUSTRATIVE = "illustrative: calibrate locally"
"""What the source of a default says where there is none."""

_WORKFORCE_DATA = "DfE, Children's social work workforce, England"
_UPRATED = "judgement, from older sources uprated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One default.

    Attributes
    ----------
    key
        The field that it fills.
    value
        ``None``: worked out from the lists or another value, as `label` says.
    source
        Publication, or why this value; judgement says that it is judgement.
    as_of
        Date or period that the value speaks of; empty for a judgement.
    """

    key: str
    label: str
    value: float | None
    unit: str
    source: str
    as_of: str = ""


def _assume(
    key: str, label: str, value: float | None, unit: str, source: str, as_of: str = ""
) -> Assumption:
    return Assumption(key=key, label=label, value=value, unit=unit, source=source, as_of=as_of)


WORKFORCE: tuple[Assumption, ...] = (
    _assume(
        "workers_fte",
        "Social workers who hold cases, agency workers included (blank: today's cases divided "
        "by cases per worker)",
        None,
        "workers (FTE)",
        "enter your own",
    ),
    _assume(
        "cases_per_worker",
        "Cases per worker today, used where the number of workers is blank",
        15.2,
        "cases per worker",
        _WORKFORCE_DATA,
        "30 September 2025",
    ),
    _assume(
        "ideal_caseload",
        "Ideal caseload: the cases per worker that you aim for",
        15.2,
        "cases per worker",
        f"the average of England as a starting point; {_WORKFORCE_DATA}",
        "30 September 2025",
    ),
    _assume(
        "vacancy_share",
        "Vacant posts, as a share of all posts",
        0.142,
        "share",
        _WORKFORCE_DATA,
        "30 September 2025",
    ),
    _assume(
        "leavers_a_year",
        "Workers who leave in a year, as a share of those in post (turnover)",
        0.118,
        "share a year",
        _WORKFORCE_DATA,
        "30 September 2025",
    ),
    _assume(
        "starters_a_month",
        "New workers recruited a month (blank: as many as leave now)",
        None,
        "workers (FTE) a month",
        "enter your own",
    ),
    _assume(
        "agency_share",
        "Agency workers, as a share of workers who hold cases",
        0.16,
        "share",
        f"{_WORKFORCE_DATA}: about 6,500 of 40,800",
        "30 September 2024",
    ),
    _assume(
        "agency_cover",
        "Share of any further vacancy that agency workers fill",
        0.0,
        "share",
        ILLUSTRATIVE,
    ),
    _assume(
        "absence_share",
        "Workers absent at a time, as a share",
        0.035,
        "share",
        _WORKFORCE_DATA,
        "30 September 2025",
    ),
    _assume(
        "recruitment_delay_months",
        "Months from deciding to recruit until a worker holds cases",
        4.0,
        "months",
        f"judgement; {ILLUSTRATIVE}",
    ),
    _assume(
        "assessment_weight",
        "Weight of an open referral or assessment in the caseload",
        1.0,
        "cases a child",
        "DfE counts each child as one case",
        "30 September 2025",
    ),
    _assume(
        "cin_weight",
        "Weight of a child in need (no plan, not in care) in the caseload",
        1.0,
        "cases a child",
        "DfE counts each child as one case",
        "30 September 2025",
    ),
    _assume(
        "plan_weight",
        "Weight of a child on a protection plan in the caseload",
        1.0,
        "cases a child",
        "DfE counts each child as one case",
        "30 September 2025",
    ),
    _assume(
        "care_weight",
        "Weight of a child in care in the caseload",
        1.0,
        "cases a child",
        "DfE counts each child as one case",
        "30 September 2025",
    ),
    _assume(
        "cost_per_worker_a_year",
        "Cost of a worker a year, with on-costs",
        60_000.0,
        "£ a year",
        f"judgement; {ILLUSTRATIVE}",
    ),
    _assume(
        "cost_per_agency_worker_a_year",
        "Cost of an agency worker a year",
        85_000.0,
        "£ a year",
        f"judgement; {ILLUSTRATIVE}",
    ),
)

FRONT_DOOR: tuple[Assumption, ...] = (
    _assume(
        "nfa_share",
        "Referrals closed without further action (blank: as in List 3)",
        None,
        "share",
        "List 3",
    ),
    _assume(
        "assessment_months",
        "Average length of an assessment",
        1.5,
        "months",
        "judgement: the statutory limit is 45 working days, about two months",
    ),
    _assume(
        "cin_share",
        "Assessments after which a child becomes a child in need (no plan, not in care)",
        0.35,
        "share",
        f"judgement; {ILLUSTRATIVE}",
    ),
    _assume(
        "cin_months",
        "Average time as a child in need",
        12.0,
        "months",
        "judgement: with the shares above it gives about the 266,000 children in need of "
        "England who are neither on a plan nor in care (DfE, Characteristics of children in "
        "need)",
        "31 March 2024",
    ),
    _assume(
        "re_referral_share",
        "Referrals that are re-referrals within 12 months; also the chance that a referral "
        "closed under pressure comes back",
        0.22,
        "share",
        "DfE, Characteristics of children in need, England; for those closed under pressure "
        "illustrative",
        "2023/24",
    ),
    _assume(
        "re_referral_months",
        "Average time until a referral that was closed under pressure comes back",
        6.0,
        "months",
        f"judgement; {ILLUSTRATIVE}",
    ),
    _assume(
        "marginal_need",
        "Need of the referrals at the threshold (chance of a plan or care), relative to the "
        "average referral that is taken up",
        0.5,
        "share",
        f"judgement; {ILLUSTRATIVE}",
    ),
)

PLACEMENTS: tuple[Assumption, ...] = (
    _assume(
        "inflation_a_year",
        "Growth of unit costs a year",
        0.03,
        "share a year",
        f"judgement; {ILLUSTRATIVE}",
    ),
    _assume(
        "agency_fostering_share",
        "Fostering placements with independent agencies, where the lists do not say",
        0.35,
        "share",
        f"judgement; {ILLUSTRATIVE}",
    ),
)

UNIT_COSTS: tuple[Assumption, ...] = (
    _assume("kinship", "Kinship foster care", 450.0, "£ a week", _UPRATED),
    _assume(
        "own fostering",
        "Foster care with the authority's own carers",
        650.0,
        "£ a week",
        f"{_UPRATED}; range 450 to 700, PSSRU 646 all-in (2017)",
    ),
    _assume(
        "agency fostering",
        "Foster care with an independent agency",
        1_000.0,
        "£ a week",
        f"CMA: 820 (2021); {_UPRATED}",
    ),
    _assume(
        "residential",
        "Children's homes",
        6_100.0,
        "£ a week",
        "NAO: £318,400 a place",
        "2023/24",
    ),
    _assume(
        "supported accommodation",
        "Supported accommodation",
        1_300.0,
        "£ a week",
        "judgement: range 1,000 to 1,700, no good current source found",
    ),
    _assume("adoption", "Placed for adoption", 200.0, "£ a week", f"judgement; {ILLUSTRATIVE}"),
    _assume("with parents", "Placed with parents", 100.0, "£ a week", f"judgement; {ILLUSTRATIVE}"),
    _assume("other", "Other placements", 1_000.0, "£ a week", f"judgement; {ILLUSTRATIVE}"),
)

_VALUES = {one.key: one.value for one in (*WORKFORCE, *FRONT_DOOR, *PLACEMENTS, *UNIT_COSTS)}


def default(key: str) -> float:
    """Value of an assumption that has one.

    Raises
    ------
    KeyError
        No such assumption, or its default is worked out from the lists.
    """
    value = _VALUES[key]
    if value is None:
        raise KeyError(key)
    return value
