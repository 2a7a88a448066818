"""Flow rates and scenarios to trajectories.

Every draw takes its own rates from the posterior, its own intake path and drift,
and its own chance events; all of these are shared between scenarios.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidSettingError
from demand_model.rates.fit import FlowRates
from demand_model.simulation.collect import collect
from demand_model.simulation.effects import resolve
from demand_model.simulation.scenario import BASELINE, Scenario
from demand_model.simulation.scenario_runs import Outcome, run_scenarios
from demand_model.simulation.setup import DrawBatch, Prepared, prepare
from demand_model.simulation.system_feedback import System
from demand_model.simulation.system_today import with_lists
from demand_model.simulation.trajectories import Trajectories

Progress = Callable[[str, float], None]


def simulate(
    rates: FlowRates,
    scenarios: Sequence[Scenario] = (BASELINE,),
    *,
    horizon_months: int = 24,
    draws: int = 1000,
    seed: int = 0,
    steps_per_month: int = 4,
    balanced: bool = True,
    system: System | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Trajectories, ...]:
    """Simulate each scenario.

    Parameters
    ----------
    rates
        From `fit`.
    scenarios
        Names must differ. The baseline is always simulated, since scenarios share
        its chance events, but is returned only if asked for.
    horizon_months
        Whole months after the census date; the rest of an unfinished month comes first.
    draws
        Possible futures, 10 to 100,000.
    seed
        Same seed, same result, whatever the number of threads.
    steps_per_month
        Steps that a calendar month is divided into.
    balanced
        Lay the balance prior on the rates (see `draw_rates`).
    system
        Front door, workforce, places and causal links around the children. What it
        comes to is added to the measures; where links act, they act back on the flows.
    threads
        Batches simulated side by side; as many as there are processors unless given.
        With many scenarios one is as quick on two processors, and costs a quarter less
        of their time: the steps are short calls that take turns.
    progress
        Called with a scenario's name and the share of all work that is done.

    Returns
    -------
    One `Trajectories` a scenario, in the order asked for.

    Raises
    ------
    InvalidSettingError
        Draws, horizon, steps or a scenario cannot be used.
    """
    prepared = prepare(
        rates,
        horizon_months=horizon_months,
        draws=draws,
        seed=seed,
        steps_per_month=steps_per_month,
        balanced=balanced,
    )
    return simulate_prepared(prepared, scenarios, system=system, threads=threads, progress=progress)


def simulate_prepared(
    prepared: Prepared,
    scenarios: Sequence[Scenario] = (BASELINE,),
    *,
    system: System | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Trajectories, ...]:
    """Simulate each scenario of a run that `prepare` has drawn; parameters as in `simulate`.

    Raises
    ------
    InvalidSettingError
        A scenario cannot be used.
    """
    _check(scenarios)
    common, batches = prepared.common, prepared.batches
    line = common.line
    laid = {s.name: s if system is None else system.laid_upon(s) for s in (BASELINE, *scenarios)}
    effects = {name: resolve(s, line, SOURCE_GROUPS) for name, s in laid.items()}
    around = _around(system, common.rates, [s for s in scenarios if effects[s.name].system.acts])
    wanted = [s for s in scenarios if laid[s.name].changes != laid[BASELINE.name].changes]
    done = 0
    outcomes: dict[str, list[Outcome]] = {s.name: [] for s in scenarios}
    total = len(batches) * (len(wanted) + 1)

    def work(batch: DrawBatch) -> list[Outcome]:
        mine = [effects[BASELINE.name], *(effects[s.name] for s in wanted)]
        return run_scenarios(common, batch, mine, around)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        for found in pool.map(work, batches):
            by_name = {s.name: o for s, o in zip(wanted, found[1:], strict=True)}
            for scenario in scenarios:
                outcomes[scenario.name].append(by_name.get(scenario.name, found[0]))
            done += len(found)
            if progress is not None:
                progress(scenarios[-1].name if scenarios else "", done / total)
    return tuple(collect(common, s, outcomes[s.name]) for s in scenarios)


def _check(scenarios: Sequence[Scenario]) -> None:
    names = [s.name for s in scenarios]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InvalidSettingError(
            f"Invalid scenarios: {', '.join(twice)} is there more than once. Names must differ."
        )
    for scenario in scenarios:
        if scenario.name == BASELINE.name and scenario.changes:
            raise InvalidSettingError(
                f"Invalid scenario: {BASELINE.name} has changes. Give them another name."
            )


def _around(system: System | None, rates: FlowRates, changing: Sequence[Scenario]) -> System | None:
    """The system with what the lists say of it, checked before any work is done."""
    if system is None:
        if changing:
            raise InvalidSettingError(
                f"Invalid scenario: {changing[0].name} changes the system around the children, "
                "which is not given. It must be given, or the change left out."
            )
        return None
    _ = system.links
    return with_lists(system, rates)
