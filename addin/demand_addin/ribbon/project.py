"""A VBA project (``vbaProject.bin``) made of source text alone.

Excel keeps its compiled form beside the source of each module. Here there is none: the
stream ``_VBA_PROJECT`` says "made by another version", and Excel compiles the source when
it opens the file, so that what is read in the ``.bas`` files is what runs.

Source: [MS-OVBA], sections 2.2 and 2.3.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from demand_addin.ribbon.compound import compound_file
from demand_addin.ribbon.compression import compress

NAME = "CscDemand"
CODE_PAGE = "cp1252"
_ID = "{6A0F3C52-9B1D-4C7E-8E55-2D4A7C1B9F30}"
_NO_CACHE = b"\xcc\x61\xff\xff\x00\x00\x00"
_REFERENCES = (
    (
        "stdole",
        r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb"
        "#OLE Automation",
    ),
)
_HOST = "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000"
_SEED = 0x51
"""Any byte: it blurs, and hides nothing."""
_UNPROTECTED, _NO_PASSWORD, _VISIBLE = b"\0\0\0\0", b"\0", b"\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module.

    Attributes
    ----------
    name
        As its first line says (``Attribute VB_Name``).
    source
        Text with plain line ends.
    is_document
        It belongs to the workbook or to a sheet of it.
    """

    name: str
    source: str
    is_document: bool = False

    @property
    def packed_text(self) -> bytes:
        """The source as Windows writes it."""
        return self.source.replace("\n", "\r\n").encode(CODE_PAGE)


def vba_project(modules: Sequence[Module]) -> bytes:
    """Return the bytes of a project. The same modules always give the same bytes."""
    return compound_file(
        {
            "PROJECT": _project_text(modules).encode(CODE_PAGE),
            "PROJECTwm": _module_names(modules),
            "VBA": {
                "_VBA_PROJECT": _NO_CACHE,
                "dir": compress(_directory(modules)),
                **{module.name: compress(module.packed_text) for module in modules},
            },
        }
    )


def _project_text(modules: Sequence[Module]) -> str:
    lines = [
        f'ID="{_ID}"',
        *(
            f"Document={m.name}/&H00000000" if m.is_document else f"Module={m.name}"
            for m in modules
        ),
        f'Name="{NAME}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{blurred(_UNPROTECTED, project=_ID)}"',
        f'DPB="{blurred(_NO_PASSWORD, project=_ID)}"',
        f'GC="{blurred(_VISIBLE, project=_ID)}"',
        "",
        "[Host Extender Info]",
        _HOST,
        "",
        "[Workspace]",
        *(f"{module.name}=0, 0, 0, 0, C" for module in modules),
        "",
    ]
    return "\r\n".join(lines)


def blurred(data: bytes, *, project: str) -> str:
    """Return a setting of a project in the form that MS-OVBA asks for (section 2.4.3.2).

    Parameters
    ----------
    data
        The setting's bytes.
    project
        The project's identifier, in braces.
    """
    key = sum(project.encode(CODE_PAGE)) & 0xFF
    out = [_SEED, _SEED ^ 2, _SEED ^ key]
    plain = key
    ignored = bytes((_SEED & 6) // 2)
    for byte in ignored + struct.pack("<I", len(data)) + data:
        out.append(byte ^ ((out[-2] + plain) & 0xFF))
        plain = byte
    return bytes(out).hex().upper()


def _module_names(modules: Sequence[Module]) -> bytes:
    return (
        b"".join(
            module.name.encode(CODE_PAGE) + b"\0" + module.name.encode("utf-16-le") + b"\0\0"
            for module in modules
        )
        + b"\0\0"
    )


def _directory(modules: Sequence[Module]) -> bytes:
    return b"".join(
        (
            _number(0x0001, 3),  # 64-bit Windows
            _number(0x0002, 0x0409),
            _number(0x0014, 0x0409),
            _record(0x0003, struct.pack("<H", 1252)),
            _record(0x0004, NAME.encode(CODE_PAGE)),
            *(_record(number, b"") for number in (0x0005, 0x0040, 0x0006, 0x003D)),
            _number(0x0007, 0),
            _number(0x0008, 0),
            struct.pack("<HIIH", 0x0009, 4, 1, 1),  # version; the size is fixed
            *(_record(number, b"") for number in (0x000C, 0x003C)),
            *(_reference(name, library) for name, library in _REFERENCES),
            _record(0x000F, struct.pack("<H", len(modules))),
            _record(0x0013, b"\xff\xff"),
            *(_module(module) for module in modules),
            _record(0x0010, b""),
        )
    )


def _reference(name: str, library: str) -> bytes:
    text = library.encode(CODE_PAGE)
    return (
        _record(0x0016, name.encode(CODE_PAGE))
        + _record(0x003E, name.encode("utf-16-le"))
        + _record(0x000D, struct.pack("<I", len(text)) + text + bytes(6))
    )


def _module(module: Module) -> bytes:
    name, wide = module.name.encode(CODE_PAGE), module.name.encode("utf-16-le")
    return b"".join(
        (
            _record(0x0019, name),
            _record(0x0047, wide),
            _record(0x001A, name),
            _record(0x0032, wide),
            _record(0x001C, b""),
            _record(0x0048, b""),
            _number(0x0031, 0),  # the source begins at once: there is no compiled form
            _number(0x001E, 0),
            _record(0x002C, b"\xff\xff"),
            _record(0x0022 if module.is_document else 0x0021, b""),
            _record(0x002B, b""),
        )
    )


def _record(number: int, data: bytes) -> bytes:
    return struct.pack("<HI", number, len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _record(number, struct.pack("<I", value))
