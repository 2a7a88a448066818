"""Sheet Levers: its tables, areas, and the blocks of sheet Levers data behind its charts.

Sentences, a table with the side effects of each lever in its own row, and two charts;
below them goals, feedback loops, which lever beats which, and the tidy tables.
"""

from __future__ import annotations

from demand_addin.layout.chart_data import side_by_side
from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec
from demand_addin.layout.lever_choices import GOAL_ROWS
from demand_model.results.lever_list import COMBINATIONS, LEVERS
from demand_model.results.lever_words import OUTCOME_WORDS
from demand_model.results.placement_need import NEEDS

SHEET = "Levers"
DATA_SHEET = "Levers data"
NOT_YET = "Not tried yet: fill in sheet Lever choices, then press Levers or type csc-demand levers."

SENTENCE_ROWS, NOTE_ROWS, BREAKS_ROWS = 20, 16, 6
LEVER_ROWS = len(LEVERS) + len(COMBINATIONS) + 1
"""Levers, combinations, all together."""
LOOP_ROWS, CLOSED_ROWS, MATRIX = 10, 60, 11
EARLIER_CLOSED_ROWS = 30
"""Room for closed loops on a sheet that lacks the table of ranges."""
TAKES_ROWS = 2 * GOAL_ROWS
"""Lines that say what the goals take, whole."""
CHART_ROWS = 21

SENTENCES_ROW = 5
CAUTION_ROW = SENTENCES_ROW + SENTENCE_ROWS
TABLE_ROW = CAUTION_ROW + 4
RANGES_ROW = TABLE_ROW + LEVER_ROWS + 4
NOTES_ROW = RANGES_ROW + LEVER_ROWS + 2
CHARTS_ROW = NOTES_ROW + NOTE_ROWS + 1
GOALS_ROW = CHARTS_ROW + CHART_ROWS + 4
TAKES_ROW = GOALS_ROW + GOAL_ROWS + 1
MATRIX_ROW = TAKES_ROW + TAKES_ROWS + 4
NEEDS_ROW = MATRIX_ROW + MATRIX + 5
LOOPS_ROW = NEEDS_ROW + len(NEEDS) + 4
BREAKS_ROW = LOOPS_ROW + LOOP_ROWS + 2
CLOSED_ROW = BREAKS_ROW + BREAKS_ROWS + 4
TABLES_ROW = CLOSED_ROW + CLOSED_ROWS + 4
"""1-based rows of headings: each table's own, the charts' first row, the matrix's."""

SUBTITLE = Area(name="levers_subtitle", cell="A3")
SENTENCES = Area(name="levers_sentences", cell=f"A{SENTENCES_ROW}", rows=SENTENCE_ROWS)
TABLE_NOTE = Area(name="levers_table_note", cell=f"A{TABLE_ROW - 1}")
NOTES = Area(name="levers_notes", cell=f"A{NOTES_ROW}", rows=NOTE_ROWS)
RANGES_NOTE = Area(name="levers_ranges_note", cell=f"A{RANGES_ROW - 1}")
TAKES = Area(name="levers_goals_take", cell=f"A{TAKES_ROW}", rows=TAKES_ROWS)
GOALS_NOTE = Area(name="levers_goals_note", cell=f"A{GOALS_ROW - 1}")
NEEDS_NOTE = Area(name="levers_needs_note", cell=f"A{NEEDS_ROW - 1}")
LOOPS_NOTE = Area(name="levers_loops_note", cell=f"A{LOOPS_ROW - 1}")
BREAKS = Area(name="levers_breaks", cell=f"A{BREAKS_ROW}", rows=BREAKS_ROWS)
CLOSED_NOTE = Area(name="levers_closed_note", cell=f"A{CLOSED_ROW - 1}")
MATRIX_AREA = Area(name="levers_matrix", cell=f"A{MATRIX_ROW}", rows=MATRIX + 1, columns=MATRIX + 1)

_FIRST_WIDTH, _WIDTH = 50.0, 13.5


def _column(name: str, meaning: str, style: Style = Style.GENERAL) -> Column:
    return Column(name=name, meaning=meaning, style=style, width=_WIDTH)


def _name(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, width=_FIRST_WIDTH)


