"""``xmile`` on the command line: a file that other tools open, the workbook untouched."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cli_cases import DRAWS, call, imported_sample, set_setting

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported_sample(tmp_path_factory.mktemp("imported"), horizon_months=12)


def test_the_file_is_written_and_the_workbook_is_only_read(book: Path, tmp_path: Path) -> None:
    before, out = book.read_bytes(), tmp_path / "model.xmile"
    result = call("xmile", book, "--out", out, *DRAWS)
    assert result.exit_code == 0
    assert "Against the mean of the full engine it is off by" in result.stdout
    assert f"Wrote: {out}" in result.stdout
    root = ET.parse(out).getroot()  # noqa: S314  (the product's own file)
    names = {e.get("name") for e in root.iter() if e.tag.endswith(("aux", "stock", "flow"))}
    assert {"cp open", "cla open", "caseload", "usual referrals"} <= names
    assert book.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"model.xmile"}


def test_without_a_name_it_stands_beside_the_workbook(book: Path, tmp_path: Path) -> None:
    copy = tmp_path / "our.demand.xlsx"
    copy.write_bytes(book.read_bytes())
    beside = tmp_path / "our.demand.xmile"
    first = call("xmile", copy, *DRAWS)
    assert f"Wrote: {beside}" in first.stdout
    again = call("xmile", copy, "--seed", "3", *DRAWS)
    assert again.exit_code == 0, "its own file is written anew"
    assert f"Wrote: {beside}" in again.stdout


def test_a_file_that_is_not_ours_is_left_as_it_is(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "theirs.xmile"
    theirs = "<xmile><header><vendor>Somebody else</vendor></header></xmile>"
    out.write_text(theirs, encoding="utf-8")
    result = call("xmile", book, "--out", out, *DRAWS)
    assert result.exit_code == 3
    assert "csc-demand did not write it" in result.stderr
    assert out.read_text(encoding="utf-8") == theirs


def test_json_gives_the_gap(book: Path, tmp_path: Path) -> None:
    result = call("xmile", book, "--out", tmp_path / "m.xmile", "--json", *DRAWS)
    gap = json.loads(result.stdout)["gap"]
    assert {row["measure"] for row in gap} >= {"referrals", "cp_open", "cla_open"}
    assert all(abs(row["reduced"] / row["engine"] - 1.0) < 0.15 for row in gap)


def test_the_same_seed_gives_the_same_file(book: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.xmile" for n in "ab"]
    for file in files:
        assert call("xmile", book, "--out", file, "--seed", "3", *DRAWS).exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_cannot_be_used_is_said_in_a_sentence(book: Path, tmp_path: Path) -> None:
    result = call("xmile", book, "--out", tmp_path / "model.xlsx", *DRAWS)
    assert result.exit_code == 1
    assert "does not end in .xmile" in result.stderr
    missing = call("xmile", tmp_path / "none.xlsx", "--out", tmp_path / "m.xmile")
    assert missing.exit_code == 1
    assert "was not found" in missing.stderr
    copy = tmp_path / "copy.xlsx"
    copy.write_bytes(book.read_bytes())
    set_setting(copy, "horizon_months", "soon")
    wrong = call("xmile", copy, "--out", tmp_path / "m.xmile")
    assert wrong.exit_code == 1
    assert "Settings!" in wrong.stderr
    assert not (tmp_path / "m.xmile").exists()
