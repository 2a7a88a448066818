"""The commands on a workbook that is open in Excel: import, check, run, backtest, undo.

They compute as the closed-file commands do, with the same functions, and end in the
same `Outcome`. Nothing is saved: what they wrote stands in the open workbook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from demand_addin.commands.backtest import DRAWS, backtest_lines, backtest_on
from demand_addin.commands.check import (
    check_lines,
    check_record,
    finding_lines,
    judge,
    stop_sentence,
)
from demand_addin.commands.inputs import read_inputs
from demand_addin.commands.keep import keep_on
from demand_addin.commands.levers import levers_lines, levers_on, levers_record
from demand_addin.commands.levers import stopped as levers_stopped
from demand_addin.commands.older_book import fitted
from demand_addin.commands.outcome import ExitCode, Json, Outcome, attempt
from demand_addin.commands.run import Run, run_on, warning_lines
from demand_addin.live.adapter import LiveWorkbook
from demand_addin.live.importing import import_into
from demand_addin.live.quiet import status_line
from demand_addin.live.session import attach
from demand_addin.live.undo import KEPT_A_BOOK
from demand_addin.plan import plan_check
from demand_addin.ports import BookPlan
from demand_addin.progress import Progress, silent
from demand_addin.settings import read_settings
from demand_model.annex_a.checked import CheckResult
from demand_model.annex_a.findings import Severity

Result = TypeVar("Result")

BUTTONS = {
    "import": "Import lists",
    "check": "Check",
    "run": "Run",
    "backtest": "Accuracy",
    "levers": "Levers",
    "keep": "Keep what-if",
    "undo": "Undo last run",
}
COMMANDS = tuple(BUTTONS)
NOT_SAVED = (
    "The workbook is not saved yet: look at the results, then save it. Undo brings the old "
    "results back."
)

_LONGEST_MESSAGE = 900
"""Excel's message box shows 1,023 characters."""
_CONF = "xlwings.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveJob:
    """Which open workbook is meant, and when it is.

    Attributes
    ----------
    book
        Name or full name, as Excel has it.
    now
        The time of the run, for the run log.
    find
        How the workbook is found; a test's finds its own.
    files
        The files that hold the lists, for ``import``.
    """

    book: str
    now: datetime
    find: Callable[[str], LiveWorkbook] = field(default=attach)
    files: tuple[Path, ...] = ()


def carry_out(command: str, job: LiveJob, *, progress: Progress = silent) -> Outcome:
    """Carry out a command on an open workbook; whatever goes wrong becomes one sentence.

    Parameters
    ----------
    command
        One of `COMMANDS`.
    progress
        Told what is being done, besides Excel's status bar.
    """
    work: Mapping[str, Callable[[LiveWorkbook, datetime, Progress], Outcome]] = {
        "import": partial(_import, files=job.files),
        "check": _check,
        "run": _run,
        "backtest": _backtest,
        "levers": _levers,
        "keep": _keep,
        "undo": _undo,
    }
    chosen = work[command]

    def attached() -> Outcome:
        book = job.find(job.book)
        with status_line(book.excel) as line:

            def both(what: str, share: float) -> None:
                line(what, share)
                progress(what, share)

            return chosen(book, job.now, both)

    return attempt(command, attached)


def message_of(outcome: Outcome) -> str:
    """Put an outcome into a few plain lines for a message box.

    The problem and where it is, or the main results; never more than Excel's own
    message box can show.
    """
    lines = [outcome.problem, *outcome.details] if outcome.problem else list(outcome.sentences)
    text = "\n".join(lines).strip()
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return text[: _LONGEST_MESSAGE - 1].rsplit("\n", 1)[0].rstrip() + "\n…"


def _import(
    book: LiveWorkbook, now: datetime, progress: Progress, *, files: tuple[Path, ...]
) -> Outcome:
    return import_into(book, progress, files, label=label_of("import", now))


def _check(book: LiveWorkbook, now: datetime, progress: Progress) -> Outcome:
    judged = judge(book, read_inputs(book), progress)
    plan = plan_check(
        judged.check, authority=judged.settings.authority, mapping=book.read_table("mapping")
    )
    notes = _write(book, plan, label_of("check", now))
    result = judged.check
    stops = result.findings.stops
    warnings = [f for f in result.findings.items if f.severity is Severity.WARN]
    return Outcome(
        command="check",
        exit_code=ExitCode.MEND if stops else ExitCode.OK,
        problem=stop_sentence(result, "sheet Checks lists all findings"),
        details=finding_lines(stops),
        sentences=(
            *check_lines(result),
            *finding_lines(warnings),
            *(() if stops else ("The lists can be used: now run the model.",)),
            *notes,
        ),
        record=_record(book, check_record(result)),
    )


