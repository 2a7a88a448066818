"""Child identifiers: canonical forms, and damage."""

from __future__ import annotations

import pytest

from demand_model.annex_a.ids import canonical_id, read_ids
from demand_model.annex_a.raw import CellError, RawValue
from list_builders import at

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "value", [12345, 12345.0, "12345", "12345.0", " 12345", "012345", "１２３４５", "12345\u200b"]
)
def test_forms_of_one_number_are_one_identifier(value: RawValue) -> None:
    assert canonical_id(value) == "12345"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("p-12 a", "P-12 A"),
        ("  ab   1 ", "AB 1"),
        ("000", "0"),
        (0, "0"),
        ("N/A", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (at(2024, 2, 1), None),
    ],
)
def test_other_forms(value: RawValue, expected: str | None) -> None:
    assert canonical_id(value) == expected


def test_a_column_says_what_is_wrong_with_which_row() -> None:
    column = read_ids(
        [
            1,
            None,
            CellError("#REF!"),
            at(2024, 2, 1),
            True,
            10**17,
            "1.23E+17",
            "Ann Example",
            "007",
        ]
    )
    assert column.rejected == {
        1: "id-missing",
        2: "error-value",
        3: "id-unreadable",
        4: "id-unreadable",
    }
    assert (column.dates, column.damaged, column.names) == ((3,), (5, 6), (7,))
    assert column.zeros_dropped[-1]
    assert column.ids[-1] == "7"


@pytest.mark.parametrize("value", ["A12E45", "12E45", "CASE 12", "a1b2c3d4-0000-4e5f"])
def test_identifiers_with_letters_are_neither_damaged_nor_names(value: str) -> None:
    column = read_ids([value])
    assert (column.damaged, column.names, column.rejected) == ((), (), {})
