"""VBA run by LibreOffice: a workbook's own functions, called by their names.

A macro in a profile of the test's own opens the workbook with its macros allowed, calls
each function and writes what it returns to a file, a line each.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from demand_addin.ribbon.build import build_addin, modules, sources
from demand_addin.ribbon.project import NAME, Module, vba_project
from what_if_books import office

_DTD = "http://openoffice.org/2000"
_LIBRARY = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<library:library xmlns:library="{_DTD}/library" library:name="Standard" '
    'library:readonly="false" library:passwordprotected="false">'
    '<library:element library:name="Caller"/></library:library>'
)
_CALLER = """
Sub Main
  Dim how(1) As New com.sun.star.beans.PropertyValue
  Dim out As Integer
  how(0).Name = "Hidden" : how(0).Value = True
  how(1).Name = "MacroExecutionMode" : how(1).Value = 4
  book = StarDesktop.loadComponentFromURL("{book}", "_blank", 0, how())
  scripts = book.getScriptProvider()
  out = FreeFile
  Open "{answers}" For Output As #out
  On Error Goto failed
{calls}
  Goto done
failed:
  Print #out, "error: " & Error
done:
  Close #out
  book.close(True)
  StarDesktop.terminate()
End Sub
"""
_CALL = """
  place = "?language=Basic&location=document"
  script = scripts.getScript("vnd.sun.star.script:{name}.{function}" & place)
  Print #out, CStr(script.invoke(Array({arguments}), Array(), Array()))
"""


def with_code(book: bytes, extra: Sequence[Module] = ()) -> bytes:
    """Return a workbook of the product as an .xlsm that holds the add-in's code as well."""
    code = tuple(m for m in modules(sources()) if m.name != "OwnSheet")
    parts = {}
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        for name in archive.namelist():
            parts[name] = archive.read(name)
    plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macros = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    types = parts["[Content_Types].xml"].replace(plain, macros)
    default = b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
    parts["[Content_Types].xml"] = re.sub(rb"(<Types[^>]*>)", rb"\1" + default, types)
    kind = b"http://schemas.microsoft.com/office/2006/relationships/vbaProject"
    link = b'<Relationship Id="rIdVba" Type="' + kind + b'" Target="vbaProject.bin"/>'
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace(b"</Relationships>", link + b"</Relationships>")
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"<workbookPr", b'<workbookPr codeName="ThisWorkbook"'
    )
    parts["xl/vbaProject.bin"] = vba_project((*code, *extra))
    return _zip(parts)


def twin(extra: Sequence[Module] = ()) -> bytes:
    """Return the add-in as an .xlsm, with further modules."""
    built = build_addin(kind="xlsm")
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/vbaProject.bin"] = vba_project((*modules(sources()), *extra))
    return _zip(parts)


def _zip(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def _run(command: list[str]) -> None:
    """Run a command; whatever it has started ends with it."""
    started = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        assert started.wait(timeout=90) == 0
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        raise


def read_back(addin: bytes) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Return each module's text, and each (kind, keyword in small letters), as olevba has them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a package below olevba
        from oletools.olevba import VBA_Parser

        parser = VBA_Parser("csc-demand.xlam", data=addin)
        try:
            texts = {s.rpartition("/")[2]: code for _, s, _, code in parser.extract_all_macros()}
            return texts, {(kind, word.lower()) for kind, word, _ in parser.analyze_macros()}
        finally:
            parser.close()


def decompressed(data: bytes) -> bytes:
    """Return what was compressed, as olevba has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from oletools.olevba import decompress_stream

        return bytes(decompress_stream(bytearray(data)))


def call(book: Path, functions: Sequence[tuple[str, str]], folder: Path) -> list[str]:
    """Return what functions of a workbook give.

    Parameters
    ----------
    functions
        ``("Module.Function", 'arguments, as "Basic" writes them')``.
    """
    program = office()
    assert program is not None
    answers, profile = folder / "answers.txt", folder / "profile"
    basic = profile / "user" / "basic"
    start = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
    # The first start fills a new profile, over whatever stands there; its macro is empty.
    _run([*start, "macro:///Standard.Module1.Main"])
    calls = "".join(
        _CALL.format(name=NAME, function=function, arguments=arguments)
        for function, arguments in functions
    )
    source = _CALLER.format(book=book.as_uri(), answers=answers, calls=calls)
    (basic / "Standard" / "script.xlb").write_text(_LIBRARY, encoding="utf-8")
    (basic / "Standard" / "Caller.xba").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<script:module xmlns:script="{_DTD}/script" script:name="Caller" '
        f'script:language="StarBasic">{escape(source)}</script:module>',
        encoding="utf-8",
    )
    _run([*start, "macro:///Standard.Caller.Main"])
    return answers.read_text(encoding="utf-8").splitlines()
