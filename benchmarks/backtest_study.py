"""Is a back-test on an analyst's own lists fair, and what does it say?

Each simulated authority gives one Annex A extract, and `backtest` runs on it. Beside it
stand forecasts that no back-test can make: from the true extract of each earlier day, with
the window that the cut lists have and with the whole window, scored on what truly happened.
A back-test that is fair errs as they do; one that leaks looks better.

    python benchmarks/backtest_study.py [--authorities 100] [--window 6] [--quick]
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

import demand_model as dm
from demand_model.annex_a.cut import lists_at
from demand_model.results.forecast import MEASURES
from demand_samples.extract import annex_a
from demand_samples.history import CENSUS_DATE, History
from demand_samples.observe import monthly_truth, open_on
from demand_samples.presets import Intake, Size, draw_authority
from demand_samples.simulate import simulate_authority

SIZES: tuple[Size, ...] = ("small", "middling", "large")
KINDS: tuple[tuple[bool, Intake], ...] = (
    (False, "plain"),
    (True, "plain"),
    (True, "trend"),
    (True, "step"),
)
"""Whether rates drift, and what intake does."""


def simulated(number: int) -> History:
    """Authority `number`: three sizes, four kinds, in turn."""
    drift, intake = KINDS[(number // 3) % 4]
    authority = draw_authority(SIZES[number % 3], seed=number, drift=drift, intake=intake)
    return simulate_authority(authority, seed=number, months_after=1)


def extract(history: History, day: date, months: int) -> dm.Lists:
    """The lists of that day, with a window of so many months."""
    settings = dm.CheckSettings(census_date=day, window_months=dict.fromkeys((3, 7, 8), months))
    lists = dm.check(annex_a(history, day, months), settings).lists
    if lists is None:
        raise RuntimeError("an extract was refused")
    return lists


def fresh(history: History, origin: date, months: int, ahead: int, draws: int) -> pd.DataFrame:
    """Forecast from the true extract of an earlier day, beside the truth."""
    exposure = dm.tabulate(dm.spells(extract(history, origin, months)))
    run = dm.simulate(dm.fit(exposure), horizon_months=ahead, draws=draws, seed=0)
    table = dm.summarise(run, exposure).table
    table = table[table["segment"] == "all"]
    first = pd.Period(origin, "M") + 1
    truth = monthly_truth(history, first.start_time.date(), (first + ahead - 1).end_time.date())
    parts = [
        table[table["measure"] == measure].assign(
            actual=truth[measure].to_numpy(float), months_ahead=np.arange(1, ahead + 1)
        )
        for measure in MEASURES
    ]
    return pd.concat(parts, ignore_index=True)


def study(number: int, window: int, draws: int) -> tuple[pd.DataFrame, dict[str, object]]:
    """One authority: rows of every forecast, and facts about its back-test."""
    history = simulated(number)
    lists = extract(history, CENSUS_DATE, window)
    started = time.perf_counter()
    result = dm.backtest(lists, draws=draws)
    seconds = (time.perf_counter() - started) / len(result.origins)
    parts = [result.table.assign(by="back-test")]
    missing: dict[str, float] = {"cp": 0.0, "cla": 0.0}
    for origin in result.origins:
        ahead = int(result.table.loc[result.table["origin"] == str(origin), "months_ahead"].max())
        cut = lists_at(lists, origin)
        for by, months in (("true, as short", cut.windows[3].months), ("true, whole", window)):
            parts.append(fresh(history, origin, months, ahead, draws).assign(by=by))
        truly = open_on(history, origin)
        missing["cp"] += 1 - cut.plans["end"].isna().sum() / truly["cp_open"]
        missing["cla"] += 1 - cut.care["end"].isna().sum() / truly["cla_open"]
    facts: dict[str, object] = {
        "seconds": seconds,
        "narrow": sum("too narrow" in sentence for sentence in result.sentences),
        "judged": sum("too few" not in sentence for sentence in result.sentences),
        **{f"missing_{k}": v / len(result.origins) for k, v in missing.items()},
    }
    return pd.concat(parts, ignore_index=True).assign(number=number), facts


def report(rows: pd.DataFrame, facts: pd.DataFrame) -> None:
    """Print errors by measure and months ahead, and coverage."""
    rows = rows.assign(
        inside_80=rows["actual"].between(rows["p10"], rows["p90"]),
        inside_95=rows["actual"].between(rows["p2_5"], rows["p97_5"]),
        model=(rows["mean"] - rows["actual"]).abs(),
        still=(rows["no_change"] - rows["actual"]).abs(),
        line=(rows["linear"] - rows["actual"]).abs(),
        bias=rows["mean"] - rows["actual"],
    )
    own = rows[rows["by"] == "back-test"]
    for keys in (["measure"], ["measure", "months_ahead"]):
        sums = own.groupby(keys)[["model", "still", "line", "actual"]].sum()
        errors = pd.DataFrame(
            {
                "model": sums["model"] / sums["actual"],
                "no change": sums["still"] / sums["actual"],
                "FORECAST.LINEAR": sums["line"] / sums["actual"],
            }
        )
        for by in ("true, as short", "true, whole"):
            true = rows[rows["by"] == by].groupby(keys)[["model", "actual"]].sum()
            errors[by] = true["model"] / true["actual"]
        errors["forecasts"] = own.groupby(keys).size()
        print("\nError over actual (pooled): back-test, and the model from true extracts")
        print(errors.reindex(MEASURES, level=0).round(3).to_string())
    print("\nShare inside the 80% and 95% ranges, and mean error over actual")
    cells = rows.groupby(["by", "measure"])
    table = cells[["inside_80", "inside_95"]].mean()
    table["bias"] = cells["bias"].sum() / cells["actual"].sum()
    print(table.unstack("by").reindex(MEASURES).round(3).to_string())
    print(rows.groupby("by")[["inside_80", "inside_95"]].mean().round(3).to_string())
    print(f"\nauthorities {rows['number'].nunique()}; {facts['seconds'].median():.2f} s an origin")
    print(
        "children open at an origin whom the cut lists lack, since they came back: "
        f"plans {facts['missing_cp'].mean():.2%}, care {facts['missing_cla'].mean():.2%}"
    )
    if facts["judged"].sum():
        share = facts["narrow"].sum() / facts["judged"].sum()
        print(f"ranges called too narrow: {share:.1%} of {facts['judged'].sum()} judged")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--authorities", type=int, default=100)
    parser.add_argument("--window", type=int, default=6, help="months that the lists cover")
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="6 authorities, for CI")
    parser.add_argument("--save", type=Path, default=None, help="write the forecasts as CSV")
    options = parser.parse_args()
    numbers = range(6 if options.quick else options.authorities)
    draws = 120 if options.quick else options.draws
    found = [study(number, options.window, draws) for number in numbers]
    rows = pd.concat([one for one, _ in found], ignore_index=True)
    if options.save is not None:
        rows.to_csv(options.save, index=False)
    report(rows, pd.DataFrame([facts for _, facts in found]))


if __name__ == "__main__":
    main()
