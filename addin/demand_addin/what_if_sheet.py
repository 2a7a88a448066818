"""What stands in the blue cells of sheet What-if: the levers, and the unit costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from demand_addin.cells import Cell, Problems, as_date, read_number, read_whole
from demand_addin.closed.cells import Block
from demand_addin.layout import what_if as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area
from demand_addin.layout.what_if import Lever
from demand_addin.ports import WorkbookPort
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.annex_a.raw import RawSheet
from demand_model.errors import InvalidInputError
from demand_model.results.what_if_levers import WhatIfLevers

_WORDS = {declared.CHANGE: "change", declared.ENDS: "change", declared.SHARE: "share"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a reader has typed on sheet What-if.

    Attributes
    ----------
    levers
        As the engine has them.
    census_date
        Of the run that the sheet shows.
    moved
        What is not neutral, in words: ``"Referrals -10%"``.
    costs_moved
        Unit costs and inflation that were typed, by their labels.
    """

    levers: WhatIfLevers
    census_date: date
    moved: tuple[str, ...]
    costs_moved: tuple[str, ...]


def read_what_if(book: WorkbookPort) -> Tried:
    """Read the blue cells.

    As in the sheet's own formulas a blank change, share or month counts as 0; blank
    inflation or a blank weekly cost is that of sheet System, and has not been moved.

    Raises
    ------
    InvalidInputError
        The sheet was deleted, or no run has filled it yet.
    SettingProblemsError
        All cells that cannot be read, together.
    """
    census = as_date(book.read_name(declared.FACTS["census_date"].name).value)
    if census is None:
        raise InvalidInputError(
            f"{book.name}: sheet {declared.SHEET} shows no forecast yet, so there is nothing to "
            "keep. Run the model, try something on the sheet, and keep it then."
        )
    reader, problems = _Reader(book), Problems()
    found = {
        lever.key: _value(reader.cell(lever.name), lever.kind, lever.label, problems)
        for lever in (*declared.CHANGES, *declared.LOCKDOWN, *declared.COSTS)
    }
    changes = _by_source(reader, declared.SOURCE_CHANGES, declared.CHANGE, problems)
    falls = _by_source(reader, declared.SOURCE_FALLS, declared.SHARE, problems)
    costs_moved = [
        lever.label
        for lever in declared.COSTS
        if not reader.cell(lever.name).blank and found[lever.key] != lever.neutral
    ]
    labels = reader.cells(declared.PLACEMENTS)
    for label, cell in zip(labels, reader.cells(declared.UNIT_COSTS), strict=True):
        if not cell.blank:
            words = str(label.value or "a placement")
            _value(cell, declared.MONEY, words, problems)
            costs_moved.append(words)
    problems.raise_any()
    changes = {source: change for source, change in changes.items() if change != 0.0}
    return Tried(
        levers=_levers(found, changes, falls),
        census_date=census,
        moved=_moved(found, changes),
        costs_moved=tuple(costs_moved),
    )


def costs_beside_others(book: WorkbookPort, groups: Sequence[str]) -> tuple[str, ...]:
    """Say which typed weekly costs a run would put beside another placement group.

    Parameters
    ----------
    groups
        Labels in the order in which the run writes them: a typed cost keeps its row.
    """
    names = (declared.UNIT_COSTS.name, declared.PLACEMENTS.name)
    places = [found for name in names if (found := book.find_name(name)) is not None]
    if len(places) < len(names):
        return ()
    reader, rows = _Reader(book), min(declared.GROUP_ROOM, *(place.rows for place in places))
    typed = reader.cells(replace(declared.UNIT_COSTS, rows=rows))
    if all(cell.blank for cell in typed):
        return ()
    said = []
    for number, cell in enumerate(typed):
        before = reader.cells(replace(declared.PLACEMENTS, rows=rows))[number]
        now = groups[number] if number < len(groups) else ""
        if not (cell.blank or before.blank or str(before.value) == now):
            beside = f"now stands beside “{now}”" if now else "now stands beside no group"
            said.append(
                f"{cell.where}: this weekly cost was typed for “{before.value}” and {beside}, "
                "since the groups on sheet System changed. Move it or empty it."
            )
    return tuple(said)


