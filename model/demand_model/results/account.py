"""A mean forecast as an account of children, and what each driver did to it.

Month by month, the means of a forecast obey::

    starts[t] = other[t] + share[t] × referrals[t]
    ends[t]   = leaving[t] × (stock[t − 1] + starts[t] / 2) + rest
    stock[t]  = stock[t − 1] + starts[t] − ends[t]

so that every number of one forecast can be exchanged for the other's, one driver
at a time. What a driver did depends on which were exchanged before it; the
average over all orders (Shapley 1953) depends on none, and adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.units import MONTHS_PER_YEAR

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CORRECTED = "Corrected past data"
OPENING = "Opening stock"
INTAKE = "Intake level"
SEASON = "Season"
SHARE = "Share leading on"
LEAVING = "Rates out"
SCENARIO = "Scenario inputs"
OTHER = "Other"
DRIVERS = (CORRECTED, OPENING, INTAKE, SEASON, SHARE, LEAVING, SCENARIO, OTHER)
"""What may move a forecast, in the order of the waterfall."""

REFERRALS = "referrals"
_EXCHANGED = (CORRECTED, OPENING, INTAKE, SEASON, SHARE, LEAVING, OTHER)
_LEAST_REFERRALS = 1e-6
_LEAST_CHILDREN = 1e-6
_MOST_RATIO = 1000.0
"""Referrals nearer to none than this, or further apart, explain no starts."""

_FEWEST_PAIRS = 6
"""Months a year apart from which a level's trend can be told."""


def family(measure: str) -> str:
    """Give "cp" or "cla" for a measure of plans or care."""
    return measure.split("_")[0]


def drivers_of(measure: str) -> tuple[str, ...]:
    """Drivers that can move a measure between two baselines, in order."""
    if measure == REFERRALS:
        return (INTAKE, SEASON)
    if measure.endswith("_starts"):
        return (INTAKE, SEASON, SHARE)
    return _EXCHANGED


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Account:
    """One forecast's means, for referrals and one stock; time is the only dimension.

    Attributes
    ----------
    opening
        Children before the first month.
    referrals, starts, ends, stock
        By month, shape (months,): totals of the month; the stock at its end.
    """

    opening: float
    referrals: FloatArray
    starts: FloatArray
    ends: FloatArray
    stock: FloatArray

    @property
    def at_risk(self) -> FloatArray:
        """Children who may leave in each month: those there, and new ones for half of it."""
        return np.concatenate([[self.opening], self.stock[:-1]]) + 0.5 * self.starts

    @property
    def leaving(self) -> FloatArray:
        """Share of those at risk who leave in a month, 0 to 1."""
        risk, ends = self.at_risk, np.maximum(self.ends, 0.0)
        seen = risk > _LEAST_CHILDREN
        share = np.divide(ends, risk, out=np.zeros_like(ends), where=seen)
        return np.asarray(np.clip(share, 0.0, 1.0))

    @property
    def rest(self) -> tuple[FloatArray, FloatArray]:
        """What shares cannot say: of the stock, and of the ends (0 but for odd forecasts)."""
        out = self.leaving * self.at_risk
        before = np.concatenate([[self.opening], self.stock[:-1]])
        return self.stock - (before + self.starts - out), self.ends - out


def account_of(means: pd.DataFrame, opening: float, stock: str) -> Account:
    """Account of `stock` ("cp" or "cla"); `means` has months in rows, measures in columns."""
    columns = (REFERRALS, f"{stock}_starts", f"{stock}_ends", f"{stock}_open")
    values = (means[name].to_numpy(dtype=float) for name in columns)
    return Account(
        opening=opening, **dict(zip(("referrals", "starts", "ends", "stock"), values, strict=True))
    )


def survival(account: Account) -> FloatArray:
    """Share of those there at the opening who are still there at each month's end."""
    return np.asarray(np.cumprod(1.0 - account.leaving))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferralSplit:
    """How referrals moved from one forecast to the other: ``ratio = level × season``.

    Attributes
    ----------
    comparable
        Months in which both forecasts have referrals; shape (months,).
    level, season
        Factors from before to after, 1 where not comparable.
    """

    comparable: BoolArray
    level: FloatArray
    season: FloatArray

    def first(self, months: int) -> ReferralSplit:
        """Return the first `months` of it."""
        return ReferralSplit(
            comparable=self.comparable[:months],
            level=self.level[:months],
            season=self.season[:months],
        )


