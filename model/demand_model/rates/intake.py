"""Intake: how many referrals come, month by month, and how sure one can be of it.

``count(t) ~ Poisson(working days(t) × profile(month) × exp(u(t)))`` with ``u`` the
Gaussian process of `intake_process`. Six months of counts place the level; what
they cannot show (season, drift, noise) comes from `NATIONAL_INTAKE`, and gives way
by degrees as the history grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.rates.given import checked_series, count_values, whole_number
from demand_model.rates.intake_prior import NATIONAL_INTAKE, PAST_SHOCKS, IntakePrior, Shock
from demand_model.rates.intake_process import (
    Floats,
    Ints,
    MonthPoints,
    ProcessPosterior,
    covariance,
    fit_process,
    level_covariance,
    month_points,
    noise_variance,
)
from demand_model.rates.quantiles import quantiles_of_draws
from demand_model.units import MONTHS_PER_YEAR, working_days_in_months

_WORKING_DAYS_PER_MONTH = 21.0
_LEAST_WORKING_DAYS = 1.0  # of a part of a month, for its noise


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IntakeFit:
    """What monthly counts say about the intake, and what they leave open.

    Attributes
    ----------
    months
        Observed months, gaps left out.
    counts, working_days
        Children referred and working days observed in each; shape (months,).
    prior, shocks
        As given to `fit_intake`.
    process, log_centre
        Posterior of the log of referrals per working day, less profile and `log_centre`.
    """

    months: pd.PeriodIndex
    counts: Floats
    working_days: Floats
    prior: IntakePrior
    shocks: tuple[Shock, ...]
    process: ProcessPosterior = field(repr=False)
    log_centre: float = field(repr=False)

    def level(self, months: pd.PeriodIndex | None = None) -> tuple[Floats, Floats]:
        """Log of the referrals per working day, season, noise and shocks apart.

        Parameters
        ----------
        months
            Past or future months; by default the last observed one.

        Returns
        -------
        mean, sd
            Posterior mean and standard deviation of the log; each of shape (months,).
        """
        at = self.months[-1:] if months is None else months
        points = self._describe(at, working_days_in_months(at).astype(float))
        cross = level_covariance(self.prior, self.process.grid, points, self.process.points)
        own = level_covariance(self.prior, self.process.grid, points, points)
        mean, cov = self.process.parts(cross, own)
        log_mean, sd = self.process.mixture(mean, np.diagonal(cov, axis1=1, axis2=2))
        return self.log_centre + log_mean, sd

    def profile(self) -> tuple[Floats, Floats]:
        """Month-of-year effects per working day, January first.

        Returns
        -------
        effect, own_share
            Posterior effect, about 1, and the share of what was unknown of the
            authority's own departure from the national profile that its history
            has settled (0 none, 1 all); each of shape (12,).
        """
        variance = np.asarray(self.prior.profile_variance, float)
        own_month = np.arange(MONTHS_PER_YEAR)[:, None] == self.process.points.month_index[None, :]
        cross = np.broadcast_to(
            np.where(own_month, variance[:, None], 0.0),
            (len(self.process.grid.drift), *own_month.shape),
        )
        own = np.broadcast_to(np.diag(variance), (len(self.process.grid.drift), 12, 12))
        mean, cov = self.process.parts(cross, own)
        log_effect, sd = self.process.mixture(mean, np.diagonal(cov, axis1=1, axis2=2))
        left = np.divide(sd**2, variance, out=np.ones_like(variance), where=variance > 0)
        return np.exp(self.prior.log_profile + log_effect), np.clip(1.0 - left, 0.0, 1.0)

    def monthly_effect(self, month: int) -> float:
        """Month-of-year effect per working day, `month` 1 for January to 12."""
        if not 1 <= month <= MONTHS_PER_YEAR:
            raise InvalidSettingError(f"Invalid month: {month}. It must be 1 to 12.")
        return float(self.profile()[0][month - 1])

    def draw_paths(
        self,
        months: pd.PeriodIndex,
        draws: int,
        rng: np.random.Generator,
        *,
        working_days: ArrayLike | None = None,
    ) -> Floats:
        """Draw expected counts of the coming months, Poisson chance left out.

        Level, drift, season and extra-Poisson noise are drawn jointly over the
        months, so that each column is one possible future.

        Parameters
        ----------
        months
            Months to draw. The last observed month may be among them, for the
            part of it that is still to come.
        draws
            Number of possible futures, 1 or more.
        rng
            Source of chance: the same state gives the same paths.
        working_days
            Working days meant in each month; by default all of them. Zero gives zero.

        Returns
        -------
        Expected counts, shape (months, draws).
        """
        if draws < 1:
            raise InvalidSettingError(f"Invalid draws: {draws}. It must be 1 or more.")
        days = _working_days(months, working_days)
        points = self._describe(months, np.maximum(days, _LEAST_WORKING_DAYS))
        mean, factor = self._joint(points)
        chance = rng.standard_normal((len(months), draws))
        which = self.process.nodes_of_draws(draws, rng)
        latent = np.empty((len(months), draws))
        for node in np.unique(which):
            mine = which == node
            latent[:, mine] = mean[node][:, None] + factor[node] @ chance[:, mine]
        season = self.prior.log_profile[points.month_index]
        return np.asarray(days[:, None] * np.exp(self.log_centre + season[:, None] + latent), float)

    def draw_counts(
        self,
        months: pd.PeriodIndex,
        draws: int,
        rng: np.random.Generator,
        *,
        working_days: ArrayLike | None = None,
    ) -> Ints:
        """As `draw_paths`, with Poisson chance: possible counts, shape (months, draws)."""
        paths = self.draw_paths(months, draws, rng, working_days=working_days)
        return np.asarray(rng.poisson(paths), np.int64)

    def _describe(self, months: pd.PeriodIndex, working_days: Floats) -> MonthPoints:
        return month_points(
            months, working_days, self.shocks, last_observed=int(self.process.points.ordinal[-1])
        )

    def _joint(self, points: MonthPoints) -> tuple[Floats, Floats]:
        """Posterior mean and Cholesky factor of the log intensity; (grid, months[, months])."""
        cross = covariance(self.prior, self.process.grid, points, self.process.points)
        own = covariance(self.prior, self.process.grid, points, points)
        mean, cov = self.process.parts(cross, own)
        noise = noise_variance(self.prior, self.process.grid, points)
        cov = 0.5 * (cov + cov.transpose(0, 2, 1)) + noise[:, :, None] * np.eye(cov.shape[1])
        return mean, np.asarray(np.linalg.cholesky(cov), np.float64)


def fit_intake(
    counts: pd.Series,
    *,
    working_days: ArrayLike | None = None,
    prior: IntakePrior = NATIONAL_INTAKE,
    shocks: Sequence[Shock] = PAST_SHOCKS,
) -> IntakeFit:
    """Fit level, drift, season and noise to monthly counts.

    Parameters
    ----------
    counts
        Children a month, 0 or more, with a monthly ``PeriodIndex`` in order. A
        missing value or an absent month is a month not observed.
    working_days
        Working days observed in each month, shape (months,): fewer than the month
        has where it was observed in part. By default every month is whole.
    prior
        What authorities in general look like.
    shocks
        Months in which intake was not itself.

    Raises
    ------
    InvalidSettingError
        The index is not monthly and increasing, or the shapes do not agree.
    InvalidInputError
        A count is no number, negative or infinite.
    NotEnoughDataError
        No month was observed.
    """
    index = _monthly_index(counts)
    values = count_values(counts, "counts")
    days = _working_days(index, working_days)
    seen = ~np.isnan(values) & (days > 0)
    if not seen.any():
        raise NotEnoughDataError("No month of counts was given: at least one is needed.")
    return _fit(index[seen], values[seen], days[seen], prior, tuple(shocks))


def _fit(
    months: pd.PeriodIndex,
    counts: Floats,
    days: Floats,
    prior: IntakePrior,
    shocks: tuple[Shock, ...],
) -> IntakeFit:
    points = month_points(months, days, shocks)
    exposure = days * np.exp(prior.log_profile[points.month_index])
    centre = float(np.log((counts.sum() + 0.5) / exposure.sum()))
    log_offset = np.log(exposure) + centre
    return IntakeFit(
        months=months,
        counts=counts,
        working_days=days,
        prior=prior,
        shocks=shocks,
        process=fit_process(
            prior, points, counts, log_offset, float(np.exp(centre)) * _WORKING_DAYS_PER_MONTH
        ),
        log_centre=centre,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountForecast:
    """Possible counts of the coming months.

    Attributes
    ----------
    months
        Forecast months.
    draws
        Possible counts, shape (months, draws).
    fit
        What the forecast rests on.
    """

    months: pd.PeriodIndex
    draws: Ints
    fit: IntakeFit = field(repr=False)

    def quantiles(self, probs: Sequence[float]) -> Floats:
        """Quantiles of each month's count, shape (months, len(probs)).

        Raises
        ------
        InvalidSettingError
            A probability is outside 0 to 1.
        """
        return quantiles_of_draws(self.draws, probs)

    def mean(self) -> Floats:
        """Mean of each month's count, shape (months,)."""
        return np.asarray(self.draws.mean(axis=1), float)


