"""What must hold of the engine whatever the numbers: balances, symmetries, extremes, limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand_model import (
    BASELINE,
    Add,
    Lockdown,
    Multiply,
    Overwrite,
    Scenario,
    Trajectories,
    fit,
    simulate,
    spells,
    summarise,
)
from demand_model.annex_a.checked import Lists
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.flows import CARE_ENDS, Flow
from demand_model.rates.draws import draw_rates
from demand_model.rates.fit import FlowRates
from engine_cases import (
    CENSUS,
    STILL_PRIORS,
    care_frame,
    certain_rates,
    exposure_of,
    lists_of,
    made_up_exposure,
    made_up_lists,
    made_up_rates,
    plan_frame,
    referral_frame,
    stock_of,
    with_opening,
)

pytestmark = pytest.mark.properties

APRIL = date(2026, 4, 1)
EXITS = (Flow.PLAN_ENDS, *CARE_ENDS)
ENTRIES = (
    Flow.REFERRALS,
    Flow.REFERRAL_TO_PLAN,
    Flow.REFERRAL_TO_CARE,
    Flow.OTHER_PLAN_STARTS,
    Flow.OTHER_CARE_STARTS,
    Flow.UASC_STARTS,
    Flow.PLAN_TO_CARE,
)


def run(*changes: object, draws: int = 30, months: int = 6, **more: object) -> Trajectories:
    scenario = Scenario(name="S", changes=changes)  # type: ignore[arg-type]
    settings_ = {"horizon_months": months, "draws": draws, "seed": 5, **more}
    return simulate(made_up_rates(1), (scenario,), **settings_)[0]  # type: ignore[arg-type]


def at_zero(*flows: Flow) -> tuple[Overwrite, ...]:
    return tuple(Overwrite(flow=flow, value=0.0, start=APRIL) for flow in flows)


# --- conservation ------------------------------------------------------------------------------

simulated = [f for f in Flow if f not in (Flow.RE_REFERRALS, Flow.REFERRAL_NFA)]
days = st.dates(date(2026, 3, 1), date(2026, 9, 1))
factors = st.floats(0.0, 3.0)
multiply = st.builds(
    Multiply,
    flow=st.sampled_from(simulated),
    factor=factors,
    start=days,
    ramp_months=st.floats(0.0, 4.0),
)
overwrite = st.builds(Overwrite, flow=st.sampled_from(EXITS), value=st.floats(0.0, 0.5), start=days)
add = st.builds(
    Add,
    flow=st.sampled_from([f for f in simulated if f.is_area_flow]),
    per_month=st.floats(-20.0, 20.0),
    start=days,
)
lockdown = st.builds(
    lambda start, length, share, returning, delay, spread, severity, after: Lockdown(
        start=start,
        end=(pd.Timestamp(start) + pd.Timedelta(days=length)).date(),
        referrals={"all": share, "Police": 1.2},
        plan_ends=0.8,
        care_ends=0.7,
        share_returning=returning,
        return_delay_months=delay,
        return_spread_months=spread,
        severity=severity,
        new_normal=after,
    ),
    days,
    st.integers(1, 200),
    st.floats(0.0, 1.2),
    st.floats(0.0, 1.0),
    st.floats(0.0, 3.0),
    st.floats(0.0, 8.0),
    st.floats(0.0, 2.0),
    factors,
)
changes = st.lists(st.one_of(multiply, overwrite, add, lockdown), max_size=4).map(tuple)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(changes=changes, steps=st.sampled_from([1, 3, 4]), seed=st.integers(0, 99))
def test_nothing_is_created_or_lost(changes: tuple, steps: int, seed: int) -> None:
    found = run(*changes, draws=15, seed=seed, steps_per_month=steps)
    for stock in ("cp", "cla"):
        opening = found.opening[f"{stock}_open"]
        starts, ends, open_now = (
            found.measures[f"{stock}_{kind}", "all"] for kind in ("starts", "ends", "open")
        )
        before = np.vstack([np.full(15, opening), open_now[:-1]])
        assert np.array_equal(before + starts - ends, open_now)
        for counts in (starts, ends, open_now):
            assert np.all((counts >= 0) & (counts == np.round(counts)))
    need = found.hidden_need
    assert need.hidden.min() > -1e-6
    assert np.all(np.diff(need.suppressed, axis=0) >= 0)
    assert np.all(np.diff(need.returned + need.not_returning, axis=0) >= -1e-12)


# --- common random numbers ---------------------------------------------------------------------


def compare(*changes: object) -> tuple[Trajectories, Trajectories]:
    base, found = simulate(
        made_up_rates(1),
        (BASELINE, Scenario(name="S", changes=changes)),  # type: ignore[arg-type]
        horizon_months=8,
        draws=60,
        seed=2,
    )
    return base, found


def test_a_scenario_that_changes_nothing_differs_by_exactly_nothing() -> None:
    base, found = compare(
        *(Multiply(flow=flow, factor=1.0, start=APRIL) for flow in simulated),
        Lockdown(start=APRIL, end=date(2026, 6, 1)),
        Add(flow=Flow.REFERRALS, per_month=0.0, start=APRIL),
    )
    for name, values in base.measures.items():
        assert np.array_equal(values, found.measures[name]), name


REFERRALS = [("referrals", "all"), *(("referrals", s) for s in SOURCE_GROUPS)]
PLANS = [("cp_starts", "all"), ("cp_ends", "all"), ("cp_open", "all")]
CARE = [("cla_starts", "all"), ("cla_ends", "all"), ("cla_open", "all")]


@pytest.mark.parametrize(
    ("change", "touched", "untouched"),
    [
        (
            Multiply(flow=Flow.CARE_ENDS_HOME, factor=0.5, start=APRIL),
            [("cla_ends", "all"), ("cla_open", "all")],
            [*REFERRALS, *PLANS, ("cla_starts", "all")],
        ),
        (
            Multiply(flow=Flow.PLAN_ENDS, factor=0.5, start=APRIL),
            [("cp_ends", "all"), ("cp_open", "all")],
            [*REFERRALS, ("cp_starts", "all"), ("cla_open", "UASC")],
        ),
        (
            Add(flow=Flow.UASC_STARTS, per_month=5.0, start=APRIL),
            [("cla_open", "UASC")],
            [*REFERRALS, *PLANS, *(("cla_open", s) for s in ("Under 1", "1 to 4", "10 to 15"))],
        ),
        (
            Multiply(flow=Flow.REFERRAL_TO_PLAN, factor=2.0, start=APRIL),
            PLANS,
            REFERRALS,
        ),
        (
            Multiply(flow=Flow.REFERRALS, factor=2.0, start=APRIL, segment="Police"),
            [("referrals", "Police")],
            [r for r in REFERRALS if r[1] not in ("all", "Police")],
        ),
        (
            Multiply(flow=Flow.REFERRALS, factor=2.0, start=date(2026, 8, 1)),
            REFERRALS[:1],
            [("cla_open", "UASC")],
        ),
    ],
)
def test_a_flow_that_is_not_touched_is_the_same_in_every_draw(
    change: object, touched: list, untouched: list
) -> None:
    base, found = compare(change)
    for name in untouched:
        assert np.array_equal(base.measures[name], found.measures[name]), name
    for name in touched:
        assert not np.array_equal(base.measures[name], found.measures[name]), name


def test_nothing_moves_before_a_change_begins() -> None:
    changed = [Multiply(flow=f, factor=2.0, start=date(2026, 8, 1)) for f in simulated]
    base, found = compare(*changed)
    for name, values in base.measures.items():
        assert np.array_equal(values[:4], found.measures[name][:4]), name


def test_more_referrals_mean_no_fewer_children_in_any_draw() -> None:
    base, found = compare(Multiply(flow=Flow.REFERRALS, factor=1.3, start=APRIL))
    for name in (*REFERRALS, ("cp_starts", "all"), ("cp_open", "all"), ("cla_starts", "all")):
        assert np.all(found.measures[name] >= base.measures[name]), name


def test_the_number_of_threads_does_not_matter() -> None:
    one, three = (run(draws=1200, months=2, threads=n) for n in (1, 3))
    for name, values in one.measures.items():
        assert np.array_equal(values, three.measures[name]), name


def test_a_scenario_does_not_depend_on_its_neighbours() -> None:
    scenario = Scenario(name="S", changes=(Multiply(flow=Flow.REFERRALS, factor=2.0, start=APRIL),))
    other = Scenario(name="T", changes=(Multiply(flow=Flow.REFERRALS, factor=9.0, start=APRIL),))
    alone = run(*scenario.changes)
    rates = made_up_rates(1)
    _, found = simulate(rates, (other, scenario), horizon_months=6, draws=30, seed=5)
    for name, values in alone.measures.items():
        assert np.array_equal(values, found.measures[name]), name


# --- symmetries of the lists -------------------------------------------------------------------


def changed_lists(lists: Lists, change) -> Lists:  # type: ignore[no-untyped-def]
    return replace(
        lists,
        **{name: change(getattr(lists, name)) for name in ("referrals", "plans", "care")},
    )


def forecast_table(lists: Lists) -> pd.DataFrame:
    exposure = exposure_of(lists)
    found = simulate(fit(exposure), horizon_months=4, draws=40, seed=1)
    return summarise(found, exposure).table


def test_the_order_of_rows_does_not_matter() -> None:
    lists = made_up_lists(3)
    shuffled = changed_lists(lists, lambda f: f.sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(forecast_table(lists), forecast_table(shuffled))


def test_the_names_of_children_do_not_matter() -> None:
    lists = made_up_lists(3)
    renamed = changed_lists(
        lists, lambda f: f.assign(child_id=[n[::-1] + "x" for n in f["child_id"]])
    )
    pd.testing.assert_frame_equal(forecast_table(lists), forecast_table(renamed))


def doubled(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.assign(child_id=frame["child_id"] + " twin")], ignore_index=True)


AREA = {"referrals", "other_plan_starts", "other_care_starts", "uasc_starts"}


def test_every_child_twice_doubles_the_table_and_the_stock() -> None:
    lists = made_up_lists(3)
    one, two = exposure_of(lists), exposure_of(changed_lists(lists, doubled))
    key = ["flow", "segment", "duration_band", "month"]
    both = one.table.merge(two.table, on=key, suffixes=("", "_2"), validate="one_to_one")
    assert len(both) == len(one.table) == len(two.table)
    assert both["occurrences_2"].tolist() == (2 * both["occurrences"]).tolist()
    factor = np.where(both["flow"].isin(AREA), 1.0, 2.0)
    assert both["exposure_2"].to_numpy() == pytest.approx(factor * both["exposure"].to_numpy())
    assert len(two.opening.care) == 2 * len(one.opening.care)
    assert len(two.opening.plans) == 2 * len(one.opening.plans)


def test_every_child_twice_doubles_the_forecast_nearly() -> None:
    """Nearly, for the national prior weighs half as much against twice the children."""
    lists = made_up_lists(3, referrals=900, plans=240, care=240)
    found = [
        simulate(fit(exposure_of(case), priors=STILL_PRIORS), horizon_months=6, draws=300, seed=1)[
            0
        ]
        for case in (lists, changed_lists(lists, doubled))
    ]
    for measure in ("referrals", "cp_open", "cla_open"):
        one, two = (f.measures[measure, "all"][-1].mean() for f in found)
        assert two / one == pytest.approx(2.0, rel=0.05), measure


def test_tables_of_two_authorities_add_up() -> None:
    one, other = made_up_lists(3), made_up_lists(4)
    moved = changed_lists(other, lambda f: f.assign(child_id="other " + f["child_id"]))
    merged = replace(
        one,
        **{
            name: pd.concat([getattr(one, name), getattr(moved, name)], ignore_index=True)
            for name in ("referrals", "plans", "care")
        },
    )
    key = ["flow", "segment", "duration_band", "month"]
    apart = pd.concat([exposure_of(one).table, exposure_of(other).table])
    apart = apart[~apart["flow"].isin(AREA)]
    together = exposure_of(merged).table
    together = together[~together["flow"].isin(AREA)].set_index(key).sort_index()
    added = apart.groupby(key).sum().reindex(together.index)
    assert added.to_numpy() == pytest.approx(together.to_numpy())


# --- extremes ----------------------------------------------------------------------------------


def test_without_entries_stocks_only_fall() -> None:
    found = run(*at_zero(*ENTRIES), months=24)
    for stock in ("cp", "cla"):
        assert not found.measures[f"{stock}_starts", "all"].any()
        assert np.all(np.diff(found.measures[f"{stock}_open", "all"], axis=0) <= 0)
    assert not found.measures["referrals", "all"].any()
    assert found.measures["cp_open", "all"][-1].mean() < 0.15 * found.opening["cp_open"]


def test_without_entries_and_exits_only_18th_birthdays_are_left() -> None:
    found = run(*at_zero(*ENTRIES, *EXITS), months=24)
    for stock, members in (
        ("cp_open", made_up_exposure(1).opening.plans),
        ("cla_open", made_up_exposure(1).opening.care),
    ):
        month_ends = (found.month_ends - np.datetime64(CENSUS)).astype(int)
        adult = 18 * 365.25 - members.age_days
        left = [(adult >= end).sum() for end in month_ends]
        assert left[-1] < left[0]
        assert np.all(found.measures[stock, "all"] == np.array(left)[:, None])


def test_without_exits_growth_is_entries_less_18th_birthdays() -> None:
    found = run(*at_zero(*EXITS, Flow.UASC_STARTS), months=12)
    members = made_up_exposure(1).opening.plans
    birthdays = (18 * 365.25 - members.age_days < 365).sum()
    ends = found.measures["cp_ends", "all"].sum(axis=0)
    assert np.all(ends >= birthdays)
    # Of the children who enter, only those of 17 can come of age within the year.
    assert ends.mean() - birthdays < 0.06 * found.measures["cp_starts", "all"].sum(axis=0).mean()


def one_child() -> Lists:
    return lists_of(
        referral_frame([("a", "2026-01-05", "Police")]),
        plan_frame([("a", "2018-01-01", "2026-02-01", None)]),
        care_frame([("b", "2016-01-01", "2026-01-01", None, None)]),
    )


def test_one_child_is_enough_for_a_forecast() -> None:
    exposure = exposure_of(one_child())
    found = simulate(fit(exposure), horizon_months=6, draws=50, seed=1)
    table = summarise(found, exposure).table
    assert not table.isna().any().any()
    assert np.isfinite(table.select_dtypes("number").to_numpy()).all()
    assert found[0].opening == {"cp_open": 1, "cla_open": 1}
    assert found[0].measures["referrals", "all"].mean() < 3


def test_empty_plans_and_care_still_forecast() -> None:
    exposure = exposure_of(lists_of(referral_frame([("a", "2026-01-05", "Police")] * 30)))
    found = simulate(fit(exposure), horizon_months=6, draws=50, seed=1)
    assert found[0].opening == {"cp_open": 0, "cla_open": 0}
    assert not summarise(found, exposure).table.isna().any().any()


def test_no_event_is_a_rate_with_an_upper_bound() -> None:
    rates = fit(exposure_of(one_child()))
    for posterior in (rates.plan_ends, rates.plan_to_care, *rates.care_ends, rates.uasc):
        low, high = posterior.interval()
        mean = posterior.mean()
        assert np.all((mean > 0) & (low > 0) & (high > mean) & np.isfinite(high))


def test_spells_are_the_same_for_the_same_lists() -> None:
    one, two = spells(made_up_lists(3)), spells(made_up_lists(3))
    pd.testing.assert_frame_equal(one.care, two.care)


# --- limits that theory gives ------------------------------------------------------------------

ADULT_MONTHS = 18 * 12
AGES = np.linspace(0.5, 14.0, 400)


def survival(hazard: np.ndarray, step: float) -> np.ndarray:
    """Probability of being there at each grid point, ``exp(-integral of hazard)``."""
    return np.exp(-np.concatenate([[0.0], np.cumsum(hazard[:-1] + hazard[1:]) * step / 2]))


def plan_hazard(rates: FlowRates, since: np.ndarray) -> np.ndarray:
    band = np.searchsorted([3, 6, 9, 12, 18, 24], since, side="right")
    return np.asarray(rates.plan_ends.mean()[band])


def banded_plan_rates(starts_per_month: float, opening: int) -> FlowRates:
    """Plans with a hazard that differs by band, a known stock, steady entries; nothing else."""
    rng = np.random.default_rng(8)
    exposure = with_opening(
        made_up_exposure(1),
        plans=stock_of(rng.uniform(1, 600, opening), rng.uniform(0, 14, opening)),
    )
    rates = certain_rates(exposure, other_plan_starts=starts_per_month)
    ends = np.array([0.03, 0.08, 0.2, 0.12, 0.3, 0.15, 0.25])
    return replace(rates, plan_ends=replace(rates.plan_ends, fixed=ends, **_no_overall(rates)))


def _no_overall(rates: FlowRates) -> dict[str, float]:
    """A flow's own overall rate, where the posterior knows one, must not scale its bands."""
    return {"overall": float("nan")} if hasattr(rates.plan_ends, "overall") else {}


