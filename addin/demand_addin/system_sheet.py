"""Sheet System to the engine's inputs; every wrong cell is named, all at once.

A blank cell means its default, or what the words beside it say. A workbook of an
earlier version, without the sheet, gives the engine's defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from demand_addin.cells import (
    Cell,
    Problems,
    read_choice,
    read_date,
    read_number,
    read_text,
    read_yes_no,
)
from demand_addin.layout import system as declared
from demand_addin.layout.declare import TableSpec
from demand_addin.ports import TableRead, WorkbookPort
from demand_addin.scenario_sheet import TABLE as SCENARIOS
from demand_addin.scenario_sheet import written_names
from demand_model.errors import InvalidInputError, InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.cost_years import CostChoices
from demand_model.results.placements import NewPlaces
from demand_model.simulation.scenario import BASELINE
from demand_model.system.assumptions import FRONT_DOOR, PLACEMENTS, WORKFORCE, Assumption
from demand_model.system.inputs import (
    OWN_PREFIX,
    PLACEMENT_GROUPS,
    TAKEN_NAMES,
    FrontDoor,
    PlacementGroup,
    Placements,
    SystemInputs,
    Workforce,
)
from demand_model.system.links import CausalLink, check_links, check_needs
from demand_model.system.variables import VARIABLES

_MIX_TOLERANCE = 0.005
_LATER_COLUMNS = frozenset({"fill_months"})
"""Columns that sheets of earlier versions lack: blank there."""
_COLUMN_OF = {
    "loop": "loop",
    "driver": "from",
    "target": "to",
    "elasticity": "elasticity",
    "delay_months": "delay_months",
    "reference": "reference",
    "unit": "unit",
}
"""Column of sheet System by field of `CausalLink`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSheet:
    """What sheet System says.

    Attributes
    ----------
    inputs
        For the engine.
    costs
        How costs are reckoned.
    new_places
        Places added, by scenario.
    """

    inputs: SystemInputs = field(default_factory=SystemInputs)
    costs: CostChoices = field(
        default_factory=lambda: CostChoices(inflation_a_year=Placements().inflation_a_year)
    )
    new_places: tuple[NewPlaces, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Mapping[str, Cell]

    def __getitem__(self, column: str) -> Cell:
        return self.cells[column]

    def is_blank(self, columns: Sequence[str]) -> bool:
        return all(self.cells[name].blank for name in columns)


def read_system(book: WorkbookPort) -> SystemSheet:
    """Read sheet System.

    Raises
    ------
    SettingProblemsError
        All wrong cells together, each with its place and what to do.
    """
    tables = _tables(book)
    if tables is None:
        return SystemSheet()
    problems = Problems()
    costs = tables[declared.PLACEMENT_COSTS.name]
    groups = _groups(costs, problems)
    are_places_read = not problems.lines
    names = tuple(group.name for group in groups)
    values = _assumptions(
        tables[declared.COST_SETTINGS.name], PLACEMENTS, problems, leave=_OTHER_KINDS
    )
    prices_of, overflow, uncertainty = _other_cost_settings(
        tables[declared.COST_SETTINGS.name], names, problems
    )
    mix = _mix(tables[declared.ENTRANT_MIX.name], names, problems)
    moves = _moves(tables[declared.PLACEMENT_MOVES.name], names, problems)
    scenarios = (BASELINE.name, *written_names(book.read_table(SCENARIOS)))
    new_places = _new_places(tables[declared.NEW_PLACES.name], names, scenarios, problems)
    workforce = _assumptions(tables[declared.WORKFORCE_TABLE.name], WORKFORCE, problems)
    front_door = _assumptions(tables[declared.FRONT_DOOR_TABLE.name], FRONT_DOOR, problems)
    links = _links(tables[declared.SYSTEM_LINKS.name], problems)
    if are_places_read:  # else a link may only seem to lack them
        _require_places(tables[declared.SYSTEM_LINKS.name], links, groups, costs, problems)
    problems.raise_any()
    placements = Placements(
        groups=groups,
        mix=mix,
        moves=moves,
        overflow=overflow or Placements().overflow,
        **values,
    )
    return SystemSheet(
        inputs=SystemInputs(
            links=links,
            workforce=Workforce(**workforce),
            front_door=FrontDoor(**front_door),
            placements=placements,
        ),
        costs=CostChoices(
            inflation_a_year=placements.inflation_a_year,
            prices_of=prices_of,
            unit_cost_sd=uncertainty or 0.0,
        ),
        new_places=new_places,
    )


def read_placement_groups(book: WorkbookPort) -> tuple[PlacementGroup, ...]:
    """Read the placement groups, as far as they can be, whatever else is wrong with the sheet.

    Other sheets that name groups are judged by these.
    """
    tables = _tables(book)
    if tables is None:
        return PLACEMENT_GROUPS
    return _groups(tables[declared.PLACEMENT_COSTS.name], Problems())


def _tables(book: WorkbookPort) -> dict[str, list[_Row]] | None:
    """Return the sheet's tables; ``None`` if the workbook has no such sheet."""
    found: dict[str, list[_Row]] = {}
    for spec in declared.TABLES:
        try:
            found[spec.name] = list(_rows(book.read_table(spec.name), spec))
        except InvalidInputError:
            if declared.SHEET in book.sheet_names():
                raise
            return None
    return found


def _rows(table: TableRead, spec: TableSpec) -> Iterator[_Row]:
    absent = [name for name in spec.headings if name not in table.columns]
    missing = [name for name in absent if name not in _LATER_COLUMNS]
    if missing:
        raise InvalidSettingError(
            f"{table.sheet}: the table {table.name} lacks the column {', '.join(missing)}; "
            "take the sheet from a new workbook."
        )
    for values, addresses in zip(table.rows, table.addresses, strict=True):
        yield _Row(
            {
                column: Cell(table.sheet, address, value)
                for column, value, address in zip(table.columns, values, addresses, strict=True)
            }
            | {column: Cell(table.sheet, "", None) for column in absent}
        )


# --- assumptions --------------------------------------------------------------------------------

_OTHER_KINDS = (declared.PRICES_OF, declared.OVERFLOW, declared.UNIT_COST_SD)


def _assumptions(
    rows: Sequence[_Row],
    known: Sequence[Assumption],
    problems: Problems,
    *,
    leave: Sequence[str] = (),
) -> dict[str, float]:
    """Read the filled values; what is blank keeps the engine's default."""
    by_key = {one.key: one for one in known}
    found: dict[str, float] = {}
    for row in rows:
        key = read_text(row["name"])
        if key in leave or (not key and row.is_blank(("assumption", "value"))):
            continue
        if key not in by_key:
            problems.add(row["name"], "name of an assumption", f"one of: {', '.join(by_key)}")
            continue
        limit = declared.limit_of(key)
        what = key.replace("_", " ")
        value = read_number(
            row["value"],
            what,
            problems,
            least=limit.least,
            most=limit.most,
            is_share=by_key[key].unit.startswith("share"),
        )
        if value is not None:
            found[key] = value
    return found


def _other_cost_settings(
    rows: Sequence[_Row], names: Sequence[str], problems: Problems
) -> tuple[date | None, str | None, float | None]:
    cells = {read_text(row["name"]): row["value"] for row in rows}
    blank = Cell(declared.SHEET, "", None)
    day, group, share = (cells.get(key, blank) for key in _OTHER_KINDS)
    limit = declared.limit_of(declared.UNIT_COST_SD)
    return (
        read_date(day, "day of the prices", problems),
        read_choice(group, "overflow group", problems, names),
        read_number(
            share, "how far a weekly cost may be off", problems, most=limit.most, is_share=True
        ),
    )


# --- placements ---------------------------------------------------------------------------------


def _groups(rows: Sequence[_Row], problems: Problems) -> tuple[PlacementGroup, ...]:
    shipped = {group.name: group for group in PLACEMENT_GROUPS}
    found: dict[str, PlacementGroup] = {}
    for row in rows:
        if row.is_blank(("group", "weekly_cost", "places", "own")):
            continue
        name = " ".join(read_text(row["group"]).split()).casefold()
        if not name or name in found:
            problems.add(row["group"], "group", "a name that no other row has")
            continue
        if name.removeprefix(OWN_PREFIX) in TAKEN_NAMES:
            problems.add(row["group"], "group", "another name; the results use this one")
            continue
        found[name] = _group(name, row, shipped.get(name), problems)
    lacking = [name for name in shipped if name not in found]
    if found and lacking:
        first = rows[0]["group"]
        problems.say(
            first.where,
            f"the groups {', '.join(lacking)} are missing; put their rows back, the lists' "
            "children are counted in them.",
        )
    return tuple(found.values()) or PLACEMENT_GROUPS


def _group(
    name: str, row: _Row, shipped: PlacementGroup | None, problems: Problems
) -> PlacementGroup:
    most = declared.limit_of("weekly_cost").most
    cost = read_number(row["weekly_cost"], "weekly cost", problems, most=most)
    if cost is None and shipped is None and row["weekly_cost"].blank:
        problems.add(row["weekly_cost"], "weekly cost", "a number of pounds a week")
    places = read_number(row["places"], "places", problems, most=declared.limit_of("places").most)
    own = read_yes_no(row["own"], "own", problems)
    if own is None:
        own = shipped is not None and shipped.is_internal
    if cost is None:
        cost = shipped.weekly_cost if shipped else 0.0
    label = shipped.label if shipped else name.capitalize()
    return PlacementGroup(
        name=name, label=label, weekly_cost=cost, is_internal=own, capacity=places
    )


def _mix(
    rows: Sequence[_Row], names: Sequence[str], problems: Problems
) -> dict[str, dict[str, float]]:
    """Read the entrants' mix: a column an age, a row a group."""
    typed = [row for row in rows if not row.is_blank(("group", *CARE_SEGMENTS))]
    groups: list[str | None] = []
    for row in typed:
        group = _needed_group(row["group"], "group", names, problems)
        if group is not None and group in groups:
            problems.add(row["group"], "group", "a name that no other row has")
        groups.append(group)
    found: dict[str, dict[str, float]] = {}
    for age in CARE_SEGMENTS:
        before = len(problems.lines)
        shares: dict[str, float] = {}
        for group, row in zip(groups, typed, strict=True):
            what = f"share of entrants, {age}"
            share = read_number(row[age], what, problems, most=1.0, is_share=True)
            if group is not None and share is not None:
                shares[group] = share
        total = sum(shares.values())
        if not shares or len(problems.lines) > before:
            continue
        if abs(total - 1.0) > _MIX_TOLERANCE:
            problems.say(
                typed[0][age].where,
                f"the shares of this column ({age}) add up to {total:.0%}. They must add up to "
                "100%, or all be blank.",
            )
            continue
        found[age] = {group: share / total for group, share in shares.items()}
    return found


def _moves(
    rows: Sequence[_Row], names: Sequence[str], problems: Problems
) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    leaving: dict[str, float] = {}
    for row in rows:
        if row.is_blank(("from", "to", "share_a_month")):
            continue
        start = _needed_group(row["from"], "from", names, problems)
        end = _needed_group(row["to"], "to", names, problems)
        share = _needed_number(row["share_a_month"], "share a month", problems, most=1.0)
        if start is None or end is None or share is None:
            continue
        if start == end or (start, end) in found:
            problems.add(row["to"], "to", "another group, and each pair once")
            continue
        found[start, end] = share
        leaving[start] = leaving.get(start, 0.0) + share
        if leaving[start] > 1.0:
            problems.say(
                row["share_a_month"].where,
                f"{leaving[start]:.0%} of the children in {start} would move each month. Together "
                "the moves from a group must be 100% or less.",
            )
    return found


def _new_places(
    rows: Sequence[_Row], names: Sequence[str], scenarios: Sequence[str], problems: Problems
) -> tuple[NewPlaces, ...]:
    found = []
    for row in rows:
        if row.is_blank(("group", "places", "filled_from", "from")):
            continue
        before = len(problems.lines)
        scenario = read_choice(row["scenario"], "scenario", problems, dict.fromkeys(scenarios))
        group = _needed_group(row["group"], "group", names, problems)
        source = _needed_group(row["filled_from"], "filled from", names, problems)
        most = declared.limit_of("places").most
        places = _needed_number(row["places"], "places", problems, most=most)
        longest = declared.limit_of("fill_months").most
        fill = read_number(row["fill_months"], "fill months", problems, most=longest)
        start = read_date(row["from"], "from", problems)
        if start is None and row["from"].blank:
            problems.add(row["from"], "from", "a date such as 01/04/2027")
        if group is None or source is None or places is None or start is None:
            continue
        if len(problems.lines) > before:
            continue
        if group == source:
            problems.add(row["filled_from"], "filled from", "another group")
            continue
        found.append(
            NewPlaces(
                group=group,
                places=places,
                filled_from=source,
                start=start,
                scenario=scenario or "",
                fill_months=fill or 0.0,
            )
        )
    return tuple(found)


def _needed_group(cell: Cell, what: str, names: Sequence[str], problems: Problems) -> str | None:
    if cell.blank:
        problems.add(cell, what, "one of: " + ", ".join(names))
    return read_choice(cell, what, problems, names)


def _needed_number(cell: Cell, what: str, problems: Problems, *, most: float) -> float | None:
    if cell.blank:
        problems.add(cell, what, f"a number from 0 to {most:,g}")
    return read_number(cell, what, problems, most=most)


# --- causal links -------------------------------------------------------------------------------


def _typed_links(rows: Sequence[_Row]) -> list[_Row]:
    return [row for row in rows if not row.is_blank(("loop", "from", "to", "elasticity"))]


def _links(rows: Sequence[_Row], problems: Problems) -> tuple[CausalLink, ...]:
    typed = _typed_links(rows)
    before = len(problems.lines)
    links = [_link(row, problems) for row in typed]
    named = set(problems.lines[before:])
    for problem in check_links(links):
        cell = typed[problem.row - 1][_COLUMN_OF[problem.column]]
        if not any(line.startswith(f"{cell.where}:") for line in named):
            problems.say(cell.where, problem.message)
    return tuple(links)


def _require_places(
    rows: Sequence[_Row],
    links: Sequence[CausalLink],
    groups: tuple[PlacementGroup, ...],
    costs: Sequence[_Row],
    problems: Problems,
) -> None:
    """Name the links that are on and wait for places, and where these are typed."""
    typed = _typed_links(rows)
    has_places = Placements(groups=groups).places is not None
    for problem in check_needs(links, has_workforce=True, has_places=has_places):
        cell = typed[problem.row - 1][_COLUMN_OF[problem.column]]
        problems.say(
            cell.where,
            f"{problem.message} Places are typed in the column places of the table of "
            f"placements, from {costs[0]['places'].where} down, for groups of the authority's own.",
        )


def _link(row: _Row, problems: Problems) -> CausalLink:
    driver = read_text(row["from"])
    strength, delay = declared.limit_of("elasticity"), declared.limit_of("delay_months")
    elasticity = read_number(
        row["elasticity"], "elasticity", problems, least=strength.least, most=strength.most
    )
    if row["elasticity"].blank:
        problems.add(row["elasticity"], "elasticity", "a number, such as 0.5 or -0.5")
    months = read_number(row["delay_months"], "delay", problems, most=delay.most)
    reference = read_number(row["reference"], "reference", problems, least=float("-inf"))
    unit = read_text(row["unit"])
    if not unit and reference is None and driver in VARIABLES:
        unit = VARIABLES[driver].unit  # nothing is measured in it
    return CausalLink(
        loop=read_text(row["loop"]),
        driver=driver,
        target=read_text(row["to"]),
        elasticity=0.0 if elasticity is None else elasticity,
        delay_months=0.0 if months is None else months,
        reference=reference,
        unit=unit,
        evidence=read_text(row["source"]),
        is_on=bool(read_yes_no(row["on"], "on", problems)),
        breaks=read_text(row["what_breaks_it"]),
    )
