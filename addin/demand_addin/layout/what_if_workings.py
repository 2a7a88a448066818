"""Sheet What-if workings: the formulas, a row a month, and their scalars below.

To the right stand three blocks of children by month (rows) and months since they entered
(columns): each cell is the one up and to the left of it times the share who stay. The
coefficients of each column stand above it. Functions are those of Excel 2016.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import what_if as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import SheetSpec, Style
from demand_addin.layout.styles import Formats
from demand_addin.layout.what_if_columns import (
    CARE,
    CHART_FIRST,
    CHART_HEADS,
    COEFFICIENTS_ROW,
    COLUMNS,
    CONSTANTS,
    COST_ROW,
    FIRST_ROW,
    GRIDS,
    HEAD_ROW,
    LAST_ROW,
    PLANS,
    SCALARS,
    SOURCES_ROW,
    TO_CARE_ROW,
    TODAY_ROW,
    UASC,
    Grid,
    at,
    blue,
    column,
    data,
    local,
)
from demand_addin.layout.what_if_placements import (
    age_formulas,
    draw_groups,
    groups,
    placement_formulas,
    shown_formulas,
)
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.results.what_if_starts import KERNEL_MONTHS


def month_formulas(month: int) -> Mapping[str, str]:
    """Return the formulas of one month's row, by heading; `month` is from 0."""
    row = FIRST_ROW + month
    return {
        **_time(month, row),
        **_referrals(month, row),
        **_plans(month, row),
        **_care(month, row),
        **age_formulas(month, row),
        **placement_formulas(month, row),
        **shown_formulas(month, row),
    }


def _time(month: int, row: int) -> dict[str, str]:
    end, after = data("month end", month), blue("lockdown_after_months")
    number, begins = f"$A{row}", local("return begins on day")

    def left_by(heading: str) -> str:
        return f"MAX(0,MIN(1,({at(heading, row)}-{begins})/{local('return lasts days')}))"

    return {
        "month end": f'=IF({end}="","",{end})',
        "days before": f"={at('days after', row - 1)}" if month else "=0",
        "days after": f"={data('days from the census date to its end', month)}",
        "changes hold": f"=IF({number}>={blue('start_after_months')},1,0)",
        "lockdown": f"=IF(AND({number}>={after},{number}<{after}+{blue('lockdown_months')}),1,0)",
        "share of hidden need that leaves": f"={left_by('days after')}-{left_by('days before')}",
    }


def _referrals(month: int, row: int) -> dict[str, str]:
    ordinary, held = data("referrals to come", month), at("changes hold", row)
    out = {}
    for of, hidden, total in (
        ("referrals", "referrals not made", "referrals"),
        ("plans", "not made, weighted for plans", "weighted for plans"),
        ("care", "not made, weighted for care", "weighted for care"),
    ):
        before, after, fall, fall_after = (
            local(f"{what}, {of}") for what in ("before", "after", "fall before", "fall after")
        )
        letters = column(hidden)
        back = f"{blue('share_returning')}*{at('share of hidden need that leaves', row)}"
        out[hidden] = f"={ordinary}*{at('lockdown', row)}*({fall}+({fall_after}-{fall})*{held})"
        out[total] = (
            f"={ordinary}*({before}+({after}-{before})*{held})-{at(hidden, row)}"
            f"+{back}*SUM({letters}${FIRST_ROW}:{letters}${LAST_ROW})"
        )
    return out


def _from_referrals(stock: str, month: int, row: int) -> str:
    """Return what referrals of this month and the seven before lead to."""
    terms = [data(f"{stock}: from earlier referrals", month)]
    for lag in range(min(KERNEL_MONTHS, month + 1)):
        rate = data(f"{stock}: a referral, lag {lag}", month)
        terms.append(f"{rate}*{at(f'weighted for {stock}', row - lag)}")
    return "+".join(terms)


def _moved(row: int, lever: str, in_lockdown: str) -> str:
    held, locked = at("changes hold", row), at("lockdown", row)
    return f"=(1+{blue(lever)}*{held})*(1+{blue(in_lockdown)}*{locked})-1"


def _left(before: str, month: int, row: int, stock: str, responses: tuple[str, ...]) -> str:
    """Return who is left of those open at the census date."""
    levers = PLANS.levers if stock == "open plans" else CARE.levers
    power = "+".join(
        f"{at(lever, row)}*{data(response, month)}"
        for lever, response in zip(levers, responses, strict=True)
    )
    return f"={before}*MIN(1,{data(f'{stock}: stay', month)}*EXP({power}))"


def _plans(month: int, row: int) -> dict[str, str]:
    responses = tuple(h for h in declared.MONTH_COLUMNS if h.startswith("open plans: response"))
    change = at("change of plan ends", row)
    before = at("open plans left", row - 1) if month else declared.FACTS["plans"].name
    grow = f"(1+{blue('conversion_to_plans')}*{at('changes hold', row)})"
    return {
        "plans started": f"=({_from_referrals('plans', month, row)})*{grow}"
        f"+{data('plans: no referral', month)}",
        "change of plan ends": _moved(row, "plan_ends", "lockdown_plan_ends"),
        "its square / 2": f"={change}*{change}/2",
        "open plans left": _left(before, month, row, "open plans", responses),
        "new plans": f"=SUM({PLANS.span(row, month + 1)})",
        "children on plans": f"=({at('open plans left', row)}+{at('new plans', row)})"
        f"*{data('plans: correction', month)}",
    }


