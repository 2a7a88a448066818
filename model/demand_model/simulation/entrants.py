"""Children who may enter in one month: their allotments and ages, shared by all scenarios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.simulation.members import LeftArray, allot, joining_chance, leave_together
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline

FloatArray = npt.NDArray[np.float64]
_GOLDEN, _PLASTIC, _SILVER = 0.6180339887498949, 0.7548776662466927, 0.41421356237309515


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Places for the entrants of one month, in the order in which they are taken.

    Attributes
    ----------
    left
        Allotments of cumulative hazard; shape (places, draws).
    ages_years
        Ages at entry; shape (places,).
    step
        Step of the month in which each enters, from 0; shape (places,).
    """

    left: LeftArray
    ages_years: FloatArray
    step: npt.NDArray[np.intp]

    def first(self, count: int) -> Places:
        """The first `count` places."""
        return Places(
            left=self.left[:count], ages_years=self.ages_years[:count], step=self.step[:count]
        )


class EntrantPool:
    """Places for entrants by route and month, drawn once for all scenarios of a batch.

    The first places of a month do not depend on how many follow, so a scenario with
    more entrants has those of the baseline among them. Places are spread over the
    steps of the month in proportion to their length, families together.
    """

    def __init__(self, seed: int, batch: int, draws: int, line: Timeline) -> None:
        self._seed, self._batch, self._draws = seed, batch, draws
        self._ends = [_ends_of_steps(line.step_months[b.start : b.stop]) for b in line.blocks()]
        self._drawn: dict[tuple[Stream, int], Places] = {}

    def places(self, route: Stream, month: int, count: int, mix: EntrantMix) -> Places:
        """The first `count` places of a month."""
        found = self._drawn.get((route, month))
        if found is None or len(found.step) < count:
            found = self._draw(route, month, count + count // 4 + 2, mix)
            self._drawn[route, month] = found
        return found.first(count)

    def _draw(self, route: Stream, month: int, count: int, mix: EntrantMix) -> Places:
        where = (self._seed, self._batch, route, month)
        sizes = 1 + stream(*where, 1).poisson(mix.siblings, size=count)
        families = np.repeat(np.arange(count), sizes)[:count].astype(np.intp)
        pairs = (mix.siblings**2 + 2.0 * mix.siblings) / (1.0 + mix.siblings)
        chance = joining_chance(pairs, mix.end_dispersion)
        together = leave_together(families, chance, stream(*where, 2))
        # The golden ratio spreads the first places of all months; a batch begins at random, so
        # that the ages of all batches together are those of the mix.
        begin = stream(self._seed, self._batch, route).random()
        spread = (begin + month * _GOLDEN + np.arange(count) * _PLASTIC) % 1.0
        within = (begin + month * _GOLDEN + families * _SILVER) % 1.0
        return Places(
            left=allot(count, self._draws, together, stream(*where)),
            ages_years=mix.ages_years[(spread * len(mix.ages_years)).astype(int)],
            step=np.searchsorted(self._ends[month], within, side="right").astype(np.intp),
        )


def _ends_of_steps(lengths: FloatArray) -> FloatArray:
    """Where each step but the last ends, as a share of the month."""
    ends = np.cumsum(lengths)
    return np.asarray(ends[:-1] / ends[-1])
