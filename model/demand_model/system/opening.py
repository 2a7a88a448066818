"""Where the system stands at the census date: lists, workforce and Little's law.

What the lists do not give is put in balance: so many assessments are open as
referrals taken up a month times their length, and so on. Where a count is given,
the length follows from it instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demand_model.dynamics.evaluate import FloatArray, Value
from demand_model.errors import InvalidSettingError
from demand_model.system.inputs import FrontDoor, SystemInputs, Workforce
from demand_model.units import MONTHS_PER_YEAR

LEAST_MONTHS, GREATEST_MONTHS = 0.25, 60.0
"""Bounds of a length of stay that follows from a count."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SystemOpening:
    """The census date; every value is a float or of shape (draws,).

    Attributes
    ----------
    referrals_a_month
        Average over a year, so that the season does not pass for a change.
    nfa_share
        Referrals closed without action in List 3; 0 where it is not known.
    assessments_open, cin_open
        From Lists 4 and 6; ``None``: in balance with referrals. Children in need
        who are neither on a plan nor in care.
    places
        The authority's own places; ``None``: those of the System sheet, if any.
    placed_share
        Share of children in care who live in these places.
    """

    referrals_a_month: Value
    cp_open: Value
    cla_open: Value
    nfa_share: Value = 0.0
    assessments_open: Value | None = None
    cin_open: Value | None = None
    places: Value | None = None
    placed_share: Value | None = None


def opening_constants(inputs: SystemInputs, opening: SystemOpening) -> dict[str, Value]:
    """Constants of `system_model` at the census date, by name.

    Raises
    ------
    InvalidSettingError
        Places are given, but not who lives in them.
    """
    constants = _front_door(inputs.front_door, opening)
    if inputs.workforce is not None:
        constants |= _workforce(inputs.workforce, opening, constants)
    if places_of(inputs, opening) is not None:
        if opening.placed_share is None:
            raise InvalidSettingError(
                "Invalid places: the share of children in care who live in them is not known. "
                "It must be given together with the places."
            )
        constants["placed share"] = opening.placed_share
    return constants


def places_of(inputs: SystemInputs, opening: SystemOpening) -> Value | None:
    """The authority's own places; ``None`` where no number is given."""
    return inputs.placements.places if opening.places is None else opening.places


def _front_door(door: FrontDoor, opening: SystemOpening) -> dict[str, Value]:
    nfa = opening.nfa_share if door.nfa_share is None else door.nfa_share
    nfa = _within(nfa, 0.0, 0.95)
    taken_up = opening.referrals_a_month * (1.0 - nfa)
    assessments, assessment_months = _stay(
        opening.assessments_open, taken_up, door.assessment_months
    )
    in_need, cin_months = _stay(opening.cin_open, taken_up * door.cin_share, door.cin_months)
    return {
        "nfa share now": nfa,
        "assessment months now": assessment_months,
        "cin share": door.cin_share,
        "cin months now": cin_months,
        "re referral share": door.re_referral_share,
        "re referral months": door.re_referral_months,
        "marginal need": door.marginal_need,
        "assessments at the start": assessments,
        "cin at the start": in_need,
    }


def _stay(count: Value | None, inflow: Value, months: float) -> tuple[Value, Value]:
    """Count and length of stay in balance: ``count = inflow * length`` (Little's law)."""
    if count is None:
        return inflow * months, months
    length = np.asarray(count, dtype=float) / np.maximum(inflow, 1e-9)
    return count, _within(_plain(length), LEAST_MONTHS, GREATEST_MONTHS)


def _workforce(
    workforce: Workforce, opening: SystemOpening, door: dict[str, Value]
) -> dict[str, Value]:
    in_post = workers_now(workforce, opening, door)
    agency = in_post * workforce.agency_share
    permanent = in_post - agency
    posts = permanent / (1.0 - workforce.vacancy_share)
    leaving = workforce.leavers_a_year / MONTHS_PER_YEAR
    recruited = workforce.starters_a_month
    return {
        "permanent workers now": permanent,
        "posts now": posts,
        "vacancies now": posts - permanent,
        "agency workers now": agency,
        "agency cover": workforce.agency_cover,
        "leaving rate": leaving,
        "recruited now": permanent * leaving if recruited is None else recruited,
        "recruitment delay": workforce.recruitment_delay_months,
        "absence share now": workforce.absence_share,
        "assessment weight": workforce.assessment_weight,
        "cin weight": workforce.cin_weight,
        "plan weight": workforce.plan_weight,
        "care weight": workforce.care_weight,
        "ideal caseload now": workforce.ideal_caseload,
    }


def workers_now(workforce: Workforce, opening: SystemOpening, door: dict[str, Value]) -> Value:
    """Workers in post, agency included: as entered, or today's cases per `cases_per_worker`."""
    if workforce.workers_fte is not None:
        return workforce.workers_fte
    cases = (
        workforce.assessment_weight * door["assessments at the start"]
        + workforce.cin_weight * door["cin at the start"]
        + workforce.plan_weight * opening.cp_open
        + workforce.care_weight * opening.cla_open
    )
    return cases / workforce.cases_per_worker


def _within(value: Value, low: float, high: float) -> Value:
    return _plain(np.clip(value, low, high))


def _plain(value: FloatArray | np.float64 | float) -> Value:
    """A float where it is one number, else the array."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value)
