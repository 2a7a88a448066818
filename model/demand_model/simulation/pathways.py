"""Referrals before chance: expected counts by source, hidden need, and what may convert.

For each draw and step, ordinary referrals of source ``s`` are

    (level x profile x noise) x share[s] x multiplier[s]

A lockdown takes `suppressed` out of them into a stock of hidden need, which is
emptied after the lockdown: a share returns as referrals, the rest does not::

    suppressed so far = returned so far + not returning so far + hidden now
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.simulation.effects import ScenarioEffects
from demand_model.simulation.timeline import Timeline

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferralBase:
    """Ordinary referrals of a batch of draws, shared by all scenarios.

    Attributes
    ----------
    level
        Expected referrals by step, all sources; shape (steps, draws).
    source_share
        Shape (sources, draws), adding up to 1.
    plan_ratio, care_ratio
        Conversion of each source relative to all; shape (sources,).
    following
        How far starts follow each draw's own swings, see `rates.following`; shape
        (steps, draws).
    """

    level: FloatArray
    source_share: FloatArray
    plan_ratio: FloatArray
    care_ratio: FloatArray
    following: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferralPaths:
    """Expected referrals under one scenario.

    Attributes
    ----------
    monthly
        Shape (months, sources, draws).
    total
        All sources, what returns included; shape (steps, draws).
    to_plan, to_care
        Referrals weighted by how readily they convert, and how far starts follow a
        draw's swings; shape (steps, draws).
    suppressed, returned, not_returning
        Flows into and out of hidden need; shape (steps, draws).
    """

    monthly: FloatArray
    total: FloatArray
    to_plan: FloatArray
    to_care: FloatArray
    suppressed: FloatArray
    returned: FloatArray
    not_returning: FloatArray


def referral_paths(base: ReferralBase, effects: ScenarioEffects, line: Timeline) -> ReferralPaths:
    """Apply a scenario to the ordinary referrals, source by source."""
    steps, draws = base.level.shape
    sources = len(base.source_share)
    monthly = np.empty((len(line.months), sources, draws))
    totals = {
        name: np.zeros((steps, draws)) for name in ("all", "plan", "care", "in", "back", "lost")
    }
    scratch = np.empty((steps, draws))
    for source in range(sources):
        kept, follows = _ordinary(base, effects, line, source)
        arriving, weighted = _with_returns(kept, effects, source, totals)
        converting = weighted * follows
        totals["plan"] += np.multiply(converting, base.plan_ratio[source], out=scratch)
        totals["care"] += np.multiply(converting, base.care_ratio[source], out=scratch)
        totals["all"] += arriving
        monthly[:, source] = line.month_sums(arriving)
    return ReferralPaths(
        monthly=monthly,
        total=totals["all"],
        to_plan=totals["plan"],
        to_care=totals["care"],
        suppressed=totals["in"],
        returned=totals["back"],
        not_returning=totals["lost"],
    )


def _ordinary(
    base: ReferralBase, effects: ScenarioEffects, line: Timeline, source: int
) -> tuple[FloatArray, FloatArray]:
    """Referrals of one source before any is hidden, and how far starts follow them.

    A number that a scenario gives is no swing of chance: starts follow it in full. Each of
    shape (steps, draws).
    """
    changes, share = effects.referrals, base.source_share[source]
    factor = changes.multiplier[:, source] * changes.kept[:, source]
    value = np.multiply(base.level, share)
    if np.any(factor != 1.0):
        value *= factor[:, None]
    shared, own = changes.shared[:, source], changes.own[:, source]
    if not (np.any(shared) or np.any(own)):
        return np.maximum(value, 0.0, out=value), base.following
    given = (shared[:, None] * share + own[:, None]) * line.working_share[:, None]
    total = np.maximum(value + given, 0.0)
    converting = np.maximum(value * base.following + given, 0.0)
    follows = np.divide(converting, total, out=np.ones_like(total), where=total > 0.0)
    return total, follows


def _with_returns(
    kept: FloatArray, effects: ScenarioEffects, source: int, totals: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Referrals of one source with lockdowns' hidden need taken out and coming back.

    `kept` is changed in place, and hidden need is added to `totals`. Only the steps that
    a lockdown, or its release, holds are touched.

    Returns
    -------
    All that arrive, and the same weighted by severity; each of shape (steps, draws).
    """
    if not effects.lockdowns:
        return kept, kept
    arriving, weighted = np.zeros_like(kept), np.zeros_like(kept)
    for lock in effects.lockdowns:
        share = lock.suppressed_share[:, source]
        held, freed = _steps_of(share), _steps_of(lock.release)
        hidden = kept[held] * share[held, None]
        kept[held] -= hidden
        leaving = lock.release[freed, None] * hidden.sum(axis=0)
        back = leaving * lock.share_returning
        arriving[freed] += back
        weighted[freed] += back * lock.severity
        totals["in"][held] += hidden
        totals["back"][freed] += back
        totals["lost"][freed] += leaving - back
    weighted += kept
    arriving += kept
    return arriving, weighted


def _steps_of(values: FloatArray) -> slice:
    """From the first step that is not 0 to the last."""
    found = np.flatnonzero(values)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
