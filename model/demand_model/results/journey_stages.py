"""The stages of a child's journey, as left-truncated and right-censored times.

======================  =============================================  ==============
stage                   outcomes                                       bands
======================  =============================================  ==============
Referral                no further action, plan, care, referred again  months
Any referral            referred again                                 months
Child protection plan   care, ended, 18 (if 5 or more)                 months on plan
Care                    home, adoption, SGO or CAO, other, 18          months in care
======================  =============================================  ==============

The first outcome counts. Starts are put down to a referral, and care to a plan, as
in `demand_model.spell.linkage`. A stage comes under observation when all the lists
that can show its outcomes cover it: where List 8 reaches less far back than List 3,
an earlier referral counts from the day that List 8 begins (delayed entry).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.bands import AGE_BANDS, CARE_BANDS, PLAN_BANDS, UASC
from demand_model.results.journey_counts import FEWEST_SHOWN
from demand_model.results.journey_curves import STILL, FloatArray, Observed
from demand_model.spell.build import EIGHTEENTH_BIRTHDAY, OPEN, Spells
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

REFERRAL, ANY_REFERRAL, PLAN, CARE = "Referral", "Any referral", "Child protection plan", "Care"

NFA = "No further action"
STARTED_PLAN = "Child protection plan"
STARTED_CARE = "Care"
AGAIN = "Referred again"
NO_LONGER_NEEDED = "Ended, no care"
ADULT = "18th birthday"
HOME, ADOPTION, SGO_CAO, OTHER = "Home", "Adoption", "SGO or CAO", "Other reason"

_REASONS = {"home": HOME, "adoption": ADOPTION, "sgo_cao": SGO_CAO, "other": OTHER}
_AT_ONCE = 0.25
"""Days after a referral at which it counts as closed without action: before all else."""

_HALF_DAY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """One stage: who is in it, for how long, and where they go.

    Attributes
    ----------
    name
        One of the constants above.
    outcomes
        Names, by number.
    clusters
        For each outcome, the kind of event whose dispersion it has
        (`demand_model.rates.priors.DispersionPrior`).
    still
        What is said of who has not left.
    hidden_last
        Number of the outcome that matters most: hidden for the sake of another's small
        numbers only where no other can be.
    observed
        One entry a spell or referral.
    bands
        Lower edges of duration bands in days.
    groups
        By family of groups ("Referral source", "Age at start", …): each entry's
        label, "" where it has none; shape (entries,).
    held_days
        Child-days in the stage while the lists show it, by entry; shape (entries,).
    """

    name: str
    outcomes: tuple[str, ...]
    clusters: tuple[str, ...]
    still: str
    observed: Observed
    bands: FloatArray
    groups: Mapping[str, npt.NDArray[np.object_]] = field(default_factory=dict)
    hidden_last: int | None = None

    @property
    def held_days(self) -> FloatArray:
        """Child-days at risk, by entry."""
        return np.maximum(self.observed.leave - self.observed.enter, 0.0)


def stages_of(spells: Spells) -> tuple[Stage, ...]:
    """Every stage of the table above, in its order."""
    return (
        _referral_stage(spells),
        _any_referral_stage(spells),
        _plan_stage(spells),
        _care_stage(spells),
    )


def _days(bands: tuple[float, ...]) -> FloatArray:
    return np.asarray(bands) * DAYS_PER_MONTH


_REFERRAL_BANDS = np.append([0.0, 1.0], _days((1, 2, 3, 4, 5, 6, 9, 12, 18, 24, 36, 48)))
_CARE_BANDS = np.append(_days(CARE_BANDS.lower), _days((84.0, 120.0, 168.0)))


def _referral_stage(spells: Spells) -> Stage:
    refs = spells.referrals
    census = pd.Timestamp(spells.census_date)
    until_census = (census - refs["date"]).dt.days.to_numpy(float) + _HALF_DAY
    again = refs.groupby("child_id", sort=False)["date"].shift(-1)
    times = np.column_stack(
        [
            np.where(refs["nfa"].fillna(value=False).to_numpy(bool), _AT_ONCE, np.inf),
            _time_to_start(refs, spells.plans),
            _time_to_start(refs, spells.care),
            np.maximum((again - refs["date"]).dt.days.to_numpy(float), _HALF_DAY),
        ]
    )
    enter = _not_before(refs["date"], _latest(spells, 7, 8))
    return Stage(
        name=REFERRAL,
        outcomes=(NFA, STARTED_PLAN, STARTED_CARE, AGAIN),
        clusters=("referrals", "plan_starts", "care_starts", "referrals"),
        still="None of these so far",
        observed=_first_outcome(enter, until_census, times),
        bands=_REFERRAL_BANDS,
        groups={"Referral source": refs["source_group"].to_numpy(object)},
        hidden_last=1,
    )


def _any_referral_stage(spells: Spells) -> Stage:
    refs = spells.referrals
    until_census = (pd.Timestamp(spells.census_date) - refs["date"]).dt.days.to_numpy(float)
    again = refs.groupby("child_id", sort=False)["date"].shift(-1)
    time = np.maximum((again - refs["date"]).dt.days.to_numpy(float), _HALF_DAY)
    closed = refs["nfa"].fillna(value=False).to_numpy(bool)
    known = refs["nfa"].notna().to_numpy(bool)
    after = np.where(closed, "After no further action", "After one taken up")
    return Stage(
        name=ANY_REFERRAL,
        outcomes=(AGAIN,),
        clusters=("referrals",),
        still="Not again so far",
        observed=_first_outcome(np.zeros(len(refs)), until_census + _HALF_DAY, time[:, None]),
        bands=_REFERRAL_BANDS,
        groups={"Decision at referral": np.where(known, after, "").astype(object)},
    )


def _plan_stage(spells: Spells) -> Stage:
    """Ends at the 18th birthday are told apart only where there are enough to show."""
    plans = spells.plans
    leave = plans["time_exit"].to_numpy(float)
    grown = plans["reason"].to_numpy(object) == EIGHTEENTH_BIRTHDAY
    ended = plans["event"].to_numpy(bool)
    enter = np.maximum(
        plans["time_enter"].to_numpy(float), _not_before(plans["start"], _latest(spells, 8))
    )
    times = [_time_to_care(spells), np.where(ended, leave, np.inf), np.where(grown, leave, np.inf)]
    outcomes = [STARTED_CARE, NO_LONGER_NEEDED, ADULT]
    if int((grown & (leave > enter)).sum()) < FEWEST_SHOWN:
        times = [times[0], np.minimum(*times[1:])]
        outcomes = outcomes[:-1]
    return Stage(
        name=PLAN,
        outcomes=tuple(outcomes),
        clusters=("care_starts", "plan_ends", "plan_ends")[: len(outcomes)],
        still="Still on the plan",
        observed=_first_outcome(enter, leave, np.column_stack(times)),
        bands=_days(PLAN_BANDS.lower),
        groups=_plan_groups(plans),
    )


def on_plan_stage(spells: Spells) -> Stage:
    """Time on a plan, however it ends; care is no end of its own."""
    plans = spells.plans
    leave = plans["time_exit"].to_numpy(float)
    ended = np.where(plans["reason"].to_numpy(object) != OPEN, leave, np.inf)
    return Stage(
        name=PLAN,
        outcomes=("Ended",),
        clusters=("plan_ends",),
        still="Still on the plan",
        observed=_first_outcome(plans["time_enter"].to_numpy(float), leave, ended[:, None]),
        bands=_days(PLAN_BANDS.lower),
        groups=_plan_groups(plans),
    )


def _care_stage(spells: Spells) -> Stage:
    care = spells.care
    leave = care["time_exit"].to_numpy(float)
    reason = care["reason"].to_numpy(object)
    ends = (*_REASONS, EIGHTEENTH_BIRTHDAY)
    age = _age_group(care)
    return Stage(
        name=CARE,
        outcomes=(*_REASONS.values(), ADULT),
        clusters=("care_ends",) * len(ends),
        still="Still in care",
        observed=_first_outcome(
            care["time_enter"].to_numpy(float),
            leave,
            np.column_stack([np.where(reason == end, leave, np.inf) for end in ends]),
        ),
        bands=_CARE_BANDS,
        groups={"Age at start": np.where(care["uasc"].to_numpy(bool), UASC, age).astype(object)},
    )


def _plan_groups(plans: pd.DataFrame) -> dict[str, npt.NDArray[np.object_]]:
    category = plans["category"].astype(object).where(plans["category"].notna(), "")
    return {
        "Age at start": _age_group(plans),
        "Category of abuse": category.to_numpy(object),
    }


def _age_group(spells: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Age group at the start of a spell; "" where the age is unknown."""
    age = (spells["start"] - spells["date_of_birth"]).dt.days.to_numpy(float) / DAYS_PER_YEAR
    known = ~np.isnan(age)
    labels = np.asarray(AGE_BANDS.labels, dtype=object)[AGE_BANDS.index(np.where(known, age, 0.0))]
    return np.where(known, labels, "").astype(object)


