"""Writing into a workbook full of the user's own things: they survive byte for byte."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
import python_calamine
from rich_workbook import MACROS, PICTURE, edited, packed, parts_of, rich_workbook
from synthetic_forecast import SCENARIOS, Case, run_case

from demand_addin.closed import ClosedWorkbook, pastexml, sheetxml, spans, weave
from demand_addin.closed.cells import CellWriter, clean_text
from demand_addin.closed.weave import FormulaCell, Patch
from demand_addin.layout import SHEETS
from demand_addin.plan import plan_check, plan_run
from demand_addin.ports import BookPlan, RangeValues, SheetRows, TableValues
from demand_model.annex_a.raw import CellError
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.unit

OWNED = re.compile(r"xl/(worksheets/sheet(?!77)\d+|tables/table4\d+|workbook)\.xml")
"""The user's own sheet is number 77."""


@pytest.fixture(scope="module")
def case() -> Case:
    return run_case()


@pytest.fixture(scope="module")
def plan(case: Case) -> BookPlan:
    return plan_run(
        check=case.check,
        rates=case.rates,
        forecast=case.forecast,
        scenario_names=SCENARIOS,
        choices=case.choices,
        log=case.log,
        overrides={"plan_ends|3 to 6 months|all": 0.05, "gone|for|ever": 1.5},
    )


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return rich_workbook(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def written(rich: bytes, plan: BookPlan) -> bytes:
    return wrote(rich, plan)


def part_of(sheet: str) -> str:
    """Return the part that holds a sheet of the product's."""
    return f"xl/worksheets/sheet{[spec.name for spec in SHEETS].index(sheet) + 1}.xml"


def wrote(data: bytes, plan: BookPlan) -> bytes:
    book = ClosedWorkbook(data, "book.xlsm")
    book.write(plan)
    return book.to_bytes()


def stored(data: bytes) -> dict[str, bytes]:
    """Every part's bytes as they lie in the archive, still compressed."""
    out = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            name, extra = struct.unpack_from("<2H", data, info.header_offset + 26)
            start = info.header_offset + 30 + name + extra
            out[info.filename] = data[start : start + info.compress_size]
    return out


def test_every_part_that_is_not_rewritten_keeps_its_stored_bytes(rich, written):
    before, after = stored(rich), stored(written)
    # Sheet Rates has formulas now: Excel makes its calculation chain anew.
    kept = [name for name in before if name != "xl/calcChain.xml"]
    assert kept == list(after)
    changed = {name for name in kept if before[name] != after[name]}
    assert {name for name in changed if not OWNED.fullmatch(name)} == {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
    }
    assert len(changed) > 10


def test_the_users_own_things_are_there_and_unchanged(rich, written):
    before, after = parts_of(rich), parts_of(written)
    mine = [name for name in before if "77" in name or name.endswith(("vbaProject.bin", ".png"))]
    assert len(mine) == 9
    assert all(before[name] == after[name] for name in mine)
    assert after["xl/vbaProject.bin"] == MACROS
    assert after["xl/media/image77.png"] == PICTURE
    assert b"zz_mine" in after["xl/workbook.xml"]


def test_the_products_charts_drawings_styles_and_strings_are_unchanged(rich, written):
    before, after = parts_of(rich), parts_of(written)
    ours = [
        name
        for name in before
        if name.startswith(("xl/charts/", "xl/drawings/", "xl/theme/"))
        or name in ("xl/styles.xml", "xl/sharedStrings.xml")
    ]
    assert len(ours) >= 18
    assert all(before[name] == after[name] for name in ours)


def test_outside_the_rows_an_owned_sheet_keeps_its_bytes(rich, written):
    before, after = parts_of(rich), parts_of(written)
    for number in range(1, len(SHEETS) + 1):
        name = f"xl/worksheets/sheet{number}.xml"
        for pattern in (
            rb"^.*?(?=<dimension)",
            rb"<sheetViews>.*?(?=<sheetData)",
            rb"</sheetData>.*$",
        ):
            old, new = (re.search(pattern, p[name], re.DOTALL) for p in (before, after))
            if old is not None and new is not None:
                assert old.group() == new.group(), (name, pattern)


def test_excel_is_asked_to_calculate_on_opening(rich, written):
    assert b"fullCalcOnLoad" not in parts_of(rich)["xl/workbook.xml"]
    assert parts_of(written)["xl/workbook.xml"].count(b'fullCalcOnLoad="1"') == 1


def test_the_archive_verifies_and_both_readers_agree(written, case):
    assert zipfile.ZipFile(io.BytesIO(written)).testzip() is None
    wb = openpyxl.load_workbook(io.BytesIO(written), data_only=True)
    table = wb["Forecast"].tables["forecast"]
    rows = list(wb["Forecast"].iter_rows(min_row=6, max_col=12, values_only=True))
    assert table.ref == f"A5:L{5 + len(case.forecast.table)}"
    assert table.autoFilter.ref == table.ref
    assert len(rows) == len(case.forecast.table)
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(written))
    seen = sheet.get_sheet_by_name("Forecast").to_python()[5:]
    assert (
        [r[:4] for r in rows[:50]]
        == [
            [datetime(r[0].year, r[0].month, r[0].day), *r[1:4]]  # noqa: DTZ001
            if isinstance(r[0], date)
            else r[:4]
            for r in seen[:50]
        ]
        or [tuple(r[1:4]) for r in rows] == [tuple(r[1:4]) for r in seen]
    )
    assert [r[4] for r in rows] == pytest.approx([r[4] for r in seen])


