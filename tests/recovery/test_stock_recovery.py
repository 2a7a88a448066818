"""Intervals hold what happens, on stocks made by children who come and go.

The maker shares no code with the model: rates drift, families start together, each
child leaves by chance, month by month.
"""

import numpy as np
import pandas as pd
import pytest

from demand_model.rates.stock import forecast_stock

pytestmark = pytest.mark.recovery

YEARS_BEHIND, YEARS_AHEAD = 10, 3
AUTHORITIES = {False: 120, True: 40}  # monthly or not


def make_authority(rng, children, stay_months, drift_a_month):
    """Monthly starts, ends and children open, with entry rate and exit hazard that wander."""
    months = 12 * (YEARS_BEHIND + YEARS_AHEAD)
    entry, leave, now = np.log(children / stay_months / 1.6), np.log(1 / stay_months), children
    rows = []
    for _ in range(months):
        entry += rng.normal(0, drift_a_month) - 0.03 * (
            entry - np.log(children / stay_months / 1.6)
        )
        leave += rng.normal(0, drift_a_month) - 0.03 * (leave - np.log(1 / stay_months))
        families = rng.poisson(np.exp(entry))
        started = int(rng.choice([1, 2, 3, 4], size=families, p=[0.6, 0.25, 0.1, 0.05]).sum())
        ended = int(rng.binomial(now, min(0.5, np.exp(leave))))
        now += started - ended
        rows.append((started, ended, now))
    index = pd.period_range("2010-04", periods=months, freq="M")
    return pd.DataFrame(rows, index, columns=["starts", "ends", "stock"]).astype(float)


def by_year(months):
    year = months.index.asfreq("Y-MAR")
    return pd.DataFrame(
        {
            "starts": months["starts"].groupby(year).sum(),
            "ends": months["ends"].groupby(year).sum(),
            "stock": months["stock"].groupby(year).last(),
        }
    )


@pytest.mark.parametrize(
    ("stay_months", "drift"), [(28, 0.035), (10, 0.055)], ids=["as care", "as plans"]
)
@pytest.mark.parametrize("monthly", [False, True], ids=["yearly", "monthly"])
def test_intervals_are_honest_and_beat_no_change(stay_months, drift, monthly):
    rng = np.random.default_rng(17)
    inside, ours, unchanged = [], [], []
    for _ in range(AUTHORITIES[monthly]):
        made = make_authority(rng, int(rng.integers(120, 600)), stay_months, drift)
        table = made if monthly else by_year(made)
        a_year = 12 if monthly else 1
        past, later = table.iloc[: YEARS_BEHIND * a_year], table.iloc[YEARS_BEHIND * a_year :]
        horizon = YEARS_AHEAD * a_year
        forecast = forecast_stock(past["starts"], past["ends"], past["stock"], horizon, seed=1)
        assert list(forecast.periods) == list(later.index)
        at = np.arange(1, YEARS_AHEAD + 1) * a_year - 1
        low, middle, high = forecast.quantiles([0.1, 0.5, 0.9])[at].T
        actual = later["stock"].to_numpy()[at]
        inside.append((actual >= low) & (actual <= high))
        ours.append(np.abs(np.log(middle / actual)))
        unchanged.append(np.abs(np.log(forecast.last / actual)))
    assert 0.68 <= np.mean(inside) <= 0.93  # measured: see decision 0010
    assert np.mean(ours) <= 1.06 * np.mean(unchanged)
