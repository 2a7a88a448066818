"""The blocks of sheet Chart data: what each chart draws, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pandas as pd

from demand_addin.layout import chart_data as blocks
from demand_addin.plan.values import month_block
from demand_addin.ports import CellValue, RangeValues
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.results.forecast import Forecast

HISTORY_ROWS = 36
_ALL = "all"
_NO_PLACE = frozenset({_ALL, *CARE_SEGMENTS})
"""Segments of children in care that are no kind of placement."""
Series = dict[date, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartChoices:
    """What the analyst chose to see.

    Attributes
    ----------
    interval
        Range in the headline table in per cent: 80 or 95.
    fan_scenario, compare, hidden_need_scenario
        Names of scenarios; a name that was not run leaves its line out.
    """

    interval: int
    fan_scenario: str
    compare: tuple[str, ...]
    hidden_need_scenario: str


def chart_ranges(forecast: Forecast, choices: ChartChoices) -> tuple[RangeValues, ...]:
    """Return the values of every block on sheet Chart data."""
    source = _Source.of(forecast)
    fans = [
        RangeValues(name=f"chart_fan_{m}", rows=_fan(source, m, choices))
        for m in blocks.FAN_MEASURES
    ]
    compared = [
        RangeValues(name=f"chart_compare_{m}", rows=_compare(source, m, choices))
        for m in blocks.FAN_MEASURES
    ]
    flows = [
        RangeValues(name=f"chart_flows_{m}", rows=_flows(source, m, choices.fan_scenario))
        for m in blocks.FLOW_MEASURES
    ]
    return (
        *fans,
        *compared,
        RangeValues(name="chart_hidden_need", rows=_hidden_need(forecast, choices)),
        RangeValues(name="chart_placement", rows=_placement(source, choices.fan_scenario)),
        *flows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The forecast, split once by measure, segment and scenario."""

    past: Mapping[tuple[str, str], Series]
    future: Mapping[tuple[str, str, str], pd.DataFrame]

    @classmethod
    def of(cls, forecast: Forecast) -> _Source:
        past = {
            (str(measure), str(segment)): _series(rows, "value")
            for (measure, segment), rows in forecast.history.groupby(
                ["measure", "segment"], observed=True
            )
        }
        future = {
            (str(measure), str(segment), str(scenario)): rows
            for (measure, segment, scenario), rows in forecast.table.sort_values(
                "month_end", kind="stable"
            ).groupby(["measure", "segment", "scenario"], observed=True)
        }
        return cls(past=past, future=future)

    def history(self, measure: str, segment: str = _ALL) -> Series:
        """Return the last months of history."""
        series = self.past.get((measure, segment), {})
        return dict(sorted(series.items())[-HISTORY_ROWS:])

    def line(self, measure: str, segment: str, scenario: str, column: str = "mean") -> Series:
        """Return one column of the forecast; empty if the scenario was not run."""
        rows = self.future.get((measure, segment, scenario))
        return {} if rows is None else _series(rows, column)


def today(past: Series, measure: str) -> float | None:
    """Return the last count of a stock; of a flow, the mean of the last six months."""
    recent = [past[month] for month in sorted(past)[-(1 if measure.endswith("_open") else 6) :]]
    return sum(recent) / len(recent) if recent else None


def _series(rows: pd.DataFrame, column: str) -> Series:
    return {
        stamp.date(): float(value)
        for stamp, value in zip(rows["month_end"], rows[column], strict=True)
    }


def _fan(source: _Source, measure: str, choices: ChartChoices) -> tuple[tuple[CellValue, ...], ...]:
    """Return an invisible base, five bands as widths, then the lines.

    In the months of history the base is the history itself and the bands have
    no width, so that the fan opens from the last known value.
    """
    past = source.history(measure)
    quantiles = ["p2_5", "p10", "p25", "p75", "p90", "p97_5"]
    edges = {q: source.line(measure, _ALL, choices.fan_scenario, q) for q in quantiles}
    average = source.line(measure, _ALL, choices.fan_scenario)
    months = [*past, *(m for m in average if m not in past)]
    last_month = max(past, default=None)
    level = today(past, measure)
    rows = []
    for month in months:
        known = past.get(month)
        if known is not None:
            widths: list[float] = [known, 0, 0, 0, 0, 0]
            middle = known if month == last_month else None
        else:
            edge = [edges[q][month] for q in quantiles]
            widths = [edge[0], *(b - a for a, b in pairwise(edge))]
            middle = average[month]
        rows.append((month, *widths, middle, level if middle is not None else None, known))
    return _block(blocks.FAN_COLUMNS, rows)


