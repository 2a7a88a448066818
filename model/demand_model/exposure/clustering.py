"""Sibling groups: how far same-day events exceed what weekdays alone would give.

If events came one by one, the number of ordered pairs on one day would have
expectation ``sum over days of mu_d ** 2``, where ``mu_d`` is the mean of that
weekday. Families add ``E[s (s - 1)] / E[s]`` pairs an event, for families of
size ``s``. The variance of a count of such events is ``dispersion`` times its
mean, ``dispersion = E[s ** 2] / E[s] = 1 + excess pairs an event``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from demand_model.units import bank_holidays


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """Same-day pairs of one kind of event; additive over months and authorities.

    Attributes
    ----------
    events
        Number of events.
    pairs
        Ordered pairs of events on one day.
    chance_pairs
        Ordered pairs to be expected were every event alone.
    """

    events: float
    pairs: float
    chance_pairs: float

    def __add__(self, other: Clustering) -> Clustering:
        return Clustering(
            events=self.events + other.events,
            pairs=self.pairs + other.pairs,
            chance_pairs=self.chance_pairs + other.chance_pairs,
        )

    def dispersion(self, *, prior: float, prior_events: float) -> float:
        """Variance over mean of a count, shrunk to a prior; at least 1.

        ``1 + max(0, excess pairs + prior_events (prior - 1)) / (events + prior_events)``
        """
        excess = self.pairs - self.chance_pairs
        pooled = (excess + prior_events * (prior - 1.0)) / (self.events + prior_events)
        return 1.0 + max(0.0, pooled)


def same_day_clustering(days: npt.NDArray[np.datetime64], first: date, last: date) -> Clustering:
    """Count pairs among the days of one kind of event within ``[first, last]``.

    The mean of a weekday is its count over its number of days (bank holidays
    apart, as a weekday of their own). The chance expectation leaves each event
    out of its own mean, so that it is unbiased for Poisson counts:
    ``sum over weekdays of N_w (N_w - 1) / D_w``.
    """
    calendar = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    inside = days[(days >= calendar[0]) & (days <= calendar[-1])]
    counts = np.bincount((inside - calendar[0]).astype(int), minlength=len(calendar))
    kind = _weekday(calendar)
    chance = 0.0
    for weekday in np.unique(kind):
        events, length = counts[kind == weekday].sum(), (kind == weekday).sum()
        chance += events * (events - 1) / length
    pairs = float((counts * (counts - 1)).sum())
    return Clustering(events=float(counts.sum()), pairs=pairs, chance_pairs=float(chance))


def _weekday(calendar: npt.NDArray[np.datetime64]) -> npt.NDArray[np.intp]:
    kind = (calendar.astype(int) + 3) % 7
    years = np.unique(calendar.astype("datetime64[Y]").astype(int) + 1970)
    closed = np.array([d for y in years for d in bank_holidays(int(y))], dtype="datetime64[D]")
    return np.where(np.isin(calendar, closed), 7, kind).astype(np.intp)
