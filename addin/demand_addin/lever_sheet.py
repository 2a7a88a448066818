"""Sheet Lever choices to levers and goals; every wrong cell is named, all at once.

A workbook without the sheet is taken for one with the sheet's defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from demand_addin.cells import (
    Cell,
    Problems,
    as_date,
    read_choice,
    read_date,
    read_number,
    read_text,
    read_yes_no,
)
from demand_addin.layout import lever_choices as declared
from demand_addin.layout.declare import TableSpec
from demand_addin.ports import TableRead, WorkbookPort
from demand_model.errors import InvalidInputError, InvalidSettingError
from demand_model.results.goal_seek import Goal
from demand_model.results.lever_list import BY_KEY, COMBINATIONS, LeverSetting
from demand_model.results.placement_need import NEEDS, NeedMatch
from demand_model.simulation.scenario import BASELINE
from demand_model.units import add_months, next_month_start

_FURTHEST_MONTH = 120
_DAY_ZERO, _YEAR_2000, _YEAR_2100 = date(1899, 12, 30), 36526, 73051
"""Days as Excel counts them."""
_OWN_RESIDENTIAL, _OWN_FOSTERING = "own residential", "own fostering"
_KEY_OF_OUTCOME = {label: key for key, label in declared.OUTCOME_LABELS.items()}
_COMPARED = frozenset(lever.key for lever in COMBINATIONS)
_SHARES = frozenset({"external_share"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverBounds:
    """What the sheet's other parts say of the cells of this one.

    Attributes
    ----------
    census_date
        Day that months are counted from.
    last_day
        Last day of the forecast.
    scenarios
        Names that the base may have.
    groups
        Placement groups.
    own_groups
        Those of them that are the authority's own.
    """

    census_date: date
    last_day: date
    scenarios: tuple[str, ...]
    groups: tuple[str, ...]
    own_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedGoal:
    """A goal, its day, and the levers that may be used at their greatest sizes."""

    goal: Goal
    by: date
    levers: tuple[LeverSetting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverSheet:
    """What sheet Lever choices says.

    Attributes
    ----------
    outcome
        Of `demand_model.results.lever_runs.OUTCOMES`, to rank by.
    at
        Date of the effect.
    base
        Name of the scenario that levers are laid upon.
    settings
        Levers that are tried, alone and together.
    comparisons
        Combinations to set beside them.
    goals
        In the sheet's order.
    """

    outcome: str
    at: date
    base: str
    settings: tuple[LeverSetting, ...]
    comparisons: tuple[LeverSetting, ...]
    goals: tuple[AskedGoal, ...]


_Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pulled:
    """A lever's row: as it is tried, and at its greatest for goals; whether it is tried."""

    setting: LeverSetting
    greatest: LeverSetting
    is_included: bool


def read_lever_choices(book: WorkbookPort, bounds: LeverBounds) -> LeverSheet:
    """Read sheet Lever choices.

    Raises
    ------
    SettingProblemsError
        All wrong cells together, each with its place and what to do.
    """
    tables = {spec.name: tuple(_rows(_table(book, spec), spec)) for spec in declared.TABLES}
    problems = Problems()
    answers = {read_text(row["name"]): row["value"] for row in tables["lever_basis"]}
    blank = Cell(declared.SHEET, "", None)
    cells = {q.key: answers.get(q.key, blank) for q in declared.QUESTIONS}
    outcome = _outcome(cells[declared.OUTCOME], problems) or "cla_open"
    at = _day(cells[declared.AT], "date of the effect", bounds, problems) or bounds.last_day
    base = read_choice(cells[declared.BASE], "scenario", problems, bounds.scenarios)
    places = _places(cells, bounds, problems)
    matches = _matches(tables["need_matching"], bounds, problems)
    pulled = _levers(tables["lever_settings"], bounds, places, matches, problems)
    goals = _goals(tables["goals"], pulled, at, bounds, problems)
    tried = tuple(p.setting for p in pulled.values() if p.is_included)
    settings = tuple(s for s in tried if s.lever not in _COMPARED)
    if not settings and not problems.lines:
        first = tables["lever_settings"][0]["include"] if tables["lever_settings"] else blank
        problems.say(first.where, "no lever is included. Say Yes beside one or more.")
    problems.raise_any()
    return LeverSheet(
        outcome=outcome,
        at=at,
        base=base or BASELINE.name,
        settings=settings,
        comparisons=tuple(s for s in tried if s.lever in _COMPARED),
        goals=goals,
    )


def _table(book: WorkbookPort, spec: TableSpec) -> TableRead:
    try:
        return book.read_table(spec.name)
    except InvalidInputError:
        # A sheet of an earlier version has no table of needs: its defaults hold.
        if declared.SHEET in book.sheet_names() and spec is not declared.NEED_MATCHING:
            raise
    rows = declared.default_rows()[spec.name]
    kept = tuple(tuple(v if isinstance(v, str | int | float) else None for v in r) for r in rows)
    return TableRead(
        name=spec.name,
        sheet=declared.SHEET,
        columns=spec.headings,
        rows=kept,
        addresses=tuple(("",) * len(row) for row in rows),
    )


