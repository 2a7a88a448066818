"""A list's fingerprint, to tell whether last month's data were pasted again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime

from demand_model.annex_a.body import read_body
from demand_model.annex_a.cells import as_text
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.raw import RawValue
from demand_model.annex_a.recognise import Recognised

_FIELD, _ROW = "\x1f", "\x1e"


def list_hash(found: Recognised) -> str:
    """SHA-256 of a list's records: of the cells of its known columns, cleaned.

    Neither the order of rows nor of columns, nor other columns, nor how Excel
    stores a date matter. The hash cannot be turned back into rows.
    """
    names = sorted(found.columns)
    columns = [found.columns[name] for name in names]
    known: dict[tuple[type, RawValue], str] = {}  # codes repeat from row to row

    def canonical(value: RawValue) -> str:
        key = (type(value), value)
        text = known.get(key)
        if text is None:
            text = known[key] = _canonical(value)
        return text

    rows = sorted(
        _FIELD.join(map(canonical, found.sheet.cells[row, columns]))
        for row in read_body(found).records
    )
    text = _ROW.join([_FIELD.join(names), *rows])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check_repeat(
    current: Mapping[int, str],
    previous: Mapping[int, str],
    *,
    census: date | None = None,
    previous_census: date | None = None,
) -> Findings:
    """Warn where lists are the same as at the last run, or older.

    Parameters
    ----------
    current, previous
        List number to `list_hash`, now and at the last run.
    census, previous_census
        Census dates, now and at the last run.
    """
    findings = [
        _finding(number, "list-unchanged", f"List {number} is the same as at the last run: was "
                 "last month's extract pasted again?")
        for number, found in sorted(current.items())
        if previous.get(number) == found
    ]  # fmt: skip
    if census is not None and previous_census is not None and census < previous_census:
        findings.append(
            _finding(0, "census-earlier", "The lists are older than those of the last run: was an "
                     "older extract pasted?")
        )  # fmt: skip
    return Findings.of(findings)


def _finding(number: int, rule: str, message: str) -> Finding:
    return Finding(
        list_number=number,
        sheet=f"List {number}" if number else "",
        cell="",
        rule=rule,
        severity=Severity.WARN,
        message=message,
    )


def _canonical(value: RawValue) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return as_text(value).casefold()
