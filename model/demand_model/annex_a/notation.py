"""Finding a code where a code is written: never a digit that stands among words.

A code stands alone (``U1``), leads (``q) 6: Police``, ``U1 - Foster``), follows
a short prefix (``CIN - N1 Abuse``), or closes (``Prison [R5]``). Authorities
append their own letters (``K2a``, ``R2OUT``, ``N1SG``): these are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from demand_model.annex_a.code_sets import CodeSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A code found in a cell.

    Attributes
    ----------
    code
        In the code set's spelling; may be a historical code.
    rest
        The text without it.
    beside
        Another code, written right beside it ("R1/K2").
    bare
        A digit alone, that only the words beside it can confirm.
    """

    code: str
    rest: str
    beside: str | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How a code set writes its codes: the code, what authorities append, bare digits."""

    core: str
    suffix: str = ""
    lead: str = ""
    bare: str = ""


_PLACE_SUFFIX = r"(?:[a-z]|in|out)?"
_SHAPES: Mapping[str, _Shape] = {
    "referral_source": _Shape(core=r"1[a-d]|2[ab]|3[a-f]|5[a-c]", bare=r"10|[46789]"),
    "category_of_need": _Shape(
        core=r"n[0-9](?![0-9])", suffix=r"(?:[a-z]{1,2}\d{0,2}|[._][a-z0-9-]+)?"
    ),
    "legal_status": _Shape(core=r"[cdejlv][0-9](?![0-9])"),
    "placement_type": _Shape(core=r"[afhkmpqrstuz][0-9](?![0-9])", suffix=_PLACE_SUFFIX),
    "placement_provider": _Shape(core=r"pr[0-9](?![0-9])"),
    "reason_closed": _Shape(core=r"rc[0-9](?![0-9])"),
    "reason_ceased": _Shape(core=r"e4[ab]|[ex][0-9]{1,2}", suffix=r"[a-z]?", lead="s?"),
}

_ORDINAL = re.compile(r"^(?:[a-z]{1,2}\)|[a-z]\.(?=\s)|\d{1,3}\))\s*(?=\S)", re.IGNORECASE)
_PREFIX = r"(?:(?:[a-z/]{2,6}\d?|[a-z]{2,4}\d{0,2}|\d{1,2})(?:\s*[-:.)/]\s*|\s+)){1,2}"
_NEED_MNEMONIC = re.compile(
    r"^([1-8])(?!st\b|nd\b|rd\b|th\b)(?=[a-z](?:\s|$)|[a-z]{3})", re.IGNORECASE
)
_SPACED = re.compile(
    r"^([a-z]{1,2})[ .-]{1,2}(\d{1,2})\s?([ab]?)(?=$|\s*[-:()\[\]/=])", re.IGNORECASE
)
_GLUED = re.compile(r"^([A-Z]{1,2}\d)(?=[A-Z][a-z]{2})")


def strip_ordinal(text: str) -> str:
    """Text without a drop-down's ordinal: "q) 6: Police" without "q)"."""
    return _ORDINAL.sub("", text)


def find_code(code_set: CodeSet, text: str) -> Written | None:
    """Find the code written in a cleaned text."""
    shape = _SHAPES.get(code_set.name)
    if shape is None:
        return None
    body = strip_ordinal(text)
    if code_set.name == "category_of_need":
        body = _NEED_MNEMONIC.sub(r"N\1 ", body)
    body = _GLUED.sub(r"\1 ", body)
    body = _SPACED.sub(r"\1\2\3", body)
    for pattern in _patterns(shape):
        found = re.search(pattern, body, re.IGNORECASE)
        code = _official(code_set, found) if found else None
        if found and code is not None:
            rest = _without(body, found, code)
            beside = _beside(code_set, shape, rest) or _before(code_set, shape, body, found)
            return Written(code=code, rest=rest, beside=beside)
    return _find_bare(code_set, shape, body)


def _beside(code_set: CodeSet, shape: _Shape, rest: str) -> str | None:
    """Another code: right beside the first, or after a semicolon or an "and"."""
    code = rf"(?P<code>{shape.core})(?![a-z0-9])"
    for pattern in (rf"^[/,;&+]?\s*{code}", rf"(?:;|\band\b)\s*{code}"):
        other = re.search(pattern, rest, re.IGNORECASE)
        if other and (found := _official(code_set, other)):
            return found
    return None


def _before(code_set: CodeSet, shape: _Shape, body: str, found: re.Match[str]) -> str | None:
    """Another code that stands alone before the one found ("6; 2A")."""
    bare = f"|{shape.bare}" if shape.bare else ""
    before = body[: found.start("code")]
    other = re.match(rf"(?P<code>{shape.core}{bare})\s*[/,;&+]\s*$", before, re.IGNORECASE)
    return _official(code_set, other) if other else None


def _patterns(shape: _Shape) -> tuple[str, ...]:
    code = rf"(?P<code>{shape.core})(?P<suffix>{shape.suffix})(?![a-z0-9])"
    return (
        rf"^{shape.lead}{code}",
        rf"[\[(]\s*{code}\s*[\])][\s.]*$",
        rf"^{_PREFIX}{code}",
        rf"[-:;,]\s*{code}\s*$",
    )


def _official(code_set: CodeSet, found: re.Match[str]) -> str | None:
    spelled = found.group("code")
    known = code_set.find(spelled)
    if known is not None:
        return known.code
    historical = not found.groupdict().get("suffix") and spelled.upper() in code_set.historical
    return spelled.upper() if historical else None


def _without(body: str, found: re.Match[str], code: str) -> str:
    start, end = found.span("code")
    tail = re.sub(
        r"^[a-z]{1,2}\d{0,2}(?![a-z])|^[._][a-z0-9-]+", "", body[end:], flags=re.IGNORECASE
    )
    rest = f"{body[:start]} {tail}"
    return re.sub(rf"\b{re.escape(code)}\b", " ", rest, flags=re.IGNORECASE).strip()


def _find_bare(code_set: CodeSet, shape: _Shape, body: str) -> Written | None:
    if not shape.bare:
        return None
    whole = re.fullmatch(rf"\(?\[?({shape.bare})[\])]?[.:]?", body)
    if whole:
        return Written(code=whole.group(1), rest="")
    beside = re.search(
        rf"^(?P<code>{shape.bare})(?:\s*[-:.=]\s*|\s+)(?=[a-z'\"(])"
        rf"|[\[(]\s*(?P<last>{shape.bare})\s*[\])]\s*$",
        body,
        re.IGNORECASE,
    )
    if not beside:
        return None
    code = beside.group("code") or beside.group("last")
    rest = (body[: beside.start()] + " " + body[beside.end() :]).strip()
    return Written(code=code, rest=rest, beside=_beside(code_set, shape, rest), bare=True)
