"""``levers`` on the command line: a board's question answered from a workbook."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import Result
from rich_workbook import packed, parts_of

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import SHEETS, system
from demand_addin.layout import lever_choices as choices
from demand_addin.layout.declare import TableSpec
from demand_addin.ports import BookPlan, CellValue, TableValues

pytestmark = pytest.mark.unit

TRIAGE, REUNIFY, BUILD = (
    "Fewer referrals by 10%",
    "More children go home by 10%",
    "6 new places in own residential, filled from residential",
)


def typed(
    book: Path,
    table: TableSpec,
    rows: tuple[tuple[CellValue, ...], ...],
    cells: Mapping[tuple[int, str], CellValue],
) -> None:
    """Type into an input table as an analyst does, the workbook saved."""
    changed = [list(row) for row in rows]
    for (row, column), value in cells.items():
        changed[row][table.headings.index(column)] = value
    workbook = ClosedWorkbook.open(book)
    values = TableValues(
        name=table.name, columns=table.headings, rows=tuple(tuple(row) for row in changed)
    )
    workbook.write(BookPlan(tables=(values,)))
    book.write_bytes(workbook.to_bytes())


def pull(book: Path, keys: tuple[str, ...], cells: Mapping[tuple[str, str], CellValue]) -> None:
    """Say Yes beside some levers only, and type what else is said of them."""
    rows = choices.default_rows()["lever_settings"]
    names = [row[-1] for row in rows]
    include: dict[tuple[int, str], CellValue] = {
        (n, "include"): "Yes" if name in keys else "No" for n, name in enumerate(names)
    }
    more = {(names.index(key), column): value for (key, column), value in cells.items()}
    typed(book, choices.LEVER_SETTINGS, rows, include | more)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("imported"), horizon_months=12)


@pytest.fixture
def book(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(imported, tmp_path / "book.xlsx"))


@pytest.fixture(scope="module")
def board(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The question of a board paper: triage 10%, reunify 10% faster, or build six places?"""
    book = tmp_path_factory.mktemp("board") / "book.xlsx"
    shutil.copy(imported, book)
    costs = system.default_rows()["placement_costs"]
    blank = [row[0] for row in costs].index(None)
    own = {"group": "own residential", "weekly_cost": 4_500, "own": "Yes"}
    typed(book, system.PLACEMENT_COSTS, costs, {(blank, column): v for column, v in own.items()})
    pull(
        book,
        ("referrals", "reunification", "new_places"),
        {("referrals", "cost_a_year"): 150_000, ("reunification", "cost_a_year"): 200_000},
    )
    how = system.default_rows()["cost_settings"]
    off = [row[-1] for row in how].index(system.UNIT_COST_SD)
    typed(book, system.COST_SETTINGS, how, {(off, "value"): 0.2})
    goal = {"outcome": "Children in care", "target": 45, "lever_1": "More children go home"}
    typed(
        book,
        choices.GOALS,
        choices.default_rows()["goals"],
        {(0, column): value for column, value in goal.items()},
    )
    return book, call("levers", book, *DRAWS)


def rows(book: Path, table: str) -> list[dict[str, object]]:
    found = ClosedWorkbook.open(book).read_table(table)
    return [
        dict(zip(found.columns, row, strict=True))
        for row in found.rows
        if any(value is not None for value in row)
    ]


def test_a_boards_question_is_answered_from_the_workbook(board: tuple[Path, Result]) -> None:
    book, result = board
    assert result.exit_code == 0, result.stderr
    assert "What lowers children in care most by" in result.stdout
    assert "Fewer children in care is not in itself a better outcome" in result.stdout
    assert f"Wrote: {book}" in result.stdout
    assert "Trying the levers" in result.stderr
    found = {row["Lever"]: row for row in rows(book, "levers")}
    assert {TRIAGE, REUNIFY, BUILD, "All levers together"} == set(found)
    triage, reunify, build = found[TRIAGE], found[REUNIFY], found[BUILD]
    # Each with its interval, and with its side effects in the same row.
    for row in (triage, reunify):
        assert row["80% low"] <= row["Effect"] < 0.0
        assert row["80% low"] <= row["80% high"]
    assert triage["Referrals, 12 months"] < 0.0
    assert triage["Protection plans"] < 0.0
    assert triage["Cases per worker"] < 0.0
    assert reunify["Referrals, 12 months"] == reunify["Protection plans"] == 0.0
    # Six places: the same children, elsewhere; fewer bought, and cheaper.
    assert build["Children in care"] == 0.0
    assert build["External share, points"] < 0.0
    assert build["Placements, £000"] < 0.0
    assert build["Whole cost, £000"] == build["Placements, £000"]
    own = reunify["Whole cost, £000"] - reunify["Placements, £000"]
    assert own == pytest.approx(200.0, rel=0.1)  # £200,000 a year, for about a year


