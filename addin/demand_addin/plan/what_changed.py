"""Why the forecast is not the last one: waterfalls as sentences, chart blocks and a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from demand_addin.history_sheet import Memory
from demand_addin.layout import what_changed as declared
from demand_addin.plan.corrections import corrections, corrections_in
from demand_addin.plan.last_run import LastRun, SaidBefore
from demand_addin.plan.values import day_name, month_name
from demand_addin.ports import CellValue, RangeValues, TableValues
from demand_model.flows import ALL
from demand_model.results.explain import explain_change, explain_scenarios
from demand_model.results.forecast import Forecast
from demand_model.results.records import ForecastRecord, record_of
from demand_model.results.waterfall import Waterfall
from demand_model.simulation.scenario import BASELINE

_LINE_LENGTH = 215
_CUT = " … (all of it: table below)"
_MONTH_COMPARED = ". The month compared: "
_NOT_COMPARED = "No earlier forecast of this workbook can be compared with this one."
_NO_OTHER = "There is no earlier forecast in this workbook yet."
_SAME = 0.002
"""Children; forecasts are remembered to three decimals."""
_BELOW = 0.5
"""Height below the lowest column, as a share of the span of the changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is said on sheet What changed.

    Attributes
    ----------
    since, between
        Waterfalls since the last forecast, and between two scenarios; one a measure
        of `layout.what_changed.MEASURES`, or none.
    since_note, between_note
        What is compared, or why there is nothing to compare.
    last
        The run before this one, or ``None`` for the workbook's first.
    corrected
        Which counts of past months the lists of now show otherwise; empty if none.
    is_last_forecast
        Whether the forecast is that of the last run, with nothing else to compare.
    """

    since: tuple[Waterfall, ...]
    between: tuple[Waterfall, ...]
    since_note: str
    between_note: str
    last: LastRun | None = None
    corrected: str = ""
    is_last_forecast: bool = False

    @property
    def headline(self) -> str:
        """The sentence that matters most."""
        if self.since:
            return self.since[0].sentence
        if self.last is None:
            return declared.FIRST_RUN
        if self.is_last_forecast:
            return f"{self.last.sentence} {declared.WHEN_NEXT}"
        return f"{self.last.sentence} {_NOT_COMPARED} {declared.FIRST_RUN}"

    @property
    def on_dashboard(self) -> str:
        """The headline, where it stands alone."""
        if self.since:
            return self.headline
        if self.last is None:
            return declared.FIRST_ON_DASHBOARD
        said = f"What changed: {self.last.sentence[0].lower()}{self.last.sentence[1:]}"
        return said if self.is_last_forecast else f"{said} {_NOT_COMPARED}"


def all_children(forecast: Forecast) -> Forecast:
    """Return the forecast without its splits by group, which take long to search."""
    table, history = forecast.table, forecast.history
    return replace(
        forecast,
        table=table[table["segment"] == ALL],
        history=history[history["segment"] == ALL],
    )


def records_of(forecast: Forecast, scenario: str) -> tuple[ForecastRecord, ...]:
    """Return what is remembered of a run: the baseline, and the fan charts' scenario."""
    there = set(forecast.table["scenario"].unique())
    wanted = dict.fromkeys((BASELINE.name, scenario))
    return tuple(record_of(forecast, name) for name in wanted if name in there)


