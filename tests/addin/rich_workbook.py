"""A workbook as users leave it: the template, saved by "Excel", with their own things in it."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from pathlib import Path

import xlsxwriter

from demand_addin.layout.template import build_template

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MACROS = b"\xd0\xcf\x11\xe0 a project that nobody runs " * 40
_TYPES = "application/vnd.openxmlformats-officedocument"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def parts_of(data: bytes) -> dict[str, bytes]:
    """Return every part, unpacked."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes]) -> bytes:
    """Return a workbook of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def rich_workbook(folder: Path) -> bytes:
    """Return the template with a user's sheet, chart, note, picture, formula, format and macros.

    The product's own sheets are dressed as Excel saves them: markup
    compatibility attributes, `x14ac:dyDescent`, table parts under other names,
    no `fullCalcOnLoad`, a calculation chain.
    """
    path = folder / "template.xlsx"
    build_template(path)
    parts = _as_excel_saves(parts_of(path.read_bytes()))
    _add_user_sheet(parts, parts_of(_donor()))
    _add_macros(parts)
    return packed(parts)


def _donor() -> bytes:
    """Make the user's own sheet; its parts are then moved into the workbook."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    ws = book.add_worksheet("My notes")
    for row in range(6):
        ws.write_number(row, 0, row * row)
    ws.write_formula("B1", "=SUM(A1:A6)+Forecast!E6", None, 55)
    ws.write_comment("C3", "Ask Priya about this one", {"author": "me"})
    ws.conditional_format("A1:A6", {"type": "data_bar"})
    ws.insert_image("E2", "dot.png", {"image_data": io.BytesIO(PICTURE)})
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "='My notes'!$A$1:$A$6"})
    ws.insert_chart("E8", chart)
    book.close()
    return out.getvalue()


def _add_user_sheet(parts: dict[str, bytes], donor: dict[str, bytes]) -> None:
    moved = {
        "xl/worksheets/sheet1.xml": "xl/worksheets/sheet77.xml",
        "xl/worksheets/_rels/sheet1.xml.rels": "xl/worksheets/_rels/sheet77.xml.rels",
        "xl/drawings/drawing1.xml": "xl/drawings/drawing77.xml",
        "xl/drawings/_rels/drawing1.xml.rels": "xl/drawings/_rels/drawing77.xml.rels",
        "xl/drawings/vmlDrawing1.vml": "xl/drawings/vmlDrawing77.vml",
        "xl/charts/chart1.xml": "xl/charts/chart77.xml",
        "xl/comments1.xml": "xl/comments77.xml",
        "xl/media/image1.png": "xl/media/image77.png",
    }
    for old, new in moved.items():
        content = donor[old]
        if old.endswith(".rels"):
            content = re.sub(
                rb"(sheet|drawing|vmlDrawing|chart|comments|image)1\.", rb"\g<1>77.", content
            )
        parts[new] = content
    kinds = {
        "xl/worksheets/sheet77.xml": f"{_TYPES}.spreadsheetml.worksheet+xml",
        "xl/drawings/drawing77.xml": f"{_TYPES}.drawing+xml",
        "xl/charts/chart77.xml": f"{_TYPES}.drawingml.chart+xml",
        "xl/comments77.xml": f"{_TYPES}.spreadsheetml.comments+xml",
    }
    for part, kind in kinds.items():
        _override(parts, part, kind)
    _insert(parts, "[Content_Types].xml", "<Override",
            '<Default Extension="png" ContentType="image/png"/>'
            f'<Default Extension="vml" ContentType="{_TYPES}.vmlDrawing"/>')  # fmt: skip
    _relate(parts, "rId770", "worksheet", "worksheets/sheet77.xml")
    _insert(
        parts, "xl/workbook.xml", "</sheets>", '<sheet name="My notes" sheetId="77" r:id="rId770"/>'
    )
    _insert(parts, "xl/workbook.xml", "</definedNames>",
            "<definedName name=\"zz_mine\">'My notes'!$A$1:$A$6</definedName>")  # fmt: skip


def _as_excel_saves(parts: dict[str, bytes]) -> dict[str, bytes]:
    renamed: dict[str, bytes] = {}
    for name, content in parts.items():
        new = re.sub(r"xl/tables/table(\d+)", r"xl/tables/table4\1", name)
        if name.startswith("xl/worksheets/_rels/"):
            content = content.replace(b"tables/table", b"tables/table4")
        if name == "[Content_Types].xml":
            content = content.replace(b"/xl/tables/table", b"/xl/tables/table4")
        if name.startswith("xl/worksheets/sheet"):
            content = content.replace(
                b"<worksheet ",
                b'<worksheet xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/'
                b'2006" mc:Ignorable="x14ac" xmlns:x14ac="http://schemas.microsoft.com/office/'
                b'spreadsheetml/2009/9/ac" ',
                1,
            )
            content = content.replace(b'" spans="', b'" x14ac:dyDescent="0.25" spans="')
        renamed[new] = content
    renamed["xl/workbook.xml"] = renamed["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"")
    chain = '<c r="A2" i="1" l="1"/><c r="A2" i="8"/>'
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    renamed["xl/calcChain.xml"] = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<calcChain xmlns="{space}">{chain}</calcChain>'
    ).encode()
    _override(renamed, "xl/calcChain.xml", f"{_TYPES}.spreadsheetml.calcChain+xml")
    _relate(renamed, "rId771", "calcChain", "calcChain.xml")
    return renamed


def _add_macros(parts: dict[str, bytes]) -> None:
    parts["xl/vbaProject.bin"] = MACROS
    _insert(parts, "[Content_Types].xml", "<Override",
            '<Default Extension="bin" '
            'ContentType="application/vnd.ms-office.vbaProject"/>')  # fmt: skip
    content = parts["[Content_Types].xml"].replace(
        f"{_TYPES}.spreadsheetml.sheet.main+xml".encode(),
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    parts["[Content_Types].xml"] = content
    kind = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
    _insert(parts, "xl/_rels/workbook.xml.rels", "</Relationships>",
            f'<Relationship Id="rId772" Type="{kind}" Target="vbaProject.bin"/>')  # fmt: skip


def _override(parts: dict[str, bytes], part: str, kind: str) -> None:
    text = f'<Override PartName="/{part}" ContentType="{kind}"/>'
    _insert(parts, "[Content_Types].xml", "</Types>", text)


def _relate(parts: dict[str, bytes], key: str, kind: str, target: str) -> None:
    text = f'<Relationship Id="{key}" Type="{_LINKS}/{kind}" Target="{target}"/>'
    _insert(parts, "xl/_rels/workbook.xml.rels", "</Relationships>", text)


def _insert(parts: dict[str, bytes], part: str, before: str, text: str) -> None:
    head, mark, tail = parts[part].partition(before.encode())
    assert mark, f"{before} is not in {part}"
    parts[part] = head + text.encode() + mark + tail


def edited(parts: dict[str, bytes], part: str, old: bytes, new: bytes) -> dict[str, bytes]:
    """Return the parts with one piece of one part replaced; it must be there."""
    assert old in parts[part], f"{old!r} is not in {part}"
    return parts | {part: parts[part].replace(old, new, 1)}
