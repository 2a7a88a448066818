"""The loop finder: which loops close, their signs, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import networkx as nx
import pytest

from demand_model.system.known_loops import SHIPPED_CYCLES
from demand_model.system.links import LINKS, STORIES, CausalLink
from demand_model.system.loops import STRUCTURE, FeedbackLoop, arrows, cycles_of, find_loops
from demand_model.system.variables import VARIABLES
from system_cases import LOOPS

pytestmark = pytest.mark.unit


def of(name: str) -> list[FeedbackLoop]:
    return [loop for loop in find_loops(LINKS) if loop.name == name]


def test_stocks_and_flows_alone_close_no_loop() -> None:
    graph = nx.DiGraph([(arrow.start, arrow.end) for arrow in STRUCTURE])
    assert nx.is_directed_acyclic_graph(graph)
    assert set(graph) <= set(VARIABLES)
    assert find_loops(()) == ()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Workload–burnout", {"reinforcing"}),
        ("Drifting goals", {"reinforcing", "balancing"}),  # the drift, and recruiting itself
        ("Free places get filled", {"balancing"}),
        ("Threshold under pressure", {"balancing", "reinforcing"}),  # relief now, rework later
        ("Delay in plans and exits", {"reinforcing"}),
    ],
)
def test_the_signs_of_the_design(name: str, kinds: set[str]) -> None:
    assert {loop.kind for loop in of(name)} == kinds


def test_the_drift_is_the_reinforcing_one() -> None:
    drift = [loop for loop in of("Drifting goals") if loop.is_reinforcing]
    assert [loop.members for loop in drift] == [
        ("caseload", "ideal_caseload", "caseload_ratio", "starters", "workers")
    ]


def test_rework_runs_through_re_referrals() -> None:
    for loop in of("Threshold under pressure"):
        assert loop.is_reinforcing == ("re_referrals" in loop.members)


def test_a_loop_is_told_in_plain_words() -> None:
    burnout = next(loop for loop in of("Workload–burnout") if "leavers" in loop.members)
    assert burnout.path == ("Caseload ↑ → Workers who leave ↑ → Workers on cases ↓ → Caseload ↑")
    assert burnout.story == STORIES[0].story
    assert burnout.breaks == STORIES[0].breaks
    assert [LINKS[row - 1].target for row in burnout.rows] == ["leavers"]


def test_only_loops_all_of_whose_links_are_on() -> None:
    links = [replace(link, is_on=link.loop == LOOPS[0]) for link in LINKS]
    found = find_loops(links, only_on=True)
    assert {loop.name for loop in found} == {LOOPS[0]}
    assert {loop.members for loop in find_loops(links) if loop.is_on} == {
        loop.members for loop in found
    }


def test_the_order_of_the_rows_does_not_matter() -> None:
    forward, backward = find_loops(LINKS), find_loops(LINKS[::-1])
    assert [(a.members, a.name) for a in forward] == [(b.members, b.name) for b in backward]


def test_a_groups_own_link_closes_its_own_loop() -> None:
    own = CausalLink(
        loop="Our workshop",
        driver="spare_places",
        target="plan_to_care",
        elasticity=0.3,
        delay_months=1.0,
        reference=None,
        unit="places",
        evidence="workshop",
        breaks="Ask the panel first.",
    )
    found = find_loops([own])
    assert [loop.members for loop in found] == [("spare_places", "plan_to_care", "cla_open")]
    assert found[0].rows == (1,)
    assert found[0].kind == "balancing"
    assert found[0].story == ""
    assert found[0].breaks == "Ask the panel first."
    assert found[0].path == (
        "Spare places ↑ → Moves from a plan into care ↑ → Children in care ↑ → Spare places ↓"
    )


def test_a_faulty_or_idle_row_draws_no_arrow() -> None:
    wrong = [replace(LINKS[0], driver="nothing"), replace(LINKS[1], elasticity=0.0)]
    assert arrows(wrong) == STRUCTURE


def test_each_loop_is_closed_and_its_sign_is_the_product() -> None:
    for loop in find_loops(LINKS):
        ends = [arrow.end for arrow in loop.arrows]
        assert [arrow.start for arrow in loop.arrows] == [ends[-1], *ends[:-1]]
        negative = sum(arrow.sign < 0 for arrow in loop.arrows)
        assert loop.is_reinforcing == (negative % 2 == 0)
        assert len(set(loop.members)) == len(loop.members)
        assert loop.rows


def test_the_shipped_loops_are_those_that_networkx_finds() -> None:
    def turned(cycle: Iterable[str]) -> tuple[str, ...]:
        names = tuple(cycle)
        first = names.index(min(names))
        return names[first:] + names[:first]

    found = cycles_of({(arrow.start, arrow.end) for arrow in arrows(LINKS)})
    assert len(found) == len(SHIPPED_CYCLES)
    assert {turned(cycle) for cycle in found} == {turned(cycle) for cycle in SHIPPED_CYCLES}
