"""What was tried on sheet What-if, kept as a scenario."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook
from rich_workbook import packed, parts_of

from demand_addin.cells import SettingProblemsError
from demand_addin.cli import cli
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.commands.keep import keep_on
from demand_addin.commands.outcome import ExitCode
from demand_addin.layout import what_if as declared
from demand_addin.layout import what_if_columns as workings
from demand_addin.layout.template import build_template
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.commands import LiveJob, carry_out, message_of
from demand_addin.live.undo import UndoFolder
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_addin.scenario_sheet import read_scenarios
from demand_addin.what_if_sheet import costs_beside_others, read_what_if
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidInputError, InvalidSettingError
from demand_model.results.what_if_levers import WhatIfLevers, what_if_scenario
from ports.excel_in_memory import Excel, fake_book
from ports.fake_workbook import FakeWorkbook
from ports.openpyxl_engine import engine_for
from what_if_books import office, recalculated

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CENSUS = date(2026, 3, 31)
NEUTRAL = WhatIfLevers()
TRIED = WhatIfLevers(
    start_after_months=3, referrals=-0.3, referrals_by_source={"Schools": 0.2}, plan_ends=0.1,
    entries_to_care=-0.15, care_ends_home=0.25, lockdown_months=4, lockdown_after_months=5,
    lockdown_fall_by_source={"Police": 0.0}, return_delay_months=1.5,
)  # fmt: skip


def cells(levers: WhatIfLevers) -> dict[str, CellValue]:
    return {area.name: getattr(levers, key) for key, area in declared.INPUTS.items()
            if hasattr(levers, key)}  # fmt: skip


def by_source(values: Mapping[str, float]) -> tuple[tuple[CellValue, ...], ...]:
    return tuple((values.get(source),) for source in SOURCE_GROUPS)


def written(levers: WhatIfLevers = NEUTRAL, **others: CellValue) -> BookPlan:
    """What the blue cells of a sheet hold that a run has filled."""
    prices = {lever.name: lever.neutral for lever in declared.COSTS}
    single = prices | cells(levers) | {f"what_if_{key}": v for key, v in others.items()}
    costs = tuple((None,) for _ in range(declared.GROUP_ROOM))
    return BookPlan(
        ranges=(
            RangeValues(name=declared.FACTS["census_date"].name, rows=((CENSUS,),)),
            *(RangeValues(name=name, rows=((value,),)) for name, value in single.items()),
            RangeValues(
                name=declared.SOURCE_CHANGES.name, rows=by_source(levers.referrals_by_source)
            ),
            RangeValues(
                name=declared.SOURCE_FALLS.name, rows=by_source(levers.lockdown_fall_by_source)
            ),
            RangeValues(name=declared.UNIT_COSTS.name, rows=costs),
        )
    )


def book(levers: WhatIfLevers = NEUTRAL, **others: CellValue) -> FakeWorkbook:
    made = FakeWorkbook()
    made.write(written(levers, **others))
    return made


def call(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def changed(path: Path, plan: BookPlan) -> None:
    opened = ClosedWorkbook.open(path)
    opened.write(plan)
    path.write_bytes(opened.to_bytes())


def test_the_blue_cells_are_the_levers():
    found = read_what_if(book(TRIED))
    assert found.levers == TRIED
    assert found.census_date == CENSUS
    assert found.moved[0] == "Referrals −30%"
    assert "Referrals from Schools +20%" in found.moved
    assert found.moved[-1] == "a lockdown of 4 months from month 6 of the forecast"
    assert found.costs_moved == ()


def test_blank_cells_count_as_nothing_as_in_the_sheets_own_formulas():
    found = read_what_if(book(referrals=None, lockdown_fall=None, share_returning=None))
    assert (found.levers.referrals, found.levers.lockdown_fall) == (0.0, 0.0)
    assert found.moved == ()


def test_the_kept_rows_are_the_engines_scenario_of_the_same_meaning():
    sheet = book(TRIED)
    plan, kept = keep_on(sheet, now=NOW)
    sheet.write(plan)
    found = read_scenarios(sheet.read_table("scenarios"), CENSUS)[-1]
    wanted = what_if_scenario(TRIED, date(2026, 4, 1), name="What-if 1")
    assert (found.name, found.changes) == (wanted.name, wanted.changes)
    assert "kept on 22 November 2026" in found.description
    assert kept.rows == sum(row[0] == "What-if 1" for row in sheet.read_table("scenarios").rows)
    factors = {row[7] for row in plan.tables[0].rows}
    assert 0.7 in factors, "not 0.7 less what binary numbers lose"


def test_a_census_date_inside_a_month_counts_from_that_month():
    sheet = book(WhatIfLevers(referrals=0.1))
    inside = date(2026, 3, 18)
    name = declared.FACTS["census_date"].name
    sheet.write(BookPlan(ranges=(RangeValues(name=name, rows=((inside,),)),)))
    sheet.write(keep_on(sheet, now=NOW)[0])
    (change,) = read_scenarios(sheet.read_table("scenarios"), inside)[-1].changes
    assert change.start == date(2026, 3, 1)


def test_names_are_made_up_in_turn_or_given():
    sheet = book(TRIED)
    for wanted in ("What-if 1", "What-if 2"):
        plan, kept = keep_on(sheet, now=NOW)
        sheet.write(plan)
        assert kept.name == wanted
    assert keep_on(sheet, now=NOW, name="  Our   plan ")[1].name == "Our plan"


@pytest.mark.parametrize("name", ["what-IF 1", "Baseline", "Schools closed only", "", "x" * 61])
def test_a_name_that_cannot_be_is_refused(name: str):
    sheet = book(TRIED)
    sheet.write(keep_on(sheet, now=NOW)[0])
    with pytest.raises(InvalidSettingError, match="Invalid name"):
        keep_on(sheet, now=NOW, name=name)


def test_costs_are_said_not_to_be_kept():
    _, kept = keep_on(book(TRIED, inflation=0.04, cost_plan=90.0), now=NOW)
    assert kept.tried.costs_moved == ("Inflation, % a year", "A child on a plan, £ a week")
    assert "Inflation, % a year, A child on a plan" in kept.sentences[-1]
    assert "scenario holds no costs" in kept.sentences[-1]


def test_no_inflation_is_a_cost_that_is_not_kept():
    assert read_what_if(book(TRIED, inflation=0.0)).costs_moved == ("Inflation, % a year",)
    assert read_what_if(book(TRIED, inflation=None, cost_plan=0.0)).costs_moved == ()


def test_a_cost_typed_for_another_group_is_said():
    sheet = book()
    room = declared.GROUP_ROOM
    costs = ((None,), (900.0,), *[(None,)] * (room - 2))
    first = ("kinship", 300.0, 12)
    beside = tuple((label, *first[1:]) for label in ("kinship", "own fostering"))
    sheet.write(
        BookPlan(
            ranges=(
                RangeValues(name=declared.UNIT_COSTS.name, rows=costs),
                RangeValues(name=declared.PLACEMENTS.name, rows=beside),
            )
        )
    )
    assert costs_beside_others(sheet, ["other", "own fostering", "kinship"]) == ()
    (said,) = costs_beside_others(sheet, ["own fostering", "kinship"])
    assert "typed for “own fostering” and now stands beside “kinship”" in said
    (gone,) = costs_beside_others(sheet, ["kinship"])
    assert "beside no group" in gone
    assert "900" not in said
    assert costs_beside_others(book(), ["kinship"]) == ()


def test_following_the_reset_leaves_nothing_moved(template_page: str):
    assert "empty inflation and weekly costs" in template_page
    assert "£0 for a child on a plan" in template_page
    neutral = {lever.key: lever.neutral for lever in declared.COSTS}
    assert neutral == {"inflation": None, "cost_plan": 0.0}
    found = read_what_if(book(inflation=None, cost_plan=0.0))
    assert (found.moved, found.costs_moved) == ((), ())


@pytest.fixture
def template_page(tmp_path: Path) -> str:
    path = tmp_path / "book.xlsx"
    build_template(path)
    return "\n".join(
        str(cell)
        for row in CalamineWorkbook.from_path(path).get_sheet_by_name(declared.SHEET).to_python()
        for cell in row
    )


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({}, "no blue cell of sheet What-if moves the forecast"),
        ({"inflation": 0.04}, "Only unit costs or inflation"),
        ({"lockdown_fall": 0.4, "start_after_months": 6}, "nothing to keep"),
    ],
)
def test_nothing_tried_is_nothing_to_keep(others: dict[str, CellValue], said: str):
    with pytest.raises(InvalidInputError, match=said):
        keep_on(book(**others), now=NOW)


def test_before_the_first_run_there_is_nothing_to_keep():
    with pytest.raises(InvalidInputError, match="shows no forecast yet"):
        keep_on(FakeWorkbook(), now=NOW)


def test_every_cell_that_cannot_be_read_is_named():
    sheet = book(TRIED, referrals="a lot", plan_ends=-0.9, lockdown_months=2.5)
    sheet.write(
        BookPlan(ranges=(RangeValues(name=declared.SOURCE_FALLS.name, rows=((None,), (1.5,))),))
    )
    with pytest.raises(SettingProblemsError) as caught:
        keep_on(sheet, now=NOW)
    falls = f"C{declared.SOURCES_ROW + 1}"
    bad = (*(declared.INPUTS[k].cell for k in ("referrals", "plan_ends", "lockdown_months")), falls)
    assert len(caught.value.problems) == len(bad)
    for cell in bad:
        assert any(f"What-if!{cell}: invalid" in line for line in caught.value.problems), cell


# --- in a file and in Excel -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workbook as after a run, with something tried on sheet What-if."""
    path = tmp_path_factory.mktemp("filled") / "book.xlsx"
    build_template(path)
    changed(path, written(TRIED))
    return path


