"""Batches of draws of one scenario, put together as its trajectories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.flows import ALL
from demand_model.simulation.scenario import Scenario
from demand_model.simulation.scenario_runs import Outcome
from demand_model.simulation.setup import Common
from demand_model.simulation.timeline import Timeline
from demand_model.simulation.trajectories import HiddenNeed, Trajectories

FloatArray = npt.NDArray[np.float64]


def collect(common: Common, scenario: Scenario, outcomes: Sequence[Outcome]) -> Trajectories:
    """Put the batches of one scenario together."""
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
    for kept in outcomes[0].system:
        measures[kept, ALL] = np.concatenate([o.system[kept] for o in outcomes], axis=1)
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


def _hidden_need(line: Timeline, outcomes: Sequence[Outcome]) -> HiddenNeed:
    def so_far(name: str) -> FloatArray:
        steps = np.concatenate([getattr(o.paths, name) for o in outcomes], axis=1)
        return np.cumsum(line.month_sums(steps), axis=0)

    return HiddenNeed(
        suppressed=so_far("suppressed"),
        returned=so_far("returned"),
        not_returning=so_far("not_returning"),
    )
