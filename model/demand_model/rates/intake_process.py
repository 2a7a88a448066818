"""The algebra of the intake model: a Gaussian process for the log of a month's intensity.

The log of the expected count per working day, in calendar month ``t``, is a sum
of independent parts (variances and times: `IntakePrior`)::

    u(t) = mean + level + trend·t + long(t) + slow(t) + fast(t) + own season(month) + shock(t)
           + noise(t)

and a count is Poisson with mean ``working days × profile(month) × exp(u(t))``.
Unknown are the scale of the variances of long and slow, that of fast and noise, and how
long slow changes last: they lie on a small grid, weighted by how well they explain the counts.

Arrays have the grid first, then months: (grid, months) or (grid, months, months).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_model.rates.intake_prior import IntakePrior, Shock
from demand_model.units import MONTHS_PER_YEAR, working_days_in_months

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

NO_SHOCK = -1

# Nodes of the two unknown scales, in standard deviations of their logs.
_DRIFT_NODES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
_NOISE_NODES = np.array([-1.6, 0.0, 1.6])

# A shock that an analyst marks may be far greater than those measured (a month without a
# system): scales of its variance, and what each is worth before its months are seen.
_SHOCK_SCALES = np.array([1.0, 8.0, 64.0])
_LOG_SHOCK_PRIOR = np.log([0.90, 0.08, 0.02])

_NEWTON_STEPS = 25
_NEWTON_TOLERANCE = 1e-6
_LARGEST_STEP = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthPoints:
    """Calendar months as the covariance sees them, each array of shape (months,).

    Attributes
    ----------
    ordinal
        Months since January 1970.
    month_index
        0 for January … 11 for December.
    shock
        Number of the shock that is on, or `NO_SHOCK`.
    unmeasured
        Whether that shock's size is for its own months to say.
    share
        Part of the month's working days that is meant, 1 for a full month.
    years
        Years after the last observed month, the same month for all points of one fit.
    """

    ordinal: Ints
    month_index: Ints
    shock: Ints
    unmeasured: NDArray[np.bool_]
    share: Floats
    years: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleGrid:
    """The grid of what is unknown of the variances, each array of shape (grid,).

    Attributes
    ----------
    drift, noise
        Scales of the variances of long and slow, of fast and noise.
    slow_months
        How long slow changes last.
    log_prior
        Log of each node's prior weight.
    shock_scale
        Scale of the variance of each shock, the same at all nodes; shape (shocks,).
    """

    drift: Floats
    noise: Floats
    slow_months: Floats
    log_prior: Floats
    shock_scale: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProcessPosterior:
    """The process given the counts, at every node of the grid.

    Attributes
    ----------
    grid, points
        Variance scales and observed months.
    weights
        Posterior weight of each node; shape (grid,).
    factor
        Cholesky factor of the covariance of the pseudo-observations;
        shape (grid, months, months).
    whitened
        ``factor⁻¹ × values``; shape (grid, months, 1).
    """

    grid: ScaleGrid
    points: MonthPoints
    weights: Floats
    factor: Floats
    whitened: Floats

    def parts(self, cross: Floats, own: Floats) -> tuple[Floats, Floats]:
        """Posterior of any parts of the process.

        Parameters
        ----------
        cross, own
            Their prior covariance with the observed months and with each other;
            shapes (grid, parts, months) and (grid, parts, parts).

        Returns
        -------
        mean, covariance
            Shapes (grid, parts) and (grid, parts, parts).
        """
        projected = np.linalg.solve(self.factor, cross.transpose(0, 2, 1))
        back = projected.transpose(0, 2, 1)
        mean = (back @ self.whitened)[:, :, 0]
        return np.asarray(mean, np.float64), np.asarray(own - back @ projected, np.float64)

    def mixture(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation over the grid, from (grid, parts) to (parts,)."""
        weights = self.weights[:, None]
        centre = (weights * mean).sum(axis=0)
        spread = (weights * (variance + (mean - centre) ** 2)).sum(axis=0)
        return np.asarray(centre, float), np.asarray(np.sqrt(np.maximum(spread, 0.0)), float)

    def nodes_of_draws(self, draws: int, rng: np.random.Generator) -> Ints:
        """Node for each draw: by weight, evenly spread, in random order; shape (draws,)."""
        positions = (np.arange(draws) + rng.random()) / draws
        nodes = np.searchsorted(np.cumsum(self.weights), positions)
        return np.asarray(rng.permutation(np.minimum(nodes, len(self.weights) - 1)), np.int64)


