"""From fitted rates to everything that a run says of the future."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from demand_addin.commands.fitting import Fitted
from demand_addin.progress import Progress
from demand_addin.settings import RunSettings
from demand_model import costs, place_children, summarise
from demand_model.results.cost_years import calendar_of
from demand_model.results.costs import Costs, monthly_workers_cost, workers_in_post
from demand_model.results.forecast import Forecast
from demand_model.results.placements import PlacementPaths, mixed_places, with_placements
from demand_model.results.system_maps import SystemMaps, system_maps
from demand_model.results.what_if import what_if_values
from demand_model.results.what_if_data import WhatIf
from demand_model.results.workforce import WorkforceForecast, workforce_forecast
from demand_model.simulation.mixture import mixture
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.setup import Prepared
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_today import system_today
from demand_model.simulation.trajectories import Trajectories

_SIMULATION_FROM, _SIMULATION_TO = 0.25, 0.85
_FEW_SCENARIOS = 3
"""With more, threads only get into each other's way (see `simulate`)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecasted:
    """What a run says of the future.

    Attributes
    ----------
    what_if
        What sheet What-if starts from: the baseline without feedback, which its
        formulas do not have.
    workforce
        ``None`` where the system has none.
    """

    forecast: Forecast
    what_if: WhatIf
    costs: Costs
    workforce: WorkforceForecast | None
    maps: SystemMaps


def forecast_fitted(
    fitted: Fitted,
    settings: RunSettings,
    scenarios: Sequence[Scenario],
    odds: Mapping[str, float],
    progress: Progress,
) -> Forecasted:
    """Simulate all scenarios with the system around them, and their mixture if odds are given.

    Raises
    ------
    InvalidSettingError
        A scenario, the system or the odds cannot be used.
    """
    prepared, system = fitted.prepared(settings), fitted.system
    simulated = simulate_prepared(
        prepared,
        scenarios,
        system=system,
        threads=1 if len(scenarios) > _FEW_SCENARIOS else None,
        progress=_within(progress, _SIMULATION_FROM, _SIMULATION_TO),
    )
    placed = [_placed(fitted, one) for one in simulated]
    found = [with_placements(t, paths) for t, paths in zip(simulated, placed, strict=True)]
    if odds:
        found.append(mixture(found, odds, seed=settings.seed))
        placed.append(mixed_places(placed, odds, seed=settings.seed))
    baseline = next(t for t in found if t.scenario.name == BASELINE.name)
    today = system_today(prepared, system)
    return Forecasted(
        forecast=summarise(found, fitted.exposure),
        what_if=_what_if(fitted, prepared, baseline),
        costs=_costs(fitted, found, placed),
        workforce=workforce_forecast(found, today, system, fitted.exposure.census_date),
        maps=system_maps(system, fitted.rates, baseline, today),
    )


def _placed(fitted: Fitted, trajectories: Trajectories) -> PlacementPaths:
    sheet = fitted.sheet
    return place_children(
        trajectories, fitted.today, sheet.inputs.placements, new_places=sheet.new_places
    )


def _what_if(fitted: Fitted, prepared: Prepared, baseline: Trajectories) -> WhatIf:
    if fitted.system.links:
        (baseline,) = simulate_prepared(prepared, (BASELINE,))
    placed = _placed(fitted, baseline)
    return what_if_values(prepared, baseline, placed, fitted.today, fitted.sheet.costs)


def _costs(
    fitted: Fitted, trajectories: Sequence[Trajectories], placed: Sequence[PlacementPaths]
) -> Costs:
    choices, workforce = fitted.sheet.costs, fitted.sheet.inputs.workforce
    census, workers_cost = fitted.exposure.census_date, None
    if workforce is not None:
        calendar = calendar_of(trajectories[0].months, census, choices)
        workers_cost = {
            t.scenario.name: monthly_workers_cost(workers_in_post(t.measures), workforce, calendar)
            for t in trajectories
        }
    return costs(placed, census, choices, workers_cost=workers_cost)


def _within(progress: Progress, low: float, high: float) -> Callable[[str, float], None]:
    def scaled(what: str, share: float) -> None:
        progress(f"Simulating {what}", low + (high - low) * share)

    return scaled
