"""Time at risk, cut by calendar month and duration band."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.bands import Bands
from demand_model.units import DAYS_PER_MONTH


def calendar_months(first: date, last: date) -> npt.NDArray[np.datetime64]:
    """Every calendar month from that of `first` to that of `last`; shape (months,)."""
    begin = np.datetime64(first, "M")
    return np.arange(begin, np.datetime64(last, "M") + 1)


def month_number(
    days: pd.Series | npt.NDArray[np.datetime64], months: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.intp]:
    """Position of each day's calendar month in `months` (consecutive)."""
    values = days.to_numpy() if isinstance(days, pd.Series) else days
    number = (values.astype("datetime64[M]") - months[0]).astype(int)
    return np.asarray(number, dtype=np.intp)


def days_at_risk(
    start: npt.NDArray[np.datetime64],
    enter: npt.NDArray[np.float64],
    leave: npt.NDArray[np.float64],
    months: npt.NDArray[np.datetime64],
    bands: Bands,
) -> npt.NDArray[np.float64]:
    """Child-days at risk; shape (months, bands).

    For each spell the time at risk is ``[enter, leave)`` in days since `start`;
    a cell's exposure is the overlap of that span with the month and the band,
    summed over spells.
    """
    edges = np.asarray(bands.lower) * DAYS_PER_MONTH
    upper = np.append(edges[1:], np.inf)
    out = np.zeros((len(months), len(bands)))
    for m, month in enumerate(months):
        # An event stands at the middle of its day, so a spell's time 0 is half a day in.
        opens = (month.astype("datetime64[D]") - start).astype(float) - 0.5
        closes = ((month + 1).astype("datetime64[D]") - start).astype(float) - 0.5
        low = np.maximum(enter, opens)[:, None]
        high = np.minimum(leave, closes)[:, None]
        overlap = np.minimum(high, upper) - np.maximum(low, edges)
        out[m] = np.maximum(overlap, 0.0).sum(axis=0)
    return out
