"""The stock-and-flow map: children from referral to leaving care, and workers beside them.

Stocks are boxes, flows are pipes, a circle is the world outside. Declared here once;
the numbers come from a run (`demand_model.results.system_maps`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from demand_model.system.drawing import (
    HEAD_LENGTH,
    Box,
    Drawing,
    Label,
    Line,
    Point,
    Stroke,
    Words,
    head,
)

OUTSIDE = "outside"
_WHOLE_FROM = 10.0
_CLOUD, _CLOUD_POINTS = 13.0, 16
_STOCK_HALF_WIDTH, _STOCK_HALF_HEIGHT = 92.0, 29.0
_HEAD_SCALE = 1.7
_HEAD_RAYS = (-0.5, 0.0, 0.5)
_HEAD_BACK = 1.1 * HEAD_LENGTH * _HEAD_SCALE
"""A pipe ends just before its head: what draws it may round its end off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapStock:
    """A box.

    Attributes
    ----------
    unit
        Of its number, in plain words.
    needs_workforce
        It has a number only where the workforce is given.
    """

    key: str
    label: str
    unit: str
    at: Point
    needs_workforce: bool = False

    @property
    def box(self) -> Box:
        """Its frame."""
        return Box(*self.at, _STOCK_HALF_WIDTH, _STOCK_HALF_HEIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFlow:
    """A pipe.

    Attributes
    ----------
    start, end
        Where it comes from and goes to, in words.
    path
        From its source to its head; where it comes from or goes outside, a circle
        stands at the end.
    label_at
        Middle of its words.
    """

    key: str
    label: str
    start: str
    end: str
    path: tuple[Point, ...]
    label_at: Point
    unit: str = "children a year"
    from_outside: bool = False
    to_outside: bool = False
    needs_workforce: bool = False


MAP_HEIGHT = 590.0
_ROW_1, _ROW_2, _ROW_3 = 140.0, 325.0, 500.0
_DOOR = 205.0
"""Where referrals part."""

STOCKS: tuple[MapStock, ...] = (
    MapStock(key="assessments_open", label="Open assessments", unit="children", at=(480.0, _ROW_1)),
    MapStock(key="cin_open", label="Children in need", unit="children", at=(815.0, _ROW_1)),
    MapStock(key="cp_open", label="On protection plans", unit="children", at=(480.0, _ROW_2)),
    MapStock(key="cla_open", label="Children in care", unit="children", at=(480.0, _ROW_3)),
    MapStock(
        key="workers",
        label="Workers on cases",
        unit="workers (FTE)",
        at=(1060.0, 380.0),
        needs_workforce=True,
    ),
)

FLOWS: tuple[MapFlow, ...] = (
    MapFlow(
        key="referrals",
        label="Referrals",
        start=OUTSIDE,
        end="the front door",
        path=((40.0, _ROW_1), (_DOOR, _ROW_1)),
        label_at=(115.0, _ROW_1 - 28.0),
        from_outside=True,
    ),
    MapFlow(
        key="nfa_closed",
        label="Closed without action",
        start="Referrals",
        end=OUTSIDE,
        path=((_DOOR, _ROW_1), (_DOOR, 42.0)),
        label_at=(_DOOR + 85.0, 70.0),
        to_outside=True,
    ),
    MapFlow(
        key="assessments_started",
        label="Taken up",
        start="Referrals",
        end="Open assessments",
        path=((_DOOR, _ROW_1), (480.0 - _STOCK_HALF_WIDTH, _ROW_1)),
        label_at=(300.0, _ROW_1 - 28.0),
    ),
    MapFlow(
        key="assessments_closed",
        label="End without need",
        start="Open assessments",
        end=OUTSIDE,
        path=((480.0, _ROW_1 - _STOCK_HALF_HEIGHT), (480.0, 42.0)),
        label_at=(480.0 + 80.0, 70.0),
        to_outside=True,
    ),
    MapFlow(
        key="assessments_to_need",
        label="Become in need",
        start="Open assessments",
        end="Children in need",
        path=((480.0 + _STOCK_HALF_WIDTH, _ROW_1), (815.0 - _STOCK_HALF_WIDTH, _ROW_1)),
        label_at=(645.0, _ROW_1 - 28.0),
    ),
    MapFlow(
        key="cin_closed",
        label="No longer in need",
        start="Children in need",
        end=OUTSIDE,
        path=((815.0 + _STOCK_HALF_WIDTH, _ROW_1), (1100.0, _ROW_1)),
        label_at=(995.0, _ROW_1 - 28.0),
        to_outside=True,
    ),
    MapFlow(
        key="plans_from_referrals",
        label="Plans after a referral",
        start="Referrals",
        end="On protection plans",
        path=(
            (_DOOR + 18.0, _ROW_1),
            (_DOOR + 18.0, _ROW_2),
            (480.0 - _STOCK_HALF_WIDTH, _ROW_2),
        ),
        label_at=(305.0, _ROW_2 - 28.0),
    ),
    MapFlow(
        key="plans_other",
        label="Other plans",
        start=OUTSIDE,
        end="On protection plans",
        path=((480.0, 222.0), (480.0, _ROW_2 - _STOCK_HALF_HEIGHT)),
        label_at=(545.0, 245.0),
        from_outside=True,
    ),
    MapFlow(
        key="cp_ends",
        label="Plans end",
        start="On protection plans",
        end=OUTSIDE,
        path=((480.0 + _STOCK_HALF_WIDTH, _ROW_2), (795.0, _ROW_2)),
        label_at=(670.0, _ROW_2 - 28.0),
        to_outside=True,
    ),
    MapFlow(
        key="care_from_referrals",
        label="Care after a referral",
        start="Referrals",
        end="Children in care",
        path=((_DOOR, _ROW_1), (_DOOR, _ROW_3), (480.0 - _STOCK_HALF_WIDTH, _ROW_3)),
        label_at=(295.0, _ROW_3 - 28.0),
    ),
    MapFlow(
        key="care_from_plans",
        label="Care from a plan",
        start="On protection plans",
        end="Children in care",
        path=((480.0, _ROW_2 + _STOCK_HALF_HEIGHT), (480.0, _ROW_3 - _STOCK_HALF_HEIGHT)),
        label_at=(565.0, (_ROW_2 + _ROW_3) / 2.0),
    ),
    MapFlow(
        key="care_other",
        label="Other care, unaccompanied included",
        start=OUTSIDE,
        end="Children in care",
        path=((480.0, 573.0), (480.0, _ROW_3 + _STOCK_HALF_HEIGHT)),
        label_at=(610.0, 560.0),
        from_outside=True,
    ),
    MapFlow(
        key="cla_ends",
        label="Leave care",
        start="Children in care",
        end=OUTSIDE,
        path=((480.0 + _STOCK_HALF_WIDTH, _ROW_3), (795.0, _ROW_3)),
        label_at=(670.0, _ROW_3 - 28.0),
        to_outside=True,
    ),
    MapFlow(
        key="starters",
        label="Recruited",
        start=OUTSIDE,
        end="Workers on cases",
        unit="workers (FTE) a year",
        path=((1060.0, 270.0), (1060.0, 380.0 - _STOCK_HALF_HEIGHT)),
        label_at=(1115.0, 300.0),
        from_outside=True,
        needs_workforce=True,
    ),
    MapFlow(
        key="leavers",
        label="Leave",
        start="Workers on cases",
        end=OUTSIDE,
        unit="workers (FTE) a year",
        path=((1060.0, 380.0 + _STOCK_HALF_HEIGHT), (1060.0, 482.0)),
        label_at=(1110.0, 440.0),
        to_outside=True,
        needs_workforce=True,
    ),
)

CASELOAD = "caseload"
_CASELOAD_AT = (1060.0, 545.0)


def stock_map(numbers: Mapping[str, float]) -> Drawing:
    """Draw the map.

    Parameters
    ----------
    numbers
        By key of `STOCKS` (today), `FLOWS` (a year), and ``cases``, ``caseload``,
        ``ideal_caseload``; what is missing is drawn without a number, and without
        ``workers`` the workers are left out once there are any numbers.
    """
    has_workers = not numbers or "workers" in numbers
    stocks = [s for s in STOCKS if has_workers or not s.needs_workforce]
    flows = [f for f in FLOWS if has_workers or not f.needs_workforce]
    labels = [_stock_label(s, numbers) for s in stocks] + [_flow_label(f, numbers) for f in flows]
    if has_workers:
        labels.append(_caseload_label(numbers))
    return Drawing(
        strokes=(
            *(stroke for flow in flows for stroke in _pipe(flow)),
            *(Stroke(line=Line.STOCK, points=stock.box.corners) for stock in stocks),
        ),
        signs=(),
        labels=tuple(labels),
    )


def _pipe(flow: MapFlow) -> list[Stroke]:
    """The pipe, its head, and circles where it comes from or goes outside."""
    path = list(flow.path)
    before, tip = path[-2], path[-1]
    points = [*path[:-1], _towards(tip, before, _HEAD_BACK)]
    strokes = []
    if flow.from_outside:
        points[0] = _towards(path[0], path[1], _CLOUD)
        strokes.append(_cloud(path[0]))
    if flow.to_outside:
        strokes.append(_cloud(_towards(tip, before, -_CLOUD)))
    tipped = head(tip, before, scale=_HEAD_SCALE, rays=_HEAD_RAYS)
    return [
        Stroke(line=Line.PIPE, points=tuple(points)),
        *strokes,
        Stroke(line=Line.PIPE_HEAD, points=tipped),
    ]


def _towards(start: Point, end: Point, by: float) -> Point:
    """The point at a distance from `start` on the line to `end`; below 0: away from it."""
    share = by / math.dist(start, end)
    return (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))


