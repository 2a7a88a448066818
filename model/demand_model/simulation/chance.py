"""Chance events that scenarios share, so that a difference between two is not noise.

Counts are coupled: where a scenario's mean equals the baseline's, its count is
the baseline's own; where it is lower, events of the baseline are thinned; where
it is higher, events are added. Each margin is exactly Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def coupled_poisson(
    base_count: IntArray, base_mean: FloatArray, mean: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Poisson counts of mean `mean`, coupled to `base_count` of mean `base_mean`."""
    if np.array_equal(mean, base_mean):
        return base_count
    keep = np.ones_like(mean)
    np.divide(mean, base_mean, out=keep, where=base_mean > mean)
    fewer, more = keep < 1.0, mean > base_mean
    out = base_count.copy()
    out[fewer] = rng.binomial(base_count[fewer], keep[fewer])
    out[more] += rng.poisson((mean - base_mean)[more])
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
