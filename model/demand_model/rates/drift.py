"""Slow drift of conversions and hazards on the log scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.rates.priors import Drift


def drift_paths(
    drift: Drift, months: int, draws: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Multipliers of a rate by month and draw, of mean 1; shape (months, draws).

    ``x[t] = a x[t - 1] + e[t]``, ``e ~ Normal(0, sd sqrt(1 - a^2))``, from 0 at the
    census date; the multiplier is ``exp(x - variance(x) / 2)``.
    """
    a = drift.persistence
    noise = rng.standard_normal((months, draws)) * drift.sd * np.sqrt(1.0 - a * a)
    x = noise
    for month in range(1, months):
        x[month] += a * x[month - 1]
    variance = drift.sd**2 * (1.0 - a ** (2.0 * np.arange(1, months + 1)))
    return np.asarray(np.exp(x - variance[:, None] / 2.0), dtype=np.float64)