def typed_below(path: Path) -> None:
    """Type a row below the table by other means than Excel, which would make it grow."""
    opened = ClosedWorkbook.open(path)
    table = opened.read_table("scenarios")
    row = int(table.addresses[-1][0].removeprefix("A")) + 1
    part = f"xl/worksheets/sheet{opened.sheet_names().index('Scenarios') + 1}.xml"
    cells = "".join(
        f'<c r="{letter}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
        for letter, text in (("A", "Mine"), ("C", "None"))
    )
    parts = parts_of(path.read_bytes())
    sheet = re.sub(rb'<row r="%d".*?</row>' % row, f'<row r="{row}">{cells}</row>'.encode(),
                   parts[part], count=1)  # fmt: skip
    assert sheet != parts[part]
    path.write_bytes(packed(parts | {part: sheet}))


def in_excel(path: Path, folder: Path) -> tuple[LiveWorkbook, LiveJob]:
    (app,) = engine_for(Excel(books=[fake_book(path)])).apps
    book = LiveWorkbook(app.books[0], undo=UndoFolder(folder))
    return book, LiveJob(book=book.name, now=NOW, find=lambda _: book)


def test_a_file_is_told_what_was_kept_or_why_not(filled: Path, tmp_path: Path):
    path = tmp_path / "book.xlsx"
    path.write_bytes(filled.read_bytes())
    assert 'Scenario "What-if 1" was added to sheet Scenarios' in call("keep", path)
    refused = CliRunner().invoke(cli, ["keep", str(path), "--name", "what-if 1"])
    assert refused.exit_code == 1
    assert 'there is a scenario "what-if 1" already' in refused.stderr


