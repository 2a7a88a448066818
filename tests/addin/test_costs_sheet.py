"""Sheet Costs: what a run writes fits its places, adds up, and says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from rich_workbook import parts_of

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import costs as declared
from demand_addin.layout.template import build_template
from demand_addin.plan.costs import costs_values, no_costs
from demand_addin.ports import BookPlan
from demand_model import presets, simulate, spells
from demand_model.flows import ALL
from demand_model.results.cost_years import CostChoices
from demand_model.results.costs import Costs, placement_costs
from demand_model.simulation.scenario import BASELINE
from demand_model.system.inputs import PLACEMENT_GROUPS, PlacementGroup, Placements
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit

LOCKDOWN = "Lockdown like spring 2020"


@lru_cache(maxsize=2)
def case(horizon: int = 24, *, own_groups: int = 0) -> Costs:
    lists = made_up_lists(1)
    found = simulate(
        made_up_rates(1), presets(CENSUS)[:4], horizon_months=horizon, draws=40, seed=5
    )
    more = tuple(
        PlacementGroup(name=f"own {i}", label=f"Own {i}", weekly_cost=10.0, is_internal=True)
        for i in range(own_groups)
    )
    placements = Placements(groups=(*PLACEMENT_GROUPS, *more))
    choices = CostChoices(inflation_a_year=0.03)
    return placement_costs(spells(lists), found, placements, choices)


def plan(costs: Costs | None = None, scenario: str = BASELINE.name) -> BookPlan:
    return costs_values(costs or case(), scenario=scenario, authority="Middlemarch")


def ranges(of: BookPlan) -> dict[str, tuple]:
    return {r.name: r.rows for r in of.ranges}


def table(of: BookPlan, name: str) -> list[dict[str, object]]:
    found = next(t for t in of.tables if t.name == name)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


AREAS = {a.name: a for a in (*declared.COSTS_SHEET.areas, *declared.COSTS_DATA_SHEET.areas)}


@pytest.mark.parametrize(
    "costs",
    [case(), case(120), case(3), case(24, own_groups=3), case(24, own_groups=6), None],
    ids=["two years", "ten years", "three months", "own groups", "many own groups", "nothing"],
)
def test_everything_fits_its_place_and_every_place_is_filled(costs):
    found = no_costs() if costs is None else plan(costs)
    assert set(ranges(found)) == set(AREAS)
    for name, rows in ranges(found).items():
        assert len(rows) <= AREAS[name].rows, name
        assert all(len(row) <= AREAS[name].columns for row in rows), name
    assert {t.name for t in found.tables} == {"costs", "placements"}
    for t in found.tables:
        spec = next(s for s in declared.COSTS_SHEET.tables if s.name == t.name)
        assert t.columns == spec.headings
        assert all(len(row) == len(t.columns) for row in t.rows)


def test_groups_of_the_small_table_add_up_to_all_placements():
    heads, *groups, whole = ranges(plan())[declared.NUMBERS.name]
    assert heads[3] == "Children in March 2028"
    assert heads[5] == "Cost 2026-27"
    assert whole[0] == declared.ALL_PLACEMENTS
    assert [row[0] for row in groups] == [g.name.capitalize() for g in PLACEMENT_GROUPS]
    for column in (1, 3):
        assert sum(row[column] for row in groups) == pytest.approx(whole[column], abs=4)
    for column in (5, 7):
        assert sum(row[column] for row in groups) == pytest.approx(whole[column], abs=8)
    assert whole[5] == round(case().draws[BASELINE.name, "2026-27", ALL].mean())


def test_the_table_of_costs_is_the_engines():
    rows = table(plan(), "costs")
    assert len(rows) == len(case().by_year) == 4 * 2 * 9
    mine = next(
        r
        for r in rows
        if (r["scenario"], r["year"], r["placement_group"]) == (LOCKDOWN, "2027-28", "all")
    )
    draws = case().draws[LOCKDOWN, "2027-28", "all"]
    less = draws - case().draws[BASELINE.name, "2027-28", "all"]
    assert mine["mean"] == round(draws.mean())
    assert mine["less_baseline_p90"] == round(float(np.quantile(less, 0.9)))
    assert mine["share_dearer"] == pytest.approx((less > 0).mean(), abs=1e-3)
    assert (mine["from"], mine["to"]) == (date(2027, 4, 1), date(2028, 3, 31))
    base = next(r for r in rows if r["scenario"] == BASELINE.name)
    assert base["less_baseline_mean"] is base["share_dearer"] is None


def test_the_table_of_placements_begins_with_todays_children():
    rows = [r for r in table(plan(), "placements") if r["scenario"] == BASELINE.name]
    today = [r for r in rows if r["month_end"] == CENSUS]
    assert sum(r["mean"] for r in today) == pytest.approx(case().today["children"].sum(), abs=0.5)
    assert {r["placement_group"] for r in rows} == {g.name for g in PLACEMENT_GROUPS}


def test_the_charts_draw_the_figures_of_the_tables():
    found = ranges(plan())
    heads, *years = found["chart_costs_years"]
    assert heads == declared.YEAR_COLUMNS
    assert [row[0] for row in years] == ["2026-27", "2027-28"]
    draws = case().draws[BASELINE.name, "2026-27", ALL]
    low, high = np.quantile(draws, (0.1, 0.9))
    mean = draws.mean()
    assert years[0][1:] == pytest.approx((mean, high - mean, mean - low, high))
    _, *groups = found["chart_costs_groups"]
    assert sum(row[1] for row in groups) == pytest.approx(case().today["children"].sum())
    _, *scenarios = found["chart_costs_scenarios"]
    sizes = [abs(row[1]) for row in scenarios]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 3
    for rows in (years, scenarios):
        assert all(arm >= 0 for row in rows for arm in row[2:4])
    for _, mean, above, below, high, low in scenarios:
        assert (high, low) == pytest.approx((mean + above, mean - below))


def test_a_part_of_a_year_is_named_wherever_it_is_shown():
    part = case(15)
    found = ranges(plan(part))
    assert [row[0] for row in found["chart_costs_years"][1:]] == [
        "2026-27",
        "2027-28\nApr to Jun only",
    ]
    assert found[declared.NUMBERS.name][0][7] == "Cost 2027-28 (part)"
    assert any("01/04/2027 to 30/06/2027" in row[0] for row in found[declared.NOTES.name])
    assert "2026-27" in found["chart_costs_scenarios"][0][1], "a whole year where there is one"


def test_the_notes_say_what_the_ranges_hold():
    plain = [row[0] for row in ranges(plan())[declared.NOTES.name]]
    assert "weekly costs are taken as known" in plain[0]
    assert "not in itself a better outcome" in plain[-1]
    unsure = replace(case(), choices=CostChoices(unit_cost_sd=0.15, prices_of=date(2026, 4, 1)))
    said = [row[0] for row in ranges(plan(unsure))[declared.NOTES.name]]
    assert "may be off by about 15%" in said[0]
    assert "Prices are those of 01/04/2026" in said[1]


def test_more_children_than_places_is_said():
    over = case().today.assign(places=0.0)
    said = [row[0] for row in ranges(plan(replace(case(), today=over)))[declared.NOTES.name]]
    assert any("More children than places" in line and "kinship" in line for line in said)
    assert len(said) <= declared.NOTE_ROWS


def test_another_scenario_can_be_shown_and_one_that_was_not_run_leaves_the_baseline():
    shown = ranges(plan(scenario=LOCKDOWN))
    assert LOCKDOWN in shown[declared.SUBTITLE.name][0][0]
    assert shown["chart_costs_years"] != ranges(plan())["chart_costs_years"]
    assert ranges(plan(scenario="Martians")) == ranges(plan())
    assert ranges(plan())[declared.SUBTITLE.name][0][0].startswith("Middlemarch. ")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> ClosedWorkbook:
    path = tmp_path_factory.mktemp("costs") / "book.xlsx"
    build_template(path)
    book = ClosedWorkbook.open(path)
    book.write(plan())
    return book


def test_a_workbook_takes_the_plan_and_shows_money_as_money(written, tmp_path: Path):
    assert len(written.read_table("costs").rows) == len(case().by_year)
    assert written.read_sheet("Costs").cells[4, 0].startswith("Placements cost £")
    path = tmp_path / "book.xlsx"
    path.write_bytes(written.to_bytes())
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(path)["Costs"]
    row = declared.TABLES_ROW + 5
    column = declared.COSTS.headings.index("mean") + 1
    assert "£" in sheet.cell(row, column).number_format
    assert sheet.cell(row, column).value > 0


def test_a_second_plan_of_nothing_clears_the_first(written):
    again = ClosedWorkbook.from_bytes(written.to_bytes(), "book.xlsx")
    again.write(no_costs())
    rows = again.read_table("costs").rows
    assert len(rows) == 1
    assert all(value is None for value in rows[0])
    assert again.read_sheet("Costs").cells[2, 0] == declared.NO_RUN


def test_every_chart_has_a_text_for_those_who_cannot_see_it(written):
    drawings = [
        part.decode()
        for name, part in parts_of(written.to_bytes()).items()
        if name.startswith("xl/drawings/drawing") and b"financial year" in part
    ]
    assert len(drawings) == 1
    assert drawings[0].count('descr="') == 3
