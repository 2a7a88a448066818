"""The back-test: forecasts from earlier days against what the lists show happened since.

::

    window start           origin                 census date
         [====================|·····|·····|·····|·····]
          lists as they were    1     2     3     4     months ahead: forecast and actual

At each origin the lists are cut back to that day (`lists_at`), the whole engine runs on
what is left, and its baseline is held against the later months of the full lists.
Nothing after an origin reaches its forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from demand_model.annex_a.checked import Lists
from demand_model.annex_a.cut import lists_at, months_covered
from demand_model.annex_a.windows import months_before
from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.exposure.history import History
from demand_model.exposure.series import monthly_series
from demand_model.exposure.tabulate import tabulate
from demand_model.flows import ALL
from demand_model.rates.fit import fit
from demand_model.results.backtest_scores import (
    BACKTEST_COLUMNS,
    METHODS,
    SCORE_COLUMNS,
    score,
)
from demand_model.results.backtest_words import note_of, sentences_of
from demand_model.results.comparators import forecast_linear, no_change
from demand_model.results.forecast import MEASURES
from demand_model.results.summarise import summarise
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.simulate import simulate
from demand_model.spell.build import spells
from demand_model.units import month_end

__all__ = [
    "BACKTEST_COLUMNS",
    "METHODS",
    "MOST_ORIGINS",
    "SCORE_COLUMNS",
    "Backtest",
    "backtest",
    "backtest_origins",
]

Progress = Callable[[str, float], None]

MOST_ORIGINS = 12
_LEAST_MONTHS = 2
"""Whole months that every list must show before an origin."""
_USUAL_MONTHS = 6
"""What a forecast usually rests on: longer lists leave this before every origin."""
_ORIGINS_OF_SHORT_LISTS = 4
_STOCKS = ("cp_open", "cla_open")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backtest:
    """Forecasts made from earlier days, beside what happened.

    Attributes
    ----------
    census_date
        Of the full lists.
    origins
        Earlier census dates, ends of months, oldest first.
    table
        One row an origin, measure and month; columns `BACKTEST_COLUMNS`. Stocks are
        at the month's end, flows of that month alone. ``no_change`` is the stock
        at the origin, or the mean of the whole months in the lists before it;
        ``linear`` is Excel's FORECAST.LINEAR on the months known at the origin.
    scores
        One row a measure and method; columns `SCORE_COLUMNS`.
    sentences
        One a measure, in the order of `MEASURES`: how far to trust it.
    note
        What holds for all of them: how many months of lists the forecasts were made
        from, and how far ahead they look.
    """

    census_date: date
    origins: tuple[date, ...]
    table: pd.DataFrame
    scores: pd.DataFrame
    sentences: tuple[str, ...]
    note: str = ""


def backtest(
    lists: Lists,
    *,
    history: History | None = None,
    draws: int = 500,
    seed: int = 0,
    most_months_back: int | None = None,
    overrides: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Forecast from earlier days with what was then known, and compare.

    The actual figures are those of the lists in hand. One row a child hides the
    earlier spell of a child who came back, so they lack those spells, in the stock
    of the origin as in the months after it.

    Forecasts of one month from several origins, and of several months from one, are
    not independent; `Backtest.sentences` says when there are too few to judge by.

    Parameters
    ----------
    lists
        From `check`.
    history
        The authority's own monthly counts; each origin's fit, and its straight line,
        are given only the months up to that origin.
    draws, seed
        As in `simulate`; the same at every origin.
    most_months_back
        Oldest origin, in months before the last whole month; see `backtest_origins`.
    overrides
        The analyst's own rates, as in `fit`.
    progress
        Called after each origin with a few words and the share of the work done.

    Raises
    ------
    NotEnoughDataError
        The lists allow no origin.
    InvalidSettingError
        `most_months_back` is below 1, or `draws` or `overrides` cannot be used.
    """
    origins = backtest_origins(lists, most_months_back)
    actuals = _by_month(monthly_series(spells(lists)))
    last = pd.Period(_last_whole_month(lists), "M")
    parts = []
    for done, origin in enumerate(origins, start=1):
        parts.append(
            _from_origin(
                lists_at(lists, origin),
                actuals,
                history=None if history is None else _history_until(history, origin),
                months=pd.period_range(pd.Period(origin, "M") + 1, last, freq="M"),
                draws=draws,
                seed=seed,
                overrides=overrides,
            )
        )
        if progress is not None:
            progress(f"Forecast from {origin:%B %Y}", done / len(origins))
    table = pd.concat(parts, ignore_index=True)
    scores = score(table)
    covered = [_months_before(lists, origin) for origin in origins]
    return Backtest(
        census_date=lists.census_date,
        origins=origins,
        table=table,
        scores=scores,
        sentences=sentences_of(table, scores),
        note=note_of(covered, _months_before(lists, lists.census_date), lists.census_date, table),
    )


