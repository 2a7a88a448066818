"""Sheet What changed: the two waterfalls, drawn and in words, and what stands in for the last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from rich_workbook import parts_of
from synthetic_forecast import forecast_case, run_case

from demand_addin.history_sheet import Memory, no_months
from demand_addin.layout import what_changed as declared
from demand_addin.layout.template import build_template
from demand_addin.plan import Earlier, plan_run
from demand_addin.plan.corrections import corrections, corrections_in
from demand_addin.plan.last_run import LastRun, SaidBefore
from demand_addin.plan.memory import remembered
from demand_addin.plan.what_changed import (
    Changes,
    changes,
    changes_values,
    columns_of,
    lines_within,
    records_of,
)
from demand_addin.run_log import PastRun, list_hashes_text
from demand_model.flows import MEASURES
from demand_model.results.account import DRIVERS
from demand_model.results.forecast import Forecast
from demand_model.results.waterfall import Waterfall, waterfall_table

pytestmark = pytest.mark.unit

AUGUST, SEPTEMBER = date(2026, 8, 31), date(2026, 9, 30)
NAN = float("nan")
BASELINE, LOCKDOWN, NORMAL = "Baseline", "Lockdown like spring 2020", "New normal -10%"


def remembering(*forecasts: Forecast, scenario: str = BASELINE) -> Memory:
    memory = Memory.empty()
    for forecast in forecasts:
        memory = remembered(memory, no_months(), records_of(forecast, scenario), baseline=BASELINE)
    return memory


def explained(
    forecast: Forecast,
    memory: Memory,
    *,
    scenario: str = BASELINE,
    compare: tuple[str, ...] = (BASELINE, LOCKDOWN),
    last: LastRun | None = None,
) -> Changes:
    records = records_of(forecast, scenario)
    return changes(forecast, memory, records, scenario=scenario, compare=compare, last=last)


def last_run(
    *, same_lists: bool = True, same_settings: bool = True, same_months: bool = True
) -> LastRun:
    return LastRun(
        when=datetime(2026, 10, 2, 9, 5),  # noqa: DTZ001  (a workbook's time has no zone)
        has_same_lists=same_lists,
        has_same_settings=same_settings,
        has_same_months=same_months,
    )


def waterfall(before: float, *steps: float, measure: str = "cla_open") -> Waterfall:
    named = [(f"Driver {i}", step, "") for i, step in enumerate(steps)]
    return Waterfall(
        measure=measure,
        month_end=date(2027, 3, 31),
        before="Before",
        after="After",
        table=waterfall_table(before, named, before + sum(steps), ("Before", "After")),
        sentence="Something changed.",
    )


@pytest.fixture(scope="module")
def august() -> Forecast:
    return forecast_case(AUGUST, horizon=12)


@pytest.fixture(scope="module")
def september() -> Forecast:
    return forecast_case(SEPTEMBER, horizon=12, seed=2)


@pytest.fixture(scope="module")
def found(august: Forecast, september: Forecast) -> Changes:
    return explained(september, remembering(august))


# --- which forecast is the last other one --------------------------------------------------------


def test_a_first_run_says_to_run_again(september: Forecast) -> None:
    first = explained(september, Memory.empty())
    assert first.since == ()
    assert first.headline == declared.FIRST_RUN
    assert "Run again next month" in first.headline
    assert len(first.between) == 3


def test_the_same_run_again_is_not_called_the_first(september: Forecast) -> None:
    again = explained(september, remembering(september), last=last_run())
    same = "Lists and settings are the same as at the last run (2 October 2026, 09:05)."
    assert again.since == ()
    assert again.headline == f"{same} {declared.WHEN_NEXT}"
    assert again.since_note.startswith("The forecast is that of the last run")
    _, ranges = changes_values(again)
    rows = {r.name: r.rows for r in ranges}
    assert rows["dash_changed"] == ((f"What changed: l{same[1:]}",),)
    assert rows["chart_changed_since_cla_open"][1][0] == declared.SAME_FORECAST
    shown = str([rows[name] for name in ("changed_top", "changed_since", "dash_changed")])
    assert "first" not in shown


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (last_run(same_settings=False), "The lists are the same as at the last run (2 October "
         "2026, 09:05); settings, or the model's version, have changed."),
        (last_run(same_lists=False), "The lists have changed since the last run (2 October 2026, "
         "09:05)."),
        (last_run(same_lists=False, same_settings=False), "The lists have changed since the last "
         "run (2 October 2026, 09:05)."),
        (LastRun(when=None, has_same_lists=True, has_same_settings=True), "Lists and settings "
         "are the same as at the last run."),
        (last_run(same_months=False), "The lists are the same as at the last run (2 October 2026, "
         "09:05); History, or its marks, have changed."),
        (last_run(same_months=False, same_settings=False), "The lists are the same as at the last "
         "run (2 October 2026, 09:05); settings, or version, and the earlier months used, have "
         "changed."),
    ],
    ids=["settings", "lists", "both", "no time", "months", "settings and months"],
)  # fmt: skip
def test_what_is_the_same_as_at_the_last_run_is_said(last: LastRun, said: str) -> None:
    assert last.sentence == said


def test_after_lists_that_cannot_be_compared_it_says_so(september: Forecast) -> None:
    other = explained(september, Memory.empty(), last=last_run(same_lists=False))
    assert other.headline.endswith(declared.FIRST_RUN)
    for said in (other.headline, other.on_dashboard, other.since_note):
        assert "No earlier forecast of this workbook can be compared with this one." in said
    _, ranges = changes_values(other)
    rows = {r.name: r.rows for r in ranges}
    assert rows["chart_changed_since_cla_open"][1][0] == declared.NOTHING_YET["since"]


def test_the_same_run_again_still_tells_of_the_forecast_before_it(
    august: Forecast, september: Forecast
) -> None:
    again = explained(september, remembering(august, september), last=last_run())
    assert {w.before for w in again.since} == {"Forecast of 31/08/2026"}
    assert again.since_note.endswith(" " + last_run().sentence)
    other = explained(september, remembering(august, september), last=last_run(same_lists=False))
    assert "last run" not in other.since_note


def test_the_last_earlier_census_date_is_compared(found: Changes) -> None:
    assert [w.measure for w in found.since] == list(declared.MEASURES)
    assert {w.before for w in found.since} == {"Forecast of 31/08/2026"}
    assert {w.month_end for w in found.since} == {date(2027, 8, 31)}, "the furthest in common"
    assert found.headline == found.since[0].sentence
    assert found.since_note == (
        "From the forecast of lists as at 31 August 2026 to that of lists as at 30 September "
        "2026. The month compared: August 2027. Scenario: Baseline."
    )


def test_the_same_run_again_is_compared_with_the_forecast_before_it(
    august: Forecast, september: Forecast
) -> None:
    again = explained(september, remembering(august, september))
    assert {w.before for w in again.since} == {"Forecast of 31/08/2026"}


def test_another_run_of_the_same_lists_is_compared_with_the_one_before(
    august: Forecast, september: Forecast
) -> None:
    other = replace(september, table=september.table.assign(mean=september.table["mean"] * 1.1))
    again = explained(other, remembering(august, september))
    assert {w.before for w in again.since} == {"Earlier forecast of 30/09/2026"}
    assert again.since_note.startswith("From an earlier run to this run, both of lists as at 30 S")
    assert again.since[0].month_end == date(2027, 9, 30)


def test_of_two_runs_of_one_date_it_is_said_whether_lists_or_settings_differ(
    august: Forecast, september: Forecast
) -> None:
    other = replace(september, table=september.table.assign(mean=september.table["mean"] * 1.1))
    for last in (last_run(same_lists=False), last_run(same_settings=False)):
        again = explained(other, remembering(august, september), last=last)
        assert again.since_note.endswith(f"Scenario: Baseline. {last.sentence}")


# --- counts of past months that were put right ---------------------------------------------------


def months(**columns: Sequence[float]) -> pd.DataFrame:
    index = pd.period_range("2026-05", periods=3, freq="M")
    return pd.DataFrame(columns, index=index).reindex(columns=list(MEASURES)).astype(float)


def test_counts_put_right_are_named_the_largest_first() -> None:
    then = months(
        cp_ends=[20, 24, 22], referrals=[300, 310, 320], cla_starts=[4, 5, NAN], cla_open=[99, 1, 0]
    )
    now = months(
        cp_ends=[20, 34, 22], referrals=[301, 310, 322], cla_starts=[4, 9, 6], cla_open=[99, 1, 1]
    )
    assert corrections(then, now) == (
        "The lists now show past months otherwise: Plans ended in June 2026 (24 then, 34 now); "
        "Coming into care in June 2026 (5 then, 9 now); and 2 other measures. Late recording, or "
        "rows missing? What it does to rates is in their steps."
    )
    assert "Referrals in 2 months, most in July 2026 (320 then, 322 now). Late" in corrections(
        then[["referrals"]].reindex(columns=list(MEASURES)), now
    )


def test_a_measure_that_falls_in_most_months_is_named_first_with_a_caution() -> None:
    then = months(referrals=[91, 105, 98], cp_ends=[20, 24, 22], cla_open=[600, 601, 602])
    now = months(referrals=[84, 91, 99], cp_ends=[20, 60, 22], cla_open=[599, 600, 601])
    assert corrections(then, now) == (
        "Take care: the lists now show past months otherwise: Referrals lower in 2 months, most "
        "in June 2026 (105 then, 91 now); Plans ended in June 2026 (24 then, 60 now); and 1 other "
        "measure. Late recording, or rows missing? What it does to rates is in their steps."
    )
    # A child put right in a stock moves every month of it by one: no rows are missing.
    assert corrections(then[["cla_open"]].reindex(columns=list(MEASURES)), now).startswith("The l")
    assert corrections(now, then).startswith("The lists")


def test_the_sentence_on_past_months_is_found_again_in_its_lines() -> None:
    then = months(referrals=[300, 310, 320], cp_open=[200, 210, 220], cla_open=[600, 610, 620])
    for now in (then + 30, then - 60):
        said = corrections(then, now)
        lines = lines_within(("Child protection plans rise.",), 4, last=said)
        assert len(lines) == 3
        assert corrections_in(lines) == said
    assert corrections_in(()) == corrections_in(("Plans rise.", "Take care: nothing.")) == ""


def test_nothing_is_said_where_nothing_was_put_right() -> None:
    same = months(referrals=[300, 310, 320])
    assert corrections(same, same) == ""
    assert corrections(no_months(), same) == ""
    assert corrections(same, months(referrals=[300.2, NAN, 319.9])) == ""


def test_corrections_stand_below_the_sentences_and_fit(
    august: Forecast, september: Forecast
) -> None:
    then = months(referrals=[300, 310, 320], cp_open=[200, 210, 220], cla_open=[600, 610, 620])
    memory = remembered(Memory.empty(), then, records_of(august, BASELINE), baseline=BASELINE)
    found = changes(
        september,
        memory,
        records_of(september, BASELINE),
        scenario=BASELINE,
        compare=(),
        listed=then + 30,
    )
    rows = {r.name: r.rows for r in changes_values(found)[1]}["changed_since_sentences"]
    said = " ".join(str(row[0]) for row in rows)
    assert "The lists now show past months otherwise: " in said
    assert said.endswith(
        "; and 1 other measure. Late recording, or rows missing? What it does to "
        "rates is in their steps."
    )
    assert said.count("in 3 months, most in ") == 2
    first = changes(
        september,
        Memory.empty(),
        records_of(september, BASELINE),
        scenario=BASELINE,
        compare=(),
        listed=then,
    )
    assert first.corrected == ""


@pytest.mark.parametrize("same_lists", [True, False])
def test_the_same_lists_again_still_tell_of_past_months(
    august: Forecast, september: Forecast, *, same_lists: bool
) -> None:
    then = months(referrals=[300, 310, 320])
    records = records_of(september, BASELINE)
    before = remembered(Memory.empty(), then, records_of(august, BASELINE), baseline=BASELINE)
    first = changes(september, before, records, scenario=BASELINE, compare=(), listed=then + 30)
    rows = {r.name: r.rows for r in changes_values(first)[1]}
    said = SaidBefore(
        note=str(rows["changed_since"][0][0]),
        sentences=tuple(str(row[0]) for row in rows["changed_since_sentences"]),
    )
    after = remembered(before, then + 30, records, baseline=BASELINE)

    def again(said_before: SaidBefore) -> str:
        return changes(
            september,
            after,
            records,
            scenario=BASELINE,
            compare=(),
            last=last_run(same_lists=same_lists, same_settings=False),
            listed=then + 30,
            said_before=said_before,
        ).corrected

    assert first.corrected
    assert again(said) == (first.corrected if same_lists else "")
    assert again(SaidBefore()) == again(replace(said, note="From another. The month")) == ""


def test_older_lists_run_again_say_nothing_of_what_later_ones_showed(
    august: Forecast, september: Forecast
) -> None:
    then = months(referrals=[300, 310, 320])
    july = forecast_case(date(2026, 7, 31), horizon=12, seed=3)
    memory = remembering(july, september)
    memory = replace(memory, months=then)
    found = changes(
        august,
        memory,
        records_of(august, BASELINE),
        scenario=BASELINE,
        compare=(),
        listed=then - 60,
    )
    assert found.since
    assert found.corrected == ""


def test_no_sentence_is_dropped_and_one_cut_short_says_so() -> None:
    long, short = " ".join(["word"] * 150), "Referrals rise."
    assert lines_within((short, short), 4, last=short) == (short, short, short)
    lines = lines_within((long, short), 4, last=" ".join(["last"] * 60))
    assert len(lines) == 4
    assert lines[0].endswith("… (all of it: table below)")
    assert lines[1] == short
    assert " ".join(lines[2:]).split() == ["last"] * 60, "what stands nowhere else is kept whole"
    many = lines_within((long, long, long), 6)
    assert len(many) == 6
    assert [line.endswith("table below)") for line in many] == [False, True] * 3


def test_the_longest_sentence_on_past_months_leaves_a_row_for_each_waterfall() -> None:
    index = pd.period_range("2024-09", periods=24, freq="M")
    then = pd.DataFrame(1e6, index=index, columns=list(MEASURES))
    said = corrections(then, then * 0.9)
    assert said.startswith("Take care: the lists now show")
    assert len(lines_within((), 4, last=said)) == declared.SENTENCES["since"].rows - 2


def test_only_what_the_lists_hold_counts_as_other_lists() -> None:
    case = run_case(horizon=6)
    log = replace(case.log, list_hashes=list_hashes_text({3: "a1", 8: "b2"}, "c3"))
    for before, said in (
        (list_hashes_text({3: "a1", 8: "b2"}), "same as at the last run; History, or its marks, "),
        (list_hashes_text({3: "a1", 8: "bb"}, "c3"), "The lists have changed since the last run."),
        (list_hashes_text({3: "a1"}, "c3"), "The lists have changed since the last run."),
        (log.list_hashes, "Lists and settings are the same as at the last run."),
    ):
        past = PastRun(
            when=None,
            census_date=None,
            list_hashes={},
            inputs=before,
            settings_hash=log.settings_hash,
        )
        plan = plan_run(
            check=case.check,
            rates=case.rates,
            forecast=case.forecast,
            scenario_names=(),
            choices=case.choices,
            log=log,
            earlier=Earlier(memory=remembering(case.forecast), last_run=past),
        )
        top = next(r.rows for r in plan.ranges if r.name == "changed_top")
        assert said in str(top[0][0])


def test_a_run_that_was_not_remembered_is_not_called_the_same_again(september: Forecast) -> None:
    again = explained(september, Memory.empty(), last=last_run(same_settings=False))
    assert again.headline.endswith(declared.FIRST_RUN)
    assert "cannot be compared" not in again.headline
    assert "can be compared with this one" in again.since_note
    assert not again.is_last_forecast
    assert explained(september, Memory.empty(), last=last_run()).is_last_forecast


def test_a_fan_scenario_that_is_not_remembered_leaves_the_baseline(
    august: Forecast, september: Forecast
) -> None:
    without = explained(september, remembering(august), scenario=LOCKDOWN)
    assert without.since_note.endswith("Scenario: Baseline.")
    both = explained(september, remembering(august, scenario=LOCKDOWN), scenario=LOCKDOWN)
    assert both.since_note.endswith(f"Scenario: {LOCKDOWN}.")


def test_forecasts_without_a_month_in_common_are_not_compared(september: Forecast) -> None:
    old = forecast_case(date(2025, 8, 31), horizon=6)
    apart = explained(september, remembering(old))
    assert apart.since == ()
    assert "no month in common" in apart.since_note


def test_an_older_forecast_of_which_months_were_dropped_is_not_compared(
    september: Forecast,
) -> None:
    old = [forecast_case(date(2026, month, 28), horizon=12) for month in (6, 7, 8)]
    memory = remembering(*old)
    gaps = memory.forecasts["month_end"].dt.month.isin([1, 2])
    assert explained(september, replace(memory, forecasts=memory.forecasts[~gaps])).since == ()


@pytest.mark.parametrize(
    "compare", [(), (BASELINE,), (BASELINE, BASELINE), (BASELINE, "Martians"), ("", "")]
)
def test_fewer_than_two_scenarios_are_not_compared(
    september: Forecast, compare: tuple[str, ...]
) -> None:
    alone = explained(september, Memory.empty(), compare=compare)
    assert alone.between == ()
    assert "Choose two scenarios" in alone.between_note


def test_the_first_two_scenarios_that_were_run_are_compared(september: Forecast) -> None:
    some = explained(september, Memory.empty(), compare=("Martians", LOCKDOWN, "", NORMAL))
    assert {(w.before, w.after) for w in some.between} == {(LOCKDOWN, NORMAL)}
    assert some.between_note.startswith(f"From {LOCKDOWN} to {NORMAL}")


# --- what is written -----------------------------------------------------------------------------


def test_the_table_adds_up_to_the_last_figure_written(found: Changes) -> None:
    table, _ = changes_values(found)
    assert table.columns == declared.WHAT_CHANGED.headings
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    keys = {(row["from"], row["to"], row["measure"]) for row in rows}
    assert len(keys) == 6
    for key in keys:
        mine = [row for row in rows if (row["from"], row["to"], row["measure"]) == key]
        first, *steps, last = mine
        assert first["change"] is last["change"] is None
        running = first["running"]
        for step in steps:
            running = round(running + step["change"], 1)
            assert step["running"] == pytest.approx(running, abs=1e-9)
            assert step["note"]
        assert last["running"] == pytest.approx(running, abs=1e-9)


def test_the_blocks_and_sentences_fit_their_places(found: Changes) -> None:
    _, ranges = changes_values(found)
    rows = {r.name: r.rows for r in ranges}
    assert {b.name for b in declared.BLOCKS} <= set(rows)
    for block in declared.BLOCKS:
        assert 1 < len(rows[block.name]) <= block.rows, block.name
        assert all(len(row) == block.columns for row in rows[block.name])
    assert rows["changed_top"] == rows["dash_changed"] == ((found.headline,),)
    said = [line for (line,) in rows["changed_since_sentences"]]
    assert said[0].startswith("Child protection plans"), "the first stands on top"
    assert len(rows["changed_between_sentences"]) >= 3


def test_room_for_every_driver_of_the_engine() -> None:
    assert declared.BARS["since"]["cla_open"] == declared.BARS["since"]["cp_open"]
    assert declared.BARS["since"]["cla_open"] == len(DRIVERS) + 2


@pytest.mark.parametrize("census", [date(2026, 9, 30), date(2026, 9, 14)])
def test_a_waterfall_never_has_more_columns_than_its_chart(census: date) -> None:
    old = forecast_case(date(2026, 8, 31), horizon=2)
    new = forecast_case(census, horizon=2, seed=3)
    if census.day == 14:
        first = new.table[new.table["month_end"] == pd.Timestamp(2026, 10, 31)]
        extra = first.assign(month_end=pd.Timestamp(2026, 9, 30))
        new = replace(new, table=pd.concat([extra, new.table], ignore_index=True))
    made = explained(new, remembering(old, scenario=LOCKDOWN), scenario=LOCKDOWN)
    for which, waterfalls in (("since", made.since), ("between", made.between)):
        assert len(waterfalls) == 3
        for w in waterfalls:
            spare = declared.BARS[which][w.measure] - len(columns_of(w))
            assert spare >= (-1 if w.measure == "referrals" else 0)
    _, ranges = changes_values(made)
    rows = {r.name: r.rows for r in ranges}
    for block in declared.BLOCKS:
        assert len(rows[block.name]) <= block.rows
        assert rows[block.name][-1][2] is not None, "the last column is the forecast after"


def test_the_columns_stand_on_one_line_and_meet_where_they_should() -> None:
    rows = columns_of(waterfall(600, 12, -20, 0, 3))
    assert [row[0] for row in rows] == [
        "Before\n600", "Driver 0\n+12", "Driver 1\n−20", "Driver 2\n0", "Driver 3\n+3",
        "After\n595",
    ]  # fmt: skip
    base = 600 - rows[0][2]
    assert 0 < base < 592, "the lowest column can be seen"
    assert rows[1][1:] == (pytest.approx(600 - base), None, 12, None)
    assert rows[2][1:] == (pytest.approx(592 - base), None, None, 20)
    assert rows[3][3:] == (None, None)
    assert rows[5][2] == pytest.approx(595 - base)


@pytest.mark.parametrize(
    "made",
    [
        waterfall(0, 0, 0),
        waterfall(2, -5, 1, measure="cp_open"),
        waterfall(-30, 10, -40),
        waterfall(0.4, 0.2, -0.5, measure="referrals"),
        waterfall(5000, 0.3),
    ],
    ids=["nothing", "through nought", "below nought", "small", "hardly anything"],
)
def test_any_sign_and_size_can_be_drawn(made: Waterfall) -> None:
    table = made.written()
    for row, value in zip(columns_of(made), table["value"], strict=True):
        _, below, total, more, fewer = row
        assert below >= 0
        heights = [h for h in (total, more, fewer) if h is not None]
        assert all(h >= 0 for h in heights)
        assert sum(h is not None for h in (more, fewer)) <= 1
        if total is None and value:
            assert heights == [pytest.approx(abs(value))]


def test_a_first_run_says_so_where_there_is_nothing_to_compare(
    september: Forecast,
) -> None:
    table, ranges = changes_values(explained(september, Memory.empty(), compare=()))
    rows = {r.name: r.rows for r in ranges}
    assert table.rows == ()
    assert rows["dash_changed"] == ((declared.FIRST_ON_DASHBOARD,),)
    assert rows["changed_top"] == ((declared.FIRST_RUN,),)
    for block in declared.BLOCKS:
        head, said = rows[block.name]
        assert head == declared.WATERFALL_COLUMNS
        assert said[0] in declared.NOTHING_YET.values()
        assert not any(said[1:])


def test_a_run_writes_what_it_remembers_for_the_next_to_explain() -> None:
    case = run_case(horizon=6)
    given = {
        "check": case.check,
        "rates": case.rates,
        "scenario_names": (),
        "choices": case.choices,
        "log": case.log,
    }
    first = plan_run(forecast=case.forecast, **given)  # type: ignore[arg-type]
    memory = remembering(case.forecast)
    months = next(t for t in first.tables if t.name == "memory_forecasts")
    assert len(months.rows) == len(memory.forecasts)
    later = forecast_case(date(2026, 4, 30), horizon=6)
    second = plan_run(forecast=later, earlier=Earlier(memory=memory), **given)  # type: ignore[arg-type]
    changed = next(t for t in second.tables if t.name == "what_changed")
    assert {row[0] for row in changed.rows} >= {"Forecast of 31/03/2026", BASELINE}


def test_the_charts_are_stacks_on_an_invisible_base_with_labels_as_texts(tmp_path: Path) -> None:
    build_template(tmp_path / "book.xlsx")
    parts = parts_of((tmp_path / "book.xlsx").read_bytes())
    charts = [xml.decode() for name, xml in parts.items() if name.startswith("xl/charts/chart")]
    bound = {f"${letters}$" for b in declared.BLOCKS for letters in [b.cell.rstrip("0123456789")]}
    mine = [xml for xml in charts if any(f"'Chart data'!{letters}" in xml for letters in bound)]
    assert len(mine) == 6
    for xml in mine:
        series = re.findall(r"<c:ser>.*?</c:ser>", xml)
        assert len(series) == 4
        assert "<a:noFill/>" in series[0]
        assert '<c:grouping val="stacked"/>' in xml
        assert '<c:overlap val="100"/>' in xml
        assert all("<c:cat><c:strRef>" in s for s in series)
