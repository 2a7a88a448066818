"""Which referral, or plan, a start follows: linkage on the child's ID.

A start is put down to the child's latest referral on or before it, if that is
no more than `MAX_LAG_WEEKS` back. A start early in the window may follow a
referral from before it, which the list cannot show: such a start is "unlinked"
and keeps its ``lookback_days``, the days before it that List 3 covers, from
which the fit splits unlinked starts into hidden referrals and true others.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from demand_model.units import DAYS_PER_WEEK

MAX_LAG_WEEKS = 26
"""A start later than this after a referral is not put down to that referral."""

_PLAN_GRACE_DAYS = 14
"""Care that starts up to two weeks after a plan ended is put down to the plan."""


def link_plan_starts(plans: pd.DataFrame, referrals: pd.DataFrame, opens: date) -> pd.DataFrame:
    """Add ``origin``, ``lag_days`` and ``lookback_days`` to plans."""
    out = _lookback(plans, opens)
    _add_referral(out, referrals)
    out["origin"] = np.where(out["lag_days"].notna(), "referral", "unlinked")
    out.loc[~out["in_window"], "origin"] = None
    return out


def link_care_starts(
    care: pd.DataFrame, plans: pd.DataFrame, referrals: pd.DataFrame, opens: date
) -> pd.DataFrame:
    """The same for care: UASC first, then a plan, then a referral, else unlinked."""
    out = _lookback(care, opens)
    _add_referral(out, referrals)
    origin = np.where(out["lag_days"].notna(), "referral", "unlinked").astype(object)
    origin = np.where(_on_plan(out, plans), "plan", origin)
    origin = np.where(out["uasc"], "uasc", origin)
    out["origin"] = origin
    out.loc[~out["in_window"], "origin"] = None
    return out


def _lookback(frame: pd.DataFrame, opens: date) -> pd.DataFrame:
    out = frame.copy()
    out["lookback_days"] = (out["start"] - pd.Timestamp(opens)).dt.days.clip(lower=0)
    return out


def _latest_referral(starts: pd.DataFrame, referrals: pd.DataFrame) -> pd.DataFrame:
    """The child's latest referral on or before each start, within the longest lag."""
    left = starts[["child_id", "start"]].reset_index(names="row").sort_values("start")
    right = referrals[["child_id", "date", "source_group"]].sort_values("date", kind="stable")
    for frame in (left, right):  # an empty list's columns have no type of their own
        frame["child_id"] = frame["child_id"].astype(object)
    left["start"] = left["start"].astype("datetime64[ns]")
    right["date"] = right["date"].astype("datetime64[ns]")
    joined = pd.merge_asof(
        left,
        right,
        left_on="start",
        right_on="date",
        by="child_id",
        tolerance=pd.Timedelta(days=MAX_LAG_WEEKS * DAYS_PER_WEEK - 1),
    )
    return joined.set_index("row").reindex(starts.index)


def _add_referral(starts: pd.DataFrame, referrals: pd.DataFrame) -> None:
    found = _latest_referral(starts, referrals)
    starts["lag_days"] = (starts["start"] - found["date"]).dt.days
    starts["source_group"] = found["source_group"]


def _on_plan(care: pd.DataFrame, plans: pd.DataFrame) -> pd.Series:
    """On a plan when care started, or within the grace after it ended."""
    last = pd.Timestamp.max.normalize()
    spans = plans[["child_id", "start", "end"]].rename(columns={"start": "from", "end": "to"})
    spans["to"] = spans["to"].fillna(last) + pd.Timedelta(0)
    joined = care[["child_id", "start"]].reset_index(names="row").merge(spans, on="child_id")
    grace = pd.Timedelta(days=_PLAN_GRACE_DAYS)
    inside = (joined["from"] <= joined["start"]) & (joined["start"] - grace <= joined["to"])
    rows = joined.loc[inside, "row"].unique()
    return pd.Series(care.index.isin(rows), index=care.index)
