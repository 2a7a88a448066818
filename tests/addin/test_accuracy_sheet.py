"""Sheet Accuracy: what its three parts say, that they fit, and that they keep apart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from rich_workbook import parts_of

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import SHEETS, accuracy, area, table
from demand_addin.layout.accuracy_charts import CHARTS
from demand_addin.layout.template import build_template
from demand_addin.plan.accuracy import backtest_tables, control_tables, tracking_tables
from demand_addin.plan.accuracy_charts import shown_forecast
from demand_addin.ports import BookPlan
from demand_model.results.backtest import Backtest
from demand_model.results.backtest_scores import BACKTEST_COLUMNS, score
from demand_model.results.control import control_charts
from demand_model.results.forecast import MEASURES
from demand_model.results.track import PAST_COLUMNS, track

pytestmark = pytest.mark.unit

LEVEL = {
    "referrals": 268.0, "cp_starts": 27.0, "cp_ends": 26.0, "cp_open": 318.0,
    "cla_starts": 17.0, "cla_ends": 15.5, "cla_open": 612.0,
}  # fmt: skip
MONTHS = pd.period_range("2023-04", "2026-03", freq="M")
CENSUS = date(2026, 3, 31)


def month_ends(months: pd.PeriodIndex) -> pd.DatetimeIndex:
    return months.to_timestamp(how="end").normalize()


@pytest.fixture(scope="module")
def monthly() -> pd.DataFrame:
    """Three years of counts; the last month of care stands far out."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {m: rng.normal(LEVEL[m], LEVEL[m] ** 0.5 / 4, len(MONTHS)).round() for m in MEASURES},
        index=MONTHS,
    )
    frame.loc[MONTHS[-1], "cla_ends"] = 60.0
    return frame


def forecasts(origin: str, months: int, monthly: pd.DataFrame) -> pd.DataFrame:
    """A forecast that is one child too high each month, of every measure."""
    ahead = pd.period_range(pd.Period(origin, "M") + 1, periods=months, freq="M")
    rows = []
    for measure in MEASURES:
        for k, month in enumerate(ahead, start=1):
            actual = monthly[measure].get(month, np.nan)
            mean = LEVEL[measure] + 1 if np.isnan(actual) else actual + 1
            edges = [mean + z * (1 + k) for z in (-2, -1.3, 1.3, 2)]
            rows.append((month.end_time.normalize(), measure, actual, mean, *edges, k))
    columns = ["month_end", "measure", "actual", "mean", "p2_5", "p10", "p90", "p97_5", "ahead"]
    return pd.DataFrame(rows, columns=columns)


def of_origins(monthly: pd.DataFrame, origins: tuple[str, ...]) -> Backtest:
    """A back-test from these months' ends up to the last month."""
    parts = []
    for origin in origins:
        month = pd.Period(origin, "M")
        frame = forecasts(origin, len(MONTHS) - 1 - MONTHS.get_loc(month), monthly)
        frame = frame.assign(
            origin=month.end_time.normalize(),
            months_ahead=frame["ahead"],
            no_change=[monthly[m][month] for m in frame["measure"]],
            linear=[LEVEL[m] for m in frame["measure"]],
        )
        parts.append(frame[list(BACKTEST_COLUMNS)])
    every = pd.concat(parts, ignore_index=True)
    return Backtest(
        census_date=CENSUS,
        origins=tuple(pd.Period(o, "M").end_time.date() for o in origins),
        table=every,
        scores=score(every),
        sentences=tuple(f"Name of {m}: some words on {m}." for m in MEASURES),
        note="A note on all of them.",
    )


@pytest.fixture(scope="module")
def result(monthly: pd.DataFrame) -> Backtest:
    return of_origins(monthly, ("2025-11", "2025-12", "2026-01", "2026-02"))


