"""The system beside the children: what the front door, workers and causal links do to flows.

Lays `demand_model.system.SystemModule` over the steps of a simulation. Plans and care
come from the simulation, as they stand at the month's start; referrals step by step;
everything else is a stock of the module. What is kept of a month is read at its end,
with the plans and care of that day. Follows several scenarios at once where nothing
acts back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.dynamics.evaluate import Value
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow
from demand_model.rates.intake_prior import NATIONAL_INTAKE
from demand_model.simulation.effects import PlacesEffect, SystemEffect
from demand_model.simulation.feedback import MonthFactors
from demand_model.simulation.scenario import AddPlaces, Scenario
from demand_model.simulation.timeline import Timeline
from demand_model.system.inputs import SystemInputs
from demand_model.system.links import CausalLink
from demand_model.system.module import StepInputs, SystemModule, SystemStep, active_links
from demand_model.system.opening import SystemOpening
from demand_model.units import MONTHS_PER_YEAR, working_days_in_months

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SYSTEM_MEASURES = (
    "assessments_open",
    "cin_open",
    "cases",
    "workers",
    "permanent_workers",
    "agency_workers",
    "caseload",
    "ideal_caseload",
    "vacancies",
    "vacancy_share",
    "spare_places",
    "occupancy",
)
"""What is kept of the system by month, where it has a value: at the month's end."""

_FEWEST_REFERRALS = 1e-9
_STOCKS = ("plans", "care")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class System:
    """What a simulation is told of the system around the children.

    Attributes
    ----------
    inputs
        Links, workforce, front door and places.
    nfa_share
        Referrals closed without action; ``None``: as the lists have it.
    placed_share
        Share of children in care who live in the authority's own places; needed
        only where their number is given.
    assessments_open, cin_open
        As counted at the census date; ``None``: in balance with referrals.
    new_places
        Own places that are added whatever a scenario's changes say, by its name; under "":
        in every scenario.
    """

    inputs: SystemInputs = field(default_factory=SystemInputs)
    nfa_share: float | None = None
    placed_share: float | None = None
    assessments_open: float | None = None
    cin_open: float | None = None
    new_places: Mapping[str, tuple[AddPlaces, ...]] = field(default_factory=dict)

    @property
    def has_places(self) -> bool:
        """Whether the number of the authority's own places is given."""
        return self.inputs.placements.places is not None

    def laid_upon(self, scenario: Scenario) -> Scenario:
        """The scenario with the places that the system adds in it."""
        names = dict.fromkeys(("", scenario.name))
        added = tuple(one for name in names for one in self.new_places.get(name, ()))
        return replace(scenario, changes=(*scenario.changes, *added)) if added else scenario

    @property
    def links(self) -> tuple[CausalLink, ...]:
        """Links that act.

        Raises
        ------
        InvalidSettingError
            One of them is faulty, or its driver or target has no value.
        """
        return active_links(self.inputs, has_places=self.has_places)

    def opening(
        self, *, referrals_a_month: Value, cp_open: Value, cla_open: Value
    ) -> SystemOpening:
        """Where it stands at the census date.

        Parameters
        ----------
        referrals_a_month
            On average over a year.
        cp_open, cla_open
            Children on plans and in care.
        """
        return SystemOpening(
            referrals_a_month=referrals_a_month,
            cp_open=cp_open,
            cla_open=cla_open,
            nfa_share=self.nfa_share or 0.0,
            assessments_open=self.assessments_open,
            cin_open=self.cin_open,
            placed_share=self.placed_share,
        )


