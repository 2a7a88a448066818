"""From a run's draws to the effective values of sheet What-if.

The values are means over draws of products (not products of means), so that the formulas
of `what_if_forecast` give the mean forecast and not the forecast at mean rates. What the
formulas still leave out is set right month by month, so that at neutral they give the
engine's mean exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL
from demand_model.results.cost_years import CostChoices, calendar_of
from demand_model.results.placement_mix import PlacementsToday
from demand_model.results.placements import PlacementPaths
from demand_model.results.what_if_data import (
    WHAT_IF_MEASURES,
    WHAT_IF_MONTHS,
    Placed,
    StartRates,
    WhatIf,
)
from demand_model.results.what_if_forecast import what_if_forecast
from demand_model.results.what_if_hazards import exits, hazards
from demand_model.results.what_if_starts import (
    care_start_rates,
    plan_start_rates,
    source_shares,
)
from demand_model.simulation.setup import Prepared
from demand_model.simulation.trajectories import Trajectories

FloatArray = npt.NDArray[np.float64]

_LEAST = 1e-6
"""Children below which a neutral value is not set right: there is nothing to scale."""


def what_if_values(
    prepared: Prepared,
    baseline: Trajectories,
    placed: PlacementPaths,
    today: PlacementsToday,
    choices: CostChoices,
) -> WhatIf:
    """Effective values behind a run's mean forecast.

    Parameters
    ----------
    prepared
        What the run drew, balanced.
    baseline
        Simulated from it.
    placed
        From `place_children`, of the baseline.
    today
        That it was placed by.
    choices
        How costs are reckoned.

    Raises
    ------
    InvalidSettingError
        The trajectories, or the placements, are not the baseline's.
    """
    for name, is_other in (
        (baseline.scenario.name, bool(baseline.scenario.changes)),
        (placed.scenario, placed.scenario != baseline.scenario.name),
    ):
        if is_other:
            raise InvalidSettingError(
                f"Invalid trajectories: scenario {name!r}. They must be the baseline's."
            )
    common, batches = prepared.common, prepared.batches
    months = min(len(baseline.months), WHAT_IF_MONTHS)
    blocks = common.line.blocks()[:months]
    lengths = np.add.reduceat(common.line.step_months[: blocks[-1].stop], [b.start for b in blocks])
    uasc = float(np.concatenate([b.rates.uasc for b in batches]).mean())
    raw = WhatIf(
        census_date=common.line.census_date,
        months=baseline.months[:months],
        end_days=common.line.edges[[b.stop for b in blocks]],
        baseline={m: baseline.measures[m, ALL][:months].mean(axis=1) for m in WHAT_IF_MEASURES},
        observed={m: v for (m, s), v in baseline.observed.items() if s == ALL},
        referral_share=source_shares(batches),
        plan_starts=plan_start_rates(common, batches, months),
        care_starts=care_start_rates(common, batches, months),
        uasc_starts=uasc * lengths,
        opening_plans=len(common.plans),
        opening_care=len(common.care),
        exits=exits(common, hazards(batches, months), months),
        care_from_new_plans_month=lengths,
        plan_correction=np.ones(months),
        care_correction=np.ones(months),
        placed=_placed(placed, today, choices, months),
    )
    return _set_right(raw)


def _placed(
    paths: PlacementPaths, today: PlacementsToday, choices: CostChoices, months: int
) -> Placed:
    """Mix and costs; the correction is still to be worked out."""
    calendar = calendar_of(paths.months[:months], today.census_date, choices)
    baseline = paths.children[:months].mean(axis=2)
    return Placed(
        groups=paths.groups,
        today=paths.today,
        baseline=baseline,
        mix=today.mix,
        correction=np.ones_like(baseline),
        days=calendar.days,
        years=calendar.years_of_prices,
        inflation_a_year=choices.inflation_a_year,
    )


def _set_right(raw: WhatIf) -> WhatIf:
    """Make the neutral forecast the engine's mean: first starts, then stocks, plans first."""
    plans = _ratio(raw, "cp_starts")
    values = replace(raw, plan_starts=_scaled(raw.plan_starts, plans))
    values = replace(values, plan_correction=_ratio(values, "cp_open"))
    # Starts of care follow the children on plans at the month's start, so set right too.
    before = np.concatenate([[1.0], values.plan_correction[:-1]])
    values = _scale_care_starts(values, np.ones_like(before), from_plans=before)
    values = _scale_care_starts(values, _ratio(values, "cla_starts"))
    values = replace(values, care_correction=_ratio(values, "cla_open"))
    return replace(values, placed=_placed_right(values))


def _placed_right(values: WhatIf) -> Placed:
    placed = values.placed
    found = what_if_forecast(values).by_group
    some = found > _LEAST
    right = np.where(some, placed.baseline / np.maximum(found, _LEAST), 1.0)
    return replace(placed, correction=right)


def _ratio(values: WhatIf, measure: str) -> FloatArray:
    """Engine's mean over the formulas', at neutral, in each month."""
    observed = np.zeros(len(values.months))
    observed[0] = values.observed.get(measure, 0.0) if measure.endswith("starts") else 0.0
    wanted = values.baseline[measure] - observed
    found = getattr(what_if_forecast(values), measure) - observed
    return np.where(found > _LEAST, wanted / np.maximum(found, _LEAST), 1.0)


def _scaled(starts: StartRates, factor: FloatArray) -> StartRates:
    return replace(
        starts,
        pipeline=starts.pipeline * factor,
        kernel=starts.kernel * factor[:, None],
        other=starts.other * factor,
    )


def _scale_care_starts(
    values: WhatIf, factor: FloatArray, *, from_plans: FloatArray | None = None
) -> WhatIf:
    plans = factor if from_plans is None else from_plans
    found = values.exits
    return replace(
        values,
        care_starts=_scaled(values.care_starts, factor),
        uasc_starts=values.uasc_starts * factor,
        exits=replace(found, care_from_open_plans=found.care_from_open_plans * plans),
        care_from_new_plans_month=values.care_from_new_plans_month * plans,
    )
