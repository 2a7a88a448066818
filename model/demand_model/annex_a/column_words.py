"""What is said of a list's columns: categories that mean nothing known, too much set aside."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from demand_model.annex_a.checked import CheckSettings
from demand_model.annex_a.findings import Severity
from demand_model.annex_a.reading import ReadList
from demand_model.annex_a.rules import UNCOUNTED
from demand_model.errors import DemandError
from demand_model.units import counted

_MUST_BE_MAPPED = ("legal_status", "reason_ceased", "placement_type", "placement_provider")
"""Categories whose codes every authority knows; local team names make other columns differ."""
_LOOKS_PERSONAL = re.compile(
    r"\d{5,}|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|@|\d{1,2}[/.-]\d{1,2}[/.-]\d{2}", re.IGNORECASE
)
_MOST_SPELLINGS = 200


def say_codes(reads: Sequence[ReadList], settings: CheckSettings) -> pd.DataFrame:
    """Say what is not mapped; return the spellings for the Mapping sheet."""
    rows = []
    for read in reads:
        for name, column in read.codes.items():
            heading = read.ledger.heading(name)
            listed = {s: n for s, n in column.spellings.items() if not _LOOKS_PERSONAL.search(s)}
            if len(listed) <= max(_MOST_SPELLINGS, column.filled // 20):
                rows += [(f"List {read.number}", heading, s, n) for s, n in listed.items()]
            _say_column(read, name, settings)
    frame = pd.DataFrame(rows, columns=["list", "heading", "raw_value", "count"])
    return frame.sort_values(["list", "heading", "raw_value"], ignore_index=True)


def _say_column(read: ReadList, name: str, settings: CheckSettings) -> None:
    column, ledger, heading = read.codes[name], read.ledger, read.ledger.heading(name)
    if column.filled != column.mapped + len(column.unmapped):
        raise DemandError(f"The cells of {heading} do not add up: please report this fault.")
    if column.errors:
        ledger.say(
            "error-value", Severity.WARN,
            f"Excel errors in “{heading}”: {len(column.errors):,}. [It counts|They count] as not "
            "mapped: mend the [formula|formulas], or type the [value|values].",
            rows=[int(read.rows[i]) for i in column.errors], name=name,
        )  # fmt: skip
    if column.historical:
        ledger.say(
            "code-historical", Severity.NOTE,
            f"{len(column.historical):,} [cell|cells] of “{heading}” [holds a code|hold codes] of "
            "older guides: [it was|each was] read as the group that it belonged to.",
            rows=[int(read.rows[i]) for i in column.historical], name=name,
        )  # fmt: skip
    if not column.filled and len(read.rows):
        ledger.say("column-blank", Severity.WARN,
                   f"“{heading}” is blank in all rows; the model goes on without it.",
                   rows=[read.found.heading_row], name=name)  # fmt: skip
    share = len(column.unmapped) / column.filled if column.filled else 0.0
    must = name in _MUST_BE_MAPPED and share > settings.unmapped_limit
    spelled = sorted(set(column.unmapped) - set(column.errors))
    if not spelled and not must:
        return  # error cells alone: said above, and no spelling to choose a code for
    spellings = counted(len(column.spellings), "spelling")
    effect = "[it counts|they count] as " + ("Unknown" if name == "source" else "not known")
    ledger.say(
        "too-many-unmapped" if must else "unmapped",
        Severity.STOP if must else Severity.WARN,
        f"{len(column.unmapped):,} of {column.filled:,} cells of “{heading}” ({share:.1%}, "
        f"{spellings}) [means|mean] no code that is known"
        + (
            f", more than the {settings.unmapped_limit:.0%} allowed: choose a code for each "
            "spelling on the Mapping sheet."
            if must
            else f"; {effect}. The Mapping sheet lists [it|them]: choose a code[| for each]."
        ),
        rows=[int(read.rows[i]) for i in column.unmapped],
        name=name,
    )


def say_limits(read: ReadList, settings: CheckSettings) -> None:
    """Stop where too much of a column is set aside; one row alone never stops."""
    ledger = read.ledger
    by_column: dict[str, list[int]] = {}
    for row, rule in sorted(ledger.reasons.items()):
        if rule not in UNCOUNTED:
            by_column.setdefault(ledger.columns[row], []).append(row)
    for name, rows in by_column.items():
        share = len(rows) / max(1, len(read.rows))
        if share > settings.set_aside_limit and len(rows) > 1:
            ledger.say(
                "too-many-set-aside", Severity.STOP,
                f"{len(rows):,} of {len(read.rows):,} rows of List {read.number} ({share:.0%}) are "
                f"set aside because of “{ledger.heading(name)}”, more than the "
                f"{settings.set_aside_limit:.0%} allowed: mend the column, or raise the limit in "
                "Settings.",
                rows=rows, name=name,
            )  # fmt: skip
    for name, numbers in read.numbers.items():
        if numbers.rejected:
            ledger.say(
                "number-unreadable", Severity.WARN,
                f"{len(numbers.rejected):,} [cell|cells] of “{ledger.heading(name)}” [holds|hold] "
                "no number, and [counts|count] as blank.",
                rows=[int(read.rows[i]) for i in numbers.rejected], name=name,
            )  # fmt: skip
