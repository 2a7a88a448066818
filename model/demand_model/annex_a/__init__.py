"""Annex A lists: declared, recognised, decoded and checked.

`check` turns raw sheets, or data frames, into the three lists that the model
uses; `recognise` says which sheet holds which list; `decode` and `group` tell
what a category means.
"""

from demand_model.annex_a.check import check
from demand_model.annex_a.checked import CheckResult, CheckSettings, Lists, RowTally, Window
from demand_model.annex_a.decode import decode, group
from demand_model.annex_a.findings import Finding, Findings, Severity
from demand_model.annex_a.fingerprint import check_repeat, list_hash
from demand_model.annex_a.lists import LISTS
from demand_model.annex_a.raw import CellError, RawSheet, UncalculatedFormula
from demand_model.annex_a.recognise import Recognised, Recognition, recognise

__all__ = [
    "LISTS",
    "CellError",
    "CheckResult",
    "CheckSettings",
    "Finding",
    "Findings",
    "Lists",
    "RawSheet",
    "Recognised",
    "Recognition",
    "RowTally",
    "Severity",
    "UncalculatedFormula",
    "Window",
    "check",
    "check_repeat",
    "decode",
    "group",
    "list_hash",
    "recognise",
]
