"""What months of history say of conversions and exit rates: their level now, and their drift.

The lists' own window fixes each rate to 10 to 20%. Months of starts, ends and open
cases before it say more, as far as the rate has stood still. For each of four
*processes* (conversion to plans and to care, exits from plans and from care) the
count of a month is

    count(t) ~ Poisson(expected(t) exp(u(t))),   u = level + slow(t) + noise(t)

with ``expected`` the month's count at constant rates (referrals of that month and
before; children open), ``slow`` an Ornstein-Uhlenbeck process, and the scales of
slow and noise on a grid, weighted by how well they explain the counts: the Gaussian
process of `intake_process`. History and the lists' months, each counted once, say
how far the rate now departs from its mean over the lists' window, to which the draws
are fitted: by what was usual before, and by how it moved within the window. That
moves the draws of the rates (see `move`), and the path of the forecast is drawn given
history: from the present back towards the authority's own usual level, with the drift
that is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.rates.history_series import expected_break
from demand_model.rates.intake_prior import IntakePrior
from demand_model.rates.intake_process import (
    MonthPoints,
    ProcessPosterior,
    fit_process,
    level_covariance,
    month_points,
)
from demand_model.rates.priors import Drift, Priors
from demand_model.units import working_days_in_months

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Process(IntEnum):
    """A rate that drifts, and the rows of arrays by process."""

    PLAN_CONVERSION = 0
    CARE_CONVERSION = 1
    PLAN_EXIT = 2
    CARE_EXIT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPrior:
    """How far authorities differ in drift and noise, for one whose history is to be read.

    What they have in common, the mean variance and the time of the drift, is the national
    `Drift`.

    Attributes
    ----------
    drift_spread, noise_spread
        Standard deviation between authorities of the log of the variances.
    spread_months
        Months of evidence on these that count at most.
    season_variance
        Of an authority's own month-of-year effects.
    extra_noise
        Variance of a month's log count beyond families and chance.
    """

    drift_spread: float = 0.75
    noise_spread: float = 0.35
    spread_months: float = 36.0
    season_variance: float = 0.001
    extra_noise: float = 0.002


PAST_PRIOR = PastPrior()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastRate:
    """What history says of one process; arrays by node of the grid of scales.

    Attributes
    ----------
    months
        Months of history that it rests on, those of the lists left out.
    prior, posterior
        Of ``u``, given history and lists.
    now
        The census month.
    mean, variance
        Of ``u`` now, given both; shape (grid,).
    departure
        Mean of the log of the rate now over what the lists count in their months;
        shape (grid,).
    chance_variance
        Of the log of what the lists count, by chance alone.
    """

    months: int
    prior: IntakePrior
    posterior: ProcessPosterior
    now: pd.Period
    mean: FloatArray
    variance: FloatArray
    departure: FloatArray
    chance_variance: float

    @property
    def drift_scale(self) -> float:
        """Standard deviation of the drift over the typical authority's, posterior mean."""
        return float(self.posterior.weights @ np.sqrt(self.posterior.grid.drift))

    def paths(
        self,
        months: pd.PeriodIndex,
        node: IntArray,
        deviation: FloatArray,
        chance: FloatArray,
        *,
        is_mean_one: bool = True,
    ) -> FloatArray:
        """Multipliers of the rate in months to come, given each draw's rate now.

        Parameters
        ----------
        months
            The census month or later.
        node
            Node of each draw; shape (draws,).
        deviation
            Log of each draw's rate now over what history and lists expect; shape
            (draws,).
        chance
            Standard Normal; shape (months, draws).
        is_mean_one
            As in `Drift`.

        Returns
        -------
        ``exp(u(t) - u(now))``, of mean (or median) ``exp(E[u(t) - u(now)])``; shape
        (months, draws).
        """
        points = _points(pd.PeriodIndex([self.now, *months], freq="M"))
        mean, cov = _level_parts(self.prior, self.posterior, points)
        out = np.empty_like(chance)
        for k in np.unique(node):
            mine = node == k
            gain = cov[k, 1:, 0] / cov[k, 0, 0]
            rest = cov[k, 1:, 1:] - np.outer(gain, cov[k, 0, 1:])
            factor = _root(rest)
            centre = mean[k, 1:] - mean[k, 0]
            if is_mean_one:
                centre = centre - np.diagonal(rest) / 2.0
            back = (gain - 1.0)[:, None] * deviation[mine]
            out[:, mine] = centre[:, None] + back + factor @ chance[:, mine]
        return np.asarray(np.exp(out))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastRates:
    """What history says of each process that it shows; the rest is as without history.

    Attributes
    ----------
    rates
        By process.
    list_offset
        Log of what the lists count over what the fitted rates give, by process:
        the fit leans on national rates and adds what the lists hide.
    """

    rates: Mapping[Process, PastRate]
    list_offset: Mapping[Process, float]


