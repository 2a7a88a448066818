"""What published yearly figures say of the gains of the loops: caseload, leaving and exits.

    python benchmarks/loop_gains.py [--data ../shared/data]

Elasticities of turnover, absence and exit rates in cases per worker, over authorities and
years (DfE, children's social work workforce; children looked after; child protection plans):
within authorities (means of authority and of year taken out) and across them (means of year
taken out). Standard errors are clustered by authority. Exits are divided by the stock a year
before: divided by the stock of the same year, which also counts towards cases, they give
-0.2 to -0.3 by arithmetic alone. An association, not proof of a cause.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parents[1] / "../shared/data"

OUTCOMES = {
    "turnover": "leavers / workers",
    "absence": "share of workers absent",
    "care exits": "ceased / in care a year before",
    "plan exits": "ended / on plans a year before",
}
CASELOADS = {"cases": "the same year", "cases before": "the year before"}
SWEEPS = 200


def _log(values: pd.Series) -> pd.Series:
    return np.log(values.where(values > 0))


def _year_before(data: pd.DataFrame, column: str) -> pd.Series:
    before = data.groupby("la_code")[[column, "year"]].shift(1)
    return before[column].where(data["year"] - before["year"] == 1)


def measured(data: pd.DataFrame) -> pd.DataFrame:
    """Logs of caseload and of what it may drive, one row an authority and year."""
    data = data.sort_values(["la_code", "year"]).reset_index(drop=True)
    care, plans = (_year_before(data, c) for c in ("cla_at_31_march", "cpp_at_31_march"))
    return data[["la_code", "year"]].assign(
        **{
            "cases": _log(data["cases_per_worker"]),
            "cases before": _log(_year_before(data, "cases_per_worker")),
            "turnover": _log(data["turnover_pct"]),
            "absence": _log(data["absence_pct"]),
            "care exits": _log(data["cla_ceased"] / care),
            "plan exits": _log(data["cpp_ends"] / plans),
        }
    )


def elasticity(
    data: pd.DataFrame, outcome: str, driver: str, groups: tuple[str, ...]
) -> tuple[float, float, int, int]:
    """Slope, its clustered standard error, rows and authorities; means of `groups` taken out."""
    rows = data.dropna(subset=[outcome, driver]).copy()
    for _ in range(SWEEPS):
        for group in groups:
            means = rows.groupby(group)[[outcome, driver]].transform("mean")
            rows[[outcome, driver]] -= means
    square = float((rows[driver] ** 2).sum())
    slope = float((rows[driver] * rows[outcome]).sum()) / square
    score = rows[driver] * (rows[outcome] - slope * rows[driver])
    error = float(np.sqrt((score.groupby(rows["la_code"]).sum() ** 2).sum())) / square
    return slope, error, len(rows), rows["la_code"].nunique()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    folder = parser.parse_args().data
    data = measured(pd.read_csv(folder / "authority-by-year.csv"))
    for outcome, meaning in OUTCOMES.items():
        print(f"{outcome} ({meaning})")
        for driver, when in CASELOADS.items():
            for words, groups in (("within", ("la_code", "year")), ("across", ("year",))):
                slope, error, rows, areas = elasticity(data, outcome, driver, groups)
                print(
                    f"  caseload of {when:15s} {words} authorities: {slope:+.2f} "
                    f"(SE {error:.2f}; {rows} rows, {areas} authorities)"
                )


if __name__ == "__main__":
    main()
