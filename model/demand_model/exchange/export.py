"""The reduced model as a file, with its distance from the full engine written into it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from demand_model.dynamics.integrate import Run
from demand_model.dynamics.xmile import xmile
from demand_model.exchange.reduced import ReducedModel, reduced_model
from demand_model.flows import ALL
from demand_model.simulation.setup import Prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.closed import USUAL_REFERRALS

GAP_COLUMNS = ("measure", "months_ahead", "month_end", "reduced", "engine", "share")

_COMPARED = {
    "referrals": "referrals",
    "cp_open": "cp open",
    "cla_open": "cla open",
    "assessments_open": "assessments open",
    "cin_open": "cin open",
    "workers": "workers",
    "caseload": "caseload",
}
_HORIZONS = (6, 12, 24, 36, 60)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exchange:
    """A model for other tools.

    Attributes
    ----------
    text
        XMILE 1.0.
    reduced
        What it holds.
    gap
        Columns `GAP_COLUMNS`: reduced model and the engine's mean at month ends, and the
        difference as a share of the engine's.
    sentence
        The gap in plain words.
    """

    text: str
    reduced: ReducedModel
    gap: pd.DataFrame
    sentence: str


def export(prepared: Prepared, baseline: Trajectories, system: System) -> Exchange:
    """Reduce a run's baseline and write it as XMILE.

    Parameters
    ----------
    prepared, system
        As for `reduced_model`.
    baseline
        The engine's own result with the same system.
    """
    reduced = reduced_model(prepared, system)
    gap = gap_to_engine(prepared, reduced.run(), baseline)
    sentence = _sentence(gap)
    model = replace(
        reduced.model,
        doc="Mean of the csc-demand forecast as stocks and flows, without its intervals. "
        f"{sentence}",
    )
    return Exchange(
        text=xmile(model, reduced.span, given={USUAL_REFERRALS: reduced.referrals}),
        reduced=replace(reduced, model=model),
        gap=gap,
        sentence=sentence,
    )


def gap_to_engine(prepared: Prepared, run: Run, baseline: Trajectories) -> pd.DataFrame:
    """How far the reduced model is from the engine's mean, at months ahead."""
    line = prepared.common.line
    ends = line.edges_months[[block.stop for block in line.blocks()]]
    rows = []
    for measure, name in _COMPARED.items():
        if (measure, ALL) not in baseline.measures or name not in run.series:
            continue
        for ahead in _HORIZONS:
            month = int(np.argmin(np.abs(ends - ahead)))
            if abs(ends[month] - ahead) > 1.0 or ends[month] > run.times[-1] + 1e-9:
                continue
            ours = _reduced_value(run, name, measure, float(ends[month]), line.step_months[0])
            engine = float(baseline.measures[measure, ALL][month].mean())
            if measure == "referrals":
                engine /= float(ends[month] - (ends[month - 1] if month else 0.0))
            share = ours / engine - 1.0 if engine else np.nan
            rows.append((measure, ahead, baseline.month_ends[month], ours, engine, share))
    return pd.DataFrame(rows, columns=list(GAP_COLUMNS))


def _reduced_value(run: Run, name: str, measure: str, end: float, step: float) -> float:
    series = run.series[name][:, 0]
    if measure != "referrals":
        return float(np.interp(end, run.times, series))
    within = (run.times > end - 1.0 - step / 2.0) & (run.times <= end)
    return float(series[within].mean())


def _sentence(gap: pd.DataFrame) -> str:
    stocks = gap[gap["measure"].isin(["cp_open", "cla_open"])]
    if stocks.empty:
        return "The horizon is too short to compare it with the full engine."
    at = int(stocks["share"].abs().to_numpy().argmax())
    measure, ahead, share = (stocks[c].tolist()[at] for c in ("measure", "months_ahead", "share"))
    name = {"cp_open": "children on plans", "cla_open": "children in care"}[measure]
    return (
        f"Against the mean of the full engine it is off by {abs(share):.1%} at most ({name}, "
        f"{ahead} months ahead)."
    )
