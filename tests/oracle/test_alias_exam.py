"""The alias exam: spellings that authorities really typed, labelled by a regional team."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from benchmark_files import benchmark

pytestmark = pytest.mark.oracle

ROOT = Path(__file__).resolve().parents[2]
ALIASES = ROOT / "../shared/annex-a/value-aliases.csv"
needs_aliases = pytest.mark.skipif(
    not ALIASES.exists(), reason="../shared/annex-a/value-aliases.csv is not there"
)

# Column: least share right; most wrong once the disputed labels are left out.
TARGETS = {
    "Placement Type": (0.93, 0.005),
    "Reason Ceased to be Looked After": (0.90, 0.005),
    "Placement Provider": (0.90, 0.005),
    "Referral Source": (0.75, 0.02),
    "Child's Category of Need": (0.85, 0.005),
    "Initial Category of Abuse": (0.95, 0.005),
    "Referral NFA?": (0.95, 0.005),
}


@pytest.fixture(scope="module")
def exam() -> ModuleType:
    return benchmark("alias_exam")


@needs_aliases
@pytest.mark.parametrize("column", TARGETS)
def test_real_spellings_reach_the_targets(exam: ModuleType, column: str) -> None:
    least_right, most_wrong = TARGETS[column]
    spellings = [s for s in exam.read_spellings(ALIASES) if s.column == column]
    as_labelled = exam.examine(spellings)[column]
    undisputed = exam.examine([s for s in spellings if not s.disputed])[column]
    assert as_labelled.share_right >= least_right
    assert undisputed.share_wrong <= most_wrong, undisputed.wrong


@needs_aliases
def test_disputed_labels_are_few_and_are_in_the_file(exam: ModuleType) -> None:
    in_file = {(s.column, s.raw_value) for s in exam.read_spellings(ALIASES)}
    assert set(exam.DISPUTED) <= in_file
    assert len(exam.DISPUTED) <= 0.02 * len(in_file)
