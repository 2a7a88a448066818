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
    SYSTEM_SHOWN,
    Forecast,
)
from demand_model.results.headlines import headlines, scenario_headlines
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.system_feedback import SYSTEM_MEASURES
from demand_model.simulation.trajectories import Trajectories

FloatArray = npt.NDArray[np.float64]

_NOT_SHOWN = frozenset(SYSTEM_MEASURES) - frozenset(SYSTEM_SHOWN)
"""The rest stands on sheets of its own."""


Shown = tuple[str, str]
"""A measure and its segment."""


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
    base_draws: dict[tuple[Shown, ...], FloatArray] = {}  # stacked once, not for every scenario
    tables: list[pd.DataFrame] = []
    differences: list[pd.DataFrame] = []
    for trajectory in trajectories:
        names = tuple(name for name in trajectory.measures if name[0] not in _NOT_SHOWN)
        draws = _draws(trajectory, names)
        tables.append(_table(trajectory, names, draws))
        if base is not None and trajectory is not base:
            if names not in base_draws:
                base_draws[names] = _draws(base, names)
            differences.append(_table(trajectory, names, draws - base_draws[names]))
    table = pd.concat(tables, ignore_index=True)
    return Forecast(
        census_date=exposure.census_date,
        table=table,
        history=exposure.series,
        hidden_need=pd.concat([_hidden_need(t) for t in trajectories], ignore_index=True),
        differences=pd.concat(differences, ignore_index=True) if differences else table.iloc[:0],
        headlines=headlines(trajectories, exposure),
        scenario_headlines={t.scenario.name: scenario_headlines(t, exposure) for t in trajectories},
    )


def _draws(trajectory: Trajectories, names: tuple[Shown, ...]) -> FloatArray:
    return np.stack([trajectory.measures[name] for name in names])


def _table(trajectory: Trajectories, names: tuple[Shown, ...], draws: FloatArray) -> pd.DataFrame:
    quantiles = quantiles_of(draws)
    months = len(trajectory.months)
    return pd.DataFrame(
        {
            "month_end": np.tile(trajectory.month_ends.astype("datetime64[s]"), len(names)),
            "measure": np.repeat([measure for measure, _ in names], months),
            "segment": np.repeat([segment for _, segment in names], months),
            "scenario": trajectory.scenario.name,
            "mean": draws.mean(axis=-1).ravel(),
            **{c: q.ravel() for c, q in zip(QUANTILE_COLUMNS, quantiles, strict=True)},
        },
        columns=list(FORECAST_COLUMNS),
    )


def quantiles_of(draws: FloatArray) -> FloatArray:
    """`QUANTILES` over the last axis, interpolated linearly; shape (quantiles, …).

    One sort serves all of them: several times faster than `numpy.quantile`.
    """
    ordered = np.sort(draws.astype(np.float32), axis=-1)
    at = np.asarray(QUANTILES) * (draws.shape[-1] - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, draws.shape[-1] - 1)
    share = at - low
    found = ordered[..., low] * (1.0 - share) + ordered[..., high] * share
    return np.moveaxis(found, -1, 0)


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
