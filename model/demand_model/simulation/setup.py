"""What all scenarios of a run share: opening stocks, rates, paths and drift, by batch of draws."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError
from demand_model.exposure.opening import StockMembers
from demand_model.rates.draws import (
    RateDraws,
    care_entry_ages,
    draw_rates,
    plan_entry_ages,
    rate_drifts,
    uasc_entry_ages,
)
from demand_model.rates.fit import FlowRates
from demand_model.rates.following import following
from demand_model.rates.history import Process
from demand_model.rates.priors import SOURCE_PRIOR_EVENTS, SOURCE_SHARES
from demand_model.simulation.batch_input import BatchChance
from demand_model.simulation.chance import mean_siblings
from demand_model.simulation.entrants import EntrantMix
from demand_model.simulation.lags import LaggedStarts, lagged_starts, pipeline_weeks, step_kernel
from demand_model.simulation.pathways import ReferralBase
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline, timeline
from demand_model.units import DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

BATCH_DRAWS = 500
"""Draws simulated together: few enough to stay in the processor's cache."""

_ENTRY_AGES = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawBatch:
    """One batch's rates, paths and drift: what scenarios share."""

    chance: BatchChance
    rates: RateDraws
    referrals: ReferralBase
    plan_conversion: FloatArray
    care_conversion: FloatArray
    plan_exit: FloatArray
    care_exit: FloatArray
    plan_lags: LaggedStarts
    care_lags: LaggedStarts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Common:
    """What all batches and scenarios share."""

    rates: FlowRates
    line: Timeline
    kernel: FloatArray
    plan_pipeline: FloatArray
    care_pipeline: FloatArray
    plans: StockMembers
    care: StockMembers
    plan_mix: EntrantMix
    care_mix: EntrantMix
    uasc_mix: EntrantMix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A run before any scenario: rates, timeline and chance that all of them share."""

    common: Common
    batches: tuple[DrawBatch, ...]
    draws: int


def prepare(
    rates: FlowRates,
    *,
    horizon_months: int = 24,
    draws: int = 1000,
    seed: int = 0,
    steps_per_month: int = 4,
    balanced: bool = True,
) -> Prepared:
    """Draw what all scenarios of a run share; the parameters are those of `simulate`.

    Raises
    ------
    InvalidSettingError
        Draws, horizon or steps cannot be used.
    """
    if not 10 <= draws <= 100_000:
        raise InvalidSettingError(f"Invalid draws: {draws}. They must be from 10 to 100,000.")
    line = timeline(rates.exposure.census_date, horizon_months, steps_per_month)
    common = common_setup(rates, line)
    batches = draw_batches(common, draws, seed, balanced=balanced)
    return Prepared(common=common, batches=tuple(batches), draws=draws)


def common_setup(rates: FlowRates, line: Timeline) -> Common:
    """Opening stocks, ages and lags of a run, on its timeline."""
    pipeline = rates.exposure.pipeline
    opening = rates.exposure.opening
    plan_ages = plan_entry_ages(opening, _ENTRY_AGES)
    care_ages = care_entry_ages(opening, _ENTRY_AGES)
    return Common(
        rates=rates,
        line=line,
        kernel=step_kernel(line),
        plan_pipeline=pipeline_weeks(pipeline, rates.to_plan.source_ratio, line),
        care_pipeline=pipeline_weeks(pipeline, rates.to_care.source_ratio, line),
        plans=_with_ages(opening.plans, plan_ages),
        care=_with_ages(opening.care, care_ages),
        plan_mix=EntrantMix(
            ages_years=plan_ages,
            siblings=mean_siblings(rates.dispersion["plan_starts"]),
            end_dispersion=rates.dispersion["plan_ends"],
        ),
        care_mix=EntrantMix(
            ages_years=care_ages,
            siblings=mean_siblings(rates.dispersion["care_starts"]),
            end_dispersion=rates.dispersion["care_ends"],
        ),
        uasc_mix=EntrantMix(
            ages_years=uasc_entry_ages(opening, _ENTRY_AGES), siblings=0.0, end_dispersion=1.0
        ),
    )


def _with_ages(members: StockMembers, entry_ages_years: FloatArray) -> StockMembers:
    """Give children of unknown age one: entry ages spread evenly, plus time since, below 18."""
    unknown = np.isnan(members.age_days)
    if not unknown.any():
        return members
    known = np.sort(members.age_days[~unknown])
    number = (np.arange(unknown.sum()) + 0.5) / unknown.sum()
    if len(known) >= 30:
        filled = np.quantile(known, number)
    else:
        start = np.quantile(entry_ages_years, number) * DAYS_PER_YEAR
        filled = np.minimum(start + members.days[unknown], 17.75 * DAYS_PER_YEAR)
    age = members.age_days.copy()
    age[unknown] = filled
    return StockMembers(
        days=members.days,
        age_days=age,
        uasc=members.uasc,
        placement_group=members.placement_group,
        together=members.together,
    )


def draw_batches(common: Common, draws: int, seed: int, *, balanced: bool) -> list[DrawBatch]:
    """Rates, paths and drift of all draws, cut into batches."""
    rates, line = common.rates, common.line
    drawn = draw_rates(rates, draws, stream(seed, 0, Stream.RATES), balanced=balanced)
    paths = rates.intake.draw_paths(line.months, draws, stream(seed, 0, Stream.INTAKE))
    follows = following(paths)[line.month]
    paths = paths * rates.referral_scale
    weights = rates.source_counts + SOURCE_PRIOR_EVENTS * np.asarray(SOURCE_SHARES)
    shares = stream(seed, 0, Stream.SOURCES).dirichlet(
        weights / rates.dispersion["referrals"], draws
    )
    level = paths[line.month] * line.working_share[:, None]
    rngs = [stream(seed, 0, Stream.DRIFT, number) for number in Process]
    drifts = rate_drifts(rates, drawn, line.months, rngs)
    batches = []
    for number, begin in enumerate(range(0, draws, BATCH_DRAWS)):
        mine = np.arange(begin, min(begin + BATCH_DRAWS, draws))
        own = _rates_of(drawn, mine)
        plan_conversion, care_conversion, plan_exit, care_exit = (_taken(d, mine) for d in drifts)
        batches.append(
            DrawBatch(
                chance=BatchChance(
                    seed,
                    number,
                    len(mine),
                    line,
                    plans=common.plans,
                    care=common.care,
                    plan_mix=common.plan_mix,
                    care_mix=common.care_mix,
                    uasc_mix=common.uasc_mix,
                ),
                rates=own,
                referrals=ReferralBase(
                    level=_taken(level, mine),
                    source_share=_taken(shares.T, mine),
                    plan_ratio=rates.to_plan.source_ratio,
                    care_ratio=rates.to_care.source_ratio,
                    following=_taken(follows, mine),
                ),
                plan_conversion=plan_conversion,
                care_conversion=care_conversion,
                plan_exit=plan_exit,
                care_exit=care_exit,
                plan_lags=lagged_starts(common.kernel, common.plan_pipeline, own.plan_lags),
                care_lags=lagged_starts(common.kernel, common.care_pipeline, own.care_lags),
            )
        )
    return batches


def _taken(values: FloatArray, draws: npt.NDArray[np.intp]) -> FloatArray:
    """Some draws (the last axis), side by side in memory.

    Plain indexing puts the last axis first in memory; with it all arithmetic of a batch
    would stride.
    """
    return np.ascontiguousarray(values[..., draws])


def _rates_of(drawn: RateDraws, draws: npt.NDArray[np.intp]) -> RateDraws:
    taken = {f.name: _taken(getattr(drawn, f.name), draws) for f in fields(RateDraws)}
    return RateDraws(**taken)
