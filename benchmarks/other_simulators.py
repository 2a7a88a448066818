"""Forecasts against what truly happened, on simulators that the model was not built on.

The worlds are those of `other_worlds`: plans that end at reviews, short and long care
careers, families that move together, drift, trend, step. Each authority's lists are
taken at the census date and go through check, spells, tabulate, fit and simulate; the
forecast is held against the 24 months that follow.

"No change" is the last count with a perfectly calibrated spread: the log changes
that the authorities of the same world and size really had, both signs.

    python benchmarks/other_simulators.py [--authorities 60] [--worlds reviews careers]
        [--cache DIR] [--draws 400] [--quick]
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Hashable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import demand_model as dm
from other_worlds import (
    AHEAD_MONTHS,
    REFERRALS_PER_MONTH,
    WARM_UP_MONTHS,
    WORLDS,
    about,
    annex_a,
    monthly,
    simulate_world,
)
from scoring import covered, crps

SIZES = tuple(REFERRALS_PER_MONTH)
HORIZONS = (3, 6, 12, 24)
STOCKS = ("cp_open", "cla_open")
FLOWS = ("referrals", "cp_starts", "cp_ends", "cla_starts", "cla_ends")
MEASURES = (*STOCKS, *FLOWS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One authority: what the engine may see, and what it may not."""

    exposure: dm.Exposure
    truth: pd.DataFrame
    before: pd.DataFrame


def make_case(world: str, number: int) -> Case:
    """Simulate authority `number` of a world and take its extract."""
    rng = np.random.default_rng([number, list(WORLDS).index(world), 2026])
    size = SIZES[number % 3]
    level = REFERRALS_PER_MONTH[size] * about(rng, 0.2)
    history = simulate_world(WORLDS[world](rng), level, rng)
    lists = dm.check(annex_a(history, rng)).lists
    if lists is None:
        raise RuntimeError(f"{world} {number}: the extract was refused")
    return Case(
        exposure=dm.tabulate(dm.spells(lists)),
        truth=monthly(history, WARM_UP_MONTHS, AHEAD_MONTHS),
        before=monthly(history, WARM_UP_MONTHS - 48, 48),
    )


def cached_case(world: str, number: int, cache: Path | None) -> Case:
    """The case, from `cache` if it is there."""
    if cache is None:
        return make_case(world, number)
    file = cache / f"{world}-{number}.pickle"
    if file.exists():
        kept: Case = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
        return kept
    case = make_case(world, number)
    file.write_bytes(pickle.dumps(case))
    return case


def score_case(world: str, number: int, cache: Path | None, draws: int) -> list[dict[str, object]]:
    """Forecast one authority; a row a measure and horizon."""
    case = cached_case(world, number, cache)
    started = time.perf_counter()
    rates = dm.fit(case.exposure)
    run = dm.simulate(rates, horizon_months=AHEAD_MONTHS, draws=draws, seed=number, threads=1)[0]
    seconds = time.perf_counter() - started
    rows: list[dict[str, object]] = []
    for measure in MEASURES:
        paths, actual = run.measures[measure, "all"], case.truth[measure].to_numpy(float)
        for horizon in HORIZONS:
            at = slice(horizon - 1, horizon) if measure in STOCKS else slice(0, horizon)
            forecast, happened = paths[at].sum(axis=0), float(actual[at].sum())
            rows.append(
                {
                    "world": world, "number": number, "size": SIZES[number % 3],
                    "measure": measure, "horizon": horizon, "actual": happened,
                    "now": float(run.opening[measure]) if measure in STOCKS else np.nan,
                    "mean": float(forecast.mean()), "sd": float(forecast.std()),
                    "crps": crps(forecast, happened),
                    "rank": float((forecast < happened).mean() + (forecast == happened).mean() / 2),
                    "in80": covered(forecast, happened, 0.8),
                    "in95": covered(forecast, happened, 0.95), "seconds": seconds,
                }
            )  # fmt: skip
    return rows


def no_change(scores: pd.DataFrame) -> pd.Series:
    """CRPS of the last count with the log changes of authorities alike, both signs."""
    out = pd.Series(np.nan, index=scores.index)
    stocks = scores[scores["measure"].isin(STOCKS)]
    for _, group in stocks.groupby(["world", "size", "measure", "horizon"]):
        now, actual = group["now"].to_numpy(float) + 0.5, group["actual"].to_numpy(float)
        change = np.log((actual + 0.5) / now)
        for position, label in enumerate(group.index):
            others = np.delete(change, position)
            spread = np.exp(np.concatenate([others, -others]))
            out.loc[label] = crps(now[position] * spread - 0.5, float(actual[position]))
    return out


