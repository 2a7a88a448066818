"""Sheet What-if: its blue cells, its areas, and the data behind its formulas.

Three sheets: What-if holds the blue cells, a table and charts; What-if workings holds the
formulas, a row a month (`what_if_workings`); What-if data holds the values that a run
writes. `demand_model.results.what_if_forecast` computes the same formulas in Python.
"""

from __future__ import annotations

from dataclasses import dataclass

from demand_addin.layout.declare import Area, Kind, SheetSpec
from demand_addin.layout.system import COSTS_ROOM
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.what_if_data import WHAT_IF_MONTHS
from demand_model.results.what_if_levers import LEAST_CHANGE, LEAST_ENDS, MOST_CHANGE, MOST_ENDS
from demand_model.results.what_if_starts import KERNEL_MONTHS

SHEET = "What-if"
WORKINGS_SHEET = "What-if workings"
DATA_SHEET = "What-if data"

MONTHS = WHAT_IF_MONTHS
CHANGE, ENDS, SHARE, WHOLE, MONTH, MONEY, PRICES = (
    "change", "ends", "share", "whole", "months", "money", "prices",
)  # fmt: skip
"""Kinds of blue cell."""

FORMATS = {
    CHANGE: "+0%;-0%;0%",
    ENDS: "+0%;-0%;0%",
    SHARE: "0%",
    WHOLE: "0",
    MONTH: "0.0",
    MONEY: "£#,##0",
    PRICES: "0.0%",
}
LIMITS: dict[str, tuple[float, float]] = {
    CHANGE: (LEAST_CHANGE, MOST_CHANGE),
    ENDS: (LEAST_ENDS, MOST_ENDS),
    PRICES: (-0.05, 0.25),
    SHARE: (0.0, 1.0),
    WHOLE: (0, MONTHS),
    MONTH: (0.0, float(MONTHS)),
    MONEY: (0.0, 50_000.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One blue cell.

    Attributes
    ----------
    key
        What `WhatIfLevers` calls it; the cell's defined name is `name`.
    neutral
        What the template holds: moves nothing; ``None``: a blank cell.
    note
        Shown beside the cell, and when it is selected.
    """

    key: str
    label: str
    neutral: float | None
    kind: str
    note: str

    @property
    def name(self) -> str:
        """The defined name of the cell."""
        return f"what_if_{self.key}"


CHANGES = (
    Lever(
        key="start_after_months",
        label="Changes begin after … months",
        neutral=0,
        kind=WHOLE,
        note="0: with the first month of the forecast. They hold to the end.",
    ),
    Lever(
        key="referrals",
        label="Referrals",
        neutral=0.0,
        kind=CHANGE,
        note="From all sources; single sources further below.",
    ),
    Lever(
        key="conversion_to_plans",
        label="Referrals that lead to a protection plan",
        neutral=0.0,
        kind=CHANGE,
        note="Plans started for each referral.",
    ),
    Lever(
        key="entries_to_care",
        label="Children coming into care",
        neutral=0.0,
        kind=CHANGE,
        note="By every route but UASC.",
    ),
    Lever(
        key="uasc_entries",
        label="Unaccompanied children (UASC) coming into care",
        neutral=0.0,
        kind=CHANGE,
        note="Apart, since the authority seldom decides it.",
    ),
    Lever(
        key="plan_ends",
        label="Rate at which plans end",
        neutral=0.0,
        kind=ENDS,
        note="+10%: a tenth more plans end each month, of those open.",
    ),
    Lever(
        key="care_ends_home",
        label="Rate at which children go home from care",
        neutral=0.0,
        kind=ENDS,
        note="Reunification.",
    ),
    Lever(
        key="care_ends_other",
        label="Rate of all other ways out of care",
        neutral=0.0,
        kind=ENDS,
        note="Adoption, special guardianship, other; 18th birthdays stay.",
    ),
)
LOCKDOWN = (
    Lever(
        key="lockdown_months",
        label="How many months it lasts",
        neutral=0,
        kind=WHOLE,
        note="0: no lockdown, whatever stands below.",
    ),
    Lever(
        key="lockdown_after_months",
        label="Begins after … months",
        neutral=6,
        kind=WHOLE,
        note="0: with the first month of the forecast.",
    ),
    Lever(
        key="lockdown_fall",
        label="Referrals not made while it lasts",
        neutral=0.25,
        kind=SHARE,
        note="A quarter at the trough of 2020 (DfE). By source: further below.",
    ),
    Lever(
        key="lockdown_plan_ends",
        label="Rate at which plans end while it lasts",
        neutral=-0.08,
        kind=ENDS,
        note="2020/21 against 2019/20 (DfE), on the lockdown's months †.",
    ),
    Lever(
        key="lockdown_care_ends",
        label="Rate at which care ends while it lasts",
        neutral=-0.10,
        kind=ENDS,
        note="2020/21 against 2019/20 (DfE), on the lockdown's months †.",
    ),
    Lever(
        key="share_returning",
        label="Of referrals not made, come back later",
        neutral=0.05,
        kind=SHARE,
        note="Almost none came back within two years of 2020 (DfE).",
    ),
    Lever(
        key="return_delay_months",
        label="Begin to come back after … months",
        neutral=2,
        kind=MONTH,
        note="Counted from its end †.",
    ),
    Lever(
        key="return_spread_months",
        label="Come back over … months",
        neutral=6,
        kind=MONTH,
        note="Evenly †.",
    ),
)
COSTS = (
    Lever(
        key="inflation",
        label="Inflation, % a year",
        neutral=None,
        kind=PRICES,
        note="Blank: as on sheet System in the last run.",
    ),
    Lever(
        key="cost_plan",
        label="A child on a plan, £ a week",
        neutral=0.0,
        kind=MONEY,
        note="£0 a week: no published figure was found, type your own.",
    ),
)
GROUP_ROOM = COSTS_ROOM
"""Rows for placement groups: those of sheet System."""

UNIT_COST_NOTE = "Instead of the weekly cost of sheet System in the last run; blank: that one."

CHANGES_ROW = 7
LOCKDOWN_ROW = CHANGES_ROW + len(CHANGES) + 2
SOURCES_ROW = LOCKDOWN_ROW + len(LOCKDOWN) + 2
COSTS_ROW = SOURCES_ROW + len(SOURCE_GROUPS) + 2
PLACEMENTS_ROW = COSTS_ROW + len(COSTS)
LAST_ROW = PLACEMENTS_ROW + GROUP_ROOM
"""1-based rows of the first blue cell of each block; headings stand above."""

_ROWS = {
    lever.key: first + offset
    for first, block in (
        (CHANGES_ROW, CHANGES),
        (LOCKDOWN_ROW, LOCKDOWN),
        (COSTS_ROW, COSTS),
    )
    for offset, lever in enumerate(block)
}
LEVERS = (*CHANGES, *LOCKDOWN, *COSTS)
"""Every blue cell but those of single sources and placement groups."""
INPUTS = {lever.key: Area(name=lever.name, cell=f"B{_ROWS[lever.key]}") for lever in LEVERS}
SOURCE_CHANGES = Area(name="what_if_sources", cell=f"B{SOURCES_ROW}", rows=len(SOURCE_GROUPS))
SOURCE_FALLS = Area(name="what_if_falls", cell=f"C{SOURCES_ROW}", rows=len(SOURCE_GROUPS))
UNIT_COSTS = Area(name="what_if_unit_costs", cell=f"B{PLACEMENTS_ROW}", rows=GROUP_ROOM)

# --- what a run writes ------------------------------------------------------------------------

FACTS = {
    "census_date": Area(name="what_if_census_date", cell="B5"),
    "months": Area(name="what_if_month_count", cell="B6"),
    "plans": Area(name="what_if_plans_now", cell="B7"),
    "care": Area(name="what_if_care_now", cell="B8"),
    "inflation": Area(name="what_if_run_inflation", cell="B9"),
}
FACT_WORDS = {
    "census_date": "Census date",
    "months": "Months of the forecast shown",
    "plans": "Children on plans at the census date",
    "care": "Children in care at the census date",
    "inflation": "Inflation a year, sheet System",
}

_LAGS = tuple(f"lag {g}" for g in range(KERNEL_MONTHS))
_RESPONSES = ("home", "other", "home squared / 2", "home x other", "other squared / 2")
GROUP = "placement"
MONTH_COLUMNS = (
    "month end",
    "days from the census date to its end",
    "referrals already observed",
    "referrals to come",
    "baseline: referrals",
    "baseline: children on plans",
    "baseline: children in care",
    "plans: from earlier referrals",
    *(f"plans: a referral, {lag}" for lag in _LAGS),
    "plans: no referral",
    "care: from earlier referrals",
    *(f"care: a referral, {lag}" for lag in _LAGS),
    "care: no referral",
    "care: UASC",
    "care: a child on an open plan",
    "care: children on new plans, factor",
    "open plans: stay",
    "open plans: response to ends",
    "open plans: response to ends, squared / 2",
    "open care: stay",
    *(f"open care: response to {r}" for r in _RESPONSES),
    "plans: correction",
    "care: correction",
    *(
        f"open care, aged {age}: {what}"
        for what in ("share", "response to home", "response to other")
        for age in CARE_SEGMENTS
    ),
    *(f"{GROUP} {k + 1}: baseline" for k in range(GROUP_ROOM)),
    *(f"{GROUP} {k + 1}: correction" for k in range(GROUP_ROOM)),
    "days",
    "years of inflation",
)
ENTRY_ROWS = (
    "plans: stay",
    "plans: response to ends",
    "plans: response to ends, squared / 2",
    "plans: go on to care",
    "care: stay",
    *(f"care: response to {r}" for r in _RESPONSES),
    "UASC: stay",
    *(f"UASC: response to {r}" for r in _RESPONSES),
    *(
        f"care, aged {age}: {what}"
        for what in ("share", "response to home", "response to other")
        for age in CARE_SEGMENTS[:-1]
    ),
)
SOURCE_COLUMNS = ("share of referrals", "weight in plans", "weight in care")

SOURCES = Area(
    name="what_if_source_weights", cell="B12", rows=len(SOURCE_GROUPS), columns=len(SOURCE_COLUMNS)
)
PLACEMENT_COLUMNS = ("label", "£ a week", "children today", *CARE_SEGMENTS)
"""By age: share of those children who live in such a placement."""
PLACEMENTS = Area(
    name="what_if_placements", cell="I12", rows=GROUP_ROOM, columns=len(PLACEMENT_COLUMNS)
)
MONTHS_ROW = 12 + max(len(SOURCE_GROUPS), GROUP_ROOM) + 3
MONTH_BLOCK = Area(
    name="what_if_months", cell=f"B{MONTHS_ROW}", rows=MONTHS, columns=len(MONTH_COLUMNS)
)
ENTRY_ROW = MONTHS_ROW + MONTHS + 3
ENTRY_BLOCK = Area(
    name="what_if_since_entry", cell=f"B{ENTRY_ROW}", rows=len(ENTRY_ROWS), columns=MONTHS
)
"""Months since entry run to the right."""


WHAT_IF_SHEET = SheetSpec(
    name=SHEET,
    kind=Kind.INPUT,
    title="What-if: change a blue cell and the lines move",
    purpose="The average forecast as formulas: no run, no macros. Every run brings them up to "
    "date.",
    areas=(*INPUTS.values(), SOURCE_CHANGES, SOURCE_FALLS, UNIT_COSTS),
    is_protected=True,
)
WHAT_IF_WORKINGS_SHEET = SheetSpec(
    name=WORKINGS_SHEET,
    kind=Kind.HELPER,
    title="What-if workings: the formulas behind sheet What-if",
    purpose="A row a month of the forecast; to the right, children by month since they entered.",
    is_protected=True,
)
WHAT_IF_DATA_SHEET = SheetSpec(
    name=DATA_SHEET,
    kind=Kind.HELPER,
    title="What-if data: averages over the simulated futures",
    purpose="Written by every run; sheet What-if workings multiplies and adds them up.",
    areas=(*FACTS.values(), SOURCES, PLACEMENTS, MONTH_BLOCK, ENTRY_BLOCK),
    is_protected=True,
)
