"""The blocks of sheet Accuracy data: what each chart of sheet Accuracy draws, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from demand_addin.layout import accuracy as layout
from demand_addin.plan.values import cells, month_block, month_end
from demand_addin.ports import CellValue, RangeValues
from demand_model.results.forecast import MEASURE_NAMES

TOLD_AHEAD = 12
"""Most months ahead in a chart of a forecast against what happened."""

_HISTORY_MONTHS = 6
"""Months shown before a forecast was made."""

_Rows = tuple[tuple[CellValue, ...], ...]


def told_blocks(table: pd.DataFrame, origin: date, monthly: pd.DataFrame) -> list[RangeValues]:
    """Return the forecasts made from one earlier date, beside what happened."""
    made = table[table["origin"] == pd.Timestamp(origin)]
    return [
        RangeValues(
            name=f"accuracy_told_{measure}",
            rows=_range_rows(made, measure, origin, _known(monthly, measure)),
        )
        for measure in layout.HEADLINE_MEASURES
    ]


def past_blocks(
    table: pd.DataFrame, made_on: date | None, monthly: pd.DataFrame
) -> list[RangeValues]:
    """Return what one earlier run said, beside what happened; empty if there is none."""
    blocks = []
    for measure in layout.HEADLINE_MEASURES:
        rows: _Rows = (layout.RANGE_COLUMNS,)
        if made_on is not None:
            made = table[table["made_on"] == pd.Timestamp(made_on)]
            rows = _range_rows(made, measure, made_on, _known(monthly, measure))
        blocks.append(RangeValues(name=f"accuracy_past_{measure}", rows=rows))
    return blocks


def shown_forecast(judged: pd.DataFrame) -> date | None:
    """Return the day of the earliest forecast that is not older than the charts reach.

    Parameters
    ----------
    judged
        Columns ``made_on``, ``month_end``: forecast months that have come.
    """
    if judged.empty:
        return None
    days = sorted(set(_days(judged["made_on"])))
    last = max(_days(judged["month_end"]))
    recent = [day for day in days if month_end(day, TOLD_AHEAD) >= last]
    return recent[0] if recent else days[-1]


def error_bars(scores: pd.DataFrame) -> RangeValues:
    """Return each method's average error as a share of what happened, by measure."""
    share = {
        (str(measure), str(method)): value
        for measure, method, value in zip(
            scores["measure"], scores["method"], scores["wape"], strict=True
        )
    }
    rows: list[tuple[CellValue, ...]] = [layout.ERROR_COLUMNS]
    for measure, words in MEASURE_NAMES.items():
        shares = [share.get((measure, method)) for method in layout.METHOD_WORDS]
        rows.append((words, *cells(shares, decimals=4)))
    return RangeValues(name="accuracy_errors", rows=tuple(rows))


def control_blocks(table: pd.DataFrame) -> list[RangeValues]:
    """Return each measure's months, average, limits and signals."""
    blocks = []
    for measure in MEASURE_NAMES:
        mine = table[table["measure"] == measure].sort_values("month_end")
        mine = mine.tail(layout.CONTROL_ROWS)
        counted = mine["value"] if measure in layout.COUNTED_TOO else mine["value"] * float("nan")
        adjusted = mine["adjusted"]
        signalled = adjusted.where(mine["signal"].fillna("").astype(str) != "")
        columns = [counted, adjusted, mine["mean"], mine["upper"], mine["lower"], signalled]
        values = [cells(column.tolist()) for column in columns]
        rows = list(zip(_days(mine["month_end"]), *values, strict=True))
        blocks.append(
            RangeValues(
                name=f"accuracy_control_{measure}",
                rows=month_block(layout.control_columns(measure), rows, layout.CONTROL_ROWS),
            )
        )
    return blocks


def _known(monthly: pd.DataFrame, measure: str) -> dict[date, float]:
    """Return what happened, by the last day of the month."""
    series = monthly[measure].dropna()
    return {
        month_end(date(month.year, month.month, 1)): float(value)
        for month, value in zip(series.index, series, strict=True)
    }


def _range_rows(
    made: pd.DataFrame, measure: str, origin: date, known: Mapping[date, float]
) -> _Rows:
    """Return the ends of the 80% range, the forecast, no change, and what happened.

    Forecast and range open from the last known value.
    """
    mine = made[made["measure"] == measure].sort_values("month_end")
    mine = mine[mine["month_end"] <= pd.Timestamp(month_end(origin, TOLD_AHEAD))]
    first = min(_days(mine["month_end"]), default=month_end(origin, 1))
    past = [month for month in sorted(known) if month < first][-_HISTORY_MONTHS:]
    level = _level(mine, [known[month] for month in past], is_stock=measure.endswith("_open"))
    rows: list[tuple[object, ...]] = []
    for month in past:
        value = known[month]
        is_last = month == past[-1]
        opening = (value, value, value, level) if is_last else (None,) * 4
        rows.append((month, *opening, value))
    forecast = zip(mine["p10"], mine["p90"], mine["mean"], strict=True)
    said = dict(zip(_days(mine["month_end"]), forecast, strict=True))
    last = max(said, default=first)
    rows.extend(
        (month, *said.get(month, (None,) * 3), level, known.get(month))
        for month in sorted({*said, *(month for month in known if first <= month <= last)})
    )
    return month_block(layout.RANGE_COLUMNS, rows, layout.RANGE_ROWS)


def _level(mine: pd.DataFrame, past: Sequence[float], *, is_stock: bool) -> float | None:
    """Return what 'no change' says: as scored, or from the months before."""
    if "no_change" in mine and len(mine):
        return float(mine["no_change"].iloc[0])
    recent = past[-1:] if is_stock else past
    return sum(recent) / len(recent) if recent else None


def _days(column: pd.Series) -> list[date]:
    return [stamp.date() for stamp in column.tolist()]
