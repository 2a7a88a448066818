"""The forecasts that a spreadsheet makes: what the model must beat to be worth its trouble."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]


def forecast_linear(known: pd.Series, months: pd.PeriodIndex) -> FloatArray:
    r"""Excel's FORECAST.LINEAR: the least-squares line through the months known.

    With :math:`x` the month's number and :math:`y` its value,

    .. math::
        \hat y(x) = \bar y + b (x - \bar x), \quad
        b = \frac{\sum (x_i - \bar x)(y_i - \bar y)}{\sum (x_i - \bar x)^2}.

    Parameters
    ----------
    known
        Values by month (PeriodIndex, freq M), in any order; gaps and NaN are left out
        as Excel leaves out empty cells.
    months
        Months to forecast.

    Returns
    -------
    Shape (len(months),); NaN where fewer than two months are known, for which Excel
    gives #DIV/0!.

    Source: Microsoft, "FORECAST and FORECAST.LINEAR functions".
    """
    given = known.dropna()
    if len(given) < 2:
        return np.full(len(months), np.nan)
    x = pd.PeriodIndex(given.index).asi8.astype(float)
    y = given.to_numpy(float)
    from_middle = x - x.mean()
    slope = float((from_middle * (y - y.mean())).sum() / (from_middle**2).sum())
    return np.asarray(y.mean() + slope * (months.asi8.astype(float) - x.mean()))


def no_change(known: pd.Series, months: pd.PeriodIndex, *, stock: bool) -> FloatArray:
    """A stock stays at its last count; a flow goes on at the mean of the months known.

    Parameters
    ----------
    known
        Values by month (PeriodIndex, freq M), in order of time, at least one.
    months
        Months to forecast.
    stock
        Children open at the month's end, not a month's flow.

    Returns
    -------
    Shape (len(months),).
    """
    values = known.dropna().to_numpy(float)
    return np.full(len(months), values[-1] if stock else values.mean())
