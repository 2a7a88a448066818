"""How good can any forecast of children in care be where nothing ever changes?

The steady authorities of `simulated_truth` are simulated again and again from the same
truth, so that what a truth makes likely can be counted. Forecasters who know more than any
six months of lists can tell, and some who know less, are held against "no change" with a
perfectly calibrated spread (the same size, steady authorities alone: the stricter reading of
`scoring`). Each is the best linear forecast from what it knows, its weights fitted on the
other authorities of the size, with the calibrated spread of its own errors; scores are
summed over authorities as the benchmark sums them.

    mean            the authority's own long-run mean of the stock, exactly
    mean, ages      the same, and the open list by time in care and age, and what is usual there
    hazards         hazards exactly (so the usual list), intake from six months of starts
    intake          intake exactly, hazards from six months of ends
    lists           neither: six months of starts and ends, the open list beside those of
                    other authorities; only that nothing changes is known
    12, 24, 48      the mean of its own stock over so many months
    within 3%, ...  the long-run mean, but for an error of that standard deviation

Run: ``python benchmarks/steady_limit.py [--truths 10] [--histories 40] [--quick]``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring import no_change
from simulated_truth import SIZES, drawn

from demand_samples.history import CENSUS_DATE, History  # isort: skip - the above sets the path
from demand_samples.observe import day_numbers, monthly_truth  # isort: skip
from demand_samples.simulate import simulate_authority  # isort: skip

Floats = npt.NDArray[np.float64]

AHEAD = (3, 6, 12, 24)
WINDOW = 6
ORIGINS = 4
"""Census dates a year apart in each history; what is forecast overlaps, truths do not."""
BAND_MONTHS = (0, 1, 3, 6, 12, 24, 36, 60)
BANDS = tuple(f"from {months}" for months in BAND_MONTHS)
AGES = ("aged 16", "aged 17")
PAST = (12, 24, 48)
ERRORS = (0.03, 0.04, 0.05, 0.10, 0.15, 0.20)
_DAYS_PER_MONTH, _DAYS_PER_YEAR = 30.4375, 365.25


# --- what happened ------------------------------------------------------------------------


def open_list(history: History, day: int) -> dict[str, float]:
    """Children in care at the end of a day, by months in care and by age."""
    care = history.care
    start, end = day_numbers(care["start"]), day_numbers(care["end"])
    here = (start <= day) & (end > day)
    months = (day - start[here]) / _DAYS_PER_MONTH
    years = (day - day_numbers(care["date_of_birth"])[here]) / _DAYS_PER_YEAR
    band = np.searchsorted(BAND_MONTHS, months, side="right") - 1
    counts = np.bincount(np.maximum(band, 0), minlength=len(BANDS))
    found = dict(zip(BANDS, counts.astype(float), strict=True))
    return {
        **found,
        "aged 16": float((years // 1 == 16).sum()),
        "aged 17": float((years >= 17).sum()),
    }


def origins(number: int, seed: int) -> list[dict[str, float | str]]:
    """A row an origin of one history of steady authority `number`."""
    size, _, truth = drawn(number)
    history = simulate_authority(truth, seed=seed, months_after=12 * (ORIGINS - 1) + max(AHEAD) + 1)
    months = monthly_truth(history, history.first_date, history.last_date)
    stock = months["cla_open"].to_numpy(float)
    ends = months["month_end"].to_numpy().astype("datetime64[D]")
    census = int(np.flatnonzero(ends == np.datetime64(CENSUS_DATE, "D"))[0])
    rows: list[dict[str, float | str]] = []
    for at in range(census, census + 12 * ORIGINS, 12):
        window = months.iloc[at - WINDOW + 1 : at + 1]
        rows.append(
            {
                "size": size, "truth": number, "history": seed, "now": stock[at],
                "starts": float(window["cla_starts"].sum()),
                "ends": float(window["cla_ends"].sum()),
                **{f"mean {past}": float(stock[at - past + 1 : at + 1].mean()) for past in PAST},
                **{f"after {ahead}": stock[at + ahead] for ahead in AHEAD},
                **open_list(history, int(ends[at].astype(np.int64))),
            }
        )  # fmt: skip
    return rows


def steady_numbers(truths: int) -> list[int]:
    """Numbers of the steady authorities of `simulated_truth`, `truths` of each size."""
    return [12 * block + place for block in range(truths) for place in range(len(SIZES))]


def with_usual(rows: pd.DataFrame) -> pd.DataFrame:
    """With each truth's means over its other histories: ``usual now``, ``usual starts``, ..."""
    out = rows.copy()
    for name in ("now", "starts", *BANDS, *AGES):
        whole = rows.groupby("truth")[name].agg(["sum", "count"]).loc[rows["truth"]]
        own = rows.groupby(["truth", "history"])[name].transform("sum").to_numpy(float)
        others = whole["count"].to_numpy(float) - ORIGINS
        out[f"usual {name}"] = (whole["sum"].to_numpy(float) - own) / others
    return out


