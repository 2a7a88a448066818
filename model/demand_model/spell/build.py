"""Spells of children on plans and in care, with delayed entry and censoring.

The lists hold who is open now or ended within the window. A spell that began
before the window is seen only because it lasted until the window (left
truncation); one still open is cut at the census date (right censoring)::

    start        window start              census date
      |--------------[=======================|·····>   open: event False
      |--------------[===========x                     ended: event True
                     ^           ^
                 time_enter   time_exit     (days since start)

An event falls in the middle of its day; the window opens at the start of its
first day and the census closes at the end of its day. A spell that starts and
ends on one day lasts half a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from demand_model.annex_a.checked import Lists, Window
from demand_model.annex_a.codes import placement_group, reason_group
from demand_model.spell.linkage import link_care_starts, link_plan_starts

EIGHTEENTH_BIRTHDAY = "18th birthday"
"""Reason of a spell that ends because childhood does: exact, so never an event."""

OPEN = "open"
_HALF_DAY = 0.5
_BIRTHDAY_TOLERANCE_DAYS = 7
"""Ends recorded up to a week before the 18th birthday are put down to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spells:
    """Referrals, and spells on plans and in care.

    Times are in days since the spell's start. Every frame is sorted.

    Attributes
    ----------
    census_date, windows
        As in `Lists`.
    referrals
        ``child_id``, ``date``, ``source_group``, ``nfa`` (boolean),
        ``previous_date`` (the same child's last referral in the list, or NaT).
    plans
        ``child_id``, ``start``, ``end`` (NaT while open), ``date_of_birth``,
        ``time_enter``, ``time_exit``, ``event`` (bool), ``reason`` ("ended",
        "18th birthday", "open"), ``in_window`` (started within the window),
        ``origin`` ("referral", "unlinked"; NA if it began before the window),
        ``lag_days`` (since that referral), ``lookback_days`` (days before the start
        that List 3 covers).
    care
        The same; ``reason`` is a reason group ("home", "adoption", "sgo_cao",
        "other"), "18th birthday" or "open"; ``origin`` also "plan" and "uasc";
        ``uasc`` (bool), ``placement_group``, ``placement_start``.
    """

    census_date: date
    windows: Mapping[int, Window]
    referrals: pd.DataFrame
    plans: pd.DataFrame
    care: pd.DataFrame


def spells(lists: Lists) -> Spells:
    """Turn checked lists into spells with times at risk.

    Source: Andersen, Borgan, Gill and Keiding (1993), chapter III, for left
    truncation and right censoring.
    """
    referrals = _referrals(lists)
    plans = _with_times(lists.plans, lists.windows[7], lists.census_date)
    plans["reason"] = np.where(plans["birthday"], EIGHTEENTH_BIRTHDAY, plans["reason"])
    plans = link_plan_starts(plans, referrals, lists.windows[3].start)
    care = _with_times(lists.care, lists.windows[8], lists.census_date)
    ended = care["reason"] != OPEN
    ceased = care.loc[ended, "reason_ceased"]
    care.loc[ended, "reason"] = [reason_group(c) for c in _or_none(ceased)]
    care["reason"] = np.where(care["birthday"], EIGHTEENTH_BIRTHDAY, care["reason"])
    care["placement_group"] = [placement_group(c) for c in _or_none(care["placement_type"])]
    care = link_care_starts(care, plans, referrals, lists.windows[3].start)
    return Spells(
        census_date=lists.census_date,
        windows=lists.windows,
        referrals=referrals,
        plans=plans.drop(columns=["birthday"]),
        care=care.drop(columns=["birthday"]),
    )


def _or_none(codes: pd.Series) -> list[str | None]:
    """Codes with every kind of missing value as None."""
    return [None if pd.isna(code) else str(code) for code in codes]


def _referrals(lists: Lists) -> pd.DataFrame:
    frame = lists.referrals[["child_id", "date", "source_group", "nfa"]].copy()
    inside = frame["date"] >= pd.Timestamp(lists.windows[3].start)
    # The source settles the order of two referrals on one day, not the order of the paste.
    by = ["child_id", "date", "source_group"]
    frame = frame[inside].sort_values(by, kind="stable", ignore_index=True)
    frame["previous_date"] = frame.groupby("child_id", sort=False)["date"].shift()
    return frame


def _with_times(frame: pd.DataFrame, window: Window, census_date: date) -> pd.DataFrame:
    """Add time_enter, time_exit, event and reason; drop what ended before the window."""
    census, opens = pd.Timestamp(census_date), pd.Timestamp(window.start)
    out = frame[frame["start"] <= census].copy()
    out.loc[out["end"] > census, "end"] = pd.NaT
    out = out[out["end"].isna() | (out["end"] >= opens)]
    out = out.sort_values(["start", "end", "child_id"], kind="stable", ignore_index=True)
    adult = _eighteenth_birthday(out["date_of_birth"])
    ended = out["end"].notna()
    tolerance = pd.Timedelta(days=_BIRTHDAY_TOLERANCE_DAYS)
    out["birthday"] = ended & (out["end"] >= adult - tolerance)
    length = (out["end"] - out["start"]).dt.days.astype(float)
    until_census = (census - out["start"]).dt.days + _HALF_DAY
    out["time_exit"] = np.where(ended, np.maximum(length, _HALF_DAY), until_census)
    before_window = (opens - out["start"]).dt.days - _HALF_DAY
    out["time_enter"] = np.minimum(np.maximum(before_window, 0.0), out["time_exit"])
    out["event"] = ended & ~out["birthday"]
    out["reason"] = np.where(ended, "ended", OPEN).astype(object)
    out["in_window"] = out["start"] >= opens
    return out


def _eighteenth_birthday(date_of_birth: pd.Series) -> pd.Series:
    """Date of the 18th birthday (NaT where the date of birth is unknown)."""
    return date_of_birth + pd.DateOffset(years=18)
