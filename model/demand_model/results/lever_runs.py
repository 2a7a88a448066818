"""Levers through the simulation: outcomes of each, draw by draw, on a chosen date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL
from demand_model.results.cost_years import Calendar, CostChoices, calendar_of
from demand_model.results.costs import (
    monthly_cost,
    monthly_workers_cost,
    unit_cost_factors,
    workers_in_post,
)
from demand_model.results.lever_list import LeverSetting, changes_of
from demand_model.results.own_places import (
    added_place,
    added_places,
    links_from_places,
    moved_into_own_places,
)
from demand_model.results.placement_mix import PlacementsToday
from demand_model.results.placement_need import PlacementNeeds, matched_placements
from demand_model.results.placements import LaterPractice, NewPlaces, place_children
from demand_model.simulation.scenario import BASELINE, Change, MultiplySystem, Scenario
from demand_model.simulation.setup import Prepared
from demand_model.simulation.simulate import Progress, simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.equations import FREE_PLACES
from demand_model.system.inputs import Placements
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR, MONTHS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

OUTCOMES = (
    "cla_open",
    "cp_open",
    "cin_open",
    "referrals",
    "caseload",
    "workers",
    "external_share",
    "placement_cost",
    "net_cost",
)
"""What a lever is judged by. Stocks, caseload and share on the date; referrals in the
twelve months to it; costs in £ from the census date to it, with the errors of unit costs
that sheet Costs has (`costs.unit_cost_factors`)."""

_FEW_SCENARIOS = 3
"""With more, threads only get into each other's way (see `simulate`)."""

_CELLS = 1_500_000
"""Draws times months times scenarios that are simulated at once: memory's limit."""

_READ = frozenset(
    {
        "cla_open",
        "cp_open",
        "referrals",
        "cla_starts",
        "cin_open",
        "caseload",
        "workers",
        "permanent_workers",
        "agency_workers",
    }
)
"""Measures that outcomes are made of; no others are kept."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeverContext:
    """What levers are tried on.

    Attributes
    ----------
    prepared
        From `demand_model.simulation.setup.prepare`.
    at
        Date that outcomes are read at: the last month's end that is not after it.
    base
        Scenario that levers are laid upon.
    system
        The system around the children; levers that change it need it.
    placements, today
        Where children live; without them there is neither cost nor external share.
    needs
        Category of need of children in care and of entrants; matching needs it.
    choices
        How costs are reckoned.
    new_places
        Places added in the base, whatever scenario they name.
    known
        Simulations made so far: what is asked for again, by a goal or for another date
        (`dataclasses.replace` keeps them), is not simulated again.
    """

    prepared: Prepared
    at: date
    base: Scenario = BASELINE
    system: System | None = None
    placements: Placements | None = None
    today: PlacementsToday | None = None
    needs: PlacementNeeds | None = None
    choices: CostChoices = field(default_factory=CostChoices)
    new_places: tuple[NewPlaces, ...] = ()
    known: dict[Simulated, Trajectories] = field(default_factory=dict, repr=False)

    @property
    def month(self) -> int:
        """Number of the month whose end outcomes are read at.

        Raises
        ------
        InvalidSettingError
            The date lies outside the forecast.
        """
        ends = self.prepared.common.line.month_ends
        reached = np.flatnonzero(ends <= np.datetime64(self.at))
        if not len(reached) or np.datetime64(self.at) > ends[-1] + 31:
            first, last = (e.astype("datetime64[D]").item() for e in (ends[0], ends[-1]))
            raise InvalidSettingError(
                f"Invalid date: {self.at:%d/%m/%Y}. It must be from {first:%d/%m/%Y} to "
                f"{last:%d/%m/%Y}, the months of the forecast."
            )
        return int(reached[-1])

    @property
    def census_date(self) -> date:
        """Day that the forecast starts from."""
        return self.prepared.common.line.census_date

    @property
    def answers_to_places(self) -> bool:
        """Whether a link that is on rests on how many of the authority's own places are free."""
        return self.system is not None and links_from_places(self.system.links)

    @property
    def with_new_places(self) -> System | None:
        """The system with the base's new places."""
        if self.system is None or self.placements is None or self.today is None:
            return self.system
        everywhere = tuple(replace(new, scenario="") for new in self.new_places)
        added = added_places(everywhere, self.placements, self.today)
        return replace(self.system, new_places=added)


Simulated = tuple[Prepared, System | None, tuple[NewPlaces, ...], str, tuple[Change, ...]]
"""Run, system, new places and name of the base, and what is changed in it."""

Outcome = Mapping[str, FloatArray]
"""By name of `OUTCOMES`; shape (draws,)."""


