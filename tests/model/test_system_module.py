"""The system beside the simulation: neutral at the start, sane at the extremes, loops apart."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from demand_model.dynamics.check import check_model
from demand_model.errors import InvalidSettingError
from demand_model.flows import Flow
from demand_model.system.inputs import FrontDoor, SystemInputs, Workforce
from demand_model.system.links import LINKS, CausalLink
from demand_model.system.module import StepInputs, SystemModule, SystemStep
from demand_model.system.variables import DRIVERS, SIMULATED, TARGETS, VARIABLES
from system_cases import LOOPS, OPENING, STEADY, advanced, switched_on

pytestmark = pytest.mark.unit

BUSY = StepInputs(referrals_a_month=360.0, cp_open=300.0, cla_open=440.0)
ALL_ON = switched_on(LOOPS)


def values_of(step: SystemStep) -> list[float]:
    return [float(np.mean(step.multipliers[flow])) for flow in SIMULATED]


@pytest.mark.parametrize("given", [STEADY, BUSY])
def test_with_every_link_off_nothing_is_changed_at_all(given: StepInputs) -> None:
    step = advanced(SystemModule(switched_on(()), OPENING), given, months=24)
    assert values_of(step) == [1.0] * len(SIMULATED)
    assert step.returning_a_month == 0.0


def test_with_every_link_on_nothing_happens_in_a_steady_state() -> None:
    module = SystemModule(ALL_ON, OPENING)
    assert values_of(module.begin()) == [1.0] * len(SIMULATED)
    step = advanced(module, STEADY, months=60)
    assert values_of(step) == pytest.approx([1.0] * len(SIMULATED), rel=1e-12)
    assert step.returning_a_month == pytest.approx(0.0, abs=1e-9)
    start, end = module.measures(module.begin()), module.measures(step)
    assert end == pytest.approx(start, rel=1e-9)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_may_drive_every_target(driver: str) -> None:
    """Units agree, no loop without a stock, neutral at the start."""
    links = tuple(
        CausalLink(
            loop="Workshop",
            driver=driver,
            target=target,
            elasticity=0.7,
            delay_months=0.0,
            reference=None,
            unit=VARIABLES[driver].unit,
            evidence="test",
            is_on=True,
        )
        for target in TARGETS
        if target != driver
    )
    module = SystemModule(SystemInputs(links=links), OPENING)
    assert check_model(module.model) == ()
    assert values_of(module.begin()) == [1.0] * len(SIMULATED)


@pytest.mark.parametrize(
    ("loop", "flow", "direction"),
    [
        ("Free places get filled", Flow.REFERRAL_TO_CARE, -1),
        ("Free places get filled", Flow.OTHER_CARE_STARTS, -1),
        ("Threshold under pressure", Flow.REFERRAL_TO_PLAN, -1),
        ("Delay in plans and exits", Flow.PLAN_ENDS, -1),
        ("Delay in plans and exits", Flow.CARE_ENDS_ADOPTION, -1),
    ],
)
def test_pressure_moves_what_the_loop_says(loop: str, flow: Flow, direction: int) -> None:
    step = advanced(SystemModule(switched_on([loop]), OPENING), BUSY, months=12)
    assert np.sign(values_of(step)[SIMULATED.index(flow)] - 1.0) == direction


@pytest.mark.parametrize("loop", LOOPS)
def test_a_knocked_out_loop_leaves_the_flows_of_the_others_alone(loop: str) -> None:
    """What a loop drives is free again without it; flows it has no part in keep theirs."""
    module = SystemModule(switched_on(set(LOOPS) - {loop}), OPENING)
    multipliers = advanced(module, BUSY, months=24).multipliers
    targets = {link.target for link in LINKS if link.loop == loop} & {*SIMULATED}
    others = {link.target for link in LINKS if link.loop != loop}
    threshold = {Flow.REFERRALS, Flow.REFERRAL_TO_PLAN, Flow.REFERRAL_TO_CARE}
    for name in targets - others - threshold:
        assert multipliers[Flow(name)] == 1.0


def test_burnout_takes_workers_and_without_it_they_stay() -> None:
    quiet = SystemModule(switched_on(()), OPENING)
    burnt = SystemModule(switched_on([LOOPS[0]]), OPENING)
    workers = [
        float(np.mean(m.measures(advanced(m, BUSY, months=36))["workers"])) for m in (quiet, burnt)
    ]
    assert workers[0] == pytest.approx(float(np.mean(quiet.measures(quiet.begin())["workers"])))
    assert workers[1] < 0.99 * workers[0]


def test_a_drifting_goal_recruits_less_than_a_held_one() -> None:
    drifting = switched_on(["Drifting goals"])
    held = replace(
        drifting,
        links=tuple(replace(k, is_on=k.target == "starters") for k in drifting.links),
    )
    found = {}
    for name, inputs in (("drifting", drifting), ("held", held)):
        module = SystemModule(inputs, OPENING)
        found[name] = module.measures(advanced(module, BUSY, months=36))
    assert found["drifting"]["ideal_caseload"] > found["held"]["ideal_caseload"]
    assert found["drifting"]["workers"] < found["held"]["workers"]
    assert found["drifting"]["caseload"] > found["held"]["caseload"]


def test_those_closed_under_pressure_come_back_once_at_their_share() -> None:
    """All who are closed beyond today's share are due back in the end; a share returns."""
    module = SystemModule(switched_on(()), OPENING)
    now, returned, dt = module.begin(), 0.0, 0.25
    for step in range(2400):
        lever = 2.0 if step < 40 else 1.0
        given = replace(STEADY, levers={"nfa_share": lever})
        now = module.advance(now, given, dt)
        returned += dt * float(np.mean(now.returning_a_month))
    closed = 10.0 * 300.0 * 0.15
    assert returned == pytest.approx(closed * 0.22, rel=1e-6)


