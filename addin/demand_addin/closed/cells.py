"""Cell values as XML, and cell addresses."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from typing import TypeGuard

from demand_addin.layout.chart_data import column_letters
from demand_addin.ports import CellValue
from demand_model.annex_a.raw import CellError

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Za-z]{1,3})\$?([0-9]{1,7}))?")
_LONGEST_TEXT = 32_767
_ORDINAL_1900 = date(1899, 12, 30).toordinal()
_ORDINAL_1904 = date(1904, 1, 1).toordinal()
_REPEATED = frozenset({str, date})
"""Kinds of which a column holds few values, many times each."""
_FIRST_TRUE_SERIAL = 61
"""1 March 1900: Excel believes in a 29 February 1900."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Block:
    """A rectangle of cells, 1-based, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, reference: str) -> Block:
        """Read ``"B4"`` or ``"$A$1:$C$9"``."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise ValueError(f"not a block of cells: {reference}")
        left, top, right, bottom = match.groups()
        return cls(
            top=int(top),
            left=column_number(left),
            bottom=int(bottom or top),
            right=column_number(right or left),
        )

    @property
    def reference(self) -> str:
        """The block as Excel writes it."""
        first = f"{column_letters(self.left)}{self.top}"
        last = f"{column_letters(self.right)}{self.bottom}"
        return first if first == last else f"{first}:{last}"

    def holds(self, other: Block) -> bool:
        """Whether the other block lies inside this one."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and self.bottom >= other.bottom
            and self.right >= other.right
        )

    def meets(self, other: Block) -> bool:
        """Whether the two blocks share a cell."""
        return not (
            self.bottom < other.top
            or other.bottom < self.top
            or self.right < other.left
            or other.right < self.left
        )


def column_number(letters: str) -> int:
    """Return the 1-based number of a column.

    >>> column_number("AB")
    28
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def clean_text(text: str) -> str:
    """Return text as an XML cell can hold it: no control characters, no false escapes.

    Excel reads ``_x0041_`` in a cell as "A": an underscore that would begin
    such an escape is itself escaped.
    """
    text = _ESCAPE_LIKE.sub("_x005F_", _ILLEGAL.sub("", text))
    return text[:_LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")


@dataclass(slots=True, kw_only=True)
class CellWriter:
    """Writes cells as XML; strings are prepared once and remembered.

    Parameters
    ----------
    prefix
        The sheet's own namespace prefix with its colon, or nothing.
    date_1904
        The workbook counts days from 1904.
    """

    prefix: str = ""
    date_1904: bool = False
    _texts: dict[str, str] = field(default_factory=dict)

    def cell(self, at: str, style: str, value: CellValue) -> str:
        """Return one cell; `style` is the attribute ``' s="5"'`` or nothing."""
        if value is None:
            return f'<{self.prefix}c r="{at}"{style}/>' if style else ""
        return f'<{self.prefix}c r="{at}"{style}{self._rest(value)}'

    def column(
        self,
        letters: str,
        numbers: Sequence[int],
        styles: Sequence[str],
        values: Sequence[CellValue],
    ) -> list[str]:
        """Return the cells of one column, as `cell` does, by row number."""
        head, kinds = f'<{self.prefix}c r="{letters}', set(map(type, values))
        if len(kinds) == 1 and kinds < _REPEATED:
            rest = {value: self._rest(value) for value in set(values)}
            return [
                f'{head}{number}"{style}{rest[value]}'
                for number, style, value in zip(numbers, styles, values, strict=True)
            ]
        if _are_numbers(values) and all(map(math.isfinite, values)):
            end = f"</{self.prefix}v></{self.prefix}c>"
            return [
                f'{head}{number}"{style}><{self.prefix}v>{value!r}{end}'
                for number, style, value in zip(numbers, styles, values, strict=True)
            ]
        return [
            self.cell(f"{letters}{number}", style, value)
            for number, style, value in zip(numbers, styles, values, strict=True)
        ]

    def _rest(self, value: CellValue) -> str:
        """Return what follows a cell's style."""
        p = self.prefix
        if type(value) is int or (type(value) is float and math.isfinite(value)):
            return f"><{p}v>{value!r}</{p}v></{p}c>"
        if type(value) is str:
            return f' t="inlineStr">{self._inline(value)}</{p}c>'
        if type(value) is float:
            raise ValueError("a number that is not finite must be written as None or CellError")
        attribute, content = self.result(value)
        if attribute == ' t="str"':
            return f' t="inlineStr">{self._inline(content)}</{p}c>'
        return f"{attribute}><{p}v>{content}</{p}v></{p}c>"

    def formula_cell(self, at: str, style: str, formula: str, value: CellValue) -> str:
        """Return a cell whose formula stays and whose saved result is `value`."""
        p = self.prefix
        if value is None:
            return f'<{p}c r="{at}"{style}>{formula}</{p}c>'
        attribute, content = self.result(value)
        text = escape(clean_text(content), quote=False) if attribute == ' t="str"' else content
        return f'<{p}c r="{at}"{style}{attribute}>{formula}<{p}v>{text}</{p}v></{p}c>'

    def result(self, value: CellValue) -> tuple[str, str]:
        """Return the type attribute and content of a value's ``v`` element."""
        if isinstance(value, bool):
            return ' t="b"', "1" if value else "0"
        if isinstance(value, CellError):
            return ' t="e"', escape(value.code, quote=False)
        if isinstance(value, (datetime, date)):
            serial = self.serial(value)
            return ("", repr(serial)) if serial is not None else (' t="str"', value.isoformat())
        if isinstance(value, int):
            return "", repr(int(value))
        if isinstance(value, float):
            return ("", repr(float(value))) if math.isfinite(value) else (' t="e"', "#NUM!")
        return ' t="str"', str(value)

    def serial(self, value: date | datetime) -> int | float | None:
        """Return a date as Excel's day number; ``None`` before its calendar begins."""
        days = value.toordinal() - (_ORDINAL_1904 if self.date_1904 else _ORDINAL_1900)
        if not self.date_1904 and days < _FIRST_TRUE_SERIAL:
            days -= 1
        if days < (0 if self.date_1904 else 1):
            return None
        if not isinstance(value, datetime):
            return days
        seconds = value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
        return days + round(seconds / 86_400, 10) if seconds else days

    def _inline(self, text: str) -> str:
        known = self._texts.get(text)
        if known is None:
            p = self.prefix
            body = escape(clean_text(text), quote=False)
            known = f'<{p}is><{p}t xml:space="preserve">{body}</{p}t></{p}is>'
            self._texts[text] = known
        return known


def _are_numbers(values: Sequence[CellValue]) -> TypeGuard[Sequence[int | float]]:
    return set(map(type, values)) <= {int, float}
