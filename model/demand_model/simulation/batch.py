"""One batch of draws through one scenario: the loop over months and steps.

Cumulative hazard adds up, and results are wanted at month ends, so a month's steps
are summed before any child is touched: the result is that of going step by step.
In each month, in this order: children who are open are exposed to the hazards of
their time since entry and age, step by step; new children enter, spread over the
steps, exposed for half of the step of entry and all later ones; those who turned
18 leave.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import AGE_BANDS, CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS
from demand_model.exposure.opening import StockMembers
from demand_model.rates.draws import UASC_SEGMENT, RateDraws
from demand_model.simulation.chance import FamilyCounts, family_counts
from demand_model.simulation.entrants import EntrantMix, EntrantPool, Places
from demand_model.simulation.members import (
    LeftArray,
    Members,
    allot,
    joining_chance,
    leave_together,
)
from demand_model.simulation.streams import Stream, stream
from demand_model.simulation.timeline import Timeline
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STOCKS = ("cp", "cla")
N_PLAN = len(PLAN_BANDS)
_HALF, _WHOLE = np.float32(0.5), np.float32(1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepHazards:
    """Multipliers of exit rates: by step (scenario) and by month and draw (drift).

    Attributes
    ----------
    plan_ends, plan_to_care
        Shape (steps,).
    care_ends
        Shape (steps, reasons).
    plan_drift, care_drift, conversion_drift
        Shape (months, draws).
    """

    plan_ends: FloatArray
    care_ends: FloatArray
    plan_to_care: FloatArray
    plan_drift: FloatArray
    care_drift: FloatArray
    conversion_drift: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Expected entrants by step and draw, before care from plans is added."""

    plans: FloatArray
    care: FloatArray
    uasc: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchInput:
    """What one scenario asks of a batch: expected entrants and multipliers of hazards."""

    entries: Entries
    hazards: StepHazards

    def first_change(self, other: BatchInput, line: Timeline) -> int:
        """Number of the first month in which this differs from `other`; months if none does."""
        mine = (*_by_step(self.entries), *_by_step(self.hazards))
        theirs = (*_by_step(other.entries), *_by_step(other.hazards))
        differs = np.zeros(line.steps, dtype=bool)
        for one, two in zip(mine, theirs, strict=True):
            differs |= (one != two).reshape(line.steps, -1).any(axis=1)
        return int(line.month[np.argmax(differs)]) if differs.any() else len(line.months)


