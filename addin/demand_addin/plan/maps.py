"""Sheet Maps: both drawings as blocks of points and labels, and both maps in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from demand_addin.layout import maps as declared
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_model.results.system_maps import MapNumber, SystemMaps
from demand_model.system.drawing import Drawing, Label, Line, Mark, Words
from demand_model.system.loops import Arrow, FeedbackLoop
from demand_model.system.stock_map import CASELOAD, FLOWS, STOCKS
from demand_model.system.variables import VARIABLES
from demand_model.units import counted

_DECIMALS = 1
_KINDS = {True: "Reinforcing", False: "Balancing"}


def maps_values(maps: SystemMaps) -> BookPlan:
    """Return everything that a run writes of sheets Maps and Maps data."""
    return BookPlan(
        tables=(_flows(maps), _arrows(maps), _loops(maps)),
        ranges=(
            RangeValues(name=declared.TOP.name, rows=((_top(maps.months),),)),
            RangeValues(
                name=declared.CAPTIONS[declared.STOCK_MAP.key].name, rows=((_STOCK_CAPTION,),)
            ),
            RangeValues(
                name=declared.CAPTIONS[declared.LOOP_MAP.key].name,
                rows=tuple((line,) for line in _loop_caption(maps)),
            ),
            *_drawing(declared.STOCK_MAP, maps.stocks),
            *_drawing(declared.LOOP_MAP, maps.causal.drawing),
        ),
    )


# --- drawings ------------------------------------------------------------------------------------


def _drawing(chart: declared.MapChart, drawing: Drawing) -> list[RangeValues]:
    ranges = [
        RangeValues(name=block.block_name, rows=_pieces(drawing, block.line, block.rows))
        for block in chart.lines
    ]
    if chart.has_signs:
        ranges.append(RangeValues(name=chart.signs_name, rows=_signs(drawing)))
    ranges.append(RangeValues(name=chart.labels_name, rows=_labels(chart, drawing.labels)))
    return ranges


def _pieces(drawing: Drawing, line: Line, room: int) -> tuple[tuple[CellValue, ...], ...]:
    """Points of all lines of a kind, each piece with a blank row after it."""
    rows: list[tuple[CellValue, ...]] = []
    for stroke in drawing.strokes:
        if stroke.line is line:
            if len(rows) + len(stroke.points) > room:
                break  # there are more links than sheet System has rows
            rows += [(round(x, _DECIMALS), round(y, _DECIMALS)) for x, y in stroke.points]
            rows.append((None, None))
    return tuple(rows[:room])


def _signs(drawing: Drawing) -> tuple[tuple[CellValue, ...], ...]:
    columns = [
        [tuple(round(v, _DECIMALS) for v in s.at) for s in drawing.signs if s.mark is mark]
        for mark in (Mark.PLUS, Mark.MINUS)
    ]
    none: tuple[CellValue, ...] = (None, None)
    depth = min(max(map(len, columns)), declared.SIGN_ROWS)
    return tuple(
        tuple(v for column in columns for v in (column[row] if row < len(column) else none))
        for row in range(depth)
    )


def _labels(chart: declared.MapChart, labels: Iterable[Label]) -> tuple[tuple[CellValue, ...], ...]:
    """One row a place: variables in theirs, signs of loops in their order."""
    labels = tuple(labels)
    by_key = {label.key: label for label in labels if label.words is not Words.LOOP}
    signs = iter(label for label in labels if label.words is Words.LOOP)
    rows: list[tuple[CellValue, ...]] = []
    for slot in chart.slots:
        label = next(signs, None) if slot.words is Words.LOOP else by_key.get(slot.key)
        if label is None:
            rows.append((slot.key, None, None, None))
        else:
            x, y = (round(v, _DECIMALS) for v in label.at)
            rows.append((slot.key, x, y, label.text))
    return tuple(rows)


# --- words ---------------------------------------------------------------------------------------

_STOCK_CAPTION = (
    "A child may be on more than one path: one who is assessed may also go on a plan. A plan "
    "goes on for a while when its child comes into care. 18th birthdays count as leaving care."
)


def _top(months: pd.PeriodIndex) -> str:
    first, last = (f"{month.strftime('%B %Y')}" for month in (months[0], months[-1]))
    span = f"{first} to {last}"
    scaled = "" if len(months) == 12 else ", scaled to a year"
    return (
        f"Stocks as at the census date; flows are the average forecast for {span}{scaled} if "
        "nothing changes. Ranges and sources stand in table map_flows below."
    )


def _loop_caption(maps: SystemMaps) -> tuple[str, str]:
    causal = maps.causal
    links = sum(arrow.row is not None for arrow in causal.arrows)
    on = sum(arrow.row is not None and arrow.is_on for arrow in causal.arrows)
    acting = sum(loop.is_on for _, loop in causal.loops)
    first = (
        f"{counted(links, 'link')} of sheet System over the stocks and flows "
        f"{'closes' if links == 1 else 'close'} {counted(len(causal.loops), 'loop')}. "
    )
    if on:
        are, close = ("is", "closes") if on == 1 else ("are", "close")
        first += f"{on} of the links {are} switched on and {close} {acting} of the loops."
    else:
        first += "All links are switched off: they show what a group thinks may happen."
    second = (
        "R: reinforcing, a push comes back the same way. B: balancing, it comes back the other "
        "way. Two bars across an arrow: a delay."
    )
    if causal.lone:
        second += f" No loop is closed by: {', '.join(causal.lone)}."
    return first, second


def _flows(maps: SystemMaps) -> TableValues:
    rows: list[tuple[CellValue, ...]] = []
    for stock in STOCKS:
        if stock.key in maps.numbers:
            number = maps.numbers[stock.key]
            rows.append(_flow_row("Stock", stock.label, number, stock.unit, ""))
    for flow in FLOWS:
        if flow.key in maps.numbers:
            number = maps.numbers[flow.key]
            way = f"{flow.start} → {flow.end}"
            rows.append(_flow_row("Flow", flow.label, number, flow.unit, way))
    for key, label, unit in (
        ("cases", "Cases held", "cases"),
        (CASELOAD, "Caseload", "cases per worker"),
        ("ideal_caseload", "Ideal caseload", "cases per worker"),
    ):
        if key in maps.numbers:
            rows.append(_flow_row("Today", label, maps.numbers[key], unit, ""))
    spec = declared.MAP_FLOWS
    return TableValues(name=spec.name, columns=spec.headings, rows=tuple(rows))


def _flow_row(
    kind: str, what: str, number: MapNumber, unit: str, way: str
) -> tuple[CellValue, ...]:
    span = None
    if number.low is not None and number.high is not None:
        span = f"{number.low:,.0f} to {number.high:,.0f}"
    value = round(number.value, _DECIMALS)
    return (kind, what, value, span, way or None, f"{unit}; {number.basis}")


def _arrows(maps: SystemMaps) -> TableValues:
    spec = declared.MAP_ARROWS
    rows = tuple(_arrow_row(arrow) for arrow in maps.causal.arrows[: spec.room])
    return TableValues(name=spec.name, columns=spec.headings, rows=rows)


def _arrow_row(arrow: Arrow) -> tuple[CellValue, ...]:
    on = "Always" if arrow.row is None else _yes(is_on=arrow.is_on)
    return (
        arrow.row,
        VARIABLES[arrow.start].label,
        "+ (more brings more)" if arrow.sign > 0 else "- (more brings less)",
        on,
        VARIABLES[arrow.end].label,
        f"{arrow.loop}, with a delay" if arrow.is_delayed else arrow.loop or None,
    )


def _loops(maps: SystemMaps) -> TableValues:
    spec = declared.LOOPS
    rows = tuple(_loop_row(key, loop) for key, loop in maps.causal.loops)
    return TableValues(name=spec.name, columns=spec.headings, rows=rows)


def _loop_row(key: str, loop: FeedbackLoop) -> tuple[CellValue, ...]:
    return (
        key or None,
        loop.name,
        _KINDS[loop.is_reinforcing],
        _yes(is_on=loop.is_on),
        loop.breaks or None,
        loop.path,
    )


def _yes(*, is_on: bool) -> str:
    return "Yes" if is_on else "No"


def labelled(rows: Sequence[Sequence[CellValue]]) -> dict[str, str]:
    """Words of a block of labels by key, of the places that are filled."""
    return {str(row[0]): str(row[3]) for row in rows if row[3] is not None}
