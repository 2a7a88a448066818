"""What one run said of one scenario, kept so that the next run can explain itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL
from demand_model.results.account import Account, account_of
from demand_model.results.forecast import MEASURES, Forecast
from demand_model.simulation.scenario import BASELINE

RECORD_COLUMNS = ("month_end", "measure", "mean", "p2_5", "p10", "p90", "p97_5")
STOCKS = ("cp_open", "cla_open")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastRecord:
    """What one run said: enough to explain the next one, and no child's row.

    Attributes
    ----------
    census_date
        The day that the forecast started from.
    scenario
        Name of the scenario.
    months
        `RECORD_COLUMNS`: measures of `MEASURES`, segment "all".
    opening
        ``cp_open`` and ``cla_open`` at the census date, as the run counted them. One
        that is missing is worked out from the first month's stock, starts and ends.
    means
        From `months`: by month (PeriodIndex, in order) and measure, months with all
        of the measures only, up to the first month that is missing.
    """

    census_date: date
    scenario: str
    months: pd.DataFrame
    opening: Mapping[str, float]
    means: pd.DataFrame = field(init=False, repr=False)

    def __post_init__(self) -> None:
        missing = {"month_end", "measure", "mean"} - set(self.months.columns)
        if missing:
            raise InvalidSettingError(
                f"Invalid forecast record: no column {', '.join(sorted(missing))}. "
                f"It must have {', '.join(RECORD_COLUMNS)}."
            )
        wide = self.months.pivot_table(index="month_end", columns="measure", values="mean")
        wide = wide.reindex(columns=list(MEASURES)).dropna().astype(float)
        wide.index = pd.DatetimeIndex(wide.index).to_period("M")
        wide = wide.sort_index()
        # A month that was not kept breaks the account: what comes after it is left out.
        unbroken = np.diff(pd.PeriodIndex(wide.index).asi8, prepend=0)[1:] == 1
        object.__setattr__(self, "means", wide.iloc[: int(np.append(unbroken, False).argmin()) + 1])

    @property
    def census_month(self) -> pd.Period:
        """Month of the census date: at its end the forecast, or the count, stands."""
        return pd.Period(self.census_date, freq="M")

    def mean(self, measure: str, month: pd.Period) -> float:
        """Mean forecast of a measure in a month that the record has."""
        return float(self.means[measure].to_numpy()[self.means.index == month][0])

    def standing(self, stock: str, month: pd.Period) -> float:
        """Stock ("cp" or "cla") at the end of `month`: forecast, or counted before its start.

        The month before the first is the census month where that was whole; where the
        forecast starts with an unfinished month, the stock is worked back to its start.
        """
        if month in self.means.index:
            return self.mean(f"{stock}_open", month)
        first = self.means.iloc[0]
        worked_back = first[f"{stock}_open"] + first[f"{stock}_ends"] - first[f"{stock}_starts"]
        if month == self.census_month:
            return float(self.opening.get(f"{stock}_open", worked_back))
        return float(worked_back)

    def account(self, stock: str, after: pd.Period, last: pd.Period) -> Account:
        """Account of the months after `after` up to `last`."""
        months = self.means[(self.means.index > after) & (self.means.index <= last)]
        return account_of(months, self.standing(stock, after), stock)


def record_of(forecast: Forecast, scenario: str = BASELINE.name) -> ForecastRecord:
    """Keep what `forecast` says of one scenario.

    Raises
    ------
    InvalidSettingError
        The forecast has no such scenario.
    """
    table = forecast.table
    mine = table[(table["scenario"] == scenario) & (table["segment"] == ALL)]
    if mine.empty:
        raise InvalidSettingError(
            f"Invalid scenario: {scenario}. It must be one that the forecast was made for."
        )
    counted = {s: stock_on(forecast.history, s, forecast.census_date) for s in STOCKS}
    months = mine[mine["measure"].isin(MEASURES)][list(RECORD_COLUMNS)]
    return ForecastRecord(
        census_date=forecast.census_date,
        scenario=scenario,
        months=months.reset_index(drop=True),
        opening={stock: count for stock, count in counted.items() if count is not None},
    )


def stock_on(history: pd.DataFrame, measure: str, day: date) -> float | None:
    """Count of a stock on a day, if `Forecast.history` has it."""
    mine = (history["measure"] == measure) & (history["segment"] == ALL)
    found = history.loc[mine & (history["month_end"] == pd.Timestamp(day)), "value"].dropna()
    return float(found.iloc[-1]) if len(found) else None
