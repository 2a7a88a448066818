"""Past forecasts against what happened: how good they were, by months ahead.

The error is forecast less actual: above 0, the forecast was too high. Months ahead
are counted from the month of the census date; a month that had already begun then is
shown but not scored. Forecasts of the same month made one after another, and forecasts
of neighbouring months made together, miss together: the number of different months
forecast is what the evidence is worth, and few are called few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.results.forecast import MEASURE_NAMES, MEASURES
from demand_model.units import MONTHS_PER_YEAR, counted

PAST_COLUMNS = ("made_on", "month_end", "measure", "mean", "p2_5", "p10", "p90", "p97_5")
TRACK_COLUMNS = (*PAST_COLUMNS, "actual", "error", "inside_80", "inside_95")
TRACK_SCORE_COLUMNS = (
    "measure",
    "months_ahead",
    "forecasts",
    "months",
    "mean_absolute_error",
    "wape",
    "mean_error",
    "inside_80",
    "inside_95",
)
MONTHS_AHEAD = (("1-3", 1, 3), ("4-6", 4, 6), ("7-12", 7, 12), ("13-24", 13, 24), ("25+", 25, 999))
"""Bands of months ahead, both ends included."""

FEW_MONTHS = 6
"""Fewer different months than this are too few to judge by."""

_SAME_WAY = 0.8
_TOO_NARROW = 0.6


_MOST_SHARE = 1.0
"""Error over actual beyond which only the count is told."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracking:
    """Past forecasts beside the actuals.

    Attributes
    ----------
    table
        `TRACK_COLUMNS`: past forecasts of months that are now known, oldest first.
        ``error`` is mean less actual; ``inside_80`` and ``inside_95`` say whether
        the actual lay between p10 and p90, p2_5 and p97_5, ends included.
    scores
        `TRACK_SCORE_COLUMNS`, by measure and band of `MONTHS_AHEAD`: number of
        forecasts and of different months forecast; mean absolute error and mean
        error (children, or children a month); ``wape``, the sum of absolute errors
        over the sum of actuals (NaN if these are 0); shares inside, 0 to 1.
    sentences
        One a measure with anything to judge, or one that says there is nothing yet.
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    sentences: tuple[str, ...]


def track(past: pd.DataFrame, actuals: pd.DataFrame) -> Tracking:
    """Join past forecasts with what happened.

    Parameters
    ----------
    past
        `PAST_COLUMNS`: every earlier run's baseline, ``made_on`` its census date. Of a
        forecast given twice, the later row counts.
    actuals
        Whole months: PeriodIndex (M), columns among `MEASURES`; NaN where blank.

    Raises
    ------
    InvalidSettingError
        A column is missing, or the index of `actuals` is not monthly.
    """
    missing = [name for name in PAST_COLUMNS if name not in past.columns]
    if missing:
        raise InvalidSettingError(
            f"Invalid past forecasts: no column {', '.join(missing)}. "
            f"They must have {', '.join(PAST_COLUMNS)}."
        )
    if not isinstance(actuals.index, pd.PeriodIndex) or actuals.index.freqstr != "M":
        raise InvalidSettingError(
            "Invalid index of actuals. It must be a PeriodIndex with freq 'M'."
        )
    table = _joined(past, actuals)
    scored = _with_bands(table)
    return Tracking(table=table, scores=_scores(scored), sentences=_sentences(scored))


def _joined(past: pd.DataFrame, actuals: pd.DataFrame) -> pd.DataFrame:
    rows = past[list(PAST_COLUMNS)].drop_duplicates(
        ["made_on", "month_end", "measure"], keep="last"
    )
    rows = rows.assign(
        made_on=pd.to_datetime(rows["made_on"]), month_end=pd.to_datetime(rows["month_end"])
    )
    known_months = pd.PeriodIndex(actuals.index).asi8
    known = {
        (month, str(measure)): float(value)
        for measure in actuals.columns
        for month, value in zip(known_months, actuals[measure], strict=True)
    }
    months = pd.DatetimeIndex(rows["month_end"]).to_period("M").asi8
    keys = zip(months, rows["measure"].astype(str), strict=True)
    actual = np.array([known.get(key, np.nan) for key in keys], dtype=float)
    rows = rows.assign(actual=actual)
    rows = rows[rows["actual"].notna() & rows["mean"].notna()]
    rows = rows.assign(
        error=rows["mean"].astype(float) - rows["actual"],
        inside_80=rows["actual"].between(rows["p10"], rows["p90"]),
        inside_95=rows["actual"].between(rows["p2_5"], rows["p97_5"]),
    )
    order = rows["measure"].map({measure: i for i, measure in enumerate(MEASURES)})
    rows = rows.assign(order=order).sort_values(["made_on", "order", "month_end"])
    tidy: pd.DataFrame = rows[list(TRACK_COLUMNS)].reset_index(drop=True)
    return tidy


def _with_bands(table: pd.DataFrame) -> pd.DataFrame:
    made, target = pd.DatetimeIndex(table["made_on"]), pd.DatetimeIndex(table["month_end"])
    ahead = np.asarray((target.year - made.year) * MONTHS_PER_YEAR + target.month - made.month)
    band = np.full(len(table), "", dtype=object)
    for name, first, last in MONTHS_AHEAD:
        band[(ahead >= first) & (ahead <= last)] = name
    kept: pd.DataFrame = table.assign(ahead=ahead, band=band).loc[band != ""]
    return kept


def _scores(scored: pd.DataFrame) -> pd.DataFrame:
    groups = dict(list(scored.groupby(["measure", "band"])))
    rows = [
        (measure, name, *_score(groups[measure, name]))
        for measure in MEASURES
        for name, _, _ in MONTHS_AHEAD
        if (measure, name) in groups
    ]
    return pd.DataFrame(rows, columns=list(TRACK_SCORE_COLUMNS))


def _score(rows: pd.DataFrame) -> tuple[int, int, float, float, float, float, float]:
    wrong, total = rows["error"].abs(), float(rows["actual"].sum())
    return (
        len(rows),
        int(rows["month_end"].nunique()),
        float(wrong.mean()),
        float(wrong.sum()) / total if total > 0 else float("nan"),
        float(rows["error"].mean()),
        float(rows["inside_80"].mean()),
        float(rows["inside_95"].mean()),
    )


# --- sentences -----------------------------------------------------------------------------------


def _sentences(scored: pd.DataFrame) -> tuple[str, ...]:
    found = [
        _sentence(measure, mine)
        for measure in MEASURES
        if len(mine := scored[scored["measure"] == measure])
    ]
    if found:
        return tuple(found)
    return ("No month that an earlier run forecast is known yet: come back after the next run.",)


def _sentence(measure: str, rows: pd.DataFrame) -> str:
    """Say how the nearest months went and, with enough of them, the farthest."""
    since = pd.Timestamp(rows["made_on"].min()).strftime("%B %Y")
    name = MEASURE_NAMES[measure]
    bands = [n for n, _, _ in MONTHS_AHEAD if (rows["band"] == n).any()]
    near = rows[rows["band"] == bands[0]]
    text = f"{name}, forecasts made since {since}: {_how_far_out(near, bands[0])}"
    months = int(near["month_end"].nunique())
    if months < FEW_MONTHS:
        seen = counted(months, "month")
        return f"{text}. Few: only {seen} to judge by so far."
    far = rows[rows["band"] == bands[-1]]
    if len(bands) > 1 and far["month_end"].nunique() >= FEW_MONTHS:
        text += f"; {_how_far_out(far, bands[-1])}"
    return f"{text}.{_lean(near)}{_width(near)}"


def _how_far_out(rows: pd.DataFrame, band: str) -> str:
    count, _, out, share, *_ = _score(rows)
    # A share of next to nothing says nothing.
    percent = "" if np.isnan(share) or share > _MOST_SHARE else f" ({share:.1%})"
    inside = int(rows["inside_80"].sum())
    if count == 1:
        ahead = counted(int(rows["ahead"].iloc[0]), "month")
        where = "inside" if inside else "outside"
        return f"the one of {ahead} ahead was {_figure(out)} out{percent}, {where} the 80% range"
    return (
        f"{band.replace('-', ' to ')} months ahead they were {_figure(out)} out on "
        f"average{percent}, and {inside} of {count} inside the 80% range"
    )


def _lean(rows: pd.DataFrame) -> str:
    """Say so if nearly all forecasts missed the same way."""
    signs, mean = np.sign(rows["error"].to_numpy(dtype=float)), float(rows["error"].mean())
    if abs(signs.sum()) < (2 * _SAME_WAY - 1) * len(rows) or round(abs(mean), 1) == 0:
        return ""
    return f" They tended to be too {'high' if mean > 0 else 'low'} by {_figure(abs(mean))}."


def _width(rows: pd.DataFrame) -> str:
    if float(rows["inside_80"].mean()) >= _TOO_NARROW:
        return ""
    return " The ranges have been too narrow so far: expect more than they say."


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"