class SystemFeedback:
    """One run of the system beside a batch of draws. Implements `feedback.Feedback`.

    Parameters
    ----------
    system
        As given for the run.
    line
        The steps.
    referrals
        Expected referrals by step before anything acts back; shape (steps, draws).
    plans, care
        Children at the census date.
    change
        What a scenario does to the system.
    average
        Referrals a month on average at the census date, shape (draws,): the same for
        all scenarios.
    """

    def __init__(
        self,
        system: System,
        line: Timeline,
        referrals: FloatArray,
        *,
        plans: float,
        care: float,
        average: FloatArray,
        change: SystemEffect | None = None,
    ) -> None:
        self._line, self._blocks, self._length = line, line.blocks(), line.step_months
        self._a_month = referrals / self._length[:, None]
        self._change = change or SystemEffect(by_target={}, posts_a_month=np.zeros(line.steps))
        self._places = system.inputs.placements.places
        if self._change.acts and system.inputs.workforce is None and self._change.needs_workforce:
            raise InvalidSettingError(
                "Invalid change of workers: the system has no workforce. It must be filled in."
            )
        opening = system.opening(referrals_a_month=average, cp_open=plans, cla_open=care)
        self._module = SystemModule(system.inputs, opening)
        self._now: SystemStep = self._module.begin()
        self.measures: dict[str, list[FloatArray]] = {}

    def month(self, number: int, plans: IntArray, care: IntArray) -> MonthFactors:
        """Move on by a month; see `feedback.Feedback`."""
        if number:
            self._keep(plans, care)
        steps, draws = self._blocks[number], self._a_month.shape[1]
        moved = {flow: np.empty((len(steps), draws)) for flow in self._module.driven}
        on_plans, in_care = plans.astype(float), care.astype(float)
        for row, step in enumerate(steps):
            now, a_month = self._now, self._a_month[step]
            returning = now.returning_a_month / np.maximum(a_month, _FEWEST_REFERRALS)
            for flow, by_step in moved.items():
                factor = now.multipliers[flow]
                if flow is Flow.REFERRALS:
                    factor = factor + returning
                np.maximum(factor, 0.0, out=by_step[row])
            arriving = np.maximum(
                a_month * now.multipliers[Flow.REFERRALS] + now.returning_a_month, 0.0
            )
            own_places, moved_in = self._own_places(step, care)
            given = StepInputs(
                referrals_a_month=arriving,
                cp_open=on_plans,
                cla_open=in_care,
                places=own_places,
                moved_in=moved_in,
                posts_added=float(self._change.posts_a_month[step]),
                levers={t: float(by[step]) for t, by in self._change.by_target.items()},
            )
            self._now = self._module.advance(now, given, float(self._length[step]))
        return MonthFactors(by_flow=moved)

    def _own_places(self, step: int, care: IntArray) -> tuple[Value | None, Value]:
        """Own places in a step, ``None`` as at the census date, and who moved into them."""
        effect = self._change.places
        if effect is None or self._places is None:
            return None, 0.0
        moved_in = effect.moved_in[step] + effect.moved_share[step] * care
        return self._places + effect.added[step], moved_in

    def _keep(self, plans: IntArray, care: IntArray) -> None:
        """Keep what the month that ends came to."""
        values = self._module.measures(
            self._now, cp_open=plans.astype(float), cla_open=care.astype(float)
        )
        for name in SYSTEM_MEASURES:
            if name in values:
                kept = np.array(np.broadcast_to(values[name], plans.shape), dtype=float)
                self.measures.setdefault(name, []).append(kept)

    def series(self, plans: IntArray, care: IntArray) -> dict[str, FloatArray]:
        """End the last month, and return what is kept by name; shape (months, draws).

        Parameters
        ----------
        plans, care
            Children on plans and in care at the last month's end; shape (draws,).
        """
        self._keep(plans, care)
        return {name: np.stack(months) for name, months in self.measures.items()}


def average_referrals(line: Timeline, referrals: FloatArray) -> FloatArray:
    """Referrals a month over the first year, so that a season is no change; shape (draws,).

    ``sum of referrals / (12 * share of a year's usual referrals that these steps hold)``

    A horizon of less than a year stands for a whole one by working days and England's
    profile of the year (`demand_model.rates.intake_prior`).

    Parameters
    ----------
    referrals
        Expected referrals by step; shape (steps, draws).
    """
    year = pd.period_range(line.months[0], periods=MONTHS_PER_YEAR, freq="M")
    usual = working_days_in_months(year) * np.exp(NATIONAL_INTAKE.log_profile)[year.month - 1]
    within = line.middle_months < MONTHS_PER_YEAR
    number = line.month[within] % MONTHS_PER_YEAR
    share = (line.working_share[within] * usual[number]).sum() / usual.sum()
    return np.asarray(referrals[within].sum(axis=0) / (MONTHS_PER_YEAR * share))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """A scenario that the system follows without acting back.

    Attributes
    ----------
    referrals
        By step; shape (steps, draws).
    plans, care
        At the census date and each month's end; shape (months + 1, draws).
    places
        Own places that it adds; ``None``: none.
    """

    referrals: FloatArray
    plans: IntArray
    care: IntArray
    places: PlacesEffect | None = None


def follow(
    system: System, line: Timeline, scenarios: Sequence[Followed], average: FloatArray
) -> list[Mapping[str, FloatArray]]:
    """What the system comes to under scenarios in which nothing acts back.

    All scenarios are followed in one pass, side by side as if they were draws.

    Parameters
    ----------
    average
        As in `SystemFeedback`; shape (draws,).
    """
    if not scenarios:
        return []
    draws = len(average)
    run = SystemFeedback(
        system,
        line,
        np.concatenate([s.referrals for s in scenarios], axis=1),
        plans=float(scenarios[0].plans[0, 0]),
        care=float(scenarios[0].care[0, 0]),
        average=np.tile(average, len(scenarios)),
        change=SystemEffect(
            by_target={},
            posts_a_month=np.zeros(line.steps),
            places=_side_by_side([s.places for s in scenarios], line.steps, draws),
        ),
    )
    for number in range(len(line.months)):
        plans, care = (
            np.concatenate([getattr(s, stock)[number] for s in scenarios]) for stock in _STOCKS
        )
        run.month(number, plans, care)
    series = run.series(*(np.concatenate([getattr(s, k)[-1] for s in scenarios]) for k in _STOCKS))
    return [
        {name: values[:, i * draws : (i + 1) * draws] for name, values in series.items()}
        for i in range(len(scenarios))
    ]


def _side_by_side(
    places: Sequence[PlacesEffect | None], steps: int, draws: int
) -> PlacesEffect | None:
    """Places of several scenarios as if they were draws."""
    if all(one is None for one in places):
        return None
    none = PlacesEffect(
        added=np.zeros(steps), moved_in=np.zeros(steps), moved_share=np.zeros(steps)
    )
    there = [one or none for one in places]

    def columns(arrays: Sequence[FloatArray]) -> FloatArray:
        return np.repeat(np.stack(arrays, axis=1), draws, axis=1)

    return PlacesEffect(
        added=columns([one.added for one in there]),
        moved_in=columns([one.moved_in for one in there]),
        moved_share=columns([one.moved_share for one in there]),
    )
