"""What must hold between the columns of a row, once the census date is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.births import DAYS_PER_YEAR, OLDEST_YEARS, UNBORN_AGE, YOUNGEST_YEARS
from demand_model.annex_a.cells import filled_cells
from demand_model.annex_a.checked import CheckSettings
from demand_model.annex_a.dates import CellState
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.reading import ReadList

SHORT_BREAKS = ("V3", "V4")
ADULT_YEARS = 18
_TEMPORARY = ("T0", "T1", "T2", "T3", "T4")

Days = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]


def birthday(births: Days, years: int) -> Days:
    """Day on which each child turns `years`; born on 29 February: on 1 March of other years."""
    months = births.astype("datetime64[M]")
    day = (births - months.astype("datetime64[D]")).astype("timedelta64[D]")
    turned: Days = (months + np.timedelta64(12 * years, "M")).astype("datetime64[D]") + day
    return turned


def set_aside_short_breaks(read: ReadList, settings: CheckSettings) -> None:
    """Set children under V3 and V4 apart: DfE does not count them as looked after."""
    if read.number == 8 and not settings.include_short_breaks:
        read.ledger.set_aside(
            read.at(np.isin(read.code("legal_status"), SHORT_BREAKS)), "short-break", "legal_status"
        )


def judge_dates(read: ReadList, census: date) -> Days:
    """Set aside rows whose dates cannot be used; return the end days (NaT while open).

    An end after the census date is a plan, not an event: the row counts as open.
    """
    ledger, key = read.ledger, read.key
    _set_aside_rejected(read, key, needed=True)
    keys = read.days(key)
    last = np.datetime64(census)
    ledger.set_aside(read.at(keys > last), "date-in-future", key)
    if read.number == 3:
        return np.full(len(read.rows), np.datetime64("NaT"), dtype="datetime64[D]")
    _set_aside_rejected(read, "end", needed=False)
    ends = read.days("end").copy()
    ledger.set_aside(read.at(ends < keys), "end-before-start", "end")
    planned = ends > last
    if planned.any():
        ledger.say(
            "end-in-future",
            Severity.WARN,
            f"{int(planned.sum()):,} end [date lies|dates lie] after the census date: [this row "
            "counts|these rows count] as still open.",
            rows=read.at(planned),
            name="end",
        )
    ends[planned] = np.datetime64("NaT")
    same = ends == keys
    if same.any():
        ledger.say(
            "zero-days",
            Severity.WARN,
            f"{int(same.sum()):,} [row starts and ends|rows start and end] on the same day, and "
            "[was|were] kept.",
            rows=read.at(same),
            name="end",
        )
    return ends


def _set_aside_rejected(read: ReadList, name: str, *, needed: bool) -> None:
    column = read.dates.get(name)
    if column is None:
        return
    if needed:
        read.ledger.set_aside(read.at(column.state == CellState.BLANK), "date-missing", name)
    for i, rule in column.rules.items():
        read.ledger.set_aside([int(read.rows[i])], rule, name)


def judge_ages(read: ReadList, births: Days, ends: Days, census: date) -> Days:
    """Set aside impossible ages; close at the 18th birthday; return the end days.

    Ages are taken on the day of the referral, of the end, or of the census. A
    child not born yet may be referred or have a plan; a birth up to 0.8 years
    after the start is one of these.
    """
    ledger, key = read.ledger, read.key
    keys, last = read.days(key), np.datetime64(census)
    until = keys if read.number == 3 else np.where(np.isnat(ends), last, ends)
    with np.errstate(invalid="ignore"):
        age = (until - births).astype(float) / DAYS_PER_YEAR
        ahead = (last - births).astype(float) / DAYS_PER_YEAR < YOUNGEST_YEARS
    known = ~np.isnat(births)
    ledger.set_aside(
        read.at(known & ((age > OLDEST_YEARS) | ahead)), "age-out-of-range", "date_of_birth"
    )
    unborn = (known & (births > last)) | (~known & (read.number_of("age") == UNBORN_AGE))
    late = known & ~unborn & (births > keys)
    if read.number == 8:
        ledger.set_aside(read.at(unborn), "unborn-in-care", "date_of_birth")
        ledger.set_aside(read.at(late), "birth-after-event", key)
    else:
        waited = (births - keys).astype(float) / DAYS_PER_YEAR
        ledger.set_aside(read.at(late & (waited > -YOUNGEST_YEARS)), "birth-after-event", key)
        _say_unborn(read, unborn)
    return ends if read.number == 3 else _close_at_18(read, births, ends, census)


def _say_unborn(read: ReadList, unborn: Mask) -> None:
    if unborn.any():
        read.ledger.say(
            "unborn",
            Severity.NOTE,
            f"{int(unborn.sum()):,} [child is|children are] not born yet, and [was|were] kept.",
            rows=read.at(unborn),
            name="date_of_birth",
        )


def _close_at_18(read: ReadList, births: Days, ends: Days, census: date) -> Days:
    adult = birthday(births, ADULT_YEARS)
    keys, last = read.days(read.key), np.datetime64(census)
    too_old = ~np.isnat(adult) & (adult <= keys)
    read.ledger.set_aside(read.at(too_old), "adult-at-start", read.key)
    until = np.where(np.isnat(ends), last, ends)
    # On the birthday itself the child is an adult: open at the census means past it.
    past = ~too_old & ~np.isnat(adult) & (np.where(np.isnat(ends), adult <= last, adult < until))
    if past.any():
        is_open = past & np.isnat(ends)
        read.ledger.say(
            "past-18",
            Severity.WARN,
            f"Rows that go on after the 18th birthday: {int(past.sum()):,} "
            f"({int(is_open.sum()):,} [|of them ]open). [It was|They were] closed on that day. "
            "Close [it|them] in the case system.",
            rows=read.at(past),
            name="end",
        )
    return np.where(past, adult, ends)


def say_care(read: ReadList, ends: Days) -> None:
    """Warn of reasons without dates and the reverse, and of odd placements (List 8)."""
    ledger = read.ledger
    reason = filled_cells(read.code("reason_ceased"))
    ended = ~np.isnat(read.days("end"))
    starts, placed = read.days("start"), read.days("placement_start")
    temporary = np.isin(read.code("placement_type"), _TEMPORARY)
    for rule, mask, name, message in (
        ("reason-without-end", reason & ~ended, "reason_ceased",
         "{n:,} [row has|rows have] a reason ceased but no end date: [it counts|they count] as "
         "open."),
        ("end-without-reason", ended & ~reason & ~np.isnat(ends), "reason_ceased",
         "{n:,} [row has ended but gives|rows have ended but give] no reason that is known: [it "
         "counts|they count] as other reasons."),
        ("placement-before-care", placed < starts, "placement_start",
         "{n:,} [placement starts|placements start] before care does; the start of care was used."),
        ("placement-temporary", temporary, "placement_type",
         "{n:,} [child is|children are] in a temporary placement (T0 to T4), which counts as "
         "other."),
    ):  # fmt: skip
        if mask.any():
            ledger.say(
                rule, Severity.WARN, message.format(n=int(mask.sum())),
                rows=read.at(mask), name=name,
            )  # fmt: skip


def say_earlier_spells(read: ReadList) -> None:
    """Say how many children had an earlier plan or period, which the list cannot show."""
    if read.number == 7:
        earlier, name = read.number_of("previous_plans") >= 1, "previous_plans"
        what = "had a plan before this one"
    elif read.number == 8:
        earlier, name = read.code("second_period") == "Yes", "second_period"
        what = "were looked after before, within 12 months"
    else:
        return
    if earlier.any():
        n = int(earlier.sum())
        read.ledger.say(
            "earlier-spells-hidden",
            Severity.NOTE,
            f"{n:,} of {len(earlier):,} children {what}. Annex A gives one row a child, so an "
            "earlier spell within the months covered is not in the list.",
            rows=read.at(earlier),
            name=name,
            count=n,
        )
