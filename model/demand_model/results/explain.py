"""Why the forecast changed: from the last run to this one, or from one scenario to another.

A waterfall compares two mean forecasts of the same month. The drivers are those of
`account`; between two runs with different census dates the comparison starts at the
later of them::

    old run   census ─ forecast ─ forecast ─ forecast ─ … ─ month asked for
    new run            census   ─ forecast ─ forecast ─ … ─ month asked for
                       │          └ intake level, season, share leading on, rates out
                       └ corrected past data, opening stock

What was corrected about the old census date, and how the stock now differs from
what was forecast for today, fade on the way to the month asked for, as children
leave. Where a census date is inside a month, that unfinished month (observed so far
plus simulated rest) counts as past. Re-run on the same census date, nothing lies
between the two: what differs at the start is corrected past data.

New starts are taken to leave at the stock's average rate, and starts to follow
referrals within the month: the steps are an account of the means, not a new run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pandas as pd

from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.rates.fit import FlowRates
from demand_model.results.account import DRIVERS, INTAKE, SCENARIO, SEASON
from demand_model.results.forecast import MEASURE_NAMES, MEASURES
from demand_model.results.records import RECORD_COLUMNS, ForecastRecord, record_of
from demand_model.results.steps import AT_START, Step, day_name, month_name, steps_between
from demand_model.results.waterfall import (
    WATERFALL_COLUMNS,
    Waterfall,
    change_in_words,
    waterfall_table,
)
from demand_model.simulation.scenario import BASELINE
from demand_model.units import month_end as end_of_month

__all__ = [
    "DRIVERS",
    "RECORD_COLUMNS",
    "WATERFALL_COLUMNS",
    "ForecastRecord",
    "Waterfall",
    "explain_change",
    "explain_scenarios",
    "record_of",
    "referral_shares",
]


def referral_shares(rates: FlowRates) -> dict[str, float]:
    """Share of the starts of plans ("cp") and of care ("cla") that moves with referrals.

    The rest are starts put down to no referral, and UASC. Care that follows a plan
    moves with referrals as far as plans do. For `explain_change` and
    `explain_scenarios`.
    """
    referrals = rates.referrals_per_month
    linked, other = rates.to_plan.share * referrals, rates.to_plan.other_mean()
    plans = _of_total(linked, other)
    from_plans = rates.plan_to_care.overall_mean() * len(rates.exposure.opening.plans.days)
    linked = rates.to_care.share * referrals + plans * from_plans
    other = rates.to_care.other_mean() + rates.returns_per_month + rates.uasc.overall_mean()
    return {"cp": plans, "cla": _of_total(linked, other + (1.0 - plans) * from_plans)}


def _of_total(part: float, rest: float) -> float:
    return part / (part + rest) if part + rest > 0 else 1.0


def explain_change(
    before: ForecastRecord | None,
    after: ForecastRecord,
    history: pd.DataFrame,
    *,
    measure: str,
    month_end: date | None = None,
    before_baseline: ForecastRecord | None = None,
    after_baseline: ForecastRecord | None = None,
    from_referrals: Mapping[str, float] | None = None,
) -> Waterfall:
    """Explain the difference between two runs' forecasts of one month.

    Parameters
    ----------
    before, after
        The earlier run and this one; no `before` for a first run.
    history
        ``month_end``, ``measure``, ``segment``, ``value``: `Forecast.history` of this
        run, which says what the stock was at the earlier census date as now known.
    measure
        One of `MEASURES`.
    month_end
        A day of the month to explain; by default the last that both runs reach.
    before_baseline, after_baseline
        The same runs' baselines, where the records are of another scenario: what the
        scenario does in each run is then a step of its own.
    from_referrals
        `referral_shares` of this run; by default all starts move with referrals.

    Raises
    ------
    InvalidSettingError
        The measure is unknown, or the month is not in both forecasts.
    NotEnoughDataError
        The two forecasts have no month in common.
    """
    _check_measure(measure)
    if before is None:
        return _first_run(after, measure, month_end)
    old, new = before_baseline or before, after_baseline or after
    last = _month((before, after, old, new), month_end)
    was, now, old_value, new_value = (r.mean(measure, last) for r in (before, after, old, new))
    steps = steps_between(old, new, history, measure, last, from_referrals or {}, ("before", "now"))
    effect = (now - new_value) - (was - old_value)
    steps.append(Step(driver=SCENARIO, change=effect, note=_scenario_note(before, after, old, new)))
    steps.sort(key=lambda step: DRIVERS.index(step.driver))
    again = before.census_date == after.census_date
    return _waterfall(
        measure,
        last,
        (was, now),
        steps,
        (f"{'Earlier forecast' if again else 'Forecast'} of {day_name(before.census_date)}",
         f"Forecast of {day_name(after.census_date)}"),
        against=f"the {'earlier ' if again else ''}forecast of {day_name(before.census_date)}",
        now="now",
    )  # fmt: skip


def explain_scenarios(
    before: ForecastRecord,
    after: ForecastRecord,
    history: pd.DataFrame,
    *,
    measure: str,
    month_end: date | None = None,
    from_referrals: Mapping[str, float] | None = None,
) -> Waterfall:
    """Explain the difference between two scenarios of one run in one month.

    Parameters
    ----------
    before, after
        What the run says of each scenario.
    history, measure, month_end, from_referrals
        As in `explain_change`.

    Raises
    ------
    InvalidSettingError
        The measure is unknown, or the month is not in the forecast.
    """
    _check_measure(measure)
    last = _month((before, after), month_end)
    words = (f"in {before.scenario}", f"in {after.scenario}")
    steps = steps_between(before, after, history, measure, last, from_referrals or {}, words)
    return _waterfall(
        measure,
        last,
        (before.mean(measure, last), after.mean(measure, last)),
        _of_one_run(steps),
        (before.scenario, after.scenario),
        against=before.scenario,
        now=words[1],
    )


def _of_one_run(steps: list[Step]) -> list[Step]:
    """Leave out what two scenarios of a run share: opening stock, known past and season.

    A lockdown's dip would look like a season: all that referrals do is one step.
    """
    season = sum(step.change for step in steps if step.driver == SEASON)
    return [
        replace(step, change=step.change + season) if step.driver == INTAKE else step
        for step in steps
        if step.driver not in (*AT_START, SEASON)
    ]


def _check_measure(measure: str) -> None:
    if measure not in MEASURES:
        raise InvalidSettingError(
            f"Invalid measure: {measure}. It must be one of {', '.join(MEASURES)}."
        )


def _month(records: tuple[ForecastRecord, ...], month_end: date | None) -> pd.Period:
    """Find the month to explain: one that is in every record."""
    common = pd.PeriodIndex(records[0].means.index)
    for record in records[1:]:
        common = common.intersection(pd.PeriodIndex(record.means.index))
    if not len(common):
        days = [day_name(record.census_date) for record in records]
        raise NotEnoughDataError(
            f"The forecasts of {days[0]} and {days[1]} have no month in common, "
            "so the change between them cannot be explained."
        )
    if month_end is None:
        return pd.Period(common[-1])
    wanted = pd.Period(month_end, freq="M")
    if wanted not in common:
        raise InvalidSettingError(
            f"Invalid month: {month_name(wanted)}. It must be in both forecasts: "
            f"{month_name(common[0])} to {month_name(common[-1])}."
        )
    return wanted


def _first_run(after: ForecastRecord, measure: str, month_end: date | None) -> Waterfall:
    last = _month((after, after), month_end)
    value = after.mean(measure, last)
    label = f"Forecast of {day_name(after.census_date)}"
    table = waterfall_table(value, [], value, ("", label)).iloc[1:].assign(step=0)
    return Waterfall(
        measure=measure,
        month_end=end_of_month(last.start_time.date()),
        before="",
        after=label,
        table=table.reset_index(drop=True),
        sentence=(
            f"{MEASURE_NAMES[measure]}: there is no earlier forecast to compare with yet. "
            "The next run will say what has changed and why."
        ),
    )


def _waterfall(
    measure: str,
    last: pd.Period,
    totals: tuple[float, float],
    steps: list[Step],
    labels: tuple[str, str],
    *,
    against: str,
    now: str,
) -> Waterfall:
    day = end_of_month(last.start_time.date())
    rows = [(step.driver, step.change, step.note) for step in steps]
    table = waterfall_table(totals[0], rows, totals[1], labels)
    return Waterfall(
        measure=measure,
        month_end=day,
        before=labels[0],
        after=labels[1],
        table=table,
        sentence=change_in_words(measure, day, table, against=against, now=now),
    )


def _scenario_note(
    before: ForecastRecord, after: ForecastRecord, old: ForecastRecord, new: ForecastRecord
) -> str:
    if before.scenario == BASELINE.name == after.scenario:
        return "The baseline has no scenario inputs."
    if old.scenario != BASELINE.name or new.scenario != BASELINE.name:
        return "Within the other steps: the baselines of these runs were not kept."
    if before.scenario == after.scenario:
        return f"What {after.scenario} adds to the baseline, now against then."
    return f"What {after.scenario} adds to the baseline, against {before.scenario}."
