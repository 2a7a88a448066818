"""Do the made-up authorities move as real ones do?

Monthly referrals of the real authorities (DfE, children in need, OGL v3.0; March 2020 to March
2021 left out) beside those of `draw_authority`, treated alike: logs of referrals a working
day, less the mean of each calendar month over authorities.

    k months apart   mean squared difference, the Poisson chance of both counts taken out
    noise            what is left one month apart: noise of a month, families among it
    calm, restless   5th and 95th percentile over authorities of the squared difference a year
                     apart
    autocorrelation  at 1, 6 and 12 months, of a stretch of 60 months about its own mean,
                     chance taken out
    a year's count   standard deviation of its log change over one and two years

And of stocks and flows: standard deviation of log changes over 12 and 24 months of authorities
with 200 to 400 children (flows: a like number a year; care flows 100 to 200), and how far
starts go with referrals: the slope of a year's change in starts on that in referrals, what
all authorities share in a year taken out.

Run: ``python benchmarks/generator_realism.py [--authorities 60] [--quick] [--data FOLDER]``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

from demand_model.units import working_days_in_months
from demand_samples.observe import monthly_truth
from demand_samples.presets import Intake, Size, draw_authority
from demand_samples.simulate import simulate_authority

Floats = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
KINDS = ("drifting", "trend", "step", "steady")
SIZES: tuple[Size, ...] = ("small", "middling", "large")
APART = (1, 2, 3, 6, 12, 24, 36)
LAGS = (1, 6, 12)
STRETCH = 60
MONTHS_AFTER = 36
STOCKS = ("cp_open", "cla_open")
FLOWS = ("cp_starts", "cp_ends", "cla_starts", "cla_ends")
LIMITS = {
    **dict.fromkeys((*STOCKS, "cp_starts", "cp_ends"), (200, 400)),
    **dict.fromkeys(("cla_starts", "cla_ends"), (100, 200)),
}
NAMES = {
    "cp_open": "cpp_at_31_march",
    "cp_starts": "cpp_starts",
    "cp_ends": "cpp_ends",
    "cla_open": "at_31_march",
    "cla_starts": "started",
    "cla_ends": "ceased",
}
"""Ours, and the column of the yearly files."""
_LEAST = 20.0


# --- data ----------------------------------------------------------------------------------------


def real_referrals(folder: Path) -> pd.DataFrame:
    """Months × authorities, months of the shock missing."""
    rows = pd.read_csv(folder / "referrals-by-month.csv")
    table = rows.pivot_table(index="month", columns="la_code", values="referrals")
    table.index = pd.PeriodIndex(table.index, freq="M")
    table = table.asfreq("M")
    table.loc[(table.index >= "2020-03") & (table.index <= "2021-03")] = np.nan
    return table.where(table > 0)


def real_years(folder: Path) -> pd.DataFrame:
    """A row an authority and year to March: our measures."""
    plans = pd.read_csv(folder / "authority-by-year.csv")
    plans = plans[~plans["la_code"].str.startswith(("E92", "E12", "E13"))]
    care = pd.read_csv(folder / "care-by-year.csv")
    keep = ["la_code", "year"]
    plans = plans[[*keep, "cpp_starts", "cpp_ends", "cpp_at_31_march"]]
    months = pd.read_csv(folder / "referrals-by-month.csv")
    period = pd.PeriodIndex(months["month"], freq="M")
    months["year"] = np.where(period.month >= 4, period.year + 1, period.year)
    sums = months.groupby(keep)["referrals"].agg(["sum", "count", "min"])
    whole = sums[(sums["count"] == 12) & (sums["min"] > 0)]["sum"].rename("referrals")
    both = plans.merge(care, on=keep, how="outer").merge(whole.reset_index(), on=keep, how="left")
    return both.rename(columns={theirs: ours for ours, theirs in NAMES.items()})


def simulated(kind: str, number: int) -> pd.DataFrame:
    """Monthly counts of one made-up authority."""
    intake: Intake = "trend" if kind == "trend" else "step" if kind == "step" else "plain"
    truth = draw_authority(SIZES[number % 3], seed=number, drift=kind != "steady", intake=intake)
    history = simulate_authority(truth, seed=number, months_after=MONTHS_AFTER)
    months = monthly_truth(history, history.first_date, history.last_date)
    months.index = pd.PeriodIndex(months["month_end"], freq="M")
    return months.drop(columns="month_end").astype(float)


def yearly(months: pd.DataFrame, code: str) -> pd.DataFrame:
    """Years of twelve months: flows summed, stocks at the end."""
    year = np.arange(len(months)) // 12
    whole = months[year < len(months) // 12]
    group = whole.groupby(year[: len(whole)])
    out = group.sum()
    for stock in STOCKS:
        out[stock] = group[stock].last()
    return out.assign(la_code=code, year=range(len(out)))


# --- referrals -----------------------------------------------------------------------------------


def residuals(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Log referrals a working day less each calendar month's mean; variance by chance."""
    months = pd.PeriodIndex(table.index)
    logs = pd.DataFrame(np.log(table.where(table >= 1)))
    logs = logs.sub(np.log(working_days_in_months(months)), axis=0)
    centred = logs - logs.rolling(13, center=True, min_periods=10).mean()
    season = centred.groupby(months.month).mean().mean(axis=1)
    return logs.sub(season.loc[months.month].to_numpy(), axis=0), 1.0 / table


