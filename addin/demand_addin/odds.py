"""The table ``scenario_odds``: the analyst's odds on scenarios, which make a weighted mix.

Blank odds leave a scenario out; where all are blank there is no mix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from demand_addin.cells import Cell, Problems, read_number, read_text
from demand_addin.layout.odds import SCENARIO_ODDS
from demand_addin.ports import TableRead, WorkbookPort
from demand_model.errors import InvalidInputError, InvalidSettingError
from demand_model.simulation.mixture import MIXTURE

TABLE = SCENARIO_ODDS.name
_TOLERANCE = 0.005
_WHOLE = 1.0


def read_odds(book: WorkbookPort, names: Sequence[str]) -> dict[str, float]:
    """Read the odds of sheet Scenarios.

    Parameters
    ----------
    names
        The scenarios of this run.

    Returns
    -------
    Name to share, adding up to 1; empty where no odds are typed, or where a workbook
    of an earlier version has no such table.

    Raises
    ------
    SettingProblemsError
        All wrong cells together: an unknown scenario, one that stands twice, odds that
        are no share, odds that do not add up to 100%.
    """
    try:
        table = book.read_table(TABLE)
    except InvalidInputError:
        return {}
    problems = Problems()
    typed = [row for row in _rows(table) if not row[1].blank]
    found: dict[str, float] = {}
    spelt = {_plain(name): name for name in names}
    for name_cell, odds_cell in typed:
        name = spelt.get(_plain(read_text(name_cell)))
        if name is None:
            must = "the name of a scenario of this sheet whose include is Yes"
            problems.add(name_cell, "scenario with odds", must)
        elif name in found:
            problems.add(name_cell, "scenario with odds", "a scenario that no other row has")
        share = _share(odds_cell, problems)
        if name is not None:
            found[name] = found.get(name, 0.0) + (share or 0.0)
    if typed and not problems.lines:
        _check_whole(found, typed[0][1], problems)
    if typed and _plain(MIXTURE) in spelt:
        problems.say(
            typed[0][1].where,
            f'"{MIXTURE}" is the name of what the odds make; give the scenario of that name '
            "another one.",
        )
    problems.raise_any()
    total = math.fsum(found.values())
    return {name: share / total for name, share in found.items() if share > 0.0}


def _rows(table: TableRead) -> list[tuple[Cell, Cell]]:
    missing = [name for name in SCENARIO_ODDS.headings if name not in table.columns]
    if missing:
        raise InvalidSettingError(
            f"{table.sheet}: the table {table.name} lacks the column {', '.join(missing)}; "
            "take the sheet from a new workbook."
        )
    at = [table.columns.index(name) for name in SCENARIO_ODDS.headings]
    return [
        (
            Cell(table.sheet, addresses[at[0]], values[at[0]]),
            Cell(table.sheet, addresses[at[1]], values[at[1]]),
        )
        for values, addresses in zip(table.rows, table.addresses, strict=True)
    ]


def _share(cell: Cell, problems: Problems) -> float | None:
    """Read a share of 0% to 100%; ``None``, and noted, if it is none."""
    share = read_number(cell, "odds", Problems(), most=_WHOLE)
    if share is None:
        problems.add(cell, "odds", "a share from 0% to 100%, such as 40%")
    return share


def _check_whole(found: dict[str, float], first: Cell, problems: Problems) -> None:
    total = math.fsum(found.values())
    if abs(total - _WHOLE) > _TOLERANCE:
        problems.say(
            first.where,
            f"the odds of this column add up to {total:.0%}. They must add up to 100%, or all be "
            "blank.",
        )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