def expected_plans(rates: FlowRates, months: np.ndarray, starts_per_month: float) -> np.ndarray:
    """Cohort survival in closed form (fine grid), 18th birthdays out of reach."""
    step = 0.002
    grid = np.arange(0, 60, step)
    alive = survival(plan_hazard(rates, grid), step)
    so_far = np.concatenate([[0.0], np.cumsum(alive[:-1] + alive[1:]) * step / 2])
    days = rates.exposure.opening.plans.days / 30.4375
    out = []
    for month in months:
        stay = np.interp(days + month, grid, alive) / np.interp(days, grid, alive)
        out.append(stay.sum() + starts_per_month * np.interp(month, grid, so_far))
    return np.array(out)


def month_ends_in_months(found: Trajectories) -> np.ndarray:
    return np.asarray((found.month_ends - np.datetime64(CENSUS)).astype(float) / 30.4375)


def test_plans_are_what_cohort_survival_expects() -> None:
    rates = banded_plan_rates(20.0, 120)
    (found,) = simulate(rates, horizon_months=12, draws=1500, seed=3, balanced=False)
    draws = found.measures["cp_open", "all"]
    expected = expected_plans(rates, month_ends_in_months(found), 20.0)
    error = draws.std(axis=1) / np.sqrt(draws.shape[1])
    assert np.all(np.abs(draws.mean(axis=1) - expected) < 4 * error)
    assert np.all(error < 0.006 * expected)


