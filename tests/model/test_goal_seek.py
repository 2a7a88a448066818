"""Goal-seek: fixed goals are reached or said to be out of reach, and at the least cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from demand_model import spells
from demand_model.results.goal_seek import Goal, GoalFound, goal_seek
from demand_model.results.lever_list import LeverSetting
from demand_model.results.lever_runs import LeverContext, run_levers
from demand_model.results.placement_mix import placements_today
from demand_model.results.placement_need import placement_needs
from demand_model.simulation.setup import prepare
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements
from engine_cases import CENSUS, made_up_lists, made_up_rates

pytestmark = pytest.mark.unit


@lru_cache(maxsize=1)
def context() -> LeverContext:
    """22 children in care on average when goals fall due, 43% of them in external placements."""
    prepared = prepare(made_up_rates(1), horizon_months=18, draws=300, seed=1)
    found = spells(made_up_lists(1))
    today = placements_today(found, Placements())
    return LeverContext(
        prepared=prepared,
        at=prepared.common.line.month_ends[-1].astype("datetime64[D]").item(),
        system=System(),
        placements=Placements(),
        today=today,
        needs=placement_needs(found, Placements(), today),
    )


def pulled(key: str, size: float, cost: float = 0.0) -> LeverSetting:
    return LeverSetting(lever=key, size=size, start=CENSUS, cost_a_year=cost)


def outcome(of: LeverContext, name: str, settings: Sequence[LeverSetting]) -> np.ndarray:
    return np.asarray(run_levers(of, {"them": settings})["them"][name])


def share(target: float, chance: float | None = None) -> Goal:
    return Goal(outcome="external_share", target=target, chance=chance)


# --- the share in external placements ------------------------------------------------------------


def test_external_placements_at_30_percent_take_a_size_that_a_run_confirms() -> None:
    found = goal_seek(context(), share(0.30), [pulled("step_down", 0.9)])
    assert found.is_met
    assert found.without > 0.40
    (setting,) = found.settings
    reached = outcome(context(), "external_share", [setting]).mean()
    assert found.reached == pytest.approx(reached)
    assert 0.298 < reached <= 0.30
    less = outcome(context(), "external_share", [replace(setting, size=setting.size - 0.02)])
    assert less.mean() > 0.30, "a smaller step-down does not reach it"
    assert f"by {setting.size:.1%}" in found.sentence


def test_external_placements_at_5_percent_are_out_of_reach_and_the_nearest_is_said() -> None:
    greatest = pulled("step_down", 0.9)
    found = goal_seek(context(), share(0.05), [greatest])
    nearest = outcome(context(), "external_share", [greatest]).mean()
    assert not found.is_met
    assert found.settings == (greatest,)
    assert found.reached == pytest.approx(nearest)
    assert nearest > 0.2
    assert f"out of reach of these levers; {greatest.words}, the most allowed, gives" in (
        found.sentence
    )


def test_being_sure_takes_more_than_being_so_on_average() -> None:
    usual = goal_seek(context(), share(0.30), [pulled("step_down", 0.9)])
    sure = goal_seek(context(), share(0.30, 0.9), [pulled("step_down", 0.9)])
    assert sure.is_met
    assert sure.chance >= 0.9
    assert usual.chance < 0.7
    assert sure.settings[0].size > usual.settings[0].size + 0.05
    draws = outcome(context(), "external_share", sure.settings)
    assert (draws <= 0.30).mean() == pytest.approx(sure.chance)


CHANCES = np.linspace(0.1, 0.9, 161)


# --- levers that do nothing alone ----------------------------------------------------------------


def test_step_down_that_waits_for_places_is_not_left_out() -> None:
    """Nobody can step down while own fostering is full; with new places some can."""
    full = tuple(
        replace(g, capacity=0.0) if g.name == "own fostering" else g for g in Placements().groups
    )
    case = replace(context(), placements=Placements(groups=full), known={})
    down, places = pulled("step_down", 0.5, 1_000.0), pulled("new_places", 12.0, 90_000.0)
    whole = {
        settings: float(outcome(case, "external_share", settings).mean())
        for settings in ((), (down,), (places,), (down, places))
    }
    assert whole[down,] == pytest.approx(whole[()], abs=1e-12), "nothing alone"
    assert whole[down, places] < whole[places,] - 0.01
    target = 0.5 * (whole[places,] + whole[down, places])
    found = goal_seek(case, share(target), [down, places])
    assert found.is_met, found.sentence
    assert found.reached <= target
    assert {s.lever for s in found.settings} == {"step_down", "new_places"}
    assert found.cost_a_year <= 91_000.0
    far = goal_seek(case, share(whole[down, places] - 0.02), [down, places])
    assert not far.is_met
    assert far.reached == pytest.approx(whole[down, places])


def test_levers_too_small_to_move_a_whole_child_alone_may_do_it_together() -> None:
    keys = ("direct_entries", "reunification", "permanence", "plan_to_care", "referrals")
    small = [pulled(key, 0.02, 1_000.0) for key in keys]

    draws = {
        settings: outcome(context(), "cla_open", settings)
        for settings in ((), *((one,) for one in small), tuple(small))
    }
    *alone, together = (np.quantile(found, CHANCES) for found in draws.values())
    # Chances at which nobody moves the quantile alone, but all of them together do.
    still = np.all([own == alone[0] for own in alone], axis=0) & (together < alone[0])
    assert still.any()
    chance, target = float(CHANCES[still][0]), float(together[still][0])
    found = goal_seek(context(), Goal(outcome="cla_open", target=target, chance=chance), small)
    assert found.is_met, found.sentence
    assert found.chance >= chance - 0.01


# --- the least cost ------------------------------------------------------------------------------

_STEPS = np.linspace(0.0, 1.0, 9)
_ENTRIES, _HOME = pulled("direct_entries", 0.5), pulled("reunification", 0.8)


@lru_cache(maxsize=1)
def grid() -> dict[tuple[float, float], float]:
    """Children in care at shares of two levers."""
    asked = {
        f"{x} {y}": tuple(
            replace(s, size=s.size * z) for s, z in ((_ENTRIES, x), (_HOME, y)) if z > 0.0
        )
        for x in _STEPS
        for y in _STEPS
    }
    found = run_levers(context(), asked)
    return {(x, y): float(found[f"{x} {y}"]["cla_open"].mean()) for x in _STEPS for y in _STEPS}


def mixed(target: float, entries: float, home: float) -> GoalFound:
    levers = [replace(_ENTRIES, cost_a_year=entries), replace(_HOME, cost_a_year=home)]
    return goal_seek(context(), Goal(outcome="cla_open", target=target), levers)


@pytest.mark.parametrize("part", [0.4, 0.8])
@pytest.mark.parametrize(
    ("entries", "home"), [(1e5, 1e5), (1e5, 2e5), (2e5, 1e5), (3e5, 1e5), (1e5, 4e5)]
)
def test_the_mix_costs_what_the_cheapest_of_a_grid_over_both_levers_costs(
    entries: float, home: float, part: float
) -> None:
    care = grid()
    target = care[0.0, 0.0] + part * (care[1.0, 1.0] - care[0.0, 0.0])
    cheapest = min(x * entries + y * home for (x, y), left in care.items() if left <= target)
    found = mixed(target, entries, home)
    assert found.is_met
    assert found.reached <= target
    # No dearer than any mix of the grid that meets the goal, nor cheaper than its steps allow.
    assert found.cost_a_year <= 1.01 * cheapest
    assert found.cost_a_year > cheapest - _STEPS[1] * (entries + home)
