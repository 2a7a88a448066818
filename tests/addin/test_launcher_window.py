"""The launcher's window for real: on a virtual screen, pressed with a mouse and keys.

The commands are the real ones, in processes of their own; the Excel of some tests is
the one in memory, which lives on in a file between two commands.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_cases import imported_sample, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.launcher.actions import ACTIONS
from demand_addin.launcher.control import Control
from demand_addin.launcher.state import Excel, Mark
from demand_addin.launcher.window import open_in
from demand_addin.launcher.worker import Job, Processes, Starter
from launcher_cases import (
    NoExcel,
    book_in,
    open_in_excel,
    python_with_excel,
    set_in_excel,
    until,
    virtual_screen,
)

tk = pytest.importorskip("tkinter", reason="this Python has no Tk")
LACKING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(bool(LACKING), reason=f"not here: {', '.join(LACKING)}"),
]

FULL_NAME = r"C:\care\O'Neil = demand.xlsx"
SMALLEST_SCREEN = (1366, 768)


@pytest.fixture(scope="module", autouse=True)
def screen() -> Iterator[str]:
    before = os.environ.get("DISPLAY")
    with virtual_screen() as display:
        os.environ["DISPLAY"] = display
        yield display
        if before is None:
            del os.environ["DISPLAY"]
        else:
            os.environ["DISPLAY"] = before


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = imported_sample(tmp_path_factory.mktemp("sample"), horizon_months=3)
    set_setting(book, "draws", 100)
    return book


@pytest.fixture(scope="module")
def in_excel(sample: Path) -> bytes:
    """The workbook as the Excel in memory has it."""
    store = sample.with_name("excel")
    open_in_excel(sample, FULL_NAME, store)
    return store.read_bytes()


@pytest.fixture
def book(sample: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "demand.xlsx"
    copied.write_bytes(sample.read_bytes())
    return copied


class Files(Processes):
    """The real commands, where it is known that there is no Excel."""

    def start(self, job: Job) -> Any:
        return NoExcel() if job.arguments == ("books",) else super().start(job)


class Desk:
    """A window, and somebody who presses."""

    def __init__(self, starter: Starter, book: Path | None = None) -> None:
        self.root = tk.Tk()
        self.control: Control = open_in(self.root, starter, book)
        self.root.focus_force()
        self.wait(lambda: self.control.state.excel is not Excel.UNKNOWN, "Excel's answer")

    @property
    def window(self) -> Any:
        return self.control._view  # noqa: SLF001

    @property
    def log(self) -> str:
        texts = [w for w in self.all(self.root) if isinstance(w, tk.Text)]
        return str(texts[0].get("1.0", "end"))

    def all(self, parent: tk.Misc) -> list[tk.Misc]:
        children = parent.winfo_children()
        return children + [found for child in children for found in self.all(child)]

    def labelled(self, text: str, parent: tk.Misc | None = None) -> tk.Misc:
        found = [
            w
            for w in self.all(parent or self.root)
            if w.winfo_class() in ("TButton", "TRadiobutton") and str(w.cget("text")) == text
        ]
        assert len(found) == 1, text
        return found[0]

    def click(self, text: str, parent: tk.Misc | None = None) -> None:
        button = self.labelled(text, parent)
        self.root.update()
        at = button.winfo_rootx() + 12, button.winfo_rooty() + button.winfo_height() // 2
        hand("mousemove", *map(str, at), "click", "1")
        self.root.update()

    def type(self, keys: str) -> None:
        self.root.update()
        hand("key", keys)
        self.root.update()

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        until(is_so, self.root.update, 180.0, what)

    def until_done(self, said: str) -> None:
        self.wait(lambda: self.control.state.doing is None and said in self.log, said)

    def dialog(self) -> tk.Toplevel:
        def found() -> list[tk.Toplevel]:
            # Widgets of a drop-down list are windows as well.
            return [w for w in self.root.winfo_children() if isinstance(w, tk.Toplevel)]

        self.wait(lambda: bool(found()) and bool(found()[0].winfo_viewable()), "a dialog")
        return found()[0]


def hand(*arguments: str) -> None:
    subprocess.run(["xdotool", *arguments], check=True, capture_output=True)
    time.sleep(0.05)


@pytest.fixture
def desk() -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(starter: Starter | None = None, book: Path | None = None) -> Desk:
        made.append(Desk(starter or Processes(), book))
        return made[-1]

    yield make
    while made:
        at = made.pop()
        # A test may have closed its window.
        if not at.window.is_closed:
            at.window.close()
        del at
    # Tk's variables must be let go on the thread that made them: a window is held in cycles,
    # and the collector may otherwise come by while a later test's worker runs.
    gc.collect()


def test_a_file_from_check_to_undo(desk, book, monkeypatch):
    at = desk(Files(), book)
    imported = book.read_bytes()

    at.click("Check")
    assert at.labelled("Run").instate(["disabled"])
    at.until_done("The lists can be used")
    assert book.read_bytes() != imported

    at.type("alt+r")
    at.until_done("Children in care:")
    opened = ClosedWorkbook.open(book)
    assert len(opened.read_table("forecast").rows) > 100
    ran = book.read_bytes()

    at.click("Compare scenarios")
    shown = at.dialog()
    tree = next(w for w in at.all(shown) if w.winfo_class() == "Treeview")
    assert len(tree.get_children()) > 2
    at.click("Close", shown)
    at.wait(lambda: not _toplevels(at), "the scenarios to close")

    monkeypatch.setattr(at.window, "confirm", lambda *_: True)
    at.type("alt+u")
    at.until_done("demand.xlsx is as it was before.")
    assert book.read_bytes() != ran
    assert (
        ClosedWorkbook.open(book).read_table("forecast").rows != opened.read_table("forecast").rows
    )


def test_the_workbook_open_in_excel(desk, in_excel, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    store = tmp_path / "excel"
    store.write_bytes(in_excel)
    before = book_in(store)
    at = desk(Processes(python_with_excel(store)))
    assert at.control.state.place is not None
    assert at.control.state.place.address == FULL_NAME
    assert at.labelled("Open workbook").instate(["disabled"])

    at.click("Run")
    seen: set[float] = set()

    def ended() -> bool:
        doing = at.control.state.doing
        seen.add(doing.share if doing else 1.0)
        return doing is None

    at.wait(ended, "the run")
    assert "Children in care:" in at.log, at.log
    assert "not saved yet" in at.log
    assert len(seen) > 3
    assert book_in(store).sheet("Forecast").cells != before.sheet("Forecast").cells
    assert book_in(store).sheet("List 8").cells == before.sheet("List 8").cells

    at.click("Undo last run")
    at.until_done("what stood there before is back")
    assert book_in(store).sheet("Forecast").cells == before.sheet("Forecast").cells


def test_stop_leaves_the_workbook_in_excel_as_it_was(desk, in_excel, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    store = tmp_path / "excel"
    store.write_bytes(in_excel)
    set_in_excel(store, "setting_draws", 2_000)
    before = book_in(store)
    at = desk(Processes(python_with_excel(store)))
    at.click("Run")
    at.wait(lambda: (at.control.state.doing or _NONE).share > 0.1, "the run's beginning")
    at.type("Escape")
    at.until_done("Stopped. The workbook is as it was.")
    assert book_in(store) == before


class _NONE:
    share = -1.0


def test_what_went_wrong_stands_in_the_window_in_plain_words(desk, tmp_path):
    wrong = tmp_path / "budget.xlsx"
    wrong.write_bytes(b"PK no workbook")
    at = desk(book=wrong)
    assert "Choose a workbook file" in at.control.state.excel_note
    assert at.labelled("Open in Excel").instate(["disabled"])
    at.click("Check")
    at.until_done("Not done: ")
    assert "Traceback" not in at.log
    assert wrong.read_bytes() == b"PK no workbook"
    at.click("Copy all")
    assert "Not done: " in at.root.clipboard_get()
    at.root.clipboard_clear()


def test_every_thing_can_be_reached_and_pressed_by_keys(desk, tmp_path, monkeypatch):
    new = tmp_path / "new.xlsx"
    at = desk(Files())
    reached, focus = [], at.root.focus_get()
    for _ in range(30):
        focus = (focus or at.root).tk_focusNext()
        assert focus is not None
        reached.append(str(focus))
    wanted = [
        w
        for w in at.all(at.root)
        if w.winfo_class() in ("TButton", "TRadiobutton", "Text") and w.winfo_viewable()
    ]
    enabled = [w for w in wanted if w.winfo_class() == "Text" or w.instate(["!disabled"])]
    assert {str(w) for w in enabled} <= set(reached)

    monkeypatch.setattr(at.window, "ask_new_file", lambda: new)
    at.labelled("New workbook…").focus_force()
    at.type("Return")
    at.until_done("new.xlsx is ready")
    assert new.is_file()
    assert at.control.state.place is not None
    at.type("F1")
    assert at.dialog().title() == "Help"
    at.type("Escape")
    at.wait(lambda: not _toplevels(at), "the help window to close")


@pytest.mark.parametrize(("press", "wanted"), [("Escape", False), ("Return", False), ("", True)])
def test_a_question_s_safe_answer_is_the_one_at_hand(desk, press, wanted):
    at = desk(NoExcel())

    def answer() -> None:
        found = _toplevels(at)
        if not found or not found[0].winfo_viewable():
            at.root.after(50, answer)
        elif press:
            hand("key", press)
        else:
            go = at.labelled("Go", found[0])
            middle = go.winfo_rootx() + 12, go.winfo_rooty() + go.winfo_height() // 2
            hand("mousemove", *map(str, middle), "click", "1")

    at.root.after(50, answer)
    assert at.window.confirm("?", "Go?", "Go") is wanted


def test_it_fits_a_small_screen_and_can_be_resized(desk):
    at = desk(NoExcel())
    at.root.update()
    width, height = at.root.minsize()
    assert width <= SMALLEST_SCREEN[0]
    assert height <= SMALLEST_SCREEN[1] - 60
    for size in ((width, height), (1300, 700)):
        at.root.geometry(f"{size[0]}x{size[1]}")
        at.wait(lambda wanted=size: at.root.winfo_height() == wanted[1], "the new size")
        for action in ACTIONS:
            button = at.labelled(action.label)
            assert button.winfo_rooty() + button.winfo_height() < at.root.winfo_rooty() + size[1]
            assert button.winfo_height() >= button.winfo_reqheight()
        stop = at.labelled("Stop")
        assert stop.winfo_rooty() + stop.winfo_height() <= at.root.winfo_rooty() + size[1]


def test_a_fault_of_the_window_is_said_without_a_value(desk, monkeypatch):
    at = desk(NoExcel())

    def fail() -> None:
        raise KeyError("a child's name")

    monkeypatch.setattr(at.control, "look_if_stale", fail)
    at.root.after(1, fail)
    at.wait(lambda: "a fault of csc-demand" in at.log, "the fault")
    assert "KeyError" in at.log
    assert "child's name" not in at.log
    assert at.control.state.log[-1].mark is Mark.PROBLEM


def test_texts_stand_out_from_what_is_behind_them():
    from demand_addin.launcher.look import Colours  # it needs Tk

    c = Colours()
    pairs = [(c.on_band, c.band), (c.text, c.ground), (c.text, c.paper), (c.quiet, c.ground)]
    pairs += [(c.problem, c.paper), (c.good, c.paper), (c.band, c.ground)]
    assert min(contrast(*pair) for pair in pairs) > 7.0
    assert contrast(c.off, c.ground) > 4.5
    assert min(contrast(c.bar, c.paper), contrast(c.edge, c.ground)) > 2.7


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, WCAG 2.1: (L1 + 0.05) / (L2 + 0.05)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_command_opens_the_window(book):
    window = subprocess.Popen(
        [sys.executable, "-P", "-m", "demand_addin", "launcher", str(book)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        hand("search", "--sync", "--onlyvisible", "--name", "^csc-demand$")
    finally:
        window.terminate()
        out, errors = window.communicate(timeout=60)
    assert (out, errors) == (b"", b"")


def test_the_cross_of_the_window_closes_it(desk):
    at = desk(NoExcel())
    at.root.tk.eval(at.root.protocol("WM_DELETE_WINDOW"))
    assert at.window.is_closed


def _toplevels(at: Desk) -> list[tk.Misc]:
    return [w for w in at.root.winfo_children() if isinstance(w, tk.Toplevel)]
