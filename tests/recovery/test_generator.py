"""The sample generator itself: nothing lost, nobody in two places, no glimpse of the future."""

from __future__ import annotations

import ast
import json
import math
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand_samples import labels
from demand_samples.build import SAMPLES, WINDOW_MONTHS, sheets_of
from demand_samples.dirt import Dirt, soil
from demand_samples.drift import Grid, draw_paths, drift_path
from demand_samples.extract import annex_a, window_start
from demand_samples.history import History
from demand_samples.observe import monthly_truth, occurrence_exposure, open_on
from demand_samples.presets import authority, draw_authority, drifting, mixed_careers, reviewed
from demand_samples.sheets import in_d2i_style, to_sheet
from demand_samples.simulate import simulate_authority
from demand_samples.spread import spread_of_changes
from demand_samples.truth import Drift, FamilyTruth, Step, Trend
from demand_samples.write import write_workbook

pytestmark = pytest.mark.recovery

ROOT = Path(__file__).resolve().parents[2]
ANNEX_A = ROOT / "../shared/annex-a"
EVERYTHING = mixed_careers(reviewed(drifting(authority("small"))))


@pytest.fixture(scope="module")
def history() -> History:
    return simulate_authority(authority("middling"), seed=71)


@pytest.fixture(scope="module")
def lists(history: History) -> dict[int, pd.DataFrame]:
    return annex_a(history)


@pytest.fixture(scope="module", params=["steady", "everything"])
def any_history(request: pytest.FixtureRequest) -> History:
    truth = authority("small") if request.param == "steady" else EVERYTHING
    return simulate_authority(truth, seed=5)


def test_imports_nothing_of_the_engine() -> None:
    for path in (ROOT / "samples/demand_samples").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] in ("demand_model", "demand_addin") for name in names)


# What truly happened


def test_stock_is_last_stock_plus_starts_minus_ends(any_history: History) -> None:
    months = monthly_truth(any_history, any_history.first_date, any_history.last_date)
    for measure in ("cp", "cla"):
        change = months[f"{measure}_open"].diff().iloc[1:]
        flow = (months[f"{measure}_starts"] - months[f"{measure}_ends"]).iloc[1:]
        assert (change == flow).all()


def test_monthly_truth_counts_what_the_frames_hold(any_history: History) -> None:
    month = monthly_truth(any_history, date(2026, 5, 3), date(2026, 5, 20)).iloc[0]
    first, last = pd.Timestamp(2026, 5, 1), pd.Timestamp(2026, 5, 31)
    care = any_history.care
    assert month["month_end"] == last
    assert month["referrals"] == any_history.referrals["date"].between(first, last).sum()
    assert month["cla_starts"] == care["start"].between(first, last).sum()
    assert month["cla_ends"] == care["end"].between(first, last).sum()
    still = (care["start"] <= last) & (care["end"].isna() | (care["end"] > last))
    assert month["cla_open"] == still.sum() == care.loc[still, "child_id"].nunique()
    assert open_on(any_history, date(2026, 5, 31))["cla_open"] == month["cla_open"]


