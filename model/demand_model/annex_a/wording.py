"""Messages that count things: one wording holds the singular and the plural."""

from __future__ import annotations

import re

_EITHER = re.compile(r"\[([^\[\]|]*)\|([^\[\]|]*)\]")


def said_of(count: int, message: str) -> str:
    """Choose between ``[one|several]`` wherever a message has both.

    >>> said_of(1, "1 [child is|children are] not born yet, and [was|were] kept.")
    '1 child is not born yet, and was kept.'
    >>> said_of(2, "2 [child is|children are] not born yet, and [was|were] kept.")
    '2 children are not born yet, and were kept.'
    """
    return _EITHER.sub(r"\1" if count == 1 else r"\2", message)
