"""The ribbon add-in as it is built: read back by oletools and olefile, run by LibreOffice."""

from __future__ import annotations

import ast
import io
import re
import struct
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import olefile
import openpyxl
import pytest
import xlwings

from demand_addin.commands.new import template_bytes
from demand_addin.layout import SHEETS
from demand_addin.live import __main__ as entry
from demand_addin.live.answering import TITLES
from demand_addin.ribbon import build
from demand_addin.ribbon.build import RIBBON, about, build_addin, modules, sources, with_python
from demand_addin.ribbon.compound import compound_file
from demand_addin.ribbon.compression import compress
from demand_addin.ribbon.project import Module, blurred
from demand_model.errors import InvalidInputError
from office_macros import call, decompressed, read_back, twin, with_code
from what_if_books import office

pytestmark = pytest.mark.unit

PYTHON = r"C:\Users\Zoë & Co\csc\Scripts\pythonw.exe"
NS = "{http://schemas.microsoft.com/office/2009/07/customui}"


@pytest.fixture(scope="module")
def addin() -> bytes:
    return build_addin(python=PYTHON)


@pytest.fixture(scope="module")
def parts(addin: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(addin)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def project(parts: dict[str, bytes]) -> olefile.OleFileIO:
    with olefile.OleFileIO(parts["xl/vbaProject.bin"]) as opened:
        yield opened


def tree_of(text: str | bytes) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  (our own text)


# -- Compression and container


@pytest.mark.parametrize("length", [1, 3, 4095, 4096, 4097, 12_000])
@pytest.mark.parametrize("kind", ["text", "one letter", "few letters", "noise"])
def test_what_is_compressed_comes_back(length: int, kind: str) -> None:
    chance = np.random.default_rng(length)
    text = "Public Sub X()\r\n" * 800
    data = {
        "text": text.encode()[:length],
        "one letter": b"a" * length,
        "few letters": bytes(chance.choice(list(b"ab \r\n"), length).astype("u1")),
        "noise": chance.bytes(length),
    }[kind]
    back = decompressed(compress(data))
    # A last chunk of noise is kept as it is, filled up with zeros.
    assert back[:length] == data
    assert kind == "noise" or len(back) == length


def test_compression_of_the_specification() -> None:
    """[MS-OVBA] section 3.2.3: the maximal compression of 73 letters a."""
    expected = bytes.fromhex("0103b00261 4500".replace(" ", ""))
    assert compress(b"a" * 73) == expected


def test_a_compound_file_holds_short_long_and_empty_streams() -> None:
    chance = np.random.default_rng(4)
    sizes = (0, 1, 63, 64, 65, 4095, 4096, 4097, 70_000)
    inner = {f"Stream{size}": chance.bytes(size) for size in sizes}
    data = compound_file({"A": b"x", "VBA": {**inner, "deeper": {"B": b"y" * 5000}}})
    with olefile.OleFileIO(data) as opened:
        assert opened.parsing_issues == []
        found = {"/".join(path): opened.openstream(path).read() for path in opened.listdir()}
    expected = {"A": b"x", "VBA/deeper/B": b"y" * 5000}
    assert found == expected | {f"VBA/{name}": value for name, value in inner.items()}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 12, 31, 40])
def test_the_directory_is_a_search_tree_in_balance(count: int) -> None:
    names = [f"{'x' * (n % 5)}N{n}" for n in range(count)]
    data = compound_file(dict.fromkeys(names, b"1"))
    with olefile.OleFileIO(data) as opened:
        entries = opened.direntries
        heights: set[int] = set()

        def walk(number: int, parent_red: bool, blacks: int) -> list[str]:
            if number == 0xFFFFFFFF:
                heights.add(blacks)
                return []
            entry = entries[number]
            red = entry.color == 0
            assert not (red and parent_red)
            blacks += not red
            left = walk(entry.sid_left, red, blacks)
            return [*left, entry.name, *walk(entry.sid_right, red, blacks)]

        found = walk(entries[0].sid_child, False, 0)
    assert found == sorted(names, key=lambda name: (len(name), name.upper()))
    assert len(heights) == 1


