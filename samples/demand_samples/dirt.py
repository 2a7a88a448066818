"""Believable dirt: what a real extract looks like after people have worked in it.

Everything here is something that the bad-input catalogue calls cleaned, set
aside or warned of, in amounts that leave a usable file: fewer than 5% of the
rows of any list lose a value that a model needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from demand_samples.sheets import NOT_AVAILABLE, Cell, Sheet

NBSP = "\u00a0"

SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "Referral Source": {
        "a) 1A: Individual": (
            "1A - Individual - Family member/relative/carer",
            "Family member/relative/carer",
        ),
        "b) 1B: Individual": (
            "1B - Individual - Acquaintance (including neighbours and child minders)",
        ),
        "c) 1C: Individual": ("1C - Individual - Self",),
        "d) 1D: Individual": ("1D - Individual - Other (including strangers, MPs)",),
        "e) 2A: Schools": ("2A - Schools", "SCHOOLS", "2A Schools"),
        "f) 2B: Education services": ("2B - Education Services",),
        "g) 3A: Health services": ("3A - Health services - GP",),
        "h) 3B: Health services": ("3B - Health services - Health Visitor",),
        "i) 3C: Health services": ("3C - Health services - School Nurse",),
        "j) 3D: Health services": ("3D - Health services - Other primary health services",),
        "k) 3E: Health services": ("3E - Health services - A&E",),
        "l) 3F: Health services": ("3F - Health services - Other",),
        "m) 4: Housing": ("4 - Housing",),
        "n) 5A: LA services": ("5A - LA services - Social care",),
        "o) 5B: LA services": ("5B - LA services - Other internal",),
        "p) 5C: LA services": ("5C - LA services - External",),
        "q) 6: Police": ("6 - Police", "POLICE", "Police", "6 - POLICE"),
        "r) 7: Other legal agency": ("7 - Other Legal Agency",),
        "s) 8: Other": ("8 - Other",),
        "t) 9: Anonymous": ("9 - Anonymous",),
        "u) 10: Unknown": ("10 - Unknown",),
    },
    "Referral NFA?": {"a) Yes": ("Yes", "Y"), "b) No": ("No", "N")},
    "Latest Category of Abuse": {
        "a) Neglect": ("Neglect", "NEGLECT"),
        "b) Physical abuse": ("Physical Abuse",),
        "c) Sexual abuse": ("Sexual Abuse",),
        "d) Emotional abuse": ("Emotional Abuse", "EMOTIONAL ABUSE"),
    },
    "Child's Category of Need": {
        "N1 - Abuse or neglect": ("N1 Abuse or Neglect", "N1"),
        "N4 - Family in acute stress": ("N4 Family in acute stress",),
        "N5 - Family dysfunction": ("N5 Family dysfunction",),
    },
    "Reason Ceased to be Looked After": {
        "e) E4A: Returned home to live with parents or relatives - part of planning": (
            "E4A - Returned home to live with parents or relatives",
            "E4A",
        ),
        "m) E5: Moved into independent living - supported": (
            "E5 - Moved into independent living (supported)",
        ),
        "b) E12: Adopted - consent dispensed": ("E12 - Adopted - consent dispensed with",),
        "t) E8: Care ceased for any other reason": (
            "E8 - Period of being looked after ceased for any other reason",
        ),
    },
    "Placement Type": {
        "f) U6: Foster placement - not FFA": (
            "U6 - Foster placement with other foster carer - not long term or FFA",
            "U6",
        ),
        "d) U4: Foster placement - long term": (
            "U4 - Foster placement with other foster carer - long term fostering",
        ),
        "k) P1: Placed with parents": ("P1 - Placed with own parents",),
        "p) K2: Children’s Homes": ("K2 - Children's Homes", "K2: Childrens Homes"),
    },
    "Placement Provider": {
        "b) PR1: Own provision": ("PR1 - Own provision", "Own provision (by the LA)"),
        "e) PR4: Private provision": ("PR4 - Private provision",),
    },
}
"""Official label to what people type instead; all are spellings seen in real extracts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """How much of each kind of dirt a sheet gets; 0 or False is none.

    Attributes
    ----------
    title
        Text of a title row above the headings, with an empty row below it.
    spelling_share
        Share of code cells typed otherwise than the official label.
    text_date_share
        Share of dates of each date column typed as text, DD/MM/YYYY.
    nbsp_share
        Share of worker and team cells that end in a no-break space, and of IDs stored as text.
    missing_ids, not_available, duplicates, placeholder_dates, open_far_dates, blank_rows
        Numbers of rows: with no ID; with #N/A as team; repeated; with 01/01/1900 as
        an end; with 31/12/9999 as the end of an open spell; empty.
    total_row
        A row at the bottom that counts the rows above.
    footnote
        A line of text below everything.
    decimal_age
        Ages with decimals, as systems compute them.
    """

    title: str = ""
    spelling_share: float = 0.0
    text_date_share: float = 0.0
    nbsp_share: float = 0.0
    missing_ids: int = 0
    not_available: int = 0
    duplicates: int = 0
    placeholder_dates: int = 0
    open_far_dates: int = 0
    blank_rows: int = 0
    total_row: bool = False
    footnote: str = ""
    decimal_age: bool = False


