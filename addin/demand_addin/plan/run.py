"""What a run writes: rates, forecast, Dashboard, chart data, and a row of the run log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import pandas as pd

from demand_addin.history_sheet import Memory, earlier_months, monthly_actuals, no_months
from demand_addin.layout.chart_data import SCENARIO_NAMES
from demand_addin.layout.settings import SETTINGS
from demand_addin.layout.sheets import CHECKS, status_names
from demand_addin.layout.tables import FORECAST, RUN_LOG
from demand_addin.plan.accuracy import control_tables, tracking_tables
from demand_addin.plan.basis import basis_ranges
from demand_addin.plan.cautions import cautions
from demand_addin.plan.charts import ChartChoices, chart_ranges
from demand_addin.plan.check import (
    LOOK,
    OK,
    check_results,
    check_tables,
    one_cell_each,
    start_ranges,
)
from demand_addin.plan.costs import costs_values, no_costs
from demand_addin.plan.dashboard import basis_rows, dashboard_ranges, headline_numbers
from demand_addin.plan.journeys import journey_values
from demand_addin.plan.last_run import LastRun, SaidBefore
from demand_addin.plan.maps import maps_values
from demand_addin.plan.memory import earlier_words, memory_tables, remembered
from demand_addin.plan.rates import rates_values
from demand_addin.plan.values import frame_rows, month_name
from demand_addin.plan.what_changed import (
    all_children,
    changes,
    changes_values,
    records_of,
)
from demand_addin.plan.what_if import what_if_ranges
from demand_addin.plan.workforce import no_workforce, workforce_values
from demand_addin.ports import BookPlan, CellValue, RangeValues, TableRead, TableValues
from demand_addin.run_log import PastRun, list_hashes_in
from demand_model import History
from demand_model.annex_a.checked import CheckResult
from demand_model.results.control import control_charts
from demand_model.results.costs import Costs
from demand_model.results.forecast import QUANTILE_COLUMNS, Forecast
from demand_model.results.journeys import Journeys
from demand_model.results.system_maps import SystemMaps
from demand_model.results.track import PAST_COLUMNS, track
from demand_model.results.what_if_data import WhatIf
from demand_model.results.workforce import WorkforceForecast
from demand_model.simulation.scenario import BASELINE

_BALANCE_TOLERANCE = 0.5
"""Referrals; the three parts are rounded when written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoices:
    """What the analyst set about showing results.

    Attributes
    ----------
    authority
        Name, or empty.
    charts
        Interval and scenarios of the charts.
    entered
        Every setting by its key **as it stands in its cell** (blank is ``None``),
        so that the workbook can tell when settings have changed since.
    child_population
        Children aged 0 to 17 in the area, for rates per 10,000, or ``None``.
    """

    authority: str
    charts: ChartChoices
    entered: Mapping[str, CellValue] = field(default_factory=dict)
    child_population: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLogEntry:
    """A row of the run log, the headline results aside. Times come from the caller."""

    when: datetime
    version: str
    seed: int
    draws: int
    horizon_months: int
    list_hashes: str
    settings_hash: str
    rows_used: str
    previous_hash: str
    packages: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Earlier:
    """What is known beside this run's lists.

    Attributes
    ----------
    memory
        As it stood before this run; empty where it is not of these lists.
    kept
        What sheet Memory shall go on to hold, where this run is not to be remembered.
    history
        The analyst's own monthly counts.
    listed
        The whole months that the lists show (`demand_model.exposure.history.listed_months`).
    from_referrals
        From `demand_model.results.explain.referral_shares`.
    last_run
        The last row of the run log, if there is one.
    said_before
        What it wrote on sheet What changed.
    """

    memory: Memory = field(default_factory=Memory.empty)
    history: History = field(default_factory=History.empty)
    listed: pd.DataFrame = field(default_factory=no_months)
    from_referrals: Mapping[str, float] | None = None
    last_run: PastRun | None = None
    said_before: SaidBefore = field(default_factory=SaidBefore)
    kept: Memory | None = None


