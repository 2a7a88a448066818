"""Draw the two maps of docs/maps.md, and write that page, from what the engine runs.

uv run python docs/maps.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from demand_model.system.causal_map import CausalMap, causal_map
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
from demand_model.system.stock_map import FLOWS, MAP_HEIGHT, stock_map

IMAGES = Path(__file__).resolve().parent / "images"
_BLUE, _GREY, _PALE, _MAROON = "#12436D", "#3D3D3D", "#6E8DB3", "#801650"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    colour: str
    width: float
    dash: str = ""
    fill: str = "none"


_PENS = {
    Line.STRUCTURE: _Pen(colour=_GREY, width=1.0),
    Line.STRUCTURE_HEAD: _Pen(colour=_GREY, width=1.5, fill=_GREY),
    Line.LINK_OFF: _Pen(colour=_PALE, width=1.75, dash="6 4"),
    Line.LINK_OFF_HEAD: _Pen(colour=_PALE, width=1.5, fill=_PALE),
    Line.LINK_ON: _Pen(colour=_BLUE, width=3.0),
    Line.LINK_ON_HEAD: _Pen(colour=_BLUE, width=2.0, fill=_BLUE),
    Line.STOCK: _Pen(colour=_BLUE, width=1.75, fill="#FFFFFF"),
    Line.PIPE: _Pen(colour="#7290B6", width=5.0),
    Line.PIPE_HEAD: _Pen(colour=_BLUE, width=1.5, fill=_BLUE),
    Line.CLOUD: _Pen(colour=_GREY, width=1.5, fill="#FFFFFF"),
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
        yield f'<path d="{across}{up}" stroke="{_GREY}" stroke-width="2"/>'


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


_PAGE = """# Maps

Both maps are drawn by `docs/maps.py` from the declarations that the simulator runs. In the
workbook, sheet Maps draws the same after every run, with its numbers and with your own links.

## Stocks and flows

![Stock-and-flow map: children from referral to leaving care, and workers](images/map-stocks.svg)

A box is a stock: how many there are today. An arrow is a flow: how many move in a year. A circle
is the world outside the map. A child may be on more than one path.

| flow | from | to | unit |
|---|---|---|---|
{flows}

## Causal loops

![Causal loop diagram: arrows with signs, loops marked R and B](images/map-loops.svg)

A plus at an arrow's head: more brings more, all else equal; a minus: more brings less. Two bars: it
acts with a delay. Links of sheet System are dashed while they are off, as all are at first, and
thick while they are on. R marks a reinforcing loop (a push comes back the same way), B a balancing
one. Each sign stands at the shortest loop of its behaviour.

| sign | behaviour | kind | a rise comes round like this | what breaks it |
|---|---|---|---|---|
{loops}

All {count} loops stand in table `loops` of sheet Maps.
"""


def page(found: CausalMap) -> str:
    """Return docs/maps.md."""
    flows = [f"| {f.label} | {f.start} | {f.end} | {f.unit} |" for f in FLOWS]
    loops = [
        f"| {s.key} | {s.behaviour} | {s.loop.kind} | {s.loop.path} | {s.loop.breaks} |"
        for s in found.signs
    ]
    return _PAGE.format(flows="\n".join(flows), loops="\n".join(loops), count=len(found.loops))


def files() -> dict[Path, str]:
    """Return what `main` writes, for the links that ship with the product."""
    found = causal_map(LINKS)
    return {
        IMAGES / "map-loops.svg": svg(
            found.drawing,
            height=HEIGHT,
            title="Causal loop diagram",
            description="Which variable acts on which, with the sign of each arrow, and the sign "
            "and name of each loop. The loops stand in words in docs/maps.md.",
        ),
        IMAGES / "map-stocks.svg": svg(
            stock_map({}),
            height=MAP_HEIGHT,
            title="Stock-and-flow map",
            description="Children from referral through assessment, need, plans and care, and the "
            "workers beside them. The flows stand in words in docs/maps.md.",
        ),
        IMAGES.parent / "maps.md": page(found),
    }


def main() -> None:
    """Write both maps and their page."""
    IMAGES.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
