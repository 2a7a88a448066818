"""Free places draw children into care, unless the threshold is guarded from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest

from demand_model import BASELINE, Scenario, spells
from demand_model.errors import InvalidSettingError
from demand_model.results.lever_list import LeverSetting
from demand_model.results.lever_notes import lever_notes
from demand_model.results.lever_runs import LeverContext, run_levers
from demand_model.results.own_places import added_place, added_places
from demand_model.results.placement_mix import PlacementsToday, placements_today
from demand_model.results.placement_need import placement_needs
from demand_model.results.placements import NewPlaces, place_children
from demand_model.simulation.effects import resolve
from demand_model.simulation.scenario import AddPlaces, MoveIntoOwnPlaces, MultiplySystem
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.timeline import timeline
from demand_model.system.inputs import Placements, SystemInputs
from demand_model.system.links import LINKS
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit

SOON = CENSUS + timedelta(days=1)
LOOP = "Free places get filled"
FloatArray = npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def listed() -> tuple[Placements, PlacementsToday]:
    """The authority's fostering is full: as many places as children today."""
    today = placements_today(spells(made_up_lists(1)), Placements())
    there = dict(zip(today.groups, today.counts.sum(axis=0).tolist(), strict=True))
    groups = tuple(
        replace(g, capacity=there[g.name]) if g.name in ("own fostering", "kinship") else g
        for g in Placements().groups
    )
    return Placements(groups=groups), today


@lru_cache(maxsize=1)
def context() -> LeverContext:
    placements, today = listed()
    own = [g.capacity is not None for g in placements.groups]
    links = tuple(replace(link, is_on=link.loop == LOOP) for link in LINKS)
    prepared = prepare(made_up_rates(1), horizon_months=24, draws=300, seed=1)
    return LeverContext(
        prepared=prepared,
        at=prepared.common.line.month_ends[-1].astype("datetime64[D]").item(),
        system=System(
            inputs=SystemInputs(links=links, placements=placements),
            placed_share=float(today.counts[:, own].sum() / today.counts.sum()),
        ),
        placements=placements,
        today=today,
        needs=placement_needs(spells(made_up_lists(1)), placements, today),
    )


def around() -> System:
    """The system of the context: the loop is on."""
    found = context().system
    assert found is not None
    return found


def pulled(key: str, size: float, ramp: float = 0.0) -> LeverSetting:
    return LeverSetting(lever=key, size=size, start=SOON, ramp_months=ramp)


def effects(**asked: tuple[LeverSetting, ...]) -> dict[str, FloatArray]:
    found = run_levers(context(), asked)
    return {name: found[name]["cla_open"] - found[""]["cla_open"] for name in asked}


SIX = replace(pulled("new_places", 6.0, 12.0), places=("own fostering", "residential"))
GUARD = pulled("threshold_guard", 1.0)


def test_six_new_places_fill_up_unless_the_threshold_is_guarded() -> None:
    """The councils' story: more enter care because places are free; a guard keeps them out."""
    found = effects(six=(SIX,), guarded=(SIX, GUARD), guard=(GUARD,))
    assert found["six"].mean() > 0.2
    assert (found["six"] >= found["guarded"]).mean() > 0.9
    assert found["six"].mean() > found["guarded"].mean()
    # A whole guard leaves nothing that rests on places: new ones or none is the same.
    np.testing.assert_array_equal(found["guarded"], found["guard"])


def test_half_a_guard_does_less_than_a_whole_one() -> None:
    half = pulled("threshold_guard", 0.5)
    found = effects(six=(SIX,), half=(SIX, half), whole=(SIX, GUARD))
    assert found["six"].mean() > found["half"].mean() > found["whole"].mean()


def test_a_guard_comes_in_over_its_ramp_and_not_before_its_start() -> None:
    late = replace(GUARD, start=date(CENSUS.year + 1, 4, 1))
    slow = replace(GUARD, ramp_months=18.0)
    found = effects(six=(SIX,), at_once=(SIX, GUARD), late=(SIX, late), slow=(SIX, slow))
    for name in ("late", "slow"):
        assert found["six"].mean() >= found[name].mean() > found["at_once"].mean()


def test_places_that_stand_free_longer_draw_more_children() -> None:
    """Filled at once by children in care they are never free; slowly, they are for long."""
    at_once = replace(SIX, size=4.0, ramp_months=0.0)
    slowly = replace(at_once, ramp_months=24.0)
    found = effects(at_once=(at_once,), slowly=(slowly,))
    assert abs(found["at_once"].mean()) < 0.15
    assert found["slowly"].mean() > found["at_once"].mean() + 0.2


