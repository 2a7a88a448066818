"""What Annex A shows of a history on a census date: three lists, as Ofsted asks for them.

List 3 holds every referral of the window. Lists 7 and 8 hold one row a child,
the most recent spell, if it is open or ended in the window: spells that ended
earlier, and a child's earlier spells, cannot be seen. Whatever happens after
the census date stays out, but for what an authority would know of it (a child
already placed for adoption).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_samples import labels
from demand_samples.care_list import care_list
from demand_samples.history import History
from demand_samples.listing import (
    View,
    choose,
    choose_by,
    date_column,
    draw_people,
    identity,
    latest_review,
    list_frame,
    most_recent,
    official_labels,
    recent_day,
    staff,
)
from demand_samples.observe import day_numbers
from demand_samples.working_days import DAYS_PER_YEAR, day_number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

_SOURCE_CODES: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "Individual": (("1A", "1B", "1C", "1D"), (0.60, 0.15, 0.10, 0.15)),
    "Schools": (("2A",), (1.0,)),
    "Education services": (("2B",), (1.0,)),
    "Health services": (
        ("3A", "3B", "3C", "3D", "3E", "3F"),
        (0.18, 0.15, 0.05, 0.17, 0.25, 0.20),
    ),
    "Housing": (("4",), (1.0,)),
    "LA services": (("5A", "5B", "5C"), (0.35, 0.45, 0.20)),
    "Police": (("6",), (1.0,)),
    "Other legal agency": (("7",), (1.0,)),
    "Other": (("8",), (1.0,)),
    "Anonymous": (("9",), (1.0,)),
    "Unknown": (("10",), (1.0,)),
}


def window_start(census_date: date, window_months: int) -> date:
    """First day covered: the day after the census date, so many months earlier."""
    after = pd.Timestamp(census_date) + pd.Timedelta(days=1)
    return (after - pd.DateOffset(months=window_months)).date()


def _referrals(history: History, view: View) -> pd.DataFrame:
    day = day_numbers(history.referrals["date"])
    known = history.referrals[day <= view.census]
    day = day[day <= view.census]
    listed = day >= view.window_start
    child = known["child_id"].to_numpy()
    rows = known[listed]
    count = len(rows)
    source = choose_by(view.rng, rows["source_group"].to_numpy(dtype=object), _SOURCE_CODES)
    nfa = rows["nfa"].to_numpy()
    return list_frame(
        3,
        {
            **identity(view, child[listed]),
            "Date of referral": date_column(day[listed]),
            "Referral Source": official_labels(source, labels.REFERRAL_SOURCE),
            "Referral NFA?": np.where(nfa, labels.YES_NO[0], labels.YES_NO[1]),
            "Number of Referrals in Last 12 Months": _referrals_before(child, day)[listed],
            **staff(view, count, 4),
        },
    )


def _referrals_before(child: Ints, day: Ints) -> Ints:
    """For each row, referrals of that child in the year before the child's latest."""
    frame = pd.DataFrame({"child": child, "day": day})
    latest = frame.groupby("child")["day"].transform("max")
    recent = (frame["day"] < latest) & (frame["day"] >= latest - 365)
    return recent.groupby(frame["child"]).transform("sum").to_numpy(dtype=np.int64)


def _plans(history: History, view: View) -> pd.DataFrame:
    listed = most_recent(history.plans, view)
    count = len(listed.start)
    rng = view.rng
    category = choose(rng, labels.CATEGORY_OF_ABUSE, (0.47, 0.07, 0.04, 0.38, 0.04), count)
    changed = rng.random(count) < 0.08
    latest = np.where(
        changed, choose(rng, labels.CATEGORY_OF_ABUSE, (0.4, 0.1, 0.1, 0.3, 0.1), count), category
    )
    review, reviewed = latest_review(listed, 3.0, 6.0)
    old_enough = view.census - view.people.birth_day[listed.child] > 4 * DAYS_PER_YEAR
    alone = np.where(old_enough & (rng.random(count) < 0.85), *labels.YES_NO_UNKNOWN[:2])
    # Plans from before the history begins, or in another authority.
    older = rng.random(count) < 0.10
    return list_frame(
        7,
        {
            **identity(view, listed.child),
            "Does the Child have a Disability": view.people.disability[listed.child],
            "Child Protection Plan Start Date": date_column(listed.start),
            "Initial Category of Abuse": category,
            "Latest Category of Abuse": latest,
            "Date of the Last Statutory Visit": date_column(recent_day(view, listed, 16)),
            "Was the Child Seen Alone?": alone,
            "Date of latest review conference": date_column(review, reviewed),
            "Child Protection Plan End Date": date_column(listed.end),
            labels.HEADINGS[7][13]: np.where(rng.random(count) < 0.04, *labels.YES_NO),
            "Number of Previous Child Protection Plans": listed.earlier_spells + older,
            **staff(view, count, 9),
        },
    )


def annex_a(
    history: History, census_date: date | None = None, window_months: int = 6
) -> dict[int, pd.DataFrame]:
    """Extract Lists 3, 7 and 8 as an authority would on a day.

    Parameters
    ----------
    history
        What truly happened.
    census_date
        Day of the extract; that of the history by default.
    window_months
        Months of referrals and endings listed.

    Returns
    -------
    dict of int to pandas.DataFrame
        By list number; official headings in the official order, official
        labels, dates as datetime64, IDs and counts as integers, blank cells
        as None or NaT. The same history gives the same children the same IDs
        on any date.

    Raises
    ------
    ValueError
        If the window reaches back beyond what the history holds.
    """
    day = census_date or history.census_date
    start = window_start(day, window_months)
    if start < history.first_date or day > history.last_date:
        msg = (
            f"Invalid window: {start} to {day}. "
            f"The window must lie within {history.first_date} to {history.last_date}."
        )
        raise ValueError(msg)
    view = View(
        census=day_number(day),
        window_start=day_number(start),
        people=draw_people(history),
        rng=np.random.default_rng([history.seed, 2, day_number(day)]),
    )
    return {3: _referrals(history, view), 7: _plans(history, view), 8: care_list(history, view)}
