"""A back-test in sentences that a head of service can read out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

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

_FEWEST = 4
"""Forecasts below which nothing is said of which method to trust."""
_CLOSER = 0.9
"""Of another's error: from here on down, one is called closer."""
_HALF = 0.5
"""Share inside the 80% range below which the model is not praised, whatever the others did."""
_NO_CHANGE, _LINE = "‘no change’", "a straight line (FORECAST.LINEAR)"
_EITHER = "either simple rule"


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


def note_of(
    months_known: Sequence[int], months_now: int, census_date: date, table: pd.DataFrame
) -> str:
    """What holds for every sentence: what the forecasts were made from, how far they look.

    Parameters
    ----------
    months_known
        Whole months of lists before each origin.
    months_now
        The same at the census date.
    census_date
        Of the lists tested: later lists are another test.
    table
        As in `Backtest`.
    """
    least, most = min(months_known), max(months_known)
    known = counted(most, "month") if least == most else f"{least} to {counted(most, 'month')}"
    ahead = int(table["months_ahead"].max())
    reach = counted(ahead, "month")
    tested = f"Tested on the lists as at {census_date.day} {census_date:%B %Y}."
    made = f"These forecasts were made from {known} of lists; that day's rests on {months_now}."
    if ahead < _YEAR:
        far = f"None looks more than {reach} ahead: they say little about a year from now."
    else:
        far = f"They look up to {reach} ahead."
    origins = table["origin"].nunique()
    which = "one earlier date is" if origins == 1 else f"{origins} earlier dates are"
    hint = f" {which[:1].upper()}{which[1:]} few: which was closer is a hint, not proof."
    return f"{tested} {made} {far}{hint if origins < _ENOUGH_ORIGINS else ''}"


def _sentence(measure: str, mine: pd.DataFrame, scores: pd.DataFrame, origins: int) -> str:
    name, unit = MEASURE_NAMES[measure], _UNITS[measure]
    if not mine["actual"].abs().sum() > 0:
        return f"{name}: none in these months, so there is nothing to judge by."
    parts = [f"{name}: {_whom_to_trust(mine, scores, origins)}. {_how_far_out(mine, scores, unit)}"]
    leaning = _leaning(mine)
    if leaning and f"always {leaning}" not in parts[0]:
        parts.append(f"All were {leaning}.")
    inside = _inside(mine, scores)
    parts.append(f"{inside} of {len(mine)} fell in the 80% range{_verdict(inside, mine, origins)}.")
    return " ".join(parts)


def _whom_to_trust(mine: pd.DataFrame, scores: pd.DataFrame, origins: int) -> str:
    """Say how far to trust the model, held against the better of the simple rules.

    A few dates are no reason to prefer a rule that on other authorities did worse, nor to
    praise the model; being closer than a poor rule is no praise for a forecast that is off.
    """
    if len(mine) < _FEWEST:
        return "too few to say how far to trust the model"
    ours = _value(scores, MODEL, "mean_absolute_error")
    errors = {_NO_CHANGE: _value(scores, NO_CHANGE, "mean_absolute_error")}
    if _value(scores, LINEAR, "forecasts") > 0:
        errors[_LINE] = _value(scores, LINEAR, "mean_absolute_error")
    best = min(errors, key=lambda name: errors[name])
    is_tie = len(errors) > 1 and len({_amount(error) for error in errors.values()}) == 1
    rival = _EITHER if is_tie else best.removesuffix(" (FORECAST.LINEAR)")
    few, fault = origins < _ENOUGH_ORIGINS, _fault(mine, scores)
    if _is_closer(ours, errors[best]):
        return _closer_than(_EITHER if len(errors) > 1 else rival, few=few, fault=fault)
    if _is_closer(errors[best], ours):
        if few:
            return f"trust the model with care, since {rival} was closer so far"
        return f"trust {rival} before the model, since that was closer"
    far = "no further than" if fault else "as far as"
    return f"trust the model {far} {rival}, which was about as close"


def _closer_than(rules: str, *, few: bool, fault: str) -> str:
    """Say what follows from the model's having been closer than the simple rules."""
    if fault:
        so_far = " so far" if few else ""
        return f"trust the model with care: it was closer than {rules}{so_far}, but {fault}"
    if few:
        return f"so far the model was closer than {rules}"
    return f"trust the model before {rules}, since it was closer"


def _fault(mine: pd.DataFrame, scores: pd.DataFrame) -> str:
    """Say what forbids praise however poor the simple rules are; empty if nothing does."""
    leaning = _leaning(mine)
    if leaning:
        return f"always {leaning}"
    if _inside(mine, scores) < _HALF * len(mine):
        return "fewer than half fell in its 80% range"
    return ""


def _is_closer(error: float, other: float) -> bool:
    """Whether one error is smaller than another, by a tenth and as shown."""
    return error <= other * _CLOSER and _amount(error) != _amount(other)


def _inside(mine: pd.DataFrame, scores: pd.DataFrame) -> int:
    """How many forecasts' 80% ranges held what happened."""
    return round(_value(scores, MODEL, "inside_80") * len(mine))


def _how_far_out(mine: pd.DataFrame, scores: pd.DataFrame, unit: str) -> str:
    error = _value(scores, MODEL, "mean_absolute_error")
    share = _value(scores, MODEL, "wape")
    count, ahead = len(mine), int(mine["months_ahead"].max())
    reach = "1 month" if ahead == 1 else f"1 to {ahead} months"
    forecasts = counted(count, "forecast")
    average = "" if count == 1 else "on average "
    others = [_other(scores, NO_CHANGE, "‘No change’", error)]
    if _value(scores, LINEAR, "forecasts") > 0:
        others.append(_other(scores, LINEAR, _LINE, error))
    return (
        f"{forecasts} of {reach} ahead: {average}{_counted(error, unit)} ({share:.0%}) "
        f"out. {' and '.join(others)}."
    )


def _other(scores: pd.DataFrame, method: str, name: str, model_error: float) -> str:
    """What another method was out by, and whether that was closer."""
    error = _value(scores, method, "mean_absolute_error")
    closer = " (closer)" if _is_closer(error, model_error) else ""
    return f"{name} was {_amount(error)} out{closer}"


def _value(scores: pd.DataFrame, method: str, column: str) -> float:
    return float(scores.loc[scores["method"] == method, column].iloc[0])


def _leaning(mine: pd.DataFrame) -> str:
    """Which way all forecasts were out; empty if not all the same way, or too few to say."""
    error = mine["mean"] - mine["actual"]
    if len(mine) < _SAME_WAY:
        return ""
    if (error > 0).all():
        return "too high"
    if (error < 0).all():
        return "too low"
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
