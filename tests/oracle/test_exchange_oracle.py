"""The exported model: other tools run it as we do, loops on and off, and its gap is stated."""

from __future__ import annotations

import re
import sys
import warnings
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from demand_model import BASELINE, Trajectories
from demand_model.dynamics.integrate import Run
from demand_model.dynamics.model import Constant, Stock
from demand_model.dynamics.xmile import NAMESPACE
from demand_model.exchange.export import Exchange, export
from demand_model.simulation.setup import Prepared, prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.equations import switch_name
from demand_model.system.inputs import Placements, SystemInputs
from demand_model.system.links import LINKS
from engine_cases import made_up_rates

pytestmark = pytest.mark.oracle

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="PySD and pysimlin are development dependencies on Linux only"
)

CASES = (False, True)
REFERENCES = {"caseload": 13.0, "caseload_ratio": 0.9, "occupancy": 0.6}
"""Away from where drivers stand, so that every loop is at work from the census date."""
GREATEST_GAP = {
    "referrals": 0.06,
    "cp_open": 0.15,
    "cla_open": 0.10,
    "assessments_open": 0.04,
    "cin_open": 0.01,
    "workers": 0.002,
    "caseload": 0.015,
}
"""Of so small an authority; 20 children in care and on plans each, whose plans drift most."""


@lru_cache(maxsize=2)
def exported(loops: bool) -> tuple[Exchange, Prepared, Trajectories]:
    links = tuple(
        replace(link, is_on=loops, reference=REFERENCES[link.driver] if loops else None)
        for link in LINKS
    )
    own = tuple(
        replace(g, capacity=8.0) if g.name == "own fostering" else g for g in Placements().groups
    )
    system = System(
        inputs=SystemInputs(links=links, placements=Placements(groups=own)),
        nfa_share=0.1,
        placed_share=0.3,
    )
    prepared = prepare(made_up_rates(1), horizon_months=24, draws=200, seed=1)
    (baseline,) = simulate_prepared(prepared, (BASELINE,), system=system)
    return export(prepared, baseline, system), prepared, baseline


def written(loops: bool, folder: Path) -> Path:
    path = folder / "model.xmile"
    path.write_text(exported(loops)[0].text, encoding="utf-8")
    return path


@lru_cache(maxsize=2)
def ours(loops: bool) -> Run:
    return exported(loops)[0].reduced.run()


def assert_every_stock_agrees(loops: bool, theirs: dict[str, np.ndarray]) -> None:
    model, run = exported(loops)[0].reduced.model, ours(loops)
    names = [one.name for one in model.variables if isinstance(one, Stock)]
    assert len(names) > 20
    for name in (*names, "cp open", "cla open", "caseload", "occupancy"):
        found = theirs[name]
        np.testing.assert_allclose(
            found, run.series[name][:, 0], rtol=1e-3, atol=1e-6, err_msg=name
        )


