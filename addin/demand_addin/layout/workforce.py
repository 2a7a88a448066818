"""Sheet Workforce: its table, areas, and the blocks of sheet Workforce data behind its charts.

One page of sentences, figures, England's averages and charts; below it the table behind
them. A run writes values only.
"""

from __future__ import annotations

from demand_addin.layout.chart_data import side_by_side
from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec

SHEET = "Workforce"
DATA_SHEET = "Workforce data"
NO_RUN = "No forecast yet: see sheet Start."

SENTENCE_ROWS, NOTE_ROWS, DATES, COMPARISONS = 8, 6, 4, 5
MONTHS = 122
"""The census date and 121 months."""

SCENARIOS = 10
"""Scenarios that the last chart shows; the table holds all."""

LINES = 4

SENTENCES_ROW = 5
NUMBERS_ROW = SENTENCES_ROW + SENTENCE_ROWS + 1
NOTE_UNDER_NUMBERS_ROW = NUMBERS_ROW + DATES + 1
ENGLAND_ROW = NOTE_UNDER_NUMBERS_ROW + 3
NOTES_ROW = ENGLAND_ROW + COMPARISONS + 2
CHARTS_ROW = NOTES_ROW + NOTE_ROWS + 1
CHART_ROWS = 19
TABLE_ROW = CHARTS_ROW + 2 * CHART_ROWS + 3
"""1-based rows."""

SUBTITLE = Area(name="workforce_subtitle", cell="A3")
SENTENCES = Area(name="workforce_sentences", cell=f"A{SENTENCES_ROW}", rows=SENTENCE_ROWS)
NUMBER_HEADS = (
    "When",
    "Cases",
    "Workers in post",
    "Cases per worker",
    "80% range",
    "95% range",
    "Posts vacant",
    "Workers needed at the ideal",
    "More than in post",
    "80% range",
)
NUMBERS = Area(
    name="workforce_numbers", cell=f"A{NUMBERS_ROW}", rows=DATES + 1, columns=len(NUMBER_HEADS)
)
"""Headings, today, and up to three later dates."""

NUMBERS_NOTE = Area(name="workforce_numbers_note", cell=f"A{NOTE_UNDER_NUMBERS_ROW}", rows=2)
ENGLAND_HEADS = ("Beside England", "Yours", "England", "England as at", "Where yours comes from")
ENGLAND = Area(
    name="workforce_england",
    cell=f"A{ENGLAND_ROW}",
    rows=COMPARISONS + 1,
    columns=len(ENGLAND_HEADS),
)
NOTES = Area(name="workforce_notes", cell=f"A{NOTES_ROW}", rows=NOTE_ROWS)

_QUANTILES = (
    ("p2_5", "2.5"),
    ("p10", "10"),
    ("p50", "50"),
    ("p90", "90"),
    ("p97_5", "97.5"),
)
_WIDTH = 14.4
WORKFORCE_FORECAST = TableSpec(
    name="workforce_forecast",
    first_row=TABLE_ROW,
    columns=(
        Column(name="scenario", meaning="A scenario of sheet Scenarios.", width=34),
        Column(
            name="measure",
            meaning="cases; workers (in post, agency included); caseload (cases per worker); "
            "vacancies; workers_needed at the ideal caseload; more_needed than are in post.",
            width=_WIDTH,
        ),
        Column(
            name="month_end",
            meaning="Ends of quarters and of the last month; the first is the census date. Sheet "
            "Forecast holds workers and caseload by month.",
            style=Style.DATE,
            width=_WIDTH,
        ),
        Column(
            name="mean",
            meaning="Average of the simulated futures.",
            style=Style.NUMBER,
            width=_WIDTH,
        ),
        *(
            Column(
                name=name,
                meaning=f"{share}% of the simulated futures are at or below this.",
                style=Style.NUMBER,
                width=_WIDTH,
            )
            for name, share in _QUANTILES
        ),
        Column(
            name="less_baseline_mean",
            meaning="How much more than the baseline's (below 0: less).",
            style=Style.NUMBER,
            width=_WIDTH,
        ),
        Column(
            name="less_baseline_p10",
            meaning="Low end of the 80% range of that difference.",
            style=Style.NUMBER,
            width=_WIDTH,
        ),
        Column(
            name="less_baseline_p90",
            meaning="High end of the 80% range of that difference.",
            style=Style.NUMBER,
            width=_WIDTH,
        ),
    ),
)

WORKFORCE_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.OUTPUT,
    title="Workforce: cases per social worker, and the workers needed",
    tables=(WORKFORCE_FORECAST,),
    areas=(SUBTITLE, SENTENCES, NUMBERS, NUMBERS_NOTE, ENGLAND, NOTES),
    is_protected=True,
)

# --- what the charts draw -----------------------------------------------------------------------

FAN_COLUMNS = (
    "month",
    "below the range",
    "lower 95%",
    "lower 80%",
    "50% of futures",
    "80% of futures",
    "95% of futures",
    "Average forecast",
    "Your ideal",
    "England",
)
NEED_COLUMNS = (
    "month",
    "below the range",
    "Needed, 80% of futures",
    "Workers needed at the ideal",
    "Workers in post",
)
LINE_COLUMNS = ("month", *(f"Line {number}" for number in range(1, LINES + 1)))
SCENARIO_COLUMNS = ("Scenario", "Against the baseline", "above", "below", "high end", "low end")
HEADS = {
    "chart_workforce_fan": FAN_COLUMNS,
    "chart_workforce_need": NEED_COLUMNS,
    "chart_workforce_lines": LINE_COLUMNS,
    "chart_workforce_scenarios": SCENARIO_COLUMNS,
}
_HEADING_ROW = 6
_ROWS = {name: SCENARIOS if name == "chart_workforce_scenarios" else MONTHS for name in HEADS}


BLOCKS = side_by_side(HEADS, _ROWS, _HEADING_ROW)


def block(name: str) -> Area:
    """Return the block of this name."""
    return next(area for area in BLOCKS if area.name == name)


WORKFORCE_DATA_SHEET = SheetSpec(
    name=DATA_SHEET,
    kind=Kind.HELPER,
    title="Workforce data: what the charts of sheet Workforce draw",
    purpose="Written by every run. The last month is repeated down to the end of each block, so "
    "that a chart of fixed size shows any horizon; 'above' and 'below' are the lengths of the "
    "range's two arms.",
    areas=BLOCKS,
    is_protected=True,
)
