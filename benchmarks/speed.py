"""Speed and memory of a whole run, and of the engine; the peer beside it if it is there.

    python benchmarks/speed.py [--runs 5] [--peer PYTHON]

`--peer` names the Python of an environment that has `cs-demand-model` 0.5.1
(Python 3.11, numpy<2, pandas<2, setuptools<81, fs, PyYAML, click, tqdm,
python-dateutil, then the package without its dependencies): its time for one
deterministic path of 365 days over its own sample is set beside ours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "workbooks" / "middling.xlsx"

PEER = """
import time, warnings
warnings.simplefilter("ignore")
from datetime import date
from pathlib import Path
import cs_demand_model_samples
from cs_demand_model import (
    Config, DemandModellingDataContainer, ModelPredictor, PopulationStats, fs_datastore,
)
store = fs_datastore(str(Path(cs_demand_model_samples.__file__).parent / "combined"))
config = Config()
view = DemandModellingDataContainer(store, config).enriched_view
stats = PopulationStats(view, config)
predictor = ModelPredictor.from_model(stats, date(2019, 7, 1), date(2019, 12, 31))
started = time.perf_counter()
predictor.predict(365)
print(time.perf_counter() - started)
"""


def whole_run(book: Path, source: Path) -> tuple[float, float]:
    """Seconds and peak memory (MB) of `csc-demand run` as a process of its own."""
    book.write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "demand_addin", "run", str(book), "--quiet"]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_as_installed())
    peak = _watch(process)
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise RuntimeError(f"run failed with exit code {process.returncode}")
    return seconds, peak


def _as_installed() -> dict[str, str]:
    """The environment, in which modules are compiled once, as an installer does, and kept."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Peak resident memory of a process in MB, by asking often; 0 where it cannot be asked."""
    peak = 0.0
    status = Path(f"/proc/{process.pid}/status")
    done = threading.Event()

    def ask() -> None:
        nonlocal peak
        while not done.wait(0.01):
            try:
                lines = status.read_text().splitlines()
            except OSError:
                return
            for line in lines:
                if line.startswith("VmHWM:"):
                    peak = max(peak, float(line.split()[1]) / 1024.0)

    watcher = threading.Thread(target=ask)
    watcher.start()
    process.wait()
    done.set()
    watcher.join()
    return peak


def engine_seconds(runs: int) -> tuple[list[float], list[float]]:
    """Seconds of the engine alone, 1,000 draws, on the middling sample.

    Returns
    -------
    Of one scenario for 60 months; and of what a run simulates, all presets for 24 months
    with the front door around them.
    """
    import demand_model as dm
    from demand_addin.read import read_sheets
    from demand_model.simulation.presets import presets
    from demand_model.simulation.system_feedback import System

    lists = dm.check(read_sheets(SAMPLE)).lists
    if lists is None:
        raise RuntimeError("the sample was refused")
    rates = dm.fit(dm.tabulate(dm.spells(lists)))
    scenarios = presets(lists.census_date)
    one, all_presets = [], []
    for _ in range(runs):
        started = time.perf_counter()
        dm.simulate(rates, horizon_months=60, draws=1000, seed=1)
        one.append(time.perf_counter() - started)
        started = time.perf_counter()
        dm.simulate(rates, scenarios, draws=1000, seed=1, system=System(), threads=1)
        all_presets.append(time.perf_counter() - started)
    return one, all_presets


def peer_seconds(python: str) -> float:
    """Seconds of the peer's one deterministic path of 365 days."""
    run = subprocess.run([python, "-c", PEER], capture_output=True, text=True, check=True)
    return float(run.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, book = Path(folder) / "source.xlsx", Path(folder) / "book.xlsx"
        make = [sys.executable, "-m", "demand_addin", "import", str(source), str(SAMPLE), "--quiet"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        whole_run(book, source)
        found = [whole_run(book, source) for _ in range(options.runs)]
    seconds = [s for s, _ in found]
    print(
        "csc-demand run, middling sample, 1,000 draws, 24 months, 8 scenarios: "
        f"median {statistics.median(seconds):.2f} s (from {min(seconds):.2f} to "
        f"{max(seconds):.2f}), peak {max(m for _, m in found):.0f} MB"
    )
    engine, presets = engine_seconds(options.runs)
    print(
        "engine, one scenario, 1,000 draws, 60 months: "
        f"median {statistics.median(engine):.2f} s (from {min(engine):.2f} to {max(engine):.2f})"
    )
    print(
        "engine, what a run simulates (8 scenarios, 1,000 draws, 24 months): "
        f"median {statistics.median(presets):.2f} s (from {min(presets):.2f} to {max(presets):.2f})"
    )
    if options.peer is None:
        print("cs-demand-model: left out (no --peer)")
        return
    peer = peer_seconds(options.peer)
    per_path = statistics.median(engine) / 1000 * (12 / 60)
    print(
        f"cs-demand-model 0.5.1, one path of 365 days: {peer:.2f} s; ours, a path of 12 months: "
        f"{per_path * 1000:.3f} ms; ratio {peer / per_path:,.0f}"
    )


if __name__ == "__main__":
    main()
