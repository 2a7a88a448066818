"""Sheet What changed: two sets of waterfalls, and the table behind them.

A waterfall is a stacked column chart whose lowest part is invisible. Its columns
stand on a base line that the run chooses (changes are small beside the whole), so
the chart shows no axis: each column's label holds the number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demand_addin.layout import chart_data
from demand_addin.layout import chart_parts as parts
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec
from demand_addin.layout.styles import BLUE, FONT, GREY, ORANGE, RULE, TEAL, Formats

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.chart import Chart
    from xlsxwriter.worksheet import Worksheet

MEASURES = ("cla_open", "cp_open", "referrals")
MEASURE_WORDS = {
    "cla_open": "Children in care",
    "cp_open": "Children on a protection plan",
    "referrals": "Referrals in the month",
}
SETS = ("since", "between")
"""Since the last forecast; between two scenarios."""

BARS = {
    "since": {"cla_open": 10, "cp_open": 10, "referrals": 5},
    "between": {"cla_open": 7, "cp_open": 7, "referrals": 4},
}
"""Columns of each waterfall: before, the drivers that can move the measure, after."""

FIRST_RUN = "Run again next month, and this sheet says why the forecast changed."
FIRST_ON_DASHBOARD = (
    "What changed: this is the workbook's first forecast; from the next on, this line says why it "
    "moved."
)
WHEN_NEXT = "When they change, a run says here why the forecast moved."
NOTHING_YET = {"since": "No earlier forecast yet", "between": "Choose two scenarios"}
SAME_FORECAST = "The forecast is that of the last run"
"""Label of a chart that has nothing to show."""

NO_RUN = "No forecast yet: see sheet Start."
_AXIS_NOTE = (
    "Blue columns are the two forecasts; between them, orange is what a change adds (+) and green "
    "what it takes away (−). Columns do not begin at zero."
)
_SHEET = "What changed"
_DATA_SHEET = "Chart data"
_WIDE, _HIGH = 1360, 226
_CHART_ROWS, _ROW_HEIGHT = 9, 26
_SENTENCE_ROWS = {"since": 4, "between": 6}
_HEADS = {"since": "Since the last forecast", "between": "Between two scenarios"}
_HEAD_ROW = {"since": 5, "between": 41}
"""1-based rows: heading, note, sentences, then three charts."""
_TABLE_ROW = 79

WATERFALL_COLUMNS = ("Column", "below", "Forecast", "More", "Fewer")


def _chart_row(which: str, number: int) -> int:
    return _HEAD_ROW[which] + 3 + _SENTENCE_ROWS[which] + number * _CHART_ROWS


NOTES = {which: Area(name=f"changed_{which}", cell=f"A{_HEAD_ROW[which] + 1}") for which in SETS}
SENTENCES = {
    which: Area(
        name=f"changed_{which}_sentences",
        cell=f"A{_HEAD_ROW[which] + 2}",
        rows=_SENTENCE_ROWS[which],
    )
    for which in SETS
}
TOP = Area(name="changed_top", cell="A3")
DASHBOARD_LINE = Area(name="dash_changed", cell="A11")
"""The first sentence again, below the Dashboard's headlines."""

WHAT_CHANGED = TableSpec(
    name="what_changed",
    first_row=_TABLE_ROW,
    columns=(
        Column(name="from", meaning="The earlier forecast, or the first scenario.", width=30),
        Column(name="to", meaning="This forecast, or the second scenario.", width=30),
        Column(name="measure", meaning="As on sheet Forecast.", width=10),
        Column(name="month_end", meaning="The month compared.", style=Style.DATE, width=12),
        Column(name="driver", meaning="What changed; or one of the two forecasts.", width=30),
        Column(
            name="change",
            meaning="What it adds or takes; blank for the forecasts themselves.",
            style=Style.GENERAL,
            width=9,
        ),
        Column(
            name="running",
            meaning="The forecast with the changes so far; the last is the new forecast.",
            style=Style.GENERAL,
            width=9,
        ),
        Column(name="note", meaning="What the change rests on.", width=62),
    ),
)

WHAT_CHANGED_SHEET = SheetSpec(
    name=_SHEET,
    kind=Kind.OUTPUT,
    title="What changed: why this forecast is not the last one",
    tables=(WHAT_CHANGED,),
    areas=(TOP, *NOTES.values(), *SENTENCES.values()),
    is_protected=True,
)


