"""The one declaration of Annex A Lists 3, 7 and 8.

Reader, checks, template and samples all follow it. A further list is one more
entry in `LISTS`. Headings are verbatim and in official order (Ofsted, Annex A
template, August 2019); a heading is recognised by `normalise_heading`, so case,
spaces, punctuation, curly quotes and PascalCase need no synonym of their own.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from demand_model.annex_a.code_sets import (
    CATEGORY_OF_ABUSE,
    CATEGORY_OF_NEED,
    LEGAL_STATUS,
    PLACEMENT_PROVIDER,
    PLACEMENT_TYPE,
    REASON_CEASED,
    REFERRAL_NFA,
    REFERRAL_SOURCE,
    UASC,
    YES_NO,
    YES_NO_UNKNOWN,
    CodeSet,
)


class Kind(StrEnum):
    """What a column holds."""

    ID = "id"
    DATE = "date"
    NUMBER = "number"
    CODE = "code"
    YES_NO = "yes/no"
    TEXT = "text"


class Need(StrEnum):
    """What the model does with a column."""

    NEEDED = "needed"
    """The list cannot be used without it."""
    WANTED = "wanted"
    """Used where it is there; its absence is said."""
    CARRIED = "carried"
    """In the official list, not used and never copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a list.

    Attributes
    ----------
    name
        The product's name for it, in snake case.
    heading
        The official heading, verbatim.
    code_set
        What a category or yes/no column may hold.
    synonyms
        Other headings that mean this column in real extracts.
    """

    name: str
    heading: str
    kind: Kind = Kind.TEXT
    need: Need = Need.CARRIED
    code_set: CodeSet | None = None
    synonyms: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """The official heading and its synonyms."""
        return (self.heading, *self.synonyms)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexAList:
    """One list of Annex A.

    Attributes
    ----------
    number
        3, 7 or 8.
    title
        As the official template titles it.
    fields
        In official order.
    """

    number: int
    title: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """Return the field of that name; `KeyError` if there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def find(self, heading: str) -> Field | None:
        """Find the field that a heading means, official or synonym."""
        wanted = normalise_heading(heading)
        if not wanted:
            return None
        for candidate in self.fields:
            if wanted == normalise_heading(candidate.heading):
                return candidate
        for candidate in self.fields:
            if wanted in {normalise_heading(s) for s in candidate.synonyms}:
                return candidate
        return None

    @property
    def headings(self) -> tuple[str, ...]:
        """Official headings, in order."""
        return tuple(f.heading for f in self.fields)


