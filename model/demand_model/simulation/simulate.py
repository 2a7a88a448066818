"""Flow rates and scenarios to trajectories.

Every draw takes its own rates from the posterior, its own intake path and drift,
and its own chance events; all of these are shared between scenarios.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.codes import PLACEMENT_GROUPS, SOURCE_GROUPS
from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.exposure.opening import StockMembers
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.draws import (
    RateDraws,
    care_entry_ages,
    draw_rates,
    plan_entry_ages,
    uasc_entry_ages,
)
from demand_model.rates.drift import drift_paths
from demand_model.rates.fit import FlowRates
from demand_model.rates.priors import SOURCE_PRIOR_EVENTS, SOURCE_SHARES
from demand_model.simulation.batch import (
    BatchChance,
    BatchInput,
    BatchResult,
    Entries,
    StepHazards,
    care_class,
    care_segment,
    run_batch,
)
from demand_model.simulation.chance import coupled_poisson, mean_siblings
from demand_model.simulation.effects import FlowEffect, ScenarioEffects, resolve
from demand_model.simulation.entrants import EntrantMix
from demand_model.simulation.lags import expected_starts, pipeline_weeks, step_kernel
from demand_model.simulation.pathways import ReferralBase, ReferralPaths, referral_paths
from demand_model.simulation.scenario import ALL, BASELINE, Scenario
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline, timeline
from demand_model.simulation.trajectories import HiddenNeed, Trajectories
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]
Progress = Callable[[str, float], None]

BATCH_DRAWS = 500
"""Draws simulated together: few enough to stay in the processor's cache."""

_ENTRY_AGES = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Batch:
    """One batch's rates, paths and drift: what scenarios share."""

    chance: BatchChance
    rates: RateDraws
    referrals: ReferralBase
    plan_conversion: FloatArray
    care_conversion: FloatArray
    plan_exit: FloatArray
    care_exit: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Common:
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
class _Outcome:
    """One batch under one scenario."""

    result: BatchResult
    paths: ReferralPaths
    referral_counts: npt.NDArray[np.int64]


def simulate(
    rates: FlowRates,
    scenarios: Sequence[Scenario] = (BASELINE,),
    *,
    horizon_months: int = 24,
    draws: int = 1000,
    seed: int = 0,
    steps_per_month: int = 4,
    balanced: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Trajectories, ...]:
    """Simulate each scenario.

    Parameters
    ----------
    rates
        From `fit`.
    scenarios
        Names must differ. The baseline is always simulated, since scenarios share
        its chance events, but is returned only if asked for.
    horizon_months
        Whole months after the census date; the rest of an unfinished month comes first.
    draws
        Possible futures, 10 to 100,000.
    seed
        Same seed, same result, whatever the number of threads.
    steps_per_month
        Steps that a calendar month is divided into.
    balanced
        Lay the balance prior on the rates (see `draw_rates`).
    threads
        As many as there are processors unless given.
    progress
        Called with a scenario's name and the share of all work that is done.

    Returns
    -------
    One `Trajectories` a scenario, in the order asked for.

    Raises
    ------
    InvalidSettingError
        Draws, horizon, steps or a scenario cannot be used.
    """
    _check(scenarios, draws)
    line = timeline(rates.exposure.census_date, horizon_months, steps_per_month)
    effects = {s.name: resolve(s, line, SOURCE_GROUPS) for s in (BASELINE, *scenarios)}
    effects[BASELINE.name] = resolve(BASELINE, line, SOURCE_GROUPS)
    common = _common(rates, line)
    batches = _batches(common, draws, seed, balanced=balanced)
    wanted = [s for s in scenarios if s.changes]
    done = 0
    outcomes: dict[str, list[_Outcome]] = {s.name: [] for s in scenarios}
    total = len(batches) * (len(wanted) + 1)

    def work(batch: _Batch) -> list[_Outcome]:
        return _run_scenarios(
            common, batch, [effects[BASELINE.name], *(effects[s.name] for s in wanted)]
        )

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for found in pool.map(work, batches):
            by_name = {s.name: o for s, o in zip(wanted, found[1:], strict=True)}
            for scenario in scenarios:
                outcomes[scenario.name].append(by_name.get(scenario.name, found[0]))
            done += len(found)
            if progress is not None:
                progress(scenarios[-1].name if scenarios else "", done / total)
    return tuple(_collect(common, s, outcomes[s.name]) for s in scenarios)


