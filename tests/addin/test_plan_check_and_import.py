"""What a check and an import write."""

from __future__ import annotations

from datetime import datetime, time

import numpy as np
import pytest
from synthetic_forecast import check_case

from demand_addin.layout import table
from demand_addin.plan import plan_check, plan_import
from demand_addin.ports import TableRead
from demand_model.annex_a.raw import CellError, RawSheet, UncalculatedFormula

pytestmark = pytest.mark.unit


def mapping(*rows: tuple[object, ...]) -> TableRead:
    columns = table("mapping").headings
    addresses = tuple(tuple("A1" for _ in columns) for _ in rows)
    return TableRead(
        name="mapping", sheet="Mapping", columns=columns, rows=rows, addresses=addresses
    )


def rows_of(plan, name: str):
    return next(t.rows for t in plan.tables if t.name == name)


def test_findings_tallies_and_windows():
    plan = plan_check(check_case())
    assert rows_of(plan, "findings")[0][:7] == (
        "List 3", "List 3", "F12", "Date of referral", "date-text", "cleaned", 31,
    )  # fmt: skip
    assert rows_of(plan, "row_tallies")[1] == ("List 7", 460, 458, 2, "end-before-start 2")
    assert [row[0:1] + row[2:] for row in rows_of(plan, "windows")] == [
        ("List 3", 6, "Yes"), ("List 7", 6, "No"), ("List 8", 6, "Yes"),
    ]  # fmt: skip


def test_a_check_that_stops_says_so_and_leaves_results_alone():
    plan = plan_check(check_case(stops=True), authority="Exampleshire")
    found = {r.name: r.rows[0][0] for r in plan.ranges}
    assert found["check_stops"] == "Look"
    assert found["start_last_run"] == "Checked: 1 thing to mend first, see sheet Checks"
    assert found["start_authority"] == "Exampleshire"
    assert found["master_check"] is None, "only Excel knows it until the next run"
    assert {t.name for t in plan.tables} == {"findings", "row_tallies", "windows", "mapping"}
    assert rows_of(plan, "windows") == ()


def test_a_tally_that_does_not_add_up_is_seen():
    check = check_case()
    lost = (type(check.tallies[0])(list_number=3, found=10, used=8, set_aside={"x": 1}),)
    plan = plan_check(type(check)(findings=check.findings, lists=check.lists, tallies=lost))
    assert {r.name: r.rows[0][0] for r in plan.ranges}["check_rows"] == "Look"


def test_settled_spellings_stay_and_only_new_ones_are_asked():
    old = mapping(
        ("List 8", "Placement Type", "IFA", 4, "U4"),
        ("List 8", "Placement Type", "Never settled", 2, None),
        (None, None, None, None, None),
    )
    asked = ("List 8", "Placement Type", "Independent fostering (oob)", 3, None)
    assert rows_of(plan_check(check_case(), mapping=old), "mapping") == (old.rows[0], asked)
    settled = mapping((8, "placement type ", "INDEPENDENT FOSTERING (OOB)", 3, "U4"))
    got = rows_of(plan_check(check_case(), mapping=settled), "mapping")
    assert [row[4] for row in got] == ["U4"] or got[0][4] == "U4"


def test_an_import_is_verbatim():
    cells = np.array(
        [["Title", None], [UncalculatedFormula(), time(9, 30)], [CellError("#REF!"), "=x"],
         [datetime(2026, 1, 2), 0.5]],  # noqa: DTZ001
        dtype=object,
    )  # fmt: skip
    plan = plan_import({8: RawSheet(file="a.xlsx", sheet="LAC", cells=cells)})
    assert [s.sheet for s in plan.sheets] == ["List 8"]
    assert plan.sheets[0].rows == (
        ("Title", None),
        (CellError("#N/A"), "09:30:00"),
        (CellError("#REF!"), "=x"),
        (datetime(2026, 1, 2), 0.5),  # noqa: DTZ001
    )
