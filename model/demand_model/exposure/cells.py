"""Rows of the occurrence-exposure table, and the cells of a flow with duration bands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.checked import Window
from demand_model.exposure.bands import (
    Bands,
)
from demand_model.exposure.risk import calendar_months, days_at_risk, month_number
from demand_model.flows import ALL, Flow
from demand_model.spell.build import Spells
from demand_model.units import DAYS_PER_MONTH

COLUMNS = ("flow", "segment", "duration_band", "month", "occurrences", "exposure")


def cell_rows(
    flow: Flow,
    segments: npt.ArrayLike,
    bands: npt.ArrayLike,
    months: npt.ArrayLike,
    occurrences: npt.ArrayLike,
    exposure: npt.ArrayLike,
) -> pd.DataFrame:
    """Rows of one flow, columns `COLUMNS`; arrays of one length, months as datetime64."""
    return pd.DataFrame(
        {
            "flow": flow.value,
            "segment": np.asarray(segments, dtype=object),
            "duration_band": np.asarray(bands, dtype=object),
            "month": np.asarray(months, dtype="datetime64[M]").astype("datetime64[s]"),
            "occurrences": np.asarray(occurrences, dtype=float),
            "exposure": np.asarray(exposure, dtype=float),
        }
    )


def window_months(spells: Spells, window: Window) -> npt.NDArray[np.datetime64]:
    """Calendar months that a window touches, up to the census date; shape (months,)."""
    return calendar_months(window.start, spells.census_date)


def banded_cells(
    flow: Flow,
    months: npt.NDArray[np.datetime64],
    bands: Bands,
    *,
    start: pd.Series,
    enter: npt.NDArray[np.float64],
    leave: npt.NDArray[np.float64],
    event: npt.NDArray[np.bool_],
    segment: str = ALL,
) -> pd.DataFrame:
    """Occurrences and child-days by month and duration band, for one segment."""
    begun = start.to_numpy().astype("datetime64[D]")
    exposure = days_at_risk(begun, enter, leave, months, bands)
    occurrences = np.zeros_like(exposure)
    when = np.clip(month_number(begun + np.floor(leave).astype(int), months), 0, None)
    band = bands.index(leave / DAYS_PER_MONTH)
    inside = event & (when < len(months))
    np.add.at(occurrences, (when[inside], band[inside]), 1.0)
    n_months, n_bands = exposure.shape
    return cell_rows(
        flow,
        [segment] * exposure.size,
        list(bands.labels) * n_months,
        np.repeat(months, n_bands),
        occurrences.ravel(),
        exposure.ravel(),
    )
