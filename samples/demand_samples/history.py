"""A history: what truly happened to every child of a made-up authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from demand_samples.truth import CARE_REASONS, AuthorityTruth

CENSUS_DATE = date(2026, 9, 30)
PLAN_REASONS = ("ended", "care", "18th birthday")
CARE_END_REASONS = (*CARE_REASONS, "18th birthday")
ROUTES = ("early", "referral", "plan", "other", "uasc", "re-entry")
"""How a spell came about; "early" entries predate the simulated referrals."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """What truly happened, child by child.

    Attributes
    ----------
    truth, seed
        The process behind it, and the draw.
    census_date
        The day that an Annex A extract would be taken on.
    first_date
        Referrals, plans and care are complete from this day on (plans after a
        warm-up of two years from the first referral).
    last_date
        Last day simulated.
    children
        Index ``child_id``; ``family_id``, ``date_of_birth`` (may lie ahead).
    referrals
        ``child_id``, ``family_id``, ``date``, ``source_group``, ``nfa``,
        ``outcome`` ("", "plan" or "care": the spell that followed), ``outcome_date``.
    plans
        ``child_id``, ``family_id``, ``start``, ``end`` (NaT if open at `last_date`),
        ``reason``, ``route`` ("referral" or "other").
    care
        ``child_id``, ``family_id``, ``start``, ``end``, ``reason``, ``uasc``,
        ``date_of_birth``, ``route`` (`ROUTES`).
    expected_referrals_by_month
        Expected referrals of each month, noise included; PeriodIndex.
    log_multipliers
        Drift of each rate by mean month around the census date.
    """

    truth: AuthorityTruth
    seed: int
    census_date: date
    first_date: date
    last_date: date
    children: pd.DataFrame
    referrals: pd.DataFrame
    plans: pd.DataFrame
    care: pd.DataFrame
    expected_referrals_by_month: pd.Series[float]
    log_multipliers: pd.DataFrame
