"""Sheet History: read however it was pasted, laid over Memory, below the lists; never written."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from rich_workbook import packed, parts_of

from demand_addin.cli import cli
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.history_sheet import (
    Memory,
    earlier_months,
    history_hash,
    monthly_actuals,
    no_months,
    overlaid,
    read_history,
    read_memory,
    trusted,
)
from demand_addin.layout.history import HISTORY
from demand_addin.layout.template import build_template
from demand_addin.ports import BookPlan, TableValues
from demand_model import History
from demand_model.flows import MEASURES

pytestmark = pytest.mark.unit

CENSUS = date(2026, 9, 30)


def counts(first: str, **columns: Sequence[float | None]) -> pd.DataFrame:
    """Return monthly counts from a month on; measures not named are blank."""
    length = len(next(iter(columns.values())))
    months = pd.period_range(first, periods=length, freq="M")
    return pd.DataFrame(columns, months).reindex(columns=list(MEASURES)).astype(float)


def remembering(months: pd.DataFrame) -> Memory:
    return Memory(months=months, forecasts=Memory.empty().forecasts)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "book.xlsx"
    build_template(path)
    return path.read_bytes()


def part_of(data: bytes, sheet: str) -> str:
    number = ClosedWorkbook.from_bytes(data, "x.xlsx").sheet_names().index(sheet) + 1
    return f"xl/worksheets/sheet{number}.xml"


def typed(data: bytes, rows: dict[int, Sequence[object]]) -> bytes:
    """Put cells into sheet History as a paste does that grows no table."""
    parts = parts_of(data)
    part = part_of(data, "History")
    xml = parts[part].decode()
    for number, values in rows.items():
        cells = "".join(
            f'<c r="{chr(65 + i)}{number}" t="inlineStr"><is><t>{value}</t></is></c>'
            if isinstance(value, str)
            else f'<c r="{chr(65 + i)}{number}"><v>{value}</v></c>'
            for i, value in enumerate(values)
            if value is not None
        )
        xml, done = re.subn(
            rf'<row r="{number}"[^>]*?(?:/>|>.*?</row>)', f'<row r="{number}">{cells}</row>', xml
        )
        if not done:
            xml = xml.replace("</sheetData>", f'<row r="{number}">{cells}</row></sheetData>')
    parts[part] = xml.encode()
    return packed(parts)


# --- reading -------------------------------------------------------------------------------------


def test_a_new_workbook_has_no_history_and_says_nothing(template: bytes) -> None:
    history, findings = read_history(ClosedWorkbook.from_bytes(template, "new.xlsx"), CENSUS)
    assert history.table.empty
    assert findings.items == ()


def test_rows_of_the_table_are_read(template: bytes) -> None:
    book = ClosedWorkbook.from_bytes(template, "book.xlsx")
    row = (datetime(2026, 1, 31), 300, 20, 18, 250, 9, 8, 310, "Yes")  # noqa: DTZ001
    book.write(
        BookPlan(tables=(TableValues(name="history", columns=HISTORY.headings, rows=(row,)),))
    )
    history, findings = read_history(book, CENSUS)
    assert history.table.loc["2026-01"].tolist() == [300, 20, 18, 250, 9, 8, 310]
    assert list(history.unusual) == [pd.Period("2026-01")]
    assert findings.items == ()


def test_a_paste_below_the_table_that_did_not_grow_is_read(template: bytes) -> None:
    rows = {6 + i: (f"{2024 + i // 12}-{i % 12 + 1:02d}", 300 + i) for i in range(24)}
    book = ClosedWorkbook.from_bytes(typed(template, rows), "book.xlsx")
    assert len(book.read_table("history").rows) == 1
    history, findings = read_history(book, CENSUS)
    assert history.table["referrals"].tolist() == [300 + i for i in range(24)]
    assert findings.items == ()


def test_a_paste_over_everything_with_its_own_headings_is_read(template: bytes) -> None:
    rows = {1: ("Our scorecard",), 2: ("CLA open", "Month"), 3: (310, "Jan 2026"),
            4: (312, "Feb 2026"), 5: (None,), 6: (315, "Mar 2026")}  # fmt: skip
    book = ClosedWorkbook.from_bytes(typed(template, rows), "book.xlsx")
    history, _ = read_history(book, CENSUS)
    assert history.table["cla_open"].tolist() == [310, 312, 315]


def test_a_renamed_sheet_is_found_by_its_table_and_a_deleted_one_is_no_history(
    template: bytes,
) -> None:
    parts = parts_of(typed(template, {6: ("Jan 2026", 300)}))
    book = parts["xl/workbook.xml"]
    renamed = {**parts, "xl/workbook.xml": book.replace(b'name="History"', b'name="Scorecard"')}
    history, _ = read_history(ClosedWorkbook.from_bytes(packed(renamed), "b.xlsx"), CENSUS)
    assert history.table["referrals"].tolist() == [300]
    gone = re.sub(rb'<sheet name="History"[^>]*/>', b"", book)
    without = ClosedWorkbook.from_bytes(packed({**parts, "xl/workbook.xml": gone}), "b.xlsx")
    assert "History" not in without.sheet_names()
    assert read_history(without, CENSUS)[0].table.empty


def test_the_sheet_is_open_and_prompts_in_every_column(template: bytes) -> None:
    parts = parts_of(template)
    xml = parts[part_of(template, "History")].decode()
    assert "<sheetProtection" not in xml
    assert xml.count("<dataValidation ") == 2 * len(HISTORY.columns)
    for column in HISTORY.columns:
        assert f'promptTitle="{column.name}"' in xml
        assert len(column.meaning) <= 255
    assert HISTORY.headings == ("month", *MEASURES, "unusual")


# --- laying over each other ----------------------------------------------------------------------


def test_history_lies_over_memory_and_the_lists_over_both() -> None:
    memory = remembering(counts("2026-01", referrals=[1, 1, 1, 1], cp_open=[5, 5, 5, 5]))
    history = History.of(counts("2025-12", referrals=[2, 2, None, 2]))
    listed = counts("2026-03", referrals=[3, None, 3])
    found = monthly_actuals(memory, history, listed)
    assert found["referrals"].tolist() == [2, 2, 1, 3, 1, 3]
    assert found["cp_open"].tolist()[1:5] == [5, 5, 5, 5]
    assert list(found.columns) == list(MEASURES)


def test_nothing_over_something_changes_nothing() -> None:
    some = counts("2026-01", referrals=[1, 2])
    pd.testing.assert_frame_equal(overlaid(some, no_months()), some)
    pd.testing.assert_frame_equal(overlaid(no_months(), some), some)


def test_the_fit_is_told_of_no_remembered_month_that_the_lists_show() -> None:
    memory = remembering(counts("2026-01", referrals=[1, 1, 1], cp_open=[5, 5, 5]))
    listed = counts("2026-02", referrals=[9, 9])
    found = earlier_months(memory, History.empty(), listed)
    assert found is not None
    assert found.table["referrals"].dropna().to_dict() == {pd.Period("2026-01"): 1}
    assert found.table["cp_open"].tolist() == [5, 5, 5], "what the lists do not show is kept"


def test_the_fit_is_told_of_no_month_after_the_lists_when_older_ones_are_run_again() -> None:
    memory = remembering(counts("2026-01", referrals=[1, 1, 1, 1]))
    found = earlier_months(memory, History.empty(), counts("2026-02", referrals=[9, 9]))
    assert found is not None
    assert [str(month) for month in found.table.index] == ["2026-01"]


@pytest.mark.parametrize(
    ("then", "now", "is_trusted"),
    [
        ([100, 104, 98], [101, 100, 99], True),
        ([100, 104, 98], [140, 150, 160], False),
        ([100, 104, 98], [140, 104, 98], True),
        ([9, 9, 9], [18, 18, 18], True),
        ([100, None, None], [None, 300, 300], True),
    ],
    ids=["corrected", "another place", "one odd month", "a handful", "no month in common"],
)
def test_memory_of_another_place_is_not_used(
    then: list[float | None], now: list[float | None], is_trusted: bool
) -> None:
    memory = remembering(counts("2026-01", cla_open=then))
    listed = counts("2026-01", cla_open=now)
    found, findings = trusted(memory, listed)
    assert (found is memory) is is_trusted
    assert [f.rule for f in findings.items] == ([] if is_trusted else ["memory-of-other-lists"])
    _, kept = trusted(memory, listed, is_kept=True)
    for one, words in zip((findings, kept), ("begins a new memory", "kept as it is"), strict=True):
        assert all(words in f.message for f in one.items)
    alone = monthly_actuals(Memory.empty(), History.empty(), listed)
    if not is_trusted:
        assert found.months.empty
        pd.testing.assert_frame_equal(monthly_actuals(memory, History.empty(), listed), alone)


def test_the_analysts_counts_of_months_in_the_lists_are_kept_to_be_compared() -> None:
    history = History.of(counts("2026-02", referrals=[7, 7]))
    found = earlier_months(Memory.empty(), history, counts("2026-02", referrals=[9, 9]))
    assert found is not None
    assert found.table["referrals"].tolist() == [7, 7]


def test_nothing_known_is_nothing_and_a_mark_alone_is_something() -> None:
    listed = counts("2026-01", referrals=[9, 9])
    assert earlier_months(Memory.empty(), History.empty(), listed) is None
    assert earlier_months(remembering(listed), History.empty(), listed) is None
    marked = History.of(no_months(), [pd.Period("2026-01")])
    found = earlier_months(Memory.empty(), marked, listed)
    assert found is not None
    assert list(found.unusual) == [pd.Period("2026-01")]


def test_the_fingerprint_of_earlier_months_changes_with_them() -> None:
    one, two = (History.of(counts("2026-01", referrals=[n])) for n in (1, 2))
    marked = History.of(counts("2026-01", referrals=[1]), [pd.Period("2026-01")])
    assert len({history_hash(h) for h in (None, one, two, marked)}) == 4
    assert history_hash(None) == ""
    assert history_hash(one) == history_hash(History.of(counts("2026-01", referrals=[1.0])))


def test_memory_changed_by_hand_is_left_out_and_said(template: bytes) -> None:
    book = ClosedWorkbook.from_bytes(template, "book.xlsx")
    day = datetime(2026, 8, 31)  # noqa: DTZ001
    months = book.read_table("memory_months").columns
    made = book.read_table("memory_forecasts").columns
    said = ("cla_open", 310, 300, 305, 315, 320, "Baseline")
    book.write(
        BookPlan(
            tables=(
                TableValues(
                    name="memory_months",
                    columns=months,
                    rows=((day, 300, *[None] * 6), ("soon", 300, *[None] * 6)),
                ),
                TableValues(
                    name="memory_forecasts",
                    columns=made,
                    rows=((day, day, *said), (day, day, "martians", *said[1:])),
                ),
            )
        )
    )
    memory, findings = read_memory(book)
    assert memory.months["referrals"].tolist() == [300]
    assert len(memory.forecasts) == 1
    (found,) = findings.items
    assert (found.rule, found.sheet, found.count) == ("memory-altered", "Memory", 2)


# --- in a run ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    """Run with three years of history, one month of it unreadable: before, and the workbook."""
    folder = tmp_path_factory.mktemp("ran")
    book, lists = folder / "book.xlsx", folder / "lists.xlsx"
    lists.write_bytes(sample_workbook("small"))
    call("import", book, lists)
    rows: dict[int, Sequence[object]] = {
        6 + i: (f"{2023 + (i + 3) // 12}-{(i + 3) % 12 + 1:02d}", 90 + i % 7, 9, 9)
        for i in range(36)
    }
    rows[42] = ("Smarch", 95, 8, 8)
    before = typed(book.read_bytes(), rows)
    book.write_bytes(before)
    call("run", book, "--draws", 100)
    return before, book


def call(*arguments: object) -> None:
    result = CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output


def test_a_run_uses_history_and_leaves_the_sheet_as_it_was(ran: tuple[bytes, Path]) -> None:
    before, path = ran
    book = ClosedWorkbook.open(path)
    findings = book.read_table("findings")
    rules = [row[findings.columns.index("rule")] for row in findings.rows]
    assert "history-month-unreadable" in rules
    part = part_of(before, "History")
    assert zipfile.ZipFile(path).read(part) == zipfile.ZipFile(io.BytesIO(before)).read(part)
    log = book.read_table("run_log")
    row = dict(zip(log.columns, log.rows[0], strict=True))
    assert "Earlier months: " in str(row["list_hashes"])
    control = book.read_table("control")
    months = {row[control.columns.index("month_end")] for row in control.rows}
    assert datetime(2023, 4, 30) in months, "control charts look back as far as the sheet"  # noqa: DTZ001
