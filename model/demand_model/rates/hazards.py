"""Gamma posteriors of a flow's cells, under a shared level.

The model of a flow with cells ``c`` (duration bands, segments or lag weeks)::

    occurrences[c] / d  ~ Poisson(rate[c] * exposure[c] / d)     d: dispersion
    rate[c]             = level * prior[c] * g[c]
    g[c]                ~ Gamma(k, k)          k: cell_events
    level               ~ Gamma(a, a)          a: level_events

Given the level, each cell's posterior is closed form,

    rate[c] | level ~ Gamma(k + occurrences[c] / d,
                            k / (level * prior[c]) + exposure[c] / d),

and the level's own posterior is one-dimensional (the cells integrate out to
negative binomials), so it is laid on a grid. Dividing occurrences and exposure
by the dispersion discounts events that come in families. Source of the
construction: Clayton and Kaldor (1987), Biometrics 43, 671-681.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]

_GRID = np.concatenate([np.linspace(-9.0, -3.05, 60), np.linspace(-3.0, 3.0, 241)])
_WIDTH = np.gradient(_GRID)
"""Log level: up to twenty times the national level, and down to next to nothing, since a
level of weight below one event (as of UASC) has a third of its prior below a tenth."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BandedRates:
    """Posterior of the cells of one flow.

    Attributes
    ----------
    occurrences, exposure
        As counted; exposure in the flow's own unit of time or referrals.
    prior_rates
        National rates.
    dispersion
        Variance over mean by which the counts are discounted.
    cell_events
        ``k`` of the model above.
    level_weights
        Posterior of the level on the grid; shape (grid,).
    fixed
        The analyst's own rates, NaN where there is none; these win.
    scale
        Factor on every rate.
    overall
        The analyst's own rate of the whole flow (cells weighted by exposure),
        NaN if there is none: every cell is scaled to it, draw by draw.
    total
        The analyst's own sum of the cells, as of starts a referral over weeks,
        NaN if there is none: every cell is scaled to it, draw by draw.
    """

    occurrences: FloatArray
    exposure: FloatArray
    prior_rates: FloatArray
    dispersion: float
    cell_events: float
    level_weights: FloatArray
    fixed: FloatArray
    scale: float = 1.0
    overall: float = float("nan")
    total: float = float("nan")

    def _shape_and_rates(self) -> tuple[FloatArray, FloatArray]:
        """Gamma shape, (cells,), and rate, (grid, cells), of the posterior given the level."""
        shape = self.cell_events + self.occurrences.ravel() / self.dispersion
        level = np.exp(_GRID)[:, None]
        prior = self.prior_rates.ravel()[None, :]
        rate = self.cell_events / (level * prior) + self.exposure.ravel() / self.dispersion
        return shape, rate

    def mean(self) -> FloatArray:
        """Posterior mean a cell."""
        shape, rate = self._shape_and_rates()
        mean = self.level_weights @ (shape / rate) * self.scale
        return self.with_own(mean.reshape(self.occurrences.shape)[..., None])[..., 0]

    def without_own(self) -> BandedRates:
        """The same fit with none of the analyst's own rates laid over it."""
        none = float("nan")
        return replace(self, fixed=np.full_like(self.fixed, none), overall=none, total=none)

    def prior_exposure(self) -> FloatArray:
        """Exposure that the prior is worth in each cell, in the unit of `exposure`.

        The ``b`` of ``mean = scale * (k + occurrences / d) / (b + exposure / d)``: the
        prior's ``k / (level * prior)`` averaged over the level as the mean averages it.
        """
        _, rate = self._shape_and_rates()
        total = 1.0 / (self.level_weights @ (1.0 / rate))
        prior = np.maximum(total - self.exposure.ravel() / self.dispersion, 0.0)
        return np.asarray(prior.reshape(self.occurrences.shape))

    def interval_events(self) -> FloatArray:
        """Events that would alone give a cell's interval: the shape of its Gamma."""
        shape, rate = self._shape_and_rates()
        mean = self.level_weights @ (shape / rate)
        square = self.level_weights @ (shape * (shape + 1.0) / rate**2)
        variance = np.maximum(square - mean**2, 1e-300)
        return np.asarray((mean**2 / variance).reshape(self.occurrences.shape))

    def overall_events(self) -> float:
        """Events behind the interval of the whole flow's rate."""
        return max(float(self.occurrences.sum()) / self.dispersion, 0.0) + self.cell_events

    def overall_mean(self) -> float:
        """Rate of the whole flow, cells weighted by exposure."""
        return float((self.mean() * self._weights()).sum())

    def overall_interval(self, probability: float = 0.95) -> tuple[float, float]:
        """Central interval of the whole flow's rate, from the events behind it."""
        mean = self.overall_mean()
        if not np.isnan(self.overall):
            return mean, mean
        alpha = self.overall_events()
        tail = (1.0 - probability) / 2.0
        low, high = special.gammaincinv(alpha, [tail, 1.0 - tail]) / alpha
        return mean * float(low), mean * float(high)

    def _weights(self) -> FloatArray:
        total = float(self.exposure.sum())
        if total <= 0.0:
            return np.full(self.exposure.shape, 1.0 / self.exposure.size)
        return np.asarray(self.exposure / total)

    def with_own(self, rates: FloatArray) -> FloatArray:
        """Lay the analyst's own rates over `rates`, of shape (cells…, draws)."""
        own = self.fixed[..., None]
        out = np.where(np.isnan(own), rates, own)
        axes = tuple(range(self.exposure.ndim))
        if not np.isnan(self.total):
            return np.asarray(out * (self.total / np.maximum(out.sum(axis=axes), 1e-300)))
        if np.isnan(self.overall):
            return out
        now = (out * self._weights()[..., None]).sum(axis=axes)
        return np.asarray(out * (self.overall / np.maximum(now, 1e-300)))

    def interval(self, probability: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Central interval a cell, from a Gamma with the posterior's mean and variance."""
        alpha = self.interval_events()
        per_event = self.without_own().mean() / alpha
        tail = (1.0 - probability) / 2.0
        low = special.gammaincinv(alpha, tail) * per_event
        high = special.gammaincinv(alpha, 1.0 - tail) * per_event
        own = self.mean()
        free = np.isnan(self.fixed)
        if not (np.isnan(self.overall) and np.isnan(self.total)):
            free &= False
        return (
            np.where(free, low, own),
            np.where(free, high, own),
        )

    def prior_weight(self) -> FloatArray:
        """Share of each rate that comes from the prior: 0 own data alone, 1 prior alone."""
        _, rate = self._shape_and_rates()
        own = self.exposure.ravel() / self.dispersion
        weight = self.level_weights @ (1.0 - own / rate)
        return np.asarray(np.clip(weight, 0.0, 1.0)).reshape(self.occurrences.shape)

    def draw(self, draws: int, rng: np.random.Generator) -> FloatArray:
        """Joint posterior draws; of shape (cells…, draws)."""
        cells = self.occurrences.shape
        picked = rng.choice(len(_GRID), size=draws, p=self.level_weights)
        level = np.exp(_GRID[picked] + _WIDTH[picked] * (rng.random(draws) - 0.5))
        shape = self.cell_events + self.occurrences.ravel()[:, None] / self.dispersion
        prior = self.prior_rates.ravel()[:, None] * level
        rate = self.cell_events / prior + self.exposure.ravel()[:, None] / self.dispersion
        out = rng.standard_gamma(np.broadcast_to(shape, rate.shape)) / rate * self.scale
        return self.with_own(out.reshape(*cells, draws))


def fit_banded(
    occurrences: FloatArray,
    exposure: FloatArray,
    prior_rates: FloatArray,
    *,
    level_events: float,
    cell_events: float,
    dispersion: float,
    fixed: FloatArray | None = None,
    overall: float = float("nan"),
) -> BandedRates:
    """Posterior of a flow's cells given counts and a national prior.

    Parameters
    ----------
    occurrences, exposure, prior_rates
        Same shape; exposure in the unit of time of the prior rates.
    level_events, cell_events
        Weights of the prior, in events.
    dispersion
        Variance over mean of the counts, 1 or more.
    fixed
        The analyst's own rates, NaN where there is none.
    overall
        The analyst's own rate of the whole flow, NaN if there is none.
    """
    y = occurrences.ravel() / dispersion
    mean = np.exp(_GRID)[:, None] * (prior_rates.ravel() * exposure.ravel() / dispersion)
    k = cell_events
    log_likelihood = (y * (np.log(mean + 1e-300) - np.log(mean + k)) - k * np.log1p(mean / k)).sum(
        axis=1
    )
    log_prior = level_events * (_GRID - np.exp(_GRID))
    log_posterior = log_likelihood + log_prior + np.log(_WIDTH)
    weights = np.exp(log_posterior - log_posterior.max())
    return BandedRates(
        occurrences=occurrences,
        exposure=exposure,
        prior_rates=prior_rates,
        dispersion=dispersion,
        cell_events=cell_events,
        level_weights=weights / weights.sum(),
        fixed=np.full(occurrences.shape, np.nan) if fixed is None else fixed,
        overall=overall,
    )
