"""What a caller gives to a forecast from counts alone, checked with its name in the message."""

from __future__ import annotations

import operator

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand_model.errors import InvalidInputError, InvalidSettingError

_NO_COUNTS = "mMcb"
"""Kinds of numpy that would become numbers: spans of time, dates, complex, true or false."""


def whole_number(name: str, value: int, *, least: int) -> int:
    """Return `value` as an int, numpy's included.

    Raises
    ------
    InvalidSettingError
        It is no whole number, or below `least`.

    Examples
    --------
    >>> whole_number("draws", np.int64(3), least=1)
    3
    """
    try:
        number = operator.index(value)
    except TypeError as error:
        raise InvalidSettingError(
            f"Invalid {name}: {value!r}. It must be a whole number, {least} or more."
        ) from error
    if number < least:
        raise InvalidSettingError(f"Invalid {name}: {number}. It must be {least} or more.")
    return number


def count_values(counts: pd.Series, name: str) -> npt.NDArray[np.float64]:
    """Return counts as floats, NaN where missing; shape of `counts`.

    Raises
    ------
    InvalidSettingError
        `counts` is no Series.
    InvalidInputError
        A count is no number, negative or infinite; the count itself is not told.
    """
    checked_series(counts, name)
    if counts.dtype.kind in _NO_COUNTS:
        raise InvalidInputError(f"The counts of {name} are {counts.dtype}. Counts are numbers.")
    try:
        values = np.asarray(counts.to_numpy(dtype=float, na_value=np.nan), float)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"A count of {name} is not a number. Counts are numbers, 0 or more."
        ) from error
    if np.any(values < 0) or np.any(np.isinf(values)):
        raise InvalidInputError(f"A count of {name} is negative or infinite. Counts are 0 or more.")
    return values


def checked_series(counts: pd.Series, name: str) -> pd.Series:
    """Return `counts` if it is a Series.

    Raises
    ------
    InvalidSettingError
        It is something else, such as a list or a DataFrame.
    """
    if not isinstance(counts, pd.Series):
        raise InvalidSettingError(
            f"Invalid {name}: {type(counts).__name__}. It must be a pandas Series, by period."
        )
    return counts
