"""Occurrence-exposure table to flow rates: one posterior a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.exposure.bands import (
    CARE_BANDS,
    CARE_SEGMENTS,
    PLAN_BANDS,
    RE_REFERRAL_BANDS,
    Bands,
)
from demand_model.exposure.history import History
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.rates.conversions import Conversion, fit_conversion
from demand_model.rates.hazards import BandedRates, fit_banded
from demand_model.rates.history import PastRates
from demand_model.rates.history_fit import fit_past
from demand_model.rates.history_series import (
    monthly_records,
    on_lists_footing,
    referrals_with_history,
    shocks_of,
)
from demand_model.rates.intake import IntakeFit, fit_intake
from demand_model.rates.intake_prior import PAST_SHOCKS
from demand_model.rates.priors import Prior, Priors
from demand_model.units import DAYS_PER_MONTH, working_days_in_months

FloatArray = npt.NDArray[np.float64]

_HIDDEN_STARTS_AN_END = 0.5
"""Of the hidden periods that ended within the window, the share that began in it. †"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Counts of yes and of all, with a Beta posterior, by segment."""

    segments: tuple[str, ...]
    yes: FloatArray
    total: FloatArray
    prior_share: float
    prior_events: float
    fixed: FloatArray
    """The analyst's own shares, NaN where there is none."""

    @property
    def prior_total(self) -> float:
        """Weight of the prior, in referrals."""
        return min(self.prior_events / max(self.prior_share, 1e-6), 50.0)

    def mean(self) -> FloatArray:
        """Posterior mean of each segment's share."""
        prior = self.prior_total
        fitted = (self.yes + prior * self.prior_share) / (self.total + prior)
        return np.asarray(np.where(np.isnan(self.fixed), fitted, self.fixed))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowRates:
    """Posteriors of all flows, and the exposure they rest on.

    Attributes
    ----------
    exposure
        What was counted.
    priors
        What England shows, for an authority of this size.
    dispersion
        Variance over mean, by kind of event.
    intake
        Level, drift, profile and noise of referrals.
    source_counts
        Referrals in the window by source group, in the order of `SOURCE_GROUPS`.
    referrals_per_month
        Expected referrals in an average month of the coming year.
    nfa
        Referrals closed without further action, by source.
    re_referrals, plan_ends, plan_to_care, uasc
        Rates a child-month (UASC: children a month).
    care_ends
        One a reason, in the order of `CARE_ENDS`; cells (duration bands, segments).
    to_plan, to_care
        Conversion of referrals, and other starts.
    referral_scale
        What the analyst's own level of referrals is to the fitted one; 1 if none.
    returns_per_month
        Starts of care that the list does not show because the child came back
        again within the window; added to the other starts.
    overrides
        The analyst's own rates, by rate_id.
    past
        What months of history say of conversions and exits, if any were given.
    """

    exposure: Exposure
    priors: Priors
    dispersion: Mapping[str, float]
    intake: IntakeFit
    source_counts: FloatArray
    referrals_per_month: float
    nfa: Shares
    re_referrals: BandedRates
    plan_ends: BandedRates
    plan_to_care: BandedRates
    care_ends: tuple[BandedRates, ...]
    uasc: BandedRates
    to_plan: Conversion
    to_care: Conversion
    referral_scale: float = 1.0
    returns_per_month: float = 0.0
    overrides: Mapping[str, float] = field(default_factory=dict)
    past: PastRates | None = None

    def without_own(self) -> FlowRates:
        """The same fit with none of the analyst's own rates laid over what is drawn and balanced.

        Re-referrals and referrals closed without action, which balance does not know, stay.
        """
        return replace(
            self,
            referrals_per_month=_coming_year(self.intake, self.exposure),
            referral_scale=1.0,
            plan_ends=self.plan_ends.without_own(),
            plan_to_care=self.plan_to_care.without_own(),
            care_ends=tuple(reason.without_own() for reason in self.care_ends),
            uasc=self.uasc.without_own(),
            to_plan=self.to_plan.without_own(),
            to_care=self.to_care.without_own(),
            overrides={},
        )


