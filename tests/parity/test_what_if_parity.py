"""The formulas of sheet What-if against the engine, under scenarios of the same meaning."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from demand_model.flows import ALL
from demand_model.rates.fit import fit
from demand_model.results.what_if import what_if_values
from demand_model.results.what_if_data import WhatIf
from demand_model.results.what_if_forecast import what_if_forecast
from demand_model.results.what_if_levers import WhatIfLevers, what_if_scenario
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.timeline import timeline
from demand_model.simulation.trajectories import Trajectories
from engine_cases import CENSUS, exposure_of, made_up_lists

pytestmark = pytest.mark.parity

MEASURES = ("referrals", "cp_open", "cla_open")
DRAWS, SEED, HORIZON = 2000, 4, 30
NEUTRAL, MOVED = 0.005, 0.01
"""What is promised, as shares of each month's value."""

SETTINGS = {
    "referrals -30%": WhatIfLevers(referrals=-0.3),
    "referrals +30%": WhatIfLevers(referrals=0.3),
    "two sources": WhatIfLevers(referrals_by_source={"Police": -0.5, "Schools": 0.5}),
    "conversion": WhatIfLevers(conversion_to_plans=0.3),
    "entries to care": WhatIfLevers(entries_to_care=-0.3),
    "UASC": WhatIfLevers(uasc_entries=0.5),
    "plan ends -30%": WhatIfLevers(plan_ends=-0.3),
    "plan ends +40%": WhatIfLevers(plan_ends=0.4),
    "home halved": WhatIfLevers(care_ends_home=-0.5),
    "home doubled": WhatIfLevers(care_ends_home=1.0),
    "other care ends": WhatIfLevers(care_ends_other=0.4),
    "lockdown, none back": WhatIfLevers(
        lockdown_months=6, lockdown_fall=0.4, share_returning=0.0
    ),
    "lockdown, all back": WhatIfLevers(
        lockdown_after_months=2, lockdown_months=3, lockdown_fall=0.4, share_returning=1.0
    ),
    "from month 9, mixed": WhatIfLevers(
        start_after_months=9, referrals=-0.2, plan_ends=0.4, care_ends_home=1.0,
        care_ends_other=-0.3,
    ),
    "all down": WhatIfLevers(
        referrals=-0.2, entries_to_care=-0.2, plan_ends=0.3, care_ends_home=0.8,
        care_ends_other=0.3,
    ),
}  # fmt: skip


def run_both(
    census: date, settings: dict[str, WhatIfLevers], *, horizon: int, draws: int
) -> tuple[WhatIf, dict[str, Trajectories], Trajectories]:
    lists = made_up_lists(7, referrals=1200, plans=260, care=260, uasc=12, census=census)
    rates = fit(exposure_of(lists))
    first = timeline(census, horizon).months[0].start_time.date()
    scenarios = [what_if_scenario(v, first, name=k) for k, v in settings.items()]
    prepared = prepare(rates, horizon_months=horizon, draws=draws, seed=SEED)
    base, *runs = simulate_prepared(prepared, [BASELINE, *scenarios])
    values = what_if_values(prepared, base)
    return values, dict(zip(settings, runs, strict=True)), base


@pytest.fixture(scope="module")
def both() -> tuple[WhatIf, dict[str, Trajectories], Trajectories]:
    return run_both(CENSUS, SETTINGS, horizon=HORIZON, draws=DRAWS)


def worst(values: WhatIf, levers: WhatIfLevers, run: Trajectories) -> dict[str, float]:
    found = what_if_forecast(values, levers)
    return {
        m: float(np.abs(getattr(found, m) / run.measures[m, ALL].mean(axis=1) - 1.0).max())
        for m in MEASURES
    }


def test_neutral_is_the_engines_mean(both):
    values, _, base = both
    off = worst(values, WhatIfLevers(), base)
    assert max(off.values()) < NEUTRAL, off
    assert max(off.values()) < 1e-9, "corrections by month make it exact"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_moved_lever_is_the_engines_scenario(both, name: str):
    values, runs, _ = both
    off = worst(values, SETTINGS[name], runs[name])
    assert max(off.values()) < MOVED, off


def test_levers_move_what_they_are_compared_on(both):
    """The scenarios differ from the baseline by far more than what is allowed."""
    values, runs, base = both
    quiet = [
        name
        for name in SETTINGS
        if max(worst(values, WhatIfLevers(), runs[name]).values()) < 3 * MOVED
    ]
    assert base.scenario.changes == ()
    assert set(quiet) <= {"two sources", "UASC"}


def test_a_census_date_inside_a_month():
    settings = {
        name: SETTINGS[name] for name in ("referrals -30%", "home doubled", "lockdown, all back")
    }
    values, runs, base = run_both(date(2026, 3, 18), settings, horizon=8, draws=1000)
    assert len(values.months) == 9
    assert max(worst(values, WhatIfLevers(), base).values()) < 1e-9
    for name, levers in settings.items():
        off = worst(values, levers, runs[name])
        assert max(off.values()) < MOVED, (name, off)
