"""Children by need on sheet Levers: what is shown tells of no fewer than five."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from demand_addin.layout.levers import NEED_COUNTS
from demand_addin.plan.needs import need_rows
from demand_model.results.placement_need import NEED_COLUMNS, NEEDS

pytestmark = pytest.mark.unit

COUNTS = ("entered", "entered_external", "children", "children_external")
SHOWN = tuple(NEED_COUNTS.headings.index(h) for h in NEED_COUNTS.headings[2:6])
SHARE, EXTERNAL = (NEED_COUNTS.headings.index(h) for h in ("Of entrants", "External share"))


def table(rows: Sequence[tuple[int, int, int, int]]) -> pd.DataFrame:
    whole = sum(row[0] for row in rows) or 1
    return pd.DataFrame(
        [
            (need, "", *map(float, row), row[0] / whole, row[1] / (row[0] or 1))
            for need, row in zip(NEEDS, rows, strict=True)
        ],
        columns=list(NEED_COLUMNS),
    )


def made_up(rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    rows = []
    for _ in NEEDS:
        entered, children = (int(n) for n in rng.choice((0, 1, 3, 6, 9, 14, 40, 120), size=2))
        outside = (int(rng.integers(0, n + 1)) for n in (entered, children))
        rows.append((entered, next(outside), children, next(outside)))
    return rows


def stands_for(shown: object) -> range:
    """Whole numbers that a shown count may stand for."""
    if shown == "c":
        return range(1, 5)
    assert isinstance(shown, int)
    return range(1) if shown == 0 else range(max(5, shown - 2), shown + 3)


def possible(ranges: Sequence[range], total: int, at: int) -> set[int]:
    """What one count may be, where the total of all is known."""
    sums = {0}
    for number, values in enumerate(ranges):
        if number != at:
            sums = {s + v for s in sums for v in values if s + v <= total}
    return {v for v in ranges[at] if total - v in sums}


@pytest.mark.parametrize("seed", range(150))
def test_no_count_below_five_can_be_worked_out(seed: int) -> None:
    truth = made_up(np.random.default_rng(seed))
    rows = need_rows(table(truth))
    hidden = [n for n, row in enumerate(rows) if row[SHARE] == "c"]
    assert [n for n, row in enumerate(rows) if row[EXTERNAL] == "c"] == hidden
    assert len(hidden) != 1
    for row, mine in zip(rows, truth, strict=True):
        few = [c for c in (*mine, mine[0] - mine[1], mine[2] - mine[3]) if 0 < c < 5]
        assert row[SHARE] == "c" or not few
    if len(hidden) == len(rows):
        return
    # Whoever knows the total and each count that a share stands beside knows what is left.
    for column, place in enumerate(SHOWN):
        left = sum(truth[n][column] for n in hidden)
        ranges = [stands_for(rows[n][place]) for n in hidden]
        for at, n in enumerate(hidden):
            if rows[n][place] == "c":
                assert len(possible(ranges, left, at)) > 1


def test_a_share_that_tells_is_withheld_with_a_second_and_the_rest_is_shown() -> None:
    rows = need_rows(
        table(
            [
                (120, 60, 200, 100),
                (3, 0, 20, 10),
                (40, 20, 60, 30),
                (20, 10, 30, 15),
                *[(0, 0, 0, 0)] * 4,
            ]
        )
    )
    assert [row[SHARE] == "c" for row in rows] == [False, True, False, True, *[False] * 4]
    assert rows[1][SHOWN[0]] == "c"
    assert (rows[0][SHARE], rows[0][EXTERNAL]) == (0.66, 0.5)


def test_a_remainder_that_tells_takes_a_third_row() -> None:
    # 4 and 12 leave 16: no other two counts shown as c and 10 add up to it.
    rows = need_rows(
        table([(4, 0, 0, 0), (12, 6, 0, 0), (30, 15, 0, 0), (90, 45, 0, 0), *[(0,) * 4] * 4])
    )
    assert [row[SHARE] == "c" for row in rows[:4]] == [True, True, True, False]


def test_those_not_in_external_placements_are_told_of_no_more() -> None:
    rows = need_rows(table([(60, 59, 80, 40), *[(30, 15, 40, 20)] * 3, *[(0,) * 4] * 4]))
    assert rows[0][EXTERNAL] == "c"
    assert rows[0][SHOWN[0]] == 60
