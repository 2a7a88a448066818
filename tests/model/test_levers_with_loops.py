"""Levers and knock-out where feedback loops are on."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

import pandas as pd
import pytest

from demand_model import Multiply, Scenario
from demand_model.flows import Flow
from demand_model.results.lever_list import LeverSetting
from demand_model.results.lever_loops import LOOP_COLUMNS, loop_effects
from demand_model.results.lever_runs import LeverContext, run_levers
from demand_model.results.lever_sentences import loop_sentences
from demand_model.simulation.setup import Prepared, prepare
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import SystemInputs
from demand_model.system.links import LINKS, STORIES
from engine_cases import CENSUS, made_up_rates

pytestmark = pytest.mark.unit

BURNOUT, DRIFT, PLACES, THRESHOLD, DELAY = (story.name for story in STORIES)
LOWER = LeverSetting(lever="ideal_caseload", size=0.1, start=CENSUS)


@lru_cache(maxsize=1)
def prepared() -> Prepared:
    return prepare(made_up_rates(1), horizon_months=18, draws=300, seed=1)


def context(on: Collection[str]) -> LeverContext:
    links = tuple(replace(link, is_on=link.loop in on) for link in LINKS)
    return LeverContext(
        prepared=prepared(),
        at=prepared().common.line.month_ends[-1].astype("datetime64[D]").item(),
        system=System(inputs=SystemInputs(links=links), nfa_share=0.15),
    )


def effect(on: Collection[str], setting: LeverSetting, outcome: str) -> float:
    found = run_levers(context(on), {"it": (setting,)})
    return float((found["it"][outcome] - found[""][outcome]).mean())


# --- a lower ideal caseload ----------------------------------------------------------------------


def test_a_lower_ideal_does_nothing_until_a_link_answers_to_it() -> None:
    for outcome in ("caseload", "workers", "cla_open", "cp_open"):
        assert effect((), LOWER, outcome) == 0.0


def test_a_lower_ideal_recruits_where_recruitment_answers_to_it() -> None:
    """A tenth lower: about 0.5% more workers and a tenth of a case fewer each."""
    assert effect((DRIFT,), LOWER, "workers") > 0.03
    assert -0.15 < effect((DRIFT,), LOWER, "caseload") < -0.04
    for outcome in ("cla_open", "cp_open", "referrals"):
        assert effect((DRIFT,), LOWER, outcome) == 0.0


def test_a_lower_ideal_closes_more_at_the_front_door_where_the_threshold_answers_to_it() -> None:
    """The side effect: fewer cases, since fewer children are taken up, not more workers."""
    assert effect((THRESHOLD,), LOWER, "workers") == 0.0
    assert effect((THRESHOLD,), LOWER, "caseload") < -0.04
    assert effect((THRESHOLD,), LOWER, "cp_open") < 0.0


def test_a_higher_ideal_works_the_other_way_and_twice_as_low_does_more() -> None:
    once = effect((DRIFT,), LOWER, "caseload")
    assert effect((DRIFT,), replace(LOWER, size=-0.1), "caseload") > 0.03
    assert effect((DRIFT,), replace(LOWER, size=0.2), "caseload") < 1.5 * once


# --- knock-out in words --------------------------------------------------------------------------

MORE = Scenario(
    name="A third more",
    changes=(Multiply(flow=Flow.REFERRALS, factor=1.3, start=CENSUS),),
)
FOUR = (BURNOUT, DRIFT, THRESHOLD, DELAY)


def told(of: LeverContext) -> tuple[str, ...]:
    return loop_sentences(loop_effects(of), of.at, of.base.name)


def test_where_nothing_is_moved_no_loop_is_said_to_do_most() -> None:
    """Blank references under Baseline: every loop rests where drivers stand today."""
    case = context(FOUR)
    (said,) = told(case)
    assert "does most" not in said
    assert said.startswith(
        "None of the feedback loops that are on moves children in care or cases per worker "
        f"noticeably by {case.at:%d/%m/%Y} under Baseline."
    )
    assert "lay the levers on another scenario" in said


def test_under_a_scenario_that_moves_caseload_the_loop_that_does_most_is_named() -> None:
    moved, still = told(replace(context(FOUR), base=MORE))
    assert moved.startswith(
        f"Of the feedback loops that are on, {DELAY} does most to cases per worker: without it, on "
    )
    assert re.search(r" −0\.\d+ cases a worker \(80% range −", moved)
    assert still.startswith("None of the feedback loops that are on moves children in care ")
    assert still.endswith(" under A third more.")


@pytest.mark.parametrize(
    ("effect", "low", "high", "is_named"),
    [
        (0.2, -2.0, 3.0, False),  # small, and either way
        (-0.2, -0.4, -0.1, True),  # small, but surely so
        (-0.02, -0.03, -0.01, False),  # shown as 0
        (2.0, -1.0, 4.0, True),  # a hundredth of what there is
    ],
)
def test_what_is_noticed(effect: float, low: float, high: float, is_named: bool) -> None:
    row = ("Delay", 1, "", "cla_open", 100.0, 100.0 + effect, effect, low, low, high, high)
    said = loop_sentences(pd.DataFrame([row], columns=list(LOOP_COLUMNS)), CENSUS)
    assert said[0].startswith("Of the feedback" if is_named else "None of the feedback")
