from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model import Backtest, History, Lists, backtest, lists_at
from demand_model.annex_a.checked import Window
from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.exposure.series import monthly_series
from demand_model.results.backtest import (
    BACKTEST_COLUMNS,
    METHODS,
    SCORE_COLUMNS,
    backtest_origins,
)
from demand_model.results.backtest_scores import score
from demand_model.results.backtest_words import note_of, sentences_of
from demand_model.results.comparators import no_change
from demand_model.results.forecast import MEASURES
from demand_model.spell.build import spells
from engine_cases import CENSUS, care_frame, lists_of, made_up_lists, windows

pytestmark = pytest.mark.unit

ORIGINS = (date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28))
FORECAST = ["mean", "p2_5", "p10", "p90", "p97_5", "no_change", "linear"]


@pytest.fixture(scope="module")
def result() -> Backtest:
    return backtest(made_up_lists(1), draws=40)


def with_window(months: int, *, census: date = CENSUS, start: date | None = None) -> Lists:
    first = start or (pd.Period(CENSUS, "M") - months + 1).start_time.date()
    return replace(made_up_lists(1), census_date=census, windows=windows(first, months))


# --- origins -----------------------------------------------------------------------------------


def test_lists_of_six_months_allow_four_origins() -> None:
    assert backtest_origins(made_up_lists(1)) == ORIGINS


@pytest.mark.parametrize(
    ("window", "count", "left"),
    [(3, 1, 2), (4, 2, 2), (6, 4, 2), (8, 4, 4), (12, 6, 6), (24, 12, 12), (60, 12, 48)],
)
def test_longer_lists_leave_more_before_each_origin(window: int, count: int, left: int) -> None:
    lists = with_window(window)
    # An early referral, so that every origin has one.
    lists.referrals.loc[0, "date"] = pd.Timestamp(lists.windows[3].start)
    origins = backtest_origins(lists)
    assert len(origins) == count
    assert origins[-1] == date(2026, 2, 28)
    assert lists_at(lists, origins[0]).windows[7].months == left


def test_a_census_inside_a_month_counts_back_from_the_last_whole_month() -> None:
    lists = with_window(6, census=date(2026, 3, 15), start=date(2025, 9, 16))
    assert backtest_origins(lists) == (
        date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31),
    )  # fmt: skip


def test_the_analyst_may_go_further_back_with_origins_spaced_evenly() -> None:
    lists = with_window(60)
    lists.referrals.loc[0, "date"] = pd.Timestamp("2021-06-01")
    origins = backtest_origins(lists, 45)
    assert len(origins) == 12
    assert origins[0] == date(2022, 6, 30)
    assert origins[-1] == date(2026, 2, 28)
    assert backtest_origins(made_up_lists(1), 2) == ORIGINS[2:]


def test_the_shortest_list_decides() -> None:
    lists = made_up_lists(1)
    short = Window(start=date(2025, 12, 1), months=4, detected=True)
    assert backtest_origins(replace(lists, windows={**lists.windows, 8: short})) == ORIGINS[2:]


def test_too_short_lists_are_refused_in_plain_words() -> None:
    with pytest.raises(NotEnoughDataError, match=r"List 3 shows 2 whole months .*at least 3"):
        backtest(with_window(2))


def test_lists_without_an_early_referral_are_refused() -> None:
    lists = made_up_lists(1)
    late = lists.referrals.assign(date=pd.Timestamp("2026-03-20"))
    with pytest.raises(NotEnoughDataError, match="no referral before the last months"):
        backtest(replace(lists, referrals=late))


def test_an_origin_before_the_first_referral_is_left_out() -> None:
    lists = made_up_lists(1)
    late = lists.referrals[lists.referrals["date"] > pd.Timestamp("2026-01-05")]
    assert backtest_origins(replace(lists, referrals=late)) == ORIGINS[2:]


def test_months_back_must_be_one_or_more() -> None:
    with pytest.raises(InvalidSettingError, match="1 or more"):
        backtest(made_up_lists(1), most_months_back=0)


# --- the table ---------------------------------------------------------------------------------


