"""Sheet System: what the model assumes beyond the lists, drawn from the engine's own records.

Tables one below the other; causal links come last, with room for a workshop's own
rows. Every assumption has its value, unit, date and source beside it; † marks
judgement. `demand_addin.system_sheet` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec
from demand_addin.ports import CellValue
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.system.assumptions import (
    FRONT_DOOR,
    PLACEMENTS,
    UNIT_COSTS,
    WORKFORCE,
    Assumption,
)
from demand_model.system.inputs import PLACEMENT_GROUPS, SystemInputs
from demand_model.system.links import GREATEST_ELASTICITY, LINKS, LONGEST_DELAY_MONTHS
from demand_model.system.variables import DRIVERS, TARGETS, VARIABLES

SHEET = "System"

JUDGED = "†"
_ILLUSTRATIVE = "illustrative"
GROUP_NAMES = tuple(group.name for group in PLACEMENT_GROUPS)
OWN_GROUP_ROWS, NEW_PLACES_ROWS, MOVE_ROWS, OWN_LINK_ROWS = 3, 5, 6, 20
"""Blank rows for the analyst's own entries."""

PRICES_OF, OVERFLOW, UNIT_COST_SD = "prices_of", "overflow", "unit_cost_sd"
_MORE_COST_ASSUMPTIONS = (
    Assumption(
        key=PRICES_OF,
        label="Day whose prices the weekly costs above are (blank: the census date)",
        value=None,
        unit="date",
        source="the costs above are taken as today's unless you say otherwise",
    ),
    Assumption(
        key=OVERFLOW,
        label="Group that takes the children for whom a group with a limit has no place",
        value=None,
        unit="group",
        source="the usual practice",
    ),
    Assumption(
        key=UNIT_COST_SD,
        label="How far a weekly cost may be off (10%: two in three within 10%). Blank or 0%: the "
        "ranges on sheets Costs and Levers take weekly costs as known",
        value=0.0,
        unit="share",
        source="your own judgement of your contracts",
    ),
)
COST_ASSUMPTIONS: tuple[Assumption, ...] = (*PLACEMENTS, *_MORE_COST_ASSUMPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What an input cell takes."""

    least: float = 0.0
    most: float = 1_000_000.0


_SHARE, _SHARE_BELOW_ONE = Limit(most=1.0), Limit(most=0.95)
_DURATION = Limit(least=0.25, most=LONGEST_DELAY_MONTHS)
LIMITS: Mapping[str, Limit] = {
    **{one.key: _SHARE for one in (*WORKFORCE, *FRONT_DOOR, *COST_ASSUMPTIONS)
       if one.unit.startswith("share")},
    **dict.fromkeys(("vacancy_share", "agency_share", "absence_share", "nfa_share"),
                    _SHARE_BELOW_ONE),
    **dict.fromkeys(("assessment_months", "cin_months", "re_referral_months"), _DURATION),
    **dict.fromkeys(("cases_per_worker", "ideal_caseload"), Limit(least=0.1, most=200.0)),
    "leavers_a_year": Limit(most=3.0),
    "recruitment_delay_months": Limit(most=LONGEST_DELAY_MONTHS),
    "inflation_a_year": Limit(least=-0.5, most=1.0),
    "elasticity": Limit(least=-GREATEST_ELASTICITY, most=GREATEST_ELASTICITY),
    "delay_months": Limit(most=LONGEST_DELAY_MONTHS),
    "fill_months": Limit(most=LONGEST_DELAY_MONTHS),
    "share": _SHARE,
    "weekly_cost": Limit(most=100_000.0),
}  # fmt: skip
"""Bounds by assumption or column; others take any number from 0."""


def limit_of(key: str) -> Limit:
    """Return the bounds of an input."""
    return LIMITS.get(key, Limit())


def is_judged(source: str) -> bool:
    """Say whether a source is judgement rather than a publication."""
    return "judgement" in source or _ILLUSTRATIVE in source


# --- tables -------------------------------------------------------------------------------------


def _text(
    name: str, meaning: str, *, is_input: bool = False, choices: tuple[str, ...] = ()
) -> Column:
    return Column(name=name, meaning=meaning, is_input=is_input, choices=choices)


def _number(name: str, meaning: str, style: Style = Style.GENERAL) -> Column:
    return Column(name=name, meaning=meaning, style=style, is_input=True)


_UNIT = _text("unit", "What the value is measured in.")
_AS_OF = _text("as_of", "The day or period that the value speaks of; blank for a judgement.")
_JUDGED = _text("judged", f"{JUDGED}: judgement, no published figure. Type your own if you can.")
_SOURCE = _text("source", "Where the value comes from.")


def _assumption_columns() -> tuple[Column, ...]:
    return (
        _text("assumption", "What is assumed."),
        _number("value", "Type your own value here; blank: as the words at the left say."),
        _UNIT,
        Column(name="least", meaning="The least that can be typed.", style=Style.GENERAL),
        Column(name="most", meaning="The most that can be typed.", style=Style.GENERAL),
        _AS_OF,
        _JUDGED,
        _SOURCE,
        _text("name", "The assumption's stable name."),
    )


_HEAD_GAP = 4
"""Rows from the last row of a table to the headings of the next: a blank row, a heading, a note."""

COSTS_ROW = 10
COSTS_ROOM = len(GROUP_NAMES) + OWN_GROUP_ROWS
PLACEMENT_COSTS = TableSpec(
    name="placement_costs",
    first_row=COSTS_ROW,
    room=COSTS_ROOM,
    columns=(
        _text("group", "Kind of placement. Blank rows take groups of your own.", is_input=True),
        _number("weekly_cost", "What a child in such a placement costs a week, in £.", Style.WHOLE),
        _UNIT,
        _number("places", "How many places there are; blank: no limit. Children above it go to "
                "the overflow group.", Style.WHOLE),
        _text("own", "Yes: the authority's own. No: bought from others.", is_input=True,
              choices=("Yes", "No")),
        _AS_OF,
        _JUDGED,
        _SOURCE,
    ),
)  # fmt: skip
COST_SETTINGS = TableSpec(
    name="cost_settings",
    first_row=COSTS_ROW + COSTS_ROOM + _HEAD_GAP,
    room=len(COST_ASSUMPTIONS),
    columns=_assumption_columns(),
)
NEW_PLACES = TableSpec(
    name="new_places",
    first_row=COST_SETTINGS.first_row + COST_SETTINGS.room + _HEAD_GAP,
    room=NEW_PLACES_ROWS,
    columns=(
        _text("scenario", "Scenario that has the places; blank: all of them.", is_input=True),
        _text("group", "Group that gains places.", is_input=True),
        _number("places", "How many places are added.", Style.WHOLE),
        _text("filled_from", "Group that the children come from.", is_input=True),
        Column(name="from", meaning="Day from which they are open.", style=Style.DATE,
               is_input=True),
        _number("fill_months", "Months until the children have moved in; until then the places "
                "stand free. Blank: they move in at once."),
        _text("note", "Where the figure comes from.", is_input=True),
    ),
)  # fmt: skip
ENTRANT_MIX = TableSpec(
    name="entrant_mix",
    first_row=NEW_PLACES.first_row + NEW_PLACES.room + _HEAD_GAP,
    room=COSTS_ROOM,
    columns=(
        _text("group", "Kind of placement; blank rows take groups of your own.", is_input=True),
        *(
            _number(age, f"Share of those who come into care at this age ({age}) who go to each "
                    "group. Fill the whole column, or leave it blank.", Style.SHARE)
            for age in CARE_SEGMENTS
        ),
    ),
)  # fmt: skip
"""A row of totals stands below it, outside."""

PLACEMENT_MOVES = TableSpec(
    name="placement_moves",
    first_row=ENTRANT_MIX.first_row + ENTRANT_MIX.room + 1 + _HEAD_GAP,
    room=MOVE_ROWS,
    columns=(
        _text("from", "Group that children leave.", is_input=True),
        _text("to", "Group that they go to.", is_input=True),
        _number("share_a_month", "Share of the first group's children who move each month, more "
                "than today.", Style.SHARE_FINE),
        _text("note", "Where the figure comes from.", is_input=True),
    ),
)  # fmt: skip
WORKFORCE_TABLE = TableSpec(
    name="workforce",
    first_row=PLACEMENT_MOVES.first_row + PLACEMENT_MOVES.room + _HEAD_GAP,
    room=len(WORKFORCE),
    columns=_assumption_columns(),
)
FRONT_DOOR_TABLE = TableSpec(
    name="front_door",
    first_row=WORKFORCE_TABLE.first_row + WORKFORCE_TABLE.room + _HEAD_GAP,
    room=len(FRONT_DOOR),
    columns=_assumption_columns(),
)
SYSTEM_LINKS = TableSpec(
    name="system_links",
    first_row=FRONT_DOOR_TABLE.first_row + FRONT_DOOR_TABLE.room + _HEAD_GAP,
    room=len(LINKS) + OWN_LINK_ROWS,
    columns=(
        _text("loop", "Name of the behaviour; your own names are welcome.", is_input=True),
        _text("from", "What drives: a name from the list at the right.", is_input=True),
        _text("to", "What it changes: a name from the list at the right.", is_input=True),
        _number("elasticity", "By how many per cent the second changes when the first is 1% above "
                "its reference; below 0: the other way."),
        _number("delay_months", "Average delay in months; 0: at once."),
        _number("reference", "Value of the first at which the link does nothing; blank: its value "
                "at the census date."),
        _text("unit", "Unit of the reference: that of the first.", is_input=True),
        _text("source", "Where the strength comes from.", is_input=True),
        _text("on", "Yes: the link works. No: it rests.", is_input=True, choices=("Yes", "No")),
        _text("what_breaks_it", "What breaks the loop.", is_input=True),
    ),
)  # fmt: skip

TABLES = (
    PLACEMENT_COSTS,
    COST_SETTINGS,
    NEW_PLACES,
    ENTRANT_MIX,
    PLACEMENT_MOVES,
    WORKFORCE_TABLE,
    FRONT_DOOR_TABLE,
    SYSTEM_LINKS,
)

_NAMES_ROW = SYSTEM_LINKS.first_row
DRIVER_NAMES = Area(name="system_drivers", cell=f"L{_NAMES_ROW + 1}", rows=len(DRIVERS))
TARGET_NAMES = Area(name="system_targets", cell=f"P{_NAMES_ROW + 1}", rows=len(TARGETS))
GROUP_LIST = Area(name="system_groups", cell=f"A{COSTS_ROW + 1}", rows=COSTS_ROOM)
"""What the drop-downs offer; no plan writes them."""

SYSTEM_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.INPUT,
    title="System: placements, costs, workforce and feedback",
    purpose="What the lists cannot tell. Change the blue cells; each has a default that works.",
    tables=TABLES,
    is_protected=True,
)


# --- what the template holds ---------------------------------------------------------------------


def default_rows() -> Mapping[str, tuple[tuple[CellValue, ...], ...]]:
    """Return the tables' rows: the engine's defaults, then blank rows for the analyst's own."""
    return {
        PLACEMENT_COSTS.name: _padded(PLACEMENT_COSTS, tuple(map(_cost_row, UNIT_COSTS))),
        COST_SETTINGS.name: tuple(map(_assumption_row, COST_ASSUMPTIONS)),
        NEW_PLACES.name: _padded(NEW_PLACES, ()),
        ENTRANT_MIX.name: _padded(
            ENTRANT_MIX, tuple((name, *(None,) * len(CARE_SEGMENTS)) for name in GROUP_NAMES)
        ),
        PLACEMENT_MOVES.name: _padded(PLACEMENT_MOVES, ()),
        WORKFORCE_TABLE.name: tuple(map(_assumption_row, WORKFORCE)),
        FRONT_DOOR_TABLE.name: tuple(map(_assumption_row, FRONT_DOOR)),
        SYSTEM_LINKS.name: _padded(SYSTEM_LINKS, _link_rows()),
    }


def _padded(
    table: TableSpec, rows: tuple[tuple[CellValue, ...], ...]
) -> tuple[tuple[CellValue, ...], ...]:
    blank: tuple[CellValue, ...] = (None,) * len(table.columns)
    return (*rows, *(blank,) * (table.room - len(rows)))


def _cost_row(cost: Assumption) -> tuple[CellValue, ...]:
    group = next(g for g in PLACEMENT_GROUPS if g.name == cost.key)
    own = "Yes" if group.is_internal else "No"
    return (group.name, cost.value, cost.unit, group.capacity, own, *_provenance(cost))


def _assumption_row(one: Assumption) -> tuple[CellValue, ...]:
    as_of, judged, source = _provenance(one)
    value: CellValue = SystemInputs().placements.overflow if one.key == OVERFLOW else one.value
    bounds: tuple[CellValue, CellValue] = (None, None)
    if one.key not in (PRICES_OF, OVERFLOW):
        limit = limit_of(one.key)
        bounds = (limit.least, None if limit == Limit() else limit.most)
    return (one.label, value, one.unit, *bounds, as_of, judged, source, one.key)


def _provenance(one: Assumption) -> tuple[CellValue, CellValue, CellValue]:
    return one.as_of or None, JUDGED if is_judged(one.source) else None, one.source


def _link_rows() -> tuple[tuple[CellValue, ...], ...]:
    return tuple(
        (
            link.loop, link.driver, link.target, link.elasticity, link.delay_months,
            link.reference, link.unit, link.evidence, "Yes" if link.is_on else "No", link.breaks,
        )
        for link in LINKS
    )  # fmt: skip


def variable_rows(names: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return names, what they are, and their units, for the lists beside the links."""
    return tuple((n, VARIABLES[n].label, VARIABLES[n].unit) for n in names)