def test_every_number_of_the_answer_has_its_range(board: tuple[Path, Result]) -> None:
    book, result = board
    assert "weekly costs that may be off by about 20%" in result.stdout
    found = {row["Lever and range"]: row for row in rows(book, "lever_ranges")}
    build = found[BUILD]
    assert build["Whole cost low"] < build["Whole cost high"] < 0.0
    assert build["External low"] <= build["External high"] < 0.0
    assert found[TRIAGE]["Caseload low"] < found[TRIAGE]["Caseload high"] < 0.0
    for name in (TRIAGE, REUNIFY, BUILD):
        assert re.search(rf"^{re.escape(name)}.*: .*of whole cost \(.* to .*\)\.$",
                         result.stdout, re.MULTILINE)  # fmt: skip
    assert "assumes that none of these referrals comes back" in result.stdout
    assert "not empty places or building" in result.stdout


def test_unit_costs_that_are_taken_as_known_are_said_to_be(book: Path) -> None:
    pull(book, ("new_places", "cin_months"), {})
    result = call("levers", book, *DRAWS)
    assert "weekly unit costs are taken as known" in result.stdout
    found = {row["Lever"]: row for row in rows(book, "levers")}
    closed = found["Children in need closed sooner by 10%"]
    assert closed["Cases per worker"] < 0.0
    assert closed["Children in care"] == closed["Protection plans"] == 0.0
    assert re.search(r"−[\d.]+ children in need \(−", result.stdout)


def test_a_sheet_without_the_table_of_ranges_is_still_filled(book: Path) -> None:
    pull(book, ("reunification",), {})
    parts = parts_of(book.read_bytes())
    tables = {
        name: content.replace(b'"lever_ranges"', b'"my_ranges"')
        for name, content in parts.items()
        if name.startswith("xl/tables/")
    }
    book.write_bytes(packed(parts | tables))
    result = call("levers", book, *DRAWS)
    assert result.exit_code == 0, result.stderr
    assert rows(book, "levers")[0]["Effect"] < 0.0


def test_a_goal_says_what_it_takes_or_that_it_is_out_of_reach(board: tuple[Path, Result]) -> None:
    book, result = board
    (goal,) = rows(book, "goal_answers")
    assert goal["Goal"] == "Children in care: 45"
    assert goal["Within reach"] in ("Yes", "No")
    assert "more children go home by" in str(goal["What it takes"])
    assert "Children in care at 45 by" in result.stdout


def test_nothing_but_its_own_sheets_changes(board: tuple[Path, Result], tmp_path: Path) -> None:
    book, _ = board
    again = tmp_path / "again.xlsx"
    assert call("levers", book, "--out", again, "--seed", "5", *DRAWS).exit_code == 0
    before, after = parts_of(book.read_bytes()), parts_of(again.read_bytes())
    order = [spec.name for spec in SHEETS]
    changed = {n for n in before if n.startswith("xl/worksheets/sheet") and before[n] != after[n]}
    assert changed == {
        f"xl/worksheets/sheet{order.index(name) + 1}.xml" for name in ("Levers", "Levers data")
    }


def test_the_same_seed_gives_the_same_figures_and_json_holds_them(book: Path) -> None:
    pull(book, ("referrals", "reunification"), {})
    found = [
        json.loads(call("levers", book, "--out", book.with_name(n), "--json", *DRAWS).stdout)
        for n in ("a.xlsx", "b.xlsx")
    ]
    assert found[0]["effects"] == found[1]["effects"]
    outcomes = {(row["lever"], row["outcome"]): row for row in found[0]["effects"]}
    assert outcomes["reunification", "cla_open"]["effect"] < 0.0
    assert outcomes["together", "cla_open"]["size"] is None
    assert {b["lever"] for b in found[0]["beats"]} == {"referrals", "reunification", "together"}
    assert found[0]["loops"] == found[0]["goals"] == []
    assert "No feedback loop is on" in found[0]["sentences"][-1]


