"""Small worlds of children that the model was not built on, each with a mechanism of its own.

They share nothing with the engine or with samples/demand_samples but the official
headings, and their lists are read through the same door as any authority's.

========  ======================================================================
reviews   plans end at reviews 3, 9, 15, ... months after the start, sibling
          groups together; care stays are Weibull (the hazard falls all the way)
careers   short care careers (mean 4 months) and long ones (mean 5 years; under
          fives shorter), some children come back; the 18th birthday ends the rest
families  groups of one to five children enter and leave together, always; rates
          otherwise constant
drifting  conversions and hazards drift so that stocks change over 12 and 24
          months as real ones do; referrals wander as real ones do, and starts
          follow them in part
trend     drifting, with intake growing or falling from three years before
step      drifting, with intake stepping up or down 3 to 15 months before
========  ======================================================================

The first three never change; each has a moving twin (``reviews-drifting``, ...) with the
same mechanism and conversions, hazards and referrals that drift. What the moving worlds'
movement is set to is in real figures alone: `other_simulators` prints both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Stay = Callable[[np.random.Generator, Ints, Ints, Floats], Floats]
"""(chance, family of each child, day of the start, age then in months) to months of stay."""

CENSUS = np.datetime64("2026-09-30")
WARM_UP_MONTHS, AHEAD_MONTHS, WINDOW_MONTHS = 18 * 12, 24, 6
MONTHS = WARM_UP_MONTHS + AHEAD_MONTHS
FIRST_MONTH = (CENSUS + 1).astype("datetime64[M]") - WARM_UP_MONTHS
ZERO = FIRST_MONTH.astype("datetime64[D]")
"""Day 0; times are in days since then."""
DAYS_PER_MONTH = 365.25 / 12
NOW = int((CENSUS - ZERO).astype(int))
ADULT_DAYS = round(18 * 365.25)

REFERRALS_PER_MONTH = {"small": 90.0, "middling": 260.0, "large": 800.0}
# Referrals per Monday to Friday by month, bank holidays left in (131 authorities, 2014-18).
SEASON = np.array(
    [0.988, 1.01, 1.036, 0.942, 1.04, 1.111, 1.041, 0.808, 1.004, 1.051, 1.102, 0.867]
)


def _still() -> Floats:
    return np.ones(MONTHS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """Multipliers by month of the simulation; ones where an authority stays as it is.

    Attributes
    ----------
    bend
        Of families referred: a trend or a step, which starts follow in full.
    swing
        Of families referred: what starts follow in part.
    to_plan, to_care
        Of the shares of referrals that start plans and care.
    plan_pace, care_pace
        Of the hazards of leaving.
    noise
        Standard deviation of the log of a month's own multiplier of families referred.
    """

    bend: Floats = field(default_factory=_still)
    swing: Floats = field(default_factory=_still)
    to_plan: Floats = field(default_factory=_still)
    to_care: Floats = field(default_factory=_still)
    plan_pace: Floats = field(default_factory=_still)
    care_pace: Floats = field(default_factory=_still)
    noise: float = 0.1


STILL = Moves()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """How an authority works.

    Attributes
    ----------
    sizes
        Chance that a family has 1, 2, ... children.
    plan_stay, care_stay
        Draw months of stay.
    moves
        How intake, conversions and hazards change.
    plan_share, care_share
        Shares of families referred that start plans and care.
    other_plans, other_care, uasc
        Children starting with no referral before them, for each child referred.
    plan_to_care
        Share of plans that lead to care.
    care_back
        Share of children leaving within a year who come back.
    together
        Share of children who do as their family does; the others do by themselves.
    """

    sizes: tuple[float, ...]
    plan_stay: Stay
    care_stay: Stay
    moves: Moves = STILL
    plan_share: float = 0.098
    care_share: float = 0.020
    other_plans: float = 0.005
    other_care: float = 0.014
    uasc: float = 0.0035
    plan_to_care: float = 0.10
    care_back: float = 0.0
    together: float = 0.85


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What truly happened; days since `ZERO`, children by number.

    ``referrals`` has ``child, day``; ``plans`` and ``care`` have ``child, start, end``,
    care ``uasc`` too; ``born`` is the day of birth by child.
    """

    born: Ints
    referrals: pd.DataFrame
    plans: pd.DataFrame
    care: pd.DataFrame


