"""A slow, obvious simulator that defines what the fast one means.

Plain loops: one draw, one step, one child at a time, with random numbers of its
own. It shares the inputs of `simulate` (fitted rates, posterior and drift draws,
the timeline) and none of its arithmetic, so that agreement means something.
Nothing in a run uses it; the parity tests do.

What happens in one step of one draw, in this order::

    1  every child on a plan may lead to entries to care      expected: rate x length
    2  every child open is exposed for the step; who has used up the amount of
       hazard allotted at entry leaves
    3  who is 18 by the end of the step leaves
    4  families arrive in the middle of the step and are exposed for half of it

A family is one child and Poisson(m) siblings. Two siblings (and two children
whose opening spells began on one day) leave together if both have joined their
group: they then share one allotment of hazard.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.exposure.bands import AGE_BANDS, CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS, UASC
from demand_model.exposure.opening import StockMembers
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.rates.draws import (
    care_entry_ages,
    draw_rates,
    plan_entry_ages,
    rate_drifts,
    uasc_entry_ages,
)
from demand_model.rates.fit import FlowRates
from demand_model.rates.following import following
from demand_model.rates.history import Process
from demand_model.rates.priors import SOURCE_PRIOR_EVENTS, SOURCE_SHARES
from demand_model.simulation.scenario import (
    BASELINE,
    Add,
    FlowChange,
    Lockdown,
    Multiply,
    Overwrite,
    Scenario,
)
from demand_model.simulation.timeline import Timeline, timeline
from demand_model.spell.linkage import MAX_LAG_WEEKS
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK, DAYS_PER_YEAR

Table = list[list[float]]

_POINTS = 12
"""Moments of a step, and of a week, over which averages are taken."""
_ENTRY_AGES = 60
_ADULT_YEARS = 18.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One child in a stock; times in months, birth in years, from the census date's end."""

    entered: float
    born: float
    uasc: bool
    allotted: float
    used: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRun:
    """Draws of one scenario: ``measures[measure, segment][month][draw]``."""

    measures: dict[tuple[str, str], Table]
    suppressed: Table
    returned: Table
    not_returning: Table


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Counts of one draw by month."""

    months: int
    counts: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, measure: str, segment: str, month: int, number: float) -> None:
        self.counts.setdefault((measure, segment), [0.0] * self.months)[month] += number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What one draw holds fixed: rates by name, referrals by step, drift by month."""

    plan_ends: Sequence[float]
    plan_to_care: Sequence[float]
    care_ends: Sequence[Sequence[Sequence[float]]]
    lags: dict[str, Sequence[float]]
    others: dict[str, float]
    uasc: float
    referrals: Sequence[float]
    following: Sequence[float]
    source_share: Sequence[float]
    drift: dict[str, Sequence[float]]


def simulate_reference(
    rates: FlowRates,
    scenario: Scenario = BASELINE,
    *,
    horizon_months: int = 12,
    draws: int = 100,
    seed: int = 0,
    steps_per_month: int = 4,
    balanced: bool = True,
) -> ReferenceRun:
    """Simulate one scenario slowly; arguments as those of `simulate`.

    Flows observed before the census date in an unfinished month are left out.
    """
    line = timeline(rates.exposure.census_date, horizon_months, steps_per_month)
    rng = np.random.default_rng([seed, 2])
    world = _World(rates, scenario, line, rng)
    drawn = _draw_inputs(rates, line, draws, rng, balanced=balanced)
    tallies = [world.run(one) for one in drawn]
    names = tallies[0].counts
    tables = {name: _by_month([t.counts[name] for t in tallies]) for name in names}
    hidden = [tables.pop((name, ALL)) for name in ("suppressed", "returned", "not_returning")]
    return ReferenceRun(
        measures=tables, suppressed=hidden[0], returned=hidden[1], not_returning=hidden[2]
    )


def _by_month(by_draw: list[list[float]]) -> Table:
    return [list(row) for row in zip(*by_draw, strict=True)]


