"""Causal links: the feedback of the system as rows of a table, and their checks.

::

    multiplier of target = (smoothed driver / reference) ** elasticity
    d smoothed driver / dt = (driver - smoothed driver) / delay

All links to one target multiply. A loop is not declared: it is what closes when
links are laid over the stocks and flows (`demand_model.system.loops`).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demand_model.system.assumptions import ILLUSTRATIVE
from demand_model.system.variables import DRIVERS, TARGETS, VARIABLES, Variable

PLACES_DRIVERS = ("occupancy", "spare_places")
ENTRIES_TO_CARE = ("referral_to_care", "other_care_starts", "plan_to_care", "uasc_starts")
GREATEST_ELASTICITY = 3.0
"""A link stronger than this is taken for a slip of the keyboard."""

LONGEST_DELAY_MONTHS = 120.0

LEAST_RATIO, GREATEST_RATIO = 0.1, 10.0
"""A driver's ratio to its reference is held within these, so that every multiplier is finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalLink:
    """``multiplier of target = (smoothed driver / reference) ** elasticity``.

    Nothing is checked here, so that a sheet's faults can be reported together:
    see `check_links`.

    Attributes
    ----------
    loop
        Plain name of the behaviour; a group's own name is welcome.
    driver, target
        Names of `VARIABLES`.
    delay_months
        Average delay; 0 acts in the next step.
    reference
        Value of the driver at which the link does nothing; ``None``: its value at
        the census date.
    unit
        Of the reference: the driver's own.
    evidence
        Source, or "illustrative: calibrate locally".
    breaks
        What breaks the loop.
    """

    loop: str
    driver: str
    target: str
    elasticity: float
    delay_months: float
    reference: float | None
    unit: str
    evidence: str
    is_on: bool = False
    breaks: str = ""

    @property
    def is_of_free_places(self) -> bool:
        """It carries what free places do to entries to care: a guarded threshold weakens it."""
        return self.driver in PLACES_DRIVERS and self.target in ENTRIES_TO_CARE


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProblem:
    """What is wrong with one row of the table of links.

    Attributes
    ----------
    row
        Number of the link, from 1.
    column
        Field of `CausalLink`.
    message
        What is wrong and what to do.
    """

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStory:
    """A loop in plain words."""

    name: str
    story: str
    breaks: str


STORIES: tuple[LoopStory, ...] = (
    LoopStory(
        name="Workload–burnout",
        story="More cases per worker bring stress, sickness and leaving; with fewer workers, "
        "each holds more cases still.",
        breaks="A cap on caseload: a worker at the cap gets no further case, and unallocated "
        "cases are counted openly.",
    ),
    LoopStory(
        name="Drifting goals",
        story="After months of high caseload the ideal drifts towards the actual; then fewer "
        "workers are recruited, and the caseload stays high.",
        breaks="Hold the ideal caseload: agree it, write it down and do not move it with the "
        "actual.",
    ),
    LoopStory(
        name="Free places get filled",
        story="Spare places lower the threshold for care; entries rise until the places are "
        "full again.",
        breaks="A threshold for entry that is decided without regard to free places.",
    ),
    LoopStory(
        name="Threshold under pressure",
        story="With a high caseload more referrals are closed without action; it relieves "
        "workers now, and some of these children come back as re-referrals later.",
        breaks="A written threshold, with a sample of closed referrals audited each month.",
    ),
    LoopStory(
        name="Delay in plans and exits",
        story="With a high caseload assessments, reviews and court work run late; plans and "
        "care last longer, and the caseload rises.",
        breaks="Reviews and exits kept on time whatever the caseload, by protected time.",
    ),
)
"""The loops that ship with the product, in the order of the sheet."""

_BURNOUT, _DRIFT, _PLACES, _THRESHOLD, _DELAY = STORIES


def _link(
    loop: LoopStory,
    driver: str,
    target: str,
    elasticity: float,
    delay_months: float,
    measured: str = "",
) -> CausalLink:
    return CausalLink(
        loop=loop.name,
        driver=driver,
        target=target,
        elasticity=elasticity,
        delay_months=delay_months,
        reference=None,
        unit=VARIABLES[driver].unit,
        evidence=f"{ILLUSTRATIVE}; {measured} ({_YEARLY})" if measured else ILLUSTRATIVE,
        breaks=loop.breaks,
    )


_YEARLY = "yearly DfE figures of 76 authorities, 2017 to 2025; an association, not proof of a cause"

