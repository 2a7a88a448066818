"""Levers compared: what each does to every outcome, and how often one beats another.

All levers share the base's chance events, so that effects are taken draw by draw::

    effect[draw] = outcome with the lever[draw] - outcome without[draw]

The interval of an effect holds the uncertainty of rates, of the future's chance and,
where their error is given, of weekly costs; that a lever does what it is set to do is
assumed, not forecast.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.results.lever_list import BY_KEY, LeverSetting
from demand_model.results.lever_runs import OUTCOMES, LeverContext, run_levers
from demand_model.simulation.simulate import Progress

FloatArray = npt.NDArray[np.float64]

EFFECT_COLUMNS = (
    "rank",
    "lever",
    "label",
    "size",
    "outcome",
    "without",
    "with",
    "effect",
    "p2_5",
    "p10",
    "p90",
    "p97_5",
    "share_lower",
)
BEATS_COLUMNS = ("lever", "beaten", "share")

_QUANTILES = (0.025, 0.1, 0.9, 0.975)

TOGETHER = "together"
"""Name of all levers asked for, pulled together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeverEffects:
    """What levers do.

    Attributes
    ----------
    at
        Month end that outcomes are read at.
    headline
        Outcome that levers are ranked by: the lower, the better.
    effects
        Columns `EFFECT_COLUMNS`: one row a lever and outcome, best lever first; the
        side effects of a lever stand in its rows. ``share_lower``: share of draws in which
        the outcome is lower with the lever than without.
    beats
        Columns `BEATS_COLUMNS`: share of draws in which one lever lowers the headline
        more than another; half of the draws in which they do the same.
    draws
        Effects by (lever, outcome); shape (draws,).
    """

    at: date
    headline: str
    effects: pd.DataFrame
    beats: pd.DataFrame
    draws: Mapping[tuple[str, str], FloatArray] = field(repr=False)


def levers(
    context: LeverContext,
    settings: Sequence[LeverSetting],
    *,
    headline: str = "cla_open",
    combinations: Sequence[LeverSetting] = (),
    together: bool = True,
    progress: Progress | None = None,
) -> LeverEffects:
    """Pull each lever alone, and all together, and compare.

    Parameters
    ----------
    context
        What they are tried on.
    settings
        One a lever.
    headline
        Outcome of `OUTCOMES` to rank by.
    combinations
        Levers of `COMBINATIONS` to set beside the single ones.
    together
        Pull all of `settings` together as well.

    Raises
    ------
    InvalidSettingError
        No lever, one twice, a headline that cannot be had, or a lever that needs what
        is not given.
    """
    keys = [s.lever for s in settings]
    if not keys or len(set(keys)) < len(keys):
        raise InvalidSettingError(
            "Invalid levers: none, or one is there twice. Each must be there once."
        )
    asked: dict[str, Sequence[LeverSetting]] = {s.lever: (s,) for s in (*settings, *combinations)}
    if together and len(settings) > 1:
        asked[TOGETHER] = tuple(settings)
    found = run_levers(context, asked, progress=progress)
    base = found.pop("")
    if headline not in base:
        raise InvalidSettingError(
            f"Invalid headline outcome: {headline}. It must be one of: {', '.join(base)}."
        )
    draws = {
        (name, outcome): values[outcome] - base[outcome]
        for name, values in found.items()
        for outcome in OUTCOMES
        if outcome in base
    }
    order = sorted(found, key=lambda name: float(draws[name, headline].mean()))
    rows = [
        _row(rank, name, asked[name], outcome, base[outcome], draws[name, outcome])
        for rank, name in enumerate(order, start=1)
        for outcome in OUTCOMES
        if outcome in base
    ]
    end = context.prepared.common.line.month_ends[context.month]
    return LeverEffects(
        at=end.astype("datetime64[D]").item(),
        headline=headline,
        effects=pd.DataFrame(rows, columns=list(EFFECT_COLUMNS)),
        beats=_beats(order, draws, headline),
        draws=draws,
    )


def _row(
    rank: int,
    name: str,
    settings: Sequence[LeverSetting],
    outcome: str,
    without: FloatArray,
    effect: FloatArray,
) -> tuple[object, ...]:
    low, p10, p90, high = np.quantile(effect, _QUANTILES)
    single = settings[0].size if len(settings) == 1 else np.nan
    return (
        rank,
        name,
        BY_KEY[name].label if name in BY_KEY else "All levers together",
        single,
        outcome,
        float(without.mean()),
        float((without + effect).mean()),
        float(effect.mean()),
        float(low),
        float(p10),
        float(p90),
        float(high),
        float((effect < 0.0).mean()),
    )


def _beats(
    order: Sequence[str], draws: Mapping[tuple[str, str], FloatArray], headline: str
) -> pd.DataFrame:
    rows = []
    for one, two in itertools.permutations(order, 2):
        less = draws[one, headline] - draws[two, headline]
        rows.append((one, two, float((less < 0.0).mean() + 0.5 * (less == 0.0).mean())))
    return pd.DataFrame(rows, columns=list(BEATS_COLUMNS))
