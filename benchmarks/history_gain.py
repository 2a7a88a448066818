"""What months of history beside the lists do for the forecast, on simulated authorities.

Each authority is forecast from its six-month lists alone, and from the same lists with
true monthly counts of the last 12, 36 and 60 months (the lists themselves show six):
the same children, the same seed. Printed: CRPS with history over CRPS without it, for
stocks and flows, by kind of authority; and the coverage of ranges.

    python benchmarks/history_gain.py [--authorities 144] [--quick] [--cache DIR]
"""

from __future__ import annotations

import argparse
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

import demand_model as dm
from scoring import covered, crps
from simulated_truth import FLOWS, HORIZONS, STOCKS, drawn, no_change

from demand_samples.extract import annex_a  # isort: skip - simulated_truth sets the path
from demand_samples.observe import monthly_truth  # isort: skip
from demand_samples.simulate import CENSUS_DATE, simulate_authority  # isort: skip

MONTHS_GIVEN = (0, 12, 36, 60)
"""Months up to the census date; the lists show the last six of them."""
_DETAIL_YEARS = 8
_FIRST, _LAST = date(2021, 10, 1), date(2028, 9, 30)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One authority: what the engine may see (lists, months before), and what it may not."""

    number: int
    size: str
    kind: str
    exposure: dm.Exposure
    before: pd.DataFrame
    after: pd.DataFrame


def make_case(number: int) -> Case:
    """Simulate authority `number` with eight years of detail before the census date."""
    size, kind, authority = drawn(number)
    lived = simulate_authority(authority, seed=number, months_after=25, detail_years=_DETAIL_YEARS)
    lists = dm.check(annex_a(lived, CENSUS_DATE)).lists
    if lists is None:
        raise RuntimeError(f"authority {number}: the extract was refused")
    truth = monthly_truth(lived, _FIRST, _LAST)
    truth.index = pd.PeriodIndex(pd.DatetimeIndex(truth.pop("month_end")), freq="M")
    census = pd.Period(CENSUS_DATE, freq="M")
    return Case(
        number=number,
        size=size,
        kind=kind,
        exposure=dm.tabulate(dm.spells(lists)),
        before=truth[truth.index <= census],
        after=truth[truth.index > census],
    )


def cached_case(number: int, cache: Path | None) -> Case:
    """The case, from `cache` if it is there."""
    if cache is None:
        return make_case(number)
    file = cache / f"history-{number}.pickle"
    if file.exists():
        return pickle.loads(file.read_bytes())  # noqa: S301 - our own file
    case = make_case(number)
    file.write_bytes(pickle.dumps(case))
    return case


def score_case(
    number: int, cache: Path | None, draws: int, given: tuple[int, ...] = MONTHS_GIVEN
) -> list[dict[str, object]]:
    """Run one authority with each length of history; a row a length, measure and horizon."""
    case = cached_case(number, cache)
    rows: list[dict[str, object]] = []
    for months in given:
        started = time.perf_counter()
        history = dm.History.of(case.before.iloc[-months:]) if months else None
        rates = dm.fit(case.exposure, history=history)
        run = dm.simulate(rates, horizon_months=24, draws=draws, seed=number, threads=1)[0]
        seconds = time.perf_counter() - started
        for measure in (*STOCKS, *FLOWS):
            for horizon in HORIZONS:
                row = _score(run, case, measure, horizon)
                rows.append({"number": number, "given": months, "seconds": seconds, **row})
    return rows


def _score(run: dm.Trajectories, case: Case, measure: str, horizon: int) -> dict[str, object]:
    stock = measure in STOCKS
    at = slice(horizon - 1, horizon) if stock else slice(0, horizon)
    forecast = run.measures[measure, "all"][at].sum(axis=0)
    actual = float(case.after[measure].to_numpy(float)[at].sum())
    return {
        "size": case.size,
        "kind": case.kind,
        "measure": measure,
        "horizon": horizon,
        "now": float(run.opening[measure]) if stock else np.nan,
        "actual": actual,
        "mean": float(forecast.mean()),
        "crps": crps(forecast, actual),
        "in80": covered(forecast, actual, 0.8),
        "in95": covered(forecast, actual, 0.95),
    }


def _relative(scores: pd.DataFrame) -> pd.DataFrame:
    """CRPS over the authority's own usual level, so that large ones do not decide alone."""
    alone = scores[scores["given"] == 0]
    scale = alone.groupby(["measure", "horizon", "size"])["crps"].mean().rename("scale")
    joined = scores.join(scale, on=["measure", "horizon", "size"])
    return joined.assign(relative=joined["crps"] / joined["scale"])