def test_an_eased_threshold_takes_up_more_and_fewer_come_back() -> None:
    module = SystemModule(switched_on(()), OPENING)
    step = advanced(module, replace(STEADY, levers={"nfa_share": 0.5}), months=12)
    assert step.multipliers[Flow.REFERRAL_TO_PLAN] > 1.0
    assert step.returning_a_month < 0.0


def test_little_s_law_of_assessments_and_children_in_need() -> None:
    door = FrontDoor(assessment_months=2.0, cin_share=0.4, cin_months=8.0)
    module = SystemModule(SystemInputs(front_door=door), OPENING)
    doubled = advanced(module, replace(STEADY, referrals_a_month=600.0), months=240)
    measures = module.measures(doubled)
    assert measures["assessments_open"] == pytest.approx(600.0 * 0.85 * 2.0, rel=1e-6)
    assert measures["cin_open"] == pytest.approx(600.0 * 0.85 * 0.4 * 8.0, rel=1e-6)


def test_a_count_from_the_lists_is_the_opening_and_stands_still() -> None:
    opening = replace(OPENING, assessments_open=500.0, cin_open=700.0)
    module = SystemModule(switched_on(()), opening)
    for months in (0, 24):
        measures = module.measures(advanced(module, STEADY, months=months))
        assert measures["assessments_open"] == pytest.approx(500.0)
        assert measures["cin_open"] == pytest.approx(700.0)


def test_workers_are_those_entered_or_follow_from_the_caseload() -> None:
    entered = SystemModule(SystemInputs(workforce=Workforce(workers_fte=140.0)), OPENING)
    assert entered.measures(entered.begin())["workers"] == pytest.approx(140.0)
    worked_out = SystemModule(SystemInputs(), OPENING)
    assert worked_out.measures(worked_out.begin())["caseload"] == pytest.approx(15.2)


def test_posts_added_are_filled_after_the_delay_to_the_usual_share() -> None:
    module = SystemModule(switched_on(()), OPENING)
    now = module.begin()
    before = module.measures(now)
    soon = before
    for step in range(960):
        added = 10.0 if 4 <= step < 8 else 0.0
        now = module.advance(now, replace(STEADY, posts_added=added), 0.25)
        soon = module.measures(now) if step == 8 else soon
    after = module.measures(now)
    filled = 10.0 * (1.0 - 0.142)
    assert 0.0 < soon["workers"] - before["workers"] < 0.5 * filled
    assert after["workers"] - before["workers"] == pytest.approx(filled, rel=1e-3)
    assert after["vacancy_share"] == pytest.approx(0.142, rel=1e-3)


NOBODY = StepInputs(referrals_a_month=0.0, cp_open=0.0, cla_open=0.0)
FLOOD = StepInputs(referrals_a_month=3e5, cp_open=3e5, cla_open=3e5)


@pytest.mark.parametrize("given", [NOBODY, FLOOD], ids=["nobody", "flood"])
@pytest.mark.parametrize(
    "workforce",
    [Workforce(), Workforce(workers_fte=0.0), Workforce(recruitment_delay_months=0.0)],
    ids=["usual", "no workers", "no delay"],
)
def test_at_the_extremes_everything_is_finite_and_not_below_zero(
    given: StepInputs, workforce: Workforce
) -> None:
    module = SystemModule(replace(ALL_ON, workforce=workforce), OPENING)
    step = advanced(module, given, months=120)
    assert all(0.0 < value < 1e3 for value in values_of(step))
    for name, value in module.measures(step).items():
        assert np.all(np.isfinite(value)), name
        assert np.all(np.asarray(value) >= -1e-9), name


def test_nobody_referred_empties_the_front_door() -> None:
    module = SystemModule(switched_on(()), OPENING)
    measures = module.measures(advanced(module, NOBODY, months=240))
    assert measures["assessments_open"] == pytest.approx(0.0, abs=1e-6)
    assert measures["cin_open"] == pytest.approx(0.0, abs=1e-4)


def test_strong_links_stay_within_their_bounds() -> None:
    links = tuple(
        replace(k, is_on=True, elasticity=math.copysign(3.0, k.elasticity)) for k in LINKS
    )
    step = advanced(SystemModule(SystemInputs(links=links), OPENING), FLOOD, months=60)
    assert all(1e-3 <= value <= 1e3 for value in values_of(step))


