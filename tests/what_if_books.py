"""Workbooks that hold the three What-if sheets alone, and what LibreOffice makes of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path

import openpyxl
import xlsxwriter

from demand_addin.layout import what_if as declared
from demand_addin.layout import what_if_page, what_if_workings
from demand_addin.layout.styles import Formats
from demand_addin.layout.template import area_reference
from demand_addin.ports import CellValue, RangeValues
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.results.what_if_levers import WhatIfLevers

PAGES = (
    (declared.WHAT_IF_SHEET, what_if_page.page),
    (declared.WHAT_IF_WORKINGS_SHEET, what_if_workings.page),
    (declared.WHAT_IF_DATA_SHEET, what_if_page.data_page),
)

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def build(
    path: Path,
    ranges: Sequence[RangeValues],
    cells: Mapping[str, CellValue] | None = None,
) -> None:
    """Draw the sheets, with what a run writes, and other values in blue cells (by address)."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        formats = Formats(book)
        sheets = {spec.name: book.add_worksheet(spec.name) for spec, _ in PAGES}
        areas = {}
        for spec, _ in PAGES:
            for area in spec.areas:
                book.define_name(area.name, f"='{spec.name}'!{area_reference(area)}")
                areas[area.name] = (sheets[spec.name], area)
        for spec, page in PAGES:
            sheets[spec.name].write_string("A1", spec.title, formats.title)
            page(sheets[spec.name], spec, formats, book)
        for values in ranges:
            ws, area = areas[values.name]
            top, left = area.corner
            for row, line in enumerate(values.rows, start=top):
                for column, value in enumerate(line, start=left):
                    if isinstance(value, date):
                        ws.write_datetime(row, column, value, formats.get(num_format="dd/mm/yyyy"))
                    else:
                        ws.write(row, column, value)
        for address, value in (cells or {}).items():
            sheets[declared.SHEET].write(address, value)


def cells_of(levers: WhatIfLevers) -> dict[str, CellValue]:
    """The blue cells that hold these levers, by address."""
    out: dict[str, CellValue] = {}
    by_source = {
        "referrals_by_source": declared.SOURCE_CHANGES,
        "lockdown_fall_by_source": declared.SOURCE_FALLS,
    }
    for item in fields(levers):
        value = getattr(levers, item.name)
        if item.name not in by_source:
            out[declared.INPUTS[item.name].cell] = value
            continue
        area = by_source[item.name]
        for source, change in value.items():
            row = area.corner[0] + 1 + SOURCE_GROUPS.index(source)
            out[f"{area.cell[0]}{row}"] = change
    return out


def office() -> str | None:
    """The LibreOffice program, if there is one."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def recalculated(paths: Sequence[Path], out: Path, profile: Path, kind: str = "xlsx") -> list[Path]:
    """Let LibreOffice recalculate workbooks, all in one go."""
    program = office()
    assert program is not None
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE, encoding="utf-8")
    command = [
        program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", kind,
        "--outdir", str(out), *map(str, paths),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return [out / f"{path.stem}.{kind}" for path in paths]


def months(path: Path, headings: Sequence[str]) -> dict[str, list[float]]:
    """Columns of sheet What-if workings as they were calculated."""
    book = openpyxl.load_workbook(path, data_only=True)
    ws = book[declared.WORKINGS_SHEET]
    first, last = what_if_workings.FIRST_ROW, what_if_workings.LAST_ROW
    out = {}
    for heading in headings:
        letters = what_if_workings.column(heading)
        out[heading] = [cell[0].value for cell in ws[f"{letters}{first}:{letters}{last}"]]
    return out
