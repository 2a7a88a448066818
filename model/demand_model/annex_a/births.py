"""Dates of birth of all lists together: conflicts, gaps, and ages instead.

A child has one date of birth in all lists: the most frequent, of equals the
earliest. Where a list gives none, another list's is taken; failing that it is
made of the age: a whole age is taken as half a year past the birthday, an age
with decimals as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.dates import CellState
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.reading import ReadList

DAYS_PER_YEAR = 365.25
OLDEST_YEARS = 25.0
YOUNGEST_YEARS = -0.8
"""An expected date of birth is at most so long after the census date."""
UNBORN_AGE = -1.0
"""The age that some case systems give a child who is not born yet."""


def resolve_births(
    reads: Sequence[ReadList], census: date
) -> dict[int, npt.NDArray[np.datetime64]]:
    """Date of birth of each record, by list number; datetime64[D], NaT if unknown.

    Rows whose date of birth cannot be read, and is not known otherwise, are set
    aside; so are rows with an age that no child has.
    """
    agreed = _agreed_births(reads)
    return {read.number: _births_of(read, census, agreed) for read in reads}


def _agreed_births(reads: Sequence[ReadList]) -> Mapping[str, date]:
    """Settle the date of birth of each child that has one; conflicts are said."""
    seen: dict[str, Counter[date]] = {}
    agreed: dict[str, date] = {}
    for read in reads:
        for child, birth in zip(read.ids.ids, read.days("date_of_birth").tolist(), strict=True):
            if child is None or birth is None:
                continue
            if agreed.setdefault(child, birth) != birth or child in seen:
                seen.setdefault(child, Counter())
    for read in reads:
        for child, birth in zip(read.ids.ids, read.days("date_of_birth").tolist(), strict=True):
            if child in seen and birth is not None:
                seen[child][birth] += 1
    agreed |= {child: min(c, key=lambda day: (-c[day], day)) for child, c in seen.items()}
    for read in reads:
        _say_conflicts(read, agreed, set(seen))
    return agreed


def _say_conflicts(read: ReadList, agreed: Mapping[str, date], conflicting: set[str]) -> None:
    if not conflicting:
        return
    births = read.days("date_of_birth").tolist()
    rows = [
        int(row)
        for row, child, birth in zip(read.rows, read.ids.ids, births, strict=True)
        if child in conflicting and birth is not None and birth != agreed[child]
    ]
    if rows:
        read.ledger.say(
            "birth-conflict",
            Severity.WARN,
            f"{len(rows):,} [row gives|rows give] another date of birth than most rows of the "
            "same child: the most frequent was used. Correct [it|them] in the case system.",
            rows=rows,
            name="date_of_birth",
        )


def _births_of(
    read: ReadList, census: date, agreed: Mapping[str, date]
) -> npt.NDArray[np.datetime64]:
    given = read.days("date_of_birth")
    births = np.array([agreed.get(child or "") for child in read.ids.ids], dtype="datetime64[D]")
    births = np.where(np.isnat(births), given, births)
    ages = read.number_of("age")
    missing = np.isnat(births)
    from_age = missing & ~np.isnan(ages) & (ages != UNBORN_AGE)
    odd = from_age & ((ages > OLDEST_YEARS) | (ages < YOUNGEST_YEARS))
    read.ledger.set_aside(read.at(odd), "age-out-of-range", "age")
    from_age &= ~odd
    whole = ages == np.floor(ages)
    years = np.where(whole, ages + 0.5, ages)
    days_old = np.round(np.where(from_age, years, 0.0) * DAYS_PER_YEAR).astype("timedelta64[D]")
    births = np.where(from_age, np.datetime64(census) - days_old, births)
    _set_aside_unreadable(read, births)
    _say_sources(read, given, births, from_age)
    _say_age_disagrees(read, given, ages, census)
    return births


def _set_aside_unreadable(read: ReadList, births: npt.NDArray[np.datetime64]) -> None:
    column = read.dates.get("date_of_birth")
    if column is None:
        return
    unborn = read.number_of("age") == UNBORN_AGE
    for i, rule in column.rules.items():
        if np.isnat(births[i]) and not unborn[i]:
            read.ledger.set_aside([int(read.rows[i])], rule, "date_of_birth")
    rescued = [int(read.rows[i]) for i in column.rules if not np.isnat(births[i]) or unborn[i]]
    if rescued:
        read.ledger.say(
            "birth-unreadable",
            Severity.WARN,
            f"{len(rescued):,} [date|dates] of birth cannot be read; the age, or another row of "
            "the same child, was used instead.",
            rows=rescued,
            name="date_of_birth",
        )


def _say_sources(
    read: ReadList,
    given: npt.NDArray[np.datetime64],
    births: npt.NDArray[np.datetime64],
    from_age: npt.NDArray[np.bool_],
) -> None:
    ledger, name = read.ledger, "date_of_birth"
    blank = np.isnat(given)
    column = read.dates.get(name)
    if column is not None:
        blank &= column.state == CellState.BLANK
    elsewhere = blank & ~np.isnat(births) & ~from_age
    if elsewhere.any():
        ledger.say(
            "birth-from-other-row", Severity.CLEANED,
            f"{int(elsewhere.sum()):,} missing [date of birth was|dates of birth were] taken from "
            "[another row|other rows] of the same child.", rows=read.at(elsewhere), name=name,
        )  # fmt: skip
    if from_age.any():
        ledger.say(
            "birth-from-age", Severity.WARN,
            f"{int(from_age.sum()):,} [row has|rows have] an age but no date of birth: the date "
            "of birth was estimated, so 18th birthdays are known to half a year only.",
            rows=read.at(from_age), name=name,
        )  # fmt: skip
    unknown = np.isnat(births)
    if unknown.all() and len(births):
        ledger.say(
            "ages-unknown", Severity.WARN,
            f"List {read.number} has neither dates of birth nor ages: the model assumes the ages "
            "that children nationally have, and cannot tell 18th birthdays. Add the column "
            "“Date of Birth”.", rows=[read.found.heading_row], name=name, count=len(births),
        )  # fmt: skip
    elif (unknown & blank).any():
        ledger.say(
            "birth-missing", Severity.WARN,
            f"{int((unknown & blank).sum()):,} [row has|rows have] neither a date of birth nor an "
            "age: the model assumes the ages of the others.",
            rows=read.at(unknown & blank), name=name,
        )  # fmt: skip


def _say_age_disagrees(
    read: ReadList,
    given: npt.NDArray[np.datetime64],
    ages: npt.NDArray[np.float64],
    census: date,
) -> None:
    """Count ages more than a year off; records that ended keep the age they had then."""
    known = ~np.isnat(given) & ~np.isnan(ages) & (ages != UNBORN_AGE)
    until = read.days("date") if read.number == 3 else read.days("end")
    at_census = (np.datetime64(census) - given).astype(float) / DAYS_PER_YEAR
    at_event = np.where(np.isnat(until), np.datetime64(census), until)
    then = (at_event - given).astype(float) / DAYS_PER_YEAR
    with np.errstate(invalid="ignore"):
        off = known & (np.abs(at_census - ages) > 1.5) & (np.abs(then - ages) > 1.5)
    if off.any():
        read.ledger.say(
            "age-disagrees",
            Severity.WARN,
            f"{int(off.sum()):,} [age differs|ages differ] from the date of birth by more than a "
            "year: the date of birth was used.",
            rows=read.at(off),
            name="age",
        )
