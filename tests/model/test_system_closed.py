"""The reduced structure: conservation, balance, Little's law, and what each loop does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from demand_model.dynamics.check import check_model
from demand_model.dynamics.integrate import Integrator, Run
from demand_model.errors import InvalidSettingError
from demand_model.system.closed import USUAL_REFERRALS, Children, DurationBand, closed_model
from demand_model.system.links import LINKS
from system_cases import LOOPS, children, in_balance, opening_of, switched_on

pytestmark = pytest.mark.unit

balanced = cache(in_balance)


def run(
    loops: tuple[str, ...],
    of: Children,
    *,
    referrals: float = 300.0,
    months: float = 48.0,
    dt: float = 0.25,
    save_every: int = 1,
    with_switches: bool = False,
) -> Run:
    model = closed_model(switched_on(loops), of, opening_of(of), with_switches=with_switches)
    return Integrator(model).run(
        start=0.0,
        stop=months,
        dt=dt,
        save_every=save_every,
        inputs=lambda _time: {USUAL_REFERRALS: referrals},
    )


def end(of: Run, name: str) -> float:
    return float(of.series[name][-1, 0])


@pytest.mark.parametrize("with_switches", [False, True])
def test_the_model_is_sound_with_loops_on(with_switches: bool) -> None:
    model = closed_model(
        switched_on(LOOPS), children(), opening_of(children()), with_switches=with_switches
    )
    assert check_model(model) == ()


def test_every_child_who_enters_is_there_or_has_left() -> None:
    found = run(LOOPS, children(), referrals=360.0)
    for kind, open_name, bands in (
        ("plans", "cp open", children().plans),
        ("care", "cla open", children().care),
    ):
        ends = sum(found.series[f"{kind} end {band.label}"] for band in bands)
        change = 0.25 * (found.series[f"{kind} start"] - ends)
        np.testing.assert_allclose(
            np.diff(found.series[open_name], axis=0), change[:-1], rtol=1e-9, atol=1e-9
        )


def test_in_balance_nothing_moves_whatever_the_loops() -> None:
    found = run(LOOPS, balanced())
    for name in ("cp open", "cla open", "workers", "caseload", "assessments open"):
        np.testing.assert_allclose(found.series[name], found.series[name][0, 0], rtol=1e-6)


def test_twice_the_entries_twice_the_children() -> None:
    start = balanced()
    twice = Children(
        referrals_a_month=start.referrals_a_month,
        to_plan=replace(start.to_plan, other_a_month=2 * start.to_plan.other_a_month),
        to_care=replace(start.to_care, other_a_month=2 * start.to_care.other_a_month),
        uasc_a_month=2 * start.uasc_a_month,
        plans=start.plans,
        care=start.care,
    )
    found = run((), twice, referrals=600.0, months=1200.0, save_every=4800)
    for name, bands in (("cp open", start.plans), ("cla open", start.care)):
        assert end(found, name) == pytest.approx(2 * sum(b.open_now for b in bands), rel=1e-4)


def test_halving_the_step_moves_end_stocks_by_less_than_half_a_percent() -> None:
    coarse, fine = (run(LOOPS, balanced(), referrals=360.0, dt=dt) for dt in (0.25, 0.125))
    for name in ("cp open", "cla open", "workers", "caseload", "cin open"):
        assert end(fine, name) == pytest.approx(end(coarse, name), rel=0.005)


def test_switches_that_are_off_are_links_that_are_not_there() -> None:
    plain = run(LOOPS[:2], balanced(), referrals=360.0)
    switched = run(LOOPS[:2], balanced(), referrals=360.0, with_switches=True)
    for name, series in plain.series.items():
        if (
            name in switched.series
            and not name.startswith(("link", "effect"))
            and "felt" not in name
        ):
            np.testing.assert_allclose(switched.series[name], series, rtol=1e-12, err_msg=name)


# What a lasting fifth more referrals brings in four years with one loop on, against none: the
# direction that the design gives for the loop.
@pytest.mark.parametrize(
    ("loop", "name", "direction"),
    [
        ("Workload–burnout", "caseload", 1),
        ("Workload–burnout", "workers", -1),
        ("Free places get filled", "cla open", -1),
        ("Threshold under pressure", "caseload", -1),
        ("Threshold under pressure", "returning", 1),
        ("Delay in plans and exits", "cp open", 1),
        ("Delay in plans and exits", "cla open", 1),
        ("Delay in plans and exits", "caseload", 1),
    ],
)
def test_each_loop_does_what_it_is_said_to_do(loop: str, name: str, direction: int) -> None:
    # With spare places, so that filling them has somewhere to go.
    with_loop, without = (run(on, balanced(), referrals=360.0) for on in ((loop,), ()))
    assert direction * (end(with_loop, name) - end(without, name)) > 1e-6


def test_freed_places_fill_again() -> None:
    """Fewer referrals free places; with the loop on, entries rise and part of it is lost."""
    with_loop = run(("Free places get filled",), balanced(), referrals=200.0)
    without = run((), balanced(), referrals=200.0)
    assert end(without, "cla open") < end(with_loop, "cla open") < end(without, "cla open") * 1.2


def test_added_workers_relieve_caseload_for_good_only_where_the_goal_is_held() -> None:
    """The finding of practice: with a drifting ideal, fewer are recruited as relief comes."""

    def caseload(on: tuple[str, ...], posts: bool) -> np.ndarray:
        start = balanced()
        links = tuple(
            replace(link, is_on=link.target in on, elasticity=link.elasticity) for link in LINKS
        )
        inputs = replace(switched_on(()), links=links)
        model = closed_model(inputs, start, opening_of(start), with_switches=False)
        return (
            Integrator(model)
            .run(
                start=0.0,
                stop=72.0,
                dt=0.25,
                inputs=lambda time: {
                    USUAL_REFERRALS: 360.0,
                    "posts added": 2.0 if posts and time < 6.0 else 0.0,
                },
            )
            .series["caseload"][:, 0]
        )

    held = caseload(("starters",), posts=True)
    drifting = caseload(("starters", "ideal_caseload"), posts=True)
    assert drifting[-1] > held[-1]


def test_a_census_that_disagrees_is_refused() -> None:
    of = children()
    with pytest.raises(InvalidSettingError, match="children in care"):
        closed_model(switched_on(()), of, replace(opening_of(of), cla_open=1.0))
    with pytest.raises(InvalidSettingError, match="referrals a month"):
        closed_model(switched_on(()), of, replace(opening_of(of), referrals_a_month=1.0))


@pytest.mark.parametrize("widths", [(None, None), (0.0, None), (3.0, 4.0)])
def test_widths_that_make_no_chain_are_refused(widths: tuple[float | None, float | None]) -> None:
    bands = tuple(
        DurationBand(label=f"band {i}", months=w, open_now=200.0, ends_a_month={})
        for i, w in enumerate(widths)
    )
    of = replace(children(), care=bands)
    with pytest.raises(InvalidSettingError, match="widths of duration bands"):
        closed_model(switched_on(()), of, opening_of(of))
