"""Speed with all loops on, beside PySD running the exported model.

    python benchmarks/system_speed.py [--runs 5] [--sample middling]

The engine: 1,000 draws, 60 months, quarter-month steps, every link that ships with the
product switched on, one scenario. PySD: its time for one deterministic run of the exported
(reduced) model, the mean of 10, times 1,000 draws. PySD is a development dependency.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "addin")]

import demand_model as dm
from demand_addin.read import read_sheets
from demand_model.exchange.export import export
from demand_model.results.placement_mix import placements_today
from demand_model.simulation.setup import Prepared, prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements, SystemInputs
from demand_model.system.links import LINKS

_PYSD_RUNS = 10


def case(sample: str, months: int) -> tuple[Prepared, System]:
    """A sample authority with a third of its own fostering places to spare, all links on."""
    lists = dm.check(read_sheets(ROOT / "samples" / "workbooks" / f"{sample}.xlsx")).lists
    if lists is None:
        raise RuntimeError("the sample was refused")
    spells = dm.spells(lists)
    today = placements_today(spells, Placements())
    own = today.groups.index("own fostering")
    count = float(today.counts[:, own].sum())
    groups = tuple(
        replace(g, capacity=1.3 * count) if g.name == "own fostering" else g
        for g in Placements().groups
    )
    inputs = SystemInputs(
        links=tuple(replace(link, is_on=True) for link in LINKS),
        placements=Placements(groups=groups),
    )
    rates = dm.fit(dm.tabulate(spells))
    system = System(inputs=inputs, placed_share=count / float(today.counts.sum()))
    return prepare(rates, horizon_months=months, draws=1000, seed=1), system


def seconds(prepared: Prepared, system: System | None, runs: int) -> tuple[float, float]:
    """Median seconds of a run: by the clock, and of processors' time."""
    clock, processors = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        simulate_prepared(prepared, system=system)
        clock.append(time.perf_counter() - started)
        processors.append(time.process_time() - used)
    return statistics.median(clock), statistics.median(processors)


def pysd_seconds(text: str) -> float:
    """Mean of some runs after the first."""
    import pysd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xmile"
        path.write_text(text, encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = pysd.read_xmile(str(path))
            model.run()
            started = time.perf_counter()
            for _ in range(_PYSD_RUNS):
                model.run()
            return (time.perf_counter() - started) / _PYSD_RUNS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sample", default="middling")
    options = parser.parse_args()
    prepared, system = case(options.sample, 60)
    seconds(prepared, system, 1)
    plain, plain_used = seconds(prepared, None, options.runs)
    looped, looped_used = seconds(prepared, system, options.runs)
    print(
        f"engine, one scenario, 1,000 draws, 60 months: {plain:.2f} s without loops, "
        f"{looped:.2f} s with all {len(system.links)} links on "
        f"(processors' time: {plain_used:.2f} and {looped_used:.2f} s)"
    )
    (baseline,) = simulate_prepared(prepared, system=system)
    found = export(prepared, baseline, system)
    one = pysd_seconds(found.text)
    print(
        f"PySD, exported model ({len(found.reduced.model.variables)} variables), one run: "
        f"{one:.2f} s; times 1,000: {one * 1000:,.0f} s; ratio {one * 1000 / looped:,.0f}"
    )
    print(f"{found.sentence}")


if __name__ == "__main__":
    main()