def run_levers(
    context: LeverContext,
    asked: Mapping[str, Sequence[LeverSetting]],
    *,
    progress: Progress | None = None,
) -> dict[str, Outcome]:
    """Outcomes of the base, under the name "", and of each set of levers pulled together.

    Parameters
    ----------
    asked
        Name to the levers that are pulled together.
    progress
        Called with words and the share of the work that is done.

    Raises
    ------
    InvalidSettingError
        A lever needs the system, placements or needs, and they are not given.
    """
    asked = {
        name: tuple(s.from_census(context.census_date) for s in settings)
        for name, settings in asked.items()
    }
    for settings in asked.values():
        for setting in settings:
            _check_needs(context, setting)
    workers = _workers_now(context) if _adds_posts(asked) else 0.0
    changes = {name: _changes(context, settings, workers) for name, settings in asked.items()}
    runs = _simulated(context, [(), *changes.values()], progress)
    return {
        "": _outcome(context, runs[()], ()),
        **{name: _outcome(context, runs[changes[name]], asked[name]) for name in asked},
    }


def _changes(
    context: LeverContext, settings: Sequence[LeverSetting], workers: float
) -> tuple[Change, ...]:
    """What levers change in the simulation; where nothing answers to places, none of those."""
    changes = tuple(c for s in settings for c in changes_of(s, workers))
    if not context.answers_to_places:
        return tuple(
            c for c in changes if not (isinstance(c, MultiplySystem) and c.target == FREE_PLACES)
        )
    placements, today = context.placements, context.today
    if placements is None or today is None:
        return changes
    new = [new for s in settings if (new := s.new_places) is not None]
    opened = [a for n in new if (a := added_place(n, placements, today)) is not None]
    later = _later(context, placements, today, settings)
    if not later:
        return (*changes, *opened)
    without = _simulated(context, [()])[()]
    return (*changes, *opened, moved_into_own_places(without, today, placements, later))


