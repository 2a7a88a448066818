"""A workbook after real runs: its conventions, and what LibreOffice makes of it.

Where formulas may stand and which numbers they may hold; sheet Start; the live rates against
the engine's; the paper that comes out of the printer.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.formula import Tokenizer
from openpyxl.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula
from python_calamine import CalamineWorkbook

from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import SHEETS
from demand_addin.layout.odds import SCENARIO_ODDS, UNITS
from demand_addin.layout.rates import RATES
from demand_addin.layout.sheets import CHECKS, FEW_MONTHS, FEW_REFERRALS
from demand_addin.layout.template import build_template
from finished_book import AUTHORITY
from what_if_books import office, recalculated

pytestmark = pytest.mark.unit

MASTER_CHECK = "A2"
TOTAL_OF_ODDS = ("Scenarios", f"T{SCENARIO_ODDS.first_row - 1}")
"""The one formula on a sheet without protection: tables grow on such sheets only, and the sum
of what is being typed helps nobody from elsewhere. A rule refuses whatever is typed over it."""

NUMBERS = {
    "System": {"0": "nothing there yet"},
    "Checks": {
        "0": "nothing to count",
        "1": "one check needs a look, several need one",
        "0.5": "half a referral: differences below come from rounding",
        str(FEW_MONTHS): "the fewest months of lists, as declared",
        str(FEW_REFERRALS): "the fewest rows of List 3, as declared",
    },
    "Rates": {
        "0": "no events, no time",
        "1": "the whole of a share",
        "1.959964": "normal quantile of 95%",
        "0.025": "low end of 95%",
        "0.975": "high end of 95%",
        "0.5": "half the variance: mean of a lognormal",
    },
    "What-if": {"0": "no change", "1": "1 + change; a row further", "3": "digits shown"},
    "What-if workings": {
        "0": "no change",
        "1": "1 + change; a row further",
        "2": "halves of squares and of two month ends",
        "6": "months to the headline table's first column",
        "12": "months of a year; the table's second column",
        "24": "months to the table's third column",
        "28": "a day that every month has",
        "1E9": "a lockdown's end that never comes",
        "0.000001": "no division by a spread of nought",
    },
}
"""Numbers that formulas hold, and what each is. All define or guard; what might be judged
otherwise (costs, inflation, levers, limits) stands in a cell with unit, source and date."""

PAGES = {"Start": 1, "Settings": 1, "Dashboard": 2, "What-if": 1, "Costs": 1, "Workforce": 1}
"""Sheets, and the sheets of paper they take."""

RATES_SHEET = "Rates"
FITTED_FLOWS = ("referrals", "referral_to_plan", "referral_to_care")
"""Rates that the model fits by other means than a formula, as the guide says."""


@pytest.fixture(scope="module")
def finished(finished_path: Path) -> Workbook:
    return openpyxl.load_workbook(finished_path)


@pytest.fixture(scope="module")
def values(finished_path: Path) -> Workbook:
    return openpyxl.load_workbook(finished_path, data_only=True)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    path = tmp_path_factory.mktemp("template") / "book.xlsx"
    build_template(path)
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def formulas(finished: Workbook) -> list[tuple[str, Cell, str]]:
    return [
        (ws.title, cell, cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value)
        for ws in finished
        for row in ws.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


# ---------------------------------------------------------------- formulas


def test_a_formula_stands_on_a_protected_sheet(finished, formulas):
    open_sheets = {spec.name for spec in SHEETS if not spec.is_protected}
    seen = Counter(sheet for sheet, _, _ in formulas)
    assert seen["Rates"] > 1000, "the run wrote its formulas"
    stray = {
        (sheet, cell.coordinate)
        for sheet, cell, _ in formulas
        if not finished[sheet].protection.sheet and cell.coordinate != MASTER_CHECK
    }
    assert stray == {TOTAL_OF_ODDS}
    assert {sheet for sheet, _ in stray} <= open_sheets


def test_a_formula_on_a_protected_sheet_is_locked(finished, formulas):
    loose = [
        (sheet, cell.coordinate)
        for sheet, cell, _ in formulas
        if finished[sheet].protection.sheet and not cell.protection.locked
    ]
    assert not loose


def test_the_line_below_a_title_is_the_master_check_and_nothing_else(formulas):
    texts = {(sheet, text) for sheet, cell, text in formulas if cell.coordinate == MASTER_CHECK}
    assert {text for sheet, text in texts if sheet != "Checks"} == {"=master_check"}
    assert {sheet for sheet, _ in texts} == {s.name for s in SHEETS if s.shows_status} | {"Checks"}


def test_typing_over_the_total_of_the_odds_is_refused(template):
    sheet, address = TOTAL_OF_ODDS
    (rule,) = (
        rule for rule in template[sheet].data_validations.dataValidation if address in rule.sqref
    )
    assert (rule.type, rule.formula1) == ("custom", "FALSE")
    assert rule.errorStyle in (None, "stop")
    assert rule.showErrorMessage
    assert "Type the odds there." in rule.error


def test_a_formula_holds_no_number_but_those_declared(formulas):
    found: dict[str, set[str]] = {}
    for sheet, _, text in formulas:
        for token in Tokenizer(text).items:
            if token.type == "OPERAND" and token.subtype == "NUMBER":
                found.setdefault(sheet, set()).add(token.value)
    assert found == {sheet: set(numbers) for sheet, numbers in NUMBERS.items()}


# ---------------------------------------------------------------- units, sources, dates


def test_every_setting_has_unit_source_and_date_beside_it(template):
    rows = template["Settings"].iter_rows(min_row=5, values_only=True)
    heads = next(rows)
    settings = [dict(zip(heads, row, strict=False)) for row in rows if row[0]]
    assert len(settings) > 10
    for row in settings:
        assert row["Unit"], row
        assert row["Source"], row
        assert row["Date"], row


def test_every_number_of_a_scenario_has_its_unit_above_and_its_source_a_date(template):
    ws = template["Scenarios"]
    table = ws.tables["scenarios"]
    heads, *rows = ([cell.value for cell in row] for row in ws[table.ref])
    units = {head: ws.cell(4, column).value for column, head in enumerate(heads, start=1)}
    for row in rows:
        line = dict(zip(heads, row, strict=True))
        for head, value in line.items():
            assert not isinstance(value, (int, float)) or units[head], head
        told = line["source"]
        if told and line["change"] != "None" and not told.startswith("Illustrative"):
            assert re.search(r"\b20[12]\d\b", told), told
    assert units["source"] == "with its date"
    assert {head for head, unit in units.items() if head in UNITS and unit} == set(UNITS)


# ---------------------------------------------------------------- Start


def test_start_has_five_steps_that_lead_where_the_work_is(template):
    ws = template["Start"]
    steps = [row for row in ws.iter_rows(min_row=11, max_row=22) if isinstance(row[0].value, int)]
    assert [row[0].value for row in steps] == [1, 2, 3, 4, 5]
    assert [row[1].value for row in steps] == ["Paste", "Set", "Check", "Run", "Use"]
    there = [row[1].hyperlink.location for row in steps]
    assert there == [
        f"'{name}'!A1" for name in ("List 3", "Settings", "Checks", "Dashboard", "Dashboard")
    ]
    said = " ".join(str(row[2].value) for row in ws.iter_rows(min_row=12, max_row=22))
    for command in ("csc-demand import", "csc-demand check", "csc-demand run"):
        assert command in said


def test_start_says_where_things_stand(finished_path, values, template):
    book = ClosedWorkbook.open(finished_path)
    stands = {
        name: book.read_name(f"start_{name}").value
        for name in ("authority", "census_date", "last_run", "says")
    }
    assert stands["authority"] == AUTHORITY
    assert stands["census_date"] == "30 September 2026"
    ran = values["Run log"].cell(7, 1).value
    assert f"{ran:Run %d/%m/%Y %H:%M}" in str(stands["last_run"])
    assert str(stands["last_run"]).endswith("forecast to November 2027")
    assert stands["says"] == values["Dashboard"]["A5"].value
    assert str(stands["says"]).startswith("Children in care: ")
    assert template["Start"]["C9"].value == "Nothing yet: follow the five steps."


# ---------------------------------------------------------------- in LibreOffice


def without_results(data: bytes) -> bytes:
    """Return the workbook without the saved results of its formulas."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", content)
            target.writestr(name, content)
    return out.getvalue()