def rate_id(flow: Flow, duration_band: str = ALL, segment: str = ALL) -> str:
    """Stable name of a rate: ``flow|duration band|segment``."""
    return f"{flow.value}|{duration_band or ALL}|{segment}"


def fit(
    exposure: Exposure,
    *,
    history: History | None = None,
    priors: Priors | None = None,
    overrides: Mapping[str, float] | None = None,
) -> FlowRates:
    """Fit every flow.

    Parameters
    ----------
    exposure
        From `tabulate`.
    history
        Monthly counts of earlier months, if there are any.
    priors
        National priors unless given.
    overrides
        The analyst's own rates by `rate_id`; each wins over the fit and has no
        uncertainty.

    Raises
    ------
    NotEnoughDataError
        List 3 holds no referral within its window.
    InvalidSettingError
        An override names no rate or is negative.
    """
    priors = (priors or Priors()).at_size(exposure.opening.plans.days.size)
    own = dict(overrides or {})
    _check_overrides(own)
    dispersion = {
        kind: c.dispersion(prior=priors.dispersion.of(kind), prior_events=priors.dispersion.events)
        for kind, c in exposure.clustering.items()
    }
    counts, working_days = _monthly_referrals(exposure)
    if counts.sum() <= 0:
        raise NotEnoughDataError(
            "List 3 holds no referral within its window, so no forecast can be made. "
            "Check the census date and that List 3 was pasted."
        )
    shocks, records = PAST_SHOCKS, None
    if history is not None:
        shocks, records = shocks_of(history.unusual), monthly_records(history, exposure)
        records["referrals"] = on_lists_footing(records["referrals"], counts, working_days, shocks)
        counts, working_days = referrals_with_history(records["referrals"], counts, working_days)
    intake = fit_intake(counts, working_days=working_days.to_numpy(float), shocks=shocks)
    fitted = referrals_per_working_day(intake)
    scale = own.get(rate_id(Flow.REFERRALS), fitted) / fitted
    table = exposure.table
    per_day = _referrals_per_day(exposure)
    fitted_rates = FlowRates(
        exposure=exposure,
        priors=priors,
        dispersion=dispersion,
        intake=intake,
        source_counts=_source_counts(table),
        referrals_per_month=_coming_year(intake, exposure) * scale,
        nfa=_nfa(table, priors, own),
        referral_scale=scale,
        re_referrals=_duration_flow(
            table, Flow.RE_REFERRALS, RE_REFERRAL_BANDS, priors.re_referrals, 1.5, own
        ),
        plan_ends=_duration_flow(
            table, Flow.PLAN_ENDS, PLAN_BANDS, priors.plan_ends, dispersion["plan_ends"], own
        ),
        plan_to_care=_duration_flow(
            table,
            Flow.PLAN_TO_CARE,
            PLAN_BANDS,
            priors.plan_to_care,
            dispersion["care_starts"],
            own,
        ),
        care_ends=_care_ends(exposure, priors.care_ends, dispersion["care_ends"], own),
        returns_per_month=_HIDDEN_STARTS_AN_END
        * exposure.hidden_care_ends
        / exposure.windows[8].months,
        uasc=_uasc(table, exposure, priors, own),
        to_plan=fit_conversion(
            table,
            flow=Flow.REFERRAL_TO_PLAN,
            other_flow=Flow.OTHER_PLAN_STARTS,
            prior=priors.referral_to_plan,
            source_ratio_events=priors.source_ratio_events,
            dispersion=dispersion["plan_starts"],
            referrals_per_day=per_day,
            fixed_share=own.get(rate_id(Flow.REFERRAL_TO_PLAN), float("nan")),
            fixed_other=own.get(rate_id(Flow.OTHER_PLAN_STARTS), float("nan")),
        ),
        to_care=fit_conversion(
            table,
            flow=Flow.REFERRAL_TO_CARE,
            other_flow=Flow.OTHER_CARE_STARTS,
            prior=priors.referral_to_care,
            source_ratio_events=priors.source_ratio_events,
            dispersion=dispersion["care_starts"],
            referrals_per_day=per_day,
            fixed_share=own.get(rate_id(Flow.REFERRAL_TO_CARE), float("nan")),
            fixed_other=own.get(rate_id(Flow.OTHER_CARE_STARTS), float("nan")),
        ),
        overrides=own,
    )
    if records is None:
        return fitted_rates
    return replace(fitted_rates, past=fit_past(records, shocks, fitted_rates))


