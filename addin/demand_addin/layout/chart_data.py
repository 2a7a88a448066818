"""The blocks of sheet Chart data that the charts are bound to.

All blocks have the same rows: a row of series names (the legends), then
`CHART_ROWS` months. What a run does not fill repeats its last month: on a date
axis a repeated month draws nothing, in Excel and in LibreOffice alike, so one
fixed range serves any horizon up to 120 months with up to 36 of history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from demand_addin.layout.declare import Area

CHART_ROWS = 158
"""36 months of history, the census date, 121 months of forecast."""

HEADING_ROW = 5
"""1-based row of the series' names on the sheet."""

FAN_MEASURES = ("referrals", "cp_open", "cla_open")
FLOW_MEASURES = ("cp", "cla")

FAN_COLUMNS = (
    "month",
    "below the range",
    "lower 95%",
    "lower 80%",
    "50% of futures",
    "80% of futures",
    "95% of futures",
    "Average forecast",
    "Today's level",
    "History",
)
COMPARE_COLUMNS = ("month", "History", "Line 1", "Line 2", "Line 3", "Line 4")
HIDDEN_COLUMNS = (
    "month",
    "Referrals not made",
    "Came back",
    "Will not come back",
    "Still hidden",
)
PLACEMENT_LINES = 4
PLACEMENT_COLUMNS = (
    "month",
    *(f"Group {i}, past" for i in range(1, PLACEMENT_LINES + 1)),
    *(f"Group {i}" for i in range(1, PLACEMENT_LINES + 1)),
)
FLOW_COLUMNS = ("month", "Starts", "Ends", "Starts, forecast", "Ends, forecast")

_SIZES = (
    *((f"chart_fan_{m}", FAN_COLUMNS) for m in FAN_MEASURES),
    *((f"chart_compare_{m}", COMPARE_COLUMNS) for m in FAN_MEASURES),
    ("chart_hidden_need", HIDDEN_COLUMNS),
    ("chart_placement", PLACEMENT_COLUMNS),
    *((f"chart_flows_{m}", FLOW_COLUMNS) for m in FLOW_MEASURES),
)


def column_letters(number: int) -> str:
    """Return the letters of a 1-based column number.

    >>> column_letters(28)
    'AB'
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def side_by_side(
    heads: Mapping[str, Sequence[str]], rows: Mapping[str, int], heading_row: int
) -> tuple[Area, ...]:
    """Areas beside one another, a column apart, by name: a row of headings, then `rows`."""
    areas, first = [], 1
    for name, columns in heads.items():
        cell = f"{column_letters(first)}{heading_row}"
        areas.append(Area(name=name, cell=cell, rows=rows[name] + 1, columns=len(columns)))
        first += len(columns) + 1
    return tuple(areas)


def _blocks() -> tuple[Area, ...]:
    """Lay the blocks side by side, one blank column between them."""
    areas, first = [], 1
    for name, columns in _SIZES:
        cell = f"{column_letters(first)}{HEADING_ROW}"
        areas.append(Area(name=name, cell=cell, rows=CHART_ROWS + 1, columns=len(columns)))
        first += len(columns) + 1
    return tuple(areas)


BLOCKS = _blocks()
HEADINGS = dict(_SIZES)
"""Block name to the headings that the template shows before the first run."""

SCENARIO_NAMES = Area(
    name="scenario_names",
    cell=f"{column_letters(1 + sum(b.columns + 1 for b in BLOCKS))}{HEADING_ROW + 1}",
    rows=40,
)
"""Names that the drop-downs on Settings offer."""
