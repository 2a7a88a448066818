"""Starts that no referral explains, told from those whose referral List 3 does not reach.

At a look-back of ``u`` weeks the starts a day whose referral lies before the window are
``hidden[u] = R sum over l >= u of rate[l]``, with ``R`` the referrals a day; what unlinked
starts exceed them are true others::

    unlinked[u] / d ~ Poisson(days[u] (hidden[u] + other) / d),   other ~ Gamma(2, 2 / prior)

with ``d`` the dispersion. The posterior of `other` is laid on a grid, for each draw of the
weekly rates anew: that the split itself is uncertain is in the draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.units import DAYS_PER_MONTH

FloatArray = npt.NDArray[np.float64]

_PRIOR_SHAPE = 2.0
_NODES, _FINE_NODES = 24, 400
_REACH = 6.0
"""The grid reaches so many standard deviations, of the unlinked starts' number, either way."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OtherStarts:
    """Counts of unlinked starts, and what they say of starts that follow no referral.

    Attributes
    ----------
    unlinked, days
        Starts without a referral, and days of the window, by weeks of look-back;
        shape (weeks + 1,).
    referrals_per_day
        Referrals a calendar day before the window, taken as within it.
    prior_per_month
        Other starts a month that are expected of an authority of this size.
    dispersion
        Variance over mean of the counts.
    centre_per_day
        Posterior mean at the fitted weekly rates, before `anchor`: the middle of the grid.
    anchor
        Factor by which fitted starts over the window equal those observed.
    fixed
        The analyst's own number a month, NaN if none.
    """

    unlinked: FloatArray
    days: FloatArray
    referrals_per_day: float
    prior_per_month: float
    dispersion: float
    centre_per_day: float = float("nan")
    anchor: float = 1.0
    fixed: float = float("nan")

    @property
    def months(self) -> float:
        """Length of the window."""
        return float(self.days.sum()) / DAYS_PER_MONTH

    @property
    def prior_weight(self) -> float:
        """How far the number leans on the prior: 0 on the counts alone, 1 on it alone."""
        return _PRIOR_SHAPE / (_PRIOR_SHAPE + float(self.unlinked.sum()) / self.dispersion)

    def hidden_per_day(self, rates: FloatArray) -> FloatArray:
        """Starts a day that a look-back of ``u`` weeks misses.

        Shape (weeks, draws) to (weeks + 1, draws). A day within look-back week ``u``
        sees half of that week's lag on average.
        """
        none = np.zeros((1, rates.shape[1]))
        after = np.concatenate([np.cumsum(rates[::-1], axis=0)[::-1], none])
        return self.referrals_per_day * (after - 0.5 * np.concatenate([rates, none]))

    def mean_per_day(self, rates: FloatArray) -> float:
        """Posterior mean at weekly rates of shape (weeks,), before `anchor`."""
        most = float(self.unlinked.sum()) / float(self.days.sum())
        most = max(most, self.prior_per_month / DAYS_PER_MONTH) + _REACH * self._spread()
        edge = np.linspace(0.0, most, _FINE_NODES + 1)
        weight = self._weights(self.hidden_per_day(rates[:, None]), edge)[0]
        return float(weight @ _middle(edge) / weight.sum())

    def draw(self, rates: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Other starts a month, one for each draw of the weekly rates (before `anchor`).

        Shape (weeks, draws) to (draws,).
        """
        draws = rates.shape[1]
        if not np.isnan(self.fixed):
            return np.full(draws, self.fixed)
        edge = self._edges()
        cumulative = np.cumsum(self._weights(self.hidden_per_day(rates), edge), axis=1)
        node = (cumulative < (rng.random(draws) * cumulative[:, -1])[:, None]).sum(axis=1)
        per_day = edge[node] + rng.random(draws) * np.diff(edge)[node]
        return np.asarray(per_day * DAYS_PER_MONTH * self.anchor)

    def with_own(self, per_month: FloatArray, more: float = 0.0) -> FloatArray:
        """The analyst's own number, and `more` a month beside it, in place of each draw."""
        own = self.fixed
        return per_month if np.isnan(own) else np.full_like(per_month, own + more)

    def _spread(self) -> float:
        """Standard deviation of the unlinked starts a day, one family more than seen."""
        events = float(self.unlinked.sum()) + self.dispersion
        return float(np.sqrt(events * self.dispersion)) / float(self.days.sum())

    def _edges(self) -> FloatArray:
        """Bounds of the grid, other starts a day; finer near 0 where it begins there."""
        reach = _REACH * self._spread()
        least, most = self.centre_per_day - reach, self.centre_per_day + reach
        if least > 0.0:
            return np.linspace(least, most, _NODES + 1)
        return np.linspace(0.0, 1.0, _NODES + 1) ** 2 * most

    def _weights(self, hidden: FloatArray, edge: FloatArray) -> FloatArray:
        """Posterior of each node up to a factor; shape (draws, nodes)."""
        node, seen = _middle(edge), self.unlinked > 0
        log_rate = np.log((hidden[seen][:, :, None] + node).astype(np.float32))
        gain = np.tensordot(self.unlinked[seen] / self.dispersion, log_rate, axes=(0, 0))
        cost = float(self.days.sum()) / self.dispersion * node
        prior = self.prior_per_month / DAYS_PER_MONTH
        log_prior = (_PRIOR_SHAPE - 1.0) * np.log(node) - _PRIOR_SHAPE * node / prior
        log_weight = gain - cost + log_prior + np.log(np.diff(edge))
        return np.asarray(np.exp(log_weight - log_weight.max(axis=1, keepdims=True)))


def _middle(edge: FloatArray) -> FloatArray:
    return np.asarray((edge[1:] + edge[:-1]) / 2.0)
