"""Every fitted rate in one table: counts, rate, interval, prior and how far it leans on it.

Beside each rate stand the few numbers from which a reader can work it out again, by
`Basis`. With ``n = occurrences / dispersion``, ``E = exposure / dispersion`` and the prior's
``a`` events and ``b`` exposure, a cell's rate is ``correction * (n + a) / (E + b)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.bands import (
    CARE_BANDS,
    CARE_SEGMENTS,
    PLAN_BANDS,
    RE_REFERRAL_BANDS,
    Bands,
)
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.rates.conversions import Conversion
from demand_model.rates.fit import FlowRates, rate_id, referrals_per_working_day
from demand_model.rates.hazards import BandedRates
from demand_model.rates.priors import Prior

FloatArray = npt.NDArray[np.float64]

COLUMNS = (
    "rate_id",
    "flow",
    "segment",
    "duration_band",
    "occurrences",
    "exposure",
    "exposure_unit",
    "rate",
    "low",
    "high",
    "unit",
    "prior_rate",
    "prior_weight",
    "evidence",
    "source",
    "basis",
    "fitted_rate",
    "dispersion",
    "prior_events",
    "prior_exposure",
    "correction",
    "interval_events",
)


class Basis(StrEnum):
    """How a rate is worked out from the numbers beside it."""

    CELL = "cell"
    """One cell of a flow whose cells share a level: a Gamma posterior."""
    ALONE = "alone"
    """A flow of one cell."""
    WHOLE = "whole"
    """What the cells of a flow average to at the exposure counted."""
    SHARE = "share"
    """A share of referrals: a Beta posterior."""
    PER_MONTH = "per month"
    """Starts put down to no referral over months."""
    CONVERSION = "conversion"
    """A sum over weeks since referral."""
    LEVEL = "level"
    """The level with which the fit of monthly referrals ends."""
    UNSEEN = "unseen"
    """Nobody was at risk: no formula, the prior alone."""


_WELL, _THIN = 0.25, 0.6
_PER_CHILD_MONTH = ("child-months", "a child-month")
_FEW = 5.0
"""Cases below which a rate that leans on no prior is thinly supported."""
_ENOUGH = 20.0
"""Cases, each family one, from which a rate that leans on no prior is well supported."""
_Z95 = 1.959964
_INTERVAL_DRAWS = 2000


def rates_table(rates: FlowRates) -> pd.DataFrame:
    """Lay out all rates of a fit; columns `COLUMNS`, one row a rate.

    ``occurrences`` and ``exposure`` are as counted, before they are divided by the
    dispersion; ``low`` and ``high`` bound the central 95% of the posterior;
    ``prior_weight`` is the prior's share of the rate, 0 to 1.

    ``fitted_rate`` is the rate without the analyst's own for it (of a whole flow: with
    those of its cells); ``basis`` and the columns after it say how it is worked out.
    """
    priors = rates.priors
    rows = _referrals(rates)
    rows += _conversion(
        rates.to_plan, Flow.REFERRAL_TO_PLAN, Flow.OTHER_PLAN_STARTS, priors.referral_to_plan
    )
    rows += _conversion(
        rates.to_care, Flow.REFERRAL_TO_CARE, Flow.OTHER_CARE_STARTS, priors.referral_to_care
    )
    rows += _cells(rates.uasc, Flow.UASC_STARTS, [(ALL, ALL)], "judgement †", ("months", "a month"))
    rows += _nfa(rates)
    for flow, fitted, bands, prior in (
        (Flow.RE_REFERRALS, rates.re_referrals, RE_REFERRAL_BANDS, priors.re_referrals),
        (Flow.PLAN_TO_CARE, rates.plan_to_care, PLAN_BANDS, priors.plan_to_care),
        (Flow.PLAN_ENDS, rates.plan_ends, PLAN_BANDS, priors.plan_ends),
    ):
        rows += [_overall(fitted, flow, prior)]
        rows += _cells(fitted, flow, _by_band(bands), prior.source, _PER_CHILD_MONTH)
    cells = [(band, segment) for band in CARE_BANDS.labels for segment in CARE_SEGMENTS]
    for flow, fitted in zip(CARE_ENDS, rates.care_ends, strict=True):
        rows += [_overall(fitted, flow, priors.care_ends)]
        rows += _cells(fitted, flow, cells, priors.care_ends.source, _PER_CHILD_MONTH)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _by_band(bands: Bands) -> list[tuple[str, str]]:
    return [(band, ALL) for band in bands.labels]


def evidence(prior_weight: float, *, own: bool = False) -> str:
    """How well the lists support a rate, in words."""
    if own:
        return "set by you"
    if prior_weight <= _WELL:
        return "well supported by the lists"
    if prior_weight <= _THIN:
        return "some support; leans partly on the national figure"
    return "thin: leans mostly on the national figure"


def evidence_of_cases(cases: float, *, own: bool = False) -> str:
    """How well the lists support a rate that leans on no national figure, in words.

    Parameters
    ----------
    cases
        Events behind it, over their dispersion.
    """
    if own:
        return "set by you"
    if cases >= _ENOUGH:
        return "well supported by the lists"
    if cases >= _FEW:
        return "some support; not many cases, so the range is wide"
    return "thin: few cases, so the range is very wide"


def _row(name: str, values: Mapping[str, object]) -> dict[str, object]:
    flow, band, segment = name.split("|")
    return {"rate_id": name, "flow": flow, "segment": segment, "duration_band": band, **values}


def _cells(
    fitted: BandedRates,
    flow: Flow,
    cells: list[tuple[str, str]],
    source: str,
    units: tuple[str, str],
) -> list[dict[str, object]]:
    low, high = (side.ravel() for side in fitted.interval())
    mean, weight = fitted.mean().ravel(), fitted.prior_weight().ravel()
    alone, events = fitted.without_own().mean().ravel(), fitted.interval_events().ravel()
    prior_exposure = fitted.prior_exposure().ravel()
    basis = Basis.ALONE if len(cells) == 1 else Basis.CELL
    if float(fitted.exposure.sum()) <= 0.0:
        basis = Basis.UNSEEN
    set_by_analyst = ~np.isnan(fitted.fixed.ravel())
    return [
        _row(
            rate_id(flow, band, segment),
            {
                "occurrences": float(fitted.occurrences.ravel()[i]),
                "exposure": float(fitted.exposure.ravel()[i]),
                "exposure_unit": units[0],
                "rate": float(mean[i]),
                "low": float(low[i]),
                "high": float(high[i]),
                "unit": units[1],
                "prior_rate": float(fitted.prior_rates.ravel()[i]),
                "prior_weight": float(weight[i]),
                "evidence": evidence(float(weight[i]), own=bool(set_by_analyst[i])),
                "source": source,
                "basis": basis,
                "fitted_rate": float(alone[i]),
                "dispersion": fitted.dispersion,
                "prior_events": fitted.cell_events,
                "prior_exposure": float(prior_exposure[i]),
                "correction": fitted.scale,
                "interval_events": float(events[i]),
            },
        )
        for i, (band, segment) in enumerate(cells)
    ]


def _overall(fitted: BandedRates, flow: Flow, prior: Prior) -> dict[str, object]:
    """The whole flow: what the bands below it average to at the exposure counted."""
    low, high = fitted.overall_interval()
    events = float(fitted.occurrences.sum())
    weight = prior.level_events / (prior.level_events + events / fitted.dispersion)
    exposure = fitted.exposure
    national = float((fitted.prior_rates * exposure).sum() / max(float(exposure.sum()), 1e-12))
    own = not bool(np.isnan(fitted.overall))
    return _row(
        rate_id(flow),
        {
            "occurrences": events,
            "exposure": float(exposure.sum()),
            "exposure_unit": _PER_CHILD_MONTH[0],
            "rate": fitted.overall_mean(),
            "low": low,
            "high": high,
            "unit": _PER_CHILD_MONTH[1],
            "prior_rate": national,
            "prior_weight": weight,
            "evidence": evidence(weight, own=own),
            "source": prior.source,
            "basis": Basis.WHOLE if float(exposure.sum()) > 0.0 else Basis.UNSEEN,
            "fitted_rate": replace(fitted, overall=float("nan")).overall_mean(),
            "dispersion": fitted.dispersion,
            "prior_events": prior.level_events,
            "interval_events": fitted.overall_events(),
        },
    )


def _referrals(rates: FlowRates) -> list[dict[str, object]]:
    level, sd = rates.intake.level()
    intake = rates.intake
    per_day = referrals_per_working_day(intake) * rates.referral_scale
    own = rate_id(Flow.REFERRALS) in rates.overrides
    days = float(np.sum(intake.working_days))
    row = {
        "occurrences": float(np.sum(intake.counts)),
        "exposure": days,
        "exposure_unit": "working days",
        "rate": per_day,
        "low": per_day if own else float(np.exp(level[0] - _Z95 * sd[0])),
        "high": per_day if own else float(np.exp(level[0] + _Z95 * sd[0])),
        "unit": "a working day, season apart",
        "prior_rate": float("nan"),
        "prior_weight": 0.0,
        "evidence": evidence_of_cases(
            float(np.sum(intake.counts)) / rates.dispersion["referrals"], own=own
        ),
        "source": "the lists; season: DfE referrals by month",
        "basis": Basis.LEVEL,
        "fitted_rate": referrals_per_working_day(intake),
        "interval_events": float(1.0 / max(sd[0] ** 2, 1e-12)),
    }
    return [_row(rate_id(Flow.REFERRALS), row)]


def _conversion(
    fitted: Conversion, flow: Flow, other_flow: Flow, prior: Prior
) -> list[dict[str, object]]:
    """The share of referrals that lead to a start, and starts that follow none."""
    share = fitted.share
    as_counted = float(replace(fitted.lags, total=float("nan")).mean().sum())
    linked = float(fitted.lags.occurrences.sum()) + fitted.hidden_starts
    spread = np.exp(_Z95 * np.sqrt(fitted.dispersion / max(linked, 0.5)))
    other, others = fitted.other_mean(), fitted.other_occurrences
    _, drawn = fitted.draw(_INTERVAL_DRAWS, np.random.default_rng(0))
    other_low, other_high = np.quantile(drawn, (0.025, 0.975))
    own = bool(np.isfinite(fitted.share_fixed))
    own_other = bool(np.isfinite(fitted.others.fixed))
    # The level is the authority's own: the prior only helps to split starts by origin.
    weight = 0.0 if linked >= _FEW else 0.5
    return [
        _row(
            rate_id(flow),
            {
                "occurrences": linked,
                "exposure": linked / max(as_counted, 1e-12),
                "exposure_unit": "referrals",
                "rate": share,
                "low": share if own else share / spread,
                "high": share if own else share * spread,
                "unit": "a referral, within 26 weeks",
                "prior_rate": float(prior.rates.sum()),
                "prior_weight": weight,
                "evidence": evidence_of_cases(linked / fitted.dispersion, own=own),
                "source": prior.source,
                "basis": Basis.CONVERSION,
                "fitted_rate": as_counted,
                "dispersion": fitted.dispersion,
            },
        ),
        _row(
            rate_id(other_flow),
            {
                "occurrences": others,
                "exposure": fitted.others.months,
                "exposure_unit": "months",
                "rate": other,
                "low": float(other_low),
                "high": float(other_high),
                "unit": "a month",
                "prior_rate": fitted.others.prior_per_month,
                "prior_weight": fitted.others.prior_weight,
                "evidence": evidence(fitted.others.prior_weight, own=own_other),
                "source": "share of starts that no referral explains: judgement †",
                "basis": Basis.PER_MONTH,
                "fitted_rate": others / fitted.others.months,
            },
        ),
    ]


def _nfa(rates: FlowRates) -> list[dict[str, object]]:
    shares = rates.nfa
    mean = shares.mean()
    fitted = replace(shares, fixed=np.full_like(shares.fixed, np.nan)).mean()
    prior = shares.prior_total
    rows = []
    for i, source in enumerate(shares.segments):
        total = float(shares.total[i])
        half = _Z95 * np.sqrt(mean[i] * (1.0 - mean[i]) / (total + prior + 1.0))
        own = bool(np.isfinite(shares.fixed[i]))
        half = 0.0 if own else half
        weight = prior / (prior + total)
        rows.append(
            _row(
                rate_id(Flow.REFERRAL_NFA, ALL, source),
                {
                    "occurrences": float(shares.yes[i]),
                    "exposure": total,
                    "exposure_unit": "referrals",
                    "rate": float(mean[i]),
                    "low": float(max(mean[i] - half, 0.0)),
                    "high": float(min(mean[i] + half, 1.0)),
                    "unit": "a referral",
                    "prior_rate": shares.prior_share,
                    "prior_weight": float(weight),
                    "evidence": evidence(float(weight), own=own),
                    "source": "judgement †",
                    "basis": Basis.SHARE,
                    "fitted_rate": float(fitted[i]),
                    "dispersion": 1.0,
                    "prior_events": prior * shares.prior_share,
                    "prior_exposure": prior,
                    "correction": 1.0,
                },
            )
        )
    return rows
