from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model import (
    Multiply,
    Scenario,
    explain_change,
    fit,
    record_of,
    simulate,
    summarise,
)
from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.flows import CARE_ENDS, Flow
from demand_model.results.account import average_over_orders, split_referrals
from demand_model.results.explain import (
    DRIVERS,
    RECORD_COLUMNS,
    WATERFALL_COLUMNS,
    ForecastRecord,
    Waterfall,
    referral_shares,
)
from demand_model.results.forecast import MEASURES
from demand_model.results.waterfall import rounded_to_add_up
from engine_cases import exposure_of, made_up_exposure, made_up_lists, made_up_rates
from explain_cases import between, books, forecast_of, past, record

pytestmark = pytest.mark.unit

AUGUST, SEPTEMBER = date(2026, 8, 31), date(2026, 9, 30)
STEADY = np.full(24, 268.0)
NOTHING = past()


def changes(waterfall: Waterfall) -> dict[str, float]:
    inner = waterfall.table[~waterfall.table["is_total"]]
    return dict(zip(inner["driver"], inner["value"], strict=True))


def moved(waterfall: Waterfall) -> set[str]:
    return {driver for driver, value in changes(waterfall).items() if abs(value) > 1e-9}


def one_month_on(made: dict[str, np.ndarray]) -> ForecastRecord:
    """The same forecast a month later, all having gone as forecast."""
    later = {measure: values[1:] for measure, values in made.items()}
    return record(SEPTEMBER, later, opening={s: float(made[f"{s}_open"][0]) for s in ("cp", "cla")})


# --- what each driver gets -----------------------------------------------------------------------


@pytest.mark.parametrize("measure", MEASURES)
def test_a_run_that_went_as_forecast_changes_nothing(measure: str) -> None:
    made = books(STEADY)
    history = past(("2026-08-31", "cp_open", 300.0), ("2026-08-31", "cla_open", 600.0))
    found = explain_change(record(AUGUST, made), one_month_on(made), history, measure=measure)
    assert moved(found) == set()
    assert "the same as in the forecast of 31/08/2026" in found.sentence
    assert found.month_end == date(2028, 8, 31)


def test_more_children_today_than_forecast_is_the_opening_stock() -> None:
    before = books(STEADY)
    opening = {"cp": float(before["cp_open"][0]), "cla": float(before["cla_open"][0]) + 20.0}
    after = record(SEPTEMBER, books(STEADY[1:], opening=opening), opening=opening)
    history = past(("2026-08-31", "cla_open", 600.0))
    found = explain_change(record(AUGUST, before), after, history, measure="cla_open")
    assert moved(found) == {"Opening stock"}
    # Of the 20 more children, each has left with 2.7% a month for 23 months.
    assert changes(found)["Opening stock"] == pytest.approx(20.0 * 0.973**23)
    assert "more children in care today (+11)" in found.sentence


def test_what_the_new_lists_say_of_the_old_date_is_corrected_past_data() -> None:
    before = books(STEADY)
    opening = {"cp": float(before["cp_open"][0]), "cla": float(before["cla_open"][0]) + 9.73}
    after = record(SEPTEMBER, books(STEADY[1:], opening=opening), opening=opening)
    history = past(("2026-08-31", "cla_open", 610.0))
    found = explain_change(record(AUGUST, before), after, history, measure="cla_open")
    # Ten children too few were counted; 2.7% of them left in September, as of all others.
    assert moved(found) == {"Corrected past data"}
    notes = found.table.set_index("driver")["note"]
    assert (
        notes["Corrected past data"]
        == "On 31/08/2026: 610 by the lists of now, 600 by those of then."
    )
    assert "once corrected" in notes["Opening stock"]


@pytest.mark.parametrize("measure", MEASURES)
def test_more_referrals_all_along_is_the_intake_level_alone(measure: str) -> None:
    before, after = record(AUGUST, books(STEADY)), record(AUGUST, books(STEADY * 1.1))
    found = explain_change(before, after, NOTHING, measure=measure)
    assert moved(found) == {"Intake level"}
    assert found.before == "Earlier forecast of 31/08/2026"