@pytest.mark.parametrize(("key", "size"), [("step_down", 0.5), ("matching", 0.9)])
def test_children_who_move_into_own_places_leave_fewer_of_them_free(key: str, size: float) -> None:
    """With room in own fostering, step-down and matching fill it: fewer come into care."""
    case = context()
    roomy = tuple(
        replace(g, capacity=g.capacity + 4.0) if g.capacity is not None else g
        for g in listed()[0].groups
    )
    placements = Placements(groups=roomy)
    system = replace(around(), inputs=replace(around().inputs, placements=placements))
    with_room = replace(case, placements=placements, system=system, known={})
    found = run_levers(with_room, {"on": (pulled(key, size),)})
    assert (found["on"]["cla_open"] - found[""]["cla_open"]).mean() < 0.0
    assert found["on"]["external_share"].mean() < found[""]["external_share"].mean()


def test_new_places_move_the_simulators_places_and_the_children_in_them() -> None:
    """Spare places rise by six on the day, and fall to none as four children move in."""
    system = replace(
        around(),
        inputs=SystemInputs(placements=listed()[0]),
        new_places={"Six": (AddPlaces(places=6.0, start=SOON, moved_in=6.0, fill_months=10.0),)},
    )
    plain = Scenario(name="Six")
    base, six = simulate_prepared(context().prepared, (BASELINE, plain), system=system)
    for measure in ("cla_open", "cp_open"):  # no link is on: the same children
        np.testing.assert_array_equal(base.measures[measure, "all"], six.measures[measure, "all"])
    more = six.measures["spare_places", "all"] - base.measures["spare_places", "all"]
    taken = six.measures["occupancy", "all"]
    assert more[0].mean() > 4.0
    assert np.all(np.diff(more.mean(axis=1)[:10]) < 0.3)
    full = base.measures["spare_places", "all"] == 0.0
    np.testing.assert_allclose(more[11:][full[11:]], 0.0, atol=1e-9)
    assert np.all((taken >= 0.0) & (taken <= 1.0))


def test_places_of_one_scenario_are_in_no_other_and_those_of_all_in_each() -> None:
    place = (AddPlaces(places=3.0, start=SOON),)
    half_empty = System(inputs=SystemInputs(placements=listed()[0]), placed_share=0.05)
    other = Scenario(name="Other")
    for named, expected in (("Six", (0.0, 3.0, 0.0)), ("", (3.0, 3.0, 3.0))):
        system = replace(half_empty, new_places={named: place})
        found = simulate_prepared(
            context().prepared, (BASELINE, Scenario(name="Six"), other), system=system
        )
        (without,) = simulate_prepared(context().prepared, system=half_empty)
        before = without.measures["spare_places", "all"]
        for one, more in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.measures["spare_places", "all"] - before, more)


def test_a_loop_answers_to_the_places_of_a_scenario() -> None:
    opened = (AddPlaces(places=6.0, start=SOON),)
    system = replace(around(), new_places={"Six": opened})
    base, six = simulate_prepared(
        context().prepared, (BASELINE, Scenario(name="Six")), system=system
    )
    starts = [one.measures["cla_starts", "all"].sum(axis=0) for one in (base, six)]
    assert starts[1].mean() > starts[0].mean()
    change = MultiplySystem(target="free_places", factor=0.0, start=SOON)
    shut = replace(system, new_places={"": opened})
    one, two = (Scenario(name=name, changes=(change,)) for name in ("One", "Two"))
    guarded = simulate_prepared(context().prepared, (one, two), system=shut)
    bare = simulate_prepared(context().prepared, (one,), system=around())
    for found in (*guarded, *bare):
        np.testing.assert_array_equal(
            found.measures["cla_open", "all"], guarded[0].measures["cla_open", "all"]
        )


def test_a_guard_does_nothing_where_no_link_from_places_is_on_and_says_why() -> None:
    resting = replace(around(), inputs=SystemInputs(placements=listed()[0]))
    for system, words in (
        (resting, "sheet System."),
        (System(), "enter how many places each group of the authority's own has"),
    ):
        case = replace(context(), system=system, known={})
        found = run_levers(case, {"guard": (GUARD,), "six": (SIX,)})
        for name in ("guard", "six"):
            np.testing.assert_array_equal(found[name]["cla_open"], found[""]["cla_open"])
        (said,) = lever_notes(case, [GUARD])
        assert said.startswith("Threshold for care guarded from free places: no effect here")
        assert words in said
    assert lever_notes(context(), [GUARD]) == ()
    assert any(
        "stand free until children have moved in" in x for x in lever_notes(context(), [SIX])
    )
    (both,) = [x for x in lever_notes(context(), [SIX, GUARD]) if "with the threshold" in x]
    drawn = effects(six=(SIX,))["six"].mean()
    assert f"by 31/03/2028: +{drawn:.1f} children (80% range" in both
    assert "with the threshold guarded 0 children" in both
    assert "Their whole cost: " in both
    # In the engine too: a guard of a link that is not there changes nothing.
    change = MultiplySystem(target="free_places", factor=0.0, start=SOON)
    guard = Scenario(name="Guard", changes=(change,))
    base, same = simulate_prepared(context().prepared, (BASELINE, guard), system=resting)
    for key, values in base.measures.items():
        np.testing.assert_array_equal(values, same.measures[key])


