"""Control charts of the monthly series: which months deserve attention, and which are chance.

What is charted is made comparable from month to month first::

    referrals        count ÷ (working days × England's profile of the year) × an average month's
    starts           count ÷ working days × an average month's
    ends             the count itself
    stocks           the change over the month: a level follows from the month before by nature

England's profile is that of the intake prior. No month-of-year profile of starts is
published, so starts are put right for working days only.

How often chance alone shows something on the chart of a steady series, simulated (2,000
series each; the share with any signal, then with one in the latest month)::

    months                                6            12           24           60
    Poisson, 300 a month               2%  1.5%     9%  2.4%    19%  1.8%    43%  1.6%
    Poisson, 20 a month                2%  1.5%     9%  1.8%    18%  1.8%    43%  1.3%
    Poisson, 3 a month                 5%  3.1%    10%  2.0%    25%  2.0%    56%  2.1%
    300 a month, variance 3 x that     1%  0.9%     7%  1.3%    18%  2.0%    45%  1.8%
    20 a month, variance 2 x that      3%  2.1%     9%  1.8%    20%  1.6%    51%  1.6%

So a signal in the latest month is worth a question; one somewhere in five years of a
steady series is to be expected. Small counts alarm more often, since they are skewed.
Counts below 2 a month are held against an upper limit alone (`xmr.rare_limits`): by the
usual rules 86% of steady series of 0.1 a month showed something within 24 months, and
58% in the latest. So judged (400 series each)::

    months                               12           24           60
    Poisson, 1 a month                  0.2%  0%     1%  0%       3%  0%
    Poisson, 0.3 a month                0.2%  0%     1%  0%       3%  0%
    0.3 a month, always two at once     4%  0%      13%  0.8%    40%  1.0%
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.rates.intake_prior import NATIONAL_INTAKE
from demand_model.results.forecast import MEASURE_NAMES, MEASURES
from demand_model.results.xmr import (
    RUN,
    Phase,
    Signal,
    is_rare,
    outside,
    phases,
    rare_phase,
    runs_against,
    signals,
)
from demand_model.units import counted, signed, working_days_in_months

FloatArray = npt.NDArray[np.float64]

CONTROL_COLUMNS = ("measure", "month_end", "value", "adjusted", "mean", "lower", "upper", "signal")

WORKING_DAYS_IN_AVERAGE_MONTH = 253.0 / 12.0
"""England: 365.25 days, of them 5 in 7 weekdays, less 8 bank holidays."""

FEWEST_MONTHS = RUN
"""With fewer months in the present phase, its limits are provisional."""

_ALLOWED_FOR = {
    "referrals": " (working days and season allowed for)",
    "cp_starts": " (working days allowed for)",
    "cla_starts": " (working days allowed for)",
}
_RECENT_MONTHS = 12
_WHOLE_FROM = 10.0
"""Mean a month from which counts are said without decimals."""
_SAID = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ControlCharts:
    """One XmR chart a measure.

    Attributes
    ----------
    table
        `CONTROL_COLUMNS`, a row a measure and month seen. ``value`` is the count or
        the stock; ``adjusted`` is what is charted (for stocks, the month's change),
        beside its ``mean``, ``lower`` and ``upper`` (0 or more for counts; NaN with
        a single month). ``signal`` is empty or names the rules, "; " between them.
    sentences
        One a measure: what deserves attention, or that it is steady.
    """

    table: pd.DataFrame
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chart:
    measure: str
    months: pd.PeriodIndex
    values: FloatArray
    adjusted: FloatArray
    phases: tuple[Phase, ...]
    signals: tuple[Signal, ...]

    @property
    def is_stock(self) -> bool:
        return self.measure.endswith("_open")


def control_charts(monthly: pd.DataFrame) -> ControlCharts:
    """Chart each monthly series with its natural limits, and name the signals.

    Signals: outside the limits; 8 or more in a row on one side of the mean; 6 or more
    in a row rising or falling; 2 of 3 in the outer third towards one limit. After a
    run of 8 with as many months before it, mean and limits are worked out anew.
    Counts below 2 a month are held against an upper limit alone.

    Parameters
    ----------
    monthly
        Whole months: PeriodIndex (M), columns among `MEASURES`; NaN where blank. A
        blank ends a run, and gives no moving range.

    Raises
    ------
    InvalidSettingError
        The index is not monthly, or gives a month twice.
    """
    index = monthly.index
    if not isinstance(index, pd.PeriodIndex) or index.freqstr != "M" or not index.is_unique:
        raise InvalidSettingError(
            "Invalid index of monthly counts. It must be a PeriodIndex with freq 'M', "
            "each month given once."
        )
    charts = [_chart(monthly[m].astype(float), m) for m in MEASURES if m in monthly.columns]
    tables = [_table(chart) for chart in charts if chart is not None]
    columns = list(CONTROL_COLUMNS)
    return ControlCharts(
        table=pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns),
        sentences=tuple(_sentence(chart) for chart in charts if chart is not None),
    )


def adjusted_series(series: pd.Series, measure: str) -> FloatArray:
    """Make a measure comparable from month to month; shape of `series`, whole months in order.

    See the top of this module.
    """
    values = series.to_numpy(dtype=float)
    if measure.endswith("_open"):
        return np.concatenate([[np.nan], np.diff(values)]) if len(values) else values
    months = pd.PeriodIndex(series.index)
    size = working_days_in_months(months) / WORKING_DAYS_IN_AVERAGE_MONTH
    if measure == "referrals":
        profile = np.exp(NATIONAL_INTAKE.log_profile)
        size = size * profile[np.asarray(months.month) - 1]
    elif not measure.endswith("_starts"):
        return values
    return np.asarray(values / size, dtype=float)


def _chart(series: pd.Series, measure: str) -> _Chart | None:
    seen = series.dropna().sort_index()
    if seen.empty:
        return None
    months = pd.period_range(seen.index[0], seen.index[-1], freq="M")
    whole = seen.reindex(months)
    adjusted = adjusted_series(whole, measure)
    if _counts(measure) and is_rare(adjusted):
        only = rare_phase(adjusted)
        return _Chart(
            measure=measure,
            months=months,
            values=whole.to_numpy(dtype=float),
            adjusted=adjusted,
            phases=(only,),
            signals=tuple(outside(adjusted, only)),
        )
    parts = phases(adjusted)
    found = [s for part in parts for s in signals(adjusted, part, counts=_counts(measure))]
    for before, part in itertools.pairwise(parts):
        shift = runs_against(adjusted, part, before.limits.mean)
        if shift is not None:
            # The same months seen from within the new phase say nothing more.
            found = [s for s in found if not (s.first == shift.first and "the mean" in s.words)]
            found.append(shift)
    return _Chart(
        measure=measure,
        months=months,
        values=whole.to_numpy(dtype=float),
        adjusted=adjusted,
        phases=parts,
        signals=tuple(sorted(found, key=lambda s: (s.last, s.first))),
    )


def _counts(measure: str) -> bool:
    """Say whether what is charted cannot be below 0."""
    return not measure.endswith("_open")


def _table(chart: _Chart) -> pd.DataFrame:
    length = len(chart.months)
    limits = np.full((length, 3), np.nan)
    for part in chart.phases:
        lower = part.limits.lower
        lower = max(lower, 0.0) if _counts(chart.measure) and not np.isnan(lower) else lower
        limits[part.first : part.end] = (part.limits.mean, lower, part.limits.upper)
    words: list[list[str]] = [[] for _ in range(length)]
    for signal in chart.signals:
        for month in range(signal.first, signal.last + 1):
            words[month].append(signal.words)
    table = pd.DataFrame(
        {
            "measure": chart.measure,
            "month_end": chart.months.to_timestamp(how="end").normalize().astype("datetime64[s]"),
            "value": chart.values,
            "adjusted": chart.adjusted,
            "mean": limits[:, 0],
            "lower": limits[:, 1],
            "upper": limits[:, 2],
            "signal": ["; ".join(dict.fromkeys(w)) for w in words],
        },
        columns=list(CONTROL_COLUMNS),
    )
    return table[table["adjusted"].notna()].reset_index(drop=True)


# --- sentences -----------------------------------------------------------------------------------


def _sentence(chart: _Chart) -> str:
    name = MEASURE_NAMES[chart.measure] + (", change over the month" if chart.is_stock else "")
    now = chart.phases[-1]
    if now.months == 0:
        return f"{name}: one month only; a chart needs two."
    recent = [s for s in chart.signals if s.last >= len(chart.months) - _RECENT_MONTHS]
    since = chart.months[now.first + int(np.isnan(chart.adjusted[now.first]))]
    if recent:
        said = "; ".join(_said(s, chart.months) for s in reversed(recent[-_SAID:]))
    elif any(s.last >= now.first for s in chart.signals):
        said = f"steady in the last {_RECENT_MONTHS} months"
    else:
        said = f"steady since {_name(since)}"
    parts = [f"{name}: {said}. {_level(chart, now, since)}"]
    if now.months < FEWEST_MONTHS:
        months = counted(now.months, "month")
        parts.append(f"Provisional: the limits rest on {months} only.")
    return " ".join(parts)


def _said(signal: Signal, months: pd.PeriodIndex) -> str:
    first, last = months[signal.first], months[signal.last]
    if signal.first == signal.last:
        return f"{signal.words} in {_name(first)}"
    if signal.last == len(months) - 1 and "in a row" in signal.words:
        return f"{signal.words} since {_name(first)}"
    return f"{signal.words}, {_name(first)} to {_name(last)}"


def _level(chart: _Chart, now: Phase, since: pd.Period) -> str:
    """Say what is usual now, and what was before if it moved."""
    decimals = int(chart.is_stock or now.limits.mean < _WHOLE_FROM)

    def worded(value: float) -> str:
        return signed(value, decimals) if chart.is_stock else _amount(value, decimals)

    mean, low, high = now.limits.mean, now.limits.lower, now.limits.upper
    if mean == 0 and not chart.is_stock:
        return "None in these months."
    usual = f"About {worded(mean)} a month{_ALLOWED_FOR.get(chart.measure, '')}"
    if len(chart.phases) > 1:
        usual += f" since {_name(since)}, {worded(chart.phases[-2].limits.mean)} before"
    if np.isnan(low):
        return f"{usual}."
    if low == high:
        return f"{usual}, month after month."
    low = low if chart.is_stock else max(low, 0.0)
    return f"{usual}; by chance alone between {worded(low)} and {worded(high)}."


def _amount(value: float, decimals: int) -> str:
    """Word a count of 0 or more; nought has no decimals."""
    return f"{value:,.{decimals}f}" if round(value, decimals) else "0"


def _name(month: pd.Period) -> str:
    return str(month.strftime("%B %Y"))
