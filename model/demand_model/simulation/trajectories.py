"""What a simulation gives: draws of every measure by month, for one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.simulation.scenario import Scenario

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HiddenNeed:
    """Referrals hidden by lockdowns, cumulative to each month's end, by draw.

    ``suppressed = returned + not_returning + hidden``; each of shape (months, draws).
    """

    suppressed: FloatArray
    returned: FloatArray
    not_returning: FloatArray

    @property
    def hidden(self) -> FloatArray:
        """Need that is still hidden."""
        return self.suppressed - self.returned - self.not_returning


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectories:
    """Draws of one scenario.

    Attributes
    ----------
    months
        Calendar months; the first may have begun before the census date.
    opening
        Stocks at the census date: ``cp_open``, ``cla_open``.
    measures
        By (measure, segment): shape (months, draws). Stocks at the month's end;
        flows over the month, including what was observed of an unfinished one.
        Children in care by kind of placement: see `results.placements.with_placements`.
    observed
        Flows of an unfinished first month that the lists already hold.
    hidden_need
        Balance of hidden need.
    """

    scenario: Scenario
    months: pd.PeriodIndex
    opening: Mapping[str, int]
    measures: Mapping[tuple[str, str], FloatArray]
    observed: Mapping[tuple[str, str], float]
    hidden_need: HiddenNeed

    @property
    def month_ends(self) -> npt.NDArray[np.datetime64]:
        """Last day of each month; shape (months,)."""
        starts = np.asarray(self.months.asi8, dtype="datetime64[M]")
        return np.asarray((starts + 1).astype("datetime64[D]") - 1)
