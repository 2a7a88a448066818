"""The one declaration of the lists: verbatim headings, unique names, clear needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demand_model.annex_a.lists import LISTS, AnnexAList, Kind, Need, normalise_heading

pytestmark = pytest.mark.unit

OFFICIAL_HEADINGS = Path(__file__).resolve().parents[2] / "../shared/annex-a/headings.json"
EVERY_LIST = pytest.mark.parametrize(
    "annex_a_list", LISTS.values(), ids=lambda a: f"list-{a.number}"
)


@pytest.mark.skipif(not OFFICIAL_HEADINGS.exists(), reason="../shared/annex-a is not there")
@EVERY_LIST
def test_headings_are_verbatim_and_in_official_order(annex_a_list: AnnexAList) -> None:
    official = json.loads(OFFICIAL_HEADINGS.read_text(encoding="utf-8"))
    assert list(annex_a_list.headings) == official[f"List_{annex_a_list.number}"]


@EVERY_LIST
def test_names_and_headings_are_unambiguous(annex_a_list: AnnexAList) -> None:
    names = [field.name for field in annex_a_list.fields]
    headings = [normalise_heading(h) for field in annex_a_list.fields for h in field.headings]
    assert len(set(names)) == len(names)
    assert sorted(h for h in set(headings) if headings.count(h) > 1) == []
    assert all(name.isidentifier() and name.islower() for name in names)


@EVERY_LIST
def test_every_heading_finds_its_field(annex_a_list: AnnexAList) -> None:
    for field in annex_a_list.fields:
        for heading in field.headings:
            pascal = "".join(word[:1].upper() + word[1:] for word in heading.split())
            spoilt = heading.upper().replace(" ", "\u00a0").replace("'", "’") + " *"
            for spelling in (heading, pascal, spoilt, f"  {heading}\n"):
                found = annex_a_list.find(spelling)
                assert found is field, spelling


@EVERY_LIST
def test_coded_fields_have_codes_and_only_they(annex_a_list: AnnexAList) -> None:
    for field in annex_a_list.fields:
        coded = field.kind in (Kind.CODE, Kind.YES_NO)
        assert (field.code_set is not None) == coded, field.name


@pytest.mark.parametrize(
    ("number", "needed"),
    [
        (3, {"child_id", "date"}),
        (7, {"child_id", "start", "end"}),
        (8, {"child_id", "start", "end"}),
    ],
)
def test_what_each_list_needs(number: int, needed: set[str]) -> None:
    assert {f.name for f in LISTS[number].fields if f.need is Need.NEEDED} == needed


def test_the_trailing_space_of_the_template_is_kept() -> None:
    assert LISTS[8].field("end").heading == "Date Ceased to be Looked After "
    with pytest.raises(KeyError):
        LISTS[8].field("no such field")


def test_unknown_headings_find_nothing() -> None:
    for heading in ("", " ", "***", "Agency", "Date"):
        assert LISTS[8].find(heading) is None


@pytest.mark.parametrize(
    ("number", "heading", "name"),
    [
        (3, "ReferralDate", "date"),
        (3, "Date of Referral", "date"),
        (3, "REFERRAL_DATE", "date"),
        (3, "NUMBER_REFERRALS_LAST12MTHS", "previous_referrals"),
        (7, "CPP start date", "start"),
        (7, "CP_End_Date", "end"),
        (8, "Date Ceased to be Looked After", "end"),
        (8, "LAC start date", "start"),
        (8, "UASC within the Last 12 Months (Y/N))", "uasc"),
        (8, "DOB", "date_of_birth"),
        (8, "PersonID", "child_id"),
    ],
)
def test_headings_of_real_extracts(number: int, heading: str, name: str) -> None:
    found = LISTS[number].find(heading)
    assert found is not None
    assert found.name == name
