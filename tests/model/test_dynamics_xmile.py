"""The XMILE that is written: its parts, its diagram, its refusals."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from demand_model.dynamics.expression import Lookup, Name
from demand_model.dynamics.model import Auxiliary, External, Model
from demand_model.dynamics.xmile import NAMESPACE, Series, SimulationSpan, xmile
from demand_model.errors import InvalidSettingError
from demand_model.system.closed import closed_model
from demand_model.system.module import SystemModule
from system_cases import LOOPS, OPENING, children, opening_of, sir, switched_on, teacup

pytestmark = pytest.mark.unit

SPAN = SimulationSpan(start=0.0, stop=12.0, dt=0.25)
NS = {"x": NAMESPACE}


def parsed(model: Model, **given: float | Series) -> ET.Element:
    return ET.fromstring(xmile(model, SPAN, given=given))  # noqa: S314 our own text


def closed() -> Model:
    return closed_model(switched_on(LOOPS), children(), opening_of(children()))


def system() -> Model:
    return SystemModule(switched_on(LOOPS), OPENING).model


def test_header_span_and_units() -> None:
    root = parsed(teacup())
    assert root.findtext("x:header/x:name", namespaces=NS) == "Teacup"
    assert [
        root.findtext(f"x:sim_specs/x:{t}", namespaces=NS) for t in ("start", "stop", "dt")
    ] == [
        "0",
        "12",
        "0.25",
    ]
    units = {u.get("name") for u in root.iterfind("x:model_units/x:unit", NS)}
    assert units == {"dimensionless", "minute", "degrees"}


@pytest.mark.parametrize("model", [teacup(), sir(), system()], ids=lambda m: m.name)
def test_every_variable_has_equation_and_unit_and_a_place(model: Model) -> None:
    root = parsed(model)
    written = {v.get("name"): v for v in root.find("x:model/x:variables", NS) or ()}
    assert {one.name for one in model.variables} <= set(written)
    for name, element in written.items():
        assert element.findtext("x:eqn", namespaces=NS), name
        assert element.findtext("x:units", namespaces=NS), name
    shown = [e.get("name") for e in root.find(".//x:view", NS) or () if e.get("name")]
    assert sorted(shown) == sorted(one.name for one in model.variables)


@pytest.mark.parametrize("model", [teacup(), sir(), system(), closed()], ids=lambda m: m.name)
def test_no_two_variables_share_a_place_in_the_diagram(model: Model) -> None:
    view = parsed(model).find(".//x:view", NS)
    assert view is not None
    places = [(e.get("x"), e.get("y")) for e in view if e.get("name")]
    assert len(places) == len(set(places))


def test_a_chain_lies_on_one_line_and_its_pipes_touch_its_stocks() -> None:
    view = parsed(closed()).find(".//x:view", NS)
    assert view is not None
    at = {e.get("name"): (int(e.get("x", "")), int(e.get("y", ""))) for e in view if e.get("name")}
    young, old = at["plans 0 to 3 months"], at["plans 3 to 12 months"]
    assert young[1] == old[1] == at["plans reach 3 to 12 months"][1]
    assert young[0] < at["plans reach 3 to 12 months"][0] < old[0]
    pipe = view.find("x:flow[@name='plans reach 3 to 12 months']/x:pts", NS)
    assert pipe is not None
    ends = [(int(p.get("x", "")), int(p.get("y", ""))) for p in pipe]
    assert ends == [(young[0] + 22, young[1]), (old[0] - 22, old[1])]
    assert at["plans end 0 to 3 months"][0] == young[0]
    assert at["plans end 0 to 3 months"][1] > young[1]


def test_connectors_join_what_is_there() -> None:
    root = parsed(sir())
    names = {
        e.get("name", "").replace(" ", "_") for e in root.find("x:model/x:variables", NS) or ()
    }
    ends = [
        (c.findtext("x:from", namespaces=NS), c.findtext("x:to", namespaces=NS))
        for c in root.iterfind(".//x:connector", NS)
    ]
    assert ("infectious", "succumbing") in ends
    assert {name for pair in ends for name in pair} <= names


def test_what_is_given_replaces_what_is_declared() -> None:
    model = Model(
        name="Given",
        time_unit="month",
        variables=(
            External(name="referrals", unit="children/month", value=1.0),
            External(name="starts", unit="children/month", value=1.0),
        ),
    )
    root = parsed(model, referrals=((0.0, 10.0), (6.0, 12.5)), starts=3.5)
    referrals, starts = root.find("x:model/x:variables", NS) or ()
    assert referrals.findtext("x:eqn", namespaces=NS) == "TIME"
    assert referrals.findtext("x:gf/x:xpts", namespaces=NS) == "0,6"
    assert referrals.findtext("x:gf/x:ypts", namespaces=NS) == "10,12.5"
    assert starts.findtext("x:eqn", namespaces=NS) == "3.5"


def test_a_graph_is_written_with_its_variable() -> None:
    model = Model(
        name="Graph",
        time_unit="month",
        variables=(
            External(name="ratio", unit="dimensionless", value=1.0),
            Auxiliary(
                name="effect",
                unit="dimensionless",
                equation=Lookup(Name("ratio"), ((0.5, 0.0), (1.0, 1.0))),
            ),
        ),
    )
    effect = parsed(model).find(".//x:aux[@name='effect']", NS)
    assert effect is not None
    assert effect.findtext("x:eqn", namespaces=NS) == "ratio"
    assert effect.findtext("x:gf/x:xpts", namespaces=NS) == "0.5,1"


def test_only_parameters_can_be_given() -> None:
    with pytest.raises(InvalidSettingError, match="must be a constant or external"):
        xmile(sir(), SPAN, given={"infectious": 3.0})


def test_text_is_escaped_and_deterministic() -> None:
    model = Model(
        name="R&D <1>",
        time_unit="month",
        variables=(External(name="a", unit="dimensionless", value=0.1, doc="x < y & z"),),
    )
    assert xmile(model, SPAN) == xmile(model, SPAN)
    assert parsed(model).findtext("x:header/x:name", namespaces=NS) == "R&D <1>"
