"""Accuracy of the intake model on real authorities, beside the usual forecasts.

Monthly referrals of English authorities (DfE, children in need, OGL v3.0), rolling
origins, 1 to 12 months ahead. Scores are sums over authorities, origins and horizons:

    rel. WIS       sum of weighted interval scores / sum of actual counts
    ratio          of it to AutoETS with 60 months of history, 2020-21 masked
    alike          the same ratio, each forecast's score first divided by the authority's
                   mean count of the last year: small authorities weigh as much as large
    WAPE           sum of absolute errors of the median / sum of actual counts
    80%, 95%       share of actual counts inside the interval

Five groups of forecasts: `ordinary` (origin and all twelve months outside March 2020 to
March 2021), `clear months` (every origin, months of the shock not scored), `from the
shock` (origin inside the shock, months of the shock not scored), `inside, all months`
(the same origins, nothing left out) and `every month` (every origin, nothing left out,
though nobody foresaw March 2020). The targets are judged for origins outside the shock
(first two groups) and inside it (next two). Origins are every third month from March 2017;
an authority takes part where it has 60 whole months behind and 12 ahead, so that all
methods see the same: of 76 authorities 71 do (the others were formed later).

Intervals of the others, none of which goes below 0:

    last value, seasonal naive   quantiles of their own past errors, as many months ahead,
                                 about the median (leaving out those that touch 2020-21
                                 scores 0 to 1% worse)
    AutoETS, AutoTheta           those that statsforecast gives
    FORECAST.ETS                 additive error, trend and season (Excel's AAA), with the
                                 exact interval of that model, which FORECAST.ETS.CONFINT
                                 gives; Excel's own search for the three weights may differ
    FORECAST.LINEAR              the prediction interval of a straight line (Student t;
                                 its own past errors instead score 1% worse)

"Masked": the months of 2020-21 are filled in from the others before the method sees them.

Run: ``python benchmarks/referrals_accuracy.py [--quick] [--data FILE] [--keep FOLDER]``.
AutoETS, AutoTheta and FORECAST.ETS need statsforecast (dependency group ``bench``).
`--quick` takes a quarter of the origins and leaves those three out; `--keep` holds their
quantiles in a folder, since they never change.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from demand_model.rates.intake import forecast_counts
from demand_model.rates.intake_prior import COVID_SHOCK, NATIONAL_INTAKE
from scoring import weighted_interval_score

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
RESAMPLES = 4000
HORIZON_BANDS = ((1, 3), (4, 6), (7, 12))
SIZES = ("small", "middling", "large")
REFERENCE = "AutoETS, 60, 2020-21 masked"
OUTSIDE, INSIDE = ("ordinary", "clear months"), ("from the shock", "inside, all months")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One method on one group of forecasts."""

    relative_wis: float
    alike_wis: float
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
    # A seed each: one seed for all would shift every forecast the same way by chance.
    seed = int(history.iloc[-12:].sum())
    return forecast_counts(history, HORIZON, DRAWS, seed).quantiles(PROBS.tolist())


def naive(months_back: int) -> Method:
    """The last count (1 month back), or the same month a year ago (12)."""

    def forecast(history: pd.Series) -> Floats:
        logs = np.log(np.maximum(history.to_numpy(float), 0.5))
        apart = range(1, HORIZON + 1) if months_back == 1 else [months_back] * HORIZON
        spread = np.array([np.quantile(logs[h:] - logs[:-h], PROBS) for h in apart])
        point = logs[-1:] if months_back == 1 else logs[-HORIZON:]
        return np.asarray(np.exp(point[:, None] + spread - spread[:, 3:4]), float)

    return forecast


