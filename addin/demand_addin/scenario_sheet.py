"""The table ``scenarios``: rows to scenario objects and back, each the other's inverse.

One row is one change. A lockdown may need several rows: those with the same
scenario, ``from`` and ``to`` are ONE lockdown, one row for each source of
referrals, and its other parameters stand in whichever of the rows is filled.
``from`` and ``to`` are dates, or whole numbers of months after the census date,
counted from the first day of the month that follows it: after 31 March, 0 is
1 April and 6 is 1 October.
``source`` says where the numbers come from; together the sources of a scenario's
rows are its description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from demand_addin.cells import (
    Cell,
    Problems,
    as_date,
    read_choice,
    read_number,
    read_text,
    read_yes_no,
)
from demand_addin.ports import CellValue, TableRead
from demand_addin.scenario_system import SYSTEM_FLOWS, system_change, system_record
from demand_model.annex_a.raw import RawValue
from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL, Flow
from demand_model.simulation.scenario import (
    BASELINE,
    Add,
    AddPosts,
    Change,
    FlowChange,
    Lockdown,
    Multiply,
    MultiplySystem,
    Overwrite,
    PlacesChange,
    Scenario,
)
from demand_model.units import add_months, next_month_start, whole_months_between

TABLE = "scenarios"
COLUMNS = (
    "scenario",
    "include",
    "change",
    "flow",
    "segment",
    "from",
    "to",
    "amount",
    "ramp_months",
    "plan_ends",
    "care_ends",
    "share_returning",
    "return_delay_months",
    "return_spread_months",
    "severity",
    "new_normal",
    "source",
)
FLOWS = tuple(dict.fromkeys((*(flow.value for flow in Flow), *SYSTEM_FLOWS)))
CHANGES = ("None", "Multiply", "Add", "Overwrite", "Lockdown")
_FURTHEST_MONTH = 120
_LOCKDOWN_COLUMNS: Final[Mapping[str, float]] = {
    "plan_ends": 1.0,
    "care_ends": 1.0,
    "share_returning": 0.0,
    "return_delay_months": 1.0,
    "return_spread_months": 6.0,
    "severity": 1.0,
    "new_normal": 1.0,
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table, by column."""

    cells: Mapping[str, Cell]

    def __getitem__(self, column: str) -> Cell:
        return self.cells[column]

    @property
    def name(self) -> str:
        return read_text(self["scenario"])

    @property
    def blank(self) -> bool:
        return all(cell.blank for cell in self.cells.values())


def read_scenarios(
    table: TableRead,
    census_date: date,
    *,
    segments: Sequence[str] = (),
    included_only: bool = True,
) -> tuple[Scenario, ...]:
    """Read the scenarios of the sheet, in the order of their first rows, the baseline first.

    Names are the same whatever their case; the first spelling is kept.

    Parameters
    ----------
    table
        Table ``scenarios`` with the columns `COLUMNS`.
    census_date
        Day that months are counted from.
    segments
        Sources of referrals that a change may name; empty leaves them unchecked.
    included_only
        Leave out scenarios whose first row says ``include`` No. The baseline,
        which every comparison needs, is always there.

    Raises
    ------
    SettingProblemsError
        All problems together, each with its cell.
    """
    problems = Problems()
    grouped: dict[str, list[_Row]] = {}
    spelt = {BASELINE.name.casefold(): BASELINE.name}
    for row in _rows(table):
        if row.blank:
            continue
        if not row.name:
            problems.add(row["scenario"], "scenario", "a name")
            continue
        name = spelt.setdefault(row.name.casefold(), row.name)
        grouped.setdefault(name, []).append(row)
    _refuse_changes_to_baseline(grouped.get(BASELINE.name, ()), problems)
    found = []
    for name, rows in grouped.items():
        if not included_only or _included(rows, problems):
            found.append(_scenario(name, rows, census_date, tuple(segments), problems))
    problems.raise_any()
    baseline = [s for s in found if s.name == BASELINE.name] or [BASELINE]
    return (*baseline, *(s for s in found if s.name != BASELINE.name))


