"""From results to a frozen plan of what the workbook shall say. Pure: no file, no clock."""

from demand_addin.plan.charts import ChartChoices
from demand_addin.plan.check import plan_check
from demand_addin.plan.importing import plan_import
from demand_addin.plan.run import Earlier, RunChoices, RunLogEntry, plan_run

__all__ = [
    "ChartChoices",
    "Earlier",
    "RunChoices",
    "RunLogEntry",
    "plan_check",
    "plan_import",
    "plan_run",
]
