from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from demand_model import control_charts
from demand_model.errors import InvalidSettingError
from demand_model.results.control import (
    CONTROL_COLUMNS,
    WORKING_DAYS_IN_AVERAGE_MONTH,
    adjusted_series,
)
from demand_model.results.xmr import phases, signals, xmr_limits
from demand_model.units import working_days_in_months

pytestmark = pytest.mark.unit

NAN = float("nan")


def monthly(first: str = "2024-01", **columns: list[float]) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    return pd.DataFrame(
        columns, index=pd.period_range(first, periods=length, freq="M"), dtype=float
    )


def words(values: list[float], *, counts: bool = True) -> list[str]:
    series = np.array(values, dtype=float)
    return [s.words for part in phases(series) for s in signals(series, part, counts=counts)]


def ups_and_downs(length: int, level: float = 100.0, reach: float = 5.0) -> list[float]:
    """A series on which no rule speaks."""
    pattern = (1.0, -1.0, 0.6, -0.8, -0.4, 0.9, -0.7)
    return [level + reach * pattern[i % len(pattern)] for i in range(length)]


# --- rules ---------------------------------------------------------------------------------------


def test_a_quiet_series_shows_nothing() -> None:
    assert words(ups_and_downs(30)) == []


def test_one_month_outside_the_limits_and_its_own_range_does_not_widen_them() -> None:
    quiet = ups_and_downs(20)
    odd = [*quiet[:10], 150.0, *quiet[11:]]
    assert words(odd) == ["above the upper limit"]
    reach = xmr_limits(np.array(odd)).upper - xmr_limits(np.array(odd)).mean
    usual = xmr_limits(np.array(quiet)).upper - xmr_limits(np.array(quiet)).mean
    assert reach == pytest.approx(usual, rel=0.1)
    odd[10] = 50.0
    assert words(odd) == ["below the lower limit"]


def test_six_in_a_row_rising_or_falling() -> None:
    rising = [100.0, 98, 97, 98, 99, 100, 101, 102, 100, 103, 99, 101]
    assert words(rising) == ["6 in a row rising"]
    assert words([-v for v in rising], counts=False) == ["6 in a row falling"]
    level = [100.0, 98, 97, 98, 99, 99, 101, 102, 100, 103, 99, 101]
    assert words(level) == []


def test_two_of_three_near_a_limit() -> None:
    values = ups_and_downs(24)
    values[10:12] = [117.0, 117.0]
    limits = xmr_limits(np.array(values))
    assert limits.mean + (limits.upper - limits.mean) * 2 / 3 < 117.0 < limits.upper
    assert words(values) == ["2 of 3 near the upper limit"]
    values[10:13] = [119.0, 110.0, 119.0]
    assert words(values) == ["2 of 3 near the upper limit"]
    values[10:14] = [119.0, 110.0, 110.5, 119.0]
    assert words(values) == []


def test_eight_in_a_row_too_early_for_a_phase_before_them() -> None:
    values = [*ups_and_downs(3, 90), *ups_and_downs(9, 104, 3)]
    assert words(values) == ["9 in a row above the mean"]
    assert len(phases(np.array(values))) == 1


def test_a_blank_ends_a_run_and_gives_no_range() -> None:
    values = [*ups_and_downs(3, 90), *ups_and_downs(4, 104, 3), NAN, *ups_and_downs(4, 104, 3)]
    assert words(values) == []
    assert xmr_limits(np.array([10.0, NAN, 30.0])).mean == 20.0
    assert np.isnan(xmr_limits(np.array([10.0, NAN, 30.0])).upper)


# --- phases -----------------------------------------------------------------------------------


def test_a_shift_that_stays_begins_a_new_phase() -> None:
    values = np.array([*ups_and_downs(20, 100), *ups_and_downs(15, 130)])
    before, after = phases(values)
    assert (before.first, before.end, after.end) == (0, 20, 35)
    assert before.limits.mean == pytest.approx(values[:20].mean())
    assert after.limits.mean == pytest.approx(values[20:].mean())


def test_a_spell_that_passes_does_not_begin_a_new_phase() -> None:
    values = np.array([*ups_and_downs(20, 100), *ups_and_downs(8, 85), *ups_and_downs(20, 100)])
    assert len(phases(values)) == 1
    assert "8 in a row below the mean" in words(values.tolist())