def written_names(table: TableRead) -> tuple[str, ...]:
    """Return the names that stand in the table, each once, whether or not their rows are right."""
    return tuple(dict.fromkeys(row.name for row in _rows(table) if row.name))


def scenario_rows(
    scenarios: Sequence[Scenario], census_date: date, *, excluded: Sequence[str] = ()
) -> tuple[tuple[CellValue, ...], ...]:
    """Make the table's rows for some scenarios; `read_scenarios` gives them back.

    The first day of a month, up to 120 months after the census date, is written
    as that number of months, so that the rows move with the census date; any
    other day is written as a date.

    Parameters
    ----------
    excluded
        Names of the scenarios whose ``include`` is No.

    Raises
    ------
    InvalidSettingError
        Two lockdowns of one scenario have the same dates: one lockdown with
        several sources says the same.
    """
    rows: list[tuple[CellValue, ...]] = []
    for scenario in scenarios:
        records = [r for change in _distinct(scenario) for r in _records(change, census_date)]
        if not records:
            records = [{"change": "None"}]
        include = "No" if scenario.name in excluded else "Yes"
        for number, record in enumerate(records):
            full: dict[str, CellValue] = {"scenario": scenario.name, "include": include, **record}
            full["source"] = (scenario.description or None) if number == 0 else None
            rows.append(tuple(full.get(column) for column in COLUMNS))
    return tuple(rows)


# --- objects to rows ---------------------------------------------------------------------------


def _distinct(scenario: Scenario) -> tuple[Change, ...]:
    spans = [(c.start, c.end) for c in scenario.changes if isinstance(c, Lockdown)]
    if len(set(spans)) < len(spans):
        raise InvalidSettingError(
            f"Invalid scenario: {scenario.name}. Two lockdowns with the same dates must be one."
        )
    return scenario.changes


def _records(change: Change, census_date: date) -> Iterator[dict[str, CellValue]]:
    if isinstance(change, PlacesChange):
        raise InvalidSettingError(
            "Invalid change: own places are no row of a scenario. Places that are added stand in "
            "the table of new places of sheet System."
        )
    end = None if isinstance(change, AddPosts) else change.end
    span: dict[str, CellValue] = {
        "from": _as_written(change.start, census_date),
        "to": None if end is None else _as_written(end, census_date),
    }
    if isinstance(change, MultiplySystem | AddPosts):
        yield {**system_record(change), **span}
        return
    if isinstance(change, Lockdown):
        yield from _lockdown_records(change, span)
        return
    kind, amount = _kind_and_amount(change)
    yield {
        "change": kind,
        "flow": change.flow.value,
        "segment": change.segment,
        **span,
        "amount": amount,
        "ramp_months": change.ramp_months,
    }


def _kind_and_amount(change: FlowChange) -> tuple[str, float]:
    match change:
        case Multiply():
            return "Multiply", change.factor
        case Add():
            return "Add", change.per_month
        case Overwrite():
            return "Overwrite", change.value


def _lockdown_records(
    lockdown: Lockdown, span: dict[str, CellValue]
) -> Iterator[dict[str, CellValue]]:
    others: dict[str, CellValue] = {name: getattr(lockdown, name) for name in _LOCKDOWN_COLUMNS}
    shares: list[tuple[str, float | None]] = [*lockdown.referrals.items()]
    # The row for all sources comes first: it is where a reader looks for the rest.
    shares.sort(key=lambda item: item[0] != ALL)
    for number, (segment, multiplier) in enumerate(shares or [(ALL, None)]):
        yield {
            "change": "Lockdown",
            "flow": Flow.REFERRALS.value,
            "segment": segment,
            **span,
            "amount": multiplier,
            **(others if number == 0 else {}),
        }


def _as_written(day: date, census_date: date) -> int | date:
    months = whole_months_between(next_month_start(census_date), day)
    return months if day.day == 1 and 0 <= months <= _FURTHEST_MONTH else day


# --- rows to objects ---------------------------------------------------------------------------