# --- families, and what happens to them ---------------------------------------------------


def _working_day(month: Ints, rng: np.random.Generator) -> Ints:
    """A Monday to Friday of each month."""
    first = (FIRST_MONTH + month).astype("datetime64[D]")
    length = ((FIRST_MONTH + month + 1).astype("datetime64[D]") - first).astype(int)
    day = first + np.floor(rng.random(len(month)) * length).astype(int)
    weekend = np.maximum((day.astype(int) + 3) % 7 - 4, 0)
    return np.asarray((np.maximum(day - weekend, first) - ZERO).astype(int), np.int64)


class _Families:
    """Families referred, a row an event; a fifth of events are of a family seen lately."""

    def __init__(self, world: World, level: float, rng: np.random.Generator) -> None:
        self.world, self.rng = world, rng
        number = np.arange(MONTHS)
        season = SEASON[(number + FIRST_MONTH.astype(int)) % 12]
        sd = world.moves.noise
        noise = np.exp(rng.normal(-(sd**2) / 2, sd, MONTHS))
        self.mean_size = float(np.dot(world.sizes, np.arange(1, len(world.sizes) + 1)))
        intake = world.moves.bend * world.moves.swing
        count = rng.poisson(level * intake * season * noise / self.mean_size)
        self.month = np.repeat(number, count)
        self.day = _working_day(self.month, rng)
        order = np.argsort(self.day, kind="stable")
        self.day, self.month = self.day[order], self.month[order]
        self.family = self._returning()
        self.born, self.first = np.empty(0, np.int64), np.zeros(len(self.day), np.int64)
        self.size = np.ones(len(self.day), np.int64)
        own = np.unique(self.family)
        self.first[own], self.size[own] = self.add(self.day[own])

    def _returning(self) -> Ints:
        day, family = self.day, np.arange(len(self.day))
        low, high = np.searchsorted(day, day - 365), np.searchsorted(day, day)
        again = (self.rng.random(len(day)) < 0.22) & (low < high)
        pick = (low + self.rng.random(len(day)) * (high - low)).astype(int)
        for event in np.flatnonzero(again):  # in order of time: a third time follows a second
            family[event] = family[pick[event]]
        return family

    def add(self, day: Ints) -> tuple[Ints, Ints]:
        """New families on these days: number of the first child, and of children, of each."""
        rng, sizes = self.rng, self.world.sizes
        size = 1 + rng.choice(len(sizes), size=len(day), p=sizes)
        of = np.repeat(np.arange(len(day)), size)
        eldest = np.where(rng.random(len(day)) < 0.25, rng.uniform(-90, 700, len(day)), 0.0)
        eldest = np.where(eldest == 0.0, rng.uniform(0, 6400, len(day)), eldest)
        first = np.cumsum(size) - size
        younger = np.where(np.arange(len(of)) == first[of], 0.0, rng.uniform(0, 1500, len(of)))
        age = np.maximum(eldest[of] - younger, rng.uniform(-90, 200, len(of)))
        begin = len(self.born)
        self.born = np.concatenate([self.born, (day[of] - age).astype(np.int64)])
        return begin + first, size

    def members(self, event: Ints) -> tuple[Ints, Ints]:
        """(event, child) of every child of these events' families."""
        size = self.size[self.family[event]]
        of = np.repeat(np.arange(len(event)), size)
        within = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
        return event[of], self.first[self.family[event]][of] + within

    def outcome(self, share: float, by_month: Floats) -> tuple[Ints, Ints]:
        """(event, child) of those to whom something happens after a referral."""
        chance = np.minimum(share * by_month[self.month], 0.9)
        shared = self.rng.random(len(self.day)) < chance
        event, child = self.members(np.arange(len(self.day)))
        alone = self.rng.random(len(event)) < chance[event]
        hit = np.where(self.rng.random(len(event)) < self.world.together, shared[event], alone)
        return event[hit], child[hit]

    def newcomers(self, children_a_month: Floats) -> tuple[Ints, Ints, Ints]:
        """(family, child, day) of families that start something without a referral."""
        count = self.rng.poisson(children_a_month / self.mean_size)
        day = _working_day(np.repeat(np.arange(MONTHS), count), self.rng)
        first, size = self.add(day)
        of = np.repeat(np.arange(len(day)), size)
        child = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
        return -1 - first[of], child, day[of]