def test_places_that_are_fewer_than_the_children_in_them_are_said() -> None:
    groups = tuple(
        replace(g, capacity=0.0) if g.name == "kinship" else g for g in listed()[0].groups
    )
    few = replace(around(), inputs=replace(around().inputs, placements=Placements(groups=groups)))
    case = replace(context(), system=few, known={})
    (said,) = lever_notes(case, [GUARD])
    assert "about 8) than sheet System has places for (4)" in said
    assert not any("More children live" in text for text in lever_notes(case, [SIX]))
    assert "and 2 new ones" in lever_notes(case, [replace(SIX, size=2.0)])[-1]


def test_base_places_count_for_every_lever() -> None:
    new = NewPlaces(
        group="own fostering", places=6.0, filled_from="residential", start=SOON, fill_months=24.0
    )
    plain = run_levers(context(), {})[""]["cla_open"]
    opened = run_levers(replace(context(), new_places=(new,)), {"guard": (GUARD,)})
    assert opened[""]["cla_open"].mean() > plain.mean()
    np.testing.assert_array_equal(
        opened["guard"]["cla_open"], run_levers(context(), {"guard": (GUARD,)})["guard"]["cla_open"]
    )


def test_who_moves_in_is_who_is_there_and_a_change_of_own_place_takes_none() -> None:
    placements, today = listed()
    in_homes = today.counts[:, today.groups.index("residential")].sum()
    new = NewPlaces(group="own fostering", places=40.0, filled_from="residential", start=SOON)
    added = added_place(new, placements, today)
    assert added == AddPlaces(places=40.0, start=SOON, moved_in=in_homes)
    within = added_place(replace(new, filled_from="kinship"), placements, today)
    assert within == AddPlaces(places=40.0, start=SOON)
    bought = replace(new, group="agency fostering")
    assert added_place(bought, placements, today) is None
    assert added_places((bought, replace(new, scenario="S")), placements, today) == {"S": (added,)}


def test_new_places_fill_over_their_months() -> None:
    placements, today = listed()
    (base,) = simulate_prepared(context().prepared)
    new = NewPlaces(
        group="own fostering", places=2.0, filled_from="residential", start=SOON, fill_months=12.0
    )
    plain = place_children(base, today, placements).children
    filled = place_children(base, today, placements, new_places=[new]).children
    left = today.groups.index("residential")
    gone = (plain - filled)[:, left].mean(axis=1)
    assert gone[0] == pytest.approx(2.0 / 12.0, rel=0.05)
    assert gone[5] == pytest.approx(1.0, rel=0.05)
    np.testing.assert_allclose(gone[12:], gone[12], rtol=0.2)
    np.testing.assert_allclose(filled.sum(axis=1), plain.sum(axis=1))


def test_changes_of_places_lie_on_the_steps() -> None:
    line = timeline(CENSUS, 6)
    asked = Scenario(
        name="S",
        changes=(
            AddPlaces(places=4.0, start=date(2026, 5, 1), moved_in=2.0, fill_months=1.0),
            MoveIntoOwnPlaces(shares=(0.0, 0.1)),
        ),
    )
    found = resolve(asked, line, ("All",)).system
    assert not found.acts
    assert found.places is not None
    np.testing.assert_allclose(found.places.added, [0.0] * 4 + [4.0] * 20)
    np.testing.assert_allclose(found.places.moved_share, [0.0] * 4 + [0.1] * 20)
    moved = found.places.moved_in
    assert moved[3] == 0.0
    assert 0.0 < moved[4] < 1.0
    np.testing.assert_allclose(moved[10:], 2.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AddPlaces(places=-1.0, start=SOON), "Invalid places"),
        (lambda: AddPlaces(places=1.0, start=SOON, fill_months=-1.0), "until places are filled"),
        (lambda: AddPlaces(places=1.0, start=SOON, moved_in=2.0), "who move in"),
        (lambda: MoveIntoOwnPlaces(shares=()), "one a month"),
        (lambda: MoveIntoOwnPlaces(shares=(2.0,)), "from -1 to 1"),
        (lambda: MultiplySystem(target="weather", factor=1.0, start=SOON), "free_places"),
        (lambda: pulled("threshold_guard", 1.1), "from -1 to 1"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        make()
