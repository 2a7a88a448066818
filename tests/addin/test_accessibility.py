"""Anyone can read the workbook: the checklist for accessible spreadsheets, walked cell by cell.

After the Government Analysis Function's guidance on spreadsheets and charts, and WCAG 2.2
for contrast: 4.5 to 1 for text, 3 to 1 for large text and for lines of charts.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.styles.colors import Color
from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from demand_addin.layout import SHEETS
from demand_addin.layout.declare import Kind
from demand_addin.layout.styles import BLUE, INPUT_FILL
from demand_addin.layout.template import build_template
from demand_addin.plan.cautions import MARK

pytestmark = pytest.mark.unit

TEXT, LARGE_TEXT, LINES = 4.5, 3.0, 3.0
SMALLEST_FONT = 10
LARGE_FONT = 14
TOLD_APART = 1.3
"""Contrast between neighbouring areas that are still two areas on a grey print."""

FAN_BANDS = {"CBD5E3", "9DB1CB", "7290B6"}
"""Tints: what they show stands in the table above the chart as well."""

NAMES = [spec.name for spec in SHEETS]
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("accessible") / "template.xlsx"
    build_template(path)
    return path


@pytest.fixture(scope="module")
def template(path: Path) -> Workbook:
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def finished(finished_path: Path) -> Workbook:
    return openpyxl.load_workbook(finished_path)


@pytest.fixture(params=["template", "finished"])
def book(request: pytest.FixtureRequest) -> Workbook:
    return request.getfixturevalue(request.param)


# ---------------------------------------------------------------- the workbook as a whole


def test_the_document_says_what_it_is_and_in_which_language(path):
    with zipfile.ZipFile(path) as archive:
        core = archive.read("docProps/core.xml").decode()
    assert f"<dc:title>{SHEETS[0].title}</dc:title>" in core
    assert "<dc:language>en-GB</dc:language>" in core
    assert "<dc:subject>" in core


def test_it_opens_at_the_first_cell_of_start(book):
    assert book.sheetnames[0] == "Start"
    assert book.active.title == "Start"


def test_no_sheet_row_or_column_is_hidden(book):
    for ws in book:
        assert ws.sheet_state == "visible"
        assert not any(d.hidden for d in ws.row_dimensions.values()), ws.title
        assert not any(d.hidden for d in ws.column_dimensions.values()), ws.title


def test_there_is_no_picture_or_text_box_without_a_description(path):
    with zipfile.ZipFile(path) as archive:
        drawings = [n for n in archive.namelist() if re.match(r"xl/drawings/drawing\d+\.xml", n)]
        assert drawings
        for name in drawings:
            xml = archive.read(name).decode()
            shapes = re.findall(r"<xdr:cNvPr [^>]*>", xml)
            said = [re.search(r'descr="([^"]{40,})"', shape) for shape in shapes]
            assert all(said), name
            assert len({m.group(1) for m in said if m}) == len(shapes), f"{name}: said twice"


# ---------------------------------------------------------------- each sheet


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_has_a_name_and_a_title_that_mean_something(book, name):
    ws = book[name]
    assert len(name) <= 31
    assert not re.fullmatch(r"(?i)sheet ?\d*|tab ?\d*|data ?\d*", name)
    assert isinstance(ws["A1"].value, str)
    assert len(ws["A1"].value) >= len("Settings")
    if next(s for s in SHEETS if s.name == name).list_number is None:
        assert ws["A1"].font.b
        assert ws["A1"].font.sz >= LARGE_FONT


@pytest.mark.parametrize("name", NAMES)
def test_no_cells_are_merged_and_the_cursor_is_at_the_beginning(book, name):
    ws = book[name]
    assert not ws.merged_cells.ranges
    active = ws.sheet_view.selection
    # A frozen sheet has a selection in each pane; the first visible cell of the last is its own.
    assert active[0].activeCell in (None, "A1") or ws.freeze_panes


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_prints_on_a4_as_it_was_laid_out(book, name):
    ws = book[name]
    assert ws.page_setup.paperSize == 9
    is_fitted = ws.sheet_properties.pageSetUpPr is not None and (
        ws.sheet_properties.pageSetUpPr.fitToPage
    )
    assert is_fitted or (ws.print_area and ws.page_setup.scale)
    assert not ws.HeaderFooter.oddHeader.center.text, "what stands only in a header is not read"


@pytest.mark.parametrize("spec", [s for s in SHEETS if s.tables], ids=lambda s: s.name)
def test_tables_are_tables_with_headings_of_their_own(book, spec):
    ws = book[spec.name]
    for table in spec.tables:
        found = ws.tables[table.name]
        assert found.headerRowCount in (None, 1)
        headings = [cell.value for cell in ws[found.ref][0]]
        assert headings == list(table.headings)
        assert all(isinstance(h, str) and h.strip() for h in headings)
        assert len({h.casefold() for h in headings}) == len(headings)


@pytest.mark.parametrize(
    "spec",
    [s for s in SHEETS if len(s.tables) == 1 and s.tables[0].room > 200],
    ids=lambda s: s.name,
)
def test_a_long_table_keeps_its_headings_in_sight_and_on_every_page(template, spec):
    ws, table = template[spec.name], spec.tables[0]
    if table.first_row <= 10:
        assert ws.freeze_panes
        assert int(re.sub(r"\D", "", ws.freeze_panes)) == table.first_row + 1
    assert ws.print_title_rows == f"${table.first_row}:${table.first_row}" or ws.print_area


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_that_looks_like_a_heading_holds_words(template, name):
    empty = [
        c.coordinate for c in _cells(template[name]) if _fill(c) == BLUE[1:] and c.value is None
    ]
    assert not empty


@pytest.mark.parametrize("name", NAMES)
def test_text_stands_out_from_its_ground_and_is_large_enough(book, name):
    seen: set[int] = set()
    for cell in _cells(book[name]):
        if cell.style_id in seen or (cell.value is None and not cell.has_style):
            continue
        seen.add(cell.style_id)
        size = cell.font.sz or 11
        assert size >= SMALLEST_FONT, f"{cell.coordinate}: {size} points"
        is_large = size >= LARGE_FONT and cell.font.b
        least = LARGE_TEXT if is_large else TEXT
        ink, paper = _rgb(cell.font.color, "000000"), _fill(cell) or "FFFFFF"
        assert _contrast(ink, paper) >= least, f"{cell.coordinate}: {ink} on {paper}"


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_that_colours_a_cell_reads_a_word_in_it(template, name):
    """No colour says what no word says: the rule finds the word in the cell, or puts it there."""
    ws = template[name]
    for area in ws.conditional_formatting:
        for rule in area.rules:
            where = f"{area.sqref}: {rule.type} {rule.formula}"
            if not _is_coloured(rule.dxf):
                continue  # rules and bold letters only
            if _meets_nothing(rule):
                assert _dxf_colours(rule.dxf)[1] == "FFFFFF", f"{where}: an empty cell is marked"
                continue
            word = _word_of(rule)
            assert re.fullmatch(r"[A-Za-z0-9 %]*[A-Za-z]{2,}[A-Za-z0-9 %]*", word), where
            if rule.type != "expression":
                assert word in _words_of(template, ws, area.sqref), f"{where}: never says {word}"


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_that_colours_a_cell_leaves_it_readable(template, name):
    for area in template[name].conditional_formatting:
        for rule in area.rules:
            ink, paper = _dxf_colours(rule.dxf)
            assert _contrast(ink, paper) >= TEXT, f"{area.sqref}: {ink} on {paper}"


def test_every_kind_of_colouring_rule_is_met(template):
    """The test above looks at rules of each kind, and at the two that need care."""
    rules = [r for ws in template for a in ws.conditional_formatting for r in a.rules]
    coloured = [rule for rule in rules if _is_coloured(rule.dxf)]
    kinds = {rule.type for rule in coloured if not _meets_nothing(rule)}
    assert kinds == {"containsText", "beginsWith", "cellIs", "expression"}
    assert {_word_of(rule) for rule in coloured if not _meets_nothing(rule)} == {
        *("need", "Take care", "Look", "OK", " not 100%"),
    }


# ---------------------------------------------------------------- inputs


@pytest.mark.parametrize("name", [s.name for s in SHEETS if s.kind is not Kind.GUIDE])
def test_every_blue_cell_says_what_it_takes_and_what_is_wrong(template, name):
    ws = template[name]
    blue = {c.coordinate for c in _cells(ws) if _fill(c) == INPUT_FILL[1:]}
    told: set[str] = set()
    for rule in ws.data_validations.dataValidation:
        cells = {f"{_letters(c)}{r}" for area in rule.sqref.ranges for r, c in area.cells}
        if not cells & blue:
            continue
        assert rule.type not in (None, "none"), f"{rule.sqref}: takes anything"
        assert rule.showInputMessage, rule.sqref
        assert rule.promptTitle, rule.sqref
        assert len(rule.prompt) >= 15, rule.sqref
        assert rule.showErrorMessage, rule.sqref
        assert rule.error, f"{rule.sqref}: no words where it refuses"
        assert re.match(r"[A-Z].*[.?]$", rule.error, re.DOTALL), rule.error
        told |= cells
    assert not blue - told
    assert all(not ws[cell].protection.locked for cell in blue)
    if name in ("Settings", "Scenarios", "History", "Mapping", "Rates"):
        assert blue


# ---------------------------------------------------------------- ways about


def test_start_leads_to_every_sheet_and_every_sheet_back(book):
    there = {link.location for link, _ in _links(book["Start"])}
    assert {f"'{name}'!A1" for name in NAMES if name != "Start"} == there
    for spec in SHEETS:
        if spec.kind is Kind.GUIDE or spec.list_number is not None:
            continue
        ws = book[spec.name]
        back = [cell for link, cell in _links(ws) if link.location == "'Start'!A1"]
        assert [cell.value for cell in back] == ["Back to Start"], spec.name
        assert back[0].font.u, "not by colour alone"


# ---------------------------------------------------------------- charts


def _charts(path: Path) -> Iterator[tuple[str, ET.Element]]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(r"xl/charts/chart\d+\.xml", name):
                yield name, ET.fromstring(archive.read(name))  # noqa: S314  (our own file)


def test_charts_have_titles_and_letters_large_enough(path):
    for name, chart in _charts(path):
        assert chart.find(f".//{C}title") is not None, name
        runs = [*chart.iter(f"{A}defRPr"), *chart.iter(f"{A}rPr")]
        sizes = [int(run.get("sz", "1000")) / 100 for run in runs]
        assert min(sizes) >= SMALLEST_FONT, f"{name}: {min(sizes)} points"


def test_lines_stand_out_from_the_paper_and_from_each_other_without_colour(path):
    for name, chart in _charts(path):
        marks = {}
        for number, series in _shown_lines(chart):
            colour = _line_colour(series)
            if colour is None:
                continue  # an invisible line that only carries labels
            assert _contrast(colour, "FFFFFF") >= LINES, f"{name}, series {number}: {colour}"
            marks[number] = _mark(series)
        for (one, a), (other, b) in combinations(marks.items(), 2):
            assert a != b, f"{name}: series {one} and {other} differ in colour alone"


def test_areas_are_told_apart_without_colour(path):
    for name, chart in _charts(path):
        fills = []
        for series in chart.iter(f"{C}ser"):
            shape = series.find(f"{C}spPr")
            if shape is None or shape.find(f"{A}noFill") is not None:
                continue
            colour = shape.find(f"{A}solidFill/{A}srgbClr")
            if colour is not None:
                fills.append(("", colour.get("val", "")))
            elif (pattern := shape.find(f"{A}pattFill")) is not None:
                fills.append((pattern.get("prst", ""), pattern.find(f".//{A}srgbClr").get("val")))
        if chart.find(f".//{C}areaChart") is None or chart.find(f".//{C}legend") is None:
            continue  # columns and flows are labelled one by one
        assert fills, name
        for (pattern, fill), (next_pattern, next_fill) in pairwise(fills):
            is_apart = pattern != next_pattern or _contrast(fill, next_fill) >= TOLD_APART
            assert is_apart or fill == next_fill, f"{name}: {fill} beside {next_fill}"
        for _, fill in fills:
            assert fill in FAN_BANDS or _contrast(fill, "FFFFFF") >= LINES, f"{name}: {fill}"


def test_the_forecast_line_stands_out_from_the_darkest_band():
    assert min(_contrast(BLUE[1:], band) for band in FAN_BANDS) >= LINES


# ---------------------------------------------------------------- helpers


def _is_coloured(dxf) -> bool:
    has_ink = dxf.font is not None and dxf.font.color is not None
    return has_ink or dxf.fill is not None


def _meets_nothing(rule) -> bool:
    """Say whether a rule meets only cells that hold nothing, or whose row does."""
    is_blank = rule.type == "expression" and re.fullmatch(r'\$[A-Z]+[0-9]+=""', rule.formula[0])
    return rule.type == "containsBlanks" or bool(is_blank)


def _word_of(rule) -> str:
    """Return the word that a rule looks for in the cell, or that its number format puts there."""
    if rule.type in ("containsText", "beginsWith"):
        return rule.text
    if rule.type == "cellIs":
        return rule.formula[0].strip('"')
    shown = rule.dxf.numFmt.formatCode if rule.dxf.numFmt is not None else ""
    return "".join(re.findall(r'"([^"]*)"', shown))


def _words_of(book: Workbook, ws: Worksheet, area) -> str:
    """Return what the cells of an area may say: their formulas, and what runs write there."""
    cells = [ws.cell(r, c).value for part in area.ranges for r, c in part.cells]
    texts = [value for value in cells if isinstance(value, str)]
    if "=master_check" in texts:
        texts.append(book["Checks"]["A2"].value)
    if ws.title == "Dashboard":
        texts.append(MARK)
    return " ".join(texts)


def _cells(ws: Worksheet) -> Iterator[Cell]:
    for row in ws.iter_rows():
        yield from row


def _links(ws: Worksheet) -> list[tuple[Hyperlink, Cell]]:
    return [(cell.hyperlink, cell) for cell in _cells(ws) if cell.hyperlink is not None]


def _letters(column: int) -> str:
    return openpyxl.utils.get_column_letter(column)


def _rgb(colour: Color | None, otherwise: str) -> str:
    value = colour.rgb if colour is not None and colour.type == "rgb" else None
    return value[-6:] if isinstance(value, str) else otherwise


def _fill(cell: Cell) -> str | None:
    return _rgb(cell.fill.fgColor, "FFFFFF") if cell.fill.patternType == "solid" else None


def _dxf_colours(dxf) -> tuple[str, str]:
    ink = _rgb(dxf.font.color, "000000") if dxf.font is not None else "000000"
    paper = _rgb(dxf.fill.bgColor, "FFFFFF") if dxf.fill is not None else "FFFFFF"
    return ink, paper


def _shown_lines(chart: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    """Yield the line series that the legend names, or all where there is no legend."""
    deleted = {
        entry.find(f"{C}idx").get("val")
        for entry in chart.iter(f"{C}legendEntry")
        if entry.find(f"{C}delete") is not None
    }
    for line in chart.iter(f"{C}lineChart"):
        for series in line.iter(f"{C}ser"):
            number = series.find(f"{C}idx").get("val")
            if number not in deleted:
                yield number, series


def _line_colour(series: ET.Element) -> str | None:
    colour = series.find(f"{C}spPr/{A}ln/{A}solidFill/{A}srgbClr")
    return None if colour is None else colour.get("val")


def _mark(series: ET.Element) -> tuple[str | None, ...]:
    """Return what tells a line from others on a grey print: dash, width, marker."""
    line = series.find(f"{C}spPr/{A}ln")
    dash = series.find(f"{C}spPr/{A}ln/{A}prstDash")
    marker = series.find(f"{C}marker/{C}symbol")
    return (
        None if line is None else line.get("w"),
        None if dash is None else dash.get("val"),
        None if marker is None else marker.get("val"),
    )


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(rgb[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_contrast_is_that_of_the_standard():
    """Values of the W3C's own examples: black on white, and #777 on white."""
    assert _contrast("000000", "FFFFFF") == pytest.approx(21.0)
    assert _contrast("777777", "FFFFFF") == pytest.approx(4.48, abs=0.005)
