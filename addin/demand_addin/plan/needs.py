"""Children by category of need on sheet Levers: no figure tells of fewer than five."""

from __future__ import annotations

import pandas as pd

from demand_addin.ports import CellValue
from demand_model.results.journey_counts import BASE, FEWEST_SHOWN, rounded_count
from demand_model.results.placement_need import NEED_LABELS

SMALL = "c"
"""Stands for a figure that is withheld."""

_PAIRS = (("entered", "entered_external"), ("children", "children_external"))
_COUNTS = tuple(column for pair in _PAIRS for column in pair)
_SHARES = ("share_of_entrants", "share_external")


def need_rows(needs: pd.DataFrame | None) -> tuple[tuple[CellValue, ...], ...]:
    """Return the rows of table `entrants_by_need`.

    Counts are rounded, and withheld below 5. Both shares of a need are withheld where a
    count behind them is, or those not in external placements are as few; and so are those
    of other needs, the smallest first, until what the shares that are shown leave for the
    rest tells none of the counts.

    Parameters
    ----------
    needs
        From `demand_model.results.placement_need.need_table`; ``None``: nobody is matched.
    """
    if needs is None:
        return ()
    counts = needs[list(_COUNTS)].to_numpy(float).tolist()
    hidden = _hidden(counts)
    return tuple(
        (
            NEED_LABELS[str(row["need"])],
            str(row["matched_to"]) or None,
            *(_shown(count) for count in mine),
            *(SMALL if number in hidden else round(float(row[share]), 2) for share in _SHARES),
        )
        for number, (row, mine) in enumerate(zip(needs.to_dict("records"), counts, strict=True))
    )


def _shown(count: float) -> CellValue:
    """Return a count that tells of no child."""
    return SMALL if _is_small(count) else rounded_count(count)


def _is_small(count: float) -> bool:
    return 0.0 < count < FEWEST_SHOWN


def _hidden(counts: list[list[float]]) -> frozenset[int]:
    """Which rows' shares are withheld."""
    hidden = {number for number, mine in enumerate(counts) if _rests_on_few(mine)}
    others = sorted(set(range(len(counts))) - hidden, key=lambda n: (counts[n][0] <= 0, counts[n]))
    if len(hidden) == 1 and others:
        hidden.add(others.pop(0))
    while others and any(_is_told([counts[n][c] for n in hidden]) for c in range(len(_COUNTS))):
        hidden.add(others.pop(0))
    return frozenset(hidden)


def _rests_on_few(mine: list[float]) -> bool:
    whole_and_part = zip(mine[::2], mine[1::2], strict=True)
    return any(_is_small(c) for pair in whole_and_part for c in (*pair, pair[0] - pair[1]))


def _is_told(counts: list[float]) -> bool:
    """Whether the sum of these counts, beside what is shown of each, tells a small one."""
    ends = [_ends(count) for count in counts]
    spare_low = sum(counts) - sum(low for low, _ in ends)
    spare_high = sum(high for _, high in ends) - sum(counts)
    return any(
        min(high, low + spare_low) - max(low, high - spare_high) < 1.0
        for count, (low, high) in zip(counts, ends, strict=True)
        if _is_small(count)
    )


def _ends(count: float) -> tuple[float, float]:
    """Return the least and the most children that what is shown of a count can stand for."""
    if count <= 0.0:
        return 0.0, 0.0
    if _is_small(count):
        return 1.0, FEWEST_SHOWN - 1.0
    shown, half = rounded_count(count), BASE // 2
    return float(max(FEWEST_SHOWN, shown - half)), float(shown + half)