def _draw_inputs(
    rates: FlowRates, line: Timeline, draws: int, rng: np.random.Generator, *, balanced: bool
) -> list[_Drawn]:
    drawn = draw_rates(rates, draws, rng, balanced=balanced)
    paths = rates.intake.draw_paths(line.months, draws, rng)
    follows = following(paths)
    weights = rates.source_counts + SOURCE_PRIOR_EVENTS * np.asarray(SOURCE_SHARES)
    shares = rng.dirichlet(weights / rates.dispersion["referrals"], draws)
    paths_of = rate_drifts(rates, drawn, line.months, [rng] * len(Process))
    names = ("plan conversion", "care conversion", "plan exit", "care exit")
    drift = dict(zip(names, paths_of, strict=True))
    return [
        _Drawn(
            plan_ends=drawn.plan_ends[:, d].tolist(),
            plan_to_care=drawn.plan_to_care[:, d].tolist(),
            care_ends=drawn.care_ends[..., d].tolist(),
            lags={"plan": drawn.plan_lags[:, d].tolist(), "care": drawn.care_lags[:, d].tolist()},
            others={"plan": float(drawn.other_plan[d]), "care": float(drawn.other_care[d])},
            uasc=float(drawn.uasc[d]),
            referrals=[
                float(paths[m, d] * w) for m, w in zip(line.month, line.working_share, strict=True)
            ],
            following=follows[line.month, d].tolist(),
            source_share=shares[d].tolist(),
            drift={name: path[:, d].tolist() for name, path in drift.items()},
        )
        for d in range(draws)
    ]


