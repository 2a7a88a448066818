"""Children who may enter in one step: their allotments and ages, shared by all scenarios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.simulation.members import LeftArray, allot, joining_chance, leave_together
from demand_model.simulation.streams import Stream, stream

FloatArray = npt.NDArray[np.float64]
_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntrantMix:
    """Who enters by one route.

    Attributes
    ----------
    ages_years
        Ages that stand for the mix; shape (many,).
    siblings
        Mean number of further children in a family.
    end_dispersion
        Variance over mean of ends.
    """

    ages_years: FloatArray
    siblings: float
    end_dispersion: float


class EntrantPool:
    """Places for entrants by route and step, drawn once for all scenarios of a batch.

    The first rows of a step do not depend on how many follow, so a scenario with
    more entrants has those of the baseline among them.
    """

    def __init__(self, seed: int, batch: int, draws: int) -> None:
        self._seed, self._batch, self._draws = seed, batch, draws
        self._drawn: dict[tuple[Stream, int], tuple[LeftArray, FloatArray]] = {}

    def places(
        self, route: Stream, step: int, count: int, mix: EntrantMix
    ) -> tuple[LeftArray, FloatArray]:
        """Allotments, shape (count, draws), and ages in years, shape (count,)."""
        found = self._drawn.get((route, step))
        if found is None or len(found[0]) < count:
            found = self._draw(route, step, count + count // 4 + 2, mix)
            self._drawn[route, step] = found
        return found[0][:count], found[1][:count]

    def _draw(
        self, route: Stream, step: int, count: int, mix: EntrantMix
    ) -> tuple[LeftArray, FloatArray]:
        where = (self._seed, self._batch, route, step)
        sizes = 1 + stream(*where, 1).poisson(mix.siblings, size=count)
        families = np.repeat(np.arange(count), sizes)[:count].astype(np.intp)
        pairs = (mix.siblings**2 + 2.0 * mix.siblings) / (1.0 + mix.siblings)
        chance = joining_chance(pairs, mix.end_dispersion)
        together = leave_together(families, chance, stream(*where, 2))
        # The golden ratio spreads the first rows of all steps; a batch begins at random, so that
        # the ages of all batches together are those of the mix.
        begin = stream(self._seed, self._batch, route).random()
        spread = (begin + step * _GOLDEN + np.arange(count) * _PLASTIC) % 1.0
        ages = mix.ages_years[(spread * len(mix.ages_years)).astype(int)]
        return allot(count, self._draws, together, stream(*where)), ages
