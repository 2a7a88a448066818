"""The real sample workbooks import and check without a traceback, and say what they lack."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from demand_addin.read import read_sheets
from demand_model.annex_a import CheckResult, CheckSettings, check, recognise

pytestmark = pytest.mark.unit

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/annex-a/samples"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the real sample workbooks are not beside this project"
)


def checked(name: str, settings: CheckSettings | None = None) -> CheckResult:
    return check(read_sheets(SAMPLES / name), settings)


@needs_samples
@pytest.mark.parametrize(
    "name", ["journeys-example.xlsx", "liia-sample.xlsx", "official-template-2019.xlsx"]
)
def test_every_list_is_recognised_on_its_own_sheet(name: str) -> None:
    found = recognise(read_sheets(SAMPLES / name)).lists
    assert {n: f.sheet.sheet.replace("_", " ") for n, f in found.items()} == {
        3: "List 3",
        4: "List 4",
        6: "List 6",
        7: "List 7",
        8: "List 8",
    }


@needs_samples
def test_a_real_extract_is_usable() -> None:
    result = checked("liia-sample.xlsx")
    assert result.lists is not None
    assert {t.list_number: (t.found, t.used) for t in result.tallies} == {
        3: (6, 6),
        4: (5, 4),
        6: (5, 1),
        7: (7, 6),
        8: (5, 3),
    }
    assert len(result.unmapped) == 0


@needs_samples
def test_a_workbook_without_dates_of_birth_says_so() -> None:
    result = checked("journeys-example.xlsx")
    assert {f.list_number for f in result.findings.with_rule("ages-unknown")} == {3, 4, 6, 7, 8}
    # Its lists stop a year apart: nobody can tell on which day they were extracted.
    assert {f.rule for f in result.findings.stops} == {"census-date-inconsistent"}
    asked = CheckSettings(census_date=date(2020, 5, 31))
    again = checked("journeys-example.xlsx", asked)
    assert again.lists is not None
    assert again.lists.care["date_of_birth"].isna().all()


@needs_samples
def test_the_empty_template_says_that_it_is_empty() -> None:
    result = checked("official-template-2019.xlsx")
    assert {f.list_number for f in result.findings.with_rule("list-empty")} == {3, 7, 8}
    assert all("paste its rows below" in f.message for f in result.findings.with_rule("list-empty"))
    assert result.lists is None