# --- what each forecaster knows -----------------------------------------------------------

Knowledge = Callable[[pd.DataFrame], list[pd.Series]]
"""From rows to columns whose weighted sum is the forecast change; each has mean 0 at rest."""


def _mean(rows: pd.DataFrame) -> list[pd.Series]:
    return [rows["usual now"] - rows["now"]]


def _mean_and_ages(rows: pd.DataFrame) -> list[pd.Series]:
    return [rows[f"usual {name}"] - rows[name] for name in (*BANDS, *AGES)]


def _hazards(rows: pd.DataFrame) -> list[pd.Series]:
    per_start = rows["usual now"] / rows["usual starts"]
    expected = rows["now"] / rows["usual now"]
    list_ = [rows[f"usual {name}"] * expected - rows[name] for name in (*BANDS[1:], *AGES)]
    return [rows["starts"] * per_start - rows["now"], *list_]


def _intake(rows: pd.DataFrame) -> list[pd.Series]:
    # In the long run ends are as many as starts, whatever the hazards.
    shown = 1.0 - rows["ends"] / rows["usual starts"]
    return [shown * rows["now"], rows["usual starts"] - rows["starts"]]


def _lists(rows: pd.DataFrame) -> list[pd.Series]:
    # What is usual elsewhere enters through the weights: shares of the list, none left out.
    return [rows["starts"], rows["ends"], *(rows[name] for name in (*BANDS, *AGES))]


def _past(months: int) -> Knowledge:
    return lambda rows: [rows[f"mean {months}"] - rows["now"]]


def _within(error: float) -> Knowledge:
    def knows(rows: pd.DataFrame) -> list[pd.Series]:
        rng = np.random.default_rng(7)
        off = dict.fromkeys(zip(rows["truth"], rows["history"], strict=True), 0.0)
        off = {key: float(rng.normal(0.0, error)) for key in off}
        keys = zip(rows["truth"], rows["history"], strict=True)
        told = rows["usual now"] * np.exp([off[key] for key in keys])
        return [told - rows["now"]]

    return knows


FORECASTERS: dict[str, Knowledge] = {
    "mean": _mean,
    "mean, ages": _mean_and_ages,
    "hazards": _hazards,
    "intake": _intake,
    "lists": _lists,
    **{f"own {months} months": _past(months) for months in PAST},
    **{f"within {error:.0%}": _within(error) for error in ERRORS},
}


def forecasts(rows: pd.DataFrame, knows: Knowledge, ahead: int) -> Floats:
    """Best linear forecast of each row; weights from the other truths of its size."""
    out = np.empty(len(rows))
    # Chance goes with the root of the stock; the last count itself takes up the season.
    scale = np.sqrt(rows["now"].to_numpy(float))
    known = np.column_stack([*knows(rows), rows["now"]]) / scale[:, None]
    change = (rows[f"after {ahead}"] - rows["now"]).to_numpy(float) / scale
    for size in SIZES:
        of_size = (rows["size"] == size).to_numpy()
        for truth in rows.loc[of_size, "truth"].unique():
            own = (rows["truth"] == truth).to_numpy()
            others = of_size & ~own
            weights = np.linalg.lstsq(known[others], change[others], rcond=None)[0]
            out[own] = known[own] @ weights * scale[own]
    return np.maximum(rows["now"].to_numpy(float) + out, 0.0)


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """CRPS by forecaster, "no change" among them: a row an origin and months ahead."""
    parts = []
    for ahead in AHEAD:
        made = {"no change": rows["now"].to_numpy(float)}
        made |= {name: forecasts(rows, knows, ahead) for name, knows in FORECASTERS.items()}
        for name, centre in made.items():
            part = rows[["size", "truth"]].assign(
                measure=name, horizon=ahead, now=centre, actual=rows[f"after {ahead}"]
            )
            parts.append(part.assign(crps=no_change(part, ["size"])))
    return pd.concat(parts, ignore_index=True)


# --- report -------------------------------------------------------------------------------


def ratios(scores: pd.DataFrame) -> pd.DataFrame:
    """CRPS over that of "no change", forecasters × months ahead."""
    sums = scores.groupby(["measure", "horizon"], sort=False)["crps"].sum().unstack("horizon")
    return (sums / sums.loc["no change"]).drop(index="no change")


def chance(scores: pd.DataFrame, resamples: int = 200) -> pd.DataFrame:
    """Standard error of `ratios`: truths drawn again with replacement."""
    rng = np.random.default_rng(3)
    of_truth = [part for _, part in scores.groupby("truth")]
    found = [
        ratios(pd.concat([of_truth[i] for i in rng.integers(0, len(of_truth), len(of_truth))]))
        for _ in range(resamples)
    ]
    spread = np.std([table.to_numpy(float) for table in found], axis=0)
    return pd.DataFrame(spread, index=found[0].index, columns=found[0].columns)


