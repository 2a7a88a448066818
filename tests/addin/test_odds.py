"""Odds on scenarios: read from their table, every wrong cell named, and mixed by a run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.cells import SettingProblemsError
from demand_addin.closed import ClosedWorkbook
from demand_addin.layout.odds import ROOM, SCENARIO_ODDS, odds_rows
from demand_addin.layout.prompts import rule_of
from demand_addin.odds import read_odds
from demand_addin.ports import BookPlan, TableRead, TableValues
from demand_model import presets
from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidInputError, InvalidSettingError
from demand_model.simulation.mixture import MIXTURE
from engine_cases import CENSUS

pytestmark = pytest.mark.unit

NAMES = ("Baseline", "Lockdown", "New normal -10%")


class Book:
    """As much of a workbook as is read here: one table, or none."""

    name = "book.xlsx"

    def __init__(
        self, rows: Sequence[Sequence[RawValue]] | None, columns: tuple[str, ...] | None = None
    ) -> None:
        self._rows, self._columns = rows, columns or SCENARIO_ODDS.headings

    def read_table(self, table: str) -> TableRead:
        if self._rows is None:
            raise InvalidInputError(f"{table} was not found")
        return TableRead(
            name=table,
            sheet="Scenarios",
            columns=self._columns,
            rows=tuple(tuple(row) for row in self._rows),
            addresses=tuple((f"S{n}", f"T{n}") for n in range(6, 6 + len(self._rows))),
        )


def read(*rows: Sequence[RawValue], names: Sequence[str] = NAMES) -> dict[str, float]:
    return read_odds(Book(rows), names)


def problems(*rows: Sequence[RawValue], names: Sequence[str] = NAMES) -> tuple[str, ...]:
    with pytest.raises(SettingProblemsError) as caught:
        read(*rows, names=names)
    return caught.value.problems


def test_odds_are_read_by_name_and_blank_ones_leave_a_scenario_out() -> None:
    assert read(("baseline ", 0.5), ("Lockdown", "30%"), ("Never run", None), (None, None), (
        "New normal -10%", 0.2)) == pytest.approx(
        {"Baseline": 0.5, "Lockdown": 0.3, "New normal -10%": 0.2}
    )  # fmt: skip
    assert read(("Baseline", None), ("Lockdown", " ")) == {}
    assert read(("Baseline", 1), ("Lockdown", 0)) == {"Baseline": 1.0}


def test_odds_that_are_rounded_are_made_whole() -> None:
    found = read(("Baseline", 0.333), ("Lockdown", 0.333), ("New normal -10%", 0.333))
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)


def test_a_workbook_without_the_table_has_no_mixture() -> None:
    assert read_odds(Book(None), NAMES) == {}


def test_a_table_without_its_columns_is_refused() -> None:
    book = Book([], ("scenario", "chance"))
    with pytest.raises(InvalidSettingError, match="lacks the column odds"):
        read_odds(book, NAMES)


def test_every_wrong_cell_is_named_at_once() -> None:
    found = problems(
        ("Martians", 0.2), ("Baseline", -0.1), (None, 0.3), ("Lockdown", "often"), ("lockdown", 60)
    )
    assert [line.partition(":")[0] for line in found] == [
        "Scenarios!S6",
        "Scenarios!T7",
        "Scenarios!S8",
        "Scenarios!T9",
        "Scenarios!S10",
        "Scenarios!T10",
    ]
    assert '"Martians"' in found[0]
    assert "whose include is Yes" in found[0]
    assert "a share from 0% to 100%" in found[1]
    assert "no other row" in found[4]


@pytest.mark.parametrize(
    ("odds", "total"), [((0.5, 0.4), "90%"), ((0.9, 0.2), "110%"), ((0, 0), "0%")]
)
def test_odds_that_do_not_add_up_are_named_once(odds: tuple[float, float], total: str) -> None:
    (line,) = problems(("Never run", None), ("Baseline", odds[0]), ("Lockdown", odds[1]))
    assert line.startswith("Scenarios!T7: ")
    assert f"add up to {total}" in line


def test_the_name_of_the_mixture_is_taken() -> None:
    (line,) = problems(("Baseline", 1.0), names=(*NAMES, "weighted  mix"))
    assert f'"{MIXTURE}"' in line


def test_an_empty_workbook_lists_its_scenarios_without_odds() -> None:
    rows = odds_rows()
    assert len(rows) == ROOM
    assert {s.name for s in presets(CENSUS)} == {name for name, _ in rows if name}
    assert all(odds is None for _, odds in rows)
    name, odds = SCENARIO_ODDS.columns
    assert rule_of("scenario_odds", odds, "T6")["maximum"] == 1
    assert rule_of("scenario_odds", name, "S6")["error_type"] == "warning"
    assert all(0 < len(column.meaning) <= 255 for column in SCENARIO_ODDS.columns)


# --- through a run ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("odds"), horizon_months=3)


@pytest.fixture
def book(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(imported, tmp_path / "book.xlsx"))


def put_odds(book: Path, **odds: float) -> None:
    workbook = ClosedWorkbook.open(book)
    rows = tuple((name, share) for name, share in odds.items())
    values = TableValues(name="scenario_odds", columns=SCENARIO_ODDS.headings, rows=rows)
    workbook.write(BookPlan(tables=(values,)))
    book.write_bytes(workbook.to_bytes())


def test_a_run_adds_the_mixture_to_tables_choices_and_headlines(book: Path) -> None:
    put_odds(book, **{"Baseline": 0.6, "New normal +10%": 0.4})
    set_setting(book, "fan_scenario", MIXTURE)
    result = call("run", book, *DRAWS)
    assert result.exit_code == 0, result.stderr
    assert f"{MIXTURE}: " in result.output
    workbook = ClosedWorkbook.open(book)
    for table in ("forecast", "costs", "workforce_forecast"):
        found = workbook.read_table(table)
        at = found.columns.index("scenario")
        assert MIXTURE in {row[at] for row in found.rows}, table
    choices = set(workbook.read_sheet("Chart data").cells.ravel().tolist())
    assert MIXTURE in choices, "sheet Settings offers it"
    assert f"Scenario: {MIXTURE}" in str(workbook.read_name("dash_subtitle").value)
    assert len(workbook.read_table("scenario_odds").rows) == 2, "odds are the analyst's"


def test_wrong_odds_are_named_with_all_other_settings_and_nothing_is_written(book: Path) -> None:
    put_odds(book, Baseline=0.6, Martians=0.4)
    set_setting(book, "draws", 5)
    before = book.read_bytes()
    result = call("run", book)
    assert result.exit_code == 1
    assert "2 settings must be changed first; nothing was written." in result.stderr
    assert "Scenarios!S7" in result.stderr
    assert "Settings!B" in result.stderr
    assert book.read_bytes() == before


def test_without_odds_the_mixture_is_no_choice(book: Path) -> None:
    set_setting(book, "fan_scenario", MIXTURE)
    result = call("run", book, *DRAWS)
    assert result.exit_code == 1
    assert "scenario of the fan charts" in result.stderr