def test_loops_that_are_on_are_taken_out_one_by_one(book: Path) -> None:
    pull(book, ("reunification",), {})
    links = system.default_rows()["system_links"]
    on = {
        (n, "on"): "Yes" for n, row in enumerate(links) if str(row[0]).startswith(("Delay", "Work"))
    }
    typed(book, system.SYSTEM_LINKS, links, on)
    result = call("levers", book, *DRAWS)
    assert result.exit_code == 0, result.stderr
    assert "Taking loops out: without" in result.stderr
    assert "None of the feedback loops that are on moves children in care" in result.stdout
    names = [row["Behaviour taken out"] for row in rows(book, "loop_effects")]
    assert names == ["Workload–burnout", "Delay in plans and exits", "All of them"]
    assert sum(row["Loop"] is not None for row in rows(book, "closed_loops")) == 6


@pytest.fixture(scope="module")
def places(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Six places are built where own places are full and the loop of free places is on."""
    book = tmp_path_factory.mktemp("places") / "book.xlsx"
    shutil.copy(imported, book)
    costs = system.default_rows()["placement_costs"]
    named = [row[0] for row in costs]
    blank, fostering = named.index(None), named.index("own fostering")
    own = {"group": "own residential", "weekly_cost": 4_500, "own": "Yes"}
    cells: dict[tuple[int, str], CellValue] = {(blank, column): v for column, v in own.items()}
    typed(book, system.PLACEMENT_COSTS, costs, cells | {(fostering, "places"): 30})
    links = system.default_rows()["system_links"]
    on = {(n, "on"): "Yes" for n, row in enumerate(links) if str(row[0]).startswith("Free")}
    typed(book, system.SYSTEM_LINKS, links, on)
    pull(book, ("new_places", "threshold_guard"), {("threshold_guard", "ramp_months"): 0})
    return book, call("levers", book, *DRAWS)


def test_new_places_fill_up_unless_the_threshold_is_guarded(places: tuple[Path, Result]) -> None:
    book, result = places
    assert result.exit_code == 0, result.stderr
    assert "New places stand free until children have moved in" in result.stdout
    found = {row["Lever"]: row for row in rows(book, "levers")}
    built, guard = found[BUILD], found["Threshold for care guarded from free places by 100%"]
    both = found["All levers together"]
    assert built["Children in care"] > both["Children in care"]
    assert built["Children in care"] > 0.0
    # A whole guard leaves nothing to free places, new ones among them.
    assert both["Children in care"] == guard["Children in care"]
    assert built["Whole cost, £000"] > both["Whole cost, £000"]


def test_a_lever_without_effect_says_why(book: Path) -> None:
    pull(book, ("threshold_guard", "reunification", "matching"), {})
    result = call("levers", book, *DRAWS)
    assert result.exit_code == 0, result.stderr
    assert "Threshold for care guarded from free places: no effect here" in result.stdout
    found = {row["Lever"]: row for row in rows(book, "levers")}
    guard = found["Threshold for care guarded from free places by 100%"]
    assert guard["Effect"] == guard["Whole cost, £000"] == 0.0
    assert found["Entrants matched by need to own placements by 10%"]["External share, points"] < 0
    by_need = rows(book, "entrants_by_need")
    assert [row["Need"] for row in by_need][:2] == ["Abuse or neglect", "Child's disability"]
    assert by_need[0]["Matched to"] == "own fostering"
    notes = result.stdout
    assert "Matching by need: about" in notes
    assert "table Entrants by need" in notes


def test_wrong_cells_of_every_sheet_are_named_together(book: Path) -> None:
    before = book.read_bytes()
    pull(book, ("reunification",), {("reunification", "size"): "lots"})
    set_setting(book, "horizon_months", "soon")
    changed = book.read_bytes()
    result = call("levers", book, *DRAWS)
    assert result.exit_code == 1
    assert "Settings!" in result.stderr
    assert re.search(r"Lever choices!C\d+: invalid size", result.stderr)
    assert book.read_bytes() == changed != before


def test_a_date_beyond_the_forecast_is_named(book: Path) -> None:
    basis = choices.default_rows()["lever_basis"]
    row = [r[basis_column()] for r in basis].index(choices.AT)
    typed(book, choices.LEVER_BASIS, basis, {(row, "value"): "31/03/2031"})
    result = call("levers", book, *DRAWS)
    assert result.exit_code == 1
    assert re.search(r"Lever choices!B\d+: invalid date of the effect", result.stderr)


def basis_column() -> int:
    return choices.LEVER_BASIS.headings.index("name")


def test_a_workbook_of_an_earlier_version_is_told(book: Path) -> None:
    parts = parts_of(book.read_bytes())
    text = parts["xl/workbook.xml"].decode()
    text = text.replace('name="Levers"', 'name="Old"')
    tables = {
        name: content.replace(b'"levers"', b'"old_levers"')
        for name, content in parts.items()
        if name.startswith("xl/tables/")
    }
    book.write_bytes(packed(parts | tables | {"xl/workbook.xml": text.encode()}))
    before = book.read_bytes()
    result = call("levers", book, *DRAWS)
    assert result.exit_code == 1
    assert "has no sheet Levers: an earlier version made the workbook" in result.stderr
    assert book.read_bytes() == before


def test_levers_may_be_ranked_by_the_share_in_external_placements(book: Path) -> None:
    """The other headline, with the goal that an authority sets on it: so many per cent."""
    keys = ("reunification", "step_down", "matching")
    pull(book, keys, {("step_down", "size"): 0.5, ("step_down", "cost_a_year"): 100_000})
    basis = choices.default_rows()["lever_basis"]
    row = [r[basis_column()] for r in basis].index(choices.OUTCOME)
    typed(book, choices.LEVER_BASIS, basis, {(row, "value"): "Share in external placements"})
    goals = choices.default_rows()["goals"]
    step_down = "Step-down to the authority's own fostering"
    wanted = {"outcome": "Share in external placements", "lever_1": step_down}
    cells: dict[tuple[int, str], CellValue] = {
        (n, column): value for n in range(2) for column, value in wanted.items()
    }
    typed(book, choices.GOALS, goals, cells | {(0, "target"): 0.4, (1, "target"): 0.01})
    result = call("levers", book, "--json", *DRAWS)
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["outcome"] == "external_share"
    effects = {r["lever"]: r for r in told["effects"] if r["outcome"] == "external_share"}
    assert effects["step_down"]["effect"] < effects["matching"]["effect"] < 0.0
    assert effects["step_down"]["p2_5"] <= effects["step_down"]["effect"]
    best = "What lowers share in external placements most by"
    (said,) = [line for line in told["sentences"] if line.startswith(best)]
    assert "step-down to the authority's own fostering by 50%" in said
    assert "percentage points" in said
    # The sheet: best first, and the children in care beside it as a side effect.
    ranked = rows(book, "levers")
    singles = [str(r["Lever"]) for r in ranked if r["Lever"] != "All levers together"]
    assert singles[0] == f"{step_down} by 50%"
    found = {str(r["Lever"]).split(" by ")[0]: r for r in ranked}
    points = 100.0 * effects["step_down"]["effect"]
    assert found[step_down]["Effect"] == pytest.approx(points, abs=0.051)  # to a decimal
    assert found[step_down]["Children in care"] == 0.0
    reached, impossible = rows(book, "goal_answers")
    assert reached["Goal"] == "Share in external placements: 40.0%"
    assert (reached["Within reach"], impossible["Within reach"]) == ("Yes", "No")
    assert str(impossible["What it takes"]).startswith("Out of reach")
    goals_told = [line for line in told["sentences"] if "external placements at" in line]
    assert re.search(r"at 40\.0% by .*: it takes step-down .* by [\d.]+%", goals_told[0])
    assert re.search(r"at 1\.0% by .*: out of reach .* gives [\d.]+%", goals_told[1])


def test_links_without_their_places_are_named_by_cell_whatever_is_asked(
    book: Path, tmp_path: Path
) -> None:
    links = system.default_rows()["system_links"]
    driver = system.SYSTEM_LINKS.headings.index("from")
    of_places = [n for n, row in enumerate(links) if row[driver] == "occupancy"]
    typed(book, system.SYSTEM_LINKS, links, {(n, "on"): "Yes" for n in of_places})
    letter = chr(ord("A") + driver)
    cells = [f"System!{letter}{system.SYSTEM_LINKS.first_row + 1 + n}:" for n in of_places]
    assert len(cells) == 2
    out = tmp_path / "model.xmile"
    for asked in (("check",), ("run", *DRAWS), ("levers", *DRAWS), ("xmile", "--out", out)):
        command, *options = asked
        result = call(command, book, *options)
        assert result.exit_code == 1, command
        assert all(cell in result.stderr for cell in cells), command
        assert "The lists can be used" not in result.stdout
    assert not out.exists()
