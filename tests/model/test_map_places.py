"""The maps: places, curves that keep clear, signs of loops, a group's own links."""

from __future__ import annotations

import importlib.util
import itertools
import math
import sys
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from demand_model.system.causal_map import CausalMap, behaviours, causal_map
from demand_model.system.drawing import (
    HEIGHT,
    WIDTH,
    Box,
    Drawing,
    Line,
    Mark,
    Words,
    head,
    text_box,
)
from demand_model.system.links import LINKS, CausalLink
from demand_model.system.loops import STRUCTURE, find_loops
from demand_model.system.map_places import PLACES, map_box
from demand_model.system.map_routes import CURVE_POINTS, route
from demand_model.system.stock_map import FLOWS, MAP_HEIGHT, STOCKS, stock_map
from demand_model.system.variables import VARIABLES, Kind

pytestmark = pytest.mark.unit

DOCS = Path(__file__).resolve().parents[2] / "docs"


def own_link(driver: str, target: str, *, elasticity: float = 0.3, **other: object) -> CausalLink:
    link = CausalLink(
        loop="Our own",
        driver=driver,
        target=target,
        elasticity=elasticity,
        delay_months=0.0,
        reference=None,
        unit=VARIABLES[driver].unit,
        evidence="workshop",
    )
    return replace(link, **other)


@pytest.fixture(scope="module")
def default() -> CausalMap:
    return causal_map(LINKS)


def strokes(drawing: Drawing, line: Line) -> list[tuple[tuple[float, float], ...]]:
    return [s.points for s in drawing.strokes if s.line is line]


# --- places --------------------------------------------------------------------------------------


def test_every_variable_has_a_place_within_the_drawing() -> None:
    assert set(PLACES) == set(VARIABLES)
    for name in VARIABLES:
        box = map_box(name)
        assert box.x - box.half_width >= 0.0, name
        assert box.x + box.half_width <= WIDTH, name
        assert box.y - box.half_height >= 0.0, name
        assert box.y + box.half_height <= HEIGHT, name


def test_no_two_variables_overlap_even_if_all_are_shown() -> None:
    meeting = [(a, b) for a, b in combinations(VARIABLES, 2) if map_box(a).meets(map_box(b))]
    assert not meeting


def test_labels_of_the_stock_map_overlap_nothing() -> None:
    numbers = {one.key: 12345.0 for one in (*STOCKS, *FLOWS)}
    numbers |= {"cases": 12345.0, "caseload": 15.0, "ideal_caseload": 15.0}
    drawing = stock_map(numbers)
    labels = {label.key: text_box(label.at, label.text, pad=0.0) for label in drawing.labels}
    flow_labels = {key: box for key, box in labels.items() if key not in {s.key for s in STOCKS}}
    assert not [(a, b) for a, b in combinations(flow_labels, 2) if labels[a].meets(labels[b])]
    for key, box in flow_labels.items():
        assert not any(box.meets(stock.box) for stock in STOCKS), key
        assert box.x - box.half_width >= 0.0, key
        assert box.x + box.half_width <= WIDTH, key
        assert box.y + box.half_height <= MAP_HEIGHT, key
    for stroke in strokes(drawing, Line.PIPE):
        for a, b in pairwise(stroke):
            for share in np.linspace(0.0, 1.0, 30):
                at = Box(a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), 1.0, 1.0)
                assert not [key for key, box in flow_labels.items() if box.meets(at)]


# --- curves --------------------------------------------------------------------------------------


def test_no_arrow_of_the_shipped_map_runs_through_a_variable(default: CausalMap) -> None:
    for arrow, points in zip(default.arrows, curves_of(default), strict=True):
        for name in default.variables:
            if name not in (arrow.start, arrow.end):
                box = map_box(name)
                assert not any(
                    abs(x - box.x) < box.half_width and abs(y - box.y) < box.half_height
                    for x, y in points
                ), (arrow.start, arrow.end, name)


def curves_of(found: CausalMap) -> list[tuple[tuple[float, float], ...]]:
    lines = (Line.STRUCTURE, Line.LINK_OFF, Line.LINK_ON)
    return [s.points for s in found.drawing.strokes if s.line in lines]


def test_few_arrows_cross(default: CausalMap) -> None:
    crossed = sum(
        _cross(a, b, c, d)
        for one, other in combinations(curves_of(default), 2)
        for (a, b), (c, d) in itertools.product(pairwise(one), pairwise(other))
    )
    assert crossed <= 8


def _cross(a, b, c, d) -> bool:
    def side(p, q, r) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def test_an_arrow_bends_round_a_box_in_its_way() -> None:
    boxes = {
        "from": Box(100.0, 300.0, 30.0, 10.0),
        "to": Box(700.0, 300.0, 30.0, 10.0),
        "between": Box(400.0, 300.0, 60.0, 20.0),
    }
    (curve,) = route([("from", "to")], boxes, (800.0, 600.0))
    assert len(curve) == CURVE_POINTS
    assert all(abs(x - 400.0) > 60.0 or abs(y - 300.0) > 20.0 for x, y in curve)
    (straight,) = route([("from", "to")], {k: boxes[k] for k in ("from", "to")}, (800.0, 600.0))
    assert all(y == pytest.approx(300.0) for _, y in straight)
    assert straight[0][0] == pytest.approx(130.0, abs=9.0)
    assert straight[-1][0] == pytest.approx(670.0, abs=9.0)


