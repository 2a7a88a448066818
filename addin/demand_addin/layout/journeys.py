"""Sheet Journeys: where children go from a referral, how long it takes, and the tables behind.

A flow picture is a stacked area chart: ribbons leave one block on the left and end
apart on the right, each as wide as its share of 100 children. The gaps between them
are areas without a fill; a line series without a line carries each ribbon's label.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from demand_addin.layout import chart_parts as parts
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec
from demand_addin.layout.styles import BLUE, FONT, GREY, ORANGE, RULE, TEAL, Formats

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.chart import Chart
    from xlsxwriter.worksheet import Worksheet

SHEET, DATA_SHEET = "Journeys", "Journeys data"
NO_RUN = "No journeys yet: see sheet Start."

FLOW_POINTS = 21
"""Points along a flow picture: enough for a smooth ribbon."""

_COLUMN_PIXELS = (130, 122, 158, 130, 48, *(70,) * 12, 260)
_CHART_COLUMNS = "AEM"
"""Columns that the three charts of a row begin in, 540 pixels apart."""

_WIDE, _FLOW_HIGH, _TIME_HIGH = 532, 292, 372
_ROW_PIXELS = 20
_SENTENCE_ROWS = 12
_FIRST_SENTENCE = 5
_FLOW_HEAD = _FIRST_SENTENCE + _SENTENCE_ROWS + 1
"""1-based row of the heading over the flow pictures; captions and charts follow."""
_FLOW_ROWS, _TIME_ROWS = 15, 19
_TIME_HEAD = _FLOW_HEAD + 2 + _FLOW_ROWS + 1
_NOTE_ROW = _TIME_HEAD + 2 + _TIME_ROWS + 1
_STAGE_TABLE_ROW = _NOTE_ROW + 7
_STAGE_ROOM = 60

_NOTES = (
    "How to read this sheet. Times and shares come from all children that the lists show, also "
    "those still waiting: each counts from the day the lists begin to show the child to the day "
    "it moves on, or the census date.",
    "Plain counting sees finished journeys only, which are the quick ones, or those begun when "
    "intake was different: it stands in columns plain, plain_p50 and plain_p90 for comparison.",
    "Small numbers: counts are rounded to the nearest 5; c is a figure that rests on fewer than 5 "
    "children, or from which one could be worked out; percentiles need 10 who left. Groups from "
    "which fewer left are not shown; outcomes are told apart from 20.",
    "This sheet stands in a workbook that holds children's rows: pass on its figures, not the "
    "workbook.",
)

_COLOURS = (BLUE, TEAL, ORANGE, "#6E8DB3", GREY)
_LAST_COLOUR = "#BFC7D1"
"""Of the lowest ribbon: who has not left yet, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPicture:
    """A flow picture and the block it is drawn from.

    Attributes
    ----------
    stage
        As in the engine's table of flows, column ``from``.
    ribbons
        Ribbons that the chart has room for.
    """

    key: str
    stage: str
    title: str
    ribbons: int
    alt_text: str

    @property
    def block_name(self) -> str:
        """The defined name of its block on sheet Journeys data."""
        return f"journey_flow_{self.key}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the block before the first run."""
        pairs = [f"{what} {i}" for i in range(1, self.ribbons + 1) for what in ("Gap", "Ribbon")]
        return ("point", *pairs, *(f"Label {i}" for i in range(1, self.ribbons + 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeChart:
    """A chart of times in a stage: bars to a quarter, half, three quarters and nine in ten."""

    key: str
    title: str
    bars: int
    alt_text: str

    @property
    def block_name(self) -> str:
        """The defined name of its block on sheet Journeys data."""
        return f"journey_time_{self.key}"


FLOW_PICTURES = (
    FlowPicture(
        key="referral",
        stage="Referral",
        title="From a referral",
        ribbons=5,
        alt_text="Flow picture: of 100 referrals, a ribbon for each thing that comes next (no "
        "further action, a child protection plan, care, another referral, none of these so far), "
        "as wide as its share. The figures are in table journey_flows below.",
    ),
    FlowPicture(
        key="plan",
        stage="Child protection plan",
        title="From a child protection plan",
        ribbons=4,
        alt_text="Flow picture: of 100 child protection plans, a ribbon for each end (care, no "
        "care, the 18th birthday), as wide as its share. The figures are in table journey_flows "
        "below.",
    ),
    FlowPicture(
        key="care",
        stage="Care",
        title="From care",
        ribbons=6,
        alt_text="Flow picture: of 100 children in care, a ribbon for each way of leaving (home, "
        "adoption, special guardianship or child arrangements order, other, 18th birthday), as "
        "wide as its share. The figures are in table journey_flows below.",
    ),
)
TIME_CHARTS = (
    TimeChart(
        key="referral",
        title="From a referral, in weeks",
        bars=11,
        alt_text="Bars: weeks from a referral to a plan, for everyone, for closed cases alone and "
        "by source of referral, and to care; from where a quarter have got there to nine in ten. "
        "The figures are in table journey_stages below.",
    ),
    TimeChart(
        key="plan",
        title="On a plan, in months",
        bars=13,
        alt_text="Bars: months on a child protection plan, for everyone, for closed plans alone, "
        "by age and by category of abuse; from where a quarter have ended to nine in ten. The "
        "figures are in table journey_stages below.",
    ),
    TimeChart(
        key="care",
        title="In care, in months",
        bars=13,
        alt_text="Bars: months in care, for everyone, for closed cases alone, by age at the start "
        "and by reason of leaving; from where a quarter have left to nine in ten. The figures are "
        "in table journey_stages below.",
    ),
)
TIME_COLUMNS = ("stage", "Quickest quarter", "To half", "To three quarters", "To nine in ten")
_TIME_COLOURS = (BLUE, "#6E8DB3", "#9DB1CB", "#CBD5E3")

TOP = Area(name="journeys_top", cell="A3")
SENTENCES = Area(name="journeys_sentences", cell=f"A{_FIRST_SENTENCE}", rows=_SENTENCE_ROWS)
CAPTIONS = tuple(
    Area(name=f"journeys_caption_{picture.key}", cell=f"{letter}{_FLOW_HEAD + 1}")
    for picture, letter in zip(FLOW_PICTURES, _CHART_COLUMNS, strict=True)
)


def _share(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, style=Style.SHARE_FINE)


def _time(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, style=Style.NUMBER)


def _ranged(column: Column) -> tuple[Column, ...]:
    """Return a column and its 80% range."""
    low = "Low end of the 80% range; blank if not known."
    high = "High end of the 80% range; blank if not known."
    return (
        column,
        replace(column, name=f"{column.name}_low", meaning=low),
        replace(column, name=f"{column.name}_high", meaning=high),
    )


_SEEN = Column(
    name="seen",
    meaning="Children or referrals in the window, rounded to the nearest 5; c: small number.",
    style=Style.WHOLE,
)

STAGES = TableSpec(
    name="journey_stages",
    first_row=_STAGE_TABLE_ROW,
    room=_STAGE_ROOM,
    columns=(
        Column(name="stage", meaning="What is timed."),
        Column(name="by", meaning="What the group is one of; blank for all."),
        Column(name="group", meaning="The group, or all."),
        Column(name="unit", meaning="Unit of the times in this row."),
        _SEEN,
        _time("p25", "Time by which a quarter have left."),
        *_ranged(_time("p50", "Time by which half have left.")),
        _time("p75", "Time by which three quarters have left."),
        *_ranged(_time("p90", "Time by which nine in ten have left.")),
        _time("plain_p50", "The middle of closed cases alone: for comparison, not for use."),
        _time("plain_p90", "Nine in ten of closed cases alone: for comparison, not for use."),
        Column(
            name="at_a_time",
            meaning="Children in this stage at a time, on average over the window; rounded to 5.",
            style=Style.WHOLE,
        ),
        _share(
            "held",
            "Share of all child-months on a plan or in care; a child in both counts twice.",
        ),
        Column(name="note", meaning="What the lists cannot show."),
    ),
)

FLOWS = TableSpec(
    name="journey_flows",
    first_row=_STAGE_TABLE_ROW + _STAGE_ROOM + 4,
    columns=(
        Column(name="from", meaning="The stage that children leave."),
        Column(name="by", meaning="What the group is one of; blank for all."),
        Column(name="group", meaning="The group, or all."),
        Column(name="to", meaning="What comes next, whichever is first."),
        _SEEN,
        _share("m3", "Share of those who began, within 3 months."),
        *_ranged(_share("m6", "Share of those who began, within 6 months.")),
        *_ranged(_share("m12", "Share of those who began, within 12 months.")),
        *_ranged(_share("end", "Share of those who leave, however late.")),
        _share("plain", "What plain counting gives: for comparison, not for use."),
        Column(name="note", meaning="What the lists cannot show."),
    ),
)

JOURNEYS_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.OUTPUT,
    title="Journeys: where children go, how long it takes, and where time is held",
    tables=(STAGES, FLOWS),
    areas=(TOP, SENTENCES, *CAPTIONS),
    is_protected=True,
)

_DATA_HEADING_ROW = 6


def _blocks() -> tuple[Area, ...]:
    """Lay the blocks side by side, one blank column between them."""
    sizes = [(p.block_name, FLOW_POINTS, len(p.columns)) for p in FLOW_PICTURES]
    sizes += [(c.block_name, c.bars, len(TIME_COLUMNS)) for c in TIME_CHARTS]
    areas, first = [], 1
    for name, rows, columns in sizes:
        cell = f"{column_letters(first)}{_DATA_HEADING_ROW}"
        areas.append(Area(name=name, cell=cell, rows=rows + 1, columns=columns))
        first += columns + 1
    return tuple(areas)


BLOCKS = _blocks()
_HEADINGS = {p.block_name: p.columns for p in FLOW_PICTURES} | {
    c.block_name: TIME_COLUMNS for c in TIME_CHARTS
}

JOURNEYS_DATA_SHEET = SheetSpec(
    name=DATA_SHEET,
    kind=Kind.HELPER,
    title="Journeys data: what the charts of sheet Journeys draw",
    purpose="Written by every run.",
    areas=BLOCKS,
    is_protected=True,
)


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings, the sentences' rows, six charts, notes and the tables' columns."""
    del spec
    for index, pixels in enumerate(_COLUMN_PIXELS):
        ws.set_column_pixels(index, index, pixels)
    ws.set_column(len(_COLUMN_PIXELS), len(_COLUMN_PIXELS) + 20, 12, formats.free)
    ws.write_string(TOP.cell, NO_RUN, formats.note)
    sentence = formats.get(font_size=11, valign="vcenter")
    for row in range(_FIRST_SENTENCE, _FIRST_SENTENCE + _SENTENCE_ROWS):
        ws.write_blank(row - 1, 0, None, sentence)
    heads = {
        _FLOW_HEAD: "Where children go",
        _TIME_HEAD: "How long it takes",
        _STAGE_TABLE_ROW - 1: "How long each stage takes, as a table",
        FLOWS.first_row - 1: "Where children go, as a table",
    }
    for row, text in heads.items():
        ws.write_string(row - 1, 0, text, formats.heading)
    for caption in CAPTIONS:
        ws.write_blank(caption.cell, None, formats.get(font_color=GREY))
    text = (
        "Each bar runs from the start of a stage to where nine in ten have left it; a part that "
        "is missing lies beyond what the lists show. Closed cases only is what plain counting "
        "would say."
    )
    small = formats.get(font_color=GREY)
    ws.write_string(_TIME_HEAD, 0, text, small)
    for row, note in enumerate(_NOTES, start=_NOTE_ROW):
        ws.write_string(row - 1, 0, note, small)
    _charts(ws, book)
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 0)
    ws.set_h_pagebreaks([_STAGE_TABLE_ROW - 2, FLOWS.first_row - 2])


def _charts(ws: Worksheet, book: xlsxwriter.Workbook) -> None:
    blocks = {block.name: block for block in BLOCKS}
    for first, rows in ((_FLOW_HEAD + 2, _FLOW_ROWS), (_TIME_HEAD + 2, _TIME_ROWS)):
        for row in range(first, first + rows):
            ws.set_row_pixels(row - 1, _ROW_PIXELS)
    for number, picture in enumerate(FLOW_PICTURES):
        chart = _flow_chart(book, blocks[picture.block_name], picture)
        _insert(ws, chart, _FLOW_HEAD + 2, number, picture.alt_text)
    for number, times in enumerate(TIME_CHARTS):
        chart = _time_chart(book, blocks[times.block_name], times.title)
        _insert(ws, chart, _TIME_HEAD + 2, number, times.alt_text)


def _insert(ws: Worksheet, chart: Chart, row: int, number: int, text: str) -> None:
    place = {
        "x_offset": 2,
        "y_offset": 3,
        "description": text,
        "object_position": 3,
    }
    ws.insert_chart(f"{_CHART_COLUMNS[number]}{row}", chart, place)


def _flow_chart(book: xlsxwriter.Workbook, block: Area, picture: FlowPicture) -> Chart:
    """Stack gaps without a fill and ribbons; label each ribbon at its end."""
    area = parts.new_chart(book, {"type": "area", "subtype": "stacked"})
    for ribbon in range(picture.ribbons):
        gap = {"fill": {"none": True}, "border": {"none": True}}
        area.add_series(parts.series(DATA_SHEET, block, 1 + 2 * ribbon) | gap)
        colour = _COLOURS[picture.ribbons - 1 - ribbon] if ribbon else _LAST_COLOUR
        fill = {"fill": {"color": colour}, "border": {"none": True}}
        area.add_series(parts.series(DATA_SHEET, block, 2 + 2 * ribbon) | fill)
    labels = parts.new_chart(book, {"type": "line"})
    for ribbon in range(picture.ribbons):
        label = {
            "series_name": True,
            "value": False,
            "position": "right",
            "font": {"name": FONT, "size": parts.TEXT_SIZE, "color": GREY},
        }
        labels.add_series(
            parts.series(DATA_SHEET, block, 1 + 2 * picture.ribbons + ribbon)
            | {"line": {"none": True}, "marker": {"type": "none"}, "data_labels": label}
        )
    area.combine(labels)
    area.set_x_axis(
        {
            "position_axis": "on_tick",
            "label_position": "none",
            "major_tick_mark": "none",
            "line": {"none": True},
        }
    )
    area.set_y_axis({"visible": False, "min": 0, "major_gridlines": {"visible": False}})
    area.set_legend({"none": True})
    parts.dress(area, title=picture.title, width=_WIDE, height=_FLOW_HIGH)
    area.set_plotarea({"layout": {"x": 0.03, "y": 0.14, "width": 0.50, "height": 0.82}})
    return area


def _time_chart(book: xlsxwriter.Workbook, block: Area, title: str) -> Chart:
    chart = parts.new_chart(book, {"type": "bar", "subtype": "stacked"})
    for column, colour in enumerate(_TIME_COLOURS, start=1):
        look = {"fill": {"color": colour}, "border": {"none": True}, "gap": 40}
        chart.add_series(parts.series(DATA_SHEET, block, column) | look)
    # The y axis of a bar chart is the one of the categories: first on top, values below.
    chart.set_y_axis(
        {
            "reverse": True,
            "crossing": "max",
            "num_font": {"name": FONT, "size": parts.TEXT_SIZE, "color": GREY},
            "line": {"color": RULE},
            "major_tick_mark": "none",
            "major_gridlines": {"visible": False},
        }
    )
    chart.set_x_axis(parts.y_axis(is_from_zero=True, number_format="0"))
    chart.set_legend(parts.legend())
    parts.dress(chart, title=title, width=_WIDE, height=_TIME_HIGH)
    return chart


def data(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw the headings and formats of the blocks that the charts are bound to."""
    del spec, book
    head = _DATA_HEADING_ROW - 1
    for block in BLOCKS:
        left = block.corner[1]
        ws.write_string(head - 1, left, block.name, formats.heading)
        ws.set_column(left, left, 12 if "flow" in block.name else 34)
        ws.set_column(left + 1, left + block.columns - 1, 12)
        ws.set_column(left + block.columns, left + block.columns, 3)
        for offset, text in enumerate(_HEADINGS[block.name]):
            ws.write_string(head, left + offset, text, formats.column_heading)
            style = formats.output(Style.NUMBER if offset else Style.TEXT)
            for row in range(head + 1, head + block.rows):
                ws.write_blank(row, left + offset, None, style)
    ws.freeze_panes(_DATA_HEADING_ROW, 0)
