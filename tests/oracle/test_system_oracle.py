"""Our integrator and our XMILE against public models' outputs and two other tools."""

from __future__ import annotations

import math
import sys
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from demand_model.dynamics.integrate import Integrator, Run
from demand_model.dynamics.model import External, Model
from demand_model.dynamics.xmile import SimulationSpan, xmile
from demand_model.system.closed import USUAL_REFERRALS, closed_model
from demand_model.system.module import SystemModule
from system_cases import LOOPS, OPENING, children, opening_of, sir, switched_on, teacup

pytestmark = pytest.mark.oracle

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="PySD and pysimlin are development dependencies on Linux only"
)

# Outputs of public models, from the System Dynamics community's repository of test models:
# https://github.com/SDXorg/test-models (both now in its folder samples, then in benchmarks).

# benchmarks/teacup/output_stella1006.csv at commit 4f3915a7430124297c84283e6e17e3ce3c146e4a
# (Stella 10.0.6 for Windows, Bobby Powers, 2015): time to temperature and heat loss.
TEACUP = {
    0.0: (180.0, 11.0),
    1.0: (169.46940487, 9.94694048701),
    2.0: (159.946931866, 8.99469318656),
    5.0: (136.508454673, 6.65084546728),
    10.0: (110.212495845, 4.02124958452),
    15.0: (94.3133723382, 2.43133723382),
    20.0: (84.7004074736, 1.47004074736),
    25.0: (78.8881944012, 0.88881944012),
    30.0: (75.3740006769, 0.537400067687),
}

# benchmarks/SIR/output.csv at commit c849d7a2fcc2ceb79d615f94554ce475865c5cc1 (Vensim DSS 6.3
# for Mac, James Houghton, 27 August 2015), printed to six digits: time to infectious,
# recovered, susceptible.
SIR = {
    0.0: (5.0, 0.0, 1000.0),
    1.0: (5.52376, 1.04991, 998.426),
    2.0: (6.09936, 2.20953, 996.691),
    3.0: (6.73129, 3.48964, 994.779),
    4.0: (7.42423, 4.90197, 992.674),
    5.0: (8.18311, 6.45919, 990.358),
    8.0: (10.9069, 12.1422, 981.951),
    35.0: (64.7912, 205.292, 734.917),
    38.0: (67.5957, 245.12, 692.284),
    40.0: (68.0812, 272.292, 664.627),
    43.0: (66.7627, 312.867, 625.37),
    100.0: (2.07135, 590.771, 412.158),
}

SPANS = {
    "teacup": SimulationSpan(start=0.0, stop=30.0, dt=0.125),
    "sir": SimulationSpan(start=0.0, stop=100.0, dt=0.03125),
    "system": SimulationSpan(start=0.0, stop=60.0, dt=0.25),
}

# A season, a rise and a fall, so that nothing stands still.
REFERRALS = tuple(
    (0.25 * step, 300.0 + 60.0 * math.sin(step / 7.0) + 0.4 * step) for step in range(241)
)
CHANGED: dict[str, float | tuple[tuple[float, float], ...]] = {
    "referrals": REFERRALS,
    "cp open": 320.0,
    "cla open": 360.0,
    "posts added": 0.2,
    "moved in": 3.0,
}


CLOSED: dict[str, float | tuple[tuple[float, float], ...]] = {
    USUAL_REFERRALS: REFERRALS,
    "posts added": 0.2,
    "places": 230.0,
    "moved in": 3.0,
}


def system(*loops: str) -> Model:
    return SystemModule(switched_on(loops), OPENING).model


def closed(*loops: str) -> Model:
    return closed_model(switched_on(loops), children(), opening_of(children()))


def ours(case: str) -> Run:
    make, span, changes = CASES[case]

    def given(time: float) -> dict[str, float]:
        return {
            name: float(np.interp(time, *zip(*change, strict=True)))
            if isinstance(change, tuple)
            else change
            for name, change in changes.items()
        }

    return Integrator(make()).run(start=span.start, stop=span.stop, dt=span.dt, inputs=given)


CASES = {
    "teacup": (teacup, SPANS["teacup"], {}),
    "sir": (sir, SPANS["sir"], {}),
    "system with loops off": (lambda: system(), SPANS["system"], CHANGED),
    "system with loops on": (lambda: system(*LOOPS), SPANS["system"], CHANGED),
    "closed with loops off": (lambda: closed(), SPANS["system"], CLOSED),
    "closed with loops on": (lambda: closed(*LOOPS), SPANS["system"], CLOSED),
}


def at(run: Run, name: str, time: float) -> float:
    return float(run.series[name][int(np.searchsorted(run.times, time)), 0])


@pytest.mark.parametrize("time", TEACUP)
def test_teacup_is_as_stella_published_it(time: float) -> None:
    run = ours("teacup")
    found = (at(run, "Teacup Temperature", time), at(run, "Heat Loss to Room", time))
    assert found == pytest.approx(TEACUP[time], rel=1e-10)


@pytest.mark.parametrize("time", SIR)
def test_sir_is_as_vensim_published_it(time: float) -> None:
    run = ours("sir")
    found = tuple(at(run, name, time) for name in ("infectious", "recovered", "susceptible"))
    # Vensim works in single precision and prints six digits.
    assert found == pytest.approx(SIR[time], rel=2e-5)


def written(case: str, folder: Path) -> Path:
    make, span, changes = CASES[case]
    path = folder / "model.xmile"
    text = xmile(make(), span, given=changes)
    path.write_text(text, encoding="utf-8")
    return path


def assert_agree(run: Run, theirs: dict[str, np.ndarray]) -> None:
    """Every variable at every saved time within 0.1%, and of 0 where ours is 0."""
    for name, series in run.series.items():
        found = theirs[name]
        assert found.shape == (len(run.times),), name
        np.testing.assert_allclose(found, series[:, 0], rtol=1e-3, atol=1e-9, err_msg=name)
    assert len(run.series) >= 5


@on_linux
@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("system")])
def test_pysd_runs_the_export_alike(case: str, tmp_path: Path) -> None:
    model = CASES[case][0]()
    with warnings.catch_warnings():
        # PySD and xarray warn of their own use of older interfaces, not of the model.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        pysd = import_module("pysd")  # on Linux its absence is a failure, not a skip
        table = pysd.read_xmile(str(written(case, tmp_path))).run()
    theirs = {one.name: table[one.name].to_numpy(float) for one in model.variables}
    assert_agree(ours(case), theirs)


@on_linux
@pytest.mark.parametrize("case", CASES)
def test_simlin_runs_the_export_alike(case: str, tmp_path: Path) -> None:
    simlin = import_module("simlin")
    model = CASES[case][0]()
    opened = simlin.load(written(case, tmp_path))
    table = opened.run(analyze_loops=False).results
    theirs = {
        one.name: table[one.name.lower().replace(" ", "_")].to_numpy(float)
        for one in model.variables
    }
    assert_agree(ours(case), theirs)


@on_linux
@pytest.mark.parametrize("case", CASES)
def test_simlin_finds_no_fault_in_equations_or_units(case: str, tmp_path: Path) -> None:
    simlin = import_module("simlin")
    assert simlin.load(written(case, tmp_path)).check() == ()


def test_every_external_of_the_export_is_named() -> None:
    """The cases above change every kind of external that the system has."""
    outside = {one.name for one in system(*LOOPS).variables if isinstance(one, External)}
    levers = {name for name in outside if name.startswith("lever on ")}
    assert outside - levers == {*CHANGED, "places"}
