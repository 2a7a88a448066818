"""Headings and code labels of Annex A Lists 3, 7 and 8, verbatim.

Ofsted's template of August 2019, Crown copyright, Open Government Licence v3.0.
Kept apart from the engine's own declaration on purpose: if the two disagree,
a test says so.
"""

from __future__ import annotations

# ruff: noqa: E501 -- the headings and labels are official, as long as they are

HEADINGS: dict[int, tuple[str, ...]] = {
    3: (
        "Child Unique ID",
        "Gender",
        "Ethnicity",
        "Date of Birth",
        "Age of Child (Years)",
        "Date of referral",
        "Referral Source",
        "Referral NFA?",
        "Number of Referrals in Last 12 Months",
        "Allocated Team",
        "Allocated Worker",
    ),
    7: (
        "Child Unique ID",
        "Gender",
        "Ethnicity",
        "Date of Birth",
        "Age of Child (Years)",
        "Does the Child have a Disability",
        "Child Protection Plan Start Date",
        "Initial Category of Abuse",
        "Latest Category of Abuse",
        "Date of the Last Statutory Visit",
        "Was the Child Seen Alone?",
        "Date of latest review conference",
        "Child Protection Plan End Date",
        "Subject to Emergency Protection Order or Protected Under Police Powers in Last Six Months (Y/N)",
        "Number of Previous Child Protection Plans",
        "Allocated Team",
        "Allocated Worker",
    ),
    8: (
        "Child Unique ID",
        "Gender",
        "Ethnicity",
        "Date of Birth",
        "Age of Child (Years)",
        "Unaccompanied Asylum Seeking Child (UASC) within the Last 12 Months (Y/N)",
        "Does the Child have a Disability",
        "Date Started to be Looked After",
        "Child's Category of Need",
        "Is this a second or subsequent period of being a Looked After Child within the last 12 months (Y/N)",
        "Start date of current legal status",
        "Child's Legal Status",
        "Date of Latest Statutory Review",
        "Date of Last Social Work Visit",
        "What is the permanence plan for this child?",
        "Date of Last IRO Visit / Contact to the Child",
        "Date of Last Health Assessment",
        "Date of Last Dental Check",
        "Number of Placements in the Last 12 months",
        "Date Ceased to be Looked After ",
        "Reason Ceased to be Looked After",
        "Start Date of Most Recent Placement",
        "Placement Type",
        "Placement Provider",
        "Placement postcode",
        "URN of Placement",
        "Placement Location",
        "LA of Placement",
        "Number of Episodes the Child has been ‘Missing’ from their Placement in the last 12 months",
        "Number of Episodes the Child has been ‘Absent’ from their Placement in the last 12 months",
        "Was the child offered a Return Interview after their last missing episode (Y/N)?",
        "Did the child accept a Return Interview after their last missing episode (Y/N)?",
        "Allocated Team",
        "Allocated Worker",
    ),
}

GENDER = (
    "a) Male",
    "b) Female",
    "c) Not stated/recorded",
    "d) Neither",
)

ETHNICITY = (
    "a) WBRI",
    "b) WIRI",
    "c) WIRT",
    "d) WOTH",
    "e) WROM",
    "f) MWBC",
    "g) MWBA",
    "h) MWAS",
    "i) MOTH",
    "j) AIND",
    "k) APKN",
    "l) ABAN",
    "m) AOTH",
    "n) BCRB",
    "o) BAFR",
    "p) BOTH",
    "q) CHNE",
    "r) OOTH",
    "s) REFU",
    "s) NOBT",
)

YES_NO = (
    "a) Yes",
    "b) No",
)

YES_NO_UNKNOWN = (
    "a) Yes",
    "b) No",
    "c) Unknown",
)

REFERRAL_SOURCE = (
    "a) 1A: Individual",
    "b) 1B: Individual",
    "c) 1C: Individual",
    "d) 1D: Individual",
    "e) 2A: Schools",
    "f) 2B: Education services",
    "g) 3A: Health services",
    "h) 3B: Health services",
    "i) 3C: Health services",
    "j) 3D: Health services",
    "k) 3E: Health services",
    "l) 3F: Health services",
    "m) 4: Housing",
    "n) 5A: LA services",
    "o) 5B: LA services",
    "p) 5C: LA services",
    "q) 6: Police",
    "r) 7: Other legal agency",
    "s) 8: Other",
    "t) 9: Anonymous",
    "u) 10: Unknown",
)