@pytest.fixture(scope="module")
def bare(finished_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workbook as a program finds it that must calculate for itself."""
    if office() is None:
        pytest.skip("LibreOffice is not installed here")
    path = tmp_path_factory.mktemp("bare") / "book.xlsx"
    path.write_bytes(without_results(finished_path.read_bytes()))
    return path


@pytest.fixture(scope="module")
def calculated(bare: Path) -> Path:
    (path,) = recalculated([bare], bare.parent / "out", bare.parent / "profile")
    return path


def rates_of(path: Path) -> dict[str, dict[str, object]]:
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(RATES_SHEET)
    heads, *rows = sheet.to_python(skip_empty_area=False)[RATES.first_row - 1 :]
    return {str(row[0]): dict(zip(map(str, heads), row, strict=True)) for row in rows if row[0]}


def test_libreoffice_calculates_the_checks_and_keeps_the_charts(calculated, finished_path):
    seen = CalamineWorkbook.from_path(str(calculated))
    checks = seen.get_sheet_by_name("Checks").to_python()
    assert [row[0] for row in checks[5 : 5 + len(CHECKS)]] == ["OK"] * len(CHECKS)
    assert checks[1][0] == "All checks pass"
    for spec in SHEETS:
        if spec.shows_status:
            assert seen.get_sheet_by_name(spec.name).to_python()[1][0] == "All checks pass"
    counts = []
    for path in (calculated, finished_path):
        with zipfile.ZipFile(path) as archive:
            counts.append(sum(n.startswith("xl/charts/chart") for n in archive.namelist()))
    assert counts[0] == counts[1] > 10


def test_the_live_rates_of_a_real_run_are_the_engines(formulas, calculated, finished_path):
    """The run saved the engine's own figures as results; LibreOffice has only the formulas."""
    engine, live = rates_of(finished_path), rates_of(calculated)
    assert list(engine) == list(live)
    of = {(cell.row, cell.column) for sheet, cell, _ in formulas if sheet == RATES_SHEET}
    heads = list(next(iter(engine.values())))
    compared = Counter()
    for row, name in enumerate(engine, start=RATES.first_row + 1):
        for column, head in enumerate(heads, start=1):
            if (row, column) in of:
                saved, found = engine[name][head], live[name][head]
                is_number = isinstance(saved, float)
                same = pytest.approx(saved, rel=1e-7, abs=1e-12) if is_number else saved
                assert found == same, (name, head)
                compared[head] += is_number
    assert compared["raw_rate"] > 100
    assert min(compared[head] for head in ("fitted_rate", "rate", "low", "high")) > 100


def test_only_three_rates_are_fitted_by_other_means_than_a_formula(finished):
    ws = finished[RATES_SHEET]
    heads, *rows = ws[ws.tables[RATES.name].ref]
    at = {cell.value: n for n, cell in enumerate(heads)}
    fitted = [row for row in rows if row[at["fitted_rate"]].data_type != "f"]
    assert {row[at["flow"]].value for row in fitted} == set(FITTED_FLOWS)
    assert all("fitted by the model" in row[at["how"]].value for row in fitted)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not installed")
def test_on_paper_the_dashboard_is_two_pages_of_a4(bare):
    (pdf,) = recalculated([bare], bare.parent / "print", bare.parent / "profile", kind="pdf")
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    footers = re.findall(r"^\s*book\.xlsx, (.+?)\s+Page \d+ of \d+\s*$", text, re.MULTILINE)
    assert len(footers) == text.count("\f"), "each page says of which sheet it is"
    pages = Counter(footers)
    assert {sheet: pages[sheet] for sheet in PAGES} == PAGES
    size = subprocess.run(
        ["pdfinfo", str(pdf)], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    assert "(A4)" in size
