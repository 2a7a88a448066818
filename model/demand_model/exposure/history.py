"""Monthly counts from the authority's own records, beside the lists.

The lists show six months; many authorities know their monthly counts for years.
`check_history` reads them as they stand in a sheet, `history_disagreements` holds
them against the months that the lists show themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.cells import clean_text, column_letter, filled_cells, is_empty
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.raw import RawSheet, RawValue
from demand_model.errors import InvalidInputError
from demand_model.exposure.history_cells import read_counts, read_marks, read_months
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import ALL, MEASURES
from demand_model.units import counted

MONTH, UNUSUAL = "month", "unusual"
_HEADINGS = (MONTH, *MEASURES, UNUSUAL)
_ALSO = {"month_end": MONTH, "month_ending": MONTH, "period": MONTH, "date": MONTH}
_HEADING_ROWS = 30
_SHEET = "History"

_RELATIVE_DIFFERENCE, _ABSOLUTE_DIFFERENCE = 0.10, 5.0
"""A month differs if both are exceeded."""
_STEP_MONTHS, _STEP_GAP, _STEP_RATIO = 6, 6, 0.30
"""Months compared on either side, months that may lie between, log ratio that is said."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Monthly counts from the authority's own records, beside the lists.

    Attributes
    ----------
    table
        PeriodIndex of months, increasing, each once (months may be missing);
        columns `MEASURES`, floats of 0 or more, NaN where blank. Flows
        are children in the month, ``cp_open`` and ``cla_open`` children at its end.
    unusual
        Months in which demand was not itself, as the analyst marked them, such as a
        strike or a change of system; in order, perhaps outside `table`.
    """

    table: pd.DataFrame
    unusual: pd.PeriodIndex

    def __post_init__(self) -> None:
        """Refuse what would be misread later."""
        index = self.table.index
        if not isinstance(index, pd.PeriodIndex) or index.freqstr != "M":
            raise InvalidInputError("Invalid history. Its index must be months (PeriodIndex, M).")
        if not (index.is_monotonic_increasing and index.is_unique):
            raise InvalidInputError("Invalid history. Its months must be in order, each once.")
        if tuple(self.table.columns) != MEASURES:
            raise InvalidInputError(
                f"Invalid columns of history. They must be {', '.join(MEASURES)}."
            )
        values = self.table.to_numpy(float)
        if np.any(values < 0) or np.any(np.isinf(values)):
            raise InvalidInputError("Invalid history: a count is negative or infinite.")

    @classmethod
    def of(cls, table: pd.DataFrame, unusual: Sequence[pd.Period] = ()) -> History:
        """History of a frame with a monthly PeriodIndex and any of the measures.

        >>> months = pd.period_range("2024-01", periods=2, freq="M")
        >>> History.of(pd.DataFrame({"referrals": [300, 310]}, months)).months_given("cp_open")
        0
        """
        whole = table.reindex(columns=list(MEASURES)).astype(float).sort_index()
        marked = pd.PeriodIndex(sorted(set(unusual)), freq="M")
        return cls(table=whole.dropna(how="all"), unusual=marked)

    @classmethod
    def empty(cls) -> History:
        """No month at all."""
        return cls.of(pd.DataFrame(index=pd.PeriodIndex([], freq="M")))

    def months_given(self, measure: str) -> int:
        """Number of months in which a measure is given."""
        return int(self.table[measure].notna().sum())

    def series(self, measure: str, *, until: pd.Period | None = None) -> pd.Series:
        """Months in which a measure is given, those before `until` only."""
        given = self.table[measure].dropna()
        return given if until is None else given[given.index < until]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Where the sheet's headings stand."""

    row: int
    column: Mapping[str, int]