def simulate_world(world: World, level: float, rng: np.random.Generator) -> History:
    """Simulate an authority of `level` children referred a month, 20 years."""
    families = _Families(world, level, rng)
    event, child = families.members(np.arange(len(families.day)))
    referrals = pd.DataFrame({"child": child, "day": families.day[event]})

    def after(share: float, by_month: Floats, lag_days: Callable[[int], Floats]) -> list[Ints]:
        event, child = families.outcome(share, by_month)
        lag = np.round(lag_days(len(families.day))).astype(int)
        return [event, child, families.day[event] + lag[event]]

    moves = world.moves
    converted = moves.to_plan * moves.swing ** (PLANS_FOLLOW - 1.0)
    linked = after(world.plan_share, converted, lambda n: rng.gamma(3.0, 14.0, n))
    unlinked = families.newcomers(level * world.other_plans * moves.to_plan)
    plans = _stays(families, world.plan_stay, linked, unlinked)
    moved = _from_plans(plans, world, rng)
    linked = after(
        world.care_share,
        moves.to_care * moves.swing ** (CARE_FOLLOWS - 1.0),
        lambda n: np.where(rng.random(n) < 0.25, rng.uniform(0, 6, n), rng.exponential(60, n)),
    )
    unlinked = families.newcomers(level * world.other_care * moves.to_care)
    care = _stays(families, world.care_stay, moved, linked, unlinked)
    back = care[(care["end"] - care["start"] < 365) & (rng.random(len(care)) < world.care_back)]
    if len(back):
        again = back["end"].to_numpy() + 30 + rng.exponential(150, len(back)).astype(int)
        returned = _stays(
            families, world.care_stay, (back["group"].to_numpy(), back["child"].to_numpy(), again)
        )
        care = _apart(pd.concat([care, returned], ignore_index=True))
    plans = _end_plans_in_care(plans, care)
    care = pd.concat([care.assign(uasc=False), _unaccompanied(families, level)], ignore_index=True)
    return History(born=families.born, referrals=referrals, plans=plans, care=care)


def _stays(
    families: _Families, stay: Stay, *entrants: tuple[Ints, ...] | list[Ints]
) -> pd.DataFrame:
    group, child, start = (np.concatenate(part) for part in zip(*entrants, strict=True))
    born = families.born[child]
    start = np.maximum(start, born + 1)
    fit = start - born < ADULT_DAYS - 30
    group, child, start, born = group[fit], child[fit], start[fit], born[fit]
    months = stay(families.rng, group, start, (start - born) / DAYS_PER_MONTH)
    end = start + np.maximum(np.round(months * DAYS_PER_MONTH), 1).astype(np.int64)
    frame = pd.DataFrame(
        {"group": group, "child": child, "start": start, "end": np.minimum(end, born + ADULT_DAYS)}
    )
    return _apart(frame)


def _apart(spells: pd.DataFrame) -> pd.DataFrame:
    """Without the spells of a child that begin before an earlier one is long over."""
    spells = spells.sort_values(["child", "start"], ignore_index=True)
    kept, last, until = [], -1, -1
    for child, start, end in zip(spells["child"], spells["start"], spells["end"], strict=True):
        fits = child != last or start > until + 14
        kept.append(fits)
        if fits:
            last, until = child, end
    return spells[np.array(kept, bool)].reset_index(drop=True)


def _from_plans(plans: pd.DataFrame, world: World, rng: np.random.Generator) -> list[Ints]:
    """Care that starts from a plan: some families, part of the way through."""
    group, number = np.unique(plans["group"], return_inverse=True)
    moves = (rng.random(len(group)) < world.plan_to_care)[number]
    wait = rng.exponential(150, len(group))[number].astype(np.int64)
    start = plans["start"].to_numpy() + wait
    moves &= (start < plans["end"].to_numpy()) & (rng.random(len(plans)) < world.together)
    return [plans["group"].to_numpy()[moves], plans["child"].to_numpy()[moves], start[moves]]


