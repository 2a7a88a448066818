"""Between the buttons, the commands and what is shown; knows neither Tk nor Excel."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from demand_addin.following import Told
from demand_addin.launcher import state as states
from demand_addin.launcher.actions import COMPARE, HELP, IMPORT, NEW, RUN, UNDO, action_of
from demand_addin.launcher.asking import CLI, OWN, books_from, job_for
from demand_addin.launcher.compare import Comparison, comparison_from
from demand_addin.launcher.state import Entry, Excel, Mark, Place, State
from demand_addin.launcher.words import answer_lines, ended_line, heading
from demand_addin.launcher.worker import Answer, Job, Json, Running, Starter

FILE_PATIENCE_SECONDS = 3.0
"""After this a command on a file is ended: the file is the old or the new one at any moment."""
EXCEL_PATIENCE_SECONDS = 10.0
"""After this the user may end a command in Excel, knowing that it may be in mid-write."""
LOOK_AGAIN_SECONDS = 5.0


class View(Protocol):
    """What shows the state and asks the user."""

    def show(self, state: State, now: float) -> None:
        """Show a state."""

    def ask_new_file(self) -> Path | None:
        """Ask for the name of a new workbook."""

    def ask_lists(self) -> tuple[Path, ...]:
        """Ask for Annex A files."""

    def ask_book(self) -> Path | None:
        """Ask for a workbook."""

    def confirm(self, title: str, question: str, yes: str) -> bool:
        """Ask whether to go on; `yes` is what the button says that does."""

    def show_comparison(self, comparison: Comparison) -> None:
        """Show scenarios side by side."""

    def show_help(self) -> None:
        """Show the steps and the keys."""

    def close(self) -> None:
        """Close the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AtWork:
    """A command that was started, and what is done with its answer."""

    running: Running
    job: Job
    before: tuple[int, int] | None
    then: Callable[[Answer], None] | None


