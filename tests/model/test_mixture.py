"""A mixture of scenarios by their odds."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand_model import BASELINE, Multiply, Scenario, simulate
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow
from demand_model.rates.fit import fit
from demand_model.simulation.mixture import MIXTURE, mixture
from engine_cases import made_up_exposure

pytestmark = pytest.mark.unit

DOUBLE = Scenario(
    name="Double", changes=(Multiply(flow=Flow.REFERRALS, factor=2.0, start=date(2000, 1, 1)),)
)
HALF = Scenario(
    name="Half", changes=(Multiply(flow=Flow.REFERRALS, factor=0.5, start=date(2000, 1, 1)),)
)
RUN = simulate(
    fit(made_up_exposure()), (BASELINE, DOUBLE, HALF), horizon_months=12, draws=400, seed=2
)
KEY = ("referrals", "all")


def test_each_draw_lives_through_one_scenario_in_its_share() -> None:
    found = mixture(RUN, {"Baseline": 0.5, "Double": 0.3, "Half": 0.2}, seed=1)
    assert found.scenario.name == MIXTURE
    assert "Double 30%" in found.scenario.description
    matches = []
    for one in RUN:
        same = [
            all(
                np.array_equal(found.measures[k][:, d], one.measures[k][:, d]) for k in one.measures
            )
            for d in range(400)
        ]
        matches.append(sum(same))
    assert matches == [200, 120, 80]


def test_the_mean_is_that_of_the_scenarios_by_their_odds() -> None:
    odds = {"Baseline": 0.5, "Double": 0.3, "Half": 0.2}
    found = mixture(RUN, odds, seed=1).measures[KEY]
    means = np.stack([t.measures[KEY].mean(axis=1) for t in RUN])
    expected = np.array(list(odds.values())) @ means
    error = found.std(axis=1) / np.sqrt(found.shape[1])
    assert np.all(np.abs(found.mean(axis=1) - expected) < 4.0 * error)
    spread = [np.ptp(np.quantile(a, [0.1, 0.9], axis=1), axis=0) for a in (found, *_each())]
    assert np.all(spread[0] > spread[1])  # wider than the baseline alone


def test_the_order_of_scenarios_and_odds_does_not_matter() -> None:
    one = mixture(RUN, {"Baseline": 0.5, "Double": 0.3, "Half": 0.2}, seed=1)
    two = mixture(RUN[::-1], {"Half": 0.2, "Baseline": 0.5, "Double": 0.3}, seed=1)
    assert one.measures.keys() == two.measures.keys()
    for key, values in one.measures.items():
        assert np.array_equal(values, two.measures[key])


def _each() -> list[np.ndarray]:
    return [t.measures[KEY] for t in RUN]


def test_all_odds_on_one_scenario_give_that_scenario() -> None:
    found = mixture(RUN, {"Baseline": 0.0, "Double": 1.0})
    for key, values in RUN[1].measures.items():
        assert np.array_equal(found.measures[key], values)
    opening = found.opening["cp_open"]
    flows = found.measures["cp_starts", "all"] - found.measures["cp_ends", "all"]
    expected = opening + np.cumsum(flows, axis=0)
    observed = expected[0] - found.measures["cp_open", "all"][0]
    assert np.all(observed == observed[0])  # what an unfinished month had seen before the census


@pytest.mark.parametrize(
    ("odds", "words"),
    [
        ({"Baseline": 0.5, "Treble": 0.5}, "Treble is not among"),
        ({"Baseline": 0.5, "Double": 0.4}, "add up to 90"),
        ({"Baseline": 1.5, "Double": -0.5}, "from 0 to 1"),
    ],
)
def test_odds_that_make_no_sense_are_refused(odds: dict[str, float], words: str) -> None:
    with pytest.raises(InvalidSettingError, match=words):
        mixture(RUN, odds)


def test_a_mixture_takes_no_scenarios_name() -> None:
    with pytest.raises(InvalidSettingError, match="name of the mixture"):
        mixture(RUN, {"Baseline": 1.0}, name="Double")
