"""What the window shows, as one frozen value, and how each event changes it.

Nothing here knows Tk, a process or a clock: every function takes a state and returns
the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import PurePath

from demand_addin.launcher.actions import (
    ACCURACY,
    CHECK,
    COMPARE,
    HELP,
    IMPORT,
    KEEP,
    LEVERS,
    NEW,
    RUN,
    UNDO,
    Action,
    action_of,
)


class Mark(Enum):
    """What a line of the log is; shown in words as well, never by colour alone."""

    HEADING = "heading"
    GOOD = "good"
    PROBLEM = "problem"
    DETAIL = "detail"
    LINE = "line"


class Excel(Enum):
    """What is known of Excel on this computer."""

    UNKNOWN = "not asked yet"
    ABSENT = "not on this computer"
    SILENT = "does not answer"
    HERE = "answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A workbook that is open in Excel; `is_ours` if it has the product's sheets."""

    name: str
    full_name: str
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The workbook that the buttons work on.

    Attributes
    ----------
    address
        Its full name in Excel, or the path of the file.
    is_live
        It is open in Excel, and changed there.
    """

    address: str
    is_live: bool

    @property
    def name(self) -> str:
        """Bare name, for sentences."""
        return self.address.replace("\\", "/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """The command at work.

    Attributes
    ----------
    key
        Its action.
    what, share
        What it says that it does, and the share that is done (0 to 1).
    since
        When it started, in seconds of the window's own clock.
    stop_asked
        When it was told to stop; ``None`` if it was not.
    """

    key: str
    place: Place | None
    since: float
    what: str = "Starting"
    share: float = 0.0
    stop_asked: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that the window shows.

    Attributes
    ----------
    books
        Workbooks open in Excel; those of the product first.
    excel, excel_note
        Whether Excel can be asked, and in a sentence what came of it.
    is_looking
        Excel is being asked which workbooks are open.
    place
        The chosen workbook.
    doing
        The command at work; ``None`` while there is none.
    log
        What was done, the oldest first.
    ended
        Key of the last command on the chosen workbook, and whether it went well.
    took
        How long that was, in seconds.
    """

    books: tuple[Book, ...] = ()
    excel: Excel = Excel.UNKNOWN
    excel_note: str = ""
    is_looking: bool = False
    place: Place | None = None
    doing: Doing | None = None
    log: tuple[Entry, ...] = ()
    ended: tuple[str, bool] | None = None
    took: float = 0.0


_NEXT = {NEW: IMPORT, IMPORT: CHECK, CHECK: RUN, RUN: COMPARE, UNDO: CHECK, KEEP: RUN}
_AGAIN = frozenset({IMPORT, CHECK, RUN, ACCURACY, LEVERS})
_LONGEST_LOG = 2_000


def looking(state: State) -> State:
    """Excel is being asked."""
    return replace(state, is_looking=True)


def with_books(state: State, books: tuple[Book, ...], excel: Excel, note: str) -> State:
    """Excel has answered, or cannot be asked.

    A chosen open workbook that was closed is let go, and a chosen file that is open is
    taken there; where none is chosen and just one is the product's, that one is.
    """
    ordered = tuple(sorted(books, key=lambda book: not book.is_ours))
    place = state.place
    ended = state.ended
    names = {same_file(book.full_name) for book in ordered}
    gone = place is not None and place.is_live and same_file(place.address) not in names
    if gone and excel is Excel.HERE and state.doing is None:
        place, ended = None, None
    ours = [book for book in ordered if book.is_ours]
    if place is not None and state.doing is None:
        place = _where_it_is(place, ordered)
    if place is None and len(ours) == 1:
        place, ended = Place(address=ours[0].full_name, is_live=True), None
    return replace(
        state,
        books=ordered,
        excel=excel,
        excel_note=note,
        is_looking=False,
        place=place,
        ended=ended,
    )


def _where_it_is(place: Place, books: tuple[Book, ...]) -> Place:
    """Return a file's place in Excel, if it is open there: the file would not show what is."""
    here = same_file(place.address)
    found = (book for book in books if book.is_ours and same_file(book.full_name) == here)
    book = next(found, None)
    return place if book is None else Place(address=book.full_name, is_live=True)


def choose(state: State, place: Place | None) -> State:
    """Another workbook is chosen; a file that is open in Excel is taken there instead."""
    if place is not None:
        place = _where_it_is(place, state.books)
    if place == state.place:
        return state
    return replace(state, place=place, ended=None)


