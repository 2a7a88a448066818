"""Equations of the front door: referral, assessment, child in need, re-referral."""

from __future__ import annotations

from collections.abc import Mapping

from demand_model.dynamics.expression import DT, Name, Number, greatest, within
from demand_model.dynamics.model import Auxiliary, Flow, Stock, Variable
from demand_model.system.naming import constant, external, multiplier_name, words

GREATEST_NFA_SHARE = 0.95
"""Closing referrals does not go beyond this share."""


def outside(values: Mapping[str, float]) -> list[Variable]:
    """What the simulation gives."""
    return [
        external(values, "referrals", "children/month", "Children referred a month."),
        external(values, "cp open", "children", "Children on protection plans."),
        external(values, "cla open", "children", "Children in care."),
    ]


def front_door(values: Mapping[str, float]) -> list[Variable]:
    """Stocks of assessments, of children in need and of those closed who may return."""
    share = within(
        Name("nfa share now") * Name(multiplier_name("nfa_share")), 0.0, GREATEST_NFA_SHARE
    )
    above = Name("nfa share") - Name("nfa share now")
    ended = Name("assessments open") / Name("assessment months")
    return [
        constant(values, "nfa share now", "dimensionless", "Closed without action at the start."),
        constant(values, "assessment months now", "month", "Length of an assessment."),
        constant(values, "cin share", "dimensionless", "Assessments that lead to need."),
        constant(values, "cin months now", "month", "Time as a child in need."),
        constant(values, "re referral share", "dimensionless", "Chance of coming back."),
        constant(values, "re referral months", "month", "Average time until coming back."),
        constant(values, "marginal need", "dimensionless", "Need at the threshold."),
        constant(values, "assessments at the start", "children", "Open assessments."),
        constant(values, "cin at the start", "children", "Children in need."),
        Auxiliary(
            name="nfa share",
            unit="dimensionless",
            equation=within(share, 0.0, GREATEST_NFA_SHARE),
            doc="Share of referrals closed without action.",
        ),
        Auxiliary(
            name="nfa closed",
            unit="children/month",
            equation=Name("referrals") * Name("nfa share"),
            doc="Referrals closed without action.",
        ),
        _length("assessment_months", "Length of an assessment, delays included."),
        _length("cin_months", "Time as a child in need, delays included."),
        Flow(
            name="assessments started",
            unit="children/month",
            equation=Name("referrals") * (1.0 - Name("nfa share")),
            doc="Referrals that are taken up.",
        ),
        Stock(
            name="assessments open",
            unit="children",
            initial=Name("assessments at the start"),
            inflows=("assessments started",),
            outflows=("assessments to need", "assessments closed"),
            doc="Children whose assessment is open.",
        ),
        Flow(
            name="assessments to need",
            unit="children/month",
            equation=ended * Name("cin share"),
            doc="Assessments after which a child becomes a child in need.",
        ),
        Flow(
            name="assessments closed",
            unit="children/month",
            equation=ended * (1.0 - Name("cin share")),
            doc="Other assessments that end.",
        ),
        Stock(
            name="cin open",
            unit="children",
            initial=Name("cin at the start"),
            inflows=("assessments to need",),
            outflows=("cin closed",),
            doc="Children in need who are neither on a plan nor in care.",
        ),
        Flow(
            name="cin closed",
            unit="children/month",
            equation=Name("cin open") / Name("cin months"),
            doc="Children who are no longer in need.",
        ),
        Flow(
            name="closed under pressure",
            unit="children/month",
            equation=Name("referrals") * above,
            doc="Referrals closed beyond today's share; fewer than today count below 0.",
        ),
        Stock(
            name="closed and not yet back",
            unit="children",
            initial=Number(0.0),
            inflows=("closed under pressure",),
            outflows=("due back",),
            doc="Re-referral pool: closed under pressure, time not yet passed.",
        ),
        Flow(
            name="due back",
            unit="children/month",
            equation=Name("closed and not yet back") / greatest(Name("re referral months"), DT),
            doc="Those whose time has passed, whether they come back or not.",
        ),
        Auxiliary(
            name="returning",
            unit="children/month",
            equation=Name("due back")
            * Name("re referral share")
            * Name(multiplier_name("re_referrals")),
            doc="Those of them who are referred again.",
        ),
        Auxiliary(
            name="taken up",
            unit="dimensionless",
            equation=1.0 - Name("marginal need") * above / (1.0 - Name("nfa share now")),
            doc="Plans and care from referrals, relative to today's threshold.",
        ),
    ]


def _length(target: str, doc: str) -> Auxiliary:
    return Auxiliary(
        name=words(target),
        unit="month",
        equation=greatest(Name(f"{words(target)} now") * Name(multiplier_name(target)), DT),
        doc=doc,
    )
