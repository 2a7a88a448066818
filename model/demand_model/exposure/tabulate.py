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

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.checked import Window
from demand_model.exposure.bands import (
    AGE_BANDS,
    CARE_BANDS,
    LAG_LABELS,
    PLAN_BANDS,
    RE_REFERRAL_BANDS,
    UASC,
    Bands,
)
from demand_model.exposure.clustering import Clustering, same_day_clustering
from demand_model.exposure.opening import OpeningStock, opening_stock
from demand_model.exposure.risk import calendar_months, days_at_risk, month_number
from demand_model.exposure.series import month_to_date, monthly_series
from demand_model.flows import CARE_ENDS, Flow
from demand_model.spell.build import Spells
from demand_model.spell.linkage import MAX_LAG_WEEKS
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_WEEK, working_days_between

COLUMNS = ("flow", "segment", "duration_band", "month", "occurrences", "exposure")
FULL_LOOKBACK = f"week {MAX_LAG_WEEKS} and over"
LOOKBACK_LABELS = (*LAG_LABELS, FULL_LOOKBACK)
ALL = "all"
RETURN_MONTHS = (0.0, 3.0, 6.0, 12.0)
RETURNED_WITHIN = (0.0, 0.45, 0.70, 1.0)
"""Of the returns to care within 12 months, the share that came by then. †"""

_USUAL_AGE_BAND = 3
"""Where children of unknown age count: 10 to 15 holds most children in care."""

REASON_OF_FLOW = {
    Flow.CARE_ENDS_HOME: "home",
    Flow.CARE_ENDS_ADOPTION: "adoption",
    Flow.CARE_ENDS_SGO_CAO: "sgo_cao",
    Flow.CARE_ENDS_OTHER: "other",
}


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
        _referral_counts(spells),
        _nfa_counts(spells),
        _re_referrals(spells),
        _conversions(spells, spells.plans, Flow.REFERRAL_TO_PLAN, spells.windows[7]),
        _conversions(spells, spells.care, Flow.REFERRAL_TO_CARE, spells.windows[8]),
        _unlinked(spells, spells.plans, Flow.OTHER_PLAN_STARTS, spells.windows[7]),
        _unlinked(spells, spells.care, Flow.OTHER_CARE_STARTS, spells.windows[8]),
        _uasc_starts(spells),
        _plan_ends(spells),
        _plan_to_care(spells),
        _care_ends(spells),
    ]
    return Exposure(
        census_date=spells.census_date,
        windows=spells.windows,
        table=pd.concat(parts, ignore_index=True)[list(COLUMNS)],
        clustering=_clustering(spells),
        opening=opening_stock(spells),
        pipeline=_pipeline(spells),
        placement_days=_placement_days(spells),
        series=monthly_series(spells),
        month_to_date=month_to_date(spells),
        hidden_care_ends=hidden_care_ends(spells),
    )


def _rows(
    flow: Flow,
    segments: npt.ArrayLike,
    bands: npt.ArrayLike,
    months: npt.ArrayLike,
    occurrences: npt.ArrayLike,
    exposure: npt.ArrayLike,
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "segment": np.asarray(segments, dtype=object),
            "duration_band": np.asarray(bands, dtype=object),
            "month": np.asarray(months, dtype="datetime64[M]").astype("datetime64[s]"),
            "occurrences": np.asarray(occurrences, dtype=float),
            "exposure": np.asarray(exposure, dtype=float),
        }
    )
    frame.insert(0, "flow", flow.value)
    return frame


def _window_months(spells: Spells, window: Window) -> npt.NDArray[np.datetime64]:
    return calendar_months(window.start, spells.census_date)


def _referral_counts(spells: Spells) -> pd.DataFrame:
    months = _window_months(spells, spells.windows[3])
    first = np.maximum(months.astype("datetime64[D]"), np.datetime64(spells.windows[3].start))
    last = np.minimum((months + 1).astype("datetime64[D]"), np.datetime64(spells.census_date) + 1)
    days = working_days_between(first, last)
    number = month_number(spells.referrals["date"], months)
    sources = sorted(spells.referrals["source_group"].unique())
    parts = []
    for source in sources:
        mine = (spells.referrals["source_group"] == source).to_numpy()
        counts = np.bincount(number[mine], minlength=len(months))
        n = len(months)
        parts.append(_rows(Flow.REFERRALS, [source] * n, [""] * n, months, counts, days))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else _rows(Flow.REFERRALS, [], [], np.array([], "datetime64[M]"), [], [])
    )


