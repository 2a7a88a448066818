"""National priors: each with its value, unit, source and date.

A prior is a rate that England as a whole shows and a weight, in events, that
says how far authorities differ from it: ``weight = 1 / (sd of log rate)^2``.
Figures marked † are judgement, not published: they carry little weight, and the
rates table says when a rate leans on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS
from demand_model.spell.linkage import MAX_LAG_WEEKS

DFE_PLANS = "DfE, Characteristics of children in need 2023/24, plans ending by duration"
DFE_CARE = "DfE, Children looked after in England 2023/24; split by duration and age †"
JUDGEMENT = "judgement †"


def _lag_shape(mean_weeks: float, shape: float, at_once: float) -> tuple[float, ...]:
    """Share of starts by week since referral: `at_once` in week 0, the rest a gamma shape."""
    week = np.arange(MAX_LAG_WEEKS) + 0.5
    density = week ** (shape - 1.0) * np.exp(-week * shape / mean_weeks)
    shares = (1.0 - at_once) * density / density.sum()
    shares[0] += at_once
    return tuple(float(s) for s in shares)


# Months 0-3, 3-6, 6-9, 9-12, 12-18, 18-24, 24+: plans ending in 2023/24 had lasted up to 3
# months 16.3%, 3-6 11.7%, 6-12 43.3%, 1-2 years 24.9%, 2 years and over 3.8%; in a steady
# state the hazard is -log(S(b)/S(a))/(b - a).
_PLAN_ENDS = (0.059, 0.050, 0.153, 0.153, 0.169, 0.169, 0.12)

# Share of children ceasing in a month, by time in care, 18th birthdays left out. †
_CARE_BY_DURATION = (0.105, 0.060, 0.032, 0.026, 0.027, 0.019, 0.012, 0.008)

# How the exits divide, by time in care: home, adoption, SGO/CAO, other. †
_CARE_REASON_BY_DURATION = (
    (0.70, 0.00, 0.06, 0.24),
    (0.64, 0.00, 0.10, 0.26),
    (0.52, 0.02, 0.20, 0.26),
    (0.36, 0.08, 0.32, 0.24),
    (0.26, 0.30, 0.24, 0.20),
    (0.28, 0.32, 0.18, 0.22),
    (0.34, 0.18, 0.16, 0.32),
    (0.36, 0.06, 0.14, 0.44),
)

# Relative rate by age group (under 1, 1-4, 5-9, 10-15, 16-17, UASC) and reason. †
_CARE_REASON_BY_AGE = (
    (0.85, 1.00, 1.00, 1.00, 1.25, 0.15),
    (1.30, 2.20, 0.50, 0.03, 0.01, 0.00),
    (1.80, 1.80, 1.20, 0.50, 0.20, 0.01),
    (0.50, 0.50, 0.55, 0.85, 2.20, 0.70),
)


def _care_ends() -> npt.NDArray[np.float64]:
    """Prior rate a child-month; shape (reasons, duration bands, segments)."""
    total = np.asarray(_CARE_BY_DURATION)[None, :, None]
    reason = np.asarray(_CARE_REASON_BY_DURATION).T[:, :, None]
    age = np.asarray(_CARE_REASON_BY_AGE)[:, None, :]
    rates = total * reason * age
    return np.asarray(np.maximum(rates, 1e-5), dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """National rates of one flow and how firmly they are held.

    Attributes
    ----------
    rates
        Prior mean a cell; shape of the flow's cells.
    level_events
        Weight, in events, of the national level of the whole flow.
    cell_events
        Weight, in events, of the national pattern between cells.
    source
        Where the rates come from.
    other_share
        Starts that no referral explains, as a share of those that referrals lead to.
    """

    rates: npt.NDArray[np.float64]
    level_events: float
    cell_events: float
    source: str
    other_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DispersionPrior:
    """Variance over mean of a count of children who come in families.

    With siblings moving together in about half of families of two or more, the
    size-weighted mean family is 1.5 to 2. †
    """

    plan_starts: float = 1.9
    plan_ends: float = 1.9
    care_starts: float = 2.0
    care_ends: float = 1.7
    referrals: float = 1.6
    events: float = 60.0

    def of(self, kind: str) -> float:
        """Prior dispersion of a kind of event."""
        return float(getattr(self, kind))


_FEWEST_CHILDREN = 40
"""No authority drifts more than one of this size: of 76, one has fewer (22)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Slow change of a rate's level on the log scale: an AR(1) by month.

    ``x[t + 1] = x[t] exp(-1 / time_constant) + noise``, with stationary standard
    deviation `sd`; starts from 0 at the census date (what is known of the
    present is in the rate itself).

    Attributes
    ----------
    restlessness
        Standard deviation between authorities of the log of their own `sd`, whose
        mean square is the `sd` given; 0 if all are alike.
    is_mean_one
        The multiplier has mean 1; else its median is 1. A stock whose children stay
        for years follows the median of its exits more than their mean.
    twice_at_children
        Children open at which the variance is twice that of a very large authority, whose
        `sd` is given: what one team or manager changes moves a small authority more. 0 if
        size makes no difference.
    """

    sd: float
    time_constant_months: float
    restlessness: float = 0.0
    is_mean_one: bool = True
    twice_at_children: float = 0.0

    @property
    def persistence(self) -> float:
        """Autocorrelation from one month to the next."""
        return float(np.exp(-1.0 / self.time_constant_months))

    def at_size(self, children: int) -> Drift:
        """The drift of an authority with so many children open."""
        ratio = self.twice_at_children / max(children, _FEWEST_CHILDREN)
        return replace(self, sd=self.sd * float(np.sqrt(1.0 + ratio)), twice_at_children=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancePrior:
    """Log of (intake x mean stay / open now) ~ Student t (location, scale, df).

    Authorities are near balance. Student's t lets go where the lists firmly
    show a step or a trend.
    """

    location: float
    scale: float
    degrees_of_freedom: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """All national priors of one fit; replace any of them by a region's."""

    plan_ends: Prior = field(
        default_factory=lambda: Prior(
            rates=np.asarray(_PLAN_ENDS), level_events=16.0, cell_events=8.0, source=DFE_PLANS
        )
    )
    plan_to_care: Prior = field(
        default_factory=lambda: Prior(
            rates=np.asarray((0.022, 0.014, 0.010, 0.010, 0.008, 0.008, 0.008)),
            level_events=6.0,
            cell_events=6.0,
            source=JUDGEMENT,
        )
    )
    care_ends: Prior = field(
        default_factory=lambda: Prior(
            rates=_care_ends(), level_events=3.0, cell_events=3.0, source=DFE_CARE
        )
    )
    referral_to_plan: Prior = field(
        default_factory=lambda: Prior(
            rates=0.085 * np.asarray(_lag_shape(6.5, 3.0, 0.0)),
            level_events=6.0,
            cell_events=2.0,
            source="DfE, plans started / referrals 2023/24; lag " + JUDGEMENT,
            other_share=0.10,  # †
        )
    )
    referral_to_care: Prior = field(
        default_factory=lambda: Prior(
            rates=0.016 * np.asarray(_lag_shape(9.0, 1.2, 0.15)),
            level_events=4.0,
            cell_events=2.0,
            source=JUDGEMENT,
            other_share=0.50,  # †
        )
    )
    re_referrals: Prior = field(
        default_factory=lambda: Prior(
            rates=np.asarray((0.026, 0.022, 0.017, 0.012)),
            level_events=10.0,
            cell_events=10.0,
            source="DfE, re-referral within 12 months 22% (2023/24); timing †",
        )
    )
    nfa_share: float = 0.08
    nfa_events: float = 4.0
    source_ratio_events: float = 20.0
    uasc_starts_per_child_in_care_month: float = 0.004
    dispersion: DispersionPrior = field(default_factory=DispersionPrior)
    plan_balance: BalancePrior = field(
        default_factory=lambda: BalancePrior(location=-0.02, scale=0.11)
    )
    care_balance: BalancePrior = field(
        default_factory=lambda: BalancePrior(location=-0.01, scale=0.20)
    )
    # What last year's net flow tells of next year's change of the stock, in real authorities,
    # has a standard deviation of .02 to .04 (decision 23).
    care_year: BalancePrior = field(default_factory=lambda: BalancePrior(location=0.0, scale=0.035))
    plan_conversion_drift: Drift = field(
        default_factory=lambda: Drift(
            sd=0.21, time_constant_months=8.0, restlessness=0.25, twice_at_children=120.0
        )
    )
    care_conversion_drift: Drift = field(
        default_factory=lambda: Drift(sd=0.25, time_constant_months=22.0, restlessness=0.6)
    )
    plan_exit_drift: Drift = field(
        default_factory=lambda: Drift(
            sd=0.145, time_constant_months=8.0, restlessness=0.25, twice_at_children=120.0
        )
    )
    # Where more plans start, fewer end: over a year, the change in starts and in the share of
    # plans that end correlate by -.24 to -.30 in real authorities, by -.10 to -.17 without this.
    plan_drift_correlation: float = -0.35
    care_exit_drift: Drift = field(
        default_factory=lambda: Drift(
            sd=0.165, time_constant_months=20.0, restlessness=0.6, is_mean_one=False
        )
    )

    def at_size(self, plans: int) -> Priors:
        """The priors of an authority with so many children on a plan."""
        return replace(
            self,
            plan_conversion_drift=self.plan_conversion_drift.at_size(plans),
            plan_exit_drift=self.plan_exit_drift.at_size(plans),
        )