def test_months_outside_the_history_are_refused(history: History) -> None:
    with pytest.raises(ValueError, match="Months must be from 2022-10 to 2029-09"):
        monthly_truth(history, date(2020, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize("name", ["plans", "care"])
def test_spells_of_a_child_do_not_overlap(any_history: History, name: str) -> None:
    spells = getattr(any_history, name).sort_values(["child_id", "start"])
    before = spells.groupby("child_id")["end"].shift()
    later = spells.duplicated("child_id")
    assert later.any()
    assert (spells.loc[later, "start"] > before[later]).all()
    ended = spells["end"].notna()
    assert (spells.loc[ended, "end"] > spells.loc[ended, "start"]).all()


def test_care_ends_at_the_18th_birthday_at_the_latest(any_history: History) -> None:
    care = any_history.care
    birthday = care["date_of_birth"].map(lambda born: born + pd.DateOffset(years=18))
    assert (care["start"] >= care["date_of_birth"]).all()
    assert (care["start"] < birthday).all()
    reached = care["reason"] == "18th birthday"
    assert reached.any()
    assert (care.loc[reached, "end"] == birthday[reached]).all()
    assert (care["end"].fillna(pd.Timestamp(any_history.last_date)) <= birthday).all()


def test_unaccompanied_children_are_nearly_all_15_to_17(history: History) -> None:
    uasc = history.care[history.care["uasc"]]
    age = (uasc["start"] - uasc["date_of_birth"]).dt.days / 365.25
    assert ((age >= 15) & (age < 18)).mean() > 0.85
    assert set(uasc["reason"]) <= {"other", "18th birthday", ""}


def test_a_childs_referral_leads_to_the_spell_that_it_names(history: History) -> None:
    led = history.referrals[history.referrals["outcome"] == "plan"]
    found = led.merge(
        history.plans, left_on=["child_id", "outcome_date"], right_on=["child_id", "start"]
    )
    assert len(found) == len(led)
    assert not led["nfa"].any()
    weeks = (led["outcome_date"] - led["date"]).dt.days / 7
    assert (weeks.between(2, 9)).mean() > 0.8


def test_same_seed_same_history() -> None:
    one, same, other = (simulate_authority(EVERYTHING, seed=seed) for seed in (8, 8, 9))
    for name in ("children", "referrals", "plans", "care", "log_multipliers"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(same, name))
    assert len(one.referrals) != len(other.referrals)


# Rates


def test_hazards_seen_in_full_are_those_of_the_truth() -> None:
    base = authority("large")
    alone = replace(
        base,
        families=FamilyTruth(size_shares=(1.0,)),
        plans=replace(base.plans, care_hazard_per_month=0.0),
        care=replace(base.care, re_entry_hazard_per_month=(0.0, 0.0, 0.0)),
    )
    history = simulate_authority(alone, seed=3)
    table = occurrence_exposure(history, history.first_date, history.last_date, by_age=True)
    ended = table[(table["spell"] == "plan") & (table["reason"] == "ended")]
    wanted = np.array(alone.plans.end_hazard_per_month) * ended["exposure_child_months"].to_numpy()
    score = (ended["occurrences"].to_numpy() - wanted) / np.sqrt(wanted)
    assert np.abs(score).max() < 4
    home = table[(table["spell"] == "care") & (table["reason"] == "home")]
    base_hazard = np.array(alone.care.end_hazard_per_month[0])
    by_age = np.outer(alone.care.multiplier_by_age[0], base_hazard).ravel()
    expected = by_age * home["exposure_child_months"].to_numpy()
    enough = expected > 10
    score = (home["occurrences"].to_numpy() - expected)[enough] / np.sqrt(expected[enough])
    assert enough.sum() > 25
    assert np.abs(score).max() < 4


def test_occurrences_are_the_ends_and_exposure_is_the_open_stock(history: History) -> None:
    first, last = date(2025, 10, 1), date(2026, 9, 30)
    table = occurrence_exposure(history, first, last)
    months = monthly_truth(history, first, last)
    plans = table[table["spell"] == "plan"]
    assert plans["occurrences"].sum() == months["cp_ends"].sum()
    care = table[table["spell"] != "plan"]
    assert care["occurrences"].sum() == months["cla_ends"].sum()
    exposure = plans.drop_duplicates("from_month")["exposure_child_months"].sum()
    assert exposure == pytest.approx(months["cp_open"].sum(), rel=0.03)


def test_the_stock_is_in_balance_where_rates_are_steady() -> None:
    change = [
        open_on(history, date(2026, 9, 30))["cla_open"]
        / open_on(history, history.first_date)["cla_open"]
        for history in (simulate_authority(authority("middling"), seed=n) for n in range(25))
    ]
    assert float(np.mean(np.log(change))) == pytest.approx(0.0, abs=4 * 0.09 / math.sqrt(25))


def test_referrals_follow_the_calendar() -> None:
    truth = replace(
        authority("large"),
        referrals=replace(authority("large").referrals, extra_poisson_variance=0.0),
    )
    made = simulate_authority(truth, seed=2)
    assert made.referrals["date"].dt.day_of_week.max() <= 4
    assert not (made.referrals["date"] == pd.Timestamp(2025, 12, 25)).any()
    seen = made.referrals.groupby(made.referrals["date"].dt.to_period("M")).size()
    ratio = seen / made.expected_referrals_by_month
    # A repeat's children may have grown up: a little below the expected, evenly.
    assert float(ratio.mean()) == pytest.approx(0.985, abs=0.02)
    dispersion = truth.families.batch_dispersion / made.expected_referrals_by_month.mean()
    assert float(ratio.std()) == pytest.approx(math.sqrt(dispersion), rel=0.35)


def test_a_share_of_referrals_repeats_within_a_year(history: History) -> None:
    referrals = history.referrals.sort_values(["child_id", "date"])
    gap = (referrals["date"] - referrals.groupby("child_id")["date"].shift()).dt.days
    settled = referrals["date"] >= pd.Timestamp(history.first_date)
    assert float((gap[settled] <= 365).mean()) == pytest.approx(0.22, abs=0.04)


def test_siblings_start_and_end_together_more_than_strangers(history: History) -> None:
    for spells in (history.plans, history.care[~history.care["uasc"]]):
        batch = spells.groupby(["family_id", "start"])
        siblings = batch.filter(lambda rows: len(rows) > 1)
        assert len(siblings) / len(spells) > 0.3
        together = siblings.groupby(["family_id", "start"])["end"].nunique(dropna=False)
        assert 0.3 < float((together == 1).mean()) < 0.95


def test_level_at_the_census_date_is_the_stated_one_whatever_the_trend_or_step() -> None:
    grid = Grid(census_day=20_000, months_before=60, months_after=36)
    base = authority("small")
    bent = replace(
        base.referrals,
        trend=Trend(log_per_year=0.12),
        steps=(Step(months_from_census=-6, factor=1.5),),
    )
    path = draw_paths(replace(base, referrals=bent), grid, np.random.default_rng(1)).intake
    assert path[60] == pytest.approx(0.01 * 0.5)
    assert path[48] == pytest.approx(-0.12 - math.log(1.5) + 0.005)
    assert path[84] == pytest.approx(0.24 + 0.005)
    assert path[0] == path[10] == pytest.approx(-0.36 - math.log(1.5))


def test_starts_follow_the_drift_of_intake_in_part_and_keep_their_mean() -> None:
    grid = Grid(census_day=20_000, months_before=60, months_after=36)
    base = authority("small")
    truth = replace(
        base,
        referrals=replace(base.referrals, drift=Drift(sd_log_per_month=0.1, half_life_months=14)),
        plans=replace(base.plans, conversion=replace(base.plans.conversion, follows_intake=0.4)),
    )
    drawn = [draw_paths(truth, grid, np.random.default_rng(seed)) for seed in range(1_500)]
    intake = np.array([paths.intake for paths in drawn])
    starts = intake + np.array([paths.plan_conversion for paths in drawn])
    assert np.diff(starts, axis=1) == pytest.approx(0.4 * np.diff(intake, axis=1))
    assert np.exp(starts).mean() == pytest.approx(1.0, abs=0.02)
    whole = [paths.care_conversion for paths in drawn]
    assert np.array(whole) == pytest.approx(np.zeros_like(intake))  # no drift, followed in full


def test_follows_intake_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="follows_intake"):
        replace(authority("small").plans.conversion, follows_intake=-0.1)


def test_authorities_drawn_are_restless_to_different_degrees() -> None:
    drift = [draw_authority("middling", seed=seed).referrals.drift for seed in range(200)]
    spread = np.array([one.sd_log_per_month for one in drift])
    assert np.log(spread).std() == pytest.approx(0.40, rel=0.15)
    assert np.sqrt((spread**2).mean()) == pytest.approx(0.085, rel=0.12)
    assert draw_authority("middling", seed=1, drift=False).referrals.drift.sd_log_per_month == 0


def test_drift_has_the_spread_and_the_mean_it_states() -> None:
    rng = np.random.default_rng(4)
    grid = Grid(census_day=20_000, months_before=100, months_after=60)
    drift = Drift(sd_log_per_month=0.1, half_life_months=6)
    paths = np.array([drift_path(drift, grid, rng) for _ in range(2_000)])
    phi = 0.5 ** (1 / 6)
    stationary = 0.1 / math.sqrt(1 - phi**2)
    assert paths.std(axis=0) == pytest.approx(np.full(160, stationary), rel=0.08)
    assert np.exp(paths).mean() == pytest.approx(1.0, abs=0.02)
    walk = np.array([drift_path(Drift(sd_log_per_month=0.1), grid, rng) for _ in range(2_000)])
    assert (walk[:, 99] == 0).all()
    assert walk[:, 99 + 36].std() == pytest.approx(0.6, rel=0.08)


def test_reviews_end_most_plans_about_3_9_and_15_months() -> None:
    truth = reviewed(authority("middling"))
    plans = simulate_authority(truth, seed=6).plans
    ended = plans[plans["reason"] == "ended"]
    months = (ended["end"] - ended["start"]).dt.days / 30.4375
    near = np.abs((months - 3 + 3) % 6 - 3) < 0.8
    assert float(near.mean()) > 0.75


def test_mixed_careers_leave_those_behind_who_stay() -> None:
    def decline_of_returns_home(*, mixed: bool) -> float:
        truth = authority("large")
        history = simulate_authority(mixed_careers(truth) if mixed else truth, seed=6)
        table = occurrence_exposure(history, history.first_date, history.last_date)
        home = table[(table["spell"] == "care") & (table["reason"] == "home")]
        hazard = home.set_index("from_month")["hazard_per_child_month"]
        return float(hazard[12] / hazard[0])

    assert decline_of_returns_home(mixed=True) < 0.7 * decline_of_returns_home(mixed=False)


@pytest.mark.parametrize("intake", ["plain", "trend", "step"])
def test_authorities_drawn_differ_and_repeat(intake: str) -> None:
    one = draw_authority("middling", seed=1, intake=intake)
    assert one == draw_authority("middling", seed=1, intake=intake)
    other = draw_authority("middling", seed=2, intake=intake)
    assert one.referrals.level_per_working_day != other.referrals.level_per_working_day
    assert (one.referrals.trend is not None) == (intake == "trend")
    assert bool(one.referrals.steps) == (intake == "step")


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="shares of at least 0 that sum to 1"):
        FamilyTruth(size_shares=(0.5, 0.4))
    with pytest.raises(ValueError, match="half_life_months must be above 0"):
        Drift(sd_log_per_month=0.1, half_life_months=0)
    with pytest.raises(ValueError, match="detail_years must be from 3"):
        simulate_authority(authority("small"), seed=1, detail_years=2)


