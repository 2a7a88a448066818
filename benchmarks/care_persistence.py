"""How much of a year's change of children in care is known when the year begins?

Prior `care_year` says how far a forecast at constant rates may move a stock within a year.
Real authorities (DfE, 31 March 2010 to 2024, OGL v3.0): the covariance of a year's net flow
(started less ceased, over the stock) with the log change of the stock in the next year. Chance
alone makes it negative: families who happened to come leave again. So the same covariance in
made-up authorities of the same stocks whose rates never change is taken off; the root of what
is left is the standard deviation of the change that lasts from the middle of one year to the
middle of the next.

    python benchmarks/care_persistence.py [--authorities 10] [--data FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

from demand_samples.history import CENSUS_DATE
from demand_samples.observe import monthly_truth, open_on
from demand_samples.presets import Size, draw_authority
from demand_samples.simulate import simulate_authority
from stock_spread import DATA, SIZES, scaled

Floats = NDArray[np.float64]

_USUAL_STOCK: dict[Size, float] = {"small": 97.0, "middling": 310.0, "large": 1000.0}
_ODD_CHANGE = 0.5
"""A log change within a year beyond which boundaries, not children, have moved."""


def real_pairs(folder: Path) -> pd.DataFrame:
    """A year's net flow and the next year's log change, with the year's mean taken out."""
    table = pd.read_csv(folder / "care-by-year.csv").sort_values(["la_code", "year"])
    stock = table["at_31_march"]
    log_change = np.log(stock).groupby(table["la_code"]).diff()
    pairs = pd.DataFrame(
        {
            "year": table["year"],
            "stock": table.groupby("la_code")["at_31_march"].transform("mean"),
            "net": (table["started"] - table["ceased"]) / stock,
            "next": log_change.groupby(table["la_code"]).shift(-1),
        }
    ).dropna()
    pairs = pairs[(pairs["net"].abs() < _ODD_CHANGE) & (pairs["next"].abs() < _ODD_CHANGE)]
    for column in ("net", "next"):
        pairs[column] -= pairs.groupby("year")[column].transform("mean")
    pairs["third"] = pd.qcut(pairs["stock"], 3, labels=list(SIZES)).astype(str)
    return pairs


def made_up_covariance(stock: float, authorities: int, seed: int, *, drift: bool) -> float:
    """The same covariance in made-up authorities; without drift it is chance alone."""
    size = min(_USUAL_STOCK, key=lambda name: abs(np.log(_USUAL_STOCK[name] / stock)))
    net: list[Floats] = []
    later: list[Floats] = []
    for number in range(authorities):
        truth = draw_authority(size, seed=seed + number, drift=drift)
        first = simulate_authority(truth, seed=seed + number, months_after=25)
        factor = stock / max(open_on(first, CENSUS_DATE)["cla_open"], 1)
        history = simulate_authority(scaled(truth, factor), seed=seed + number, months_after=25)
        months = monthly_truth(history, history.first_date, date(2028, 9, 30))
        log = np.log(months["cla_open"].to_numpy(float))
        begin = np.arange(0, len(log) - 24, 3)
        net.append(log[begin + 12] - log[begin])
        later.append(log[begin + 24] - log[begin + 12])
    return float(np.cov(np.concatenate(net), np.concatenate(later))[0, 1])


def report(pairs: pd.DataFrame, authorities: int) -> None:
    """Print, by thirds, the covariance, chance's part and what lasts."""
    print(
        f"{'':<10}{'stock':>7}{'sd':>7}{'covariance':>13}{'of chance':>12}{'sd that lasts':>15}"
        f"{'in drifting made-up ones':>27}"
    )
    for number, size in enumerate(SIZES):
        mine = pairs[pairs["third"] == size]
        stock = float(mine["stock"].mean())
        both = float(np.cov(mine["net"], mine["next"])[0, 1])
        chance, moving = (
            made_up_covariance(stock, authorities, 5000 * (number + 1), drift=drift)
            for drift in (False, True)
        )
        print(
            f"{size:<10}{stock:>7.0f}{mine['next'].std():>7.3f}{both:>13.5f}{chance:>12.5f}"
            f"{_root(both - chance):>15.3f}{_root(moving - chance):>27.3f}",
            flush=True,
        )


def _root(variance: float) -> float:
    return float(np.sqrt(max(variance, 0.0)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--authorities", type=int, default=10, help="made-up, of each third")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--quick", action="store_true", help="two made-up authorities a third")
    options = parser.parse_args()
    if not (options.data / "care-by-year.csv").exists():
        print(f"No care-by-year.csv in {options.data}: nothing measured.")
        return
    report(real_pairs(options.data), 2 if options.quick else options.authorities)


if __name__ == "__main__":
    main()
