"""From weekly conversion rates to starts by step: what is in the pipeline and what is to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.simulation.timeline import Timeline
from demand_model.spell.linkage import MAX_LAG_WEEKS
from demand_model.units import DAYS_PER_WEEK

FloatArray = npt.NDArray[np.float64]
_GRID = 8


def step_kernel(line: Timeline) -> FloatArray:
    """Share of each lag week's starts that fall ``j`` steps after the referral's step.

    Referrals and starts are spread evenly over a step and a week. Steps are
    taken as of equal length. Shape (lags in steps, weeks); each column adds up to 1.
    """
    width = float(np.mean(np.diff(line.edges)))
    referred = (np.arange(_GRID) + 0.5) / _GRID * width
    within = (np.arange(_GRID) + 0.5) / _GRID * DAYS_PER_WEEK
    longest = int(np.ceil((MAX_LAG_WEEKS * DAYS_PER_WEEK) / width)) + 1
    kernel = np.zeros((longest, MAX_LAG_WEEKS))
    for week in range(MAX_LAG_WEEKS):
        started = referred[:, None] + week * DAYS_PER_WEEK + within[None, :]
        step = (started // width).astype(int)
        np.add.at(kernel[:, week], step.ravel(), 1.0 / step.size)
    return kernel


def pipeline_weeks(pipeline: pd.DataFrame, ratio: FloatArray, line: Timeline) -> FloatArray:
    """Referrals before the census that pass through each lag week in each step.

    ``starts by step = pipeline_weeks @ weekly rates``; shape (steps, weeks). Referrals
    are weighted by their source's relative conversion `ratio`.
    """
    ago = pipeline["days_ago"].to_numpy(float)
    weight = pipeline["count"].to_numpy(float)
    position = {source: i for i, source in enumerate(SOURCE_GROUPS)}
    weight = weight * ratio[[position[s] for s in pipeline["source_group"]]]
    out = np.zeros((line.steps, MAX_LAG_WEEKS))
    lower = np.arange(MAX_LAG_WEEKS) * float(DAYS_PER_WEEK)
    for step in range(line.steps):
        # A referral stands at the middle of its day; time 0 is the census day's end.
        opens = (ago + 0.5 + line.edges[step])[:, None]
        closes = (ago + 0.5 + line.edges[step + 1])[:, None]
        overlap = np.minimum(closes, lower + DAYS_PER_WEEK) - np.maximum(opens, lower)
        out[step] = weight @ (np.maximum(overlap, 0.0) / DAYS_PER_WEEK)
        if line.edges[step] > MAX_LAG_WEEKS * DAYS_PER_WEEK:
            break
    return out


def lags_by_step(kernel: FloatArray, weekly: FloatArray) -> FloatArray:
    """Starts a referral by lag in steps and draw; shape (lags, draws)."""
    # Not by matrix products: small ones wake the threads of linear algebra, which then fight ours.
    return np.asarray(np.einsum("sw,wd->sd", kernel, weekly))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaggedStarts:
    """How starts follow referrals: the same in all scenarios of a batch of draws.

    Attributes
    ----------
    lags
        Starts a referral by lag in steps; shape (lags, draws).
    waiting
        Starts by step that follow the referrals before the census; shape (steps, draws).
    """

    lags: FloatArray
    waiting: FloatArray


def lagged_starts(kernel: FloatArray, pipeline: FloatArray, weekly: FloatArray) -> LaggedStarts:
    """Starts by lag and in waiting, from starts a referral by lag week, shape (weeks, draws).

    Parameters
    ----------
    kernel, pipeline
        From `step_kernel` and `pipeline_weeks`.
    """
    waiting = np.asarray(np.einsum("sw,wd->sd", pipeline, weekly))
    return LaggedStarts(lags=lags_by_step(kernel, weekly), waiting=waiting)


def expected_starts(referrals: FloatArray, following: LaggedStarts) -> FloatArray:
    """Starts that referrals lead to, by step; shape (steps, draws).

    Parameters
    ----------
    referrals
        Expected referrals (weighted) by step and draw.
    """
    out, scratch = following.waiting.copy(), np.empty_like(following.waiting)
    for lag, starts in enumerate(following.lags[: len(referrals)]):
        began = len(referrals) - lag
        out[lag:] += np.multiply(referrals[:began], starts, out=scratch[:began])
    return out
