"""Keep what was tried on sheet What-if as a scenario, to be run with ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.outcome import Json, Outcome
from demand_addin.layout.what_if import SHEET
from demand_addin.plan.values import day_name
from demand_addin.ports import BookPlan, CellValue, TableValues, WorkbookPort
from demand_addin.scenario_sheet import COLUMNS, TABLE, scenario_rows
from demand_addin.what_if_sheet import Tried, read_what_if
from demand_model.errors import InvalidInputError, InvalidSettingError
from demand_model.results.what_if_levers import what_if_scenario
from demand_model.simulation.scenario import BASELINE
from demand_model.units import counted, next_month_start

_LONGEST_NAME = 60
_DECIMALS = 9
"""A change of -30% makes the factor 0.7, and not 0.7 less what binary numbers lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A scenario that was made of the blue cells.

    Attributes
    ----------
    rows
        Of table `scenarios`.
    """

    name: str
    rows: int
    tried: Tried

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to say of it."""
        rows = counted(self.rows, "row")
        costs = self.tried.costs_moved
        return (
            f'Scenario "{self.name}" was added to sheet Scenarios ({rows}): '
            f"{'; '.join(self.tried.moved)}.",
            "Run the model to see it with ranges.",
            *(
                (
                    f"Not kept, since a scenario holds no costs: {', '.join(costs)}. They stay on "
                    f"sheet {SHEET}.",
                )
                if costs
                else ()
            ),
        )

    @property
    def record(self) -> dict[str, Json]:
        """The same for machines."""
        return {
            "scenario": self.name,
            "rows": self.rows,
            "kept": list(self.tried.moved),
            "costs_not_kept": list(self.tried.costs_moved),
        }


def keep_book(job: FileJob, *, name: str | None = None) -> Outcome:
    """Add a scenario of what stands on sheet What-if to a workbook on disk.

    Parameters
    ----------
    name
        The scenario's; ``What-if 1``, ``What-if 2``… if none is given.

    Raises
    ------
    InvalidInputError
        Nothing was changed on the sheet, no run has filled it, or the name is taken.
    SettingProblemsError
        Blue cells that cannot be read, each named.
    """
    kept, saved = change_file(job, lambda book: keep_on(book, name=name, now=job.now))
    return Outcome(
        command="keep",
        wrote=saved.wrote,
        sentences=(*kept.sentences, *saved.notes),
        record={"book": str(saved.path), **kept.record},
    )


def keep_on(book: WorkbookPort, *, now: datetime, name: str | None = None) -> tuple[BookPlan, Kept]:
    """Plan the rows of a scenario of what stands on sheet What-if; raises as `keep_book`."""
    tried = read_what_if(book)
    if not tried.moved:
        costs = (
            " Only unit costs or inflation are changed, which a scenario does not hold."
            if tried.costs_moved
            else ""
        )
        raise InvalidInputError(
            f"{book.name}: no blue cell of sheet {SHEET} moves the forecast, so there is nothing "
            f"to keep.{costs} Change a blue cell first."
        )
    chosen = _name(name, _names(book))
    scenario = what_if_scenario(
        tried.levers,
        _first_month(tried.census_date),
        name=chosen,
        description=f"Tried on sheet {SHEET}; kept on {day_name(now.date())}.",
    )
    rows = tuple(
        tuple(_rounded(value) for value in row)
        for row in scenario_rows([scenario], tried.census_date)
    )
    plan = BookPlan(tables=(TableValues(name=TABLE, columns=COLUMNS, rows=rows, append=True),))
    return plan, Kept(name=chosen, rows=len(rows), tried=tried)


def _first_month(census_date: date) -> date:
    """Return the first day of the forecast's first month: the census date's, if unfinished."""
    after = next_month_start(census_date)
    return after if (after - census_date).days == 1 else census_date.replace(day=1)


def _names(book: WorkbookPort) -> frozenset[str]:
    table = book.read_table(TABLE)
    at = table.columns.index("scenario") if "scenario" in table.columns else None
    found = () if at is None else (str(row[at] or "") for row in table.rows)
    return frozenset(_plain(name) for name in (*found, BASELINE.name))


def _name(asked: str | None, taken: Iterable[str]) -> str:
    taken = frozenset(taken)
    if asked is None:
        return next(name for n in count(1) if _plain(name := f"What-if {n}") not in taken)
    name = " ".join(asked.split())
    if not name or len(name) > _LONGEST_NAME:
        raise InvalidSettingError(
            f"Invalid name: a scenario's name must have 1 to {_LONGEST_NAME} characters."
        )
    if _plain(name) in taken:
        raise InvalidSettingError(
            f'Invalid name: there is a scenario "{name}" already. Choose another name.'
        )
    return name


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _rounded(value: CellValue) -> CellValue:
    return round(value, _DECIMALS) if isinstance(value, float) else value
