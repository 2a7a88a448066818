"""Ready-made truths: three sizes, steady or drifting, and authorities that differ.

authority(size)            steady; hazards constant within bands
drifting(truth)            conversions, hazards and intake drift as real ones do
reviewed(truth)            plans end at reviews
mixed_careers(truth)       short and long care careers
draw_authority(size, …)    one of many: everything varies about the above
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from demand_samples.truth import (
    AuthorityTruth,
    CareerTruth,
    CareTruth,
    ConversionTruth,
    Drift,
    PlanTruth,
    ReferralTruth,
    ReviewTruth,
    Step,
    Trend,
)

Size = Literal["small", "middling", "large"]
Intake = Literal["plain", "trend", "step"]

REFERRALS_PER_WORKING_DAY: dict[str, float] = {"small": 4.75, "middling": 12.7, "large": 47.5}
OTHER_PLAN_STARTS_SHARE = 0.06
"""Plans that start with no referral, as a share of those that follow one."""
WORKING_DAYS_PER_MONTH = 253 / 12

PLAN_SHARE: dict[str, float] = {"small": 0.098, "middling": 0.1100, "large": 0.098}
CARE_SHARE: dict[str, float] = {"small": 0.0128, "middling": 0.0158, "large": 0.0164}
"""Referral to plan and to care; the sizes differ a little, for the rows that are wanted."""

PLAN_LAG_WEEKS = (0.01, 0.05, 0.15, 0.19, 0.17, 0.13, 0.10, 0.07, 0.05, 0.03, 0.02, 0.02, 0.01)
CARE_LAG_WEEKS = (
    *(0.20, 0.10, 0.07, 0.06, 0.06, 0.06, 0.05, 0.05, 0.05, 0.04),
    *(0.04, 0.04, 0.03, 0.03, 0.03, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01),
)

INTAKE_DRIFT = Drift(sd_log_per_month=0.085, half_life_months=14)
PLANS_FOLLOW_INTAKE, CARE_FOLLOWS_INTAKE = 0.42, 0.25
"""Elasticity of starts with respect to the drift of intake: in real authorities' years a change
in referrals of 10% goes with one of 4% in plan starts and 2% in care starts."""
PLAN_CONVERSION_DRIFT = Drift(sd_log_per_month=0.12, half_life_months=5)
PLAN_END_DRIFT = Drift(sd_log_per_month=0.10, half_life_months=5)
PLAN_TO_CARE_DRIFT = Drift(sd_log_per_month=0.06, half_life_months=12)
CARE_START_DRIFT = Drift(sd_log_per_month=0.07, half_life_months=24)
CARE_END_DRIFT = Drift(sd_log_per_month=0.057, half_life_months=18)
UASC_DRIFT = Drift(sd_log_per_month=0.10, half_life_months=24)
"""Drift that makes stocks and flows of 200 to 400 children vary as real ones do (README)."""
NOISE_VARIANCES = (0.002, 0.010)
"""Lowest and highest log variance of a month's noise; sibling groups add to it."""
INTAKE_RESTLESSNESS, PLAN_RESTLESSNESS = 0.40, 0.20
"""Between authorities, standard deviation of the log of how much their intake and plans drift;
for care real authorities hardly differ."""


def authority(size: Size = "middling", *, name: str | None = None) -> AuthorityTruth:
    """Return a steady authority of one of the three sizes.

    Rates are constant but for season, month-to-month noise and chance; hazards
    are constant within duration bands.
    """
    level = REFERRALS_PER_WORKING_DAY[size]
    per_month = level * WORKING_DAYS_PER_MONTH
    plan_share, care_share = PLAN_SHARE[size], CARE_SHARE[size]
    return AuthorityTruth(
        name=name or f"{size.capitalize()}shire",
        referrals=ReferralTruth(level_per_working_day=level),
        plans=PlanTruth(
            conversion=ConversionTruth(
                share=plan_share,
                lag_week_shares=PLAN_LAG_WEEKS,
                multiplier_by_age=(1.6, 1.25, 1.05, 0.85, 0.35),
            ),
            other_starts_per_month=OTHER_PLAN_STARTS_SHARE * plan_share * per_month,
        ),
        care=CareTruth(
            conversion=ConversionTruth(
                share=care_share,
                lag_week_shares=CARE_LAG_WEEKS,
                multiplier_by_age=(2.2, 0.9, 0.7, 1.0, 1.1),
            ),
            other_starts_per_month=0.0070 * per_month,
            uasc_starts_per_month=0.0042 * per_month,
        ),
    )


def _times(drift: Drift, factor: float) -> Drift:
    return replace(drift, sd_log_per_month=drift.sd_log_per_month * factor)


def drifting(truth: AuthorityTruth, *, intake: float = 1.0, plans: float = 1.0) -> AuthorityTruth:
    """Let intake, conversions and hazards drift as much as real authorities' do.

    Monthly referrals then wander, and changes over 12 and 24 months of stocks of 200 to
    400 children spread, as in DfE's figures; samples/README.md has the measurement.

    Parameters
    ----------
    intake, plans
        Restlessness: factors of the standard deviation of the drift of intake and of the
        rates of plans.
    """
    to_plan = _times(PLAN_CONVERSION_DRIFT, plans)
    return replace(
        truth,
        referrals=replace(truth.referrals, drift=_times(INTAKE_DRIFT, intake)),
        plans=replace(
            truth.plans,
            conversion=replace(
                truth.plans.conversion, drift=to_plan, follows_intake=PLANS_FOLLOW_INTAKE
            ),
            other_drift=to_plan,
            end_drift=_times(PLAN_END_DRIFT, plans),
            care_drift=PLAN_TO_CARE_DRIFT,
        ),
        care=replace(
            truth.care,
            conversion=replace(
                truth.care.conversion,
                drift=CARE_START_DRIFT,
                follows_intake=CARE_FOLLOWS_INTAKE,
            ),
            other_drift=CARE_START_DRIFT,
            uasc_drift=UASC_DRIFT,
            end_drift=CARE_END_DRIFT,
        ),
    )


