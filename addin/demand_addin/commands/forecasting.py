"""From fitted rates to everything that a run says of the future."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from demand_addin.commands.fitting import Fitted
from demand_addin.progress import Progress
from demand_addin.settings import RunSettings
from demand_model import placement_costs, summarise
from demand_model.flows import ALL
from demand_model.results.cost_years import calendar_of
from demand_model.results.costs import Costs, monthly_workers_cost
from demand_model.results.forecast import Forecast
from demand_model.results.system_maps import SystemMaps, system_maps
from demand_model.results.what_if import what_if_values
from demand_model.results.what_if_data import WhatIf
from demand_model.results.workforce import WorkforceForecast, workforce_forecast
from demand_model.simulation.mixture import mixture
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.setup import Prepared
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
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
    found = simulate_prepared(
        prepared,
        scenarios,
        system=system,
        threads=1 if len(scenarios) > _FEW_SCENARIOS else None,
        progress=_within(progress, _SIMULATION_FROM, _SIMULATION_TO),
    )
    mix = (mixture(found, odds, seed=settings.seed),) if odds else ()
    trajectories = (*found, *mix)
    baseline = next(t for t in found if t.scenario.name == BASELINE.name)
    today = system_today(prepared, system)
    return Forecasted(
        forecast=summarise(trajectories, fitted.exposure),
        what_if=what_if_values(prepared, _without_feedback(prepared, found, system)),
        costs=_costs(fitted, found if _has_own_places(fitted, odds) else trajectories),
        workforce=workforce_forecast(
            trajectories,
            today,
            system,
            fitted.exposure.census_date,
        ),
        maps=system_maps(system, fitted.rates, baseline, today),
    )


def _without_feedback(
    prepared: Prepared, found: Sequence[Trajectories], system: System
) -> Trajectories:
    if system.links:
        (plain,) = simulate_prepared(prepared, (BASELINE,))
        return plain
    return next(t for t in found if t.scenario.name == BASELINE.name)


def _has_own_places(fitted: Fitted, odds: Mapping[str, float]) -> bool:
    """Whether a scenario of the mixture has places of its own, which the mixture has not."""
    return any(places.scenario in odds for places in fitted.sheet.new_places)


def _costs(fitted: Fitted, trajectories: Sequence[Trajectories]) -> Costs:
    sheet, workforce = fitted.sheet, fitted.sheet.inputs.workforce
    workers_cost = None
    if workforce is not None:
        calendar = calendar_of(trajectories[0].months, fitted.exposure.census_date, sheet.costs)
        workers_cost = {
            t.scenario.name: monthly_workers_cost(t.measures["workers", ALL], workforce, calendar)
            for t in trajectories
        }
    return placement_costs(
        fitted.spells,
        trajectories,
        sheet.inputs.placements,
        sheet.costs,
        new_places=sheet.new_places,
        workers_cost=workers_cost,
    )


def _within(progress: Progress, low: float, high: float) -> Callable[[str, float], None]:
    def scaled(what: str, share: float) -> None:
        progress(f"Simulating {what}", low + (high - low) * share)

    return scaled
