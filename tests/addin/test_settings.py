"""The Settings sheet becomes one frozen class; every problem names its cell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import pytest

from demand_addin.cells import SettingProblemsError
from demand_addin.layout.settings import SETTINGS
from demand_addin.ports import BookPlan, NamedBlock, NamedRead, TableRead
from demand_addin.settings import (
    RunSettings,
    read_mapping,
    read_overrides,
    read_settings,
    require_fan_scenario,
    settings_hash,
)
from demand_model.annex_a.raw import CellError, RawSheet, RawValue
from demand_model.errors import InvalidInputError, InvalidSettingError

pytestmark = pytest.mark.unit


class Sheet:
    """A workbook of named cells and tables, in memory."""

    name = "book.xlsx"

    def __init__(
        self,
        given: Mapping[str, RawValue] | None = None,
        tables: Mapping[str, TableRead] | None = None,
    ) -> None:
        self.cells: dict[str, tuple[str, RawValue]] = {
            s.name: (f"B{row}", s.default) for row, s in enumerate(SETTINGS, start=6)
        }  # type: ignore[assignment]
        for key, value in (given or {}).items():
            self.cells[f"setting_{key}"] = (self.cells[f"setting_{key}"][0], value)
        self.tables = tables or {}

    def read_name(self, name: str) -> NamedRead:
        if name not in self.cells:
            raise InvalidInputError(f"{self.name} has no cell named {name}.")
        address, value = self.cells[name]
        return NamedRead(name=name, sheet="Settings", address=address, value=value)

    def find_name(self, name: str) -> NamedBlock | None:
        raise NotImplementedError(name)

    def read_table(self, table: str) -> TableRead:
        return self.tables[table]

    def read_sheet(self, sheet: str) -> RawSheet:
        raise NotImplementedError(sheet)

    def sheet_names(self) -> tuple[str, ...]:
        return ("Settings",)

    def write(self, plan: BookPlan) -> None:
        raise NotImplementedError


def table(
    name: str, sheet: str, columns: tuple[str, ...], *rows: tuple[RawValue, ...]
) -> dict[str, TableRead]:
    addresses = tuple(
        tuple(f"{chr(65 + i)}{row}" for i in range(len(columns)))
        for row, _ in enumerate(rows, start=6)
    )
    return {
        name: TableRead(name=name, sheet=sheet, columns=columns, rows=rows, addresses=addresses)
    }


def test_an_untouched_sheet_gives_the_declared_defaults() -> None:
    found = read_settings(Sheet())
    assert (found.horizon_months, found.draws, found.seed) == (24, 1000, 2020)
    assert found.census_date is None
    assert found.window_months == {}
    assert found.interval_shown == 80
    assert found.include_short_breaks is False
    assert found.fan_scenario == "Baseline"
    assert len(found.compare_scenarios) == 4


def test_blank_cells_mean_the_defaults() -> None:
    assert read_settings(Sheet(dict.fromkeys(("horizon_months", "draws", "seed")))) == (
        read_settings(Sheet())
    )


def test_a_blank_line_of_the_comparison_leaves_it_out() -> None:
    found = read_settings(Sheet({"compare_scenario_2": None, "compare_scenario_3": " "}))
    assert found.compare_scenarios == ("Baseline", None, None, "New normal -10%")


def test_the_limit_of_what_is_set_aside_reaches_the_checks() -> None:
    assert read_settings(Sheet()).check_settings({}).set_aside_limit == 0.05
    found = read_settings(Sheet({"set_aside_limit": 12}))
    assert found.check_settings({}).set_aside_limit == 0.12


def test_a_fan_scenario_that_is_not_run_names_its_cell() -> None:
    book = Sheet({"fan_scenario": "Martians"})
    settings = read_settings(book)
    require_fan_scenario(book, settings, ["Baseline", "Martians"])
    with pytest.raises(SettingProblemsError, match=r'Settings!B17: .*"Martians".*marked Yes'):
        require_fan_scenario(book, settings, ["Baseline"])


def test_a_wrong_value_is_named_as_its_label_is_written() -> None:
    with pytest.raises(SettingProblemsError, match=r"include short breaks \(V3, V4\)"):
        read_settings(Sheet({"include_short_breaks": "perhaps"}))


def test_values_as_excel_gives_them() -> None:
    found = read_settings(
        Sheet(
            {
                "authority": " Northborough ",
                "census_date": datetime(2026, 3, 31),  # noqa: DTZ001
                "window_months_list_8": 12.0,
                "horizon_months": 36.0,
                "interval_shown": 95.0,
                "include_short_breaks": "yes",
                "child_population": "62,000",
                "compare_scenario_2": None,
            }
        )
    )
    assert found.authority == "Northborough"
    assert found.census_date == date(2026, 3, 31)
    assert found.window_months == {8: 12}
    assert found.horizon_months == 36
    assert found.interval_shown == 95
    assert found.include_short_breaks
    assert found.child_population == 62_000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("horizon_months", 0),
        ("horizon_months", 121.0),
        ("draws", 99),
        ("draws", 250.5),
        ("draws", True),
        ("seed", -1),
        ("seed", "abc"),
        ("census_date", "soon"),
        ("census_date", "31/02/2026"),
        ("census_date", 46000.0),
        ("window_months_list_3", "six"),
        ("interval_shown", 90.0),
        ("include_short_breaks", "perhaps"),
        ("child_population", CellError("#REF!")),
    ],
)
def test_a_wrong_value_names_sheet_and_cell(key: str, value: RawValue) -> None:
    book = Sheet({key: value})
    with pytest.raises(SettingProblemsError) as caught:
        read_settings(book)
    (line,) = caught.value.problems
    assert line.startswith(f"Settings!{book.cells[f'setting_{key}'][0]}: invalid")
    assert "must be" in line


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(SettingProblemsError) as caught:
        read_settings(Sheet({"draws": 5, "seed": "x", "interval_shown": 50}))
    assert len(caught.value.problems) == 3


def test_the_class_itself_is_strict() -> None:
    with pytest.raises(InvalidSettingError, match="draws: 99"):
        RunSettings(draws=99)
    with pytest.raises(InvalidSettingError, match="80 or 95"):
        RunSettings(interval_shown=90)


def test_options_win_over_the_sheet() -> None:
    changed = RunSettings().with_options(seed=7, draws=500)
    assert (changed.seed, changed.draws) == (7, 500)
    assert RunSettings().with_options() == RunSettings()
    with pytest.raises(InvalidSettingError):
        RunSettings().with_options(draws=1)


MAPPING = ("list", "heading", "raw_value", "count", "official_code")


def test_settled_spellings_are_read_and_the_rest_left() -> None:
    book = Sheet(
        tables=table(
            "mapping",
            "Mapping",
            MAPPING,
            ("List 8", "Placement Type", "  Auntie ", 3.0, "U1"),
            ("List 3", "Referral Source", "GATE", 1.0, None),
            (None, None, None, None, None),
        )
    )
    assert read_mapping(book) == {(8, "Placement Type", "auntie"): "U1"}


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (("List 3", "ReferralSource", "GATE", 1, "police"), ("Referral Source", "6")),
        (("3", "Referral Source", "GATE", 1, "q) 6: Police"), ("Referral Source", "6")),
        (("List 3", "Referral Source", "GATE", 1, 6.0), ("Referral Source", "6")),
        (("List 8", "Placement Type", "GATE", 1, "u1"), ("Placement Type", "U1")),
    ],
)
def test_a_settled_code_is_read_as_the_lists_are(
    row: tuple[RawValue, ...], known: tuple[str, str]
) -> None:
    found = read_mapping(Sheet(tables=table("mapping", "Mapping", MAPPING, row)))
    heading, code = known
    assert found == {(int(str(row[0])[-1]), heading, "gate"): code}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("List 3", "Referral Source", "GATE", 1, "XQ9"), "Mapping!E6: .*a code such as 1A"),
        (("List 8", "Placement Type", "GATE", 1, "5C"), "Mapping!E6: .*a code such as U1"),
        (("List 3", "Referral NFA?", "GATE", 1, "6"), "Mapping!E6: .*one of: Yes, No"),
        (("List 3", "Allocated Team", "GATE", 1, "6"), "Mapping!B6: .*codes of List 3"),
    ],
)
def test_a_code_that_the_column_does_not_have_is_refused(
    row: tuple[RawValue, ...], says: str
) -> None:
    with pytest.raises(SettingProblemsError, match=says):
        read_mapping(Sheet(tables=table("mapping", "Mapping", MAPPING, row)))


def test_a_spelling_of_no_list_is_said() -> None:
    book = Sheet(tables=table("mapping", "Mapping", MAPPING, ("List 9", "X", "y", 1, "U1")))
    with pytest.raises(SettingProblemsError, match="Mapping!A6"):
        read_mapping(book)


def test_overrides_are_read_by_rate_and_bad_ones_said() -> None:
    columns = ("rate_id", "rate", "override")
    good = Sheet(tables=table("rates", "Rates", columns, ("a|b|c", 0.1, 0.2), ("d|e|f", 0.1, None)))
    assert read_overrides(good) == {"a|b|c": 0.2}
    bad = Sheet(tables=table("rates", "Rates", columns, ("a", 0.1, -1), ("b", 0.1, "much")))
    with pytest.raises(SettingProblemsError) as caught:
        read_overrides(bad)
    assert [line.split(":")[0] for line in caught.value.problems] == ["Rates!C6", "Rates!C7"]


def test_a_wrong_rate_of_ones_own_is_told_in_plain_words() -> None:
    columns = ("rate_id", "override")
    rows = (("plan_ends|all|all", "fast"), ("referral_nfa|all|Police", 40), ("x|all|all", 40))
    with pytest.raises(SettingProblemsError) as caught:
        read_overrides(Sheet(tables=table("rates", "Rates", columns, *rows)))
    assert caught.value.problems == (
        'Rates!B6: your own rate for "plan_ends|all|all" is "fast". Type a number of 0 or more, in '
        "the unit that the row names, or clear the cell: then the fitted rate is used.",
        'Rates!B7: your own rate for "referral_nfa|all|Police" is 40. Type a number from 0 to 1 '
        "(0.3 for 30%), in the unit that the row names, or clear the cell: then the fitted rate is "
        "used.",
    )


def test_the_fingerprint_of_settings_is_stable_and_tells_them_apart() -> None:
    assert settings_hash(RunSettings(), {}) == settings_hash(RunSettings(), {})
    assert settings_hash(RunSettings(), {}) != settings_hash(RunSettings(seed=1), {})
