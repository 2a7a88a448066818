"""The sheets of the workbook, in their order; a later issue adds one here."""

from __future__ import annotations

from demand_addin.layout import accuracy, costs
from demand_addin.layout.chart_data import BLOCKS, SCENARIO_NAMES
from demand_addin.layout.declare import Area, Kind, SheetSpec, TableSpec
from demand_addin.layout.history import HISTORY_SHEET
from demand_addin.layout.journeys import JOURNEYS_DATA_SHEET, JOURNEYS_SHEET
from demand_addin.layout.lever_choices import LEVER_CHOICES_SHEET
from demand_addin.layout.levers import LEVERS_DATA_SHEET, LEVERS_SHEET
from demand_addin.layout.maps import MAPS_DATA_SHEET, MAPS_SHEET
from demand_addin.layout.memory import MEMORY_SHEET
from demand_addin.layout.odds import SCENARIO_ODDS
from demand_addin.layout.rates import RATES, RATES_BASIS
from demand_addin.layout.settings import SETTINGS
from demand_addin.layout.system import SYSTEM_SHEET
from demand_addin.layout.tables import (
    FINDINGS,
    FORECAST,
    FORECAST_BASIS,
    MAPPING,
    ROW_TALLIES,
    RUN_LOG,
    SCENARIOS,
    WINDOWS,
)
from demand_addin.layout.what_changed import BLOCKS as WATERFALLS
from demand_addin.layout.what_changed import DASHBOARD_LINE, WHAT_CHANGED_SHEET
from demand_addin.layout.what_if import (
    WHAT_IF_DATA_SHEET,
    WHAT_IF_SHEET,
    WHAT_IF_WORKINGS_SHEET,
)
from demand_addin.layout.workforce import WORKFORCE_DATA_SHEET, WORKFORCE_SHEET
from demand_model.annex_a.lists_of_need import ALL_LISTS

__all__ = ["SETTINGS", "SHEETS", "area", "sheet", "status_names", "table"]

FEW_MONTHS = 3
"""Lists that cover fewer whole months say too little of how children move."""

FEW_REFERRALS = 20
"""Rows of List 3 below which a forecast of what follows them rests on next to nothing."""

CHECKS = {
    "check_rows": "Rows found = rows used + rows set aside, in every list",
    "check_stops": "Nothing in the lists stops the model",
    "check_order": "Every range is in order (low, middle, high)",
    "check_hidden": "Referrals not made = came back + will not come back + still hidden",
    "check_settings": "Settings are those of the last run",
    "check_months": "Every list covers enough months and rows",
}
"""The checks behind the master check, by the name of the cell that holds the result.

The cells hold live formulas (see `pages.checks`); plans refresh their saved results.
"""

