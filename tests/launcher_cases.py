"""The launcher in tests: a virtual screen, and an Excel in memory that outlives a process.

Run as a program it stands in for ``python -P`` in front of ``-m MODULE ARGUMENTS``: the
module is then run with that Excel open, whose workbook is kept in a file between two
processes. `Processes` is told so by ``python_with_excel``.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import xlwings
from openpyxl.utils import range_boundaries

from demand_addin.launcher.worker import Answer, Event, Job
from ports.excel_in_memory import Excel, FakeBook, fake_book
from ports.openpyxl_engine import engine_for

SCREEN = "1366x768x24"
_STARTED_SECONDS = 20.0


def python_with_excel(store: Path) -> tuple[str, ...]:
    """Return an interpreter in which the workbook of `store` is open in Excel."""
    return (sys.executable, str(Path(__file__).resolve()), str(store))


def open_in_excel(book: Path, full_name: str, store: Path) -> None:
    """Open a workbook in an Excel that is kept in a file."""
    opened = fake_book(book, full_name)
    opened.name = full_name.replace("\\", "/").rpartition("/")[2]
    store.write_bytes(pickle.dumps(opened))


def book_in(store: Path) -> FakeBook:
    """Return the workbook as Excel has it now."""
    found = pickle.loads(store.read_bytes())  # noqa: S301  (our own file)
    assert isinstance(found, FakeBook)
    return found


def set_in_excel(store: Path, name: str, value: float) -> None:
    """Type a number into a named cell of the workbook in Excel."""
    book = book_in(store)
    sheet, _, address = book.names[name].lstrip("=").partition("!")
    column, row, _, _ = range_boundaries(address.replace("$", ""))
    book.sheet(sheet.strip("'")).cells[row, column] = float(value)
    store.write_bytes(pickle.dumps(book))


class NoExcel:
    """Starts nothing: whatever is asked is answered at once, as if there were no Excel."""

    def start(self, job: Job) -> NoExcel:
        del job
        return self

    def open_file(self, path: Path) -> bool:
        del path
        return False

    def events(self) -> tuple[Event, ...]:
        return (Answer(exit_code=0, record={"has_excel": False, "books": []}),)

    def ask_to_stop(self) -> None:
        """Nothing is at work."""

    def end_now(self) -> None:
        """Nothing is at work."""


@contextlib.contextmanager
def virtual_screen() -> Iterator[str]:
    """Start an X server without a screen; yields its display, such as ``:99``."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [
            *(shutil.which("Xvfb") or "Xvfb", "-screen", "0", SCREEN),
            *("-nolisten", "tcp", "-displayfd", str(writer)),
        ],
        pass_fds=(writer,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(_STARTED_SECONDS)


def until(
    is_so: Callable[[], bool], pump: Callable[[], None], seconds: float = 90.0, what: str = ""
) -> None:
    """Keep a window going until something is so."""
    limit = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds:.0f} seconds: {what or 'as expected'}")
        pump()
        time.sleep(0.02)


def _run_with_excel(store: Path, arguments: list[str]) -> None:
    excel = Excel(books=[book_in(store)])
    xlwings.engines.active = engine_for(excel)
    flag, module, *rest = arguments
    assert flag == "-m"
    sys.argv = [module, *rest]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        store.write_bytes(pickle.dumps(excel.books[0]))


if __name__ == "__main__":
    _run_with_excel(Path(sys.argv[1]), sys.argv[2:])
