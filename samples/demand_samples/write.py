"""An Annex A workbook on disk, the same bytes for the same sheets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from demand_samples.sheets import NOT_AVAILABLE, Cell, Sheet

_CREATED = datetime(2026, 10, 5, 9, 0, tzinfo=UTC).replace(tzinfo=None)
_WIDTH_DATE, _WIDTH_TEXT = 12, 22


def write_workbook(path: Path, sheets: list[Sheet], *, author: str) -> None:
    """Write sheets to one .xlsx file.

    Parameters
    ----------
    path
        File to write; replaced if it stands there.
    sheets
        In the order of the tabs.
    author
        Name in the document's properties, of the made-up authority.
    """
    with xlsxwriter.Workbook(str(path), {"strings_to_urls": False}) as book:
        book.set_properties(
            {"author": author, "title": "Annex A, made-up data", "created": _CREATED}
        )
        heading_format = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        date_format = book.add_format({"num_format": "dd/mm/yyyy"})
        for sheet in sheets:
            tab = book.add_worksheet(sheet.name)
            tab.freeze_panes(sheet.heading_row + 1, 1)
            for at, heading in enumerate(sheet.headings):
                tab.set_column(at, at, _WIDTH_DATE if "ate" in heading else _WIDTH_TEXT)
            for number, row in enumerate(sheet.rows):
                for at, cell in enumerate(row):
                    _write_cell(
                        tab,
                        number,
                        at,
                        cell,
                        heading_format if number == sheet.heading_row else None,
                        date_format,
                    )


def _write_cell(
    tab: Worksheet,
    row: int,
    column: int,
    cell: Cell,
    text_format: Format | None,
    date_format: Format,
) -> None:
    if cell is None:
        return
    if cell == NOT_AVAILABLE:
        tab.write_formula(row, column, "=NA()", None, "#N/A")
    elif isinstance(cell, date):
        # Excel's day 1 is 1 January 1900; XlsxWriter takes dates from there on.
        tab.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), date_format)  # noqa: DTZ001
    elif isinstance(cell, str):
        tab.write_string(row, column, cell, text_format)
    else:
        tab.write_number(row, column, float(cell))
