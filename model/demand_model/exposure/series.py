"""Monthly counts that the lists themselves show: the past beside the forecast."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.checked import Window
from demand_model.exposure.risk import calendar_months
from demand_model.flows import ALL
from demand_model.spell.build import Spells


def monthly_series(spells: Spells) -> pd.DataFrame:
    """Counts by month: ``month_end``, ``measure``, ``segment``, ``value``.

    Flows are given for whole calendar months within the window; stocks at the
    window's eve, each month's end and the census date. A child's earlier
    spell within the window is not in the lists and so not in the counts.
    """
    parts = [_referrals(spells)]
    for prefix, frame, number in (("cp", spells.plans, 7), ("cla", spells.care, 8)):
        window = spells.windows[number]
        parts += [
            _flow(frame["start"], window, spells.census_date, f"{prefix}_starts"),
            _flow(frame["end"], window, spells.census_date, f"{prefix}_ends"),
            _stock(frame, window, spells.census_date, f"{prefix}_open"),
        ]
    return pd.concat(parts, ignore_index=True)


def _whole_months(window: Window, census: date) -> npt.NDArray[np.datetime64]:
    months = calendar_months(window.start, census)
    opens = months.astype("datetime64[D]") >= np.datetime64(window.start)
    closes = (months + 1).astype("datetime64[D]") - 1 <= np.datetime64(census)
    return months[opens & closes]


def _frame(
    month_ends: npt.NDArray[np.datetime64], measure: str, segment: str, values: npt.ArrayLike
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "month_end": month_ends.astype("datetime64[s]"),
            "measure": measure,
            "segment": segment,
            "value": np.asarray(values, dtype=float),
        }
    )


def _month_ends(months: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    return np.asarray((months + 1).astype("datetime64[D]") - 1)


def _counts(days: pd.Series, months: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    known = days.dropna().to_numpy().astype("datetime64[M]")
    return np.array([(known == month).sum() for month in months], dtype=np.int64)


def _flow(days: pd.Series, window: Window, census: date, measure: str) -> pd.DataFrame:
    months = _whole_months(window, census)
    return _frame(_month_ends(months), measure, ALL, _counts(days, months))


def _referrals(spells: Spells) -> pd.DataFrame:
    months = _whole_months(spells.windows[3], spells.census_date)
    ends, refs = _month_ends(months), spells.referrals
    parts = [_frame(ends, "referrals", ALL, _counts(refs["date"], months))]
    for source, mine in refs.groupby("source_group", sort=True):
        parts.append(_frame(ends, "referrals", str(source), _counts(mine["date"], months)))
    return pd.concat(parts, ignore_index=True)


def _stock(frame: pd.DataFrame, window: Window, census: date, measure: str) -> pd.DataFrame:
    months = calendar_months(window.start, census)
    eve, last = np.datetime64(window.start) - 1, np.datetime64(census)
    days = np.unique(np.concatenate([[eve], _month_ends(months), [last]]))
    days = days[(days >= eve) & (days <= last)]
    start = frame["start"].to_numpy().astype("datetime64[D]")
    end = frame["end"].to_numpy().astype("datetime64[D]")
    values = [((start <= day) & (np.isnat(end) | (end > day))).sum() for day in days]
    return _frame(days, measure, ALL, values)


def month_to_date(spells: Spells) -> pd.DataFrame:
    """Flows of the census month up to the census date: ``measure``, ``segment``, ``value``.

    Empty where the census date is a month's last day: the forecast then starts
    with a whole month.
    """
    census = np.datetime64(spells.census_date)
    month = census.astype("datetime64[M]")
    columns = ["measure", "segment", "value"]
    if census == (month + 1).astype("datetime64[D]") - 1:
        return pd.DataFrame(columns=columns)
    months = np.array([month])
    refs = spells.referrals
    rows: list[tuple[str, str, float]] = [
        ("referrals", ALL, float(_counts(refs["date"], months)[0]))
    ]
    for source, mine in refs.groupby("source_group", sort=True):
        rows.append(("referrals", str(source), float(_counts(mine["date"], months)[0])))
    for prefix, frame in (("cp", spells.plans), ("cla", spells.care)):
        for kind, column in (("starts", "start"), ("ends", "end")):
            rows.append((f"{prefix}_{kind}", ALL, float(_counts(frame[column], months)[0])))
    return pd.DataFrame(rows, columns=columns)