def _rows(table: TableRead) -> Iterator[_Row]:
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise InvalidSettingError(
            f"{table.sheet}: the table {table.name} lacks the column {', '.join(missing)}; "
            "take the sheet from a new workbook."
        )
    for values, addresses in zip(table.rows, table.addresses, strict=True):
        yield _Row(
            {
                column: Cell(table.sheet, address, value)
                for column, value, address in zip(table.columns, values, addresses, strict=True)
            }
        )


def _refuse_changes_to_baseline(rows: Sequence[_Row], problems: Problems) -> None:
    """Note changes to the baseline: every comparison is "against no change"."""
    for row in rows:
        if read_text(row["change"]).casefold() not in ("", "none"):
            problems.say(
                row["change"].where,
                f"{BASELINE.name} is what happens if nothing changes; "
                "give this change another scenario name.",
            )


def _included(rows: Sequence[_Row], problems: Problems) -> bool:
    answers = [read_yes_no(row["include"], "include", problems) for row in rows]
    given = {answer for answer in answers if answer is not None}
    if len(given) == 2:
        cell = rows[0]["include"]
        problems.say(
            cell.where,
            f'all rows of the scenario "{rows[0].name[:40]}" must say the same: Yes or No.',
        )
    return given != {False}


def _scenario(
    name: str,
    rows: Sequence[_Row],
    census_date: date,
    segments: tuple[str, ...],
    problems: Problems,
) -> Scenario:
    changes: list[Change] = []
    lockdowns: dict[tuple[date, date], list[_Row]] = {}
    order: list[tuple[date, date] | Change] = []
    for row in rows:
        kind = read_choice(row["change"], "change", problems, CHANGES)
        if kind == "Lockdown":
            span = _lockdown_span(row, census_date, problems)
            if span is not None:
                if span not in lockdowns:
                    order.append(span)
                lockdowns.setdefault(span, []).append(row)
        elif kind in ("Multiply", "Add", "Overwrite"):
            change = _change(kind, row, census_date, segments, problems)
            if change is not None:
                order.append(change)
        elif row["change"].blank and any(not row[c].blank for c in ("flow", "from", "amount")):
            problems.add(row["change"], "change", "one of: " + ", ".join(CHANGES))
    for item in order:
        if isinstance(item, tuple):
            lockdown = _lockdown(item, lockdowns[item], segments, problems)
            changes += [lockdown] if lockdown is not None else []
        else:
            changes.append(item)
    sources = dict.fromkeys(text for row in rows if (text := read_text(row["source"])))
    return Scenario(name=name, changes=tuple(changes), description="; ".join(sources))


def _change(
    kind: str, row: _Row, census_date: date, segments: tuple[str, ...], problems: Problems
) -> Change | None:
    before = len(problems.lines)
    flow_name = _needed_choice(row["flow"], "flow", problems, list(FLOWS))
    segment = _segment(row, flow_name, segments, problems)
    start = _needed_day(row["from"], "from", census_date, problems)
    end = _day(row["to"], "to", census_date, problems)
    least = float("-inf") if kind == "Add" else 0.0
    amount = _needed_number(row["amount"], "amount", problems, least=least)
    ramp = read_number(row["ramp_months"], "ramp_months", problems, most=_FURTHEST_MONTH)
    if len(problems.lines) > before or flow_name is None or start is None or amount is None:
        return None
    ramp = ramp or 0.0
    try:
        if flow_name in SYSTEM_FLOWS:
            return system_change(kind, flow_name, amount, start, end, ramp)
        flow = Flow(flow_name)
        span = {"start": start, "end": end, "segment": segment, "ramp_months": ramp}
        match kind:
            case "Multiply":
                return Multiply(flow=flow, factor=amount, **span)  # type: ignore[arg-type]
            case "Add":
                return Add(flow=flow, per_month=amount, **span)  # type: ignore[arg-type]
            case _:
                return Overwrite(flow=flow, value=amount, **span)  # type: ignore[arg-type]
    except InvalidSettingError as error:  # the object's own rules, given a place
        problems.say(row["change"].where, str(error))
        return None


