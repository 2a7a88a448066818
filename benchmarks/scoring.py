"""Scores of forecasts given as draws or quantiles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def crps(draws: FloatArray, actual: float) -> float:
    """Continuous ranked probability score of an ensemble, shape (draws,).

    ``E|X - y| - E|X - X'| / 2`` (Gneiting and Raftery 2007), by sorting.
    """
    x = np.sort(np.asarray(draws, dtype=float))
    n = len(x)
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * x).sum()) / n**2
    return float(np.abs(x - actual).mean() - spread)


def covered(draws: FloatArray, actual: float, probability: float) -> bool:
    """Whether the central interval holds what happened."""
    low, high = np.quantile(draws, [(1 - probability) / 2, (1 + probability) / 2])
    return bool(low <= actual <= high)


def weighted_interval_score(
    quantiles: FloatArray, actual: FloatArray, probs: FloatArray
) -> FloatArray:
    """Twice the mean pinball loss over `probs` (Bracher et al. 2021).

    Parameters
    ----------
    quantiles
        Shape (..., probs).
    actual
        Shape (...).
    probs
        Shape (probs,); 0.5 and pairs about it, for which the mean of the pinball
        losses is half the weighted interval score of the median and those intervals.

    Returns
    -------
    Shape of `actual`.
    """
    error = actual[..., None] - quantiles
    return np.asarray(2 * np.maximum(probs * error, (probs - 1) * error).mean(axis=-1), float)
