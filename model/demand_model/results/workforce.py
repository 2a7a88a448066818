"""Cases, workers and caseload under every scenario, and the workers that would be needed.

Reckoned in every draw, from what the simulation keeps of the system around the
children::

    workers needed = cases / ideal caseload
    more needed    = workers needed − workers in post

Where a link that is on moves the ideal caseload (drifting goals), the workers needed
are those at the ideal that was typed: a goal that drifts would hide the need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.flows import ALL
from demand_model.results.forecast import QUANTILE_COLUMNS
from demand_model.results.summarise import quantiles_of
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.system_feedback import System
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.assumptions import WORKFORCE, Assumption

FloatArray = npt.NDArray[np.float64]

NEEDED, MORE_NEEDED = "workers_needed", "more_needed"
WORKFORCE_SERIES: Mapping[str, str] = {
    "cases": "cases",
    "workers": "workers (FTE)",
    "caseload": "cases per worker",
    "vacancies": "posts (FTE)",
    NEEDED: "workers (FTE)",
    MORE_NEEDED: "workers (FTE)",
}
"""What is told, with its unit."""

WORKFORCE_COLUMNS = (
    "scenario", "measure", "month_end", "mean", *QUANTILE_COLUMNS,
    "less_baseline_mean", "less_baseline_p10", "less_baseline_p90",
)  # fmt: skip

_KEPT = ("cases", "workers", "caseload", "vacancies", "ideal_caseload")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnglandCaseload:
    """Cases per social worker (FTE) who holds cases, England, on 30 September."""

    year: int
    cases_per_worker: float


ENGLAND_SOURCE = "DfE, Children's social work workforce, England"
ENGLAND: tuple[EnglandCaseload, ...] = tuple(
    EnglandCaseload(year=year, cases_per_worker=value)
    for year, value in ((2017, 17.7), (2020, 16.3), (2023, 16.0), (2024, 15.4), (2025, 15.2))
)
"""Published in February after each 30 September; a run compares with the last of them."""

COMPARED = ("cases_per_worker", "vacancy_share", "leavers_a_year", "absence_share", "agency_share")
"""Assumptions whose default is England's published average, to stand beside the authority's."""


def england(key: str) -> Assumption:
    """England's average, with its source and date."""
    return next(one for one in WORKFORCE if one.key == key)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkforceForecast:
    """Workers and caseload of all scenarios of a run.

    Attributes
    ----------
    census_date
        Day of `today`.
    months
        Ends of the months that are forecast.
    today
        By `WORKFORCE_SERIES`; shape (draws,).
    draws
        By (scenario, series); shape (months, draws), at the months' ends.
    table
        Columns `WORKFORCE_COLUMNS`, a row a month; ``less_baseline_*``: scenario less
        baseline, draw by draw, missing for the baseline. The first row of each scenario
        and measure is the census date.
    system
        As simulated.
    assessments, children_in_need
        Worked out for the census date, mean over draws.
    """

    census_date: date
    months: tuple[date, ...]
    today: Mapping[str, FloatArray]
    draws: Mapping[tuple[str, str], FloatArray] = field(repr=False)
    table: pd.DataFrame
    system: System
    assessments: float
    children_in_need: float

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(dict.fromkeys(name for name, _ in self.draws))

    @property
    def ideal_caseload(self) -> float:
        """Cases per worker that are aimed for, as typed."""
        workforce = self.system.inputs.workforce
        return workforce.ideal_caseload if workforce else float("nan")

    @property
    def is_workers_given(self) -> bool:
        """The number of workers was typed; else it is worked out from England's caseload."""
        workforce = self.system.inputs.workforce
        return workforce is not None and workforce.workers_fte is not None

    def less_baseline(self, scenario: str, series: str) -> FloatArray:
        """Scenario less baseline, draw by draw; shape (months, draws)."""
        return np.asarray(self.draws[scenario, series] - self.draws[BASELINE.name, series])

    def to_hold_today(self, scenario: str) -> FloatArray:
        """More workers than in post that today's caseload takes; shape (months, draws)."""
        held = self.draws[scenario, "cases"] / self.today["caseload"]
        return np.asarray(held - self.draws[scenario, "workers"])


def workforce_forecast(
    trajectories: Sequence[Trajectories],
    today: Mapping[str, FloatArray],
    system: System,
    census_date: date,
) -> WorkforceForecast | None:
    """Bring together what a run says of workers and caseload.

    Parameters
    ----------
    trajectories
        Of one run, simulated with `system`.
    today
        From `demand_model.simulation.system_today`.
    census_date
        Day that the forecast starts from.

    Returns
    -------
    ``None`` where the system has no workforce.
    """
    if system.inputs.workforce is None or not trajectories:
        return None
    typed = system.inputs.workforce.ideal_caseload
    is_drifting = any(link.target == "ideal_caseload" for link in system.links)
    draws: dict[tuple[str, str], FloatArray] = {}
    for one in trajectories:
        kept = {name: one.measures[name, ALL] for name in _KEPT}
        for name, values in _series(kept, typed if is_drifting else None).items():
            draws[one.scenario.name, name] = values
    begins = _series({name: today[name] for name in _KEPT}, typed)
    months = tuple(day.astype("datetime64[D]").item() for day in trajectories[0].month_ends)
    return WorkforceForecast(
        census_date=census_date,
        months=months,
        today=begins,
        draws=draws,
        table=_table(draws, begins, (census_date, *months)),
        system=system,
        assessments=float(today["assessments_open"].mean()),
        children_in_need=float(today["cin_open"].mean()),
    )


def _series(kept: Mapping[str, FloatArray], ideal: float | None) -> dict[str, FloatArray]:
    needed = kept["cases"] / (kept["ideal_caseload"] if ideal is None else ideal)
    out = {name: kept[name] for name in WORKFORCE_SERIES if name in kept}
    return {**out, NEEDED: needed, MORE_NEEDED: needed - kept["workers"]}


def _table(
    draws: Mapping[tuple[str, str], FloatArray],
    today: Mapping[str, FloatArray],
    days: Sequence[date],
) -> pd.DataFrame:
    """Summarise draws; all scenarios and measures in one pass."""
    keys = list(draws)
    values = np.stack([np.vstack([today[name], draws[s, name]]) for s, name in keys])
    row_of = {key: number for number, key in enumerate(keys)}
    base = [row_of.get((BASELINE.name, name), row_of[s, name]) for s, name in keys]
    found, less = quantiles_of(values), values - values[base]
    apart = quantiles_of(less)
    is_base = np.array([s == BASELINE.name for s, _ in keys])[:, None]
    low, high = (QUANTILE_COLUMNS.index(name) for name in ("p10", "p90"))
    many = len(days)
    return pd.DataFrame(
        {
            "scenario": np.repeat([s for s, _ in keys], many),
            "measure": np.repeat([name for _, name in keys], many),
            "month_end": np.tile(pd.to_datetime(list(days)).to_numpy(), len(keys)),
            "mean": values.mean(axis=-1).ravel(),
            **{c: q.ravel() for c, q in zip(QUANTILE_COLUMNS, found, strict=True)},
            "less_baseline_mean": np.where(is_base, np.nan, less.mean(axis=-1)).ravel(),
            "less_baseline_p10": np.where(is_base, np.nan, apart[low]).ravel(),
            "less_baseline_p90": np.where(is_base, np.nan, apart[high]).ravel(),
        },
        columns=list(WORKFORCE_COLUMNS),
    )
