"""How another program follows a command: its progress as lines of JSON, and a way to stop it.

The program (the launcher) names a file in the environment. The command then writes
its progress to standard error, a JSON object a line, and stops as soon as that file
exists. A file, and not a signal or standard input: Windows sends no signal to a process
without a console, and a thread that waits on standard input can hold up an import there.

A command is only ever stopped between two pieces of its work, never while it writes.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from demand_addin.progress import Progress

STOP_FILE_VARIABLE = "CSC_DEMAND_STOP_FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a command says of its progress: what it does, and the share that is done (0 to 1)."""

    what: str
    share: float


def stop_file() -> Path | None:
    """Return the file that means "stop", where another program follows this command."""
    name = os.environ.get(STOP_FILE_VARIABLE)
    return Path(name) if name else None


@contextlib.contextmanager
def followed(stream: TextIO | None, stop: Path) -> Iterator[Progress]:
    """Tell progress in lines of JSON on `stream`, and stop when the file `stop` exists.

    Raises
    ------
    KeyboardInterrupt
        From within the progress call: the command ends as if the user had pressed Ctrl+C.
    """

    def tell(what: str, share: float) -> None:
        if stream is not None:
            # A follower that has gone is no reason to leave a piece of work half done.
            with contextlib.suppress(OSError):
                stream.write(line_of(Told(what=what, share=share)))
                stream.flush()
        # What says that all is done comes after the writing: that cannot be stopped any more.
        if share < 1.0 and stop.exists():
            raise KeyboardInterrupt

    yield tell


def line_of(told: Told) -> str:
    """Return progress as one line.

    >>> line_of(Told(what="Checking the lists", share=0.05)).rstrip()
    '{"what": "Checking the lists", "share": 0.05}'
    """
    return json.dumps({"what": told.what, "share": told.share}, ensure_ascii=True) + "\n"


def read_line(line: str) -> Told | None:
    """Return what a line says of progress; ``None`` for any other line."""
    try:
        data = json.loads(line)
    except ValueError:
        return None
    match data:
        case {"what": str(what), "share": int() | float() as share}:
            return Told(what=what, share=min(max(float(share), 0.0), 1.0))
        case _:
            return None
