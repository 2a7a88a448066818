"""Client journeys: where children go from a referral, how long each stage takes, what holds them.

::

    Spells -> stages (delayed entry, right censoring) -> curves -> flows, times, sentences

Shares are Aalen-Johansen estimates and times are read off the same curves (see
`demand_model.results.journey_curves`): a plain count over closed cases would see
quick journeys only, since slow ones are not over yet. Intervals are of 80%, wider by
the measured dispersion, since siblings move together. Small numbers are withheld
(`demand_model.results.journey_counts`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.checked import Lists
from demand_model.exposure.clustering import same_day_clustering
from demand_model.rates.priors import Priors
from demand_model.results.journey_counts import rounded_count, withheld
from demand_model.results.journey_curves import (
    FEWEST,
    Curve,
    Estimate,
    share_by,
    share_in_the_end,
    still_by,
)
from demand_model.results.journey_groups import (
    FEWEST_OUTCOMES,
    NEARLY_DAYS,
    Followed,
    Group,
    figures,
    follow,
    has_end,
)
from demand_model.results.journey_stages import (
    ANY_REFERRAL,
    CARE,
    NFA,
    PLAN,
    REFERRAL,
    Stage,
    stages_of,
)
from demand_model.results.journey_times import STAGE_COLUMNS, stage_rows
from demand_model.results.journey_words import journey_sentences
from demand_model.spell.build import Spells, spells
from demand_model.units import DAYS_PER_MONTH

HORIZONS = {"m3": 3.0, "m6": 6.0, "m12": 12.0}
"""Months after the start of a stage, by column of the table of flows."""

IN_THE_END = "end"
UNDECIDED = "Referrals whose decision is not known count as not closed."

FLOW_COLUMNS = (
    *("from", "by", "group", "to", "seen"),
    *(f"{name}{end}" for name in (*HORIZONS, IN_THE_END) for end in ("", "_low", "_high")),
    *("plain", "withheld", "note"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journeys:
    """Where children go, and how long it takes, as the lists show it.

    Attributes
    ----------
    flows
        Columns `FLOW_COLUMNS`, one row a group and outcome: ``seen`` (children in
        the window, rounded to 5), shares of those who began within 3, 6 and 12
        months and of those who leave in the end, each with an 80% interval,
        ``plain`` (the share that counting alone gives). ``withheld`` names the
        figures that small numbers hide, with blanks between; ``note`` says what the
        lists cannot show. Figures that are withheld or not known are NaN.
    stages
        Columns `demand_model.results.journey_times.STAGE_COLUMNS`, one row a stage and
        group: percentiles of time in ``unit`` with intervals, those of closed cases
        alone beside them, children in the stage at a time on average (rounded to 5),
        and the share of all child-months on a plan or in care.
    sentences
        The same in words, the most telling first.
    """

    census_date: date
    flows: pd.DataFrame
    stages: pd.DataFrame
    sentences: tuple[str, ...]


def journeys(found: Lists | Spells) -> Journeys:
    """Estimate the journeys of children from checked lists, or from their spells.

    Parameters
    ----------
    found
        From `demand_model.check` or `demand_model.spells`.
    """
    seen = spells(found) if isinstance(found, Lists) else found
    dispersion = _dispersion(seen)
    followed = {stage.name: follow(stage) for stage in stages_of(seen)}
    flows = [row for stage in followed.values() for row in _flow_rows(stage, dispersion)]
    if seen.referrals["nfa"].isna().any():
        for row in flows:
            if (row["from"], row["to"]) == (REFERRAL, NFA):
                row["note"] = f"{UNDECIDED} {row['note']}".rstrip()
    stages = stage_rows(seen, followed, dispersion)
    return Journeys(
        census_date=seen.census_date,
        flows=pd.DataFrame(flows, columns=list(FLOW_COLUMNS)),
        stages=pd.DataFrame(stages, columns=list(STAGE_COLUMNS)),
        sentences=journey_sentences(flows, stages, undecided=_undecided(seen)),
    )


def _undecided(seen: Spells) -> tuple[int, int]:
    """Referrals that do not say whether they were closed at once, and all."""
    return int(seen.referrals["nfa"].isna().sum()), len(seen.referrals)


def _dispersion(seen: Spells) -> dict[str, float]:
    """Variance over mean of counts of events, by kind, as the fit has them."""
    plans, care, prior = seen.plans, seen.care, Priors().dispersion
    own = ~care["uasc"].astype(bool)
    days = {
        "referrals": (seen.referrals["date"], 3),
        "plan_starts": (plans.loc[plans["in_window"], "start"], 7),
        "plan_ends": (plans.loc[plans["event"], "end"], 7),
        "care_starts": (care.loc[care["in_window"] & own, "start"], 8),
        "care_ends": (care.loc[care["event"] & own, "end"], 8),
    }
    return {
        kind: same_day_clustering(
            when.to_numpy().astype("datetime64[D]"), seen.windows[number].start, seen.census_date
        ).dispersion(prior=prior.of(kind), prior_events=prior.events)
        for kind, (when, number) in days.items()
    }


def _flow_rows(followed: Followed, dispersion: Mapping[str, float]) -> list[dict[str, str | float]]:
    """The table's rows of one stage; groups of which next to nothing could be shown left out."""
    stage = followed.stage
    rows: list[dict[str, str | float]] = []
    for family in followed.families or ((),):
        groups = [followed.everyone, *(g for g in family if g.has_left >= FEWEST_OUTCOMES)]
        hidden = _hidden(stage, groups)
        for i, group in enumerate(groups):
            mine = {name: mask[i] for name, mask in hidden.items()}
            shown = group.counts(len(stage.outcomes)) * ~mine["seen"]
            if (shown[:-1].any() and i) or not rows:  # everyone once
                rows += _group_rows(stage, group, mine, dispersion)
    return rows


