"""A batch of draws under one scenario, child by child.

Rows of `Members` hold the children whom many draws have; those whom few have, such as
who is left of an old row or the last places of a month, are `Scattered`.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_SEGMENTS, PLAN_BANDS
from demand_model.simulation.care_class import care_segment
from demand_model.simulation.members import Members
from demand_model.simulation.monthly import Entrants, Month, total
from demand_model.simulation.scattered import Scattered

IntArray = npt.NDArray[np.int64]

_FEW_DRAWS = 0.05
"""A row that a smaller share of draws has is cheaper child by child."""


class Leader:
    """Children on plans and in care under one scenario.

    Parameters
    ----------
    plans, care
        Who is open at the start; changed in place.
    """

    def __init__(self, plans: Members, care: Members) -> None:
        self.plans, self.care = plans, care
        self.few_on_plans, self.few_in_care = Scattered(plans.draws), Scattered(plans.draws)
        self._fewest = max(1, round(_FEW_DRAWS * plans.draws))

    def copy(self) -> Leader:
        """An independent copy."""
        other = Leader(self.plans.copy(), self.care.copy())
        other.few_on_plans, other.few_in_care = self.few_on_plans.copy(), self.few_in_care.copy()
        return other

    def in_care(self) -> IntArray:
        """Children in care, by draw; shape (draws,)."""
        few = self.few_in_care
        others: IntArray = few.count(np.zeros(len(few.entered_months), np.intp), 1)[0]
        return self.care.count() + others

    def plans_by_band(self, when: float) -> IntArray:
        """Children on plans now, by their band at `when`, in months; shape (bands, draws)."""
        bands, few = len(PLAN_BANDS), self.few_on_plans
        by_band = np.bincount(PLAN_BANDS.index(when - self.plans.entered_months), minlength=bands)
        edges = np.append(0, np.cumsum(by_band[::-1]))  # rows are in order of entry
        found = self.plans.count_spans(edges)[::-1]
        return found + few.count(PLAN_BANDS.index(when - few.entered_months), bands)

    def care_by_segment(self, now: float) -> IntArray:
        """Children in care by age group and UASC; shape (segments, draws)."""
        groups = len(CARE_SEGMENTS)
        rows, few = (
            care_segment(now / 12.0 - stock.born_years, stock.uasc)
            for stock in (self.care, self.few_in_care)
        )
        return self.care.count_groups(rows, groups) + self.few_in_care.count(few, groups)

    def expose(self, month: Month) -> None:
        """Expose those who are open at the month's start to all of its steps."""
        self._expose_plans(month)
        self._expose_care(month)

    def _expose_plans(self, month: Month) -> None:
        """Rows are in order of entry, so those of the same bands at all steps are runs of rows."""
        few, entered = self.few_on_plans, self.plans.entered_months
        few.expose(month.plan_paths(few.entered_months), month.plan_spent, month.plan_total)
        if len(entered) == 0:
            return
        together = np.append(0, np.flatnonzero(entered[1:] != entered[:-1]) + 1)
        paths = month.plan_paths(entered[together])
        bands = np.tile(paths.first, (len(month.steps), 1))
        bands[:, paths.moved] = paths.of_moved
        runs = np.append(0, np.flatnonzero(np.any(bands[:, 1:] != bands[:, :-1], axis=0)) + 1)
        bounds = [*together[runs].tolist(), len(entered)]
        for (low, high), path in zip(itertools.pairwise(bounds), bands[:, runs].T, strict=True):
            if path[0] == path[-1]:
                used = month.plan_total[path[0]]
            else:
                used = total(month.plan_spent[np.arange(len(path)), path])
            self.plans.expose_span(slice(low, high), used)

    def _expose_care(self, month: Month) -> None:
        """Most keep their class all month; those who do not are summed step by step."""
        rows, few = (
            month.care_paths(stock.entered_months, stock.born_years, stock.uasc)
            for stock in (self.care, self.few_in_care)
        )
        uses = zip(month.care_spent, rows.of_moved, strict=True)
        own = total([use.take(cell, axis=0) for use, cell in uses])
        self.care.expose_by_row(month.care_total, rows.first, rows.moved, own)
        self.few_in_care.expose(few, month.care_spent, month.care_total)

    def enter_plans(self, entrants: Entrants, count: IntArray) -> None:
        """Let each draw's first `count` entrants take their places."""
        self._admit(self.plans, self.few_on_plans, entrants, count)

    def enter_care(self, entrants: Entrants, count: IntArray) -> None:
        """Let each draw's first `count` entrants take their places."""
        self._admit(self.care, self.few_in_care, entrants, count)

    def _admit(self, members: Members, few: Scattered, entrants: Entrants, count: IntArray) -> None:
        """Rows are kept in order of entry; a place beyond a draw's count is nobody's."""
        at = len(count) - self._fewest
        rows = int(np.partition(count, at)[at])  # places that not only few draws reach
        few.enter(entrants, count, np.minimum(count, rows))
        if rows == 0:
            return
        order = np.argsort(entrants.places.step[:rows], kind="stable")
        entered = entrants.entered[order]
        left = members.add(
            entered_months=entered,
            born_years=entered / 12.0 - entrants.places.ages_years[order],
            uasc=np.full(rows, entrants.uasc),
        )
        np.take(entrants.places.left, order, axis=0, out=left, mode="clip")
        left -= entrants.used.take(order, axis=0)
        np.copyto(left, -1.0, where=order[:, None] >= count)

    def close(self, month: Month) -> None:
        """Those who turned 18 leave."""
        self.plans.come_of_age(month.end)
        self.care.come_of_age(month.end)
        self.few_on_plans.close(month.end)
        self.few_in_care.close(month.end)

    def tidy(self, month: Month) -> None:
        """Now and then let go of rows that few draws have, or none."""
        if month.is_for_tidying:
            for members, few in (
                (self.plans, self.few_on_plans),
                (self.care, self.few_in_care),
            ):
                few.take_over(members.thin(self._fewest))
                few.shrink()