@on_linux
@pytest.mark.parametrize("loops", CASES)
def test_pysd_runs_every_stock_alike(loops: bool, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        # PySD and xarray warn of their own use of older interfaces, not of the model.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        pysd = import_module("pysd")  # on Linux its absence is a failure, not a skip
        table = pysd.read_xmile(str(written(loops, tmp_path))).run()
    assert_every_stock_agrees(loops, {name: table[name].to_numpy(float) for name in table})


@on_linux
@pytest.mark.parametrize("loops", CASES)
def test_simlin_runs_every_stock_alike_and_finds_no_fault(loops: bool, tmp_path: Path) -> None:
    simlin = import_module("simlin")
    opened = simlin.load(written(loops, tmp_path))
    assert opened.check() == ()
    table = opened.run(analyze_loops=False).results
    names = [one.name for one in exported(loops)[0].reduced.model.variables]
    theirs = {name: table[name.lower().replace(" ", "_")].to_numpy(float) for name in names}
    assert_every_stock_agrees(loops, theirs)


@pytest.mark.parametrize("loops", CASES)
def test_the_gap_to_the_engine_is_small_and_stands_in_the_file(loops: bool) -> None:
    found, _, _ = exported(loops)
    assert set(found.gap["measure"]) >= {"referrals", "cp_open", "cla_open", "caseload"}
    assert set(found.gap["months_ahead"]) == {6, 12, 24}
    for measure, rows in found.gap.groupby("measure"):
        assert rows["share"].abs().max() < GREATEST_GAP[str(measure)], measure
    worst = found.gap[found.gap["measure"].isin(["cp_open", "cla_open"])]["share"].abs().max()
    assert f"{worst:.1%}" in found.sentence
    assert found.sentence in found.text


def test_the_chain_starts_from_the_lists_own_counts() -> None:
    found, prepared, _ = exported(loops=False)
    run = ours(loops=False)
    assert run.series["cp open"][0, 0] == len(prepared.common.plans)
    assert run.series["cla open"][0, 0] == len(prepared.common.care)
    assert found.reduced.span.dt == 0.25


def test_loops_move_the_exported_model_as_they_move_the_engine() -> None:
    """Caseload far above its reference: fewer workers, longer stays, fewer taken up."""
    off, on = ours(loops=False), ours(loops=True)
    engine_off, engine_on = (exported(loops)[2].measures for loops in CASES)
    for name, measure, sign in (
        ("workers", "workers", -1),
        ("assessments open", "assessments_open", +1),
        ("cin open", "cin_open", -1),
        ("cla open", "cla_open", -1),  # with places more than 60% full fewer enter care
    ):
        moved = float(on.series[name][-1, 0] - off.series[name][-1, 0])
        theirs = engine_on[measure, "all"][-1] - engine_off[measure, "all"][-1]
        error = float(theirs.std() / np.sqrt(len(theirs)))
        assert sign * moved > 0.0, name
        assert sign * theirs.mean() > 2.0 * error, name
        assert abs(theirs.mean() - moved) < 0.25 * abs(moved) + 2.5 * error, name


def test_the_switches_in_the_file_turn_the_links_on() -> None:
    """Every link, off in the file, does what it does where it is on."""
    on = exported(loops=True)[0].reduced
    switches = {switch_name(number) for number in range(1, len(LINKS) + 1)}
    constants = {one.name: one.value for one in on.model.variables if isinstance(one, Constant)}
    assert {name: constants[name] for name in switches} == dict.fromkeys(switches, 1.0)
    model = replace(
        on.model,
        variables=tuple(
            replace(one, value=0.0) if one.name in switches and isinstance(one, Constant) else one
            for one in on.model.variables
        ),
    )
    turned = replace(on, model=model).run()
    off = ours(loops=False)
    for name in ("cp open", "cla open", "caseload", "workers", "occupancy"):
        np.testing.assert_allclose(turned.series[name], off.series[name], rtol=1e-12, err_msg=name)


# --- the portable subset -------------------------------------------------------------------------

_IF = re.compile(r"\bIF\b", re.IGNORECASE)
_NOT_PORTABLE = ("dimensions", "dim", "element", "macro", "module", "non_negative", "group")


def faults_of_portability(text: str) -> list[str]:
    """Arrays, macros, modules, and conditionals that are not within parentheses of their own."""
    root = ET.fromstring(text)  # noqa: S314  (the product's own file, or the test's)
    found = [tag for tag in _NOT_PORTABLE if root.find(f".//{{{NAMESPACE}}}{tag}") is not None]
    for one in root.iter(f"{{{NAMESPACE}}}eqn"):
        equation = (one.text or "").strip()
        if "[" in equation:
            found.append(f"array: {equation}")
        for match in _IF.finditer(equation):
            before = equation[: match.start()].rstrip()
            if not before.endswith("("):
                found.append(f"bare IF: {equation}")
    return found


@pytest.mark.parametrize("loops", CASES)
def test_an_export_keeps_to_the_portable_subset(loops: bool) -> None:
    text = exported(loops)[0].text
    assert len(_IF.findall(text)) >= len(LINKS), "a switch to every link"
    assert faults_of_portability(text) == []


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ("<aux name='a'><eqn>IF (b > 1) THEN 1 ELSE 2</eqn></aux>", "bare IF"),
        ("<aux name='a'><eqn>(IF (b > 1) THEN 1 ELSE IF c THEN 2 ELSE 3)</eqn></aux>", "bare IF"),
        ("<aux name='a'><eqn>b[1] + 2</eqn></aux>", "array"),
        ("<aux name='a'><dimensions><dim name='age'/></dimensions></aux>", "dimensions"),
        ("<macro name='m'><eqn>1</eqn></macro>", "macro"),
    ],
)
def test_what_is_not_portable_would_be_found(inside: str, fault: str) -> None:
    text = f"<xmile xmlns='{NAMESPACE}'><model><variables>{inside}</variables></model></xmile>"
    text = text.replace("b > 1", "b &gt; 1")
    assert any(found.startswith(fault) for found in faults_of_portability(text))
