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
from demand_model.flows import ALL
from demand_model.rates.fit import FlowRates
from demand_model.simulation.batch import run_batch
from demand_model.simulation.batch_input import BatchChance, BatchInput
from demand_model.simulation.care_class import care_segment
from demand_model.simulation.chance import coupled_poisson
from demand_model.simulation.effects import ScenarioEffects, resolve
from demand_model.simulation.ledger import BatchResult
from demand_model.simulation.pathways import ReferralPaths, referral_paths
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.scenario_inputs import expected_entries, step_hazards
from demand_model.simulation.setup import Common, DrawBatch, Prepared, prepare
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline
from demand_model.simulation.trajectories import HiddenNeed, Trajectories
from demand_model.units import DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

Progress = Callable[[str, float], None]


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
        Batches simulated side by side; as many as there are processors unless given.
        With many scenarios one is as quick on two processors, and costs a quarter less
        of their time: the steps are short calls that take turns.
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
    prepared = prepare(
        rates,
        horizon_months=horizon_months,
        draws=draws,
        seed=seed,
        steps_per_month=steps_per_month,
        balanced=balanced,
    )
    return simulate_prepared(prepared, scenarios, threads=threads, progress=progress)


def simulate_prepared(
    prepared: Prepared,
    scenarios: Sequence[Scenario] = (BASELINE,),
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Trajectories, ...]:
    """Simulate each scenario of a run that `prepare` has drawn; parameters as in `simulate`.

    Raises
    ------
    InvalidSettingError
        A scenario cannot be used.
    """
    _check(scenarios)
    common, batches = prepared.common, prepared.batches
    line = common.line
    effects = {s.name: resolve(s, line, SOURCE_GROUPS) for s in (BASELINE, *scenarios)}
    effects[BASELINE.name] = resolve(BASELINE, line, SOURCE_GROUPS)
    wanted = [s for s in scenarios if s.changes]
    done = 0
    outcomes: dict[str, list[_Outcome]] = {s.name: [] for s in scenarios}
    total = len(batches) * (len(wanted) + 1)

    def work(batch: DrawBatch) -> list[_Outcome]:
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


def _check(scenarios: Sequence[Scenario]) -> None:
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


def _run_scenarios(
    common: Common, batch: DrawBatch, effects: Sequence[ScenarioEffects]
) -> list[_Outcome]:
    """Run the baseline (first), then each other scenario from where it departs from it."""
    line = common.line
    paths = [referral_paths(batch.referrals, e, line) for e in effects]
    given = [
        BatchInput(
            entries=expected_entries(common, batch, e, p), hazards=step_hazards(common, batch, e)
        )
        for e, p in zip(effects, paths, strict=True)
    ]
    results = _run_groups(common, batch, given)
    base = results[0]
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


def _run_groups(common: Common, batch: DrawBatch, given: list[BatchInput]) -> list[BatchResult]:
    """Results of each scenario; those with the same exit hazards are simulated together."""
    line, none = common.line, len(common.line.months)
    departs = [one.first_change(given[0], line) for one in given]
    with_base = [i for i, one in enumerate(given) if one.has_exits_of(given[0])]
    groups: list[list[int]] = []
    for number in set(range(len(given))) - set(with_base):
        mine = next((g for g in groups if given[number].has_exits_of(given[g[0]])), None)
        if mine is None:
            groups.append([number])
        else:
            mine.append(number)
    begins = [min(departs[i] for i in group) for group in groups]
    found = run_batch(
        line,
        batch.rates,
        [given[i] for i in with_base],
        batch.chance,
        keep=frozenset(begins) - {0, none},
    )
    results = dict(zip(with_base, found, strict=True))
    for group, begin in zip(groups, begins, strict=True):
        inputs = [given[i] for i in group]
        more = run_batch(line, batch.rates, inputs, batch.chance, base=found[0], first_month=begin)
        results.update(zip(group, more, strict=True))
    return [results[i] for i in range(len(given))]


def _referral_counts(
    chance: BatchChance, paths: ReferralPaths, base: _Outcome | None
) -> npt.NDArray[np.int64]:
    rng = stream(chance.seed, chance.batch, Stream.REFERRALS, int(base is not None))
    if base is None:
        return rng.poisson(paths.monthly).astype(np.int64)
    return coupled_poisson(base.referral_counts, base.paths.monthly, paths.monthly, rng)


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


def _collect(common: Common, scenario: Scenario, outcomes: list[_Outcome]) -> Trajectories:
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
