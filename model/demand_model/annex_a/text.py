"""A cell as text that rules can be read against: cleaned, plain, typing slips mended."""

from __future__ import annotations

import math
import numbers
import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

CACHED_SPELLINGS = 1 << 16
"""Distinct spellings that are remembered: a list has many rows and few spellings."""

LONGEST_TEXT = 1000
"""Characters of a cell that are read; the longest official description has about 300."""

_SHORTEST_MENDED = 6
_SHORTEST_MENDED_TWICE = 9

_MOJIBAKE = (
    ("â€™", "'"), ("â€˜", "'"), ("â€œ", '"'), ("â€\x9d", '"'), ("â€“", "-"), ("â€”", "-"),
    ("\x91", "'"), ("\x92", "'"), ("\x96", "-"), ("\x97", "-"), ("_x000D_", " "), ("Â", ""),
)  # fmt: skip
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛`´ʼ′", "'") | dict.fromkeys("“”„″", '"'))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_LOST_APOSTROPHE = re.compile(r"(?<=[a-z])(?:\?{1,3}|�)(?=s\b)", re.IGNORECASE)

_PLURAL_IN_BRACKETS = re.compile(r"\((?:s|ies|es)\)")
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")
_SLASHED_LETTERS = re.compile(r"\b([a-z])/([a-z])\b")
_NOT_WORD = re.compile(r"[^a-z0-9]+")


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text, each once."""
    return frozenset(words.split())


# Words of the field or of plain English that are one slip from a known word and no slip.
_NO_SLIPS = word_set(
    """
    bother career careers clarity colleague colleagues conducted contacted content contested
    converted convicted corrected counselling counsellor counsellors decreased emergence farmer
    father fathers general generally healthy holmes hopeless hotel hotels interval liking loving
    medial mother mothers notional office offices outside patent played policy polite
    prosecution protect protected provide provided provides rather relations remind seated
    section sections selection specially staged started states stayed strange transform workshop
    """
)


def clean_text(value: object) -> str | None:
    """Read a cell's value as one line of plain text, ``None`` where it holds none.

    Full-width forms, NBSP, zero-width and control characters, curly quotes,
    dashes and the commonest damaged encodings are made plain. A whole number
    loses its decimal point (``6.0`` is ``"6"``); truth values are "Yes" and "No".
    """
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, str):
        return _clean_string(value) or None
    if isinstance(value, numbers.Real):
        number = float(value)
        if not math.isfinite(number):
            return None
        return str(int(number)) if number.is_integer() else str(number)
    return None


@lru_cache(maxsize=CACHED_SPELLINGS)
def _clean_string(value: str) -> str:
    text = value[:LONGEST_TEXT]
    for damaged, meant in _MOJIBAKE:
        text = text.replace(damaged, meant)
    text = unicodedata.normalize("NFKC", text.translate(_QUOTES).translate(_DASHES))
    text = text.translate(_QUOTES).translate(_DASHES)
    kept = (
        " " if c.isspace() else c
        for c in text
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )
    text = _LOST_APOSTROPHE.sub("'", "".join(kept))
    text = " ".join(text.split()).strip("'\" ")
    return re.sub(r"^(\d+)\.0+$", r"\1", text)


def plain_words(text: str) -> str:
    """Reduce cleaned text to lower-case words and numbers with single spaces between.

    >>> plain_words("Mother & Baby (A&E), carer(s) N.S.P.C.C.")
    'mother and baby a and e carer nspcc'
    """
    plain = text.casefold()
    plain = _PLURAL_IN_BRACKETS.sub("", plain).replace("'", "")
    plain = _DOTTED.sub(lambda found: found.group().replace(".", ""), plain)
    plain = plain.replace("&", " and ").replace("+", " and ")
    plain = _SLASHED_LETTERS.sub(r"\1\2", plain)
    plain = unicodedata.normalize("NFKD", plain)
    return _NOT_WORD.sub(" ", plain.encode("ascii", "ignore").decode()).strip()


def mend_words(plain: str, known: Collection[str]) -> str:
    """Replace words that are one slip (two in long words) from exactly one known word.

    >>> mend_words("independant living", {"independent", "living"})
    'independent living'
    """
    return " ".join(_mended(word, known) for word in plain.split())


def _mended(word: str, known: Collection[str]) -> str:
    if len(word) < _SHORTEST_MENDED or not word.isalpha() or word in known or word in _NO_SLIPS:
        return word
    allowed = 2 if len(word) >= _SHORTEST_MENDED_TWICE else 1
    near = [k for k in known if k[0] == word[0] and abs(len(k) - len(word)) <= allowed]
    for slips in range(1, allowed + 1):
        found = [k for k in near if slip_distance(word, k) == slips]
        if found:
            return found[0] if len(found) == 1 else word
    return word


def slip_distance(a: str, b: str) -> int:
    """Letters added, dropped, changed or swapped with a neighbour, between two words.

    The optimal string alignment distance.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
