"""Sheet Maps: a stock-and-flow map and a causal loop diagram, as charts of points and lines.

A run writes values only, so a map is an XY chart made with the template: each kind of
line is one series whose pieces are parted by blank rows; each label has a series of
its own, whose name (a cell) is the words. What is not shown is blank. The places on
sheet Maps data are fixed by the engine's declaration of variables, stocks and flows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demand_addin.layout import chart_parts as parts
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec
from demand_addin.layout.styles import BLUE, FONT, GREY, MAROON, Formats
from demand_addin.layout.system import SYSTEM_LINKS
from demand_model.system.causal_map import MOST_LOOP_SIGNS
from demand_model.system.drawing import HEIGHT, LETTER, WIDTH, Line, Mark, Words
from demand_model.system.links import LINKS
from demand_model.system.loops import STRUCTURE, find_loops
from demand_model.system.map_routes import CURVE_POINTS
from demand_model.system.stock_map import CASELOAD, FLOWS, MAP_HEIGHT, STOCKS
from demand_model.system.variables import VARIABLES
from demand_model.system.variables import Kind as VariableKind

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.chart import Chart
    from xlsxwriter.worksheet import Worksheet

SHEET, DATA_SHEET = "Maps", "Maps data"
NO_RUN = "No maps yet: see sheet Start."

MOST_LINKS = SYSTEM_LINKS.room
"""Causal links that the charts have room for: as many as sheet System has."""

_PALE, _PIPE = "#6E8DB3", "#7290B6"
_LEFT, _TOP, _BELOW = 10, 42, 42
_ROW_PIXELS = 20
_STOCK_ROWS, _LOOP_ROWS = 35, 42
_STOCK_HEAD = 6
"""1-based row of the heading of the first map; a caption and the chart follow."""
_LOOP_HEAD = _STOCK_HEAD + 2 + _STOCK_ROWS + 1
_TABLE_HEAD = _LOOP_HEAD + 3 + _LOOP_ROWS + 1
_LINE_POINTS = 13.5
_COLUMN_PIXELS = (70, 240, 140, 125, 245, 430)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBlock:
    """The points of one kind of line, pieces parted by blank rows.

    Attributes
    ----------
    name
        Of the series; the legend shows it where `is_named`.
    """

    map_key: str
    line: Line
    name: str
    rows: int
    is_named: bool = False

    @property
    def block_name(self) -> str:
        """The defined name of its block."""
        return f"map_{self.map_key}_{self.line.value.replace(', ', '_').replace(' ', '_')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSlot:
    """A place for a label."""

    key: str
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class MapChart:
    """One map: the blocks it is drawn from, in the order of drawing."""

    key: str
    title: str
    height: float
    lines: tuple[LineBlock, ...]
    slots: tuple[LabelSlot, ...]
    alt_text: str
    has_signs: bool = False

    @property
    def labels_name(self) -> str:
        """The defined name of the block of labels: key, x, y, words."""
        return f"map_{self.key}_labels"

    @property
    def signs_name(self) -> str:
        """The defined name of the block of signs: x and y of plus, x and y of minus."""
        return f"map_{self.key}_signs"


_PIECE, _HEAD_PIECE, _BAR_PIECE = CURVE_POINTS + 1, 6, 3
_PIPE_HEAD_PIECE = 10
_BOX_PIECE, _PIPE_PIECE, _CLOUD_PIECE = 6, 5, 18
_LINK_HEADS = MOST_LINKS * (_HEAD_PIECE + 2 * _BAR_PIECE)


def _lines(key: str, *of: tuple[Line, str, int, bool]) -> tuple[LineBlock, ...]:
    return tuple(
        LineBlock(map_key=key, line=line, name=name, rows=rows, is_named=named)
        for line, name, rows, named in of
    )


_STOCK_VARIABLES = sum(v.kind is VariableKind.STOCK for v in VARIABLES.values())
STOCK_MAP = MapChart(
    key="stocks",
    title="Stocks and flows: where children are, and how many move in a year",
    height=MAP_HEIGHT,
    lines=_lines(
        "stocks",
        (Line.PIPE, "Arrow: how many move in a year", len(FLOWS) * _PIPE_PIECE, True),
        (Line.CLOUD, "Circle: outside this map", len(FLOWS) * _CLOUD_PIECE, True),
        (Line.STOCK, "Box: how many there are today", len(STOCKS) * _BOX_PIECE, True),
        (Line.PIPE_HEAD, "Head of an arrow", len(FLOWS) * _PIPE_HEAD_PIECE, False),
    ),
    slots=(
        *(LabelSlot(key=stock.key, words=Words.STOCK) for stock in STOCKS),
        *(LabelSlot(key=flow.key, words=Words.NUMBER) for flow in FLOWS),
        LabelSlot(key=CASELOAD, words=Words.VARIABLE),
    ),
    alt_text="Stock-and-flow map: referrals are closed without action or taken up; from there "
    "open assessments, children in need, protection plans and care, with the number in each "
    "today and the number who move along each arrow in a year; workers and their caseload "
    "beside them. Every number stands in table map_flows below.",
)
LOOP_MAP = MapChart(
    key="loops",
    title="Causal loops: what acts on what, and what comes back",
    height=HEIGHT,
    lines=_lines(
        "loops",
        (Line.STRUCTURE, "How stocks and flows hang together",
         len(STRUCTURE) * _PIECE, True),
        (Line.LINK_OFF, "Link of sheet System, switched off", MOST_LINKS * _PIECE, True),
        (Line.LINK_ON, "Link of sheet System, switched on", MOST_LINKS * _PIECE, True),
        (Line.STRUCTURE_HEAD, "Head of an arrow", len(STRUCTURE) * _HEAD_PIECE, False),
        (Line.LINK_OFF_HEAD, "Head of a link that is off; bars: a delay", _LINK_HEADS, False),
        (Line.LINK_ON_HEAD, "Head of a link that is on; bars: a delay", _LINK_HEADS, False),
        (Line.STOCK, "Box: a stock", _STOCK_VARIABLES * _BOX_PIECE, True),
    ),
    slots=(
        *(
            LabelSlot(
                key=name,
                words=Words.STOCK if one.kind is VariableKind.STOCK else Words.VARIABLE,
            )
            for name, one in VARIABLES.items()
        ),
        *(LabelSlot(key=f"loop {i}", words=Words.LOOP) for i in range(1, MOST_LOOP_SIGNS + 1)),
    ),
    alt_text="Causal loop diagram: arrows between referrals, stocks of children, workers, "
    "caseload and places, each with a plus (more brings more) or a minus (more brings less); "
    "links of sheet System are dashed while off and thick while on; R marks a reinforcing loop, "
    "B a balancing one. Arrows stand in words in table map_arrows, loops in table loops below.",
    has_signs=True,
)  # fmt: skip
MAPS = (STOCK_MAP, LOOP_MAP)
SIGN_ROWS = len(STRUCTURE) + MOST_LINKS
SIGN_NAMES: Mapping[Mark, str] = {
    Mark.PLUS: "More brings more",
    Mark.MINUS: "More brings less",
}

TOP = Area(name="maps_top", cell="A3")
CAPTIONS = {
    STOCK_MAP.key: Area(name="maps_caption_stocks", cell=f"A{_STOCK_HEAD + 1}"),
    LOOP_MAP.key: Area(name="maps_caption_loops", cell=f"A{_LOOP_HEAD + 1}", rows=2),
}


def _column(name: str, meaning: str, style: Style = Style.TEXT, *, wrapped: bool = False) -> Column:
    return Column(name=name, meaning=meaning, style=style, is_wrapped=wrapped)


_FLOW_ROOM = len(STOCKS) + len(FLOWS) + 3
MAP_FLOWS = TableSpec(
    name="map_flows",
    first_row=_TABLE_HEAD + 1,
    room=_FLOW_ROOM,
    columns=(
        _column("kind", "Stock and today: how many today. Flow: how many in a year."),
        _column("what", "The words on the map."),
        _column("number", "The number on the map.", Style.NUMBER),
        _column("range", "80% range of a forecast: it holds the truth 8 times in 10."),
        _column("from_to", "Where a flow comes from and goes to."),
        _column("unit_and_source", "Unit of the number, and where it comes from."),
    ),
)
MAP_ARROWS = TableSpec(
    name="map_arrows",
    first_row=MAP_FLOWS.first_row + _FLOW_ROOM + 4,
    room=len(STRUCTURE) + MOST_LINKS,
    columns=(
        _column("row", "Row of table system_links; blank for stocks and flows.", Style.WHOLE),
        _column("from", "What acts."),
        _column("sign", "+ more brings more; - more brings less; all else equal."),
        _column("on", "Yes: it works. No: the link rests. Always: stocks and flows themselves."),
        _column("to", "What it acts on."),
        _column(
            "behaviour",
            "Name of the behaviour, and whether it acts with a delay (two bars across the arrow); "
            "blank for stocks and flows.",
        ),
    ),
)
LOOPS = TableSpec(
    name="loops",
    first_row=MAP_ARROWS.first_row + len(STRUCTURE) + MOST_LINKS + 4,
    columns=(
        _column("sign", "The sign on the map; blank where a loop runs through several behaviours."),
        _column("loop", "Name of the behaviour, or of those that it runs through.", wrapped=True),
        _column("kind", "Reinforcing: a push comes back the same way. Balancing: against it."),
        _column("on", "Yes: all its links are switched on."),
        _column("what_breaks_it", "What breaks the loop.", wrapped=True),
        _column("members", "Variables in order; the arrows show what a rise of the first brings.",
                wrapped=True),
    ),
)  # fmt: skip

MAPS_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.OUTPUT,
    title="Maps: how the system hangs together",
    tables=(MAP_FLOWS, MAP_ARROWS, LOOPS),
    areas=(TOP, *CAPTIONS.values()),
    is_protected=True,
)

_DATA_HEADING_ROW = 6
LABEL_COLUMNS = ("key", "x", "y", "words")
_SIGN_COLUMNS = ("plus x", SIGN_NAMES[Mark.PLUS], "minus x", SIGN_NAMES[Mark.MINUS])


def _declared() -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Name, headings and rows of each block."""
    for chart in MAPS:
        for block in chart.lines:
            yield block.block_name, ("x", block.name), block.rows
        if chart.has_signs:
            yield chart.signs_name, _SIGN_COLUMNS, SIGN_ROWS
        yield chart.labels_name, LABEL_COLUMNS, len(chart.slots)