# What Annex A shows


def test_headings_and_labels_are_the_official_ones() -> None:
    if not ANNEX_A.exists():
        pytest.skip("the official headings are not beside the project here")
    headings = json.loads((ANNEX_A / "headings.json").read_text(encoding="utf-8"))
    codes = json.loads((ANNEX_A / "codes.json").read_text(encoding="utf-8"))
    for number in (3, 7, 8):
        assert list(labels.HEADINGS[number]) == headings[f"List_{number}"]
    for name, official in (
        ("REFERRAL_SOURCE", "Contact / Referral Source"),
        ("CATEGORY_OF_ABUSE", "Initial/Latest Category of Abuse"),
        ("CATEGORY_OF_NEED", "Child's Category of Need"),
        ("LEGAL_STATUS", "Child's Legal Status"),
        ("REASON_CEASED", "Reason Ceased to be Looked After"),
        ("PLACEMENT_TYPE", "Placement Type"),
        ("PLACEMENT_PROVIDER", "Placement Provider"),
    ):
        assert list(getattr(labels, name)) == [row[0] for row in codes[official]]


def test_headings_are_those_that_the_engine_declares(lists: dict[int, pd.DataFrame]) -> None:
    declared = pytest.importorskip("demand_model.annex_a.lists").LISTS
    by_number = declared if isinstance(declared, dict) else {one.number: one for one in declared}
    for number, frame in lists.items():
        assert tuple(frame.columns) == by_number[number].headings


