"""The lists once checked: typed columns, one row a usable row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from demand_model.annex_a.findings import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """What the analyst may set about reading the lists.

    Attributes
    ----------
    census_date
        Day on which the lists were extracted; ``None`` detects it.
    window_months
        Whole months before the census date that each list covers, by list
        number; a list that is absent here has its window detected.
    include_short_breaks
        Count children under V3 and V4 (DfE's figures do not).
    set_aside_limit
        Share of a needed column that may be set aside before the check stops.
    unmapped_limit
        Share of a category column that may be unmapped before it stops.
    mapping
        Spellings that the analyst has settled: (list number, official heading,
        raw value, case aside and stripped) to official code.
    """

    census_date: date | None = None
    window_months: Mapping[int, int] = field(default_factory=dict)
    include_short_breaks: bool = False
    set_aside_limit: float = 0.05
    unmapped_limit: float = 0.02
    mapping: Mapping[tuple[int, str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The days that a list covers: every event on or after `start`, up to the census date.

    Attributes
    ----------
    start
        First day covered.
    months
        Whole months before the census date.
    detected
        False where the analyst set it.
    """

    start: date
    months: int
    detected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTally:
    """Conservation of one list's rows: found = used + sum of set aside."""

    list_number: int
    found: int
    used: int
    set_aside: Mapping[str, int]
    """Reason (a finding's rule) to number of rows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lists:
    """Lists 3, 7 and 8, ready to be turned into spells; Lists 4 and 6 where they are given.

    Every frame has one row a usable row, sorted so that the order of the paste
    does not matter, and a fresh integer index.

    Attributes
    ----------
    census_date
        Last day that the lists speak of.
    windows
        By list number (3, 7, 8).
    referrals
        ``child_id`` (str, canonical), ``date_of_birth`` (datetime64, NaT if
        unknown; approximated by mid-year of age where only age is given),
        ``date`` (datetime64), ``source_code`` (str or NA, for example "1A"),
        ``source_group`` (str, see `codes`; "Unknown" when not mapped),
        ``nfa`` (boolean, NA if unknown), ``previous_referrals`` (Int64: number
        in the last 12 months, NA if unknown).
    plans
        ``child_id``, ``date_of_birth``, ``start``, ``end`` (NaT while open),
        ``category`` (latest category of abuse's label or NA),
        ``previous_plans`` (Int64, NA if unknown).
    care
        ``child_id``, ``date_of_birth``, ``start``, ``end`` (NaT while open),
        ``uasc`` (bool; unknown is False), ``category_of_need`` (N-code or NA),
        ``second_period`` (boolean, NA if unknown), ``legal_status`` (code or
        NA), ``short_break`` (bool: V3 or V4; these rows are present only if
        `include_short_breaks`), ``reason_ceased`` (E-code or NA),
        ``placement_type`` (code or NA), ``placement_provider`` (code or NA),
        ``placement_start`` (NaT if unknown).
    tallies
        One a list: rows found = used + set aside.
    assessments
        List 4; ``None`` where it is not given or cannot be used: ``child_id``,
        ``date_of_birth``, ``start``, ``end`` (NaT while open).
    children_in_need
        List 6, likewise; also ``case_status`` (as in Annex A or NA) and
        ``reason_closed`` (RC-code or NA).
    optional_windows
        By list number (4, 6), of those that are given.
    """

    census_date: date
    windows: Mapping[int, Window]
    referrals: pd.DataFrame
    plans: pd.DataFrame
    care: pd.DataFrame
    tallies: tuple[RowTally, ...]
    assessments: pd.DataFrame | None = None
    children_in_need: pd.DataFrame | None = None
    optional_windows: Mapping[int, Window] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckResult:
    """Outcome of `check`: findings always; lists unless something must stop."""

    findings: Findings
    lists: Lists | None
    tallies: tuple[RowTally, ...] = ()
    unmapped: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["list", "heading", "raw_value", "count"])
    )
    """Distinct spellings not mapped, for the Mapping sheet: list, heading, raw_value, count."""
