"""A plain diagram of a model for XMILE: chains of stocks, and below each what it reads."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from demand_model.dynamics.expression import BUILT_IN, identifier, names_in
from demand_model.dynamics.model import Flow, Model, Stock, equation_of

_LEFT, _TOP = 120, 100
_ACROSS, _DOWN = 190, 110
_HALF_WIDTH, _HALF_HEIGHT = 22, 17
_SIDE_DOWN, _SIDE_END, _SIDE_APART = 60, 100, 14
_A_ROW = 10

Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """Stocks joined by flows on a line, and flows that hang below a stock."""

    line: tuple[str, ...]
    sides: tuple[tuple[str, str], ...]
    """(stock, flow), of flows that come from or go to outside."""

    @property
    def names(self) -> list[str]:
        return [*self.line, *(flow for _, flow in self.sides)]


def view_element(model: Model) -> ET.Element:
    """The ``view``: every variable once, flows with their pipes, and connectors."""
    chains = _chains(model)
    places = _places(model, chains)
    hanging = {flow: stock for chain in chains for stock, flow in chain.sides}
    view = ET.Element("view", {"type": "stock_flow"})
    for one in model.variables:
        x, y = places[one.name]
        tag = "stock" if isinstance(one, Stock) else "flow" if isinstance(one, Flow) else "aux"
        element = ET.SubElement(view, tag, {"name": one.name, "x": str(x), "y": str(y)})
        if isinstance(one, Flow):
            if one.name in hanging:
                ends = _below(model, one.name, places[hanging[one.name]], x)
            else:
                ends = _along(model, one.name, places)
            points = ET.SubElement(element, "pts")
            for at_x, at_y in ends:
                ET.SubElement(points, "pt", {"x": str(at_x), "y": str(at_y)})
    uid = itertools.count(1)
    for one in model.variables:
        for name in sorted(set(names_in(equation_of(one))) - set(BUILT_IN)):
            _connector(view, str(next(uid)), (name, one.name), places)
    return view


def _chains(model: Model) -> list[_Chain]:
    """Stocks in the order in which children or workers move."""
    into = {name: stock for stock in model.stocks for name in stock.inflows}
    out_of = {name for stock in model.stocks for name in stock.outflows}
    firsts = [s for s in model.stocks if not any(name in out_of for name in s.inflows)]
    every = (*firsts, *model.stocks)  # a ring of stocks has no first
    placed: set[str] = set()
    return [_follow(first, into, placed) for first in every if first.name not in placed]


def _follow(first: Stock, into: dict[str, Stock], placed: set[str]) -> _Chain:
    line: list[str] = [name for name in first.inflows[:1] if name not in placed]
    sides: list[tuple[str, str]] = []
    placed.update(line)
    stock: Stock | None = first
    while stock is not None:
        line.append(stock.name)
        placed.add(stock.name)
        onward = [n for n in stock.outflows if n in into and into[n].name not in placed]
        ahead = (onward or [n for n in stock.outflows if n not in placed])[:1]
        rest = [n for n in (*stock.inflows, *stock.outflows) if n not in placed and n not in ahead]
        line += ahead
        sides += [(stock.name, name) for name in rest]
        placed.update(ahead, rest)
        stock = into[onward[0]] if onward else None
    return _Chain(line=tuple(line), sides=tuple(sides))


def _places(model: Model, chains: list[_Chain]) -> dict[str, Place]:
    """Each chain on a line, and below it what it is the first to read."""
    places: dict[str, Place] = {}
    moving = {name for chain in chains for name in chain.names}
    row = 0
    for chain in chains:
        row = _set_down(list(chain.line), row, len(chain.line), places)
        for stock, flows in itertools.groupby(chain.sides, key=lambda side: side[0]):
            x, y = places[stock]
            for number, (_, flow) in enumerate(flows):
                apart = (-1) ** number * math.ceil(number / 2) * _SIDE_APART
                places[flow] = (x + apart, y + _SIDE_DOWN)
        row += bool(chain.sides)
        row = _set_down(_inputs(model, chain, moving | places.keys()), row, _A_ROW, places)
    rest = [one.name for one in model.variables if one.name not in places]
    _set_down(rest, row, _A_ROW, places)
    return places


def _set_down(names: list[str], row: int, in_a_row: int, places: dict[str, Place]) -> int:
    """Place names in rows from `row` on; the next free row."""
    for number, name in enumerate(names):
        down, across = divmod(number, in_a_row)
        places[name] = (_LEFT + across * _ACROSS, _TOP + (row + down) * _DOWN)
    return row + math.ceil(len(names) / in_a_row) if names else row


def _inputs(model: Model, chain: _Chain, placed: set[str]) -> list[str]:
    """What a chain reads, directly or not, and has no place yet; in the order of declaration."""
    found: set[str] = set()
    waiting = chain.names
    while waiting:
        for name in names_in(equation_of(model.by_name[waiting.pop()])):
            if name not in BUILT_IN and name not in placed and name not in found:
                found.add(name)
                waiting.append(name)
    return [one.name for one in model.variables if one.name in found]


def _along(model: Model, flow: str, places: dict[str, Place]) -> tuple[Place, Place]:
    """Ends of a pipe on the line, from stock or cloud to stock or cloud."""
    x, y = places[flow]
    source = next((places[s.name] for s in model.stocks if flow in s.outflows), None)
    sink = next((places[s.name] for s in model.stocks if flow in s.inflows), None)
    start = (x - _ACROSS // 2, y) if source is None else (source[0] + _HALF_WIDTH, source[1])
    end = (x + _ACROSS // 2, y) if sink is None else (sink[0] - _HALF_WIDTH, sink[1])
    return start, end


def _below(model: Model, flow: str, stock: Place, x: int) -> tuple[Place, Place]:
    """Ends of a pipe that hangs below a stock, in the direction of the flow."""
    near, far = (x, stock[1] + _HALF_HEIGHT), (x, stock[1] + _SIDE_END)
    enters = any(flow in s.inflows for s in model.stocks)
    return (far, near) if enters else (near, far)


def _connector(view: ET.Element, uid: str, ends: tuple[str, str], places: dict[str, Place]) -> None:
    """A straight arrow: its angle, anticlockwise from the right, is that of the line."""
    (x, y), (to_x, to_y) = (places[name] for name in ends)
    angle = math.degrees(math.atan2(y - to_y, to_x - x)) % 360.0
    element = ET.SubElement(view, "connector", {"uid": uid, "angle": f"{angle:.2f}"})
    ET.SubElement(element, "from").text = identifier(ends[0])
    ET.SubElement(element, "to").text = identifier(ends[1])