def backtest_origins(lists: Lists, most_months_back: int | None = None) -> tuple[date, ...]:
    """Days that the lists allow forecasts to be made from, oldest first.

    Origins are ends of months with at least one whole month after them. Every list must
    show two whole months before an origin. Lists of six months so give four origins;
    longer lists leave six months before each, as a forecast usually has, where that
    still gives four; and at most twelve.

    Parameters
    ----------
    lists
        From `check`.
    most_months_back
        Oldest origin in months before the end of the last whole month, however little the
        lists then show beyond two months; more than twelve origins are spaced evenly.

    Raises
    ------
    NotEnoughDataError
        There is no such day.
    InvalidSettingError
        `most_months_back` is below 1.
    """
    if most_months_back is not None and most_months_back < 1:
        raise InvalidSettingError(f"Invalid months back: {most_months_back}. It must be 1 or more.")
    last = _last_whole_month(lists)
    shown = _months_before(lists, last)
    furthest = shown - _LEAST_MONTHS
    if most_months_back is None:
        short = min(_ORIGINS_OF_SHORT_LISTS, furthest)
        furthest = min(MOST_ORIGINS, max(shown - _USUAL_MONTHS, short))
    else:
        furthest = min(furthest, most_months_back)
    if furthest < 1:
        raise NotEnoughDataError(_too_short(lists, shown))
    back = np.linspace(furthest, 1, min(furthest, MOST_ORIGINS)).round().astype(int)
    origins = [months_before(last, int(months)) for months in back]
    referred = lists.referrals["date"]
    referred = referred[referred >= pd.Timestamp(lists.windows[3].start)]
    usable = tuple(o for o in origins if (referred <= pd.Timestamp(o)).any())
    if not usable:
        raise NotEnoughDataError(
            "List 3 holds no referral before the last months, so no earlier forecast can be "
            "made from it. Check that all of List 3 was pasted."
        )
    return usable


def _too_short(lists: Lists, shown: int) -> str:
    last = _last_whole_month(lists)
    number = min(lists.windows, key=lambda n: months_covered(lists.windows[n], last))
    months = "1 whole month" if shown == 1 else f"{shown} whole months"
    return (
        f"List {number} shows {months} up to {last:%d/%m/%Y}. A test on your own lists needs at "
        "least 3: two to forecast from and one to compare with. Extract the lists for six months "
        "or more, as Annex A asks."
    )


def _last_whole_month(lists: Lists) -> date:
    """Last month's end that the lists reach."""
    census = lists.census_date
    return census if census == month_end(census) else census.replace(day=1) - timedelta(days=1)


def _months_before(lists: Lists, day: date) -> int:
    """Whole months up to a day that every list shows."""
    return min(months_covered(window, day) for window in lists.windows.values())


def _history_until(history: History, origin: date) -> History:
    month = pd.Period(origin, "M")
    return replace(
        history,
        table=history.table[history.table.index <= month],
        unusual=history.unusual[history.unusual <= month],
    )


def _by_month(series: pd.DataFrame) -> dict[str, pd.Series]:
    """Counts at ends of months by measure, each indexed by month in order of time."""
    mine = series[(series["segment"] == ALL) & series["month_end"].dt.is_month_end]
    return {
        str(measure): pd.Series(
            rows["value"].to_numpy(float), pd.PeriodIndex(rows["month_end"], freq="M")
        ).sort_index()
        for measure, rows in mine.groupby("measure")
    }


def _known(shown: pd.Series, history: History | None, measure: str) -> pd.Series:
    """What the lists show, and for months on which they are silent what the history holds."""
    return shown if history is None else shown.combine_first(history.table[measure])


def _from_origin(
    lists: Lists,
    actuals: Mapping[str, pd.Series],
    *,
    history: History | None,
    months: pd.PeriodIndex,
    draws: int,
    seed: int,
    overrides: Mapping[str, float] | None,
) -> pd.DataFrame:
    """Every method's forecast of `months`, from lists and history up to an origin alone.

    `actuals` is only set beside them.
    """
    exposure = tabulate(spells(lists))
    rates = fit(exposure, history=history, overrides=overrides)
    run = simulate(rates, (BASELINE,), horizon_months=len(months), draws=draws, seed=seed)
    table = summarise(run, exposure).table
    table = table[table["segment"] == ALL]
    shown = _by_month(exposure.series)
    parts = []
    for measure in MEASURES:
        known = _known(shown[measure], history, measure)
        parts.append(
            table[table["measure"] == measure].assign(
                origin=pd.Timestamp(lists.census_date).as_unit("s"),
                months_ahead=np.arange(1, len(months) + 1),
                actual=actuals[measure].reindex(months).to_numpy(float),
                no_change=no_change(shown[measure], months, stock=measure in _STOCKS),
                linear=forecast_linear(known, months),
            )
        )
    return pd.concat(parts, ignore_index=True)[list(BACKTEST_COLUMNS)]