def test_settings_of_the_project_are_blurred_as_excel_does_it() -> None:
    """Taken apart again by the specification; a workbook of xlwings as oracle."""
    source = Path(xlwings.__file__).parent / "quickstart.xlsm"
    with zipfile.ZipFile(source) as archive:
        theirs = archive.read("xl/vbaProject.bin")
    with olefile.OleFileIO(theirs) as opened:
        text = opened.openstream("PROJECT").read().decode("cp1252")
    key = re.search(r'ID="([^"]+)"', text)[1]
    assert plain(re.search(r'CMG="(\w+)"', text)[1], key) == bytes(4)
    assert plain(re.search(r'GC="(\w+)"', text)[1], key) == b"\xff"
    for setting in (bytes(4), b"\0", b"\xff"):
        assert plain(blurred(setting, project=key), key) == setting


def plain(text: str, project: str) -> bytes:
    """Data decryption of [MS-OVBA] section 2.4.3.3."""
    data = bytes.fromhex(text)
    seed, version, key = data[0], data[1] ^ data[0], data[2] ^ data[0]
    assert (version, key) == (2, sum(project.encode()) & 0xFF)
    last, second, before = key, data[2], data[1]
    out = []
    for byte in data[3:]:
        value = byte ^ ((before + last) & 0xFF)
        last, second, before = value, byte, second
        out.append(value)
    skipped = (seed & 6) // 2
    length = struct.unpack("<I", bytes(out[skipped : skipped + 4]))[0]
    found = bytes(out[skipped + 4 :])
    assert len(found) == length
    return found


# -- The add-in


def test_the_same_sources_give_the_same_bytes(addin: bytes) -> None:
    assert build_addin(python=PYTHON) == addin
    assert len(addin) < 30_000


def test_sources_of_either_line_end_give_the_same_bytes(addin, tmp_path, monkeypatch) -> None:
    for name, text in sources().items():
        (tmp_path / name).write_bytes(text.replace("\n", "\r\n").encode())
    monkeypatch.setattr(build, "_place", lambda name: tmp_path / name)
    assert build_addin(python=PYTHON) == addin


def test_every_module_reads_back_byte_for_byte(addin: bytes) -> None:
    read, _ = read_back(addin)
    expected = {m.name: m.source.replace("\n", "\r\n") for m in modules(sources())}
    assert read == expected
    assert len(read) == 5


def test_the_sources_are_plain_ascii_with_their_own_names() -> None:
    for module in modules(sources()):
        assert module.source.isascii()
        assert module.source.splitlines()[0] == f'Attribute VB_Name = "{module.name}"'
        assert "Option Explicit" in module.source
        assert max(map(len, module.source.splitlines())) <= 100


def test_nothing_forbidden_is_in_the_code(addin: bytes) -> None:
    _, found = read_back(addin)
    assert found <= {
        ("Suspicious", "wscript.shell"),
        ("Suspicious", "createobject"),
        ("Suspicious", "shell"),
        ("Suspicious", "run"),
        ("Suspicious", "environment"),
        ("Suspicious", "open"),
        ("Suspicious", "command"),
        ("Suspicious", "hex strings"),
        ("Suspicious", "base64 strings"),
    }
    code = "\n".join(code_of(module) for module in modules(sources()))
    for word in (
        "Declare", "PtrSafe", "Lib", "cmd.exe", "powershell", "URLDownload", "XMLHTTP",
        "WinHttp", "ADODB", "Kill", "SaveAs", "FileCopy", "Open", "Print", "Shell.Application",
        "ExecuteExcel4Macro", "Evaluate", "VBProject", "RegWrite", "Exec", "Save", "Environ",
        "CurrentDirectory", "CallByName", "SendKeys",
    ):  # fmt: skip
        assert not re.search(rf"(?<![\w_]){re.escape(word)}(?![\w_])", code, re.IGNORECASE), word
    assert re.findall(r'CreateObject\("([^"]+)"\)', code) == ["WScript.Shell"]
    assert code.count("shell.Run") == 1
    assert "http" not in code