def fit_process(
    prior: IntakePrior,
    points: MonthPoints,
    counts: Floats,
    log_offset: Floats,
    size_per_month: float,
) -> ProcessPosterior:
    """Posterior given counts of mean ``exp(log_offset + u)``; arrays of shape (months,)."""
    grid = _with_shock_scales(prior, scale_grid(prior, size_per_month), points, counts, log_offset)
    eye = np.eye(len(counts))
    latent = covariance(prior, grid, points, points)
    latent = latent + noise_variance(prior, grid, points)[:, :, None] * eye
    typical = int(np.argmax(grid.log_prior))
    value, variance = pseudo_observations(counts, log_offset, latent[typical])
    factor, whitened = _factor_and_whiten(latent + variance * eye, value, variance)
    log_likelihood = _log_likelihood(factor, whitened)
    counted = min(1.0, prior.spread_months / len(counts))
    log_weight = grid.log_prior + counted * log_likelihood
    weights = np.exp(log_weight - log_weight.max())
    return ProcessPosterior(
        grid=grid,
        points=points,
        weights=weights / weights.sum(),
        factor=factor,
        whitened=whitened,
    )


def month_points(
    months: pd.PeriodIndex,
    working_days: Floats,
    shocks: tuple[Shock, ...],
    *,
    last_observed: int | None = None,
) -> MonthPoints:
    """Describe months; a shock that is on in month `last_observed` goes on for later months."""
    ordinal = np.asarray(months.asi8, np.int64)
    shock = np.full(len(ordinal), NO_SHOCK, np.int64)
    for number, span in enumerate(shocks):
        first, last = span.first.ordinal, span.last.ordinal
        goes_on = last_observed is not None and first <= last_observed <= last
        within = (ordinal >= first) & ((ordinal <= last) | goes_on)
        if last_observed is not None and not goes_on:
            within &= ordinal <= last_observed
        shock[within] = number
    return MonthPoints(
        ordinal=ordinal,
        month_index=ordinal % MONTHS_PER_YEAR,
        shock=shock,
        unmeasured=np.isin(shock, [n for n, span in enumerate(shocks) if not span.measured]),
        share=working_days / working_days_in_months(months),
        years=(ordinal - (ordinal[-1] if last_observed is None else last_observed))
        / MONTHS_PER_YEAR,
    )


def scale_grid(prior: IntakePrior, size_per_month: float) -> ScaleGrid:
    """Scales of drift and noise, and slow times, for an authority of the given size."""
    relative = np.clip(size_per_month, *prior.size_limits) / prior.reference_size
    log_drift = prior.drift_spread * _DRIFT_NODES - prior.drift_size_power * np.log(relative)
    log_noise = prior.noise_spread * _NOISE_NODES - prior.noise_size_power * np.log(relative)
    ratio = prior.slow_ratio
    times = prior.slow_months * np.array([1.0] if ratio == 1.0 else [1.0 / ratio, ratio])
    time, drift, noise = np.meshgrid(times, np.exp(log_drift), np.exp(log_noise), indexing="ij")
    weights = -0.5 * (_DRIFT_NODES[:, None] ** 2 + _NOISE_NODES[None, :] ** 2)
    weights = np.broadcast_to(weights, drift.shape)
    return ScaleGrid(
        drift=drift.ravel(),
        noise=noise.ravel(),
        slow_months=time.ravel(),
        log_prior=(weights - np.log(np.exp(weights).sum())).ravel(),
        shock_scale=np.ones(0),
    )


def level_covariance(
    prior: IntakePrior, grid: ScaleGrid, rows: MonthPoints, columns: MonthPoints
) -> Floats:
    """Covariance of level + trend + long + slow: what lasts; shape (grid, rows, columns)."""
    apart = _months_apart(rows, columns)
    times, which = np.unique(grid.slow_months, return_inverse=True)
    drift = prior.slow_variance * np.exp(-apart / times[:, None, None])
    drift += prior.long_variance * np.exp(-apart / prior.long_months)
    for_good = prior.level_variance + prior.trend_variance * np.outer(rows.years, columns.years)
    return np.asarray(for_good + grid.drift[:, None, None] * drift[which], float)


def covariance(
    prior: IntakePrior, grid: ScaleGrid, rows: MonthPoints, columns: MonthPoints
) -> Floats:
    """Covariance of every part but the noise; shape (grid, rows, columns)."""
    apart = _months_apart(rows, columns)
    fast = prior.fast_variance * np.exp(-apart / prior.fast_months)
    same_month = rows.month_index[:, None] == columns.month_index[None, :]
    season = np.where(same_month, np.asarray(prior.profile_variance)[rows.month_index][:, None], 0)
    same_shock = rows.shock[:, None] == columns.shock[None, :]
    in_shock = same_shock & (rows.shock[:, None] != NO_SHOCK)
    # the last is for months of no shock (-1) and of shocks that no observed month was in
    scale = np.append(grid.shock_scale, 1.0)[np.minimum(rows.shock, len(grid.shock_scale))]
    shock = prior.shock_variance * scale[:, None] * np.exp(-apart / prior.shock_months)
    shock *= np.outer(_goes_on(prior, rows), _goes_on(prior, columns))
    shock = np.where(in_shock, shock, 0.0)
    kept = level_covariance(prior, grid, rows, columns)
    return np.asarray(kept + grid.noise[:, None, None] * fast + season + shock, float)


