"""The table of rates: what it says of each, and what an analyst's own number does."""

import pandas as pd
import pytest

from demand_model import fit, rates_table, simulate
from demand_model.flows import Flow
from demand_model.rates.fit import overridable_rate_ids, rate_id
from demand_model.rates.table import COLUMNS, Basis, evidence, evidence_of_cases
from engine_cases import exposure_of, made_up_exposure, made_up_lists

pytestmark = pytest.mark.unit

EXPOSURE = made_up_exposure(1)


def table(**own: float) -> pd.DataFrame:
    names = {name.replace("__", "|"): value for name, value in own.items()}
    return rates_table(fit(EXPOSURE, overrides=names)).set_index("rate_id")


def test_every_row_has_counts_an_interval_and_words() -> None:
    found = rates_table(fit(EXPOSURE))
    assert tuple(found.columns) == COLUMNS
    assert found["rate_id"].is_unique
    assert (found["low"] <= found["rate"]).all()
    assert (found["rate"] <= found["high"]).all()
    assert found["prior_weight"].between(0, 1).all()
    assert found["evidence"].str.len().min() > 0


def test_every_rate_shown_can_be_set() -> None:
    assert set(rates_table(fit(EXPOSURE))["rate_id"]) <= set(overridable_rate_ids())


def test_an_own_level_of_referrals_moves_the_forecast() -> None:
    name = rate_id(Flow.REFERRALS)
    fitted = float(table().loc[name, "rate"])
    own = fit(EXPOSURE, overrides={name: 2.0 * fitted})
    row = rates_table(own).set_index("rate_id").loc[name]
    assert row["rate"] == pytest.approx(2.0 * fitted)
    assert row["low"] == row["high"] == pytest.approx(2.0 * fitted)
    assert row["evidence"] == "set by you"
    before = simulate(fit(EXPOSURE), horizon_months=6, draws=200)[0]
    after = simulate(own, horizon_months=6, draws=200)[0]
    ratio = after.measures["referrals", "all"].mean() / before.measures["referrals", "all"].mean()
    assert ratio == pytest.approx(2.0, rel=0.05)


def test_an_own_share_leaves_the_evidence_as_counted() -> None:
    name = rate_id(Flow.REFERRAL_TO_PLAN)
    before, after = table().loc[name], table(**{name.replace("|", "__"): 0.2}).loc[name]
    assert after["rate"] == pytest.approx(0.2)
    assert after["exposure"] == pytest.approx(before["exposure"])
    assert after["occurrences"] == pytest.approx(before["occurrences"])


def test_an_own_share_closed_without_action_is_shown() -> None:
    name = next(n for n in table().index if n.startswith("referral_nfa"))
    own = rates_table(fit(EXPOSURE, overrides={name: 0.5})).set_index("rate_id").loc[name]
    assert own["rate"] == 0.5
    assert own["evidence"] == "set by you"


@pytest.mark.parametrize(
    ("weight", "words"),
    [(0.1, "well supported"), (0.4, "partly"), (0.9, "thin")],
)
def test_words_follow_the_priors_weight(weight: float, words: str) -> None:
    assert words in evidence(weight)


@pytest.mark.parametrize(
    ("cases", "words"), [(25.0, "well supported"), (12.0, "not many cases"), (1.0, "thin")]
)
def test_words_follow_the_cases_where_there_is_no_prior(cases: float, words: str) -> None:
    assert words in evidence_of_cases(cases)


def test_one_referral_is_not_called_well_supported() -> None:
    one = made_up_lists(1, referrals=1)
    found = rates_table(fit(exposure_of(one))).set_index("rate_id")
    assert found.loc[rate_id(Flow.REFERRALS), "occurrences"] == 1
    for flow in (Flow.REFERRALS, Flow.REFERRAL_TO_CARE):
        assert found.loc[rate_id(flow), "evidence"].startswith("thin")


def test_a_rate_can_be_worked_out_again_from_the_numbers_beside_it() -> None:
    found = rates_table(fit(EXPOSURE))
    cells = found[found["basis"].isin([Basis.CELL, Basis.ALONE, Basis.SHARE])]
    events = cells["occurrences"] / cells["dispersion"] + cells["prior_events"]
    time = cells["exposure"] / cells["dispersion"] + cells["prior_exposure"]
    again = cells["correction"] * events / time
    assert again.tolist() == pytest.approx(cells["fitted_rate"].tolist(), rel=1e-9)
    weight = cells["prior_exposure"] / time
    assert weight.tolist() == pytest.approx(cells["prior_weight"].tolist(), rel=1e-9)
    assert (cells["prior_exposure"] > 0).all()
    assert len(cells) > 100


def test_an_own_rate_leaves_the_fitted_one_beside_it() -> None:
    name = rate_id(Flow.PLAN_ENDS, "3 to 6 months")
    before, after = table(), table(**{name.replace("|", "__"): 0.4})
    assert after.loc[name, "rate"] == 0.4
    assert after.loc[name, "fitted_rate"] == before.loc[name, "fitted_rate"]
    assert (
        after.loc[rate_id(Flow.PLAN_ENDS), "fitted_rate"]
        != before.loc[rate_id(Flow.PLAN_ENDS), "fitted_rate"]
    )
