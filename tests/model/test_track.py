from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demand_model import track
from demand_model.errors import InvalidSettingError
from demand_model.results.track import (
    PAST_COLUMNS,
    TRACK_COLUMNS,
    TRACK_SCORE_COLUMNS,
    Tracking,
)

pytestmark = pytest.mark.unit


def made(
    on: str, ahead: range, mean: float, *, measure: str = "cla_open", reach: float = 10.0
) -> pd.DataFrame:
    """A flat forecast: 80% range of `reach` either way, 95% of twice that."""
    month = pd.Period(on, freq="M")
    rows = [
        ((month + k).to_timestamp(how="end").normalize(), mean)
        for k in ahead
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["month_end", "mean"])
    return frame.assign(
        made_on=pd.Timestamp(on),
        measure=measure,
        p2_5=mean - 2 * reach,
        p10=mean - reach,
        p90=mean + reach,
        p97_5=mean + 2 * reach,
    )[list(PAST_COLUMNS)]


def actual(first: str, values: list[float], measure: str = "cla_open") -> pd.DataFrame:
    months = pd.period_range(first, periods=len(values), freq="M")
    return pd.DataFrame({measure: values}, index=months, dtype=float)


def many(error: float, runs: int = 8) -> Tracking:
    """Forecasts of three months each, all `error` too high."""
    starts = pd.period_range("2026-01", periods=runs, freq="M")
    past = pd.concat(
        [made(str(m.to_timestamp(how="end").date()), range(1, 4), 600.0 + error) for m in starts]
    )
    return track(past, actual("2026-01", [600.0] * (runs + 4)))


def test_forecasts_meet_what_happened() -> None:
    found = track(
        made("2026-03-31", range(1, 5), 605.0), actual("2026-01", [0, 0, 0, 600, 595, 580])
    )
    assert list(found.table.columns) == list(TRACK_COLUMNS)
    assert found.table["actual"].tolist() == [600.0, 595.0, 580.0]
    assert found.table["error"].tolist() == [5.0, 10.0, 25.0]
    assert found.table["inside_80"].tolist() == [True, True, False]
    assert found.table["inside_95"].tolist() == [True, True, False]


def test_scores_by_hand() -> None:
    found = track(
        made("2026-03-31", range(1, 6), 605.0), actual("2026-04", [600, 610, 580, 605, 620])
    )
    assert list(found.scores.columns) == list(TRACK_SCORE_COLUMNS)
    near, far = found.scores.to_dict("records")
    assert (near["months_ahead"], near["forecasts"], near["months"]) == ("1-3", 3, 3)
    assert near["mean_absolute_error"] == pytest.approx((5 + 5 + 25) / 3)
    assert near["wape"] == pytest.approx(35 / 1790)
    assert near["mean_error"] == pytest.approx((5 - 5 + 25) / 3)
    assert near["inside_80"] == pytest.approx(2 / 3)
    assert near["inside_95"] == pytest.approx(2 / 3)
    assert (far["months_ahead"], far["forecasts"]) == ("4-6", 2)
    assert far["mean_error"] == pytest.approx(-7.5)


def test_a_month_already_begun_is_shown_but_not_scored() -> None:
    found = track(made("2026-04-12", range(3), 605.0), actual("2026-04", [600, 600, 600]))
    assert len(found.table) == 3
    assert found.scores["forecasts"].tolist() == [2]


def test_bands_reach_as_far_as_the_forecast() -> None:
    found = track(made("2023-03-31", range(1, 31), 605.0), actual("2023-04", [600.0] * 30))
    bands = dict(zip(found.scores["months_ahead"], found.scores["forecasts"], strict=True))
    assert bands == {"1-3": 3, "4-6": 3, "7-12": 6, "13-24": 12, "25+": 6}


def test_of_a_forecast_given_twice_the_later_counts() -> None:
    past = pd.concat([made("2026-03-31", range(1, 3), m) for m in (650.0, 605.0)])
    assert track(past, actual("2026-04", [600, 600])).table["mean"].tolist() == [605.0, 605.0]