def _simulated(
    context: LeverContext, wanted: Iterable[tuple[Change, ...]], progress: Progress | None = None
) -> dict[tuple[Change, ...], Trajectories]:
    """Simulate what is not known of the context yet; all that is wanted, by changes."""
    about = (context.prepared, context.system, context.new_places, context.base.name)
    key = {c: (*about, c) for c in wanted}
    new = [changes for changes in key if key[changes] not in context.known]
    scenarios = [
        Scenario(name=f"Levers {number}", changes=(*context.base.changes, *changes))
        if changes
        else context.base
        for number, changes in enumerate(new, start=1)
    ]
    system = context.with_new_places
    at_once = max(_FEW_SCENARIOS, _CELLS // (context.prepared.draws * _months(context)))
    for first in range(0, len(new), at_once):
        part = slice(first, first + at_once)
        found = simulate_prepared(
            context.prepared,
            scenarios[part],
            system=system,
            threads=1 if len(scenarios[part]) > _FEW_SCENARIOS else None,
            progress=_part_of(progress, first / len(new), min(at_once / len(new), 1.0)),
        )
        for changes, run in zip(new[part], found, strict=True):
            kept = {of: values for of, values in run.measures.items() if _is_read(*of)}
            context.known[key[changes]] = replace(run, measures=kept)
    return {changes: context.known[key[changes]] for changes in key}


def _months(context: LeverContext) -> int:
    return len(context.prepared.common.line.months)


def _is_read(measure: str, segment: str) -> bool:
    """Whether an outcome is made of it; of children in care their ages as well."""
    return measure == "cla_open" or (measure in _READ and segment == ALL)


def _part_of(progress: Progress | None, start: float, length: float) -> Progress | None:
    """Progress of a part as that of the whole."""
    if progress is None:
        return None
    return lambda what, share: progress(what, min(start + length * share, 1.0))


def _check_needs(context: LeverContext, setting: LeverSetting) -> None:
    lever = setting.of
    if lever.needs_system and context.system is None:
        raise InvalidSettingError(
            f"Invalid lever: {lever.label} needs the system around the children, which is not "
            "given. It must be given, or the lever left out."
        )
    if lever.posts and context.system is not None and context.system.inputs.workforce is None:
        raise InvalidSettingError(
            f"Invalid lever: {lever.label} needs the workforce. It must be filled in, or the "
            "lever left out."
        )
    if lever.is_matched and context.needs is None:
        raise InvalidSettingError(
            f"Invalid lever: {lever.label} needs the category of need of children in care, which "
            "is not given. It must be given, or the lever left out."
        )
    if lever.needs_placements and (context.placements is None or context.today is None):
        raise InvalidSettingError(
            f"Invalid lever: {lever.label} needs placements, which are not given. They must be "
            "given, or the lever left out."
        )


def _adds_posts(asked: Mapping[str, Sequence[LeverSetting]]) -> bool:
    return any(s.of.posts for settings in asked.values() for s in settings)


def _workers_now(context: LeverContext) -> float:
    """Workers in post, FTE: as typed, or at the end of the first month on average over draws."""
    given = context.system.inputs.workforce if context.system else None
    if given is not None and given.workers_fte is not None:
        return given.workers_fte
    base = _simulated(context, [()])[()]
    return float(workers_in_post(base.measures)[0].mean())


def _outcome(
    context: LeverContext, run: Trajectories, settings: Sequence[LeverSetting]
) -> dict[str, FloatArray]:
    month = context.month
    year = slice(max(month + 1 - MONTHS_PER_YEAR, 0), month + 1)
    out = {
        "cla_open": run.measures["cla_open", ALL][month],
        "cp_open": run.measures["cp_open", ALL][month],
        "referrals": run.measures["referrals", ALL][year].sum(axis=0),
    }
    for name in ("cin_open", "caseload", "workers"):
        if (name, ALL) in run.measures:
            out[name] = run.measures[name, ALL][month]
    if context.placements is not None and context.today is not None:
        out |= _money(context, context.placements, context.today, run, settings)
    return out


def _money(
    context: LeverContext,
    placements: Placements,
    today: PlacementsToday,
    run: Trajectories,
    settings: Sequence[LeverSetting],
) -> dict[str, FloatArray]:
    month = context.month
    census = context.prepared.common.line.census_date
    calendar = calendar_of(run.months, census, context.choices)
    paths = place_children(
        run,
        today,
        placements,
        new_places=(
            *(replace(n, scenario="") for n in context.new_places),
            *(added for s in settings if (added := s.new_places) is not None),
        ),
        later=_later(context, placements, today, settings),
    )
    by_group = monthly_cost(paths, calendar) * unit_cost_factors(paths, context.choices)
    spent = by_group.sum(axis=1)[: month + 1].sum(axis=0)
    own = sum(_own_cost(s, calendar, census, month) for s in settings)
    workers = _workers_cost(context, run, calendar, month)
    return {
        "external_share": paths.external_share[month],
        "placement_cost": spent,
        "net_cost": spent + workers + own,
    }


def _later(
    context: LeverContext,
    placements: Placements,
    today: PlacementsToday,
    settings: Sequence[LeverSetting],
) -> list[LaterPractice]:
    """Step-down and matching as they come in."""
    census = context.census_date
    calendar = calendar_of(context.prepared.common.line.months, census, context.choices)
    return [
        LaterPractice(
            placements=moved_placements(placements, today, context.needs, s),
            share=_come_in(s, calendar, census),
        )
        for s in settings
        if s.of.step_down or s.of.is_matched
    ]


def _workers_cost(
    context: LeverContext, run: Trajectories, calendar: Calendar, month: int
) -> FloatArray | float:
    workforce = context.system.inputs.workforce if context.system else None
    if workforce is None or ("workers", ALL) not in run.measures:
        return 0.0
    cost = monthly_workers_cost(workers_in_post(run.measures), workforce, calendar)
    return np.asarray(cost[: month + 1].sum(axis=0))


def _own_cost(setting: LeverSetting, calendar: Calendar, census: date, month: int) -> float:
    """What the lever itself costs, from its start to the end of the month; £."""
    days = calendar.days[: month + 1]
    ends = np.cumsum(days)
    begins = (setting.start - (census + timedelta(days=1))).days
    active = np.clip(ends - begins, 0.0, days)
    return float((active * calendar.price[: month + 1]).sum() / DAYS_PER_YEAR * setting.cost_a_year)


def _come_in(setting: LeverSetting, calendar: Calendar, census: date) -> FloatArray:
    """How far a lever has come in, 0 to 1, by month; shape (months,)."""
    ends = np.cumsum(calendar.days)
    begins = (setting.begins - (census + timedelta(days=1))).days
    if setting.ramp_months <= 0.0:
        return np.asarray(np.clip((ends - begins) / calendar.days, 0.0, 1.0))
    middles = ends - 0.5 * calendar.days
    return np.asarray(
        np.clip((middles - begins) / (DAYS_PER_MONTH * setting.ramp_months), 0.0, 1.0)
    )


def moved_placements(
    placements: Placements,
    today: PlacementsToday,
    needs: PlacementNeeds | None,
    setting: LeverSetting,
) -> Placements:
    """Placements with the step-down or matching of a lever."""
    if setting.of.is_matched and needs is not None:
        return matched_placements(placements, today, needs, setting.size, setting.matches)
    moves = dict(placements.moves)
    for pair in setting.of.step_down:
        a_month = 1.0 - (1.0 - min(max(setting.size, 0.0), 1.0)) ** (1.0 / MONTHS_PER_YEAR)
        moves[pair] = moves.get(pair, 0.0) + a_month
    return replace(placements, moves=moves)
