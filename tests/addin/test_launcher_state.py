"""What the window shows and says, without a window, a process or Excel."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import demand_addin
from demand_addin.launcher import state as states
from demand_addin.launcher.actions import (
    ACCURACY,
    ACTIONS,
    CHECK,
    COMPARE,
    HELP,
    IMPORT,
    KEEP,
    LEVERS,
    NEW,
    RUN,
    UNDO,
    action_of,
)
from demand_addin.launcher.asking import books_from, job_for
from demand_addin.launcher.compare import comparison_from, comparison_text
from demand_addin.launcher.state import Book, Entry, Excel, Mark, Place, State
from demand_addin.launcher.window import NO_SCREEN, NO_TK
from demand_addin.launcher.words import answer_lines, ended_line, fault, in_buttons, log_text
from demand_addin.launcher.worker import Answer, answer_from
from demand_addin.live.__main__ import COMMANDS as LIVE_COMMANDS

pytestmark = pytest.mark.unit

OURS = Book(name="demand.xlsx", full_name=r"C:\care\demand.xlsx", is_ours=True)
OTHER = Book(name="budget.xlsx", full_name=r"C:\care\budget.xlsx", is_ours=False)
FILE = Place(address="/home/ann/demand.xlsx", is_live=False)
LIVE = Place(address=OURS.full_name, is_live=True)


def listed(*books: Book, before: State | None = None) -> State:
    return states.with_books(before or State(), books, Excel.HERE, "")


# -- Buttons


def test_every_letter_presses_one_thing_and_stands_in_its_label():
    of_buttons = [action.letter for action in ACTIONS]
    others = ["l", "f", "e", "y", "t", "o"]
    assert len({*of_buttons, *others}) == len(of_buttons) + len(others)
    for action in ACTIONS:
        assert action.label[action.underline].casefold() == action.letter


def test_the_buttons_are_those_of_the_ribbon():
    ribbon = (NEW, IMPORT, CHECK, RUN, COMPARE, ACCURACY, LEVERS, UNDO, KEEP, HELP)
    assert tuple(action.key for action in ACTIONS) == ribbon
    assert set(LIVE_COMMANDS) <= {*ribbon}


@pytest.mark.parametrize("key", [IMPORT, CHECK, RUN, ACCURACY, LEVERS, KEEP, UNDO])
def test_an_open_workbook_s_name_goes_by_the_environment(key):
    job = job_for(key, LIVE, (Path("a b.csv"),) if key == IMPORT else ())
    assert (job.module, job.book) == ("demand_addin.live", LIVE.address)
    assert job.arguments[0] in LIVE_COMMANDS
    assert LIVE.address not in job.arguments
    assert ("a b.csv" in job.arguments) == (key == IMPORT)


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (CHECK, "check"),
        (RUN, "run"),
        (ACCURACY, "backtest"),
        (LEVERS, "levers"),
        (KEEP, "keep"),
    ],
)
def test_a_file_is_named_on_the_command_line(key, command):
    job = job_for(key, FILE)
    assert (job.module, job.book) == ("demand_addin", "")
    assert job.arguments == (command, "--json", FILE.address)


def test_help_can_be_had_at_any_time_and_the_rest_needs_a_workbook():
    nothing, working = State(), states.begin(State(place=FILE), RUN, 0.0)
    offered = [a.key for a in ACTIONS if states.is_offered(nothing, a)]
    assert offered == [NEW, HELP]
    assert [a.key for a in ACTIONS if states.is_offered(working, a)] == [HELP]
    assert all(states.is_offered(State(place=FILE), action) for action in ACTIONS)


# -- Open workbooks


def test_the_only_workbook_of_ours_is_taken_and_stands_first():
    state = listed(OTHER, OURS)
    assert state.books == (OURS, OTHER)
    assert state.place == LIVE


def test_of_several_none_is_taken():
    second = replace(OURS, full_name=r"D:\old\demand.xlsx")
    state = listed(OURS, second)
    assert state.place is None
    assert states.labels(state) == ("demand.xlsx (C:/care)", "demand.xlsx (D:/old)")


def test_what_is_not_ours_says_so():
    assert states.labels(listed(OTHER)) == ("budget.xlsx – not a csc-demand workbook",)


def test_a_chosen_file_stays_when_excel_answers():
    assert listed(OURS, before=State(place=FILE)).place == FILE


def test_a_workbook_that_was_closed_is_let_go():
    before = replace(listed(OURS), ended=(RUN, True))
    after = listed(OTHER, before=before)
    assert (after.place, after.ended) == (None, None)


def test_a_workbook_stays_chosen_while_excel_does_not_answer():
    after = states.with_books(listed(OURS), (), Excel.SILENT, "busy")
    assert after.place == LIVE


def test_a_workbook_stays_chosen_while_a_command_works_on_it():
    working = states.begin(listed(OURS), RUN, 0.0)
    assert listed(OTHER, before=working).place == LIVE


def test_a_file_chosen_before_excel_answers_is_changed_there_too():
    file = Place(address="c:/CARE/demand.xlsx", is_live=False)
    assert listed(OURS, OTHER, before=State(place=file)).place == LIVE
    working = states.begin(State(place=file), RUN, 0.0)
    assert listed(OURS, before=working).place == file


def test_a_file_that_is_open_in_excel_is_changed_there():
    state = states.choose(
        listed(OURS, replace(OURS, full_name="x")),
        Place(address="c:/CARE/demand.xlsx", is_live=False),
    )
    assert state.place == LIVE


def test_another_workbook_forgets_what_the_last_one_was_told():
    state = replace(State(place=FILE), ended=(CHECK, True))
    assert states.choose(state, LIVE).ended is None
    assert states.choose(state, FILE).ended == (CHECK, True)


def test_the_answer_about_excel():
    item = {"name": OURS.name, "full_name": OURS.full_name, "is_ours": True}
    found = answer_from(json.dumps({"exit_code": 0, "has_excel": True, "books": [item]}), 0)
    assert books_from(found) == ((OURS,), Excel.HERE, "")
    none = Answer(exit_code=0, record={"has_excel": False, "books": []})
    assert books_from(none)[1] is Excel.ABSENT
    busy = Answer(exit_code=3, problem="Excel is busy.")
    assert books_from(busy) == ((), Excel.SILENT, "Excel is busy.")
    assert books_from(Answer(exit_code=70, has_spoken=False))[1] is Excel.SILENT
    empty = Answer(exit_code=0, record={"has_excel": True, "books": []})
    assert "Look again" in books_from(empty)[2]


# -- A command from beginning to end


def test_progress_never_goes_back_and_is_said_with_the_time():
    state = states.begin(State(place=FILE), RUN, 10.0)
    state = states.progressed(state, "Simulating Baseline", 0.5)
    state = states.progressed(state, "Writing the results", 0.4)
    assert states.status(state, 85.0) == "Writing the results … (50%, 1:15)"


def test_what_is_said_after_the_end_changes_nothing():
    assert states.progressed(State(), "late", 0.5) == State()
    assert states.stopping(State(), 1.0) == State()
    assert states.end(State(), 1.0, went_well=True, entries=()) == State()


def test_stop_is_asked_for_once():
    state = states.stopping(states.begin(State(place=FILE), RUN, 0.0), 3.0)
    assert states.stopping(state, 9.0) == state
    assert states.status(state, 4.0).startswith("Stopping")


@pytest.mark.parametrize(
    ("ended", "marked"),
    [
        (None, CHECK),
        ((NEW, True), IMPORT),
        ((IMPORT, True), CHECK),
        ((CHECK, True), RUN),
        ((CHECK, False), CHECK),
        ((RUN, False), CHECK),
        ((RUN, True), COMPARE),
        ((COMPARE, True), ""),
        ((COMPARE, False), ""),
    ],
)
def test_the_likely_next_button_is_marked(ended, marked):
    assert states.next_step(State(place=FILE, ended=ended)) == marked


def test_the_end_says_how_long_it_took_and_what_is_next():
    state = states.begin(State(place=FILE), CHECK, 5.0)
    good = states.end(state, 12.0, went_well=True, entries=(Entry(mark=Mark.GOOD, text="Done."),))
    assert good.doing is None
    assert states.status(good, 99.0) == "Check: done in 0:07. Next: Run."
    bad = states.end(state, 12.0, went_well=False, entries=())
    assert states.status(bad, 99.0) == "Check: not done, see above."


def test_it_is_said_what_becomes_of_the_workbook():
    assert "until you save it" in states.place_line(State(place=LIVE))
    assert "kept beside it" in states.place_line(State(place=FILE))
    assert states.place_line(State()) == "No workbook is chosen yet."


def test_a_very_long_log_loses_its_beginning():
    lines = tuple(Entry(mark=Mark.LINE, text=str(number)) for number in range(2_500))
    kept = states.said(State(), lines).log
    assert (len(kept), kept[-1].text) == (2_000, "2499")


@pytest.mark.parametrize("home", ["", "/", r"C:\Users\ann"])
def test_a_path_is_shown_whole_where_there_is_no_short_way(home):
    assert states.shown_path("/home/ann/x.xlsx", home) == "/home/ann/x.xlsx"


# -- Words


def texts(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.text for entry in entries]


def test_a_run_s_findings_come_before_what_it_read():
    answer = Answer(
        exit_code=0,
        summary=("List 3: 10 rows found.", "", "Children in care: 320 today."),
        wrote=("/home/ann/demand.xlsx", "/home/ann/demand.backup-2026-04-03-093015.xlsx"),
        record={"headlines": ["Children in care: 320 today."]},
    )
    assert texts(answer_lines(answer, was_live=False)) == [
        "Done.",
        "Children in care: 320 today.",
        "List 3: 10 rows found.",
        "Wrote: demand.xlsx",
        "The version before is kept: demand.backup-2026-04-03-093015.xlsx",
    ]


def test_what_is_wrong_comes_first_and_says_so_in_words():
    answer = Answer(exit_code=1, problem="2 things must be mended.", details=("List 8!F12: …",))
    entries = answer_lines(answer, was_live=False)
    assert [entry.mark for entry in entries] == [Mark.PROBLEM, Mark.DETAIL]
    assert texts(entries) == ["Not done: 2 things must be mended.", "List 8!F12: …"]


def test_stopped_is_no_failure():
    answer = Answer(exit_code=130, problem="Stopped. The workbook is as it was.")
    assert texts(answer_lines(answer, was_live=False)) == [answer.problem]


@pytest.mark.parametrize("was_live", [True, False])
def test_a_process_that_dies_is_owned_up_to(was_live):
    (entry,) = answer_lines(Answer(exit_code=-11, has_spoken=False), was_live=was_live)
    assert "without an answer (exit code -11)" in entry.text
    assert ("in Excel" in entry.text) == was_live


@pytest.mark.parametrize(
    ("was_live", "is_changed", "words"),
    [
        (False, False, "demand.xlsx is as it was"),
        (False, True, "had been written already"),
        (True, False, "Undo last run"),
    ],
)
def test_what_stands_after_an_end_by_force(was_live, is_changed, words):
    entry = ended_line(was_live=was_live, is_changed=is_changed, name="demand.xlsx")
    assert words in entry.text


def test_a_fault_of_the_window_names_no_value():
    assert "(KeyError in view.py, line 12)" in fault("KeyError", "view.py, line 12").text


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (
            'b.xlsx was left as it was; csc-demand check "b.xlsx" writes all findings',
            "b.xlsx was left as it was; the button Check writes all findings",
        ),
        (
            'Paste Lists 3, 7 and 8, or use: csc-demand import "b.xlsx" ANNEX_A_FILE',
            "Paste Lists 3, 7 and 8, or use: the button Import lists",
        ),
        (
            "not a csc-demand workbook: make one with csc-demand new, and bring the lists into it "
            "with csc-demand import.",
            "not a csc-demand workbook: make one with the button New workbook, and bring the lists "
            "into it with the button Import lists.",
        ),
        (
            "its folder cannot be written to; use --out FILE to write the result elsewhere.",
            "its folder cannot be written to; copy the workbook to a folder of your own and choose "
            "that one.",
        ),
        ("Excel is not here; use csc-demand run BOOK.", "Excel is not here; use the button Run."),
    ],
)
def test_commands_become_buttons(said, wanted):
    assert in_buttons(said) == wanted


def test_no_sentence_of_the_commands_is_left_with_an_option_or_a_command():
    found = [
        text for text in _sentences() if re.search(r"csc-demand (new|import|check|run)\b", text)
    ]
    assert len(found) > 5
    for text in found:
        assert not re.search(r"csc-demand [a-z]+ |--out|BOOK|ANNEX_A", in_buttons(text)), text


def _sentences() -> list[str]:
    """Return the messages of the commands: what an f-string fills in becomes a name."""
    folder = Path(demand_addin.__file__).parent
    places = [*folder.glob("commands/*.py"), folder / "saving.py", *folder.glob("live/*.py")]
    out = []
    for path in places:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    str(part.value) if isinstance(part, ast.Constant) else "book.xlsx"
                    for part in node.values
                ]
                out.append("".join(parts))
    return out


def test_the_log_can_be_pasted_elsewhere():
    entries = (
        Entry(mark=Mark.HEADING, text="10:31  Check: demand.xlsx"),
        Entry(mark=Mark.GOOD, text="Done."),
        Entry(mark=Mark.HEADING, text="10:32  Run: demand.xlsx"),
    )
    about, _, rest = log_text(entries).partition("\n")
    assert re.fullmatch(r"csc-demand \S+, Python 3\.\S+, .+", about)
    assert rest == "\n10:31  Check: demand.xlsx\n    Done.\n\n10:32  Run: demand.xlsx\n"


# -- Scenarios side by side


def test_scenarios_stand_side_by_side_with_their_ranges():
    row = {"measure": "cla_open", "month_end": "2027-09-30", "scenario": "Baseline"}
    numbers = {"mean": 1204.6, "low": 1100.2, "high": 1310.4, "against": 0.0}
    other = {**row, **numbers, "scenario": "More", "mean": 1210.0, "against": 5.4}
    record = {"book": "demand.xlsx", "comparison": [{**row, **numbers}, other]}
    found = comparison_from(record, ("Children in care: 1,204.", "More: +5 children (80% 1 to 9)."))
    (section,) = found.sections
    assert section.title == "Children in care, September 2027"
    assert section.rows == (
        ("Baseline", "1,205", "1,100 to 1,310", "0"),
        ("More", "1,210", "1,100 to 1,310", "+5"),
    )
    assert found.sentence_of("More") == "More: +5 children (80% 1 to 9)."
    assert "if nothing changes" in found.sentence_of("Baseline")
    assert "More\t1,210\t1,100 to 1,310\t+5" in comparison_text(found)
    assert "sheet Dashboard" in comparison_from(record).sentence_of("More")


# -- What it takes to be imported


def test_the_parts_without_a_window_need_neither_tk_nor_pandas():
    modules = "control, words, asking, compare, worker, state"
    code = (
        f"from demand_addin.launcher import {modules}, window\n"
        "import sys\n"
        "print(*({'tkinter', 'pandas', 'numpy', 'xlwings'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_action_is_found_by_its_key():
    assert [action_of(action.key) for action in ACTIONS] == list(ACTIONS)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("sys.modules['tkinter'] = None", NO_TK),
        ("import os; os.environ['DISPLAY'] = ''", NO_SCREEN),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_without_tk_or_a_screen_one_sentence_says_what_to_do(before, words):
    code = f"import sys; {before}; sys.argv = ['csc-demand', 'launcher']; " + (
        "from demand_addin.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{words}\n")
