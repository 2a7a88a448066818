"""A workbook after real runs, every output sheet filled; quick: a small sample, few futures."""

from __future__ import annotations

from pathlib import Path

from cli_cases import DRAWS, call, imported_sample, set_setting
from demand_addin.closed import ClosedWorkbook
from demand_addin.layout import lever_choices
from demand_addin.ports import BookPlan, CellValue, TableValues

AUTHORITY = "Exampleshire"
LEVERS = frozenset({"referrals", "reunification"})
GOAL: dict[str, CellValue] = {
    "outcome": "Children in care",
    "target": 95,
    "lever_1": "More children go home",
}


def make_finished(folder: Path) -> Path:
    """Import, run twice (so that something changed), test on earlier dates, pull levers."""
    book = imported_sample(folder, horizon_months=14)
    set_setting(book, "authority", AUTHORITY)
    commands = (("run",), ("run", "--seed", "7"), ("backtest",))
    for command, *options in commands:
        done = call(command, book, *DRAWS, *options)
        assert done.exit_code == 0, done.stderr
    _ask_of_levers(book)
    done = call("levers", book, *DRAWS)
    assert done.exit_code == 0, done.stderr
    return book


def _ask_of_levers(book: Path) -> None:
    """Type into sheet Lever choices: two levers, one goal."""
    rows = lever_choices.default_rows()
    settings, goals = lever_choices.LEVER_SETTINGS, lever_choices.GOALS
    include = settings.headings.index("include")
    pulled = [list(row) for row in rows[settings.name]]
    for row in pulled:
        row[include] = "Yes" if row[-1] in LEVERS else "No"
    asked = [[GOAL.get(name) for name in goals.headings], *map(list, rows[goals.name][1:])]
    workbook = ClosedWorkbook.open(book)
    workbook.write(
        BookPlan(
            tables=tuple(
                TableValues(
                    name=table.name,
                    columns=table.headings,
                    rows=tuple(tuple(row) for row in typed),
                )
                for table, typed in ((settings, pulled), (goals, asked))
            )
        )
    )
    book.write_bytes(workbook.to_bytes())
