from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from demand_model.rates.hazards import fit_banded

pytestmark = pytest.mark.unit

PRIOR = np.array([0.05, 0.10])


def banded(occurrences: list[float], exposure: list[float], **more: object):
    settings: dict = {"level_events": 10.0, "cell_events": 6.0, "dispersion": 1.0, **more}
    prior = settings.pop("prior", PRIOR)
    return fit_banded(np.array(occurrences), np.array(exposure), np.asarray(prior), **settings)


def test_with_much_data_a_rate_is_occurrences_over_exposure() -> None:
    found = banded([4000.0, 30000.0], [40000.0, 100000.0])
    assert found.mean() == pytest.approx([0.1, 0.3], rel=0.005)
    assert found.prior_weight().max() < 0.01


def test_without_data_a_rate_is_the_national_one_and_says_so() -> None:
    found = banded([0.0, 0.0], [0.0, 0.0])
    assert found.mean() == pytest.approx(PRIOR, rel=0.01)
    assert found.prior_weight() == pytest.approx([1.0, 1.0])
    low, high = found.interval()
    assert np.all(low > 0)
    assert np.all(high < np.inf)


def test_exposure_without_events_gives_a_low_rate_with_an_upper_bound() -> None:
    found = banded([0.0, 0.0], [500.0, 500.0])
    low, high = found.interval()
    assert np.all((found.mean() > 0) & (found.mean() < PRIOR / 4))
    assert np.all((low > 0) & (high > found.mean()) & np.isfinite(high))


def test_a_held_level_leaves_the_gamma_of_a_textbook() -> None:
    """With the level certain, each cell is Gamma(k + d, k / prior + exposure)."""
    found = banded([3.0, 8.0], [40.0, 60.0], level_events=1e7)
    textbook = stats.gamma([9.0, 14.0], scale=1.0 / np.array([6 / 0.05 + 40, 6 / 0.10 + 60]))
    assert found.mean() == pytest.approx(textbook.mean(), rel=1e-3)
    low, high = found.interval()
    assert low == pytest.approx(textbook.ppf(0.025), rel=2e-3)
    assert high == pytest.approx(textbook.ppf(0.975), rel=2e-3)


def test_draws_have_the_posteriors_mean_and_interval() -> None:
    found = banded([3.0, 30.0], [100.0, 150.0], dispersion=1.8)
    draws = found.draw(20000, np.random.default_rng(1))
    error = draws.std(axis=1) / np.sqrt(20000)
    assert np.all(np.abs(draws.mean(axis=1) - found.mean()) < 4 * error)
    low, high = found.interval(0.9)
    inside = ((draws > low[:, None]) & (draws < high[:, None])).mean(axis=1)
    assert inside == pytest.approx([0.9, 0.9], abs=0.015)


def test_events_in_one_cell_move_the_others_through_the_level() -> None:
    high = banded([30.0, 0.0], [100.0, 0.0]).mean()
    assert high[0] > PRIOR[0] * 3
    assert PRIOR[1] * 1.5 < high[1]
    assert banded([30.0, 0.0], [100.0, 0.0]).prior_weight()[1] == pytest.approx(1.0)


def test_over_dispersion_widens_the_interval_as_fewer_events_would() -> None:
    narrow, wide = (banded([200.0, 200.0], [2000.0, 2000.0], dispersion=d) for d in (1.0, 2.0))

    def width(found) -> float:
        low, high = found.interval()
        return float(np.log(high / low)[0])

    assert width(wide) / width(narrow) == pytest.approx(np.sqrt(2.0), rel=0.05)


def test_the_analysts_own_number_wins_and_is_certain() -> None:
    found = banded([3.0, 8.0], [40.0, 60.0], fixed=np.array([0.0, np.nan]))
    assert found.mean()[0] == 0.0
    assert [bound[0] for bound in found.interval()] == [0.0, 0.0]
    draws = found.draw(50, np.random.default_rng(1))
    assert np.all(draws[0] == 0.0)
    assert draws[1].std() > 0
