"""``csc-demand check``: judge the lists and say so on sheet Checks, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, replace

from demand_addin.commands.closed_file import FileJob, change_file
from demand_addin.commands.inputs import list_sheets, read_inputs
from demand_addin.commands.outcome import ExitCode, Json, Outcome
from demand_addin.history_sheet import Memory, read_history, read_memory
from demand_addin.plan import plan_check
from demand_addin.ports import BookPlan, WorkbookPort
from demand_addin.progress import Progress, silent
from demand_addin.run_log import TABLE as RUN_LOG
from demand_addin.run_log import broken_links, past_runs, same_again
from demand_addin.settings import RunSettings, read_mapping
from demand_model import History, check
from demand_model.annex_a.checked import CheckResult, RowTally
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.fingerprint import list_hash
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.recognise import Recognised, recognise
from demand_model.units import counted

_SHOWN = 10
_SPOKEN = (Severity.STOP, Severity.WARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The lists of a workbook, once judged, and what it knows of the months before them."""

    check: CheckResult
    settings: RunSettings
    hashes: dict[int, str]
    history: History
    memory: Memory


def check_book(job: FileJob, *, progress: Progress = silent) -> Outcome:
    """Check a workbook's lists and write what was found, even where something must be mended.

    The results of an earlier run stay.

    Raises
    ------
    DemandError
        The workbook or its settings cannot be read, or it cannot be written.
    """

    def work(book: WorkbookPort) -> tuple[BookPlan, Judged]:
        judged = judge(book, read_inputs(book), progress)
        plan = plan_check(
            judged.check,
            authority=judged.settings.authority,
            mapping=book.read_table("mapping"),
        )
        return plan, judged

    judged, saved = change_file(job, work)
    result = judged.check
    stops = result.findings.stops
    return Outcome(
        command="check",
        exit_code=ExitCode.MEND if stops else ExitCode.OK,
        wrote=saved.wrote,
        problem=stop_sentence(result, f"sheet Checks of {job.target.name} lists all findings"),
        details=finding_lines(stops),
        sentences=(
            *check_lines(result),
            *finding_lines([f for f in result.findings.items if f.severity is Severity.WARN]),
            *(() if stops else ("The lists can be used: now run the model.",)),
            *saved.notes,
        ),
        record={"book": str(job.target), **check_record(result)},
    )


def judge(book: WorkbookPort, settings: RunSettings, progress: Progress) -> Judged:
    """Read the lists of a workbook and check them, with what the run log knows of earlier ones."""
    progress("Reading the lists", 0.0)
    sheets = list_sheets(book)
    progress("Checking the lists", 0.05)
    result = check(sheets, settings.check_settings(read_mapping(book)))
    found = {n: list_ for n, list_ in recognise(sheets).lists.items() if _counts(n, list_)}
    hashes = {number: list_hash(list_) for number, list_ in found.items()}
    log = book.read_table(RUN_LOG)
    again = same_again(
        hashes,
        {number: list_.sheet.sheet for number, list_ in found.items()},
        result.lists.census_date if result.lists else None,
        past_runs(log),
    )
    said = (*again, *_broken(log.sheet, broken_links(log)))
    history, of_history = read_history(book, result.lists.census_date if result.lists else None)
    memory, of_memory = read_memory(book)
    findings = result.findings + of_history + of_memory + Findings.of(said)
    return Judged(
        check=replace(result, findings=findings),
        settings=settings,
        hashes=hashes,
        history=history,
        memory=memory,
    )


def _counts(number: int, found: Recognised) -> bool:
    """Whether a list is one that a run rests on: an optional one without rows is not."""
    return number in LISTS or found.has_rows()


def check_lines(result: CheckResult) -> tuple[str, ...]:
    """Say in plain words what was read: census date, windows, rows found, used and set aside."""
    lines = [_tally_line(tally) for tally in result.tallies]
    if result.lists is not None:
        lines.insert(0, f"Census date: {_day(result.lists.census_date)}.")
        lines += [
            f"List {number} covers {counted(window.months, 'month')} "
            f"from {_day(window.start)} "
            f"({'detected' if window.detected else 'set on sheet Settings'})."
            for number, window in sorted(result.lists.windows.items())
        ]
    if len(result.unmapped):
        count = len(result.unmapped)
        is_or_are = "is" if count == 1 else "are"
        lines.append(f"{counted(count, 'spelling')} {is_or_are} not known: see sheet Mapping.")
    return tuple(lines)


def stop_sentence(result: CheckResult, where: str) -> str:
    """Say that something must be mended first; empty if nothing must."""
    count = len(result.findings.stops)
    if not count:
        return ""
    return f"{counted(count, 'thing')} must be mended before a forecast can be made; {where}."


def finding_lines(findings: list[Finding] | tuple[Finding, ...]) -> tuple[str, ...]:
    """Put findings in lines that begin with their place."""
    lines = [f"{_place(finding)}{finding.message}" for finding in findings[:_SHOWN]]
    rest = len(findings) - len(lines)
    return (*lines, *((f"… and {rest} more on sheet Checks.",) if rest else ()))


def check_record(result: CheckResult) -> dict[str, Json]:
    """Give machines the same."""
    lists = result.lists
    return {
        "census_date": lists.census_date.isoformat() if lists else None,
        "windows": {
            str(number): {
                "start": window.start.isoformat(),
                "months": window.months,
                "detected": window.detected,
            }
            for number, window in sorted(lists.windows.items())
        }
        if lists
        else {},
        "rows": {
            str(tally.list_number): {
                "found": tally.found,
                "used": tally.used,
                "set_aside": dict(tally.set_aside),
            }
            for tally in result.tallies
        },
        "findings": [
            {
                "list": f.list_number,
                "sheet": f.sheet,
                "cell": f.cell,
                "column": f.column,
                "rule": f.rule,
                "severity": f.severity.value,
                "count": f.count,
                "message": f.message,
            }
            for f in result.findings.items
        ],
        "unmapped": len(result.unmapped),
    }


def _tally_line(tally: RowTally) -> str:
    aside = sum(tally.set_aside.values())
    reasons = ", ".join(
        f"{reason.replace('-', ' ')} {count:,}"
        for reason, count in sorted(tally.set_aside.items())
        if count
    )
    return (
        f"List {tally.list_number}: {counted(tally.found, 'row')} found = {tally.used:,} used + "
        f"{aside:,} set aside" + (f" ({reasons})." if reasons else ".")
    )


def _broken(sheet: str, rows: tuple[int, ...]) -> tuple[Finding, ...]:
    if not rows:
        return ()
    return (
        Finding(
            list_number=0,
            sheet=sheet,
            cell="",
            rule="run-log-altered",
            severity=Severity.WARN,
            message=f"The run log was altered: run {rows[0]} does not follow from the one before.",
            count=len(rows),
        ),
    )


def _place(finding: Finding) -> str:
    if finding.sheet and finding.cell:
        return f"{finding.sheet}!{finding.cell}: "
    return f"{finding.sheet}: " if finding.sheet else ""


def _day(day: object) -> str:
    return f"{day:%d/%m/%Y}"
