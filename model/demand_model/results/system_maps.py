"""The maps of the system with a run's numbers on them, and both in words.

Stocks are today's; flows are those of the forecast's first twelve months under the
baseline. Starts are parted into where they come from by the fitted rates; what the
lists do not count (assessments, children in need, workers) stands in balance at the
census date and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.flows import ALL
from demand_model.rates.fit import FlowRates
from demand_model.results.explain import referral_shares
from demand_model.simulation.system_feedback import System
from demand_model.simulation.system_today import with_lists
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.causal_map import CausalMap, causal_map
from demand_model.system.drawing import Drawing
from demand_model.system.inputs import Workforce
from demand_model.system.stock_map import stock_map

FloatArray = npt.NDArray[np.float64]

MONTHS_PER_YEAR = 12
_SAME = 1e-9

RANGE = (0.10, 0.90)
"""Quantiles of the range beside a flow: it holds the truth 8 times in 10."""

LISTS = "counted in the lists"
FORECAST = "forecast"
PARTED = "forecast, parted by fitted rates"
BALANCE = "in balance with referrals, by sheet System"
WORKFORCE = "by sheet System, at the census date"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapNumber:
    """A number on the map.

    Attributes
    ----------
    value
        Today, or a year.
    low, high
        Range of a forecast (`RANGE`).
    basis
        Where it comes from, in plain words.
    """

    value: float
    basis: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SystemMaps:
    """Both maps.

    Attributes
    ----------
    months
        Months of the flows; fewer than twelve, the horizon's, are scaled to a year.
    numbers
        By key of `demand_model.system.stock_map`.
    """

    months: pd.PeriodIndex
    numbers: Mapping[str, MapNumber]
    stocks: Drawing
    causal: CausalMap


def system_maps(
    system: System, rates: FlowRates, baseline: Trajectories, today: Mapping[str, FloatArray]
) -> SystemMaps:
    """Draw both maps.

    Parameters
    ----------
    system, rates, baseline
        Of the run; the system's links are drawn, on or off.
    today
        From `demand_model.simulation.system_today.system_today`.
    """
    numbers = _children(rates, baseline)
    numbers |= _front_door(with_lists(system, rates), numbers["referrals"], today)
    if system.inputs.workforce is not None:
        numbers |= _workers(system.inputs.workforce, today)
    return SystemMaps(
        months=baseline.months[:MONTHS_PER_YEAR],
        numbers=numbers,
        stocks=stock_map({key: number.value for key, number in numbers.items()}),
        causal=causal_map(system.inputs.links),
    )


def _children(rates: FlowRates, baseline: Trajectories) -> dict[str, MapNumber]:
    """What the simulation gives."""
    plans, care = _a_year(baseline, "cp_starts"), _a_year(baseline, "cla_starts")
    from_referrals = referral_shares(rates)["cp"]
    parts = _care_parts(rates)
    return {
        "referrals": _a_year(baseline, "referrals"),
        "cp_open": MapNumber(value=float(baseline.opening["cp_open"]), basis=LISTS),
        "cla_open": MapNumber(value=float(baseline.opening["cla_open"]), basis=LISTS),
        "plans_from_referrals": _part(plans, from_referrals),
        "plans_other": _part(plans, 1.0 - from_referrals),
        "cp_ends": _a_year(baseline, "cp_ends"),
        **{key: _part(care, share) for key, share in parts.items()},
        "cla_ends": _a_year(baseline, "cla_ends"),
    }


def _a_year(baseline: Trajectories, measure: str) -> MapNumber:
    months = baseline.measures[measure, ALL][:MONTHS_PER_YEAR]
    totals = months.sum(axis=0) * (MONTHS_PER_YEAR / len(months))
    low, high = np.quantile(totals, RANGE)
    return MapNumber(value=float(totals.mean()), low=float(low), high=float(high), basis=FORECAST)


def _part(whole: MapNumber, share: float, basis: str = PARTED) -> MapNumber:
    low = None if whole.low is None else whole.low * share
    high = None if whole.high is None else whole.high * share
    return MapNumber(value=whole.value * share, low=low, high=high, basis=basis)


def _care_parts(rates: FlowRates) -> dict[str, float]:
    """Shares of the starts of care by where they come from, by the fitted rates."""
    a_month = {
        "care_from_referrals": float(rates.to_care.share * rates.referrals_per_month),
        "care_from_plans": float(
            rates.plan_to_care.overall_mean() * len(rates.exposure.opening.plans.days)
        ),
        "care_other": float(
            rates.to_care.other_mean() + rates.returns_per_month + rates.uasc.overall_mean()
        ),
    }
    total = sum(a_month.values())
    return {key: value / total if total > 0.0 else 0.0 for key, value in a_month.items()}


def _front_door(
    system: System, referrals: MapNumber, today: Mapping[str, FloatArray]
) -> dict[str, MapNumber]:
    """Referrals parted at the door; what the lists do not count, in balance with them."""
    door = system.inputs.front_door
    nfa = (system.nfa_share or 0.0) if door.nfa_share is None else door.nfa_share
    source = "the lists" if door.nfa_share is None else "sheet System"
    taken_up = _part(referrals, 1.0 - nfa, "the other referrals")
    in_need = _part(taken_up, door.cin_share, BALANCE)
    return {
        "nfa_closed": _part(referrals, nfa, f"{nfa:.0%} of referrals, as in {source}"),
        "assessments_started": taken_up,
        "assessments_open": _today(today["assessments_open"], BALANCE),
        "assessments_closed": _part(taken_up, 1.0 - door.cin_share, BALANCE),
        "assessments_to_need": in_need,
        "cin_open": _today(today["cin_open"], BALANCE),
        "cin_closed": in_need,
    }


def _workers(workforce: Workforce, today: Mapping[str, FloatArray]) -> dict[str, MapNumber]:
    """Workers and caseload today, and the year's joiners and leavers at today's rates."""
    permanent = today["workers"] * (1.0 - workforce.agency_share)
    leaving = permanent * workforce.leavers_a_year
    recruited = leaving
    if workforce.starters_a_month is not None:
        recruited = np.full_like(leaving, workforce.starters_a_month * MONTHS_PER_YEAR)
    numbers = {name: today[name] for name in ("workers", "cases", "caseload", "ideal_caseload")}
    numbers |= {"starters": recruited, "leavers": leaving}
    return {name: _today(values, WORKFORCE) for name, values in numbers.items()}


def _today(values: FloatArray, basis: str) -> MapNumber:
    """Mean and range over draws; no range where all draws agree."""
    mean = float(values.mean())
    low, high = (float(v) for v in np.quantile(values, RANGE))
    if high - low <= _SAME * abs(mean):
        return MapNumber(value=mean, basis=basis)
    return MapNumber(value=mean, low=low, high=high, basis=basis)
