"""A run with the system around the children: what feedback moves, and what it leaves alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from cli_cases import DRAWS, call, imported_sample
from demand_addin.closed import ClosedWorkbook
from demand_addin.ports import BookPlan, CellValue, TableValues

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("forecasting"), horizon_months=6)


@pytest.fixture(scope="module")
def plain(imported: Path) -> ClosedWorkbook:
    return run(imported, "plain")


@pytest.fixture(scope="module")
def looped(imported: Path) -> ClosedWorkbook:
    book = Path(shutil.copy(imported, imported.with_name("before.xlsx")))
    strong = {"on": "Yes", "elasticity": 2.0, "delay_months": 0.0}
    typed(book, "system_links", "loop", {"Delay in plans and exits": strong})
    return run(book, "looped")


def run(book: Path, name: str) -> ClosedWorkbook:
    out = book.with_name(f"{name}.xlsx")
    result = call("run", shutil.copy(book, out), *DRAWS)
    assert result.exit_code == 0, result.stderr
    return ClosedWorkbook.open(out)


def typed(book: Path, table: str, key: str, cells: Mapping[str, Mapping[str, CellValue]]) -> None:
    """Type into the rows of a table whose column `key` says so."""
    workbook = ClosedWorkbook.open(book)
    found = workbook.read_table(table)
    rows = []
    for row in found.rows:
        values = dict(zip(found.columns, row, strict=True))
        rows.append(tuple({**values, **cells.get(str(values[key]), {})}.values()))
    values = TableValues(name=table, columns=found.columns, rows=tuple(rows))
    workbook.write(BookPlan(tables=(values,)))
    book.write_bytes(workbook.to_bytes())


def forecast(book: ClosedWorkbook, measure: str, scenario: str = "Baseline") -> list[float]:
    found = book.read_table("forecast")
    rows = (dict(zip(found.columns, row, strict=True)) for row in found.rows)
    return [
        float(str(row["mean"]))
        for row in rows
        if (row["measure"], row["segment"], row["scenario"]) == (measure, "all", scenario)
    ]


def test_every_scenario_has_caseload_and_workers_in_the_forecast(plain: ClosedWorkbook) -> None:
    found = plain.read_table("forecast")
    at = {name: found.columns.index(name) for name in ("measure", "scenario")}
    by_measure: dict[str, set[str]] = {}
    for row in found.rows:
        by_measure.setdefault(str(row[at["measure"]]), set()).add(str(row[at["scenario"]]))
    for measure in ("assessments_open", "cin_open", "workers", "caseload"):
        assert by_measure[measure] == by_measure["cla_open"]
        assert len(forecast(plain, measure)) == 6
    assert not by_measure.keys() & {"cases", "vacancies", "ideal_caseload"}


def test_feedback_that_is_on_moves_the_forecast_but_not_what_the_formulas_start_from(
    plain: ClosedWorkbook, looped: ClosedWorkbook
) -> None:
    assert forecast(looped, "cp_open") != forecast(plain, "cp_open")
    before, after = (book.read_sheet("What-if data").cells for book in (plain, looped))
    assert np.array_equal(before, after)
    assert "Delay in plans and exits" in " ".join(
        str(cell) for cell in looped.read_sheet("Workforce").cells[:, 0] if cell
    )


def test_workers_cost_stands_apart_from_placements(plain: ClosedWorkbook) -> None:
    found = plain.read_table("costs")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    base = [row for row in rows if row["scenario"] == "Baseline"]
    year = base[0]["year"]
    cost = {
        str(row["placement_group"]): float(str(row["mean"])) for row in base if row["year"] == year
    }
    groups = sum(v for name, v in cost.items() if name not in ("all", "workers"))
    assert cost["workers"] > 0.0
    assert groups == pytest.approx(cost["all"], rel=1e-3)


def test_a_scenario_that_is_appended_leaves_the_odds_beside_it_alone(imported: Path) -> None:
    book = ClosedWorkbook.open(imported)
    scenarios, odds = book.read_table("scenarios"), book.read_table("scenario_odds")
    row = dict.fromkeys(scenarios.columns) | {"scenario": "Mine", "change": "None"}
    values = TableValues(
        name="scenarios", columns=scenarios.columns, rows=(tuple(row.values()),), append=True
    )
    book.write(BookPlan(tables=(values,)))
    again = ClosedWorkbook.from_bytes(book.to_bytes(), "book.xlsx")
    assert len(again.read_table("scenarios").rows) == len(scenarios.rows) + 1
    assert again.read_table("scenario_odds").rows == odds.rows
