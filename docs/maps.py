"""Draw the two maps of docs/maps.md from the declarations that the engine runs.

uv run python docs/maps.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from demand_model.system.causal_map import causal_map
from demand_model.system.drawing import (
    HEIGHT,
    LINE,
    WIDTH,
    Drawing,
    Label,
    Line,
    Mark,
    Sign,
    Words,
    text_box,
)
from demand_model.system.links import LINKS
from demand_model.system.stock_map import MAP_HEIGHT, stock_map

IMAGES = Path(__file__).resolve().parent / "images"
_BLUE, _GREY, _LINE_GREY, _PALE, _MAROON = "#12436D", "#3D3D3D", "#6B7682", "#5E7FA6", "#801650"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    colour: str
    width: float
    dash: str = ""
    fill: str = "none"


_PENS = {
    Line.STRUCTURE: _Pen(colour=_LINE_GREY, width=1.0),
    Line.STRUCTURE_HEAD: _Pen(colour=_LINE_GREY, width=1.5, fill=_LINE_GREY),
    Line.LINK_OFF: _Pen(colour=_PALE, width=1.75, dash="6 4"),
    Line.LINK_OFF_HEAD: _Pen(colour=_PALE, width=1.5, fill=_PALE),
    Line.LINK_ON: _Pen(colour=_BLUE, width=3.0),
    Line.LINK_ON_HEAD: _Pen(colour=_BLUE, width=2.0, fill=_BLUE),
    Line.STOCK: _Pen(colour=_BLUE, width=1.75, fill="#FFFFFF"),
    Line.PIPE: _Pen(colour="#7290B6", width=5.0),
    Line.PIPE_HEAD: _Pen(colour=_BLUE, width=1.5, fill=_BLUE),
    Line.CLOUD: _Pen(colour=_LINE_GREY, width=1.5, fill="#FFFFFF"),
}
_INKS = {
    Words.STOCK: (_BLUE, "bold", "normal"),
    Words.VARIABLE: (_GREY, "normal", "normal"),
    Words.NUMBER: (_GREY, "normal", "normal"),
    Words.LOOP: (_MAROON, "bold", "normal"),
}


def svg(drawing: Drawing, *, height: float, title: str, description: str) -> str:
    """Return a drawing as SVG with a title and a description for screen readers."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" '
            'role="img" aria-labelledby="title description" font-family="Arial, sans-serif" '
            'font-size="13.3" text-anchor="middle">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f'<rect width="{WIDTH:g}" height="{height:g}" fill="#FFFFFF"/>',
            *_strokes(drawing),
            *_signs(drawing.signs),
            *(part for label in drawing.labels for part in _words(label)),
            "</svg>",
            "",
        ]
    )


def _strokes(drawing: Drawing) -> Iterable[str]:
    for line in Line:
        pen = _PENS[line]
        dash = f' stroke-dasharray="{pen.dash}"' if pen.dash else ""
        for stroke in drawing.strokes:
            if stroke.line is line:
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in stroke.points)
                yield (
                    f"<polyline points={quoteattr(points)} fill={quoteattr(pen.fill)} "
                    f'stroke="{pen.colour}" stroke-width="{pen.width:g}"{dash}/>'
                )


def _signs(signs: Iterable[Sign]) -> Iterable[str]:
    for sign in signs:
        x, y = sign.at
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="#FFFFFF"/>'
        across = f"M{x - 4:.1f} {y:.1f}h8"
        up = f"M{x:.1f} {y - 4:.1f}v8" if sign.mark is Mark.PLUS else ""
        yield f'<path d="{across}{up}" stroke="#000000" stroke-width="2"/>'


def _words(label: Label) -> Iterable[str]:
    colour, weight, style = _INKS[label.words]
    x, y = label.at
    lines = label.text.split("\n")
    if label.words is not Words.STOCK:
        box = text_box(label.at, label.text, pad=1.0)
        yield (
            f'<rect x="{x - box.half_width:.1f}" y="{y - box.half_height:.1f}" '
            f'width="{2 * box.half_width:.1f}" height="{2 * box.half_height:.1f}" '
            'fill="#FFFFFF" fill-opacity="0.85"/>'
        )
    top = y - LINE * (len(lines) - 1) / 2.0 + 4.5
    for number, text in enumerate(lines):
        yield (
            f'<text x="{x:.1f}" y="{top + number * LINE:.1f}" fill="{colour}" '
            f'font-weight="{weight}" font-style="{style}">{escape(text)}</text>'
        )


def main() -> None:
    """Write both maps for the links that ship with the product."""
    IMAGES.mkdir(exist_ok=True)
    loops = svg(
        causal_map(LINKS).drawing,
        height=HEIGHT,
        title="Causal loop diagram",
        description="Which variable acts on which, with the sign of each arrow, and the sign "
        "and name of each loop. The loops stand in words in the table of docs/maps.md.",
    )
    (IMAGES / "map-loops.svg").write_text(loops, encoding="utf-8", newline="\n")
    stocks = svg(
        stock_map({}),
        height=MAP_HEIGHT,
        title="Stock-and-flow map",
        description="Children from referral through assessment, need, plans and care, and the "
        "workers beside them. The flows stand in words in docs/maps.md.",
    )
    (IMAGES / "map-stocks.svg").write_text(stocks, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