SIDE_COLUMNS = {
    "cla_open": "Children in care",
    "cp_open": "Protection plans",
    "referrals": "Referrals, 12 months",
    "caseload": "Cases per worker",
    "external_share": "External share, points",
    "placement_cost": "Placements, £000",
    "net_cost": "Whole cost, £000",
}
"""Columns of the table of levers, by outcome."""

LEVERS_TABLE = TableSpec(
    name="levers",
    first_row=TABLE_ROW,
    room=LEVER_ROWS,
    columns=(
        _name("Lever", "What is done, and how much of it; the best first."),
        _column("Effect", "On the outcome that levers are ranked by, on average (see above)."),
        _column("80% low", "Four futures in five lie between this and the next column."),
        _column("80% high", "Four futures in five lie between the column before and this."),
        _column("Chance of less", "Share of the simulated futures in which the outcome is lower "
                "than without the lever.", Style.SHARE),
        *(
            _column(label, f"What the lever adds (below 0: takes away): {label}, on average.")
            for label in SIDE_COLUMNS.values()
        ),
    ),
)  # fmt: skip

RANGE_COLUMNS = {
    "cla_open": ("Care low", "Care high"),
    "cp_open": ("Plans low", "Plans high"),
    "caseload": ("Caseload low", "Caseload high"),
    "external_share": ("External low", "External high"),
    "net_cost": ("Whole cost low", "Whole cost high"),
}
"""Ends of the 80% ranges, by outcome: as many as the page is wide."""

RANGES_TABLE = TableSpec(
    name="lever_ranges",
    first_row=RANGES_ROW,
    room=LEVER_ROWS,
    columns=(
        _name("Lever and range", "As in the table above, in its order."),
        *(
            _column(name, f"{OUTCOME_WORDS[outcome].label}: four futures in five change by "
                    f"{'this or more' if not number else 'this or less'}, in the unit of the "
                    "table above.")
            for outcome, names in RANGE_COLUMNS.items()
            for number, name in enumerate(names)
        ),
    ),
)  # fmt: skip

GOAL_ANSWERS = TableSpec(
    name="goal_answers",
    first_row=GOALS_ROW,
    room=GOAL_ROWS,
    columns=(
        _name("Goal", "As on sheet Lever choices."),
        _column("By", "The month's end that is looked at.", Style.DATE),
        _column("Chance asked", "Blank: on average.", Style.SHARE),
        _column("Within reach", "Yes: the levers allowed reach it."),
        _column("Without levers", "On average."),
        _column("With them", "On average."),
        _column("Chance then", "Share of the simulated futures that reach it.", Style.SHARE),
        _column("Cost a year, £", "Of the levers themselves.", Style.WHOLE),
        _column("What it takes", "Levers and how much of each; the lines below have it whole."),
    ),
)

_ROUNDED = "Rounded to the nearest 5; c: small number."
NEED_COUNTS = TableSpec(
    name="entrants_by_need",
    first_row=NEEDS_ROW,
    room=len(NEEDS),
    columns=(
        _name("Need", "Category of need in List 8."),
        _column("Matched to", "Group of sheet Lever choices; blank: not matched."),
        _column("Came in", f"Children who came into care in the list's window. {_ROUNDED}"),
        _column("to external", f"Of these, in external placements. {_ROUNDED}"),
        _column("In care", f"At the census date. {_ROUNDED}"),
        _column("in external", f"Of these, in external placements. {_ROUNDED}"),
        _column("Of entrants", "Share of all entrants who are of this need, few children leaning "
                "on all.", Style.SHARE),
        _column("External share", "Of entrants of this need, those who go to external placements "
                "by today's practice; few children lean on all.", Style.SHARE),
    ),
)  # fmt: skip

LOOP_OUTCOMES = {
    "cla_open": ("Children in care", "care low", "care high"),
    "cp_open": ("Protection plans", "plans low", "plans high"),
    "caseload": ("Cases per worker", "cases low", "cases high"),
}
LOOP_EFFECTS = TableSpec(
    name="loop_effects",
    first_row=LOOPS_ROW,
    room=LOOP_ROWS,
    columns=(
        _name("Behaviour taken out", "A loop of sheet System that is on."),
        _column("Links", "How many of its links are on.", Style.WHOLE),
        *(
            _column(
                name,
                "With the loop taken out less with it, on average."
                if not number
                else "End of the 80% range of that difference.",
            )
            for names in LOOP_OUTCOMES.values()
            for number, name in enumerate(names)
        ),
    ),
)
CLOSED_LOOPS = TableSpec(
    name="closed_loops",
    first_row=CLOSED_ROW,
    room=CLOSED_ROWS,
    columns=(
        _name("Loop", "Name of the behaviours that it runs through."),
        _column("Kind", "Reinforcing: a push grows. Balancing: a push is damped."),
        _column("On", "Yes: all its links are on."),
        _column(
            "Way round",
            "What rises (↑) or falls (↓) in turn after a rise of the first; a "
            "long way goes on in the row below.",
        ),
    ),
)

