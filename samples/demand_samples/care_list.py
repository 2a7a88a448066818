"""List 8: the columns of children looked after."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from demand_samples import labels
from demand_samples.history import History
from demand_samples.listing import (
    Listed,
    View,
    blank_unless,
    choose,
    choose_by,
    date_column,
    identity,
    latest_review,
    list_frame,
    most_recent,
    official_labels,
    recent_day,
    staff,
)
from demand_samples.observe import day_numbers
from demand_samples.working_days import DAYS_PER_MONTH, DAYS_PER_YEAR

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

_PLACEMENTS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "young": (
        ("U1", "U3", "U4", "U5", "U6", "P1", "R3"),
        (0.12, 0.20, 0.14, 0.03, 0.42, 0.07, 0.02),
    ),
    "middle": (
        ("U1", "U3", "U4", "U6", "K2", "P1", "S1", "K1"),
        (0.13, 0.10, 0.20, 0.29, 0.18, 0.07, 0.02, 0.01),
    ),
    "old": (
        ("U1", "U4", "U6", "K2", "H5", "P2", "P1", "Z1", "R5"),
        (0.09, 0.16, 0.21, 0.18, 0.16, 0.09, 0.05, 0.04, 0.02),
    ),
    "uasc": (("U6", "H5", "P2", "K2"), (0.42, 0.30, 0.24, 0.04)),
    "adoption": (("A5", "A6", "A3"), (0.30, 0.65, 0.05)),
}
_PROVIDERS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "P1": (("PR0",), (1.0,)),
    "R5": (("PR3",), (1.0,)),
    **dict.fromkeys(("U1", "U2", "U3", "A3", "A5", "A6"), (("PR1",), (1.0,))),
    **dict.fromkeys(("U4", "U5", "U6"), (("PR1", "PR4", "PR5"), (0.56, 0.39, 0.05))),
}
_OTHER_PROVIDERS = (("PR1", "PR4", "PR5"), (0.18, 0.74, 0.08))
_REASONS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "home": (("E4A", "E4B", "E13"), (0.75, 0.11, 0.14)),
    "adoption": (("E11", "E12"), (0.35, 0.65)),
    "sgo_cao": (("E41", "E45", "E46", "E47", "E48"), (0.24, 0.34, 0.08, 0.28, 0.06)),
    "18th birthday": (("E5", "E6", "E7", "E8"), (0.52, 0.10, 0.09, 0.29)),
    "other young": (("E3", "E8", "E16", "E2"), (0.30, 0.55, 0.12, 0.03)),
    "other old": (("E5", "E6", "E8", "E9", "E3"), (0.38, 0.10, 0.34, 0.12, 0.06)),
    "other uasc": (("E15", "E3", "E8"), (0.45, 0.35, 0.20)),
}


def _placement_group(view: View, listed: Listed) -> Texts:
    rows = listed.rows
    age = (listed.until - view.people.birth_day[listed.child]) / DAYS_PER_YEAR
    group = np.where(age < 10, "young", np.where(age < 16, "middle", "old")).astype(object)
    group[rows["uasc"].to_numpy()] = "uasc"
    # A child is placed for adoption some eight months before the order.
    near = day_numbers(rows["end"]) - listed.until < 240
    group[(rows["reason"] == "adoption").to_numpy() & near] = "adoption"
    return group


def _legal_status(view: View, listed: Listed, group: Texts) -> Texts:
    rng = view.rng
    months = (listed.until - listed.start) / DAYS_PER_MONTH
    count = len(months)
    young = choose(rng, ("C1", "V2", "L2", "L1"), (0.52, 0.43, 0.03, 0.02), count)
    older = choose(rng, ("C2", "V2", "C1", "E1", "J1"), (0.74, 0.13, 0.08, 0.04, 0.01), count)
    status = np.where(months < 9, young, older)
    status[group == "uasc"] = "V2"
    status[group == "adoption"] = "E1"
    return official_labels(status, labels.LEGAL_STATUS)


def _reason_ceased(view: View, listed: Listed) -> Texts:
    reason = listed.rows["reason"].to_numpy(dtype=object).copy()
    age = (listed.until - view.people.birth_day[listed.child]) / DAYS_PER_YEAR
    other = reason == "other"
    reason[other] = np.where(age >= 16, "other old", "other young")[other]
    reason[other & listed.rows["uasc"].to_numpy()] = "other uasc"
    codes = choose_by(view.rng, reason, _REASONS, (("E8",), (1.0,)))
    return official_labels(codes, labels.REASON_CEASED)


def _permanence(view: View, listed: Listed, group: Texts) -> Texts:
    count = len(listed.start)
    months = (listed.until - listed.start) / DAYS_PER_MONTH
    early = choose(
        view.rng, labels.PERMANENCE_PLAN, (0.62, 0.08, 0.12, 0.05, 0.02, 0.06, 0.05), count
    )
    late = choose(
        view.rng, labels.PERMANENCE_PLAN, (0.08, 0.05, 0.10, 0.14, 0.09, 0.51, 0.03), count
    )
    plan = np.where(months < 9, early, late).astype(object)
    plan[group == "adoption"] = labels.PERMANENCE_PLAN[1]
    plan[group == "uasc"] = labels.PERMANENCE_PLAN[3]
    return plan


def _missing_columns(view: View, listed: Listed) -> dict[str, object]:
    rng = view.rng
    age = (listed.until - view.people.birth_day[listed.child]) / DAYS_PER_YEAR
    runs = age >= 11
    missing = rng.poisson(np.where(runs, 0.45, 0.0))
    absent = rng.poisson(np.where(runs, 0.15, 0.0))
    offered = choose(rng, labels.YES_NO_UNKNOWN, (0.86, 0.11, 0.03), len(age))
    accepted = choose(rng, labels.YES_NO_UNKNOWN, (0.62, 0.35, 0.03), len(age))
    was = missing > 0
    headings = labels.HEADINGS[8][28:32]
    values = (
        missing,
        absent,
        blank_unless(was, offered),
        blank_unless(was & (offered == labels.YES_NO_UNKNOWN[0]), accepted),
    )
    return dict(zip(headings, values, strict=True))


def _placement_columns(
    history: History, view: View, listed: Listed, group: Texts
) -> dict[str, object]:
    rng = view.rng
    count = len(listed.start)
    kind = choose_by(rng, group, _PLACEMENTS)
    provider = choose_by(rng, kind, _PROVIDERS, _OTHER_PROVIDERS)
    days = listed.until - listed.start
    moved = rng.random(count) < np.minimum(days / 400, 0.75)
    since = np.where(moved, np.round(days * rng.random(count) ** 0.7), 0).astype(np.int64)
    moves = 1 + rng.poisson(0.35, size=count) * (days > 30)
    away = rng.random(count) < np.where(np.isin(provider, ("PR4", "PR5")), 0.55, 0.12)
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"), dtype=object)
    # ZZ is no postcode area: nobody lives there.
    postcode = [
        f"ZZ{area} {unit}{letters[one]}{letters[two]}"
        for area, unit, one, two in rng.integers((1, 1, 0, 0), (20, 10, 20, 20), size=(count, 4))
    ]
    urn = np.array(
        [f"SC{number}" for number in rng.integers(900_000, 999_999, count)], dtype=object
    )
    return {
        "Number of Placements in the Last 12 months": moves,
        "Start Date of Most Recent Placement": date_column(listed.start + since),
        "Placement Type": official_labels(kind, labels.PLACEMENT_TYPE),
        "Placement Provider": official_labels(provider, labels.PLACEMENT_PROVIDER),
        "Placement postcode": np.array(postcode, dtype=object),
        "URN of Placement": blank_unless(np.isin(kind, ("K1", "K2", "S1")), urn),
        "Placement Location": np.where(
            away, labels.PLACEMENT_LOCATION[1], labels.PLACEMENT_LOCATION[0]
        ),
        "LA of Placement": np.where(away, "Elsewhereshire", history.truth.name),
    }


def care_list(history: History, view: View) -> pd.DataFrame:
    """Lay out List 8: one row a child, the most recent period of care."""
    listed = most_recent(history.care, view)
    count = len(listed.start)
    rng = view.rng
    uasc = listed.rows["uasc"].to_numpy()
    # The status ends with leave to remain, which some have after a year.
    flagged = uasc & ((listed.start > view.census - 365) | (rng.random(count) < 0.85))
    need = choose(
        rng, labels.CATEGORY_OF_NEED, (0.66, 0.03, 0.04, 0.08, 0.12, 0.02, 0.01, 0.04), count
    )
    need[uasc] = labels.CATEGORY_OF_NEED[7]
    group = _placement_group(view, listed)
    again = listed.previous_end > view.census - 365
    review, reviewed = latest_review(listed, 0.7, 5.0)
    settled = listed.until - listed.start > 60
    legal_days = np.round((listed.until - listed.start) * rng.random(count)).astype(np.int64)
    return list_frame(
        8,
        {
            **identity(view, listed.child),
            labels.HEADINGS[8][5]: np.where(flagged, *labels.YES_NO),
            "Does the Child have a Disability": view.people.disability[listed.child],
            "Date Started to be Looked After": date_column(listed.start),
            "Child's Category of Need": need,
            labels.HEADINGS[8][9]: np.where(again, *labels.YES_NO),
            "Start date of current legal status": date_column(listed.until - legal_days),
            "Child's Legal Status": _legal_status(view, listed, group),
            "Date of Latest Statutory Review": date_column(review, reviewed),
            "Date of Last Social Work Visit": date_column(recent_day(view, listed, 40)),
            "What is the permanence plan for this child?": _permanence(view, listed, group),
            labels.HEADINGS[8][15]: date_column(recent_day(view, listed, 80)),
            "Date of Last Health Assessment": date_column(recent_day(view, listed, 300), settled),
            "Date of Last Dental Check": date_column(recent_day(view, listed, 330), settled),
            "Date Ceased to be Looked After ": date_column(listed.end),
            "Reason Ceased to be Looked After": blank_unless(
                listed.ended, _reason_ceased(view, listed)
            ),
            **_placement_columns(history, view, listed, group),
            **_missing_columns(view, listed),
            **staff(view, count, 6),
        },
    )
