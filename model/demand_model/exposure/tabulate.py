"""Spells to the occurrence-exposure table.

Every cell of the table counts events and time at risk of one flow in one
calendar month, so tables add up over months and over authorities, and can be
cut at an earlier date. Time at risk starts when the spell came under
observation (`time_enter`), never before: that is what makes a rate from a
six-month window right (Keiding 1990; Brookmeyer and Gail 1987).

=====================  =======================  ====================  ==================
flow                   segment                  duration band         exposure
=====================  =======================  ====================  ==================
referrals              source group             ""                    working days
referral_nfa           source group             ""                    referrals
re_referrals           all                      months since          child-days
referral_to_plan       source group             week since referral   referrals followed
referral_to_care       source group             week since referral   referrals followed
other_plan_starts      all                      look-back in weeks    days
other_care_starts      all                      look-back in weeks    days
uasc_starts            all                      ""                    days
plan_to_care           all                      months on plan        child-days
plan_ends              all                      months on plan        child-days
care_ends_*            age group or UASC        months in care        child-days
=====================  =======================  ====================  ==================

"Other" starts are those linked to no referral, by how many weeks List 3 looks
back from the start (the last band has the full look-back): the fit splits them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from demand_model.annex_a.checked import Window
from demand_model.exposure.cells import COLUMNS
from demand_model.exposure.clustering import Clustering, same_day_clustering
from demand_model.exposure.opening import OpeningStock, opening_stock
from demand_model.exposure.referral_cells import (
    conversions,
    nfa_counts,
    pipeline,
    re_referrals,
    referral_counts,
    unlinked_starts,
)
from demand_model.exposure.series import month_to_date, monthly_series
from demand_model.exposure.stay_cells import (
    care_ends,
    hidden_care_ends,
    placement_days,
    plan_ends,
    plan_to_care,
    uasc_starts,
)
from demand_model.flows import Flow
from demand_model.spell.build import Spells


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """Occurrences and exposure, and the stock that the forecast opens with.

    Attributes
    ----------
    table
        Columns `COLUMNS`; ``month`` is the first of the calendar month.
    clustering
        By kind of event (``plan_starts``, ``plan_ends``, ``care_starts``,
        ``care_ends``, ``referrals``): same-day pairs beyond chance.
    opening
        Children on plans and in care at the census date: durations and ages.
    pipeline
        Referrals that may still convert: ``days_ago`` (before the census date),
        ``source_group``, ``count``.
    placement_days
        ``flow``, ``placement_group``, ``occurrences``, ``exposure`` (child-days,
        counted from the start of the current placement only).
    series
        ``month_end``, ``measure``, ``segment``, ``value``: the whole months that
        the lists cover, as in `Forecast.history`.
    hidden_care_ends
        Ends within the window of earlier periods of care that the list does not
        show, since the child came back (see `hidden_care_ends`).
    month_to_date
        ``measure``, ``segment``, ``value``: flows of an unfinished census month.
    """

    census_date: date
    windows: Mapping[int, Window]
    table: pd.DataFrame
    clustering: Mapping[str, Clustering]
    opening: OpeningStock
    pipeline: pd.DataFrame
    placement_days: pd.DataFrame
    series: pd.DataFrame
    month_to_date: pd.DataFrame
    hidden_care_ends: float


def tabulate(spells: Spells) -> Exposure:
    """Count occurrences and time at risk by flow, segment, duration band and month."""
    parts = [
        referral_counts(spells),
        nfa_counts(spells),
        re_referrals(spells),
        conversions(spells, spells.plans, Flow.REFERRAL_TO_PLAN, spells.windows[7]),
        conversions(spells, spells.care, Flow.REFERRAL_TO_CARE, spells.windows[8]),
        unlinked_starts(spells, spells.plans, Flow.OTHER_PLAN_STARTS, spells.windows[7]),
        unlinked_starts(spells, spells.care, Flow.OTHER_CARE_STARTS, spells.windows[8]),
        uasc_starts(spells),
        plan_ends(spells),
        plan_to_care(spells),
        care_ends(spells),
    ]
    return Exposure(
        census_date=spells.census_date,
        windows=spells.windows,
        table=pd.concat(parts, ignore_index=True)[list(COLUMNS)],
        clustering=_clustering(spells),
        opening=opening_stock(spells),
        pipeline=pipeline(spells),
        placement_days=placement_days(spells),
        series=monthly_series(spells),
        month_to_date=month_to_date(spells),
        hidden_care_ends=hidden_care_ends(spells),
    )


def _clustering(spells: Spells) -> dict[str, Clustering]:
    last = spells.census_date
    plans, care = spells.plans, spells.care
    own = ~care["uasc"]
    days = {
        "referrals": (spells.referrals["date"], spells.windows[3].start),
        "plan_starts": (plans.loc[plans["in_window"], "start"], spells.windows[7].start),
        "plan_ends": (plans.loc[plans["event"], "end"], spells.windows[7].start),
        "care_starts": (care.loc[care["in_window"] & own, "start"], spells.windows[8].start),
        "care_ends": (care.loc[care["event"] & own, "end"], spells.windows[8].start),
    }
    return {
        kind: same_day_clustering(when.to_numpy().astype("datetime64[D]"), first, last)
        for kind, (when, first) in days.items()
    }
