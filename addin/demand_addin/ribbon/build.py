"""``csc-demand.xlam`` from its sources: modules, ribbon, and one sheet of its own.

The bytes depend on the sources, the version and the place of Python only: no time, no
user's name. No part comes from a file that cannot be read.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from xml.sax.saxutils import escape

from demand_addin.ribbon.project import Module, vba_project
from demand_model.errors import InvalidInputError

FILE_NAME = "csc-demand.xlam"
TITLE = "csc-demand: Demand model"
SHEET_PART = "xl/worksheets/sheet1.xml"
RIBBON = "customUI14.xml"
DOCUMENT_MODULES = ("ThisWorkbook", "OwnSheet")
MODULES = ("DemandBooks", "DemandRunner", "DemandRibbon")

_CHECKOUT = Path(__file__).resolve().parents[2] / "ribbon"
_DATE = (1980, 1, 1, 0, 0, 0)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_KINDS = {
    "xlam": "application/vnd.ms-excel.addin.macroEnabled.main+xml",
    "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
}
_PYTHON_CELL, _VERSION_CELL = "B3", "B4"
_LARGEST = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an add-in says of itself.

    Attributes
    ----------
    python
        Full path of the Python that its buttons start; empty if it was only built.
    version
        Of the product that built it.
    """

    python: str
    version: str


def sources() -> dict[str, str]:
    """Read the sources by file name, from the installed package or from a checkout.

    Raises
    ------
    InvalidInputError
        They are not there.
    """
    found: dict[str, str] = {}
    for name in (*(f"{m}.cls" for m in DOCUMENT_MODULES), *(f"{m}.bas" for m in MODULES), RIBBON):
        place = _place(name)
        # The line ends of a checkout may be those of Windows.
        found[name] = place.read_bytes().decode("utf-8").replace("\r\n", "\n")
    return found


def _place(name: str) -> Traversable:
    for folder in (files("demand_addin") / "_ribbon", _CHECKOUT):
        place = folder.joinpath(name)
        if place.is_file():
            return place
    raise InvalidInputError(f"The add-in's source {name} is missing from this installation.")


def modules(texts: Mapping[str, str]) -> tuple[Module, ...]:
    """Return the modules of the project, those of the workbook and its sheet first."""
    return (
        *(Module(name=m, source=texts[f"{m}.cls"], is_document=True) for m in DOCUMENT_MODULES),
        *(Module(name=m, source=texts[f"{m}.bas"]) for m in MODULES),
    )


