"""Sheet Accuracy: its tables, areas, and the blocks of sheet Accuracy data behind its charts.

A report of three landscape pages (sentences and pictures first), then the tables
behind it, one below the other, long ones last. `backtest` writes the part of the
back-test, `run` all others; both write values only.
"""

from __future__ import annotations

from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, Column, Style, TableSpec
from demand_model.results.forecast import MEASURE_NAMES

SHEET = "Accuracy"
DATA_SHEET = "Accuracy data"

HEADLINE_MEASURES = ("referrals", "cp_open", "cla_open")

METHOD_WORDS = {
    "model": "this model",
    "no change": "no change",
    "FORECAST.LINEAR": "FORECAST.LINEAR",
}

NOTHING_YET = "Nothing yet"
NO_BACKTEST = "Save and close the workbook, then use: csc-demand backtest, and the workbook's name."
NO_TRACKING = "What each run foresees is kept, and compared here with later lists."
NO_CONTROL = "The first run fills this part: see sheet Start."

COLUMNS = 12
"""The report is twelve columns wide; tables begin in column A."""

_LINES = {"backtest": 18, "tracking": 8, "control": 9}
"""Rows that each part's sentences may take."""

CHART_ROWS = 12
"""Rows of cells that a row of charts covers."""

BACKTEST_ROW = 5
TRACKING_ROW = BACKTEST_ROW + 1 + _LINES["backtest"]
CONTROL_ROW = TRACKING_ROW + 1 + _LINES["tracking"]
TOLD_ROW = CONTROL_ROW + 2 + _LINES["control"]
SCORES_ROW = TOLD_ROW + CHART_ROWS + 3
PAST_ROW = SCORES_ROW + 3 + 7 * 3 + 1
LIMITS_ROW = PAST_ROW + CHART_ROWS + 3
TABLES_ROW = LIMITS_ROW + 3 * CHART_ROWS + 5
"""1-based rows of the captions: of three blocks of sentences; of pictures and scores, below
which stands a note; and of the first long table."""

PAGE_ENDS = (SCORES_ROW - 1, LIMITS_ROW - 1, LIMITS_ROW + 2 + 3 * CHART_ROWS)
"""1-based last rows of the three printed pages; the tables below are not printed."""

SENTENCES = {
    name: Area(name=f"accuracy_{name}", cell=f"A{row + 1}", rows=_LINES[name], columns=2)
    for name, row in (
        ("backtest", BACKTEST_ROW),
        ("tracking", TRACKING_ROW),
        ("control", CONTROL_ROW),
    )
}
"""Measure in column A, sentence from column B on."""

NOTES = {
    name: Area(name=f"accuracy_{name}_note", cell=f"A{row + 1}")
    for name, row in (("told", TOLD_ROW), ("past", PAST_ROW), ("limits", LIMITS_ROW))
}

_MEASURE = Column(name="measure", meaning="What is counted; open is at the month's end.")
_MONTH = Column(name="month_end", meaning="Last day of the month.", style=Style.DATE)
_RANGE = tuple(
    Column(name=name, meaning=f"{share}% of the simulated futures were at or below this.",
           style=Style.NUMBER)
    for name, share in (("p2_5", "2.5"), ("p10", "10"), ("p90", "90"), ("p97_5", "97.5"))
)  # fmt: skip
_MEAN = Column(name="mean", meaning="What the model expected.", style=Style.NUMBER)
_ACTUAL = Column(name="actual", meaning="What happened.", style=Style.NUMBER)

SCORES = TableSpec(
    name="backtest_scores",
    first_row=SCORES_ROW + 2,
    room=7 * 3,
    columns=(
        _MEASURE,
        Column(name="method", meaning="This model, or a simpler way of forecasting."),
        Column(name="forecasts", meaning="Months forecast and compared.", style=Style.WHOLE),
        Column(
            name="average_error",
            meaning="Average distance between forecast and what happened, in children (or "
            "referrals); the smaller, the better.",
            style=Style.NUMBER,
        ),
        Column(
            name="error_share",
            meaning="The same as a share of what happened.",
            style=Style.SHARE_FINE,
        ),
        Column(
            name="bias",
            meaning="Forecast less what happened, on average: above nought the method said too "
            "much.",
            style=Style.NUMBER,
        ),
        Column(
            name="inside_80",
            meaning="Share of what happened that lay inside the 80% range: near 80% is right.",
            style=Style.SHARE,
        ),
        Column(
            name="inside_95",
            meaning="Share of what happened that lay inside the 95% range: near 95% is right.",
            style=Style.SHARE,
        ),
    ),
)