def code_of(module: Module) -> str:
    """A module without comments and, but for what it makes, without texts."""
    lines = [line.partition("'")[0] for line in module.source.splitlines() if '"\'"' not in line]
    return re.sub(r'(?<!CreateObject\()"[^"\n]*"', '""', "\n".join(lines))


def test_nothing_runs_by_itself_when_the_add_in_is_opened(addin: bytes) -> None:
    """Only the ribbon calls: no macro has a name that Office starts by itself."""
    texts, found = read_back(addin)
    assert not [word for kind, word in found if kind == "AutoExec"]
    assert not re.search(r"Sub (Auto_?Open|Workbook_\w+)", "\n".join(texts.values()), re.IGNORECASE)


def test_the_command_line_is_made_of_nothing_of_the_workbooks() -> None:
    """What is run is built in one function, of Python's own place and a word of small letters."""
    texts = sources()
    assert texts["DemandRunner.bas"].count("text = CommandLine(Python(), task)") == 1
    tasks = set(re.findall(r'Start(?:OnBook|Python) "(\w+)"', texts["DemandRibbon.bas"]))
    assert tasks == set(TITLES) == set(entry.COMMANDS)
    for name, constant in (
        (entry.BOOK_VARIABLE, "VARIABLE_BOOK"),
        (entry.FILES_VARIABLE, "VARIABLE_FILES"),
    ):
        assert f'{constant} As String = "{name}"' in texts["DemandRunner.bas"]


def test_the_macro_never_waits_for_python() -> None:
    """If it did, Python's calls into Excel would wait for the macro, and both for ever."""
    assert "shell.Run text, NORMAL_WINDOW, False" in sources()["DemandRunner.bas"]


def test_the_container_is_whole(project: olefile.OleFileIO) -> None:
    assert project.parsing_issues == []
    assert project.openstream("VBA/_VBA_PROJECT").read() == bytes.fromhex("cc61ffff000000")
    text = project.openstream("PROJECT").read().decode("cp1252")
    assert re.findall(r"^(?:Document|Module)=(\w+)", text, re.MULTILINE) == [
        module.name for module in modules(sources())
    ]


def test_the_workbook_names_its_modules_and_python(addin: bytes, parts: dict[str, bytes]) -> None:
    assert b'codeName="ThisWorkbook"' in parts["xl/workbook.xml"]
    assert b'codeName="OwnSheet"' in parts["xl/worksheets/sheet1.xml"]
    book = openpyxl.load_workbook(io.BytesIO(build_addin(python=PYTHON, kind="xlsm")))
    sheet = book["csc-demand"]
    for name, value in (
        ("csc_demand_python", PYTHON),
        ("csc_demand_version", about(addin).version),
    ):
        _, _, cell = book.defined_names[name].attr_text.rpartition("!")
        assert sheet[cell.replace("$", "")].value == value
        assert f'"{name}"' in sources()["DemandRunner.bas"]


def test_no_part_is_without_a_type_and_every_link_leads_somewhere(parts) -> None:
    types = tree_of(parts["[Content_Types].xml"])
    extensions = {item.get("Extension") for item in types}
    named = {item.get("PartName") for item in types}
    for name in parts:
        assert f"/{name}" in named or name.rpartition(".")[2] in extensions, name
    for rels, folder in (("_rels/.rels", ""), ("xl/_rels/workbook.xml.rels", "xl/")):
        for link in tree_of(parts[rels]):
            assert folder + link.get("Target") in parts
    assert b"addin.macroEnabled" in parts["[Content_Types].xml"]


