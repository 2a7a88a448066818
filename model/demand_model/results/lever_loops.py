"""What each feedback loop does: the same future with the loop and with it knocked out.

::

    effect[draw] = outcome with the loop's links off[draw] - outcome with them on[draw]

All else, chance included, stays as it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from demand_model.results.lever_runs import OUTCOMES, LeverContext, run_levers
from demand_model.simulation.simulate import Progress
from demand_model.simulation.system_feedback import System

LOOP_COLUMNS = (
    "loop",
    "links",
    "breaks",
    "outcome",
    "with",
    "knocked_out",
    "effect",
    "p2_5",
    "p10",
    "p90",
    "p97_5",
)
ALL_LOOPS = "All of them"

_QUANTILES = (0.025, 0.1, 0.9, 0.975)


def loop_effects(context: LeverContext, *, progress: Progress | None = None) -> pd.DataFrame:
    """Knock out each behaviour whose links are on, and all of them where there are several.

    Parameters
    ----------
    context
        As for levers; its base scenario is simulated.

    Returns
    -------
    Columns `LOOP_COLUMNS`: one row a behaviour and outcome; empty where no link is on.
    """
    links = context.system.links if context.system is not None else ()
    names = list(dict.fromkeys(link.loop for link in links))
    rows: list[tuple[object, ...]] = []
    if context.system is None or not names:
        return pd.DataFrame(rows, columns=list(LOOP_COLUMNS))
    whole = run_levers(context, {})[""]
    tried = [*names, *([ALL_LOOPS] if len(names) > 1 else [])]
    for number, name in enumerate(tried):
        if progress is not None:
            progress(f"without {name}", number / len(tried))
        out = set(names if name == ALL_LOOPS else [name])
        without = replace(context, system=_without(context.system, out))
        found = run_levers(without, {})[""]
        mine = [link for link in links if link.loop in out]
        breaks = "" if name == ALL_LOOPS else " ".join(dict.fromkeys(x.breaks for x in mine))
        for outcome in OUTCOMES:
            if outcome in whole:
                effect = found[outcome] - whole[outcome]
                ends = np.quantile(effect, _QUANTILES).tolist()
                means = (float(x.mean()) for x in (whole[outcome], found[outcome], effect))
                rows.append((name, len(mine), breaks, outcome, *means, *ends))
    return pd.DataFrame(rows, columns=list(LOOP_COLUMNS))


def _without(system: System, loops: set[str]) -> System:
    links = tuple(
        replace(link, is_on=link.is_on and link.loop not in loops) for link in system.inputs.links
    )
    return replace(system, inputs=replace(system.inputs, links=links))