INTERVALS = TableSpec(
    name="lever_intervals",
    first_row=TABLES_ROW,
    columns=(
        _name("label", "What is done, and how much of it."),
        _column("lever", "The lever's stable name.", Style.TEXT),
        _column("outcome", "What is looked at.", Style.TEXT),
        _column("without", "On average, without the lever."),
        _column("with", "On average, with it."),
        _column("effect", "Difference, on average over the simulated futures."),
        _column("p2_5", "2.5% of the differences are at or below this."),
        _column("p10", "10% of the differences are at or below this."),
        _column("p90", "90% of the differences are at or below this."),
        _column("p97_5", "97.5% of the differences are at or below this."),
        _column("share_lower", "Share of the simulated futures in which the outcome is lower with "
                "the lever."),
        _column("rank", "1: the best.", Style.WHOLE),
    ),
)  # fmt: skip
BEATS = TableSpec(
    name="lever_beats",
    first_row=TABLES_ROW,
    first_column=len(INTERVALS.columns) + 2,
    columns=(
        _name("one", "A lever."),
        _name("other", "Another."),
        _column("share", "Share of the simulated futures in which the first does more.",
                Style.SHARE),
    ),
)  # fmt: skip

TABLES = (
    LEVERS_TABLE,
    RANGES_TABLE,
    GOAL_ANSWERS,
    NEED_COUNTS,
    LOOP_EFFECTS,
    CLOSED_LOOPS,
    INTERVALS,
    BEATS,
)
LATER_TABLES = frozenset({NEED_COUNTS.name, RANGES_TABLE.name})
"""Tables that a sheet of an earlier version lacks."""

AREAS = (
    SUBTITLE,
    SENTENCES,
    TABLE_NOTE,
    RANGES_NOTE,
    NOTES,
    GOALS_NOTE,
    TAKES,
    NEEDS_NOTE,
    LOOPS_NOTE,
    BREAKS,
    CLOSED_NOTE,
    MATRIX_AREA,
)

LEVERS_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.OUTPUT,
    title="Levers: what could be done, what it would do, and what else it would do",
    tables=TABLES,
    areas=AREAS,
    is_protected=True,
)

# --- what the charts draw -----------------------------------------------------------------------

TORNADO_ROWS = len(LEVERS) + len(COMBINATIONS)
AGAINST = {
    "cla_open": "Children in care",
    "cp_open": "Protection plans",
    "referrals": "Referrals",
    "caseload": "Cases per worker",
    "placement_cost": "Cost of placements",
}
"""What one lever and all exits are compared in."""
TORNADO_COLUMNS = ("Lever", "Effect", "above", "below", "high end", "low end")
AGAINST_COLUMNS = (
    "Outcome", "One lever", "All exits together", "above", "below", "high end", "low end",
)  # fmt: skip
TORNADO, AGAINST_EXITS = "chart_levers_tornado", "chart_levers_against_exits"
HEADS = {TORNADO: TORNADO_COLUMNS, AGAINST_EXITS: AGAINST_COLUMNS}
_ROWS = {TORNADO: TORNADO_ROWS, AGAINST_EXITS: 3 * len(AGAINST) - 1}
_HEADING_ROW = 6


BLOCKS = side_by_side(HEADS, _ROWS, _HEADING_ROW)


def block(name: str) -> Area:
    """Return the block of this name."""
    return next(area for area in BLOCKS if area.name == name)


LEVERS_DATA_SHEET = SheetSpec(
    name=DATA_SHEET,
    kind=Kind.HELPER,
    title="Levers data: what the charts of sheet Levers draw",
    purpose="Written by csc-demand levers. 'above' and 'below' are the lengths of the range's two "
    "arms; its ends are drawn unseen, so that the axis reaches them.",
    areas=BLOCKS,
    is_protected=True,
)
