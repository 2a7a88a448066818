"""One recognised list, read column by column into typed values.

Nothing is judged across columns here: see `logic`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.body import Body, read_body
from demand_model.annex_a.cells import as_text
from demand_model.annex_a.checked import CheckSettings
from demand_model.annex_a.columns import CodeColumn, NumberColumn, read_codes, read_numbers
from demand_model.annex_a.dates import DateColumn, DateProblem, DateRole, read_dates
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.ids import IdColumn, no_ids, read_ids
from demand_model.annex_a.lists import Kind, Need
from demand_model.annex_a.raw import RawValue, UncalculatedFormula
from demand_model.annex_a.recognise import Recognised, range_bounds
from demand_model.annex_a.rules import Ledger
from demand_model.units import counted

_ROLES = {"date_of_birth": DateRole.BIRTH, "end": DateRole.END}
_CUT_OFF_ROWS = {65_536: "an older Excel", 1_048_576: "Excel"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadList:
    """A list's records, column by column; every array has shape (records,).

    Attributes
    ----------
    rows
        Index of each record into the sheet's cells.
    """

    found: Recognised
    body: Body
    ledger: Ledger
    rows: npt.NDArray[np.int64]
    ids: IdColumn
    dates: dict[str, DateColumn]
    codes: dict[str, CodeColumn]
    numbers: dict[str, NumberColumn]

    @property
    def number(self) -> int:
        """3, 7 or 8."""
        return self.found.list_number

    @property
    def is_complete(self) -> bool:
        """Whether no needed column is missing, so that its rows can be judged."""
        return all(
            spec.name in self.found.columns
            for spec in self.found.annex_list.fields
            if spec.need is Need.NEEDED
        )

    @property
    def key(self) -> str:
        """The field that dates a record: of the referral, or the start."""
        return "date" if self.number == 3 else "start"

    def days(self, name: str) -> npt.NDArray[np.datetime64]:
        """Give a column of dates, datetime64[D]; all NaT where the list lacks it."""
        if name in self.dates:
            return self.dates[name].days
        return np.full(len(self.rows), np.datetime64("NaT"), dtype="datetime64[D]")

    def code(self, name: str) -> npt.NDArray[np.object_]:
        """Give a column of codes; all ``None`` where the list lacks it."""
        if name in self.codes:
            return self.codes[name].codes
        return np.full(len(self.rows), None, dtype=object)

    def number_of(self, name: str) -> npt.NDArray[np.float64]:
        """Give a column of numbers; all NaN where the list lacks it."""
        if name in self.numbers:
            return self.numbers[name].values
        return np.full(len(self.rows), np.nan)

    def at(self, mask: npt.NDArray[np.bool_]) -> list[int]:
        """Rows (indices into the sheet's cells) where a mask over the records holds."""
        return [int(row) for row in self.rows[mask]]


def read_list(found: Recognised, settings: CheckSettings) -> ReadList:
    """Read the records of a recognised list and say what was found in its columns."""
    body = read_body(found)
    ledger = Ledger(found=found)
    for row, rule in body.aside.items():
        ledger.set_aside([row], rule)
    rows = body.records
    dates: dict[str, DateColumn] = {}
    codes: dict[str, CodeColumn] = {}
    numbers: dict[str, NumberColumn] = {}
    ids = no_ids(len(rows))
    for spec in found.annex_list.fields:
        if spec.need is Need.CARRIED or spec.name not in found.columns:
            continue
        values: Sequence[RawValue] = found.sheet.cells[rows, found.columns[spec.name]].tolist()
        match spec.kind:
            case Kind.ID:
                ids = read_ids(values)
            case Kind.DATE:
                role = _ROLES.get(spec.name, DateRole.START)
                dates[spec.name] = read_dates(values, role, date_1904=found.sheet.date_1904)
            case Kind.CODE | Kind.YES_NO:
                codes[spec.name] = read_codes(
                    values, found.list_number, spec.heading, settings.mapping
                )
            case Kind.NUMBER:
                numbers[spec.name] = read_numbers(values)
            case Kind.TEXT:
                continue
    read = ReadList(
        found=found, body=body, ledger=ledger, rows=rows, ids=ids, dates=dates, codes=codes,
        numbers=numbers,
    )  # fmt: skip
    _say_sheet(read)
    _say_ids(read)
    for name in dates:
        _say_dates(read, name)
    return read


def _say_sheet(read: ReadList) -> None:
    """Say what concerns the sheet as a whole."""
    sheet, ledger, rows = read.found.sheet, read.ledger, read.rows
    if not len(rows):
        ledger.say(
            "list-empty",
            Severity.STOP,
            f"List {read.number} has headings but no rows: paste its rows below them.",
            rows=[read.found.heading_row],
        )
    if read.body.second_table is not None:
        ledger.say(
            "two-tables",
            Severity.STOP,
            f"Another list starts below List {read.number} on the same sheet: give each list a "
            "sheet of its own.",
            rows=[read.body.second_table],
        )
    if read.body.blank:
        ledger.say(
            "blank-rows",
            Severity.NOTE,
            f"{read.body.blank:,} blank [row|rows] among the records [was|were] skipped.",
            count=read.body.blank,
        )
    if sheet.hidden:
        ledger.say(
            "sheet-hidden",
            Severity.WARN,
            "The sheet is hidden, and was read: unhide it to see what was used.",
            rows=[read.found.heading_row],
        )
    _say_hidden(read)
    _say_formulas(read)
    _say_merged(read)
    if sheet.stray_cells:
        ledger.say(
            "stray-cells",
            Severity.WARN,
            f"{len(sheet.stray_cells):,} [cell|cells] far outside the list [was|were] not read "
            f"([at|the first is] {sheet.stray_cells[0]}): delete [it|them].",
            count=len(sheet.stray_cells),
        )
    _say_unread(read)
    last = sheet.first_row + sheet.cells.shape[0] - 1
    if last in _CUT_OFF_ROWS:
        ledger.say(
            "list-cut-off",
            Severity.WARN,
            f"The list ends at row {last:,}, the last that {_CUT_OFF_ROWS[last]} can hold: rows "
            "may be missing. Export it as CSV and import that.",
            count=1,
        )
    if sheet.file.lower().endswith(".xls"):
        ledger.say(
            "old-format",
            Severity.NOTE,
            "In an .xls file an Excel error cannot be told from a blank cell: save it as .xlsx "
            "if the list holds formulas.",
            rows=[read.found.heading_row],
        )


def _say_unread(read: ReadList) -> None:
    """Say that what lies over the cells is not read: comments, pictures, embedded files."""
    sheet = read.found.sheet
    parts = [
        counted(number, one, several)
        for number, one, several in (
            (sheet.comments, "comment", "comments"),
            (sheet.pictures, "picture or shape", "pictures or shapes"),
        )
        if number
    ]
    if parts:
        number = sheet.comments + sheet.pictures
        read.ledger.say(
            "not-cells",
            Severity.WARN,
            f"The sheet holds {' and '.join(parts)}, which [was|were] not read: only cells count.",
            count=number,
        )


def _say_hidden(read: ReadList) -> None:
    sheet = read.found.sheet
    hidden_rows = [int(r) for r in read.rows if sheet.first_row + int(r) in sheet.hidden_rows]
    if hidden_rows:
        read.ledger.say(
            "rows-hidden",
            Severity.WARN,
            f"{len(hidden_rows):,} [row is|rows are] hidden or filtered out, and [was|were] read: "
            "delete [it|them] if not meant to count.",
            rows=hidden_rows,
        )
    hidden = [
        name
        for name, column in read.found.columns.items()
        if sheet.first_column + column in sheet.hidden_columns
    ]
    if hidden:
        read.ledger.say(
            "columns-hidden",
            Severity.WARN,
            f"{len(hidden)} [column|columns] of the list [is|are] hidden, and [was|were] read.",
            rows=[read.found.heading_row],
            name=hidden[0],
            count=len(hidden),
        )


def _say_formulas(read: ReadList) -> None:
    sheet, ledger = read.found.sheet, read.ledger
    if sheet.formula_cells:
        ledger.say(
            "formulas",
            Severity.WARN,
            f"{sheet.formula_cells:,} [cell holds a formula|cells hold formulas]: what Excel last "
            "saved was used. Paste as values to be sure.",
            count=sheet.formula_cells,
        )
    if sheet.external_formulas:
        ledger.say(
            "formulas-external",
            Severity.WARN,
            f"{sheet.external_formulas:,} [formula refers|formulas refer] to another workbook, "
            "which is never opened: paste as values.",
            count=sheet.external_formulas,
        )
    for spec in read.found.annex_list.fields:
        if spec.need is Need.CARRIED or spec.name not in read.found.columns:
            continue
        column = sheet.cells[read.rows, read.found.columns[spec.name]]
        rows = [
            int(row)
            for row, value in zip(read.rows, column, strict=True)
            if type(value) is UncalculatedFormula
        ]
        if rows:
            ledger.say(
                "formula-uncalculated",
                Severity.STOP,
                f"{len(rows):,} [cell|cells] of “{spec.heading.strip()}” [holds a formula|hold "
                "formulas] without a saved value: open the workbook in Excel, press F9, save it, "
                "and try again.",
                rows=rows,
                name=spec.name,
            )


def _say_merged(read: ReadList) -> None:
    """Stop at merged cells among the records: only the first of them has a value."""
    sheet = read.found.sheet
    if not sheet.merged:
        return
    records = {sheet.first_row + int(row) for row in read.rows}
    columns = {sheet.first_column + column for column in read.found.columns.values()}
    ranges = []
    for ref in sheet.merged:
        top, left, bottom, right = range_bounds(ref)
        across = columns.intersection(range(left, right + 1))
        if across and records.intersection(range(top, bottom + 1)):
            ranges.append(ref)
    if ranges:
        more = f" and {len(ranges) - 5} more" if len(ranges) > 5 else ""
        read.ledger.say(
            "merged-cells",
            Severity.STOP,
            f"Cells are merged among the rows ({', '.join(ranges[:5])}{more}): unmerge them and "
            "fill each row.",
            rows=[range_bounds(ranges[0])[0] - sheet.first_row],
            count=len(ranges),
        )


def _say_ids(read: ReadList) -> None:
    ids, ledger = read.ids, read.ledger
    by_rule: dict[str, list[int]] = {}
    for i, rule in ids.rejected.items():
        by_rule.setdefault(rule, []).append(int(read.rows[i]))
    for rule, rows in by_rule.items():
        ledger.set_aside(rows, rule, "child_id")

    def stop(rule: str, indices: Sequence[int], message: str) -> None:
        rows = [int(read.rows[i]) for i in indices]
        ledger.say(rule, Severity.STOP, message, rows=rows, name="child_id")

    if ids.damaged:
        stop(
            "id-damaged",
            ids.damaged,
            f"{len(ids.damaged):,} [identifier has lost its|identifiers have lost their] last "
            "digits: Excel keeps 15. Export the list again with the identifier as text.",
        )
    if ids.dates:
        stop(
            "id-as-date",
            ids.dates,
            f"{len(ids.dates):,} [identifier was turned into a date|identifiers were turned into "
            "dates] by Excel: export the list again with the identifier as text.",
        )
    if len(ids.names) > len(ids.ids) // 10:
        stop(
            "id-is-name",
            ids.names,
            "The Child Unique ID column seems to hold names: put the case system's number there, "
            "and no names.",
        )
    _say_merging_ids(read)


def _say_merging_ids(read: ReadList) -> None:
    """Stop where two ways of writing an identifier in one list belong to two children."""
    column = read.found.columns.get("child_id")
    births = read.days("date_of_birth")
    if column is None:
        return
    written: dict[str, str] = {}
    several: set[str] = set()
    cells = read.found.sheet.cells[read.rows, column]
    for found, value in zip(read.ids.ids, cells, strict=True):
        if found is not None and written.setdefault(found, text := as_text(value)) != text:
            several.add(found)
    births_of: dict[str, set[date]] = {}
    first: dict[str, int] = {}
    for found, row, birth in zip(read.ids.ids, read.rows, births.tolist(), strict=True):
        if found in several and birth is not None:
            births_of.setdefault(found, set()).add(birth)
            first.setdefault(found, int(row))
    clashes = [first[found] for found, days in births_of.items() if len(days) > 1]
    if clashes:
        read.ledger.say(
            "id-ambiguous",
            Severity.STOP,
            f"{len(clashes):,} [identifier is|identifiers are] written in two ways (for example "
            "with and without leading zeros) that belong to different dates of birth: make the "
            "identifiers alike within the list.",
            rows=clashes,
            name="child_id",
        )


_DATE_PROBLEMS: dict[DateProblem, tuple[Severity, str]] = {
    DateProblem.CONTRADICTORY: (
        Severity.STOP,
        "“{column}” holds text dates of both orders, day/month and month/day: nobody can tell "
        "03/04 from 04/03. Export the list again with real dates.",
    ),
    DateProblem.SWAPPED: (
        Severity.STOP,
        "In “{column}” every real date has a day up to 12 and every text date does not: Excel "
        "with US settings has read day/month as month/day where it could, and so swapped them. "
        "Export the list again and open it with UK settings (Data, From Text/CSV).",
    ),
    DateProblem.AMBIGUOUS: (
        Severity.WARN,
        "No text date in “{column}” has a day above 12: they were read as day/month/year. Check "
        "one against the case system.",
    ),
    DateProblem.MONTH_FIRST: (
        Severity.WARN,
        "Text dates in “{column}” are month/day/year, and were all read so. Check one against "
        "the case system.",
    ),
    DateProblem.MIXED: (
        Severity.WARN,
        "“{column}” mixes real dates and {count:,} text [date|dates]; the text was read as "
        "day/month/year. Check [it|one of them] against the case system.",
    ),
}
_CLEANED_DATES = {
    "date-as-text": "{count:,} text [date was read as a date|dates were read as dates].",
    "date-two-digit-year": "{count:,} [date|dates] with a two-digit year [was|were] read in the "
    "likely century.",
    "date-serial-number": "{count:,} Excel serial [number was read as a date|numbers were read "
    "as dates].",
    "blank-word": "{count:,} [cell|cells] with a word for a blank (such as N/A) [was|were] "
    "read as blank.",
    "end-open-placeholder": "{count:,} end [date|dates] far in the future (such as 31/12/9999) "
    "[was|were] read as still open.",
}


def _say_dates(read: ReadList, name: str) -> None:
    column, ledger = read.dates[name], read.ledger
    heading = ledger.heading(name)
    for problem, indices in column.problems.items():
        severity, message = _DATE_PROBLEMS[problem]
        rows = [int(read.rows[i]) for i in indices]
        text = message.format(column=heading, count=len(rows))
        ledger.say(problem.value, severity, text, rows=rows, name=name)
    for rule, indices in column.cleaned.items():
        rows = [int(read.rows[i]) for i in indices]
        text = _CLEANED_DATES[rule].format(count=len(rows))
        ledger.say(rule, Severity.CLEANED, text, rows=rows, name=name)
