from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand_model import BASELINE, Lockdown, Multiply, presets
from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.simulation.effects import resolve
from demand_model.simulation.presets import SOURCES
from demand_model.simulation.timeline import timeline

pytestmark = pytest.mark.unit

CENSUS = date(2026, 11, 13)


def test_all_presets_of_the_design_are_there_and_sourced() -> None:
    found = presets(CENSUS)
    assert found[0] == BASELINE
    assert [s.name for s in found] == list(SOURCES)
    assert len(found) == 8
    assert all(s.description for s in found)


def test_presets_start_after_the_census() -> None:
    for scenario in presets(CENSUS)[1:]:
        (change,) = scenario.changes
        expected = date(2026, 12, 1) if isinstance(change, Multiply) else date(2027, 6, 1)
        assert change.start == expected


def test_every_preset_can_be_laid_on_a_timeline() -> None:
    line = timeline(CENSUS, 24)
    for scenario in presets(CENSUS):
        found = resolve(scenario, line, SOURCE_GROUPS)
        assert np.all(found.referrals.multiplier >= 0)


def test_presets_differ_in_what_returns() -> None:
    locks = {s.name: s.changes[0] for s in presets(CENSUS) if isinstance(s.changes[:1], tuple)
             and s.changes and isinstance(s.changes[0], Lockdown)}  # fmt: skip
    returning = [lock.share_returning for lock in locks.values()]
    assert sorted(round(share, 2) for share in returning) == [0.05, 0.05, 0.05, 0.33, 1.0]
    spring = locks["Lockdown like spring 2020"]
    assert (spring.start, spring.end) == (date(2027, 6, 1), date(2027, 10, 1))
    assert spring.care_ends < 1 and spring.plan_ends < 1  # noqa: PT018 - exits slow together
