"""Sheet Rates: its formulas, recalculated by LibreOffice, against the engine's own table."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.older_book import fitted
from demand_addin.layout.rates import FORMULAS, FORMULAS_OF, HOW, RATES
from demand_addin.plan.rates import rates_values
from demand_addin.ports import BookPlan, Calculated, TableValues
from demand_addin.settings import read_overrides
from demand_model import fit, rates_table
from demand_model.flows import Flow
from demand_model.rates.fit import rate_id
from demand_model.rates.table import Basis
from engine_cases import exposure_of, made_up_lists
from what_if_books import office, recalculated

pytestmark = pytest.mark.unit

LISTS = made_up_lists(5, referrals=500, plans=90, care=110, uasc=4)
EXPOSURE = exposure_of(LISTS)
_SINGLE = {
    rate_id(Flow.REFERRALS): 4.5,
    rate_id(Flow.REFERRAL_TO_PLAN): 0.06,
    rate_id(Flow.OTHER_CARE_STARTS): 1.25,
    rate_id(Flow.UASC_STARTS): 0.5,
    rate_id(Flow.PLAN_ENDS, "3 to 6 months"): 0.09,
    rate_id(Flow.REFERRAL_NFA, "all", "Police"): 0.4,
    rate_id(Flow.CARE_ENDS_ADOPTION, "6 to 12 months", "1 to 4"): 0.0,
}
OVERRIDES: dict[str, dict[str, float]] = {
    "none": {},
    "single rates": _SINGLE,
    "whole flows": {
        rate_id(Flow.PLAN_ENDS): 0.11,
        rate_id(Flow.PLAN_ENDS, "3 to 6 months"): 0.09,
        rate_id(Flow.CARE_ENDS_HOME): 0.0,
        rate_id(Flow.RE_REFERRALS): 0.02,
    },
}  # fmt: skip
COMPARED = ("fitted_rate", "rate", "low", "high", "prior_weight")
FREE_OF_OVERRIDES = {(Basis.PER_MONTH, "low"), (Basis.PER_MONTH, "high")}
"""Values that follow an override at the next run only, as column ``how`` says."""


@cache
def engine(name: str = "none") -> pd.DataFrame:
    return rates_table(fit(EXPOSURE, overrides=OVERRIDES[name]))


def test_bands_of_the_overrides_exist():
    known = set(engine()["rate_id"])
    assert set().union(*OVERRIDES.values()) <= known


def test_every_formula_is_used_and_every_basis_is_explained():
    used = {name for of in FORMULAS_OF.values() for name in of.values()}
    assert used == set(FORMULAS)
    assert set(FORMULAS_OF) == set(HOW) == set(Basis)
    assert {c for of in FORMULAS_OF.values() for c in of} <= set(RATES.headings)


def test_functions_are_those_of_excel_2016_and_references_move_with_the_table():
    names = {name for f in FORMULAS.values() for name in re.findall(r"([A-Z][A-Z0-9.]*)\(", f)}
    assert names == {
        *("AND", "COUNTIFS", "EXP", "GAMMAINV", "IF", "IFERROR", "MAX", "MIN", "SQRT", "SUMIFS"),
    }
    for formula in FORMULAS.values():
        referred = set(re.findall(r"\[([a-z_]+)\]", formula))
        assert referred
        assert referred <= set(RATES.headings), formula
        bare = re.sub(r'"[^"]*"|\[[^\[\]]*\]', "", formula)
        assert not re.search(r"[A-Z]{1,3}\$?[0-9]+", bare), "no cell by its place"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a workbook of that table alone: LibreOffice takes its time over the whole template."""
    path = tmp_path_factory.mktemp("rates") / "template.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet, head = book.add_worksheet("Rates"), RATES.first_row - 1
        columns = [{"header": name} for name in RATES.headings]
        options = {"name": RATES.name, "columns": columns}
        sheet.add_table(head, 0, head + 1, len(columns) - 1, options)
    return path


