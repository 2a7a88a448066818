"""Cells: addresses, and text as it was meant.

Text in real extracts carries no-break and zero-width spaces, full-width
letters, escaped carriage returns and leading apostrophes; none of them mean
anything.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.raw import CellError, RawValue, UncalculatedFormula

_ESCAPED_CONTROL = re.compile(r"_x00[01][0-9A-Fa-f]_")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")

BLANK_TOKENS = frozenset(
    {
        "null", "n/a", "na", "none", "nan", "nat", "<na>", "-", "--", "---", "–", "—",
        ".", "..", "?", "??", "tbc", "tba", "unknown", "not known", "not recorded",
        "#multivalue", "(blank)", "blank", "nil", "n.a.", "n\\a",
    }
)  # fmt: skip
"""Words that stand for a blank cell, case aside."""


ERROR_TEXTS = frozenset(
    {
        "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
        "#GETTING_DATA", "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#CONNECT!",
    }
)  # fmt: skip
"""Excel's error values as text, as they come in text files and pasted values: never a blank."""


def column_letter(number: int) -> str:
    """Letters of a 1-based column number.

    >>> column_letter(1), column_letter(28)
    ('A', 'AB')
    """
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def clean_text(value: str) -> str:
    r"""Drop invisible characters, full-width forms, and spaces at the ends of text.

    >>> clean_text(" Ｕ1\u00a0 \u200b")
    'U1'
    """
    if value.isascii() and value.isprintable():
        if "_x00" in value:
            value = _ESCAPED_CONTROL.sub(" ", value)
        text = " ".join(value.split())
    else:
        plain = unicodedata.normalize("NFKC", value)
        plain = _ESCAPED_CONTROL.sub(" ", _INVISIBLE.sub("", plain))
        text = _SPACES.sub(" ", plain).strip()
    return text[1:].lstrip() if text.startswith("'") and not text.endswith("'") else text


def is_blank_text(text: str) -> bool:
    """Whether cleaned text is empty or a word for a blank.

    >>> is_blank_text("N/A"), is_blank_text(""), is_blank_text("E4A")
    (True, True, False)
    """
    return not text or (len(text) < 14 and text.casefold() in BLANK_TOKENS)


def is_empty(value: RawValue) -> bool:
    """Whether a cell holds nothing that can be seen."""
    return value is None or (isinstance(value, str) and not clean_text(value))


def filled_cells(cells: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Tell which cells are not ``None``."""
    return np.asarray(cells != None, dtype=bool)  # noqa: E711  (element by element)


def as_text(value: RawValue) -> str:
    """Give a cell as cleaned text; a whole number has no decimal point; errors are their code."""
    if value is None or isinstance(value, UncalculatedFormula):
        return ""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, CellError):
        return value.code
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def quoted(text: str) -> str:
    """Quote a heading or category for a message: one line, at most 40 characters."""
    return f"“{spelling(text)}”"


def spelling(text: str) -> str:
    """Shorten a category to 40 characters, as the Mapping sheet lists and finds it.

    >>> len(spelling("x" * 100))
    40
    """
    plain = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return f"{plain[:39]}…" if len(plain) > 40 else plain
