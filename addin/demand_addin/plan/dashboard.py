"""The Dashboard's words and numbers, for a head of service."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from demand_addin.layout.sheets import area
from demand_addin.plan.values import cells, change, day_name, month_end, month_name, span
from demand_addin.ports import CellValue, RangeValues
from demand_model.annex_a.checked import CheckResult
from demand_model.results.forecast import Forecast
from demand_model.simulation.scenario import BASELINE
from demand_model.units import counted

_MEASURES = {
    "referrals": "Referrals in the month",
    "cp_open": "Children on a protection plan",
    "cla_open": "Children in care",
}
_COLUMNS = 3
_LEADS = (1, 3, 6, 12)
_LINE_LENGTH = 165
_RECENT_MONTHS = 6
_OWN = "set by you"
_LISTS = {
    3: ("referral", "referrals"),
    4: ("assessment", "assessments"),
    6: ("case of need", "cases of need"),
    7: ("protection plan", "protection plans"),
    8: ("period of care", "periods of care"),
}
_UNKNOWN = "not known"
_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One measure at one date under one scenario."""

    now: float
    mean: float
    low: float
    high: float


def headline(
    forecast: Forecast, measure: str, scenario: str, months: int, interval: int = 80
) -> Headline | None:
    """Return a measure `months` after the census month, or ``None`` beyond the horizon.

    `now` is the last known count of a stock; for a flow, the mean of the last
    six whole months.
    """
    history = forecast.history
    past = history[(history["measure"] == measure) & (history["segment"] == "all")]
    table = forecast.table
    target = pd.Timestamp(month_end(forecast.census_date, months))
    row = table[
        (table["measure"] == measure)
        & (table["segment"] == "all")
        & (table["scenario"] == scenario)
        & (table["month_end"] == target)
    ]
    if past.empty or row.empty:
        return None
    values = past.sort_values("month_end")["value"]
    is_stock = measure.endswith("_open")
    low, high = ("p2_5", "p97_5") if interval == 95 else ("p10", "p90")
    return Headline(
        now=float(values.iloc[-1] if is_stock else values.iloc[-_RECENT_MONTHS:].mean()),
        mean=float(row["mean"].iloc[0]),
        low=float(row[low].iloc[0]),
        high=float(row[high].iloc[0]),
    )


def number_rows(
    forecast: Forecast, scenario: str, interval: int, monthly: pd.DataFrame
) -> tuple[tuple[CellValue, ...], ...]:
    """Return the headline table: headings, then a row a measure.

    Parameters
    ----------
    monthly
        Every monthly count that is known (`history_sheet.monthly_actuals`).
    """
    then = month_end(forecast.census_date, -_YEAR)
    heads: list[CellValue] = ["Measure", "Today", f"Against a year\nago: {then:%b %Y}"]
    leads = lead_months(_horizon(forecast))
    for lead in leads:
        months = counted(lead, "month")
        heads += [
            f"In {months}:\n{month_end(forecast.census_date, lead):%b %Y}",
            f"{interval}% range in\n{months}",
            f"Against today,\n{months}",
        ]
    unused: tuple[CellValue, ...] = (None,) * (3 * (_COLUMNS - len(leads)))
    rows: list[tuple[CellValue, ...]] = [(*heads, *unused)]
    for measure, label in _MEASURES.items():
        now = _now(forecast, measure)
        row: list[CellValue] = [label, *cells([now], decimals=0)]
        past = year_ago(forecast, measure, monthly)
        row.append(_UNKNOWN if past is None or now is None else change(past, now))
        for lead in leads:
            h = headline(forecast, measure, scenario, lead, interval)
            if h is None:
                row += ["–", "–", "–"]
            else:
                row += [
                    *cells([h.mean], decimals=0),
                    span(h.low, h.high),
                    change(h.now, h.mean),
                ]
        rows.append((*row, *unused))
    return tuple(rows)


def lead_months(horizon: int) -> tuple[int, ...]:
    """Return up to three numbers of months ahead for the table, the horizon last.

    >>> lead_months(24), lead_months(12), lead_months(7), lead_months(2), lead_months(1)
    ((6, 12, 24), (3, 6, 12), (3, 6, 7), (1, 2), (1,))
    """
    before = [lead for lead in _LEADS if lead < horizon]
    return (*before[-(_COLUMNS - 1) :], horizon)


