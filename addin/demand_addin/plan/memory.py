"""What a run adds to sheet Memory: the lists' whole months, and what it said of the future."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from demand_addin.history_sheet import FORECAST_COLUMNS, Memory, overlaid
from demand_addin.layout.memory import MEMORY_FORECASTS, MEMORY_MONTHS
from demand_addin.plan.values import frame_rows
from demand_addin.ports import TableValues
from demand_model import History
from demand_model.results.records import ForecastRecord

_NAMED = 2
"""Marked months that are named; of more, how many."""

KEPT_CENSUS_DATES = 36
"""Three years of monthly runs; reading and writing more would slow down every run."""

WHOLE_CENSUS_DATES = 2
"""Of these every month and scenario is kept, to explain the next forecast."""

MONTHLY_CENSUS_DATES = 13
MONTHLY_LEADS = frozenset(range(13))
"""Of these the baseline is kept month by month for a year, to be drawn against what happened.

Lead 0 is the month of the census: its opening stock, and what was left of it.
"""

OLDER_LEADS = frozenset({0, 1, 3, 6, 12, 24})
"""Months ahead that are kept of the baseline of older ones: enough to judge them."""


def remembered(
    memory: Memory, listed: pd.DataFrame, records: Iterable[ForecastRecord], *, baseline: str
) -> Memory:
    """Return what the next run shall know.

    Parameters
    ----------
    memory
        As it stood before this run.
    listed
        The whole months that this run's lists show; they win over what is remembered,
        unless later lists were run before.
    records
        What this run said, one record a scenario; they replace all that was said
        from the same census date.
    baseline
        Name of the scenario that is kept of older forecasts.
    """
    said = [_rows(record) for record in records]
    made_on = {frame["made_on"].iloc[0] for frame in said}
    older = memory.forecasts[~memory.forecasts["made_on"].isin(made_on)]
    # Without the empty ones: pandas would guess the types of what they hold.
    frames = [frame for frame in (older, *said) if len(frame)]
    together = pd.concat(frames, ignore_index=True) if frames else memory.forecasts
    shown = listed.dropna(how="all")
    is_older = bool(made_on) and max(made_on) < memory.forecasts["made_on"].max()
    months = overlaid(shown, memory.months) if is_older else overlaid(memory.months, shown)
    return Memory(months=months, forecasts=_thinned(together, baseline))


def memory_tables(memory: Memory) -> tuple[TableValues, TableValues]:
    """Return the tables of sheet Memory."""
    months = memory.months.reset_index(drop=True)
    ends = pd.PeriodIndex(memory.months.index).to_timestamp(how="end").normalize()
    months.insert(0, "month", ends)
    return (
        TableValues(
            name=MEMORY_MONTHS.name,
            columns=MEMORY_MONTHS.headings,
            rows=frame_rows(months, MEMORY_MONTHS.headings),
        ),
        TableValues(
            name=MEMORY_FORECASTS.name,
            columns=MEMORY_FORECASTS.headings,
            rows=frame_rows(memory.forecasts, MEMORY_FORECASTS.headings),
        ),
    )


def earlier_words(months: History | None, history: History, listed: pd.DataFrame) -> str:
    """Say how many months from before the lists a run used, where from, and which are unusual.

    Parameters
    ----------
    months
        What the fit knows beside the lists; ``None`` if nothing.
    history
        The analyst's own monthly counts, which win over what is remembered.
    listed
        The whole months that the lists show.
    """
    used = set(months.table.index) - set(listed.index) if months is not None else set()
    marked = _marked_words(history, used | set(listed.index))
    if not used:
        return (
            "No month from before the lists was used: sheets History and Memory hold none that "
            f"can be used.{marked}"
        )
    own = len(used & set(history.table.index))
    parts = [(own, "History"), (len(used) - own, "Memory")]
    said = " and ".join(f"{count:,} of sheet {sheet}" for count, sheet in parts if count)
    word = "Month" if len(used) == 1 else "Months"
    return f"{word} from before the lists that were used too: {said}.{marked}"


def _marked_words(history: History, known: set[pd.Period]) -> str:
    """Say which marks of unusual months do nothing, and which count: one line of the Dashboard."""
    marked = [month for month in history.unusual if month in known]
    idle = [month for month in history.unusual if month not in known]
    said = f" Marked unusual, without a count: {_months(idle)}." if idle else ""
    return f"{said} Unusual, as marked: {_months(marked)}." if marked else said


def _months(months: list[pd.Period]) -> str:
    """Name up to `_NAMED` months, and count the others."""
    names = [str(month.strftime("%b %Y")) for month in months[:_NAMED]]
    more = len(months) - len(names)
    return f"{', '.join(names)}{f' and {more:,} more' if more else ''}"


def _rows(record: ForecastRecord) -> pd.DataFrame:
    """Put a record into rows; the counts on the census date are rows of that date."""
    census = pd.Timestamp(record.census_date)
    opening = pd.DataFrame({"month_end": census, "measure": list(record.opening)})
    for name in ("mean", "p2_5", "p10", "p90", "p97_5"):
        opening[name] = [float(value) for value in record.opening.values()]
    frame = pd.concat([opening, record.months], ignore_index=True)
    frame = frame.assign(made_on=census, scenario=record.scenario)
    return frame.reindex(columns=list(FORECAST_COLUMNS))


def _thinned(forecasts: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Keep the newest forecasts whole, a year of recent ones, a few months of the older."""
    if forecasts.empty:
        return forecasts
    dates = sorted(forecasts["made_on"].unique())[-KEPT_CENSUS_DATES:]
    made, ends = forecasts["made_on"], forecasts["month_end"]
    lead = (ends.dt.year - made.dt.year) * 12 + ends.dt.month - made.dt.month
    is_whole = made.isin(dates[-WHOLE_CENSUS_DATES:])
    is_recent = made.isin(dates[-MONTHLY_CENSUS_DATES:]) & lead.isin(MONTHLY_LEADS)
    is_older = made.isin(dates) & lead.isin(OLDER_LEADS)
    is_baseline = forecasts["scenario"] == baseline
    kept: pd.DataFrame = forecasts[
        (is_whole | ((is_recent | is_older) & is_baseline)).to_numpy(bool)
    ]
    return kept.sort_values(["made_on", "scenario", "measure", "month_end"], ignore_index=True)