def test_a_signed_add_in_keeps_everything_but_the_place_of_python(addin: bytes) -> None:
    signed = io.BytesIO(addin)
    with zipfile.ZipFile(signed, "a") as archive:
        archive.writestr("xl/vbaProjectSignature.bin", b"signature")
    moved = with_python(signed.getvalue(), "D:\\py\\pythonw.exe")
    with zipfile.ZipFile(signed) as one, zipfile.ZipFile(io.BytesIO(moved)) as two:
        assert one.namelist() == two.namelist()
        changed = [name for name in one.namelist() if one.read(name) != two.read(name)]
    assert changed == [build.SHEET_PART]
    assert about(moved).python == "D:\\py\\pythonw.exe"


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"\xd0\xcf\x11\xe0"])
def test_another_file_is_not_taken_for_ours(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="no add-in that csc-demand has built"):
        about(content)


PROCEDURE = re.compile(
    r"^(?:Public |Private )?(?:Sub|Function) (\w+)\((.*?)\)(.*?)^End (?:Sub|Function)",
    re.MULTILINE | re.DOTALL,
)


def test_every_name_is_declared_before_it_is_used() -> None:
    """Excel refuses to compile what is not declared; LibreOffice would find it too late."""
    every = "\n".join(code_of(module) for module in modules(sources()))
    shared = set(re.findall(r"(?:Const|Private|WithEvents) (\w+) As", every))
    called = {name for name, _, _ in PROCEDURE.findall(every)}
    known = {
        "Application", "ThisWorkbook", "Err", "Nothing", "True", "False", "CStr", "Len", "Trim",
        "InStr", "AscW", "Mid", "Dir", "IsArray", "LBound", "UBound", "VarType", "MsgBox", "Now",
        "TimeSerial", "CreateObject", "Property",
    }  # fmt: skip
    checked = 0
    for module in modules(sources()):
        for name, arguments, body in PROCEDURE.findall(code_of(module)):
            own = set(re.findall(r"(\w+) As \w+", arguments))
            own |= set(re.findall(r"Dim (\w+) As", body))
            plain_body = re.sub(r'"[^"]*"', "", re.sub(r" _\n", " ", body))
            plain_body = re.sub(r"(?<![\w)])\.\w+|\.\w+", "", plain_body)
            used = set(re.findall(r"[A-Za-z_]\w*", plain_body))
            unknown = used - own - shared - called - known - {name} - KEYWORDS
            assert not {n for n in unknown if not n.startswith("vb")}, (name, unknown)
            checked += 1
    assert checked > 30


KEYWORDS = {
    "As", "And", "Or", "Not", "Is", "If", "Then", "Else", "End", "Exit", "Sub", "Function", "For",
    "Each", "In", "To", "Next", "With", "Set", "Dim", "On", "Error", "Resume", "GoTo", "Boolean",
    "Long", "String", "Object", "Variant", "Failed",
}  # fmt: skip


# -- The ribbon


def callbacks() -> dict[str, str]:
    """Public subs of the modules by name, with their arguments."""
    text = "\n".join(sources()[f"{name}.bas"] for name in build.MODULES)
    return dict(re.findall(r"^Public Sub (\w+)\(([^)]*)\)", text, re.MULTILINE))


SIGNATURES = {
    "onAction": "control As Object",
    "getEnabled": "control As Object, ByRef enabled As Variant",
    "onLoad": "ribbon As Object",
}


def test_every_callback_of_the_ribbon_is_there_with_the_right_arguments() -> None:
    tree, found, seen = tree_of(sources()[RIBBON]), callbacks(), 0
    for element in tree.iter():
        for attribute, arguments in SIGNATURES.items():
            name = element.get(attribute)
            if name is not None:
                assert found[name] == arguments, name
                seen += 1
    assert seen == 10 + 8 + 1
    assert not [a for e in tree.iter() for a in e.attrib if a.startswith("get")
                and a != "getEnabled"]  # fmt: skip


def test_the_ribbon_is_complete() -> None:
    tree = tree_of(sources()[RIBBON])
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    (tab,) = tree.iter(f"{NS}tab")
    assert tab.get("label") == "Demand model"
    buttons = list(tree.iter(f"{NS}button"))
    assert [button.get("label") for button in buttons] == [
        "New workbook", "Import lists", "Check", "Run", "Compare scenarios", "Accuracy", "Levers",
        "Keep what-if", "Undo last run", "Help",
    ]  # fmt: skip
    for button in buttons:
        for wanted in ("screentip", "supertip", "imageMso", "keytip", "onAction"):
            assert button.get(wanted), (button.get("id"), wanted)
        assert len(button.get("screentip")) <= 1024
        needs_book = button.get("label") not in ("New workbook", "Help")
        assert (button.get("getEnabled") is not None) is needs_book
    keys = [button.get("keytip") for button in buttons]
    assert len(keys) == len(set(keys))