def year_ago(forecast: Forecast, measure: str, monthly: pd.DataFrame) -> float | None:
    """Return what today's figure was twelve months earlier; ``None`` if it is not known.

    For a stock, the count at that month's end; for referrals, the mean of the same
    months of the year before, so that the season is the same.
    """
    history = forecast.history
    past = history[(history["measure"] == measure) & (history["segment"] == "all")]
    ends = past["month_end"].sort_values()
    ends = ends.iloc[-1:] if measure.endswith("_open") else ends.iloc[-_RECENT_MONTHS:]
    then = pd.PeriodIndex(ends, freq="M") - _YEAR
    if not len(then) or measure not in monthly or not then.isin(monthly.index).all():
        return None
    found = monthly.loc[then, measure]
    return None if found.isna().any() else float(found.mean())


def _horizon(forecast: Forecast) -> int:
    last, census = forecast.table["month_end"].max(), forecast.census_date
    return int(last.year - census.year) * 12 + int(last.month - census.month)


def _now(forecast: Forecast, measure: str) -> float | None:
    history = forecast.history
    past = history[(history["measure"] == measure) & (history["segment"] == "all")]
    values = past.sort_values("month_end")["value"]
    if values.empty:
        return None
    return float(
        values.iloc[-1] if measure.endswith("_open") else values.iloc[-_RECENT_MONTHS:].mean()
    )


def headline_rows(sentences: Sequence[str]) -> tuple[tuple[CellValue, ...], ...]:
    """Return the sentences as lines that fit the page; whole sentences only."""
    room = area("dash_headlines").rows
    lines: list[str] = []
    for sentence in sentences:
        wrapped = textwrap.wrap(sentence, _LINE_LENGTH)
        if len(lines) + len(wrapped) > room:
            break
        lines += wrapped
    return tuple((line,) for line in lines)


def basis_rows(
    check: CheckResult,
    rates: pd.DataFrame,
    *,
    draws: int,
    until: date,
    run: str,
    earlier: str,
) -> tuple[tuple[CellValue, ...], ...]:
    """Return what the numbers rest on, a sentence a line.

    Parameters
    ----------
    earlier
        Which months from before the lists were used (`plan.memory.earlier_words`).
    """
    windows = check.lists.windows if check.lists else {}
    over = {n: f" over {counted(window.months, 'month')}" for n, window in windows.items()}
    used = ", ".join(
        _rows_used(t.list_number, t.used) + over.get(t.list_number, "") for t in check.tallies
    )
    found = sum(t.found for t in check.tallies)
    aside = sum(sum(t.set_aside.values()) for t in check.tallies)
    used_own = int((rates["evidence"].astype(str) == _OWN).sum())
    is_or_are = "is" if used_own == 1 else "are"
    own = f" {counted(used_own, 'rate')} {is_or_are} your own." if used_own else ""
    return (
        (f"Your lists: {used}. {aside:,} of {found:,} rows set aside (sheet Checks says why).",),
        (earlier,),
        (_rates_sentence(rates) + own,),
        (f"{draws:,} simulated futures to {month_name(until)}. {run}",),
        (
            "One future in five falls outside an 80% range, one in twenty outside a 95% range. "
            "Fewer children in care is not in itself a better outcome.",
        ),
    )


def _rows_used(number: int, used: int) -> str:
    return counted(used, *_LISTS.get(number, ("row", "rows")))


def _rates_sentence(rates: pd.DataFrame) -> str:
    """Return how many of the rates that are not split by band or group the lists support."""
    whole = rates[(rates["duration_band"] == "all") & (rates["segment"] == "all")]
    main = whole if len(whole) else rates
    words = main["evidence"].astype(str)
    well = int((words.str.startswith("well") | (words == _OWN)).sum())
    return (
        f"Your rates: {well} of the {len(main)} main rates {'is' if well == 1 else 'are'} well "
        "supported by your lists; the others, and most splits by age and time, lean on national "
        "figures (sheet Rates)."
    )