def changes(
    forecast: Forecast,
    memory: Memory,
    records: Sequence[ForecastRecord],
    *,
    scenario: str,
    compare: Sequence[str],
    from_referrals: Mapping[str, float] | None = None,
    last: LastRun | None = None,
    listed: pd.DataFrame | None = None,
    said_before: SaidBefore | None = None,
) -> Changes:
    """Explain a forecast against the last other one, and one scenario against another.

    Parameters
    ----------
    memory
        As it stood before this run.
    records
        Of this run, from `records_of`.
    scenario
        Of the fan charts; the baseline stands in where it is not remembered.
    compare
        Scenarios compared on the Dashboard, in order; the first two that were run count.
    from_referrals
        From `demand_model.results.explain.referral_shares`.
    last
        The run before this one, if there was one.
    listed
        Whole months that the lists of now show, to be held against those remembered.
    said_before
        What the last run wrote: after a run of the same lists Memory holds their counts
        already, and what they changed can be read there only.
    """
    since, since_note = _since(forecast, memory, records, scenario, from_referrals, last)
    between, between_note = _between(forecast, compare, from_referrals)
    is_again = last is not None and not since and _is_last_forecast(last, memory, records)
    if last is not None and not since:
        since_note = _nothing_to_compare(since_note, is_again=is_again)
    corrected = ""
    if since and listed is not None and not _is_older(memory, records):
        corrected = corrections(memory.months, listed)
        corrected = corrected or _corrected_before(said_before, since_note, last)
    return Changes(
        since=since,
        between=between,
        since_note=since_note,
        between_note=between_note,
        last=last,
        corrected=corrected,
        is_last_forecast=is_again,
    )


def _is_older(memory: Memory, records: Sequence[ForecastRecord]) -> bool:
    """Whether later lists were run before: what is remembered is then the newer count."""
    return bool(memory.census_dates) and records[0].census_date < memory.census_dates[-1]


def _is_last_forecast(last: LastRun, memory: Memory, records: Sequence[ForecastRecord]) -> bool:
    """Whether this forecast is the last run's: the same was asked, or the same came out."""
    if last.is_the_same or not last.has_same_lists:
        return last.is_the_same
    found = [(memory.record(now.census_date, now.scenario), now) for now in records]
    return any(again is not None and _is_same(again, now) for again, now in found)


def _corrected_before(said: SaidBefore | None, note: str, last: LastRun | None) -> str:
    """Return the last run's sentence on past months, where lists and compared forecast are its."""
    if said is None or last is None or not last.has_same_lists:
        return ""
    compared = note.partition(_MONTH_COMPARED)[0]
    if said.note.partition(_MONTH_COMPARED)[0] != compared:
        return ""
    return corrections_in(said.sentences)


def changes_values(found: Changes) -> tuple[TableValues, tuple[RangeValues, ...]]:
    """Return the table, and the sentences and chart blocks, of sheet What changed."""
    sets = {"since": found.since, "between": found.between}
    notes = {"since": found.since_note, "between": found.between_note}
    ranges = [
        RangeValues(name=declared.TOP.name, rows=((found.headline,),)),
        RangeValues(
            name=declared.DASHBOARD_LINE.name,
            rows=((found.on_dashboard,),),
        ),
    ]
    for which, waterfalls in sets.items():
        # The first since the last forecast stands on top already.
        said = [w.sentence for w in waterfalls[which == "since" :]]
        last = found.corrected if which == "since" else ""
        place = declared.SENTENCES[which]
        lines = lines_within(said, place.rows, last=last)
        ranges += [
            RangeValues(name=declared.NOTES[which].name, rows=((notes[which],),)),
            RangeValues(name=place.name, rows=tuple((line,) for line in lines)),
            *_blocks(which, waterfalls, is_last_forecast=found.is_last_forecast),
        ]
    rows = [row for waterfalls in sets.values() for w in waterfalls for row in _rows(w)]
    table = TableValues(
        name=declared.WHAT_CHANGED.name,
        columns=declared.WHAT_CHANGED.headings,
        rows=tuple(rows),
    )
    return table, tuple(ranges)


def lines_within(sentences: Sequence[str], room: int, *, last: str = "") -> tuple[str, ...]:
    """Wrap sentences to lines that fit a sheet's rows; where one is cut short it says so.

    Parameters
    ----------
    sentences
        Of waterfalls: what is cut from them stands in the table too.
    room
        Rows.
    last
        A sentence that stands nowhere else, and is never cut.
    """
    end = _wrapped(last) if last else []
    sizes = [len(_wrapped(sentence)) for sentence in sentences]
    while sum(sizes) + len(end) > room and max(sizes, default=1) > 1:
        sizes[sizes.index(max(sizes))] -= 1
    cut = [_wrapped(s, size) for s, size in zip(sentences, sizes, strict=True)]
    return (*(line for lines in cut for line in lines), *end)


