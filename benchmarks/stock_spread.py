"""Do forecast stocks move as much as real ones do?

Log changes of a stock over 12 and 24 months, for small, middling and large authorities
(thirds by the authority's mean stock):

    real        children in care at 31 March 2010 to 2024, children on plans 2013 to 2024
                (DfE, OGL v3.0), all years, March 2020 to March 2021 among them; every pair
                of years one or two apart
    engine      simulated authorities whose stocks are those of the third, one of each (the
                smallest has 22 children on plans and moves most); the forecast from
                a six-month extract alone: within, root mean square over authorities of the
                standard deviation over draws; total, over authorities and draws together
                (what the forecast expects to change counts too, as it does in the real)
    generator   what truly happened to the same authorities, origins a quarter apart

`raw` is the standard deviation about the mean of all years; `own` has the mean of each
pair of years over authorities taken out first: one forecast must hold the movement of all
England too, so the raw figure is the one to meet, and the target is a ratio real / engine
from 0.85 to 1.15. The range given with it is chance: authorities drawn again with
replacement, 5th to 95th percentile. A few authorities double or halve their plans within
a year; `80%` sets the widths from the 10th to the 90th percentile against each other (all
draws together), which such years do not stretch and on which 80% ranges rest.

Run: ``python benchmarks/stock_spread.py [--authorities 8] [--draws 300] [--cache DIR]
[--data FOLDER]``. ``--prior plan_exit_drift.sd=0.18 dispersion.plan_starts=2.2`` changes the
national priors, to see what it does; ``--measure plans`` leaves care out.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "samples"))

import demand_model as dm
from demand_model.rates.priors import Priors
from demand_samples.extract import annex_a
from demand_samples.history import CENSUS_DATE
from demand_samples.observe import monthly_truth, open_on
from demand_samples.presets import Size, draw_authority
from demand_samples.simulate import simulate_authority
from demand_samples.truth import AuthorityTruth

Floats = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
MEASURES = {"care": "cla_open", "plans": "cp_open"}
SIZES = ("small", "middling", "large")
MONTHS = (12, 24)
TARGET = (0.85, 1.15)
RESAMPLES = 400
_HALF_CHILD = 0.5
_BASE: tuple[tuple[float, Size, float], ...] = (
    (180.0, "small", 97.0),
    (560.0, "middling", 310.0),
    (np.inf, "large", 1000.0),
)
"""Stocks up to which a kind of authority is scaled, and the stock that it has."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One simulated authority: what the engine may see, and what truly happened."""

    measure: str
    size: str
    exposure: dm.Exposure
    changes: Mapping[int, Floats]  # months: true log changes, origins a quarter apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of log changes: standard deviations, and the distance of the 10th and 90th percentile."""

    within: float
    total: float
    width: float
    generator: float


# --- real --------------------------------------------------------------------------------------


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """Years × authorities, children open at 31 March."""
    care = pd.read_csv(folder / "care-by-year.csv")
    both = pd.read_csv(folder / "authority-by-year.csv")
    both = both[~both["la_code"].str.startswith(("E92", "E12", "E13"))]
    plans = both[both["cpp_at_31_march"].notna()]
    return {
        "care": care.pivot(index="year", columns="la_code", values="at_31_march"),
        "plans": plans.pivot(index="year", columns="la_code", values="cpp_at_31_march"),
    }


