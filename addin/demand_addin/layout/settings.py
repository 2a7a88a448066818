"""The settings of a run, declared once: Settings sheet, its prompts, and who reads them."""

from __future__ import annotations

from demand_addin.layout.declare import Setting, Style

_WINDOW_NOTE = (
    "Blank: detected from the list's dates. Set it if the detected window on sheet Checks is wrong."
)
_AT_ANY_TIME, _EACH_EXTRACT, _OURS = "at any time", "each extract", "November 2026"
"""Of when a value is: the analyst's choice, the lists', or this product's own judgement."""
_COMPARE_NOTE = "A scenario of sheet Scenarios. Blank leaves the line out of the charts."


def _window(number: int) -> Setting:
    return Setting(
        key=f"window_months_list_{number}",
        label=f"Window of List {number}",
        default=None,
        unit="whole months",
        note=_WINDOW_NOTE,
        source="Annex A asks for 6 months; longer extracts give better forecasts",
        dated=_EACH_EXTRACT,
        style=Style.WHOLE,
        least=1,
        most=240,
    )


def _compared(number: int, default: str) -> Setting:
    return Setting(
        key=f"compare_scenario_{number}",
        label=f"Scenario compared, line {number}",
        default=default,
        unit="name",
        note=_COMPARE_NOTE,
        source="your choice",
        dated=_AT_ANY_TIME,
        choices_from="scenario_names",
        blank_leaves_out=True,
    )


SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="authority",
        label="Authority",
        default=None,
        unit="name",
        note="Shown on the Dashboard and in the run log.",
        source="your authority",
        dated=_AT_ANY_TIME,
    ),
    Setting(
        key="census_date",
        label="Census date",
        default=None,
        unit="date",
        note="The day on which the lists were extracted. Blank: detected from the lists.",
        source="your extract",
        dated=_EACH_EXTRACT,
        style=Style.DATE,
    ),
    _window(3),
    _window(7),
    _window(8),
    Setting(
        key="horizon_months",
        label="Horizon",
        default=24,
        unit="whole months, 1 to 120",
        note="How far ahead to forecast. Ranges beyond 36 months are very wide.",
        source="two budget years",
        dated=_OURS,
        style=Style.WHOLE,
        least=1,
        most=120,
    ),
    Setting(
        key="draws",
        label="Simulated futures",
        default=1000,
        unit="number, 100 to 20,000",
        note="More futures make the ranges steadier and the run slower.",
        source="1,000 holds the 80% range steady to about 1%",
        dated=_OURS,
        style=Style.WHOLE,
        least=100,
        most=20_000,
    ),
    Setting(
        key="seed",
        label="Seed",
        default=2020,
        unit="whole number",
        note="The same lists, settings and seed give the same forecast. Any number will do.",
        source="arbitrary",
        dated=_OURS,
        style=Style.WHOLE,
        least=0,
        most=2_147_483_647,
    ),
    Setting(
        key="child_population",
        label="Children living in the area",
        default=None,
        unit="children aged 0 to 17",
        note="Blank: the Dashboard shows no rates per 10,000 children.",
        source="ONS mid-year population estimates",
        dated="the latest mid-year",
        style=Style.WHOLE,
        least=1,
        most=2_000_000,
    ),
    Setting(
        key="include_short_breaks",
        label="Include short breaks (V3, V4)",
        default="No",
        unit="Yes or No",
        note="DfE's figures of children looked after leave short breaks out.",
        source="DfE, Children looked after in England: methodology",
        dated=_OURS,
        choices=("Yes", "No"),
    ),
    Setting(
        key="interval_shown",
        label="Range shown",
        default=80,
        unit="80 or 95 (per cent)",
        note="The range in the Dashboard's table. The charts always shade 50%, 80% and 95%.",
        source="80%: one future in five falls outside",
        dated=_OURS,
        style=Style.WHOLE,
        choices=("80", "95"),
    ),
    Setting(
        key="fan_scenario",
        label="Scenario of the fan charts",
        default="Baseline",
        unit="name",
        note="A scenario of sheet Scenarios, or Weighted mix where odds stand there; the "
        "sentences and the table above show it too.",
        source="your choice",
        dated=_AT_ANY_TIME,
        choices_from="scenario_names",
    ),
    _compared(1, "Baseline"),
    _compared(2, "Lockdown like spring 2020"),
    _compared(3, "Lockdown with all of it returning"),
    _compared(4, "New normal -10%"),
    Setting(
        key="hidden_need_scenario",
        label="Scenario of the hidden need chart",
        default="Lockdown with all of it returning",
        unit="name",
        note="A scenario of sheet Scenarios that holds a lockdown.",
        source="your choice",
        dated=_AT_ANY_TIME,
        choices_from="scenario_names",
    ),
    Setting(
        key="set_aside_limit",
        label="Cells set aside at most",
        default=5,
        unit="per cent of a column, 0 to 50",
        note="More than this in a needed column, and the run stops: the forecast would be bent.",
        source="judgement",
        dated=_OURS,
        style=Style.WHOLE,
        least=0,
        most=50,
    ),
)
