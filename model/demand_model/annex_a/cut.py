"""The lists as they would have been on an earlier day, as far as they can tell.

::

    window start                 earlier day          census date
         [============================|--------------------]     the lists in hand
         [============================]                          the lists as they were
              x            ended: stays ended
                    ---------------------------x                 open on the earlier day
                                           ---------             not begun: gone

What a list would have held before its window began is not in hand, so the
earlier list's window is shorter by the months that are cut off.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from demand_model.annex_a.checked import Lists, RowTally, Window
from demand_model.annex_a.windows import window_start
from demand_model.errors import InvalidSettingError, NotEnoughDataError

_PLACEMENT = ("placement_type", "placement_provider")


def lists_at(lists: Lists, census_date: date) -> Lists:
    """Cut the lists back to an earlier census date.

    Referrals and starts after that day are gone; spells that ended after it are
    open again (end NaT, reason NA); spells that ended before the window are not
    there; every window keeps its first day and ends on the earlier day. A
    placement that began after it is blank, since the one before it is unknown.

    Two things keep this from being the extract of that day:

    - One row a child hides the earlier spell of a child who came back after the
      earlier day: such a child was open then, or had ended within the window,
      and is missing. But for these children the open and the ended are the same
      as in a true extract of that day.
    - What was recorded later of a spell already begun stands: date of birth,
      legal status, category, number of earlier plans, UASC.

    Lists 4 and 6 are left out: a case's status is that of the census date alone.

    Parameters
    ----------
    lists
        From `check`.
    census_date
        The earlier day; that of the lists gives them back unchanged.

    Returns
    -------
    Lists in their own right: `lists_at` of them at a still earlier day is
    `lists_at` of the first at that day. Tallies count the rows that are left.

    Raises
    ------
    InvalidSettingError
        The day is after the lists' census date.
    NotEnoughDataError
        A list's window does not hold one whole month up to that day.
    """
    if census_date > lists.census_date:
        raise InvalidSettingError(
            f"Invalid census date: {census_date:%d/%m/%Y}. It must not be after that of the "
            f"lists, {lists.census_date:%d/%m/%Y}."
        )
    if census_date == lists.census_date:
        return lists
    referrals = lists.referrals[lists.referrals["date"] <= pd.Timestamp(census_date)]
    frames = {
        3: referrals.reset_index(drop=True),
        7: _spells_at(lists.plans, lists.windows[7], census_date),
        8: _without_later_placements(
            _spells_at(lists.care, lists.windows[8], census_date), census_date
        ),
    }
    return Lists(
        census_date=census_date,
        windows={n: _window_at(n, window, census_date) for n, window in lists.windows.items()},
        referrals=frames[3],
        plans=frames[7],
        care=frames[8],
        tallies=tuple(
            RowTally(list_number=n, found=len(frame), used=len(frame), set_aside={})
            for n, frame in frames.items()
        ),
    )


def months_covered(window: Window, census_date: date) -> int:
    """Whole months up to a day that lie within a window.

    >>> months_covered(Window(start=date(2025, 10, 1), months=6, detected=True), date(2026, 1, 31))
    4
    """
    months = 0
    while window_start(census_date, months + 1) >= window.start:
        months += 1
    return months


def _window_at(number: int, window: Window, census_date: date) -> Window:
    months = months_covered(window, census_date)
    if months == 0:
        raise NotEnoughDataError(
            f"List {number} begins on {window.start:%d/%m/%Y}: it shows less than a whole month "
            f"up to {census_date:%d/%m/%Y}. Choose a later day, or extract a longer window."
        )
    return Window(start=window.start, months=months, detected=window.detected)


def _spells_at(frame: pd.DataFrame, window: Window, census_date: date) -> pd.DataFrame:
    today, opens = pd.Timestamp(census_date), pd.Timestamp(window.start)
    out = frame[frame["start"] <= today].copy()
    later = out["end"] > today
    out.loc[later, "end"] = pd.NaT
    if "reason_ceased" in out:
        out.loc[later, "reason_ceased"] = pd.NA
    return out[out["end"].isna() | (out["end"] >= opens)].reset_index(drop=True)


def _without_later_placements(care: pd.DataFrame, census_date: date) -> pd.DataFrame:
    later = care["placement_start"] > pd.Timestamp(census_date)
    care.loc[later, "placement_start"] = pd.NaT
    for name in _PLACEMENT:
        care.loc[later, name] = pd.NA
    return care
