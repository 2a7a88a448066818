"""Sheet Costs: its tables, areas, and the blocks of sheet Costs data behind its charts.

One landscape page of sentences, figures and charts; below it the tables behind them,
side by side. A run writes values only.
"""

from __future__ import annotations

from demand_addin.layout.chart_data import side_by_side
from demand_addin.layout.declare import Area, Column, Kind, SheetSpec, Style, TableSpec

SHEET = "Costs"
DATA_SHEET = "Costs data"
NO_RUN = "No forecast yet: see sheet Start."

SENTENCE_ROWS, NOTE_ROWS = 7, 5
GROUPS = 11
"""Placement groups that there is room for."""

YEARS, SCENARIOS = 4, 8
"""Financial years and scenarios that the charts show; the tables hold all."""

SENTENCES_ROW = 5
NUMBERS_ROW = SENTENCES_ROW + SENTENCE_ROWS + 1
NOTES_ROW = NUMBERS_ROW + GROUPS + 3
CHARTS_ROW = NOTES_ROW + NOTE_ROWS + 1
CHART_ROWS = 15
TABLES_ROW = CHARTS_ROW + 2 * CHART_ROWS + 3
"""1-based rows: sentences, the small table's headings, notes, charts, the long tables' headings."""

SUBTITLE = Area(name="costs_subtitle", cell="A3")
SENTENCES = Area(name="costs_sentences", cell=f"A{SENTENCES_ROW}", rows=SENTENCE_ROWS)
NUMBER_HEADS = (
    "Kind of placement",
    "Children today",
    "£ a week today",
    "Children later",
    "80% range",
    "Cost, first year",
    "80% range",
    "Cost, second year",
    "80% range",
)
NUMBERS = Area(
    name="costs_numbers", cell=f"A{NUMBERS_ROW}", rows=GROUPS + 2, columns=len(NUMBER_HEADS)
)
"""Headings, the groups, all placements."""
ALL_PLACEMENTS = "All placements"

NOTES = Area(name="costs_notes", cell=f"A{NOTES_ROW}", rows=NOTE_ROWS)

_MONEY_COLUMNS = (
    ("mean", "Average of the simulated futures, £."),
    *(
        (name, f"{share}% of the simulated futures cost this or less, £.")
        for name, share in (
            ("p2_5", "2.5"),
            ("p10", "10"),
            ("p50", "50"),
            ("p90", "90"),
            ("p97_5", "97.5"),
        )
    ),
    ("less_baseline_mean", "What the scenario costs more than the baseline (below 0: less), £."),
    ("less_baseline_p10", "Low end of the 80% range of that difference, £."),
    ("less_baseline_p90", "High end of the 80% range of that difference, £."),
)
MONEY = frozenset(name for name, _ in _MONEY_COLUMNS)

COSTS = TableSpec(
    name="costs",
    first_row=TABLES_ROW,
    columns=(
        Column(name="scenario", meaning="A scenario of sheet Scenarios.", width=34),
        Column(
            name="placement_group",
            meaning="Kind of placement; all: every placement; workers: social workers, who are "
            "not part of all.",
            width=16,
        ),
        Column(name="year", meaning="Financial year, April to March.", width=16),
        Column(
            name="from",
            meaning="First day of the year that is forecast: later than 1 April, and the figure "
            "holds a part of the year only.",
            style=Style.DATE,
            width=16,
        ),
        Column(
            name="to",
            meaning="Last day of the year that is forecast.",
            style=Style.DATE,
            width=16,
        ),
        *(
            Column(name=name, meaning=meaning, style=Style.WHOLE, width=17)
            for name, meaning in _MONEY_COLUMNS
        ),
        Column(
            name="share_dearer",
            meaning="Share of the simulated futures in which the scenario costs more than the "
            "baseline.",
            style=Style.SHARE,
            width=13,
        ),
    ),
)
PLACEMENTS = TableSpec(
    name="placements",
    first_row=TABLES_ROW,
    first_column=len(COSTS.columns) + 2,
    columns=(
        Column(name="scenario", meaning="A scenario of sheet Scenarios.", width=34),
        Column(name="placement_group", meaning="Kind of placement.", width=24),
        Column(
            name="month_end",
            meaning="Ends of quarters and of the last month; the first is the census date, as "
            "counted.",
            style=Style.DATE,
            width=12,
        ),
        Column(name="mean", meaning="Average of the simulated futures.", style=Style.NUMBER),
        *(
            Column(
                name=name,
                meaning=f"{share}% of the simulated futures are at or below this.",
                style=Style.NUMBER,
                width=10,
            )
            for name, share in (
                ("p2_5", "2.5"),
                ("p10", "10"),
                ("p50", "50"),
                ("p90", "90"),
                ("p97_5", "97.5"),
            )
        ),
    ),
)

COSTS_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.OUTPUT,
    title="Costs: where children in care live, and what it costs",
    tables=(COSTS, PLACEMENTS),
    areas=(SUBTITLE, SENTENCES, NUMBERS, NOTES),
    is_protected=True,
)

# --- what the charts draw -----------------------------------------------------------------------

YEAR_COLUMNS = ("Year", "Cost, £", "above", "below", "high end")
GROUP_COLUMNS = ("Group", "Today", "Later", "above", "below", "high end")
SCENARIO_COLUMNS = (
    "Scenario", "Against the baseline, £", "above", "below", "high end", "low end",
)  # fmt: skip
HEADS = {
    "chart_costs_years": YEAR_COLUMNS,
    "chart_costs_groups": GROUP_COLUMNS,
    "chart_costs_scenarios": SCENARIO_COLUMNS,
}
_HEADING_ROW = 6
_ROWS = {
    "chart_costs_years": YEARS,
    "chart_costs_groups": GROUPS,
    "chart_costs_scenarios": SCENARIOS,
}


BLOCKS = side_by_side(HEADS, _ROWS, _HEADING_ROW)


def block(name: str) -> Area:
    """Return the block of this name."""
    return next(area for area in BLOCKS if area.name == name)


COSTS_DATA_SHEET = SheetSpec(
    name=DATA_SHEET,
    kind=Kind.HELPER,
    title="Costs data: what the charts of sheet Costs draw",
    purpose="Written by every run. 'above' and 'below' are the lengths of the range's two arms; "
    "its ends are drawn unseen, so that the axis reaches them.",
    areas=BLOCKS,
    is_protected=True,
)
