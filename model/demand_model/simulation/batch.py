"""One batch of draws through one scenario: the loop over months and steps.

Cumulative hazard adds up, and results are wanted at month ends, so a month's steps
are summed before any child is touched: the result is that of going step by step.
In each month, in this order: children who are open are exposed to the hazards of
their time since entry and age, step by step; new children enter in their steps,
exposed for half of the step of entry and all later ones; those who turned 18 leave.
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
from demand_model.simulation.entrants import EntrantMix, EntrantPool
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
_SHRINK_EVERY = 2
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
class BatchCounts:
    """Chance events of the baseline that other scenarios are coupled to; care by month."""

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


class BatchChance:
    """Chance of one batch that all scenarios share: opening allotments and entrants."""

    def __init__(
        self,
        seed: int,
        batch: int,
        draws: int,
        *,
        plans: StockMembers,
        care: StockMembers,
        plan_mix: EntrantMix,
        care_mix: EntrantMix,
        uasc_mix: EntrantMix,
    ) -> None:
        self.seed, self.batch, self.draws = seed, batch, draws
        self.plan_mix, self.care_mix, self.uasc_mix = plan_mix, care_mix, uasc_mix
        self.pool = EntrantPool(seed, batch, draws)
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
    hazards: StepHazards,
    entries: Entries,
    chance: BatchChance,
    base: BatchCounts | None,
) -> BatchResult:
    """Simulate one batch of draws; `base` holds the baseline's chance events, if any."""
    batch = _Batch(line, rates, hazards, entries, chance, base)
    ledger = _Ledger(months=len(line.months), draws=chance.draws)
    segments = np.zeros((len(line.months), len(CARE_SEGMENTS), chance.draws), np.int64)
    for month, steps in enumerate(line.blocks()):
        present, entered = batch.advance(steps)
        ledger.settle(present)
        ledger.enter(month, entered)
        segments[month] = batch.care_by_segment(line.edges[steps.stop] / DAYS_PER_MONTH)
        if month % _SHRINK_EVERY == _SHRINK_EVERY - 1:
            batch.plans.shrink()
            batch.care.shrink()
    ledger.settle({"cp": batch.plans.count(), "cla": batch.care.count()})
    return BatchResult(
        starts=ledger.starts,
        ends=ledger.ends,
        open=ledger.open,
        care_by_segment=segments,
        counts=BatchCounts(
            plans=batch.plan_counts, uasc=batch.uasc_counts, care=tuple(batch.care_counts)
        ),
    )


class _Ledger:
    """Starts, ends and stocks by month: ends are what makes the balance exact.

    Stocks are counted once a month, at the start of the next.
    """

    def __init__(self, *, months: int, draws: int) -> None:
        self.starts = {s: np.zeros((months, draws), np.int64) for s in STOCKS}
        self.ends = {s: np.zeros((months, draws), np.int64) for s in STOCKS}
        self.open = {s: np.zeros((months, draws), np.int64) for s in STOCKS}
        self._month = -1
        self._due: dict[str, IntArray] = {}

    def settle(self, present: dict[str, IntArray]) -> None:
        """Close the last month with the stocks that are there after it."""
        for stock, now in present.items():
            if self._month >= 0:
                self.ends[stock][self._month] = self._due[stock] - now
                self.open[stock][self._month] = now
            self._due[stock] = now

    def enter(self, month: int, entered: dict[str, IntArray]) -> None:
        """Open a month: children who entered in it."""
        self._month = month
        for stock, count in entered.items():
            self.starts[stock][month] = count
            self._due[stock] = self._due[stock] + count


