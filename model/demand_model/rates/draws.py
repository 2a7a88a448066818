"""Joint posterior draws of all rates, with the balance prior laid on them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS, PLAN_BANDS, UASC
from demand_model.exposure.opening import OpeningStock
from demand_model.rates.priors import (
    CARE_ENTRY_AGE_QUANTILES_YEARS,
    PLAN_ENTRY_AGE_QUANTILES_YEARS,
    UASC_ENTRY_AGE_QUANTILES_YEARS,
    BalancePrior,
    Drift,
)
from demand_model.rates.stay import mean_care_months, mean_plan_months, mean_uasc_months
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

if TYPE_CHECKING:
    from demand_model.rates.fit import FlowRates

FloatArray = npt.NDArray[np.float64]

PROPOSALS_PER_DRAW = 4
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

    def take(self, index: npt.NDArray[np.intp]) -> RateDraws:
        """The draws at `index`."""
        return RateDraws(**{f.name: getattr(self, f.name)[..., index] for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equilibrium:
    """What drawn rates imply in the long run; each of shape (draws,).

    Attributes
    ----------
    plans, care
        Intake a month times mean stay: the stock at which entries meet exits.
    """

    plans: FloatArray
    care: FloatArray


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
    band = PLAN_BANDS.index(opening.plans.days / DAYS_PER_MONTH)
    open_plans = np.bincount(band, minlength=len(PLAN_BANDS)).astype(float)
    from_plans = open_plans @ draws.plan_to_care
    care_intake = referrals * draws.care_lags.sum(axis=0) + draws.other_care + from_plans
    hazards = draws.care_ends.sum(axis=0)
    ages = entry_ages(opening.care_entry_age_days, CARE_ENTRY_AGE_QUANTILES_YEARS, 12)
    uasc_ages = entry_ages(opening.uasc_entry_age_days, UASC_ENTRY_AGE_QUANTILES_YEARS, 5)
    care = care_intake * mean_care_months(hazards, ages)
    care = care + draws.uasc * mean_uasc_months(hazards, uasc_ages)
    return Equilibrium(plans=plan_intake * mean_plan_months(draws.plan_ends), care=care)


def draw_rates(
    rates: FlowRates, draws: int, rng: np.random.Generator, *, balanced: bool = True
) -> RateDraws:
    """Joint draws of all rates at the census date.

    Independent posteriors are drawn, moved by the drift that the window's mean
    cannot show, weighted by the balance prior and resampled (sampling importance
    resampling, systematic).
    """
    proposals = draws * PROPOSALS_PER_DRAW if balanced else draws
    drawn = _independent(rates, proposals, rng)
    if not balanced:
        return drawn
    implied = equilibrium(drawn, rates)
    opening = rates.exposure.opening
    log_weight = _balance(implied.plans, opening.plans.days.size, rates.priors.plan_balance)
    log_weight += _balance(implied.care, opening.care.days.size, rates.priors.care_balance)
    weight = np.exp(log_weight - log_weight.max())
    return drawn.take(_systematic(weight, draws, rng))


def _balance(implied: FloatArray, open_now: int, prior: BalancePrior) -> FloatArray:
    """Log density of Student's t at log(implied / open now), up to a constant.

    Half a child is added to both, so that an empty stock is not a contradiction.
    """
    z = (np.log((implied + 0.5) / (open_now + 0.5)) - prior.location) / prior.scale
    nu = prior.degrees_of_freedom
    return np.asarray(-0.5 * (nu + 1.0) * np.log1p(z * z / nu))


def _systematic(weight: FloatArray, draws: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    points = (np.arange(draws) + rng.random()) / draws
    cumulative = np.cumsum(weight) / weight.sum()
    picked = np.searchsorted(cumulative, points).clip(max=len(weight) - 1)
    return np.asarray(rng.permutation(picked), dtype=np.intp)


def _independent(rates: FlowRates, draws: int, rng: np.random.Generator) -> RateDraws:
    priors = rates.priors
    months = max(w.months for w in rates.exposure.windows.values())

    def now(drift: Drift) -> FloatArray:
        return _present_over_window(drift, months, draws, rng)

    plan_conversion, care_conversion = (
        now(priors.plan_conversion_drift),
        now(priors.care_conversion_drift),
    )
    return RateDraws(
        plan_ends=rates.plan_ends.draw(draws, rng) * now(priors.plan_exit_drift),
        plan_to_care=rates.plan_to_care.draw(draws, rng) * care_conversion,
        care_ends=np.stack([reason.draw(draws, rng) for reason in rates.care_ends])
        * now(priors.care_exit_drift),
        plan_lags=rates.to_plan.lags.draw(draws, rng) * plan_conversion,
        care_lags=rates.to_care.lags.draw(draws, rng) * care_conversion,
        other_plan=rates.to_plan.draw_other(draws, rng) * plan_conversion,
        other_care=(rates.to_care.draw_other(draws, rng) + rates.returns_per_month)
        * care_conversion,
        uasc=rates.uasc.draw(draws, rng)[0],
    )


def _present_over_window(
    drift: Drift, months: int, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Rate at the census date over its mean in the window, under the drift.

    For a random walk with monthly variance ``q`` the present less the mean of
    the last ``w`` months has variance ``q w / 3``; capped at the drift's own.
    """
    q = drift.sd**2 * (1.0 - drift.persistence**2)
    variance = min(q * months / 3.0, drift.sd**2)
    return np.asarray(np.exp(rng.standard_normal(draws) * np.sqrt(variance) - variance / 2.0))


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
