"""What children's placements cost, by financial year, placement group and scenario.

Within a month children are taken to change evenly from its start to its end::

    cost = (children at the start + children at the end) / 2
           × £ a week × days / 7 × (1 + inflation) ** (years since the date of the prices)

reckoned in every draw, so that a year's cost has a range, and a scenario's cost less
the baseline's is taken draw by draw: chance that both share cancels. The first month
counts from the census date. Years are financial years, April to March; a year that
the forecast does not cover whole says which months it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL
from demand_model.results.cost_tables import children_table, cost_table, today_table
from demand_model.results.cost_years import Calendar, CostChoices, FinancialYear, calendar_of
from demand_model.results.placement_mix import placements_today
from demand_model.results.placements import NewPlaces, PlacementPaths, place_children
from demand_model.simulation.trajectories import Trajectories
from demand_model.spell.build import Spells
from demand_model.system.inputs import Placements, Workforce
from demand_model.units import DAYS_PER_WEEK, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]

WORKERS = "workers"
"""Group of what social workers cost; not part of "all", which is placements."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Costs:
    """Costs of all scenarios of a run.

    Attributes
    ----------
    census_date
        Day that costs are reckoned from.
    years
        In order.
    by_year
        Columns `cost_tables.COST_COLUMNS`; £. ``placement_group`` is a group's name, "all" (all
        placements) or "workers". ``less_baseline_*``: scenario less baseline, draw by
        draw; ``share_dearer``: share of draws in which the scenario costs more; both
        missing for the baseline.
    children
        Columns `cost_tables.PLACEMENT_COLUMNS`: children at the ends of quarters
        (March, June …) and of the last month; the first row of each group is the
        census date, as counted.
    today
        Children at the census date and £ a year at today's prices, by group:
        ``placement_group``, ``label``, ``is_internal``, ``children``, ``places``
        (missing: no limit), ``weekly_cost``, ``cost_a_year``.
    draws
        £ by (scenario, year, group); shape (draws,).
    choices
        As reckoned.
    """

    census_date: date
    years: tuple[FinancialYear, ...]
    by_year: pd.DataFrame
    children: pd.DataFrame
    today: pd.DataFrame
    draws: Mapping[tuple[str, str, str], FloatArray] = field(repr=False)
    choices: CostChoices


def placement_costs(
    spells: Spells,
    trajectories: Sequence[Trajectories],
    placements: Placements,
    choices: CostChoices,
    *,
    new_places: Sequence[NewPlaces] = (),
    workers_cost: Mapping[str, FloatArray] | None = None,
) -> Costs:
    """Go from what the lists show and the simulation to the costs of all scenarios.

    Parameters
    ----------
    spells
        From `demand_model.spells`: where children live today.
    trajectories
        Of one run, from `demand_model.simulate`.
    placements
        Groups with their weekly costs and places, mix of entrants, moves.
    choices
        Inflation, date of the prices, how far unit costs may be off.
    new_places
        Places added, by scenario.
    workers_cost
        By scenario, from `monthly_workers_cost`.

    Raises
    ------
    InvalidSettingError
        As `place_children` and `costs` do.
    """
    today = placements_today(spells, placements)
    paths = [place_children(t, today, placements, new_places=new_places) for t in trajectories]
    return costs(paths, spells.census_date, choices, workers_cost=workers_cost)


