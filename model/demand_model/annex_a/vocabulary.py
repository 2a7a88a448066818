"""Hearing what words say: rules that speak for codes, and how they agree.

A rule is a pattern of words and the codes that it speaks for. Rules are tried
in order, the more telling first, and a phrase once understood is not read
again ("school nurse" is not then a school). What is heard is decided by
agreement: the codes that all rules allow; where they share no code, the group
that they share; where they share none, nothing.

==========  ===============================================================
strength    meaning
==========  ===============================================================
head        names the group at the start; words after it only refine
strong      a phrase that by itself tells the group
weak        counts only where no head or strong rule matched
refine      never tells a group, only narrows codes inside it
==========  ===============================================================
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from demand_model.annex_a.code_sets import CodeSet
from demand_model.annex_a.text import mend_words, plain_words

_UNDERSTOOD = " · "
_BREAK = re.compile(r"\s-+\s|:\s|\s-(?=\w)|(?<=\w)-\s|;")
_LEADING_NUMBER = re.compile(r"^\d{1,3}\s*[-:.=]\s*(?=\S)")


class Strength(StrEnum):
    """How much a rule's match says (see the module's table)."""

    HEAD = "head"
    STRONG = "strong"
    WEAK = "weak"
    REFINE = "refine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Words that speak for codes.

    Attributes
    ----------
    words
        Pattern over plain words (`plain_words`), at word boundaries; " · " stands where
        the text has a dash or colon, and where words are already understood.
    codes
        The codes that the words allow.
    """

    words: str
    codes: frozenset[str]
    strength: Strength


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words of one category column.

    Attributes
    ----------
    code_set
        What the words may mean.
    ignored
        Patterns of phrases that say nothing here, such as exceptions.
    rules
        In the order in which they are tried.
    known_words
        Words to which slips of the keyboard are mended.
    """

    code_set: CodeSet
    rules: tuple[Rule, ...]
    ignored: tuple[str, ...] = ()
    known_words: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What words said.

    Attributes
    ----------
    codes
        Codes that every deciding rule allows; empty where only a group is shared.
    group
        The one group that they share, or ``None`` where they contradict each
        other or stay open between groups.
    mentioned
        Every group that a deciding rule spoke for.
    certain
        True where a head or strong rule decided.
    """

    codes: frozenset[str]
    group: str | None
    mentioned: frozenset[str]
    certain: bool


@functools.cache
def words_of(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of plain words, to match at word boundaries.

    When first asked for: compiling all vocabularies at import takes longer than
    reading a list whose columns hold codes.
    """
    return re.compile(rf"\b(?:{pattern})(?![a-z0-9])")


def rule(strength: Strength, codes: str | tuple[str, ...], *patterns: str) -> Rule:
    """Make a rule for codes (separated by spaces, or a tuple) that any pattern speaks for."""
    allowed = codes.split() if isinstance(codes, str) else codes
    return Rule(words="|".join(patterns), codes=frozenset(allowed), strength=strength)


def listen(vocabulary: Vocabulary, text: str) -> Heard | None:
    """Hear what a cleaned text's words say; ``None`` where no rule matches."""
    parts = [plain_words(part) for part in _BREAK.split(_LEADING_NUMBER.sub("", text))]
    words = mend_words(_UNDERSTOOD.join(part for part in parts if part), vocabulary.known_words)
    for pattern in vocabulary.ignored:
        words = " ".join(words_of(pattern).sub(_UNDERSTOOD, words).split())
    matched: list[Rule] = []
    for candidate in vocabulary.rules:
        words, count = words_of(candidate.words).subn(_UNDERSTOOD, words)
        if count:
            words = " ".join(words.split())
            matched.append(candidate)
    return _decide(vocabulary.code_set, matched)


def _decide(code_set: CodeSet, matched: list[Rule]) -> Heard | None:
    for deciding in ((Strength.HEAD,), (Strength.STRONG,), (Strength.WEAK,)):
        voices = [r.codes for r in matched if r.strength in deciding]
        if voices:
            break
    else:
        return None
    groups = {code.code: code.group for code in code_set.codes}
    shared_groups = frozenset.intersection(*(_groups(v, groups) for v in voices))
    group = next(iter(shared_groups)) if len(shared_groups) == 1 else None
    codes = frozenset.intersection(*voices)
    if deciding != (Strength.WEAK,):
        helpers = [r.codes for r in matched if r.strength not in deciding]
        codes = _narrowed(codes, helpers)
    return Heard(
        codes=frozenset(c for c in codes if groups[c] == group),
        group=group,
        mentioned=frozenset().union(*(_groups(v, groups) for v in voices)),
        certain=deciding != (Strength.WEAK,),
    )


def _groups(codes: Iterable[str], groups: dict[str, str]) -> frozenset[str]:
    return frozenset(groups[code] for code in codes)


def _narrowed(codes: frozenset[str], helpers: list[frozenset[str]]) -> frozenset[str]:
    """Codes narrowed by each helper that leaves any, ignoring those that leave none."""
    for helper in helpers:
        codes = (codes & helper) or codes
    return codes
