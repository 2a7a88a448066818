"""Children come in families: sizes, ages, and who they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demand_samples.truth import FamilyTruth
from demand_samples.working_days import DAYS_PER_YEAR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNBORN_SHARE = 0.03
UNBORN_YEARS = 0.4
ADULT_YEARS = 18.0
_REFERENCE_AGE_EDGES = (0.0, 1.0, 5.0, 10.0, 16.0, 17.9)
_REFERENCE_AGE_SHARES = (0.07, 0.22, 0.28, 0.33, 0.10)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Families:
    """Sibling groups; children of family f are first[f] … first[f] + size[f] − 1.

    Attributes
    ----------
    size, first
        Shape (families,).
    birth_day
        Day number of birth, shape (children,); may lie ahead (unborn).
    """

    size: Ints
    first: Ints
    birth_day: Ints

    @property
    def children(self) -> int:
        """Number of children."""
        return len(self.birth_day)


def members(first: Ints, size: Ints) -> tuple[Ints, Ints]:
    """Spread groups out: (group of each member, the member's own index), groups in order."""
    group = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    return group.astype(np.int64), (first[group] + within).astype(np.int64)


def birth_days(age_years: Floats, at_day: Ints) -> Ints:
    """Days of birth; nobody is born on 29 February, so 18th birthdays are beyond dispute."""
    day = (at_day - np.round(age_years * DAYS_PER_YEAR)).astype(np.int64)
    leap = np.char.endswith(day.astype("datetime64[D]").astype(str), "-02-29")
    moved: Ints = day - leap.astype(np.int64)
    return moved


def eighteenth_birthdays(birth_day: Ints) -> Ints:
    """Day number of each exact 18th birthday."""
    date = birth_day.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    within = date - month.astype("datetime64[D]")
    birthday: Ints = ((month + 18 * 12).astype("datetime64[D]") + within).astype(np.int64)
    return birthday


def _reference_ages(count: int, rng: np.random.Generator) -> Floats:
    shares = np.array(_REFERENCE_AGE_SHARES)
    band = rng.choice(len(shares), size=count, p=shares)
    low, high = np.array(_REFERENCE_AGE_EDGES[:-1]), np.array(_REFERENCE_AGE_EDGES[1:])
    age = low[band] + rng.random(count) * (high - low)[band]
    unborn = rng.random(count) < UNBORN_SHARE
    return np.where(unborn, -UNBORN_YEARS * rng.random(count), age)


def draw_families(truth: FamilyTruth, at_day: Ints, rng: np.random.Generator) -> Families:
    """One family for each day in `at_day`, aged as children referred are.

    A reference child's age is drawn; siblings are older or younger by growing gaps.
    """
    count = len(at_day)
    shares = np.array(truth.size_shares)
    size = rng.choice(len(shares), size=count, p=shares).astype(np.int64) + 1
    first = (np.cumsum(size) - size).astype(np.int64)
    family, child = members(first, size)
    gap = truth.sibling_gap_years + rng.gamma(2.0, 0.8, size=len(child))
    gap[first] = 0.0
    total = np.cumsum(gap)
    offset = (total - total[first][family]) * rng.choice((-1.0, 1.0), size=len(child))
    reference = _reference_ages(count, rng)[family]
    age = reference + offset
    outside = (age < 0) | (age >= ADULT_YEARS - 0.1)
    flipped = reference - offset
    age = np.where(outside, flipped, age)
    outside = (age < 0) | (age >= ADULT_YEARS - 0.1)
    outside[first] = False
    age = np.where(outside, rng.uniform(0.5, 17.0, size=len(child)), age)
    return Families(size=size, first=first, birth_day=birth_days(age, at_day[family]))


def singletons(age_years: Floats, at_day: Ints) -> Families:
    """Families of one child of a given age."""
    count = len(at_day)
    return Families(
        size=np.ones(count, np.int64),
        first=np.arange(count),
        birth_day=birth_days(age_years, at_day),
    )
