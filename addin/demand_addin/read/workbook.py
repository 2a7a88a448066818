"""Excel workbooks (.xlsx, .xlsm): values from calamine, the rest from the XML.

Formulas are never calculated, macros never run, links never followed.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from demand_addin.read.package import Package, SheetPart, open_package
from demand_addin.read.scan import ScatteredCellsError, SheetScan, scan_sheet, without_cells
from demand_addin.read.values import SheetValues, calamine_sheets, damaged
from demand_model.annex_a.raw import CellError, RawSheet, UncalculatedFormula
from demand_model.errors import InvalidInputError

_COMMENT = re.compile(rb"<(?:\w+:)?comment[\s>]")
_ANCHOR = re.compile(rb"<(?:\w+:)?(?:twoCell|oneCell|absolute)Anchor[\s>]")


def sheets_from_xlsx(data: bytes, name: str, only: Collection[str] | None) -> tuple[RawSheet, ...]:
    """Read the worksheets of a workbook given as bytes.

    Raises
    ------
    InvalidInputError
        The file is damaged, hostile, or of a kind that is not read.
    """
    package = open_package(data, name)
    wanted = [s for s in package.sheets if only is None or s.name in only]
    scans = {sheet.name: _scan(package, sheet) for sheet in wanted}
    if any(b't="s"' in package.parts[sheet.part] for sheet in wanted) and not any(
        part.lower().endswith("sharedstrings.xml") for part in package.parts
    ):
        raise damaged(name)
    if any(scan.stray for scan in scans.values()):
        data = _without_stray(package, scans)
    values = {v.name: v for v in calamine_sheets(data, name, {s.name for s in wanted})}
    if values.keys() != scans.keys():
        raise damaged(name)
    return tuple(_raw_sheet(package, s, scans[s.name], values[s.name]) for s in wanted)


def _scan(package: Package, sheet: SheetPart) -> SheetScan:
    try:
        return scan_sheet(package.parts[sheet.part])
    except ScatteredCellsError as error:
        raise InvalidInputError(
            f"{package.file}: the cells of sheet {sheet.name} are scattered too widely to be a "
            "list: copy the list alone into a new workbook."
        ) from error
    except (ET.ParseError, ValueError) as error:
        raise damaged(package.file) from error


def _without_stray(package: Package, scans: dict[str, SheetScan]) -> bytes:
    """Return the workbook without its stray cells, in memory, for calamine to read.

    calamine lays a sheet out as one block up to its last cell: a single stray
    cell in the last corner would ask for 17 thousand million cells.
    """
    parts = dict(package.parts)
    for sheet in package.sheets:
        if sheet.name in scans:
            parts[sheet.part] = without_cells(parts[sheet.part], scans[sheet.name].stray)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for part, xml in parts.items():
            archive.writestr(part, xml)
    return buffer.getvalue()


def _raw_sheet(
    package: Package, sheet: SheetPart, scan: SheetScan, values: SheetValues
) -> RawSheet:
    marks: dict[tuple[int, int], CellError | UncalculatedFormula] = {
        **{at: CellError(code) for at, code in scan.errors.items()},
        **dict.fromkeys(scan.uncalculated, UncalculatedFormula()),
    }
    cells, first_row, first_column = _with_room_for(values, marks)
    for (row, column), mark in marks.items():
        cells[row - first_row, column - first_column] = mark
    last_row = first_row + cells.shape[0]
    last_column = first_column + cells.shape[1]
    return RawSheet(
        file=package.file,
        sheet=sheet.name,
        cells=cells,
        first_row=first_row,
        first_column=first_column,
        hidden=sheet.hidden,
        hidden_rows=frozenset(n for n in scan.hidden_rows if first_row <= n < last_row),
        hidden_columns=frozenset(n for n in scan.hidden_columns if n < last_column),
        merged=scan.merged,
        formula_cells=scan.formula_cells,
        external_formulas=scan.external_formulas,
        date_1904=package.date_1904,
        stray_cells=scan.stray,
        total_rows=_total_rows(package, sheet),
        comments=_marks(package, sheet, "comments", _COMMENT),
        pictures=_marks(package, sheet, "drawing", _ANCHOR),
    )


def _with_room_for(
    values: SheetValues, marks: Collection[tuple[int, int]]
) -> tuple[npt.NDArray[np.object_], int, int]:
    """Cells, first row and first column, widened to hold cells that calamine sees as blank."""
    cells, top, left = values.cells, values.first_row, values.first_column
    bottom, right = top + cells.shape[0] - 1, left + cells.shape[1] - 1
    if not marks:
        return cells, top, left
    rows, columns = [row for row, _ in marks], [column for _, column in marks]
    if not cells.size:
        top, left, bottom, right = rows[0], columns[0], rows[0], columns[0]
    new_top, new_left = min(top, *rows), min(left, *columns)
    shape = (max(bottom, *rows) - new_top + 1, max(right, *columns) - new_left + 1)
    if cells.shape == shape:
        return cells, top, left
    room = np.full(shape, None, dtype=object)
    if cells.size:
        i, j = top - new_top, left - new_left
        room[i : i + cells.shape[0], j : j + cells.shape[1]] = cells
    return room, new_top, new_left


def _marks(package: Package, sheet: SheetPart, kind: str, mark: re.Pattern[bytes]) -> int:
    """Count what lies on a sheet: comments, or anchors of pictures and embedded files."""
    return sum(len(mark.findall(package.parts[part])) for part in package.related(sheet.part, kind))


def _total_rows(package: Package, sheet: SheetPart) -> frozenset[int]:
    """Rows that an Excel table on the sheet declares as its totals."""
    rows: set[int] = set()
    for part in package.related(sheet.part, "table"):
        opening = re.search(rb"<(?:\w+:)?table\s[^>]*>", package.parts[part])
        if opening is None:
            continue
        count = re.search(rb'\btotalsRowCount="(\d+)"', opening.group())
        last = re.search(rb'\bref="[A-Z]+\d+:[A-Z]+(\d+)"', opening.group())
        if count and last:
            end = int(last.group(1))
            rows.update(range(end - int(count.group(1)) + 1, end + 1))
    return frozenset(rows)