def test_no_arrows_give_no_curves() -> None:
    assert route([], {}, (WIDTH, HEIGHT)) == []


def test_an_arrowhead_points_where_the_arrow_goes() -> None:
    tip, left, right, *_ = head((100.0, 50.0), (80.0, 50.0))
    assert tip == (100.0, 50.0)
    assert left[0] == right[0] < 100.0
    assert (left[1] + right[1]) / 2.0 == pytest.approx(50.0)
    assert abs(left[1] - right[1]) > 5.0


def test_signs_stand_beside_the_heads_and_apart(default: CausalMap) -> None:
    marks = default.drawing.signs
    assert [s.mark is Mark.PLUS for s in marks] == [a.sign > 0 for a in default.arrows]
    for sign, points in zip(marks, curves_of(default), strict=True):
        assert math.dist(sign.at, points[-1]) < 35.0
    assert all(math.dist(a.at, b.at) > 9.0 for a, b in combinations(marks, 2))


# --- what is shown -------------------------------------------------------------------------------


def test_shown_are_the_variables_of_loops_and_the_ends_of_links(default: CausalMap) -> None:
    members = {name for loop in find_loops(LINKS) for name in loop.members}
    ends = {name for link in LINKS for name in (link.driver, link.target)}
    assert set(default.variables) == members | ends
    assert sum(a.row is not None for a in default.arrows) == len(LINKS)
    framed = sum(VARIABLES[name].kind is Kind.STOCK for name in default.variables)
    assert len(strokes(default.drawing, Line.STOCK)) == framed


def test_without_links_nothing_is_drawn() -> None:
    nothing = causal_map(())
    assert nothing.variables == nothing.arrows == nothing.loops == nothing.signs == ()
    assert nothing.drawing == Drawing(strokes=(), signs=(), labels=())


def test_a_link_of_ones_own_brings_its_variables(default: CausalMap) -> None:
    own = own_link("vacancy_share", "plan_to_care", is_on=True)
    with_own = causal_map((*LINKS, own))
    assert {"vacancy_share", "plan_to_care"} - set(default.variables)
    assert {"vacancy_share", "plan_to_care"} <= set(with_own.variables)
    drawn = [a for a in with_own.arrows if a.loop == "Our own"]
    assert [(a.start, a.end, a.row) for a in drawn] == [
        ("vacancy_share", "plan_to_care", len(LINKS) + 1)
    ]
    assert len(strokes(with_own.drawing, Line.LINK_ON)) == 1
    brought = {(a.start, a.end) for a in with_own.arrows} - {
        (a.start, a.end) for a in default.arrows
    }
    assert ("plan_to_care", "cla_open") in brought, "the structure around it comes along"


def test_every_link_that_can_be_typed_is_drawn_without_leaving_the_picture() -> None:
    """One at a time over the shipped links: ends at its variables, within the picture."""
    for target in ("cin_months", "care_ends_other", "uasc_starts"):
        for driver in ("spare_places", "nfa_closed", "vacancy_share"):
            found = causal_map((*LINKS, own_link(driver, target)))
            number = next(i for i, a in enumerate(found.arrows) if a.loop == "Our own")
            points = curves_of(found)[number]
            assert all(0.0 <= x <= WIDTH and 0.0 <= y <= HEIGHT for x, y in points)
            for at, name in ((points[0], driver), (points[-1], target)):
                box = map_box(name).grown(30.0)
                assert box.meets(Box(*at, 0.1, 0.1)), (driver, target)


def test_switching_a_link_changes_its_line_and_nothing_else() -> None:
    before = causal_map(LINKS)
    after = causal_map((replace(LINKS[0], is_on=True), *LINKS[1:]))
    assert len(strokes(before.drawing, Line.LINK_OFF)) == len(LINKS)
    assert len(strokes(after.drawing, Line.LINK_OFF)) == len(LINKS) - 1
    (curve,) = strokes(after.drawing, Line.LINK_ON)
    assert curve in strokes(before.drawing, Line.LINK_OFF)
    assert strokes(before.drawing, Line.STRUCTURE) == strokes(after.drawing, Line.STRUCTURE)


def test_a_faulty_link_and_one_of_no_strength_are_not_drawn(default: CausalMap) -> None:
    wrong = own_link("caseload", "cp_open")
    weak = own_link("caseload", "cin_months", elasticity=0.0)
    assert causal_map((*LINKS, wrong, weak)) == default


def test_a_delay_is_two_bars_across() -> None:
    at_once, delayed = (
        own_link("caseload", "cin_months"),
        own_link("caseload", "cin_months", delay_months=2.0),
    )
    bars = [
        len(strokes(causal_map((link,)).drawing, Line.LINK_OFF_HEAD)) for link in (at_once, delayed)
    ]
    assert bars == [1, 3]


