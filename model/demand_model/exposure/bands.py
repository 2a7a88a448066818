"""Duration bands and age groups, declared once.

A band is half open: ``lower <= value < upper``. Edges of durations are in
months since the spell began, edges of ages in years.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.spell.linkage import MAX_LAG_WEEKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """An ordered partition of the half line from 0.

    Attributes
    ----------
    lower
        Lower edges, ascending, the first 0; the last band is open ended.
    labels
        One a band.
    """

    lower: tuple[float, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def upper(self) -> tuple[float, ...]:
        """Upper edges; the last is infinite."""
        return (*self.lower[1:], float("inf"))

    def index(self, values: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Band number of each value; values below 0 fall into the first band."""
        found = np.searchsorted(np.asarray(self.lower[1:]), np.asarray(values), side="right")
        return np.asarray(found, dtype=np.intp)


def _month_bands(*edges: int) -> Bands:
    spans = [f"{a} to {b} months" for a, b in itertools.pairwise(edges)]
    return Bands(
        lower=tuple(float(e) for e in edges), labels=(*spans, f"{edges[-1]} months and over")
    )


PLAN_BANDS = _month_bands(0, 3, 6, 9, 12, 18, 24)
"""Months on a child protection plan: reviews fall at 3 months and then every 6."""

CARE_BANDS = _month_bands(0, 1, 3, 6, 12, 24, 36, 60)
"""Months looked after."""

RE_REFERRAL_BANDS = _month_bands(0, 3, 6, 12)
"""Months since the child's previous referral."""

AGE_BANDS = Bands(
    lower=(0.0, 1.0, 5.0, 10.0, 16.0),
    labels=("Under 1", "1 to 4", "5 to 9", "10 to 15", "16 to 17"),
)
"""DfE's age groups of children looked after; unborn children count as under 1."""

UASC = "UASC"
"""Segment of unaccompanied asylum-seeking children, kept apart."""

CARE_SEGMENTS = (*AGE_BANDS.labels, UASC)

LAG_LABELS = tuple(f"week {w}" for w in range(MAX_LAG_WEEKS))
