"""What a run says: headline table, charts' data, sentences, run log."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

import pandas as pd
import pytest
from synthetic_forecast import SCENARIOS, Case, forecast_case, run_case

from cli_cases import imported_sample
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.run import run_on
from demand_addin.history_sheet import no_months
from demand_addin.layout import SHEETS, area, status_names, table
from demand_addin.layout.chart_data import CHART_ROWS
from demand_addin.layout.sheets import sheet as layout_sheet
from demand_addin.layout.what_if import WHAT_IF_SHEET
from demand_addin.plan import ChartChoices, plan_run
from demand_addin.plan.basis import basis_ranges
from demand_addin.plan.charts import chart_ranges
from demand_addin.plan.dashboard import (
    headline,
    headline_numbers,
    headline_rows,
    lead_months,
    number_rows,
)
from demand_addin.plan.values import cells, change, frame_rows, month_end, span
from demand_addin.ports import BookPlan
from demand_addin.settings import read_settings
from demand_model.results.forecast import FORECAST_COLUMNS

pytestmark = pytest.mark.unit


def planned(case: Case, **changes: object) -> BookPlan:
    given = {
        "check": case.check,
        "rates": case.rates,
        "forecast": case.forecast,
        "scenario_names": SCENARIOS,
        "choices": case.choices,
        "log": case.log,
    }
    return plan_run(**(given | changes))


@pytest.fixture(scope="module")
def case() -> Case:
    return run_case(horizon=12)


@pytest.fixture(scope="module")
def plan(case: Case) -> BookPlan:
    return planned(case)


def ranges(plan: BookPlan) -> dict[str, tuple]:
    return {r.name: r.rows for r in plan.ranges}


def block(case: Case, name: str, **choices: object) -> tuple:
    """One block of Chart data, its headings aside."""
    chosen = replace(case.choices.charts, **choices)
    return next(r.rows for r in chart_ranges(case.forecast, chosen) if r.name == name)


def test_rates_and_forecast_say_what_they_rest_on(plan, case):
    said = ranges(plan)
    (line,) = said["rates_basis"][0]
    assert " ".join(part for (part,) in said["forecast_basis"]) == line
    used = {t.list_number: t.used for t in case.check.tallies}
    (months,) = {window.months for window in case.check.lists.windows.values()}
    until = f"{case.check.lists.census_date:%d/%m/%Y}"
    assert line.startswith(
        f"Rests on {used[3]:,} rows of List 3, {used[7]:,} rows of List 7 and {used[8]:,} rows of "
        f"List 8, over {months} months; to {until}. No month from before"
    )


def test_lists_of_unequal_months_each_say_theirs(case):
    (line,) = ranges(plan_basis(case, {3: 1, 7: 12, 8: 12}))["rates_basis"][0]
    assert re.match(
        r"Rests on [\d,]+ rows of List 3 \(1 month\), [\d,]+ rows of List 7 \(12 months\) and "
        r"[\d,]+ rows of List 8 \(12 months\); to \d\d/\d\d/\d{4}\. No month$",
        line,
    )


def test_what_figures_rest_on_prints_whole_and_without_marks(case):
    counts = (
        "Months from before the lists that were used too: 133 of History and 24 of sheet Memory."
    )
    marks = f"Taken as unusual, as marked: {', '.join(['September 2024'] * 4)} and 12 more."
    said = ranges(plan_basis(case, {3: 11, 7: 10, 8: 12}, f"{counts} {marks}"))
    ((line,),) = said["rates_basis"]
    assert line.endswith(counts)
    told = [part for (part,) in said["forecast_basis"]]
    assert " ".join(told) == line
    assert len(told) == area("forecast_basis").rows
    # A column's width counts digits, which are wider than the average letter by a fifth or more;
    # two free columns of 12 are printed beside the table's.
    room = 1.2 * (24 + sum(column.width for column in table("forecast").columns[4:]))
    assert all(len(part) <= room for part in told)


def plan_basis(case: Case, months: dict[int, int], earlier: str = "No month") -> BookPlan:
    """The lines of sheets Rates and Forecast for lists of so many months."""
    lists = case.check.lists
    windows = {n: replace(w, months=months[n]) for n, w in lists.windows.items()}
    check = replace(case.check, lists=replace(lists, windows=windows))
    return BookPlan(ranges=basis_ranges(check, earlier))


def test_every_table_and_area_of_a_plan_is_declared(plan):
    areas = {a.name for spec in SHEETS for a in spec.areas}
    assert {t.name for t in plan.tables} <= {t.name for spec in SHEETS for t in spec.tables}
    assert {r.name for r in plan.ranges} <= areas | set(status_names())
    for t in plan.tables:
        assert t.columns == table(t.name).headings
        assert all(len(row) == len(t.columns) for row in t.rows)
    for r in plan.ranges:
        if r.name in areas:
            assert len(r.rows) <= area(r.name).rows, r.name
            assert all(len(row) <= area(r.name).columns for row in r.rows), r.name


def test_a_run_fills_every_area_but_the_inputs(tmp_path_factory):
    """All of `run_on` on a sample; what other commands write is theirs."""
    book = ClosedWorkbook.open(
        imported_sample(tmp_path_factory.mktemp("imported"), horizon_months=6)
    )
    settings = read_settings(book).with_options(seed=1, draws=100)
    plan, _ = run_on(book, settings, now=datetime(2026, 11, 22, 9, 0))  # noqa: DTZ001
    assert plan is not None
    filled = set(ranges(plan))
    declared = {a.name for spec in SHEETS for a in spec.areas} | set(status_names())
    of_others = {
        name
        for name in declared
        if name.startswith(("accuracy_backtest", "accuracy_told", "accuracy_errors"))
    } | {a.name for sheet in ("Levers", "Levers data") for a in layout_sheet(sheet).areas}
    inputs = {a.name for a in WHAT_IF_SHEET.areas} | {"settings_value"}
    assert filled <= declared
    assert declared - filled == of_others | inputs


def test_the_forecast_table_is_the_forecast(case, plan):
    forecast = next(t for t in plan.tables if t.name == "forecast")
    assert forecast.columns == FORECAST_COLUMNS
    assert len(forecast.rows) == len(case.forecast.table)
    first = case.forecast.table.iloc[0]
    assert forecast.rows[0][:4] == (date(2026, 4, 30), "referrals", "all", "Baseline")
    assert forecast.rows[0][4] == pytest.approx(first["mean"], abs=5e-4)


def test_all_blocks_of_chart_data_are_full_and_end_as_they_should(case):
    for r in chart_ranges(case.forecast, case.choices.charts):
        assert len(r.rows) == CHART_ROWS + 1
        months = [row[0] for row in r.rows[1:]]
        assert months == sorted(months)
        assert months[-1] == date(2027, 3, 28), "the last month is repeated"
        assert r.rows[-1] == r.rows[-2]


def test_the_fan_opens_from_the_last_known_value(case):
    rows = block(case, "chart_fan_cla_open")[1:]
    known = [row for row in rows if row[9] is not None]
    assert len(known) == 6
    last = known[-1]
    assert last[1] == last[9] == 612
    assert last[2:7] == (0, 0, 0, 0, 0)
    assert last[7] == 612, "the middle line begins where history ends"
    first = rows[6]
    truth = case.forecast.table.query(
        "measure == 'cla_open' and segment == 'all' and scenario == 'Baseline'"
    ).iloc[0]
    edges = [sum(first[1 : i + 1]) for i in range(1, 7)]
    expected = [truth[q] for q in ("p2_5", "p10", "p25", "p75", "p90", "p97_5")]
    assert edges == pytest.approx(expected, abs=0.01)
    assert all(width >= 0 for row in rows for width in row[2:7])


def test_a_census_inside_a_month_keeps_its_own_point():
    case = run_case(census=date(2026, 3, 12), horizon=3)
    history = case.forecast.history
    stock = history["measure"].str.endswith("_open")
    last = history["month_end"] == pd.Timestamp(2026, 3, 31)
    history.loc[stock & last, "month_end"] = pd.Timestamp(2026, 3, 12)
    table = case.forecast.table
    first = table[table["month_end"] == pd.Timestamp(2026, 4, 30)]
    extra = first.assign(month_end=pd.Timestamp(2026, 3, 31))
    forecast = replace(case.forecast, table=pd.concat([table, extra]))
    rows = block(replace(case, forecast=forecast), "chart_fan_cla_open")[1:]
    assert [row[0] for row in rows[5:7]] == [date(2026, 3, 12), date(2026, 3, 28)]


def test_a_scenario_that_was_not_run_is_said_and_draws_nothing(case):
    rows = block(case, "chart_compare_cla_open", compare=("Baseline", "Martians", "", ""))
    assert rows[0] == ("month", "History", "Baseline", "Martians (not run)", " ", " ")
    assert {row[3] for row in rows[1:]} == {None}
    assert any(row[2] is not None for row in rows[1:])


def test_placement_groups_beyond_three_are_one_line_and_add_up(case):
    rows = block(case, "chart_placement")
    assert rows[0][5:] == ("Fostering", "Kinship", "Residential", "All others")
    last = rows[-1]
    total = case.forecast.table.query(
        "measure == 'cla_open' and segment == 'all' and scenario == 'Baseline'"
    )["mean"].iloc[-1]
    assert sum(last[5:9]) == pytest.approx(total, rel=1e-3)


def test_hidden_need_balances_in_every_row(case):
    for row in block(case, "chart_hidden_need")[1:]:
        assert row[1] == pytest.approx(sum(row[2:5]), abs=0.01)


def test_a_hidden_need_scenario_without_a_lockdown_leaves_the_chart_empty(case):
    rows = block(case, "chart_hidden_need", hidden_need_scenario="New normal -10%")
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("scenario", "caption"),
    [
        ("Lockdown like spring 2020", "Hidden need: Lockdown like spring 2020"),
        ("New normal -10%", "Hidden need: none in these months under New normal -10%"),
        ("", "Hidden need: no scenario is chosen on sheet Settings"),
    ],
)
def test_an_empty_hidden_need_chart_says_why(case, scenario, caption):
    charts = replace(case.choices.charts, hidden_need_scenario=scenario)
    plan = planned(case, choices=replace(case.choices, charts=charts))
    assert ranges(plan)["dash_hidden_note"] == ((caption,),)


def test_the_headline_table_in_plain_words(case):
    head, referrals, _, care = number_rows(case.forecast, "Baseline", 80, no_months())
    assert head[2] == "Against a year\nago: Mar 2025"
    assert head[3] == "In 3 months:\nJun 2026"
    assert head[9] == "In 12 months:\nMar 2027"
    assert len(set(head)) == len(head)
    assert care[:2] == ("Children in care", 612)
    truth = headline(case.forecast, "cla_open", "Baseline", 12)
    assert care[2] == "not known"
    assert care[9] == round(truth.mean)
    assert care[10] == span(truth.low, truth.high)
    history = case.forecast.history.query("measure == 'referrals' and segment == 'all'")
    assert referrals[1] == round(history["value"].mean())


@pytest.mark.parametrize("horizon", [1, 2, 3, 6, 11, 12, 14, 15, 24, 35, 36, 60, 120])
def test_the_headline_table_ends_at_the_horizon_whatever_it_is(horizon):
    leads = lead_months(horizon)
    assert leads == tuple(sorted(set(leads)))
    assert leads[-1] == horizon
    assert len(leads) == min(horizon, 3) - (horizon in (3,))
    assert set(leads[:-1]) <= {1, 3, 6, 12}, "months that people think in"
    if horizon > 12:
        assert leads[:2] == (6, 12)


def test_a_short_horizon_leaves_the_rest_of_the_headline_table_blank():
    head, *rows = number_rows(run_case(horizon=1).forecast, "Baseline", 80, no_months())
    assert head[3:] == ("In 1 month:\nApr 2026", "80% range in\n1 month",
                        "Against today,\n1 month", *(None,) * 6)  # fmt: skip
    assert {row[6:] for row in rows} == {(None,) * 6}


def test_only_rates_that_were_used_are_counted_as_your_own(case):
    rates = case.rates.assign(evidence=["set by you", *case.rates["evidence"][1:]])
    given = {rates["rate_id"][0]: 0.05, "referrals|all|all": 9.5}
    words = ranges(planned(replace(case, rates=rates), overrides=given))["dash_basis"][2][0]
    assert words.endswith(" 1 rate is your own.")


def test_rates_per_ten_thousand_children_are_shown_if_their_number_is_known(case):
    assert "10,000" not in str(ranges(planned(case))["dash_numbers_note"])
    choices = replace(case.choices, child_population=61_200)
    note = ranges(planned(case, choices=choices))["dash_numbers_note"][1][0]
    then = headline(case.forecast, "cla_open", "Baseline", 12).mean * 10_000 / 61_200
    assert f"today and in Mar 2027: in care 100, then {then:.0f}; on a plan 52, then " in note


def test_a_95_per_cent_range_is_wider_than_80(case):
    narrow = headline(case.forecast, "cla_open", "Baseline", 12, 80)
    wide = headline(case.forecast, "cla_open", "Baseline", 12, 95)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_headlines_are_whole_sentences_within_their_room():
    long = "A sentence of many words that goes on and on. " * 8
    rows = headline_rows(["Short.", long, long, "Never shown."])
    assert rows[0] == ("Short.",)
    assert len(rows) <= area("dash_headlines").rows
    assert all(len(row[0]) <= 165 for row in rows)
    assert rows[-1][0].endswith("on.")


def test_live_checks_look_where_something_is_wrong(case):
    broken = case.forecast.table.copy()
    broken.loc[3, "p10"] = broken.loc[3, "p90"] + 1
    need = case.forecast.hidden_need.copy()
    need.loc[5, "hidden"] += 2
    bad = replace(case.forecast, table=broken, hidden_need=need)
    found = ranges(planned(case, forecast=bad))
    assert found["check_order"] == found["check_hidden"] == (("Look",),)
    assert found["master_check"] == (("2 of 6 checks need a look: see sheet Checks",),)
    assert found["status_dashboard"] == found["master_check"]
    assert ranges(planned(case))["master_check"] == (("All checks pass",),)


def test_the_run_log_row_names_results_now_and_in_a_year(plan):
    log = next(t for t in plan.tables if t.name == "run_log")
    assert log.append
    row = dict(zip(log.columns, log.rows[0], strict=True))
    assert row["cla_open_now"] == 612
    assert row["cla_open_12m_low"] < row["cla_open_12m_mean"] < row["cla_open_12m_high"]
    assert row["previous_hash"] == "first run"
    assert len(headline_numbers(forecast_case(horizon=2), "Baseline")) == 12


def test_overrides_are_kept_even_without_their_rate(case):
    plan = planned(case, overrides={"nowhere|x|y": 0.3})
    rates = next(t for t in plan.tables if t.name == "rates")
    last = dict(zip(rates.columns, rates.rows[-1], strict=True))
    assert (last["rate_id"], last["override"]) == ("nowhere|x|y", 0.3)
    assert "not used" in last["evidence"]


def test_settings_are_kept_as_entered(case):
    plan = planned(case, choices=replace(case.choices, entered={"draws": 500, "seed": 7}))
    used = ranges(plan)["settings_at_last_run"]
    assert (500,) in used
    assert (7,) in used
    assert (None,) in used


def test_choices_need_no_more_than_names():
    choices = ChartChoices(
        interval=80, fan_scenario="None such", compare=(), hidden_need_scenario=""
    )
    rows = {r.name: r.rows for r in chart_ranges(forecast_case(horizon=2), choices)}
    assert {row[7] for row in rows["chart_fan_cla_open"][1:]} <= {None, 612}


def test_values_are_rounded_and_never_not_a_number():
    found = cells([1.23456, 2.0, float("nan"), pd.NaT, None, pd.Timestamp(2026, 3, 31), True, "x"])
    assert found == [1.235, 2, None, None, None, date(2026, 3, 31), "Yes", "x"]
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "n": pd.array([1, None], dtype="Int64")})
    assert frame_rows(frame, ["n", "a"]) == ((1, "x"), (None, "y"))


def test_months_end_where_they_end():
    assert month_end(date(2027, 12, 5), 2) == date(2028, 2, 29)
    assert change(0.0, 3.4) == "3.4 more"