def _blocks() -> tuple[Area, ...]:
    """Lay the blocks side by side, to the right of all else on sheet Chart data."""
    names = chart_data.SCENARIO_NAMES.cell.rstrip("0123456789")
    first = 2
    for power, letter in enumerate(reversed(names)):
        first += (ord(letter) - 64) * 26**power
    areas = []
    for which in SETS:
        for measure in MEASURES:
            cell = f"{column_letters(first)}{chart_data.HEADING_ROW}"
            name = f"chart_changed_{which}_{measure}"
            width = len(WATERFALL_COLUMNS)
            rows = BARS[which][measure] + 1
            areas.append(Area(name=name, cell=cell, rows=rows, columns=width))
            first += width + 1
    return tuple(areas)


BLOCKS = _blocks()


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw headings, sentences' rows, six charts and the table's columns."""
    del spec
    for index, column in enumerate(WHAT_CHANGED.columns):
        ws.set_column(index, index, column.width, formats.output(column.style))
    last = len(WHAT_CHANGED.columns)
    ws.set_column(last, last + 20, 12, formats.free)
    ws.write_string(TOP.cell, NO_RUN, formats.get(bold=True, font_size=11))
    small = formats.get(font_color=GREY)
    sentence = formats.get(font_size=11, valign="vcenter")
    for which in SETS:
        head = _HEAD_ROW[which]
        ws.write_string(head - 1, 0, _HEADS[which], formats.heading)
        ws.write_string(head, 0, NO_RUN, formats.get(font_color=GREY))
        for row in range(head + 1, head + 1 + _SENTENCE_ROWS[which]):
            ws.write_blank(row, 0, None, sentence)
        ws.write_string(head + 1 + _SENTENCE_ROWS[which], 0, _AXIS_NOTE, small)
        for number, measure in enumerate(MEASURES):
            row = _chart_row(which, number)
            for below in range(_CHART_ROWS):
                ws.set_row_pixels(row - 1 + below, _ROW_HEIGHT)
            _insert(ws, book, which, measure, row)
    ws.write_string(_TABLE_ROW - 2, 0, "The same as a table", formats.heading)
    ws.set_h_pagebreaks([_HEAD_ROW["between"] - 1, _TABLE_ROW - 2])


def _insert(ws: Worksheet, book: xlsxwriter.Workbook, which: str, measure: str, row: int) -> None:
    words = MEASURE_WORDS[measure]
    kinds = {
        "since": "from the last forecast to this one",
        "between": "from the first compared scenario to the second",
    }
    text = (
        f"{words}, {kinds[which]}: a column for each of the two forecasts, and between them a "
        "column for what each change adds or takes. The figures are in the table below."
    )
    block = next(b for b in BLOCKS if b.name == f"chart_changed_{which}_{measure}")
    place = {"x_offset": 2, "y_offset": 3, "description": text, "object_position": 3}
    ws.insert_chart(f"A{row}", _waterfall(book, block, words), place)


def _waterfall(book: xlsxwriter.Workbook, block: Area, title: str) -> Chart:
    """Stack an invisible base, the two forecasts, and what is added or taken."""
    chart = parts.new_chart(book, {"type": "column", "subtype": "stacked"})
    for column, colour in ((1, None), (2, BLUE), (3, ORANGE), (4, TEAL)):
        fill = {"none": True} if colour is None else {"color": colour}
        options = {
            "fill": fill,
            "border": {"none": True},
            "gap": 35,
        }
        chart.add_series(parts.series(_DATA_SHEET, block, column) | options)
    chart.set_x_axis(
        {
            "num_font": {"name": FONT, "size": 10, "color": GREY},
            "line": {"color": RULE},
            "major_tick_mark": "none",
            "label_position": "low",
        }
    )
    chart.set_y_axis({"visible": False, "min": 0, "major_gridlines": {"visible": False}})
    chart.set_legend({"none": True})
    parts.dress(chart, title=title, width=_WIDE, height=_HIGH)
    return chart


def draw_blocks(ws: Worksheet, formats: Formats) -> None:
    """Draw the headings and formats of the blocks on sheet Chart data."""
    head = chart_data.HEADING_ROW
    for block in BLOCKS:
        letters = block.cell.rstrip("0123456789")
        ws.write_string(f"{letters}{head - 1}", block.name, formats.heading)
        first = 0
        for letter in letters:
            first = first * 26 + ord(letter) - 64
        ws.set_column(first - 1, first - 1, 28)
        ws.set_column(first, first + block.columns - 2, 11)
        for offset, text in enumerate(WATERFALL_COLUMNS):
            ws.write_string(head - 1, first - 1 + offset, text, formats.column_heading)
            style = formats.output(Style.NUMBER if offset else Style.TEXT)
            for row in range(head, head + block.rows - 1):
                ws.write_blank(row, first - 1 + offset, None, style)
