"""The values and formulas of sheet What-if, part by part."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from demand_model.annex_a.checked import Lists
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidSettingError
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.rates.fit import FlowRates, fit
from demand_model.results.what_if_data import WHAT_IF_MONTHS, WhatIf
from demand_model.results.what_if_forecast import what_if_forecast
from demand_model.results.what_if_levers import WhatIfLevers, what_if_scenario
from demand_model.results.what_if_survival import ages, lever_terms, survival, survivors
from demand_model.simulation.effects import resolve
from demand_model.simulation.pathways import referral_paths
from demand_model.simulation.scenario import BASELINE, Lockdown, Multiply, Scenario
from demand_model.simulation.scenario_inputs import expected_entries
from demand_model.simulation.setup import common_setup, draw_batches, prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.timeline import timeline
from engine_cases import CENSUS, exposure_of, lists_of, made_up_lists, referral_frame
from what_if_cases import what_if_of

pytestmark = pytest.mark.unit

DRAWS, SEED, HORIZON = 60, 3, 15
FIRST = date(2026, 4, 1)


LISTS = made_up_lists(5, referrals=500, plans=60, care=80, uasc=6)


def effective(
    rates: FlowRates,
    *,
    horizon: int,
    draws: int,
    scenario: Scenario = BASELINE,
    lists: Lists = LISTS,
) -> WhatIf:
    """Values of a run under `scenario`."""
    prepared = prepare(rates, horizon_months=horizon, draws=draws, seed=SEED)
    return what_if_of(lists, prepared, simulate_prepared(prepared, [scenario])[0])


@pytest.fixture(scope="module")
def rates() -> FlowRates:
    return fit(exposure_of(LISTS))


@pytest.fixture(scope="module")
def values(rates: FlowRates) -> WhatIf:
    return effective(rates, horizon=HORIZON, draws=DRAWS)


# --- survival -------------------------------------------------------------------------------------


def left_under(kept, home: float, other: float) -> np.ndarray:
    months = len(kept.base)
    terms = lever_terms(np.full(months, home), np.full(months, other))
    return np.cumprod(kept.base * np.exp((kept.response * terms).sum(axis=1)))


def test_equal_children_leave_exponentially_under_any_lever():
    home, other = np.full((6, 4, 3), 0.02), np.full((6, 4, 3), 0.05)
    kept = survival(survivors(home, other, np.ones((6, 4)), np.ones(3)))
    months = np.arange(1, 7)
    for x, y in ((0.0, 0.0), (-0.7, 0.3), (1.8, -0.6)):
        expected = np.exp(-((1 + x) * 0.02 + (1 + y) * 0.05) * months)
        assert left_under(kept, x, y) == pytest.approx(expected, rel=1e-4)


def test_a_mixture_is_exact_at_the_nodes_and_close_between_them():
    rng = np.random.default_rng(1)
    home = rng.gamma(2.0, 0.01, (24, 30, 1)) * rng.gamma(20.0, 0.05, (1, 1, 40))
    other = rng.gamma(2.0, 0.02, (24, 30, 1)) * rng.gamma(20.0, 0.05, (1, 1, 40))
    kept = survival(survivors(home, other, np.ones((24, 30)), np.ones(40)))

    def truth(x: float, y: float) -> np.ndarray:
        used = np.cumsum((1 + x) * home + (1 + y) * other, axis=0)
        return np.exp(-used).mean(axis=(1, 2))

    for node in ((0.0, 0.0), (-0.5, 0.0), (1.0, 0.0), (0.0, -0.3), (0.0, 0.4)):
        assert left_under(kept, *node) == pytest.approx(truth(*node), rel=1e-3)
    for between in ((0.5, 0.2), (0.3, -0.2), (1.0, 0.4), (-0.4, 0.3)):
        assert left_under(kept, *between) == pytest.approx(truth(*between), rel=4e-3)
    # Taking the neutral survival to a power would be further off than that.
    power = truth(0.0, 0.0) ** 2.0
    assert abs(power[-1] / truth(1.0, 1.0)[-1] - 1.0) > 0.01


def test_birthdays_stay_where_they_are():
    alive = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    kept = survival(survivors(np.zeros((3, 2, 1)), np.full((3, 2, 1), 0.1), alive, np.ones(1)))
    for y in (-0.5, 0.0, 1.5):
        expected = np.exp(-0.1 * (1 + y) * np.array([1, 2, 3])) * alive.mean(axis=1)
        assert left_under(kept, 0.0, y) == pytest.approx(expected, rel=1e-4)


def test_nobody_open_is_no_trouble():
    nobody = np.zeros((3, 0, 4))
    kept = survival(survivors(nobody, nobody, np.zeros((3, 0)), np.ones(4)))
    assert kept.base.tolist() == [1.0, 1.0, 1.0]
    assert not kept.response.any()


def test_levers_never_make_children():
    kept = survival(
        survivors(np.zeros((3, 1, 1)), np.full((3, 1, 1), 0.1), np.ones((3, 1)), np.ones(1))
    )
    assert (kept.kept(lever_terms(np.zeros(3), np.full(3, -3.0))) <= 1.0).all()


def test_ages_answer_to_exits_as_the_children_do():
    """Two age groups, of which one leaves faster; exact at the ends of the secant."""
    home = np.stack([np.full((6, 3, 2), 0.01), np.full((6, 3, 2), 0.20)], axis=1)
    home = home.reshape(6, 6, 2)
    segment = np.broadcast_to([0, 0, 0, 1, 1, 1], (6, 6))
    left = survivors(home, np.full((6, 6, 2), 0.05), np.ones((6, 6)), np.ones(2))
    found = ages(left, segment, 3)
    month = np.arange(1, 7)

    def share(x: float) -> np.ndarray:
        slow, fast = np.exp(-0.01 * (1 + x) * month), np.exp(-0.20 * (1 + x) * month)
        return slow / (slow + fast)

    assert found.neutral[:, 0] == pytest.approx(share(0.0), rel=1e-5)
    assert found.home[:, 0] == pytest.approx((share(1.0) - share(-0.5)) / 1.5, rel=1e-4)
    assert found.neutral.sum(axis=1) == pytest.approx(1.0)
    assert not found.neutral[:, 2].any()
    assert found.home.sum(axis=1) == pytest.approx(0.0, abs=1e-6)
    assert found.other == pytest.approx(0.0, abs=1e-6), "all ages leave alike for other reasons"


# --- starts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [0.0, -0.3, 0.3])
def test_starts_are_the_engines_expected_starts(rates: FlowRates, values: WhatIf, change: float):
    """Up to what chance does to referrals and starts in a run of few draws, set right alike."""
    line = timeline(CENSUS, HORIZON)
    common = common_setup(rates, line)
    batch = draw_batches(common, DRAWS, SEED, balanced=True)[0]
    levers = WhatIfLevers(start_after_months=2, referrals=change)
    begins = [b.start for b in line.blocks()]

    def engine(scenario) -> np.ndarray:
        effects = resolve(scenario, line, SOURCE_GROUPS)
        paths = referral_paths(batch.referrals, effects, line)
        starts = expected_entries(common, batch, effects, paths).plans
        return np.add.reduceat(starts.mean(axis=1), begins)

    moved = engine(what_if_scenario(levers, FIRST)) / engine(BASELINE)
    found = what_if_forecast(values, levers).cp_starts / what_if_forecast(values).cp_starts
    assert found == pytest.approx(moved, abs=0.01)
    assert (found[:2] == 1.0).all()


@pytest.mark.parametrize("returning", [0.0, 0.4, 1.0])
def test_a_lockdowns_referrals_are_the_engines(rates: FlowRates, values: WhatIf, returning: float):
    line = timeline(CENSUS, HORIZON)
    batch = draw_batches(common_setup(rates, line), DRAWS, SEED, balanced=True)[0]
    levers = WhatIfLevers(
        referrals=0.1,
        referrals_by_source={"Police": -0.4},
        lockdown_after_months=2,
        lockdown_months=3,
        lockdown_fall=0.3,
        lockdown_fall_by_source={"Schools": 0.8, "Police": 0.0},
        share_returning=returning,
        return_delay_months=1.3,
        return_spread_months=2.6,
    )

    def engine(scenario) -> np.ndarray:
        paths = referral_paths(batch.referrals, resolve(scenario, line, SOURCE_GROUPS), line)
        return paths.monthly.sum(axis=1).mean(axis=1)

    moved = engine(what_if_scenario(levers, FIRST)) / engine(BASELINE)
    found = what_if_forecast(values, levers).referrals / values.baseline["referrals"]
    assert found == pytest.approx(moved, rel=0.008)  # sources are drawn too, in few draws


def test_sources_weights_add_up_to_one(values: WhatIf):
    for weight in (
        values.referral_share,
        values.plan_starts.weight,
        values.care_starts.weight,
        *values.placed.mix,
    ):
        assert weight.sum() == pytest.approx(1.0)
        assert (weight >= 0.0).all()


# --- the whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levers", "measure", "sign"),
    [
        (WhatIfLevers(referrals=0.2), "referrals", 1),
        (WhatIfLevers(conversion_to_plans=0.2), "cp_open", 1),
        (WhatIfLevers(conversion_to_plans=0.2), "cla_open", 1),
        (WhatIfLevers(entries_to_care=-0.2), "cla_open", -1),
        (WhatIfLevers(uasc_entries=0.5), "cla_open", 1),
        (WhatIfLevers(plan_ends=0.2), "cp_open", -1),
        (WhatIfLevers(care_ends_home=0.5), "cla_open", -1),
        (WhatIfLevers(care_ends_other=-0.2), "cla_open", 1),
        (WhatIfLevers(lockdown_months=3, share_returning=0.0), "referrals", -1),
        (WhatIfLevers(lockdown_months=3, lockdown_fall=0.0), "cla_open", 1),
    ],
)
def test_each_lever_moves_its_measure_the_right_way(
    values: WhatIf, levers: WhatIfLevers, measure: str, sign: int
):
    moved = getattr(what_if_forecast(values, levers), measure) - values.baseline[measure]
    assert (sign * moved >= -1e-9).all()
    assert (sign * moved).max() > 0.1


def test_a_change_moves_nothing_before_it_begins(values: WhatIf):
    levers = WhatIfLevers(
        start_after_months=7, referrals=0.3, plan_ends=0.4, care_ends_home=1.0, uasc_entries=0.5
    )
    found = what_if_forecast(values, levers)
    for measure in ("referrals", "cp_open", "cla_open"):
        mine = getattr(found, measure)
        assert mine[:7] == pytest.approx(values.baseline[measure][:7], rel=1e-9)
        assert not np.allclose(mine[7:], values.baseline[measure][7:], rtol=1e-4)


def test_no_lockdown_moves_nothing_whatever_stands_below_it(values: WhatIf):
    levers = WhatIfLevers(
        lockdown_months=0, lockdown_fall=0.9, share_returning=1.0, lockdown_care_ends=-0.5
    )
    assert what_if_forecast(values, levers).cla_open == pytest.approx(
        values.baseline["cla_open"], rel=1e-9
    )


def test_a_longer_horizon_is_shown_to_five_years(rates: FlowRates):
    values = effective(rates, horizon=64, draws=12)
    assert len(values.months) == WHAT_IF_MONTHS
    found = what_if_forecast(values)
    assert found.cla_open == pytest.approx(values.baseline["cla_open"], rel=1e-6)


def test_one_month_is_enough(rates: FlowRates):
    values = effective(rates, horizon=1, draws=12)
    assert what_if_forecast(values).cp_open == pytest.approx(values.baseline["cp_open"])


def test_an_authority_with_no_child_open_gets_values():
    some = [(f"c{n}", f"2026-02-{n + 1:02d}", "Police") for n in range(20)]
    rates = fit(exposure_of(lists_of(referral_frame(some))))
    found = what_if_forecast(effective(rates, horizon=6, draws=20), WhatIfLevers(referrals=0.5))
    for measure in ("referrals", "cp_open", "cla_open"):
        assert np.isfinite(getattr(found, measure)).all()


def test_a_scenarios_trajectories_are_refused(rates: FlowRates):
    scenario = what_if_scenario(WhatIfLevers(referrals=0.1), FIRST)
    with pytest.raises(InvalidSettingError, match="baseline"):
        effective(rates, horizon=3, draws=12, scenario=scenario)


# --- levers and their scenario --------------------------------------------------------------------


def test_neutral_levers_are_a_scenario_without_changes():
    assert what_if_scenario(WhatIfLevers(), FIRST).changes == ()


def test_each_lever_becomes_its_changes():
    levers = WhatIfLevers(
        start_after_months=2,
        referrals=-0.1,
        referrals_by_source={"Police": 0.2},
        conversion_to_plans=0.1,
        entries_to_care=-0.2,
        uasc_entries=0.5,
        plan_ends=0.3,
        care_ends_home=1.0,
        care_ends_other=-0.25,
    )
    changes = what_if_scenario(levers, FIRST, name="Tried").changes
    assert all(isinstance(c, Multiply) and c.start == date(2026, 6, 1) for c in changes)
    found = {(c.flow, c.segment): c.factor for c in changes if isinstance(c, Multiply)}
    assert found == {
        (Flow.REFERRALS, ALL): pytest.approx(0.9),
        (Flow.REFERRALS, "Police"): pytest.approx(1.2),
        (Flow.REFERRAL_TO_PLAN, ALL): pytest.approx(1.1),
        **{
            (flow, ALL): pytest.approx(0.8)
            for flow in (Flow.REFERRAL_TO_CARE, Flow.OTHER_CARE_STARTS, Flow.PLAN_TO_CARE)
        },
        (Flow.UASC_STARTS, ALL): pytest.approx(1.5),
        (Flow.PLAN_ENDS, ALL): pytest.approx(1.3),
        (Flow.CARE_ENDS_HOME, ALL): pytest.approx(2.0),
        **{(flow, ALL): pytest.approx(0.75) for flow in CARE_ENDS if flow != Flow.CARE_ENDS_HOME},
    }


def test_a_lockdown_becomes_one():
    levers = WhatIfLevers(
        lockdown_after_months=3, lockdown_months=2, lockdown_fall_by_source={"Schools": 0.6}
    )
    (lock,) = what_if_scenario(levers, FIRST).changes
    assert isinstance(lock, Lockdown)
    assert (lock.start, lock.end) == (date(2026, 7, 1), date(2026, 9, 1))
    assert lock.referrals == {ALL: 0.75, "Schools": pytest.approx(0.4)}
    assert (lock.plan_ends, lock.care_ends) == (pytest.approx(0.92), pytest.approx(0.9))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("referrals", -1.1),
        ("plan_ends", -0.7),
        ("plan_ends", 1.2),
        ("care_ends_home", float("nan")),
        ("lockdown_fall", 1.2),
        ("share_returning", -0.1),
        ("start_after_months", -1),
        ("referrals_by_source", {"Postman": 0.1}),
        ("referrals_by_source", {"Police": 3.0}),
        ("lockdown_fall_by_source", {"Police": 1.5}),
    ],
)
def test_levers_beyond_their_limits_are_refused(name: str, value: object):
    with pytest.raises(InvalidSettingError, match="It must be"):
        replace(WhatIfLevers(), **{name: value})
