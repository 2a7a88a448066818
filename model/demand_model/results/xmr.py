"""XmR charts (individual values and moving ranges): limits, signals and new phases.

::

    mean ± 2.66 × mean moving range        2.66 = 3 / 1.128, see Wheeler (1993)

The moving range is the distance between neighbouring months, so that a lasting
shift does not widen the limits. Ranges above 3.27 times their mean are left out of
it (Nelson 1982), so that one odd month does not either. Rules as in NHS England's
*Making Data Count*, with eight for a run as Wheeler has it.

Rare counts, below `RARE` a month, are judged by themselves (`rare_limits`): most months
are 0 and the rest far above the mean, so the usual limits shrink to nothing and every
rule alarms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LIMIT_FACTOR = 2.66
"""Three standard deviations, in mean moving ranges."""

RANGE_LIMIT_FACTOR = 3.27
"""A moving range above this many mean ranges is itself a signal."""

RUN = 8
"""Months in a row on one side of the mean that make a signal, and a new phase."""

TREND = 6
"""Months in a row, each above (or below) the one before, that make a signal."""

RARE = 2.0
"""A month, below which counts are too rare for moving ranges and runs."""

_RECENT_MONTHS = 12

_BEYOND = 0.00135
"""Chance of a Normal value above three standard deviations."""

_NEAR = 2.0 / 3.0
_KEPT = 0.6
"""Part of a run's shift that must still show once the next `RUN` months are counted in."""

_LONGEST_SAID = 12
"""A run after a shift is counted up to here: from then on it is simply the level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Mean and limits of one phase; limits are NaN where there is no moving range."""

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of months that is judged by its own mean and limits: ``[first, end)``."""

    first: int
    end: int
    limits: Limits
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Months ``[first, last]`` that chance alone seldom shows, and the rule's words."""

    first: int
    last: int
    words: str


def xmr_limits(values: FloatArray) -> Limits:
    """Give the mean and natural process limits of `values`, shape (months,); NaN is a blank.

    Examples
    --------
    >>> xmr_limits(np.array([10.0, 12.0, 10.0, 12.0]))
    Limits(mean=11.0, lower=5.68, upper=16.32)
    """
    seen = values[~np.isnan(values)]
    mean = float(seen.mean()) if len(seen) else float("nan")
    ranges = np.abs(np.diff(values))
    ranges = ranges[~np.isnan(ranges)]
    if not len(ranges):
        return Limits(mean=mean, lower=float("nan"), upper=float("nan"))
    usual = ranges[ranges <= RANGE_LIMIT_FACTOR * ranges.mean()]
    if not usual.any():
        # Hardly a month moved: without the few that did, nothing would be ordinary.
        usual = ranges
    reach = LIMIT_FACTOR * float(usual.mean())
    return Limits(mean=mean, lower=mean - reach, upper=mean + reach)


def rare_limits(values: FloatArray) -> Limits:
    """Limits of counts below `RARE` a month, shape (months,): only many are worth a question.

    The upper limit lies half a child above the highest count that a Poisson month of this
    mean has with a chance of 0.135% or more, and no lower than XmR's with all ranges.

    Examples
    --------
    >>> round(rare_limits(np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])).upper, 2)
    2.5
    """
    seen = values[~np.isnan(values)]
    mean = float(seen.mean()) if len(seen) else float("nan")
    ranges = np.abs(np.diff(values))
    ranges = ranges[~np.isnan(ranges)]
    if not len(ranges):
        return Limits(mean=mean, lower=float("nan"), upper=float("nan"))
    highest, chance = 0, math.exp(-mean)
    beyond = 1.0 - chance
    while beyond >= _BEYOND:
        highest += 1
        chance *= mean / highest
        beyond -= chance
    reach = max(highest + 0.5 - mean, LIMIT_FACTOR * float(ranges.mean()))
    return Limits(mean=mean, lower=mean - reach, upper=mean + reach)


def is_rare(values: FloatArray) -> bool:
    """Say whether counts, shape (months,), NaN where blank, are too rare for the usual rules.

    In the last year too: after a lasting rise the usual rules suit.
    """
    seen = values[~np.isnan(values)]
    return bool(len(seen) and max(seen.mean(), seen[-_RECENT_MONTHS:].mean()) < RARE)


def rare_phase(values: FloatArray) -> Phase:
    """Return the one phase of rare counts."""
    months = int((~np.isnan(values)).sum())
    return Phase(first=0, end=len(values), limits=rare_limits(values), months=months)


def outside(values: FloatArray, phase: Phase) -> list[Signal]:
    """Name the months outside the limits of a phase: the one rule that suits rare counts."""
    found = _outside(values[phase.first : phase.end], phase.limits)
    return [replace(s, first=s.first + phase.first, last=s.last + phase.first) for s in found]


