"""What a button's process does with its command, from the workbook's name to the last word."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from demand_addin.commands.new import new_book
from demand_addin.commands.outcome import ExitCode, Outcome, attempt
from demand_addin.live.box import show_message
from demand_addin.live.commands import BUTTONS, LiveJob, carry_out, message_of
from demand_addin.live.turns import turn
from demand_addin.progress import Progress, silent

TITLES = {"new": "New workbook", **BUTTONS}


def answer(
    command: str,
    job: LiveJob,
    *,
    show_file: Callable[[Path], None] | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Carry out one command on an open workbook, or make a new one.

    Parameters
    ----------
    command
        One of `TITLES`.
    show_file
        Opens a new workbook in Excel; as a double click does by default.
    progress
        Told what is being done, besides Excel's status bar.
    """
    if command == "new":
        return attempt(command, lambda: _new(job, show_file or open_as_a_double_click))

    def in_turn() -> Outcome:
        with turn(job.book):
            return carry_out(command, job, progress=progress)

    return attempt(command, in_turn)


def tell(outcome: Outcome, *, show: Callable[..., bool] = show_message) -> bool:
    """Show an outcome in a message box; whether there was anything to show, and a screen."""
    is_problem = outcome.exit_code is not ExitCode.OK
    text = message_of(outcome)
    if not text:
        return False  # a new workbook that has opened says enough
    title = f"csc-demand: {TITLES.get(outcome.command, outcome.command)}"
    return show(text, title=title, is_problem=is_problem)


def open_as_a_double_click(path: Path) -> None:
    """Open a file in the program that Windows has for it; elsewhere nothing is opened."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606  (a workbook that this process has just made)


def _new(job: LiveJob, show_file: Callable[[Path], None]) -> Outcome:
    path = Path(job.book)
    made = new_book(path, now=job.now)
    try:
        show_file(path)
    except OSError:
        return replace(made, sentences=(f"{path.name} is ready: open it in Excel.",))
    return replace(made, sentences=())