def _check(scenarios: Sequence[Scenario], draws: int) -> None:
    if not 10 <= draws <= 100_000:
        raise InvalidSettingError(f"Invalid draws: {draws}. They must be from 10 to 100,000.")
    names = [s.name for s in scenarios]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InvalidSettingError(
            f"Invalid scenarios: {', '.join(twice)} is there more than once. Names must differ."
        )
    for scenario in scenarios:
        if scenario.name == BASELINE.name and scenario.changes:
            raise InvalidSettingError(
                f"Invalid scenario: {BASELINE.name} has changes. Give them another name."
            )


def _common(rates: FlowRates, line: Timeline) -> _Common:
    pipeline = rates.exposure.pipeline
    opening = rates.exposure.opening
    plan_ages = plan_entry_ages(opening, _ENTRY_AGES)
    care_ages = care_entry_ages(opening, _ENTRY_AGES)
    return _Common(
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


def _batches(common: _Common, draws: int, seed: int, *, balanced: bool) -> list[_Batch]:
    rates, line = common.rates, common.line
    drawn = draw_rates(rates, draws, stream(seed, 0, Stream.RATES), balanced=balanced)
    paths = rates.intake.draw_paths(line.months, draws, stream(seed, 0, Stream.INTAKE))
    weights = rates.source_counts + SOURCE_PRIOR_EVENTS * np.asarray(SOURCE_SHARES)
    shares = stream(seed, 0, Stream.SOURCES).dirichlet(
        weights / rates.dispersion["referrals"], draws
    )
    level = paths[line.month] * line.working_share[:, None]
    priors = rates.priors
    drifts = [
        drift_paths(drift, len(line.months), draws, stream(seed, 0, Stream.DRIFT, number))
        for number, drift in enumerate(
            (
                priors.plan_conversion_drift,
                priors.care_conversion_drift,
                priors.plan_exit_drift,
                priors.care_exit_drift,
            )
        )
    ]
    batches = []
    for number, begin in enumerate(range(0, draws, BATCH_DRAWS)):
        mine = np.arange(begin, min(begin + BATCH_DRAWS, draws))
        plan_conversion, care_conversion, plan_exit, care_exit = (d[:, mine] for d in drifts)
        batches.append(
            _Batch(
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
                rates=drawn.take(mine),
                referrals=ReferralBase(
                    level=level[:, mine],
                    source_share=shares.T[:, mine],
                    plan_ratio=rates.to_plan.source_ratio,
                    care_ratio=rates.to_care.source_ratio,
                ),
                plan_conversion=plan_conversion,
                care_conversion=care_conversion,
                plan_exit=plan_exit,
                care_exit=care_exit,
            )
        )
    return batches


def _run_scenarios(
    common: _Common, batch: _Batch, effects: Sequence[ScenarioEffects]
) -> list[_Outcome]:
    """Run the baseline (first), then each other scenario from where it departs from it."""
    line = common.line
    paths = [referral_paths(batch.referrals, e, line) for e in effects]
    given = [
        BatchInput(entries=_entries(common, batch, e, p), hazards=_hazards(common, batch, e))
        for e, p in zip(effects, paths, strict=True)
    ]
    departs = [one.first_change(given[0], line) for one in given[1:]]
    base = run_batch(line, batch.rates, given[0], batch.chance, keep=frozenset(departs) - {0})
    results = [base] + [
        run_batch(line, batch.rates, one, batch.chance, base=base, first_month=month)
        for one, month in zip(given[1:], departs, strict=True)
    ]
    out = [
        _Outcome(
            result=base,
            paths=paths[0],
            referral_counts=_referral_counts(batch.chance, paths[0], None),
        )
    ]
    for result, path in zip(results[1:], paths[1:], strict=True):
        counts = _referral_counts(batch.chance, path, out[0])
        out.append(_Outcome(result=replace(result, states={}), paths=path, referral_counts=counts))
    out[0] = replace(out[0], result=replace(base, states={}))
    return out


def _referral_counts(
    chance: BatchChance, paths: ReferralPaths, base: _Outcome | None
) -> npt.NDArray[np.int64]:
    rng = stream(chance.seed, chance.batch, Stream.REFERRALS, int(base is not None))
    if base is None:
        return rng.poisson(paths.monthly).astype(np.int64)
    return coupled_poisson(base.referral_counts, base.paths.monthly, paths.monthly, rng)


def _entries(
    common: _Common, batch: _Batch, effects: ScenarioEffects, paths: ReferralPaths
) -> Entries:
    """Expected entrants by step and draw: from referrals, and others."""
    line, rates = common.line, batch.rates

    def starts(
        flow: Flow,
        other: Flow,
        referrals: FloatArray,
        weekly: FloatArray,
        others: FloatArray,
        pipeline: FloatArray,
        drift: FloatArray,
        share: float,
    ) -> FloatArray:
        linked = expected_starts(referrals, weekly, common.kernel, pipeline)
        linked = linked * _as_multiplier(effects.of(flow, line.steps), share)[:, None]
        rest = _area_flow(effects.of(other, line.steps), others[None, :] * drift[line.month], line)
        return linked * drift[line.month] + rest

    plans = starts(
        Flow.REFERRAL_TO_PLAN,
        Flow.OTHER_PLAN_STARTS,
        paths.to_plan,
        rates.plan_lags,
        rates.other_plan,
        common.plan_pipeline,
        batch.plan_conversion,
        common.rates.to_plan.share,
    )
    care = starts(
        Flow.REFERRAL_TO_CARE,
        Flow.OTHER_CARE_STARTS,
        paths.to_care,
        rates.care_lags,
        rates.other_care,
        common.care_pipeline,
        batch.care_conversion,
        common.rates.to_care.share,
    )
    steady = np.broadcast_to(rates.uasc, care.shape)
    return Entries(
        plans=plans,
        care=care,
        uasc=_area_flow(effects.of(Flow.UASC_STARTS, line.steps), steady, line),
    )


def _area_flow(effect: FlowEffect, per_month: FloatArray, line: Timeline) -> FloatArray:
    """Children by step from children a month, with a scenario's changes."""
    value = per_month * effect.multiplier[:, None] * (1.0 - effect.overwrite_weight)[:, None]
    value = value + (effect.overwrite_target + effect.added_per_month)[:, None]
    return np.asarray(np.maximum(value, 0.0) * line.step_months[:, None])


def _as_multiplier(effect: FlowEffect, fitted: float) -> FloatArray:
    """A rate's changes as one multiplier by step; an overwrite is relative to the fitted rate."""
    value = effect.multiplier * (1.0 - effect.overwrite_weight)
    return np.asarray(value + effect.overwrite_target / max(fitted, 1e-12))


def _hazards(common: _Common, batch: _Batch, effects: ScenarioEffects) -> StepHazards:
    steps = common.line.steps
    now = opening_rates(common.rates)
    return StepHazards(
        plan_ends=_as_multiplier(effects.of(Flow.PLAN_ENDS, steps), now[Flow.PLAN_ENDS]),
        plan_to_care=_as_multiplier(effects.of(Flow.PLAN_TO_CARE, steps), now[Flow.PLAN_TO_CARE]),
        care_ends=np.stack(
            [_as_multiplier(effects.of(flow, steps), now[flow]) for flow in CARE_ENDS], axis=1
        ),
        plan_drift=batch.plan_exit,
        care_drift=batch.care_exit,
        conversion_drift=batch.care_conversion,
    )


def opening_rates(rates: FlowRates) -> dict[Flow, float]:
    """Each exit flow's rate a child-month, averaged over the children open now."""
    from demand_model.exposure.bands import PLAN_BANDS

    opening = rates.exposure.opening
    band = PLAN_BANDS.index(opening.plans.days / DAYS_PER_MONTH)
    out = {
        Flow.PLAN_ENDS: _average(rates.plan_ends.mean()[band], rates.plan_ends.mean()),
        Flow.PLAN_TO_CARE: _average(rates.plan_to_care.mean()[band], rates.plan_to_care.mean()),
    }
    care = opening.care
    cells = care_class(
        care.days / DAYS_PER_MONTH, np.nan_to_num(care.age_days) / DAYS_PER_YEAR, care.uasc
    )
    for flow, reason in zip(CARE_ENDS, rates.care_ends, strict=True):
        mean = reason.mean().ravel()
        out[flow] = _average(mean[cells], mean)
    return out


def _average(of_children: FloatArray, of_cells: FloatArray) -> float:
    return float(of_children.mean()) if len(of_children) else float(of_cells.mean())


def _placement_mix(rates: FlowRates) -> FloatArray:
    """Placement groups of children in care by segment, at the census date.

    Each segment's mix leans on that of all children with the weight of five.
    Shape (segments, placement groups); rows add up to 1.
    """
    care = rates.exposure.opening.care
    segment = care_segment(np.nan_to_num(care.age_days) / DAYS_PER_YEAR, care.uasc)
    group = np.array([PLACEMENT_GROUPS.index(g) for g in care.placement_group], dtype=int)
    counts = np.zeros((len(CARE_SEGMENTS), len(PLACEMENT_GROUPS)))
    np.add.at(counts, (segment, group), 1.0)
    overall = counts.sum(axis=0)
    overall = overall / overall.sum() if overall.sum() else np.full(len(overall), 1 / len(overall))
    counts += 5.0 * overall
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _collect(common: _Common, scenario: Scenario, outcomes: list[_Outcome]) -> Trajectories:
    rates, line = common.rates, common.line
    results = [o.result for o in outcomes]
    referrals = np.concatenate([o.referral_counts for o in outcomes], axis=2).astype(float)
    measures: dict[tuple[str, str], FloatArray] = {("referrals", ALL): referrals.sum(axis=1)}
    for number, source in enumerate(SOURCE_GROUPS):
        measures["referrals", source] = referrals[:, number]
    for stock in ("cp", "cla"):
        for kind in ("starts", "ends", "open"):
            parts = [getattr(r, kind)[stock] for r in results]
            measures[f"{stock}_{kind}", ALL] = np.concatenate(parts, axis=1).astype(float)
    segments = np.concatenate([r.care_by_segment for r in results], axis=2).astype(float)
    for number, segment in enumerate(CARE_SEGMENTS):
        measures["cla_open", segment] = segments[:, number]
    placed = np.einsum("msd,sp->mpd", segments, _placement_mix(rates))
    for number, group in enumerate(PLACEMENT_GROUPS):
        measures["cla_open", group] = placed[:, number]
    observed = {
        (str(m), str(s)): float(v)
        for m, s, v in rates.exposure.month_to_date.itertuples(index=False)
    }
    for name, value in observed.items():
        if name in measures:
            measures[name] = measures[name].copy()
            measures[name][0] += value
    return Trajectories(
        scenario=scenario,
        months=line.months,
        opening={
            "cp_open": len(rates.exposure.opening.plans),
            "cla_open": len(rates.exposure.opening.care),
        },
        measures=measures,
        observed=observed,
        hidden_need=_hidden_need(line, outcomes),
    )


def _hidden_need(line: Timeline, outcomes: list[_Outcome]) -> HiddenNeed:
    starts = np.flatnonzero(np.diff(line.month, prepend=-1))

    def so_far(name: str) -> FloatArray:
        steps = np.concatenate([getattr(o.paths, name) for o in outcomes], axis=1)
        return np.cumsum(np.add.reduceat(steps, starts, axis=0), axis=0)

    return HiddenNeed(
        suppressed=so_far("suppressed"),
        returned=so_far("returned"),
        not_returning=so_far("not_returning"),
    )
