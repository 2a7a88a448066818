"""The Dashboard's words: what a head of service must not misread."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from synthetic_forecast import Case, forecast_case, run_case

from demand_addin.history_sheet import no_months
from demand_addin.layout.sheets import FEW_MONTHS, FEW_REFERRALS, area
from demand_addin.plan.cautions import MARK, cautions, idle_guards, idle_posts
from demand_addin.plan.check import LOOK, OK, check_results
from demand_addin.plan.dashboard import headline_rows, number_rows, sentences, year_ago
from demand_addin.plan.memory import earlier_words
from demand_model import History
from demand_model.annex_a.checked import CheckResult, Window
from demand_model.flows import MEASURES
from demand_model.simulation.scenario import BASELINE, AddPosts, MultiplySystem, Scenario
from demand_model.system.inputs import SystemInputs

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def case() -> Case:
    return run_case(horizon=12)


def known(months: int, value: float = 100.0) -> pd.DataFrame:
    """Monthly counts for some months up to the census date, growing by one a month."""
    index = pd.period_range(end="2026-03", periods=months, freq="M")
    counts = {name: value + np.arange(months) for name in MEASURES}
    return pd.DataFrame(counts, index=index)


def covering(check: CheckResult, *months: int) -> CheckResult:
    """The same lists, as if they covered so many months."""
    assert check.lists is not None
    windows = {
        number: Window(start=date(2026, 1, 1), months=count, detected=True)
        for number, count in zip((3, 7, 8), months, strict=True)
    }
    return replace(check, lists=replace(check.lists, windows=windows))


# --- a year ago --------------------------------------------------------------------------------


def test_a_year_ago_is_the_stock_of_that_month_and_the_referrals_of_the_same_season(case):
    monthly = known(24)
    assert year_ago(case.forecast, "cla_open", monthly) == 100 + 11, "March 2025"
    past = case.forecast.history.query("measure == 'referrals' and segment == 'all'")
    months = pd.PeriodIndex(past["month_end"].sort_values(), freq="M")[-6:]
    expected = monthly.loc[months - 12, "referrals"].mean()
    assert year_ago(case.forecast, "referrals", monthly) == expected


@pytest.mark.parametrize("months", [0, 6, 12])
def test_a_year_ago_is_not_guessed(case, months):
    monthly = known(months) if months else no_months()
    assert year_ago(case.forecast, "cla_open", monthly) is None
    head, *rows = number_rows(case.forecast, "Baseline", 80, monthly)
    assert head[2] == "Against a year\nago: Mar 2025"
    assert [row[2] for row in rows] == ["not known"] * 3


def test_one_unknown_month_of_the_season_leaves_a_year_ago_unknown(case):
    monthly = known(24)
    monthly.loc[pd.Period("2025-02", freq="M"), "referrals"] = np.nan
    assert year_ago(case.forecast, "referrals", monthly) is None
    head_and_rows = number_rows(case.forecast, "Baseline", 80, monthly)
    assert head_and_rows[1][2] == "not known"
    assert head_and_rows[3][2].endswith("%)"), "care is known all the same"


# --- sentences and table speak of the same scenario --------------------------------------------


def test_sentences_are_those_of_the_scenario_that_the_table_shows():
    base = ("Care: 10.", "Plans: 20.", "Referrals: 30.")
    told = ("Care: 11.", "Plans: 21.", "Referrals: 31.")
    forecast = replace(
        forecast_case(horizon=6),
        headlines=(*base, "Other: by March, +1.", "Mine: by March, +2."),
        scenario_headlines={"Baseline": base, "Mine": told, "Other": base},
    )
    assert sentences(forecast, "Baseline") == forecast.headlines
    assert sentences(forecast, "Mine") == (*told, "Mine: by March, +2.", "Other: by March, +1.")


# --- thin evidence is loud ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("months", "said"),
    [
        ((1, 1, 1), "Take care: Lists 3, 7 and 8 cover 1 month only."),
        ((6, 6, 2), "Take care: List 8 covers 2 months only."),
        ((1, 2, 12), "Take care: Lists 3 and 7 cover 1 or 2 months only."),
    ],
)
def test_lists_of_few_months_are_said_first_and_in_the_master_check(case, months, said):
    thin = covering(case.check, *months)
    (caution,) = cautions(thin)
    assert caution.startswith(said)
    assert caution.startswith(MARK)
    assert check_results(thin)["check_months"] == LOOK
    lines = headline_rows((*cautions(thin), *case.forecast.headlines))
    assert lines[0] == (caution,), "one line: only a line that begins so stands out"
    assert len(lines) <= area("dash_headlines").rows


def test_hardly_a_referral_is_said_first_and_in_the_master_check(case):
    enough = covering(case.check, 6, 6, 6)
    (three, *others) = enough.tallies
    assert three.list_number == 3
    few = replace(enough, tallies=(replace(three, used=FEW_REFERRALS - 19), *others))
    (caution,) = cautions(few)
    assert caution.startswith(f"{MARK}List 3 holds 1 referral only. Is all of it there?")
    assert check_results(few)["check_months"] == LOOK
    some = replace(enough, tallies=(replace(three, used=FEW_REFERRALS), *others))
    assert cautions(some) == ()
    assert check_results(some)["check_months"] == OK


def test_lists_of_enough_months_need_no_caution(case):
    enough = covering(case.check, FEW_MONTHS, 6, 12)
    assert cautions(enough) == ()
    assert check_results(enough)["check_months"] == OK


def test_workers_that_act_on_nothing_are_said():
    posts = AddPosts(workers=5.0, start=date(2026, 5, 1))
    asked = [BASELINE, Scenario(name="Five more", changes=(posts,))]
    resting = SystemInputs()
    (said,) = idle_posts(asked, resting)
    assert said.startswith("“Five more” adds workers. That changes cases per worker only")
    assert idle_posts([BASELINE], resting) == ()
    first, *others = resting.links
    acting = replace(resting, links=(replace(first, is_on=True), *others))
    assert idle_posts(asked, acting) == ()


def test_a_guard_of_links_that_are_off_is_said():
    change = MultiplySystem(target="free_places", factor=0.0, start=date(2026, 5, 1))
    asked = [BASELINE, Scenario(name="Guard", changes=(change,))]
    resting = SystemInputs()
    (said,) = idle_guards(asked, resting)
    assert said.startswith("“Guard” changes free_places, without effect")
    assert "how many own places there are" in said
    assert idle_guards([BASELINE], resting) == ()
    on = tuple(replace(link, is_on=link.is_of_free_places) for link in resting.links)
    assert idle_guards(asked, replace(resting, links=on)) == ()


# --- what was known before the lists -----------------------------------------------------------


def test_earlier_months_are_counted_by_where_they_come_from():
    months, listed = known(30), known(6)
    history = History.of(months.iloc[:18], [])
    used = History.of(months, [])
    words = earlier_words(used, history, listed)
    assert words == (
        "Months from before the lists that were used too: 18 of sheet History and 6 of sheet "
        "Memory."
    )
    one = History.of(known(7), [])
    assert earlier_words(one, History.empty(), listed).startswith("Month from before")


def test_without_earlier_months_it_says_so():
    words = earlier_words(None, History.empty(), known(6))
    assert words == (
        "No month from before the lists was used: sheets History and Memory hold none that can be "
        "used."
    )
    assert earlier_words(History.of(known(6), []), History.empty(), known(6)) == words


def test_marks_of_unusual_months_are_said_and_those_without_a_count():
    listed = known(6)
    inside, before = pd.Period(listed.index[2]), pd.Period("2001-01", "M")
    history = History.of(listed.iloc[:0], [before, inside])
    words = earlier_words(history, history, listed)
    assert words.startswith("No month from before the lists was used")
    own = inside.strftime("%b %Y")
    assert words.endswith(f" Marked unusual, without a count: Jan 2001. Unusual, as marked: {own}.")
    many = History.of(listed, list(listed.index))
    assert earlier_words(many, many, listed).endswith(" and 4 more.")


def test_marks_of_unusual_months_fit_one_line_of_the_dashboard():
    before, listed = known(120), known(6)
    idle = list(pd.period_range("1999-01", periods=12, freq="M"))
    history = History.of(before.iloc[:90], [*idle, *before.index[:12]])
    used = History.of(before, history.unusual)
    words = earlier_words(used, history, listed)
    assert words.count(" and 10 more.") == 2
    assert len(words) <= 210, "what twelve columns hold when printed"
