"""Forecasts against what truly happened, on simulated authorities.

Each authority is simulated child by child (samples/demand_samples, which knows
nothing of the engine), an Annex A extract with a six-month window is taken at
the census date, the engine runs on the extract alone, and its forecast is held
against the 24 months that follow.

"No change" is the last count with a perfectly calibrated spread: the log
changes that the authorities of the same size and kind really had, both signs.

    python benchmarks/simulated_truth.py [--authorities 500] [--quick] [--cache DIR]
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

import demand_model as dm
from demand_samples.extract import annex_a
from demand_samples.observe import monthly_truth
from demand_samples.presets import draw_authority
from demand_samples.simulate import CENSUS_DATE, simulate_authority
from demand_samples.truth import AuthorityTruth
from scoring import covered, crps

HORIZONS = (3, 6, 12, 24)
STOCKS = ("cp_open", "cla_open")
FLOWS = ("referrals", "cp_starts", "cp_ends", "cla_starts", "cla_ends")
SIZES = ("small", "middling", "large")
_ENOUGH_FOR_KINDS = 96
"""Authorities from which "no change" has a spread of its own for each kind."""
KINDS = ("steady", "drifting", "trend", "step")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One authority: what the engine may see, and what it may not."""

    number: int
    size: str
    kind: str
    exposure: dm.Exposure
    truth: pd.DataFrame


def drawn(number: int) -> tuple[str, str, AuthorityTruth]:
    """Size, kind and truth of authority `number`."""
    size, kind = SIZES[number % 3], KINDS[(number // 3) % 4]
    intake = kind if kind in ("trend", "step") else "plain"
    return size, kind, draw_authority(size, seed=number, drift=kind != "steady", intake=intake)


def make_case(number: int) -> Case:
    """Simulate authority `number` and take its extract."""
    size, kind, authority = drawn(number)
    history = simulate_authority(authority, seed=number, months_after=25)
    lists = dm.check(annex_a(history, CENSUS_DATE)).lists
    if lists is None:
        raise RuntimeError(f"authority {number}: the extract was refused")
    truth = monthly_truth(history, date(2026, 10, 1), date(2028, 9, 30))
    return Case(
        number=number,
        size=size,
        kind=kind,
        exposure=dm.tabulate(dm.spells(lists)),
        truth=truth,
    )


def cached_case(number: int, cache: Path | None) -> Case:
    """The case, from `cache` if it is there."""
    if cache is None:
        return make_case(number)
    file = cache / f"{number}.pickle"
    if file.exists():
        return pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    case = make_case(number)
    file.write_bytes(pickle.dumps(case))
    return case


def score_case(number: int, cache: Path | None, draws: int) -> list[dict[str, object]]:
    """Run one authority; a row a measure and horizon."""
    case = cached_case(number, cache)
    started = time.perf_counter()
    rates = dm.fit(case.exposure)
    run = dm.simulate(rates, horizon_months=24, draws=draws, seed=number, threads=1)[0]
    seconds = time.perf_counter() - started
    rows: list[dict[str, object]] = []
    for measure in (*STOCKS, *FLOWS):
        paths = run.measures[measure, "all"]
        actual = case.truth[measure].to_numpy(float)
        for horizon in HORIZONS:
            at = slice(horizon - 1, horizon) if measure in STOCKS else slice(0, horizon)
            forecast, happened = paths[at].sum(axis=0), float(actual[at].sum())
            now = float(run.opening[measure]) if measure in STOCKS else np.nan
            rows.append(
                {
                    "number": number,
                    "size": case.size,
                    "kind": case.kind,
                    "measure": measure,
                    "horizon": horizon,
                    "now": now,
                    "actual": happened,
                    "mean": float(forecast.mean()),
                    "crps": crps(forecast, happened),
                    "in50": covered(forecast, happened, 0.5),
                    "in80": covered(forecast, happened, 0.8),
                    "in95": covered(forecast, happened, 0.95),
                    "sd_log": float(np.std(np.log(np.maximum(forecast, 0.5)))),
                    "seconds": seconds,
                }
            )
    return rows


def no_change(scores: pd.DataFrame) -> pd.Series:
    """CRPS of "no change" with a perfectly calibrated spread, for each stock row."""
    out = pd.Series(np.nan, index=scores.index)
    stocks = scores[scores["measure"].isin(STOCKS)]
    few = scores["number"].nunique() < _ENOUGH_FOR_KINDS
    alike = ["size"] if few else ["size", "kind"]
    for _, group in stocks.groupby([*alike, "measure", "horizon"]):
        change = np.log((group["actual"] + 0.5) / (group["now"] + 0.5)).to_numpy()
        for position, (label, row) in enumerate(group.iterrows()):
            others = np.delete(change, position)
            spread = np.concatenate([others, -others])
            out[label] = crps((row["now"] + 0.5) * np.exp(spread) - 0.5, row["actual"])
    return out


def report(scores: pd.DataFrame) -> None:
    """Print coverage by cell and CRPS against "no change"."""
    scores = scores.assign(no_change=no_change(scores))
    print("\nCoverage of the 80% and 95% intervals (flows: totals to the horizon)")
    cells = scores.groupby(["measure", "horizon"])[["in80", "in95"]].mean()
    print(cells.unstack("horizon").round(3).to_string())
    print(
        f"overall: 50% {scores['in50'].mean():.3f}, 80% {scores['in80'].mean():.3f}, "
        f"95% {scores['in95'].mean():.3f}"
    )
    stocks = scores[scores["measure"].isin(STOCKS)]

    def ratio(by: list[str], frame: pd.DataFrame = stocks) -> pd.DataFrame:
        sums = frame.groupby([*by, "horizon"])[["crps", "no_change"]].sum()
        return (sums["crps"] / sums["no_change"]).unstack("horizon").round(3)

    print('\nCRPS over that of "no change" with a perfectly calibrated spread')
    print(ratio(["measure"]).to_string())
    print(ratio(["measure", "kind"]).to_string())
    print(ratio(["measure", "size"]).to_string())
    # Sums of children are ruled by the largest; here each score is over the last count.
    print("\nThe same, every authority weighing the same")
    scale = stocks["now"] + 0.5
    shares = {name: stocks[name] / scale for name in ("crps", "no_change")}
    print(ratio(["measure"], stocks.assign(**shares)).to_string())
    print("\n80% coverage of stocks by kind")
    print(stocks.groupby(["measure", "kind", "horizon"])["in80"].mean().unstack().round(2))
    log = np.log((stocks["mean"] + 0.5) / (stocks["actual"] + 0.5))
    print("\nMean log error of stocks (bias), sd of log error, sd in the forecast")
    table = stocks.assign(error=log).groupby(["measure", "horizon"])
    print(
        pd.DataFrame(
            {
                "bias": table["error"].mean(),
                "sd_error": table["error"].std(),
                "sd_forecast": table["sd_log"].mean(),
            }
        ).round(3)
    )
    print(f"\nauthorities {scores['number'].nunique()}, {scores['seconds'].median():.2f} s each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authorities", type=int, default=504)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="12 authorities, for CI")
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--save", type=Path, default=None, help="write the scores as CSV")
    options = parser.parse_args()
    count = 12 if options.quick else options.authorities
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    numbers = range(options.first, options.first + count)
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(
            score_case,
            numbers,
            [options.cache] * count,
            [120 if options.quick else options.draws] * count,
            chunksize=4,
        )
        scores = pd.DataFrame([row for rows in found for row in rows])
    if options.save is not None:
        scores.to_csv(options.save, index=False)
    report(scores)


if __name__ == "__main__":
    main()
