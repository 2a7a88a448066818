"""The tables of the workbook: names and columns are a contract that other tools rely on."""

from __future__ import annotations

from demand_addin.layout.declare import Area, Column, Style, TableSpec

MAPPING = TableSpec(
    name="mapping",
    columns=(
        Column(name="list", meaning="The Annex A list, for example List 8.", width=10),
        Column(name="heading", meaning="The column the spelling stands in.", width=34),
        Column(name="raw_value", meaning="The spelling as your system exports it.", width=40),
        Column(name="count", meaning="Rows that hold it.", style=Style.WHOLE, width=9),
        Column(
            name="official_code",
            meaning="Type the official code that this spelling means, for example U1. "
            "It is asked once and remembered.",
            is_input=True,
            width=16,
        ),
    ),
)

SCENARIOS = TableSpec(
    name="scenarios",
    columns=(
        Column(
            name="scenario",
            meaning="The scenario's name. Rows with the same name are one scenario.",
            is_input=True,
            width=34,
        ),
        Column(
            name="include",
            meaning="Yes runs it; No keeps it for later.",
            is_input=True,
            choices=("Yes", "No"),
            width=9,
        ),
        Column(
            name="change",
            meaning="What the row does: Multiply, Add or Overwrite a flow; Lockdown; "
            "None for the baseline.",
            is_input=True,
            choices=("Multiply", "Add", "Overwrite", "Lockdown", "None"),
            width=11,
        ),
        Column(name="flow", meaning="The flow that changes.", is_input=True, width=19),
        Column(
            name="segment",
            meaning="A source of referral such as Schools, or all.",
            is_input=True,
            width=19,
        ),
        Column(
            name="from",
            meaning="A date, or whole months after the census date.",
            is_input=True,
            style=Style.GENERAL,
            width=11,
        ),
        Column(
            name="to",
            meaning="A date, or whole months after the census date; blank: until the end.",
            is_input=True,
            style=Style.GENERAL,
            width=11,
        ),
        Column(
            name="amount",
            meaning="Multiply: a factor (0.9 is 10% fewer). Add: children a month. "
            "Overwrite: the new value. Lockdown: the factor on referrals of the segment.",
            is_input=True,
            style=Style.GENERAL,
            width=11,
        ),
        Column(
            name="ramp_months",
            meaning="Months over which the change grows to its full size; blank: at once.",
            is_input=True,
            style=Style.GENERAL,
        ),
        Column(
            name="plan_ends",
            meaning="Lockdown: factor on the rate at which protection plans end.",
            is_input=True,
            style=Style.GENERAL,
            width=11,
        ),
        Column(
            name="care_ends",
            meaning="Lockdown: factor on the rate at which children leave care.",
            is_input=True,
            style=Style.GENERAL,
            width=11,
        ),
        Column(
            name="share_returning",
            meaning="Lockdown: share (0 to 1) of the referrals not made that come back.",
            is_input=True,
            style=Style.GENERAL,
            width=15,
        ),
        Column(
            name="return_delay_months",
            meaning="Lockdown: months after its end before they start to come back.",
            is_input=True,
            style=Style.GENERAL,
            width=19,
        ),
        Column(
            name="return_spread_months",
            meaning="Lockdown: months over which they come back.",
            is_input=True,
            style=Style.GENERAL,
            width=20,
        ),
        Column(
            name="severity",
            meaning="Lockdown: how much likelier a returning referral leads to a plan or care; "
            "1 is as usual.",
            is_input=True,
            style=Style.GENERAL,
            width=10,
        ),
        Column(
            name="new_normal",
            meaning="Lockdown: factor on referrals after its end; 1 is as before.",
            is_input=True,
            style=Style.GENERAL,
            width=12,
        ),
        Column(
            name="source",
            meaning="Where the numbers come from, and of which date.",
            is_input=True,
            is_wrapped=True,
            width=80,
        ),
    ),
)

TYPED_TABLES = frozenset({SCENARIOS.name})
"""Tables that only the analyst writes: rows typed directly below are read as theirs."""