def _nfa_counts(spells: Spells) -> pd.DataFrame:
    known = spells.referrals[spells.referrals["nfa"].notna()]
    months = known["date"].to_numpy().astype("datetime64[M]")
    grouped = (
        pd.DataFrame(
            {
                "segment": known["source_group"].to_numpy(),
                "month": months.astype("datetime64[s]"),
                "occurrences": known["nfa"].astype(float).to_numpy(),
                "exposure": 1.0,
            }
        )
        .groupby(["segment", "month"], as_index=False)
        .sum()
    )
    return _rows(
        Flow.REFERRAL_NFA,
        grouped["segment"],
        [""] * len(grouped),
        grouped["month"],
        grouped["occurrences"],
        grouped["exposure"],
    )


def _re_referrals(spells: Spells) -> pd.DataFrame:
    """At risk from each referral until the child's next one, or the census."""
    refs = spells.referrals
    next_date = refs.groupby("child_id", sort=False)["date"].shift(-1)
    census = pd.Timestamp(spells.census_date) + pd.Timedelta(days=1)
    length = (next_date.fillna(census) - refs["date"]).dt.days.to_numpy(float)
    return _banded(
        Flow.RE_REFERRALS,
        _window_months(spells, spells.windows[3]),
        RE_REFERRAL_BANDS,
        start=refs["date"],
        enter=np.zeros(len(refs)),
        leave=np.maximum(length, 0.5),
        event=next_date.notna().to_numpy(),
    )


def _banded(
    flow: Flow,
    months: npt.NDArray[np.datetime64],
    bands: Bands,
    *,
    start: pd.Series,
    enter: npt.NDArray[np.float64],
    leave: npt.NDArray[np.float64],
    event: npt.NDArray[np.bool_],
    segment: str = ALL,
) -> pd.DataFrame:
    """Occurrences and child-days by month and duration band, for one segment."""
    begun = start.to_numpy().astype("datetime64[D]")
    exposure = days_at_risk(begun, enter, leave, months, bands)
    occurrences = np.zeros_like(exposure)
    when = np.clip(month_number(begun + np.floor(leave).astype(int), months), 0, None)
    band = bands.index(leave / DAYS_PER_MONTH)
    inside = event & (when < len(months))
    np.add.at(occurrences, (when[inside], band[inside]), 1.0)
    n_months, n_bands = exposure.shape
    return _rows(
        flow,
        [segment] * exposure.size,
        list(bands.labels) * n_months,
        np.repeat(months, n_bands),
        occurrences.ravel(),
        exposure.ravel(),
    )


def _plan_ends(spells: Spells) -> pd.DataFrame:
    p = spells.plans
    return _banded(
        Flow.PLAN_ENDS,
        _window_months(spells, spells.windows[7]),
        PLAN_BANDS,
        start=p["start"],
        enter=p["time_enter"].to_numpy(float),
        leave=p["time_exit"].to_numpy(float),
        event=p["event"].to_numpy(bool),
    )


def _plan_to_care(spells: Spells) -> pd.DataFrame:
    """Starts of care put down to a plan, by time on that plan; time at risk as for ends."""
    months = _window_months(spells, spells.windows[8])
    p, c = spells.plans, spells.care
    at_risk = _banded(
        Flow.PLAN_TO_CARE,
        months,
        PLAN_BANDS,
        start=p["start"],
        enter=p["time_enter"].to_numpy(float),
        leave=p["time_exit"].to_numpy(float),
        event=np.zeros(len(p), dtype=bool),
    )
    begun = c.loc[c["origin"] == "plan", ["child_id", "start"]]
    joined = begun.merge(p[["child_id", "start"]], on="child_id", suffixes=("_care", "_plan"))
    joined = joined[joined["start_plan"] <= joined["start_care"]]
    joined = joined.sort_values("start_plan").drop_duplicates(
        ["child_id", "start_care"], keep="last"
    )
    on_plan = (joined["start_care"] - joined["start_plan"]).dt.days.to_numpy(float)
    occurrences = np.zeros((len(months), len(PLAN_BANDS)))
    when = month_number(joined["start_care"], months)
    np.add.at(occurrences, (when, PLAN_BANDS.index(on_plan / DAYS_PER_MONTH)), 1.0)
    return at_risk.assign(occurrences=occurrences.ravel())


