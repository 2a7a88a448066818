"""The waterfall: from one forecast to another by driver, in figures that add up, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.results.account import (
    CORRECTED,
    INTAKE,
    LEAVING,
    OPENING,
    OTHER,
    SCENARIO,
    SEASON,
    SHARE,
    family,
)
from demand_model.results.forecast import MEASURE_NAMES
from demand_model.units import signed

FloatArray = npt.NDArray[np.float64]

WATERFALL_COLUMNS = ("step", "driver", "value", "running", "is_total", "note")

_NAMED_IN_SENTENCE = 5
_WORTH_NAMING = 0.15
"""Of the largest change; smaller ones are said together."""

_SMALL_FLOW = 100.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waterfall:
    """What moved one figure from one forecast to another.

    Attributes
    ----------
    measure, month_end
        The figure: a measure of `MEASURES`, at the end of (or during) a month.
    before, after
        What is compared: "Forecast of 31/08/2026", or names of scenarios. `before`
        is empty for a first run.
    table
        `WATERFALL_COLUMNS`, exact: the first row is the figure before, the last the
        figure after (``is_total``), and the values between add up to their
        difference. ``running`` is the sum so far. Write `written` to a sheet.
    sentence
        The same in words, in whole figures that add up.
    """

    measure: str
    month_end: date
    before: str
    after: str
    table: pd.DataFrame
    sentence: str

    def written(self, decimals: int | None = None) -> pd.DataFrame:
        """Return the table in rounded figures that still add up exactly.

        Totals are rounded to the nearest; changes by largest remainder, so that
        each is within one unit of its exact value.

        Parameters
        ----------
        decimals
            0 or more; by default none for stocks and large flows, one for flows
            below 100 a month.
        """
        exact = self.table["value"].to_numpy(dtype=float)
        places = usual_decimals(self.measure, exact) if decimals is None else decimals
        return self.table.assign(**_columns(rounded_to_add_up(exact, places), places))


def usual_decimals(measure: str, values: FloatArray) -> int:
    """Decimals that a figure of this measure and size is worth."""
    small = max(abs(values[0]), abs(values[-1])) < _SMALL_FLOW
    return int(small and not measure.endswith("_open"))


def rounded_to_add_up(values: FloatArray, decimals: int = 0) -> FloatArray:
    """Round a waterfall (total, changes, total) so that the changes still add up.

    Examples
    --------
    >>> rounded_to_add_up(np.array([10.4, 0.4, 0.4, 0.4, 11.6])).tolist()
    [10.0, 1.0, 1.0, 0.0, 12.0]
    """
    unit = 10.0**decimals
    if len(values) == 1:  # a first run: a figure with nothing before it
        return np.rint(values * unit) / unit + 0.0
    first, last = (float(np.rint(v * unit)) for v in (values[0], values[-1]))
    scaled = values[1:-1] * unit
    whole = np.floor(scaled)
    short = round(last - first - float(whole.sum()))
    # A driver that did nothing stays at nothing.
    nearest = np.lexsort((-np.abs(scaled), -(scaled - whole), scaled == 0))
    whole[nearest[:short]] += 1.0
    return np.concatenate([[first], whole, [last]]) / unit + 0.0


def waterfall_table(
    before: float, steps: Sequence[tuple[str, float, str]], after: float, labels: tuple[str, str]
) -> pd.DataFrame:
    """Lay out the exact table from (driver, change, note) of each step."""
    changes = np.array([change for _, change, _ in steps], dtype=float)
    if len(changes):
        # What is left over by the arithmetic (1e-12 or so) goes where it is least seen.
        changes[int(np.argmax(np.abs(changes)))] += (after - before) - changes.sum()
    values = np.concatenate([[before], changes, [after]])
    return pd.DataFrame(
        {
            "step": np.arange(len(values)),
            "driver": [labels[0], *(driver for driver, _, _ in steps), labels[1]],
            **_columns(values),
            "is_total": [True, *[False] * len(steps), True],
            "note": ["", *(note for _, _, note in steps), ""],
        },
        columns=list(WATERFALL_COLUMNS),
    )


def _columns(values: FloatArray, decimals: int | None = None) -> dict[str, FloatArray]:
    running = np.cumsum(values[:-1])
    if decimals is not None:
        running = np.round(running, decimals)
    return {"value": values, "running": np.append(running, values[-1])}


def change_in_words(
    measure: str, month_end: date, table: pd.DataFrame, *, against: str, now: str = "now"
) -> str:
    """Say a waterfall in one sentence: the drivers that matter, and the rest together.

    Parameters
    ----------
    against
        What the figure before belongs to, after "in", such as "the forecast of 31/08/2026".
    now
        What the figure after belongs to.
    """
    exact = table["value"].to_numpy(dtype=float)
    places = usual_decimals(measure, exact)
    values = rounded_to_add_up(exact, places)
    name, when = MEASURE_NAMES[measure], month_end.strftime("%B %Y")
    after, total = _number(values[-1], places), signed(values[-1] - values[0], places)
    drivers = list(table["driver"])[1:-1]
    parts = [(d, v) for d, v in zip(drivers, values[1:-1], strict=True) if v]
    head = f"{name} in {when}: {after} {now} against {_number(values[0], places)} in {against}"
    if not parts:
        return f"{name} in {when}: {after} {now}, the same as in {against}."
    parts.sort(key=lambda part: (part[0] == OTHER, -abs(part[1])))
    least = _WORTH_NAMING * max(abs(v) for _, v in parts)
    count = sum(d != OTHER and abs(v) >= least for d, v in parts)
    count = min(count, _NAMED_IN_SENTENCE)
    named, rest = parts[:count], parts[count:]
    said = [f"{_words(d, v, measure)} ({signed(v, places)})" for d, v in named]
    if left := round(sum(v for _, v in rest), places):
        said.append(f"other ({signed(left, places)})")
    return f"{head} ({total}): {', '.join(said)}."


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}"


def _words(driver: str, value: float, measure: str) -> str:
    """Name a driver by what it did."""
    care = family(measure) == "cla"
    more = value > 0
    # Fewer leaving means more children; but a higher rate of leaving, more ends.
    leaving = more if measure.endswith("_ends") else not more
    words = {
        CORRECTED: "corrected past data",
        OPENING: f"{_more(more)} {'children in care' if care else 'children on a plan'} today",
        INTAKE: f"{_more(more)} referrals",
        SEASON: "timing of referrals",
        SHARE: f"{_more(more)} starts for each referral",
        LEAVING: f"{_more(leaving)} leaving",
        SCENARIO: "the scenario's own changes",
        OTHER: "other",
    }
    if measure == "referrals":
        words[INTAKE] = f"a {'higher' if more else 'lower'} level"
        words[SEASON] = "season"
    if not measure.endswith(("_open", "_ends")):
        words[OPENING] = "the month so far"
    return words[driver]


def _more(is_more: bool) -> str:  # noqa: FBT001
    return "more" if is_more else "fewer"
