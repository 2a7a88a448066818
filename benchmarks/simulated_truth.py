"""Forecasts against what truly happened, on simulated authorities.

Each authority is simulated child by child (samples/demand_samples, which knows
nothing of the engine), an Annex A extract with a six-month window is taken at
the census date, the engine runs on the extract alone, and its forecast is held
against the 24 months that follow.

"No change" is the last count with a perfectly calibrated spread, in the two
readings that `scoring` explains; steady authorities, moving ones and all are
reported apart.

    python benchmarks/simulated_truth.py [--authorities 500] [--quick] [--cache DIR]
        [--kind steady]
"""

from __future__ import annotations

import argparse
import itertools
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
from demand_samples.history import CENSUS_DATE
from demand_samples.observe import monthly_truth
from demand_samples.presets import Intake, Size, draw_authority
from demand_samples.simulate import simulate_authority
from demand_samples.truth import AuthorityTruth
from scoring import READINGS, covered, crps, ratios, report_sets, with_no_change
from scoring import no_change as calibrated_no_change

HORIZONS = (3, 6, 12, 24)
STOCKS = ("cp_open", "cla_open")
FLOWS = ("referrals", "cp_starts", "cp_ends", "cla_starts", "cla_ends")
SIZES: tuple[Size, ...] = ("small", "middling", "large")
KINDS = ("steady", "drifting", "trend", "step")
STILL = ("steady",)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One authority: what the engine may see, and what it may not."""

    number: int
    size: str
    kind: str
    exposure: dm.Exposure
    truth: pd.DataFrame


def kind_of(number: int) -> str:
    """Kind of authority `number`."""
    return KINDS[(number // len(SIZES)) % len(KINDS)]


def drawn(number: int) -> tuple[Size, str, AuthorityTruth]:
    """Size, kind and truth of authority `number`."""
    size, kind = SIZES[number % 3], kind_of(number)
    intake: Intake = "trend" if kind == "trend" else "step" if kind == "step" else "plain"
    return size, kind, draw_authority(size, seed=number, drift=kind != "steady", intake=intake)


def numbers_of(kind: str | None, first: int, count: int) -> list[int]:
    """The first so many numbers from `first` on, of one kind if it is given."""
    wanted = (n for n in itertools.count(first) if kind is None or kind_of(n) == kind)
    return list(itertools.islice(wanted, count))


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
        kept: Case = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
        return kept
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
    """CRPS of "no change", of the same size and kind where there are enough, else of the size."""
    of_kind = calibrated_no_change(scores, ["size", "kind"])
    return of_kind.where(of_kind.notna(), calibrated_no_change(scores, ["size"]))


def report(scores: pd.DataFrame) -> None:
    """Print coverage by cell and CRPS against "no change"."""
    scores = with_no_change(scores)
    report_sets(scores, STILL)
    stocks = scores[scores["measure"].isin(STOCKS)]
    print('\nCRPS over that of "no change", by kind and by size')
    print(ratios(stocks, ["measure", "kind"]).sort_index(level=0).round(3).to_string())
    print(ratios(stocks, ["measure", "size"]).sort_index(level=0).round(3).to_string())
    # Sums of children are ruled by the largest; here each score is over the last count.
    print("\nThe same, every authority weighing the same")
    scale = stocks["now"] + 0.5
    shares = {name: stocks[name] / scale for name in ("crps", *READINGS)}
    print(ratios(stocks.assign(**shares), ["measure"]).round(3).to_string())
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
    parser.add_argument("--kind", choices=KINDS, default=None, help="authorities of one kind only")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="12 authorities, for CI")
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--save", type=Path, default=None, help="write the scores as CSV")
    options = parser.parse_args()
    count = 12 if options.quick else options.authorities
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    numbers = numbers_of(options.kind, options.first, count)
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