def test_halving_the_step_moves_little_and_half_as_much_again() -> None:
    ends = []
    for dt in (0.5, 0.25, 0.125, 0.0625):
        module = SystemModule(ALL_ON, OPENING)
        measures = module.measures(advanced(module, BUSY, months=24, dt=dt), dt)
        ends.append(np.array([measures[n] for n in ("workers", "cin_open", "caseload")]))
    moved = [np.abs(b / a - 1.0) for a, b in itertools.pairwise(ends)]
    assert np.all(moved[1] < 0.005)
    assert np.all(moved[2] < 0.7 * moved[1])


def test_draws_are_apart() -> None:
    opening = replace(
        OPENING, referrals_a_month=np.array([300.0, 500.0]), cla_open=np.array([400.0, 900.0])
    )
    given = StepInputs(
        referrals_a_month=np.array([360.0, 480.0]), cp_open=280.0, cla_open=np.array([420.0, 850.0])
    )
    together = advanced(SystemModule(ALL_ON, opening), given, months=18)
    for draw in (0, 1):
        alone = advanced(
            SystemModule(
                ALL_ON,
                replace(
                    opening,
                    referrals_a_month=float(opening.referrals_a_month[draw]),
                    cla_open=float(opening.cla_open[draw]),
                ),
            ),
            replace(
                given,
                referrals_a_month=float(given.referrals_a_month[draw]),
                cla_open=float(given.cla_open[draw]),
            ),
            months=18,
        )
        for flow in SIMULATED:
            found = np.broadcast_to(together.multipliers[flow], 2)[draw]
            assert found == pytest.approx(float(alone.multipliers[flow]), rel=1e-12)


def test_a_reference_of_ones_own_acts_from_the_start() -> None:
    link = replace(
        next(k for k in LINKS if k.target == "plan_ends"),
        elasticity=-0.3,
        is_on=True,
        reference=7.6,
        delay_months=0,
    )
    step = SystemModule(SystemInputs(links=(link,)), OPENING).begin()
    assert step.multipliers[Flow.PLAN_ENDS] == pytest.approx(2.0**-0.3)


def test_no_spare_place_at_the_start_is_neutral_too() -> None:
    link = CausalLink(
        loop="Workshop",
        driver="spare_places",
        target="plan_to_care",
        elasticity=0.5,
        delay_months=0.0,
        reference=None,
        unit="places",
        evidence="test",
        is_on=True,
    )
    module = SystemModule(SystemInputs(links=(link,)), replace(OPENING, places=200.0))
    assert module.begin().multipliers[Flow.PLAN_TO_CARE] == 1.0
    later = advanced(module, replace(STEADY, cla_open=380.0), months=3)
    assert later.multipliers[Flow.PLAN_TO_CARE] == pytest.approx(math.sqrt(10.0))


@pytest.mark.parametrize(
    ("inputs", "opening", "said"),
    [
        (replace(ALL_ON, workforce=None), OPENING, "needs the workforce"),
        (ALL_ON, replace(OPENING, places=None), "number of the authority's own places"),
        (ALL_ON, replace(OPENING, placed_share=None), "given together with the places"),
        (
            SystemInputs(links=(replace(LINKS[0], is_on=True, reference=0.0),)),
            OPENING,
            "above 0",
        ),
    ],
)
def test_what_cannot_run_is_refused_and_said(
    inputs: SystemInputs, opening: object, said: str
) -> None:
    with pytest.raises(InvalidSettingError, match=said):
        SystemModule(inputs, opening)  # type: ignore[arg-type] # a dataclass of the case


def test_a_lever_that_is_let_go_acts_no_longer() -> None:
    module = SystemModule(switched_on(()), OPENING)
    pulled = module.advance(module.begin(), replace(STEADY, levers={"nfa_share": 2.0}), 0.25)
    assert module.measures(pulled)["nfa_share"] == pytest.approx(0.30)
    assert pulled.multipliers[Flow.REFERRAL_TO_PLAN] < 1.0
    let_go = module.advance(pulled, STEADY, 0.25)
    assert module.measures(let_go)["nfa_share"] == pytest.approx(0.15)
    assert let_go.multipliers[Flow.REFERRAL_TO_PLAN] == 1.0


def test_an_unknown_lever_is_refused() -> None:
    module = SystemModule(SystemInputs(workforce=None), OPENING)
    for target in ("starters", "plan_ends"):
        with pytest.raises(InvalidSettingError, match="Invalid lever"):
            module.advance(module.begin(), replace(STEADY, levers={target: 1.1}), 0.25)


def test_without_a_workforce_there_is_a_front_door() -> None:
    module = SystemModule(SystemInputs(workforce=None), replace(OPENING, places=None))
    assert set(module.measures(module.begin())) == {
        "assessments_open",
        "cin_open",
        "nfa_share",
        "nfa_closed",
    }