CONTROL = TableSpec(
    name="control",
    first_row=TABLES_ROW + 1,
    room=1_000,
    columns=(
        _MEASURE,
        _MONTH,
        Column(name="value", meaning="As counted.", style=Style.NUMBER),
        Column(
            name="adjusted",
            meaning="What is held against the limits: made comparable between months.",
            style=Style.NUMBER,
        ),
        Column(name="mean", meaning="Average of the adjusted values.", style=Style.NUMBER),
        Column(name="lower", meaning="Low limit of ordinary variation.", style=Style.NUMBER),
        Column(name="upper", meaning="High limit of ordinary variation.", style=Style.NUMBER),
        Column(name="signal", meaning="Why this month is worth asking about; blank: it is not."),
    ),
)

BACKTEST = TableSpec(
    name="backtest",
    first_row=CONTROL.first_row + CONTROL.room + 4,
    room=1_000,
    columns=(
        _MEASURE,
        Column(
            name="months_ahead", meaning="Months after the earlier census date.", style=Style.WHOLE
        ),
        Column(
            name="origin",
            meaning="The earlier census date from which was forecast.",
            style=Style.DATE,
        ),
        _MONTH,
        _ACTUAL,
        _MEAN,
        *_RANGE,
        Column(
            name="no_change",
            meaning="What 'it stays as it is' would have said.",
            style=Style.NUMBER,
        ),
        Column(name="linear", meaning="What FORECAST.LINEAR would have said.", style=Style.NUMBER),
    ),
)

PAST_FORECASTS = TableSpec(
    name="past_forecasts",
    first_row=BACKTEST.first_row + BACKTEST.room + 4,
    columns=(
        _MEASURE,
        Column(
            name="made_on",
            meaning="Census date of the run that forecast it.",
            style=Style.DATE,
        ),
        _MONTH,
        _ACTUAL,
        _MEAN,
        *_RANGE,
        Column(name="error", meaning="Expected less what happened.", style=Style.NUMBER),
        Column(name="inside_80", meaning="Whether what happened lay inside the 80% range."),
        Column(name="inside_95", meaning="Whether what happened lay inside the 95% range."),
    ),
)

TABLES = (SCORES, CONTROL, BACKTEST, PAST_FORECASTS)
AREAS = (*SENTENCES.values(), *NOTES.values())

HEADING_ROW = 5
"""1-based row of the series' names on sheet Accuracy data."""

RANGE_ROWS = 36
"""Months in a chart of a forecast against what happened."""

CONTROL_ROWS = 60
"""Months in a control chart."""

RANGE_COLUMNS = (
    "month",
    "80% range",
    "High end of the range",
    "Average forecast",
    "No change",
    "What happened",
)
CHARTED_WORDS = {
    "referrals": "Adjusted",
    "cp_starts": "Adjusted",
    "cla_starts": "Adjusted",
    "cp_open": "Change in the month",
    "cla_open": "Change in the month",
    "cp_ends": "Each month",
    "cla_ends": "Each month",
}
"""What a control chart's line is, as `demand_model.results.control` makes months comparable."""

COUNTED_TOO = ("referrals", "cp_starts", "cla_starts")
"""Measures whose control charts also show the plain count."""


def control_columns(measure: str) -> tuple[str, ...]:
    """Return the headings of a control chart's block: they are the chart's legend."""
    return (
        "month",
        "As counted" if measure in COUNTED_TOO else "Not drawn",
        CHARTED_WORDS[measure],
        "Average",
        "Ordinary variation",
        "Low limit of it",
        "Worth asking about",
    )


ERROR_COLUMNS = ("measure", *METHOD_WORDS.values())

_SIZES = (
    ("accuracy_errors", ERROR_COLUMNS, len(MEASURE_NAMES)),
    *((f"accuracy_told_{m}", RANGE_COLUMNS, RANGE_ROWS) for m in HEADLINE_MEASURES),
    *((f"accuracy_past_{m}", RANGE_COLUMNS, RANGE_ROWS) for m in HEADLINE_MEASURES),
    *((f"accuracy_control_{m}", control_columns(m), CONTROL_ROWS) for m in MEASURE_NAMES),
)


def _blocks() -> tuple[Area, ...]:
    """Lay the blocks side by side, one blank column between them."""
    areas, first = [], 1
    for name, columns, rows in _SIZES:
        cell = f"{column_letters(first)}{HEADING_ROW}"
        areas.append(Area(name=name, cell=cell, rows=rows + 1, columns=len(columns)))
        first += len(columns) + 1
    return tuple(areas)


BLOCKS = _blocks()
HEADINGS = {name: columns for name, columns, _ in _SIZES}
"""Block name to the headings that the template shows before the first run."""


def block(name: str) -> Area:
    """Return the block called `name`."""
    return next(b for b in BLOCKS if b.name == name)