def _cloud(at: Point) -> Stroke:
    turns = [2.0 * math.pi * k / _CLOUD_POINTS for k in range(_CLOUD_POINTS + 1)]
    points = [(at[0] + _CLOUD * math.cos(t), at[1] + _CLOUD * math.sin(t)) for t in turns]
    return Stroke(line=Line.CLOUD, points=tuple(points))


def _stock_label(stock: MapStock, numbers: Mapping[str, float]) -> Label:
    number = numbers.get(stock.key)
    text = stock.label if number is None else f"{stock.label}\n{_short(number)} today"
    return Label(key=stock.key, words=Words.STOCK, at=stock.at, text=text)


def _flow_label(flow: MapFlow, numbers: Mapping[str, float]) -> Label:
    number = numbers.get(flow.key)
    text = flow.label if number is None else f"{flow.label}\n{_short(number)} a year"
    return Label(key=flow.key, words=Words.NUMBER, at=flow.label_at, text=text)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= _WHOLE_FROM else f"{number:.1f}"


def _caseload_label(numbers: Mapping[str, float]) -> Label:
    text = "Caseload = cases held\nfor each worker"
    if "caseload" in numbers:
        text = (
            f"{numbers['cases']:,.0f} cases held\n"
            f"Caseload: {numbers['caseload']:.1f} a worker\n"
            f"(ideal: {numbers['ideal_caseload']:.1f})"
        )
    return Label(key=CASELOAD, words=Words.VARIABLE, at=_CASELOAD_AT, text=text)