class _Batch:
    """Working state of one batch under one scenario."""

    def __init__(
        self,
        line: Timeline,
        rates: RateDraws,
        hazards: StepHazards,
        entries: Entries,
        chance: BatchChance,
        base: BatchCounts | None,
    ) -> None:
        self.line, self.rates, self.hazards, self.entries = line, rates, hazards, entries
        self.chance, self.base = chance, base
        self.length, self.middle = line.step_months, line.middle_months
        self.care_totals = rates.care_ends.sum(axis=0)
        self.plans, self.care = chance.opening()
        self.plan_counts = family_counts(
            entries.plans,
            chance.plan_mix.siblings,
            base.plans if base else None,
            self._stream(Stream.PLANS),
        )
        self.uasc_counts = family_counts(
            entries.uasc, 0.0, base.uasc if base else None, self._stream(Stream.UASC)
        )
        self.plan_entrants, self.uasc_entrants = (
            self.plan_counts.children,
            self.uasc_counts.children,
        )
        self.care_counts: list[FamilyCounts] = []

    def _stream(self, kind: Stream, *more: int) -> np.random.Generator:
        """The baseline's own stream, or the one for what a scenario adds or takes away."""
        again = int(self.base is not None)
        return stream(self.chance.seed, self.chance.batch, kind, again, *more)

    def advance(self, steps: range) -> tuple[dict[str, IntArray], dict[str, IntArray]]:
        """Move by one month; children there at its start, and who entered, by stock and draw."""
        plan_spent = [self._plan_spent(step) for step in steps]
        care_spent = [self._care_spent(step) for step in steps]
        on_plans, to_care = self._on_plans(steps)
        present = {"cp": on_plans, "cla": self.care.count()}
        self._expose_plans(steps, plan_spent)
        self._expose_care(steps, care_spent)
        entered = {
            "cp": self._enter_plans(steps, plan_spent),
            "cla": self._enter_care(steps, care_spent, to_care),
        }
        end = self.line.edges[steps.stop] / DAYS_PER_MONTH
        self.plans.come_of_age(end)
        self.care.come_of_age(end)
        return present, entered

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

    def _on_plans(self, steps: range) -> tuple[IntArray, FloatArray]:
        """Children on plans at the month's start, and expected starts of care from them.

        Starts of care within the month follow the children on plans at its start;
        shapes (draws,) and (steps, draws).
        """
        since = self.middle[steps.start] - self.plans.entered_months
        present = self.plans.count_spans(_edges(PLAN_BANDS.index(since)))[::-1]
        drift = self.hazards.conversion_drift[int(self.line.month[steps.start])]
        a_month = (present * self.rates.plan_to_care).sum(axis=0) * drift
        lengths = self.length[steps.start : steps.stop]
        factor = self.hazards.plan_to_care[steps.start : steps.stop] * lengths
        return present.sum(axis=0), np.asarray(factor[:, None] * a_month)

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
        total = np.zeros(self.chance.draws, np.int64)
        for step in steps:
            count: IntArray = self.plan_entrants[step]
            left, ages = self._places(Stream.PLAN_ROWS, step, count, self.chance.plan_mix)
            later = spent[step - steps.start + 1 :]
            used = _total([spent[step - steps.start][0] * _HALF, *(use[0] for use in later)])
            _admit(self.plans, left - used, ages, count, self.middle[step], uasc=False)
            total = total + count
        return total

    def _enter_care(self, steps: range, spent: list[LeftArray], to_care: FloatArray) -> IntArray:
        families = family_counts(
            self.entries.care[steps.start : steps.stop] + to_care,
            self.chance.care_mix.siblings,
            self.base.care[len(self.care_counts)] if self.base else None,
            self._stream(Stream.CARE, steps.start),
        )
        self.care_counts.append(families)
        entrants = families.children
        total = np.zeros(self.chance.draws, np.int64)
        for step in steps:
            later = spent[step - steps.start :]
            own, alone = entrants[step - steps.start], self.uasc_entrants[step]
            for route, count, mix, uasc in (
                (Stream.CARE_ROWS, own, self.chance.care_mix, False),
                (Stream.UASC_ROWS, alone, self.chance.uasc_mix, True),
            ):
                left, ages = self._places(route, step, count, mix)
                used = self._used_by_entrants(step, ages, later, uasc=uasc)
                _admit(self.care, left - used, ages, count, self.middle[step], uasc=uasc)
            total = total + own + alone
        return total

    def _used_by_entrants(
        self, step: int, ages: FloatArray, spent: list[LeftArray], *, uasc: bool
    ) -> LeftArray:
        """Half of the step of entry, and the month's steps after it; shape (rows, draws)."""
        flags = np.full(len(ages), uasc)
        used = np.zeros((len(ages), self.chance.draws), dtype=np.float32)
        for later, use in enumerate(spent):
            since = float(self.middle[step + later] - self.middle[step])
            cells = care_class(np.full(len(ages), since), ages + since / 12.0, flags)
            used += use[cells] * (_HALF if later == 0 else _WHOLE)
        return used

    def _places(
        self, route: Stream, step: int, count: IntArray, mix: EntrantMix
    ) -> tuple[LeftArray, FloatArray]:
        return self.chance.pool.places(route, step, int(count.max(initial=0)), mix)

    def care_by_segment(self, now: float) -> IntArray:
        """Children in care by age group and UASC; shape (segments, draws)."""
        segment = care_segment(now / 12.0 - self.care.born_years, self.care.uasc)
        rows = [np.flatnonzero(segment == s) for s in range(len(CARE_SEGMENTS))]
        counts: IntArray = np.stack([self.care.count(r) for r in rows])
        return counts


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


def _admit(
    members: Members,
    left: LeftArray,
    ages_years: FloatArray,
    count: IntArray,
    when_months: float,
    *,
    uasc: bool,
) -> None:
    """Give each draw's entrants their rows; the first rows are filled first."""
    if len(left) == 0:
        return
    np.copyto(left, -1.0, where=np.arange(len(left))[:, None] >= count)
    members.admit(
        left,
        entered_months=np.full(len(left), when_months),
        born_years=when_months / 12.0 - ages_years,
        uasc=np.full(len(left), uasc),
    )


def care_segment(age_years: FloatArray, uasc: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Number of the segment: age group, or UASC."""
    return np.asarray(np.where(uasc, UASC_SEGMENT, AGE_BANDS.index(age_years)), dtype=np.intp)


def care_class(
    since_months: FloatArray, age_years: FloatArray, uasc: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Number of the hazard class: duration band x segment, row-major."""
    segment = care_segment(age_years, uasc)
    return np.asarray(CARE_BANDS.index(since_months) * len(CARE_SEGMENTS) + segment, np.intp)