_HEADINGS = {name: headings for name, headings, _ in _declared()}


def _blocks() -> tuple[Area, ...]:
    """Lay the blocks side by side, one blank column between them; headings stand above."""
    areas, first = [], 1
    for name, headings, rows in _declared():
        cell = f"{column_letters(first)}{_DATA_HEADING_ROW + 1}"
        areas.append(Area(name=name, cell=cell, rows=rows, columns=len(headings)))
        first += len(headings) + 1
    return tuple(areas)


BLOCKS = _blocks()
MAPS_DATA_SHEET = SheetSpec(
    name=DATA_SHEET,
    kind=Kind.HELPER,
    title="Maps data: what the charts of sheet Maps draw",
    purpose="Written by every run: points of lines, a blank row between pieces, and labels.",
    areas=BLOCKS,
    is_protected=True,
)


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings, captions, both charts and the tables' columns."""
    del spec
    for index, pixels in enumerate(_COLUMN_PIXELS):
        ws.set_column_pixels(index, index, pixels)
    ws.set_column(len(_COLUMN_PIXELS), len(_COLUMN_PIXELS) + 20, 12, formats.free)
    ws.write_string(TOP.cell, NO_RUN, formats.note)
    heads = {
        _STOCK_HEAD: "Stock-and-flow map",
        _LOOP_HEAD: "Causal loop diagram",
        MAP_FLOWS.first_row - 1: "The stock-and-flow map in words",
        MAP_ARROWS.first_row - 1: "Arrows of the causal loop diagram in words",
        LOOPS.first_row - 1: "Closed loops, shortest first",
    }
    for row, text in heads.items():
        ws.write_string(row - 1, 0, text, formats.heading)
    for caption in CAPTIONS.values():
        row, column = caption.corner
        for offset in range(caption.rows):
            ws.write_blank(row + offset, column, None, formats.note)
    blocks = {block.name: block for block in BLOCKS}
    for chart, row, rows in (
        (STOCK_MAP, _STOCK_HEAD + 2, _STOCK_ROWS),
        (LOOP_MAP, _LOOP_HEAD + 3, _LOOP_ROWS),
    ):
        for one in range(row, row + rows):
            ws.set_row_pixels(one - 1, _ROW_PIXELS)
        place = {
            "x_offset": 2,
            "y_offset": 3,
            "description": chart.alt_text,
            "object_position": 3,
        }
        ws.insert_chart(row - 1, 0, _drawn(book, chart, blocks), place)
    _wrap_loops(ws, formats)
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 0)
    ws.set_h_pagebreaks([_LOOP_HEAD - 1, _TABLE_HEAD - 1, LOOPS.first_row - 2])