def test_dates_look_like_dates_and_styles_follow_the_first_row(written):
    wb = openpyxl.load_workbook(io.BytesIO(written))
    ws = wb["Forecast"]
    assert ws["A6"].value == datetime(2026, 4, 30)  # noqa: DTZ001
    assert ws["A900"].number_format == ws["A6"].number_format == "dd/mm/yyyy"
    assert ws["E900"].number_format == "#,##0.0"
    assert not wb["Rates"]["K9"].protection.locked
    assert wb["Rates"]["J9"].protection.locked


def test_live_checks_keep_their_formulas_with_fresh_results(written):
    formulas = openpyxl.load_workbook(io.BytesIO(written))["Checks"]
    results = openpyxl.load_workbook(io.BytesIO(written), data_only=True)
    assert formulas["A2"].value.startswith("=IF(")
    assert results["Checks"]["A2"].value == "All checks pass"
    assert results["Forecast"]["A2"].value == "All checks pass"
    assert [results["Checks"][f"A{row}"].value for row in range(6, 11)] == ["OK"] * 5


def test_writing_the_same_again_changes_nothing_but_the_log(written, plan):
    again = parts_of(wrote(written, plan))
    before = parts_of(written)
    changed = {name for name in before if before[name] != again[name]}
    log = next(
        name for name, xml in before.items() if name.startswith("xl/tables/") and b"run_log" in xml
    )
    assert changed == {log, part_of("Run log")}


def test_a_check_writes_no_forecast(written, case):
    after = parts_of(wrote(written, plan_check(case.check)))
    before = parts_of(written)
    names = [spec.name for spec in SHEETS]
    for sheet in names[names.index("Rates") :]:
        name = part_of(sheet)
        stripped = [re.sub(rb"<c r=\"A2\".*?</c>", b"", p[name], count=1) for p in (before, after)]
        assert stripped[0] == stripped[1]


def test_an_override_survives_a_run_even_where_its_rate_is_gone(written):
    table = ClosedWorkbook(written, "b.xlsx").read_table("rates")
    at = table.columns.index("override")
    own = {row[0]: row[at] for row in table.rows if row[at] is not None}
    assert own == {"plan_ends|3 to 6 months|all": 0.05, "gone|for|ever": 1.5}


