"""The zip container of an Excel workbook: what is refused before anything is read.

Traversal names, encrypted parts, zip bombs, document type declarations, binary
and Strict workbooks, and OpenDocument files are all refused here, so that what
follows may trust the container.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from xml.etree import ElementTree as ET

from demand_addin.read.values import damaged
from demand_model.errors import InvalidInputError

READ_AT_ONCE = (".xml", ".rels")
"""Endings of the parts that are unpacked, and so checked for damage, when a workbook is opened."""

_MAX_TOTAL_BYTES = 300_000_000
_MAX_RATIO = 200
_RATIO_FROM_BYTES = 10_000_000
"""Small parts of blank rows may well shrink 200 times; a bomb is large too."""

_STRICT = b"http://purl.oclc.org/ooxml/"
_DECLARATIONS = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\x00!\x00|\x00<\x00!", re.IGNORECASE)
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    OSError,
    ET.ParseError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """Where a worksheet stands in the container."""

    name: str
    part: str
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A workbook's parts, all read and checked (media aside).

    Attributes
    ----------
    parts
        XML parts by name.
    sheets
        Worksheets in the workbook's order; chart sheets are not among them.
    """

    file: str
    parts: dict[str, bytes]
    sheets: tuple[SheetPart, ...]
    date_1904: bool

    def related(self, part: str, kind: str) -> tuple[str, ...]:
        """Parts that `part` refers to by a relationship whose type ends in `kind`."""
        return tuple(
            target
            for _, target, of in _relationships(self.parts, part)
            if of.endswith(f"/{kind}") and target in self.parts
        )


@lru_cache(maxsize=2)
def open_package(data: bytes, name: str) -> Package:
    """Open and check the container of an ``.xlsx`` or ``.xlsm`` workbook.

    The last two are remembered: a command reads the sheets of one workbook in turn.

    Raises
    ------
    InvalidInputError
        The file is damaged, hostile, or of a kind that is not read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_hostile(archive, name)
            _refuse_other_kinds(set(archive.namelist()), name)
            parts = {
                info.filename: archive.read(info)
                for info in archive.infolist()
                if info.filename.endswith(READ_AT_ONCE)
            }
        _refuse_declarations(parts, name)
        return _package(parts, name)
    except InvalidInputError:
        raise
    except _ZIP_ERRORS as error:
        raise damaged(name) from error


def _refuse_hostile(archive: zipfile.ZipFile, name: str) -> None:
    infos = archive.infolist()
    for info in infos:
        folders = info.filename.replace("\\", "/").split("/")
        if ".." in folders or folders[0] == "" or ":" in folders[0]:
            raise InvalidInputError(
                f"{name} holds a part that points outside the file, so it was not opened: ask "
                "who sent it, and export the lists again."
            )
        if info.flag_bits & 1:
            raise InvalidInputError(
                f"{name} is password protected: remove the password, save it, and use that."
            )
    total = sum(info.file_size for info in infos)
    bomb = any(
        info.file_size > max(_RATIO_FROM_BYTES, _MAX_RATIO * info.compress_size) for info in infos
    )
    if bomb or total > _MAX_TOTAL_BYTES:
        raise InvalidInputError(
            f"{name} would unpack to {total / 1e6:,.0f} MB, far more than lists of children "
            "hold, so it was not opened: copy Lists 3, 7 and 8 into a new workbook."
        )


def _refuse_other_kinds(names: set[str], name: str) -> None:
    if "xl/workbook.bin" in names:
        raise InvalidInputError(
            f"{name} is an Excel binary workbook (.xlsb), which is not read: open it in Excel "
            "and save it as an Excel Workbook (.xlsx)."
        )
    if "mimetype" in names or "content.xml" in names:
        raise InvalidInputError(
            f"{name} is an OpenDocument file (.ods), which is not read: save it as an Excel "
            "Workbook (.xlsx)."
        )
    if "[Content_Types].xml" not in names:
        raise InvalidInputError(
            f"{name} is a zip file but not a workbook: unpack it, and give the workbook inside it."
        )


def _refuse_declarations(parts: dict[str, bytes], name: str) -> None:
    # Most parts hold neither sign, and looking for one byte is far quicker than for a pattern.
    suspects = (xml for xml in parts.values() if b"<!" in xml or b"\x00" in xml)
    if any(_DECLARATIONS.search(xml) for xml in suspects):
        raise InvalidInputError(
            f"{name} declares XML entities, which no workbook from Excel does, so it was not "
            "opened: ask who sent it, and export the lists again."
        )


def _package(parts: dict[str, bytes], name: str) -> Package:
    book_part = next(
        (part for _, part, kind in _relationships(parts, "") if kind.endswith("officeDocument")),
        "xl/workbook.xml",
    )
    xml = parts[book_part]
    if _STRICT in xml:
        raise InvalidInputError(
            f"{name} was saved as Strict Open XML: open it in Excel and save it as "
            '"Excel Workbook (*.xlsx)", not "Strict Open XML Workbook".'
        )
    targets = {key: (target, kind) for key, target, kind in _relationships(parts, book_part)}
    root = ET.fromstring(xml)  # noqa: S314  (declarations were refused above)
    settings = next(_children(root, "workbookPr"), None)
    sheets = []
    for sheet in (s for group in _children(root, "sheets") for s in _children(group, "sheet")):
        key = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
        target, kind = targets[key]
        if not kind.endswith("/worksheet"):
            continue
        if target not in parts:
            raise damaged(name)
        hidden = sheet.get("state", "visible") != "visible"
        sheets.append(SheetPart(name=sheet.attrib["name"], part=target, hidden=hidden))
    if not sheets:
        raise InvalidInputError(f"{name} has no worksheets: check that it is the right workbook.")
    return Package(
        file=name,
        parts=parts,
        sheets=tuple(sheets),
        date_1904=settings is not None and settings.get("date1904", "0") in ("1", "true"),
    )


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element if child.tag.rpartition("}")[2] == name)


def _relationships(parts: dict[str, bytes], part: str) -> Iterator[tuple[str, str, str]]:
    """Id, target part and type of each internal relationship of a part ("" is the package)."""
    folder, base = posixpath.split(part)
    xml = parts.get(posixpath.join(folder, "_rels", f"{base}.rels"))
    if xml is None:
        return
    for item in ET.fromstring(xml):  # noqa: S314  (declarations were refused above)
        if item.get("TargetMode") == "External":
            continue
        target = item.get("Target", "")
        joined = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        yield item.get("Id", ""), posixpath.normpath(joined), item.get("Type", "")