@functools.lru_cache(maxsize=1 << 12)  # each list asks for the same headings
def normalise_heading(text: str) -> str:
    """Reduce a heading to its letters and digits, case aside.

    >>> normalise_heading("Child’s  Legal Status ") == normalise_heading("ChildsLegalStatus")
    True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if c.isalnum())


_CHILD_ID = Field(
    name="child_id",
    heading="Child Unique ID",
    kind=Kind.ID,
    need=Need.NEEDED,
    synonyms=(
        "Child Unique Identifier", "Unique ID", "Unique Child ID", "Unique Identifier",
        "Child ID", "Child Identifier", "Child Ref", "Child Reference", "Child Number",
        "Child", "LA Child ID", "Person ID", "Person Number", "Person Ref",
        "Client ID", "Client Number", "Client Ref", "Client Reference", "Case Number",
        "Mosaic ID", "MosaicID Number", "LCS ID", "ICS ID", "ICS Number", "Eclipse ID",
        "CareFirst ID", "CareDirector ID", "Liquidlogic ID", "Liquidlogic Person ID",
        "Protocol ID", "SWIFT ID", "Service User ID", "Social Care ID", "System ID",
        "Individual ID", "Pupil ID", "Record ID", "ID", "ID Number", "ID No",
    ),
)  # fmt: skip
_GENDER = Field(
    name="gender", heading="Gender", synonyms=("Sex", "Gender of Child", "Child Gender")
)
_ETHNICITY = Field(
    name="ethnicity",
    heading="Ethnicity",
    synonyms=("Ethnic Origin", "Ethnic Group", "Ethnicity Code", "Child Ethnicity"),
)
_DATE_OF_BIRTH = Field(
    name="date_of_birth",
    heading="Date of Birth",
    kind=Kind.DATE,
    need=Need.WANTED,
    synonyms=(
        "DOB", "Birth Date", "Child Date of Birth", "Child DOB", "Date Of Birth (DOB)",
        "DoB or EDD", "DOB/EDD", "Person Birth Date", "Expected Date of Birth",
        "Date of Birth or Expected Date of Birth", "Date of Birth (DD/MM/YYYY)",
    ),
)  # fmt: skip
_AGE = Field(
    name="age",
    heading="Age of Child (Years)",
    kind=Kind.NUMBER,
    need=Need.WANTED,
    synonyms=(
        "Age", "Age of Child", "Age (Years)", "Age in Years", "Child Age", "Child's Age",
        "Current Age", "Age of Child in Years",
    ),
)  # fmt: skip
_DISABILITY = Field(
    name="disability",
    heading="Does the Child have a Disability",
    kind=Kind.YES_NO,
    code_set=YES_NO_UNKNOWN,
    synonyms=(
        "Disability", "Disabled", "Child has a Disability", "Disability (Y/N)",
        "Does the Child have a Disability (Y/N)", "Has Disability",
    ),
)  # fmt: skip
_TEAM = Field(
    name="team",
    heading="Allocated Team",
    synonyms=("Team", "Team Name", "Current Team", "Responsible Team"),
)
_WORKER = Field(
    name="worker",
    heading="Allocated Worker",
    synonyms=(
        "Worker", "Worker Name", "Social Worker", "Allocated Social Worker", "Key Worker",
        "Case Worker", "Lead Practitioner",
    ),
)  # fmt: skip

_LIST_3 = AnnexAList(
    number=3,
    title="List 3: Referral",
    fields=(
        _CHILD_ID,
        _GENDER,
        _ETHNICITY,
        _DATE_OF_BIRTH,
        _AGE,
        Field(
            name="date",
            heading="Date of referral",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "Referral Date", "Referral Start Date", "Start Date of Referral",
                "Date Referral Received", "Referral Received Date", "Date of Referral Received",
                "Referral Received", "Date Referred", "Date Received", "Date of the Referral",
                "CIN Referral Date", "Referral Date Received", "Ref Date",
            ),
        ),
        Field(
            name="source",
            heading="Referral Source",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=REFERRAL_SOURCE,
            synonyms=(
                "Source of Referral", "Source", "Referral Source Code", "Referral Source Type",
                "Referral Source Description", "Referrer", "Referred By", "Referrer Type",
                "Contact / Referral Source", "Contact Source", "Referrer Source",
            ),
        ),
        Field(
            name="nfa",
            heading="Referral NFA?",
            kind=Kind.YES_NO,
            need=Need.WANTED,
            code_set=REFERRAL_NFA,
            synonyms=(
                "NFA", "Referral NFA (Y/N)", "Referral NFA Flag", "NFA Flag", "Is NFA",
                "No Further Action", "Referral No Further Action",
                "Referral No Further Action Flag", "Referral resulted in NFA", "NFA (Y/N)",
            ),
        ),
        Field(
            name="previous_referrals",
            heading="Number of Referrals in Last 12 Months",
            kind=Kind.NUMBER,
            need=Need.WANTED,
            synonyms=(
                "Referrals in Last 12 Months", "No of Referrals in Last 12 Months",
                "Number of Referrals in the Last 12 Months", "Referrals Last 12 Months",
                "Num Referrals Last 12 Months", "Number of Previous Referrals",
                "Previous Referrals in Last 12 Months",
                "Number Referrals Last 12 Mths",
            ),
        ),
        _TEAM,
        _WORKER,
    ),
)  # fmt: skip

_LIST_7 = AnnexAList(
    number=7,
    title="List 7: Child protection",
    fields=(
        _CHILD_ID,
        _GENDER,
        _ETHNICITY,
        _DATE_OF_BIRTH,
        _AGE,
        _DISABILITY,
        Field(
            name="start",
            heading="Child Protection Plan Start Date",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "CPP Start Date", "CP Start Date", "CP Plan Start Date", "CP Plan Start",
                "CPP Start", "CP Start", "Child Protection Start Date", "Plan Start Date",
                "Start Date of Child Protection Plan", "Start Date of CP Plan",
                "Date Child Protection Plan Started", "Date CP Plan Started",
                "Date of Child Protection Plan", "CP Registration Date", "Date CPP Started",
                "Child Protection Plan Started", "Child Protection Plan Start",
            ),
        ),
        Field(
            name="initial_category",
            heading="Initial Category of Abuse",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=CATEGORY_OF_ABUSE,
            synonyms=(
                "Initial Category", "Initial Abuse Category", "Initial CP Category",
                "Initial CPP Category", "Initial Cat of Abuse", "First Category of Abuse",
                "Category of Abuse at Start",
            ),
        ),
        Field(
            name="category",
            heading="Latest Category of Abuse",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=CATEGORY_OF_ABUSE,
            synonyms=(
                "Latest Category", "Latest Abuse Category", "Current Category of Abuse",
                "Category of Abuse", "Abuse Category", "CP Category", "CPP Category",
                "Latest CP Category", "Latest Cat of Abuse", "Current Category",
            ),
        ),
        Field(
            name="last_visit",
            heading="Date of the Last Statutory Visit",
            kind=Kind.DATE,
            synonyms=("Date of Last Statutory Visit", "Last Statutory Visit", "Last CP Visit"),
        ),
        Field(
            name="seen_alone",
            heading="Was the Child Seen Alone?",
            kind=Kind.YES_NO,
            code_set=YES_NO_UNKNOWN,
            synonyms=("Child Seen Alone", "Seen Alone"),
        ),
        Field(
            name="last_review",
            heading="Date of latest review conference",
            kind=Kind.DATE,
            synonyms=(
                "Date of Last Review Conference", "Latest Review Conference", "Last RCPC Date",
                "Date of Latest Review Conf",
            ),
        ),
        Field(
            name="end",
            heading="Child Protection Plan End Date",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "CPP End Date", "CP End Date", "CP Plan End Date", "CP Plan End", "CPP End",
                "CP End", "Child Protection End Date", "Plan End Date",
                "End Date of Child Protection Plan", "End Date of CP Plan",
                "Date Child Protection Plan Ended", "Date CP Plan Ended", "Date CPP Ended",
                "CP Deregistration Date", "CPP Closure Date", "CP Plan Closure Date",
                "Child Protection Plan Ended", "Child Protection Plan End",
            ),
        ),
        Field(
            name="protection_powers",
            heading=(
                "Subject to Emergency Protection Order or Protected Under Police Powers in Last "
                "Six Months (Y/N)"
            ),
            kind=Kind.YES_NO,
            code_set=YES_NO,
            synonyms=(
                "Subject to Emergency Protection Order or Protected Under Police Powers in Last "
                "Six Months",
                "EPO or Police Powers in Last Six Months", "Protection Last Six Months",
                "Emergency Protection Order",
            ),
        ),
        Field(
            name="previous_plans",
            heading="Number of Previous Child Protection Plans",
            kind=Kind.NUMBER,
            need=Need.WANTED,
            synonyms=(
                "Previous Child Protection Plans", "Number of Previous CP Plans",
                "Number of Previous CPPs", "Previous CP Plans", "Previous CPPs",
                "No of Previous Child Protection Plans", "Number of Previous Plans",
                "Num Previous CPP", "Sum of Number of Previous Child Protection Plans",
                "Previous CPP",
            ),
        ),
        _TEAM,
        _WORKER,
    ),
)  # fmt: skip


def _list_8_date(name: str, heading: str, *synonyms: str) -> Field:
    return Field(name=name, heading=heading, kind=Kind.DATE, synonyms=synonyms)


_LIST_8 = AnnexAList(
    number=8,
    title="List 8: Children in care",
    fields=(
        _CHILD_ID,
        _GENDER,
        _ETHNICITY,
        _DATE_OF_BIRTH,
        _AGE,
        Field(
            name="uasc",
            heading="Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)",
            kind=Kind.YES_NO,
            need=Need.WANTED,
            code_set=UASC,
            synonyms=(
                "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months",
                "Unaccompanied Asylum Seeking Child within the Last 12 Months (Y/N)",
                "Unaccompanied Asylum Seeking Child within the Last 12 Months",
                "Unaccompanied Asylum Seeking Child (UASC)", "Unaccompanied Asylum Seeking Child",
                "UASC within the Last 12 Months (Y/N)", "UASC within the Last 12 Months",
                "UASC in Last 12 Months", "UASC last 12 months", "UASC", "UASC (Y/N)",
                "UASC Status", "UASC Flag", "Is UASC",
            ),
        ),
        _DISABILITY,
        Field(
            name="start",
            heading="Date Started to be Looked After",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "Date Started LAC", "LAC Start Date", "LAC Start", "CLA Start Date", "CLA Start",
                "CIC Start Date", "Date Started CLA", "Looked After Start Date", "Care Start Date",
                "Start Date of Looked After", "Date Became Looked After", "Date Became LAC",
                "Date Became CLA", "Date Entered Care", "Date of Entry to Care",
                "Date Started Looked After", "Date Started Being Looked After",
                "Date Child Started to be Looked After", "Date Child Entered Care",
                "Period of Care Start Date", "POC Start Date", "Start Date of Period of Care",
                "LAC Period Start Date", "CLA Period Start Date", "Became Looked After",
                # The published Data to Insight query spells it so.
                "LoookedAfterStartDate",
                "Date of Becoming Looked After", "Date Started in Care",
            ),
        ),
        Field(
            name="category_of_need",
            heading="Child's Category of Need",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=CATEGORY_OF_NEED,
            synonyms=(
                "Category of Need", "CIN Category", "Need Category", "Need Code",
                "Category of Need Code", "CIN Code", "Primary Need Code", "Primary Need",
                "Child Category of Need",
            ),
        ),
        Field(
            name="second_period",
            heading=(
                "Is this a second or subsequent period of being a Looked After Child within the "
                "last 12 months (Y/N)"
            ),
            kind=Kind.YES_NO,
            need=Need.WANTED,
            code_set=YES_NO,
            synonyms=(
                "Is this a second or subsequent episode of being a Looked After Child within the "
                "last 12 months (Y/N)",
                "Is this a second or subsequent period of being a Looked After Child within the "
                "last 12 months",
                "Is this a second or subsequent episode of being a Looked After Child within the "
                "last 12 months",
                "Second or subsequent period of being a Looked After Child",
                "Second or subsequent period", "Subsequent LAC Episode",
                "Subsequent LAC Episode in Last 12 Months", "Subsequent LAC Episode Last 12 Months",
                "Second or Subsequent LAC Period",
            ),
        ),
        _list_8_date(
            "legal_status_start", "Start date of current legal status",
            "Legal Status Start Date", "Current Legal Status Start Date", "Legal Status Start",
            "Most Recent Legal Status Start",
        ),
        Field(
            name="legal_status",
            heading="Child's Legal Status",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=LEGAL_STATUS,
            synonyms=(
                "Legal Status", "Current Legal Status", "Legal Status Code", "LAC Legal Status",
                "Child Legal Status", "CLA Legal Status",
            ),
        ),
        _list_8_date(
            "last_review", "Date of Latest Statutory Review", "Date of Last Statutory Review",
            "Latest Statutory Review", "Last LAC Review Date", "Latest Statutory Review Date",
        ),
        _list_8_date(
            "last_visit", "Date of Last Social Work Visit", "Last Social Work Visit",
            "Last Visit Date", "Last Social Work Visit Date",
        ),
        Field(
            name="permanence_plan",
            heading="What is the permanence plan for this child?",
            synonyms=("Permanence Plan", "Permanency Plan"),
        ),
        _list_8_date(
            "last_iro_visit", "Date of Last IRO Visit / Contact to the Child",
            "Date of Last IRO Visit", "Last IRO Visit or Contact", "Last IRO Visit Date",
        ),
        _list_8_date(
            "last_health_assessment", "Date of Last Health Assessment", "Last Health Assessment",
            "Last Health Assessment Date",
        ),
        _list_8_date(
            "last_dental_check", "Date of Last Dental Check", "Last Dental Check",
            "Last Dental Check Date",
        ),
        Field(
            name="placements_12_months",
            heading="Number of Placements in the Last 12 months",
            kind=Kind.NUMBER,
            synonyms=("Number of Placements in Last 12 Months", "Placements Last 12 Months"),
        ),
        Field(
            name="end",
            heading="Date Ceased to be Looked After ",
            kind=Kind.DATE,
            need=Need.NEEDED,
            synonyms=(
                "Date Ceased LAC", "LAC End Date", "LAC End", "CLA End Date", "CLA End",
                "CIC End Date", "Date Ceased CLA", "Looked After End Date", "Care End Date",
                "End Date of Looked After", "Date Ended LAC", "Date Left Care",
                "Date Ceased Looked After", "Date Ceased Being Looked After",
                "Date Child Ceased to be Looked After", "Date Ceased", "Date Care Ceased",
                "Period of Care End Date", "POC End Date", "End Date of Period of Care",
                "LAC Period End Date", "CLA Period End Date", "Ceased Looked After Date",
                "Date Ended to be Looked After", "Date Stopped Being Looked After",
                "LAC Ceased Date", "CLA Ceased Date", "Discharge Date",
            ),
        ),
        Field(
            name="reason_ceased",
            heading="Reason Ceased to be Looked After",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=REASON_CEASED,
            synonyms=(
                "Reason Ceased", "Reason LAC Ceased", "Reason Ceased LAC", "LAC End Reason",
                "Reason Care Ceased", "CLA End Reason", "Reason Ceased Looked After",
                "Reason Ceased CLA", "Reason Episode Ceased", "Reason for Ceasing",
                "Reason for Leaving Care", "Reason LAC Ended", "Reason CLA Ended", "REC",
                "Ceased Reason", "Reason Left Care",
            ),
        ),
        Field(
            name="placement_start",
            heading="Start Date of Most Recent Placement",
            kind=Kind.DATE,
            need=Need.WANTED,
            synonyms=(
                "Placement Start Date", "Placement Start", "Start Date of Placement",
                "Current Placement Start Date", "Latest Placement Start Date",
                "Most Recent Placement Start Date", "Start Date of Current Placement",
                "Date Placement Started",
            ),
        ),
        Field(
            name="placement_type",
            heading="Placement Type",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=PLACEMENT_TYPE,
            synonyms=(
                "Placement Type Code", "Type of Placement", "Current Placement Type", "Placement",
                "Placement Code", "Placement Type Description", "Latest Placement Type",
            ),
        ),
        Field(
            name="placement_provider",
            heading="Placement Provider",
            kind=Kind.CODE,
            need=Need.WANTED,
            code_set=PLACEMENT_PROVIDER,
            synonyms=(
                "Placement Provider Code", "Provider", "Provider Type", "Placement Provider Type",
                "Provider of Placement", "Provision", "Provider Code",
            ),
        ),
        Field(
            name="placement_postcode",
            heading="Placement postcode",
            synonyms=("Postcode of Placement",),
        ),
        Field(name="placement_urn", heading="URN of Placement", synonyms=("Placement URN", "URN")),
        Field(
            name="placement_location",
            heading="Placement Location",
            synonyms=("Location of Placement", "In or Out of Borough"),
        ),
        Field(
            name="placement_authority",
            heading="LA of Placement",
            synonyms=("Placement LA", "Local Authority of Placement"),
        ),
        Field(
            name="missing_episodes",
            heading=(
                "Number of Episodes the Child has been ‘Missing’ from their Placement in the last "
                "12 months"
            ),
            kind=Kind.NUMBER,
            synonyms=(
                "Missing Episodes", "Missing Episodes in Last 12 Months",
                "Episodes Child Missing From Placement",
            ),
        ),
        Field(
            name="absent_episodes",
            heading=(
                "Number of Episodes the Child has been ‘Absent’ from their Placement in the last "
                "12 months"
            ),
            kind=Kind.NUMBER,
            synonyms=(
                "Absent Episodes", "Absent Episodes in Last 12 Months",
                "Episodes Child Absent From Placement",
            ),
        ),
        Field(
            name="return_interview_offered",
            heading=(
                "Was the child offered a Return Interview after their last missing episode (Y/N)?"
            ),
            kind=Kind.YES_NO,
            code_set=YES_NO_UNKNOWN,
            synonyms=(
                "Return Interview Offered", "RHI Offered",
                "Child Offered Return Interview After Last MFH",
            ),
        ),
        Field(
            name="return_interview_accepted",
            heading=(
                "Did the child accept a Return Interview after their last missing episode (Y/N)?"
            ),
            kind=Kind.YES_NO,
            code_set=YES_NO_UNKNOWN,
            synonyms=(
                "Return Interview Accepted", "RHI Accepted",
                "Child Accepted Return Interview After Last MFH",
            ),
        ),
        _TEAM,
        _WORKER,
    ),
)  # fmt: skip

LISTS: Mapping[int, AnnexAList] = {3: _LIST_3, 7: _LIST_7, 8: _LIST_8}
"""The lists that the product reads, by number."""
