"""How wrong a survival curve from six months of lists is when it ignores delayed entry.

Run: ``python benchmarks/naive_estimator.py``. Plans end with the hazards below; each
of 40 made-up authorities is seen through one Annex A list (open now, or ended within
six months). Four ways to one-year survival:

closures only     share of the closed that had lasted a year: what a spreadsheet does
Kaplan-Meier      open spells censored, but every spell taken as seen from its start
delayed entry     Kaplan-Meier that lets a spell in when the window opens
this engine       occurrences over exposure by duration band
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter

import demand_model as dm
from demand_model.annex_a.checked import Lists, RowTally, Window
from demand_model.flows import Flow
from demand_model.units import DAYS_PER_MONTH

CENSUS, OPENS = date(2026, 3, 31), date(2025, 10, 1)
HAZARD = np.array([0.059, 0.050, 0.090, 0.077, 0.070, 0.070, 0.070])
EDGES = np.array([0.0, 3.0, 6.0, 9.0, 12.0, 18.0, 24.0])
YEAR = 365.25


def durations_days(count: int, rng: np.random.Generator) -> np.ndarray:
    cumulative = np.concatenate([[0.0], np.cumsum(HAZARD[:-1] * np.diff(EDGES))])
    spent = rng.exponential(size=count)
    band = np.searchsorted(cumulative, spent, side="right") - 1
    months = EDGES[band] + (spent - cumulative[band]) / HAZARD[band]
    return np.maximum(np.round(months * DAYS_PER_MONTH), 1.0)


def listed_plans(starts_per_month: float, trend: float, seed: int) -> pd.DataFrame:
    """Plans open now or ended in the window; intake changes by `trend` a year."""
    rng = np.random.default_rng(seed)
    years = 10
    most = max(1.0, np.exp(-trend * years))  # the intake of any past day over today's
    ago = rng.uniform(0, years * YEAR, rng.poisson(starts_per_month * 12 * years * most))
    ago = np.floor(ago[rng.random(len(ago)) < np.exp(-trend * ago / YEAR) / most])
    start = np.datetime64(CENSUS) - ago.astype(int)
    end = start + durations_days(len(ago), rng).astype(int)
    frame = pd.DataFrame({"start": start, "end": end})
    frame = frame[frame["end"] >= pd.Timestamp(OPENS)].reset_index(drop=True)
    frame["end"] = frame["end"].where(frame["end"] <= pd.Timestamp(CENSUS))
    return frame


def lists_of(plans: pd.DataFrame) -> Lists:
    window = Window(start=OPENS, months=6, detected=True)
    empty = pd.DatetimeIndex([])
    text = pd.Series([], dtype=object)
    referrals = pd.DataFrame(
        {"child_id": text, "date": empty, "source_group": text, "nfa": pd.array([], "boolean")}
    )
    days = dict.fromkeys(("date_of_birth", "start", "end", "placement_start"), empty)
    words = dict.fromkeys(("child_id", "reason_ceased", "placement_type"), text)
    care = pd.DataFrame(
        {
            **days,
            **words,
            "uasc": pd.Series([], dtype=bool),
            "second_period": pd.array([], "boolean"),
        }
    )
    full = plans.assign(
        child_id=[f"c{i}" for i in range(len(plans))],
        date_of_birth=pd.Timestamp("2016-01-01"),
        previous_plans=pd.array([0] * len(plans), "Int64"),
    )
    return Lists(
        census_date=CENSUS,
        windows={3: window, 7: window, 8: window},
        referrals=referrals,
        plans=full,
        care=care,
        tallies=tuple(RowTally(list_number=n, found=0, used=0, set_aside={}) for n in (3, 7, 8)),
    )


def one_year_survival(plans: pd.DataFrame) -> dict[str, float]:
    length = (plans["end"].fillna(pd.Timestamp(CENSUS)) - plans["start"]).dt.days.to_numpy(float)
    ended = plans["end"].notna().to_numpy()
    seen_from = (pd.Timestamp(OPENS) - plans["start"]).dt.days.to_numpy(float)
    length = np.where(ended, length, length + 0.5)
    entry = np.clip(seen_from - 0.5, 0.0, length)
    table = dm.tabulate(dm.spells(lists_of(plans))).table
    mine = table[table["flow"] == Flow.PLAN_ENDS.value]
    sums = mine.groupby("duration_band", sort=False)[["occurrences", "exposure"]].sum()
    rate = (sums["occurrences"] / sums["exposure"]).to_numpy()[:4] * DAYS_PER_MONTH
    return {
        "closures only": float((length[ended] >= YEAR).mean()),
        "Kaplan-Meier": float(KaplanMeierFitter().fit(length, ended).predict(YEAR)),
        "delayed entry": float(KaplanMeierFitter().fit(length, ended, entry=entry).predict(YEAR)),
        "this engine": float(np.exp(-(rate * 3.0).sum())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--authorities", type=int, default=40)
    count = parser.parse_args().authorities
    truth = float(np.exp(-(HAZARD[:4] * 3.0).sum()))
    print(f"One-year survival on a plan: truly {truth:.3f}. Mean (sd) over {count} authorities:")
    for label, trend in (
        ("steady intake", 0.0),
        ("intake +20% a year", 0.2),
        ("-20% a year", -0.2),
    ):
        found = pd.DataFrame(
            [one_year_survival(listed_plans(30.0, trend, s)) for s in range(count)]
        )
        cells = [f"{name} {found[name].mean():.3f} ({found[name].std():.3f})" for name in found]
        print(f"  {label:20s} " + "   ".join(cells))
    print(f"Window: {OPENS} to {CENSUS} ({(CENSUS - OPENS + timedelta(days=1)).days} days).")


if __name__ == "__main__":
    main()