def _hidden(stage: Stage, groups: Sequence[Group]) -> dict[str, npt.NDArray[np.bool_]]:
    """Which figures are withheld; by column, shape (groups, outcomes + 1)."""
    ends = {name: months * DAYS_PER_MONTH for name, months in HORIZONS.items()}
    ends["seen"] = math.inf
    count = len(stage.outcomes)
    counts = np.stack([[group.counts(count, days) for group in groups] for days in ends.values()])
    masks = dict(zip(ends, withheld(counts, last=stage.hidden_last), strict=True))
    masks[IN_THE_END] = masks["seen"].copy()
    masks[IN_THE_END][:, -1] = False
    return masks


def _group_rows(
    stage: Stage,
    group: Group,
    hidden: Mapping[str, npt.NDArray[np.bool_]],
    dispersion: Mapping[str, float],
) -> list[dict[str, str | float]]:
    """A group's rows: one an outcome, and one of who has not left."""
    reach = group.curve.reach + NEARLY_DAYS
    known = {name: m for name, m in HORIZONS.items() if m * DAYS_PER_MONTH <= reach}
    note = _flow_note(stage, group.curve, known)
    is_whole = has_end(stage, group.curve)
    counts = group.counts(len(stage.outcomes))
    is_referral = stage.name in (REFERRAL, ANY_REFERRAL)
    whole = len(group.observed) if is_referral else int(counts[:-1].sum())
    rows = []
    for k, to in enumerate((*stage.outcomes, stage.still)):
        covered = [name for name, mask in hidden.items() if mask[k]]
        row: dict[str, str | float] = dict.fromkeys(FLOW_COLUMNS, math.nan)
        row |= {"from": stage.name, "by": group.by, "group": group.name, "to": to, "note": note}
        row["withheld"] = " ".join(_withheld_here(covered, known, is_end=is_whole))
        if "seen" not in covered:
            row["seen"] = rounded_count(counts[k])
            if k < len(stage.outcomes) and whole >= FEWEST:
                row["plain"] = counts[k] / whole
        for name, months in known.items():
            if name not in covered:
                row |= figures(name, _share(stage, group.curve, k, months, dispersion))
        if is_whole and k < len(stage.outcomes) and IN_THE_END not in covered:
            d = dispersion[stage.clusters[k]]
            row |= figures(IN_THE_END, share_in_the_end(group.curve, k, dispersion=d))
        rows.append(row)
    return rows


def _share(
    stage: Stage, curve: Curve, k: int, months: float, dispersion: Mapping[str, float]
) -> Estimate:
    """Share that came to an outcome by a time, or after the last outcome that is still there."""
    days = months * DAYS_PER_MONTH
    if k < len(stage.outcomes):
        return share_by(curve, k, days, dispersion=dispersion[stage.clusters[k]])
    return still_by(curve, days, dispersion=max(dispersion[c] for c in stage.clusters))


def _withheld_here(covered: list[str], known: Mapping[str, float], *, is_end: bool) -> list[str]:
    """Of the figures withheld, those that would else be there."""
    there = {*known, "seen", *((IN_THE_END,) if is_end else ())}
    return [name for name in covered if name in there]


def _flow_note(stage: Stage, curve: Curve, known: Mapping[str, float]) -> str:
    beyond = [f"{months:.0f}" for name, months in HORIZONS.items() if name not in known]
    parts = []
    if beyond:
        parts.append(f"{' and '.join(beyond)} months: beyond what the lists show.")
    if stage.name in (PLAN, CARE) and not has_end(stage, curve):
        parts.append("In the end: the longest stays are not over within what the lists show.")
    return " ".join(parts)
