"""Months of history and the lists' own months as one series, and what each month was exposed to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.history import History, listed_months
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import MEASURES
from demand_model.rates.intake import IntakeFit, fit_intake
from demand_model.rates.intake_prior import PAST_SHOCKS, Shock
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK, working_days_in_months

if TYPE_CHECKING:
    from demand_model.rates.conversions import Conversion

FloatArray = npt.NDArray[np.float64]

MOST_MONTHS = 180
"""Older months say nothing of today and cost time."""

_TOLERANCE = 0.05
"""Log ratio of lists to history that is let stand."""
BREAK_CHANCE, BREAK_SD = 0.05, 0.35
"""Of history and lists counting in different ways, and by how much (log). †"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthlyRecord:
    """Counts of one measure, month by month: history first, then the lists.

    Attributes
    ----------
    values
        Monthly PeriodIndex without gaps; NaN where nothing is known.
    listed_from
        First month that the lists show.
    shared
        Months that both show: whether the two count alike is then known.
    """

    values: pd.Series
    listed_from: pd.Period
    shared: int = 0

    def scaled(self, factor: float) -> MonthlyRecord:
        """The same with history, not the lists, times `factor`."""
        late = self.values.index >= self.listed_from
        return replace(self, values=self.values.where(late, self.values * factor))

    @property
    def before(self) -> pd.Series:
        """Months known from history alone."""
        known = self.values.dropna()
        return known[known.index < self.listed_from]


def monthly_records(history: History, exposure: Exposure) -> dict[str, MonthlyRecord]:
    """Each measure of `MEASURES`: the lists' whole months, and history before them.

    Where months that both show differ by a factor, earlier months are brought onto
    the lists' footing (see `footing`).
    """
    lists = listed_months(exposure)
    now = pd.Period(pd.Timestamp(exposure.census_date), freq="M")
    records = {}
    for measure in MEASURES:
        listed = lists[measure].dropna()
        first = listed.index[0] if len(listed) else now + 1
        given = history.series(measure)
        shared = len(given.index.intersection(listed.index))
        given = given * footing(given, listed)
        given = given[(given.index < first) & (given.index > now - MOST_MONTHS)]
        both = pd.concat([given, listed])
        months = pd.period_range(both.index[0] if len(both) else now, now, freq="M")
        records[measure] = MonthlyRecord(
            values=both.reindex(months), listed_from=first, shared=shared
        )
    return records


def footing(given: pd.Series, listed: pd.Series) -> float:
    """Factor that brings history to the way the lists count; 1 if no month is shared.

    The log ratio of their sums over the ``n`` months that both show, less the
    tolerance, times ``n / (n + 1)``: one month may differ for reasons of its own.
    """
    shared = given.index.intersection(listed.index)
    if not len(shared):
        return 1.0
    ratio = np.log((listed[shared].sum() + 0.5) / (given[shared].sum() + 0.5))
    trusted = len(shared) / (len(shared) + 1.0)
    return float(np.exp(trusted * _beyond_tolerance(float(ratio))))


def expected_break(surprise: float, variance: float) -> float:
    """Log of the step in counting to be expected between history and lists.

    The lists' months exceed what history foretells by `surprise` (log), which is
    Normal(0, variance) if both count alike and Normal(0, variance + s^2) if they do
    not, with `BREAK_SD` for s and a chance of `BREAK_CHANCE` that they do not. The
    expectation, less a tolerance of 5%.

    >>> expected_break(0.1, 0.04), round(expected_break(1.2, 0.04), 2)
    (0.0, 0.85)
    """
    wide = variance + BREAK_SD**2

    def density(v: float) -> float:
        return float(np.exp(-(surprise**2) / (2.0 * v)) / np.sqrt(v))

    differs = BREAK_CHANCE * density(wide)
    alike = (1.0 - BREAK_CHANCE) * density(variance)
    chance = differs / (differs + alike) if differs + alike > 0.0 else 1.0
    return _beyond_tolerance(chance * surprise * BREAK_SD**2 / wide)


def _beyond_tolerance(log_ratio: float) -> float:
    return float(np.sign(log_ratio) * max(abs(log_ratio) - _TOLERANCE, 0.0))