STARTS_FOLLOW_REFERRALS = 0.6
"""Elasticity of starts with respect to chance swings of referrals: see `rates.following`.

76 authorities, 2013 to 2024: a change in referrals over one, two or four years goes with .38 to
.41 (standard error .04 to .07; .52 to .59 with outliers drawn in) of it in starts of plans and
.14 to .22 (.04; .18 to .34) in starts of care, half of which follow a referral.
"""

SOURCE_SHARES = (0.080, 0.203, 0.017, 0.147, 0.012, 0.142, 0.285, 0.044, 0.042, 0.016, 0.012)
"""Referrals by source, England 2023/24, in the order of `SOURCE_GROUPS` (DfE)."""

SOURCE_PRIOR_EVENTS = 5.0
"""Weight of the national split of referrals by source, in referrals."""

PLAN_ENTRY_AGE_QUANTILES_YEARS = (0.0, 0.3, 1.5, 3.5, 5.5, 7.5, 9.5, 11.5, 13.5, 15.5)
CARE_ENTRY_AGE_QUANTILES_YEARS = (0.05, 0.3, 1.0, 3.0, 6.0, 9.5, 12.5, 14.2, 15.4, 16.6)
UASC_ENTRY_AGE_QUANTILES_YEARS = (15.0, 15.6, 16.0, 16.2, 16.4, 16.6, 16.8, 17.0, 17.3, 17.6)
"""Mid-decile ages at entry, in years: DfE age groups of starts 2023/24, spread evenly †."""

assert len(_PLAN_ENDS) == len(PLAN_BANDS)  # noqa: S101 - declarations must match
assert _care_ends().shape == (4, len(CARE_BANDS), len(CARE_SEGMENTS))  # noqa: S101
