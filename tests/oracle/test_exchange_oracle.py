"""The exported model: other tools run it as we do, loops on and off, and its gap is stated."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from demand_model import BASELINE, Trajectories
from demand_model.dynamics.integrate import Run
from demand_model.dynamics.model import Stock
from demand_model.exchange.export import Exchange, export
from demand_model.simulation.setup import Prepared, prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import SystemInputs
from demand_model.system.links import LINKS
from engine_cases import made_up_rates

pytestmark = pytest.mark.oracle

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="PySD and pysimlin are development dependencies on Linux only"
)

CASES = (False, True)


@lru_cache(maxsize=2)
def exported(loops: bool) -> tuple[Exchange, Prepared, Trajectories]:
    links = tuple(replace(link, is_on=loops and link.driver != "occupancy") for link in LINKS)
    system = System(inputs=SystemInputs(links=links), nfa_share=0.1)
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
    for name in (*names, "cp open", "cla open", "caseload"):
        found = theirs[name]
        np.testing.assert_allclose(
            found, run.series[name][:, 0], rtol=1e-3, atol=1e-6, err_msg=name
        )


@on_linux
@pytest.mark.parametrize("loops", CASES)
def test_pysd_runs_every_stock_alike(loops: bool, tmp_path: Path) -> None:
    pysd = pytest.importorskip("pysd")
    with warnings.catch_warnings():
        # PySD and xarray warn of their own use of older interfaces, not of the model.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        table = pysd.read_xmile(str(written(loops, tmp_path))).run()
    assert_every_stock_agrees(loops, {name: table[name].to_numpy(float) for name in table})


@on_linux
@pytest.mark.parametrize("loops", CASES)
def test_simlin_runs_every_stock_alike_and_finds_no_fault(loops: bool, tmp_path: Path) -> None:
    simlin = pytest.importorskip("simlin")
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
    assert found.gap["share"].abs().max() < 0.12
    worst = found.gap[found.gap["measure"].isin(["cp_open", "cla_open"])]["share"].abs().max()
    assert f"{worst:.1%}" in found.sentence
    assert found.sentence in found.text


def test_the_chain_starts_from_the_lists_own_counts() -> None:
    found, prepared, _ = exported(loops=False)
    run = ours(loops=False)
    assert run.series["cp open"][0, 0] == len(prepared.common.plans)
    assert run.series["cla open"][0, 0] == len(prepared.common.care)
    assert found.reduced.span.dt == 0.25


def test_loops_move_the_exported_model() -> None:
    off, on = ours(loops=False), ours(loops=True)
    assert not np.allclose(off.series["cla open"], on.series["cla open"], rtol=1e-6)