WINDOWS = TableSpec(
    name="windows",
    first_row=14,
    room=6,
    columns=(
        Column(name="list", meaning="The Annex A list.", width=12),
        Column(name="window_start", meaning="First day that the list covers.", style=Style.DATE),
        Column(
            name="months",
            meaning="Whole months before the census date.",
            style=Style.WHOLE,
            width=12,
        ),
        Column(name="detected", meaning="Yes: found from the dates. No: set in Settings."),
    ),
)

ROW_TALLIES = TableSpec(
    name="row_tallies",
    first_row=23,
    room=6,
    columns=(
        Column(name="list", meaning="The Annex A list."),
        Column(name="found", meaning="Rows found.", style=Style.WHOLE),
        Column(name="used", meaning="Rows that the model uses.", style=Style.WHOLE),
        Column(name="set_aside", meaning="Rows kept out of the model.", style=Style.WHOLE),
        Column(name="reasons", meaning="Why rows were set aside, and how many.", width=28),
    ),
)

FINDINGS = TableSpec(
    name="findings",
    first_row=32,
    columns=(
        Column(name="list", meaning="The Annex A list."),
        Column(name="sheet", meaning="The sheet the cell stands in."),
        Column(name="cell", meaning="The cell, or the first of many."),
        Column(name="column", meaning="The column's heading.", width=34),
        Column(name="rule", meaning="The rule's name, for the documentation."),
        Column(name="severity", meaning="What became of it.", width=12),
        Column(name="count", meaning="How many cells or rows.", style=Style.WHOLE, width=9),
        Column(name="message", meaning="What was found, and what to do.", width=90),
    ),
)

FORECAST_BASIS = Area(name="forecast_basis", cell="E2", rows=2)
"""What the forecast rests on: the lists, and the months before; row 4 says how it prints."""

FORECAST = TableSpec(
    name="forecast",
    columns=(
        Column(name="month_end", meaning="Last day of the month.", style=Style.DATE, width=12),
        Column(
            name="measure",
            meaning="referrals, cp_ (protection plans) and cla_ (care): starts and ends in the "
            "month, open at its end; assessments_open, cin_open (children in need), workers, "
            "caseload: at its end (sheet Workforce).",
        ),
        Column(name="segment", meaning="all, or a source, placement or age group.", width=22),
        Column(name="scenario", meaning="A scenario of sheet Scenarios.", width=34),
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
                ("p25", "25"),
                ("p50", "50"),
                ("p75", "75"),
                ("p90", "90"),
                ("p97_5", "97.5"),
            )
        ),
    ),
)

_HEADLINES = ("referrals", "cp_open", "cla_open")
RUN_LOG = TableSpec(
    name="run_log",
    columns=(
        Column(name="when", meaning="When the run ended.", style=Style.MOMENT, width=17),
        Column(name="version", meaning="Version of csc-demand.", width=10),
        Column(name="seed", meaning="Seed of the run.", style=Style.GENERAL, width=9),
        Column(name="draws", meaning="Simulated futures.", style=Style.WHOLE, width=9),
        Column(
            name="horizon_months",
            meaning="Months forecast.",
            style=Style.WHOLE,
            width=15,
        ),
        Column(name="census_date", meaning="Census date used.", style=Style.DATE, width=12),
        Column(
            name="list_hashes",
            meaning="A fingerprint of each list's cells, and of the earlier months used.",
            width=36,
        ),
        Column(name="settings_hash", meaning="A fingerprint of settings and scenarios.", width=18),
        Column(name="rows_used", meaning="Rows used of each list.", width=30),
        *(
            Column(
                name=f"{measure}_{what}",
                meaning=f"{measure}: {meaning}",
                style=Style.NUMBER,
                width=22,
            )
            for measure in _HEADLINES
            for what, meaning in (
                ("now", "at the census date (referrals: average month so far)."),
                ("12m_mean", "expected in 12 months (or at the horizon's end)."),
                ("12m_low", "low end of the 80% range."),
                ("12m_high", "high end of the 80% range."),
            )
        ),
        Column(name="previous_hash", meaning="Fingerprint of the previous row: a chain.", width=18),
        Column(name="packages", meaning="Versions of the packages used.", width=60),
    ),
)
