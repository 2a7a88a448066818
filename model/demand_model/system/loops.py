"""Which closed loops exist: causal links laid over the stocks and flows.

The sign of a loop is the product of its links' signs: reinforcing where it is
positive (a push comes back as a push the same way), balancing where negative.
The stocks and flows alone close no loop; every loop runs through a causal link.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demand_model.flows import CARE_ENDS, Flow
from demand_model.system.known_loops import SHIPPED_CYCLES
from demand_model.system.links import LINKS, STORIES, CausalLink, check_links
from demand_model.system.variables import CARE_ENDS_ALL, VARIABLES

MOST_LOOPS = 500
"""More closed loops than this are not listed: nobody would read them."""


_TOLD_FROM = ("caseload", "occupancy", "spare_places")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An influence of one variable on another.

    Attributes
    ----------
    sign
        1: more of `start` brings more of `end` than there would have been; -1: less.
    row
        Number of the causal link, from 1; ``None`` for the stocks and flows themselves.
    is_on
        It acts; the stocks and flows always do.
    """

    start: str
    end: str
    sign: int
    row: int | None = None
    loop: str = ""
    breaks: str = ""
    is_on: bool = True
    is_delayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackLoop:
    """A closed loop.

    Attributes
    ----------
    arrows
        In order; the last ends where the first starts.
    name
        Of the behaviours it runs through, joined by " + ".
    story
        In plain words; empty for a group's own behaviour, which `path` tells.
    breaks
        What breaks it, as its links say.
    is_on
        All its links are switched on.
    """

    arrows: tuple[Arrow, ...]
    name: str
    story: str
    breaks: str
    is_reinforcing: bool
    is_on: bool

    @property
    def members(self) -> tuple[str, ...]:
        """Variables, in order, by their names in `VARIABLES`."""
        return tuple(arrow.start for arrow in self.arrows)

    @property
    def rows(self) -> tuple[int, ...]:
        """Numbers of its causal links."""
        return tuple(arrow.row for arrow in self.arrows if arrow.row is not None)

    @property
    def kind(self) -> str:
        """Either "reinforcing" or "balancing"."""
        return "reinforcing" if self.is_reinforcing else "balancing"

    @property
    def path(self) -> str:
        """Its variables with the direction that each takes after a rise of the first."""
        direction, steps = 1, []
        for arrow in self.arrows:
            steps.append(f"{VARIABLES[arrow.start].label} {'↑' if direction > 0 else '↓'}")
            direction *= arrow.sign
        steps.append(f"{VARIABLES[self.arrows[0].start].label} {'↑' if direction > 0 else '↓'}")
        return " → ".join(steps)


_STRUCTURE: tuple[tuple[str, str, int], ...] = (
    ("re_referrals", "referrals", 1),
    ("referrals", "nfa_closed", 1),
    ("nfa_share", "nfa_closed", 1),
    ("nfa_share", "re_referrals", 1),
    ("nfa_share", "assessments_open", -1),
    ("nfa_share", Flow.REFERRAL_TO_PLAN, -1),
    ("nfa_share", Flow.REFERRAL_TO_CARE, -1),
    ("referrals", "assessments_open", 1),
    ("assessment_months", "assessments_open", 1),
    ("referrals", "cin_open", 1),
    ("nfa_share", "cin_open", -1),
    ("cin_months", "cin_open", 1),
    ("referrals", "cp_open", 1),
    (Flow.REFERRAL_TO_PLAN, "cp_open", 1),
    (Flow.OTHER_PLAN_STARTS, "cp_open", 1),
    (Flow.PLAN_ENDS, "cp_open", -1),
    ("referrals", "cla_open", 1),
    (Flow.REFERRAL_TO_CARE, "cla_open", 1),
    (Flow.OTHER_CARE_STARTS, "cla_open", 1),
    (Flow.UASC_STARTS, "cla_open", 1),
    ("cp_open", "cla_open", 1),
    (Flow.PLAN_TO_CARE, "cla_open", 1),
    *((flow, "cla_open", -1) for flow in (CARE_ENDS_ALL, *CARE_ENDS)),
    ("assessments_open", "cases", 1),
    ("cin_open", "cases", 1),
    ("cp_open", "cases", 1),
    ("cla_open", "cases", 1),
    ("starters", "workers", 1),
    ("leavers", "workers", -1),
    ("absence_share", "workers", -1),
    ("leavers", "vacancy_share", 1),
    ("starters", "vacancy_share", -1),
    ("cases", "caseload", 1),
    ("workers", "caseload", -1),
    ("caseload", "caseload_ratio", 1),
    ("ideal_caseload", "caseload_ratio", -1),
    ("cla_open", "occupancy", 1),
    ("cla_open", "spare_places", -1),
)

