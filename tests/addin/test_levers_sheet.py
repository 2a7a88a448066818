"""Sheets Lever choices and Levers: as typed, every wrong cell by name, what is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pytest
from rich_workbook import packed, parts_of

from demand_addin.cells import SettingProblemsError
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.levers import lacking_tables
from demand_addin.layout import lever_choices as choices
from demand_addin.layout import levers as declared
from demand_addin.layout.declare import TableSpec
from demand_addin.layout.template import build_template
from demand_addin.lever_sheet import AskedGoal, LeverBounds, LeverSheet, read_lever_choices
from demand_addin.plan.levers import LeversFound, levers_values
from demand_addin.ports import BookPlan, CellValue, TableValues
from demand_model import spells
from demand_model.results.cost_years import CostChoices
from demand_model.results.goal_seek import Goal, goal_seek
from demand_model.results.lever_list import ALL_EXITS, LEVERS, LeverSetting
from demand_model.results.lever_loops import loop_effects
from demand_model.results.lever_runs import OUTCOMES, LeverContext
from demand_model.results.lever_words import OUTCOME_WORDS
from demand_model.results.levers import TOGETHER, levers
from demand_model.results.placement_mix import placements_today
from demand_model.results.placement_need import (
    DEFAULT_MATCHES,
    NEEDS,
    NeedMatch,
    need_table,
    placement_needs,
)
from demand_model.simulation.setup import prepare
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements, SystemInputs
from demand_model.system.links import LINKS
from demand_model.system.loops import find_loops
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit

LAST = date(CENSUS.year + 2, 3, 31)
BOUNDS = LeverBounds(
    census_date=CENSUS,
    last_day=LAST,
    scenarios=("Baseline", "Lockdown"),
    groups=("kinship", "own fostering", "residential", "own residential"),
    own_groups=("kinship", "own fostering", "own residential"),
)
Cells = Mapping[tuple[int, str], CellValue]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "book.xlsx"
    build_template(path)
    return path.read_bytes()


@pytest.fixture
def book(template: bytes) -> ClosedWorkbook:
    return ClosedWorkbook.from_bytes(template, "book.xlsx")


def typed(book: ClosedWorkbook, table: TableSpec, cells: Cells) -> None:
    rows = [list(row) for row in choices.default_rows()[table.name]]
    for (row, column), value in cells.items():
        rows[row][table.headings.index(column)] = value
    values = TableValues(
        name=table.name, columns=table.headings, rows=tuple(tuple(row) for row in rows)
    )
    book.write(BookPlan(tables=(values,)))


def row_of(key: str) -> int:
    table = choices.LEVER_SETTINGS
    names = [row[table.headings.index("name")] for row in choices.default_rows()[table.name]]
    return names.index(key)


def question(key: str) -> int:
    return [q.key for q in choices.QUESTIONS].index(key)


def address(table: TableSpec, row: int, column: str) -> str:
    letter = chr(ord("A") + table.headings.index(column))
    return f"Lever choices!{letter}{table.first_row + 1 + row}"


def problems(book: ClosedWorkbook) -> tuple[str, ...]:
    with pytest.raises(SettingProblemsError) as caught:
        read_lever_choices(book, BOUNDS)
    return caught.value.problems


# --- Lever choices --------------------------------------------------------------------------------


def test_the_template_asks_for_every_lever_at_a_tenth(book: ClosedWorkbook) -> None:
    found = read_lever_choices(book, BOUNDS)
    assert {s.lever for s in found.settings} == {lever.key for lever in LEVERS} - choices.LEFT_OUT
    assert [s.lever for s in found.comparisons] == [ALL_EXITS]
    by_key = {s.lever: s for s in found.settings}
    assert by_key["matching"].matches == DEFAULT_MATCHES
    assert by_key.pop("new_places") == LeverSetting(
        lever="new_places",
        size=6.0,
        start=date(CENSUS.year, 4, 1),
        ramp_months=12.0,
        delay_months=0.0,
        places=("own residential", "residential"),
    )
    assert by_key["early_help"].waits_months == 12.0
    assert {(s.size, s.start, s.ramp_months, s.cost_a_year) for s in by_key.values()} == {
        (0.1, date(CENSUS.year, 4, 1), 3.0, 0.0)
    }
    assert (found.outcome, found.at, found.base, found.goals) == ("cla_open", LAST, "Baseline", ())


def test_what_is_typed_is_read(book: ClosedWorkbook) -> None:
    typed(
        book,
        choices.LEVER_BASIS,
        {
            (question(choices.OUTCOME), "value"): "Share in external placements",
            (question(choices.AT), "value"): date(CENSUS.year + 1, 3, 31),
            (question(choices.BASE), "value"): "lockdown",
            (question(choices.PLACES_IN), "value"): "Kinship",
        },
    )
    typed(
        book,
        choices.LEVER_SETTINGS,
        {
            (row_of("referrals"), "size"): -0.05,
            (row_of("reunification"), "start"): 6,
            (row_of("reunification"), "cost_a_year"): 200_000,
            (row_of("reunification"), "greatest_size"): 0.3,
            (row_of("permanence"), "start"): date(CENSUS.year + 1, 1, 15),
            (row_of("workers"), "include"): "No",
            (row_of("threshold_guard"), "include"): "Yes",
            (row_of(ALL_EXITS), "include"): "No",
        },
    )
    typed(
        book,
        choices.NEED_MATCHING,
        {(NEEDS.index(need), "match"): "No" for need in ("N1", "N3", "N4")}
        | {
            (NEEDS.index("N2"), "match"): "yes",
            (NEEDS.index("N2"), "group"): "own residential",
            (NEEDS.index("N5"), "group"): "Kinship",
        },
    )
    typed(
        book,
        choices.GOALS,
        {
            (0, "outcome"): "Children in care",
            (0, "target"): 550,
            (0, "by"): date(CENSUS.year + 1, 12, 31),
            (0, "chance_asked"): 0.8,
            (0, "lever_1"): "More children go home",
            (0, "lever_3"): "More social workers",
            (2, "outcome"): "Share in external placements",
            (2, "target"): "30%",
        },
    )
    found = read_lever_choices(book, BOUNDS)
    assert found.outcome == "external_share"
    assert (found.at, found.base) == (date(CENSUS.year + 1, 3, 31), "Lockdown")
    by_key = {s.lever: s for s in found.settings}
    assert by_key["referrals"].size == -0.05
    assert by_key["reunification"].start == date(CENSUS.year, 10, 1)
    assert by_key["permanence"].start == date(CENSUS.year + 1, 1, 15)
    assert by_key["new_places"].places == ("kinship", "residential")
    assert by_key["threshold_guard"].size == 1.0
    assert by_key["matching"].matches == (
        NeedMatch(need="N2", group="own residential"),
        NeedMatch(need="N5", group="kinship"),
    )
    assert "workers" not in by_key
    assert found.comparisons == ()
    first, second = found.goals
    assert first.goal == Goal(outcome="cla_open", target=550.0, chance=0.8)
    assert first.by == date(CENSUS.year + 1, 12, 31)
    # A goal may use a lever that is not tried alone; its greatest size costs in step.
    assert [(s.lever, s.size) for s in first.levers] == [("reunification", 0.3), ("workers", 0.1)]
    assert first.levers[0].cost_a_year == pytest.approx(600_000.0)
    assert second.goal.target == pytest.approx(0.3)
    assert second.by == found.at
    assert {s.lever for s in second.levers} == set(by_key)


@pytest.mark.parametrize(
    ("table", "cells", "words"),
    [
        (choices.LEVER_BASIS, {(0, "value"): "Happiness"}, "invalid outcome"),
        (choices.LEVER_BASIS, {(1, "value"): date(2050, 1, 1)}, "invalid date of the effect"),
        (choices.LEVER_BASIS, {(1, "value"): "soon"}, "invalid date of the effect"),
        (choices.LEVER_BASIS, {(2, "value"): "Nobody"}, "invalid scenario"),
        (choices.LEVER_BASIS, {(3, "value"): "castle"}, "invalid group"),
        (choices.LEVER_BASIS, {(3, "value"): "residential"}, "group of new places"),
        (choices.LEVER_SETTINGS, {(0, "include"): "perhaps"}, "It must be one of: Yes, No, Only"),
        (choices.LEVER_SETTINGS, {(0, "size"): 1.5}, "invalid size"),
        (choices.LEVER_SETTINGS, {(0, "size"): None}, "invalid size"),
        (choices.LEVER_SETTINGS, {(0, "start"): -1}, "invalid start"),
        (choices.LEVER_SETTINGS, {(0, "start"): date(2001, 1, 1)}, "invalid start"),
        (choices.LEVER_SETTINGS, {(0, "ramp_months"): "long"}, "invalid ramp"),
        (choices.LEVER_SETTINGS, {(1, "delay_months"): "a year"}, "invalid delay in months"),
        (choices.LEVER_SETTINGS, {(1, "delay_months"): 200}, "invalid delay in months"),
        (choices.LEVER_SETTINGS, {(0, "cost_a_year"): -5}, "invalid cost"),
        (choices.LEVER_SETTINGS, {(0, "greatest_size"): -0.2}, "invalid greatest size"),
        (choices.LEVER_SETTINGS, {(0, "name"): "magic"}, "invalid name of a lever"),
        (choices.LEVER_SETTINGS, {(1, "name"): "referrals"}, "invalid name of a lever"),
        (choices.LEVER_SETTINGS, {(row_of("threshold_guard"), "size"): 1.2}, "invalid size"),
        (choices.NEED_MATCHING, {(0, "group"): "residential"}, "invalid group"),
        (choices.NEED_MATCHING, {(0, "group"): None}, "invalid group"),
        (choices.NEED_MATCHING, {(0, "match"): "perhaps"}, "invalid match"),
        (choices.NEED_MATCHING, {(0, "name"): "N9"}, "invalid code of a need"),
        (choices.NEED_MATCHING, {(1, "name"): "N1"}, "invalid code of a need"),
        (choices.GOALS, {(0, "outcome"): "Children in care"}, "invalid target of the goal"),
        (choices.GOALS, {(0, "target"): 5}, "invalid outcome of the goal"),
    ],
)
def test_a_wrong_cell_is_named(
    book: ClosedWorkbook, table: TableSpec, cells: Cells, words: str
) -> None:
    typed(book, table, cells)
    said = problems(book)
    (row, column), _ = next(iter(cells.items()))
    where = address(table, row, column)
    if words.startswith(("invalid target of", "invalid outcome of")):
        where = address(table, row, "target" if "target" in words else "outcome")
    assert len(said) == 1, said
    assert said[0].startswith(f"{where}: ")
    assert words in said[0]


def test_all_wrong_cells_are_named_at_once(book: ClosedWorkbook) -> None:
    typed(book, choices.LEVER_BASIS, {(0, "value"): "Happiness"})
    typed(book, choices.LEVER_SETTINGS, {(2, "size"): "big", (4, "start"): 1.5})
    typed(
        book,
        choices.GOALS,
        {
            (0, "outcome"): "Share in external placements",
            (0, "target"): 30,
            (0, "chance_asked"): 2,
            (1, "outcome"): "Children in care",
            (1, "target"): 5,
            (1, "by"): date(2051, 1, 1),
            (1, "lever_2"): "Magic",
        },
    )
    said = problems(book)
    assert [line.split(":")[0] for line in said] == [
        address(choices.LEVER_BASIS, 0, "value"),
        address(choices.LEVER_SETTINGS, 2, "size"),
        address(choices.LEVER_SETTINGS, 4, "start"),
        address(choices.GOALS, 0, "target"),
        address(choices.GOALS, 0, "chance_asked"),
        address(choices.GOALS, 1, "by"),
        address(choices.GOALS, 1, "lever_2"),
    ]


def test_matching_without_a_need_is_said_where_it_is_asked(book: ClosedWorkbook) -> None:
    typed(book, choices.NEED_MATCHING, {(n, "match"): "No" for n in range(len(NEEDS))})
    (said,) = problems(book)
    assert said.startswith(address(choices.LEVER_SETTINGS, row_of("matching"), "include"))
    assert "no need says Yes" in said
    typed(book, choices.LEVER_SETTINGS, {(row_of("matching"), "include"): "No"})
    assert "matching" not in {s.lever for s in read_lever_choices(book, BOUNDS).settings}


def test_a_sheet_of_an_earlier_version_has_the_needs_defaults(template: bytes) -> None:
    parts = parts_of(template)
    tables = {
        name: content.replace(b'"need_matching"', b'"my_own"')
        for name, content in parts.items()
        if name.startswith("xl/tables/")
    }
    old = ClosedWorkbook.from_bytes(packed(parts | tables), "book.xlsx")
    by_key = {s.lever: s for s in read_lever_choices(old, BOUNDS).settings}
    assert by_key["matching"].matches == DEFAULT_MATCHES


def test_only_leaves_out_all_that_say_yes_but_the_comparison(book: ClosedWorkbook) -> None:
    three = ("referrals", "reunification", "new_places")
    typed(book, choices.LEVER_SETTINGS, {(row_of(key), "include"): "only" for key in three})
    found = read_lever_choices(book, BOUNDS)
    assert tuple(s.lever for s in found.settings) == three
    assert [s.lever for s in found.comparisons] == [ALL_EXITS]
    one, no = (row_of("workers"), "include"), (row_of(ALL_EXITS), "include")
    typed(book, choices.LEVER_SETTINGS, {one: "Only", no: "No"})
    found = read_lever_choices(book, BOUNDS)
    assert tuple(s.lever for s in found.settings) == ("workers",)
    assert found.comparisons == ()


def test_a_levers_delay_is_typed_and_blank_is_its_own(book: ClosedWorkbook) -> None:
    cells: Cells = {
        (row_of("early_help"), "delay_months"): 6,
        (row_of("reunification"), "delay_months"): 2.5,
        (row_of("permanence"), "delay_months"): None,
    }
    typed(book, choices.LEVER_SETTINGS, cells)
    by_key = {s.lever: s for s in read_lever_choices(book, BOUNDS).settings}
    assert by_key["early_help"].begins == date(CENSUS.year, 10, 1)
    assert by_key["reunification"].waits_months == 2.5
    assert by_key["permanence"].waits_months == 0.0
    typed(book, choices.LEVER_SETTINGS, {(row_of("early_help"), "delay_months"): None})
    by_key = {s.lever: s for s in read_lever_choices(book, BOUNDS).settings}
    assert by_key["early_help"].begins == date(CENSUS.year + 1, 4, 1)
    (default,) = [r for r in choices.default_rows()["lever_settings"] if r[-1] == "early_help"]
    assert default[choices.LEVER_SETTINGS.headings.index("delay_months")] == 12.0
    assert "† " in str(default[choices.LEVER_SETTINGS.headings.index("practice")])


def test_a_sheet_without_delays_has_the_levers_own(template: bytes) -> None:
    parts = parts_of(template)
    renamed = {
        name: content.replace(b'"delay_months"', b'"my_column"')
        for name, content in parts.items()
        if name.startswith("xl/tables/")
    }
    shared = parts["xl/sharedStrings.xml"]
    renamed["xl/sharedStrings.xml"] = shared.replace(b">delay_months<", b">my_column<")
    old = ClosedWorkbook.from_bytes(packed(parts | renamed), "book.xlsx")
    assert "delay_months" not in old.read_table("lever_settings").columns
    by_key = {s.lever: s for s in read_lever_choices(old, BOUNDS).settings}
    assert by_key["early_help"].waits_months == 12.0
    assert by_key["referrals"].waits_months == 0.0


def test_the_cells_of_own_costs_say_what_belongs_there(book: ClosedWorkbook) -> None:
    sheets = [content.decode() for name, content in parts_of(book.to_bytes()).items()
              if name.startswith("xl/worksheets/sheet")]  # fmt: skip
    for hint in choices.COST_HINTS.values():
        assert len(hint) <= 255  # the most that Excel shows
        assert sum(f'prompt="{hint}"' in sheet for sheet in sheets) == 1
    assert "while they stand free, or to build, a year" in choices.COST_HINTS["new_places"]
    assert "counted twice" in choices.COST_HINTS["workers"]


def test_where_no_lever_says_yes_it_is_said(book: ClosedWorkbook) -> None:
    count = len(choices.default_rows()["lever_settings"])
    typed(book, choices.LEVER_SETTINGS, {(n, "include"): "No" for n in range(count)})
    assert "no lever is included" in problems(book)[0]


# --- Levers ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def found() -> LeversFound:
    links = tuple(replace(link, is_on=link.loop.startswith("Delay")) for link in LINKS)
    system = System(inputs=SystemInputs(links=links))
    prepared = prepare(made_up_rates(1), horizon_months=12, draws=60, seed=1)
    last = prepared.common.line.month_ends[-1].astype("datetime64[D]").item()
    listed = spells(made_up_lists(1))
    today = placements_today(listed, Placements())
    needs = placement_needs(listed, Placements(), today)
    context = LeverContext(
        prepared=prepared,
        at=last,
        system=system,
        placements=Placements(),
        today=today,
        needs=needs,
        choices=CostChoices(inflation_a_year=0.03),
    )
    start = date(CENSUS.year, 4, 1)
    settings = tuple(
        LeverSetting(lever=lever.key, size=2.0 if lever.places else 0.2, start=start)
        for lever in LEVERS
    )
    comparisons = (LeverSetting(lever=ALL_EXITS, size=0.2, start=start),)
    effects = levers(context, settings, combinations=comparisons)
    base = float(effects.effects["without"].iloc[0])
    goal = AskedGoal(goal=Goal(outcome="cla_open", target=base - 1.0), by=last, levers=settings)
    far = replace(goal, goal=Goal(outcome="cla_open", target=0.0, chance=0.9))
    asked = LeverSheet(
        outcome="cla_open",
        at=last,
        base="Baseline",
        settings=settings,
        comparisons=comparisons,
        goals=(goal, far),
    )
    return LeversFound(
        asked=asked,
        effects=effects,
        loops=loop_effects(context),
        closed=find_loops(links, only_on=True),
        goals=tuple((g, goal_seek(context, g.goal, g.levers)) for g in (goal, far)),
        notes=("A note.",),
        draws=60,
        authority="Middlemarch",
        needs=need_table(Placements(), today, needs, DEFAULT_MATCHES),
    )


def written(name: str) -> list[dict[str, object]]:
    table = next(t for t in levers_values(found()).tables if t.name == name)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


AREAS = {a.name: a for a in (*declared.AREAS, *declared.BLOCKS)}


def test_everything_fits_its_place_and_every_place_is_filled() -> None:
    plan = levers_values(found())
    assert {r.name for r in plan.ranges} == set(AREAS)
    for values in plan.ranges:
        area = AREAS[values.name]
        assert len(values.rows) <= area.rows, values.name
        assert all(len(row) <= area.columns for row in values.rows), values.name
    assert {t.name for t in plan.tables} == {spec.name for spec in declared.TABLES}
    for table in plan.tables:
        spec = next(s for s in declared.TABLES if s.name == table.name)
        assert table.columns == spec.headings
        assert len(table.rows) <= spec.room
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_tables_places_do_not_overlap() -> None:
    upper = [s for s in declared.TABLES if s not in (declared.INTERVALS, declared.BEATS)]
    taken: set[int] = set()
    for spec in upper:
        rows = set(range(spec.first_row - 2, spec.first_row + spec.room + 1))
        assert not rows & taken, spec.name
        taken |= rows
    for area in declared.AREAS:
        first = area.corner[0] + 1
        rows = set(range(first, first + area.rows))
        if area.name.endswith("_note"):
            assert first + 1 in {s.first_row for s in upper}
        else:
            assert not rows & taken, area.name
            taken |= rows
    charts = set(range(declared.CHARTS_ROW, declared.CHARTS_ROW + declared.CHART_ROWS))
    assert not charts & taken
    assert max(taken) < declared.TABLES_ROW - 1


def test_a_lever_has_its_side_effects_in_its_own_row() -> None:
    rows = written("levers")
    assert len(rows) == len(LEVERS) + 2
    effects = [row["Effect"] for row in rows]
    assert effects == sorted(effects)
    row = next(r for r in rows if r["Lever"] == "Fewer referrals by 20%")
    draws = found().effects.draws
    for outcome, column in declared.SIDE_COLUMNS.items():
        words = OUTCOME_WORDS[outcome]
        expected = draws["referrals", outcome].mean() * words.scale
        assert row[column] == pytest.approx(expected, abs=0.51 * 10.0**-words.decimals)
    assert row["80% low"] <= row["Effect"] <= row["80% high"]
    assert row["Effect"] == row["Children in care"]
    tidy = written("lever_intervals")
    assert len(tidy) == len(rows) * len(OUTCOMES)
    assert all(r["p2_5"] <= r["p10"] <= r["p90"] <= r["p97_5"] for r in tidy)


def test_side_effects_have_their_ranges_in_the_next_table_in_the_same_order() -> None:
    rows, ranges = written("levers"), written("lever_ranges")
    assert [row["Lever"] for row in rows] == [row["Lever and range"] for row in ranges]
    draws = found().effects.draws
    for key, name in found().names.items():
        row = next(r for r in ranges if r["Lever and range"] == name)
        for outcome, (low, high) in declared.RANGE_COLUMNS.items():
            words = OUTCOME_WORDS[outcome]
            expected = np.quantile(draws[key, outcome], (0.1, 0.9)) * words.scale
            assert (row[low], row[high]) == pytest.approx(expected, abs=0.51 * 0.1**words.decimals)
    own = [(row["80% low"], row["80% high"]) for row in rows]
    assert own == [(row["Care low"], row["Care high"]) for row in ranges]
    note = next(r for r in levers_values(found()).ranges if r.name == declared.RANGES_NOTE.name)
    assert f"from row {declared.TABLES_ROW} on" in str(note.rows[0][0])


def test_nothing_that_is_written_runs_over_the_page() -> None:
    width = sum(c.width or 0.0 for c in declared.LEVERS_TABLE.columns)
    for spec, column in ((declared.GOAL_ANSWERS, "What it takes"),
                         (declared.CLOSED_LOOPS, "Way round")):  # fmt: skip
        before = [c.width or 0.0 for c in spec.columns[: spec.headings.index(column)]]
        texts = [str(row[column]) for row in written(spec.name)]
        assert texts
        assert all(len(text) <= width - sum(before) for text in texts)
    goals = next(r for r in levers_values(found()).ranges if r.name == declared.TAKES.name).rows
    whole = " ".join(str(row[0]) for row in goals)
    for number, (_, goal) in enumerate(found().goals, start=1):
        assert f"Goal {number}. {goal.sentence}" in whole


def test_a_long_way_round_goes_on_in_the_next_row_and_no_loop_is_cut() -> None:
    links = tuple(replace(x, is_on=x.driver not in ("occupancy", "spare_places")) for x in LINKS)
    many = replace(found(), closed=find_loops(links, only_on=True))
    plan = levers_values(many)
    rows = next(t for t in plan.tables if t.name == declared.CLOSED_LOOPS.name).rows
    assert len(rows) <= declared.CLOSED_ROWS
    ways: list[str] = []
    for name, _, _, way in rows:
        if name is None:
            ways[-1] += f" {str(way).strip()}"
        else:
            ways.append(str(way))
    assert len(rows) > len(ways)
    assert ways == [loop.path for loop in many.closed[: len(ways)]]
    note = next(r for r in plan.ranges if r.name == declared.CLOSED_NOTE.name).rows[0][0]
    cut = len(ways) < len(many.closed)
    assert (f"The {len(ways)} shortest are shown." in str(note)) == cut
    twice = replace(many, closed=many.closed * 3)
    rows = next(t for t in levers_values(twice).tables if t.name == "closed_loops").rows
    assert len(rows) <= declared.CLOSED_ROWS
    note = next(r for r in levers_values(twice).ranges if r.name == declared.CLOSED_NOTE.name)
    shown = sum(row[0] is not None for row in rows)
    assert f"The {shown} shortest are shown." in str(note.rows[0][0])


def test_a_sheet_of_an_earlier_version_gets_what_it_has_room_for(template: bytes) -> None:
    tables = {
        name: content.replace(b'"lever_ranges"', b'"my_own"')
        for name, content in parts_of(template).items()
        if name.startswith("xl/tables/")
    }
    old = ClosedWorkbook.from_bytes(packed(parts_of(template) | tables), "book.xlsx")
    lacking = lacking_tables(old)
    assert lacking == {declared.RANGES_TABLE.name}
    links = tuple(replace(x, is_on=x.driver not in ("occupancy", "spare_places")) for x in LINKS)
    many = replace(found(), closed=find_loops(links, only_on=True) * 3)
    plan = levers_values(many, lacking=lacking)
    rows = next(t for t in plan.tables if t.name == declared.CLOSED_LOOPS.name).rows
    assert 20 < len(rows) <= declared.EARLIER_CLOSED_ROWS < declared.CLOSED_ROWS
    assert not lacking & {t.name for t in plan.tables}
    words = {r.name: str(r.rows[0][0]) for r in plan.ranges if r.rows and r.rows[0]}
    assert f"The {sum(r[0] is not None for r in rows)} shortest" in words["levers_closed_note"]
    assert "next table" not in words["levers_table_note"]
    assert declared.RANGES_NOTE.name not in words
    old.write(plan)
    assert lacking_tables(ClosedWorkbook.from_bytes(template, "book.xlsx")) == frozenset()


def test_notes_without_room_say_that_there_is_more() -> None:
    plan = levers_values(replace(found(), notes=("A note.",) * 40))
    notes = next(r for r in plan.ranges if r.name == declared.NOTES.name).rows
    assert len(notes) == declared.NOTE_ROWS
    assert str(notes[-1][0]).startswith("There is more")


def test_goals_loops_and_pairs_are_told() -> None:
    near, far = written("goal_answers")
    assert (near["Within reach"], far["Within reach"]) == ("Yes", "No")
    assert far["What it takes"].startswith("Out of reach; ")
    assert far["Chance then"] == 0.0
    (loop,) = written("loop_effects")
    assert loop["Behaviour taken out"] == "Delay in plans and exits"
    assert loop["Links"] == 3
    closed = written("closed_loops")
    assert {row["Kind"] for row in closed} == {"Reinforcing"}
    assert all("→" in row["Way round"] for row in closed)
    beats = {(r["one"], r["other"]): r["share"] for r in written("lever_beats")}
    one, two = "All levers together", "Quicker ends of plans by 20%"
    assert beats[one, two] + beats[two, one] == pytest.approx(1.0, abs=0.002)
    matrix = next(r for r in levers_values(found()).ranges if r.name == "levers_matrix").rows
    assert matrix[1][2] + matrix[2][1] == pytest.approx(1.0, abs=0.002)
    assert all(row[n] is None for n, row in enumerate(matrix) if n)


def test_entrants_by_need_are_told_in_rounded_counts() -> None:
    rows = written("entrants_by_need")
    assert len(rows) == len(NEEDS)
    first = rows[0]  # in the made-up lists all are in need by abuse or neglect
    assert (first["Need"], first["Matched to"]) == ("Abuse or neglect", "own fostering")
    assert first["In care"] % 5 == 0
    assert first["In care"] > first["in external"] > 0
    assert 0.0 < first["External share"] < 1.0
    assert sum(row["Of entrants"] for row in rows) == pytest.approx(1.0, abs=0.04)
    table = found().needs
    assert table is not None
    few = replace(found(), needs=table.assign(children=3.0, entered=0.0))
    plan = next(t for t in levers_values(few).tables if t.name == "entrants_by_need")
    assert {row[plan.columns.index("In care")] for row in plan.rows} == {"c"}
    assert {row[plan.columns.index("Came in")] for row in plan.rows} == {0}
    shares = [plan.columns.index(heading) for heading in ("Of entrants", "External share")]
    assert {row[n] for row in plan.rows for n in shares} == {"c"}
    none = levers_values(replace(found(), needs=None))
    assert next(t for t in none.tables if t.name == "entrants_by_need").rows == ()
    note = next(r for r in none.ranges if r.name == declared.NEEDS_NOTE.name)
    assert "Nobody is matched by need" in str(note.rows[0][0])


def test_the_charts_draw_the_figures_of_the_tables() -> None:
    blocks = {r.name: r.rows for r in levers_values(found()).ranges}
    heads, *bars = blocks[declared.TORNADO]
    assert heads == declared.TORNADO_COLUMNS
    sizes = [abs(bar[1]) for bar in bars]
    assert sizes == sorted(sizes, reverse=True)
    by_name = {row["Lever"]: row for row in written("levers")}
    for name, mean, above, below, *_ in bars:
        row = by_name[name]
        assert mean == pytest.approx(row["Effect"], abs=0.051)
        low, high = row["80% low"], row["80% high"]  # the mean of few changes may lie outside
        assert mean + above == pytest.approx(max(high, mean), abs=0.051)
        assert mean - below == pytest.approx(min(low, mean), abs=0.051)
    assert not any(TOGETHER in str(bar[0]).lower() and "levers" in str(bar[0]) for bar in bars)
    heads, *pairs = blocks[declared.AGAINST_EXITS]
    assert heads[2] == "All exits together by 20%"
    base = found().effects.effects.query("outcome == 'cla_open'")["without"].iloc[0]
    exits = found().effects.draws[ALL_EXITS, "cla_open"].mean()
    assert pairs[0][0] == "Children in care"
    assert pairs[1][2] == pytest.approx(exits / base, abs=1e-4)


def test_the_plan_is_written_and_only_on_its_own_sheets(book: ClosedWorkbook) -> None:
    before = parts_of(book.to_bytes())
    book.write(levers_values(found()))
    after = parts_of(book.to_bytes())
    changed = [n for n in before if n.startswith("xl/worksheets/sheet") and before[n] != after[n]]
    assert len(changed) == 2
    assert book.read_table("levers").rows[0][0] == written("levers")[0]["Lever"]
    charts = [n for n in before if n.startswith("xl/charts/")]
    assert all(before[n] == after[n] for n in charts)