def past(monthly: pd.DataFrame, made: tuple[str, ...], months: int = 24) -> pd.DataFrame:
    """What runs of these months said; months that have come and others."""
    frames = [
        forecasts(m, months, monthly).assign(made_on=pd.Period(m, "M").end_time.normalize())
        for m in made
    ]
    return pd.concat(frames, ignore_index=True)[list(PAST_COLUMNS)]


def ranges(plan: BookPlan) -> dict[str, tuple[tuple[object, ...], ...]]:
    return {r.name: r.rows for r in plan.ranges}


def rows_of(plan: BookPlan, name: str) -> list[dict[str, object]]:
    values = next(t for t in plan.tables if t.name == name)
    return [dict(zip(values.columns, row, strict=True)) for row in values.rows]


@pytest.fixture(scope="module")
def parts(result: Backtest, monthly: pd.DataFrame) -> tuple[BookPlan, BookPlan, BookPlan]:
    return (
        backtest_tables(result, monthly),
        tracking_tables(track(past(monthly, ("2025-09", "2025-12")), monthly), monthly),
        control_tables(control_charts(monthly)),
    )


# --- what is declared, and that the parts fit it -------------------------------------------------


def test_the_three_parts_fill_the_sheet_and_share_no_cell(parts):
    declared = {t.name for t in accuracy.TABLES}
    declared |= {a.name for a in (*accuracy.AREAS, *accuracy.BLOCKS)}
    filled = [x.name for part in parts for x in (*part.tables, *part.ranges)]
    assert sorted(filled) == sorted(declared)


def test_everything_fits_its_place(parts):
    for part in parts:
        for values in part.tables:
            assert values.columns == table(values.name).headings
            assert len(values.rows) <= table(values.name).room
        for values in part.ranges:
            assert len(values.rows) <= area(values.name).rows, values.name
            assert all(len(row) <= area(values.name).columns for row in values.rows), values.name


def test_tables_stand_below_each_other_with_room():
    for above, below in zip(accuracy.TABLES, accuracy.TABLES[1:], strict=False):
        assert above.first_row + above.room < below.first_row - 1
    assert accuracy.TABLES[1].first_row > accuracy.PAGE_ENDS[-1]


def test_measures_are_in_words_everywhere(parts):
    for part in parts:
        texts = [str(v) for t in part.tables for row in t.rows for v in row]
        texts += [str(v) for r in part.ranges for row in r.rows for v in row]
        assert not [t for t in texts if re.search(r"\b(cp|cla)_(open|starts|ends)\b", t)
                    and not t.startswith("Some words")]  # fmt: skip
    assert set(accuracy.MEASURE_NAMES) == set(MEASURES)


# --- the back-test --------------------------------------------------------------------------------


def test_scores_stand_a_measure_at_a_time_headlines_first(parts):
    rows = rows_of(parts[0], "backtest_scores")
    assert [r["measure"] for r in rows[::3]] == list(accuracy.MEASURE_NAMES.values())
    assert [r["method"] for r in rows[:3]] == ["this model", "no change", "FORECAST.LINEAR"]
    care = rows[6]
    assert (care["forecasts"], care["average_error"], care["bias"]) == (10, 1, 1)
    assert care["inside_80"] == care["inside_95"] == 1
    assert care["error_share"] == pytest.approx(1 / LEVEL["cla_open"], abs=1e-4)
    assert rows[7]["inside_80"] is None, "no change has no range"


def test_sentences_stand_beside_the_measures_with_the_note_last(parts):
    said = ranges(parts[0])["accuracy_backtest"]
    assert [row[0] for row in said] == [*accuracy.MEASURE_NAMES.values(), "Bear in mind"]
    assert said[2] == ("Children in care", "Some words on cla_open.")
    assert said[-1][1] == "A note on all of them."


def test_sentences_without_room_are_not_cut(result, monthly):
    long = tuple(f"Name: {m} " + "word after word " * 30 for m in MEASURES)
    said = ranges(backtest_tables(replace(result, sentences=long), monthly))["accuracy_backtest"]
    assert said[-1] == (None, "The tables below have the rest.")
    assert len(said) <= area("accuracy_backtest").rows
    assert all(len(row[1]) <= 172 for row in said)


