"""Poisson and binomial counts from uniform numbers: the quantile, so that counts keep in step.

A generator's own draws use up as many random numbers as the mean asks for, so two
scenarios that hardly differ would soon live through different chance. A quantile takes
one uniform number a count, whatever the mean, and does not fall where the mean rises.

Up to a mean of 30 the quantile is exact (the probabilities are added up from 0); above
it is that of the Cornish-Fisher expansion to the fourth moment, at most one count off.

Source: Cornish and Fisher (1938); Devroye (1986), chapter X, for adding up.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_MOST_EXACT = 30.0
"""Mean up to which probabilities are added up: the work grows with it."""


_LEAST = 2.0**-53
"""Of a uniform number that has a Normal quantile."""

_PIECE = 8_192
"""Counts worked on together: few enough for a processor's cache, three times faster."""


def poisson_quantile(uniform: FloatArray, mean: FloatArray) -> IntArray:
    """Least count that a Poisson variable does not exceed with chance `uniform`.

    Parameters
    ----------
    uniform
        From 0 to below 1; shape (n,).
    mean
        0 or more; shape (n,).
    """
    if len(mean) > _PIECE:
        return np.concatenate([poisson_quantile(uniform[p], mean[p]) for p in _pieces(len(mean))])
    few = mean <= _MOST_EXACT
    if few.all():
        return _added_up(uniform, np.exp(-mean), mean, np.zeros_like(mean))
    out = np.empty(len(mean), dtype=np.int64)
    out[few] = _added_up(uniform[few], np.exp(-mean[few]), mean[few], np.zeros(int(few.sum())))
    large, many = mean[~few], ~few
    out[many] = _expanded(uniform[many], large, np.sqrt(large), large**-0.5, 1.0 / large)
    return out


def binomial_quantile(uniform: FloatArray, number: IntArray, chance: FloatArray) -> IntArray:
    """Least count that a binomial variable does not exceed with chance `uniform`.

    Parameters
    ----------
    uniform
        From 0 to below 1; shape (n,).
    number
        Of trials; shape (n,).
    chance
        Of each, from 0 to 1; shape (n,).
    """
    if len(number) > _PIECE:
        return np.concatenate(
            [binomial_quantile(uniform[p], number[p], chance[p]) for p in _pieces(len(number))]
        )
    out = np.zeros(len(number), dtype=np.int64)
    # The rarer of the two outcomes is counted: fewer probabilities to add up.
    rare = np.minimum(chance, 1.0 - chance)
    flipped = chance > 0.5
    at = np.where(flipped, 1.0 - uniform, uniform)
    few = number * rare <= _MOST_EXACT
    odds = rare / (1.0 - rare)
    trials = number.astype(float)
    none = np.exp(trials[few] * np.log1p(-rare[few]))
    out[few] = _added_up(at[few], none, (trials * odds)[few], odds[few])
    if not few.all():
        n, p = trials[~few], rare[~few]
        sd = np.sqrt(n * p * (1.0 - p))
        excess = (1.0 - 6.0 * p * (1.0 - p)) / sd**2
        out[~few] = _expanded(at[~few], n * p, sd, (1.0 - 2.0 * p) / sd, excess)
    np.clip(out, 0, number, out=out)
    return np.where(flipped, number - out, out)


def _pieces(size: int) -> list[slice]:
    return [slice(first, first + _PIECE) for first in range(0, size, _PIECE)]


def _added_up(
    uniform: FloatArray, none: FloatArray, slope: FloatArray, odds: FloatArray
) -> IntArray:
    """Count up while the probabilities so far fall short of `uniform`.

    ``p[k] = p[k-1] (slope / k - odds (1 - 1/k))``: Poisson with no odds, binomial with
    ``slope = n odds``.
    """
    out = np.zeros(len(uniform), dtype=np.int64)
    at = np.flatnonzero(uniform > none)
    p, short = none[at], uniform[at] - none[at]
    slope, odds, k = slope[at], odds[at], 0
    while len(at):
        k += 1
        p = p * (slope - odds * (k - 1)) / k
        out[at] = k
        short = short - p
        # A probability of 0 ends it too: what is still short is rounding.
        goes_on = (short > 0.0) & (p > 0.0)
        at, p, short = at[goes_on], p[goes_on], short[goes_on]
        slope, odds = slope[goes_on], odds[goes_on]
    return out


def _expanded(
    uniform: FloatArray, mean: FloatArray, sd: FloatArray, skew: FloatArray, excess: FloatArray
) -> IntArray:
    z = ndtri(np.clip(uniform, _LEAST, 1.0 - _LEAST))
    w = (
        z
        + (z**2 - 1.0) * skew / 6.0
        + (z**3 - 3.0 * z) * excess / 24.0
        - (2.0 * z**3 - 5.0 * z) * skew**2 / 36.0
    )
    return np.asarray(np.maximum(np.ceil(mean + sd * w - 0.5), 0.0), dtype=np.int64)
