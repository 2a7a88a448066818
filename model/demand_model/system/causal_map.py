"""The causal loop diagram: drawn from the same links that the simulator runs.

Shown are the variables of closed loops and those that a link names; a link that a
group adds brings its variables along. Loops carry a sign, R (reinforcing) or B
(balancing), one for each behaviour and kind.
"""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.system.drawing import (
    HEIGHT,
    WIDTH,
    Box,
    Drawing,
    Label,
    Line,
    Mark,
    Point,
    Sign,
    Stroke,
    Words,
    head,
    text_box,
)
from demand_model.system.links import CausalLink
from demand_model.system.loops import Arrow, FeedbackLoop, arrows, find_loops
from demand_model.system.map_places import PLACES, map_box, map_label
from demand_model.system.map_routes import route
from demand_model.system.variables import VARIABLES, Kind

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_LOOP_SIGNS = 24
"""More signs of loops would hide the arrows; further loops stand in the table alone."""

_SIGN_BACK, _SIGN_ASIDE = (17.0, 27.0), 10.0
_SIGN_ROOM, _NEAR_LINE, _NEAR_SIGN = 7.0, 9.0, 17.0
_DELAY_HALF, _DELAY_GAP = 6.0, 2.5
_STOCK_PAD = 6.0
_LETTERS_A_LINE = 22
_SEARCH_STEP, _SEARCH_REACH, _COVERED = 16.0, 8, 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSign:
    """A sign on the map.

    Attributes
    ----------
    key
        R1, B1, …
    loop
        The shortest loop of the behaviour and kind, at whose middle the sign stands.
    """

    key: str
    behaviour: str
    loop: FeedbackLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalMap:
    """A causal loop diagram and what it says in words.

    Attributes
    ----------
    arrows
        Those drawn, structure first.
    loops
        All closed loops, each with the key of its sign ("" where it runs through
        several behaviours), as `find_loops` gives them.
    lone
        Behaviours that close no loop.
    """

    drawing: Drawing
    variables: tuple[str, ...]
    arrows: tuple[Arrow, ...]
    signs: tuple[LoopSign, ...]
    loops: tuple[tuple[str, FeedbackLoop], ...]
    lone: tuple[str, ...]


def causal_map(links: Iterable[CausalLink]) -> CausalMap:
    """Draw links, sound ones only (`check_links`), over the stocks and flows."""
    links = tuple(links)
    everything, found = arrows(links), find_loops(links)
    variables = _shown(everything, found)
    drawn = tuple(a for a in everything if a.start in variables and a.end in variables)
    boxes = {name: map_box(name).grown(_frame(name)) for name in variables}
    pairs = list(dict.fromkeys((a.start, a.end) for a in drawn))
    curves = dict(zip(pairs, route(pairs, boxes, (WIDTH, HEIGHT)), strict=True))
    signs = _loop_signs(found)
    marks = _signs(drawn, curves, boxes.values())
    taken = [
        *(box.grown(2.0) for box in boxes.values()),
        *(Box(*mark.at, _SIGN_ROOM, _SIGN_ROOM) for mark in marks),
    ]
    keys = {(s.behaviour, s.loop.is_reinforcing): s.key for s in signs}
    return CausalMap(
        drawing=Drawing(
            strokes=(*_frames(variables), *(s for a in drawn for s in _strokes(a, curves))),
            signs=marks,
            labels=(*map(_label, variables), *_loop_labels(signs, taken, curves)),
        ),
        variables=variables,
        arrows=drawn,
        signs=signs,
        loops=tuple(
            (keys.get((_behaviour(loop), loop.is_reinforcing), ""), loop) for loop in found
        ),
        lone=_lone(everything, found),
    )


def behaviours(loop: FeedbackLoop) -> tuple[str, ...]:
    """Names of the behaviours that a loop runs through."""
    return tuple(dict.fromkeys(a.loop for a in loop.arrows if a.row is not None))


def _behaviour(loop: FeedbackLoop) -> str:
    names = behaviours(loop)
    return names[0] if len(names) == 1 else ""


def _shown(everything: Sequence[Arrow], found: Sequence[FeedbackLoop]) -> tuple[str, ...]:
    names = {name for loop in found for name in loop.members}
    names |= {name for a in everything if a.row is not None for name in (a.start, a.end)}
    return tuple(name for name in VARIABLES if name in names)