def _first_outcome(enter: FloatArray, until: FloatArray, times: FloatArray) -> Observed:
    """The first of several outcomes, if it comes by the end of observation.

    Parameters
    ----------
    times
        Days until each outcome (NaN or infinite: never); shape (entries, outcomes).
        Of two on one day the first column wins.
    """
    at = np.where(np.isnan(times), np.inf, times)
    first = at.min(axis=1)
    comes = first <= until
    return Observed(
        enter=enter,
        leave=np.where(comes, first, until),
        outcome=np.where(comes, at.argmin(axis=1), STILL).astype(np.intp),
    )


def _latest(spells: Spells, *numbers: int) -> date:
    """First day that all of some lists cover."""
    return max(spells.windows[number].start for number in numbers)


def _not_before(begun: pd.Series, opens: date) -> FloatArray:
    """Days after each start at which a list begins to show it; 0 where it does from the first."""
    days = (pd.Timestamp(opens) - begun).dt.days.to_numpy(float) - _HALF_DAY
    return np.asarray(np.maximum(days, 0.0))


def _time_to_start(refs: pd.DataFrame, starts: pd.DataFrame) -> FloatArray:
    """Days from each referral to the first start put down to it; infinite where there is none."""
    linked = starts[starts["lag_days"].notna()]
    out = np.full(len(refs), np.inf)
    if not len(linked) or not len(refs):
        return out
    lag = linked["lag_days"].to_numpy(float)
    made = linked["start"].to_numpy().astype("datetime64[D]") - lag.astype(int)
    children = np.concatenate([refs["child_id"].to_numpy(object), linked["child_id"]])
    days = np.concatenate([refs["date"].to_numpy().astype("datetime64[D]"), made]).astype(int)
    key = pd.factorize(children)[0] * (np.ptp(days) + 1) + (days - days.min())
    own, wanted = key[: len(refs)], key[len(refs) :]
    # Of two referrals of a child on one day, starts are put down to the last.
    order = np.argsort(own, kind="stable")
    at = order[np.searchsorted(own[order], wanted, side="right") - 1]
    found = own[at] == wanted
    np.minimum.at(out, at[found], np.maximum(lag[found], _HALF_DAY))
    return out