@pytest.mark.parametrize("number", [7, 8])
def test_lists_7_and_8_have_one_row_a_child(lists: dict[int, pd.DataFrame], number: int) -> None:
    assert lists[number]["Child Unique ID"].is_unique


@pytest.mark.parametrize(
    ("number", "name", "start", "end"),
    [
        (7, "plans", "Child Protection Plan Start Date", "Child Protection Plan End Date"),
        (8, "care", "Date Started to be Looked After", "Date Ceased to be Looked After "),
    ],
)
def test_a_list_holds_each_childs_last_spell_if_open_or_ended_in_the_window(
    history: History,
    lists: dict[int, pd.DataFrame],
    number: int,
    name: str,
    start: str,
    end: str,
) -> None:
    census = pd.Timestamp(history.census_date)
    begin = pd.Timestamp(window_start(history.census_date, 6))
    assert begin == pd.Timestamp(2026, 4, 1)
    spells = getattr(history, name)
    last = spells[spells["start"] <= census].sort_values("start").groupby("child_id").tail(1)
    shown = last[last["end"].isna() | (last["end"] >= begin)]
    frame = lists[number]
    assert sorted(frame[start]) == sorted(shown["start"])
    hidden = last["end"].notna() & (last["end"] < begin)
    assert hidden.any()
    assert frame[end].dropna().between(begin, census).all()
    assert (frame[start] <= census).all()
    open_children = open_on(history, history.census_date)
    assert frame[end].isna().sum() == open_children["cp_open" if number == 7 else "cla_open"]


