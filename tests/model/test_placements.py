"""Children by placement group: whole, conserved, and moved only by what was entered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_model import presets, simulate, spells
from demand_model.annex_a.codes import PLACEMENT_GROUPS as ANNEX_A_KINDS
from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.flows import ALL
from demand_model.rates.fit import fit
from demand_model.results.placement_mix import (
    NATIONAL_MIX,
    PlacementsToday,
    leaning_mix,
    placements_today,
)
from demand_model.results.placements import (
    NewPlaces,
    PlacementPaths,
    mixed_places,
    place_children,
    with_placements,
)
from demand_model.simulation.mixture import MIXTURE, mixture
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.trajectories import Trajectories
from demand_model.spell.build import Spells
from demand_model.system.inputs import PLACEMENT_GROUPS, PlacementGroup, Placements
from engine_cases import (
    CENSUS,
    care_frame,
    exposure_of,
    lists_of,
    made_up_lists,
    made_up_rates,
)

pytestmark = pytest.mark.unit

NAMES = tuple(group.name for group in PLACEMENT_GROUPS)
PLAIN = Placements()


@lru_cache(maxsize=1)
def case() -> tuple[Spells, tuple[Trajectories, ...]]:
    """A small authority and its forecast under two scenarios."""
    two = presets(CENSUS)[:2]
    paths = simulate(made_up_rates(1), two, horizon_months=15, draws=40, seed=5)
    return spells(made_up_lists(1)), tuple(paths)


def today(placements: Placements = PLAIN) -> PlacementsToday:
    return placements_today(case()[0], placements)


def placed(
    placements: Placements = PLAIN, *new_places: NewPlaces, number: int = 0
) -> PlacementPaths:
    return place_children(case()[1][number], today(placements), placements, new_places=new_places)


def with_places(**places: float) -> Placements:
    groups = tuple(
        replace(g, capacity=places.get(g.name.replace(" ", "_"))) for g in PLACEMENT_GROUPS
    )
    return Placements(groups=groups)


def of(paths: PlacementPaths, name: str) -> np.ndarray:
    return paths.children[:, NAMES.index(name)]


def care(number: int = 0) -> np.ndarray:
    return case()[1][number].measures["cla_open", ALL]


# --- today ---------------------------------------------------------------------------------------


def spells_of(*children: tuple[str, str, str, str | None, bool]) -> Spells:
    """Children in care: (birth, placement, provider, end, uasc), all begun in 2024."""
    rows = [
        (f"c{i}", birth, "2024-05-01", end, "E4A" if end else None)
        for i, (birth, _, _, end, _) in enumerate(children)
    ]
    frame = care_frame(
        rows,
        uasc=tuple(f"c{i}" for i, child in enumerate(children) if child[4]),
        placements={f"c{i}": child[1] for i, child in enumerate(children)},
    )
    frame["placement_provider"] = [pd.NA if c[2] == "" else c[2] for c in children]
    return spells(lists_of(care=frame))


@pytest.mark.parametrize(
    ("placement", "provider", "group"),
    [
        ("U1", "PR4", "kinship"),
        ("U6", "PR1", "own fostering"),
        ("U6", "PR2", "agency fostering"),
        ("U4", "PR4", "agency fostering"),
        ("U5", "PR5", "agency fostering"),
        ("K2", "PR1", "residential"),
        ("K2", "PR4", "residential"),
        ("K1", "PR4", "residential"),
        ("H5", "PR4", "supported accommodation"),
        ("A4", "PR1", "adoption"),
        ("P1", "PR0", "with parents"),
        ("Z1", "PR4", "other"),
    ],
)
def test_each_child_is_counted_where_the_list_says(placement, provider, group):
    found = placements_today(spells_of(("2016-01-01", placement, provider, None, False)), PLAIN)
    assert found.counts.sum() == 1.0
    assert found.counts[CARE_SEGMENTS.index("10 to 15"), NAMES.index(group)] == 1.0
    assert found.unknown_provider == 0


@pytest.mark.parametrize("provider", ["", "PR0"])
def test_a_foster_placement_of_unknown_provider_is_shared_out(provider):
    children = spells_of(("2016-01-01", "U6", provider, None, False))
    found = placements_today(children, Placements(agency_fostering_share=0.3))
    own, agency = (NAMES.index(n) for n in ("own fostering", "agency fostering"))
    assert found.counts[:, own].sum() == pytest.approx(0.7)
    assert found.counts[:, agency].sum() == pytest.approx(0.3)
    assert found.unknown_provider == 1


def test_own_homes_are_apart_only_where_there_is_a_group_for_them():
    own = PlacementGroup(
        name="own residential", label="Own homes", weekly_cost=1.0, is_internal=True
    )
    both = Placements(groups=(*PLACEMENT_GROUPS, own))
    children = spells_of(
        ("2016-01-01", "K2", "PR1", None, False), ("2016-01-01", "K2", "PR4", None, False)
    )
    assert placements_today(children, both).counts.sum(axis=0)[-1] == 1.0
    assert placements_today(children, PLAIN).counts.sum(axis=0)[NAMES.index("residential")] == 2.0


def test_children_who_left_are_not_counted_and_uasc_are_apart():
    found = placements_today(
        spells_of(
            ("2016-01-01", "U6", "PR1", "2026-01-15", False),
            ("2009-01-01", "H5", "PR4", None, True),
            ("2009-01-01", "U6", "PR1", None, False),
        ),
        PLAIN,
    )
    assert found.counts.sum() == 2.0
    assert found.counts[CARE_SEGMENTS.index("UASC")].sum() == 1.0
    assert found.counts[CARE_SEGMENTS.index("16 to 17")].sum() == 1.0


def test_the_count_is_that_of_the_simulations_opening_stock():
    assert today().counts.sum() == case()[1][0].opening["cla_open"]


def test_without_a_child_the_mix_is_national():
    found = placements_today(spells_of(), PLAIN)
    assert np.all(found.counts == 0.0)
    assert found.mix == pytest.approx(np.tile([one.value for one in NATIONAL_MIX], (6, 1)))
    assert found.entrant_share.sum() == pytest.approx(1.0)


def test_the_national_mix_adds_up_and_says_where_it_comes_from():
    assert sum(one.value or 0.0 for one in NATIONAL_MIX) == pytest.approx(1.0)
    assert [one.key for one in NATIONAL_MIX] == list(NAMES)
    assert all(one.source and one.as_of for one in NATIONAL_MIX)


counts = st.lists(
    st.lists(st.integers(0, 60).map(float), min_size=4, max_size=4), min_size=3, max_size=3
).map(np.array)


@given(counts=counts)
@settings(max_examples=60, deadline=None)
def test_a_leaning_mix_keeps_todays_groups_but_for_the_national_lean(counts):
    national = np.array([0.4, 0.3, 0.2, 0.1])
    mix = leaning_mix(counts, national)
    assert mix.sum(axis=1) == pytest.approx(np.ones(3))
    assert np.all(mix > 0.0), "no group is ruled out"
    total = counts.sum()
    if total:
        wanted = (counts.sum(axis=0) + 5 * national) * total / (total + 5)
        assert counts.sum(axis=1) @ mix == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_few_children_lean_on_all_and_many_do_not():
    counts = np.array([[1.0, 0.0], [300.0, 700.0]])
    mix = leaning_mix(counts, np.array([0.5, 0.5]))
    assert 0.3 < mix[0, 0] < 0.6
    assert mix[1, 0] == pytest.approx(0.3, abs=0.01)


# --- over time -----------------------------------------------------------------------------------


mixes = st.dictionaries(
    st.sampled_from(CARE_SEGMENTS),
    st.lists(st.integers(0, 9), min_size=8, max_size=8)
    .filter(any)
    .map(lambda w: {n: x / sum(w) for n, x in zip(NAMES, w, strict=True)}),
    max_size=3,
)
moves = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1]),
    st.floats(0.0, 0.14),
    max_size=5,
)
limits = st.dictionaries(
    st.sampled_from([n for n in NAMES if n != "agency fostering"]), st.floats(0, 40), max_size=4
)
added = st.lists(
    st.builds(
        NewPlaces,
        group=st.sampled_from(NAMES[:4]),
        filled_from=st.sampled_from(NAMES[4:]),
        places=st.floats(0, 20),
        start=st.dates(date(2026, 1, 1), date(2027, 6, 1)),
    ),
    max_size=2,
)


@given(mix=mixes, moves=moves, limits=limits, added=added)
@settings(max_examples=40, deadline=None)
def test_groups_add_up_to_care_in_every_draw_and_month_and_none_is_below_nought(
    mix, moves, limits, added
):
    groups = tuple(replace(g, capacity=limits.get(g.name)) for g in PLACEMENT_GROUPS)
    given_ = Placements(groups=groups, mix=mix, moves=moves)
    for number in (0, 1):
        found = placed(given_, *added, number=number)
        assert np.abs(found.total - care(number)).max() < 1e-8
        assert found.children.min() > -1e-9
        gained = {n: sum(a.places for a in added if a.group == n) for n in NAMES}
        for name, places in limits.items():
            assert of(found, name).max() <= places + gained[name] + 1e-8


def test_with_nothing_entered_each_age_keeps_todays_mix():
    path = case()[1][0]
    by_age = np.stack([path.measures["cla_open", s] for s in CARE_SEGMENTS])
    assert placed().children == pytest.approx(np.einsum("smd,sg->mgd", by_age, today().mix))
    assert placed().without_place.max() == 0.0
    assert placed().today == pytest.approx(today().counts.sum(axis=0))


def test_entering_todays_mix_changes_nothing():
    rows = {
        s: dict(zip(NAMES, row, strict=True))
        for s, row in zip(CARE_SEGMENTS, today().mix, strict=True)
    }
    assert placed(Placements(mix=rows)).children == pytest.approx(placed().children, abs=1e-9)


def test_a_mix_of_entrants_moves_children_little_by_little():
    ages = CARE_SEGMENTS[:5]
    found = placed(Placements(mix={age: {"kinship": 1.0} for age in ages}))
    gain = (of(found, "kinship") - of(placed(), "kinship")).mean(axis=1)
    starts = case()[1][0].measures["cla_starts", ALL].mean(axis=1)
    assert np.all(np.diff(gain) > 0)
    assert 0 < gain[0] < starts[0]
    assert gain[-1] < starts.sum()


def test_a_move_takes_its_share_of_the_group_a_month():
    share = 0.05
    found = placed(Placements(moves={("residential", "own fostering"): share}))
    moved = of(found, "own fostering")[0] - of(placed(), "own fostering")[0]
    assert moved == pytest.approx(share * of(placed(), "residential")[0])
    assert np.all(of(found, "residential") < of(placed(), "residential") + 1e-12)
    for name in ("kinship", "adoption", "other"):
        assert of(found, name) == pytest.approx(of(placed(), name))


def test_children_above_a_limit_go_to_the_overflow_group():
    places = 3.0
    found, free = placed(with_places(own_fostering=places)), placed()
    assert of(found, "own fostering") == pytest.approx(
        np.minimum(of(free, "own fostering"), places)
    )
    passed = of(free, "own fostering") - of(found, "own fostering")
    assert of(found, "agency fostering") == pytest.approx(of(free, "agency fostering") + passed)
    assert found.without_place.sum(axis=1) == pytest.approx(passed)
    assert np.any(passed > 0)


def test_a_limit_that_is_never_reached_changes_nothing():
    assert np.array_equal(placed(with_places(own_fostering=1e6)).children, placed().children)


def test_the_overflow_group_takes_all_even_with_a_limit_of_its_own():
    found = placed(with_places(own_fostering=0.0, agency_fostering=1.0))
    assert of(found, "agency fostering").max() > 1.0
    assert of(found, "own fostering").max() == 0.0


def test_new_places_are_filled_from_the_named_group_from_the_day_on():
    new = NewPlaces(
        group="own fostering", places=2.0, filled_from="residential", start=date(2026, 9, 1)
    )
    found, free = placed(PLAIN, new), placed()
    gained = of(found, "own fostering") - of(free, "own fostering")
    assert np.all(gained[:5] == 0.0)
    assert gained[5:] == pytest.approx(np.minimum(of(free, "residential"), 2.0)[5:])


def test_new_places_raise_a_limit():
    limited = with_places(own_fostering=3.0)
    new = NewPlaces(group="own fostering", places=2.0, filled_from="residential", start=CENSUS)
    assert of(placed(limited, new), "own fostering").max() == pytest.approx(5.0)


def test_new_places_of_a_scenario_leave_the_others_alone():
    name = case()[1][1].scenario.name
    new = NewPlaces(
        group="own fostering", places=2.0, filled_from="residential", start=CENSUS, scenario=name
    )
    assert np.array_equal(placed(PLAIN, new).children, placed().children)
    mine, free = placed(PLAIN, new, number=1), placed(number=1)
    assert np.any(of(mine, "own fostering") > of(free, "own fostering"))


def test_a_mixture_has_the_places_of_the_scenario_that_each_draw_lives_through():
    first, second = (t.scenario.name for t in case()[1])
    new = NewPlaces(
        group="own fostering", places=2.0, filled_from="residential", start=CENSUS, scenario=second
    )
    parts = [placed(PLAIN, new, number=n) for n in (0, 1)]
    odds = {first: 0.25, second: 0.75}
    found = mixed_places(parts, odds, seed=3)
    assert found.scenario == MIXTURE
    same = [
        [np.array_equal(found.children[..., d], part.children[..., d]) for d in range(40)]
        for part in parts
    ]
    assert [sum(each) for each in same] == [10, 30]
    run = mixture(case()[1], odds, seed=3)
    assert found.total == pytest.approx(run.measures["cla_open", ALL])


def test_the_forecast_takes_kinds_of_placement_from_the_places():
    """Own and others' places of a kind together, a group of one's own under its name."""
    groups = (
        *PLACEMENT_GROUPS,
        PlacementGroup(name="own residential", label="Own", weekly_cost=1.0, is_internal=True),
        PlacementGroup(name="lodge", label="Lodge", weekly_cost=1.0, is_internal=True),
    )
    placements = Placements(groups=groups, moves={("residential", "lodge"): 0.1})
    run = case()[1][0]
    paths = place_children(run, today(placements), placements)
    found = with_placements(run, paths).measures
    kinds = {s for m, s in found if m == "cla_open"} - {ALL, *CARE_SEGMENTS}
    assert kinds == {*ANNEX_A_KINDS, "lodge"}
    assert sum(found["cla_open", kind] for kind in kinds) == pytest.approx(care())
    names = list(today(placements).groups)
    both = [names.index(name) for name in ("residential", "own residential")]
    assert found["cla_open", "residential"] == pytest.approx(paths.children[:, both].sum(axis=1))
    assert found["cla_open", "lodge"][-1].mean() > 0.0
    assert ("cla_open", "lodge") not in run.measures


def test_the_external_share_is_that_of_bought_placements():
    found = placed()
    external = [i for i, group in enumerate(PLACEMENT_GROUPS) if not group.is_internal]
    assert found.external_share == pytest.approx(found.children[:, external].sum(axis=1) / care())
    empty = replace(found, children=np.zeros_like(found.children))
    assert np.all(empty.external_share == 0.0)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: PlacementGroup(
                name="workers", label="Workers", weekly_cost=1.0, is_internal=True
            ),
            "another one",
        ),
        (
            lambda: PlacementGroup(
                name="own all", label="Own all", weekly_cost=1.0, is_internal=True
            ),
            "another one",
        ),
        (lambda: NewPlaces(group="a", places=-1.0, filled_from="b", start=CENSUS), "0 or more"),
        (lambda: NewPlaces(group="a", places=1.0, filled_from="a", start=CENSUS), "another group"),
        (
            lambda: placed(
                PLAIN, NewPlaces(group="castle", places=1.0, filled_from="other", start=CENSUS)
            ),
            "castle",
        ),
        (
            lambda: placed(
                Placements(moves={("other", "kinship"): 0.6, ("other", "adoption"): 0.6})
            ),
            "100% or less",
        ),
        (
            lambda: place_children(case()[1][0], today(), Placements(groups=PLACEMENT_GROUPS[:-1])),
            "Count them again",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(build, words):
    with pytest.raises(InvalidSettingError, match=words):
        build()


def test_in_a_month_that_had_begun_children_move_for_what_is_left_of_it():
    """Two of March's days are left after the census date: two days' worth of moves."""
    census = date(2026, 3, 29)
    lists = made_up_lists(census=census)
    run = prepare(fit(exposure_of(lists)), horizon_months=2, draws=20)
    (trajectories,) = simulate_prepared(run)
    moving = Placements(moves={("residential", "own fostering"): 0.31})
    counted = placements_today(spells(lists), PLAIN)
    with_moves = place_children(trajectories, counted, moving)
    without = place_children(trajectories, counted, PLAIN)
    left = of(with_moves, "residential") / of(without, "residential")
    np.testing.assert_allclose(left[0], 1.0 - 0.31 * 2.0 / 31.0)
    assert left[1].mean() < 0.75
