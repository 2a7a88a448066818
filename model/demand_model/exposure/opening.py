"""Children on plans and in care at the census date: where the forecast starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.spell.build import OPEN, Spells


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StockMembers:
    """The members of one stock, one entry a child, no ID.

    Attributes
    ----------
    days
        Time since the spell began, in days; shape (children,).
    age_days
        Age at the census date in days (negative: unborn; NaN: unknown).
    uasc
        Unaccompanied asylum-seeking child.
    placement_group
        Label, "" where it does not apply.
    together
        Number shared by children whose spells began on one day.
    """

    days: npt.NDArray[np.float64]
    age_days: npt.NDArray[np.float64]
    uasc: npt.NDArray[np.bool_]
    placement_group: npt.NDArray[np.object_]
    together: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpeningStock:
    """Stocks at the census date, and the ages at which children lately entered.

    Attributes
    ----------
    plans, care
        Who is open now.
    plan_entry_age_days, care_entry_age_days
        Age at the start of the spells that began within the window (care: not
        UASC); unknown ages left out.
    uasc_entry_age_days
        The same for UASC.
    """

    plans: StockMembers
    care: StockMembers
    plan_entry_age_days: npt.NDArray[np.float64]
    care_entry_age_days: npt.NDArray[np.float64]
    uasc_entry_age_days: npt.NDArray[np.float64]


def opening_stock(spells: Spells) -> OpeningStock:
    """Take the open spells at the census date: the opening stock is the lists' own count."""
    care = spells.care
    return OpeningStock(
        plans=_members(spells.plans, spells),
        care=_members(care, spells),
        plan_entry_age_days=_entry_ages(spells.plans),
        care_entry_age_days=_entry_ages(care[~care["uasc"].astype(bool)]),
        uasc_entry_age_days=_entry_ages(care[care["uasc"].astype(bool)]),
    )


def _members(frame: pd.DataFrame, spells: Spells) -> StockMembers:
    # Order by what the model sees, so that an ID does not decide who has which chance.
    by = [c for c in ("start", "date_of_birth", "uasc", "placement_group") if c in frame]
    now = frame[frame["reason"] == OPEN].sort_values(by, kind="stable")
    census = pd.Timestamp(spells.census_date)
    days = (census - now["start"]).dt.days.to_numpy(float) + 0.5
    age = (census - now["date_of_birth"]).dt.days.to_numpy(float)
    uasc = now["uasc"].to_numpy(bool) if "uasc" in now else np.zeros(len(now), dtype=bool)
    group = (
        now["placement_group"].to_numpy(object)
        if "placement_group" in now
        else np.full(len(now), "", dtype=object)
    )
    together = pd.factorize(now["start"])[0].astype(np.intp)
    return StockMembers(
        days=days, age_days=age, uasc=uasc, placement_group=group, together=together
    )


def _entry_ages(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    begun = frame[frame["in_window"]]
    age = (begun["start"] - begun["date_of_birth"]).dt.days.to_numpy(float)
    return np.sort(age[~np.isnan(age)])
