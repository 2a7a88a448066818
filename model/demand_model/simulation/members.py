"""Children of one stock: a row a child (or a place for one), a column a draw.

Each cell holds what is left of the cumulative hazard that the child was allotted
at entry, an Exponential(1) amount. Exposure to a hazard ``h`` for a time ``dt`` uses
up ``h dt``; the child leaves when nothing is left. This is exact for hazards that
are constant within a step, whatever changes them from step to step, and a child
keeps its allotment in every scenario (common random numbers).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LeftArray = npt.NDArray[np.float32]

_GONE = np.float32(-1.0)
ADULT_YEARS = 18.0
_SHRINK_BELOW = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SparseRows:
    """Children of rows that few draws have, an entry a child and draw.

    Attributes
    ----------
    left
        What is left of each one's allotment.
    row, draw
        Each one's row, from 0, and draw.
    entered_months, born_years, uasc
        Of each row.
    """

    left: LeftArray
    row: npt.NDArray[np.intp]
    draw: npt.NDArray[np.intp]
    entered_months: FloatArray
    born_years: FloatArray
    uasc: npt.NDArray[np.bool_]


class Members:
    """Mutable working state of one stock in one batch of draws.

    Rows are kept in order of entry, so that time since entry falls from the first
    row to the last.

    Parameters
    ----------
    draws
        Number of columns.
    """

    def __init__(self, draws: int) -> None:
        self.draws = draws
        self._left = np.empty((0, draws), dtype=np.float32)
        self._scratch = np.empty((0, draws), dtype=np.float32)
        self._flags = np.empty((0, draws), dtype=bool)
        self._rows = 0
        self.entered_months = np.empty(0)
        self.born_years = np.empty(0)
        self.uasc = np.empty(0, dtype=bool)

    @property
    def rows(self) -> int:
        """Number of rows in use."""
        return self._rows

    def admit(
        self,
        left: LeftArray,
        *,
        entered_months: FloatArray,
        born_years: FloatArray,
        uasc: npt.NDArray[np.bool_],
    ) -> None:
        """Add rows; a cell of `left` at or below 0 is a place that nobody takes.

        Parameters
        ----------
        left
            Shape (new rows, draws).
        entered_months, born_years
            Time of entry and birth, counted from the census date (negative: before).
        """
        new = self.add(entered_months=entered_months, born_years=born_years, uasc=uasc)
        new[:] = left

    def add(
        self,
        *,
        entered_months: FloatArray,
        born_years: FloatArray,
        uasc: npt.NDArray[np.bool_],
    ) -> LeftArray:
        """Add rows as `admit` does, and return their cells to be filled at once."""
        first, self._rows = self._rows, self._rows + len(entered_months)
        if self._rows > len(self._left):
            self._grow(first)
        self.entered_months = np.concatenate([self.entered_months, entered_months])
        self.born_years = np.concatenate([self.born_years, born_years])
        self.uasc = np.concatenate([self.uasc, uasc])
        return self._left[first : self._rows]

    def _grow(self, filled: int) -> None:
        larger = np.empty((max(self._rows, 2 * len(self._left) + 256), self.draws), np.float32)
        larger[:filled] = self._left[:filled]
        self._left = larger
        self._scratch = np.empty_like(larger)
        self._flags = np.empty(larger.shape, dtype=bool)

    def expose_by_row(
        self,
        spent: LeftArray,
        row_class: npt.NDArray[np.intp],
        others: npt.NDArray[np.intp],
        spent_by_others: LeftArray,
    ) -> None:
        """Use up `spent[row_class]` of each row's allotment; `spent` is (classes, draws).

        The rows `others` use up `spent_by_others`, shape (others, draws), instead.
        """
        scratch = self._scratch[: self._rows]
        np.take(spent, row_class, axis=0, out=scratch, mode="clip")
        scratch[others] = spent_by_others
        self._left[: self._rows] -= scratch

    def expose_span(self, rows: slice, spent: LeftArray) -> None:
        """Use up `spent`, shape (draws,), of the allotment of a run of rows."""
        left = self._left[rows]
        np.subtract(left, spent, out=left)

    def come_of_age(self, now_months: float) -> None:
        """Take out every child whose 18th birthday falls before `now_months`."""
        self._left[np.flatnonzero((self.born_years + ADULT_YEARS) * 12.0 < now_months)] = _GONE

    def count(self, rows: slice | npt.NDArray[np.intp] | None = None) -> IntArray:
        """Children present, by draw; shape (draws,)."""
        used = self._left[: self._rows]
        chosen = used if rows is None else used[rows]
        return _column_sums(np.greater(chosen, 0.0, out=self._flags[: len(chosen)]))

    def count_groups(self, group: npt.NDArray[np.intp], groups: int) -> IntArray:
        """Children present by group of rows and draw; shape (groups, draws)."""
        used = self._left[: self._rows]
        present = np.greater(used, 0.0, out=self._flags[: self._rows])
        together = present.take(np.argsort(group, kind="stable"), axis=0)
        bounds = np.cumsum(np.bincount(group, minlength=groups))
        return _sums_of_spans(together, np.append(0, bounds))

    def count_spans(self, edges: npt.NDArray[np.intp]) -> IntArray:
        """Children present by span of rows and draw; shape (spans, draws)."""
        used = self._left[: self._rows]
        return _sums_of_spans(np.greater(used, 0.0, out=self._flags[: self._rows]), edges)

    def copy(self) -> Members:
        """An independent copy."""
        other = Members(self.draws)
        other.admit(
            self._left[: self._rows],
            entered_months=self.entered_months,
            born_years=self.born_years,
            uasc=self.uasc,
        )
        return other

    def thin(self, fewest: int) -> SparseRows:
        """Drop rows that fewer draws than `fewest` have, and return who is left in them."""
        used = self._left[: self._rows]
        present = np.greater(used, 0.0, out=self._flags[: self._rows])
        many = np.count_nonzero(present, axis=1) >= fewest
        keep, drop = np.flatnonzero(many), np.flatnonzero(~many)
        if len(keep) >= _SHRINK_BELOW * self._rows:
            drop = drop[:0]
        row, draw = np.nonzero(present.take(drop, axis=0))
        found = SparseRows(
            left=used[drop[row], draw],
            row=row,
            draw=draw,
            entered_months=self.entered_months[drop],
            born_years=self.born_years[drop],
            uasc=self.uasc[drop],
        )
        if len(drop):
            self._left[: len(keep)] = used[keep]
            self._rows = len(keep)
            self.entered_months = self.entered_months[keep]
            self.born_years = self.born_years[keep]
            self.uasc = self.uasc[keep]
        return found


def _sums_of_spans(present: npt.NDArray[np.bool_], edges: npt.NDArray[np.intp]) -> IntArray:
    """True values by span of rows and column; shape (spans, columns)."""
    return np.stack([_column_sums(present[a:b]) for a, b in itertools.pairwise(edges.tolist())])


def _column_sums(present: npt.NDArray[np.bool_]) -> IntArray:
    """True values by column; summed in bytes, as many rows at a time as a byte can count."""
    as_bytes = present.view(np.uint8)
    total = np.zeros(present.shape[1], dtype=np.int64)
    for first in range(0, len(present), 255):
        total += np.add.reduce(as_bytes[first : first + 255], axis=0, dtype=np.uint8)
    return total


def allot(
    rows: int, draws: int, together: npt.NDArray[np.intp], rng: np.random.Generator
) -> LeftArray:
    """Exponential(1) allotments; rows with the same number in `together` share theirs.

    Shape (rows, draws). The first row of a group gives its allotment to the rest.
    The first rows do not depend on how many follow.
    """
    left = rng.standard_exponential((rows, draws), dtype=np.float32)
    _, first, inverse = np.unique(together, return_index=True, return_inverse=True)
    leader = first[inverse]
    followers = np.flatnonzero(leader != np.arange(rows))
    left[followers] = left[leader[followers]]
    return np.maximum(left, np.float32(1e-7))


def leave_together(
    groups: npt.NDArray[np.intp], chance: float, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Which rows leave together: each member of a group joins it with probability `chance`.

    Returns a number a row; rows that stand alone have a number of their own.
    """
    joins = rng.random(len(groups)) < chance
    alone = groups.max(initial=0) + 1 + np.arange(len(groups))
    return np.asarray(np.where(joins, groups, alone), dtype=np.intp)


def joining_chance(excess_pairs: float, dispersion: float) -> float:
    """Chance that makes ends as over-dispersed as measured.

    Two of a group leave together with probability ``chance ** 2``, so that
    ``dispersion = 1 + chance ** 2 * excess_pairs``, `excess_pairs` being the pairs
    a member, ``E[s (s - 1)] / E[s]``.
    """
    if excess_pairs <= 0.0:
        return 0.0
    return float(np.sqrt(min(max(dispersion - 1.0, 0.0) / excess_pairs, 1.0)))