def test_the_table_has_a_row_an_origin_measure_and_month(result: Backtest) -> None:
    table = result.table
    assert list(table.columns) == list(BACKTEST_COLUMNS)
    assert result.origins == ORIGINS
    assert result.census_date == CENSUS
    assert len(table) == len(MEASURES) * (4 + 3 + 2 + 1)
    assert not table.isna().any().any()
    ahead = pd.PeriodIndex(table["month_end"], freq="M").asi8 - pd.PeriodIndex(
        table["origin"], freq="M"
    ).asi8  # fmt: skip
    assert ahead.tolist() == table["months_ahead"].tolist()
    assert table["month_end"].max() == pd.Timestamp(CENSUS)


def test_actuals_are_what_the_full_lists_show(result: Backtest) -> None:
    lists = made_up_lists(1)
    row = result.table.set_index(["origin", "measure", "months_ahead"])["actual"]
    starts = lists.care["start"].between("2026-02-01", "2026-02-28").sum()
    assert row["2026-01-31", "cla_starts", 1] == starts
    open_now = lists.plans["end"].isna().sum()
    assert {float(row[o.isoformat(), "cp_open", 4 - i]) for i, o in enumerate(ORIGINS)} == {
        float(open_now)
    }


def test_no_change_is_the_stock_then_and_the_mean_of_the_months_then(result: Backtest) -> None:
    lists = made_up_lists(1)
    row = result.table.set_index(["origin", "measure", "months_ahead"])
    cut = lists_at(lists, ORIGINS[1])
    refs = cut.referrals["date"].between("2025-10-01", "2025-12-31").sum()
    open_then = cut.care["end"].isna().sum()
    for ahead in (1, 2, 3):
        assert row.loc[("2025-12-31", "cla_open", ahead), "no_change"] == open_then
        assert row.loc[("2025-12-31", "referrals", ahead), "no_change"] == pytest.approx(refs / 3)


def test_the_line_goes_through_the_months_that_the_cut_lists_show(result: Backtest) -> None:
    lists = lists_at(made_up_lists(1), ORIGINS[0])
    october, november = (
        lists.referrals["date"].dt.to_period("M").value_counts()[month]
        for month in ("2025-10", "2025-11")
    )
    row = result.table.set_index(["origin", "measure", "months_ahead"])["linear"]
    slope = november - october
    assert row["2025-11-30", "referrals", 4] == pytest.approx(november + 4 * slope)
    # Three counts of a stock are known: the eve of the window, and two ends of months.
    series = monthly_series(spells(lists))
    stock = series.loc[series["measure"] == "cp_open", "value"].to_numpy()
    slope = (stock[2] - stock[0]) / 2
    assert row["2025-11-30", "cp_open", 1] == pytest.approx(stock.mean() + 2 * slope)


def test_ranges_are_in_order_and_hold_the_mean(result: Backtest) -> None:
    ranges = result.table[["p2_5", "p10", "p90", "p97_5"]].to_numpy()
    assert (np.diff(ranges, axis=1) >= 0).all()
    assert (result.table["mean"] <= result.table["p97_5"]).all()


def test_the_same_seed_gives_the_same_forecast_whatever_the_other_origins(
    result: Backtest,
) -> None:
    last = result.table[result.table["origin"] == pd.Timestamp(ORIGINS[-1])]
    alone = backtest(made_up_lists(1), draws=40, most_months_back=1).table
    pd.testing.assert_frame_equal(alone, last.reset_index(drop=True))
    other = backtest(made_up_lists(1), draws=40, most_months_back=1, seed=1).table
    assert not other["mean"].equals(alone["mean"])


# --- nothing after an origin is known at it ----------------------------------------------------


def changed_after(lists: Lists, day: date) -> Lists:
    """Other lists that agree with `lists` up to a day: all that came later is different."""
    after = pd.Timestamp(day)
    plans, care, refs = lists.plans.copy(), lists.care.copy(), lists.referrals.copy()
    for frame in (plans, care):
        later = frame["end"].isna() | (frame["end"] > after)
        frame.loc[later, "end"] = pd.NaT
        frame.loc[later & (np.arange(len(frame)) % 2 == 0), "end"] = pd.Timestamp(CENSUS)
    care["reason_ceased"] = care["reason_ceased"].mask(care["end"] > after, "E11")
    moved = care["end"].isna()
    care.loc[moved, "placement_start"] = after + pd.Timedelta(days=1)
    care.loc[moved, "placement_type"] = "K2"
    return replace(
        lists,
        referrals=refs[refs["date"] <= after],
        plans=plans[plans["start"] <= after],
        care=care[care["start"] <= after],
    )


