"""How sheet What-if looks: blue cells at the left, a table and three charts at the right."""

from __future__ import annotations

from typing import Any

import xlsxwriter
from xlsxwriter.chart import Chart
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from demand_addin.layout import chart_parts as parts
from demand_addin.layout import what_if as declared
from demand_addin.layout import what_if_columns as workings
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area, SheetSpec, Style
from demand_addin.layout.styles import BLUE, FONT, GREY, RULE, Formats
from demand_addin.layout.what_if import Lever
from demand_model.annex_a.codes import SOURCE_GROUPS

_COLUMN_PIXELS = (300, 74, 74, 366, 14, 196, *(84,) * 10)
_TABLE_ROW = 6
_TABLE_LEFT = 5
"""0-based column of the table and the charts."""

_CHARTS_ROW = 14
_CHART = {"width": 515, "height": 400}
_CHART_ROWS = 19
_CHART_TITLES = (
    "Referrals in the month",
    "Children on a protection plan",
    "Children in care",
    "Cost a year, £ thousand",
)
_LEADS = (6, 12, 24)
_MEASURES = (
    ("Referrals in the month", "baseline: referrals", "referrals shown", None),
    ("Children on a protection plan", "baseline: children on plans", "children on plans", "plans"),
    ("Children in care", "baseline: children in care", "children in care", "care"),
)
_CAUTION = (
    "Averages only; to see ranges keep it as a scenario (below). Fewer children in care is not in "
    "itself a better outcome."
)
_RESET = (
    "To reset: copy column C (Neutral) over B of the first two blocks; by source, 0% for changes, "
    "no falls; empty inflation and weekly costs; £0 for a child on a plan. † is a judgement."
)
_KEEP = (
    "To see ranges: Keep what-if (tab Demand model) or csc-demand keep, then Run. It becomes rows "
    "of sheet Scenarios; costs stay here."
)
_NO_FEEDBACK = (
    "Feedback that is on (sheet System) acts in a run, not in these formulas: then a run's "
    "baseline differs from this sheet's."
)
_COST_NOTE = (
    "Cost a year: at that month's pace and prices, placed as on sheet Costs, without workers. "
    "Lasting weekly costs belong on sheet System. At most 60 months."
)