def test_a_back_test_chart_opens_from_what_was_known(parts, result, monthly):
    head, *rows = ranges(parts[0])["accuracy_told_cla_open"]
    assert head == accuracy.RANGE_COLUMNS
    assert len(rows) == accuracy.RANGE_ROWS
    months = [row[0] for row in rows]
    assert months[:10] == [
        date(2025, 6, 28), date(2025, 7, 28), date(2025, 8, 28), date(2025, 9, 28),
        date(2025, 10, 28), date(2025, 11, 28), date(2025, 12, 28), date(2026, 1, 28),
        date(2026, 2, 28), date(2026, 3, 28),
    ]  # fmt: skip
    assert rows[-1] == rows[9], "the last month is repeated"
    known = monthly["cla_open"]["2025-11"]
    assert rows[5][1:] == (known, known, known, known, known)
    assert rows[4][1:5] == (None,) * 4
    first = result.table.query("measure == 'cla_open'").iloc[0]
    assert rows[6][1:4] == pytest.approx((first["p10"], first["p90"], first["mean"]), abs=1e-3)
    assert [row[5] for row in rows[:10]] == list(monthly["cla_open"].iloc[-10:])


def test_bars_show_the_average_error_as_a_share(parts):
    head, *rows = ranges(parts[0])["accuracy_errors"]
    assert head == accuracy.ERROR_COLUMNS
    assert [row[0] for row in rows] == list(accuracy.MEASURE_NAMES.values())
    scores = rows_of(parts[0], "backtest_scores")
    assert rows[2][1:] == tuple(r["error_share"] for r in scores[6:9])


def test_the_caption_names_the_day_and_how_many_others_there_are(parts, monthly):
    assert ranges(parts[0])["accuracy_told_note"][0][0] == (
        "As if on 30 November 2025, the earliest date tested; the table below has all 4 dates. "
        "The axes need not begin at zero."
    )
    one = ranges(backtest_tables(of_origins(monthly, ("2026-02",)), monthly))["accuracy_told_note"]
    assert one[0][0].startswith("As if on 28 February 2026, the only date tested.")


def test_a_long_back_test_keeps_the_latest_dates(monthly):
    origins = tuple(str(m) for m in MONTHS[:-1])
    rows = rows_of(backtest_tables(of_origins(monthly, origins), monthly), "backtest")
    assert len(rows) <= accuracy.BACKTEST.room
    kept = {r["origin"] for r in rows}
    assert max(kept) == date(2026, 2, 28)
    assert len(rows) + 7 * (len(kept) + 1) > accuracy.BACKTEST.room
    assert all(isinstance(r["months_ahead"], int) for r in rows)


# --- earlier forecasts ----------------------------------------------------------------------------


def test_before_a_second_run_the_sheet_says_what_will_come(monthly):
    plan = tracking_tables(track(past(monthly, ("2026-03",)), monthly), monthly)
    said = ranges(plan)
    assert said["accuracy_tracking"][0][0] == "Nothing yet"
    assert "Run the model on later lists" in said["accuracy_tracking"][0][1]
    assert said["accuracy_past_cla_open"] == (accuracy.RANGE_COLUMNS,)
    assert rows_of(plan, "past_forecasts") == []


def test_only_months_that_have_come_are_in_the_table(parts):
    rows = rows_of(parts[1], "past_forecasts")
    assert len(rows) == 7 * (6 + 3)
    assert all(r["actual"] is not None and r["error"] == 1 for r in rows)
    assert {(r["inside_80"], r["inside_95"]) for r in rows} == {("Yes", "Yes")}
    assert [r["measure"] for r in rows[:9]] == ["Referrals"] * 9
    assert [r["made_on"] for r in rows[5:7]] == [date(2025, 9, 30), date(2025, 12, 31)]