class _Log:
    """Findings of one sheet, with addresses."""

    def __init__(self, sheet: RawSheet) -> None:
        self._sheet = sheet
        self.items: list[Finding] = []

    def say(
        self,
        rule: str,
        message: str,
        *,
        row: int | None = None,
        column: int = 0,
        heading: str = "",
        count: int = 1,
        severity: Severity = Severity.WARN,
    ) -> None:
        """Add a finding at a 0-based place of the sheet's cells."""
        cell = ""
        if row is not None:
            letter = column_letter(self._sheet.first_column + column)
            cell = f"{letter}{self._sheet.first_row + row}"
        self.items.append(
            Finding(
                list_number=0,
                sheet=self._sheet.sheet or _SHEET,
                cell=cell,
                rule=rule,
                severity=severity,
                message=message,
                column=heading,
                count=count,
            )
        )


def check_history(sheet: RawSheet, census_date: date | None) -> tuple[History, Findings]:
    """Read the History sheet.

    Headings ``month``, the measures in any order, and perhaps ``unusual`` are
    looked for in the first 30 rows. What cannot be used is set aside and said; an
    empty sheet, or one with headings only, says nothing.

    Parameters
    ----------
    sheet
        The sheet as read.
    census_date
        Months that had not ended by then are set aside; none if ``None``.
    """
    log = _Log(sheet)
    if sheet.cells.size == 0 or not _any_filled(sheet.cells):
        return History.empty(), Findings()
    columns = _find_columns(sheet, log)
    if columns is None:
        return History.empty(), Findings.of(log.items)
    body = sheet.cells[columns.row + 1 :]
    counts = {
        name: _column_counts(body, columns, name, log)
        for name in MEASURES
        if name in columns.column
    }
    marks = (
        read_marks(list(body[:, columns.column[UNUSUAL]]))
        if UNUSUAL in columns.column
        else np.zeros(len(body), dtype=bool)
    )
    kept = _kept_rows(sheet, columns, counts, marks, census_date, log)
    months = _periods(list(kept.values()))
    rows = list(kept)
    table = pd.DataFrame({n: v[rows] for n, v in counts.items()}, index=months)
    history = History.of(table, list(months[marks[rows]]))
    _say_imbalance(history, log)
    return history, Findings.of(log.items)


def _periods(ordinals: Sequence[int]) -> pd.PeriodIndex:
    days = np.asarray(ordinals, dtype="datetime64[M]").astype("datetime64[ns]")
    return pd.DatetimeIndex(days).to_period("M")


def _any_filled(cells: npt.NDArray[np.object_]) -> bool:
    return any(not is_empty(value) for value in cells[filled_cells(cells)])


def _heading(value: RawValue) -> str:
    """Which heading a cell is: ``CP starts`` and ``cp_starts`` are one."""
    if not isinstance(value, str):
        return ""
    plain = "_".join(clean_text(value).casefold().replace("-", " ").replace("_", " ").split())
    return _ALSO.get(plain, plain)


def _find_columns(sheet: RawSheet, log: _Log) -> _Columns | None:
    for row, cells in enumerate(sheet.cells[:_HEADING_ROWS]):
        names = [_heading(value) for value in cells]
        if MONTH not in names or not set(names) & set(MEASURES):
            continue
        at: dict[str, int] = {}
        for column, name in enumerate(names):
            if name not in _HEADINGS:
                continue
            if name in at:
                log.say("history-heading-twice",
                        f"The heading {name} stands twice on sheet {sheet.sheet}: "
                        "the first column is used.",
                        row=row, column=column, heading=name)  # fmt: skip
            at.setdefault(name, column)
        return _Columns(row=row, column=at)
    log.say("history-no-headings",
            f"Sheet {sheet.sheet} is not empty, but no row of its first {_HEADING_ROWS} has the "
            f"heading {MONTH} and one of {', '.join(MEASURES)}: it is not used.",
            row=0)  # fmt: skip
    return None


_COUNT_RULES = {
    "count-unreadable": "no number",
    "count-negative": "a number below 0",
    "error-value": "an Excel error, or a formula without a value,",
    "count-unlikely": "a number many times the usual, a slip of the hand,",
}


