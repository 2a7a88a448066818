"""Rows of one child: repeats counted once, overlapping periods joined.

Rules, in this order, for the rows of one child in one list:

1. rows alike in all that is read count once;
2. of rows with the same start, one that ended is kept before an open one, and
   of several the one that ended last;
3. a period that starts before the one before it ended, or on the day of its end
   or the next, is the same period: from the first start to the last end, open
   if either is open. Nothing is shortened. What is said of it (placement,
   status) is what the row with the latest start says.

The order of the rows never matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_Record = dict[str, Any]
"""One row of a frame; pandas' own types in it are not known to the checker."""

_CONTINUOUS = pd.Timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """Rows kept, and the sheet rows set aside with the rule."""

    frame: pd.DataFrame
    aside: dict[int, str]


def drop_repeats(frame: pd.DataFrame) -> Joined:
    """Count rows alike in all columns but ``row`` once: the first in the sheet stands."""
    ordered = frame.sort_values("row", kind="stable")
    columns = [c for c in ordered.columns if c != "row"]
    repeated = ordered.duplicated(subset=columns, keep="first")
    aside = dict.fromkeys(ordered.loc[repeated, "row"].astype(int).tolist(), "duplicate-row")
    return Joined(frame=ordered.loc[~repeated], aside=aside)


def join_periods(frame: pd.DataFrame) -> Joined:
    """Apply the three rules to a frame with ``child_id``, ``start``, ``end`` and ``row``.

    Returns
    -------
    Joined
        One row a period; ``row`` is that of the row it is described by.
    """
    once = drop_repeats(frame)
    several = once.frame.duplicated(subset="child_id", keep=False)
    if not several.any():
        return once
    children: dict[str, list[_Record]] = {}
    for record in once.frame.loc[several].to_dict("records"):
        children.setdefault(record["child_id"], []).append({str(k): v for k, v in record.items()})
    aside = dict(once.aside)
    periods = [p for _, rows in sorted(children.items()) for p in _join_child(rows, aside)]
    joined = pd.DataFrame(periods).astype(once.frame.dtypes.to_dict())
    return Joined(frame=pd.concat([once.frame.loc[~several], joined]), aside=aside)


def _join_child(rows: list[_Record], aside: dict[int, str]) -> list[_Record]:
    """Periods of one child, in order of their start; what is not kept is noted in `aside`."""
    periods: list[_Record] = []
    for record in _one_a_start(sorted(rows, key=_content), aside):
        if periods and _continues(periods[-1], record):
            aside[int(periods[-1]["row"])] = "overlap-merged"
            periods[-1] = _union(periods[-1], record)
        else:
            periods.append(record)
    return periods


def _content(record: _Record) -> tuple[pd.Timestamp, pd.Timestamp, str]:
    """Order by start, then end (open first), then all else as text: never by the paste's order."""
    end: pd.Timestamp = pd.Timestamp.min if pd.isna(record["end"]) else record["end"]
    rest = "|".join(str(v) for k, v in sorted(record.items()) if k not in ("row", "start", "end"))
    return record["start"], end, rest


def _one_a_start(rows: list[_Record], aside: dict[int, str]) -> list[_Record]:
    """Of rows with the same start the last in order: it ended last, if any ended."""
    kept: dict[pd.Timestamp, _Record] = {}
    for record in rows:
        if record["start"] in kept:
            aside[int(kept[record["start"]]["row"])] = "same-start"
        kept[record["start"]] = record
    return list(kept.values())


def _continues(before: _Record, after: _Record) -> bool:
    return bool(pd.isna(before["end"]) or after["start"] <= before["end"] + _CONTINUOUS)


def _union(before: _Record, after: _Record) -> _Record:
    """One period of two, described by the later, with the reason of the one that ended last."""
    union = {**after, "start": before["start"]}
    is_open = bool(pd.isna(before["end"]) or pd.isna(after["end"]))
    if is_open:
        union["end"] = pd.NaT
    elif before["end"] > after["end"]:
        union["end"] = before["end"]
    if "reason_ceased" in union:
        last = before if not is_open and before["end"] > after["end"] else after
        union["reason_ceased"] = None if is_open else last["reason_ceased"]
    return union


def sorted_fresh(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Sort by all the columns named, whatever the paste's order, and number the rows afresh."""
    text = frame[columns].astype(str)
    order = np.lexsort([text[c].to_numpy(dtype=str) for c in reversed(columns)])
    return frame.iloc[order][columns].reset_index(drop=True)
