"""Spells and children as arrays, while a history is being drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand_samples.exits import OPEN
from demand_samples.families import Families, members

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spells:
    """Spells by row: child, day numbers, batch of siblings, route and reason (indices)."""

    child: Ints
    start: Ints
    batch: Ints
    route: Ints
    end: Ints
    reason: Ints

    def where(self, keep: Bools | Ints) -> Spells:
        """Keep some rows, or put them in another order."""
        return Spells(**{name: getattr(self, name)[keep] for name in self.__slots__})


def concat(parts: list[Spells]) -> Spells:
    """Put several sets of spells together."""
    return Spells(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in Spells.__slots__
        }
    )


class Register:
    """All children so far; families are added in blocks and numbered on."""

    def __init__(self) -> None:
        self._birth: list[Ints] = []
        self._family: list[Ints] = []
        self._uasc: list[Bools] = []
        self.children = 0
        self.families = 0

    def add(self, families: Families, *, uasc: bool = False) -> int:
        """Add families and return the number of their first child."""
        first = self.children
        group, _ = members(families.first, families.size)
        self._birth.append(families.birth_day)
        self._family.append(group + self.families)
        self._uasc.append(np.full(families.children, uasc))
        self.children += families.children
        self.families += len(families.size)
        return first

    @property
    def birth_day(self) -> Ints:
        """Day number of birth of every child."""
        return np.concatenate(self._birth)

    @property
    def family(self) -> Ints:
        """Family of every child."""
        return np.concatenate(self._family)

    @property
    def uasc(self) -> Bools:
        """True for unaccompanied children."""
        return np.concatenate(self._uasc)


def keep_apart(child: Ints, start: Ints, end: Ints) -> Bools:
    """Find the spells that begin after the child's previous kept spell has ended."""
    keep = np.ones(len(child), dtype=bool)
    order = np.lexsort((start, child))
    ordered = child[order]
    repeated = np.zeros(len(child), dtype=bool)
    repeated[1:] = ordered[1:] == ordered[:-1]
    until = 0
    previous = -1
    for at in np.flatnonzero(repeated):
        if at - 1 != previous or not repeated[at - 1]:
            until = int(end[order[at - 1]])
        row = order[at]
        if start[row] <= until:
            keep[row] = False
        else:
            until = int(end[row])
        previous = int(at)
    return keep


def covered_by(child: Ints, day: Ints, spells: Spells) -> Bools:
    """Find where the child is inside one of `spells` on `day`; a child's do not overlap."""
    if len(spells.child) == 0:
        return np.zeros(len(child), dtype=bool)
    order = np.lexsort((spells.start, spells.child))
    key = spells.child[order] * OPEN + spells.start[order]
    at = np.searchsorted(key, child * OPEN + day, side="right") - 1
    row = order[np.maximum(at, 0)]
    covered: Bools = (at >= 0) & (spells.child[row] == child) & (day <= spells.end[row])
    return covered


def number_pairs(one: Ints, other: Ints) -> Ints:
    """Give each distinct pair a number."""
    number: Ints = np.unique(one * OPEN + other, return_inverse=True)[1].astype(np.int64)
    return number
