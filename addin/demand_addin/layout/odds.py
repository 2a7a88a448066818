"""The analyst's odds on scenarios, beside the table of scenarios, and the words it takes.

Right of the table, which grows downwards; a link below the sheet's title leads there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Column, SheetSpec, Style, TableSpec
from demand_addin.layout.styles import GREY, MAROON, Formats
from demand_addin.layout.tables import SCENARIOS
from demand_addin.ports import CellValue
from demand_addin.scenario_sheet import FLOWS
from demand_model.simulation.mixture import MIXTURE
from demand_model.simulation.presets import SOURCES
from demand_model.system.variables import VARIABLES

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

SHEET = "Scenarios"
ROOM = 20
"""Scenarios that odds can be given to."""

SCENARIO_ODDS = TableSpec(
    name="scenario_odds",
    first_row=SCENARIOS.first_row,
    first_column=len(SCENARIOS.columns) + 2,
    room=ROOM,
    columns=(
        Column(
            name="scenario",
            meaning="A scenario of the table at the left whose include is Yes; Baseline is always "
            "run.",
            is_input=True,
            width=34,
        ),
        Column(
            name="odds",
            meaning=f"How likely you think it is, such as 40%. Together 100%: a run then adds the "
            f'forecast "{MIXTURE}". All blank: none is made.',
            is_input=True,
            style=Style.SHARE,
            width=15,
        ),
    ),
)


_WORDS_COLUMN = SCENARIO_ODDS.first_column + len(SCENARIO_ODDS.columns) + 1
_LETTERS = column_letters(_WORDS_COLUMN)
FLOW_WORDS = (
    f"=${_LETTERS}${SCENARIOS.first_row + 1}:${_LETTERS}${SCENARIOS.first_row + len(FLOWS)}"
)
"""Where the words stand that column flow takes, for its drop-down."""

UNITS = {
    "from": "date, or\nmonths",
    "to": "date, or\nmonths",
    "amount": "factor, or\nchildren\na month",
    "ramp_months": "months",
    "plan_ends": "factor",
    "care_ends": "factor",
    "share_returning": "share, 0 to 1",
    "return_delay_months": "months",
    "return_spread_months": "months",
    "severity": "factor",
    "new_normal": "factor",
    "source": "with its date",
}
"""What a number is, above the heading of its column: a table has one row of headings."""

_KEPT = {
    "validate": "custom",
    "value": "=FALSE",
    "input_title": "Total of the odds",
    "input_message": "Adds up the odds below; a run wants 100%. Type there, not here.",
    "error_title": "Please check",
    "error_message": "This cell adds up the odds below it. Type the odds there.",
}
"""Tables grow on unprotected sheets only, so a rule keeps the one formula here from typing."""

_MORE_WORDS = {
    "referral_nfa": "Referrals closed without further action",
    "re_referrals": "Referrals that are re-referrals",
    "free_places": "What free places do to entries to care (0 with Multiply: a guarded threshold)",
    "workers": "Posts for social workers (with Add only)",
}


def odds_rows() -> tuple[tuple[CellValue, ...], ...]:
    """Return the rows of an empty workbook: its scenarios without odds, then blank rows."""
    named = tuple((name, None) for name in SOURCES)
    return (*named, *((None, None),) * (ROOM - len(named)))


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw what stands round the tables: the way to the odds, their total, words for flows."""
    del spec, book
    head = SCENARIOS.first_row - 1
    left = SCENARIO_ODDS.first_column - 1
    first, total = (column_letters(left + n) for n in (1, 2))
    ws.write_url(
        head - 1,
        1,
        f"internal:'{SHEET}'!{first}{head + 1}",
        formats.link,
        f"Odds, for a weighted mix: at the right, column {first}",
        "Go to the odds",
    )
    _units(ws, formats)
    ws.write_string(head - 2, left, "Odds on scenarios: 100% in all, or blank", formats.heading)
    ws.write_string(head - 1, left, "Total", formats.get(font_color=GREY, valign="bottom"))
    in_all = formats.get(num_format="0%;-0%;", bold=True, align="right", valign="bottom")
    ws.write_formula(head - 1, left + 1, f"=SUM({SCENARIO_ODDS.name}[odds])", in_all, 0)
    ws.data_validation(head - 1, left + 1, head - 1, left + 1, _KEPT)
    at = f"${total}${head}"
    wrong = {
        "type": "formula",
        "criteria": f"=AND({at}<>0,ABS({at}-1)>0.005)",
        # The colour comes with words, for who cannot tell it.
        "format": formats.get(
            bold=True, font_color="#FFFFFF", bg_color=MAROON, num_format='0%" not 100%"'
        ),
    }
    ws.conditional_format(head - 1, left + 1, head - 1, left + 1, wrong)
    ws.set_column(left - 1, left - 1, 3)
    ws.set_column(left + 2, left + 2, 3)
    _flow_words(ws, formats)
    ws.freeze_panes(head + 1, 1)


def _units(ws: Worksheet, formats: Formats) -> None:
    row = SCENARIOS.first_row - 2
    ws.set_row(row, 40)
    for column, heading in enumerate(SCENARIOS.headings):
        if heading in UNITS:
            side = {"align": "left", "indent": 1} if heading == "source" else {"align": "right"}
            look = formats.get(font_color=GREY, text_wrap=True, valign="bottom", **side)
            ws.write_string(row, column, UNITS[heading], look)


def _flow_words(ws: Worksheet, formats: Formats) -> None:
    row, left = SCENARIOS.first_row, _WORDS_COLUMN - 1
    ws.set_column(left, left, 20)
    ws.set_column(left + 1, left + 1, 70)
    ws.write_string(row - 1, left, "Words for flow", formats.column_heading)
    ws.write_string(row - 1, left + 1, "What it is", formats.column_heading)
    for number, name in enumerate(FLOWS):
        told = _MORE_WORDS.get(name) or VARIABLES[name].label
        ws.write_string(row + number, left, name, formats.get())
        ws.write_string(row + number, left + 1, told, formats.get())
