"""Scores and helpers of the benchmarks, against values worked out by hand or by definition."""

import numpy as np
import pandas as pd
import pytest

from benchmark_files import benchmark

pytestmark = pytest.mark.unit

scoring = benchmark("scoring")
peer_accuracy = benchmark("peer_accuracy")
stock_spread = benchmark("stock_spread")

PROBS = np.array([0.025, 0.10, 0.25, 0.50, 0.75, 0.90, 0.975])


def test_crps_of_one_value_is_the_absolute_error() -> None:
    assert scoring.crps(np.full(7, 12.0), 9.5) == pytest.approx(2.5)


def test_crps_of_two_values_by_definition() -> None:
    # E|X - y| = (1 + 3) / 2; E|X - X'| / 2 = (0 + 4 + 4 + 0) / 4 / 2
    assert scoring.crps(np.array([0.0, 4.0]), 1.0) == pytest.approx(2.0 - 1.0)


def test_crps_of_many_normal_draws_is_near_the_closed_form() -> None:
    # Gneiting and Raftery (2007): sigma (1/sqrt(pi)) (sqrt(2) - 1) at the mean of a normal.
    draws = np.random.default_rng(4).normal(100.0, 8.0, 200_000)
    expected = 8.0 * (np.sqrt(2.0) - 1.0) / np.sqrt(np.pi)
    assert scoring.crps(draws, 100.0) == pytest.approx(expected, rel=0.01)


def test_weighted_interval_score_is_that_of_its_intervals() -> None:
    quantiles, actual = np.array([10.0, 14.0, 17.0, 20.0, 24.0, 29.0, 35.0]), 31.0
    # Bracher et al. (2021): (|y - m| / 2 + sum of alpha / 2 x interval score) / (K + 1/2)
    total = abs(actual - quantiles[3]) / 2
    for i, alpha in ((0, 0.05), (1, 0.20), (2, 0.50)):
        low, high = quantiles[i], quantiles[-1 - i]
        outside = max(low - actual, 0.0) + max(actual - high, 0.0)
        total += alpha / 2 * (high - low + 2 / alpha * outside)
    found = scoring.weighted_interval_score(quantiles, np.array(actual), PROBS)
    assert float(found) == pytest.approx(total / 3.5)


def test_weighted_interval_score_keeps_the_shape_of_the_counts() -> None:
    quantiles = np.broadcast_to(np.arange(7.0), (3, 12, 7))
    found = scoring.weighted_interval_score(quantiles, np.full((3, 12), 3.0), PROBS)
    assert found.shape == (3, 12)


@pytest.mark.parametrize(("actual", "inside"), [(10.0, True), (90.0, True), (9.0, False)])
def test_covered_by_the_central_interval(actual: float, inside: bool) -> None:
    assert scoring.covered(np.arange(101.0), actual, 0.80) is inside


def test_periods_of_care_are_cut_without_a_gap() -> None:
    dates = ["2020-01-15", "2025-06-30", "2026-02-01"], ["2026-05-04", "NaT", "2026-02-01"]
    care = pd.DataFrame(
        {
            "child_id": [1, 2, 3],
            "date_of_birth": pd.to_datetime(["2010-04-01", "2009-12-24", "2026-01-31"]),
            "start": pd.to_datetime(dates[0]),
            "end": pd.to_datetime(dates[1]),
            "uasc": [False, True, False],
        }
    )
    cut = peer_accuracy.episodes(care, np.random.default_rng(2))
    assert set(cut["CHILD"]) == {1, 2, 3}
    for child, mine in cut.groupby("CHILD"):
        spell = care[care["child_id"] == child].iloc[0]
        assert mine["DECOM"].iloc[0] == spell["start"]
        assert (mine["DEC"].to_numpy()[:-1] == mine["DECOM"].to_numpy()[1:]).all()
        ends = mine["DEC"].iloc[-1]
        assert ends == spell["end"] if pd.notna(spell["end"]) else ends > pd.Timestamp("2099-01-01")
    assert len(cut[cut["CHILD"] == 1]) > 1


def test_a_prior_set_by_name_changes_only_that() -> None:
    priors = stock_spread.changed_priors([stock_spread.parse_prior("plan_exit_drift.sd=0.33")])
    before = stock_spread.changed_priors([])
    assert priors.plan_exit_drift.sd == 0.33
    assert (
        priors.plan_exit_drift.time_constant_months == before.plan_exit_drift.time_constant_months
    )
    assert priors.care_exit_drift == before.care_exit_drift