class _World:
    """What all draws of one scenario share, and the step loop."""

    def __init__(
        self, rates: FlowRates, scenario: Scenario, line: Timeline, rng: np.random.Generator
    ) -> None:
        self.rates, self.scenario, self.line, self.rng = rates, scenario, line, rng
        self.edges: list[float] = line.edges.tolist()
        opening = rates.exposure.opening
        self.plan_ages = plan_entry_ages(opening, _ENTRY_AGES).tolist()
        self.care_ages = care_entry_ages(opening, _ENTRY_AGES).tolist()
        self.uasc_ages = uasc_entry_ages(opening, _ENTRY_AGES).tolist()
        self.fitted = _fitted_rates(rates)
        self.landing = _landing(self.edges)
        self.pipeline = {
            "plan": _pipeline(rates, rates.to_plan.source_ratio.tolist(), self.edges),
            "care": _pipeline(rates, rates.to_care.source_ratio.tolist(), self.edges),
        }
        self.hazard_factor = {
            flow: [self._rate_factor(flow, step) for step in range(line.steps)]
            for flow in (
                *CARE_ENDS,
                Flow.PLAN_ENDS,
                Flow.PLAN_TO_CARE,
                Flow.REFERRAL_TO_PLAN,
                Flow.REFERRAL_TO_CARE,
            )
        }

    # --- what the scenario says of a moment --------------------------------------------------

    def _changes(self, flow: Flow, source: str = ALL) -> list[FlowChange]:
        """List the changes of a flow that touch a source (or all), in the order of the scenario."""
        return [
            c
            for c in self.scenario.changes
            if isinstance(c, FlowChange) and c.flow is flow and c.segment in (ALL, source)
        ]

    def _lockdowns(self) -> list[Lockdown]:
        found = [c for c in self.scenario.changes if isinstance(c, Lockdown)]
        return sorted(found, key=lambda lock: lock.start)

    def _average(self, step: int, value: Callable[[float], float]) -> float:
        """Mean of a function of time (days) over a step."""
        begin, length = self.edges[step], self.edges[step + 1] - self.edges[step]
        moments = [begin + (i + 0.5) / _POINTS * length for i in range(_POINTS)]
        return sum(value(t) for t in moments) / _POINTS

    def _within(self, start: date, end: date | None, day: float) -> bool:
        begins = (start - self.line.census_date).days - 1
        ends = math.inf if end is None else (end - self.line.census_date).days - 1
        return begins <= day < ends

    def _progress(self, change: FlowChange, day: float) -> float:
        """How far a change has come at a moment: 0 none of it, 1 all of it."""
        if not self._within(change.start, change.end, day):
            return 0.0
        since = (day - (change.start - self.line.census_date).days + 1) / DAYS_PER_MONTH
        return min(since / change.ramp_months, 1.0) if change.ramp_months else 1.0

    def _changed(
        self, flow: Flow, value: float, day: float, source: str = ALL, share: float = 1.0
    ) -> float:
        """Change a flow's value at a moment: multiplied, then overwritten, then added to.

        `share` is a source's part of what a change gives to all sources together.
        """
        changes = self._changes(flow, source)
        for c in changes:
            if isinstance(c, Multiply):
                value *= 1.0 + (c.factor - 1.0) * self._progress(c, day)
        if flow is Flow.REFERRALS:
            for lock in self._lockdowns():
                value *= self._risen_or_after(lock, source, day)
        for c in changes:
            part = share if c.segment == ALL else 1.0
            if isinstance(c, Overwrite):
                weight = self._progress(c, day)
                value = value * (1.0 - weight) + weight * c.value * part
        for c in changes:
            part = share if c.segment == ALL else 1.0
            if isinstance(c, Add):
                value += self._progress(c, day) * c.per_month * part
        return max(value, 0.0)

    def _left_by(self, lock: Lockdown, source: str) -> float:
        return lock.referrals.get(source, lock.referrals.get(ALL, 1.0))

    def _risen_or_after(self, lock: Lockdown, source: str, day: float) -> float:
        if self._within(lock.start, lock.end, day):
            return max(self._left_by(lock, source), 1.0)
        return lock.new_normal if self._within(lock.end, None, day) else 1.0

    def _rate_factor(self, flow: Flow, step: int) -> float:
        """Give the factor on a rate of children at risk in a step."""
        fitted = self.fitted[flow]

        def at(day: float) -> float:
            value = fitted
            for lock in self._lockdowns():
                if self._within(lock.start, lock.end, day):
                    value *= lock.plan_ends if flow is Flow.PLAN_ENDS else 1.0
                    value *= lock.care_ends if flow in CARE_ENDS else 1.0
            return self._changed(flow, value, day) / fitted

        return self._average(step, at)

    # --- referrals and what they lead to -----------------------------------------------------

    def _referrals(self, one: _Drawn, tally: _Tally) -> dict[str, list[float]]:
        """Count referrals; return those that convert, by step, for plans and for care."""
        steps = self.line.steps
        converting = {"plan": [0.0] * steps, "care": [0.0] * steps}
        ratio = {"plan": self.rates.to_plan.source_ratio, "care": self.rates.to_care.source_ratio}
        for number, source in enumerate(SOURCE_GROUPS):
            share = one.source_share[number]
            coming = [self._expected_referrals(one, step, source, share) for step in range(steps)]
            follows = [self._follows(one, step, source, share) for step in range(steps)]
            weighted = [0.0] * steps
            for lock in self._lockdowns():
                self._hide(lock, source, coming, weighted, tally)
            for step in range(steps):
                back = weighted[step]
                for to in converting:
                    ready = (coming[step] + back) * float(ratio[to][number])
                    converting[to][step] += ready * follows[step]
            self._count_referrals(source, coming, tally)
        return converting

    def _follows(self, one: _Drawn, step: int, source: str, share: float) -> float:
        """How far starts follow ordinary referrals: in full those that a scenario numbers."""
        coming = self._expected_referrals(one, step, source, share)
        converting = self._expected_referrals(one, step, source, share, one.following[step])
        return converting / coming if coming > 0.0 else 1.0

    def _expected_referrals(
        self, one: _Drawn, step: int, source: str, share: float, follows: float = 1.0
    ) -> float:
        """Ordinary referrals of a source in a step, before lockdowns hide any.

        Those of the baseline count as `follows`.
        """
        of_month = float(self.line.working_share[step])
        per_month = one.referrals[step] / of_month * share * follows if of_month else 0.0
        if not self.scenario.changes:
            return per_month * of_month

        def at(day: float) -> float:
            return self._changed(Flow.REFERRALS, per_month, day, source, share)

        return self._average(step, at) * of_month

    def _hide(
        self,
        lock: Lockdown,
        source: str,
        coming: list[float],
        weighted: list[float],
        tally: _Tally,
    ) -> None:
        """Take a lockdown's hidden need out of `coming`; let its return arrive later.

        What returns is counted at once; `weighted` gets what it adds to conversions.
        """
        taken = 0.0
        for step in range(self.line.steps):
            share = self._average(
                step, lambda day: float(self._within(lock.start, lock.end, day))
            ) * max(1.0 - self._left_by(lock, source), 0.0)
            hidden = coming[step] * share
            coming[step] -= hidden
            taken += hidden
            tally.add("suppressed", ALL, int(self.line.month[step]), hidden)
        ends = (lock.end - self.line.census_date).days - 1
        begins = ends + lock.return_delay_months * DAYS_PER_MONTH
        spread = max(lock.return_spread_months * DAYS_PER_MONTH, 1e-6)
        for step in range(self.line.steps):
            low = max(self.edges[step], begins)
            high = min(self.edges[step + 1], begins + spread)
            leaving = taken * max(high - low, 0.0) / spread
            back = leaving * lock.share_returning
            month = int(self.line.month[step])
            tally.add("returned", ALL, month, back)
            tally.add("not_returning", ALL, month, leaving - back)
            tally.add("back", source, month, back)
            weighted[step] += back * lock.severity

    def _count_referrals(self, source: str, coming: list[float], tally: _Tally) -> None:
        back = tally.counts.pop(("back", source), [0.0] * tally.months)
        expected = list(back)
        for step, number in enumerate(coming):
            expected[int(self.line.month[step])] += number
        for month, mean in enumerate(expected):
            count = int(self.rng.poisson(mean))
            tally.add("referrals", source, month, count)
            tally.add("referrals", ALL, month, count)

    def _expected_starts(self, to: str, one: _Drawn, converting: list[float]) -> list[float]:
        """Expect starts of plans or care by step: those that follow a referral, and others."""
        flow = Flow.REFERRAL_TO_PLAN if to == "plan" else Flow.REFERRAL_TO_CARE
        other = Flow.OTHER_PLAN_STARTS if to == "plan" else Flow.OTHER_CARE_STARTS
        weekly, drift = one.lags[to], one.drift[f"{to} conversion"]
        out = []
        for step in range(self.line.steps):
            linked = math.fsum(n * w for n, w in zip(self.pipeline[to][step], weekly, strict=True))
            for origin, week, share in self.landing[step]:
                linked += converting[origin] * weekly[week] * share
            now = drift[int(self.line.month[step])]
            linked *= self.hazard_factor[flow][step] * now
            out.append(linked + self._area_flow(other, one.others[to] * now, step))
        return out

    def _area_flow(self, flow: Flow, per_month: float, step: int) -> float:
        length = (self.edges[step + 1] - self.edges[step]) / DAYS_PER_MONTH
        return self._average(step, lambda day: self._changed(flow, per_month, day)) * length

    # --- children ----------------------------------------------------------------------------

    def run(self, one: _Drawn) -> _Tally:
        """One draw, from the census date to the horizon."""
        tally = _Tally(months=len(self.line.months))
        for name in ("suppressed", "returned", "not_returning"):
            tally.add(name, ALL, 0, 0.0)
        converting = self._referrals(one, tally)
        plan_starts = self._expected_starts("plan", one, converting["plan"])
        care_starts = self._expected_starts("care", one, converting["care"])
        opening, dispersion = self.rates.exposure.opening, self.rates.dispersion
        plans = self._opening(opening.plans, dispersion["plan_ends"])
        care = self._opening(opening.care, dispersion["care_ends"])
        for step in range(self.line.steps):
            begin = self.edges[step] / DAYS_PER_MONTH
            end = self.edges[step + 1] / DAYS_PER_MONTH
            month = int(self.line.month[step])
            from_plans = sum(self._to_care(c, one, step, begin, end) for c in plans)
            uasc = self._area_flow(Flow.UASC_STARTS, one.uasc, step)
            new_plans = self._arrivals(plan_starts[step], "plan")
            new_care = self._arrivals(care_starts[step] + from_plans, "care")
            new_care += self._arrivals(uasc, "uasc")

            def plan_hazard(child: Child, at: float, step: int = step) -> float:
                return self._plan_hazard(child, at, one, step)

            def care_hazard(child: Child, at: float, step: int = step) -> float:
                return self._care_hazard(child, at, one, step)

            for name, stock, new, hazard in (
                ("cp", plans, new_plans, plan_hazard),
                ("cla", care, new_care, care_hazard),
            ):
                before = len(stock)
                stock[:] = _stay(stock, begin, end, hazard) + _arrive(new, begin, end, hazard)
                tally.add(f"{name}_starts", ALL, month, len(new))
                tally.add(f"{name}_ends", ALL, month, before + len(new) - len(stock))
            if step + 1 == self.line.steps or self.line.month[step + 1] != month:
                tally.add("cp_open", ALL, month, len(plans))
                tally.add("cla_open", ALL, month, len(care))
                for segment in CARE_SEGMENTS:
                    inside = [c for c in care if CARE_SEGMENTS[_segment(c, end)] == segment]
                    tally.add("cla_open", segment, month, len(inside))
        return tally

    def _opening(self, members: StockMembers, dispersion: float) -> list[Child]:
        """Set up the opening stock; a child of unknown age has that of a known one."""
        known = [float(a) for a in members.age_days if not math.isnan(a)]
        children, groups = [], []
        for i in range(len(members)):
            age = float(members.age_days[i])
            if math.isnan(age):
                age = known[int(self.rng.integers(len(known)))]
            children.append(
                Child(
                    entered=-float(members.days[i]) / DAYS_PER_MONTH,
                    born=-age / DAYS_PER_YEAR,
                    uasc=bool(members.uasc[i]),
                    allotted=float(self.rng.exponential()),
                )
            )
            groups.append(int(members.together[i]))
        families = [[c for c, g in zip(children, groups, strict=True) if g == group]
                    for group in sorted(set(groups))]  # fmt: skip
        pairs = sum(len(f) * (len(f) - 1) for f in families) / max(len(children), 1)
        for family in families:
            self._tie(family, pairs, dispersion)
        return children

    def _arrivals(self, expected: float, kind: str) -> list[Child]:
        """Families that arrive in a step; ages at entry stand in `born` until they do."""
        kind_of_starts = "plan_starts" if kind == "plan" else "care_starts"
        kind_of_ends = "plan_ends" if kind == "plan" else "care_ends"
        ages = {"plan": self.plan_ages, "care": self.care_ages, "uasc": self.uasc_ages}[kind]
        dispersion = self.rates.dispersion[kind_of_starts]
        further = 0.0 if kind == "uasc" else _siblings(dispersion)
        out: list[Child] = []
        for _ in range(int(self.rng.poisson(expected / (1.0 + further)))):
            size = 1 + int(self.rng.poisson(further))
            family = [
                Child(
                    entered=0.0,
                    born=-float(ages[int(self.rng.integers(len(ages)))]),
                    uasc=kind == "uasc",
                    allotted=float(self.rng.exponential()),
                )
                for _ in range(size)
            ]
            pairs = (further**2 + 2.0 * further) / (1.0 + further)
            self._tie(family, pairs, self.rates.dispersion[kind_of_ends])
            out += family
        return out

    def _tie(self, family: list[Child], pairs: float, dispersion: float) -> None:
        """Let each of a family join it, so often that ends are as over-dispersed as measured.

        ``dispersion = 1 + P(both of a pair join) x pairs a child``
        """
        both = min(max(dispersion - 1.0, 0.0) / pairs, 1.0) if pairs > 0 else 0.0
        joined = [child for child in family if self.rng.random() < math.sqrt(both)]
        for child in joined[1:]:
            child.allotted = joined[0].allotted

    def _plan_hazard(self, child: Child, at: float, one: _Drawn, step: int) -> float:
        band = _band(PLAN_BANDS.lower, at - child.entered)
        drift = one.drift["plan exit"][int(self.line.month[step])]
        return one.plan_ends[band] * self.hazard_factor[Flow.PLAN_ENDS][step] * drift

    def _to_care(self, child: Child, one: _Drawn, step: int, begin: float, end: float) -> float:
        """Expect entries to care that one child on a plan leads to in a step."""
        band = _band(PLAN_BANDS.lower, (begin + end) / 2.0 - child.entered)
        drift = one.drift["care conversion"][int(self.line.month[step])]
        factor = self.hazard_factor[Flow.PLAN_TO_CARE][step]
        return one.plan_to_care[band] * factor * drift * (end - begin)

    def _care_hazard(self, child: Child, at: float, one: _Drawn, step: int) -> float:
        band, segment = _band(CARE_BANDS.lower, at - child.entered), _segment(child, at)
        total = sum(
            one.care_ends[reason][band][segment] * self.hazard_factor[flow][step]
            for reason, flow in enumerate(CARE_ENDS)
        )
        return total * one.drift["care exit"][int(self.line.month[step])]


