"""A drawing as data: lines, marks and labels, which a chart, an SVG or a sheet shows alike.

Units are pixels of the drawing; x runs to the right, y down from the top. Text is
reckoned at the widths of Arial, 10 points: what draws it shall use that size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

Point = tuple[float, float]

WIDTH, HEIGHT = 1220.0, 740.0
"""Of a map: a landscape page of A4 or A3."""

LETTER, LINE, _BOLD = 6.3, 15.0, 1.08
"""Average width of a letter and height of a line at 10 points."""

HEAD_LENGTH, _HEAD_HALF_WIDTH = 11.0, 4.5


class Line(StrEnum):
    """What a line means; a drawing gives each its own width, dash and colour."""

    STRUCTURE = "structure"
    LINK_OFF = "link off"
    LINK_ON = "link on"
    STRUCTURE_HEAD = "structure, head"
    LINK_OFF_HEAD = "link off, head"
    LINK_ON_HEAD = "link on, head"
    STOCK = "stock"
    PIPE = "pipe"
    PIPE_HEAD = "pipe, head"
    CLOUD = "outside"


class Mark(StrEnum):
    """A sign that stands at a point."""

    PLUS = "plus"
    MINUS = "minus"


class Words(StrEnum):
    """What a label says."""

    STOCK = "stock"
    VARIABLE = "variable"
    NUMBER = "number"
    LOOP = "loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line through points."""

    line: Line
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A mark at a point."""

    mark: Mark
    at: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Words around a point.

    Attributes
    ----------
    key
        Stable name of what is labelled: a chart keeps a place for it.
    text
        Lines, parted by line breaks.
    """

    key: str
    words: Words
    at: Point
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture."""

    strokes: tuple[Stroke, ...]
    signs: tuple[Sign, ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a centre."""

    x: float
    y: float
    half_width: float
    half_height: float

    def grown(self, by: float) -> Box:
        """The same, larger on every side."""
        return Box(self.x, self.y, self.half_width + by, self.half_height + by)

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return (
            abs(self.x - other.x) < self.half_width + other.half_width
            and abs(self.y - other.y) < self.half_height + other.half_height
        )

    @property
    def corners(self) -> tuple[Point, ...]:
        """Its outline, closed."""
        left, right = self.x - self.half_width, self.x + self.half_width
        top, bottom = self.y - self.half_height, self.y + self.half_height
        return ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))


def text_box(at: Point, text: str, *, pad: float = 4.0, is_bold: bool = False) -> Box:
    """Room that a label takes.

    >>> text_box((100.0, 50.0), "Caseload").half_height
    11.5
    """
    lines = text.split("\n")
    longest = max(len(line) for line in lines)
    letter = LETTER * _BOLD if is_bold else LETTER
    return Box(at[0], at[1], longest * letter / 2.0 + pad, len(lines) * LINE / 2.0 + pad)


def head(
    tip: Point, before: Point, *, scale: float = 1.0, rays: tuple[float, ...] = (0.0,)
) -> tuple[Point, ...]:
    """Outline of an arrowhead at `tip`, for an arrow that comes from `before`.

    Parameters
    ----------
    rays
        Lines from the tip to the base that fill the triangle, from -1 to 1 across it.
    """
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    length = math.hypot(dx, dy) or 1.0
    ux, uy = dx / length, dy / length
    back = (tip[0] - ux * HEAD_LENGTH * scale, tip[1] - uy * HEAD_LENGTH * scale)
    wide = _HEAD_HALF_WIDTH * scale

    def base(across: float) -> Point:
        return (back[0] - uy * wide * across, back[1] + ux * wide * across)

    filling = [point for ray in rays for point in (tip, base(ray))]
    return (tip, base(1.0), base(-1.0), *filling)