def _by_step(part: Entries | StepHazards) -> tuple[FloatArray, ...]:
    """The arrays of a scenario's own; drift is common to all scenarios."""
    if isinstance(part, Entries):
        return part.plans, part.care, part.uasc
    return part.plan_ends, part.care_ends, part.plan_to_care


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchCounts:
    """Entrants of the baseline by month, which other scenarios are coupled to."""

    plans: FamilyCounts
    uasc: FamilyCounts
    care: tuple[FamilyCounts, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchResult:
    """Counts by month and draw, by stock ("cp", "cla"); stocks at month ends."""

    starts: dict[str, IntArray]
    ends: dict[str, IntArray]
    open: dict[str, IntArray]
    care_by_segment: IntArray
    counts: BatchCounts
    states: dict[int, tuple[Members, Members]]
    """Plans and care at the start of the months asked for."""


class BatchChance:
    """Chance of one batch that all scenarios share: opening allotments and entrants."""

    def __init__(
        self,
        seed: int,
        batch: int,
        draws: int,
        line: Timeline,
        *,
        plans: StockMembers,
        care: StockMembers,
        plan_mix: EntrantMix,
        care_mix: EntrantMix,
        uasc_mix: EntrantMix,
    ) -> None:
        self.seed, self.batch, self.draws = seed, batch, draws
        self.plan_mix, self.care_mix, self.uasc_mix = plan_mix, care_mix, uasc_mix
        self.pool = EntrantPool(seed, batch, draws, line)
        self._plans = self._opening(plans, plan_mix.end_dispersion, Stream.PLAN_OPENING)
        self._care = self._opening(care, care_mix.end_dispersion, Stream.CARE_OPENING)

    def _opening(self, stock: StockMembers, dispersion: float, kind: Stream) -> Members:
        """Children at the census date, longest open first."""
        rng = stream(self.seed, self.batch, kind)
        order = np.argsort(-stock.days, kind="stable")
        groups = stock.together[order]
        size = np.bincount(groups, minlength=1)
        pairs = float((size * (size - 1)).sum() / max(size.sum(), 1))
        together = leave_together(groups, joining_chance(pairs, dispersion), rng)
        members = Members(self.draws)
        members.admit(
            allot(len(order), self.draws, together, rng),
            entered_months=-stock.days[order] / DAYS_PER_MONTH,
            born_years=-stock.age_days[order] / DAYS_PER_YEAR,
            uasc=stock.uasc[order],
        )
        return members

    def opening(self) -> tuple[Members, Members]:
        """Fresh copies of the opening plans and care."""
        return self._plans.copy(), self._care.copy()


def run_batch(
    line: Timeline,
    rates: RateDraws,
    given: BatchInput,
    chance: BatchChance,
    *,
    base: BatchResult | None = None,
    first_month: int = 0,
    keep: frozenset[int] = frozenset(),
) -> BatchResult:
    """Simulate one batch of draws under one scenario.

    Parameters
    ----------
    base
        The baseline, whose chance events this scenario shares; ``None`` for itself.
    first_month
        First month that differs from the baseline: those before are its own.
    keep
        Months at whose start the state is kept, for scenarios that begin there.
    """
    batch = _Batch(line, rates, given, chance, base, first_month)
    ledger = _Ledger(months=len(line.months), draws=chance.draws, base=base)
    states = {}
    blocks = line.blocks()
    on_plans = batch.plans_by_band(blocks[min(first_month, len(blocks) - 1)])
    before = {"cp": on_plans.sum(axis=0), "cla": batch.care.count()}
    for month, steps in enumerate(blocks[first_month:], start=first_month):
        if month in keep:
            states[month] = (batch.plans.copy(), batch.care.copy())
        entered = batch.advance(steps, on_plans)
        segments = batch.care_by_segment(line.edges[steps.stop] / DAYS_PER_MONTH)
        on_plans = batch.plans_by_band(blocks[min(month + 1, len(blocks) - 1)])
        after = {"cp": on_plans.sum(axis=0), "cla": segments.sum(axis=0)}
        ledger.record(month, before, entered, after, segments)
        before = after
        batch.plans.shrink()
        batch.care.shrink()
    return BatchResult(
        starts=ledger.starts,
        ends=ledger.ends,
        open=ledger.open,
        care_by_segment=ledger.segments,
        counts=BatchCounts(
            plans=batch.plan_counts, uasc=batch.uasc_counts, care=tuple(batch.care_counts)
        ),
        states=states,
    )


class _Ledger:
    """Starts, ends and stocks by month: ends are what makes the balance exact."""

    def __init__(self, *, months: int, draws: int, base: BatchResult | None) -> None:
        empty = np.zeros((months, draws), np.int64)
        if base is None:
            self.starts, self.ends, self.open = ({s: empty.copy() for s in STOCKS} for _ in "123")
            self.segments = np.zeros((months, len(CARE_SEGMENTS), draws), np.int64)
        else:
            self.starts, self.ends, self.open = (
                {s: kind[s].copy() for s in STOCKS} for kind in (base.starts, base.ends, base.open)
            )
            self.segments = base.care_by_segment.copy()

    def record(
        self,
        month: int,
        before: dict[str, IntArray],
        entered: dict[str, IntArray],
        after: dict[str, IntArray],
        segments: IntArray,
    ) -> None:
        """Enter one month."""
        for stock in STOCKS:
            self.starts[stock][month] = entered[stock]
            self.ends[stock][month] = before[stock] + entered[stock] - after[stock]
            self.open[stock][month] = after[stock]
        self.segments[month] = segments


class _Batch:
    """Working state of one batch under one scenario."""

    def __init__(
        self,
        line: Timeline,
        rates: RateDraws,
        given: BatchInput,
        chance: BatchChance,
        base: BatchResult | None,
        first_month: int,
    ) -> None:
        self.line, self.rates, self.chance = line, rates, chance
        self.hazards, self.entries = given.hazards, given.entries
        self.base = None if base is None else base.counts
        self.length, self.middle = line.step_months, line.middle_months
        self.care_totals = rates.care_ends.sum(axis=0)
        if base is None or first_month == 0:
            self.plans, self.care = chance.opening()
        elif first_month in base.states:
            self.plans, self.care = (state.copy() for state in base.states[first_month])
        else:  # nothing differs within the horizon
            self.plans, self.care = Members(chance.draws), Members(chance.draws)
        self.care_means = _by_month(self.entries.care, line)
        self.plan_counts = family_counts(
            _by_month(self.entries.plans, line),
            chance.plan_mix.siblings,
            self.base.plans if self.base else None,
            self._stream(Stream.PLANS),
        )
        self.uasc_counts = family_counts(
            _by_month(self.entries.uasc, line),
            0.0,
            self.base.uasc if self.base else None,
            self._stream(Stream.UASC),
        )
        self.plan_entrants, self.uasc_entrants = (
            self.plan_counts.children,
            self.uasc_counts.children,
        )
        self.care_counts: list[FamilyCounts] = (
            list(self.base.care[:first_month]) if self.base else []
        )

    def _stream(self, kind: Stream, *more: int) -> np.random.Generator:
        """The baseline's own stream, or the one for what a scenario adds or takes away."""
        again = int(self.base is not None)
        return stream(self.chance.seed, self.chance.batch, kind, again, *more)

    def plans_by_band(self, steps: range) -> IntArray:
        """Children on plans now, by their band at the first of `steps`; shape (bands, draws)."""
        since = self.middle[steps.start] - self.plans.entered_months
        return self.plans.count_spans(_edges(PLAN_BANDS.index(since)))[::-1]

    def advance(self, steps: range, on_plans: IntArray) -> dict[str, IntArray]:
        """Move by one month; children who entered, by stock and draw.

        `on_plans` counts those on plans at its start, from `plans_by_band`.
        """
        plan_spent = [self._plan_spent(step) for step in steps]
        care_spent = [self._care_spent(step) for step in steps]
        to_care = self._care_from_plans(steps, on_plans)
        self._expose_plans(steps, plan_spent)
        self._expose_care(steps, care_spent)
        entered = {
            "cp": self._enter_plans(steps, plan_spent),
            "cla": self._enter_care(steps, care_spent, to_care),
        }
        end = self.line.edges[steps.stop] / DAYS_PER_MONTH
        self.plans.come_of_age(end)
        self.care.come_of_age(end)
        return entered

    def _plan_spent(self, step: int) -> LeftArray:
        """Hazard times length of a step by band; shape (bands, draws)."""
        drift = self.hazards.plan_drift[int(self.line.month[step])]
        factor = drift * (self.hazards.plan_ends[step] * self.length[step])
        return np.asarray(self.rates.plan_ends * factor, dtype=np.float32)

    def _care_spent(self, step: int) -> LeftArray:
        """Hazard times length of a step by class; shape (bands x segments, draws)."""
        by_reason = self.hazards.care_ends[step]
        if np.ptp(by_reason) == 0.0:
            total, scale = self.care_totals, by_reason[0]
        else:
            total, scale = np.tensordot(by_reason, self.rates.care_ends, axes=1), 1.0
        factor = self.hazards.care_drift[int(self.line.month[step])] * (self.length[step] * scale)
        by_class = (total * factor).reshape(-1, self.chance.draws)
        return np.asarray(by_class, dtype=np.float32)

    def _care_from_plans(self, steps: range, on_plans: IntArray) -> FloatArray:
        """Expected starts of care from plans; shape (steps, draws).

        Within a month they follow the children on plans at its start.
        """
        drift = self.hazards.conversion_drift[int(self.line.month[steps.start])]
        a_month = (on_plans * self.rates.plan_to_care).sum(axis=0) * drift
        lengths = self.length[steps.start : steps.stop]
        factor = self.hazards.plan_to_care[steps.start : steps.stop] * lengths
        return np.asarray(factor[:, None] * a_month)

    def _expose_plans(self, steps: range, spent: list[LeftArray]) -> None:
        """Expose children on plans for all steps of a month in one pass.

        Rows are in order of entry, so each step's bands are runs of rows; between
        any two bounds of any step the sum over steps is the same for every row.
        """
        bands = [PLAN_BANDS.index(self.middle[s] - self.plans.entered_months) for s in steps]
        bounds = np.unique(np.concatenate([_edges(band) for band in bands]))
        for low, high in itertools.pairwise(bounds):
            total = _total([use[band[low]] for use, band in zip(spent, bands, strict=True)])
            self.plans.expose_span(slice(int(low), int(high)), total)

    def _expose_care(self, steps: range, spent: list[LeftArray]) -> None:
        """Expose children in care for all steps of a month in one pass.

        Most keep their class all month; those who do not are summed step by step.
        """
        cells = [self._care_cells(step) for step in steps]
        moved = np.flatnonzero(np.any([c != cells[0] for c in cells[1:]], axis=0))
        own = _total([use[c[moved]] for use, c in zip(spent, cells, strict=True)])
        self.care.expose_by_row(_total(spent), cells[0], moved, own)

    def _care_cells(self, step: int) -> npt.NDArray[np.intp]:
        now = self.middle[step]
        return care_class(
            now - self.care.entered_months, now / 12.0 - self.care.born_years, self.care.uasc
        )

    def _enter_plans(self, steps: range, spent: list[LeftArray]) -> IntArray:
        month = int(self.line.month[steps.start])
        count: IntArray = self.plan_entrants[month]
        places = self._places(Stream.PLAN_ROWS, month, count, self.chance.plan_mix)
        used = np.stack([_half_then(n, [use[0] for use in spent]) for n in range(len(steps))])
        self._admit(self.plans, places, used[places.step], count, steps, uasc=False)
        return count

    def _enter_care(self, steps: range, spent: list[LeftArray], to_care: FloatArray) -> IntArray:
        month = int(self.line.month[steps.start])
        families = family_counts(
            self.care_means[month] + to_care.sum(axis=0),
            self.chance.care_mix.siblings,
            self.base.care[month] if self.base else None,
            self._stream(Stream.CARE, month),
        )
        self.care_counts.append(families)
        own, alone = families.children, self.uasc_entrants[month]
        for route, count, mix, uasc in (
            (Stream.CARE_ROWS, own, self.chance.care_mix, False),
            (Stream.UASC_ROWS, alone, self.chance.uasc_mix, True),
        ):
            places = self._places(route, month, count, mix)
            used = self._used_by_entrants(places, steps, spent, uasc=uasc)
            self._admit(self.care, places, used, count, steps, uasc=uasc)
        return np.asarray(own + alone)

    def _used_by_entrants(
        self, places: Places, steps: range, spent: list[LeftArray], *, uasc: bool
    ) -> LeftArray:
        """Half of the step of entry, and the month's steps after it; shape (places, draws)."""
        used = np.zeros_like(places.left)
        for later, step in enumerate(steps):
            rows = np.flatnonzero(places.step <= later)
            entered = self.middle[steps.start + places.step[rows]]
            since = self.middle[step] - entered
            ages = places.ages_years[rows] + since / 12.0
            cells = care_class(since, ages, np.full(len(rows), uasc))
            share = np.where(places.step[rows] == later, _HALF, _WHOLE)
            used[rows] += spent[later][cells] * share[:, None]
        return used

    def _places(self, route: Stream, month: int, count: IntArray, mix: EntrantMix) -> Places:
        return self.chance.pool.places(route, month, int(count.max(initial=0)), mix)

    def _admit(
        self,
        members: Members,
        places: Places,
        used: LeftArray,
        count: IntArray,
        steps: range,
        *,
        uasc: bool,
    ) -> None:
        """Let each draw's entrants take their places, the first ones first, in order of entry."""
        if len(places.step) == 0:
            return
        left = places.left - used
        np.copyto(left, -1.0, where=np.arange(len(left))[:, None] >= count)
        order = np.argsort(places.step, kind="stable")
        entered = self.middle[steps.start + places.step[order]]
        members.admit(
            left[order],
            entered_months=entered,
            born_years=entered / 12.0 - places.ages_years[order],
            uasc=np.full(len(order), uasc),
        )

    def care_by_segment(self, now: float) -> IntArray:
        """Children in care by age group and UASC; shape (segments, draws)."""
        segment = care_segment(now / 12.0 - self.care.born_years, self.care.uasc)
        return self.care.count_groups(segment, len(CARE_SEGMENTS))


def _total(parts: list[LeftArray]) -> LeftArray:
    """Sum of arrays of one shape."""
    out = parts[0].copy()
    for part in parts[1:]:
        out += part
    return out


def _edges(band: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Bounds of the runs of rows by band, last band first; shape (bands + 1,)."""
    by_band = np.bincount(band, minlength=N_PLAN)[::-1]
    return np.asarray(np.append(0, np.cumsum(by_band)), dtype=np.intp)


def _half_then(step: int, spent: list[LeftArray]) -> LeftArray:
    """Half of what is used up in `step`, and all of what is in later ones; shape (draws,)."""
    return _total([spent[step] * _HALF, *spent[step + 1 :]])


def _by_month(by_step: FloatArray, line: Timeline) -> FloatArray:
    """Sums over the steps of each month; shape (months, draws)."""
    return np.asarray(np.add.reduceat(by_step, [b.start for b in line.blocks()], axis=0))


def care_segment(age_years: FloatArray, uasc: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Number of the segment: age group, or UASC."""
    return np.asarray(np.where(uasc, UASC_SEGMENT, AGE_BANDS.index(age_years)), dtype=np.intp)


def care_class(
    since_months: FloatArray, age_years: FloatArray, uasc: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Number of the hazard class: duration band x segment, row-major."""
    segment = care_segment(age_years, uasc)
    return np.asarray(CARE_BANDS.index(since_months) * len(CARE_SEGMENTS) + segment, np.intp)