def autocorrelation(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the stock about each truth's mean, sizes × months ahead.

    Who knows the mean then has sqrt((1 + autocorrelation) / 2) of the errors of "no change".
    """
    found = {}
    for ahead in AHEAD:
        own = pd.DataFrame({"now": rows["now"], "then": rows[f"after {ahead}"]})
        own = own.sub(own.groupby(rows["truth"]).transform("mean"))
        own = own.div(np.sqrt(rows["usual now"]), axis=0)
        found[ahead] = {
            size: float(np.corrcoef(own[rows["size"] == size].to_numpy(float).T)[0, 1])
            for size in SIZES
        }
    return pd.DataFrame(found)


def too_wide(factor: float) -> float:
    """CRPS of a normal forecast with `factor` times the spread that it needs, over the best."""
    return math.sqrt(2 * (1 + factor**2)) - factor


def report(rows: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Print the tables, and what they say in sentences."""
    table = ratios(scores)
    print('\nCRPS of care over that of "no change" with a perfectly calibrated spread, steady')
    print("authorities, months ahead; all sizes, summed as the benchmark does")
    both = pd.concat({"ratio": table, "chance (sd)": chance(scores).loc[table.index]}, axis=1)
    print(both.round(3).to_string())
    by_size = {size: ratios(scores[scores["size"] == size]) for size in SIZES}
    print(pd.concat(by_size, axis=1).round(3).to_string())
    alike = autocorrelation(rows)
    print("\nAutocorrelation of the stock about its own mean, and the share of the errors of")
    print('"no change" that it leaves to who knows the mean, sqrt((1 + it) / 2)')
    left = alike.add(1).div(2).pow(0.5)
    told_errors = pd.concat({"autocorrelation": alike, "share": left}, axis=1)
    print(told_errors.round(3).to_string())
    usual = rows["usual now"].to_numpy(float)
    print("\nStandard deviation, % of the long-run mean, by size")
    told = {
        "the stock itself": rows["now"] / usual,
        "six months of starts": rows["starts"] / rows["usual starts"],
        "six months of ends": rows["ends"] / rows["usual starts"],
    }
    spread = pd.DataFrame(
        {name: values.groupby(rows["size"]).std() for name, values in told.items()}
    )
    print((100 * spread.loc[list(SIZES)]).round(1).to_string())
    _sentences(table)


def _sentences(table: pd.DataFrame) -> None:
    def scores(name: str, ahead: Sequence[int] = AHEAD) -> list[float]:
        return [float(x) for x in table.loc[[name], list(ahead)].to_numpy(float)[0]]

    def at(name: str) -> str:
        return " / ".join(f"{value:.2f}" for value in scores(name))

    months = " / ".join(map(str, AHEAD))
    print(f"\nIn words ({months} months ahead, CRPS over no change):")
    print(f"- Who knows the authority's long-run mean exactly scores {at('mean')};")
    print(f"  with every child's time in care and age as well, {at('mean, ages')}.")
    print(f"- Hazards known exactly, intake from six months of starts: {at('hazards')}.")
    print(f"- Intake known exactly, hazards from six months of ends: {at('intake')}.")
    print(f"- Six months of lists, and the knowledge that nothing changes: {at('lists')}.")
    for past in PAST:
        print(f"- Its own stock over {past} months: {at(f'own {past} months')}.")
    for ahead in (6, 12):
        enough = [e for e in ERRORS if scores(f"within {e:.0%}", [ahead])[0] <= 0.95]
        if enough:
            say = f"takes a long-run mean known within {max(enough):.0%} (of those tried)"
        elif scores("mean", [ahead])[0] <= 0.95:
            say = f"takes a long-run mean known better than within {min(ERRORS):.0%}"
        else:
            say = "is beyond even who knows the long-run mean exactly"
        print(f"- 0.95 at {ahead} months {say}.")
    costs = ", ".join(f"{factor}: {too_wide(factor):.2f}" for factor in (1.2, 1.5, 2.0))
    print(f"- Ranges wider than need be multiply every score (times as wide: score): {costs}.")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--truths", type=int, default=10, help="authorities of each size")
    parser.add_argument("--histories", type=int, default=40, help="of each authority")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="3 authorities, 12 histories, for CI")
    options = parser.parse_args(arguments)
    truths, histories = (3, 12) if options.quick else (options.truths, options.histories)
    numbers = [n for n in steady_numbers(truths) for _ in range(histories)]
    seeds = [seed for _ in steady_numbers(truths) for seed in range(1, histories + 1)]
    with ProcessPoolExecutor(options.workers) as pool:
        found = pool.map(origins, numbers, seeds, chunksize=8)
        rows = with_usual(pd.DataFrame([row for part in found for row in part]))
    report(rows, scored(rows))
    print(f"{truths} authorities of each size, {histories} histories each, {ORIGINS} origins each")


if __name__ == "__main__":
    main()
