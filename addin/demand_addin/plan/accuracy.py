"""What sheet Accuracy says: the back-test, earlier forecasts, and control charts.

Three parts, each a `BookPlan` of its own: ``csc-demand backtest`` writes the
first, every run the other two, and none touches another's cells.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date

import pandas as pd

from demand_addin.layout import accuracy as layout
from demand_addin.layout.declare import TableSpec
from demand_addin.plan.accuracy_charts import (
    TOLD_AHEAD,
    control_blocks,
    error_bars,
    past_blocks,
    shown_forecast,
    told_blocks,
)
from demand_addin.plan.values import day_name, frame_rows
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_model.results.backtest import Backtest
from demand_model.results.control import ControlCharts
from demand_model.results.forecast import MEASURE_NAMES, MEASURES
from demand_model.results.track import Tracking

_LINE_LENGTH = 172
_SHARE_DECIMALS = 4
_NO_MONTHS = "The lists show no whole month."
_NO_TRACKING = (
    "This run is the first of these lists that is remembered. Run the model on later lists in this "
    "workbook: what it said today will stand here beside what happened."
)
_TOLD_AXIS = "The axes need not begin at zero."
_LIMITS_NOTE = (
    "Grey dashed lines: the range that ordinary month-to-month variation stays in. A dark red "
    "diamond is worth asking about; other ups and downs are not. Adjusted: for working days, "
    "referrals also for season."
)


def backtest_tables(result: Backtest, monthly: pd.DataFrame) -> BookPlan:
    """Plan the part of the back-test.

    Parameters
    ----------
    result
        The outcome of `demand_model.backtest`.
    monthly
        What happened, by month (PeriodIndex) and measure: the charts show the
        months before each earlier date too.
    """
    scores = _in_order(
        result.scores.rename(
            columns={"mean_absolute_error": "average_error", "wape": "error_share",
                     "mean_error": "bias"}
        ).replace({"method": layout.METHOD_WORDS}),
        [],
    )  # fmt: skip
    every = _in_order(result.table, ["origin", "month_end"])
    origin = min(result.origins)
    said = [sentence.partition(": ")[2] for sentence in headlines_first(result.sentences)]
    told = [*zip(MEASURE_NAMES.values(), said, strict=True), ("Bear in mind", result.note)]
    return BookPlan(
        tables=(
            _values(layout.SCORES, scores, decimals=_SHARE_DECIMALS),
            _values(layout.BACKTEST, _latest(every, "origin", layout.BACKTEST.room)),
        ),
        ranges=(
            _sentences("backtest", told),
            _note("told", _told_note(origin, len(result.origins))),
            *told_blocks(result.table, origin, monthly),
            error_bars(result.scores),
        ),
    )  # fmt: skip


def tracking_tables(tracking: Tracking, monthly: pd.DataFrame) -> BookPlan:
    """Plan the part of earlier forecasts against what happened since.

    Parameters
    ----------
    tracking
        The outcome of `demand_model.track`; months that have not come yet are left out.
    monthly
        What happened, by month (PeriodIndex) and measure.
    """
    judged = tracking.table[tracking.table["actual"].notna()]
    every = _in_order(judged, ["made_on", "month_end"])
    made_on = shown_forecast(judged)
    if made_on is None:
        told = [(layout.NOTHING_YET, _NO_TRACKING)]
        note = "Nothing to show yet: the next run on later lists begins these charts."
    else:
        told = _by_measure(tracking.sentences) or [
            (layout.NOTHING_YET, " ".join(tracking.sentences))
        ]
        note = (
            f"What the model said on {day_name(made_on)}: the earliest of its forecasts in the "
            f"last {TOLD_AHEAD} months; the table below has all. {_TOLD_AXIS}"
        )
    return BookPlan(
        tables=(_values(layout.PAST_FORECASTS, every),),
        ranges=(
            _sentences("tracking", told),
            _note("past", note),
            *past_blocks(tracking.table, made_on, monthly),
        ),
    )


def control_tables(charts: ControlCharts) -> BookPlan:
    """Plan the part of the control charts.

    Parameters
    ----------
    charts
        The outcome of `demand_model.control_charts`.
    """
    every = _in_order(charts.table, ["month_end"])
    told = _by_measure(charts.sentences) or [(layout.NOTHING_YET, _NO_MONTHS)]
    return BookPlan(
        tables=(_values(layout.CONTROL, _latest(every, "month_end", layout.CONTROL.room)),),
        ranges=(
            _sentences("control", told),
            _note("limits", _LIMITS_NOTE),
            *control_blocks(charts.table),
        ),
    )


def _values(spec: TableSpec, frame: pd.DataFrame, *, decimals: int = 3) -> TableValues:
    named = frame.assign(measure=frame["measure"].map(MEASURE_NAMES))
    rows = frame_rows(named, spec.headings, decimals=decimals)
    return TableValues(name=spec.name, columns=spec.headings, rows=rows)


def _in_order(frame: pd.DataFrame, then_by: Sequence[str]) -> pd.DataFrame:
    """Return the rows by measure, headline measures first; else as they are, or by columns."""
    at = {measure: number for number, measure in enumerate(MEASURE_NAMES)}
    keyed = frame.assign(_at=frame["measure"].astype(str).map(at))
    return keyed.sort_values(["_at", *then_by], kind="stable").drop(columns="_at")


def _latest(frame: pd.DataFrame, column: str, room: int) -> pd.DataFrame:
    """Return the rows with the latest days of a column, as many whole days as there is room for."""
    counts = frame[column].value_counts().sort_index(ascending=False).cumsum()
    return frame[frame[column].isin(counts[counts <= room].index)]


def headlines_first(sentences: Sequence[str]) -> list[str]:
    """Put sentences, one a measure in the order of `MEASURES`, in the sheet's order."""
    by_measure = dict(zip(MEASURES, sentences, strict=True))
    return [by_measure[measure] for measure in MEASURE_NAMES]


def _by_measure(sentences: Sequence[str]) -> list[tuple[str, str]]:
    """Take the measure's name off sentences that begin with it; in the sheet's order.

    Not every measure need have one.
    """
    told = {}
    for sentence in sentences:
        for measure, name in MEASURE_NAMES.items():
            if sentence.startswith(name):
                told[measure] = sentence.removeprefix(name).lstrip(",: ")
    return [(words, told[m]) for m, words in MEASURE_NAMES.items() if m in told]


def _sentences(part: str, told: Sequence[tuple[str, str]]) -> RangeValues:
    """Return measures and sentences as lines that fit the page; the last says if some do not."""
    area = layout.SENTENCES[part]
    rows: list[tuple[CellValue, ...]] = []
    for more, (words, sentence) in zip(range(len(told) - 1, -1, -1), told, strict=True):
        lines = textwrap.wrap(sentence[:1].upper() + sentence[1:], _LINE_LENGTH)
        if len(rows) + len(lines) > area.rows - bool(more):
            rows.append((None, "The tables below have the rest."))
            break
        rows += [(words if line is lines[0] else None, line) for line in lines]
    return RangeValues(name=area.name, rows=tuple(rows))


def _note(part: str, text: str) -> RangeValues:
    return RangeValues(name=layout.NOTES[part].name, rows=((text,),))


def _told_note(origin: date, dates: int) -> str:
    which = (
        "only date tested."
        if dates == 1
        else (f"earliest date tested; the table below has all {dates} dates.")
    )
    return f"As if on {day_name(origin)}, the {which} {_TOLD_AXIS}"
