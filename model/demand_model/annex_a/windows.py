"""The census date, and the months that each list covers, made out from their dates.

Census date: the latest event of all lists, isolated later dates (a typing
error such as 2032 for 2023) aside; within three days of a month's end, that
month's end, since few things are recorded on a weekend.

Window of a list: from its first ending (Lists 7 and 8) or referral (List 3),
isolated earlier rows aside, snapped to 6, 12, 18, 24, … whole months before the
census date. A list with too few events to tell follows List 3, be
that longer or shorter: the lists of one extract cover the same months.

What is "isolated", "too long a silence" or "too few" is judged in one way: by
the chance of so long a gap if days with an event kept coming at the list's own
rate (see `_silence_chance`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.checked import Window

STEP_MONTHS = 6
_MONTH_END_DAYS = 3
_LAG_DAYS = 21
_RECENT_DAYS = 60
"""The rate that a silence is judged by is that of so many days with an event nearest to it."""
_STRAY_GAP_DAYS = 60
_SPARSE_STRAY_GAP_DAYS = 366
_ENOUGH_EVENTS = 30
_SNAP_DAYS = 10
_UNCOVERED_DAYS = 31
_STRAY_SHARE = 0.01
_RARE = 0.01
_VERY_RARE = 0.001

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusDetection:
    """The census date made out from the lists.

    Attributes
    ----------
    census_date
        ``None`` where no list holds a date.
    later
        How many dates after it were taken for typing errors.
    last_events
        Each list's last event up to the census date.
    behind
        Lists whose last event lies so far behind that their own rate of events
        makes it very unlikely (extracted on another day).
    """

    census_date: date | None
    later: int
    last_events: Mapping[int, date]
    behind: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDetection:
    """A list's window, how many earlier rows were ignored, and whether it snapped."""

    window: Window
    stray: int
    snapped: bool
    events: int


def months_before(day: date, months: int) -> date:
    """Go back so many whole months; the end of a month goes to the end of a month.

    >>> months_before(date(2024, 8, 30), 6), months_before(date(2024, 2, 29), 6)
    (datetime.date(2024, 2, 29), datetime.date(2023, 8, 31))
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    length = _month_length(year, month + 1)
    at_end = day.day == _month_length(day.year, day.month)
    return date(year, month + 1, length if at_end else min(day.day, length))


def window_start(census: date, months: int) -> date:
    """First day that a list of so many months covers: the day after the one so long before.

    >>> window_start(date(2024, 3, 31), 6), window_start(date(2024, 8, 31), 6)
    (datetime.date(2023, 10, 1), datetime.date(2024, 3, 1))
    """
    return months_before(census, months) + timedelta(days=1)


def detect_census(events: Mapping[int, Days]) -> CensusDetection:
    """Detect the census date.

    Parameters
    ----------
    events
        By list number: days of all its events (referrals; starts and ends),
        datetime64[D].
    """
    pooled = np.sort(np.concatenate(list(events.values())).astype("datetime64[D]"))
    if len(pooled) == 0:
        return CensusDetection(census_date=None, later=0, last_events={}, behind=())
    kept = _without_later_strays(pooled)
    last = _as_date(kept[-1])
    length = _month_length(last.year, last.month)
    census = last.replace(day=length) if length - last.day <= _MONTH_END_DAYS else last
    last_events = {}
    behind = []
    for number, days in events.items():
        inside = np.unique(days[days <= np.datetime64(census)])
        if len(inside):
            last_events[number] = _as_date(inside[-1])
            if is_behind(inside, kept[-1]):
                behind.append(number)
    return CensusDetection(
        census_date=census,
        later=len(pooled) - len(kept),
        last_events=last_events,
        behind=tuple(behind),
    )


def _without_later_strays(pooled: Days) -> Days:
    """Drop isolated later dates: a handful, after a gap unlike anything before."""
    limit = max(2, len(pooled) // 200)
    gap_needed = _STRAY_GAP_DAYS if len(pooled) >= _ENOUGH_EVENTS else _SPARSE_STRAY_GAP_DAYS
    gaps = np.diff(pooled).astype(int)
    for i in range(max(0, len(gaps) - limit), len(gaps)):
        enough = i + 1 >= max(3, len(pooled) // 2)
        if enough and gaps[i] > gap_needed:
            return pooled[: i + 1]
    return pooled


def is_behind(days: Days, latest: np.datetime64) -> bool:
    """Whether a list's days with an event end so long before the last day that it is no chance."""
    lag = int((latest - days[-1]).astype(int))
    return lag > _LAG_DAYS and _silence_chance(days[-_RECENT_DAYS:], lag) < _VERY_RARE


