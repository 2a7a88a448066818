"""One batch of draws through one scenario: the step loop.

In each step, in this order: children who are open are exposed to the hazards of
their time since entry and age; those who turn 18 leave; new children enter and
are exposed for the half step that they are there on average.
"""

from __future__ import annotations

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
_SHRINK_EVERY = 8


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
    """Chance events of the baseline that other scenarios are coupled to."""

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
    for step in range(line.steps):
        month = int(line.month[step])
        span = Span(
            begin=line.edges[step] / DAYS_PER_MONTH, end=line.edges[step + 1] / DAYS_PER_MONTH
        )
        present, entered = batch.advance(step, span)
        ledger.settle(present)
        ledger.enter(month, entered)
        if step + 1 == line.steps or line.month[step + 1] != month:
            segments[month] = batch.care_by_segment(span.end)
        if step % _SHRINK_EVERY == _SHRINK_EVERY - 1:
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

    Stocks are counted at the start of the next step, once.
    """

    def __init__(self, *, months: int, draws: int) -> None:
        self.starts = {s: np.zeros((months, draws), np.int64) for s in STOCKS}
        self.ends = {s: np.zeros((months, draws), np.int64) for s in STOCKS}
        self.open = {s: np.zeros((months, draws), np.int64) for s in STOCKS}
        self._month = -1
        self._due: dict[str, IntArray] = {}

    def settle(self, present: dict[str, IntArray]) -> None:
        """Close the last step with the stocks that are there after it."""
        for stock, now in present.items():
            if self._month >= 0:
                self.ends[stock][self._month] += self._due[stock] - now
                self.open[stock][self._month] = now
            self._due[stock] = now

    def enter(self, month: int, entered: dict[str, IntArray]) -> None:
        """Open a step: children who entered in it."""
        self._month = month
        for stock, count in entered.items():
            self.starts[stock][month] += count
            self._due[stock] = self._due[stock] + count


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A step in months since the census date."""

    begin: float
    end: float

    @property
    def length(self) -> float:
        """Length in months."""
        return self.end - self.begin

    @property
    def middle(self) -> float:
        """Middle of the step."""
        return (self.begin + self.end) / 2.0


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
        self.care_counts: list[FamilyCounts] = []

    def _stream(self, kind: Stream, *more: int) -> np.random.Generator:
        """The baseline's own stream, or the one for what a scenario adds or takes away."""
        again = int(self.base is not None)
        return stream(self.chance.seed, self.chance.batch, kind, again, *more)

    def advance(self, step: int, span: Span) -> tuple[dict[str, IntArray], dict[str, IntArray]]:
        """Move by one step; children there at its start, and who entered, by stock and draw."""
        on_plans, from_plans = self._expose_plans(step, span)
        present = {"cp": on_plans, "cla": self.care.count()}
        self._expose_care(step, span)
        self.plans.come_of_age(span.begin, span.end)
        self.care.come_of_age(span.begin, span.end)
        plans, care = self._enter_plans(step, span), self._enter_care(step, span, from_plans)
        return present, {"cp": plans, "cla": care}

    def _expose_plans(self, step: int, span: Span) -> tuple[IntArray, FloatArray]:
        """Expose children on plans; how many there are, and expected starts of care from them."""
        since = span.middle - self.plans.entered_months
        by_band = np.bincount(PLAN_BANDS.index(since), minlength=N_PLAN)[::-1]
        edges = np.append(0, np.cumsum(by_band)).astype(np.intp)
        drift = self.hazards.conversion_drift[int(self.line.month[step])]
        to_care = self.rates.plan_to_care * (drift * self.hazards.plan_to_care[step] * span.length)
        present = self.plans.count_spans(edges)[::-1]
        self.plans.expose_by_span(self._plan_spent(step, span.length)[::-1], edges)
        return present.sum(axis=0), np.asarray((present * to_care).sum(axis=0))

    def _plan_spent(self, step: int, length: float) -> LeftArray:
        """Hazard times length by band; shape (bands, draws)."""
        drift = self.hazards.plan_drift[int(self.line.month[step])]
        factor = drift * (self.hazards.plan_ends[step] * length)
        return np.asarray(self.rates.plan_ends * factor, dtype=np.float32)

    def _expose_care(self, step: int, span: Span) -> None:
        age = span.middle / 12.0 - self.care.born_years
        since = span.middle - self.care.entered_months
        cells = care_class(since, age, self.care.uasc)
        self.care.expose_by_row(self._care_spent(step, span.length), cells)

    def _care_spent(self, step: int, length: float) -> LeftArray:
        """Hazard times length by class; shape (bands x segments, draws)."""
        by_reason = self.hazards.care_ends[step]
        if np.ptp(by_reason) == 0.0:
            total = self.care_totals
            scale = by_reason[0]
        else:
            total, scale = np.tensordot(by_reason, self.rates.care_ends, axes=1), 1.0
        factor = self.hazards.care_drift[int(self.line.month[step])] * (length * scale)
        by_class = (total * factor).reshape(-1, self.chance.draws)
        return np.asarray(by_class, dtype=np.float32)

    def _enter_plans(self, step: int, span: Span) -> IntArray:
        count: IntArray = self.plan_counts.children[step]
        half = self._plan_spent(step, span.length / 2.0)[0]
        left, ages = self._places(Stream.PLAN_ROWS, step, count, self.chance.plan_mix)
        _admit(self.plans, left - half, ages, count, span.middle, uasc=False)
        return count

    def _enter_care(self, step: int, span: Span, from_plans: FloatArray) -> IntArray:
        families = family_counts(
            self.entries.care[step] + from_plans,
            self.chance.care_mix.siblings,
            self.base.care[step] if self.base else None,
            self._stream(Stream.CARE, step),
        )
        self.care_counts.append(families)
        spent = self._care_spent(step, span.length / 2.0)
        own, alone = families.children, self.uasc_counts.children[step]
        left, ages = self._places(Stream.CARE_ROWS, step, own, self.chance.care_mix)
        first = care_class(np.zeros(len(ages)), ages, np.zeros(len(ages), dtype=bool))
        _admit(self.care, left - spent[first], ages, own, span.middle, uasc=False)
        left, ages = self._places(Stream.UASC_ROWS, step, alone, self.chance.uasc_mix)
        _admit(self.care, left - spent[UASC_SEGMENT], ages, alone, span.middle, uasc=True)
        return np.asarray(own + alone)

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
    left[np.arange(len(left))[:, None] >= count] = -1.0
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