def test_names_that_the_code_looks_for_are_in_the_workbook() -> None:
    code = sources()["DemandBooks.bas"] + sources()["DemandRibbon.bas"]
    wanted = set(re.findall(r'Const NAME_\w+ As String = "(\w+)"', code))
    known = {area.name for spec in SHEETS for area in spec.areas}
    book = openpyxl.load_workbook(io.BytesIO(template_bytes()), read_only=True)
    assert wanted - known - set(book.defined_names) == set()
    assert len(wanted) == 5
    sheets = set(re.findall(r'SheetIsFilled\(book, "([^"]+)"\)', code)) | {"Start"}
    assert sheets == {"List 3", "List 7", "List 8", "Start"}
    assert sheets <= {spec.name for spec in SHEETS}


# -- Run by LibreOffice

PROBE = Module(
    name="Probe",
    source="""Attribute VB_Name = "Probe"
Option Explicit

Public Function Seen() As String
    Dim book As Object
    Set book = ThisWorkbook
    Seen = IsDemandBook(book) & " " & HasResults(book) & " " & ScenarioCount(book) & " " & _
        HasLists(book) & " " & IsDemandBook(Nothing)
End Function

Public Function Decided() As String
    Decided = ButtonsAreEnabled(ThisWorkbook) & " " & ButtonsAreEnabled(Nothing)
End Function

Public Function Enabled() As String
    Dim answer As Variant
    CscDemandEnabled Nothing, answer
    Enabled = CStr(answer)
End Function

Public Function Loaded() As String
    CscDemandLoaded Nothing
    CscDemandRefresh
    Loaded = "the workbook watches"
End Function

Public Function Filled() As String
    With ThisWorkbook
        .Worksheets("List 7").Range("A2").Value = "row"
        .Names("dash_headlines").RefersToRange.Cells(1, 1).Value = "A sentence"
        .Names("scenario_names").RefersToRange.Cells(1, 1).Value = "Baseline"
        .Names("scenario_names").RefersToRange.Cells(2, 1).Value = "Other"
    End With
    Filled = Seen()
End Function

Public Function Joined() As String
    Joined = JoinedFiles(Array("C:\\a, b.csv", "\\\\server\\x = 'y'.xlsx"))
End Function

Public Function NotJoined() As String
    NotJoined = "[" & JoinedFiles(Array("a|b", "c")) & JoinedFiles(False) & "]"
End Function
""",
)


@pytest.mark.skipif(office() is None, reason="LibreOffice is not installed")
def test_libreoffice_runs_the_add_ins_own_functions(tmp_path: Path) -> None:
    book = tmp_path / "twin.xlsm"
    book.write_bytes(twin((PROBE,)))
    asked = {
        (
            "DemandBooks.CommandLine",
            '"C:\\a b\\pythonw.exe", "run"',
        ): '"C:\\a b\\pythonw.exe" -P -m demand_addin.live run --box',
        ("DemandBooks.CommandLine", '"C:\\100%\\pythonw.exe", "run"'): "",
        ("DemandBooks.CommandLine", '"C:\\a"" & b\\pythonw.exe", "run"'): "",
        ("DemandBooks.CommandLine", '"C:\\pythonw.exe", "run & calc"'): "",
        ("DemandBooks.CommandLine", '"", "run"'): "",
        ("DemandBooks.IsPlainWord", '"backtest"'): "True",
        ("DemandBooks.IsPlainWord", '"Run"'): "False",
        ("DemandBooks.IsWebAddress", '"https://council.sharepoint.com/b.xlsx"'): "True",
        ("DemandBooks.IsWebAddress", '"\\\\server\\b.xlsx"'): "False",
        ("DemandRunner.Version", ""): about(build_addin()).version,
        ("Probe.Seen", ""): "False False 0 False False",
        ("Probe.Decided", ""): "False False",
        ("Probe.Enabled", ""): "False",
        ("Probe.Loaded", ""): "the workbook watches",
        ("Probe.Joined", ""): "C:\\a, b.csv|\\\\server\\x = 'y'.xlsx",
        ("Probe.NotJoined", ""): "[]",
    }
    assert call(book, list(asked), tmp_path) == list(asked.values())


