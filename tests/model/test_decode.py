"""Decoding: official texts, code positions, contradictions, groups, real-looking spellings."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from demand_model.annex_a import decode, group
from demand_model.annex_a.code_sets import CODE_SETS, PLACEMENT_TYPE, REASON_CEASED, CodeSet
from demand_model.annex_a.codes import (
    PLACEMENT_GROUPS,
    REASON_GROUPS,
    SOURCE_GROUPS,
    placement_group,
    reason_group,
    source_group,
)
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.notation import find_code
from demand_model.annex_a.raw import CellError, UncalculatedFormula
from demand_model.annex_a.text import clean_text, mend_words, plain_words, slip_distance, word_set
from demand_model.annex_a.vocabulary import Vocabulary
from demand_model.annex_a.words_care import LEGAL_STATUS_WORDS, REASON_CEASED_WORDS
from demand_model.annex_a.words_child import CATEGORY_OF_ABUSE_WORDS, CATEGORY_OF_NEED_WORDS
from demand_model.annex_a.words_placement import PLACEMENT_PROVIDER_WORDS, PLACEMENT_TYPE_WORDS
from demand_model.annex_a.words_referral import REFERRAL_SOURCE_WORDS
from demand_model.annex_a.words_yes_no import REFERRAL_NFA_WORDS, UASC_WORDS

pytestmark = pytest.mark.unit

SOURCE, NFA = "Referral Source", "Referral NFA?"
ABUSE = "Latest Category of Abuse"
NEED, LEGAL = "Child's Category of Need", "Child's Legal Status"
UASC = "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)"
PLACEMENT, PROVIDER = "Placement Type", "Placement Provider"
REASON = "Reason Ceased to be Looked After"

CODED = [
    (number, field.heading, field.code_set)
    for number, annex_a_list in LISTS.items()
    for field in annex_a_list.fields
    if field.code_set is not None
]
SPELLINGS_FILE = Path(__file__).with_name("decode_spellings.csv")
VOCABULARIES = [
    REFERRAL_SOURCE_WORDS,
    REFERRAL_NFA_WORDS,
    CATEGORY_OF_ABUSE_WORDS,
    CATEGORY_OF_NEED_WORDS,
    UASC_WORDS,
    LEGAL_STATUS_WORDS,
    PLACEMENT_TYPE_WORDS,
    PLACEMENT_PROVIDER_WORDS,
    REASON_CEASED_WORDS,
]


@pytest.mark.parametrize(("number", "heading", "code_set"), CODED)
def test_official_codes_labels_and_descriptions_decode_to_the_code(
    number: int, heading: str, code_set: CodeSet
) -> None:
    for code in code_set.codes:
        texts = (
            code.code,
            code.label,
            *code.descriptions,
            *(f"{code.code} - {d}" for d in code.descriptions),
        )
        for text in texts:
            assert decode(number, heading, text) == code.code, text


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("q) 6: Police", "6"),
        ("6 - POLICE", "6"),
        ("6", "6"),
        (6, "6"),
        (6.0, "6"),
        ("6.0", "6"),
        ("‘6", "6"),
        (np.int64(10), "10"),
        ("Police DV", "6"),
        ("POL", "6"),
        ("2a - School", "2A"),
        ("3B – Health Visitor", "3B"),
        ("GP [3A]", "3A"),
    ],
)
def test_referral_sources_at_a_code_position(raw: object, code: str) -> None:
    assert decode(3, SOURCE, raw) == code


@pytest.mark.parametrize("raw", ["u1", " U 1", "Ｕ１", "\u00a0u1\u200b", "U1.", "[U1]", "a) U1"])
def test_placement_codes_however_typed(raw: str) -> None:
    assert decode(8, PLACEMENT, raw) == "U1"


@pytest.mark.parametrize(
    "raw",
    ["Team 6", "Level 4 referral", "Ward 4 team", "6 Northgate", "Contact 10", "111", "4th contact",
     "3 - referral", "1", "23", "NHS Tier 8 panel 6"],
)  # fmt: skip
def test_a_stray_digit_is_never_a_code(raw: str) -> None:
    decoded = decode(3, SOURCE, raw)
    assert decoded is None or group(3, SOURCE, decoded) == "Health services"
    assert decoded not in {"4", "6", "7", "8", "9", "10"}


@pytest.mark.parametrize(
    ("heading", "raw"),
    [
        (PLACEMENT, "H5 - Placed with own parents"),
        (PLACEMENT, "K2 - Foster placement"),
        (PLACEMENT, "R1/K2"),
        (PLACEMENT, "Kinship / children's home"),
        (PROVIDER, "PR1 - Private provision"),
        (PROVIDER, "Private / voluntary"),
        (REASON, "E2 - Adopted"),
        (REASON, "E41 - Special Guardianship Order"),
        (LEGAL, "C1 - Full Care Order"),
        (NEED, "N1 - Family dysfunction"),
        (NEED, "N1/N5"),
    ],
)
def test_contradictions_are_asked_not_guessed(heading: str, raw: str) -> None:
    assert decode(8, heading, raw) is None


@pytest.mark.parametrize(
    ("number", "heading", "raw", "label"),
    [
        (3, SOURCE, "Individual", "Individual"),
        (3, SOURCE, "Health services", "Health services"),
        (8, PLACEMENT, "Q2", "Foster placement"),
        (8, PLACEMENT, "F4 - Relative or friend", "Foster placement"),
        (8, PLACEMENT, "U1/U4", "Foster placement"),
        (8, PLACEMENT, "Foster carer", "Foster placement"),
        (8, REASON, "E4", "Returned home to live with parents or relatives"),
        (8, REASON, "E43", "Special Guardianship Orders"),
        (8, REASON, "SGO", "Special Guardianship Orders"),
    ],
)
def test_the_label_where_only_the_group_is_certain(
    number: int, heading: str, raw: str, label: str
) -> None:
    assert decode(number, heading, raw) == label
    assert group(number, heading, label) == label


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("Foster placement with relative or friend - long term", "U1"),
        ("Relative/friend who is approved adopter - FFA", "U2"),
        ("Rel/friend, not long term or FFA", "U3"),
        ("Placement with other foster carer - long term", "U4"),
        ("Other foster carer, approved adopter FFA", "U5"),
        ("Other foster carer - not LT/FFA", "U6"),
        ("Placed for adoption with consent, not with current foster carer", "A4"),
        ("PFA placement order current FC", "A5"),
        ("Hospital temp", "T1"),
    ],
)
def test_words_together_leave_one_placement_code(raw: str, code: str) -> None:
    assert decode(8, PLACEMENT, raw) == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("SGO to former foster carer who was a relative", "E45"),
        (
            "Special guardianship, carers other than former foster carers, other than relatives",
            "E48",
        ),
        ("Returned home - unplanned", "E4B"),
        ("Return home as part of care planning (not under SGO or residence order)", "E4A"),
        ("Living with relative with no PR", "E13"),
        ("Staying put", "E17"),
    ],
)
def test_words_together_leave_one_reason(raw: str, code: str) -> None:
    assert decode(8, REASON, raw) == code


@pytest.mark.parametrize(
    ("raw", "category"),
    [
        ("NEG", "Neglect"),
        ("Physical, Emotional", "Multiple/not recommended"),
        ("NYNY", "Multiple/not recommended"),
        ("NNNY", "Emotional abuse"),
        ("Likelihood of Sexual", "Sexual abuse"),
    ],
)
def test_categories_of_abuse_are_the_official_words(raw: str, category: str) -> None:
    assert decode(7, ABUSE, raw) == category


@pytest.mark.parametrize(
    ("raw", "answer"),
    [(True, "Yes"), (False, "No"), ("y", "Yes"), (0, "No"), ("b) No", "No"), ("NFA", "Yes"),
     ("No Further Action", "Yes"), ("Not NFA", "No"), ("maybe", None)],
)  # fmt: skip
def test_nfa_is_yes_or_no(raw: object, answer: str | None) -> None:
    assert decode(3, NFA, raw) == answer
    assert group(3, NFA, answer) == {"Yes": "True", "No": "False", None: None}[answer]


@pytest.mark.parametrize(
    "raw",
    [None, "", "  ", "\u00a0", "NULL", "N/A", "#N/A", "-", "?", float("nan"), float("inf"),
     dt.date(2023, 1, 6), dt.datetime(2023, 1, 6, tzinfo=dt.UTC), b"6", [], object(),
     CellError("#REF!"), UncalculatedFormula(),
     "Code 'POLICE' is not mapped", "\ud800", "6" * 40_000],
)  # fmt: skip
def test_what_holds_no_category_is_none(raw: object) -> None:
    for number, heading, _ in CODED:
        assert decode(number, heading, raw) is None


def test_headings_are_matched_by_the_declaration() -> None:
    assert decode(3, "ReferralSource", "6") == "6"
    assert decode(3, "  referral  SOURCE ", "6") == "6"
    assert decode(8, "Reason LAC Ceased", "E2") == "E2"


@pytest.mark.parametrize(
    ("number", "heading"), [(3, "Shoe size"), (99, SOURCE), (3, ""), (8, "Allocated Team")]
)
def test_an_unknown_heading_gives_none(number: int, heading: str) -> None:
    assert decode(number, heading, "6") is None
    assert group(number, heading, "6") is None


def test_group_knows_codes_labels_and_nothing_else() -> None:
    assert group(8, PROVIDER, "PR1") == "Own LA"
    assert group(8, PROVIDER, "b) PR1: Own provision") == "Own LA"
    assert group(8, NEED, "N3") == "c) Parents illness or disability"
    assert group(8, REASON, "E17") == group(8, REASON, "E13")
    assert group(8, PLACEMENT, "K3") == group(8, PLACEMENT, "H5") == "Residential accommodation"
    assert group(8, PLACEMENT, None) is None
    assert group(8, PLACEMENT, "no such code") is None


def test_model_groups_are_closed() -> None:
    for code in PLACEMENT_TYPE.codes:
        assert placement_group(code.code) in PLACEMENT_GROUPS
        assert placement_group(code.group) in PLACEMENT_GROUPS
    for code in REASON_CEASED.codes:
        assert reason_group(code.code) in REASON_GROUPS
    assert placement_group(None) == "other"
    assert reason_group(None) == "other"
    assert source_group(None) == "Unknown"
    assert source_group("3B") == "Health services"
    assert SOURCE_GROUPS[-1] == "Unknown"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("E4A", "home"), ("E13", "home"), ("E12", "adoption"), ("E41", "sgo_cao"), ("E48", "sgo_cao"),
     ("E17", "other"), ("E8", "other"), ("Special Guardianship Orders", "sgo_cao")],
)  # fmt: skip
def test_reason_groups_of_the_model(code: str, expected: str) -> None:
    assert reason_group(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("U3", "kinship"), ("U6", "fostering"), ("Foster placement", "fostering"),
     ("K1", "residential"), ("K3", "supported accommodation"), ("A5", "adoption"),
     ("P1", "with parents"), ("T1", "other")],
)  # fmt: skip
def test_placement_groups_of_the_model(code: str, expected: str) -> None:
    assert placement_group(code) == expected


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda v: v.code_set.name)
def test_rules_speak_only_for_codes_of_their_set(vocabulary: Vocabulary) -> None:
    known = {code.code for code in vocabulary.code_set.codes}
    for rule in vocabulary.rules:
        assert rule.codes
        assert rule.codes <= known


@pytest.mark.parametrize("code_set", CODE_SETS, ids=lambda s: s.name)
def test_codes_are_unique_and_every_historical_group_is_a_group(code_set: CodeSet) -> None:
    assert max(Counter(code.code.casefold() for code in code_set.codes).values()) == 1
    assert set(code_set.historical.values()) <= set(code_set.groups)


def test_local_suffixes_are_dropped_and_unknown_codes_are_not_codes() -> None:
    for raw in ("K2a", "K2 - Children's Home", "K2OUT", "CLA K2"):
        found = find_code(PLACEMENT_TYPE, raw)
        assert found is not None
        assert found.code == "K2"
    for raw in ("U9", "K22", "Flat K2nd floor", "not covered by codes T1 to T3"):
        assert find_code(PLACEMENT_TYPE, raw) is None


def test_text_is_cleaned() -> None:
    assert clean_text("\u201cChild\u2019s\u00a0 \u200bhome\u201d") == "Child's home"
    assert clean_text("Childrenâ€™s") == "Children's"
    assert clean_text("Children??s centres") == "Children's centres"
    assert clean_text("10.0") == "10"
    assert plain_words("N.S.P.C.C. / A&E") == "nspcc a and e"


def test_slips_are_mended_only_where_one_word_is_near() -> None:
    known = word_set("independent residential carer")
    assert mend_words("independant residental", known) == "independent residential"
    assert mend_words("career cares", known) == "career cares"
    assert slip_distance("neglect", "negelct") == 1
    assert slip_distance("abc", "") == 3


@pytest.mark.parametrize("batch", ["1", "2"])
def test_spellings_of_our_own(batch: str) -> None:
    """Spellings written from knowledge of case systems: 1 before, 2 after the rules were made."""
    with SPELLINGS_FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["batch"] == batch]
    assert len(rows) > 400
    mistakes = []
    for row in rows:
        number, heading, raw = int(row["list"]), row["heading"], row["raw_value"]
        found = group(number, heading, decode(number, heading, raw)) or ""
        if found.casefold() != row["group"].casefold():
            mistakes.append((heading, raw, row["group"], found))
    assert mistakes == []
