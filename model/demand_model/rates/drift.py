"""Slow drift of conversions and hazards on the log scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.rates.priors import Drift


def drift_paths(
    drift: Drift,
    months: int,
    draws: int,
    rng: np.random.Generator,
    restless: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Multipliers of a rate by month and draw; shape (months, draws).

    ``x[t] = a x[t - 1] + e[t]``, ``e ~ Normal(0, m sd sqrt(1 - a^2))``, from 0 at the
    census date, with ``m`` a draw's own restlessness, log-normal with ``E[m^2] = 1``:
    some authorities hardly change and some change much. The multiplier is ``exp(x)``,
    of median 1, or ``exp(x - variance(x) / 2)``, of mean 1 (see `Drift.is_mean_one`).

    Parameters
    ----------
    restless
        Standard Normal draws behind ``m``, shared by rates that are restless together;
        shape (draws,).
    """
    return paths_of(drift, rng.standard_normal((months, draws)), restless)


def paths_of(
    drift: Drift,
    chance: npt.NDArray[np.float64],
    restless: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """The multipliers of `drift_paths` that a month's standard Normal `chance` makes.

    Parameters
    ----------
    chance
        Shape (months, draws).
    restless
        As in `drift_paths`.
    """
    months, draws = chance.shape
    a = drift.persistence
    z = np.zeros(draws) if restless is None else restless
    spread = drift.restlessness if restless is not None else 0.0
    own = np.exp(spread * z - spread**2)
    noise = chance * (drift.sd * np.sqrt(1.0 - a * a) * own)
    x = noise
    for month in range(1, months):
        x[month] += a * x[month - 1]
    if drift.is_mean_one:
        kept = 1.0 - a ** (2.0 * np.arange(1, months + 1))
        x -= kept[:, None] * (drift.sd * own) ** 2 / 2.0
    return np.asarray(np.exp(x), dtype=np.float64)


def correlated(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], correlation: float
) -> npt.NDArray[np.float64]:
    """Standard Normal draws like `other` that have this correlation with those of `one`."""
    return np.asarray(correlation * one + np.sqrt(1.0 - correlation**2) * other)
