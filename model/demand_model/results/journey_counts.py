"""Small numbers: counts are rounded, and what 1 to 4 children would show is withheld.

A figure that rests on 1 to 4 children is withheld. So is a second one wherever the
first could be worked out from the rest: within a group, where outcomes add up to the
whole, within an outcome, where groups do, and between two times a few children apart.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FEWEST_SHOWN = 5
"""The smallest count, 0 apart, that a figure may rest on."""

BASE = 5
"""Counts are rounded to the nearest multiple of this; totals from the true total."""


def rounded_count(count: float) -> int:
    """Round a count to the nearest 5, halves up.

    >>> rounded_count(7), rounded_count(8), rounded_count(12.5)
    (5, 10, 15)
    """
    return int(np.floor(count / BASE + 0.5)) * BASE


def withheld(counts: npt.NDArray[np.intp], *, last: int | None = None) -> npt.NDArray[np.bool_]:
    """Which figures must not be shown.

    Parameters
    ----------
    counts
        Children behind each figure; shape (times, groups, outcomes), times
        ascending. The first group is everyone, the others groups whose children add
        up to no more than everyone; outcomes are without overlap and add up to a
        known whole.
    last
        Outcome that matters most: hidden for another's sake only where none else can be.

    Returns
    -------
    The same shape. At no time has a row just one, or a column of the groups. What is
    withheld at one time is at every other by which fewer than 5 more have left, since
    the one figure would tell the other.
    """
    hidden = (counts > 0) & (counts < FEWEST_SHOWN)
    alike = np.abs(counts[:, None] - counts[None]) < FEWEST_SHOWN
    alike &= (counts > 0)[:, None] & (counts > 0)[None]
    while True:
        before = int(hidden.sum())
        for one, mine in zip(hidden, counts, strict=True):
            for row in range(mine.shape[0]):
                _second(one[row], mine[row], last)
            for column in range(mine.shape[1]):
                _second(one[1:, column], mine[1:, column])
        hidden |= (alike & hidden[None]).any(axis=1)
        if int(hidden.sum()) == before:
            return hidden


def _second(
    hidden: npt.NDArray[np.bool_], counts: npt.NDArray[np.intp], last: int | None = None
) -> None:
    """Where just one figure is hidden, hide the smallest other (one above 0, if there is)."""
    if hidden.sum() != 1 or len(hidden) < 2:
        return
    order = np.where(hidden, np.inf, np.where(counts > 0, counts.astype(float), np.inf))
    if last is not None and np.isfinite(order[last]) and np.isfinite(order).sum() > 1:
        order[last] = np.inf
    if not np.isfinite(order).any():
        order = np.where(hidden, np.inf, counts)
    hidden[int(np.argmin(order))] = True
