"""The formulas of sheet What-if against the engine, under scenarios of the same meaning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from demand_model.flows import ALL
from demand_model.rates.fit import fit
from demand_model.results.cost_years import CostChoices, calendar_of
from demand_model.results.costs import costs
from demand_model.results.placement_mix import PlacementsToday
from demand_model.results.placements import place_children
from demand_model.results.what_if_data import WhatIf
from demand_model.results.what_if_forecast import what_if_cost, what_if_forecast
from demand_model.results.what_if_levers import WhatIfLevers, what_if_scenario
from demand_model.simulation.scenario import BASELINE
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.timeline import timeline
from demand_model.simulation.trajectories import Trajectories
from demand_model.system.inputs import PLACEMENT_GROUPS, Placements
from engine_cases import CENSUS, exposure_of, made_up_lists
from what_if_cases import engine_cost, placed_today, what_if_of

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """The engine's means by month that the sheet is held against."""

    means: dict[str, np.ndarray]

    @classmethod
    def of(cls, run: Trajectories, today: PlacementsToday) -> Compared:
        means = {m: run.measures[m, ALL].mean(axis=1) for m in MEASURES}
        return cls(means=means | {"cost": engine_cost(run, today)})


def run_both(
    census: date, settings: dict[str, WhatIfLevers], *, horizon: int, draws: int
) -> tuple[WhatIf, dict[str, Compared], Compared]:
    lists = made_up_lists(7, referrals=1200, plans=260, care=260, uasc=12, census=census)
    rates = fit(exposure_of(lists))
    first = timeline(census, horizon).months[0].start_time.date()
    scenarios = [what_if_scenario(v, first, name=k) for k, v in settings.items()]
    prepared = prepare(rates, horizon_months=horizon, draws=draws, seed=SEED)
    base, *runs = simulate_prepared(prepared, [BASELINE, *scenarios])
    values = what_if_of(lists, prepared, base)
    return (
        values,
        {
            name: Compared.of(run, placed_today(lists))
            for name, run in zip(settings, runs, strict=True)
        },
        Compared.of(base, placed_today(lists)),
    )


@pytest.fixture(scope="module")
def both() -> tuple[WhatIf, dict[str, Compared], Compared]:
    return run_both(CENSUS, SETTINGS, horizon=HORIZON, draws=DRAWS)


def worst(values: WhatIf, levers: WhatIfLevers, run: Compared) -> dict[str, float]:
    forecast = what_if_forecast(values, levers)
    found = {m: getattr(forecast, m) for m in MEASURES}
    found["cost"] = what_if_cost(values, forecast.by_group)
    return {m: float(np.abs(found[m] / mean - 1.0).max()) for m, mean in run.means.items()}


def test_neutral_is_the_engines_mean(both):
    values, _, base = both
    off = worst(values, WhatIfLevers(), base)
    assert max(off.values()) < NEUTRAL, off
    assert max(off.values()) < 1e-9, "corrections by month make it exact"


def test_neutral_cost_is_that_of_sheet_costs():
    """With limits on places, moves, own mixes of entrants and uncertain unit costs too."""
    lists = made_up_lists(7, referrals=600, plans=120, care=140, uasc=12)
    shipped = {group.name: group for group in PLACEMENT_GROUPS}
    full = replace(shipped["own fostering"], capacity=20.0)
    placements = Placements(
        groups=tuple((shipped | {"own fostering": full}).values()),
        moves={("residential", "kinship"): 0.02},
        mix={"5 to 9": {"kinship": 0.6, "agency fostering": 0.4}},
    )
    choices = CostChoices(inflation_a_year=0.04, unit_cost_sd=0.1, prices_of=date(2025, 4, 1))
    prepared = prepare(fit(exposure_of(lists)), horizon_months=15, draws=300, seed=SEED)
    (base,) = simulate_prepared(prepared)
    values = what_if_of(lists, prepared, base, placements, choices)
    paths = place_children(base, placed_today(lists, placements), placements)
    table = costs([paths], CENSUS, choices).by_year.set_index(["placement_group", "year"])["mean"]
    monthly = what_if_cost(values, what_if_forecast(values).by_group)
    year = calendar_of(base.months, CENSUS, choices).year
    found = np.bincount(year, weights=monthly)
    assert found == pytest.approx(table[ALL].to_numpy(), rel=NEUTRAL)
    assert paths.without_place.max() > 0.0, "the limit was met"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_moved_lever_is_the_engines_scenario(both, name: str):
    values, runs, _ = both
    off = worst(values, SETTINGS[name], runs[name])
    assert max(off.values()) < MOVED, off


def test_levers_move_what_they_are_compared_on(both):
    """The scenarios differ from the baseline by far more than what is allowed."""
    values, runs, _ = both
    quiet = [
        name
        for name in SETTINGS
        if max(worst(values, WhatIfLevers(), runs[name]).values()) < 3 * MOVED
    ]
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
