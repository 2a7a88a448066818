"""Sheet Journeys: the engine's tables with small numbers marked, sentences and chart blocks."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from demand_addin.layout import journeys as declared
from demand_addin.plan.values import cells, day_name, number
from demand_addin.ports import CellValue, RangeValues, TableValues
from demand_model.results.journey_groups import EVERYONE
from demand_model.results.journey_times import PERCENTILES
from demand_model.results.journeys import Journeys

WITHHELD = "c"
"""Stands for a figure that small numbers hide."""

_LINE_LENGTH = 200
_DECIMALS = 3
_GAP = 9.0
"""Height between two ribbons, where 100 children are 100 high."""

_LABELS = {
    "Care": "Into care",
    "Child protection plan": "Plan",
    "No further action": "No action",
    "None of these so far": "None so far",
}
_OTHERS = "Small numbers"
_CLOSED = "Closed cases only"
_FEWEST_RIBBONS = 2


def journey_values(found: Journeys) -> tuple[tuple[TableValues, ...], tuple[RangeValues, ...]]:
    """Return the tables, and the sentences and chart blocks, of sheet Journeys."""
    tables = (
        _table(declared.STAGES.name, declared.STAGES.headings, found.stages),
        _table(declared.FLOWS.name, declared.FLOWS.headings, found.flows),
    )
    lines = [line for said in found.sentences for line in textwrap.wrap(said, _LINE_LENGTH)]
    return tables, (
        RangeValues(name=declared.TOP.name, rows=((_top(found),),)),
        RangeValues(
            name=declared.SENTENCES.name,
            rows=tuple((line,) for line in lines[: declared.SENTENCES.rows]),
        ),
        *(r for picture in declared.FLOW_PICTURES for r in _flow_ranges(picture, found.flows)),
        *(_time_range(chart, found.stages) for chart in declared.TIME_CHARTS),
    )


def _top(found: Journeys) -> str:
    return (
        f"From the lists as at {day_name(found.census_date)}. Ranges in brackets hold the truth "
        "8 times in 10."
    )


def _table(name: str, headings: Sequence[str], frame: pd.DataFrame) -> TableValues:
    """Return a table's rows: figures rounded, what is withheld marked, the rest blank."""
    columns = {head: cells(frame[head].tolist(), decimals=_DECIMALS) for head in headings}
    for row, hidden in enumerate(frame["withheld"]):
        for figure in str(hidden).split():
            for head in headings:
                if head in (figure, f"{figure}_low", f"{figure}_high"):
                    columns[head][row] = WITHHELD
    rows = tuple(zip(*(columns[head] for head in headings), strict=True)) if len(frame) else ()
    return TableValues(name=name, columns=tuple(headings), rows=rows)


def _flow_ranges(picture: declared.FlowPicture, flows: pd.DataFrame) -> list[RangeValues]:
    """Return a flow picture's caption and block."""
    mine = flows[(flows["from"] == picture.stage) & (flows["group"] == EVERYONE)]
    caption, shares = flow_shares(mine)
    rows = ribbon_rows(picture, shares)
    return [
        RangeValues(name=f"journeys_caption_{picture.key}", rows=((caption,),)),
        RangeValues(name=picture.block_name, rows=rows),
    ]


_HORIZON_WORDS = {
    "end": "Of 100 that end",
    "m12": "Of 100, within 12 months",
    "m6": "Of 100, within 6 months",
    "m3": "Of 100, within 3 months",
}


def flow_shares(rows: pd.DataFrame) -> tuple[str, tuple[tuple[str, float], ...]]:
    """Return what a flow picture shows: a caption, and shares by outcome that add up to 1.

    The furthest horizon is shown that the lists reach; what small numbers hide is
    one share together; what nobody came to is left out.

    Parameters
    ----------
    rows
        Of the engine's table of flows: one stage, everyone.
    """
    for name, words in _HORIZON_WORDS.items():
        known = rows[rows[name].notna()]
        if known.empty:
            continue
        pairs = zip(known["to"], known[name], strict=True)
        shares = [(str(to), float(share)) for to, share in pairs if share > 0.0]
        if len(shares) < _FEWEST_RIBBONS:
            continue
        if any(name in str(hidden).split() for hidden in rows["withheld"]):
            shares.append((_OTHERS, max(1.0 - sum(share for _, share in shares), 0.0)))
        return words, tuple(shares)
    return "Too few children to tell apart where they go.", ()