def test_referrals_that_come_at_another_time_are_season() -> None:
    late = STEADY * np.where(np.arange(24) % 12 < 6, 0.9, 1.1)
    found = explain_change(
        record(AUGUST, books(STEADY)), record(AUGUST, books(late)), NOTHING, measure="referrals"
    )
    by = changes(found)
    assert by["Season"] > 5 * abs(by["Intake level"])


def test_a_level_that_fades_is_still_the_level() -> None:
    fading = np.exp(np.linspace(0.2, 0.0, 24))
    split = split_referrals(STEADY, STEADY * fading)
    assert split.level == pytest.approx(fading)
    assert split.season == pytest.approx(np.ones(24))


def test_a_larger_share_leading_on_and_a_lower_rate_of_leaving_are_told_apart() -> None:
    before = record(AUGUST, books(STEADY))
    share = record(AUGUST, books(STEADY, share={"cp": 0.1, "cla": 0.066}))
    leaving = record(AUGUST, books(STEADY, leaving={"cp": 0.09, "cla": 0.025}))
    for after, driver in ((share, "Share leading on"), (leaving, "Rates out")):
        found = explain_change(before, after, NOTHING, measure="cla_open")
        assert moved(found) == {driver}
        assert changes(found)[driver] > 0
    assert "fewer leaving" in found.sentence
    ends = explain_change(before, leaving, NOTHING, measure="cla_ends")
    assert "fewer leaving" in ends.sentence


def test_starts_that_do_not_follow_referrals_stay_where_referrals_grow() -> None:
    kept = {"other": {"cp": 0.0, "cla": 8.04}, "share": {"cp": 0.1, "cla": 0.03}}
    before, after = (record(AUGUST, books(r, **kept)) for r in (STEADY, STEADY * 1.2))
    half = {"cp": 1.0, "cla": 0.5}
    found = explain_change(before, after, NOTHING, measure="cla_open", from_referrals=half)
    assert moved(found) == {"Intake level"}
    without = explain_change(before, after, NOTHING, measure="cla_open")
    assert changes(without)["Share leading on"] < -1.0


# --- awkward pairs of runs -----------------------------------------------------------------------


def test_a_first_run_has_nothing_to_compare_with() -> None:
    found = explain_change(None, record(AUGUST, books(STEADY)), NOTHING, measure="cla_open")
    assert found.before == ""
    assert "no earlier forecast to compare with yet" in found.sentence
    assert found.table["is_total"].tolist() == [True]
    assert list(found.table.columns) == list(WATERFALL_COLUMNS)
    assert found.written()["value"].tolist() == [round(books(STEADY)["cla_open"][-1])]


def test_a_re_run_on_the_same_date_has_no_opening_step_only_corrections() -> None:
    opening = {"cp": 300.0, "cla": 612.0}
    again = record(AUGUST, books(STEADY, opening=opening), opening=opening)
    found = explain_change(record(AUGUST, books(STEADY)), again, NOTHING, measure="cla_open")
    assert moved(found) == {"Corrected past data"}
    assert found.sentence.startswith(
        "Children in care in August 2028: 600 now against 594 in the earlier forecast of 31/08/2026"
    )


def test_a_census_date_inside_a_month_counts_that_month_as_past() -> None:
    before = books(STEADY)
    opening = {"cp": 300.0, "cla": 640.0}
    after = record(date(2026, 9, 12), books(STEADY, opening=opening), opening={"cla": 630.0})
    found = explain_change(record(AUGUST, before), after, NOTHING, measure="cla_open")
    assert moved(found) == {"Opening stock"}
    assert "do not show 31/08/2026 again" in found.table["note"].str.cat()
    this_month = explain_change(
        record(AUGUST, before), after, NOTHING, measure="cla_ends", month_end=SEPTEMBER
    )
    assert moved(this_month) == {"Opening stock"}
    assert this_month.table["note"][1] == "What the unfinished month has shown."
    stock = explain_change(
        record(AUGUST, before), after, NOTHING, measure="cla_open", month_end=SEPTEMBER
    )
    assert changes(stock)["Opening stock"] == pytest.approx(40.0 * 0.973)


