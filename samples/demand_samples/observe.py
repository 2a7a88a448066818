"""What a history shows: monthly counts, and occurrences over exposure with nothing hidden."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_samples.history import CARE_END_REASONS, PLAN_REASONS, History
from demand_samples.truth import (
    AGE_BAND_UPPER_YEARS,
    AGE_BANDS,
    CARE_BAND_START_MONTHS,
    PLAN_BAND_START_MONTHS,
)
from demand_samples.working_days import DAYS_PER_MONTH, DAYS_PER_YEAR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FAR = 2**40


def day_numbers(dates: pd.Series[pd.Timestamp]) -> Ints:
    """Days since 1970-01-01; a date that is missing lies far ahead."""
    missing = dates.isna().to_numpy()
    days = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.where(missing, _FAR, days)


def monthly_truth(history: History, first: date, last: date) -> pd.DataFrame:
    """Count by calendar month, from the month of `first` to that of `last`.

    Returns
    -------
    pandas.DataFrame
        ``month_end``, ``referrals``, ``cp_starts``, ``cp_ends``, ``cp_open``,
        ``cla_starts``, ``cla_ends``, ``cla_open``. Open counts the children
        whose spell began on or before the month's end and ends after it, so

            open[t] = open[t−1] + starts[t] − ends[t].

    Raises
    ------
    ValueError
        If a month lies outside what is complete in the history.
    """
    months = pd.period_range(pd.Period(first, "M"), pd.Period(last, "M"))
    complete = pd.Period(history.first_date, "M"), pd.Period(history.last_date, "M")
    if months[0] < complete[0] or months[-1] > complete[1]:
        msg = (
            f"Invalid months: {months[0]} to {months[-1]}. "
            f"Months must be from {complete[0]} to {complete[1]}."
        )
        raise ValueError(msg)
    start = months[0].start_time.to_datetime64().astype("datetime64[M]")
    edge = (start + np.arange(len(months) + 1)).astype("datetime64[D]").astype(np.int64)
    counts = {
        "month_end": (edge[1:] - 1).astype("datetime64[D]").astype("datetime64[ns]"),
        "referrals": _per_month(day_numbers(history.referrals["date"]), edge),
    }
    for name, spells in (("cp", history.plans), ("cla", history.care)):
        began, ended = day_numbers(spells["start"]), day_numbers(spells["end"])
        counts[f"{name}_starts"] = _per_month(began, edge)
        counts[f"{name}_ends"] = _per_month(ended, edge)
        counts[f"{name}_open"] = _before(began, edge[1:]) - _before(ended, edge[1:])
    return pd.DataFrame(counts)


def _before(days: Ints, edge: Ints) -> Ints:
    return np.searchsorted(np.sort(days), edge, side="left").astype(np.int64)


def _per_month(days: Ints, edge: Ints) -> Ints:
    return np.diff(_before(days, edge)).astype(np.int64)


def open_on(history: History, day: date) -> dict[str, int]:
    """Children on a plan and in care at the end of one day: ``{"cp_open": …, "cla_open": …}``."""
    at = np.array([np.datetime64(day, "D").astype(np.int64) + 1])
    return {
        f"{name}_open": int(
            _before(day_numbers(spells["start"]), at)[0]
            - _before(day_numbers(spells["end"]), at)[0]
        )
        for name, spells in (("cp", history.plans), ("cla", history.care))
    }


def occurrence_exposure(
    history: History, first: date, last: date, *, by_age: bool = False
) -> pd.DataFrame:
    """Count ends and child-months at risk between two days, seen in full.

    Unlike a fit to Annex A nothing is truncated or hidden: every spell of every
    child counts for the days on which it was open. Unaccompanied children are
    kept apart. Birthdays (the 18th) appear as a reason, not a hazard.

    Parameters
    ----------
    first, last
        First and last day at risk.
    by_age
        Split care by age band on the middle day of each stretch at risk.

    Returns
    -------
    pandas.DataFrame
        ``spell`` ("plan", "care", "care_uasc"), ``age_band`` ("all", or
        `AGE_BANDS`), ``from_month``, ``to_month`` (NaN for the last),
        ``reason``, ``occurrences``, ``exposure_child_months``,
        ``hazard_per_child_month``.
    """
    begin = np.datetime64(first, "D").astype(np.int64)
    finish = np.datetime64(last, "D").astype(np.int64) + 1
    uasc = history.care["uasc"].to_numpy()
    parts = [
        ("plan", history.plans, PLAN_BAND_START_MONTHS, PLAN_REASONS),
        ("care", history.care[~uasc], CARE_BAND_START_MONTHS, CARE_END_REASONS),
        ("care_uasc", history.care[uasc], CARE_BAND_START_MONTHS, CARE_END_REASONS),
    ]
    tables = []
    for name, spells, bands, reasons in parts:
        split = by_age and name == "care"
        for age in (*AGE_BANDS,) if split else ("all",):
            table = _band_table(spells, bands, reasons, int(begin), int(finish), age)
            tables += [table.assign(spell=name, age_band=age)]
    columns = ["spell", "age_band", "from_month", "to_month", "reason"]
    return pd.concat(tables, ignore_index=True)[
        [*columns, "occurrences", "exposure_child_months", "hazard_per_child_month"]
    ]


def _band_table(
    spells: pd.DataFrame,
    bands: tuple[int, ...],
    reasons: tuple[str, ...],
    begin: int,
    finish: int,
    age: str,
) -> pd.DataFrame:
    start, end = day_numbers(spells["start"]), day_numbers(spells["end"])
    reason = spells["reason"].to_numpy()
    low_age, high_age = _age_window(spells, age)
    rows = []
    for band, from_month in enumerate(bands):
        last = band + 1 == len(bands)
        to_month = np.nan if last else float(bands[band + 1])
        low = start + from_month * DAYS_PER_MONTH
        high = np.full(len(start), float(_FAR)) if last else start + to_month * DAYS_PER_MONTH
        enter = np.maximum.reduce([low, low_age, np.full(len(low), float(begin))])
        leave = np.minimum.reduce([high, high_age, np.minimum(end, finish).astype(float)])
        exposure = float(np.maximum(leave - enter, 0).sum()) / DAYS_PER_MONTH
        # The end falls in the band that holds its last moment at risk: (low, high].
        here = (end > np.maximum(low, low_age)) & (end <= np.minimum(high, high_age))
        here &= (end >= begin) & (end < finish)
        for name in reasons:
            occurrences = int((here & (reason == name)).sum())
            rows.append(
                {
                    "from_month": from_month,
                    "to_month": to_month,
                    "reason": name,
                    "occurrences": occurrences,
                    "exposure_child_months": exposure,
                    "hazard_per_child_month": occurrences / exposure if exposure > 0 else np.nan,
                }
            )
    return pd.DataFrame(rows)


def _age_window(spells: pd.DataFrame, age: str) -> tuple[Floats, Floats]:
    """Days on which each child enters and leaves an age band."""
    if age == "all":
        count = len(spells)
        return np.full(count, -float(_FAR)), np.full(count, float(_FAR))
    edges = (-np.inf, *AGE_BAND_UPPER_YEARS, np.inf)
    at = AGE_BANDS.index(age)
    birth = day_numbers(spells["date_of_birth"]).astype(np.float64)
    return birth + edges[at] * DAYS_PER_YEAR, birth + edges[at + 1] * DAYS_PER_YEAR