def _wrap_loops(ws: Worksheet, formats: Formats) -> None:
    """Let long texts take several lines, in rows as high as the shipped loops need.

    A group's own links bring further loops, in order of length: rows then are higher
    than need be, and those below are fitted by Excel.
    """
    wrapped = {
        index: _COLUMN_PIXELS[index] / LETTER
        for index, column in enumerate(LOOPS.columns)
        if column.is_wrapped
    }
    style = formats.get(text_wrap=True, indent=1, align="left")
    for index in wrapped:
        ws.write_blank(LOOPS.first_row, index, None, style)
    for row, loop in enumerate(find_loops(LINKS), start=LOOPS.first_row):
        texts = (loop.name, loop.breaks, loop.path)
        lines = max(
            math.ceil(len(text) / letters)
            for text, letters in zip(texts, wrapped.values(), strict=True)
        )
        ws.set_row(row, _LINE_POINTS * lines)


# --- charts --------------------------------------------------------------------------------------

_PENS: Mapping[Line, dict[str, object]] = {
    Line.STRUCTURE: {"color": GREY, "width": 1.0},
    Line.STRUCTURE_HEAD: {"color": GREY, "width": 2.0},
    Line.LINK_OFF: {"color": _PALE, "width": 1.75, "dash_type": "dash"},
    Line.LINK_OFF_HEAD: {"color": _PALE, "width": 2.0},
    Line.LINK_ON: {"color": BLUE, "width": 3.0},
    Line.LINK_ON_HEAD: {"color": BLUE, "width": 2.5},
    Line.STOCK: {"color": BLUE, "width": 1.75},
    Line.PIPE: {"color": _PIPE, "width": 5.0},
    Line.PIPE_HEAD: {"color": BLUE, "width": 2.5},
    Line.CLOUD: {"color": GREY, "width": 1.5},
}
_INKS: Mapping[Words, dict[str, object]] = {
    Words.STOCK: {"color": BLUE, "bold": True},
    Words.VARIABLE: {"color": GREY},
    Words.NUMBER: {"color": GREY},
    Words.LOOP: {"color": MAROON, "bold": True},
}
_SIGN_MARKERS = {Mark.PLUS: "plus", Mark.MINUS: "long_dash"}
_SIGN_SIZE = 7