def test_each_of_several_shifts_is_found() -> None:
    levels = (100.0, 140.0, 90.0)
    values = np.concatenate([ups_and_downs(18, level) for level in levels])
    assert [part.first for part in phases(values)] == [0, 18, 36]


# --- what is charted -----------------------------------------------------------------------------


def test_referrals_are_put_right_for_working_days_and_season() -> None:
    """Counts that follow the calendar and England's profile exactly are charted as a flat line."""
    months = pd.period_range("2024-01", periods=24, freq="M")
    profile = np.array(
        [1.029, 1.022, 1.039, 0.971, 1.093, 1.087, 1.022, 0.798, 0.989, 1.016, 1.047, 0.925]
    )
    counts = 12.0 * working_days_in_months(months) * np.tile(profile, 2)
    charted = adjusted_series(pd.Series(counts, months), "referrals")
    assert charted == pytest.approx(np.full(24, charted[0]))
    assert charted[0] == pytest.approx(12.0 * WORKING_DAYS_IN_AVERAGE_MONTH, rel=0.01)
    starts = adjusted_series(pd.Series(working_days_in_months(months) * 1.0, months), "cp_starts")
    assert starts == pytest.approx(np.full(24, WORKING_DAYS_IN_AVERAGE_MONTH))


def test_stocks_are_charted_by_their_change_and_ends_as_they_are() -> None:
    charts = control_charts(monthly(cla_open=[600, 604, 603, 610], cla_ends=[16, 15, 17, 14]))
    assert list(charts.table.columns) == list(CONTROL_COLUMNS)
    stock = charts.table[charts.table["measure"] == "cla_open"]
    assert stock["adjusted"].tolist() == [4.0, -1.0, 7.0]
    assert stock["value"].tolist() == [604.0, 603.0, 610.0]
    assert (stock["lower"] < 0).all()
    ends = charts.table[charts.table["measure"] == "cla_ends"]
    assert ends["adjusted"].tolist() == ends["value"].tolist()


def test_limits_of_counts_stop_at_nothing() -> None:
    table = control_charts(monthly(cla_ends=[1, 6, 0, 7, 1, 5, 2, 6, 0])).table
    assert (table["lower"] == 0.0).all()
    assert (table["upper"] > 7).all()


def test_blank_months_have_no_row() -> None:
    table = control_charts(monthly(cla_ends=[NAN, 10, 12, NAN, 11, 13, NAN])).table
    assert table["value"].tolist() == [10, 12, 11, 13]
    assert table["month_end"].dt.month.tolist() == [2, 3, 5, 6]


def test_one_odd_run_of_a_series_that_never_moved_has_limits_still() -> None:
    quiet = [115.0] * 20
    assert words(quiet) == []
    limits = xmr_limits(np.array([*quiet, 118.0, 118.0]))
    assert limits.lower < limits.mean < limits.upper


@pytest.mark.parametrize("per_month", [0.1, 0.3, 1.0])
def test_rare_counts_seldom_alarm(per_month: float) -> None:
    """By the usual rules 41 to 86% of such series showed a signal within 24 months."""
    rng = np.random.default_rng(3)
    made = [monthly(cla_starts=rng.poisson(per_month, 24).tolist()) for _ in range(100)]
    some = [bool((control_charts(m).table["signal"] != "").any()) for m in made]
    assert np.mean(some) < 0.08


def test_many_at_once_among_rare_counts_are_named() -> None:
    charts = control_charts(monthly(cla_ends=[0, 1, 0, 0, 0, 1, 0, 0, 7, 0, 0, 0]))
    assert charts.table["signal"].tolist() == [""] * 8 + ["above the upper limit"] + [""] * 3
    (sentence,) = charts.sentences
    assert "above the upper limit in September 2024" in sentence
    assert "by chance alone between 0 and " in sentence


def test_rare_counts_that_rise_for_good_are_judged_by_the_usual_rules() -> None:
    few = [0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0] * 4
    charts = control_charts(
        monthly(cla_starts=[*few, 3, 4, 2, 3, 3, 4, 3, 2, 3, 4, 3, 3, 2, 4, 3, 3])
    )
    (sentence,) = charts.sentences
    assert "About 3" in sentence


