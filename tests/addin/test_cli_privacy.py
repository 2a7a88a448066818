"""Nothing about a child is found outside the list sheets: not in a part, a message, or a file."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from cli_cases import call
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.read import read_sheets
from demand_model.annex_a.recognise import recognise

pytestmark = pytest.mark.unit

TOKEN = "CANARY"  # noqa: S105  (a mark to look for)


@pytest.fixture
def marked_lists(tmp_path: Path) -> list[Path]:
    """The small sample with a token for each child's ID, name and note, and in some dates."""
    source = tmp_path / "sample.xlsx"
    source.write_bytes(sample_workbook("small"))
    paths = []
    for number, found in recognise(read_sheets(source)).lists.items():
        heading = found.heading_row
        rows = [["" if v is None else str(v) for v in row] for row in found.sheet.cells[heading:]]
        at_id, at_birth = found.columns["child_id"], found.columns["date_of_birth"]
        for line, row in enumerate(rows[1:]):
            if row[at_id]:
                row[at_id] = f"{TOKEN}-{row[at_id]}"
            if line % 150 == 20:
                row[at_birth] = f"{TOKEN} DOB"
            row += [f"{TOKEN} Smith", f"=HYPERLINK({TOKEN})"]
        rows[0] += ["Name", "Notes"]
        path = tmp_path / f"list{number}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        paths.append(path)
    source.unlink()
    return paths


def test_no_token_of_a_child_leaves_the_list_sheets(
    marked_lists: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    book = folder / "book.xlsx"
    outputs = [
        call("import", book, *marked_lists),
        call("check", book),
        call("check", book, "--json"),
        call("run", book, "--draws", 100),
    ]
    assert [result.exit_code for result in outputs] == [0, 0, 0, 0], outputs[-1].output
    for result in outputs:
        assert TOKEN not in result.output
    names = ClosedWorkbook.open(book).sheet_names()
    lists = {f"xl/worksheets/sheet{names.index(f'List {n}') + 1}.xml" for n in (3, 7, 8)}
    with zipfile.ZipFile(book) as archive:
        holding = {
            name for name in archive.namelist() if TOKEN.encode() in archive.read(name).upper()
        }
    assert holding == lists
    assert all(p == book or ".backup-" in p.name for p in folder.iterdir())
