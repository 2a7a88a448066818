from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demand_model.annex_a.codes import SOURCE_GROUPS
from demand_model.errors import InvalidSettingError, NotEnoughDataError
from demand_model.exposure.bands import LAG_LABELS
from demand_model.exposure.referral_cells import LOOKBACK_LABELS
from demand_model.flows import Flow
from demand_model.rates.conversions import Conversion, fit_conversion
from demand_model.rates.fit import fit, overridable_rate_ids, rate_id
from demand_model.rates.priors import Prior
from engine_cases import made_up_exposure, made_up_rates

pytestmark = pytest.mark.unit

DAYS_IN_WEEK = 7.0
FULL = LOOKBACK_LABELS[-1]
SHARE = np.zeros(26)
SHARE[:8] = 0.1 / 8  # a tenth converts, evenly over eight weeks


def expected_table(referrals_per_day: float, other_per_day: float, days: int = 364) -> pd.DataFrame:
    """What a window of so many days shows on average: no chance."""
    weeks = days // 7
    rows = []
    for week in range(26):
        followed = referrals_per_day * max(days - 7 * week - 3.5, 0.0)
        rows.append(
            (Flow.REFERRAL_TO_PLAN, "Police", LAG_LABELS[week], followed * SHARE[week], followed)
        )
    later = np.append(np.cumsum(SHARE[::-1])[::-1], 0.0)
    for week in range(26):
        hidden = referrals_per_day * (later[week] - SHARE[week] / 2)
        rows.append((Flow.OTHER_PLAN_STARTS, "all", LOOKBACK_LABELS[week],
                     7 * (hidden + other_per_day), DAYS_IN_WEEK))  # fmt: skip
    rest = DAYS_IN_WEEK * (weeks - 26)
    rows.append((Flow.OTHER_PLAN_STARTS, "all", FULL, rest * other_per_day, rest))
    columns = ["flow", "segment", "duration_band", "occurrences", "exposure"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(flow=[flow.value for flow in table["flow"]])


def convert(
    table: pd.DataFrame, referrals_per_day: float, *, other_share: float = 0.05, **more: float
) -> Conversion:
    prior = Prior(
        rates=SHARE + 1e-6,
        level_events=4.0,
        cell_events=4.0,
        source="test",
        other_share=other_share,
    )
    return fit_conversion(
        table,
        flow=Flow.REFERRAL_TO_PLAN,
        other_flow=Flow.OTHER_PLAN_STARTS,
        prior=prior,
        source_ratio_events=20.0,
        dispersion=1.0,
        referrals_per_day=referrals_per_day,
        **more,
    )


def test_hidden_starts_are_told_from_others() -> None:
    found = convert(expected_table(30.0, 0.25), 30.0)
    hidden = 30.0 * 7 * sum(SHARE[week:].sum() - SHARE[week] / 2 for week in range(26))
    assert found.share == pytest.approx(0.1, rel=0.01)
    assert found.hidden_starts == pytest.approx(hidden, rel=0.02)
    assert found.other_mean() == pytest.approx(0.25 * 30.4375, rel=0.02)


def test_no_start_is_other_where_all_follow_referrals() -> None:
    """Unlinked starts early in the window are the referrals' that it does not reach."""
    table = expected_table(30.0, 0.0)
    unlinked = table.loc[table["flow"] == "other_plan_starts", "occurrences"].sum()
    found = convert(table, 30.0)
    assert unlinked > 80  # a naive reading would call these other starts
    assert found.other_occurrences < 0.04 * unlinked


def test_fitted_starts_are_those_observed() -> None:
    for conversion in (
        made_up_rates(1).to_plan,
        made_up_rates(2).to_plan,
        made_up_rates(1).to_care,
    ):
        assert conversion.fitted == pytest.approx(conversion.observed, rel=0.02, abs=0.1)
    found = convert(expected_table(30.0, 0.25), 30.0)
    assert found.fitted == pytest.approx(found.observed, rel=0.001)


def test_sources_that_convert_more_have_a_higher_ratio() -> None:
    table = expected_table(30.0, 0.1)
    schools = table[table["flow"] == "referral_to_plan"].assign(segment="Schools")
    schools["occurrences"] *= 3.0
    found = convert(pd.concat([table, schools]), 60.0)
    ratio = dict(zip(SOURCE_GROUPS, found.source_ratio, strict=True))
    assert ratio["Schools"] / ratio["Police"] == pytest.approx(3.0, rel=0.1)
    assert (ratio["Schools"] + ratio["Police"]) / 2 == pytest.approx(1.0)  # equal exposure
    assert ratio["Housing"] == pytest.approx(1.0, abs=0.02)


def test_draws_of_other_starts_have_their_mean() -> None:
    found = convert(expected_table(3.0, 0.05), 3.0, other_share=0.2)
    lags, others = found.draw(20000, np.random.default_rng(1))
    assert others.mean() == pytest.approx(found.other_mean(), rel=0.03)
    assert others.var() / others.mean() ** 2 > 1 / found.other_occurrences  # the split is unsure
    # The more starts referrals lead to, the more unlinked ones were theirs.
    assert np.corrcoef(lags.sum(axis=0), others)[0, 1] < -0.025


def test_without_hidden_starts_others_are_known_as_their_number_is() -> None:
    found = convert(expected_table(0.001, 0.25), 0.001, other_share=2500.0)
    _, others = found.draw(20000, np.random.default_rng(1))
    assert others.mean() == pytest.approx(0.25 * 30.4375, rel=0.03)
    assert others.var() / others.mean() ** 2 == pytest.approx(1 / 91, rel=0.08)


def test_the_analysts_share_and_others_win() -> None:
    found = convert(expected_table(30.0, 0.25), 30.0, fixed_share=0.05, fixed_other=2.0)
    assert found.share == pytest.approx(0.05, rel=1e-3)
    assert set(found.draw(10, np.random.default_rng(1))[1]) == {2.0}


# --- fit as a whole ----------------------------------------------------------------------------


def test_every_override_reaches_its_rate() -> None:
    ids = overridable_rate_ids()
    assert len(set(ids)) == len(ids)
    found = fit(made_up_exposure(1), overrides=dict.fromkeys(ids, 0.015))
    for rates in (found.plan_ends, found.plan_to_care, found.re_referrals, found.uasc):
        assert rates.mean() == pytest.approx(np.full(rates.mean().shape, 0.015))
    for reason in found.care_ends:
        assert reason.mean() == pytest.approx(np.full((8, 6), 0.015))
    for conversion in (found.to_plan, found.to_care):
        assert conversion.share == pytest.approx(0.015, rel=0.01)
        assert conversion.other_mean() == pytest.approx(0.015)


def test_unknown_and_negative_overrides_are_all_named() -> None:
    bad = {"plan_ends|no such band|all": 0.1, rate_id(Flow.UASC_STARTS): -1.0}
    with pytest.raises(InvalidSettingError, match=r"no such band.*uasc_starts.*0 or more"):
        fit(made_up_exposure(1), overrides=bad)


def test_a_share_above_one_is_named() -> None:
    share = rate_id(Flow.REFERRAL_NFA, "all", "Police")
    with pytest.raises(InvalidSettingError, match=r"referral_nfa.* is 40\.0; a share must be 1"):
        fit(made_up_exposure(1), overrides={share: 40.0})


def test_no_referral_at_all_is_said_in_words() -> None:
    exposure = made_up_exposure(1)
    table = exposure.table.copy()
    table.loc[table["flow"] == "referrals", "occurrences"] = 0.0
    with pytest.raises(NotEnoughDataError, match="no referral within its window"):
        fit(replace(exposure, table=table))
