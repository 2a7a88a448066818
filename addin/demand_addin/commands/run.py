"""``csc-demand run``: check, fit, simulate, and write the results into the workbook.

Where the lists must be mended first nothing is written: the workbook stays
exactly as it was, with the results of the last run.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from demand_addin.commands.check import (
    Judged,
    check_lines,
    check_record,
    finding_lines,
    judge,
    stop_sentence,
)
from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.history_sheet import OTHER_LISTS, earlier_months, history_hash, trusted
from demand_addin.plan import ChartChoices, Earlier, RunChoices, RunLogEntry, plan_run
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.progress import Progress, silent
from demand_addin.run_log import (
    SAME_AGAIN,
    list_hashes_text,
    packages_text,
    previous_hash,
    rows_used_text,
)
from demand_addin.run_log import TABLE as RUN_LOG
from demand_addin.scenario_sheet import TABLE as SCENARIOS
from demand_addin.scenario_sheet import read_scenarios
from demand_addin.settings import (
    RunSettings,
    entered_settings,
    read_overrides,
    read_settings,
    require_fan_scenario,
    settings_hash,
)
from demand_model import (
    Exposure,
    History,
    fit,
    history_disagreements,
    spells,
    summarise,
    tabulate,
)
from demand_model.annex_a.checked import CheckResult
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.annex_a.findings import Severity
from demand_model.exposure.history import listed_months
from demand_model.rates.fit import FlowRates, overridable_rate_ids
from demand_model.rates.table import rates_table
from demand_model.results.explain import referral_shares
from demand_model.results.forecast import Forecast
from demand_model.results.what_if import what_if_values
from demand_model.results.what_if_data import WhatIf
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared

_FIT, _SIMULATION_FROM, _SIMULATION_TO = 0.15, 0.25, 0.85
_FEW_SCENARIOS = 3
"""With more, threads only get into each other's way (see `simulate`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run found; `forecast` is ``None`` where the lists must be mended first."""

    check: CheckResult
    settings: RunSettings
    scenarios: tuple[Scenario, ...] = ()
    forecast: Forecast | None = None
    notes: tuple[str, ...] = ()


