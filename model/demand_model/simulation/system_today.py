"""The system at the census date, as a simulation starts from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.rates.fit import FlowRates
from demand_model.simulation.effects import resolve
from demand_model.simulation.pathways import referral_paths
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.setup import Prepared
from demand_model.simulation.system_feedback import System, average_referrals
from demand_model.system.module import SystemModule

FloatArray = npt.NDArray[np.float64]


def with_lists(system: System, rates: FlowRates) -> System:
    """The system with the share of referrals closed without action as the lists have it."""
    if system.nfa_share is not None:
        return system
    return replace(system, nfa_share=_closed_share(rates))


def _closed_share(rates: FlowRates) -> float:
    """Share of all referrals that are closed without action.

    ``(closed + prior's closed) / (referrals + prior's referrals)``: all sources lean on
    the prior once, together; one for which the analyst has a share of his own keeps it.
    """
    shares = rates.nfa
    is_free = np.isnan(shares.fixed)
    prior = shares.prior_total
    closed = float(shares.yes[is_free].sum()) + prior * shares.prior_share
    pooled = closed / (float(shares.total[is_free].sum()) + prior)
    own = dict(zip(shares.segments, np.where(is_free, pooled, shares.fixed).tolist(), strict=True))
    by_source = np.array([own.get(source, pooled) for source in SOURCE_GROUPS])
    counts = rates.source_counts
    return float(counts @ by_source / counts.sum()) if counts.sum() > 0.0 else pooled


def system_today(prepared: Prepared, system: System) -> Mapping[str, FloatArray]:
    """Stocks, workers and caseload at the census date, before anything acts back.

    Returns
    -------
    By the names of `demand_model.system.variables.VARIABLES`; shape (draws,): what is
    worked out from referrals, not counted, differs from draw to draw.
    """
    common = prepared.common
    known = with_lists(system, common.rates)
    effects = resolve(BASELINE, common.line, SOURCE_GROUPS)
    average = np.concatenate(
        [
            average_referrals(common.line, referral_paths(b.referrals, effects, common.line).total)
            for b in prepared.batches
        ]
    )
    opening = known.opening(
        referrals_a_month=average,
        cp_open=float(len(common.plans)),
        cla_open=float(len(common.care)),
    )
    module = SystemModule(known.inputs, opening)
    return {
        name: np.array(np.broadcast_to(value, average.shape), dtype=float)
        for name, value in module.measures(module.begin()).items()
    }