def _end_plans_in_care(plans: pd.DataFrame, care: pd.DataFrame) -> pd.DataFrame:
    """A plan ends some weeks after its child came into care."""
    first = plans.reset_index().merge(care[["child", "start"]], on="child", suffixes=("", "_care"))
    first = first[(first["start_care"] >= first["start"]) & (first["start_care"] < first["end"])]
    ends = first.groupby("index")["start_care"].min() + 40
    end = plans["end"].where(~plans.index.isin(ends.index), ends.reindex(plans.index))
    return plans.assign(end=np.minimum(plans["end"], end).astype(np.int64))


def _unaccompanied(families: _Families, level: float) -> pd.DataFrame:
    """UASC, one by one; most stay until they are 18."""
    rng = families.rng
    count = rng.poisson(level * families.world.uasc, MONTHS)
    start = np.sort(rng.integers(0, MONTHS * 30, count.sum()))
    age = rng.uniform(15.2 * 365.25, 17.8 * 365.25, len(start))
    child = len(families.born) + np.arange(len(start))
    families.born = np.concatenate([families.born, (start - age).astype(np.int64)])
    end = start + np.round(rng.exponential(50 * DAYS_PER_MONTH, len(start))).astype(np.int64) + 1
    end = np.minimum(end, families.born[child] + ADULT_DAYS)
    return pd.DataFrame({"child": child, "start": start, "end": end, "uasc": True})


# --- the worlds ---------------------------------------------------------------------------


def about(rng: np.random.Generator, spread: float) -> float:
    return float(np.exp(rng.normal(0.0, spread)))


def _shared(
    rng: np.random.Generator, group: Ints, share: float, draw: Callable[[int], Floats]
) -> Floats:
    """Values, or rows of them, that siblings have in common with chance `share`."""
    families, number = np.unique(group, return_inverse=True)
    common, own = draw(len(families))[number], draw(len(group))
    return np.asarray(np.where(rng.random(len(group)) < share, common.T, own.T).T)


def _steady_stay(mean_months: float, together: float) -> Stay:
    """Constant hazard; siblings leave together with chance `together`."""

    def stay(rng: np.random.Generator, group: Ints, start: Ints, age: Floats) -> Floats:
        del start, age
        return mean_months * _shared(rng, group, together, rng.standard_exponential)

    return stay


def _paced(still: Stay, pace: Floats) -> Stay:
    """The same stays where time runs at `pace` (by month), which multiplies a constant hazard."""
    if np.all(pace == 1.0):
        return still
    edges = np.arange(MONTHS + 1) * DAYS_PER_MONTH
    used = np.append(0.0, np.cumsum(pace)) * DAYS_PER_MONTH

    def stay(rng: np.random.Generator, group: Ints, start: Ints, age: Floats) -> Floats:
        allotted = still(rng, group, start, age)
        target = np.interp(start, edges, used) + allotted * DAYS_PER_MONTH
        beyond = np.maximum(target - used[-1], 0.0)
        return np.asarray(np.interp(target, used, edges) + beyond - start) / DAYS_PER_MONTH

    return stay


def _review_stay(chances: tuple[float, ...], shift: float, pace: Floats) -> Stay:
    """Plans end at reviews 3, 9, 15, ... months on, all siblings at once but for a few."""
    chance = np.append(np.asarray(chances) * shift, 0.5 * np.ones(6))
    months_on = 3.0 + 6.0 * np.arange(len(chance))

    def luck(rng: np.random.Generator, count: int) -> Floats:
        outcome, late = rng.random(count), np.abs(rng.normal(0.0, 0.35, count))
        early = np.where(rng.random(count) < 0.06, rng.uniform(0.3, 8.0, count), np.inf)
        return np.column_stack([outcome, late, early])

    def stay(rng: np.random.Generator, group: Ints, start: Ints, age: Floats) -> Floats:
        del age
        outcome, late, early = _shared(rng, group, 0.9, partial(luck, rng)).T
        month = (start[:, None] / DAYS_PER_MONTH + months_on).astype(int)
        ends = np.minimum(chance * pace[np.clip(month, 0, MONTHS - 1)], 0.95)
        number = (np.cumprod(1.0 - ends, axis=1) > outcome[:, None]).sum(axis=1)
        return np.asarray(np.where(np.isinf(early), 3.0 + 6.0 * number + late, early))

    return stay


