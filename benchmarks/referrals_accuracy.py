"""Accuracy of the intake model on real authorities, beside the usual forecasts.

Monthly referrals of English authorities (DfE, children in need, OGL v3.0), rolling
origins, 1 to 12 months ahead. Scores are sums over authorities, origins and horizons:

    relative WIS   sum of weighted interval scores / sum of actual counts
    WAPE           sum of absolute errors of the median / sum of actual counts
    80%, 95%       share of actual counts inside the interval

Three groups of forecasts: `ordinary` (origin and all twelve months outside March 2020 to
March 2021), `clear months` (every origin, months of the shock not scored) and `from the
shock` (origin inside the shock, months of the shock not scored).

Run: ``python benchmarks/referrals_accuracy.py [--quick] [--data FILE]``. AutoETS,
AutoTheta and FORECAST.ETS need statsforecast (dependency group ``bench``). `--quick`
takes a quarter of the origins and leaves those three out.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_model.rates.intake import forecast_counts
from demand_model.rates.intake_prior import COVID_SHOCK, NATIONAL_INTAKE

Floats = NDArray[np.float64]
Method = Callable[[pd.Series], Floats]

DATA = Path(__file__).resolve().parents[1] / "../shared/data/referrals-by-month.csv"
PROBS = np.array([0.025, 0.10, 0.25, 0.50, 0.75, 0.90, 0.975])
HORIZON = 12
LONGEST = 60
DRAWS = 2000
FIRST_ORIGIN = pd.Period("2017-03", freq="M")
ORIGIN_STEP = 3
QUICK_STEP = 11  # months: every origin then has another month of the year
TARGET_SHORT, TARGET_LONG = 0.88, 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One method on one group of forecasts."""

    relative_wis: float
    wape: float
    coverage_80: float
    coverage_95: float


# --- data --------------------------------------------------------------------------------------


def load(path: Path) -> pd.DataFrame:
    """Months × authorities; months not published are NaN."""
    rows = pd.read_csv(path)
    table = rows.pivot_table(index="month", columns="la_code", values="referrals")
    table.index = pd.PeriodIndex(table.index, freq="M")
    return table.asfreq("M")


def tasks(table: pd.DataFrame, step: int) -> list[tuple[str, pd.Period]]:
    """Authorities and origins with 60 whole months behind them and 12 ahead."""
    found = []
    for origin in pd.period_range(FIRST_ORIGIN, table.index[-1] - HORIZON, freq="M")[::step]:
        window = table.loc[origin - (LONGEST - 1) : origin + HORIZON]
        found += [(str(code), origin) for code in window.columns[window.notna().all()]]
    return found


def in_shock(months: pd.PeriodIndex) -> NDArray[np.bool_]:
    return np.asarray((months >= COVID_SHOCK.first) & (months <= COVID_SHOCK.last))


# --- methods -----------------------------------------------------------------------------------


def intake_model(history: pd.Series) -> Floats:
    return forecast_counts(history, HORIZON, DRAWS, seed=1).quantiles(PROBS.tolist())


def last_value(history: pd.Series) -> Floats:
    """The last count, with the spread of its own past changes over as many months."""
    logs = np.log(np.maximum(history.to_numpy(float), 0.5))
    changes = [np.quantile(logs[h:] - logs[:-h], PROBS) for h in range(1, HORIZON + 1)]
    changes = [change - change[3] for change in changes]
    return np.asarray(np.exp(logs[-1] + np.array(changes)), float)


def seasonal_naive(history: pd.Series) -> Floats:
    """The same month a year ago, with the spread of its own past yearly changes."""
    logs = np.log(np.maximum(history.to_numpy(float), 0.5))
    change = np.quantile(logs[HORIZON:] - logs[:-HORIZON], PROBS)
    return np.asarray(np.exp(logs[-HORIZON:, None] + (change - change[3])), float)