def _wrapped(sentence: str, most: int | None = None) -> list[str]:
    return textwrap.wrap(
        sentence, _LINE_LENGTH, max_lines=most, placeholder=_CUT, break_on_hyphens=False
    )


def _since(
    forecast: Forecast,
    memory: Memory,
    records: Sequence[ForecastRecord],
    scenario: str,
    from_referrals: Mapping[str, float] | None,
    last: LastRun | None,
) -> tuple[tuple[Waterfall, ...], str]:
    now = {record.scenario: record for record in records}
    for name in dict.fromkeys((scenario, BASELINE.name)):
        before = _before(memory, now[name]) if name in now else None
        if before is None:
            continue
        if set(before.months["month_end"]).isdisjoint(now[name].months["month_end"]):
            return (), "The last forecast and this one have no month in common."
        baselines = memory.record(before.census_date, BASELINE.name), now.get(BASELINE.name)
        both = baselines if all(baselines) else (None, None)
        found = tuple(
            explain_change(
                before,
                now[name],
                forecast.history,
                measure=measure,
                before_baseline=both[0],
                after_baseline=both[1],
                from_referrals=from_referrals,
            )
            for measure in declared.MEASURES
        )
        return found, _since_note(before, now[name], found[0], last)
    return (), _NO_OTHER


def _nothing_to_compare(note: str, *, is_again: bool) -> str:
    """Say why a later run than the first has no other forecast to be compared with."""
    if note != _NO_OTHER:
        return note
    if is_again:
        return "The forecast is that of the last run, and there is no other in this workbook yet."
    return _NOT_COMPARED


def _since_note(
    before: ForecastRecord, now: ForecastRecord, found: Waterfall, last: LastRun | None
) -> str:
    """Say what is compared; of two runs of one date also whether lists or settings differ."""
    is_one_date = before.census_date == now.census_date
    same = f" {last.sentence}" if last and (is_one_date or last.is_the_same) else ""
    if is_one_date:
        what = f"From an earlier run to this run, both of lists as at {day_name(now.census_date)}"
    else:
        what = (
            f"From the forecast of lists as at {day_name(before.census_date)} to that of lists as "
            f"at {day_name(now.census_date)}"
        )
    month = month_name(found.month_end)
    return f"{what}{_MONTH_COMPARED}{month}. Scenario: {now.scenario}.{same}"


def _before(memory: Memory, now: ForecastRecord) -> ForecastRecord | None:
    """Return the last forecast that was another: of the same lists, or of earlier ones."""
    again = memory.record(now.census_date, now.scenario)
    if again is not None and _begins_with(again, now) and not _is_same(again, now):
        return again
    for day in reversed(memory.census_dates):
        if day < now.census_date:
            found = memory.record(day, now.scenario)
            if found is not None and _is_whole(found):
                return found
    return None


def _is_same(one: ForecastRecord, other: ForecastRecord) -> bool:
    keys, numbers = ["measure", "month_end"], ["mean", "p2_5", "p10", "p90", "p97_5"]
    a, b = (record.months.set_index(keys)[numbers].sort_index() for record in (one, other))
    if not a.index.equals(b.index):
        return False
    return bool(np.allclose(a.to_numpy(float), b.to_numpy(float), rtol=0, atol=_SAME))


def _begins_with(one: ForecastRecord, other: ForecastRecord) -> bool:
    """Whether two forecasts have the same first month: older ones may have lost theirs."""
    first, second = (record.months["month_end"].min() for record in (one, other))
    return bool(first == second)


def _is_whole(record: ForecastRecord) -> bool:
    """Whether every month is there: of older forecasts only some are kept."""
    months = record.months["month_end"].dt.to_period("M").unique()
    return bool(len(months) == max(months).ordinal - min(months).ordinal + 1)


