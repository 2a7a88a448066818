"""Shares and times of a stage from left-truncated, right-censored times (Aalen-Johansen).

A child is at risk of leaving a stage from when the lists begin to show the child
(``enter``) until it leaves or the census (``leave``), in days since the stage began::

    at_risk[i] = children with enter < time[i] <= leave
    a[i, k]    = events[i, k] / at_risk[i]             leaving at time[i] for outcome k
    S[i]       = S[i - 1] (1 - sum_k a[i, k])          still there: Kaplan-Meier
    F[i, k]    = F[i - 1, k] + S[i - 1] a[i, k]        left for k: Aalen-Johansen

Where a duration band has fewer than `FEWEST` children at risk at some event, its
occurrences are spread evenly over it, at its average number at risk: then
``a = occurrences / exposure`` per unit of time, the rate of the band, and one child
who leaves early cannot tip the curve. Bands that fewer than `FEWEST` children
passed through are put together with the next.

The variance of a function of the curve with gradient ``g`` with respect to ``a`` is::

    sum_i 1 / at_risk[i] (sum_k g[i, k]^2 a[i, k] - (sum_k g[i, k] a[i, k])^2)

which is Greenwood's formula for S.

Sources: Kaplan and Meier (1958); Aalen and Johansen (1978); Andersen, Borgan, Gill
and Keiding (1993), sections IV.1.5 and IV.4, for delayed entry; Gelber, Goldhirsch
and Cole (1993) for product-limit curves continued by rates where few are at risk;
Woodruff (1952) for intervals of percentiles.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.units import DAYS_PER_WEEK

FloatArray = npt.NDArray[np.float64]

FEWEST = 10
"""Children below whom a curve is not drawn, and a band's events are spread over it."""

STILL = -1
"""Outcome of who has not left."""