def test_a_re_run_inside_a_month_finds_the_start_of_that_month_from_the_books() -> None:
    day = date(2026, 9, 12)
    before, after = (record(day, books(STEADY * f), opening={}) for f in (1.0, 1.1))
    assert moved(explain_change(before, after, NOTHING, measure="cp_open")) == {"Intake level"}


def test_an_opening_that_was_not_kept_is_worked_out_from_the_first_month() -> None:
    made = books(STEADY)
    kept, not_kept = record(AUGUST, made), record(AUGUST, made, opening={})
    august = pd.Period("2026-08", freq="M")
    assert not_kept.standing("cla", august) == pytest.approx(kept.standing("cla", august))


def test_horizons_that_differ_are_compared_where_both_reach() -> None:
    before, after = record(AUGUST, books(STEADY)), record(SEPTEMBER, books(STEADY[:6]))
    found = explain_change(before, after, NOTHING, measure="cla_open")
    assert found.month_end == date(2027, 3, 31)
    with pytest.raises(InvalidSettingError, match="October 2026 to March 2027"):
        explain_change(before, after, NOTHING, measure="cla_open", month_end=date(2027, 6, 30))
    far = record(date(2029, 3, 31), books(STEADY))
    with pytest.raises(NotEnoughDataError, match="no month in common"):
        explain_change(before, far, NOTHING, measure="cla_open")


def test_going_back_to_an_earlier_census_date_still_adds_up() -> None:
    made = books(STEADY)
    found = explain_change(one_month_on(made), record(AUGUST, made), NOTHING, measure="cla_open")
    assert moved(found) == set()


def test_a_record_with_a_missing_month_counts_up_to_it() -> None:
    made = record(AUGUST, books(STEADY))
    gap = made.months["month_end"] == pd.Timestamp("2027-01-31")
    kept = replace(made, months=made.months[~gap])
    assert kept.means.index[-1] == pd.Period("2026-12", freq="M")
    assert replace(made, months=made.months.iloc[:0]).means.empty


def test_invalid_records_measures_and_scenarios_are_refused() -> None:
    made = record(AUGUST, books(STEADY))
    with pytest.raises(InvalidSettingError, match="no column mean"):
        replace(made, months=made.months.drop(columns="mean"))
    with pytest.raises(InvalidSettingError, match="Invalid measure: children"):
        explain_change(made, made, NOTHING, measure="children")
    forecast = forecast_of(AUGUST, {"Baseline": books(STEADY)})
    with pytest.raises(InvalidSettingError, match="Invalid scenario: Lockdown"):
        between(forecast, "Baseline", "Lockdown", measure="cla_open")


# --- scenarios -----------------------------------------------------------------------------------


def test_scenario_inputs_are_the_change_of_what_the_scenario_adds() -> None:
    base = record(AUGUST, books(STEADY))
    then, now = (record(AUGUST, books(STEADY * f), scenario="Lockdown") for f in (0.9, 0.8))
    found = explain_change(
        then, now, NOTHING, measure="cla_open", before_baseline=base, after_baseline=base
    )
    assert moved(found) == {"Scenario inputs"}
    assert "What Lockdown adds" in found.table["note"].str.cat()
    alone = explain_change(then, now, NOTHING, measure="cla_open")
    assert moved(alone) == {"Intake level"}
    assert "baselines of these runs were not kept" in alone.table["note"].str.cat()


def test_two_scenarios_share_their_opening() -> None:
    forecast = forecast_of(
        AUGUST,
        {
            "Baseline": books(STEADY),
            "Fewer": books(STEADY * 0.9, leaving={"cp": 0.09, "cla": 0.03}),
        },
    )
    found = between(forecast, "Baseline", "Fewer", measure="cla_open")
    assert moved(found) == {"Intake level", "Rates out"}
    assert "Opening stock" not in changes(found)
    assert found.sentence == (
        "Children in care in August 2028: 535 in Fewer against 594 in Baseline (−59): "
        "more leaving (−31), fewer referrals (−28)."
    )


