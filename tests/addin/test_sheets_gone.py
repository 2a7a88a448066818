"""Every sheet of the workbook deleted, or renamed: a run says what it misses, or works on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from rich_workbook import packed, parts_of

from cli_cases import imported_sample
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands import fitting, run
from demand_addin.commands.check import finding_lines, stop_sentence
from demand_addin.commands.inputs import read_inputs
from demand_addin.commands.older_book import FEEDS, fitted
from demand_addin.layout import SHEETS, what_if
from demand_addin.layout.declare import Kind
from demand_addin.ports import BookPlan, RangeValues
from demand_addin.progress import silent
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.unit

NOW = datetime(2026, 4, 3, 9, 30, tzinfo=UTC)
LISTS = ("List 3", "List 7", "List 8")
OPTIONAL = ("List 4", "List 6", "History")
"""Sheets that a run does without, and says nothing of."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return imported_sample(tmp_path_factory.mktemp("gone"), horizon_months=6).read_bytes()


@pytest.fixture(scope="module", autouse=True)
def computed_once() -> Iterator[None]:
    """Fit and forecast the same lists once only: these tests are about what is written where."""
    patch, known = pytest.MonkeyPatch(), {}
    for module, name in ((fitting, "fit"), (run, "forecast_fitted")):
        compute = getattr(module, name)

        def once(*given, compute=compute, name=name, **named):
            if name not in known:
                known[name] = compute(*given, **named)
            return known[name]

        patch.setattr(module, name, once)
    yield
    patch.undo()


def ran(book: ClosedWorkbook) -> tuple[str, ...]:
    """Write what a run writes; return what it says of the workbook."""
    settings = read_inputs(book).with_options(draws=100)
    plan, done = run.run_on(book, settings, now=NOW, progress=silent)
    if plan is None:
        return (stop_sentence(done.check, "x"), *finding_lines(done.check.findings.stops))
    written, notes = fitted(book, plan)
    book.write(written)
    return notes


def without(data: bytes, name: str) -> bytes:
    """Return a workbook as Excel leaves it when a sheet was deleted."""
    parts = parts_of(data)
    part = f"xl/worksheets/sheet{[s.name for s in SHEETS].index(name) + 1}.xml"
    quoted = rf"(?:'{re.escape(name)}'|{re.escape(name)})!"
    xml, gone = re.subn(
        f'<sheet name="{escape(name)}"[^>]*/>', "", parts["xl/workbook.xml"].decode()
    )
    assert gone == 1
    named = rf"<definedName [^>]*>{quoted}[^<]*</definedName>"
    parts["xl/workbook.xml"] = re.sub(named, "", xml).encode()
    assert parts.pop(part)
    for other in [p for p in parts if p.startswith("xl/worksheets/sheet")]:
        parts[other] = _lost(parts[other].decode(), quoted).encode()
    return packed(parts)


def _lost(sheet: str, quoted: str) -> str:
    """Turn what a sheet drew from a deleted one into #REF!."""
    if not re.search(quoted, sheet):
        return sheet
    cell = rf'<c r="(\w+)"([^>]*)><f>([^<]*{quoted}[^<]*)</f>(?:<v>[^<]*</v>)?</c>'
    lost = r'<c r="\1" t="e"><f>#REF!</f><v>#REF!</v></c>'
    return re.sub(cell, lost, sheet)


@pytest.mark.parametrize("name", [spec.name for spec in SHEETS])
def test_a_deleted_sheet_is_named_in_the_runs_notes_or_refused(sample: bytes, name: str) -> None:
    book = ClosedWorkbook(without(sample, name), "book.xlsx")
    before = book.to_bytes()
    try:
        said = "\n".join(ran(book))
    except InvalidInputError as error:
        said = str(error)
        assert book.to_bytes() == before
    else:
        assert (book.to_bytes() == before) == (name in LISTS)
    if name in OPTIONAL:
        assert said == ""
        return
    assert re.search(rf"\b{re.escape(name)}\b", said), said
    if name in FEEDS:
        assert f"has no sheet {name} (sheet {FEEDS[name]} draws on it): " in said


