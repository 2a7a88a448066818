from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest

from demand_model import Forecast, Lockdown, Multiply, Scenario, Trajectories, simulate, summarise
from demand_model.flows import Flow
from demand_model.results.forecast import FORECAST_COLUMNS, QUANTILE_COLUMNS
from engine_cases import made_up_exposure, made_up_rates

pytestmark = pytest.mark.unit

APRIL = date(2026, 4, 1)
LOCKED = Scenario(
    name="Locked",
    changes=(
        Lockdown(start=APRIL, end=date(2026, 6, 1), referrals={"all": 0.2}, share_returning=0.5,
                 return_delay_months=0.5, return_spread_months=6.0),
    ),
)  # fmt: skip
MORE = Scenario(name="More", changes=(Multiply(flow=Flow.REFERRALS, factor=3.0, start=APRIL),))


@pytest.fixture(scope="module")
def run() -> tuple[Trajectories, ...]:
    scenarios = (Scenario(name="Baseline"), LOCKED, MORE)
    return simulate(made_up_rates(1), scenarios, horizon_months=5, draws=60, seed=3)


@pytest.fixture(scope="module")
def forecast(run: tuple[Trajectories, ...]) -> Forecast:
    return summarise(run, made_up_exposure(1))


def test_the_table_is_that_of_the_design(forecast: Forecast, run: tuple[Trajectories, ...]) -> None:
    assert list(forecast.table.columns) == list(FORECAST_COLUMNS)
    assert len(forecast.table) == 3 * 5 * len(run[0].measures)
    assert forecast.table["month_end"].dt.is_month_end.all()
    key = ["month_end", "measure", "segment", "scenario"]
    assert not forecast.table.duplicated(key).any()
    assert not forecast.table.isna().any().any()


def test_means_and_quantiles_are_those_of_the_draws(
    forecast: Forecast, run: tuple[Trajectories, ...]
) -> None:
    draws = run[1].measures["cla_open", "all"][4]
    table = forecast.table.set_index(["scenario", "measure", "segment", "month_end"])
    row = table.loc["Locked", "cla_open", "all", pd.Timestamp("2026-08-31")]
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["p10"] == pytest.approx(np.quantile(draws, 0.1))
    assert row["p97_5"] == pytest.approx(np.quantile(draws, 0.975))
    quantiles = forecast.table[list(QUANTILE_COLUMNS)].to_numpy()
    assert np.all(np.diff(quantiles, axis=1) >= 0)


def test_differences_are_taken_draw_by_draw(
    forecast: Forecast, run: tuple[Trajectories, ...]
) -> None:
    assert set(forecast.differences["scenario"]) == {"Locked", "More"}
    change = run[2].measures["referrals", "all"] - run[0].measures["referrals", "all"]
    rows = forecast.differences
    mine = rows[(rows["scenario"] == "More") & (rows["measure"] == "referrals")]
    mine = mine[mine["segment"] == "all"]
    assert mine["mean"].tolist() == pytest.approx(change.mean(axis=1).tolist())
    assert mine["p10"].tolist() == pytest.approx(np.quantile(change, 0.1, axis=1).tolist())
    assert (mine["p2_5"] > 0).all()  # common chance cancels


def test_hidden_need_balances(forecast: Forecast) -> None:
    need = forecast.hidden_need
    assert need["suppressed"].to_numpy() == pytest.approx(
        (need["returned"] + need["not_returning"] + need["hidden"]).to_numpy()
    )
    locked = need[need["scenario"] == "Locked"]
    assert locked["hidden"].max() > 10
    assert not need[need["scenario"] == "More"]["suppressed"].any()


def test_headlines_speak_of_today_and_the_horizon(forecast: Forecast) -> None:
    care, plans, referrals, *others = forecast.headlines
    assert care.startswith("Children in care: 20 today; ")
    assert "in August 2026 (80% between" in care
    assert plans.startswith("Child protection plans: 20 today; ")
    assert "a month in the lists" in referrals
    by_name = {text.split(":")[0]: text for text in others}
    assert set(by_name) == {"Locked", "More"}
    assert re.search(r"by August 2026, .* and −\d+ plans? \(80% −\d+ to ", by_name["Locked"])
    assert re.search(r"by August 2026, \+\d+ children .* and \+\d+ plans?", by_name["More"])


def test_each_scenario_is_told_in_the_baselines_words(forecast: Forecast) -> None:
    told = forecast.scenario_headlines
    assert set(told) == {"Baseline", "Locked", "More"}
    assert told["Baseline"] == forecast.headlines[:3]
    for name in ("Locked", "More"):
        care, plans, referrals = told[name]
        assert care.startswith("Children in care: 20 today; ")
        assert plans.startswith("Child protection plans: 20 today; ")
        assert all(line.endswith(f" under {name}.") for line in (care, plans, referrals))


def test_a_scenario_that_begins_after_the_horizon_makes_no_difference() -> None:
    later = Scenario(
        name="Later",
        changes=(Multiply(flow=Flow.REFERRALS, factor=0.5, start=date(2027, 1, 1)),),
    )
    one_month = simulate(
        made_up_rates(1), (Scenario(name="Baseline"), later), horizon_months=1, draws=40, seed=3
    )
    told = summarise(one_month, made_up_exposure(1)).headlines
    assert told[-1] == "Later: no difference by April 2026."
    assert re.search(r"Referrals: .*\d in April 2026 \(80% between", told[2])


def test_without_a_baseline_there_is_nothing_to_compare(run: tuple[Trajectories, ...]) -> None:
    found = summarise(run[1:2], made_up_exposure(1))
    assert found.differences.empty
    assert list(found.differences.columns) == list(FORECAST_COLUMNS)
    assert found.headlines == ()


def test_history_is_what_the_lists_hold(forecast: Forecast) -> None:
    last = forecast.history[forecast.history["measure"] == "cla_open"].iloc[-1]
    assert (last["month_end"], last["value"]) == (pd.Timestamp("2026-03-31"), 20)