def test_list_3_holds_every_referral_of_the_window(
    history: History, lists: dict[int, pd.DataFrame]
) -> None:
    months = monthly_truth(history, date(2026, 4, 1), date(2026, 9, 30))
    frame = lists[3]
    assert len(frame) == months["referrals"].sum()
    assert frame["Date of referral"].between("2026-04-01", "2026-09-30").all()
    assert frame["Child Unique ID"].duplicated().any()
    before = frame.groupby("Child Unique ID")["Number of Referrals in Last 12 Months"]
    assert (before.max() == before.min()).all()


def test_an_extract_knows_nothing_of_the_future(history: History) -> None:
    day = date(2025, 12, 15)
    early = annex_a(history, day)
    longer = simulate_authority(history.truth, seed=history.seed)
    for number, frame in annex_a(longer, day).items():
        pd.testing.assert_frame_equal(frame, early[number])
    for frame in early.values():
        for heading in frame.select_dtypes("datetime"):
            if heading != "Date of Birth":
                assert (frame[heading].dropna() <= pd.Timestamp(day)).all()
    ceased = early[8]["Date Ceased to be Looked After "].notna()
    assert (early[8]["Reason Ceased to be Looked After"].notna() == ceased).all()


def test_a_child_is_the_same_in_every_extract(history: History) -> None:
    columns = ["Child Unique ID", "Date of Birth", "Gender", "Ethnicity"]
    frames = [
        frame.loc[frame["Age of Child (Years)"] >= 0, columns]
        for day in (date(2025, 9, 30), history.census_date)
        for frame in annex_a(history, day).values()
    ]
    every = pd.concat(frames).drop_duplicates()
    assert every["Child Unique ID"].is_unique


def test_a_longer_window_shows_more(history: History, lists: dict[int, pd.DataFrame]) -> None:
    year = annex_a(history, window_months=12)
    for number, frame in lists.items():
        assert set(frame["Child Unique ID"]) <= set(year[number]["Child Unique ID"])
        assert len(year[number]) > len(frame)
    with pytest.raises(ValueError, match="The window must lie within"):
        annex_a(history, window_months=60)


