"""Children's social care demand model: from three Annex A lists to honest forecasts.

::

    check -> spells -> tabulate -> fit -> simulate -> summarise

Each arrow is one public function with frozen input and output; nothing here
knows a file, a clock or Excel.
"""

from __future__ import annotations

from demand_model.annex_a.check import check
from demand_model.annex_a.checked import CheckResult, CheckSettings, Lists
from demand_model.exposure.tabulate import Exposure, tabulate
from demand_model.rates.fit import FlowRates, fit
from demand_model.rates.intake import forecast_counts
from demand_model.rates.stock import forecast_stock
from demand_model.rates.table import rates_table
from demand_model.results.forecast import Forecast
from demand_model.results.summarise import summarise
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
    "CheckResult",
    "CheckSettings",
    "Exposure",
    "FlowRates",
    "Forecast",
    "Lists",
    "Lockdown",
    "Multiply",
    "Overwrite",
    "Scenario",
    "Spells",
    "Trajectories",
    "check",
    "fit",
    "forecast_counts",
    "forecast_stock",
    "presets",
    "rates_table",
    "simulate",
    "spells",
    "summarise",
    "tabulate",
]