def _compare(
    source: _Source, measure: str, choices: ChartChoices
) -> tuple[tuple[CellValue, ...], ...]:
    past = source.history(measure)
    names = [*choices.compare, "", "", "", ""][:4]
    lines = [_joined(past, source.line(measure, _ALL, name)) for name in names]
    heads = [
        "month",
        "History",
        *(_legend(n, found=bool(li)) for n, li in zip(names, lines, strict=True)),
    ]
    return _block(heads, _merged([past, *lines]))


def _legend(name: str, *, found: bool) -> str:
    if not name:
        return " "
    return name if found else f"{name} (not run)"


def _hidden_need(forecast: Forecast, choices: ChartChoices) -> tuple[tuple[CellValue, ...], ...]:
    frame = forecast.hidden_need
    rows = frame[frame["scenario"] == choices.hidden_need_scenario].sort_values("month_end")
    parts = ("suppressed", "returned", "not_returning", "hidden")
    lines = [_series(rows, part) for part in parts]
    return _block(blocks.HIDDEN_COLUMNS, _merged(lines))


def _placement(source: _Source, scenario: str) -> tuple[tuple[CellValue, ...], ...]:
    """Return the three largest groups and all others together: more lines cannot be told apart."""
    kinds = dict.fromkeys(s for m, s, _ in source.future if m == "cla_open" and s not in _NO_PLACE)
    future = {kind: source.line("cla_open", kind, scenario) for kind in kinds}
    present = sorted((g for g in kinds if future[g]), key=lambda g: -sum(future[g].values()))
    past = {g: source.history("cla_open", g) for g in present}
    most = blocks.PLACEMENT_LINES
    shown = present if len(present) <= most else present[: most - 1]
    rest = [g for g in present if g not in shown]
    named = [(g.capitalize(), past[g], future[g]) for g in shown]
    if rest:
        named.append(
            ("All others", _summed([past[g] for g in rest]), _summed([future[g] for g in rest]))
        )
    named += [(" ", {}, {})] * (most - len(named))
    heads = [
        "month",
        *(f"{n}, past".lstrip(" ,") for n, _, _ in named),
        *(n for n, _, _ in named),
    ]
    lines = [p for _, p, _ in named] + [_joined(p, f) for _, p, f in named]
    return _block(heads, _merged(lines))


def _flows(source: _Source, measure: str, scenario: str) -> tuple[tuple[CellValue, ...], ...]:
    past = [source.history(f"{measure}_{what}") for what in ("starts", "ends")]
    future = [source.line(f"{measure}_{what}", _ALL, scenario) for what in ("starts", "ends")]
    lines = past + [_joined(p, f) for p, f in zip(past, future, strict=True)]
    return _block(blocks.FLOW_COLUMNS, _merged(lines))


def _joined(past: Series, future: Series) -> Series:
    """Let the forecast's line begin where the history's line ends."""
    if not past or not future:
        return future
    last = max(past)
    return {last: past[last], **{m: v for m, v in future.items() if m > last}}


def _summed(series: Sequence[Series]) -> Series:
    months = sorted({m for line in series for m in line})
    return {m: sum(line.get(m, 0.0) for line in series) for m in months}


def _merged(lines: Sequence[Series]) -> list[tuple[object, ...]]:
    months = sorted({m for line in lines for m in line})
    return [(month, *(line.get(month) for line in lines)) for month in months]


def _block(
    heads: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> tuple[tuple[CellValue, ...], ...]:
    return month_block(heads, rows, blocks.CHART_ROWS)