@pytest.mark.parametrize("typed", [False, True], ids=["plain", "a row typed below the table"])
def test_excel_keeps_the_same_rows_and_undo_takes_them_back(
    filled: Path, tmp_path: Path, *, typed: bool
):
    path = tmp_path / "book.xlsx"
    path.write_bytes(filled.read_bytes())
    if typed:
        typed_below(path)
    excel, job = in_excel(path, tmp_path)
    before = excel.read_table("scenarios").rows
    assert (before[-1][0] == "Mine") is typed
    outcome = carry_out("keep", job)
    assert outcome.exit_code is ExitCode.OK, outcome.problem
    assert 'Scenario "What-if 1" was added' in message_of(outcome)
    call("keep", path)
    kept = excel.read_table("scenarios").rows
    on_file = ClosedWorkbook.open(path).read_table("scenarios").rows
    assert [row[:-1] for row in kept] == [row[:-1] for row in on_file], "but for the day"
    assert kept[: len(before)] == before
    assert len(kept) > len(before)
    assert carry_out("undo", job).exit_code is ExitCode.OK
    assert excel.read_table("scenarios").rows == before


def test_undo_takes_no_row_away_from_above_one_that_was_typed_since(filled: Path, tmp_path: Path):
    opened = fake_book(filled)
    (app,) = engine_for(Excel(books=[opened])).apps
    excel = LiveWorkbook(app.books[0], undo=UndoFolder(tmp_path))
    job = LiveJob(book=excel.name, now=NOW, find=lambda _: excel)
    before = excel.read_table("scenarios").rows
    assert carry_out("keep", job).exit_code is ExitCode.OK
    sheet = opened.sheet("Scenarios")
    row = sheet.tables["scenarios"].bottom + 1
    sheet.cells[row, 1] = "a note"
    kept = dict(sheet.cells)
    sheet.cells[row, 3] = "None"
    refused = carry_out("undo", job)
    assert refused.exit_code is ExitCode.MEND
    assert f"row {row} of sheet Scenarios was typed directly below" in refused.problem
    assert sheet.cells == kept | {(row, 3): "None"}
    del sheet.cells[row, 3]  # one cell is a note, which is no row of the table
    assert carry_out("undo", job).exit_code is ExitCode.OK
    assert excel.read_table("scenarios").rows == before


