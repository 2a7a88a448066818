"""Signs that a list was put together from sources that do not fit each other.

Two calendars: Excel counts days from 1900 or from 1904, so dates that are copied from a
workbook of the one kind into one of the other are 1,462 days out. Two authorities: their
case systems may give the same identifier to different children.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.cells import as_text, clean_text, quoted
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.lists import normalise_heading
from demand_model.annex_a.reading import ReadList

_EPOCHS_APART = np.timedelta64(1462, "D")
_GAP = np.timedelta64(300, "D")
"""Lists of up to three years leave more than this between themselves and their shifted part."""
_SLACK = np.timedelta64(183, "D")
"""A pasted block may hold the first or the last months of the list."""
_FEWEST, _SHARE = 3, 0.9
"""So many dates, and so much of them, must fit once they are moved."""

_AUTHORITY_HEADINGS = frozenset(
    normalise_heading(text)
    for text in ("LA", "LA name", "LA code", "Local Authority", "Local Authority Name",
                 "Local Authority Code", "Authority", "Council", "Borough")
)  # fmt: skip

Days = npt.NDArray[np.datetime64]


def say_mixed_sources(reads: Sequence[ReadList]) -> None:
    """Warn of dates four years out; stop where identifiers of two authorities collide."""
    for read in reads:
        _say_calendars(read)
        _say_authorities(read)


# ---------------------------------------------------------------- two calendars


def _say_calendars(read: ReadList) -> None:
    # Starts may well lie years back; referrals and ends lie within the list's window.
    name = "date" if read.number == 3 else "end"
    days = read.days(name)
    out = four_years_out(days)
    if not out.any():
        return
    rest = days[~out & ~np.isnat(days)]
    where = "before" if days[out].max() < rest.min() else "after"
    read.ledger.say(
        "dates-four-years-out",
        Severity.WARN,
        f"{int(out.sum()):,} dates of “{read.ledger.heading(name)}” lie four years (1,462 days) "
        f"{where} all others, as dates do that are copied from a workbook with Excel's other "
        "calendar (1904 date system): check one against the case system, and export the list "
        "again.",
        rows=read.at(out),
        name=name,
    )


def four_years_out(days: Days) -> npt.NDArray[np.bool_]:
    """Mark the smaller of two blocks of dates that 1,462 days would lay over each other.

    Parameters
    ----------
    days
        datetime64[D], shape (rows,); NaT where there is none.

    Returns
    -------
    Booleans, shape (rows,); all false where the dates are one block, or do not fit.
    """
    nothing = np.zeros(len(days), dtype=bool)
    known = np.sort(days[~np.isnat(days)])
    if len(known) < 2 * _FEWEST:
        return nothing
    gaps = np.diff(known)
    at = int(gaps.argmax())
    if gaps[at] < _GAP:
        return nothing
    early, late = known[: at + 1], known[at + 1 :]
    few, many, move = (
        (early, late, _EPOCHS_APART) if len(early) <= len(late) else (late, early, -_EPOCHS_APART)
    )
    moved = few + move
    fits = (moved >= many.min() - _SLACK) & (moved <= many.max() + _SLACK)
    if len(few) < _FEWEST or fits.mean() < _SHARE:
        return nothing
    marked: npt.NDArray[np.bool_] = days < late.min() if move > 0 else days > early.max()
    return marked & ~np.isnat(days)


# ---------------------------------------------------------------- two authorities


def _say_authorities(read: ReadList) -> None:
    column = _authority_column(read)
    if column is None:
        return
    names = [clean_text(as_text(v)).casefold() for v in read.found.sheet.cells[read.rows, column]]
    if len({name for name in names if name}) < 2:
        return
    clashes = _clashes(read, names)
    if clashes:
        heading = as_text(read.found.sheet.cells[read.found.heading_row, column])
        read.ledger.say(
            "ids-of-several-authorities",
            Severity.STOP,
            f"The list holds rows of more than one authority (column {quoted(heading)}), and "
            f"{len(clashes):,} child [identifier stands|identifiers stand] for different children "
            "in them: keep the rows of one authority, or put the authority's name before each "
            "identifier in all lists.",
            rows=clashes,
            name="child_id",
        )


def _authority_column(read: ReadList) -> int | None:
    heads = read.found.sheet.cells[read.found.heading_row]
    known = set(read.found.columns.values())
    for column, head in enumerate(heads):
        is_text = isinstance(head, str) and column not in known
        if is_text and normalise_heading(as_text(head)) in _AUTHORITY_HEADINGS:
            return column
    return None


def _clashes(read: ReadList, names: Sequence[str]) -> list[int]:
    """First rows of the identifiers that have other dates of birth in another authority."""
    births: dict[str, dict[str, date]] = {}
    first: dict[str, int] = {}
    days = read.days("date_of_birth").tolist()
    for child, row, name, birth in zip(read.ids.ids, read.rows, names, days, strict=True):
        if child is not None and name and birth is not None:
            births.setdefault(child, {}).setdefault(name, birth)
            first.setdefault(child, int(row))
    return [first[child] for child, of in births.items() if len(set(of.values())) > 1]