def dashboard_ranges(
    forecast: Forecast,
    *,
    authority: str,
    scenario: str,
    interval: int,
    draws: int,
    hidden: str,
    monthly: pd.DataFrame,
    first: Sequence[str] = (),
    children: int | None = None,
) -> tuple[RangeValues, ...]:
    """Return the Dashboard's title line, sentences, table and captions.

    Parameters
    ----------
    monthly
        Every monthly count that is known (`history_sheet.monthly_actuals`).
    first
        Sentences to be read before all others (`plan.cautions`).
    """
    ends = forecast.table["month_end"]
    until = f" to {month_name(ends.max().date())}" if len(ends) else ""
    texts = {
        "dash_subtitle": f"{authority or 'Authority not given'}. Lists as at "
        f"{day_name(forecast.census_date)}, forecast{until}. Scenario: {scenario}.",
        "dash_fan_note": f"Past and forecast, scenario {scenario}. The darkest shading holds 50% "
        f"of {draws:,} simulated futures, the next 80%, the lightest 95%.",
        "dash_compare_note": "Scenarios compared: the past (solid), then the average of the "
        "simulated futures. These axes need not begin at zero. Choose the lines on sheet Settings.",
        "dash_hidden_note": _hidden_caption(forecast, hidden),
        "dash_placement_note": f"By placement, scenario {scenario} (dashed: forecast)",
        "dash_cp_flow_note": f"Plans each month, scenario {scenario} (dashed: forecast)",
        "dash_cla_flow_note": f"Care each month, scenario {scenario} (dashed: forecast)",
    }
    return (
        *(RangeValues(name=name, rows=((text,),)) for name, text in texts.items()),
        RangeValues(
            name="dash_headlines", rows=headline_rows((*first, *sentences(forecast, scenario)))
        ),
        RangeValues(name="dash_numbers", rows=number_rows(forecast, scenario, interval, monthly)),
        RangeValues(
            name="dash_numbers_note",
            rows=(
                (
                    f"Scenario: {scenario}. Figures are averages of the simulated futures. Today's "
                    "referrals are the average of the lists' last whole months, six at most.",
                ),
                (
                    _year_ago_note(forecast, monthly)
                    + _per_ten_thousand(forecast, scenario, children),
                ),
            ),
        ),
    )


def sentences(forecast: Forecast, scenario: str) -> tuple[str, ...]:
    """Return the headlines of the scenario that the table and the fan charts show.

    What another scenario than the baseline brings comes first, then what it
    changes, then how the others differ.
    """
    told = forecast.scenario_headlines.get(scenario, ())
    if scenario == BASELINE.name or not told:
        return forecast.headlines
    base = forecast.scenario_headlines.get(BASELINE.name, ())
    others = [line for line in forecast.headlines if line not in base]
    own = [line for line in others if line.startswith(f"{scenario}: ")]
    return (*told, *own, *(line for line in others if line not in own))


def _year_ago_note(forecast: Forecast, monthly: pd.DataFrame) -> str:
    known = [m for m in _MEASURES if year_ago(forecast, m, monthly) is not None]
    if len(known) == len(_MEASURES):
        return "A year ago: of referrals, the same months of the year before."
    lacking = "" if not known else " for some measures"
    return (
        f"A year ago: not known{lacking}; neither the lists nor sheets History and Memory go back "
        "so far. Paste your monthly counts into sheet History."
    )


def _per_ten_thousand(forecast: Forecast, scenario: str, children: int | None) -> str:
    """Return the stocks per 10,000 children of the area, today and at the horizon."""
    if not children:
        return ""
    horizon = _horizon(forecast)
    parts = []
    for measure, label in (("cla_open", "in care"), ("cp_open", "on a plan")):
        found = headline(forecast, measure, scenario, horizon)
        if found is not None:
            now, then = (10_000 * value / children for value in (found.now, found.mean))
            parts.append(f"{label} {now:.0f}, then {then:.0f}")
    until = month_end(forecast.census_date, horizon)
    return f" Per 10,000 children, today and in {until:%b %Y}: {'; '.join(parts)}."


def _hidden_caption(forecast: Forecast, scenario: str) -> str:
    """Name the scenario of the hidden need; say why the chart is empty where it is."""
    if not scenario:
        return "Hidden need: no scenario is chosen on sheet Settings"
    need = forecast.hidden_need
    if (need.loc[need["scenario"] == scenario, "suppressed"] > 0).any():
        return f"Hidden need: {scenario}"
    return f"Hidden need: none in these months under {scenario}"


def headline_numbers(forecast: Forecast, scenario: str) -> tuple[CellValue, ...]:
    """Return the run log's figures: now, then mean and 80% range in 12 months, by measure.

    Where the horizon is shorter than 12 months, its last month stands in.
    """
    out: list[object] = []
    table = forecast.table
    for measure in _MEASURES:
        out.append(_now(forecast, measure))
        rows = table[
            (table["measure"] == measure)
            & (table["segment"] == "all")
            & (table["scenario"] == scenario)
            & (table["month_end"] <= pd.Timestamp(month_end(forecast.census_date, 12)))
        ].sort_values("month_end")
        out += [rows[c].iloc[-1] if len(rows) else None for c in ("mean", "p10", "p90")]
    return tuple(cells(out, decimals=1))
