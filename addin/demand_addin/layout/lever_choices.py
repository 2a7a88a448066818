"""Sheet Lever choices: what is asked of the levers, how hard each is pulled, and the goals.

`demand_addin.lever_sheet` reads it; ``csc-demand levers`` answers on sheet Levers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec
from demand_addin.ports import CellValue
from demand_model.results.lever_list import ALL_EXITS, BY_KEY, COMBINATIONS, LEVERS, Lever
from demand_model.results.lever_runs import OUTCOMES
from demand_model.results.lever_words import OUTCOME_WORDS
from demand_model.results.placement_need import DEFAULT_MATCHES, NEED_LABELS, NEEDS

SHEET = "Lever choices"
CAUTION = (
    "Fewer children in care is not in itself a better outcome. The effects on children are not "
    "modelled. That a lever does what you type is assumed, not forecast."
)

ONLY = "Only"
INCLUDE = ("Yes", "No", ONLY)
"""Of a lever: tried, left out, or tried with the others that say Only and with no more."""

LATER_COLUMNS = frozenset({"delay_months"})
"""Columns that a sheet of an earlier version lacks; the levers' own values hold there."""

SIZE, PLACES, GUARD, RAMP_MONTHS, FILL_MONTHS, START = 0.1, 6, 1.0, 3, 12, 0
"""What a lever starts with: a tenth, six places (a child moves in every other month), a whole
guard; from the month after the census date."""

OUTCOME_LABELS: Mapping[str, str] = {name: OUTCOME_WORDS[name].label for name in OUTCOMES}
ALL_INCLUDED = "All levers marked Yes"
GOAL_ROWS, GOAL_LEVERS = 6, 4
LEVER_COLUMNS = tuple(f"lever_{n}" for n in range(1, GOAL_LEVERS + 1))

LEFT_OUT = frozenset({"ideal_caseload", "threshold_guard", "cin_months"})
"""Levers that say No at first: two do nothing until links from caseload or places are on, the
third acts on no child on a plan or in care."""