def test_what_happens_after_an_origin_does_not_reach_its_forecast(result: Backtest) -> None:
    other = backtest(changed_after(made_up_lists(1), ORIGINS[1]), draws=40).table
    before = result.table["origin"] <= pd.Timestamp(ORIGINS[1])
    pd.testing.assert_frame_equal(other.loc[before, FORECAST], result.table.loc[before, FORECAST])
    assert not other.loc[before, "actual"].equals(result.table.loc[before, "actual"])
    assert not other.loc[~before, "mean"].equals(result.table.loc[~before, "mean"])


def long_history(last: str, *, factor_after: float = 1.0, after: str = "2025-12") -> History:
    months = pd.period_range("2022-04", last, freq="M")
    season = 1 + 0.1 * np.sin(np.arange(len(months)))
    counts = pd.DataFrame({"referrals": np.round(30 * season)}, index=months)
    counts.loc[months > pd.Period(after, "M")] *= factor_after
    return History.of(counts.assign(cp_open=20.0), [pd.Period("2026-02", "M")])


def test_history_after_an_origin_does_not_reach_its_forecast() -> None:
    lists = made_up_lists(1)
    one, other = (
        backtest(lists, history=history, draws=20, most_months_back=3).table
        for history in (long_history("2026-03"), long_history("2026-03", factor_after=5.0))
    )
    before = one["origin"] <= pd.Timestamp("2025-12-31")
    pd.testing.assert_frame_equal(one.loc[before, FORECAST], other.loc[before, FORECAST])


def test_history_before_an_origin_informs_it_and_its_line(result: Backtest) -> None:
    with_history = backtest(made_up_lists(1), history=long_history("2025-09"), draws=20).table
    mine = with_history["measure"] == "referrals"
    assert not np.allclose(with_history.loc[mine, "linear"], result.table.loc[mine, "linear"])
    # Years of about 30 a month hold the line where two months of lists do not.
    assert with_history.loc[mine, "linear"].between(20, 45).all()
    pd.testing.assert_series_equal(with_history["actual"], result.table["actual"])
    pd.testing.assert_series_equal(with_history["no_change"], result.table["no_change"])


# --- scores and words --------------------------------------------------------------------------


def small_table() -> pd.DataFrame:
    """Two origins of the care stock: forecasts 10 too high, and 4 too low."""
    row = {
        "months_ahead": 1, "month_end": pd.Timestamp("2026-02-28"), "measure": "cla_open",
        "p2_5": 80.0, "p10": 90.0, "p90": 115.0, "p97_5": 120.0, "linear": np.nan,
    }  # fmt: skip
    first, second = pd.Timestamp("2026-01-31"), pd.Timestamp("2026-02-28")
    rows = [
        {**row, "origin": first, "actual": 100.0, "mean": 110.0, "no_change": 98.0},
        {**row, "origin": second, "actual": 116.0, "mean": 112.0, "no_change": 100.0},
    ]
    return pd.DataFrame(rows, columns=list(BACKTEST_COLUMNS))


def test_scores_by_hand() -> None:
    scores = score(small_table())
    assert list(scores.columns) == list(SCORE_COLUMNS)
    mine = scores[scores["measure"] == "cla_open"].set_index("method")
    assert tuple(mine.index) == METHODS
    model = mine.loc["model"]
    assert model["forecasts"] == 2
    assert model["mean_absolute_error"] == 7.0
    assert model["wape"] == pytest.approx(14 / 216)
    assert model["mean_error"] == 3.0
    assert (model["inside_80"], model["inside_95"]) == (0.5, 1.0)
    assert mine.loc["no change", "mean_absolute_error"] == 9.0
    assert np.isnan(mine.loc["no change", "inside_80"])
    assert mine.loc["FORECAST.LINEAR", "forecasts"] == 0
    assert np.isnan(mine.loc["FORECAST.LINEAR", "mean_absolute_error"])


def words(table: pd.DataFrame, measure: str = "cla_open") -> str:
    return sentences_of(table, score(table))[MEASURES.index(measure)]


def test_a_sentence_says_what_was_found_and_that_it_is_little() -> None:
    assert words(small_table()) == (
        "Children in care: too few to say how far to trust the model. "
        "2 forecasts of 1 month ahead: on average 7 children (6%) out. "
        "‘No change’ was 9 out. 1 of 2 fell in the 80% range, too few to judge the range by."
    )


def test_a_measure_that_did_not_happen_has_nothing_to_judge_by() -> None:
    assert words(small_table(), "cp_open") == (
        "Child protection plans: none in these months, so there is nothing to judge by."
    )


