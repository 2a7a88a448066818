"""How closely the formulas of sheet What-if agree with the engine, lever by lever.

    python benchmarks/what_if_agreement.py [--samples small,middling,large]
        [--horizons 24,60] [--draws 1000] [--seed 1] [--every]

For each sample, horizon and setting of the levers: the engine's mean under the scenario of
the same meaning (`what_if_scenario`, same seed) against `what_if_forecast`. Prints the
largest relative difference over months of referrals, open plans, open care and the cost of
placements (`monthly_cost`, as on sheet Costs), where it stands, and the time that the values
took to compute. Beside each stands the standard error of the engine's own mean difference
from the baseline at so many draws: with few children it is no smaller than what is measured
(sample small at 1,000 draws: up to 0.7% of the open plans), and more draws tell the two apart.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import demand_model as dm
from demand_addin.read import read_sheets
from demand_model.flows import ALL
from demand_model.results.cost_years import CostChoices, calendar_of
from demand_model.results.costs import monthly_cost
from demand_model.results.what_if import what_if_values
from demand_model.results.what_if_forecast import what_if_cost, what_if_forecast
from demand_model.results.what_if_levers import WhatIfLevers, what_if_scenario
from demand_model.simulation.setup import prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.timeline import timeline
from demand_model.spell.build import Spells
from demand_model.system.inputs import Placements

SAMPLES = Path(__file__).resolve().parent.parent / "samples" / "workbooks"
STOCKS_AND_FLOWS = ("referrals", "cp_open", "cla_open")
MEASURES = (*STOCKS_AND_FLOWS, "cost")
PLACEMENTS, CHOICES = Placements(), CostChoices(inflation_a_year=0.03)

_LOCKDOWN = {"lockdown_plan_ends": 0.0, "lockdown_care_ends": 0.0}
SETTINGS: dict[str, WhatIfLevers] = {
    "neutral": WhatIfLevers(),
    **{f"referrals {x:+.0%}": WhatIfLevers(referrals=x) for x in (-0.3, -0.15, 0.15, 0.3)},
    "police -50%, schools +50%": WhatIfLevers(
        referrals_by_source={"Police": -0.5, "Schools": 0.5}
    ),
    **{f"conversion {x:+.0%}": WhatIfLevers(conversion_to_plans=x) for x in (-0.3, 0.3)},
    **{f"entries to care {x:+.0%}": WhatIfLevers(entries_to_care=x) for x in (-0.3, 0.3)},
    **{f"UASC {x:+.0%}": WhatIfLevers(uasc_entries=x) for x in (-0.5, 0.5)},
    **{f"plan ends {x:+.0%}": WhatIfLevers(plan_ends=x) for x in (-0.3, -0.15, 0.2, 0.4)},
    **{f"home {x:+.0%}": WhatIfLevers(care_ends_home=x) for x in (-0.5, -0.25, 0.5, 1.0)},
    **{f"other care ends {x:+.0%}": WhatIfLevers(care_ends_other=x) for x in (-0.3, 0.4)},
    **{
        f"all exits {x:+.0%}": WhatIfLevers(plan_ends=x, care_ends_home=x, care_ends_other=x)
        for x in (-0.3, 0.4)
    },
    **{
        f"lockdown {depth:.0%} {months} months, {back:.0%} back": WhatIfLevers(
            lockdown_months=months, lockdown_fall=depth, share_returning=back, **_LOCKDOWN
        )
        for depth, months, back in (
            (0.1, 2, 0.0), (0.1, 6, 1.0), (0.4, 2, 1.0), (0.4, 6, 0.0), (0.4, 6, 0.5), (0.4, 6, 1.0)
        )
    },
    "lockdown as in 2020": WhatIfLevers(
        lockdown_after_months=3,
        lockdown_months=4,
        lockdown_fall=0.15,
        lockdown_fall_by_source={"Schools": 0.65, "Education services": 0.55, "Police": 0.0},
    ),
    "late and mixed": WhatIfLevers(
        start_after_months=9, referrals=-0.3, conversion_to_plans=0.3, plan_ends=0.4,
        care_ends_home=1.0, care_ends_other=-0.3,
    ),
    "all down": WhatIfLevers(
        referrals=-0.3, entries_to_care=-0.3, plan_ends=0.4, care_ends_home=1.0,
        care_ends_other=0.4,
    ),
    "all up": WhatIfLevers(
        referrals=0.3, conversion_to_plans=0.3, entries_to_care=0.3, plan_ends=-0.3,
        care_ends_home=-0.5, care_ends_other=-0.3,
    ),
    "prevention with a lockdown": WhatIfLevers(
        start_after_months=3, referrals=-0.15, care_ends_home=0.5, lockdown_after_months=5,
        lockdown_months=4, lockdown_fall=0.3, share_returning=0.5,
    ),
}  # fmt: skip


def sample_spells(name: str) -> Spells:
    lists = dm.check(read_sheets(SAMPLES / f"{name}.xlsx")).lists
    if lists is None:
        raise RuntimeError("the sample was refused")
    return dm.spells(lists)


def differences(
    spells: Spells, *, horizon: int, draws: int, seed: int
) -> dict[str, dict[str, tuple[float, int, float]]]:
    """Largest relative difference, its month and the engine's standard error there."""
    rates = dm.fit(dm.tabulate(spells))
    first = timeline(rates.exposure.census_date, horizon).months[0].start_time.date()
    scenarios = [dm.BASELINE, *(
        what_if_scenario(v, first, name=k) for k, v in SETTINGS.items() if k != "neutral"
    )]  # fmt: skip
    prepared = prepare(rates, horizon_months=horizon, draws=draws, seed=seed)
    runs = simulate_prepared(prepared, scenarios)
    today = dm.placements_today(spells, PLACEMENTS)
    placed = [dm.place_children(run, today, PLACEMENTS) for run in runs]
    values = what_if_values(prepared, runs[0], placed[0], today, CHOICES)
    calendar = calendar_of(runs[0].months, today.census_date, CHOICES)
    costs = [monthly_cost(paths, calendar).sum(axis=1) for paths in placed]
    out = {}
    for (name, levers), run, cost in zip(SETTINGS.items(), runs, costs, strict=True):
        forecast = what_if_forecast(values, levers)
        found = {m: getattr(forecast, m) for m in STOCKS_AND_FLOWS}
        found["cost"] = what_if_cost(values, forecast.by_group)
        out[name] = {}
        for measure in MEASURES:
            drawn, base = (
                (cost, costs[0])
                if measure == "cost"
                else (one.measures[measure, ALL] for one in (run, runs[0]))
            )
            engine = drawn.mean(axis=1)
            off = found[measure] / engine - 1.0
            worst = int(np.abs(off).argmax())
            from_baseline = drawn[worst] - base[worst]
            error = float(from_baseline.std() / np.sqrt(draws) / engine[worst])
            out[name][measure] = (float(off[worst]), worst + 1, error)
    return out


