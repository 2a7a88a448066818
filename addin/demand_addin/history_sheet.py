"""What the workbook knows of the months before its lists: sheets History and Memory.

History is the analyst's own record; Memory is what earlier runs saw in their lists
and said of the future. Neither holds a row about a child. The three sources are
laid over each other, the better one on top:

    Memory  <  History  <  the whole months of the lists themselves
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from demand_addin.cells import as_date
from demand_addin.layout.history import HISTORY, HISTORY_SHEET
from demand_addin.layout.memory import MEMORY_FORECASTS, MEMORY_MONTHS, MEMORY_SHEET
from demand_addin.ports import TableRead, WorkbookPort
from demand_model import History, check_history
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidInputError
from demand_model.flows import MEASURES
from demand_model.results.records import ForecastRecord
from demand_model.units import counted

FORECAST_COLUMNS = MEMORY_FORECASTS.headings
"""`demand_model.results.track.PAST_COLUMNS`, and the scenario."""

OTHER_LISTS = "memory-of-other-lists"
"""Rule of the finding that what is remembered is not of these lists."""

_NUMBERS = ("mean", "p2_5", "p10", "p90", "p97_5")
_LEVELS = ("cla_open", "cp_open", "referrals")
_APART, _FEW = 0.25, 10.0
"""Share and number of children by which two counts of a month are not the same place's."""

_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory:
    """What earlier runs saw and said.

    Attributes
    ----------
    months
        PeriodIndex of months, columns `MEASURES`: whole months of the lists
        of earlier runs; NaN where no list showed them.
    forecasts
        Columns `FORECAST_COLUMNS`, ``made_on`` and ``month_end`` datetime64. A row
        whose month end is its census date holds the count on that day.
    unreadable
        Rows of the sheet that could not be read; somebody changed them.
    """

    months: pd.DataFrame
    forecasts: pd.DataFrame
    unreadable: int = 0

    @classmethod
    def empty(cls) -> Memory:
        """Nothing: no run yet, or a workbook without the sheet."""
        return cls(months=no_months(), forecasts=_forecast_frame([]))

    @property
    def census_dates(self) -> tuple[date, ...]:
        """Census dates of the forecasts, oldest first."""
        return tuple(stamp.date() for stamp in sorted(self.forecasts["made_on"].unique()))

    @property
    def past(self) -> pd.DataFrame:
        """The forecasts alone, without the counts on the census dates themselves."""
        made = self.forecasts
        return made[made["month_end"] > made["made_on"]]

    def record(self, census_date: date, scenario: str) -> ForecastRecord | None:
        """Return what the last run of a census date said of a scenario, if it is remembered."""
        made = self.forecasts
        mine = made[(made["made_on"] == pd.Timestamp(census_date)) & (made["scenario"] == scenario)]
        is_opening = mine["month_end"] == mine["made_on"]
        said, opening = mine[~is_opening], mine[is_opening]
        if said.empty:
            return None
        return ForecastRecord(
            census_date=census_date,
            scenario=scenario,
            months=said.drop(columns=["made_on", "scenario"]).reset_index(drop=True),
            opening=dict(zip(opening["measure"], opening["mean"].astype(float), strict=True)),
        )


def no_months() -> pd.DataFrame:
    """Return a table of monthly counts without a month."""
    index = pd.PeriodIndex([], freq="M")
    return pd.DataFrame(index=index, columns=list(MEASURES), dtype=float)


def read_history(book: WorkbookPort, census_date: date | None) -> tuple[History, Findings]:
    """Read the analyst's monthly counts, wherever they were pasted on the sheet.

    The sheet is found by its table, or else by its name; a workbook without either
    has no history.
    """
    name = _sheet_of(book, HISTORY.name, HISTORY_SHEET.name)
    if name is None:
        return History.empty(), Findings()
    return check_history(book.read_sheet(name), census_date)


def read_memory(book: WorkbookPort) -> tuple[Memory, Findings]:
    """Read what earlier runs remembered; a row that was changed by hand is left out, and said."""
    if _sheet_of(book, MEMORY_MONTHS.name, MEMORY_SHEET.name) is None:
        return Memory.empty(), Findings()
    months, forecasts = book.read_table(MEMORY_MONTHS.name), book.read_table(MEMORY_FORECASTS.name)
    known, bad_months = _months(months)
    rows, bad_rows = _forecast_rows(forecasts)
    memory = Memory(months=known, forecasts=_forecast_frame(rows), unreadable=bad_months + bad_rows)
    return memory, Findings.of(_altered(months.sheet, memory.unreadable))


def _sheet_of(book: WorkbookPort, table: str, sheet: str) -> str | None:
    if sheet in book.sheet_names():
        return sheet
    try:
        return book.read_table(table).sheet
    except InvalidInputError:
        return None


