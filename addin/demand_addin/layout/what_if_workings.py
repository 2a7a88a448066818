"""Sheet What-if workings: the formulas, a row a month, and their scalars below.

To the right stand three blocks of children by month (rows) and months since they entered
(columns): each cell is the one up and to the left of it times the share who stay. The
coefficients of each column stand above it. Functions are those of Excel 2016.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import what_if as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, SheetSpec, Style
from demand_addin.layout.styles import Formats
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.results.what_if_starts import KERNEL_MONTHS
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR

COEFFICIENTS_ROW = 4
HEAD_ROW = 11
FIRST_ROW = 12
LAST_ROW = FIRST_ROW + declared.MONTHS - 1
"""1-based rows: coefficients above the blocks, headings, months."""

SOURCES_ROW = LAST_ROW + 5

COLUMNS = (
    "month", "month end", "days before", "days after", "changes hold", "lockdown",
    "share of hidden need that leaves",
    "referrals not made", "referrals", "not made, weighted for plans", "weighted for plans",
    "not made, weighted for care", "weighted for care",
    "plans started", "change of plan ends", "its square / 2", "open plans left", "new plans",
    "children on plans",
    "into care from plans", "into care", "UASC into care",
    "change home", "change other", "home squared / 2", "home x other", "other squared / 2",
    "open care left", "new care", "new UASC", "children in care",
    "referrals shown", "weeks", "price", "baseline cost £", "what-if cost £",
)  # fmt: skip
CHART_HEADS = (
    "month",
    "Baseline",
    "What-if",
    "Baseline",
    "What-if",
    "Baseline",
    "What-if",
)
SCALARS = (
    *(
        f"{what}, {of}"
        for of in ("referrals", "plans", "care")
        for what in ("before", "after", "fall before", "fall after")
    ),
    "return begins on day",
    "return lasts days",
    "care £ a week",
    "days a month",
    "days a year",
    "days a week",
    "row in 6 months",
    "row in 12 months",
    "row in 24 months",
)
_CONSTANTS = {
    "days a month": DAYS_PER_MONTH,
    "days a year": DAYS_PER_YEAR,
    "days a week": float(DAYS_PER_WEEK),
}

CHART_FIRST = len(COLUMNS) + 2
"""1-based column of the charts' block."""

