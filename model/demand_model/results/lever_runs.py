"""Levers through the simulation: outcomes of each, draw by draw, on a chosen date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError
from demand_model.exposure.bands import CARE_SEGMENTS
from demand_model.flows import ALL
from demand_model.results.cost_years import Calendar, CostChoices, calendar_of
from demand_model.results.costs import monthly_cost, monthly_workers_cost
from demand_model.results.lever_list import LeverSetting, changes_of
from demand_model.results.placement_mix import PlacementsToday
from demand_model.results.placements import place_children
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.setup import Prepared
from demand_model.simulation.simulate import Progress, simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.inputs import Placements
from demand_model.units import DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

OUTCOMES = (
    "cla_open",
    "cp_open",
    "referrals",
    "caseload",
    "workers",
    "external_share",
    "placement_cost",
    "net_cost",
)
"""What a lever is judged by. Stocks, caseload and share on the date; referrals in the
twelve months to it; costs in £ from the census date to it."""

_MONTHS_PER_YEAR = 12


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
    choices
        How costs are reckoned.
    """

    prepared: Prepared
    at: date
    base: Scenario = BASELINE
    system: System | None = None
    placements: Placements | None = None
    today: PlacementsToday | None = None
    choices: CostChoices = field(default_factory=CostChoices)

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
        A lever needs the system or placements, and they are not given.
    """
    for settings in asked.values():
        for setting in settings:
            _check_needs(context, setting)
    workers = _workers_now(context) if _adds_posts(asked) else 0.0
    by_changes: dict[tuple[object, ...], Scenario] = {(): context.base}
    scenario_of: dict[str, Scenario] = {}
    for name, settings in asked.items():
        changes = tuple(c for s in settings for c in changes_of(s, workers))
        if changes not in by_changes:
            by_changes[changes] = Scenario(
                name=f"Levers: {name}", changes=(*context.base.changes, *changes)
            )
        scenario_of[name] = by_changes[changes]
    found = simulate_prepared(
        context.prepared, tuple(by_changes.values()), system=context.system, progress=progress
    )
    by_name = {t.scenario.name: t for t in found}
    out: dict[str, Outcome] = {"": _outcome(context, by_name[context.base.name], ())}
    for name, settings in asked.items():
        out[name] = _outcome(context, by_name[scenario_of[name].name], settings)
    return out


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
    if lever.needs_placements and (context.placements is None or context.today is None):
        raise InvalidSettingError(
            f"Invalid lever: {lever.label} needs placements, which are not given. They must be "
            "given, or the lever left out."
        )


def _adds_posts(asked: Mapping[str, Sequence[LeverSetting]]) -> bool:
    return any(s.of.posts for settings in asked.values() for s in settings)


def _workers_now(context: LeverContext) -> float:
    """Workers in post at the census date, FTE, on average over draws."""
    given = context.system.inputs.workforce if context.system else None
    if given is not None and given.workers_fte is not None:
        return given.workers_fte
    (base,) = simulate_prepared(context.prepared, (BASELINE,), system=context.system)
    return float(base.measures["workers", ALL][0].mean())


def _outcome(
    context: LeverContext, run: Trajectories, settings: Sequence[LeverSetting]
) -> dict[str, FloatArray]:
    month = context.month
    year = slice(max(month + 1 - _MONTHS_PER_YEAR, 0), month + 1)
    out = {
        "cla_open": run.measures["cla_open", ALL][month],
        "cp_open": run.measures["cp_open", ALL][month],
        "referrals": run.measures["referrals", ALL][year].sum(axis=0),
    }
    for name in ("caseload", "workers"):
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
    paths = place_children(run, today, moved_placements(placements, today, settings))
    spent = monthly_cost(paths, calendar).sum(axis=1)[: month + 1].sum(axis=0)
    own = sum(_own_cost(s, calendar, census, month) for s in settings)
    workers = _workers_cost(context, run, calendar, month)
    return {
        "external_share": paths.external_share[month],
        "placement_cost": spent,
        "net_cost": spent + workers + own,
    }


def _workers_cost(
    context: LeverContext, run: Trajectories, calendar: Calendar, month: int
) -> FloatArray | float:
    workforce = context.system.inputs.workforce if context.system else None
    if workforce is None or ("workers", ALL) not in run.measures:
        return 0.0
    cost = monthly_workers_cost(run.measures["workers", ALL], workforce, calendar)
    return np.asarray(cost[: month + 1].sum(axis=0))


def _own_cost(setting: LeverSetting, calendar: Calendar, census: date, month: int) -> float:
    """What the lever itself costs, from its start to the end of the month; £."""
    days = calendar.days[: month + 1]
    ends = np.cumsum(days)
    begins = (setting.start - (census + timedelta(days=1))).days
    active = np.clip(ends - begins, 0.0, days)
    return float((active * calendar.price[: month + 1]).sum() / DAYS_PER_YEAR * setting.cost_a_year)


def moved_placements(
    placements: Placements, today: PlacementsToday, settings: Sequence[LeverSetting]
) -> Placements:
    """Placements with the step-down and matching of some levers."""
    moves = dict(placements.moves)
    mix = {age: dict(shares) for age, shares in placements.mix.items()}
    for setting in settings:
        for pair in setting.of.step_down:
            a_month = 1.0 - (1.0 - min(max(setting.size, 0.0), 1.0)) ** (1.0 / _MONTHS_PER_YEAR)
            moves[pair] = moves.get(pair, 0.0) + a_month
        for start, end in setting.of.matched:
            for number, age in enumerate(CARE_SEGMENTS):
                shares = mix.setdefault(
                    age, dict(zip(today.groups, today.mix[number].tolist(), strict=True))
                )
                shifted = setting.size * shares.get(start, 0.0)
                shares[start] = shares.get(start, 0.0) - shifted
                shares[end] = shares.get(end, 0.0) + shifted
    return replace(placements, moves=moves, mix=mix)