def _drawn(book: xlsxwriter.Workbook, spec: MapChart, blocks: Mapping[str, Area]) -> Chart:
    chart = parts.new_chart(book, {"type": "scatter", "subtype": "straight"})
    unnamed: list[int] = []
    for number, (series, is_named) in enumerate(_all_series(spec, blocks)):
        chart.add_series(series)
        if not is_named:
            unnamed.append(number)
    for axis, most in ((chart.set_x_axis, WIDTH), (chart.set_y_axis, spec.height)):
        axis(
            {
                "min": 0,
                "max": most,
                "visible": False,
                "major_gridlines": {"visible": False},
                "reverse": axis == chart.set_y_axis,  # rows of the drawing run down
            }
        )
    width, height = WIDTH + 2 * _LEFT, _TOP + spec.height + _BELOW
    parts.dress(chart, title=spec.title, width=int(width), height=int(height))
    layout = {
        "x": _LEFT / width,
        "y": _TOP / height,
        "width": WIDTH / width,
        "height": spec.height / height,
    }
    chart.set_plotarea({"layout": layout})
    chart.set_legend(parts.legend(unnamed))
    chart.show_blanks_as("gap")
    return chart


def _all_series(
    spec: MapChart, blocks: Mapping[str, Area]
) -> Iterator[tuple[dict[str, object], bool]]:
    """Lines, then signs, then labels; and whether the legend names each."""
    no_marker = {"marker": {"type": "none"}}
    for line in spec.lines:
        look = {"line": _PENS[line.line], **no_marker}
        yield _bound(blocks[line.block_name], 0, 1) | look, line.is_named
    if spec.has_signs:
        signs = blocks[spec.signs_name]
        for number, kind in enumerate(_SIGN_MARKERS.values()):
            black = _marker(kind, _SIGN_SIZE, GREY)
            yield _bound(signs, 2 * number, 2 * number + 1) | black, True
    labels = blocks[spec.labels_name]
    top, left = labels.corner
    for row, slot in enumerate(spec.slots, start=top):
        yield (
            {
                "name": [DATA_SHEET, row, left + 3],
                "categories": [DATA_SHEET, row, left + 1, row, left + 1],
                "values": [DATA_SHEET, row, left + 2, row, left + 2],
                "line": {"none": True},
                "data_labels": _label(slot.words),
                **no_marker,
            },
            False,
        )