def build_addin(*, python: str = "", kind: str = "xlam") -> bytes:
    """Return the add-in's bytes.

    Parameters
    ----------
    python
        Full path of the Python that its buttons start.
    kind
        ``"xlam"``, or ``"xlsm"`` for a workbook with the same code, which other
        programs open.
    """
    texts = sources()
    parts = {
        "[Content_Types].xml": _content_types(kind),
        "_rels/.rels": _relations(
            (f"{_OFFICE}/relationships/officeDocument", "xl/workbook.xml"),
            (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            (
                "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility",
                f"customUI/{RIBBON}",
            ),
        ),
        "docProps/core.xml": _core(),
        f"customUI/{RIBBON}": texts[RIBBON],
        "xl/workbook.xml": _workbook(),
        "xl/_rels/workbook.xml.rels": _relations(
            (f"{_OFFICE}/relationships/worksheet", "worksheets/sheet1.xml"),
            (f"{_OFFICE}/relationships/styles", "styles.xml"),
            (
                "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
                "vbaProject.bin",
            ),
        ),
        "xl/styles.xml": _styles(),
        SHEET_PART: _sheet(python, version("csc-demand")),
    }
    packed = {name: text.encode("utf-8") for name, text in parts.items()}
    packed["xl/vbaProject.bin"] = vba_project(modules(texts))
    return _zip(packed)


def with_python(addin: bytes, python: str) -> bytes:
    """Return an add-in that starts another Python; code, ribbon and signature stay.

    Parameters
    ----------
    addin
        An add-in of this product, signed or not.
    python
        Full path of the Python that its buttons start.

    Raises
    ------
    InvalidInputError
        It is no add-in of this product.
    """
    told = about(addin)
    with zipfile.ZipFile(io.BytesIO(addin)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    return _zip({**parts, SHEET_PART: _sheet(python, told.version).encode("utf-8")})


def about(addin: bytes) -> Installed:
    """Read what an add-in says of itself.

    Raises
    ------
    InvalidInputError
        It is no add-in of this product.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(addin)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LARGEST:
                raise _not_ours()
            title, sheet = archive.read("docProps/core.xml"), archive.read(SHEET_PART)
        if TITLE not in title.decode("utf-8") or b"<!DOCTYPE" in sheet:
            raise _not_ours()
        # The file is small, and has no document type that could make it grow.
        cells = {
            cell.get("r"): "".join(cell.itertext())
            for cell in ET.fromstring(sheet).iter(f"{{{_MAIN}}}c")  # noqa: S314
        }
        return Installed(python=cells.get(_PYTHON_CELL, ""), version=cells[_VERSION_CELL])
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,  # a password, or a compression that is not known
        KeyError,
        UnicodeDecodeError,
        ET.ParseError,
    ) as error:
        raise _not_ours() from error


def _not_ours() -> InvalidInputError:
    return InvalidInputError("This file is no add-in that csc-demand has built.")


def _zip(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name, date_time=_DATE)
            info.create_system = 0  # the same on every system
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def _content_types(kind: str) -> str:
    overrides = {
        "/xl/workbook.xml": _KINDS[kind],
        f"/{SHEET_PART}": "application/vnd.openxmlformats-officedocument.spreadsheetml."
        "worksheet+xml",
        "/xl/styles.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    defaults = {
        "rels": "application/vnd.openxmlformats-package.relationships+xml",
        "xml": "application/xml",
        "bin": "application/vnd.ms-office.vbaProject",
    }
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        + "".join(f'<Default Extension="{e}" ContentType="{t}"/>' for e, t in defaults.items())
        + "".join(f'<Override PartName="{p}" ContentType="{t}"/>' for p, t in overrides.items())
        + "</Types>"
    )


def _relations(*targets: tuple[str, str]) -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
            for number, (kind, target) in enumerate(targets, start=1)
        )
        + "</Relationships>"
    )


def _core() -> str:
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{TITLE}</dc:title><dc:creator>csc-demand</dc:creator>"
        "<dc:description>Buttons for the children's social care demand model; they start the "
        "csc-demand that is installed on this computer.</dc:description></cp:coreProperties>"
    )


def _workbook() -> str:
    cells = {"csc_demand_python": _PYTHON_CELL, "csc_demand_version": _VERSION_CELL}
    names = "".join(
        f"<definedName name=\"{name}\">'csc-demand'!${cell[0]}${cell[1]}</definedName>"
        for name, cell in cells.items()
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships">'
        '<workbookPr codeName="ThisWorkbook"/>'
        '<bookViews><workbookView xWindow="0" yWindow="0" windowWidth="16000" '
        'windowHeight="9000"/></bookViews>'
        '<sheets><sheet name="csc-demand" sheetId="1" r:id="rId1"/></sheets>'
        f"<definedNames>{names}</definedNames></workbook>"
    )


def _styles() -> str:
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        "</cellStyleXfs>"
        '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        "</cellXfs>"
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )


def _sheet(python: str, product: str) -> str:
    rows = {
        "A1": TITLE,
        "A2": "Written by csc-demand addin install.",
        "A3": "Python that the buttons start",
        _PYTHON_CELL: python,
        "A4": "Version",
        _VERSION_CELL: product,
    }
    lines: dict[str, str] = {}
    for cell, text in rows.items():
        row = re.sub(r"\D", "", cell)
        lines[row] = lines.get(row, "") + (
            f'<c r="{cell}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        )
    body = "".join(f'<row r="{row}">{cells}</row>' for row, cells in lines.items())
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetPr codeName="OwnSheet"/>'
        '<cols><col min="1" max="1" width="34" customWidth="1"/>'
        '<col min="2" max="2" width="90" customWidth="1"/></cols>'
        f"<sheetData>{body}</sheetData></worksheet>"
    )
