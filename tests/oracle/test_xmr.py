"""Limits of XmR charts agree with published worked examples.

Outside values, not our own:

- NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2 "Individuals control charts":
  ten batches, mean 50.81, mean moving range 1.8778, limits 55.8041 and 45.8159.
- Montgomery, *Introduction to Statistical Quality Control*, viscosity of 15 batches;
  R package qcc (Scrucca 2004), chart "xbar.one": centre 33.52333, standard deviation
  0.4261651, limits 32.24484 and 34.80183.

Both divide by d2 = 1.128 where Wheeler's 2.66 is 3 / 1.128 rounded to three figures.
"""

from __future__ import annotations

import numpy as np
import pytest

from demand_model.results.xmr import LIMIT_FACTOR, phases, signals, xmr_limits

pytestmark = pytest.mark.oracle

NIST = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)
VISCOSITY = (
    33.75, 33.05, 34.00, 33.81, 33.46, 34.02, 33.68, 33.27,
    33.49, 33.20, 33.62, 33.00, 33.54, 33.12, 33.84,
)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "mean", "lower", "upper"),
    [(NIST, 50.81, 45.8159, 55.8041), (VISCOSITY, 33.52333, 32.24484, 34.80183)],
    ids=["nist", "montgomery"],
)
def test_limits_are_the_published_ones(
    values: tuple[float, ...], mean: float, lower: float, upper: float
) -> None:
    found = xmr_limits(np.array(values))
    assert found.mean == pytest.approx(mean, abs=5e-5)
    # 2.66 against 3 / 1.128 = 2.6596: a seven-thousandth of the distance.
    assert found.upper == pytest.approx(upper, abs=2e-4 * (upper - mean) + 5e-5)
    assert found.lower == pytest.approx(lower, abs=2e-4 * (mean - lower) + 5e-5)
    assert pytest.approx(3 / 1.128, abs=5e-4) == LIMIT_FACTOR


@pytest.mark.parametrize("values", [NIST, VISCOSITY], ids=["nist", "montgomery"])
def test_both_processes_are_in_control_as_their_authors_say(values: tuple[float, ...]) -> None:
    series = np.array(values)
    (only,) = phases(series)
    outside = [s for s in signals(series, only, counts=False) if "limit" in s.words]
    assert [s for s in outside if "near" not in s.words] == []
