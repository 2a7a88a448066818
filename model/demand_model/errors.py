"""Errors, by what the user must do. Bad rows are findings, not errors.

Only the command layer catches these. No message carries a value from an
identifier, date of birth, name, postcode or free-text column.
"""

from __future__ import annotations


class DemandError(Exception):
    """Base of every error that this product raises on purpose."""


class InvalidInputError(DemandError):
    """The lists or the workbook must be mended before anything can be computed."""


class InvalidSettingError(DemandError):
    """A setting, scenario or argument must be changed: "Invalid X: {value}. X must be …"."""


class NotEnoughDataError(DemandError):
    """The data are well formed but cannot support what was asked for."""
