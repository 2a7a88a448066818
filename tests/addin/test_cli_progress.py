"""Progress: a bar on a terminal, each stage once elsewhere, nothing if quiet."""

from __future__ import annotations

import io

import pytest

from demand_addin.progress import shown

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(stream: io.StringIO, *, quiet: bool = False) -> str:
    with shown(stream, quiet=quiet) as progress:
        progress("Reading", 0.0)
        progress("Simulating", 0.3)
        progress("Simulating", 0.9)
    return stream.getvalue()


def test_plain_lines_say_each_stage_once() -> None:
    assert work(io.StringIO()) == "Reading …\nSimulating …\n"


def test_quiet_says_nothing() -> None:
    assert work(io.StringIO(), quiet=True) == ""
    assert work(Terminal(), quiet=True) == ""


def test_a_terminal_gets_a_bar_that_is_gone_afterwards() -> None:
    stream = Terminal()
    with shown(stream, quiet=False) as progress:
        progress("Simulating", 0.5)
    assert "\x1b[" in stream.getvalue()


def test_a_failure_passes_through_the_bar() -> None:
    with pytest.raises(RuntimeError), shown(Terminal(), quiet=False):
        raise RuntimeError