def overlaid(under: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    """Lay one table of monthly counts over another; a blank lets what is below show."""
    if under.empty or over.empty:
        return over if under.empty else under
    return over.combine_first(under)[list(MEASURES)].sort_index()


def trusted(
    memory: Memory, listed: pd.DataFrame, *, is_kept: bool = False
) -> tuple[Memory, Findings]:
    """Return the memory if it can be of these lists; else nothing, and say so.

    A workbook may have been tried out on a sample, or on another authority's lists.
    Levels that differ by more than a quarter in most of the months that both show
    are no corrections.

    Parameters
    ----------
    listed
        Whole months that the lists show (`demand_model.exposure.history.listed_months`).
    is_kept
        Whether sheet Memory goes on to hold what is not used: one list cut short shall
        not end it.
    """
    for measure in _LEVELS:
        both = pd.concat({"then": memory.months[measure], "now": listed[measure]}, axis=1).dropna()
        apart = (both["then"] - both["now"]).abs()
        is_other = (apart > _APART * both.max(axis=1)) & (apart > _FEW)
        if len(both) and is_other.mean() > 0.5:
            month, (then, now) = both.index[-1], both.iloc[-1]
            return Memory.empty(), Findings.of(
                [_other_lists(measure, month, then, now, is_kept=is_kept)]
            )
    return memory, Findings()


def earlier_months(memory: Memory, history: History, listed: pd.DataFrame) -> History | None:
    """Return what the fit shall know beside the lists; ``None`` if there is nothing.

    Remembered counts of months that the lists show are left out: they are the
    lists' own, seen earlier, and the same lists shall give the same forecast
    however often they are run.

    Parameters
    ----------
    listed
        Whole months that the lists show (`demand_model.exposure.history.listed_months`).
    """
    months = trusted(memory, listed)[0].months
    if len(listed):
        # Later months are known where older lists are run again; this forecast may not know them.
        months = months[months.index <= listed.index.max()]
    there = listed.notna().reindex(index=months.index, columns=months.columns, fill_value=False)
    remembered = months.mask(there).dropna(how="all")
    table = overlaid(remembered, history.table)
    if table.empty and not len(history.unusual):
        return None
    return History.of(table, list(history.unusual))


def monthly_actuals(memory: Memory, history: History, listed: pd.DataFrame) -> pd.DataFrame:
    """Return every monthly count that is known: the lists', else History's, else Memory's."""
    return overlaid(overlaid(trusted(memory, listed)[0].months, history.table), listed)


def history_hash(history: History | None) -> str:
    """Fingerprint of the earlier months that a run used; empty if it used none."""
    if history is None:
        return ""
    text = history.table.round(6).to_csv() + "|" + ",".join(map(str, history.unusual))
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


def _months(table: TableRead) -> tuple[pd.DataFrame, int]:
    at = [table.columns.index(name) for name in ("month", *MEASURES)]
    found: dict[pd.Period, list[float]] = {}
    bad = 0
    for row in table.rows:
        values = [row[i] for i in at]
        if all(value is None for value in values):
            continue
        day, counts = as_date(values[0]), _numbers(values[1:])
        if day is None or counts is None:
            bad += 1
        else:
            found[pd.Period(day, freq="M")] = counts
    if not found:
        return no_months(), bad
    index = pd.PeriodIndex(list(found), freq="M")
    frame = pd.DataFrame(list(found.values()), index=index, columns=list(MEASURES))
    return frame.sort_index(), bad


def _forecast_rows(table: TableRead) -> tuple[list[tuple[object, ...]], int]:
    at = {name: table.columns.index(name) for name in FORECAST_COLUMNS}
    days = [at[name] for name in ("made_on", "month_end")]
    counts = [at[name] for name in _NUMBERS]
    measure, scenario = at["measure"], at["scenario"]
    found: list[tuple[object, ...]] = []
    bad = 0
    for row in table.rows:
        made_on, month_end = (_day(row[i]) for i in days)
        numbers = [row[i] for i in counts]
        known = row[measure] in MEASURES and isinstance(row[scenario], str)
        if made_on and month_end and known and _are_counts(numbers):
            found.append((made_on, month_end, row[measure], *numbers, row[scenario]))
        elif any(value is not None for value in row):
            bad += 1
    return found, bad


def _forecast_frame(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["made_on", "month_end", "measure", *_NUMBERS, "scenario"])
    for name in ("made_on", "month_end"):
        frame[name] = pd.to_datetime(frame[name]).dt.normalize()
    frame = frame.astype(dict.fromkeys(_NUMBERS, float))
    return frame[list(FORECAST_COLUMNS)]


def _day(value: RawValue) -> date | None:
    return value if isinstance(value, datetime) else as_date(value)


def _count(value: RawValue) -> float | None:
    """Return a count, NaN for a blank; ``None`` if it is neither."""
    if value is None:
        return float("nan")
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    return None


def _are_counts(values: Sequence[RawValue]) -> bool:
    return all(value is not None and _count(value) is not None for value in values)


def _numbers(values: Sequence[RawValue]) -> list[float] | None:
    """Return counts, NaN where blank; ``None`` if one is no count."""
    counts = [count for count in map(_count, values) if count is not None]
    return counts if len(counts) == len(values) else None


def _other_lists(
    measure: str, month: pd.Period, then: float, now: float, *, is_kept: bool
) -> Finding:
    what = (
        "but kept as it is, since List 3 holds so few referrals, and this run is not remembered. "
        "Is all of List 3 there?"
        if is_kept
        else "and the run begins a new memory. Use one workbook for each authority."
    )
    return Finding(
        list_number=0,
        sheet=MEMORY_SHEET.name,
        cell="",
        rule=OTHER_LISTS,
        severity=Severity.WARN,
        column=measure,
        message=f"What sheet Memory remembers is not of these lists ({measure} in "
        f"{month:%B %Y}: {then:,.0f} remembered, {now:,.0f} in the lists). It is not used, {what}",
    )


def _altered(sheet: str, rows: int) -> tuple[Finding, ...]:
    if not rows:
        return ()
    was = "was" if rows == 1 else "were"
    return (
        Finding(
            list_number=0,
            sheet=sheet,
            cell="",
            rule="memory-altered",
            severity=Severity.WARN,
            message=f"{counted(rows, 'row')} of sheet Memory {was} changed by hand and cannot be "
            f"read; the next run leaves {'it' if rows == 1 else 'them'} out.",
            count=rows,
        ),
    )