class Control:
    """Carries out what is pressed, and keeps the state.

    Parameters
    ----------
    view
        Shows the state and asks the user.
    starter
        Starts commands.
    seconds, clock
        The window's own clock, and the time of day for the log.
    """

    def __init__(
        self,
        view: View,
        starter: Starter,
        *,
        seconds: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self.state = State()
        self._view = view
        self._starter = starter
        self._seconds = seconds
        self._clock = clock
        self._at_work: _AtWork | None = None
        self._asking: Running | None = None
        self._is_closing = False
        self._looked = float("-inf")
        self._found: tuple[Place | None, tuple[str, ...]] = (None, ())

    # -- What the user does

    def press(self, key: str) -> None:
        """Carry out a button, if it is offered."""
        if not states.is_offered(self.state, action_of(key)):
            return
        {NEW: self._new, IMPORT: self._import, UNDO: self._undo, HELP: self._view.show_help}.get(
            key, lambda: self._simple(key)
        )()

    def choose_open(self, number: int) -> None:
        """Take the open workbook that stands there in the list."""
        if 0 <= number < len(self.state.books):
            book = self.state.books[number]
            self._choose(Place(address=book.full_name, is_live=True))

    def choose_file(self, path: Path | None = None) -> None:
        """Take a file: the given one, or one that the user is asked for."""
        chosen = path or self._view.ask_book()
        if chosen is not None:
            self._choose(Place(address=str(chosen.absolute()), is_live=False))

    def open_book(self) -> None:
        """Open the chosen file with the program that is meant for it."""
        place = self.state.place
        if place is None or place.is_live or self.state.doing is not None:
            return
        if not self._starter.open_file(Path(place.address)):
            text = f"{place.name} could not be opened from here: open it in Excel."
            self.say(Entry(mark=Mark.PROBLEM, text=text))

    def look(self) -> None:
        """Ask Excel again which workbooks are open."""
        if self._asking is not None or self._at_work is not None:
            return
        self._looked = self._seconds()
        try:
            self._asking = self._starter.start(Job(module=OWN, arguments=("books",)))
        except OSError:
            self._to(states.with_books(self.state, (), Excel.SILENT, _NOT_STARTED))
            return
        self._to(states.looking(self.state))

    def look_if_stale(self) -> None:
        """The same, when the user comes back to the window from Excel."""
        if self.state.excel is not Excel.ABSENT and (
            self._seconds() - self._looked >= LOOK_AGAIN_SECONDS
        ):
            self.look()

    def stop(self) -> None:
        """Stop the command at work; asked again, end it if it works in Excel and does not stop."""
        at_work, doing = self._at_work, self.state.doing
        if at_work is None or doing is None:
            return
        if doing.stop_asked is None:
            at_work.running.ask_to_stop()
            self._to(states.stopping(self.state, self._seconds()))
        elif self.may_end() and self._view.confirm(
            "End the command?",
            "The command does not stop by itself. If it is ended now, part of the results may "
            "stand in the open workbook; Undo last run takes them out again.",
            "End it",
        ):
            at_work.running.end_now()

    def may_end(self) -> bool:
        """Whether a command in Excel has been told to stop and has not for a while."""
        doing = self.state.doing
        return (
            doing is not None
            and doing.stop_asked is not None
            and self._seconds() - doing.stop_asked >= EXCEL_PATIENCE_SECONDS
        )

    def close(self) -> None:
        """Close the window; a command at work is asked about, and stopped first."""
        if self._at_work is None:
            if self._asking is not None:
                self._asking.end_now()
            self._view.close()
        elif self._is_closing or self._view.confirm(
            "Stop and close?",
            "A command is at work. Stop it and close the window?",
            "Stop and close",
        ):
            self._is_closing = True
            self.stop()

    # -- What the commands say

    def tick(self) -> None:
        """Take in what the commands have said meanwhile; called several times a second."""
        self._tick_look()
        at_work = self._at_work
        if at_work is None:
            return
        for event in at_work.running.events():
            if isinstance(event, Told):
                self.state = states.progressed(self.state, event.what, event.share)
            else:
                self._ended(at_work, event)
                return
        self._press_harder(at_work)
        self._to(self.state)

    def say(self, *entries: Entry) -> None:
        """Put lines into the log."""
        self._to(states.said(self.state, entries))

    def _tick_look(self) -> None:
        if self._asking is None:
            return
        for event in self._asking.events():
            if isinstance(event, Answer):
                self._asking = None
                books, excel, note = books_from(event)
                self._to(states.with_books(self.state, books, excel, note))

    def _press_harder(self, at_work: _AtWork) -> None:
        doing = self.state.doing
        if at_work.job.book or doing is None or doing.stop_asked is None:
            return
        if self._seconds() - doing.stop_asked >= FILE_PATIENCE_SECONDS:
            at_work.running.end_now()

    def _ended(self, at_work: _AtWork, answer: Answer) -> None:
        self._at_work = None
        if self._is_closing:
            self._view.close()
            return
        doing = self.state.doing
        was_stopped = doing is not None and doing.stop_asked is not None
        if at_work.then is not None and answer.went_well:
            self._to(states.end(self.state, self._seconds(), went_well=True, entries=()))
            at_work.then(answer)
            return
        if was_stopped and not answer.has_spoken:
            entries: tuple[Entry, ...] = (self._after_the_end(at_work),)
        else:
            entries = answer_lines(answer, was_live=bool(at_work.job.book))
        if at_work.job.arguments[0] == RUN and answer.went_well:
            self._found = (self.state.place, _texts(answer.record.get("headlines")))
        self._to(
            states.end(self.state, self._seconds(), went_well=answer.went_well, entries=entries)
        )

    def _after_the_end(self, at_work: _AtWork) -> Entry:
        place = self.state.doing.place if self.state.doing else None
        return ended_line(
            was_live=bool(at_work.job.book),
            is_changed=_stamp(place) != at_work.before,
            name=place.name if place else "The workbook",
        )

    # -- The commands

    def _start(
        self,
        key: str,
        job: Job,
        *,
        then: Callable[[Answer], None] | None = None,
        has_heading: bool = True,
    ) -> None:
        place = self.state.place if action_of(key).needs_book else None
        self.state = states.begin(self.state, key, self._seconds())
        if has_heading:
            entry = heading(key, place, f"{self._clock():%H:%M}")
            self.state = states.said(self.state, (entry,))
        try:
            running = self._starter.start(job)
        except OSError:
            entry = Entry(mark=Mark.PROBLEM, text=f"Not done: {_NOT_STARTED}")
            ended = states.end(self.state, self._seconds(), went_well=False, entries=(entry,))
            self._to(ended)
            return
        self._at_work = _AtWork(running=running, job=job, before=_stamp(place), then=then)
        self._to(self.state)

    def _simple(self, key: str) -> None:
        place = self.state.place
        if place is None:
            return
        job = job_for(key, place)
        self._start(key, job, then=self._compared if key == COMPARE else None)

    def _new(self) -> None:
        path = self._view.ask_new_file()
        if path is None:
            return
        address = str(path.absolute())

        def made(answer: Answer) -> None:
            self.state = states.said(self.state, answer_lines(answer, was_live=False))
            chosen = states.choose(self.state, Place(address=address, is_live=False))
            self._to(states.ended_with(chosen, NEW))

        self._start(NEW, Job(module=CLI, arguments=("new", address, "--json")), then=made)

    def _import(self) -> None:
        place, files = self.state.place, self._view.ask_lists()
        if place is not None and files:
            self._start(IMPORT, job_for(IMPORT, place, files))

    def _undo(self) -> None:
        place = self.state.place
        if place is None:
            return
        if place.is_live:
            self._simple(UNDO)
            return
        job = Job(module=OWN, arguments=("backup", place.address))
        self._start(UNDO, job, then=lambda answer: self._restore(place, answer))

    def _restore(self, place: Place, answer: Answer) -> None:
        backup = str(answer.record.get("backup", ""))
        aside = datetime.fromisoformat(str(answer.record.get("aside")))
        since = (
            " You have saved it since: those changes would be put aside too."
            if answer.record.get("saved_since")
            else ""
        )
        further = answer.record.get("further")
        more = f" Undo can then go back {_times(further)} more." if further else ""
        question = (
            f"Put {place.name} back as it was before csc-demand last changed it, on "
            f"{aside:%d/%m/%Y} at {aside:%H:%M}?{since}{more}\n\nWhat stands in it now is kept "
            "beside it, so nothing is lost."
        )
        if not self._view.confirm("Undo last run?", question, "Put it back"):
            self.say(Entry(mark=Mark.LINE, text="Nothing was changed."))
            return
        job = Job(module=OWN, arguments=("restore", place.address, backup))
        self._start(UNDO, job, has_heading=False)

    def _compared(self, answer: Answer) -> None:
        self.say(Entry(mark=Mark.GOOD, text="Done."), *_plain(answer.summary))
        place, headlines = self._found
        known = headlines if place == self.state.place else ()
        self._view.show_comparison(comparison_from(answer.record, known))

    def _choose(self, place: Place) -> None:
        if self.state.doing is None:
            self._to(states.choose(self.state, place))

    def _to(self, state: State) -> None:
        self.state = state
        self._view.show(state, self._seconds())


_NOT_STARTED = (
    "Python could not be started for it. A security rule of this computer may forbid it: ask IT."
)


def _plain(lines: tuple[str, ...]) -> list[Entry]:
    return [Entry(mark=Mark.LINE, text=line) for line in lines]


def _times(count: Json) -> str:
    return {1: "once", 2: "twice"}.get(int(str(count)), f"{count} times")


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _stamp(place: Place | None) -> tuple[int, int] | None:
    """Return what tells a replaced file from the one before."""
    if place is None or place.is_live:
        return None
    try:
        found = Path(place.address).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
