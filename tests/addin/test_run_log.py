"""The run log is a chain, and it notices lists that were pasted before."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from demand_addin.ports import TableRead
from demand_addin.run_log import (
    FIRST,
    PACKAGES,
    PastRun,
    broken_links,
    list_hashes_text,
    packages_text,
    past_runs,
    previous_hash,
    row_hash,
    rows_used_text,
    same_again,
)
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.raw import RawValue

pytestmark = pytest.mark.unit

COLUMNS = ("when", "census_date", "list_hashes", "settings_hash", "mean", "previous_hash")
Row = tuple[RawValue, ...]


def log_of(*rows: Row) -> TableRead:
    return TableRead(
        name="run_log",
        sheet="Run log",
        columns=COLUMNS,
        rows=rows,
        addresses=tuple(("A1",) * len(COLUMNS) for _ in rows),
    )


def chained(count: int) -> list[Row]:
    rows: list[Row] = []
    for number in range(count):
        previous = previous_hash(log_of(*rows))
        rows.append(
            (
                datetime(2026, 4, 3, 9, number),  # noqa: DTZ001
                datetime(2026, 3, 31),  # noqa: DTZ001
                f"List 3: a{number}; List 8: b",
                "5e77",
                100.0 + number,
                previous,
            )
        )
    return rows


def test_the_first_row_and_the_chain() -> None:
    rows = chained(4)
    assert rows[0][-1] == FIRST
    assert broken_links(log_of(*rows)) == ()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_altered_row_breaks_the_chain_after_it(number: int) -> None:
    rows = chained(4)
    rows[number] = (*rows[number][:4], 1.0, rows[number][-1])
    assert broken_links(log_of(*rows)) == (number + 2,)


def test_a_row_taken_out_breaks_the_chain() -> None:
    rows = chained(4)
    del rows[1]
    assert broken_links(log_of(*rows)) == (2,)


def test_a_row_reads_the_same_before_and_after_the_workbook() -> None:
    written: Row = (datetime(2026, 4, 3, 9, 30, 15), date(2026, 3, 31), "x", 5, "y")  # noqa: DTZ001
    read: Row = (
        datetime(2026, 4, 3, 9, 30, 14, 999_600),  # noqa: DTZ001
        datetime(2026, 3, 31),  # noqa: DTZ001
        "x",
        5.0,
        "y",
    )
    assert row_hash(written) == row_hash(read)


def test_blank_rows_of_the_table_do_not_count() -> None:
    rows = chained(2)
    blank: Row = (None,) * len(COLUMNS)
    assert previous_hash(log_of(blank)) == FIRST
    assert broken_links(log_of(blank)) == ()
    assert previous_hash(log_of(*rows, blank)) == row_hash(rows[-1])


def test_past_runs_are_read_back() -> None:
    (run,) = past_runs(log_of(*chained(1)))
    assert (run.inputs, run.settings_hash) == ("List 3: a0; List 8: b", "5e77")
    assert run.census_date == date(2026, 3, 31)
    assert run.list_hashes == {3: "a0", 8: "b"}


LAST = PastRun(
    when=datetime(2026, 3, 3, 9, 30),  # noqa: DTZ001
    census_date=date(2026, 2, 28),
    list_hashes={3: "a", 7: "b", 8: "c"},
)
SHEETS = {3: "List 3", 7: "List 7", 8: "List 8"}


def test_the_same_lists_again_are_one_line() -> None:
    (found,) = same_again({3: "a", 7: "b", 8: "c"}, SHEETS, LAST.census_date, [LAST])
    assert (found.severity, found.list_number) == (Severity.WARN, 0)
    assert "03/03/2026 09:30" in found.message


def test_one_old_list_beside_new_ones_is_a_warning_on_its_sheet() -> None:
    (found,) = same_again({3: "x", 7: "b", 8: "y"}, SHEETS, date(2026, 3, 31), [LAST])
    assert (found.severity, found.list_number, found.sheet) == (Severity.WARN, 7, "List 7")


def test_a_list_of_an_older_run_is_noticed_too() -> None:
    newer = PastRun(when=None, census_date=None, list_hashes={3: "d", 7: "e", 8: "f"})
    (found,) = same_again({3: "x", 7: "b", 8: "y"}, SHEETS, None, [LAST, newer])
    assert found.list_number == 7


def test_all_lists_of_an_older_run_are_said_once() -> None:
    newer = PastRun(when=None, census_date=date(2026, 6, 30), list_hashes={3: "d", 7: "e", 8: "f"})
    (found,) = same_again({3: "a", 7: "b", 8: "c"}, SHEETS, LAST.census_date, [LAST, newer])
    assert found.list_number == 0
    assert "those of an older run" in found.message


def test_an_older_census_date_is_a_warning() -> None:
    (found,) = same_again({3: "x", 7: "y", 8: "z"}, SHEETS, date(2026, 1, 31), [LAST])
    assert found.severity is Severity.WARN
    assert "31/01/2026" in found.message


def test_new_lists_and_first_runs_say_nothing() -> None:
    assert same_again({3: "x", 7: "y", 8: "z"}, SHEETS, date(2026, 3, 31), [LAST]) == ()
    assert same_again({3: "a"}, SHEETS, None, []) == ()


def test_texts_for_the_log() -> None:
    assert list_hashes_text({8: "b", 3: "a"}) == "List 3: a; List 8: b"
    assert rows_used_text({8: 360, 3: 1600}) == "List 3: 1600; List 8: 360"
    assert [part.split(" ")[0] for part in packages_text().split("; ")] == list(PACKAGES)
