"""The true process of a made-up authority: every parameter, with its unit in its name.

Nothing here is fitted and nothing here is shared with `demand_model`: the
generator and the engine are two independent statements of how children move
through the system, so that agreement between them means something.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

AGE_BANDS = ("under 1", "1-4", "5-9", "10-15", "16-17")
AGE_BAND_UPPER_YEARS = (1.0, 5.0, 10.0, 16.0)

PLAN_BAND_START_MONTHS = (0, 3, 6, 9, 12, 18, 24)
CARE_BAND_START_MONTHS = (0, 1, 3, 6, 12, 24, 36, 60)
CARE_REASONS = ("home", "adoption", "sgo_cao", "other")

SOURCE_GROUPS = (
    "Individual",
    "Schools",
    "Education services",
    "Health services",
    "Housing",
    "LA services",
    "Police",
    "Other legal agency",
    "Other",
    "Anonymous",
    "Unknown",
)

REPEAT_LAG_BAND_END_MONTHS = (3, 6, 12, 24)


def _check_shares(name: str, shares: tuple[float, ...]) -> None:
    if any(share < 0 for share in shares) or not math.isclose(sum(shares), 1.0, abs_tol=1e-6):
        msg = f"Invalid {name}: {shares}. {name} must be shares of at least 0 that sum to 1."
        raise ValueError(msg)


def _check_positive(name: str, value: float) -> None:
    if value < 0 or math.isnan(value):
        msg = f"Invalid {name}: {value}. {name} must be a number of at least 0."
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A slow multiplier exp(u) of a rate.

    u follows an AR(1) in steps of one mean month:
    u[t] = phi u[t-1] + sd e[t], phi = 0.5 ** (1 / half_life_months),
    and the multiplier is exp(u - var(u) / 2), of mean 1. With an infinite half-life it is
    a random walk, pinned to 1 at the census date, so that what follows is
    independent of what went before.

    Attributes
    ----------
    sd_log_per_month
        Standard deviation of one month's innovation, log scale; 0 is steady.
    half_life_months
        Months for half of a departure to fade.
    """

    sd_log_per_month: float = 0.0
    half_life_months: float = math.inf

    def __post_init__(self) -> None:
        _check_positive("sd_log_per_month", self.sd_log_per_month)
        if not self.half_life_months > 0:
            msg = (
                f"Invalid half_life_months: {self.half_life_months}. "
                "half_life_months must be above 0."
            )
            raise ValueError(msg)


