"""A back-test's forecasts to scores: how far out each method was, and how often in range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.results.forecast import MEASURES

FloatArray = npt.NDArray[np.float64]

MODEL, NO_CHANGE, LINEAR = METHODS = ("model", "no change", "FORECAST.LINEAR")
BACKTEST_COLUMNS = (
    "origin",
    "months_ahead",
    "month_end",
    "measure",
    "actual",
    "mean",
    "p2_5",
    "p10",
    "p90",
    "p97_5",
    "no_change",
    "linear",
)
SCORE_COLUMNS = (
    "measure",
    "method",
    "forecasts",
    "mean_absolute_error",
    "wape",
    "mean_error",
    "inside_80",
    "inside_95",
)

_COLUMN_OF = {MODEL: "mean", NO_CHANGE: "no_change", LINEAR: "linear"}


def score(table: pd.DataFrame) -> pd.DataFrame:
    r"""Score every method on every measure.

    With forecast :math:`f_i` and actual :math:`y_i` of :math:`n` forecasts,

    .. math::
        \text{mean absolute error} = \frac1n \sum |f_i - y_i|, \quad
        \text{wape} = \frac{\sum |f_i - y_i|}{\sum |y_i|}, \quad
        \text{mean error} = \frac1n \sum (f_i - y_i).

    Parameters
    ----------
    table
        Columns `BACKTEST_COLUMNS`. A forecast that a method could not make (NaN) is
        not counted.

    Returns
    -------
    Columns `SCORE_COLUMNS`, in the order of `MEASURES` and `METHODS`; ``wape`` is a share
    (NaN where every actual is 0), ``inside_80`` and ``inside_95`` are the shares of
    forecasts whose range held the actual, NaN for methods without ranges.
    """
    rows = []
    for measure in MEASURES:
        mine = table[table["measure"] == measure]
        rows += [_row(mine, measure, method) for method in METHODS]
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def _row(mine: pd.DataFrame, measure: str, method: str) -> dict[str, object]:
    made = mine[mine[_COLUMN_OF[method]].notna()]
    actual = made["actual"].to_numpy(float)
    error = made[_COLUMN_OF[method]].to_numpy(float) - actual
    total = float(np.abs(actual).sum())
    ranged = method == MODEL
    return {
        "measure": measure,
        "method": method,
        "forecasts": len(made),
        "mean_absolute_error": _mean(np.abs(error)),
        "wape": float(np.abs(error).sum()) / total if total > 0 else np.nan,
        "mean_error": _mean(error),
        "inside_80": _share_inside(made, "p10", "p90") if ranged else np.nan,
        "inside_95": _share_inside(made, "p2_5", "p97_5") if ranged else np.nan,
    }


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _share_inside(made: pd.DataFrame, low: str, high: str) -> float:
    return float(made["actual"].between(made[low], made[high]).mean()) if len(made) else np.nan
