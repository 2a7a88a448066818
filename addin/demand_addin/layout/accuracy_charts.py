"""The native charts of sheet Accuracy, bound to the blocks of sheet Accuracy data.

Axes do not begin at zero: a forecast's error and ordinary variation are small
beside the whole, and would not be seen. The captions say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart

from demand_addin.layout import accuracy as declared
from demand_addin.layout import chart_parts as parts
from demand_addin.layout.charts import ChartSpec
from demand_addin.layout.declare import Area
from demand_addin.layout.styles import BLUE, FONT, GREY, LILAC, MAROON, ORANGE, TEAL
from demand_model.results.forecast import MEASURE_NAMES

_EDGE = "#6E8DB3"
_TOLD = {"width": 396, "height": 224}
_PAST = {"width": 396, "height": 284}
_LIMITS_THIRD = {"width": 396, "height": 296}
_LIMITS_HALF = {"width": 596, "height": 296}
_BARS = {"width": 350, "height": 450}
_FLOW_ROWS = (("cp_starts", "cp_ends"), ("cla_starts", "cla_ends"))


def _told(prefix: str, row: int, size: dict[str, int], alt: str) -> tuple[ChartSpec, ...]:
    return tuple(
        ChartSpec(
            block=f"accuracy_{prefix}_{measure}",
            title=_titles(measure),
            alt_text=f"{_titles(measure)}: {alt} The figures are in the tables of this sheet.",
            cell=f"A{row}",
            x_offset=2 + 400 * i,
            **size,
        )
        for i, measure in enumerate(declared.HEADLINE_MEASURES)
    )


def _titles(measure: str) -> str:
    words = MEASURE_NAMES[measure]
    return words if measure.endswith("_open") else f"{words} in each month"


def _control_title(measure: str) -> str:
    words = MEASURE_NAMES[measure]
    return f"{words}: change in each month" if measure.endswith("_open") else _titles(measure)


def _control(measure: str, row: int, offset: int, size: dict[str, int]) -> ChartSpec:
    title = _control_title(measure)
    return ChartSpec(
        block=f"accuracy_control_{measure}",
        title=title,
        alt_text=f"{title} in the past: a line, its average, and the limits of ordinary variation "
        "above and below; months worth asking about are marked with a diamond. The figures are in "
        "table control of this sheet.",
        cell=f"A{row}",
        x_offset=offset,
        **size,
    )


ERRORS = ChartSpec(
    block="accuracy_errors",
    title="Average error, % of what happened",
    alt_text="Bars of the average error of this model, of no change, and of FORECAST.LINEAR, for "
    "each measure; the shorter, the better. The figures are in the table beside it.",
    cell=f"I{declared.SCORES_ROW + 1}",
    x_offset=6,
    **_BARS,
)

CHARTS: tuple[ChartSpec, ...] = (
    *_told(
        "told",
        declared.TOLD_ROW + 2,
        _TOLD,
        "what the model would have forecast from an earlier census date, as a dashed line between "
        "the ends of its range, and what happened, as a solid line.",
    ),
    ERRORS,
    *_told(
        "past",
        declared.PAST_ROW + 2,
        _PAST,
        "what an earlier run forecast, as a dashed line between the ends of its range, and what "
        "happened, as a solid line.",
    ),
    *(
        _control(measure, declared.LIMITS_ROW + 2, 2 + 400 * i, _LIMITS_THIRD)
        for i, measure in enumerate(declared.HEADLINE_MEASURES)
    ),
    *(
        _control(
            measure,
            declared.LIMITS_ROW + 2 + declared.CHART_ROWS * (1 + row),
            2 + 600 * i,
            _LIMITS_HALF,
        )
        for row, pair in enumerate(_FLOW_ROWS)
        for i, measure in enumerate(pair)
    ),
)


def draw(book: xlsxwriter.Workbook, spec: ChartSpec) -> Chart:
    """Make the chart that a declaration describes."""
    block = declared.block(spec.block)
    if spec is ERRORS:
        chart = _errors(book, block)
    elif spec.block.startswith("accuracy_control_"):
        is_counted = spec.block.removeprefix("accuracy_control_") in declared.COUNTED_TOO
        chart = _limits(book, block, is_counted=is_counted)
    else:
        apart = 1 if spec.block.startswith("accuracy_told_") else 3
        chart = _range(book, block, months_apart=apart)
    parts.dress(chart, title=spec.title, width=spec.width, height=spec.height)
    return chart


def _range(book: xlsxwriter.Workbook, block: Area, *, months_apart: int) -> Chart:
    """Draw a forecast between the ends of its range, and what happened.

    Lines, not bands: bands stand on the axis, which would have to begin at zero.
    """
    chart = parts.new_chart(book, {"type": "line"})
    edge = {"color": _EDGE, "width": 1.25}
    for column, line, marker in (
        (1, edge, None),
        (2, edge, None),
        (3, {"color": BLUE, "width": 2.25, "dash_type": "dash"}, None),
        (4, {"color": GREY, "width": 1.25, "dash_type": "round_dot"}, None),
        (5, {"color": MAROON, "width": 2.25}, _marker("circle", 5, MAROON)),
    ):
        chart.add_series(
            _series(block, column) | {"line": line, "marker": marker or {"type": "none"}}
        )
    _axes(chart, months_apart=months_apart)
    # Both ends of the range look alike: one place in the legend is enough.
    # Of older forecasts only some months are remembered: the line runs on between them.
    chart.show_blanks_as("span")
    chart.set_legend(parts.legend([1]))
    return chart


def _limits(book: xlsxwriter.Workbook, block: Area, *, is_counted: bool) -> Chart:
    """Draw a control chart: the months, their average, two limits, and the signals."""
    chart = parts.new_chart(book, {"type": "line"})
    none = {"type": "none"}
    limit = {"color": GREY, "width": 1.25, "dash_type": "dash"}
    drawn: Sequence[tuple[int, dict[str, Any], dict[str, Any]]] = (
        (4, limit, none),
        (5, limit, none),
        (3, {"color": GREY, "width": 1}, none),
        *(((1, {"color": TEAL, "width": 1, "dash_type": "round_dot"}, none),) * is_counted),
        (2, {"color": BLUE, "width": 2}, _marker("circle", 4, BLUE)),
        (6, {"none": True}, _marker("diamond", 10, MAROON)),
    )
    for column, line, marker in drawn:
        chart.add_series(_series(block, column) | {"line": line, "marker": marker})
    _axes(chart, months_apart=3)
    chart.set_legend(parts.legend([1]))
    return chart


def _errors(book: xlsxwriter.Workbook, block: Area) -> Chart:
    chart = parts.new_chart(book, {"type": "bar"})
    for column, colour in ((1, BLUE), (2, LILAC), (3, ORANGE)):
        chart.add_series(
            _series(block, column)
            | {"fill": {"color": colour}, "border": {"none": True}, "gap": 60, "overlap": 0}
        )
    # The y axis of a bar chart is the one of the categories: first on top, values below.
    chart.set_y_axis(
        {
            "reverse": True,
            "crossing": "max",
            "num_font": {"name": FONT, "size": parts.TEXT_SIZE, "color": GREY},
            "line": {"color": GREY},
            "major_tick_mark": "none",
            "major_gridlines": {"visible": False},
        }
    )
    chart.set_x_axis(parts.y_axis(is_from_zero=True, number_format="0%"))
    chart.set_legend(parts.legend())
    return chart


def _axes(chart: Chart, *, months_apart: int) -> None:
    chart.set_x_axis(parts.date_axis(months_apart=months_apart))
    chart.set_y_axis(parts.y_axis(is_from_zero=False))


def _series(block: Area, column: int) -> dict[str, Any]:
    return parts.series(declared.DATA_SHEET, block, column)


def _marker(kind: str, size: int, colour: str) -> dict[str, Any]:
    return {
        "type": kind,
        "size": size,
        "fill": {"color": colour},
        "border": {"color": colour},
    }