def _column_counts(
    body: npt.NDArray[np.object_], columns: _Columns, name: str, log: _Log
) -> Floats:
    """Read a measure's counts, saying once a rule what could not be used."""
    column = columns.column[name]
    read = read_counts(list(body[:, column]))

    def say(rule: str, rows: Sequence[int], message: str, severity: Severity) -> None:
        log.say(rule, message, row=columns.row + 1 + rows[0], column=column, heading=name,
                count=len(rows), severity=severity)  # fmt: skip

    for rule, words in _COUNT_RULES.items():
        rows = [row for row, found in read.rules.items() if found == rule]
        if rows:
            say(f"history-{rule}", rows,
                f"{name}: {words} in {counted(len(rows), 'cell')}, read as blank.",
                Severity.WARN)  # fmt: skip
    if read.suppressed:
        say("history-suppressed", read.suppressed,
            f"{name}: a mark instead of a number (such as c, x, - or <5) in "
            f"{counted(len(read.suppressed), 'cell')}, read as blank.",
            Severity.CLEANED)  # fmt: skip
    return read.values


def _kept_rows(
    sheet: RawSheet,
    columns: _Columns,
    counts: Mapping[str, Floats],
    marks: npt.NDArray[np.bool_],
    census_date: date | None,
    log: _Log,
) -> dict[int, int]:
    """Rows of the body that can be used, with the ordinals of their months, in order of month."""
    body, column = sheet.cells[columns.row + 1 :], columns.column[MONTH]
    months = read_months(list(body[:, column]), date_1904=sheet.date_1904)
    filled = marks.copy()
    for values in counts.values():
        filled |= ~np.isnan(values)
    last = None if census_date is None else _last_whole_month(census_date)
    kept: dict[int, int] = {}
    aside: dict[str, list[int]] = {}
    taken: set[int] = set()
    for row in np.flatnonzero(filled).tolist():
        month = int(months.ordinal[row])
        if not months.known[row]:
            aside.setdefault("history-month-unreadable", []).append(row)
        elif last is not None and month > last:
            aside.setdefault("history-after-census", []).append(row)
        elif month in taken:
            aside.setdefault("history-month-twice", []).append(row)
        else:
            kept[row] = month
            taken.add(month)
    for rule, rows in aside.items():
        log.say(rule, _MONTH_RULES[rule].format(rows=counted(len(rows), "row"), census=census_date),
                row=columns.row + 1 + rows[0], column=column, heading=MONTH,
                count=len(rows))  # fmt: skip
    return dict(sorted(kept.items(), key=lambda item: item[1]))


_MONTH_RULES = {
    "history-month-unreadable": "The month of {rows} cannot be read, so nothing of it is used: "
    "write months as 01/04/2026 or Apr 2026.",
    "history-after-census": "The month of {rows} had not ended by the census date "
    "({census:%d/%m/%Y}), so nothing of it is used.",
    "history-month-twice": "The month of {rows} stands in an earlier row too: the earlier row is "
    "used.",
}


def _last_whole_month(census_date: date) -> int:
    """Ordinal of the last month that had ended by the census date."""
    month = pd.Period(pd.Timestamp(census_date), freq="M")
    over = month.end_time.date() <= census_date
    return int(month.ordinal if over else month.ordinal - 1)


def _say_imbalance(history: History, log: _Log) -> None:
    """Say where open now is not open before plus starts less ends."""
    for kind, what in (("cp", "plans"), ("cla", "care")):
        names = [f"{kind}_{part}" for part in ("open", "starts", "ends")]
        whole = history.table[names].dropna()
        after = np.flatnonzero(np.diff(pd.PeriodIndex(whole.index).asi8) == 1) + 1
        values = whole.to_numpy(float)
        if len(after) == 0:
            continue
        opened, starts, ends = (values[after, i] for i in range(3))
        expected = values[after - 1, 0] + starts - ends
        bad = np.flatnonzero(_differs(opened, expected))
        if bad.size:
            month = whole.index[after[bad[0]]]
            log.say("history-out-of-balance",
                    f"In {bad.size:,} of {len(after):,} months open {what} are not those of the "
                    f"month before plus starts less ends (first: {month:%B %Y}). Ends or starts "
                    "may be counted another way.",
                    heading=f"{kind}_open", count=int(bad.size))  # fmt: skip