def _rows(table: TableRead, spec: TableSpec) -> Iterator[_Row]:
    wanted = (name for name in spec.headings if name not in declared.LATER_COLUMNS)
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise InvalidSettingError(
            f"{table.sheet}: the table {table.name} lacks the column {', '.join(missing)}; "
            "take the sheet from a new workbook."
        )
    for values, addresses in zip(table.rows, table.addresses, strict=True):
        yield {
            column: Cell(table.sheet, address, value)
            for column, value, address in zip(table.columns, values, addresses, strict=True)
        }


# --- what is asked ------------------------------------------------------------------------------


def _outcome(cell: Cell, problems: Problems) -> str | None:
    label = read_choice(cell, "outcome", problems, _KEY_OF_OUTCOME)
    return None if label is None else _KEY_OF_OUTCOME[label]


def _day(cell: Cell, what: str, bounds: LeverBounds, problems: Problems) -> date | None:
    day = read_date(cell, what, problems)
    if day is None or bounds.census_date < day <= bounds.last_day:
        return day
    problems.add(
        cell,
        what,
        f"a day of the forecast, from {bounds.census_date:%d/%m/%Y} to {bounds.last_day:%d/%m/%Y} "
        "(sheet Settings says how long that is)",
    )
    return None


def _places(
    cells: Mapping[str, Cell], bounds: LeverBounds, problems: Problems
) -> tuple[str, str] | None:
    """Groups of new places: the one that gains, the one that the children come from."""
    groups = bounds.groups
    gains = read_choice(cells[declared.PLACES_IN], "group", problems, groups)
    if gains is None:
        gains = _OWN_RESIDENTIAL if _OWN_RESIDENTIAL in groups else _OWN_FOSTERING
    source = read_choice(cells[declared.PLACES_FROM], "group", problems, groups) or "residential"
    if gains == source:
        problems.add(cells[declared.PLACES_IN], "group of new places", "another than the next one")
        return None
    return gains, source


def _matches(
    rows: Sequence[_Row], bounds: LeverBounds, problems: Problems
) -> tuple[NeedMatch, ...]:
    """Needs that entrants are matched by, with the group for each."""
    found: dict[str, NeedMatch] = {}
    for row in rows:
        need = read_text(row["name"])
        if not need and all(cell.blank for cell in row.values()):
            continue
        if need not in NEEDS or need in found:
            problems.add(row["name"], "code of a need", f"once each: {', '.join(NEEDS)}")
            continue
        is_matched = read_yes_no(row["match"], "match", problems)
        if is_matched and row["group"].blank:
            problems.add(row["group"], "group", f"one of: {', '.join(bounds.own_groups)}")
        group = read_choice(row["group"], "group", problems, bounds.own_groups)
        if is_matched and group is not None:
            found[need] = NeedMatch(need=need, group=group)
    return tuple(found.values())


# --- levers -------------------------------------------------------------------------------------


def _levers(
    rows: Sequence[_Row],
    bounds: LeverBounds,
    places: tuple[str, str] | None,
    matches: tuple[NeedMatch, ...],
    problems: Problems,
) -> dict[str, _Pulled]:
    found: dict[str, _Pulled] = {}
    only = any(_says_only(row["include"]) for row in rows)
    for row in rows:
        key = read_text(row["name"])
        if not key and all(cell.blank for cell in row.values()):
            continue
        if key not in BY_KEY or key in found:
            problems.add(row["name"], "name of a lever", f"once each: {', '.join(BY_KEY)}")
            continue
        pulled = _lever(key, row, bounds, places, problems, only=only)
        if pulled is not None and BY_KEY[key].is_matched:
            pulled = _matched(pulled, matches, row, problems)
        if pulled is not None:
            found[key] = pulled
    return found


def _lever(
    key: str,
    row: _Row,
    bounds: LeverBounds,
    places: tuple[str, str] | None,
    problems: Problems,
    *,
    only: bool,
) -> _Pulled | None:
    before, lever = len(problems.lines), BY_KEY[key]
    # All exits together is a comparison, not one of the levers that are chosen from.
    is_included = _is_included(row["include"], problems, only=only and key not in _COMPARED)
    least = 0.0 if lever.places is not None else -lever.greatest
    size = read_number(row["size"], "size", problems, least=least, most=lever.greatest)
    if row["size"].blank and is_included:
        problems.add(row["size"], "size", "a number of places" if lever.places else "a share")
    greatest = read_number(
        row["greatest_size"], "greatest size", problems, least=least, most=lever.greatest
    )
    ramp = read_number(row["ramp_months"], "ramp in months", problems, most=_FURTHEST_MONTH)
    delay = None  # a sheet of an earlier version has no such column: the lever's own holds
    if "delay_months" in row:
        delay = read_number(row["delay_months"], "delay in months", problems, most=_FURTHEST_MONTH)
    cost = read_number(row["cost_a_year"], "cost a year", problems, most=1e9)
    start = _start(row["start"], bounds, problems)
    if size and greatest is not None and (size > 0.0) != (greatest > 0.0):
        problems.add(row["greatest_size"], "greatest size", "on the same side of 0 as the size")
    if len(problems.lines) > before:
        return None
    setting = LeverSetting(
        lever=key,
        size=size or 0.0,
        start=start or next_month_start(bounds.census_date),
        ramp_months=ramp or 0.0,
        delay_months=delay,
        cost_a_year=cost or 0.0,
        places=places if lever.places is not None else None,
    )
    return _Pulled(
        setting=setting,
        greatest=_at(setting, greatest),
        is_included=is_included and setting.size != 0.0,
    )