CHART_BLOCK = Area(
    name="what_if_charts",
    cell=f"{column_letters(CHART_FIRST)}{HEAD_ROW}",
    rows=declared.MONTHS + 1,
    columns=len(CHART_HEADS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Children by month and months since entry.

    Attributes
    ----------
    first
        1-based column of month 0 since entry.
    rows
        Rows of sheet What-if data's block by months since entry that stand above it.
    levers
        Columns of `COLUMNS` that the responses multiply.
    """

    title: str
    first: int
    rows: tuple[str, ...]
    levers: tuple[str, ...]
    starts: str

    def column(self, since: int) -> str:
        return column_letters(self.first + since)

    def span(self, row: int, count: int, *, fixed_row: bool = False) -> str:
        mark = "$" if fixed_row else ""
        return f"{self.column(0)}{mark}{row}:{self.column(count - 1)}{mark}{row}"


_CARE_LEVERS = (
    "change home",
    "change other",
    "home squared / 2",
    "home x other",
    "other squared / 2",
)
_STRIDE = declared.MONTHS + 2
_PLANS = _Grid(
    title="Children who start a plan, by months since (from 0 at the left)",
    first=CHART_FIRST + len(CHART_HEADS) + 1,
    rows=declared.ENTRY_ROWS[:4],
    levers=("change of plan ends", "its square / 2"),
    starts="plans started",
)
_CARE = _Grid(
    title="Children who come into care, by months since (from 0 at the left)",
    first=_PLANS.first + _STRIDE,
    rows=declared.ENTRY_ROWS[4:10],
    levers=_CARE_LEVERS,
    starts="into care",
)
_UASC = _Grid(
    title="UASC who come into care, by months since (from 0 at the left)",
    first=_CARE.first + _STRIDE,
    rows=declared.ENTRY_ROWS[10:],
    levers=_CARE_LEVERS,
    starts="UASC into care",
)
_GRIDS = (_PLANS, _CARE, _UASC)
_TO_CARE_ROW = COEFFICIENTS_ROW + _PLANS.rows.index("plans: go on to care")


def column(heading: str) -> str:
    """Return the letters of a column of the months.

    >>> column("month end")
    'B'
    """
    return column_letters(1 + COLUMNS.index(heading))


def months_of(heading: str) -> str:
    """Return the absolute reference of a column's months, from any sheet."""
    letters = column(heading)
    return f"'{declared.WORKINGS_SHEET}'!${letters}${FIRST_ROW}:${letters}${LAST_ROW}"


def scalar(name: str) -> str:
    """Return the absolute reference of a scalar, from any sheet."""
    return f"'{declared.WORKINGS_SHEET}'!{_scalar(name)}"


def _scalar(name: str) -> str:
    return f"$I${SOURCES_ROW + SCALARS.index(name)}"


def _data(heading: str, month: int) -> str:
    top, left = declared.MONTH_BLOCK.corner
    letters = column_letters(left + 1 + declared.MONTH_COLUMNS.index(heading))
    return f"'{declared.DATA_SHEET}'!${letters}${top + 1 + month}"


def _at(heading: str, row: int) -> str:
    return f"${column(heading)}{row}"


def _lever(key: str) -> str:
    return declared.INPUTS[key].name


def month_formulas(month: int) -> Mapping[str, str]:
    """Return the formulas of one month's row, by heading; `month` is from 0."""
    row = FIRST_ROW + month
    return {
        **_time(month, row),
        **_referrals(month, row),
        **_plans(month, row),
        **_care(month, row),
        **_shown(month, row),
    }


def _time(month: int, row: int) -> dict[str, str]:
    end, after = _data("month end", month), _lever("lockdown_after_months")
    number, begins = f"$A{row}", _scalar("return begins on day")

    def left_by(heading: str) -> str:
        return f"MAX(0,MIN(1,({_at(heading, row)}-{begins})/{_scalar('return lasts days')}))"

    return {
        "month end": f'=IF({end}="","",{end})',
        "days before": f"={_at('days after', row - 1)}" if month else "=0",
        "days after": f"={_data('days from the census date to its end', month)}",
        "changes hold": f"=IF({number}>={_lever('start_after_months')},1,0)",
        "lockdown": f"=IF(AND({number}>={after},{number}<{after}+{_lever('lockdown_months')}),1,0)",
        "share of hidden need that leaves": f"={left_by('days after')}-{left_by('days before')}",
    }


def _referrals(month: int, row: int) -> dict[str, str]:
    ordinary, held = _data("referrals to come", month), _at("changes hold", row)
    out = {}
    for of, hidden, total in (
        ("referrals", "referrals not made", "referrals"),
        ("plans", "not made, weighted for plans", "weighted for plans"),
        ("care", "not made, weighted for care", "weighted for care"),
    ):
        before, after, fall, fall_after = (
            _scalar(f"{what}, {of}") for what in ("before", "after", "fall before", "fall after")
        )
        letters = column(hidden)
        back = f"{_lever('share_returning')}*{_at('share of hidden need that leaves', row)}"
        out[hidden] = f"={ordinary}*{_at('lockdown', row)}*({fall}+({fall_after}-{fall})*{held})"
        out[total] = (
            f"={ordinary}*({before}+({after}-{before})*{held})-{_at(hidden, row)}"
            f"+{back}*SUM({letters}${FIRST_ROW}:{letters}${LAST_ROW})"
        )
    return out


def _from_referrals(stock: str, month: int, row: int) -> str:
    """Return what referrals of this month and the seven before lead to."""
    terms = [_data(f"{stock}: from earlier referrals", month)]
    for lag in range(min(KERNEL_MONTHS, month + 1)):
        rate = _data(f"{stock}: a referral, lag {lag}", month)
        terms.append(f"{rate}*{_at(f'weighted for {stock}', row - lag)}")
    return "+".join(terms)


def _moved(row: int, lever: str, in_lockdown: str) -> str:
    held, locked = _at("changes hold", row), _at("lockdown", row)
    return f"=(1+{_lever(lever)}*{held})*(1+{_lever(in_lockdown)}*{locked})-1"


def _left(before: str, month: int, row: int, stock: str, responses: tuple[str, ...]) -> str:
    """Return who is left of those open at the census date."""
    levers = _PLANS.levers if stock == "open plans" else _CARE.levers
    power = "+".join(
        f"{_at(lever, row)}*{_data(response, month)}"
        for lever, response in zip(levers, responses, strict=True)
    )
    return f"={before}*MIN(1,{_data(f'{stock}: stay', month)}*EXP({power}))"


def _plans(month: int, row: int) -> dict[str, str]:
    responses = tuple(h for h in declared.MONTH_COLUMNS if h.startswith("open plans: response"))
    change = _at("change of plan ends", row)
    before = _at("open plans left", row - 1) if month else declared.FACTS["plans"].name
    grow = f"(1+{_lever('conversion_to_plans')}*{_at('changes hold', row)})"
    return {
        "plans started": f"=({_from_referrals('plans', month, row)})*{grow}"
        f"+{_data('plans: no referral', month)}",
        "change of plan ends": _moved(row, "plan_ends", "lockdown_plan_ends"),
        "its square / 2": f"={change}*{change}/2",
        "open plans left": _left(before, month, row, "open plans", responses),
        "new plans": f"=SUM({_PLANS.span(row, month + 1)})",
        "children on plans": f"=({_at('open plans left', row)}+{_at('new plans', row)})"
        f"*{_data('plans: correction', month)}",
    }


def _care(month: int, row: int) -> dict[str, str]:
    responses = tuple(h for h in declared.MONTH_COLUMNS if h.startswith("open care: response"))
    held, home, other = (_at(h, row) for h in ("changes hold", "change home", "change other"))
    open_plans = _at("open plans left", row - 1) if month else declared.FACTS["plans"].name
    from_plans = f"={open_plans}*{_data('care: a child on an open plan', month)}"
    if month:
        since = f"{_PLANS.span(row - 1, month)},{_PLANS.span(_TO_CARE_ROW, month, fixed_row=True)}"
        from_plans += f"+SUMPRODUCT({since})*{_data('care: children on new plans, factor', month)}"
    before = _at("open care left", row - 1) if month else declared.FACTS["care"].name
    parts = "+".join(_at(h, row) for h in ("open care left", "new care", "new UASC"))
    return {
        "into care from plans": from_plans,
        "into care": f"=({_from_referrals('care', month, row)}+{_data('care: no referral', month)}"
        f"+{_at('into care from plans', row)})*(1+{_lever('entries_to_care')}*{held})",
        "UASC into care": f"={_data('care: UASC', month)}*(1+{_lever('uasc_entries')}*{held})",
        "change home": _moved(row, "care_ends_home", "lockdown_care_ends"),
        "change other": _moved(row, "care_ends_other", "lockdown_care_ends"),
        "home squared / 2": f"={home}*{home}/2",
        "home x other": f"={home}*{other}",
        "other squared / 2": f"={other}*{other}/2",
        "open care left": _left(before, month, row, "open care", responses),
        "new care": f"=SUM({_CARE.span(row, month + 1)})",
        "new UASC": f"=SUM({_UASC.span(row, month + 1)})",
        "children in care": f"=({parts})*{_data('care: correction', month)}",
    }


def _shown(month: int, row: int) -> dict[str, str]:
    care, plan = _scalar("care £ a week"), _lever("cost_plan")
    scale = f"{_at('weeks', row)}*{_at('price', row)}"
    days = f"({_at('days after', row)}-{_at('days before', row)})"
    baseline = [_data(f"baseline: children {where}", month) for where in ("in care", "on plans")]
    what_if = [_at(f"children {where}", row) for where in ("in care", "on plans")]
    return {
        "referrals shown": f"={_data('referrals already observed', month)}+{_at('referrals', row)}",
        "weeks": f"=MAX(0,{days})/{_scalar('days a week')}",
        "price": f"=(1+{_lever('inflation')})^({_at('days after', row)}/{_scalar('days a year')})",
        "baseline cost £": f"=({baseline[0]}*{care}+{baseline[1]}*{plan})*{scale}",
        "what-if cost £": f"=({what_if[0]}*{care}+{what_if[1]}*{plan})*{scale}",
    }


def chart_formulas(month: int) -> tuple[str, ...]:
    """Return a row of the charts' block: beyond the horizon the last month is repeated."""
    count = declared.FACTS["months"].name
    at = f"MIN($A{FIRST_ROW + month}+1,{count})"

    def value(reference: str) -> str:
        return f'=IF({count}=0,"",INDEX({reference},{at}))'

    def baseline(heading: str) -> str:
        first = _data(f"baseline: {heading}", 0)
        last = _data(f"baseline: {heading}", declared.MONTHS - 1).split("!")[1]
        return value(f"{first}:{last}")

    def mine(heading: str) -> str:
        letters = column(heading)
        return value(f"${letters}${FIRST_ROW}:${letters}${LAST_ROW}")

    ends = f"INDEX($B${FIRST_ROW}:$B${LAST_ROW},{at})"
    day = f'=IF({count}=0,"",DATE(YEAR({ends}),MONTH({ends}),MIN(DAY({ends}),28)))'
    return (
        day,
        baseline("referrals"),
        mine("referrals shown"),
        baseline("children on plans"),
        mine("children on plans"),
        baseline("children in care"),
        mine("children in care"),
    )


def scalar_formulas() -> Mapping[str, str | float]:
    """Return the scalars, by name."""
    last = SOURCES_ROW + len(SOURCE_GROUPS) - 1

    def span(letters: str) -> str:
        return f"${letters}${SOURCES_ROW}:${letters}${last}"

    out: dict[str, str | float] = {}
    for of, weight in zip(("referrals", "plans", "care"), map(span, "DEF"), strict=True):
        out[f"before, {of}"] = f"=SUM({weight})"
        out[f"after, {of}"] = f"=SUMPRODUCT({weight},{span('B')})"
        out[f"fall before, {of}"] = f"=SUMPRODUCT({weight},{span('C')})"
        out[f"fall after, {of}"] = f"=SUMPRODUCT({weight},{span('B')},{span('C')})"
    over = f"({_lever('lockdown_after_months')}+{_lever('lockdown_months')})"
    ends = f"${column('days after')}${FIRST_ROW}:${column('days after')}${LAST_ROW}"
    out["return begins on day"] = (
        f"=IF({over}>{declared.FACTS['months'].name},1E9,IF({over}=0,0,INDEX({ends},{over})))"
        f"+{_lever('return_delay_months')}*{_scalar('days a month')}"
    )
    out["return lasts days"] = (
        f"=MAX({_lever('return_spread_months')},0.000001)*{_scalar('days a month')}"
    )
    out["care £ a week"] = f"=SUMPRODUCT({declared.PLACEMENTS.name},{declared.UNIT_COSTS.name})"
    for months in (6, 12, 24):
        then = f"EOMONTH({declared.FACTS['census_date'].name},{months})"
        span_of_ends = f"$B${FIRST_ROW}:$B${LAST_ROW}"
        out[f"row in {months} months"] = f"=IFERROR(MATCH({then},{span_of_ends},0),0)"
    return out | _CONSTANTS


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Write the formulas; they show nothing until a run has written the data."""
    del spec, book
    head = formats.column_heading
    ws.set_column(0, CHART_FIRST + len(CHART_HEADS), 11)
    ws.set_column(_PLANS.first - 1, _UASC.first + declared.MONTHS, 7)
    ws.set_row(HEAD_ROW - 1, 54)
    for index, text in enumerate(COLUMNS):
        ws.write_string(HEAD_ROW - 1, index, text, head)
    for index, text in enumerate(CHART_HEADS, start=CHART_FIRST - 1):
        ws.write_string(HEAD_ROW - 1, index, text, head)
    number, day = formats.get(num_format="#,##0.000"), formats.get(num_format="mmm yyyy")
    for month in range(declared.MONTHS):
        row = FIRST_ROW + month
        ws.write_number(f"A{row}", month, formats.output(Style.WHOLE))
        for heading, formula in month_formulas(month).items():
            style = day if heading == "month end" else number
            ws.write_formula(f"{column(heading)}{row}", formula, style, "")
        for index, formula in enumerate(chart_formulas(month), start=CHART_FIRST - 1):
            ws.write_formula(row - 1, index, formula, number if index >= CHART_FIRST else day, "")
    for grid in _GRIDS:
        _draw_grid(ws, grid, formats)
    _draw_sources(ws, formats)
    ws.freeze_panes(FIRST_ROW - 1, 2)
    ws.print_area(0, 0, SOURCES_ROW + len(SCALARS), len(COLUMNS) - 1)


def _draw_grid(ws: Worksheet, grid: _Grid, formats: Formats) -> None:
    number, small = formats.get(num_format="0.000"), formats.get(num_format="0.0000")
    ws.write_string(f"{grid.column(0)}2", grid.title, formats.heading)
    top, left = declared.ENTRY_BLOCK.corner
    for offset, heading in enumerate(grid.rows):
        row = COEFFICIENTS_ROW + offset
        ws.write_string(row - 1, grid.first - 2, heading, formats.note)
        source = top + 1 + declared.ENTRY_ROWS.index(heading)
        for since in range(declared.MONTHS):
            cell = f"'{declared.DATA_SHEET}'!{column_letters(left + 1 + since)}${source}"
            ws.write_formula(f"{grid.column(since)}{row}", f"={cell}", small, "")
    for since in range(declared.MONTHS):
        ws.write_number(f"{grid.column(since)}{HEAD_ROW}", since, formats.column_heading)
    for month, since in itertools.product(range(declared.MONTHS), range(declared.MONTHS)):
        if since <= month:
            cell = f"{grid.column(since)}{FIRST_ROW + month}"
            ws.write_formula(cell, grid_formula(grid, month, since), number, "")


def grid_formula(grid: _Grid, month: int, since: int) -> str:
    """Return who is left, in `month`, of those who entered `since` months before."""
    row, letters = FIRST_ROW + month, grid.column(since)
    before = f"{grid.column(since - 1)}{row - 1}" if since else _at(grid.starts, row)
    power = "+".join(
        f"{_at(lever, row)}*{letters}${COEFFICIENTS_ROW + 1 + n}"
        for n, lever in enumerate(grid.levers)
    )
    return f"={before}*MIN(1,{letters}${COEFFICIENTS_ROW}*EXP({power}))"


def _draw_sources(ws: Worksheet, formats: Formats) -> None:
    number = formats.get(num_format="0.0000")
    heads = ("source", "referrals, factor", "fall in the lockdown", *declared.SOURCE_COLUMNS)
    for index, text in enumerate(heads):
        ws.write_string(SOURCES_ROW - 2, index, text, formats.column_heading)
    for index, text in enumerate(("for all months", "value"), start=7):
        ws.write_string(SOURCES_ROW - 2, index, text, formats.column_heading)
    changes, falls, weights = (
        area.corner for area in (declared.SOURCE_CHANGES, declared.SOURCE_FALLS, declared.SOURCES)
    )
    for number_of, source in enumerate(SOURCE_GROUPS):
        row = SOURCES_ROW + number_of
        fall = f"'{declared.SHEET}'!$C${falls[0] + 1 + number_of}"
        own = f"'{declared.SHEET}'!$B${changes[0] + 1 + number_of}"
        ws.write_string(f"A{row}", source, formats.get())
        ws.write_formula(f"B{row}", f"=(1+{_lever('referrals')})*(1+{own})", number, "")
        ws.write_formula(f"C{row}", f'=IF({fall}="",{_lever("lockdown_fall")},{fall})', number, "")
        for offset, letters in enumerate("DEF"):
            cell = f"{column_letters(weights[1] + 1 + offset)}${weights[0] + 1 + number_of}"
            ws.write_formula(f"{letters}{row}", f"='{declared.DATA_SHEET}'!{cell}", number, "")
    values = scalar_formulas()
    for offset, name in enumerate(SCALARS):
        row, value = SOURCES_ROW + offset, values[name]
        ws.write_string(f"H{row}", name, formats.get())
        if isinstance(value, str):
            ws.write_formula(f"I{row}", value, number, "")
        else:
            ws.write_number(f"I{row}", value, number)
