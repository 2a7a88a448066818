"""Cells of referrals, of re-referral, and of the starts that follow referrals or none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.checked import Window
from demand_model.exposure.bands import (
    LAG_LABELS,
    RE_REFERRAL_BANDS,
)
from demand_model.exposure.cells import banded_cells, cell_rows, window_months
from demand_model.exposure.risk import month_number
from demand_model.flows import ALL, Flow
from demand_model.spell.build import Spells
from demand_model.spell.linkage import MAX_LAG_WEEKS
from demand_model.units import DAYS_PER_WEEK, working_days_between

FULL_LOOKBACK = f"week {MAX_LAG_WEEKS} and over"

LOOKBACK_LABELS = (*LAG_LABELS, FULL_LOOKBACK)


def referral_counts(spells: Spells) -> pd.DataFrame:
    """Referrals by source group and month, over the working days that the window covers."""
    months = window_months(spells, spells.windows[3])
    first = np.maximum(months.astype("datetime64[D]"), np.datetime64(spells.windows[3].start))
    last = np.minimum((months + 1).astype("datetime64[D]"), np.datetime64(spells.census_date) + 1)
    days = working_days_between(first, last)
    number = month_number(spells.referrals["date"], months)
    sources = sorted(spells.referrals["source_group"].unique())
    parts = []
    for source in sources:
        mine = (spells.referrals["source_group"] == source).to_numpy()
        counts = np.bincount(number[mine], minlength=len(months))
        n = len(months)
        parts.append(cell_rows(Flow.REFERRALS, [source] * n, [""] * n, months, counts, days))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else cell_rows(Flow.REFERRALS, [], [], np.array([], "datetime64[M]"), [], [])
    )


def nfa_counts(spells: Spells) -> pd.DataFrame:
    """Referrals closed without further action, over those where it is known."""
    known = spells.referrals[spells.referrals["nfa"].notna()]
    months = known["date"].to_numpy().astype("datetime64[M]")
    grouped = (
        pd.DataFrame(
            {
                "segment": known["source_group"].to_numpy(),
                "month": months.astype("datetime64[s]"),
                "occurrences": known["nfa"].astype(float).to_numpy(),
                "exposure": 1.0,
            }
        )
        .groupby(["segment", "month"], as_index=False)
        .sum()
    )
    return cell_rows(
        Flow.REFERRAL_NFA,
        grouped["segment"],
        [""] * len(grouped),
        grouped["month"],
        grouped["occurrences"],
        grouped["exposure"],
    )


def re_referrals(spells: Spells) -> pd.DataFrame:
    """At risk from each referral until the child's next one, or the census."""
    refs = spells.referrals
    next_date = refs.groupby("child_id", sort=False)["date"].shift(-1)
    census = pd.Timestamp(spells.census_date) + pd.Timedelta(days=1)
    length = (next_date.fillna(census) - refs["date"]).dt.days.to_numpy(float)
    return banded_cells(
        Flow.RE_REFERRALS,
        window_months(spells, spells.windows[3]),
        RE_REFERRAL_BANDS,
        start=refs["date"],
        enter=np.zeros(len(refs)),
        leave=np.maximum(length, 0.5),
        event=next_date.notna().to_numpy(),
    )


def conversions(spells: Spells, starts: pd.DataFrame, flow: Flow, window: Window) -> pd.DataFrame:
    """Referrals followed through each week after, and starts in that week.

    A referral is followed until the census date or `MAX_LAG_WEEKS`, also where the
    child is referred again and that referral carries any later start: the rate is
    then starts a referral that arrives, which is what the simulation multiplies.
    A week counts as followed in proportion to its days, and only within the
    starts' own window.
    """
    refs = spells.referrals
    months = window_months(spells, window)
    found, source = np.unique(refs["source_group"].to_numpy(str), return_inverse=True)
    exposure = np.zeros((len(found), len(months), MAX_LAG_WEEKS))
    begun = refs["date"].to_numpy().astype("datetime64[D]")
    closes, opens = np.datetime64(spells.census_date) + 1, np.datetime64(window.start)
    for week in range(MAX_LAG_WEEKS):
        first = begun + week * DAYS_PER_WEEK
        followed = (np.minimum(closes, first + DAYS_PER_WEEK) - first).astype(int)
        share = np.clip(followed, 0, DAYS_PER_WEEK) / DAYS_PER_WEEK
        share = np.where(first + DAYS_PER_WEEK > opens, share, 0.0)
        number = np.clip(month_number(first + 3, months), 0, len(months) - 1)
        np.add.at(exposure[:, :, week], (source, number), share)
    linked = starts[(starts["origin"] == "referral") & starts["in_window"]]
    occurrences = np.zeros_like(exposure)
    of = np.searchsorted(found, linked["source_group"].to_numpy(str))
    lag = (linked["lag_days"].to_numpy(float) // DAYS_PER_WEEK).astype(int)
    np.add.at(occurrences, (of, month_number(linked["start"], months), lag), 1.0)
    return cell_rows(
        flow,
        np.repeat(found.astype(object), len(months) * MAX_LAG_WEEKS),
        list(LAG_LABELS) * (len(months) * len(found)),
        np.tile(np.repeat(months, MAX_LAG_WEEKS), len(found)),
        occurrences.ravel(),
        exposure.ravel(),
    )


def unlinked_starts(
    spells: Spells, starts: pd.DataFrame, flow: Flow, window: Window
) -> pd.DataFrame:
    """Unlinked starts, and days of the window, by weeks that List 3 looks back."""
    months = window_months(spells, window)
    first, last = np.datetime64(window.start), np.datetime64(spells.census_date)
    days = np.arange(first, last + 1)
    look = _lookback_week(days, spells)
    exposure = np.zeros((len(months), len(LOOKBACK_LABELS)))
    np.add.at(exposure, (month_number(days, months), look), 1.0)
    unlinked = starts.loc[(starts["origin"] == "unlinked") & starts["in_window"], "start"]
    begun = unlinked.to_numpy().astype("datetime64[D]")
    occurrences = np.zeros_like(exposure)
    np.add.at(occurrences, (month_number(begun, months), _lookback_week(begun, spells)), 1.0)
    return cell_rows(
        flow,
        [ALL] * exposure.size,
        list(LOOKBACK_LABELS) * len(months),
        np.repeat(months, len(LOOKBACK_LABELS)),
        occurrences.ravel(),
        exposure.ravel(),
    )


def _lookback_week(days: npt.NDArray[np.datetime64], spells: Spells) -> npt.NDArray[np.intp]:
    back = (days - np.datetime64(spells.windows[3].start)).astype(int) // DAYS_PER_WEEK
    return np.asarray(np.clip(back, 0, MAX_LAG_WEEKS), dtype=np.intp)


def pipeline(spells: Spells) -> pd.DataFrame:
    """Referrals that may still convert: `days_ago` before the census date, by source group."""
    refs = spells.referrals
    ago = (pd.Timestamp(spells.census_date) - refs["date"]).dt.days
    recent = ago < MAX_LAG_WEEKS * DAYS_PER_WEEK
    frame = pd.DataFrame({"days_ago": ago[recent], "source_group": refs["source_group"][recent]})
    return (
        frame.groupby(["days_ago", "source_group"], as_index=False)
        .size()
        .rename(columns={"size": "count"})
    )
