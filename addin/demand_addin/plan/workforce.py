"""Sheet Workforce: sentences, small tables, charts' blocks and the tidy table."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_addin.layout import workforce as declared
from demand_addin.plan.dashboard import lead_months
from demand_addin.plan.values import frame_rows, month_block, month_end, month_name, number
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableValues
from demand_model.results.workforce import (
    COMPARED,
    ENGLAND,
    ENGLAND_SOURCE,
    MORE_NEEDED,
    NEEDED,
    WorkforceForecast,
    england,
)
from demand_model.results.workforce_words import workforce_sentences
from demand_model.simulation.scenario import BASELINE
from demand_model.system.inputs import Workforce
from demand_model.units import counted, signed

_LINE_LENGTH = 165
_SAME = 1e-9
_MONTHS_A_QUARTER = 3
_SHOWN = {
    "cases_per_worker": "Cases per worker",
    "vacancy_share": "Posts vacant",
    "leavers_a_year": "Leavers in a year",
    "absence_share": "Absent at a time",
    "agency_share": "Agency workers",
}
_TYPED, _TAKEN = "sheet System", "England's"
"""As short as their column; the subtitle says where your own are typed."""
_BANDS = (0.025, 0.1, 0.25, 0.75, 0.9, 0.975)

FloatArray = npt.NDArray[np.float64]
Rows = tuple[tuple[CellValue, ...], ...]


def workforce_values(
    found: WorkforceForecast, *, scenario: str, compare: Sequence[str], authority: str = ""
) -> BookPlan:
    """Plan what a run writes on sheets Workforce and Workforce data.

    Parameters
    ----------
    scenario
        Of the sentences, the small table and the first two charts; the baseline where it
        was not run.
    compare
        Scenarios of the third chart; a name that was not run leaves its line out.
    """
    shown = scenario if scenario in found.scenarios else BASELINE.name
    whose = f"{authority}. " if authority else ""
    subtitle = (
        f"{whose}Scenario shown: {shown}. Forecast to {month_name(found.months[-1])}. Workers are "
        "full-time equivalents who hold cases, agency included; what is assumed: sheet System."
    )
    ranges = (
        RangeValues(name=declared.SUBTITLE.name, rows=((subtitle,),)),
        _lines(declared.SENTENCES.name, workforce_sentences(found, shown), declared.SENTENCE_ROWS),
        RangeValues(name=declared.NUMBERS.name, rows=_numbers(found, shown)),
        _lines(declared.NUMBERS_NOTE.name, _numbers_note(found), declared.NUMBERS_NOTE.rows),
        RangeValues(name=declared.ENGLAND.name, rows=_beside_england(found)),
        _lines(declared.NOTES.name, _notes(found), declared.NOTE_ROWS),
        RangeValues(name="chart_workforce_fan", rows=_fan_block(found, shown)),
        RangeValues(name="chart_workforce_need", rows=_need_block(found, shown)),
        RangeValues(name="chart_workforce_lines", rows=_line_block(found, compare)),
        RangeValues(name="chart_workforce_scenarios", rows=_scenario_block(found)),
    )
    return BookPlan(tables=(_table(found),), ranges=ranges)


def no_workforce() -> BookPlan:
    """Plan the same where there is nothing to show: the sheet is as before the first run."""
    blank: dict[str, Rows] = {
        declared.SUBTITLE.name: ((declared.NO_RUN,),),
        declared.SENTENCES.name: (),
        declared.NUMBERS.name: (declared.NUMBER_HEADS,),
        declared.NUMBERS_NOTE.name: (),
        declared.ENGLAND.name: (declared.ENGLAND_HEADS,),
        declared.NOTES.name: (),
        **{name: (heads,) for name, heads in declared.HEADS.items()},
    }
    table = declared.WORKFORCE_FORECAST
    return BookPlan(
        tables=(TableValues(name=table.name, columns=table.headings, rows=()),),
        ranges=tuple(RangeValues(name=name, rows=rows) for name, rows in blank.items()),
    )


def _lines(name: str, sentences: Sequence[str], room: int) -> RangeValues:
    """Put whole sentences in lines that fit the page, as far as there is room."""
    lines: list[str] = []
    for sentence in sentences:
        wrapped = textwrap.wrap(sentence, _LINE_LENGTH)
        if len(lines) + len(wrapped) > room:
            break
        lines += wrapped
    return RangeValues(name=name, rows=tuple((line,) for line in lines))


# --- tables -------------------------------------------------------------------------------------


def _table(found: WorkforceForecast) -> TableValues:
    """Return the census date, ends of quarters and the last month."""
    days = pd.DatetimeIndex(found.table["month_end"])
    ends = {pd.Timestamp(found.census_date), pd.Timestamp(found.months[-1])}
    kept = found.table[(days.month % _MONTHS_A_QUARTER == 0) | days.isin(list(ends))]
    spec = declared.WORKFORCE_FORECAST
    return TableValues(
        name=spec.name, columns=spec.headings, rows=frame_rows(kept, spec.headings, decimals=2)
    )


def _numbers(found: WorkforceForecast, scenario: str) -> Rows:
    """Return headings, today, then up to three dates."""
    now = {name: draws[None, :] for name, draws in found.today.items()}
    rows = [declared.NUMBER_HEADS, _row("Today", now, 0)]
    later = {name: found.draws[scenario, name] for name in now}
    for lead in lead_months(_horizon(found)):
        day = month_end(found.census_date, lead)
        if day in found.months:
            label = f"In {counted(lead, 'month')}: {month_name(day)}"
            rows.append(_row(label, later, found.months.index(day)))
    return tuple(rows)


def _horizon(found: WorkforceForecast) -> int:
    last, first = found.months[-1], found.census_date
    return max((last.year - first.year) * 12 + last.month - first.month, 1)


def _row(label: str, draws: dict[str, FloatArray], month: int) -> tuple[CellValue, ...]:
    mean = {name: float(values[month].mean()) for name, values in draws.items()}
    caseload, gap = draws["caseload"][month], draws[MORE_NEEDED][month]
    return (
        label,
        round(mean["cases"]),
        round(mean["workers"]),
        round(mean["caseload"], 1),
        _range(caseload, 0.1, 0.9),
        _range(caseload, 0.025, 0.975),
        round(mean["vacancies"]),
        round(mean[NEEDED]),
        round(mean[MORE_NEEDED]),
        _range(gap, 0.1, 0.9, decimals=0),
    )


def _range(draws: FloatArray, low: float, high: float, *, decimals: int = 1) -> str:
    """Return a range in words; a dash where all futures agree."""
    first, last = (float(q) for q in np.quantile(draws, (low, high)))
    if last - first < _SAME:
        return "–"
    if decimals:
        return f"{first:.1f} to {last:.1f}"
    return f"{signed(first)} to {signed(last)}"


def _numbers_note(found: WorkforceForecast) -> tuple[str, ...]:
    return (
        f"Workers needed at the ideal: cases divided by {found.ideal_caseload:g} cases per worker "
        "(sheet System). More than in post: below 0, fewer would do.",
        "Posts vacant: agency workers fill some of them. Today's ranges come of cases that are "
        "worked out, not counted.",
    )


def _beside_england(found: WorkforceForecast) -> Rows:
    workforce = found.system.inputs.workforce or Workforce()
    rows: list[tuple[CellValue, ...]] = [declared.ENGLAND_HEADS]
    for key in COMPARED:
        national = england(key)
        value = getattr(workforce, key)
        is_own = abs(value - (national.value or 0.0)) > _SAME
        if key == "cases_per_worker":
            value = float(found.today["caseload"].mean())
            is_own = found.is_workers_given or is_own
        whence = _TYPED if is_own else _TAKEN
        if key == "cases_per_worker" and found.is_workers_given:
            whence = "today's cases divided by your workers"
        rows.append(
            (
                _SHOWN[key],
                _shown(key, value),
                _shown(key, national.value or 0.0),
                national.as_of.removeprefix("30 "),
                whence,
            )
        )
    return tuple(rows)


def _shown(key: str, value: float) -> str:
    return f"{value:.1f}" if key == "cases_per_worker" else f"{value:.1%}"


def _notes(found: WorkforceForecast) -> tuple[str, ...]:
    years = ", ".join(f"{one.cases_per_worker:.1f} in {one.year}" for one in ENGLAND)
    return (
        *_what_is_assumed(found),
        _feedback(found),
        "Ranges hold chance and uncertain rates of children; turnover, recruitment and lengths of "
        "stay from sheet System are taken as known.",
        f"England's cases per worker: {years} ({ENGLAND_SOURCE}, 30 September).",
    )


def _what_is_assumed(found: WorkforceForecast) -> tuple[str, ...]:
    """Say what stands for Lists 4 and 6 where they are not given."""
    door = found.system.inputs.front_door
    told = []
    if found.system.assessments_open is None:
        told.append(
            f"Open assessments ({number(round(found.assessments))} today) are worked out from "
            f"referrals taken up and an average length of {door.assessment_months:g} months"
        )
    if found.system.cin_open is None:
        told.append(
            f"children in need without plan or care ({number(round(found.children_in_need))} "
            f"today) from {door.cin_share:.0%} of assessments and {door.cin_months:g} months"
        )
    if not told:
        return ("Open assessments and children in need are as counted in Lists 4 and 6.",)
    sentence = "; ".join(told)
    share = _assumed(found) / float(found.today["cases"].mean())
    return (
        f"{sentence[0].upper()}{sentence[1:]} (sheet System). They are not counted, and make up "
        f"{share:.0%} of today's cases: type your own figures on sheet System.",
    )


def _assumed(found: WorkforceForecast) -> float:
    """Cases today that are worked out, not counted."""
    system, workforce = found.system, found.system.inputs.workforce or Workforce()
    parts = (
        (system.assessments_open, found.assessments * workforce.assessment_weight),
        (system.cin_open, found.children_in_need * workforce.cin_weight),
    )
    return sum(cases for given, cases in parts if given is None)


def _feedback(found: WorkforceForecast) -> str:
    loops = tuple(dict.fromkeys(link.loop for link in found.system.links))
    if not loops:
        return (
            "No feedback is on (sheet System): caseload does not act back on leaving, sickness, "
            "thresholds or lengths of stay here."
        )
    return f"Feedback that is on and acts in these figures: {', '.join(loops)} (sheet System)."


# --- what the charts draw -----------------------------------------------------------------------


def _with_today(found: WorkforceForecast, scenario: str, series: str) -> FloatArray:
    return np.vstack([found.today[series], found.draws[scenario, series]])


def _days(found: WorkforceForecast) -> tuple[date, ...]:
    """Return the census date, and ends of months; of a part of a month its end alone."""
    return (found.census_date, *found.months)


def _fan_block(found: WorkforceForecast, scenario: str) -> Rows:
    draws = _with_today(found, scenario, "caseload")
    edges = np.quantile(draws, _BANDS, axis=1).T
    mean = draws.mean(axis=1)
    last = ENGLAND[-1]
    rows = [
        (
            day,
            edge[0],
            *(high - low for low, high in pairwise(edge)),
            middle,
            found.ideal_caseload,
            last.cases_per_worker,
        )
        for day, edge, middle in zip(_days(found), edges.tolist(), mean.tolist(), strict=True)
    ]
    heads = [*declared.FAN_COLUMNS[:-1], f"England {last.year}"]
    return month_block(heads, rows, declared.MONTHS)


def _need_block(found: WorkforceForecast, scenario: str) -> Rows:
    needed = _with_today(found, scenario, NEEDED)
    low, high = np.quantile(needed, (0.1, 0.9), axis=1)
    workers = _with_today(found, scenario, "workers").mean(axis=1)
    columns = (low, high - low, needed.mean(axis=1), workers)
    rows = list(zip(_days(found), *(c.tolist() for c in columns), strict=True))
    return month_block(declared.NEED_COLUMNS, rows, declared.MONTHS)


def _line_block(found: WorkforceForecast, compare: Sequence[str]) -> Rows:
    names = [*compare, *("",) * declared.LINES][: declared.LINES]
    nothing = [None] * (len(found.months) + 1)
    lines = [
        _with_today(found, name, "caseload").mean(axis=1).tolist()
        if name in found.scenarios
        else nothing
        for name in names
    ]
    heads = [
        "month",
        *(n if n in found.scenarios else f"{n} (not run)" if n else " " for n in names),
    ]
    rows = list(zip(_days(found), *lines, strict=True))
    return month_block(heads, rows, declared.MONTHS)


def _scenario_block(found: WorkforceForecast) -> Rows:
    """Return scenarios by the size of their effect on caseload at the end."""
    when = month_name(found.months[-1])
    rows: list[tuple[str, float, float, float, float, float]] = []
    others = found.scenarios if BASELINE.name in found.scenarios else ()
    for name in others:
        if name != BASELINE.name:
            draws = found.less_baseline(name, "caseload")[-1]
            low, high = (float(q) for q in np.quantile(draws, (0.1, 0.9)))
            mean = float(draws.mean())
            rows.append(
                (
                    name,
                    mean,
                    max(high - mean, 0.0),
                    max(mean - low, 0.0),
                    max(high, mean),
                    min(low, mean),
                )
            )
    rows.sort(key=lambda row: -abs(row[1]))
    heads = ("Scenario", f"Against the baseline, {when}", *declared.SCENARIO_COLUMNS[2:])
    return (heads, *rows[: declared.SCENARIOS])
