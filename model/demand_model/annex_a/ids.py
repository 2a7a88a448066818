"""Child identifiers: one canonical form, and signs that Excel has damaged them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from demand_model.annex_a.cells import ERROR_TEXTS, clean_text, is_blank_text
from demand_model.annex_a.raw import CellError, RawValue, UncalculatedFormula

_WHOLE_DECIMAL = re.compile(r"(\d+)\.0+")
_SCIENTIFIC = re.compile(r"\d\.\d+E\+?\d+|\dE\+\d+", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*,? [^\W\d_]+(?:[ '’-][^\W\d_]+)*")
_LOST_DIGITS = 10**15
"""Excel keeps 15 significant digits: a longer number has lost its last ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdColumn:
    """Identifiers of a list's rows.

    Attributes
    ----------
    ids
        Canonical identifier, or ``None`` where there is none.
    zeros_dropped
        Whether leading zeros were taken off.
    rejected
        Row index to rule: ``"id-missing"``, ``"error-value"`` or ``"id-unreadable"``.
    damaged, dates, names
        Row indices of identifiers that Excel rounded or turned into dates, and
        of what looks like a person's name.
    """

    ids: tuple[str | None, ...]
    zeros_dropped: tuple[bool, ...]
    rejected: dict[int, str]
    damaged: tuple[int, ...]
    dates: tuple[int, ...]
    names: tuple[int, ...]


def canonical_id(value: RawValue) -> str | None:
    """Give an identifier's canonical form, or ``None`` where the cell holds none.

    Text is cleaned and upper-cased; a number, or text of digits, loses its
    leading zeros and its ``.0``, so that one child has one form in all lists.

    >>> [canonical_id(v) for v in (12345, 12345.0, "12345.0", " 12345", "012345", "ab 1")]
    ['12345', '12345', '12345', '12345', '12345', 'AB 1']
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    if not isinstance(value, str):
        return None
    text = clean_text(value).upper()
    if is_blank_text(text) or text in ERROR_TEXTS:
        return None
    decimal = _WHOLE_DECIMAL.fullmatch(text)
    if decimal:
        text = decimal.group(1)
    if text.isdigit():
        text = text.lstrip("0") or "0"
    return text


def no_ids(rows: int) -> IdColumn:
    """Stand in for the identifiers of a list that has no column for them."""
    return IdColumn(
        ids=(None,) * rows, zeros_dropped=(False,) * rows, rejected={}, damaged=(), dates=(),
        names=(),
    )  # fmt: skip


def read_ids(values: Sequence[RawValue]) -> IdColumn:
    """Read a column of identifiers.

    Nothing is decided here about the list: the caller stops where many
    identifiers are damaged, dates or names.
    """
    ids: list[str | None] = []
    zeros: list[bool] = []
    rejected: dict[int, str] = {}
    damaged: list[int] = []
    dates: list[int] = []
    names: list[int] = []
    for i, value in enumerate(values):
        found = canonical_id(value)
        ids.append(found)
        zeros.append(isinstance(value, str) and found is not None and _has_leading_zero(value))
        if _is_error(value):
            rejected[i] = "error-value"
        elif isinstance(value, datetime | date):
            dates.append(i)
            rejected[i] = "id-unreadable"
        elif isinstance(value, bool | time):
            rejected[i] = "id-unreadable"
        elif found is None:
            rejected[i] = "id-missing"
        elif _is_damaged(value, found):
            damaged.append(i)
        elif _NAME.fullmatch(found):
            names.append(i)
    return IdColumn(
        ids=tuple(ids),
        zeros_dropped=tuple(zeros),
        rejected=rejected,
        damaged=tuple(damaged),
        dates=tuple(dates),
        names=tuple(names),
    )


def _is_error(value: RawValue) -> bool:
    if isinstance(value, str):
        return value.startswith("#") and clean_text(value) in ERROR_TEXTS
    return isinstance(value, CellError | UncalculatedFormula)


def _has_leading_zero(value: str) -> bool:
    text = clean_text(value)
    return len(text) > 1 and text[0] == "0" and text.isdigit()


def _is_damaged(value: RawValue, found: str) -> bool:
    if isinstance(value, int | float):
        return abs(value) >= _LOST_DIGITS
    return bool(_SCIENTIFIC.fullmatch(found))