def overridable_rate_ids() -> tuple[str, ...]:
    """Every rate that an analyst may set, in the order of the rates table."""
    ids = [rate_id(Flow.REFERRALS)]
    ids += [rate_id(Flow.REFERRAL_NFA, ALL, source) for source in SOURCE_GROUPS]
    ids += [rate_id(Flow.REFERRAL_TO_PLAN), rate_id(Flow.OTHER_PLAN_STARTS)]
    ids += [rate_id(Flow.REFERRAL_TO_CARE), rate_id(Flow.OTHER_CARE_STARTS)]
    ids += [rate_id(Flow.UASC_STARTS)]
    for flow, bands in (
        (Flow.RE_REFERRALS, RE_REFERRAL_BANDS),
        (Flow.PLAN_TO_CARE, PLAN_BANDS),
        (Flow.PLAN_ENDS, PLAN_BANDS),
    ):
        ids += [rate_id(flow), *(rate_id(flow, band) for band in bands.labels)]
    for flow in CARE_ENDS:
        ids.append(rate_id(flow))
        ids += [
            rate_id(flow, band, segment) for band in CARE_BANDS.labels for segment in CARE_SEGMENTS
        ]
    return tuple(ids)


def _check_overrides(overrides: Mapping[str, float]) -> None:
    known = set(overridable_rate_ids())
    problems = [
        f"{name!r} is not a rate that can be set" for name in overrides if name not in known
    ]
    problems += [
        f"{name!r} is {value}; a rate must be 0 or more"
        for name, value in overrides.items()
        if not value >= 0.0
    ]
    problems += [
        f"{name!r} is {value}; a share must be 1 or less"
        for name, value in overrides.items()
        if name.startswith(Flow.REFERRAL_NFA.value) and value > 1.0
    ]
    if problems:
        raise InvalidSettingError("Invalid override: " + "; ".join(problems) + ".")


def _monthly_referrals(exposure: Exposure) -> tuple[pd.Series, pd.Series]:
    mine = exposure.table[exposure.table["flow"] == Flow.REFERRALS.value]
    counts = mine.groupby("month")["occurrences"].sum()
    days = mine.groupby("month")["exposure"].max()
    index = pd.PeriodIndex(counts.index, freq="M")
    return counts.set_axis(index), days.set_axis(index)


def referrals_per_working_day(intake: IntakeFit) -> float:
    """Level that the fit ends with, season and noise apart: posterior mean."""
    level, sd = intake.level()
    return float(np.exp(level[0] + sd[0] ** 2 / 2.0))


def _coming_year(intake: IntakeFit, exposure: Exposure) -> float:
    """Mean referrals a month of the next 12, at the level that the fit ends with."""
    first = pd.Period(pd.Timestamp(exposure.census_date), freq="M") + 1
    months = pd.period_range(first, periods=12, freq="M")
    effect, _ = intake.profile()
    per_day = referrals_per_working_day(intake)
    days = working_days_in_months(months).astype(float)
    return float(np.mean(per_day * effect[months.month.to_numpy() - 1] * days))


def _referrals_per_day(exposure: Exposure) -> float:
    """Referrals a calendar day of List 3's window."""
    mine = exposure.table[exposure.table["flow"] == Flow.REFERRALS.value]
    days = (exposure.census_date - exposure.windows[3].start).days + 1
    return float(mine["occurrences"].sum()) / days


def _source_counts(table: pd.DataFrame) -> FloatArray:
    mine = table[table["flow"] == Flow.REFERRALS.value]
    counts = mine.groupby("segment")["occurrences"].sum().reindex(list(SOURCE_GROUPS))
    return counts.fillna(0.0).to_numpy(float)


