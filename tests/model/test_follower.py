"""A scenario that follows another gives the very counts that it gives on its own."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand_model import BASELINE, Add, Lockdown, Multiply, Scenario
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.flows import Flow
from demand_model.rates.fit import fit
from demand_model.simulation.batch import run_batch
from demand_model.simulation.batch_input import BatchInput
from demand_model.simulation.effects import resolve
from demand_model.simulation.ledger import STOCKS, BatchResult
from demand_model.simulation.pathways import referral_paths
from demand_model.simulation.scenario_inputs import expected_entries, step_hazards
from demand_model.simulation.setup import Common, DrawBatch, common_setup, draw_batches
from demand_model.simulation.timeline import timeline
from engine_cases import made_up_exposure

pytestmark = pytest.mark.unit

MONTHS = 30
MAY, JULY, SEPTEMBER = date(2026, 5, 1), date(2026, 7, 1), date(2026, 9, 1)
FEWER = Multiply(flow=Flow.REFERRALS, factor=0.7, start=MAY)
MORE = Multiply(flow=Flow.REFERRALS, factor=1.5, start=JULY, end=SEPTEMBER)
ON_PLANS = Multiply(flow=Flow.PLAN_TO_CARE, factor=3.0, start=MAY)
UASC = Add(flow=Flow.UASC_STARTS, per_month=4.0, start=JULY)
SLOWER = Multiply(flow=Flow.CARE_ENDS_HOME, factor=0.5, start=JULY)


@pytest.fixture(scope="module")
def setting() -> tuple[Common, DrawBatch]:
    rates = fit(made_up_exposure())
    common = common_setup(rates, timeline(rates.exposure.census_date, MONTHS))
    return common, draw_batches(common, 60, 5, balanced=True)[0]


def given(setting: tuple[Common, DrawBatch], *changes: Add | Lockdown | Multiply) -> BatchInput:
    common, batch = setting
    scenario = Scenario(name="A", changes=changes) if changes else BASELINE
    effects = resolve(scenario, common.line, SOURCE_GROUPS)
    paths = referral_paths(batch.referrals, effects, common.line)
    return BatchInput(
        entries=expected_entries(common, batch, effects, paths),
        hazards=step_hazards(common, batch, effects),
    )


def same(one: BatchResult, two: BatchResult) -> bool:
    kinds = ((one.starts, two.starts), (one.ends, two.ends), (one.open, two.open))
    totals = all(np.array_equal(a[stock], b[stock]) for a, b in kinds for stock in STOCKS)
    return totals and np.array_equal(one.care_by_segment, two.care_by_segment)


@pytest.mark.parametrize(
    "changes",
    [(FEWER,), (MORE,), (FEWER, MORE, UASC), (ON_PLANS,), (UASC, ON_PLANS, MORE)],
    ids=["fewer", "more", "both, UASC", "more from plans", "all more"],
)
@pytest.mark.parametrize("exits", [(), (SLOWER,)], ids=["exits of baseline", "slower exits"])
def test_following_is_the_same_as_leading(
    setting: tuple[Common, DrawBatch],
    changes: tuple[Multiply | Add, ...],
    exits: tuple[Multiply, ...],
) -> None:
    common, batch = setting
    chance, rates = batch.chance, batch.rates
    one, another = given(setting, *exits, FEWER, UASC), given(setting, *exits, *changes)
    assert another.has_exits_of(one)
    base = run_batch(common.line, rates, [given(setting)], chance)[0]
    alone = run_batch(common.line, rates, [another], chance, base=base)[0]
    followed = run_batch(common.line, rates, [one, another], chance, base=base)[1]
    assert same(alone, followed)
    assert not same(alone, base)
    if not exits:
        with_base = run_batch(common.line, rates, [given(setting), another], chance)[1]
        assert same(alone, with_base)


def test_other_exits_are_not_followed(setting: tuple[Common, DrawBatch]) -> None:
    assert not given(setting, SLOWER).has_exits_of(given(setting))
