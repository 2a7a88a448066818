"""What is asked of which command, and how its answer about Excel is read."""

from __future__ import annotations

from pathlib import Path

from demand_addin.launcher.actions import (
    ACCURACY,
    CHECK,
    COMPARE,
    IMPORT,
    KEEP,
    LEVERS,
    RUN,
    UNDO,
)
from demand_addin.launcher.state import Book, Excel, Place
from demand_addin.launcher.worker import Answer, Job

CLI, LIVE, OWN = "demand_addin", "demand_addin.live", "demand_addin.launcher"
"""Modules that ``python -m`` runs: on files, on the open workbook, and `jobs`."""


def job_for(key: str, place: Place, files: tuple[Path, ...] = ()) -> Job:
    """Return how a command is started on the chosen workbook.

    Raises
    ------
    KeyError
        No such command works on a workbook.
    """
    names = tuple(str(path) for path in files)
    if key == COMPARE:
        arguments = ("compare",) if place.is_live else ("compare", place.address)
        return Job(module=OWN, arguments=arguments, book=place.address if place.is_live else "")
    command = {IMPORT: "import", CHECK: "check", RUN: "run", ACCURACY: "backtest"}
    command |= {KEEP: "keep", LEVERS: "levers"} | ({UNDO: "undo"} if place.is_live else {})
    if place.is_live:
        return Job(module=LIVE, arguments=(command[key], "--json", *names), book=place.address)
    return Job(module=CLI, arguments=(command[key], "--json", place.address, *names))


def books_from(answer: Answer) -> tuple[tuple[Book, ...], Excel, str]:
    """Return the open workbooks from the answer, and what to say about Excel."""
    if not answer.went_well:
        return (), Excel.SILENT, answer.problem or "Excel did not answer."
    if not answer.record.get("has_excel"):
        return (
            (),
            Excel.ABSENT,
            "Excel for Windows is not on this computer. Choose a workbook file instead.",
        )
    listed = answer.record.get("books")
    books = tuple(
        Book(
            name=str(item.get("name", "")),
            full_name=str(item.get("full_name", "")),
            is_ours=bool(item.get("is_ours")),
        )
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    )
    return books, Excel.HERE, _note(books)


def _note(books: tuple[Book, ...]) -> str:
    if not books:
        return (
            "No workbook is open in Excel. Open yours there and press Look again, or choose a file."
        )
    if not any(book.is_ours for book in books):
        return "None of the workbooks open in Excel is a csc-demand workbook."
    return ""