def seconds(spells: Spells, *, horizon: int, draws: int, seed: int) -> float:
    """Least time of the values over five tries."""
    rates = dm.fit(dm.tabulate(spells))
    prepared = prepare(rates, horizon_months=horizon, draws=draws, seed=seed)
    base = simulate_prepared(prepared)[0]
    today = dm.placements_today(spells, PLACEMENTS)
    placed = dm.place_children(base, today, PLACEMENTS)
    took = []
    for _ in range(5):
        started = time.perf_counter()
        what_if_values(prepared, base, placed, today, CHOICES)
        took.append(time.perf_counter() - started)
    return min(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", default="small,middling,large")
    parser.add_argument("--horizons", default="24,60")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", action="store_true", help="print every setting")
    options = parser.parse_args()
    for name in options.samples.split(","):
        spells = sample_spells(name)
        for horizon in map(int, options.horizons.split(",")):
            found = differences(spells, horizon=horizon, draws=options.draws, seed=options.seed)
            took = seconds(spells, horizon=horizon, draws=options.draws, seed=options.seed)
            print(
                f"\n{name}, {horizon} months, {options.draws:,} draws; values computed in "
                f"{took:.2f} s"
            )
            for measure in MEASURES:
                moved = {k: v[measure] for k, v in found.items() if k != "neutral"}
                off = found["neutral"][measure][0]
                worst = max(moved, key=lambda k: abs(moved[k][0]))
                inside = sum(abs(v) <= 0.01 for v, *_ in moved.values())
                print(
                    f"  {measure:10} neutral {off:+.4%}; worst {moved[worst][0]:+.2%} "
                    f"({worst}, month {moved[worst][1]}, standard error {moved[worst][2]:.2%}); "
                    f"{inside} of {len(moved)} within 1%"
                )
            if options.every:
                for setting, row in found.items():
                    text = "  ".join(f"{m} {v:+.2%} @{t}" for m, (v, t, _) in row.items())
                    print(f"    {setting:38} {text}")


if __name__ == "__main__":
    main()
