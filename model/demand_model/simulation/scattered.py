"""Children followed one by one: an entry a child and draw, where rows would be mostly empty.

A row of `Members` costs the same whether all draws have that child or one has. Where
few have it, entries that point to the place a child took cost a fraction.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.simulation.members import ADULT_YEARS, LeftArray, SparseRows
from demand_model.simulation.monthly import ClassPaths, Entrants, total

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.intp]


class Scattered:
    """Children of one stock, an entry a child and draw.

    Attributes
    ----------
    left
        What is left of each one's allotment.
    place, draw
        Each one's place and draw.
    more
        What each one counts for: 1, or -1 for a child whom another scenario has and
        this one has not.
    entered_months, born_years, uasc
        Of each place, as in `Members`.
    """

    def __init__(self, draws: int) -> None:
        self.draws = draws
        self.left: LeftArray = np.empty(0, np.float32)
        self.place, self.draw = np.empty(0, np.intp), np.empty(0, np.intp)
        self.more = np.empty(0)
        self.entered_months, self.born_years = np.empty(0), np.empty(0)
        self.uasc = np.empty(0, bool)

    def enter(self, entrants: Entrants, count: IntArray, other: IntArray) -> None:
        """Add the places that only one of two counts by draw reaches."""
        size = np.abs(count - other)
        low = np.minimum(count, other)
        draw = np.repeat(np.arange(self.draws), size)
        if len(draw) == 0:
            return
        since_first = np.arange(len(draw)) - np.repeat(np.cumsum(size) - size, size)
        place = low[draw] + since_first
        places = slice(int(place.min()), int(place.max()) + 1)
        entered = entrants.entered[places]
        self._add(
            entrants.places.left[place, draw] - entrants.used[place, draw],
            place - places.start,
            draw,
            np.sign(count - other)[draw].astype(float),
        )
        self._add_places(
            entered,
            entered / 12.0 - entrants.places.ages_years[places],
            np.full(len(entered), entrants.uasc),
        )

    def take_over(self, rows: SparseRows) -> None:
        """Add the children of rows that `Members` have given up."""
        self._add(rows.left, rows.row, rows.draw, np.ones(len(rows.left)))
        self._add_places(rows.entered_months, rows.born_years, rows.uasc)

    def _add(self, left: LeftArray, place: IndexArray, draw: IndexArray, more: FloatArray) -> None:
        """Add entries; their places come next and count from 0."""
        self.left = np.concatenate([self.left, left])
        self.place = np.concatenate([self.place, place + len(self.entered_months)])
        self.draw = np.concatenate([self.draw, draw])
        self.more = np.concatenate([self.more, more])

    def _add_places(
        self, entered: FloatArray, born: FloatArray, uasc: npt.NDArray[np.bool_]
    ) -> None:
        self.entered_months = np.concatenate([self.entered_months, entered])
        self.born_years = np.concatenate([self.born_years, born])
        self.uasc = np.concatenate([self.uasc, uasc])

    def expose(self, paths: ClassPaths, spent: LeftArray, whole: LeftArray) -> None:
        """Use up a month's hazards: most keep their class, the others go step by step.

        Parameters
        ----------
        paths
            Classes of the places.
        spent, whole
            What each class uses up, shape (steps, classes, draws), and the sum over steps.
        """
        if len(self.left) == 0:
            return
        # Flat positions in tables of (classes, draws): a place's row, and then the draw.
        used = whole.reshape(-1).take((paths.first * self.draws).take(self.place) + self.draw)
        if len(paths.moved):
            number = np.full(len(paths.first), -1)
            number[paths.moved] = np.arange(len(paths.moved))
            number = number.take(self.place)
            moved = np.flatnonzero(number >= 0)
            number, draw = number[moved], self.draw[moved]
            uses = zip(spent, paths.of_moved * self.draws, strict=True)
            used[moved] = total([use.reshape(-1).take(at.take(number) + draw) for use, at in uses])
        self.left -= used

    def close(self, now_months: float) -> None:
        """Drop those who have left, or turned 18 before `now_months`."""
        is_child = (self.born_years + ADULT_YEARS) * 12.0 >= now_months
        stays = np.flatnonzero((self.left > 0.0) & is_child.take(self.place))
        if len(stays) < len(self.left):
            self.left, self.place = self.left.take(stays), self.place.take(stays)
            self.draw, self.more = self.draw.take(stays), self.more.take(stays)

    def count(self, group: IndexArray, groups: int) -> IntArray:
        """Children by group of places and draw; shape (groups, draws)."""
        at = (group * self.draws).take(self.place) + self.draw
        found = np.bincount(at, weights=self.more, minlength=groups * self.draws)
        return found.reshape(groups, self.draws).astype(np.int64)

    def shrink(self) -> None:
        """Drop places that nobody holds."""
        kept = np.flatnonzero(np.bincount(self.place, minlength=len(self.entered_months)))
        number = np.zeros(len(self.entered_months), np.intp)
        number[kept] = np.arange(len(kept))
        self.place = number.take(self.place)
        self.entered_months = self.entered_months[kept]
        self.born_years, self.uasc = self.born_years[kept], self.uasc[kept]

    def copy(self) -> Scattered:
        """An independent copy."""
        other = Scattered(self.draws)
        for name in ("left", "place", "draw", "more", "entered_months", "born_years", "uasc"):
            setattr(other, name, getattr(self, name).copy())
        return other