def _weibull_stay(mean_months: float) -> Stay:
    """The longer a child has been in care, the less likely to leave."""

    def stay(rng: np.random.Generator, group: Ints, start: Ints, age: Floats) -> Floats:
        del start, age
        return mean_months / 1.505 * _shared(rng, group, 0.5, lambda n: rng.weibull(0.6, n))

    return stay


def _career_stay(short_share: float, long_months: float) -> Stay:
    """Short careers of 4 months on average, or long ones; under fives are adopted sooner."""

    def stay(rng: np.random.Generator, group: Ints, start: Ints, age: Floats) -> Floats:
        del start
        short = _shared(rng, group, 0.8, rng.random) < short_share
        mean = np.where(short, 4.0, np.where(age < 60, 0.4, 1.0) * long_months)
        return mean * _shared(rng, group, 0.5, rng.standard_exponential)

    return stay


def reviews(rng: np.random.Generator, moves: Moves = STILL) -> World:
    """Plans end at reviews."""
    shift = min(about(rng, 0.1), 1.5)
    return World(
        sizes=(0.50, 0.27, 0.15, 0.08),
        plan_stay=_review_stay((0.22, 0.42, 0.48, 0.45, 0.5), shift, moves.plan_pace),
        care_stay=_paced(_weibull_stay(44.0 * about(rng, 0.12)), moves.care_pace),
        moves=moves, plan_share=0.10 * about(rng, 0.2), care_share=0.020 * about(rng, 0.2),
    )  # fmt: skip


def careers(rng: np.random.Generator, moves: Moves = STILL) -> World:
    """Short and long care careers; some come back; plans of constant hazard."""
    plan_stay = _steady_stay(9.5 * about(rng, 0.12), 0.6)
    care_stay = _career_stay(min(0.45 * about(rng, 0.12), 0.7), 60.0 * about(rng, 0.1))
    return World(
        sizes=(0.62, 0.22, 0.11, 0.05),
        plan_stay=_paced(plan_stay, moves.plan_pace),
        care_stay=_paced(care_stay, moves.care_pace),
        moves=moves, care_back=0.18,
        plan_share=0.098 * about(rng, 0.2), care_share=0.024 * about(rng, 0.2),
    )  # fmt: skip


def families(rng: np.random.Generator, moves: Moves = STILL) -> World:
    """Sibling groups do everything together."""
    return World(
        sizes=(0.35, 0.30, 0.18, 0.11, 0.06),
        plan_stay=_paced(_steady_stay(9.5 * about(rng, 0.12), 1.0), moves.plan_pace),
        care_stay=_paced(_steady_stay(38.0 * about(rng, 0.12), 1.0), moves.care_pace),
        moves=moves, together=1.0,
        plan_share=0.098 * about(rng, 0.2), care_share=0.020 * about(rng, 0.2),
    )  # fmt: skip


def plain(rng: np.random.Generator, moves: Moves) -> World:
    """Constant hazards but for what `moves`; most siblings together."""
    return World(
        sizes=(0.58, 0.24, 0.12, 0.06),
        plan_stay=_paced(_steady_stay(9.5 * about(rng, 0.12), 0.75), moves.plan_pace),
        care_stay=_paced(_steady_stay(36.0 * about(rng, 0.12), 0.6), moves.care_pace),
        moves=moves, plan_share=0.098 * about(rng, 0.2), care_share=0.020 * about(rng, 0.2),
    )  # fmt: skip


# --- movement, set to real figures --------------------------------------------------------

PLANS_FOLLOW, CARE_FOLLOWS = 0.42, 0.25
"""Power of a swing of referrals to which starts that come of referrals follow it."""
INTAKE_SWINGS = (0.25, 18.0), (0.07, 3.0)
"""Spread (sd of the log) and months of memory: years, and a season or two."""
INTAKE_RESTLESSNESS, INTAKE_NOISE = 0.4, 0.03
"""How much authorities differ in the first, sd of the log; sd of the log of a month's noise
(families add their own)."""
BEND_TAKES = 0.85
"""Factor of the first where there is a trend or a step, part of what moves real referrals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Spread (sd of the log) and months of memory of the conversions to, and the hazards of
    leaving, plans and care."""

    plans: tuple[float, float]
    care: tuple[float, float]


