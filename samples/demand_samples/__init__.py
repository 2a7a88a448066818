"""Made-up authorities with known true rates, for samples, tests and benchmarks.

>>> from demand_samples import annex_a, authority, monthly_truth, simulate_authority
>>> history = simulate_authority(authority("small"), seed=1)
>>> sorted(annex_a(history))
[3, 7, 8]
"""

from demand_samples.extract import annex_a
from demand_samples.history import CENSUS_DATE, History
from demand_samples.observe import monthly_truth, occurrence_exposure, open_on
from demand_samples.presets import authority, draw_authority, drifting, mixed_careers, reviewed
from demand_samples.simulate import simulate_authority
from demand_samples.spread import spread_of_changes
from demand_samples.truth import AuthorityTruth

__all__ = [
    "CENSUS_DATE",
    "AuthorityTruth",
    "History",
    "annex_a",
    "authority",
    "draw_authority",
    "drifting",
    "mixed_careers",
    "monthly_truth",
    "occurrence_exposure",
    "open_on",
    "reviewed",
    "simulate_authority",
    "spread_of_changes",
]
