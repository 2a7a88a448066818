"""The rows below the headings: which are records, and which are something else.

Blank rows are skipped and counted. Headings that a stacked export repeats,
totals and footnotes are rows found that are set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.cells import as_text, filled_cells, is_empty
from demand_model.annex_a.lists import normalise_heading
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.annex_a.raw import RawValue
from demand_model.annex_a.recognise import Recognised

_TOTAL = re.compile(
    r"(?:grand |sub-?|sub |overall )?totals?\b.*|(?:row |record )?count\b.*"
    r"|number of (?:rows|records)\b.*",
    re.IGNORECASE,
)
_SUBTOTAL = re.compile(r".+\s(?:sub-?)?(?:total|count|sum|average|max|min)", re.IGNORECASE)
"""What Excel's Subtotal writes below each group: its name, and the function's."""
_SUBTOTAL_CELLS = 3
_NOTE_WORDS = re.compile(r"\s\S+\s|:|^(?:source|run on|note|produced|extracted|report)\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Rows of a list below its headings, as indices into the sheet's cells.

    Attributes
    ----------
    records
        Rows that hold a record of a child, int64, ascending.
    aside
        Rows found that hold none, and why: ``"heading-repeated"``,
        ``"total-row"`` or ``"footnote"``.
    blank
        How many blank rows stand between the first and last row found.
    second_table
        A row that opens another list below this one, or ``None``.
    """

    records: npt.NDArray[np.int64]
    aside: dict[int, str]
    blank: int
    second_table: int | None

    @property
    def found(self) -> int:
        """Rows found: records and what was set aside here."""
        return len(self.records) + len(self.aside)


_HEADINGS = frozenset(
    normalise_heading(h) for a in ALL_LISTS.values() for f in a.fields for h in f.headings
)


def read_body(found: Recognised) -> Body:
    """Sort the rows below a list's headings into records and the rest."""
    cells = found.sheet.cells[found.body_row :]
    filled = filled_cells(cells)
    counts = filled.sum(axis=1) if cells.size else np.zeros(len(cells), dtype=np.int64)
    key_columns = [found.columns[n] for n in ("child_id", "date", "start") if n in found.columns]
    aside: dict[int, str] = {}
    records: list[int] = []
    blank: list[int] = []
    second_table: int | None = None
    for i in range(len(cells)):
        row = found.body_row + i
        if counts[i] == 0 or _all_empty(cells[i], filled[i], key_columns):
            blank.append(row)
            continue
        reason = _layout(found, row, cells[i], key_columns)
        if reason == "second-table":
            second_table = row
            break
        if reason is None:
            records.append(row)
        else:
            aside[row] = reason
    last = max([*records, *aside], default=-1)
    return Body(
        records=np.array(records, dtype=np.int64),
        aside=aside,
        blank=sum(row < last for row in blank),
        second_table=second_table,
    )


def _all_empty(
    row: npt.NDArray[np.object_], filled: npt.NDArray[np.bool_], key_columns: list[int]
) -> bool:
    if any(not is_empty(row[c]) for c in key_columns):
        return False
    return all(is_empty(v) for v in row[filled])


def _layout(
    found: Recognised, row: int, cells: npt.NDArray[np.object_], key_columns: list[int]
) -> str | None:
    """Why a row is no record, or ``None``. Rows with a number and a date are not looked at."""
    if found.sheet.first_row + row in found.sheet.total_rows:
        return "total-row"
    keys = [cells[c] for c in key_columns]
    if any(isinstance(v, str) and _is_heading(v) for v in keys):
        return _heading(found, cells)
    dated = any(not is_empty(v) for v in keys[1:])
    if not dated and _is_subtotal(cells):
        return "total-row"
    first = next((v for v in cells if not is_empty(v)), None)
    if not isinstance(first, str):
        return None
    texts = list(_texts(cells)) if not dated else [as_text(keys[0])]
    if any(_TOTAL.fullmatch(text) for text in texts):
        return "total-row"
    few = sum(not is_empty(v) for v in cells) <= 2
    return "footnote" if not dated and few and _NOTE_WORDS.search(texts[0]) else None


def _is_subtotal(cells: npt.NDArray[np.object_]) -> bool:
    there = [v for v in cells if not is_empty(v)]
    if len(there) > _SUBTOTAL_CELLS or all(isinstance(v, str) for v in there):
        return False
    texts = [as_text(v) for v in there if isinstance(v, str)]
    return any(_SUBTOTAL.fullmatch(text) for text in texts)


def _texts(cells: npt.NDArray[np.object_]) -> Iterator[str]:
    return (as_text(v) for v in cells if isinstance(v, str) and not is_empty(v))


def _is_heading(value: RawValue) -> bool:
    text = as_text(value)
    return not text.isdigit() and normalise_heading(text) in _HEADINGS


def _heading(found: Recognised, cells: npt.NDArray[np.object_]) -> str | None:
    """Whether a row repeats this list's headings, or opens another list."""
    same = sum(
        found.annex_list.find(as_text(cells[column])) is not None
        for column in found.columns.values()
        if isinstance(cells[column], str)
    )
    texts = list(_texts(cells))
    for number, other in ALL_LISTS.items():
        names = {f.name for t in texts if (f := other.find(t)) is not None}
        if number != found.list_number and {"child_id", "start"} <= names and same < len(names):
            return "second-table"
        if number != found.list_number and {"child_id", "date"} <= names and same < len(names):
            return "second-table"
    return "heading-repeated" if same >= min(2, len(found.columns)) else None