def test_sheets_renamed_all_at_once_are_found(sample: bytes) -> None:
    parts = parts_of(sample)
    xml = parts["xl/workbook.xml"].decode()
    kept = {spec.name for spec in SHEETS if spec.kind is Kind.PASTE and spec.list_number}
    for number, spec in enumerate(SHEETS):
        if spec.name in kept:
            continue
        new = f"My sheet {number}"
        xml, named = re.subn(f'<sheet name="{escape(spec.name)}"', f'<sheet name="{new}"', xml)
        assert named == 1
        xml = re.sub(rf">(?:'{re.escape(spec.name)}'|{re.escape(spec.name)})!", f">'{new}'!", xml)
    parts["xl/workbook.xml"] = xml.encode()
    renamed = ClosedWorkbook(packed(parts), "book.xlsx")
    plain = ClosedWorkbook(sample, "book.xlsx")
    assert ran(renamed) == ran(plain) == ()
    assert not {spec.name for spec in SHEETS} - kept & set(renamed.sheet_names())
    for spec in SHEETS:
        for table in spec.tables:
            assert renamed.read_table(table.name).rows == plain.read_table(table.name).rows
        for area in spec.areas:
            assert renamed.read_name(area.name).value == plain.read_name(area.name).value


def test_every_helper_sheet_says_what_it_is_for() -> None:
    helpers = {spec.name for spec in SHEETS if spec.kind is Kind.HELPER}
    assert helpers == set(FEEDS) | {"Chart data"}, "without Chart data nothing is written"
    assert set(FEEDS.values()) <= {spec.name for spec in SHEETS} - helpers


def test_lacking_helpers_are_named_together(sample: bytes) -> None:
    data = without(without_two(sample, "Maps data"), "What-if data")
    (note,) = ran(ClosedWorkbook(data, "book.xlsx"))
    assert note.startswith(
        "book.xlsx has no sheets Maps data (sheet Maps draws on it) and What-if data (sheet "
        "What-if draws on it): an earlier version made the workbook, or they were deleted."
    )


def without_two(data: bytes, name: str) -> bytes:
    """Delete one sheet by its entry only, so that the others keep their parts' numbers."""
    parts = parts_of(data)
    xml = re.sub(f'<sheet name="{name}"[^>]*/>', "", parts["xl/workbook.xml"].decode())
    parts["xl/workbook.xml"] = re.sub(
        rf"<definedName [^>]*>'{name}'![^<]*</definedName>", "", xml
    ).encode()
    return packed(parts)


def test_a_check_says_nothing_of_sheets_that_it_does_not_write(sample: bytes) -> None:
    book = ClosedWorkbook(without(sample, "What-if workings"), "book.xlsx")
    assert fitted(book, BookPlan()) == (BookPlan(), ())


def test_a_run_says_which_typed_costs_stand_beside_another_group(sample: bytes) -> None:
    book = ClosedWorkbook(sample, "book.xlsx")
    settings = read_inputs(book).with_options(draws=100)
    plan, first = run.run_on(book, settings, now=NOW, progress=silent)
    assert plan is not None
    assert not [note for note in first.notes if "weekly cost" in note]
    before = next(r for r in plan.ranges if r.name == what_if.PLACEMENTS.name)
    costs = ((900.0,), *[(None,)] * (what_if.GROUP_ROOM - 1))
    rows = (before.rows[1], before.rows[0], *before.rows[2:])
    typed = RangeValues(name=what_if.UNIT_COSTS.name, rows=costs)
    book.write(BookPlan(ranges=(replace(before, rows=rows), typed)))
    _, second = run.run_on(book, settings, now=NOW, progress=silent)
    (said,) = [note for note in second.notes if "weekly cost" in note]
    was, now = (row[0] for row in before.rows[1::-1])
    assert said.startswith(f"What-if!B{what_if.PLACEMENTS_ROW}: ")
    assert f"typed for “{was}” and now stands beside “{now}”" in said
