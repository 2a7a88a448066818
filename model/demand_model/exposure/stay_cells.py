"""Cells of children on plans and in care: ends, care from plans, UASC starts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.exposure.bands import (
    AGE_BANDS,
    CARE_BANDS,
    PLAN_BANDS,
    UASC,
)
from demand_model.exposure.cells import banded_cells, cell_rows, window_months
from demand_model.exposure.risk import month_number
from demand_model.flows import ALL, CARE_ENDS, Flow
from demand_model.spell.build import Spells
from demand_model.units import DAYS_PER_MONTH

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


def plan_ends(spells: Spells) -> pd.DataFrame:
    """Ends of plans, 18th birthdays apart, by months on the plan."""
    p = spells.plans
    return banded_cells(
        Flow.PLAN_ENDS,
        window_months(spells, spells.windows[7]),
        PLAN_BANDS,
        start=p["start"],
        enter=p["time_enter"].to_numpy(float),
        leave=p["time_exit"].to_numpy(float),
        event=p["event"].to_numpy(bool),
    )


def plan_to_care(spells: Spells) -> pd.DataFrame:
    """Starts of care put down to a plan, by time on that plan; time at risk as for ends."""
    months = window_months(spells, spells.windows[8])
    p, c = spells.plans, spells.care
    at_risk = banded_cells(
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


def care_ends(spells: Spells) -> pd.DataFrame:
    """Ends of care by reason, age group (UASC apart) and months in care."""
    months = window_months(spells, spells.windows[8])
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
        banded_cells(
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


def uasc_starts(spells: Spells) -> pd.DataFrame:
    """UASC starts by month, over days of the window."""
    window = spells.windows[8]
    months = window_months(spells, window)
    days = np.arange(np.datetime64(window.start), np.datetime64(spells.census_date) + 1)
    exposure = np.bincount(month_number(days, months), minlength=len(months))
    care = spells.care
    begun = care.loc[(care["origin"] == "uasc") & care["in_window"], "start"]
    counts = np.bincount(month_number(begun, months), minlength=len(months))
    n = len(months)
    return cell_rows(Flow.UASC_STARTS, [ALL] * n, [""] * n, months, counts, exposure)


def placement_days(spells: Spells) -> pd.DataFrame:
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
    again = care["in_window"] & care["second_period"].isin([True])
    opens = pd.Timestamp(spells.windows[8].start)
    months = (care.loc[again, "start"] - opens).dt.days.to_numpy(float) / DAYS_PER_MONTH
    return float(np.interp(months, RETURN_MONTHS, RETURNED_WITHIN).sum())