def page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw one landscape page of A4."""
    del spec
    for index, pixels in enumerate(_COLUMN_PIXELS):
        ws.set_column_pixels(index, index, pixels)
    for row in range(4, declared.LAST_ROW + 3):
        ws.set_row_pixels(row - 1, 21)
    note = formats.get(font_color=GREY, valign="vcenter")
    ws.write_string("A4", _CAUTION, formats.get(bold=True, valign="vcenter"))
    _heading(ws, formats, declared.CHANGES_ROW, "Changes", ("Change", "Neutral"))
    _heading(ws, formats, declared.LOCKDOWN_ROW, "One lockdown", ("Value", "Neutral"))
    sources = ("Change", "Fall")
    _heading(ws, formats, declared.SOURCES_ROW, "By source of referral, on top", sources)
    _heading(ws, formats, declared.COSTS_ROW, "Costs", ("£ or %", "Last run"))
    for row, block in (
        (declared.CHANGES_ROW, declared.CHANGES),
        (declared.LOCKDOWN_ROW, declared.LOCKDOWN),
        (declared.COSTS_ROW, declared.COSTS),
    ):
        for offset, lever in enumerate(block):
            _lever(ws, formats, row + offset, lever)
    _sources(ws, formats)
    _unit_costs(ws, formats)
    _table(ws, formats)
    ws.write_string(_TABLE_ROW + 5, _TABLE_LEFT, _COST_NOTE, note)
    ws.write_formula(_TABLE_ROW + 6, _TABLE_LEFT, _whole(), formats.get(bold=True), "")
    ws.write_string(declared.LAST_ROW, 0, _RESET, note)
    ws.write_string(declared.LAST_ROW + 1, 0, _KEEP, note)
    ws.write_string(declared.LAST_ROW + 2, 0, _NO_FEEDBACK, note)
    ws.write_formula("F4", _moved(), formats.get(bold=True, font_color=BLUE), "")
    _charts(ws, book)
    ws.set_landscape()
    ws.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.5)
    ws.fit_to_pages(1, 1)
    ws.center_horizontally()
    ws.print_area(0, 0, declared.LAST_ROW + 2, len(_COLUMN_PIXELS) - 1)
    ws.freeze_panes(_TABLE_ROW - 2, 0)


def _heading(
    ws: Worksheet, formats: Formats, first: int, text: str, others: tuple[str, str]
) -> None:
    row = first - 2
    ws.write_string(row, 0, text, formats.column_heading)
    for index, other in enumerate(others, start=1):
        ws.write_string(row, index, other, formats.heading_of(Style.NUMBER))
    ws.write_string(row, 3, "What it means", formats.heading_of(Style.TEXT))


def _input(formats: Formats, kind: str) -> Format:
    return formats.input(Style.NUMBER, number_format=declared.FORMATS[kind])


def _lever(ws: Worksheet, formats: Formats, row: int, lever: Lever) -> None:
    grey = formats.get(font_color=GREY, align="right", num_format=declared.FORMATS[lever.kind])
    ws.write_string(f"A{row}", lever.label, formats.get())
    if lever.neutral is None:
        run = declared.FACTS[lever.key].name
        ws.write_blank(f"B{row}", None, _input(formats, lever.kind))
        ws.write_formula(f"C{row}", f'=IF({run}="","",{run})', grey, "")
    else:
        ws.write_number(f"B{row}", lever.neutral, _input(formats, lever.kind))
        ws.write_number(f"C{row}", lever.neutral, grey)
    ws.write_string(f"D{row}", lever.note, formats.get(font_color=GREY, indent=1, align="left"))
    blank = lever.neutral is None
    ws.data_validation(f"B{row}", _rule(lever.kind, lever.label, lever.note, blank=blank))


def _rule(kind: str, label: str, note: str, *, blank: bool = False) -> dict[str, Any]:
    least, most = declared.LIMITS[kind]
    change = f"a change from {least:+.0%} to {most:+.0%}; 0% is no change"
    shown = {
        declared.CHANGE: change,
        declared.ENDS: change,
        declared.PRICES: f"per cent a year, {least:.0%} to {most:.0%}",
        declared.SHARE: "a share from 0% to 100%",
        declared.WHOLE: f"a whole number of months, 0 to {most:.0f}",
        declared.MONTH: f"months, 0 to {most:.0f}",
        declared.MONEY: f"pounds, 0 to {most:,.0f}",
    }[kind]
    return {
        "validate": "integer" if kind == declared.WHOLE else "decimal",
        "criteria": "between",
        "minimum": least,
        "maximum": most,
        "ignore_blank": blank,
        "input_title": label[:32],
        "input_message": f"{note} Type {shown}."[:255],
        "error_title": "Please check",
        "error_message": f"Type {shown}."[:255],
    }


def _sources(ws: Worksheet, formats: Formats) -> None:
    for offset, source in enumerate(SOURCE_GROUPS):
        row = declared.SOURCES_ROW + offset
        ws.write_string(f"A{row}", source, formats.get())
        ws.write_number(f"B{row}", 0.0, _input(formats, declared.CHANGE))
        ws.write_blank(f"C{row}", None, _input(formats, declared.SHARE))
        change = "Change of this source's referrals, on top of that of all."
        fall = "Referrals not made in a lockdown; blank: as for all sources."
        ws.data_validation(f"B{row}", _rule(declared.CHANGE, source, change))
        ws.data_validation(f"C{row}", _rule(declared.SHARE, source, fall, blank=True))
    grey = formats.get(font_color=GREY, indent=1, align="left")
    ws.write_string(f"D{declared.SOURCES_ROW}", "Change: on top of that of all referrals.", grey)
    fall = "Fall: not made in the lockdown; blank: as for all sources."
    ws.write_string(f"D{declared.SOURCES_ROW + 1}", fall, grey)


def _unit_costs(ws: Worksheet, formats: Formats) -> None:
    """Let a weekly cost be tried for each placement group of sheet System."""
    grey = formats.get(font_color=GREY, align="right", num_format=declared.FORMATS[declared.MONEY])
    note = formats.get(font_color=GREY, indent=1, align="left")
    top, left = declared.PLACEMENTS.corner
    care = declared.FACTS["care"].name
    label, cost, today = (
        column_letters(left + 1 + declared.PLACEMENT_COLUMNS.index(heading))
        for heading in ("label", "£ a week", "children today")
    )
    for offset in range(declared.GROUP_ROOM):
        row = declared.PLACEMENTS_ROW + offset
        name, run, count = (
            f"'{declared.DATA_SHEET}'!${letters}${top + 1 + offset}"
            for letters in (label, cost, today)
        )
        words = f'TEXT({count}/MAX({care},1),"0%")&" of the children in care today live there."'
        for cell, formula, style in (
            ("A", name, formats.get()),
            ("C", run, grey),
            ("D", words, note),
        ):
            ws.write_formula(f"{cell}{row}", f'=IF({name}="","",{formula})', style, "")
        ws.write_blank(f"B{row}", None, _input(formats, declared.MONEY))
        title = "£ a week"
        rule = _rule(declared.MONEY, title, declared.UNIT_COST_NOTE, blank=True)
        ws.data_validation(f"B{row}", rule)
        hidden = {
            "type": "formula",
            "criteria": f'=$A{row}=""',
            "format": formats.get(bg_color="#FFFFFF", border=1, border_color="#FFFFFF"),
        }
        ws.conditional_format(f"B{row}", hidden)


def _table(ws: Worksheet, formats: Formats) -> None:
    head, left = formats.heading_of(Style.NUMBER), _TABLE_LEFT
    top = _TABLE_ROW - 1
    ws.set_row_pixels(top, 36)
    ws.write_string(top, left, "Average forecast", formats.column_heading)
    ws.write_string(top, left + 1, "Today", head)
    line = {"bottom": 1, "bottom_color": RULE, "valign": "vcenter"}
    count = formats.get(num_format="#,##0", align="right", **line)
    bold = formats.get(num_format="#,##0", align="right", bold=True, **line)
    change = formats.get(num_format="+#,##0;-#,##0;0", align="right", **line)
    thousands = (
        formats.get(num_format="#,##0,", align="right", **line),
        formats.get(num_format="#,##0,", align="right", bold=True, **line),
        formats.get(num_format="+#,##0,;-#,##0,;0", align="right", **line),
    )
    for number, lead in enumerate(_LEADS):
        first = left + 2 + 3 * number
        for offset, text in enumerate(("Baseline", "What-if", "Difference")):
            ws.write_string(top, first + offset, f"{text}, {lead} months", head)
            for row, formula in enumerate(_cells(lead)[offset], start=top + 1):
                is_cost = row == top + 1 + len(_MEASURES)
                style = (thousands if is_cost else (count, bold, change))[offset]
                ws.write_formula(row, first + offset, formula, style, "")
    for row, (words, _, _, stock) in enumerate(_MEASURES, start=top + 1):
        ws.write_string(row, left, words, formats.get(bold=True, **line))
        if stock is None:
            ws.write_blank(row, left + 1, None, count)
        else:
            name = declared.FACTS[stock].name
            ws.write_formula(row, left + 1, f'=IF({name}="","",{name})', count, "")
    ws.write_string(top + 4, left, "Cost a year, £ thousand", formats.get(bold=True, **line))
    ws.write_formula(top + 4, left + 1, _cost_today(), thousands[0], "")


def _cells(lead: int) -> tuple[list[str], list[str], list[str]]:
    """Return baseline, what-if and difference of each measure, and of cost."""
    at = workings.scalar(f"row in {lead} months")
    a_year = f"*{workings.scalar('days a year')}/{workings.scalar('days a week')}"

    def pick(reference: str, more: str = "") -> str:
        return f"INDEX({reference},{at}){more}"

    weeks = f"/INDEX({workings.months_of('weeks')},{at}){a_year}"
    pairs = [
        (pick(_baseline(base)), pick(workings.months_of(mine))) for _, base, mine, _ in _MEASURES
    ]
    pairs.append(
        (
            pick(workings.months_of("baseline cost £"), weeks),
            pick(workings.months_of("what-if cost £"), weeks),
        )
    )

    def shown(formula: str) -> str:
        return f'=IF({at}=0,"",{formula})'

    return (
        [shown(base) for base, _ in pairs],
        [shown(mine) for _, mine in pairs],
        # Rounded as shown, so that no difference is not "-0".
        [
            shown(f"ROUND({mine}-{base},{-3 if number == len(_MEASURES) else 0})")
            for number, (base, mine) in enumerate(pairs)
        ],
    )


def _baseline(heading: str) -> str:
    top, left = declared.MONTH_BLOCK.corner
    letters = column_letters(left + 1 + declared.MONTH_COLUMNS.index(heading))
    return f"'{declared.DATA_SHEET}'!${letters}${top + 1}:${letters}${top + declared.MONTHS}"


def _cost_today() -> str:
    care, plans = declared.FACTS["care"].name, declared.FACTS["plans"].name
    a_week = (
        f"({workings.scalar('care £ a week today')}+{plans}*{declared.INPUTS['cost_plan'].name})"
    )
    days, week = workings.scalar("days a year"), workings.scalar("days a week")
    return f'=IF({care}="","",{a_week}*{days}/{week})'


def _whole() -> str:
    """Return the sentence on the whole forecast's cost."""
    mine, base = (f"SUM({workings.months_of(h)})" for h in ("what-if cost £", "baseline cost £"))
    count = declared.FACTS["months"].name
    difference = f"ROUND({mine}-{base},-3)"
    told = (
        f'"Over the "&{count}&" months shown together: about £"&TEXT(ABS({difference}),"#,##0")'
        f'&IF({difference}<0," less"," more")&" than the baseline."'
    )
    return (
        f'=IF({count}=0,"No forecast yet: see sheet Start.",'
        f'IF({difference}=0,"Over all months shown the cost is that of the baseline.",{told}))'
    )