# --- loops ---------------------------------------------------------------------------------------


def test_loops_are_those_of_the_finder(default: CausalMap) -> None:
    assert tuple(loop for _, loop in default.loops) == find_loops(LINKS)


def test_each_behaviour_and_kind_has_one_sign(default: CausalMap) -> None:
    kinds = {
        (behaviours(loop)[0], loop.is_reinforcing)
        for loop in find_loops(LINKS)
        if len(behaviours(loop)) == 1
    }
    assert {(s.behaviour, s.loop.is_reinforcing) for s in default.signs} == kinds
    assert len({s.key for s in default.signs}) == len(default.signs)
    for sign in default.signs:
        assert sign.key[0] == ("R" if sign.loop.is_reinforcing else "B")
        same = [
            loop
            for loop in find_loops(LINKS)
            if behaviours(loop) == (sign.behaviour,)
            and loop.is_reinforcing == sign.loop.is_reinforcing
        ]
        assert len(sign.loop.members) == min(len(loop.members) for loop in same)
        assert [loop for key, loop in default.loops if key == sign.key] == same


def test_signs_of_loops_cover_no_variable_and_each_other(default: CausalMap) -> None:
    labels = [label for label in default.drawing.labels if label.words is Words.LOOP]
    boxes = [text_box(label.at, label.text) for label in labels]
    assert len(labels) == len(default.signs)
    assert not any(a.meets(b) for a, b in combinations(boxes, 2))
    assert not any(box.meets(map_box(name)) for box in boxes for name in default.variables)
    assert all("(off)" in label.text for label in labels)


def test_a_loop_that_is_on_does_not_say_off() -> None:
    on = causal_map([replace(link, is_on=link.loop == "Workload–burnout") for link in LINKS])
    texts = [label.text for label in on.drawing.labels if label.words is Words.LOOP]
    assert [text for text in texts if "(off)" not in text] == ["R1 Workload–burnout"]


def test_a_behaviour_that_closes_no_loop_is_named() -> None:
    found = causal_map((own_link("referrals", "uasc_starts"),))
    assert found.lone == ("Our own",)
    assert found.loops == ()
    assert [(a.start, a.end) for a in found.arrows if a.row] == [("referrals", "uasc_starts")]


def test_a_behaviour_that_loops_only_with_another_has_a_sign() -> None:
    links = (
        own_link("caseload", "nfa_share", loop="One"),
        own_link("nfa_closed", "starters", loop="Two"),
    )
    found = causal_map(links)
    assert {behaviours(s.loop) for s in found.signs if s.behaviour == "Two"} == {("One", "Two")}


def test_structure_is_drawn_whole_where_its_ends_are_shown(default: CausalMap) -> None:
    wanted = [a for a in STRUCTURE if {a.start, a.end} <= set(default.variables)]
    assert [a for a in default.arrows if a.row is None] == wanted


# --- stocks and flows ----------------------------------------------------------------------------


def test_numbers_stand_on_the_stock_map() -> None:
    drawing = stock_map({"cla_open": 612.4, "referrals": 3216.0, "leavers": 7.46, "workers": 75.0})
    texts = {label.key: label.text for label in drawing.labels}
    assert texts["cla_open"] == "Children in care\n612 today"
    assert texts["referrals"] == "Referrals\n3,216 a year"
    assert texts["leavers"] == "Leave\n7.5 a year"
    assert texts["cp_open"] == "On protection plans"


def test_without_a_workforce_the_workers_are_left_out() -> None:
    keys = {label.key for label in stock_map({"cla_open": 612.0}).labels}
    assert not keys & {"workers", "starters", "leavers", "caseload"}
    assert {"workers", "starters", "leavers", "caseload"} <= {
        label.key for label in stock_map({}).labels
    }


def test_every_flow_ends_at_a_stock_or_outside() -> None:
    boxes = {stock.label: stock.box for stock in STOCKS}
    for flow in FLOWS:
        if flow.end in boxes:
            assert boxes[flow.end].grown(1.0).meets(Box(*flow.path[-1], 0.1, 0.1)), flow.key
        if flow.start in boxes:
            assert boxes[flow.start].grown(1.0).meets(Box(*flow.path[0], 0.1, 0.1)), flow.key
        assert flow.to_outside == (flow.end == "outside")
        assert flow.from_outside == (flow.start == "outside")


# --- docs ----------------------------------------------------------------------------------------


def test_the_page_and_pictures_of_the_docs_are_in_step() -> None:
    """After a change of a declaration: ``uv run python docs/maps.py``."""
    spec = importlib.util.spec_from_file_location("docs_maps", DOCS / "maps.py")
    assert spec is not None
    assert spec.loader is not None
    drawn = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = drawn  # dataclasses look their module up
    spec.loader.exec_module(drawn)
    for path, text in drawn.files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is older than the maps"
        if path.suffix == ".svg":
            assert "<title" in text
            assert "<desc" in text
            ET.fromstring(text)  # noqa: S314  (our own file)