def test_unborn_children_are_listed_as_the_guidance_asks(history: History) -> None:
    frame = annex_a(history, window_months=12)[3]
    unborn = frame["Age of Child (Years)"] == -1
    assert unborn.any()
    assert (frame.loc[unborn, "Date of Birth"] > pd.Timestamp(history.census_date)).all()
    assert set(frame.loc[unborn, "Gender"]) == {"c) Not stated/recorded"}


# How it is typed


def test_dirt_leaves_the_rows_and_is_counted(lists: dict[int, pd.DataFrame]) -> None:
    plain = to_sheet("List 7", lists[7])
    dirt = Dirt(
        title="Plans",
        spelling_share=0.5,
        text_date_share=0.1,
        nbsp_share=0.1,
        missing_ids=2,
        not_available=3,
        duplicates=4,
        placeholder_dates=1,
        open_far_dates=2,
        blank_rows=2,
        total_row=True,
        footnote="Source: made up",
    )
    sheet = soil(plain, dirt, seed=1)
    assert sheet == soil(plain, dirt, seed=1)
    assert sheet != soil(plain, dirt, seed=2)
    assert sheet.headings == labels.HEADINGS[7]
    assert sheet.heading_row == 2
    filled = [row for row in sheet.data if sum(cell is not None for cell in row) > 2]
    assert len(filled) == len(lists[7]) + 4
    assert sum(row[0] is None for row in filled) == 2
    ends = [row[labels.HEADINGS[7].index("Child Protection Plan End Date")] for row in filled]
    assert ends.count("31/12/9999") in range(2, 7)
    assert sheet.rows[-1][0] == "Source: made up"
    assert len(sheet.data) == len(filled) + 2 + 1 + 2


def test_d2i_style_keeps_the_cells_but_for_bare_codes(lists: dict[int, pd.DataFrame]) -> None:
    plain = to_sheet("List_8", lists[8])
    sheet = in_d2i_style(plain)
    assert "PlacementType" in sheet.headings
    assert not any(" " in heading for heading in sheet.headings)
    kind = plain.headings.index("Placement Type")
    assert all(str(row[kind]).isalnum() for row in sheet.data)
    start = plain.headings.index("Date Started to be Looked After")
    assert [row[start] for row in sheet.data] == [row[start] for row in plain.data]


def _parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.size)
def test_the_workbooks_kept_are_those_that_the_generator_makes(
    tmp_path: Path, sample: object
) -> None:
    chosen = next(one for one in SAMPLES if one == sample)
    truth = authority(chosen.size, name=chosen.name)
    made = simulate_authority(truth, seed=chosen.seed)
    extracted = annex_a(made, window_months=WINDOW_MONTHS)
    path = tmp_path / "again.xlsx"
    write_workbook(path, sheets_of(extracted, chosen), author=chosen.name)
    # Parts, not bytes: how a zip is packed depends on the system's library.
    assert _parts(path) == _parts(ROOT / f"samples/workbooks/{chosen.size}.xlsx")
    rates = json.loads((ROOT / "samples/workbooks/true_rates.json").read_text(encoding="utf-8"))
    kept = rates[chosen.size]
    assert kept["seed"] == chosen.seed
    assert kept["at_census"]["cla_open"] == open_on(made, made.census_date)["cla_open"]
    assert kept["at_census"]["rows"] == {f"list_{n}": len(f) for n, f in extracted.items()}
    assert kept["parameters"]["plans"]["conversion"]["share"] == truth.plans.conversion.share
    assert len(kept["what_happened_next"]) == 24


def test_drifting_stocks_spread_about_as_much_as_real_ones() -> None:
    # DfE's yearly figures, authorities with 200 to 400 children, over 12 months:
    # plans .234, care .079. Few draws here; the README's measurement has 300.
    spread = spread_of_changes(drifting(authority("middling")), authorities=25, seed=900)
    assert spread.loc["cp_open", "12"] == pytest.approx(0.234, rel=0.30)
    assert spread.loc["cla_open", "12"] == pytest.approx(0.079, rel=0.30)
    steady = spread_of_changes(authority("middling"), authorities=10, seed=900)
    assert steady.loc["cp_open", "12"] < 0.16