def _lone(everything: Sequence[Arrow], found: Sequence[FeedbackLoop]) -> tuple[str, ...]:
    closed = {name for loop in found for name in behaviours(loop)}
    named = dict.fromkeys(a.loop for a in everything if a.row is not None)
    return tuple(name for name in named if name not in closed)


def _frame(name: str) -> float:
    return _STOCK_PAD if VARIABLES[name].kind is Kind.STOCK else 0.0


def _frames(variables: Iterable[str]) -> list[Stroke]:
    """A box around each stock."""
    return [
        Stroke(line=Line.STOCK, points=map_box(name).grown(_STOCK_PAD).corners)
        for name in variables
        if VARIABLES[name].kind is Kind.STOCK
    ]


def _label(name: str) -> Label:
    words = Words.STOCK if VARIABLES[name].kind is Kind.STOCK else Words.VARIABLE
    return Label(key=name, words=words, at=PLACES[name], text=map_label(name))


# --- arrows --------------------------------------------------------------------------------------

_HEADS = {
    Line.STRUCTURE: Line.STRUCTURE_HEAD,
    Line.LINK_OFF: Line.LINK_OFF_HEAD,
    Line.LINK_ON: Line.LINK_ON_HEAD,
}


def _line(arrow: Arrow) -> Line:
    if arrow.row is None:
        return Line.STRUCTURE
    return Line.LINK_ON if arrow.is_on else Line.LINK_OFF


def _strokes(
    arrow: Arrow, curves: Mapping[tuple[str, str], tuple[Point, ...]]
) -> tuple[Stroke, ...]:
    """The curve, its head, and two bars across it where it acts with a delay."""
    curve, line = curves[arrow.start, arrow.end], _line(arrow)
    tip, before = curve[-1], curve[-3]
    strokes = [
        Stroke(line=line, points=curve),
        Stroke(line=_HEADS[line], points=head(tip, before)),
    ]
    if arrow.is_delayed:
        strokes += [Stroke(line=_HEADS[line], points=bar) for bar in _bars(curve)]
    return tuple(strokes)


def _direction(a: Point, b: Point) -> Point:
    length = math.dist(a, b) or 1.0
    return ((b[0] - a[0]) / length, (b[1] - a[1]) / length)


def _bars(curve: tuple[Point, ...]) -> list[tuple[Point, ...]]:
    """Two short bars across the middle."""
    middle = len(curve) // 2
    (ax, ay), (bx, by) = curve[middle - 1], curve[middle]
    ux, uy = _direction((ax, ay), (bx, by))
    x, y = (ax + bx) / 2.0, (ay + by) / 2.0
    return [
        (
            (x + along * ux - _DELAY_HALF * uy, y + along * uy + _DELAY_HALF * ux),
            (x + along * ux + _DELAY_HALF * uy, y + along * uy - _DELAY_HALF * ux),
        )
        for along in (-_DELAY_GAP, _DELAY_GAP)
    ]


def _signs(
    drawn: Sequence[Arrow],
    curves: Mapping[tuple[str, str], tuple[Point, ...]],
    boxes: Iterable[Box],
) -> tuple[Sign, ...]:
    """A plus or minus beside each head, on the side that is freer of labels, lines and signs."""
    if not drawn:
        return ()
    places = np.array([_sign_places(curves[a.start, a.end]) for a in drawn])
    apart = [_apart(places, box) for box in boxes]
    points = _all_points(curves)
    lines = np.hypot(*(places[:, :, None, :] - points).transpose(3, 0, 1, 2)).min(axis=2)
    room = np.minimum(np.min(apart, axis=0), _NEAR_LINE) + np.minimum(lines, _NEAR_LINE)
    room -= 0.05 * np.arange(places.shape[1])  # the first of equals
    found: list[Sign] = []
    for arrow, choice, free in zip(drawn, places, room, strict=True):
        signs = np.array([sign.at for sign in found]).reshape(-1, 2)
        to_sign = np.hypot(*(choice[:, None] - signs).T).min(axis=0, initial=_NEAR_SIGN)
        x, y = choice[int((free + to_sign).argmax())]
        mark = Mark.PLUS if arrow.sign > 0 else Mark.MINUS
        found.append(Sign(mark=mark, at=(float(x), float(y))))
    return tuple(found)


