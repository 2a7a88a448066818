"""Sheet Memory: what runs keep, for how long, and that a workbook learns from month to month."""

from __future__ import annotations

import re
import shutil
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich_workbook import packed, parts_of
from synthetic_forecast import forecast_case

from demand_addin.cli import cli
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.older_book import LATER_SHEETS, fitted
from demand_addin.history_sheet import Memory, read_memory
from demand_addin.layout import SHEETS
from demand_addin.layout.declare import Kind
from demand_addin.layout.template import build_template
from demand_addin.plan.corrections import corrections_in
from demand_addin.plan.memory import (
    KEPT_CENSUS_DATES,
    MONTHLY_CENSUS_DATES,
    OLDER_LEADS,
    WHOLE_CENSUS_DATES,
    memory_tables,
    remembered,
)
from demand_addin.plan.values import month_end
from demand_addin.plan.what_changed import records_of
from demand_addin.ports import BookPlan, CellValue, RangeValues, SheetRows, TableValues
from demand_addin.run_log import broken_links
from demand_addin.what_changed_sheet import read_said_before
from demand_model.flows import MEASURES
from demand_model.results.explain import explain_change
from demand_model.results.records import RECORD_COLUMNS, ForecastRecord
from demand_model.results.track import PAST_COLUMNS
from demand_samples import annex_a, authority, simulate_authority

pytestmark = pytest.mark.unit

BASELINE, LOCKDOWN = "Baseline", "Lockdown like spring 2020"


def months(first: str, *referrals: float | None) -> pd.DataFrame:
    index = pd.period_range(first, periods=len(referrals), freq="M")
    frame = pd.DataFrame({"referrals": list(referrals)}, index)
    return frame.reindex(columns=list(MEASURES)).astype(float)


def records(
    census: date, *, horizon: int = 24, seed: int = 1, scenario: str = LOCKDOWN
) -> tuple[ForecastRecord, ...]:
    return records_of(forecast_case(census, horizon=horizon, seed=seed), scenario)


@pytest.fixture(scope="module")
def long_memory() -> Memory:
    """What forty monthly runs leave."""
    memory = Memory.empty()
    made = records(date(2022, 1, 31))
    for k in range(40):
        day = month_end(date(2022, 1, 31), k)
        shifted = [
            ForecastRecord(
                census_date=day,
                scenario=record.scenario,
                months=record.months.assign(
                    month_end=[
                        pd.Timestamp(month_end(d.date(), k)) for d in record.months["month_end"]
                    ]
                ),
                opening=record.opening,
            )
            for record in made
        ]
        memory = remembered(memory, months("2022-01", 1.0), shifted, baseline=BASELINE)
    return memory


@pytest.fixture
def blank(tmp_path: Path) -> ClosedWorkbook:
    build_template(tmp_path / "book.xlsx")
    return ClosedWorkbook.open(tmp_path / "book.xlsx")


# --- what is kept --------------------------------------------------------------------------------


def test_the_columns_are_those_that_tracking_reads() -> None:
    assert tuple(Memory.empty().forecasts.columns) == (*PAST_COLUMNS, "scenario")


def test_later_lists_win_over_what_is_remembered_and_their_blanks_do_not() -> None:
    memory = remembered(Memory.empty(), months("2026-01", 10, 20, 30), (), baseline=BASELINE)
    memory = remembered(memory, months("2026-02", 21, None, 41), (), baseline=BASELINE)
    assert memory.months["referrals"].tolist() == [10, 21, 30, 41]


def test_older_lists_that_are_run_again_do_not_win_over_what_later_ones_showed() -> None:
    later, older = (records(day, horizon=3) for day in (date(2026, 9, 30), date(2026, 7, 31)))
    memory = remembered(Memory.empty(), months("2026-06", 20, 21), later, baseline=BASELINE)
    memory = remembered(memory, months("2026-05", 9, 18, 19), older, baseline=BASELINE)
    assert memory.months["referrals"].tolist() == [9, 20, 21]
    assert memory.census_dates == (date(2026, 7, 31), date(2026, 9, 30))