STEADY = Drift()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A steady change of the level of intake, log scale, between two months from the census."""

    log_per_year: float
    from_month: float = -36.0
    to_month: float = 36.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A lasting jump of the level of intake, so many months from the census date."""

    months_from_census: float
    factor: float

    def __post_init__(self) -> None:
        if not self.factor > 0:
            msg = f"Invalid factor: {self.factor}. factor must be above 0."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyTruth:
    """Sibling groups: their size, spacing, and how much they share.

    Attributes
    ----------
    size_shares
        Share of families with 1, 2, 3, … children.
    sibling_gap_years
        Shortest gap between siblings; the rest is gamma with mean 1.6 years.
    shared_outcome_share
        Share of referrals on which all siblings have one outcome, on one day.
    shared_plan_end_share, shared_care_end_share
        Probability that a sibling who started on the same day ends with the first.
    """

    size_shares: tuple[float, ...] = (0.60, 0.22, 0.11, 0.05, 0.02)
    sibling_gap_years: float = 0.9
    shared_outcome_share: float = 0.85
    shared_plan_end_share: float = 0.85
    shared_care_end_share: float = 0.60

    def __post_init__(self) -> None:
        _check_shares("size_shares", self.size_shares)

    @property
    def mean_size(self) -> float:
        """Mean number of children in a family."""
        return sum(size * share for size, share in enumerate(self.size_shares, start=1))

    @property
    def batch_dispersion(self) -> float:
        """Variance over mean of a count of whole families' events: E[n²] / E[n]."""
        second = sum(size**2 * share for size, share in enumerate(self.size_shares, start=1))
        return second / self.mean_size


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralTruth:
    """How referrals arrive.

    Expected referrals of a calendar month are

        level_per_working_day × working days × profile[month] × exp(trend, steps, drift) × noise,

    noise lognormal with mean 1 and log variance `extra_poisson_variance`;
    families arrive as a Poisson process of that rate over the mean family size.

    Attributes
    ----------
    level_per_working_day
        Children referred on a working day (Monday to Friday, no bank holiday).
    profile
        January to December, a working day's factor, mean 1.
    repeat_share
        Share of referrals that are of a family referred before, in steady state.
    repeat_lag_shares
        Share of those by months since: 0-3, 3-6, 6-12, 12-24.
    nfa_share_by_source
        No further action at referral, in the order of `SOURCE_GROUPS`.
    """

    level_per_working_day: float
    profile: tuple[float, ...] = (
        1.011,
        0.991,
        1.050,
        0.982,
        1.085,
        1.072,
        1.008,
        0.816,
        0.980,
        1.018,
        1.063,
        0.924,
    )
    extra_poisson_variance: float = 0.011
    drift: Drift = STEADY
    trend: Trend | None = None
    steps: tuple[Step, ...] = ()
    repeat_share: float = 0.26
    repeat_lag_shares: tuple[float, ...] = (0.34, 0.23, 0.28, 0.15)
    source_shares: tuple[float, ...] = (
        0.080,
        0.203,
        0.017,
        0.147,
        0.012,
        0.142,
        0.285,
        0.044,
        0.042,
        0.016,
        0.012,
    )
    nfa_share_by_source: tuple[float, ...] = (
        0.10,
        0.03,
        0.04,
        0.05,
        0.08,
        0.04,
        0.09,
        0.10,
        0.07,
        0.20,
        0.10,
    )

    def __post_init__(self) -> None:
        _check_positive("level_per_working_day", self.level_per_working_day)
        _check_shares("repeat_lag_shares", self.repeat_lag_shares)
        _check_shares("source_shares", self.source_shares)
        if len(self.profile) != 12:
            msg = f"Invalid profile: {len(self.profile)} months. profile must have 12."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionTruth:
    """A referral's chance of leading on, and how long that takes.

    Attributes
    ----------
    share
        Probability a referred child, averaged over ages and sources (those
        closed without action included, which never lead on).
    lag_week_shares
        Share of those that lead on in week 0, 1, 2, … after the referral.
    multiplier_by_age
        Relative probability by `AGE_BANDS` at referral.
    follows_intake
        Elasticity of the starts with respect to the drift of intake: 1 if the probability
        stays whatever the intake; below, part of what drifts in and out are referrals that
        would lead to nothing. Trends and steps of intake are followed in full.
    """

    share: float
    lag_week_shares: tuple[float, ...]
    multiplier_by_age: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0)
    drift: Drift = STEADY
    follows_intake: float = 1.0

    def __post_init__(self) -> None:
        _check_positive("follows_intake", self.follows_intake)
        if not 0 <= self.share < 1:
            msg = f"Invalid share: {self.share}. share must be at least 0 and below 1."
            raise ValueError(msg)
        _check_shares("lag_week_shares", self.lag_week_shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTruth:
    """Plans that end at review conferences.

    Attributes
    ----------
    first_month, interval_months
        Months from start to the first review, and between later ones.
    jitter_days
        Standard deviation of a review's date.
    end_probability
        Chance that a plan ends at review 1, 2, …; the last holds for all later ones.
    background_hazard_per_month
        Endings between reviews.
    """

    first_month: float = 3.0
    interval_months: float = 6.0
    jitter_days: float = 9.0
    end_probability: tuple[float, ...] = (0.16, 0.50, 0.62, 0.70)
    background_hazard_per_month: float = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTruth:
    """Child protection plans.

    Attributes
    ----------
    other_starts_per_month
        Starts with no referral (transfers in).
    end_hazard_per_month
        By duration band (`PLAN_BAND_START_MONTHS`), other than into care and at 18.
    care_hazard_per_month
        Hazard of starting to be looked after while on a plan.
    days_to_close_after_care
        A plan of a child who enters care ends within this many days.
    reviews
        If given, plans end at reviews and `end_hazard_per_month` is not used.
    """

    conversion: ConversionTruth
    other_starts_per_month: float = 0.0
    other_drift: Drift = STEADY
    end_hazard_per_month: tuple[float, ...] = (0.052, 0.043, 0.122, 0.168, 0.157, 0.163, 0.140)
    end_drift: Drift = STEADY
    care_hazard_per_month: float = 0.0075
    care_drift: Drift = STEADY
    days_to_close_after_care: int = 42
    reviews: ReviewTruth | None = None

    def __post_init__(self) -> None:
        if len(self.end_hazard_per_month) != len(PLAN_BAND_START_MONTHS):
            msg = (
                f"Invalid end_hazard_per_month: {len(self.end_hazard_per_month)} bands. "
                f"end_hazard_per_month must have {len(PLAN_BAND_START_MONTHS)}."
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class CareerTruth:
    """A mix of short and long care careers: families differ in their hazard of returning home.

    Attributes
    ----------
    short_share
        Share of entries that are short careers.
    short_multiplier, long_multiplier
        On the hazard of leaving for home.
    """

    short_share: float = 0.35
    short_multiplier: float = 3.0
    long_multiplier: float = 0.25


def _home() -> tuple[float, ...]:
    return (0.080, 0.040, 0.024, 0.015, 0.008, 0.004, 0.003, 0.002)


def _adoption() -> tuple[float, ...]:
    return (0.0, 0.0, 0.001, 0.010, 0.032, 0.026, 0.008, 0.001)


def _sgo_cao() -> tuple[float, ...]:
    return (0.001, 0.003, 0.008, 0.016, 0.014, 0.008, 0.005, 0.003)


def _other() -> tuple[float, ...]:
    return (0.012, 0.007, 0.004, 0.003, 0.002, 0.002, 0.002, 0.002)


@dataclass(frozen=True, slots=True, kw_only=True)
class CareTruth:
    """Children looked after.

    The hazard of leaving for reason r, at duration d and age a, is
    end_hazard_per_month[r][band of d] × multiplier_by_age[r][band of a] × exp(drift);
    everyone still there leaves on the 18th birthday.

    Attributes
    ----------
    other_starts_per_month
        First entries with neither referral nor plan.
    uasc_starts_per_month
        Unaccompanied children seeking asylum, aged 15 to 17.
    end_hazard_per_month
        By reason (`CARE_REASONS`), then duration band (`CARE_BAND_START_MONTHS`).
    uasc_end_hazard_per_month
        Hazard of an unaccompanied child leaving before 18.
    re_entry_hazard_per_month
        After a return home, by months since: 0-3, 3-12, 12-24.
    """

    conversion: ConversionTruth
    other_starts_per_month: float
    uasc_starts_per_month: float
    other_drift: Drift = STEADY
    uasc_drift: Drift = STEADY
    end_hazard_per_month: tuple[tuple[float, ...], ...] = field(
        default_factory=lambda: (_home(), _adoption(), _sgo_cao(), _other())
    )
    multiplier_by_age: tuple[tuple[float, ...], ...] = (
        (0.8, 1.0, 0.9, 1.1, 1.1),
        (0.6, 1.0, 0.2, 0.01, 0.0),
        (1.3, 1.2, 1.0, 0.5, 0.1),
        (0.3, 0.3, 0.4, 1.0, 3.5),
    )
    end_drift: Drift = STEADY
    uasc_end_hazard_per_month: float = 0.015
    re_entry_hazard_per_month: tuple[float, float, float] = (0.012, 0.008, 0.003)
    careers: CareerTruth | None = None

    def __post_init__(self) -> None:
        shape = {len(row) for row in self.end_hazard_per_month}
        if len(self.end_hazard_per_month) != len(CARE_REASONS) or shape != {
            len(CARE_BAND_START_MONTHS)
        }:
            msg = (
                "Invalid end_hazard_per_month: it must have a row a reason "
                f"({len(CARE_REASONS)}) and a column a duration band "
                f"({len(CARE_BAND_START_MONTHS)})."
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTruth:
    """Everything that is true of one made-up authority."""

    name: str
    referrals: ReferralTruth
    plans: PlanTruth
    care: CareTruth
    families: FamilyTruth = field(default_factory=FamilyTruth)