def test_real_spread_without_the_movement_that_all_share() -> None:
    stocks = pd.DataFrame({"a": [100.0, 110.0, 130.0], "b": [200.0, 220.0, 260.0]})
    changes = stock_spread.log_changes(stocks, 1)
    left = stock_spread.real_spread(stocks, 1, year_effect=changes.mean(axis=1))
    assert left < 0.001 < stock_spread.real_spread(stocks, 1, year_effect=None)


# --- "no change" ---------------------------------------------------------------------------

CHANGES = {"calm": [0.00, 0.01, -0.01, 0.02, -0.02], "wild": [0.5, -0.4, 0.3, -0.6, 0.2]}


def stock_scores(changes: dict[str, list[float]]) -> pd.DataFrame:
    """One open count of 100 (half a child allowed for) an authority; our score 1 each."""
    rows = [
        {"size": "small", "kind": kind, "measure": measure, "horizon": horizon, "now": 99.5,
         "actual": 100 * np.exp(change) - 0.5, "crps": 1.0, "in80": True, "in95": True}
        for kind, found in changes.items()
        for measure in ("cp_open", "cla_open")
        for horizon in (3, 6, 12, 24)
        for change in found
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_no_change_has_the_changes_of_the_others_both_signs() -> None:
    scores = stock_scores({"calm": CHANGES["calm"]})
    found = scoring.no_change(scores, ["size"])
    others = np.array([0.01, -0.01, 0.02, -0.02])
    draws = 100 * np.exp(np.concatenate([others, -others])) - 0.5
    # By definition: E|X - y| - E|X - X'| / 2, pair by pair.
    pairs = np.abs(draws[:, None] - draws[None, :]).mean() / 2
    assert found.iloc[0] == pytest.approx(np.abs(draws - 99.5).mean() - pairs)


def test_no_change_is_missing_for_flows_and_where_few_are_alike() -> None:
    scores = stock_scores({"calm": CHANGES["calm"], "rare": [0.1, -0.1]})
    scores.loc[scores["measure"] == "cp_open", "now"] = np.nan
    found = scoring.no_change(scores, ["size", "kind"])
    known = (scores["measure"] == "cla_open") & (scores["kind"] == "calm")
    assert (found.notna() == known).all()


def test_knowing_the_kind_makes_no_change_harder_to_beat_where_nothing_changes() -> None:
    scores = scoring.with_no_change(stock_scores(CHANGES))
    table = scoring.ratios(scoring.in_sets(scores, ["calm"]), ["measure", "worlds"])
    unknown, known = (table[reading] for reading in scoring.READINGS)
    still = ("cla_open", "still"), 12
    assert known.loc[still] > 1.5 * unknown.loc[still]
    whole = scores[(scores["measure"] == "cla_open") & (scores["horizon"] == 12)]
    sums = whole[[*scoring.READINGS]].sum()
    assert unknown.loc[("cla_open", "all"), 12] == pytest.approx(10.0 / sums.iloc[0])
    assert known.loc[("cla_open", "all"), 12] == pytest.approx(10.0 / sums.iloc[1])


def test_sets_hold_every_row_twice() -> None:
    sets = scoring.in_sets(stock_scores(CHANGES), ["calm"])
    assert dict(sets["worlds"].value_counts()) == {"still": 40, "moving": 40, "all": 80}
    assert set(sets.loc[sets["worlds"] == "still", "kind"]) == {"calm"}


def test_each_target_is_judged_in_each_set_and_reading(capsys: pytest.CaptureFixture[str]) -> None:
    scores = scoring.with_no_change(stock_scores(CHANGES))
    scores.loc[scores["kind"] == "calm", "in80"] = False
    scoring.report_sets(scores, ["calm"])
    told = capsys.readouterr().out
    still, rest = told.split("Targets, still authorities")[1].split("Targets, moving authorities")
    assert "80% ranges hold 0.000 over all (0.77 to 0.83): NOT met" in still
    assert "within 0.74 to 0.86: 0 of 8 (0.000 to 0.000): NOT met" in still
    for reading in scoring.READINGS:
        assert f"cla_open at most 0.95 of no change, {reading}" in still
        assert f"cla_open at most 1.00 of no change, {reading}" in rest
    assert "cla_open at most 0.95" not in rest
    # Our score of 1 is little beside changes of a half.
    assert "(b) same size and kind: 6: 0." in rest
    assert rest.split("Targets, all")[0].count(": met") == 4