def report(scores: pd.DataFrame) -> None:
    """Print coverage, CRPS over "no change" and bias by world, and what targets are met."""
    scores = scores.assign(no_change=no_change(scores))
    print("\nCoverage of the 80% and 95% intervals, all worlds (flows: totals to the horizon)")
    cells = scores.groupby(["measure", "horizon"])[["in80", "in95"]].mean().unstack("horizon")
    print(cells.loc[list(MEASURES)].round(3).to_string())
    print("\n80% coverage by world")
    by_world = scores.pivot_table(
        index="measure", columns=["world", "horizon"], values="in80", sort=False
    )
    print(by_world.round(2).to_string())
    stocks = scores[scores["measure"].isin(STOCKS)]
    sums = stocks.groupby(["measure", "world", "horizon"])[["crps", "no_change"]].sum()
    ratio = (sums["crps"] / sums["no_change"]).unstack("horizon")
    print('\nCRPS over that of "no change" with a perfectly calibrated spread')
    print(ratio.round(3).to_string())
    total = stocks.groupby(["measure", "horizon"])[["crps", "no_change"]].sum()
    print((total["crps"] / total["no_change"]).unstack("horizon").round(3).to_string())
    _print_bias(scores)
    shares = scores.groupby(["measure", "horizon"])["in80"].mean()
    _print_targets(scores, shares.to_dict(), (total["crps"] / total["no_change"]).to_dict())


def _print_bias(scores: pd.DataFrame) -> None:
    error = scores["mean"] - scores["actual"]
    table = scores.assign(z=error / scores["sd"])
    table["bias"] = 100.0 * error / scores["actual"].clip(lower=1.0)
    by = ["measure", "world", "horizon"]
    print("\nMean error, % of what happened (median over authorities)")
    print(table.groupby(by)["bias"].median().unstack().round(1).to_string())
    print("\nSpread of what happened around the mean, over the forecast's own (1 = calibrated)")
    print(np.sqrt(table.assign(z=table["z"] ** 2).groupby(by)["z"].mean()).unstack().round(2))


def _print_targets(
    scores: pd.DataFrame, shares: Mapping[Hashable, float], ratios: Mapping[Hashable, float]
) -> None:
    """`shares` within 80% intervals and `ratios` to "no change" are by (measure, horizon)."""
    met = {True: "met", False: "NOT met"}
    share = float(scores["in80"].mean())
    outside = {cell: value for cell, value in shares.items() if not 0.74 <= value <= 0.86}
    print(f"\n80% intervals hold {share:.3f} (0.77 to 0.83): {met[0.77 <= share <= 0.83]}")
    print(f"95% intervals hold {scores['in95'].mean():.3f}")
    print(f"cells of measure x horizon within 0.74 to 0.86: {met[not outside]}")
    for cell, value in outside.items():
        print(f"  {cell}: {value:.3f}")
    for cell, value in ratios.items():
        print(f"CRPS over no change {cell}: {value:.3f} (1.00): {met[value <= 1.0]}")
    authorities = len(scores[["world", "number"]].drop_duplicates())
    print(f"authorities {authorities}, {scores['seconds'].median():.2f} s each")


def spreads(worlds: list[str], count: int, cache: Path | None) -> None:
    """Print the sd of log changes of stocks of 200 to 400 children over 12 and 24 months."""
    rows = []
    for world in worlds:
        for number in range(count):
            case = cached_case(world, number, cache)
            whole = pd.concat([case.before, case.truth], ignore_index=True)
            for measure in STOCKS:
                level = whole[measure].to_numpy(float)
                for months in (12, 24):
                    for begin in range(0, len(level) - months, 12):
                        if 200 <= level[begin] <= 400:
                            change = float(np.log(level[begin + months] / level[begin]))
                            rows.append((world, measure, months, change))
    table = pd.DataFrame(rows, columns=["world", "measure", "months", "change"])
    print("\nSpread of log changes, stocks of 200 to 400 (real: plans .234, .276; care .079, .115)")
    print(table.groupby(["measure", "world", "months"])["change"].std().unstack().round(3))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--authorities", type=int, default=60, help="of each world")
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--save", type=Path, default=None, help="write the scores as CSV")
    parser.add_argument("--quick", action="store_true", help="six authorities of each world")
    options = parser.parse_args()
    count = 6 if options.quick else options.authorities
    draws = 100 if options.quick else options.draws
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    jobs = [(world, number) for world in options.worlds for number in range(count)]
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(
            score_case,
            [world for world, _ in jobs],
            [number for _, number in jobs],
            [options.cache] * len(jobs),
            [draws] * len(jobs),
            chunksize=4,
        )
        scores = pd.DataFrame([row for rows in found for row in rows])
    if options.save is not None:
        scores.to_csv(options.save, index=False)
    report(scores)
    spreads(options.worlds, count, options.cache)


if __name__ == "__main__":
    main()