LINKS: tuple[CausalLink, ...] = (
    _link(
        _BURNOUT,
        "caseload",
        "absence_share",
        0.2,
        3.0,
        "0.78 (SE 0.17) across authorities, 0.01 (SE 0.21) within them over time",
    ),
    _link(
        _BURNOUT,
        "caseload",
        "leavers",
        0.3,
        6.0,
        "0.36 (SE 0.16) within authorities over time, 0.13 (SE 0.17) a year later",
    ),
    _link(_DRIFT, "caseload", "ideal_caseload", 1.0, 12.0),
    _link(_DRIFT, "caseload_ratio", "starters", 0.5, 2.0),
    _link(_PLACES, "occupancy", "referral_to_care", -0.5, 2.0),
    _link(_PLACES, "occupancy", "other_care_starts", -0.5, 2.0),
    _link(_THRESHOLD, "caseload_ratio", "nfa_share", 0.5, 1.0),
    _link(_DELAY, "caseload", "assessment_months", 0.5, 1.0),
    _link(
        _DELAY,
        "caseload",
        "plan_ends",
        -0.1,
        3.0,
        "-0.02 (SE 0.06) within authorities over time",
    ),
    _link(
        _DELAY,
        "caseload",
        "care_ends",
        -0.1,
        3.0,
        "-0.06 (SE 0.08) within authorities over time, -0.48 (SE 0.14) across them",
    ),
)
"""The five loops, all off. No public gain of any was found; what yearly figures say of some
stands beside them (measured by ``benchmarks/loop_gains.py``)."""


def check_links(links: Iterable[CausalLink]) -> tuple[LinkProblem, ...]:
    """Faults of the rows, in their order; on or off, since a row may be switched on later.

    Parameters
    ----------
    links
        As typed; row 1 is the first.
    """
    seen: dict[tuple[str, str], int] = {}
    found: list[LinkProblem] = []
    for row, link in enumerate(links, start=1):
        faults = [*_name_faults(link), *_unit_faults(link), *_number_faults(link)]
        pair = (link.driver, link.target)
        if pair in seen:
            faults.append(
                (
                    "target",
                    f"Row {seen[pair]} already links {link.driver} to {link.target}: the effect "
                    "would count twice. Keep one of the two rows.",
                )
            )
        seen.setdefault(pair, row)
        found += [LinkProblem(row=row, column=column, message=text) for column, text in faults]
    return tuple(found)


def check_needs(
    links: Iterable[CausalLink], *, has_workforce: bool, has_places: bool
) -> tuple[LinkProblem, ...]:
    """Links that are on and whose driver or target has no value on this sheet.

    Parameters
    ----------
    has_workforce
        The workforce is filled in.
    has_places
        The number of the authority's own places is given.
    """
    found = []
    for row, link in enumerate(links, start=1):
        if link.is_on:
            found += [
                LinkProblem(row=row, column=column, message=text)
                for column, text in lacking(
                    link, has_workforce=has_workforce, has_places=has_places
                )
            ]
    return tuple(found)


def lacking(
    link: CausalLink, *, has_workforce: bool, has_places: bool
) -> tuple[tuple[str, str], ...]:
    """Column and words for the driver or target of a link that has no value; on or off."""
    found = []
    for column, name in (("driver", link.driver), ("target", link.target)):
        variable = VARIABLES.get(name)
        if variable is None:
            continue
        if variable.needs_workforce and not has_workforce:
            found.append((column, _needs(variable, "the workforce")))
        if variable.needs_places and not has_places:
            found.append((column, _needs(variable, "the number of the authority's own places")))
    return tuple(found)


def _needs(variable: Variable, what: str) -> str:
    return f"{variable.label} needs {what}. Fill it in, or switch the link off."


def _name_faults(link: CausalLink) -> Iterator[tuple[str, str]]:
    if not link.loop.strip():
        yield "loop", "The link has no name. Give the behaviour a name, such as Workload–burnout."
    for column, name, allowed, role in (
        ("driver", link.driver, DRIVERS, "drive a link"),
        ("target", link.target, TARGETS, "be driven by a link"),
    ):
        if name in allowed:
            continue
        if name in VARIABLES:
            yield (
                column,
                f"{VARIABLES[name].label} ({name}) cannot {role}. Choose one of: "
                f"{', '.join(allowed)}.",
            )
            continue
        close = difflib.get_close_matches(name, allowed, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        yield (
            column,
            f"There is no variable of this name. {hint}Choose one of: {', '.join(allowed)}.",
        )
    if link.driver == link.target:
        yield "target", "A link cannot run from a variable to itself. Choose another target."


def _unit_faults(link: CausalLink) -> Iterator[tuple[str, str]]:
    driver = VARIABLES.get(link.driver)
    if driver is not None and _plain(link.unit) != _plain(driver.unit):
        yield (
            "unit",
            f"{driver.label} is measured in {driver.unit}. Give the reference in {driver.unit} "
            "and write that as its unit.",
        )


def _plain(unit: str) -> str:
    return " ".join(unit.split()).casefold()


def _number_faults(link: CausalLink) -> Iterator[tuple[str, str]]:
    if not abs(link.elasticity) <= GREATEST_ELASTICITY:  # also refuses what is not a number
        yield (
            "elasticity",
            f"The elasticity must be a number from {-GREATEST_ELASTICITY:g} to "
            f"{GREATEST_ELASTICITY:g}: the change of the target in % when the driver rises by 1%.",
        )
    if not 0.0 <= link.delay_months <= LONGEST_DELAY_MONTHS:
        yield (
            "delay_months",
            f"The delay must be from 0 to {LONGEST_DELAY_MONTHS:g} months.",
        )
    if link.reference is not None and not (link.reference > 0.0 and math.isfinite(link.reference)):
        yield (
            "reference",
            "The reference must be a number above 0, since the driver is divided by it. Leave it "
            "blank for the driver's value at the census date.",
        )