def test_notes_beside_a_table_survive_and_below_it_are_never_overwritten(rich, plan):
    parts = parts_of(rich)
    part = part_of("Forecast")
    row = re.search(rb'<row r="6"[^>]*>.*?</row>', parts[part]).group()
    note = b'<c r="N6" t="inlineStr"><is><t>mine</t></is></c>'
    beside = packed(edited(parts, part, row, row.replace(b"</row>", note + b"</row>")))
    assert note in parts_of(wrote(beside, plan))[part]

    below = b'<row r="40"><c r="B40" t="inlineStr"><is><t>mine</t></is></c></row></sheetData>'
    blocked = packed(edited(parts, part, b"</sheetData>", below))
    book = ClosedWorkbook(blocked, "book.xlsx")
    with pytest.raises(
        InvalidInputError, match=r"Forecast!B40 is in the way .*Nothing was written"
    ):
        book.write(plan)
    assert book.to_bytes() == blocked


def test_a_renamed_table_and_a_deleted_name_are_said(rich, plan):
    parts = parts_of(rich)
    part = next(n for n, x in parts.items() if n.startswith("xl/tables/") and b'"forecast"' in x)
    other = parts | {part: parts[part].replace(b'"forecast"', b'"mine"')}
    with pytest.raises(
        InvalidInputError, match=r"table forecast was not found.*Nothing was written"
    ):
        ClosedWorkbook(packed(other), "b.xlsx").write(plan)
    other = edited(parts, "xl/workbook.xml", b'name="dash_basis"', b'name="dash_mine"')
    with pytest.raises(InvalidInputError, match="named cell dash_basis was not found"):
        ClosedWorkbook(packed(other), "b.xlsx").write(plan)


def test_a_renamed_sheet_is_found_by_its_tables_but_a_paste_sheet_is_asked_for(rich, plan):
    parts = parts_of(rich)
    book = parts["xl/workbook.xml"]
    moved = parts | {
        "xl/workbook.xml": book.replace(b'name="Forecast"', b'name="Outlook"').replace(
            b">Forecast!", b">Outlook!"
        )
    }
    opened = ClosedWorkbook(packed(moved), "b.xlsx")
    opened.write(plan)
    assert opened.read_table("forecast").sheet == "Outlook"
    gone = packed(edited(parts, "xl/workbook.xml", b'name="List 7"', b'name="Seven"'))
    with pytest.raises(
        InvalidInputError, match="sheet List 7 was not found, so nothing was written"
    ):
        ClosedWorkbook(gone, "b.xlsx").write(
            BookPlan(sheets=(SheetRows(sheet="List 7", rows=(("a",),)),))
        )


def test_a_total_row_and_a_table_on_a_paste_sheet_are_refused(rich, plan):
    parts = parts_of(rich)
    part = next(n for n, x in parts.items() if n.startswith("xl/tables/") and b'"rates"' in x)
    total = packed(edited(parts, part, b"totalsRowShown", b'totalsRowCount="1" x'))
    with pytest.raises(InvalidInputError, match="total row"):
        ClosedWorkbook(total, "b.xlsx").write(plan)


def test_a_filter_left_on_is_cleared_so_that_no_row_is_hidden(rich):
    parts = parts_of(rich)
    part = next(n for n, x in parts.items() if n.startswith("xl/tables/") and b'"row_tallies"' in x)
    ref = re.search(rb'<autoFilter ref="([^"]+)"/>', parts[part]).group()
    filtered = ref.replace(b"/>", b'><filterColumn colId="0"><filters><filter val="x"/></filters>'
                           b"</filterColumn></autoFilter>")  # fmt: skip
    other = edited(parts, part, ref, filtered)
    other = edited(other, part_of("Checks"), b'<row r="24"', b'<row r="24" hidden="1"')
    values = TableValues(name="row_tallies", columns=("list", "found"), rows=(("List 3", 1),))
    after = parts_of(wrote(packed(other), BookPlan(tables=(values,))))
    assert b"filterColumn" not in after[part]
    assert (
        b'hidden="1"' not in re.search(rb'<row r="24".*?</row>', after[part_of("Checks")]).group()
    )