# --- from the sheet to a run ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made, run, changed on sheet What-if, kept, and run again; three quarters of a year."""
    folder = tmp_path_factory.mktemp("keep")
    path, lists = folder / "book.xlsx", folder / "lists.xlsx"
    lists.write_bytes(sample_workbook("middling"))
    call("import", path, lists)
    few = {"setting_horizon_months": 9, "setting_draws": 500}
    changed(
        path,
        BookPlan(ranges=tuple(RangeValues(name=n, rows=((v,),)) for n, v in few.items())),
    )
    presets = len(ClosedWorkbook.open(path).read_table("scenarios").rows)
    left_out = TableValues(name="scenarios", columns=("include",), rows=(("No",),) * presets)
    changed(path, BookPlan(tables=(left_out,)))
    call("run", path)
    levers = WhatIfLevers(
        referrals=-0.2, care_ends_home=0.5, plan_ends=0.2, lockdown_months=2, share_returning=0.5
    )
    wanted = [r for r in written(levers).ranges if "census" not in r.name]
    changed(path, BookPlan(ranges=tuple(wanted)))
    assert 'Scenario "Our plan" was added' in call("keep", path, "--name", "Our plan")
    call("run", path)
    return path


@pytest.fixture(scope="module")
def lines(ran: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[object]]:
    """Return the months of sheet What-if workings, as LibreOffice calculates them."""
    if office() is None:
        pytest.skip("LibreOffice is not installed here")
    folder = tmp_path_factory.mktemp("office")
    (shown,) = recalculated([ran], folder / "out", folder / "profile")
    sheet = CalamineWorkbook.from_path(str(shown)).get_sheet_by_name(declared.WORKINGS_SHEET)
    return sheet.to_python(skip_empty_area=False)[workings.FIRST_ROW - 1 :][:9]


def test_a_run_gives_the_means_that_sheet_what_if_shows(ran: Path, lines: list[list[object]]):
    table = ClosedWorkbook.open(ran).read_table("forecast")
    at = {name: i for i, name in enumerate(table.columns)}

    def means(scenario: str, measure: str) -> list[float]:
        return [
            float(row[at["mean"]])
            for row in table.rows
            if (row[at["scenario"]], row[at["measure"]], row[at["segment"]])
            == (scenario, measure, "all")
        ]

    of = {
        "referrals shown": "referrals",
        "children on plans": "cp_open",
        "children in care": "cla_open",
    }
    for heading, measure in of.items():
        run = means("Our plan", measure)
        assert len(run) == 9
        moved = [line[workings.COLUMNS.index(heading)] for line in lines]
        assert moved == pytest.approx(run, rel=0.01), heading
        assert run != pytest.approx(means("Baseline", measure), rel=0.03), heading


def test_a_run_costs_what_sheet_what_if_shows(ran: Path, lines: list[list[object]]):
    """By financial year: sheet What-if workings against the run's sheet Costs, same scenario."""
    table = ClosedWorkbook.open(ran).read_table("costs")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def by_year(scenario: str) -> dict[str, float]:
        wanted = (scenario, "all")
        return {
            str(row["year"])[:4]: float(row["mean"])
            for row in rows
            if (row["scenario"], row["placement_group"]) == wanted
        }

    at = {name: n for n, name in enumerate(workings.COLUMNS)}
    shown: dict[str, float] = {}
    for line in lines:
        end = line[at["month end"]]
        year = str(end.year if end.month >= 4 else end.year - 1)
        shown[year] = shown.get(year, 0.0) + line[at["what-if cost £"]]
    run, baseline = by_year("Our plan"), by_year("Baseline")
    assert list(run) == ["2026", "2027"]
    assert min(run.values()) > 1_000_000
    assert shown == pytest.approx(run, rel=0.01)
    assert run["2027"] != pytest.approx(baseline["2027"], rel=0.03), "the levers move the cost"