def move(
    past: PastRate,
    present: FloatArray,
    jitter: float,
    list_offset: float,
    rng: np.random.Generator,
    *,
    is_fitted_beside: bool,
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Move draws of a rate's log now to where history and lists together put them.

    The draws are close to Normal(mu, V): what the lists count, L, of variance c, and beyond
    it the national rates N, which weigh ``p = max(1/V - 1/c, 0)``: ``p N = mu/V - L/c``.
    History and the lists' months put the rate now at Normal(a, v), with ``a`` the lists'
    count and `departure`. The two make Normal(mu', V') with ``1/V' = 1/v + p``,
    ``mu' = V' (a/v + p N)``, and each draw keeps its place:
    ``x' = mu' + sqrt(V' / V) (x - mu)``. No draw is lost, as weights would lose them.

    Parameters
    ----------
    present
        Log of the flow now; shape (draws,).
    jitter
        Variance within it of the present less the window's mean, of which the draws know
        nothing more.
    list_offset
        As in `PastRates`.
    is_fitted_beside
        The offset is ``L - mu``: the national rates, which draw mu from the lists' count, lie
        on its other side. If not, it is another way of counting alone.

    Returns
    -------
    shift, node, deviation
        What to add to the log, node of the grid, and departure from `PastRate.mean`;
        each of shape (draws,).
    """
    node = past.posterior.nodes_of_draws(len(present), rng)
    centre, spread = present.mean() + jitter / 2.0, float(present.var())
    of_window = max(spread - jitter, 0.05 * spread)
    national = max(1.0 / max(of_window, 1e-12) - 1.0 / past.chance_variance, 0.0)
    departure = list_offset + past.departure
    variance = 1.0 / (1.0 / past.variance + national)
    gain = variance / past.variance
    place = (present - present.mean()) / np.sqrt(max(spread, 1e-12))
    step = gain * departure
    if is_fitted_beside and national > 0.0:
        step = step - variance * list_offset / past.chance_variance
    own_place = np.sqrt(variance)[node] * place
    moved = centre + step[node] + own_place
    return moved - present, node, own_place + (step - departure)[node]


def drift_of(process: Process, priors: Priors) -> Drift:
    """National drift of a process."""
    return {
        Process.PLAN_CONVERSION: priors.plan_conversion_drift,
        Process.CARE_CONVERSION: priors.care_conversion_drift,
        Process.PLAN_EXIT: priors.plan_exit_drift,
        Process.CARE_EXIT: priors.care_exit_drift,
    }[process]


def fit_rate(
    seen: pd.Series,
    expected: pd.Series,
    listed_from: pd.Period,
    prior: IntakePrior,
    now: pd.Period,
    *,
    counted_alike: bool = False,
    dispersion: float = 1.0,
) -> PastRate:
    """Posterior of one process, and how far its rate now is from the lists' own count.

    Parameters
    ----------
    seen, expected
        Counts and what they would be at constant rates, up to a factor; same months.
    listed_from
        First month that the lists show.
    now
        The census month.
    counted_alike
        History is known to count as the lists do.
    dispersion
        Variance over mean of a count.
    """
    months = pd.PeriodIndex(seen.index)
    counts, exposed = seen.to_numpy(float), np.maximum(expected.to_numpy(float), 1e-6)
    listed = np.asarray(months >= listed_from)
    centre = float(np.log((counts.sum() + 0.5) / exposed.sum()))
    offset, size = np.log(exposed) + centre, float(counts.mean())
    if not counted_alike:
        step = _step_in_counting(prior, months, counts, offset, listed)
        counts = np.where(listed, counts, counts * np.exp(step))
    posterior = fit_process(prior, _points(months), counts, offset, size)
    at_now = _points(pd.PeriodIndex([now], freq="M"))
    mean, variance = _level_now(prior, posterior, at_now)
    shown, usual = counts[listed].sum() + 0.5, exposed[listed].sum()
    of_lists = float(np.log(shown / usual)) - centre
    return PastRate(
        months=int((~listed).sum()),
        prior=prior,
        posterior=posterior,
        now=now,
        mean=mean,
        variance=variance,
        departure=mean + _mean_over_level(prior, posterior, size) - of_lists,
        chance_variance=dispersion / float(shown),
    )


def _mean_over_level(prior: IntakePrior, posterior: ProcessPosterior, size: float) -> FloatArray:
    """Log of the mean count over the fitted level, by node of the grid; shape (grid,).

    Noise lifts the mean of counts over their median. The fit makes the mean of
    ``exp(level + noise)`` the mean count, with the most probable noise of each month; with
    ``m`` children a month and noise of variance ``s``, that varies by ``s^2 / (s + 1/m)``.
    """
    noise = posterior.grid.noise * prior.noise_variance
    return np.asarray(noise**2 / (noise + 1.0 / max(size, 0.5)) / 2.0)


def _step_in_counting(
    prior: IntakePrior,
    months: pd.PeriodIndex,
    counts: FloatArray,
    offset: FloatArray,
    listed: npt.NDArray[np.bool_],
) -> float:
    """Log of the step to be expected between history and lists (see `expected_break`)."""
    past = ~listed
    size = float(counts[past].mean())
    alone = fit_process(prior, _points(months[past]), counts[past], offset[past], size)
    mean, cov = _level_parts(prior, alone, _points(months[listed]))
    total = float(counts[listed].sum()) + 0.5
    weight = np.exp(offset[listed])
    share = weight / weight.sum()
    foretold, variance = alone.mixture(
        mean @ share[:, None], np.einsum("i,kij,j->k", share, cov, share)[:, None]
    )
    chance = 1.0 / total + prior.noise_variance / int(listed.sum())
    surprise = float(np.log(total / weight.sum()) - foretold[0])
    return expected_break(surprise, float(variance[0]) ** 2 + chance)


def _points(months: pd.PeriodIndex) -> MonthPoints:
    return month_points(months, working_days_in_months(months).astype(float), ())


def _level_now(
    prior: IntakePrior, posterior: ProcessPosterior, at_now: MonthPoints
) -> tuple[FloatArray, FloatArray]:
    mean, cov = _level_parts(prior, posterior, at_now)
    return mean[:, 0], cov[:, 0, 0]


def _level_parts(
    prior: IntakePrior, posterior: ProcessPosterior, points: MonthPoints
) -> tuple[FloatArray, FloatArray]:
    cross = level_covariance(prior, posterior.grid, points, posterior.points)
    own = level_covariance(prior, posterior.grid, points, points)
    return posterior.parts(cross, own)


def _root(covariance: FloatArray) -> FloatArray:
    """A factor ``A`` with ``A A' = covariance``, where rounding may leave it short of definite."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2.0)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