def _sign_places(curve: tuple[Point, ...]) -> list[Point]:
    """Where the sign of an arrow may stand: either side, close to the tip or further back."""
    tip = curve[-1]
    ux, uy = _direction(curve[-3], tip)
    return [
        (tip[0] - back * ux + side * uy, tip[1] - back * uy - side * ux)
        for back in _SIGN_BACK
        for side in (_SIGN_ASIDE, -_SIGN_ASIDE)
    ]


def _all_points(curves: Mapping[tuple[str, str], tuple[Point, ...]]) -> FloatArray:
    return np.array([point for curve in curves.values() for point in curve]).reshape(-1, 2)


def _apart(places: FloatArray, box: Box) -> FloatArray:
    """Distance of places from a box."""
    aside = np.abs(places - np.array((box.x, box.y))) - (box.half_width, box.half_height)
    return np.asarray(np.hypot(*np.maximum(aside, 0.0).transpose(2, 0, 1)))


# --- loops ---------------------------------------------------------------------------------------


def _loop_signs(found: Sequence[FeedbackLoop]) -> tuple[LoopSign, ...]:
    """One sign for each behaviour and kind of loop, at the shortest loop of it."""
    shortest: dict[tuple[str, bool], FeedbackLoop] = {}
    for loop in found:
        if _behaviour(loop):
            shortest.setdefault((_behaviour(loop), loop.is_reinforcing), loop)
    alone = {name for name, _ in shortest}
    for loop in found:  # a behaviour that closes loops only together with another
        for name in behaviours(loop):
            if name not in alone:
                shortest.setdefault((name, loop.is_reinforcing), loop)
    counts = {True: itertools.count(1), False: itertools.count(1)}
    chosen = list(shortest.items())[:MOST_LOOP_SIGNS]
    return tuple(
        LoopSign(
            key=f"{'R' if reinforces else 'B'}{next(counts[reinforces])}",
            behaviour=name,
            loop=loop,
        )
        for (name, reinforces), loop in chosen
    )


def _loop_labels(
    signs: Sequence[LoopSign],
    taken: list[Box],
    curves: Mapping[tuple[str, str], tuple[Point, ...]],
) -> list[Label]:
    """Each sign near the middle of its loop, where it hides least."""
    taken, points = list(taken), _all_points(curves)
    labels = []
    for sign in signs:
        text = _loop_text(sign)
        own = [p for a in sign.loop.arrows for p in curves[a.start, a.end]]
        middle = (
            sum(x for x, _ in own) / len(own),
            sum(y for _, y in own) / len(own),
        )
        at = _free_place(middle, text, taken, points)
        taken.append(text_box(at, text, is_bold=True))
        labels.append(Label(key=sign.key, words=Words.LOOP, at=at, text=text))
    return labels


def _loop_text(sign: LoopSign) -> str:
    name = textwrap.wrap(f"{sign.key} {sign.behaviour}", _LETTERS_A_LINE)
    return "\n".join(name) + ("" if sign.loop.is_on else " (off)")


def _free_place(middle: Point, text: str, taken: Sequence[Box], points: FloatArray) -> Point:
    """The nearest place to the middle where the words cover least."""
    box = text_box(middle, text, is_bold=True)
    half = np.array([box.half_width, box.half_height])
    steps = _SEARCH_STEP * np.arange(-_SEARCH_REACH, _SEARCH_REACH + 1)
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    places = np.array(middle) + offsets
    centres = np.array([(b.x, b.y) for b in taken])
    room = half + np.array([(b.half_width, b.half_height) for b in taken])
    covered, hidden = _within(places, points, half), _within(places, centres, room)
    beyond = ((places < half) | (places > np.array((WIDTH, HEIGHT)) - half)).any(axis=1)
    away = np.hypot(*offsets.T)
    best = int((away + _COVERED * covered + 1000.0 * hidden + 1e4 * beyond).argmin())
    return (float(places[best, 0]), float(places[best, 1]))


def _within(places: FloatArray, points: FloatArray, half: FloatArray) -> IntArray:
    """How many points lie within `half` (x, y) of each place; shape (places,)."""
    half = np.broadcast_to(half, points.shape)
    in_x = np.abs(places[:, :1] - points[:, 0]) < half[:, 0]
    in_y = np.abs(places[:, 1:] - points[:, 1]) < half[:, 1]
    return np.asarray((in_x & in_y).sum(axis=1))