def costs(
    paths: Sequence[PlacementPaths],
    census_date: date,
    choices: CostChoices,
    *,
    workers_cost: Mapping[str, FloatArray] | None = None,
) -> Costs:
    """Reckon the cost of placements, year by year, and of each scenario against the baseline.

    Parameters
    ----------
    paths
        From `demand_model.place_children`, one a scenario, all of one run.
    census_date
        Day that the forecast starts from.
    workers_cost
        By scenario, from `monthly_workers_cost`.

    Raises
    ------
    InvalidSettingError
        There is no scenario, or scenarios differ in months, groups or draws.
    """
    _check_alike(paths)
    calendar = calendar_of(paths[0].months, census_date, choices)
    factor = unit_cost_factors(paths[0], choices)
    draws: dict[tuple[str, str, str], FloatArray] = {}
    for path in paths:
        monthly = monthly_cost(path, calendar) * factor
        yearly = _by_year(monthly, calendar)
        for number, year in enumerate(calendar.years):
            draws[path.scenario, year.name, ALL] = yearly[number].sum(axis=0)
            for at, group in enumerate(path.groups):
                draws[path.scenario, year.name, group.name] = yearly[number, at]
    for scenario, monthly in (workers_cost or {}).items():
        of_workers = _by_year(monthly[:, None, :], calendar)[:, 0]
        for year, mine in zip(calendar.years, of_workers, strict=True):
            draws[scenario, year.name, WORKERS] = mine
    return Costs(
        census_date=census_date,
        years=calendar.years,
        by_year=cost_table(draws, calendar.years),
        children=pd.concat([children_table(p, census_date) for p in paths], ignore_index=True),
        today=today_table(paths[0]),
        draws=draws,
        choices=choices,
    )


def monthly_cost(path: PlacementPaths, calendar: Calendar) -> FloatArray:
    """Cost of each month in £; shape (months, groups, draws)."""
    before = np.empty_like(path.children)
    before[0] = path.today[:, None]
    before[1:] = path.children[:-1]
    weekly = np.array([group.weekly_cost for group in path.groups])
    a_child = (calendar.days / DAYS_PER_WEEK * calendar.price)[:, None] * weekly
    return np.asarray((before + path.children) * (0.5 * a_child)[:, :, None])


def monthly_workers_cost(
    workers: FloatArray, workforce: Workforce, calendar: Calendar
) -> FloatArray:
    """Cost of social workers each month in £; shape (months, draws).

    Parameters
    ----------
    workers
        In post on average over each month, agency workers included (FTE); shape
        (months, draws).
    workforce
        Cost of a worker a year, of an agency worker, and their share.
    calendar
        From `calendar_of`.
    """
    agency = workforce.agency_share
    a_year = (
        agency * workforce.cost_per_agency_worker_a_year
        + (1.0 - agency) * workforce.cost_per_worker_a_year
    )
    share_of_year = calendar.days / DAYS_PER_YEAR * calendar.price
    return np.asarray(workers * (a_year * share_of_year)[:, None])


def workers_in_post(measures: Mapping[tuple[str, str], FloatArray]) -> FloatArray:
    """Workers who are paid, agency workers included, absent or not; shape (months, draws).

    Parameters
    ----------
    measures
        Of a simulation whose system has a workforce.
    """
    return np.asarray(measures["permanent_workers", ALL] + measures["agency_workers", ALL])


def unit_cost_factors(path: PlacementPaths, choices: CostChoices) -> FloatArray:
    """Factor on unit costs by group and draw, 1 on average; shape (groups, draws).

    The same seed, groups and draws give the same factors, so that whatever reckons with
    them agrees draw by draw. All 1 where unit costs are taken as known.
    """
    _, groups, draws = path.children.shape
    sd = choices.unit_cost_sd
    if sd == 0.0:
        return np.ones((groups, draws))
    normal = np.random.default_rng(choices.seed).standard_normal((groups, draws))
    factor = np.exp(sd * normal)
    # Exactly 1 on average: the mean cost is that at the unit costs that were typed.
    return np.asarray(factor / factor.mean(axis=1, keepdims=True))


def _check_alike(paths: Sequence[PlacementPaths]) -> None:
    if not paths:
        raise InvalidSettingError("Invalid scenarios: none. Costs need one or more.")
    first = paths[0]
    for path in paths[1:]:
        same = path.groups == first.groups and path.months.equals(first.months)
        if not same or path.children.shape != first.children.shape:
            raise InvalidSettingError(
                f"Invalid scenario: {path.scenario}. Its months, groups or draws differ from those "
                f"of {first.scenario}; costs compare scenarios of one run."
            )


def _by_year(monthly: FloatArray, calendar: Calendar) -> FloatArray:
    """Add up months to years; shape (years, groups, draws)."""
    starts = np.flatnonzero(np.diff(calendar.year, prepend=-1))
    return np.asarray(np.add.reduceat(monthly, starts, axis=0))