def test_a_formula_of_the_users_in_an_override_cell_becomes_its_value_and_leaves_the_chain(
    rich, plan
):
    parts = parts_of(rich)
    part = part_of("Rates")
    cell = re.search(rb'<c r="K6"( s="\d+")?/>', parts[part])
    typed = b'<c r="K6"' + (cell.group(1) or b"") + b"><f>0.04*1.25</f><v>0.05</v></c>"
    other = packed(edited(parts, part, cell.group(), typed))
    assert "xl/calcChain.xml" in parts
    after = parts_of(wrote(other, plan))
    assert b"<f>0.04" not in after[part]
    assert "xl/calcChain.xml" not in after
    assert b"calcChain" not in after["[Content_Types].xml"] + after["xl/_rels/workbook.xml.rels"]


def test_pasted_text_never_becomes_a_formula(rich):
    dangers = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("x")', "_x003D_1")
    rows = SheetRows(sheet="List 3", rows=(("Free text",), *((text,) for text in dangers)))
    data = wrote(rich, BookPlan(sheets=(rows,)))
    part = parts_of(data)["xl/worksheets/sheet2.xml"]
    assert b"<f" not in part
    ws = openpyxl.load_workbook(io.BytesIO(data))["List 3"]
    assert [ws.cell(i, 1).data_type for i in range(2, 9)] == ["s"] * 7
    assert [ws.cell(i, 1).value for i in range(2, 8)] == list(dangers[:6])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not an Excel workbook"),
        (b"name,date\n1,2\n", "is not an Excel workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "password protected"),
        (b"PK\x03\x04" + b"\x00" * 80, "damaged"),
    ],
)
def test_what_is_not_a_workbook_is_refused(data, says):
    with pytest.raises(InvalidInputError, match=says):
        ClosedWorkbook(data, "book.xlsx")


def test_strict_binary_and_declared_entities_are_refused(rich):
    parts = parts_of(rich)
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strict = edited(
        parts, "xl/workbook.xml", main, b"http://purl.oclc.org/ooxml/spreadsheetml/main"
    )
    entity = edited(
        parts,
        part_of("Rates"),
        b"<worksheet",
        b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet',
    )
    binary = {**parts, "xl/workbook.bin": b"x"}
    for other, says in ((strict, "Strict"), (entity, "entities"), (binary, "binary")):
        with pytest.raises(InvalidInputError, match=says):
            ClosedWorkbook(packed(other), "book.xlsx")


def test_a_1904_workbook_gets_its_own_day_numbers(rich):
    parts = edited(parts_of(rich), "xl/workbook.xml", b"<workbookPr ", b'<workbookPr date1904="1" ')
    values = TableValues(
        name="windows", columns=("list", "window_start"), rows=(("List 3", date(2026, 4, 1)),)
    )
    data = wrote(packed(parts), BookPlan(tables=(values,)))
    ws = openpyxl.load_workbook(io.BytesIO(data))["Checks"]
    assert ws["B15"].value == datetime(2026, 4, 1)  # noqa: DTZ001


PREFIXED = (
    '<?xml version="1.0" encoding="utf-8"?><x:worksheet xmlns:x="urn:x"><x:dimension ref="A1"/>'
    '<x:sheetData><x:row r="2" spans="1:3" x:ht="9"><x:c r="A2" s="4"><x:v>1</x:v></x:c>'
    '<x:c r="C2" t="str"><x:f>1&gt;0</x:f><x:v>é</x:v></x:c></x:row><x:row r="5"/></x:sheetData>'
    "<x:legacy a='>'/></x:worksheet>"
).encode()


def test_a_formula_of_the_products_own_is_woven_in_with_its_result():
    sheet = sheetxml.scan(PREFIXED)
    formula = FormulaCell('IF(a[[#This Row],[b]]>0,"<",1)', 0.25)
    patch = Patch(top=2, columns=(1, 2), rows=[(formula, "=1+1")], bottom=2)
    out = weave.patched(sheet, [patch], date_1904=False)
    assert out.changed_formulas, "the calculation chain does not know the cell"
    assert (
        '<x:c r="A2" s="4"><x:f>IF(a[[#This Row],[b]]&gt;0,"&lt;",1)</x:f><x:v>0.25</x:v></x:c>'
        '<x:c r="B2" t="inlineStr">' in out.data.decode()
    ), "a value that looks like a formula stays text"
    again = Patch(top=2, columns=(3,), rows=[(FormulaCell("2>0", True),)], bottom=2)
    out = weave.patched(sheet, [again], date_1904=False)
    assert not out.changed_formulas, "there was a formula in that cell already"
    assert '<x:c r="C2" t="b"><x:f>2&gt;0</x:f><x:v>1</x:v></x:c>' in out.data.decode()