DRIFTS = {
    "plain": Drift(plans=(0.23, 7.0), care=(0.17, 38.0)),
    "reviews": Drift(plans=(0.24, 7.0), care=(0.25, 33.0)),
    "careers": Drift(plans=(0.25, 7.0), care=(0.18, 38.0)),
    "families": Drift(plans=(0.22, 7.0), care=(0.10, 45.0)),
}


def _swing(rng: np.random.Generator, spread: float, months: float) -> Floats:
    """A multiplier of mean 1 that swings with this spread and forgets in so many months."""
    keep = np.exp(-1.0 / months)
    value = np.empty(MONTHS)
    value[0] = rng.normal(0.0, spread)
    for month in range(1, MONTHS):
        value[month] = keep * value[month - 1] + rng.normal(0.0, spread * np.sqrt(1 - keep**2))
    return np.asarray(np.exp(value - spread**2 / 2))


def drawn_moves(rng: np.random.Generator, drift: Drift, bend: Floats | None = None) -> Moves:
    """Movement as of a real authority, and a trend or step of intake if given."""
    (spread, months), brief = INTAKE_SWINGS
    spread *= 1.0 if bend is None else BEND_TAKES
    # Of mean square 1: calm and restless authorities together wander as stated.
    restless = about(rng, INTAKE_RESTLESSNESS) * float(np.exp(-(INTAKE_RESTLESSNESS**2)))
    return Moves(
        bend=_still() if bend is None else bend,
        swing=_swing(rng, spread * restless, months) * _swing(rng, *brief),
        to_plan=_swing(rng, *drift.plans),
        to_care=_swing(rng, *drift.care),
        plan_pace=_swing(rng, *drift.plans),
        care_pace=_swing(rng, *drift.care),
        noise=INTAKE_NOISE,
    )


def drifting(rng: np.random.Generator, bend: Floats | None = None) -> World:
    """Rates and referrals move as much as those of English authorities."""
    return plain(rng, drawn_moves(rng, DRIFTS["plain"], bend))


def trend(rng: np.random.Generator) -> World:
    """Drifting, with intake growing or falling from three years before the census on."""
    years = np.maximum(np.arange(MONTHS) - (WARM_UP_MONTHS - 36), 0) / 12
    return drifting(rng, np.exp(rng.normal(0.0, 0.10) * years))


def step(rng: np.random.Generator) -> World:
    """Drifting, with one jump of intake 3 to 15 months before the census."""
    at = WARM_UP_MONTHS - int(rng.integers(3, 16))
    return drifting(rng, np.where(np.arange(MONTHS) < at, 1.0, about(rng, 0.25)))


def _twin(still: Callable[..., World]) -> Callable[[np.random.Generator], World]:
    """The same mechanism, moving."""
    return lambda rng: still(rng, drawn_moves(rng, DRIFTS[still.__name__]))


STILL_WORLDS: dict[str, Callable[[np.random.Generator], World]] = {
    "reviews": reviews, "careers": careers, "families": families,
}  # fmt: skip
WORLDS: dict[str, Callable[[np.random.Generator], World]] = {
    **STILL_WORLDS, "drifting": drifting, "trend": trend, "step": step,
    **{f"{name}-drifting": _twin(still) for name, still in STILL_WORLDS.items()},
}  # fmt: skip
"""Authorities are seeded by their world's place here: add new ones at the end."""


# --- what truly happened ------------------------------------------------------------------


def monthly(history: History, first: int, months: int) -> pd.DataFrame:
    """Counts a month from month number `first`: flows, and stocks at the months' ends."""
    begins = (FIRST_MONTH + first + np.arange(months + 1)).astype("datetime64[D]")
    edges = (begins - ZERO).astype(np.int64)

    def before(days: pd.Series) -> Ints:
        return np.asarray(np.searchsorted(np.sort(days.to_numpy(np.int64)), edges), np.int64)

    out = {"referrals": np.diff(before(history.referrals["day"]))}
    for name, spells in (("cp", history.plans), ("cla", history.care)):
        started, ended = before(spells["start"]), before(spells["end"])
        out[f"{name}_starts"], out[f"{name}_ends"] = np.diff(started), np.diff(ended)
        out[f"{name}_open"] = (started - ended)[1:]
    return pd.DataFrame(out)
