"""What Excel accepts in the blue cells of the tables, and what it says where it does not.

Excel's rules are a first help while typing; the readers (`cells`, `scenario_sheet`,
`history_sheet`) judge every cell again, since a paste goes round Excel's rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from demand_addin.layout.declare import Column, Style
from demand_addin.layout.odds import FLOW_WORDS
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.flows import ALL

LONGEST_TEXT = 255
_FURTHEST_MONTH = 120
_YEAR_2000 = 36526
"""1 January 2000 as Excel counts days; more than any number of months."""

Rule = dict[str, object]


def _number(least: float | None = 0, most: float | None = None, *, words: str = "") -> Rule:
    if least is None:
        span: Rule = {"criteria": "between", "minimum": -1e9, "maximum": 1e9}
        said = "a number"
    elif most is None:
        span, said = {"criteria": ">=", "value": least}, f"a number of {least:g} or more"
    else:
        span = {"criteria": "between", "minimum": least, "maximum": most}
        said = f"a number from {least:g} to {most:g}"
    return {"validate": "decimal", **span, "error_message": f"Type {words or said}."}


def _offered(choices: tuple[str, ...]) -> Rule:
    return {
        "validate": "list",
        "source": list(choices),
        "error_title": "Not a choice",
        "error_message": f"Choose one of: {', '.join(choices)}."[:LONGEST_TEXT],
    }


def _listed(source: str, message: str, *, is_strict: bool = True) -> Rule:
    """Offer what stands in some cells; where not strict, another word only needs a yes."""
    strictness: Rule = {} if is_strict else {"error_type": "warning"}
    return {"validate": "list", "source": source, "error_message": message, **strictness}


def _text() -> Rule:
    return {
        "validate": "length",
        "criteria": "<=",
        "value": LONGEST_TEXT,
        "error_message": f"Type at most {LONGEST_TEXT} letters.",
    }


def _day_or_months(cell: str) -> Rule:
    """Take a date, or a whole number of months after the census date."""
    months = f"AND({cell}>=0,{cell}<={_FURTHEST_MONTH},INT({cell})={cell})"
    return {
        "validate": "custom",
        "value": f"=AND(ISNUMBER({cell}),OR({months},{cell}>={_YEAR_2000}))",
        "error_message": "Type a date such as 01/10/2026, or a whole number of months after the "
        f"census date, 0 to {_FURTHEST_MONTH}.",
    }


def _month(cell: str) -> Rule:
    """Take a date, or a month in words, which Excel may keep as a text."""
    return {
        "validate": "custom",
        "value": f"=OR(ISTEXT({cell}),AND(ISNUMBER({cell}),{cell}>=7000,{cell}<80000))",
        "error_message": "Type a date such as 31/03/2026, or words such as Mar 2026.",
    }


_LOCKDOWN = _number(words="a factor of 0 or more: 1 is as usual, 0.9 is a tenth less")
_RULES: Mapping[tuple[str, str], Rule] = {
    ("scenarios", "flow"): _listed(
        FLOW_WORDS, "That is no word for a flow: they stand at the right of this sheet."
    ),
    ("scenarios", "segment"): _offered((ALL, *SOURCE_GROUPS)),
    ("scenarios", "amount"): _number(None),
    ("scenarios", "ramp_months"): _number(0, _FURTHEST_MONTH),
    ("scenarios", "plan_ends"): _LOCKDOWN,
    ("scenarios", "care_ends"): _LOCKDOWN,
    ("scenarios", "share_returning"): _number(0, 1, words="a share from 0 to 1"),
    ("scenarios", "return_delay_months"): _number(0, _FURTHEST_MONTH),
    ("scenarios", "return_spread_months"): _number(0, _FURTHEST_MONTH),
    ("scenarios", "severity"): _LOCKDOWN,
    ("scenarios", "new_normal"): _LOCKDOWN,
    ("scenario_odds", "scenario"): _listed(
        "=scenario_names",
        "No scenario of that name was run so far. Use it all the same?",
        is_strict=False,
    ),
    ("scenario_odds", "odds"): _number(0, 1, words="a share from 0% to 100%"),
}


def rule_of(table: str, column: Column, cell: str) -> Rule:
    """Return the rule and the error message of an input column; the prompt comes apart.

    Parameters
    ----------
    cell
        Address of the column's first cell below the heading.
    """
    if column.choices:
        rule = _offered(column.choices)
    elif (table, column.name) in _RULES:
        rule = dict(_RULES[table, column.name])
    elif table == "scenarios" and column.name in ("from", "to"):
        rule = _day_or_months(cell)
    elif table == "history" and column.style is Style.DATE:
        rule = _month(cell)
    elif column.style in (Style.WHOLE, Style.RATE):
        rule = _number()
    elif column.style is Style.TEXT:
        rule = _text()
    else:
        rule = _number(None)
    return {"error_title": "Please check", **rule}
