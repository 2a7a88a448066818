"""Sheet System: the engine's defaults as drawn, what is typed, and every wrong cell by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from rich_workbook import packed, parts_of

from demand_addin.cells import SettingProblemsError
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.inputs import read_inputs
from demand_addin.layout import system as declared
from demand_addin.layout.declare import TableSpec
from demand_addin.layout.template import build_template
from demand_addin.ports import BookPlan, CellValue, TableRead, TableValues
from demand_addin.system_sheet import SystemSheet, read_placement_groups, read_system
from demand_model.errors import InvalidInputError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.cost_years import CostChoices
from demand_model.results.placements import NewPlaces
from demand_model.system.assumptions import FRONT_DOOR, UNIT_COSTS, WORKFORCE
from demand_model.system.inputs import Placements, SystemInputs
from demand_model.system.links import LINKS
from demand_model.system.variables import DRIVERS, TARGETS

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "book.xlsx"
    build_template(path)
    return path.read_bytes()


@pytest.fixture
def book(template: bytes) -> ClosedWorkbook:
    return ClosedWorkbook.from_bytes(template, "book.xlsx")


Cells = Mapping[tuple[int, str], CellValue]


def typed(book: ClosedWorkbook, table: TableSpec, cells: Cells) -> None:
    """Type into a table: by number of the row (from 0) and column."""
    rows = [list(row) for row in declared.default_rows()[table.name]]
    for (row, column), value in cells.items():
        rows[row][table.headings.index(column)] = value
    values = TableValues(
        name=table.name, columns=table.headings, rows=tuple(tuple(row) for row in rows)
    )
    book.write(BookPlan(tables=(values,)))


def address(table: TableSpec, row: int, column: str) -> str:
    letter = chr(ord("A") + table.headings.index(column))
    return f"System!{letter}{table.first_row + 1 + row}"


def row_of(table: TableSpec, key: str) -> int:
    """Number of the row that holds an assumption, a group, or else the first blank row."""
    rows = declared.default_rows()[table.name]
    column = table.headings.index("name") if "name" in table.headings else 0
    return next(i for i, row in enumerate(rows) if row[column] == (key or None))


def problems(book: ClosedWorkbook) -> tuple[str, ...]:
    with pytest.raises(SettingProblemsError) as caught:
        read_system(book)
    return caught.value.problems


# --- defaults ------------------------------------------------------------------------------------


def test_the_template_says_what_the_engine_assumes(book):
    assert read_system(book) == SystemSheet()
    assert read_system(book).inputs == SystemInputs()


class OlderBook:
    """A workbook that was made before there was a sheet System."""

    name = "older.xlsx"

    def sheet_names(self) -> tuple[str, ...]:
        return ("Start", "Settings")

    def read_table(self, table: str) -> TableRead:
        raise InvalidInputError(f"no table {table}")


def test_an_older_workbook_without_the_sheet_gives_the_defaults():
    assert read_system(OlderBook()) == SystemSheet()


def test_a_sheet_that_lost_a_table_is_not_taken_for_an_older_one():
    older = OlderBook()
    older.sheet_names = lambda: ("Start", "System")
    with pytest.raises(InvalidInputError, match="no table"):
        read_system(older)


@pytest.mark.parametrize("table", [declared.WORKFORCE_TABLE, declared.FRONT_DOOR_TABLE])
def test_blank_cells_mean_the_defaults(book, table):
    rows = range(len(declared.default_rows()[table.name]))
    typed(book, table, {(row, "value"): None for row in rows})
    assert read_system(book).inputs == SystemInputs()


def test_blank_costs_mean_the_defaults(book):
    cells = {(row, name): None for row in range(8) for name in ("weekly_cost", "own")}
    typed(book, declared.PLACEMENT_COSTS, cells)
    typed(book, declared.COST_SETTINGS, {(row, "value"): None for row in range(5)})
    assert read_system(book).inputs == SystemInputs()


def test_every_assumption_has_its_unit_and_source_and_judgement_is_marked():
    for table, records in (
        (declared.PLACEMENT_COSTS, UNIT_COSTS),
        (declared.WORKFORCE_TABLE, WORKFORCE),
        (declared.FRONT_DOOR_TABLE, FRONT_DOOR),
        (declared.COST_SETTINGS, declared.COST_ASSUMPTIONS),
    ):
        rows = [row for row in declared.default_rows()[table.name] if row[0]]
        assert len(rows) == len(records)
        for row, record in zip(rows, records, strict=True):
            cells = dict(zip(table.headings, row, strict=True))
            assert cells["unit"] == record.unit
            assert cells["source"] == record.source
            assert cells["as_of"] == (record.as_of or None)
            is_judged = "judgement" in record.source or "illustrative" in record.source
            assert cells["judged"] == ("†" if is_judged else None), record.key
    residential = dict(zip(declared.PLACEMENT_COSTS.headings,
                           declared.default_rows()["placement_costs"][3], strict=True))  # fmt: skip
    assert (residential["weekly_cost"], residential["as_of"], residential["judged"]) == (
        6_100.0, "2023/24", None,
    )  # fmt: skip


def test_all_links_rest_and_say_what_breaks_them():
    rows = declared.default_rows()["system_links"]
    filled = [dict(zip(declared.SYSTEM_LINKS.headings, row, strict=True)) for row in rows if row[0]]
    assert len(filled) == len(LINKS)
    assert {row["on"] for row in filled} == {"No"}
    assert all(row["source"] and row["what_breaks_it"] for row in filled)
    assert len(rows) - len(filled) == declared.OWN_LINK_ROWS, "room for a workshop's own"


# --- what is typed -------------------------------------------------------------------------------


def test_numbers_arrive_where_they_belong(book):
    force, door = declared.WORKFORCE_TABLE, declared.FRONT_DOOR_TABLE
    typed(book, force, {(row_of(force, "workers_fte"), "value"): 120,
                        (row_of(force, "vacancy_share"), "value"): "20%"})  # fmt: skip
    typed(book, door, {(row_of(door, "nfa_share"), "value"): 0.3})
    found = read_system(book).inputs
    default = SystemInputs()
    assert found.workforce == replace(default.workforce, workers_fte=120.0, vacancy_share=0.2)
    assert found.front_door == replace(default.front_door, nfa_share=0.3)


def test_how_costs_are_reckoned(book):
    table = declared.COST_SETTINGS
    cells = {
        "inflation_a_year": 0.05,
        "agency_fostering_share": 0.5,
        "prices_of": date(2026, 4, 1),
        "overflow": "Residential",
        "unit_cost_sd": 0.1,
    }
    typed(book, table, {(row_of(table, key), "value"): value for key, value in cells.items()})
    found = read_system(book)
    assert found.costs == CostChoices(
        inflation_a_year=0.05, prices_of=date(2026, 4, 1), unit_cost_sd=0.1
    )
    assert found.inputs.placements == Placements(
        inflation_a_year=0.05, agency_fostering_share=0.5, overflow="residential"
    )


def test_groups_of_ones_own_places_and_new_places(book):
    table = declared.PLACEMENT_COSTS
    blank = row_of(table, "")
    typed(book, table, {
        (row_of(table, "own fostering"), "places"): 90,
        (row_of(table, "residential"), "weekly_cost"): 5_500,
        (blank, "group"): "Own  Residential", (blank, "weekly_cost"): 4_800, (blank, "own"): "yes",
        (blank, "places"): 12,
    })  # fmt: skip
    typed(book, declared.NEW_PLACES, {
        (0, "scenario"): "new normal +10%", (0, "group"): "own residential", (0, "places"): 6,
        (0, "filled_from"): "residential", (0, "from"): date(2027, 4, 1),
        (0, "fill_months"): 9,
    })  # fmt: skip
    found = read_system(book)
    groups = {group.name: group for group in found.inputs.placements.groups}
    assert list(groups) == [*(g.name for g in Placements().groups), "own residential"]
    assert groups["own fostering"].capacity == 90.0
    assert groups["residential"].weekly_cost == 5_500.0
    own = groups["own residential"]
    assert (own.weekly_cost, own.is_internal, own.capacity) == (4_800.0, True, 12.0)
    assert found.new_places == (
        NewPlaces(
            group="own residential",
            places=6.0,
            filled_from="residential",
            start=date(2027, 4, 1),
            scenario="New normal +10%",
            fill_months=9.0,
        ),
    )


def test_a_sheet_of_an_earlier_version_fills_new_places_at_once(template: bytes) -> None:
    parts = parts_of(template)
    text = {
        name: content.replace(b'"fill_months"', b'"my_own"').replace(
            b"<t>fill_months</t>", b"<t>my_own</t>"
        )
        for name, content in parts.items()
        if name.startswith(("xl/tables/", "xl/sharedStrings"))
    }
    old = ClosedWorkbook.from_bytes(packed(parts | text), "book.xlsx")
    assert "my_own" in old.read_table("new_places").columns
    assert read_system(old) == SystemSheet()


def test_a_group_may_not_have_a_name_that_the_results_use(book):
    table = declared.PLACEMENT_COSTS
    blank = row_of(table, "")
    typed(book, table, {(blank, "group"): "All", (blank, "weekly_cost"): 100})
    with pytest.raises(SettingProblemsError, match="another name; the results use this one"):
        read_system(book)


def test_moves_and_the_mix_of_entrants(book):
    typed(book, declared.PLACEMENT_MOVES, {
        (2, "from"): "residential", (2, "to"): "Own fostering", (2, "share_a_month"): 0.01,
    })  # fmt: skip
    typed(book, declared.ENTRANT_MIX, {
        (0, "10 to 15"): 0.25, (1, "10 to 15"): "75%", (0, "UASC"): 0.501, (4, "UASC"): 0.5,
    })  # fmt: skip
    found = read_system(book).inputs.placements
    assert found.moves == {("residential", "own fostering"): 0.01}
    assert found.mix["10 to 15"] == {"kinship": 0.25, "own fostering": 0.75}
    assert sum(found.mix["UASC"].values()) == pytest.approx(1.0), "rounded shares are scaled"
    assert set(found.mix) == {"10 to 15", "UASC"}


def test_a_link_of_ones_own_and_a_link_switched_on(book):
    table = declared.SYSTEM_LINKS
    row = len(LINKS) + 3
    typed(book, table, {
        (0, "on"): "Yes", (0, "reference"): 16,
        (row, "loop"): "Our own", (row, "from"): "cp_open", (row, "to"): "plan_ends",
        (row, "elasticity"): -0.2, (row, "delay_months"): 2, (row, "on"): "Yes",
        (row, "source"): "workshop of May",
    })  # fmt: skip
    links = read_system(book).inputs.links
    assert [link.is_on for link in links] == [True, *[False] * (len(LINKS) - 1), True]
    assert links[0] == replace(LINKS[0], is_on=True, reference=16.0)
    mine = links[-1]
    assert (mine.loop, mine.driver, mine.target, mine.elasticity) == (
        "Our own", "cp_open", "plan_ends", -0.2,
    )  # fmt: skip
    assert (mine.reference, mine.unit, mine.evidence) == (None, "children", "workshop of May")


# --- wrong cells ---------------------------------------------------------------------------------

_COSTS, _SETTINGS = declared.PLACEMENT_COSTS, declared.COST_SETTINGS
_LINKS, _MOVES = declared.SYSTEM_LINKS, declared.PLACEMENT_MOVES
_FORCE, _NEW, _MIX = declared.WORKFORCE_TABLE, declared.NEW_PLACES, declared.ENTRANT_MIX


@pytest.mark.parametrize(
    ("table", "cells", "at", "words"),
    [
        (_COSTS, {(0, "weekly_cost"): "lots"}, (0, "weekly_cost"), '"lots". It must be a number'),
        (_COSTS, {(1, "weekly_cost"): -5}, (1, "weekly_cost"), "from 0 to 100,000"),
        (_COSTS, {(2, "places"): "many"}, (2, "places"), "number"),
        (_COSTS, {(3, "own"): "perhaps"}, (3, "own"), "Yes or No"),
        (_COSTS, {(8, "group"): "kinship"}, (8, "group"), "a name that no other row has"),
        (_COSTS, {(8, "weekly_cost"): 5}, (8, "group"), "a name that no other row has"),
        (_COSTS, {(8, "group"): "tents"}, (8, "weekly_cost"), "pounds a week"),
        (_COSTS, {(4, "group"): "huts"}, (0, "group"), "supported accommodation are missing"),
        (_SETTINGS, {(0, "value"): 7}, (0, "value"), "from -50% to 100%"),
        (_SETTINGS, {(2, "value"): "soon"}, (2, "value"), "a date such as"),
        (_SETTINGS, {(3, "value"): "castle"}, (3, "value"), "one of: kinship"),
        (_SETTINGS, {(4, "value"): 2}, (4, "value"), "from 0% to 100%"),
        (_SETTINGS, {(0, "name"): "deflation"}, (0, "name"), "inflation_a_year"),
        (_FORCE, {(3, "value"): 0.99}, (3, "value"), "from 0% to 95%"),
        (_FORCE, {(1, "value"): 0}, (1, "value"), "from 0.1 to 200"),
        (_NEW, {(0, "group"): "other"}, (0, "places"), "a number"),
        (_NEW, {(0, "group"): "other", (0, "filled_from"): "other", (0, "places"): 2,
                (0, "from"): date(2027, 1, 1)}, (0, "filled_from"), "another group"),
        (_NEW, {(1, "group"): "other", (1, "filled_from"): "kinship", (1, "places"): 2},
         (1, "from"), "a date"),
        (_NEW, {(0, "places"): 6}, (0, "group"), "one of: kinship"),
        (_NEW, {(0, "group"): "other", (0, "filled_from"): "kinship", (0, "places"): 2,
                (0, "from"): date(2027, 4, 1), (0, "fill_months"): 999},
         (0, "fill_months"), "fill months"),
        (_NEW, {(0, "scenario"): "Martians", (0, "group"): "other", (0, "places"): 1},
         (0, "scenario"), "one of: Baseline"),
        (_MIX, {(0, "Under 1"): 0.5, (1, "Under 1"): 0.4}, (0, "Under 1"), "add up to 90%"),
        (_MIX, {(0, "UASC"): 1.5}, (0, "UASC"), "from 0% to 100%"),
        (_MIX, {(8, "group"): "castle", (8, "UASC"): 1}, (8, "group"), "one of: kinship"),
        (_MIX, {(8, "group"): "kinship", (8, "UASC"): 1}, (8, "group"), "no other row"),
        (_MOVES, {(0, "from"): "other", (0, "to"): "other", (0, "share_a_month"): 0.1},
         (0, "to"), "another group"),
        (_MOVES, {(0, "from"): "other", (0, "to"): "kinship", (0, "share_a_month"): 0.7,
                  (1, "from"): "other", (1, "to"): "adoption", (1, "share_a_month"): 0.7},
         (1, "share_a_month"), "100% or less"),
        (_MOVES, {(0, "from"): "other", (0, "to"): "kinship"}, (0, "share_a_month"), "a number"),
        (_LINKS, {(0, "from"): "case load"}, (0, "from"), "no variable of this name"),
        (_LINKS, {(0, "to"): "cla_open"}, (0, "to"), "cannot be driven"),
        (_LINKS, {(1, "elasticity"): "strong"}, (1, "elasticity"), "a number from -3 to 3"),
        (_LINKS, {(1, "elasticity"): None}, (1, "elasticity"), "such as 0.5"),
        (_LINKS, {(2, "delay_months"): 500}, (2, "delay_months"), "from 0 to 120"),
        (_LINKS, {(0, "reference"): 0}, (0, "reference"), "above 0"),
        (_LINKS, {(0, "reference"): 4, (0, "unit"): "children"}, (0, "unit"), "cases per worker"),
        (_LINKS, {(0, "on"): "often"}, (0, "on"), "Yes or No"),
        (_LINKS, {(1, "to"): "absence_share"}, (1, "to"), "already links"),
        (_LINKS, {(4, "on"): "Yes"}, (4, "from"), "Places are typed in the column places"),
        (_LINKS, {(5, "from"): "spare_places", (5, "unit"): "places", (5, "on"): "Yes"},
         (5, "from"), "Spare places needs the number of the authority's own places"),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_named_with_what_to_do(book, table, cells, at, words):
    typed(book, table, cells)
    found = problems(book)
    place = address(table, *at)
    mine = [line for line in found if line.startswith(f"{place}:")]
    assert len(mine) == 1, found
    assert words in mine[0]


def test_all_wrong_cells_are_named_at_once_and_with_those_of_other_sheets(book):
    typed(book, _COSTS, {(0, "weekly_cost"): "lots"})
    typed(book, _LINKS, {(0, "from"): "nothing", (3, "elasticity"): 9})
    typed(book, _FORCE, {(3, "value"): "a few"})
    found = problems(book)
    assert [line.split(":")[0] for line in found] == [
        address(_COSTS, 0, "weekly_cost"),
        address(_FORCE, 3, "value"),
        address(_LINKS, 3, "elasticity"),
        address(_LINKS, 0, "from"),
    ]
    with pytest.raises(SettingProblemsError) as caught:
        read_inputs(book)
    assert set(found) <= set(caught.value.problems)


def test_links_from_places_wait_only_for_places_that_are_really_blank(book):
    on = {(row, "on"): "Yes" for row in (4, 5)}
    typed(book, _LINKS, on)
    assert [line.split(":")[0] for line in problems(book)] == [
        address(_LINKS, 4, "from"),
        address(_LINKS, 5, "from"),
    ]
    bought = row_of(_COSTS, "residential")
    typed(book, _COSTS, {(bought, "places"): 12})
    assert len(problems(book)) == 2, "places of others' homes are not the authority's own"
    own = row_of(_COSTS, "own fostering")
    typed(book, _COSTS, {(own, "places"): "many"})
    (line,) = problems(book)
    assert line.startswith(f"{address(_COSTS, own, 'places')}:"), "not blank: wrong, and said once"
    typed(book, _COSTS, {(own, "places"): 90})
    assert sum(link.is_on for link in read_system(book).inputs.links) == 2


def test_groups_are_known_to_other_sheets_whatever_else_is_wrong(book):
    blank = row_of(_COSTS, "")
    typed(book, _COSTS, {(blank, "group"): "Own residential", (blank, "weekly_cost"): 4_800,
                         (blank, "own"): "Yes"})  # fmt: skip
    typed(book, _LINKS, {(4, "on"): "Yes"})
    assert len(problems(book)) == 1
    names = [group.name for group in read_placement_groups(book)]
    assert names == [*(g.name for g in Placements().groups), "own residential"]
    assert read_placement_groups(OlderBook()) == Placements().groups


def test_a_link_of_unknown_name_below_a_gap_is_named_by_its_own_row(book):
    row = len(LINKS) + 5
    typed(book, _LINKS, {(row, "loop"): "Ours", (row, "from"): "caseload", (row, "to"): "luck",
                         (row, "elasticity"): 1})  # fmt: skip
    (line,) = problems(book)
    assert line.startswith(f"{address(_LINKS, row, 'to')}:")


# --- the sheet itself ----------------------------------------------------------------------------


def sheet_xml(template: bytes) -> str:
    parts = parts_of(template)
    workbook = parts["xl/workbook.xml"].decode()
    number = re.findall(r'<sheet name="([^"]*)"', workbook).index("System") + 1
    return parts[f"xl/worksheets/sheet{number}.xml"].decode()


def test_every_blue_cell_has_a_plain_prompt(template):
    xml = sheet_xml(template)
    covered: set[tuple[str, int]] = set()
    for rule in re.findall(r"<dataValidation .*?(?:/>|</dataValidation>)", xml, re.DOTALL):
        reference = re.search(r'sqref="([^"]*)"', rule)
        assert reference
        assert re.search(r'prompt="[^"]{8,}"', rule), rule
        for place in reference[1].split():
            match = re.fullmatch(r"([A-Z]+)(\d+)(?::\1(\d+))?", place)
            assert match, place
            first, last = int(match[2]), int(match[3] or match[2])
            cells = {(match[1], row) for row in range(first, last + 1)}
            assert not covered & cells, "Excel refuses two rules for one cell"
            covered |= cells
    for table in declared.TABLES:
        rows = declared.default_rows()[table.name]
        for offset, row in enumerate(rows):
            for index, column in enumerate(table.columns):
                shipped = column.name == "group" and table in (_COSTS, _MIX) and row[0]
                if column.is_input and not shipped:
                    place = (chr(ord("A") + index), table.first_row + 1 + offset)
                    assert place in covered, (table.name, place)


def test_drop_downs_offer_the_engines_names(template):
    xml = sheet_xml(template)
    sheet = ClosedWorkbook.from_bytes(template, "book.xlsx").read_sheet("System").cells
    for area, expected in (
        (declared.DRIVER_NAMES, DRIVERS),
        (declared.TARGET_NAMES, TARGETS),
        (declared.GROUP_LIST, declared.GROUP_NAMES),
    ):
        row, column = area.corner
        letter = chr(ord("A") + column)
        assert f"<formula1>${letter}${row + 1}:${letter}${row + area.rows}</formula1>" in xml
        found = tuple(sheet[row : row + area.rows, column])
        assert found[: len(expected)] == expected
        assert not any(found[len(expected) :])


def test_tables_do_not_touch_and_the_caution_stands_on_top(template):
    spans = [(t.first_row, t.first_row + t.room) for t in declared.TABLES]
    for (_, end), (start, _) in pairwise(spans):
        assert start - end >= 3, "a blank row, a heading and a line between"
    book = ClosedWorkbook.from_bytes(template, "book.xlsx")
    assert "not in itself a better outcome" in str(book.read_sheet("System").cells[4, 0])
    assert [len(declared.default_rows()[t.name]) for t in declared.TABLES] == [
        t.room for t in declared.TABLES
    ]
    assert declared.ENTRANT_MIX.headings[1:] == CARE_SEGMENTS
