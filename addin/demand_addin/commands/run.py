"""``csc-demand run``: check, fit, simulate, and write the results into the workbook.

Where the lists must be mended first nothing is written: the workbook stays
exactly as it was, with the results of the last run.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from datetime import date, datetime

from demand_addin.commands.check import (
    Judged,
    check_lines,
    check_record,
    finding_lines,
    stop_sentence,
)
from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.fitting import fit_lists
from demand_addin.commands.forecasting import forecast_fitted
from demand_addin.commands.inputs import read_asked_scenarios, read_inputs
from demand_addin.commands.outcome import ExitCode, Outcome
from demand_addin.history_sheet import OTHER_LISTS, history_hash
from demand_addin.odds import read_odds
from demand_addin.plan import ChartChoices, Earlier, RunChoices, RunLogEntry, plan_run
from demand_addin.plan.cautions import cautions, idle_guards, idle_posts
from demand_addin.plan.memory import earlier_words
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.progress import Progress, silent
from demand_addin.run_log import (
    SAME_AGAIN,
    list_hashes_text,
    packages_text,
    past_runs,
    previous_hash,
    rows_used_text,
)
from demand_addin.run_log import TABLE as RUN_LOG
from demand_addin.scenario_sheet import TABLE as SCENARIOS
from demand_addin.scenario_sheet import read_scenarios
from demand_addin.settings import RunSettings, entered_settings, settings_hash
from demand_addin.what_changed_sheet import read_said_before
from demand_addin.what_if_sheet import costs_beside_others
from demand_model import History, journeys
from demand_model.annex_a.check import WINDOWS_DIFFER
from demand_model.annex_a.checked import CheckResult
from demand_model.annex_a.findings import Severity
from demand_model.rates.table import rates_table
from demand_model.results.explain import referral_shares
from demand_model.results.forecast import Forecast
from demand_model.simulation.mixture import MIXTURE
from demand_model.simulation.scenario import Scenario
from demand_model.units import counted

_SIMULATED = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run found; `forecast` is ``None`` where the lists must be mended first.

    `cautions` must be read before the forecast is; `notes` are by the way.
    """

    check: CheckResult
    settings: RunSettings
    scenarios: tuple[Scenario, ...] = ()
    forecast: Forecast | None = None
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


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
        settings = read_inputs(book).with_options(seed=seed, draws=draws)
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
            *run.cautions,
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
    judged, fitted = fit_lists(book, settings, progress)
    if fitted is None:
        return None, Run(check=judged.check, settings=settings)
    census = fitted.lists.census_date
    scenarios = read_asked_scenarios(book, settings, census)
    odds = read_odds(book, [scenario.name for scenario in scenarios])
    found = forecast_fitted(fitted, settings, scenarios, odds, progress)
    progress("Writing the results", _SIMULATED)
    asked = (settings, scenarios, fitted.usable, fitted.sheet, *((odds,) if odds else ()))
    plan = plan_run(
        check=fitted.check,
        rates=rates_table(fitted.rates),
        forecast=found.forecast,
        scenario_names=(*_all_names(book, census), *((MIXTURE,) if odds else ())),
        choices=_choices(book, settings),
        log=_log_entry(book, judged, settings_hash(*asked), fitted.months, now),
        overrides=fitted.overrides,
        mapping=book.read_table("mapping"),
        earlier=Earlier(
            memory=fitted.memory,
            kept=fitted.kept,
            history=judged.history,
            listed=fitted.listed,
            from_referrals=referral_shares(fitted.rates),
            last_run=next(reversed(past_runs(book.read_table(RUN_LOG))), None),
            said_before=read_said_before(book),
        ),
        what_if=found.what_if,
        costs=found.costs,
        journeys=journeys(fitted.spells),
        workforce=found.workforce,
        maps=found.maps,
    )
    unused = tuple(
        f"Your own rate for {rate_id} was not used: this rate cannot be set."
        for rate_id in fitted.overrides
        if rate_id not in fitted.usable
    )
    run = Run(
        check=fitted.check,
        settings=settings,
        scenarios=scenarios,
        forecast=found.forecast,
        notes=(
            earlier_words(fitted.months, judged.history, fitted.listed),
            *filter(None, (fitted.front_door_basis,)),
            *unused,
            *costs_beside_others(book, [g.label for g in found.what_if.placed.groups]),
            *idle_posts(scenarios, fitted.sheet.inputs),
            *idle_guards(scenarios, fitted.sheet.inputs),
        ),
        cautions=cautions(fitted.check),
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


def warning_lines(check: CheckResult) -> tuple[str, ...]:
    """Say what may be a slip of the hand, and how many other warnings stand on sheet Checks."""
    warnings = [f for f in check.findings.items if f.severity is Severity.WARN]
    slips = [f for f in warnings if f.rule in (SAME_AGAIN, OTHER_LISTS, WINDOWS_DIFFER)]
    rest = len(warnings) - len(slips)
    stand = f"{counted(rest, 'warning')} {'stands' if rest == 1 else 'stand'}"
    return (*finding_lines(slips), *((f"{stand} on sheet Checks.",) if rest else ()))


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