def begin(state: State, key: str, now: float) -> State:
    """A command is at work."""
    return replace(state, doing=Doing(key=key, place=state.place, since=now))


def progressed(state: State, what: str, share: float) -> State:
    """The command says how far it is; the share never goes back."""
    if state.doing is None:
        return state
    doing = replace(state.doing, what=what, share=max(share, state.doing.share))
    return replace(state, doing=doing)


def stopping(state: State, now: float) -> State:
    """The command was told to stop."""
    if state.doing is None or state.doing.stop_asked is not None:
        return state
    return replace(state, doing=replace(state.doing, stop_asked=now))


def end(state: State, now: float, *, went_well: bool, entries: tuple[Entry, ...]) -> State:
    """The command has ended, and this is what it says."""
    doing = state.doing
    if doing is None:
        return state
    logged = said(replace(state, doing=None, took=now - doing.since), entries)
    return replace(logged, ended=(doing.key, went_well))


def ended_with(state: State, key: str) -> State:
    """The chosen workbook is what this command has just made."""
    return replace(state, ended=(key, True))


def said(state: State, entries: tuple[Entry, ...]) -> State:
    """Lines for the log; the oldest go."""
    return replace(state, log=(*state.log, *entries)[-_LONGEST_LOG:])


def is_offered(state: State, action: Action) -> bool:
    """Whether a button can be pressed; help always can."""
    if action.key == HELP:
        return True
    return state.doing is None and (state.place is not None or not action.needs_book)


def next_step(state: State) -> str:
    """Return the button that is likely to be wanted next; the window marks it.

    A workbook of which nothing is known yet is checked first: Check changes no result.
    """
    if state.place is None:
        return NEW
    if state.ended is None:
        return CHECK
    key, went_well = state.ended
    if not went_well:
        return CHECK if key in _AGAIN else ""
    return _NEXT.get(key, "")


def status(state: State, now: float) -> str:
    """Say in a line what goes on."""
    doing = state.doing
    if doing is None:
        return _idle(state)
    clock = _clock(now - doing.since)
    if doing.stop_asked is not None:
        return f"Stopping: what is being written is finished first … ({clock})"
    return f"{doing.what} … ({doing.share:.0%}, {clock})"


def _idle(state: State) -> str:
    if state.place is None:
        return "Choose a workbook, or make a new one."
    if state.ended is None:
        return "Ready."
    key, went_well = state.ended
    label = action_of(key).label.rstrip("…")
    if not went_well:
        return f"{label}: not done, see above."
    then = next_step(state)
    likely = f" Next: {action_of(then).label.rstrip('…')}." if then else ""
    return f"{label}: done in {_clock(state.took)}.{likely}"


def place_line(state: State) -> str:
    """Say what the buttons work on, and what becomes of the workbook."""
    place = state.place
    if place is None:
        return "No workbook is chosen yet."
    if place.is_live:
        return (
            f"The buttons work on {place.name}, open in Excel. Nothing is saved until you "
            "save it there."
        )
    return (
        f"The buttons work on the file {place.name}. Keep it closed in Excel meanwhile; the "
        "version before each change is kept beside it."
    )


def labels(state: State) -> tuple[str, ...]:
    """Return the open workbooks' names for the list, told apart by folder where they are alike."""
    names = [book.name for book in state.books]
    return tuple(
        book.name
        + (f" ({_folder(book.full_name)})" if names.count(book.name) > 1 else "")
        + ("" if book.is_ours else " – not a csc-demand workbook")
        for book in state.books
    )


def shown_path(address: str, home: str) -> str:
    """Return a path as it is shown; the user's own folder is ``~`` where that is the custom.

    >>> shown_path("/home/ann/care/demand.xlsx", "/home/ann")
    '~/care/demand.xlsx'
    """
    if home.startswith("/") and len(home) > 1 and address.startswith(f"{home}/"):
        return f"~{address[len(home) :]}"
    return address


def same_file(address: str) -> str:
    """Spell a full name so that two spellings of one file are equal, as Windows takes them."""
    return address.replace("\\", "/").casefold()


def _folder(full_name: str) -> str:
    return str(PurePath(full_name.replace("\\", "/")).parent)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0.0)), 60)
    return f"{minutes}:{rest:02d}"