def _moved() -> str:
    """Return the line that says whether any blue cell moves anything."""
    moved = "+".join(f"({declared.INPUTS[lever.key].name}<>0)" for lever in declared.CHANGES[1:])
    sources = f"SUMPRODUCT(--({declared.SOURCE_CHANGES.name}<>0))"
    lockdown = f"({declared.INPUTS['lockdown_months'].name}>0)"
    return (
        f'=IF({moved}+{sources}+{lockdown}=0,"All changes are neutral: what-if = baseline.",'
        f'{moved}+{sources}+{lockdown}&" changed; grey dashes are the baseline.")'
    )


def _charts(ws: Worksheet, book: xlsxwriter.Workbook) -> None:
    for number, words in enumerate(_CHART_TITLES):
        chart = _chart(book, workings.CHART_BLOCK, number, words)
        down, right = divmod(number, 2)
        row = _CHARTS_ROW + down * _CHART_ROWS
        alt = (
            f"{words}, month by month: the baseline forecast as a grey dashed line, the what-if "
            "forecast as a solid line. The figures are in the table above."
        )
        options = {
            "x_offset": 2 + right * (_CHART["width"] + 4),
            "y_offset": 2,
            "description": alt,
            "object_position": 3,
        }
        ws.insert_chart(row - 1, _TABLE_LEFT, chart, options)


