"""Named streams of random numbers, so that nothing else in a run moves them.

Each stream is seeded by (seed, batch, purpose, …): scenarios share chance, and
the number of threads does not matter.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

_GREATEST_WORD = 2**32 - 1


class Stream(IntEnum):
    """What a stream of random numbers is for."""

    RATES = 1
    INTAKE = 2
    SOURCES = 3
    DRIFT = 4
    REFERRALS = 5
    PLAN_OPENING = 6
    CARE_OPENING = 7
    PLANS = 8
    CARE = 9
    UASC = 10
    PLAN_ROWS = 11
    CARE_ROWS = 12
    UASC_ROWS = 13
    PLACEMENTS = 14
    MIXTURE = 15


def stream(seed: int, batch: int, kind: Stream, *more: int) -> np.random.Generator:
    """A generator for one purpose; the same arguments always give the same numbers."""
    words = [seed, batch, int(kind), *more]
    if all(
        0 <= word <= _GREATEST_WORD for word in words
    ):  # the same seeds as from a list, in half the time
        return np.random.Generator(np.random.SFC64(np.array(words, dtype=np.uint32)))
    return np.random.Generator(np.random.SFC64(words))