def test_measures_stand_in_the_order_of_the_forecast_and_blanks_are_left_out() -> None:
    past = pd.concat(
        [made("2026-03-31", range(1, 3), 50.0, measure=m) for m in ("cla_starts", "referrals")]
    )
    actuals = actual("2026-04", [55, np.nan], "cla_starts").join(
        actual("2026-04", [40, 50], "referrals")
    )
    table = track(past, actuals).table
    assert table["measure"].tolist() == ["referrals", "referrals", "cla_starts"]
    assert not table["actual"].isna().any()


def test_few_months_are_called_few() -> None:
    (sentence,) = track(
        made("2026-03-31", range(1, 4), 605.0), actual("2026-04", [600, 610])
    ).sentences
    assert sentence == (
        "Children in care, forecasts made since March 2026: 1 to 3 months ahead they were 5.0 out "
        "on average (0.8%), and 2 of 2 inside the 80% range. Few: only 2 months to judge by so far."
    )


@pytest.mark.parametrize(("happened", "where"), [(602.0, "inside"), (900.0, "outside")])
def test_a_single_forecast_is_no_average(happened: float, where: str) -> None:
    (sentence,) = track(
        made("2026-03-31", range(1, 4), 605.0), actual("2026-04", [happened])
    ).sentences
    assert "the one of 1 month ahead was " in sentence
    assert f"{where} the 80% range. Few: only 1 month to judge by so far." in sentence
    assert "average" not in sentence


def test_forecasts_of_one_month_are_one_months_evidence() -> None:
    starts = ("2026-01-31", "2026-02-28", "2026-03-31")
    past = pd.concat([made(on, range(1, 4), 605.0) for on in starts])
    assert "only 1 month to judge by" in track(past, actual("2026-04", [600])).sentences[0]


def test_a_lean_and_ranges_that_are_too_narrow_are_said() -> None:
    good, leaning, narrow = (many(e).sentences[0] for e in (0.0, 5.0, -30.0))
    assert "24 of 24 inside the 80% range." in good
    assert "tended" not in good
    assert "They tended to be too high by 5.0." in leaning
    assert "too narrow" not in leaning
    assert "They tended to be too low by 30." in narrow
    assert "The ranges have been too narrow so far" in narrow


def test_errors_both_ways_are_no_lean() -> None:
    past = pd.concat(
        [
            made(str(m.to_timestamp(how="end").date()), range(1, 2), 600.0 + (20 if k % 2 else -9))
            for k, m in enumerate(pd.period_range("2026-01", periods=8, freq="M"))
        ]
    )
    assert "tended" not in track(past, actual("2026-01", [600.0] * 12)).sentences[0]


def test_far_forecasts_are_added_once_there_are_enough() -> None:
    starts = pd.period_range("2024-01", periods=10, freq="M")
    past = pd.concat(
        [made(str(m.to_timestamp(how="end").date()), range(1, 13), 605.0) for m in starts]
    )
    (sentence,) = track(past, actual("2024-01", [600.0] * 24)).sentences
    assert "1 to 3 months ahead they were" in sentence
    assert "7 to 12 months ahead they were" in sentence


def test_nothing_known_yet_and_nothing_to_divide_by() -> None:
    past = made("2026-03-31", range(1, 4), 605.0)
    for empty in (actual("2026-01", [600.0]), pd.DataFrame(index=pd.PeriodIndex([], freq="M"))):
        found = track(past, empty)
        assert found.table.empty
        assert found.scores.empty
        assert list(found.scores.columns) == list(TRACK_SCORE_COLUMNS)
        assert found.sentences[0].startswith("No month that an earlier run forecast is known yet")
    assert track(past.iloc[:0], actual("2026-01", [600.0])).table.empty
    none = track(made("2026-03-31", range(1, 2), 0.0), actual("2026-04", [0.0]))
    assert np.isnan(none.scores["wape"]).all()
    assert "%)" not in none.sentences[0]


def test_invalid_input_is_refused() -> None:
    past = made("2026-03-31", range(1, 2), 605.0)
    with pytest.raises(InvalidSettingError, match="no column p10"):
        track(past.drop(columns="p10"), actual("2026-04", [600.0]))
    with pytest.raises(InvalidSettingError, match="PeriodIndex"):
        track(past, pd.DataFrame({"cla_open": [600.0]}))