OUTCOME, AT, BASE, PLACES_IN, PLACES_FROM = (
    "outcome",
    "date_of_effect",
    "base_scenario",
    "new_places_in",
    "new_places_from",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A choice for all levers together."""

    key: str
    label: str
    default: CellValue
    unit: str
    note: str
    style: Style = Style.TEXT


QUESTIONS = (
    Question(
        key=OUTCOME,
        label="Outcome that levers are ranked by",
        default=OUTCOME_LABELS["cla_open"],
        unit="outcome",
        note="The less of it, the better the lever. All other outcomes stand beside it.",
    ),
    Question(
        key=AT,
        label="Date of the effect",
        default=None,
        unit="date",
        note="Blank: the last month of the forecast (sheet Settings says how long that is).",
        style=Style.DATE,
    ),
    Question(
        key=BASE,
        label="Scenario that the levers are laid upon",
        default="Baseline",
        unit="scenario",
        note="A scenario of sheet Scenarios.",
    ),
    Question(
        key=PLACES_IN,
        label="New places: which group gains them",
        default=None,
        unit="group",
        note="Blank: own residential where sheet System has that group, else own fostering.",
    ),
    Question(
        key=PLACES_FROM,
        label="New places: which group the children come from",
        default="residential",
        unit="group",
        note="A group of sheet System.",
    ),
)


def _text(
    name: str, meaning: str, *, is_input: bool = False, choices: tuple[str, ...] = ()
) -> Column:
    return Column(name=name, meaning=meaning, is_input=is_input, choices=choices)


CAUTION_ROW = 5
LEVER_BASIS = TableSpec(
    name="lever_basis",
    first_row=9,
    room=len(QUESTIONS),
    columns=(
        _text("question", "What is asked."),
        _text("value", "Type or choose your answer here.", is_input=True),
        _text("unit", "What the answer is."),
        _text("name", "The question's stable name."),
        _text("note", "What a blank cell means, and what follows from the answer."),
    ),
)

_PULLED: tuple[Lever, ...] = (*LEVERS, *COMBINATIONS)
LEVER_SETTINGS = TableSpec(
    name="lever_settings",
    first_row=LEVER_BASIS.first_row + LEVER_BASIS.room + 4,
    room=len(_PULLED),
    columns=(
        _text("lever", "What is done."),
        _text("include", "Yes: the lever is tried. No: it is left out. Only: this one is tried, "
              "with others that say Only, and levers that say Yes are left out; All exits "
              "together, a comparison, stays.", is_input=True,
              choices=INCLUDE),
        Column(name="size", meaning="How hard: 10% is a tenth less or more, as the lever says; of "
               "new places, how many.", style=Style.SHARE_FINE, is_input=True),
        _text("unit", "What the size is a share of, or a number of."),
        Column(name="start", meaning="Whole months after the census date (0: the day after it), or "
               "a date.", style=Style.GENERAL, is_input=True),
        Column(name="ramp_months", meaning="Months until it works in full. New places open at "
               "once: months until children have moved in.", style=Style.GENERAL, is_input=True),
        Column(name="delay_months", meaning="Months after the start before anything changes (new "
               "places: before they open). Early help's 12 are judgement †: type your own. Its "
               "cost runs from the start.", style=Style.GENERAL, is_input=True),
        Column(name="cost_a_year", meaning="What the lever itself costs a year at this size, in £ "
               "of the census date. Blank: 0.", style=Style.WHOLE, is_input=True),
        Column(name="greatest_size", meaning="The most that goals may ask of it; blank: the size "
               "at the left. Its cost grows in step.", style=Style.SHARE_FINE, is_input=True),
        _text("practice", "The practice that works this way."),
        _text("name", "The lever's stable name."),
    ),
)  # fmt: skip

GOALS = TableSpec(
    name="goals",
    first_row=LEVER_SETTINGS.first_row + LEVER_SETTINGS.room + 4,
    room=GOAL_ROWS,
    columns=(
        _text("outcome", "What is to be reached.", is_input=True),
        Column(name="target", meaning="The number to reach: 550 children, 30% of placements, £.",
               style=Style.GENERAL, is_input=True),
        Column(name="by", meaning="The day by which it is to be reached; blank: the date of the "
               "effect above.", style=Style.DATE, is_input=True),
        Column(name="chance_asked", meaning="How sure you want to be, such as 80%; blank: reached "
               "on average, which is about an even chance.", style=Style.SHARE, is_input=True),
        *(
            _text(name, "A lever that may be used. One alone: how much of it. Several: the "
                  "cheapest mix. All four blank: every lever marked Yes.", is_input=True)
            for name in LEVER_COLUMNS
        ),
    ),
)  # fmt: skip

NEED_MATCHING = TableSpec(
    name="need_matching",
    first_row=GOALS.first_row + GOALS.room + 4,
    room=len(NEEDS),
    columns=(
        _text("need", "Category of need in List 8."),
        _text("group", "Group of the authority's own that can meet this need.", is_input=True),
        _text("match", "Yes: entrants of this need are matched.", is_input=True,
              choices=("Yes", "No")),
        _text("name", "The need's code in List 8."),
    ),
)  # fmt: skip

TABLES = (LEVER_BASIS, LEVER_SETTINGS, GOALS, NEED_MATCHING)

_LISTS_ROW = LEVER_BASIS.first_row
OUTCOME_LIST = Area(name="lever_outcomes", cell=f"M{_LISTS_ROW + 1}", rows=len(OUTCOMES))
LEVER_LIST = Area(
    name="lever_names",
    cell=f"A{LEVER_SETTINGS.first_row + 1}",
    rows=len(LEVERS),
)
"""What the drop-downs offer; no plan writes them."""

LEVER_CHOICES_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.INPUT,
    title="Lever choices: what could be done, how much of it, and what is to be reached",
    purpose="Change the blue cells, then press Levers or type csc-demand levers: sheet Levers "
    "answers.",
    tables=TABLES,
    is_protected=True,
)


COST_HINTS: Mapping[str, str] = {
    "new_places": "Type what the places cost to run while they stand free, or to build, a year: "
    "the placements' cost counts only the children who are placed, at the weekly cost of sheet "
    "System. Blank: 0.",
    "workers": "Their pay is in the whole cost already (sheet System): typed here it would be "
    "counted twice there. Type what comes on top. Blank: 0, and a goal then takes more workers "
    "for free.",
}
"""What the cell of a lever's own cost says of that lever, by key."""


def unit_of(lever: Lever) -> str:
    """What the size of a lever is a share or a number of."""
    if lever.places is not None:
        return "places"
    if lever.step_down:
        return "of them, a year"
    if lever.is_matched:
        return "of such entrants"
    if lever.is_guard:
        return "taken away"
    if lever.posts:
        return "of workers in post"
    if lever.key == "ideal_caseload":
        return "lower"
    if lever.key == "nfa_share":
        return "more of those closed"
    if lever.key == "cin_months":
        return "shorter"
    return "more" if all(direction > 0 for _, direction in lever.flows) else "fewer"


def default_rows() -> Mapping[str, tuple[tuple[CellValue, ...], ...]]:
    """Return what the template's tables hold."""
    return {
        LEVER_BASIS.name: tuple((q.label, q.default, q.unit, q.key, q.note) for q in QUESTIONS),
        LEVER_SETTINGS.name: tuple(map(_lever_row, _PULLED)),
        GOALS.name: ((None,) * len(GOALS.columns),) * GOAL_ROWS,
        NEED_MATCHING.name: tuple(map(_need_row, NEEDS)),
    }


def _need_row(need: str) -> tuple[CellValue, ...]:
    matched = {match.need: match.group for match in DEFAULT_MATCHES}
    group = matched.get(need, DEFAULT_MATCHES[0].group)
    return (NEED_LABELS[need], group, "Yes" if need in matched else "No", need)


def _lever_row(lever: Lever) -> tuple[CellValue, ...]:
    size = GUARD if lever.is_guard else SIZE
    return (
        lever.label,
        "No" if lever.key in LEFT_OUT else "Yes",
        PLACES if lever.places is not None else size,
        unit_of(lever),
        START,
        FILL_MONTHS if lever.places is not None else RAMP_MONTHS,
        lever.delay_months,
        None,
        None,
        _practice(lever),
        lever.key,
    )


def _practice(lever: Lever) -> str:
    if lever.key == ALL_EXITS:
        return f"{lever.practice}: a comparison, not part of all levers together"
    return lever.practice


def label_of(key: str) -> str:
    """Return a lever's label."""
    return BY_KEY[key].label
