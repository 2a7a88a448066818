"""What acts back on the flows in the course of a simulation, month by month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from demand_model.flows import Flow

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthFactors:
    """Multipliers of flows in one month.

    Attributes
    ----------
    by_flow
        Shape (steps of the month, draws); a flow that is not there keeps its value.
    """

    by_flow: Mapping[Flow, FloatArray]

    def of(self, flow: Flow) -> FloatArray | float:
        """Multiplier of a flow: 1 where nothing acts on it."""
        return self.by_flow.get(flow, 1.0)

    def acts_on(self, flows: Iterable[Flow]) -> bool:
        """Whether anything acts on one of these flows."""
        return any(flow in self.by_flow for flow in flows)


NOTHING_ACTS = MonthFactors(by_flow={})
"""A month in which every flow keeps its value."""


class Feedback(Protocol):
    """A system that follows the children and acts back on their flows."""

    def month(self, number: int, plans: IntArray, care: IntArray) -> MonthFactors:
        """Move on by a month.

        Parameters
        ----------
        number
            From 0; months come in their order.
        plans, care
            Children on plans and in care at the month's start; shape (draws,).
        """
