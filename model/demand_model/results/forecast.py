"""The forecast as tidy tables: what the workbook, the notebook and the tests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from demand_model.flows import MEASURES

__all__ = [
    "FORECAST_COLUMNS",
    "MEASURES",
    "MEASURE_NAMES",
    "QUANTILES",
    "QUANTILE_COLUMNS",
    "SYSTEM_SHOWN",
    "Forecast",
]

MEASURE_NAMES = {
    "referrals": "Referrals",
    "cp_open": "Child protection plans",
    "cla_open": "Children in care",
    "cp_starts": "Plans started",
    "cp_ends": "Plans ended",
    "cla_starts": "Coming into care",
    "cla_ends": "Leaving care",
}
"""Measures as sentences and sheets name them, in the order in which they matter to a reader."""

SYSTEM_SHOWN = ("assessments_open", "cin_open", "workers", "caseload")
"""What table `forecast` holds of the system around the children, at the month's end."""

QUANTILES = (0.025, 0.10, 0.25, 0.50, 0.75, 0.90, 0.975)
QUANTILE_COLUMNS = ("p2_5", "p10", "p25", "p50", "p75", "p90", "p97_5")
FORECAST_COLUMNS = ("month_end", "measure", "segment", "scenario", "mean", *QUANTILE_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """Everything that a run says about the future, and the past beside it.

    Attributes
    ----------
    census_date
        The day that the forecast starts from.
    table
        Columns `FORECAST_COLUMNS`: ``month_end`` (datetime64), ``measure``,
        ``segment`` ("all", or a source, placement or age group), ``scenario``,
        mean and quantiles over draws. Stocks are at the month's end; flows are
        the month's total. If the census date is inside a month, the first row
        is that month: observed so far plus simulated rest.
    history
        ``month_end``, ``measure``, ``segment`` ("all" or as in `table`), ``value``:
        what the lists say of the whole months within their windows; for a census
        date inside a month the last row of each stock stands at the census date.
    hidden_need
        ``month_end``, ``scenario``, ``suppressed``, ``returned``,
        ``not_returning``, ``hidden`` (means over draws, cumulative to the month's
        end, in referrals): suppressed = returned + not_returning + hidden.
    differences
        Columns of `table`: scenario less baseline, draw by draw, so that common
        chance cancels. The baseline itself is not listed.
    headlines
        Sentences in plain words, most important first.
    scenario_headlines
        By scenario: what it brings, in the same words.
    """

    census_date: date
    table: pd.DataFrame
    history: pd.DataFrame
    hidden_need: pd.DataFrame
    differences: pd.DataFrame
    headlines: tuple[str, ...]
    scenario_headlines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
