"""Formulas of sheet What-if workings: children in care by age and placement, and the cost."""

from __future__ import annotations

from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import what_if as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.styles import Formats
from demand_addin.layout.what_if_columns import (
    CARE,
    COST_ROW,
    FIRST_ROW,
    TODAY_ROW,
    at,
    blue,
    column,
    data,
    local,
)
from demand_model.exposure.bands import CARE_SEGMENTS


def age_formulas(month: int, row: int) -> dict[str, str]:
    """Children in care by age; those who came in answer to the month's own levers."""
    out = {
        f"{cause}, average so far": f"=SUM(${letters}${FIRST_ROW}:${letters}{row})/($A{row}+1)"
        for cause in ("home", "other")
        for letters in (column(f"change {cause}"),)
    }
    for age in CARE_SEGMENTS:
        terms = [data(f"open care, aged {age}: share", month)]
        terms += [
            f"{at(f'{cause}, average so far', row)}"
            f"*{data(f'open care, aged {age}: response to {cause}', month)}"
            for cause in ("home", "other")
        ]
        formula = f"={at('open care left', row)}*({'+'.join(terms)})"
        if age == CARE_SEGMENTS[-1]:
            formula += f"+{at('new UASC', row)}"
        else:
            new = CARE.span(row, month + 1)
            for what, times in (
                ("share", ""),
                ("response to home", f"{at('change home', row)}*"),
                ("response to other", f"{at('change other', row)}*"),
            ):
                since = _since_entry(f"care, aged {age}: {what}", month + 1)
                formula += f"+{times}SUMPRODUCT({new},{since})"
        out[f"aged {age}"] = formula
    return out


def _since_entry(heading: str, count: int) -> str:
    """Return the first values of a row by months since entry."""
    top, left = declared.ENTRY_BLOCK.corner
    row = top + 1 + declared.ENTRY_ROWS.index(heading)
    first, last = column_letters(left + 1), column_letters(left + count)
    return f"'{declared.DATA_SHEET}'!${first}${row}:${last}${row}"


def placement_formulas(month: int, row: int) -> dict[str, str]:
    """Children by placement group before they are made to add up to those in care."""
    top, left = declared.PLACEMENTS.corner
    ages = f"{at(f'aged {CARE_SEGMENTS[0]}', row)}:{at(f'aged {CARE_SEGMENTS[-1]}', row)}"
    first = column_letters(left + 1 + declared.PLACEMENT_COLUMNS.index(CARE_SEGMENTS[0]))
    last = column_letters(left + 1 + declared.PLACEMENT_COLUMNS.index(CARE_SEGMENTS[-1]))
    out = {}
    for k in range(declared.GROUP_ROOM):
        mix = f"'{declared.DATA_SHEET}'!${first}${top + 1 + k}:${last}${top + 1 + k}"
        right = data(f"{declared.GROUP} {k + 1}: correction", month)
        out[f"{declared.GROUP} {k + 1}"] = f"=SUMPRODUCT({ages},{mix})*{right}"
    return out


def groups(row: int, *, fixed: bool = False) -> str:
    """Return the reference of a row's cells of all placement groups."""
    mark = "$" if fixed else ""
    first, last = (column(f"{declared.GROUP} {k}") for k in (1, declared.GROUP_ROOM))
    return f"${first}{mark}{row}:${last}{mark}{row}"


def shown_formulas(month: int, row: int) -> dict[str, str]:
    """Referrals as shown, and the costs of both lines: half by the month's start, half its end."""
    costs, placed = groups(COST_ROW, fixed=True), groups(row)
    first, last = (data(f"{declared.GROUP} {k}: baseline", month) for k in (1, declared.GROUP_ROOM))
    baseline = f"{first}:{last.split('!')[1]}"
    out = {
        "referrals shown": f"={data('referrals already observed', month)}+{at('referrals', row)}",
        "weeks": f"={data('days', month)}/{local('days a week')}",
        "price": f"=(1+{local('inflation used')})^{data('years of inflation', month)}",
        "baseline care £ a week": f"=SUMPRODUCT({baseline},{costs})",
        "what-if care £ a week": f"=IF(SUM({placed})=0,0,{at('children in care', row)}"
        f"*SUMPRODUCT({placed},{costs})/SUM({placed}))",
    }
    for whose in ("baseline", "what-if"):
        care = at(f"{whose} care £ a week", row)
        care_before, plans_before = local("care £ a week today"), declared.FACTS["plans"].name
        if month:
            care_before = at(f"{whose} care £ a week", row - 1)
            plans_before = _plans(whose, month - 1)
        plans = f"({plans_before}+{_plans(whose, month)})*{blue('cost_plan')}"
        out[f"{whose} cost £"] = (
            f"=({care_before}+{care}+{plans})/2*{at('weeks', row)}*{at('price', row)}"
        )
    return out


def _plans(whose: str, month: int) -> str:
    if whose == "baseline":
        return data("baseline: children on plans", month)
    return at("children on plans", FIRST_ROW + month)


def draw_groups(ws: Worksheet, formats: Formats) -> None:
    """Write above each placement group its name, its children today, and the cost used."""
    top, left = declared.PLACEMENTS.corner
    label, cost, today = (
        column_letters(left + 1 + declared.PLACEMENT_COLUMNS.index(heading))
        for heading in ("label", "£ a week", "children today")
    )
    own_top, own_left = declared.UNIT_COSTS.corner
    own_letters, money = column_letters(own_left + 1), formats.get(num_format="#,##0.00")
    before = column("other, average so far")
    for row, text in ((TODAY_ROW, "children today"), (COST_ROW, "£ a week used")):
        ws.write_string(f"{before}{row}", text, formats.note)
    for k in range(declared.GROUP_ROOM):
        letters, row = column(f"{declared.GROUP} {k + 1}"), top + 1 + k
        own = f"'{declared.SHEET}'!${own_letters}${own_top + 1 + k}"
        name, count, run = (f"'{declared.DATA_SHEET}'!${c}${row}" for c in (label, today, cost))
        ws.write_formula(f"{letters}{TODAY_ROW - 1}", f'=IF({name}="","",{name})', formats.note, "")
        ws.write_formula(f"{letters}{TODAY_ROW}", f"=0+{count}", money, "")
        ws.write_formula(f"{letters}{COST_ROW}", f'=IF({own}="",0+{run},{own})', money, "")
