"""Categories and numbers, read a column at a time."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.cells import ERROR_TEXTS, as_text, filled_cells, is_blank_text, spelling
from demand_model.annex_a.decode import decode, is_historical
from demand_model.annex_a.raw import CellError, RawValue, UncalculatedFormula

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodeColumn:
    """A category column. filled = mapped + unmapped.

    Attributes
    ----------
    codes
        Official code, or the group's label where only that is certain, or
        ``None``; object array, shape (rows,).
    filled
        Cells that hold something, words for a blank aside.
    unmapped
        Row indices that hold something that means no code.
    errors
        Those of them that hold an Excel error.
    spellings
        Spellings not mapped, as typed but cleaned, to how often.
    settled
        How many cells were settled by the analyst's mapping.
    historical
        Row indices of codes that older guides used.
    """

    codes: npt.NDArray[np.object_]
    filled: int
    unmapped: tuple[int, ...]
    errors: tuple[int, ...]
    spellings: Mapping[str, int]
    settled: int = 0
    historical: tuple[int, ...] = ()

    @property
    def mapped(self) -> int:
        """Cells that mean a code or a group."""
        return int(filled_cells(self.codes).sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumberColumn:
    """A column of numbers: float64 with NaN where blank or rejected."""

    values: npt.NDArray[np.float64]
    rejected: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    code: str | None
    spelling: str
    blank: bool = False
    error: bool = False
    settled: bool = False
    historical: bool = False


def read_codes(
    values: Sequence[RawValue],
    list_number: int,
    heading: str,
    mapping: Mapping[tuple[int, str, str], str],
) -> CodeColumn:
    """Read a category column: the analyst's mapping first, then the decoder.

    Parameters
    ----------
    mapping
        As `CheckSettings.mapping`.
    """
    settled = {
        spelling(as_text(raw)).casefold(): code
        for (number, name, raw), code in mapping.items()
        if number == list_number and name.strip() == heading.strip()
    }
    known: dict[tuple[type, RawValue], _Meaning] = {}
    codes = np.full(len(values), None, dtype=object)
    unmapped: list[int] = []
    errors: list[int] = []
    historical: list[int] = []
    spellings: Counter[str] = Counter()
    filled = by_mapping = 0
    for i, value in enumerate(values):
        if value is None:
            continue
        key = (type(value), value)  # True and 1 are equal, but not the same word
        if key not in known:
            known[key] = _meaning(value, list_number, heading, settled)
        meaning = known[key]
        if meaning.blank:
            continue
        filled += 1
        by_mapping += meaning.settled
        codes[i] = meaning.code
        if meaning.historical:
            historical.append(i)
        if meaning.code is None:
            unmapped.append(i)
            if meaning.error:
                errors.append(i)
            else:
                spellings[meaning.spelling] += 1
    return CodeColumn(
        codes=codes,
        filled=filled,
        unmapped=tuple(unmapped),
        errors=tuple(errors),
        spellings=dict(sorted(spellings.items())),
        settled=by_mapping,
        historical=tuple(historical),
    )


def _meaning(
    value: RawValue, list_number: int, heading: str, settled: Mapping[str, str]
) -> _Meaning:
    if isinstance(value, CellError | UncalculatedFormula):
        return _Meaning(code=None, spelling="", error=True)
    text = as_text(value)
    if text in ERROR_TEXTS:
        return _Meaning(code=None, spelling="", error=True)
    key = spelling(text)
    chosen = settled.get(key.casefold())
    code = chosen or (decode(list_number, heading, text) if text else None)
    return _Meaning(
        code=code,
        spelling=key,
        blank=code is None and is_blank_text(text),
        settled=chosen is not None,
        historical=chosen is None
        and code is not None
        and is_historical(list_number, heading, text),
    )


def read_numbers(values: Sequence[RawValue]) -> NumberColumn:
    """Read a column of numbers; digits as text and thousands separators are understood."""
    numbers = np.full(len(values), np.nan)
    rejected: list[int] = []
    for i, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            numbers[i] = value
            continue
        text = as_text(value)
        if isinstance(value, str) and _NUMBER.fullmatch(text):
            numbers[i] = float(text.replace(",", ""))
        elif not (isinstance(value, str) and is_blank_text(text)):
            rejected.append(i)
    return NumberColumn(values=numbers, rejected=tuple(rejected))
