"""The fit finds what made the counts. The maker here shares no code with the model.

Counts come from families of one to four children who arrive on working days, a
level that walks at random, and an authority's own month effects.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand_model.rates.intake import fit_intake, forecast_counts
from demand_model.rates.intake_prior import NATIONAL_INTAKE

pytestmark = pytest.mark.recovery

NATIONAL = np.array([1.02, 1.01, 1.04, 0.98, 1.09, 1.08, 1.02, 0.82, 0.99, 1.02, 1.04, 0.93])
DATA = Path(__file__).resolve().parents[2] / "../shared/data/referrals-by-month.csv"


def make_authority(rng, months, families_per_day, walk_sd=0.035, noise_sd=0.06):
    """Monthly children referred, and the intensity per weekday that made them."""
    index = pd.period_range("2021-06", periods=months, freq="M")
    level = np.log(families_per_day) + np.cumsum(rng.normal(0, walk_sd, months))
    weekdays = np.busday_count(
        np.array([p.start_time for p in index], "datetime64[D]"),
        np.array([(p + 1).start_time for p in index], "datetime64[D]"),
    )
    intensity = np.exp(level + rng.normal(0, noise_sd, months)) * NATIONAL[index.month - 1]
    families = rng.poisson(intensity * weekdays)
    children = [rng.choice([1, 2, 3, 4], size=n, p=[0.6, 0.25, 0.1, 0.05]).sum() for n in families]
    return pd.Series(np.array(children, float), index), level + np.log(1.6)


@pytest.mark.parametrize("families_per_day", [2.0, 9.0, 30.0])
def test_current_level_is_recovered_and_its_error_is_honest(families_per_day):
    rng = np.random.default_rng(11)
    scores = []
    for _ in range(150):
        counts, level = make_authority(rng, 6, families_per_day)
        mean, sd = fit_intake(counts).level()
        # the maker has children arrive on the one bank holiday among these 131 weekdays too
        scores.append((mean[0] - level[-1] - 1 / 131, sd[0]))
    error, sd = np.array(scores).T
    assert abs(error.mean()) < 0.03
    assert 0.5 < np.sqrt(np.mean((error / sd) ** 2)) < 1.1
    assert error.std() < 0.16


@pytest.mark.parametrize("history", [6, 36])
def test_intervals_cover_what_they_say(history):
    rng = np.random.default_rng(5)
    inside = []
    for number in range(150):
        counts, _ = make_authority(rng, history + 12, rng.choice([3.0, 10.0, 25.0]), noise_sd=0.09)
        forecast = forecast_counts(counts.iloc[:history], 12, 600, seed=number)
        low, high = forecast.quantiles([0.1, 0.9]).T
        actual = counts.iloc[history:].to_numpy()
        inside.append((actual >= low) & (actual <= high))
    # 150 authorities, months of one authority go together: three standard errors is about 5 points
    assert 0.75 < np.mean(inside) < 0.92


def test_calm_and_restless_authorities_are_told_apart():
    rng = np.random.default_rng(3)
    ahead = pd.period_range("2025-06", periods=12, freq="M")
    widths = {}
    for name, walk, noise in (("calm", 0.005, 0.02), ("restless", 0.08, 0.2)):
        spread = []
        for _ in range(20):
            counts, _ = make_authority(rng, 48, 15.0, walk, noise)
            paths = fit_intake(counts).draw_paths(ahead, 400, rng)
            spread.append(np.log(paths).std(axis=1).mean())
        widths[name] = np.mean(spread)
    # 48 months count as 15 here, by the prior: restlessness itself changes in real authorities
    assert widths["restless"] > 1.4 * widths["calm"]


@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not beside this checkout")
def test_the_national_profile_is_that_of_the_published_counts():
    from demand_model.units import working_days_in_months

    rows = pd.read_csv(DATA)
    table = rows.pivot_table(index="month", columns="la_code", values="referrals")
    index = pd.PeriodIndex(table.index, freq="M")
    clear = (index >= pd.Period("2014-04", "M")) & (
        (index < pd.Period("2020-03", "M")) | (index > pd.Period("2021-03", "M"))
    )
    logs = np.log(table.to_numpy(float) + 0.25) - np.log(working_days_in_months(index))[:, None]
    logs = pd.DataFrame(logs).where(np.broadcast_to(clear[:, None], logs.shape))
    departure = (logs - logs.rolling(13, center=True, min_periods=9).mean()).median(axis=1)
    effect = departure.groupby(index.month).mean().to_numpy()
    np.testing.assert_allclose(
        np.exp(effect - effect.mean()), np.exp(NATIONAL_INTAKE.log_profile), atol=0.003
    )