def _care_ends(spells: Spells) -> pd.DataFrame:
    months = _window_months(spells, spells.windows[8])
    care = spells.care
    uasc = care["uasc"].to_numpy(bool)
    parts = []
    for band, label in enumerate(AGE_BANDS.labels):
        enter, leave, event = _within_age(care, band)
        parts += _reason_rows(months, care, enter, leave, event & ~uasc, label, ~uasc)
    enter, leave = care["time_enter"].to_numpy(float), care["time_exit"].to_numpy(float)
    parts += _reason_rows(months, care, enter, leave, care["event"].to_numpy(bool), UASC, uasc)
    return pd.concat(parts, ignore_index=True)


def _reason_rows(
    months: npt.NDArray[np.datetime64],
    care: pd.DataFrame,
    enter: npt.NDArray[np.float64],
    leave: npt.NDArray[np.float64],
    event: npt.NDArray[np.bool_],
    segment: str,
    member: npt.NDArray[np.bool_],
) -> list[pd.DataFrame]:
    rows = member & (leave > enter)
    reason = care["reason"].to_numpy()
    return [
        _banded(
            flow,
            months,
            CARE_BANDS,
            start=care.loc[rows, "start"],
            enter=enter[rows],
            leave=leave[rows],
            event=(event & (reason == REASON_OF_FLOW[flow]))[rows],
            segment=segment,
        )
        for flow in CARE_ENDS
    ]


