"""Counts of past months that the lists of now show otherwise, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from demand_addin.plan.cautions import MARK
from demand_model.results.forecast import MEASURE_NAMES
from demand_model.units import counted

_BEGINS = "he lists now show past months otherwise: "
"""Without its first letter, which is small after `MARK`."""

_NAMED = 2
"""Measures that are named, the most changed first; of the others, how many."""

_FALL = 0.02
"""Share of a measure's counts that is gone: what is recorded late adds, seldom takes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """A measure whose counts changed.

    Attributes
    ----------
    is_lower
        Whether most months fall, and together by `_FALL` or more.
    size
        The largest change, beside chance.
    """

    is_lower: bool
    size: float
    words: str


def corrections(then: pd.DataFrame, now: pd.DataFrame) -> str:
    """Say which counts of months that both know the lists of now show otherwise; empty if none.

    The sentence takes no side: counts change because something was recorded late, and
    because an extract lacks rows. Where most months of a measure fall it says "Take care".

    A waterfall's step of corrected data is about the stock on the earlier census date alone:
    what changed counts do to rates cannot be told apart from the rates without another fit.

    Parameters
    ----------
    then, now
        PeriodIndex of months, columns `demand_model.flows.MEASURES`, NaN where not known:
        as earlier runs saw them, and as the lists of now show them.
    """
    found = []
    for measure, name in MEASURE_NAMES.items():
        both = pd.concat({"then": then[measure], "now": now[measure]}, axis=1).dropna().round()
        if (both["then"] != both["now"]).any():
            found.append(_of_measure(name, both))
    if not found:
        return ""
    found.sort(key=lambda one: (not one.is_lower, -one.size))
    said = "; ".join(one.words for one in found[:_NAMED])
    more = len(found) - _NAMED
    others = f"; and {counted(more, 'other measure')}" if more > 0 else ""
    begins = f"{MARK}t" if found[0].is_lower else "T"
    return (
        f"{begins}{_BEGINS}{said}{others}. Late recording, or rows missing? "
        "What it does to rates is in their steps."
    )


def corrections_in(sentences: Sequence[str]) -> str:
    """Find the sentence again among the lines that a run wrote; empty if it is not there."""
    text = " ".join(sentences)
    at = text.rfind(_BEGINS)
    if at < 1:
        return ""
    start = at - 1
    if text[:start].endswith(MARK):
        start -= len(MARK)
    return text[start:]


def _of_measure(name: str, both: pd.DataFrame) -> _Changed:
    """Say in how many months a measure changed, and where most."""
    fallen = both["now"] < both["then"]
    gone = float((both["then"] - both["now"]).sum())
    is_lower = fallen.sum() > max(len(both) / 2, 1) and gone >= _FALL * float(both["then"].sum())
    shown = both[fallen] if is_lower else both[both["then"] != both["now"]]
    size = (shown["now"] - shown["then"]).abs() / shown.max(axis=1) ** 0.5
    at = int(size.to_numpy().argmax())
    was, is_now = shown.to_numpy()[at]
    where = f"in {shown.index[at].strftime('%B %Y')} ({was:,.0f} then, {is_now:,.0f} now)"
    lower = "lower " if is_lower else ""
    months = f"{lower}in {counted(len(shown), 'month')}, most " if len(shown) > 1 else ""
    return _Changed(
        is_lower=bool(is_lower), size=float(size.max()), words=f"{name} {months}{where}"
    )