STRUCTURE: tuple[Arrow, ...] = tuple(
    Arrow(start=str(start), end=str(end), sign=sign) for start, end, sign in _STRUCTURE
)
"""How stocks and flows hang together without any behaviour."""


def arrows(links: Iterable[CausalLink], *, only_on: bool = False) -> tuple[Arrow, ...]:
    """Structure and sound causal links, as drawn in a causal loop diagram.

    A faulty link (`check_links`) or one of elasticity 0 is left out.
    """
    links = tuple(links)
    faulty = {problem.row for problem in check_links(links)}
    causal = (
        Arrow(
            start=link.driver,
            end=link.target,
            sign=1 if link.elasticity > 0.0 else -1,
            row=row,
            loop=link.loop,
            breaks=link.breaks,
            is_on=link.is_on,
            is_delayed=link.delay_months > 0.0,
        )
        for row, link in enumerate(links, start=1)
        if row not in faulty and link.elasticity != 0.0 and (link.is_on or not only_on)
    )
    return (*STRUCTURE, *causal)


def find_loops(links: Iterable[CausalLink], *, only_on: bool = False) -> tuple[FeedbackLoop, ...]:
    """Closed loops, shortest first, in an order that does not depend on that of the rows.

    Parameters
    ----------
    only_on
        Only loops all of whose links are switched on.

    Returns
    -------
    tuple of FeedbackLoop
        At most `MOST_LOOPS`.
    """
    between: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in arrows(links, only_on=only_on):
        between.setdefault((arrow.start, arrow.end), []).append(arrow)
    found = [loop for cycle in _cycles(between) for loop in _loops_of(_turned(cycle), between)]
    found.sort(key=lambda loop: (len(loop.members), loop.members, loop.name))
    return tuple(found[:MOST_LOOPS])


def _cycles(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    wanted = frozenset(pairs)
    if wanted == {(arrow.start, arrow.end) for arrow in arrows(LINKS)}:
        return [list(cycle) for cycle in SHIPPED_CYCLES]
    return cycles_of(wanted)


def cycles_of(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Closed cycles of arrows from one name to another, at most `MOST_LOOPS` (Johnson 1975)."""
    import networkx as nx  # slow to load, and not needed for the links that ship

    return list(itertools.islice(nx.simple_cycles(nx.DiGraph(sorted(pairs))), MOST_LOOPS))


def _turned(cycle: list[str]) -> list[str]:
    """The same cycle, started where practitioners start to tell it."""
    order = (*_TOLD_FROM, *VARIABLES)
    first = cycle.index(min(cycle, key=order.index))
    return cycle[first:] + cycle[:first]


def _loops_of(
    cycle: list[str], between: dict[tuple[str, str], list[Arrow]]
) -> Iterator[FeedbackLoop]:
    steps = [
        between[pair] for pair in zip(cycle, itertools.chain(cycle[1:], cycle[:1]), strict=True)
    ]
    for chosen in itertools.product(*steps):
        yield _loop(chosen)


def _loop(chosen: tuple[Arrow, ...]) -> FeedbackLoop:
    sign = 1
    for arrow in chosen:
        sign *= arrow.sign
    causal = [arrow for arrow in chosen if arrow.row is not None]
    names = tuple(dict.fromkeys(arrow.loop for arrow in causal))
    breaks = dict.fromkeys(arrow.breaks for arrow in causal if arrow.breaks)
    return FeedbackLoop(
        arrows=chosen,
        name=" + ".join(names),
        story=" ".join(story.story for story in STORIES if story.name in names),
        breaks=" ".join(breaks),
        is_reinforcing=sign > 0,
        is_on=all(arrow.is_on for arrow in chosen),
    )
