"""What the launcher asks that no command of the command line answers.

Each runs in a process of its own (``python -P -m demand_addin.launcher NAME``) and ends
in an `Outcome`, as the commands do:

* ``books``: the workbooks open in Excel;
* ``compare``: the scenarios of the last run, side by side, from sheet Forecast;
* ``backup``: the newest earlier version beside a file that was not put back yet;
* ``restore``: that version put back, today's kept in its turn. A second undo goes one
  version further back, as far as there are any.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from demand_addin.commands.closed_file import open_book, verify_workbook
from demand_addin.commands.outcome import Json, Outcome
from demand_addin.layout.tables import FORECAST
from demand_addin.live.session import NoExcelError, attach, open_books
from demand_addin.ports import BookPlan, TableRead, WorkbookPort
from demand_addin.saving import backups, fingerprint, is_undone, locked, save
from demand_model.errors import InvalidInputError
from demand_model.simulation.scenario import BASELINE

_MEASURES = ("cla_open", "cp_open", "referrals")
_YEAR = 12
_SAVED_SINCE_SECONDS = 2.0


class NoBackupError(InvalidInputError):
    """No earlier version stands beside the workbook."""


def list_books() -> Outcome:
    """Return the workbooks that are open in Excel; that there is no Excel is an answer too."""
    try:
        found = open_books()
    except NoExcelError:
        return Outcome(command="books", record={"has_excel": False, "books": []})
    books: list[Json] = [
        {"name": book.name, "full_name": book.full_name, "is_ours": book.is_ours} for book in found
    ]
    return Outcome(command="books", record={"has_excel": True, "books": books})


def compare_open(name: str) -> Outcome:
    """Compare the scenarios in a workbook that is open in Excel."""
    return _compared(attach(name))


def compare_file(path: Path) -> Outcome:
    """Compare the scenarios in a closed workbook."""
    return _compared(open_book(path))


def comparison_rows(table: TableRead) -> list[Json]:
    """Return every scenario's average and 80% range in a year, and at the horizon.

    Returns
    -------
    One object for each measure, month and scenario: ``measure``, ``month_end``,
    ``scenario``, ``mean``, ``low``, ``high`` and ``against`` (the average less the
    baseline's; ``None`` without a baseline). Counts of children, or of referrals a month.
    """
    place = {name: table.columns.index(name) for name in table.columns}
    whole = [
        row
        for row in table.rows
        if row[place["segment"]] == "all" and _day(row[place["month_end"]])
    ]
    days = sorted({day for row in whole if (day := _day(row[place["month_end"]]))})
    wanted = dict.fromkeys([*days[_YEAR - 1 : _YEAR], *days[-1:]])
    found = {
        (row[place["measure"]], _day(row[place["month_end"]]), row[place["scenario"]]): row
        for row in whole
    }
    scenarios = dict.fromkeys(str(row[place["scenario"]]) for row in whole)
    out: list[Json] = []
    for measure in _MEASURES:
        for day in wanted:
            base = _mean(found.get((measure, day, BASELINE.name)), place["mean"])
            for scenario in scenarios:
                row = found.get((measure, day, scenario))
                mean = _mean(row, place["mean"])
                if row is None or mean is None:
                    continue
                out.append(
                    {
                        "measure": measure,
                        "month_end": day.isoformat(),
                        "scenario": scenario,
                        "mean": mean,
                        "low": _mean(row, place["p10"]),
                        "high": _mean(row, place["p90"]),
                        "against": None if base is None else mean - base,
                    }
                )
    return out


def find_backup(path: Path) -> Outcome:
    """Return the newest earlier version of a file, when it was put aside, and how many more.

    Raises
    ------
    NoBackupError
        There is none.
    """
    newest, *further = _earlier(path)
    aside = newest.stat().st_mtime
    # An undo writes the file as well, just after it put a version aside.
    written = max(p.stat().st_mtime for p in backups(path))
    record: dict[str, Json] = {
        "backup": newest.name,
        "aside": datetime.fromtimestamp(aside, tz=UTC).astimezone().isoformat(),
        "further": len(further),
        "saved_since": path.stat().st_mtime > written + _SAVED_SINCE_SECONDS,
    }
    return Outcome(command="backup", record=record)


def restore(path: Path, backup: str, *, now: datetime) -> Outcome:
    """Put an earlier version back; the present one is kept beside it, named as undone.

    Raises
    ------
    NoBackupError
        It is not there any more.
    DemandError
        It is damaged, or the file cannot be written; nothing is changed then.
    """
    with locked(path, now=now):
        seen = fingerprint(path)
        found = next((p for p in backups(path) if p.name == backup), None)
        if found is None:
            raise NoBackupError(
                f"{backup} is not beside {path.name} any more; nothing was changed."
            )
        open_book(found)
        saved = save(
            found.read_bytes(),
            path,
            now=now,
            verify=lambda written: verify_workbook(written, BookPlan()),
            read_as=seen,
            restored=found,
        )
    done = f"{path.name} is as it was before."
    if saved.backup is not None:
        done += (
            f" What stood in it is kept in {saved.backup.name}: to have it back, open that file "
            f"and save it as {path.name}."
        )
    further = len(_earlier_versions(path))
    more = (
        f"Undo again goes one version further back ({further} more)."
        if further
        else "There is no version before this one, so nothing more can be undone."
    )
    return Outcome(
        command="undo",
        wrote=saved.wrote,
        sentences=saved.notes or (done, more),
        record={"book": str(saved.path), "further": further},
    )


def _earlier(path: Path) -> tuple[Path, ...]:
    """Return the versions before the present one, the newest first."""
    found = _earlier_versions(path)
    if found:
        return found
    undone = [p.name for p in backups(path) if is_undone(p)] if path.is_file() else []
    if undone:
        raise NoBackupError(
            f"There is no version before this one beside {path.name}, so nothing more can be "
            f"undone. What was undone is kept in {undone[-1]}: to have it back, open that file and "
            f"save it as {path.name}."
        )
    raise NoBackupError(
        f"There is no earlier version beside {path.name}: csc-demand has not changed it, its "
        "backups were deleted, or it was renamed or moved without them."
    )


def _earlier_versions(path: Path) -> tuple[Path, ...]:
    if not path.is_file():
        return ()
    now = fingerprint(path)
    # An undo that was cut short may have left the version that it put back.
    kept = [p for p in backups(path) if not is_undone(p) and fingerprint(p) != now]
    return tuple(reversed(kept))


def _compared(book: WorkbookPort) -> Outcome:
    rows = comparison_rows(book.read_table(FORECAST.name))
    if not rows:
        raise InvalidInputError(f"There is no forecast in {book.name} yet: press Run first.")
    return Outcome(
        command="compare",
        sentences=("The scenarios of the last run are shown side by side.",),
        record={"book": book.name, "comparison": rows},
    )


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _mean(row: tuple[object, ...] | None, place: int) -> float | None:
    value = None if row is None else row[place]
    return float(value) if isinstance(value, int | float) else None
