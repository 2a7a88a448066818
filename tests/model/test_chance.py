from __future__ import annotations

import numpy as np
import pytest

from demand_model.simulation.chance import coupled_poisson, family_counts, mean_siblings

pytestmark = pytest.mark.unit

N = 40000


def coupled(base_mean: float, mean: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    base = rng.poisson(base_mean, N)
    found = coupled_poisson(base, np.full(N, base_mean), np.full(N, mean), np.random.default_rng(2))
    return base, found


@pytest.mark.parametrize(("base_mean", "mean"), [(3.0, 1.2), (3.0, 7.5), (0.0, 2.0), (2.0, 0.0)])
def test_a_coupled_count_is_poisson_and_moves_one_way(base_mean: float, mean: float) -> None:
    base, found = coupled(base_mean, mean)
    assert found.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / N) + 1e-12)
    assert found.var() == pytest.approx(mean, rel=0.04, abs=1e-12)
    assert np.all(found <= base) if mean < base_mean else np.all(found >= base)


def test_an_equal_mean_gives_the_baselines_own_count() -> None:
    base, found = coupled(3.0, 3.0)
    assert np.array_equal(base, found)


def test_only_draws_whose_mean_changes_are_touched() -> None:
    base = np.array([5, 5, 5])
    found = coupled_poisson(
        base, np.array([5.0, 5.0, 5.0]), np.array([5.0, 0.0, 5.0]), np.random.default_rng(1)
    )
    assert found.tolist() == [5, 0, 5]
    assert base.tolist() == [5, 5, 5]


@pytest.mark.parametrize("dispersion", [1.0, 1.2, 1.9, 3.5])
def test_families_are_as_over_dispersed_as_asked(dispersion: float) -> None:
    further = mean_siblings(dispersion)
    sizes = 1 + np.random.default_rng(1).poisson(further, 200000)
    assert (sizes**2).mean() / sizes.mean() == pytest.approx(dispersion, rel=0.02)
    counts = family_counts(np.full((1, N), 6.0), further, None, np.random.default_rng(2))
    children = counts.children[0]
    assert children.mean() == pytest.approx(6.0, rel=0.02)
    assert children.var() / children.mean() == pytest.approx(dispersion, rel=0.05)


def test_no_dispersion_below_one_gives_families_of_one() -> None:
    assert mean_siblings(0.8) == mean_siblings(1.0) == 0.0


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.7])
def test_coupled_families_have_the_scenarios_mean_and_dispersion(factor: float) -> None:
    further = mean_siblings(1.8)
    mean = np.full((1, N), 6.0)
    base = family_counts(mean, further, None, np.random.default_rng(3))
    found = family_counts(mean * factor, further, base, np.random.default_rng(4))
    children = found.children[0]
    assert children.mean() == pytest.approx(6.0 * factor, rel=0.02)
    assert children.var() / children.mean() == pytest.approx(1.8, rel=0.05)
    if factor == 1.0:
        assert np.array_equal(found.children, base.children)
    else:
        together = np.corrcoef(children, base.children[0])[0, 1]
        assert together > 0.6
