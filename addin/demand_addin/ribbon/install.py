"""``csc-demand addin``: build, install, uninstall and look at the ribbon add-in."""

from __future__ import annotations

import sys
import zipfile
from io import BytesIO
from pathlib import Path

from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.ribbon.build import FILE_NAME, about, build_addin, with_python
from demand_addin.ribbon.profile import Profile, current_profile, obstacles, windowed_python
from demand_addin.saving import NotSavedError
from demand_model.errors import InvalidInputError

RESTART = "Close all Excel windows and open Excel again: the tab Demand model is there."
_NEXT = "To use it: csc-demand addin install. To have it signed first, see the page for IT."
_CODE = ("xl/vbaProject.bin", "customUI/customUI14.xml")
_SIGNATURE = "xl/vbaProjectSignature"


def build_to(path: Path) -> Outcome:
    """Write the add-in to a file, to be looked at or signed; it names no Python yet.

    Raises
    ------
    InvalidInputError
        A file of that name exists that is not such an add-in.
    NotSavedError
        It cannot be written.
    """
    data = build_addin()
    _refuse_strangers(path)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _not_written(path) from error
    return Outcome(
        command="addin build",
        wrote=(path,),
        sentences=(_NEXT,),
        record={"version": about(data).version, "bytes": len(data)},
    )


def install(
    profile: Profile | None = None, *, signed: Path | None = None, executable: Path | None = None
) -> Outcome:
    """Put the add-in where this user's Excel loads it at every start.

    Parameters
    ----------
    profile
        Whose; the current user's by default.
    signed
        A built add-in that was signed since; only the place of Python changes in it.
    executable
        The Python that runs csc-demand; this one by default.

    Raises
    ------
    InvalidInputError
        There is no Excel for Windows here, or a file in the way is not such an add-in.
    NotSavedError
        It cannot be written.
    """
    profile = profile or current_profile()
    python = str(windowed_python(executable or Path(sys.executable)))
    data = build_addin(python=python) if signed is None else with_python(_read(signed), python)
    target = profile.addin
    _refuse_strangers(target)
    is_same = target.is_file() and target.read_bytes() == data
    if not is_same:
        _replace(target, data)
    lines = (
        ("It was installed already, and is as it should be.",)
        if is_same
        else (f"Installed for you only. {RESTART}",)
    )
    return Outcome(
        command="addin install",
        wrote=() if is_same else (target,),
        sentences=(*lines, *obstacles(profile.registry, is_signed=_is_signed(data))),
        record={"version": about(data).version, "python": python, "file": str(target)},
    )


def uninstall(profile: Profile | None = None) -> Outcome:
    """Take the add-in away again; nothing else was put anywhere.

    Raises
    ------
    InvalidInputError
        There is no Excel for Windows here, or the file is not such an add-in.
    NotSavedError
        Excel holds it open.
    """
    profile = profile or current_profile()
    target = profile.addin
    was_there = target.exists()
    _refuse_strangers(target)
    try:
        target.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(target) from error
    sentence = (
        f"Removed: {target}. An Excel that is open keeps the tab until it is closed."
        if was_there
        else "The add-in was not installed: there was nothing to remove."
    )
    return Outcome(
        command="addin uninstall",
        sentences=(sentence,),
        record={"removed": [str(target)] if was_there else []},
    )


def status(profile: Profile | None = None) -> Outcome:
    """Say whether the add-in is installed, up to date and able to start Python.

    Raises
    ------
    InvalidInputError
        There is no Excel for Windows here, or the file is not such an add-in.
    """
    profile = profile or current_profile()
    target = profile.addin
    if not target.is_file():
        return Outcome(
            command="addin status",
            sentences=("The add-in is not installed: csc-demand addin install.",),
            record={"installed": False},
        )
    _refuse_strangers(target)
    data = _read(target)
    told = about(data)
    has_python, is_current = Path(told.python).is_file(), _code(data) == _code(build_addin())
    hindered = obstacles(profile.registry, is_signed=_is_signed(data))
    problems = [
        *(() if has_python else (f"Its Python is no longer there ({told.python or 'none'})",)),
        *(() if is_current else ("It was built by another version of csc-demand",)),
    ]
    again = "; csc-demand addin install mends it." if problems else ""
    return Outcome(
        command="addin status",
        exit_code=ExitCode.MEND if problems or hindered else ExitCode.OK,
        problem=" ".join((*((". ".join(problems) + again,) if problems else ()), *hindered)),
        sentences=(
            f"The add-in is installed: {target}",
            f"Version {told.version}{', signed' if _is_signed(data) else ', not signed'}.",
            f"Its buttons start {told.python}.",
        ),
        record={
            "installed": True,
            "file": str(target),
            "version": told.version,
            "python": told.python,
            "python_found": has_python,
            "up_to_date": is_current,
            "signed": _is_signed(data),
            "obstacles": list(hindered),
        },
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path.name} cannot be read.") from error


def _refuse_strangers(path: Path) -> None:
    """Leave a file alone that is not ours."""
    if not path.exists():
        return
    try:
        about(_read(path))
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{path} is not an add-in of csc-demand, so it was left as it is: move it away first."
        ) from error


def _replace(target: Path, data: bytes) -> None:
    # Not beside the target: an Excel that starts meanwhile would open half a file.
    half = target.parent.parent / f"{FILE_NAME}.new"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(data)
        half.replace(target)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise _not_written(target) from error


def _not_written(path: Path) -> NotSavedError:
    return NotSavedError(
        f"{path} cannot be changed: close all Excel windows, which hold it open, and try again. "
        "If none is open, you may not write to that folder."
    )


def _code(addin: bytes) -> tuple[bytes, ...]:
    with zipfile.ZipFile(BytesIO(addin)) as archive:
        return tuple(archive.read(name) for name in _CODE)


def _is_signed(addin: bytes) -> bool:
    with zipfile.ZipFile(BytesIO(addin)) as archive:
        return any(name.startswith(_SIGNATURE) for name in archive.namelist())
