"""The Annex A lists that an authority of `other_worlds` would send at the census date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from other_worlds import CENSUS, NOW, WINDOW_MONTHS, ZERO, History, Ints

WINDOW_FIRST = ((CENSUS + 1).astype("datetime64[M]") - WINDOW_MONTHS).astype("datetime64[D]")


def _dates(days: pd.Series | Ints) -> pd.Series:
    return pd.Series(pd.to_datetime(ZERO + np.asarray(days, np.int64)))


def _listed(spells: pd.DataFrame) -> pd.DataFrame:
    """One row a child: the latest spell that was open, or ended, within the window."""
    opens = NOW + 1 - int((CENSUS + 1 - WINDOW_FIRST).astype(int))
    known = spells[(spells["start"] <= NOW) & (spells["end"] >= opens)]
    return known.sort_values("start").drop_duplicates("child", keep="last").reset_index(drop=True)


def annex_a(history: History, rng: np.random.Generator) -> dict[int, pd.DataFrame]:
    """Lists 3, 7 and 8 as the authority would send them at the census date."""
    opens = int((WINDOW_FIRST - ZERO).astype(int))
    refs = history.referrals[history.referrals["day"].between(opens, NOW)].reset_index(drop=True)
    plans, care = _listed(history.plans), _listed(history.care)

    def common(frame: pd.DataFrame) -> dict[str, object]:
        return {
            "Child Unique ID": frame["child"].to_numpy() + 100_000,
            "Gender": rng.choice(["a) Male", "b) Female"], len(frame)),
            "Date of Birth": _dates(history.born[frame["child"]]),
        }

    def ended(frame: pd.DataFrame) -> pd.Series:
        return _dates(frame["end"]).where(frame["end"] <= NOW)

    sources = ["a) 1A: Individual", "e) 2A: Schools", "g) 3A: Health services", "q) 6: Police"]
    list_3 = {
        **common(refs),
        "Date of referral": _dates(refs["day"]),
        "Referral Source": rng.choice(sources, len(refs), p=[0.2, 0.3, 0.2, 0.3]),
        "Referral NFA?": rng.choice(["a) Yes", "b) No"], len(refs), p=[0.1, 0.9]),
    }
    list_7 = {
        **common(plans),
        "Child Protection Plan Start Date": _dates(plans["start"]),
        "Initial Category of Abuse": "a) Neglect",
        "Latest Category of Abuse": "a) Neglect",
        "Child Protection Plan End Date": ended(plans),
        "Number of Previous Child Protection Plans": 0,
    }
    return {
        3: pd.DataFrame(list_3),
        7: pd.DataFrame(list_7),
        8: _list_8(history, care, common(care), ended(care), rng),
    }


def _list_8(
    history: History,
    care: pd.DataFrame,
    common: dict[str, object],
    ended: pd.Series,
    rng: np.random.Generator,
) -> pd.DataFrame:
    age = (np.minimum(care["end"], NOW) - history.born[care["child"]]) / 365.25
    length = np.minimum(care["end"], NOW) - care["start"]
    earlier = care.merge(history.care[["child", "end"]], on="child", suffixes=("", "_before"))
    recent = earlier["end_before"].between(NOW - 365, NOW) & (
        earlier["end_before"] < earlier["start"]
    )
    again = care["child"].isin(earlier.loc[recent, "child"])
    chance = rng.random(len(care))
    home = "e) E4A: Returned home to live with parents or relatives - part of planning"
    young = np.where(
        chance < 0.45,
        "a) E11: Adopted - application unopposed",
        "c) E45: Special guardianship order made to former foster carers",
    )
    reason = np.where((age < 6) & (length > 270) & (chance < 0.8), young, home)
    reason = np.where(
        (age >= 16) & (chance > 0.3),
        "o) E8: Period of being looked-after ceased for any other reason",
        reason,
    )
    teen = np.where(chance < 0.5, "p) K2: Children’s Homes", "f) U6: Foster placement - not FFA")
    return pd.DataFrame(
        {
            **common,
            "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)": np.where(
                care["uasc"], "a) Yes", "b) No"
            ),
            "Date Started to be Looked After": _dates(care["start"]),
            "Child's Category of Need": "N1 - Abuse or neglect",
            "Is this a second or subsequent period of being a Looked After Child within the last "
            "12 months (Y/N)": np.where(again, "a) Yes", "b) No"),
            "Child's Legal Status": "C2: FCO",
            "Date Ceased to be Looked After ": ended,
            "Reason Ceased to be Looked After": pd.Series(reason).where(ended.notna()),
            "Start Date of Most Recent Placement": _dates(care["start"]),
            "Placement Type": np.where(age >= 13, teen, "f) U6: Foster placement - not FFA"),
            "Placement Provider": "b) PR1: Own provision",
        }
    )
