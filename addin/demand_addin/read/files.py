"""The way in: what kind of file this is, and whether it can be read safely.

The kind is decided by the file's first bytes, never by its name: case systems
export web pages and text files that are called ``.xls`` and ``.xlsx``.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from pathlib import Path

from demand_addin.read.delimited import sheet_from_text
from demand_addin.read.old_excel import sheets_from_xls
from demand_addin.read.workbook import sheets_from_xlsx
from demand_model.annex_a.raw import RawSheet
from demand_model.errors import InvalidInputError

_MAX_FILE_BYTES = 300_000_000
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv", ".tab"})
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


class _Kind(Enum):
    ZIP = "zip"
    OLE = "ole"
    MARKUP = "markup"
    TEXT = "text"
    UNKNOWN = "unknown"


def read_sheets(path: Path, *, only: Collection[str] | None = None) -> tuple[RawSheet, ...]:
    """Read every worksheet of a workbook, or a delimited text file, as raw cells.

    Parameters
    ----------
    path
        An ``.xlsx``, ``.xlsm``, ``.xls`` or delimited text file.
    only
        Names of the sheets wanted; ``None`` reads all.

    Returns
    -------
    tuple of RawSheet
        In the workbook's order, hidden sheets included. Dates are `datetime`,
        error values are `CellError`, a formula that was saved without a value
        is `UncalculatedFormula`; a blank cell is ``None``.

    Raises
    ------
    InvalidInputError
        One sentence that names the file and says what to do: missing, a folder,
        empty, damaged, protected by a password, or a format that is not read.
    """
    data = _bytes_of(path)
    match _kind_of(data):
        case _Kind.ZIP:
            return sheets_from_xlsx(data, path.name, only)
        case _Kind.OLE:
            return sheets_from_xls(data, path.name, only)
        case _Kind.MARKUP:
            raise InvalidInputError(
                f"{path.name} is a web page or XML file, not a workbook, whatever its name says: "
                "open it in Excel, save it as an Excel Workbook (.xlsx), and use that."
            )
        case _Kind.TEXT if path.suffix.lower() in _TEXT_SUFFIXES:
            return (sheet_from_text(data, path),)
        case _Kind.TEXT:
            raise InvalidInputError(
                f"{path.name} is a text file, not a workbook: rename it to end in .csv, or open "
                "it in Excel and save it as an Excel Workbook (.xlsx)."
            )
        case _:
            raise InvalidInputError(
                f"{path.name} is not a workbook that can be read: it may be damaged; save it "
                "again from Excel as an Excel Workbook (.xlsx)."
            )


def _bytes_of(path: Path) -> bytes:
    name = path.name or str(path)
    try:
        if path.is_dir():
            raise InvalidInputError(f"{name} is a folder: give the workbook inside it.")
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise InvalidInputError(
                f"{name} is larger than 300 MB: keep only Lists 3, 7 and 8 in it."
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInputError(
            f"{name} was not found: check the spelling and the folder."
        ) from error
    except PermissionError as error:
        raise InvalidInputError(
            f"{name} cannot be opened: close it in Excel, or ask for permission to read it."
        ) from error
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"{name} cannot be read from its disk: if OneDrive or SharePoint keeps it, open it in "
            "Excel once, so that it is downloaded; or copy it to a folder of this computer and use "
            "the copy."
        ) from error
    if not data:
        raise InvalidInputError(
            f"{name} is empty (0 bytes), so it is not a workbook: save or export it again."
        )
    return data


def _kind_of(data: bytes) -> _Kind:
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        return _Kind.ZIP
    if data[:8] == _OLE:
        return _Kind.OLE
    start = data[:4096]
    if start.startswith(_BYTE_ORDER_MARKS[:2]):
        return _Kind.TEXT
    if start.removeprefix(_BYTE_ORDER_MARKS[2]).lstrip()[:1] == b"<":
        return _Kind.MARKUP
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in start)
    return _Kind.UNKNOWN if control > len(start) // 200 else _Kind.TEXT
