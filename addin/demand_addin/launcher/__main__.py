"""``python -P -m demand_addin.launcher``: the window, or one of the questions it asks.

Without a name the window opens (``pythonw`` will do, for a shortcut). With the name of
one of `jobs` that is done and its outcome printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demand_addin.commands.outcome import Outcome


def main(arguments: list[str]) -> int:
    """Open the window, or answer one question; return the exit code."""
    if not arguments:
        from demand_addin.launcher.window import main as open_window

        return open_window(None)
    return _answer(arguments)


def _answer(arguments: list[str]) -> int:
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    from demand_addin.commands.outcome import attempt

    name, *rest = arguments
    outcome = attempt(name, _work(name, rest))
    text = json.dumps(outcome.to_json(), ensure_ascii=True, allow_nan=False)
    sys.stdout.write(f"{text}\n")
    return int(outcome.exit_code)


def _work(name: str, rest: list[str]) -> Callable[[], Outcome]:
    from datetime import UTC, datetime

    from demand_addin.launcher import jobs

    def work() -> Outcome:
        match name, rest:
            case "books", []:
                return jobs.list_books()
            case "compare", []:
                return jobs.compare_open(os.environ["CSC_DEMAND_BOOK"])
            case "compare", [path]:
                return jobs.compare_file(Path(path))
            case "backup", [path]:
                return jobs.find_backup(Path(path))
            case "restore", [path, backup]:
                now = datetime.now(tz=UTC).astimezone()
                return jobs.restore(Path(path), backup, now=now)
            case _:
                raise ValueError("no such question")

    return work


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
