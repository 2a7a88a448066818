"""The formulas of sheet What-if, in NumPy: the same sums in the same order.

::

    referrals[t]  = observed[t] + R[t] sum_s share[s] f[s,t] (1 - fall[s,t]) + returned[t]
    starts[t]     = conversion[t] (pipeline[t] + sum_g kernel[t,g] Q[t-g]) + other[t]
    children[t,a] = children[t-1,a-1] base[a] exp(response[a] . levers[t])
    open[t]       = correction[t] (opening[t] + sum_a children[t,a])
    by_age[t]     = opening[t] ages[t] + sum_a children[t,a] ages_since[a]
    by_group[t]   = open[t] x share of (by_age[t] mix) correction[t]

``f`` is the change of a source's referrals, ``fall`` a lockdown's share of them, and ``Q``
the same sum as referrals with each source weighted by how readily it converts. ``ages``
answer to the average change of exits so far, ``ages_since`` to the month's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.rates.draws import UASC_SEGMENT
from demand_model.results.what_if_data import Placed, StartRates, WhatIf
from demand_model.results.what_if_levers import WhatIfLevers
from demand_model.results.what_if_survival import Survival, lever_terms
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK

FloatArray = npt.NDArray[np.float64]
_LEAST_SPREAD = 1e-6
"""Months: a return without spread comes at once, as in the engine."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhatIfForecast:
    """What the sheet shows; each of shape (months,).

    Attributes
    ----------
    referrals, cp_starts, cla_starts
        In the month, what was already observed included.
    cp_open, cla_open
        At the month's end.
    by_group
        Children in care by placement group at the month's end; shape (months, groups).
    """

    referrals: FloatArray
    cp_starts: FloatArray
    cp_open: FloatArray
    cla_starts: FloatArray
    cla_open: FloatArray
    by_group: FloatArray


def what_if_forecast(values: WhatIf, levers: WhatIfLevers | None = None) -> WhatIfForecast:
    """Mean forecast under some levers, as the sheet computes it."""
    levers = levers or WhatIfLevers()
    held, locked = _active(values, levers)

    def changed(change: float, in_lockdown: float = 0.0) -> FloatArray:
        """Change of a rate by month, as a share."""
        return (1.0 + change * held) * (1.0 + in_lockdown * locked) - 1.0

    conversion = 1.0 + changed(levers.conversion_to_plans)
    plan_starts = _starts(values, levers, values.plan_starts, conversion)
    plan_levers = lever_terms(
        np.zeros_like(held), changed(levers.plan_ends, levers.lockdown_plan_ends)
    )
    exits = values.exits
    old_plans = _opening(values.opening_plans, exits.open_plans, plan_levers)
    new_plans = _entrants(plan_starts, exits.new_plans, plan_levers)
    entries = 1.0 + changed(levers.entries_to_care)
    care_starts = _starts(values, levers, values.care_starts, entries, other_too=True)
    care_starts = care_starts + entries * _from_plans(values, old_plans, new_plans)
    uasc_starts = values.uasc_starts * (1.0 + changed(levers.uasc_entries))
    care_levers = lever_terms(
        changed(levers.care_ends_home, levers.lockdown_care_ends),
        changed(levers.care_ends_other, levers.lockdown_care_ends),
    )
    opening = _opening(values.opening_care, exits.open_care, care_levers)
    new_care = _entrants(care_starts, exits.new_care, care_levers)
    new_uasc = _entrants(uasc_starts, exits.new_uasc, care_levers).sum(axis=1)
    cla_open = (opening + new_care.sum(axis=1) + new_uasc) * values.care_correction
    by_age = _by_age(values, care_levers, opening, new_care, new_uasc)
    return WhatIfForecast(
        referrals=_observed(values, "referrals")
        + _referrals(values, levers, values.referral_share),
        cp_starts=_observed(values, "cp_starts") + plan_starts,
        cp_open=(old_plans + new_plans.sum(axis=1)) * values.plan_correction,
        cla_starts=_observed(values, "cla_starts") + care_starts + uasc_starts,
        cla_open=cla_open,
        by_group=_by_group(values.placed, by_age, cla_open),
    )


def what_if_cost(
    values: WhatIf,
    by_group: FloatArray,
    *,
    weekly_costs: FloatArray | None = None,
    inflation_a_year: float | None = None,
) -> FloatArray:
    """Cost of placements each month in £, as `costs.monthly_cost` has it; shape (months,).

    Parameters
    ----------
    by_group
        Children at each month's end; shape (months, groups).
    weekly_costs, inflation_a_year
        Instead of those of the run.
    """
    placed = values.placed
    weekly = placed.weekly_costs if weekly_costs is None else weekly_costs
    inflation = placed.inflation_a_year if inflation_a_year is None else inflation_a_year
    a_week = np.concatenate([[placed.today @ weekly], by_group @ weekly])
    weeks = placed.days / DAYS_PER_WEEK
    price = (1.0 + inflation) ** placed.years
    return np.asarray((a_week[:-1] + a_week[1:]) / 2.0 * weeks * price)