def forecast_counts(
    counts: pd.Series,
    horizon_months: int = 12,
    draws: int = 1000,
    seed: int = 0,
    *,
    prior: IntakePrior = NATIONAL_INTAKE,
    shocks: Sequence[Shock] = PAST_SHOCKS,
) -> CountForecast:
    """Forecast monthly counts of referrals: the intake model that a run uses.

    Parameters
    ----------
    counts
        Children a month, with a monthly ``PeriodIndex``; one month is enough, six
        do well. Missing months are allowed.
    horizon_months
        Months to forecast after the last observed one, 1 or more.
    draws
        Number of possible futures.
    seed
        The same seed gives the same forecast.
    prior, shocks
        As in `fit_intake`.

    Raises
    ------
    InvalidSettingError
        `counts` is no Series, its index is not monthly and increasing, or
        `horizon_months`, `draws` or `seed` is no whole number or too small.
    InvalidInputError
        A count is no number, negative or infinite.
    NotEnoughDataError
        No month was observed.

    Examples
    --------
    >>> months = pd.period_range("2024-01", periods=6, freq="M")
    >>> forecast = forecast_counts(pd.Series([310, 302, 290, 300, 318, 322], months))
    >>> forecast.quantiles([0.1, 0.5, 0.9]).shape
    (12, 3)
    """
    horizon_months = whole_number("horizon_months", horizon_months, least=1)
    draws, seed = whole_number("draws", draws, least=1), whole_number("seed", seed, least=0)
    fit = fit_intake(counts, prior=prior, shocks=shocks)
    months = pd.period_range(fit.months[-1] + 1, periods=horizon_months, freq="M")
    drawn = fit.draw_counts(months, draws, np.random.default_rng(seed))
    return CountForecast(months=months, draws=drawn, fit=fit)


def _monthly_index(counts: pd.Series) -> pd.PeriodIndex:
    index = checked_series(counts, "counts").index
    if not isinstance(index, pd.PeriodIndex) or index.freqstr != "M":
        raise InvalidSettingError(
            "Invalid index of counts. It must be a PeriodIndex with freq 'M'."
        )
    if not index.is_monotonic_increasing or not index.is_unique:
        raise InvalidSettingError(
            "Invalid index of counts. Its months must be in order, each given once."
        )
    return index


def _working_days(months: pd.PeriodIndex, given: ArrayLike | None) -> Floats:
    if given is None:
        return np.asarray(working_days_in_months(months), float)
    days = np.asarray(given, float)
    if days.shape != (len(months),) or np.any(~(days >= 0)):
        raise InvalidSettingError(
            "Invalid working_days. They must be 0 or more, one number for each month."
        )
    return days
