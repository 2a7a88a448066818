"""Sheet Workforce: what a run writes fits its places, is the engine's, says what is taken."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from rich_workbook import parts_of

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import workforce as declared
from demand_addin.layout.template import build_template
from demand_addin.plan.workforce import no_workforce, workforce_values
from demand_addin.ports import BookPlan
from demand_model import presets
from demand_model.results.workforce import MORE_NEEDED, NEEDED, WorkforceForecast
from demand_model.results.workforce import workforce_forecast as bring_together
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.system_today import system_today
from demand_model.system.inputs import SystemInputs, Workforce
from demand_model.system.links import LINKS
from engine_cases import CENSUS, made_up_rates

pytestmark = pytest.mark.unit

LOCKDOWN = "Lockdown like spring 2020"
OWN = Workforce(workers_fte=30.0, ideal_caseload=12.0, vacancy_share=0.2)


@lru_cache(maxsize=8)
def case(
    horizon: int = 24, *, workforce: Workforce = OWN, scenarios: int = 4, loops: bool = False
) -> WorkforceForecast:
    prepared = prepare(made_up_rates(1), horizon_months=horizon, draws=40, seed=5)
    links = tuple(replace(link, is_on=loops and link.loop == "Workload–burnout") for link in LINKS)
    system = System(inputs=SystemInputs(links=links, workforce=workforce))
    chosen = presets(CENSUS)[:4]
    more = tuple(Scenario(name=f"Own {n}", changes=chosen[1].changes) for n in range(4, scenarios))
    run = simulate_prepared(prepared, (*chosen, *more), system=system)
    found = bring_together(run, system_today(prepared, system), system, CENSUS)
    assert found is not None
    return found


def plan(found: WorkforceForecast | None = None, scenario: str = BASELINE.name) -> BookPlan:
    return workforce_values(
        found or case(),
        scenario=scenario,
        compare=(BASELINE.name, LOCKDOWN, "", "Martians"),
        authority="Middlemarch",
    )


def ranges(of: BookPlan) -> dict[str, tuple]:
    return {r.name: r.rows for r in of.ranges}


def texts(of: BookPlan, name: str) -> list[str]:
    return [row[0] for row in ranges(of)[name]]


AREAS = {a.name: a for a in (*declared.WORKFORCE_SHEET.areas, *declared.WORKFORCE_DATA_SHEET.areas)}


@pytest.mark.parametrize(
    "found",
    [case(), case(120), case(1), case(7, scenarios=14), case(workforce=Workforce()), None],
    ids=["two years", "ten years", "one month", "many scenarios", "nothing typed", "nothing"],
)
def test_everything_fits_its_place_and_every_place_is_filled(found):
    made = no_workforce() if found is None else plan(found)
    assert set(ranges(made)) == set(AREAS)
    for name, rows in ranges(made).items():
        assert len(rows) <= AREAS[name].rows, name
        assert all(len(row) <= AREAS[name].columns for row in rows), name
    (table,) = made.tables
    assert table.columns == declared.WORKFORCE_FORECAST.headings
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_small_table_is_the_engines():
    heads, today, *later = ranges(plan())[declared.NUMBERS.name]
    assert heads == declared.NUMBER_HEADS
    assert [row[0] for row in later] == [
        "In 6 months: September 2026",
        "In 12 months: March 2027",
        "In 24 months: March 2028",
    ]
    now = case().today
    assert today[:4] == (
        "Today",
        round(now["cases"].mean()),
        30,
        round(now["cases"].mean() / 30.0, 1),
    )
    last = later[-1]
    draws = {name: case().draws[BASELINE.name, name][-1] for name in now}
    assert last[3] == round(draws["caseload"].mean(), 1)
    low, high = np.quantile(draws["caseload"], (0.1, 0.9))
    assert last[4] == f"{low:.1f} to {high:.1f}"
    assert last[7] == round(draws[NEEDED].mean())
    assert last[8] == round(draws[MORE_NEEDED].mean())
    assert last[6] == round(draws["vacancies"].mean()) > 0


def test_a_caseload_that_is_taken_has_no_range_today_and_is_said_to_be_englands():
    taken = plan(case(workforce=Workforce()))
    _, today, *_ = ranges(taken)[declared.NUMBERS.name]
    assert today[3:6] == (15.2, "–", "–")
    rows = ranges(taken)[declared.ENGLAND.name][1:]
    assert {row[4] for row in rows} == {"England's"}
    ((subtitle,),) = ranges(taken)[declared.SUBTITLE.name]
    assert "what is assumed: sheet System" in str(subtitle)
    assert [row[1] == row[2] for row in rows] == [True] * declared.COMPARISONS


def test_own_figures_stand_beside_englands():
    rows = {row[0]: row[1:] for row in ranges(plan())[declared.ENGLAND.name][1:]}
    assert rows["Cases per worker"][1] == "15.2"
    assert rows["Cases per worker"][3] == "today's cases divided by your workers"
    assert rows["Posts vacant"][:3] == ("20.0%", "14.2%", "September 2025")
    assert rows["Posts vacant"][3] == "sheet System"
    assert rows["Leavers in a year"][3].startswith("England's")


def test_notes_say_what_is_worked_out_and_which_feedback_acts():
    said = texts(plan(), declared.NOTES.name)
    whole = " ".join(said)
    assert "average length of 1.5 months" in whole
    assert "They are not counted" in whole
    assert "No feedback is on" in whole
    assert "17.7 in 2017" in whole
    assert len(said) <= declared.NOTE_ROWS
    counted = replace(case(), system=replace(case().system, assessments_open=40.0, cin_open=60.0))
    assert "as counted in Lists 4 and 6" in texts(plan(counted), declared.NOTES.name)[0]
    looped = " ".join(texts(plan(case(loops=True)), declared.NOTES.name))
    assert "acts in these figures: Workload–burnout" in looped


def test_the_table_holds_quarters_and_both_ends():
    (table,) = plan(case(7)).tables
    at = {name: table.columns.index(name) for name in ("scenario", "measure", "month_end")}
    days = [
        row[at["month_end"]].isoformat()
        for row in table.rows
        if (row[at["scenario"]], row[at["measure"]]) == (LOCKDOWN, "caseload")
    ]
    assert days == ["2026-03-31", "2026-06-30", "2026-09-30", "2026-10-31"]
    assert len(table.rows) == 4 * 6 * 4


def test_the_charts_draw_the_engines_figures():
    found = ranges(plan())
    heads, *fan = found["chart_workforce_fan"]
    assert heads[-1] == "England 2025"
    base, *widths = fan[24][1:7]
    edges = np.quantile(case().draws[BASELINE.name, "caseload"][-1], (0.025, 0.975))
    assert base == pytest.approx(edges[0], abs=1e-3)
    assert base + sum(widths) == pytest.approx(edges[1], abs=5e-3)
    assert fan[24][8:] == (12, 15.2)
    assert fan[24:] == [fan[24]] * (declared.MONTHS - 24)
    _, *need = found["chart_workforce_need"]
    draws = case().draws[BASELINE.name, NEEDED][-1]
    assert need[24][3] == pytest.approx(draws.mean(), abs=1e-3)
    assert need[24][1] == pytest.approx(np.quantile(draws, 0.1), abs=1e-3)
    heads, *lines = found["chart_workforce_lines"]
    assert heads == ("month", BASELINE.name, LOCKDOWN, " ", "Martians (not run)")
    assert lines[24][3:] == (None, None)
    assert lines[0][1] == lines[0][2]
    heads, *bars = found["chart_workforce_scenarios"]
    assert heads[1] == "Against the baseline, March 2028"
    assert [abs(row[1]) for row in bars] == sorted((abs(r[1]) for r in bars), reverse=True)
    for _, mean, above, below, high, low in bars:
        assert (high, low) == pytest.approx((mean + above, mean - below))


def test_another_scenario_can_be_shown_and_one_that_was_not_run_leaves_the_baseline():
    shown = plan(scenario=LOCKDOWN)
    assert f"Scenario shown: {LOCKDOWN}" in texts(shown, declared.SUBTITLE.name)[0]
    assert "under Lockdown like spring 2020" in texts(shown, declared.SENTENCES.name)[0]
    assert ranges(shown)["chart_workforce_fan"] != ranges(plan())["chart_workforce_fan"]
    assert ranges(plan(scenario="Martians")) == ranges(plan())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> ClosedWorkbook:
    path = tmp_path_factory.mktemp("workforce") / "book.xlsx"
    build_template(path)
    book = ClosedWorkbook.open(path)
    book.write(plan())
    return book


def test_a_workbook_takes_the_plan_and_a_second_one_of_nothing_clears_it(written):
    assert len(written.read_table("workforce_forecast").rows) == 4 * 6 * 9
    assert " cases per worker today" in written.read_sheet("Workforce").cells[4, 0]
    again = ClosedWorkbook.from_bytes(written.to_bytes(), "book.xlsx")
    again.write(no_workforce())
    (row,) = again.read_table("workforce_forecast").rows
    assert all(value is None for value in row)
    assert again.read_sheet("Workforce").cells[2, 0] == declared.NO_RUN


def test_every_chart_has_a_text_for_those_who_cannot_see_it(written):
    drawings = [
        part.decode()
        for name, part in parts_of(written.to_bytes()).items()
        if name.startswith("xl/drawings/drawing") and b"Cases per worker" in part
    ]
    assert len(drawings) == 1
    assert drawings[0].count('descr="') == 4
