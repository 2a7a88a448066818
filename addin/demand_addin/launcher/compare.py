"""Scenarios side by side, as the window shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from demand_addin.launcher.worker import Json

MEASURES = {
    "cla_open": "Children in care",
    "cp_open": "Children on a protection plan",
    "referrals": "Referrals in the month",
}
BASELINE = "Baseline"
COLUMNS = ("Scenario", "Expected", "80% range", "Against Baseline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One measure in one month: a row a scenario, in the words of `COLUMNS`."""

    title: str
    rows: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The scenarios of a workbook's last run.

    Attributes
    ----------
    sentences
        How each differs from the baseline, with its range, where that run is known.
    """

    book: str
    sections: tuple[Section, ...]
    sentences: tuple[str, ...] = ()

    def sentence_of(self, scenario: str) -> str:
        """Say how a scenario differs from the baseline, with its range; or where that stands."""
        if scenario == BASELINE:
            return f"{BASELINE}: what is to be expected if nothing changes."
        found = (line for line in self.sentences if line.partition(": ")[0] == scenario)
        return next(found, f"{scenario}: sheet Dashboard says how it differs, with its range.")


def comparison_from(record: Mapping[str, Json], headlines: tuple[str, ...] = ()) -> Comparison:
    """Put the answer of ``compare`` into sections, in its own order.

    Parameters
    ----------
    headlines
        Of the run, where this window has seen it.
    """
    listed = record.get("comparison")
    grouped: dict[tuple[str, str], list[tuple[str, str, str, str]]] = {}
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict):
            key = (str(item.get("measure")), str(item.get("month_end")))
            grouped.setdefault(key, []).append(_row(item))
    sections = tuple(
        Section(title=f"{MEASURES.get(measure, measure)}, {_month(day)}", rows=tuple(rows))
        for (measure, day), rows in grouped.items()
    )
    names = {row[0] for section in sections for row in section.rows}
    differences = tuple(line for line in headlines if line.partition(": ")[0] in names)
    return Comparison(book=str(record.get("book", "")), sections=sections, sentences=differences)


def comparison_text(comparison: Comparison) -> str:
    """Return the tables with tabs between the columns, to be pasted into a sheet."""
    lines: list[str] = []
    for section in comparison.sections:
        lines += [section.title, "\t".join(COLUMNS), *("\t".join(row) for row in section.rows), ""]
    return "\n".join([*lines, *comparison.sentences])


def _row(item: Mapping[str, Json]) -> tuple[str, str, str, str]:
    low, high = _count(item.get("low")), _count(item.get("high"))
    return (
        str(item.get("scenario", "")),
        _count(item.get("mean")),
        f"{low} to {high}" if low and high else "",
        _signed(item.get("against")),
    )


def _count(value: Json) -> str:
    return f"{round(value):,}" if isinstance(value, int | float) else ""


def _signed(value: Json) -> str:
    if not isinstance(value, int | float):
        return ""
    whole = round(value)
    # As the workbook writes it; the window starts without the engine, whose formatter this is.
    return f"{whole:+,}".replace("-", "−") if whole else "0"


def _month(day: str) -> str:
    return f"{date.fromisoformat(day):%B %Y}"