def split_referrals(before: FloatArray, after: FloatArray) -> ReferralSplit:
    """Level: a line through the log of the ratio; season: the rest.

    The line's slope is the change from one month to the same month a year on, so that
    no season is in it; with too few such pairs the level is flat. It passes through
    the mean of the whole years (of all months, if they are less than a year).
    """
    ratio = np.ones_like(before)
    seen = (before > _LEAST_REFERRALS) & (after > _LEAST_REFERRALS)
    np.divide(after, before, out=ratio, where=seen)
    seen &= (ratio <= _MOST_RATIO) & (ratio >= 1.0 / _MOST_RATIO)
    ratio = np.where(seen, ratio, 1.0)
    if not seen.any():
        return ReferralSplit(comparable=seen, level=ratio, season=ratio.copy())
    log, month = np.where(seen, np.log(ratio), np.nan), np.arange(len(ratio), dtype=float)
    years = log[MONTHS_PER_YEAR:] - log[:-MONTHS_PER_YEAR]
    years = years[~np.isnan(years)]
    slope = float(years.mean()) / MONTHS_PER_YEAR if len(years) >= _FEWEST_PAIRS else 0.0
    whole = len(log) // MONTHS_PER_YEAR * MONTHS_PER_YEAR or len(log)
    used = seen & (month < (whole if seen[:whole].any() else len(log)))
    line = log[used].mean() + slope * (month - month[used].mean())
    line = np.clip(line, log[seen].min(), log[seen].max())
    level = np.where(seen, np.exp(line), 1.0)
    return ReferralSplit(comparable=seen, level=level, season=ratio / level)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exchange:
    """Two accounts over the same months, ready to have their drivers exchanged.

    Attributes
    ----------
    before, after
        The two forecasts.
    split
        How referrals moved.
    corrected
        Part of ``after.opening - before.opening`` that is corrected past data.
    from_referrals
        Share of the starts, 0 to 1, that moves with referrals.
    """

    before: Account
    after: Account
    split: ReferralSplit
    corrected: float
    from_referrals: float

    def outcomes(self, exchanged: Mapping[str, BoolArray], measure: str) -> FloatArray:
        """Last month's `measure` for each set of exchanged drivers; shape (sets,)."""
        old, new, split = self.before, self.after, self.split
        if measure == REFERRALS:
            return self._referrals(exchanged)

        def pick(driver: str, of_old: float, of_new: float) -> FloatArray:
            return np.where(exchanged[driver], of_new, of_old)

        apart = (1.0 - self.from_referrals) * old.starts
        old_other = np.where(split.comparable, apart, 0.0)
        new_other = np.where(split.comparable, np.minimum(apart, new.starts), 0.0)
        rest_old, rest_new = old.rest, new.rest
        old_leaving, new_leaving = old.leaving, new.leaving
        carried = new.opening - old.opening - self.corrected
        stock = old.opening + pick(CORRECTED, 0.0, self.corrected) + pick(OPENING, 0.0, carried)
        starts = ends = np.zeros_like(stock)
        for t in range(len(old.stock)):
            # Where referrals explain nothing, they are 1 in both and the share is the starts.
            base = old.referrals[t] if split.comparable[t] else 1.0
            ratio = split.level[t] * split.season[t]
            referrals = (
                base * pick(INTAKE, 1.0, split.level[t]) * pick(SEASON, 1.0, split.season[t])
            )
            starts = pick(SHARE, old_other[t], new_other[t]) + referrals * pick(
                SHARE,
                (old.starts[t] - old_other[t]) / base,
                (new.starts[t] - new_other[t]) / (base * ratio),
            )
            out = pick(LEAVING, old_leaving[t], new_leaving[t]) * (stock + 0.5 * starts)
            stock = stock + starts - out + pick(OTHER, rest_old[0][t], rest_new[0][t])
            ends = out + pick(OTHER, rest_old[1][t], rest_new[1][t])
        found = {"starts": starts, "ends": ends, "open": stock}
        return found[measure.split("_")[1]]

    def _referrals(self, exchanged: Mapping[str, BoolArray]) -> FloatArray:
        old, new, split = self.before.referrals[-1], self.after.referrals[-1], self.split
        if not split.comparable[-1]:
            return np.asarray(np.where(exchanged[INTAKE], new, old), dtype=float)
        level = np.where(exchanged[INTAKE], split.level[-1], 1.0)
        return np.asarray(old * level * np.where(exchanged[SEASON], split.season[-1], 1.0))


def every_set(drivers: Sequence[str]) -> dict[str, BoolArray]:
    """All subsets of `drivers`, one a number: bit ``i`` says that driver ``i`` is exchanged."""
    sets = np.arange(2 ** len(drivers))
    chosen = {driver: (sets >> i) % 2 == 1 for i, driver in enumerate(drivers)}
    none = np.zeros(len(sets), dtype=bool)
    return {driver: chosen.get(driver, none) for driver in _EXCHANGED}


def average_over_orders(outcomes: FloatArray, count: int) -> FloatArray:
    """Shapley values: each driver's mean effect over all orders of exchanging `count` drivers.

    ``φ[i] = Σ over sets S without i of |S|! (k − |S| − 1)! / k! × (v(S + i) − v(S))``

    Parameters
    ----------
    outcomes
        As `every_set` numbers the sets, shape (2 ** count,).

    Returns
    -------
    Shape (count,); adds up to ``outcomes[-1] - outcomes[0]``.

    Examples
    --------
    >>> average_over_orders(np.array([1.0, 2.0, 3.0, 6.0]), 2).tolist()
    [2.0, 3.0]
    """
    sets = np.arange(2**count)
    size = np.array([int(s).bit_count() for s in sets])
    shares = np.array([factorial(s) * factorial(count - s - 1) for s in range(count)], dtype=float)
    shares /= factorial(count)
    effects = np.empty(count)
    for i in range(count):
        without = sets[(sets >> i) % 2 == 0]
        effects[i] = shares[size[without]] @ (outcomes[without + 2**i] - outcomes[without])
    return effects
