"""Average length of stay from lists that show only some months: occurrences and exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

DAYS_PER_MONTH = 365.25 / 12.0
FEWEST_ENDS = 5
"""Fewer ends say too little: a duration band holds at least so many, or joins the next."""

_HALF_DAY = 0.5

FloatArray = npt.NDArray[np.float64]
Stay = tuple[pd.Timestamp, pd.Timestamp | None, bool]
"""Start, end (``None`` while open) and whether the end is one (not a birthday)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanStay:
    """Average length of stay, with what it rests on.

    Attributes
    ----------
    months
        Average length.
    ends
        Stays that ended within the months covered (occurrences).
    months_at_risk
        Child-months within the months covered (exposure).
    """

    months: float
    ends: int
    months_at_risk: float


def mean_stay(
    stays: Sequence[Stay],
    opens: pd.Timestamp,
    census: pd.Timestamp,
    edges: Sequence[float],
) -> MeanStay | None:
    r"""Average stay from occurrences and exposure by duration band, with delayed entry.

    .. math:: \bar t = \sum_j S_j (1 - e^{-h_j w_j}) / h_j, \quad h_j = D_j / E_j

    for bands of width :math:`w_j` (the last without end) with ends :math:`D_j` and
    child-months :math:`E_j`; :math:`S_j` is the share that reaches band :math:`j`.
    ``None`` with fewer than `FEWEST_ENDS` ends.
    """
    seen = [s for s in stays if s[0] <= census and (s[1] is None or s[1] >= opens)]
    if not seen:
        return None
    length = np.array([((e or census) - s).days for s, e, _ in seen], dtype=float)
    is_open = np.array([e is None for _, e, _ in seen])
    until = np.where(is_open, length + _HALF_DAY, np.maximum(length, _HALF_DAY)) / DAYS_PER_MONTH
    before = np.array([(opens - s).days for s, _, _ in seen], dtype=float) - _HALF_DAY
    enter = np.minimum(np.maximum(before, 0.0) / DAYS_PER_MONTH, until)
    ended = ~is_open & np.array([is_end for _, _, is_end in seen])
    lower = np.array(edges)
    upper = np.append(lower[1:], np.inf)
    band = np.searchsorted(lower[1:], until, side="right")
    ends = np.bincount(band[ended], minlength=len(lower)).astype(float)
    at_risk = np.array(
        [
            np.clip(until, a, b).sum() - np.clip(enter, a, b).sum()
            for a, b in zip(lower, upper, strict=True)
        ]
    )
    if ends.sum() < FEWEST_ENDS:
        return None
    return MeanStay(
        months=_mean(lower, ends, at_risk),
        ends=int(ends.sum()),
        months_at_risk=float(at_risk.sum()),
    )


def _mean(lower: FloatArray, ends: FloatArray, at_risk: FloatArray) -> float:
    """Mean of a length whose hazard is constant within bands that hold enough ends."""
    first: list[int] = []
    some = 0.0
    for j in reversed(range(len(lower))):
        some += ends[j]
        if some >= FEWEST_ENDS:
            first.insert(0, j)
            some = 0.0
    first[0] = 0  # bands before it hold too few ends of their own
    hazards = np.add.reduceat(ends, first) / np.add.reduceat(at_risk, first)
    width = np.append(np.diff(lower[first]), np.inf)
    lasting = np.exp(-hazards * width)
    reaching = np.append(1.0, np.cumprod(lasting[:-1]))
    return float(np.sum(reaching * (1.0 - lasting) / hazards))