def test_where_another_method_was_closer_the_sentence_says_so() -> None:
    table = small_table().assign(no_change=[99.0, 115.0], linear=[100.0, 90.0])
    assert "‘No change’ was 1 out (closer) and a straight line (FORECAST.LINEAR) was 13 out." in (
        words(table)
    )


@pytest.mark.parametrize(
    ("no_change", "says"),
    [
        (104.8, "‘No change’ was 4.8 out."),
        (104.5, "‘No change’ was 4.5 out (closer)."),
    ],
)
def test_what_is_about_as_close_is_not_called_closer(no_change: float, says: str) -> None:
    # The model is 5 out, now too high and now too low.
    said = words(either_way(5, mean=5.0).assign(no_change=no_change))
    assert says in said
    assert ("about as close" in said) is ("(closer)" not in said)


@pytest.mark.parametrize(
    ("dates", "no_change", "linear", "says"),
    [
        (5, 120.0, 125.0, "so far the model was closer than either simple rule"),
        (7, 120.0, np.nan, "so far the model was closer than ‘no change’"),
        (8, 120.0, 125.0, "trust the model before either simple rule, since it was closer"),
        (8, 120.0, np.nan, "trust the model before ‘no change’, since it was closer"),
        (5, 110.5, 125.0, "trust the model as far as ‘no change’, which was about as close"),
        (9, 125.0, 89.5, "trust the model as far as a straight line, which was about as close"),
        (7, 102.0, 125.0, "trust the model with care, since ‘no change’ was closer so far"),
        (8, 125.0, 99.0, "trust a straight line before the model, since that was closer"),
        (9, 110.3, 110.1, "trust the model as far as either simple rule, which was about as close"),
        (9, 110.3, 89.6, "trust the model as far as either simple rule, which was about as close"),
        (5, 102.01, 98.0, "trust the model with care, since either simple rule was closer so far"),
        (8, 102.0, 98.01, "trust either simple rule before the model, since that was closer"),
    ],
)
def test_the_sentence_begins_with_how_far_to_trust(
    dates: int, no_change: float, linear: float, says: str
) -> None:
    # What happened is 100 each time; the model is 10 out, now too high and now too low.
    table = either_way(dates, mean=10.0).assign(no_change=no_change, linear=linear)
    assert words(table).startswith(f"Children in care: {says}. {dates} forecasts of ")


@pytest.mark.parametrize(
    ("dates", "no_change", "says"),
    [
        (5, 120.0, "trust the model with care: it was closer than ‘no change’ so far, but always"),
        (8, 120.0, "trust the model with care: it was closer than ‘no change’, but always"),
        (8, 110.5, "trust the model no further than ‘no change’, which was about as close"),
        (8, 102.0, "trust ‘no change’ before the model, since that was closer"),
    ],
)
def test_a_model_that_is_always_too_high_is_not_praised(
    dates: int, no_change: float, says: str
) -> None:
    said = words(many(dates, dates, mean=110.0).assign(no_change=no_change))
    assert said.startswith(f"Children in care: {says}")
    assert ("always too high." in said) is ("All were too high." not in said), "said once"


@pytest.mark.parametrize(("inside", "is_praised"), [(3, False), (4, True), (5, True)])
def test_a_model_whose_range_holds_fewer_than_half_is_not_praised(
    inside: int, is_praised: bool
) -> None:
    table = either_way(8, mean=10.0).assign(no_change=120.0)
    table.loc[inside:, ["p10", "p90"]] = 150.0, 160.0
    says = (
        "trust the model before ‘no change’, since it was closer."
        if is_praised
        else "trust the model with care: it was closer than ‘no change’, but fewer than half fell "
        "in its 80% range."
    )
    assert words(table).startswith(f"Children in care: {says}")


def either_way(of: int, *, mean: float) -> pd.DataFrame:
    """Forecasts of 100 that are out by `mean`, above it and below it by turns."""
    table = many(of, of, mean=100.0)
    return table.assign(mean=[100.0 + mean * (-1) ** i for i in range(of)])


def many(inside: int, of: int, *, mean: float) -> pd.DataFrame:
    origins = pd.date_range("2020-01-31", periods=of, freq="ME")
    one = small_table().iloc[[0]]
    table = pd.concat([one] * of, ignore_index=True).assign(origin=origins, mean=mean)
    table.loc[inside:, "actual"] = 300.0
    return table


