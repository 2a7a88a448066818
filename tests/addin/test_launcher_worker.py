"""Commands in processes of their own: followed, stopped, crashed, ended."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import pytest

from cli_cases import imported_sample
from demand_addin.closed import ClosedWorkbook
from demand_addin.following import STOP_FILE_VARIABLE, Told, followed, read_line, stop_file
from demand_addin.launcher.worker import (
    Answer,
    Event,
    Job,
    Processes,
    Running,
    answer_from,
    console_python,
)

pytestmark = pytest.mark.unit

PLAYED = """
import json, os, sys, time
what = sys.argv[3]
if what == "environment":
    found = {n: v for n, v in os.environ.items() if n.startswith("CSC_DEMAND_")}
    print(json.dumps({"exit_code": 0, "summary": [json.dumps(found)]}))
elif what == "crash":
    print("a name that must not be shown", file=sys.stderr)
    sys.stderr.flush()
    os._exit(9)
elif what == "chatter":
    print("Warning: something", file=sys.stderr)
    print(json.dumps({"what": "Checking — é", "share": 0.25}), file=sys.stderr)
    print(json.dumps({"exit_code": 1, "problem": "Mend é first.", "details": ["List 8!F12"]}))
    sys.exit(1)
elif what == "deaf":
    time.sleep(60)
"""


@pytest.fixture
def played(tmp_path: Path) -> Processes:
    script = tmp_path / "played.py"
    script.write_text(PLAYED, encoding="utf-8")
    return Processes((sys.executable, str(script)))


def job(what: str, book: str = "") -> Job:
    return Job(module="played", arguments=(what,), book=book)


def heard(running: Running, *, seconds: float = 60.0) -> tuple[list[Told], Answer]:
    told: list[Event] = []
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        told += running.events()
        if told and isinstance(told[-1], Answer):
            return [event for event in told if isinstance(event, Told)], told[-1]
        time.sleep(0.01)
    raise AssertionError("no answer")


# -- Progress that another program reads


def test_progress_goes_there_and_back(tmp_path):
    stream = io.StringIO()
    with followed(stream, tmp_path / "stop") as progress:
        progress("Simulating “Léa”", 0.5)
    assert [read_line(line) for line in stream.getvalue().splitlines()] == [
        Told(what="Simulating “Léa”", share=0.5)
    ]


@pytest.mark.parametrize(
    "line", ["", "Warning: x", "[1]", '{"what": 1, "share": 0}', '{"what": "x"}', "7"]
)
def test_other_lines_are_no_progress(line):
    assert read_line(line) is None


def test_a_share_out_of_bounds_is_brought_back():
    assert read_line('{"what": "x", "share": 7}') == Told(what="x", share=1.0)


def test_the_stop_file_stops_between_two_pieces_but_not_after_the_last(tmp_path):
    stop = tmp_path / "stop"
    with followed(None, stop) as progress:
        progress("Fitting", 0.1)
        stop.touch()
        progress("Done", 1.0)
        with pytest.raises(KeyboardInterrupt):
            progress("Simulating", 0.2)


def test_a_follower_that_has_gone_does_no_harm(tmp_path):
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    with followed(Broken(), tmp_path / "stop") as progress:
        progress("Fitting", 0.1)


def test_nobody_follows_unless_asked(monkeypatch):
    monkeypatch.delenv(STOP_FILE_VARIABLE, raising=False)
    assert stop_file() is None
    monkeypatch.setenv(STOP_FILE_VARIABLE, "")
    assert stop_file() is None


# -- Processes


def test_a_process_is_followed_and_its_answer_read(played):
    told, answer = heard(played.start(job("chatter")))
    assert told == [Told(what="Checking — é", share=0.25)]
    assert (answer.exit_code, answer.problem) == (1, "Mend é first.")
    assert answer.details == ("List 8!F12",)
    assert not answer.went_well


def test_only_what_is_meant_for_it_is_in_its_environment(played, monkeypatch):
    monkeypatch.setenv("CSC_DEMAND_FILES", "old.csv")
    monkeypatch.setenv("CSC_DEMAND_BOOK", "old.xlsx")
    _, answer = heard(played.start(job("environment")))
    assert set(json.loads(answer.summary[0])) == {STOP_FILE_VARIABLE}
    _, answer = heard(played.start(job("environment", book="https://x/a = b's.xlsx")))
    assert json.loads(answer.summary[0])["CSC_DEMAND_BOOK"] == "https://x/a = b's.xlsx"


def test_a_crash_shows_nothing_that_it_printed(played):
    told, answer = heard(played.start(job("crash")))
    assert told == []
    assert answer == Answer(exit_code=9, has_spoken=False)


def test_a_process_that_does_not_hear_is_ended_and_leaves_nothing(played, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    running = played.start(job("deaf"))
    running.ask_to_stop()
    assert running.events() == ()
    running.end_now()
    _, answer = heard(running)
    assert not answer.has_spoken
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_python_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        Processes((str(tmp_path / "nowhere"),)).start(job("x"))


def test_a_window_without_a_console_starts_the_python_that_has_one(tmp_path):
    windowed = tmp_path / "pythonw.exe"
    assert console_python(str(windowed)) == str(windowed)
    (tmp_path / "python.exe").touch()
    assert console_python(str(windowed)) == str(tmp_path / "python.exe")
    assert console_python(sys.executable) == sys.executable


@pytest.mark.parametrize("text", ["", "Traceback", "[]", "{}", "7"])
def test_whatever_is_no_outcome_is_no_answer(text):
    assert answer_from(text, 0) == Answer(exit_code=70, has_spoken=False)


# -- The real commands


def test_a_new_workbook_is_made_by_the_real_command(tmp_path):
    book = tmp_path / "new = Léa's.xlsx"
    new = Job(module="demand_addin", arguments=("new", str(book), "--json"))
    told, answer = heard(Processes().start(new))
    assert answer.went_well
    assert told[0].what == "Making the workbook"
    assert "Dashboard" in ClosedWorkbook.open(book).sheet_names()


def test_a_real_run_is_stopped_and_leaves_the_file_as_it_was(tmp_path):
    book = imported_sample(tmp_path, horizon_months=12)
    before = book.read_bytes()
    there = {path.name for path in tmp_path.iterdir()}
    arguments = ("run", "--json", str(book), "--draws", "2000")
    running = Processes().start(Job(module="demand_addin", arguments=arguments))
    told: list[Event] = []
    while not any(isinstance(event, Told) and event.share >= 0.1 for event in told):
        told += running.events()
        assert not any(isinstance(event, Answer) for event in told)
        time.sleep(0.01)
    running.ask_to_stop()
    _, answer = heard(running)
    assert (answer.exit_code, answer.problem) == (130, "Stopped. The workbook is as it was.")
    assert book.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == there
