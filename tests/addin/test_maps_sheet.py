"""Sheet Maps: drawings as blocks of points, labels in their places, and both maps in words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich_workbook import parts_of
from synthetic_forecast import SCENARIOS, run_case

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import maps as declared
from demand_addin.layout.template import build_template
from demand_addin.plan import plan_run
from demand_addin.plan.maps import labelled, maps_values
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_model import BASELINE, fit, simulate, spells, tabulate
from demand_model.results.system_maps import SystemMaps, system_maps
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.system_today import system_today
from demand_model.system.causal_map import causal_map
from demand_model.system.drawing import Line
from demand_model.system.inputs import SystemInputs, Workforce
from demand_model.system.links import LINKS, CausalLink
from demand_model.system.loops import find_loops
from demand_model.system.stock_map import FLOWS, STOCKS
from demand_model.system.variables import VARIABLES
from engine_cases import made_up_lists

pytestmark = pytest.mark.unit

OWN = CausalLink(
    loop="Edge of care",
    driver="vacancy_share",
    target="plan_to_care",
    elasticity=0.4,
    delay_months=2.0,
    reference=None,
    unit="share",
    evidence="workshop",
    is_on=True,
)
RATES = fit(tabulate(spells(made_up_lists(3, referrals=400, plans=120, care=120))))
PREPARED = prepare(RATES, horizon_months=14, draws=20, seed=1)


def maps_of(inputs: SystemInputs) -> SystemMaps:
    system = System(inputs=inputs)
    (baseline,) = simulate_prepared(PREPARED, [BASELINE], system=system)
    return system_maps(system, RATES, baseline, system_today(PREPARED, system))


@pytest.fixture(scope="module")
def found() -> SystemMaps:
    return maps_of(SystemInputs())


@pytest.fixture(scope="module")
def plan(found: SystemMaps) -> BookPlan:
    return maps_values(found)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("maps") / "book.xlsx"
    build_template(path)
    return path


def ranges_of(plan: BookPlan) -> dict[str, RangeValues]:
    return {block.name: block for block in plan.ranges}


def table_of(plan: BookPlan, name: str) -> TableValues:
    return next(t for t in plan.tables if t.name == name)


def column(table: TableValues, name: str) -> list[CellValue]:
    at = table.columns.index(name)
    return [row[at] for row in table.rows]


def pieces(block: RangeValues) -> list[tuple[tuple[CellValue, ...], ...]]:
    """Runs of rows between blank rows."""
    runs: list[list[tuple[CellValue, ...]]] = [[]]
    for row in block.rows:
        if row == (None, None):
            runs.append([])
        else:
            runs[-1].append(row)
    return [tuple(run) for run in runs if run]


# --- numbers -------------------------------------------------------------------------------------


def test_starts_by_where_they_come_from_add_up(found: SystemMaps) -> None:
    (baseline,) = simulate(RATES, [BASELINE], horizon_months=14, draws=20, seed=1)
    year = {
        m: baseline.measures[m, "all"][:12].sum(axis=0).mean()
        for m in ("referrals", "cp_starts", "cp_ends", "cla_starts", "cla_ends")
    }
    value = {key: number.value for key, number in found.numbers.items()}
    assert value["referrals"] == pytest.approx(year["referrals"])
    assert value["plans_from_referrals"] + value["plans_other"] == pytest.approx(year["cp_starts"])
    assert sum(
        value[key] for key in ("care_from_referrals", "care_from_plans", "care_other")
    ) == pytest.approx(year["cla_starts"])
    assert (value["cp_ends"], value["cla_ends"]) == pytest.approx(
        (year["cp_ends"], year["cla_ends"])
    )
    assert value["nfa_closed"] + value["assessments_started"] == pytest.approx(value["referrals"])
    assert value["assessments_closed"] + value["assessments_to_need"] == pytest.approx(
        value["assessments_started"]
    )


def test_stocks_are_those_of_the_census_date(found: SystemMaps) -> None:
    opening = RATES.exposure.opening
    assert found.numbers["cp_open"].value == len(opening.plans)
    assert found.numbers["cla_open"].value == len(opening.care)
    numbers = found.numbers
    assert numbers["caseload"].value == pytest.approx(
        numbers["cases"].value / numbers["workers"].value
    )


def test_ranges_hold_their_numbers(found: SystemMaps) -> None:
    ranged = [n for n in found.numbers.values() if n.low is not None and n.high is not None]
    assert len(ranged) >= 12
    assert all(n.low <= n.value <= n.high for n in ranged)


def test_a_short_horizon_is_scaled_to_a_year() -> None:
    prepared = prepare(RATES, horizon_months=6, draws=20, seed=1)
    (baseline,) = simulate_prepared(prepared, [BASELINE], system=System())
    short = system_maps(System(), RATES, baseline, system_today(prepared, System()))
    half = baseline.measures["cla_ends", "all"].sum(axis=0).mean()
    assert short.numbers["cla_ends"].value == pytest.approx(2.0 * half)
    said = str(ranges_of(maps_values(short))["maps_top"].rows[0][0])
    assert "scaled to a year" in said


def test_workers_follow_sheet_system() -> None:
    workforce = Workforce(
        workers_fte=80.0, agency_share=0.25, leavers_a_year=0.2, starters_a_month=2.0
    )
    numbers = maps_of(SystemInputs(workforce=workforce)).numbers
    assert numbers["workers"].value == pytest.approx(80.0)
    assert numbers["leavers"].value == pytest.approx(80.0 * 0.75 * 0.2)
    assert numbers["starters"].value == pytest.approx(24.0)
    without = maps_of(SystemInputs(workforce=None))
    assert "workers" not in without.numbers
    words = labelled(ranges_of(maps_values(without))["map_stocks_labels"].rows)
    assert "caseload" not in words


# --- drawings ------------------------------------------------------------------------------------


def test_every_block_fits_its_place(plan: BookPlan) -> None:
    places = {a.name: a for a in (*declared.MAPS_SHEET.areas, *declared.BLOCKS)}
    blocks = ranges_of(plan)
    assert set(blocks) == set(places)
    for name, block in blocks.items():
        assert len(block.rows) <= places[name].rows, name
        assert all(len(row) == places[name].columns for row in block.rows), name


def test_lines_of_the_drawing_are_the_pieces_of_the_blocks(found: SystemMaps, plan) -> None:
    blocks = ranges_of(plan)
    for chart, drawing in (
        (declared.STOCK_MAP, found.stocks),
        (declared.LOOP_MAP, found.causal.drawing),
    ):
        for line in chart.lines:
            drawn = [s.points for s in drawing.strokes if s.line is line.line]
            written = pieces(blocks[line.block_name])
            assert len(drawn) == len(written), line.block_name
            for points, rows in zip(drawn, written, strict=True):
                assert [v for p in points for v in p] == pytest.approx(
                    [v for row in rows for v in row], abs=0.051
                )
    assert {s.line for s in found.causal.drawing.strokes} <= {
        line.line for line in declared.LOOP_MAP.lines
    }
    assert {s.line for s in found.stocks.strokes} <= {
        line.line for line in declared.STOCK_MAP.lines
    }


def test_as_many_links_as_sheet_system_holds_can_be_drawn() -> None:
    """Every pair of variables would be too many; as many as there are rows, all delayed."""
    pairs = [
        (driver, target)
        for driver in ("caseload", "referrals", "cla_open")
        for target in VARIABLES
        if VARIABLES[target].may_be_driven and target != driver
    ][: declared.MOST_LINKS]
    links = tuple(
        replace(OWN, driver=d, target=t, unit=VARIABLES[d].unit, loop=f"Row {i}", is_on=True)
        for i, (d, t) in enumerate(pairs)
    )
    assert len(links) == declared.MOST_LINKS
    found = causal_map(links)
    drawing = found.drawing
    maps = replace(maps_of(SystemInputs(links=())), causal=found)
    blocks = ranges_of(maps_values(maps))
    assert len(pieces(blocks["map_loops_link_on"])) == len(links)
    heads = sum(s.line is Line.LINK_ON_HEAD for s in drawing.strokes)
    assert len(pieces(blocks["map_loops_link_on_head"])) == heads == 3 * len(links)
    signs = [v for row in blocks["map_loops_signs"].rows for v in row if v is not None]
    assert len(signs) == 2 * len(drawing.signs)


def test_labels_stand_in_the_place_of_their_variable(found: SystemMaps, plan: BookPlan) -> None:
    rows = ranges_of(plan)["map_loops_labels"].rows
    assert [row[0] for row in rows[: len(VARIABLES)]] == list(VARIABLES)
    words = labelled(rows)
    assert {k for k in words if k in VARIABLES} == set(found.causal.variables)
    assert words["cla_open"] == "Children in care"
    signs = [text for key, text in words.items() if key.startswith("loop ")]
    assert signs[0] == "R1 Workload–burnout\n(off)" or signs[0].startswith("R1 Workload–burnout")
    assert len(signs) == len(found.causal.signs)
    assert all(row[1:] == (None, None, None) for row in rows if row[0] not in words)
    stocks = labelled(ranges_of(plan)["map_stocks_labels"].rows)
    assert set(stocks) == {one.key for one in (*STOCKS, *FLOWS)} | {"caseload"}
    assert stocks["cla_open"].endswith("today")


def test_a_link_of_ones_own_appears_and_is_drawn_as_it_is_switched(found: SystemMaps) -> None:
    links = (*LINKS, OWN, replace(OWN, target="cin_months", is_on=False))
    values = maps_values(replace(found, causal=causal_map(links)))
    blocks = ranges_of(values)
    assert len(pieces(blocks["map_loops_link_on"])) == 1
    assert len(pieces(blocks["map_loops_link_off"])) == len(LINKS) + 1
    words = labelled(blocks["map_loops_labels"].rows)
    assert {"vacancy_share", "plan_to_care", "cin_months"} <= set(words)
    arrows = table_of(values, "map_arrows")
    own = [row for row in arrows.rows if str(row[5]).startswith("Edge of care")]
    assert [(row[0], row[3]) for row in own] == [(len(LINKS) + 1, "Yes"), (len(LINKS) + 2, "No")]
    said = " ".join(str(row[0]) for row in blocks["maps_caption_loops"].rows)
    assert "1 of the links are" not in said
    assert "1 of the links is switched on" in said


# --- words ---------------------------------------------------------------------------------------


def test_the_table_of_loops_is_what_the_finder_finds(plan: BookPlan) -> None:
    table = table_of(plan, "loops")
    loops = find_loops(LINKS)
    assert column(table, "members") == [loop.path for loop in loops]
    assert column(table, "loop") == [loop.name for loop in loops]
    assert column(table, "kind") == [loop.kind.capitalize() for loop in loops]
    assert column(table, "on") == ["No"] * len(loops)
    assert column(table, "what_breaks_it") == [loop.breaks for loop in loops]
    assert {"R1", "B1"} <= set(column(table, "sign"))


def test_every_arrow_and_every_number_stands_in_words(found: SystemMaps, plan: BookPlan) -> None:
    arrows = table_of(plan, "map_arrows")
    assert len(arrows.rows) == len(found.causal.arrows)
    assert len(arrows.rows) <= declared.MAP_ARROWS.room
    assert set(column(arrows, "on")) == {"Always", "No"}
    assert all(str(sign).split()[0] in ("+", "-") for sign in column(arrows, "sign"))
    flows = table_of(plan, "map_flows")
    assert len(flows.rows) == len(found.numbers) <= declared.MAP_FLOWS.room
    wanted = {one.label for one in (*STOCKS, *FLOWS)}
    assert wanted <= set(column(flows, "what"))
    assert all(column(flows, "unit_and_source"))


def test_tables_below_each_other_have_room() -> None:
    first, second, third = declared.MAPS_SHEET.tables
    assert second.first_row > first.first_row + first.room
    assert third.first_row > second.first_row + second.room


# --- the workbook --------------------------------------------------------------------------------


def test_two_charts_are_described_and_drawn_from_the_helper_sheet(template: Path) -> None:
    parts = parts_of(template.read_bytes())
    names = re.findall(r'<sheet name="([^"]+)"', parts["xl/workbook.xml"].decode())
    rels = parts[f"xl/worksheets/_rels/sheet{names.index('Maps') + 1}.xml.rels"].decode()
    drawing = re.search(r"drawings/(drawing\d+\.xml)", rels)
    assert drawing is not None
    descriptions = re.findall(r'descr="([^"]+)"', parts[f"xl/drawings/{drawing[1]}"].decode())
    assert len(descriptions) == 2
    assert all(len(text) > 150 and "table" in text for text in descriptions)
    charts = re.findall(
        r"charts/(chart\d+\.xml)", parts[f"xl/drawings/_rels/{drawing[1]}.rels"].decode()
    )
    for name, spec in zip(charts, declared.MAPS, strict=True):
        xml = parts[f"xl/charts/{name}"].decode()
        assert "<c:scatterChart>" in xml
        assert '<c:dispBlanksAs val="gap"' in xml
        assert set(re.findall(r"<c:f>('[^']+')!", xml)) == {"'Maps data'"}
        assert xml.count("<c:showSerName") == len(spec.slots)


def test_a_run_fills_the_sheet_and_a_smaller_one_clears_it(template: Path, found) -> None:
    case = run_case(horizon=3)
    book = ClosedWorkbook.open(template)
    whole = plan_run(
        check=case.check,
        rates=case.rates,
        forecast=case.forecast,
        scenario_names=SCENARIOS,
        choices=case.choices,
        log=case.log,
        maps=found,
    )
    book.write(whole)
    assert len(book.read_table("loops").rows) == len(find_loops(LINKS))
    book.write(maps_values(replace(found, causal=causal_map(()))))
    loops = book.read_table("loops")
    assert all(cell is None for row in loops.rows for cell in row)
    arrows = book.read_table("map_arrows")
    assert all(cell is None for row in arrows.rows for cell in row)


def test_without_maps_a_run_leaves_the_sheet_alone() -> None:
    case = run_case(horizon=3)
    plan = plan_run(
        check=case.check,
        rates=case.rates,
        forecast=case.forecast,
        scenario_names=SCENARIOS,
        choices=case.choices,
        log=case.log,
    )
    assert not {t.name for t in plan.tables} & {t.name for t in declared.MAPS_SHEET.tables}


def test_months_are_named(found: SystemMaps, plan: BookPlan) -> None:
    said = str(ranges_of(plan)["maps_top"].rows[0][0])
    first: pd.Period = found.months[0]
    assert f"{first.strftime('%B %Y')} to" in said
    assert "scaled" not in said