def _levers(
    found: Mapping[str, float], changes: Mapping[str, float], falls: Mapping[str, float]
) -> WhatIfLevers:
    return WhatIfLevers(
        start_after_months=int(found["start_after_months"]),
        referrals=found["referrals"],
        referrals_by_source=changes,
        conversion_to_plans=found["conversion_to_plans"],
        entries_to_care=found["entries_to_care"],
        uasc_entries=found["uasc_entries"],
        plan_ends=found["plan_ends"],
        care_ends_home=found["care_ends_home"],
        care_ends_other=found["care_ends_other"],
        lockdown_after_months=int(found["lockdown_after_months"]),
        lockdown_months=int(found["lockdown_months"]),
        lockdown_fall=found["lockdown_fall"],
        lockdown_fall_by_source=falls,
        lockdown_plan_ends=found["lockdown_plan_ends"],
        lockdown_care_ends=found["lockdown_care_ends"],
        share_returning=found["share_returning"],
        return_delay_months=found["return_delay_months"],
        return_spread_months=found["return_spread_months"],
    )


class _Reader:
    """Finds cells by name, wherever they have moved to; each sheet is read once."""

    def __init__(self, book: WorkbookPort) -> None:
        self._book = book
        self._sheets: dict[str, RawSheet] = {}

    def cell(self, name: str) -> Cell:
        found = self._book.read_name(name)
        return Cell(found.sheet, found.address, found.value)

    def cells(self, area: Area) -> tuple[Cell, ...]:
        """Return the cells of a block of one column, from its first down."""
        first = self._book.read_name(area.name)
        if first.sheet not in self._sheets:
            self._sheets[first.sheet] = self._book.read_sheet(first.sheet)
        raw, at = self._sheets[first.sheet], Block.of(first.address)
        out = []
        for row in range(at.top, at.top + area.rows):
            i, j = row - raw.first_row, at.left - raw.first_column
            inside = 0 <= i < raw.cells.shape[0] and 0 <= j < raw.cells.shape[1]
            value = raw.cells[i, j] if inside else None
            out.append(Cell(first.sheet, f"{column_letters(at.left)}{row}", value))
        return tuple(out)


def _value(cell: Cell, kind: str, label: str, problems: Problems) -> float:
    least, most = declared.LIMITS[kind]
    what = f"{_WORDS.get(kind, 'value')} of “{label}”"
    if kind == declared.WHOLE:
        return float(read_whole(cell, what, problems, least=int(least), most=int(most)) or 0)
    return read_number(cell, what, problems, least=least, most=most) or 0.0


def _by_source(reader: _Reader, area: Area, kind: str, problems: Problems) -> dict[str, float]:
    """Return what stands beside each source of referrals; a blank cell is left out."""
    return {
        source: _value(cell, kind, source, problems)
        for source, cell in zip(SOURCE_GROUPS, reader.cells(area), strict=True)
        if not cell.blank
    }


def _moved(found: Mapping[str, float], by_source: Mapping[str, float]) -> tuple[str, ...]:
    words = [
        _in_words(lever, found[lever.key])
        for lever in declared.CHANGES[1:]
        if found[lever.key] != 0.0
    ]
    words += [f"Referrals from {source} {_percent(change)}" for source, change in by_source.items()]
    months = int(found["lockdown_months"])
    if months > 0:
        words.append(
            f"a lockdown of {months} month{'s' if months > 1 else ''} from month "
            f"{int(found['lockdown_after_months']) + 1} of the forecast"
        )
    return tuple(words)


def _in_words(lever: Lever, change: float) -> str:
    return f"{lever.label} {_percent(change)}"


def _percent(change: float) -> str:
    return f"{100 * change:+.4g}%".replace("-", "−")
