"""``csc-demand addin`` on a profile and a registry of the test's own."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli_cases import call
from demand_addin.commands.outcome import ExitCode
from demand_addin.ribbon import install as commands
from demand_addin.ribbon.build import FILE_NAME, about, build_addin
from demand_addin.ribbon.install import build_to, install, status, uninstall
from demand_addin.ribbon.profile import (
    NO_CHILD_PROCESSES,
    Profile,
    WindowsRegistry,
    obstacles,
    windowed_python,
)
from demand_addin.saving import NotSavedError
from demand_model.errors import InvalidInputError

pytestmark = pytest.mark.unit

SECURITY = r"Software\Microsoft\Office\16.0\Excel\Security"
POLICY = r"Software\Policies\Microsoft\Office\16.0\Excel\Security"
ASR = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"


class FakeRegistry:
    def __init__(self, **keys: Mapping[str, object]) -> None:
        self.keys = dict(keys)

    def values(self, key: str) -> Mapping[str, object]:
        return self.keys.get(key, {})


def registry(keys: Mapping[str, Mapping[str, object]]) -> FakeRegistry:
    return FakeRegistry(**keys)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    roaming = tmp_path / "Zoë Ω" / "AppData" / "Roaming"
    (roaming / "Microsoft" / "Excel" / "XLSTART").mkdir(parents=True)
    (roaming / "Microsoft" / "Excel" / "XLSTART" / "PERSONAL.XLSB").write_bytes(b"mine")
    return Profile(roaming=roaming, registry=FakeRegistry())


@pytest.fixture
def python(tmp_path: Path) -> Path:
    scripts = tmp_path / "csc & co" / "Scripts"
    scripts.mkdir(parents=True)
    for name in ("python.exe", "pythonw.exe"):
        (scripts / name).write_bytes(b"MZ")
    return scripts / "python.exe"


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_install_and_uninstall_leave_the_profile_exactly_as_it_was(profile, python) -> None:
    before = tree(profile.roaming)
    done = install(profile, executable=python)
    assert done.wrote == (profile.addin,)
    assert set(tree(profile.roaming)) - set(before) == {f"Microsoft/Excel/XLSTART/{FILE_NAME}"}
    assert about(profile.addin.read_bytes()).python == str(python.with_name("pythonw.exe"))
    gone = uninstall(profile)
    assert str(profile.addin) in gone.sentences[0]
    assert tree(profile.roaming) == before


def test_installing_twice_changes_nothing_the_second_time(profile, python) -> None:
    install(profile, executable=python)
    written = profile.addin.stat().st_mtime_ns
    again = install(profile, executable=python)
    assert again.wrote == ()
    assert "already" in again.sentences[0]
    assert profile.addin.stat().st_mtime_ns == written
    uninstall(profile)
    assert "nothing to remove" in uninstall(profile).sentences[0]


def test_the_start_folder_is_made_if_excel_has_not_yet(tmp_path, python) -> None:
    profile = Profile(roaming=tmp_path / "new", registry=FakeRegistry())
    install(profile, executable=python)
    assert profile.addin.is_file()


def test_a_strangers_file_of_that_name_stays(profile, python) -> None:
    profile.addin.write_bytes(b"somebody else's")
    for act in (
        lambda: install(profile, executable=python),
        lambda: uninstall(profile),
        lambda: build_to(profile.addin),
    ):
        with pytest.raises(InvalidInputError, match="left as it is"):
            act()
    assert profile.addin.read_bytes() == b"somebody else's"


def test_an_excel_that_holds_the_file_open_is_said(profile, python, monkeypatch) -> None:
    install(profile, executable=python)

    def held(*_: object, **__: object) -> None:
        raise PermissionError(13, "used by another process")

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(NotSavedError, match="close all Excel windows"):
        uninstall(profile)


def test_a_half_written_file_is_never_in_the_start_folder(profile, python, monkeypatch) -> None:
    before = tree(profile.roaming)

    def held(*_: object) -> None:
        raise PermissionError(13, "used by another process")

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(NotSavedError, match="close all Excel windows"):
        install(profile, executable=python)
    assert tree(profile.roaming) == before


def test_status_says_what_is_so(profile, python) -> None:
    assert status(profile).record == {"installed": False}
    install(profile, executable=python)
    well = status(profile)
    assert well.exit_code is ExitCode.OK
    assert well.record["up_to_date"] is True
    assert well.record["python_found"] is True
    python.with_name("pythonw.exe").unlink()
    lost = status(profile)
    assert lost.exit_code is ExitCode.MEND
    assert "Its Python is no longer there" in lost.problem
    assert "addin install mends it" in lost.problem


def test_status_sees_an_add_in_of_another_version(profile, python) -> None:
    install(profile, executable=python)
    out = io.BytesIO()
    with zipfile.ZipFile(profile.addin) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data + b"<!-- -->" if name.startswith("customUI") else data)
    profile.addin.write_bytes(out.getvalue())
    told = status(profile)
    assert told.record["up_to_date"] is False
    assert "another version" in told.problem
    install(profile, executable=python)
    assert status(profile).exit_code is ExitCode.OK


def test_a_signed_add_in_is_installed_as_it_was_signed(profile, python, tmp_path) -> None:
    signed = tmp_path / "signed.xlam"
    build_to(signed)
    with zipfile.ZipFile(signed, "a") as archive:
        archive.writestr("xl/vbaProjectSignature.bin", b"signature")
    install(profile, signed=signed, executable=python)
    told = status(profile)
    assert told.record["signed"] is True
    assert told.record["up_to_date"] is True
    with zipfile.ZipFile(signed) as one, zipfile.ZipFile(profile.addin) as two:
        assert one.read("xl/vbaProject.bin") == two.read("xl/vbaProject.bin")
    with pytest.raises(InvalidInputError, match="no add-in"):
        install(profile, signed=python, executable=python)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        install(profile, signed=tmp_path / "none.xlam", executable=python)


def test_python_without_a_window_is_preferred_and_odd_folders_are_refused(python, tmp_path) -> None:
    assert windowed_python(python) == python.with_name("pythonw.exe")
    python.with_name("pythonw.exe").unlink()
    assert windowed_python(python) == python
    with pytest.raises(InvalidInputError, match="a % or a"):
        windowed_python(tmp_path / "100%" / "python.exe")


# -- Rules of the organisation


@pytest.mark.parametrize(
    ("keys", "signed", "words"),
    [
        ({}, False, ()),
        ({rf"HKCU\{SECURITY}": {"vbawarnings": 4}}, False, ()),  # its folder is trusted
        ({ASR: {NO_CHILD_PROCESSES: "1"}}, False, ("creating child processes", "launcher")),
        ({ASR: {NO_CHILD_PROCESSES: "6"}}, True, ("creating child processes",)),
        ({ASR: {NO_CHILD_PROCESSES: "2"}}, False, ()),  # noted only
        (
            {
                r"HKLM\SOFTWARE\Microsoft\Windows Defender\Policy Manager": {
                    "asrrules": f"3b576869-a4ec-4529-8536-b80a7769e899=1|{NO_CHILD_PROCESSES}=1"
                }
            },
            False,
            ("creating child processes",),
        ),
        ({rf"HKCU\{POLICY}": {"requireaddinsig": 1}}, False, ("signed add-ins only",)),
        ({rf"HKCU\{POLICY}": {"requireaddinsig": 1}}, True, ()),
        ({rf"HKCU\{SECURITY}": {"disablealladdins": 1}}, True, ("run no add-ins",)),
        (
            {
                rf"HKCU\{POLICY}\Trusted Locations": {"alllocationsdisabled": 1},
                rf"HKCU\{POLICY}": {"vbawarnings": 3},
            },
            False,
            ("Only signed macros",),
        ),
        (
            {
                rf"HKCU\{POLICY}\Trusted Locations": {"alllocationsdisabled": 1},
                rf"HKCU\{POLICY}": {"vbawarnings": 4},
                rf"HKCU\{SECURITY}": {"vbawarnings": 1},
            },
            True,
            ("Macros are switched off",),
        ),
        (
            {r"HKLM\Software\Policies\Microsoft\Office\16.0\Common": {"vbaoff": 1}},
            True,
            ("Visual Basic is switched off",),
        ),
        (
            {
                r"HKCU\Software\Microsoft\Office\16.0\Excel\Resiliency\DisabledItems": {
                    "1A2B": b"\1\0" + r"c:\x\XLSTART\CSC-demand.xlam".lower().encode("utf-16-le")
                }
            },
            True,
            ("Manage Disabled Items",),
        ),
    ],
)
def test_what_the_organisation_forbids_is_said(keys, signed, words) -> None:
    found = obstacles(registry(keys), is_signed=signed)
    assert len(found) == (1 if words else 0), found
    for word in words:
        assert word in found[0]


def test_obstacles_are_part_of_install_and_status(profile, python) -> None:
    hindered = Profile(roaming=profile.roaming, registry=registry({ASR: {NO_CHILD_PROCESSES: "1"}}))
    assert "launcher" in install(hindered, executable=python).sentences[-1]
    told = status(hindered)
    assert told.exit_code is ExitCode.MEND
    assert "launcher" in told.problem


@pytest.mark.skipif(sys.platform == "win32", reason="there is a registry here")
def test_without_windows_there_is_one_clear_sentence() -> None:
    assert WindowsRegistry().values(rf"HKCU\{SECURITY}") == {}
    for command in ("install", "uninstall", "status"):
        result = call("addin", command)
        assert result.exit_code == 1
        assert "The ribbon is for Excel on Windows" in result.stderr
        assert "csc-demand run BOOK" in result.stderr


# -- On the command line


def test_build_writes_the_file_and_says_where(tmp_path) -> None:
    out = tmp_path / "csc-demand.xlam"
    result = call("addin", "build", "--out", out)
    assert result.exit_code == 0
    assert f"Wrote: {out}" in result.stdout
    assert out.read_bytes() == build_addin()
    again = json.loads(call("addin", "build", "--out", out, "--json").stdout)
    assert again["ok"] is True
    assert again["wrote"] == [str(out)]
    assert call("addin", "build", "--out", tmp_path / "no" / "x.xlam").exit_code == 3


def test_the_commands_answer_in_words_and_for_machines(profile, python, monkeypatch) -> None:
    monkeypatch.setattr(commands, "current_profile", lambda: profile)
    monkeypatch.setattr(sys, "executable", str(python))
    assert "not installed" in call("addin", "status").stdout
    assert f"Wrote: {profile.addin}" in call("addin", "install").stdout
    told = json.loads(call("addin", "status", "--json").stdout)
    assert (told["installed"], told["python_found"], told["obstacles"]) == (True, True, [])
    assert json.loads(call("addin", "uninstall", "--json").stdout)["removed"] == [
        str(profile.addin)
    ]
    assert not profile.addin.exists()
