"""The live checks of thin evidence, recalculated by LibreOffice, say what plans say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from synthetic_forecast import check_case

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout.sheets import CHECKS, FEW_MONTHS, FEW_REFERRALS, area
from demand_addin.layout.template import build_template
from demand_addin.plan import plan_check
from demand_addin.plan.check import check_results
from demand_model.annex_a.checked import CheckResult
from what_if_books import office, recalculated

pytestmark = pytest.mark.unit


def thin(*, referrals: int, months: int) -> CheckResult:
    """Lists of so many referrals, List 8 of so many months."""
    check = check_case()
    assert check.lists is not None
    eight = replace(check.lists.windows[8], months=months)
    windows = {**check.lists.windows, 8: eight}
    tallies = tuple(
        replace(t, found=referrals, used=referrals, set_aside={}) if t.list_number == 3 else t
        for t in check.tallies
    )
    return replace(check, lists=replace(check.lists, windows=windows), tallies=tallies)


CASES = {
    "enough": (FEW_REFERRALS, FEW_MONTHS, "OK"),
    "few_rows": (FEW_REFERRALS - 1, FEW_MONTHS, "Look"),
    "few_months": (FEW_REFERRALS, FEW_MONTHS - 1, "Look"),
}


@pytest.mark.skipif(office() is None, reason="LibreOffice is not installed here")
def test_thin_lists_need_a_look_in_excel_as_in_the_plan(tmp_path: Path) -> None:
    build_template(tmp_path / "template.xlsx")
    template = (tmp_path / "template.xlsx").read_bytes()
    paths = []
    for name, (referrals, months, says) in CASES.items():
        check = thin(referrals=referrals, months=months)
        assert check_results(check)["check_months"] == says
        book = ClosedWorkbook(template, "book.xlsx")
        book.write(plan_check(check))
        paths.append(tmp_path / f"{name}.xlsx")
        paths[-1].write_bytes(book.to_bytes())
    found = recalculated(paths, tmp_path / "out", tmp_path / "profile")
    row, column = area("check_months").corner
    for path, (_, _, says) in zip(found, CASES.values(), strict=True):
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Checks").to_python()
        assert rows[row][column : column + 2] == [says, CHECKS["check_months"]]
