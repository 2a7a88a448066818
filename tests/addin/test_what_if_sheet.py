"""Sheet What-if: what it is made of, and what LibreOffice calculates from it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from demand_addin.layout import what_if as declared
from demand_addin.layout import what_if_columns as workings
from demand_addin.plan.what_if import what_if_ranges
from demand_model.rates.fit import fit
from demand_model.results.what_if_data import WhatIf
from demand_model.results.what_if_forecast import what_if_cost, what_if_forecast
from demand_model.results.what_if_levers import WhatIfLevers
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from engine_cases import exposure_of, made_up_lists
from what_if_books import build, cells_of, office, recalculated
from what_if_cases import what_if_of

pytestmark = pytest.mark.unit

EXCEL_2016 = {
    "ABS", "AND", "DATE", "DAY", "EOMONTH", "EXP", "IF", "IFERROR", "INDEX", "MATCH", "MAX", "MIN",
    "MONTH", "ROUND", "SUM", "SUMPRODUCT", "TEXT", "YEAR",
}  # fmt: skip
SETTINGS = {
    "neutral": WhatIfLevers(),
    "flows": WhatIfLevers(
        start_after_months=3, referrals=-0.2, referrals_by_source={"Police": 0.3, "Schools": -0.5},
        conversion_to_plans=0.1, entries_to_care=-0.1, uasc_entries=0.5,
    ),
    "exits": WhatIfLevers(plan_ends=0.3, care_ends_home=0.8, care_ends_other=-0.2),
    "lockdown": WhatIfLevers(
        start_after_months=5, care_ends_home=-0.4, lockdown_after_months=2, lockdown_months=4,
        lockdown_fall=0.3, lockdown_fall_by_source={"Schools": 0.7, "Police": 0.0},
        share_returning=0.6, return_delay_months=1.5, return_spread_months=4.0,
    ),
    "all back at once, at the end": WhatIfLevers(
        lockdown_after_months=9, lockdown_months=5, share_returning=1.0, return_delay_months=0.0,
        return_spread_months=0.0,
    ),
}  # fmt: skip


A_PLAN, PRICES = 100.0, 0.05
"""£ a week of a child on a plan; inflation, not that of the run."""


@pytest.fixture(scope="module")
def values() -> WhatIf:
    lists = made_up_lists(5, referrals=600, plans=90, care=120, uasc=8)
    rates = fit(exposure_of(lists))
    prepared = prepare(rates, horizon_months=14, draws=100, seed=2)
    return what_if_of(lists, prepared, simulate_prepared(prepared)[0])


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("what_if") / "blank.xlsx"
    build(path, ())
    return path


def formulas(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                yield from re.findall(r"<f>([^<]*)</f>", book.read(name).decode())


# --- how it is made -------------------------------------------------------------------------------


def test_functions_are_those_of_excel_2016(blank: Path):
    found = {name for f in formulas(blank) for name in re.findall(r"([A-Z][A-Z0-9.]*)\(", f)}
    assert found <= EXCEL_2016
    assert "EXP" in found
    assert not any("{" in f or "#" in f.replace("#,##0", "") for f in formulas(blank))


def test_every_blue_cell_has_a_prompt_limits_and_is_unlocked(blank: Path):
    book = openpyxl.load_workbook(blank)
    ws = book[declared.SHEET]
    rules = {str(rule.sqref): rule for rule in ws.data_validations.dataValidation}
    single = [area.cell for area in declared.INPUTS.values()]
    blocks = (declared.SOURCE_CHANGES, declared.SOURCE_FALLS, declared.UNIT_COSTS)
    more = [
        f"{area.cell[0]}{area.corner[0] + 1 + row}" for area in blocks for row in range(area.rows)
    ]
    own = 2 * declared.SOURCE_CHANGES.rows + declared.UNIT_COSTS.rows
    assert len(set(single + more)) == len(declared.LEVERS) + own
    for cell in (*single, *more):
        rule = rules[cell]
        assert rule.prompt, cell
        assert rule.error, cell
        assert float(rule.formula1) <= float(ws[cell].value or 0.0) <= float(rule.formula2), cell
        assert not ws[cell].protection.locked, cell
    assert ws["A4"].protection.locked


def test_the_blue_cells_begin_as_the_neutral_levers():
    by_key = {lever.key: lever.neutral for lever in (*declared.CHANGES, *declared.LOCKDOWN)}
    assert by_key == {key: getattr(WhatIfLevers(), key) for key in by_key}
    of_levers = set(WhatIfLevers.__dataclass_fields__)
    assert of_levers - set(by_key) == {"referrals_by_source", "lockdown_fall_by_source"}


def test_what_a_run_writes_fits_its_places(values: WhatIf):
    areas = {area.name: area for area in declared.WHAT_IF_DATA_SHEET.areas}
    ranges = what_if_ranges(values)
    assert {r.name for r in ranges} == set(areas)
    for written in ranges:
        area = areas[written.name]
        assert len(written.rows) <= area.rows
        wide = len(values.months) if area is declared.ENTRY_BLOCK else area.columns
        assert {len(row) for row in written.rows} == {wide}, written.name
        assert not any(isinstance(v, float) and not np.isfinite(v) for r in written.rows for v in r)
    months = next(r for r in ranges if r.name == declared.MONTH_BLOCK.name).rows
    assert months[0][0] == date(2026, 4, 30)
    assert len(months) == 14


def test_areas_do_not_overlap():
    for spec in (declared.WHAT_IF_SHEET, declared.WHAT_IF_DATA_SHEET):
        taken: set[tuple[int, int]] = set()
        for area in spec.areas:
            top, left = area.corner
            cells = {(top + r, left + c) for r in range(area.rows) for c in range(area.columns)}
            assert not cells & taken, area.name
            taken |= cells


def test_charts_say_what_they_show(blank: Path):
    with zipfile.ZipFile(blank) as book:
        drawing = book.read("xl/drawings/drawing1.xml").decode()
        charts = [book.read(n).decode() for n in book.namelist() if n.startswith("xl/charts/chart")]
    assert drawing.count('descr="') == 4
    assert len(charts) == 4
    for chart in charts:
        assert chart.count("<c:ser>") == 2
        assert f"'{declared.WORKINGS_SHEET}'!" in chart


# --- what it calculates ---------------------------------------------------------------------------


def sheet_rows(path: Path, sheet: str) -> list[list[object]]:
    found = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet)
    return found.to_python(skip_empty_area=False)


def column_of(rows: list[list[object]], heading: str, count: int) -> np.ndarray:
    at = workings.COLUMNS.index(heading)
    first = workings.FIRST_ROW - 1
    return np.array([row[at] for row in rows[first : first + count]], dtype=float)


@pytest.fixture(scope="module")
def calculated(values: WhatIf, blank: Path, tmp_path_factory: pytest.TempPathFactory):
    """Each setting's workbook, and one before any run, as LibreOffice calculates them."""
    if office() is None:
        pytest.skip("LibreOffice is not installed here")
    folder = tmp_path_factory.mktemp("books")
    paths = [blank]
    for number, levers in enumerate(SETTINGS.values()):
        paths.append(folder / f"setting{number}.xlsx")
        extra = {
            declared.INPUTS["cost_plan"].cell: A_PLAN,
            declared.INPUTS["inflation"].cell: PRICES,
        }
        build(paths[-1], what_if_ranges(values), {**cells_of(levers), **extra})
    homes = [group.name for group in values.placed.groups].index("residential")
    paths.append(folder / "dearer.xlsx")
    typed = {f"B{declared.PLACEMENTS_ROW + homes}": 7000.0}
    build(paths[-1], what_if_ranges(values), typed)
    found = recalculated(paths, folder / "out", folder / "profile")
    return dict(zip(["blank", *SETTINGS, "dearer homes"], found, strict=True))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_sheet_calculates_the_formulas(calculated, values: WhatIf, name: str):
    rows = sheet_rows(calculated[name], declared.WORKINGS_SHEET)
    wanted = what_if_forecast(values, SETTINGS[name])
    count = len(values.months)
    for heading, found in (
        ("referrals shown", wanted.referrals),
        ("plans started", wanted.cp_starts),
        ("children on plans", wanted.cp_open),
        ("children in care", wanted.cla_open),
    ):
        assert column_of(rows, heading, count) == pytest.approx(found, rel=1e-6), heading
    into_care = column_of(rows, "into care", count) + column_of(rows, "UASC into care", count)
    assert into_care == pytest.approx(wanted.cla_starts, rel=1e-6)


