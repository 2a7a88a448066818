"""The run log: fingerprints that chain each run to the one before, and what they reveal.

Each row holds ``previous_hash``, the fingerprint of the row above it: a row that
was altered or taken out afterwards breaks the chain. No row holds a child's value.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from demand_addin.ports import TableRead
from demand_model.annex_a.findings import Finding, Severity
from demand_model.annex_a.raw import RawValue

TABLE = "run_log"
SAME_AGAIN = "same-list-again"
"""Rule of the findings that a list was pasted before."""
FIRST = "first run"
"""Stands for the fingerprint of the row before the first."""

PACKAGES = ("numpy", "pandas", "scipy", "openpyxl", "python-calamine", "xlsxwriter")
_LENGTH = 16
_LIST_HASH = re.compile(r"List (\d+): ([0-9a-f]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """What an earlier row of the run log says, as far as later runs need it.

    Attributes
    ----------
    inputs
        The cell of `list_hashes_text`: fingerprints of lists and earlier months.
    settings_hash
        Fingerprint of what the run was asked to do.
    """

    when: datetime | None
    census_date: date | None
    list_hashes: Mapping[int, str]
    inputs: str = ""
    settings_hash: str = ""


def list_hashes_text(hashes: Mapping[int, str], earlier_months: str = "") -> str:
    """Word the lists' fingerprints, shortened, for their cell of the run log.

    Parameters
    ----------
    hashes
        By list number.
    earlier_months
        Fingerprint of what sheets History and Memory gave to the run; empty if nothing.
    """
    parts = [f"List {number}: {text[:_LENGTH]}" for number, text in sorted(hashes.items())]
    return "; ".join([*parts, *([f"Earlier months: {earlier_months}"] if earlier_months else [])])


def list_hashes_in(text: str) -> dict[int, str]:
    """Read the lists' fingerprints, as shortened, from their cell of the run log."""
    return {int(number): found for number, found in _LIST_HASH.findall(text)}


def rows_used_text(used: Mapping[int, int]) -> str:
    """Word the lists' rows used for their cell of the run log."""
    return "; ".join(f"List {number}: {rows}" for number, rows in sorted(used.items()))


def packages_text() -> str:
    """Name the versions of the packages that decide the figures."""
    return "; ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)


def row_hash(row: Sequence[RawValue]) -> str:
    """Fingerprint of one row of the log, its own ``previous_hash`` included."""
    text = "\x1f".join(_canonical(value) for value in row)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def previous_hash(log: TableRead) -> str:
    """Fingerprint that the next row of the log must carry."""
    rows = _filled(log)
    return row_hash(rows[-1]) if rows else FIRST


def broken_links(log: TableRead) -> tuple[int, ...]:
    """Find the rows (1 is the first run) that do not carry their predecessor's fingerprint."""
    rows = _filled(log)
    at = log.columns.index("previous_hash")
    expected = [FIRST, *(row_hash(row) for row in rows)][: len(rows)]
    return tuple(
        number
        for number, (row, before) in enumerate(zip(rows, expected, strict=True), start=1)
        if row[at] != before
    )


def past_runs(log: TableRead) -> tuple[PastRun, ...]:
    """Read the log's rows, oldest first."""
    at = {name: i for i, name in enumerate(log.columns)}
    runs = []
    for row in _filled(log):
        when, census = row[at["when"]], row[at["census_date"]]
        inputs = str(row[at["list_hashes"]] or "")
        runs.append(
            PastRun(
                when=when if isinstance(when, datetime) else None,
                census_date=census.date() if isinstance(census, datetime) else None,
                list_hashes=list_hashes_in(inputs),
                inputs=inputs,
                settings_hash=str(row[at["settings_hash"]] or ""),
            )
        )
    return tuple(runs)


def same_again(
    hashes: Mapping[int, str],
    sheets: Mapping[int, str],
    census_date: date | None,
    runs: Sequence[PastRun],
) -> tuple[Finding, ...]:
    """Find lists that were pasted before (bad input 32).

    All lists as in the last run are ordinary, a scenario was changed and Run
    pressed again: one line says so. A single list that is old beside new ones,
    or lists older than the last run's, are likely slips.

    Parameters
    ----------
    hashes
        `demand_model.annex_a.list_hash` of each list now, by list number.
    sheets
        Name of the sheet that each list stands in.
    census_date
        Of the lists now; ``None`` while unknown.
    runs
        Earlier runs, oldest first.
    """
    if not runs:
        return ()
    last = runs[-1]
    now = {number: text[:_LENGTH] for number, text in hashes.items()}
    if now and all(last.list_hashes.get(number) == text for number, text in now.items()):
        text = (
            f"the lists are those of the last run{_on(last)}: paste the new ones, if you meant to."
        )
        return (_finding(0, "", text),)
    older = [run for run in runs if now and all(run.list_hashes.get(n) == now[n] for n in now)]
    if older:
        text = (
            f"the lists are those of an older run{_on(older[-1])}: paste the new ones, unless you "
            "meant to go back."
        )
        return (_finding(0, "", text),)
    findings = []
    for number, text in sorted(now.items()):
        earlier = [run for run in runs if run.list_hashes.get(number) == text]
        if earlier:
            said = (
                f"List {number} is the one of the run{_on(earlier[-1])}, though other lists have "
                "changed: paste the new one, if it was meant to be new."
            )
            findings.append(_finding(number, sheets.get(number, ""), said))
    if census_date and last.census_date and census_date < last.census_date:
        said = (
            f"the census date, {census_date:%d/%m/%Y}, is before that of the last run, "
            f"{last.census_date:%d/%m/%Y}: were older lists pasted?"
        )
        findings.append(_finding(0, "", said))
    return tuple(findings)


def _finding(number: int, sheet: str, message: str) -> Finding:
    return Finding(
        list_number=number,
        sheet=sheet,
        cell="",
        rule=SAME_AGAIN,
        severity=Severity.WARN,
        message=message[0].upper() + message[1:],
    )


def _on(run: PastRun) -> str:
    return f" of {run.when:%d/%m/%Y %H:%M}" if run.when else ""


def _filled(log: TableRead) -> list[tuple[RawValue, ...]]:
    return [row for row in log.rows if any(value is not None for value in row)]


def _canonical(value: RawValue) -> str:
    """Word a value so that it reads the same before writing and after reading back."""
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case int() | float():
            return f"{float(value):.10g}"
        case datetime():
            # A workbook keeps days and fractions: seconds survive, their parts do not.
            return (value + timedelta(seconds=0.5)).replace(microsecond=0, tzinfo=None).isoformat()
        case date():
            return f"{value.isoformat()}T00:00:00"
        case _:
            return str(value)
