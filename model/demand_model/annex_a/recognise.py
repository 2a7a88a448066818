"""Which sheet holds which list, recognised by its headings alone.

A heading row may stand anywhere in the first 30 rows, under titles, and may be
split over two rows; columns may stand in any order, with gaps; the sheet may be
called anything. A list is known by the headings that no other list shares. An
optional list (4 or 6) is looked for only on sheets that hold none of the others,
and never stops anything.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from demand_model.annex_a.cells import as_text, column_letter, is_empty, quoted
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.lists import LISTS, AnnexAList, Need, normalise_heading
from demand_model.annex_a.lists_of_need import ALL_LISTS, OPTIONAL_LISTS
from demand_model.annex_a.raw import RawSheet

_PIVOT_WORDS = frozenset({"row labels", "column labels"})
"""What Excel writes into the corners of a pivot table."""
HEADING_ROWS = 30
"""A heading row is looked for in so many rows from the top of a sheet."""

_LIST_NAME = re.compile(r"list[\W_]*0*(\d{1,2})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A list and where it stands.

    Attributes
    ----------
    heading_row, body_row
        Indices into `sheet.cells` of the (last) heading row and the first data row.
    columns
        Field name to column index into `sheet.cells`.
    """

    list_number: int
    sheet: RawSheet
    heading_row: int
    columns: Mapping[str, int] = field(default_factory=dict)

    @property
    def body_row(self) -> int:
        """Index into `sheet.cells` of the first data row."""
        return self.heading_row + 1

    @property
    def annex_list(self) -> AnnexAList:
        """The list's declaration."""
        return ALL_LISTS[self.list_number]

    def address(self, row: int, name: str = "") -> str:
        """Address of a field's cell; `row` is an index into `sheet.cells`."""
        column = self.columns.get(name, self.columns.get("child_id", 0))
        return f"{column_letter(self.sheet.first_column + column)}{self.sheet.first_row + row}"

    def has_rows(self) -> bool:
        """Whether any cell below the headings holds anything."""
        return any(not is_empty(v) for v in self.sheet.cells[self.body_row :].ravel().tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """The lists found among some sheets, at most one of each, and what was said."""

    lists: Mapping[int, Recognised]
    findings: Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A row read as the headings of a list."""

    annex_list: AnnexAList
    row: int
    matches: Mapping[str, tuple[int, ...]]
    by_synonym: frozenset[str]
    two_rows: bool
    specific: int
    sure: bool
    """It has the child's identifier and the list's own date: no column is in doubt."""

    @property
    def score(self) -> tuple[bool, int, int, int, int]:
        exact = len(self.matches) - len(self.by_synonym)
        return (self.sure, self.specific, len(self.matches), exact, -self.row)


def _shared_headings() -> frozenset[str]:
    counts: dict[str, int] = {}
    for annex_list in ALL_LISTS.values():
        for heading in annex_list.headings:
            counts[heading] = counts.get(heading, 0) + 1
    return frozenset(heading for heading, n in counts.items() if n > 1)


_SHARED = _shared_headings()
_LOOKUP: Mapping[int, Mapping[str, tuple[str, bool]]] = {
    number: {
        **{normalise_heading(s): (f.name, True) for f in reversed(a.fields) for s in f.synonyms},
        **{normalise_heading(f.heading): (f.name, False) for f in a.fields},
    }
    for number, a in ALL_LISTS.items()
}
"""List number to normalised heading to (field name, whether it is a synonym)."""


def recognise(sheets: Sequence[RawSheet]) -> Recognition:
    """Find Lists 3, 7 and 8 among the sheets, and the optional Lists 4 and 6.

    Parameters
    ----------
    sheets
        Any sheets, in any order.

    Returns
    -------
    Recognition
        At most one sheet a list. Findings say what was matched, and stop
        where two sheets hold one list, where a sheet that is named for one list
        holds another, and where a needed column or a whole list is missing. Of an
        optional list they only warn; where it is absent, or has no rows, they say
        nothing.
    """
    found: dict[int, list[tuple[RawSheet, _Candidate]]] = {}
    for sheet in sheets:
        best = _best_candidate(sheet)
        if best is not None:
            found.setdefault(best.annex_list.number, []).append((sheet, best))
    lists: dict[int, Recognised] = {}
    findings: list[Finding] = []
    for number in LISTS:
        rivals = found.get(number, [])
        findings += [_wrong_list(number, s) for s, _ in rivals if _is_misnamed(s, number)]
        rivals = [(s, c) for s, c in rivals if not _is_misnamed(s, number)] or rivals
        chosen = _with_rows(rivals) if len(rivals) > 1 else rivals
        if not chosen:
            findings.append(_list_missing(number, sheets))
        elif len(chosen) > 1:
            findings.append(_two_sheets(number, [sheet for sheet, _ in chosen]))
        else:
            sheet, candidate = chosen[0]
            lists[number] = _recognised(sheet, candidate)
            findings += _said_of(sheet, candidate, lists[number])
            if len(rivals) > 1:
                findings.append(_headings_only(number, [s for s, _ in rivals if s is not sheet]))
    for number in OPTIONAL_LISTS:
        findings += _optional(number, found.get(number, []), lists)
    return Recognition(lists=lists, findings=Findings.of(findings))


def _optional(
    number: int, rivals: list[tuple[RawSheet, _Candidate]], lists: dict[int, Recognised]
) -> list[Finding]:
    """Add an optional list to those found; what would stop at another list is a warning.

    Headings alone, as the template has them, are as good as no list: nothing is said.
    """
    misnamed = [s for s, c in rivals if _is_misnamed(s, number) and _recognised(s, c).has_rows()]
    findings = [_wrong_list(number, sheet) for sheet in misnamed]
    named = [(s, c) for s, c in rivals if not _is_misnamed(s, number)]
    chosen = _with_rows(named) if len(named) > 1 else named
    if len(chosen) > 1:
        findings.append(_two_sheets(number, [sheet for sheet, _ in chosen]))
    elif chosen:
        sheet, candidate = chosen[0]
        lists[number] = _recognised(sheet, candidate)
        if lists[number].has_rows():
            findings += _said_of(sheet, candidate, lists[number])
    return [softened(finding) for finding in findings]


def softened(finding: Finding) -> Finding:
    """Turn what would stop into a warning: the forecast does without an optional list."""
    if finding.severity is not Severity.STOP:
        return finding
    more = f" List {finding.list_number} is optional: the forecast goes on without it."
    return replace(finding, severity=Severity.WARN, message=finding.message + more)


def _best_candidate(sheet: RawSheet) -> _Candidate | None:
    rows = _heading_texts(sheet)
    for among in (LISTS, OPTIONAL_LISTS):
        candidates = [
            candidate
            for row, texts, two_rows in rows
            for annex_list in among.values()
            if (candidate := _candidate(annex_list, row, texts, two_rows=two_rows)) is not None
            and (among is LISTS or _is_own(candidate))
        ]
        if candidates:
            return max(candidates, key=lambda c: c.score)
    return None


def _is_own(candidate: _Candidate) -> bool:
    """Whether headings are those of an optional list, and not of one that looks like it.

    List 2 (early help) has an “Assessment start date” too, but never both of its dates.
    """
    keys = [f.name for f in candidate.annex_list.fields if _is_key(f.heading, f.need)]
    there = [name for name in keys if name in candidate.matches]
    official = any(name not in candidate.by_synonym for name in there)
    return candidate.sure and (official or len(there) == len(keys))


def _heading_texts(sheet: RawSheet) -> list[tuple[int, list[str], bool]]:
    """Give the text of each possible heading row, and of each two rows read as one."""
    top = sheet.cells[: max(0, HEADING_ROWS - sheet.first_row + 1)]
    singles = [[as_text(v) if isinstance(v, str) else "" for v in row] for row in top]
    spread = _spread_merged(sheet, singles)
    rows = [(i, texts, False) for i, texts in enumerate(singles)]
    for i in range(1, len(singles)):
        joined = [
            f"{upper} {lower}".strip()
            for upper, lower in zip(spread[i - 1], singles[i], strict=True)
        ]
        if any(joined) and any(singles[i]):
            rows.append((i, joined, True))
    return rows


def _spread_merged(sheet: RawSheet, texts: list[list[str]]) -> list[list[str]]:
    """Repeat the text of a heading that is merged over several columns in each of them."""
    spread = [list(row) for row in texts]
    for bounds in (range_bounds(ref) for ref in sheet.merged):
        top, left, bottom, right = bounds
        i, j = top - sheet.first_row, left - sheet.first_column
        if top == bottom and 0 <= i < len(spread) and 0 <= j < len(spread[i]):
            end = min(right - sheet.first_column + 1, len(spread[i]))
            spread[i][j:end] = [spread[i][j]] * (end - j)
    return spread


def range_bounds(ref: str) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a range, 1-based.

    >>> range_bounds("B2:AA3")
    (2, 2, 3, 27)
    """
    corners = re.findall(r"([A-Z]+)(\d+)", ref)
    numbers = []
    for letters, row in (corners[0], corners[-1]):
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        numbers += [int(row), column]
    top, left, bottom, right = numbers
    return top, left, bottom, right


def _candidate(
    annex_list: AnnexAList, row: int, texts: Sequence[str], *, two_rows: bool
) -> _Candidate | None:
    lookup = _LOOKUP[annex_list.number]
    official: dict[str, list[int]] = {}
    synonyms: dict[str, list[int]] = {}
    for column, text in enumerate(texts):
        entry = lookup.get(normalise_heading(text)) if text else None
        if entry is not None:
            (synonyms if entry[1] else official).setdefault(entry[0], []).append(column)
    # The official heading wins over a synonym in another column.
    matches = {name: tuple(columns) for name, columns in {**synonyms, **official}.items()}
    specific = [f for f in annex_list.fields if f.name in matches and f.heading not in _SHARED]
    has_key = any(f.need is Need.NEEDED for f in specific)
    sure = has_key and "child_id" in matches
    likely = (has_key or "child_id" in matches) and len(specific) >= 2 and len(matches) >= 3
    if not (sure or likely):
        return None
    return _Candidate(
        annex_list=annex_list,
        row=row,
        matches=matches,
        by_synonym=frozenset(synonyms.keys() - official.keys()),
        two_rows=two_rows,
        specific=len(specific),
        sure=sure,
    )


def _with_rows(
    rivals: list[tuple[RawSheet, _Candidate]],
) -> list[tuple[RawSheet, _Candidate]]:
    """Of several sheets with one list's headings, the sure ones that hold rows (or the first)."""
    sure = [(s, c) for s, c in rivals if c.sure] or rivals
    filled = [(s, c) for s, c in sure if _recognised(s, c).has_rows()]
    return filled or sure[:1]


def _recognised(sheet: RawSheet, candidate: _Candidate) -> Recognised:
    return Recognised(
        list_number=candidate.annex_list.number,
        sheet=sheet,
        heading_row=candidate.row,
        columns={name: columns[0] for name, columns in candidate.matches.items()},
    )


def _list_missing(number: int, sheets: Sequence[RawSheet]) -> Finding:
    for sheet in sheets:
        named = _LIST_NAME.search(sheet.sheet)
        if named is not None and int(named.group(1)) == number and (cell := _pivot_cell(sheet)):
            return _pivot(number, sheet, cell)
    names = ", ".join(quoted(s.sheet) for s in sheets[:20]) or "none"
    key = next(f for f in LISTS[number].fields if _is_key(f.heading, f.need))
    return Finding(
        list_number=number,
        sheet="",
        cell="",
        rule="list-missing",
        severity=Severity.STOP,
        message=(
            f"List {number} was not found. Sheets looked at: {names}. Paste the list with its "
            f"headings (at least “Child Unique ID” and {quoted(key.heading)}) in the first "
            f"{HEADING_ROWS} rows of a sheet."
        ),
    )


def _pivot_cell(sheet: RawSheet) -> str:
    """Address of a pivot table's corner among the first rows; empty if there is none."""
    for i, row in enumerate(sheet.cells[:HEADING_ROWS]):
        for j, value in enumerate(row):
            if isinstance(value, str) and as_text(value).casefold() in _PIVOT_WORDS:
                return f"{column_letter(sheet.first_column + j)}{sheet.first_row + i}"
    return ""


def _pivot(number: int, sheet: RawSheet, cell: str) -> Finding:
    return Finding(
        list_number=number,
        sheet=sheet.sheet,
        cell=cell,
        rule="list-missing",
        severity=Severity.STOP,
        message=(
            f"Sheet {quoted(sheet.sheet)} holds a pivot table, which counts rows: paste the rows "
            f"of List {number} themselves, with their headings. In Excel, a double click on the "
            "pivot table's grand total shows them on a new sheet."
        ),
    )


def _is_key(heading: str, need: Need) -> bool:
    return need is Need.NEEDED and heading not in _SHARED


def _is_misnamed(sheet: RawSheet, number: int) -> bool:
    named = _LIST_NAME.search(sheet.sheet)
    return named is not None and int(named.group(1)) != number


def _wrong_list(number: int, sheet: RawSheet) -> Finding:
    named = _LIST_NAME.search(sheet.sheet)
    meant = int(named.group(1)) if named else 0
    return Finding(
        list_number=meant if meant in LISTS and number in LISTS else number,
        sheet=sheet.sheet,
        cell=f"{column_letter(sheet.first_column)}{sheet.first_row}",
        rule="wrong-list",
        severity=Severity.STOP,
        message=(
            f"Sheet {quoted(sheet.sheet)} is named for List {meant}, but its headings are those "
            f"of List {number}: paste the right list, or rename the sheet."
        ),
    )


def _two_sheets(number: int, sheets: Sequence[RawSheet]) -> Finding:
    names = " and ".join(quoted(s.sheet) for s in sheets)
    return Finding(
        list_number=number,
        sheet=sheets[0].sheet,
        cell="",
        rule="list-twice",
        severity=Severity.STOP,
        message=(
            f"Sheets {names} both hold List {number}: remove or empty all but the one to use."
        ),
        count=len(sheets),
    )


def _headings_only(number: int, others: Sequence[RawSheet]) -> Finding:
    names = ", ".join(quoted(s.sheet) for s in others)
    return Finding(
        list_number=number,
        sheet=others[0].sheet,
        cell="",
        rule="list-headings-only-elsewhere",
        severity=Severity.NOTE,
        message=f"{names} has the headings of List {number} but no rows, so it was not used.",
        count=len(others),
    )


def _said_of(sheet: RawSheet, candidate: _Candidate, found: Recognised) -> Iterator[Finding]:
    """All that is to be said of one recognised list's headings."""
    yield from _sheet_name(sheet, found)
    yield from _title_rows(sheet, candidate, found)
    yield from _synonyms(sheet, candidate, found)
    yield from _duplicates(sheet, candidate, found)
    yield from _missing(sheet, candidate, found)
    yield from _extra_columns(sheet, candidate, found)


def _finding(
    found: Recognised, rule: str, severity: Severity, message: str, *, cell: str = "",
    column: str = "", count: int = 1,
) -> Finding:  # fmt: skip
    return Finding(
        list_number=found.list_number,
        sheet=found.sheet.sheet,
        cell=cell,
        rule=rule,
        severity=severity,
        message=message,
        column=column,
        count=count,
    )


def _sheet_name(sheet: RawSheet, found: Recognised) -> Iterator[Finding]:
    if not _LIST_NAME.search(sheet.sheet):
        yield _finding(
            found,
            "list-recognised",
            Severity.NOTE,
            f"Sheet {quoted(sheet.sheet)} was recognised as List {found.list_number} by its "
            "headings.",
            cell=found.address(found.heading_row),
        )


def _title_rows(sheet: RawSheet, candidate: _Candidate, found: Recognised) -> Iterator[Finding]:
    row = sheet.first_row + candidate.row
    if row > 1:
        how = "in two rows, down to" if candidate.two_rows else "in"
        yield _finding(
            found,
            "headings-below-top",
            Severity.NOTE,
            f"The headings of List {found.list_number} stand {how} row {row}; what is above "
            "was not read.",
            cell=found.address(candidate.row),
        )


def _synonyms(sheet: RawSheet, candidate: _Candidate, found: Recognised) -> Iterator[Finding]:
    for name in sorted(candidate.by_synonym):
        spec = candidate.annex_list.field(name)
        if spec.need is Need.CARRIED:
            continue
        heading = spec.heading.strip()
        raw = sheet.cells[candidate.row, found.columns[name]]
        yield _finding(
            found,
            "heading-synonym",
            Severity.CLEANED,
            f"Heading {quoted(as_text(raw))} was read as {quoted(heading)}.",
            cell=found.address(candidate.row, name),
            column=heading,
        )


def _duplicates(sheet: RawSheet, candidate: _Candidate, found: Recognised) -> Iterator[Finding]:
    for name, columns in candidate.matches.items():
        spec = candidate.annex_list.field(name)
        if len(columns) == 1 or spec.need is Need.CARRIED:
            continue
        row = sheet.first_row + candidate.row
        places = " and ".join(f"{column_letter(sheet.first_column + c)}{row}" for c in columns)
        yield _finding(
            found,
            "heading-twice",
            Severity.STOP,
            f"Heading {quoted(spec.heading.strip())} stands in {places}: rename or delete the "
            "column that is not to be used.",
            cell=found.address(candidate.row, name),
            column=spec.heading.strip(),
            count=len(columns),
        )


def _missing(sheet: RawSheet, candidate: _Candidate, found: Recognised) -> Iterator[Finding]:
    others = _unmatched(sheet, candidate)
    for spec in candidate.annex_list.fields:
        if spec.name in candidate.matches or spec.need is Need.CARRIED:
            continue
        needed = spec.need is Need.NEEDED
        heading = quoted(spec.heading.strip())
        near = difflib.get_close_matches(
            spec.heading.casefold(), [o.casefold() for o in others], n=3, cutoff=0.5
        )
        hint = f" Nearest headings found: {', '.join(quoted(n) for n in near)}." if near else ""
        yield _finding(
            found,
            "column-missing" if needed else "column-absent",
            Severity.STOP if needed else Severity.WARN,
            f"List {found.list_number} has no column {heading}"
            + (
                f", which the model needs.{hint} Add the column, or give it that heading."
                if needed
                else f"; the model goes on without it.{hint}"
            ),
            cell=found.address(candidate.row),
            column=spec.heading.strip(),
        )


def _unmatched(sheet: RawSheet, candidate: _Candidate) -> list[str]:
    used = {column for columns in candidate.matches.values() for column in columns}
    texts = [as_text(v) for v in sheet.cells[candidate.row]]
    return [text for column, text in enumerate(texts) if text and column not in used]


def _extra_columns(sheet: RawSheet, candidate: _Candidate, found: Recognised) -> Iterator[Finding]:
    extra = len(_unmatched(sheet, candidate))
    if extra:
        columns = "column is" if extra == 1 else "columns are"
        yield _finding(
            found,
            "columns-extra",
            Severity.NOTE,
            f"{extra} further {columns} not part of List {found.list_number}, and not read.",
            cell=found.address(candidate.row),
            count=extra,
        )
