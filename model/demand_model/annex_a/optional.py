"""The check of the optional Lists 4 (assessments) and 6 (children in need).

They are read and judged as the others are, but by themselves: nothing in them
changes what is made of Lists 3, 7 and 8, and nothing in them stops a forecast. A
list with a fault that would stop at another is not used, and that is said; where a
list is absent or has no rows, nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from demand_model.annex_a.births import resolve_births
from demand_model.annex_a.checked import CheckSettings, RowTally, Window
from demand_model.annex_a.column_words import say_codes, say_limits
from demand_model.annex_a.episodes import sorted_fresh
from demand_model.annex_a.findings import Finding, Severity
from demand_model.annex_a.lists_of_need import OPTIONAL_LISTS
from demand_model.annex_a.logic import judge_ages, judge_dates
from demand_model.annex_a.reading import ReadList, read_list
from demand_model.annex_a.recognise import Recognition, softened
from demand_model.annex_a.rows import COLUMNS, tally, usable_rows
from demand_model.annex_a.windows import detect_window, is_behind, set_window
from demand_model.units import counted

NOT_USED = "list-not-used"
"""Reason of rows that are set aside because their whole list is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptionalLists:
    """What the optional lists hold, by list number; empty where none is given.

    Attributes
    ----------
    frames
        Lists that can be used; columns as in `Lists`.
    tallies
        Of every list with rows: found = used + set aside.
    unmapped
        As in `CheckResult`.
    """

    frames: Mapping[int, pd.DataFrame] = field(default_factory=dict)
    windows: Mapping[int, Window] = field(default_factory=dict)
    tallies: tuple[RowTally, ...] = ()
    findings: tuple[Finding, ...] = ()
    unmapped: tuple[pd.DataFrame, ...] = ()


def check_optional(
    recognition: Recognition, census: date, months: int | None, settings: CheckSettings
) -> OptionalLists:
    """Read and judge the optional lists.

    Parameters
    ----------
    recognition
        Of all sheets.
    census
        Census date that the other lists show.
    months
        Months that List 3 covers, followed where a list's own dates leave it open.
    """
    found = [r for n in OPTIONAL_LISTS if (r := recognition.lists.get(n)) and r.has_rows()]
    if not found:
        return OptionalLists()
    reads = [read_list(list_, settings) for list_ in found]
    complete = [read for read in reads if read.is_complete]
    births = resolve_births(complete, census)
    frames: dict[int, pd.DataFrame] = {}
    windows: dict[int, Window] = {}
    for read in complete:
        until = judge_ages(read, births[read.number], judge_dates(read, census), census)
        windows[read.number] = _window(read, census, months, settings)
        rows = usable_rows(read, births[read.number], until, windows[read.number])
        frames[read.number] = sorted_fresh(rows, COLUMNS[read.number])
    unmapped = say_codes(reads, settings)
    for read in reads:
        say_limits(read, settings)
    used = {n: frame for n, frame in frames.items() if not _stops(_of(reads, n))}
    return OptionalLists(
        frames=used,
        windows={n: windows[n] for n in used},
        tallies=tuple(_tally(read, frames.get(read.number), used) for read in reads),
        findings=tuple(softened(f) for read in reads for f in _findings(read)),
        unmapped=(unmapped,) if len(unmapped) else (),
    )


def _of(reads: Sequence[ReadList], number: int) -> ReadList:
    return next(read for read in reads if read.number == number)


def _findings(read: ReadList) -> list[Finding]:
    return [*read.ledger.findings, *read.ledger.rows_set_aside()]


def _stops(read: ReadList) -> bool:
    return any(f.severity is Severity.STOP for f in read.ledger.findings)


def _tally(
    read: ReadList, frame: pd.DataFrame | None, used: Mapping[int, pd.DataFrame]
) -> RowTally:
    counted = tally(read, frame)
    if read.number in used or not counted.used:
        return counted
    aside = {**counted.set_aside, NOT_USED: counted.used}
    return replace(counted, used=0, set_aside=dict(sorted(aside.items())))


def _window(read: ReadList, census: date, months: int | None, settings: CheckSettings) -> Window:
    days = np.concatenate([read.days("start"), read.days("end")])
    days = np.unique(days[~np.isnat(days) & (days <= np.datetime64(census))])
    if len(days) and is_behind(days, np.datetime64(census)):
        read.ledger.say(
            "list-behind",
            Severity.WARN,
            f"The last event of List {read.number} is of {days[-1].astype(date):%d/%m/%Y}, long "
            "before the census date: if it is an older extract, paste the new one.",
        )
    asked = settings.window_months.get(read.number)
    ends = read.days("end")
    window = (
        detect_window(ends[~np.isnat(ends)], census, like=months).window
        if asked is None
        else set_window(census, asked)
    )
    _say_window(read, window, months)
    return window


def _say_window(read: ReadList, window: Window, months: int | None) -> None:
    whole = counted(window.months, "month")
    differs = window.detected and months not in (None, window.months)
    other = f", where List 3 covers {months}: extract them for the same months" * differs
    read.ledger.say(
        "window-detected" if window.detected else "window-set",
        Severity.WARN if differs else Severity.NOTE,
        f"List {read.number} covers {whole}, from {window.start:%d/%m/%Y}, "
        f"{'made out from its dates' if window.detected else 'as set in Settings'}{other}.",
    )
