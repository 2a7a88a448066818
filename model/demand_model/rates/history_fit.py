"""The four processes of `history`, read from months of starts, ends and open cases."""

# ruff: noqa: D102 - the members of the protocol are described in `FlowRates`

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd

from demand_model.exposure.tabulate import Exposure
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.conversions import Conversion
from demand_model.rates.hazards import BandedRates
from demand_model.rates.history import (
    PAST_PRIOR,
    PastRate,
    PastRates,
    Process,
    drift_of,
    fit_rate,
)
from demand_model.rates.history_series import (
    MonthlyRecord,
    expected_starts,
    in_shock,
    referrals_filled,
    stock_filled,
)
from demand_model.rates.intake import IntakeFit
from demand_model.rates.intake_prior import NATIONAL_INTAKE, IntakePrior, Shock
from demand_model.rates.priors import Priors
from demand_model.units import MONTHS_PER_YEAR


class ListRates(Protocol):
    """What is needed of the rates fitted to the lists: a part of `FlowRates`."""

    @property
    def exposure(self) -> Exposure: ...
    @property
    def priors(self) -> Priors: ...
    @property
    def dispersion(self) -> Mapping[str, float]: ...
    @property
    def intake(self) -> IntakeFit: ...
    @property
    def to_plan(self) -> Conversion: ...
    @property
    def to_care(self) -> Conversion: ...
    @property
    def plan_ends(self) -> BandedRates: ...
    @property
    def plan_to_care(self) -> BandedRates: ...
    @property
    def care_ends(self) -> tuple[BandedRates, ...]: ...
    @property
    def uasc(self) -> BandedRates: ...
    @property
    def returns_per_month(self) -> float: ...
    @property
    def overrides(self) -> Mapping[str, float]: ...


def fit_past(
    records: Mapping[str, MonthlyRecord], shocks: tuple[Shock, ...], rates: ListRates
) -> PastRates | None:
    """Posterior of each process that the history shows; ``None`` if it shows none.

    Parameters
    ----------
    records
        From `monthly_records`.
    shocks
        Months left out: national shocks and those that the analyst marked.
    rates
        Fitted to the lists. A process of which the analyst has set a rate is left
        as it is.
    """
    own = _set_by_analyst(rates.overrides)
    fitted: dict[Process, PastRate] = {}
    offset: dict[Process, float] = {}
    for process, measure in _MEASURES.items():
        record = records[measure]
        if process in own or not len(record.before):
            continue
        seen = record.values.dropna()
        seen = seen[~in_shock(pd.PeriodIndex(seen.index), shocks)]
        # Without a month of the lists there is no telling what history departs from.
        listed = seen.index >= record.listed_from
        if listed.all() or not listed.any():
            continue
        expected = _expected(process, rates, records)[seen.index]
        fitted[process] = fit_rate(
            seen,
            expected,
            record.listed_from,
            _prior_of(process, rates, float(seen.mean())),
            pd.Period(pd.Timestamp(rates.exposure.census_date), freq="M"),
            counted_alike=record.shared > 0,
            dispersion=rates.dispersion[_KINDS[process]],
        )
        offset[process] = _list_offset(process, rates)
    return PastRates(rates=fitted, list_offset=offset) if fitted else None


_MEASURES = {
    Process.PLAN_CONVERSION: "cp_starts",
    Process.CARE_CONVERSION: "cla_starts",
    Process.PLAN_EXIT: "cp_ends",
    Process.CARE_EXIT: "cla_ends",
}
_FLOWS: Mapping[Process, tuple[Flow, ...]] = {
    Process.PLAN_CONVERSION: (Flow.REFERRAL_TO_PLAN, Flow.OTHER_PLAN_STARTS),
    Process.CARE_CONVERSION: (
        Flow.REFERRAL_TO_CARE,
        Flow.OTHER_CARE_STARTS,
        Flow.PLAN_TO_CARE,
    ),
    Process.PLAN_EXIT: (Flow.PLAN_ENDS,),
    Process.CARE_EXIT: tuple(CARE_ENDS),
}


