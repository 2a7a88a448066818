"""Sheet Memory: what earlier runs saw and said. Counts only; no row about a child."""

from __future__ import annotations

from demand_addin.layout.declare import Column, Kind, SheetSpec, Style, TableSpec

MEMORY_MONTHS = TableSpec(
    name="memory_months",
    columns=(
        Column(name="month", meaning="Last day of the month.", style=Style.DATE, width=12),
        *(
            Column(name=name, meaning=meaning, style=Style.WHOLE, width=11)
            for name, meaning in (
                ("referrals", "Referrals of the month, as the lists of a run showed them."),
                ("cp_starts", "Protection plans started in the month."),
                ("cp_ends", "Protection plans ended in the month."),
                ("cp_open", "Protection plans open at the month's end."),
                ("cla_starts", "Children who came into care in the month."),
                ("cla_ends", "Children who left care in the month."),
                ("cla_open", "Children in care at the month's end."),
            )
        ),
    ),
)

MEMORY_FORECASTS = TableSpec(
    name="memory_forecasts",
    first_column=10,
    columns=(
        Column(
            name="made_on",
            meaning="Census date that the forecast was made from.",
            style=Style.DATE,
            width=12,
        ),
        Column(
            name="month_end",
            meaning="The month forecast. Where it is the census date: the count then.",
            style=Style.DATE,
            width=12,
        ),
        Column(name="measure", meaning="As on sheet Forecast.", width=12),
        Column(name="mean", meaning="Average forecast.", style=Style.NUMBER, width=10),
        *(
            Column(
                name=name,
                meaning=f"{share}% of the simulated futures were at or below this.",
                style=Style.NUMBER,
                width=9,
            )
            for name, share in (("p2_5", "2.5"), ("p10", "10"), ("p90", "90"), ("p97_5", "97.5"))
        ),
        Column(name="scenario", meaning="A scenario of sheet Scenarios.", width=34),
    ),
)

MEMORY_SHEET = SheetSpec(
    name="Memory",
    kind=Kind.OUTPUT,
    title="Memory: what earlier runs saw and said",
    purpose="Kept by the model, so that it learns from month to month. Counts only, small ones "
    "too: keep them in your authority. Left: months of earlier lists. Right: earlier forecasts.",
    tables=(MEMORY_MONTHS, MEMORY_FORECASTS),
    is_protected=True,
    is_too_long_to_print=True,
)
