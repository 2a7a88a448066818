"""The launcher's buttons on a window and on commands that a test plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demand_addin.following import Told
from demand_addin.launcher.actions import ACCURACY, CHECK, COMPARE, HELP, IMPORT, NEW, RUN, UNDO
from demand_addin.launcher.compare import Comparison
from demand_addin.launcher.control import (
    EXCEL_PATIENCE_SECONDS,
    FILE_PATIENCE_SECONDS,
    LOOK_AGAIN_SECONDS,
    Control,
)
from demand_addin.launcher.state import Excel, Mark, State
from demand_addin.launcher.worker import Answer, Event, Job

pytestmark = pytest.mark.unit

GOOD = Answer(exit_code=0, summary=("All is well.",))
BACKUP = Answer(
    exit_code=0,
    record={"backup": "demand.backup-1.xlsx", "aside": "2026-04-03T09:30:00+01:00"},
)
FULL_NAME = r"C:\care\demand.xlsx"


@dataclass
class PlayedCommand:
    job: Job
    coming: list[Event] = field(default_factory=list)
    was_asked_to_stop: bool = False
    was_ended: bool = False

    def events(self) -> tuple[Event, ...]:
        found, self.coming = tuple(self.coming), []
        return found

    def ask_to_stop(self) -> None:
        self.was_asked_to_stop = True

    def end_now(self) -> None:
        self.was_ended = True
        self.coming.append(Answer(exit_code=-9, has_spoken=False))


@dataclass
class PlayedStarter:
    started: list[PlayedCommand] = field(default_factory=list)
    opened: list[Path] = field(default_factory=list)
    is_forbidden: bool = False

    def start(self, job: Job) -> PlayedCommand:
        if self.is_forbidden:
            raise PermissionError
        self.started.append(PlayedCommand(job))
        return self.started[-1]

    def open_file(self, path: Path) -> bool:
        self.opened.append(path)
        return path.exists()


@dataclass
class PlayedView:
    files: tuple[Path, ...] = ()
    new_file: Path | None = None
    book: Path | None = None
    says_yes: bool = True
    asked: list[str] = field(default_factory=list)
    compared: list[Comparison] = field(default_factory=list)
    helped: int = 0
    shown: list[State] = field(default_factory=list)
    is_closed: bool = False

    def show(self, state: State, now: float) -> None:
        assert not self.is_closed
        assert now >= 100.0
        self.shown.append(state)

    def ask_new_file(self) -> Path | None:
        return self.new_file

    def ask_lists(self) -> tuple[Path, ...]:
        return self.files

    def ask_book(self) -> Path | None:
        return self.book

    def confirm(self, title: str, question: str, yes: str) -> bool:
        assert title
        assert yes
        self.asked.append(question)
        return self.says_yes

    def show_comparison(self, comparison: Comparison) -> None:
        self.compared.append(comparison)

    def show_help(self) -> None:
        self.helped += 1

    def close(self) -> None:
        self.is_closed = True


class Desk:
    """A control with everything around it, and a clock that a test moves."""

    def __init__(self) -> None:
        self.view, self.starter, self.now = PlayedView(), PlayedStarter(), 100.0
        self.control = Control(
            self.view,
            self.starter,
            seconds=lambda: self.now,
            clock=lambda: datetime(2026, 4, 3, 9, 30, tzinfo=UTC),
        )

    @property
    def state(self) -> State:
        return self.control.state

    @property
    def last(self) -> PlayedCommand:
        return self.starter.started[-1]

    @property
    def log(self) -> list[str]:
        return [entry.text for entry in self.state.log]

    def hear(self, *events: Event) -> None:
        self.last.coming += events
        self.control.tick()

    def with_excel(self, *, is_ours: bool = True) -> Desk:
        self.control.look()
        book = {"name": "demand.xlsx", "full_name": FULL_NAME, "is_ours": is_ours}
        self.hear(Answer(exit_code=0, record={"has_excel": True, "books": [book]}))
        return self


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def on_file(desk: Desk, tmp_path: Path) -> Desk:
    book = tmp_path / "demand.xlsx"
    book.write_bytes(b"old")
    desk.control.choose_file(book)
    return desk


def test_without_excel_the_closed_file_is_offered(desk):
    desk.control.look()
    assert desk.state.is_looking
    desk.hear(Answer(exit_code=0, record={"has_excel": False, "books": []}))
    assert desk.state.excel is Excel.ABSENT
    assert "Choose a workbook file" in desk.state.excel_note
    desk.now += 100
    desk.control.look_if_stale()
    assert len(desk.starter.started) == 1


def test_open_workbooks_are_looked_for_again_but_not_at_every_turn(desk):
    desk.with_excel()
    desk.control.look_if_stale()
    assert len(desk.starter.started) == 1
    desk.now += LOOK_AGAIN_SECONDS
    desk.control.look_if_stale()
    desk.control.look()
    assert len(desk.starter.started) == 2


def test_excel_is_not_asked_while_a_command_is_at_work(on_file):
    on_file.control.press(CHECK)
    on_file.control.look()
    assert on_file.last.job.arguments[0] == "check"


def test_a_command_on_the_open_workbook(desk):
    desk.with_excel().control.press(RUN)
    assert desk.last.job == Job(
        module="demand_addin.live", arguments=("run", "--json"), book=FULL_NAME
    )
    desk.hear(Told(what="Simulating Baseline", share=0.5))
    assert desk.state.doing is not None
    assert (desk.state.doing.what, desk.state.doing.share) == ("Simulating Baseline", 0.5)
    desk.hear(GOOD)
    assert desk.state.ended == (RUN, True)
    assert desk.log == ["09:30  Run: demand.xlsx", "Done.", "All is well."]


def test_another_open_workbook_can_be_chosen(desk):
    desk.with_excel(is_ours=False)
    assert desk.state.place is None
    desk.control.choose_open(0)
    desk.control.choose_open(7)
    assert desk.state.place is not None
    assert desk.state.place.address == FULL_NAME


def test_progress_and_answer_may_come_at_once(on_file):
    on_file.control.press(CHECK)
    on_file.hear(Told(what="Checking", share=0.1), GOOD)
    assert on_file.state.doing is None


def test_no_second_command_beside_the_first(on_file):
    on_file.control.press(CHECK)
    on_file.control.press(RUN)
    on_file.control.choose_file(Path("other.xlsx"))
    assert len(on_file.starter.started) == 1
    assert on_file.state.place.name == "demand.xlsx"
    on_file.control.press(HELP)
    assert on_file.view.helped == 1


def test_nothing_happens_without_a_workbook_or_an_answer(desk):
    for key in (CHECK, IMPORT, UNDO, COMPARE, ACCURACY, NEW):
        desk.control.press(key)
    desk.control.choose_file()
    desk.control.stop()
    desk.control.open_book()
    assert (desk.starter.started, desk.state.log) == ([], ())


def test_import_names_the_files_as_they_are(on_file, tmp_path):
    on_file.control.press(IMPORT)
    assert on_file.starter.started == []
    on_file.view.files = (tmp_path / "a = b.csv", tmp_path / "Léa 7.xlsx")
    on_file.control.press(IMPORT)
    assert on_file.last.job.arguments[3:] == tuple(str(path) for path in on_file.view.files)


def test_a_new_workbook_is_chosen_once_it_is_made(desk, tmp_path):
    desk.view.new_file = tmp_path / "new.xlsx"
    desk.control.press(NEW)
    assert desk.last.job.arguments == ("new", str(tmp_path / "new.xlsx"), "--json")
    assert desk.state.place is None
    desk.hear(GOOD)
    assert desk.state.place.name == "new.xlsx"
    assert desk.state.ended == (NEW, True)
    assert desk.log[0] == "09:30  New workbook"


def test_a_new_workbook_that_could_not_be_made_is_not_chosen(desk, tmp_path):
    desk.view.new_file = tmp_path / "new.xlsx"
    desk.control.press(NEW)
    desk.hear(Answer(exit_code=3, problem="new.xlsx exists already."))
    assert desk.state.place is None
    assert desk.log[-1] == "Not done: new.xlsx exists already."


def test_undo_in_excel_is_one_command(desk):
    desk.with_excel().control.press(UNDO)
    assert desk.last.job.arguments == ("undo", "--json")
    assert desk.view.asked == []


@pytest.mark.parametrize(
    ("saved_since", "further", "more"), [(True, 0, ""), (False, 1, "once"), (False, 2, "twice")]
)
def test_undo_of_a_file_asks_first_and_keeps_what_stands(on_file, saved_since, further, more):
    on_file.control.press(UNDO)
    assert on_file.last.job.arguments[0] == "backup"
    record = {**BACKUP.record, "saved_since": saved_since, "further": further}
    on_file.hear(Answer(exit_code=0, record=record))
    (question,) = on_file.view.asked
    assert "03/04/2026 at 09:30" in question
    assert ("saved it since" in question) == saved_since
    assert ("go back" in question) == (further > 0)
    assert not more or f"Undo can then go back {more} more." in question
    assert on_file.last.job.arguments[0] == "restore"
    assert on_file.last.job.arguments[2] == "demand.backup-1.xlsx"
    on_file.hear(GOOD)
    assert on_file.log == ["09:30  Undo last run: demand.xlsx", "Done.", "All is well."]


def test_undo_of_a_file_can_be_thought_better_of(on_file):
    on_file.view.says_yes = False
    on_file.control.press(UNDO)
    on_file.hear(BACKUP)
    assert len(on_file.starter.started) == 1
    assert on_file.log[-1] == "Nothing was changed."
    assert on_file.state.doing is None


def test_undo_without_a_backup_says_so(on_file):
    on_file.control.press(UNDO)
    on_file.hear(Answer(exit_code=1, problem="There is no earlier version beside demand.xlsx."))
    assert on_file.log[-1].startswith("Not done: There is no earlier version")
    assert on_file.view.asked == []


def test_scenarios_are_shown_with_the_sentences_of_the_run(on_file):
    on_file.control.press(RUN)
    on_file.hear(Answer(exit_code=0, record={"headlines": ["More: +5 children."]}))
    on_file.control.press(COMPARE)
    item = {"measure": "cla_open", "month_end": "2027-09-30", "scenario": "More", "mean": 5.0}
    on_file.hear(Answer(exit_code=0, record={"book": "demand.xlsx", "comparison": [item]}))
    (shown,) = on_file.view.compared
    assert shown.sentence_of("More") == "More: +5 children."
    assert on_file.state.ended == (COMPARE, True)


def test_stop_asks_a_command_on_a_file_and_then_ends_it(on_file):
    on_file.control.press(RUN)
    on_file.control.stop()
    assert on_file.last.was_asked_to_stop
    on_file.control.tick()
    assert not on_file.last.was_ended
    on_file.now += FILE_PATIENCE_SECONDS
    on_file.control.tick()
    assert on_file.last.was_ended
    on_file.control.tick()
    assert on_file.log[-1] == "Stopped. demand.xlsx is as it was."


def test_stop_in_the_moment_of_writing_says_what_stands(on_file, tmp_path):
    on_file.control.press(RUN)
    on_file.control.stop()
    (tmp_path / "demand.xlsx").write_bytes(b"new results")
    on_file.now += FILE_PATIENCE_SECONDS
    on_file.control.tick()
    on_file.control.tick()
    assert "had been written already" in on_file.log[-1]


def test_a_command_that_finishes_in_spite_of_stop_says_that_it_did(on_file):
    on_file.control.press(RUN)
    on_file.control.stop()
    on_file.hear(GOOD)
    assert on_file.log[-2:] == ["Done.", "All is well."]


def test_a_command_in_excel_is_ended_only_if_the_user_says_so(desk):
    desk.with_excel().control.press(RUN)
    desk.control.stop()
    desk.control.stop()
    desk.now += EXCEL_PATIENCE_SECONDS
    desk.control.tick()
    assert not desk.last.was_ended
    desk.view.says_yes = False
    desk.control.stop()
    assert not desk.last.was_ended
    desk.view.says_yes = True
    desk.control.stop()
    assert desk.last.was_ended
    desk.control.tick()
    assert "Undo last run" in desk.log[-1]


def test_a_command_that_dies_is_owned_up_to(on_file):
    on_file.control.press(CHECK)
    on_file.hear(Answer(exit_code=-11, has_spoken=False))
    assert "without an answer" in on_file.log[-1]
    assert on_file.state.log[-1].mark is Mark.PROBLEM


def test_where_python_may_not_be_started_it_is_said(on_file):
    on_file.starter.is_forbidden = True
    on_file.control.press(CHECK)
    assert "ask IT" in on_file.log[-1]
    assert on_file.state.doing is None
    on_file.control.look()
    assert "ask IT" in on_file.state.excel_note


def test_the_window_closes_at_once_when_nothing_is_at_work(desk):
    desk.control.look()
    desk.control.close()
    assert desk.view.is_closed
    assert desk.last.was_ended


def test_closing_stops_the_command_first(on_file):
    on_file.control.press(RUN)
    on_file.view.says_yes = False
    on_file.control.close()
    assert not on_file.last.was_asked_to_stop
    on_file.view.says_yes = True
    on_file.control.close()
    assert on_file.last.was_asked_to_stop
    assert not on_file.view.is_closed
    on_file.hear(Answer(exit_code=130, problem="Stopped."))
    assert on_file.view.is_closed


def test_a_file_is_opened_or_it_is_said_that_it_was_not(on_file, tmp_path):
    on_file.control.open_book()
    assert on_file.starter.opened == [tmp_path / "demand.xlsx"]
    assert on_file.state.log == ()
    (tmp_path / "demand.xlsx").unlink()
    on_file.control.open_book()
    assert "open it in Excel" in on_file.log[-1]
