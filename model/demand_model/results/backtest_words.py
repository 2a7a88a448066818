"""A back-test in sentences that a head of service can read out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from demand_model.results.backtest_scores import LINEAR, MODEL, NO_CHANGE
from demand_model.results.forecast import MEASURE_NAMES, MEASURES
from demand_model.units import counted

_UNITS = {
    "referrals": "referrals a month",
    "cp_starts": "plans a month",
    "cp_ends": "plans a month",
    "cp_open": "plans",
    "cla_starts": "children a month",
    "cla_ends": "children a month",
    "cla_open": "children",
}
"""What each measure's error is counted in."""

_WIDE = 0.92
"""Share inside the 80% range from which it is said to be wide."""

_ENOUGH_ORIGINS = 8
"""Fewer origins than this cannot tell a range that is right from one that is not."""
_SURPRISING = 0.05
_PROMISED = 0.8
_YEAR = 12
_SAME_WAY = 4
"""From this many forecasts, all too high or all too low is worth a word."""


def sentences_of(table: pd.DataFrame, scores: pd.DataFrame) -> tuple[str, ...]:
    """One sentence or two a measure, in the order of `MEASURES`.

    Parameters
    ----------
    table, scores
        As in `Backtest`.
    """
    origins = table["origin"].nunique()
    return tuple(
        _sentence(
            measure,
            table[table["measure"] == measure],
            scores[scores["measure"] == measure],
            origins,
        )
        for measure in MEASURES
    )


def note_of(months_known: Sequence[int], months_now: int, table: pd.DataFrame) -> str:
    """What holds for every sentence: what the forecasts were made from, how far they look.

    Parameters
    ----------
    months_known
        Whole months of lists before each origin.
    months_now
        The same at the census date.
    table
        As in `Backtest`.
    """
    least, most = min(months_known), max(months_known)
    known = counted(most, "month") if least == most else f"{least} to {counted(most, 'month')}"
    ahead = int(table["months_ahead"].max())
    reach = counted(ahead, "month")
    made = f"These forecasts were made from {known} of lists; today's rests on {months_now}."
    if ahead < _YEAR:
        far = f"None looks more than {reach} ahead: they say little about a year from now."
    else:
        far = f"They look up to {reach} ahead."
    return f"{made} {far}"


def _sentence(measure: str, mine: pd.DataFrame, scores: pd.DataFrame, origins: int) -> str:
    name, unit = MEASURE_NAMES[measure], _UNITS[measure]
    if not mine["actual"].abs().sum() > 0:
        return f"{name}: none in these months, so there is nothing to judge by."
    parts = [f"{name}: {_how_far_out(mine, scores, unit)}"]
    leaning = _leaning(mine)
    if leaning:
        parts.append(leaning)
    inside = round(_value(scores, MODEL, "inside_80") * len(mine))
    parts.append(f"{inside} of {len(mine)} fell in the 80% range{_verdict(inside, mine, origins)}.")
    return " ".join(parts)


def _how_far_out(mine: pd.DataFrame, scores: pd.DataFrame, unit: str) -> str:
    error = _value(scores, MODEL, "mean_absolute_error")
    share = _value(scores, MODEL, "wape")
    count, ahead = len(mine), int(mine["months_ahead"].max())
    reach = "1 month" if ahead == 1 else f"1 to {ahead} months"
    forecasts = counted(count, "forecast")
    average = "" if count == 1 else "on average "
    others = [_other(scores, NO_CHANGE, "‘No change’", error)]
    if _value(scores, LINEAR, "forecasts") > 0:
        others.append(_other(scores, LINEAR, "a straight line (FORECAST.LINEAR)", error))
    return (
        f"{forecasts} of {reach} ahead; {average}{_counted(error, unit)} ({share:.0%}) "
        f"out. {' and '.join(others)}."
    )


def _other(scores: pd.DataFrame, method: str, name: str, model_error: float) -> str:
    """What another method was out by, and whether that was closer, to the figure shown."""
    error = _value(scores, method, "mean_absolute_error")
    shown, ours = _amount(error), _amount(model_error)
    closer = " (closer)" if error < model_error and shown != ours else ""
    return f"{name} was {shown} out{closer}"


def _value(scores: pd.DataFrame, method: str, column: str) -> float:
    return float(scores.loc[scores["method"] == method, column].iloc[0])


def _leaning(mine: pd.DataFrame) -> str:
    error = mine["mean"] - mine["actual"]
    if len(mine) < _SAME_WAY:
        return ""
    if (error > 0).all():
        return "All were too high."
    if (error < 0).all():
        return "All were too low."
    return ""


def _verdict(inside: int, mine: pd.DataFrame, origins: int) -> str:
    """Whether the 80% range kept its promise, where there is enough to tell.

    Forecasts from one origin, and of overlapping months, go wrong together, so they count
    as no more than one an origin. "Fewer than promised" is said where so few inside would
    be a surprise (5%) under the Binomial distribution with probability 0.8. Overlap makes
    that a little too quick: lists of 24 months of 24 simulated authorities, 81% of whose
    actuals fell in the range, were so judged in 8% of cases; so the word is "may".
    """
    if origins < _ENOUGH_ORIGINS:
        return ", too few to judge the range by"
    independent = math.floor(inside / len(mine) * origins)
    chance = sum(
        math.comb(origins, k) * _PROMISED**k * (1 - _PROMISED) ** (origins - k)
        for k in range(independent + 1)
    )
    if chance < _SURPRISING:
        return ", fewer than it promises: it may be too narrow here"
    if inside / len(mine) > _WIDE:
        return ", more than it promises: it may be wider than need be here"
    return ", about what it promises"


def _amount(value: float) -> str:
    """A count to read out: whole, but with one decimal where it is small.

    >>> _amount(12.4), _amount(3.16), _amount(2.0)
    ('12', '3.2', '2')
    """
    return f"{value:,.0f}" if round(value, 1) >= 10 else f"{value:.1f}".removesuffix(".0")


def _counted(value: float, unit: str) -> str:
    """An amount with its unit, in the singular where the amount reads 1.

    >>> _counted(1.0, "children a month"), _counted(2.5, "plans")
    ('1 child a month', '2.5 plans')
    """
    amount = _amount(value)
    first, _, rest = unit.partition(" ")
    one = {"children": "child", "plans": "plan", "referrals": "referral"}[first]
    return f"{amount} {one if amount == '1' else first} {rest}".rstrip()
