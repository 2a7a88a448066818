"""A scenario whose children leave by the same hazards as another's: only who differs is kept.

Scenarios share places and allotments, so under equal hazards a child of both leaves
both on one day. What is left to follow are the children whom only one of the two has:
a tenth of all, where referrals change by a tenth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS, PLAN_BANDS
from demand_model.simulation.care_class import care_segment
from demand_model.simulation.monthly import Month
from demand_model.simulation.scattered import Scattered

IntArray = npt.NDArray[np.int64]


class Follower:
    """The children by whom one scenario differs from its leader."""

    def __init__(self, draws: int) -> None:
        self.plans, self.care = Scattered(draws), Scattered(draws)

    def plans_by_band(self, when: float) -> IntArray:
        """Difference of children on plans by band at `when`; shape (bands, draws)."""
        band = PLAN_BANDS.index(when - self.plans.entered_months)
        return self.plans.count(band, len(PLAN_BANDS))

    def care_by_segment(self, now: float) -> IntArray:
        """Difference of children in care by age group and UASC; shape (segments, draws)."""
        segment = care_segment(now / 12.0 - self.care.born_years, self.care.uasc)
        return self.care.count(segment, len(CARE_SEGMENTS))

    def expose(self, month: Month) -> None:
        """Expose to all steps of a month, in the order of `Leader.expose`."""
        plans, care = self.plans, self.care
        plans.expose(month.plan_paths(plans.entered_months), month.plan_spent, month.plan_total)
        paths = month.care_paths(care.entered_months, care.born_years, care.uasc)
        care.expose(paths, month.care_spent, month.care_total)

    def close(self, month: Month) -> None:
        """Those who turned 18 leave."""
        for children in (self.plans, self.care):
            children.close(month.end)
            if month.is_for_tidying:
                children.shrink()