@pytest.fixture(scope="module")
def books(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """By overrides: as the file was written, and as LibreOffice calculates it.

    ``typed`` has the rates of a run without overrides and the overrides typed beside them, as
    an analyst does; ``run`` has the rates of a run with them.
    """
    if office() is None:
        pytest.skip("LibreOffice is not installed here")
    folder = tmp_path_factory.mktemp("books")
    paths: dict[str, dict[str, Path]] = {}
    for number, (name, own) in enumerate(OVERRIDES.items()):
        paths[name] = {
            "run": written(template, folder / f"run{number}.xlsx", engine(name), own),
            "typed": written(template, folder / f"typed{number}.xlsx", engine(), own),
        }
    every = [path for pair in paths.values() for path in pair.values()]
    found = dict(zip(every, recalculated(every, folder / "out", folder / "profile"), strict=True))
    return {
        name: {how: found[path] for how, path in pair.items()} | {"saved": pair["run"]}
        for name, pair in paths.items()
    }


def written(
    template: Path, path: Path, rates: pd.DataFrame, overrides: Mapping[str, float]
) -> Path:
    book = ClosedWorkbook.open(template)
    book.write(BookPlan(tables=(rates_values(rates, overrides),)))
    path.write_bytes(book.to_bytes())
    return path


def shown(path: Path) -> pd.DataFrame:
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Rates")
    head, *body = rows.to_python(skip_empty_area=False)[RATES.first_row - 1 :]
    return pd.DataFrame(body, columns=head).set_index("rate_id")


@pytest.mark.parametrize("how", ["saved", "run", "typed"])
@pytest.mark.parametrize("name", OVERRIDES)
def test_the_sheet_shows_the_engines_rates(books, name: str, how: str):
    """Row by row: as saved, recalculated, and with overrides typed and no run since."""
    found, wanted = shown(books[name][how]), engine(name).set_index("rate_id")
    assert list(found.index) == list(wanted.index)
    compared = 0
    for rate in wanted.index:
        basis = Basis(wanted.loc[rate, "basis"])
        for column in COMPARED:
            if how == "typed" and column not in FORMULAS_OF[basis] and name != "none":
                assert (basis, column) in FREE_OF_OVERRIDES or column in (
                    "fitted_rate",
                    "prior_weight",
                ), "all else must follow at once"
                continue
            engines, sheets = wanted.loc[rate, column], found.loc[rate, column]
            assert sheets == pytest.approx(engines, rel=1e-7, abs=1e-12), (rate, column)
            compared += 1
    assert compared > 1000


def test_an_override_moves_what_it_should(books):
    """The comparison would notice if overrides did nothing."""
    before, after = shown(books["none"]["run"]), shown(books["whole flows"]["typed"])
    name = rate_id(Flow.PLAN_ENDS, "0 to 3 months")
    assert after.loc[name, "rate"] != pytest.approx(before.loc[name, "rate"], rel=0.01)
    assert after.loc[rate_id(Flow.PLAN_ENDS), "rate"] == 0.11
    assert after.loc[rate_id(Flow.PLAN_TO_CARE), "rate"] == pytest.approx(
        before.loc[rate_id(Flow.PLAN_TO_CARE), "rate"]
    )


def test_raw_rates_are_counts_over_time(books):
    found = shown(books["none"]["run"])
    seen = found[found["exposure"].astype(float) > 0]
    wanted = seen["occurrences"].astype(float) / seen["exposure"].astype(float)
    assert seen["raw_rate"].astype(float).tolist() == pytest.approx(wanted.tolist(), rel=1e-7)
    assert set(found.loc[found["exposure"].astype(float) <= 0, "raw_rate"]) <= {""}


def test_no_cell_shows_an_error(books):
    for pair in books.values():
        for path in pair.values():
            with zipfile.ZipFile(path) as book:
                sheet = book.read("xl/worksheets/sheet1.xml")
            assert b't="e"' not in sheet, path.name
            assert sheet.count(b"<f") > 1000


def test_what_the_engine_fits_by_other_means_is_no_formula():
    plan = rates_values(engine(), {})
    at = plan.columns.index("fitted_rate")
    by_name = {row[0]: row for row in plan.rows}
    for flow in (Flow.REFERRALS, Flow.REFERRAL_TO_PLAN, Flow.REFERRAL_TO_CARE):
        row = by_name[rate_id(flow)]
        assert isinstance(row[at], float)
        assert "fitted by the model" in str(row[plan.columns.index("how")])
    assert isinstance(by_name[rate_id(Flow.PLAN_ENDS, "0 to 3 months")][at], Calculated)


def test_overrides_are_read_back_from_the_sheet(template: Path, tmp_path: Path):
    own = OVERRIDES["single rates"] | {"nowhere|x|y": 0.3}
    path = written(template, tmp_path / "b.xlsx", engine(), own)
    assert read_overrides(ClosedWorkbook.open(path)) == own


def test_a_workbook_of_an_earlier_version_gets_values(template: Path, tmp_path: Path):
    later = ("raw_rate", "expected_events")
    renamed = openpyxl.load_workbook(template)
    table = renamed["Rates"].tables["rates"]
    for column in table.tableColumns:
        if column.name in later:
            column.name = f"my {column.name}"
            at = RATES.headings.index(column.name.removeprefix("my ")) + 1
            renamed["Rates"].cell(RATES.first_row, at).value = column.name
    path = tmp_path / "older.xlsx"
    renamed.save(path)
    book = ClosedWorkbook.open(path)
    plan, _ = fitted(book, BookPlan(tables=(rates_values(engine(), {}),)))
    (values,) = plan.tables
    assert isinstance(values, TableValues)
    assert not set(values.columns) & set(later)
    assert not any(isinstance(cell, Calculated) for row in values.rows for cell in row)
    book.write(plan)
    found = book.read_table("rates")
    rates = [row[found.columns.index("rate")] for row in found.rows]
    assert all(isinstance(rate, int | float) and math.isfinite(rate) for rate in rates)