def _nfa(table: pd.DataFrame, priors: Priors, overrides: Mapping[str, float]) -> Shares:
    mine = table[table["flow"] == Flow.REFERRAL_NFA.value]
    grouped = mine.groupby("segment")[["occurrences", "exposure"]].sum()
    segments = tuple(str(s) for s in grouped.index)
    return Shares(
        segments=segments,
        yes=grouped["occurrences"].to_numpy(float),
        total=grouped["exposure"].to_numpy(float),
        prior_share=priors.nfa_share,
        prior_events=priors.nfa_events,
        fixed=_fixed([rate_id(Flow.REFERRAL_NFA, ALL, s) for s in segments], overrides),
    )


def _fixed(ids: list[str], overrides: Mapping[str, float]) -> FloatArray:
    return np.array([overrides.get(name, np.nan) for name in ids], dtype=float)


def _duration_flow(
    table: pd.DataFrame,
    flow: Flow,
    bands: Bands,
    prior: Prior,
    dispersion: float,
    overrides: Mapping[str, float],
) -> BandedRates:
    mine = table[table["flow"] == flow.value]
    grouped = mine.groupby("duration_band")[["occurrences", "exposure"]].sum()
    grouped = grouped.reindex(list(bands.labels)).fillna(0.0)
    return fit_banded(
        grouped["occurrences"].to_numpy(float),
        grouped["exposure"].to_numpy(float) / DAYS_PER_MONTH,
        prior.rates,
        level_events=prior.level_events,
        cell_events=prior.cell_events,
        dispersion=dispersion,
        fixed=_fixed([rate_id(flow, band) for band in bands.labels], overrides),
        overall=overrides.get(rate_id(flow), float("nan")),
    )


def _care_ends(
    exposure: Exposure, prior: Prior, dispersion: float, overrides: Mapping[str, float]
) -> tuple[BandedRates, ...]:
    """Each reason has a level of its own: authorities differ in what they use."""
    table = exposure.table
    cells = pd.MultiIndex.from_product([CARE_BANDS.labels, CARE_SEGMENTS])
    shape = (len(CARE_BANDS), len(CARE_SEGMENTS))
    fits = []
    for reason, flow in enumerate(CARE_ENDS):
        mine = table[table["flow"] == flow.value]
        sums = mine.groupby(["duration_band", "segment"])[["occurrences", "exposure"]].sum()
        sums = sums.reindex(cells).fillna(0.0)
        ids = [rate_id(flow, band, segment) for band, segment in cells]
        fitted = fit_banded(
            sums["occurrences"].to_numpy(float).reshape(shape),
            sums["exposure"].to_numpy(float).reshape(shape) / DAYS_PER_MONTH,
            prior.rates[reason],
            level_events=prior.level_events,
            cell_events=prior.cell_events,
            dispersion=dispersion,
            fixed=_fixed(ids, overrides).reshape(shape),
            overall=overrides.get(rate_id(flow), float("nan")),
        )
        if flow is Flow.CARE_ENDS_HOME:
            seen = float(fitted.occurrences.sum())
            fitted = replace(fitted, scale=(seen + exposure.hidden_care_ends + 1.0) / (seen + 1.0))
        fits.append(fitted)
    return tuple(fits)


def _uasc(
    table: pd.DataFrame, exposure: Exposure, priors: Priors, overrides: Mapping[str, float]
) -> BandedRates:
    """UASC starts a month; the prior is half an event at the national rate."""
    mine = table[table["flow"] == Flow.UASC_STARTS.value]
    in_care = max(len(exposure.opening.care), 1)
    return fit_banded(
        np.array([float(mine["occurrences"].sum())]),
        np.array([float(mine["exposure"].sum()) / DAYS_PER_MONTH]),
        np.array([priors.uasc_starts_per_child_in_care_month * in_care]),
        level_events=0.5,
        cell_events=2.0,
        dispersion=1.0,
        fixed=_fixed([rate_id(Flow.UASC_STARTS)], overrides),
    )
