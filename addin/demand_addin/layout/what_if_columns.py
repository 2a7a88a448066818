"""Where the columns, scalars and blocks of sheet What-if workings stand, and how to name them."""

from __future__ import annotations

from dataclasses import dataclass

from demand_addin.layout import what_if as declared
from demand_addin.layout.chart_data import column_letters
from demand_addin.layout.declare import Area
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR

COEFFICIENTS_ROW = 4
HEAD_ROW = 11
FIRST_ROW = 12
LAST_ROW = FIRST_ROW + declared.MONTHS - 1
"""1-based rows: coefficients above the blocks, headings, months."""

SOURCES_ROW = LAST_ROW + 5

COLUMNS = (
    "month", "month end", "days before", "days after", "changes hold", "lockdown",
    "share of hidden need that leaves",
    "referrals not made", "referrals", "not made, weighted for plans", "weighted for plans",
    "not made, weighted for care", "weighted for care",
    "plans started", "change of plan ends", "its square / 2", "open plans left", "new plans",
    "children on plans",
    "into care from plans", "into care", "UASC into care",
    "change home", "change other", "home squared / 2", "home x other", "other squared / 2",
    "open care left", "new care", "new UASC", "children in care",
    "home, average so far", "other, average so far",
    *(f"aged {age}" for age in CARE_SEGMENTS),
    *(f"{declared.GROUP} {k + 1}" for k in range(declared.GROUP_ROOM)),
    "referrals shown", "weeks", "price", "baseline care £ a week", "what-if care £ a week",
    "baseline cost £", "what-if cost £",
)  # fmt: skip
TODAY_ROW, COST_ROW = 8, 9
"""1-based rows above the months of the placement groups: children today, £ a week used."""

CHARTS = 4
"""Referrals, plans, care, cost a year in £ thousand: two lines each."""

CHART_HEADS = (
    "month",
    *("Baseline", "What-if") * CHARTS,
)
SCALARS = (
    *(
        f"{what}, {of}"
        for of in ("referrals", "plans", "care")
        for what in ("before", "after", "fall before", "fall after")
    ),
    "return begins on day",
    "return lasts days",
    "inflation used",
    "care £ a week today",
    "days a month",
    "days a year",
    "days a week",
    "thousand",
    "row in 6 months",
    "row in 12 months",
    "row in 24 months",
)
CONSTANTS = {
    "days a month": DAYS_PER_MONTH,
    "days a year": DAYS_PER_YEAR,
    "days a week": float(DAYS_PER_WEEK),
    "thousand": 1000.0,
}

CHART_FIRST = len(COLUMNS) + 2
"""1-based column of the charts' block."""

CHART_BLOCK = Area(
    name="what_if_charts",
    cell=f"{column_letters(CHART_FIRST)}{HEAD_ROW}",
    rows=declared.MONTHS + 1,
    columns=len(CHART_HEADS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Children by month and months since entry.

    Attributes
    ----------
    first
        1-based column of month 0 since entry.
    rows
        Rows of sheet What-if data's block by months since entry that stand above it.
    levers
        Columns of `COLUMNS` that the responses multiply.
    """

    title: str
    first: int
    rows: tuple[str, ...]
    levers: tuple[str, ...]
    starts: str

    def column(self, since: int) -> str:
        """Return the letters of the column of so many months since entry."""
        return column_letters(self.first + since)

    def span(self, row: int, count: int, *, fixed_row: bool = False) -> str:
        """Return the reference of a row's first `count` cells."""
        mark = "$" if fixed_row else ""
        return f"{self.column(0)}{mark}{row}:{self.column(count - 1)}{mark}{row}"


_CARE_LEVERS = (
    "change home",
    "change other",
    "home squared / 2",
    "home x other",
    "other squared / 2",
)
_STRIDE = declared.MONTHS + 2
PLANS = Grid(
    title="Children who start a plan, by months since (from 0 at the left)",
    first=CHART_FIRST + len(CHART_HEADS) + 1,
    rows=declared.ENTRY_ROWS[:4],
    levers=("change of plan ends", "its square / 2"),
    starts="plans started",
)
CARE = Grid(
    title="Children who come into care, by months since (from 0 at the left)",
    first=PLANS.first + _STRIDE,
    rows=declared.ENTRY_ROWS[4:10],
    levers=_CARE_LEVERS,
    starts="into care",
)
UASC = Grid(
    title="UASC who come into care, by months since (from 0 at the left)",
    first=CARE.first + _STRIDE,
    rows=declared.ENTRY_ROWS[10:16],
    levers=_CARE_LEVERS,
    starts="UASC into care",
)
GRIDS = (PLANS, CARE, UASC)
TO_CARE_ROW = COEFFICIENTS_ROW + PLANS.rows.index("plans: go on to care")


def column(heading: str) -> str:
    """Return the letters of a column of the months.

    >>> column("month end")
    'B'
    """
    return column_letters(1 + COLUMNS.index(heading))


def months_of(heading: str) -> str:
    """Return the absolute reference of a column's months, from any sheet."""
    letters = column(heading)
    return f"'{declared.WORKINGS_SHEET}'!${letters}${FIRST_ROW}:${letters}${LAST_ROW}"


def scalar(name: str) -> str:
    """Return the absolute reference of a scalar, from any sheet."""
    return f"'{declared.WORKINGS_SHEET}'!{local(name)}"


def local(name: str) -> str:
    """Return the absolute reference of a scalar, within the sheet."""
    return f"$I${SOURCES_ROW + SCALARS.index(name)}"


def data(heading: str, month: int) -> str:
    """Return the reference of one month's value on sheet What-if data; `month` is from 0."""
    top, left = declared.MONTH_BLOCK.corner
    letters = column_letters(left + 1 + declared.MONTH_COLUMNS.index(heading))
    return f"'{declared.DATA_SHEET}'!${letters}${top + 1 + month}"


def at(heading: str, row: int) -> str:
    """Return the reference of a column's cell in a row."""
    return f"${column(heading)}{row}"


def blue(key: str) -> str:
    """Return the name of a blue cell."""
    return declared.INPUTS[key].name
