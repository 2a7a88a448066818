"""Bad inputs 62, 64, 66 to 69, 71, 73, 121, 132: what else may stand in a cell.

Damaged letters, emoji, very long texts, formulas and links as text, rich text, numbers as
text, codes whose words say otherwise, amounts of money as text.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from cli_cases import call
from demand_addin.cells import Cell, Problems, read_number
from demand_addin.closed import ClosedWorkbook
from demand_addin.ports import CellValue
from demand_addin.read import read_sheets
from demand_model.annex_a import CheckResult, Severity, check
from list_builders import Extra, Rows, at, clean_lists, column, save_lists

pytestmark = pytest.mark.unit

Lists = dict[int, Rows]
TROUBLE = (Severity.STOP, Severity.SET_ASIDE, Severity.WARN)


def run(folder: Path, lists: Lists, extra: Extra | None = None) -> CheckResult:
    return check(read_sheets(save_lists(folder / "lists.xlsx", lists, extra=extra)))


def put(lists: Lists, number: int, name: str, row: int, value: object) -> None:
    """Set a cell; row 2 is the first record, as in Excel."""
    lists[number][row - 1][column(number, name)] = value


def troubles(found: CheckResult) -> list[str]:
    return [f.rule for f in found.findings.items if f.severity in TROUBLE]


# --- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "name", "value", "code"),
    [
        (8, "placement_type", "p) K2: Childrenâ€™s Homes", "K2"),
        (8, "placement_type", "p) K2: Children\x92s Homes", "K2"),
        (8, "placement_type", "p) K2 \x96 Children's Homes", "K2"),
        (8, "placement_type", "Ｕ４", "U4"),
    ],
)
def test_64_damaged_letters_are_made_plain(
    number: int, name: str, value: str, code: str, tmp_path: Path
) -> None:
    lists = clean_lists()
    put(lists, number, name, 5, value)
    found = run(tmp_path, lists)
    assert found.lists is not None
    assert (found.lists.care[name] == code).any()
    assert troubles(found) == []


def test_64_what_stays_unknown_is_asked_about_never_guessed(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 8, "placement_type", 5, "ÃƒÂ©Ã‚ quelque chose")
    found = run(tmp_path, lists)
    assert troubles(found) == ["unmapped"]
    assert len(found.unmapped) == 1


ODD_TEXTS = (
    "Anna 👩‍👧 Team", "فريق الأطفال", "e\u0301quipe", "\u202egnorw", "#team", "=cmd|'/c calc'!A1",
    "+44 20", "-1", "@SUM(1)", "https://example.invalid/?id=1", "mailto:jo@example.invalid",
    "file:///c:/x", "x" * 32_767,
)  # fmt: skip


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_66_to_69_odd_texts_of_a_team_are_no_trouble_and_stay_text(
    text: str, tmp_path: Path
) -> None:
    lists = clean_lists()
    for number in (3, 7, 8):
        put(lists, number, "team", 5, text)
    found = run(tmp_path, lists)
    assert found.lists is not None
    assert troubles(found) == []
    assert text[:30] not in "".join(f.message for f in found.findings.items)


def test_66_to_69_odd_texts_are_copied_as_they_are(tmp_path: Path) -> None:
    lists = clean_lists()
    at_team = column(3, "team")
    for row, text in enumerate(ODD_TEXTS, start=1):
        lists[3][row][at_team] = text
    book = tmp_path / "book.xlsx"
    result = call("import", book, save_lists(tmp_path / "lists.xlsx", lists))
    assert result.exit_code == 0, result.output
    cells = ClosedWorkbook.open(book).read_sheet("List 3").cells
    assert tuple(cells[1 : len(ODD_TEXTS) + 1, at_team]) == ODD_TEXTS


def test_69_a_hyperlink_is_its_text(tmp_path: Path) -> None:
    def link(_: object, made: dict) -> None:
        made["List 3"].write_url(4, column(3, "source"), "https://example.invalid", None, "Police")

    found = run(tmp_path, clean_lists(), link)
    assert found.lists is not None
    assert "Police" in set(found.lists.referrals["source_group"])
    assert "example.invalid" not in "".join(f.message for f in found.findings.items)


def test_71_rich_text_is_read_as_plain(tmp_path: Path) -> None:
    def dress(book: xlsxwriter.Workbook, made: dict) -> None:
        bold = book.add_format({"bold": True})
        cell = (4, column(8, "placement_type"))
        made["List 8"].write_rich_string(*cell, bold, "U4", ": Foster placement")

    found = run(tmp_path, clean_lists(), dress)
    assert found.lists is not None
    assert (found.lists.care["placement_type"] == "U4").any()
    assert troubles(found) == []


def test_62_a_needed_cell_of_spaces_is_missing(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "date", 5, " \xa0\u200b\t")
    found = run(tmp_path, lists)
    assert [f.cell for f in found.findings.with_rule("date-missing")] == ["F5"]


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["9", "9 ", "9.0", "٩", "９"])
def test_73_an_age_as_text_is_a_number(text: str, tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "date_of_birth", 5, None)
    put(lists, 3, "age", 5, text)
    found = run(tmp_path, lists)
    assert found.lists is not None
    assert troubles(found) == ["birth-from-age"]
    birth = found.lists.referrals.set_index("child_id")["date_of_birth"]
    child = str(lists[3][4][column(3, "child_id")])
    assert (date(2024, 3, 31) - birth[child].date()).days / 365.25 == pytest.approx(9.5, abs=0.01)


def test_73_what_is_no_number_is_blank_and_said(tmp_path: Path) -> None:
    lists = clean_lists()
    put(lists, 3, "age", 5, "nine")
    found = run(tmp_path, lists)
    (finding,) = found.findings.with_rule("number-unreadable")
    assert (finding.severity, finding.cell) == (Severity.WARN, "E5")
    assert finding.message == (
        "1 cell of “Age of Child (Years)” holds no number, and counts as blank."
    )


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("£1,234.50", 1234.5), ("1,234.50", 1234.5), ("£ 1234", 1234.0), (" 1234 ", 1234.0),
        (1234.5, 1234.5), ("1.234,50", None), ("about 1,200", None), (-5, None), ("-5", None),
        ("12,34", None), (True, None), (at(2026, 1, 1), None),
    ],
)  # fmt: skip
def test_132_amounts_as_text_are_read_or_asked_about(
    value: CellValue, amount: float | None
) -> None:
    problems = Problems()
    cell = Cell("System", "C9", value)
    assert read_number(cell, "weekly cost", problems) == amount
    lines = problems.lines
    assert len(lines) == (amount is None)
    if lines:
        assert lines[0].startswith("System!C9: invalid weekly cost: ")
        assert lines[0].endswith("It must be a number 0 or more.")


# --- codes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("placement_type", "H5 - Placed with own parents"),
        ("placement_type", "U6: Children's home"),
        ("reason_ceased", "E11 - Returned home to parents"),
    ],
)
def test_121_a_code_whose_words_say_otherwise_is_asked_about_once(
    name: str, value: str, tmp_path: Path
) -> None:
    lists = clean_lists()
    row = 2 if name == "reason_ceased" else 5
    put(lists, 8, name, row, value)
    found = run(tmp_path, lists)
    rules = {f.rule: f for f in found.findings.items}
    asked = rules.get("unmapped") or rules["too-many-unmapped"]
    assert asked.cell.endswith(str(row))
    assert found.unmapped["raw_value"].tolist() == [value]
