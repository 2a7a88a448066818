"""Forecasts against what truly happened, on simulators that the model was not built on.

The worlds are those of `other_worlds`: plans that end at reviews, short and long care
careers, families that move together, each still and moving; drift, trend, step. Each
authority's lists are taken at the census date and go through check, spells, tabulate, fit
and simulate; the forecast is held against the 24 months that follow.

"No change" is the last count with a perfectly calibrated spread, in the two readings that
`scoring` explains (a world is a kind); still worlds, moving ones and all are reported apart.
At the end: how much the worlds move, beside real figures.

    python benchmarks/other_simulators.py [--authorities 60] [--worlds reviews careers]
        [--cache DIR] [--draws 400] [--quick]
"""

from __future__ import annotations

import argparse
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import demand_model as dm
from generator_realism import APART, of_referrals, slope, yearly
from other_extract import annex_a
from other_worlds import (
    AHEAD_MONTHS,
    FIRST_MONTH,
    REFERRALS_PER_MONTH,
    STILL_WORLDS,
    WARM_UP_MONTHS,
    WORLDS,
    about,
    monthly,
    simulate_world,
)
from scoring import covered, crps, ratios, report_sets, with_no_change

SIZES = tuple(REFERRALS_PER_MONTH)
HORIZONS = (3, 6, 12, 24)
STOCKS = ("cp_open", "cla_open")
FLOWS = ("referrals", "cp_starts", "cp_ends", "cla_starts", "cla_ends")
MEASURES = (*STOCKS, *FLOWS)
REAL_MOVEMENT = {
    **dict(
        zip(
            [f"{months} apart" for months in APART],
            (0.032, 0.043, 0.051, 0.067, 0.092, 0.126, 0.142),
            strict=True,
        )
    ),
    "cp_starts on referrals": 0.383,
    "cla_starts on referrals": 0.189,
}
"""As `generator_realism` prints them."""


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


def report(scores: pd.DataFrame) -> None:
    """Print coverage, CRPS over "no change" and bias by world, and what targets are met."""
    scores = with_no_change(scores.rename(columns={"world": "kind"}))
    report_sets(scores, STILL_WORLDS)
    print("\n80% coverage by world")
    by_world = scores.groupby(["measure", "kind", "horizon"])["in80"].mean()
    print(by_world.unstack("horizon").round(2).to_string())
    print('\nCRPS over that of "no change" by world')
    stocks = scores[scores["measure"].isin(STOCKS)]
    print(ratios(stocks, ["measure", "kind"]).sort_index(level=0).round(3).to_string())
    _print_bias(scores)
    authorities = len(scores[["kind", "number"]].drop_duplicates())
    print(f"authorities {authorities}, {scores['seconds'].median():.2f} s each")


def _print_bias(scores: pd.DataFrame) -> None:
    error = scores["mean"] - scores["actual"]
    table = scores.assign(z=error / scores["sd"])
    table["bias"] = 100.0 * error / scores["actual"].clip(lower=1.0)
    by = ["measure", "kind", "horizon"]
    print("\nMean error, % of what happened (median over authorities)")
    print(table.groupby(by)["bias"].median().unstack().round(1).to_string())
    print("\nSpread of what happened around the mean, over the forecast's own (1 = calibrated)")
    spread = table.assign(z=table["z"] ** 2).groupby(by)["z"].mean().pow(0.5)
    print(spread.unstack().round(2).to_string())


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


def wandering(worlds: list[str], count: int, cache: Path | None) -> None:
    """Print how monthly referrals wander, and how far starts follow them, beside real figures."""
    columns = {"real (76 authorities)": pd.Series(REAL_MOVEMENT)}
    for world in worlds:
        months = {}
        for number in range(count):
            case = cached_case(world, number, cache)
            whole = pd.concat([case.before, case.truth], ignore_index=True).astype(float)
            first = FIRST_MONTH + WARM_UP_MONTHS - len(case.before)
            whole.index = pd.period_range(str(first), periods=len(whole), freq="M")
            months[number] = whole
        referrals = pd.DataFrame({number: part["referrals"] for number, part in months.items()})
        found = of_referrals(referrals.where(referrals > 0))[[f"{k} apart" for k in APART]]
        years = pd.concat([yearly(part, str(number)) for number, part in months.items()])
        for starts in ("cp_starts", "cla_starts"):
            found[f"{starts} on referrals"] = slope(years, starts, 1)
        columns[world] = found
    print("\nReferrals: mean squared log difference by months apart, chance taken out;")
    print("slope of a year's change in starts on that in referrals")
    print(pd.DataFrame(columns).round(3).to_string())


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
    wandering(options.worlds, count, options.cache)


if __name__ == "__main__":
    main()