def run_book(
    job: FileJob,
    *,
    seed: int | None = None,
    draws: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Run the model on a workbook and save the results into it (or into ``job.out``).

    Parameters
    ----------
    seed, draws
        Win over sheet Settings where given.

    Raises
    ------
    DemandError
        The workbook, its settings or its lists cannot be used, or it cannot be
        written; no file is changed.
    """

    def work(book: WorkbookPort) -> tuple[BookPlan | None, Run]:
        settings = read_settings(book).with_options(seed=seed, draws=draws)
        return run_on(book, settings, now=job.now, progress=progress)

    run, saved = change_file(job, work)
    if run.forecast is None:
        return _stopped(job, run)
    progress("Done", 1.0)
    return Outcome(
        command="run",
        wrote=saved.wrote,
        sentences=(
            *check_lines(run.check),
            *warning_lines(run.check),
            *run.notes,
            "",
            *run.forecast.headlines,
            *saved.notes,
        ),
        record={
            "book": str(saved.path),
            "seed": run.settings.seed,
            "draws": run.settings.draws,
            "horizon_months": run.settings.horizon_months,
            "scenarios": [scenario.name for scenario in run.scenarios],
            "headlines": list(run.forecast.headlines),
            **check_record(run.check),
        },
    )


def run_on(
    book: WorkbookPort, settings: RunSettings, *, now: datetime, progress: Progress = silent
) -> tuple[BookPlan | None, Run]:
    """Compute everything that a run writes into an open workbook; write nothing.

    Returns
    -------
    The plan, or ``None`` where the lists must be mended first, and what was found.
    """
    judged = judge(book, settings, progress)
    lists = judged.check.lists
    if lists is None or judged.check.findings.stops:
        return None, Run(check=judged.check, settings=settings)
    scenarios = read_scenarios(
        book.read_table(SCENARIOS), lists.census_date, segments=SOURCE_GROUPS
    )
    require_fan_scenario(book, settings, [scenario.name for scenario in scenarios])
    overrides = read_overrides(book)
    usable = {k: v for k, v in overrides.items() if k in set(overridable_rate_ids())}
    progress("Fitting the flow rates", _FIT)
    exposure = tabulate(spells(lists))
    listed = listed_months(exposure)
    memory, other = trusted(judged.memory, listed)
    months = earlier_months(memory, judged.history, listed)
    rates, forecast, what_if = forecast_exposure(
        exposure, months, settings, scenarios, usable, progress
    )
    apart = history_disagreements(judged.history, exposure) + other
    checked = replace(judged.check, findings=judged.check.findings + apart)
    progress("Writing the results", _SIMULATION_TO)
    asked = settings_hash(settings, scenarios, usable)
    plan = plan_run(
        check=checked,
        rates=rates_table(rates),
        forecast=forecast,
        scenario_names=_all_names(book, lists.census_date),
        choices=_choices(book, settings),
        log=_log_entry(book, judged, asked, months, now),
        overrides=overrides,
        mapping=book.read_table("mapping"),
        earlier=Earlier(
            memory=memory,
            history=judged.history,
            listed=listed,
            from_referrals=referral_shares(rates),
        ),
        what_if=what_if,
    )
    unused = tuple(
        f"Your own rate for {rate_id} was not used: this rate cannot be set."
        for rate_id in overrides
        if rate_id not in usable
    )
    run = Run(
        check=checked,
        settings=settings,
        scenarios=scenarios,
        forecast=forecast,
        notes=unused,
    )
    return plan, run


def _log_entry(
    book: WorkbookPort, judged: Judged, asked: str, months: History | None, now: datetime
) -> RunLogEntry:
    """Say what the run rests on: lists, earlier months, what was asked for, and versions."""
    settings = judged.settings
    return RunLogEntry(
        when=now.replace(tzinfo=None, microsecond=0),
        version=importlib.metadata.version("csc-demand"),
        seed=settings.seed,
        draws=settings.draws,
        horizon_months=settings.horizon_months,
        list_hashes=list_hashes_text(judged.hashes, history_hash(months)),
        settings_hash=asked,
        rows_used=rows_used_text({t.list_number: t.used for t in judged.check.tallies}),
        previous_hash=previous_hash(book.read_table(RUN_LOG)),
        packages=packages_text(),
    )


def forecast_exposure(
    exposure: Exposure,
    months: History | None,
    settings: RunSettings,
    scenarios: Sequence[Scenario],
    overrides: dict[str, float],
    progress: Progress,
) -> tuple[FlowRates, Forecast, WhatIf]:
    """Go from what the lists show, and earlier months, to a forecast."""
    rates = fit(exposure, history=months, overrides=overrides)
    prepared = prepare(
        rates,
        horizon_months=settings.horizon_months,
        draws=settings.draws,
        seed=settings.seed,
    )
    trajectories = simulate_prepared(
        prepared,
        scenarios,
        threads=1 if len(scenarios) > _FEW_SCENARIOS else None,
        progress=_within(progress, _SIMULATION_FROM, _SIMULATION_TO),
    )
    baseline = next(t for t in trajectories if t.scenario.name == BASELINE.name)
    what_if = what_if_values(prepared, baseline)
    return rates, summarise(trajectories, exposure), what_if


def warning_lines(check: CheckResult) -> tuple[str, ...]:
    """Say what may be a slip of the hand, and how many other warnings stand on sheet Checks."""
    warnings = [f for f in check.findings.items if f.severity is Severity.WARN]
    slips = [f for f in warnings if f.rule in (SAME_AGAIN, OTHER_LISTS)]
    rest = len(warnings) - len(slips)
    counted = "1 warning stands" if rest == 1 else f"{rest} warnings stand"
    return (*finding_lines(slips), *((f"{counted} on sheet Checks.",) if rest else ()))


def _within(progress: Progress, low: float, high: float) -> Callable[[str, float], None]:
    def scaled(what: str, share: float) -> None:
        progress(f"Simulating {what}", low + (high - low) * share)

    return scaled


def _choices(book: WorkbookPort, settings: RunSettings) -> RunChoices:
    return RunChoices(
        authority=settings.authority,
        child_population=settings.child_population,
        charts=ChartChoices(
            interval=settings.interval_shown,
            fan_scenario=settings.fan_scenario or "Baseline",
            compare=tuple(name or "" for name in settings.compare_scenarios),
            hidden_need_scenario=settings.hidden_need_scenario or "",
        ),
        entered=entered_settings(book),
    )


def _all_names(book: WorkbookPort, census_date: date) -> tuple[str, ...]:
    table = book.read_table(SCENARIOS)
    return tuple(s.name for s in read_scenarios(table, census_date, included_only=False))


def _stopped(job: FileJob, run: Run) -> Outcome:
    where = (
        f'{job.source.name} was left as it was; csc-demand check "{job.source.name}" writes all '
        "findings to its sheet Checks"
    )
    return Outcome(
        command="run",
        exit_code=ExitCode.MEND,
        problem=stop_sentence(run.check, where),
        details=finding_lines(run.check.findings.stops),
        sentences=check_lines(run.check),
        record={"book": str(job.source), **check_record(run.check)},
    )
