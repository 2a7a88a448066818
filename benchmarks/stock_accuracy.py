"""Accuracy of `forecast_stock` on real authorities, beside "no change".

Yearly stocks and flows of English authorities (DfE, OGL v3.0): children in care 2010 to
2024, children on plans 2013 to 2024; rolling origins, one to three years ahead, only data
up to the origin given to either forecast.

    no change          last count × exp(changes of the log over as many years, up to the origin,
                       of all other authorities, both signs)
    ratio              sum of CRPS / sum of CRPS of "no change"
    relative           the same, each CRPS first divided by the last count
    hindsight          ratio to "no change" whose errors come from every year, later ones too
    own                ratio once the movement that all authorities shared (the mean error of
                       an origin's forecasts, log scale) is taken out of both: whether a year
                       was lost to the country or to the model
    80%, 95%           share of actual stocks inside the interval

Run: ``python benchmarks/stock_accuracy.py [--quick] [--data FOLDER]``. `--quick` takes every
second origin and leaves out the resampling of authorities.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_model.rates.stock import NATIONAL_STOCK, StockPrior, forecast_stock
from scoring import crps

Floats = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
HORIZON = 3
DRAWS = 1000
FIRST_ORIGIN = {"care": 2014, "plans": 2016}
LAST_ORIGIN = 2021
PROBS = (np.arange(199) + 0.5) / 199  # of the empirical errors, as an ensemble
RESAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Years × authorities."""

    starts: pd.DataFrame
    ends: pd.DataFrame
    stock: pd.DataFrame


def load(folder: Path) -> dict[str, Counts]:
    care = pd.read_csv(folder / "care-by-year.csv")
    both = pd.read_csv(folder / "authority-by-year.csv")
    both = both[~both["la_code"].str.startswith(("E92", "E12", "E13"))]

    def table(rows: pd.DataFrame, column: str) -> pd.DataFrame:
        return rows.pivot(index="year", columns="la_code", values=column)

    plans = both[both["cpp_at_31_march"].notna()]
    return {
        "care": Counts(
            starts=table(care, "started"),
            ends=table(care, "ceased"),
            stock=table(care, "at_31_march"),
        ),
        "plans": Counts(
            starts=table(plans, "cpp_starts"),
            ends=table(plans, "cpp_ends"),
            stock=table(plans, "cpp_at_31_march"),
        ),
    }


def no_change_errors(logs: pd.DataFrame, code: str, years: int, last_year: int) -> Floats:
    """Changes of the log of the other authorities, both signs, as quantiles."""
    changes = logs.loc[:last_year].diff(years).drop(columns=code).to_numpy().ravel()
    changes = changes[~np.isnan(changes)]
    return np.asarray(np.quantile(np.concatenate([changes, -changes]), PROBS), float)


def with_2025(counts: Counts, folder: Path) -> Counts:
    """Care, with the year that no hyperparameter was estimated on, where it is published."""
    later = pd.read_csv(folder / "authority-by-year.csv").query("year == 2025")
    columns = {"starts": "cla_started", "ends": "cla_ceased", "stock": "cla_at_31_march"}
    tables = {}
    for name, column in columns.items():
        row = later.set_index("la_code")[column].to_frame().T.set_axis([2025])
        table: pd.DataFrame = getattr(counts, name)
        tables[name] = pd.concat([table, row.reindex(columns=table.columns)])
    return Counts(**tables)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """Both forecasts of one authority, and what happened."""

    code: str
    last: float
    drawn: Floats
    base: Floats
    late: Floats
    actual: float


