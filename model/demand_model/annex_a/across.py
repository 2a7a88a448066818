"""What the lists say of the same children, each against the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from demand_model.annex_a.findings import Severity
from demand_model.annex_a.reading import ReadList

_LEFT_FOR_GOOD = ("E2", "E11", "E12")
"""Died, or adopted: no protection plan under that identifier goes on."""


def say_left_for_good(reads: Sequence[ReadList], frames: Mapping[int, pd.DataFrame]) -> None:
    """Warn of children who died or were adopted out of care and whose plan is still open.

    A child who went home from care may well have a plan: that is no conflict.
    """
    if not {7, 8} <= frames.keys():
        return
    care, plans = frames[8], frames[7]
    gone = care[care["end"].notna() & care["reason_ceased"].isin(_LEFT_FOR_GOOD)]
    if gone.empty:
        return
    left = gone.groupby("child_id")["end"].max()
    still = plans[plans["end"].isna() & plans["child_id"].isin(left.index)]
    still = still[still["start"] <= still["child_id"].map(left)]
    if still.empty:
        return
    read = next(read for read in reads if read.number == 7)
    children = set(still["child_id"])
    rows = [
        int(row)
        for row, child in zip(read.rows, read.ids.ids, strict=True)
        if child in children and int(row) not in read.ledger.reasons
    ]
    read.ledger.say(
        "plan-open-after-leaving",
        Severity.WARN,
        f"{len(children):,} [child has|children have] an open plan, though List 8 says that [the "
        "child|they] died or [was|were] adopted: close the plan in the case system, or correct "
        "the reason.",
        rows=rows,
        name="end",
        count=len(children),
    )