@pytest.mark.skipif(office() is None, reason="LibreOffice is not installed")
def test_libreoffice_sees_what_the_buttons_need_in_a_demand_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workbook in front is the demand workbook: LibreOffice, hidden, has none in front."""
    texts = sources()
    ribbon = texts["DemandRibbon.bas"]
    asked = "enabled = ButtonsAreEnabled(Application.ActiveWorkbook)"
    assert ribbon.count(asked) == 1
    in_front = asked.replace("Application.ActiveWorkbook", "ThisWorkbook")
    texts["DemandRibbon.bas"] = ribbon.replace(asked, in_front)
    monkeypatch.setattr("office_macros.sources", lambda: texts)
    book = tmp_path / "book.xlsm"
    book.write_bytes(with_code(template_bytes(), (PROBE,)))
    functions = ["Seen", "Decided", "Enabled", "Filled"]
    assert call(book, [(f"Probe.{name}", "") for name in functions], tmp_path) == [
        "True False 0 False False",
        "True False",
        "True",
        "True True 2 True False",
    ]


SAYING = Module(
    name="Saying",
    source="""Attribute VB_Name = "Saying"
Option Explicit

Public LastSaid As String

Public Function Started(ByVal python As String) As String
    LastSaid = ""
    ThisWorkbook.Names("csc_demand_python").RefersToRange.Value = python
    StartPython "run", "https://x/book.xlsx", ""
    Started = Replace(Replace(LastSaid, vbCrLf, " "), vbLf, " ")
End Function

Public Function TooMany(ByVal python As String) As String
    ThisWorkbook.Names("csc_demand_python").RefersToRange.Value = python
    StartPython "import", "book.xlsx", String(40000, "x")
    TooMany = LastSaid
End Function
""",
)


@pytest.mark.skipif(office() is None, reason="LibreOffice is not installed")
def test_what_keeps_python_from_starting_is_said_in_words(tmp_path: Path, monkeypatch) -> None:
    """LibreOffice has no `WScript.Shell`, as an Excel in which it is forbidden."""
    texts = sources()
    runner = texts["DemandRunner.bas"]
    assert runner.count("MsgBox text, style, TITLE") == 1
    texts["DemandRunner.bas"] = runner.replace("MsgBox text, style, TITLE", "LastSaid = text")
    monkeypatch.setattr("office_macros.sources", lambda: texts)
    book, python = tmp_path / "twin.xlsm", tmp_path / "pythonw.exe"
    python.write_bytes(b"MZ")
    book.write_bytes(twin((SAYING,)))
    functions = [
        ("Saying.Started", '""'),
        ("Saying.Started", f'"{tmp_path / "gone.exe"}"'),
        ("Saying.Started", f'"{python}"'),
        ("Saying.TooMany", f'"{python}"'),
    ]
    none, gone, forbidden, many = call(book, functions, tmp_path)
    for said in (none, gone):
        assert said.startswith("Python is not where it was")
        assert said.endswith("csc-demand addin install")
    assert forbidden.startswith("Excel was not allowed to start Python, so nothing was changed (")
    assert forbidden.endswith("csc-demand launcher in a terminal.")
    assert "too many files" in many


def test_the_builder_needs_nothing_but_the_standard_library() -> None:
    folder = Path(build.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {a.name.partition(".")[0] for a in node.names} <= {
                    "io", "os", "re", "struct", "sys", "winreg", "xml", "zipfile", "zlib",
                }  # fmt: skip