def test_the_baseline_and_the_fan_scenario_are_remembered_once_each() -> None:
    case = forecast_case(date(2026, 3, 31), horizon=3)
    assert [r.scenario for r in records_of(case, LOCKDOWN)] == [BASELINE, LOCKDOWN]
    assert [r.scenario for r in records_of(case, BASELINE)] == [BASELINE]
    assert [r.scenario for r in records_of(case, "Martians")] == [BASELINE]


def test_a_workbook_gives_back_what_was_written(blank: ClosedWorkbook) -> None:
    before = remembered(
        Memory.empty(),
        months("2026-01", 10, None, 30),
        records(date(2026, 3, 31)),
        baseline=BASELINE,
    )
    blank.write(BookPlan(tables=memory_tables(before)))
    after, findings = read_memory(ClosedWorkbook.from_bytes(blank.to_bytes(), "again.xlsx"))
    assert findings.items == ()
    assert after.census_dates == (date(2026, 3, 31),)
    # A month without any count is no month.
    pd.testing.assert_frame_equal(after.months, before.months)
    pd.testing.assert_frame_equal(
        after.forecasts, before.forecasts, atol=6e-4, rtol=0, check_dtype=False
    )
    again = after.record(date(2026, 3, 31), LOCKDOWN)
    assert again is not None
    (_, made) = records(date(2026, 3, 31))
    assert dict(again.opening) == dict(made.opening)
    columns = ["measure", "month_end"]
    left, right = (r.months.sort_values(columns, ignore_index=True) for r in (again, made))
    pd.testing.assert_frame_equal(
        left[list(right.columns)], right, atol=6e-4, rtol=0, check_dtype=False
    )


def test_the_counts_on_the_census_date_are_no_forecasts() -> None:
    memory = remembered(
        Memory.empty(), months("2026-01", 1), records(date(2026, 3, 31)), baseline=BASELINE
    )
    opening = memory.forecasts[memory.forecasts["month_end"] == memory.forecasts["made_on"]]
    assert set(opening["measure"]) == {"cp_open", "cla_open"}
    assert len(memory.past) == len(memory.forecasts) - len(opening)
    assert memory.past["month_end"].min() == pd.Timestamp(2026, 4, 30)


def test_a_run_of_the_same_census_date_replaces_the_one_before() -> None:
    first, again = (records(date(2026, 3, 31), horizon=h) for h in (24, 6))
    memory = remembered(Memory.empty(), months("2026-01", 1), first, baseline=BASELINE)
    memory = remembered(memory, months("2026-01", 1), again[:1], baseline=BASELINE)
    assert memory.record(date(2026, 3, 31), LOCKDOWN) is None
    kept = memory.record(date(2026, 3, 31), BASELINE)
    assert kept is not None
    assert kept.months["month_end"].nunique() == 6


def test_the_newest_are_kept_whole_and_of_older_ones_enough_to_judge_them(
    long_memory: Memory,
) -> None:
    dates = long_memory.census_dates
    assert len(dates) == KEPT_CENSUS_DATES
    assert dates[-1] == month_end(date(2022, 1, 31), 39)
    for day in dates[-WHOLE_CENSUS_DATES:]:
        for scenario in (BASELINE, LOCKDOWN):
            record = long_memory.record(day, scenario)
            assert record is not None
            assert record.months["month_end"].nunique() == 24
    recent = long_memory.record(dates[-MONTHLY_CENSUS_DATES], BASELINE)
    assert recent is not None
    assert sorted(recent.months["month_end"].unique())[:12] == [
        pd.Timestamp(month_end(recent.census_date, k)) for k in range(1, 13)
    ]
    oldest = long_memory.record(dates[0], BASELINE)
    assert oldest is not None
    assert {d.date() for d in oldest.months["month_end"]} == {
        month_end(dates[0], k) for k in OLDER_LEADS if k
    }
    older = long_memory.forecasts["made_on"] < pd.Timestamp(dates[-WHOLE_CENSUS_DATES])
    assert set(long_memory.forecasts.loc[older, "scenario"]) == {BASELINE}


