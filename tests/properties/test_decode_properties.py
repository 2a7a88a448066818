"""Properties of decoding, on generated spellings and on anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand_model.annex_a import decode, group
from demand_model.annex_a.code_sets import CodeSet
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.text import word_set

pytestmark = pytest.mark.properties

CODED = [
    (number, field.heading, field.code_set)
    for number, annex_a_list in LISTS.items()
    for field in annex_a_list.fields
    if field.code_set is not None
]
Column = tuple[int, str, CodeSet]
columns = st.sampled_from(CODED)
SPACES = st.text(alphabet=" \t\u00a0\u2009\u200b", max_size=3)
FILLERS = sorted(
    word_set(
        "Placement carer team with not other foster home order 6 and / - ( ) K2 E4 PR1 adult"
        " LA school health"
    )
)


@st.composite
def official_texts(draw: st.DrawFn) -> tuple[Column, str, str]:
    column = draw(columns)
    code = draw(st.sampled_from(column[2].codes))
    text = draw(st.sampled_from((code.code, code.label, *code.descriptions)))
    return column, code.code, text


@given(
    official_texts(),
    SPACES,
    SPACES,
    st.sampled_from((str.upper, str.lower, str.title, str.swapcase)),
)
def test_official_texts_decode_whatever_their_case_and_spaces(
    official: tuple[Column, str, str], before: str, after: str, case: object
) -> None:
    (number, heading, _), code, text = official
    spelled = case(text)  # type: ignore[operator]
    assert decode(number, heading, f"{before}{spelled.replace(' ', chr(0xA0))}{after}") == code
    curly = text.replace("'", "’").replace("–", "-")
    assert decode(number, heading, curly) == code


words = st.lists(st.sampled_from(FILLERS), min_size=1, max_size=6).map(" ".join)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), words, st.binary(),
    st.dates(), st.text(alphabet="0123456789abcdefghpru .:-)(/[]'", max_size=12),
)  # fmt: skip


@given(columns, anything)
def test_decoding_never_raises_and_names_only_what_is_declared(column: Column, raw: object) -> None:
    number, heading, code_set = column
    decoded = decode(number, heading, raw)
    allowed = {code.code for code in code_set.codes} | set(code_set.groups)
    assert decoded is None or decoded in allowed
    assert (group(number, heading, decoded) is None) == (decoded is None)


@given(columns, anything)
def test_decoding_its_own_output_changes_nothing(column: Column, raw: object) -> None:
    number, heading, _ = column
    decoded = decode(number, heading, raw)
    assert decode(number, heading, decoded) == decoded


@given(columns, words, SPACES, SPACES)
def test_case_and_surrounding_space_do_not_matter(
    column: Column, text: str, before: str, after: str
) -> None:
    number, heading, _ = column
    plain = decode(number, heading, text)
    assert decode(number, heading, f"{before}{text.upper()}{after}") == plain
    assert decode(number, heading, text.replace(" ", "\u00a0")) == plain


@given(
    st.sampled_from(("Team", "Panel", "Level", "Ward", "Area", "Zone", "Form", "Northgate")),
    st.integers(min_value=0, max_value=99),
)
def test_a_digit_among_words_is_never_a_source(word: str, digit: int) -> None:
    assert decode(3, "Referral Source", f"{word} {digit}") is None
    assert decode(3, "Referral Source", f"{digit} {word}") is None


@given(official_texts(), st.text(max_size=20))
def test_unknown_headings_give_none(official: tuple[Column, str, str], suffix: str) -> None:
    (number, heading, _), _, text = official
    assert decode(number, f"{heading} of the x{suffix}", text) is None