def thirds(stocks: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Authorities by their mean stock."""
    third = pd.qcut(stocks.mean(), 3, labels=list(SIZES))
    return {size: stocks.loc[:, third == size] for size in SIZES}


def log_changes(stocks: pd.DataFrame, years: int) -> pd.DataFrame:
    logs = pd.DataFrame(np.log(stocks + _HALF_CHILD))
    return logs - logs.shift(years)


def real_spread(stocks: pd.DataFrame, years: int, *, year_effect: pd.Series | None) -> float:
    """Standard deviation of log changes; `year_effect` is taken out where it is given."""
    changes = log_changes(stocks, years)
    if year_effect is not None:
        changes = changes.sub(year_effect, axis=0)
    return float(np.nanstd(changes.to_numpy(float)))


def width(changes: Floats) -> float:
    """Distance of the 10th and 90th percentile, NaN left out."""
    low, high = np.nanquantile(changes, [0.1, 0.9])
    return float(high - low)


def chance_of_real(stocks: pd.DataFrame, years: int) -> tuple[float, float]:
    """5th and 95th percentile of the raw spread on other sets of as many authorities."""
    rng = np.random.default_rng(5)
    changes = log_changes(stocks, years).to_numpy(float)
    count = changes.shape[1]
    found = [np.nanstd(changes[:, rng.integers(0, count, count)]) for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)


# --- simulated ---------------------------------------------------------------------------------


def scaled(truth: AuthorityTruth, factor: float) -> AuthorityTruth:
    """The same authority with `factor` times as many children."""
    return replace(
        truth,
        referrals=replace(
            truth.referrals, level_per_working_day=truth.referrals.level_per_working_day * factor
        ),
        plans=replace(
            truth.plans, other_starts_per_month=truth.plans.other_starts_per_month * factor
        ),
        care=replace(
            truth.care,
            other_starts_per_month=truth.care.other_starts_per_month * factor,
            uasc_starts_per_month=truth.care.uasc_starts_per_month * factor,
        ),
    )


def make_case(measure: str, size: str, children: float, seed: int) -> Case:
    """A drifting authority with about `children` open at the census date."""
    base, usual = next((name, has) for upto, name, has in _BASE if children < upto)
    truth = scaled(draw_authority(base, seed=seed), children / usual)
    column = MEASURES[measure]
    # Authorities differ in rates too: the first draw says by how much the stock is off.
    first = simulate_authority(truth, seed=seed, months_after=25)
    now = max(open_on(first, CENSUS_DATE)[column], 1)
    history = simulate_authority(scaled(truth, children / now), seed=seed, months_after=25)
    lists = dm.check(annex_a(history, CENSUS_DATE)).lists
    if lists is None:
        raise RuntimeError(f"authority {seed}: the extract was refused")
    true = monthly_truth(history, history.first_date, date(2028, 9, 30))[column]
    logs = np.log(true.to_numpy(float) + _HALF_CHILD)
    return Case(
        measure=measure,
        size=size,
        exposure=dm.tabulate(dm.spells(lists)),
        changes={m: (logs[m:] - logs[:-m])[::3] for m in MONTHS},
    )


def cached_case(measure: str, size: str, children: float, seed: int, cache: Path | None) -> Case:
    file = None if cache is None else cache / f"{measure}-{size}-{seed}.pickle"
    if file is not None and file.exists():
        case = pickle.loads(file.read_bytes())  # noqa: S301 - our own file
        if isinstance(case, Case):
            return case
    case = make_case(measure, size, children, seed)
    if file is not None:
        file.write_bytes(pickle.dumps(case))
    return case


def changed_priors(changes: Sequence[tuple[str, str, float]]) -> Priors:
    """National priors with some fields set: name of the prior, its field, its value."""
    priors = Priors()
    for name, field, value in changes:
        priors = replace(priors, **{name: replace(getattr(priors, name), **{field: value})})
    return priors


def forecast_changes(
    job: tuple[str, str, float, int], cache: Path | None, draws: int, priors: Priors
) -> tuple[str, str, dict[int, Floats], Mapping[int, Floats]]:
    """Log changes that the forecast draws, and the true ones, of one authority."""
    measure, size, children, seed = job
    case = cached_case(measure, size, children, seed, cache)
    rates = dm.fit(case.exposure, priors=priors)
    run = dm.simulate(rates, horizon_months=max(MONTHS), draws=draws, seed=seed, threads=1)[0]
    column = MEASURES[measure]
    paths = np.asarray(run.measures[column, "all"], float)
    start = np.log(run.opening[column] + _HALF_CHILD)
    drawn = {m: np.log(paths[m - 1] + _HALF_CHILD) - start for m in MONTHS}
    return measure, size, drawn, case.changes


def simulated(
    stocks: dict[str, pd.DataFrame],
    *,
    authorities: int | None,
    draws: int,
    cache: Path | None,
    priors: Priors,
    workers: int,
) -> dict[tuple[str, str, int], Spread]:
    """The forecasts' spread by measure, size and months."""
    jobs = []
    for measure, table in stocks.items():
        for number, (size, part) in enumerate(thirds(table).items()):
            means = np.sort(part.mean().to_numpy(float))
            if authorities is not None:
                means = np.quantile(means, (np.arange(authorities) + 0.5) / authorities)
            for i, children in enumerate(means):
                jobs.append((measure, size, float(children), 1000 * number + i))
    count = len(jobs)
    with ProcessPoolExecutor(workers) as pool:
        found = list(
            pool.map(forecast_changes, jobs, [cache] * count, [draws] * count, [priors] * count)
        )
    out = {}
    for measure in stocks:
        for size in SIZES:
            mine = [f for f in found if f[:2] == (measure, size)]
            for m in MONTHS:
                drawn = np.array([f[2][m] for f in mine])
                true = np.concatenate([f[3][m] for f in mine])
                out[measure, size, m] = Spread(
                    within=float(np.sqrt(drawn.var(axis=1).mean())),
                    total=float(drawn.std()),
                    width=width(drawn),
                    generator=float(true.std()),
                )
    return out


# --- report ------------------------------------------------------------------------------------


def report(stocks: dict[str, pd.DataFrame], found: dict[tuple[str, str, int], Spread]) -> None:
    print(
        f"{'':<28}{'mean':>6}{'real raw (chance)':>24}{'own':>7}{'within':>8}{'total':>7}"
        f"{'generator':>11}   real over engine:{'raw/within':>11}{'raw/total':>11}"
        f"{'own/within':>12}{'80%':>6}"
    )
    missed = 0
    for (measure, size, months), engine in found.items():
        part = thirds(stocks[measure])[size]
        years = months // 12
        effect = log_changes(stocks[measure], years).mean(axis=1)
        raw = real_spread(part, years, year_effect=None)
        own = real_spread(part, years, year_effect=effect)
        low, high = chance_of_real(part, years)
        wide = width(log_changes(part, years).to_numpy(float)) / engine.width
        met = TARGET[0] <= raw / engine.within <= TARGET[1]
        missed += not met
        print(
            f"{measure + ', ' + size + ', ' + str(months) + ' months':<28}"
            f"{part.mean().mean():>6.0f}{raw:>10.3f} ({low:.3f}–{high:.3f}){own:>7.3f}"
            f"{engine.within:>8.3f}{engine.total:>7.3f}{engine.generator:>11.3f}"
            f"{raw / engine.within:>31.2f}{raw / engine.total:>11.2f}{own / engine.within:>12.2f}"
            f"{wide:>6.2f}  {'met' if met else 'not met'}"
        )
    print(
        f"Target, real raw / engine within from {TARGET[0]} to {TARGET[1]}: "
        f"{len(found) - missed} of {len(found)} cells met"
    )
    for measure, table in stocks.items():
        quiet = table.copy()
        quiet.loc[2021] = np.nan
        told = [
            f"{m} months {real_spread(table, m // 12, year_effect=None):.3f} and "
            f"{real_spread(quiet, m // 12, year_effect=None):.3f}"
            for m in MONTHS
        ]
        print(f"{measure}, all sizes, with and without March 2021: " + "; ".join(told))


def parse_prior(text: str) -> tuple[str, str, float]:
    """``plan_exit_drift.sd=0.18`` as name, field and value."""
    where, value = text.split("=")
    name, field = where.split(".")
    return name, field, float(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--authorities", type=int, default=None, help="of each size and measure, if not all"
    )
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--measure", choices=tuple(MEASURES), default=None)
    parser.add_argument("--prior", type=parse_prior, nargs="*", default=[])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the two CSV files")
    options = parser.parse_args()
    if not (options.data / "care-by-year.csv").exists():
        print("Skipped: care-by-year.csv is not here. Give its folder with --data.")
        return
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    stocks = load(options.data)
    if options.measure is not None:
        stocks = {options.measure: stocks[options.measure]}
    found = simulated(
        stocks,
        authorities=options.authorities,
        draws=options.draws,
        cache=options.cache,
        priors=changed_priors(options.prior),
        workers=options.workers,
    )
    report(stocks, found)


if __name__ == "__main__":
    main()