def _ratios(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    sums = _relative(scores).groupby([*by, "horizon", "given"])["relative"].mean()
    wide = sums.unstack("given")
    return wide.div(wide[0], axis=0).drop(columns=0).unstack("horizon").round(3)


def _noise(scores: pd.DataFrame, given: int, repeats: int = 400) -> pd.DataFrame:
    """Standard error of a ratio, by resampling authorities."""
    wide = _relative(scores).pivot_table(
        index="number", columns=["measure", "horizon", "given"], values="relative"
    )
    rng = np.random.default_rng(0)
    picked = rng.integers(0, len(wide), (repeats, len(wide)))
    means = wide.to_numpy()[picked].mean(axis=1)
    frame = pd.DataFrame(means, columns=wide.columns).T.unstack("given")
    ratio = frame.xs(given, axis=1, level="given") / frame.xs(0, axis=1, level="given")
    return ratio.std(axis=1).unstack("horizon").round(3)


def report(scores: pd.DataFrame) -> None:
    """Print ratios and coverage."""
    pd.set_option("display.width", 200, "display.max_columns", 40)
    flows = scores["measure"].isin(FLOWS)
    grouped = scores.assign(group=np.where(flows, "flows", scores["measure"]))
    print("\nCRPS with history over CRPS without; months given, then months ahead")
    print(_ratios(scores, ["measure"]).to_string())
    print("\nThe same by kind of authority")
    print(_ratios(grouped, ["group", "kind"]).to_string())
    print("\nStandard error of these ratios, 60 months given")
    print(_noise(scores, scores["given"].max()).to_string())
    stocks = scores[scores["measure"].isin(STOCKS)]
    parts = [g.assign(no_change=no_change(g)) for _, g in stocks.groupby("given")]
    sums = pd.concat(parts)
    for by in (["measure"], ["measure", "kind"]):
        total = sums.groupby([*by, "horizon", "given"])[["crps", "no_change"]].sum()
        print('\nCRPS over that of "no change" with a perfectly calibrated spread')
        ratio = (total["crps"] / total["no_change"]).unstack(["given", "horizon"])
        print(ratio.sort_index(axis=1).round(2).to_string())
    print("\nCoverage of 80% ranges")
    print(scores.groupby(["measure", "given", "horizon"])["in80"].mean().unstack([1, 2]).round(2))
    print(grouped.groupby(["group", "kind", "given"])["in80"].mean().unstack().round(3))
    print("\nAll measures")
    print(scores.groupby("given")[["in80", "in95", "seconds"]].mean().round(3).to_string())
    print(f"\nauthorities {scores['number'].nunique()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authorities", type=int, default=144)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="12 authorities, for CI")
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--save", type=Path, default=None, help="write the scores as CSV")
    options = parser.parse_args()
    count = 12 if options.quick else options.authorities
    draws = 120 if options.quick else options.draws
    given = (0, 36) if options.quick else MONTHS_GIVEN
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(
            score_case,
            range(count),
            [options.cache] * count,
            [draws] * count,
            [given] * count,
            chunksize=4,
        )
        scores = pd.DataFrame([row for rows in found for row in rows])
    if options.save is not None:
        scores.to_csv(options.save, index=False)
    report(scores)


if __name__ == "__main__":
    main()