@pytest.mark.parametrize("name", SETTINGS)
def test_cost_is_where_children_live_times_unit_costs(calculated, values: WhatIf, name: str):
    rows = sheet_rows(calculated[name], declared.WORKINGS_SHEET)
    forecast = what_if_forecast(values, SETTINGS[name])
    care = what_if_cost(values, forecast.by_group, inflation_a_year=PRICES)
    assert column_of(rows, "what-if cost £", 14) == pytest.approx(
        care + plans_cost(values, forecast.cp_open), rel=1e-6
    )
    before = what_if_cost(values, values.placed.baseline, inflation_a_year=PRICES)
    assert column_of(rows, "baseline cost £", 14) == pytest.approx(
        before + plans_cost(values, values.baseline["cp_open"]), rel=1e-6
    )


def plans_cost(values: WhatIf, cp_open: np.ndarray) -> np.ndarray:
    children = np.concatenate([[values.opening_plans], cp_open])
    weeks = values.placed.days / 7.0
    price = (1.0 + PRICES) ** values.placed.years
    return (children[:-1] + children[1:]) / 2.0 * A_PLAN * weeks * price


def test_a_weekly_cost_that_is_typed_is_used(calculated, values: WhatIf):
    rows = sheet_rows(calculated["dearer homes"], declared.WORKINGS_SHEET)
    forecast = what_if_forecast(values)
    costs = values.placed.weekly_costs.copy()
    at = [group.name for group in values.placed.groups].index("residential")
    costs[at] = 7000.0
    wanted = what_if_cost(values, forecast.by_group, weekly_costs=costs)
    assert column_of(rows, "what-if cost £", 14) == pytest.approx(wanted, rel=1e-6)
    assert wanted.sum() > 1.01 * what_if_cost(values, forecast.by_group).sum()


