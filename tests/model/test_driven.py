"""Feedback in the simulation: what acts on a flow does what a scenario would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pytest

from demand_model import BASELINE, Multiply, Scenario
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.fit import fit
from demand_model.simulation.batch import run_batch
from demand_model.simulation.batch_input import BatchInput
from demand_model.simulation.driven import entrants_without_feedback, run_driven
from demand_model.simulation.effects import resolve
from demand_model.simulation.feedback import NOTHING_ACTS, MonthFactors
from demand_model.simulation.ledger import STOCKS, BatchResult
from demand_model.simulation.pathways import referral_paths
from demand_model.simulation.scenario_inputs import (
    EntryRoutes,
    entry_routes,
    expected_entries,
    step_hazards,
)
from demand_model.simulation.setup import prepare
from engine_cases import made_up_exposure

pytestmark = pytest.mark.unit

PREPARED = prepare(fit(made_up_exposure()), horizon_months=24, draws=500, seed=4)
BATCH = PREPARED.batches[0]
LINE = PREPARED.common.line
FLOWS = (
    Flow.REFERRALS,
    Flow.REFERRAL_TO_PLAN,
    Flow.REFERRAL_TO_CARE,
    Flow.OTHER_PLAN_STARTS,
    Flow.OTHER_CARE_STARTS,
    Flow.UASC_STARTS,
    Flow.PLAN_TO_CARE,
    Flow.PLAN_ENDS,
    *CARE_ENDS,
)


@dataclass(frozen=True)
class Constant:
    """Multiplies flows by the same from the first month to the last."""

    by_flow: Mapping[Flow, float]

    def month(
        self, number: int, plans: npt.NDArray[np.int64], care: npt.NDArray[np.int64]
    ) -> MonthFactors:
        assert plans.shape == care.shape == (BATCH.chance.draws,)
        shape = (len(LINE.blocks()[number]), BATCH.chance.draws)
        return MonthFactors(by_flow={f: np.full(shape, v) for f, v in self.by_flow.items()})


class Nothing:
    def month(
        self, number: int, plans: npt.NDArray[np.int64], care: npt.NDArray[np.int64]
    ) -> MonthFactors:
        del number, plans, care
        return NOTHING_ACTS


def inputs(scenario: Scenario) -> tuple[BatchInput, EntryRoutes]:
    effects = resolve(scenario, LINE, SOURCE_GROUPS)
    paths = referral_paths(BATCH.referrals, effects, LINE)
    common = PREPARED.common
    given = BatchInput(
        entries=expected_entries(common, BATCH, effects, paths),
        hazards=step_hazards(common, BATCH, effects),
    )
    return given, entry_routes(common, BATCH, effects, paths)


GIVEN, ROUTES = inputs(BASELINE)
PLAIN = run_batch(LINE, BATCH.rates, [GIVEN], BATCH.chance)[0]


def driven(feedback: Constant | Nothing) -> tuple[BatchResult, npt.NDArray[np.float64]]:
    return run_driven(
        LINE, BATCH.rates, ROUTES, GIVEN.hazards, BATCH.chance, base=PLAIN.counts, feedback=feedback
    )


@pytest.mark.parametrize("feedback", [Nothing(), Constant(dict.fromkeys(FLOWS, 1.0))])
def test_where_nothing_acts_the_counts_are_the_very_same(feedback: Constant | Nothing) -> None:
    found, factor = driven(feedback)
    for stock in STOCKS:
        for kind in ("starts", "ends", "open"):
            assert np.array_equal(getattr(found, kind)[stock], getattr(PLAIN, kind)[stock])
    assert np.array_equal(found.care_by_segment, PLAIN.care_by_segment)
    assert np.all(factor == 1.0)


@pytest.mark.parametrize(
    "by_flow",
    [
        {Flow.REFERRALS: 1.2},
        {Flow.REFERRAL_TO_PLAN: 0.7, Flow.OTHER_PLAN_STARTS: 1.4},
        {Flow.REFERRAL_TO_CARE: 1.5, Flow.OTHER_CARE_STARTS: 0.8, Flow.UASC_STARTS: 1.3},
        {Flow.PLAN_TO_CARE: 2.0},
        {Flow.PLAN_ENDS: 0.8},
        dict.fromkeys(CARE_ENDS, 0.8),
        {Flow.CARE_ENDS_HOME: 1.5},
    ],
)
def test_a_constant_push_is_that_of_a_scenario(by_flow: dict[Flow, float]) -> None:
    """Means agree within five standard errors of their difference, every month and stock."""
    start = date(2000, 1, 1)
    changes = tuple(Multiply(flow=f, factor=v, start=start) for f, v in by_flow.items())
    given, _ = inputs(Scenario(name="push", changes=changes))
    expected = run_batch(LINE, BATCH.rates, [given], BATCH.chance, base=PLAIN)[0]
    found, _ = driven(Constant(by_flow))
    moved = False
    for stock in STOCKS:
        for kind in ("starts", "ends", "open"):
            one, two = (getattr(r, kind)[stock].astype(float) for r in (found, expected))
            error = (one - two).std(axis=1, ddof=1) / np.sqrt(one.shape[1])
            assert np.all(np.abs((one - two).mean(axis=1)) <= 5.0 * error + 0.02)
            moved |= not np.array_equal(one, getattr(PLAIN, kind)[stock])
    assert moved


def test_entrants_without_feedback_are_those_of_the_plain_run() -> None:
    found = entrants_without_feedback(LINE, BATCH.rates, GIVEN, BATCH.chance)
    for name in ("plans", "uasc"):
        one, two = getattr(found, name), getattr(PLAIN.counts, name)
        assert np.array_equal(one.families, two.families)
        assert np.array_equal(one.siblings, two.siblings)
    for one, two in zip(found.care, PLAIN.counts.care, strict=True):
        assert np.array_equal(one.families, two.families)
        assert np.array_equal(one.mean_families, two.mean_families)


def test_opening_plus_starts_less_ends_is_open() -> None:
    found, _ = driven(Constant({Flow.REFERRALS: 1.3, Flow.PLAN_ENDS: 0.5, Flow.PLAN_TO_CARE: 3.0}))
    opening = {
        "cp": len(PREPARED.common.rates.exposure.opening.plans),
        "cla": len(PREPARED.common.rates.exposure.opening.care),
    }
    for stock in STOCKS:
        flow = np.cumsum(found.starts[stock] - found.ends[stock], axis=0)
        assert np.array_equal(opening[stock] + flow, found.open[stock])
        assert found.open[stock].min() >= 0
        assert found.ends[stock].min() >= 0
    assert np.array_equal(found.care_by_segment.sum(axis=1), found.open["cla"])
