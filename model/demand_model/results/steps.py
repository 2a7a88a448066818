"""The steps of a waterfall between two baselines, each with a note that says what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from demand_model.results.account import (
    CORRECTED,
    INTAKE,
    LEAVING,
    OPENING,
    OTHER,
    REFERRALS,
    SEASON,
    SHARE,
    Account,
    Exchange,
    average_over_orders,
    drivers_of,
    every_set,
    family,
    split_referrals,
    survival,
)
from demand_model.results.records import ForecastRecord, stock_on
from demand_model.units import month_end as end_of_month

AT_START = (CORRECTED, OPENING)
"""Drivers that act where the comparison starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One driver's part of a change, and a note on what it rests on."""

    driver: str
    change: float
    note: str = ""


def steps_between(
    old: ForecastRecord,
    new: ForecastRecord,
    history: pd.DataFrame,
    measure: str,
    last: pd.Period,
    from_referrals: Mapping[str, float],
    words: tuple[str, str],
) -> list[Step]:
    """Give each driver's part of the change between two baselines, in order."""
    again = old.census_date == new.census_date
    base = new.means.index[0] - 1 if again else max(old.census_month, new.census_month)
    drivers = drivers_of(measure)
    if last <= base and not measure.endswith("_open"):
        change = new.mean(measure, last) - old.mean(measure, last)
        so_far = Step(driver=OPENING, change=change, note="What the unfinished month has shown.")
        return [so_far, *(Step(driver=d, change=0.0) for d in drivers if d not in AT_START)]
    stock = "cla" if measure == REFERRALS else family(measure)
    end = min(old.means.index[-1], new.means.index[-1])
    split = split_referrals(
        old.account(stock, base, end).referrals, new.account(stock, base, end).referrals
    )
    exchange = Exchange(
        before=old.account(stock, base, last),
        after=new.account(stock, base, last),
        split=split.first(max(last.ordinal - base.ordinal, 0)),
        corrected=_corrected(old, new, history, stock, base),
        from_referrals=float(from_referrals.get(stock, 1.0)),
    )
    effects = average_over_orders(exchange.outcomes(every_set(drivers), measure), len(drivers))
    notes = _notes(exchange, words) | _start_notes(old, new, history, stock, base)
    return [
        Step(driver=driver, change=float(effect), note=notes[driver])
        for driver, effect in zip(drivers, effects, strict=True)
    ]


def _corrected(
    old: ForecastRecord, new: ForecastRecord, history: pd.DataFrame, stock: str, base: pd.Period
) -> float:
    """Part of the difference at `base` that the new lists put right about the old census date."""
    if old.census_date == new.census_date:
        return new.standing(stock, base) - old.standing(stock, base)
    known = _now_known(old, new, history, stock)
    if known is None:
        return 0.0
    stayed = survival(old.account(stock, old.census_month, base))
    wrong = known - old.standing(stock, old.census_month)
    return wrong * (float(stayed[-1]) if len(stayed) else 1.0)


def _now_known(
    old: ForecastRecord, new: ForecastRecord, history: pd.DataFrame, stock: str
) -> float | None:
    """Stock at the old census date by the new lists, if they show that day."""
    if old.census_date > new.census_date or end_of_month(old.census_date) != old.census_date:
        return None
    return stock_on(history, f"{stock}_open", old.census_date)


# --- notes ---------------------------------------------------------------------------------------


def _notes(exchange: Exchange, words: tuple[str, str]) -> dict[str, str]:
    was, now = words
    old, new = exchange.before, exchange.after

    def pair(of_old: float, of_new: float, form: str) -> str:
        return f"{of_new:{form}} {now}, {of_old:{form}} {was}."

    return {
        INTAKE: f"Referrals a month: {pair(_mean(old.referrals), _mean(new.referrals), ',.1f')}",
        SEASON: "When in the year, and how far ahead, referrals come.",
        SHARE: "Starts for every 100 referrals: "
        + pair(_per_hundred(old), _per_hundred(new), ".1f"),
        LEAVING: f"Share leaving in a month: {pair(_out(old), _out(new), '.2%')}",
        OTHER: "What these averages leave over.",
    }


def _start_notes(
    old: ForecastRecord, new: ForecastRecord, history: pd.DataFrame, stock: str, base: pd.Period
) -> dict[str, str]:
    day, known = day_name(old.census_date), _now_known(old, new, history, stock)
    start, forecast = new.standing(stock, base), old.standing(stock, base)
    earlier = f"{forecast:,.0f} in the earlier"
    if old.census_date == new.census_date:
        return {
            CORRECTED: f"At the forecast's start: {start:,.0f} now, {earlier} run.",
            OPENING: "The same census date: nothing happened in between.",
        }
    opening = f"End of {month_name(base)}: {start:,.0f} now, {earlier} forecast"
    if known is None:
        corrected = f"The lists do not show {day} again: corrections are in the opening stock."
    else:
        then = old.standing(stock, old.census_month)
        corrected = f"On {day}: {known:,.0f} by the lists of now, {then:,.0f} by those of then."
        mended = forecast + _corrected(old, new, history, stock, base)
        if round(mended) != round(forecast):
            opening += f" ({mended:,.0f} once corrected)"
    opening += "."
    return {CORRECTED: corrected, OPENING: opening}


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _per_hundred(account: Account) -> float:
    total = float(account.referrals.sum())
    return 100.0 * float(account.starts.sum()) / total if total > 0 else 0.0


def _out(account: Account) -> float:
    total = float(account.at_risk.sum())
    return float((account.leaving * account.at_risk).sum()) / total if total > 0 else 0.0


def day_name(day: date) -> str:
    """Write a day as sentences do."""
    return day.strftime("%d/%m/%Y")


def month_name(month: pd.Period) -> str:
    """Write a month as sentences do."""
    return str(month.strftime("%B %Y"))