def _differs(a: Floats, b: Floats) -> npt.NDArray[np.bool_]:
    apart = np.abs(a - b)
    relative = apart > _RELATIVE_DIFFERENCE * np.maximum(np.abs(a), np.abs(b))
    return np.asarray(relative & (apart > _ABSOLUTE_DIFFERENCE))


# ---------------------------------------------------------------- beside the lists


def listed_months(exposure: Exposure) -> pd.DataFrame:
    """Count by month what the lists themselves show: whole months, `MEASURES`."""
    series = exposure.series
    days = series["month_end"].to_numpy().astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    whole = (month + 1).astype("datetime64[D]") - 1 == days
    kept = whole & (series["segment"].to_numpy() == ALL)
    ordinal, measure = month[kept].astype(np.int64), series["measure"].to_numpy()[kept]
    value = series["value"].to_numpy(float)[kept]
    months = np.unique(ordinal)
    table = np.full((len(months), len(MEASURES)), np.nan)
    for column, name in enumerate(MEASURES):
        mine = measure == name
        table[np.searchsorted(months, ordinal[mine]), column] = value[mine]
    return pd.DataFrame(table, _periods(months.tolist()), list(MEASURES))


def history_disagreements(history: History, exposure: Exposure) -> Findings:
    """Say where the history and the lists tell different stories.

    Months that both show should agree within 10% or 5 children (the lists win).
    Where they share no month, a step of more than 30% between the last months of
    the one and the first of the other is said: a different way of counting looks
    like a change of demand.
    """
    lists = listed_months(exposure)
    found = []
    for measure in MEASURES:
        given, listed = history.series(measure), lists[measure].dropna()
        shared = given.index.intersection(listed.index)
        finding = (
            _shared_months(measure, given[shared], listed[shared])
            if len(shared)
            else _step(measure, given, listed)
        )
        if finding is not None:
            found.append(finding)
    return Findings.of(found)


def _shared_months(measure: str, given: pd.Series, listed: pd.Series) -> Finding | None:
    bad = np.flatnonzero(_differs(given.to_numpy(float), listed.to_numpy(float)))
    if not bad.size:
        return None
    worst = int(bad[np.argmax(np.abs(given.to_numpy() - listed.to_numpy())[bad])])
    differ = "differs" if bad.size == 1 else "differ"
    return _about(
        measure,
        "history-differs-from-lists",
        f"{measure}: {bad.size:,} of {len(given):,} months {differ} by more than 10% between sheet "
        f"{_SHEET} and the lists, most in {given.index[worst]:%B %Y} ({given.iloc[worst]:,.0f} and "
        f"{listed.iloc[worst]:,.0f}). The lists are used for these months; earlier months are used "
        "on the lists' footing, so far as the months that both show tell it.",
        int(bad.size),
    )


def _step(measure: str, given: pd.Series, listed: pd.Series) -> Finding | None:
    if not (len(given) and len(listed)):
        return None
    before = given[given.index < listed.index[0]].iloc[-_STEP_MONTHS:]
    if not len(before) or before.index[-1] < listed.index[0] - _STEP_GAP:
        return None
    old, new = float(before.mean()), float(listed.iloc[:_STEP_MONTHS].mean())
    ratio = np.log((new + 0.5) / (old + 0.5))
    if abs(ratio) <= _STEP_RATIO or abs(new - old) <= _ABSOLUTE_DIFFERENCE:
        return None
    return _about(
        measure,
        "history-step-at-lists",
        f"{measure}: {old:,.0f} a month at the end of sheet {_SHEET}, {new:,.0f} in the lists. If "
        "the two are counted in different ways, correct the sheet or leave the column blank: the "
        "model cannot tell a change of demand from another way of counting.",
        1,
    )


def _about(measure: str, rule: str, message: str, count: int) -> Finding:
    return Finding(
        list_number=0,
        sheet=_SHEET,
        cell="",
        rule=rule,
        severity=Severity.WARN,
        message=message,
        column=measure,
        count=count,
    )
