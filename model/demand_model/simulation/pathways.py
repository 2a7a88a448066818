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
    """

    level: FloatArray
    source_share: FloatArray
    plan_ratio: FloatArray
    care_ratio: FloatArray


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
        Referrals weighted by how readily they convert; shape (steps, draws).
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
    starts = np.flatnonzero(np.diff(line.month, prepend=-1))
    sources = len(base.source_share)
    monthly = np.empty((len(line.months), sources, draws))
    totals = {
        name: np.zeros((steps, draws)) for name in ("all", "plan", "care", "in", "back", "lost")
    }
    for source in range(sources):
        kept = _ordinary(base, effects, line, source)
        weighted = np.zeros((steps, draws))
        arriving = np.zeros((steps, draws))
        for lock in effects.lockdowns:
            hidden = kept * lock.suppressed_share[:, source, None]
            kept = kept - hidden
            leaving = lock.release[:, None] * hidden.sum(axis=0)
            back = leaving * lock.share_returning
            arriving += back
            weighted += back * lock.severity
            totals["in"] += hidden
            totals["back"] += back
            totals["lost"] += leaving - back
        weighted += kept
        totals["plan"] += weighted * base.plan_ratio[source]
        totals["care"] += weighted * base.care_ratio[source]
        arriving += kept
        totals["all"] += arriving
        monthly[:, source] = np.add.reduceat(arriving, starts, axis=0)
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
) -> FloatArray:
    changes, share = effects.referrals, base.source_share[source]
    factor = changes.multiplier[:, source] * changes.kept[:, source]
    value = base.level * share * factor[:, None]
    given = changes.shared[:, source, None] * share + changes.own[:, source, None]
    return np.asarray(np.maximum(value + given * line.working_share[:, None], 0.0))
