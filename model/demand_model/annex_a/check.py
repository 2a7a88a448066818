"""The check: raw sheets in, usable lists and everything found out.

recognise → read columns → census date and windows → judge rows → one row a
period. All problems are reported together; a finding that must be mended
stops the lists from being used, not the check from going on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.across import say_left_for_good
from demand_model.annex_a.births import resolve_births
from demand_model.annex_a.checked import CheckResult, CheckSettings, Lists, RowTally, Window
from demand_model.annex_a.column_words import say_codes, say_limits
from demand_model.annex_a.episodes import sorted_fresh
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.logic import (
    judge_ages,
    judge_dates,
    say_care,
    say_earlier_spells,
    set_aside_short_breaks,
)
from demand_model.annex_a.mixed import say_mixed_sources
from demand_model.annex_a.optional import OptionalLists, check_optional
from demand_model.annex_a.raw import RawSheet
from demand_model.annex_a.reading import ReadList, read_list
from demand_model.annex_a.recognise import recognise
from demand_model.annex_a.rows import COLUMNS, tally, usable_rows
from demand_model.annex_a.windows import (
    STEP_MONTHS,
    detect_census,
    detect_window,
    set_window,
)
from demand_model.units import counted

Days = npt.NDArray[np.datetime64]

WINDOWS_DIFFER = "windows-differ"
"""Rule of the finding that the lists seem to cover different numbers of months."""


def check(
    lists: Sequence[RawSheet] | Mapping[int, pd.DataFrame],
    settings: CheckSettings | None = None,
) -> CheckResult:
    """Recognise, read and judge Lists 3, 7 and 8, and Lists 4 and 6 where they are given.

    Parameters
    ----------
    lists
        Sheets in any order, each list recognised by its headings; or data
        frames by list number (3, 7, 8; 4, 6) whose column names are the headings.
    settings
        Census date, windows, limits and spellings that the analyst has set.

    Returns
    -------
    CheckResult
        All findings; the lists, unless a finding must be mended first; for
        each list, rows found = used + set aside by reason.

    Raises
    ------
    DemandError
        The rows of a list do not add up: a fault of the product.
    """
    settings = settings or CheckSettings()
    recognition = recognise(_sheets(lists))
    reads = [read_list(recognition.lists[n], settings) for n in LISTS if n in recognition.lists]
    workbook: list[Finding] = []
    census = _census_date(reads, settings, workbook)
    say_mixed_sources(reads)
    complete = [read for read in reads if read.is_complete]
    windows = _windows(complete, census, settings) if census is not None else {}
    frames = _frames(complete, census, windows, settings) if census is not None else {}
    unmapped = say_codes(reads, settings)
    for read in reads:
        say_limits(read, settings)
    _say_across(reads, frames)
    months = windows[3].months if 3 in windows else None
    more = check_optional(recognition, census, months, settings) if census else OptionalLists()
    tallies = tuple(tally(read, frames.get(read.number)) for read in reads) + more.tallies
    findings = [*recognition.findings.items, *workbook]
    for read in reads:
        findings += [*read.ledger.findings, *read.ledger.rows_set_aside()]
    found = Findings.of([*findings, *more.findings])
    usable = census is not None and not found.stops and set(frames) == set(LISTS)
    return CheckResult(
        findings=found,
        lists=_lists(census, windows, frames, tallies, more) if census and usable else None,
        tallies=tallies,
        unmapped=pd.concat([unmapped, *more.unmapped], ignore_index=True),
    )


def _sheets(lists: Sequence[RawSheet] | Mapping[int, pd.DataFrame]) -> Sequence[RawSheet]:
    if isinstance(lists, Mapping):
        return [RawSheet.from_frame(frame, f"List {n}") for n, frame in lists.items()]
    return lists


def _lists(
    census: date,
    windows: Mapping[int, Window],
    frames: Mapping[int, pd.DataFrame],
    tallies: tuple[RowTally, ...],
    more: OptionalLists,
) -> Lists:
    clean = {n: sorted_fresh(frame, COLUMNS[n]) for n, frame in frames.items()}
    return Lists(
        census_date=census,
        windows=windows,
        referrals=clean[3],
        plans=clean[7],
        care=clean[8],
        tallies=tallies,
        assessments=more.frames.get(4),
        children_in_need=more.frames.get(6),
        optional_windows=more.windows,
    )


# ---------------------------------------------------------------- census date and windows


def _say(findings: list[Finding], rule: str, severity: Severity, message: str, *,
         count: int = 1) -> None:  # fmt: skip
    findings.append(
        Finding(list_number=0, sheet="", cell="", rule=rule, severity=severity, message=message,
                count=count)
    )  # fmt: skip


def _events(read: ReadList) -> Days:
    """Days of all events of a list; planned ends are among them."""
    names = ("date",) if read.number == 3 else ("start", "end")
    days: Days = np.concatenate([read.days(name) for name in names])
    return days[~np.isnat(days)]


def _census_date(
    reads: Sequence[ReadList], settings: CheckSettings, findings: list[Finding]
) -> date | None:
    detected = detect_census({read.number: _events(read) for read in reads}) if reads else None
    if settings.census_date is not None:
        _say(findings, "census-date-set", Severity.NOTE,
             f"Census date {settings.census_date:%d/%m/%Y}, as set in Settings.")  # fmt: skip
        if detected and detected.census_date:
            _say_census_gap(settings.census_date, detected.census_date, findings)
        return settings.census_date
    if detected is None or detected.census_date is None:
        _say(findings, "census-date-unknown", Severity.STOP,
             "No list holds a date that can be read, so the census date cannot be made out: paste "
             "the lists, or set the census date in Settings.")  # fmt: skip
        return None
    census = detected.census_date
    _say(findings, "census-date-detected", Severity.NOTE,
         f"Census date {census:%d/%m/%Y}, made out from the lists' last events; set it in Settings "
         "if the lists were extracted on another day.")  # fmt: skip
    if detected.later:
        _say(findings, "dates-far-ahead", Severity.WARN,
             f"{detected.later:,} dates lie far after all others, and were taken for typing "
             "errors.", count=detected.later)  # fmt: skip
    if detected.behind:
        ends = ", ".join(f"List {n}: {d:%d/%m/%Y}" for n, d in sorted(detected.last_events.items()))
        _say(findings, "census-date-inconsistent", Severity.STOP,
             f"The lists seem to be extracted on different days (last events {ends}): use one "
             "extract, or set the census date in Settings.",
             count=len(detected.behind))  # fmt: skip
    return census


def _say_census_gap(set_date: date, detected: date, findings: list[Finding]) -> None:
    if (set_date - detected).days > 45:
        _say(findings, "census-date-late", Severity.WARN,
             f"The last event of the lists is of {detected:%d/%m/%Y}, long before the census date "
             "that is set: the months between would count as months without demand.")  # fmt: skip


def _window_events(read: ReadList) -> Days:
    days: Days = read.days("date" if read.number == 3 else "end")
    return days[~np.isnat(days)]


def _windows(reads: Sequence[ReadList], census: date, settings: CheckSettings) -> dict[int, Window]:
    windows: dict[int, Window] = {}
    for read in sorted(reads, key=lambda r: r.number):
        months = settings.window_months.get(read.number)
        if months is not None:
            windows[read.number] = set_window(census, months)
            _say_window(read, windows[read.number], how="as set in Settings")
            continue
        like = windows[3].months if 3 in windows and read.number != 3 else None
        found = detect_window(_window_events(read), census, like=like)
        windows[read.number] = found.window
        _say_window(read, found.window, how="made out from its dates")
        if found.stray:
            read.ledger.say(
                "rows-before-window", Severity.WARN,
                f"{found.stray:,} isolated [row|rows] of List {read.number} [is|are] older than "
                "the months it covers, and [was|were] not taken as its beginning; Settings can "
                "widen the window.",
                count=found.stray,
            )  # fmt: skip
        if not found.snapped:
            read.ledger.say(
                "window-unusual", Severity.WARN,
                f"List {read.number} goes back {counted(found.window.months, 'whole month')}, not "
                "6, 12, 18 or so: check how it was extracted, or set the window in Settings.",
            )  # fmt: skip
    _say_if_windows_differ(reads, windows)
    return windows


def _say_if_windows_differ(reads: Sequence[ReadList], windows: Mapping[int, Window]) -> None:
    """Lists of one extract cover the same months; a wrong guess doubles or halves rates."""
    guessed = [n for n, window in windows.items() if window.detected]
    if len({window.months for window in windows.values()}) < 2 or not guessed:
        return
    spans = ", ".join(f"List {n} {w.months}" for n, w in sorted(windows.items()))
    read = next(read for read in reads if read.number == guessed[-1])
    read.ledger.say(
        WINDOWS_DIFFER, Severity.WARN,
        f"The lists are taken to cover different numbers of months ({spans}). If they are of one "
        "extract, type its number of months beside the window of each list on sheet Settings: a "
        "wrong window bends every rate of that list.",
    )  # fmt: skip


def _say_window(read: ReadList, window: Window, *, how: str) -> None:
    months = counted(window.months, "month")
    only = f" With {months} of lists, fits lean on national priors." * (
        window.months <= STEP_MONTHS and read.number == 3
    )
    read.ledger.say(
        "window-detected" if window.detected else "window-set", Severity.NOTE,
        f"List {read.number} covers {months}, from {window.start:%d/%m/%Y}, "
        f"{how}.{only}",
    )  # fmt: skip


# ---------------------------------------------------------------- rows


def _frames(
    reads: Sequence[ReadList], census: date, windows: Mapping[int, Window], settings: CheckSettings
) -> dict[int, pd.DataFrame]:
    for read in reads:
        set_aside_short_breaks(read, settings)
    ends = {read.number: judge_dates(read, census) for read in reads}
    births = resolve_births(reads, census)
    frames = {}
    for read in reads:
        n = read.number
        until = judge_ages(read, births[n], ends[n], census)
        if n == 8:
            say_care(read, until)
        say_earlier_spells(read)
        frames[n] = usable_rows(read, births[n], until, windows[n])
    return frames


# ---------------------------------------------------------------- what is said across lists


def _say_across(reads: Sequence[ReadList], frames: Mapping[int, pd.DataFrame]) -> None:
    """Say what one list shows of another: leading zeros lost, children in one list only."""
    plain = {
        read.number: {c for c, z in zip(read.ids.ids, read.ids.zeros_dropped, strict=True) if not z}
        for read in reads
    }
    for read in reads:
        others = set().union(*(ids for n, ids in plain.items() if n != read.number))
        rows = [
            int(row)
            for row, child, zero in zip(
                read.rows, read.ids.ids, read.ids.zeros_dropped, strict=True
            )
            if zero and child in others
        ]
        if rows:
            read.ledger.say(
                "id-leading-zeros", Severity.CLEANED,
                f"{len(rows):,} [identifier has|identifiers have] leading zeros that another list "
                "has lost: [it was|they were] matched without them.", rows=rows, name="child_id",
            )  # fmt: skip
    for read in reads:
        if read.number in (7, 8) and read.number in frames:
            _say_if_none_ended(read, frames[read.number])
    say_left_for_good(reads, frames)
    if set(frames) >= set(LISTS):
        known = set(frames[3]["child_id"]) | set(frames[7]["child_id"])
        alone = int((~frames[8]["child_id"].isin(list(known))).sum())
        care = next(read for read in reads if read.number == 8)
        care.ledger.say(
            "children-in-care-only", Severity.NOTE,
            f"{alone:,} of {len(frames[8]):,} children of List 8 [is|are] in neither List 3 nor "
            "List 7, as is usual for children long in care.", count=alone,
        )  # fmt: skip


def _say_if_none_ended(read: ReadList, frame: pd.DataFrame) -> None:
    """A list of open rows only is a common paste error: rates of leaving rest on ended rows."""
    if len(frame) and not frame["end"].notna().any():
        read.ledger.say(
            "none-ended", Severity.WARN,
            f"No row of List {read.number} has ended. Annex A asks for those who left within the "
            "window too: without them the rates of leaving are the national ones, held down by the "
            "time that nobody left.",
            name="end",
        )  # fmt: skip
