"""Real Excel for the port suite and the live tests, where there is one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.session import attach
from demand_addin.live.undo import UndoFolder

NO_EXCEL = "real Excel on Windows is not here"


@pytest.fixture
def open_unchecked(tmp_path: Path) -> Iterator[Callable[[Path], LiveWorkbook]]:
    """Open a copy of any workbook in an Excel of the test's own, and close it afterwards."""
    if sys.platform != "win32":
        pytest.skip(NO_EXCEL)
    xlwings = pytest.importorskip("xlwings", reason=NO_EXCEL)
    pytest.importorskip("win32com", reason=NO_EXCEL)
    app = xlwings.App(visible=False, add_book=False)

    def opened(path: Path) -> LiveWorkbook:
        copied = tmp_path / f"copy of {path.name}"
        shutil.copy(path, copied)
        return LiveWorkbook(app.books.open(copied), undo=UndoFolder(tmp_path / "undo"))

    try:
        yield opened
    finally:
        for book in app.books:
            book.close()
        app.quit()


@pytest.fixture
def open_in_excel(
    tmp_path: Path, open_unchecked: Callable[[Path], LiveWorkbook]
) -> Callable[[Path], LiveWorkbook]:
    """Open a copy of a workbook of the product, and attach to it as a command does."""

    def opened(path: Path) -> LiveWorkbook:
        name = open_unchecked(path).excel.full_name
        return attach(name, undo=UndoFolder(tmp_path / "undo"))

    return opened
