"""Chance events that scenarios share, so that a difference between two is not noise.

Counts are coupled: where a scenario's mean equals the baseline's, its count is
the baseline's own; where it is lower, events of the baseline are thinned; where
it is higher, events are added. Each margin is exactly Poisson.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.simulation.count_quantiles import binomial_quantile, poisson_quantile

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def coupled_poisson(
    base_count: IntArray, base_mean: FloatArray, mean: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Poisson counts of mean `mean`, coupled to `base_count` of mean `base_mean`.

    One random number a count, whatever the means: two scenarios that share `rng`'s seed
    keep in step with each other too, and the closer their means the fewer counts differ.
    """
    if np.array_equal(mean, base_mean):
        return base_count
    uniform = rng.random(mean.size)
    before, after = base_mean.ravel(), mean.ravel()
    less, more = np.flatnonzero(after < before), np.flatnonzero(after > before)
    out = base_count.copy()
    count = out.reshape(-1)
    if len(less):
        lost = 1.0 - after[less] / before[less]
        count[less] -= binomial_quantile(uniform[less], count[less], lost)
    if len(more):
        count[more] += poisson_quantile(uniform[more], after[more] - before[more])
    return out


def mean_siblings(dispersion: float) -> float:
    """Mean number of further children ``m`` in a family of 1 + Poisson(m).

    Solves ``E[s^2] / E[s] = 1 + m + m / (1 + m) = dispersion``.
    """
    c = max(dispersion - 1.0, 0.0)
    return float((-(2.0 - c) + np.sqrt((2.0 - c) ** 2 + 4.0 * c)) / 2.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyCounts:
    """Families that enter at each step, and the children they bring; shape ([steps,] draws)."""

    mean_families: FloatArray
    families: IntArray
    siblings: IntArray

    @property
    def children(self) -> IntArray:
        """Families and further siblings."""
        return self.families + self.siblings

    def month(self, number: int) -> FamilyCounts:
        """Those of one month, of counts by month."""
        return FamilyCounts(
            mean_families=self.mean_families[number],
            families=self.families[number],
            siblings=self.siblings[number],
        )

    @classmethod
    def stacked(cls, months: Sequence[FamilyCounts]) -> FamilyCounts:
        """Counts by month, of those of each."""
        return cls(
            mean_families=np.stack([m.mean_families for m in months]),
            families=np.stack([m.families for m in months]),
            siblings=np.stack([m.siblings for m in months]),
        )


def family_counts(
    mean_children: FloatArray,
    siblings: float,
    base: FamilyCounts | None,
    rng: np.random.Generator,
) -> FamilyCounts:
    """Draw entrants in families: a compound Poisson count of mean `mean_children`.

    Parameters
    ----------
    mean_children
        Shape ([steps,] draws).
    siblings
        Mean number of further children in a family.
    base
        The baseline's own counts, to which these are coupled; ``None`` draws them.
    """
    mean = mean_children / (1.0 + siblings)
    if base is None:
        families = rng.poisson(mean).astype(np.int64)
        return FamilyCounts(
            mean_families=mean,
            families=families,
            siblings=rng.poisson(families * siblings).astype(np.int64),
        )
    families = coupled_poisson(base.families, base.mean_families, mean, rng)
    return FamilyCounts(
        mean_families=mean,
        families=families,
        siblings=coupled_poisson(
            base.siblings,
            np.asarray(base.families * siblings, dtype=float),
            np.asarray(families * siblings, dtype=float),
            rng,
        ),
    )