_Z_80 = 1.2815515655446004
_OUTSIDE_80 = 0.1
_STEP_DAYS = float(DAYS_PER_WEEK)
_ALL_LEFT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """Times under observation in one stage, one entry a child or referral.

    Attributes
    ----------
    enter, leave
        Days since the stage began; shape (children,).
    outcome
        Number of the outcome, or `STILL`; shape (children,).
    """

    enter: FloatArray
    leave: FloatArray
    outcome: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.leave)

    def where(self, keep: npt.NDArray[np.bool_]) -> Observed:
        """Some of the children."""
        return Observed(enter=self.enter[keep], leave=self.leave[keep], outcome=self.outcome[keep])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Shares that have left a stage by each event time.

    Attributes
    ----------
    time
        Days since the stage began, ascending; shape (times,).
    at_risk
        Shape (times,).
    increments
        ``a`` above; shape (times, outcomes).
    before
        ``S`` just before each time; shape (times,).
    left
        ``F`` above; shape (times, outcomes).
    reach
        Days up to which the curve is known; 0 where too few children were seen.
    """

    time: FloatArray
    at_risk: FloatArray
    increments: FloatArray
    before: FloatArray
    left: FloatArray
    reach: float

    @property
    def still(self) -> float:
        """Share still there at the end of what is known."""
        return 1.0 - float(self.left[-1].sum()) if len(self.time) else 1.0

    def index(self, days: float) -> int:
        """Number of event times up to a time."""
        return int(np.searchsorted(self.time, days, side="right"))

    def shares(self, days: float) -> FloatArray:
        """Share that left by a time, by outcome; shape (outcomes,)."""
        at = self.index(days)
        return self.left[at - 1] if at else np.zeros(self.left.shape[1])

    def gradient(self, at: int, outcomes: npt.NDArray[np.bool_]) -> FloatArray:
        """Derivative of the share left for some outcomes, after `at` event times.

        ``dF / da[i, k] = S[i - 1] [k counts] - (F_at - F_i) / (1 - sum_k a[i, k])``

        Parameters
        ----------
        outcomes
            Which outcomes count; shape (outcomes,).

        Returns
        -------
        Shape (times, outcomes); 0 after the event times that count.
        """
        out = np.zeros_like(self.increments)
        if at == 0:
            return out
        total = self.left[:, outcomes].sum(axis=1)
        stays = 1.0 - self.increments[:at].sum(axis=1)
        later = total[at - 1] - total[:at]
        lost = np.divide(later, stays, out=np.zeros(at), where=stays > _ALL_LEFT)
        out[:at] = self.before[:at, None] * outcomes - lost[:, None]
        return out

    def variance(self, gradient: FloatArray) -> float:
        """Variance of a function of the curve; `gradient` of shape (times, outcomes)."""
        if not len(self.time):
            return 0.0
        mean = (gradient * self.increments).sum(axis=1)
        square = (gradient**2 * self.increments).sum(axis=1)
        return float(np.maximum(square - mean**2, 0.0) @ (1.0 / self.at_risk))


def curve_of(
    observed: Observed, outcomes: int, *, bands: FloatArray, fewest: int = FEWEST
) -> Curve:
    """Estimate the curve of a stage.

    Parameters
    ----------
    outcomes
        Number of outcomes.
    bands
        Lower edges of the duration bands, in days, the first 0.
    fewest
        Children at risk below whom events are spread over their band; 1 gives the
        plain product-limit estimator.
    """
    seen = observed.where(observed.leave > observed.enter)
    if len(seen) < fewest:
        return _curve(np.zeros(0), np.zeros(0), np.zeros((0, outcomes)), 0.0)
    enter, leave = np.sort(seen.enter), np.sort(seen.leave)
    is_event = seen.outcome != STILL
    time, which = np.unique(seen.leave[is_event], return_inverse=True)
    events = np.zeros((len(time), outcomes))
    np.add.at(events, (which, seen.outcome[is_event]), 1.0)
    at_risk = _number_at_risk(enter, leave, time)
    edges = _merged(seen, bands, fewest)
    times: list[FloatArray] = []
    risks: list[FloatArray] = []
    counts: list[FloatArray] = []
    for low, high in itertools.pairwise(edges.tolist()):
        inside = (time > low) & (time <= high)
        if not inside.any():
            continue
        band = (time[inside], at_risk[inside], events[inside])
        if band[1].min() < fewest:
            band = _spread(seen, low, high, band[2].sum(axis=0))
        for parts, part in zip((times, risks, counts), band, strict=True):
            parts.append(part)
    if not times:
        return _curve(np.zeros(0), np.zeros(0), np.zeros((0, outcomes)), float(leave[-1]))
    found = (np.concatenate(times), np.concatenate(risks), np.concatenate(counts))
    return _curve(*found, float(leave[-1]))


def _number_at_risk(enter: FloatArray, leave: FloatArray, time: FloatArray) -> FloatArray:
    """Children with ``enter < time <= leave``; `enter` and `leave` sorted."""
    came = np.searchsorted(enter, time, side="left")
    went = np.searchsorted(leave, time, side="left")
    return np.asarray(came - went, float)


def _merged(seen: Observed, bands: FloatArray, fewest: int) -> FloatArray:
    """Edges of bands that at least so many children passed through; the last ends with them."""
    last = float(seen.leave.max())
    kept = [0.0]
    uppers = np.append(bands[1:], np.inf)
    for upper in np.minimum(uppers[bands < last], last):
        passed = (seen.enter < upper) & (seen.leave > kept[-1])
        if int(passed.sum()) >= fewest:
            kept.append(float(upper))
    if kept[-1] < last:  # too few at the end: they join the band before
        kept = [*kept[:-1], last] if len(kept) > 1 else [0.0, last]
    return np.array(kept)


def _spread(
    seen: Observed, low: float, high: float, events: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Events of a band spread evenly over it, at its average number at risk."""
    inside = np.minimum(seen.leave, high) - np.maximum(seen.enter, low)
    exposure = float(np.maximum(inside, 0.0).sum())
    steps = max(math.ceil((high - low) / _STEP_DAYS), 1)
    time = low + (high - low) * (np.arange(steps) + 0.5) / steps
    at_risk = exposure / (high - low)
    # A constant rate through the step: 1 - exp(-rate) leave, for each outcome its share.
    leaving = -np.expm1(-events.sum() / steps / at_risk) * at_risk
    each = leaving * events / events.sum()
    return time, np.full(steps, at_risk), np.tile(each, (steps, 1))