Hazard = Callable[[Child, float], float]


def _stay(stock: list[Child], begin: float, end: float, hazard: Hazard) -> list[Child]:
    """Expose children for a whole step; return who is still there."""
    for child in stock:
        child.used += hazard(child, (begin + end) / 2.0) * (end - begin)
    return [c for c in stock if c.used < c.allotted and not _adult(c, end)]


def _arrive(new: list[Child], begin: float, end: float, hazard: Hazard) -> list[Child]:
    """Let children in at the middle of the step and expose them for half of it."""
    middle = (begin + end) / 2.0
    for child in new:
        child.entered = middle
        child.born += middle / 12.0
        child.used += hazard(child, middle) * (end - begin) / 2.0
    return [c for c in new if c.used < c.allotted and not _adult(c, end)]


def _adult(child: Child, now: float) -> bool:
    return (child.born + _ADULT_YEARS) * 12.0 < now


def _segment(child: Child, at: float) -> int:
    if child.uasc:
        return CARE_SEGMENTS.index(UASC)
    return _band(AGE_BANDS.lower, at / 12.0 - child.born)


def _band(lower: Sequence[float], value: float) -> int:
    """Find the number of the band that a value is in; below the first counts as the first."""
    number = 0
    for i, edge in enumerate(lower):
        if value >= edge:
            number = i
    return number


