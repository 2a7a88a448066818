"""Draws of costs and children to tidy tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.results.cost_years import FinancialYear
from demand_model.results.forecast import QUANTILE_COLUMNS, QUANTILES
from demand_model.results.placements import PlacementPaths
from demand_model.simulation.scenario import BASELINE
from demand_model.units import DAYS_PER_WEEK, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

COST_COLUMNS = (
    "year", "first_day", "last_day", "is_whole_year", "placement_group", "scenario", "mean",
    *QUANTILE_COLUMNS, "less_baseline_mean", "less_baseline_p10", "less_baseline_p90",
    "share_dearer",
)  # fmt: skip
PLACEMENT_COLUMNS = ("month_end", "placement_group", "scenario", "mean", *QUANTILE_COLUMNS)


_MONTHS_A_QUARTER = 3


def cost_table(
    draws: Mapping[tuple[str, str, str], FloatArray], years: Sequence[FinancialYear]
) -> pd.DataFrame:
    """Summarise draws by (scenario, year, group), and each scenario less the baseline."""
    keys = list(draws)
    values = np.stack(list(draws.values()))
    nothing = np.full(len(keys), np.nan)
    base_of = {row: (BASELINE.name, *key[1:]) for row, key in enumerate(keys)}
    at = [row for row, base in base_of.items() if keys[row][0] != BASELINE.name and base in draws]
    difference = np.array([draws[keys[row]] - draws[base_of[row]] for row in at])
    mean, low, high, dearer = (nothing.copy() for _ in range(4))
    if at:
        mean[at] = difference.mean(axis=1)
        low[at], high[at] = np.quantile(difference, (0.1, 0.9), axis=1)
        dearer[at] = (difference > 0.0).mean(axis=1)
    by_name = {year.name: year for year in years}
    found = [by_name[year] for _, year, _ in keys]
    return pd.DataFrame(
        {
            "year": [year.name for year in found],
            "first_day": pd.to_datetime([year.first_day for year in found]),
            "last_day": pd.to_datetime([year.last_day for year in found]),
            "is_whole_year": [year.is_whole for year in found],
            "placement_group": [group for _, _, group in keys],
            "scenario": [scenario for scenario, _, _ in keys],
            "mean": values.mean(axis=1),
            **_quantile_columns(values),
            "less_baseline_mean": mean,
            "less_baseline_p10": low,
            "less_baseline_p90": high,
            "share_dearer": dearer,
        },
        columns=list(COST_COLUMNS),
    )


def children_table(path: PlacementPaths, census_date: date) -> pd.DataFrame:
    """Summarise children by group at the ends of quarters, the census date first."""
    shown = quarter_ends(path.months)
    months, groups, draws = len(shown), len(path.groups), path.children.shape[2]
    values = path.children[shown].transpose(1, 0, 2).reshape(groups * months, draws)
    ends = [(path.months[m] + 1).to_timestamp() - pd.Timedelta(days=1) for m in shown]
    table = pd.DataFrame(
        {
            "month_end": np.tile(np.asarray(ends, dtype="datetime64[s]"), groups),
            "placement_group": np.repeat([group.name for group in path.groups], months),
            "scenario": path.scenario,
            "mean": values.mean(axis=1),
            **_quantile_columns(values),
        },
        columns=list(PLACEMENT_COLUMNS),
    )
    known = dict.fromkeys(("mean", *QUANTILE_COLUMNS), path.today)
    opening = pd.DataFrame(
        {
            "month_end": np.datetime64(census_date, "s"),
            "placement_group": [group.name for group in path.groups],
            "scenario": path.scenario,
            **known,
        },
        columns=list(PLACEMENT_COLUMNS),
    )
    both = pd.concat([opening, table], ignore_index=True)
    order = {group.name: number for number, group in enumerate(path.groups)}
    by = both["placement_group"].map(order)
    return both.iloc[np.lexsort((both["month_end"], by))].reset_index(drop=True)


def quarter_ends(months: pd.PeriodIndex) -> npt.NDArray[np.intp]:
    """Numbers of the months that end a quarter, and of the last month."""
    is_shown = np.asarray(months.month % _MONTHS_A_QUARTER == 0)
    is_shown[-1] = True
    return np.flatnonzero(is_shown)


def _quantile_columns(values: FloatArray) -> dict[str, FloatArray]:
    """Quantiles of each row; one sort serves all of them."""
    ordered = np.sort(values.astype(np.float32), axis=1).astype(float)
    at = np.asarray(QUANTILES) * (values.shape[1] - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, values.shape[1] - 1)
    found = ordered[:, low] * (1.0 - (at - low)) + ordered[:, high] * (at - low)
    return dict(zip(QUANTILE_COLUMNS, found.T, strict=True))


def today_table(path: PlacementPaths) -> pd.DataFrame:
    """List groups with their children at the census date and what they cost a year."""
    groups = path.groups
    weekly = np.array([group.weekly_cost for group in groups])
    return pd.DataFrame(
        {
            "placement_group": [group.name for group in groups],
            "label": [group.label for group in groups],
            "is_internal": [group.is_internal for group in groups],
            "children": path.today,
            "places": pd.array([group.capacity for group in groups], dtype="Float64"),
            "weekly_cost": weekly,
            "cost_a_year": path.today * weekly * DAYS_PER_YEAR / DAYS_PER_WEEK,
        }
    )