def _bound(block: Area, x: int, y: int) -> dict[str, object]:
    top, left = block.corner
    bottom = top + block.rows - 1
    return {
        "name": [DATA_SHEET, top - 1, left + y],
        "categories": [DATA_SHEET, top, left + x, bottom, left + x],
        "values": [DATA_SHEET, top, left + y, bottom, left + y],
    }


def _marker(kind: str, size: int, colour: str) -> dict[str, object]:
    look = {"type": kind, "size": size, "fill": {"color": colour}, "border": {"color": colour}}
    return {"line": {"none": True}, "marker": look}


def _label(words: Words) -> dict[str, object]:
    """Words in the middle of their point; on white, so that no line runs through them."""
    label: dict[str, object] = {
        "series_name": True,
        "value": False,
        "position": "center",
        "font": {"name": FONT, "size": parts.TEXT_SIZE, **_INKS[words]},
    }
    return label if words is Words.STOCK else label | {"fill": {"color": "#FFFFFF"}}


def data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the headings of the blocks that the charts are bound to."""
    del spec, book
    head = _DATA_HEADING_ROW - 1
    for block in BLOCKS:
        left = block.corner[1]
        ws.write_string(head - 1, left, block.name, formats.heading)
        for offset, text in enumerate(_HEADINGS[block.name]):
            ws.write_string(head, left + offset, text, formats.column_heading)
            ws.set_column(left + offset, left + offset, 40 if text == "words" else 12)
        ws.set_column(left + block.columns, left + block.columns, 3)
    ws.freeze_panes(_DATA_HEADING_ROW, 0)
