"""Excel 97-2003 workbooks (.xls), and other files that share their container."""

from __future__ import annotations

from collections.abc import Collection

from demand_addin.read.values import calamine_sheets
from demand_model.annex_a.raw import RawSheet
from demand_model.errors import InvalidInputError

_ENCRYPTED = ("EncryptedPackage", "DRMContent", "DRMEncrypted")


def sheets_from_xls(data: bytes, name: str, only: Collection[str] | None) -> tuple[RawSheet, ...]:
    """Read an ``.xls`` workbook; refuse an encrypted workbook, which looks alike.

    A workbook under a password or a sensitivity label is an OLE file that holds
    a stream called EncryptedPackage instead of a zip file.
    """
    if any(stream.encode("utf-16-le") in data for stream in _ENCRYPTED):
        raise InvalidInputError(
            f"{name} is password protected or encrypted by a sensitivity label: open it in "
            "Excel, remove the password or label, save it, and use that."
        )
    if not any(stream.encode("utf-16-le") in data for stream in ("Workbook", "Book")):
        raise InvalidInputError(
            f"{name} is an older Office file but not a workbook: save it from Excel as an "
            "Excel Workbook (.xlsx)."
        )
    return tuple(
        RawSheet(
            file=name,
            sheet=sheet.name,
            cells=sheet.cells,
            first_row=sheet.first_row,
            first_column=sheet.first_column,
            hidden=sheet.hidden,
        )
        for sheet in calamine_sheets(data, name, only)
    )
