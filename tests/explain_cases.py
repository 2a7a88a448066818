"""Made-up forecasts that keep their own books, for tests of the waterfall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from demand_model.results.explain import (
    RECORD_COLUMNS,
    ForecastRecord,
    Waterfall,
    explain_scenarios,
    record_of,
)
from demand_model.results.forecast import FORECAST_COLUMNS, QUANTILE_COLUMNS, Forecast
from demand_model.units import month_end


def months_after(census: date, months: int) -> pd.PeriodIndex:
    first = pd.Period(census, freq="M") + (1 if month_end(census) == census else 0)
    return pd.period_range(first, periods=months, freq="M")


def books(
    referrals: Sequence[float],
    *,
    opening: Mapping[str, float] | None = None,
    share: Mapping[str, float] | None = None,
    leaving: Mapping[str, float] | None = None,
    other: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:
    """Measures by month: ``starts = other + share × referrals``, and shares that leave."""
    opening = opening or {"cp": 300.0, "cla": 600.0}
    share = share or {"cp": 0.1, "cla": 0.06}
    leaving = leaving or {"cp": 0.09, "cla": 0.027}
    made: dict[str, np.ndarray] = {"referrals": np.asarray(referrals, dtype=float)}
    for stock in ("cp", "cla"):
        now, rows = opening[stock], []
        for count in made["referrals"]:
            starts = (other or {}).get(stock, 0.0) + share[stock] * count
            ends = leaving[stock] * (now + starts / 2)
            now = now + starts - ends
            rows.append((starts, ends, now))
        columns = np.array(rows, dtype=float).reshape(-1, 3).T
        made |= {
            f"{stock}_{k}": c for k, c in zip(("starts", "ends", "open"), columns, strict=True)
        }
    return made


def record(
    census: date,
    made: Mapping[str, np.ndarray],
    *,
    opening: Mapping[str, float] | None = None,
    scenario: str = "Baseline",
) -> ForecastRecord:
    """Keep books as a run would; the ranges are of no matter here."""
    months = months_after(census, len(made["referrals"]))
    ends = months.to_timestamp(how="end").normalize()
    rows = [
        (end, measure, mean, *[mean] * 4)
        for measure, means in made.items()
        for end, mean in zip(ends, means, strict=True)
    ]
    stocks = {"cp_open": 300.0, "cla_open": 600.0}
    return ForecastRecord(
        census_date=census,
        scenario=scenario,
        months=pd.DataFrame(rows, columns=list(RECORD_COLUMNS)),
        opening=stocks if opening is None else {f"{k}_open": v for k, v in opening.items()},
    )


def past(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """`Forecast.history` of (day, measure, value)."""
    frame = pd.DataFrame(rows, columns=["month_end", "measure", "value"])
    return frame.assign(month_end=pd.to_datetime(frame["month_end"]), segment="all")


def forecast_of(census: date, scenarios: Mapping[str, Mapping[str, np.ndarray]]) -> Forecast:
    """Whole forecast of the given books, whose ranges have no width."""
    rows = []
    for name, made in scenarios.items():
        ends = months_after(census, len(made["referrals"])).to_timestamp(how="end").normalize()
        for measure, means in made.items():
            rows += [
                (end, measure, "all", name, mean, *[mean] * len(QUANTILE_COLUMNS))
                for end, mean in zip(ends, means, strict=True)
            ]
    table = pd.DataFrame(rows, columns=list(FORECAST_COLUMNS))
    made = next(iter(scenarios.values()))
    opening = [
        (census.isoformat(), f"{s}_open",
         float(made[f"{s}_open"][0] + made[f"{s}_ends"][0] - made[f"{s}_starts"][0]))
        for s in ("cp", "cla")
    ]  # fmt: skip
    return Forecast(
        census_date=census,
        table=table,
        history=past(*opening),
        hidden_need=pd.DataFrame(),
        differences=table.iloc[:0],
        headlines=(),
    )


def between(
    forecast: Forecast,
    before: str,
    after: str,
    *,
    measure: str,
    from_referrals: Mapping[str, float] | None = None,
) -> Waterfall:
    """Two scenarios of one run."""
    return explain_scenarios(
        record_of(forecast, before),
        record_of(forecast, after),
        forecast.history,
        measure=measure,
        from_referrals=from_referrals,
    )
