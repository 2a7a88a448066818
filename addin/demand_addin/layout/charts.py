"""The native charts of the Dashboard: built once, bound to the blocks of sheet Chart data.

Axes begin at zero, so that a change does not look larger than it is; only the
comparison of scenarios lets Excel choose, and its caption says so. The past is
solid, the forecast dashed; lines differ in dash as well as in colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart

from demand_addin.layout import chart_data as blocks
from demand_addin.layout import chart_parts as parts
from demand_addin.layout.declare import Area
from demand_addin.layout.styles import BLUE, FONT, GREY, LILAC, MAROON, ORANGE, TEAL

SHEET = "Chart data"
_BANDS = ("#CBD5E3", "#9DB1CB", "#7290B6", "#9DB1CB", "#CBD5E3")
_DASHES = ("dash", "long_dash", "dash_dot", "square_dot")
_LINES = (BLUE, TEAL, MAROON, ORANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSpec:
    """A chart and where it stands on the Dashboard.

    Attributes
    ----------
    title
        Says what is counted.
    alt_text
        For readers who cannot see it.
    cell, x_offset, width, height
        Anchor and size; pixels.
    """

    block: str
    title: str
    alt_text: str
    cell: str
    x_offset: int
    width: int
    height: int


_FAN_SIZE = {"width": 408, "height": 354}
_THIRD = {"width": 408, "height": 302}
_THIRD_STEP = 411
_LEFT, _RIGHT = {"width": 636, "height": 228}, {"width": 596, "height": 228}
_RIGHT_OFFSET = 642
_TITLES = {
    "referrals": "Referrals in each month",
    "cp_open": "Children on a protection plan",
    "cla_open": "Children in care",
}

CHARTS: tuple[ChartSpec, ...] = (
    *(
        ChartSpec(
            block=f"chart_fan_{measure}",
            title=title,
            alt_text=f"{title}: the past as a solid line, the average forecast as a dashed line, "
            "and shaded ranges that widen with time. The figures are in the table above and on "
            "sheet Forecast.",
            cell="A19",
            x_offset=2 + _THIRD_STEP * i,
            **_FAN_SIZE,
        )
        for i, (measure, title) in enumerate(_TITLES.items())
    ),
    *(
        ChartSpec(
            block=f"chart_compare_{measure}",
            title=title,
            alt_text=f"{title} under up to four scenarios: the past as a solid line, then a "
            "dashed line a scenario. The figures are on sheet Forecast.",
            cell="A43",
            x_offset=2 + _THIRD_STEP * i,
            **_THIRD,
        )
        for i, (measure, title) in enumerate(_TITLES.items())
    ),
    ChartSpec(
        block="chart_hidden_need",
        title="Referrals not made because of the lockdown, so far",
        alt_text="Referrals that a lockdown suppressed, added up to each month's end, split into "
        "those that came back, those that will not come back, and those still hidden.",
        cell="A56",
        x_offset=2,
        **_LEFT,
    ),
    ChartSpec(
        block="chart_placement",
        title="Children in care by placement",
        alt_text="Children in care in the three largest placement groups and in all others: the "
        "past as solid lines, the average forecast as dashed lines.",
        cell="A56",
        x_offset=_RIGHT_OFFSET,
        **_RIGHT,
    ),
    *(
        ChartSpec(
            block=f"chart_flows_{measure}",
            title=title,
            alt_text=f"{title}: the past as solid lines, the average forecast as dashed lines. "
            "Where starts exceed ends the number open grows.",
            cell="A69",
            x_offset=_RIGHT_OFFSET if i else 2,
            **(_RIGHT if i else _LEFT),
        )
        for i, (measure, title) in enumerate(
            (("cp", "Protection plans: starts and ends"), ("cla", "Care: starts and ends"))
        )
    ),
)


def draw(book: xlsxwriter.Workbook, spec: ChartSpec) -> Chart:
    """Make the chart that a declaration describes."""
    block = next(b for b in blocks.BLOCKS if b.name == spec.block)
    if spec.block.startswith("chart_fan_"):
        chart = _fan(book, block)
    elif spec.block.startswith("chart_compare_"):
        chart = _compare(book, block)
    elif spec.block == "chart_hidden_need":
        chart = _hidden_need(book, block)
    elif spec.block == "chart_placement":
        # The lists tell where children live now, seldom where they lived: name the forecast.
        chart = _pairs(book, block, blocks.PLACEMENT_LINES, named=1)
    else:
        chart = _pairs(book, block, 2, named=0)
    _dress(chart, spec)
    return chart


def _fan(book: xlsxwriter.Workbook, block: Area) -> Chart:
    """Draw a stack of bands on an invisible base, with three lines over it."""
    chart = parts.new_chart(book, {"type": "area", "subtype": "stacked"})
    for column in range(1, 7):
        colour = None if column == 1 else _BANDS[column - 2]
        fill = {"none": True} if colour is None else {"color": colour}
        chart.add_series(_series(block, column) | {"fill": fill, "border": {"none": True}})
    lines = parts.new_chart(book, {"type": "line"})
    last = blocks.CHART_ROWS - 1
    label = {
        "value": True,
        "position": "above",
        "num_format": "#,##0",
        "font": {"name": FONT, "size": 10, "bold": True, "color": BLUE},
        "custom": [{"delete": True}] * last,
    }
    for column, line, labels in (
        (7, {"color": BLUE, "width": 2.25, "dash_type": "dash"}, label),
        (8, {"color": GREY, "width": 1, "dash_type": "round_dot"}, None),
        (9, {"color": BLUE, "width": 2.25}, None),
    ):
        options: dict[str, Any] = {"line": line, "marker": {"type": "none"}}
        if labels:
            options["data_labels"] = labels
        lines.add_series(_series(block, column) | options)
    chart.combine(lines)
    # The base, and the lower halves of the bands, need no second place in the legend.
    chart.set_legend(parts.legend([0, 1, 2]))
    return chart


def _compare(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "line"})
    for i in range(4):
        line = {"color": _LINES[i], "width": 2, "dash_type": _DASHES[i]}
        chart.add_series(_series(block, i + 2) | {"line": line, "marker": {"type": "none"}})
    line = {"color": GREY, "width": 2.25}
    chart.add_series(_series(block, 1) | {"line": line, "marker": {"type": "none"}})
    chart.set_legend(parts.legend([4]))
    # Scenarios differ by less than the whole: here the axis need not begin at zero.
    chart.set_y_axis(parts.y_axis(is_from_zero=False))
    return chart


def _hidden_need(book: xlsxwriter.Workbook, block: Area) -> Chart:
    """Draw the three parts as a stack; their sum is what was not made."""
    chart = parts.new_chart(book, {"type": "area", "subtype": "stacked"})
    stripes = {"pattern": "dark_upward_diagonal", "fg_color": LILAC, "bg_color": "#FFFFFF"}
    for column, how in (
        (2, {"fill": {"color": TEAL}}),
        (3, {"fill": {"color": BLUE}}),
        (4, {"pattern": stripes}),
    ):
        chart.add_series(_series(block, column) | {**how, "border": {"none": True}})
    lines = parts.new_chart(book, {"type": "line"})
    line = {"color": GREY, "width": 2, "dash_type": "dash"}
    lines.add_series(_series(block, 1) | {"line": line, "marker": {"type": "none"}})
    chart.combine(lines)
    chart.set_legend(parts.legend([]))
    return chart


def _pairs(book: xlsxwriter.Workbook, block: Area, count: int, *, named: int) -> Chart:
    """Draw each measure twice: solid for the past, dashed for the forecast.

    The legend names the first set (`named` 0, the past) or the second (1, the forecast).
    """
    chart = parts.new_chart(book, {"type": "line"})
    for i in range(count):
        line = {"color": _LINES[i], "width": 2.25}
        chart.add_series(_series(block, i + 1) | {"line": line, "marker": _marker(i)})
    for i in range(count):
        line = {"color": _LINES[i], "width": 2, "dash_type": _DASHES[i]}
        chart.add_series(_series(block, count + i + 1) | {"line": line, "marker": {"type": "none"}})
    unnamed = (1 - named) * count
    chart.set_legend(parts.legend(range(unnamed, unnamed + count)))
    return chart


def _marker(number: int) -> dict[str, Any]:
    """Tell solid lines apart without colour: the first has no marks."""
    if not number:
        return {"type": "none"}
    colour = _LINES[number]
    kind = ("none", "circle", "diamond", "square")[number]
    return {"type": kind, "size": 5, "fill": {"color": colour}, "border": {"color": colour}}


def _series(block: Area, column: int) -> dict[str, Any]:
    return parts.series(SHEET, block, column)


def _dress(chart: Chart, spec: ChartSpec) -> None:
    is_narrow = spec.width < _RIGHT["width"]
    chart.set_x_axis(parts.date_axis(months_apart=6 if is_narrow else 3))
    if not spec.block.startswith("chart_compare_"):
        chart.set_y_axis(parts.y_axis(is_from_zero=True))
    parts.dress(chart, title=spec.title, width=spec.width, height=spec.height)
