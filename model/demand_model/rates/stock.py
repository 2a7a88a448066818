"""Forecast of a stock (children in care, on plans) from yearly or monthly counts alone.

The log of the stock has stationary increments with variogram

    V(h) = walk·h + 2 growth_sd² θ² (h/θ − 1 + e^(−h/θ))            process, growth that lasts
         + 2 (swing + swing_child/S) (1 − (1 + h/κ) e^(−h/κ))       practice swings and returns
         + 2 (dispersion/S) (1 − e^(−h·turnover))                   chance of starts and ends

and mean ``trend·h``, with ``h`` in years, ``S`` the authority's usual stock and
``turnover`` its starts and ends a year for each child open. Given the last count, all
others are differences from it: Gaussian with ``Cov = ½ (V(t) + V(u) − V(t − u))``,
solved in closed form. One scale for the whole of it is unknown, which makes the
forecast a Student t. Monthly and yearly counts meet the same variogram.

The last count is where a forecast starts from, so "no change" is its centre but for the
trend, and for what the history says of lasting growth and of swings that will return.
Decision 0010 has the source and the measurement of every number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.rates.given import checked_series, count_values, whole_number
from demand_model.rates.quantiles import quantiles_of_draws
from demand_model.units import MONTHS_PER_YEAR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALF_CHILD = 0.5  # added before the log, so that a stock of zero is a count like any other
_JITTER = 1e-6  # rounding of published counts, and numerical safety


@dataclass(frozen=True, slots=True, kw_only=True)
class StockKind:
    """How the log of one kind of stock moves, for an authority not yet seen.

    Attributes
    ----------
    turnover_per_year
        Starts (or ends) a year for each child open, usually.
    trend_per_year
        Mean yearly change of the log.
    walk_variance_per_year
        Lasting changes without memory.
    growth_sd_per_year
        Of a growth that itself fades (`StockPrior.growth_years`).
    swing_variance, swing_variance_child, swing_years
        Of swings that return, its part that falls as 1 / stock, and their time.
    dispersion
        Of starts and ends: variance over that of a Poisson count.
    """

    turnover_per_year: float
    trend_per_year: float
    walk_variance_per_year: float
    growth_sd_per_year: float
    swing_variance: float
    swing_variance_child: float
    swing_years: float
    dispersion: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not math.isfinite(value) or (item.name != "trend_per_year" and value < 0):
                raise InvalidSettingError(
                    f"Invalid {item.name}: {value}. It must be finite, and 0 or more."
                )
        if min(self.turnover_per_year, self.swing_years, self.dispersion) <= 0:
            raise InvalidSettingError(
                "Invalid stock kind: turnover_per_year, swing_years and dispersion must be above 0."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPrior:
    """What English authorities' stocks look like.

    Attributes
    ----------
    slow, quick
        Stocks of long and of short stays.
    slow_until_per_year, quick_from_per_year
        Turnover up to which a stock is taken as `slow`, and from which as `quick`. In
        between, by the log of its turnover, its values are in between.
    growth_years
        Time in which a growth fades to 1/e.
    trend_sd_per_year
        How far an authority's own trend may differ.
    scale_df
        Degrees of freedom of the prior on the scale of all movement, above 2.
    evidence_periods
        The most evidence on that scale that a history counts for, however long:
        an authority's restlessness itself changes.
    usual_years
        Years before the last count whose mean is the authority's usual stock.
    least_stock
        Children below which no further rise of the relative variance is assumed.
    turnover_limits
        Starts or ends a year for each child open: what is believed of an estimate.
    """

    slow: StockKind
    quick: StockKind
    slow_until_per_year: float
    quick_from_per_year: float
    growth_years: float
    trend_sd_per_year: float
    scale_df: float
    evidence_periods: float
    usual_years: float
    least_stock: float
    turnover_limits: tuple[float, float]

    def __post_init__(self) -> None:
        if not 0 < self.slow_until_per_year < self.quick_from_per_year:
            raise InvalidSettingError(
                "Invalid stock prior: quick_from_per_year must be above slow_until_per_year, "
                "and that above 0."
            )
        if not self.scale_df > 2:
            raise InvalidSettingError(f"Invalid scale_df: {self.scale_df}. It must be above 2.")
        low, high = self.turnover_limits
        if not (min(self.growth_years, self.least_stock, low) > 0 and low < high):
            raise InvalidSettingError(
                "Invalid stock prior: growth_years, least_stock and turnover_limits must be "
                "above 0, and the limits in order."
            )

    def kind(self, turnover_per_year: float) -> StockKind:
        """Values for a stock of this turnover: `slow`, `quick` or in between."""
        low, high = np.log([self.slow_until_per_year, self.quick_from_per_year])
        share = float(np.clip((math.log(turnover_per_year) - low) / (high - low), 0.0, 1.0))
        mixed = {
            item.name: (1 - share) * getattr(self.slow, item.name)
            + share * getattr(self.quick, item.name)
            for item in fields(StockKind)
        }
        return StockKind(**(mixed | {"turnover_per_year": turnover_per_year}))


CARE = StockKind(
    turnover_per_year=0.43,
    trend_per_year=0.008,
    walk_variance_per_year=0.0004,
    growth_sd_per_year=0.043,
    swing_variance=0.0006,
    swing_variance_child=0.0,
    swing_years=1.0,
    dispersion=1.4,
)
"""Children looked after: 70 authorities, 2010 to 2024 (DfE, OGL v3.0)."""

PLANS = StockKind(
    turnover_per_year=1.25,
    trend_per_year=0.0,
    walk_variance_per_year=0.01,
    growth_sd_per_year=0.0,
    swing_variance=0.025,
    swing_variance_child=4.0,
    swing_years=0.6,
    dispersion=2.2,
)
"""Children on child protection plans: 76 authorities, 2013 to 2024 (DfE, OGL v3.0)."""

NATIONAL_STOCK = StockPrior(
    slow=CARE,
    quick=PLANS,
    slow_until_per_year=0.7,
    quick_from_per_year=0.95,
    growth_years=1.5,
    trend_sd_per_year=0.01,
    scale_df=20.0,
    evidence_periods=8.0,
    usual_years=5.0,
    least_stock=25.0,
    turnover_limits=(0.2, 4.0),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StockForecast:
    """Possible numbers of children open at the end of each coming period.

    Attributes
    ----------
    periods
        Forecast periods, of the same sort as the index of the counts.
    draws
        Possible stocks, shape (periods, draws): each column is one possible future.
    last
        Last stock counted, where every future begins.
    turnover_per_year
        Starts or ends a year for each child open; NaN where no flow was given.
    """

    periods: pd.Index
    draws: Ints
    last: float
    turnover_per_year: float

    def quantiles(self, probs: Sequence[float]) -> Floats:
        """Quantiles of the stock, shape (periods, len(probs)).

        Raises
        ------
        InvalidSettingError
            A probability is outside 0 to 1.
        """
        return quantiles_of_draws(self.draws, probs)

    def mean(self) -> Floats:
        """Mean of the stock, shape (periods,)."""
        return np.asarray(self.draws.mean(axis=1), float)


def forecast_stock(
    starts: pd.Series | None,
    ends: pd.Series | None,
    stock: pd.Series,
    horizon: int,
    seed: int = 0,
    draws: int = 1000,
    *,
    prior: StockPrior = NATIONAL_STOCK,
) -> StockForecast:
    """Forecast a stock from yearly or monthly counts alone.

    Parameters
    ----------
    starts, ends
        Children who started and ended in each period; any may be missing, and either
        may be None. They say how fast the stock turns over, hence how much chance
        there is in it and how soon its swings return. Without them that is judged
        from the stock's own movements.
    stock
        Children open at the end of each period, 0 or more, in order. The index is a
        ``PeriodIndex``, monthly or yearly (a financial year by the year it ends in),
        or whole years. Missing values and absent periods are allowed; one is enough.
    horizon
        Periods to forecast after the last stock counted, 1 or more.
    seed
        The same seed gives the same forecast.
    draws
        Number of possible futures, 1 or more.
    prior
        What authorities in general look like.

    Raises
    ------
    InvalidSettingError
        A count series is no Series, its index is neither monthly nor yearly or not in order, or
        `horizon`, `draws` or `seed` is no whole number or too small.
    InvalidInputError
        A count is no number, negative or infinite.
    NotEnoughDataError
        No stock was counted.

    Examples
    --------
    >>> years = pd.period_range("2019", periods=6, freq="Y-MAR")
    >>> in_care = pd.Series([402, 418, 425, 431, 446, 440], years)
    >>> forecast = forecast_stock(None, None, in_care, horizon=3)
    >>> forecast.quantiles([0.1, 0.5, 0.9]).shape
    (3, 3)
    """
    horizon = whole_number("horizon", horizon, least=1)
    draws, seed = whole_number("draws", draws, least=1), whole_number("seed", seed, least=0)
    history = _history(stock, horizon)
    turnover = _turnover(starts, ends, stock, history.periods_per_year, prior)
    candidates = [turnover] if turnover is not None else _usual_turnovers(prior)
    paths = [_predict(history, value, prior) for value in candidates]
    return StockForecast(
        periods=history.ahead,
        draws=_draw(paths, history, draws, np.random.default_rng(seed)),
        last=float(history.counts[-1]),
        turnover_per_year=math.nan if turnover is None else turnover,
    )


# --- what was counted -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _History:
    """Counted stocks; `years` from the last of them, shape (counts,) and (horizon,)."""

    counts: Floats
    years: Floats
    years_ahead: Floats
    periods_per_year: int
    ahead: pd.Index


def _history(stock: pd.Series, horizon: int) -> _History:
    ordinals, sort = _ordinals(stock, "stock")
    per_year = MONTHS_PER_YEAR if sort == "M" else 1
    values = count_values(stock, "stock")
    seen = ~np.isnan(values)
    if not seen.any():
        raise NotEnoughDataError("No stock was counted: at least one count is needed.")
    last = ordinals[seen][-1]
    steps = np.arange(1, horizon + 1)
    index = stock.index
    ahead = (
        pd.period_range(index[seen][-1] + 1, periods=horizon, freq=index.freq)
        if isinstance(index, pd.PeriodIndex)
        else pd.Index(last + steps, name=index.name)
    )
    return _History(
        counts=values[seen],
        years=(ordinals[seen] - last) / per_year,
        years_ahead=steps / per_year,
        periods_per_year=per_year,
        ahead=ahead,
    )


def _ordinals(counts: pd.Series, name: str) -> tuple[Ints, str]:
    """Whole number of each period, one apart, and the sort of period."""
    index = checked_series(counts, name).index
    if isinstance(index, pd.PeriodIndex) and index.freqstr.split("-")[0] in ("M", "Y"):
        found, sort = np.asarray(index.asi8, np.int64), index.freqstr
    elif pd.api.types.is_integer_dtype(index.dtype):
        found, sort = index.to_numpy(np.int64), "whole years"
    else:
        raise InvalidSettingError(
            f"Invalid index of {name}. It must be a PeriodIndex, monthly or yearly, or whole years."
        )
    if index.hasnans or np.any(np.diff(found) <= 0):
        raise InvalidSettingError(
            f"Invalid index of {name}. Its periods must be in order, each given once."
        )
    return found, sort


def _turnover(
    starts: pd.Series | None,
    ends: pd.Series | None,
    stock: pd.Series,
    per_year: int,
    prior: StockPrior,
) -> float | None:
    """Flows a year over the children open, in the last years that show both; None if none do."""
    ordinals, sort = _ordinals(stock, "stock")
    open_then = dict(zip(ordinals.tolist(), count_values(stock, "stock").tolist(), strict=True))
    after = ordinals[-1] - prior.usual_years * per_year
    flow = exposure = 0.0
    for name, given in (("starts", starts), ("ends", ends)):
        if given is None:
            continue
        when, own_sort = _ordinals(given, name)
        if own_sort != sort:
            raise InvalidSettingError(
                f"Invalid index of {name}. It must be of the same sort as that of the stock."
            )
        for ordinal, count in zip(when.tolist(), count_values(given, name).tolist(), strict=True):
            children = open_then.get(ordinal, math.nan)
            if ordinal > after and not math.isnan(count) and not math.isnan(children):
                flow += count
                exposure += children / per_year
    if exposure == 0:
        return None
    return float(np.clip(flow / exposure, *prior.turnover_limits))


def _usual_turnovers(prior: StockPrior) -> list[float]:
    return [prior.slow.turnover_per_year, prior.quick.turnover_per_year]


# --- the process ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Predictive:
    """Student t of the change of the log from the last count; (horizon,), (horizon, horizon)."""

    mean: Floats
    factor: Floats
    df: float
    log_evidence: float


def _variogram(years: Floats, usual: float, kind: StockKind, prior: StockPrior) -> Floats:
    """Variance of the change of the log over a time, either way."""
    h = np.abs(years)
    fading = h / prior.growth_years
    growth = 2 * (kind.growth_sd_per_year * prior.growth_years) ** 2
    swing = 2 * (kind.swing_variance + kind.swing_variance_child / usual)
    returning = h / kind.swing_years
    chance = 2 * kind.dispersion / usual
    return np.asarray(
        kind.walk_variance_per_year * h
        + growth * (fading - 1 + np.exp(-fading))
        + swing * (1 - (1 + returning) * np.exp(-returning))
        + chance * (1 - np.exp(-h * kind.turnover_per_year)),
        float,
    )


def _predict(history: _History, turnover: float, prior: StockPrior) -> _Predictive:
    kind = prior.kind(turnover)
    logs = np.log(history.counts + _HALF_CHILD)
    recent = history.years > -prior.usual_years
    usual = max(float(np.exp(logs[recent].mean())), prior.least_stock)
    years = np.concatenate([history.years[:-1], history.years_ahead])
    from_last = _variogram(years, usual, kind, prior)
    apart = _variogram(years[:, None] - years[None, :], usual, kind, prior)
    cov = 0.5 * (from_last[:, None] + from_last[None, :] - apart)
    cov += prior.trend_sd_per_year**2 * np.outer(years, years) + _JITTER * np.eye(len(years))
    mean = kind.trend_per_year * years
    return _condition(mean, cov, logs[:-1] - logs[-1], prior)


def _condition(mean: Floats, cov: Floats, seen: Floats, prior: StockPrior) -> _Predictive:
    """Given differences of the past from the last count, those to come."""
    from scipy.linalg import solve_triangular  # loads slowly, and only this needs it

    n = len(seen)
    root = np.linalg.cholesky(cov)  # of past, then future: its last rows are the conditional ones
    past = root[:n, :n]
    error = solve_triangular(past, seen - mean[:n], lower=True, check_finite=False)
    counted = min(float(n), prior.evidence_periods)
    squares = float(error @ error)
    # Prior mean of the scale is 1: `spare` is what it weighs.
    spare = prior.scale_df - 2
    df = prior.scale_df + counted
    scale = (spare + squares * (counted / n if n else 0.0)) / (spare + counted) * (df - 2) / df
    log_evidence = (
        gammaln((prior.scale_df + n) / 2)
        - gammaln(prior.scale_df / 2)
        - n / 2 * math.log(math.pi * spare)
        - float(np.log(np.diagonal(past)).sum())
        - (prior.scale_df + n) / 2 * math.log1p(squares / spare)
    )
    return _Predictive(
        mean=mean[n:] + root[n:, :n] @ error,
        factor=np.asarray(math.sqrt(scale) * root[n:, n:], float),
        df=df,
        log_evidence=float(log_evidence),
    )


def _draw(
    paths: list[_Predictive], history: _History, draws: int, rng: np.random.Generator
) -> Ints:
    """Possible stocks, shape (horizon, draws)."""
    evidence = np.array([path.log_evidence for path in paths])
    weight = np.exp(evidence - evidence.max())
    which = np.searchsorted(np.cumsum(weight / weight.sum())[:-1], rng.random(draws), side="right")
    chance = rng.standard_normal((len(history.years_ahead), draws))
    uniform_scale = rng.chisquare(np.array([path.df for path in paths])[which])
    change = np.empty_like(chance)
    for number, path in enumerate(paths):
        mine = which == number
        spread = path.factor @ chance[:, mine] / np.sqrt(uniform_scale[mine] / path.df)
        change[:, mine] = path.mean[:, None] + spread
    stocks = (history.counts[-1] + _HALF_CHILD) * np.exp(change) - _HALF_CHILD
    return np.asarray(np.maximum(np.rint(stocks), 0), np.int64)
