"""Causal links: the loops that ship, and what is said of a row that makes no sense."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from demand_model.errors import InvalidSettingError
from demand_model.flows import CARE_ENDS
from demand_model.system.assumptions import FRONT_DOOR, PLACEMENTS, UNIT_COSTS, WORKFORCE
from demand_model.system.equations import DRIVER_UNITS, INTERNAL_TARGETS
from demand_model.system.inputs import (
    PLACEMENT_GROUPS,
    FrontDoor,
    PlacementGroup,
    Placements,
    SystemInputs,
    Workforce,
)
from demand_model.system.links import LINKS, STORIES, CausalLink, check_links, check_needs
from demand_model.system.variables import DRIVERS, SIMULATED, TARGETS, VARIABLES
from system_cases import LOOPS

pytestmark = pytest.mark.unit

GOOD = LINKS[0]


def only_problem(**changes: object) -> tuple[str, str]:
    found = check_links([replace(GOOD, **changes)])  # type: ignore[arg-type] # faults on purpose
    assert [one.row for one in found] == [1]
    return found[0].column, found[0].message


def test_the_five_loops_ship_sound_and_off() -> None:
    assert check_links(LINKS) == ()
    assert not any(link.is_on for link in LINKS)
    assert tuple(story.name for story in STORIES) == LOOPS
    assert len(LOOPS) == 5


def test_each_link_says_what_breaks_it_and_where_its_gain_comes_from() -> None:
    assert all(link.breaks and link.evidence for link in LINKS)
    assert all("illustrative: calibrate locally" in link.evidence for link in LINKS)


def test_every_driver_has_a_unit_in_the_algebra_and_every_target_a_place() -> None:
    assert set(DRIVER_UNITS) == set(DRIVERS)
    assert set(TARGETS) == {*INTERNAL_TARGETS, *(f.value for f in SIMULATED), "care_ends"}
    assert all(flow.value in VARIABLES for flow in CARE_ENDS)


@pytest.mark.parametrize(
    ("changes", "column", "said"),
    [
        ({"driver": "caselod"}, "driver", "Did you mean caseload?"),
        ({"driver": "the weather"}, "driver", "no variable of this name. Choose one of: referrals"),
        ({"driver": "starters", "unit": "workers (FTE) a month"}, "driver", "cannot drive a link"),
        ({"target": "cla_open"}, "target", "cannot be driven by a link"),
        ({"target": "plan_end"}, "target", "Did you mean plan_ends?"),
        ({"unit": "children"}, "unit", "Caseload is measured in cases per worker"),
        ({"elasticity": math.nan}, "elasticity", "from -3 to 3"),
        ({"elasticity": 30.0}, "elasticity", "from -3 to 3"),
        ({"delay_months": -1.0}, "delay_months", "from 0 to 120"),
        ({"delay_months": math.inf}, "delay_months", "from 0 to 120"),
        ({"reference": 0.0}, "reference", "above 0"),
        ({"reference": -15.0}, "reference", "above 0"),
        ({"reference": math.nan}, "reference", "above 0"),
        ({"loop": "  "}, "loop", "no name"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(
    changes: dict[str, object], column: str, said: str
) -> None:
    found_column, message = only_problem(**changes)
    assert found_column == column
    assert said in message


def test_a_link_to_itself() -> None:
    row = replace(GOOD, driver="nfa_share", target="nfa_share", unit="share")
    assert [(one.column, one.row) for one in check_links([row])] == [("target", 1)]


def test_a_second_row_of_the_same_pair_counts_twice() -> None:
    found = check_links([GOOD, LINKS[1], replace(GOOD, loop="Ours", elasticity=0.1)])
    assert [(one.row, one.column) for one in found] == [(3, "target")]
    assert "Row 1 already" in found[0].message


def test_all_faults_of_a_row_are_reported_together() -> None:
    row = replace(GOOD, driver="x", target="y", elasticity=9.0, delay_months=-1.0, reference=0.0)
    columns = [one.column for one in check_links([row])]
    assert columns == ["driver", "target", "elasticity", "delay_months", "reference"]


def test_case_and_spaces_of_a_unit_do_not_matter() -> None:
    assert check_links([replace(GOOD, unit=" Cases  per Worker ")]) == ()


def test_links_that_are_on_need_their_values_and_those_that_are_off_do_not() -> None:
    places = [k for k in LINKS if k.driver == "occupancy"]
    rows = [replace(LINKS[0], is_on=True), places[0], replace(places[1], is_on=True)]
    found = check_needs(rows, has_workforce=False, has_places=False)
    assert [(one.row, one.column) for one in found] == [(1, "driver"), (1, "target"), (3, "driver")]
    assert "the number of the authority's own places" in found[2].message
    assert check_needs(rows, has_workforce=True, has_places=True) == ()


def test_a_groups_own_row_is_welcome() -> None:
    row = CausalLink(
        loop="Our workshop",
        driver="vacancy_share",
        target="care_ends_home",
        elasticity=-0.2,
        delay_months=0.0,
        reference=0.1,
        unit="share",
        evidence="workshop of 3 November",
        is_on=True,
    )
    assert check_links([*LINKS, row]) == ()


def test_every_default_has_unit_and_source() -> None:
    for one in (*WORKFORCE, *FRONT_DOOR, *PLACEMENTS, *UNIT_COSTS):
        assert one.label, one.key
        assert one.unit, one.key
        assert one.source, one.key


@pytest.mark.parametrize(("of", "assumptions"), [(Workforce, WORKFORCE), (FrontDoor, FRONT_DOOR)])
def test_every_input_has_an_assumption_and_its_value(of: type, assumptions: tuple) -> None:
    made = of()
    assert {f.name: getattr(made, f.name) for f in fields(of)} == {
        one.key: one.value for one in assumptions
    }


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Workforce(vacancy_share=1.2),
        lambda: Workforce(leavers_a_year=-0.1),
        lambda: Workforce(ideal_caseload=0.0),
        lambda: Workforce(workers_fte=math.nan),
        lambda: FrontDoor(nfa_share=1.0),
        lambda: FrontDoor(assessment_months=0.0),
        lambda: Placements(overflow="the moon"),
        lambda: Placements(mix={"1 to 4": {"kinship": 0.5}}),
        lambda: Placements(moves={("kinship", "residential"): 1.5}),
        lambda: PlacementGroup(name="x", label="X", weekly_cost=-1.0, is_internal=True),
    ],
)
def test_inputs_outside_their_range_are_refused(wrong: object) -> None:
    with pytest.raises(InvalidSettingError, match="Invalid"):
        wrong()  # type: ignore[operator] # a list of calls


def test_places_are_those_of_internal_groups_with_a_limit() -> None:
    assert SystemInputs().placements.places is None
    groups = tuple(
        replace(g, capacity=10.0 if g.name in ("kinship", "residential") else None)
        for g in PLACEMENT_GROUPS
    )
    assert Placements(groups=groups).places == 10.0
