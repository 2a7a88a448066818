"""``csc-demand backtest``: forecast from earlier dates of the lists, and say how far to trust it.

Writes its part of sheet Accuracy and nothing else: checks, rates, forecast and
Dashboard stay as the last run left them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from demand_addin.commands.check import check_record, finding_lines, judge, stop_sentence
from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.outcome import ExitCode, Json, Outcome
from demand_addin.history_sheet import earlier_months, monthly_actuals
from demand_addin.layout.accuracy import SCORES, SHEET
from demand_addin.plan.accuracy import backtest_tables, headlines_first
from demand_addin.plan.values import day_name
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.progress import Progress, silent
from demand_addin.settings import RunSettings, read_overrides, read_settings
from demand_model import Backtest, backtest, spells, tabulate
from demand_model.annex_a.checked import CheckResult
from demand_model.errors import InvalidInputError
from demand_model.exposure.history import listed_months
from demand_model.rates.fit import overridable_rate_ids

DRAWS = 500
"""Simulated futures from each earlier date, where none are asked for: ranges need no more."""

_FROM, _TO = 0.1, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What a back-test found; `result` is ``None`` where the lists must be mended first."""

    check: CheckResult
    result: Backtest | None = None


def backtest_book(
    job: FileJob,
    *,
    seed: int | None = None,
    draws: int | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Test the model on the lists of a workbook and write the back-test to its sheet Accuracy.

    Parameters
    ----------
    seed
        Wins over sheet Settings where given.
    draws
        Simulated futures from each earlier date; `DRAWS` by default.

    Raises
    ------
    DemandError
        The workbook, its settings or its lists cannot be used, the lists allow no
        earlier date, or the workbook cannot be written; no file is changed.
    """

    def work(book: WorkbookPort) -> tuple[BookPlan | None, Tested]:
        settings = read_settings(book).with_options(seed=seed, draws=draws or DRAWS)
        return backtest_on(book, settings, progress=progress)

    tested, saved = change_file(job, work)
    result = tested.result
    if result is None:
        return _stopped(job, tested.check)
    progress("Done", 1.0)
    return Outcome(
        command="backtest",
        wrote=saved.wrote,
        sentences=(
            *backtest_lines(result),
            *saved.notes,
        ),
        record={"book": str(saved.path), **_record(result)},
    )


def backtest_lines(result: Backtest) -> tuple[str, ...]:
    """Say from which dates was forecast, and how far out each measure was."""
    dates = ", ".join(day_name(origin) for origin in result.origins)
    return (
        f"Forecasts as if on {dates}, with what the lists then showed:",
        "",
        *headlines_first(result.sentences),
        *((result.note,) if result.note else ()),
        "",
        f"Sheet {SHEET} has the charts and every figure.",
    )


def _require_sheet(book: WorkbookPort) -> None:
    """Say before any work that there is nowhere to write to."""
    if SHEET in book.sheet_names():
        return
    try:
        book.read_table(SCORES.name)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"{book.name} has no sheet {SHEET}: an earlier version made the workbook, or the sheet "
            "was deleted. Nothing was written. Bring the lists into a new workbook with "
            f'csc-demand import NEW.xlsx "{book.name}", copy your settings and rates into it, and '
            "test that one."
        ) from error


def backtest_on(
    book: WorkbookPort, settings: RunSettings, *, progress: Progress = silent
) -> tuple[BookPlan | None, Tested]:
    """Compute everything that a back-test writes into an open workbook; write nothing.

    Returns
    -------
    The plan, or ``None`` where the lists must be mended first, and what was found.
    """
    _require_sheet(book)
    judged = judge(book, settings, progress)
    lists = judged.check.lists
    if lists is None or judged.check.findings.stops:
        return None, Tested(check=judged.check)
    usable = set(overridable_rate_ids())
    listed = listed_months(tabulate(spells(lists)))
    result = backtest(
        lists,
        history=earlier_months(judged.memory, judged.history, listed),
        draws=settings.draws,
        seed=settings.seed,
        overrides={k: v for k, v in read_overrides(book).items() if k in usable},
        progress=_within(progress),
    )
    progress("Writing the results", _TO)
    monthly = monthly_actuals(judged.memory, judged.history, listed)
    return backtest_tables(result, monthly), Tested(check=judged.check, result=result)


def _within(progress: Progress) -> Callable[[str, float], None]:
    progress("Forecasting from earlier dates", _FROM)

    def scaled(what: str, share: float) -> None:
        progress(what, _FROM + (_TO - _FROM) * share)

    return scaled


def _record(result: Backtest) -> dict[str, Json]:
    """Give machines the scores; what cannot be known is null."""
    scores = result.scores.astype(object).where(result.scores.notna(), None)
    rows: list[Json] = [
        {str(name): getattr(value, "item", lambda v=value: v)() for name, value in row.items()}
        for row in scores.to_dict("records")
    ]
    return {
        "census_date": result.census_date.isoformat(),
        "origins": [origin.isoformat() for origin in result.origins],
        "scores": rows,
        "sentences": list(result.sentences),
        "note": result.note,
    }


def _stopped(job: FileJob, check: CheckResult) -> Outcome:
    where = (
        f'{job.source.name} was left as it was; csc-demand check "{job.source.name}" writes all '
        "findings to its sheet Checks"
    )
    return Outcome(
        command="backtest",
        exit_code=ExitCode.MEND,
        problem=stop_sentence(check, where),
        details=finding_lines(check.findings.stops),
        record={"book": str(job.source), **check_record(check)},
    )