def _curve(time: FloatArray, at_risk: FloatArray, events: FloatArray, reach: float) -> Curve:
    increments = events / at_risk[:, None] if len(time) else events
    stays = np.cumprod(1.0 - increments.sum(axis=1))
    before = np.append(1.0, stays)[: len(time)]
    return Curve(
        time=time,
        at_risk=at_risk,
        increments=increments,
        before=before,
        left=np.cumsum(before[:, None] * increments, axis=0),
        reach=reach,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 80% interval; NaN where it cannot be known."""

    value: float
    low: float
    high: float


UNKNOWN = Estimate(value=math.nan, low=math.nan, high=math.nan)


def share_by(curve: Curve, outcome: int, days: float, *, dispersion: float = 1.0) -> Estimate:
    """Share of those who began that left for an outcome within so many days.

    Parameters
    ----------
    dispersion
        Variance over mean of a count of such events: siblings move together.
    """
    counted = _only(curve, outcome)
    at = curve.index(days)
    value = float(curve.shares(days)[outcome])
    error = math.sqrt(dispersion * curve.variance(curve.gradient(at, counted)))
    return _between(value, error, _first_at_risk(curve) / dispersion)


def share_in_the_end(curve: Curve, outcome: int, *, dispersion: float = 1.0) -> Estimate:
    """Share of those who leave that leave for an outcome: ``F_k / sum_k F_k`` at the end."""
    left = 1.0 - curve.still
    if left <= 0.0:
        return UNKNOWN
    everyone = np.ones(curve.left.shape[1], dtype=bool)
    at = len(curve.time)
    value = float(curve.left[-1, outcome]) / left
    gradient = curve.gradient(at, _only(curve, outcome)) - value * curve.gradient(at, everyone)
    error = math.sqrt(dispersion * curve.variance(gradient)) / left
    return _between(value, error, _first_at_risk(curve) / dispersion)


def still_by(curve: Curve, days: float, *, dispersion: float = 1.0) -> Estimate:
    """Share still there after so many days."""
    everyone = np.ones(curve.left.shape[1], dtype=bool)
    value = 1.0 - float(curve.shares(days).sum())
    gradient = curve.gradient(curve.index(days), everyone)
    error = math.sqrt(dispersion * curve.variance(gradient))
    return _between(value, error, _first_at_risk(curve) / dispersion)


def percentile_time(
    curve: Curve,
    share: float,
    *,
    outcome: int | None = None,
    until: float = math.inf,
    dispersion: float = 1.0,
) -> Estimate:
    """Days by which a share of the children have left.

    Parameters
    ----------
    share
        From 0 to 1.
    outcome
        Where given: of those who leave for this outcome by `until`.

    Returns
    -------
    NaN where the curve does not rise so high. The interval is that of the share
    at the estimate, read off the curve (Woodruff 1952).
    """
    end = curve.index(until)
    if end == 0:
        return UNKNOWN
    counted = np.ones(curve.left.shape[1], dtype=bool) if outcome is None else _only(curve, outcome)
    rising = curve.left[:end, counted].sum(axis=1)
    whole = 1.0 if outcome is None else float(rising[-1])
    if whole <= 0.0:
        return UNKNOWN
    rising = rising / whole
    at = _first_reaching(rising, share)
    if at is None:
        return UNKNOWN
    gradient = curve.gradient(at + 1, counted)
    if outcome is not None:
        gradient = gradient - share * curve.gradient(end, counted)
    error = math.sqrt(dispersion * curve.variance(gradient)) / whole
    around = _between(share, error, _first_at_risk(curve) / dispersion)
    low, high = (_first_reaching(rising, bound) for bound in (around.low, around.high))
    return Estimate(
        value=float(curve.time[at]),
        low=math.nan if low is None else float(curve.time[low]),
        high=math.nan if high is None else float(curve.time[high]),
    )


def _first_reaching(rising: FloatArray, share: float) -> int | None:
    """Position of the first value at or above a share (rounding errors forgiven)."""
    at = int(np.searchsorted(rising, share - 1e-9, side="left"))
    return at if at < len(rising) else None


def _only(curve: Curve, outcome: int) -> npt.NDArray[np.bool_]:
    return np.asarray(np.arange(curve.left.shape[1]) == outcome)


def _first_at_risk(curve: Curve) -> float:
    """Children at risk where the curve is best known."""
    return float(curve.at_risk.max()) if len(curve.time) else 0.0


def _between(value: float, error: float, children: float) -> Estimate:
    """An 80% interval that stays within 0 and 1, on the scale of log odds.

    Where none, or all, of the children left, the bound is that of the binomial.
    """
    edge = 1.0 - _OUTSIDE_80 ** (1.0 / children) if children > 0 else 1.0
    if value <= _ALL_LEFT:
        return Estimate(value=0.0, low=0.0, high=edge)
    if value >= 1.0 - _ALL_LEFT:
        return Estimate(value=1.0, low=1.0 - edge, high=1.0)
    odds = math.log(value / (1.0 - value))
    spread = _Z_80 * error / (value * (1.0 - value))
    return Estimate(value=value, low=_share_of(odds - spread), high=_share_of(odds + spread))


def _share_of(odds: float) -> float:
    """Share of log odds."""
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -500 else 0.0
