"""The codes of Annex A: official code, label, description and group, as data.

A `CodeSet` is what one category column may hold. The current codes are those
of Ofsted's Annex A (August 2019) with K3 and E17, which the DfE added since.
Codes that older guides used still stand in real files: they are kept under
`HISTORICAL` with the group that they belonged to, and decode to that group
only. Source: Ofsted, Annex A template (2019), "Codes used"; DfE, SSDA903 and
children in need census guides. Crown copyright, Open Government Licence v3.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One code of a code set.

    Attributes
    ----------
    code
        As the model uses it, for example ``"1A"``, ``"U4"``, ``"Neglect"``.
    label
        As Annex A's drop-down words it, for example ``"q) 6: Police"``.
    group
        As the group is worded in regional tools, for example
        ``"Foster placement"``. Groups are coarser than codes.
    descriptions
        The official longer wordings.
    """

    code: str
    label: str
    group: str
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSet:
    """The codes that a category column may hold.

    Attributes
    ----------
    name
        Stable identifier in snake case.
    codes
        In official order.
    historical
        Codes of older guides, to the group that they belonged to.
    """

    name: str
    codes: tuple[Code, ...]
    historical: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The official labels, in order: what the template's drop-down lists."""
        return tuple(code.label for code in self.codes)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in order, each once."""
        return tuple(dict.fromkeys(code.group for code in self.codes))

    def find(self, code: str) -> Code | None:
        """Find the code of that name, case aside."""
        wanted = code.strip().casefold()
        return next((c for c in self.codes if c.code.casefold() == wanted), None)

    def group_label(self, text: str) -> str | None:
        """Find the group of that name, case aside."""
        wanted = text.strip().casefold()
        return next((g for g in self.groups if g.casefold() == wanted), None)

    def group_of(self, code_or_label: str) -> str | None:
        """Find the group of a code, an official label, a group or a historical code."""
        text = code_or_label.strip()
        wanted = text.casefold()
        for code in self.codes:
            if wanted in (code.code.casefold(), code.label.casefold(), code.group.casefold()):
                return code.group
        return self.historical.get(text.upper())

    def narrowest(self, group: str) -> str:
        """Return a group's only code, or the group's label where it holds several codes."""
        codes = [code.code for code in self.codes if code.group == group]
        return codes[0] if len(codes) == 1 else group


def _code(code: str, label: str, group: str, *descriptions: str) -> Code:
    return Code(code=code, label=label, group=group, descriptions=descriptions)


# fmt: off
REFERRAL_SOURCE = CodeSet(
    name="referral_source",
    codes=(
        _code(
            "1A", "a) 1A: Individual", "Individual",
            "INDIVIDUAL – family member, relative or carer",
        ),
        _code(
            "1B", "b) 1B: Individual", "Individual",
            "INDIVIDUAL – acquaintance (including neighbours and child minders)",
        ),
        _code("1C", "c) 1C: Individual", "Individual", "INDIVIDUAL – self"),
        _code(
            "1D", "d) 1D: Individual", "Individual",
            "INDIVIDUAL – other (including strangers, MPs)",
        ),
        _code("2A", "e) 2A: Schools", "Schools", "SCHOOLS"),
        _code("2B", "f) 2B: Education services", "Education services", "EDUCATION SERVICES"),
        _code(
            "3A", "g) 3A: Health services", "Health services",
            "HEALTH SERVICES – general practitioner (GP)",
        ),
        _code(
            "3B", "h) 3B: Health services", "Health services",
            "HEALTH SERVICES – health visitor",
        ),
        _code("3C", "i) 3C: Health services", "Health services", "HEALTH SERVICES – school nurse"),
        _code(
            "3D", "j) 3D: Health services", "Health services",
            "HEALTH SERVICES – other primary health services",
        ),
        _code(
            "3E", "k) 3E: Health services", "Health services",
            "HEALTH SERVICES – A&E (accident and emergency department)",
        ),
        _code(
            "3F", "l) 3F: Health services", "Health services",
            "HEALTH SERVICES – other (for example hospice)",
        ),
        _code(
            "4", "m) 4: Housing", "Housing",
            "HOUSING – local authority housing or housing association",
        ),
        _code(
            "5A", "n) 5A: LA services", "LA services",
            "LA SERVICES – social care for example adults social care services",
        ),
        _code(
            "5B", "o) 5B: LA services", "LA services",
            "LA SERVICES – other internal (department other than social care in local "
            "authorities, for example, youth offending (excluding housing))",
        ),
        _code(
            "5C", "p) 5C: LA services", "LA services",
            "LA SERVICES – external, for example, from another local authority's adults "
            "social care services",
        ),
        _code("6", "q) 6: Police", "Police", "POLICE"),
        _code(
            "7", "r) 7: Other legal agency", "Other legal agency",
            "OTHER LEGAL AGENCY – including courts, probation, immigration, CAFCASS (Children "
            "and Family Court Advisory and Support Service) or prison",
        ),
        _code(
            "8", "s) 8: Other", "Other",
            "OTHER – including children's centres, independent agency providers or voluntary "
            "organisations",
        ),
        _code("9", "t) 9: Anonymous", "Anonymous", "ANONYMOUS"),
        _code("10", "u) 10: Unknown", "Unknown", "UNKNOWN"),
    ),
)

_YES_NO = (_code("Yes", "a) Yes", "True"), _code("No", "b) No", "False"))
REFERRAL_NFA = CodeSet(name="referral_nfa", codes=_YES_NO)
UASC = CodeSet(name="uasc", codes=_YES_NO)
YES_NO = CodeSet(name="yes_no", codes=_YES_NO)
YES_NO_UNKNOWN = CodeSet(
    name="yes_no_unknown", codes=(*_YES_NO, _code("Unknown", "c) Unknown", "Unknown"))
)

CATEGORY_OF_ABUSE = CodeSet(
    name="category_of_abuse",
    codes=(
        _code("Neglect", "a) Neglect", "Neglect"),
        _code("Physical abuse", "b) Physical abuse", "Physical Abuse"),
        _code("Sexual abuse", "c) Sexual abuse", "Sexual Abuse"),
        _code("Emotional abuse", "d) Emotional abuse", "Emotional Abuse"),
        _code("Multiple/not recommended", "e) Multiple/not recommended", "Multiple"),
    ),
)

CATEGORY_OF_NEED = CodeSet(
    name="category_of_need",
    codes=(
        _code("N1", "N1 - Abuse or neglect", "a) Abuse or neglect", "Abuse or neglect"),
        _code("N2", "N2 - Child’s disability", "b) Child's disability", "Child's disability"),
        _code(
            "N3", "N3 - Parental illness or disability", "c) Parents illness or disability",
            "Parental illness or disability", "Parental disability or illness",
        ),
        _code(
            "N4", "N4 - Family in acute stress", "d) Family in acute stress",
            "Family in acute stress",
        ),
        _code("N5", "N5 - Family dysfunction", "e) Family dysfunction", "Family dysfunction"),
        _code(
            "N6", "N6 - Socially unacceptable behaviour", "f) Socially unacceptable behaviour",
            "Socially unacceptable behaviour",
        ),
        _code("N7", "N7 - Low income", "g) Low income", "Low income"),
        _code("N8", "N8 - Absent parenting", "h) Absent parenting", "Absent parenting"),
        _code(
            "N9", "N9 - Cases other than children in need", "i) Not CIN",
            "Cases other than children in need",
        ),
        _code("N0", "N0 - Not stated", "j) Not stated", "Not stated"),
    ),
)

_DETAINED = "Detained on child protection grounds in LA accommodation"
_JUSTICE = "Youth justice legal statuses"
_BREAKS = "Short-term breaks"
LEGAL_STATUS = CodeSet(
    name="legal_status",
    codes=(
        _code("C1", "C1: ICO", "Interim care orders", "Interim care order"),
        _code("C2", "C2: FCO", "Full care orders", "Full care order"),
        _code("D1", "D1: Freeing order", "Freed for adoption", "Freeing order granted"),
        _code(
            "E1", "E1: Placement order", "Placement order granted", "Placement order granted"
        ),
        _code(
            "V2", "V2: Single period under S20", "Accommodated under S20",
            "Single period of accommodation under section 20",
        ),
        _code(
            "L1", "L1: Police protection LA accommodation", _DETAINED,
            "Under police protection and in local authority accommodation",
        ),
        _code("L2", "L2: EPO", _DETAINED, "Emergency protection order (EPO)"),
        _code(
            "L3", "L3: Child assessment order LA accommodation", _DETAINED,
            "Under child assessment order and in local authority accommodation",
        ),
        _code(
            "J1", "J1: Remanded to LA or youth detention", _JUSTICE,
            "Remanded to local authority accommodation or to youth detention accommodation",
        ),
        _code(
            "J2", "J2: LA accommodation under PACE", _JUSTICE,
            "Placed in local authority accommodation under PACE, including secure accommodation",
        ),
        _code(
            "J3", "J3: Youth rehabilitation order", _JUSTICE,
            "Sentenced to Youth Rehabilitation Order",
        ),
        _code(
            "V3", "V3: Short term breaks, episodes recorded", _BREAKS,
            "Accommodated under an agreed series of short-term breaks, when individual episodes "
            "of care are recorded",
        ),
        _code(
            "V4", "V4: Short term breaks, agreements recorded", _BREAKS,
            "Accommodated under an agreed series of short-term breaks, when agreements are "
            "recorded (NOT individual episodes of care)",
        ),
    ),
)

_FOSTER = "Foster placement"
_ADOPTION = "Placed for adoption"
_TEMPORARY = "Temporary placement"
_SECURE = "Secure Children’s Homes"
_HOMES = "Children’s Homes"
_SUPPORTED = "Residential accommodation"
_OTHER_PLACEMENT = "Other placements"
PLACEMENT_TYPE = CodeSet(
    name="placement_type",
    codes=(
        _code(
            "U1", "a) U1: Foster placement - relatives - long term", _FOSTER,
            "Foster placement with relative(s) or friend(s) – long term fostering",
        ),
        _code(
            "U2", "b) U2: Foster placement - relative - FFA", _FOSTER,
            "Fostering placement with relative(s) or friend(s) who is/are also an approved "
            "adopter(s) – FFA/concurrent planning",
        ),
        _code(
            "U3", "c) U3: Foster placement - relative - not FFA", _FOSTER,
            "Fostering placement with relative(s) or friend(s) who is/are not long-term or "
            "FFA/concurrent planning",
        ),
        _code(
            "U4", "d) U4: Foster placement - long term", _FOSTER,
            "Foster placement with other foster carer(s) – long term fostering",
        ),
        _code(
            "U5", "e) U5: Foster placement - FFA", _FOSTER,
            "Foster placement with other foster carer(s) who is/are also an approved adopter(s) "
            "– FFA/concurrent planning",
        ),
        _code(
            "U6", "f) U6: Foster placement - not FFA", _FOSTER,
            "Foster placement with other foster carer(s) – not long term or FFA/concurrent "
            "planning",
        ),
        _code(
            "A3", "g) A3: Placed for adoption - consent - current foster", _ADOPTION,
            "Placed for adoption with parental/guardian consent with current foster carer (under "
            "Section 19 of the Adoption and Children Act 2002) or with a freeing order where "
            "parental/guardian consent has been given under Section 18(1)(a) of the Adoption Act "
            "1976",
        ),
        _code(
            "A4", "h) A4: Placed for adoption - consent - not foster", _ADOPTION,
            "Placed for adoption with parental/guardian consent not with current foster carer "
            "(under Section 19 of the Adoption and Children Act 2002) or with a freeing order "
            "where parental/guardian consent has been given under Section 18(1)(a) of the "
            "Adoption Act 1976",
        ),
        _code(
            "A5", "i) A5: Placed for adoption - order - foster", _ADOPTION,
            "Placed for adoption with placement order with current foster carer (under Section "
            "21 of the Adoption and Children Act 2002) or with a freeing order where "
            "parental/guardian consent was dispensed with under Section 18(1)(b) the Adoption "
            "Act 1976",
        ),
        _code(
            "A6", "j) A6: Placed for adoption - order - not foster", _ADOPTION,
            "Placed for adoption with placement order not with current foster carer (under "
            "Section 21 of the Adoption and Children Act 2002) or with a freeing order where "
            "parental/guardian consent was dispensed with under Section 18(1)(b) of the Adoption "
            "Act 1976",
        ),
        _code(
            "P1", "k) P1: Placed with parents", "Placed with parents",
            "Placed with own parents or other person with parental responsibility",
        ),
        _code(
            "P2", "l) P2: Independent living", "Independent living",
            "Independent living like in a flat, lodgings, bedsit, B&B or with friends, with or "
            "without formal support",
        ),
        _code(
            "P3", "m) P3: Residential employment", "Residential employment",
            "Residential employment",
        ),
        _code(
            "H5", "n) H5: Residential accommodation", _SUPPORTED,
            "Semi-independent living accommodation not subject to Children’s Homes Regulations",
        ),
        _code("K1", "o) K1: Secure Children’s Homes", _SECURE, "Secure Children’s Homes"),
        _code(
            "K2", "p) K2: Children’s Homes", _HOMES,
            "Children’s Homes subject to Children’s Homes Regulations",
        ),
        _code("K3", "K3: Supported accommodation", _SUPPORTED, "Supported accommodation"),
        _code(
            "R1", "q) R1: Residential Care Home", "Residential Care Home", "Residential Care Home"
        ),
        _code(
            "R2", "r) R2: NHS/Health Trust", "NHS/Health Trust",
            "National Health Service/Health Trust or other establishment providing medical or "
            "nursing care",
        ),
        _code(
            "R3", "s) R3: Family Centre or Mother and Baby Unit",
            "Family Centre or Mother and Baby Unit", "Family Centre or Mother and Baby Unit",
        ),
        _code(
            "R5", "t) R5: Young Offender Institution", "Young Offender Institution",
            "Young Offender Institution (YOI) or Secure Training Centre (STC)",
        ),
        _code(
            "S1", "u) S1: Residential school", "Residential school",
            "All Residential schools, except where dual-registered as a school and Children’s "
            "Home",
        ),
        _code(
            "Z1", "v) Z1: Other placements", _OTHER_PLACEMENT,
            "Other placements (must be listed on a schedule sent to DfE with annual submission)",
        ),
        _code(
            "T0", "w) T0: Temporary placement", _TEMPORARY,
            "All types of temporary move (see paragraphs above for further details)",
        ),
        _code(
            "T1", "x) T1: Temporary placement - hospital", _TEMPORARY,
            "Temporary periods in hospital",
        ),
        _code(
            "T2", "y) T2: Temporary placement - holiday", _TEMPORARY,
            "Temporary absences of the child on holiday",
        ),
        _code(
            "T3", "z) T3: Temporary placement - carer holiday", _TEMPORARY,
            "Temporary accommodation whilst normal foster carer is on holiday",
        ),
        _code(
            "T4", "zz) T4: Temporary placement - seven days or less", _TEMPORARY,
            "Temporary accommodation of seven days or less, for any reason, not covered by codes "
            "T1 to T3",
        ),
    ),
    historical={
        **dict.fromkeys(("F1", "F2", "F3", "F4", "F5", "F6", "Q1", "Q2"), _FOSTER),
        **dict.fromkeys(("A1", "A2"), _ADOPTION),
        **dict.fromkeys(("H1", "H2"), _SECURE),
        **dict.fromkeys(("H3", "H4"), _HOMES),
        **dict.fromkeys(("M1", "M2", "M3"), _OTHER_PLACEMENT),
    },
)

_PROVIDER_OTHER = "Other"
PLACEMENT_PROVIDER = CodeSet(
    name="placement_provider",
    codes=(
        _code(
            "PR0", "a) PR0: Parents/Parental responsibility", _PROVIDER_OTHER,
            "Parents or other person with parental responsibility",
        ),
        _code(
            "PR1", "b) PR1: Own provision", "Own LA",
            "Own provision (by the local authority) including a regional adoption agency where "
            "the child’s responsible local authority is the host authority",
        ),
        _code(
            "PR2", "c) PR2: Other LA provision", _PROVIDER_OTHER,
            "Other local authority provision, including a regional adoption agency where another "
            "local authority is the host authority",
        ),
        _code(
            "PR3", "d) PR3: Other public provision", _PROVIDER_OTHER,
            "Other public provision (for example, a PCT)",
        ),
        _code("PR4", "e) PR4: Private provision", "Private", "Private provision"),
        _code(
            "PR5", "f) PR5: Voluntary/third sector", _PROVIDER_OTHER,
            "Voluntary/third sector provision",
        ),
    ),
)

_ADOPTED = "Adopted"
_HOME = "Returned home to live with parents or relatives"
_NO_PR = (
    "Left care to live with parents, relatives or other person with no parental responsibility"
)
_SGO = "Special Guardianship Orders"
_INDEPENDENT = "Moved into independent living"
REASON_CEASED = CodeSet(
    name="reason_ceased",
    codes=(
        _code(
            "E11", "a) E11: Adopted - application unopposed", _ADOPTED,
            "Adopted - application for an adoption order unopposed",
        ),
        _code(
            "E12", "b) E12: Adopted - consent dispensed", _ADOPTED,
            "Adopted – consent dispensed with by court",
        ),
        _code("E2", "c) E2: Died", "Died", "Died"),
        _code(
            "E3", "d) E3: Care taken by another LA", "Care taken by another LA",
            "Care taken over by another local authority in the UK",
        ),
        _code(
            "E4A",
            "e) E4A: Returned home to live with parents or relatives - part of planning",
            _HOME,
            "Return home to live with parents, relatives, or other person with parental "
            "responsibility as part of the care planning process (not under a special "
            "guardianship order or residence order or (from 22 April 2014) a child arrangements "
            "order).",
        ),
        _code(
            "E4B",
            "f) E4B: Returned home to live with parents or relatives - not part of planning",
            _HOME,
            "Return home to live with parents, relatives, or other person with parental "
            "responsibility which was not part of the current care planning process (not under a "
            "special guardianship order or residence order or (from 22 April 2014) a child "
            "arrangements order).",
        ),
        _code(
            "E13", "g) E13: Parents, relatives or other with no parental responsibility", _NO_PR,
            "Left care to live with parents, relatives, or other person with no parental "
            "responsibility.",
        ),
        _code(
            "E41", "h) E41: Residence order granted", "Residence order granted",
            "Residence order (or, from 22 April 2014, a child arrangement order which sets out "
            "with whom the child is to live) granted",
        ),
        _code(
            "E45", "i) E45: Special Guardianship Orders - former carer relative/friend", _SGO,
            "Special Guardianship Order made to former foster carers, who were a relative or "
            "friend",
        ),
        _code(
            "E46", "j) E46: Special Guardianship Orders - former carer other", _SGO,
            "Special Guardianship Order made to former foster carers, other than relatives or "
            "friends",
        ),
        _code(
            "E47", "k) E47: Special Guardianship Orders - relative/friend", _SGO,
            "Special Guardianship Order made to carers, other than former foster carers, who "
            "were a relative or friend",
        ),
        _code(
            "E48", "l) E48: Special Guardianship Orders - other", _SGO,
            "Special Guardianship Order made to carers, other than former foster carers, other "
            "than relatives or friends",
        ),
        _code(
            "E5", "m) E5: Moved into independent living - supported", _INDEPENDENT,
            "Moved into independent living arrangement and no longer looked after: supportive "
            "accommodation providing formalised advice/support arrangements (such as most "
            "hostels, YMCAs, foyers, and care leavers projects)",
        ),
        _code(
            "E6", "n) E6: Moved into independent living - no support", _INDEPENDENT,
            "Moved into independent living arrangement and no longer looked after : "
            "accommodation providing no formalised advice/support arrangements (such as bedsit, "
            "own flat, living with friends)",
        ),
        _code(
            "E7",
            "o) E7: Transferred to residential care funded by adult social services",
            "Transferred to residential care funded by adult social services",
            "Transferred to residential care funded by Adult Social Services",
        ),
        _code(
            "E9", "p) E9: Sentenced to custody", "Sentenced to custody", "Sentenced to custody"
        ),
        _code(
            "E14", "q) E14: Accommodation on remand ended", "Accommodation on remand ended",
            "Accommodation on remand ended",
        ),
        _code(
            "E15", "r) E15: Age assessment determined child was 18 or over",
            "Age assessment determined child was 18 or over",
            "Age assessment determined child is aged 18 or over and E5, E6 and E7 do not apply",
        ),
        _code("E16", "s) E16: Child moved abroad", "Child moved abroad", "Child moved abroad"),
        _code(
            "E17", "E17: Aged 18 and remained with current carers", _NO_PR,
            "Aged 18 (or over) and remained with current carers (including under staying put "
            "arrangements)",
        ),
        _code(
            "E8", "t) E8: Care ceased for any other reason", "Care ceased for any other reason",
            "Period of being looked after ceased for any other reason",
        ),
        _code(
            "X1", "u) X1:CodeError", "zzCodeError",
            "Episode ceases, and new episode begins on same day, for any reason",
        ),
    ),
    historical={
        "E1": _ADOPTED,
        "E4": _HOME,
        "E43": _SGO,
        "E44": _SGO,
    },
)

REASON_CLOSED = CodeSet(
    name="reason_closed",
    codes=(
        _code("RC1", "RC1 - Adopted", "Adopted"),
        _code("RC2", "RC2 - Died", "Died"),
        _code(
            "RC3", "RC3 - Child arrangements order", "Child arrangements order",
            "Residence order",
        ),
        _code("RC4", "RC4 - Special guardianship order", "Special guardianship order"),
        _code(
            "RC5", "RC5 - Transferred to services of another local authority",
            "Transferred to another authority",
        ),
        _code(
            "RC6", "RC6 - Transferred to adult social care services",
            "Transferred to adult services", "Transferred to adult social services",
        ),
        _code(
            "RC7",
            "RC7 - Services ceased for any other reason, including child no longer in need",
            "No longer in need",
            "Services ceased for any other reason", "Child no longer in need",
        ),
        _code(
            "RC8", "RC8 - Case closed after assessment, no further action",
            "Closed after assessment",
            "Case closed after assessment", "Closed after assessment, no further action",
        ),
        # The DfE's children in need census has it since 2019; Annex A's guidance does not.
        _code(
            "RC9", "RC9 - Case closed after assessment, referred to early help",
            "Closed after assessment",
            "Closed after assessment, referred to early help",
        ),
    ),
)

CASE_STATUS = CodeSet(
    name="case_status",
    codes=(
        _code("Looked after child", "a) Looked after child", "Looked after"),
        _code("Child protection plan", "b) Child Protection plan", "Protection plan"),
        _code("Child in need plan", "c) Child in need plan", "In need"),
        _code("Open assessment", "d) Open assessment", "In assessment"),
        _code("Closed episode", "e) Closed episode", "Closed"),
    ),
)

# fmt: on

CODE_SETS = (
    REFERRAL_SOURCE,
    REFERRAL_NFA,
    CATEGORY_OF_ABUSE,
    CATEGORY_OF_NEED,
    UASC,
    LEGAL_STATUS,
    PLACEMENT_TYPE,
    PLACEMENT_PROVIDER,
    REASON_CEASED,
    YES_NO,
    YES_NO_UNKNOWN,
    REASON_CLOSED,
    CASE_STATUS,
)
"""Every code set, once."""
