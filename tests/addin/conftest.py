"""A finished workbook, made once for all who look at one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from finished_book import make_finished


@pytest.fixture(scope="session")
def finished_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workbook after real runs; the workers of one test run share it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    book = folder / "book.xlsx"
    with FileLock(f"{folder}.lock"):
        if not book.exists():
            making = base / "finished-making"
            # A call that failed left it, and must not hide its cause from the next.
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            made = make_finished(making)
            folder.mkdir(exist_ok=True)
            book.write_bytes(made.read_bytes())
    return book
