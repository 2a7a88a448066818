"""Where one user's Excel looks for add-ins, and which rules of the organisation it follows.

The add-in goes to the user's own start folder of Excel (XLSTART), for these reasons:

* Excel opens whatever stands there at every start: one file, no registry value. The other
  way, ``OPENn`` values in the registry, is numbered across all add-ins and rewritten by
  Excel when it closes, so an installation beside an open Excel is lost or takes another
  add-in's number.
* It is one of Excel's trusted locations unless the organisation has switched those off; the
  ``AddIns`` folder is not.
* Taking the file away takes everything away.

The registry is read, for `status`, and never written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from demand_addin.ribbon.build import FILE_NAME
from demand_model.errors import InvalidInputError

_OFFICE = r"Software\Microsoft\Office\16.0"
_OFFICE_POLICY = r"Software\Policies\Microsoft\Office\16.0"
_ASR_POLICY = (
    r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
)
_ASR_MANAGED = r"SOFTWARE\Microsoft\Windows Defender\Policy Manager"
NO_CHILD_PROCESSES = "d4f940ab-401b-4efc-aadc-ad5f3c50688a"
"""Defender's rule "Block all Office applications from creating child processes"."""
_BLOCKS, _WARNS = 1, 6
_ONLY_SIGNED, _NO_MACROS = 3, 4

USE_THE_LAUNCHER = "use the launcher instead (csc-demand launcher), which no such rule concerns"


class Registry(Protocol):
    """The registry, for reading."""

    def values(self, key: str) -> Mapping[str, object]:
        r"""Values of a key (``HKCU\...``, ``HKLM\...``) by lower-case name; none if absent."""


class WindowsRegistry:
    """The registry of this computer."""

    def values(self, key: str) -> Mapping[str, object]:
        """Return the values of a key; none if it is absent or may not be read."""
        found: dict[str, object] = {}
        if sys.platform == "win32":
            import winreg

            root, _, path = key.partition("\\")
            roots = {"HKCU": winreg.HKEY_CURRENT_USER, "HKLM": winreg.HKEY_LOCAL_MACHINE}
            access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
            try:
                with winreg.OpenKey(roots[root], path, 0, access) as opened:
                    for index in range(winreg.QueryInfoKey(opened)[1]):
                        name, value, _ = winreg.EnumValue(opened, index)
                        found[name.lower()] = value
            except OSError:
                return found
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One user's place on one computer.

    Attributes
    ----------
    roaming
        The folder that Windows calls ``%APPDATA%``.
    registry
        For reading.
    """

    roaming: Path
    registry: Registry

    @property
    def addin(self) -> Path:
        """Where the add-in stands once it is installed."""
        return self.roaming / "Microsoft" / "Excel" / "XLSTART" / FILE_NAME


def current_profile() -> Profile:
    """Return the profile of the user who runs this.

    Raises
    ------
    InvalidInputError
        There is no Excel for Windows here.
    """
    roaming = os.environ.get("APPDATA", "")
    if sys.platform != "win32" or not roaming:
        raise InvalidInputError(
            "The ribbon is for Excel on Windows, which is not on this computer; use csc-demand run "
            "BOOK on the closed workbook. The add-in's file can be built anywhere: csc-demand "
            "addin build."
        )
    return Profile(roaming=Path(roaming), registry=WindowsRegistry())


def windowed_python(executable: Path) -> Path:
    """Return the Python that shows no black window, beside the one that runs this.

    Raises
    ------
    InvalidInputError
        Its path holds a character that Windows would read in another way.
    """
    windowed = executable.with_name("pythonw.exe")
    chosen = windowed if windowed.is_file() else executable
    if any(character in str(chosen) for character in '%"'):
        raise InvalidInputError(
            f"Python stands in {chosen.parent}, and Excel cannot start it from a folder with a % "
            'or a " in its name: install csc-demand in another folder.'
        )
    return chosen


def obstacles(registry: Registry, *, is_signed: bool) -> tuple[str, ...]:
    """Return what keeps the add-in from running, a sentence each; empty if nothing is known.

    Parameters
    ----------
    registry
        Whose settings count; those of the organisation win over the user's own.
    is_signed
        The add-in carries a signature (whether it is trusted is not known here).
    """
    security = _settings(registry, r"Excel\Security")
    places = _settings(registry, r"Excel\Security\Trusted Locations")
    found: list[str] = []
    if _settings(registry, "Common").get("vbaoff") == 1:
        found.append(f"Visual Basic is switched off for Office on this computer: {_LAUNCH}")
    if security.get("disablealladdins") == 1:
        found.append(f"Excel is told to run no add-ins: {_LAUNCH}")
    elif security.get("requireaddinsig") == 1 and not is_signed:
        found.append(f"Excel is told to run signed add-ins only, and this one is not: {_SIGN}")
    elif places.get("alllocationsdisabled") == 1:
        warnings = security.get("vbawarnings")
        if warnings == _NO_MACROS:
            found.append(f"Macros are switched off and no folder is trusted: {_LAUNCH}")
        elif warnings == _ONLY_SIGNED and not is_signed:
            found.append(f"Only signed macros may run, and no folder is trusted: {_SIGN}")
    if _asr(registry) in (_BLOCKS, _WARNS):
        found.append(
            'Defender\'s rule "Block all Office applications from creating child processes" is '
            f"on, so the buttons cannot start Python: {_LAUNCH}"
        )
    if _was_disabled(registry):
        found.append(
            "Excel has switched the add-in off after a crash: File, Options, Add-ins, Manage "
            "Disabled Items, Go, Enable."
        )
    return tuple(found)


_LAUNCH = f"{USE_THE_LAUNCHER}."
_SIGN = f"have it signed (csc-demand addin build, then install --from), or {USE_THE_LAUNCHER}."


def _settings(registry: Registry, path: str) -> Mapping[str, object]:
    """Settings of Office: the user's, the computer's rules, the user's rules; the last wins."""
    return {
        **registry.values(rf"HKCU\{_OFFICE}\{path}"),
        **registry.values(rf"HKLM\{_OFFICE_POLICY}\{path}"),
        **registry.values(rf"HKCU\{_OFFICE_POLICY}\{path}"),
    }


def _asr(registry: Registry) -> int | None:
    """Return how Defender's rule is set: 0 off, 1 block, 2 note only, 6 warn."""
    direct = registry.values(rf"HKLM\{_ASR_POLICY}").get(NO_CHILD_PROCESSES)
    managed = str(registry.values(rf"HKLM\{_ASR_MANAGED}").get("asrrules", ""))
    rules = dict(part.lower().split("=", 1) for part in managed.split("|") if "=" in part)
    for value in (direct, rules.get(NO_CHILD_PROCESSES)):
        if value is not None and str(value).isdigit():
            return int(str(value))
    return None


def _was_disabled(registry: Registry) -> bool:
    items = registry.values(rf"HKCU\{_OFFICE}\Excel\Resiliency\DisabledItems").values()
    name = FILE_NAME.encode("utf-16-le")
    return any(isinstance(item, bytes) and name in item.lower() for item in items)