def reviewed(truth: AuthorityTruth) -> AuthorityTruth:
    """Let plans end mostly at reviews about 3, 9, 15, … months after their start."""
    return replace(truth, plans=replace(truth.plans, reviews=ReviewTruth()))


def mixed_careers(truth: AuthorityTruth) -> AuthorityTruth:
    """Mix short and long care careers: families differ in how readily children go home."""
    return replace(truth, care=replace(truth.care, careers=CareerTruth()))


def _about(rng: np.random.Generator, sd_log: float) -> float:
    """Draw a factor near 1, lognormal."""
    return math.exp(float(rng.normal(scale=sd_log)))


def _vary_plans(plans: PlanTruth, rng: np.random.Generator) -> PlanTruth:
    speed = _about(rng, 0.12)
    return replace(
        plans,
        conversion=replace(plans.conversion, share=plans.conversion.share * _about(rng, 0.22)),
        other_starts_per_month=plans.other_starts_per_month * _about(rng, 0.4),
        end_hazard_per_month=tuple(
            hazard * speed * _about(rng, 0.10) for hazard in plans.end_hazard_per_month
        ),
        care_hazard_per_month=plans.care_hazard_per_month * _about(rng, 0.25),
    )


def _vary_care(care: CareTruth, rng: np.random.Generator) -> CareTruth:
    speed = _about(rng, 0.12)
    reasons = [_about(rng, 0.20) for _ in care.end_hazard_per_month]
    return replace(
        care,
        conversion=replace(care.conversion, share=care.conversion.share * _about(rng, 0.25)),
        other_starts_per_month=care.other_starts_per_month * _about(rng, 0.3),
        uasc_starts_per_month=care.uasc_starts_per_month * _about(rng, 0.5),
        end_hazard_per_month=tuple(
            tuple(hazard * speed * reason for hazard in row)
            for row, reason in zip(care.end_hazard_per_month, reasons, strict=True)
        ),
    )


def _vary_intake(
    referrals: ReferralTruth, intake: Intake, rng: np.random.Generator
) -> ReferralTruth:
    wobble = rng.normal(scale=0.03, size=12)
    profile = np.array(referrals.profile) * np.exp(wobble)
    varied = replace(
        referrals,
        level_per_working_day=referrals.level_per_working_day * _about(rng, 0.22),
        profile=tuple(float(month) for month in profile / profile.mean()),
        extra_poisson_variance=float(rng.uniform(*NOISE_VARIANCES)),
        repeat_share=float(rng.uniform(0.18, 0.33)),
    )
    if intake == "trend":
        trend = Trend(log_per_year=float(rng.normal(scale=0.10)), from_month=-36, to_month=36)
        return replace(varied, trend=trend)
    if intake == "step":
        step = Step(months_from_census=float(rng.uniform(-18, -2)), factor=_about(rng, 0.25))
        return replace(varied, steps=(step,))
    return varied


def draw_authority(
    size: Size,
    *,
    seed: int,
    drift: bool = True,
    intake: Intake = "plain",
    reviews: bool | None = None,
    careers: bool | None = None,
) -> AuthorityTruth:
    """Draw one of many different authorities of about a size.

    Level, profile, conversions, hazards, other starts and family ties vary about
    `authority(size)`.

    Parameters
    ----------
    seed
        Same seed, same authority.
    drift
        Let rates drift as real ones do.
    intake
        "trend" adds a steady change from three years before the census date on;
        "step" one jump 2 to 18 months before it.
    reviews, careers
        Whether plans end at reviews, and whether care careers are mixed; each
        drawn with even chances where None.
    """
    rng = np.random.default_rng([seed, 9])
    base = authority(size, name=f"{size.capitalize()} {seed}")
    truth = replace(
        base,
        referrals=_vary_intake(base.referrals, intake, rng),
        plans=_vary_plans(base.plans, rng),
        care=_vary_care(base.care, rng),
        families=replace(
            base.families,
            shared_outcome_share=float(rng.uniform(0.7, 0.95)),
            shared_plan_end_share=float(rng.uniform(0.65, 0.95)),
            shared_care_end_share=float(rng.uniform(0.4, 0.8)),
        ),
    )
    coins = rng.random(2) < 0.5
    if reviews if reviews is not None else bool(coins[0]):
        truth = reviewed(truth)
    if careers if careers is not None else bool(coins[1]):
        truth = mixed_careers(truth)
    if not drift:
        return truth
    restless = rng.normal(size=2) * (INTAKE_RESTLESSNESS, PLAN_RESTLESSNESS)
    # Mean square 1: restless and calm authorities together spread as stated.
    by = np.exp(restless - np.array((INTAKE_RESTLESSNESS, PLAN_RESTLESSNESS)) ** 2)
    return drifting(truth, intake=float(by[0]), plans=float(by[1]))
