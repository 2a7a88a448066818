"""A mixture of scenarios by their odds: what to plan for when any of them may come.

Each draw is one possible future of the authority; which scenario it lives through is
drawn by the odds, apart from everything else about it. So a mixture is a trajectory
like any other: its range holds both what may happen under each scenario and which of
them comes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError
from demand_model.simulation.scenario import Scenario
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.trajectories import HiddenNeed, Trajectories

FloatArray = npt.NDArray[np.float64]

MIXTURE = "Weighted mix"
"""Name of the mixture among the scenarios."""

_TOLERANCE = 0.005


def mixture(
    trajectories: Sequence[Trajectories],
    odds: Mapping[str, float],
    *,
    name: str = MIXTURE,
    seed: int = 0,
) -> Trajectories:
    """Mix scenarios by their odds.

    Parameters
    ----------
    trajectories
        Of one run: the same months and number of draws, sharing chance.
    odds
        Name of a scenario to its chance; they add up to 1.
    name
        Name of the mixture.
    seed
        Which draw lives through which scenario; the order of scenarios and odds is no
        part of it.

    Returns
    -------
    Trajectories
        As many draws as each scenario has; the number that live through a scenario is
        its share of them, rounded.

    Raises
    ------
    InvalidSettingError
        An unknown scenario, odds below 0, or odds that do not add up to 1.
    """
    by_name = {t.scenario.name: t for t in trajectories}
    _check(odds, by_name, name)
    draws = next(iter(trajectories[0].measures.values())).shape[1]
    lived = lives(odds, draws, seed)
    parts = [by_name[n] for n in lived.scenarios]
    first = parts[0]
    words = ", ".join(f"{n} {share:.0%}" for n, share in odds.items() if share > 0.0)
    return Trajectories(
        scenario=Scenario(name=name, description=f"One of these comes: {words}."),
        months=first.months,
        opening=first.opening,
        measures={
            key: lived.taken([t.measures[key] for t in parts])
            for key in first.measures
            if all(key in t.measures for t in parts)
        },
        observed=first.observed,
        hidden_need=HiddenNeed(
            suppressed=lived.taken([t.hidden_need.suppressed for t in parts]),
            returned=lived.taken([t.hidden_need.returned for t in parts]),
            not_returning=lived.taken([t.hidden_need.not_returning for t in parts]),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lives:
    """Which draw of a mixture lives through which scenario.

    Attributes
    ----------
    scenarios
        Names of those that can come.
    number
        Of each draw, in `scenarios`; shape (draws,).
    """

    scenarios: tuple[str, ...]
    number: npt.NDArray[np.intp]

    def taken(self, arrays: Sequence[FloatArray]) -> FloatArray:
        """Put together the draws of the scenarios' arrays; the last axis is the draw."""
        out = arrays[0].copy()
        for number, array in enumerate(arrays[1:], start=1):
            out[..., self.number == number] = array[..., self.number == number]
        return out


def lives(odds: Mapping[str, float], draws: int, seed: int = 0) -> Lives:
    """Which draw lives through which scenario; the order of the odds is no part of it."""
    likely = {name: odds[name] for name in sorted(odds) if odds[name] > 0.0}
    return Lives(scenarios=tuple(likely), number=_assigned(tuple(likely.values()), draws, seed))


def _check(odds: Mapping[str, float], known: Mapping[str, Trajectories], name: str) -> None:
    unknown = [n for n in odds if n not in known]
    if unknown:
        raise InvalidSettingError(
            f"Invalid odds: {unknown[0]} is not among the scenarios of this run. They are: "
            f"{', '.join(known)}."
        )
    if name in known:
        raise InvalidSettingError(
            f"Invalid scenario: {name} is the name of the mixture. Give the scenario another name."
        )
    wrong = [n for n, share in odds.items() if not 0.0 <= share <= 1.0]
    if wrong:
        raise InvalidSettingError(
            f"Invalid odds of {wrong[0]}: {odds[wrong[0]]}. They must be from 0 to 1."
        )
    total = math.fsum(odds.values())
    if abs(total - 1.0) > _TOLERANCE:
        raise InvalidSettingError(
            f"Invalid odds: they add up to {total:.1%}. They must add up to 100%."
        )


def _assigned(shares: Sequence[float], draws: int, seed: int) -> npt.NDArray[np.intp]:
    """Number of the scenario that each draw lives through; shape (draws,)."""
    bounds = np.round(np.cumsum(shares) / math.fsum(shares) * draws)
    number = np.searchsorted(bounds, np.arange(draws), side="right")
    return np.asarray(stream(seed, 0, Stream.MIXTURE).permutation(number), dtype=np.intp)
