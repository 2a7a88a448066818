"""Answers in the words of the window: what was done, what was not, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable

from demand_addin.launcher.actions import action_of
from demand_addin.launcher.state import Entry, Mark, Place
from demand_addin.launcher.worker import Answer

STOPPED = 130
_KEPT = "The version before is kept"

WELCOME = (
    Entry(mark=Mark.HEADING, text="Welcome"),
    Entry(mark=Mark.LINE, text="1.  Choose your workbook above, or press New workbook."),
    Entry(
        mark=Mark.LINE,
        text="2.  Import lists, then Check, then Run: the marked button is the next.",
    ),
    Entry(
        mark=Mark.LINE,
        text="3.  Look at sheet Dashboard in Excel. What each button did is written here.",
    ),
)
"""What the log begins with."""

_BUTTONS = {
    "new": "New workbook",
    "import": "Import lists",
    "check": "Check",
    "run": "Run",
    "backtest": "Accuracy",
    "levers": "Levers",
    "undo": "Undo last run",
    "keep": "Keep what-if",
}
_COMMAND = re.compile(
    r"csc-demand (" + "|".join(_BUTTONS) + r')((?: "[^"]*"| [A-Z][A-Z_]+(?:\.[a-z]+)?\b)*)'
)
_ELSEWHERE = re.compile(
    r"(; take the mark off, or )?(; )?use --out FILE to write the result elsewhere"
)


def in_buttons(text: str) -> str:
    """Say in buttons what a message says in commands.

    >>> in_buttons('left as it was; csc-demand check "book.xlsx" writes all findings')
    'left as it was; the button Check writes all findings'
    """
    text = _ELSEWHERE.sub(
        lambda m: (m[1] or "; ") + "copy the workbook to a folder of your own and choose that one",
        text,
    )
    return _COMMAND.sub(lambda m: f"the button {_BUTTONS[m[1]]}", text)


def heading(key: str, place: Place | None, clock: str) -> Entry:
    """Open a command's part of the log."""
    label = action_of(key).label.rstrip("…")
    where = f": {place.name}" if place is not None else ""
    return Entry(mark=Mark.HEADING, text=f"{clock}  {label}{where}")


def answer_lines(answer: Answer, *, was_live: bool) -> tuple[Entry, ...]:
    """Say what a command did, or why it did not."""
    if not answer.has_spoken:
        return (Entry(mark=Mark.PROBLEM, text=_silent(answer, was_live=was_live)),)
    lines = _headlines_first(answer)
    if answer.went_well:
        return (Entry(mark=Mark.GOOD, text="Done."), *_plain(lines), *_wrote(answer))
    problem = Entry(mark=Mark.PROBLEM, text=f"Not done: {in_buttons(answer.problem)}")
    if answer.exit_code == STOPPED:
        problem = Entry(mark=Mark.PROBLEM, text=answer.problem)
    details = [Entry(mark=Mark.DETAIL, text=in_buttons(line)) for line in answer.details]
    return (problem, *details, *_plain(lines), *_wrote(answer))


def ended_line(*, was_live: bool, is_changed: bool, name: str) -> Entry:
    """Say what stands after a process that would not stop was ended.

    Parameters
    ----------
    is_changed
        The file is no longer what it was when the command began.
    """
    if was_live:
        text = (
            f"Ended in mid-work. Look at {name} in Excel: if part of the results is there, press "
            "Undo last run, or close it without saving and open it again."
        )
    elif is_changed:
        text = f"Stopped, but {name} had been written already: Undo last run brings it back."
    else:
        text = f"Stopped. {name} is as it was."
    return Entry(mark=Mark.PROBLEM, text=text)


def fault(kind: str, place: str) -> Entry:
    """Report an error of the window itself, by its kind and its place in the code only."""
    return Entry(
        mark=Mark.PROBLEM,
        text=f"Something went wrong in this window that is a fault of csc-demand, not yours "
        f"({kind} in {place}). Your workbook was not touched by it. Please report this sentence.",
    )


def log_text(entries: Iterable[Entry]) -> str:
    """Return the log as plain text for the clipboard; whoever helps must know the versions."""
    about = (
        f"csc-demand {importlib.metadata.version('csc-demand')}, Python "
        f"{platform.python_version()}, {platform.system()} {platform.release()}\n"
    )
    return about + "".join(
        ("\n" if entry.mark is Mark.HEADING else "    ") + entry.text + "\n" for entry in entries
    )


def _silent(answer: Answer, *, was_live: bool) -> str:
    rest = (
        "Look at the workbook in Excel: Undo last run brings earlier results back."
        if was_live
        else "The workbook is as it was, or holds the whole new result."
    )
    return (
        f"Not done: the command ended without an answer (exit code {answer.exit_code}). {rest} "
        "Try again; if it happens twice, please report this sentence."
    )


def _headlines_first(answer: Answer) -> list[str]:
    """Put what a run found before what it read: the log shows its first lines."""
    listed = answer.record.get("headlines")
    found = set(listed) if isinstance(listed, list) else set()
    lines = [line for line in answer.summary if line.strip()]
    lines.sort(key=lambda line: line not in found)
    return [in_buttons(line) for line in lines]


def _plain(lines: Iterable[str]) -> list[Entry]:
    return [Entry(mark=Mark.LINE, text=line) for line in lines]


def _wrote(answer: Answer) -> list[Entry]:
    names = [path.replace("\\", "/").rpartition("/")[2] for path in answer.wrote]
    return [
        Entry(mark=Mark.LINE, text=f"{_KEPT if '.backup-' in name else 'Wrote'}: {name}")
        for name in names
    ]
