"""Lists 4 and 6: declared, recognised wherever they stand, checked, and never in the way."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from demand_model.annex_a import CellError, CheckResult, Severity, check, decode, recognise
from demand_model.annex_a.lists import LISTS, Kind, Need, normalise_heading
from demand_model.annex_a.lists_of_need import ALL_LISTS, OPTIONAL_LISTS
from list_builders import CENSUS, Rows, clean_lists, raw_sheet, raw_sheets

pytestmark = pytest.mark.unit

OFFICIAL_HEADINGS = Path(__file__).resolve().parents[2] / "../shared/annex-a/headings.json"
EARLY_HELP = ["Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age of Child (Years)",
              "Assessment start date", "Assessment completion date",
              "Organisation completing assessment"]  # fmt: skip
SECTION_47 = ["Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age of Child (Years)",
              "Does the Child have a Disability",
              "Strategy discussion initiating Section 47 Enquiry Start Date",
              "Date of Initial Child Protection Conference", "Allocated Team"]  # fmt: skip


def day(back: int) -> datetime:
    return datetime.combine(CENSUS - timedelta(days=back), datetime.min.time())


def row(number: int, child: object, start: object, end: object, **more: object) -> list[object]:
    values = {"child_id": child, "date_of_birth": day(3000), "age": 8, "start": start, "end": end,
              **more}  # fmt: skip
    return [values.get(f.name) for f in OPTIONAL_LISTS[number].fields]


def optional_lists(n: int = 60) -> dict[int, Rows]:
    """Lists 4 and 6 with nothing wrong in them; half of their rows have ended."""
    four: Rows = [list(OPTIONAL_LISTS[4].headings)]
    six: Rows = [list(OPTIONAL_LISTS[6].headings)]
    for i in range(n):
        end = day(3 * i) if i % 2 else None
        four.append(row(4, 50_000 + i, day(3 * i + 40), end, support="a) Yes"))
        closed = end is not None
        six.append(
            row(6, 60_000 + i, day(3 * i + 200), end,
                case_status="e) Closed episode" if closed else "c) Child in need plan",
                reason_closed="RC7 - Services ceased for any other reason" if closed else None)
        )  # fmt: skip
    return {4: four, 6: six}


def checked(lists: dict[int, Rows]) -> CheckResult:
    return check(raw_sheets(lists))


# --- declaration -------------------------------------------------------------------------------


@pytest.mark.skipif(not OFFICIAL_HEADINGS.exists(), reason="../shared/annex-a is not there")
@pytest.mark.parametrize("number", OPTIONAL_LISTS)
def test_headings_are_verbatim_and_in_official_order(number: int) -> None:
    official = json.loads(OFFICIAL_HEADINGS.read_text(encoding="utf-8"))
    assert list(OPTIONAL_LISTS[number].headings) == official[f"List_{number}"]


@pytest.mark.parametrize("number", OPTIONAL_LISTS)
def test_every_heading_finds_its_field_and_only_it(number: int) -> None:
    declared = OPTIONAL_LISTS[number]
    plain = [normalise_heading(h) for f in declared.fields for h in f.headings]
    assert sorted({h for h in plain if plain.count(h) > 1}) == []
    for field in declared.fields:
        assert (field.code_set is not None) == (field.kind in (Kind.CODE, Kind.YES_NO))
        for heading in field.headings:
            pascal = "".join(word[:1].upper() + word[1:] for word in heading.split())
            for spelling in (heading, pascal, heading.upper().replace(" ", "\u00a0") + " *"):
                assert declared.find(spelling) is field
    assert {f.name for f in declared.fields if f.need is Need.NEEDED} == {
        "child_id", "start", "end",
    }  # fmt: skip


def test_no_heading_of_theirs_is_one_by_which_another_list_is_known() -> None:
    for number, declared in OPTIONAL_LISTS.items():
        own = {
            normalise_heading(h)
            for f in declared.fields
            if f.need is Need.NEEDED and f.name != "child_id"
            for h in f.headings
        }
        for other, others in ALL_LISTS.items():
            if other != number:
                assert not own & {normalise_heading(h) for f in others.fields for h in f.headings}
    assert list(LISTS) == [3, 7, 8]


@pytest.mark.parametrize(
    ("heading", "typed", "code"),
    [
        ("Case status", "c) Child in need plan", "Child in need plan"),
        ("CaseStatus", "CIN", "Child in need plan"),
        ("Case status", "d) Open Assessment", "Open assessment"),
        ("Case status", "Assessment", "Open assessment"),
        ("Case status", "LAC", "Looked after child"),
        ("Case status", "CP Plan", "Child protection plan"),
        ("Case status", "Closed", "Closed episode"),
        ("Case status", "CIN and CP", None),
        ("Case status", "TBC", None),
        ("Reason for Closure", "rc8", "RC8"),
        ("Reason for Closure", "RC7 - Services ceased", "RC7"),
        ("Reason for Closure", "Case closed after assessment - NFA", "RC8"),
        ("Reason for Closure", "Transferred to adult social care services", "RC6"),
        ("Reason for Closure", "RC1 - Died", None),
    ],
)
def test_statuses_and_reasons_are_decoded(heading: str, typed: str, code: str | None) -> None:
    assert decode(6, heading, typed) == code


def test_official_codes_decode_to_themselves() -> None:
    for number, declared in OPTIONAL_LISTS.items():
        for field in declared.fields:
            for code in field.code_set.codes if field.code_set else ():
                for text in (code.code, code.label, *code.descriptions):
                    assert decode(number, field.heading, text) == code.code, text


# --- recognition -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", OPTIONAL_LISTS)
def test_a_list_is_found_under_titles_on_a_sheet_of_any_name(number: int) -> None:
    rows: Rows = [["Children in our area", None], [None], *optional_lists(5)[number]]
    found = recognise([raw_sheet(rows, "Extract")])
    assert set(found.lists) == {number}
    assert found.lists[number].heading_row == 2


@pytest.mark.parametrize("number", OPTIONAL_LISTS)
def test_pascal_case_headings_are_known(number: int) -> None:
    rows = optional_lists(5)[number]
    rows[0] = ["".join(w[:1].upper() + w[1:] for w in str(h).split()) for h in rows[0]]
    assert set(recognise([raw_sheet(rows, "Sheet1")]).lists) == {number}


@pytest.mark.parametrize(("name", "headings"), [("List 2", EARLY_HELP), ("EH", EARLY_HELP),
                                                ("List 5", SECTION_47)])  # fmt: skip
def test_early_help_and_section_47_are_not_taken_for_them(name: str, headings: list[str]) -> None:
    rows: Rows = [list(headings), [1, None, None, day(3000), 8, day(50), day(20), "School"]]
    found = recognise([raw_sheet(rows, name), *raw_sheets(clean_lists())])
    assert set(found.lists) == {3, 7, 8}
    assert found.findings.items == recognise(raw_sheets(clean_lists())).findings.items


@pytest.mark.parametrize("number", LISTS)
def test_a_list_with_further_columns_about_need_stays_what_it_is(number: int) -> None:
    lists = clean_lists()
    more = ["CIN Start Date", "CIN Closure Date", "Primary Need Code", "Case status",
            "Reason for Closure", "Continuous Assessment Start Date",
            "Continuous Assessment Date of Authorisation"]  # fmt: skip
    lists[number][0] += more
    for record in lists[number][1:]:
        record += [day(100), None, "N1", "c) Child in need plan", None, day(100), day(60)]
    found = recognise(raw_sheets(lists))
    assert set(found.lists) == {3, 7, 8}
    assert not found.findings.stops


@pytest.mark.parametrize("lists", [{}, {n: [list(a.headings)] for n, a in OPTIONAL_LISTS.items()}])
def test_absent_or_empty_lists_change_nothing_and_say_nothing(lists: dict[int, Rows]) -> None:
    plain, found = checked(clean_lists()), checked({**clean_lists(), **lists})
    assert found.findings.items == plain.findings.items
    assert found.tallies == plain.tallies
    assert found.lists is not None
    assert found.lists.assessments is None
    assert found.lists.children_in_need is None


def test_two_sheets_of_one_list_warn_and_neither_is_used() -> None:
    six = optional_lists()[6]
    sheets = [*raw_sheets(clean_lists()), raw_sheet(six, "CIN a"), raw_sheet(six, "CIN b")]
    result = check(sheets)
    assert result.lists is not None
    assert result.lists.children_in_need is None
    (said,) = result.findings.with_rule("list-twice")
    assert said.severity is Severity.WARN
    assert "List 6 is optional" in said.message


def test_a_list_pasted_on_the_sheet_of_the_other_is_named_and_not_used() -> None:
    result = check([*raw_sheets(clean_lists()), raw_sheet(optional_lists()[6], "List 4")])
    assert result.lists is not None
    assert result.lists.children_in_need is None
    (said,) = result.findings.with_rule("wrong-list")
    assert (said.sheet, said.severity) == ("List 4", Severity.WARN)


def test_a_list_without_its_closure_date_is_named_and_not_used() -> None:
    six = optional_lists()[6]
    at = six[0].index("CIN Closure Date")
    result = checked({**clean_lists(), 6: [[*r[:at], *r[at + 1 :]] for r in six]})
    assert result.lists is not None
    assert result.lists.children_in_need is None
    assert [f.severity for f in result.findings.with_rule("column-missing")] == [Severity.WARN]
    tally = next(t for t in result.tallies if t.list_number == 6)
    assert (tally.found, tally.used, tally.set_aside) == (60, 0, {"list-not-used": 60})


# --- checking ----------------------------------------------------------------------------------


def test_they_change_nothing_of_the_other_lists() -> None:
    plain, found = checked(clean_lists()), checked({**clean_lists(), **optional_lists()})
    assert plain.lists is not None
    assert found.lists is not None
    assert found.lists.census_date == plain.lists.census_date
    assert found.lists.windows == plain.lists.windows
    for name in ("referrals", "plans", "care"):
        pd.testing.assert_frame_equal(getattr(found.lists, name), getattr(plain.lists, name))
    assert found.tallies[:3] == plain.tallies
    core = [f for f in found.findings.items if f.list_number not in OPTIONAL_LISTS]
    assert core == list(plain.findings.items)


def test_clean_lists_are_used_whole() -> None:
    result = checked({**clean_lists(), **optional_lists()})
    assert result.lists is not None
    assert {t.list_number: (t.found, t.used) for t in result.tallies[3:]} == {
        4: (60, 60), 6: (60, 60),
    }  # fmt: skip
    assert result.lists.assessments is not None
    assert list(result.lists.assessments.columns) == ["child_id", "date_of_birth", "start", "end"]
    assert result.lists.children_in_need is not None
    assert result.lists.children_in_need["end"].isna().sum() == 30
    assert set(result.lists.children_in_need["case_status"]) == {
        "Child in need plan", "Closed episode",
    }  # fmt: skip
    assert {n: w.months for n, w in result.lists.optional_windows.items()} == {4: 6, 6: 6}


SPOILT = {
    "id-missing": {"child": None},
    "date-missing": {"start": None},
    "date-unreadable": {"start": "yesterday week"},
    "date-placeholder": {"end": datetime(1900, 1, 1)},  # noqa: DTZ001
    "error-value": {"start": CellError("#N/A")},
    "date-in-future": {"start": day(-30)},
    "end-before-start": {"start": day(20), "end": day(90)},
    "adult-at-start": {"date_of_birth": day(8000)},
    "outside-window": {"start": day(900), "end": day(600)},
}


@pytest.mark.parametrize("number", OPTIONAL_LISTS)
@pytest.mark.parametrize("rule", SPOILT)
def test_a_spoilt_row_is_set_aside_with_its_cell(number: int, rule: str) -> None:
    lists = optional_lists()
    values = {"child": "P99887766", "start": day(90), "end": day(20), **SPOILT[rule]}
    child, start, end = (values.pop(k) for k in ("child", "start", "end"))
    lists[number].append(row(number, child, start, end, **values))
    result = checked({**clean_lists(), **lists})
    assert result.lists is not None
    tally = next(t for t in result.tallies if t.list_number == number)
    assert (tally.found, tally.used, tally.set_aside) == (61, 60, {rule: 1})
    (said,) = [f for f in result.findings.with_rule(rule) if f.list_number == number]
    assert (said.sheet, said.cell[1:]) == (f"List {number}", "62")
    assert not any("99887766" in f.message for f in result.findings.items)


@pytest.mark.parametrize("number", OPTIONAL_LISTS)
def test_a_row_twice_is_counted_once(number: int) -> None:
    lists = optional_lists()
    lists[number].append(list(lists[number][1]))
    result = checked({**clean_lists(), **lists})
    tally = next(t for t in result.tallies if t.list_number == number)
    assert (tally.found, tally.used, tally.set_aside) == (61, 60, {"duplicate-row": 1})


def test_too_much_that_is_wrong_drops_the_list_and_stops_nothing() -> None:
    lists = optional_lists()
    for record in lists[4][1:20]:
        record[OPTIONAL_LISTS[4].headings.index("Continuous Assessment Start Date")] = None
    result = checked({**clean_lists(), **lists})
    assert not result.findings.stops
    assert result.lists is not None
    assert result.lists.assessments is None
    assert result.lists.children_in_need is not None
    tally = next(t for t in result.tallies if t.list_number == 4)
    assert (tally.found, tally.used) == (60, 0)
    assert tally.set_aside == {"date-missing": 19, "list-not-used": 41}
    (said,) = result.findings.with_rule("too-many-set-aside")
    assert said.severity is Severity.WARN
    assert "the forecast goes on without it" in said.message


def test_an_older_extract_is_named() -> None:
    old = {4: [list(OPTIONAL_LISTS[4].headings)]}
    for i in range(120):
        old[4].append(row(4, 50_000 + i, day(95 + i), day(60 + i) if i % 2 else None))
    result = checked({**clean_lists(), **old})
    (said,) = result.findings.with_rule("list-behind")
    assert f"{CENSUS - timedelta(days=61):%d/%m/%Y}" in said.message


def test_a_status_that_means_nothing_known_goes_to_the_mapping_sheet() -> None:
    lists = optional_lists()
    lists[6][1][OPTIONAL_LISTS[6].headings.index("Case status")] = "Gate 3"
    result = checked({**clean_lists(), **lists})
    assert result.unmapped.to_dict("records") == [
        {"list": "List 6", "heading": "Case status", "raw_value": "Gate 3", "count": 1}
    ]


def test_a_census_date_of_the_core_lists_decides() -> None:
    lists = optional_lists()
    lists[4].append(row(4, 1, day(-4), None))
    result = checked({**clean_lists(), **lists})
    assert result.lists is not None
    assert result.lists.census_date == CENSUS == date(2024, 3, 31)