def test_the_sheet_is_protected_and_holds_only_counts(blank: ClosedWorkbook) -> None:
    number = blank.sheet_names().index("Memory") + 1
    xml = parts_of(blank.to_bytes())[f"xl/worksheets/sheet{number}.xml"]
    assert b"<sheetProtection" in xml
    for table in ("memory_months", "memory_forecasts"):
        assert not {"child_id", "upn", "date_of_birth"} & set(blank.read_table(table).columns)


# --- a workbook that is used every month ---------------------------------------------------------


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One workbook after each of two runs, a month apart, and the second month's lists alone."""
    folder = tmp_path_factory.mktemp("twice")
    made = simulate_authority(authority("small"), seed=7)
    lists = {day: annex_a(made, census_date=day) for day in (date(2026, 8, 31), date(2026, 9, 30))}
    first, second, alone = (folder / f"{name}.xlsx" for name in ("first", "second", "alone"))
    build_template(first)
    paste(first, lists[date(2026, 8, 31)])
    run(first)
    shutil.copy(first, second)
    paste(second, lists[date(2026, 9, 30)])
    run(second)
    build_template(alone)
    paste(alone, lists[date(2026, 9, 30)])
    run(alone)
    return {"first": first, "second": second, "alone": alone}


def run(book: Path) -> Result:
    result = CliRunner().invoke(cli, ["run", str(book), "--draws", "100"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def paste(book: Path, lists: dict[int, pd.DataFrame]) -> None:
    workbook = ClosedWorkbook.open(book)
    sheets = [
        SheetRows(sheet=f"List {n}", rows=(tuple(f.columns), *map(_cells, f.astype(object).values)))
        for n, f in lists.items()
    ]
    horizon = RangeValues(name="setting_horizon_months", rows=((6,),))
    workbook.write(BookPlan(sheets=tuple(sheets), ranges=(horizon,)))
    book.write_bytes(workbook.to_bytes())


def _cells(row: object) -> tuple[CellValue, ...]:
    return tuple(
        None if pd.isna(v) else v.to_pydatetime() if isinstance(v, pd.Timestamp) else v
        for v in list(row)  # type: ignore[call-overload]
    )


def rows_of(book: Path, table: str) -> list[dict[str, object]]:
    read = ClosedWorkbook.open(book).read_table(table)
    rows = [row for row in read.rows if any(value is not None for value in row)]
    return [dict(zip(read.columns, row, strict=True)) for row in rows]


def sheet_part(book: Path, sheet: str) -> bytes:
    number = ClosedWorkbook.open(book).sheet_names().index(sheet) + 1
    return parts_of(book.read_bytes())[f"xl/worksheets/sheet{number}.xml"]


def test_memory_grows_by_the_months_of_new_lists(twice: dict[str, Path]) -> None:
    first, second = (
        [row["month"].strftime("%Y-%m") for row in rows_of(twice[name], "memory_months")]  # type: ignore[attr-defined]
        for name in ("first", "second")
    )
    # Six whole months, and the stocks on the eve of the first.
    assert first == [f"2026-{month:02d}" for month in range(2, 9)]
    assert second == [*first, "2026-09"]
    assert {row["made_on"] for row in rows_of(twice["second"], "memory_forecasts")} == {
        pd.Timestamp(2026, 8, 31),
        pd.Timestamp(2026, 9, 30),
    }


def test_a_second_month_is_fitted_with_the_first_and_the_log_says_so(
    twice: dict[str, Path],
) -> None:
    assert sheet_part(twice["second"], "Forecast") != sheet_part(twice["alone"], "Forecast")
    log = rows_of(twice["second"], "run_log")
    assert "Earlier months" not in str(log[0]["list_hashes"])
    assert "Earlier months: " in str(log[1]["list_hashes"])
    assert broken_links(ClosedWorkbook.open(twice["second"]).read_table("run_log")) == ()


def test_a_second_month_is_judged_and_explained(twice: dict[str, Path]) -> None:
    judged = rows_of(twice["second"], "past_forecasts")
    assert {row["month_end"] for row in judged} == {pd.Timestamp(2026, 9, 30)}
    assert len(judged) == len(MEASURES)
    assert rows_of(twice["first"], "past_forecasts") == []
    changed = rows_of(twice["second"], "what_changed")
    assert {"Forecast of 31/08/2026"} <= {row["from"] for row in changed}
    book = ClosedWorkbook.open(twice["second"])
    assert str(book.read_name("changed_top").value).startswith("Children in care in February 2027")
    assert book.read_name("dash_changed").value == book.read_name("changed_top").value
    first = ClosedWorkbook.open(twice["first"])
    assert str(first.read_name("changed_top").value).startswith("Run again next month")
    assert "first forecast" in str(first.read_name("dash_changed").value)


def test_the_same_lists_give_the_same_forecast_however_often_they_are_run(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    again = Path(shutil.copy(twice["second"], tmp_path / "again.xlsx"))
    run(again)
    assert sheet_part(again, "Forecast") == sheet_part(twice["second"], "Forecast")
    assert sheet_part(again, "Memory") == sheet_part(twice["second"], "Memory")
    top = ClosedWorkbook.open(again).read_name("changed_since").value
    assert "31 August 2026" in str(top), "the last forecast that was another"


def test_lists_of_another_authority_begin_a_new_memory(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    book = Path(shutil.copy(twice["first"], tmp_path / "other.xlsx"))
    made = simulate_authority(authority("middling"), seed=7)
    paste(book, annex_a(made, census_date=date(2026, 9, 30)))
    assert "remembers is not of these lists" in run(book).stdout
    assert "memory-of-other-lists" in {row["rule"] for row in rows_of(book, "findings")}
    assert {row["made_on"] for row in rows_of(book, "memory_forecasts")} == {
        pd.Timestamp(2026, 9, 30)
    }
    assert "Earlier months" not in str(rows_of(book, "run_log")[1]["list_hashes"])
    top = ClosedWorkbook.open(book).read_name("changed_top").value
    assert str(top).startswith("The lists have changed since the last run (")
    assert "No earlier forecast of this workbook can be compared with this one. Run again" in top


def test_a_list_cut_short_does_not_end_the_memory(twice: dict[str, Path], tmp_path: Path) -> None:
    book = Path(shutil.copy(twice["first"], tmp_path / "cut.xlsx"))
    made = simulate_authority(authority("small"), seed=7)
    lists = annex_a(made, census_date=date(2026, 9, 30))
    paste(book, {**lists, 3: lists[3].head(12)})
    said = run(book).stdout
    assert "remembers is not of these lists" in said
    assert "not used, but kept as it is, since List 3 holds so few referrals" in said
    assert "this run is not remembered" in said
    assert "begins a new memory" not in said
    assert "hold none that can be used." in said
    for table in ("memory_months", "memory_forecasts"):
        assert rows_of(book, table) == rows_of(twice["first"], table)
    again = run(book).stdout
    assert "kept as it is" in again
    paste(book, lists)
    assert "kept as it is" not in run(book).stdout
    assert {row["made_on"] for row in rows_of(book, "memory_forecasts")} == {
        pd.Timestamp(2026, 8, 31),
        pd.Timestamp(2026, 9, 30),
    }
    changed = rows_of(book, "what_changed")
    assert {"Forecast of 31/08/2026"} <= {row["from"] for row in changed}


def test_the_same_lists_again_keep_the_sentence_on_past_months(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    book = Path(shutil.copy(twice["first"], tmp_path / "corrected.xlsx"))
    lists = annex_a(simulate_authority(authority("small"), seed=7), census_date=date(2026, 9, 30))
    paste(book, {**lists, 3: lists[3][lists[3].index % 10 != 0]})
    run(book)
    first = past_months_said(book)
    assert first.startswith("Take care: the lists now show past months otherwise: Referrals lower")
    run(book)
    assert past_months_said(book) == first
    rest = read_said_before(ClosedWorkbook.open(twice["second"]))
    assert corrections_in(rest.sentences) == ""


def past_months_said(book: Path) -> str:
    return corrections_in(read_said_before(ClosedWorkbook.open(book)).sentences)


def test_history_pasted_beside_the_same_lists_is_not_called_other_lists(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    book = Path(shutil.copy(twice["first"], tmp_path / "history.xlsx"))
    workbook = ClosedWorkbook.open(book)
    found = workbook.read_table("history")
    day = datetime(2025, 12, 31)  # noqa: DTZ001  (a workbook's time has no zone)
    given: dict[str, CellValue] = {"month": day, "referrals": 90}
    rows = (tuple(given.get(name) for name in found.columns),)
    workbook.write(
        BookPlan(tables=(TableValues(name="history", columns=found.columns, rows=rows),))
    )
    book.write_bytes(workbook.to_bytes())
    run(book)
    after = ClosedWorkbook.open(book)
    said = " ".join(str(after.read_name(n).value) for n in ("changed_top", "changed_since"))
    assert "The lists are the same as at the last run (" in said
    assert "; History, or its marks, have changed." in said
    assert "lists have changed" not in said


def test_a_run_that_stops_remembers_nothing(twice: dict[str, Path], tmp_path: Path) -> None:
    book = Path(shutil.copy(twice["first"], tmp_path / "half.xlsx"))
    workbook = ClosedWorkbook.open(book)
    heads = tuple(v for v in workbook.read_sheet("List 8").cells[0] if v is not None)
    workbook.write(BookPlan(sheets=(SheetRows(sheet="List 8", rows=(heads,)),)))
    book.write_bytes(workbook.to_bytes())
    before = book.read_bytes()
    result = CliRunner().invoke(cli, ["run", str(book), "--draws", "100"], catch_exceptions=False)
    assert result.exit_code == 1
    assert book.read_bytes() == before


def test_a_workbook_of_an_earlier_version_runs_and_is_told(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    parts = parts_of(twice["first"].read_bytes())
    xml = parts["xl/workbook.xml"].decode()
    for name in LATER_SHEETS:
        xml = re.sub(f'<sheet name="{name}"[^>]*/>', "", xml)
        xml = re.sub(rf"<definedName [^>]*>'?{name}'?![^<]*</definedName>", "", xml)
    xml = re.sub(
        r'<definedName name="(chart_changed_\w+|dash_changed)"[^<]*</definedName>', "", xml
    )
    book = tmp_path / "older.xlsx"
    book.write_bytes(packed({**parts, "xl/workbook.xml": xml.encode()}))
    said = run(book).output
    *names, last = (s.name for s in SHEETS if s.name in LATER_SHEETS and s.kind is not Kind.HELPER)
    assert "Memory" in (*names, last)
    assert f"older.xlsx has no sheets {', '.join(names)} and {last} and has no cells for" in said
    assert " some results on Dashboard: an earlier version made the workbook, or they were" in said
    assert 'csc-demand import NEW.xlsx "older.xlsx"' in said
    assert "what sheets History and Memory hold, the run log and your own rates stay behind" in said
    assert len(rows_of(book, "run_log")) == 2
    checked = CliRunner().invoke(cli, ["check", str(book)], catch_exceptions=False)
    assert checked.exit_code == 0


def test_cells_that_came_later_or_have_grown_are_left_out_and_said(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    parts = parts_of(twice["first"].read_bytes())
    xml = parts["xl/workbook.xml"].decode()
    xml, gone = re.subn(r'<definedName name="start_says"[^<]*</definedName>', "", xml)
    for name, cells in (("dash_numbers", "$A$12:$K$15"), ("dash_basis", "$A$36:$A$37")):
        xml, shrunk = re.subn(
            rf'(<definedName name="{name}">)[^<]*', rf"\g<1>Dashboard!{cells}", xml
        )
        gone += shrunk
    assert gone == 3
    book = tmp_path / "older.xlsx"
    book.write_bytes(packed({**parts, "xl/workbook.xml": xml.encode()}))
    said = run(book).output
    assert "older.xlsx has no cells for some results on Start and has too few cells from " in said
    assert "Dashboard!A12 and Dashboard!A36 on (sentences are cut short there, tables" in said
    after = ClosedWorkbook.open(book)
    shown = after.read_sheet("Dashboard").cells
    assert [shown[row, 0] for row in (11, 12, 13, 14)] == [None] * 4, "nothing of another layout"
    assert str(after.read_name("dash_basis").value).startswith("Your lists: ")
    assert len(rows_of(book, "run_log")) == 2


def test_an_older_workbook_without_the_lines_on_rates_and_forecast_is_not_told_to_move(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    parts = parts_of(twice["first"].read_bytes())
    xml, gone = re.subn(
        r'<definedName name="(rates|forecast)_basis"[^<]*</definedName>',
        "",
        parts["xl/workbook.xml"].decode(),
    )
    assert gone == 2
    book = tmp_path / "older.xlsx"
    book.write_bytes(packed({**parts, "xl/workbook.xml": xml.encode()}))
    said = run(book).output
    assert "NEW.xlsx" not in said
    assert "earlier version" not in said
    assert len(rows_of(book, "run_log")) == 2


def test_a_line_that_only_repeats_is_left_blank_where_it_has_too_few_cells(
    blank: ClosedWorkbook,
) -> None:
    long = RangeValues(name="rates_basis", rows=(("Rests on this",),) * 9)
    kept, told = fitted(blank, BookPlan(ranges=(long,)))
    assert (kept.ranges[0].rows, told) == ((), ())
    other = RangeValues(name="dash_basis", rows=(("Your lists",),) * 99)
    assert "has too few cells from Dashboard!" in fitted(blank, BookPlan(ranges=(other,)))[1][0]


def test_a_deleted_sheet_that_every_workbook_has_is_named(
    twice: dict[str, Path], tmp_path: Path
) -> None:
    parts = parts_of(twice["first"].read_bytes())
    xml = parts["xl/workbook.xml"].decode()
    xml = re.sub('<sheet name="Dashboard"[^>]*/>', "", xml)
    xml = re.sub(r"<definedName [^>]*>'?Dashboard'?![^<]*</definedName>", "", xml)
    book = tmp_path / "deleted.xlsx"
    book.write_bytes(packed({**parts, "xl/workbook.xml": xml.encode()}))
    before = book.read_bytes()
    result = CliRunner().invoke(cli, ["run", str(book), "--draws", "100"])
    assert result.exit_code == 1
    assert "deleted.xlsx has no sheet Dashboard: it was deleted, and nothing was" in result.output
    assert "stay behind unless you copy them too." in result.output
    assert book.read_bytes() == before


NO_HISTORY = pd.DataFrame(columns=["month_end", "measure", "segment", "value"])


def test_older_lists_of_a_middle_of_a_month_may_be_run_again() -> None:
    """The month of the census is kept: a forecast of the same day begins where it began."""
    memory = Memory.empty()
    days = [date(2026, month, 15) for month in (1, 2, 3, 4)]
    for day in days:
        memory = remembered(memory, memory.months, [half_month(day)], baseline=BASELINE)
    kept = memory.record(days[0], BASELINE)
    assert kept is not None
    assert kept.opening == {"cp_open": 200.0, "cla_open": 300.0}
    found = explain_change(kept, half_month(days[0], more=1.0), NO_HISTORY, measure="cla_open")
    assert found.table["value"].iloc[-1] - found.table["value"].iloc[0] == pytest.approx(1.0)


def half_month(census: date, *, more: float = 0.0) -> ForecastRecord:
    """A forecast of two years that begins with the rest of the census month."""
    ends = [m.end_time.normalize() for m in pd.period_range(census, periods=25, freq="M")]
    level = {"referrals": 100, "cp_open": 200, "cla_open": 300}
    rows = [
        (end, measure, *(level.get(measure, 9) + more,) * 5) for end in ends for measure in MEASURES
    ]
    return ForecastRecord(
        census_date=census,
        scenario=BASELINE,
        months=pd.DataFrame(rows, columns=list(RECORD_COLUMNS)),
        opening={"cp_open": 200.0, "cla_open": 300.0},
    )
