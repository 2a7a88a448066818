"""The balance prior: entries times mean stay are about the children open now.

The count of today holds chance: families who happened to come or leave in the last months.
Chance fades within a mean stay, whereas a change of rates lasts, so plans are balanced with
the stock that chance has not moved (see `stock_without_chance`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.tabulate import Exposure
from demand_model.rates.priors import BalancePrior, Drift

FloatArray = npt.NDArray[np.float64]

RECENT_MONTHS = 6
_HALF_CHILD = 0.5
"""Added to counts within logarithms, so that an empty stock is not a contradiction."""


def balance_log_density(
    implied: FloatArray, balanced_stock: float, prior: BalancePrior
) -> FloatArray:
    """Log density of Student's t at log(implied / balanced stock), up to a constant."""
    ratio = np.log((implied + _HALF_CHILD) / (balanced_stock + _HALF_CHILD))
    z = (ratio - prior.location) / prior.scale
    nu = prior.degrees_of_freedom
    return np.asarray(-0.5 * (nu + 1.0) * np.log1p(z * z / nu))


def stock_without_chance(
    exposure: Exposure,
    *,
    starts_dispersion: float,
    ends_dispersion: float,
    conversion_drift: Drift,
    exit_drift: Drift,
    drift_correlation: float = 0.0,
) -> float:
    """Children on a plan now, less the part of their recent change that is chance.

    With ``N`` open now, ``M`` some months ago, ``S`` starts and ``X`` ends between and ``n``
    the mean of the two stocks::

        log balanced = log N - share log(N / M),   share = chance / (chance + drift)
        chance = (d_S S + d_X X) / n^2             families that happen to come or go
        drift  = ((S + X) / 2 n)^2 v               rates that changed

    ``v`` is the variance of the mean over those months of the drift of conversion less that
    of exits: ``v_c + v_e - 2 rho sqrt(v_c v_e)``, each of which `drift_over` gives. In a
    small authority much of a half-year's change is chance, in a large one little.

    Parameters
    ----------
    starts_dispersion, ends_dispersion
        ``d``, variance over mean of the counts.
    drift_correlation
        ``rho``, of the two drifts.
    """
    now = float(exposure.opening.plans.days.size)
    before, starts, ends, months = _recent_flows(exposure.series)
    if months == 0 or starts + ends == 0:
        return now
    mean = (now + before) / 2.0 + _HALF_CHILD
    chance = (starts_dispersion * starts + ends_dispersion * ends) / mean**2
    turnover = (starts + ends) / 2.0 / mean
    of_starts, of_ends = (drift_over(drift, months) for drift in (conversion_drift, exit_drift))
    # More starts and fewer ends move the stock the same way.
    wander = of_starts + of_ends - 2.0 * drift_correlation * np.sqrt(of_starts * of_ends)
    change = np.log((now + _HALF_CHILD) / (before + _HALF_CHILD))
    share = chance / (chance + turnover**2 * wander)
    return float((now + _HALF_CHILD) * np.exp(-share * change) - _HALF_CHILD)


def drift_over(drift: Drift, months: int) -> float:
    """Variance of a drift's mean over some months: ``2 sd^2 (w - 1 + exp(-w)) / w^2``.

    ``w`` is the months over the drift's time constant.
    """
    w = months / drift.time_constant_months
    return float(2.0 * drift.sd**2 * (w - 1.0 + np.exp(-w)) / w**2)


def _recent_flows(series: pd.DataFrame) -> tuple[float, float, float, int]:
    """Children on a plan before the last whole months, starts and ends in these, how many."""
    mine = series[series["segment"] == "all"].pivot_table(
        index="month_end", columns="measure", values="value"
    )
    mine = mine.reindex(columns=["cp_open", "cp_starts", "cp_ends"]).sort_index()
    months = min(RECENT_MONTHS, len(mine) - 1)
    if months < 1 or not np.isfinite(mine["cp_open"].iloc[-months - 1]):
        return 0.0, 0.0, 0.0, 0
    last = mine.iloc[-months:]
    return (
        float(mine["cp_open"].iloc[-months - 1]),
        float(last["cp_starts"].sum()),
        float(last["cp_ends"].sum()),
        months,
    )
