"""Effective values of sheet What-if, and the engine's cost beside the formulas'."""

from __future__ import annotations

import numpy as np

from demand_model.annex_a.checked import Lists
from demand_model.results.cost_years import CostChoices, calendar_of
from demand_model.results.costs import monthly_cost
from demand_model.results.placement_mix import PlacementsToday, placements_today
from demand_model.results.placements import place_children
from demand_model.results.what_if import what_if_values
from demand_model.results.what_if_data import WhatIf
from demand_model.simulation.setup import Prepared
from demand_model.simulation.trajectories import Trajectories
from demand_model.spell.build import spells
from demand_model.system.inputs import Placements

PLAIN, CHOICES = Placements(), CostChoices(inflation_a_year=0.03)


def placed_today(lists: Lists, placements: Placements = PLAIN) -> PlacementsToday:
    return placements_today(spells(lists), placements)


def what_if_of(
    lists: Lists,
    prepared: Prepared,
    baseline: Trajectories,
    placements: Placements = PLAIN,
    choices: CostChoices = CHOICES,
) -> WhatIf:
    today = placed_today(lists, placements)
    paths = place_children(baseline, today, placements)
    return what_if_values(prepared, baseline, paths, today, choices)


def engine_cost(
    run: Trajectories,
    today: PlacementsToday,
    placements: Placements = PLAIN,
    choices: CostChoices = CHOICES,
) -> np.ndarray:
    """The engine's mean cost of placements by month, £."""
    paths = place_children(run, today, placements)
    calendar = calendar_of(run.months, today.census_date, choices)
    return np.asarray(monthly_cost(paths, calendar).sum(axis=1).mean(axis=1))
