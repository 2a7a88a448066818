"""What the checks found: one record a finding, with a place and no child's value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd


class Severity(StrEnum):
    """What became of the input (the outcomes of the bad-input catalogue)."""

    STOP = "stop"
    """Nothing can be computed until this is mended."""
    SET_ASIDE = "set aside"
    """The row is kept out of the model, with its reason."""
    WARN = "warn"
    """Kept as it is, and said."""
    CLEANED = "cleaned"
    """Read as it was meant, and said."""
    NOTE = "note"
    """Information: windows detected, counts, matched headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found while checking the lists.

    Attributes
    ----------
    list_number
        3, 7 or 8; 0 for the workbook as a whole.
    sheet, cell
        Where: sheet name and an address such as ``"F12"`` (or ``""``). Where
        one finding stands for many cells, the first, and `count` says how many.
    rule
        A stable identifier in kebab case, for example ``"date-unreadable"``.
    """

    list_number: int
    sheet: str
    cell: str
    rule: str
    severity: Severity
    message: str
    column: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of one check, in the order of the lists and rows."""

    items: tuple[Finding, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.items + other.items)

    @property
    def stops(self) -> tuple[Finding, ...]:
        """The findings that must be mended before anything can be computed."""
        return tuple(f for f in self.items if f.severity is Severity.STOP)

    def with_rule(self, rule: str) -> tuple[Finding, ...]:
        """All findings of one rule."""
        return tuple(f for f in self.items if f.rule == rule)

    @classmethod
    def of(cls, items: Iterable[Finding]) -> Findings:
        """Findings from any iterable."""
        return cls(tuple(items))

    def to_frame(self) -> pd.DataFrame:
        """A row a finding: list, sheet, cell, column, rule, severity, count, message."""
        return pd.DataFrame(
            [
                {
                    "list": f"List {f.list_number}" if f.list_number else "Workbook",
                    "sheet": f.sheet,
                    "cell": f.cell,
                    "column": f.column,
                    "rule": f.rule,
                    "severity": f.severity.value,
                    "count": f.count,
                    "message": f.message,
                }
                for f in self.items
            ],
            columns=["list", "sheet", "cell", "column", "rule", "severity", "count", "message"],
        )