CATEGORY_OF_ABUSE = (
    "a) Neglect",
    "b) Physical abuse",
    "c) Sexual abuse",
    "d) Emotional abuse",
    "e) Multiple/not recommended",
)

CATEGORY_OF_NEED = (
    "N1 - Abuse or neglect",
    "N2 - Child’s disability",
    "N3 - Parental illness or disability",
    "N4 - Family in acute stress",
    "N5 - Family dysfunction",
    "N6 - Socially unacceptable behaviour",
    "N7 - Low income",
    "N8 - Absent parenting",
)

LEGAL_STATUS = (
    "C1: ICO",
    "C2: FCO",
    "D1: Freeing order",
    "E1: Placement order",
    "V2: Single period under S20",
    "L1: Police protection LA accommodation",
    "L2: EPO",
    "L3: Child assessment order LA accommodation",
    "J1: Remanded to LA or youth detention",
    "J2: LA accommodation under PACE",
    "J3: Youth rehabilitation order",
    "V3: Short term breaks, episodes recorded",
    "V4: Short term breaks, agreements recorded",
)

PERMANENCE_PLAN = (
    "a) Return to family",
    "b) Adoption",
    "c) SGO/CAO",
    "d) Supported living in the community",
    "e) Long-term residential placement",
    "f) Long-term fostering",
    "g) other",
)

REASON_CEASED = (
    "a) E11: Adopted - application unopposed",
    "b) E12: Adopted - consent dispensed",
    "c) E2: Died",
    "d) E3: Care taken by another LA",
    "e) E4A: Returned home to live with parents or relatives - part of planning",
    "f) E4B: Returned home to live with parents or relatives - not part of planning",
    "g) E13: Parents, relatives or other with no parental responsibility",
    "h) E41: Residence order granted",
    "i) E45: Special Guardianship Orders - former carer relative/friend",
    "j) E46: Special Guardianship Orders - former carer other",
    "k) E47: Special Guardianship Orders - relative/friend",
    "l) E48: Special Guardianship Orders - other",
    "m) E5: Moved into independent living - supported",
    "n) E6: Moved into independent living - no support",
    "o) E7: Transferred to residential care funded by adult social services",
    "p) E9: Sentenced to custody",
    "q) E14: Accommodation on remand ended",
    "r) E15: Age assessment determined child was 18 or over",
    "s) E16: Child moved abroad",
    "t) E8: Care ceased for any other reason",
    "u) X1:CodeError",
)

PLACEMENT_TYPE = (
    "a) U1: Foster placement - relatives - long term",
    "b) U2: Foster placement - relative - FFA",
    "c) U3: Foster placement - relative - not FFA",
    "d) U4: Foster placement - long term",
    "e) U5: Foster placement - FFA",
    "f) U6: Foster placement - not FFA",
    "g) A3: Placed for adoption - consent - current foster",
    "h) A4: Placed for adoption - consent - not foster",
    "i) A5: Placed for adoption - order - foster",
    "j) A6: Placed for adoption - order - not foster",
    "k) P1: Placed with parents",
    "l) P2: Independent living",
    "m) P3: Residential employment",
    "n) H5: Residential accommodation",
    "o) K1: Secure Children’s Homes",
    "p) K2: Children’s Homes",
    "q) R1: Residential Care Home",
    "r) R2: NHS/Health Trust",
    "s) R3: Family Centre or Mother and Baby Unit",
    "t) R5: Young Offender Institution",
    "u) S1: Residential school",
    "v) Z1: Other placements",
    "w) T0: Temporary placement",
    "x) T1: Temporary placement - hospital",
    "y) T2: Temporary placement - holiday",
    "z) T3: Temporary placement - carer holiday",
    "zz) T4: Temporary placement - seven days or less",
)

PLACEMENT_PROVIDER = (
    "a) PR0: Parents/Parental responsibility",
    "b) PR1: Own provision",
    "c) PR2: Other LA provision",
    "d) PR3: Other public provision",
    "e) PR4: Private provision",
    "f) PR5: Voluntary/third sector",
)

PLACEMENT_LOCATION = (
    "a) In",
    "b) Out",
)


def by_code(labels: tuple[str, ...]) -> dict[str, str]:
    """Index labels by the code inside them: ``"q) 6: Police"`` under ``"6"``."""
    found = {}
    for label in labels:
        text = label.split(") ", 1)[-1]
        found[text.split(":", 1)[0].split(" - ", 1)[0].strip()] = label
    return found