def outcomes(
    counts: Counts, origin: int, *, flows: bool, prior: StockPrior
) -> dict[int, list[Outcome]]:
    """By years ahead, every authority counted at the origin and then."""
    logs = counts.stock.map(lambda children: float(np.log(children + 0.5)))
    found: dict[int, list[Outcome]] = {years: [] for years in range(1, HORIZON + 1)}
    for number, code in enumerate(counts.stock.columns):
        past = counts.stock.loc[:origin, code]
        if np.isnan(past.loc[origin]):
            continue
        starts = counts.starts.loc[:origin, code] if flows else None
        ends = counts.ends.loc[:origin, code] if flows else None
        # A seed each: one seed for all would shift every forecast the same way by chance.
        seed = 1000 * origin + number
        forecast = forecast_stock(starts, ends, past, HORIZON, seed, DRAWS, prior=prior)
        last = float(past.loc[origin])
        for years, mine in found.items():
            actual = counts.stock[code].get(origin + years, np.nan)
            if np.isnan(actual):
                continue
            mine.append(
                Outcome(
                    code=code,
                    last=last,
                    drawn=forecast.draws[years - 1].astype(float),
                    base=last * np.exp(no_change_errors(logs, code, years, origin)),
                    late=last * np.exp(no_change_errors(logs, code, years, 9999)),
                    actual=float(actual),
                )
            )
    return {years: mine for years, mine in found.items() if mine}


def shared_error(pairs: list[tuple[float, float]]) -> float:
    """Factor by which all were off: geometric mean of actual over forecast."""
    return float(np.exp(np.mean([np.log((a + 0.5) / (f + 0.5)) for a, f in pairs])))


def score_all(
    counts: Counts,
    origins: list[int],
    *,
    flows: bool = True,
    prior: StockPrior = NATIONAL_STOCK,
) -> pd.DataFrame:
    """One row for each authority, origin and horizon."""
    rows = []
    for origin in origins:
        for years, found in outcomes(counts, origin, flows=flows, prior=prior).items():
            ours_off = shared_error([(o.actual, float(np.median(o.drawn))) for o in found])
            base_off = shared_error([(o.actual, o.last) for o in found])
            for o in found:
                below, upto = np.mean(o.drawn < o.actual), np.mean(o.drawn <= o.actual)
                rows.append(
                    {
                        "code": o.code,
                        "origin": origin,
                        "years": years,
                        "last": o.last,
                        "ours": crps(o.drawn, o.actual),
                        "base": crps(o.base, o.actual),
                        "late": crps(o.late, o.actual),
                        "own": crps(o.drawn * ours_off, o.actual),
                        "own_base": crps(o.base * base_off, o.actual),
                        "rank": (below + upto) / 2,
                        "error": abs(np.median(o.drawn) - o.actual) / o.actual,
                        "base_error": abs(o.last - o.actual) / o.actual,
                    }
                )
    return pd.DataFrame(rows)


def covers(rows: pd.DataFrame, probability: float) -> float:
    edge = (1 - probability) / 2
    return float(((rows["rank"] >= edge) & (rows["rank"] <= 1 - edge)).mean())


def ratio(rows: pd.DataFrame) -> float:
    return float(rows["ours"].sum() / rows["base"].sum())


def show(name: str, rows: pd.DataFrame) -> None:
    print(
        f"\n{name:<28}{'n':>6}{'ratio':>8}{'relative':>10}{'hindsight':>11}{'own':>7}"
        f"{'80%':>7}{'95%':>7}{'MAPE':>8}{'no change':>11}"
    )
    for years in range(1, HORIZON + 1):
        part = rows[rows["years"] == years]
        relative = (part["ours"] / part["last"]).sum() / (part["base"] / part["last"]).sum()
        label = f"  {years} year" + ("s" if years > 1 else "")
        print(
            f"{label:<28}{len(part):>6}{ratio(part):>8.3f}"
            f"{relative:>10.3f}{part['ours'].sum() / part['late'].sum():>11.3f}"
            f"{part['own'].sum() / part['own_base'].sum():>7.3f}"
            f"{covers(part, 0.8):>7.3f}{covers(part, 0.95):>7.3f}"
            f"{part['error'].mean():>8.3f}{part['base_error'].mean():>11.3f}"
        )