def phases(values: FloatArray) -> tuple[Phase, ...]:
    """Divide a series where its level shifted and stayed: see `RUN`.

    A run of `RUN` months or more on one side of a phase's mean begins a new
    phase, if as many months came before it and the months after it do not go
    back; limits are worked out anew on either side. So the limits of today speak of
    today's level, as practitioners re-base a chart after a sustained change.
    """
    found: list[Phase] = []
    first = 0
    while first < len(values):
        end = _shift(values, first)
        part = values[first:end]
        seen = int((~np.isnan(part)).sum())
        found.append(Phase(first=first, end=end, limits=xmr_limits(part), months=seen))
        first = end
    return tuple(found)


def _shift(values: FloatArray, first: int) -> int:
    """First month of the next phase after the one that begins at `first`."""
    end = len(values)
    while True:
        mean = xmr_limits(values[first:end]).mean
        starts = [
            first + a
            for a, b in _runs(np.sign(values[first:end] - mean))
            if b - a >= RUN and _lasts(values, first, first + a, first + b)
        ]
        if not starts:
            return end
        # Without the shifted months the mean is another: an earlier shift may now show.
        end = starts[0]


def _lasts(values: FloatArray, first: int, start: int, end: int) -> bool:
    """Say whether the run ``[start, end)`` has a phase before it and is kept up after it."""
    before, run, after = values[first:start], values[start:end], values[start : end + RUN]
    if (~np.isnan(before)).sum() < RUN:
        return False
    earlier = np.nanmean(before)
    moved, kept = np.nanmean(run) - earlier, np.nanmean(after) - earlier
    return bool(kept * np.sign(moved) > _KEPT * abs(moved))


def signals(values: FloatArray, phase: Phase, *, counts: bool) -> list[Signal]:
    """Name every signal within a phase, in order of its first month.

    Parameters
    ----------
    values
        The whole series, NaN where blank. A blank ends a run.
    counts
        Values cannot be below 0: a lower limit below 0 then says nothing.
    """
    limits, part = phase.limits, values[phase.first : phase.end]
    found = [*_outside(part, limits), *_long_runs(part, limits), *_trends(part)]
    found += _near_limits(part, limits, counts=counts)
    shift = phase.first
    moved = [Signal(first=s.first + shift, last=s.last + shift, words=s.words) for s in found]
    return sorted(moved, key=lambda s: (s.first, s.last))


def runs_against(values: FloatArray, phase: Phase, mean: float) -> Signal | None:
    """Name the run that began a phase, against the `mean` of the one before it."""
    part = np.sign(values[phase.first : phase.end] - mean)
    opening = next(iter(_runs(part)), None)
    if opening is None or opening[0] > 0 or opening[1] < RUN:
        return None
    months = min(opening[1], _LONGEST_SAID)
    return Signal(
        first=phase.first,
        last=phase.first + months - 1,
        words=f"{months} in a row {'above' if part[0] > 0 else 'below'} the earlier mean",
    )


def _runs(sides: FloatArray) -> Iterator[tuple[int, int]]:
    """Stretches ``[a, b)`` on one side; a value on the mean, or a blank, is on neither."""
    a = 0
    while a < len(sides):
        b = a + 1
        if sides[a] in (-1.0, 1.0):
            while b < len(sides) and sides[b] == sides[a]:
                b += 1
            yield a, b
        a = b


def _outside(part: FloatArray, limits: Limits) -> Iterator[Signal]:
    for i, value in enumerate(part):
        if value > limits.upper:
            yield Signal(first=i, last=i, words="above the upper limit")
        elif value < limits.lower:
            yield Signal(first=i, last=i, words="below the lower limit")


def _long_runs(part: FloatArray, limits: Limits) -> Iterator[Signal]:
    for a, b in _runs(np.sign(part - limits.mean)):
        if b - a >= RUN:
            side = "above" if part[a] > limits.mean else "below"
            yield Signal(first=a, last=b - 1, words=f"{b - a} in a row {side} the mean")


def _trends(part: FloatArray) -> Iterator[Signal]:
    for a, b in _runs(np.sign(np.diff(part))):
        if (months := b - a + 1) >= TREND:
            way = "rising" if part[a + 1] > part[a] else "falling"
            yield Signal(first=a, last=b, words=f"{months} in a row {way}")


def _near_limits(part: FloatArray, limits: Limits, *, counts: bool) -> Iterator[Signal]:
    """Two of three neighbours in the outer third between the mean and one limit, or beyond."""
    for side, limit, name in ((1, limits.upper, "upper"), (-1, limits.lower, "lower")):
        if np.isnan(limit) or limit == limits.mean or (counts and limit < 0):
            continue
        near = side * (part - limits.mean) > _NEAR * side * (limit - limits.mean)
        at = np.flatnonzero(near)
        last = -1
        for a, b in itertools.pairwise(at):
            whole = not np.isnan(part[a : b + 1]).any()
            if b - a <= 2 and whole and a > last:
                yield Signal(first=int(a), last=int(b), words=f"2 of 3 near the {name} limit")
                last = int(b)