Rows = list[list[Cell]]


def _pick(rng: np.random.Generator, candidates: list[int], number: int) -> list[int]:
    if not candidates or number == 0:
        return []
    chosen = rng.choice(len(candidates), size=min(number, len(candidates)), replace=False)
    return sorted(candidates[int(at)] for at in chosen)


def _spell(rows: Rows, headings: tuple[str, ...], dirt: Dirt, rng: np.random.Generator) -> None:
    for heading, spellings in SPELLINGS.items():
        if heading not in headings:
            continue
        at = headings.index(heading)
        for row in rows:
            options = spellings.get(str(row[at]))
            if options and rng.random() < dirt.spelling_share:
                row[at] = options[int(rng.integers(len(options)))]


def _text_dates(rows: Rows, dirt: Dirt, rng: np.random.Generator) -> None:
    for row in rows:
        for at, cell in enumerate(row):
            if isinstance(cell, date) and rng.random() < dirt.text_date_share:
                row[at] = f"{cell:%d/%m/%Y}"


def _spaces(rows: Rows, headings: tuple[str, ...], dirt: Dirt, rng: np.random.Generator) -> None:
    text = [at for at, heading in enumerate(headings) if heading.startswith("Allocated")]
    for row in rows:
        for at in text:
            if isinstance(row[at], str) and rng.random() < dirt.nbsp_share:
                row[at] = f"{row[at]}{NBSP}"
        if row[0] is not None and rng.random() < dirt.nbsp_share:
            row[0] = f"{row[0]}{NBSP if rng.random() < 0.5 else ''}"


def _end_heading(headings: tuple[str, ...]) -> int | None:
    for at, heading in enumerate(headings):
        if heading in ("Child Protection Plan End Date", "Date Ceased to be Looked After "):
            return at
    return None


def _damage(rows: Rows, headings: tuple[str, ...], dirt: Dirt, rng: np.random.Generator) -> None:
    every = list(range(len(rows)))
    team = headings.index("Allocated Team")
    for row in _pick(rng, every, dirt.not_available):
        rows[row][team] = NOT_AVAILABLE
    end = _end_heading(headings)
    if end is not None:
        still_open = [row for row in every if rows[row][end] is None]
        for row in _pick(rng, still_open, dirt.open_far_dates):
            rows[row][end] = "31/12/9999"
        closed = [row for row in every if isinstance(rows[row][end], date)]
        for row in _pick(rng, closed, dirt.placeholder_dates):
            rows[row][end] = date(1900, 1, 1)
    for row in _pick(rng, every, dirt.missing_ids):
        rows[row][0] = None


def _decimal_ages(rows: Rows, headings: tuple[str, ...], rng: np.random.Generator) -> None:
    at = headings.index("Age of Child (Years)")
    for row in rows:
        age = row[at]
        if isinstance(age, int) and age >= 0:
            row[at] = round(age + float(rng.random()) * 0.999, 6)


def soil(sheet: Sheet, dirt: Dirt, *, seed: int) -> Sheet:
    """Put dirt on a sheet; same seed, same dirt."""
    rng = np.random.default_rng(seed)
    headings = sheet.headings
    rows: Rows = [list(row) for row in sheet.data]
    steps: tuple[Callable[[], None], ...] = (
        lambda: _damage(rows, headings, dirt, rng),
        lambda: _spell(rows, headings, dirt, rng),
        lambda: _text_dates(rows, dirt, rng),
        lambda: _spaces(rows, headings, dirt, rng),
    )
    for step in steps:
        step()
    if dirt.decimal_age:
        _decimal_ages(rows, headings, rng)
    whole = [row for row in range(len(rows)) if rows[row][0] is not None]
    copies = [list(rows[row]) for row in _pick(rng, whole, dirt.duplicates)]
    number = len(rows) + len(copies)
    rows.extend(copies)
    for at in sorted(rng.integers(5, max(len(rows), 6), size=dirt.blank_rows), reverse=True):
        rows.insert(int(at), [None] * len(headings))
    if dirt.total_row:
        rows.append(["Total", number, *[None] * (len(headings) - 2)])
    if dirt.footnote:
        rows.append([None] * len(headings))
        rows.append([dirt.footnote, *[None] * (len(headings) - 1)])
    above: list[tuple[Cell, ...]] = []
    if dirt.title:
        above = [(dirt.title, *[None] * (len(headings) - 1)), tuple([None] * len(headings))]
    body = (*above, headings, *(tuple(row) for row in rows))
    return replace(sheet, rows=body, heading_row=len(above))
