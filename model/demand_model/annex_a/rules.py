"""The rules of the check: for each, what becomes of the row and what is said.

A message says what was found and what to do. Where comes with the finding.
No message carries a value of a child: only headings, counts and categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demand_model.annex_a.findings import Finding, Severity
from demand_model.annex_a.recognise import Recognised
from demand_model.annex_a.wording import said_of

SHOWN_SINGLY = 50
"""So many rows of a rule have a finding each; one more stands for the rest."""

SET_ASIDE: Mapping[str, str] = {
    "heading-repeated": "This row repeats the headings; delete it.",
    "total-row": "This row holds a total, not a child.",
    "footnote": "This row holds a note, not a child.",
    "short-break": "Short breaks under V3 or V4 are not counted among children looked after; "
    "Settings can include them.",
    "id-missing": "The row has no Child Unique ID: add it.",
    "id-unreadable": "The Child Unique ID is neither a number nor text: correct it.",
    "error-value": "{column} holds an Excel error: mend the formula, or type the value.",
    "date-missing": "{column} is blank: add the date.",
    "date-unreadable": "{column} holds no date that can be read: type it as day/month/year.",
    "date-incomplete": "{column} holds only a year or a month: type the whole date.",
    "date-placeholder": "{column} holds a placeholder (such as 01/01/1900) instead of a date: "
    "type the date, or leave an end date blank.",
    "date-out-of-range": "{column} holds a date in an impossible year: correct the year.",
    "date-as-number": "{column} holds a number among dates: format the cell as a date.",
    "date-in-future": "{column} lies after the census date: correct it, or the census date in "
    "Settings.",
    "end-before-start": "{column} lies before the start: correct one of the two dates.",
    "age-out-of-range": "The age is above 25, or a birth is expected in more than ten months: "
    "correct the date of birth or the age.",
    "birth-after-event": "The date of birth lies after {column}: correct one of the two dates.",
    "unborn-in-care": "A child who is not born yet cannot be looked after: correct the date of "
    "birth, or remove the row.",
    "adult-at-start": "The child was 18 or older on {column}: correct one of the two dates.",
    "aged-18-before-window": "The child turned 18 before the months that the list covers: close "
    "the record.",
    "outside-window": "The row ended (or was received) before the months that the list covers; "
    "Settings can widen them.",
    "duplicate-row": "The row repeats another of the same child and is counted once.",
    "same-start": "Another row of the same child starts on the same day: the one that ended "
    "last was kept, a closed one before an open one.",
    "overlap-merged": "The period overlaps or follows at once another of the same child: the two "
    "were joined into one, from the first start to the last end.",
}
"""Rules that set a row aside: what is said of each row."""

UNCOUNTED = frozenset(
    {
        "heading-repeated", "total-row", "footnote", "short-break", "aged-18-before-window",
        "outside-window", "duplicate-row", "same-start", "overlap-merged",
    }
)  # fmt: skip
"""Rules that are no fault of a column: they do not count towards the limit that stops."""

_CLEANED = frozenset({"duplicate-row", "same-start", "overlap-merged"})
"""Rows set aside because another row says the same: the child is still counted."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """What is found of one list while it is read: each row is set aside once, at first cause.

    Attributes
    ----------
    reasons
        Row (index into the sheet's cells) to the rule that set it aside.
    columns
        Row to the field concerned.
    """

    found: Recognised
    findings: list[Finding] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    columns: dict[int, str] = field(default_factory=dict)

    def set_aside(self, rows: Iterable[int], rule: str, name: str = "child_id") -> None:
        """Set rows aside, unless they already are."""
        for row in rows:
            if row not in self.reasons:
                self.reasons[row] = rule
                self.columns[row] = name

    def say(
        self,
        rule: str,
        severity: Severity,
        message: str,
        *,
        rows: Sequence[int] = (),
        name: str = "",
        count: int | None = None,
    ) -> None:
        """Add one finding for a number of rows; its place is the first of them.

        `message` is put into the singular or plural of the count (`wording.said_of`).
        """
        number = max(1, len(rows)) if count is None else count
        self.findings.append(
            Finding(
                list_number=self.found.list_number,
                sheet=self.found.sheet.sheet,
                cell=self.found.address(rows[0], name) if len(rows) else "",
                rule=rule,
                severity=severity,
                message=said_of(number, message),
                column=self.heading(name) if name else "",
                count=number,
            )
        )

    def heading(self, name: str) -> str:
        """Official heading of a field."""
        return self.found.annex_list.field(name).heading.strip()

    def tally(self) -> dict[str, int]:
        """Rule to number of rows set aside."""
        counts: dict[str, int] = {}
        for rule in self.reasons.values():
            counts[rule] = counts.get(rule, 0) + 1
        return dict(sorted(counts.items()))

    def rows_set_aside(self) -> list[Finding]:
        """Make a finding a row set aside, or one for all the rest of a rule with very many."""
        by_rule: dict[tuple[str, str], list[int]] = {}
        for row in sorted(self.reasons):
            by_rule.setdefault((self.reasons[row], self.columns[row]), []).append(row)
        return [
            finding
            for (rule, name), rows in by_rule.items()
            for finding in self._of_rule(rule, name, rows)
        ]

    def _of_rule(self, rule: str, name: str, rows: list[int]) -> list[Finding]:
        column = self.heading(name)
        severity = Severity.CLEANED if rule in _CLEANED else Severity.SET_ASIDE
        message = SET_ASIDE[rule].format(column=column)
        groups = [[row] for row in rows[:SHOWN_SINGLY]]
        if len(rows) > SHOWN_SINGLY:
            groups.append(rows[SHOWN_SINGLY:])
        return [
            Finding(
                list_number=self.found.list_number,
                sheet=self.found.sheet.sheet,
                cell=self.found.address(group[0], name),
                rule=rule,
                severity=severity,
                message=message if len(group) == 1 else f"{len(group):,} more rows: {message}",
                column=column,
                count=len(group),
            )
            for group in groups
        ]