def _goes_on(prior: IntakePrior, points: MonthPoints) -> Floats:
    """How far a shock that is on still is in months to come; shape (months,).

    One that the analyst marked comes to an end, or a large one would lift the mean for good.
    """
    ahead = np.maximum(points.years, 0.0) * MONTHS_PER_YEAR
    return np.where(points.unmeasured, np.exp(-ahead / prior.shock_months), 1.0)


def noise_variance(prior: IntakePrior, grid: ScaleGrid, points: MonthPoints) -> Floats:
    """Extra-Poisson variance of each month's count by itself; shape (grid, months).

    Families come independently of one another, so part of a month is noisier
    than the whole in proportion to what is missing.
    """
    return np.asarray(grid.noise[:, None] * prior.noise_variance / points.share, float)


def pseudo_observations(
    counts: Floats, log_offset: Floats, prior_covariance: Floats
) -> tuple[Floats, Floats]:
    """Gaussian stand-ins for Poisson counts, at the most probable intensities (Laplace).

    ``value = u + (count - m) / m``, ``variance = 1 / m`` with ``m = exp(log_offset + u)``,
    at the ``u ~ Normal(0, prior_covariance)`` that the counts make most probable.
    No logarithm of a count is taken, so zero is a count like any other.

    Returns
    -------
    values, variances
        Each of shape (months,), on the scale of ``u``.
    """
    latent = np.log(counts + 0.5) - log_offset
    for _ in range(_NEWTON_STEPS):
        intensity = np.exp(log_offset + latent)
        value = latent + (counts - intensity) / intensity
        precision = np.linalg.solve(prior_covariance + np.diag(1.0 / intensity), value)
        step = prior_covariance @ precision - latent
        latent = latent + np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        if np.abs(step).max() < _NEWTON_TOLERANCE:
            break
    intensity = np.exp(log_offset + latent)
    return latent + (counts - intensity) / intensity, 1.0 / intensity


def _with_shock_scales(
    prior: IntakePrior, grid: ScaleGrid, points: MonthPoints, counts: Floats, log_offset: Floats
) -> ScaleGrid:
    """`grid` with the scale of each unmeasured shock: by degrees, as far as it stands out."""
    seen = np.unique(points.shock[points.unmeasured])
    if len(seen) == 0 or prior.shock_variance == 0:
        return grid
    scales = np.ones(int(seen.max()) + 1)
    typical = slice(int(np.argmax(grid.log_prior)), int(np.argmax(grid.log_prior)) + 1)
    node = ScaleGrid(
        drift=grid.drift[typical],
        noise=grid.noise[typical],
        slow_months=grid.slow_months[typical],
        log_prior=grid.log_prior[typical],
        shock_scale=scales,
    )
    # good enough to tell a scale; the fit itself takes the most probable intensities
    value, variance = np.log(counts + 0.5) - log_offset, 1.0 / (counts + 0.5)
    own = np.diag(variance + noise_variance(prior, node, points)[0])
    for number in seen:
        evidence = _LOG_SHOCK_PRIOR.copy()
        for place, scale in enumerate(_SHOCK_SCALES):
            scales[number] = scale
            latent = covariance(prior, node, points, points) + own
            evidence[place] += _log_likelihood(*_factor_and_whiten(latent, value, variance))[0]
        weights = np.exp(evidence - evidence.max())
        scales[number] = np.exp((weights / weights.sum()) @ np.log(_SHOCK_SCALES))
    return replace(grid, shock_scale=scales)


def _log_likelihood(factor: Floats, whitened: Floats) -> Floats:
    """Of the values that `_factor_and_whiten` was given, up to a constant; shape (grid,)."""
    log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(-0.5 * (whitened**2).sum(axis=(1, 2)) - log_det, float)


def _factor_and_whiten(
    covariance: Floats, value: Floats, least_variance: Floats
) -> tuple[Floats, Floats]:
    """Cholesky factors ``F`` and ``F⁻¹ value``; shapes (grid, months, months) and (…, 1).

    With the values as one more row, the same decomposition gives both: a third of
    the work of solving afterwards. The corner is large enough for it to be definite.
    """
    size = len(value)
    bordered = np.empty((len(covariance), size + 1, size + 1))
    bordered[:, :size, :size] = covariance
    bordered[:, size, :size] = bordered[:, :size, size] = value
    bordered[:, size, size] = 1.0 + (value**2 / least_variance).sum()
    factor = np.asarray(np.linalg.cholesky(bordered), np.float64)
    return factor[:, :size, :size], factor[:, size, :size, None]


def _months_apart(rows: MonthPoints, columns: MonthPoints) -> Floats:
    return np.asarray(np.abs(rows.ordinal[:, None] - columns.ordinal[None, :]), np.float64)