def squared_differences(logs: pd.DataFrame, chance: pd.DataFrame, apart: int) -> pd.DataFrame:
    return (logs - logs.shift(apart)) ** 2 - chance - chance.shift(apart)


def autocorrelations(logs: pd.DataFrame, chance: pd.DataFrame) -> list[float]:
    """Pooled over stretches of 60 months."""
    top = np.zeros(len(LAGS))
    below = 0.0
    for first in range(0, len(logs) - STRETCH + 1, STRETCH):
        part = logs.iloc[first : first + STRETCH]
        part = part.loc[:, part.notna().sum() >= STRETCH - 14]
        own = part - part.mean()
        below += float(np.nanmean(own**2 - chance.loc[own.index, own.columns])) * own.shape[1]
        top += [float(np.nanmean(own * own.shift(lag))) * own.shape[1] for lag in LAGS]
    return [float(value) for value in top / below]


def of_referrals(table: pd.DataFrame) -> pd.Series:
    logs, chance = residuals(table)
    out = {
        f"{apart} apart": float(np.nanmean(squared_differences(logs, chance, apart)))
        for apart in APART
    }
    mean = table.mean()
    third = pd.qcut(mean.rank(method="first"), 3, labels=list(SIZES))
    near = squared_differences(logs, chance, 1)
    for size in SIZES:
        out[f"1 apart, {size}"] = float(np.nanmean(near.loc[:, third == size]))
    own = squared_differences(logs, chance, 12).mean()
    out["a year apart, calm"], out["a year apart, restless"] = np.nanquantile(own, [0.05, 0.95])
    for lag, value in zip(LAGS, autocorrelations(logs, chance), strict=True):
        out[f"autocorrelation {lag}"] = value
    return pd.Series(out)


# --- years ---------------------------------------------------------------------------------------


def log_changes(years: pd.DataFrame, measure: str, apart: int) -> pd.Series:
    table = years.pivot(index="year", columns="la_code", values=measure)
    logs = pd.DataFrame(np.log(table.where(table >= _LEAST)))
    change = (logs - logs.shift(apart)).reset_index().melt(id_vars="year").dropna()
    found: pd.Series = change.set_index(["la_code", "year"])["value"]
    return found


def of_years(years: pd.DataFrame) -> pd.Series:
    out = {}
    for apart in (1, 2):
        change = log_changes(years, "referrals", apart)
        out[f"referrals, {12 * apart} months"] = float(change.std())
    for measure, (low, high) in LIMITS.items():
        mean = years.groupby("la_code")[measure].mean()
        alike = years[years["la_code"].isin(mean.index[(mean >= low) & (mean < high)])]
        for apart in (1, 2):
            name = f"{measure}, {12 * apart} months"
            out[name] = float(log_changes(alike, measure, apart).std()) if len(alike) else np.nan
    for starts in ("cp_starts", "cla_starts"):
        for apart in (1, 2):
            out[f"{starts} on referrals, {12 * apart} months"] = slope(years, starts, apart)
    return pd.Series(out)


def slope(years: pd.DataFrame, starts: str, apart: int) -> float:
    """Of log changes in starts on those in referrals; a few that more than halve left out."""
    both = pd.DataFrame({m: log_changes(years, m, apart) for m in ("referrals", starts)}).dropna()
    both = both - both.groupby(level="year").transform("mean")
    both = both[(both["referrals"].abs() < np.log(2)) & (both[starts].abs() < 1.5)]
    return float(np.polyfit(both["referrals"], both[starts], 1)[0])


# --- report --------------------------------------------------------------------------------------


def measured(table: pd.DataFrame, years: pd.DataFrame) -> pd.Series:
    return pd.concat([of_referrals(table), of_years(years)])


def of_kind(kind: str, authorities: int) -> pd.Series:
    months = {number: simulated(kind, number) for number in range(authorities)}
    table = pd.DataFrame({number: part["referrals"] for number, part in months.items()})
    years = pd.concat([yearly(part, str(number)) for number, part in months.items()])
    return measured(table.where(table > 0), years)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--authorities", type=int, default=60, help="of each kind")
    parser.add_argument("--quick", action="store_true", help="12 of each kind, for CI")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the three CSV files")
    options = parser.parse_args(arguments)
    count = 12 if options.quick else options.authorities
    with ProcessPoolExecutor(options.workers) as pool:
        found = dict(
            zip(
                options.kinds,
                pool.map(of_kind, options.kinds, [count] * len(options.kinds)),
                strict=True,
            )
        )
    columns = {f"simulated, {kind}": series for kind, series in found.items()}
    if (options.data / "referrals-by-month.csv").exists():
        real = measured(real_referrals(options.data), real_years(options.data))
        columns = {"real": real, **columns}
    else:
        print("The files of real counts are not here (--data): made-up authorities alone.")
    print(pd.DataFrame(columns).round(3).to_string())
    print(f"made-up authorities of each kind: {count}, in equal parts small, middling, large")


if __name__ == "__main__":
    main()
