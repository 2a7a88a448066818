"""Expected time on a plan or in care, under drawn hazards."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import AGE_BANDS, CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS, UASC

FloatArray = npt.NDArray[np.float64]
ADULT_MONTHS = 18 * 12


_LEAST_HAZARD = 1e-12


def mean_plan_months(hazards: FloatArray) -> FloatArray:
    """Mean months on a plan; hazards (bands, draws) to shape (draws,).

    ``sum over bands of S(lower) (1 - exp(-h width)) / h``, S the survival to the band.
    """
    widths = np.diff(np.append(np.asarray(PLAN_BANDS.lower), np.inf))
    survival = np.ones(hazards.shape[1])
    total = np.zeros(hazards.shape[1])
    # An analyst may set a rate to 0: then nobody ever leaves, but the mean must be a number.
    for hazard, width in zip(np.maximum(hazards, _LEAST_HAZARD), widths, strict=True):
        left = np.exp(-hazard * width)
        total += survival * (1.0 - left) / hazard
        survival = survival * left
    return total


def mean_care_months(hazards: FloatArray, entry_age_years: FloatArray) -> FloatArray:
    """Mean months in care from each age at entry, averaged; not UASC.

    Hazards are totals over reasons, shape (duration bands, segments, draws);
    every stay ends on the 18th birthday. Returns shape (draws,).
    """
    stays = [_one_stay(hazards, float(age)) for age in entry_age_years]
    return np.asarray(np.mean(stays, axis=0))


def mean_uasc_months(hazards: FloatArray, entry_age_years: FloatArray) -> FloatArray:
    """The same for UASC, whose hazard does not depend on age."""
    only = hazards[:, CARE_SEGMENTS.index(UASC), :]
    same = np.repeat(only[:, None, :], len(CARE_SEGMENTS), axis=1)
    stays = [_one_stay(same, float(age)) for age in entry_age_years]
    return np.asarray(np.mean(stays, axis=0))


def _one_stay(hazards: FloatArray, entry_age_years: float) -> FloatArray:
    """Integral of survival over the pieces on which the hazard is constant."""
    until_adult = max((18.0 - max(entry_age_years, 0.0)) * 12.0, 0.25)
    birthdays = (np.asarray(AGE_BANDS.lower[1:]) - entry_age_years) * 12.0
    cuts = np.concatenate([np.asarray(CARE_BANDS.lower), birthdays, [until_adult]])
    cuts = np.unique(cuts[(cuts >= 0.0) & (cuts <= until_adult)])
    survival = np.ones(hazards.shape[2])
    total = np.zeros(hazards.shape[2])
    for begin, end in itertools.pairwise(cuts):
        middle = (begin + end) / 2.0
        band = int(CARE_BANDS.index(middle))
        age = int(AGE_BANDS.index(entry_age_years + middle / 12.0))
        hazard = hazards[band, age]
        left = np.exp(-hazard * (end - begin))
        total += survival * (1.0 - left) / np.maximum(hazard, 1e-12)
        survival = survival * left
    return total
