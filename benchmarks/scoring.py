"""Scores of forecasts given as draws or quantiles, and the tables the benchmarks share.

"No change" with a perfectly calibrated spread is the last count with the log changes that
other authorities alike really had, both signs. Alike can be read in two ways:

(a) the same size: the best single spread for somebody who cannot tell which authorities
    never change and which do, as nobody can from six months
(b) the same size and kind: it knows each kind's own spread (stricter)

Tables have a row an authority, measure and horizon with columns ``size, kind, measure,
horizon, now, actual, crps, in80, in95``; ``now`` is missing for flows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]

READINGS = {"(a) same size": ["size"], "(b) same size and kind": ["size", "kind"]}
LEAST_ALIKE = 4
"""Fewer authorities alike have no spread worth the name."""
CELL, OVERALL = (0.74, 0.86), (0.77, 0.83)
TARGET_MONTHS, STEADY_MONTHS = (6, 12, 24), (6, 12)


def crps(draws: FloatArray, actual: float) -> float:
    """Continuous ranked probability score of an ensemble, shape (draws,).

    ``E|X - y| - E|X - X'| / 2`` (Gneiting and Raftery 2007), by sorting.
    """
    x = np.sort(np.asarray(draws, dtype=float))
    n = len(x)
    spread = float(((2 * np.arange(1, n + 1) - n - 1) * x).sum()) / n**2
    return float(np.abs(x - actual).mean() - spread)


def covered(draws: FloatArray, actual: float, probability: float) -> bool:
    """Whether the central interval holds what happened."""
    low, high = np.quantile(draws, [(1 - probability) / 2, (1 + probability) / 2])
    return bool(low <= actual <= high)


def weighted_interval_score(
    quantiles: FloatArray, actual: FloatArray, probs: FloatArray
) -> FloatArray:
    """Twice the mean pinball loss over `probs` (Bracher et al. 2021).

    Parameters
    ----------
    quantiles
        Shape (..., probs).
    actual
        Shape (...).
    probs
        Shape (probs,); 0.5 and pairs about it, for which the mean of the pinball
        losses is half the weighted interval score of the median and those intervals.

    Returns
    -------
    Shape of `actual`.
    """
    error = actual[..., None] - quantiles
    return np.asarray(2 * np.maximum(probs * error, (probs - 1) * error).mean(axis=-1), float)


# --- against "no change", and what the issue asks -----------------------------------------


def no_change(scores: pd.DataFrame, alike: Sequence[str]) -> pd.Series:
    """CRPS of "no change" whose spread is that of authorities with the same `alike`.

    Missing for flows, and where fewer than `LEAST_ALIKE` are alike.
    """
    out = pd.Series(np.nan, index=scores.index)
    stocks = scores[scores["now"].notna()]
    for _, group in stocks.groupby([*alike, "measure", "horizon"]):
        now, actual = group["now"].to_numpy(float) + 0.5, group["actual"].to_numpy(float)
        change = np.log((actual + 0.5) / now)
        for position, label in enumerate(group.index if len(group) >= LEAST_ALIKE else []):
            others = np.delete(change, position)
            spread = np.exp(np.concatenate([others, -others]))
            out.loc[label] = crps(now[position] * spread - 0.5, float(actual[position]))
    return out


def with_no_change(scores: pd.DataFrame) -> pd.DataFrame:
    """With a column for each of the `READINGS`."""
    return scores.assign(**{name: no_change(scores, alike) for name, alike in READINGS.items()})


def ratios(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """CRPS over that of "no change", sums over authorities; columns (reading, horizon)."""
    tables = {}
    for reading in READINGS:
        known = scores[scores[reading].notna()]
        sums = known.groupby([*by, "horizon"], sort=False)[["crps", reading]].sum()
        if len(sums):
            tables[reading] = (sums["crps"] / sums[reading]).unstack("horizon")
    if not tables:
        raise SystemExit("Fewer than four authorities are alike: nothing to calibrate on.")
    return pd.concat(tables, axis=1)


def in_sets(scores: pd.DataFrame, still: Collection[str]) -> pd.DataFrame:
    """Still, moving and all authorities one below the other, told apart by ``worlds``."""
    never = scores["kind"].isin(list(still))
    parts = {"still": scores[never], "moving": scores[~never], "all": scores}
    return pd.concat([part.assign(worlds=name) for name, part in parts.items() if len(part)])


def report_sets(scores: pd.DataFrame, still: Collection[str]) -> None:
    """Print coverage, CRPS over "no change" and the issue's targets for each set.

    Parameters
    ----------
    scores
        From `with_no_change`.
    still
        Kinds that never change.
    """
    sets = in_sets(scores, still)
    print("\nShare within 80% ranges (flows: totals to the horizon)")
    cells = sets.groupby(["measure", "worlds", "horizon"], sort=False)["in80"].mean()
    print(cells.unstack(["worlds", "horizon"]).round(3).to_string())
    print(sets.groupby("worlds", sort=False)[["in80", "in95"]].mean().round(3).to_string())
    print(f'\nCRPS over that of "no change" with a spread calibrated on {" or ".join(READINGS)}')
    table = ratios(sets, ["measure", "worlds"])
    print(table.round(3).to_string())
    for name, part in sets.groupby("worlds", sort=False):
        here = table.index.get_level_values("worlds") == name
        _judge(str(name), part, table[here].droplevel("worlds"))


def _judge(worlds: str, scores: pd.DataFrame, table: pd.DataFrame) -> None:
    print(f"\nTargets, {worlds} authorities")
    share = float(scores["in80"].mean())
    met = OVERALL[0] <= share <= OVERALL[1]
    print(f"  80% ranges hold {share:.3f} over all (0.77 to 0.83): {_met(met)}")
    cells = scores.groupby(["measure", "horizon"], sort=False)["in80"].mean()
    inside = int(((cells >= CELL[0]) & (cells <= CELL[1])).sum())
    told = f"{inside} of {len(cells)} ({cells.min():.3f} to {cells.max():.3f})"
    print(f"  cells of 80% ranges within 0.74 to 0.86: {told}: {_met(inside == len(cells))}")
    _judge_ratio(table, "cp_open", 1.0, TARGET_MONTHS)
    _judge_ratio(table, "cla_open", 1.0, TARGET_MONTHS)
    if worlds == "still":
        _judge_ratio(table, "cla_open", 0.95, STEADY_MONTHS)


def _judge_ratio(table: pd.DataFrame, measure: str, limit: float, months: Sequence[int]) -> None:
    for reading in table.columns.unique(level=0):
        found = table[reading].loc[measure, list(months)].to_numpy(float)
        told = ", ".join(f"{m}: {value:.3f}" for m, value in zip(months, found, strict=True))
        met = _met(float(found.max()) <= limit)
        print(f"  {measure} at most {limit:.2f} of no change, {reading}: {told}: {met}")


def _met(met: object) -> str:
    return "met" if met else "NOT met"