def forecast_linear(history: pd.Series) -> Floats:
    """Excel's FORECAST.LINEAR on all months given, with its prediction interval."""
    values = history.to_numpy(float)
    n = len(values)
    x, ahead = np.arange(n, dtype=float), n + np.arange(HORIZON, dtype=float)
    slope, start = np.polyfit(x, values, 1)
    squares = float(((values - start - slope * x) ** 2).sum())
    far = (ahead - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
    sd = np.sqrt(squares / (n - 2) * (1 + 1 / n + far))
    return np.asarray((start + slope * ahead)[:, None] + sd[:, None] * stats.t.ppf(PROBS, n - 2))


def without_shock(history: pd.Series) -> pd.Series:
    """Months of 2020-21 filled in: season from the other months, level across the gap."""
    masked = in_shock(pd.PeriodIndex(history.index))
    if not masked.any():
        return history
    month = pd.PeriodIndex(history.index).month
    logs = pd.Series(np.log(history.clip(lower=0.5))).where(~masked)
    season = pd.Series(NATIONAL_INTAKE.log_profile[month - 1], history.index)
    for _ in range(5):
        level = (logs - season).rolling(11, center=True, min_periods=2).mean()
        level = level.interpolate(limit_direction="both")
        departure = (logs - level).groupby(month).transform("mean")
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


def run(
    method: Method, table: pd.DataFrame, jobs: list[tuple[str, pd.Period]], months: int
) -> Floats:
    """Quantiles of every job, shape (jobs, horizon, probs), from `months` of history."""
    found = [method(table.loc[origin - (months - 1) : origin, code]) for code, origin in jobs]
    return np.maximum(np.stack(found), 0.0)


def score(quantiles: Floats, actual: Floats, size: Floats, chosen: NDArray[np.bool_]) -> Scores:
    """Scores of the `chosen` counts; `size`, (jobs,), is the mean count of the last year."""
    picked, truth = quantiles[chosen], actual[chosen]
    usual = np.broadcast_to(size[:, None], actual.shape)[chosen]
    wis = weighted_interval_score(picked, truth, PROBS)
    inside = [np.mean((truth >= picked[:, i]) & (truth <= picked[:, -1 - i])) for i in (1, 0)]
    return Scores(
        relative_wis=float(wis.sum() / truth.sum()),
        alike_wis=float((wis / usual).mean()),
        wape=float(np.abs(truth - picked[:, 3]).sum() / truth.sum()),
        coverage_80=float(inside[0]),
        coverage_95=float(inside[1]),
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
        "inside, all months": np.repeat(begun[:, None], HORIZON, axis=1),
        "every month": np.ones_like(clear),
    }


def parts(size: Floats, within: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The counts of `within` by horizon, and by thirds of the authority's size."""
    ahead = np.arange(1, HORIZON + 1)
    found = {
        f"{first} to {last} months ahead": within & ((ahead >= first) & (ahead <= last))
        for first, last in HORIZON_BANDS
    }
    edges = np.quantile(size, [0, 1 / 3, 2 / 3, 1])
    edges[-1] += 1
    for name, low, high in zip(SIZES, edges[:-1], edges[1:], strict=True):
        label = f"{name}, {low:.0f} to {high - 1:.0f} a month"
        found[label] = within & ((size >= low) & (size < high))[:, None]
    return found


# --- report ------------------------------------------------------------------------------------


def methods(*, quick: bool) -> list[tuple[str, Method, int]]:
    """Name, method and months of history."""
    listed: list[tuple[str, Method, int]] = [
        (f"intake model, {n} months", intake_model, n) for n in (6, 12, 36, 60)
    ]
    listed += [
        ("last value, 60", naive(1), LONGEST),
        ("seasonal naive, 60", naive(HORIZON), LONGEST),
        ("FORECAST.LINEAR, 12", forecast_linear, 12),
        ("FORECAST.LINEAR, 36", forecast_linear, 36),
        ("FORECAST.LINEAR, 60", forecast_linear, LONGEST),
    ]
    if quick:
        print("AutoETS, AutoTheta, FORECAST.ETS: left out of the quick run")
    elif importlib.util.find_spec("statsforecast") is None:
        print("AutoETS, AutoTheta, FORECAST.ETS: skipped, statsforecast is not installed")
    else:
        for model in ("AutoETS", "AutoTheta", "FORECAST.ETS"):
            for months, mask in ((LONGEST, True), (LONGEST, False), (36, True)):
                name = f"{model}, {months}{', 2020-21 masked' if mask else ''}"
                listed.append((name, statistical(model, mask=mask), months))
    return listed


def kept(
    name: str, folder: Path | None, jobs: list[tuple[str, pd.Period]], make: Callable[[], Floats]
) -> Floats:
    """Quantiles of a method that is not ours, from `folder` if they are there."""
    if folder is None or "intake" in name:
        return make()
    file = folder / f"{name.replace(' ', '-')}-{len(jobs)}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(file, make())
    return np.asarray(np.load(file), float)


def show(results: dict[str, Scores], title: str) -> None:
    """One block: a line a method."""
    base = results.get(REFERENCE)
    print(f"\n{title:<44}{'rel. WIS':>9}{'ratio':>8}{'alike':>8}{'WAPE':>8}{'80%':>7}{'95%':>7}")
    for name, s in results.items():
        ratio = s.relative_wis / base.relative_wis if base else float("nan")
        alike = s.alike_wis / base.alike_wis if base else float("nan")
        print(
            f"{name:<44}{s.relative_wis:>9.4f}{ratio:>8.3f}{alike:>8.3f}"
            f"{s.wape:>8.3f}{s.coverage_80:>7.3f}{s.coverage_95:>7.3f}"
        )


def judge(results: dict[str, dict[str, Scores]]) -> None:
    """Each target of issue 3, with what was measured."""
    for where, chosen in (("outside", OUTSIDE), ("inside", INSIDE)):
        print(f"\nTargets, origins {where} March 2020 to March 2021")
        judge_groups(results, chosen)


def judge_groups(results: dict[str, dict[str, Scores]], chosen: tuple[str, ...]) -> None:
    for months, limit in ((6, TARGET_SHORT), (12, None), (36, TARGET_LONG), (60, TARGET_LONG)):
        for group in chosen:
            scores = results[group]
            ours = scores[f"intake model, {months} months"]
            if REFERENCE in scores and limit is not None:
                ratio = ours.relative_wis / scores[REFERENCE].relative_wis
                told(
                    f"{months} months, {group}: ratio {ratio:.3f}, at most {limit}", ratio <= limit
                )
            told(
                f"{months} months, {group}: 80% covers {ours.coverage_80:.3f}, from .77 to .83",
                0.77 <= ours.coverage_80 <= 0.83,
            )
            told(
                f"{months} months, {group}: 95% covers {ours.coverage_95:.3f}, from .93 to .97",
                0.93 <= ours.coverage_95 <= 0.97,
            )


def other_sets(
    quantiles: dict[str, Floats], actual: Floats, codes: list[str], chosen: NDArray[np.bool_]
) -> None:
    """How often each target holds where authorities are drawn again with replacement."""
    if REFERENCE not in quantiles:
        return
    names, which = np.unique(codes, return_inverse=True)

    def by_authority(name: str) -> Floats:
        wis = weighted_interval_score(quantiles[name], actual, PROBS) * chosen
        return np.bincount(which, weights=wis.sum(axis=1), minlength=len(names))

    rng = np.random.default_rng(5)
    picked = rng.integers(0, len(names), (RESAMPLES, len(names)))
    reference = by_authority(REFERENCE)[picked].sum(axis=1)
    print("\nAuthorities drawn again with replacement, ordinary origins")
    for months, limit in ((6, TARGET_SHORT), (36, TARGET_LONG), (60, TARGET_LONG)):
        ratio = by_authority(f"intake model, {months} months")[picked].sum(axis=1) / reference
        low, high = np.quantile(ratio, [0.05, 0.95])
        print(
            f"  {months} months: at most {limit} in {100 * np.mean(ratio <= limit):.0f} of 100 "
            f"sets; 5th to 95th percentile {low:.3f} to {high:.3f}"
        )


def told(sentence: str, met: bool) -> None:  # noqa: FBT001
    print(f"  {'met    ' if met else 'not met'}  {sentence}")


def report(
    quantiles: dict[str, Floats], actual: Floats, size: Floats, jobs: list[tuple[str, pd.Period]]
) -> None:
    """One block a group, then ours by horizon and by size, then the targets."""

    def scored(names: list[str], chosen: NDArray[np.bool_]) -> dict[str, Scores]:
        return {name: score(quantiles[name], actual, size, chosen) for name in names}

    chosen = groups(jobs)
    results = {group: scored(list(quantiles), pick) for group, pick in chosen.items()}
    for group, pick in chosen.items():
        show(results[group], f"{group}, {pick.sum():,} counts")
    few = [name for name in quantiles if "intake" in name or name == REFERENCE]
    for label, pick in parts(size, chosen["ordinary"]).items():
        show(scored(few, pick), f"ordinary, {label}")
    judge(results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the origins, under a minute"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="la_code, month, referrals")
    parser.add_argument("--keep", type=Path, default=None, help="folder of the others' quantiles")
    given = parser.parse_args()
    if not given.data.exists():
        print(f"Skipped: {given.data.name} is not here. Give it with --data.")
        return
    warnings.simplefilter("ignore")  # statsforecast warns on short or flat series
    table = load(given.data)
    jobs = tasks(table, QUICK_STEP if given.quick else ORIGIN_STEP)
    actual = np.stack([table.loc[o + 1 : o + HORIZON, code].to_numpy(float) for code, o in jobs])
    size = np.array([table.loc[o - 11 : o, code].mean() for code, o in jobs])
    print(
        f"{len({code for code, _ in jobs})} of {table.shape[1]} authorities, "
        f"{len({o for _, o in jobs})} origins, {len(jobs):,} forecasts of {HORIZON} months"
    )
    quantiles: dict[str, Floats] = {}
    for name, method, months in methods(quick=given.quick):
        started = time.perf_counter()
        make = partial(run, method, table, jobs, months)
        quantiles[name] = kept(name, given.keep, jobs, make)
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    report(quantiles, actual, size, jobs)
    other_sets(quantiles, actual, [code for code, _ in jobs], groups(jobs)["ordinary"])


if __name__ == "__main__":
    main()
