"""Goal-seek: how hard levers must be pulled to bring an outcome to a goal by a date.

One lever: the size at which the outcome's mean (or the chance asked for) meets the goal,
by bisection on simulations that share all chance. Several: the least-cost mix within
bounds by the levers' own costs: a linear programme on the effects of each lever at its
full size, whose answer is simulated and corrected until the goal is met, and trimmed
lever by lever where more is left than is needed. A goal that cannot be met says how near
the levers come: which of them, each whole or not at all, is searched for (`helpful`).

Source: scipy.optimize.brentq (Brent 1973) and linprog (HiGHS).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, linprog

from demand_model.errors import InvalidSettingError
from demand_model.results.lever_list import LeverSetting
from demand_model.results.lever_runs import LeverContext, Outcome, run_levers
from demand_model.results.lever_words import OUTCOME_WORDS

FloatArray = npt.NDArray[np.float64]

_CLOSE = 0.004
"""Tolerance of a lever's size, in shares of its greatest."""
_NEAR = 0.01
"""Tolerance of the goal, in shares of the gap: nobody steers a lever more finely."""
_STRIDE = 0.05
"""Share of what is missing that letting a lever in or out must gain, to try yet another."""
_ROUNDS = 6
_AT_LEAST = frozenset({"workers"})
"""Outcomes of which more is wanted; of all others a goal is met by less."""
_COUNTS = frozenset({"cla_open", "cp_open"})
"""Outcomes whose quantiles are whole children: a goal with a chance is met to one child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached on the date of the context.

    Attributes
    ----------
    outcome
        Of `lever_runs.OUTCOMES`.
    target
        Value that it is to be at most; workers: at least.
    chance
        How likely it must be that the goal is met; ``None``: on average.

    Raises
    ------
    InvalidSettingError
        A chance that is not between 0 and 1, or a target that is no number.
    """

    outcome: str
    target: float
    chance: float | None = None

    def __post_init__(self) -> None:
        if self.chance is not None and not 0.0 < self.chance < 1.0:
            raise InvalidSettingError(
                f"Invalid chance of meeting the goal: {self.chance}. It must be between 0 and 1."
            )
        if not math.isfinite(self.target):
            raise InvalidSettingError(f"Invalid goal: {self.target}. It must be a number.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GoalFound:
    """What it takes.

    Attributes
    ----------
    settings
        Levers at the sizes found; those that are not needed are left out.
    is_met
        Whether the goal is met within the bounds.
    without, reached
        The outcome's mean without levers and with them.
    chance
        Share of draws in which the goal is met.
    cost_a_year
        Of the levers themselves, £.
    sentence
        In plain words.
    """

    goal: Goal
    settings: tuple[LeverSetting, ...]
    is_met: bool
    without: float
    reached: float
    chance: float
    cost_a_year: float
    sentence: str
    draws: FloatArray = field(repr=False)


def goal_seek(context: LeverContext, goal: Goal, levers: Sequence[LeverSetting]) -> GoalFound:
    """Find the size of a lever, or the least-cost mix of several, that meets a goal.

    Parameters
    ----------
    levers
        Their sizes are the greatest allowed, and their costs a year are those of that
        size; a lever at half its size costs half.

    Raises
    ------
    InvalidSettingError
        No lever, one that needs what is not given, or an outcome that cannot be had.
    """
    if not levers:
        raise InvalidSettingError("Invalid levers: none. A goal needs one or more.")
    seen = _Seen(context, goal, levers)
    if seen.gap(seen.base) <= 0.0:
        return _answer(seen, np.zeros(len(levers)), is_met=True)
    alone = len(levers) == 1
    full = np.ones(1) if alone else seen.helpful()
    if seen.gap(seen.at(full)) > 0.0:
        return _answer(seen, full, is_met=False)
    return _answer(seen, _one(seen) if alone else _mix(seen, full), is_met=True)


class _Seen:
    """Outcomes at shares of the levers' greatest sizes; each mix is simulated once."""

    def __init__(self, context: LeverContext, goal: Goal, levers: Sequence[LeverSetting]) -> None:
        self.context, self.goal, self.levers = context, goal, tuple(levers)
        found = run_levers(context, {})
        self.base = self._of(found[""])
        self._known: dict[tuple[float, ...], FloatArray] = {}
        self.is_down = goal.outcome not in _AT_LEAST
        self.alone = self._each_alone()

    def _of(self, outcome: Outcome) -> FloatArray:
        if self.goal.outcome not in outcome:
            raise InvalidSettingError(
                f"Invalid outcome of the goal: {self.goal.outcome}. It must be one of: "
                f"{', '.join(outcome)}."
            )
        return outcome[self.goal.outcome]

    def _value(self, draws: FloatArray) -> float:
        """What is compared with the target: the mean, or the quantile of the chance."""
        if self.goal.chance is None:
            return float(draws.mean())
        chance = self.goal.chance if self.is_down else 1.0 - self.goal.chance
        return float(np.quantile(draws, chance))

    def gap(self, draws: FloatArray) -> float:
        """How much is missing to the goal; 0 or less where it is met."""
        missing = self._value(draws) - self.goal.target
        return missing if self.is_down else -missing

    @property
    def near(self) -> float:
        """How far beyond the goal is near enough."""
        return max(_NEAR * self.gap(self.base), 1.0 if self._is_whole else 0.0)

    @property
    def _is_whole(self) -> bool:
        """The goal is judged by a quantile of whole children."""
        return self.goal.chance is not None and self.goal.outcome in _COUNTS

    def _mean(self, draws: FloatArray) -> float:
        """The mean, turned so that less is nearer to the goal."""
        return float(draws.mean()) if self.is_down else -float(draws.mean())

    def settings(self, shares: FloatArray) -> tuple[LeverSetting, ...]:
        """Levers at shares of their greatest sizes; none at 0."""
        return tuple(
            replace(s, size=s.size * float(x), cost_a_year=s.cost_a_year * float(x))
            for s, x in zip(self.levers, shares, strict=True)
            if x > 0.0
        )

    def at(self, shares: FloatArray) -> FloatArray:
        """The outcome's draws."""
        key = tuple(np.round(shares, 6).tolist())
        if key not in self._known:
            settings = self.settings(np.asarray(key))
            found = run_levers(self.context, {"mix": settings}) if settings else {}
            self._known[key] = self._of(found["mix"]) if settings else self.base
        return self._known[key]

    def _each_alone(self) -> FloatArray:
        """What each lever at its full size takes off the gap; shape (levers,).

        A quantile of whole children may stand still although a lever works: of these, what
        is taken off the mean.
        """
        found = run_levers(self.context, {s.lever: (s,) for s in self.levers})
        own = [self._of(found[s.lever]) for s in self.levers]
        for number, draws in enumerate(own):
            shares = np.zeros(len(self.levers))
            shares[number] = 1.0
            self._known[tuple(shares.tolist())] = draws
        judged = self._mean if self._is_whole else self.gap
        return np.array([judged(self.base) - judged(draws) for draws in own])

    def helpful(self) -> FloatArray:
        """Levers at full size that together come nearest to the goal.

        First those that work towards it alone. Where they do not reach it, levers are let
        in or left out one by one as long as that comes nearer, since some do nothing, or
        harm, alone: children can move into own places only once there are some.
        """
        best = np.asarray((self.alone > 0.0).astype(float))
        if self.gap(self.at(best)) <= 0.0:
            return best
        best = min(best, np.ones(len(self.levers)), key=self._distance)
        for _ in self.levers:
            tried, before = self._changed_by_one(best), self.gap(self.at(best))
            idle = [one for one in tried if self._distance(one)[:2] == self._distance(best)[:2]]
            lean = np.min([best, *idle], axis=0)
            self._learn([lean])
            best = min(best, *tried, lean, key=self._distance)
            left = self.gap(self.at(best))
            if left <= 0.0 or before - left < _STRIDE * before:
                break
        return best

    def _changed_by_one(self, shares: FloatArray) -> list[FloatArray]:
        """The same levers with each in turn let in or left out."""
        tried = np.where(np.eye(len(shares)) > 0.0, 1.0 - shares, shares)
        self._learn(list(tried))
        return list(tried)

    def _distance(self, shares: FloatArray) -> tuple[float, float, int]:
        """Gap to the goal; of equals the better mean, then fewer levers come first."""
        draws = self.at(shares)
        return self.gap(draws), self._mean(draws), int(np.count_nonzero(shares))

    def _learn(self, mixes: Sequence[FloatArray]) -> None:
        """Simulate several mixes at once."""
        keys = {tuple(np.round(shares, 6).tolist()) for shares in mixes} - set(self._known)
        asked = {str(key): settings for key in keys if (settings := self.settings(np.array(key)))}
        found = run_levers(self.context, asked) if asked else {}
        self._known |= {key: self._of(found[str(key)]) for key in keys if str(key) in asked}


def _one(seen: _Seen) -> FloatArray:
    near = seen.near

    def gap(share: float) -> float:
        found = seen.gap(seen.at(np.array([share])))
        return 0.0 if -near <= found <= 0.0 else found

    share = float(brentq(gap, 0.0, 1.0, xtol=_CLOSE))
    while gap(share) > 0.0:
        share = min(share + _CLOSE, 1.0)
    return np.array([share])


def _mix(seen: _Seen, full: FloatArray) -> FloatArray:
    """Least-cost shares that meet the goal, corrected for what a sum of effects leaves out."""
    need = seen.gap(seen.base)
    scale = 1.0
    best = full
    for _ in range(_ROUNDS):
        shares = _cheapest(seen, full, need * scale)
        done = need - seen.gap(seen.at(shares))
        if done >= need and _cost(seen, shares) <= _cost(seen, best):
            best = shares
        if need <= done <= need + seen.near:
            break
        scale *= (need + 0.5 * seen.near) / max(done, 1e-9)
    return _trimmed(seen, best)


def _trimmed(seen: _Seen, shares: FloatArray) -> FloatArray:
    """Shares without what the goal does not need, the dearest lever first.

    The programme adds up effects of single levers; it cannot tell how much is needed of
    levers that only work together.
    """
    found = shares.copy()
    costs = [s.cost_a_year * x for s, x in zip(seen.levers, shares, strict=True)]
    for number in np.argsort(costs)[::-1]:
        if seen.gap(seen.at(found)) >= -seen.near:
            break
        found = _least_of(seen, found, int(number))
    return found


def _least_of(seen: _Seen, shares: FloatArray, number: int) -> FloatArray:
    """The same shares with the least of one lever that still meets the goal."""

    def with_share(share: float) -> FloatArray:
        out = shares.copy()
        out[number] = share
        return out

    if seen.gap(seen.at(with_share(0.0))) <= 0.0:
        return with_share(0.0)
    low, high = 0.0, float(shares[number])
    while high - low > _CLOSE:
        middle = 0.5 * (low + high)
        if seen.gap(seen.at(with_share(middle))) <= 0.0:
            high = middle
        else:
            low = middle
    return with_share(high)


def _cheapest(seen: _Seen, full: FloatArray, need: float) -> FloatArray:
    effect = np.where(full > 0.0, seen.alone, 0.0)
    need = min(need, float(np.maximum(effect, 0.0).sum()))
    own = np.array([s.cost_a_year for s in seen.levers])
    # Levers without a cost come first, the strongest before the rest.
    tie = 1e-6 * (own.max() or 1.0) * (1.0 + effect.max() / np.maximum(effect, 1e-9) * 1e-3)
    solved = linprog(
        own + tie,
        A_ub=-effect[None, :],
        b_ub=[-need * (1.0 - 1e-9)],
        bounds=[(0.0, x) for x in full],
    )
    return np.asarray(solved.x if solved.success else full)


def _cost(seen: _Seen, shares: FloatArray) -> float:
    return float(sum(s.cost_a_year * x for s, x in zip(seen.levers, shares, strict=True)))


def _answer(seen: _Seen, shares: FloatArray, *, is_met: bool) -> GoalFound:
    draws = seen.at(shares)
    target = seen.goal.target
    met = draws <= target if seen.is_down else draws >= target
    settings = seen.settings(shares)
    reached, without = float(draws.mean()), float(seen.base.mean())
    return GoalFound(
        goal=seen.goal,
        settings=settings,
        is_met=is_met,
        without=without,
        reached=reached,
        chance=float(met.mean()),
        cost_a_year=_cost(seen, shares),
        sentence=_sentence(seen, settings, reached, float(met.mean()), is_met=is_met),
        draws=draws,
    )


def _sentence(
    seen: _Seen,
    settings: Sequence[LeverSetting],
    reached: float,
    chance: float,
    *,
    is_met: bool,
) -> str:
    outcome = OUTCOME_WORDS[seen.goal.outcome]
    name, at = outcome.label, seen.context.at
    target, now = outcome.value(seen.goal.target), outcome.value(reached)
    when = f"{at:%d/%m/%Y}"
    if not settings and not is_met:
        return (
            f"{name} at {target} by {when}: out of reach; none of these levers works towards it "
            f"(without them {now}, chance {chance:.0%})."
        )
    if not settings:
        return (
            f"{name}: the goal of {target} by {when} is met without any lever (chance "
            f"{chance:.0%})."
        )
    pulled = ", ".join(s.words for s in settings)
    if is_met:
        return f"{name} at {target} by {when}: it takes {pulled}; the chance is then {chance:.0%}."
    return (
        f"{name} at {target} by {when}: out of reach of these levers; {pulled}, the most allowed, "
        f"gives {now} (chance {chance:.0%})."
    )
