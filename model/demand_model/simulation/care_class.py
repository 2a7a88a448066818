"""Classes of children in care that share a hazard: time in care x age group (or UASC)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import AGE_BANDS, CARE_BANDS, CARE_SEGMENTS
from demand_model.rates.draws import UASC_SEGMENT

FloatArray = npt.NDArray[np.float64]


def care_segment(age_years: FloatArray, uasc: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Number of the segment: age group, or UASC."""
    return np.asarray(np.where(uasc, UASC_SEGMENT, AGE_BANDS.index(age_years)), dtype=np.intp)


def care_class(
    since_months: FloatArray, age_years: FloatArray, uasc: npt.NDArray[np.bool_]
) -> npt.NDArray[np.intp]:
    """Number of the hazard class: duration band x segment, row-major."""
    segment = care_segment(age_years, uasc)
    return np.asarray(CARE_BANDS.index(since_months) * len(CARE_SEGMENTS) + segment, np.intp)