def test_care_is_what_competing_reasons_and_birthdays_expect() -> None:
    """Constant rates by reason: expected stock of known ages is a sum of exponentials."""
    rng = np.random.default_rng(9)
    ages = np.concatenate([rng.uniform(1, 16, 200), rng.uniform(17.1, 17.9, 40)])
    exposure = with_opening(made_up_exposure(1), care=stock_of(rng.uniform(1, 900, 240), ages))
    by_reason = {"care_ends_home": 0.02, "care_ends_adoption": 0.01, "care_ends_other": 0.015}
    rates = certain_rates(exposure, **by_reason)
    slower = Scenario(
        name="S", changes=(Multiply(flow=Flow.CARE_ENDS_HOME, factor=0.5, start=APRIL),)
    )
    for scenario, rate in ((BASELINE, 0.045), (slower, 0.035)):
        (found,) = simulate(rates, (scenario,), horizon_months=12, draws=1000, balanced=False)
        draws = found.measures["cla_open", "all"]
        months = month_ends_in_months(found)
        adult = (18 - ages) * 12
        expected = [((adult >= m) * np.exp(-rate * m)).sum() for m in months]
        error = draws.std(axis=1) / np.sqrt(draws.shape[1])
        assert np.all(np.abs(draws.mean(axis=1) - expected) < 4 * error)


