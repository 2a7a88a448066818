"""Commands in processes of their own: started, followed, stopped.

A process of its own keeps the window alive whatever a command does: Excel's calls may
hang, a library may crash, and a process can be ended. The command line it starts is the
ordinary one; the workbook's name goes by the environment, so that nothing in it is
quoted or expanded.

What a process prints on standard error besides progress is dropped unread: a message
of some other package may hold a value from the workbook.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from demand_addin.following import STOP_FILE_VARIABLE, Told, read_line

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

BOOK_VARIABLE = "CSC_DEMAND_BOOK"
_NO_ANSWER = 70
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command to be started.

    Attributes
    ----------
    module
        What ``python -m`` runs.
    arguments
        The command and its options.
    book
        Full name of the open workbook that it works on; empty for a file.
    """

    module: str
    arguments: tuple[str, ...]
    book: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command gave back: its outcome, as its ``--json`` has it.

    Attributes
    ----------
    has_spoken
        False where the process ended without an answer; `exit_code` is then its own.
    """

    exit_code: int
    problem: str = ""
    details: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()
    record: Mapping[str, Json] = field(default_factory=dict)
    has_spoken: bool = True

    @property
    def went_well(self) -> bool:
        """Whether what was asked was done."""
        return self.has_spoken and self.exit_code == 0


Event = Told | Answer


class Running(Protocol):
    """A command at work."""

    def events(self) -> tuple[Event, ...]:
        """Return what it has said since the last call; an `Answer` is the last of all."""

    def ask_to_stop(self) -> None:
        """Tell it to stop as soon as nothing is left half done."""

    def end_now(self) -> None:
        """End its process, whatever it is doing."""


class Starter(Protocol):
    """Whatever starts commands."""

    def start(self, job: Job) -> Running:
        """Start a command.

        Raises
        ------
        OSError
            The system would not start it.
        """

    def open_file(self, path: Path) -> bool:
        """Open a file with the program that is meant for it; false where that cannot be."""


class Processes:
    """Starts each command with this Python.

    Parameters
    ----------
    python
        The interpreter and its options; a test's starts another one.
    """

    def __init__(self, python: tuple[str, ...] | None = None) -> None:
        # -P: neither the current folder nor a workbook's is where modules are looked for.
        self._python = python or (console_python(sys.executable), "-P")

    def start(self, job: Job) -> _Process:
        """Start a command; see `Starter`."""
        return _Process(self._python, job)

    def open_file(self, path: Path) -> bool:
        """Open a file; see `Starter`."""
        if not path.is_file():
            return False
        try:
            if sys.platform == "win32":
                os.startfile(path)  # noqa: S606  (a workbook that the user has chosen)
            else:
                opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
                if opener is None:
                    return False
                subprocess.Popen([opener, str(path)], stderr=subprocess.DEVNULL)  # noqa: S603
        except OSError:
            return False
        return True


def console_python(executable: str) -> str:
    """Return the interpreter that has standard output: the one beside ``pythonw.exe``."""
    path = Path(executable)
    if path.name.casefold() == "pythonw.exe":
        beside = path.with_name("python.exe")
        if beside.is_file():
            return str(beside)
    return executable


def answer_from(text: str, exit_code: int) -> Answer:
    """Read what a command printed.

    A process that prints no JSON object has crashed, or was ended.
    """
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or "exit_code" not in data:
        return Answer(exit_code=exit_code or _NO_ANSWER, has_spoken=False)
    return Answer(
        exit_code=int(data["exit_code"]),
        problem=str(data.get("problem", "")),
        details=_texts(data.get("details")),
        summary=_texts(data.get("summary")),
        wrote=_texts(data.get("wrote")),
        record=data,
    )


class _Process:
    """One process, two threads that read what it prints, and a queue between them and us."""

    def __init__(self, python: tuple[str, ...], job: Job) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="csc-demand-", ignore_cleanup_errors=True)
        self._stop = Path(self._folder.name) / "stop"
        self._told: queue.SimpleQueue[Event] = queue.SimpleQueue()
        try:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                [*python, "-m", job.module, *job.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=sys.prefix,
                env=_environment(job, self._stop),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            self._folder.cleanup()
            raise
        self._errors = threading.Thread(target=self._follow, daemon=True)
        self._errors.start()
        threading.Thread(target=self._collect, daemon=True).start()

    def events(self) -> tuple[Event, ...]:
        """See `Running`."""
        found: list[Event] = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._told.get_nowait())
        return tuple(found)

    def ask_to_stop(self) -> None:
        """See `Running`."""
        with contextlib.suppress(OSError):
            self._stop.touch()

    def end_now(self) -> None:
        """See `Running`."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def _follow(self) -> None:
        for line in _lines(self._process.stderr):
            told = read_line(line)
            if told is not None:
                self._told.put(told)

    def _collect(self) -> None:
        text = "".join(_lines(self._process.stdout))
        exit_code = self._process.wait()
        # A process that it started may hold standard error open: the answer does not wait for it.
        self._errors.join(_PATIENCE_SECONDS)
        self._folder.cleanup()
        self._told.put(answer_from(text, exit_code))


def _environment(job: Job, stop: Path) -> dict[str, str]:
    ours = "CSC_DEMAND_"  # what another way in has left there is not meant for this command
    out = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    out[STOP_FILE_VARIABLE] = str(stop)
    out["PYTHONIOENCODING"] = "utf-8"
    if job.book:
        out[BOOK_VARIABLE] = job.book
    return out


def _lines(stream: IO[bytes] | None) -> list[str] | _Decoded:
    return [] if stream is None else _Decoded(stream)


class _Decoded:
    """The lines of a pipe as text, each as soon as it is there."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> _Decoded:
        return self

    def __next__(self) -> str:
        line = self._stream.readline()
        if not line:
            self._stream.close()
            raise StopIteration
        return line.decode("utf-8", errors="replace")


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