def _active(values: WhatIf, levers: WhatIfLevers) -> tuple[FloatArray, FloatArray]:
    """1 in the months in which the changes hold; 1 in the months of the lockdown."""
    month = np.arange(len(values.months))
    first = levers.lockdown_after_months
    locked = (month >= first) & (month < first + levers.lockdown_months)
    return (month >= levers.start_after_months).astype(float), locked.astype(float)


def _observed(values: WhatIf, measure: str) -> FloatArray:
    out = np.zeros(len(values.months))
    out[0] = values.observed.get(measure, 0.0)
    return out


def _referrals(values: WhatIf, levers: WhatIfLevers, weight: FloatArray) -> FloatArray:
    """Referrals of sources so weighted: what still comes, and what returns."""
    held, locked = _active(values, levers)
    change = np.array(
        [
            (1.0 + levers.referrals) * (1.0 + levers.referrals_by_source.get(s, 0.0))
            for s in SOURCE_GROUPS
        ]
    )
    fall = np.array(
        [levers.lockdown_fall_by_source.get(s, levers.lockdown_fall) for s in SOURCE_GROUPS]
    )
    ordinary = values.to_come("referrals")

    def mixed(part: FloatArray) -> FloatArray:
        """Sum over sources of a part of their referrals, before and after the change."""
        before, after = weight @ part, weight @ (part * change)
        return np.asarray(ordinary * (before + (after - before) * held))

    hidden = mixed(fall) * locked
    back = levers.share_returning * _release(values, levers) * hidden.sum()
    return np.asarray(mixed(np.ones_like(fall)) - hidden + back)


def _release(values: WhatIf, levers: WhatIfLevers) -> FloatArray:
    """Share of hidden need that leaves it in each month."""
    ends = np.concatenate([[0.0], values.end_days])
    over = levers.lockdown_after_months + levers.lockdown_months
    if over >= len(ends):
        return np.zeros(len(values.months))
    begin = ends[over] + levers.return_delay_months * DAYS_PER_MONTH
    spread = max(levers.return_spread_months, _LEAST_SPREAD) * DAYS_PER_MONTH
    return np.diff(np.clip((ends - begin) / spread, 0.0, 1.0))


def _starts(
    values: WhatIf,
    levers: WhatIfLevers,
    rates: StartRates,
    factor: FloatArray,
    *,
    other_too: bool = False,
) -> FloatArray:
    """Starts from referrals, times `factor`, and other starts (also times it if `other_too`)."""
    referrals = _referrals(values, levers, rates.weight)
    linked = rates.pipeline.copy()
    for behind in range(min(rates.kernel.shape[1], len(referrals))):
        linked[behind:] += rates.kernel[behind:, behind] * referrals[: len(referrals) - behind]
    return np.asarray(linked * factor + rates.other * (factor if other_too else 1.0))


def _opening(children: float, kept: Survival, levers: FloatArray) -> FloatArray:
    """Those open at the census date who are still there, by month."""
    by_month = np.minimum(kept.base * np.exp((kept.response * levers).sum(axis=1)), 1.0)
    return np.asarray(children * np.cumprod(by_month))


def _entrants(starts: FloatArray, kept: Survival, levers: FloatArray) -> FloatArray:
    """Children by month (rows) and months since entry (columns)."""
    share = kept.kept(levers)
    out = np.zeros((len(starts), len(starts)))
    for month, entering in enumerate(starts):
        out[month, 0] = entering
        if month:
            out[month, 1:] = out[month - 1, :-1]
        out[month] *= share[month]
    return out


def _by_age(
    values: WhatIf,
    care_levers: FloatArray,
    opening: FloatArray,
    new_care: FloatArray,
    new_uasc: FloatArray,
) -> FloatArray:
    """Children in care by segment, not set right; shape (months, segments)."""
    home, other = care_levers[:, :1], care_levers[:, 1:2]
    so_far = np.arange(1, len(home) + 1)[:, None]
    now, since = values.exits.open_ages, values.exits.new_ages
    shares = now.neutral + (
        np.cumsum(home, axis=0) / so_far * now.home + np.cumsum(other, axis=0) / so_far * now.other
    )
    out = opening[:, None] * shares
    out += new_care @ since.neutral + home * (new_care @ since.home)
    out += other * (new_care @ since.other)
    out[:, UASC_SEGMENT] += new_uasc
    return np.asarray(out)


def _by_group(placed: Placed, by_age: FloatArray, cla_open: FloatArray) -> FloatArray:
    found = (by_age @ placed.mix) * placed.correction
    total = found.sum(axis=1, keepdims=True)
    share = np.divide(found, total, out=np.zeros_like(found), where=total > 0.0)
    return np.asarray(cla_open[:, None] * share)


def _from_plans(values: WhatIf, old: FloatArray, new: FloatArray) -> FloatArray:
    """Starts of care from plans that were open at each month's start."""
    exits = values.exits
    before = np.concatenate([[values.opening_plans], old[:-1]])
    entered = np.concatenate([[0.0], (new @ exits.care_from_new_plans)[:-1]])
    return np.asarray(
        before * exits.care_from_open_plans + entered * values.care_from_new_plans_month
    )