def _within_age(
    care: pd.DataFrame, band: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Each spell's time at risk while the child is in an age group.

    A child of unknown age counts in the age group that holds most children.
    """
    born = care["date_of_birth"]
    age = (care["start"] - born).dt.days.to_numpy(float) / 365.25
    usual = AGE_BANDS.lower[_USUAL_AGE_BAND]
    age = np.where(np.isnan(age), usual, age)
    lower = -np.inf if band == 0 else AGE_BANDS.lower[band]
    reached = (lower - age) * 365.25
    passed = (AGE_BANDS.upper[band] - age) * 365.25
    known = born.notna().to_numpy()
    reached = np.where(known, reached, -np.inf if band == _USUAL_AGE_BAND else np.inf)
    passed = np.where(known, passed, np.inf)
    enter = np.maximum(care["time_enter"].to_numpy(float), reached)
    leave = np.minimum(care["time_exit"].to_numpy(float), passed)
    event = care["event"].to_numpy(bool) & (care["time_exit"].to_numpy(float) <= passed)
    event &= care["time_exit"].to_numpy(float) > reached
    enter = np.where(enter < leave, enter, leave)
    return enter, leave, event


def _conversions(spells: Spells, starts: pd.DataFrame, flow: Flow, window: Window) -> pd.DataFrame:
    """Referrals followed through each week after, and starts in that week.

    A referral is followed until the census date or `MAX_LAG_WEEKS`, also where the
    child is referred again and that referral carries any later start: the rate is
    then starts a referral that arrives, which is what the simulation multiplies.
    A week counts as followed in proportion to its days, and only within the
    starts' own window.
    """
    refs = spells.referrals
    begun = refs["date"].to_numpy().astype("datetime64[D]")
    until = np.full(len(refs), np.datetime64(spells.census_date) + 1)
    opens = np.datetime64(window.start)
    months = _window_months(spells, window)
    sources = refs["source_group"].to_numpy()
    linked = starts[(starts["origin"] == "referral") & starts["in_window"]]
    parts = []
    for source in sorted(set(sources)):
        mine = sources == source
        exposure = np.zeros((len(months), MAX_LAG_WEEKS))
        for week in range(MAX_LAG_WEEKS):
            first = begun[mine] + week * DAYS_PER_WEEK
            followed = (np.minimum(until[mine], first + DAYS_PER_WEEK) - first).astype(int)
            share = np.clip(followed, 0, DAYS_PER_WEEK) / DAYS_PER_WEEK
            share = np.where(first + DAYS_PER_WEEK > opens, share, 0.0)
            number = np.clip(month_number(first + 3, months), 0, len(months) - 1)
            np.add.at(exposure[:, week], number, share)
        begun_here = linked[linked["source_group"] == source]
        occurrences = np.zeros_like(exposure)
        lag = (begun_here["lag_days"].to_numpy(float) // DAYS_PER_WEEK).astype(int)
        np.add.at(occurrences, (month_number(begun_here["start"], months), lag), 1.0)
        parts.append(
            _rows(
                flow,
                [source] * exposure.size,
                list(LAG_LABELS) * len(months),
                np.repeat(months, MAX_LAG_WEEKS),
                occurrences.ravel(),
                exposure.ravel(),
            )
        )
    empty = _rows(flow, [], [], np.array([], "datetime64[M]"), [], [])
    return pd.concat(parts, ignore_index=True) if parts else empty


def _unlinked(spells: Spells, starts: pd.DataFrame, flow: Flow, window: Window) -> pd.DataFrame:
    """Unlinked starts, and days of the window, by weeks that List 3 looks back."""
    months = _window_months(spells, window)
    first, last = np.datetime64(window.start), np.datetime64(spells.census_date)
    days = np.arange(first, last + 1)
    look = _lookback_week(days, spells)
    exposure = np.zeros((len(months), len(LOOKBACK_LABELS)))
    np.add.at(exposure, (month_number(days, months), look), 1.0)
    unlinked = starts.loc[(starts["origin"] == "unlinked") & starts["in_window"], "start"]
    begun = unlinked.to_numpy().astype("datetime64[D]")
    occurrences = np.zeros_like(exposure)
    np.add.at(occurrences, (month_number(begun, months), _lookback_week(begun, spells)), 1.0)
    return _rows(
        flow,
        [ALL] * exposure.size,
        list(LOOKBACK_LABELS) * len(months),
        np.repeat(months, len(LOOKBACK_LABELS)),
        occurrences.ravel(),
        exposure.ravel(),
    )


def _lookback_week(days: npt.NDArray[np.datetime64], spells: Spells) -> npt.NDArray[np.intp]:
    back = (days - np.datetime64(spells.windows[3].start)).astype(int) // DAYS_PER_WEEK
    return np.asarray(np.clip(back, 0, MAX_LAG_WEEKS), dtype=np.intp)


def _uasc_starts(spells: Spells) -> pd.DataFrame:
    window = spells.windows[8]
    months = _window_months(spells, window)
    days = np.arange(np.datetime64(window.start), np.datetime64(spells.census_date) + 1)
    exposure = np.bincount(month_number(days, months), minlength=len(months))
    care = spells.care
    begun = care.loc[(care["origin"] == "uasc") & care["in_window"], "start"]
    counts = np.bincount(month_number(begun, months), minlength=len(months))
    n = len(months)
    return _rows(Flow.UASC_STARTS, [ALL] * n, [""] * n, months, counts, exposure)


def _pipeline(spells: Spells) -> pd.DataFrame:
    refs = spells.referrals
    ago = (pd.Timestamp(spells.census_date) - refs["date"]).dt.days
    recent = ago < MAX_LAG_WEEKS * DAYS_PER_WEEK
    frame = pd.DataFrame({"days_ago": ago[recent], "source_group": refs["source_group"][recent]})
    return (
        frame.groupby(["days_ago", "source_group"], as_index=False)
        .size()
        .rename(columns={"size": "count"})
    )


def _placement_days(spells: Spells) -> pd.DataFrame:
    """Ends by reason over child-days in the current placement (from its own start)."""
    care = spells.care
    placed = (care["placement_start"] - care["start"]).dt.days.to_numpy(float)
    enter = np.fmax(care["time_enter"].to_numpy(float), placed)
    days = np.maximum(care["time_exit"].to_numpy(float) - enter, 0.0)
    rows = []
    for group in sorted(set(care["placement_group"])):
        mine = (care["placement_group"] == group).to_numpy()
        for flow in CARE_ENDS:
            ends = mine & (care["reason"] == REASON_OF_FLOW[flow]).to_numpy()
            ends &= care["event"].to_numpy(bool)
            rows.append(
                {
                    "flow": flow.value,
                    "placement_group": group,
                    "occurrences": float(ends.sum()),
                    "exposure": float(days[mine].sum()),
                }
            )
    return pd.DataFrame(rows, columns=["flow", "placement_group", "occurrences", "exposure"])


def hidden_care_ends(spells: Spells) -> float:
    """Expected ends, within the window, of periods that one row a child hides.

    A child who came back is listed with the latest period only. Of the periods
    that began within the window and are a "second or subsequent period within
    the last 12 months", the earlier one ended inside the window with the share of
    returns that come within as many months as the window had lasted by then.
    """
    care = spells.care
    again = care["in_window"] & care["second_period"].fillna(False).astype(bool)  # noqa: FBT003
    opens = pd.Timestamp(spells.windows[8].start)
    months = (care.loc[again, "start"] - opens).dt.days.to_numpy(float) / DAYS_PER_MONTH
    return float(np.interp(months, RETURN_MONTHS, RETURNED_WITHIN).sum())


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
