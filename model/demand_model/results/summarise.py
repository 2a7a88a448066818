"""Trajectories to the forecast's tidy tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.tabulate import Exposure
from demand_model.results.forecast import (
    FORECAST_COLUMNS,
    QUANTILE_COLUMNS,
    QUANTILES,
    Forecast,
)
from demand_model.results.headlines import headlines
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.trajectories import Trajectories

FloatArray = npt.NDArray[np.float64]


def summarise(trajectories: Sequence[Trajectories], exposure: Exposure) -> Forecast:
    """Mean and quantiles of every measure, scenario by scenario.

    Parameters
    ----------
    trajectories
        From `simulate`, of one run.
    exposure
        From `tabulate`: gives the past beside the forecast.
    """
    base = next((t for t in trajectories if t.scenario.name == BASELINE.name), None)
    others = [] if base is None else [t for t in trajectories if t is not base]
    differences = [_table(t, less=base) for t in others]
    table = pd.concat([_table(t) for t in trajectories], ignore_index=True)
    return Forecast(
        census_date=exposure.census_date,
        table=table,
        history=exposure.series,
        hidden_need=pd.concat([_hidden_need(t) for t in trajectories], ignore_index=True),
        differences=pd.concat(differences, ignore_index=True) if differences else table.iloc[:0],
        headlines=headlines(trajectories, exposure),
    )


def _table(trajectory: Trajectories, less: Trajectories | None = None) -> pd.DataFrame:
    parts = []
    for (measure, segment), draws in trajectory.measures.items():
        values = draws if less is None else draws - less.measures[measure, segment]
        parts.append(_rows(trajectory, measure, segment, values))
    return pd.concat(parts, ignore_index=True)


def _rows(trajectory: Trajectories, measure: str, segment: str, draws: FloatArray) -> pd.DataFrame:
    quantiles = np.quantile(draws, QUANTILES, axis=1)
    return pd.DataFrame(
        {
            "month_end": trajectory.month_ends.astype("datetime64[s]"),
            "measure": measure,
            "segment": segment,
            "scenario": trajectory.scenario.name,
            "mean": draws.mean(axis=1),
            **dict(zip(QUANTILE_COLUMNS, quantiles, strict=True)),
        },
        columns=list(FORECAST_COLUMNS),
    )


def _hidden_need(trajectory: Trajectories) -> pd.DataFrame:
    need = trajectory.hidden_need
    return pd.DataFrame(
        {
            "month_end": trajectory.month_ends.astype("datetime64[s]"),
            "scenario": trajectory.scenario.name,
            "suppressed": need.suppressed.mean(axis=1),
            "returned": need.returned.mean(axis=1),
            "not_returning": need.not_returning.mean(axis=1),
            "hidden": need.hidden.mean(axis=1),
        }
    )
