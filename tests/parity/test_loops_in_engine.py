"""What each loop does in the engine is what it does in the reduced model: sign and size.

The reduced model (`demand_model.exchange`) knows each loop's arithmetic and none of the
engine's code for children. Under a third more referrals each loop is switched on alone, and
its effect after two years compared. A link that changes nothing stands in every run, so that
all of them share the engine's chance.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest

from demand_model import Multiply, Scenario
from demand_model.exchange.reduced import reduced_model
from demand_model.flows import Flow
from demand_model.rates.fit import fit
from demand_model.simulation.setup import Prepared, prepare
from demand_model.simulation.simulate import simulate_prepared
from demand_model.simulation.system_feedback import System
from demand_model.system.inputs import Placements, SystemInputs
from demand_model.system.links import LINKS, STORIES, CausalLink
from engine_cases import CENSUS, exposure_of, made_up_lists

pytestmark = pytest.mark.parity

FACTOR = 1.3
MORE = Scenario(name="More", changes=(Multiply(flow=Flow.REFERRALS, factor=FACTOR, start=CENSUS),))
NOTHING = CausalLink(
    loop="Nothing",
    driver="cla_open",
    target="uasc_starts",
    elasticity=1e-9,
    delay_months=0.0,
    reference=None,
    unit="children",
    evidence="test",
    is_on=True,
)
MEASURES = {
    "caseload": "caseload",
    "workers": "workers",
    "cp_open": "cp open",
    "cla_open": "cla open",
}
BURNOUT, DRIFT, PLACES, THRESHOLD, DELAY = (story.name for story in STORIES)

# Direction of each loop's own effect under more referrals; what is not named it leaves alone.
# With places filled fewer enter care; a drifting goal still recruits more than none.
SIGNS = {
    BURNOUT: {"caseload": 1, "workers": -1},
    DRIFT: {"caseload": -1, "workers": 1},
    PLACES: {"caseload": -1, "cla_open": -1},
    THRESHOLD: {"caseload": -1, "cp_open": -1, "cla_open": -1},
    DELAY: {"caseload": 1, "cp_open": 1, "cla_open": 1},
}

Found = dict[str, tuple[npt.NDArray[np.float64], float]]


@lru_cache(maxsize=1)
def prepared() -> Prepared:
    lists = made_up_lists(1, referrals=900, plans=300, care=450)
    return prepare(fit(exposure_of(lists)), horizon_months=24, draws=200, seed=1)


@lru_cache(maxsize=8)
def ends(loop: str) -> Found:
    """Measures after two years with one loop on, or none: the engine's draws, the reduced."""
    own = tuple(
        replace(g, capacity=100.0) if g.name == "own fostering" else g for g in Placements().groups
    )
    links = (*(replace(link, is_on=link.loop == loop) for link in LINKS), NOTHING)
    system = System(
        inputs=SystemInputs(links=links, placements=Placements(groups=own)),
        nfa_share=0.15,
        placed_share=0.3,
    )
    (engine,) = simulate_prepared(prepared(), (MORE,), system=system)
    reduced = reduced_model(prepared(), system)
    run = replace(reduced, referrals=tuple((t, FACTOR * n) for t, n in reduced.referrals)).run()
    at = prepared().common.line.edges_months[-1]
    return {
        measure: (
            engine.measures[measure, "all"][-1].astype(float),
            float(np.interp(at, run.times, run.series[name][:, 0])),
        )
        for measure, name in MEASURES.items()
    }


@pytest.mark.parametrize("loop", SIGNS)
def test_a_loop_does_in_the_engine_what_its_arithmetic_says(loop: str) -> None:
    plain, looped = ends(""), ends(loop)
    for measure in MEASURES:
        engine = looped[measure][0] - plain[measure][0]
        reduced = looped[measure][1] - plain[measure][1]
        sign = SIGNS[loop].get(measure, 0)
        if not sign:
            assert reduced == pytest.approx(0.0, abs=1e-9), measure
            np.testing.assert_allclose(engine, 0.0, atol=1e-9, err_msg=measure)
            continue
        assert sign * reduced > 0.0, measure
        # A quarter for what the reduced model leaves out (ages, each child's own time, draws in
        # which caseload rises further than on average); beyond it, chance.
        error, mean = float(engine.std() / np.sqrt(len(engine))), float(engine.mean())
        apart = 0.25 * max(abs(mean), abs(reduced)) + 2.5 * error
        assert abs(mean - reduced) < apart, measure


@pytest.mark.parametrize("loop", SIGNS)
def test_a_loop_moves_caseload_in_the_engine_beyond_chance(loop: str) -> None:
    effect = ends(loop)["caseload"][0] - ends("")["caseload"][0]
    error = float(effect.std() / np.sqrt(len(effect)))
    assert SIGNS[loop]["caseload"] * effect.mean() > 3.0 * error


def test_delay_holds_more_children_in_the_engine_beyond_chance() -> None:
    for measure in ("cp_open", "cla_open"):
        effect = ends(DELAY)[measure][0] - ends("")[measure][0]
        assert effect.mean() > 4.0 * float(effect.std() / np.sqrt(len(effect))), measure