def plan_run(
    *,
    check: CheckResult,
    rates: pd.DataFrame,
    forecast: Forecast,
    scenario_names: Sequence[str],
    choices: RunChoices,
    log: RunLogEntry,
    overrides: Mapping[str, float] | None = None,
    mapping: TableRead | None = None,
    earlier: Earlier | None = None,
    what_if: WhatIf | None = None,
    costs: Costs | None = None,
    journeys: Journeys | None = None,
    maps: SystemMaps | None = None,
    workforce: WorkforceForecast | None = None,
) -> BookPlan:
    """Plan everything that a run writes, for one go.

    Parameters
    ----------
    check
        The outcome of `demand_model.check`.
    rates
        `FlowRates.table`.
    forecast
        The outcome of `demand_model.summarise`.
    scenario_names
        Of all scenarios on the Scenarios sheet, in order (for the drop-downs).
    overrides
        The analyst's own rates by ``rate_id``, which the table keeps.
    mapping
        Table `mapping` as it stands: settled spellings are kept.
    earlier
        What sheets Memory and History hold; nothing by default.
    """
    own = dict(overrides or {})
    charts = choices.charts
    earlier = earlier or Earlier()
    known = monthly_actuals(earlier.memory, earlier.history, earlier.listed)
    months = earlier_months(earlier.memory, earlier.history, earlier.listed)
    before = earlier_words(months, earlier.history, earlier.listed)
    learned = _learned(forecast, charts, earlier, known, _since_last_run(earlier.last_run, log))
    priced = _priced(costs, choices)
    staffed = _staffed(workforce, choices)
    walked = ((), ()) if journeys is None else journey_values(journeys)
    mapped = BookPlan() if maps is None else maps_values(maps)
    results = {**check_results(check), **_forecast_results(forecast)}
    until = forecast.table["month_end"].max().date()
    said = f"Run {log.when:%d/%m/%Y %H:%M}, version {log.version}"
    return BookPlan(
        tables=(
            *check_tables(check, mapping),
            rates_values(rates, own),
            TableValues(
                name=FORECAST.name,
                columns=FORECAST.headings,
                rows=frame_rows(forecast.table, FORECAST.headings),
            ),
            _log_row(log, forecast, charts.fan_scenario),
            *learned.tables,
            *walked[0],
            *mapped.tables,
            *priced.tables,
            *staffed.tables,
        ),
        ranges=(
            *start_ranges(
                check,
                choices.authority,
                f"{said}: forecast to {month_name(until)}",
                next(iter((*cautions(check), *forecast.headlines)), ""),
            ),
            *one_cell_each(results),
            *one_cell_each(dict.fromkeys(("master_check", *status_names()), _master(results))),
            *dashboard_ranges(
                forecast,
                authority=choices.authority,
                scenario=charts.fan_scenario,
                interval=charts.interval,
                draws=log.draws,
                hidden=charts.hidden_need_scenario,
                monthly=known,
                first=cautions(check),
                children=choices.child_population,
            ),
            RangeValues(
                name="dash_basis",
                rows=basis_rows(
                    check,
                    rates,
                    draws=log.draws,
                    until=until,
                    run=f"{said}, seed {log.seed}.",
                    earlier=before,
                ),
            ),
            *basis_ranges(check, before),
            *chart_ranges(forecast, charts),
            RangeValues(
                name=SCENARIO_NAMES.name,
                rows=tuple((name,) for name in scenario_names[: SCENARIO_NAMES.rows]),
            ),
            RangeValues(
                name="settings_at_last_run",
                rows=tuple((choices.entered.get(s.key),) for s in SETTINGS),
            ),
            *learned.ranges,
            *(() if what_if is None else what_if_ranges(what_if)),
            *walked[1],
            *mapped.ranges,
            *priced.ranges,
            *staffed.ranges,
        ),
    )


def _priced(costs: Costs | None, choices: RunChoices) -> BookPlan:
    """Plan sheet Costs."""
    if costs is None:
        return no_costs()
    return costs_values(costs, scenario=choices.charts.fan_scenario, authority=choices.authority)


def _staffed(workforce: WorkforceForecast | None, choices: RunChoices) -> BookPlan:
    """Plan sheet Workforce."""
    if workforce is None:
        return no_workforce()
    charts = choices.charts
    return workforce_values(
        workforce,
        scenario=charts.fan_scenario,
        compare=charts.compare,
        authority=choices.authority,
    )


def _learned(
    forecast: Forecast,
    charts: ChartChoices,
    earlier: Earlier,
    monthly: pd.DataFrame,
    last: LastRun | None,
) -> BookPlan:
    """Plan sheets Memory and What changed, and what a run writes of sheet Accuracy."""
    whole = all_children(forecast)
    records = records_of(whole, charts.fan_scenario)
    changed, said = changes_values(
        changes(
            whole,
            earlier.memory,
            records,
            scenario=charts.fan_scenario,
            compare=charts.compare,
            from_referrals=earlier.from_referrals,
            last=last,
            listed=earlier.listed,
            said_before=earlier.said_before,
        )
    )
    memory = remembered(earlier.memory, earlier.listed, records, baseline=BASELINE.name)
    shown = memory if earlier.kept is None else earlier.kept
    past = memory.past[memory.past["scenario"] == BASELINE.name]
    parts = (
        tracking_tables(track(past[list(PAST_COLUMNS)], monthly), monthly),
        control_tables(control_charts(monthly)),
    )
    return BookPlan(
        tables=(changed, *memory_tables(shown), *(t for part in parts for t in part.tables)),
        ranges=(*said, *(r for part in parts for r in part.ranges)),
    )


def _since_last_run(past: PastRun | None, log: RunLogEntry) -> LastRun | None:
    if past is None:
        return None
    return LastRun(
        when=past.when,
        has_same_lists=list_hashes_in(past.inputs) == list_hashes_in(log.list_hashes),
        has_same_settings=past.settings_hash == log.settings_hash,
        has_same_months=past.inputs == log.list_hashes,
    )


def _log_row(log: RunLogEntry, forecast: Forecast, scenario: str) -> TableValues:
    row: tuple[CellValue, ...] = (
        log.when,
        log.version,
        log.seed,
        log.draws,
        log.horizon_months,
        forecast.census_date,
        log.list_hashes,
        log.settings_hash,
        log.rows_used,
        *headline_numbers(forecast, scenario),
        log.previous_hash,
        log.packages,
    )
    return TableValues(name=RUN_LOG.name, columns=RUN_LOG.headings, rows=(row,), append=True)


def _forecast_results(forecast: Forecast) -> dict[str, CellValue]:
    """Return what the live checks of the forecast will find."""
    table = forecast.table
    ordered = all(
        (table[low] <= table[high] + 1e-9).all() for low, high in pairwise(QUANTILE_COLUMNS)
    )
    need = forecast.hidden_need
    gap = need["suppressed"] - need["returned"] - need["not_returning"] - need["hidden"]
    return {
        "check_order": OK if ordered else LOOK,
        "check_hidden": OK if not (gap.abs() > _BALANCE_TOLERANCE).any() else LOOK,
        "check_settings": OK,
    }


def _master(results: Mapping[str, CellValue]) -> str:
    """Return what the master check's formula says of these results."""
    bad = sum(value == LOOK for value in results.values())
    if bad == 0:
        return "All checks pass"
    need = "needs" if bad == 1 else "need"
    return f"{bad} of {len(CHECKS)} checks {need} a look: see sheet Checks"