def test_tracking_sentences_stand_beside_their_measures(parts):
    said = ranges(parts[1])["accuracy_tracking"]
    assert [row[0] for row in said if row[0]] == list(accuracy.MEASURE_NAMES.values())
    assert all(row[1][0].isupper() for row in said if row[0])


def test_the_chart_shows_the_earliest_forecast_within_reach():
    judged = pd.DataFrame(
        {
            "made_on": pd.to_datetime(["2024-01-31", "2025-04-30", "2025-12-31"]),
            "month_end": pd.to_datetime(["2026-03-31"] * 3),
        }
    )
    assert shown_forecast(judged) == date(2025, 4, 30)
    assert shown_forecast(judged.head(1)) == date(2024, 1, 31), "else the latest there is"
    assert shown_forecast(judged.head(0)) is None


def test_months_of_which_a_forecast_is_not_remembered_still_show_what_happened(monthly):
    """Of older forecasts only some months ahead are kept: the lines run on between them."""
    every = past(monthly, ("2025-06",))
    ahead = every.groupby("measure").cumcount() + 1
    thinned = track(every[ahead.isin((1, 2, 3, 6, 9, 12))], monthly)
    rows = ranges(tracking_tables(thinned, monthly))["accuracy_past_cla_open"][1:]
    by_month = {row[0]: row for row in rows}
    without = by_month[date(2025, 10, 28)]
    assert without[1:4] == (None, None, None)
    assert without[5] == monthly["cla_open"]["2025-10"]
    assert by_month[date(2025, 9, 28)][3] is not None
    assert max(by_month) == date(2026, 3, 28)


def test_a_census_date_inside_a_month_leaves_that_month_to_the_forecast(monthly):
    said = past(monthly, ("2025-09",)).assign(made_on=pd.Timestamp(2025, 10, 12))
    rows = ranges(tracking_tables(track(said, monthly), monthly))["accuracy_past_cla_open"][1:]
    months = [row[0] for row in rows]
    assert months.count(date(2025, 10, 28)) == 1
    october = rows[months.index(date(2025, 10, 28))]
    assert october[1] < october[3] < october[2]


# --- control charts -------------------------------------------------------------------------------


def test_a_month_far_out_is_marked_on_its_chart_and_named(parts):
    head, *rows = ranges(parts[2])["accuracy_control_cla_ends"]
    assert head == accuracy.control_columns("cla_ends")
    marked = {row[0]: row[6] for row in rows if row[6] is not None}
    assert marked[date(2026, 3, 28)] == 60
    said = dict(ranges(parts[2])["accuracy_control"][:7])
    assert "March 2026" in said["Leaving care"]
    last = [r for r in rows_of(parts[2], "control") if r["measure"] == "Leaving care"][-1]
    assert last["signal"]
    assert last["upper"] < last["value"] == 60


def test_a_steady_month_is_not_marked_and_limits_lie_around_the_mean(parts):
    for measure in MEASURES:
        for row in ranges(parts[2])[f"accuracy_control_{measure}"][1:]:
            assert row[5] < row[3] < row[4]
            assert row[6] is None or row[6] == row[2]


def test_control_charts_of_stocks_show_the_change_alone(parts, monthly):
    rows = ranges(parts[2])["accuracy_control_cla_open"][1:]
    change = monthly["cla_open"].diff().iloc[-1]
    assert (rows[-1][1], rows[-1][2]) == (None, change)
    assert len({row[0] for row in rows}) == len(MONTHS) - 1
    counted = ranges(parts[2])["accuracy_control_referrals"][1:]
    assert counted[-1][1] == monthly["referrals"].iloc[-1]
    assert counted[-1][2] != counted[-1][1], "adjusted"


def test_a_long_history_shows_its_last_five_years(monthly):
    index = pd.period_range("2010-01", "2026-03", freq="M")
    long = pd.DataFrame({m: np.resize(monthly[m], len(index)) for m in MEASURES}, index=index)
    plan = control_tables(control_charts(long))
    rows = ranges(plan)["accuracy_control_referrals"][1:]
    assert len(rows) == accuracy.CONTROL_ROWS == len({row[0] for row in rows})
    assert rows[0][0] == date(2021, 4, 28)
    table_rows = rows_of(plan, "control")
    assert len(table_rows) <= accuracy.CONTROL.room
    assert max(r["month_end"] for r in table_rows) == date(2026, 3, 31)


