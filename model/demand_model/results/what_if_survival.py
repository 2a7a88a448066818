"""How survival on a plan or in care answers to levers on exits, averaged over draws.

A child's cumulative hazard up to month ``t`` is ``H`` (reasons home and other apart);
under levers ``1 + x`` on ends home and ``1 + y`` on other ends the share of all children
and draws that is still there is

    S(t; x, y) = mean of alive(t) exp(-(1 + x) Hh(t) - (1 + y) Ho(t))

with ``alive`` the 18th birthday, which no lever moves. The mean over draws is not the
survival at the mean rates, and ``S(t; x, y)`` is not a power of ``S(t; 0, 0)``: children
and draws differ. Its log is smooth, though, and is held as

    log S(t; x, y) - log S(t; 0, 0) = a x + b y + c x^2/2 + e x y + f y^2/2

exact at the nodes below; the sheet takes it month by month, so that levers may change
from month to month.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
LogRatio = Callable[[float, float], FloatArray]
Survivors = Callable[[float, float], FloatArray]

HOME_NODES = (-0.5, 1.0)
OTHER_NODES = (-0.3, 0.4)
"""Changes at which the response is exact, beside 0."""

RESPONSES = 5
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survival:
    """Month by month: who stays, and how levers on exits move it.

    In month ``m`` a group of children is multiplied by ``base[m] * exp(response[m] @ v)``,
    ``v = (x, y, x^2/2, x y, y^2/2)``.

    Attributes
    ----------
    base
        Share who stay at neutral; shape (months,).
    response
        Shape (months, 5).
    """

    base: FloatArray
    response: FloatArray

    def kept(self, levers: FloatArray) -> FloatArray:
        """Share who stay, never more than all; `levers` (…, 5) to shape (…, months)."""
        return np.asarray(np.minimum(self.base * np.exp(levers @ self.response.T), 1.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgeMix:
    """Share of each age group, month by month, and how levers on exits move it.

    Under a change ``x`` of ends home and ``y`` of other ends that hold all the time the
    shares are ``neutral + x home + y other``: a secant, since adoption takes the
    youngest, and a home the newest.

    Attributes
    ----------
    neutral, home, other
        Shape (months, segments); rows add up to 1, 0 and 0.
    """

    neutral: FloatArray
    home: FloatArray
    other: FloatArray


def lever_terms(home: FloatArray, other: FloatArray) -> FloatArray:
    """``(x, y, x^2/2, x y, y^2/2)`` of changes by month; shape (months, 5)."""
    return np.stack([home, other, home**2 / 2.0, home * other, other**2 / 2.0], axis=-1)


def survivors(
    home: FloatArray, other: FloatArray, alive: FloatArray, weight: FloatArray
) -> Survivors:
    """Who is left by month and child, averaged over draws, as a function of two changes.

    Parameters
    ----------
    home, other
        Hazard used up in each month; shape (months, children, draws).
    alive
        Share of each month's end that lies before the 18th birthday; (months, children).
    weight
        Of each draw; shape (draws,).

    Returns
    -------
    A function of ``x`` and ``y`` that gives shape (months, children); it keeps what it
    has worked out.
    """
    moves = bool(home.any())
    to_home = np.cumsum(home, axis=0, dtype=np.float32) if moves else None
    to_other = np.cumsum(other, axis=0, dtype=np.float32)
    present = np.asarray(alive, np.float32)
    share = np.asarray(weight / weight.sum(), np.float32)

    @cache
    def left(x: float, y: float) -> FloatArray:
        used = to_other * np.float32(-(1.0 + y))
        if to_home is not None:
            used -= to_home * np.float32(1.0 + x)
        np.exp(used, out=used)
        by_child = (used.reshape(-1, used.shape[2]) @ share).reshape(used.shape[:2])
        return np.asarray(by_child * present, dtype=np.float64)

    return lambda x, y: left(x if moves else 0.0, y)


def survival(left: Survivors) -> Survival:
    """Average children into one response to levers on exits.

    Parameters
    ----------
    left
        From `survivors`.
    """
    neutral_by_child = left(0.0, 0.0)
    months, children = neutral_by_child.shape
    if children == 0:
        return Survival(base=np.ones(months), response=np.zeros((months, RESPONSES)))
    neutral = neutral_by_child.mean(axis=1)
    some = neutral > _LEAST

    def log_ratio(x: float, y: float) -> FloatArray:
        ratio = np.where(some, left(x, y).mean(axis=1), 1.0) / np.where(some, neutral, 1.0)
        return np.asarray(np.log(np.maximum(ratio, _LEAST)))

    response = np.diff(_response(log_ratio), axis=0, prepend=0.0)
    before = np.concatenate([[1.0], neutral[:-1]])
    base = np.where(some & (before > _LEAST), neutral / np.maximum(before, _LEAST), 0.0)
    return Survival(base=base, response=np.where(some[:, None], response, 0.0))


def ages(left: Survivors, segment: npt.NDArray[np.intp], segments: int) -> AgeMix:
    """Share of those left in each age group, and how levers on exits move it.

    Parameters
    ----------
    left
        From `survivors`.
    segment
        Of each child at each month's end; shape (months, children).
    segments
        How many there are.
    """

    def shares(x: float, y: float) -> FloatArray:
        of = left(x, y)
        found = np.stack([(of * (segment == s)).sum(axis=1) for s in range(segments)], axis=1)
        total = found.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(found, total, out=np.zeros_like(found), where=total > _LEAST))

    def secant(nodes: tuple[float, float], at: Callable[[float], FloatArray]) -> FloatArray:
        return np.asarray((at(nodes[1]) - at(nodes[0])) / (nodes[1] - nodes[0]))

    return AgeMix(
        neutral=shares(0.0, 0.0),
        home=secant(HOME_NODES, lambda x: shares(x, 0.0)),
        other=secant(OTHER_NODES, lambda y: shares(0.0, y)),
    )


def _response(log_ratio: LogRatio) -> FloatArray:
    """Coefficients that meet the log ratio at the nodes; shape (months, 5)."""
    home = [log_ratio(x, 0.0) for x in HOME_NODES]
    other = [log_ratio(0.0, y) for y in OTHER_NODES]
    a, c = _through(HOME_NODES, home)
    b, f = _through(OTHER_NODES, other)
    both = zip(HOME_NODES, OTHER_NODES, home, other, strict=True)
    cross = [(log_ratio(x, y) - at_x - at_y) / (x * y) for x, y, at_x, at_y in both]
    return np.stack([a, b, c, np.mean(cross, axis=0), f], axis=1)


def _through(nodes: tuple[float, float], values: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """``a`` and ``c`` of ``a x + c x^2/2`` through 0 and two nodes."""
    (p, q), (at_p, at_q) = nodes, values
    curve = 2.0 * (at_q / q - at_p / p) / (q - p)
    return at_p / p - curve * p / 2.0, curve
