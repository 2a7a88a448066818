"""One batch of draws through all scenarios of a run, with or without feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from demand_model.simulation.batch import run_batch
from demand_model.simulation.batch_input import BatchChance, BatchInput
from demand_model.simulation.chance import coupled_poisson
from demand_model.simulation.driven import entrants_without_feedback, run_driven
from demand_model.simulation.effects import ScenarioEffects
from demand_model.simulation.entrant_counts import BatchCounts
from demand_model.simulation.ledger import BatchResult
from demand_model.simulation.pathways import ReferralPaths, referral_paths
from demand_model.simulation.scenario_inputs import (
    EntryRoutes,
    entry_routes,
    expected_entries,
    step_hazards,
)
from demand_model.simulation.setup import Common, DrawBatch
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.system_feedback import (
    Followed,
    System,
    SystemFeedback,
    average_referrals,
    follow,
)
from demand_model.simulation.timeline import Timeline

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """One batch under one scenario.

    Attributes
    ----------
    referral_counts
        Shape (months, sources, draws).
    system
        What the system came to, by name; shape (months, draws).
    """

    result: BatchResult
    paths: ReferralPaths
    referral_counts: npt.NDArray[np.int64]
    system: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchor:
    """Chance of the baseline without feedback, which every other run of a batch shares."""

    counts: BatchCounts
    paths: ReferralPaths
    referral_counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """What one scenario asks for, before any chance."""

    effects: ScenarioEffects
    paths: ReferralPaths
    routes: EntryRoutes


def run_scenarios(
    common: Common,
    batch: DrawBatch,
    effects: Sequence[ScenarioEffects],
    system: System | None = None,
) -> list[Outcome]:
    """Run the baseline (first), then each other scenario from where it departs from it.

    Where links act, or a scenario changes the system, scenarios go with feedback, in
    step with the baseline without it.
    """
    paths = [referral_paths(batch.referrals, e, common.line) for e in effects]
    acts = system is not None and bool(system.links)
    driven = [i for i, e in enumerate(effects) if acts or e.system.acts]
    plain = [i for i in range(len(effects)) if i not in driven]
    base_routes = entry_routes(common, batch, effects[0], paths[0])
    given = {
        i: BatchInput(
            entries=expected_entries(common, batch, effects[i], paths[i])
            if i
            else base_routes.entries,
            hazards=step_hazards(common, batch, effects[i]),
        )
        for i in {0, *plain}
    }
    results = _run_groups(common, batch, [given[i] for i in plain]) if plain else []
    anchor = Anchor(
        counts=results[0].counts
        if results
        else entrants_without_feedback(common.line, batch.rates, given[0], batch.chance),
        paths=paths[0],
        referral_counts=_base_referrals(batch.chance, paths[0]),
    )
    out = {
        i: Outcome(
            result=replace(result, states={}),
            paths=paths[i],
            referral_counts=_referral_counts(batch.chance, paths[i], anchor)
            if i
            else anchor.referral_counts,
        )
        for i, result in zip(plain, results, strict=True)
    }
    if system is not None:
        average = average_referrals(common.line, paths[0].total)
        out = _followed(common, out, effects, system, average)
        for i in driven:
            routes = entry_routes(common, batch, effects[i], paths[i]) if i else base_routes
            way = Way(effects=effects[i], paths=paths[i], routes=routes)
            out[i] = _run_driven(common, batch, way, anchor, system, average)
    return [out[i] for i in range(len(effects))]


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


def _run_driven(
    common: Common,
    batch: DrawBatch,
    way: Way,
    anchor: Anchor,
    system: System,
    average: FloatArray,
) -> Outcome:
    paths = way.paths
    feedback = SystemFeedback(
        system,
        common.line,
        paths.total,
        plans=float(len(common.plans)),
        care=float(len(common.care)),
        average=average,
        change=way.effects.system,
    )
    result, factor = run_driven(
        common.line,
        batch.rates,
        way.routes,
        step_hazards(common, batch, way.effects),
        batch.chance,
        base=anchor.counts,
        feedback=feedback,
    )
    moved = replace(
        paths,
        monthly=paths.monthly * _by_month(common.line, paths.total, factor)[:, None, :],
        total=paths.total * factor,
    )
    return Outcome(
        result=result,
        paths=moved,
        referral_counts=_referral_counts(batch.chance, moved, anchor),
        system=feedback.series(result.open["cp"][-1], result.open["cla"][-1]),
    )


def _by_month(line: Timeline, referrals: FloatArray, factor: FloatArray) -> FloatArray:
    """Multiplier of a month's referrals from that of its steps; shape (months, draws)."""
    before, after = line.month_sums(referrals), line.month_sums(referrals * factor)
    return np.divide(after, before, out=np.ones_like(after), where=before > 0.0)


def _followed(
    common: Common,
    plain: Mapping[int, Outcome],
    effects: Sequence[ScenarioEffects],
    system: System,
    average: FloatArray,
) -> dict[int, Outcome]:
    """Add what the system comes to where nothing acts back."""
    seen = [
        Followed(
            referrals=o.paths.total,
            plans=_from_census(o.result.open["cp"], len(common.plans)),
            care=_from_census(o.result.open["cla"], len(common.care)),
            places=effects[i].system.places,
        )
        for i, o in plain.items()
    ]
    series = follow(system, common.line, seen, average)
    return {
        i: replace(outcome, system=found)
        for (i, outcome), found in zip(plain.items(), series, strict=True)
    }


def _from_census(at_ends: npt.NDArray[np.int64], opening: int) -> npt.NDArray[np.int64]:
    """Children at the census date and at each month's end; shape (months + 1, draws)."""
    first = np.full((1, at_ends.shape[1]), opening, dtype=np.int64)
    return np.concatenate([first, at_ends])


def _base_referrals(chance: BatchChance, paths: ReferralPaths) -> npt.NDArray[np.int64]:
    rng = stream(chance.seed, chance.batch, Stream.REFERRALS, 0)
    return rng.poisson(paths.monthly).astype(np.int64)


def _referral_counts(
    chance: BatchChance, paths: ReferralPaths, base: Anchor
) -> npt.NDArray[np.int64]:
    rng = stream(chance.seed, chance.batch, Stream.REFERRALS, 1)
    return coupled_poisson(base.referral_counts, base.paths.monthly, paths.monthly, rng)
