"""Children in care, side by side with `cs-demand-model` 0.5.1 (PyPI), on the same children.

    python benchmarks/peer_accuracy.py --peer PYTHON [--authorities 60]

`--peer` names the Python of an environment of its own that has the peer: Python 3.11,
numpy<2, pandas<2, setuptools<81, fs, PyYAML, click, tqdm, python-dateutil, then
cs-demand-model==0.5.1 without its dependencies. Nothing of it enters this project: it
runs as another process, on files.

Each authority is simulated child by child (samples/demand_samples; a third each small,
middling and large; a quarter each steady, drifting, with a trend in intake, with a step),
under numbers that no prior was chosen on. Then

    the peer   is given `YEARS` years of SSDA903 returns (header and episodes, a file a
               year, the last year ending on the census date so that it loses nothing):
               every period of care in them, cut into placements as in England (a new
               placement, hence a new episode, .10 a month in the first three months,
               .035 later: two in three children keep theirs through a year);
    ours       the Annex A extract of the same children on the same day: six months; and
               the same with 24 months of counts on sheet History.

The peer's settings, each shown:

    12 months          rates of the last 12 months
    24 months          rates of the last 24 months
    web app            what its own screen proposes: 12 months, steps of 90 days
    6 months           what its command line proposes; with `--all` only

The first two and the last go in steps of a week (with `--daily` of a day, its command
line's; it takes seven times as long and moves the forecast by up to 0.3%). Between two
steps the path is taken as straight. Its forecast also holds those who have left care, as
a category of their own: they are not counted.

Its categories of placement and bands of age are its own defaults. The simulation's exits
hang on age, reason and time in care, not on placement; the peer's on age band and
placement, not on time in care: neither is the other's model.

Printed: mean absolute error in children and as a share of those in care, mean error
(bias), and how often our 80% and 95% ranges held what happened. The peer gives one line
and no range. "No change" stands beside both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

import demand_model as dm
from demand_samples.extract import annex_a
from demand_samples.history import CENSUS_DATE, History
from demand_samples.observe import monthly_truth
from demand_samples.presets import Intake, Size, draw_authority
from demand_samples.simulate import simulate_authority
from scoring import covered

HORIZONS = (3, 6, 12, 24)
SIZES: tuple[Size, ...] = ("small", "middling", "large")
KINDS = ("steady", "drifting", "trend", "step")
FIRST_NUMBER = 20_000
YEARS = 5
DRAWS = 500
MONTHS_OF_COUNTS = 24
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
NEEDS = (
    "Give --peer the Python of an environment with cs-demand-model 0.5.1: Python 3.11, then "
    'pip install "numpy<2" "pandas<2" "setuptools<81" fs PyYAML click tqdm python-dateutil, '
    "then pip install --no-deps cs-demand-model==0.5.1."
)

MOVES_PER_MONTH, EARLY_MOVES_PER_MONTH, EARLY_MONTHS = 0.035, 0.10, 3.0
PLACEMENTS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "young": (("U1", "U3", "U4", "U6", "P1", "R3"), (0.12, 0.20, 0.16, 0.42, 0.08, 0.02)),
    "middle": (("U1", "U3", "U4", "U6", "K2", "P1"), (0.13, 0.10, 0.21, 0.31, 0.18, 0.07)),
    "old": (("U1", "U4", "U6", "K2", "H5", "P2", "P1"), (0.09, 0.17, 0.22, 0.20, 0.17, 0.10, 0.05)),
    "uasc": (("U6", "H5", "P2", "K2"), (0.42, 0.30, 0.24, 0.04)),
}
"""SSDA903 codes of placement and their shares, by age when the placement begins."""

PEER = """
import json, logging, math, sys, time, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
from datetime import date
from pathlib import Path
import numpy as np
from cs_demand_model import (
    Config, DemandModellingDataContainer, ModelPredictor, PopulationStats, fs_datastore,
)
root, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
census = date.fromisoformat(asked["census"])
config = Config()
for folder in sorted(root.iterdir()):
    started = time.perf_counter()
    view = DemandModellingDataContainer(fs_datastore(str(folder)), config).enriched_view
    stats = PopulationStats(view, config)
    found = {"number": int(folder.name), "load": time.perf_counter() - started, "paths": {}}
    for name, setting in asked["settings"].items():
        started = time.perf_counter()
        first = date.fromisoformat(setting["first"])
        predictor = ModelPredictor.from_model(stats, first, census)
        now = float(predictor.initial_population.sum())
        step = setting["step_days"]
        path = predictor.predict(math.ceil(max(asked["days"]) / step), step)
        in_care = [c for c in path.columns if c[1] != "NOT_IN_CARE"]  # it counts leavers too
        path = path[in_care].sum(axis=1)
        at = [0.0] + [step * (i + 1.0) for i in range(len(path))]
        values = np.interp(asked["days"], at, [now, *path.to_numpy(float)])
        found["paths"][name] = [now, *map(float, values), time.perf_counter() - started]
    print(json.dumps(found), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Of the peer: where its reference period begins, and its step."""

    first: date
    step_days: int


def months_before(months: int) -> date:
    return (pd.Timestamp(CENSUS_DATE) - pd.DateOffset(months=months)).date()


def settings(*, every: bool, daily: bool) -> dict[str, Setting]:
    step = 1 if daily else 7
    chosen = {
        "peer, 12 months": Setting(first=months_before(12), step_days=step),
        "peer, 24 months": Setting(first=months_before(24), step_days=step),
        "peer, web app": Setting(first=months_before(12), step_days=90),
    }
    if every:
        chosen["peer, 6 months"] = Setting(first=months_before(6), step_days=step)
    return chosen


# --- the peer's input --------------------------------------------------------------------------


def episodes(care: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Cut periods of care into placements: CHILD, DOB, DECOM, DEC, PLACE (dates as datetime64)."""
    last = np.datetime64("2100-01-01")
    rows = []
    spells = zip(
        care["child_id"],
        care["date_of_birth"],
        care["start"],
        care["end"],
        care["uasc"],
        strict=True,
    )
    for child, born, start, end, uasc in spells:
        begins, ends = start, end if pd.notna(end) else pd.Timestamp(last)
        while begins < ends:
            early = (begins - start).days < EARLY_MONTHS * DAYS_PER_MONTH
            per_month = EARLY_MOVES_PER_MONTH if early else MOVES_PER_MONTH
            days = max(1, round(rng.exponential(DAYS_PER_MONTH / per_month)))
            until = min(begins + pd.Timedelta(days=days), ends)
            age = (begins - born).days / DAYS_PER_YEAR
            kind = "uasc" if uasc else "young" if age < 10 else "middle" if age < 16 else "old"
            codes, shares = PLACEMENTS[kind]
            rows.append((child, born, begins, until, rng.choice(codes, p=shares)))
            begins = until
        if start == ends:  # in and out on one day
            rows.append((child, born, start, ends, "U1"))
    return pd.DataFrame(rows, columns=["CHILD", "DOB", "DECOM", "DEC", "PLACE"])


def write_returns(history: History, folder: Path, rng: np.random.Generator) -> None:
    """`YEARS` years of header and episodes files, as known at the end of each year."""
    oldest = pd.Timestamp(months_before(12 * YEARS))
    care = history.care
    known = care[(care["start"] <= pd.Timestamp(CENSUS_DATE)) & ~(care["end"] <= oldest)]
    cut = episodes(known, rng)
    folder.mkdir(parents=True)
    for back in range(YEARS):
        ended = pd.Timestamp(months_before(12 * back))
        began = pd.Timestamp(months_before(12 * (back + 1)))
        mine = cut[(cut["DECOM"] <= ended) & (cut["DEC"] > began)]
        year = ended.year
        text = {name: mine[name].dt.strftime("%d/%m/%Y") for name in ("DOB", "DECOM", "DEC")}
        text["DEC"] = text["DEC"].where(mine["DEC"] <= ended, "")
        blank = dict.fromkeys(
            (
                "RNE",
                "LS",
                "CIN",
                "PLACE_PROVIDER",
                "REC",
                "REASON_PLACE_CHANGE",
                "HOME_POST",
                "PL_POST",
            ),
            "",
        )
        frame = mine[["CHILD", "PLACE"]].assign(DECOM=text["DECOM"], DEC=text["DEC"], **blank)
        frame.to_csv(folder / f"{year}-episodes.csv", index=False)
        header = pd.DataFrame({"CHILD": mine["CHILD"], "DOB": text["DOB"]}).drop_duplicates()
        header.assign(SEX=1, ETHNIC="", UPN="", MOTHER="", MC_DOB="").to_csv(
            folder / f"{year}-header.csv", index=False
        )


# --- both forecasts ----------------------------------------------------------------------------


def simulate_and_forecast(number: int, folder: Path) -> list[dict[str, object]]:
    """Simulate one authority, write the peer's files, forecast from our lists; a row a horizon."""
    size, kind = SIZES[number % 3], KINDS[(number // 3) % 4]
    intake: Intake = "trend" if kind == "trend" else "step" if kind == "step" else "plain"
    truth = draw_authority(size, seed=number, drift=kind != "steady", intake=intake)
    history = simulate_authority(truth, seed=number, months_after=25)
    write_returns(history, folder / str(number), np.random.default_rng([number, 7]))
    lists = dm.check(annex_a(history, CENSUS_DATE)).lists
    if lists is None:
        raise RuntimeError(f"authority {number}: the extract was refused")
    exposure = dm.tabulate(dm.spells(lists))
    before = monthly_truth(history, history.first_date, CENSUS_DATE).iloc[-MONTHS_OF_COUNTS:]
    before.index = pd.PeriodIndex(pd.DatetimeIndex(before.pop("month_end")), freq="M")
    run, informed = (
        dm.simulate(
            dm.fit(exposure, history=counts),
            horizon_months=24,
            draws=DRAWS,
            seed=number,
            threads=1,
        )[0]
        for counts in (None, dm.History.of(before))
    )
    happened = monthly_truth(history, date(2026, 10, 1), date(2028, 9, 30))["cla_open"]
    rows: list[dict[str, object]] = []
    for horizon in HORIZONS:
        drawn = np.asarray(run.measures["cla_open", "all"][horizon - 1], float)
        actual = float(happened.iloc[horizon - 1])
        rows.append(
            {
                "number": number,
                "size": size,
                "kind": kind,
                "horizon": horizon,
                "actual": actual,
                "now": float(run.opening["cla_open"]),
                "ours": float(drawn.mean()),
                "informed": float(np.mean(informed.measures["cla_open", "all"][horizon - 1])),
                "in80": covered(drawn, actual, 0.80),
                "in95": covered(drawn, actual, 0.95),
            }
        )
    return rows


def ask_peer(python: str, folder: Path, chosen: dict[str, Setting]) -> Iterable[dict[str, object]]:
    """The peer's forecasts of every authority in the folder, as they come."""
    days = [
        (pd.Timestamp(CENSUS_DATE) + pd.offsets.MonthEnd(h) - pd.Timestamp(CENSUS_DATE)).days
        for h in HORIZONS
    ]
    asked = {
        "census": CENSUS_DATE.isoformat(),
        "days": days,
        "settings": {
            name: {"first": s.first.isoformat(), "step_days": s.step_days}
            for name, s in chosen.items()
        },
    }
    command = [python, "-c", PEER, str(folder), json.dumps(asked)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the peer's answer cannot be read")
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode != 0:
        raise RuntimeError(f"the peer stopped with exit code {process.returncode}. {NEEDS}")


def with_peer(ours: pd.DataFrame, answers: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Our rows with a column for each of the peer's settings, and ``seconds`` and ``opening``."""
    out = ours.set_index(["number", "horizon"])
    for answer in answers:
        paths = answer["paths"]
        if not isinstance(paths, dict):
            raise TypeError("the peer's answer has no paths")
        for name, (now, *values, seconds) in paths.items():
            for horizon, value in zip(HORIZONS, values, strict=True):
                out.loc[(answer["number"], horizon), [name, f"{name} s"]] = value, seconds
                out.loc[(answer["number"], horizon), "peer now"] = now
    return out.reset_index()


# --- report ------------------------------------------------------------------------------------


def report(scores: pd.DataFrame, names: list[str]) -> None:
    more = f"ours, with {MONTHS_OF_COUNTS} months of counts"
    mine = {"ours, six-month lists": scores["ours"], more: scores["informed"]}
    scores = scores.assign(**mine, **{"no change": scores["now"]})
    methods = [*mine, "no change", *names]
    print(f"\n{scores['number'].nunique()} authorities; children in care, months ahead")
    measures: tuple[tuple[str, Callable[[pd.Series, pd.Series], float]], ...] = (
        ("mean absolute error, children", lambda e, _: float(e.abs().mean())),
        ("mean absolute error, % of those in care", lambda e, a: 100 * e.abs().sum() / a.sum()),
        ("mean error, % of those in care", lambda e, a: 100 * e.sum() / a.sum()),
        ("median of each authority's error, %", lambda e, a: 100 * float((e.abs() / a).median())),
    )
    for title, measure in measures:
        print(f"\n{title:<44}" + "".join(f"{h:>9}" for h in HORIZONS))
        for name in methods:
            cells = []
            for _, part in scores.groupby("horizon"):
                cells.append(measure(part[name] - part["actual"], part["actual"]))
            print(f"{name:<44}" + "".join(f"{cell:>9.2f}" for cell in cells))
    for by in ("size", "kind"):
        print(f"\nmean absolute error, % of those in care, by {by}")
        for (group, horizon), part in scores.groupby([by, "horizon"], sort=False):
            if horizon not in (12, 24):
                continue
            missed = {name: (part[name] - part["actual"]).abs().sum() for name in methods}
            total = part["actual"].sum()
            told = [f"{name} {100 * error / total:.1f}" for name, error in missed.items()]
            print(f"  {group}, {horizon} months: " + "; ".join(told))
    print("\nOur ranges held what happened (the peer gives none)")
    held = scores.groupby("horizon")[["in80", "in95"]].mean()
    print(held.astype(float).round(3).T.to_string())
    for name in names:
        seconds = scores.groupby("number")[f"{name} s"].first()
        print(f"{name}: {seconds.median():.1f} s an authority for its path of 24 months")
    off = (scores["peer now"] - scores["now"]).abs().max()
    print(f"Children in care at the census date: the two differ by at most {off:.0f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer", default=None, help="Python of the peer's environment")
    parser.add_argument("--authorities", type=int, default=60)
    parser.add_argument("--daily", action="store_true", help="the peer in steps of a day")
    parser.add_argument("--all", action="store_true", help="its command line's 6 months too")
    parser.add_argument("--save", type=Path, default=None, help="write the scores as CSV")
    options = parser.parse_args()
    if options.peer is None:
        print(NEEDS, file=sys.stderr)
        return 2
    chosen = settings(every=options.all, daily=options.daily)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        numbers = range(FIRST_NUMBER, FIRST_NUMBER + options.authorities)
        rows = [row for n in numbers for row in simulate_and_forecast(n, Path(work))]
        print(f"ours and the files: {time.perf_counter() - started:.0f} s", flush=True)
        scores = with_peer(pd.DataFrame(rows), ask_peer(options.peer, Path(work), chosen))
    if options.save is not None:
        scores.to_csv(options.save, index=False)
    report(scores, list(chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