SHEETS: tuple[SheetSpec, ...] = (
    SheetSpec(
        name="Start",
        kind=Kind.GUIDE,
        title="Children's social care demand model",
        purpose="Three Annex A lists in; forecasts of referrals, protection plans and care back.",
        areas=(
            Area(name="start_authority", cell="C6"),
            Area(name="start_census_date", cell="C7"),
            Area(name="start_last_run", cell="C8"),
            Area(name="start_says", cell="C9"),
        ),
    ),
    *(
        SheetSpec(name=f"List {n}", kind=Kind.PASTE, title=f"List {n}", list_number=n)
        for n in sorted(ALL_LISTS)
    ),
    HISTORY_SHEET,
    SheetSpec(
        name="Mapping",
        kind=Kind.INPUT,
        title="Mapping: spellings that the model does not know",
        purpose="Type the official code beside each spelling; it is remembered at the next run.",
        tables=(MAPPING,),
    ),
    SheetSpec(
        name="Settings",
        kind=Kind.INPUT,
        title="Settings",
        purpose="Change the blue cells; every one has a default that works.",
        settings=SETTINGS,
        areas=(
            Area(name="settings_value", cell="B6", rows=len(SETTINGS)),
            Area(name="settings_at_last_run", cell="H6", rows=len(SETTINGS)),
        ),
    ),
    SheetSpec(
        name="Scenarios",
        kind=Kind.INPUT,
        title="Scenarios: what might change",
        purpose="One row a change. Rows with the same scenario name are run together.",
        tables=(SCENARIOS, SCENARIO_ODDS),
    ),
    SYSTEM_SHEET,
    LEVER_CHOICES_SHEET,
    SheetSpec(
        name="Checks",
        kind=Kind.OUTPUT,
        title="Checks: what the lists hold, and whether the results can be relied on",
        tables=(WINDOWS, ROW_TALLIES, FINDINGS),
        areas=(
            Area(name="master_check", cell="A2"),
            *(Area(name=name, cell=f"A{row}") for row, name in enumerate(CHECKS, start=6)),
        ),
        is_protected=True,
    ),
    SheetSpec(
        name="Rates",
        kind=Kind.OUTPUT,
        title="Rates: how children move, as fitted from the lists",
        purpose="A rate typed in the blue column wins over the fitted one: press Run to forecast "
        "with it. Click a black figure to see its formula. A run then weighs all rates together, "
        "so that intake and length of stay fit the children open now.",
        tables=(RATES,),
        areas=(RATES_BASIS,),
        is_protected=True,
    ),
    SheetSpec(
        name="Forecast",
        kind=Kind.OUTPUT,
        title="Forecast: every month, measure, group and scenario",
        purpose="A tidy table for your own pivot tables and charts; replaced by every run.",
        tables=(FORECAST,),
        areas=(FORECAST_BASIS,),
        is_protected=True,
        is_too_long_to_print=True,
    ),
    SheetSpec(
        name="Dashboard",
        kind=Kind.OUTPUT,
        title="Children's social care: demand and forecast",
        areas=(
            Area(name="dash_subtitle", cell="A3"),
            Area(name="dash_headlines", cell="A5", rows=6),
            DASHBOARD_LINE,
            Area(name="dash_numbers", cell="A12", rows=4, columns=12),
            Area(name="dash_numbers_note", cell="A16", rows=2),
            Area(name="dash_fan_note", cell="A18"),
            Area(name="dash_basis", cell="A36", rows=5),
            Area(name="dash_compare_note", cell="A42"),
            Area(name="dash_hidden_note", cell="A55"),
            Area(name="dash_placement_note", cell="G55"),
            Area(name="dash_cp_flow_note", cell="A68"),
            Area(name="dash_cla_flow_note", cell="G68"),
        ),
    ),
    WHAT_IF_SHEET,
    costs.COSTS_SHEET,
    WORKFORCE_SHEET,
    LEVERS_SHEET,
    JOURNEYS_SHEET,
    MAPS_SHEET,
    SheetSpec(
        name=accuracy.SHEET,
        kind=Kind.OUTPUT,
        title="Accuracy: how far to trust this forecast",
        purpose="What the model would have said on earlier dates, what it did say, and what "
        "happened. csc-demand backtest writes the first part, every run the others.",
        tables=accuracy.TABLES,
        areas=accuracy.AREAS,
        is_protected=True,
    ),
    WHAT_CHANGED_SHEET,
    MEMORY_SHEET,
    SheetSpec(
        name="Run log",
        kind=Kind.OUTPUT,
        title="Run log: one row a run, never overwritten",
        purpose="The same lists, earlier months, settings, seed and version give the same results.",
        tables=(RUN_LOG,),
        is_protected=True,
    ),
    SheetSpec(
        name="Chart data",
        kind=Kind.HELPER,
        title="Chart data: what the Dashboard's charts draw",
        purpose="Written by every run. The last month is repeated down to the end of each "
        "block, so that a chart of fixed size shows any horizon.",
        areas=(*BLOCKS, SCENARIO_NAMES, *WATERFALLS),
        is_protected=True,
    ),
    SheetSpec(
        name=accuracy.DATA_SHEET,
        kind=Kind.HELPER,
        title="Accuracy data: what the charts of sheet Accuracy draw",
        purpose="The last month is repeated down to the end of each block, so that a chart of "
        "fixed size shows any number of months.",
        areas=accuracy.BLOCKS,
        is_protected=True,
    ),
    costs.COSTS_DATA_SHEET,
    WORKFORCE_DATA_SHEET,
    LEVERS_DATA_SHEET,
    JOURNEYS_DATA_SHEET,
    MAPS_DATA_SHEET,
    WHAT_IF_WORKINGS_SHEET,
    WHAT_IF_DATA_SHEET,
)


def sheet(name: str) -> SheetSpec:
    """Return the sheet called `name`."""
    return next(spec for spec in SHEETS if spec.name == name)


def table(name: str) -> TableSpec:
    """Return the table called `name`."""
    return next(t for spec in SHEETS for t in spec.tables if t.name == name)


def area(name: str) -> Area:
    """Return the area called `name`."""
    return next(a for spec in SHEETS for a in spec.areas if a.name == name)


def status_names() -> tuple[str, ...]:
    """Return the names of the cells that repeat the master check."""
    return tuple(spec.status_name for spec in SHEETS if spec.shows_status)