def forecast_linear(history: pd.Series) -> Floats:
    """Excel's FORECAST.LINEAR on all months given: a line, and no interval."""
    time_index = np.arange(len(history), dtype=float)
    slope, start = np.polyfit(time_index, history.to_numpy(float), 1)
    line = start + slope * (len(history) + np.arange(HORIZON))
    quantiles = np.full((HORIZON, len(PROBS)), np.nan)
    quantiles[:, 3] = line
    return quantiles


def without_shock(history: pd.Series) -> pd.Series:
    """Months of 2020-21 filled in: season from the other months, level across the gap."""
    masked = in_shock(pd.PeriodIndex(history.index))
    if not masked.any():
        return history
    logs = np.log(np.maximum(history, 0.5)).where(~masked)
    season = pd.Series(NATIONAL_INTAKE.log_profile[history.index.month - 1], history.index)
    for _ in range(5):
        level = (logs - season).rolling(11, center=True, min_periods=2).mean()
        level = level.interpolate(limit_direction="both")
        departure = (logs - level).groupby(history.index.month).transform("mean")
        season = departure.fillna(season)
    return history.where(~masked, np.exp(level + season))


def statistical(name: str, *, mask: bool) -> Method:
    """A method of statsforecast, as quantiles."""
    from statsforecast.models import AutoETS, AutoTheta

    models = {
        "AutoETS": AutoETS(season_length=12),
        "AutoTheta": AutoTheta(season_length=12),
        "FORECAST.ETS": AutoETS(season_length=12, model="AAA", damped=False),
    }

    def forecast(history: pd.Series) -> Floats:
        values = (without_shock(history) if mask else history).to_numpy(float)
        result = models[name].forecast(y=values, h=HORIZON, level=[50, 80, 95])
        names = ["lo-95", "lo-80", "lo-50", "mean", "hi-50", "hi-80", "hi-95"]
        return np.stack([np.asarray(result[part], float) for part in names], axis=1)

    return forecast


# --- scores ------------------------------------------------------------------------------------


def weighted_interval_score(quantiles: Floats, actual: Floats) -> Floats:
    """Twice the mean pinball loss over `PROBS` (Bracher et al. 2021); shape of `actual`."""
    error = actual[..., None] - quantiles
    return np.asarray(2 * np.maximum(PROBS * error, (PROBS - 1) * error).mean(axis=-1), float)


def run(
    method: Method, table: pd.DataFrame, jobs: list[tuple[str, pd.Period]], months: int
) -> Floats:
    """Quantiles of every job, shape (jobs, horizon, probs), from `months` of history."""
    return np.stack(
        [method(table.loc[origin - (months - 1) : origin, code]) for code, origin in jobs]
    )


def score(quantiles: Floats, actual: Floats, chosen: NDArray[np.bool_]) -> Scores:
    picked, truth = quantiles[chosen], actual[chosen]
    inside = [np.mean((truth >= picked[:, i]) & (truth <= picked[:, -1 - i])) for i in (1, 0)]
    no_interval = bool(np.isnan(picked[:, 0]).all())
    return Scores(
        relative_wis=float(weighted_interval_score(picked, truth).sum() / truth.sum()),
        wape=float(np.abs(truth - picked[:, 3]).sum() / truth.sum()),
        coverage_80=float("nan") if no_interval else float(inside[0]),
        coverage_95=float("nan") if no_interval else float(inside[1]),
    )


def groups(jobs: list[tuple[str, pd.Period]]) -> dict[str, NDArray[np.bool_]]:
    months = [pd.period_range(origin + 1, periods=HORIZON, freq="M") for _, origin in jobs]
    clear = np.stack([~in_shock(ahead) for ahead in months])
    begun = np.array([COVID_SHOCK.first <= origin <= COVID_SHOCK.last for _, origin in jobs])
    ordinary = clear.all(axis=1) & ~begun
    return {
        "ordinary": np.repeat(ordinary[:, None], HORIZON, axis=1),
        "clear months": clear,
        "from the shock": clear & begun[:, None],
    }