def _says_only(cell: Cell) -> bool:
    return read_text(cell).casefold() == declared.ONLY.casefold()


def _is_included(cell: Cell, problems: Problems, *, only: bool) -> bool:
    """Whether the lever is tried: where one row says Only, those that say Only."""
    if _says_only(cell):
        return True
    wrong = Problems()
    says_yes = read_yes_no(cell, "include", wrong)
    if wrong.lines:
        problems.add(cell, "include", "one of: " + ", ".join(declared.INCLUDE))
    return bool(says_yes) and not only


def _matched(
    pulled: _Pulled, matches: tuple[NeedMatch, ...], row: _Row, problems: Problems
) -> _Pulled:
    """Give the lever the needs that it matches by; without any it says so where it is asked."""
    if pulled.is_included and not matches:
        problems.say(
            row["include"].where,
            f"no need says Yes in the table {declared.NEED_MATCHING.name}, so nobody is matched. "
            "Say Yes beside one, or No here.",
        )
    return replace(
        pulled,
        setting=replace(pulled.setting, matches=matches),
        greatest=replace(pulled.greatest, matches=matches),
    )


def _at(setting: LeverSetting, size: float | None) -> LeverSetting:
    """The lever at another size, its cost in step."""
    if size is None or not setting.size:
        return setting
    return replace(setting, size=size, cost_a_year=setting.cost_a_year * size / setting.size)


def _start(cell: Cell, bounds: LeverBounds, problems: Problems) -> date | None:
    """Read a date, or whole months after the census date as on sheet Scenarios."""
    if cell.blank:
        return None
    value = cell.value
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if float(value).is_integer() and 0 <= value <= _FURTHEST_MONTH:
            return add_months(next_month_start(bounds.census_date), int(value))
        day = _from_serial(value)
    else:
        day = as_date(value)
    if day is None or day <= bounds.census_date:
        problems.add(
            cell,
            "start",
            f"a whole number of months after the census date (0 to {_FURTHEST_MONTH}), or a date "
            "after it",
        )
        return None
    return day


def _from_serial(number: float) -> date | None:
    """Return the day that Excel counts so: a date in a cell that shows it as a number."""
    if not float(number).is_integer() or not _YEAR_2000 <= number < _YEAR_2100:
        return None
    return _DAY_ZERO + timedelta(days=int(number))


# --- goals --------------------------------------------------------------------------------------


def _goals(
    rows: Sequence[_Row],
    pulled: Mapping[str, _Pulled],
    at: date,
    bounds: LeverBounds,
    problems: Problems,
) -> tuple[AskedGoal, ...]:
    found = []
    for row in rows:
        if all(cell.blank for cell in row.values()):
            continue
        before = len(problems.lines)
        for column in ("outcome", "target"):
            if row[column].blank:
                problems.add(row[column], f"{column} of the goal", "filled in, or the row cleared")
        outcome = _outcome(row["outcome"], problems)
        target = read_number(row["target"], "target", problems, least=float("-inf"))
        if outcome in _SHARES and target is not None and not 0.0 <= target <= 1.0:
            problems.add(row["target"], "target", "a share such as 30%")
        by = _day(row["by"], "day of the goal", bounds, problems) or at
        chance = read_number(row["chance_asked"], "chance", problems, least=0.01, most=0.99)
        levers = _goal_levers(row, pulled, problems)
        if len(problems.lines) > before or outcome is None or target is None:
            continue
        goal = Goal(outcome=outcome, target=target, chance=chance)
        found.append(AskedGoal(goal=goal, by=by, levers=levers))
    return tuple(found)


def _goal_levers(
    row: _Row, pulled: Mapping[str, _Pulled], problems: Problems
) -> tuple[LeverSetting, ...]:
    """Levers that the row names, at their greatest; those that say Yes where it names none."""
    by_label = {BY_KEY[key].label: key for key in BY_KEY if key not in _COMPARED}
    named: list[str] = []
    for column in declared.LEVER_COLUMNS:
        label = read_choice(row[column], "lever", problems, by_label)
        if label is None or by_label[label] in named:
            continue
        key = by_label[label]
        if key not in pulled or not pulled[key].greatest.size:
            problems.add(row[column], "lever", "one that has a size above")
            continue
        named.append(key)
    if named:
        return tuple(pulled[key].greatest for key in named)
    return tuple(p.greatest for key, p in pulled.items() if p.is_included and key not in _COMPARED)
