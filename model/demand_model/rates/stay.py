"""Expected time on a plan or in care, under drawn hazards."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from demand_model.exposure.bands import AGE_BANDS, CARE_BANDS, CARE_SEGMENTS, PLAN_BANDS, UASC
from demand_model.exposure.opening import StockMembers
from demand_model.units import DAYS_PER_MONTH, DAYS_PER_YEAR

FloatArray = npt.NDArray[np.float64]
ADULT_MONTHS = 18 * 12


_LEAST_HAZARD = 1e-12
_STEP_MONTHS = 0.5
_UNKNOWN_AGE_YEARS = 12.0


def mean_plan_months(hazards: FloatArray) -> FloatArray:
    """Mean months on a plan; hazards (bands, draws) to shape (draws,).

    ``sum over bands of S(lower) (1 - exp(-h width)) / h``, S the survival to the band.
    """
    widths = np.diff(np.append(np.asarray(PLAN_BANDS.lower), np.inf))
    survival = np.ones(hazards.shape[1])
    total = np.zeros(hazards.shape[1])
    # An analyst may set a rate to 0: then nobody ever leaves, but the mean must be a number.
    for hazard, width in zip(np.maximum(hazards, _LEAST_HAZARD), widths, strict=True):
        total -= survival * np.expm1(-hazard * width) / hazard
        survival = survival * np.exp(-hazard * width)
    return total


def mean_care_months(
    hazards: FloatArray, entry_age_years: FloatArray, *, within_months: float = np.inf
) -> FloatArray:
    """Mean months in care from each age at entry, averaged; not UASC.

    Hazards are totals over reasons, shape (duration bands, segments, draws);
    every stay ends on the 18th birthday. Returns shape (draws,).

    Parameters
    ----------
    within_months
        Count only the first so many months of a stay.
    """
    stays = [_one_stay(hazards, float(age), within_months) for age in entry_age_years]
    return np.asarray(np.mean(stays, axis=0))


def mean_uasc_months(
    hazards: FloatArray, entry_age_years: FloatArray, *, within_months: float = np.inf
) -> FloatArray:
    """The same for UASC, whose hazard does not depend on age."""
    only = hazards[:, CARE_SEGMENTS.index(UASC), :]
    same = np.repeat(only[:, None, :], len(CARE_SEGMENTS), axis=1)
    return mean_care_months(same, entry_age_years, within_months=within_months)


def care_stayers(stock: StockMembers, hazards: FloatArray, *, months: int) -> FloatArray:
    """Children now in care who are expected to be there in so many months.

    ``sum over children exp(-integral of the hazard over the coming months)``, nobody from the
    18th birthday on; the integral by half-months, each at its middle's duration and age.

    Parameters
    ----------
    hazards
        As in `mean_care_months`.

    Returns
    -------
    Shape (draws,).
    """
    cells = len(CARE_BANDS) * len(CARE_SEGMENTS)
    time_in_cell = np.zeros((len(stock), cells))
    in_care = stock.days / DAYS_PER_MONTH
    age_years = np.nan_to_num(stock.age_days, nan=_UNKNOWN_AGE_YEARS * DAYS_PER_YEAR)
    age_years = age_years / DAYS_PER_YEAR
    child = np.arange(len(stock))
    for middle in np.arange(_STEP_MONTHS / 2.0, months, _STEP_MONTHS):
        age = AGE_BANDS.index(np.minimum(age_years + middle / 12.0, 17.99))
        segment = np.where(stock.uasc, CARE_SEGMENTS.index(UASC), age)
        cell = CARE_BANDS.index(in_care + middle) * len(CARE_SEGMENTS) + segment
        time_in_cell[child, cell] += _STEP_MONTHS
    staying = time_in_cell[age_years + months / 12.0 < 18.0]
    alike, children = np.unique(staying, axis=0, return_counts=True)
    return np.asarray(children @ np.exp(-alike @ hazards.reshape(cells, -1)))


def _one_stay(hazards: FloatArray, entry_age_years: float, within_months: float) -> FloatArray:
    """Integral of survival over the pieces on which the hazard is constant."""
    until_adult = max((18.0 - max(entry_age_years, 0.0)) * 12.0, 0.25)
    until = min(until_adult, within_months)
    birthdays = (np.asarray(AGE_BANDS.lower[1:]) - entry_age_years) * 12.0
    cuts = np.concatenate([np.asarray(CARE_BANDS.lower), birthdays, [until]])
    cuts = np.unique(cuts[(cuts >= 0.0) & (cuts <= until)])
    survival = np.ones(hazards.shape[2])
    total = np.zeros(hazards.shape[2])
    for begin, end in itertools.pairwise(cuts):
        middle = (begin + end) / 2.0
        band = int(CARE_BANDS.index(middle))
        age = int(AGE_BANDS.index(entry_age_years + middle / 12.0))
        hazard = np.maximum(hazards[band, age], _LEAST_HAZARD)
        total -= survival * np.expm1(-hazard * (end - begin)) / hazard
        survival = survival * np.exp(-hazard * (end - begin))
    return total