# --- report ------------------------------------------------------------------------------------


def methods(*, quick: bool) -> list[tuple[str, Method, int]]:
    """Name, method and months of history."""
    listed = [(f"intake model, {n} months", intake_model, n) for n in (6, 12, 36, 60)]
    listed += [
        ("last value, 60", last_value, LONGEST),
        ("seasonal naive, 60", seasonal_naive, LONGEST),
        ("FORECAST.LINEAR, 12", forecast_linear, 12),
        ("FORECAST.LINEAR, 60", forecast_linear, LONGEST),
    ]
    if quick:
        print("AutoETS, AutoTheta, FORECAST.ETS: left out of the quick run")
    elif importlib.util.find_spec("statsforecast") is None:
        print("AutoETS, AutoTheta, FORECAST.ETS: skipped, statsforecast is not installed")
    else:
        listed += [
            ("AutoETS, 60, 2020-21 masked", statistical("AutoETS", mask=True), LONGEST),
            ("AutoETS, 60", statistical("AutoETS", mask=False), LONGEST),
            ("AutoTheta, 60, 2020-21 masked", statistical("AutoTheta", mask=True), LONGEST),
            ("FORECAST.ETS (AAA), 60", statistical("FORECAST.ETS", mask=False), LONGEST),
        ]
    return listed


def show(results: dict[str, dict[str, Scores]], reference: str) -> None:
    for group in next(iter(results.values())):
        print(f"\n{group:<32}{'rel. WIS':>9}{'ratio':>8}{'WAPE':>8}{'80%':>7}{'95%':>7}")
        base = results[reference][group].relative_wis if reference in results else float("nan")
        for name, by_group in results.items():
            s = by_group[group]
            print(
                f"{name:<32}{s.relative_wis:>9.4f}{s.relative_wis / base:>8.3f}"
                f"{s.wape:>8.3f}{s.coverage_80:>7.3f}{s.coverage_95:>7.3f}"
            )


def judge(results: dict[str, dict[str, Scores]], reference: str) -> None:
    print("\nTargets")
    for months, limit in ((6, TARGET_SHORT), (36, TARGET_LONG), (60, TARGET_LONG)):
        for group in ("ordinary", "clear months"):
            ours = results[f"intake model, {months} months"][group]
            if reference in results:
                ratio = ours.relative_wis / results[reference][group].relative_wis
                told(
                    f"{months} months, {group}: ratio {ratio:.3f}, at most {limit}", ratio <= limit
                )
            told(
                f"{months} months, {group}: 80% covers {ours.coverage_80:.3f}, 95% covers "
                f"{ours.coverage_95:.3f}",
                0.77 <= ours.coverage_80 <= 0.83 and 0.93 <= ours.coverage_95 <= 0.97,
            )


def told(sentence: str, met: bool) -> None:  # noqa: FBT001
    print(f"  {'met   ' if met else 'MISSED'}  {sentence}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the origins, under a minute"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="la_code, month, referrals")
    given = parser.parse_args()
    if not given.data.exists():
        print(f"Skipped: {given.data.name} is not here. Give it with --data.")
        return
    warnings.simplefilter("ignore")  # statsforecast warns on short or flat series
    table = load(given.data)
    jobs = tasks(table, QUICK_STEP if given.quick else ORIGIN_STEP)
    actual = np.stack([table.loc[o + 1 : o + HORIZON, code].to_numpy(float) for code, o in jobs])
    chosen = groups(jobs)
    print(f"{len({code for code, _ in jobs})} authorities, {len({o for _, o in jobs})} origins")
    results: dict[str, dict[str, Scores]] = {}
    for name, method, months in methods(quick=given.quick):
        started = time.perf_counter()
        quantiles = run(method, table, jobs, months)
        results[name] = {group: score(quantiles, actual, pick) for group, pick in chosen.items()}
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    reference = "AutoETS, 60, 2020-21 masked"
    show(results, reference)
    judge(results, reference)


if __name__ == "__main__":
    main()
