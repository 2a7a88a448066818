"""Groups of codes that the model fits, simulates and shows.

Three groupings, each closed: every code, group label or missing value falls in
exactly one member of the public tuple.
"""

from __future__ import annotations

from collections.abc import Mapping

from demand_model.annex_a.code_sets import (
    PLACEMENT_TYPE,
    REASON_CEASED,
    REFERRAL_SOURCE,
    CodeSet,
)

UNKNOWN_SOURCE = "Unknown"

SOURCE_GROUPS: tuple[str, ...] = REFERRAL_SOURCE.groups
"""Referral source groups in official order; the last, "Unknown", also holds the unmapped."""

REASON_GROUPS: tuple[str, ...] = ("home", "adoption", "sgo_cao", "other")
"""Why care ended: home (E4A, E4B, E13), adoption (E11, E12), SGO/CAO (E41, E43–E48), other."""

PLACEMENT_GROUPS: tuple[str, ...] = (
    "kinship",
    "fostering",
    "residential",
    "supported accommodation",
    "adoption",
    "with parents",
    "other",
)
"""Where a child lives, at the grain that unit costs and exits differ."""

_REASON_CODES: Mapping[str, str] = {
    **dict.fromkeys(("E4A", "E4B", "E13"), "home"),
    **dict.fromkeys(("E11", "E12"), "adoption"),
    **dict.fromkeys(("E41", "E43", "E44", "E45", "E46", "E47", "E48"), "sgo_cao"),
}
_REASON_LABELS: Mapping[str, str] = {
    "Adopted": "adoption",
    "Returned home to live with parents or relatives": "home",
    "Left care to live with parents, relatives or other person with no parental "
    "responsibility": "home",
    "Residence order granted": "sgo_cao",
    "Special Guardianship Orders": "sgo_cao",
}
_PLACEMENT_CODES: Mapping[str, str] = {
    **dict.fromkeys(("U1", "U2", "U3"), "kinship"),
    **dict.fromkeys(("U4", "U5", "U6"), "fostering"),
    **dict.fromkeys(("K1", "K2", "R1", "S1"), "residential"),
    **dict.fromkeys(("H5", "K3", "P2", "P3"), "supported accommodation"),
    **dict.fromkeys(("A3", "A4", "A5", "A6"), "adoption"),
    "P1": "with parents",
}
_PLACEMENT_LABELS: Mapping[str, str] = {
    "Foster placement": "fostering",
    "Placed for adoption": "adoption",
    "Placed with parents": "with parents",
    "Independent living": "supported accommodation",
    "Residential employment": "supported accommodation",
    "Residential accommodation": "supported accommodation",
    "Secure Children’s Homes": "residential",
    "Children’s Homes": "residential",
    "Residential Care Home": "residential",
    "Residential school": "residential",
}


def source_group(code_or_label: str | None) -> str:
    """Referral source group of a decoded value; "Unknown" where it is missing or not mapped.

    >>> source_group("3B"), source_group("Individual"), source_group(None)
    ('Health services', 'Individual', 'Unknown')
    """
    found = None if code_or_label is None else REFERRAL_SOURCE.group_of(code_or_label)
    return UNKNOWN_SOURCE if found is None else found


def reason_group(code_or_label: str | None) -> str:
    """Model's group of a reason why care ceased; "other" where it is missing or not mapped.

    >>> reason_group("E45"), reason_group("E4B"), reason_group("E17")
    ('sgo_cao', 'home', 'other')
    """
    return _model_group(code_or_label, REASON_CEASED, _REASON_CODES, _REASON_LABELS)


def placement_group(code_or_label: str | None) -> str:
    """Model's group of a placement type; "other" where it is missing or not mapped.

    A group label says foster placement without saying whether with relatives:
    it counts as fostering.

    >>> placement_group("U3"), placement_group("K3"), placement_group("Foster placement")
    ('kinship', 'supported accommodation', 'fostering')
    """
    return _model_group(code_or_label, PLACEMENT_TYPE, _PLACEMENT_CODES, _PLACEMENT_LABELS)


def _model_group(
    code_or_label: str | None,
    code_set: CodeSet,
    by_code: Mapping[str, str],
    by_label: Mapping[str, str],
) -> str:
    if code_or_label is None:
        return "other"
    code = code_set.find(code_or_label)
    if code is not None:
        return by_code.get(code.code, "other")
    label = code_set.group_of(code_or_label)
    return "other" if label is None else by_label.get(label, "other")
