"""Mean starts of plans and care as sums over the months of the referrals behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demand_model.results.what_if_data import StartRates
from demand_model.simulation.setup import Common, DrawBatch

FloatArray = npt.NDArray[np.float64]

KERNEL_MONTHS = 8
"""Referrals lead to starts in their own month and the seven after it (26 weeks)."""


def source_shares(batches: Sequence[DrawBatch]) -> FloatArray:
    """Mean share of each source group in referrals."""
    return _mean([b.referrals.source_share for b in batches])


def plan_start_rates(common: Common, batches: Sequence[DrawBatch], months: int) -> StartRates:
    """Of plans; see `StartRates`."""
    return _start_rates(
        common,
        source_shares(batches) * batches[0].referrals.plan_ratio,
        _mean([b.referrals.level for b in batches]),
        _mean([b.referrals.level * b.referrals.following for b in batches]),
        _joined([b.rates.plan_lags for b in batches]),
        _joined([b.rates.other_plan for b in batches]),
        _joined([b.plan_conversion[:months] for b in batches]),
        common.plan_pipeline,
    )


def care_start_rates(common: Common, batches: Sequence[DrawBatch], months: int) -> StartRates:
    """Of care, UASC and starts from plans apart; see `StartRates`."""
    return _start_rates(
        common,
        source_shares(batches) * batches[0].referrals.care_ratio,
        _mean([b.referrals.level for b in batches]),
        _mean([b.referrals.level * b.referrals.following for b in batches]),
        _joined([b.rates.care_lags for b in batches]),
        _joined([b.rates.other_care for b in batches]),
        _joined([b.care_conversion[:months] for b in batches]),
        common.care_pipeline,
    )


def _start_rates(
    common: Common,
    readiness: FloatArray,
    level: FloatArray,
    converting: FloatArray,
    lags: FloatArray,
    other: FloatArray,
    drift: FloatArray,
    pipeline: FloatArray,
) -> StartRates:
    """Means over draws of products; referrals and rates are drawn apart, so theirs factor.

    Parameters
    ----------
    readiness
        Share of each source times its relative conversion.
    level, converting
        Mean referrals by step: all, and as far as starts follow them.
    lags, other, drift
        As drawn; shapes (weeks, draws), (draws,), (months, draws).
    pipeline
        From `pipeline_weeks`.
    """
    months, draws = drift.shape
    blocks = common.line.blocks()[:months]
    steps = blocks[-1].stop
    month = common.line.month[:steps]
    weekly = lags @ drift.T / draws  # mean over draws; (weeks, months)
    by_lag = common.kernel @ weekly
    kernel = np.zeros((months, KERNEL_MONTHS))
    for lag in range(min(len(by_lag), steps)):
        to, back = month[lag:], month[: steps - lag]
        behind = np.minimum(to - back, KERNEL_MONTHS - 1)
        np.add.at(kernel, (to, behind), converting[: steps - lag] * by_lag[lag, to])
    begins = [b.start for b in blocks]
    referred = np.add.reduceat(level[:steps], begins)
    for behind in range(min(KERNEL_MONTHS, months)):
        kernel[behind:, behind] /= np.maximum(referred[: months - behind], 1e-300)
    passing = (pipeline[:steps] * weekly.T[month]).sum(axis=1)
    lengths = np.add.reduceat(common.line.step_months[:steps], begins)
    total = readiness.sum()
    return StartRates(
        pipeline=np.add.reduceat(passing, begins),
        kernel=kernel * total,
        other=(other * drift).mean(axis=1) * lengths,
        weight=readiness / total,
    )


def _joined(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts, axis=-1)


def _mean(parts: list[FloatArray]) -> FloatArray:
    """Mean over the draws of all batches."""
    draws = sum(p.shape[-1] for p in parts)
    return np.asarray(sum(p.sum(axis=-1) for p in parts) / draws)
