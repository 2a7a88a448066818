"""Goal-seek: how hard levers must be pulled to bring an outcome to a goal by a date.

One lever: the size at which the outcome's mean (or the chance asked for) meets the goal,
by bisection on simulations that share all chance. Several: the least-cost mix within
bounds by the levers' own costs: a linear programme on the effects of each lever at its
full size, whose answer is simulated and corrected until the goal is met. A goal that
cannot be met says how near the levers come.

Source: scipy.optimize.brentq (Brent 1973) and linprog (HiGHS).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, linprog

from demand_model.errors import InvalidSettingError
from demand_model.results.lever_list import LeverSetting
from demand_model.results.lever_runs import LeverContext, Outcome, run_levers

FloatArray = npt.NDArray[np.float64]

_CLOSE = 0.002
"""Tolerance of a lever's size, and of the goal in shares of the gap."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is to be reached on the date of the context.

    Attributes
    ----------
    outcome
        Of `lever_runs.OUTCOMES`.
    target
        Value that it is to come down to, or up to.
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
    full = np.ones(len(levers)) if alone else seen.helpful()
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
        self.is_down = self._value(self.base) > goal.target
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
        down = self.goal.target < float(self.base.mean())
        return float(np.quantile(draws, self.goal.chance if down else 1.0 - self.goal.chance))

    def gap(self, draws: FloatArray) -> float:
        """How much is missing to the goal; 0 or less where it is met."""
        missing = self._value(draws) - self.goal.target
        return missing if self.is_down else -missing

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
        """What each lever at its full size takes off the gap; shape (levers,)."""
        found = run_levers(self.context, {s.lever: (s,) for s in self.levers})
        own = [self._of(found[s.lever]) for s in self.levers]
        for number, draws in enumerate(own):
            shares = np.zeros(len(self.levers))
            shares[number] = 1.0
            self._known[tuple(shares.tolist())] = draws
        return np.array([self.gap(self.base) - self.gap(draws) for draws in own])

    def helpful(self) -> FloatArray:
        """All levers that work towards the goal, at full size."""
        return np.asarray((self.alone > 0.0).astype(float))


def _one(seen: _Seen) -> FloatArray:
    def gap(share: float) -> float:
        return seen.gap(seen.at(np.array([share])))

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
        if need <= done <= need * (1.0 + 2.0 * _CLOSE):
            break
        scale *= need * (1.0 + _CLOSE) / max(done, 1e-9)
    return best


def _cheapest(seen: _Seen, full: FloatArray, need: float) -> FloatArray:
    effect = np.where(full > 0.0, seen.alone, 0.0)
    need = min(need, float(effect.sum()))
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


_WORDS: Mapping[str, tuple[str, str]] = {
    "cla_open": ("Children in care", "{:,.0f}"),
    "cp_open": ("Children on protection plans", "{:,.0f}"),
    "referrals": ("Referrals in the twelve months", "{:,.0f}"),
    "caseload": ("Cases per worker", "{:,.1f}"),
    "workers": ("Social workers", "{:,.0f}"),
    "external_share": ("The share in external placements", "{:.0%}"),
    "placement_cost": ("The cost of placements to then", "£{:,.0f}"),
    "net_cost": ("The whole cost to then", "£{:,.0f}"),
}


def _sentence(
    seen: _Seen,
    settings: Sequence[LeverSetting],
    reached: float,
    chance: float,
    *,
    is_met: bool,
) -> str:
    name, shown = _WORDS[seen.goal.outcome]
    at = seen.context.at
    target, now = shown.format(seen.goal.target), shown.format(reached)
    when = f"{at:%d/%m/%Y}"
    if not settings:
        return (
            f"{name} meet the goal of {target} by {when} without any lever (chance {chance:.0%})."
        )
    pulled = ", ".join(f"{s.of.label.lower()} by {s.size:.0%}" for s in settings)
    if is_met:
        return f"{name}: {target} by {when} takes {pulled}; the chance of it is then {chance:.0%}."
    return (
        f"{name}: {target} by {when} is out of reach of these levers: {pulled}, the most allowed, "
        f"gives {now} (chance {chance:.0%})."
    )