def test_a_record_of_a_real_run_has_its_counts_and_months() -> None:
    run = simulate(made_up_rates(1), (Scenario(name="Baseline"),), horizon_months=4, draws=20)
    kept = record_of(summarise(run, made_up_exposure(1)))
    assert list(kept.months.columns) == list(RECORD_COLUMNS)
    assert set(kept.months["measure"]) == set(MEASURES)
    assert dict(kept.opening) == {k: float(v) for k, v in run[0].opening.items()}
    before_first = pd.Period(kept.census_date, freq="M")
    for stock in ("cp", "cla"):
        worked_out = replace(kept, opening={}).standing(stock, before_first)
        assert worked_out == pytest.approx(kept.opening[f"{stock}_open"])


def test_in_the_engine_more_referrals_are_told_from_more_exits() -> None:
    """The account of the means gives a real scenario's effect to the flow that it changed."""
    rates = made_up_rates(1)
    start = date(2026, 5, 1)
    more = Scenario(name="More", changes=(Multiply(flow=Flow.REFERRALS, factor=1.3, start=start),))
    exits = (Flow.PLAN_ENDS, *CARE_ENDS)
    out = Scenario(
        name="Out", changes=tuple(Multiply(flow=f, factor=1.3, start=start) for f in exits)
    )
    run = simulate(rates, (Scenario(name="Baseline"), more, out), horizon_months=18, draws=400)
    forecast = summarise(run, rates.exposure)
    shares = referral_shares(rates)
    assert all(0.0 < share <= 1.0 for share in shares.values())
    for name, drivers in (("More", ("Intake level",)), ("Out", ("Rates out",))):
        by = changes(between(forecast, "Baseline", name, measure="cp_open", from_referrals=shares))
        total = sum(by.values())
        assert sum(by[d] for d in drivers) == pytest.approx(total, abs=0.25 * abs(total))


def test_a_month_apart_in_the_engine_every_measure_adds_up() -> None:
    records, histories = [], []
    for census in (date(2026, 3, 31), date(2026, 4, 20)):
        exposure = exposure_of(made_up_lists(1, census=census))
        run = simulate(fit(exposure), (Scenario(name="Baseline"),), horizon_months=6, draws=20)
        forecast = summarise(run, exposure)
        records.append(record_of(forecast))
        histories.append(forecast.history)
    for measure in MEASURES:
        found = explain_change(records[0], records[1], histories[1], measure=measure)
        assert set(found.table["driver"][1:-1]) <= set(DRIVERS)
        values = found.table["value"].to_numpy()
        assert values[0] + values[1:-1].sum() == pytest.approx(values[-1], abs=1e-9)


# --- arithmetic ----------------------------------------------------------------------------------


def test_shapley_values_of_the_glove_game() -> None:
    """Shapley (1953): one left glove and two right ones; the left is worth 2/3, each right 1/6."""
    wins = np.array([0.0, 0, 0, 1, 0, 1, 0, 1])  # bit 0: the left glove
    assert average_over_orders(wins, 3) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_rounded_figures_add_up_and_idle_drivers_stay_at_nothing() -> None:
    exact = np.array([611.5, 14.6, 0.0, 8.7, 6.4, -1.9, 639.3])
    written = rounded_to_add_up(exact)
    assert written.tolist() == [612.0, 14.0, 0.0, 9.0, 6.0, -2.0, 639.0]
    assert written[0] + written[1:-1].sum() == written[-1]
    assert np.abs(written - exact).max() < 1.0


def test_written_figures_have_the_running_sum_and_suit_the_measure() -> None:
    before = record(AUGUST, books(STEADY))
    after = record(AUGUST, books(STEADY * 1.1, leaving={"cp": 0.08, "cla": 0.026}))
    for measure, decimals in (("cla_open", 0), ("referrals", 0), ("cp_starts", 1)):
        table = explain_change(before, after, NOTHING, measure=measure).written()
        values = table["value"].to_numpy()
        assert values == pytest.approx(np.round(values, decimals), abs=1e-12)
        assert table["running"].to_numpy()[:-1] == pytest.approx(np.cumsum(values[:-1]))
        assert table["running"].iloc[-1] == values[-1]