def on_lists_footing(
    record: MonthlyRecord,
    listed: pd.Series,
    working_days: pd.Series,
    shocks: tuple[Shock, ...],
) -> MonthlyRecord:
    """Bring referrals of the history to the lists' level where they are counted differently.

    What history alone foretells of the lists' months is held against them (see
    `expected_break`). Where both show some months, `footing` has done it.
    """
    before = record.before
    if record.shared or not len(before) or listed.sum() <= 0:
        return record
    alone = fit_intake(before, shocks=shocks)
    months = pd.PeriodIndex(listed.index)
    level, sd = alone.level(months)
    season = alone.profile()[0][months.month.to_numpy() - 1]
    foretold = float((np.exp(level) * season * working_days.to_numpy(float)).sum())
    prior = alone.prior
    variance = float(np.mean(sd**2)) + 1.0 / float(listed.sum())
    variance += (prior.fast_variance + prior.noise_variance) / len(listed)
    surprise = float(np.log(listed.sum() / foretold))
    return record.scaled(float(np.exp(expected_break(surprise, variance))))


def referrals_with_history(
    record: MonthlyRecord, counts: pd.Series, working_days: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Monthly referrals and the working days observed: history, then the lists' months.

    A first month that the lists show in part gives way to a whole one of history.
    """
    before = record.before
    if not len(before):
        return counts, working_days
    kept = (counts.index >= record.listed_from) | ~counts.index.isin(before.index)
    days = pd.Series(
        working_days_in_months(pd.PeriodIndex(before.index)).astype(float), before.index
    )
    return (
        pd.concat([before, counts[kept]]).sort_index(),
        pd.concat([days, working_days[kept]]).sort_index(),
    )


def shocks_of(unusual: pd.PeriodIndex) -> tuple[Shock, ...]:
    """National shocks, and each run of months that the analyst marked beside them."""
    marked = [m for m in unusual if not any(s.first <= m <= s.last for s in PAST_SHOCKS)]
    runs: list[list[pd.Period]] = []
    for month in marked:
        if runs and month == runs[-1][-1] + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return (*PAST_SHOCKS, *(Shock(first=run[0], last=run[-1]) for run in runs))


def in_shock(months: pd.PeriodIndex, shocks: tuple[Shock, ...]) -> npt.NDArray[np.bool_]:
    """Which months lie within a shock."""
    inside = np.zeros(len(months), dtype=bool)
    for shock in shocks:
        inside |= np.asarray((months >= shock.first) & (months <= shock.last))
    return inside


def referrals_filled(record: MonthlyRecord, intake: IntakeFit, months: pd.PeriodIndex) -> pd.Series:
    """Referrals of each month: as counted, else as the fitted intake would have them."""
    level, _ = intake.level(months)
    effect, _ = intake.profile()
    usual = np.exp(level) * effect[months.month.to_numpy() - 1] * working_days_in_months(months)
    return record.values.reindex(months).fillna(pd.Series(usual, months))


def expected_starts(
    conversion: Conversion, referrals: pd.Series, others: pd.Series | float
) -> pd.Series:
    """Starts a month at constant conversion: referrals of that month and earlier, and others."""
    kernel = monthly_lags(conversion.lags.mean())
    linked = np.convolve(referrals.to_numpy(float), kernel)[: len(referrals)]
    short = np.cumsum(kernel)[: len(linked)] / max(kernel.sum(), 1e-12)
    linked[: len(short)] /= np.maximum(short, 0.05)
    return pd.Series(linked, referrals.index) + others


def monthly_lags(weekly: FloatArray) -> FloatArray:
    """Starts a referral by calendar months since, from those by week since; a day is a day."""
    delay = (np.arange(len(weekly)) + 0.5) * DAYS_PER_WEEK / DAYS_PER_MONTH
    whole = np.floor(delay).astype(int)
    out = np.zeros(whole.max() + 2)
    np.add.at(out, whole, weekly * (1.0 - (delay - whole)))
    np.add.at(out, whole + 1, weekly * (delay - whole))
    return out


def stock_filled(
    open_at_end: MonthlyRecord, starts: MonthlyRecord, ends: MonthlyRecord, months: pd.PeriodIndex
) -> pd.Series:
    """Children open through each month (mean of its two ends), where the sheet leaves gaps too.

    Backwards from a known stock by starts and ends where both are known; then by
    straight line between known stocks; else the nearest one.
    """
    wider = pd.period_range(months[0] - 1, months[-1], freq="M")
    stock = open_at_end.values.reindex(wider).to_numpy(float, copy=True)
    net = (starts.values - ends.values).reindex(wider).to_numpy(float)
    for month in range(len(wider) - 1, 0, -1):
        if np.isnan(stock[month - 1]):
            stock[month - 1] = max(stock[month] - net[month], 0.0)
    whole = pd.Series(stock, wider).interpolate(limit_direction="both")
    middle = (whole.to_numpy()[1:] + whole.to_numpy()[:-1]) / 2.0
    return pd.Series(middle, months)
