"""A batch of draws through scenarios whose children leave by the same hazards.

In each month, in this order: children who are open are exposed to the hazards of
their time since entry and age, step by step; new children enter, spread over the
steps, exposed for half of the step of entry and all later ones; those who turned
18 leave.

The first scenario is simulated child by child (`Leader`); of the others only the
children by whom they differ from it are (`Follower`): the same counts, for less work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demand_model.rates.draws import RateDraws
from demand_model.simulation.batch_input import BatchChance, BatchInput
from demand_model.simulation.entrant_counts import EntrantCounts
from demand_model.simulation.follower import Follower
from demand_model.simulation.leader import Leader
from demand_model.simulation.ledger import BatchResult, Ledger
from demand_model.simulation.members import Members
from demand_model.simulation.monthly import Entrants, Month, Spending, month_entrants
from demand_model.simulation.timeline import Timeline

IntArray = npt.NDArray[np.int64]


def run_batch(
    line: Timeline,
    rates: RateDraws,
    given: Sequence[BatchInput],
    chance: BatchChance,
    *,
    base: BatchResult | None = None,
    first_month: int = 0,
    keep: frozenset[int] = frozenset(),
) -> list[BatchResult]:
    """Simulate one batch of draws under scenarios of the same exit hazards.

    Parameters
    ----------
    given
        One a scenario; where `base` is ``None`` the first is the baseline.
    base
        The baseline, whose chance events these scenarios share.
    first_month
        First month in which any differs from the baseline: those before are its own.
    keep
        Months at whose start the first scenario's state is kept, for scenarios that
        begin there.
    """
    run = _Group(line, rates, given, chance, base, first_month)
    states = {}
    for number in range(first_month, len(line.months)):
        if number in keep:
            states[number] = run.leader.copy()
        run.advance(number)
    return [
        ledger.result(counts.counts(), states if number == 0 else {})
        for number, (ledger, counts) in enumerate(zip(run.ledgers, run.counts, strict=True))
    ]


class _Group:
    """Working state of scenarios that share their exit hazards."""

    def __init__(
        self,
        line: Timeline,
        rates: RateDraws,
        given: Sequence[BatchInput],
        chance: BatchChance,
        base: BatchResult | None,
        first_month: int,
    ) -> None:
        self._line, self._rates, self._chance = line, rates, chance
        self._blocks, self._middle = line.blocks(), line.middle_months
        self._has_own_base = base is None
        counts = None if base is None else base.counts
        lead = EntrantCounts(line, given[0], chance, counts, first_month)
        others = lead.counts() if counts is None else counts
        self.counts = [
            lead,
            *(EntrantCounts(line, one, chance, others, first_month) for one in given[1:]),
        ]
        self.leader = _opening(chance, base, first_month)
        self._followers = [Follower(chance.draws) for _ in given[1:]]
        self._spending = Spending(line, rates, given[0].hazards)
        self._on_plans = self._plans_by_band(first_month)
        care = self.leader.in_care()
        self.ledgers = [
            Ledger(line, chance.draws, base, plans=plans.sum(axis=0), care=care)
            for plans in self._on_plans
        ]

    def _plans_by_band(self, month: int) -> list[IntArray]:
        """Children on plans under each scenario, by band at the month's first step."""
        when = float(self._middle[self._blocks[min(month, len(self._blocks) - 1)].start])
        lead = self.leader.plans_by_band(when)
        return [lead, *(lead + f.plans_by_band(when) for f in self._followers)]

    def advance(self, number: int) -> None:
        """Move all scenarios by one month."""
        month = self._spending.month(number)
        plans, uasc = ([getattr(c, r)[number] for c in self.counts] for r in ("plans", "uasc"))
        care = self._care_counts(number)
        self.leader.expose(month)
        for follower in self._followers:
            follower.expose(month)
        self._enter(month, plans, care, uasc)
        self.leader.close(month)
        for follower in self._followers:
            follower.close(month)
        self._record(month, plans, [a + b for a, b in zip(care, uasc, strict=True)])
        self.leader.tidy(month)

    def _care_counts(self, number: int) -> list[IntArray]:
        """Those who enter care under each scenario, UASC apart."""
        rate = self._rates.plan_to_care
        lead = self.counts[0].care(number, self._on_plans[0], rate)
        base = self.counts[0].care_of(number) if self._has_own_base else None
        rest = zip(self.counts[1:], self._on_plans[1:], strict=True)
        return [lead, *(counts.care(number, plans, rate, base) for counts, plans in rest)]

    def _enter(
        self, month: Month, plans: list[IntArray], care: list[IntArray], uasc: list[IntArray]
    ) -> None:
        def most(counts: list[IntArray]) -> int:
            return max(int(count.max(initial=0)) for count in counts)

        on_plans, own, alone = month_entrants(
            self._chance, month, plans=most(plans), care=most(care), uasc=most(uasc)
        )
        routes: list[tuple[str, Entrants, list[IntArray]]] = [
            ("plans", on_plans, plans),
            ("care", own, care),
            ("care", alone, uasc),
        ]
        for stock, entrants, counts in routes:
            enter = self.leader.enter_plans if stock == "plans" else self.leader.enter_care
            enter(entrants, counts[0])
            for follower, count in zip(self._followers, counts[1:], strict=True):
                differences = follower.plans if stock == "plans" else follower.care
                differences.enter(entrants, count, counts[0])

    def _record(self, month: Month, plans: list[IntArray], care: list[IntArray]) -> None:
        self._on_plans = self._plans_by_band(month.number + 1)
        lead = self.leader.care_by_segment(month.end)
        segments = [lead, *(lead + f.care_by_segment(month.end) for f in self._followers)]
        for i, ledger in enumerate(self.ledgers):
            entered = {"cp": plans[i], "cla": care[i]}
            after = {"cp": self._on_plans[i].sum(axis=0), "cla": segments[i].sum(axis=0)}
            ledger.record(month.number, entered, after, segments[i])


def _opening(chance: BatchChance, base: BatchResult | None, first_month: int) -> Leader:
    """Children at the start of `first_month`."""
    if base is None or first_month == 0:
        return Leader(*chance.opening())
    if first_month in base.states:
        return base.states[first_month].copy()
    return Leader(Members(chance.draws), Members(chance.draws))  # nothing differs in the horizon
