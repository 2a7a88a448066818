"""Referral to plan and to care: conversion by week since referral, and other starts.

Each referral in the window is followed week by week, so ``starts linked at lag
l / referrals followed through lag l`` is right whatever the window (its sum over
weeks is the share that converts). A start early in the window may follow a
referral that List 3 does not reach: see `other_starts`. Both parts are then scaled
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
from demand_model.rates.other_starts import OtherStarts
from demand_model.rates.priors import Prior
from demand_model.units import DAYS_PER_MONTH

FloatArray = npt.NDArray[np.float64]

_ANCHOR_EVENTS = 0.25


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
    others
        Starts without a referral: what is known of true others.
    other_occurrences
        Starts in the window put down to no referral.
    hidden_starts
        Unlinked starts put down to referrals before List 3's window.
    observed, fitted
        Starts in the window: linked and unlinked, and what the rates give.
    dispersion
        Variance over mean of the counts.
    share_fixed
        The analyst's own share, NaN if none.
    """

    lags: BandedRates
    source_ratio: FloatArray
    source_counts: tuple[FloatArray, FloatArray]
    others: OtherStarts
    other_occurrences: float
    hidden_starts: float
    observed: float
    fitted: float
    dispersion: float
    share_fixed: float = float("nan")

    @property
    def share(self) -> float:
        """Share of referrals that lead to a start within the longest lag."""
        return float(self.lags.mean().sum())

    def other_mean(self) -> float:
        """Other starts a month, posterior mean."""
        if not np.isnan(self.others.fixed):
            return self.others.fixed
        return self.other_occurrences / self.others.months

    def without_own(self) -> Conversion:
        """The same fit with none of the analyst's own rates laid over it."""
        others = replace(self.others, fixed=float("nan"))
        return replace(self, lags=self.lags.without_own(), others=others, share_fixed=float("nan"))

    def draw(self, draws: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Starts a referral by week, (weeks, draws), and other starts a month, (draws,)."""
        lags = self.lags.draw(draws, rng)
        counted = lags / self.lags.scale
        if not np.isnan(self.share_fixed):  # The split rests on what was counted.
            counted = replace(self.lags, total=float("nan"), scale=1.0).draw(draws, rng)
        return lags, self.others.draw(counted, rng)


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
    others = OtherStarts(
        unlinked=unlinked,
        days=days,
        referrals_per_day=referrals_per_day,
        prior_per_month=prior.other_share
        * referrals_per_day
        * DAYS_PER_MONTH
        * float(prior.rates.sum()),
        dispersion=dispersion,
        fixed=fixed_other,
    )
    hidden_per_day = others.hidden_per_day(rate[:, None])[:, 0]
    per_day = others.mean_per_day(rate)
    other = per_day * float(days.sum())
    observed = float(occurrences.sum() + unlinked.sum())
    from_referrals = float((rate * exposure).sum()) + float((hidden_per_day * days).sum())
    anchor = (observed + _ANCHOR_EVENTS) / (from_referrals + other + _ANCHOR_EVENTS)
    ratio, counts = _source_ratios(mine, rate, source_ratio_events)
    return Conversion(
        lags=replace(lags, scale=anchor, total=fixed_share),
        source_ratio=ratio,
        source_counts=counts,
        others=replace(others, anchor=anchor, centre_per_day=per_day),
        other_occurrences=other * anchor,
        hidden_starts=float((unlinked * hidden_per_day / (hidden_per_day + per_day)).sum()),
        observed=observed,
        fitted=(from_referrals + other) * anchor,
        dispersion=dispersion,
        share_fixed=fixed_share,
    )


def _by_lag(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    grouped = table.groupby("duration_band", sort=False)[["occurrences", "exposure"]].sum()
    grouped = grouped.reindex(list(LAG_LABELS)).fillna(0.0)
    return grouped["occurrences"].to_numpy(float), grouped["exposure"].to_numpy(float)


def _by_lookback(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    grouped = table.groupby("duration_band", sort=False)[["occurrences", "exposure"]].sum()
    grouped = grouped.reindex(list(LOOKBACK_LABELS)).fillna(0.0)
    return grouped["occurrences"].to_numpy(float), grouped["exposure"].to_numpy(float)


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