def _between(
    forecast: Forecast, compare: Sequence[str], from_referrals: Mapping[str, float] | None
) -> tuple[tuple[Waterfall, ...], str]:
    there = set(forecast.table["scenario"].unique())
    names = [name for name in dict.fromkeys(compare) if name in there][:2]
    if len(names) < 2:
        return (), "Choose two scenarios to be compared on sheet Settings, and run again."
    one, other = (record_of(forecast, name) for name in names)
    found = tuple(
        explain_scenarios(
            one, other, forecast.history, measure=measure, from_referrals=from_referrals
        )
        for measure in declared.MEASURES
    )
    return found, (
        f"From {names[0]} to {names[1]}, the first two scenarios compared on sheet Settings. The "
        f"month compared: {month_name(found[0].month_end)}."
    )


def _rows(waterfall: Waterfall) -> list[tuple[CellValue, ...]]:
    # As in the sentences and the charts, so that all three say the same figure.
    table = waterfall.written()
    columns = ("driver", "value", "running", "is_total", "note")
    return [
        (
            waterfall.before,
            waterfall.after,
            waterfall.measure,
            waterfall.month_end,
            str(driver),
            None if is_total else float(value),
            float(running),
            str(note) or None,
        )
        for driver, value, running, is_total, note in zip(
            *(table[name] for name in columns), strict=True
        )
    ]


def _blocks(
    which: str, waterfalls: Sequence[Waterfall], *, is_last_forecast: bool
) -> list[RangeValues]:
    nothing = declared.NOTHING_YET[which]
    if which == "since" and is_last_forecast:
        nothing = declared.SAME_FORECAST
    by_measure = {w.measure: w for w in waterfalls}
    ranges = []
    for measure in declared.MEASURES:
        rows: tuple[tuple[CellValue, ...], ...] = (declared.WATERFALL_COLUMNS,)
        if measure in by_measure:
            room = declared.BARS[which][measure]
            rows = (*rows, *_fitted(columns_of(by_measure[measure]), room))
        else:
            rows = (*rows, (nothing, None, None, None, None))
        ranges.append(RangeValues(name=f"chart_changed_{which}_{measure}", rows=rows))
    return ranges


def _fitted(
    columns: Sequence[tuple[CellValue, ...]], room: int
) -> tuple[tuple[CellValue, ...], ...]:
    """Leave out drivers that did nothing, last first, as far as the chart has no room."""
    idle = [i for i in range(1, len(columns) - 1) if not any(columns[i][2:])]
    over = max(len(columns) - room, 0)
    dropped = set(idle[::-1][:over])
    return tuple(column for i, column in enumerate(columns) if i not in dropped)


def columns_of(waterfall: Waterfall) -> tuple[tuple[CellValue, ...], ...]:
    """Return a chart column a row: label, invisible part, forecast, more, fewer.

    All heights are above a base line below the lowest figure, so that any sign can
    be drawn and a change can be seen beside the whole.
    """
    table = waterfall.written()
    values, running = (table[name].to_numpy(float) for name in ("value", "running"))
    is_total = table["is_total"].to_numpy(bool)
    start = np.where(is_total, running, running - values)
    low, high = float(min(running.min(), start.min())), float(max(running.max(), start.max()))
    base = low - _BELOW * max(high - low, 0.05 * abs(high), 1.0)
    base = max(base, 0.0) if low >= 0 else base
    rows: list[tuple[CellValue, ...]] = []
    for i, driver in enumerate(table["driver"]):
        value, label = float(values[i]), f"{driver}\n{_number(values[i], is_total=is_total[i])}"
        if is_total[i]:
            rows.append((label, 0, _height(value - base), None, None))
        else:
            below = _height(min(start[i], running[i]) - base)
            more = _height(value) if value > 0 else None
            rows.append((label, below, None, more, _height(-value) if value < 0 else None))
    return tuple(rows)


def _height(value: float) -> float:
    return round(float(value), 3)


def _number(value: float, *, is_total: bool) -> str:
    decimals = 0 if float(value).is_integer() else 1
    if is_total or value == 0:
        return f"{value:,.{decimals}f}"
    return f"{'+' if value > 0 else '−'}{abs(value):,.{decimals}f}"
