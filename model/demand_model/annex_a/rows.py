"""Records of a list made into the rows of a frame: one row a referral or a period.

Each record ends as a row of the frame or is set aside with its reason.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.annex_a.cells import filled_cells
from demand_model.annex_a.checked import RowTally, Window
from demand_model.annex_a.codes import source_group
from demand_model.annex_a.dates import CellState
from demand_model.annex_a.episodes import Joined, drop_repeats, join_periods
from demand_model.annex_a.logic import SHORT_BREAKS
from demand_model.annex_a.reading import ReadList
from demand_model.errors import DemandError

Days = npt.NDArray[np.datetime64]

_MOST = 1_000_000
"""A greater number of plans or referrals of one child is no number of them."""

_REFERRALS = ["child_id", "date_of_birth", "date", "source_code", "source_group", "nfa",
              "previous_referrals"]  # fmt: skip
_PLANS = ["child_id", "date_of_birth", "start", "end", "category", "previous_plans"]
_CARE = ["child_id", "date_of_birth", "start", "end", "uasc", "category_of_need", "second_period",
         "legal_status", "short_break", "reason_ceased", "placement_type", "placement_provider",
         "placement_start"]  # fmt: skip
_CARE_CODES = ("legal_status", "reason_ceased", "placement_type", "placement_provider",
               "category_of_need")  # fmt: skip
_ASSESSMENTS = ["child_id", "date_of_birth", "start", "end"]
_IN_NEED = [*_ASSESSMENTS, "case_status", "reason_closed"]
COLUMNS = {3: _REFERRALS, 4: _ASSESSMENTS, 6: _IN_NEED, 7: _PLANS, 8: _CARE}
"""Columns of the frames of `Lists`, by list number."""


def usable_rows(read: ReadList, births: Days, ends: Days, window: Window) -> pd.DataFrame:
    """Give the rows of a list that can be used, with `COLUMNS` and the sheet's ``row``.

    Parameters
    ----------
    births, ends
        Days of birth and of the end (NaT while open) of each record, once judged.
    """
    frame = _typed(read, births, ends)
    usable = ~frame["row"].isin(list(read.ledger.reasons))
    return _within_window(read, _joined(read, frame.loc[usable]), window)


def _typed(read: ReadList, births: Days, ends: Days) -> pd.DataFrame:
    """Make the columns of `Lists`, with the sheet's row beside them."""
    columns: dict[str, object] = {
        "row": read.rows,
        "child_id": np.array(read.ids.ids, dtype=object) if read.ids.ids else None,
        "date_of_birth": births.astype("datetime64[s]"),
        read.key: read.days(read.key).astype("datetime64[s]"),
    }
    if read.number == 3:
        source = read.code("source")
        columns |= {
            "source_code": source,
            "source_group": [source_group(code) for code in source],
            "nfa": _yes_no(read, "nfa"),
            "previous_referrals": _counts(read, "previous_referrals"),
        }
    else:
        columns["end"] = ends.astype("datetime64[s]")
    if read.number == 7:
        latest, first = read.code("category"), read.code("initial_category")
        columns |= {
            "category": np.where(filled_cells(latest), latest, first),
            "previous_plans": _counts(read, "previous_plans"),
        }
    if read.number == 8:
        columns |= {
            "uasc": _yes_no(read, "uasc").fillna(value=False).astype(bool),
            "second_period": _yes_no(read, "second_period"),
            "short_break": np.isin(read.code("legal_status"), SHORT_BREAKS),
            "placement_start": read.days("placement_start").astype("datetime64[s]"),
            **{name: read.code(name) for name in _CARE_CODES},
        }
    if read.number == 6:
        columns |= {name: read.code(name) for name in ("case_status", "reason_closed")}
    return pd.DataFrame(columns)


def _yes_no(read: ReadList, name: str) -> pd.Series:
    codes = read.code(name)
    return pd.Series([{"Yes": True, "No": False}.get(c) for c in codes], dtype="boolean")


def _counts(read: ReadList, name: str) -> pd.Series:
    values = read.number_of(name)
    with np.errstate(invalid="ignore"):
        sound = (values >= 0) & (values < _MOST) & (values == np.floor(values))
    return pd.Series(np.where(sound, values, np.nan)).astype("Int64")


def _joined(read: ReadList, frame: pd.DataFrame) -> Joined:
    joined = drop_repeats(frame) if read.number == 3 else join_periods(frame)
    for row, rule in sorted(joined.aside.items()):
        read.ledger.set_aside([row], rule, read.key)
    return joined


def _within_window(read: ReadList, joined: Joined, window: Window) -> pd.DataFrame:
    frame = joined.frame
    last = frame["date"] if read.number == 3 else frame["end"]
    before = last < pd.Timestamp(window.start)
    adult = pd.Series(data=False, index=frame.index)
    if read.number != 3:
        raw_end = dict(zip(read.rows.tolist(), read.days("end").tolist(), strict=True))
        written = pd.to_datetime(frame["row"].map(raw_end))
        adult = before & (written.isna() | (written >= pd.Timestamp(window.start)))
    read.ledger.set_aside(frame.loc[adult, "row"].astype(int), "aged-18-before-window", read.key)
    name = "date" if read.number == 3 else "end"
    read.ledger.set_aside(frame.loc[before, "row"].astype(int), "outside-window", name)
    return frame.loc[~before]


def tally(read: ReadList, frame: pd.DataFrame | None) -> RowTally:
    """Rows found = used + set aside; for each date column filled = parsed + rejected."""
    aside = read.ledger.tally()
    found = read.body.found
    used = len(frame) if frame is not None else found - sum(aside.values())
    if found != used + sum(aside.values()):
        raise DemandError(
            f"The rows of List {read.number} do not add up ({found} found, {used} used, "
            f"{sum(aside.values())} set aside): please report this fault."
        )
    for name, column in read.dates.items():
        parsed = int(np.isin(column.state, (CellState.PARSED, CellState.OPEN)).sum())
        if column.filled != parsed + len(column.rules):
            raise DemandError(
                f"The dates of {read.ledger.heading(name)} do not add up: please report this fault."
            )
    return RowTally(list_number=read.number, found=found, used=used, set_aside=aside)
