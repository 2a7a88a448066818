"""Who starts on a plan or in care: from referrals, from plans, and from neither."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from demand_samples import exits
from demand_samples.drift import Grid, Paths
from demand_samples.exits import OPEN, care_ends, plan_ends
from demand_samples.families import Families, birth_days, draw_families, members, singletons
from demand_samples.history import ROUTES
from demand_samples.intake import TO_CARE, TO_PLAN, Referrals, expected_referrals
from demand_samples.setting import Setting, random_days
from demand_samples.spells import Register, Spells, concat, keep_apart, number_pairs
from demand_samples.truth import CARE_REASONS, PLAN_BAND_START_MONTHS, AuthorityTruth
from demand_samples.working_days import DAYS_PER_MONTH, DAYS_PER_YEAR, england, month_starts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_RE_ENTRY_BAND_MONTHS = (0.0, 3.0, 12.0, 24.0)
_MAX_RE_ENTRIES = 4
_TAKE_EFFECT = 0.98
"""Entries drawn that stand; the others are of children in care already or grown up by then."""


def _new_families(
    setting: Setting,
    register: Register,
    per_month: float,
    log_path: Floats,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints]:
    """Families who start with no referral: (child, day, batch within these)."""
    mean_size = setting.truth.families.mean_size
    day = random_days(
        per_month / mean_size,
        log_path,
        setting.paths,
        int(setting.month_start[0]),
        setting.horizon + 1,
        rng,
    )
    families = draw_families(setting.truth.families, day, rng)
    first = register.add(families)
    batch, child = members(families.first, families.size)
    return child + first, day[batch], batch


def draw_plans(
    setting: Setting, register: Register, referrals: Referrals, rng: np.random.Generator
) -> Spells:
    """Draw plans that follow referrals and plans that follow none."""
    truth = setting.truth
    led = referrals.outcome == TO_PLAN
    child, day, batch = _new_families(
        setting, register, truth.plans.other_starts_per_month, setting.paths.plan_other, rng
    )
    offset = int(referrals.batch.max(initial=0)) + 1
    child = np.concatenate((referrals.child[led], child))
    start = np.concatenate((referrals.outcome_day[led], day))
    batch = np.concatenate((referrals.batch[led], batch + offset))
    route = np.repeat(
        (ROUTES.index("referral"), ROUTES.index("other")), (int(led.sum()), len(day))
    ).astype(np.int64)
    ends = plan_ends(
        truth.plans,
        truth.families,
        start=start,
        birth_day=register.birth_day[child],
        batch=batch,
        paths=setting.paths,
        horizon=setting.horizon,
        rng=rng,
    )
    spells = Spells(
        child=child, start=start, batch=batch, route=route, end=ends.day, reason=ends.reason
    )
    spells = spells.where((start < ends.day) & (start <= setting.horizon))
    return spells.where(keep_apart(spells.child, spells.start, spells.end))


def _care_spells(
    setting: Setting,
    register: Register,
    *,
    child: Ints,
    start: Ints,
    batch: Ints,
    route: Ints,
    rng: np.random.Generator,
) -> Spells:
    """Care spells with their ends; entries after the horizon or the 18th birthday are dropped.

    The unborn enter at birth. Only those who enter on one day are a batch: siblings
    who part do not end together.
    """
    start = np.maximum(start, register.birth_day[child])
    batch = number_pairs(batch, start)
    order = np.lexsort((child, batch))
    child, start, batch, route = child[order], start[order], batch[order], route[order]
    ends = care_ends(
        setting.truth.care,
        setting.truth.families,
        start=start,
        birth_day=register.birth_day[child],
        uasc=register.uasc[child],
        batch=batch,
        paths=setting.paths,
        horizon=setting.horizon,
        rng=rng,
    )
    spells = Spells(
        child=child, start=start, batch=batch, route=route, end=ends.day, reason=ends.reason
    )
    return spells.where((start < ends.day) & (start <= setting.horizon))


def detail_entries(
    setting: Setting,
    register: Register,
    referrals: Referrals,
    plans: Spells,
    rng: np.random.Generator,
) -> Spells:
    """Draw first entries to care that follow from referrals, plans and the rest."""
    led = referrals.outcome == TO_CARE
    moved = plans.reason == exits.PLAN_CARE
    care = setting.truth.care
    child, day, batch = _new_families(
        setting, register, care.other_starts_per_month, setting.paths.care_other, rng
    )
    sources = (
        (
            referrals.child[led],
            referrals.outcome_day[led],
            referrals.batch[led],
            ROUTES.index("referral"),
        ),
        (plans.child[moved], plans.end[moved], plans.batch[moved], ROUTES.index("plan")),
        (child, day, batch, ROUTES.index("other")),
    )
    # Batches of the three routes are numbered apart.
    offset = 0
    batches = []
    for _, _, number, _ in sources:
        batches.append(number + offset)
        offset += int(number.max(initial=0)) + 1
    return _care_spells(
        setting,
        register,
        child=np.concatenate([part[0] for part in sources]),
        start=np.concatenate([part[1] for part in sources]),
        batch=np.concatenate(batches),
        route=np.concatenate([np.full(len(part[0]), part[3]) for part in sources]),
        rng=rng,
    )


def mean_plan_months(truth: AuthorityTruth) -> float:
    """Mean months on a plan in steady state, by summing survival over the hazards."""
    edges = np.array((*PLAN_BAND_START_MONTHS, 120.0))
    if truth.plans.reviews is None:
        hazard = np.array(truth.plans.end_hazard_per_month) + truth.plans.care_hazard_per_month
        survival = np.exp(-np.concatenate(([0.0], np.cumsum(hazard * np.diff(edges)))))
        return float((-np.diff(survival) / hazard).sum())
    reviews = truth.plans.reviews
    month = np.arange(0.0, 120.0, 0.05)
    number = np.floor((month - reviews.first_month) / reviews.interval_months).astype(int) + 1
    stay = np.cumprod([1.0, *(1 - np.array(reviews.end_probability))])
    last = reviews.end_probability[-1]
    known = len(reviews.end_probability)
    kept = stay[np.clip(number, 0, known)] * (1 - last) ** np.maximum(number - known, 0)
    slow = reviews.background_hazard_per_month + truth.plans.care_hazard_per_month
    return float((kept * np.exp(-slow * month)).sum() * 0.05)


def early_entries(
    setting: Setting, register: Register, later: Spells, rng: np.random.Generator
) -> Spells:
    """Entries before the handover: steady-state rate, ages and groups of later entries."""
    truth, paths = setting.truth, setting.paths
    months = month_starts(date(2001, 1, 1), 48)
    flat = Paths(
        grid=Grid(census_day=0, months_before=1, months_after=1),
        **{name: np.zeros(2) for name in Paths.__slots__ if name != "grid"},
    )
    per_month = float(expected_referrals(truth.referrals, months, england(2001, 2004), flat).mean())
    plan_starts = truth.plans.conversion.share * per_month + truth.plans.other_starts_per_month
    from_plans = plan_starts * mean_plan_months(truth) * truth.plans.care_hazard_per_month
    from_referrals = truth.care.conversion.share * per_month
    _, first, size = np.unique(later.batch, return_index=True, return_counts=True)
    if len(first) == 0:
        return later
    mean_size = float(size.mean())
    day = np.sort(
        np.concatenate(
            [
                random_days(
                    _TAKE_EFFECT * rate / mean_size,
                    path,
                    paths,
                    setting.begin,
                    setting.handover,
                    rng,
                )
                for rate, path in (
                    (from_referrals, paths.intake + paths.care_conversion),
                    (from_plans, paths.intake + paths.plan_conversion + paths.plan_care),
                    (truth.care.other_starts_per_month, paths.care_other),
                )
            ]
        )
    )
    like = rng.integers(0, len(first), size=len(day))
    batch, model = members(first[like].astype(np.int64), size[like].astype(np.int64))
    age = (later.start[model] - register.birth_day[later.child[model]]) / DAYS_PER_YEAR
    start = day[batch]
    number = size[like].astype(np.int64)
    families = Families(
        size=number,
        first=(np.cumsum(number) - number).astype(np.int64),
        birth_day=birth_days(age, start),
    )
    offset = register.add(families)
    return _care_spells(
        setting,
        register,
        child=np.arange(families.children) + offset,
        start=start,
        batch=batch,
        route=np.full(len(start), ROUTES.index("early")),
        rng=rng,
    )


def uasc_entries(setting: Setting, register: Register, rng: np.random.Generator) -> Spells:
    """Draw the care of unaccompanied children seeking asylum."""
    day = random_days(
        setting.truth.care.uasc_starts_per_month,
        setting.paths.care_uasc,
        setting.paths,
        setting.begin,
        setting.horizon + 1,
        rng,
    )
    # Ages 15, 16 and 17; a few younger.
    age = np.where(
        rng.random(len(day)) < 0.06,
        rng.uniform(12, 15, len(day)),
        15 + 2.95 * np.sqrt(rng.random(len(day))),
    )
    first = register.add(singletons(age, day), uasc=True)
    child = np.arange(len(day)) + first
    return _care_spells(
        setting,
        register,
        child=child,
        start=day,
        batch=np.arange(len(day)),
        route=np.full(len(day), ROUTES.index("uasc")),
        rng=rng,
    )


def _re_entries(
    setting: Setting, register: Register, spells: Spells, rng: np.random.Generator
) -> Spells:
    """Second periods of those who went home; siblings who left together come back together."""
    home = spells.where((spells.reason == CARE_REASONS.index("home")) & (spells.end < OPEN))
    if len(home.child) == 0:
        return home
    edges = np.array(_RE_ENTRY_BAND_MONTHS)
    hazard = np.repeat(
        np.array(setting.truth.care.re_entry_hazard_per_month), np.diff(edges).astype(int)
    )
    group = number_pairs(home.batch, home.end)
    first = np.unique(group)
    wait = exits.first_event_months(np.broadcast_to(hazard, (len(first), len(hazard))).copy(), rng)
    back = np.isfinite(wait)[group]
    day = home.end[back] + np.maximum(np.round(wait[group][back] * DAYS_PER_MONTH), 1).astype(
        np.int64
    )
    return _care_spells(
        setting,
        register,
        child=home.child[back],
        start=day,
        batch=group[back].astype(np.int64),
        route=np.full(int(back.sum()), ROUTES.index("re-entry")),
        rng=rng,
    )


def with_re_entries(
    setting: Setting, register: Register, entries: Spells, rng: np.random.Generator
) -> Spells:
    """Add second and later periods of care to first ones."""
    parts = [entries]
    for _ in range(_MAX_RE_ENTRIES):
        again = _re_entries(setting, register, parts[-1], rng)
        if len(again.child) == 0:
            break
        parts.append(again)
    return concat(parts)
