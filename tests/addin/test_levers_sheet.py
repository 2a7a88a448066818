"""Sheets Lever choices and Levers: as typed, every wrong cell by name, what is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache

import pytest
from rich_workbook import parts_of

from demand_addin.cells import SettingProblemsError
from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import build_template
from demand_addin.layout import lever_choices as choices
from demand_addin.layout import levers as declared
from demand_addin.layout.declare import TableSpec
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
    assert by_key.pop("new_places") == LeverSetting(
        lever="new_places",
        size=6.0,
        start=date(CENSUS.year, 4, 1),
        places=("own residential", "residential"),
    )
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
            (row_of(ALL_EXITS), "include"): "No",
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
        (choices.LEVER_SETTINGS, {(0, "include"): "perhaps"}, "invalid include"),
        (choices.LEVER_SETTINGS, {(0, "size"): 1.5}, "invalid size"),
        (choices.LEVER_SETTINGS, {(0, "size"): None}, "invalid size"),
        (choices.LEVER_SETTINGS, {(0, "start"): -1}, "invalid start"),
        (choices.LEVER_SETTINGS, {(0, "start"): date(2001, 1, 1)}, "invalid start"),
        (choices.LEVER_SETTINGS, {(0, "ramp_months"): "long"}, "invalid ramp"),
        (choices.LEVER_SETTINGS, {(0, "cost_a_year"): -5}, "invalid cost"),
        (choices.LEVER_SETTINGS, {(0, "greatest_size"): -0.2}, "invalid greatest size"),
        (choices.LEVER_SETTINGS, {(0, "name"): "magic"}, "invalid name of a lever"),
        (choices.LEVER_SETTINGS, {(1, "name"): "referrals"}, "invalid name of a lever"),
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
    context = LeverContext(
        prepared=prepared,
        at=last,
        system=system,
        placements=Placements(),
        today=placements_today(spells(made_up_lists(1)), Placements()),
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


def test_goals_loops_and_pairs_are_told() -> None:
    near, far = written("goal_answers")
    assert (near["Within reach"], far["Within reach"]) == ("Yes", "No")
    assert far["What it takes"].startswith("Out of reach; the most allowed: ")
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
