"""The ribbon add-in in real Excel: it opens, its code compiles, its functions answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demand_addin.commands.new import template_bytes
from demand_addin.ribbon.build import FILE_NAME, about, build_addin

pytestmark = pytest.mark.excel

NO_EXCEL = "real Excel on Windows is not here"


@pytest.fixture
def excel(tmp_path: Path) -> Iterator[Any]:
    """An Excel of the test's own that has opened the add-in and an empty workbook."""
    if sys.platform != "win32":
        pytest.skip(NO_EXCEL)
    xlwings = pytest.importorskip("xlwings", reason=NO_EXCEL)
    app = xlwings.App(visible=False, add_book=False)
    try:
        addin, book = tmp_path / FILE_NAME, tmp_path / "book.xlsx"
        addin.write_bytes(build_addin(python=sys.executable))
        book.write_bytes(template_bytes())
        app.books.open(addin)
        app.books.open(book)
        yield app
    finally:
        app.quit()


def test_excel_compiles_the_add_in_and_its_functions_answer(excel: Any) -> None:
    def run(name: str, *arguments: object) -> object:
        return excel.api.Run(f"'{FILE_NAME}'!{name}", *arguments)

    assert run("Version") == about(build_addin()).version
    assert run("Python") == sys.executable
    line = run("CommandLine", r"C:\a b\pythonw.exe", "run")
    assert line == r'"C:\a b\pythonw.exe" -P -m demand_addin.live run --box'
    assert run("CommandLine", r"C:\a b\pythonw.exe", "run & calc") == ""
    book = excel.books["book.xlsx"].api
    assert run("IsDemandBook", book) is True
    assert run("ButtonsAreEnabled", book) is True
    assert run("HasResults", book) is False
    assert run("HasLists", book) is False
    assert run("ScenarioCount", book) == 0