def ribbon_rows(
    picture: declared.FlowPicture, shares: Sequence[tuple[str, float]]
) -> tuple[tuple[CellValue, ...], ...]:
    """Return the block of a flow picture: gaps, ribbons and labels along it.

    Ribbons are stacked from the bottom, so the first outcome comes last.
    """
    if not shares:
        return (picture.columns,)
    spare = picture.ribbons - len(shares)
    drawn = [*((("", 0.0),) * spare), *reversed(shares)]
    gaps = np.array([0.0 if i <= spare else _GAP for i in range(picture.ribbons)])
    height = np.array([100.0 * share for _, share in drawn])
    along = _smooth(np.linspace(0.0, 1.0, declared.FLOW_POINTS))
    below = (1.0 - along) * gaps.sum() / 2.0
    opened = along[:, None] * gaps
    opened[:, spare] += below
    middle = np.cumsum(gaps + height) - height / 2.0
    names = [f"{_LABELS.get(to, to)}: {_of_100(share)}" if to else "" for to, share in drawn]
    heads = (
        "point",
        *(text for name in names for text in (f"gap below {name}", name or "unused")),
        *(name or "unused" for name in names),
    )
    rows: list[tuple[CellValue, ...]] = [heads]
    for point in range(declared.FLOW_POINTS):
        pairs = [float(v) for i in range(picture.ribbons) for v in (opened[point, i], height[i])]
        is_end = point == declared.FLOW_POINTS - 1
        labels = [float(middle[i]) if is_end and names[i] else None for i in range(picture.ribbons)]
        rows.append((str(point), *cells(pairs), *cells(labels)))
    return tuple(rows)


def _smooth(along: np.ndarray) -> np.ndarray:
    """Return an S from 0 to 1 with a level piece at either end."""
    inner = np.clip((along - 0.12) / 0.76, 0.0, 1.0)
    return inner * inner * (3.0 - 2.0 * inner)


def _of_100(share: float) -> str:
    of_100 = 100.0 * share
    return f"{of_100:.0f}" if of_100 >= 9.95 or of_100 == 0 else f"{of_100:.1f}"


_TIME_STAGES = {
    "referral": ("Referral to plan", "Referral to care"),
    "plan": ("On a plan", "Plan to care"),
    "care": ("In care",),
}
_TIME_NAMES = {
    "Referral to plan": "To a plan",
    "Referral to care": "To care",
    "On a plan": "On a plan",
    "Plan to care": "Plan to care",
    "In care": "In care",
}


def _time_range(chart: declared.TimeChart, stages: pd.DataFrame) -> RangeValues:
    """Return the bars of a chart of times: label, the part before, and three parts."""
    mine = stages[stages["stage"].isin(_TIME_STAGES[chart.key]) & stages["p50"].notna()]
    rows: list[tuple[CellValue, ...]] = []
    for row in mine.to_dict("records"):
        name = _TIME_NAMES[str(row["stage"])]
        is_all = row["group"] == EVERYONE
        aged = "Aged " if row["by"] == "Age at start" and str(row["group"])[0].isdigit() else ""
        label = f"{name}, all" if is_all else f"{aged}{row['group']}"
        rows.append(_bar(label, [float(row[p]) for p in PERCENTILES]))
        if not rows[1:]:
            closed = [float(row[f"plain_{p}"]) for p in PERCENTILES]
            rows.append(_bar(_CLOSED, closed))
    return RangeValues(name=chart.block_name, rows=(declared.TIME_COLUMNS, *rows[: chart.bars]))


def _bar(label: str, ends: Sequence[float]) -> tuple[CellValue, ...]:
    """Return a bar from its four ends; what is not known is left out."""
    widths = [ends[0], *(high - low for low, high in pairwise(ends))]
    return (f"{label}: half in {number(ends[1])}", *cells(widths))