def test_lists_without_a_whole_month_are_said(monthly):
    plan = control_tables(control_charts(monthly.head(0)))
    assert ranges(plan)["accuracy_control"] == (("Nothing yet", "The lists show no whole month."),)
    assert all(len(r) == 1 for n, r in ranges(plan).items() if n.startswith("accuracy_control_c"))


# --- in the workbook ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accuracy") / "book.xlsx"
    build_template(path)
    return path


def test_the_report_prints_on_three_landscape_pages(template):
    ws = openpyxl.load_workbook(template)["Accuracy"]
    first, second, last = accuracy.PAGE_ENDS
    assert ws.page_setup.orientation == "landscape"
    assert [b.id for b in ws.row_breaks.brk] == [first, second]
    assert ws.print_area == f"'Accuracy'!$A$1:$L${last}"
    share = ws.page_setup.scale / 100
    heights = {r: ws.row_dimensions[r].height or 12.75 for r in range(1, last + 1)}
    for top, bottom in ((1, first), (first + 1, second), (second + 1, last)):
        assert sum(heights[r] for r in range(top, bottom + 1)) / 72 * 25.4 * share < 187


def test_pictures_do_not_overlap_each_other_or_the_scores(template):
    ws = openpyxl.load_workbook(template)["Accuracy"]
    heights = [(ws.row_dimensions[r].height or 12.75) * 96 / 72 for r in range(1, 400)]
    boxes = []
    for chart in CHARTS:
        row, column = area_corner(chart.cell)
        left = 840 + chart.x_offset if column == 8 else chart.x_offset
        top = sum(heights[:row])
        boxes.append((left, top, left + chart.width, top + chart.height))
    for i, a in enumerate(boxes):
        assert a[2] <= 1200
        for b in boxes[i + 1 :]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (a, b)


def area_corner(cell: str) -> tuple[int, int]:
    match = re.fullmatch(r"([A-Z])(\d+)", cell)
    assert match
    return int(match[2]) - 1, ord(match[1]) - 65


def test_links_lead_to_the_tables(template):
    ws = openpyxl.load_workbook(template)["Accuracy"]
    targets = [c.hyperlink.location for c in ws[4] if c.hyperlink]
    tables = [f"'Accuracy'!A{t.first_row}" for t in accuracy.TABLES]
    assert targets == [*tables, "'Start'!A1"]
    for spec in accuracy.TABLES:
        assert ws.cell(spec.first_row, 1).value == "measure"


def test_before_the_first_back_test_one_line_says_what_to_do(template):
    ws = openpyxl.load_workbook(template)["Accuracy"]
    assert [c.value for c in ws[6][:2]] == ["Nothing yet", accuracy.NO_BACKTEST]
    assert "csc-demand backtest" in accuracy.NO_BACKTEST


def test_each_part_changes_its_own_cells_and_no_other_part_of_the_file(template, parts):
    before = parts_of(template.read_bytes())
    book = ClosedWorkbook.open(template)
    for part in parts:
        book.write(part)
    after = parts_of(book.to_bytes())
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    order = [spec.name for spec in SHEETS]
    mine = {f"xl/worksheets/sheet{order.index(n) + 1}.xml" for n in ("Accuracy", "Accuracy data")}
    assert mine <= changed
    rest = changed - mine - {"xl/workbook.xml"}
    assert all(name.startswith("xl/tables/") for name in rest)
    assert len(rest) <= len(accuracy.TABLES)
    for name in ("backtest", "backtest_scores", "control", "past_forecasts"):
        planned = next(t for part in parts for t in part.tables if t.name == name)
        assert len(book.read_table(name).rows) == len(planned.rows)