def _run(book: LiveWorkbook, now: datetime, progress: Progress) -> Outcome:
    plan, run = run_on(book, read_inputs(book), now=now, progress=progress)
    if plan is None or run.forecast is None:
        return _stopped("run", book, run.check)
    notes = _write(book, plan, label_of("run", now))
    return Outcome(
        command="run",
        sentences=(
            *run.cautions,
            *run.forecast.headlines,
            "",
            *check_lines(run.check),
            *warning_lines(run.check),
            *run.notes,
            *notes,
        ),
        record=_record(book, _run_record(run) | check_record(run.check)),
    )


def _run_record(run: Run) -> dict[str, Json]:
    return {
        "seed": run.settings.seed,
        "draws": run.settings.draws,
        "horizon_months": run.settings.horizon_months,
        "scenarios": [scenario.name for scenario in run.scenarios],
        "headlines": list(run.forecast.headlines) if run.forecast else [],
    }


def _backtest(book: LiveWorkbook, now: datetime, progress: Progress) -> Outcome:
    settings = read_settings(book).with_options(draws=DRAWS)
    plan, tested = backtest_on(book, settings, progress=progress)
    if plan is None or tested.result is None:
        return _stopped("backtest", book, tested.check)
    notes = _write(book, plan, label_of("backtest", now))
    result = tested.result
    return Outcome(
        command="backtest",
        sentences=(*backtest_lines(result), *notes),
        record=_record(book, {"sentences": list(result.sentences), "note": result.note}),
    )


def _levers(book: LiveWorkbook, now: datetime, progress: Progress) -> Outcome:
    plan, tried = levers_on(book, progress=progress)
    if plan is None or tried.found is None:
        where = f"{book.name} was left as it was; Check writes all findings to its sheet Checks"
        return levers_stopped(tried.check, where, _record(book, {}))
    notes = _write(book, plan, label_of("levers", now))
    return Outcome(
        command="levers",
        sentences=(*levers_lines(tried.found), *notes),
        record=_record(book, levers_record(tried.found)),
    )


def _keep(book: LiveWorkbook, now: datetime, progress: Progress) -> Outcome:
    progress("Keeping what was tried", 0.0)
    plan, kept = keep_on(book, now=now)
    notes = _write(book, plan, label_of("keep", now))
    return Outcome(
        command="keep",
        sentences=(*kept.sentences, *notes),
        record=_record(book, kept.record),
    )


def _undo(book: LiveWorkbook, now: datetime, progress: Progress) -> Outcome:
    del now
    progress("Putting the earlier results back", 0.0)
    undone = book.undo_last_write()
    if undone is None:
        return Outcome(
            command="undo",
            exit_code=ExitCode.MEND,
            problem=f"There is nothing to undo in {book.name}: nothing was written in it with "
            f"these buttons, or it was all undone already (the last {KEPT_A_BOOK} are kept), or "
            "it was closed without saving, or the workbook was renamed, moved or saved under "
            "another name since: what was written before is known under its earlier name and "
            "folder only.",
            record=_record(book, {"left": []}),
        )
    more = (
        f"{len(undone.left)} more can be undone, next: {undone.left[0] or 'an earlier command'}."
        if undone.left
        else "Nothing more can be undone."
    )
    return Outcome(
        command="undo",
        sentences=(
            f"Undone: {undone.label or 'the last command'}: what stood there before is back.",
            more,
            *book.notes,
        ),
        record=_record(book, {"undone": undone.label, "left": list(undone.left)}),
    )


def label_of(command: str, now: datetime) -> str:
    """Return what an undo calls a write.

    >>> label_of("check", datetime(2026, 4, 3, 9, 5))
    'Check (03/04/2026 09:05)'
    """
    return f"{BUTTONS[command]} ({now:%d/%m/%Y %H:%M})"


def _write(book: LiveWorkbook, plan: BookPlan, label: str) -> tuple[str, ...]:
    """Write what the workbook has a place for; return what the user must read."""
    kept, lacking = fitted(book, plan)
    book.write(kept, label=label)
    conf = _CONF in {name.casefold() for name in book.sheet_names()}
    ignored = (f"Sheet {_CONF} was not read: a workbook may not choose what runs.",) if conf else ()
    return (*lacking, *book.notes, *ignored, NOT_SAVED)


def _stopped(command: str, book: LiveWorkbook, check: CheckResult) -> Outcome:
    where = f"{book.name} was left as it was; Check writes all findings to its sheet Checks"
    return Outcome(
        command=command,
        exit_code=ExitCode.MEND,
        problem=stop_sentence(check, where),
        details=finding_lines(check.findings.stops),
        sentences=check_lines(check),
        record=_record(book, check_record(check)),
    )


def _record(book: LiveWorkbook, record: Mapping[str, Json]) -> dict[str, Json]:
    return {"book": book.name, **record}
