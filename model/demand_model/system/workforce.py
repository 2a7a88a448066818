"""Equations of the workforce, its caseload, and the authority's own places."""

from __future__ import annotations

from collections.abc import Mapping

from demand_model.dynamics.expression import DT, Expression, Name, greatest, least, within
from demand_model.dynamics.model import Auxiliary, Constant, Flow, Stock, Variable
from demand_model.system.naming import constant, external, multiplier_name

GREATEST_ABSENCE = 0.95
"""Absence does not go beyond this share."""


def workforce(values: Mapping[str, float]) -> list[Variable]:
    """Stocks of posts, of workers and of those recruited; caseload and its ideal."""
    return [*_workers(values), *_caseload(values)]


def _workers(values: Mapping[str, float]) -> list[Variable]:
    vacancies = greatest(Name("posts") - Name("permanent workers"), 0.0)
    leaving = least(Name("leaving rate") * Name(multiplier_name("leavers")), 1.0 / DT)
    absence = Name("absence share now") * Name(multiplier_name("absence_share"))
    agency = Name("agency workers now") + Name("agency cover") * (
        Name("vacancies") - Name("vacancies now")
    )
    posts_now = greatest(Name("posts now"), Name("least workers"))
    of_posts, filled = Name("posts") / posts_now, Name("permanent workers now") / posts_now
    return [
        constant(values, "permanent workers now", "workers", "In post, without agency."),
        constant(values, "posts now", "workers", "Posts, filled or vacant."),
        constant(values, "vacancies now", "workers", "Posts vacant at the start."),
        constant(values, "agency workers now", "workers", "Agency workers at the start."),
        constant(values, "agency cover", "dimensionless", "Of a further vacancy."),
        constant(values, "leaving rate", "1/month", "Turnover a year divided by 12."),
        constant(values, "recruited now", "workers/month", "Recruited at the start."),
        constant(values, "recruitment delay", "month", "Until a worker holds cases."),
        constant(values, "absence share now", "dimensionless", "Absent at the start."),
        external(values, "posts added", "workers/month", "Posts that a scenario adds."),
        Stock(
            name="posts",
            unit="workers",
            initial=Name("posts now"),
            inflows=("posts created",),
            doc="Posts, filled or vacant.",
        ),
        Flow(
            name="posts created",
            unit="workers/month",
            equation=Name("posts added"),
            doc="Posts that a scenario adds or takes away.",
        ),
        Flow(
            name="starters",
            unit="workers/month",
            equation=greatest(
                Name("recruited now") * of_posts * Name(multiplier_name("starters"))
                + Name("posts added") * filled,
                0.0,
            ),
            doc="Workers recruited; posts that are added are filled to the share of the start.",
        ),
        Stock(
            name="workers recruited",
            unit="workers",
            initial=Name("recruited now") * Name("recruitment delay"),
            inflows=("starters",),
            outflows=("starts in post",),
            doc="Recruited, but not yet holding cases.",
        ),
        Flow(
            name="starts in post",
            unit="workers/month",
            equation=Name("workers recruited") / greatest(Name("recruitment delay"), DT),
            doc="Workers who begin to hold cases.",
        ),
        Stock(
            name="permanent workers",
            unit="workers",
            initial=Name("permanent workers now"),
            inflows=("starts in post",),
            outflows=("leavers",),
            doc="Workers in post, without agency.",
        ),
        Flow(
            name="leavers",
            unit="workers/month",
            equation=Name("permanent workers") * leaving,
            doc="Workers who leave.",
        ),
        Auxiliary(name="vacancies", unit="workers", equation=vacancies, doc="Posts vacant."),
        Auxiliary(
            name="vacancy share",
            unit="dimensionless",
            equation=Name("vacancies") / greatest(Name("posts"), Name("least workers")),
            doc="Share of posts vacant.",
        ),
        Auxiliary(
            name="agency workers",
            unit="workers",
            equation=greatest(agency, 0.0),
            doc="Agency workers.",
        ),
        Auxiliary(
            name="absence share",
            unit="dimensionless",
            equation=within(absence, 0.0, GREATEST_ABSENCE),
            doc="Share of workers absent.",
        ),
        Auxiliary(
            name="workers",
            unit="workers",
            equation=(Name("permanent workers") + Name("agency workers"))
            * (1.0 - Name("absence share"))
            / (1.0 - Name("absence share now")),
            doc="Workers on cases: in post, less absence beyond that of the start.",
        ),
    ]


def _caseload(values: Mapping[str, float]) -> list[Variable]:
    kinds = {
        "assessment weight": "assessments open",
        "cin weight": "cin open",
        "plan weight": "cp open",
        "care weight": "cla open",
    }
    weighted: list[Expression] = [Name(weight) * Name(stock) for weight, stock in kinds.items()]
    return [
        *(constant(values, weight, "cases/children", f"Of {kinds[weight]}.") for weight in kinds),
        constant(values, "ideal caseload now", "cases/workers", "Aimed for at the start."),
        Constant(name="least workers", unit="workers", value=0.1, doc="Keeps caseload finite."),
        Constant(name="least caseload", unit="cases/workers", value=0.01, doc="Same."),
        Auxiliary(
            name="cases",
            unit="cases",
            equation=weighted[0] + weighted[1] + weighted[2] + weighted[3],
            doc="Cases held, by weight.",
        ),
        Auxiliary(
            name="caseload",
            unit="cases/workers",
            equation=Name("cases") / greatest(Name("workers"), Name("least workers")),
            doc="Cases per worker.",
        ),
        Auxiliary(
            name="ideal caseload",
            unit="cases/workers",
            equation=Name("ideal caseload now") * Name(multiplier_name("ideal_caseload")),
            doc="Cases per worker that are aimed for.",
        ),
        Auxiliary(
            name="caseload ratio",
            unit="dimensionless",
            equation=Name("caseload") / greatest(Name("ideal caseload"), Name("least caseload")),
            doc="Caseload relative to the ideal.",
        ),
    ]


def own_places(values: Mapping[str, float]) -> list[Variable]:
    """Places taken and spare; children beyond them are placed elsewhere."""
    taken = Name("cla open") * Name("placed share") + Name("moved in")
    return [
        external(values, "places", "places", "The authority's own places."),
        external(values, "moved in", "places", "Places that children in care move into."),
        constant(values, "placed share", "places/children", "Of children in care."),
        Constant(name="least places", unit="places", value=1.0, doc="Keeps shares finite."),
        Auxiliary(
            name="places taken",
            unit="places",
            equation=least(greatest(taken, 0.0), Name("places")),
            doc="Places that are filled.",
        ),
        Auxiliary(
            name="spare places",
            unit="places",
            equation=Name("places") - Name("places taken"),
            doc="Places that are free.",
        ),
        Auxiliary(
            name="occupancy",
            unit="dimensionless",
            equation=Name("places taken") / greatest(Name("places"), Name("least places")),
            doc="Share of places that are filled.",
        ),
    ]
