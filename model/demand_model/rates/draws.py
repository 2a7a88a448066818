"""Joint posterior draws of all rates, with the balance prior laid on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.bands import (
    AGE_BANDS,
    CARE_BANDS,
    CARE_SEGMENTS,
    PLAN_BANDS,
    UASC,
)
from demand_model.exposure.opening import OpeningStock
from demand_model.rates.balance import balance_log_density, stock_without_chance
from demand_model.rates.drift import correlated, paths_of
from demand_model.rates.history import PastRates, Process, drift_of, move
from demand_model.rates.priors import (
    CARE_ENTRY_AGE_QUANTILES_YEARS,
    PLAN_ENTRY_AGE_QUANTILES_YEARS,
    UASC_ENTRY_AGE_QUANTILES_YEARS,
    Drift,
)
from demand_model.rates.stay import (
    care_stayers,
    mean_care_months,
    mean_plan_months,
    mean_uasc_months,
)
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

if TYPE_CHECKING:
    from demand_model.rates.fit import FlowRates

FloatArray = npt.NDArray[np.float64]

PROPOSALS_PER_DRAW = 4
MOST_ROUNDS = 8
_ENOUGH = 0.4
"""Proposals are drawn in so many rounds at most, until this share of the draws asked for are
worth as much as independent ones: where few children say little, or lists that show growth
and the balance prior disagree."""
_LEAST_FLOW, _LEAST_FACTOR = 0.05, 0.1
"""Children a month below which history moves nothing; the furthest down that it moves a rate."""
_PRIOR_ENTRANTS = 10.0
"""Weight of the national ages at entry, in children."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateDraws:
    """One value of every rate a draw; the last axis is the draw.

    Attributes
    ----------
    plan_ends, plan_to_care
        A child-month on a plan; shape (plan bands, draws).
    care_ends
        A child-month in care; shape (reasons, care bands, segments, draws).
    plan_lags, care_lags
        Starts a referral by week since referral; shape (weeks, draws).
    other_plan, other_care, uasc
        Children a month; shape (draws,).
    """

    plan_ends: FloatArray
    plan_to_care: FloatArray
    care_ends: FloatArray
    plan_lags: FloatArray
    care_lags: FloatArray
    other_plan: FloatArray
    other_care: FloatArray
    uasc: FloatArray

    def take(self, index: npt.NDArray[np.intp]) -> Self:
        """The draws at `index`."""
        return type(self)(**{f.name: getattr(self, f.name)[..., index] for f in fields(self)})

    def with_more(self, more: Sequence[Self]) -> Self:
        """These draws and then each of `more`."""
        parts = (self, *more)
        return type(self)(
            **{
                f.name: np.concatenate([getattr(part, f.name) for part in parts], axis=-1)
                for f in fields(self)
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HistoryDraws(RateDraws):
    """Draws that know where they stand in what history says.

    Attributes
    ----------
    past_node, past_deviation
        Of each process (rows as `Process`), as `PastRate.paths` takes them; shape
        (processes, draws).
    """

    past_node: npt.NDArray[np.int64]
    past_deviation: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equilibrium:
    """What drawn rates imply if they stay as they are; each of shape (draws,).

    Attributes
    ----------
    plans, care
        Intake a month times mean stay: the stock at which entries meet exits.
    care_in_a_year
        Children expected in care in twelve months at these rates.
    """

    plans: FloatArray
    care: FloatArray
    care_in_a_year: FloatArray


def entry_ages(
    observed_days: FloatArray, national_years: tuple[float, ...], count: int
) -> FloatArray:
    """`count` ages at entry in years that stand for the mix of entrants.

    Quantiles of the observed ages mixed with the national ones, which weigh as
    much as 10 children.
    """
    observed = np.asarray(observed_days, dtype=float) / DAYS_PER_YEAR
    ages = np.concatenate([observed, np.asarray(national_years)])
    national = np.full(len(national_years), _PRIOR_ENTRANTS / len(national_years))
    weights = np.concatenate([np.ones(len(observed)), national])
    order = np.argsort(ages, kind="stable")
    cumulative = np.cumsum(weights[order]) - weights[order] / 2.0
    at = (np.arange(count) + 0.5) / count * weights.sum()
    return np.asarray(np.interp(at, cumulative, ages[order]), dtype=float)


def equilibrium(draws: RateDraws, rates: FlowRates) -> Equilibrium:
    """Intake times mean stay for each draw (Little's law), all sources of entry counted."""
    opening = rates.exposure.opening
    referrals = rates.referrals_per_month
    plan_intake = referrals * draws.plan_lags.sum(axis=0) + draws.other_plan
    from_plans = _open_plans(opening) @ draws.plan_to_care
    care_intake = referrals * draws.care_lags.sum(axis=0) + draws.other_care + from_plans
    hazards = draws.care_ends.sum(axis=0)
    ages = entry_ages(opening.care_entry_age_days, CARE_ENTRY_AGE_QUANTILES_YEARS, 12)
    uasc_ages = entry_ages(opening.uasc_entry_age_days, UASC_ENTRY_AGE_QUANTILES_YEARS, 5)

    def entered(within_months: float) -> FloatArray:
        stay = mean_care_months(hazards, ages, within_months=within_months)
        uasc_stay = mean_uasc_months(hazards, uasc_ages, within_months=within_months)
        return np.asarray(care_intake * stay + draws.uasc * uasc_stay)

    return Equilibrium(
        plans=plan_intake * mean_plan_months(draws.plan_ends),
        care=entered(np.inf),
        care_in_a_year=care_stayers(opening.care, hazards, months=12) + entered(12.0),
    )


def draw_rates(
    rates: FlowRates, draws: int, rng: np.random.Generator, *, balanced: bool = True
) -> RateDraws:
    """Joint draws of all rates at the census date.

    Independent posteriors are drawn, moved by the drift that the window's mean
    cannot show, and to where history puts them if there is any, weighted by the
    balance prior and resampled (sampling importance resampling, systematic). The
    analyst's own rates come last: what they change is not taken back by balance.
    """
    fitted = rates.without_own() if rates.overrides else rates
    drawn = _balanced(fitted, draws, rng) if balanced else _proposed(fitted, draws, rng)
    return _with_own(drawn, rates) if rates.overrides else drawn


def _balanced(rates: FlowRates, draws: int, rng: np.random.Generator) -> RateDraws:
    """Proposals weighted by the balance prior, in as many rounds as it takes."""
    on_plans = _balanced_plans(rates)
    kept: list[RateDraws] = []
    log_weights: list[FloatArray] = []
    for _ in range(MOST_ROUNDS):
        proposed = _proposed(rates, draws * PROPOSALS_PER_DRAW, rng)
        log_weights.append(_balance_log_weight(proposed, rates, on_plans))
        weight = np.exp(log_weights[-1] - log_weights[-1].max())
        kept.append(proposed.take(_systematic(weight, draws, rng)))
        if effective_draws(np.concatenate(log_weights)) >= draws * _ENOUGH:
            break
    if len(kept) == 1:
        return kept[0]
    # Of each round so many draws as its proposals weigh.
    highest = max(one.max() for one in log_weights)
    mass = np.array([np.exp(one - highest).sum() for one in log_weights])
    together = kept[0].with_more(kept[1:])
    return together.take(_systematic(np.repeat(mass, draws), draws, rng))


def effective_draws(log_weight: FloatArray) -> float:
    """Number of equally weighted draws that would be worth these: ``(sum w)^2 / sum w^2``."""
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / (weight**2).sum())


def _proposed(rates: FlowRates, draws: int, rng: np.random.Generator) -> RateDraws:
    drawn = _independent(rates, draws, rng)
    return drawn if rates.past is None else _moved(drawn, rates, rates.past, rng)


def _with_own(drawn: RateDraws, rates: FlowRates) -> RateDraws:
    """The analyst's own rates laid over the draws, exactly."""
    reasons = zip(rates.care_ends, drawn.care_ends, strict=True)
    return replace(
        drawn,
        plan_ends=rates.plan_ends.with_own(drawn.plan_ends),
        plan_to_care=rates.plan_to_care.with_own(drawn.plan_to_care),
        care_ends=np.stack([fitted.with_own(values) for fitted, values in reasons]),
        plan_lags=rates.to_plan.lags.with_own(drawn.plan_lags),
        care_lags=rates.to_care.lags.with_own(drawn.care_lags),
        other_plan=rates.to_plan.others.with_own(drawn.other_plan),
        other_care=rates.to_care.others.with_own(drawn.other_care, rates.returns_per_month),
        uasc=rates.uasc.with_own(drawn.uasc[None])[0],
    )


def _balance_log_weight(drawn: RateDraws, rates: FlowRates, on_plans: float) -> FloatArray:
    implied, priors = equilibrium(drawn, rates), rates.priors
    in_care = rates.exposure.opening.care.days.size
    return np.asarray(
        balance_log_density(implied.plans, on_plans, priors.plan_balance)
        + balance_log_density(implied.care, in_care, priors.care_balance)
        + balance_log_density(implied.care_in_a_year, in_care, priors.care_year)
    )


def _balanced_plans(rates: FlowRates) -> float:
    """Children on a plan with whom drawn entries and exits are balanced.

    Care is balanced with the count itself: children who came by chance stay for years.
    """
    return stock_without_chance(
        rates.exposure,
        starts_dispersion=rates.dispersion["plan_starts"],
        ends_dispersion=rates.dispersion["plan_ends"],
        conversion_drift=rates.priors.plan_conversion_drift,
        exit_drift=rates.priors.plan_exit_drift,
        drift_correlation=rates.priors.plan_drift_correlation,
    )


def _systematic(weight: FloatArray, draws: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    points = (np.arange(draws) + rng.random()) / draws
    cumulative = np.cumsum(weight) / weight.sum()
    picked = np.searchsorted(cumulative, points).clip(max=len(weight) - 1)
    return np.asarray(rng.permutation(picked), dtype=np.intp)


def _independent(rates: FlowRates, draws: int, rng: np.random.Generator) -> RateDraws:
    priors = rates.priors
    months = _window_months(rates)

    chance = _together([rng.standard_normal(draws) for _ in Process], rates)

    def now(process: Process) -> FloatArray:
        return _present_over_window(drift_of(process, priors), months, chance[process])

    plan_conversion, care_conversion = now(Process.PLAN_CONVERSION), now(Process.CARE_CONVERSION)
    plan_lags, other_plan = rates.to_plan.draw(draws, rng)
    care_lags, other_care = rates.to_care.draw(draws, rng)
    return RateDraws(
        plan_ends=rates.plan_ends.draw(draws, rng) * now(Process.PLAN_EXIT),
        plan_to_care=rates.plan_to_care.draw(draws, rng) * care_conversion,
        care_ends=np.stack([reason.draw(draws, rng) for reason in rates.care_ends])
        * now(Process.CARE_EXIT),
        plan_lags=plan_lags * plan_conversion,
        care_lags=care_lags * care_conversion,
        other_plan=other_plan * plan_conversion,
        other_care=(other_care + rates.returns_per_month) * care_conversion,
        uasc=rates.uasc.draw(draws, rng)[0],
    )


def _together(chance: list[FloatArray], rates: FlowRates) -> list[FloatArray]:
    """Standard Normal draws of each `Process`, plans' exits moving against conversion."""
    chance[Process.PLAN_EXIT] = correlated(
        chance[Process.PLAN_CONVERSION],
        chance[Process.PLAN_EXIT],
        rates.priors.plan_drift_correlation,
    )
    return chance


def _present_over_window(drift: Drift, months: int, chance: FloatArray) -> FloatArray:
    """Rate at the census date over its mean in the window, under the drift; of mean 1."""
    variance = present_variance(drift, months)
    return np.asarray(np.exp(chance * np.sqrt(variance) - variance / 2.0))


def present_variance(drift: Drift, months: int) -> float:
    """Variance of the log of a rate now less its mean over the last `months`.

    For a random walk with monthly variance ``q`` it is ``q w / 3``; capped at the
    drift's own.
    """
    q = drift.sd**2 * (1.0 - drift.persistence**2)
    return float(min(q * months / 3.0, drift.sd**2))


def _moved(
    drawn: RateDraws, rates: FlowRates, past: PastRates, rng: np.random.Generator
) -> HistoryDraws:
    """The draws where history and lists together put the four processes."""
    draws = drawn.uasc.size
    months = _window_months(rates)
    node = np.zeros((len(Process), draws), dtype=np.int64)
    deviation = np.zeros((len(Process), draws))
    factor = np.ones((len(Process), draws))
    flows = _flows_now(drawn, rates)
    for process, one in past.rates.items():
        moving, still = flows[process]
        if moving.mean() < _LEAST_FLOW:
            continue
        drift = drift_of(process, rates.priors)
        shift, node[process], deviation[process] = move(
            one,
            np.log(moving + still),
            present_variance(drift, months),
            past.list_offset[process],
            rng,
            is_fitted_beside=process in (Process.PLAN_EXIT, Process.CARE_EXIT),
        )
        wanted = (moving + still) * np.exp(shift) - still
        factor[process] = np.maximum(wanted / moving, _LEAST_FACTOR)
    plan, care = factor[Process.PLAN_CONVERSION], factor[Process.CARE_CONVERSION]
    return HistoryDraws(
        plan_ends=drawn.plan_ends * factor[Process.PLAN_EXIT],
        care_ends=drawn.care_ends * factor[Process.CARE_EXIT],
        plan_lags=drawn.plan_lags * plan,
        other_plan=drawn.other_plan * plan,
        plan_to_care=drawn.plan_to_care * care,
        care_lags=drawn.care_lags * care,
        other_care=drawn.other_care * care,
        uasc=drawn.uasc,
        past_node=node,
        past_deviation=deviation,
    )


def _flows_now(drawn: RateDraws, rates: FlowRates) -> dict[Process, tuple[FloatArray, FloatArray]]:
    """Starts and ends a month at the census date: what moves with the process, and the rest.

    UASC starts and 18th birthdays move with none.
    """
    opening, referrals = rates.exposure.opening, rates.referrals_per_month
    nothing = np.zeros(drawn.uasc.size)
    in_care = opening.care
    cells = np.zeros((len(CARE_BANDS), len(CARE_SEGMENTS)))
    age = np.nan_to_num(in_care.age_days, nan=12.0 * DAYS_PER_YEAR) / DAYS_PER_YEAR
    segment = np.where(in_care.uasc, UASC_SEGMENT, AGE_BANDS.index(age))
    np.add.at(cells, (CARE_BANDS.index(in_care.days / DAYS_PER_MONTH), segment), 1.0)
    birthdays = float((age >= 17.0).sum()) / 12.0
    return {
        Process.PLAN_CONVERSION: (
            referrals * drawn.plan_lags.sum(axis=0) + drawn.other_plan,
            nothing,
        ),
        Process.CARE_CONVERSION: (
            referrals * drawn.care_lags.sum(axis=0)
            + drawn.other_care
            + _open_plans(opening) @ drawn.plan_to_care,
            drawn.uasc,
        ),
        Process.PLAN_EXIT: (_open_plans(opening) @ drawn.plan_ends, nothing),
        Process.CARE_EXIT: (
            np.einsum("bs,rbsd->d", cells, drawn.care_ends),
            np.full(drawn.uasc.size, birthdays),
        ),
    }


def _open_plans(opening: OpeningStock) -> FloatArray:
    """Children on a plan by duration band."""
    band = PLAN_BANDS.index(opening.plans.days / DAYS_PER_MONTH)
    return np.bincount(band, minlength=len(PLAN_BANDS)).astype(float)


def _window_months(rates: FlowRates) -> int:
    return max(w.months for w in rates.exposure.windows.values())


def rate_drifts(
    rates: FlowRates,
    drawn: RateDraws,
    months: pd.PeriodIndex,
    rngs: Sequence[np.random.Generator],
) -> list[FloatArray]:
    """Multipliers of each process by month and draw, in the order of `Process`.

    With history, from each draw's rate now back towards the authority's usual level;
    without, from 0 (see `paths_of`). One generator a process.
    """
    draws = drawn.uasc.size
    restless = rngs[0].standard_normal(draws)
    shape = (len(months), draws)
    chance = _together([rngs[process].standard_normal(shape) for process in Process], rates)
    paths = []
    for process in Process:
        drift = drift_of(process, rates.priors)
        past = None if rates.past is None else rates.past.rates.get(process)
        if past is not None and isinstance(drawn, HistoryDraws):
            node, deviation = drawn.past_node[process], drawn.past_deviation[process]
            mean_one = drift.is_mean_one
            own = chance[process]
            paths.append(past.paths(months, node, deviation, own, is_mean_one=mean_one))
        else:
            paths.append(paths_of(drift, chance[process], restless))
    return paths


def plan_entry_ages(opening: OpeningStock, count: int) -> FloatArray:
    """Ages at entry to a plan, in years."""
    return entry_ages(opening.plan_entry_age_days, PLAN_ENTRY_AGE_QUANTILES_YEARS, count)


def care_entry_ages(opening: OpeningStock, count: int) -> FloatArray:
    """Ages at entry to care, in years; UASC apart."""
    return entry_ages(opening.care_entry_age_days, CARE_ENTRY_AGE_QUANTILES_YEARS, count)


def uasc_entry_ages(opening: OpeningStock, count: int) -> FloatArray:
    """Ages at entry to care of UASC, in years."""
    return entry_ages(opening.uasc_entry_age_days, UASC_ENTRY_AGE_QUANTILES_YEARS, count)


UASC_SEGMENT = CARE_SEGMENTS.index(UASC)