def show_groups(rows: pd.DataFrame) -> None:
    size = pd.qcut(rows["last"], 3, labels=["small", "middling", "large"])
    for label, groups in (("by size", size), ("by origin", rows["origin"])):
        told = [
            f"{key} {ratio(part):.2f} ({covers(part, 0.8):.2f}, {covers(part, 0.95):.2f})"
            for key, part in rows.groupby(groups, observed=True)
        ]
        print(f"  {label}, ratio (80%, 95%): " + "; ".join(told))


def show_years(rows: pd.DataFrame, counts: Counts) -> None:
    """Ratio by the year forecast, beside how far the authorities moved in it."""
    moved = counts.stock.map(lambda children: float(np.log(children + 0.5))).diff().median(axis=1)
    print("  by the year forecast: median change in it, ratio (own)")
    for year, part in rows.groupby(rows["origin"] + rows["years"]):
        own = part["own"].sum() / part["own_base"].sum()
        print(f"    {year}: {100 * moved[year]:+5.1f}%  {ratio(part):.2f} ({own:.2f})")


def show_resampled(rows: pd.DataFrame) -> None:
    """Chance of authorities: the same on other sets of as many, drawn with replacement."""
    rng = np.random.default_rng(3)
    by_code = [part for _, part in rows.groupby("code")]
    measures: dict[str, Callable[[pd.DataFrame], float]] = {
        "ratio": ratio,
        "80%": lambda part: covers(part, 0.8),
        "95%": lambda part: covers(part, 0.95),
    }
    found = []
    for _ in range(RESAMPLES):
        picked = rng.integers(0, len(by_code), len(by_code))
        sample = pd.concat([by_code[i] for i in picked])
        found.append([measure(sample) for measure in measures.values()])
    low, high = np.quantile(np.array(found), [0.05, 0.95], axis=0)
    told = [f"{n} {a:.3f} to {b:.3f}" for n, a, b in zip(measures, low, high, strict=True)]
    print("  other sets of authorities, 5th to 95th percentile: " + "; ".join(told))


def judge(name: str, rows: pd.DataFrame) -> None:
    for years in range(1, HORIZON + 1):
        part = rows[rows["years"] == years]
        eighty, ninety_five = covers(part, 0.8), covers(part, 0.95)
        met = ratio(part) < 1 and abs(eighty - 0.8) <= 0.03 and abs(ninety_five - 0.95) <= 0.03
        print(
            f"{'met    ' if met else 'not met'}  {name}, {years}: ratio {ratio(part):.3f} below 1, "
            f"80% covers {eighty:.3f}, 95% covers {ninety_five:.3f}, within .03"
        )


def without_trend() -> StockPrior:
    return replace(NATIONAL_STOCK, slow=replace(NATIONAL_STOCK.slow, trend_per_year=0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="every second origin, under 20 s")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the two CSV files")
    given = parser.parse_args()
    if not (given.data / "care-by-year.csv").exists():
        print("Skipped: care-by-year.csv is not here. Give its folder with --data.")
        return
    results = {}
    for name, counts in load(given.data).items():
        origins = list(range(FIRST_ORIGIN[name], LAST_ORIGIN + 1, 2 if given.quick else 1))
        results[name] = score_all(counts, origins)
        show(f"{name}, {origins[0]} to {origins[-1]}", results[name])
        show_groups(results[name])
        if given.quick:
            continue
        show_resampled(results[name])
        show(f"{name}, stock alone", score_all(counts, origins, flows=False))
        if name == "care":
            show("care, no national trend", score_all(counts, origins, prior=without_trend()))
            later = with_2025(counts, given.data)
            newest = score_all(later, [2022, 2023, 2024])
            show("care at 31 March 2025", newest[newest["origin"] + newest["years"] == 2025])
            show_years(pd.concat([results[name], newest]), later)
    print("\nTargets")
    for name, rows in results.items():
        judge(name, rows)


if __name__ == "__main__":
    main()
