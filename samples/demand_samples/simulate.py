"""A made-up authority's whole history, before and after the census date.

    years before                    detail begins   handover      census    months after
    |── entries to care drawn directly ──────────────|── entries follow from referrals ──|
                                     |── referrals and plans, child by child ────────────|

Care lasts years, so its stock needs many years of entries; referrals of those
years would cost time and show nothing. Before `handover` entries to care are
drawn at the rate that the later process has in steady state, with the ages
and sibling groups of later entries.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_samples import exits
from demand_samples.drift import Paths
from demand_samples.entries import (
    detail_entries,
    draw_plans,
    early_entries,
    uasc_entries,
    with_re_entries,
)
from demand_samples.exits import OPEN
from demand_samples.history import CARE_END_REASONS, CENSUS_DATE, PLAN_REASONS, ROUTES, History
from demand_samples.intake import TO_CARE, TO_PLAN, Referrals, draw_referrals
from demand_samples.setting import Setting, make_setting
from demand_samples.spells import Register, Spells, concat, covered_by, keep_apart
from demand_samples.truth import SOURCE_GROUPS, AuthorityTruth

Ints = NDArray[np.int64]


def _close_plans_of_those_in_care(
    setting: Setting, plans: Spells, care: Spells, rng: np.random.Generator
) -> Spells:
    """Plans that begin in care are dropped; those whose child enters care end within weeks."""
    plans = plans.where(~covered_by(plans.child, plans.start, care))
    order = np.lexsort((care.start, care.child))
    key = care.child[order] * OPEN + care.start[order]
    at = np.minimum(np.searchsorted(key, plans.child * OPEN + plans.start), len(key) - 1)
    if len(key) == 0:
        return plans
    row = order[at]
    entered = (care.child[row] == plans.child) & (care.start[row] >= plans.start)
    entered &= care.start[row] <= plans.end
    longest = setting.truth.plans.days_to_close_after_care
    lag = np.where(rng.random(len(row)) < 0.4, 0, rng.integers(0, longest + 1, len(row)))
    # One lag a batch: the conference that ends the plan is the family's.
    lag = lag[exits.share_with_first(plans.batch, np.ones(len(lag), dtype=bool))]
    closes = np.maximum(care.start[row] + lag, plans.start + 1)
    moved = entered & ((plans.reason == exits.PLAN_CARE) | (closes < plans.end))
    end = np.where(moved, closes, plans.end)
    reason = np.where(moved, exits.PLAN_CARE, plans.reason)
    # A move into care that never happened (the child was in care already) is an ordinary end.
    reason = np.where(~moved & (reason == exits.PLAN_CARE), exits.PLAN_ENDED, reason)
    still = end > setting.horizon
    return Spells(
        child=plans.child,
        start=plans.start,
        batch=plans.batch,
        route=plans.route,
        end=np.where(still, OPEN, end),
        reason=np.where(still, exits.PLAN_OPEN, reason),
    )


def simulate_authority(
    truth: AuthorityTruth,
    *,
    seed: int,
    census_date: date = CENSUS_DATE,
    years_before: int = 18,
    detail_years: int = 6,
    months_after: int = 36,
) -> History:
    """Draw an authority's history from its truth.

    Parameters
    ----------
    truth
        The process.
    seed
        Same seed, same history.
    census_date
        Day of the extract.
    years_before
        Years of entries to care before it.
    detail_years
        Years of referrals and plans before it, two of them to warm up.
    months_after
        Calendar months simulated after the census date's own.

    Returns
    -------
    History
    """
    if not 3 <= detail_years <= years_before:
        msg = (
            f"Invalid detail_years: {detail_years}. "
            f"detail_years must be from 3 to years_before ({years_before})."
        )
        raise ValueError(msg)
    rng = np.random.default_rng(seed)
    setting = make_setting(
        truth,
        census_date,
        years_before=years_before,
        detail_years=detail_years,
        months_after=months_after,
        rng=rng,
    )
    register = Register()
    referrals = draw_referrals(truth, setting.month_start, setting.calendar, setting.paths, rng)
    register.add(referrals.families)
    plans = draw_plans(setting, register, referrals, rng)
    detail = detail_entries(setting, register, referrals, plans, rng)
    early = early_entries(setting, register, detail.where(detail.start < OPEN), rng)
    uasc = uasc_entries(setting, register, rng)
    entries = [detail.where(detail.start >= setting.handover), early, uasc]
    care = concat([with_re_entries(setting, register, part, rng) for part in entries])
    care = care.where(keep_apart(care.child, care.start, care.end))
    plans = _close_plans_of_those_in_care(setting, plans, care, rng)
    return _history(setting, seed, census_date, register, referrals, plans, care)


def _dates(day: Ints) -> NDArray[np.datetime64]:
    dates = np.where(day >= OPEN, np.datetime64("NaT", "D"), day.astype("datetime64[D]"))
    return dates.astype("datetime64[ns]")


def _labels(names: tuple[str, ...], index: Ints) -> NDArray[np.object_]:
    """Names by index; −1 is the empty text."""
    return np.array((*names, ""), dtype=object)[index]


def _outcomes_that_happened(referrals: Referrals, plans: Spells, care: Spells) -> Ints:
    """Outcomes whose spell stands; a child already on a plan or in care starts nothing new."""
    key = referrals.child * OPEN + referrals.outcome_day
    planned = (referrals.outcome == TO_PLAN) & np.isin(key, plans.child * OPEN + plans.start)
    entered = (referrals.outcome == TO_CARE) & np.isin(key, care.child * OPEN + care.start)
    return np.where(planned, TO_PLAN, np.where(entered, TO_CARE, 0)).astype(np.int64)


def _history(
    setting: Setting,
    seed: int,
    census_date: date,
    register: Register,
    referrals: Referrals,
    plans: Spells,
    care: Spells,
) -> History:
    family, birth = register.family, register.birth_day
    plans = plans.where(np.lexsort((plans.child, plans.start)))
    care = care.where(np.lexsort((care.child, care.start)))
    outcome = _outcomes_that_happened(referrals, plans, care)
    grid = setting.paths.grid
    return History(
        truth=setting.truth,
        seed=seed,
        census_date=census_date,
        first_date=np.datetime64(setting.handover, "D").astype(object),
        last_date=np.datetime64(setting.horizon, "D").astype(object),
        children=pd.DataFrame(
            {"family_id": family, "date_of_birth": _dates(birth)},
            index=pd.RangeIndex(len(birth), name="child_id"),
        ),
        referrals=pd.DataFrame(
            {
                "child_id": referrals.child,
                "family_id": family[referrals.child],
                "date": _dates(referrals.day),
                "source_group": _labels(SOURCE_GROUPS, referrals.source),
                "nfa": referrals.nfa,
                "outcome": _labels(("", "plan", "care"), outcome),
                "outcome_date": _dates(np.where(outcome > 0, referrals.outcome_day, OPEN)),
            }
        ),
        plans=pd.DataFrame(
            {
                "child_id": plans.child,
                "family_id": family[plans.child],
                "start": _dates(plans.start),
                "end": _dates(plans.end),
                "reason": _labels(PLAN_REASONS, plans.reason),
                "route": _labels(ROUTES, plans.route),
            }
        ),
        care=pd.DataFrame(
            {
                "child_id": care.child,
                "family_id": family[care.child],
                "start": _dates(care.start),
                "end": _dates(care.end),
                "reason": _labels(CARE_END_REASONS, care.reason),
                "uasc": register.uasc[care.child],
                "date_of_birth": _dates(birth[care.child]),
                "route": _labels(ROUTES, care.route),
            }
        ),
        expected_referrals_by_month=pd.Series(
            referrals.expected_by_month,
            index=pd.PeriodIndex(setting.month_start[:-1].astype("datetime64[D]"), freq="M"),
            name="expected_referrals",
        ),
        log_multipliers=pd.DataFrame(
            {name: getattr(setting.paths, name) for name in Paths.__slots__ if name != "grid"},
            index=pd.Index(grid.months_from_census, name="months_from_census"),
        ),
    )