def test_the_table_shows_six_and_twelve_months(calculated, values: WhatIf):
    rows = sheet_rows(calculated["exits"], declared.SHEET)
    top, left = 5, 5
    heads, care = rows[top][left:], rows[top + 3][left:]
    shown = dict(zip(heads, care, strict=True))
    found = what_if_forecast(values, SETTINGS["exits"])
    assert shown["Average forecast"] == "Children in care"
    assert shown["Today"] == values.opening_care
    for lead in (6, 12):
        base, mine = values.baseline["cla_open"][lead - 1], found.cla_open[lead - 1]
        assert shown[f"Baseline, {lead} months"] == pytest.approx(base, rel=1e-6)
        assert shown[f"What-if, {lead} months"] == pytest.approx(mine, rel=1e-6)
        assert shown[f"Difference, {lead} months"] == round(mine - base)
    assert shown["What-if, 24 months"] == "", "beyond the horizon"
    assert "3 changed" in str(rows[3][left])
    neutral = sheet_rows(calculated["neutral"], declared.SHEET)
    assert "All changes are neutral" in str(neutral[3][left])


def test_the_charts_repeat_the_last_month_beyond_the_horizon(calculated, values: WhatIf):
    rows = sheet_rows(calculated["flows"], declared.WORKINGS_SHEET)
    top, left = workings.CHART_BLOCK.corner
    block = [row[left : left + workings.CHART_BLOCK.columns] for row in rows[top + 1 : top + 61]]
    assert len(block) == declared.MONTHS
    assert block[13][0] == date(2027, 5, 28)
    assert all(row == block[13] for row in block[13:])
    found = what_if_forecast(values, SETTINGS["flows"])
    assert [row[6] for row in block[:14]] == pytest.approx(found.cla_open.tolist(), rel=1e-6)
    assert [row[5] for row in block[:14]] == pytest.approx(
        values.baseline["cla_open"].tolist(), rel=1e-6
    )
    care = what_if_cost(values, found.by_group, inflation_a_year=PRICES)
    cost = care + plans_cost(values, found.cp_open)
    a_year = cost / values.placed.days * 365.25 / 1000.0
    assert [row[8] for row in block[:14]] == pytest.approx(a_year.tolist(), rel=1e-6)


@pytest.mark.parametrize("name", ["blank", *SETTINGS])
def test_no_cell_shows_an_error(calculated, name: str):
    with zipfile.ZipFile(calculated[name]) as book:
        for part in book.namelist():
            if part.startswith("xl/worksheets/sheet"):
                assert b't="e"' not in book.read(part), part


def test_before_the_first_run_the_sheet_says_so(calculated):
    rows = sheet_rows(calculated["blank"], declared.SHEET)
    words = [cell for row in rows for cell in row if isinstance(cell, str)]
    assert "No forecast yet: see sheet Start." in words
    block = sheet_rows(calculated["blank"], declared.WORKINGS_SHEET)[workings.HEAD_ROW]
    left = workings.CHART_BLOCK.corner[1]
    assert set(block[left : left + workings.CHART_BLOCK.columns]) == {""}