def _chart(book: xlsxwriter.Workbook, block: Area, number: int, title: str) -> Chart:
    chart = parts.new_chart(book, {"type": "line"})
    lines = (
        {"color": GREY, "width": 1.75, "dash_type": "dash"},
        {"color": BLUE, "width": 2.5},
    )
    last = declared.MONTHS - 1
    label = {
        "value": True,
        "position": "above",
        "num_format": "#,##0",
        "font": {"name": FONT, "size": parts.TEXT_SIZE, "bold": True, "color": BLUE},
        "custom": [{"delete": True}] * last,
    }
    for offset, line in enumerate(lines):
        series = parts.series(declared.WORKINGS_SHEET, block, 1 + 2 * number + offset)
        options: dict[str, Any] = {"line": line, "marker": {"type": "none"}}
        if offset:
            options["data_labels"] = label
        chart.add_series(series | options)
    chart.set_legend(parts.legend())
    chart.set_x_axis(parts.date_axis())
    # A tenth less would hardly show on an axis from zero; the note below the table says so.
    chart.set_y_axis(parts.y_axis(is_from_zero=False))
    parts.dress(chart, title=title, **_CHART)
    return chart


def data_page(ws: Worksheet, spec: SheetSpec, formats: Formats, book: xlsxwriter.Workbook) -> None:
    """Draw sheet What-if data: headings and formats of what a run writes."""
    del spec, book
    head, number = formats.column_heading, formats.get(num_format="0.000000")
    ws.set_column(0, 0, 44)
    ws.set_column(1, declared.MONTHS + 1, 12)
    day = formats.get(num_format="dd/mm/yyyy", align="right")
    for key, area in declared.FACTS.items():
        ws.write_string(f"A{area.cell[1:]}", declared.FACT_WORDS[key], formats.get())
        style = {"census_date": day, "inflation": formats.output(Style.SHARE)}.get(
            key, formats.output(Style.WHOLE)
        )
        ws.write_blank(area.cell, None, style)
    _block(ws, declared.SOURCES, SOURCE_GROUPS, declared.SOURCE_COLUMNS, head, number)
    places = tuple(f"{declared.GROUP} {k + 1}" for k in range(declared.GROUP_ROOM))
    _block(ws, declared.PLACEMENTS, places, declared.PLACEMENT_COLUMNS, head, number)
    months = tuple(f"month {m + 1}" for m in range(declared.MONTHS))
    _block(ws, declared.MONTH_BLOCK, months, declared.MONTH_COLUMNS, head, number)
    top, left = declared.MONTH_BLOCK.corner
    for row in range(top, top + declared.MONTHS):
        ws.write_blank(row, left, None, day)
    ws.set_row(top - 1, 66)
    since = tuple(f"{m} months since entry" for m in range(declared.MONTHS))
    _block(ws, declared.ENTRY_BLOCK, declared.ENTRY_ROWS, since, head, number)
    ws.set_row(declared.ENTRY_BLOCK.corner[0] - 1, 40)


def _block(
    ws: Worksheet,
    area: Area,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    head: Format,
    style: Format,
) -> None:
    """Draw a block with the names of its rows at the left and of its columns above."""
    top, left = area.corner
    for offset, text in enumerate(columns):
        ws.write_string(top - 1, left + offset, text, head)
    for offset, text in enumerate(rows):
        ws.write_string(top + offset, left - 1, text)
        for index in range(left, left + area.columns):
            ws.write_blank(top + offset, index, None, style)
