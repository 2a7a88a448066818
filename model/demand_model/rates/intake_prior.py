"""What English authorities' monthly referrals look like: the prior of the intake model.

Every number is an empirical-Bayes estimate from the monthly referrals of 76
authorities, April 2012 to March 2024 (DfE, Characteristics of children in need,
Open Government Licence v3.0). Decision 0004 has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from demand_model.errors import InvalidSettingError
from demand_model.units import MONTHS_PER_YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """Months in which intake was not itself, such as a lockdown.

    Attributes
    ----------
    first, last
        First and last calendar month, both included.
    measured
        Its size in authorities in general is known: `IntakePrior.shock_variance`. If not,
        the months themselves say whether it was greater.
    """

    first: pd.Period
    last: pd.Period
    measured: bool = False

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidSettingError(
                f"Invalid shock: {self.first} to {self.last}. It must end after it begins."
            )


COVID_SHOCK = Shock(
    first=pd.Period("2020-03", freq="M"), last=pd.Period("2021-03", freq="M"), measured=True
)
"""The two national lockdowns: referrals were 2% to 26% below usual in these months."""

PAST_SHOCKS: tuple[Shock, ...] = (COVID_SHOCK,)
"""Shocks that every history is taken to have had; an analyst may add others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakePrior:
    """How the log of a month's expected count varies, for an authority not yet seen.

    Variances are of natural logs (0.01 is about 10% either way); times are in
    calendar months. Long, slow, fast and shock terms forget as ``exp(-months apart / time)``.

    Attributes
    ----------
    profile
        Month-of-year effect per working day, January first, geometric mean 1.
    profile_variance
        How far authorities' own month effects differ from `profile`, January first.
    level_variance
        Of the level around the authority's own mean count: vague on purpose.
    long_variance, long_months
        Changes over many years.
    slow_variance, slow_months
        Changes over one to three years: practice, thresholds, recording.
    slow_ratio
        How long they last is not known: ``slow_months`` divided or multiplied by this,
        each as likely before the counts are seen. 1 where it is known.
    trend_variance
        Of a lasting change a year, up as likely as down; 0 for none.
    fast_variance, fast_months
        Runs of a month or two.
    noise_variance
        Extra-Poisson variance of one full month by itself.
    drift_spread, noise_spread
        Standard deviation, between authorities, of the log of the (long and slow),
        (fast and noise) variances.
    spread_months
        Months of evidence on those two scales that count, however long the history:
        an authority's restlessness itself changes over the years.
    drift_size_power, noise_size_power
        Those variances fall with the authority's size as (size / reference) ** -power.
    reference_size
        Referrals a month at which the variances hold.
    size_limits
        Sizes beyond which no further change with size is assumed, referrals a month.
    shock_variance, shock_months
        Of the effect of a shock, within it and, if it is not over, after it.
    """

    profile: tuple[float, ...]
    profile_variance: tuple[float, ...]
    level_variance: float
    long_variance: float
    long_months: float
    slow_variance: float
    slow_months: float
    fast_variance: float
    fast_months: float
    noise_variance: float
    drift_spread: float
    noise_spread: float
    spread_months: float
    drift_size_power: float
    noise_size_power: float
    reference_size: float
    size_limits: tuple[float, float]
    shock_variance: float
    shock_months: float
    slow_ratio: float = 1.0
    trend_variance: float = 0.0

    def __post_init__(self) -> None:
        problems = [
            f"{item.name}: {value}. It must be 0 or more"
            for item in fields(self)
            if isinstance(value := getattr(self, item.name), float) and not value >= 0
        ]
        problems += [
            f"{name}: {getattr(self, name)}. It must be above 0"
            for name in (
                "long_months",
                "slow_months",
                "fast_months",
                "noise_variance",
                "spread_months",
                "shock_months",
                "slow_ratio",
            )
            if not getattr(self, name) > 0
        ]
        if len(self.profile) != MONTHS_PER_YEAR or not all(p > 0 for p in self.profile):
            problems.append("profile. It must be 12 numbers above 0")
        if len(self.profile_variance) != MONTHS_PER_YEAR or min(self.profile_variance) < 0:
            problems.append("profile_variance. It must be 12 numbers, 0 or more")
        if problems:
            raise InvalidSettingError(f"Invalid intake prior {'; '.join(problems)}.")

    @property
    def log_profile(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Log of `profile`, centred on zero; shape (12,), January first."""
        logs = np.log(np.asarray(self.profile, float))
        return np.asarray(logs - logs.mean(), float)


NATIONAL_INTAKE = IntakePrior(
    # Mean over Apr 2014 - Mar 2024 without Mar 2020 - Mar 2021 of the median authority's log
    # count per English working day, less its 13-month centred mean. August has been falling
    # (.86 in 2012-15, .77 in 2021-24), so the earliest years are left out.
    profile=(1.029, 1.022, 1.039, 0.971, 1.093, 1.087, 1.022, 0.798, 0.989, 1.016, 1.047, 0.925),
    # Between authorities, of each month's mean departure, chance removed; scaled by the fit.
    profile_variance=(
        0.0009, 0.0004, 0.0020, 0.0004, 0.0005, 0.0003,
        0.0010, 0.0018, 0.0003, 0.0003, 0.0005, 0.0015,
    ),
    level_variance=1.0,
    # The rest by the weighted interval score 1 to 12 months ahead from 6, 36 and 60 months, on
    # random halves of the authorities and checked on the other halves; the long term by the
    # coverage 24 and 36 months ahead; the trend is so small (2% a year either way) that it costs
    # nothing where there is none.
    long_variance=0.070,
    long_months=130.0,
    slow_variance=0.0195,
    slow_months=18.0,
    fast_variance=0.0070,
    fast_months=1.5,
    noise_variance=0.0070,
    drift_spread=0.75,
    noise_spread=0.35,
    spread_months=15.0,
    drift_size_power=0.03,
    noise_size_power=0.40,
    reference_size=300.0,
    size_limits=(50.0, 1500.0),
    shock_variance=0.005,
    shock_months=6.0,
    slow_ratio=2.0,
    trend_variance=0.0004,
)  # fmt: skip
"""The prior of an English authority's referrals."""
