"""A scenario whose children leave by the same hazards as another's: only who differs is kept.

Scenarios share places and allotments, so under equal hazards a child of both leaves
both on one day. What is left to follow are the children whom only one of the two has:
a tenth of all, where referrals change by a tenth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS, PLAN_BANDS
from demand_model.simulation.care_class import care_class, care_segment
from demand_model.simulation.members import ADULT_YEARS, LeftArray
from demand_model.simulation.monthly import Entrants, Month, total

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ClassAt = Callable[[float, "npt.NDArray[np.intp] | slice"], npt.NDArray[np.intp]]
"""Class of hazard at a time in months, of some of the children."""


class Differences:
    """Children of one stock whom only one of two scenarios has, an entry a child and draw.

    Attributes
    ----------
    left
        What is left of each one's allotment.
    draw
        Each one's draw.
    more
        1 for a child whom the other scenario lacks, -1 for one whom it alone has.
    entered_months, born_years, uasc
        As in `Members`.
    """

    def __init__(self, draws: int) -> None:
        self.draws = draws
        self.left: LeftArray = np.empty(0, np.float32)
        self.draw = np.empty(0, np.intp)
        self.more = np.empty(0, np.int8)
        self.entered_months = np.empty(0)
        self.born_years = np.empty(0)
        self.uasc = np.empty(0, bool)

    def enter(self, entrants: Entrants, count: IntArray, other: IntArray) -> None:
        """Add the places that only one of two counts by draw reaches."""
        size = np.abs(count - other)
        draw = np.repeat(np.arange(self.draws), size)
        if len(draw) == 0:
            return
        first = np.cumsum(size) - size
        place = np.minimum(count, other)[draw] + np.arange(len(draw)) - first[draw]
        entered = entrants.entered[place]
        left = entrants.places.left[place, draw] - entrants.used[entrants.history[place], draw]
        self.left = np.concatenate([self.left, left])
        self.draw = np.concatenate([self.draw, draw])
        self.more = np.concatenate([self.more, np.sign(count - other)[draw].astype(np.int8)])
        self.entered_months = np.concatenate([self.entered_months, entered])
        self.born_years = np.concatenate(
            [self.born_years, entered / 12.0 - entrants.places.ages_years[place]]
        )
        self.uasc = np.concatenate([self.uasc, np.full(len(draw), entrants.uasc)])

    def expose(
        self, month: Month, class_at: ClassAt, spent: list[LeftArray], whole: LeftArray
    ) -> None:
        """Use up a month's hazards: most keep their class, the others go step by step."""
        if len(self.left) == 0:
            return
        first, last = (class_at(now, slice(None)) for now in (month.middle[0], month.middle[-1]))
        used = whole[first, self.draw]
        moved = np.flatnonzero(first != last)
        draw = self.draw[moved]
        uses = zip(spent, month.middle, strict=True)
        used[moved] = total([use[class_at(now, moved), draw] for use, now in uses])
        self.left = self.left - used

    def close(self, now_months: float) -> None:
        """Drop those who have left, or turned 18 before `now_months`."""
        stays = (self.left > 0.0) & ((self.born_years + ADULT_YEARS) * 12.0 >= now_months)
        for name in ("left", "draw", "more", "entered_months", "born_years", "uasc"):
            setattr(self, name, getattr(self, name)[stays])

    def count(self, group: npt.NDArray[np.intp], groups: int) -> IntArray:
        """Difference of children present by group and draw; shape (groups, draws)."""
        at = group * self.draws + self.draw
        found = np.bincount(at, weights=self.more, minlength=groups * self.draws)
        return np.asarray(found.reshape(groups, self.draws), dtype=np.int64)


class Follower:
    """The children by whom one scenario differs from its leader."""

    def __init__(self, draws: int) -> None:
        self.plans, self.care = Differences(draws), Differences(draws)

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

        def plan_class(now: float, who: npt.NDArray[np.intp] | slice) -> npt.NDArray[np.intp]:
            return PLAN_BANDS.index(now - plans.entered_months[who])

        def class_in_care(now: float, who: npt.NDArray[np.intp] | slice) -> npt.NDArray[np.intp]:
            age = now / 12.0 - care.born_years[who]
            return care_class(now - care.entered_months[who], age, care.uasc[who])

        plans.expose(month, plan_class, month.plan_spent, month.plan_total)
        care.expose(month, class_in_care, month.care_spent, month.care_total)

    def close(self, month: Month) -> None:
        """Those who turned 18 leave."""
        self.plans.close(month.end)
        self.care.close(month.end)