def _silence_chance(days: Days, silence: int) -> float:
    r"""Chance of so many days without an event, after what a list shows of its rate.

    With :math:`n` gaps between distinct days over a span :math:`S`, gaps being
    exponential, :math:`P(T > t) = (1 + t / S)^{-n}`: the predictive form of
    exp(-t n / S), which makes allowance for a rate known from few events.
    """
    gaps = len(days) - 1
    span = int((days[-1] - days[0]).astype(int)) if gaps > 0 else 0
    return float((1 + silence / span) ** -gaps) if span > 0 else 1.0


def detect_window(events: Days, census: date, *, like: int | None = None) -> WindowDetection:
    """Detect the months that a list covers.

    Parameters
    ----------
    events
        Referrals, or endings, datetime64[D]; those after the census are ignored.
    census
        Census date.
    like
        Months that another list of the same extract covers, followed where
        this list's own events leave it open.
    """
    days = np.sort(np.asarray(events, dtype="datetime64[D]"))
    days = days[days <= np.datetime64(census)]
    if len(days) == 0:
        return _detection(census, like or STEP_MONTHS, days, stray=0)
    kept = _without_earlier_strays(days, census, like)
    stray = len(days) - len(kept)
    months = _own_months(kept, census)
    if like is not None and _may_cover(kept, census, months, like):
        months = like
    return _detection(census, months, kept, stray=stray)


def _own_months(kept: Days, census: date) -> int:
    """Months that a list's own events speak for: 6, 12, … or fewer where some are plainly empty."""
    months = _months_to_cover(census, _as_date(kept[0]))
    uncovered = int((kept[0] - np.datetime64(window_start(census, months))).astype(int))
    distinct = np.unique(kept)
    early = distinct[: max(_RECENT_DAYS, len(distinct) // 3)]
    if uncovered > _UNCOVERED_DAYS and _silence_chance(early, uncovered) < _VERY_RARE:
        return _whole_months(census, _as_date(kept[0]))
    return months


def _may_cover(kept: Days, census: date, months: int, like: int) -> bool:
    """Whether a list may cover the months of another list of its extract, and not its own guess.

    It may cover more if a silence so long is no wonder; fewer if none of its events is older:
    where six months are a wrong guess, those without an ending would halve the rates.
    """
    start = window_start(census, like)
    if like < months:
        return bool(kept[0] >= np.datetime64(start - timedelta(days=_SNAP_DAYS)))
    silent = int((kept[0] - np.datetime64(start)).astype(int))
    return _silence_chance(np.unique(kept), silent) >= _RARE


def _without_earlier_strays(days: Days, census: date, like: int | None) -> Days:
    """Drop isolated earlier rows: one or so in a hundred, before a gap unlike the rest."""
    limit = max(1, int(_STRAY_SHARE * len(days)))
    if like is not None:
        inside = days >= np.datetime64(window_start(census, like) - timedelta(days=_SNAP_DAYS))
        if 0 < (~inside).sum() <= limit and inside.any():
            return days[inside]
    gaps = np.diff(days[: limit + 1]).astype(int)
    for i in reversed(np.flatnonzero(gaps > _STRAY_GAP_DAYS)):
        rest = np.unique(np.append(days[i + 1 :], np.datetime64(census)))
        if _silence_chance(rest, int(gaps[i])) < _RARE:
            return days[i + 1 :]
    return days


def _months_to_cover(census: date, first: date) -> int:
    months = STEP_MONTHS
    while window_start(census, months) - timedelta(days=_SNAP_DAYS) > first:
        months += STEP_MONTHS
    return months


def _whole_months(census: date, first: date) -> int:
    """Most whole months before the census date that the events fill."""
    months = 1
    while window_start(census, months + 1) + timedelta(days=_SNAP_DAYS) >= first:
        months += 1
    return months


def _detection(census: date, months: int, kept: Days, *, stray: int) -> WindowDetection:
    start = window_start(census, months)
    if len(kept):
        # Some days more than whole months: the extract was run a little before the census date.
        first = _as_date(kept[0])
        if start - timedelta(days=_SNAP_DAYS) <= first < start:
            start = first
    window = Window(start=start, months=months, detected=True)
    return WindowDetection(
        window=window, stray=stray, snapped=months % STEP_MONTHS == 0, events=len(kept)
    )


def set_window(census: date, months: int) -> Window:
    """Make a window as the analyst set it."""
    return Window(start=window_start(census, months), months=months, detected=False)


def _month_length(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _as_date(day: np.datetime64) -> date:
    return day.astype("datetime64[D]").astype(date)  # type: ignore[no-any-return]
