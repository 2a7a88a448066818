"""The template keeps the workbook conventions, sheet by sheet, and works in other programs."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from synthetic_forecast import SCENARIOS

from demand_addin.layout import SETTINGS, SHEETS, status_names
from demand_addin.layout.charts import CHARTS
from demand_addin.layout.pages import PRINTS_TOP_ONLY, print_note_cell
from demand_addin.layout.template import build_template
from demand_model.annex_a.lists_of_need import ALL_LISTS
from demand_model.results.forecast import FORECAST_COLUMNS

pytestmark = pytest.mark.unit

PALETTE = {"12436D", "28A197", "801650", "F46A25", "3D3D3D", "A285D1"}
BANDS = {"CBD5E3", "9DB1CB", "6E8DB3", "7290B6", "BFC7D1", "E1E5EA", "FFFFFF"}
"""Tints of the palette for areas, the rules between them, and paper."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "book.xlsx"
    build_template(path)
    return path


@pytest.fixture(scope="module")
def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def book(path: Path) -> Workbook:
    return openpyxl.load_workbook(path)


def test_building_twice_gives_the_same_bytes(path, tmp_path):
    build_template(tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_sheets_are_those_declared_and_start_is_shown_first(book):
    assert book.sheetnames == [spec.name for spec in SHEETS]
    assert book.active.title == "Start"
    assert book["Start"].sheet_view.selection[0].activeCell == "A1"


@pytest.mark.parametrize("spec", SHEETS, ids=lambda s: s.name)
def test_conventions_of_every_sheet(book, spec):
    ws = book[spec.name]
    assert not ws.merged_cells.ranges
    assert ws.page_setup.paperSize == 9
    assert ws.protection.sheet is spec.is_protected
    assert not ws.protection.password
    if spec.list_number is not None:
        headings = [c.value for c in ws[1] if c.value]
        assert headings == [f.heading for f in ALL_LISTS[spec.list_number].fields]
        return
    assert ws["A1"].value == spec.title
    if spec.shows_status:
        assert ws["A2"].value == "=master_check"
    for table in spec.tables:
        assert len(set(table.headings)) == len(table.headings)
        assert [c.name for c in ws.tables[table.name].tableColumns] == list(table.headings)


def test_every_declared_name_points_where_it_should(book):
    names = {name: defined.attr_text for name, defined in book.defined_names.items()}
    expected = {a.name for spec in SHEETS for a in spec.areas}
    expected |= {s.name for s in SETTINGS} | set(status_names())
    assert expected == set(names)
    assert len(set(names.values())) >= len(names) - 1
    first = names[SETTINGS[0].name]
    assert book["Settings"][first.split("!")[1].replace("$", "")].value == SETTINGS[0].default
    for row, setting in enumerate(SETTINGS, start=6):
        assert names[setting.name] == f"Settings!$B${row}"
        assert book["Settings"][f"A{row}"].value == setting.label


def test_the_forecast_table_has_exactly_the_contracts_columns(book):
    columns = [c.name for c in book["Forecast"].tables["forecast"].tableColumns]
    assert columns == list(FORECAST_COLUMNS)


def test_every_input_has_a_prompt_one_style_and_is_unlocked(book):
    settings = book["Settings"]
    prompts = {str(v.sqref): v for v in settings.data_validations.dataValidation}
    fills = set()
    for row, setting in enumerate(SETTINGS, start=6):
        rule = prompts[f"B{row}"]
        assert setting.note[:40] in rule.prompt
        cell = settings[f"B{row}"]
        assert not cell.protection.locked
        fills.add((cell.fill.fgColor.rgb, cell.font.color.rgb))
        assert settings[f"C{row}"].value
        assert settings[f"F{row}"].value, "a source beside each assumption"
    scenarios = book["Scenarios"]
    fills.add((scenarios["A9"].fill.fgColor.rgb, scenarios["A9"].font.color.rgb))
    override = book["Rates"]["K6"]
    fills.add((override.fill.fgColor.rgb, override.font.color.rgb))
    assert len(fills) == 1, "one input style everywhere"
    assert len(scenarios.data_validations.dataValidation) == 2 * (17 + 2) + 1


def test_a_setting_out_of_bounds_is_stopped_with_a_plain_sentence(book):
    rules = {str(v.sqref): v for v in book["Settings"].data_validations.dataValidation}
    at = {s.key: f"B{row}" for row, s in enumerate(SETTINGS, start=6)}
    horizon = rules[at["horizon_months"]]
    assert (horizon.formula1, horizon.formula2) == ("1", "120")
    assert horizon.error == "Type a whole number from 1 to 120."
    assert rules[at["fan_scenario"]].formula1 == "scenario_names"


DRAWN_FROM = (
    "'Chart data'!",
    "'Costs data'!",
    "'Workforce data'!",
    "'Levers data'!",
    "'Maps data'!",
    "'Journeys data'!",
    "'Accuracy data'!",
    "'What-if workings'!",
)


def test_every_chart_is_native_bound_and_described(parts):
    drawing = parts["xl/drawings/drawing1.xml"].decode()
    assert len(re.findall(r'descr="([^"]+)"', drawing)) == len(CHARTS) == 10
    drawings = [xml.decode() for name, xml in parts.items() if re.match(r"xl/drawings/\w+\.", name)]
    for xml in drawings:
        descriptions = re.findall(r'descr="([^"]+)"', xml)
        assert len(descriptions) == xml.count("<c:chart ")
        assert all(len(text) > 60 for text in descriptions)
    charts = [xml.decode() for name, xml in parts.items() if name.startswith("xl/charts/")]
    for xml in charts:
        references = re.findall(r"<c:f>([^<]+)</c:f>", xml)
        assert references
        assert all(r.startswith(DRAWN_FROM) for r in references)
        if "<c:dateAx>" in xml:
            assert xml.count('<c:baseTimeUnit val="days"/>') == 1
            assert '<c:auto val="0"/>' in xml
            assert '<c:delete val="1"/></c:dateAx>' not in xml
        elif "<c:scatterChart>" not in xml:
            assert "<c:cat><c:strRef><c:f>" in xml
            assert "<c:cat><c:numRef>" not in xml
        colours = set(re.findall(r'srgbClr val="(\w{6})"', xml))
        assert colours <= PALETTE | BANDS, colours - PALETTE - BANDS


def test_a_fan_is_a_stack_on_an_invisible_base(parts):
    xml = parts["xl/charts/chart3.xml"].decode()
    area, line = xml.split("<c:lineChart>")
    series = re.findall(r"<c:ser>.*?</c:ser>", area)
    assert len(series) == 6
    assert "<a:noFill/>" in series[0]
    assert '<c:grouping val="stacked"/>' in area
    assert '<c:min val="0"/>' in line
    assert line.count("<c:ser>") == 3
    assert 'val="dash"' in line


def test_the_dashboard_prints_on_two_landscape_pages(book):
    ws = book["Dashboard"]
    assert ws.page_setup.orientation == "landscape"
    assert [b.id for b in ws.row_breaks.brk] == [40]
    assert ws.print_area == "'Dashboard'!$A$1:$L$80"
    widths = sum(ws.column_dimensions[c].width for c in "ABCDEFGHIJKL")
    assert widths * 7 / 96 * 25.4 * ws.page_setup.scale / 100 < 277
    heights = [ws.row_dimensions[r].height or 12.75 for r in range(1, 81)]
    for page in (heights[:40], heights[40:]):
        assert sum(page) / 72 * 25.4 * ws.page_setup.scale / 100 < 187


@pytest.mark.parametrize("spec", SHEETS, ids=lambda s: s.name)
def test_no_list_and_no_endless_table_goes_on_paper_by_accident(book, spec):
    ws = book[spec.name]
    if not spec.prints_top_only:
        assert spec.list_number is None
        assert spec.kind.value != "helper"
        return
    last = 1 if spec.list_number else 4
    assert re.fullmatch(rf"'{spec.name}'!\$A\$1:\$[A-Z]+\${last}", ws.print_area)
    assert ws.sheet_properties.pageSetUpPr.fitToPage, "one page; the file leaves 1 by 1 out"
    assert ws.page_setup.fitToWidth in (None, 1)
    assert ws.page_setup.fitToHeight in (None, 1)
    if not spec.list_number:
        assert ws[print_note_cell(spec)].value == PRINTS_TOP_ONLY


def test_start_says_how_to_print(book):
    texts = " ".join(str(row[0]) for row in book["Start"].iter_rows(min_col=2, max_col=2,
                                                                  values_only=True))  # fmt: skip
    assert "To print the paper for a board: sheet Dashboard, two pages of A4." in texts


def test_start_leads_on_to_the_levers(book):
    texts = " ".join(str(row[0]) for row in book["Start"].iter_rows(min_col=3, max_col=3,
                                                                  values_only=True))  # fmt: skip
    step = texts[texts.index("Print the Dashboard") : texts.index("Blue on light blue")]
    assert "fill in sheet Lever choices, then press Levers" in step
    assert "csc-demand levers" in step


def test_new_places_say_what_their_cost_leaves_out(book):
    texts = " ".join(str(row[0]) for row in book["System"].iter_rows(max_col=1, values_only=True))
    assert "Costs count the children placed, not empty places or building" in texts


def test_the_presets_are_rows_in_months_after_the_census_date(book):
    rows = list(book["Scenarios"].iter_rows(min_row=6, max_row=60, max_col=17, values_only=True))
    filled = [row for row in rows if row[0]]
    assert {row[0] for row in filled} == set(SCENARIOS)
    assert all(isinstance(v, int | None) for row in filled for v in row[5:7])
    assert {row[1] for row in filled} == {"Yes"}


def test_no_trace_of_who_built_it(parts):
    for name in ("docProps/core.xml", "docProps/app.xml"):
        assert re.search(rb"/root|/home|[A-Z]:\\", parts[name]) is None
    assert b"2026-01-01T00:00:00Z" in parts["docProps/core.xml"]
