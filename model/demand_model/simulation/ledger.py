"""What a batch of draws under one scenario comes to: starts, ends and stocks by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.simulation.entrant_counts import BatchCounts
from demand_model.simulation.leader import Leader
from demand_model.simulation.timeline import Timeline

IntArray = npt.NDArray[np.int64]

STOCKS = ("cp", "cla")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchResult:
    """Counts by month and draw, by stock ("cp", "cla"); stocks at month ends."""

    starts: dict[str, IntArray]
    ends: dict[str, IntArray]
    open: dict[str, IntArray]
    care_by_segment: IntArray
    counts: BatchCounts
    states: dict[int, Leader]
    """Children at the start of the months asked for."""


class Ledger:
    """Starts, ends and stocks by month: ends are what makes the balance exact."""

    def __init__(
        self,
        line: Timeline,
        draws: int,
        base: BatchResult | None,
        *,
        plans: IntArray,
        care: IntArray,
    ) -> None:
        months = len(line.months)
        empty = np.zeros((months, draws), np.int64)
        self._before = {"cp": plans, "cla": care}
        if base is None:
            self.starts, self.ends, self.open = ({s: empty.copy() for s in STOCKS} for _ in "123")
            self.segments = np.zeros((months, len(CARE_SEGMENTS), draws), np.int64)
        else:
            self.starts, self.ends, self.open = (
                {s: kind[s].copy() for s in STOCKS} for kind in (base.starts, base.ends, base.open)
            )
            self.segments = base.care_by_segment.copy()

    def record(
        self,
        month: int,
        entered: dict[str, IntArray],
        after: dict[str, IntArray],
        segments: IntArray,
    ) -> None:
        """Enter one month."""
        for stock in STOCKS:
            self.starts[stock][month] = entered[stock]
            self.ends[stock][month] = self._before[stock] + entered[stock] - after[stock]
            self.open[stock][month] = after[stock]
        self.segments[month] = segments
        self._before = after

    def result(self, counts: BatchCounts, states: dict[int, Leader]) -> BatchResult:
        """All months, once all are entered."""
        return BatchResult(
            starts=self.starts,
            ends=self.ends,
            open=self.open,
            care_by_segment=self.segments,
            counts=counts,
            states=states,
        )
