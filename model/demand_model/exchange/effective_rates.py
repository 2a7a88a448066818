"""The engine's rates on average over draws, months and ages: what a reduced model needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.bands import CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS, Bands
from demand_model.exposure.opening import StockMembers
from demand_model.simulation.care_class import care_segment
from demand_model.simulation.effects import resolve
from demand_model.simulation.members import ADULT_YEARS
from demand_model.simulation.pathways import referral_paths
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.scenario_inputs import EntryRoute, entry_routes
from demand_model.simulation.setup import Common, DrawBatch, Prepared
from demand_model.simulation.system_feedback import average_referrals
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR, MONTHS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

_BIRTHDAY_MONTHS = 24.0
"""18th birthdays are averaged over this long."""
_LEAN_CHILDREN = 5.0
"""Children of all bands that a band's mix of ages leans on."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RouteRates:
    """How referrals lead to a start.

    Attributes
    ----------
    share
        Of referrals that lead to a start.
    lag_months
        From referral to start, on average.
    on_the_way
        Starts to come from referrals before the census date.
    other_a_month
        Starts without a referral.
    """

    share: float
    lag_months: float
    on_the_way: float
    other_a_month: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectiveRates:
    """Averages of one run's baseline; rates are a child-month, by duration band.

    Attributes
    ----------
    referrals
        (middle of the month in months since the census date, children a month).
    plans, care
        Routes into them; `uasc_a_month` apart.
    plan_open, care_open
        Children at the census date by band.
    plan_ends, plan_to_care, plan_birthdays
        Shape (plan bands,).
    care_ends
        Shape (reasons, care bands).
    care_birthdays
        18th birthdays; shape (care bands,).
    """

    referrals: tuple[tuple[float, float], ...]
    average_referrals: float
    plans: RouteRates
    care: RouteRates
    uasc_a_month: float
    plan_open: FloatArray
    care_open: FloatArray
    plan_ends: FloatArray
    plan_to_care: FloatArray
    plan_birthdays: FloatArray
    care_ends: FloatArray
    care_birthdays: FloatArray


def effective_rates(prepared: Prepared) -> EffectiveRates:
    """Average what the draws of a run hold, under its baseline."""
    common, batches = prepared.common, prepared.batches
    line = common.line
    effects = resolve(BASELINE, line, SOURCE_GROUPS)
    paths = [referral_paths(b.referrals, effects, line) for b in batches]
    routes = [entry_routes(common, b, effects, p) for b, p in zip(batches, paths, strict=True)]
    referrals = _mean([p.total for p in paths])
    months = line.step_months
    plans, care = common.plans, common.care
    return EffectiveRates(
        referrals=_by_month(common, referrals),
        average_referrals=float(average_referrals(line, referrals)),
        plans=_route(common, batches, [r.plans for r in routes], referrals, "plan"),
        care=_route(common, batches, [r.care for r in routes], referrals, "care"),
        uasc_a_month=float(_mean([r.uasc for r in routes]).sum() / months.sum()),
        plan_open=_counts(plans, PLAN_BANDS),
        care_open=_counts(care, CARE_BANDS),
        plan_ends=_typical([b.rates.plan_ends * b.plan_exit.mean(axis=0) for b in batches]),
        plan_to_care=_mean(
            [b.rates.plan_to_care * b.care_conversion.mean(axis=0) for b in batches]
        ),
        plan_birthdays=_birthdays(plans, PLAN_BANDS),
        care_ends=_care_ends(care, batches),
        care_birthdays=_birthdays(care, CARE_BANDS),
    )


def _mean(of_batches: Sequence[FloatArray]) -> FloatArray:
    """Mean over draws, the last axis of each batch."""
    return np.asarray(np.concatenate(of_batches, axis=-1).mean(axis=-1))


def _typical(of_batches: Sequence[FloatArray]) -> FloatArray:
    """Geometric mean over draws: draws in which plans end late hold more of the children.

    Closer to the mean stock of the engine than the mean rate: by a third at two years.
    """
    rates = np.maximum(np.concatenate(of_batches, axis=-1), _TINY)
    return np.asarray(np.exp(np.log(rates).mean(axis=-1)))


def _by_month(common: Common, by_step: FloatArray) -> tuple[tuple[float, float], ...]:
    """(middle, a month) of each month."""
    edges = common.line.edges_months
    out = []
    for block in common.line.blocks():
        begin, close = float(edges[block.start]), float(edges[block.stop])
        count = float(by_step[block.start : block.stop].sum())
        out.append(((begin + close) / 2.0, count / (close - begin)))
    return tuple(out)


def _route(
    common: Common,
    batches: Sequence[DrawBatch],
    routes: Sequence[EntryRoute],
    referrals: FloatArray,
    kind: str,
) -> RouteRates:
    line = common.line
    width = float(line.step_months.mean())
    lags = _mean([r.lags for r in routes])
    following = [b.plan_lags if kind == "plan" else b.care_lags for b in batches]
    waiting = _mean([f.waiting * r.conversion for f, r in zip(following, routes, strict=True)])
    ready = _mean([r.arriving * r.conversion * r.lags.sum(axis=0) for r in routes])
    months = line.step_months.sum()
    # A rate that is overridden by 0 leaves nothing to take a share or an average of.
    return RouteRates(
        share=float(ready.sum() / max(referrals.sum(), _TINY)),
        lag_months=float(np.arange(len(lags)) @ lags / max(lags.sum(), _TINY)) * width,
        on_the_way=float(waiting.sum()),
        other_a_month=float(_mean([r.other for r in routes]).sum() / months),
    )


def _counts(stock: StockMembers, bands: Bands) -> FloatArray:
    """Children by duration band; shape (bands,)."""
    band = bands.index(stock.days / DAYS_PER_MONTH)
    return np.bincount(band, minlength=len(bands)).astype(float)


def _birthdays(stock: StockMembers, bands: Bands) -> FloatArray:
    """18th birthdays a child-month by duration band, over the next two years.

    A band of few children leans on all bands.
    """
    band = bands.index(stock.days / DAYS_PER_MONTH)
    age = np.nan_to_num(stock.age_days) / DAYS_PER_YEAR
    soon = age >= ADULT_YEARS - _BIRTHDAY_MONTHS / MONTHS_PER_YEAR
    counts = np.bincount(band, minlength=len(bands)).astype(float)
    due = np.bincount(band, weights=soon.astype(float), minlength=len(bands))
    overall = float(soon.mean()) if len(stock) else 0.0
    share = (due + _LEAN_CHILDREN * overall) / (counts + _LEAN_CHILDREN)
    return np.asarray(share / _BIRTHDAY_MONTHS)


def _care_ends(care: StockMembers, batches: Sequence[DrawBatch]) -> FloatArray:
    """Rates of leaving care by reason and duration band, over the ages of those open now.

    A band of few children leans on the ages of all. Shape (reasons, bands).
    """
    band = CARE_BANDS.index(care.days / DAYS_PER_MONTH)
    segment = care_segment(np.nan_to_num(care.age_days) / DAYS_PER_YEAR, care.uasc)
    mix = np.zeros((len(CARE_BANDS), len(CARE_SEGMENTS)))
    np.add.at(mix, (band, segment), 1.0)
    overall = mix.sum(axis=0) / max(mix.sum(), 1.0)
    mix = mix + _LEAN_CHILDREN * overall
    mix /= np.maximum(mix.sum(axis=1, keepdims=True), 1e-12)
    rates = _mean([b.rates.care_ends * b.care_exit.mean(axis=0) for b in batches])
    return np.asarray(np.einsum("rbs,bs->rb", rates, mix))