def _siblings(dispersion: float) -> float:
    """Solve ``1 + m + m / (1 + m) = dispersion`` for the mean number of further children."""
    low, high = 0.0, max(dispersion, 1.0)
    for _ in range(60):
        m = (low + high) / 2.0
        low, high = (m, high) if 1.0 + m + m / (1.0 + m) < dispersion else (low, m)
    return (low + high) / 2.0


def _fitted_rates(rates: FlowRates) -> dict[Flow, float]:
    """Find what an overwrite of a rate replaces: the mean rate of the children open now."""
    opening = rates.exposure.opening
    plan = [_band(PLAN_BANDS.lower, d / DAYS_PER_MONTH) for d in opening.plans.days]
    care = [
        (_band(CARE_BANDS.lower, d / DAYS_PER_MONTH), _opening_segment(opening.care, i))
        for i, d in enumerate(opening.care.days)
    ]
    ends, to_care = rates.plan_ends.mean(), rates.plan_to_care.mean()
    out = {
        Flow.PLAN_ENDS: _mean([float(ends[b]) for b in plan], ends.ravel().tolist()),
        Flow.PLAN_TO_CARE: _mean([float(to_care[b]) for b in plan], to_care.ravel().tolist()),
        Flow.REFERRAL_TO_PLAN: rates.to_plan.share,
        Flow.REFERRAL_TO_CARE: rates.to_care.share,
    }
    for flow, reason in zip(CARE_ENDS, rates.care_ends, strict=True):
        mean = reason.mean()
        out[flow] = _mean([float(mean[b, s]) for b, s in care], mean.ravel().tolist())
    return out