def _set_by_analyst(overrides: Mapping[str, float]) -> set[Process]:
    flows = {name.split("|")[0] for name in overrides}
    return {p for p, mine in _FLOWS.items() if flows & {f.value for f in mine}}


_KINDS = {
    Process.PLAN_CONVERSION: "plan_starts",
    Process.CARE_CONVERSION: "care_starts",
    Process.PLAN_EXIT: "plan_ends",
    Process.CARE_EXIT: "care_ends",
}


def _prior_of(process: Process, rates: ListRates, per_month: float) -> IntakePrior:
    """The Gaussian process of one rate, in the terms of the intake's."""
    drift, own = drift_of(process, rates.priors), PAST_PRIOR
    excess = max(rates.dispersion[_KINDS[process]] - 1.0, 0.0)
    return IntakePrior(
        profile=(1.0,) * MONTHS_PER_YEAR,
        profile_variance=(own.season_variance,) * MONTHS_PER_YEAR,
        level_variance=1.0,
        long_variance=0.0,
        long_months=1.0,
        # The national variance is the authorities' mean, the grid's middle their median.
        slow_variance=drift.sd**2 * float(np.exp(-(own.drift_spread**2) / 2.0)),
        slow_months=drift.time_constant_months,
        fast_variance=0.0,
        fast_months=1.0,
        noise_variance=excess / max(per_month, 0.5) + own.extra_noise,
        drift_spread=own.drift_spread,
        noise_spread=own.noise_spread,
        spread_months=own.spread_months,
        drift_size_power=0.0,
        noise_size_power=0.0,
        reference_size=NATIONAL_INTAKE.reference_size,
        size_limits=NATIONAL_INTAKE.size_limits,
        shock_variance=0.0,
        shock_months=1.0,
    )


def _expected(
    process: Process, rates: ListRates, records: Mapping[str, MonthlyRecord]
) -> pd.Series:
    """Count of each month at constant rates, up to a factor."""
    first = min(r.values.index[0] for r in records.values())
    last = records["referrals"].values.index[-1]
    if process in (Process.PLAN_EXIT, Process.CARE_EXIT):
        kind = "cp" if process is Process.PLAN_EXIT else "cla"
        months = pd.period_range(first, last, freq="M")
        through = stock_filled(
            records[f"{kind}_open"], records[f"{kind}_starts"], records[f"{kind}_ends"], months
        )
        return through + 0.5
    months = pd.period_range(first - 6, last, freq="M")
    referrals = referrals_filled(records["referrals"], rates.intake, months)
    if process is Process.PLAN_CONVERSION:
        return expected_starts(rates.to_plan, referrals, rates.to_plan.other_mean())
    plans = stock_filled(records["cp_open"], records["cp_starts"], records["cp_ends"], months)
    others = rates.to_care.other_mean() + rates.returns_per_month + float(rates.uasc.mean()[0])
    return expected_starts(
        rates.to_care, referrals, plans * rates.plan_to_care.overall_mean() + others
    )


def _list_offset(process: Process, rates: ListRates) -> float:
    """Log of what the lists count over what the fitted rates give for the same time at risk."""
    if process is Process.PLAN_CONVERSION:
        return 0.0
    if process is Process.CARE_CONVERSION:
        months = rates.to_care.others.months
        observed = rates.to_care.observed / max(months, 0.1)
        return float(np.log((observed + 0.5) / (observed + rates.returns_per_month + 0.5)))
    fits = (rates.plan_ends,) if process is Process.PLAN_EXIT else rates.care_ends
    observed = sum(float(f.occurrences.sum()) for f in fits)
    fitted = sum(float((f.mean() * f.exposure).sum()) for f in fits)
    return float(np.log((observed + 0.5) / (fitted + 0.5)))
