"""A sheet as rows of cells, before it is written: what dirt works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from demand_samples import labels

Cell = str | int | float | date | None

NOT_AVAILABLE = "#N/A error"
"""Marks a cell that the writer turns into a real #N/A."""

D2I_HEADINGS: dict[str, str] = {
    "Child Unique ID": "ChildUniqueID",
    "Date of Birth": "DateOfBirth",
    "Age of Child (Years)": "Age",
    "Date of referral": "ReferralDate",
    "Referral Source": "ReferralSource",
    "Referral NFA?": "ReferralNFA",
    "Number of Referrals in Last 12 Months": "ReferralsLast12Months",
    "Allocated Team": "AllocatedTeam",
    "Allocated Worker": "AllocatedWorker",
    "Does the Child have a Disability": "HasDisability",
    "Child Protection Plan Start Date": "ChildProtectionPlanStartDate",
    "Initial Category of Abuse": "InitialCategoryOfAbuse",
    "Latest Category of Abuse": "LatestCategoryOfAbuse",
    "Date of the Last Statutory Visit": "DateOfLastStatutoryVisit",
    "Was the Child Seen Alone?": "ChildSeenAlone",
    "Date of latest review conference": "DateOfLatestReviewConf",
    "Child Protection Plan End Date": "ChildProtectionPlanEndDate",
    labels.HEADINGS[7][13]: "ProtectionLastSixMonths",
    "Number of Previous Child Protection Plans": "NumberOfPreviousChildProtectionPlans",
    labels.HEADINGS[8][5]: "UASC",
    "Date Started to be Looked After": "LookedAfterStartDate",
    "Child's Category of Need": "ChildCategoryOfNeed",
    labels.HEADINGS[8][9]: "SubsequentLACEpisodeLast12Months",
    "Start date of current legal status": "MostRecentLegalStatusStart",
    "Child's Legal Status": "LegalStatus",
    "Date of Latest Statutory Review": "LatestStatutoryReviewDate",
    "Date of Last Social Work Visit": "LastSocialWorkVisitDate",
    "What is the permanence plan for this child?": "PermanencePlan",
    "Date of Last IRO Visit / Contact to the Child": "LastIROVisitDate",
    "Date of Last Health Assessment": "LastHealthAssessmentDate",
    "Date of Last Dental Check": "LastDentalCheckDate",
    "Number of Placements in the Last 12 months": "PlacementsLast12Months",
    "Date Ceased to be Looked After ": "CeasedLookedAfterDate",
    "Reason Ceased to be Looked After": "ReasonCeasedLookedAfter",
    "Start Date of Most Recent Placement": "MostRecentPlacementStartDate",
    "Placement Type": "PlacementType",
    "Placement Provider": "PlacementProvider",
    "Placement postcode": "PlacementPostcode",
    "URN of Placement": "PlacementURN",
    "Placement Location": "PlacementLocation",
    "LA of Placement": "PlacementLA",
    labels.HEADINGS[8][28]: "EpisodesChildMissingFromPlacement",
    labels.HEADINGS[8][29]: "EpisodesChildAbsentFromPlacement",
    labels.HEADINGS[8][30]: "ChildOfferedReturnInterviewAfterLastMFH",
    labels.HEADINGS[8][31]: "ChildAcceptedReturnInterviewAfterLastMFH",
}
"""Headings of the Annex A queries that Data to Insight publishes for its standard data set."""

_BARE_CODE_HEADINGS = (
    "Child's Legal Status",
    "Reason Ceased to be Looked After",
    "Placement Type",
    "Placement Provider",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet to be written.

    Attributes
    ----------
    name
        Sheet name.
    rows
        Cells by row, from the first row down.
    heading_row
        Index of the row of headings.
    """

    name: str
    rows: tuple[tuple[Cell, ...], ...]
    heading_row: int = 0

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings as text."""
        return tuple(str(cell) for cell in self.rows[self.heading_row])

    @property
    def data(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows below the headings."""
        return self.rows[self.heading_row + 1 :]


def _cells(column: pd.Series[Any]) -> list[Cell]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return [None if pd.isna(value) else value.date() for value in pd.to_datetime(column)]
    values: list[Cell] = []
    for value in column.tolist():
        missing = value is None or (isinstance(value, float) and np.isnan(value))
        values.append(None if missing else value)
    return values


def to_sheet(name: str, frame: pd.DataFrame) -> Sheet:
    """Lay a list of Annex A out as a sheet with headings in the first row."""
    columns = [_cells(frame[heading]) for heading in frame.columns]
    rows = tuple(zip(*columns, strict=True)) if len(frame) else ()
    return Sheet(name=name, rows=(tuple(frame.columns), *rows))


def in_d2i_style(sheet: Sheet) -> Sheet:
    """PascalCase headings and bare codes, as Data to Insight's published queries give them."""
    official = sheet.headings
    bare = {official.index(heading) for heading in _BARE_CODE_HEADINGS if heading in official}
    headings = tuple(D2I_HEADINGS.get(heading, heading) for heading in official)
    data = tuple(
        tuple(_bare(cell) if at in bare else cell for at, cell in enumerate(row))
        for row in sheet.data
    )
    return replace(sheet, rows=(headings, *data))


def _bare(cell: Cell) -> Cell:
    """``"e) E4A: Returned home"`` to ``"E4A"``."""
    if not isinstance(cell, str):
        return cell
    return next(iter(labels.by_code((cell,))))