def _care(month: int, row: int) -> dict[str, str]:
    responses = tuple(h for h in declared.MONTH_COLUMNS if h.startswith("open care: response"))
    held, home, other = (at(h, row) for h in ("changes hold", "change home", "change other"))
    open_plans = at("open plans left", row - 1) if month else declared.FACTS["plans"].name
    from_plans = f"={open_plans}*{data('care: a child on an open plan', month)}"
    if month:
        since = f"{PLANS.span(row - 1, month)},{PLANS.span(TO_CARE_ROW, month, fixed_row=True)}"
        from_plans += f"+SUMPRODUCT({since})*{data('care: children on new plans, factor', month)}"
    before = at("open care left", row - 1) if month else declared.FACTS["care"].name
    parts = "+".join(at(h, row) for h in ("open care left", "new care", "new UASC"))
    return {
        "into care from plans": from_plans,
        "into care": f"=({_from_referrals('care', month, row)}+{data('care: no referral', month)}"
        f"+{at('into care from plans', row)})*(1+{blue('entries_to_care')}*{held})",
        "UASC into care": f"={data('care: UASC', month)}*(1+{blue('uasc_entries')}*{held})",
        "change home": _moved(row, "care_ends_home", "lockdown_care_ends"),
        "change other": _moved(row, "care_ends_other", "lockdown_care_ends"),
        "home squared / 2": f"={home}*{home}/2",
        "home x other": f"={home}*{other}",
        "other squared / 2": f"={other}*{other}/2",
        "open care left": _left(before, month, row, "open care", responses),
        "new care": f"=SUM({CARE.span(row, month + 1)})",
        "new UASC": f"=SUM({UASC.span(row, month + 1)})",
        "children in care": f"=({parts})*{data('care: correction', month)}",
    }


def chart_formulas(month: int) -> tuple[str, ...]:
    """Return a row of the charts' block: beyond the horizon the last month is repeated."""
    count = declared.FACTS["months"].name
    at = f"MIN($A{FIRST_ROW + month}+1,{count})"

    def value(reference: str) -> str:
        return f'=IF({count}=0,"",INDEX({reference},{at}))'

    def baseline(heading: str) -> str:
        first = data(f"baseline: {heading}", 0)
        last = data(f"baseline: {heading}", declared.MONTHS - 1).split("!")[1]
        return value(f"{first}:{last}")

    def mine(heading: str) -> str:
        return value(_months(heading))

    def a_year(whose: str) -> str:
        """Return the cost at the month's pace, so that short months do not dip."""
        weeks = f"INDEX({_months('weeks')},{at})"
        cost = f"INDEX({_months(f'{whose} cost £')},{at})"
        pace = f"{local('days a year')}/{local('days a week')}/{local('thousand')}"
        return f'=IF({count}=0,"",{cost}/{weeks}*{pace})'

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
        a_year("baseline"),
        a_year("what-if"),
    )


def _months(heading: str) -> str:
    letters = column(heading)
    return f"${letters}${FIRST_ROW}:${letters}${LAST_ROW}"


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
    over = f"({blue('lockdown_after_months')}+{blue('lockdown_months')})"
    ends = f"${column('days after')}${FIRST_ROW}:${column('days after')}${LAST_ROW}"
    out["return begins on day"] = (
        f"=IF({over}>{declared.FACTS['months'].name},1E9,IF({over}=0,0,INDEX({ends},{over})))"
        f"+{blue('return_delay_months')}*{local('days a month')}"
    )
    out["return lasts days"] = (
        f"=MAX({blue('return_spread_months')},0.000001)*{local('days a month')}"
    )
    inflation, run = blue("inflation"), declared.FACTS["inflation"].name
    out["inflation used"] = f'=IF({inflation}="",{run},{inflation})'
    today, costs = (groups(row, fixed=True) for row in (TODAY_ROW, COST_ROW))
    out["care £ a week today"] = f"=SUMPRODUCT({today},{costs})"
    for months in (6, 12, 24):
        then = f"EOMONTH({declared.FACTS['census_date'].name},{months})"
        span_of_ends = f"$B${FIRST_ROW}:$B${LAST_ROW}"
        out[f"row in {months} months"] = f"=IFERROR(MATCH({then},{span_of_ends},0),0)"
    return out | CONSTANTS


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Write the formulas; they show nothing until a run has written the data."""
    del spec, book
    head = formats.column_heading
    ws.set_column(0, CHART_FIRST + len(CHART_HEADS), 11)
    ws.set_column(PLANS.first - 1, UASC.first + declared.MONTHS, 7)
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
    draw_groups(ws, formats)
    for grid in GRIDS:
        _draw_grid(ws, grid, formats)
    _draw_sources(ws, formats)
    ws.freeze_panes(FIRST_ROW - 1, 2)
    ws.print_area(0, 0, SOURCES_ROW + len(SCALARS), len(COLUMNS) - 1)


def _draw_grid(ws: Worksheet, grid: Grid, formats: Formats) -> None:
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


def grid_formula(grid: Grid, month: int, since: int) -> str:
    """Return who is left, in `month`, of those who entered `since` months before."""
    row, letters = FIRST_ROW + month, grid.column(since)
    before = f"{grid.column(since - 1)}{row - 1}" if since else at(grid.starts, row)
    power = "+".join(
        f"{at(lever, row)}*{letters}${COEFFICIENTS_ROW + 1 + n}"
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
        ws.write_formula(f"B{row}", f"=(1+{blue('referrals')})*(1+{own})", number, "")
        ws.write_formula(f"C{row}", f'=IF({fall}="",{blue("lockdown_fall")},{fall})', number, "")
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
