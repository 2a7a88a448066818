"""From what an authority typed to an official code: by code, then by words, or not at all.

Where code and words contradict each other the answer is ``None``: the analyst
is asked once, on the Mapping sheet, since asking is right and guessing is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from demand_model.annex_a.code_sets import CODE_SETS, CodeSet
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.annex_a.notation import Written, find_code, strip_ordinal
from demand_model.annex_a.text import CACHED_SPELLINGS, clean_text, plain_words
from demand_model.annex_a.vocabulary import Heard, Vocabulary, listen
from demand_model.annex_a.words_care import LEGAL_STATUS_WORDS, REASON_CEASED_WORDS
from demand_model.annex_a.words_child import (
    CATEGORY_OF_ABUSE_WORDS,
    CATEGORY_OF_NEED_WORDS,
)
from demand_model.annex_a.words_need import CASE_STATUS_WORDS, REASON_CLOSED_WORDS
from demand_model.annex_a.words_placement import (
    PLACEMENT_PROVIDER_WORDS,
    PLACEMENT_TYPE_WORDS,
)
from demand_model.annex_a.words_referral import REFERRAL_SOURCE_WORDS
from demand_model.annex_a.words_yes_no import (
    REFERRAL_NFA_WORDS,
    UASC_WORDS,
    YES_NO_UNKNOWN_WORDS,
    YES_NO_WORDS,
)

_CODE_SETS: Mapping[str, CodeSet] = {code_set.name: code_set for code_set in CODE_SETS}
_VOCABULARIES: Mapping[str, Vocabulary] = {
    vocabulary.code_set.name: vocabulary
    for vocabulary in (
        REFERRAL_SOURCE_WORDS,
        REFERRAL_NFA_WORDS,
        CATEGORY_OF_ABUSE_WORDS,
        CATEGORY_OF_NEED_WORDS,
        UASC_WORDS,
        LEGAL_STATUS_WORDS,
        PLACEMENT_TYPE_WORDS,
        PLACEMENT_PROVIDER_WORDS,
        REASON_CEASED_WORDS,
        YES_NO_WORDS,
        YES_NO_UNKNOWN_WORDS,
        REASON_CLOSED_WORDS,
        CASE_STATUS_WORDS,
    )
}

_SHORTEST_CUT_TEXT = 24
"""Letters that a cut-off official text must keep to be known by its beginning."""
_NOTHING = frozenset(
    ("", "null", "na", "n a", "none", "nan", "nil", "tbc", "blank", "multivalue",
     "to be confirmed")
)  # fmt: skip
_ERROR_TEXT = re.compile(r"^#|\bis not mapped\b", re.IGNORECASE)


def decode(list_number: int, heading: str, raw_value: object) -> str | None:
    """Decode one cell of a category or yes/no column.

    Parameters
    ----------
    list_number
        3, 4, 6, 7 or 8.
    heading
        The column's heading, official or a synonym.
    raw_value
        The cell's value, of any type.

    Returns
    -------
    str or None
        The official code: ``"1A"``, ``"U4"``, ``"E45"``, ``"PR1"``, ``"N1"``,
        ``"C2"``; ``"Yes"`` or ``"No"`` for yes/no columns; the official words
        for a category of abuse. Where only the group is certain, the group's
        label. ``None`` for a blank, an unknown heading, a column without codes,
        or a value that is not understood or contradicts itself.

    Examples
    --------
    >>> decode(3, "Referral Source", "q) 6: Police"), decode(3, "ReferralSource", 6.0)
    ('6', '6')
    >>> decode(8, "Placement Type", "Foster to adopt"), decode(8, "Placement Type", "Q2")
    ('Foster placement', 'Foster placement')
    >>> decode(8, "Placement Type", "H5 - Placed with own parents") is None
    True
    """
    code_set = _code_set(list_number, heading)
    if code_set is None:
        return None
    text = clean_text(raw_value)
    return None if text is None else _decode_text(code_set.name, text)


def is_historical(list_number: int, heading: str, raw_value: object) -> bool:
    """Whether a cell names its category by a code of older guides.

    Examples
    --------
    >>> is_historical(8, "Placement Type", "Q2"), is_historical(8, "Placement Type", "U6")
    (True, False)
    """
    code_set, text = _code_set(list_number, heading), clean_text(raw_value)
    if code_set is None or text is None:
        return False
    written = find_code(code_set, text)
    return written is not None and written.code in code_set.historical


def group(list_number: int, heading: str, code_or_label: str | None) -> str | None:
    """Group of a decoded value, worded as in regional tools' code lists.

    Parameters
    ----------
    list_number, heading
        As for `decode`.
    code_or_label
        What `decode` returned, or an official label.

    Returns
    -------
    str or None
        For example ``"Foster placement"`` for ``"U4"``; ``"True"`` or ``"False"``
        for yes/no columns; ``None`` where there is none.

    Examples
    --------
    >>> group(8, "Placement Provider", "PR1"), group(3, "Referral NFA?", "Yes")
    ('Own LA', 'True')
    """
    code_set = _code_set(list_number, heading)
    if code_set is None or not isinstance(code_or_label, str):
        return None
    return code_set.group_of(code_or_label)


@lru_cache(maxsize=1024)
def _code_set(list_number: int, heading: str) -> CodeSet | None:
    annex_a_list = ALL_LISTS.get(list_number)
    if annex_a_list is None or not isinstance(heading, str):
        return None
    field = annex_a_list.find(heading)
    return None if field is None else field.code_set


@lru_cache(maxsize=CACHED_SPELLINGS)
def _decode_text(set_name: str, text: str) -> str | None:
    code_set = _CODE_SETS[set_name]
    if _ERROR_TEXT.search(text):
        return None
    if (label := code_set.group_label(text)) is not None:
        return code_set.narrowest(label)
    if (official := _official_texts(set_name).get(_letters(text))) is not None:
        return official
    if plain_words(text) in _NOTHING:
        return None
    vocabulary = _VOCABULARIES[set_name]
    written = find_code(code_set, text)
    if written is None:
        heard = listen(vocabulary, strip_ordinal(text))
        return _beginning(set_name, text) or _from_words(code_set, heard)
    return _confirmed(code_set, written, listen(vocabulary, written.rest))


def _confirmed(code_set: CodeSet, written: Written, heard: Heard | None) -> str | None:
    """Accept the written code, unless the words beside it speak against it."""
    code = code_set.find(written.code)
    its_group = code_set.group_of(written.code)
    if its_group is None:
        return None
    if written.beside is not None:
        return _one_meaning(code_set, {written.code, written.beside})
    meaning = code.code if code else code_set.narrowest(its_group)
    if heard is None:
        # A digit beside words that are not understood may be a team's or a form's.
        return None if written.bare and written.rest else meaning
    if not (heard.certain or written.bare):
        return meaning
    if its_group not in heard.mentioned or heard.group not in (None, its_group):
        return None
    if code is None:
        return next(iter(heard.codes)) if len(heard.codes) == 1 else meaning
    return code.code if code.code in heard.codes or not heard.codes else its_group


def _from_words(code_set: CodeSet, heard: Heard | None) -> str | None:
    if heard is None or heard.group is None:
        return None
    return next(iter(heard.codes)) if len(heard.codes) == 1 else code_set.narrowest(heard.group)


def _letters(text: str) -> str:
    return plain_words(strip_ordinal(text)).replace(" ", "")


@lru_cache
def _official_texts(set_name: str) -> Mapping[str, str]:
    """Letters of every official text to the code, or to the group that it is shared in."""
    meanings: dict[str, set[str]] = {}
    code_set = _CODE_SETS[set_name]
    for code in code_set.codes:
        name = re.escape(code.code)
        texts = [code.code, code.label, *code.descriptions]
        bare_label = re.sub(rf"^{name}\s*[:-]\s*", "", strip_ordinal(code.label))
        if code_set.group_label(bare_label) is None:
            texts.append(bare_label)
        texts += [f"{code.code} {text}" for text in code.descriptions]
        for text in texts:
            clean = clean_text(text)
            if clean is not None:
                meanings.setdefault(_letters(clean), set()).add(code.code)
    decided = {letters: _one_meaning(code_set, codes) for letters, codes in meanings.items()}
    exact = {letters: meaning for letters, meaning in decided.items() if meaning is not None}
    groups = {_letters(label): code_set.narrowest(label) for label in code_set.groups}
    return {**groups, **exact}


def _one_meaning(code_set: CodeSet, meanings: set[str]) -> str | None:
    """Return the code, or the one group, that several codes or labels share."""
    if len(meanings) == 1:
        return next(iter(meanings))
    groups = {code_set.group_of(meaning) for meaning in meanings}
    shared = next(iter(groups)) if len(groups) == 1 else None
    return None if shared is None else code_set.narrowest(shared)


def _beginning(set_name: str, text: str) -> str | None:
    """Decode a text that was cut off after the beginning of official texts."""
    letters = _letters(text)
    if len(letters) < _SHORTEST_CUT_TEXT:
        return None
    meanings = {
        meaning
        for official, meaning in _official_texts(set_name).items()
        if official.startswith(letters)
    }
    codes = {m for m in meanings if m}
    return _one_meaning(_CODE_SETS[set_name], codes) if codes else None
