"""Nothing about a child is found outside the list sheets: not in a part, a message, or a file."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from cli_cases import call, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.layout.what_if import INPUTS
from demand_addin.ports import BookPlan, RangeValues
from demand_addin.read import read_sheets
from demand_model.annex_a.lists_of_need import OPTIONAL_LISTS
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


@pytest.fixture
def marked_need_lists(tmp_path: Path) -> list[Path]:
    """Lists 4 and 6 of such children, some with a date that is none."""
    paths = []
    for number, spec in OPTIONAL_LISTS.items():
        rows = [[*spec.headings, "Name"]]
        for i in range(60):
            values = {
                "child_id": f"{TOKEN}-N{i:03}",
                "date_of_birth": f"{TOKEN} DOB" if i % 20 == 3 else "01/02/2015",
                "age": "9",
                "start": f"{TOKEN} start" if i % 20 == 5 else f"{i % 27 + 1:02}/01/2026",
                "case_status": "c) Child in need plan",
            }
            rows.append([*(values.get(f.name, "") for f in spec.fields), f"{TOKEN} Smith"])
        path = tmp_path / f"need{number}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        paths.append(path)
    return paths


def tried_on_what_if(book: Path) -> None:
    workbook = ClosedWorkbook.open(book)
    changed = RangeValues(name=INPUTS["plan_ends"].name, rows=((0.1,),))
    workbook.write(BookPlan(ranges=(changed,)))
    book.write_bytes(workbook.to_bytes())


def test_no_token_of_a_child_leaves_the_list_sheets(
    marked_lists: list[Path], marked_need_lists: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    book, model = folder / "book.xlsx", folder / "model.xmile"
    few = ("--draws", 100)
    outputs = [call("import", book, *marked_lists, *marked_need_lists)]
    set_setting(book, "horizon_months", 6)
    outputs += [
        call("check", book),
        call("check", book, "--json"),
        call("run", book, *few),
    ]
    tried_on_what_if(book)
    outputs += [
        call("keep", book, "--json"),
        call("backtest", book, *few),
        call("levers", book, *few),
        call("xmile", book, "--out", model, "--json", *few),
    ]
    assert [result.output for result in outputs if result.exit_code] == []
    for result in outputs:
        assert TOKEN not in result.output.upper()
    assert TOKEN.encode() not in model.read_bytes().upper()
    assert "List 4: 60 rows copied" in outputs[0].output
    names = ClosedWorkbook.open(book).sheet_names()
    lists = {f"xl/worksheets/sheet{names.index(f'List {n}') + 1}.xml" for n in (3, 4, 6, 7, 8)}
    with zipfile.ZipFile(book) as archive:
        holding = {
            name for name in archive.namelist() if TOKEN.encode() in archive.read(name).upper()
        }
    assert holding == lists
    assert all(p in (book, model) or ".backup-" in p.name for p in folder.iterdir())
