"""The fast simulator agrees with the slow one that defines its meaning.

Both start from the same fitted rates with random numbers of their own. Means are
compared in standard errors and variances through the sampling error of a variance,
so tolerances shrink as draws grow. With 5 standard errors a test of some 60 numbers
fails by chance less than once in 20,000 runs; the seeds are fixed besides.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from demand_model import Add, Lockdown, Multiply, Overwrite, Scenario, simulate
from demand_model.exposure.bands import CARE_SEGMENTS, UASC
from demand_model.exposure.tabulate import Exposure
from demand_model.flows import Flow
from demand_model.rates.fit import FlowRates, fit
from demand_model.rates.priors import BalancePrior, Drift, Priors
from demand_model.simulation.reference import ReferenceRun, simulate_reference
from demand_model.simulation.trajectories import Trajectories
from engine_cases import made_up_exposure

pytestmark = pytest.mark.parity

FAST_DRAWS, SLOW_DRAWS, MONTHS = 3000, 80, 4
TOTALS = (
    "referrals",
    "cp_starts",
    "cp_ends",
    "cp_open",
    "cla_starts",
    "cla_ends",
    "cla_open",
)
FREE = BalancePrior(location=0.0, scale=10.0)
STILL = Drift(sd=1e-9, time_constant_months=12.0)
APRIL, MAY, JUNE, JULY = (date(2026, month, 1) for month in (4, 5, 6, 7))

SCENARIOS = {
    "baseline": Scenario(name="Baseline"),
    "referrals multiplied, by source too": Scenario(
        name="A",
        changes=(
            Multiply(flow=Flow.REFERRALS, factor=2.0, start=APRIL, ramp_months=2.0),
            Multiply(flow=Flow.REFERRALS, factor=0.0, start=MAY, segment="Police"),
            Add(flow=Flow.REFERRALS, per_month=40.0, start=JUNE, segment="Schools"),
            Add(flow=Flow.UASC_STARTS, per_month=6.0, start=APRIL, end=JUNE),
        ),
    ),
    "referrals overwritten": Scenario(
        name="B",
        changes=(
            Overwrite(flow=Flow.REFERRALS, value=90.0, start=APRIL),
            Overwrite(flow=Flow.REFERRALS, value=0.0, start=MAY, segment="Police"),
            Add(flow=Flow.REFERRALS, per_month=-1000.0, start=JULY),
            Multiply(flow=Flow.PLAN_TO_CARE, factor=6.0, start=APRIL),
        ),
    ),
    "exits changed": Scenario(
        name="C",
        changes=(
            Overwrite(flow=Flow.PLAN_ENDS, value=0.0, start=date(2026, 5, 12)),
            Multiply(flow=Flow.CARE_ENDS_HOME, factor=5.0, start=APRIL),
            Overwrite(flow=Flow.CARE_ENDS_ADOPTION, value=0.15, start=MAY),
        ),
    ),
    "starts changed": Scenario(
        name="D",
        changes=(
            Overwrite(flow=Flow.REFERRAL_TO_PLAN, value=0.4, start=APRIL),
            Multiply(flow=Flow.REFERRAL_TO_CARE, factor=4.0, start=MAY),
            Add(flow=Flow.OTHER_CARE_STARTS, per_month=5.0, start=APRIL, ramp_months=1.0),
            Overwrite(flow=Flow.OTHER_PLAN_STARTS, value=8.0, start=MAY),
        ),
    ),
    "two lockdowns": Scenario(
        name="E",
        changes=(
            Lockdown(
                start=APRIL,
                end=MAY,
                referrals={"all": 0.3, "Police": 1.5},
                plan_ends=0.2,
                care_ends=0.1,
                share_returning=0.8,
                return_delay_months=0.5,
                return_spread_months=1.0,
                severity=3.0,
                new_normal=1.2,
            ),
            Lockdown(
                start=date(2026, 6, 10), end=JULY, referrals={"Schools": 0.0}, share_returning=1.0
            ),
        ),
    ),
}


@pytest.fixture(scope="module")
def certain() -> FlowRates:
    """Rates whose drift is nil, so that chance is nearly all the spread there is."""
    priors = replace(
        Priors(),
        plan_conversion_drift=STILL,
        care_conversion_drift=STILL,
        plan_exit_drift=STILL,
        care_exit_drift=STILL,
        plan_balance=FREE,
        care_balance=FREE,
        care_year=FREE,
    )
    return fit(balanced_with_the_count(made_up_exposure(1)), priors=priors)


def balanced_with_the_count(exposure: Exposure) -> Exposure:
    """Without past months, which these made-up ones do not share with the open spells.

    A balance that contradicts the rates leaves few proposals, and then 80 draws of the rates
    are not those of 3,000: the two simulators are compared, not the rates that they draw.
    """
    return replace(exposure, series=exposure.series.iloc[:0])


@pytest.fixture(scope="module")
def fast(certain: FlowRates) -> dict[str, Trajectories]:
    """All scenarios in one run, so that each is coupled to the baseline as in use."""
    found = simulate(
        certain, tuple(SCENARIOS.values()), horizon_months=MONTHS, draws=FAST_DRAWS, seed=11
    )
    return dict(zip(SCENARIOS, found, strict=True))


def standard_errors_apart(quick: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """Difference of means over its standard error, by month.

    Of the two variances the larger counts: few draws of a skewed count may miss its tail.
    """
    variance = np.maximum(quick.var(axis=1), slow.var(axis=1))
    error = variance * (1 / quick.shape[1] + 1 / slow.shape[1])
    gap = quick.mean(axis=1) - slow.mean(axis=1)
    return np.abs(gap) / np.sqrt(error + 1e-4)


def log_ratio_of_variances(quick: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """Log ratio over its standard error; that of a log variance is sqrt((kurtosis - 1) / n)."""

    def error(draws: np.ndarray) -> np.ndarray:
        centred = draws - draws.mean(axis=1, keepdims=True)
        square = (centred**2).mean(axis=1)
        return ((centred**4).mean(axis=1) / square**2 - 1.0) / draws.shape[1]

    spread = quick.var(axis=1) > 0
    quick, slow = quick[spread], slow[spread]
    ratio = np.log(quick.var(axis=1) / slow.var(axis=1))
    return np.abs(ratio) / np.sqrt(error(quick) + error(slow))


def slowly(rates: FlowRates, name: str) -> ReferenceRun:
    return simulate_reference(
        rates, SCENARIOS[name], horizon_months=MONTHS, draws=SLOW_DRAWS, seed=7
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_means_and_variances_agree(
    name: str, certain: FlowRates, fast: dict[str, Trajectories]
) -> None:
    slow, quick = slowly(certain, name), fast[name]
    for measure in TOTALS:
        ours = quick.measures[measure, "all"]
        theirs = np.asarray(slow.measures[measure, "all"])
        assert standard_errors_apart(ours, theirs).max() < 5.0, measure
        assert np.all(log_ratio_of_variances(ours, theirs) < 5.0), measure
    for (measure, segment), table in slow.measures.items():
        if measure == "referrals":
            apart = standard_errors_apart(quick.measures[measure, segment], np.asarray(table))
            assert apart.max() < 5.0, (measure, segment)
    for part in ("suppressed", "returned", "not_returning"):
        theirs = np.cumsum(np.asarray(getattr(slow, part)), axis=0)
        ours = getattr(quick.hidden_need, part)
        assert standard_errors_apart(ours, theirs).max() < 5.0, part


def test_age_groups_agree_where_many_enter(
    certain: FlowRates, fast: dict[str, Trajectories]
) -> None:
    """Means agree; the spread of an age group is a little small, and may be by a quarter.

    The fast simulator gives the entrants of a month the same ages in all draws of a batch,
    spread evenly over the mix; the reference draws each child's age. In the first month, when
    few have entered, the spread of a group depends on which places have its ages.
    """
    slow, quick = slowly(certain, "starts changed"), fast["starts changed"]
    for segment in CARE_SEGMENTS:
        ours = quick.measures["cla_open", segment]
        theirs = np.asarray(slow.measures["cla_open", segment])
        assert standard_errors_apart(ours, theirs).max() < 5.0, segment
        if segment == UASC:  # few, and at a rate that few draws do not show the spread of
            continue
        sampling = 4.0 / np.sqrt(2 * SLOW_DRAWS)
        ratio = (ours.std(axis=1) / theirs.std(axis=1))[1:]
        assert np.all((ratio > 0.75 - sampling) & (ratio < 1.1 + sampling)), segment


def test_agrees_with_every_kind_of_uncertainty_in_an_unfinished_month() -> None:
    exposure = balanced_with_the_count(replace(made_up_exposure(2), census_date=date(2026, 3, 13)))
    rates = fit(exposure)
    slow = simulate_reference(rates, horizon_months=2, draws=160, seed=5, steps_per_month=2)
    (quick,) = simulate(rates, horizon_months=2, draws=FAST_DRAWS, seed=6, steps_per_month=2)
    for measure in TOTALS:
        ours = quick.measures[measure, "all"].copy()
        ours[0] -= quick.observed.get((measure, "all"), 0.0)
        theirs = np.asarray(slow.measures[measure, "all"])
        assert standard_errors_apart(ours, theirs).max() < 5.0, measure
        assert np.all(log_ratio_of_variances(ours, theirs) < 5.0), measure


def test_would_notice_a_wrong_effect(fast: dict[str, Trajectories]) -> None:
    """The comparison has teeth: each scenario is far from the baseline in some total."""
    base = fast["baseline"]
    for name, changed in fast.items():
        if name != "baseline":
            apart = [
                standard_errors_apart(
                    changed.measures[m, "all"], base.measures[m, "all"][:, :SLOW_DRAWS]
                ).max()
                for m in TOTALS
            ]
            assert max(apart) > 8.0, name
