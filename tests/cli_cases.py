"""The command line in tests: on a small sample, settings changed through the workbook port."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from demand_addin.cli import cli
from demand_addin.closed import ClosedWorkbook
from demand_addin.commands.demo import sample_workbook
from demand_addin.ports import BookPlan, RangeValues

DRAWS = ("--draws", "100")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)


def set_setting(book: Path, key: str, value: str | int) -> None:
    workbook = ClosedWorkbook.open(book)
    workbook.write(BookPlan(ranges=(RangeValues(name=f"setting_{key}", rows=((value,),)),)))
    book.write_bytes(workbook.to_bytes())


def imported_sample(folder: Path, *, horizon_months: int) -> Path:
    lists, book = folder / "annex-a.xlsx", folder / "book.xlsx"
    lists.write_bytes(sample_workbook("small"))
    assert call("import", book, lists).exit_code == 0
    set_setting(book, "horizon_months", horizon_months)
    return book