@pytest.mark.parametrize(
    ("inside", "of", "says"),
    [
        (7, 7, "too few to judge the range by"),
        (10, 12, "about what it promises"),
        (7, 12, "about what it promises"),
        (6, 12, "fewer than it promises: it may be too narrow here"),
        (4, 8, "about what it promises"),
        (3, 8, "fewer than it promises"),
    ],
)
def test_the_range_is_judged_only_where_there_is_enough(inside: int, of: int, says: str) -> None:
    # Binomial(12, 0.8): P(X <= 6) = 0.019, P(X <= 7) = 0.073; (8, 0.8): 0.010 and 0.056.
    assert f"{inside} of {of} fell in the 80% range, {says}" in words(many(inside, of, mean=100.0))


def test_an_error_of_one_child_is_said_in_the_singular() -> None:
    assert "on average 1 child (1%) out" in words(many(5, 5, mean=101.0))


def test_forecasts_that_all_lean_one_way_are_said() -> None:
    assert "All were too low." in words(many(0, 5, mean=99.0))
    assert "All were too high." in words(many(5, 5, mean=101.0).assign(no_change=101.0))
    assert "All were" not in words(many(3, 5, mean=101.0))
    assert "All were" not in words(many(3, 3, mean=101.0))


def test_there_is_a_sentence_a_measure_without_words_of_the_trade(result: Backtest) -> None:
    assert len(result.sentences) == len(MEASURES)
    for sentence in (*result.sentences, result.note):
        assert not re.search(r"_|\b(nan|MAE|WAPE|origin|draw|dtype|quantile)\b", sentence)
        assert sentence.endswith(".")
    assert all("too few to judge" in s or "nothing to judge" in s for s in result.sentences)


def test_the_note_says_what_the_forecasts_rest_on(result: Backtest) -> None:
    day = result.census_date
    assert result.note == (
        f"Tested on the lists as at {day.day} {day:%B %Y}. "
        "These forecasts were made from 2 to 5 months of lists; that day's rests on 6. "
        "None looks more than 4 months ahead: they say little about a year from now. "
        "4 earlier dates are few: which was closer is a hint, not proof."
    )
    year = many(12, 12, mean=100.0).assign(months_ahead=12)
    assert note_of([12, 12], 24, day, year).endswith("They look up to 12 months ahead.")


# --- the rest ----------------------------------------------------------------------------------


def test_progress_is_told_after_each_origin() -> None:
    told: list[tuple[str, float]] = []
    backtest(made_up_lists(1), draws=20, progress=lambda what, share: told.append((what, share)))
    assert told[0] == ("Forecast from November 2025", 0.25)
    assert [share for _, share in told] == [0.25, 0.5, 0.75, 1.0]


def test_the_analysts_own_rate_is_used() -> None:
    usual = backtest(made_up_lists(1), draws=20, most_months_back=1).table
    own = backtest(
        made_up_lists(1), draws=20, most_months_back=1, overrides={"referrals|all|all": 50.0}
    ).table
    mine = usual["measure"] == "referrals"
    assert own.loc[mine, "mean"].iloc[0] > 3 * usual.loc[mine, "mean"].iloc[0]


def test_lists_without_a_child_in_care_are_tested_on_what_they_hold() -> None:
    lists = made_up_lists(1)
    result = backtest(replace(lists, care=care_frame([])), draws=20, most_months_back=2)
    assert "nothing to judge" in result.sentences[MEASURES.index("cla_open")]
    assert not result.table["actual"].isna().any()


def test_no_change_of_a_gap_is_the_last_count_known() -> None:
    known = pd.Series([5.0, 7.0, np.nan], pd.period_range("2026-01", periods=3, freq="M"))
    months = pd.period_range("2026-04", periods=2, freq="M")
    assert no_change(known, months, stock=True).tolist() == [7.0, 7.0]
    assert no_change(known, months, stock=False).tolist() == [6.0, 6.0]


def test_a_census_inside_a_month_is_scored_up_to_the_last_whole_month() -> None:
    result = backtest(lists_at(made_up_lists(1), date(2026, 3, 15)), draws=20)
    assert result.origins == ORIGINS[:3]
    assert result.table["month_end"].max() == pd.Timestamp("2026-02-28")
    assert not result.table.isna().any().any()


def test_empty_lists_are_refused() -> None:
    with pytest.raises(NotEnoughDataError):
        backtest(lists_of())