def _lockdown_span(row: _Row, census_date: date, problems: Problems) -> tuple[date, date] | None:
    start = _needed_day(row["from"], "from", census_date, problems)
    if row["to"].blank:
        problems.add(row["to"], "to", "the day on which the lockdown ends")
        return None
    end = _day(row["to"], "to", census_date, problems)
    return None if start is None or end is None else (start, end)


def _lockdown(
    span: tuple[date, date], rows: Sequence[_Row], segments: tuple[str, ...], problems: Problems
) -> Lockdown | None:
    before = len(problems.lines)
    referrals: dict[str, float] = {}
    for row in rows:
        segment = _segment(row, Flow.REFERRALS.value, segments, problems)
        amount = read_number(row["amount"], "amount", problems)
        if amount is None:
            continue
        if segment in referrals:
            problems.say(
                row["amount"].where,
                f'this lockdown already has an amount for "{segment}"; keep one row for it.',
            )
        referrals[segment] = amount
    others = {name: _only(name, rows, problems) for name in _LOCKDOWN_COLUMNS}
    if len(problems.lines) > before:
        return None
    try:
        return Lockdown(start=span[0], end=span[1], referrals=referrals, **others)
    except InvalidSettingError as error:  # the object's own rules, given a place
        problems.say(rows[0]["from"].where, str(error))
        return None


def _only(column: str, rows: Sequence[_Row], problems: Problems) -> float:
    """Find the one value that the rows of a lockdown give for a parameter, else its default."""
    most = 1.0 if column == "share_returning" else float("inf")
    found: float | None = None
    for row in rows:
        value = read_number(row[column], column, problems, most=most)
        if value is not None and found is not None and value != found:
            problems.say(
                row[column].where,
                f"another row of this lockdown has a different {column}; keep one of them.",
            )
        found = value if value is not None else found
    return _LOCKDOWN_COLUMNS[column] if found is None else found


def _segment(row: _Row, flow: str | None, segments: tuple[str, ...], problems: Problems) -> str:
    cell = row["segment"]
    if cell.blank:
        return ALL
    if flow != Flow.REFERRALS.value:
        choices: tuple[str, ...] = (ALL,)
    elif segments:
        choices = (ALL, *segments)
    else:
        return read_text(cell)
    return read_choice(cell, "segment", problems, choices) or ALL


def _needed_choice(cell: Cell, what: str, problems: Problems, choices: list[str]) -> str | None:
    if cell.blank:
        problems.add(cell, what, "one of: " + ", ".join(choices))
    return read_choice(cell, what, problems, choices)


def _needed_number(cell: Cell, what: str, problems: Problems, *, least: float) -> float | None:
    if cell.blank:
        problems.add(cell, what, "a number")
    return read_number(cell, what, problems, least=least)


def _needed_day(cell: Cell, what: str, census_date: date, problems: Problems) -> date | None:
    if cell.blank:
        problems.add(cell, what, "a date, or a whole number of months after the census date")
    return _day(cell, what, census_date, problems)


def _day(cell: Cell, what: str, census_date: date, problems: Problems) -> date | None:
    if cell.blank:
        return None
    number = _as_whole(cell.value)
    if number is None:
        day = as_date(cell.value)
    elif number <= _FURTHEST_MONTH:
        day = add_months(next_month_start(census_date), number)
    else:
        day = _from_serial(number)
    if day is None:
        problems.add(
            cell,
            what,
            f"a date, or a whole number of months after the census date (0 to {_FURTHEST_MONTH})",
        )
    return day


def _as_whole(value: RawValue) -> int | None:
    """Return a whole number of 0 or more, also where it is text."""
    text = value.strip() if isinstance(value, str) else ""
    if text.isdecimal():
        return int(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 0 and float(value).is_integer() else None


def _from_serial(number: int) -> date | None:
    """Return the day that Excel counts so; a date pasted as a plain number, 2000 to 2099."""
    day = date(1899, 12, 30) + timedelta(days=number) if number < 10**6 else date.min
    return day if 2000 <= day.year <= 2099 else None
