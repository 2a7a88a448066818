"""Children's social care demand model: from three Annex A lists to honest forecasts.

::

    check -> spells -> tabulate -> fit -> simulate -> summarise

Each arrow is one public function with frozen input and output; nothing here
knows a file, a clock or Excel.
"""

from __future__ import annotations

from demand_model.annex_a.check import check
from demand_model.annex_a.checked import CheckResult, CheckSettings, Lists
from demand_model.annex_a.cut import lists_at
from demand_model.exposure.history import History, check_history, history_disagreements
from demand_model.exposure.tabulate import Exposure, tabulate
from demand_model.rates.fit import FlowRates, fit
from demand_model.rates.intake import forecast_counts
from demand_model.rates.stock import forecast_stock
from demand_model.rates.table import rates_table
from demand_model.results.backtest import Backtest, backtest
from demand_model.results.control import ControlCharts, control_charts
from demand_model.results.cost_years import CostChoices
from demand_model.results.costs import Costs, costs, placement_costs
from demand_model.results.explain import (
    ForecastRecord,
    Waterfall,
    explain_change,
    explain_scenarios,
    record_of,
    referral_shares,
)
from demand_model.results.forecast import Forecast
from demand_model.results.journeys import Journeys, journeys
from demand_model.results.placement_mix import PlacementsToday, placements_today
from demand_model.results.placements import NewPlaces, PlacementPaths, place_children
from demand_model.results.summarise import summarise
from demand_model.results.track import Tracking, track
from demand_model.simulation.presets import presets
from demand_model.simulation.scenario import (
    BASELINE,
    Add,
    Lockdown,
    Multiply,
    Overwrite,
    Scenario,
)
from demand_model.simulation.simulate import simulate
from demand_model.simulation.trajectories import Trajectories
from demand_model.spell.build import Spells, spells

__version__ = "0.1.0"

__all__ = [
    "BASELINE",
    "Add",
    "Backtest",
    "CheckResult",
    "CheckSettings",
    "ControlCharts",
    "CostChoices",
    "Costs",
    "Exposure",
    "FlowRates",
    "Forecast",
    "ForecastRecord",
    "History",
    "Journeys",
    "Lists",
    "Lockdown",
    "Multiply",
    "NewPlaces",
    "Overwrite",
    "PlacementPaths",
    "PlacementsToday",
    "Scenario",
    "Spells",
    "Tracking",
    "Trajectories",
    "Waterfall",
    "backtest",
    "check",
    "check_history",
    "control_charts",
    "costs",
    "explain_change",
    "explain_scenarios",
    "fit",
    "forecast_counts",
    "forecast_stock",
    "history_disagreements",
    "journeys",
    "lists_at",
    "place_children",
    "placement_costs",
    "placements_today",
    "presets",
    "rates_table",
    "record_of",
    "referral_shares",
    "simulate",
    "spells",
    "summarise",
    "tabulate",
    "track",
]
