"""A batch of draws under one scenario, child by child: rows of `Members`."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS, PLAN_BANDS
from demand_model.simulation.care_class import care_class, care_segment
from demand_model.simulation.members import LeftArray, Members
from demand_model.simulation.monthly import Entrants, Month, total

IntArray = npt.NDArray[np.int64]

_MONTHS_BETWEEN_SHRINKS = 3
"""Looking for empty rows costs as much as exposing all rows for a month."""


class Leader:
    """Children on plans and in care under one scenario.

    Parameters
    ----------
    plans, care
        Who is open at the start; changed in place.
    """

    def __init__(self, plans: Members, care: Members) -> None:
        self.plans, self.care = plans, care

    def plans_by_band(self, when: float) -> IntArray:
        """Children on plans now, by their band at `when`, in months; shape (bands, draws)."""
        since = when - self.plans.entered_months
        return self.plans.count_spans(_edges(PLAN_BANDS.index(since)))[::-1]

    def care_by_segment(self, now: float) -> IntArray:
        """Children in care by age group and UASC; shape (segments, draws)."""
        segment = care_segment(now / 12.0 - self.care.born_years, self.care.uasc)
        return self.care.count_groups(segment, len(CARE_SEGMENTS))

    def expose(self, month: Month) -> None:
        """Expose those who are open at the month's start to all of its steps."""
        self._expose_plans(month)
        self._expose_care(month)

    def _expose_plans(self, month: Month) -> None:
        """Rows are in order of entry, so each step's bands are runs of rows.

        Between any two bounds of any step the sum over steps is the same for every row.
        """
        bands = [PLAN_BANDS.index(now - self.plans.entered_months) for now in month.middle]
        bounds = np.unique(np.concatenate([_edges(band) for band in bands]))
        for low, high in itertools.pairwise(bounds):
            uses = zip(month.plan_spent, bands, strict=True)
            self.plans.expose_span(
                slice(int(low), int(high)), total([use[band[low]] for use, band in uses])
            )

    def _expose_care(self, month: Month) -> None:
        """Most keep their class all month; those who do not are summed step by step."""
        care = self.care
        cells = [
            care_class(now - care.entered_months, now / 12.0 - care.born_years, care.uasc)
            for now in month.middle
        ]
        moved = np.flatnonzero(np.any([c != cells[0] for c in cells[1:]], axis=0))
        own = total([use[c[moved]] for use, c in zip(month.care_spent, cells, strict=True)])
        care.expose_by_row(month.care_total, cells[0], moved, own)

    def enter_plans(self, entrants: Entrants, count: IntArray) -> None:
        """Let each draw's first `count` entrants take their places."""
        _admit(self.plans, entrants, count)

    def enter_care(self, entrants: Entrants, count: IntArray) -> None:
        """Let each draw's first `count` entrants take their places."""
        _admit(self.care, entrants, count)

    def close(self, month: Month) -> None:
        """Those who turned 18 leave."""
        self.plans.come_of_age(month.end)
        self.care.come_of_age(month.end)

    def tidy(self, month: Month) -> None:
        """Now and then drop the rows that are empty in every draw."""
        if month.number % _MONTHS_BETWEEN_SHRINKS == 0:
            self.plans.shrink()
            self.care.shrink()


def _admit(members: Members, entrants: Entrants, count: IntArray) -> None:
    """Rows are kept in order of entry; a place beyond a draw's count is nobody's."""
    places = entrants.places
    wanted = int(count.max(initial=0))
    if wanted == 0:
        return
    order = np.argsort(places.step[:wanted], kind="stable")
    left: LeftArray = places.left[order]
    left -= entrants.used[entrants.history[order]]
    np.copyto(left, -1.0, where=order[:, None] >= count)
    entered = entrants.entered[order]
    members.admit(
        left,
        entered_months=entered,
        born_years=entered / 12.0 - places.ages_years[order],
        uasc=np.full(len(order), entrants.uasc),
    )


def _edges(band: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Bounds of the runs of rows by band, last band first; shape (bands + 1,)."""
    by_band = np.bincount(band, minlength=len(PLAN_BANDS))[::-1]
    return np.asarray(np.append(0, np.cumsum(by_band)), dtype=np.intp)
