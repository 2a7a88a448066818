"""Referral to plan and to care: conversion by week since referral, and other starts.

Each referral in the window is followed week by week, so ``starts linked at lag
l / referrals followed through lag l`` is right whatever the window (its sum over
weeks is the share that converts). A start early in the window may follow a
referral that List 3 does not reach. At a look-back of ``u`` weeks the expected
number of such hidden starts a day is ``R sum over l > u of rate[l]``, with ``R``
the referrals a day; what unlinked starts exceed it are true others::

    unlinked[u] ~ Poisson(days[u] (R sum_{l >= u} rate[l] + other))

`other` is found by expectation-maximisation. Both parts are then scaled
together so that fitted starts over the window equal those observed: the split
leans on the prior where it must, the level is the authority's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.bands import LAG_LABELS
from demand_model.exposure.referral_cells import LOOKBACK_LABELS
from demand_model.flows import Flow
from demand_model.rates.hazards import BandedRates, fit_banded
from demand_model.rates.priors import Prior
from demand_model.units import DAYS_PER_MONTH

FloatArray = npt.NDArray[np.float64]

_PRIOR_OTHER_EVENTS = 0.5
"""Weight of the prior of other starts: half an event."""
_ANCHOR_EVENTS = 0.25
_EM_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conversion:
    """Posterior of the starts of plans (or of care) that referrals lead to, and others.

    Attributes
    ----------
    lags
        Starts a referral by week since referral.
    source_ratio
        How referrals of each source group (order of `SOURCE_GROUPS`) convert
        relative to all; shrunk to 1.
    source_counts
        Linked starts and expected ones at the common rate, by source.
    other_occurrences, other_exposure_months
        Starts put down to no referral, and months of the window.
    hidden_starts
        Unlinked starts put down to referrals before List 3's window.
    observed, fitted
        Starts in the window: linked and unlinked, and what the rates give.
    dispersion
        Variance over mean of the counts.
    share_fixed, other_fixed
        The analyst's own share and number of other starts a month, NaN if none.
    """

    lags: BandedRates
    source_ratio: FloatArray
    source_counts: tuple[FloatArray, FloatArray]
    other_occurrences: float
    other_exposure_months: float
    hidden_starts: float
    observed: float
    fitted: float
    dispersion: float
    share_fixed: float = float("nan")
    other_fixed: float = float("nan")

    @property
    def share(self) -> float:
        """Share of referrals that lead to a start within the longest lag."""
        return float(self.lags.mean().sum())

    def other_mean(self) -> float:
        """Other starts a month, posterior mean."""
        if not np.isnan(self.other_fixed):
            return self.other_fixed
        return self.other_occurrences / self.other_exposure_months

    def draw_other(self, draws: int, rng: np.random.Generator) -> FloatArray:
        """Other starts a month; shape (draws,)."""
        if not np.isnan(self.other_fixed):
            return np.full(draws, self.other_fixed)
        events = max(self.other_occurrences, _PRIOR_OTHER_EVENTS)
        shape = events / self.dispersion
        scale = self.other_mean() / shape if self.other_occurrences > 0 else 0.0
        return np.asarray(rng.standard_gamma(shape, draws) * scale)


def fit_conversion(
    table: pd.DataFrame,
    *,
    flow: Flow,
    other_flow: Flow,
    prior: Prior,
    source_ratio_events: float,
    dispersion: float,
    referrals_per_day: float,
    fixed_share: float = float("nan"),
    fixed_other: float = float("nan"),
) -> Conversion:
    """Fit conversion by lag, its ratio by source, and other starts.

    Parameters
    ----------
    table
        `Exposure.table`.
    referrals_per_day
        Referrals a calendar day before the window, taken as within it.
    fixed_share, fixed_other
        The analyst's own share of referrals and other starts a month; NaN if none.
    """
    mine = table[table["flow"] == flow.value]
    occurrences, exposure = _by_lag(mine)
    unlinked, days = _by_lookback(table[table["flow"] == other_flow.value])
    lags = fit_banded(
        occurrences,
        exposure,
        prior.rates,
        level_events=prior.level_events,
        cell_events=prior.cell_events,
        dispersion=dispersion,
    )
    rate = lags.mean()
    hidden_per_day = referrals_per_day * _still_to_come(rate)
    other_per_day, hidden = _split_unlinked(unlinked, days, hidden_per_day)
    observed = float(occurrences.sum() + unlinked.sum())
    linked_fit = float((rate * exposure).sum())
    hidden_fit = float((hidden_per_day * days).sum())
    raw_fit = linked_fit + hidden_fit + other_per_day * float(days.sum())
    anchor = (observed + _ANCHOR_EVENTS) / (raw_fit + _ANCHOR_EVENTS)
    ratio, counts = _source_ratios(mine, rate, source_ratio_events)
    months = float(days.sum()) / DAYS_PER_MONTH
    other = other_per_day * float(days.sum()) * anchor
    return Conversion(
        lags=replace(lags, scale=anchor, total=fixed_share),
        source_ratio=ratio,
        source_counts=counts,
        other_occurrences=other,
        other_exposure_months=months,
        hidden_starts=hidden,
        observed=observed,
        fitted=(linked_fit + hidden_fit) * anchor + other,
        dispersion=dispersion,
        share_fixed=fixed_share,
        other_fixed=fixed_other,
    )


def _by_lag(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    grouped = table.groupby("duration_band", sort=False)[["occurrences", "exposure"]].sum()
    grouped = grouped.reindex(list(LAG_LABELS)).fillna(0.0)
    return grouped["occurrences"].to_numpy(float), grouped["exposure"].to_numpy(float)


def _by_lookback(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    grouped = table.groupby("duration_band", sort=False)[["occurrences", "exposure"]].sum()
    grouped = grouped.reindex(list(LOOKBACK_LABELS)).fillna(0.0)
    return grouped["occurrences"].to_numpy(float), grouped["exposure"].to_numpy(float)


def _still_to_come(rate: FloatArray) -> FloatArray:
    """Starts a referral at lags that a look-back of ``u`` weeks misses; shape (weeks + 1,).

    A day within look-back week ``u`` sees half of that week's lag on average.
    """
    after = np.append(np.cumsum(rate[::-1])[::-1], 0.0)
    return after - 0.5 * np.append(rate, 0.0)


def _split_unlinked(
    unlinked: FloatArray, days: FloatArray, hidden_per_day: FloatArray
) -> tuple[float, float]:
    """Other starts a day, and expected hidden starts among the unlinked."""
    total_days = float(days.sum())
    other = float(unlinked.sum()) / total_days * 0.5
    hidden = 0.0
    for _ in range(_EM_STEPS):
        chance = other / np.maximum(other + hidden_per_day, 1e-300)
        true_others = float((unlinked * chance).sum())
        hidden = float(unlinked.sum()) - true_others
        other = true_others / total_days
    return other, hidden


def _source_ratios(
    table: pd.DataFrame, rate: FloatArray, prior_events: float
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Each source's conversion over the common one, as Gamma posterior means around 1."""
    expected = table["exposure"].to_numpy(float) * pd.Series(rate, index=list(LAG_LABELS)).reindex(
        table["duration_band"]
    ).to_numpy(float)
    frame = pd.DataFrame(
        {
            "segment": table["segment"].to_numpy(object),
            "occurrences": table["occurrences"].to_numpy(float),
            "expected": expected,
            "exposure": table["exposure"].to_numpy(float),
        }
    )
    grouped = frame.groupby("segment").sum().reindex(list(SOURCE_GROUPS)).fillna(0.0)
    occurrences = grouped["occurrences"].to_numpy(float)
    predicted = grouped["expected"].to_numpy(float)
    common = (occurrences.sum() + 1.0) / (float(predicted.sum()) + 1.0)
    ratio = (occurrences + prior_events * common) / (predicted + prior_events)
    weight = grouped["exposure"].to_numpy(float)
    if weight.sum() > 0:
        ratio = ratio / (float((ratio * weight).sum() / weight.sum()) or 1.0)
    return ratio, (occurrences, predicted)