def test_prefixes_attributes_and_neighbours_survive_a_weave():
    patch = Patch(top=2, columns=(1, 2), rows=[(7, "<b>")], bottom=2, style_row=2)
    out = weave.patched(sheetxml.scan(PREFIXED), [patch], date_1904=False)
    assert not out.changed_formulas
    text = out.data.decode()
    assert (
        '<x:row r="2" x:ht="9"><x:c r="A2" s="4"><x:v>7</x:v></x:c><x:c r="B2" t="inlineStr">'
        '<x:is><x:t xml:space="preserve">&lt;b&gt;</x:t></x:is></x:c><x:c r="C2" t="str">'
        '<x:f>1&gt;0</x:f><x:v>é</x:v></x:c></x:row><x:row r="5"/></x:sheetData>' in text
    )
    assert '<x:dimension ref="A2:C2"/>' in text
    assert text.endswith("<x:legacy a='>'/></x:worksheet>")


def test_an_empty_sheet_can_be_filled_and_an_array_formula_is_not_cut():
    empty = b'<worksheet><sheetData/><pages left="1"/></worksheet>'
    patch = Patch(top=3, columns=(2,), rows=[(1.5,)], bottom=3)
    out = weave.patched(sheetxml.scan(empty), [patch], date_1904=False).data
    assert b'<sheetData><row r="3"><c r="B3"><v>1.5</v></c></row></sheetData><pages' in out
    assert pastexml.replaced(empty, ["<c/>"], "A1") == (
        b'<worksheet><sheetData><row r="1"><c/></row></sheetData><pages left="1"/></worksheet>'
    )
    array = (b'<worksheet><sheetData><row r="1"><c r="A1"><f t="array" ref="A1:A9">x</f></c>'
             b"</row></sheetData></worksheet>")  # fmt: skip
    with pytest.raises(weave.FormulaInTheWayError, match="A1:A9"):
        weave.patched(
            sheetxml.scan(array),
            [Patch(top=1, columns=(1,), rows=[(1,)], bottom=1)],
            date_1904=False,
        )


@pytest.mark.parametrize(
    "xml",
    [
        b"<worksheet><sheetData><row><c r='A1'/></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row r='1'><c/></row></sheetData></worksheet>",
        b"<worksheet/>",
        b"<worksheet><sheetData>",
        b'<?xml version="1.0" encoding="utf-16"?><worksheet><sheetData/></worksheet>',
    ],
)
def test_xml_that_cannot_be_placed_is_refused(xml):
    with pytest.raises(spans.UnreadableXmlError):
        sheetxml.scan(xml)


@pytest.mark.parametrize(
    ("value", "serial"),
    [
        (date(1900, 1, 1), 1),
        (date(1900, 2, 28), 59),
        (date(1900, 3, 1), 61),
        (date(2026, 3, 31), 46112),
        (datetime(2026, 3, 31, 12), 46112.5),  # noqa: DTZ001
        (date(1899, 12, 30), None),
    ],
)
def test_serial_numbers_are_excels(value, serial):
    assert CellWriter().serial(value) == serial


def test_values_that_xml_cannot_hold_are_cleaned_or_refused():
    assert clean_text("a\x00b\ud800c\r\nd") == "abc\nd"
    assert clean_text("x" * 40_000) == "x" * 32_767
    assert clean_text("_x0041_") == "_x005F_x0041_"
    with pytest.raises(ValueError, match="not finite"):
        CellWriter().cell("A1", "", float("nan"))
    assert 't="e"' in CellWriter().cell("A1", "", CellError("#N/A"))


def test_a_block_too_large_for_its_name_is_refused(rich):
    plan = BookPlan(ranges=(RangeValues(name="dash_basis", rows=((1,),) * 9),))
    with pytest.raises(InvalidInputError, match="too small"):
        ClosedWorkbook(rich, "b.xlsx").write(plan)
