"""Entrants matched to placements by category of need: counts, leaning, and what moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand_model import spells
from demand_model.annex_a.checked import Lists
from demand_model.annex_a.code_sets import CATEGORY_OF_NEED
from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.placement_mix import PlacementsToday, placements_today
from demand_model.results.placement_need import (
    DEFAULT_MATCHES,
    NATIONAL_NEEDS,
    NEED_COLUMNS,
    NEED_LABELS,
    NEEDS,
    NeedMatch,
    PlacementNeeds,
    external_shares,
    matched_placements,
    need_table,
    placement_needs,
)
from demand_model.system.inputs import Placements
from engine_cases import care_frame, lists_of, made_up_lists

pytestmark = pytest.mark.unit

PLAIN = Placements()
TEN = CARE_SEGMENTS.index("10 to 15")


def authority(count: int = 40, *, known: bool = True) -> Lists:
    """Ten-year-olds: those in need by behaviour live in homes, by abuse with own carers.

    Half of them came in within the window, the others before it.
    """
    rows, placed, need = [], {}, []
    for number in range(count):
        child = f"k{number}"
        start = "2026-01-10" if number % 2 else "2025-01-10"
        rows.append((child, "2014-06-01", start, None, None))
        is_behaviour = number % 4 < 2
        placed[child] = "K2" if is_behaviour else "U6"
        need.append("N6" if is_behaviour else "N1")
    frame = care_frame(rows, placements=placed)
    frame["category_of_need"] = need if known else pd.NA
    return lists_of(care=frame)


def needs_of(lists: Lists) -> tuple[PlacementsToday, PlacementNeeds]:
    found = spells(lists)
    today = placements_today(found, PLAIN)
    return today, placement_needs(found, PLAIN, today)


def test_needs_are_those_of_the_list_and_the_nations_add_up() -> None:
    codes = {code.code for code in CATEGORY_OF_NEED.codes}
    assert codes - {"N0", "N9"} == set(NEEDS) == set(NEED_LABELS)
    assert sum(one.value or 0.0 for one in NATIONAL_NEEDS) == pytest.approx(1.0)
    assert all(one.source and one.as_of for one in NATIONAL_NEEDS)


def test_children_are_counted_by_need_and_kind_of_placement() -> None:
    today, needs = needs_of(authority())
    own, home = (today.groups.index(name) for name in ("own fostering", "residential"))
    abuse, behaviour = NEEDS.index("N1"), NEEDS.index("N6")
    assert needs.children[abuse, own] == needs.children[behaviour, home] == 20
    assert needs.entered[abuse, own] == needs.entered[behaviour, home] == 10
    assert needs.children.sum() == 40
    assert needs.unknown == 0


def test_many_children_speak_for_themselves_and_few_lean_on_all() -> None:
    today, needs = needs_of(authority(400))
    behaviour = needs.mix[NEEDS.index("N6")]
    assert behaviour[today.groups.index("residential")] > 0.95
    # Nobody is in need by disability: the mix of all children stands in.
    unseen = needs.mix[NEEDS.index("N2")]
    np.testing.assert_allclose(unseen, today.counts.sum(axis=0) / 400, atol=0.02)
    np.testing.assert_allclose(needs.mix.sum(axis=1), 1.0)
    np.testing.assert_allclose(needs.of_entrants.sum(axis=1), 1.0)
    assert needs.of_entrants[TEN, NEEDS.index("N6")] == pytest.approx(0.5, abs=0.02)
    # An age that nobody lately came in at leans on the needs of all who did.
    np.testing.assert_allclose(needs.of_entrants[0], needs.of_entrants[TEN], atol=0.02)


def test_where_no_need_is_recorded_the_nations_stand_in() -> None:
    today, needs = needs_of(authority(known=False))
    assert needs.unknown == 40
    nation = [one.value for one in NATIONAL_NEEDS]
    np.testing.assert_allclose(needs.of_entrants, np.tile(nation, (len(CARE_SEGMENTS), 1)))
    moved = matched_placements(PLAIN, today, needs, 0.5, DEFAULT_MATCHES)
    home = [today.mix[TEN][today.groups.index("residential")], moved.mix["10 to 15"]["residential"]]
    matched = sum(one.value or 0.0 for one in NATIONAL_NEEDS if one.key in ("N1", "N3", "N4", "N5"))
    assert home[1] / home[0] == pytest.approx(1.0 - 0.5 * matched, rel=1e-3)


def test_matching_moves_entrants_of_the_chosen_needs_only() -> None:
    """Those in homes are there for their behaviour: matching abuse moves hardly one of them."""
    today, needs = needs_of(authority(400))
    home = today.groups.index("residential")
    by_abuse = matched_placements(PLAIN, today, needs, 0.5, DEFAULT_MATCHES).mix["10 to 15"]
    matches = (NeedMatch(need="N6", group="kinship"),)
    by_behaviour = matched_placements(PLAIN, today, needs, 0.5, matches).mix["10 to 15"]
    before = today.mix[TEN][home]
    assert by_abuse["residential"] > 0.95 * before
    assert by_behaviour["residential"] < 0.55 * before
    gained = by_behaviour["kinship"] - today.mix[TEN][today.groups.index("kinship")]
    external = [not group.is_internal for group in PLAIN.groups]
    lost = today.mix[TEN][external].sum() - sum(
        by_behaviour[g.name] for g in PLAIN.groups if not g.is_internal
    )
    assert gained == pytest.approx(lost)


@pytest.mark.parametrize("size", [-0.9, -0.1, 0.0, 0.1, 0.9])
def test_mixes_stay_mixes_whatever_the_size(size: float) -> None:
    today, needs = needs_of(made_up_lists(3))
    every = tuple(NeedMatch(need=need, group="own fostering") for need in NEEDS)
    own = today.groups.index("own fostering")
    for matches in (every, DEFAULT_MATCHES):
        mix = matched_placements(PLAIN, today, needs, size, matches).mix
        for number, age in enumerate(CARE_SEGMENTS):
            assert sum(mix[age].values()) == pytest.approx(1.0)
            assert min(mix[age].values()) >= 0.0
            more = mix[age]["own fostering"] - today.mix[number, own]
            assert np.sign(round(more, 12)) == np.sign(size)


def test_entrants_mixes_that_were_entered_are_what_is_matched() -> None:
    today, needs = needs_of(authority())
    entered = replace(PLAIN, mix={"10 to 15": {"residential": 1.0}})
    shares = external_shares(entered, today, needs)
    plain = external_shares(PLAIN, today, needs)
    assert shares.sum() > plain.sum()
    mix = matched_placements(entered, today, needs, 0.5, DEFAULT_MATCHES).mix["10 to 15"]
    assert mix["residential"] + mix["own fostering"] + mix["kinship"] == pytest.approx(1.0)


def test_the_table_has_counts_and_shares_by_need() -> None:
    today, needs = needs_of(authority())
    table = need_table(PLAIN, today, needs, (NeedMatch(need="N6", group="kinship"),))
    assert tuple(table.columns) == NEED_COLUMNS
    row = table.set_index("need").loc["N6"]
    assert row["matched_to"] == "kinship"
    assert (row["entered"], row["entered_external"]) == (10, 10)
    assert (row["children"], row["children_external"]) == (20, 20)
    assert row["share_external"] > 0.6
    assert table.set_index("need").loc["N1", "children_external"] == 0
    assert table["share_of_entrants"].sum() == pytest.approx(1.0)
    assert table["share_external"].between(0.0, 1.0).all()
    whole = (table["share_of_entrants"] * table["share_external"]).sum()
    external = [not group.is_internal for group in PLAIN.groups]
    assert whole == pytest.approx((today.entrant_share @ today.mix)[external].sum())


def test_what_cannot_be_matched_is_refused() -> None:
    today, needs = needs_of(authority())
    with pytest.raises(InvalidSettingError, match="Invalid category of need: N9"):
        NeedMatch(need="N9", group="kinship")
    for group in ("residential", "castle"):
        wrong = (NeedMatch(need="N1", group=group),)
        with pytest.raises(InvalidSettingError, match="one of the authority's own"):
            matched_placements(PLAIN, today, needs, 0.1, wrong)
