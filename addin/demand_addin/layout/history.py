"""Sheet History: the authority's own monthly counts, pasted from a scorecard."""

from __future__ import annotations

from demand_addin.layout.declare import Column, Kind, SheetSpec, Style, TableSpec

_MEANINGS = {
    "referrals": "Referrals received in the month: children, as in List 3.",
    "cp_starts": "Child protection plans that started in the month.",
    "cp_ends": "Child protection plans that ended in the month.",
    "cp_open": "Children on a protection plan on the month's last day.",
    "cla_starts": "Children who came into care in the month; short breaks as on sheet Settings.",
    "cla_ends": "Children who left care in the month; short breaks as on sheet Settings.",
    "cla_open": "Children in care on the month's last day; short breaks as on sheet Settings.",
}

HISTORY = TableSpec(
    name="history",
    columns=(
        Column(
            name="month",
            meaning="The month: any day in it, or words such as Mar 2026. One row a month; "
            "months may be missing.",
            is_input=True,
            style=Style.DATE,
            width=14,
        ),
        *(
            Column(
                name=name,
                meaning=f"{meaning} Blank where it is not known.",
                is_input=True,
                style=Style.WHOLE,
                width=12,
            )
            for name, meaning in _MEANINGS.items()
        ),
        Column(
            name="unusual",
            meaning="Yes: demand was not itself in this month (a strike, a change of system). "
            "The model learns less from it. Blank: a month like others.",
            is_input=True,
            choices=("Yes", "No"),
            width=10,
        ),
    ),
)

HISTORY_SHEET = SheetSpec(
    name="History",
    kind=Kind.PASTE,
    title="History (optional): your own monthly counts",
    purpose="Paste from your scorecard, as far back as it goes; any cell may be blank. Two years "
    "or more improve the forecast. No run ever writes on this sheet.",
    tables=(HISTORY,),
)
