"""Reading all blue cells at once, so that an analyst mends them in one go.

Settings come first: the census date, which scenarios count their months from, is
known only once the lists were read as the settings say. Where some cell is wrong
the lists are read with the settings' defaults instead, for that date alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from demand_addin.cells import SettingProblemsError
from demand_addin.layout.sheets import SHEETS
from demand_addin.odds import read_odds
from demand_addin.ports import WorkbookPort
from demand_addin.scenario_sheet import TABLE as SCENARIOS
from demand_addin.scenario_sheet import read_scenarios, written_names
from demand_addin.settings import (
    RunSettings,
    read_mapping,
    read_overrides,
    read_settings,
    require_fan_scenario,
)
from demand_addin.system_sheet import read_system
from demand_model import check
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.lists_of_need import OPTIONAL_LISTS
from demand_model.annex_a.raw import RawSheet
from demand_model.errors import InvalidInputError
from demand_model.simulation.mixture import MIXTURE
from demand_model.simulation.scenario import BASELINE, Scenario

Result = TypeVar("Result")


class _Gathered:
    """What is wrong with the cells of several sheets."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, read: Callable[[], Result]) -> Result | None:
        """Read something; keep what is wrong with it."""
        try:
            return read()
        except SettingProblemsError as error:
            self.lines += error.problems
            return None

    def raise_any(self) -> None:
        if self.lines:
            raise SettingProblemsError(tuple(self.lines))


def read_inputs(book: WorkbookPort) -> RunSettings:
    """Read sheet Settings; if any blue cell is wrong, say so of those of every sheet.

    Raises
    ------
    SettingProblemsError
        All cells of Settings, Scenarios, Mapping, Rates and System that must be changed, together.
    """
    found = _Gathered()
    settings = found.of(lambda: read_settings(book))
    found.of(lambda: read_mapping(book))
    found.of(lambda: read_overrides(book))
    found.of(lambda: read_system(book))
    if settings is None or found.lines:
        census = settings.census_date if settings else None
        census = census or _census_date(book)
        if census is not None:
            found.of(lambda: read_asked_scenarios(book, settings, census))
        raise SettingProblemsError(tuple(found.lines))
    return settings


def read_asked_scenarios(
    book: WorkbookPort, settings: RunSettings | None, census_date: date
) -> tuple[Scenario, ...]:
    """Read sheet Scenarios; see that its odds and the fan charts' scenario are among them.

    Parameters
    ----------
    settings
        ``None`` where they cannot be read: the fan charts' scenario is not judged then.

    Raises
    ------
    SettingProblemsError
        All cells that must be changed, together.
    """
    found, table = _Gathered(), book.read_table(SCENARIOS)
    scenarios = found.of(lambda: read_scenarios(table, census_date, segments=SOURCE_GROUPS))
    names = list(written_names(table) if scenarios is None else [s.name for s in scenarios])
    odds = found.of(lambda: read_odds(book, [BASELINE.name, *names]))
    if settings is not None:
        mix = [] if odds == {} else [MIXTURE]
        found.of(lambda: require_fan_scenario(book, settings, [*names, *mix]))
    found.raise_any()
    return scenarios or ()


def list_sheets(book: WorkbookPort) -> tuple[RawSheet, ...]:
    """Read the paste sheets; where one was renamed, also every sheet that is not the product's.

    A workbook of an earlier version has no sheets for the optional lists: that is no renaming.
    """
    names = book.sheet_names()
    paste = [spec.name for spec in SHEETS if spec.list_number in LISTS]
    optional = [spec.name for spec in SHEETS if spec.list_number in OPTIONAL_LISTS]
    owned = {spec.name for spec in SHEETS}
    wanted = [name for name in names if name in paste]
    if len(wanted) < len(paste):
        wanted += [name for name in names if name not in owned]
    if not wanted:
        raise InvalidInputError(
            f"{book.name} holds none of the sheets {', '.join(paste)}; its sheets are: "
            f"{', '.join(names)}."
        )
    wanted += [name for name in names if name in optional]
    return tuple(book.read_sheet(name) for name in wanted)


def _census_date(book: WorkbookPort) -> date | None:
    """Return the census date that the lists show; ``None`` if they show none."""
    lists = check(list_sheets(book)).lists
    return lists.census_date if lists else None
