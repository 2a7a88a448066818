"""Arrows that bend round what stands in their way.

An arrow is a quadratic Bézier curve. Of several bends that one is taken which runs
through fewest labels and crosses fewest other arrows; the same arrows give the same
curves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from demand_model.system.drawing import Box, Point

FloatArray = npt.NDArray[np.float64]

CURVE_POINTS = 16
"""Points along an arrow: enough for a smooth bend."""

_BENDS = np.array([0.0, 0.1, -0.1, 0.2, -0.2, 0.32, -0.32, 0.46, -0.46, 0.65, -0.65])
"""How far the curve's handle stands off the straight line, as a share of its length."""

_FINE = 80
_COARSE = 3
"""Crossings are counted on every third piece of a curve."""
_ROOM, _CLEAR = 3.0, 7.0
_COST_BOX, _COST_CROSSING, _COST_BEND, _COST_EDGE = 30.0, 9.0, 32.0, 200.0
_MARGIN = 8.0
_ROUNDS = 2


def route(
    pairs: Sequence[tuple[str, str]], boxes: Mapping[str, Box], size: tuple[float, float]
) -> list[tuple[Point, ...]]:
    """Find a curve for each arrow.

    Parameters
    ----------
    pairs
        Names of the start and the end.
    boxes
        What stands in the drawing, by name; arrows begin and end at their edges.
    size
        Width and height of the drawing, which no arrow leaves.

    Returns
    -------
    list
        `CURVE_POINTS` points of each arrow, in the order of `pairs`.
    """
    if not pairs:
        return []
    choices = [_curves(boxes[start], boxes[end]) for start, end in pairs]
    own = np.array(
        [_own_cost(curves, pair, boxes, size) for curves, pair in zip(choices, pairs, strict=True)]
    )
    taken, numbers = own.argmin(axis=1), range(len(pairs))
    now = np.array([curves[best] for curves, best in zip(choices, taken, strict=True)])
    shortest_first = np.argsort([_length(curves[0]) for curves in choices], kind="stable")
    for _ in range(_ROUNDS):
        crossed = np.array([_crossings(now[[i]], np.delete(now, i, axis=0))[0] for i in numbers])
        for number in shortest_first[crossed[shortest_first] > 0.0]:
            others = np.delete(now, number, axis=0)
            cost = own[number] + _COST_CROSSING * _crossings(choices[number], others)
            now[number] = choices[number][int(cost.argmin())]
    return [tuple((float(x), float(y)) for x, y in curve) for curve in now]


def _curves(start: Box, end: Box) -> FloatArray:
    """All bends from box to box; shape (bends, points, 2)."""
    a, b = np.array([start.x, start.y]), np.array([end.x, end.y])
    across = np.array([a[1] - b[1], b[0] - a[0]])
    handles = (a + b) / 2.0 + 2.0 * _BENDS[:, None] * across
    t = np.linspace(0.0, 1.0, _FINE)[None, :, None]
    fine = (1 - t) ** 2 * a + 2 * t * (1 - t) * handles[:, None, :] + t**2 * b
    outside = ~(_inside(fine, start.grown(_ROOM)) | _inside(fine, end.grown(_ROOM)))
    first, last = outside.argmax(axis=1), _FINE - 1 - outside[:, ::-1].argmax(axis=1)
    apart = (outside.any(axis=1) & (last > first))[:, None]  # else the boxes touch
    first, last = (
        np.where(apart[:, 0], first, _FINE // 2 - 1),
        np.where(apart[:, 0], last, _FINE // 2),
    )
    along = np.linspace(0.0, 1.0, CURVE_POINTS)
    at = np.rint(first[:, None] + (last - first)[:, None] * along).astype(int)
    return np.asarray(np.take_along_axis(fine, at[:, :, None], axis=1))


def _inside(points: FloatArray, box: Box) -> npt.NDArray[np.bool_]:
    return np.asarray(
        (np.abs(points[..., 0] - box.x) < box.half_width)
        & (np.abs(points[..., 1] - box.y) < box.half_height)
    )


def _own_cost(
    curves: FloatArray,
    pair: tuple[str, str],
    boxes: Mapping[str, Box],
    size: tuple[float, float],
) -> FloatArray:
    """Cost of each bend by itself: points in boxes of others, and the bend."""
    others = [box.grown(_CLEAR) for name, box in boxes.items() if name not in pair]
    x, y = curves[..., 0], curves[..., 1]
    hits = np.zeros(len(curves))
    for box in others:
        inside = (np.abs(x - box.x) < box.half_width) & (np.abs(y - box.y) < box.half_height)
        hits += inside.sum(axis=1)
    beyond = ((curves < _MARGIN) | (curves > np.array(size) - _MARGIN)).any(axis=(1, 2))
    return np.asarray(_COST_BOX * hits + _COST_BEND * np.abs(_BENDS) + _COST_EDGE * beyond)


def _length(curve: FloatArray) -> float:
    return float(np.hypot(*(curve[-1] - curve[0])))


def _crossings(curves: FloatArray, others: FloatArray) -> FloatArray:
    """How often each curve crosses the others; shape (curves,)."""
    (px, py), (qx, qy) = _pieces(curves)
    (rx, ry), (sx, sy) = ((a.ravel(), b.ravel()) for a, b in _pieces(others))
    px, py, qx, qy = (a[..., None] for a in (px, py, qx, qy))
    # Two pieces cross if each parts the ends of the other.
    dx, dy, ex, ey = qx - px, qy - py, sx - rx, sy - ry
    parts = (dx * (ry - py) - dy * (rx - px)) * (dx * (sy - py) - dy * (sx - px)) < 0.0
    parted = (ex * (py - ry) - ey * (px - rx)) * (ex * (qy - ry) - ey * (qx - rx)) < 0.0
    return np.asarray((parts & parted).sum(axis=(1, 2)), dtype=float)


def _pieces(curves: FloatArray) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """(x, y) of the begins and of the ends of the pieces; each of shape (curves, pieces)."""
    coarse = curves[:, [*range(0, CURVE_POINTS - 1, _COARSE), CURVE_POINTS - 1]]
    x, y = coarse[..., 0], coarse[..., 1]
    return (x[:, :-1], y[:, :-1]), (x[:, 1:], y[:, 1:])