# --- sentences -----------------------------------------------------------------------------------


def test_a_steady_series_says_so_and_what_is_usual() -> None:
    (sentence,) = control_charts(monthly(cla_ends=ups_and_downs(14, 20, 3))).sentences
    assert sentence.startswith("Leaving care: steady since January 2024. About 20 a month;")
    assert "Provisional" not in sentence


def test_a_shift_is_named_with_its_month_and_both_levels() -> None:
    series = [*ups_and_downs(20, 100), *ups_and_downs(9, 130)]
    charts = control_charts(monthly(cla_ends=series))
    assert charts.sentences[0].startswith(
        "Leaving care: 9 in a row above the earlier mean since September 2025. "
        "About 130 a month since September 2025, 100 before;"
    )
    assert (charts.table["signal"] == "9 in a row above the earlier mean").sum() == 9
    assert charts.table["mean"].nunique() == 2


def test_a_run_without_a_phase_before_it_is_named_since_its_month() -> None:
    series = [*ups_and_downs(3, 90), *ups_and_downs(9, 104, 3)]
    (sentence,) = control_charts(monthly(cla_ends=series)).sentences
    assert "9 in a row above the mean since April 2024" in sentence


def test_changes_of_a_stock_are_said_with_true_signs() -> None:
    (sentence,) = control_charts(
        monthly(cla_open=[300, 303, 300, 303, 300, 303, 300, 303, 300, 303, 300])
    ).sentences
    assert "About 0 a month; by chance alone between −16.0 and +16.0." in sentence
    (steady,) = control_charts(monthly(cla_ends=[5.0] * 9)).sentences
    assert (
        steady == "Leaving care: steady since January 2024. About 5.0 a month, month after month."
    )


def test_old_signals_leave_the_sentence_but_not_the_table() -> None:
    series = ups_and_downs(30)
    series[4] = 150.0
    charts = control_charts(monthly(cla_ends=series))
    assert "steady in the last 12 months" in charts.sentences[0]
    assert (charts.table["signal"] != "").sum() == 1


def test_few_months_are_provisional_and_one_or_none_is_no_chart() -> None:
    charts = control_charts(
        monthly(cla_ends=[10, 12, 11, 9, 12, 10], cla_starts=[0.0] * 6, cp_open=[NAN] * 5 + [300.0],
                cp_ends=[NAN] * 6, cla_open=[600, 601, 603, 600, 602, 604])
    )  # fmt: skip
    said = dict(s.split(":", 1) for s in charts.sentences)
    assert "Provisional: the limits rest on 6 months only." in said["Leaving care"]
    assert "None in these months." in said["Coming into care"]
    assert "one month only" in said["Child protection plans, change over the month"]
    assert "5 months only" in said["Children in care, change over the month"]
    assert "Plans ended" not in said
    assert set(charts.table["measure"]) == {"cla_ends", "cla_starts", "cla_open"}


def test_nothing_to_chart_and_a_wrong_index() -> None:
    charts = control_charts(monthly(cla_ends=[NAN, NAN]))
    assert charts.sentences == ()
    assert list(charts.table.columns) == list(CONTROL_COLUMNS)
    with pytest.raises(InvalidSettingError, match="PeriodIndex"):
        control_charts(pd.DataFrame({"cla_ends": [1.0]}))


# --- chance --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.poisson(300, n),
        lambda rng, n: rng.poisson(20, n),
        lambda rng, n: rng.poisson(300 * rng.gamma(150, 1 / 150, n)),
    ],
    ids=["poisson-300", "poisson-20", "over-dispersed"],
)
def test_steady_series_seldom_alarm(draw: Callable[[np.random.Generator, int], np.ndarray]) -> None:
    """As the figures at the top of `control` say: 18-19% and 2%, within what 300 series tell."""
    rng, some, latest = np.random.default_rng(5), 0, 0
    for _ in range(300):
        table = control_charts(monthly(cla_ends=draw(rng, 24).tolist())).table
        some += bool((table["signal"] != "").any())
        latest += table["signal"].iloc[-1] != ""
    assert 0.11 < some / 300 < 0.27
    assert latest / 300 < 0.05