def _opening_segment(members: StockMembers, i: int) -> int:
    if members.uasc[i]:
        return CARE_SEGMENTS.index(UASC)
    age = float(members.age_days[i])
    return _band(AGE_BANDS.lower, 0.0 if math.isnan(age) else age / DAYS_PER_YEAR)


def _mean(of_children: list[float], of_cells: list[float]) -> float:
    values = of_children or of_cells
    return sum(values) / len(values)


def _landing(edges: list[float]) -> list[list[tuple[int, int, float]]]:
    """For each step of a start: (step of the referral, lag week, share that lands here).

    Referrals are spread evenly over their step and starts evenly over their week.
    """
    steps = len(edges) - 1
    shares: list[dict[tuple[int, int], float]] = [{} for _ in range(steps)]
    for origin in range(steps):
        length = edges[origin + 1] - edges[origin]
        for week in range(MAX_LAG_WEEKS):
            for i in range(_POINTS):
                referred = edges[origin] + (i + 0.5) / _POINTS * length
                for j in range(_POINTS):
                    started = referred + (week + (j + 0.5) / _POINTS) * DAYS_PER_WEEK
                    step = bisect.bisect_right(edges, started) - 1
                    if step < steps:
                        key = (origin, week)
                        shares[step][key] = shares[step].get(key, 0.0) + 1.0 / _POINTS**2
    return [[(o, w, share) for (o, w), share in found.items()] for found in shares]


def _pipeline(rates: FlowRates, ratio: list[float], edges: list[float]) -> Table:
    """Referrals before the census that pass each lag week in each step, by source's ratio."""
    out = [[0.0] * MAX_LAG_WEEKS for _ in range(len(edges) - 1)]
    frame = rates.exposure.pipeline
    fine = _POINTS * 4
    for days_ago, source, count in zip(
        frame["days_ago"], frame["source_group"], frame["count"], strict=True
    ):
        weight = float(count) * ratio[SOURCE_GROUPS.index(source)]
        for week in range(MAX_LAG_WEEKS):
            for j in range(fine):
                lag = (week + (j + 0.5) / fine) * DAYS_PER_WEEK
                started = lag - (float(days_ago) + 0.5)
                step = bisect.bisect_right(edges, started) - 1
                if started >= 0.0 and step < len(out):
                    out[step][week] += weight / fine
    return out