def _time_to_care(spells: Spells) -> FloatArray:
    """Days from the start of each plan to that of care; infinite where there is none.

    Care that starts within the grace after a plan counts at the plan's end.
    """
    plans, care = spells.plans, spells.care
    begun = care.loc[~care["uasc"].astype(bool), ["child_id", "start", "origin"]]
    joined = (
        plans[["child_id", "start", "end"]]
        .reset_index(names="row")
        .merge(begun, on="child_id", suffixes=("", "_care"))
    )
    on_plan = joined["end"].isna() | (joined["start_care"] <= joined["end"])
    follows = (joined["start_care"] >= joined["start"]) & (on_plan | (joined["origin"] == "plan"))
    joined = joined[follows]
    # Within the grace, care is put down to the plan that ended last before it.
    joined = joined.sort_values(["start_care", "start"]).drop_duplicates(
        ["child_id", "start_care"], keep="last"
    )
    days = np.maximum((joined["start_care"] - joined["start"]).dt.days.to_numpy(float), _HALF_DAY)
    out = np.full(len(plans), np.inf)
    np.minimum.at(out, joined["row"].to_numpy(np.intp), days)
    ends = plans["time_exit"].to_numpy(float)
    return np.asarray(np.where(np.isfinite(out), np.minimum(out, ends), np.inf))