def test_conversion_gives_the_share_of_referrals_that_starts() -> None:
    """Steady referrals, a certain share: starts in the long run are referrals x share."""
    rates = certain_rates(made_up_exposure(1), referral_to_plan=0.1)
    even = np.ones(len(SOURCE_GROUPS))
    rates = replace(rates, to_plan=replace(rates.to_plan, source_ratio=even))
    steady = Scenario(name="S", changes=(Overwrite(flow=Flow.REFERRALS, value=900.0, start=APRIL),))
    (found,) = simulate(rates, (steady,), horizon_months=24, draws=300, balanced=False)
    yearly = found.measures["cp_starts", "all"][12:].sum(axis=0)
    error = yearly.std() / np.sqrt(len(yearly))
    assert yearly.mean() == pytest.approx(12 * 90.0, abs=4 * error)
    assert error < 0.005 * yearly.mean()


def test_the_analysts_own_share_of_referrals_is_certain() -> None:
    rates = certain_rates(made_up_exposure(1), referral_to_plan=0.1)
    drawn = draw_rates(rates, 50, np.random.default_rng(1), balanced=False)
    assert drawn.plan_lags.sum(axis=0) == pytest.approx(np.full(50, 0.1))


def test_doubling_entries_doubles_the_equilibrium() -> None:
    """Little's law: stock = entries x mean stay, here 60 a month and 4 months."""
    rates = certain_rates(made_up_exposure(1), other_plan_starts=60.0, plan_ends=0.25)
    twice = Scenario(
        name="S", changes=(Multiply(flow=Flow.OTHER_PLAN_STARTS, factor=2.0, start=APRIL),)
    )
    found = simulate(rates, (BASELINE, twice), horizon_months=40, draws=500, balanced=False)
    one, two = (f.measures["cp_open", "all"][28:].mean() for f in found)
    assert one == pytest.approx(240.0, rel=0.01)
    assert two == pytest.approx(480.0, rel=0.01)
    assert two / one == pytest.approx(2.0, rel=0.01)


def test_halving_the_step_moves_end_stocks_by_less_than_half_a_percent() -> None:
    rates = banded_plan_rates(200.0, 1200)
    stocks = [
        simulate(
            rates, horizon_months=12, draws=400, seed=4, balanced=False, steps_per_month=steps
        )[0]
        .measures["cp_open", "all"][-1]
        .mean()
        for steps in (4, 8)
    ]
    assert stocks[1] / stocks[0] == pytest.approx(1.0, abs=0.005)
