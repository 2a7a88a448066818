"""How long each stage takes: percentiles, closed cases beside them, and children held."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from demand_model.results.journey_counts import FEWEST_SHOWN, rounded_count
from demand_model.results.journey_curves import (
    FEWEST,
    STILL,
    UNKNOWN,
    Estimate,
    percentile_time,
)
from demand_model.results.journey_groups import (
    FEWEST_OUTCOMES,
    NEARLY_DAYS,
    Followed,
    Group,
    figures,
    follow,
    has_end,
)
from demand_model.results.journey_stages import (
    CARE,
    PLAN,
    REFERRAL,
    STARTED_CARE,
    STARTED_PLAN,
    Stage,
    on_plan_stage,
)
from demand_model.spell.build import Spells
from demand_model.spell.linkage import MAX_LAG_WEEKS
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK

PERCENTILES = {"p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}

STAGE_COLUMNS = (
    *("stage", "by", "group", "unit", "seen"),
    *(f"{name}{end}" for name in PERCENTILES for end in ("", "_low", "_high")),
    *(f"plain_{name}" for name in PERCENTILES),
    *("at_a_time", "held", "withheld", "note"),
)

_LAG_DAYS = float(MAX_LAG_WEEKS * DAYS_PER_WEEK)
_WEEKS, _MONTHS = ("weeks", float(DAYS_PER_WEEK)), ("months", DAYS_PER_MONTH)

TO_PLAN, TO_CARE, ON_PLAN = "Referral to plan", "Referral to care", "On a plan"
PLAN_TO_CARE, IN_CARE = "Plan to care", "In care"


def stage_rows(
    seen: Spells, followed: Mapping[str, Followed], dispersion: Mapping[str, float]
) -> list[dict[str, str | float]]:
    """Rows of the table of times, columns `STAGE_COLUMNS`.

    Parameters
    ----------
    followed
        By name of the stage.
    dispersion
        Variance over mean of counts of events, by kind.
    """
    referral, plan, care = (followed[name] for name in (REFERRAL, PLAN, CARE))
    on_plan = follow(on_plan_stage(seen))
    to_plan = referral.stage.outcomes.index(STARTED_PLAN)
    total = float(on_plan.stage.held_days.sum() + care.stage.held_days.sum())

    def left(name: str, of: Followed, list_number: int) -> list[dict[str, str | float]]:
        days = (seen.census_date - seen.windows[list_number].start).days + 1
        return [_until_left(name, of.stage, g, dispersion, held=(total, days)) for g in of.groups]

    return [
        *(
            _to_outcome(TO_PLAN, referral.stage, STARTED_PLAN, g, dispersion, until=_LAG_DAYS)
            for g in referral.groups
            if g is referral.everyone or g.has_gone(to_plan) >= FEWEST_OUTCOMES
        ),
        _to_outcome(
            TO_CARE, referral.stage, STARTED_CARE, referral.everyone, dispersion, until=_LAG_DAYS
        ),
        *left(ON_PLAN, on_plan, 7),
        _to_outcome(PLAN_TO_CARE, plan.stage, STARTED_CARE, plan.everyone, dispersion),
        *left(IN_CARE, care, 8),
        *(
            _to_outcome(
                IN_CARE, care.stage, reason, care.everyone, dispersion, by="Reason of leaving"
            )
            for reason in care.stage.outcomes
        ),
    ]


def _until_left(
    name: str,
    stage: Stage,
    group: Group,
    dispersion: Mapping[str, float],
    *,
    held: tuple[float, int],
) -> dict[str, str | float]:
    """Time until children leave a stage, whatever for."""
    d = dispersion[stage.clusters[-1]]
    times = {
        p: percentile_time(group.curve, share, dispersion=d) for p, share in PERCENTILES.items()
    }
    left = group.observed.leave[group.observed.outcome != STILL]
    row = _time_row(name, group.by, group.name, left, times, _MONTHS)
    total, days = held
    child_days = float((group.observed.leave - group.observed.enter).sum())
    if child_days / days >= FEWEST_SHOWN:
        row["at_a_time"] = rounded_count(child_days / days)
        row["held"] = child_days / total
    return row


def _to_outcome(
    name: str,
    stage: Stage,
    outcome: str,
    group: Group,
    dispersion: Mapping[str, float],
    *,
    until: float = math.inf,
    by: str = "",
) -> dict[str, str | float]:
    """Time until an outcome, of those who come to it (by `until` days)."""
    curve = group.curve
    k = stage.outcomes.index(outcome)
    d = dispersion[stage.clusters[k]]
    is_whole = curve.reach >= until - NEARLY_DAYS if math.isfinite(until) else has_end(stage, curve)
    times = {
        p: percentile_time(curve, share, outcome=k, until=until, dispersion=d)
        if is_whole
        else UNKNOWN
        for p, share in PERCENTILES.items()
    }
    left = group.observed.leave[group.observed.outcome == k]
    unit = _WEEKS if stage.name == REFERRAL else _MONTHS
    row = _time_row(name, by or group.by, outcome if by else group.name, left, times, unit)
    if not is_whole and not row["withheld"]:
        row["note"] = "Not known: the slowest are not there yet within what the lists show."
    return row


def _time_row(
    name: str,
    by: str,
    group: str,
    left: npt.NDArray[np.float64],
    times: Mapping[str, Estimate],
    unit: tuple[str, float],
) -> dict[str, str | float]:
    """A row of the table; percentiles of fewer than `FEWEST` are withheld."""
    label, unit_days = unit
    is_few = 0 < len(left) < FEWEST_SHOWN
    row: dict[str, str | float] = dict.fromkeys(STAGE_COLUMNS, math.nan)
    row |= {"stage": name, "by": by, "group": group, "unit": label, "withheld": "", "note": ""}
    row["seen"] = math.nan if is_few else rounded_count(len(left))
    if len(left) < FEWEST:
        closed_too = (f"plain_{p}" for p in PERCENTILES)
        row["withheld"] = " ".join((*(("seen",) if is_few else ()), *PERCENTILES, *closed_too))
        row["note"] = f"Fewer than {FEWEST} left in the window."
        return row
    for p, found in times.items():
        row |= figures(p, found, unit_days)
    closed = np.quantile(left, tuple(PERCENTILES.values())) / unit_days
    row |= {f"plain_{p}": value for p, value in zip(PERCENTILES, closed, strict=True)}
    beyond = [f"{PERCENTILES[p]:.0%}" for p, found in times.items() if math.isnan(found.value)]
    if beyond:
        row["note"] = f"{', '.join(beyond)}: not reached within what the lists show."
    return row
